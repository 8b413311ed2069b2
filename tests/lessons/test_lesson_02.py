"""Lesson 02: the syllabus' numbers as the notebook prints them, what students read, and the parts
that no other lesson has: a function that is given a function, and memory that is watched."""

import re

import numpy as np
import pytest
from helpers import checked, names_in, prose_of

from autograder.course import Course
from autograder.judging import Plan, judge
from backprop_kit.exercises import vectorized

LESSON = "02_vectorized"
SOURCE = Course().lessons([LESSON])[0]


@pytest.fixture(scope="module")
def reference():
    return names_in(SOURCE)


# ---------------------------------------------------------------- the numbers


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def test_the_worked_example_has_the_numbers_of_the_syllabus(told_blank):
    told = squeezed(told_blank)
    assert "a = [0.74 8.16]" in told
    assert "df/da (2, 1) [[ 1.48] [16.32]]" in told
    assert "df/dW (2, 3) [[ 1.48 2.96 4.44] [16.32 32.64 48.96]]" in told
    assert "df/dx (3, 1)" in told


def test_the_row_form_has_the_same_numbers_on_their_side(told_blank):
    told = squeezed(told_blank)
    assert "df/da (1, 2) [[ 1.48 16.32]]" in told
    assert "df/dW (3, 2) [[ 1.48 16.32] [ 2.96 32.64] [ 4.44 48.96]]" in told
    assert "df/dx (1, 3)" in told


def test_the_two_layouts_stand_side_by_side(told_blank):
    rows = re.findall(r"(?m)^([axW]) +\| (\(.*?\)) *\| (\(.*?\)) *\| (\(.*?\))", told_blank)
    assert rows == [
        ("a", "(2, 1)", "(1, 2)", "(2, 1)"),
        ("x", "(3, 1)", "(1, 3)", "(3, 1)"),
        ("W", "(2, 3)", "(2, 3)", "(2, 3)"),
    ]


def test_the_paper_row_times_a_step_is_the_change(told_blank):
    predicted = float(re.search(r"row times step.*?: +(\S+)", told_blank)[1])
    happened = float(re.search(r"how f really changes: +(\S+)", told_blank)[1])
    assert predicted == pytest.approx(happened, rel=1e-5)


def test_only_random_signals_and_unequal_sizes_see_both_slips(told_blank):
    table = {
        name: re.findall("passes|FAILS", rest)
        for name, rest in re.findall(
            r"(?m)^(right|forgets_the_signal|divides_by_the_wrong_size) +\|(.*)$", told_blank
        )
    }
    assert table == {
        "right": ["passes"] * 4,
        "forgets_the_signal": ["passes", "passes", "FAILS", "FAILS"],
        "divides_by_the_wrong_size": ["passes", "FAILS", "passes", "FAILS"],
    }


def test_the_bridge_is_crossed_before_anything_is_written(told_blank):
    assert "one example on paper, and a batch of one, the same: True" in told_blank
    assert "added up one by one, and all at once: True" in told_blank


def test_the_small_network_is_found_again(told_solved, told_blank):
    assert "the loss: 1.505338" in told_solved
    assert "dW2: ✔ as saved, shape (1, 3)" in told_solved
    assert "dW1: ✔ as saved, shape (3, 2)" in told_solved
    assert "dW2: exercise 6 comes first" in told_blank
    assert "dW1: exercise 5 comes first" in told_blank


def test_the_text_holds_the_formulas_of_the_syllabus():
    prose = prose_of(SOURCE.read())
    for formula in (
        r"\nabla_a f = 2a",
        r"\partial f/\partial W = 2a\,x^\top",
        r"\partial f/\partial x = W^\top 2a",
        r"\nabla_W a",
        r"dW = dy^\top x^\top",
        r"dW = dY^\top X",
    ):
        assert formula in prose


# ---------------------------------------------------------------- what students read


def test_a_1_by_1_array_is_not_a_number():
    told = checked("norm_sq", lambda W, x: ((W @ x).T @ (W @ x), W @ x))
    assert "f should be a single number, and is an array of shape (1, 1)" in told
    assert "Already right: a" in told


def test_an_answer_on_paper_is_called_transposed():
    def norm_sq_grads(W, x):
        a = W @ x
        return 2 * a, 2 * a @ x.T, 2 * a.T @ W

    assert "transposed: df_dx has the right entries" in checked("norm_sq_grads", norm_sq_grads)


def test_what_fails_on_unequal_shapes_is_told_with_its_error():
    def norm_sq_grads(W, x):
        a = W @ x
        return 2 * a, 2 * a @ x.T, W @ (2 * a)

    told = checked("norm_sq_grads", norm_sq_grads)
    assert "right only for square matrices" in told
    assert "df_da and df_dW are right where the matrix is square" in told
    assert "Elsewhere norm_sq_grads raises ValueError" in told
    assert told.count("ValueError") == 1
    assert "print the shape of every factor" in told.lower()


def test_factors_returned_without_the_signal_are_told():
    told = checked("norm_sq_row", lambda x, W: (np.sum((x @ W) ** 2), x.T, W))
    assert "upstream signal not used: df_dW and df_dx" in told
    assert "Already right: f" in told


