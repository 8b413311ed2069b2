"""From a gradient that is wrong to its likely cause.

`explain` puts gradcheck's finding to `diagnose` as if it were an answer to an exercise: what is
expected are the numerical gradients, and the slips are what typical mistakes would have given.
"""

import numpy as np

from .compare import Trial
from .diagnose import examine as diagnose
from .differences import Slopes
from .exercise import Case, Function, Slip
from .observe import Observation


def explain(subject, loss, verdicts, rtol):
    """Give every wrong verdict its cause, evidence and next step."""
    labels = {name: f"the gradient to {name}" for name in verdicts}
    found = findings(subject, loss, verdicts, labels, rtol)
    for name, verdict in verdicts.items():
        if not verdict.ok:
            complete(verdict, found.get(labels[name]))


def findings(subject, loss, verdicts, labels, rtol):
    """{label: finding} of `diagnose`, asked about a function that should return these gradients."""
    names = list(verdicts)
    expected = {n: settled(verdicts[n], loss, subject.arrays[n]) for n in names}

    def pack(values):
        return values[0] if len(values) == 1 else tuple(values)

    def slips(*_):
        yield from guesses(subject, loss, expected, labels)

    function = Function(
        "f",
        " ".join(key or "_" for key, _ in subject.fixed),
        pack([labels[n] for n in names]),
        lambda *_: pack([expected[n] for n in names]),
        slips,
        rtol=max(rtol, 1e-6),
    )
    observation = Observation(pack([verdicts[n].yours for n in names]))
    return diagnose([Trial(function, Case("f", ()), observation)])


def complete(verdict, finding):
    """Write into a wrong verdict what was found, which may be nothing."""
    verdict.cause = finding.cause if finding else "wrong-value"
    verdict.evidence = finding.evidence if finding else "some entries are off."
    verdict.next_step = finding.next_step if finding else None
    if finding and finding.also:
        verdict.evidence += f" {finding.doubt}"
    few = 0 < verdict.wrong <= np.size(verdict.numeric) // 4
    if few and verdict.cause in ("wrong-value", "imprecise"):
        verdict.cause = "wrong-value"
        verdict.evidence = "most entries are right, and a few are not."
        verdict.next_step = "ask what is special about the entry below"


def settled(verdict, loss, array):
    """The numerical gradient, cleaned of rounding, so that a slip can be recognised exactly.

    A wider step loses fewer digits where f is smooth enough for it. What is within rounding of the
    claim is the claim; and so is, up to the factor, what is within rounding of a multiple of it.
    """
    fine, wide = Slopes(loss, array), Slopes(loss, array, base=2e-3, least=1.0)
    room = fine.blur + 1e-8 * np.max(np.abs(fine.central), initial=0.0)
    numeric = np.where(np.abs(fine.central - wide.central) <= room, wide.central, fine.central)
    claimed = laid_out(verdict.yours, numeric.shape)
    if claimed is not None and numeric.size:
        largest = np.unravel_index(int(np.argmax(np.abs(numeric))), numeric.shape)
        ratio = np.float64(claimed[largest]) / numeric[largest]
        digits = 2 if loss.single else 9
        for factor in (1.0, np.round(ratio, digits)):
            if np.isfinite(factor) and factor != 0:
                near = np.abs(claimed / factor - numeric) <= room
                if factor == 1.0 or near.all():
                    numeric = np.where(near, claimed / factor, numeric)
                if near.all():
                    break
    return numeric[()]


def laid_out(yours, shape):
    """A claim in the gradient's own shape: as it is, turned, or summed over the batch; or None."""
    claimed = np.asarray(np.nan if yours is None else yours)
    if claimed.dtype.kind not in "biuf":
        return None
    forms = [claimed, claimed.T] + ([claimed.sum(axis=0)] if claimed.ndim else [])
    return next((form for form in forms if form.shape == shape), None)


def guesses(subject, loss, expected, labels):
    """What typical mistakes would have given instead."""
    shape = np.shape(loss.upstream)
    if shape:
        signal, loss.upstream = loss.upstream, np.ones(shape)
        ones = {n: Slopes(loss, subject.arrays[n]).central[()] for n in expected}
        loss.upstream = signal
        words = "the signal from above is not multiplied in (as if it were 1 everywhere)"
        yield Slip("upstream-ignored", words, {labels[n]: ones[n] for n in expected})
    # With two rows the mean is half of the sum, and a half has likelier reasons.
    batches = {len(subject.arrays[n]) for n in expected if np.ndim(expected[n]) == 2}
    for n_rows in sorted(batches - {1, 2}):
        for factor, words in (
            (n_rows, "the sum over the batch is taken where the mean belongs"),
            (1 / n_rows, "the mean over the batch is taken where the sum belongs"),
        ):
            parts = {labels[n]: np.multiply(expected[n], factor) for n in expected}
            yield Slip("mean-vs-sum", f"{words} ({n_rows} rows)", parts)
