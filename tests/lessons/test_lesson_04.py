"""Lesson 04: its numbers as the executed notebook prints them, its formulas, its messages."""

import itertools
import re

import numpy as np
import pytest
from helpers import names_in, prose_of, said

from autograder.course import Course
from autograder.judging import Plan, judge
from backprop_kit import EngineOff, Tensor, engine_off
from backprop_kit.checking.check import report_on
from backprop_kit.checking.exercise import find
from backprop_kit.engine.tensor import unbroadcast as engines_unbroadcast
from backprop_kit.exercises import bias

# Lines of the reference solutions that the lesson's text gives away on purpose: none.
GIVEN = set()

EXERCISES = {
    "bias_backward": ["bias_backward"],
    "pick_order": ["pick_order"],
    "affine_backward": ["affine_backward"],
    "affine_batch": ["affine_batch"],
    "unbroadcast": ["unbroadcast"],
    "augmented": ["augmented", "split_gradient"],
}


@pytest.fixture(scope="module")
def lesson():
    return Course().lessons([bias.LESSON])[0]


@pytest.fixture(scope="module")
def answers(lesson):
    """The reference solutions, as functions by name."""
    return names_in(lesson)


@pytest.fixture(scope="module")
def printed(run_solved, run_blank):
    """What the cells of the lesson print: with the reference answers, and without."""
    return {"solved": said(run_solved(bias.LESSON)), "blank": said(run_blank(bias.LESSON))}


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


# ---------------------------------------------------------------- what the notebook shows


@pytest.mark.parametrize("state", ["solved", "blank"])
def test_the_worked_numbers_are_printed(printed, state):
    text = printed[state]

    def after(words):
        (line,) = [line for line in text.splitlines() if line.startswith(words)]
        return numbers(line.removeprefix(words))

    assert after("y =") == [-0.5, 3]
    assert after("b1 up by 0.1:") == [0.1, 0]
    assert after("b2 up by 0.1:") == [0, 0.1]
    assert after("dL/dW =") == [6, 3, -3, -4, -2, 2]
    assert after("dL/dx =") == [2, -7, 8]
    assert after("dL/db =") == [3, -2]
    assert after("all four in one batch:") == [2.5, 3.5]
    assert after("to the column:") == [2, 3, 6]
    assert after("to the row:") == [4, 5, 0, 2]
    assert after("to the number:") == [11]


def test_the_network_is_found_again_with_the_students_functions(printed):
    for name, times in [("dW1", 1), ("db1", 1), ("dW2", 2), ("db2", 2)]:
        assert printed["solved"].count(f"{name}: ✔ as saved") == times
    assert "to W: signal.T @ factor.T" in printed["solved"]
    assert printed["solved"].count("as the engine has it? True") == 2
    assert "first" not in printed["solved"]


def test_before_they_are_written_the_cells_say_what_to_do_first(printed):
    assert "✔" not in printed["blank"]
    for exercise in (2, 4, 5, 6):
        assert f"rite exercise {exercise} first" in printed["blank"]


def test_the_formulas_of_the_syllabus_stand_in_the_text(lesson):
    prose = prose_of(lesson.read())
    for formula in (
        r"\frac{\partial L}{\partial b_k} = \sum_i \frac{\partial L}{\partial y_i}\,\delta_{ik}",
        "different order of multiplication",
        "Broadcasting forward is summing backward",
        "how the output changes with it) × (signal from the output)",
    ):
        assert formula in prose


# ---------------------------------------------------------------- what is expected


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_passes_check_and_judge(id, answers):
    functions = [answers[name] for name in EXERCISES[id]]
    assert report_on(id, *functions).passed
    for seed in range(5):
        verdict = judge(id, *functions, seed=seed)
        assert verdict.score == verdict.max, verdict.message


def test_the_value_of_b_enters_no_gradient():
    rng = np.random.default_rng(0)
    signal, W, X = bias.batch_of(rng, 5, 2, 3)
    for b in (np.zeros(2), 100 * rng.normal(size=2)):
        leaves = [Tensor(a, requires_grad=True) for a in (W, X, b)]
        (leaves[1] @ leaves[0].transpose() + leaves[2]).backward(signal)
        for leaf, expected in zip(
            leaves, bias.affine_batch.expected((signal, W, X)).values(), strict=True
        ):
            assert np.allclose(leaf.grad, expected)


def products_that_fit(signal, factor, target):
    """By NumPy itself, on arrays."""
    s, f = np.zeros(signal), np.zeros(factor)
    found = []
    for name in bias.PRODUCTS:
        try:
            made = eval(name, {"signal": s, "factor": f}).shape
        except ValueError:
            continue
        if made == target and ("*" not in name or signal == factor):
            found.append(name)
    return found


def test_every_case_of_pick_order_has_exactly_one_answer():
    asked = set()
    for seed in range(20):
        cases = Plan("pick_order", seed).cases + find("pick_order").draw(
            np.random.default_rng(seed)
        )
        for case in cases:
            (name,) = products_that_fit(*case.args)
            assert name == bias.the_order(*case.args)
            asked.add(name)
    assert asked == set(bias.PRODUCTS)


def counted_back(grad, shape):
    """Give every entry of the small array a number, stretch the numbers, add up by number."""
    size = int(np.prod(shape))
    places = np.broadcast_to(np.arange(size).reshape(shape), grad.shape)
    sums = np.zeros(size)
    np.add.at(sums, places.ravel(), grad.ravel())
    return sums.reshape(shape)


