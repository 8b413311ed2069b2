"""Lesson 04: bias. What each exercise computes, forward; the engine does the rest."""

import numpy as np

from backprop_kit.checking.diagnose import agrees
from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Flaw,
    Function,
    Gradients,
    Slip,
    register,
    value_of,
)
from backprop_kit.engine.tensor import Tensor

from .drawing import numbers, sizes

LESSON = "04_bias"


# ---------------------------------------------------------------- y = Wx + b, one example

W = np.array([[1.0, -1.0, 2.0], [0.5, 2.0, -1.0]])
x = np.array([[2.0], [1.0], [-1.0]])
dL_dy = np.array([[3.0, -2.0]])


def bias_gradient(dL_dy):
    """y = (something) + b, all columns; the engine's ∂L/∂b as a paper row."""
    b = Tensor(np.zeros(dL_dy.T.shape), requires_grad=True)
    (b + np.zeros(b.shape)).backward(dL_dy.T)
    return b.grad.T


def bias_slips(dL_dy):
    """Slips in handing the signal on to b."""
    m = dL_dy.shape[1]
    return [
        Slip(cause, words, {"dL_db": value}, next_step)
        for cause, words, value, next_step in [
            (
                "upstream-ignored",
                "the signal you are given is left out, as if it were all ones",
                np.ones((1, m)),
                None,
            ),
            (
                "wrong-shape",
                "∂y/∂b itself is returned, without a signal",
                np.eye(m),
                "combine the derivative of y with the signal that arrives",
            ),
            (
                "wrong-shape",
                "the terms ∂L/∂yᵢ·δᵢₖ stand side by side, and their sum over i is not taken",
                np.diag(dL_dy[0]),
                "the sum in the formula runs over i; only k is left to number the entries",
            ),
            (
                "wrong-shape",
                "the signals of all outputs are added up to a single number",
                dL_dy.sum(axis=1, keepdims=True),
                "the bias has an entry for each output: which outputs does one entry move?",
            ),
            (
                "wrong-value",
                "every entry of b gets the signals of all outputs together",
                np.full((1, m), dL_dy.sum()),
                "the bias has an entry for each output: which outputs does one entry move?",
            ),
            (
                "wrong-value",
                "only the first entry is filled in, and the others are 0",
                np.eye(1, m) * dL_dy,
                "the formula holds for every k: write it down for k = 2 too; and if there is a "
                "loop, does it come to its end?",
            ),
        ]
    ]


register(
    "bias_backward",
    LESSON,
    points=1,
    functions=[
        Function(
            "bias_backward",
            "dL_dy",
            "dL_db",
            bias_gradient,
            bias_slips,
            advice="write the sum over i down for k = 1: which of its terms are not 0?",
        )
    ],
    draw=lambda rng: [
        Case("bias_backward", (dL_dy,), "worked"),
        *(Case("bias_backward", (numbers(rng, 1, m),)) for m in (3, 4, 6)),
    ],
)


# ---------------------------------------------------------------- which product fits

# What the five answers of the card mean, as forward computations.
PRODUCTS = {
    "signal @ factor": lambda signal, factor: signal @ factor,
    "factor @ signal": lambda signal, factor: factor @ signal,
    "signal.T @ factor.T": lambda signal, factor: signal.transpose() @ factor.transpose(),
    "factor.T @ signal.T": lambda signal, factor: factor.transpose() @ signal.transpose(),
    "signal * factor": lambda signal, factor: signal * factor,
}


def shapes_made(signal, factor):
    """{product: the shape it has}, of those that can be formed from arrays of these two shapes."""
    made = {}
    for name, product in PRODUCTS.items():
        try:
            made[name] = value_of(product, np.zeros(signal), np.zeros(factor)).shape
        except ValueError:
            continue
    return made


def fitting(signal, factor, target):
    """The products that have the target's shape; the elementwise one between equals only."""
    made = shapes_made(signal, factor)
    if signal != factor:
        made.pop(ELEMENTWISE, None)
    return [name for name, shape in made.items() if shape == target]


def the_order(*shapes):
    """The one product that fits."""
    (name,) = fitting(*shapes)
    return name


