"""Diagnosis: each kind of slip gets its name, and no name is given without evidence."""

import math

import numpy as np
import pytest

from backprop_kit.checking.diagnose import ARGUMENTS, CAUSES, Trial, agrees, examine
from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Flaw,
    Function,
    Numbers,
    Slip,
    differentiate,
    find,
)
from backprop_kit.checking.observe import observe

VOCABULARY = """
    transpose sign factor upstream-ignored no-batch-sum mean-vs-sum overwrite-not-accumulate
    wrong-mask wrong-weight order-swapped wrong-shape wrong-type none-returned non-finite unstable
    mutates-argument state-leak hard-coded missing-local missing-path dropped-bias clipped
    keeps-too-much linear no-parameter copied-layer square-only single-only imprecise
    not-implemented raises time-out by-engine wrong-value
"""


def test_the_vocabulary_is_the_syllabus():
    assert set(CAUSES) == set(VOCABULARY.split())


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_words_and_a_next_step(cause):
    headline, next_step = CAUSES[cause]
    assert headline
    assert headline[0].islower() or headline.startswith("ReLU")
    assert not headline.endswith(".")
    assert next_step[0].islower()
    assert not next_step.endswith(".")


def diagnose(function, answer, cases, again=None):
    """{label: finding} for an answer on these argument tuples; the first is the worked example."""
    kinds = ["worked"] + ["fresh"] * len(cases)
    made = [Case(function.name, args, kind) for args, kind in zip(cases, kinds, strict=False)]
    trials = [Trial(function, case, observe(answer, case.args)) for case in made]
    repeats = []
    if again:
        repeats = [(trials[0], Trial(function, made[0], observe(answer, made[0].args)))]
    return examine(trials, repeats)


def cause(function, answer, cases, **kwargs):
    """{label: cause or None}."""
    found = diagnose(function, answer, cases, **kwargs)
    found.pop(ARGUMENTS, None)
    return {label: finding and finding.cause for label, finding in found.items()}


THREE = [(2.0, 3.0), (-1.5, 0.7), (0.4, -2.2)]

PRODUCT = differentiate(
    "product", lambda x, y: x * y * y, "x y", ("f", "df_dx", "df_dy"), wrt="x y"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda x, y: (x * y * y, y * y, 2 * x * y), {}),
        (lambda x, y: (x * y * y, -y * y, 2 * x * y), {"df_dx": "sign"}),
        (lambda x, y: (x * y * y, y * y, 6 * x * y), {"df_dy": "factor"}),
        (lambda x, y: (x * y * y, 2 * x * y, y * y),
         {"df_dx": "order-swapped", "df_dy": "order-swapped"}),
        (lambda x, y: (x * y * y, y * y, 2 * x * y + 1e-7), {"df_dy": "imprecise"}),
        (lambda x, y: (x * y * y, y * y, None), {"df_dy": "none-returned"}),
        (lambda x, y: (x * y * y, y * y, "6"), {"df_dy": "wrong-type"}),
        (lambda x, y: (x * y * y, y * y, np.array([[2 * x * y]])), {"df_dy": "wrong-shape"}),
        (lambda x, y: (x * y * y, y * y, math.nan), {"df_dy": "non-finite"}),
        (lambda x, y: (x * y * y, y * y, True), {"df_dy": "wrong-type"}),
        (lambda x, y: (x * y * y, y * y, 12.0), {"df_dy": "hard-coded"}),
        (lambda x, y: (x * y * y, y * y, round(2 * x * y, 1)), {"df_dy": "imprecise"}),
    ],
)  # fmt: skip
def test_causes_by_what_all_cases_have_in_common(answer, expected):
    everything = {"f": None, "df_dx": None, "df_dy": None, **expected}
    crooked = [(2.0, 3.0), (-1.53, 0.719), (0.4123, -2.217)]
    assert cause(PRODUCT, answer, crooked) == everything


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda x, y: [x * y * y, y * y, 2 * x * y], "wrong-type"),
        (lambda x, y: (x * y * y, y * y), "wrong-type"),
        (lambda x, y: None, "none-returned"),
        (lambda x, y: 1 / 0, "raises"),
    ],
)
def test_a_call_that_fails_as_a_whole_says_so_for_every_part(answer, expected):
    assert set(cause(PRODUCT, answer, THREE).values()) == {expected}


