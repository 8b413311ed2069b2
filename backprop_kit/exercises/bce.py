"""Lesson 05: binary cross-entropy and whole networks. What each exercise computes, forward; the
engine does the rest.

Labels and predictions are columns (N, 1), losses are means over the N examples. `Network` records
one pass of a ReLU network, so that the slips of the exercises on whole networks can walk it
backward through wrong gates.
"""

from itertools import pairwise

import numpy as np

from backprop_kit.checking import slips as walks
from backprop_kit.checking.compare import agree_to_rounding, counted, describe, structure_misfit
from backprop_kit.checking.exercise import (
    Case,
    Flaw,
    Function,
    Gradients,
    Numbers,
    Slip,
    differentiate,
    register,
    value_of,
)
from backprop_kit.checking.stacks import flatten, stacked
from backprop_kit.checking.stacks import place as place_in_stack
from backprop_kit.engine.ops import bce, bce_with_logits, linear
from backprop_kit.engine.tensor import Tensor

from .drawing import numbers

LESSON = "05_bce"

# Where logits are of ordinary size, every exact formula keeps to this, and no difference quotient.
FINE = 1e-12


# ---------------------------------------------------------------- inputs


def column(*values):
    """Numbers as an (N, 1) array."""
    return np.array(values, float).reshape(-1, 1)


def labels(rng, N):
    """N labels 0 or 1 as a column; both occur, if there are two or more."""
    y = rng.integers(0, 2, (N, 1)).astype(float)
    if N > 1:
        y[0], y[-1] = rng.permutation(2)
    return y


def soft_labels(rng, N):
    """N labels between 0 and 1."""
    return rng.uniform(0.1, 0.9, (N, 1))


def probabilities(rng, N):
    """N predictions, none of them close to 0 or 1."""
    return rng.uniform(0.05, 0.95, (N, 1))


def logit(y_hat):
    """The v at which the sigmoid gives y_hat; ±inf where y_hat is 1 or 0."""
    with np.errstate(divide="ignore"):
        return np.log(y_hat) - np.log1p(-y_hat)


def gradient(forward, at, signal=None):
    """The engine's gradient of forward(leaf) at an array, for a signal from above."""
    leaf = Tensor(at, requires_grad=True)
    forward(leaf).backward(signal)
    return leaf.grad


# ---------------------------------------------------------------- the loss, from probabilities

# How close to 0 and 1 somebody clips a prediction, or what is added to it, "to be safe".
EPSILONS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12, 1e-15, 1e-16)
CLIPPED = "the predictions are clipped, or have an ε added, though they lie between 0 and 1"
NO_CLIP = "leave the predictions as they are: strictly between 0 and 1 no logarithm fails"


def shifted_bce(y, y_hat, eps):
    """The loss with an ε inside each logarithm."""
    return -(y * (y_hat + eps).log() + (1 - y) * (1 - y_hat + eps).log()).mean()


def clipped(y_hat, eps):
    return np.clip(y_hat, eps, 1 - eps)


def clip_slips(label, found_at, y, y_hat):
    """The slips of a clip and of an ε; without a part where they hardly change the right value, for
    there a difference quotient could be taken for them.

    found_at(loss, predictions): what is asked of a loss, its value or its gradient.
    """

    def loss(p):
        return bce(y, p)

    right = found_at(loss, y_hat)
    for eps in EPSILONS:
        for value in (
            found_at(loss, clipped(y_hat, eps)),
            found_at(lambda p, eps=eps: shifted_bce(y, p, eps), y_hat),
        ):
            felt = np.max(np.abs(value - right)) > 3e-9 * np.max(np.abs(right))
            yield Slip("clipped", CLIPPED, {label: value} if felt else {}, NO_CLIP)


def bce_slips(y, y_hat):
    N = len(y)
    swapped = value_of(lambda p: shifted_bce(1 - y, p, 0.0), y_hat)
    only = [value_of(lambda p, y=y, t=t: -(t * p.log()).mean(), p) for t, p in halves(y, y_hat)]
    squared = value_of(lambda p: ((p - y) ** 2).mean(), y_hat)
    terms = "each label has a term of its own: add up both"
    made = [
        ("wrong-value", "the labels 0 and 1 are exchanged", swapped, None),
        ("wrong-value", "only the term of the label 1 is added up", only[0], terms),
        ("wrong-value", "only the term of the label 0 is added up", only[1], terms),
        ("wrong-value", "the squared error is taken", squared, None),
        ("factor", "the logarithm to base 10 is taken", bce_value(y, y_hat) / np.log(10), None),
        ("factor", "the logarithm to base 2 is taken", bce_value(y, y_hat) / np.log(2), None),
    ]
    found = [Slip(cause, words, {"loss": value}, step) for cause, words, value, step in made]
    found += clip_slips("loss", value_of, y, y_hat)
    if N > 1:
        sign = "the minus in front of the logarithms is missing in one of the two terms"
        for a, b in ((1, -1), (-1, 1)):
            found.append(Slip("sign", sign, {"loss": a * only[0] + b * only[1]}))
    return found


def halves(y, y_hat):
    """(weight, argument of the logarithm) of the loss's two terms."""
    return (y, y_hat), (1 - y, 1 - y_hat)


def bce_value(y, y_hat):
    return value_of(lambda p: bce(y, p), y_hat)


def bce_gradient(y, y_hat):
    """∂loss/∂ŷ by the engine."""
    return gradient(lambda p: bce(y, p), y_hat)


