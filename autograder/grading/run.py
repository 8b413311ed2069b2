"""Grade a class: one submission after the other, one bad notebook stopping nobody."""

from dataclasses import dataclass
from typing import Any

import nbformat

from autograder.course import CourseError, Lesson, api, gradebook, require_release
from autograder.judging import hidden
from autograder.running import sandbox as sandboxes

from .entering import Writer
from .marks import carry_over
from .one import grade_one


@dataclass(frozen=True)
class Run:
    """What all submissions of a lesson share; read once, and passed down.

    released: the lesson's notebook as students were given it. points: {exercise id: the points that
    there are to get}, in the lesson's order. nbgrader: nbgrader's API of the course.
    """

    lesson: Lesson
    released: nbformat.NotebookNode
    points: dict
    nbgrader: Any

    def gradebook(self):
        """The course's gradebook, as a context manager."""
        return gradebook(self.lesson.course, self.nbgrader)

    def grade(self, student):
        """Grade one submission; returns the `Graded`."""
        lesson = self.lesson
        folder = lesson.submission(student).parent
        return grade_one(folder, self.released, lesson.notebook, student, self.nbgrader.config)


def open_run(lesson, sandbox=None):
    """The `Run` of a lesson. A CourseError for what is wrong with the course, which is no student's
    fault, and a SandboxError if there must be a sandbox and cannot be one.

    sandbox: "require", "auto" or "off"; by default what the course's configuration says.
    """
    require_release(lesson)
    carry_over(lesson.course)
    hidden.load()
    released = nbformat.read(lesson.release, as_version=4)
    points = {id: float(hidden.find(id).points) for id in lesson.exercises_of(released)}
    nbgrader = api(lesson.course)
    if sandbox:
        nbgrader.config.JudgedExecute.sandbox = sandbox
    sandboxes.announce(nbgrader.config.JudgedExecute.get("sandbox", "auto"))
    return Run(lesson, released, points, nbgrader)


def grade_class(lesson, students=(), progress=lambda iterable: iterable, sandbox=None):
    """Grade every submission of a lesson; returns the list of `Mark`s, and keeps each on disk as
    soon as it is there."""
    run = open_run(lesson, sandbox)
    students = students_of(lesson, students)
    with Writer(run) as writer:
        return [writer.enter(student, run.grade(student)) for student in progress(students)]


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
