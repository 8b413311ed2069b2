"""From (yours, expected, what the exercise knows) to the likely mistake, by name.

`examine` looks at all trials of a function together and gives each part of the result (f, df/dx,
…) either None or a `Finding`: a cause from the fixed vocabulary, the evidence for it, and one next
step. A cause is named only when it explains every ordinary case that failed; where several causes
fit the same numbers the finding says so.

The student's `check`, the judge that gives the marks, and `gradcheck` share this file.
"""

import numpy as np

from . import observe
from .causes import CALL_CAUSES, CAUSES, Finding, listed
from .compare import Trial, counted, equal, plain, tolerance
from .exercise import Exact, Numbers

__all__ = ["ARGUMENTS", "CAUSES", "Finding", "Trial", "agrees", "examine", "explain"]

ARGUMENTS = "arguments left alone"  # a part of every function that is given arrays or lists


def examine(trials, repeats=()):
    """{label: Finding or None} for the trials of one function.

    Parts that are wrong for one and the same reason share one Finding. Where arrays or lists go
    in there is one more part, ARGUMENTS: that they come out unchanged.

    trials: a list of `Trial`, in the order of the calls, the worked example among them.
    repeats: pairs (first, again) of trials with the same inputs, called at different times.
    """
    with np.errstate(all="ignore"):
        return _examine(trials, repeats)


def _examine(trials, repeats):
    function = trials[0].function
    leaking = _leaks(repeats)
    evidence = f"the same call of {function.name} gives another result the second time."
    verdict = {label: Finding("state-leak", label, evidence) for label in leaking}
    failures = {
        label: [trial for trial in trials if trial.wrong(label)]
        for label in function.labels
        if label not in leaking
    }
    wrong = [label for label, failed in failures.items() if failed]
    explained = explain_together(wrong, failures)
    verdict |= {label: explained.get(label) or explain(label, trials) for label in wrong}
    verdict = _shared({label: verdict.get(label) for label in function.labels})
    if any(observe.copied(arg) is not arg for trial in trials for arg in trial.case.args):
        verdict[ARGUMENTS] = _arguments(trials, verdict)
    return verdict


def _shared(verdict):
    """One Finding for all the parts of which the same is to be said."""
    groups = {}
    for label, finding in verdict.items():
        if finding:
            groups.setdefault(finding.story, []).append(label)
    shared = {}
    for label, finding in verdict.items():
        if finding:
            group = groups[finding.story]
            finding = shared.setdefault(finding.story, finding.covering(group))
        verdict[label] = finding
    return verdict


def _arguments(trials, verdict):
    """None if the function left its arguments as they were (and did something right at all)."""
    function = trials[0].function
    for trial in trials:
        if trial.observation.mutated:
            names = [function.arguments[i] for i in trial.observation.mutated]
            hold = "hold" if len(names) > 1 else "holds"
            evidence = (
                f"after the call {listed(names)} no longer {hold} what {function.name} was given."
            )
            return Finding("mutates-argument", ARGUMENTS, evidence)
    findings = list(verdict.values())
    return findings[0] if all(findings) else None


def _leaks(repeats):
    """The parts that differ between two calls with the same inputs.

    A part of a wrong type has a simpler story, told elsewhere.
    """
    leaking = set()
    for first, again in repeats:
        for label in first.function.labels:
            problems = first.problems[label], again.problems[label]
            if any(found and found.cause in ("wrong-type", "time-out") for found in problems):
                continue
            if (label in first.yours) != (label in again.yours) or (
                label in first.yours and not same(first.yours[label], again.yours[label])
            ):
                leaking.add(label)
    return leaking


def same(a, b):
    """Equal for this purpose: numbers and arrays to rounding, anything else by ==."""
    try:
        a, b = _real(a), _real(b)
    except (TypeError, ValueError):
        return type(a) is type(b) and observe.unchanged(a, b)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True))


