"""Lesson 06: one's own layers. What each exercise computes, forward; the engine does the rest."""
