"""Where marks are kept: a small file each, read whatever the state of the others."""

import contextlib
import json
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import nbformat
import pytest
from helpers import LESSON, enter, lean, mark_file

from autograder.course import ROOT, CourseError, api
from autograder.grading import (
    INTERRUPTED,
    Graded,
    Mark,
    Writer,
    grade_class,
    grade_one,
    load_marks,
    open_run,
)
from autograder.grading.marks import save
from autograder.rehearsal import answered
from autograder.reporting import export, write_feedback
from autograder.submissions import Submission


def hand_in(lesson, student, text="x"):
    path = lesson.submission(student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def unreadable(student, digest="first"):
    return Graded(Submission(student, digest=digest), problem="it cannot be read")


@contextlib.contextmanager
def watched(folder):
    """The list of what is opened, listed and renamed below a folder; the gradebook is left out."""
    seen, folder, watching = [], str(folder), True

    def watch(event, args):
        if watching and event in ("open", "os.rename", "os.listdir", "os.scandir"):
            name = str(args[0])
            if name.startswith(folder) and "gradebook.db" not in name:
                seen.append((event, name.removeprefix(folder)))

    sys.addaudithook(watch)
    try:
        yield seen
    finally:
        watching = False


def touched(lesson, student):
    """What of the course is touched while one mark is entered."""
    with Writer(open_run(lesson)) as writer, watched(lesson.course.path) as seen:
        writer.enter(student, unreadable(student, "second"))
    return seen


def test_entering_a_mark_touches_its_own_files_and_no_others(small):
    """So what it costs does not grow with the class."""
    enter(small, "ada", unreadable("ada"))
    alone = touched(small, "ada")
    for number in range(20):
        save(small, Mark(f"student{number:02}", 0.0, 18.0))
    assert touched(small, "ada") == alone
    assert alone
    assert all("/autograded/ada" in name for _, name in alone)


def test_a_run_reads_the_course_once(small):
    """Release, configuration and settings are read for the class, not for each student."""

    def read(size):
        for number in range(size):
            hand_in(small, f"student{number:02}")
        with watched(ROOT) as of_the_checkout, watched(small.course.path) as of_the_course:
            grade_class(small)
        return [
            (event, name)
            for event, name in of_the_checkout + of_the_course
            if not name.startswith(("/submitted", "/autograded"))
        ]

    read(1)  # and all modules are imported
    once = read(1)
    assert ("open", f"/release/{LESSON}/scalar_graphs.ipynb") in once
    assert read(6) == once


def test_what_lies_beside_the_mark_does_not_count_as_graded_in_formgrader(small):
    """nbgrader takes a folder for a graded submission: where nothing could be graded is none."""
    hand_in(small, "ada")
    hand_in(small, "ben", small.release.read_text(encoding="utf-8"))
    enter(small, "ada", unreadable("ada"))
    notebook = nbformat.read(small.release, as_version=4)
    enter(small, "ben", Graded(Submission("ben", digest="x"), notebook))
    assert api(small.course).get_autograded_students(LESSON) == {"ben"}
    assert set(load_marks(small.course)[LESSON]) == {"ada", "ben"}


def test_the_marks_of_the_first_edition_are_carried_over_once(small):
    grade = {"score": 1.5, "max": 2.0, "cause": None, "message": "As it was."}
    old = Mark("ada", 1.5, 18.0, exercises={"gates": grade}, by_hand=["told"], digest="d")
    as_it_was = old.as_dict() | {"by_hand": old.by_hand, "digest": old.digest}
    file = small.course.path / "marks.json"
    text = json.dumps({LESSON: {"ada": as_it_was, "ben": as_it_was}, "09_gone": {"ada": as_it_was}})
    enter(small, "ben", unreadable("ben"))  # graded since
    file.write_text(text, encoding="utf-8")
    marks = load_marks(small.course)
    assert marks[LESSON]["ada"] == marks["09_gone"]["ada"] == as_it_was
    assert marks[LESSON]["ben"]["flags"] == ["it cannot be read"]
    assert not file.exists()
    (aside,) = small.course.path.glob("marks.json.*")
    assert aside.read_text(encoding="utf-8") == text, "nothing is lost"
    assert load_marks(small.course) == marks


def test_points_by_hand_outlive_the_carrying_over(small):
    """What a grade knows of the one before it does not depend on where that is kept."""
    enter(small, "ada", unreadable("ada"))
    mark = json.loads(mark_file(small, "ada").read_text(encoding="utf-8"))
    mark_file(small, "ada").unlink()
    old = json.dumps({LESSON: {"ada": mark | {"by_hand": ["a person had given 1 point"]}}})
    (small.course.path / "marks.json").write_text(old, encoding="utf-8")
    again = enter(small, "ada", unreadable("ada"))
    assert "a person had given 1 point" in again.flags


@pytest.mark.parametrize("text", ["", "{", "[]", '{"01_scalar_graphs": 3}'])
def test_an_old_file_that_cannot_be_read_is_named_and_stays(small, text):
    file = small.course.path / "marks.json"
    file.write_text(text, encoding="utf-8")
    hand_in(small, "ada")
    with pytest.raises(CourseError, match=r"marks\.json cannot be read. Move it away"):
        grade_class(small)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"x"', "\ufffd", '{"flags": [}'])
def test_a_damaged_mark_is_as_one_that_was_interrupted_and_stops_nobody(small, text, tmp_path):
    for student in ("ada", "ben"):
        hand_in(small, student)
    grade_class(small)
    mark_file(small, "ada").write_text(text, encoding="utf-8")
    marks = load_marks(small.course)[LESSON]
    assert marks["ada"]["flags"] == [INTERRUPTED]
    assert marks["ben"]["flags"] != [INTERRUPTED]
    assert [page.student for page in write_feedback(small)] == ["ben"]
    table = export(small.course, tmp_path / "marks.csv").read_text(encoding="utf-8")
    assert INTERRUPTED in table
    grade_class(small, ["ada"])
    assert load_marks(small.course)[LESSON]["ada"]["flags"] == marks["ben"]["flags"]


def test_one_submission_can_be_graded_in_another_process(small):
    """All that goes in and all that comes out can be sent."""
    run = open_run(small, "auto")
    solved = lean(answered(small, small.reference()))
    hand_in(small, "ada", nbformat.writes(solved))
    arguments = (
        small.submission("ada").parent,
        run.released,
        small.notebook,
        "ada",
        run.nbgrader.config,
    )
    assert pickle.loads(pickle.dumps(arguments)) == arguments
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        graded = pool.submit(grade_one, *arguments).result()
    with Writer(run) as writer:
        mark = writer.enter("ada", graded)
    assert (mark.score, mark.flags) == (18.0, [])
