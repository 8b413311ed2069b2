"""check(...): what a student calls in a notebook to see how an answer is doing.

It runs the student's functions on the worked example of the text and on a few random inputs,
compares with the reference engine, and says in plain words what is right, what is likely wrong,
where it shows most, and what to try next. It never raises and never returns anything, so it can
stand in a cell that is run again and again.

One exception, on purpose: under nbgrader's Validate it must be able to fail, so there a check
that is not passed raises `CheckFailed`, which prints as the same sentences and no traceback.
"""

import html
import os
import re
import sys

import numpy as np

from backprop_kit import exercise as exercises
from backprop_kit.diagnose import ARGUMENTS, CALL_CAUSES, CAUSES, Trial, describe, examine
from backprop_kit.observe import observe

SEED = 7  # the same numbers each time a cell is run, so that a student can follow one case


class CheckFailed(AssertionError):
    """Raised instead of a display where a failed check must count: under nbgrader's Validate."""

    def _render_traceback_(self):
        return str(self).split("\n")


def check(id, *answers):
    """Check the answers to exercise `id`; prints a verdict and returns None.

    id: the exercise's id as on its card. answers: the functions you wrote, in the card's order.
    """
    report = report_on(id, *answers)
    if os.environ.get("NBGRADER_EXECUTION") == "validate" and not report.passed:
        error = NotImplementedError if report.blank else CheckFailed
        raise error(str(report))
    show(report)


def show(report):
    """Display in a notebook, print elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython and ipython.get_ipython():
        from IPython.display import display

        display(report)
    else:
        print(report)


def report_on(id, *answers):
    """The `Report` that `check` shows."""
    try:
        exercise = exercises.find(id)
    except KeyError as error:
        return Report(id, problem=error.args[0][0].upper() + error.args[0][1:] + ".")
    names = list(exercise.functions)
    if len(answers) != len(names):
        call = f'check("{id}", {", ".join(names)})'
        count = f"{len(names)} function{'s' if len(names) > 1 else ''}"
        return Report(id, problem=f"This check takes {count}: call {call}.")
    findings = {}
    count = 0
    cases = exercise.draw(np.random.default_rng(SEED))
    for function, answer in zip(exercise.functions.values(), answers, strict=True):
        if not callable(answer):
            problem = f"{function.name} should be your function, and is {describe(answer)}."
            return Report(id, problem=problem + " Pass the function itself, without calling it.")
        own = [case for case in cases if case.function == function.name]
        trials = [Trial(function, case, observe(answer, case.args)) for case in own]
        again = Trial(function, own[0], observe(answer, own[0].args))
        for label, finding in examine(trials, [(trials[0], again)]).items():
            if label != ARGUMENTS or (finding and finding.cause == "mutates-argument"):
                findings[function.name, label] = finding
        count += len(own)
    return Report(id, findings, count)


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
        """(kind, text) of each line: "ok", "wrong", "worst" or "next"."""
        if self.problem:
            return [("wrong", f"{self.id}: {self.problem}")]
        if self.passed:
            example = self.cases > 1
            inputs = f"the worked example and {self.cases - 1} other inputs"
            on = f" on {inputs}" if example else ""
            return [("ok", f"{self.id}: everything agrees{on}.")]
        if self.blank:
            missing = dict.fromkeys(f"`{name}`" for (name, _), f in self.findings.items() if f)
            return [
                ("todo", f"{self.id}: {', '.join(missing)} not written yet."),
                ("next", _sentence(CAUSES["not-implemented"][1])),
            ]
        found = []
        right = [label for (_, label), finding in self.findings.items() if not finding]
        told = {}
        for (function, label), finding in self.findings.items():
            if finding:
                pattern = re.sub(rf"\b{re.escape(label)}(?!\w)", "…", finding.evidence)
                told.setdefault((function, finding.cause, pattern), []).append(finding)
        for (function, cause, _), group in told.items():
            first = group[0]
            evidence = first.evidence
            if len(group) > 1 and cause not in CALL_CAUSES:
                others = ", ".join(finding.part for finding in group[1:])
                evidence = f"{evidence} The same holds for {others}."
            found.append(("wrong", f"{self.id}, {first.headline}: {evidence}"))
            if first.also:
                found.append(("also", first.doubt))
            if first.worst:
                spec = exercises.find(self.id).functions[function]
                found.append(("worst", worst_in_words(first, spec)))
        first = next(finding for finding in self.findings.values() if finding)
        found.append(("next", _sentence(first.next_step)))
        if right:
            found.append(("ok", f"Already right: {', '.join(right)}."))
        return found

    def __str__(self):
        marks = {"ok": "✔", "wrong": "✘", "todo": "☐", "next": "→ Next:"}
        return "\n".join(
            f"{marks[kind]} {text}" if kind in marks else f"  {text}" for kind, text in self.lines()
        )

    def __repr__(self):
        return str(self)

    def _repr_html_(self):
        marks = {"ok": "✔", "wrong": "✘", "todo": "☐", "next": "→ <b>Next:</b>"}
        edge = "#2e7d32" if self.passed else "#b26a00" if self.blank else "#b3261e"
        rows = "".join(
            f'<div style="margin:.15em 0 .15em {0 if kind in marks else 1.3}em">'
            f"{marks.get(kind, '')} {html.escape(text)}</div>"
            for kind, text in self.lines()
        )
        return f'<div style="border-left:4px solid {edge};padding:.2em .8em">{rows}</div>'


def _sentence(text):
    return text[0].upper() + text[1:] + ("" if text.endswith("?") else ".")


def worst_in_words(finding, function):
    """'At x = -2, y = 5: yours 4, expected -4.'"""
    case, index, yours, expected = finding.worst
    place = f"entry {_indices(index)}" if index not in (None, ()) else ""
    names = function.arguments
    shown = [
        f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
        for name, value in zip(names, case.args, strict=True)
        if np.ndim(value) == 0 and not callable(value)
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
    return f"{head}: yours {_number(yours)}, expected {_number(expected)}."


def _indices(index):
    return "[" + ", ".join(str(int(i)) for i in index) + "]"


def _number(value):
    return f"{value:.8g}" if isinstance(value, (float, np.floating)) else repr(value)
