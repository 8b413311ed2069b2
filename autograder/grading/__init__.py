"""Grading: from a class's submissions to their marks.

A `Run` is what all submissions of a lesson share. `grade_one` is a pure function of one submission
and the release, a `Writer` the one way by which its outcome gets into the gradebook and into the
file that `load_marks` reads, and `grade_class` does both for everybody.
"""

from .entering import Writer
from .marks import INTERRUPTED, Mark, load_marks
from .one import Graded, grade_one
from .run import grade_class, open_run

__all__ = [
    "INTERRUPTED",
    "Graded",
    "Mark",
    "Writer",
    "grade_class",
    "grade_one",
    "load_marks",
    "open_run",
]