ELEMENTWISE = "signal * factor"
KIND, PLAIN, TRANSPOSED = "kind of product", "order without .T", "order with .T"


def ask_order(answers, *shapes):
    """Call pick_order; in a tuple, so that a None reaches the reading, which looks where it is."""
    return (answers["pick_order"](*shapes),)


def read_order(args, result):
    """(yours, expected) for three skills: *, or a matrix product; its order; with transposes.

    Where a call does not test a skill, what came back is also what is expected.
    """
    (yours,), right = result, the_order(*args)
    plain, transposed = right in list(PRODUCTS)[:2], right in list(PRODUCTS)[2:4]
    if yours is None:
        evidence = "pick_order returns None where one of the five fits"
        evidence += ", at dL_dy_shape = {}, factor_shape = {}, target_shape = {}.".format(*args)
        next_step = "look for a case that none of your branches catches, and for a missing `return`"
        nothing = Flaw("none-returned", evidence, next_step)
        tested = (True, plain, transposed)
        return tuple(nothing if test else "" for test in tested), (Exact(""),) * 3
    if not isinstance(yours, str):
        return (yours,) * 3, (Exact(right),) * 3
    if yours not in PRODUCTS:
        evidence = f"the result {yours[:40]!r} is none of the card's five."
        next_step = "copy the five from the card, spaces and dots as they stand there"
        raise Flaw("wrong-type", evidence, next_step)
    tested = ((yours == ELEMENTWISE) != (right == ELEMENTWISE), plain, transposed)
    return (yours,) * 3, tuple(Exact(right if test else yours) for test in tested)


def misread_shapes(signal, factor, target):
    """Slips in choosing a product."""
    right = the_order(signal, factor, target)
    turned = {
        "signal @ factor": "factor @ signal",
        "signal.T @ factor.T": "factor.T @ signal.T",
    }
    turned |= {b: a for a, b in turned.items()}
    plain = {
        "signal.T @ factor.T": "signal @ factor",
        "factor.T @ signal.T": "factor @ signal",
    }
    crossed = {a: turned[b] for a, b in plain.items()} | {turned[b]: a for a, b in plain.items()}
    made = [name for name in shapes_made(signal, factor) if name != ELEMENTWISE]
    three = "write the three shapes under each other and cross out the two lengths that must meet"
    slips = [
        (
            "wrong-value",
            "the first product that can be formed is taken, whatever shape it gives",
            made[0] if made else None,
            "compare the shape of the product with the third argument before you decide",
        ),
        (
            "wrong-value",
            "the last product that can be formed is taken, whatever shape it gives",
            made[-1] if made else None,
            "compare the shape of the product with the third argument before you decide",
        ),
        ("wrong-value", "the two factors stand the wrong way round", turned.get(right), three),
        ("wrong-value", "the transposes are forgotten", plain.get(right), three),
        (
            "wrong-value",
            "the product with exactly the transposed shape is chosen",
            crossed.get(right),
            "compare both lengths of the target, each at its own place",
        ),
        (
            "wrong-value",
            "the elementwise product is chosen where the three shapes are not equal",
            ELEMENTWISE if right != ELEMENTWISE else None,
            "use * only where all three shapes are the same",
        ),
    ]
    return [
        Slip(cause, words, dict.fromkeys((KIND, PLAIN, TRANSPOSED), Exact(name)), next_step)
        for cause, words, name, next_step in slips
        if name
    ]


# In letters: the shapes of signal, factor and target that make each product the right one. The
# last ones of a product are the forms that modules really have: a paper row, a column.
LETTERS = {
    "signal @ factor": ["ab bc ac", "1b bc 1c", "ab b1 a1", "1b bb 1b"],
    "factor @ signal": ["bc ab ac", "bc 1b 1c", "b1 ab a1", "1c a1 ac", "b1 bb b1"],
    "signal.T @ factor.T": ["ba cb ac", "1a c1 ac", "b1 cb 1c"],
    "factor.T @ signal.T": ["cb ba ac", "1b ba a1", "c1 1a ac"],
    "signal * factor": ["ab ab ab", "1b 1b 1b", "a1 a1 a1"],
}


