"""What an exercise is: functions to write, and how the engine finds what they must return.

An exercise never stores an answer. It stores the *forward* computation, written for the
reference engine, and asks the engine for everything else: the gradients that a student's
function must return, and the gradients that each typical slip would return instead. So the
file a curious student opens says what is computed, not how its derivative is found by hand.

Both `check` (in the student's notebook) and the judge (in the instructor's process) read the
same exercises; they differ in the inputs they draw and in what they may show.
"""

import numpy as np

from backprop_kit.engine.tensor import Tensor, no_grad

REGISTRY = {}


class Exact:
    """An expected value that is compared with ==: a set, a string, a shape.

    `secret` keeps `check` from showing it beside the student's own.
    """

    def __init__(self, value, secret=False):
        self.value = value
        self.secret = secret

    def __repr__(self):
        return f"Exact({self.value!r})"


class Numbers:
    """An expected sequence of numbers; a list, a tuple or a 1-d array of them will do."""

    def __init__(self, values):
        self.values = np.array([float(value) for value in values])

    def __len__(self):
        return len(self.values)


class Flaw(Exception):
    """What is wrong with an answer that no comparison of numbers would tell.

    A `reading` raises it for the whole result, or puts it in the place of one part. cause, evidence
    and next_step are those of a `Finding`.
    """

    def __init__(self, cause, evidence, next_step=None):
        super().__init__(evidence)
        self.cause = cause
        self.evidence = evidence
        self.next_step = next_step


class Slip:
    """What a typical mistake would have returned for the same inputs.

    cause: a word of the fixed vocabulary in `diagnose.CAUSES`.
    words: what went wrong, in words a student uses; it completes "… is exactly what comes out
        when …".
    parts: {label: value}, only for the results that the mistake touches.
    next_step: what to do about it, where the cause's own advice does not fit.
    """

    __slots__ = ("cause", "next_step", "parts", "words")

    def __init__(self, cause, words, parts, next_step=None):
        self.next_step = next_step
        self.cause = cause
        self.words = words
        self.parts = parts


class Case:
    """One call: which function, with what, and why these inputs were chosen.

    `kind` is "worked" (the example of the text), "fresh" (random), "edge" (zeros, ties …),
    "square" (a matrix that happens to be square), "single" (a batch of one example) or "extreme"
    (where only a stable formula survives).
    """

    __slots__ = ("args", "function", "kind", "note")

    def __init__(self, function, args, kind="fresh", note=""):
        self.function = function
        self.args = tuple(args)
        self.kind = kind
        self.note = note


class Function:
    """One function a student writes.

    name, arguments: as in the stub.
    returns: labels in the shape of the result: "f", ("f", "df_dx"), ("f", {"w0": "df/dw0"}).
    solve(*args): the expected result, in that shape (floats, arrays, `Numbers`, `Exact`).
    slips(*args): a list of `Slip`; called only when an answer is wrong.
    rtol: how far a value may be off, relative to the largest entry of its part.
    advice: the next step where a value is wrong for no reason that has a name.

    Most functions are simply called with a case's arguments. Two hooks serve the others:

    drive(answers, *args): makes the call where it takes more than that: a class whose methods are
        to be called, a function that is given a function, a network of the kit. It runs beside the
        student's code, so it only collects: arrays, numbers, strings and containers of them.
        `answers` maps the exercise's names to what the student wrote. It must be a function of a
        module of backprop_kit.exercises, found there by its name.
    reading(args, result): makes of what came back the pair (yours, expected), both in the shape of
        `returns`, where what is expected depends on what came back (a layer is held against its own
        forward pass). It runs where marks are given. It may raise a `Flaw`, or put one in place of
        a part of `yours`. Without it, expected is solve(*args).
    batch: the name of the argument whose rows are the examples, where there is a batch.
    place(label, index, case): where in the result an entry is, in words, if its index does not say.
    """

    def __init__(
        self,
        name,
        arguments,
        returns,
        solve=None,
        slips=None,
        rtol=1e-10,
        advice=None,
        drive=None,
        reading=None,
        place=None,
        batch=None,
    ):
        self.advice = advice
        self.batch = batch
        self.drive = drive
        self.reading = reading
        self.place = place
        self.name = name
        self.arguments = tuple(arguments.split())
        self.returns = returns
        self.solve = solve
        self.slips = slips or (lambda *args: [])
        self.rtol = rtol

    @property
    def labels(self):
        """The labels of all parts of the result, in order."""
        return [label for label, _ in leaves(self.returns)]

    def expected(self, args):
        """{label: expected value} for these inputs."""
        return label_parts(self.returns, self.solve(*args))

    def caller(self, answers):
        """What to call with a case's arguments: the student's function, or its driver."""
        if self.drive is None:
            return answers[self.name]
        return lambda *args: self.drive(answers, *args)

    @property
    def driver(self):
        """The driver's address, "module:function", or None: how it is named to the probe."""
        return self.drive and f"{self.drive.__module__}:{self.drive.__name__}"


