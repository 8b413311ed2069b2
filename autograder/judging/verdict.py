"""The verdict: points for each aspect, and words; as text, as HTML and as nbgrader's number."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from backprop_kit.checking.check import as_rows, as_text, boxed

if TYPE_CHECKING:
    from .plan import Plan

MIME = "application/vnd.backprop-course.verdict+json"


class AspectVerdict:
    """One aspect: its name, whether it is earned, its points (earned), and why not."""

    def __init__(self, aspect, findings):
        wrong = [findings[part] for part in aspect.parts if findings.get(part)]
        self.name = aspect.name
        self.worth = aspect.points
        self.ok = not wrong
        self.points = aspect.points if self.ok else 0.0
        self.finding = wrong[0] if wrong else None
        self.message = self.finding.message if self.finding else ""

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "points": self.points, "message": self.message}


class Verdict:
    """What an answer gets, and what its student reads. Holds no hidden number.

    score, max: points. cause: the main cause, or None where all is right. message: a sentence or
    two. aspects: a list of `AspectVerdict`. seed: draws the same cases again.
    """

    def __init__(self, plan: Plan, findings: dict[tuple[str, str], Any]) -> None:
        self.exercise = plan.exercise.id
        self.seed = plan.seed
        self.max = float(plan.exercise.points)
        self.aspects = [AspectVerdict(aspect, findings) for aspect in plan.test.aspects]
        self.score = round(min(self.max, sum(aspect.points for aspect in self.aspects)), 6)
        self.main = self._main()
        self.cause = self.main.cause if self.main else None
        self.message = self._message()

    def _main(self):
        """The finding that costs most; among equals the one that stands first."""
        weight = {}
        for aspect in self.aspects:
            if aspect.finding:
                cause = aspect.finding.cause
                weight[cause] = weight.get(cause, 0) + aspect.worth
        if not weight:
            return None
        heaviest = max(weight, key=weight.__getitem__)
        return next(a.finding for a in self.aspects if a.finding and a.finding.cause == heaviest)

    def _message(self):
        if not self.main:
            return "All hidden tests passed."
        return self.main.message

    def as_dict(self) -> dict[str, Any]:
        return {
            "exercise": self.exercise,
            "score": self.score,
            "max": self.max,
            "cause": self.cause,
            "message": self.message,
            "aspects": [aspect.as_dict() for aspect in self.aspects],
        }

    # ---- how it is read: as text, as HTML, and as the number nbgrader takes for partial credit

    def lines(self) -> list[tuple[str, str]]:
        """(kind, text) of each line: "head", "wrong", "todo", "also", "next" or "ok"."""
        worth = f"{_points(self.score)} of {points_in_words(self.max)}"
        if not self.main:
            return [("head", f"{self.exercise}: {worth}. All hidden tests passed.")]
        lines = [("head", f"{self.exercise}: {worth}.")]
        for finding in {id(a.finding): a.finding for a in self.aspects if a.finding}.values():
            lost = [aspect for aspect in self.aspects if aspect.finding is finding]
            cost = points_in_words(sum(aspect.worth for aspect in lost))
            kind = "todo" if finding.cause == "not-implemented" else "wrong"
            lines.append((kind, f"{finding.headline}: {finding.evidence} (−{cost})"))
            if finding.also:
                lines.append(("also", finding.doubt))
            lines.append(("next", finding.advice))
        if right := [aspect.name for aspect in self.aspects if aspect.ok]:
            lines.append(("ok", f"Right: {', '.join(right)}."))
        return lines

    def __str__(self):
        (_, head), *rest = self.lines()
        return "\n".join([head, *([as_text(rest)] if rest else [])])

    def html(self) -> str:
        (_, head), *rest = self.lines()
        blank = self.cause == "not-implemented" and not self.score
        colour = "passed" if not self.main else "blank" if blank else "wrong"
        return boxed(f"<b>{html.escape(head)}</b>{as_rows(rest)}", colour)

    def outputs(self) -> list[dict[str, Any]]:
        """The cell's outputs, in nbformat: the words, and the number that nbgrader reads."""
        return [
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {
                    "text/plain": str(self),
                    "text/html": self.html(),
                    MIME: {**self.as_dict(), "seed": str(self.seed)},
                },
            },
            {
                "output_type": "execute_result",
                "execution_count": None,
                "metadata": {},
                "data": {"text/plain": repr(self.score)},
            },
        ]

    def _repr_mimebundle_(self, include=None, exclude=None):
        """In plain nbgrader the cell's value is this verdict: a number as text, words as HTML."""
        return {"text/plain": repr(self.score), "text/html": self.html()}


def _points(value):
    return f"{value:g}"


def points_in_words(value: float) -> str:
    """'1 point', '0.5 points', '2 points'."""
    return f"{value:g} point{'' if value == 1 else 's'}"
