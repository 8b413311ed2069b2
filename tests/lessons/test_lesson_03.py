"""Lesson 03: its numbers as the executed notebook prints them, its formulas, its messages."""

import json
import re
from itertools import combinations

import numpy as np
import pytest
from helpers import checked

from autograder.course import Course
from autograder.judging import Plan
from backprop_kit import small_network as net
from backprop_kit.exercises.relu_layers import LESSON, WORKED_CHAIN, WORKED_GATE, WORKED_LAYER

# Lines of the reference solutions that the lesson's text gives away on purpose: none.
GIVEN = set()

EXERCISES = (
    "linear_backward",
    "two_linear",
    "relu",
    "relu_jacobian",
    "relu_layer",
    "two_relu_layers",
    "relu_layer_batch",
)


@pytest.fixture(scope="module")
def lesson():
    return Course().lessons([LESSON])[0]


# ---------------------------------------------------------------- numbers and formulas


def test_the_index_formulas_agree_with_nudging(told_blank):
    pairs = re.findall(r"index formula +(\S+), by nudging +(\S+)", told_blank)
    assert pairs == [("2.00", "2.00"), ("-9.00", "-9.00")]


def test_one_arrangement_of_eight_fits(told_blank):
    marked = re.findall(r"(\S+ × \S+) .*<-- this one", told_blank)
    assert marked == ["signalᵀ × xᵀ", "signal × W"]


def printed(text, name):
    """Every array that is printed under this name, as (shape, entries)."""
    found = re.findall(rf"(?m)^{name} +(\(.*?\))  (\[.*\])$", text)
    return [(shape, np.array(json.loads(entries))) for shape, entries in found]


def test_the_worked_numbers_are_printed(told_blank):
    """The linear chain first, then one layer, then the chain with ReLU."""
    text = told_blank
    W1, _, x, _ = WORKED_CHAIN
    h1 = W1 @ x
    for (shape, yours), wanted in zip(printed(text, "h1"), [h1, np.maximum(h1, 0)], strict=True):
        assert shape == "(4, 1)"
        assert np.array_equal(yours, wanted)
    assert [a.tolist() for _, a in printed(text, "dL_dh1")] == [
        [[7, -9, 4, 5]],
        [[3, -3, 6, 3]],
        [[3, -3, 6, 3]],
    ]
    assert [a.tolist() for _, a in printed(text, "dL_dx")] == [[[8, -10, -4]], [[3, -3, -6]]]
    assert [a.tolist() for _, a in printed(text, "dL_dW2")] == [
        [[6, 3, -6, -3], [-4, -2, 4, 2]],
        [[6, 3, 0, 0], [0, 0, 0, 0]],
    ]
    assert [a.tolist() for _, a in printed(text, "dL_dv1")] == [[[3, -3, 0, 0]]]


def test_the_worked_layer_is_the_second_of_the_chain():
    W1, W2, x, signal = WORKED_CHAIN
    assert np.array_equal(WORKED_LAYER[0], signal)
    assert np.array_equal(WORKED_LAYER[1], W2)
    assert np.array_equal(WORKED_LAYER[2], np.maximum(W1 @ x, 0))


def test_the_nudged_table_is_the_jacobian(told_blank):
    rows = re.findall(r"moves with v\[0\], v\[1\], v\[2\] by \[(.*)\]", told_blank)
    table = np.array([row.split() for row in rows], dtype=float)
    assert np.array_equal(table, np.diagflat(WORKED_GATE[1] > 0))


def test_matrix_and_mask_agree_in_the_solved_notebook(told_solved):
    rows = re.findall(r"(?:row × matrix|with a mask): +(\[\[.*\]\])", told_solved)
    assert rows == ["[[3. 0. 5.]]"] * 2


def test_what_the_matrix_costs(told_blank):
    assert re.search(r"10,000 │ +100,000,000 800,000,000 │ +10,000 +10,000", told_blank)


