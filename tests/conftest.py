"""What several test files share: the lessons as they are, and two classes that are graded once.

Grading starts a kernel for each submission, which takes seconds, so it is done once a session: the
class of the demo (`demo`), and a class of hostile, broken and unlucky submissions (`odd_class`) in
a course whose hidden cases are drawn from a fixed seed.
"""

import contextlib
import io
from functools import cache

import nbformat
import pytest
import workers
from helpers import (
    LESSON,
    SEED,
    Graded,
    Said,
    executed,
    odd_submissions,
    prose_of,
    said,
    with_gradebook,
)

from autograder import cli
from autograder.course import Course, make_release, reference_solutions
from autograder.grading import grade_class, load_marks
from autograder.rehearsal import answered, make_course
from autograder.running import Trials
from backprop_kit.pictures import trace


def pytest_configure(config):
    config.addinivalue_line("markers", "together(name): these tests run in one worker")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    return workers.how_many()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return workers.scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        workers.spread(config, items)


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
    """A copy of the course whose lessons have all been released just now; for reading only."""

    def make(folder):
        for each in make_course(folder / "course").lessons():
            make_release(each)

    return Course(workers.made_once(tmp_path_factory, "fresh", make) / "course")


@pytest.fixture(scope="session")
def released(fresh):
    """The path of lesson 01 as it is released now."""
    return fresh.lessons([LESSON])[0].release


@pytest.fixture
def small(fresh, tmp_path):
    """A released course, its lesson 01, with nobody in it; a new one for each test."""
    return with_gradebook(fresh, tmp_path).lessons([LESSON])[0]


@pytest.fixture
def blank(released):
    """Lesson 01 as a student gets it; a new copy for each test."""
    return nbformat.read(released, as_version=4)


@pytest.fixture
def noting():
    """The engine takes its notes for pictures, as it does once `draw` has been imported."""
    with trace.notes():
        yield


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