def bce_backward_slips(y, y_hat):
    to_logit = gradient(lambda v: bce_with_logits(y, v), logit(y_hat))
    terms = "nudge ŷ for a label 0, then for a label 1: the loss has a term for each"
    made = [
        (
            "wrong-value",
            "the gradient to the logit v is returned, where the one to ŷ is asked for",
            to_logit,
            "stop at ŷ: the sigmoid has not been passed yet",
        ),
        ("wrong-value", "the labels 0 and 1 are exchanged", bce_gradient(1 - y, y_hat), None),
    ]
    for label, (t, _) in zip((1, 0), halves(y, y_hat), strict=True):
        forward = (lambda p: p.log()) if label else (lambda p: (1 - p).log())
        one = gradient(lambda p, t=t, f=forward: -(t * f(p)).mean(), y_hat)
        words = f"only the loss's term of the label {label} is differentiated"
        made.append(("wrong-value", words, one, terms))
        other = bce_gradient(y, y_hat) - one
        words = f"the sign of the label {label}'s term is turned"
        made.append(("sign", words, other - one, "nudge ŷ up: does the loss rise or fall?"))
    found = [Slip(cause, words, {"dL_dy_hat": value}, step) for cause, words, value, step in made]
    found += clip_slips("dL_dy_hat", gradient, y, y_hat)
    return found


BCE = [
    Function(
        "bce",
        "y y_hat",
        "loss",
        bce_value,
        bce_slips,
        batch="y",
        advice="write out the terms of the worked example, one prediction at a time",
    ),
    differentiate(
        "bce_backward",
        bce,
        arguments="y y_hat",
        returns="dL_dy_hat",
        wrt="y_hat",
        pack=lambda loss, grads: grads["y_hat"] + 0.0,  # no −0
        slips=bce_backward_slips,
        batch="y",
        advice="nudge one prediction of the worked example and compare that entry",
    ),
]

WORKED_BCE = column(1, 0, 1), column(0.8, 0.3, 0.4)


def sure(rng):
    """Labels and predictions, some of them very close to 0 and to 1."""
    close = rng.uniform(2e-13, 8e-13, 4)
    y_hat = column(close[0], 1 - close[1], close[2], 1 - close[3], *rng.uniform(0.2, 0.8, 2))
    return column(1, 0, 0, 1, 1, 0), y_hat


SURE = "predictions within 1e-12 of 0 and of 1"

register(
    "bce",
    LESSON,
    points=2,
    functions=BCE,
    draw=lambda rng: [
        case
        for name in ("bce", "bce_backward")
        for case in (
            Case(name, WORKED_BCE, "worked"),
            Case(name, (labels(rng, 5), probabilities(rng, 5))),
            Case(name, (labels(rng, 4), probabilities(rng, 4))),
            Case(name, (soft_labels(rng, 6), probabilities(rng, 6)), "fresh", "soft labels"),
            Case(name, (labels(rng, 1), probabilities(rng, 1)), "single", "one example"),
            Case(name, sure(rng), "edge", SURE),
        )
    ],
)


# ---------------------------------------------------------------- the sigmoid


def sigmoid_slips(v):
    def slip(cause, words, forward, at=v, step=None):
        return Slip(cause, words, {"y_hat": value_of(forward, at)}, step)

    slope = gradient(lambda t: t.sigmoid(), v, np.ones_like(v))
    return [
        slip(
            "sign",
            "the sign in the exponent is turned, so that large v come out close to 0",
            lambda t: t.sigmoid(),
            -v,
            "which end of the curve should be close to 1?",
        ),
        Slip("wrong-value", "the sigmoid's derivative is returned", {"y_hat": slope}),
        slip("wrong-value", "the hyperbolic tangent is returned", lambda t: t.tanh()),
        slip("wrong-value", "the sigmoid is applied twice", lambda t: t.sigmoid().sigmoid()),
        slip("wrong-value", "only the exponential is returned", lambda t: t.exp()),
        *(
            slip("clipped", f"v is clipped at ±{limit}", lambda t: t.sigmoid(), cut)
            for limit in (2, 3, 5, 6, 8, 10, 15, 16)
            for cut in [np.clip(v, -limit, limit)]
        ),
    ]


def sigmoid_gradient(dL_dy_hat, y_hat):
    """∂L/∂v of ŷ = σ(v), differentiated at the logit of ŷ."""
    return gradient(lambda v: v.sigmoid(), logit(y_hat), dL_dy_hat)


def sigmoid_backward_slips(dL_dy_hat, y_hat):
    at = logit(y_hat)
    half = "only one of the two factors of the sigmoid's derivative is multiplied in"
    made = [
        (
            "upstream-ignored",
            "the signal you are given is left out, as if it were all ones",
            sigmoid_gradient(np.ones_like(y_hat), y_hat),
        ),
        (
            "wrong-value",
            "ŷ is put through the sigmoid once more, though it already is the gate's output",
            gradient(lambda v: v.sigmoid(), y_hat, dL_dy_hat),
        ),
        ("missing-local", half, gradient(lambda v: v.exp(), np.log(y_hat), dL_dy_hat)),
        ("missing-local", half, gradient(lambda v: v.softplus(), -at, dL_dy_hat)),
        ("missing-local", "the signal is passed on as it came", dL_dy_hat),
    ]
    return [Slip(cause, words, {"dL_dv": value}) for cause, words, value in made]


SIGMOID = [
    Function(
        "sigmoid",
        "v",
        "y_hat",
        lambda v: value_of(lambda t: t.sigmoid(), v),
        sigmoid_slips,
        batch="v",
        advice="compute it at v = 0, v = 1 and v = −2: half, 0.7311 and 0.1192",
    ),
    Function(
        "sigmoid_backward",
        "dL_dy_hat y_hat",
        "dL_dv",
        sigmoid_gradient,
        sigmoid_backward_slips,
        batch="y_hat",
        advice="lesson 1 has this derivative, as a function of the output; add the signal",
    ),
]


def logits(rng, N, high=3.0):
    return numbers(rng, N, 1, high=high)


def signals(rng, N):
    return numbers(rng, N, 1, low=0.2, high=3.0), probabilities(rng, N)


HUGE = "logits of ±1000"
WORKED_SIGMOID = (column(0, 1, -2),)
WORKED_SIGNAL = column(0.5, -2, 3), column(0.5, 0.7310585786300049, 0.11920292202211755)

