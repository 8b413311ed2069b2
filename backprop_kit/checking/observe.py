"""Call a student's function once and note everything that happened.

The function gets copies of the inputs, so that it cannot spoil the next call; whether it changed
its own copies is noted, because a gradient function must leave its arguments alone. Of what it
returns only plain values are taken: whoever compares them meets no method of a student's making.
"""

import traceback
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from backprop_kit.engine.tensor import EngineOff

KIT = str(Path(__file__).parents[1])

MAX_DEPTH = 12  # of containers in a result
MAX_ITEMS = 100_000  # in one container
CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, dict)
MAX_BYTES = 64_000_000  # of one array
MAX_TEXT = 10_000  # characters of a text

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


class Other:
    """Stands in a result for what no answer should hold; only what it is, in words, is known."""

    def __init__(self, described_as):
        self.described_as = described_as


def taken(value, depth=0):
    """A result as plain values of its own: None, numbers, texts, numeric arrays, and lists, tuples,
    sets and dicts of these.

    A value of a subclass becomes one of the class itself; anything else becomes an `Other`. A whole
    number beyond 64 bits becomes a float. Never raises, whatever methods a value has.
    """
    try:
        if depth > MAX_DEPTH:
            return Other("something nested too deeply")
        return _taken(value, depth)
    except Exception:
        return Other(type(value).__name__)


def _taken(value, depth):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__getitem__(value, slice(MAX_TEXT))
    if isinstance(value, np.generic):
        scalar = np.asarray(value)[()]  # of NumPy's own class
        return scalar if scalar.dtype.kind in "biufc" else Other(type(value).__name__)
    if isinstance(value, int):
        return _within_64_bits(int.__pos__(value))
    if isinstance(value, float):
        return float.__pos__(value)
    if isinstance(value, np.ndarray):
        array = np.asarray(value)  # the same numbers, in NumPy's own class
        if array.dtype.kind not in "biufc" or array.nbytes > MAX_BYTES:
            return Other(f"array of {array.dtype}")
        return np.array(array)
    for kind in CONTAINERS:
        if isinstance(value, kind):
            if kind.__len__(value) > MAX_ITEMS:
                return Other(f"a {kind.__name__} of {kind.__len__(value)} entries")
            if kind is dict:
                pairs = dict.items(value)
                return {taken(k, depth + 1): taken(item, depth + 1) for k, item in pairs}
            return kind(taken(item, depth + 1) for item in kind.__iter__(value))
    return Other(type(value).__name__)


def _within_64_bits(number):
    if abs(number) < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:  # as an operation on floats would say it
        return np.inf if number > 0 else -np.inf


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
    return Observation(taken(result), mutated=mutated)


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