def shapes_for(rng, product, form=0):
    """Three shapes that only `product` fits."""
    while True:
        size = dict(zip("1abc", [1, *sizes(rng, 3)], strict=True))
        shapes = [tuple(size[c] for c in letters) for letters in LETTERS[product][form].split()]
        if fitting(*shapes) == [product]:
            return tuple(shapes)


register(
    "pick_order",
    LESSON,
    points=3,
    functions=[
        Function(
            "pick_order",
            "dL_dy_shape factor_shape target_shape",
            (KIND, PLAIN, TRANSPOSED),
            slips=misread_shapes,
            drive=ask_order,
            reading=read_order,
            advice="write the three shapes down and try the five products, one after the other",
        )
    ],
    draw=lambda rng: [
        Case("pick_order", ((1, 2), (3, 1), (2, 3)), "worked"),
        *(Case("pick_order", shapes_for(rng, product)) for product in PRODUCTS),
        Case("pick_order", shapes_for(rng, "signal @ factor", 1)),
        Case("pick_order", shapes_for(rng, "factor @ signal", 3)),
        Case("pick_order", shapes_for(rng, "factor.T @ signal.T", 1)),
        Case("pick_order", shapes_for(rng, "signal * factor", 1)),
        Case("pick_order", shapes_for(rng, "signal @ factor", 3)),
    ],
)


# ---------------------------------------------------------------- the affine module


def affine(name, forward, arguments, batch=None, signal=None, zeros=None, slips=None):
    """A function (signal, W, input) → the gradients to W, to the input and to b.

    forward(W, input, b) is the module. b is no argument: its value enters no gradient, so the
    engine gets `zeros(W)` in its place.
    """
    upstream, _, given = arguments.split()
    labels = ("dL_dW", f"dL_d{given}", "dL_db")
    gradients = Gradients(
        forward,
        f"{arguments} b",
        wrt=f"W {given} b",
        upstream=upstream,
        signal=signal,
        pack=lambda _, grads: as_on_the_card(*grads.values()),
    )

    def as_on_the_card(dW, d_input, db):
        return (dW, d_input, db) if batch else (dW, d_input.T, db.T)  # paper rows

    from_graph = gradients.slips(labels)

    return Function(
        name,
        arguments,
        labels,
        lambda g, W, v: gradients(g, W, v, zeros(W)),
        lambda g, W, v: slips(g, W, v) + from_graph(g, W, v, zeros(W)),
        batch=batch,
        advice="do it for one example with numbers first, entry by entry",
    )


def bias_from_weights(dL_dW):
    """Slips that make ∂L/∂b out of ∂L/∂W."""
    words = "the columns of dL_dW are added up"
    next_step = (
        "the bias never meets the input: which outputs does one entry of b move, and how much?"
    )
    return [
        Slip("wrong-value", words, {"dL_db": value}, next_step)
        for value in (
            dL_dW.sum(axis=1),
            dL_dW.sum(axis=1).reshape(1, -1),
        )
    ]


def masked(dL_dW, d_input, dL_db):
    """The slip of a ReLU where there is none, from the three gradients that it would give."""
    return Slip(
        "wrong-mask",
        "a ReLU's mask is laid on the signal",
        {"dL_dW": dL_dW, "dL_dx": d_input, "dL_dX": d_input, "dL_db": dL_db},
        "this module is Wx + b alone: which gate of it could hold a signal up?",
    )


def one_example_slips(dL_dy, W, x):
    dL_dW, dL_dx, _ = affine_backward.solve(dL_dy, W, x)
    b_slips = [
        Slip(slip.cause, slip.words, slip.parts, slip.next_step)
        for slip in bias_slips(dL_dy)
        if slip.cause != "upstream-ignored"
    ]
    through_relu = affine_backward.solve(dL_dy * (W @ x > 0).T, W, x)
    flat = "a paper row has two pairs of brackets, and so a shape of two lengths"
    words = "the row's outer brackets are missing"
    return [
        *b_slips,
        *bias_from_weights(dL_dW),
        masked(*through_relu),
        Slip("wrong-shape", words, {"dL_dx": dL_dx[0], "dL_db": dL_dy[0]}, flat),
    ]


