"""Submissions that are hostile, broken or merely unlucky, and what each must come to."""
