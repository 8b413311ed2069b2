"""What a student handed in, as files: find the notebook, read it whatever its state, look no
further.

`take_in` looks into the folder of one submission and changes nothing there. Symbolic links are not
followed, and other files that were sent along are not read. What can be read becomes a notebook in
the current format, with clean types everywhere: nothing later has to ask again whether a source is
text. What was mended is told in a sentence; what cannot be mended is a `problem`, for a person.
"""

import hashlib
import json
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.course import Lesson

from . import exchange
from .cells import CELL_ID, grade_id, is_solution
from .inert import printable

MAX_FILE = 100_000_000  # bytes of a notebook file
MAX_FILES = 2_000  # names looked at in one folder
MAX_CELLS = 5_000
BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Unreadable(Exception):
    """This file is not a notebook that can be read; the text says why."""


@dataclass
class Submission:
    """One submission, read.

    notebook: the notebook, None if there is none to grade; `problem` then says why. digest: of
    all that decides the mark, so that another file is known from the same one. notes: what was
    mended, in sentences. timestamp: when it was handed in, if that is known (UTC). secret: of the
    exchange, if it came that way.
    """

    student: str
    notebook: NotebookNode | None = None
    problem: str = ""
    digest: str = ""
    notes: list[str] = field(default_factory=list)
    timestamp: datetime | None = None
    secret: str = ""
    file: str = ""

    @property
    def handed_in(self) -> str:
        """The timestamp as nbgrader writes it; "" if it is not known."""
        return f"{self.timestamp.isoformat(' ')} UTC" if self.timestamp else ""


def take_in(
    folder: str | Path, name: str, student: str = "", released: NotebookNode | None = None
) -> Submission:
    """Read the submission in `folder`, whose notebook should be called `name`.ipynb.

    released: the notebook as it was released; where several files were handed in, it tells which
    of them somebody has written in. Never raises for what is in the folder.
    """
    submission = Submission(student)
    folder = Path(folder)
    if folder.is_symlink():
        submission.problem = "the folder of this submission is a link to another place"
        return submission
    submission.timestamp = _timestamp(folder, submission.notes)
    submission.secret = secret_of(folder)
    try:
        path = _find(folder, name, released, submission.notes)
        submission.file = shown(path, folder)
        data = _bytes_of(path)
        submission.digest = hashlib.sha256(data).hexdigest()
        submission.notebook = read(data, submission.notes)
    except Unreadable as error:
        submission.problem = str(error)
    except OSError as error:
        submission.problem = f"the file cannot be opened: {error.strerror}"
    except Exception as error:  # what nobody has thought of is for a person, too
        submission.problem = f"the file cannot be read: {type(error).__name__}"
    return submission


def handed_in(
    lesson: Lesson, student: str, released: NotebookNode | None = None
) -> Submission | None:
    """The `Submission` that lies in `submitted/` now; None if there is no folder of it."""
    folder = lesson.submission(student).parent
    if not folder.is_dir():
        return None
    released = released or nbformat.read(lesson.release, as_version=4)
    return take_in(folder, lesson.notebook, student, released)


def shown(path, folder):
    """A path inside the folder as it can be printed anywhere."""
    return printable(str(path.relative_to(folder)))


# ---------------------------------------------------------------- which file


def _find(folder, name, released, notes):
    """The notebook file to grade; an `Unreadable` if there is none, or none that can be chosen."""
    files, links = _walk(folder)
    if links:
        listed = ", ".join(sorted(shown(link, folder) for link in links)[:5])
        notes.append(f"Links to other files are not followed and were left out: {listed}.")
    notebooks = [path for path in files if path.suffix.lower() == ".ipynb"]
    exact = [path for path in notebooks if path.relative_to(folder) == Path(f"{name}.ipynb")]
    if len(notebooks) > 1:
        # Beside the file that was asked for, others matter only if that one was not written in.
        written = {path: _answers(path, released) for path in notebooks}
        if not (exact and written[exact[0]]):
            different = {answers for answers in written.values() if answers}
            if len(different) > 1:
                names = ", ".join(sorted(shown(path, folder) for path in notebooks)[:8])
                raise Unreadable(
                    f"several notebooks with different answers were handed in ({names}), and "
                    f"none of them is {name}.ipynb with answers in it"
                )
            candidates = [path for path in notebooks if written[path]]
            if candidates:
                exact = []
                notebooks = sorted(candidates)[:1]
    if exact:
        return exact[0]
    if not notebooks:
        found = ", ".join(sorted(shown(path, folder) for path in files)[:8])
        raise Unreadable(f"no file {name}.ipynb was handed in (found: {found or 'nothing'})")
    if len(notebooks) > 1:
        names = ", ".join(sorted(shown(path, folder) for path in notebooks)[:8])
        raise Unreadable(f"no file {name}.ipynb was handed in, but several others: {names}")
    found = shown(notebooks[0], folder)
    notes.append(f"Your notebook was called “{found}”; it was taken as {name}.ipynb.")
    return notebooks[0]


def _walk(folder):
    """(ordinary files, symbolic links) below the folder; links are not followed."""
    files, links = [], []
    for place, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(
            n for n in folders if n not in (".ipynb_checkpoints", "__MACOSX", ".git")
        )
        links += [Path(place, n) for n in folders if Path(place, n).is_symlink()]
        for each in sorted(names):
            path = Path(place, each)
            if path.is_symlink():
                links.append(path)
            elif path.is_file() and not each.startswith("._"):
                files.append(path)
        if len(files) + len(links) > MAX_FILES:
            break
    return files, links


