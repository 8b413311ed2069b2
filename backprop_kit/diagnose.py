"""From (yours, expected, what the exercise knows) to the likely mistake, by name.

`examine` compares what a student's functions returned with what was expected, over all cases at
once, and gives each part of the result (f, df/dx, …) either None or a `Finding`: a cause from a
fixed vocabulary, the evidence for it, and one next step. A cause is named only when it explains
*every* case that failed; where several causes fit the same numbers the finding says so.

The student's `check`, the judge that gives the marks, and `gradcheck` share this file.
"""

import numpy as np

from backprop_kit import observe
from backprop_kit.exercise import Exact, Numbers, leaves

# cause: (what it is called, the next step)
CAUSES = {
    "not-implemented": (
        "not written yet",
        "replace the line `raise NotImplementedError()` by your answer, run its cell, "
        "then run this one again",
    ),
    "none-returned": (
        "nothing is returned",
        "end the function with a `return` of everything the card asks for",
    ),
    "raises": (
        "your code raises an error",
        "call the function yourself on the numbers of the worked example",
    ),
    "time-out": ("your code does not finish", "look for a loop whose end is never reached"),
    "by-engine": (
        "the reference engine is used",
        "this exercise is done by hand: write the derivative yourself, in plain Python or NumPy",
    ),
    "wrong-type": ("wrong type", "look at the stub's docstring: it says what to return"),
    "wrong-shape": ("wrong shape", "print the shape of every factor and compare with the card"),
    "non-finite": (
        "not a finite number",
        "find the first step that gives nan or inf: print the intermediate values",
    ),
    "hard-coded": (
        "does not depend on the arguments",
        "compute the result from the arguments: other numbers must give other results",
    ),
    "order-swapped": (
        "right values in the wrong places",
        "compare the order of your `return` with the card's; if it is right, look for a × gate "
        "that does not swap its inputs",
    ),
    "sign": ("sign turned", "find where a minus is lost or added: check one gate at a time"),
    "factor": (
        "off by a constant factor",
        "look for a constant that a local derivative should, or should not, contribute",
    ),
    "upstream-ignored": (
        "upstream signal not used",
        "multiply the local derivative by the signal that arrives from above",
    ),
    "missing-local": (
        "a local derivative is missing",
        "write the chain gate by gate and tick off one factor for each gate you pass",
    ),
    "missing-path": (
        "a path is missing",
        "list every path from this input to the output; the gradient is the sum over all of them",
    ),
    "overwrite-not-accumulate": (
        "paths overwrite each other",
        "where one value is used several times, add up what comes back along every use",
    ),
    "transpose": ("transposed", "let the shapes decide the order of the two factors"),
    "no-batch-sum": (
        "not summed over the batch",
        "every example in the batch pulls on the same parameter: add their contributions up",
    ),
    "mean-vs-sum": (
        "mean and sum confused",
        "ask whether the loss is a mean or a sum over examples, and whether 1/N is already "
        "in the signal you are given",
    ),
    "wrong-mask": (
        "wrong mask",
        "ask which array decides whether a unit is on, and what happens exactly at 0",
    ),
    "wrong-weight": ("wrong weight matrix", "follow the signal back through the layer it left"),
    "unstable": (
        "right except where the numbers are extreme",
        "try the function at 1000 and at −1000 and rewrite the step that overflows",
    ),
    "mutates-argument": (
        "changes its argument",
        "work on a copy, or on a new array: `x = x + 1`, not `x += 1`",
    ),
    "state-leak": (
        "one call changes the next",
        "keep nothing between calls: no globals, no mutable default arguments",
    ),
    "dropped-bias": (
        "bias left out",
        "go through the forward pass again and find where the bias enters",
    ),
    "clipped": ("values are clipped", "look for a clip or an ε that changes ordinary values"),
    "keeps-too-much": (
        "keeps too much",
        "ask of each array you save: which gradient needs it?",
    ),
    "linear": ("the layer is linear", "add something that bends: a product, a power, a sine"),
    "no-parameter": ("no parameter", "put at least one array into self.params and use it"),
    "copied-layer": ("a copy of a layer of this course", "invent another function"),
    "square-only": (
        "right only for square matrices",
        "try it on a matrix with different numbers of rows and columns",
    ),
    "single-only": ("right only for one example", "try it on a batch of several rows"),
    "imprecise": (
        "close, but not exact",
        "use the exact derivative, not a difference quotient or a rounded constant",
    ),
    "wrong-value": ("wrong value", "take the worked example and follow it by hand, gate by gate"),
}

