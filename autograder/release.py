"""From a lesson's Markdown source to the notebook that students get.

Jupytext makes the `.ipynb`, nbgrader's own `generate_assignment` takes the solutions and the
hidden tests out and enters the lesson in the gradebook.
"""

from contextlib import contextmanager

import nbformat
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from autograder.course import CourseError
from autograder.interpreter import tools_on_path


def api(course):
    """nbgrader's API for this course, with the configuration of its folder."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.path)).load_config()
    config.CourseDirectory.root = str(course.path)
    return NbGraderAPI(config=config)


@contextmanager
def gradebook(course):
    """The course's gradebook, made if there is none."""
    with tools_on_path(), api(course).gradebook as opened:
        yield opened


def run(step, *args, **kwargs):
    """Call a step of nbgrader's API; a CourseError with its log if it failed."""
    with tools_on_path():
        outcome = step(*args, **kwargs)
    if not outcome["success"]:
        raise CourseError(f"nbgrader could not do this:\n{outcome.get('log') or outcome['error']}")
    return outcome


def write_source_notebook(lesson):
    """Make the `.ipynb` that nbgrader reads, from the Markdown source."""
    nbformat.write(lesson.read(), lesson.source_notebook)


def release(lesson):
    """Make the release of one lesson; returns its path."""
    write_source_notebook(lesson)
    run(api(lesson.course).generate_assignment, lesson.id, force=True, create=True)
    return lesson.release


def require_release(lesson):
    """Make sure the lesson is released and in the gradebook; a CourseError if it is not released.

    Releases are kept with the course and the gradebook is not, so in a fresh checkout the lesson
    is entered here.
    """
    if not lesson.release.is_file():
        raise CourseError(
            f"{lesson.id} has no release ({lesson.release} does not exist). "
            f"Make it with `autograder release {lesson.id}`."
        )
    with gradebook(lesson.course) as opened:
        known = any(assignment.name == lesson.id for assignment in opened.assignments)
    if not known:
        release(lesson)
