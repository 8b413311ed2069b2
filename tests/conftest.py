"""What several test files share: the lessons as they are, and two classes that are graded once.

Grading starts a kernel for each submission, which takes seconds, so it is done once a session: the
class of the demo (`demo`), and a class of hostile, broken and unlucky submissions (`odd_class`) in
a course whose hidden cases are drawn from a fixed seed.
"""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from autograder import cli
from autograder.course import ROOT, Course, Lesson, reference_solutions
from autograder.demo import answered, make_course
from autograder.grading import grade_class, load_marks
from autograder.release import release
from autograder.repair import grade_id, is_solution, is_test
from autograder.trial import Trials
from backprop_kit import trace
from backprop_kit.checks import report_on

LESSON = "01_scalar_graphs"
SEED = 20


def pytest_configure(config):
    # nbgrader's own use of its database library; the command line hides it as well
    config.addinivalue_line("filterwarnings", "ignore:Object of type .* not in session")


@pytest.fixture(scope="session")
def lesson():
    """Lesson 01 of the repository, for reading only."""
    return Course().lessons([LESSON])[0]


@pytest.fixture(scope="session")
def reference(lesson):
    """{exercise id: reference solution} of lesson 01."""
    return lesson.reference()


@pytest.fixture(scope="session")
def references():
    """{exercise id: reference solution} of the whole course."""
    return reference_solutions()


@pytest.fixture(scope="session")
def trials():
    """One process that judges answers given as text."""
    with Trials() as running:
        yield running


@pytest.fixture(scope="session")
def fresh(tmp_path_factory):
    """A copy of the course whose lessons have all been released just now."""
    course = make_course(tmp_path_factory.mktemp("fresh") / "course")
    for each in course.lessons():
        release(each)
    return course


@pytest.fixture(scope="session")
def released(fresh):
    """The path of lesson 01 as it is released now."""
    return fresh.lessons([LESSON])[0].release


@pytest.fixture
def blank(released):
    """Lesson 01 as a student gets it; a new copy for each test."""
    return nbformat.read(released, as_version=4)


@pytest.fixture
def noting():
    """The engine takes its notes for pictures, as it does once `draw` has been imported."""
    with trace.notes():
        yield


# ---------------------------------------------------------------- lessons as they run


def prose_of(notebook):
    """All text of a notebook that is no code."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def executed(notebook):
    """Run a notebook as a student would: all cells, whatever fails."""
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    return notebook


@pytest.fixture(scope="session")
def run_blank(fresh):
    """run_blank(lesson id): its release, executed; once, however often it is asked for."""

    @cache
    def run(id):
        (lesson,) = fresh.lessons([id])
        return executed(nbformat.read(lesson.release, as_version=4))

    return run


@pytest.fixture(scope="session")
def run_solved(fresh, run_blank):
    """run_solved(lesson id): its release with the reference answers, executed; once as well."""

    @cache
    def run(id):
        (lesson,) = fresh.lessons([id])
        if not lesson.exercises():
            return run_blank(id)
        return executed(answered(lesson, lesson.reference()))

    return run


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


@pytest.fixture(scope="module")
def told_blank(request, run_blank):
    """What the cells of the test file's LESSON put out before anything is answered."""
    return said(run_blank(request.module.LESSON))


@pytest.fixture(scope="module")
def told_solved(request, run_solved):
    """The same with the reference answers."""
    return said(run_solved(request.module.LESSON))


@pytest.fixture(scope="module")
def prose(request):
    """The text of the test file's LESSON."""
    return prose_of(Course().lessons([request.module.LESSON])[0].read())


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


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """`autograder demo`, run once, over what an interrupted run may have left behind."""
    folder = tmp_path_factory.mktemp("demo")
    make_course(folder / "course")
    left = folder / "course" / "submitted" / "zoe" / LESSON
    left.mkdir(parents=True)
    (left / "scalar_graphs.ipynb").write_text("{}", encoding="utf-8")
    (folder / "course" / "gradebook.db").write_text("not a database", encoding="utf-8")
    (folder / "course" / "nbgrader_config.py").write_text("", encoding="utf-8")

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        status = cli.main(["demo", "--to", str(folder)])
    course = Course(folder / "course")
    made = course.lessons([LESSON])[0]
    marks = load_marks(course)[LESSON]
    return Graded(course, made, marks, said.getvalue(), status)


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


@pytest.fixture(scope="session")
def odd_class(fresh, tmp_path_factory):
    """Hostile, broken and unlucky submissions, graded by cases drawn from SEED."""
    course = with_gradebook(fresh, tmp_path_factory.mktemp("odd"))
    config = course.path / "nbgrader_config.py"
    extra = f"c.JudgedExecute.seed = {SEED}\nc.JudgedExecute.seconds = 1.0\nc.Execute.timeout = 4\n"
    config.write_text(config.read_text(encoding="utf-8") + extra, encoding="utf-8")
    made = course.lessons([LESSON])[0]
    for student, notebook in odd_submissions(made).items():
        path = made.submission(student)
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
    nobody = made.submission("empty").parent
    nobody.mkdir(parents=True)
    (nobody / "answers.docx").write_bytes(b"PK\x03\x04")
    grade_class(made)
    return Graded(course, made, load_marks(course)[LESSON])


# ---------------------------------------------------------------- the command line


@dataclass
class Said:
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """Run one command of the command line in this process."""

    def call(*args):
        capsys.readouterr()
        try:
            status = cli.main([str(arg) for arg in args])
        except SystemExit as stop:  # argparse ends the process for --help and for wrong usage
            status = stop.code
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return call


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