register(
    "sigmoid",
    LESSON,
    points=2,
    functions=SIGMOID,
    draw=lambda rng: [
        Case("sigmoid", WORKED_SIGMOID, "worked"),
        *(Case("sigmoid", (logits(rng, N),)) for N in (5, 4, 7)),
        Case("sigmoid", (logits(rng, 1),), "single", "one example"),
        Case("sigmoid", (column(*rng.uniform(18, 24, 2), -20, 0),), "edge", "logits around ±20"),
        Case("sigmoid", (column(1000, -1000, *logits(rng, 2)[:, 0]),), "extreme", HUGE),
        Case("sigmoid_backward", WORKED_SIGNAL, "worked"),
        *(Case("sigmoid_backward", signals(rng, N)) for N in (5, 4, 7)),
        Case("sigmoid_backward", signals(rng, 1), "single", "one example"),
    ],
)


# ---------------------------------------------------------------- the two in one, from logits


# Wrong losses whose gradients students take for the right one's.
NO_SIGMOID = "the prediction is not put through the sigmoid before it is compared with y"
TWICE = "the logits are put through a sigmoid before a loss that has one of its own"
ONCE = "ask of each function that you call whether it wants logits or predictions"
SQUARED = "the loss is differentiated as if it were the squared error of ŷ"


def squared(y, prediction, factor):
    return ((prediction - y) ** 2).mean() * factor


def logits_slips(y, v):
    p = value_of(lambda t: t.sigmoid(), v)
    loss, grad = bce_with_logits_.solve(y, v)
    made = [
        (
            "missing-local",
            "the chain stops at ŷ: the derivative of the sigmoid is left out",
            {"dL_dv": bce_gradient(y, p)},
        ),
        (
            "wrong-value",
            "the sigmoid's derivative is multiplied in once too often",
            {"dL_dv": gradient(lambda t: t.sigmoid(), v, grad)},
        ),
        (
            "missing-local",
            NO_SIGMOID,
            {"dL_dv": gradient(lambda t: squared(y, t, 0.5), v)},
        ),
        (
            "wrong-value",
            "v is put through the sigmoid twice",
            dict(zip(("loss", "dL_dv"), bce_with_logits_.solve(y, p), strict=True)),
        ),
        (
            "wrong-value",
            "the labels 0 and 1 are exchanged",
            dict(zip(("loss", "dL_dv"), bce_with_logits_.solve(1 - y, v), strict=True)),
        ),
        (
            "wrong-value",
            "the term with y is left out of the loss",
            {"loss": bce_with_logits_.solve(0 * y, v)[0]},
        ),
        ("factor", "the logarithm to base 10 is taken", {"loss": loss / np.log(10)}),
    ]
    found = []
    soft = (y > 0) & (y < 1)
    for taken in (0, 1) if np.any(soft) else ():
        hard = bce_with_logits_.solve(np.where(soft, taken, y), v)[0]
        words = f"labels between 0 and 1 are taken for {taken}"
        step = "a label such as 0.3 takes part in both terms, each with its weight"
        found.append(Slip("wrong-value", words, {"loss": hard}, step))
    found += [Slip(cause, words, parts) for cause, words, parts in made]
    next_step = "work with v itself: no logarithm of a prediction needs to be taken"
    for eps in EPSILONS:
        q = clipped(p, eps)
        below = gradient(lambda t: bce_with_logits(y, t), logit(q))
        clipped_loss = {"loss": bce_value(y, q), "dL_dv": below}
        shifted = {"loss": value_of(lambda t, eps=eps: shifted_bce(y, t, eps), p)}
        words = "the predictions are clipped, or have an ε added, before the logarithm is taken"
        found += [Slip("clipped", words, parts, next_step) for parts in (clipped_loss, shifted)]
    return found


bce_with_logits_ = differentiate(
    "bce_with_logits",
    bce_with_logits,
    arguments="y v",
    returns=("loss", "dL_dv"),
    wrt="v",
    slips=logits_slips,
    rtol=FINE,
    batch="y",
    advice="compare with your `bce` and `sigmoid` at ordinary logits, and nudge one logit",
)


def unlikely(rng, N=4):
    """A logit of about −45 for a label 1, among ordinary ones."""
    v = logits(rng, N)
    y = labels(rng, N)
    v[1], y[1] = rng.uniform(-50, -40), 1.0
    return y, v


def far_off(rng, size):
    """Logits of ±size, some of them right and some of them wrong, among ordinary ones."""
    return column(1, 0, 1, 0, 1, 0), column(size, -size, -size, size, *logits(rng, 2)[:, 0])


WORKED_LOGITS = column(1, 0, 1), column(1, -2.5, 1.5)

register(
    "bce_with_logits",
    LESSON,
    points=3,
    functions=[bce_with_logits_],
    draw=lambda rng: [
        Case("bce_with_logits", WORKED_LOGITS, "worked"),
        *(Case("bce_with_logits", (labels(rng, N), logits(rng, N))) for N in (5, 4)),
        Case("bce_with_logits", (soft_labels(rng, 7), logits(rng, 7)), "fresh", "soft labels"),
        Case("bce_with_logits", (labels(rng, 1), logits(rng, 1)), "single", "one example"),
        Case("bce_with_logits", unlikely(rng), "edge", "a logit of −45 for a label 1"),
        Case("bce_with_logits", far_off(rng, 1000.0), "extreme", HUGE),
    ],
)


# ---------------------------------------------------------------- one neuron, from end to end


def neuron(W, b, X, y):
    return bce_with_logits(y, linear(X, W, b))


def long_neuron(W, b, X, y):
    """The same, gate by gate: where a slip of the backward pass can happen."""
    return bce(y, linear(X, W, b).sigmoid())


NEURON = "W b X y"
NEURON_RESULT = ("loss", "dL_dW", "dL_db")
NEURON_LONG = Gradients(long_neuron, NEURON, "W b").slips(NEURON_RESULT)


