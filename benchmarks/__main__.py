"""python -m benchmarks: measure, print the tables, write benchmarks/RESULTS.md.

Every engine runs in a process of its own, with one BLAS thread, beside hand-written NumPy. Peers
that are not installed are left out:

    python -m pip install torch autograd mygrad micrograd
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
# glibc then maps every large array by itself and gives it back at once; otherwise holes in its heap
# add up to 15 % to the peak, more or less of it from one environment to the next.
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "1000000"}
MODULES = {
    "kit": "backprop_kit",
    "micrograd": "micrograd",
    "autograd": "autograd",
    "mygrad": "mygrad",
    "torch": "torch",
}


def child(*arguments):
    """The JSON lines that `python -m benchmarks.measure …` prints, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.measure", *map(str, arguments)]
    run = subprocess.run(
        command,
        cwd=HERE.parent,
        env={**os.environ, **ONE_THREAD, **(GIVE_BACK if arguments[0] == "peak" else {})},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    records = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode:
        print(f"  {' '.join(map(str, arguments))} ended with exit status {run.returncode}")
    return {record.pop("workload"): record for record in records}


def import_time(rounds):
    """(ratio of `import backprop_kit` to `import numpy`, noise), in fresh processes, in turn."""

    def run(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, check=True)
        return time.perf_counter() - start

    codes = "pass", "import numpy", "import backprop_kit", "import numpy"
    for code in codes:
        run(code)  # caches
    measured = [[run(code) for code in codes] for _ in range(rounds)]
    bare = statistics.median(row[0] for row in measured)
    ratios = [(kit - bare) / ((a + b) / 2 - bare) for _, a, kit, b in measured]
    noise = [abs(a - b) / ((a + b) / 2 - bare) for _, a, _, b in measured]
    return statistics.median(ratios), statistics.median(noise)


def cell(record):
    if record is None:
        return "–"
    return record.get("failed") or figure(record["ratio"])


def figure(ratio):
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def verdict(ratio, target, noise=0.0):
    if target == "completes":
        return "yes"
    return "yes" if ratio <= target else "within noise" if ratio <= target * (1 + noise) else "no"


def table(rows):
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def measured(names, quick):
    """(times {engine: records}, peaks {(workload, engine): record}, import time) of all engines."""
    from .measure import PEAKS

    budget = 2.0 if quick else 6.0
    timed = {}
    for name in names:
        print(f"{name} …", flush=True)
        timed[name] = child("times", name, budget)
    peaks = {}
    for workload in PEAKS:
        print(f"{workload} …", flush=True)
        for name in ["hand", *(n for n in names if n != "micrograd")]:
            peaks[workload, name] = child("peak", name, workload).get(workload)
    print("import …", flush=True)
    return timed, peaks, import_time(5 if quick else 15)


def results(names, timed, peaks, importing):
    """The rows of the table: a workload each, an engine a column."""
    from .measure import PEAKS, TIMES

    head = ["workload", "hand-written", "target", *names, "noise", "met"]
    rows = [head, ["---"] * len(head)]
    for workload, (_, _, target) in TIMES.items():
        kit = timed["kit"].get(workload)
        rows.append(
            [
                workload,
                f"{kit['hand'] * 1e6:,.1f} µs",
                f"≤ {target}" if target != "completes" else target,
                *(cell(timed[name].get(workload)) for name in names),
                f"±{kit['noise']:.0%}",
                verdict(kit["ratio"], target, kit["noise"]),
            ]
        )
    for workload, (_, target) in PEAKS.items():
        by_hand = peaks[workload, "hand"]
        if by_hand is None or "peak" not in by_hand:
            continue
        ratios = {
            name: {"ratio": record["peak"] / by_hand["peak"]}
            for name in names
            if (record := peaks.get((workload, name)))
        }
        rows.append(
            [
                workload,
                f"{by_hand['peak'] / 2**20:,.0f} MiB",
                f"≤ {target}",
                *(cell(ratios.get(name)) for name in names),
                "",
                verdict(ratios["kit"]["ratio"], target),
            ]
        )
    ratio, noise = importing
    rows.append(
        ["import, against `import numpy`", "", "≤ 1.15", figure(ratio)]
        + ["–"] * (len(names) - 1)
        + [f"±{noise:.0%}", verdict(ratio, 1.15, noise)]
    )
    return rows


def page(text, names):
    """RESULTS.md: how it was measured, the table, and with which versions."""
    from importlib.metadata import version

    versions = [f"Python {platform.python_version()}"]
    versions += [f"{name} {version(name)}" for name in ("numpy", *(n for n in names if n != "kit"))]
    return f"""# Benchmarks

Written by `make bench` (`python -m benchmarks`): time of forward + backward, and peak memory, as a
ratio to hand-written NumPy (Python floats for the scalars); lower is better. One BLAS thread, every
engine in a process of its own, interleaved with the hand-written code, median of the rounds. The
noise is the median distance of the hand-written code from itself, measured before and after. The
hand-written network keeps every activation and pre-activation in a list, as one writes it first; if
the lower half is frozen, it stops its backward pass there. Peak memory is the process's resident
memory, beyond what it had before the first of three steps, with MALLOC_MMAP_THRESHOLD_=1000000.

{text}

{", ".join(versions)}; {platform.system()} {platform.machine()}, {os.cpu_count()} cores.
"""


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the engine.")
    parser.add_argument("--quick", action="store_true", help="a third of the time, more noise")
    parser.add_argument("--no-peers", action="store_true", help="only the kit")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    names = [n for n, module in MODULES.items() if importlib.util.find_spec(module)]
    if options.no_peers:
        names = ["kit"]

    text = table(results(names, *measured(names, options.quick)))
    print(text)
    options.output.write_text(page(text, names), encoding="utf-8")
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
