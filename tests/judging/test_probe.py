"""The wire between student code and the judge: what is sent arrives, what is forged is refused."""

import base64
import contextlib
import enum
import json
import tracemalloc
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.judging import Plan, probe
from autograder.judging.probe import WireError, decode, encode
from backprop_kit.checking import observe
from backprop_kit.checking.observe import Other, taken

# ---------------------------------------------------------------- there and back


def over_the_wire(value):
    return decode(json.loads(json.dumps(encode(taken(value)))))


def same(a, b):
    """Equal in type, shape, dtype and value; NaN equals NaN, and −0 is not 0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        alike = a.shape == b.shape and a.dtype == b.dtype
        return alike and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return a.hex() == b.hex()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b


def arrays(dtype):
    shapes = st.lists(st.integers(0, 3), max_size=3).map(tuple)
    made = st.tuples(shapes, st.integers(0, 2**32 - 1))
    return made.map(
        lambda drawn: (np.random.default_rng(drawn[1]).normal(size=drawn[0]) * 9).astype(dtype)
    )


hashable = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(),
    st.text(max_size=20),
)
leaves = st.one_of(
    hashable,
    st.sampled_from(["f8", "f4", "i8", "u1", "bool", "c16", ">f8"]).flatmap(arrays),
    st.floats().map(np.float64),
    st.integers(-100, 100).map(np.int32),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=4), inner, max_size=3),
        st.sets(st.integers(0, 9)),
        st.frozensets(st.integers(0, 9)),
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_what_is_sent_arrives(value):
    native = json.loads(json.dumps(encode(taken(value))))
    assert same(decode(native), _little_endian(value))


def _little_endian(value):
    """Byte order is the one thing that may change on the way."""
    if isinstance(value, np.ndarray):
        return value.astype(value.dtype.newbyteorder("<"))
    if isinstance(value, (list, tuple)):
        return type(value)(_little_endian(item) for item in value)
    if isinstance(value, dict):
        return {key: _little_endian(item) for key, item in value.items()}
    return value


def test_a_scalar_and_a_0d_array_stay_different():
    assert isinstance(over_the_wire(np.float64(2.5)), np.float64)
    assert isinstance(over_the_wire(np.array(2.5)), np.ndarray)


def test_arrays_arrive_writable_and_in_any_memory_order():
    for array in (
        np.arange(6.0).reshape(2, 3).T,
        np.arange(9.0)[::2],
        np.asfortranarray(np.eye(3)),
    ):
        back = over_the_wire(array)
        np.testing.assert_array_equal(back, array)
        back += 1


@pytest.mark.parametrize(
    "value",
    [
        object(),
        lambda: None,
        b"bytes",
        1j,
        np.array([object()]),
        np.array(["text"]),
        np.zeros(3, dtype=[("a", float)]),
        np.datetime64("2020-01-01"),
        range(3),
        np.broadcast_to(0.0, (observe.MAX_BYTES // 8 + 1,)),
        [0] * (observe.MAX_ITEMS + 1),
        dict.fromkeys(range(observe.MAX_ITEMS + 1)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_sent_arrives_as_the_name_of_its_type(value):
    sent = json.dumps(encode(taken(value)))
    assert len(sent) < 300
    assert isinstance(decode(json.loads(sent)), Other)


def test_limits_of_depth_and_text():
    deep = []
    for _ in range(50):
        deep = [deep]
    assert isinstance(over_the_wire(deep), list)
    endless = []
    endless.append(endless)
    json.dumps(encode(taken(endless)))
    assert len(over_the_wire("x" * 10**6)) == observe.MAX_TEXT


def test_a_whole_number_beyond_64_bits_arrives_as_a_float():
    assert over_the_wire(2**63) == 2.0**63
    assert over_the_wire([10**400, -(10**400)]) == [np.inf, -np.inf]


# ---------------------------------------------------------------- what only pretends


class Forged(np.ndarray):
    """Compares equal to everything, and says so in every way there is."""

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: np.bool_(True)
    __sub__ = __rsub__ = lambda self, other: np.zeros(())
    __hash__ = None

    def __array_function__(self, *args, **kwargs):
        return True

    def __array_ufunc__(self, *args, **kwargs):
        return np.zeros(())


class Equal:
    __eq__ = __ne__ = lambda self, other: True
    __hash__ = None
    __float__ = lambda self: 0.0
    __array__ = lambda self, *args, **kwargs: np.zeros(())


class Number(float):
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = None


class Colour(enum.IntEnum):
    RED = 1


def test_an_array_with_comparisons_of_its_own_arrives_as_a_plain_array():
    back = over_the_wire(np.arange(3.0).view(Forged))
    assert type(back) is np.ndarray
    np.testing.assert_array_equal(back, [0.0, 1.0, 2.0])


@pytest.mark.parametrize("value", [Equal(), Number(1.0), Colour.RED, type("int", (int,), {})(3)])
def test_an_object_that_pretends_never_arrives_as_itself(value):
    back = over_the_wire(value)
    assert type(back) in (Other, float, int)
    assert not isinstance(back, Equal | Number | Colour)
    if isinstance(back, float):
        assert back != 7.0


def test_a_subclass_of_a_container_arrives_as_the_container():
    Result = namedtuple("Result", "f df_dx")
    assert type(over_the_wire(Result(1, 2))) is tuple
    assert type(over_the_wire(type("L", (list,), {})([1]))) is list
    assert type(over_the_wire(type("D", (dict,), {})(a=1))) is dict


# ---------------------------------------------------------------- forgeries


def wire_array(raw=b"\0" * 16, dtype="<f8", shape=(2,), **more):
    return {"array": base64.b64encode(raw).decode(), "dtype": dtype, "shape": shape, **more}


nested = {"list": []}
for _ in range(200):
    nested = {"list": [nested]}

FORGERIES = {
    "too few bytes": wire_array(shape=[3]),
    "too many bytes": wire_array(shape=[1]),
    "huge shape": wire_array(shape=[10**6, 10**6, 10**6]),
    "huge shape of nothing": wire_array(b"", shape=[0, 2**62, 2**62]),
    "overflowing shape": wire_array(b"", shape=[2**32, 2**32]),
    "negative shape": wire_array(shape=[-1, -2]),
    "infinite shape": wire_array(shape=[float("inf")]),
    "nan shape": wire_array(shape=[float("nan")]),
    "shape of text": wire_array(shape="ab"),
    "shape a number": wire_array(shape=2),
    "no shape": {"array": "", "dtype": "<f8"},
    "many dimensions": wire_array(b"\0" * 8, shape=[1] * 65),
    "objects": wire_array(dtype="|O"),
    "records": wire_array(dtype=[["a", "<f8"]]),
    "text": wire_array(dtype="<U4"),
    "void": wire_array(dtype="V16"),
    "dates": wire_array(dtype="<M8[s]"),
    "a subarray": wire_array(dtype="(1000000000,)f8"),
    "not a dtype": wire_array(dtype="pickle"),
    "a dtype in pieces": wire_array(dtype="f8,("),
    "dtype a dict": wire_array(dtype={"names": ["a"], "formats": ["O"]}),
    "dtype null": wire_array(b"\0" * 16, dtype=None, shape=["x"]),
    "not base64": {"array": "***", "dtype": "<f8", "shape": []},
    "not text": {"array": 3, "dtype": "<f8", "shape": []},
    "deep": nested,
    "a list": [1, 2],
    "a bare float": 1.5,
    "two kinds": {"list": [], "tuple": []},
    "no kind": {},
    "unknown kind": {"pickle": "gASVKgAAAA=="},
    "a list that is none": {"list": "abc"},
    "a float that is none": {"float": 1.0},
    "a float of words": {"float": "one"},
    "a float too large": {"float": "0x1p99999"},
    "an object that is none": {"object": [1]},
    "a set of lists": {"set": [{"list": []}]},
    "a dict of lists": {"dict": [[{"list": []}, 1]]},
    "a dict of singles": {"dict": [[1]]},
    "a dict of numbers": {"dict": [1]},
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_forged_data_is_refused(forged):
    tracemalloc.start()
    try:
        with pytest.raises((WireError, ValueError)):
            decode(forged)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000, "memory was taken for a forgery"
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_reply_is_the_answers_fault(forged):
    plan = Plan("add_mul", 1)
    items = [{"result": forged, "mutated": []} for _ in plan.cases]
    verdict = plan.verdict(plan.observations(json.dumps({"observations": items})))
    assert (verdict.score, verdict.cause) == (0, "raises")


OBSERVED = {"result": {"tuple": [1, 2, 3, 4]}, "mutated": []}


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {},
        "text",
        {"result": 1},
        {"mutated": []},
        {"result": 1, "mutated": None},
        {"result": 1, "mutated": ["x"]},
        {"result": 1, "mutated": [float("inf")]},
        {"raised": None},
        {"raised": ["E"]},
        {"raised": [1, 2, 3]},
        {"raised": ["E", "text", {"a": 1}]},
        {"raised": ["E" * 10**6, "t" * 10**6, "l" * 10**6]},
        {**OBSERVED, "mutated": [99]},
        {**OBSERVED, "mutated": [-99]},
        {**OBSERVED, "result": {"tuple": [10**400, 1, 1, 1]}},
        {**OBSERVED, "result": {"tuple": [True, None, "x", {"object": "y"}]}},
        {**OBSERVED, "result": {"dict": []}},
    ],
    ids=lambda item: json.dumps(item)[:40],
)
@pytest.mark.parametrize("id", ["add_mul", "sigmoid_neuron", "wrong_claims", "descend"])
def test_a_reply_with_odd_observations_costs_the_points_and_no_more(id, item):
    plan = Plan(id, 1)
    reply = json.dumps({"observations": [item] * len(plan.cases)})
    verdict = plan.verdict(plan.observations(reply))
    assert verdict.score == 0
    assert len(str(verdict)) < 10_000
    json.dumps(verdict.as_dict()).encode()


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "null",
        "3",
        "[]",
        "{}",
        '"failed"',
        '{"failed": {}}',
        '{"failed": "Raised"}',
        '{"failed": "Raised", "text": {"a": 1}}',
        '{"observations": 3}',
        '{"observations": []}',
        '{"observations": {}}',
        '{"score": 2}',
        "[" * 100_000,
        "9" * 10_000,
        "{'observations'",
    ],
    ids=lambda reply: reply[:20] or "nothing",
)
def test_a_reply_that_is_none_costs_the_points_and_no_more(reply):
    plan = Plan("add_mul", 1)
    assert plan.verdict(plan.observations(reply)).score == 0


any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["array", "dtype", "shape", "float", "object", "list", "tuple", "set", "dict", "x"]
            ),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=10,
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["add_mul", "sigmoid_neuron", "wrong_claims", "descend"]), any_json)
def test_no_forged_result_can_break_the_judge(id, result):
    plan = Plan(id, 1)
    items = [{"result": result, "mutated": []}] * len(plan.cases)
    verdict = plan.verdict(plan.observations(json.dumps({"observations": items})))
    assert verdict.score <= verdict.max / 2


# ---------------------------------------------------------------- making the calls


def ask(functions, *calls, by_hand=False, seconds=5.0):
    """Have the probe call functions in this process; returns the observations as they are sent."""
    request = {
        "calls": [
            {"function": name, "args": [encode(arg) for arg in args]} for name, *args in calls
        ],
        "by_hand": by_hand,
        "seconds": seconds,
    }
    reply = probe.answer(json.dumps(request), functions)
    assert "\n" not in reply
    return json.loads(reply)["observations"]


def test_functions_are_called_with_the_inputs():
    (seen,) = ask({"f": lambda a, b: (a + b, b)}, ("f", 1.5, np.ones(2)))
    total, array = decode(seen["result"])
    np.testing.assert_array_equal(total, [2.5, 2.5])
    np.testing.assert_array_equal(array, [1.0, 1.0])
    assert seen["mutated"] == []


def test_a_namedtuple_is_a_tuple():
    Result = namedtuple("Result", "f df_dx")
    (seen,) = ask({"f": lambda: Result(1.0, 2.0)}, ("f",))
    assert decode(seen["result"]) == (1.0, 2.0)


def test_changed_arguments_are_reported():
    def spoil(a, b, c):
        b += 1
        c.append(3)

    (seen,) = ask({"f": spoil}, ("f", np.ones(2), np.ones(2), [1]))
    assert seen["mutated"] == [1, 2]


def test_one_call_cannot_spoil_the_next():
    def spoil(a):
        a[:] = 0
        return a

    first, second = ask({"f": lambda a: a.sum(), "g": spoil}, ("g", np.ones(2)), ("f", np.ones(2)))
    assert decode(first["result"]).sum() == 0
    assert decode(second["result"]) == 2


def test_a_missing_function_is_told_as_missing():
    first, second, third = ask({"g": 3, "h": len}, ("f",), ("g",), ("h", [1]))
    assert first["raised"][0] == second["raised"][0] == "Missing"
    assert decode(third["result"]) == 1


@pytest.mark.parametrize(
    "error", [ValueError("bad"), SystemExit(0), GeneratorExit(), MemoryError()]
)
def test_what_a_call_raises_is_told_and_the_next_call_is_made(error):
    def fails():
        raise error

    first, second = ask({"f": fails, "g": lambda: 1}, ("f",), ("g",))
    assert first["raised"][0] == type(error).__name__
    assert decode(second["result"]) == 1


def test_the_engine_is_off_for_what_is_done_by_hand():
    from backprop_kit import Tensor

    def by_engine(x):
        x = Tensor(x, requires_grad=True)
        (x * x).backward()
        return x.grad

    (off,) = ask({"f": by_engine}, ("f", 3.0), by_hand=True)
    assert off["raised"][0] == "EngineOff"
    (on,) = ask({"f": by_engine}, ("f", 3.0), by_hand=False)
    assert decode(on["result"]) == 6
    assert by_engine(3.0) == 6, "it must be on again afterwards"


def test_printing_in_a_call_goes_nowhere(capsys):
    def noisy():
        import sys

        print('{"observations": []}')
        print("warning", file=sys.stderr)
        return 1

    (seen,) = ask({"f": noisy}, ("f",))
    assert decode(seen["result"]) == 1
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(probe.signal, "setitimer"), reason="no alarm on this system")
def test_an_endless_call_is_stopped_and_uses_up_the_time():
    def endless():
        while True:
            pass

    def stubborn():
        while True:
            with contextlib.suppress(Exception):
                while True:
                    pass

    for function in (endless, stubborn):
        first, second = ask({"f": function, "g": lambda: 1}, ("f",), ("g",), seconds=0.05)
        assert first["raised"][0] == second["raised"][0] == "TimeOut"


class Endless(list):
    """A list whose second reading never ends (but for this test's patience)."""

    readings = 0

    def __iter__(self):
        type(self).readings += 1
        if type(self).readings > 1:
            for _ in range(300_000):
                yield 0
            raise AssertionError("read without a limit, outside of the alarm")


def test_a_result_cannot_go_on_for_ever():
    (seen,) = ask({"f": lambda: Endless([1])}, ("f",))
    assert "result" in seen or seen["raised"][0] in ("TimeOut", "AssertionError")


def test_the_alarm_leaves_no_trace():
    before = probe.signal.getsignal(probe.signal.SIGALRM)
    with probe.alarm(5):
        pass
    assert probe.signal.getsignal(probe.signal.SIGALRM) is before
    assert probe.signal.getitimer(probe.signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_probe_needs_nothing_of_the_autograder():
    """Its text is run in a kernel that has NumPy and the kit, and no answers."""
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(probe))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
    }
    assert "autograder" not in imported
    assert "pickle" not in imported
