"""Measuring: everything that runs in a process of its own, one engine at a time.

Interleaved: hand, engine, hand again, and from the start, so that a machine that slows down slows
all of them. A ratio is the median over the rounds; the noise is how far "hand again / hand" strays.
"""

import gc
import json
import statistics
import sys
import time

import numpy as np

from backprop_kit.engine.memory import reset_resident_peak, resident

from . import hand
from .engines import ENGINES, numbers

TIMES = {  # workload: (method, arguments, target of the kit)
    "(x+y)z, scalars": ("xyz", (), 55),
    "sigmoid neuron, scalars": ("neuron", (), 60),
    "chain of 1,000 nodes": ("chain", (1_000,), 20),
    "chain of 100,000 nodes": ("chain", (100_000,), 45),
    "chain of 1,000,000 nodes": ("chain", (1_000_000,), "completes"),
    "‖Wx‖², 2×3": ("norm_sq", (2, 3), 4.6),
    "‖Wx‖², 256²": ("norm_sq", (256, 256), 1.2),
    "‖Wx‖², 2048²": ("norm_sq", (2048, 2048), 1.1),
    "MLP D2 w16 N32": ("mlp", (2, 16, 32), 1.6),
    "MLP D4 w256 N256": ("mlp", (4, 256, 256), 1.1),
    "MLP D8 w1024 N512": ("mlp", (8, 1024, 512), 1.02),
}
PEAKS = {
    "peak memory, MLP D8": ((8, 1024, 512), 0.75),
    "peak memory, lower half frozen": ((8, 1024, 512, 4), 0.70),
}


def seconds(step, n):
    start = time.perf_counter()
    for _ in range(n):
        step()
    return (time.perf_counter() - start) / n


def compare(yardstick, step, budget):
    """(median ratio, noise, seconds of the yardstick, seconds of the step)."""
    slower = max(seconds(yardstick, 1), seconds(step, 1))
    n = max(1, min(2000, int(0.03 / slower)))
    yardstick_n = max(1, min(20_000, int(0.03 / max(seconds(yardstick, 20), 1e-9))))
    each = slower * n + 2 * seconds(yardstick, 1) * yardstick_n
    rounds = max(5, min(60, int(budget / each)))
    ratios, noise, hand_times, step_times = [], [], [], []
    for _ in range(rounds):
        gc.collect()
        before = seconds(yardstick, yardstick_n)
        engine = seconds(step, n)
        after = seconds(yardstick, yardstick_n)
        ratios.append(engine / ((before + after) / 2))
        noise.append(abs(after / before - 1))
        hand_times.append(min(before, after))
        step_times.append(engine)
    return (
        statistics.median(ratios),
        statistics.median(noise),
        statistics.median(hand_times),
        statistics.median(step_times),
    )


def times(name, budget):
    """One JSON line for each workload that the engine called `name` can do."""
    engine = ENGINES[name]()
    for workload, (method, arguments, target) in TIMES.items():
        if target == "completes" and name != "kit":
            continue
        try:
            step = getattr(engine, method)(*arguments)
            result = numbers(step())
        except (AttributeError, NotImplementedError):
            continue
        except RecursionError:
            say(workload=workload, failed="RecursionError")
            continue
        yardstick = getattr(hand, method)(*arguments)
        expected = numbers(yardstick())
        if result.shape != expected.shape or not np.allclose(result, expected, rtol=1e-6):
            say(workload=workload, failed="wrong result")
            continue
        del result, expected
        ratio, noise, hand_time, step_time = compare(yardstick, step, budget)
        say(workload=workload, ratio=ratio, noise=noise, hand=hand_time, step=step_time)


def peak(name, workload):
    """The peak of resident memory in three steps, beyond what was there before the first."""
    arguments, _ = PEAKS[workload]
    step = (hand.mlp if name == "hand" else ENGINES[name]().mlp)(*arguments)
    # The libraries' own buffers are not the point: a small network makes them appear beforehand.
    warm = (hand.mlp if name == "hand" else ENGINES[name]().mlp)(2, 64, 64)
    for _ in range(3):
        warm()
    gc.collect()
    if resident() is None:
        return say(workload=workload, failed="no /proc here")
    before = resident()
    resettable = reset_resident_peak()
    for _ in range(3):
        result = step()
    del result
    return say(workload=workload, peak=resident("VmHWM") - before, reset=resettable)


def say(**record):
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    what, name, argument = sys.argv[1:]
    if what == "times":
        times(name, float(argument))
    else:
        peak(name, argument)
