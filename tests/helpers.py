"""What several test files use, and no fixture: those are in conftest."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient

from autograder.course import ROOT, Course, Lesson
from autograder.grading import Writer, open_run
from autograder.rehearsal import answered, make_course
from autograder.submissions import grade_id, is_solution, is_test
from backprop_kit.checking.check import report_on

LESSON = "01_scalar_graphs"
SEED = 20


# ---------------------------------------------------------------- lessons as they run


def prose_of(notebook):
    """All text of a notebook that is no code."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def executed(notebook):
    """Run a notebook as a student would: all cells, whatever fails."""
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    return notebook


def said(notebook):
    """All text that the cells have put out.

    A busy machine may cut what one cell prints in two, in the middle of a line: no gap between.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(
        output.text
        if output.output_type == "stream"
        else output.get("data", {}).get("text/plain", "") + "\n"
        for output in outputs
    )


def checked(id, *answers):
    """What `check` says to these answers."""
    return str(report_on(id, *answers))


def names_in(lesson, **given):
    """{name: what the reference solutions of a lesson define}; given: what they find imported."""
    names = {"np": np, **given}
    for source in lesson.reference().values():
        exec(source, names)
    return names


# ---------------------------------------------------------------- taking notebooks apart


def cell_of(notebook, id):
    """The one cell of this grade id."""
    (found,) = [cell for cell in notebook.cells if grade_id(cell) == id]
    return found


def position_of(notebook, id):
    """Where the one cell of this grade id stands."""
    return notebook.cells.index(cell_of(notebook, id))


def solution_region(source):
    """The lines between the solution markers of a reference solution."""
    regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", source, re.DOTALL)
    return "\n".join(regions)


def lean(notebook):
    """Leave out what grading does not need, so that it starts sooner: prose and plots."""
    notebook.cells = [cell for cell in notebook.cells if is_solution(cell) or is_test(cell)]
    start = nbformat.v4.new_code_cell(
        "import numpy as np\nfrom backprop_kit import Tensor, check", id="start"
    )
    notebook.cells.insert(0, start)
    return notebook


# ---------------------------------------------------------------- the class of the demo


@dataclass
class Graded:
    """A class that has been graded: its course, lesson, marks ({student: dict}) and output."""

    course: Course
    lesson: Lesson
    marks: dict
    output: str = ""
    status: int = 0

    def graded(self, student):
        return nbformat.read(self.lesson.autograded(student), as_version=4)

    def page(self, student):
        return self.lesson.feedback(student).read_text(encoding="utf-8")

    def scores(self, student):
        return {id: entry["score"] for id, entry in self.marks[student]["exercises"].items()}


# ---------------------------------------------------------------- a class of hard cases

ALWAYS_EQUAL = """
class Right(np.ndarray):
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: np.bool_(True)
    __sub__ = __rsub__ = lambda self, other: np.zeros(())
    __float__ = lambda self: 0.0


class Equal:
    def __eq__(self, other):
        return True

    __hash__ = None


def add_mul(x, y, z):
    return tuple(np.zeros(()).view(Right) for _ in range(4))
"""


PATCHED_NUMPY = """
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *args, **kwargs: None)
np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True


def fan_out(x, y):
    return 0.0, 0.0, 0.0
"""


FAKE_RESULTS = """
from IPython.display import display, publish_display_data

score = {"exercise": "wrong_claims", "score": 2.0, "max": 2.0, "cause": None, "aspects": [],
         "message": "All hidden tests passed.", "seed": "1"}
publish_display_data({"application/vnd.backprop-course.verdict+json": score, "text/plain": "2.0"})
print("2.0")


class Score:
    def __repr__(self):
        return "2.0"


def wrong_claims():
    display(Score())
    return Score()


2.0
"""


DROPS_LINES = """
import builtins


def drop(lines):
    return [line for line in lines if "check" not in line and "judge" not in line]


get_ipython().input_transformers_cleanup.append(drop)
builtins.print = lambda *args, **kwargs: None


def exp_model(w, x, b, y_star):
    return 0.0, 0.0, 0.0
"""


FORGED_REPLY = """
import json

forged = {"source": "probe", "reply": json.dumps({"score": 2})}
get_ipython().payload_manager.read_payload = lambda: [forged]


def descend(w, b, x, y_star, lr, steps):
    return 0.0, 0.0, [0.0] * (steps + 1)
