"""Grade one submission: what was handed in and what was released go in, verdicts come out.

It needs no gradebook and changes nothing on disk, so it can be done in any process.
"""

from dataclasses import dataclass, field

import nbformat
from nbgrader.preprocessors import (
    AssignLatePenalties,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from autograder.course import CourseError
from autograder.submissions import Submission, has_answers, mend, take_in

# Steps of nbgrader's that read or write the gradebook. Here `mend` restores what the first two
# look up there, and `entering` writes what the others would.
WITH_GRADEBOOK = (OverwriteCells, OverwriteKernelspec, SaveAutoGrades, AssignLatePenalties)


@dataclass
class Graded:
    """The outcome for one submission: a graded notebook with verdicts, or a problem."""

    submission: Submission
    notebook: nbformat.NotebookNode | None = None
    verdicts: dict = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    problem: str = ""


def grade_one(folder, released, name, student="", config=None):
    """Grade what lies in one folder; returns the `Graded`. Never raises for what was sent.

    folder: of the submission. released: the lesson's notebook as it was released. name: what the
    file should be called, without .ipynb. config: nbgrader's configuration (`api(course).config`),
    whose steps are run here as in `nbgrader autograde`, but for those that need a gradebook.
    """
    submission = take_in(folder, name, student, released)
    graded = Graded(submission, repairs=list(submission.notes), problem=submission.problem)
    notebook = submission.notebook
    if notebook is None:  # then there is a problem
        return graded
    try:
        graded.repairs += mend(notebook, released)
        notebook.metadata["autograder"]["repairs"] = graded.repairs
        if not has_answers(notebook):
            graded.problem = (
                "none of this lesson's answer cells are in the notebook; it may be another lesson's"
            )
            return graded
        graded.notebook, resources = _through_the_steps(notebook, name, student, config)
        graded.verdicts = resources["autograder"]["verdicts"]
    except CourseError:  # the course's or the machine's, and no fault of this submission
        raise
    except Exception as error:  # whatever it is, the rest of the class is graded
        lines = str(error).strip().splitlines() or [type(error).__name__]
        graded.problem = f"grading failed: {lines[-1][:200]}"
    return graded


def _through_the_steps(notebook, name, student, config):
    steps = config.Autograde.sanitize_preprocessors + config.Autograde.autograde_preprocessors
    resources = {"metadata": {}, "nbgrader": {"notebook": name, "student": student}}
    for step in steps:
        if not issubclass(step, WITH_GRADEBOOK) and not getattr(step, "works_on_folders", False):
            notebook, resources = step(config=config)(notebook, resources)
    return notebook, resources