def _real(value):
    """The value as an array of floats; a TypeError or ValueError if it holds no real numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{array.dtype} is not real")
    return array.astype(float, copy=False)


def agrees(yours, candidate, rtol=1e-9):
    """Whether a student's value is what a slip would have given (lists and numbers alike)."""
    if isinstance(candidate, (Exact, Numbers)):
        candidate = candidate.value if isinstance(candidate, Exact) else candidate.values
        if not isinstance(candidate, np.ndarray):
            return equal(yours, candidate)
        yours = np.asarray(yours)
    try:
        yours, candidate = _real(yours), _real(candidate)
    except (TypeError, ValueError):
        return False
    if yours.shape != candidate.shape or not np.isfinite(yours).all():
        return False
    return bool(np.all(np.abs(yours - candidate) <= tolerance(candidate, rtol)))


def _slips_by_key(trial):
    """{(cause, words, next step, n): parts}: the n-th slip of these words, so that the slips of
    one case can be matched with those of the next."""
    table, count = {}, {}
    with np.errstate(all="ignore"):
        slips = trial.function.slips(*trial.case.args)
    for slip in slips:
        told = slip.cause, slip.words, slip.next_step
        n = count[told] = count.get(told, -1) + 1
        table[(*told, n)] = slip.parts
    return table


def _fitting_slips(label, failed):
    """The slips, in the exercise's order, that give this student's value in every failed case."""
    fitting = None
    for trial in failed:
        if label not in trial.yours:
            return []
        fits = [
            key
            for key, parts in _cached_slips(trial).items()
            if label in parts
            and agrees(trial.yours[label], parts[label])
            and not agrees(plain(trial.expected[label]), parts[label], trial.function.rtol)
        ]
        fitting = fits if fitting is None else [key for key in fitting if key in fits]
    return fitting or []


def _cached_slips(trial):
    table = getattr(trial, "_slips", None)
    if table is None:
        table = trial._slips = _slips_by_key(trial)
    return table


def telling(label, failed):
    """The failed trials to explain first: ordinary inputs before edge cases, numbers before nan.

    A slip that shifts ordinary values may well overflow, or lose all digits, at an edge.
    """
    finite = [trial for trial in failed if trial.problems[label].cause != "non-finite"]
    ordinary = [trial for trial in finite if trial.case.kind in ("worked", "fresh")]
    return ordinary or finite or failed


def explain_together(wrong, failures):
    """{label: Finding} where one mistake explains every wrong part of the result at once."""
    failures = {label: telling(label, failures[label]) for label in wrong}
    whole = _swapped(wrong, failures)
    if whole:
        return whole
    if len(wrong) < 2 or all(_opposite(label, failures[label]) for label in wrong):
        return {}
    common = None
    for label in wrong:
        keys = _fitting_slips(label, failures[label])
        common = keys if common is None else [key for key in common if key in keys]
        if not common:
            return {}
    return {label: _slip_finding(label, common, failures[label]) for label in wrong}


def _slip_finding(label, keys, failed):
    cause, words, next_step, _ = keys[0]
    # A turned sign or a nameless slip that happens to fit as well is too far-fetched to tell.
    also = dict.fromkeys(key[0] for key in keys if key[0] not in (cause, "wrong-value", "sign"))
    evidence = f"{{part}} {{is}} exactly what comes out when {words}."
    return Finding(cause, label, evidence, _worst(label, failed), also, next_step)


def _swapped(wrong, failures):
    """A permutation of the result's own values, the same one in every failed case."""
    trials = [trial for label in wrong for trial in failures[label]]
    if len(wrong) < 2 or any(label not in trial.yours for label in wrong for trial in trials):
        return None
    source = {}
    for label in wrong:
        for other in wrong:
            if other != label and all(
                agrees(trial.yours[label], plain(trial.expected[other])) for trial in trials
            ):
                source[label] = other
    if sorted(source.values()) != sorted(wrong):
        return None
    pairs = [
        (a, b) for a, b in source.items() if source[b] == a and wrong.index(a) < wrong.index(b)
    ]
    if 2 * len(pairs) == len(wrong):
        first, *more = [f"{a} and {b}" for a, b in pairs]
        evidence = f"{first} have changed places"
        evidence += f", and so have {listed(more)}." if more else "."
    else:
        evidence = f"the right values of {listed(wrong)} are there, in another order."
    next_step = None
    if any("own value" in key[1] for key in _fitting_slips(wrong[0], failures[wrong[0]])):
        next_step = (
            "look at the × gates: what does each factor get, its own value or the other's? "
            "Then compare the order of your `return` with the card's"
        )
    worst = _worst(wrong[0], failures[wrong[0]])
    found = Finding("order-swapped", wrong, evidence, worst, next_step=next_step)
    return dict.fromkeys(wrong, found)