def neuron_slips(W, b, X, y):
    def slip(cause, words, forward, bias=b, labels="loss dL_dW dL_db"):
        result = Gradients(forward, NEURON, "W b")(W, bias, X, y)
        parts = dict(zip(NEURON_RESULT, result, strict=True))
        return Slip(cause, words, {label: parts[label] for label in labels.split()})

    grads = "dL_dW dL_db"
    network = Network([(W, b)], X, y, last=sigmoid_gate)
    twice = network.value, *network.gradients(edit=network.past_the_last_gate())[0]
    return [
        slip("dropped-bias", "b is left out of the forward pass", neuron, 0 * b),
        *(
            slip(cause, words, lambda W, b, X, y, f=f, c=c: squared(y, f(linear(X, W, b)), c), b, g)
            for c in (0.5, 1.0)
            for cause, words, f, g in (
                ("missing-local", NO_SIGMOID, lambda v: v, grads),
                ("wrong-value", SQUARED, lambda v: v.sigmoid(), grads),
            )
        ),
        slip(
            "wrong-value",
            "the loss is the squared error",
            lambda W, b, X, y: squared(y, linear(X, W, b).sigmoid(), 1.0),
            b,
            "loss",
        ),
        Slip("wrong-value", TWICE, dict(zip(NEURON_RESULT, twice, strict=True)), ONCE),
        *NEURON_LONG(W, b, X, y),
    ]


neuron_gradients = differentiate(
    "neuron_gradients",
    neuron,
    arguments=NEURON,
    returns=NEURON_RESULT,
    wrt="W b",
    slips=neuron_slips,
    rtol=FINE,
    batch="X",
    advice="check `bce_with_logits` first; then write the shape of every factor beside it",
)

WORKED_NEURON = (
    np.array([[2.0, -3.0]]),
    np.array([-3.0]),
    np.array([[-1.0, -2.0], [1.0, 0.5], [0.0, -1.5]]),
    column(1, 0, 1),
)


def neuron_case(rng, n, N, soft=False):
    """(W, b, X, y) with logits of ordinary size, whose errors do not cancel to next to nothing."""
    while True:
        W, b, X = numbers(rng, 1, n, high=1.5), numbers(rng, 1), numbers(rng, N, n, high=1.5)
        y = (soft_labels if soft else labels)(rng, N)
        ordinary = np.abs(value_of(linear, X, W, b)).max() < 4
        if ordinary and abs(neuron_gradients.solve(W, b, X, y)[2]) > 0.02:
            return W, b, X, y


def uneven_neuron_case(rng):
    """Inputs of very different size. No step width suits them all, so a difference quotient is
    rough here, and an exact derivative is as exact as ever."""
    W, b, X, y = neuron_case(rng, 3, 5)
    sizes = np.array([1000.0, 1.0, 0.01])
    return W / sizes, b, X * sizes, y


UNEVEN = "inputs of very different size"

register(
    "neuron_gradients",
    LESSON,
    points=3,
    functions=[neuron_gradients],
    draw=lambda rng: [
        Case("neuron_gradients", WORKED_NEURON, "worked"),
        *(Case("neuron_gradients", neuron_case(rng, *size)) for size in ((3, 5), (4, 6), (5, 3))),
        Case("neuron_gradients", neuron_case(rng, 3, 1), "single", "one example"),
        Case("neuron_gradients", neuron_case(rng, 3, 3), "square", "as many examples as inputs"),
        Case("neuron_gradients", uneven_neuron_case(rng), "edge", UNEVEN),
    ],
)


# ---------------------------------------------------------------- the local error, one layer down


def layer_above(v, W_next):
    """What the layer above makes of v: its logits, without a bias."""
    return linear(v.relu(), W_next)


# How the signal may be sent through a ReLU the wrong way: (cause, words, v → change), where
# change(signal, right) is what arrives below; see `slips.backward`.
GATES = {
    "open": (
        "missing-local",
        "the ReLU's mask is left out",
        lambda v: lambda signal, right: signal,
    ),
    "at zero": (
        "wrong-mask",
        "units whose v is exactly 0 let the signal through",
        lambda v: lambda signal, right: signal * (v >= 0),
    ),
    "inverted": (
        "wrong-mask",
        "the units that are off let the signal through, and those that are on do not",
        lambda v: lambda signal, right: signal * (v <= 0),
    ),
    "inverted, not at zero": (
        "wrong-mask",
        "the units that are off let the signal through, and those that are on do not",
        lambda v: lambda signal, right: signal * (v < 0),
    ),
    "of the signal": (
        "wrong-mask",
        "the signal itself is put through the ReLU, instead of asking which units were on",
        lambda v: lambda signal, right: np.maximum(signal, 0.0),
    ),
    "values": (
        "wrong-mask",
        "the signal is multiplied by the units' values instead of by 0 or 1",
        lambda v: lambda signal, right: signal * np.maximum(v, 0.0),
    ),
    "v itself": (
        "wrong-mask",
        "the signal is multiplied by v instead of by 0 or 1",
        lambda v: lambda signal, right: signal * v,
    ),
    "signs": (
        "wrong-mask",
        "the signal is multiplied by the sign of v, so that units that are off send it back turned",
        lambda v: lambda signal, right: signal * np.sign(v),
    ),
}


def local_error_slips(delta_next, W_next, v):
    arrived = gradient(lambda h: linear(h, W_next), v, delta_next)
    found = [
        Slip(cause, words, {"delta": change(v)(arrived, None)})
        for cause, words, change in GATES.values()
    ]
    shared = gradient(lambda h: linear(h, np.ones_like(W_next)), v, delta_next)
    words = "the weights are left out, as if every connection had the weight 1"
    for gate in ("open", None):
        signal = shared if gate else gradient(lambda t: t.relu(), v, shared)
        found.append(Slip("missing-local", words, {"delta": signal}))
    absolute = gradient(lambda t: layer_above(t, np.abs(W_next)), v, delta_next)
    found.append(Slip("wrong-weight", "the signs of the weights are lost", {"delta": absolute}))
    if W_next.shape[0] == W_next.shape[1]:
        turned = gradient(lambda t: layer_above(t, W_next.T), v, delta_next)
        found.append(Slip("transpose", "the weights are used transposed", {"delta": turned}))
    return found


