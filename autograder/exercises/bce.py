"""Lesson 05: the hidden cases, and what each part of an answer is worth."""
