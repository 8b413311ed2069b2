"""The plan: fresh cases, what is asked of the answers, and what the reference engine says.

Nothing in this module runs student code, but for `judge`, which stands in the hidden-test cells
and judges in-process where plain nbgrader executes them. In the course's own pipeline
`autograder.running` sends the request of a `Plan` into the student's kernel and brings the
observations back; see `autograder.judging.probe`.
"""

import contextlib
import json
import re
import secrets
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_kit.checking.diagnose import Trial, examine
from backprop_kit.checking.exercise import Case
from backprop_kit.checking.observe import Observation, Raised, observe
from backprop_kit.engine.tensor import engine_off

from . import hidden, probe
from .verdict import Verdict

SECONDS = 5.0  # for all calls of one exercise together
# With a fraction, as hidden inputs have one; an error may tell what it was raised by.
NUMBER = re.compile(r"-?\d+\.\d*(?:[eE][+-]?\d+)?")


def _struck(value):
    """A value in whose texts no number with a fraction is left: a driver collects errors, too."""
    if isinstance(value, str):
        return NUMBER.sub("…", value)
    if type(value) in (list, tuple):
        return type(value)(map(_struck, value))
    if type(value) is dict:
        return {key: _struck(each) for key, each in value.items()}
    return value


class Plan:
    """The calls by which one exercise is judged in one run, drawn from a seed.

    The order matters: a fresh case comes first, the worked example second, and the first case of
    each function is called once more at the end, so that an answer that remembers its first call,
    one that has the worked example typed in, and one that is simply wrong differ.
    """

    def __init__(self, id: str, seed: int | None = None) -> None:
        self.test = hidden.find(id)
        self.exercise = self.test.exercise
        self.seed = secrets.randbits(63) if seed is None else seed
        rng = np.random.default_rng([self.seed, zlib.crc32(id.encode())])
        drawn = self.test.draw(rng)
        worked = [case for case in self.exercise.draw(rng) if case.kind == "worked"]
        self.cases = []
        self.repeats = {}
        for name in self.exercise.functions:
            own = [case for case in drawn if case.function == name]
            example = [case for case in worked if case.function == name]
            self.cases += own[:1] + example + own[1:]
        for name in self.exercise.functions:
            first = next(i for i, case in enumerate(self.cases) if case.function == name)
            again = self.cases[first]
            self.repeats[name] = (first, len(self.cases))
            self.cases.append(Case(name, again.args, "repeat", again.note))

    def request(self, seconds: float = SECONDS) -> dict[str, Any]:
        """What is sent to the probe: names of functions and drivers, and inputs; nothing else."""
        functions = self.exercise.functions
        return {
            "calls": [
                {
                    "function": case.function,
                    "args": [probe.encode(arg) for arg in case.args],
                }
                | ({"driver": driver} if (driver := functions[case.function].driver) else {})
                for case in self.cases
            ],
            "by_hand": self.exercise.by_hand,
            "seconds": seconds,
        }

    def observations(self, reply: str) -> list[Observation]:
        """The probe's reply (JSON text) as observations; anything unreadable is the answer's
        fault, never an error of ours."""
        try:
            sent = json.loads(reply)
            if "failed" in sent:
                return self.all_failed(*_failure(sent))
            seen = [self._observation(item) for item in sent["observations"]]
            if len(seen) != len(self.cases):
                raise probe.WireError("not one observation for each call")
            return seen
        except Exception:
            return self.all_failed("Unreadable", "What your functions returned could not be read.")

    @staticmethod
    def _observation(item):
        if "raised" in item:
            told = item["raised"]
            kinds = (str, str, str | None, str | None)
            if len(told) != 4 or not all(map(isinstance, told, kinds)):
                raise probe.WireError("not an exception")
            kind, text, line, where = (word and _printable(word[:200]) for word in told)
            return Observation(raised=Raised(kind, _struck(text), line, where))
        mutated = [int(i) for i in item["mutated"]]
        return Observation(_struck(probe.decode(item["result"])), mutated=mutated)

    def all_failed(self, kind: str, text: str) -> list[Observation]:
        """Observations for an answer that could not be called at all."""
        return [Observation(raised=Raised(kind, text)) for _ in self.cases]

    def observe(self, functions: dict[str, Callable]) -> list[Observation]:
        """Call the functions here, in this process."""
        off = engine_off if self.exercise.by_hand else contextlib.nullcontext
        calls = {name: f.caller(functions) for name, f in self.exercise.functions.items()}
        with off():
            return [
                observe(functions[case.function], case.args, calls[case.function])
                for case in self.cases
            ]

    def verdict(self, observations: list[Observation]) -> Verdict:
        """The `Verdict` on what was observed."""
        findings = {}
        for name, function in self.exercise.functions.items():
            made = {
                i: Trial(function, case, seen)
                for i, (case, seen) in enumerate(zip(self.cases, observations, strict=True))
                if case.function == name
            }
            first, again = self.repeats[name]
            repeated = made.pop(again)
            verdict = examine(list(made.values()), [(made[first], repeated)])
            findings |= {(name, label): finding for label, finding in verdict.items()}
        return Verdict(self, findings)


def _printable(text):
    """The text without half characters, which no file and no terminal can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _failure(sent):
    kind = sent["failed"]
    if kind == "TimeOut":
        return "TimeOut", "it ran out of time"
    if kind == "Raised":
        text = _printable(str(sent.get("text"))[:200])
        return "Unreadable", f"The code raises an error before it can be called: {text}."
    return "KernelDied", "Python itself came to an end while your code was running."


def judge(id: str, *functions: Callable, seed: int | None = None) -> Verdict:
    """Judge the functions of exercise `id` in this process; returns the `Verdict`.

    This is what a hidden-test cell runs where plain nbgrader executes it. It judges by the same
    cases, but in the same process as the student's code; use the course's configuration for marks
    that matter.
    """
    plan = Plan(id, seed)
    names = list(plan.exercise.functions)
    if len(functions) != len(names):
        raise TypeError(f"judge({id!r}) takes {len(names)} functions: {', '.join(names)}")
    return plan.verdict(plan.observe(dict(zip(names, functions, strict=True))))
