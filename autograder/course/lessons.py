"""The course on disk: its lessons, their sources, releases and submissions, and its settings.

Nothing here runs student code or nbgrader; it finds and reads files, and says clearly what is
missing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]

SETUP = '''\
# Run this first. In Colab it installs the course's kit; everywhere else it does nothing.
import importlib.util
import sys

if "google.colab" in sys.modules and importlib.util.find_spec("backprop_kit") is None:
    %pip install --quiet "git+https://github.com/{repository}@{branch}"'''

BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/{repository}/blob/{branch}/"
    "course/release/{lesson}/{notebook}.ipynb)"
)


class CourseError(Exception):
    """Something about the course or the call is not as it must be; the text says what to do."""


def settings() -> dict[str, str]:
    """`[tool.autograder]` of pyproject.toml: where the students' copy is published."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["tool"]["autograder"]


class Lesson:
    """One lesson: its id (the nbgrader assignment) and the files that belong to it."""

    def __init__(self, course: Course, id: str) -> None:
        self.course = course
        self.id = id
        self.source = self._only_source()
        self.notebook = self.source.stem

    def _only_source(self):
        found = sorted((self.course.path / "source" / self.id).glob("*.md"))
        if len(found) != 1:
            raise CourseError(
                f"course/source/{self.id} should hold exactly one lesson source (.md), "
                f"and holds {len(found)}."
            )
        return found[0]

    @property
    def source_notebook(self) -> Path:
        """Where nbgrader expects the source as .ipynb: made from the Markdown, not kept in git."""
        return self.source.with_suffix(".ipynb")

    @property
    def release(self) -> Path:
        return self.course.path / "release" / self.id / f"{self.notebook}.ipynb"

    def submission(self, student: str) -> Path:
        return self.course.path / "submitted" / student / self.id / f"{self.notebook}.ipynb"

    def autograded(self, student: str) -> Path:
        return self.course.path / "autograded" / student / self.id / f"{self.notebook}.ipynb"

    def feedback(self, student: str) -> Path:
        return self.course.path / "feedback" / student / self.id / f"{self.notebook}.html"

    def students(self) -> list[str]:
        """Who has handed in something for this lesson, sorted."""
        folders = (self.course.path / "submitted").glob(f"*/{self.id}")
        return sorted(folder.parent.name for folder in folders if folder.is_dir())

    def read(self) -> NotebookNode:
        """The source as a notebook, with badge and setup filled in and cell ids that stay."""
        return read_source(self.source, lesson=self.id, notebook=self.notebook, **settings())

    def reference(self) -> dict[str, str]:
        """{grade id of a solution cell: its source}: the reference solutions."""
        return {
            cell.metadata.nbgrader.grade_id: cell.source
            for cell in self.read().cells
            if cell.metadata.get("nbgrader", {}).get("solution")
        }

    def exercises(self) -> list[str]:
        """The exercise ids of this lesson as its source stands now, in its order."""
        return self.exercises_of(self.read())

    @staticmethod
    def exercises_of(notebook: nbformat.NotebookNode) -> list[str]:
        """The exercise ids of a source or a release, in its order."""
        return [
            cell.metadata.nbgrader.grade_id.removeprefix("test_")
            for cell in notebook.cells
            if cell.metadata.get("nbgrader", {}).get("grade")
        ]


def read_source(path, **values):
    """Read a Markdown lesson as a notebook and fill in its placeholders."""
    notebook = jupytext.read(path)
    notebook.metadata.pop("jupytext", None)
    for index, cell in enumerate(notebook.cells):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.id = re.sub(r"[^\w-]", "-", grade_id or f"{path.stem}-{index:02d}")
        if cell.source.strip() == "{{SETUP}}":
            cell.source = SETUP.format(**values)
        cell.source = cell.source.replace("{{COLAB_BADGE}}", BADGE.format(**values))
        if "{{" in cell.source and re.search(r"\{\{[A-Z_]+\}\}", cell.source):
            raise CourseError(f"{path}: cell {index} has an unknown placeholder: {cell.source!r}")
    nbformat.validate(notebook)
    return notebook


class Course:
    """The course directory: an ordinary nbgrader course with Markdown sources."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path or ROOT / "course").resolve()
        if not (self.path / "nbgrader_config.py").is_file():
            raise CourseError(
                f"{self.path} is not a course folder: it holds no nbgrader_config.py. "
                "Give the folder with --course, or run the command from the repository."
            )
        if not (self.path / "source").is_dir():
            raise CourseError(f"{self.path} holds no folder `source` with lessons.")

    def lesson_ids(self) -> list[str]:
        return sorted(
            folder.name for folder in (self.path / "source").iterdir() if any(folder.glob("*.md"))
        )

    def lessons(self, ids: Iterable[str] = ()) -> list[Lesson]:
        """The lessons of these ids ("01" is enough for "01_scalar_graphs"); all if none given."""
        known = self.lesson_ids()
        if not ids:
            return [Lesson(self, id) for id in known]
        chosen = []
        for wanted in ids:
            fits = [id for id in known if id == wanted or id.split("_")[0] == wanted]
            if len(fits) != 1:
                raise CourseError(
                    f"there is no lesson {wanted!r}; the lessons are: {', '.join(known)}."
                )
            chosen.append(Lesson(self, fits[0]))
        return chosen

    def graded_lessons(self, ids: Iterable[str] = ()) -> list[Lesson]:
        """As `lessons`, without those that hold nothing to grade (unless asked for by name)."""
        return [lesson for lesson in self.lessons(ids) if lesson.exercises() or ids]


def reference_solutions(course: Course | None = None) -> dict[str, str]:
    """{exercise id: reference solution's source}, from every lesson."""
    return {
        id: source
        for lesson in (course or Course()).lessons()
        for id, source in lesson.reference().items()
    }