local_error = differentiate(
    "local_error",
    lambda W_next, v: layer_above(v, W_next),
    arguments="delta_next W_next v",
    returns="delta",
    wrt="v",
    upstream="delta_next",
    pack=lambda above, grads: grads["v"] + 0.0,  # no −0
    slips=local_error_slips,
    batch="v",
    advice="take one example and one unit: which units above listen to it, and is it on?",
)

WORKED_ERROR = (
    np.array([[0.5, -2.0], [1.0, 0.25]]),
    np.array([[1.0, -1.0, 3.0], [2.0, 0.5, -1.0]]),
    np.array([[0.7, -0.2, 1.5], [-1.0, 0.4, 2.0]]),
)


def error_case(rng, N, m, k):
    """(delta_next, W_next, v) with units on and units off."""
    while True:
        v = numbers(rng, N, k)
        if 0 < (v > 0).sum() < v.size:
            return numbers(rng, N, m), numbers(rng, m, k), v


def at_the_kink(rng, N=4, m=2, k=3):
    delta_next, W_next, v = error_case(rng, N, m, k)
    v[0, 1] = v[2, 0] = v[3, 2] = 0.0
    return delta_next, W_next, v


def large_error(rng):
    """Large values, small signals: what is exact stays exact, a difference drowns in rounding."""
    delta_next, W_next, v = error_case(rng, 5, 3, 4)
    return delta_next * 1e-2, W_next, v * 1e5


KINK = "units whose v is exactly 0"
LARGE = "large values v and small signals"

register(
    "local_error",
    LESSON,
    points=3,
    functions=[local_error],
    draw=lambda rng: [
        Case("local_error", WORKED_ERROR, "worked"),
        *(
            Case("local_error", error_case(rng, *size))
            for size in ((4, 3, 5), (3, 5, 2), (5, 2, 4))
        ),
        Case("local_error", error_case(rng, 1, 2, 4), "single", "one example"),
        Case("local_error", error_case(rng, 4, 3, 3), "square", "as many units above as here"),
        Case("local_error", error_case(rng, 4, 1, 3), "edge", "a single unit above"),
        Case("local_error", at_the_kink(rng), "edge", KINK),
        Case("local_error", large_error(rng), "fresh", LARGE),
    ],
)


# ---------------------------------------------------------------- the influence of one unit


def influences(delta, W):
    """The gradient to every unit of the layer below, at its value, as a vector."""
    units = np.zeros((1, W.shape[1]))
    return gradient(lambda h: linear(h, W), units, delta)[0]


def influence_slips(delta, W, i):
    every = influences(delta, W)
    count = "the first unit is number 0"
    made = [
        ("wrong-value", "the units are counted from 1", every[i - 1], count),
        ("wrong-value", "all units of the layer are added up", every.sum(), None),
        (
            "upstream-ignored",
            "the weights are added up without the local errors",
            influences(np.ones_like(delta), W)[i],
            None,
        ),
        (
            "missing-local",
            "the local errors are added up without the weights",
            delta.sum(),
            None,
        ),
        ("wrong-value", "the sizes are added up, whatever their signs", size_of(delta, W)[i], None),
        ("wrong-value", "the mean is taken instead of the sum", every[i] / len(W), None),
    ]
    if i + 1 < len(every):
        words = "the units are counted from 1, and the next one is taken"
        made.append(("wrong-value", words, every[i + 1], count))
    if len(W) == len(every):
        row = influences(delta, W.T)[i]
        made.append(("transpose", "the row of W is taken where the column is meant", row, None))
    return [Slip(cause, words, {"influence": float(value)}, s) for cause, words, value, s in made]


def size_of(delta, W):
    return influences(np.abs(delta), np.abs(W))


influence = Function(
    "influence",
    "delta W i",
    "influence",
    lambda delta, W, i: float(influences(delta, W)[i]),
    influence_slips,
    advice="unit i reaches every unit j above it: take the terms of the worked example one by one",
)

WORKED_INFLUENCE = np.array([[0.5, -2.0]]), np.array([[1.0, -1.0, 3.0], [2.0, 0.5, -1.0]]), 1


def influence_case(rng, m, n, i=None, sign=None):
    """(delta, W, i), the influence of that sign if one is given; its terms do not all have one."""
    while True:
        unit = int(rng.integers(1, n - 1)) if i is None else i
        delta, W = numbers(rng, 1, m), numbers(rng, m, n)
        influence, size = influences(delta, W)[unit], size_of(delta, W)[unit]
        if sign in (None, np.sign(influence)) and (m == 1 or abs(influence) < 0.9 * size):
            return delta, W, unit


register(
    "influence",
    LESSON,
    points=1,
    functions=[influence],
    draw=lambda rng: [
        Case("influence", WORKED_INFLUENCE, "worked"),
        *(
            Case("influence", influence_case(rng, *size, sign=sign))
            for size, sign in (((3, 5), -1), ((5, 4), 1), ((2, 6), -1))
        ),
        Case("influence", influence_case(rng, 3, 4, 0), "edge", "the first unit, i = 0"),
        Case("influence", influence_case(rng, 3, 4, 3), "edge", "the last unit"),
        Case("influence", influence_case(rng, 1, 3), "edge", "a single unit above"),
        Case("influence", influence_case(rng, 4, 4), "square", "W is square"),
    ],
)


# ---------------------------------------------------------------- a network of D layers


def relu(v):
    return v.relu()


def identity(v):
    return v


def sigmoid_gate(v):
    return v.sigmoid()