# Causes that concern the whole call rather than one part; the first that occurs is the one named.
CALL_CAUSES = ("not-implemented", "by-engine", "time-out", "raises", "none-returned")


class Finding:
    """Why a part is not right.

    cause: a key of CAUSES. part: the label of the result it concerns.
    evidence: a sentence that may be shown to anybody: it holds no hidden number.
    worst: None, or (case, index or None, yours, expected) for a view that may show numbers.
    also: other causes that fit the same evidence.
    next_step: one thing to do now.
    """

    def __init__(self, cause, part, evidence, worst=None, also=(), next_step=None):
        self.cause = cause
        self.part = part
        self.evidence = evidence
        self.worst = worst
        self.also = tuple(also)
        self.next_step = next_step or CAUSES[cause][1]

    @property
    def headline(self):
        """The cause in a student's words."""
        return CAUSES[self.cause][0]

    @property
    def message(self):
        """Headline, evidence and next step, without a number from any hidden case."""
        text = f"{self.headline}: {self.evidence}"
        if self.also:
            text += f" ({self.doubt})"
        return f"{text} Next: {self.next_step}{'' if self.next_step.endswith('?') else '.'}"

    @property
    def doubt(self):
        """A sentence that names the other causes that fit, "" if there is none."""
        others = " or ".join(f"“{CAUSES[cause][0]}”" for cause in self.also)
        return f"The same numbers would also come from {others}." if others else ""


class Trial:
    """A case with what was expected, what came back, and how each part compares.

    problems: {label: Finding or None for each part}; expected and yours: {label: value}.
    """

    def __init__(self, function, case, observation):
        self.function = function
        self.case = case
        self.observation = observation
        self.expected = function.expected(case.args)
        self.yours = {}
        self.problems = self._compare()

    def wrong(self, label):
        return self.problems[label] is not None

    def everywhere(self, cause, evidence, next_step=None):
        return {
            label: Finding(cause, label, evidence, next_step=next_step)
            for label in self.function.labels
        }

    def _compare(self):
        name, seen = self.function.name, self.observation
        if seen.raised:
            return self._explain_raised(seen.raised)
        if seen.result is None:
            return self.everywhere("none-returned", f"{name} returns None.")
        misfit = structure_misfit(self.function.returns, seen.result, name)
        if misfit:
            return self.everywhere("wrong-type", misfit)
        problems = {}
        for label, path in leaves(self.function.returns):
            value = seen.result
            for key in path:
                value = value[key]
            self.yours[label] = value
            problems[label] = compare_leaf(
                label, value, self.expected[label], self.function.rtol, self.case
            )
        return problems

    def _explain_raised(self, raised):
        name = self.function.name
        if raised.kind == "NotImplementedError":
            return self.everywhere("not-implemented", f"{name} still raises NotImplementedError.")
        if raised.kind == "EngineOff":
            return self.everywhere(
                "by-engine", f"{name} calls the reference engine, which is switched off here."
            )
        if raised.kind == "TimeOut":
            return self.everywhere("time-out", f"{name} was stopped: {raised.text}.")
        if raised.kind == "Missing":
            return self.everywhere(
                "not-implemented",
                f"no function called {name} was found.",
                f"define `{name}` under exactly this name and run its cell",
            )
        if raised.kind in ("Unreadable", "KernelDied"):
            next_step = "restart the kernel, run all cells from the top, and see where it stops"
            return self.everywhere("raises", raised.text, next_step)
        where = f" in the line `{raised.line.strip()}`" if raised.line else ""
        text = f": {raised.text}" if raised.text else ""
        next_step = None
        if self.case.note:
            next_step = f"call the function yourself on such an input: {self.case.note}"
        return self.everywhere("raises", f"{name} raises {raised.kind}{text}{where}.", next_step)


# ---------------------------------------------------------------- one value against another


