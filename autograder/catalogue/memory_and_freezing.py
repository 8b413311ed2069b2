"""Lesson 07: what students really hand in, wrong and right."""
