"""What people read after grading: the table of marks, the feedback pages, the CSV."""

import html
import shutil
import textwrap
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateFeedback

from autograder.course.release import api, gradebook
from autograder.grading.entering import INTERRUPTED, handed_in, load_marks, write_whole
from autograder.interpreter import tools_on_path
from autograder.judging.plan import points_in_words
from autograder.nbgrader_plugins import ExportMarks
from autograder.submissions import exchange
from autograder.submissions.inert import POLICY
from autograder.submissions.repair import printable
from backprop_kit.checking.causes import CAUSES


def marks_table(lesson, marks, people=None):
    """The marks of a class as a text table, with the likely mistakes in words."""
    shown = {mark.student: printable(mark.student) for mark in marks}
    width = max(map(len, [*shown.values(), "student"]))
    lines = [f"\n{lesson.id}", f"{'student':{width}}  points   likely mistakes"]
    lines.append("─" * len(lines[-1]))
    for mark in marks:
        notes = [*mark.flags, *lateness(mark), *likely_mistakes(mark)] or ["—"]
        points = f"{mark.score:g}/{mark.max:g}"
        who = f"({people[mark.student]}) " if people and mark.student in people else ""
        text = who + "; ".join(notes)
        folded = textwrap.wrap(text, 96) or [""]
        lines.append(
            f"{shown[mark.student]:{width}}  {points:>7}  {'⚑' if mark.flags else ' '}{folded[0]}"
        )
        lines += [" " * (width + 12) + line for line in folded[1:]]
        lines += [" " * (width + 12) + f"repaired: {repair}" for repair in mark.repairs]
    count = sum(bool(mark.flags) for mark in marks)
    looked = f"; {count} flagged ⚑ for a person to look at" if count else ""
    lines.append(f"{len(marks)} submissions graded{looked}.\n")
    return "\n".join(lines)


def lateness(mark):
    """['3 days late: −9 points'], or [] for who was in time."""
    if not mark.late:
        return []
    units = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
    unit, size = next((each for each in units if mark.late >= each[1]), units[-1])
    count = max(1, int(mark.late // size))
    time = f"{count} {unit}{'s' * (count > 1)} late"
    return [f"{time}: −{points_in_words(mark.penalty)}" if mark.penalty else time]


def likely_mistakes(mark):
    """['sign turned (add_mul, exp_model)', …]: the causes of lost points, most frequent first."""
    if mark.flags:
        return []
    by_cause = {}
    for id, result in mark.exercises.items():
        if result["cause"]:
            by_cause.setdefault(result["cause"], []).append(id)
    told = []
    for cause, ids in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        where = "all exercises" if len(ids) == len(mark.exercises) else ", ".join(ids)
        told.append(f"{CAUSES[cause][0]} ({where})")
    return told


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
    marks = load_marks(lesson.course).get(lesson.id, {})
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


def export(course, path):
    """Write all marks of the gradebook, and what was flagged, to a CSV file; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exporter = ExportMarks(to=str(path))
    exporter.flags = {
        lesson: {student: mark["flags"] for student, mark in marks.items()}
        for lesson, marks in load_marks(course).items()
    }
    with gradebook(course) as opened:
        exporter.export(opened)
    return path
