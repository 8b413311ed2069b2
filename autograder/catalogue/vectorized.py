"""Lesson 02: what students really hand in, wrong and right."""