def is_number(value):
    """A Python number, a NumPy number or a 0-d array, real; booleans do not count."""
    if isinstance(value, np.ndarray):
        return value.shape == () and value.dtype.kind in "iuf"
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, np.integer, np.floating))


def describe(value):
    """What a value is, in a few words: 'an array of shape (2, 3)', 'a list of 4'."""
    if isinstance(value, np.ndarray):
        kind = "" if value.dtype == np.float64 else f" of {value.dtype}"
        return f"an array{kind} of shape {value.shape}"
    if value is None:
        return "None"
    if is_number(value):
        return "a number"
    if isinstance(value, (list, tuple, set, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    article = "an" if type(value).__name__[0].lower() in "aeiou" else "a"
    return f"{article} {type(value).__name__}"


def structure_misfit(returns, result, name):
    """None, or a sentence that says how the result's containers differ from the card's."""
    if isinstance(returns, str):
        return None
    if isinstance(returns, dict):
        keys = ", ".join(repr(key) for key in returns)
        if not isinstance(result, dict):
            return f"{name} should give a dict with the keys {keys}, and gives {describe(result)}."
        if result.keys() != returns.keys():
            return (
                f"the dict should have exactly the keys {keys}; "
                f"yours has {', '.join(map(repr, result)) or 'none'}."
            )
        inner = [(returns[key], result[key]) for key in returns]
    else:
        count = len(returns)
        if not isinstance(result, tuple):
            return f"{name} should return a tuple of {count}, and returns {describe(result)}."
        if len(result) != count:
            return f"{name} should return {count} things, and returns {len(result)}."
        inner = list(zip(returns, result, strict=True))
    for sub_returns, sub_result in inner:
        misfit = structure_misfit(sub_returns, sub_result, name)
        if misfit:
            return misfit
    return None


def compare_leaf(label, yours, expected, rtol, case):
    """None if `yours` is right, else a Finding whose cause is still the plain one."""
    if yours is None:
        return Finding("none-returned", label, f"{label} is None.")
    if isinstance(expected, Exact):
        return _compare_exact(label, yours, expected, case)
    if isinstance(expected, Numbers):
        return _compare_numbers(label, yours, expected, rtol, case)
    if np.ndim(expected) == 0:
        if not is_number(yours):
            cause = "wrong-shape" if isinstance(yours, np.ndarray) else "wrong-type"
            return Finding(
                cause,
                label,
                f"{label} should be a single number, and is {describe(yours)}.",
                next_step="return the number itself, not something that holds it",
            )
    else:
        if not isinstance(yours, np.ndarray):
            return Finding(
                "wrong-type",
                label,
                f"{label} should be an array of shape {expected.shape}, and is {describe(yours)}.",
            )
        if yours.shape != expected.shape:
            return Finding(
                "wrong-shape",
                label,
                f"{label} has shape {yours.shape} where {expected.shape} is expected.",
            )
        if yours.dtype != np.float64:
            return Finding(
                "wrong-type",
                label,
                f"{label} holds {yours.dtype}, and gradients are float64.",
                next_step="convert with `.astype(float)`, or build the array from floats",
            )
    return _compare_values(label, np.asarray(yours, float), np.asarray(expected), rtol, case)


def _compare_values(label, yours, expected, rtol, case):
    bad = ~np.isfinite(yours)
    if bad.any() and np.isfinite(expected).all():
        index = np.unravel_index(int(np.argmax(bad)), bad.shape)
        return Finding(
            "non-finite",
            label,
            f"{label} is {yours[index]} where a finite number is expected"
            + (f" ({case.note})." if case.note else "."),
            worst=(case, index, yours[index], expected[index]),
        )
    error = np.abs(yours - expected)
    if np.all(error <= tolerance(expected, rtol)):
        return None
    index = np.unravel_index(int(np.nanargmax(error)), error.shape)
    return Finding(
        "wrong-value",
        label,
        f"{label} is not what the check expects.",
        worst=(case, index, yours[index], expected[index]),
    )


def tolerance(expected, rtol):
    """How far an entry may be off: relative to the largest entry, so that 1e-7-sized gradients
    are judged as strictly as large ones, with room for rounding where all entries are 0."""
    scale = np.max(np.abs(expected)) if np.size(expected) else 0.0
    return rtol * scale if scale > 0 else 1e-12


def _compare_exact(label, yours, expected, case):
    wanted = expected.value
    if isinstance(wanted, set) and isinstance(yours, frozenset):
        yours = set(yours)
    if type(yours) is not type(wanted):
        return Finding(
            "wrong-type",
            label,
            f"{label} should be a {type(wanted).__name__}, and is {describe(yours)}.",
        )
    if yours == wanted:
        return None
    if isinstance(wanted, set):
        kinds = {type(item) for item in wanted}
        strangers = [item for item in yours if type(item) not in kinds]
        if strangers:
            evidence = f"{label} holds {describe(strangers[0])} among its numbers."
            return Finding("wrong-type", label, evidence)
    worst = None if expected.secret else (case, None, yours, wanted)
    return Finding("wrong-value", label, f"{label} is not what the check expects.", worst=worst)


def _compare_numbers(label, yours, expected, rtol, case):
    if isinstance(yours, np.ndarray) and yours.ndim == 1:
        yours = list(yours)
    if not isinstance(yours, (list, tuple)):
        return Finding(
            "wrong-type", label, f"{label} should be a list of numbers, and is {describe(yours)}."
        )
    if len(yours) != len(expected):
        return Finding(
            "wrong-shape",
            label,
            f"{label} has {len(yours)} entries where {len(expected)} are expected.",
            next_step="count: which entries does the card ask for, from the first to the last?",
        )
    for value in yours:
        if not is_number(value):
            return Finding(
                "wrong-type", label, f"{label} holds {describe(value)} among its numbers."
            )
    values = np.array([float(value) for value in yours])
    return _compare_values(label, values, expected.values, rtol, case)


# ---------------------------------------------------------------- all cases together

ARGUMENTS = "arguments left alone"  # a part of every function that is given arrays or lists


def examine(trials, repeats=()):
    """{label: Finding or None} for the trials of one function.

    Where arrays or lists go in there is one more part, ARGUMENTS: that they come out unchanged.

    trials: a list of `Trial`, the worked example among them.
    repeats: pairs (first, again) of trials with the same inputs, called at different times.
    """
    function = trials[0].function
    verdict = {}
    leaking = _leaks(repeats)
    for label in function.labels:
        failed = [trial for trial in trials if trial.wrong(label)]
        if label in leaking:
            verdict[label] = Finding(
                "state-leak",
                label,
                f"the same call of {function.name} gives another result the second time.",
            )
        elif failed:
            verdict[label] = failed  # explained below, when all failing parts are known
        else:
            verdict[label] = None
    wrong = [label for label in function.labels if isinstance(verdict[label], list)]
    explained = explain_together(wrong, verdict)
    for label in wrong:
        verdict[label] = explained.get(label) or explain(label, trials)
    if any(observe.copied(arg) is not arg for trial in trials for arg in trial.case.args):
        verdict[ARGUMENTS] = _arguments(trials, verdict)
    return verdict


def _arguments(trials, verdict):
    """None if the function left its arguments as they were (and did something right at all)."""
    function = trials[0].function
    for trial in trials:
        if trial.observation.mutated:
            names = " and ".join(function.arguments[i] for i in trial.observation.mutated)
            evidence = f"after the call {names} no longer holds what {function.name} was given."
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
        a, b = np.asarray(a, float), np.asarray(b, float)
    except (TypeError, ValueError):
        return type(a) is type(b) and a == b
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-9, atol=0, equal_nan=True))


