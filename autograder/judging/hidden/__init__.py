"""What is hidden from students: the cases an answer is graded on, and what each aspect is worth.

One module a lesson, beside the public one in `backprop_kit.exercises`, which says what each
exercise computes. The reference solutions live in the lessons' sources under `course/source`,
the wrong answers in `autograder.rehearsal.catalogue`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from backprop_kit.checking import exercise as public
from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.exercises import LESSONS

HIDDEN: dict[str, "HiddenTest"] = {}


@dataclass(frozen=True)
class Aspect:
    """A part of the points: earned when all its `parts`, pairs (function, label), are right."""

    name: str
    points: float
    parts: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HiddenTest:
    """The hidden test of one exercise.

    draw(rng) gives the fresh cases; the worked example of the text is added by the judge.
    """

    exercise: public.Exercise
    aspects: tuple[Aspect, ...]
    draw: Callable

    @property
    def points(self) -> float:
        return self.exercise.points


def hidden(id: str, draw: Callable, aspects: dict[str, Any]) -> None:
    """Enter the hidden test of exercise `id`.

    aspects: {name: points} where a name is the label of a part or of a function, or
    {name: (points, [(function, label), …])} to say which parts it takes. The name
    "arguments left alone" stands for just that, in exercises whose arguments are arrays.
    """
    exercise = public.find(id)
    made = []
    known = exercise.parts + [(function, ARGUMENTS) for function in exercise.functions]
    for name, worth in aspects.items():
        points, parts = worth if isinstance(worth, tuple) else (worth, None)
        if parts is None:
            parts = [(f, label) for f, label in known if name in (f, label)]
        unknown = set(parts) - set(known)
        if not parts or unknown:
            raise ValueError(f"{id}: aspect {name!r} has no such part {unknown or ''}")
        made.append(Aspect(name, points, tuple(parts)))
    if abs(sum(aspect.points for aspect in made) - exercise.points) > 1e-9:
        raise ValueError(f"{id}: the aspects' points do not add up to {exercise.points}")
    HIDDEN[id] = HiddenTest(exercise, tuple(made), draw)


def find(id: str) -> HiddenTest:
    """The hidden test of exercise `id`; a KeyError that lists the ids if there is none."""
    load()
    if id not in HIDDEN:
        raise KeyError(f"there is no exercise {id!r}; the exercises are: {', '.join(HIDDEN)}")
    return HIDDEN[id]


def load() -> dict[str, HiddenTest]:
    """Import every lesson's module; returns {id: HiddenTest}."""
    for lesson in LESSONS:
        import_module(f"{__name__}.{lesson}")
    return HIDDEN
