"""Whatever a student's function returns, `check` answers with a sentence and the judge with a mark.

Each exercise is answered with a collection of odd values: by all its functions, by the methods of
its classes, in the place of a whole result and of each part of a right one.
"""

import collections
import decimal
import enum
import fractions
import itertools
import json

import numpy as np
import pytest

from autograder.judging import Plan, hidden, probe
from backprop_kit import Tensor
from backprop_kit.checking.check import check, report_on
from backprop_kit.checking.compare import plain
from backprop_kit.checking.observe import Other, taken


def refuses(*names, base=object):
    """An object whose methods of these names raise an error."""

    def refuse(self, *args, **kwargs):
        raise RuntimeError("no")

    members = dict.fromkeys(names, refuse) | {"__hash__": lambda self: 1}
    return type("Refuses", (base,), members)


class Pretends:
    """Says of itself that it is of a class that it is not of."""

    def __init__(self, kind):
        self.kind = kind

    __class__ = property(lambda self: self.kind() if callable(self.kind) else self.kind)


Colour = enum.IntEnum("Colour", "RED")
Pair = collections.namedtuple("Pair", "f df")
endless = []
endless.append(endless)
COMPARES = ("__eq__", "__ne__", "__lt__", "__sub__", "__rsub__", "__abs__", "__bool__", "__len__")
READS = ("__iter__", "__getitem__", "__repr__", "__str__", "__float__", "__array__", "__getattr__")

ODD = {
    "an array for a set": np.array([3, 4, 7]),
    "an empty array": np.array([]),
    "a number in an array": np.array([[1.0]]),
    "a 0-d array": np.array(3),
    "an array of truth values": np.array([True, False]),
    "an array of texts": np.array(["input", "mask"]),
    "an array of objects": np.array([1, None, object()]),
    "a table": np.zeros(2, dtype=[("a", float)]),
    "a masked array": np.ma.array([1.0, 2.0], mask=[0, 1]),
    "an array of nan": np.full((2, 3), np.nan),
    "an array of complex": np.array([1j]),
    "a time": np.datetime64("2020"),
    "ragged arrays": [np.ones(2), np.ones(3)],
    "a tuple of arrays": (np.ones(2), np.ones((2, 2))),
    "a dict of arrays": {"a": np.ones(2), (1, 2): None},
    "a set": {3, 4.0, "7", None, (1, 2), frozenset({1}), float("nan")},
    "a set of NumPy numbers": {np.int64(3), np.float64(4)},
    "a frozen set": frozenset({3, 4, 7}),
    "an empty dict": {},
    "an empty tuple": (),
    "a huge number": 10**400,
    "huge numbers": [-(10**400)] * 3,
    "nan": float("nan"),
    "a truth value": True,
    "a short float": np.float16(1),
    "a long float": np.longdouble(1),
    "a half character": "\ud800",
    "bytes": memoryview(b"abc"),
    "a range": range(3),
    "a generator": (i for i in range(3)),
    "an enum": Colour.RED,
    "a namedtuple": Pair(1.0, np.ones(2)),
    "a counter": collections.Counter("abc"),
    "a fraction": fractions.Fraction(1, 3),
    "a decimal": decimal.Decimal("1"),
    "a tensor": Tensor(np.ones(2)),
    "a class": dict,
    "an error": ValueError("x"),
    "dots": ...,
    "a list in itself": endless,
    "nested": ((1.0, 2.0), [3.0, {4.0}], {"a": (np.ones(1), [])}),
    "what cannot be compared": refuses(*COMPARES)(),
    "what cannot be read": refuses(*COMPARES, *READS)(),
    "a tuple that cannot be read": refuses(*COMPARES, *READS, base=tuple)((1.0, 2.0)),
    "a list that cannot be read": refuses(*COMPARES, *READS, base=list)([1.0]),
    "a dict that cannot be read": refuses(*READS, "items", "keys", base=dict)(a=1),
    "a float that cannot be read": refuses(*COMPARES, *READS, base=float)(1.0),
    "a text that cannot be read": refuses(*COMPARES, *READS, base=str)("x"),
    "a number of NumPy's in disguise": refuses(*COMPARES, *READS, base=np.float64)(1.0),
    "an array in disguise": np.ones(3).view(refuses(*COMPARES, *READS, "dtype", base=np.ndarray)),
    "a pretended array": Pretends(np.ndarray),
    "a pretended tuple": Pretends(tuple),
    "what will not say what it is": Pretends(lambda: 1 / 0),
}
KINDS = list(ODD)


