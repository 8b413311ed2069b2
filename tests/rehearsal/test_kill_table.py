"""The hidden tests are tested: every catalogued answer gets the verdict that its entry demands."""

import nbformat
import numpy as np
import pytest
from helpers import SEED

from autograder.judging import hidden
from autograder.rehearsal import catalogue, kill_table
from autograder.rehearsal.catalogue import ALL, Answer
from autograder.rehearsal.kill_table import blank, complaints_about, outcomes, steadiness
from backprop_kit import Linear, Sequential, Tensor
from backprop_kit.checking.check import report_on

EXERCISES = list(hidden.load())


@pytest.mark.parametrize("id", EXERCISES)
def test_every_answer_is_judged_as_the_catalogue_says(id, references, trials):
    """By cases from one seed, so that a run can be repeated; `make kill-table` draws afresh."""
    complaints = {
        outcome.title: outcome.complaints
        for outcome in outcomes(id, references[id], trials, seed=SEED)
        if outcome.complaints
    }
    assert not complaints


# Wrong answers that a check cannot run: they end Python, never end, or leave no function behind.
UNCHECKED = ("time-out", "not-implemented")


@pytest.mark.filterwarnings("ignore")  # of the answers, which may warn
@pytest.mark.parametrize("id", EXERCISES)
def test_no_wrong_answer_passes_the_check_and_no_right_one_fails_it(id, references):
    """What costs points in the hidden tests is told beforehand by the visible ones."""
    missed = []
    for entry in catalogue.entries(id):
        if entry.cause in UNCHECKED:
            continue
        names = {"np": np, "Linear": Linear, "Sequential": Sequential, "Tensor": Tensor}
        try:
            exec(entry.source(references[id]), names)
            answers = [names[name] for name in hidden.find(id).exercise.functions]
        except (Exception, SystemExit):
            assert entry.cause, entry.title
            continue
        if report_on(id, *answers).passed != (entry.cause is None):
            missed.append(entry.title)
    assert missed == []


@pytest.mark.parametrize("id", EXERCISES)
def test_the_catalogue_is_broad(id):
    entries = catalogue.entries(id)
    assert sum(entry.cause is not None for entry in entries) >= 8
    assert sum(entry.cause is None for entry in entries) >= 3
    assert len({entry.cause for entry in entries}) >= 3, "wrong answers of one kind only"


def test_the_whole_catalogue_is_large():
    assert sum(entry.cause is not None for entry in catalogue.entries()) >= 450


def test_no_answer_is_the_reference_itself(references):
    for entry in catalogue.entries():
        assert entry.source(references[entry.exercise]) != references[entry.exercise], entry.title


def test_the_table_is_for_people():
    text, survivors = kill_table.table(["d_sigmoid"])
    assert survivors == 0
    assert "d_sigmoid (1 points)" in text or "d_sigmoid (1 point)" in text
    lines = text.splitlines()
    assert any("the reference solution" in line and "1/1" in line for line in lines)
    assert any("the blank release" in line and "0/1" in line for line in lines)
    for entry in catalogue.entries("d_sigmoid"):
        assert any(entry.title in line for line in lines)
    assert "none not judged as the catalogue says" in lines[-1]


def test_the_table_shows_a_survivor(monkeypatch):
    survivor = Answer(
        "d_sigmoid",
        "a right answer entered as wrong",
        edits=(("(1.0 - f) * f", "f * (1.0 - f)"),),
        cause="sign",
        loses=ALL,
        says="sign",
    )
    monkeypatch.setattr("autograder.rehearsal.catalogue.entries", lambda id=None: [survivor])
    text, survivors = kill_table.table(["d_sigmoid"])
    assert survivors == 1
    assert "! " in text
    assert "loses [] instead of ['derivative']" in text
    assert "cause None instead of sign" in text


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"cause": None}, "a right answer gets 1.5 of 2"),
        ({"cause": "factor", "loses": ("df_dz",), "says": "df_dz"}, "cause sign instead of factor"),
        ({"cause": "sign", "loses": ("df_dx",), "says": "df_dz"}, "loses ['df_dz'] instead of"),
        ({"cause": "sign", "loses": ("df_dq",), "says": "df_dz"}, "not ['df_dq']"),
        ({"cause": "sign", "loses": ("df_dz",), "says": "transposed"}, "does not say 'transposed'"),
    ],
)
def test_each_demand_of_an_entry_can_fail(entry, complaint, reference, trials):
    answer = reference["add_mul"].replace("df_dz = q", "df_dz = -q")
    verdict = trials.judge("add_mul", answer, seed=1)
    fair = Answer("add_mul", "", cause="sign", loses=("df_dz",), says="df_dz")
    assert complaints_about(fair, verdict) == []
    found = complaints_about(Answer("add_mul", "", **entry), verdict)
    assert any(complaint in each for each in found), found


def test_an_edit_must_fit_exactly_once(reference):
    twice = Answer("add_mul", "", edits=(("df_dq", "df"),), cause="sign")
    with pytest.raises(ValueError, match="must fit exactly once"):
        twice.source(reference["add_mul"])


def test_the_blank_of_the_table_is_the_released_stub(references, blank_cells):
    assert list(blank_cells) == list(references)
    for id, source in references.items():
        assert blank(source).split() == blank_cells[id].split()


@pytest.fixture
def blank_cells(fresh):
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for lesson in fresh.graded_lessons()
        for cell in nbformat.read(lesson.release, as_version=4).cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


def test_right_answers_are_judged_with_many_seeds(monkeypatch):
    text, failures = steadiness(["d_sigmoid"], range(3))
    assert failures == 0
    assert "right answers, 3 seeds each" in text

    near = Answer("d_sigmoid", "rounded", edits=(("(1.0 - f) * f", "round((1.0 - f) * f, 3)"),))
    monkeypatch.setattr("autograder.rehearsal.catalogue.entries", lambda id=None: [near])
    text, failures = steadiness(["d_sigmoid"], range(3))
    assert failures == 3
    assert "! rounded, seed 2: Close, but not exact" in text
