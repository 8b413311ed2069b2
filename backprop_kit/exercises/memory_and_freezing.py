"""Lesson 07: memory and freezing. What each exercise computes, forward; the engine does the rest."""