class Network:
    """One recorded pass through a ReLU network, and its gradients, by right gates or wrong ones.

    params: a list of (W, b). V: the values before each layer's gate, H: those behind it, X first.
    """

    def __init__(self, params, X, y, loss=bce_with_logits, hidden=relu, last=identity):
        self.leaves = [(Tensor(W, True), Tensor(b, True)) for W, b in params]
        self.H = [Tensor(X)]
        self.V = []
        for k, (W, b) in enumerate(self.leaves, 1):
            self.V.append(linear(self.H[-1], W, b))
            self.H.append((hidden if k < len(params) else last)(self.V[-1]))
        self.loss = loss(y, self.H[-1])

    @property
    def value(self):
        return float(self.loss.data)

    def gradients(self, change=None, layers=None, edit=None):
        """[(dW, db), …]. change: v → (signal, right) → what arrives at v instead, in the given
        hidden layers (counted from 0; by default in all)."""
        edit = dict(edit or {})
        hidden = range(len(self.V) - 1)
        for k in hidden if layers is None else layers:
            if change:
                edit[id(self.H[k + 1]._node), 0] = change(self.V[k].data)
        found = walks.backward(self.loss, edit)
        return [(found[id(W)], found[id(b)]) for W, b in self.leaves]

    def past_the_last_gate(self):
        """The edit that sends the signal of the loss on to the logits as it is."""
        return {(id(self.H[-1]._node), 0): lambda signal, right: signal}

    def errors(self):
        """The local errors, ∂loss/∂V of each layer."""
        found = walks.backward(self.loss)
        return [found[id(v._node)] for v in self.V]


def parts_of(gradients, loss=None):
    """{label: value} of a network's gradients, each kind laid end to end."""
    parts = {"dW": flatten([dW for dW, _ in gradients]), "db": flatten([db for _, db in gradients])}
    return parts if loss is None else {"loss": loss, **parts}


def agree(arrays, wanted):
    return all(
        isinstance(a, np.ndarray) and a.dtype == np.float64 and agree_to_rounding(a, w)
        for a, w in zip(arrays, wanted, strict=True)
    )


def read_layers(names, given, wanted):
    """The two lists of a list of pairs, one pair a layer, as `stacked` lays them out.

    names: what the two of a pair are called. Returns ((yours, yours), (expected, expected)).
    """
    first, second = names
    pair = f"({first}, {second})"
    W_wanted, b_wanted = zip(*wanted, strict=True)
    expected = flatten(W_wanted), flatten(b_wanted)

    def flaw(cause, evidence, next_step=None):
        return (Flaw(cause, evidence, next_step),) * 2, expected

    if not isinstance(given, list | tuple):
        evidence = f"a list with a pair {pair} for each layer is asked for, and {describe(given)} "
        return flaw("wrong-type", evidence + "stands in its place.")
    if len(given) != len(wanted):
        entries = counted(len(given), "entry", "entries")
        evidence = f"the list has {entries} for {counted(len(wanted), 'layer', 'layers')}."
        return flaw("wrong-shape", evidence, f"return one pair {pair} for each layer")
    for layer, entry in enumerate(given, 1):
        if not isinstance(entry, list | tuple) or len(entry) != 2:
            evidence = f"the entry of layer {layer} should be a pair {pair}, and is "
            return flaw("wrong-type", evidence + f"{describe(entry)}.")
    W_given, b_given = zip(*given, strict=True)
    if len(wanted) > 1 and agree(W_given[::-1], W_wanted) and agree(b_given[::-1], b_wanted):
        return flaw(
            "order-swapped",
            "the right arrays are there, the last layer's first.",
            "return them in the order of `params`: the layer next to the input comes first",
        )
    if agree(W_given, b_wanted) and agree(b_given, W_wanted):
        return flaw("order-swapped", f"in each pair {first} and {second} have changed places.")
    yours = stacked(first, list(W_given), W_wanted)[0], stacked(second, list(b_given), b_wanted)[0]
    return yours, expected


def read_backprop(args, result):
    """(yours, expected) of `backprop`, each as (loss, dW of all layers, db of all layers)."""
    if misfit := structure_misfit(("loss", "gradients"), result, "backprop"):
        raise Flaw("wrong-type", *misfit)
    made = Network(*args)
    yours, expected = read_layers(("dW", "db"), result[1], made.gradients())
    return (result[0], *yours), (made.value, *expected)


def in_layer(label, index, case):
    """Where an entry of dW, db, W or b is, in words."""
    if label in ("loss", "losses"):
        return f"entry {index[0]}"
    shapes = [(W if label.endswith("W") else b).shape for W, b in case.args[0]]
    return place_in_stack(shapes, index)


def without_bias(params):
    return [(W, 0 * b) for W, b in params]


