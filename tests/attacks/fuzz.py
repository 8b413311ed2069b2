"""`make fuzz`: real submissions, mutated as files, cells and metadata.

No mutant stops the class, and none gets more for an exercise than what it was made from. Most
mutants need no kernel: what they are worth is decided by the code that is run, and repair leaves
many with the same. Those that differ are graded as classes by the real pipeline. The same seed
makes the same mutants.
"""

import argparse
import copy
import functools
import hashlib
import json
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from helpers import lean, with_gradebook

from attacks.base import LESSON, NAME, POINTS
from attacks.suite import CONFIG, released_course
from autograder.course import Course
from autograder.grading import grade_class, load_marks
from autograder.rehearsal import answered
from autograder.submissions import is_test, mend, take_in

# Exercises that the originals leave open or answer with nothing: no accident makes these right.
OPEN = {
    "all of it": (),
    "half of it": ("add_mul", "sigmoid_neuron", "exp_model", "descend"),
    "the other half": ("gates", "d_sigmoid", "fan_out", "wrong_claims"),
}


def originals(lesson):
    """{name: (notebook, {exercise: points})} of the submissions that are mutated."""
    made = {}
    for name, left in OPEN.items():
        answers = {id: source for id, source in lesson.reference().items() if id not in left}
        notebook = lean(answered(lesson, answers))
        made[name] = notebook, POINTS | dict.fromkeys(left, 0.0)
    return made


# ---------------------------------------------------------------- mutations

STRANGE = [
    None,
    True,
    0,
    -1,
    3.5,
    10**30,
    "",
    "x",
    "\x00",
    "�",
    [],
    {},
    [None],
    {"a": {}},
    "\ud800",
]
LABELS = ["add_mul", "test_add_mul", "fan_out", "test_fan_out", "relu", ""]


def places(value, path=()):
    """The paths of all parts of a JSON document."""
    if path:
        yield path
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, part in items:
        yield from places(part, (*path, key))


def change_json(data, rng):
    """One part of the document is replaced, removed or doubled."""
    path = rng.choice(list(places(data)))
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    kind = rng.randrange(3)
    if kind == 0:
        holder[path[-1]] = copy.deepcopy(rng.choice(STRANGE))
    elif kind == 1:
        del holder[path[-1]]
    elif isinstance(holder, list):
        holder.insert(path[-1], copy.deepcopy(holder[path[-1]]))
    else:
        holder[f"{path[-1]}-copy"] = holder[path[-1]]


def change_cells(data, rng):
    """A cell is deleted, doubled, moved, split, merged or retyped."""
    cells = data["cells"]
    place = rng.randrange(len(cells))
    cell = cells[place]
    kind = rng.choice(["delete", "double", "move", "split", "merge", "retype", "swap", "reverse"])
    other = rng.randrange(len(cells))
    if kind == "delete":
        del cells[place]
    elif kind == "double":
        cells.insert(other, copy.deepcopy(cell))
    elif kind == "move":
        cells.insert(other, cells.pop(place))
    elif kind == "split":
        lines = cell["source"].splitlines(keepends=True)
        at = rng.randint(0, len(lines))
        twin = {**copy.deepcopy(cell), "source": "".join(lines[at:])}
        cell["source"] = "".join(lines[:at])
        cells.insert(place + 1, twin)
    elif kind == "merge" and place + 1 < len(cells):
        cell["source"] += "\n\n" + cells.pop(place + 1)["source"]
    elif kind == "retype":
        cell["cell_type"] = rng.choice(["markdown", "raw", "code", "heading", "", None])
    elif kind == "swap":
        one, two = cells[place], cells[other]
        one["source"], two["source"] = two["source"], one["source"]
    elif kind == "reverse":
        cells.reverse()


def change_metadata(data, rng):
    """Labels, tags, ids and points are changed, lost, or another's."""
    cell = rng.choice(data["cells"])
    label = cell["metadata"].get("nbgrader", {})
    kind = rng.choice(["lose", "lose all", "relabel", "flip", "points", "tags", "id", "notebook"])
    if kind == "lose":
        cell["metadata"] = {}
    elif kind == "lose all":
        for each in data["cells"]:
            each["metadata"] = {}
    elif kind == "relabel":
        cell["metadata"]["nbgrader"] = {**label, "grade_id": rng.choice(LABELS)}
    elif kind == "flip":
        key = rng.choice(["grade", "solution", "locked", "task"])
        cell["metadata"]["nbgrader"] = {**label, key: not label.get(key)}
    elif kind == "points":
        cell["metadata"]["nbgrader"] = {**label, "points": rng.choice([600, -1, "x", None])}
    elif kind == "tags":
        cell["metadata"]["tags"] = rng.choice([["skip-execution"], ["raises-exception"], "x", 3])
    elif kind == "id":
        cell["id"] = rng.choice(["start", "same", "", None, 3])
    else:
        data["metadata"] = copy.deepcopy(rng.choice(STRANGE))


