"""Lesson 01: scalar graphs. What each exercise computes, forward; the engine does the rest."""

import numpy as np

from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Function,
    Numbers,
    Slip,
    differentiate,
    register,
    value_of,
)
from backprop_kit.engine.tensor import Tensor

from .drawing import numbers

LESSON = "01_scalar_graphs"


def scalars(rng, count, low=0.5, high=2.5):
    """`count` numbers of either sign, none of them close to 0, no two of the same size."""
    while True:
        values = numbers(rng, count, low=low, high=high)
        gaps = np.abs(np.subtract.outer(np.abs(values), np.abs(values)))
        if np.all(gaps[~np.eye(count, dtype=bool)] > 0.01):
            return [float(value) for value in values]


def fresh(function, count, draw):
    """`draw` gives a list of `count` random calls of one function."""
    return [Case(function, draw()) for _ in range(count)]


# Where inputs differ much in size, no step width suits them all: an exact derivative is
# as exact as ever there, and a difference quotient is not.


def uneven_neuron(rng):
    """A neuron's inputs, large and small, whose weighted sum is of ordinary size."""
    a, b, c, d, e = scalars(rng, 5)
    return 100 * a, b, c / 100, 100 * d, e - 100 * a * b


def uneven_model(rng):
    """The exponential model's inputs (w, x, b, y*), w and b large, w x + b of ordinary size."""
    w, x, v = scalars(rng, 3)
    return 100 * w, x, v - 100 * w * x, 5.0


def derivative(forward, *args, wrt=0):
    """df/d(args[wrt]) by the engine; a float."""
    tensors = [Tensor(value, requires_grad=i == wrt) for i, value in enumerate(args)]
    forward(*tensors).backward()
    return tensors[wrt].grad


# ---------------------------------------------------------------- f = (x + y) z

add_mul = differentiate(
    "add_mul",
    lambda x, y, z: (x + y) * z,
    arguments="x y z",
    returns=("f", "df_dx", "df_dy", "df_dz"),
    wrt="x y z",
)

register(
    "add_mul",
    LESSON,
    points=2,
    functions=[add_mul],
    draw=lambda rng: [
        Case("add_mul", (-2.0, 5.0, -4.0), "worked"),
        *fresh("add_mul", 4, lambda: scalars(rng, 3)),
        Case("add_mul", scalars(rng, 3, low=1e3, high=1e5), "edge", "large inputs"),
        Case("add_mul", (*scalars(rng, 2), 0.0), "edge", "z = 0"),
    ],
)


# ---------------------------------------------------------------- four gates


def gate(name, forward, arguments, slips, advice):
    """A function that returns the local derivative of one gate by its first argument."""
    return Function(
        name,
        arguments,
        f"{name}({', '.join(arguments.split())})",
        lambda *args: derivative(forward, *args),
        slips,
        advice=advice,
    )


def gate_slips(name, arguments, forward):
    """Slips in a local derivative: the gate's value, or the derivative by the other argument."""
    label = f"{name}({', '.join(arguments.split())})"
    names = arguments.split()

    def slips(*args):
        words = "the gate's own output is returned in place of its derivative"
        found = [Slip("wrong-value", words, {label: value_of(forward, *args)})]
        if len(names) == 2:
            words = f"the gate is differentiated by {names[1]} instead of {names[0]}"
            found.append(Slip("wrong-value", words, {label: derivative(forward, *args, wrt=1)}))
            words = f"{names[1]} itself is returned"
            found.append(Slip("wrong-value", words, {label: args[1]}))
        return found

    return slips


GATES = [
    gate(name, forward, arguments, gate_slips(name, arguments, forward), advice)
    for name, forward, arguments, advice in [
        (
            "d_reciprocal",
            lambda x: x.reciprocal(),
            "x",
            "compare with `slope(lambda x: 1 / x, 1.37)`, then draw the curve",
        ),
        (
            "d_exp",
            lambda x: x.exp(),
            "x",
            "compare with `slope(np.exp, -1.0)`, then draw the curve",
        ),
        (
            "d_scale",
            lambda x, a: a * x,
            "x a",
            "a is held still: how much does a·x grow when x grows by 1?",
        ),
        ("d_shift", lambda x, c: x + c, "x c", "draw x + c against x: how steep is it?"),
    ]
]

