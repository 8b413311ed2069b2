"""Exercises that take more than a call: drivers, readings, flaws, and results laid end to end."""

import json
import sys
import types

import numpy as np
import pytest

from autograder.judging import probe
from backprop_kit.checking.compare import Trial
from backprop_kit.checking.diagnose import examine
from backprop_kit.checking.exercise import Case, Exact, Flaw, Function, differentiate
from backprop_kit.checking.observe import Observation, observe
from backprop_kit.checking.stacks import flatten, place, stacked

# ---------------------------------------------------------------- a class behind a driver


def drive_doubler(answers, x):
    layer = answers["Doubler"]()
    return layer.forward(x), layer.backward(np.ones_like(x))


def read_doubler(args, result):
    """The layer is held against its own forward pass."""
    y, dx = result
    if np.array_equal(y, args[0]):
        raise Flaw("linear", "{part} {is} the input itself.", "double it")
    scale = y / args[0]
    if np.ndim(dx) == 0:
        dx = Flaw("wrong-shape", "{part} {is} a number.")
    return (y, dx), (2 * args[0], scale)


DOUBLER = Function("Doubler", "x", ("y", "dL_dx"), drive=drive_doubler, reading=read_doubler)


class Doubler:
    def forward(self, x):
        return 2 * x

    def backward(self, grad):
        return 2 * grad


def findings(function, answers, cases):
    """{label: Finding or None} for answers, driven as `check` and the judge drive them."""
    call = function.caller(answers)
    made = [case if isinstance(case, Case) else Case(function.name, case) for case in cases]
    seen = [observe(answers[function.name], case.args, call) for case in made]
    return examine([Trial(function, case, s) for case, s in zip(made, seen, strict=True)])


def causes(found):
    return {label: finding and finding.cause for label, finding in found.items()}


XS = [(np.array([1.0, -2.0]),), (np.array([[3.0], [0.5]]),), (np.array([4.0]),)]


def test_a_right_class_passes_through_its_driver():
    found = causes(findings(DOUBLER, {"Doubler": Doubler}, XS))
    assert found == {"y": None, "dL_dx": None, "arguments left alone": None}


def test_what_is_expected_may_depend_on_what_came_back():
    class Tripler(Doubler):
        def forward(self, x):
            return 3 * x

    found = findings(DOUBLER, {"Doubler": Tripler}, XS)
    assert causes(found)["y"] == "factor"
    assert causes(found)["dL_dx"] == "factor"
    assert "1.5 times" in found["y"].evidence
    assert "0.666667 times" in found["dL_dx"].evidence


def test_a_flaw_raised_concerns_the_whole_and_one_returned_its_part():
    class Same(Doubler):
        def forward(self, x):
            return x

    found = findings(DOUBLER, {"Doubler": Same}, XS)
    assert causes(found)["y"] == causes(found)["dL_dx"] == "linear"
    assert found["y"].advice == "Double it."
    assert found["y"].evidence == "y and dL_dx are the input itself."

    class Number(Doubler):
        def backward(self, grad):
            return 2.0

    found = findings(DOUBLER, {"Doubler": Number}, XS)
    assert causes(found)["y"] is None
    assert causes(found)["dL_dx"] == "wrong-shape"
    assert found["dL_dx"].evidence == "dL_dx is a number."


@pytest.mark.parametrize("result", [3, "text", (1,), [None, None, None], {}, (None, object())])
def test_no_result_can_stop_a_reading(result):
    trial = Trial(DOUBLER, Case("Doubler", XS[0]), Observation(result))
    assert {finding.cause for finding in trial.problems.values()} == {"wrong-type"}


def test_a_stub_within_a_class_is_named():
    class Blank:
        def forward(self, x):
            raise NotImplementedError

    Blank.__name__ = "Doubler"
    (finding, *_) = findings(DOUBLER, {"Doubler": Blank}, XS).values()
    assert finding.cause == "not-implemented"
    assert finding.evidence == "Doubler.forward still raises NotImplementedError."


