"""Reporting: what people read after grading.

`marks_table` is for the instructor's terminal, `write_feedback` makes a page for each student, and
`export` one table of all marks. `page` says what nbgrader puts on a page, `policy` looks whether
anything on it acts.
"""

from .feedback import write_feedback
from .page import TEMPLATES, FeedbackExporter, FeedbackPage
from .spreadsheet import ExportMarks, export
from .tables import marks_table

__all__ = [
    "TEMPLATES",
    "ExportMarks",
    "FeedbackExporter",
    "FeedbackPage",
    "export",
    "marks_table",
    "write_feedback",
]