class Exercise:
    """A graded exercise: its id, its lesson, its points and its functions.

    draw(rng) returns the cases that the visible `check` runs: the worked example first.
    by_hand: while it is graded the reference engine is switched off.
    """

    def __init__(self, id, lesson, points, functions, draw, by_hand=True):
        self.id = id
        self.lesson = lesson
        self.points = points
        self.functions = {function.name: function for function in functions}
        self.draw = draw
        self.by_hand = by_hand

    @property
    def parts(self):
        """Every (function name, label) that is compared, in order."""
        return [(f.name, label) for f in self.functions.values() for label in f.labels]


def register(*args, **kwargs):
    """Make an `Exercise` and enter it under its id, once."""
    exercise = Exercise(*args, **kwargs)
    if exercise.id in REGISTRY:
        raise ValueError(f"exercise {exercise.id!r} is defined twice")
    REGISTRY[exercise.id] = exercise
    return exercise


def find(id):
    """The exercise of this id; a KeyError that lists the ids if there is none."""
    # Here and nowhere else: they are made of what stands in this room. Fills REGISTRY.
    import backprop_kit.exercises  # noqa: F401

    try:
        return REGISTRY[id]
    except KeyError:
        known = ", ".join(REGISTRY)
        raise KeyError(f"there is no exercise {id!r}; the exercises are: {known}") from None


# ---------------------------------------------------------------- the shape of a result


def leaves(returns):
    """(label, path) of every part of a `returns` description, in order."""
    if isinstance(returns, str):
        return [(returns, ())]
    keys = returns.items() if isinstance(returns, dict) else enumerate(returns)
    return [(label, (key, *path)) for key, inner in keys for label, path in leaves(inner)]


def label_parts(returns, result):
    """Cut a result that has the described shape into {label: value}."""
    parts = {}
    for label, path in leaves(returns):
        value = result
        for key in path:
            value = value[key]
        parts[label] = value
    return parts


# ---------------------------------------------------------------- letting the engine answer


class Gradients:
    """`solve` and `slips` for a function that returns f and derivatives of f.

    forward(*tensors) is f, written with the engine; `arguments` names its inputs; `wrt` names
    those to differentiate by. `pack(f, grads)` puts the value and {name: gradient} into the
    result's shape; by default `(f, *gradients)`.

    upstream: the name of the argument that is the signal from above, where f is not the end of the
    graph. It does not enter forward; `signal(array)` lays it out in f's shape (a paper row to a
    column, say). `pack` then gives the gradients alone by default.
    """

    def __init__(self, forward, arguments, wrt, pack=None, upstream=None, signal=None):
        self.forward = forward
        self.arguments = tuple(arguments.split())
        self.wrt = tuple(wrt.split())
        self.upstream = upstream
        self.signal = signal or (lambda array: array)
        with_value = upstream is None
        self.pack = pack or (lambda f, grads: (f, *grads.values())[0 if with_value else 1 :])

    def record(self, args):
        """Run forward on fresh leaves; returns (output, {name: leaf}, signal or None)."""
        given = dict(zip(self.arguments, args, strict=True))
        seed = None if self.upstream is None else self.signal(given.pop(self.upstream))
        inputs = {name: Tensor(value, name in self.wrt) for name, value in given.items()}
        return self.forward(*inputs.values()), {name: inputs[name] for name in self.wrt}, seed

    def __call__(self, *args):
        output, inputs, seed = self.record(args)
        output.backward(seed)
        return self.packed(output, {name: leaf.grad for name, leaf in inputs.items()})

    def packed(self, output, grads):
        """The result in its shape; a result of one part is that part."""
        result = self.pack(output.data, grads)
        return result[0] if type(result) is tuple and len(result) == 1 else result

    def slips(self, returns):
        """A `slips` function: every way of getting one step of the backward pass wrong."""
        from .slips import graph_slips

        def slips(*args):
            output, inputs, seed = self.record(args)
            found = []
            for cause, words, grads in graph_slips(output, inputs, seed):
                parts = label_parts(returns, self.packed(output, grads))
                found.append(Slip(cause, words, parts))
            return found

        return slips


def differentiate(
    name,
    forward,
    arguments,
    returns,
    wrt,
    pack=None,
    slips=None,
    upstream=None,
    signal=None,
    **settings,
):
    """A `Function` whose expected result is f and its derivatives, found by the engine.

    forward, wrt, pack, upstream, signal: as in `Gradients`. `slips(*args)` adds slips of the
    exercise's own to those that the graph yields. settings: further settings of the `Function`.
    """
    gradients = Gradients(forward, arguments, wrt, pack, upstream, signal)
    from_graph = gradients.slips(returns)

    def all_slips(*args):
        return (slips(*args) if slips else []) + from_graph(*args)

    return Function(name, arguments, returns, gradients, all_slips, **settings)


def value_of(forward, *args):
    """f at these inputs, nothing recorded."""
    with no_grad():
        return forward(*(Tensor(arg) for arg in args)).data