affine_backward = affine(
    "affine_backward",
    lambda W, x, b: W @ x + b,
    "dL_dy W x",
    signal=lambda row: row.T,
    zeros=lambda W: np.zeros((len(W), 1)),
    slips=one_example_slips,
)


def one_example(rng, m=None, n=None, scale=1.0):
    """A call (dL_dy, W, x) of affine_backward; without m and n of unequal sizes."""
    if m is None:
        m, n = sizes(rng, 2)
    return numbers(rng, 1, m), scale * numbers(rng, m, n), scale * numbers(rng, n, 1)


register(
    "affine_backward",
    LESSON,
    points=2,
    functions=[affine_backward],
    draw=lambda rng: [
        Case("affine_backward", (dL_dy, W, x), "worked"),
        *(Case("affine_backward", one_example(rng, *sizes)) for sizes in [(3, 5), (4, 2), (2, 6)]),
        Case("affine_backward", one_example(rng, 3, 3), "square"),
        Case("affine_backward", one_example(rng, 4, 3, 1e3), "edge", "W and x a thousand times b"),
    ],
)


# ---------------------------------------------------------------- the affine module, a batch

X = np.array([[2.0, 1.0, -1.0], [0.0, 1.0, 3.0], [-1.0, 2.0, 0.5], [1.0, -2.0, 1.0]])
dL_dY = np.array([[3.0, -2.0], [1.0, 0.5], [-2.0, 1.0], [0.5, 4.0]])


def batch_slips(dL_dY, W, X):
    dL_dW, _, dL_db = affine_batch.solve(dL_dY, W, X)
    axes = "the bias has one entry for each output: which axis of dL_dY counts the outputs?"
    but_one = []
    for name, rest in (("first", slice(1, None)), ("last", slice(None, -1))):
        to_W, _, to_b = affine_batch.solve(dL_dY[rest], W, X[rest])
        parts = {"dL_dW": to_W, "dL_db": to_b}
        next_step = "which examples does your loop visit? Print their numbers"
        words = f"the {name} example of the batch is left out"
        but_one.append(Slip("missing-path", words, parts, next_step))
    return [
        Slip(
            "wrong-shape",
            "the sum keeps an axis of length 1",
            {"dL_db": dL_db.reshape(1, -1)},
            "the bias is (m,) here, so its gradient has one axis and not two",
        ),
        Slip(
            "wrong-shape",
            "dL_dY is summed along its rows, over the outputs instead of the examples",
            {"dL_db": dL_dY.sum(axis=1)},
            axes,
        ),
        Slip(
            "overwrite-not-accumulate",
            "only the last example is kept of all those that meet",
            {"dL_dW": np.outer(dL_dY[-1], X[-1]), "dL_db": dL_dY[-1]},
            "every example in the batch pulls on the same parameter: add their contributions up",
        ),
        Slip(
            "missing-path",
            "only the first example of the batch is used",
            {"dL_dW": np.outer(dL_dY[0], X[0]), "dL_db": dL_dY[0]},
            "every example in the batch pulls on the same parameter: add their contributions up",
        ),
        *but_one,
        *bias_from_weights(dL_dW),
        masked(*affine_batch.solve(dL_dY * (X @ W.T > 0), W, X)),
    ]


affine_batch = affine(
    "affine_batch",
    lambda W, X, b: X @ W.transpose() + b,
    "dL_dY W X",
    batch="X",
    zeros=lambda W: np.zeros(len(W)),
    slips=batch_slips,
)


def batch_of(rng, N, m, n, scale=1.0):
    """A call (dL_dY, W, X) of affine_batch."""
    return numbers(rng, N, m), scale * numbers(rng, m, n), scale * numbers(rng, N, n)


register(
    "affine_batch",
    LESSON,
    points=3,
    functions=[affine_batch],
    draw=lambda rng: [
        Case("affine_batch", (dL_dY, W, X), "worked"),
        *(
            Case("affine_batch", batch_of(rng, *sizes))
            for sizes in [(5, 3, 2), (2, 4, 3), (6, 2, 5)]
        ),
        Case("affine_batch", batch_of(rng, 1, 3, 4), "single"),
        Case("affine_batch", batch_of(rng, 3, 3, 3), "square"),
        Case("affine_batch", batch_of(rng, 4, 2, 3, 1e3), "edge", "W and X a thousand times dL_dY"),
    ],
)