def agrees(yours, candidate, rtol=1e-9):
    """Whether a student's value is what a slip would have given (lists and numbers alike)."""
    if isinstance(candidate, (Exact, Numbers)):
        candidate = candidate.value if isinstance(candidate, Exact) else candidate.values
        if not isinstance(candidate, np.ndarray):
            return type(yours) is type(candidate) and yours == candidate
        yours = np.asarray(yours)
    try:
        yours, candidate = np.asarray(yours, float), np.asarray(candidate, float)
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
            and not agrees(_plain(trial.expected[label]), parts[label], trial.function.rtol)
        ]
        fitting = fits if fitting is None else [key for key in fitting if key in fits]
    return fitting or []


def _plain(expected):
    if isinstance(expected, Exact):
        return expected.value
    return expected.values if isinstance(expected, Numbers) else expected


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
    also = dict.fromkeys(key[0] for key in keys if key[0] not in (cause, "wrong-value"))
    return Finding(
        cause,
        label,
        f"{label} is exactly what comes out when {words}.",
        worst=_worst(label, failed),
        also=also,
        next_step=next_step,
    )


def _swapped(wrong, failures):
    """A permutation of the result's own values, the same one in every failed case."""
    trials = [trial for label in wrong for trial in failures[label]]
    if len(wrong) < 2 or any(label not in trial.yours for label in wrong for trial in trials):
        return None
    source = {}
    for label in wrong:
        for other in wrong:
            if other != label and all(
                agrees(trial.yours[label], _plain(trial.expected[other])) for trial in trials
            ):
                source[label] = other
    if sorted(source.values()) != sorted(wrong):
        return None
    return {
        label: Finding(
            "order-swapped",
            label,
            f"where {label} should stand your function returns {source[label]}.",
            worst=_worst(label, failures[label]),
        )
        for label in wrong
    }


