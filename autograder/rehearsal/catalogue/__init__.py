"""Wrong answers, and right ones in other styles: what proves that the hidden tests work.

Each entry is the reference solution with one piece of its text exchanged (`edit`), or a whole
answer (`source`). A wrong answer names the cause it must be given, the aspects it must lose (all
others it must keep), and words that the student must read. `make kill-table` prints how every
one fares; the tests demand it.
"""

from dataclasses import dataclass
from importlib import import_module
from textwrap import dedent

from backprop_kit.exercises import LESSONS

ENTRIES: list["Answer"] = []

ALL = "all"  # an entry that loses every aspect


@dataclass(frozen=True)
class Answer:
    """One answer to one exercise, and the fair verdict on it.

    cause is None for a right answer. loses: the aspects' names, or ALL. says: a fragment of the
    message (any case). edits: (old, new) pairs applied to the reference solution.
    """

    exercise: str
    title: str
    edits: tuple[tuple[str, str], ...] = ()
    text: str | None = None
    cause: str | None = None
    loses: tuple[str, ...] | str = ()
    says: str = ""

    def source(self, reference: str) -> str:
        """The answer's code; a ValueError if an edit does not fit the reference exactly once."""
        if self.text is not None:
            return dedent(self.text).strip() + "\n"
        code = reference
        for old, new in self.edits:
            if code.count(old) != 1:
                raise ValueError(
                    f"{self.exercise} / {self.title}: {old!r} stands {code.count(old)} times "
                    "in the reference solution; an edit must fit exactly once"
                )
            code = code.replace(old, new)
        return code


def wrong(exercise, title, *edits, source=None, cause, loses, says):
    """Enter a wrong answer: `edits` are (old, new) pairs on the reference, or give `source`."""
    _enter(
        Answer(exercise, title, edits, source, cause, loses if loses == ALL else tuple(loses), says)
    )


def right(exercise, title, *edits, source=None):
    """Enter a right answer in another style; it must get full marks."""
    _enter(Answer(exercise, title, edits, source))


def _enter(answer):
    if bool(answer.edits) == (answer.text is not None):
        raise ValueError(f"{answer.exercise} / {answer.title}: give either edits or a source")
    if any((answer.exercise, answer.title) == (e.exercise, e.title) for e in ENTRIES):
        raise ValueError(f"{answer.exercise} / {answer.title} is entered twice")
    ENTRIES.append(answer)


def entries(exercise=None):
    """Every entry, or those of one exercise."""
    for lesson in LESSONS:
        import_module(f"{__name__}.{lesson}")
    return [answer for answer in ENTRIES if exercise in (None, answer.exercise)]