# ---------------------------------------------------------------- unbroadcast


def summed_back(grad, shape):
    """Stretch an array of `shape` to grad's shape; the engine's gradient is what grad comes to."""
    a = Tensor(np.zeros(shape), requires_grad=True)
    (a + np.zeros(grad.shape)).backward(grad)
    return a.grad


def stretched(shape, to):
    """(how many axes broadcasting put in front, which of the others it stretched from 1)."""
    new = len(to) - len(shape)
    return new, [i for i, n in enumerate(shape) if n == 1 and to[new + i] != 1]


FRONT, ONES, BOTH, EMPTY = STRETCHED = (
    "sum over new axes",
    "sum over axes of length 1",
    "sum over both kinds of axes",
    "sum of an empty array",
)


def what_is_summed(grad, shape):
    """Which of the four parts of the exercise a call tests."""
    if not grad.size:
        return EMPTY
    new = grad.ndim - len(shape)
    return BOTH if new and 1 in shape else ONES if 1 in shape else FRONT


def sum_back(answers, grad, shape):
    """Call unbroadcast; what it raises on an empty array costs that part alone, as a text.

    A None goes into a tuple, so that it reaches the reading, which says where it came.
    """
    try:
        result = answers["unbroadcast"](grad, shape)
        return (None,) if result is None else result
    except (ArithmeticError, IndexError, ValueError) as error:
        if grad.size:
            raise
        return f"{type(error).__name__}: {error}"


def read_summed(args, result):
    """(yours, expected) for the four parts. Of those that a call does not test it says nothing:
    there, what came back is also what is expected."""
    part, right = what_is_summed(*args), summed_back(*args)
    if isinstance(result, tuple) and len(result) == 1 and result[0] is None:
        evidence = f"unbroadcast returns None where grad has shape {args[0].shape} and "
        evidence += f"`shape` is {args[1]}."
        next_step = "does every way through your function, in these shapes too, end at a `return`?"
        raise Flaw("none-returned", evidence, next_step)
    if part == EMPTY and isinstance(result, str):
        evidence = f"unbroadcast raises an error where an axis has length 0 ({result[:80]})."
        next_step = "nothing is there to be added: which sum has no terms, and what is its value?"
        return (0.0, 0.0, 0.0, Flaw("raises", evidence, next_step)), (0.0, 0.0, 0.0, right)
    if not isinstance(result, (int, float, np.integer, np.floating, np.ndarray)):
        return (result,) * 4, (right,) * 4  # no such object is right anywhere
    is_sound = np.asarray(result).dtype == np.float64 and np.isfinite(result).all()
    elsewhere = result if is_sound else 0.0
    pairs = [(result, right) if p == part else (elsewhere, elsewhere) for p in STRETCHED]
    return tuple(zip(*pairs, strict=True))


def one_summed(shape, stretched_to):
    """The shape that is left where only the first axis of length 1 is summed."""
    first = list(shape).index(1)
    return (*stretched_to[:first], 1, *stretched_to[first + 1 :])


