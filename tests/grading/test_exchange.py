"""nbgrader's exchange, with nbgrader's own commands: a lesson goes out, feedback comes back.

Beside the student who uses the exchange there is one who has sent the file by mail. The marks are
given once by `autograder`, once by `nbgrader autograde`; the page must reach its student both ways.
"""

import contextlib
import getpass
import os
import shutil
import sys
from unittest.mock import patch

import nbformat
import pytest
from helpers import LESSON, environment, lean, with_gradebook
from jupyter_core.application import NoStart
from nbgrader.apps import NbGraderApp

from autograder import cli
from autograder.submissions import grade_id, is_solution
from autograder.submissions.exchange import FILES, SECRET

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the exchange needs POSIX")

BY_MAIL = "aaron"  # before the other in the alphabet: his folder is met first


class Place:
    """A folder in which somebody runs nbgrader's commands (in this process, which is quicker)."""

    def __init__(self, folder, exchange):
        self.folder = folder
        home = folder.parent / f"home-of-{folder.name}"
        self.options = [f"--Exchange.root={exchange}", f"--Exchange.cache={home / 'cache'}"]
        self.options += ["--CourseDirectory.course_id=backprop-course"]
        self.environment = {**environment(), "JUPYTER_CONFIG_DIR": str(home / "jupyter")}

    def __call__(self, *command):
        app = NbGraderApp.instance()
        try:
            with (
                contextlib.chdir(self.folder),
                patch.dict(os.environ, self.environment),
                contextlib.suppress(NoStart),  # so an application ends that a command has served
            ):
                app.initialize([*command, *self.options])
                app.start()
        finally:
            NbGraderApp.clear_instance()


@pytest.fixture(scope="module")
def term(fresh, tmp_path_factory):
    """(the instructor's place, the student's, the lesson): handed in and collected."""
    folder = tmp_path_factory.mktemp("term")
    exchange = folder / "exchange"
    exchange.mkdir()
    exchange.chmod(0o777)
    course = with_gradebook(fresh, folder)
    lesson = course.lessons([LESSON])[0]
    # A lesson that needs no time to be run: as it is, without prose and plots.
    nbformat.write(lean(nbformat.read(lesson.release, as_version=4)), lesson.release)
    instructor = Place(course.path, exchange)
    (folder / "student").mkdir()
    student = Place(folder / "student", exchange)

    instructor("release_assignment", LESSON)
    student("fetch_assignment", LESSON)
    path = student.folder / LESSON / lesson.release.name
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if is_solution(cell) and grade_id(cell) == "add_mul":
            cell.source = lesson.reference()["add_mul"]
    nbformat.write(notebook, path)
    student("submit", LESSON)
    instructor("collect", LESSON)

    sent = lesson.submission(BY_MAIL)
    (sent.parent / "deeper").mkdir(parents=True)
    shutil.copy(path, sent)
    for name in ("notes.txt", f"deeper/{SECRET}"):
        (sent.parent / name).write_text("x" * 128, encoding="utf-8")
    (sent.parent / SECRET).symlink_to(course.path / "nbgrader_config.py")
    return instructor, student, lesson


def by_autograder(instructor, lesson):
    course = ["--course", str(instructor.folder)]
    assert cli.main([*course, "grade", LESSON]) == 0
    assert cli.main([*course, "feedback", LESSON]) == 0


def by_nbgrader(instructor, lesson):
    instructor("autograde", LESSON, "--create", "--force")
    instructor("generate_feedback", LESSON, "--force")


def pages_of(student):
    return sorted((student.folder / LESSON / "feedback").rglob("*.html"))


@pytest.mark.parametrize("way", [by_autograder, by_nbgrader])
def test_feedback_goes_back_through_the_exchange(term, way):
    instructor, student, lesson = term
    shutil.rmtree(student.folder / LESSON / "feedback", ignore_errors=True)
    way(instructor, lesson)
    instructor("release_feedback", LESSON)
    student("fetch_feedback", LESSON)
    (page,) = pages_of(student)
    assert "2 of 18 points" in page.read_text(encoding="utf-8")
    own, other = ((lesson.feedback(who).parent / SECRET).read_text() for who in (ME, BY_MAIL))
    assert own == (lesson.submission(ME).parent / SECRET).read_text()
    assert other.isalnum(), "not what the link leads to"
    assert other not in (own, "x" * 128)
    beside = {path.name for path in lesson.feedback(BY_MAIL).parent.rglob("*") if path.is_file()}
    assert beside == {lesson.feedback(BY_MAIL).name, *FILES}, "what was sent along stays behind"


ME = getpass.getuser()


def test_also_a_page_that_says_nothing_could_be_graded_goes_back(term):
    instructor, student, lesson = term
    path = student.folder / LESSON / lesson.release.name
    path.write_text("no notebook", encoding="utf-8")
    student("submit", LESSON)
    instructor("collect", LESSON, "--update")
    before = {page: page.read_text(encoding="utf-8") for page in pages_of(student)}
    by_autograder(instructor, lesson)
    instructor("release_feedback", LESSON)
    student("fetch_feedback", LESSON)
    (new,) = set(pages_of(student)) - set(before)
    assert "A person will look at it" in new.read_text(encoding="utf-8")
    for page, text in before.items():
        assert page.read_text(encoding="utf-8") == text, "the page of the earlier file stays"
