"""Grade a class: one submission after the other, one bad notebook stopping nobody."""

import nbformat
from sqlalchemy.exc import OperationalError

from autograder.course import CourseError, api, require_release
from autograder.judging import hidden
from autograder.running import sandbox as sandboxes

from .entering import enter
from .one import grade_one


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


def configuration(course, sandbox=None):
    """nbgrader's configuration of this course; `sandbox` stands above what it says of that.

    A `SandboxError` if there must be a sandbox and cannot be one, before anybody is graded.
    """
    config = api(course).config
    if sandbox:
        config.JudgedExecute.sandbox = sandbox
    sandboxes.announce(config.JudgedExecute.get("sandbox", "auto"))
    return config


def grade(lesson, student, sandbox=None):
    """Grade one submission and enter its marks; returns its `Mark`. sandbox: as `configuration`."""
    released = nbformat.read(lesson.release, as_version=4)
    config = configuration(lesson.course, sandbox)
    graded = grade_one(
        lesson.submission(student).parent, released, lesson.notebook, student, config
    )
    try:
        return enter(lesson, student, graded)
    except OperationalError as error:
        raise CourseError(
            f"the gradebook cannot be written: {error.orig}. What was finished is kept; run this "
            "again when nothing else uses the gradebook."
        ) from None


def grade_class(lesson, students=(), progress=lambda iterable: iterable, sandbox=None):
    """Grade every submission of a lesson; returns the list of `Mark`s, and keeps each on disk as
    soon as it is there."""
    require_release(lesson)
    hidden.load()  # what is wrong with the course is no student's fault, and stops the run
    students = students_of(lesson, students)
    return [grade(lesson, student, sandbox) for student in progress(students)]
