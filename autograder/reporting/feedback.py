"""Write the feedback pages of a class: nbgrader's where there are marks, plain ones elsewhere."""

import html
import shutil
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback

from autograder.course import api, write_whole
from autograder.grading import INTERRUPTED, load_marks
from autograder.interpreter import tools_on_path
from autograder.submissions import exchange, handed_in, printable

from .policy import POLICY


class Page(NamedTuple):
    """A feedback page that was written. problem: why it is but a plain one; "" if it is not."""

    student: str
    path: Path
    problem: str = ""


def write_feedback(lesson, students=(), progress=lambda iterable: iterable):
    """Write a page for every graded submission of the lesson; returns the list of `Page`s.

    A student whose file could not be graded, or who has handed in another one since, gets a page
    that says so. Where grading was interrupted there is no page until it has been run again. What
    keeps a page from being made costs that page: a plain one stands in its place.
    """
    marks = load_marks(lesson.course, lesson)[lesson.id]
    wanted = [student for student in marks if not students or student in students]
    if not wanted:
        return []
    released = nbformat.read(lesson.release, as_version=4)
    course = api(lesson.course)
    pages = []
    for student in progress(wanted):
        mark, page = marks[student], lesson.feedback(student)
        shutil.rmtree(page.parent, ignore_errors=True)
        if INTERRUPTED in mark["flags"]:
            continue
        sent, problem = handed_in(lesson, student, released), ""
        if sent and sent.digest != mark.get("digest", ""):
            said = "You have handed in another file since. It has not been graded yet."
            _write_plain(page, lesson, NOT_GRADED, [said], sent)
        elif not lesson.autograded(student).is_file():
            _write_plain(page, lesson, NOT_GRADED, mark["flags"], sent)
        elif problem := _made_by_nbgrader(course, lesson, student):
            _write_plain(page, lesson, NOT_SHOWN, [], sent)
        pages.append(Page(student, page, problem))
    return pages


class FeedbackOfOne(GenerateFeedback):
    """nbgrader's step for one submission that is known. Nothing is looked for by a pattern, so a
    student's id may hold any character. problem: what kept the page from being made, which the
    error that `start` raises does not say."""

    problem = ""

    def __init__(self, notebook, **options):
        super().__init__(**options)
        self.notebook = notebook

    def init_notebooks(self):
        self.assignments = {str(self.notebook.parent): [str(self.notebook)]}

    def init_assignment(self, assignment_id, student_id):
        """Of what lies beside the graded notebook only the exchange's files go along."""
        folder = Path(self._format_dest(assignment_id, student_id))
        exchange.copy(self.notebook.parent, folder)

    def convert_single_notebook(self, notebook_filename):
        try:
            super().convert_single_notebook(notebook_filename)
        except MissingEntry:
            self.problem = "it is not in the gradebook; `autograder grade` enters it again"
            raise
        except Exception as error:
            self.problem = printable(f"{type(error).__name__}: {error}")[:300]
            raise


def _made_by_nbgrader(course, lesson, student):
    """Have nbgrader make a page; returns why it could not be made, "" if it was."""
    step = FeedbackOfOne(
        lesson.autograded(student), coursedir=course.coursedir, parent=course, force=True
    )
    try:
        with tools_on_path():
            step.start()
    except Exception as error:  # whatever it is, the others get their pages
        return step.problem or printable(f"{type(error).__name__}: {error}")[:300]
    return "" if lesson.feedback(student).is_file() else "nbgrader has left it out"


NOT_GRADED = (
    "not graded yet",
    "Your submission could not be graded by the machine. A person will look at it.",
    "What you can do: open your notebook, run all cells, save it, and hand it in again.",
)
NOT_SHOWN = (
    "no page yet",
    "Your submission was graded, and the page that shows it could not be made.",
    "Your instructor knows. You need not do anything.",
)


def _write_plain(page, lesson, words, listed, submission):
    """Write a page without marks, so that nobody is left without a word.

    words: what is the matter, in a few words and in a sentence, and what to do. listed: more about
    it. submission: what lies in `submitted/`, whose exchange takes the page back; or None.
    """
    title, sentence, to_do = words
    listed = "".join(f"<li>{html.escape(each)}</li>" for each in listed)
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{html.escape(lesson.id)}</title></head>
<body style="font-family: sans-serif; max-width: 45em; margin: 2em auto">
<h1>{html.escape(lesson.id)}: {title}</h1>
<p>{sentence}</p>
{f"<ul>{listed}</ul>" if listed else ""}
<p>{to_do}</p>
</body></html>
"""
    write_whole(page, text)
    if submission:
        exchange.lay_beside(page.parent, submission.secret, submission.handed_in)
    exchange.complete(page.parent)