def explain(label, trials):
    """The Finding for one wrong part: the first explanation that covers every failed case.

    trials: all of them, in the order of the calls.
    """
    failed = [trial for trial in trials if trial.wrong(label)]
    passed = [trial for trial in trials if not trial.wrong(label)]
    plain = [trial.problems[label] for trial in failed]
    for cause in CALL_CAUSES:
        hits = [finding for finding in plain if finding.cause == cause]
        if hits:
            if passed and cause in ("raises", "time-out"):
                return _with(hits[0], f"{hits[0].evidence} (On other inputs it works.)")
            return hits[0]
    if constant := _constant(label, trials):
        return constant
    if failed and all(trial.case.kind == "extreme" for trial in failed):
        note = failed[0].case.note or "very large or very small inputs"
        return Finding("unstable", label, f"{label} goes wrong for {note}.", worst=plain[0].worst)
    failed = telling(label, failed)
    plain = [trial.problems[label] for trial in failed]
    kinds = {finding.cause for finding in plain}
    for cause in ("wrong-type", "wrong-shape", "non-finite"):
        if cause in kinds:
            found = next(finding for finding in plain if finding.cause == cause)
            return _shape_story(label, failed, found) if cause == "wrong-shape" else found
    if any(finding.worst is None for finding in plain):
        keys = _fitting_slips(label, failed)
        if not keys and plain[0].cause == "wrong-value":
            plain[0].next_step = failed[0].function.advice or plain[0].next_step
        return _slip_finding(label, keys, failed) if keys else plain[0]
    return _explain_values(label, failed, passed, plain)


def _with(finding, evidence):
    return Finding(
        finding.cause, finding.part, evidence, finding.worst, finding.also, finding.next_step
    )


def _constant(label, trials):
    """One and the same result whatever the inputs: typed in, or remembered from the first call."""
    values = [trial.yours.get(label) for trial in trials]
    wanted = [_plain(trial.expected[label]) for trial in trials]
    if len(trials) < 3 or any(value is None for value in values):
        return None
    if not all(same(value, values[0]) for value in values):
        return None
    failed = [trial for trial in trials if trial.wrong(label)]
    worst = _worst(label, failed)
    for trial, want in zip(trials, wanted, strict=True):
        # Numbers copied from a page are rounded, so a thousandth is close enough here.
        if trial.case.kind == "worked" and agrees(values[0], want, rtol=1e-3):
            evidence = f"{label} is the same whatever the arguments are."
            return Finding("hard-coded", label, evidence, worst)
    if agrees(values[0], wanted[0]):
        evidence = f"{label} stays what it was in the first call, whatever the arguments are."
        return Finding("state-leak", label, evidence, worst)
    return None


def _shape_story(label, failed, found):
    """A wrong shape often has a better name: transposed, or not summed over the batch."""
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
            "transpose", label, f"{label} has the right entries, with rows and columns exchanged."
        )
    if all(
        yours.ndim >= wanted.ndim and agrees(np.reshape(yours.sum(axis=0), -1), wanted.reshape(-1))
        for yours, wanted in pairs
        if yours.ndim
    ):
        return Finding(
            "no-batch-sum",
            label,
            f"{label} has one row for each example; their sum would be right.",
        )
    if keys := _fitting_slips(label, failed):
        return _slip_finding(label, keys, failed)
    return found


