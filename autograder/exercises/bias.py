"""Lesson 04: the hidden cases, and what each part of an answer is worth."""