def test_where_only_some_calls_fail_these_are_named():
    def product(x, y):
        return 1 / (y and 1) and (x * y * y, y * y, 2 * x * y)

    cases = [Case("product", args) for args in [*THREE, (1.0, 0.0)]]
    for note, told in [
        ("y = 0", "On other inputs it works, and not here: y = 0."),
        ("", "On other inputs it works."),
    ]:
        cases[-1] = Case("product", (1.0, 0.0), "edge", note)
        seen = [Trial(PRODUCT, case, observe(product, case.args)) for case in cases]
        found = examine(seen)["df_dx"]
        assert found.parts == ("f", "df_dx", "df_dy")
        assert found.evidence.startswith("product raises ZeroDivisionError: ")
        assert found.evidence.endswith(f"({told})")


def test_a_call_that_is_right_in_one_part_only_does_not_work():
    def product(x, y):
        if x == 0.4:
            raise ValueError("too small")
        return x * y * y, 0.5, 0.5

    found = diagnose(PRODUCT, product, THREE)
    assert found["f"].evidence.startswith("product raises ValueError: too small")
    assert "works" not in found["f"].evidence


def test_an_error_text_ends_in_one_full_stop():
    def product(x, y):
        raise ValueError("not like this.")

    evidence = diagnose(PRODUCT, product, THREE)["f"].evidence
    assert evidence.startswith("product raises ValueError: not like this in the line ")


@pytest.mark.parametrize(("own", "told"), [(None, "ask the card"), ("count again", "count again")])
def test_the_advice_of_a_function_leaves_that_of_a_flaw_alone(own, told):
    def reading(args, result):
        return Flaw("wrong-value", "it is off.", own), 0.0

    function = Function("product", "x y", "f", reading=reading, advice="ask the card")
    assert diagnose(function, lambda x, y: 1.0, THREE)["f"].next_step == told


def test_not_implemented():
    def stub(x, y):
        raise NotImplementedError

    assert set(cause(PRODUCT, stub, THREE).values()) == {"not-implemented"}


def test_numbers_in_any_of_the_allowed_forms_pass():
    for kind in (float, np.float64, np.float32, np.array, int):
        cases = [(2.0, 3.0), (4.0, 5.0)]
        answer = lambda x, y, kind=kind: (kind(x * y * y), kind(y * y), kind(2 * x * y))
        assert not any(cause(PRODUCT, answer, cases).values()), kind


def test_a_remembered_first_call_is_a_state_leak():
    memory = {}

    def answer(x, y):
        return memory.setdefault("result", (x * y * y, y * y, 2 * x * y))

    function = PRODUCT
    made = [Case("product", args) for args in THREE]  # no worked example among them
    trials = [Trial(function, case, observe(answer, case.args)) for case in made]
    assert {f.cause for f in examine(trials).values()} == {"state-leak"}


def test_a_call_that_differs_the_second_time_is_a_state_leak():
    calls = []

    def answer(x, y):
        calls.append(1)
        return x * y * y, y * y, 2 * x * y + len(calls)

    assert cause(PRODUCT, answer, THREE, again=True)["df_dy"] == "state-leak"


def test_right_only_where_inputs_are_ordinary_is_unstable():
    cases = [Case("product", args) for args in THREE]
    cases.append(Case("product", (1e200, 1e200), "extreme", "very large inputs"))
    function = Function("product", "x y", "f", lambda x, y: 1.0)

    def answer(x, y):
        with np.errstate(all="ignore"):
            return np.float64(x * y) / (x * y)

    trials = [Trial(function, case, observe(answer, case.args)) for case in cases]
    finding = examine(trials)["f"]
    assert finding.cause == "unstable"
    assert "very large inputs" in finding.evidence