def explain(label, trials):
    """The Finding for one wrong part: the first explanation that covers every failed case.

    trials: all of them, in the order of the calls.
    """
    failed = [trial for trial in trials if trial.wrong(label)]
    passed = [trial for trial in trials if not trial.wrong(label)]
    problems = [trial.problems[label] for trial in failed]
    special = _only_special(label, failed, passed)
    for cause in CALL_CAUSES:
        hits = [trial for trial in failed if trial.problems[label].cause == cause]
        if hits:
            found = hits[0].problems[label]
            if cause == "raises" and special:
                evidence = f"{special.template} Elsewhere {found.template}"
                return Finding(special.cause, label, evidence, special.worst, (), found.next_step)
            evidence = found.template
            if cause in ("raises", "time-out") and any(map(_works, passed)):
                evidence += f" ({_where_it_works(hits)})"
            return Finding(cause, found.parts, evidence, next_step=found.next_step)
    if constant := _constant(label, trials):
        return constant
    if failed and all(trial.case.kind == "extreme" for trial in failed):
        note = failed[0].case.note or "very large or very small inputs"
        return Finding(
            "unstable", label, f"{{part}} {{is}} wrong for {note}.", worst=problems[0].worst
        )
    failed = telling(label, failed)
    problems = [trial.problems[label] for trial in failed]
    kinds = {finding.cause for finding in problems}
    for cause in ("wrong-type", "wrong-shape", "non-finite"):
        if cause in kinds:
            found = next(finding for finding in problems if finding.cause == cause)
            if cause == "wrong-shape":
                return _shape_story(label, failed, special, found)
            return found
    flaws = [finding for finding in problems if finding.cause != "wrong-value"]
    if flaws:
        return flaws[0]
    if any(_as_a_whole(finding) for finding in problems):
        keys = _fitting_slips(label, failed)
        return _slip_finding(label, keys, failed) if keys else _advised(problems[0], failed[0])
    return _explain_values(label, failed, passed, problems, special)


def _works(trial):
    """Whether a call is right in all its parts. Where a reading found nothing to compare, it may
    have said nothing because another case tells what is wrong."""
    compared = not trial.function.reading or any(
        not isinstance(value, Exact) for value in trial.expected.values()
    )
    return compared and not any(map(trial.wrong, trial.problems))


def _where_it_works(failed):
    """A sentence on the calls that fail while others do not."""
    notes = dict.fromkeys(trial.case.note for trial in failed)
    if not all(notes):
        return "On other inputs it works."
    return f"On other inputs it works, and not here: {'; '.join(notes)}."


def _constant(label, trials):
    """One and the same result whatever the inputs: typed in, or remembered from the first call."""
    values = [trial.yours.get(label) for trial in trials]
    if len(trials) < 3 or any(value is None for value in values):
        return None
    wanted = [trial.expected[label] for trial in trials]
    if not all(same(value, values[0]) for value in values):
        return None
    failed = [trial for trial in trials if trial.wrong(label)]
    worst = _worst(label, failed)
    for trial, want in zip(trials, wanted, strict=True):
        # Numbers copied from a page are rounded, so a thousandth is close enough here.
        if trial.case.kind == "worked" and agrees(values[0], want, rtol=1e-3):
            evidence = "{part} {is} the same whatever the arguments are."
            return Finding("hard-coded", label, evidence, worst)
    if agrees(values[0], wanted[0]):
        evidence = "{part} {is} what came out in the first call, whatever the arguments are."
        return Finding("state-leak", label, evidence, worst)
    return None


def _advised(finding, trial):
    """A wrong value that knows no next step of its own gets the function's."""
    plain_step = CAUSES["wrong-value"][1]
    if finding.cause == "wrong-value" and finding.next_step == plain_step:
        finding.next_step = trial.function.advice or plain_step
    return finding