def change_text(data, rng):
    """A line of a cell is lost, doubled, or indented otherwise."""
    cell = rng.choice(data["cells"])
    lines = cell["source"].splitlines(keepends=True)
    if not lines:
        return
    place = rng.randrange(len(lines))
    line = lines[place]
    lines[place] = rng.choice(["", line * 2, " " + line, line.lstrip(), line.replace("(", "", 1)])
    cell["source"] = "".join(lines)


def change_bytes(data, rng):
    """Bytes are lost or changed, the end is cut off, line ends are another system's."""
    place = rng.randrange(len(data))
    kind = rng.choice(["flip", "flip", "lose", "cut", "ends", "mark", "double"])
    if kind == "flip":
        return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]
    if kind == "lose":
        return data[:place] + data[place + rng.randint(1, 40) :]
    if kind == "cut":
        return data[:place]
    if kind == "ends":
        return data.replace(b"\n", b"\r\n")
    if kind == "mark":
        return b"\xef\xbb\xbf" + data
    return data[:place] + data[place : place + 30] + data[place:]


CHANGES = [change_json, change_cells, change_cells, change_metadata, change_metadata, change_text]


def mutant(notebook, rng):
    """The bytes of a notebook after one to four mutations."""
    data = json.loads(nbformat.writes(notebook))
    for cell in data["cells"]:
        cell["source"] = "".join(cell["source"])
    for _ in range(rng.randint(1, 4)):
        try:
            rng.choice(CHANGES)(data, rng)
        except (AttributeError, IndexError, KeyError, TypeError):
            continue  # what it would have changed is no longer there
    content = json.dumps(data, indent=1).encode()
    return change_bytes(content, rng) if rng.random() < 0.15 else content


# ---------------------------------------------------------------- what they come to


def code_of(folder, released):
    """What decides the mark of a submission: the code cells as they are run; () if ungraded.

    Fails if repair does: every test of the release must be there, unchanged and in its order.
    """
    taken = take_in(folder, NAME, "mutant", released)
    if taken.problem:
        return ()
    mend(taken.notebook, released)
    nbformat.validate(taken.notebook)
    tests = [(cell.source, cell.metadata) for cell in taken.notebook.cells if is_test(cell)]
    assert tests == [(cell.source, cell.metadata) for cell in released.cells if is_test(cell)]
    return tuple(cell.source for cell in taken.notebook.cells if cell.cell_type == "code")


def grade_batch(path):
    """Grade what is handed in in this course, as one class; {student: {exercise: points}}."""
    course = Course(path)
    grade_class(course.lessons([LESSON])[0], sandbox="auto")
    return {
        student: {id: each["score"] for id, each in mark["exercises"].items()}
        for student, mark in load_marks(course)[LESSON].items()
    }


def fuzz(fresh, folder, count, seed, processes=1, batch=50, tell=lambda words: None):
    """Make `count` mutants and grade them; returns a list of sentences on what went wrong."""
    lesson = fresh.lessons([LESSON])[0]
    released = nbformat.read(lesson.release, as_version=4)
    made = originals(lesson)
    wrong, worth, known = [], {}, {}
    for number in range(count):
        rng = random.Random(f"{seed}-{number}")
        notebook, points = made[rng.choice(sorted(made))]
        place = Path(folder) / "mutants" / f"m{number:05}"
        place.mkdir(parents=True)
        (place / f"{NAME}.ipynb").write_bytes(mutant(notebook, rng))
        try:
            code = code_of(place, released)
        except Exception as error:
            wrong.append(f"mutant {number} stops repair: {type(error).__name__}: {error}")
            continue
        key = hashlib.sha256(repr((code, points)).encode()).hexdigest()
        known.setdefault(key, place)
        worth[place.name] = points
    alone = sorted(set(known.values()))
    tell(f"{count} mutants, {len(alone)} of which differ in what is run.")
    courses = []
    for start in range(0, len(alone), batch):
        course = with_gradebook(fresh, Path(folder) / f"batch-{start}")
        config = course.path / "nbgrader_config.py"
        config.write_text(config.read_text(encoding="utf-8") + CONFIG, encoding="utf-8")
        for place in alone[start : start + batch]:
            path = course.path / "submitted" / place.name / LESSON
            path.parent.mkdir(parents=True)
            place.rename(path)
        courses.append(course.path)
    graded = 0
    with ProcessPoolExecutor(processes) as pool:
        for marks in pool.map(grade_batch, courses):
            graded += len(marks)
            tell(f"{graded} of {len(alone)} graded")
            for student, scores in marks.items():
                most = worth[student]
                gains = {id: s for id, s in scores.items() if s > most[id] + 1e-9}
                if gains:
                    wrong.append(f"mutant {student} gains marks: {gains}")
    if graded != len(alone):
        wrong.append(f"{len(alone) - graded} mutants have no mark at all")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", default="0")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    say = functools.partial(print, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        fresh = released_course(Path(folder) / "fresh")
        wrong = fuzz(fresh, folder, args.count, args.seed, args.processes, tell=say)
    print("\n".join(wrong) or "No mutant stopped the class, none gained marks.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