register(
    "gates",
    LESSON,
    points=2,
    functions=GATES,
    draw=lambda rng: [
        Case("d_reciprocal", (1.37,), "worked"),
        Case("d_exp", (-1.0,), "worked"),
        Case("d_scale", (1.0, -1.0), "worked"),
        Case("d_shift", (0.37, 1.0), "worked"),
        *(Case(f.name, scalars(rng, len(f.arguments))) for f in GATES for _ in range(3)),
    ],
)


# ---------------------------------------------------------------- the sigmoid neuron


def neuron(w0, x0, w1, x1, w2):
    """The neuron as the gates ×, +, ×(−1), exp, +1, 1/x."""
    return ((-(w0 * x0 + w1 * x1 + w2)).exp() + 1).reciprocal()


WEIGHTS = ("w0", "x0", "w1", "x1", "w2")


def forgets_w2(w0, x0, w1, x1, w2):
    f, grads = sigmoid_neuron.solve(w0, x0, w1, x1, 0.0)
    parts = {"f": f, **{f"df_d{name}": gradient for name, gradient in grads.items()}}
    return [Slip("dropped-bias", "w2 is left out of the forward pass", parts)]


sigmoid_neuron = differentiate(
    "sigmoid_neuron",
    neuron,
    arguments=" ".join(WEIGHTS),
    returns=("f", {name: f"df_d{name}" for name in WEIGHTS}),
    wrt=" ".join(WEIGHTS),
    pack=lambda f, grads: (f, grads),
    slips=forgets_w2,
)

register(
    "sigmoid_neuron",
    LESSON,
    points=4,
    functions=[sigmoid_neuron],
    draw=lambda rng: [
        Case("sigmoid_neuron", (2.0, -1.0, -3.0, -2.0, -3.0), "worked"),
        *fresh("sigmoid_neuron", 4, lambda: scalars(rng, 5, high=1.6)),
        Case("sigmoid_neuron", uneven_neuron(rng), "edge", "inputs of very different size"),
    ],
)


# ---------------------------------------------------------------- the sigmoid as one gate


def _from_output(f):
    """The sigmoid's derivative where its output is f: differentiate it at the logit of f."""
    return derivative(lambda v: v.sigmoid(), np.log(f / (1 - f)))


d_sigmoid = Function(
    "d_sigmoid",
    "f",
    "d_sigmoid(f)",
    _from_output,
    lambda f: [
        Slip(
            "wrong-value",
            "f is put through the sigmoid once more, though it already is the gate's output",
            {"d_sigmoid(f)": derivative(lambda v: v.sigmoid(), f)},
        ),
    ],
    rtol=1e-9,
    advice="put f = 0.5 in: the sigmoid is steepest there, and its slope is a quarter",
)

register(
    "d_sigmoid",
    LESSON,
    points=1,
    functions=[d_sigmoid],
    draw=lambda rng: [
        Case("d_sigmoid", (0.7310585786300049,), "worked"),
        *fresh("d_sigmoid", 4, lambda: [float(rng.uniform(0.05, 0.95))]),
        Case("d_sigmoid", (0.999,), "edge", "f close to 1"),
    ],
)


# ---------------------------------------------------------------- the exponential model


def exp_loss(w, x, b, y_star):
    """u = wx, v = u + b, y = exp(v), loss = (y − y*)²."""
    return ((w * x + b).exp() - y_star) ** 2


def forgets_b(w, x, b, y_star):
    loss, dw, db = exp_model.solve(w, x, 0.0, y_star)
    words = "b is left out of the forward pass"
    return [Slip("dropped-bias", words, {"loss": loss, "dloss_dw": dw, "dloss_db": db})]


exp_model = differentiate(
    "exp_model",
    exp_loss,
    arguments="w x b y_star",
    returns=("loss", "dloss_dw", "dloss_db"),
    wrt="w b",
    slips=forgets_b,
)


def exp_case(rng):
    """Inputs (w, x, b, y*) with y well away from y*."""
    w, x, b = scalars(rng, 3, high=1.2)
    return w, x, b, float(rng.uniform(4.0, 6.0))


