"""One call against what was expected: types, shapes, numbers.

A `Trial` holds a case, what the engine expects there, and what a student's function did; for each
part of the result it has None or a plain `Finding`. What many trials have in common, and so the
likely mistake, is found in `diagnose`.
"""

import numpy as np

from .causes import Finding, listed
from .exercise import Exact, Flaw, Numbers, label_parts, leaves
from .observe import LEFTOVER


class Trial:
    """A case with what was expected, what came back, and how each part compares.

    problems: {label: Finding or None for each part}; expected and yours: {label: value}.
    """

    def __init__(self, function, case, observation):
        self.function = function
        self.case = case
        self.observation = observation
        self.expected = {} if function.reading else function.expected(case.args)
        self.yours = {}
        self.problems = self._compare()

    def wrong(self, label):
        return self.problems[label] is not None

    def everywhere(self, cause, evidence, next_step=None):
        """A finding about the call as a whole, for every part of the result."""
        finding = Finding(cause, self.function.labels, evidence, next_step=next_step)
        return dict.fromkeys(self.function.labels, finding)

    def _compare(self):
        name, seen = self.function.name, self.observation
        if seen.raised:
            return self._explain_raised(seen.raised)
        if seen.result is None:
            return self.everywhere("none-returned", f"{name} returns None.")
        result = seen.result
        if self.function.reading:
            try:
                result = self._read(result)
            except Flaw as flaw:
                return self.everywhere(flaw.cause, flaw.evidence, flaw.next_step)
        if misfit := structure_misfit(self.function.returns, result, name):
            return self.everywhere("wrong-type", *misfit)
        problems = {}
        for label, path in leaves(self.function.returns):
            value = result
            for key in path:
                value = value[key]
            if isinstance(value, Flaw):
                problems[label] = Finding(
                    value.cause, label, value.evidence, next_step=value.next_step
                )
                continue
            self.yours[label] = value
            problems[label] = compare_leaf(
                label, value, self.expected[label], self.function.rtol, self.case
            )
        return problems

    def _read(self, result):
        """What the function's reading makes of the result; what it expects goes to `expected`."""
        try:
            yours, expected = self.function.reading(self.case.args, result)
        except Flaw:
            raise
        except Exception:  # the result can be anything at all; no shape of it may stop the judge
            evidence = f"what {self.function.name} gives is not laid out as the card says."
            raise Flaw("wrong-type", evidence) from None
        self.expected = label_parts(self.function.returns, expected)
        return yours

    def _explain_raised(self, raised):
        name = self.function.name
        if raised.kind == "NotImplementedError":
            return self._explain_stub(raised)
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
            restart = "restart the kernel, run all cells from the top, and see where it stops"
            return self.everywhere("raises", raised.text, restart)
        next_step = ERROR_ADVICE.get(raised.kind)
        if raised.kind == "TypeError" and "for ^" in raised.text:
            next_step = "write a power as x**2; in Python ^ is something else"
        elif raised.kind == "ValueError" and any(sign in raised.text for sign in SHAPE_ERRORS):
            next_step = "print the shape of every factor and compare with the card"
        elif not next_step and self.case.note:
            next_step = f"call the function yourself on such an input: {self.case.note}"
        return self.everywhere("raises", raised.told_of(name), next_step)

    def _explain_stub(self, raised):
        """NotImplementedError: from this stub, from one that it calls, or left below an answer."""
        name = self.function.name
        if raised.where and raised.where.startswith(f"{name}."):
            return self.everywhere(
                "not-implemented", f"{raised.where} still raises NotImplementedError."
            )
        if raised.where:
            return self.everywhere(
                "not-implemented",
                f"{name} calls {raised.where}, which is not written yet.",
                f"finish {raised.where} first",
            )
        if raised.text == LEFTOVER:
            return self.everywhere(
                "not-implemented",
                f"your lines are there, but {name} still ends in `raise NotImplementedError()`.",
                "remove that line",
            )
        return self.everywhere("not-implemented", f"{name} still raises NotImplementedError.")


# How NumPy begins to say that two shapes do not go together.
SHAPE_ERRORS = ("matmul:", "shapes ", "operands could not be broadcast", "cannot reshape")

# What to do about an error of this kind.
ERROR_ADVICE = {
    "NameError": "check the spelling; is the name defined inside your function, or imported?",
    "UnboundLocalError": "give the variable its first value before you use it",
    "RecursionError": "look for a function that calls itself without an end",
    "IndexError": "print the shape, and count from 0",
    "KeyError": "print the keys there are",
}


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
    name = getattr(value, "described_as", type(value).__name__)  # of what could not be sent
    if not isinstance(name, str) or not name or name.startswith(("a ", "an ", "some")):
        return str(name) or "something"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def structure_misfit(returns, result, name):
    """None, or (evidence, next step) on how the result's containers differ from the card's."""
    if isinstance(returns, str):
        return None
    if isinstance(returns, dict):
        if not isinstance(result, dict):
            keys = listed(map(repr, returns))
            return (
                f"{name} should give a dict with the keys {keys}, and gives {describe(result)}.",
                "write {…} with a key and a value for each gradient",
            )
        missing = [repr(key) for key in returns if key not in result]
        extra = [repr(key) for key in result if key not in returns]
        if missing or extra:
            told = [f"missing: {', '.join(missing)}"] if missing else []
            told += [f"too many: {', '.join(extra)}"] if extra else []
            return f"the keys of the dict are not the card's ({'; '.join(told)}).", None
        inner = [(returns[key], result[key]) for key in returns]
    else:
        count = len(returns)
        if not isinstance(result, tuple):
            return (
                f"{name} should return a tuple of {count}, and returns {describe(result)}.",
                "return the values side by side, separated by commas, without brackets"
                if isinstance(result, list)
                else None,
            )
        if len(result) != count:
            got = f"{len(result)}: {listed(map(describe, result))}" if result else "none"
            return (
                f"{name} should return {count} things, and returns {got}.",
                f"return all {count} side by side, separated by commas",
            )
        inner = list(zip(returns, result, strict=True))
    for sub_returns, sub_result in inner:
        if misfit := structure_misfit(sub_returns, sub_result, name):
            return misfit
    return None


