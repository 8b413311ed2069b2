"""Is this gradient right? Numerical gradients, and a check that says what is wrong and where.

`numerical_gradient` moves one entry at a time and watches the loss. `gradcheck` compares every
gradient of a function, or of a layer, with the numerical one: all arguments, all entries, with a
random signal from above, on the gradient's own scale. Its report tells kinks, noise and
nondeterminism apart from mistakes, and for a mistake it asks `diagnose` for the likely cause.
"""

import numpy as np

from backprop_kit.engine.layers import Layer
from backprop_kit.engine.tensor import Tensor, as_data, no_grad, require_engine

from .observe import copied

EPSILON = np.finfo(np.float64).eps

# --------------------------------------------------------------------------- numerical gradients


def numerical_gradient(f, A, h=1e-5, complex_step=False):
    """∂f/∂A by central differences: (f(A + h) − f(A − h)) / 2h, one entry of A at a time.

    f             takes an array of A's shape and returns one number (or a Tensor of one entry)
    A             an array of any shape, or a number; it is not changed
    complex_step  Im f(A + ih)/h instead: no subtraction, so no digits are lost. Only for an f made
                  of complex-differentiable steps (no abs, max, comparison or conjugate).

    Returns an array of A's shape (np.float64 for a number). Raises ValueError if f does not return
    one number, or does not carry a complex step through.
    """
    require_engine()
    A = np.array(as_data(A.data if isinstance(A, Tensor) else A))
    grad = np.empty(A.shape)
    if complex_step:
        h = 1e-30
        A = A.astype(complex)
    for index in np.ndindex(A.shape):
        kept = A[index]
        if complex_step:
            A[index] = kept + 1j * h
            value = np.asarray(f(A.copy()[()]))
            if value.dtype.kind != "c" or value.size != 1:
                raise ValueError(
                    f"the complex step does not get through: f returned {value.dtype}, not one "
                    "complex number. Use central differences."
                )
            grad[index] = value.item().imag / h
        else:
            A[index] = kept + h
            above = one_number(f(A.copy()[()]))
            A[index] = kept - h
            below = one_number(f(A.copy()[()]))
            grad[index] = (above - below) / (2 * h)
        A[index] = kept
    return grad[()]


def one_number(value):
    value = np.asarray(value.data if isinstance(value, Tensor) else value)
    if value.size != 1 or value.dtype.kind not in "biuf":
        raise ValueError(
            f"f must return one real number, and returned {value.dtype} of shape {value.shape}."
        )
    return float(value.reshape(()))


# ----------------------------------------------------------------------------------- the check


def gradcheck(f, *inputs, grads=None, wrt=None, rtol=1e-6, seed=0):
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
        from .diagnose import CAUSES

        return CAUSES[self.cause][0]


# ------------------------------------------------------------------- what is checked: subjects


class Subject:
    """Something with inputs, a value, and gradients that claim to be its own.

    names   of the numeric inputs; arrays: private float64 copies of them, moved to differentiate
    """

    def value(self):
        """f at the present contents of `arrays`, as an array or number."""
        raise NotImplementedError

    def gradients(self, upstream):
        """({name: claimed gradient}, names of inputs that were changed by computing them)."""
        raise NotImplementedError


def choose(f, inputs, grads):
    if grads is not None:
        return ByHand(f, inputs, grads)
    if not callable(f) or (hasattr(f, "forward") and hasattr(f, "backward")):
        if not (hasattr(f, "forward") and hasattr(f, "backward")):
            raise TypeError("gradcheck: f is neither a function nor a layer (forward, backward).")
        if len(inputs) != 1:
            raise TypeError(f"gradcheck: a layer takes one input, and {len(inputs)} are given.")
        return OfLayer(f, inputs[0])
    return OfTensors(f, inputs)


class OfTensors(Subject):
    def __init__(self, f, inputs):
        self.f = f
        self.fixed, self.arrays, self.notes = numeric_inputs(f, inputs)
        self.names = list(self.arrays)

    def call(self, requires_grad):
        leaves = {
            n: Tensor(a.copy()[()], requires_grad=requires_grad) for n, a in self.arrays.items()
        }
        out = self.f(*[leaves.get(key, value) for key, value in self.fixed])
        if not isinstance(out, Tensor):
            raise TypeError(
                "gradcheck: f returned no Tensor. Compute with the Tensors that it is given, or "
                "pass your own gradients as grads=."
            )
        return out, leaves

    def value(self):
        with no_grad():
            return self.call(requires_grad=False)[0].data

    def gradients(self, upstream):
        out, leaves = self.call(requires_grad=True)
        if out.requires_grad:
            out.backward(upstream)
        changed = [n for n in leaves if not same(leaves[n].data, self.arrays[n])]
        nothing = {n: np.zeros(a.shape)[()] for n, a in self.arrays.items()}
        return {
            n: nothing[n] if leaf.grad is None else leaf.grad for n, leaf in leaves.items()
        }, changed