def backprop_slips(params, X, y):
    made = Network(params, X, y)
    found = []

    def enter(cause, words, network, next_step=None, only=None, **walk):
        parts = parts_of(network.gradients(**walk), network.value)
        kept = only.split() if only else parts
        slip = Slip(cause, words, {label: parts[label] for label in kept}, next_step)
        found.append(slip)

    # What goes wrong at the gates on the way back: in all hidden layers, or in one of them.
    grads = "dW db"
    if len(params) > 1:
        for cause, words, change in GATES.values():
            enter(cause, words, made, only=grads, change=change)
        _, words, change = GATES["open"]
        for where, layer in (("first", 0), ("last", len(params) - 2)):
            words = f"the mask of the {where} hidden layer is left out"
            enter("missing-local", words, made, only=grads, change=change, layers=[layer])

    # What goes wrong at the loss.
    long = Network(params, X, y, loss=lambda y, v: bce(y, v.sigmoid()))
    sigmoid = next(node for node in walks.topological(long.loss) if node.op.__name__ == "sigmoid")
    past = {(id(sigmoid), 0): lambda signal, right: signal}
    words = "the derivative of the sigmoid is left out of the chain"
    enter("missing-local", words, long, only=grads, edit=past)
    ones = {(id(made.loss._node), 0): lambda signal, right: np.ones_like(right)}
    words = "ones are sent back instead of the signal of the loss"
    enter("upstream-ignored", words, made, only=grads, edit=ones)
    for c in (0.5, 1.0):
        network = Network(params, X, y, loss=lambda y, v, c=c: squared(y, v, c))
        enter("missing-local", NO_SIGMOID, network, only=grads)
        network = Network(params, X, y, loss=lambda y, v, c=c: squared(y, v.sigmoid(), c))
        enter("wrong-value", SQUARED, network, only=grads)
    words = "the labels 0 and 1 are exchanged"
    enter("wrong-value", words, Network(params, X, 1 - y))

    # What goes wrong on the way forward.
    words = "the biases are left out of the forward pass"
    enter("dropped-bias", words, Network(without_bias(params), X, y))
    short = [*params[:-1], *without_bias(params[-1:])]
    words = "the bias of the last layer is left out of the forward pass"
    enter("dropped-bias", words, Network(short, X, y))
    bent = Network(params, X, y, last=relu)
    words = "the logits of the last layer are put through a ReLU as well"
    no_gate = "the last layer's logits go to the loss as they are"
    enter("wrong-value", words, bent, no_gate)
    enter("wrong-value", words, bent, no_gate, edit=bent.past_the_last_gate())
    network = Network(params, X, y, last=sigmoid_gate)
    enter("wrong-value", TWICE, network, ONCE, edit=network.past_the_last_gate())
    for hidden, words in (
        (identity, "the ReLUs between the layers are left out of the forward pass"),
        (lambda v: v.sigmoid(), "sigmoids stand between the layers instead of ReLUs"),
    ):
        enter("wrong-value", words, Network(params, X, y, hidden=hidden))

    # What goes wrong at a layer's own gradients.
    inputs = [X, *(v.data for v in made.V[:-1])]
    dW = [
        gradient(lambda W, x=x: linear(x, W), W, delta)
        for x, (W, _), delta in zip(inputs, params, made.errors(), strict=True)
    ]
    words = "a layer's input is taken from before the ReLU below it, not from behind"
    step = "look up what this layer was given on the way forward"
    found.append(Slip("wrong-value", words, {"dW": flatten(dW)}, step))
    return found


def solve_backprop(params, X, y):
    made = Network(params, X, y)
    return made.value, made.gradients()


backprop = Function(
    "backprop",
    "params X y",
    ("loss", "dW", "db"),
    solve_backprop,
    backprop_slips,
    rtol=FINE,
    reading=read_backprop,
    place=in_layer,
    batch="y",
    advice="compare layer by layer, from the last one down: the first that differs holds the slip",
)


def network_case(rng, widths, N, soft=False):
    """(params, X, y): a network with units on and off in each hidden layer, ordinary logits."""
    while True:
        params = [
            (numbers(rng, m, n, high=2.0) / np.sqrt(n), numbers(rng, m, high=0.8))
            for n, m in pairwise(widths)
        ]
        X, y = numbers(rng, N, widths[0], high=1.8), (soft_labels if soft else labels)(rng, N)
        made = Network(params, X, y)
        *hidden, logits = (v.data for v in made.V)
        gradients = made.gradients()
        if (
            all(0.3 <= np.mean(v > 0) <= 0.85 and np.abs(v).min() > 0.01 for v in hidden)
            and np.abs(logits).max() < 4
            and (N == 1 or logits.min() < -0.2 < 0.2 < logits.max())
            and np.any(gradients[0][0])
            and abs(gradients[-1][1]) > 0.02
        ):
            return params, X, y


def kinked_network(rng):
    """A network in which a hidden unit stands exactly at 0 for every example."""
    (W, b), *above = network_case(rng, (3, 4, 1), 5)[0]
    W[1], b[1] = 0.0, 0.0
    return [(W, b), *above], numbers(rng, 5, 3), labels(rng, 5)


def uneven_network(rng, size=1000.0):
    """A network whose inputs differ much in size; see `uneven_neuron_case`."""
    ((W, b), *above), X, y = network_case(rng, (3, 4, 1), 5)
    sizes = np.array([size, 1.0, 1.0])
    return [(W / sizes, b), *above], X * sizes, y


def worked_network():
    """The course's small network."""
    from . import small_network as net

    return [(net.W1, net.b1), (net.W2, net.b2)], net.X, net.y


ONE_LAYER = "one layer, D = 1"
STANDING = "a unit whose v is exactly 0"

register(
    "backprop",
    LESSON,
    points=6,
    functions=[backprop],
    draw=lambda rng: [
        Case("backprop", worked_network(), "worked"),
        Case("backprop", network_case(rng, (3, 4, 1), 5)),
        Case("backprop", network_case(rng, (2, 5, 3, 1), 4), "fresh", "a network of 3 layers"),
        Case("backprop", network_case(rng, (4, 3, 5, 2, 1), 6), "fresh", "a network of 4 layers"),
        Case("backprop", network_case(rng, (3, 4, 2, 1), 1), "single", "one example"),
        Case("backprop", network_case(rng, (3, 3, 3, 1), 4), "square", "square weights"),
        Case("backprop", network_case(rng, (3, 1), 4), "edge", ONE_LAYER),
        Case("backprop", kinked_network(rng), "edge", STANDING),
        Case("backprop", uneven_network(rng), "edge", UNEVEN),
    ],
)


# ---------------------------------------------------------------- training


def by_rule(update):
    """A step of descent that applies one rule, update(parameter, gradient, lr), to every array."""

    def move(params, gradients, lr):
        pairs = zip(params, gradients(params), strict=True)
        return [(update(W, dW, lr), update(b, db, lr)) for (W, b), (dW, db) in pairs]

    return move


downhill = by_rule(lambda p, g, lr: p - lr * g)


def descend(params, X, y, lr, steps, move=downhill):
    """(params, losses) of full-batch gradient descent by the engine's gradients.

    move(params, gradients, lr) → params is one step; gradients(params) are [(dW, db), …].
    """
    losses = [Network(params, X, y).value]
    for _ in range(steps):
        params = move(params, lambda at: Network(at, X, y).gradients(), lr)
        losses.append(Network(params, X, y).value)
    return params, losses