def _answers(path, released):
    """The texts of the answers that somebody has written into this file; () if none."""
    blank = {cell.source.strip() for cell in released.cells} if released else set()
    wanted = {grade_id(cell) for cell in released.cells if is_solution(cell)} if released else set()
    try:
        notebook = read(_bytes_of(path), [])
    except (Unreadable, OSError):
        return ()
    return tuple(
        cell.source.strip()
        for cell in notebook.cells
        if cell.cell_type == "code"
        and cell.source.strip() not in blank
        and (grade_id(cell) in wanted or "def " in cell.source)
    )


def _bytes_of(path, most=MAX_FILE):
    """The bytes of an ordinary file of at most so many. A link, a pipe or a device is refused."""
    handle = os.open(
        path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    )
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("it is not an ordinary file")
        data = file.read(most + 1)
    if len(data) > most:
        raise Unreadable(f"the file is larger than {most // 1_000_000} MB")
    return data


def _timestamp(folder, notes):
    path = Path(folder) / exchange.TIMESTAMP
    if not path.is_file() or path.is_symlink():
        return None
    from nbgrader.utils import parse_utc  # a second of imports, for those who have such a file

    try:
        text = _bytes_of(path, 1000).decode("utf-8-sig").strip()
        return parse_utc(text) if text else None
    except Exception:  # dateutil raises a wide variety for strange dates
        notes.append(
            "The time of handing in could not be read from timestamp.txt; it was left out."
        )
        return None


def secret_of(folder: str | Path) -> str:
    """The exchange's secret that lies in this folder: letters and digits; "" if it is none."""
    try:
        text = _bytes_of(Path(folder) / exchange.SECRET, 1000).decode("ascii").strip()
    except (Unreadable, OSError, UnicodeDecodeError):
        return ""
    return text if text.isalnum() else ""


# ---------------------------------------------------------------- from bytes to a notebook


def read(data, notes):
    """The notebook in these bytes, in the current format with clean types; appends to `notes` what
    was mended. Raises `Unreadable`, and nothing else."""
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        found = json.loads(_text(data, notes))
    except RecursionError:
        raise Unreadable("the file is not a notebook that can be read: nested too deeply") from None
    except ValueError as error:
        reason = str(error).splitlines()[0][:150]
        raise Unreadable(
            f"the file is not a notebook that can be read, damaged or cut off: {reason}"
        ) from None
    if not isinstance(found, dict) or not ("cells" in found or "worksheets" in found):
        raise Unreadable("the file is not a notebook that can be read: it holds no cells")
    if "worksheets" in found and "cells" not in found:
        cells = _cells_of_version_3(found)
        notes.append("The notebook was in an old format (3); it was converted.")
    else:
        cells = found["cells"]
    if not isinstance(cells, list) or not cells:
        raise Unreadable("the notebook holds no cells")
    if len(cells) > MAX_CELLS:
        raise Unreadable(f"the notebook holds {len(cells)} cells, more than {MAX_CELLS}")
    clean = [_cell(cell) for cell in cells]
    if None in clean:
        count = sum(cell is None for cell in clean)
        if count == len(clean):
            raise Unreadable("the file is not a notebook that can be read: no cell is one")
        notes.append(f"{count} damaged cell{'s' * (count > 1)} without any text left out.")
    version = found.get("nbformat")
    if version not in (3, 4):
        notes.append("The notebook did not say its format; it was read as the current one.")
    return nbformat.v4.new_notebook(cells=_with_ids_of_their_own(clean))


def _with_ids_of_their_own(cells):
    """The cells, of which none has the id of another; duplicated cells come with duplicated ids."""
    seen = set()
    for cell in cells:
        if cell is not None:
            if cell.id in seen:
                cell["id"] = nbformat.v4.new_code_cell().id
            seen.add(cell.id)
    return [cell for cell in cells if cell is not None]


def _text(data, notes):
    encoding = next(
        (name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8"
    )
    text = data.decode(encoding, "replace" if encoding == "utf-8" else "strict")
    if encoding != "utf-8":
        notes.append("The file began with a byte order mark; it was taken off.")
    if "\ufffd" in text and "\ufffd".encode() not in data:
        notes.append("Some characters could not be read (the file is not UTF-8); they show as �.")
    return text


def _cells_of_version_3(found):
    """The cells of all worksheets, with the names that version 4 gives to their parts."""
    cells = []
    sheets = found["worksheets"] if isinstance(found["worksheets"], list) else []
    for sheet in sheets:
        for cell in sheet.get("cells") or [] if isinstance(sheet, dict) else []:
            if isinstance(cell, dict):
                cell = {**cell, "source": cell.get("input", cell.get("source", ""))}
                if cell.get("cell_type") == "heading":
                    level = cell["level"] if cell.get("level") in range(1, 7) else 1
                    cell["source"] = f"{'#' * level} {_joined(cell['source'])}"
            cells.append(cell)
    return cells


def _cell(data):
    """A cell with clean types and without outputs (every cell is run again); None if it is none."""
    if not isinstance(data, dict) or "source" not in data:
        return None
    source = _joined(data["source"])
    makers = {"code": nbformat.v4.new_code_cell, "raw": nbformat.v4.new_raw_cell}
    kind = data.get("cell_type")
    kind = kind if isinstance(kind, str) else ""
    cell = makers.get(kind, nbformat.v4.new_markdown_cell)(source)
    metadata = data.get("metadata")
    label = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if isinstance(label, dict):
        cell.metadata["nbgrader"] = nbformat.from_dict(label)
    if isinstance(data.get("id"), str) and CELL_ID.fullmatch(data["id"]):
        cell["id"] = data["id"]
    return cell


def _joined(source):
    """A cell's source as text: Jupyter writes lists of lines, some tools one text; line ends as
    Python has them, and no half characters, which no file can hold."""
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    return source.encode("utf-8", "replace").decode("utf-8")
