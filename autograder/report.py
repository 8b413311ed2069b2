"""What people read after grading: the table of marks, the feedback pages, the CSV."""

import html
import shutil
import textwrap

from autograder.grading import INTERRUPTED, load_marks, outdated, write_whole
from autograder.inert import POLICY
from autograder.nbgrader_plugins import ExportMarks
from autograder.release import api, gradebook, run
from backprop_kit.causes import CAUSES


def marks_table(lesson, marks, people=None):
    """The marks of a class as a text table, with the likely mistakes in words."""
    width = max([len(mark.student) for mark in marks] + [len("student")])
    lines = [f"\n{lesson.id}", f"{'student':{width}}  points   likely mistakes"]
    lines.append("─" * len(lines[-1]))
    for mark in marks:
        notes = [*mark.flags, *likely_mistakes(mark)] or ["—"]
        points = f"{mark.score:g}/{mark.max:g}"
        who = f"({people[mark.student]}) " if people and mark.student in people else ""
        text = who + "; ".join(notes)
        folded = textwrap.wrap(text, 96) or [""]
        lines.append(
            f"{mark.student:{width}}  {points:>7}  {'⚑' if mark.flags else ' '}{folded[0]}"
        )
        lines += [" " * (width + 12) + line for line in folded[1:]]
        lines += [" " * (width + 12) + f"repaired: {repair}" for repair in mark.repairs]
    count = sum(bool(mark.flags) for mark in marks)
    looked = f"; {count} flagged ⚑ for a person to look at" if count else ""
    lines.append(f"{len(marks)} submissions graded{looked}.\n")
    return "\n".join(lines)


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


def write_feedback(lesson, students=(), progress=lambda iterable: iterable):
    """Write a page for every graded submission of the lesson; returns the pages' paths.

    A student whose file could not be graded, or who has handed in another one since, gets a page
    that says so. Where grading was interrupted there is no page until it has been run again.
    """
    marks = load_marks(lesson.course).get(lesson.id, {})
    wanted = [student for student in marks if not students or student in students]
    newer = outdated(lesson)
    pages = []
    for student in progress(wanted):
        page = lesson.feedback(student)
        shutil.rmtree(page.parent, ignore_errors=True)
        if INTERRUPTED in marks[student]["flags"]:
            continue
        if student in newer:
            flags = ["You have handed in another file since. It has not been graded yet."]
            write_whole(page, _page_without_marks(lesson, flags))
        elif lesson.autograded(student).is_file():
            run(api(lesson.course).generate_feedback, lesson.id, student, force=True)
        else:
            write_whole(page, _page_without_marks(lesson, marks[student]["flags"]))
        pages.append(page)
    return pages


def _page_without_marks(lesson, flags):
    """A page for a submission that could not be graded, so that nobody is left without a word."""
    listed = "".join(f"<li>{html.escape(flag)}</li>" for flag in flags)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{html.escape(lesson.id)}</title></head>
<body style="font-family: sans-serif; max-width: 45em; margin: 2em auto">
<h1>{html.escape(lesson.id)}: not graded yet</h1>
<p>Your submission could not be graded by the machine. A person will look at it.</p>
<ul>{listed}</ul>
<p>What you can do: open your notebook, run all cells, save it, and hand it in again.</p>
</body></html>
"""


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
