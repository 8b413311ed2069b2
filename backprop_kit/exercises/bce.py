"""Lesson 05: binary cross-entropy and whole networks. What each exercise computes, forward; the engine does the rest."""