def stretchable():
    """Every pair of shapes of up to three axes of length 0 to 3 of which one stretches to other."""
    shapes = [s for n in range(4) for s in itertools.product((0, 1, 2, 3), repeat=n)]
    for big, small in itertools.product(shapes, shapes):
        try:
            if np.broadcast_shapes(big, small) == big:
                yield big, small
        except ValueError:
            continue


def test_unbroadcast_is_right_for_every_shape_that_numpy_can_stretch(answers):
    rng = np.random.default_rng(1)
    pairs = list(stretchable())
    assert len(pairs) > 500
    for big, small in pairs:
        grad = rng.normal(size=big)
        expected = bias.summed_back(grad, small)
        for found in (counted_back(grad, small), answers["unbroadcast"](grad, small)):
            assert np.shape(found) == np.shape(expected) == small
            assert np.allclose(found, expected)


def test_the_cases_of_unbroadcast_cover_each_part_and_the_odd_shapes():
    cases = Plan("unbroadcast", 3).cases
    parts = [bias.what_is_summed(*case.args) for case in cases]
    assert all(parts.count(part) >= 5 for part in bias.STRETCHED)
    shapes = [case.args[1] for case in cases]
    assert {(), (1,), (1, 1)} <= set(shapes)
    assert any(case.args[0].shape == () for case in cases)
    assert any(grad.shape == shape for grad, shape in (case.args for case in cases))


def test_the_engines_own_unbroadcast_is_off_by_hand():
    with engine_off(), pytest.raises(EngineOff):
        engines_unbroadcast(np.ones((2, 3)), (3,))


# ---------------------------------------------------------------- first or last column


def joined_first(W, b, X):
    return np.column_stack([b, W]), np.column_stack([np.ones(len(X)), X])


def joined_last(W, b, X):
    return np.column_stack([W, b]), np.column_stack([X, np.ones(len(X))])


def split_first(G):
    return G[:, 1:], G[:, 0]


def split_last(G):
    return G[:, :-1], G[:, -1]


@pytest.mark.parametrize("place", ["first", "last"])
def test_what_is_expected_of_augmented_adds_b_to_every_row(place):
    rng = np.random.default_rng(2)
    W, b, X = bias.augmented_case(rng, 5, 2, 3).args
    Wb, X1 = bias.laid_out(W, b, X, place)
    assert np.allclose(X1 @ Wb.T, X @ W.T + b)


@pytest.mark.parametrize(
    ("augmented", "split", "score"),
    [
        (joined_first, split_first, 2),
        (joined_last, split_last, 2),
        (joined_first, split_last, 1),
        (joined_last, split_first, 1),
    ],
)
def test_b_may_be_first_or_last_if_both_functions_agree(augmented, split, score):
    for seed in range(3):
        assert judge("augmented", augmented, split, seed=seed).score == score


@pytest.mark.parametrize("split", [split_first, split_last])
@pytest.mark.parametrize("returned", [None, (), (1.0, 2.0), "b", (None, None)])
def test_split_gradient_is_judged_alone_where_augmented_does_not_tell(split, returned):
    verdict = judge("augmented", lambda W, b, X: returned, split)
    right = {aspect.name for aspect in verdict.aspects if aspect.ok}
    assert {"dL_dW", "dL_db"} <= right
    assert not {"Wb", "X1"} & right


@pytest.mark.parametrize("returned", [None, (), (1.0, 2.0), "G", [1, 2], (None, None), 3.0])
def test_garbage_from_split_gradient_is_an_answer_like_any_other(returned):
    verdict = judge("augmented", joined_last, lambda G: returned)
    assert verdict.score == 1.0


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize(
    ("id", "answer", "words"),
    [
        ("bias_backward", lambda g: np.ones_like(g), "upstream signal not used"),
        ("affine_batch", lambda g, W, X: (g.T @ X, g @ W, g), "one row for each example"),
        (
            "affine_batch",
            lambda g, W, X: (g.T @ X, g @ W, g.mean(axis=0)),
            "by a factor of the number of examples",
        ),
        (
            "affine_batch",
            lambda g, W, X: (g.T @ X, g @ W, g.sum(axis=0, keepdims=True)),
            "the sum keeps an axis of length 1",
        ),
        (
            "unbroadcast",
            lambda g, shape: g.sum(axis=tuple(range(g.ndim - len(shape)))),
            "Already right: sum over new axes",
        ),
        (
            "pick_order",
            lambda s, f, t: products_that_fit(s, f, t)[0].replace(".T", ""),
            "the transposes are forgotten",
        ),
    ],
)
def test_an_important_slip_is_named(id, answer, words):
    assert words in str(report_on(id, answer))


def test_the_shapes_are_shown_where_an_order_is_wrong():
    shown = str(report_on("pick_order", lambda s, f, t: "factor @ signal"))
    assert "dL_dy_shape = (1, 2), factor_shape = (3, 1), target_shape = (2, 3)" in shown


def test_split_at_the_wrong_end_is_told_from_where_augmented_put_b():
    shown = str(report_on("augmented", joined_first, split_last))
    assert "taken from the last column, and augmented has b in the first" in shown
    shown = str(report_on("augmented", joined_last, split_first))
    assert "taken from the first column, and augmented has b in the last" in shown


def test_an_empty_array_costs_its_own_part_alone():
    def from_the_first(grad, shape):
        while grad.ndim > len(shape):
            total = grad[0].copy()
            for row in grad[1:]:
                total = total + row
            grad = total
        ones = tuple(axis for axis, length in enumerate(shape) if length == 1)
        return grad.sum(axis=ones, keepdims=True)

    verdict = judge("unbroadcast", from_the_first)
    assert [aspect.name for aspect in verdict.aspects if not aspect.ok] == [bias.EMPTY]
    assert "where an axis has length 0" in verdict.message
