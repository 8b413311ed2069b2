"""From a lesson's Markdown source to the notebook that students get.

Jupytext makes the `.ipynb`, nbgrader's own `generate_assignment` takes the solutions and the
hidden tests out and enters the lesson in the gradebook.
"""

import os
import re
import shutil
from contextlib import contextmanager

import nbformat
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader

from autograder.interpreter import tools_on_path

from .lessons import CourseError


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
    """Call a step of nbgrader's API; a CourseError that says why if it failed."""
    with tools_on_path():
        outcome = step(*args, **kwargs)
    if not outcome["success"]:
        if outcome["error"].rstrip().endswith("KeyboardInterrupt"):  # it has caught that as well
            raise KeyboardInterrupt
        raise CourseError(f"nbgrader could not do this: {_why(outcome)}")
    return outcome


def _why(outcome):
    """What the last traceback in nbgrader's log ends with; if there is none, all that it says."""
    log = outcome.get("log", "").rstrip() or outcome["error"].rstrip()
    ends = [line.strip() for line in log.splitlines() if END_OF_A_TRACEBACK.match(line)]
    return ends[-1] if ends else f"\n{log}"


END_OF_A_TRACEBACK = re.compile(r"\s*[\w.]+(Error|Exception|Entry): ")


def write_source_notebook(lesson):
    """Make the `.ipynb` that nbgrader reads, from the Markdown source."""
    nbformat.write(lesson.read(), lesson.source_notebook)


SCRATCH = ".release-in-the-making"


def release(lesson):
    """Make the release of one lesson; returns its path.

    It is made beside the old one and put in its place file by file when it is whole: a release that
    fails, or is interrupted, leaves what students were given as it was.
    """
    write_source_notebook(lesson)
    scratch = lesson.course.path / SCRATCH
    config = api(lesson.course).config
    config.CourseDirectory.release_directory = scratch.name
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        run(NbGraderAPI(config=config).generate_assignment, lesson.id, force=True, create=True)
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