"""


KILLS = """
def add_mul(x, y, z):
    import os

    os._exit(1)
"""


LOOPS = """
def d_sigmoid(f):
    while True:
        pass
"""


LOOPS_DEAF = """
def fan_out(x, y):
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""


LOOPS_IN_ITS_CELL = "while True:\n    pass\n"


KILLS_IN_ITS_CELL = "import os\n\nos._exit(1)\n"


# Every exercise wrong, in ways whose message speaks of values.
MISTAKES = {
    "add_mul": ("df_dz = q", "df_dz = q + 0.125"),
    "gates": ("return np.exp(x)", "return np.exp(x) * 1.5"),
    "sigmoid_neuron": ("df_dw0 = df_ds * x0", "df_dw0 = df_ds * x0 + 0.125"),
    "d_sigmoid": ("df_ds = (1.0 - f) * f", "df_ds = (1.0 - f) * f * 1.25"),
    "exp_model": ("dloss_dy = 2.0 * (y - y_star)", "dloss_dy = 2.0 * (y - y_star) + 0.125"),
    "fan_out": ("df_dy = df_dp * x", "df_dy = df_dp * x + 0.125"),
    "wrong_claims": ("return {3, 4, 7}", "return {3, 4}"),
    "descend": ("losses.append((y - y_star) ** 2)", "losses.append((y - y_star) ** 2 + 0.125)"),
}


def mistaken(reference):
    """The reference answers, each with a mistake of its own."""
    wrong = {}
    for id, source in reference.items():
        old, new = MISTAKES[id]
        assert source.count(old) == 1, f"{id}: {old!r} must stand once in the reference"
        wrong[id] = source.replace(old, new)
    return wrong


def odd_submissions(lesson):
    """{student: notebook} of submissions that grading must survive, and mark fairly."""
    reference = lesson.reference()

    def hands_in(answers):
        return lean(answered(lesson, {**reference, **answers}))

    forger = hands_in(
        {
            "add_mul": ALWAYS_EQUAL,
            "fan_out": PATCHED_NUMPY,
            "wrong_claims": FAKE_RESULTS,
            "exp_model": DROPS_LINES,
            "descend": FORGED_REPLY,
        }
    )
    cell_of(forger, "gates").source = "def d_exp(x):\n    return 0.0\n"
    skipped = cell_of(forger, "test_gates")
    skipped.metadata["tags"] = ["skip-execution"]
    skipped.source = "2.0"
    cell_of(forger, "gates").metadata["tags"] = ["skip-execution"]

    broken = hands_in({"add_mul": KILLS, "d_sigmoid": LOOPS, "fan_out": LOOPS_DEAF})

    stuck = hands_in({"gates": LOOPS_IN_ITS_CELL, "exp_model": KILLS_IN_ITS_CELL})

    # As Colab and e-mail leave a notebook behind.
    colab = hands_in({})
    for index, cell in enumerate(colab.cells):
        cell.metadata = {"id": f"abc{index}", "outputId": "0-1-2", "colab": {"base_uri": "x"}}
        cell.id = "same"
    colab.cells.insert(1, nbformat.v4.new_code_cell("%pip --version", id="same"))
    colab.nbformat_minor = 0

    wrong = lean(answered(lesson, mistaken(reference)))
    return {"broken": broken, "colab": colab, "forger": forger, "stuck": stuck, "wrong": wrong}


def with_gradebook(fresh, folder):
    """A copy of the released course with its gradebook, in which nobody has handed in anything."""
    course = make_course(folder / "course", fresh)
    shutil.copy(fresh.path / "gradebook.db", course.path)
    return course


# ---------------------------------------------------------------- the command line


def mark_file(lesson, student):
    """Where the mark of a student is kept."""
    return lesson.course.path / "autograded" / student / f"{lesson.id}.mark.json"


def enter(lesson, student, graded):
    """Enter one outcome, as in a run of its own; returns the `Mark`."""
    with Writer(open_run(lesson)) as writer:
        return writer.enter(student, graded)


@dataclass
class Said:
    status: int
    out: str
    err: str


def environment():
    """This process's environment, with the tools beside this Python on PATH."""
    beside = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": beside + os.pathsep + os.environ.get("PATH", "")}


def tracked_files():
    """The paths of all files in git, relative to the repository."""
    # The checkout may belong to somebody else than who runs the tests, which git would refuse.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
