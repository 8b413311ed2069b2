"""Lesson 05: what students really hand in, wrong and right."""
