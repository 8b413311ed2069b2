"""Submissions: what was handed in, as files and as cells.

`intake` finds the notebook and reads it whatever its state. `repair` puts every released cell back
where it belongs: `matching` says what stands for what, `placing` where it stands, and `source` what
a cell's code says. `inert` takes from it what would act on whoever reads it, and `exchange` knows
the two files by which nbgrader's exchange finds a student again. Nothing here runs student code.
"""

from . import exchange
from .cells import grade_id, has_answers, is_solution, is_test, nbgrader
from .inert import MAX_SOURCE, PICTURE, clean_html, inert_outputs, printable, shortened
from .intake import Submission, handed_in, secret_of, take_in
from .repair import mend

__all__ = [
    "MAX_SOURCE",
    "PICTURE",
    "Submission",
    "clean_html",
    "exchange",
    "grade_id",
    "handed_in",
    "has_answers",
    "inert_outputs",
    "is_solution",
    "is_test",
    "mend",
    "nbgrader",
    "printable",
    "secret_of",
    "shortened",
    "take_in",
]
