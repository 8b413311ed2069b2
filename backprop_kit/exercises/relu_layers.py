"""Lesson 03: ReLU layers. What each exercise computes, forward; the engine does the rest."""
