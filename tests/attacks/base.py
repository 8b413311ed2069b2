"""What an entry of the attack suite is, and how it becomes the files that are handed in.

By default an entry is lesson 01 with every answer right. What is told of it here changes that: an
answer, a cell in front of all others or behind them, any edit of the notebook, other bytes in its
place, files and links sent along. `fair` names the exercises that are not worth full marks.

Sources may speak of the machine they are run on, as somebody would write them who knows it well:
@COURSE@, @HOME@ and @OUTSIDE@ are folders outside the sandbox, @PORT@ and @SOCKET@ are where a
listener waits, and @MARK@ is the word by which the entry is known if it gets through.
"""

import copy
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nbformat.v4 import new_code_cell

from autograder.submissions import grade_id

LESSON = "01_scalar_graphs"
NAME = "scalar_graphs"
POINTS = {
    "add_mul": 2.0,
    "gates": 2.0,
    "sigmoid_neuron": 4.0,
    "d_sigmoid": 1.0,
    "exp_model": 3.0,
    "fan_out": 2.0,
    "wrong_claims": 2.0,
    "descend": 2.0,
}

ENTRIES = []


@dataclass(frozen=True)
class Entry:
    """One submission.

    why: why the mark is fair. never: what must not have happened, besides what holds for every
    entry. fair: {exercise: points} where they are not full; None if only a person can grade it.
    first, last: cells in front of and behind all others. files: {path: text or bytes} sent along;
    links: {path: where it leads}. edit: changes the notebook; write: makes its bytes; path: of the
    notebook, None for none. lacks: what may not stand on its page. hostile: run in a sandbox only.
    """

    name: str
    why: str
    never: str = ""
    fair: dict | None = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    first: str = ""
    last: str = ""
    files: dict = field(default_factory=dict)
    links: dict = field(default_factory=dict)
    edit: Callable | None = None
    write: Callable | None = None
    path: str | None = f"{NAME}.ipynb"
    lacks: tuple = ()
    hostile: bool = True

    @property
    def total(self):
        """The fair mark."""
        return 0.0 if self.fair is None else sum((POINTS | self.fair).values())

    def scores(self):
        """{exercise: points} as is fair."""
        return dict.fromkeys(POINTS, 0.0) if self.fair is None else POINTS | self.fair


def entry(name, why, **options):
    """Add an entry to the suite."""
    assert all(other.name != name for other in ENTRIES), f"two entries are called {name}"
    ENTRIES.append(Entry(name, why, **options))


# ---------------------------------------------------------------- where they are handed in


@dataclass(frozen=True)
class World:
    """What an attacker would know of the machine; see the words in this module's docstring."""

    course: str
    home: str
    outside: str
    port: int
    socket: str
    token: str

    def mark(self, name):
        return f"{self.token}-{name}-"

    def fill(self, text, name):
        """The text with this world's names in it."""
        words = {
            "@COURSE@": self.course,
            "@HOME@": self.home,
            "@OUTSIDE@": self.outside,
            "@PORT@": str(self.port),
            "@SOCKET@": self.socket,
            "@MARK@": self.mark(name),
        }
        for word, value in words.items():
            text = text.replace(word, str(value))
        return text


def cell_of(notebook, id):
    """The first cell of this grade id."""
    return next(cell for cell in notebook.cells if grade_id(cell) == id)


def place_of(notebook, id):
    return notebook.cells.index(cell_of(notebook, id))


def files_of(entry, world, solved):
    """{path: bytes} of all that an entry hands in; `solved` is the lesson with right answers."""
    notebook = copy.deepcopy(solved)
    for id, source in entry.answers.items():
        cell_of(notebook, id).source = source
    if entry.first:
        notebook.cells.insert(1, new_code_cell(entry.first, id="first"))
    if entry.last:
        notebook.cells.append(new_code_cell(entry.last, id="last"))
    if entry.edit:
        entry.edit(notebook)
    for cell in notebook.cells:
        cell.source = world.fill(cell.source, entry.name)
    files = {}
    if entry.path:
        files[entry.path] = (entry.write or as_file)(notebook)
    for path, content in entry.files.items():
        if callable(content):
            content = content(notebook)
        if isinstance(content, str):
            content = world.fill(content, entry.name).encode()
        files[path] = content
    return files


def as_file(notebook):
    """The bytes of a notebook, also of one that is not valid."""
    return json.dumps(notebook, indent=1, ensure_ascii=False).encode()


def hand_in(entry, world, solved, folder):
    """Write what an entry hands in into a folder."""
    folder = Path(folder)
    folder.mkdir(parents=True)
    for path, content in files_of(entry, world, solved).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for path, target in entry.links.items():
        os.symlink(world.fill(target, entry.name), folder / path)