def test_edge_cases_do_not_hide_the_mistake():
    """A forgotten term that overflows at an edge is still told by its ordinary numbers."""
    function = Function(
        "shifted", "x b", "f", lambda x, b: math.exp(x + b),
        lambda x, b: [Slip("dropped-bias", "b is left out", {"f": np.exp(x)})],
    )  # fmt: skip
    cases = [Case("shifted", (0.3, 0.9)), Case("shifted", (0.5, -0.7))]
    cases.append(Case("shifted", (800.0, -800.0), "edge", "large x"))
    trials = [Trial(function, c, observe(lambda x, b: np.exp(x), c.args)) for c in cases]
    assert examine(trials)["f"].cause == "dropped-bias"


# ---------------------------------------------------------------- slips found from the graph

CHAIN = differentiate("chain", lambda w, x: ((w * x).exp() - x) ** 2, "w x",
                      ("f", "dw", "dx"), wrt="w x")  # fmt: skip
INPUTS = [(0.5, 2.0), (0.7, 1.3), (-0.4, 0.9)]


def parts(w, x):
    y = math.exp(w * x)
    return y, 2 * (y - x)


@pytest.mark.parametrize(
    ("dw", "name", "words"),
    [
        (lambda w, x, y, d: d * x, "missing-local", "exponential"),
        (lambda w, x, y, d: y * x, "upstream-ignored", "signal"),
        (lambda w, x, y, d: x, "upstream-ignored", "signal"),
        (lambda w, x, y, d: d * y, "missing-local", "product"),
        (lambda w, x, y, d: d * y * w, "wrong-value", "own value"),
        (lambda w, x, y, d: 0.0, "wrong-value", "0 every time"),
    ],
)
def test_one_wrong_step_on_a_chain_is_named(dw, name, words):
    def answer(w, x):
        y, d = parts(w, x)
        return (y - x) ** 2, dw(w, x, y, d), d * y * w - d

    finding = diagnose(CHAIN, answer, INPUTS)["dw"]
    assert finding.cause == name
    assert words in finding.evidence


@pytest.mark.parametrize(
    ("dx", "name"),
    [
        (lambda w, x, y, d: d * y * w, "overwrite-not-accumulate"),
        (lambda w, x, y, d: -d, "overwrite-not-accumulate"),
        (lambda w, x, y, d: d * y * w + d, "sign"),
        (lambda w, x, y, d: d * w - d, "missing-local"),
    ],
)
def test_paths_that_meet(dx, name):
    def answer(w, x):
        y, d = parts(w, x)
        return (y - x) ** 2, d * y * x, dx(w, x, y, d)

    finding = diagnose(CHAIN, answer, INPUTS)["dx"]
    assert name in (finding.cause, *finding.also)


def test_one_slip_for_all_the_parts_it_spoils():
    def answer(w, x):
        y, d = parts(w, x)
        return (y - x) ** 2, d * x, d * w - d  # the exponential's derivative is missing in both

    found = diagnose(CHAIN, answer, INPUTS)
    assert found["dw"].cause == found["dx"].cause == "missing-local"
    assert "exponential" in found["dx"].evidence


def test_numbers_that_fit_two_causes_name_both():
    def answer(x, y, z):
        return (x + y) * z, 1.0, 1.0, x + y

    function = find("add_mul").functions["add_mul"]
    finding = diagnose(function, answer, [(-2.0, 5.0, -4.0), (1.3, 0.4, 2.2)])["df_dx"]
    assert finding.cause == "upstream-ignored"
    assert "missing-local" in finding.also
    assert "would also come from" in finding.message


