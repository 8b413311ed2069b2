"""Lesson 04: what students really hand in, wrong and right."""
