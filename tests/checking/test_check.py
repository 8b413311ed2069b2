"""check(...): what a student sees, where it appears, and that it can fail under Validate."""

import re
import subprocess
import sys

import numpy as np
import pytest

from backprop_kit import check
from backprop_kit.checking import exercise
from backprop_kit.checking.causes import Finding
from backprop_kit.checking.check import CheckFailed, report_on


def right(x, y, z):
    return (x + y) * z, z, z, x + y


def signless(x, y, z):
    return (x + y) * z, -z, z, x + y


def stub(x, y, z):
    raise NotImplementedError


def test_check_returns_nothing_and_keeps_off_stderr(capsys):
    for answer in (right, signless, stub, None, lambda: 1 / 0):
        assert check("add_mul", answer) is None
    assert capsys.readouterr().err == ""


def test_a_right_answer_is_one_line(capsys):
    check("add_mul", right)
    assert re.fullmatch(r"✔ add_mul: everything agrees on .*\.\n", capsys.readouterr().out)


def test_a_wrong_answer_says_cause_worst_entry_next_step_and_what_is_right():
    text = str(report_on("add_mul", signless))
    assert "sign turned: df_dx has the right size and the opposite sign" in text
    assert "At x = -2, y = 5, z = -4: yours 4, expected -4." in text
    assert text.count("→ Next:") == 1
    assert "Already right: f, df_dy, df_dz" in text


def test_a_blank_answer_is_not_called_wrong():
    text = str(report_on("add_mul", stub))
    assert "☐ add_mul, not written yet" in text
    assert "✘" not in text


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("ad_mul", right), "There is no exercise 'ad_mul'; the exercises are: add_mul"),
        (("add_mul",), 'call check("add_mul", add_mul)'),
        (("gates", right), 'check("gates", d_reciprocal, d_exp, d_scale, d_shift)'),
        (("add_mul", (1, 2)), "Pass the function itself"),
    ],
)
def test_a_wrong_call_is_explained(call, says):
    assert says in str(report_on(*call))


def test_an_error_is_told_once_and_what_is_wrong_with_another_part_is_not_left_out():
    """The second part's shape is told by the same words as the first's, and is its own fault."""
    shape = "{part} {has} shape (2,) where (3,) is expected."
    error = Finding("raises", "dW", "f raises ValueError.")
    special = "{part} {is} right where the matrix is square, and only there. Elsewhere "
    assert error.told_by(Finding("square-only", "db", special + error.template))
    assert not error.told_by(error)
    assert not Finding("wrong-shape", "dW", shape).told_by(
        Finding("square-only", "db", special + shape)
    )


def test_changed_arguments_are_noticed(monkeypatch):
    total = exercise.Function("total", "A", "sum", lambda A: float(A.sum()))
    draw = lambda rng: [exercise.Case("total", (np.ones((2, 3)),), "worked")]
    spoils = exercise.Exercise("total", "none", 1, [total], draw)
    monkeypatch.setitem(exercise.REGISTRY, "total", spoils)

    def answer(A):
        A += 1
        return float(A.sum()) - A.size

    report = report_on("total", answer)
    assert not report.passed
    assert "changes its argument: after the call A no longer holds" in str(report)
    assert report_on("total", lambda A: float(A.sum())).passed


def test_html_is_escaped_and_says_the_same():
    def hostile(x, y, z):
        raise ValueError("<script>alert(1)</script>")

    page = report_on("add_mul", hostile)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_colour_is_not_the_only_signal():
    for answer, mark in ((right, "✔"), (signless, "✘"), (stub, "☐")):
        assert mark in report_on("add_mul", answer)._repr_html_()


def test_under_validate_a_failing_check_fails(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    check("add_mul", right)
    with pytest.raises(CheckFailed, match="sign turned") as caught:
        check("add_mul", signless)
    assert "sign turned" in caught.value._render_traceback_()[0]
    with pytest.raises(NotImplementedError):
        check("add_mul", stub)


def test_the_same_answer_gets_the_same_words_each_time():
    assert str(report_on("exp_model", signless)) == str(report_on("exp_model", signless))


def test_exercises_are_in_the_courses_order_whichever_is_asked_for_first():
    code = (
        "import backprop_kit.exercises.bce\n"
        "from backprop_kit.checking.exercise import REGISTRY\n"
        "print(*REGISTRY)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split()[:2] == ["add_mul", "gates"]


def test_no_exercise_is_entered_twice():
    with pytest.raises(ValueError, match="twice"):
        exercise.register("add_mul", "none", 1, [], None)