class ByHand(Subject):
    def __init__(self, f, inputs, grads):
        self.f, self.grads = f, grads
        self.fixed, self.arrays, self.notes = numeric_inputs(f, inputs)
        self.names = list(self.arrays)

    def copies(self):
        given = {name: array.copy()[()] for name, array in self.arrays.items()}
        return given, [given.get(key, value) for key, value in self.fixed]

    def value(self):
        given, arguments = self.copies()
        value = self.f(*arguments)
        self.changed_by_f = [n for n in given if not same(given[n], self.arrays[n])]
        return value.data if isinstance(value, Tensor) else value

    def gradients(self, upstream):
        given, arguments = self.copies()
        answer = self.grads
        if callable(answer):
            answer = answer(*arguments) if np.ndim(upstream) == 0 else answer(upstream, *arguments)
        changed = [n for n in given if not same(given[n], self.arrays[n])]
        changed += self.changed_by_f
        if isinstance(answer, dict):
            return {n: answer.get(n) for n in self.names}, changed
        if not isinstance(answer, (tuple, list)) or len(self.names) == 1 != len(answer):
            answer = (answer,)
        if len(answer) != len(self.names):
            raise ValueError(
                f"grads: {len(answer)} gradients for the {len(self.names)} inputs "
                f"{', '.join(self.names)}"
            )
        return dict(zip(self.names, answer, strict=True)), changed


class OfLayer(Subject):
    def __init__(self, layer, x):
        self.layer, self.fixed, self.notes = layer, [("x", None)], []
        x = x.data if isinstance(x, Tensor) else x
        self.arrays = {"x": np.array(as_data(x))}
        tensors = layer.named_parameters() if isinstance(layer, Layer) else {}
        for name, value in (getattr(layer, "params", None) or {}).items():
            if name not in tensors or tensors[name].requires_grad:  # frozen ones have no gradient
                self.arrays[name] = np.array(as_data(value))
        self.names = list(self.arrays)

    def value(self):
        with self.parameters_set():
            x = self.arrays["x"].copy()[()]
            value = self.layer.forward(x)
            self.changed_by_f = [] if same(x, self.arrays["x"]) else ["x"]
            return value

    def parameters_set(self):
        """Write the present parameters into the layer, and its own ones back afterwards."""
        return Lent(self.layer, {n: a for n, a in self.arrays.items() if n != "x"})

    def gradients(self, upstream):
        with self.parameters_set():
            x = self.arrays["x"].copy()[()]
            self.layer.forward(x)
            signal = np.array(upstream)[()]
            dx = self.layer.backward(signal)
            changed = [] if same(x, self.arrays["x"]) else ["x"]
            if not same(signal, upstream):
                changed.append("the upstream signal")
            grads = getattr(self.layer, "grads", None) or {}
            # copies: the layer may use the same arrays again
            claimed = {n: copied(grads.get(n)) for n in self.names[1:]}
            return {"x": copied(dx), **claimed}, changed + self.changed_by_f


class Lent:
    """A layer's parameters, replaced for a while: in place where they are arrays."""

    def __init__(self, layer, values):
        self.layer, self.values = layer, values

    def write(self, values):
        params = getattr(self.layer, "params", None) or {}
        for name, value in values.items():
            if isinstance(params[name], np.ndarray):
                params[name][...] = value
            else:
                params[name] = value[()]

    def __enter__(self):
        params = getattr(self.layer, "params", None) or {}
        self.own = {name: np.array(params[name]) for name in self.values}
        self.write(self.values)

    def __exit__(self, *error):
        self.write(self.own)


