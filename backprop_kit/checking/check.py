"""check(...): what a student calls in a notebook to see how an answer is doing.

It runs the student's functions on the worked example of the text and on a few random inputs,
compares with the reference engine, and says in plain words what is right, what is likely wrong,
where it shows most, and what to try next. It never raises and never returns anything, so it can
stand in a cell that is run again and again.

One exception, on purpose: under nbgrader's Validate it must be able to fail, so there a check
that is not passed raises `CheckFailed`, which prints as the same sentences and no traceback.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
import textwrap
from typing import Any

import numpy as np

from backprop_kit.display import display
from backprop_kit.engine.tensor import engine_off

from . import exercise as exercises
from .causes import listed
from .compare import Trial, counted, describe
from .diagnose import ARGUMENTS, examine
from .observe import observe

SEED = 7  # the same numbers each time a cell is run, so that a student can follow one case


class CheckFailed(AssertionError):
    """Raised instead of a display where a failed check must count: under nbgrader's Validate."""

    def _render_traceback_(self):
        lines = str(self).split("\n")
        return [row for line in lines for row in textwrap.wrap(line, 88, subsequent_indent="  ")]


class NotWritten(CheckFailed, NotImplementedError):
    """The same for an exercise that has not been begun."""


def check(id: str, *answers: Any) -> None:
    """Check the answers to exercise `id`; prints a verdict and returns None.

    id: the exercise's id as on its card. answers: the functions you wrote, in the card's order.
    """
    try:
        report = report_on(id, *answers)
    except Exception as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        problem = f"what came back cannot be compared ({said}). Please show it to your instructor."
        report = Report(id, problem=problem)
    if os.environ.get("NBGRADER_EXECUTION") == "validate" and not report.passed:
        failed = NotWritten if report.blank else CheckFailed
        raise failed(str(report))
    display(report)


def report_on(id: str, *answers: Any) -> Report:
    """The `Report` that `check` shows."""
    try:
        exercise = exercises.find(id)
    except KeyError as error:
        return Report(id, problem=error.args[0][0].upper() + error.args[0][1:] + ".")
    names = list(exercise.functions)
    if len(answers) != len(names):
        call = f'check("{id}", {", ".join(names)})'
        takes = counted(len(names), kind_of(names[0]), "functions")
        return Report(id, problem=f"This check takes {takes}: call {call}.")
    findings = {}
    count = 0
    cases = exercise.draw(np.random.default_rng(SEED))
    written = dict(zip(names, answers, strict=True))
    for function, answer in zip(exercise.functions.values(), answers, strict=True):
        if not callable(answer):
            kind = kind_of(function.name)
            problem = f"{function.name} should be your {kind}, and is {describe(answer)}."
            return Report(id, problem=f"{problem} Pass the {kind} itself, without calling it.")
        own = [case for case in cases if case.function == function.name]
        try:
            call = function.caller(written)
            with engine_off() if exercise.by_hand else contextlib.nullcontext():
                seen = [observe(answer, case.args, call) for case in [*own, own[0]]]
        except KeyboardInterrupt:
            text = (
                f"stopped by you while {function.name} was running. Does each loop come to an end?"
            )
            return Report(id, problem=text)
        *trials, again = map(Trial, [function] * len(seen), [*own, own[0]], seen)
        for label, finding in examine(trials, [(trials[0], again)]).items():
            if label != ARGUMENTS or (finding and finding.cause == "mutates-argument"):
                findings[function.name, label] = finding
        count += len(own)
    return Report(id, findings, count)


def kind_of(name):
    """What a name of the stubs stands for: "class" or "function"."""
    return "class" if name[0].isupper() else "function"


