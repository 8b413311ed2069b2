"""Judging: from what a student's functions returned to points and words.

A `Plan` draws hidden cases and makes a request of them, `probe` is what answers it beside the
student's code, and a `Verdict` says what the answers are worth. `hidden` holds the cases and what
each aspect earns. Nothing here starts a process or runs student code, but for `judge`, which plain
nbgrader's test cells call.
"""

from . import hidden, probe
from .plan import SECONDS, Plan, judge
from .verdict import MIME, Verdict, points_in_words

__all__ = ["MIME", "SECONDS", "Plan", "Verdict", "hidden", "judge", "points_in_words", "probe"]
