"""Mend a submission before it is graded: put every released cell back where it belongs.

Notebooks come back with cells duplicated, split, deleted, reordered, retyped or stripped of their
metadata. The release says which cells there must be, and in which order.

- Test cells are taken from the release, always. What somebody has written into one stays, as an
  ordinary cell.
- An answer cell is looked for by its grade id and, where that is lost, foreign or on a blank cell,
  by the function it defines. Of several, the last one a student has written in counts, as it would
  in a notebook that is run from top to bottom; the others stay as ordinary cells.
- An answer in several cells is graded as one. Where the lesson's cells stand in another order they
  are put back into the lesson's, and each cell of a student's own stays behind the one it stood
  behind.
- Of the student's metadata nothing is kept that could change how a cell is run.

A cell with student work is never dropped. Every repair is told in a sentence.
"""

import copy
import re

from nbformat import NotebookNode

from .cells import CELL_ID, nbgrader
from .inert import inert_text, short
from .matching import Matching
from .placing import Placing
from .source import only_imports

INSTALLS = re.compile(
    r"^([ \t]*)([%!][ \t]*(?:python[\d.]*[ \t]+-m[ \t]+)?"
    r"(?:pip3?|conda|mamba|uv|apt|apt-get)\b[^\n]*)",
    re.MULTILINE,
)


def mend(notebook: NotebookNode, released: NotebookNode) -> list[str]:
    """Repair a submission after its release, and note in its metadata what was done.

    The note is {"repairs": sentences, "own": the ids of cells that are not the lesson's}. A cell
    that imports and does nothing else is as good as the lesson's: answers may need it.
    """
    repairs = repair(notebook, released)
    lesson = {cell.source for cell in released.cells}
    own = []
    for cell in notebook.cells:
        if nbgrader(cell) or cell.source in lesson:
            continue
        if not only_imports(cell):
            own.append(cell.id)
        if cell.cell_type != "code":
            cell.source = inert_text(cell.source)
    notebook.metadata["autograder"] = {"repairs": repairs, "own": own}
    return repairs


def repair(submitted, released):
    """Mend notebook `submitted` in place after `released`; returns the repairs as sentences."""
    sentences = []
    say = sentences.append
    take_metadata(submitted.cells, say)
    pairs = Matching(submitted.cells, released.cells, say).pairs
    pairs = Placing(pairs, released.cells, say).pairs
    leave_out_installs(pairs, say)

    submitted.cells = [cell for _, cell in pairs]
    submitted.metadata = copy.deepcopy(released.metadata)
    submitted.nbformat_minor = max(submitted.nbformat_minor, released.nbformat_minor)
    _unique_ids(submitted)
    return sentences


def take_metadata(cells, say):
    """Take off everything but a label that could be one."""
    changing = set()
    for cell in cells:
        tags = cell.metadata.get("tags")
        for tag in tags if isinstance(tags, list) else ():
            if tag in ("skip-execution", "raises-exception"):
                changing.add(tag)
        label = copy.deepcopy(nbgrader(cell))
        cell.metadata = type(cell.metadata)()
        cell.pop("attachments", None)
        if isinstance(label.get("grade_id"), str):
            cell.metadata["nbgrader"] = label
    if changing:
        say(f"Tags that change how a cell is run were taken off: {_listed(changing)}.")


def leave_out_installs(pairs, say):
    found = []
    for model, cell in pairs:
        if cell.cell_type == "code" and (model is None or cell.source != model.source):
            found += [line.strip() for _, line in INSTALLS.findall(cell.source)]
            cell.source = INSTALLS.sub(r"\1pass  # not run while grading: \2", cell.source)
    if found:
        what = _listed({short(line) for line in found[:3]})
        say(f"Lines that install packages are not run while grading: {what}.")


def _listed(words):
    return ", ".join(f"“{word}”" for word in sorted(words))


def _unique_ids(notebook):
    seen = set()
    for index, cell in enumerate(notebook.cells):
        id = cell.get("id")
        if not isinstance(id, str) or not CELL_ID.fullmatch(id) or id in seen:
            cell["id"] = f"cell-{index}"
            while cell["id"] in seen:
                cell["id"] += "-again"
        seen.add(cell["id"])
