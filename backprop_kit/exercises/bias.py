"""Lesson 04: bias. What each exercise computes, forward; the engine does the rest."""
