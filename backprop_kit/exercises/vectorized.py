"""Lesson 02: vectors and matrices, ‖Wx‖². What each exercise computes, forward; the engine does the rest."""
