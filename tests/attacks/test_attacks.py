"""Every entry of the attack suite, handed in at the real pipeline, comes to its fair mark.

The entries are graded as three classes, each with bystanders; then there is a test for each entry.
Without a sandbox those that are hostile are left out.
"""

from functools import cache

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

CLASSES = 3  # each has bystanders of its own, which are graded twice


@pytest.fixture(scope="module")
def classes(fresh, tmp_path_factory):
    """classes(number): this class, graded; once, however often it is asked for."""

    @cache
    def grade(number):
        entries = runnable(members(number))
        return grade_as_class(entries, fresh, tmp_path_factory.mktemp("class"))

    return grade


@pytest.fixture
def graded(classes, number):
    """The class that a test is about."""
    return classes(number)


def members(number):
    """The entries of a class."""
    return chosen()[number::CLASSES]


def together(number, *more, **options):
    """Parameters for one test of a class, all of whose tests go to the same worker."""
    group = pytest.mark.together(f"class {number}")
    return pytest.param(number, *more, marks=[group, *options.pop("marks", [])], **options)


def case(number, entry):
    """A test of an entry; hostile code is run in a sandbox only."""
    why = hindrance() if entry.hostile else None
    marks = [pytest.mark.skipif(why is not None, reason=str(why))]
    return together(number, entry, id=entry.name, marks=marks)


each_class = pytest.mark.parametrize("number", [together(number) for number in range(CLASSES)])
each_entry = pytest.mark.parametrize(
    ("number", "entry"),
    [case(number, entry) for number in range(CLASSES) for entry in members(number)],
)


def test_there_are_enough_entries_and_each_says_what_is_fair():
    assert len(chosen()) >= 80
    assert set(TWINS.split()) <= {entry.name for entry in ENTRIES}
    for entry in ENTRIES:
        assert entry.why.endswith("."), entry.name
        assert entry.never.endswith("."), entry.name


@each_entry
def test_the_mark_is_fair(graded, entry):
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


@each_entry
def test_nothing_got_out(graded, entry):
    assert graded.escapes(entry) == []


@each_class
def test_the_class_was_finished(graded):
    assert graded.status == 0, graded.said
    assert "Traceback" not in graded.said


@each_class
def test_nothing_outside_has_changed(graded):
    assert graded.changes() == []


@each_class
def test_nobody_was_heard(graded):
    assert graded.heard == []


@each_class
def test_nothing_is_left_running(graded):
    assert running(graded.world.token) == []
    assert running(graded.canaries["secret"]) == []


@each_class
def test_bystanders_are_unharmed(graded):
    for student, (_, points) in bystanders(solved_notebook(graded.lesson)).items():
        assert graded.marks[student]["score"] == points
    for key, row in graded.rows_before.items():
        assert graded.rows_after[key] == row
    students = {student for student, _ in graded.rows_after}
    assert students == set(graded.marks), "nobody has been added, nobody is gone"