SEVERAL = "print its shape: which sum is missing, or which two factors have to change places?"


def compare_leaf(label, yours, expected, rtol, case):
    """None if `yours` is right, else a Finding whose cause is still the plain one."""
    if yours is None:
        return Finding(
            "none-returned",
            label,
            "{part} {is} None: not filled in yet.",
            next_step="compute this part too, and put it in its place in the `return`",
        )
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
                f"{{part}} should be a single number, and {{is}} {describe(yours)}.",
                next_step=SEVERAL
                if isinstance(yours, np.ndarray) and yours.size > 1
                else "return the number itself, not something that holds it",
            )
    else:
        if not isinstance(yours, np.ndarray):
            return Finding(
                "wrong-type",
                label,
                f"{{part}} should be an array of shape {expected.shape}, "
                f"and {{is}} {describe(yours)}.",
            )
        if yours.shape != expected.shape:
            return Finding(
                "wrong-shape",
                label,
                f"{{part}} {{has}} shape {yours.shape} where {expected.shape} is expected.",
            )
        if yours.dtype != np.float64:
            return Finding(
                "wrong-type",
                label,
                f"{{part}} {{holds}} {yours.dtype} where float64 is expected.",
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
            f"{{part}} {{is}} {yours[index]} where a finite number is expected"
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
        "{part} {is} not what the check expects.",
        worst=(case, index, yours[index], expected[index]),
    )


def tolerance(expected, rtol):
    """How far an entry may be off: relative to the largest entry, so that 1e-7-sized gradients
    are judged as strictly as large ones, with room for rounding where all entries are 0."""
    scale = np.max(np.abs(expected)) if np.size(expected) else 0.0
    return rtol * scale if scale > 0 else 1e-12


def agree_to_rounding(a, b):
    """Whether two arrays of one shape differ by no more than rounding."""
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance(b, 1e-9)))


def _compare_exact(label, yours, expected, case):
    wanted = expected.value
    if isinstance(wanted, set) and isinstance(yours, frozenset):
        yours = set(yours)
    if wanted and isinstance(wanted, set) and isinstance(yours, dict) and not yours:
        return Finding(
            "wrong-type",
            label,
            "{part} should be a set, and `{}` is an empty dict.",
            next_step="write a set as {1, 2}, an empty one as set()",
        )
    if type(yours) is not type(wanted):
        return Finding(
            "wrong-type",
            label,
            f"{{part}} should be a {type(wanted).__name__}, and {{is}} {describe(yours)}.",
        )
    if equal(yours, wanted):
        return None
    if isinstance(wanted, set):
        kinds = {type(item) for item in wanted}
        strangers = [
            item
            for item in yours
            if type(item) not in kinds and not (int in kinds and is_number(item))
        ]
        if strangers:
            evidence = f"{{part}} holds {describe(strangers[0])} among its numbers."
            return Finding("wrong-type", label, evidence)
    worst = None if expected.secret else (case, None, yours, wanted)
    return Finding("wrong-value", label, "{part} {is} not what the check expects.", worst=worst)


def equal(yours, wanted):
    """Whether two values that are no numbers are one: of one type, and equal."""
    if type(yours) is not type(wanted):
        return False
    try:
        return bool(yours == wanted)
    except ValueError:  # arrays in it, which have no one truth value
        return False


def _compare_numbers(label, yours, expected, rtol, case):
    if isinstance(yours, np.ndarray) and yours.ndim == 1:
        yours = list(yours)
    if not isinstance(yours, (list, tuple)):
        return Finding(
            "wrong-type",
            label,
            f"{{part}} should be a list of numbers, and {{is}} {describe(yours)}.",
        )
    if len(yours) != len(expected):
        return Finding(
            "wrong-shape",
            label,
            f"{{part}} {{has}} {counted(len(yours), 'entry', 'entries')} "
            f"where {len(expected)} are expected.",
            next_step="count: which entries does the card ask for, from the first to the last?",
        )
    for value in yours:
        if not is_number(value):
            return Finding(
                "wrong-type", label, f"{{part}} holds {describe(value)} among its numbers."
            )
    values = np.array([float(value) for value in yours])
    return _compare_values(label, values, expected.values, rtol, case)


def counted(n, one, many):
    """'1 entry', '2 entries'."""
    return f"{n} {one if n == 1 else many}"


def plain(expected):
    """An expected value without its wrapper."""
    if isinstance(expected, Exact):
        return expected.value
    return expected.values if isinstance(expected, Numbers) else expected
