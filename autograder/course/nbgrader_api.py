"""nbgrader, called from here: its configuration of a course, its gradebook, folders and steps."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from traitlets.config import PyFileConfigLoader

from autograder.interpreter import tools_on_path

from .lessons import Course, CourseError


def api(course: Course, **folders: str) -> Any:
    """nbgrader's API for this course, with the configuration of its folder.

    folders: other names for folders of the course, such as release="elsewhere".
    """
    from nbgrader.apps import NbGraderAPI  # here: a second of imports, for those who need it

    config = PyFileConfigLoader("nbgrader_config.py", path=str(course.path)).load_config()
    config.CourseDirectory.root = str(course.path)
    for step, folder in folders.items():
        config.CourseDirectory[f"{step}_directory"] = folder
    return NbGraderAPI(config=config)


@contextmanager
def gradebook(course: Course, nbgrader: Any = None) -> Iterator[Any]:
    """The course's gradebook, made if there is none. nbgrader: its API, where that is known."""
    nbgrader = nbgrader or api(course)
    with tools_on_path(), nbgrader.gradebook as opened:
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


def folder_of(preprocessor: Any, step: str, student: str, assignment: str) -> Path:
    """Where nbgrader, which runs this preprocessor, keeps what a step has made."""
    coursedir = preprocessor.parent.parent.coursedir
    folder = getattr(coursedir, f"{step}_directory")
    return Path(coursedir.format_path(folder, student, assignment))
