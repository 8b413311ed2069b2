"""The course on disk: its lessons and settings, their releases, and nbgrader's gradebook.

This is what is there before anybody has handed in anything. `lessons` finds and reads it, `release`
makes of a source the notebook that students get, `lab` opens that, and `nbgrader_api` is where
nbgrader is called.
"""

from .files import write_whole
from .lab import open_lab
from .lessons import ROOT, Course, CourseError, Lesson, reference_solutions
from .nbgrader_api import api, folder_of, gradebook
from .release import make_release, require_release

__all__ = [
    "ROOT",
    "Course",
    "CourseError",
    "Lesson",
    "api",
    "folder_of",
    "gradebook",
    "make_release",
    "open_lab",
    "reference_solutions",
    "require_release",
    "write_whole",
]