class Report:
    """What `check` found: findings by (function, part), or a problem with the call itself."""

    def __init__(self, id, findings=None, cases=0, problem=None):
        self.id = id
        self.findings = findings or {}
        self.cases = cases
        self.problem = problem

    @property
    def passed(self):
        return not self.problem and not any(self.findings.values())

    @property
    def blank(self):
        """Whether nothing has been written yet."""
        wrong = [finding for finding in self.findings.values() if finding]
        return bool(wrong) and all(finding.cause == "not-implemented" for finding in wrong)

    def lines(self):
        """(kind, text) of each line: "ok", "todo", "wrong", "also", "worst" or "next"."""
        if self.problem:
            return [("wrong", f"{self.id}: {self.problem}")]
        if self.passed:
            others = self.cases - len(exercises.find(self.id).functions)
            on = f" on the worked example and {others} other inputs" if others else ""
            return [("ok", f"{self.id}: everything agrees{on}.")]
        lines = []
        told = {
            id(finding): (function, finding)
            for (function, _), finding in self.findings.items()
            if finding
        }
        # What another finding tells as well, as it does of an error, is not told twice.
        distinct = [
            (function, finding)
            for function, finding in told.values()
            if not any(finding.told_by(other) for _, other in told.values())
        ]
        for function, finding in distinct:
            if finding.cause == "not-implemented":
                lines.append(("todo", f"{self.id}, {finding.headline}: {finding.evidence}"))
            else:
                lines.append(("wrong", f"{self.id}, {finding.headline}: {finding.evidence}"))
            if finding.also:
                lines.append(("also", finding.doubt))
            if finding.worst:
                spec = exercises.find(self.id).functions[function]
                lines.append(("worst", worst_in_words(finding, spec)))
        (function, first), *more = distinct
        differ = any(finding.next_step != first.next_step for _, finding in more)
        about = f"({listed(first.parts) or function}) " if differ else ""
        lines.append(("next", about + first.advice))
        right = [label for (_, label), finding in self.findings.items() if not finding]
        if right:
            lines.append(("ok", f"Already right: {', '.join(right)}."))
        return lines

    def __str__(self):
        return as_text(self.lines())

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        colour = "passed" if self.passed else "blank" if self.blank else "wrong"
        return boxed(as_rows(self.lines()), colour)


MARKS = {"ok": "✔", "wrong": "✘", "todo": "☐", "next": "→ Next:"}


def as_text(lines):
    """Lines (kind, text) under their marks; what has no mark of its own is set in."""
    return "\n".join(f"{MARKS.get(kind, ' ')} {text}" for kind, text in lines)


def as_rows(lines):
    """The same as HTML."""
    return "".join(
        f'<div style="margin:.15em 0 .15em {0 if kind in MARKS else 1.3}em">'
        f"{MARKS.get(kind, '').replace('Next:', '<b>Next:</b>')} {with_code(text)}</div>"
        for kind, text in lines
    )


# Each stands out on white and on black alike; the marks say the same without colour.
EDGES = {"passed": "#3c9a42", "blank": "#b26a00", "wrong": "#d64545"}


def boxed(content, colour):
    """HTML with an edge in one of the EDGES."""
    return f'<div style="border-left:4px solid {EDGES[colour]};padding:.2em .8em">{content}</div>'


def with_code(text):
    """Text as HTML, `code` in backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


def worst_in_words(finding, function):
    """'At x = -2, y = 5: yours 4, expected -4.'"""
    case, index, yours, expected = finding.worst
    place = f"entry {_indices(index)}" if index not in (None, ()) else ""
    if place and function.place:
        place = function.place(finding.parts[0], index, case)
    names = function.arguments
    shown = [
        f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in zip(names, case.args, strict=True)
        if _is_shape(value)
        or not (isinstance(value, list | tuple | dict) or np.ndim(value) or callable(value))
    ]
    shapes = [
        f"{name} of shape {value.shape}"
        for name, value in zip(names, case.args, strict=True)
        if isinstance(value, np.ndarray) and value.ndim
    ]
    where = ", ".join([*shown, *shapes])
    head = f"At {where}" if where else "Here"
    if place:
        head += f", {place}"
    digits = 8
    if isinstance(yours, float) and abs(yours - expected) < 1e-6 * abs(expected):
        digits = 15  # enough to see the difference
    return f"{head}: yours {_number(yours, digits)}, expected {_number(expected, digits)}."


def _is_shape(value):
    return isinstance(value, tuple | list) and all(isinstance(n, int) for n in value)


def _indices(index):
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def _number(value, digits):
    return f"{value:.{digits}g}" if isinstance(value, (float, np.floating)) else repr(value)