def half_summed(grad, shape):
    """Slips in summing back: the wrong axes, none, or something else than a sum."""
    new, ones = stretched(shape, grad.shape)
    counted = grad.size / max(np.prod(shape), 1)
    rule = "go through the axes from the right: which of them did broadcasting make longer?"
    turned = grad.sum(axis=tuple(range(grad.ndim - new, grad.ndim)))
    early = tuple(i for i, n in enumerate(shape) if n == 1)
    slips = [
        (
            "wrong-shape",
            "grad is returned as it came",
            grad,
            rule,
        ),
        (
            "wrong-shape",
            "only the first of the axes of length 1 is summed",
            summed_back(grad, one_summed(shape, grad.shape[new:])) if ones[1:] else None,
            "how many axes were stretched? Does your loop come to its end?",
        ),
        (
            "wrong-shape",
            "grad is summed along its axis 0, once, whatever the two shapes are",
            grad.sum(axis=0) if grad.ndim else None,
            rule,
        ),
        (
            "wrong-shape",
            "grad is summed along its axis 0, once, whatever the two shapes are, and keeps it",
            grad.sum(axis=0, keepdims=True) if grad.ndim else None,
            rule,
        ),
        (
            "wrong-shape",
            "only the axes that were put in front are summed, and not those stretched from 1",
            summed_back(grad, grad.shape[new:]),
            "an axis of length 1 is stretched as well: what becomes of it on the way back?",
        ),
        (
            "wrong-shape",
            "only the first of the axes that were put in front is summed",
            summed_back(grad, grad.shape[1:]) if new > 1 else None,
            "how many axes did broadcasting put in front? Each of them must go again",
        ),
        (
            "wrong-shape",
            "axes at the right end of grad are summed instead of those that were put in front",
            turned.sum(axis=early, keepdims=True) if new else None,
            "shapes are aligned at the right: at which end of grad are the new axes?",
        ),
        (
            "wrong-shape",
            "the axes of `shape` are counted in grad while the new ones still stand before them",
            grad.sum(axis=early, keepdims=True).sum(axis=tuple(range(new))) if new else None,
            "where in grad is axis 0 of `shape`, as long as there are axes in front of it?",
        ),
        (
            "wrong-shape",
            "only the axes stretched from 1 are summed, and not those that were put in front",
            summed_back(grad, grad.shape[:new] + tuple(shape)),
            "broadcasting also puts whole axes in front: they must go again",
        ),
        (
            "wrong-shape",
            "the axes that were put in front are summed and kept, with length 1",
            summed_back(grad, (1,) * new + tuple(shape)),
            "the result has exactly as many axes as `shape` has entries",
        ),
        (
            "wrong-shape",
            "an axis of length 1 in `shape` is summed away altogether",
            summed_back(grad, shape).reshape([n for n in shape if n != 1]),
            "sum along that axis, but let it stay, with length 1",
        ),
        (
            "wrong-shape",
            "everything is added up to a single number",
            grad.sum(),
            "sum only along the axes along which copies were made",
        ),
        (
            "mean-vs-sum",
            "the copies' signals are averaged instead of added",
            summed_back(grad, shape) / counted if counted else None,
            "every copy pulls on the same entry: do their pulls add up, or average out?",
        ),
    ]
    if grad.size:
        kept = tuple(slice(0, 1) if i in ones else slice(None) for i in range(len(shape)))
        last = tuple(slice(-1, None) if i in ones else slice(None) for i in range(len(shape)))
        only = "only the {} copy's signal is kept, instead of the sum over all copies"
        slips += [
            ("overwrite-not-accumulate", only.format("first"), grad[(0,) * new + kept], rule),
            ("overwrite-not-accumulate", only.format("last"), grad[(-1,) * new + last], rule),
        ]
    return [
        Slip(cause, words, {what_is_summed(grad, shape): value}, next_step)
        for cause, words, value, next_step in slips
        if value is not None
    ]


# Pairs (grad's shape, the shape it must come back to) in letters,
STRETCHES = [
    *["ab b", "abc c", "abc bc", "abcd cd"],
    *["ab a1", "ab 1b", "abc a1c", "abc ab1", "abc 1b1", "abcd a1c1"],
    *["abc b1", "abc 1c", "abcd b1d", "abcd 1d", "abcd 11"],
    *["a a", "ab ab", "abc abc", "a1c a1c"],
]


def stretch(rng, letters):
    """A call (grad, shape) of unbroadcast for shapes in letters; equal letters, equal lengths."""
    size = dict(zip("01abcd", [0, 1, *sizes(rng, 4, high=6)], strict=True))
    grad, shape = (tuple(size[c] for c in word) for word in (letters.split(" ")))
    return numbers(rng, *grad), shape


def stretches(rng, letters, kind="fresh", note=""):
    return [Case("unbroadcast", stretch(rng, pair), kind, note) for pair in letters]