def numeric_inputs(f, inputs):
    """([(name, None) or (None, value)], {name: float64 copy}, notes) for f's arguments in order."""
    fixed, arrays, notes = [], {}, []
    for name, value in zip(argument_names(f, len(inputs)), inputs, strict=True):
        value = value.data if isinstance(value, Tensor) else value
        try:
            array = np.array(as_data(value))
        except (TypeError, ValueError):
            fixed.append((None, value))
            continue
        if getattr(value, "dtype", None) == np.float32:
            notes.append(f"{name} is float32; it was converted to float64 for the check.")
        fixed.append((name, None))
        arrays[name] = array
    if not arrays:
        raise ValueError("gradcheck: there is no numeric input to differentiate with respect to.")
    return fixed, arrays, notes


def argument_names(f, count):
    import inspect

    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [f"argument {i}" for i in range(count)]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    return (names + [f"{rest}[{i}]" for i in range(max(0, count - len(names)))])[:count]


def same(a, b):
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)


# --------------------------------------------------------------------------------- comparing


def examine(subject, wrt, rtol, seed):
    first = checked_value(subject.value())
    upstream = np.float64(1.0)
    if first.shape:
        upstream = np.random.default_rng(seed).normal(size=first.shape)
    yours, changed = subject.gradients(upstream)
    again, changed_again = subject.gradients(upstream)
    loss = Loss(subject, upstream, first)
    problems, notes = [], list(subject.notes)
    if not same(first, checked_value(subject.value())):
        story = (
            "f is not the same function twice: called again with the same inputs it returns "
            "something else (random numbers? state that a call leaves behind?)."
        )
        return Report({}, [("state-leak", story)], notes, judged=False)
    if any(not close(yours[n], again[n]) for n in subject.names):
        names = ", ".join(n for n in subject.names if not close(yours[n], again[n]))
        problems.append(
            (
                "state-leak",
                f"the gradient to {names} is another one when it is computed a second time: does "
                "it add to what the first call left behind?",
            )
        )
    if changed := list(dict.fromkeys(changed + changed_again)):
        problems.append(
            (
                "mutates-argument",
                f"{' and '.join(changed)} no longer holds what was passed in: work on a copy.",
            )
        )
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


class Loss:
    """L = Σ upstream · f as a function of the subject's arrays, and how exactly it is computed."""

    def __init__(self, subject, upstream, value):
        self.subject, self.upstream = subject, upstream
        self.size = float(np.sum(np.abs(upstream * value)))  # what rounding errors are relative to
        inexact = value.dtype == np.float32 or (
            value.dtype == np.float64
            and np.any(value != np.round(value, 3))
            and np.array_equal(value, value.astype(np.float32))
        )
        self.single = bool(inexact)
        self.epsilon = np.finfo(np.float32).eps if inexact else EPSILON

    def __call__(self):
        value = np.asarray(self.subject.value(), dtype=float)
        return float(np.sum(self.upstream * value))


class Slopes:
    """The numerical gradient of a loss to one array, with what is known about each entry.

    central  central differences of two step widths, extrapolated to width 0
    blur     how far rounding alone may move an entry of `central`
    kinks    {index: (slope on the left, slope on the right)} where the two differ for good
    near     indices with a kink within the ordinary step, where a smaller step was taken
    noisy    indices where f is so noisy that no step width gives a clear answer
    """

    def __init__(self, loss, array, base=1e-4, least=1e-2):
        self.loss, self.array = loss, array
        self.centre = loss()
        self.central, self.blur = np.zeros(array.shape), np.zeros(array.shape)
        self.kinks, self.near, self.noisy, self.noise = {}, [], [], 0.0
        base = 100 * base if loss.single else base
        doubtful = []
        for index in np.ndindex(array.shape):
            step = base * min(max(abs(array[index]), least), 10.0)
            step = max(step, 1e-8 * abs(array[index]))
            probe = self.probe(index, step)
            self.central[index], self.blur[index] = probe.slope, probe.blur
            doubtful.append((index, step, probe))
        scale = np.max(np.abs(self.central), initial=0.0)
        for index, step, probe in doubtful:
            if not probe.smooth(scale):
                self.look_closer(index, step, probe, scale)
        if self.noisy:  # then f is noisy everywhere, also where two differences agree by chance
            self.blur += 2 * self.noise

    def probe(self, index, step):
        return Probe(self.loss, self.array, index, step, self.centre)

    def look_closer(self, index, step, wide, scale):
        """The slope does not settle: is there a kink close by, a kink right here, or noise?"""
        noise = wide.disagreement
        for times in (30, 900):
            close = self.probe(index, step / times)
            noise = max(noise, abs(close.slope - wide.slope) / times)
            # Beside a kink the slope is that of the side which the wide step saw undisturbed.
            gap = min(abs(close.slope - wide.left), abs(close.slope - wide.right))
            if close.smooth(scale) and gap <= 1e-3 * max(scale, abs(close.slope)):
                self.near.append(index)
                self.central[index], self.blur[index] = close.slope, close.blur
                return
        if abs(close.jump) > 4 * close.rounding and abs(close.jump) < 4 * abs(wide.jump):
            self.kinks[index] = close.left, close.right
            self.central[index], self.blur[index] = close.slope, close.blur
            return
        self.noisy.append(index)
        self.noise = max(self.noise, noise)