# Cases that are easier than the rest, and what an answer is called that gets only these right.
SPECIAL = {
    "square": ("square-only", "{part} {is} right where the matrix is square, and only there."),
    "single": ("single-only", "{part} {is} right for one example, and only there."),
}


def _only_special(label, failed, passed):
    """The Finding for a part that is right in the special cases and (but for the worked example)
    nowhere else; None for any other."""
    kinds = {trial.case.kind for trial in passed} - {"worked"}
    (kind, *more) = kinds or {None}
    if more or kind not in SPECIAL or any(trial.case.kind == kind for trial in failed):
        return None
    cause, evidence = SPECIAL[kind]
    return Finding(cause, label, evidence, _worst(label, failed))


def _shape_story(label, failed, special, found):
    """A wrong shape often has a better name: transposed, or not summed over the batch.

    special: the Finding that it is right in special cases only, or None.
    """
    pairs = [
        (trial.yours[label], trial.expected[label])
        for trial in failed
        if isinstance(trial.yours.get(label), np.ndarray)
        and isinstance(trial.expected[label], np.ndarray)
    ]
    if not pairs:
        return found
    if all(yours.shape == wanted.T.shape and agrees(yours.T, wanted) for yours, wanted in pairs):
        return Finding(
            "transpose", label, "{part} {has} the right entries, with rows and columns exchanged."
        )
    if keys := _fitting_slips(label, failed):
        return _slip_finding(label, keys, failed)
    if any(yours.ndim and len(yours) > 1 for yours, _ in pairs) and all(
        yours.ndim >= wanted.ndim and agrees(np.reshape(yours.sum(axis=0), -1), wanted.reshape(-1))
        for yours, wanted in pairs
        if yours.ndim
    ):
        return Finding(
            "no-batch-sum",
            label,
            "{part} {has} one row for each example; their sum would be right.",
        )
    if special:
        special.template += f" Elsewhere {found.template}"
    return special or found


def _explain_values(label, failed, passed, problems, special):
    """Right type, right shape, wrong numbers: what do they have in common?"""
    worst = _worst(label, failed)
    ratio = _constant_ratio(label, failed)

    def finding(cause, evidence, next_step=None):
        return Finding(cause, label, evidence, worst, next_step=next_step)

    always = "wherever it is wrong" if passed else "every time"
    if _opposite(label, failed):
        return finding("sign", f"{{part}} {{has}} the right size and the opposite sign, {always}.")
    if keys := _fitting_slips(label, failed):
        return _slip_finding(label, keys, failed)
    if times := _batch_ratio(label, failed):
        return finding("mean-vs-sum", f"{{part}} {{is}} {times} the number of examples, {always}.")
    advice = failed[0].function.advice
    if not any(np.any(np.asarray(trial.yours[label], float)) for trial in failed):
        lost = "follow the signal from the output towards this input: where is it lost?"
        return finding("wrong-value", f"{{part}} {{is}} 0 {always}.", advice or lost)
    if ratio is not None and abs(ratio - 1) > 1e-3:
        words = ratio_in_words(ratio)
        return finding("factor", f"{{part}} {{is}} {words} what the check expects, {always}.")
    if _all_transposed(label, failed):
        return finding(
            "transpose", "{part} {has} the right entries, with rows and columns exchanged."
        )
    if (digits := _rounded(label, failed)) is not None:
        return finding(
            "imprecise",
            f"{{part}} {{is}} rounded to {counted(digits, 'decimal', 'decimals')}.",
            "round only when you print; return all digits",
        )
    if digits := _right_digits(problems):
        return finding(
            "imprecise",
            f"{{part}} {{has}} {digits} digits right and not all of them; difference quotients, "
            "rounded constants and float32 look like this.",
        )
    if special:
        return special
    if passed and all(trial.case.kind == "worked" for trial in passed):
        return finding(
            "wrong-value",
            "{part} {is} right on the worked example and wrong on other inputs.",
            advice or "try numbers of your own, none of them 0, 1 or equal to each other",
        )
    if passed and all(trial.case.note for trial in failed):
        notes = "; ".join(dict.fromkeys(trial.case.note for trial in failed))
        return finding(
            "wrong-value",
            f"{{part}} {{is}} right in general and wrong here: {notes}.",
            "follow exactly this case by hand",
        )
    return finding("wrong-value", "{part} {is} not what the check expects.", advice)