def test_a_way_without_a_return_is_told():
    def gradient_shape(shape, layout):
        if layout == "code":
            return shape
        if len(shape) == 2 and shape[1] == 1:
            return shape[::-1]

    told = checked("gradient_shape", gradient_shape)
    assert "a number in paper layout, a matrix in paper layout and a matrix with one row" in told
    assert "ends without a `return`" in told


def test_a_single_number_for_the_whole_array_is_traced():
    def together(f, A, h=1e-5):
        return (f(A + h) - f(A - h)) / (2 * h)

    def overwritten(f, A, h=1e-5):
        for place in np.ndindex(A.shape):
            step = np.zeros(A.shape)
            step[place] = h
            slope = (f(A + step) - f(A - step)) / (2 * h)
        return slope

    assert "all entries of A are moved at once" in checked("numerical_gradient", together)
    assert "the right one for A's last entry" in checked("numerical_gradient", overwritten)


def test_the_memory_of_a_function_that_raises_is_no_finding():
    def jacobian_Wx(W, x):
        return np.einsum("ki,j->kij", np.eye(len(W)), x[:, 0])

    told = checked("jacobian", jacobian_Wx, lambda g, x: g * x)
    assert told.count("ValueError") == 1
    assert "memory" not in told


def test_no_message_speaks_of_what_the_check_keeps_to_itself():
    told = checked("numerical_gradient", lambda f, A, h=1e-5: np.zeros(A.shape))
    assert "At h = 0.01, A of shape (2, 3), entry" in told


def test_the_layouts_taken_for_each_other_are_told_once():
    def gradient_shape(shape, layout):
        column = len(shape) == 2 and shape[1] == 1
        return shape[::-1] if column and layout == "code" else shape

    told = checked("gradient_shape", gradient_shape)
    assert told.count("belongs to the other layout") == 1


# ---------------------------------------------------------------- a function that gets a function


def test_an_array_is_laid_out_as_asked():
    A = np.arange(6.0).reshape(2, 3)
    for memory, contiguous, fortran in [
        ("rows", True, False),
        ("columns", False, True),
        ("every other", False, False),
    ]:
        given = vectorized.in_memory(A, memory)
        assert np.array_equal(given, A)
        assert given.flags.writeable
        assert (given.flags.c_contiguous, given.flags.f_contiguous) == (contiguous, fortran)


def test_the_cases_have_every_number_of_dimensions_and_kind_of_scalar():
    cases = [case for case in Plan("numerical_gradient", 3).cases if case.kind != "repeat"]
    assert {case.args[1].ndim for case in cases} == {0, 1, 2, 3}
    assert {case.args[0][2] for case in cases} == {"rows", "columns", "every other"}
    assert {case.args[0][3] for case in cases} == set(vectorized.SCALARS)
    assert None in {case.args[2] for case in cases}, "h is left to its default once"


def test_moving_A_is_allowed_and_leaving_it_moved_is_not(reference):
    assert judge("numerical_gradient", reference["numerical_gradient"]).score == 3

    def numerical_gradient(f, A, h=1e-5):
        gradient = reference["numerical_gradient"](f, A, h)
        A += 1e-16 + np.abs(A) * 1e-15
        return gradient

    verdict = judge("numerical_gradient", numerical_gradient)
    assert (verdict.score, verdict.cause) == (2.5, "mutates-argument")


# ---------------------------------------------------------------- memory that is watched


def test_only_an_answer_that_builds_the_jacobian_needs_room_for_it(reference):
    g, x = np.ones((vectorized.TALL, 1)), np.ones((60, 1))
    whole = 8 * g.size**2 * x.size

    def builds(g, x):
        return np.tensordot(g[:, 0], np.eye(len(g))[:, :, None] * x[:, 0], axes=1)

    def loops(g, x):
        return np.array([[float(a * b) for b in x[:, 0]] for a in g[:, 0]])

    def room(answer):
        _, peak = vectorized.ask_for_contraction({"vjp_Wx": answer}, g, x)
        return peak

    assert room(builds) > 0.9 * whole
    assert room(loops) < whole / 10
    assert room(reference["vjp_Wx"]) < whole / 10


def test_the_watch_is_stopped_when_an_answer_raises():
    import tracemalloc

    def raises(g, x):
        raise ValueError("too long")

    with pytest.raises(ValueError, match="too long"):
        vectorized.ask_for_contraction({"vjp_Wx": raises}, np.ones((2, 1)), np.ones((3, 1)))
    assert not tracemalloc.is_tracing()


# ---------------------------------------------------------------- the cases


@pytest.mark.parametrize("id", ["norm_sq", "norm_sq_grads", "norm_sq_row", "norm_sq_batch"])
def test_dimensions_are_unequal_but_for_the_cases_that_say_otherwise(id):
    for seed in range(5):
        for case in Plan(id, seed).cases:
            if case.kind == "fresh":
                sides = [set(array.shape) - {1} for array in case.args]
                assert len(set.union(*sides)) == (3 if id == "norm_sq_batch" else 2)


@pytest.mark.parametrize("seed", range(10))
def test_the_reference_gets_full_marks(reference, seed):
    for id in SOURCE.exercises():
        plan = Plan(id, seed)
        functions = {name: reference[name] for name in plan.exercise.functions}
        verdict = plan.verdict(plan.observe(functions))
        assert verdict.score == verdict.max, verdict.message
