"""The marks of a class as a table of text, with the likely mistakes in words."""

import textwrap

from autograder.judging import points_in_words
from autograder.submissions import printable
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
