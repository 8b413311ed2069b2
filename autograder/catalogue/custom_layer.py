"""Lesson 06: what students really hand in, wrong and right."""
