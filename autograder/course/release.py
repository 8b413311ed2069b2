"""From a lesson's Markdown source to the notebook that students get.

Jupytext makes the `.ipynb`, nbgrader's own `generate_assignment` takes the solutions and the
hidden tests out and enters the lesson in the gradebook.
"""

import os
import shutil
from pathlib import Path

import nbformat

from .lessons import CourseError, Lesson
from .nbgrader_api import api, gradebook, run


def write_source_notebook(lesson):
    """Make the `.ipynb` that nbgrader reads, from the Markdown source."""
    nbformat.write(lesson.read(), lesson.source_notebook)


SCRATCH = ".release-in-the-making"


def make_release(lesson: Lesson) -> Path:
    """Make the release of one lesson; returns its path.

    It is made beside the old one and put in its place file by file when it is whole: a release that
    fails, or is interrupted, leaves what students were given as it was.
    """
    write_source_notebook(lesson)
    scratch = lesson.course.path / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        generate = api(lesson.course, release=SCRATCH).generate_assignment
        run(generate, lesson.id, force=True, create=True)
        _replace(lesson.release.parent, scratch / lesson.id)
    except CourseError as error:
        if HAS_SUBMISSIONS in str(error):
            raise CourseError(_not_with_submissions(lesson)) from None
        raise CourseError(f"{lesson.id} was not released; what was there stays. {error}") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return lesson.release


def _replace(folder, new):
    """Give a folder the files of a new one."""
    wanted = {path.relative_to(new) for path in new.rglob("*") if path.is_file()}
    for name in sorted(wanted):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(new / name, folder / name)
    for path in list(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder) not in wanted:
            path.unlink()


# What nbgrader says where a graded notebook would get or lose graded cells.
HAS_SUBMISSIONS = "there are submissions associated with it"


def _not_with_submissions(lesson):
    """Which exercises the source has more or fewer than the gradebook, and the ways out."""
    with gradebook(lesson.course) as opened:
        cells = opened.find_notebook(lesson.notebook, lesson.id).grade_cells
        before = [cell.name.removeprefix("test_") for cell in cells]
    now = lesson.exercises()
    told = [f"{id} is new" for id in now if id not in before]
    told += [f"{id} is gone" for id in before if id not in now]
    return (
        f"{lesson.id} was not released, and what students were given stays: somebody has been "
        "graded, and from then on nbgrader lets no graded cell be added, removed or renamed "
        f"({', '.join(told) or 'a cell that is not graded'}). Take that back in "
        f"{lesson.source.name}. Or, if all marks of this lesson may go, with the points and "
        f"comments that a person gave: run `nbgrader db assignment remove {lesson.id} --force` in "
        f"{lesson.course.path}, then `autograder release {lesson.id}`, and grade again."
    )


def require_release(lesson: Lesson) -> None:
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
        make_release(lesson)
