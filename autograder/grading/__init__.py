"""Grading: from a class's submissions to their marks.

`grade_one` is a pure function of files, `enter` the one way by which an outcome is written down, in
the gradebook and in a file that `load_marks` reads, and `grade_class` does both for everybody.
"""

from .entering import enter
from .marks import INTERRUPTED, Mark, load_marks
from .one import Graded, grade_one
from .run import grade_class

__all__ = [
    "INTERRUPTED",
    "Graded",
    "Mark",
    "enter",
    "grade_class",
    "grade_one",
    "load_marks",
]