def _worst(label, failed):
    """The entry to show: of the worked example if that is wrong, else where the gap is largest."""
    failed = [trial for trial in failed if trial.problems[label].worst]
    if not failed:
        return None
    example = [trial for trial in failed if trial.case.kind == "worked"]
    found = [trial.problems[label] for trial in example or failed]
    return max(found, key=_relative_gap).worst


def _all_transposed(label, failed):
    pairs = [(np.asarray(trial.yours[label]), plain(trial.expected[label])) for trial in failed]
    return all(
        np.ndim(wanted) == 2 and yours.T.shape == wanted.shape and agrees(yours.T, wanted)
        for yours, wanted in pairs
    )


def _relative_gap(finding):
    _, index, yours, expected = finding.worst
    if index is None:
        return 1.0
    scale = max(abs(expected), abs(yours))
    return abs(yours - expected) / scale if scale else 0.0


def _constant_ratio(label, failed, least=2):
    """yours / expected, if it is one and the same number in every entry (at least `least` of them)
    of every failed case."""
    ratios = []
    for trial in failed:
        yours = np.ravel(np.asarray(trial.yours[label], float))
        expected = np.ravel(np.asarray(plain(trial.expected[label]), float))
        zero = np.abs(expected) <= tolerance(expected, 1e-9)
        if np.any(np.abs(yours[zero]) > tolerance(expected, 1e-9)):
            return None
        ratios.extend(yours[~zero] / expected[~zero])
    if len(ratios) < least or ratios[0] == 0:
        return None
    return ratios[0] if np.ptp(ratios) <= 1e-8 * abs(ratios[0]) else None


def _batch_ratio(label, failed):
    """How the number of examples has scaled the values in every failed case, in words; or None."""
    function = failed[0].function
    several = [t for t in failed if function.batch and _batch_size(t) > 1]
    if not several or len({_batch_size(t) for t in several}) < 2:
        return None
    for words, power in (("too large by a factor of", 1), ("too small by a factor of", -1)):
        if all(
            (ratio := _constant_ratio(label, [t], least=1)) is not None
            and abs(ratio * _batch_size(t) ** -power - 1) < 1e-8
            for t in several
        ):
            return words
    return None


def _batch_size(trial):
    return len(trial.case.args[trial.function.arguments.index(trial.function.batch)])


def _rounded(label, failed):
    """The number of decimals to which every value was rounded, None if they were not."""
    for digits in range(1, 9):
        if all(
            np.array_equal(
                np.asarray(trial.yours[label], float),
                np.round(np.asarray(plain(trial.expected[label]), float), digits),
            )
            for trial in failed
        ):
            return digits
    return None


def _right_digits(problems):
    """How many digits are right in every case, if at least three are; else None."""
    errors = [abs(yours - expected) for _, _, yours, expected in (f.worst for f in problems)]
    largest = max(abs(finding.worst[3]) for finding in problems)
    if not largest or max(errors) >= 1e-3 * largest:
        return None
    return int(-np.log10(max(errors) / largest))


def _as_a_whole(finding):
    """Whether the value is no number or array: a text, a set, a shape, or one that is not shown."""
    return finding.worst is None or finding.worst[1] is None


def _opposite(label, failed):
    if any(_as_a_whole(trial.problems[label]) for trial in failed):
        return False
    ratio = _constant_ratio(label, failed)
    return ratio is not None and abs(ratio + 1) < 1e-9


_WORDS = {
    1 / 3: "exactly a third of",
    -1 / 3: "exactly −⅓ times",
    2.0: "exactly twice",
    0.5: "exactly half of",
    3.0: "exactly three times",
    -2.0: "exactly −2 times",
    -0.5: "exactly −½ times",
    4.0: "exactly four times",
    0.25: "exactly a quarter of",
}


def ratio_in_words(ratio):
    """'exactly half', 'exactly 1.5 times' …"""
    for value, words in _WORDS.items():
        if abs(ratio - value) < 1e-9 * abs(value):
            return words
    return f"{ratio:.6g} times"