def test_a_missing_method_is_told_without_a_line_of_ours():
    class Half:
        def forward(self, x):
            return 2 * x

    (finding, *_) = findings(DOUBLER, {"Doubler": Half}, XS).values()
    assert finding.cause == "raises"
    assert "'Half' object has no attribute 'backward'" in finding.evidence


def test_the_probe_finds_a_driver_by_its_address(monkeypatch):
    module = types.ModuleType("drivers_for_a_test")
    module.drive_doubler = drive_doubler
    monkeypatch.setitem(sys.modules, "drivers_for_a_test", module)
    call = {
        "function": "Doubler",
        "driver": "drivers_for_a_test:drive_doubler",
        "args": [probe.encode(np.array([1.5]))],
    }
    request = json.dumps({"calls": [call], "by_hand": True, "seconds": 5})
    (seen,) = json.loads(probe.answer(request, {"Doubler": Doubler}))["observations"]
    y, dx = probe.decode(seen["result"])
    assert (y.tolist(), dx.tolist()) == ([3.0], [2.0])
    assert DOUBLER.driver == f"{__name__}:drive_doubler"


# ---------------------------------------------------------------- a signal from above

PASS_BACK = differentiate(
    "pass_back",
    lambda W, x: W @ x,
    "dL_dy W x",
    ("dL_dW", "dL_dx"),
    wrt="W x",
    pack=lambda f, grads: (grads["W"], grads["x"].T),
    upstream="dL_dy",
    signal=np.transpose,
)


def case(rng, m, n, kind="fresh"):
    args = rng.normal(size=(1, m)), rng.normal(size=(m, n)), rng.normal(size=(n, 1))
    return Case("pass_back", args, kind)


def pass_back_cases(kinds=("fresh", "fresh", "fresh")):
    rng = np.random.default_rng(0)
    sizes = [(2, 3), (4, 2), (3, 5)]
    return [
        case(rng, *((3, 3) if kind == "square" else size), kind)
        for kind, size in zip(kinds, sizes, strict=False)
    ]


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (lambda g, W, x: (g.T @ x.T, g @ W), (None, None)),
        (lambda g, W, x: (np.ones((len(W), 1)) @ x.T, np.ones((1, len(W))) @ W),
         ("upstream-ignored", "upstream-ignored")),
        (lambda g, W, x: (x @ g, g @ W), ("transpose", None)),
        (lambda g, W, x: (-g.T @ x.T, g @ W), ("sign", None)),
    ],
)  # fmt: skip
def test_a_given_signal_is_part_of_the_graph(answer, wanted):
    found = findings(PASS_BACK, {"pass_back": answer}, pass_back_cases())
    assert (causes(found)["dL_dW"], causes(found)["dL_dx"]) == wanted


def test_right_for_square_matrices_only():
    def transposed(g, W, x):
        return g.T @ x.T, g @ W if W.shape[0] == W.shape[1] else (g.T * W).T.sum(axis=0)

    answers = {"pass_back": transposed}
    cases = pass_back_cases(("fresh", "square", "fresh"))
    assert causes(findings(PASS_BACK, answers, cases))["dL_dx"] == "square-only"
    cases = pass_back_cases(("fresh", "fresh", "fresh"))
    assert causes(findings(PASS_BACK, answers, cases))["dL_dx"] != "square-only"

    def raises(g, W, x):
        return g.T @ x.T, (W @ g.T).T if W.shape[0] != W.shape[1] else g @ W

    answers = {"pass_back": raises}
    cases = pass_back_cases(("fresh", "square", "fresh"))
    assert causes(findings(PASS_BACK, answers, cases))["dL_dx"] == "square-only"


# ---------------------------------------------------------------- a batch

AFFINE = differentiate(
    "affine",
    lambda W, X: X @ W.T,
    "dL_dY W X",
    "dL_dW",
    wrt="W",
    upstream="dL_dY",
    batch="X",
)