register(
    "unbroadcast",
    LESSON,
    points=4,
    functions=[
        Function(
            "unbroadcast",
            "grad shape",
            STRETCHED,
            slips=half_summed,
            drive=sum_back,
            reading=read_summed,
            advice="draw the small array, stretch it, and mark where one of its entries went",
        )
    ],
    draw=lambda rng: [
        Case("unbroadcast", (dL_dY, (2,)), "worked"),
        *stretches(rng, ["ab a1", "ab 1b", "abc c", "abc a1c", "abc b1", "abcd b1d", "ab ab"]),
        *stretches(rng, ["aa a"], "square"),
        *stretches(rng, ["ab "], "edge", "shape = (), a single number"),
        *stretches(rng, ["0b b"], "edge", "grad has an axis of length 0"),
        *stretches(rng, ["abc 11c"], "edge", "shape has two axes of length 1"),
    ],
)


# ---------------------------------------------------------------- the bias as one more weight

FIRST, LAST = "first", "last"


def columns(n, place):
    """(E, e): v @ E spreads n columns over n + 1 and leaves one free; e is 1 in the free one."""
    free = 0 if place == FIRST else n
    identity = np.eye(n + 1)
    return np.delete(identity, free, axis=0), identity[free]


def joined(W, b, place):
    """W and the column b in one matrix, by the engine's means: Tensor (m, n + 1)."""
    E, e = columns(W.shape[1], place)
    return W @ E + b.reshape(-1, 1) * e


def laid_out(W, b, X, place):
    """[Wb, X1] with b in the first or the last column."""
    return [
        value_of(lambda A, column: joined(A, column, place), A, column)
        for A, column in ((W, b), (X, np.ones(len(X))))
    ]


def parted(dL_dWb, place):
    """(∂L/∂W, ∂L/∂b): the engine's gradients through `joined`."""
    m, width = dL_dWb.shape
    W, b = Tensor(np.zeros((m, width - 1)), True), Tensor(np.zeros(m), True)
    joined(W, b, place).backward(dL_dWb)
    return W.grad, b.grad


def read_augmented(args, result):
    """(yours, expected): expected has b in the column where this answer has it."""
    W, b, X = args
    layouts = {place: laid_out(W, b, X, place) for place in (LAST, FIRST)}
    if not (isinstance(result, tuple) and len(result) == 2):
        return result, layouts[LAST]
    Wb, X1 = result
    fits = {place: (agrees(Wb, right[0]), agrees(X1, right[1])) for place, right in layouts.items()}
    for b_place, ones_place in ((FIRST, LAST), (LAST, FIRST)):
        if fits[b_place][0] and fits[ones_place][1]:
            evidence = (
                f"b is the {b_place} column of Wb, and the ones are the {ones_place} column of X1, "
                "so b meets a column of X."
            )
            return (Wb, Flaw("wrong-value", evidence)), layouts[b_place]
    # Values in exchanged places say as much about where b is as values in their own.
    agreeing = {
        place: sum(fits[place]) + agrees(Wb, right[1]) + agrees(X1, right[0])
        for place, right in layouts.items()
    }
    return result, layouts[max(agreeing, key=agreeing.__getitem__)]


def augmented_slips(W, b, X):
    """Slips in putting b into the matrix, for b in either column."""
    found = []
    for place in (LAST, FIRST):
        without_b, zeros = laid_out(W, 0 * b, X, place)[0], laid_out(X, np.zeros(len(X)), X, place)
        found += [
            Slip(
                "dropped-bias",
                f"the {place} column of X1 holds zeros, so that b never enters",
                {"X1": zeros[0]},
                "by which number must b be multiplied to be added once to every row?",
            ),
            Slip("dropped-bias", f"the {place} column of Wb holds zeros", {"Wb": without_b}),
            Slip(
                "wrong-value",
                f"the {place} column of Wb holds ones: that is the place of b",
                {"Wb": laid_out(W, np.ones(len(b)), X, place)[0]},
                "the ones belong to the inputs, b belongs to the weights",
            ),
        ]
    for name, array in (("Wb", W), ("X1", X)):
        words = f"{name} still has as many columns as {'W' if name == 'Wb' else 'X'}"
        next_step = "both matrices get one column more"
        found.append(Slip("wrong-shape", words, {name: array}, next_step))
    return found