class Probe:
    """The loss around one entry: slopes to both sides for a step, and for half of it."""

    def __init__(self, loss, array, index, step, centre):
        kept = array[index]
        moved, values = [], []
        for shift in (step, step / 2, -step / 2, -step):
            array[index] = kept + shift
            moved.append(float(array[index]) - float(kept))  # what the rounded step really is
            values.append(loss())
        array[index] = kept
        (h, half, minus_half, minus_h), (far, near, near_below, far_below) = moved, values
        wide = (far - far_below) / (h - minus_h)
        narrow = (near - near_below) / (half - minus_half)
        self.slope = narrow + (narrow - wide) / 3  # Richardson: the step's square cancels
        self.disagreement = abs(narrow - wide)
        self.right, self.left = (near - centre) / half, (near_below - centre) / minus_half
        self.jump_wide = (far - centre) / h - (far_below - centre) / minus_h
        size = max(loss.size, abs(far), abs(far_below))
        self.rounding = 8 * loss.epsilon * size / step
        self.blur = self.rounding + self.disagreement
        self.jump = self.right - self.left

    def smooth(self, scale):
        """Whether the slope settles, and the two sides approach each other, as the step shrinks."""
        room = 8 * self.rounding + 1e-6 * max(scale, abs(self.slope))
        settles = self.disagreement <= room + 1e-4 * abs(self.slope)
        meets = abs(self.jump) <= 0.75 * abs(self.jump_wide) + room
        return settles and meets


def compare(name, yours, slopes, array, rtol):
    """The verdict on one gradient, without its cause."""
    numeric = slopes.central[()]
    verdict = Verdict(name, array.shape, yours, numeric)
    if not comparable(yours, array):
        verdict.ok = False
        return verdict
    claimed = np.asarray(yours, dtype=float)
    difference = np.array(np.abs(claimed - slopes.central))
    largest = np.max(np.abs(slopes.central), initial=0.0)
    allowed = rtol * np.maximum(np.abs(slopes.central), np.abs(claimed)) + slopes.blur
    allowed = allowed + 1e-9 * largest
    off = np.array(~(difference <= allowed))
    for index, (left, right) in slopes.kinks.items():
        low, high = min(left, right), max(left, right)
        room = 1e-3 * max(abs(low), abs(high))
        if low - room <= claimed[index] <= high + room:
            off[index], difference[index] = False, 0.0
    verdict.wrong = int(np.sum(off))
    verdict.ok = verdict.wrong == 0
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


# --------------------------------------------------------------------------- naming the cause


def explain(subject, loss, verdicts, rtol):
    """Give every wrong verdict its cause, evidence and next step: `diagnose` knows the slips."""
    from .diagnose import Trial
    from .diagnose import examine as diagnose
    from .exercise import Case, Function, Slip
    from .observe import Observation

    names = list(verdicts)
    labels = {name: f"the gradient to {name}" for name in names}
    expected = {n: settled(verdicts[n], loss, subject.arrays[n]) for n in names}

    def pack(values):
        return values[0] if len(values) == 1 else tuple(values)

    def slips(*_):
        yield from guesses(subject, loss, expected, labels, Slip)

    function = Function(
        "f",
        " ".join(key or "_" for key, _ in subject.fixed),
        pack([labels[n] for n in names]),
        lambda *_: pack([expected[n] for n in names]),
        slips,
        rtol=max(rtol, 1e-6),
    )
    observation = Observation(pack([verdicts[n].yours for n in names]))
    found = diagnose([Trial(function, Case("f", ()), observation)])
    for name in names:
        verdict = verdicts[name]
        if verdict.ok:
            continue
        finding = found.get(labels[name])
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


def guesses(subject, loss, expected, labels, Slip):
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