def affine_cases(*sizes):
    rng = np.random.default_rng(1)
    return [
        Case("affine", (rng.normal(size=(N, 2)), rng.normal(size=(2, 3)), rng.normal(size=(N, 3))),
             "single" if N == 1 else "fresh")
        for N in sizes
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "cause", "says"),
    [
        (lambda g, W, X: g.T @ X, None, ""),
        (lambda g, W, X: g.T @ X / len(X), "mean-vs-sum", "too small by a factor of"),
        (lambda g, W, X: g.T @ X * len(X), "mean-vs-sum", "too large by a factor of"),
        (lambda g, W, X: g[:1].T @ X[:1], "single-only", "right for one example"),
        (lambda g, W, X: np.einsum("ni,nj->nij", g, X), "no-batch-sum", "sum would be right"),
        (lambda g, W, X: g.T @ X / 4, "factor", "exactly a quarter"),
    ],
)
def test_what_the_number_of_examples_does(answer, cause, says):
    found = findings(AFFINE, {"affine": answer}, affine_cases(4, 5, 1, 3))["dL_dW"]
    assert (found and found.cause) == cause
    assert says in (found.evidence if found else "")


def test_with_one_number_of_examples_mean_and_factor_cannot_be_told_apart():
    answer = {"affine": lambda g, W, X: g.T @ X / len(X)}
    assert causes(findings(AFFINE, answer, affine_cases(4, 4, 4)))["dL_dW"] == "factor"


# ---------------------------------------------------------------- stacks

WANTED = [np.arange(6.0).reshape(2, 3), None, np.array([7.0, 8.0])]


def test_a_stack_is_its_arrays_end_to_end():
    yours, wanted = stacked("dW", [WANTED[0] * 2, None, WANTED[2] * 2], WANTED)
    np.testing.assert_array_equal(yours, 2 * wanted)
    np.testing.assert_array_equal(wanted, flatten(WANTED))
    assert wanted.shape == (8,)


@pytest.mark.parametrize(
    ("position", "words"),
    [(0, "layer 1, entry [0, 0]"), (5, "layer 1, entry [1, 2]"), (7, "layer 3, entry [1]")],
)
def test_an_entry_of_a_stack_has_a_place(position, words):
    assert place([(2, 3), None, (2,)], (position,)) == words


@pytest.mark.parametrize(
    ("yours", "cause", "says"),
    [
        ("text", "wrong-type", "should be a list"),
        (np.zeros(8), "wrong-type", "should be a list"),
        (WANTED[:2], "wrong-shape", "2 entries for 3 layers"),
        ([WANTED[0], WANTED[0], WANTED[2]], "wrong-type", "layer 2 is frozen"),
        ([WANTED[0], None, None], "wrong-value", "dW of layer 3 is None"),
        ([WANTED[0].tolist(), None, WANTED[2]], "wrong-type", "a list of 2"),
        ([WANTED[0].astype(int), None, WANTED[2]], "wrong-type", "holds int64"),
        ([WANTED[0].T, None, WANTED[2]], "transpose", "rows and columns exchanged"),
        ([WANTED[0], None, np.stack([WANTED[2] / 2] * 2)], "no-batch-sum", "one row for each"),
        ([WANTED[0], None, WANTED[2].reshape(1, 2)], "wrong-shape", "(1, 2) where (2,)"),
        ([WANTED[0][:, :2], None, WANTED[2]], "wrong-shape", "has shape (2, 2) where (2, 3)"),
    ],
)
def test_a_stack_that_cannot_be_compared_is_explained(yours, cause, says):
    flaw, _ = stacked("dW", yours, WANTED)
    assert isinstance(flaw, Flaw)
    assert flaw.cause == cause
    assert says in flaw.evidence


def test_a_place_is_shown_in_words_of_the_exercise():
    from backprop_kit.checking.check import worst_in_words

    function = Function(
        "f", "x", ("a",), lambda x: (x,), place=lambda label, index, case: f"{label} at {index[0]}"
    )
    found = findings(function, {"f": lambda x: (x + np.eye(3)[1],)}, [(np.ones(3),)])
    assert "a at 1: yours 2, expected 1" in worst_in_words(found["a"], function)


def test_exact_parts_can_stand_beside_a_flaw():
    function = Function(
        "f", "x", ("shape",), reading=lambda args, result: ((Flaw("linear", "no"),), (Exact(1),))
    )
    assert causes(findings(function, {"f": lambda x: 1}, [(2.0,)])) == {"shape": "linear"}