def read_train(args, result):
    """(yours, expected) of `train`, each as (W of all layers, b of all layers, losses)."""
    if misfit := structure_misfit(("params", "losses"), result, "train"):
        raise Flaw("wrong-type", *misfit)
    params, losses = descend(*args)
    yours, expected = read_layers(("W", "b"), result[0], params)
    return (*yours, result[1]), (*expected, Numbers(losses))


def from_the_top(params, X, y, lr):
    """One step in which each layer moves before the signal has passed it."""
    made = Network(params, X, y)
    delta, moved = made.errors()[-1], []
    for k in reversed(range(len(params))):
        W, b = params[k]
        weights, bias = Tensor(W, True), Tensor(b, True)
        linear(made.H[k].detach(), weights, bias).backward(delta)
        W, b = W - lr * weights.grad, b - lr * bias.grad
        moved.insert(0, (W, b))
        if k:
            below = made.V[k - 1].data
            delta = gradient(lambda v, W=W: linear(v.relu(), W), below, delta)
    return moved


def train_slips(params, X, y, lr, steps):
    N = len(X)

    def only(moves_W, moves_b):
        def move(params, gradients, lr):
            pairs = zip(params, gradients(params), strict=True)
            return [(W - lr * dW * moves_W, b - lr * db * moves_b) for (W, b), (dW, db) in pairs]

        return move

    def last_only(params, gradients, lr):
        return [*params[:-1], downhill(params, gradients, lr)[-1]]

    def stale(now, gradients, lr, start=params):
        return downhill(now, lambda at: gradients(start), lr)

    stored = "after one step, print what you return: is it what the loop has computed?"
    every = "list the arrays that have to move in one step, and tick them off"
    moment = "compute all gradients of a step first, then move all parameters"
    count = "count: `steps` moves, and one loss before each of them and one after the last"
    made = [
        ("wrong-value", "no step is taken", stored, 0, downhill),
        ("sign", "each step goes uphill", None, steps, by_rule(lambda p, g, lr: p + lr * g)),
        (
            "factor",
            "the steps are not scaled by the learning rate",
            "read the rule above once more, and look where `lr` comes in",
            steps,
            by_rule(lambda p, g, lr: p - g),
        ),
        (
            "wrong-value",
            "a parameter is replaced by its step instead of moved by it",
            "read the rule above once more: what is the step taken from?",
            steps,
            by_rule(lambda p, g, lr: -lr * g),
        ),
        (
            "mean-vs-sum",
            "the steps follow the sum over the examples, where the loss is a mean",
            None,
            steps,
            by_rule(lambda p, g, lr: p - lr * N * g),
        ),
        (
            "mean-vs-sum",
            "the gradients are divided by the number of examples a second time",
            None,
            steps,
            by_rule(lambda p, g, lr: p - lr / N * g),
        ),
        ("wrong-value", "only the weights are moved", every, steps, only(1, 0)),
        ("wrong-value", "only the biases are moved", every, steps, only(0, 1)),
        ("wrong-value", "only the last layer is moved", every, steps, last_only),
        (
            "wrong-value",
            "the gradients of the starting point are used in every step",
            "compute the gradients anew in every step",
            steps,
            stale,
        ),
        (
            "wrong-weight",
            "the signal is sent back through weights that have already moved",
            moment,
            steps,
            lambda params, gradients, lr: from_the_top(params, X, y, lr),
        ),
        ("wrong-value", "one step too many is taken", count, steps + 1, downhill),
        ("wrong-value", "one step too few is taken", count, max(steps - 1, 0), downhill),
    ]
    found = []
    for cause, words, step, taken, move in made:
        moved, losses = descend(params, X, y, lr, taken, move)
        losses = (losses + losses[-1:] * steps)[: steps + 1]
        W, b = (flatten(arrays) for arrays in zip(*moved, strict=True))
        found.append(Slip(cause, words, {"W": W, "b": b, "losses": Numbers(losses)}, step))
    _, losses = descend(params, X, y, lr, steps)
    shifted = Numbers(losses[:1] + losses[:-1])
    words = "each loss is recorded one step too late, the first of them twice"
    found.append(Slip("wrong-value", words, {"losses": shifted}, count))
    words = "the losses are those of the steps alone, the last one twice"
    found.append(Slip("wrong-value", words, {"losses": Numbers(losses[1:] + losses[-1:])}, count))
    words = "the losses are sums over the examples, not means"
    found.append(Slip("mean-vs-sum", words, {"losses": Numbers(np.multiply(losses, N))}))
    return found


def train_solution(params, X, y, lr, steps):
    moved, losses = descend(params, X, y, lr, steps)
    return moved, Numbers(losses)


train = Function(
    "train",
    "params X y lr steps",
    ("W", "b", "losses"),
    train_solution,
    train_slips,
    rtol=FINE,
    reading=read_train,
    place=in_layer,
    batch="X",
    advice="check `backprop` first; then follow one single step by hand, with numbers",
)


def training(rng, widths, N, steps, lr=None):
    """(params, X, y, lr, steps) from which a few steps go downhill."""
    return *network_case(rng, widths, N), lr or float(rng.uniform(0.1, 0.4)), steps


def uneven_training(rng):
    """Large inputs and a tiny learning rate; see `uneven_neuron_case`."""
    return *uneven_network(rng), float(rng.uniform(1e-6, 2e-6)), 3


register(
    "train",
    LESSON,
    points=3,
    functions=[train],
    draw=lambda rng: [
        Case("train", (*worked_network(), 0.5, 5), "worked"),
        Case("train", training(rng, (3, 4, 1), 5, 1)),
        Case("train", training(rng, (2, 5, 3, 1), 4, 4)),
        Case("train", training(rng, (4, 3, 1), 6, 7)),
        Case("train", training(rng, (3, 4, 1), 5, 0), "edge", "steps = 0"),
        Case("train", training(rng, (3, 1), 4, 3), "edge", ONE_LAYER),
        Case("train", uneven_training(rng), "edge", UNEVEN),
    ],
)
