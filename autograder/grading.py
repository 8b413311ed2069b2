"""Grade a class: every submission through nbgrader's autograde, one bad notebook stopping nobody.

Marks are kept in nbgrader's gradebook and, with causes and messages, in `marks.json` beside it.
"""

import json
import shutil
from dataclasses import dataclass, field

import nbformat
from nbgrader.api import MissingEntry

from autograder import exercises
from autograder.course import CourseError
from autograder.judge import MIME
from autograder.release import api, gradebook, require_release, run


@dataclass
class Mark:
    """What one student got for one lesson.

    flags: what a person should look at. repairs: what was mended before grading.
    exercises: {id: {"score", "max", "cause", "message"}}.
    """

    student: str
    score: float
    max: float
    flags: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    exercises: dict[str, dict] = field(default_factory=dict)

    def as_dict(self):
        return {
            "score": self.score,
            "max": self.max,
            "flags": self.flags,
            "repairs": self.repairs,
            "exercises": self.exercises,
        }


def students_of(lesson, wanted=()):
    """The students to grade; a CourseError for one who has handed in nothing."""
    known = lesson.students()
    unknown = [student for student in wanted if student not in known]
    if unknown:
        where = lesson.course.path / "submitted"
        raise CourseError(
            f"no submission of {', '.join(unknown)} for {lesson.id} in {where}; "
            f"there are: {', '.join(known) or 'none'}."
        )
    return [student for student in known if not wanted or student in wanted]


def grade(lesson, student):
    """Grade one submission; returns its `Mark`. Never raises for what a student sent."""
    problem = unreadable(lesson.submission(student))
    if not problem:
        try:
            run(api(lesson.course).autograde, lesson.id, student, force=True, create=True)
            return read_mark(lesson, student)
        except Exception as error:  # whatever it is, the rest of the class is graded
            lines = str(error).strip().splitlines() or [type(error).__name__]
            problem = f"grading failed: {lines[-1][:200]}"
    shutil.rmtree(lesson.autograded(student).parent, ignore_errors=True)  # of an earlier file
    record_zero(lesson, student)
    return flagged(lesson, student, problem)


def unreadable(path):
    """None, or why this file cannot be read as a notebook."""
    if not path.is_file():
        others = sorted(p.name for p in path.parent.glob("*"))
        return f"no file {path.name} was handed in (found: {', '.join(others) or 'nothing'})"
    try:
        notebook = nbformat.read(path, as_version=4)
        if not isinstance(notebook.cells, list) or not notebook.cells:
            return "the notebook holds no cells"
    except Exception as error:  # nbformat raises a wide variety for broken files
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return f"the file is not a notebook that can be read: {reason[:200]}"
    return None


def record_zero(lesson, student):
    """Enter 0 for every exercise, to be looked at by a person."""
    with gradebook(lesson.course) as opened:
        opened.update_or_create_student(student)
        submission = opened.update_or_create_submission(lesson.id, student)
        for notebook in submission.notebooks:
            for entry in notebook.grades:
                entry.auto_score = 0
                entry.needs_manual_grade = True
        opened.db.commit()


def flagged(lesson, student, problem):
    zero = {
        id: {
            "score": 0.0,
            "max": float(exercises.find(id).points),
            "cause": None,
            "message": "Not graded: a person will look at this submission.",
        }
        for id in lesson.exercises()
    }
    maximum = sum(entry["max"] for entry in zero.values())
    return Mark(student, 0.0, maximum, flags=[problem], exercises=zero)


def read_mark(lesson, student):
    """The `Mark` of a submission that has been graded: points from the gradebook, words from the
    graded notebook."""
    notebook = nbformat.read(lesson.autograded(student), as_version=4)
    verdicts = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            verdict = output.get("data", {}).get(MIME)
            if verdict and cell.metadata.get("nbgrader", {}).get("grade"):
                verdicts[verdict["exercise"]] = verdict
    with gradebook(lesson.course) as opened:
        try:
            submission = opened.find_submission(lesson.id, student)
        except MissingEntry:
            raise CourseError(f"{student} is not in the gradebook for {lesson.id}") from None
        found = {
            entry.name.removeprefix("test_"): (entry.score, entry.max_score)
            for graded in submission.notebooks
            for entry in graded.grades
        }
        mark = Mark(student, submission.score, submission.max_score)
    mark.repairs = list(notebook.metadata.get("autograder", {}).get("repairs", []))
    for id in lesson.exercises():
        score, maximum = found[id]
        verdict = verdicts.get(id, {})
        mark.exercises[id] = {
            "score": score,
            "max": maximum,
            "cause": verdict.get("cause"),
            "message": verdict.get("message", "Not judged."),
        }
        if not verdict:
            mark.flags.append(f"{id} was not judged")
    return mark


def grade_class(lesson, students=(), progress=lambda iterable: iterable):
    """Grade every submission of a lesson; returns the list of `Mark`s, and keeps them on disk."""
    require_release(lesson)
    marks = [grade(lesson, student) for student in progress(students_of(lesson, students))]
    save(lesson, marks)
    return marks


# ---------------------------------------------------------------- marks.json


def _file(course):
    return course.path / "marks.json"


def load_marks(course):
    """{lesson: {student: mark}} of everything graded so far."""
    path = _file(course)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def save(lesson, marks):
    """Add these marks to those kept on disk."""
    kept = load_marks(lesson.course)
    kept.setdefault(lesson.id, {}).update({mark.student: mark.as_dict() for mark in marks})
    text = json.dumps(kept, indent=1, ensure_ascii=False)
    scratch = _file(lesson.course).with_suffix(".tmp")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(_file(lesson.course))
