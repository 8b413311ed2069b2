"""What nbgrader has written on a cell: which one it is, and what for."""

import re
from typing import Any

from nbformat import NotebookNode

CELL_ID = re.compile(r"[a-zA-Z0-9-_]{1,64}")  # as nbformat wants them


def nbgrader(cell: NotebookNode) -> dict[str, Any]:
    """The cell's nbgrader metadata, {} if it has none (or something that is not a dict)."""
    data = cell.metadata.get("nbgrader", {})
    return data if isinstance(data, dict) else {}


def grade_id(cell: NotebookNode) -> str | None:
    return nbgrader(cell).get("grade_id")


def is_solution(cell: NotebookNode) -> bool:
    return bool(nbgrader(cell).get("solution"))


def is_test(cell: NotebookNode) -> bool:
    return bool(nbgrader(cell).get("grade"))


def has_answers(notebook: NotebookNode) -> bool:
    """Whether a repaired notebook holds any of its lesson's answer cells, be it untouched."""
    return any(is_solution(cell) for cell in notebook.cells)


def make_code(cell):
    """Make the cell one of code, whatever it was."""
    cell.cell_type = "code"
    cell.setdefault("outputs", [])
    cell.setdefault("execution_count", None)