register(
    "exp_model",
    LESSON,
    points=3,
    functions=[exp_model],
    draw=lambda rng: [
        Case("exp_model", (0.5, 2.0, -1.0, 3.0), "worked"),
        *fresh("exp_model", 4, lambda: exp_case(rng)),
        Case("exp_model", uneven_model(rng), "edge", "inputs of very different size"),
    ],
)


# ---------------------------------------------------------------- fan-out

fan_out = differentiate(
    "fan_out",
    lambda x, y: x * y + x * x,
    arguments="x y",
    returns=("f", "df_dx", "df_dy"),
    wrt="x y",
)

register(
    "fan_out",
    LESSON,
    points=2,
    functions=[fan_out],
    draw=lambda rng: [
        Case("fan_out", (3.0, -4.0), "worked"),
        *fresh("fan_out", 4, lambda: scalars(rng, 2)),
        Case("fan_out", scalars(rng, 2, low=2e3, high=5e3), "edge", "large inputs"),
    ],
)


# ---------------------------------------------------------------- ten claims, some of them false


FORWARD = {
    "u": lambda s: s["w"] * s["x"],
    "v": lambda s: s["u"] + s["b"],
    "y": lambda s: np.exp(s["v"]),
    "loss": lambda s: (s["y"] - s["y_star"]) ** 2,
}

# number: (upper, lower, the claimed derivative of upper by lower at the values s)
CLAIMS = {
    1: ("u", "w", lambda s: s["x"]),
    2: ("v", "b", lambda s: 1.0),
    3: ("v", "u", lambda s: 0.0),
    4: ("u", "b", lambda s: s["x"]),
    5: ("y", "v", lambda s: s["y"]),
    6: ("loss", "y", lambda s: 2 * (s["y"] - s["y_star"])),
    7: ("loss", "b", lambda s: 2 * (s["y"] - s["y_star"]) * s["y"] * s["x"]),
    8: ("loss", "w", lambda s: 2 * (s["y"] - s["y_star"]) * s["y"] * s["x"]),
    9: ("y", "b", lambda s: s["y"]),
    10: ("loss", "x", lambda s: 2 * (s["y"] - s["y_star"]) * s["y"] * s["w"]),
}


def run_model(inputs, **moved):
    """Every value of the exponential model; one named in `moved` is set instead of computed."""
    s = {**inputs, **moved}
    for name, formula in FORWARD.items():
        if name not in moved:
            s[name] = formula(s)
    return s


def slope(upper, lower, inputs, h=1e-6):
    """d upper / d lower by central differences, moving `lower` alone."""
    at = run_model(inputs)[lower]
    above = run_model(inputs, **{lower: at + h})[upper]
    below = run_model(inputs, **{lower: at - h})[upper]
    return (above - below) / (2 * h)


def false_claims():
    """The numbers of the claims that numerical differentiation refutes, at one generic point."""
    inputs = {"w": 0.7, "x": 1.3, "b": -0.4, "y_star": 2.9}
    values = run_model(inputs)
    return {
        number
        for number, (upper, lower, claimed) in CLAIMS.items()
        if abs(slope(upper, lower, inputs) - claimed(values)) > 1e-5
    }


def misread_claims():
    """Slips in naming the claims, whatever was found out about them."""
    false = false_claims()
    true = set(CLAIMS) - false
    return [
        Slip("wrong-value", words, {"claims": Exact(claims)}, advice)
        for words, claims, advice in [
            ("the true statements are listed", true, "return the numbers of the false ones"),
            ("the statements are counted from 0", {n - 1 for n in false}, "start counting at 1"),
        ]
    ]


register(
    "wrong_claims",
    LESSON,
    points=2,
    functions=[
        Function(
            "wrong_claims",
            "",
            "claims",
            lambda: Exact(false_claims(), secret=True),
            misread_claims,
            advice="test each claim with `slope` at crooked numbers, moving one letter at a time",
        )
    ],
    draw=lambda rng: [Case("wrong_claims", (), "worked")],
)


# ---------------------------------------------------------------- descending