def with_part(result, number, value, count=None):
    """A result with `value` in the place of its part of this number, counted round and round."""
    count = count or itertools.count()
    if isinstance(result, dict):
        return {key: with_part(inner, number, value, count) for key, inner in result.items()}
    if isinstance(result, tuple):
        return tuple(with_part(inner, number, value, count) for inner in result)
    return value if next(count) == number else plain(result)


def answers(exercise, value, number=None):
    """{name: an answer} whose results are value() for each call, or right but for one part."""
    made = {}
    for name, function in exercise.functions.items():
        if name[0].isupper():
            made[name] = class_of(value)
        elif number is None or function.solve is None:
            made[name] = lambda *args, **kwargs: value()
        else:

            def nearly(*args, solve=function.solve):
                return with_part(solve(*args), number, value())

            made[name] = nearly
    return made


def class_of(value):
    class Layer:
        def __init__(self, *args, **kwargs):
            self.params = {"W": np.ones((2, 2))} if next(turns) % 2 else value()
            self.grads = value()

        def forward(self, x):
            return value()

        def backward(self, grad):
            return value()

    turns = itertools.count()
    return Layer


def everything_about(id, made):
    """Each way in which an answer is looked at, to the last word that anybody reads of it."""
    report = report_on(id, *made.values())
    plan = Plan(id, 1)
    reply = probe.answer(json.dumps(plan.request(5)), dict(made))
    there = plan.verdict(plan.observations(reply))
    here = plan.verdict(plan.observe(made))
    for verdict in (there, here):
        json.dumps(verdict.outputs())
        assert 0 <= verdict.score <= verdict.max
    assert report._repr_html_()
    return str(report)


PLAIN = {type(None), bool, int, float, str, list, tuple, set, frozenset, dict, np.ndarray, Other}
PLAIN |= {np.dtype(code).type for code in np.typecodes["All"] if np.dtype(code).kind in "biufc"}


def kinds_in(value):
    """The classes of a value and of all that it holds."""
    found = {type(value)}
    if type(value) is dict:
        value = [*value.keys(), *value.values()]
    if type(value) in (list, tuple, set, frozenset):
        found |= set().union(*map(kinds_in, value))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_result_only_plain_values_are_taken(kind):
    for value in (ODD[kind], [ODD[kind]], {"a": (ODD[kind],)}):
        found = taken(value)
        assert kinds_in(found) <= PLAIN
        assert type(found) is type(value) or value is ODD[kind]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("id", hidden.load())
def test_no_answer_is_too_odd_for_a_sentence_and_a_mark(id):
    exercise = hidden.find(id).exercise
    for start in range(0, len(KINDS), 3):
        turn = itertools.cycle(KINDS[start:] + KINDS[:start])
        number = (start // 3) % 5
        made = answers(exercise, lambda turn=turn: ODD[next(turn)], number if start % 2 else None)
        assert everything_about(id, made)
    for kind in ("an array for a set", "an array of texts", "what cannot be read"):
        made = answers(exercise, lambda kind=kind: ODD[kind])
        assert everything_about(id, made).startswith(("✘", "☐")), kind


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("id", ["wrong_claims", "add_mul", "descend", "gradient_shape"])
def test_each_odd_value_by_itself(id, kind):
    exercise = hidden.find(id).exercise
    assert everything_about(id, answers(exercise, lambda: ODD[kind]))


def test_an_array_where_a_set_is_asked_is_called_so():
    said = str(report_on("wrong_claims", lambda: np.array([3, 4, 7])))
    assert "should be a set, and is an array of int64 of shape (3,)" in said


def test_numbers_of_numpy_in_a_set_are_numbers():
    assert report_on("wrong_claims", lambda: {np.int64(3), np.int64(4), 7}).passed
    said = str(report_on("wrong_claims", lambda: {np.int64(3), 4.0}))
    assert "among its numbers" not in said
    assert "among its numbers" in str(report_on("wrong_claims", lambda: {3, "4"}))


def test_check_never_raises(monkeypatch, capsys):
    def fails(*args):
        raise RuntimeError("nobody has thought of this")

    monkeypatch.setattr("backprop_kit.checking.check.examine", fails)
    assert check("add_mul", lambda x, y, z: (1, 2, 3, 4)) is None
    said = capsys.readouterr().out
    assert said.startswith("✘ add_mul: what came back cannot be compared (RuntimeError: nobody")