def _explain_values(label, failed, passed, plain):
    """Right type, right shape, wrong numbers: what do they have in common?"""
    worst = _worst(label, failed)
    ratio = _constant_ratio(label, failed)

    def finding(cause, evidence, next_step=None):
        return Finding(cause, label, evidence, worst, next_step=next_step)

    if _opposite(label, failed):
        return finding("sign", f"{label} has the right size and the opposite sign, every time.")
    if keys := _fitting_slips(label, failed):
        return _slip_finding(label, keys, failed)
    if not any(np.any(np.asarray(trial.yours[label], float)) for trial in failed):
        return finding(
            "wrong-value",
            f"{label} is 0 every time: no signal gets through.",
            "follow the signal from the output towards this input: where is it lost?",
        )
    if ratio is not None and abs(ratio - 1) > 1e-3:
        words = ratio_in_words(ratio)
        return finding("factor", f"{label} is {words} what the check expects, every time.")
    if _all_transposed(label, failed):
        return finding(
            "transpose", f"{label} has the right entries, with rows and columns exchanged."
        )
    if (digits := _rounded(label, failed)) is not None:
        return finding(
            "imprecise",
            f"{label} is rounded to {digits} decimal{'s' if digits > 1 else ''}.",
            "round only when you print; return all digits",
        )
    if _close(plain):
        return finding(
            "imprecise", f"{label} is within a thousandth of what is expected, but not exact."
        )
    if passed and all(trial.case.kind == "worked" for trial in passed):
        return finding(
            "wrong-value",
            f"{label} is right on the worked example and wrong on other inputs.",
            "try numbers of your own, none of them 0, 1 or equal to each other",
        )
    if passed and all(trial.case.note for trial in failed):
        notes = "; ".join(dict.fromkeys(trial.case.note for trial in failed))
        return finding(
            "wrong-value",
            f"{label} is right in general and wrong here: {notes}.",
            "follow exactly this case by hand",
        )
    advice = failed[0].function.advice
    return finding("wrong-value", f"{label} is not what the check expects.", advice)


def _worst(label, failed):
    """The entry to show: of the worked example if that is wrong, else where the gap is largest."""
    failed = [trial for trial in failed if trial.problems[label].worst]
    if not failed:
        return None
    example = [trial for trial in failed if trial.case.kind == "worked"]
    found = [trial.problems[label] for trial in example or failed]
    return max(found, key=_relative_gap).worst


def _all_transposed(label, failed):
    pairs = [(np.asarray(trial.yours[label]), _plain(trial.expected[label])) for trial in failed]
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


def _constant_ratio(label, failed):
    """yours / expected, if it is one and the same number in every entry of every failed case."""
    ratios = []
    for trial in failed:
        yours = np.ravel(np.asarray(trial.yours[label], float))
        expected = np.ravel(np.asarray(_plain(trial.expected[label]), float))
        zero = np.abs(expected) <= tolerance(expected, 1e-9)
        if np.any(np.abs(yours[zero]) > tolerance(expected, 1e-9)):
            return None
        ratios.extend(yours[~zero] / expected[~zero])
    if len(ratios) < 2 or ratios[0] == 0:
        return None
    return ratios[0] if np.ptp(ratios) <= 1e-8 * abs(ratios[0]) else None


def _rounded(label, failed):
    """The number of decimals to which every value was rounded, None if they were not."""
    for digits in range(1, 9):
        if all(
            np.array_equal(
                np.asarray(trial.yours[label], float),
                np.round(np.asarray(_plain(trial.expected[label]), float), digits),
            )
            for trial in failed
        ):
            return digits
    return None


def _close(plain):
    """Whether the worst errors are below a thousandth of the largest value among these cases."""
    errors = [abs(yours - expected) for _, _, yours, expected in (f.worst for f in plain)]
    return max(errors) < 1e-3 * max(abs(finding.worst[3]) for finding in plain)


def _opposite(label, failed):
    if any(trial.problems[label].worst is None for trial in failed):
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
