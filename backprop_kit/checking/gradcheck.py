"""Is this gradient right? A check that says what is wrong and where.

`gradcheck` compares every gradient of a function, or of a layer, with the numerical one: all
arguments, all entries, with a random signal from above, on the gradient's own scale. What can be
checked is in `subjects`, the numerical side in `differences`. The report tells kinks, noise and
nondeterminism apart from mistakes; for a mistake, `gradient_causes` finds the likely cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from backprop_kit.engine.tensor import require_engine

from .causes import CAUSES
from .differences import Loss, Slopes
from .gradient_causes import explain
from .subjects import choose, same


def gradcheck(
    f: Any,
    *inputs: Any,
    grads: Any = None,
    wrt: Iterable[str] | None = None,
    rtol: float = 1e-6,
    seed: int = 0,
) -> Report:
    """Compare the gradients of f at these inputs with numerical ones; returns a `Report`.

    f       one of: a function of Tensors that returns a Tensor (backward() gives the gradients);
            a layer, any object with forward and backward (x is checked, and every parameter);
            with `grads`, any function of arrays that returns a number or an array
    inputs  numbers, arrays or Tensors; anything else is passed on and not differentiated
    grads   your gradients, one for each numeric input, in order: a tuple (or one array), or a
            function that returns them, called as grads(*inputs) where f returns one number, and
            as grads(upstream, *inputs) where f returns an array
    wrt     names of the inputs to check, for instance ("W", "b"); all if None
    rtol    how far an entry may be off, relative to itself
    seed    of the random upstream signal, by which an f that returns an array is multiplied

    The report is true if all is well; print it to read it.
    """
    require_engine()
    with np.errstate(all="ignore"):
        subject = choose(f, inputs, grads)
        if wrt is not None:
            unknown = set(wrt) - set(subject.names)
            if unknown:
                raise ValueError(
                    f"wrt: there is no {', '.join(map(repr, sorted(unknown)))} among "
                    f"{', '.join(subject.names)}"
                )
        return examine(subject, wrt, rtol, seed)


class Report:
    """What gradcheck found. True if every gradient agrees; prints as a few lines.

    arguments  {name: Verdict}
    problems   [(cause, sentence)] about f itself: it is random, or changes its arguments
    notes      sentences worth knowing, for instance that f computes in float32
    judged     False where f is not the same function twice: then there is nothing to compare
    cause      None, or the likely cause in one word of the course's vocabulary
    """

    def __init__(self, arguments, problems, notes, judged=True):
        self.arguments = arguments
        self.problems = problems  # [(cause, sentence)]
        self.notes = notes
        self.judged = judged

    def __bool__(self):
        return not self.problems and all(v.ok for v in self.arguments.values())

    def __getitem__(self, name):
        return self.arguments[name]

    @property
    def cause(self):
        causes = [cause for cause, _ in self.problems]
        causes += [v.cause for v in self.arguments.values() if not v.ok]
        return causes[0] if causes else None

    def __str__(self):
        good, count = sum(v.ok for v in self.arguments.values()), len(self.arguments)
        if not self.judged:
            lines = ["gradcheck: this cannot be judged"]
        elif count == 1:
            lines = [f"gradcheck: the gradient {'agrees' if good else 'does not agree'}"]
        else:
            lines = [f"gradcheck: {good} of {count} gradients agree"]
        lines[0] += " with numerical differences" if self.judged else ""
        lines += [f"  {sentence}" for _, sentence in self.problems]
        if not self.judged:
            return "\n".join(lines)
        width = max(map(len, self.arguments), default=0)
        for name, verdict in self.arguments.items():
            lines.append(f"  {name:<{width}}  {verdict}")
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])

    __repr__ = __str__


class Verdict:
    """One argument's gradient.

    ok              True if it agrees
    shape           of the argument
    yours, numeric  the gradients (yours may have any shape, or be None)
    worst           None, or (index, yours, numeric) of the entry that is furthest off
    error           the largest difference, relative to the largest entry of the gradient
    wrong           how many entries are off
    cause, evidence, next_step   where it is wrong: what probably happened, and what to do
    note            where a kink or noise had to be considered: a sentence
    """

    cause: Any

    def __init__(self, name, shape, yours, numeric):
        self.name, self.shape, self.yours, self.numeric = name, shape, yours, numeric
        self.ok, self.worst, self.error, self.wrong = True, None, 0.0, 0
        self.cause = self.evidence = self.next_step = None
        self.note = ""

    def __str__(self):
        if self.ok:
            text = f"{self.shape}  agrees, relative error {self.error:.0e}"
            return f"{text}\n      {self.note}" if self.note else text
        lines = [f"{self.shape}  {self.headline}: {self.evidence}"]
        if self.worst is not None:
            index, yours, numeric = self.worst
            where = f"{self.name}{list(map(int, index))}" if index else self.name
            lines.append(
                f"worst at {where}: yours {yours:.8g}, numeric {numeric:.8g}, "
                f"relative error {self.error:.1e}"
            )
        if self.wrong and np.size(self.numeric) > 1:
            lines.append(f"{self.wrong} of {np.size(self.numeric)} entries are off")
        if self.note:
            lines.append(self.note)
        if self.next_step:
            lines.append(f"next: {self.next_step}")
        return "\n      ".join(lines)

    @property
    def headline(self):
        return CAUSES[self.cause][0]


# --------------------------------------------------------------------------------- comparing


def examine(subject, wrt, rtol, seed):
    """The `Report` on a subject; it is called in a fixed order, so that it may be a recording."""
    first = checked_value(subject.value())
    upstream = np.float64(1.0)
    if first.shape:
        upstream = np.random.default_rng(seed).normal(size=first.shape)
    yours, changed = subject.gradients(upstream)
    again, changed_again = subject.gradients(upstream)
    loss = Loss(subject, upstream, first)
    notes = list(subject.notes)
    if not same(first, checked_value(subject.value())):
        story = (
            "f is not the same function twice: called again with the same inputs it returns "
            "something else (random numbers? state that a call leaves behind?)."
        )
        return Report({}, [("state-leak", story)], notes, judged=False)
    problems = problems_of(subject.names, yours, again, changed + changed_again)
    if loss.single:
        notes.append(
            "f computes in float32, which has 7 digits: differences of it have 2 or 3, so only "
            "gross mistakes can be found. Convert its inputs and constants to float64."
        )
        rtol = max(rtol, 1e-2)
    names = [n for n in subject.names if wrt is None or n in wrt]
    slopes = {n: Slopes(loss, subject.arrays[n]) for n in names}
    verdicts = {n: compare(n, yours[n], slopes[n], subject.arrays[n], rtol) for n in names}
    if any(not v.ok for v in verdicts.values()):
        explain(subject, loss, verdicts, rtol)
    return Report(verdicts, problems, notes)


def problems_of(names, yours, again, changed):
    """[(cause, sentence)] on how gradients were computed twice, whatever they are worth."""
    problems = []
    if unlike := [n for n in names if not close(yours[n], again[n])]:
        problems.append(
            (
                "state-leak",
                f"the gradient to {', '.join(unlike)} is another one when it is computed a second "
                "time: does it add to what the first call left behind?",
            )
        )
    if changed := list(dict.fromkeys(changed)):
        problems.append(
            (
                "mutates-argument",
                f"{' and '.join(changed)} no longer holds what was passed in: work on a copy.",
            )
        )
    return problems


def checked_value(value):
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"gradcheck: f must return real numbers, and returned {array.dtype}.")
    if not np.isfinite(array).all():
        raise ValueError("gradcheck: f is not finite at these inputs (nan or inf).")
    return array


def close(a, b):
    try:
        a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    except (TypeError, ValueError):
        return True  # wrong types have a story of their own
    return a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True)


def compare(name, yours, slopes, array, rtol):
    """The verdict on one gradient, without its cause."""
    numeric = slopes.central[()]
    verdict = Verdict(name, array.shape, yours, numeric)
    if not comparable(yours, array):
        verdict.ok = False
        return verdict
    claimed = np.asarray(yours, dtype=float)
    difference, off = misses(claimed, slopes, rtol)
    verdict.wrong = int(np.sum(off))
    verdict.ok = verdict.wrong == 0
    largest = np.max(np.abs(slopes.central), initial=0.0)
    scale = largest or np.max(np.abs(claimed), initial=0.0) or 1.0
    if difference.size:
        relative = difference / scale
        verdict.error = float(np.max(np.where(np.isnan(relative), np.inf, relative)))
        if not verdict.ok:
            ranked = np.where(off, np.nan_to_num(difference, nan=np.inf), -1.0)
            index = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
            verdict.worst = index, float(claimed[index]), float(slopes.central[index])
            verdict.error = float(relative[index])
    verdict.note = remarks(name, slopes, claimed)
    return verdict


def comparable(yours, array):
    """Whether a claimed gradient is a float64 array of the right shape (or, to a number, one)."""
    if array.shape:
        good = isinstance(yours, np.ndarray) and yours.dtype == np.float64
    else:
        good = not isinstance(yours, (list, tuple)) and np.asarray(yours).dtype.kind in "iuf"
    return good and np.shape(yours) == array.shape


def misses(claimed, slopes, rtol):
    """(how far off each entry is, whether that is too far); at a kink nothing between is off."""
    difference = np.array(np.abs(claimed - slopes.central))
    allowed = rtol * np.maximum(np.abs(slopes.central), np.abs(claimed)) + slopes.blur
    allowed = allowed + 1e-9 * np.max(np.abs(slopes.central), initial=0.0)
    off = np.array(~(difference <= allowed))
    for index, (left, right) in slopes.kinks.items():
        low, high = min(left, right), max(left, right)
        room = 1e-3 * max(abs(low), abs(high))
        if low - room <= claimed[index] <= high + room:
            off[index], difference[index] = False, 0.0
    return difference, off


def remarks(name, slopes, claimed):
    def at(indices):
        return f"{name}{list(map(int, indices[0]))}" if indices[0] else name

    sentences = []
    if slopes.kinks:
        index, (left, right) = next(iter(slopes.kinks.items()))
        sentences.append(
            f"{at([index])} = {slopes.array[index]:.3g} is at a kink: the slope is {left + 0:.4g} "
            f"to the left and {right:.4g} to the right, so there is no one derivative, and any "
            f"value between the two is accepted (yours: {claimed[index]:.4g}). Move the input "
            "to be sure."
        )
    if slopes.near:
        sentences.append(
            f"there is a kink close to {at(slopes.near)} = {slopes.array[slopes.near[0]]:.3g}; a "
            "smaller step was taken there."
        )
    if slopes.noisy:
        sentences.append(
            f"f is noisy around {at(slopes.noisy)}: its differences do not settle, so {name} is "
            "judged roughly."
        )
    return " ".join(sentences)