def test_a_bold_step_kills_the_unit(told_blank):
    bold = told_blank.split("learning rate 0.5")[1].split("\n\n")[0]
    assert re.findall(r"w = +(\S+) .*dw = +(\S+)", bold)[:4] == [
        ("1.50", "8.00"),
        *[("-2.50", "0.00")] * 3,
    ]


def test_the_dead_units_of_the_figure_are_those_of_its_words(lesson):
    (source,) = [c.source for c in lesson.read().cells if "def dead_units" in c.source]
    names = {"np": np}
    from backprop_kit import Tensor

    names["Tensor"] = Tensor
    exec(source.split("\n\n\n")[0], names)
    on, gradient = names["dead_units"]()
    assert np.flatnonzero(~on.any(axis=0)).tolist() == [1, 4]
    assert np.flatnonzero(gradient == 0).tolist() == [1, 4]


def test_a_batch_is_a_sum_and_a_stack(told_blank):
    assert "dL_dW is the sum:   True" in told_blank
    assert "dL_dX is the stack: True" in told_blank


FORMULAS = [
    r"h_1 = W_1x",
    r"h_2 = W_2h_1",
    r"\frac{\partial L}{\partial W_2} = "
    r"\Big(\frac{\partial L}{\partial h_2}\Big)^{\!\top} h_1^\top",
    r"\frac{\partial L}{\partial h_1} = \frac{\partial L}{\partial h_2}\,W_2",
    r"\frac{\partial h_i}{\partial v_j} = \delta_{ij}\,\mathbf 1(v_i > 0)",
    r"\frac{\partial L}{\partial v} = \frac{\partial L}{\partial h_2}\,"
    r"\mathrm{diag}\big(\mathbf 1(v>0)\big)",
    r"= \mathrm{diag}\big(\mathbf 1(v>0)\big)\,"
    r"\Big(\frac{\partial L}{\partial h_2}\Big)^{\!\top} h_1^\top",
    r"= \frac{\partial L}{\partial h_2}\,\mathrm{diag}\big(\mathbf 1(v>0)\big)\,W_2",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_formulas_of_the_syllabus_are_taught(prose, formula):
    assert formula in prose


@pytest.mark.parametrize(
    "words", ["witch for compatibility", "only ever a mask", "Dead units", "by convention"]
)
def test_the_words_of_the_syllabus_are_taught(prose, words):
    assert words in prose


# ---------------------------------------------------------------- the small network


def test_the_students_functions_find_the_saved_gradients(told_solved):
    ticks = re.findall(r"(?m)^(dW\d): ✔ as saved", told_solved)
    assert ticks == ["dW1", "dW2", "dW1"]


def test_a_blank_notebook_says_what_to_write_first(told_blank):
    assert told_blank.count("come first: run this cell again") == 3
    assert "✘" not in told_blank


def test_no_unit_of_the_small_network_is_at_its_kink():
    assert np.abs(net.X @ net.W1.T).min() > 0.1


# ---------------------------------------------------------------- cases


@pytest.mark.parametrize("id", EXERCISES)
def test_ordinary_cases_have_unequal_sizes(id):
    for seed in range(20):
        for case in Plan(id, seed).cases:
            if case.kind not in ("fresh", "repeat") or case.function in ("relu", "relu_jacobian"):
                continue
            lengths = {size for arg in case.args for size in arg.shape if size > 1}
            wanted = {"relu_backward": 1, "linear_backward": 2, "relu_layer_backward": 2}
            assert len(lengths) == wanted.get(case.function, 3), (case.function, case.args)


@pytest.mark.parametrize("id", ["relu", "relu_layer", "two_relu_layers", "relu_layer_batch"])
def test_units_at_zero_stand_there_in_every_order_of_summing(id):
    """Otherwise rounding would decide between right answers."""
    for seed in range(20):
        for case in Plan(id, seed).cases:
            if case.note != "units exactly at 0" or case.function in ("relu", "relu_backward"):
                continue
            for array in case.args:
                assert np.array_equal(array, np.round(array))


def test_no_two_ways_of_masking_agree_on_a_whole_run():
    """Each wrong mask is told from each other by the cases of a single run."""
    masks = {
        "v > 0": lambda g, v: v > 0,
        "v ≥ 0": lambda g, v: v >= 0,
        "signal": lambda g, v: g.T > 0,
        "off": lambda g, v: v < 0,
        "both": lambda g, v: (v > 0) & (g.T > 0),
        "all": lambda g, v: np.ones_like(v, dtype=bool),
    }
    for seed in range(20):
        calls = [c.args for c in Plan("relu", seed).cases if c.function == "relu_backward"]
        for one, other in combinations(masks.values(), 2):
            assert any(not np.array_equal(one(*args), other(*args)) for args in calls)


# ---------------------------------------------------------------- what a student reads


def test_the_mask_from_the_output_is_as_good():
    def relu_layer_backward(dL_dh2, W2, h1):
        h2 = np.maximum(W2 @ h1, 0)
        dL_dv = np.where(h2.T > 0, dL_dh2, 0.0)
        return dL_dv.T @ h1.T, dL_dv @ W2

    assert checked("relu_layer", relu_layer_backward).startswith("✔")


def test_the_table_of_a_row_and_a_column_is_told():
    text = checked("relu", lambda v: v * (v > 0), lambda dL_dh, v: dL_dh * (v > 0))
    assert "a row and a column are multiplied, which makes a (k, k) table" in text
    assert "Which of the two is a row and which a column?" in text


def test_the_pre_activation_that_enters_the_second_layer_is_told_once():
    def two_relu_layers(W1, W2, x, dL_dh2):
        v1 = W1 @ x
        v2 = W2 @ v1  # v1 where h1 belongs
        of_v2 = dL_dh2 * (v2 > 0).T
        of_v1 = (of_v2 @ W2) * (v1 > 0).T
        h2 = np.maximum(W2 @ np.maximum(v1, 0), 0)
        return h2, of_v1.T @ x.T, of_v2.T @ v1.T, of_v1 @ W1

    text = checked("two_relu_layers", two_relu_layers)
    assert "dL_dW1, dL_dW2 and dL_dx are exactly what comes out when the second layer" in text
    assert "is given v1 in place of h1" in text
    assert "left out" not in text


def test_a_signal_of_ones_own_is_told():
    def linear_backward(dL_dy, W, x):
        signal = 2 * (W @ x).T  # as in the norm of lesson 2
        return signal.T @ x.T, signal @ W

    assert "the given signal belongs" in checked("linear_backward", linear_backward)


def test_at_zero_the_student_is_sent_to_the_convention():
    text = checked("relu", lambda v: v * (v > 0), lambda dL_dh, v: dL_dh * (v >= 0).T)
    assert "exactly at 0 counts as on" in text
    assert "Look up what the course says about the slope exactly at 0." in text


def test_the_wrong_weight_is_named():
    def two_linear(W1, W2, x, dL_dh2):
        signal = dL_dh2 @ W2
        return signal.T @ x.T, dL_dh2.T @ (W1 @ x).T, signal @ W2.T

    text = checked("two_linear", two_linear)
    assert "wrong weight matrix: dL_dx" in text
    assert "Already right: dL_dW1, dL_dW2." in text


def test_a_raised_error_points_at_shapes():
    def linear_backward(dL_dy, W, x):
        return dL_dy.T @ x.T, W @ dL_dy

    assert "Print the shape of every factor" in checked("linear_backward", linear_backward)


@pytest.mark.parametrize("id", EXERCISES)
def test_no_message_shows_minus_zero_as_expected(id):
    """The engine's zeros may carry a sign; no student should have to wonder."""
    plan = Plan(id, 1)
    for case in plan.cases:
        function = plan.exercise.functions[case.function]
        for value in function.expected(case.args).values():
            assert not np.any(np.signbit(value) & (value == 0))
