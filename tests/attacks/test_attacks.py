"""Every entry of the attack suite, handed in at the real pipeline, comes to its fair mark.

The entries are graded as three classes at a time, each with bystanders; then there is a test for
each entry. Without a sandbox those that are hostile are left out.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.base import ENTRIES
from attacks.suite import (
    TWINS,
    bystanders,
    chosen,
    grade_as_class,
    runnable,
    solved_notebook,
)
from attacks.watch import running
from autograder.running.sandbox import hindrance

CLASSES = 3


@pytest.fixture(scope="module")
def classes(fresh, tmp_path_factory):
    """The graded classes: each n-th entry belongs to the n-th of them."""
    folders = [tmp_path_factory.mktemp("class") for _ in range(CLASSES)]
    with ThreadPoolExecutor(CLASSES) as pool:
        jobs = [
            pool.submit(grade_as_class, runnable(chosen())[n::CLASSES], fresh, folder)
            for n, folder in enumerate(folders)
        ]
        return [job.result() for job in jobs]


@pytest.fixture
def graded(classes, request):
    """The class that this entry belongs to."""
    entry = request.getfixturevalue("entry")
    if entry.hostile and hindrance():
        pytest.skip(f"hostile code is run in a sandbox only; {hindrance()}")
    return next(each for each in classes if entry.name in each.marks)


def test_there_are_enough_entries_and_each_says_what_is_fair():
    assert len(chosen()) >= 80
    assert set(TWINS.split()) <= {entry.name for entry in ENTRIES}
    for entry in ENTRIES:
        assert entry.why.endswith("."), entry.name
        assert entry.never.endswith("."), entry.name


@pytest.mark.parametrize("entry", chosen(), ids=lambda entry: entry.name)
def test_the_mark_is_fair(entry, graded):
    mark = graded.marks[entry.name]
    told = {id: each["message"] for id, each in mark["exercises"].items()}
    scores = {id: each["score"] for id, each in mark["exercises"].items()}
    assert scores == entry.scores(), f"{told}\n{mark['flags']}\n{mark['repairs']}"
    assert bool(mark["flags"]) == (entry.fair is None), "only what cannot be graded is for a person"
    assert {
        test.removeprefix("test_"): score
        for (student, test), (_, _, score) in graded.rows_after.items()
        if student == entry.name
    } == entry.scores()


@pytest.mark.parametrize("entry", chosen(), ids=lambda entry: entry.name)
def test_nothing_got_out(entry, graded):
    assert graded.escapes(entry) == []


def test_the_classes_were_finished(classes):
    for graded in classes:
        assert graded.status == 0, graded.said
        assert "Traceback" not in graded.said


def test_nothing_outside_has_changed(classes):
    for graded in classes:
        assert graded.changes() == []


def test_nobody_was_heard(classes):
    for graded in classes:
        assert graded.heard == []


def test_nothing_is_left_running(classes):
    for graded in classes:
        assert running(graded.world.token) == []
        assert running(graded.canaries["secret"]) == []


def test_bystanders_are_unharmed(classes):
    for graded in classes:
        for student, (_, points) in bystanders(solved_notebook(graded.lesson)).items():
            assert graded.marks[student]["score"] == points
        for key, row in graded.rows_before.items():
            assert graded.rows_after[key] == row
        students = {student for student, _ in graded.rows_after}
        assert students == set(graded.marks), "nobody has been added, nobody is gone"