def split_as_joined(answers, dL_dWb):
    """Call split_gradient on a gradient that is laid out as this student's augmented lays out Wb.

    In dL_dWb, as the case has it, b's gradient is the last column. Returns (result, where b is),
    the latter "" if augmented does not tell.
    """
    place = bias_column(answers["augmented"], *dL_dWb.shape)
    if place != FIRST:
        return answers["split_gradient"](dL_dWb), place
    given = np.roll(dL_dWb, 1, axis=1)
    result = answers["split_gradient"](given)
    dL_dWb[:] = np.roll(given, -1, axis=1)  # so that a change of the argument is seen
    return result, place


def bias_column(augmented, m, width):
    """Where `augmented` puts b: "first", "last", or "" where that cannot be told."""
    count = m * (width - 1)
    W, b = np.arange(count) + 0.25, -1.0 - np.arange(m)
    X = 0.5 - np.arange(2.0 * (width - 1)).reshape(2, -1)
    try:
        Wb, _ = augmented(W.reshape(m, -1), b, X)
        ends = {FIRST: Wb[:, 0], LAST: Wb[:, -1]}
    except Exception:  # an answer of its own, judged by its own calls
        return ""
    return next((place for place, end in ends.items() if np.array_equal(end, b)), "")


def read_split(args, result):
    """(yours, expected): the gradients through the student's own way of joining W and b."""
    (dL_dWb,), (yours, place) = args, result
    if yours is None:
        raise Flaw("none-returned", "split_gradient returns None.")
    expected = parted(dL_dWb, LAST)  # of the case's layout; the driver has turned it to yours
    if place == "" and isinstance(yours, tuple) and len(yours) == 2:
        other = parted(dL_dWb, FIRST)  # augmented does not tell, so either column will do
        if any(map(agrees, yours, other)):
            expected = other
    return yours, expected


def split_slips(dL_dWb):
    """Slips in taking the gradient apart: the wrong column, for either way of joining."""
    rolled = np.roll(dL_dWb, 1, axis=1)
    own = "look at where your `augmented` puts b, and take its gradient from there"
    found = []
    for given, place, other in ((dL_dWb, LAST, FIRST), (rolled, FIRST, LAST)):
        dL_dW, dL_db = parted(given, place)
        elsewhere = dict(zip(("dL_dW", "dL_db"), parted(given, other), strict=True))
        words = f"b's gradient is taken from the {other} column, and augmented has b in the {place}"
        found += [
            Slip("wrong-value", words, elsewhere, own),
            Slip(
                "wrong-shape",
                "b's gradient keeps an axis of length 1",
                {"dL_db": dL_db.reshape(-1, 1)},
                "the bias is (m,), so its gradient has one axis",
            ),
            Slip(
                "wrong-shape",
                "b's column is still in it",
                {"dL_dW": given},
                "each of the two gradients has the shape of what it is the gradient of",
            ),
            Slip(
                "wrong-value",
                "b's column is left out and the other columns are summed",
                {"dL_db": dL_dW.sum(axis=1)},
                own,
            ),
        ]
    return found


def augmented_case(rng, N, m, n):
    return Case("augmented", (numbers(rng, m, n), numbers(rng, m), numbers(rng, N, n)))


def split_case(rng, m, n, kind="fresh"):
    return Case("split_gradient", (numbers(rng, m, n + 1),), kind)


b = np.array([0.5, -1.0])

register(
    "augmented",
    LESSON,
    points=2,
    functions=[
        Function(
            "augmented",
            "W b X",
            ("Wb", "X1"),
            slips=augmented_slips,
            reading=read_augmented,
            advice="compare `X1 @ Wb.T` with `X @ W.T + b` at the worked example",
        ),
        Function(
            "split_gradient",
            "dL_dWb",
            ("dL_dW", "dL_db"),
            slips=split_slips,
            drive=split_as_joined,
            reading=read_split,
            advice="call `augmented` with numbers you recognise and see where they end up",
        ),
    ],
    draw=lambda rng: [
        Case("augmented", (W, b, X), "worked"),
        *(augmented_case(rng, *sizes) for sizes in [(5, 3, 2), (3, 2, 5), (2, 4, 3)]),
        Case("split_gradient", (np.hstack([dL_dY.T @ X, [[2.5], [3.5]]]),), "worked"),
        *(split_case(rng, *sizes) for sizes in [(3, 2), (2, 5), (4, 3)]),
    ],
)