def walk(w, b, x, y_star, lr, steps, move=None):
    """Run gradient descent with the engine's gradients; returns (w, b, Numbers(losses)).

    move(w, b, gradients) → (w, b) is one step; `gradients(w, b)` gives (∂loss/∂w, ∂loss/∂b).
    """

    def gradients(w, b):
        _, dw, db = exp_model.solve(w, x, b, y_star)
        return dw, db

    def downhill(w, b, gradients):
        dw, db = gradients(w, b)
        return w - lr * dw, b - lr * db

    losses = [value_of(exp_loss, w, x, b, y_star)]
    for _ in range(steps):
        w, b = (move or downhill)(w, b, gradients)
        losses.append(value_of(exp_loss, w, x, b, y_star))
    return w, b, Numbers(losses)


def bad_walks(w, b, x, y_star, lr, steps):
    """Slips in descending: steps of the wrong direction, length, order or number."""

    def step(update):
        """A step that applies one rule to both parameters."""
        return lambda w, b, gradients: tuple(map(update, (w, b), gradients(w, b)))

    def sequential(w, b, gradients):
        w = w - lr * gradients(w, b)[0]
        return w, b - lr * gradients(w, b)[1]

    def only(moves_w, moves_b):
        def move(w, b, gradients):
            dw, db = gradients(w, b)
            return w - lr * dw * moves_w, b - lr * db * moves_b

        return move

    def frozen_gradients(start=(w, b)):
        def move(w, b, gradients):
            dw, db = gradients(*start)
            return w - lr * dw, b - lr * db

        return move

    both = "compute both gradients first, then move both parameters"
    count = "count: `steps` moves, and one loss before each of them and one after the last"
    rule = "write the update down for one step with numbers, then let the loop repeat it"
    inputs = (w, b, x, y_star, lr)
    slips = [
        ("wrong-value", "no step is taken", "let the loop move w and b `steps` times", 0, None),
        (
            "sign",
            "each step goes uphill, along the gradient instead of against it",
            "look at the sign in the update line",
            steps,
            step(lambda value, gradient: value + lr * gradient),
        ),
        (
            "factor",
            "the steps are not scaled by the learning rate",
            rule,
            steps,
            step(lambda value, gradient: value - gradient),
        ),
        (
            "wrong-value",
            "a parameter is replaced by its step instead of moved by it",
            rule,
            steps,
            step(lambda value, gradient: -lr * gradient),
        ),
        (
            "wrong-value",
            "b is moved by a gradient taken after w has already moved",
            both,
            steps,
            sequential,
        ),
        ("wrong-value", "only w is moved", rule, steps, only(1, 0)),
        ("wrong-value", "only b is moved", rule, steps, only(0, 1)),
        (
            "wrong-value",
            "the gradients of the starting point are used in every step",
            "compute the gradients anew in every step",
            steps,
            frozen_gradients(),
        ),
        ("wrong-value", "one step too few is taken", count, max(steps - 1, 0), None),
        ("wrong-value", "one step too many is taken", count, steps + 1, None),
    ]
    labels = ("w", "b", "losses")
    with np.errstate(all="ignore"):
        return [
            Slip(cause, words, dict(zip(labels, walk(*inputs, taken, move), strict=True)), advice)
            for cause, words, advice, taken, move in slips
        ]


register(
    "descend",
    LESSON,
    points=2,
    functions=[
        Function(
            "descend",
            "w b x y_star lr steps",
            ("w", "b", "losses"),
            walk,
            bad_walks,
            rtol=1e-9,
            advice="check `exp_model` first; then follow one single step by hand, with numbers",
        )
    ],
    draw=lambda rng: [
        Case("descend", (0.5, -1.0, 2.0, 3.0, 0.01, 5), "worked"),
        *(Case("descend", descent(rng, steps)) for steps in (1, 4, 7)),
        Case("descend", descent(rng, 0), "edge", "steps = 0"),
    ],
)


def descent(rng, steps):
    """Inputs (w, b, x, y*, lr, steps) from which a few steps go smoothly downhill."""
    w, b, x = (float(value) for value in rng.uniform(0.3, 0.9, 3))
    return w, b, x, float(rng.uniform(3.5, 5.0)), float(rng.uniform(0.005, 0.02)), steps
