"""Lesson 03: what students really hand in, wrong and right."""
