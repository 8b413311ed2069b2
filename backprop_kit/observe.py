"""Call a student's function once and note everything that happened.

The function gets copies of the inputs, so that it cannot spoil the next call; whether it changed
its own copies is noted, because a gradient function must leave its arguments alone.
"""

import traceback
from pathlib import Path
from typing import NamedTuple

import numpy as np

from backprop_kit.tensor import EngineOff

KIT = str(Path(__file__).parent)

# The text of a NotImplementedError that stands below finished work.
LEFTOVER = "left below an answer"


class Raised(NamedTuple):
    """An exception that a student's function let out: its type, text, line and function.

    As a list it goes through JSON, and comes back by `Raised(*given)`.
    """

    kind: str
    text: str = ""
    line: str | None = None
    where: str | None = None

    def told_of(self, name):
        """The sentence that says so, of the function or method `name`."""
        text = self.text.removesuffix(".")
        place = f" in the line `{self.line.strip()}`" if self.line else ""
        return f"{name} raises {self.kind}{f': {text}' if text else ''}{place}."


class Observation:
    """What one call returned or raised, and which arguments (by position) it changed."""

    __slots__ = ("mutated", "raised", "result")

    def __init__(self, result=None, raised=None, mutated=()):
        self.result = result
        self.raised = raised
        self.mutated = tuple(mutated)


def copied(value):
    """A copy that shares no array and no container with the original; a subclass of a container,
    such as a namedtuple, becomes the container."""
    if isinstance(value, np.ndarray):
        return np.array(value)
    for kind in (list, tuple, set):
        if isinstance(value, kind):
            return kind(copied(item) for item in value)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value


def unchanged(before, after):
    """Whether two argument trees hold the same values; NaN equals NaN."""
    if isinstance(before, np.ndarray):
        return isinstance(after, np.ndarray) and np.array_equal(before, after, equal_nan=True)
    if isinstance(before, (list, tuple)):
        same_length = isinstance(after, (list, tuple)) and len(before) == len(after)
        return same_length and all(map(unchanged, before, after))
    if isinstance(before, dict):
        same_keys = isinstance(after, dict) and before.keys() == after.keys()
        return same_keys and all(unchanged(before[k], after[k]) for k in before)
    if isinstance(after, np.ndarray):
        return False
    return before is after or before == after or (before != before and after != after)


def observe(function, args, call=None):
    """Call function(*args) on copies of args; never raises for what the function does.

    call: what to call in its place, where a driver makes the calls.
    """
    given = [copied(arg) for arg in args]
    try:
        with np.errstate(all="ignore"):
            result = (call or function)(*given)
    except EngineOff as error:
        return Observation(raised=Raised("EngineOff", str(error)))
    except Exception as error:
        return Observation(raised=raised(error, function))
    mutated = [
        i for i, (old, new) in enumerate(zip(args, given, strict=True)) if not unchanged(old, new)
    ]
    return Observation(copied(result), mutated=mutated)


def raised(error, function):
    """What is told of an exception: type, first line, and the student's line it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(KIT)]
    text = str(error).strip().split("\n")[0][:200]
    if isinstance(error, NotImplementedError) and not text and _does_more_than_raise(function):
        text = LEFTOVER
    line, where = (own[-1].line, own[-1].name) if own else (None, None)
    if where == getattr(function, "__name__", None):
        where = None  # the function itself, under whatever name
    elif isinstance(function, type) and where in vars(function):
        where = f"{function.__name__}.{where}"
    return Raised(type(error).__name__, text, line, where)


def _does_more_than_raise(function):
    """Whether a function names anything besides its arguments and NotImplementedError."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    return code.co_nlocals > code.co_argcount or bool(set(code.co_names) - {"NotImplementedError"})
