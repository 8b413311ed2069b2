"""`autograder demo`: a small class hands in, is graded and gets feedback, in a folder of its own.

The class is made of real notebook files: the release, with answers from the reference solution and
from the catalogue of wrong answers written into its cells.
"""

import copy
import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.course import Course, CourseError, Lesson
from autograder.submissions import grade_id, is_solution

from . import catalogue

SOLUTION_MARKS = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
WARNS = "\n\nimport sys\nprint('RuntimeWarning: overflow encountered in exp', file=sys.stderr)\n"


def make_course(target: Path, source: Course | None = None) -> Course:
    """Copy the course's configuration, sources and releases to `target`; returns the `Course`."""
    source = source or Course()
    marker = target / ".made-by-autograder-demo"
    if target.exists():
        if target.resolve() == source.path or not marker.is_file():
            raise CourseError(f"{target} is not a demo's folder, and is left as it is.")
        shutil.rmtree(target)
    target.mkdir(parents=True)
    marker.touch()
    shutil.copy(source.path / "nbgrader_config.py", target)
    for folder in ("source", "release"):
        if (source.path / folder).is_dir():
            ignore = shutil.ignore_patterns("*.ipynb") if folder == "source" else None
            shutil.copytree(source.path / folder, target / folder, ignore=ignore)
    return Course(target)


def answered(lesson: Lesson, answers: dict[str, str]) -> NotebookNode:
    """The released notebook with these answers, {grade id: source}, in their cells."""
    notebook = nbformat.read(lesson.release, as_version=4)
    for cell in notebook.cells:
        if is_solution(cell) and (id := grade_id(cell)) in answers:
            cell.source = SOLUTION_MARKS.sub("", answers[id])
    return notebook


def with_mistake(lesson, cause, count=2):
    """The reference answers with the first `count` catalogued mistakes of this cause among them."""
    answers = lesson.reference()
    mistakes = [
        entry for entry in catalogue.entries() if entry.cause == cause and entry.exercise in answers
    ]
    chosen = {}
    for entry in mistakes:
        if entry.exercise not in chosen and len(chosen) < count:
            chosen[entry.exercise] = entry
    if not chosen:
        raise ValueError(f"the catalogue holds no mistake of cause {cause!r} for {lesson.id}")
    for id, entry in chosen.items():
        answers[id] = entry.source(answers[id])
    return answers


def hand_in_class(lesson: Lesson) -> dict[str, str]:
    """Write the class's submissions; returns {student: who this is, in a few words}."""
    reference = lesson.reference()
    first = next(iter(reference))
    half = dict(list(reference.items())[: len(reference) // 2])
    raises = {**reference, first: f"{reference[first]}\n\nresults = undefined_name\n"}
    raises[first] = raises[first].replace("### BEGIN SOLUTION", "return undefined_name")
    warns = {**reference, first: reference[first] + WARNS}
    people = {
        "ada": ("every answer right", answered(lesson, reference)),
        "ben": ("handed in the blank release", answered(lesson, {})),
        "chiara": (
            "forgets local derivatives",
            answered(lesson, with_mistake(lesson, "missing-local")),
        ),
        "deniz": ("turns signs", answered(lesson, with_mistake(lesson, "sign"))),
        "emeka": (
            "overwrites where paths meet",
            answered(lesson, with_mistake(lesson, "overwrite-not-accumulate", 1)),
        ),
        "fatima": (
            "types the worked example in",
            answered(lesson, with_mistake(lesson, "hard-coded", 3)),
        ),
        "goran": (
            "ignores the upstream signal",
            answered(lesson, with_mistake(lesson, "upstream-ignored")),
        ),
        "hana": ("one answer raises an error", answered(lesson, raises)),
        "ines": ("right, with warnings on stderr", answered(lesson, warns)),
        "jonas": ("sent a damaged file", None),
        "kofi": ("one answer cell duplicated", _duplicated(lesson, reference, first)),
        "lena": ("did the first half", answered(lesson, half)),
    }
    for student, (_, notebook) in people.items():
        path = lesson.submission(student)
        path.parent.mkdir(parents=True, exist_ok=True)
        if notebook is None:
            path.write_text('{"cells": [{"cell_type": "code", "sour', encoding="utf-8")
        else:
            nbformat.write(notebook, path)
    return {student: words for student, (words, _) in people.items()}


def _duplicated(lesson, answers, id):
    """Colab's typical accident: the answer cell stands twice, the copy still blank."""
    notebook = answered(lesson, answers)
    blank = nbformat.read(lesson.release, as_version=4)
    position = next(i for i, c in enumerate(notebook.cells) if grade_id(c) == id)
    twin = copy.deepcopy(next(c for c in blank.cells if grade_id(c) == id))
    twin.id = f"{twin.id}-copy"
    notebook.cells.insert(position + 1, twin)
    return notebook
