"""Rehearsal: answers and a class that nobody handed in, to try the whole course on.

The `catalogue` holds wrong answers with the verdict that is fair, and right ones in other styles.
The `kill_table` shows how each fares in the hidden tests, which proves that these test; `demo`
lets a made-up class hand in.
"""

from . import catalogue, kill_table
from .demo import answered, hand_in_class, make_course

__all__ = [
    "answered",
    "catalogue",
    "hand_in_class",
    "kill_table",
    "make_course",
]