def test_a_slip_that_fits_only_some_cases_is_not_named():
    """On the worked example y = 1 a missing factor y is right; elsewhere these numbers are odd."""

    def answer(w, x):
        y, d = parts(w, x)
        return (y - x) ** 2, d * x if w > 0 else 17.0, d * y * w - d

    assert diagnose(CHAIN, answer, INPUTS)["dw"].cause == "wrong-value"


# ---------------------------------------------------------------- other kinds of results


def test_lists_of_numbers():
    function = Function("count", "n", "losses", lambda n: Numbers(np.arange(n + 1.0)))
    cases = [(3,), (5,), (4,)]
    for good in (lambda n: list(range(n + 1)), lambda n: np.arange(n + 1.0)):
        assert cause(function, good, cases) == {"losses": None}
    assert cause(function, lambda n: list(range(n)), cases) == {"losses": "wrong-shape"}
    assert cause(function, lambda n: "0123", cases) == {"losses": "wrong-type"}
    assert cause(function, lambda n: [-k for k in range(n + 1)], cases) == {"losses": "sign"}


def test_exact_results_are_not_shown_where_they_are_secret():
    function = Function("claims", "", "claims", lambda: Exact({3, 4}, secret=True))
    finding = diagnose(function, lambda: {1}, [()])["claims"]
    assert finding.cause == "wrong-value"
    assert finding.worst is None
    assert "3" not in finding.message
    assert cause(function, lambda: {3, 4}, [()]) == {"claims": None}
    assert cause(function, lambda: [3, 4], [()]) == {"claims": "wrong-type"}
    assert cause(function, lambda: {"3", "4"}, [()]) == {"claims": "wrong-type"}


MATRIX = Function("matrix", "A", "dA", lambda A: 2.0 * A)


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=shape),) for shape in shapes]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (lambda A: (2 * A).T, "transpose"),
        (lambda A: A, "factor"),
        (lambda A: (2 * A).astype(np.float32), "wrong-type"),
        (lambda A: (2 * A).tolist(), "wrong-type"),
        (lambda A: 2 * A[:1], "wrong-shape"),
    ],
)
def test_arrays(answer, expected):
    assert cause(MATRIX, answer, arrays((2, 3), (4, 3), (3, 3))) == {"dA": expected}


def test_a_transposed_square_matrix_is_seen_by_its_entries():
    assert cause(MATRIX, lambda A: (2 * A).T, arrays((3, 3), (4, 4))) == {"dA": "transpose"}


def test_small_gradients_are_judged_as_strictly_as_large_ones():
    """A missing factor of 2 must not hide in an absolute tolerance."""
    tiny = [(1e-9 * A,) for (A,) in arrays((2, 3), (3, 2))]
    assert cause(MATRIX, lambda A: A, tiny) == {"dA": "factor"}
    assert not agrees(np.array([1e-12]), np.array([2e-12]))


def test_changed_arguments_lose_a_part_of_their_own():
    def answer(A):
        A *= 2
        return A

    found = diagnose(MATRIX, answer, arrays((2, 3), (4, 3)))
    assert found["dA"] is None
    assert found[ARGUMENTS].cause == "mutates-argument"
    assert diagnose(MATRIX, lambda A: 2 * A, arrays((2, 3), (4, 3)))[ARGUMENTS] is None


def test_leaving_arguments_alone_earns_nothing_by_itself():
    found = diagnose(MATRIX, lambda A: 0 * A, arrays((2, 3), (4, 3)))
    assert found[ARGUMENTS] is not None


@pytest.mark.parametrize(
    ("value", "cause", "says"),
    [
        ([[1.0], 2.0], "wrong-type", "return the number itself"),
        (np.array([[1.0]]), "wrong-shape", "return the number itself"),
        (np.array([[1.0, 4.0]]), "wrong-shape", "which sum is missing"),
    ],
)
def test_what_stands_where_a_number_is_wanted(value, cause, says):
    function = Function("f", "x y", "f", lambda x, y: x * y)
    found = diagnose(function, lambda x, y: value, THREE)["f"]
    assert found.cause == cause
    assert says in found.next_step
