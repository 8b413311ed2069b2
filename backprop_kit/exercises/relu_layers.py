"""Lesson 03: ReLU layers. What each exercise computes, forward; the engine does the rest.

Vectors are columns, and a signal is a row: `transposed` in both directions is all that lies
between the engine, whose gradients have the shape of their variable, and the paper's layout.

Most slips of this lesson send the signal through the wrong gate. `gated` builds such a gate, so
that the engine also finds what comes out behind it.
"""

from functools import partial

import numpy as np

from backprop_kit.checking.exercise import (
    Case,
    Function,
    Gradients,
    Slip,
    differentiate,
    label_parts,
    register,
    value_of,
)
from backprop_kit.engine.tensor import Tensor

from . import drawing
from .drawing import until

LESSON = "03_relu_layers"


# ---------------------------------------------------------------- inputs

numbers = partial(drawing.numbers, low=0.5)
sizes = partial(drawing.sizes, low=3)


def whole(rng, *shape):
    """Whole numbers of either sign, as floats: their sums are exact in any order."""
    return np.array(rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], shape))


def mixed(values):
    """Whether there are units on and units off, and none so close to 0 that rounding decides."""
    return values.min() < -0.1 and values.max() > 0.1 and np.abs(values).min() > 0.05


def other_signs(a, b):
    """Whether two arrays of one size differ in sign somewhere, and agree in sign somewhere."""
    differ = (np.ravel(a) > 0) != (np.ravel(b) > 0)
    return differ.any() and not differ.all()


def large(args):
    """The same case with every input but the signal 100 000 times as large.

    Units stay on or off. Exact derivatives stay exact; a difference quotient drowns in rounding.
    """
    return [arg if arg.shape[0] == 1 else 1e5 * arg for arg in args]


LARGE = "large inputs"


# ---------------------------------------------------------------- the signal through a gate


def gated(v, mask, value):
    """`value` on the way forward; on the way back the signal reaches v where `mask` is 1."""
    passed = v * np.asarray(mask, float)
    return passed + (value - passed).detach()


def relu_of(v):
    """ReLU of an array."""
    return value_of(lambda v: v.relu(), v)


def relu_behind(v, mask):
    """ReLU of v, with a gate of its own on the way back."""
    return gated(v, mask, v.relu())


class Backward:
    """The backward pass of a module: its arguments, its results, and how they are laid out.

    In the paper's layout the gradient to a vector is a row; in the code layout, which `batch`es
    have, every gradient is shaped like its variable. A weight's is the same in both.
    """

    def __init__(self, arguments, wrt, upstream, returns, with_value=False, batch=None):
        self.returns = returns
        self.with_value = with_value
        self.batch = batch
        self.settings = {
            "arguments": arguments,
            "wrt": wrt,
            "upstream": upstream,
            "signal": None if batch else np.transpose,
            "pack": self.pack,
        }

    def pack(self, value, grads):
        as_it_is = [name.startswith("W") or self.batch for name in grads]
        laid_out = [g if keep else g.T for g, keep in zip(grads.values(), as_it_is, strict=True)]
        laid_out = [g + 0.0 for g in laid_out]  # no −0, which reads oddly in a message
        return (value, *laid_out) if self.with_value else tuple(laid_out)

    def function(self, name, forward, **settings):
        """The exercise's `Function`."""
        settings = {**self.settings, **settings, "batch": self.batch}
        return differentiate(name, forward, returns=self.returns, **settings)

    def parts(self, args, forward, only=None):
        """{label: value} that this forward computation would give, for a `Slip`."""
        parts = label_parts(self.returns, Gradients(forward, **self.settings)(*args))
        return {label: parts[label] for label in only.split()} if only else parts


def row_gradient(forward, leaf, signal):
    """The gradient of `forward` at an array, for a signal in the paper's layout."""
    leaf = Tensor(leaf, requires_grad=True)
    forward(leaf).backward(signal.T)
    return leaf.grad


# ---------------------------------------------------------------- y = W x

one_linear = Backward("dL_dy W x", "W x", "dL_dy", ("dL_dW", "dL_dx"))


GIVEN = "the signal is an argument: take it as it comes, whatever was computed from the output"
LOCAL_ONLY = "only how y changes is returned, and the signal is not multiplied in"


def linear_slips(dL_dy, W, x):
    def of_output(signal):
        """What comes back from one output alone."""
        return one_linear.parts((signal[np.newaxis], W, x), lambda W, x: W @ x)["dL_dx"]

    shares = np.vstack([of_output(signal) for signal in np.diagflat(dL_dy)])
    kept = "only the last output's share is kept, instead of the sum over all outputs"
    left = "the outputs' shares are left side by side, one in each row, and not added up"
    y = (W @ x).T

    def product(W, x):
        return W @ x

    return [
        Slip("upstream-ignored", LOCAL_ONLY, {"dL_dW": x.T, "dL_dx": W}),
        Slip("upstream-ignored", LOCAL_ONLY, {"dL_dW": x, "dL_dx": W.T}),
        *(
            Slip("upstream-ignored", words, one_linear.parts((signal, W, x), product), GIVEN)
            for words, signal in [
                (
                    "2y, as the norm of lesson 2 has it, stands where the given signal belongs",
                    2 * y,
                ),
                ("the output y stands where the given signal belongs", y),
            ]
        ),
        Slip("overwrite-not-accumulate", kept, {"dL_dx": shares[-1:]}),
        Slip("wrong-shape", left, {"dL_dx": shares}),
    ]


linear_backward = one_linear.function(
    "linear_backward",
    lambda W, x: W @ x,
    slips=linear_slips,
    advice="take one single entry, of which you know how L reacts, and follow it by hand",
)


def linear_case(rng, n=None, m=None):
    a, b = sizes(rng, 2)
    n, m = n or a, m or b
    return numbers(rng, 1, m), numbers(rng, m, n), numbers(rng, n, 1)


WORKED_LINEAR = (
    np.array([[3.0, -2.0]]),
    np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 3.0]]),
    np.array([[1.0], [2.0], [-1.0]]),
)

register(
    "linear_backward",
    LESSON,
    points=2,
    functions=[linear_backward],
    draw=lambda rng: [
        Case("linear_backward", WORKED_LINEAR, "worked"),
        *(Case("linear_backward", linear_case(rng)) for _ in range(3)),
        Case("linear_backward", large(linear_case(rng)), "fresh", LARGE),
    ],
)


# ---------------------------------------------------------------- h1 = W1 x, h2 = W2 h1

linear_chain = Backward("W1 W2 x dL_dh2", "W1 W2 x", "dL_dh2", ("dL_dW1", "dL_dW2", "dL_dx"))


def misplaced(W2, x, h1, signal, signal1, gates=(None, None)):
    """Slips that take the wrong one of two modules' arrays; mostly they show in the shape.

    h1: what enters the second module. signal, signal1: what arrives at h2 and at h1, as rows.
    gates: the masks of the two modules' ReLUs, where they have any.
    """

    def behind(v, gate):
        return v if gate is None else relu_behind(v, gate)

    def weight_gradient(signal, gate, taken):
        start = np.zeros((signal.size, len(taken)))
        return row_gradient(lambda W: behind(W @ taken, gate), start, signal)

    first, second = gates
    leaving = row_gradient(lambda v: behind(v, first), np.zeros_like(h1), signal1)
    through_W2 = row_gradient(lambda t: W2.T @ t, np.zeros((len(W2), 1)), leaving.T)
    own = "ask for each module: what went in here, and which signal comes back from the next one?"
    slips = [
        Slip(
            "wrong-value",
            "the network's input x stands where the second module's own input h1 belongs",
            {"dL_dW2": weight_gradient(signal, second, x)},
            own,
        ),
        Slip(
            "wrong-value",
            "h1, the first module's output, stands where its input x belongs",
            {"dL_dW1": weight_gradient(signal1, first, h1)},
            own,
        ),
        Slip(
            "missing-local",
            "the first module is given the signal of the second, as if W2 did not lie between",
            {"dL_dW1": weight_gradient(signal, second, x)},
            own,
        ),
        Slip(
            "wrong-weight",
            "the signal leaves the first module through W2 instead of W1",
            {"dL_dx": through_W2.T},
        ),
        Slip(
            "missing-local",
            "the signal is handed on before it has gone through W1",
            {"dL_dx": leaving.T},
            own,
        ),
    ]
    if first is not None:
        slips.append(
            Slip(
                "missing-local",
                "the signal is handed on as it arrives at h1: before the ReLU and before W1",
                {"dL_dx": signal1},
                own,
            )
        )
    return slips


def two_linear_slips(W1, W2, x, dL_dh2):
    h1 = W1 @ x
    signal1 = row_gradient(lambda h: W2 @ h, h1, dL_dh2).T
    by_output = linear_chain.parts((W1, W2, x, (W2 @ h1).T), lambda W1, W2, x: W2 @ (W1 @ x))
    words = "the output h2 stands where the given signal belongs"
    return [
        Slip("upstream-ignored", words, by_output, GIVEN),
        *misplaced(W2, x, h1, dL_dh2, signal1),
    ]


two_linear = linear_chain.function(
    "two_linear",
    lambda W1, W2, x: W2 @ (W1 @ x),
    slips=two_linear_slips,
    advice="print the signal at h1 first, and compare it with a nudge of one entry of h1",
)


def chain_case(rng, n=None, k=None, m=None):
    a, b, c = sizes(rng, 3)
    n, k, m = n or a, k or b, m or c
    return numbers(rng, k, n), numbers(rng, m, k), numbers(rng, n, 1), numbers(rng, 1, m)


WORKED_CHAIN = (
    np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 1.0], [-1.0, 1.0, 3.0], [1.0, -1.0, 0.0]]),
    np.array([[1.0, -1.0, 2.0, 1.0], [-2.0, 3.0, 1.0, -1.0]]),
    np.array([[1.0], [2.0], [-1.0]]),
    np.array([[3.0, -2.0]]),
)

register(
    "two_linear",
    LESSON,
    points=3,
    functions=[two_linear],
    draw=lambda rng: [
        Case("two_linear", WORKED_CHAIN, "worked"),
        *(Case("two_linear", chain_case(rng)) for _ in range(3)),
        Case("two_linear", large(chain_case(rng)), "fresh", LARGE),
    ],
)


# ---------------------------------------------------------------- ReLU, unit by unit


def relu_slips(v):
    """Functions that students take for ReLU."""
    on = np.asarray(v > 0, float)
    return [
        Slip(cause, words, {"relu(v)": value}, "draw ReLU, and read off its value at −2 and at 2")
        for cause, words, value in [
            ("wrong-value", "the mask is returned, 1 where a unit is on, instead of its value", on),
            ("wrong-value", "the sign is taken off: the size of each entry", np.abs(v)),
            (
                "wrong-value",
                "the negative entries are kept, and the positive ones are not",
                v - v * on,
            ),
            ("wrong-value", "nothing is done to the negative entries", v),
            ("clipped", "values above 1 are cut off as well", np.clip(v, 0.0, 1.0)),
        ]
    ]


relu = Function(
    "relu",
    "v",
    "relu(v)",
    relu_of,
    relu_slips,
    advice="draw ReLU, and read off its value at −2 and at 2",
)

one_gate = Backward("dL_dh v", "v", "dL_dh", "dL_dv")

SIGNAL_MASK = "the incoming gradient decides which units are on, instead of v"
AT_ZERO = "a unit that stands exactly at 0 counts as on"
HALF = "half of the signal passes a unit that stands exactly at 0, as nudging would have it"
UPSIDE_DOWN = "the signal passes where a unit is off and stops where it is on"
SLOPE = "draw ReLU: how steep is it to the left of 0, and how steep to the right?"
BY_VALUE = "the signal is multiplied by ReLU's output instead of by its slope"


def gate_slips(dL_dh, v):
    def through(mask):
        return one_gate.parts((dL_dh, v), lambda v: relu_behind(v, mask))

    return [
        Slip("wrong-mask", AT_ZERO, through(v >= 0), KINK),
        Slip("wrong-mask", HALF, through(np.heaviside(v, 0.5)), KINK),
        Slip("wrong-mask", SIGNAL_MASK, through(dL_dh.T > 0)),
        Slip("wrong-mask", UPSIDE_DOWN, through(v < 0)),
        Slip(
            "wrong-mask",
            "both the unit and its signal must be positive to pass",
            through((v > 0) & (dL_dh.T > 0)),
        ),
        Slip("wrong-value", BY_VALUE, through(relu_of(v)), SLOPE),
        Slip(
            "wrong-value",
            "a unit that is off turns the sign of the signal instead of stopping it",
            through(np.sign(v)),
            "go unit by unit: is it on, and what does it then let through?",
        ),
        Slip(
            "wrong-shape",
            "a row and a column are multiplied, which makes a (k, k) table of all their products",
            {"dL_dv": dL_dh * (v > 0)},
            "which of the two is a row and which a column? Bring them into one shape first",
        ),
    ]


KINK = "look up what the course says about the slope exactly at 0"

relu_backward = one_gate.function(
    "relu_backward",
    lambda v: v.relu(),
    slips=gate_slips,
    advice="go unit by unit: is it on, and what does it then let through?",
)


def gate_case(rng, k=None):
    k = k or sizes(rng, 1)[0]
    return until(
        rng,
        lambda rng: (numbers(rng, 1, k), numbers(rng, k, 1)),
        lambda dL_dh, v: mixed(v) and other_signs(dL_dh, v),
    )


def with_zeros(args):
    """The same case with one of the units at 0, another at −0."""
    dL_dh, v = (np.array(arg) for arg in args)
    v[0], v[-1] = 0.0, -0.0
    return dL_dh, v


WORKED_GATE = (np.array([[3.0, -2.0, 5.0]]), np.array([[1.0], [-1.0], [4.0]]))
ZEROS = "units exactly at 0"

register(
    "relu",
    LESSON,
    points=2,
    functions=[relu, relu_backward],
    draw=lambda rng: [
        Case("relu", WORKED_GATE[1:], "worked"),
        Case("relu", (numbers(rng, 5, 1),)),
        Case("relu", (numbers(rng, 4, 3),), "fresh", "a matrix"),
        Case("relu", (numbers(rng, 6),), "fresh", "an array with one axis"),
        Case("relu_backward", WORKED_GATE, "worked"),
        *(Case("relu_backward", gate_case(rng)) for _ in range(3)),
        Case("relu_backward", large(gate_case(rng)), "fresh", LARGE),
        Case("relu_backward", with_zeros(gate_case(rng)), "edge", ZEROS),
    ],
)


# ---------------------------------------------------------------- ReLU, as a matrix


def jacobian(v, mask=None):
    """∂h_i/∂v_j in row i, column j: the signal that arrives at v when all of it starts at h_i."""

    def gate(v):
        return v.relu() if mask is None else relu_behind(v, mask)

    rows = [row_gradient(gate, v, signal[np.newaxis]) for signal in np.eye(len(v))]
    return np.hstack(rows).T


def jacobian_slips(v):
    k = len(v)
    on = np.asarray(v > 0, float)
    row = "write one line of the matrix down: which of the k inputs does this one output depend on?"
    return [
        Slip("wrong-mask", AT_ZERO, {"dh_dv": jacobian(v, v >= 0)}, KINK),
        Slip("wrong-mask", HALF, {"dh_dv": jacobian(v, np.heaviside(v, 0.5))}, KINK),
        Slip(
            "wrong-mask",
            "the units that are off stand on the diagonal",
            {"dh_dv": jacobian(v, v <= 0)},
        ),
        Slip("missing-local", "every unit counts as on", {"dh_dv": np.eye(k)}),
        Slip(
            "wrong-value",
            "ReLU's outputs stand on the diagonal instead of its slopes",
            {"dh_dv": jacobian(v, on * v)},
            SLOPE,
        ),
        Slip(
            "wrong-value",
            "v itself stands on the diagonal, and not the slopes of ReLU",
            {"dh_dv": jacobian(v, v)},
            SLOPE,
        ),
        Slip(
            "wrong-value",
            "every output that is on depends on every input that is on",
            {"dh_dv": np.where(on + on.T > 1, 1.0, 0.0)},
            row,
        ),
        Slip(
            "wrong-shape",
            "v is taken for a matrix, and its diagonal, a single number, for the result",
            {"dh_dv": on[0]},
            "what does your helper expect: a column, or an array with one axis?",
        ),
        Slip("wrong-shape", "only the diagonal is returned", {"dh_dv": on}, row),
        Slip(
            "wrong-shape",
            "only the diagonal is returned, with one axis",
            {"dh_dv": on.ravel()},
            row,
        ),
        Slip("wrong-shape", "only the diagonal is returned, as a row", {"dh_dv": on.T}, row),
        Slip(
            "wrong-value",
            "whole rows are filled, as if an output depended on every input",
            {"dh_dv": np.repeat(on, k, axis=1)},
            row,
        ),
        Slip(
            "wrong-value",
            "whole columns are filled, as if an input reached every output",
            {"dh_dv": np.repeat(on.T, k, axis=0)},
            row,
        ),
    ]


relu_jacobian = Function(
    "relu_jacobian",
    "v",
    "dh_dv",
    jacobian,
    jacobian_slips,
    advice="nudge one unit of v and look which outputs move: each nudge is one column",
)


def units(rng, k=None):
    """v alone, some units on and some off."""
    return gate_case(rng, k)[1:]


register(
    "relu_jacobian",
    LESSON,
    points=1,
    functions=[relu_jacobian],
    draw=lambda rng: [
        Case("relu_jacobian", WORKED_GATE[1:], "worked"),
        *(Case("relu_jacobian", units(rng)) for _ in range(3)),
        Case("relu_jacobian", large(units(rng)), "fresh", LARGE),
        Case("relu_jacobian", (np.array([[1.5], [0.0], [-2.0], [0.0]]),), "edge", ZEROS),
    ],
)


# ---------------------------------------------------------------- h2 = ReLU(W2 h1)

one_layer = Backward("dL_dh2 W2 h1", "W2 h1", "dL_dh2", ("dL_dW2", "dL_dh1"))


def layer_slips(dL_dh2, W2, h1):
    args = dL_dh2, W2, h1
    v = W2 @ h1

    def through(mask, only=None):
        return one_layer.parts(args, lambda W2, h1: relu_behind(W2 @ h1, mask), only)

    after = one_layer.parts(args, lambda W2, h1: W2 @ gated(h1, h1.data > 0, h1))
    both = one_layer.parts(
        args, lambda W2, h1: relu_behind(W2 @ gated(h1, h1.data > 0, h1), v > 0), "dL_dh1"
    )
    bent = one_layer.parts(
        args, lambda W2, h1: (W2 @ gated(h1, np.ones_like(h1.data), h1.relu())).relu()
    )

    def taken(array):
        """dL_dW2 where another array stands for h1."""
        start = np.zeros((len(v), len(array)))
        through_W2 = row_gradient(lambda W2: relu_behind(W2 @ array, v > 0), start, dL_dh2)
        return {"dL_dW2": through_W2}

    return [
        Slip("wrong-mask", AT_ZERO, through(v >= 0), KINK),
        Slip("wrong-mask", SIGNAL_MASK, through(dL_dh2.T > 0)),
        Slip("wrong-mask", UPSIDE_DOWN, through(v < 0)),
        Slip("wrong-value", "the input h1 is sent through a ReLU too", bent, INPUT),
        Slip("wrong-value", "the input h1 is sent through a ReLU too", taken(relu_of(h1)), INPUT),
        *(
            Slip("wrong-value", f"{name} stands where the input h1 belongs", taken(array), INPUT)
            for name, array in [("v", v), ("the layer's output", relu_of(v))]
        ),
        Slip("wrong-value", BY_VALUE, through(relu_of(v)), SLOPE),
        Slip("missing-local", "the signal passes the ReLU as if every unit were on",
             through(np.ones_like(v)), PASS_GATE),
        Slip("wrong-mask", AFTER, after, GATE_FIRST),
        Slip("wrong-mask", "behind the weight a second mask is applied, made from the input h1",
             both, GATE_FIRST),
        Slip("wrong-mask", CUT, {"dL_dh1": relu_of(through(v > 0)["dL_dh1"])}, GATE_FIRST),
    ]  # fmt: skip


PASS_GATE = "on its way back the signal meets the ReLU before it meets the weight: what passes?"
INPUT = "look at the layer's formula: what is the weight applied to?"
AFTER = "the mask is applied behind the weight, and made from the input, not from v"
CUT = (
    "the negative entries of the gradient are cut off, as ReLU does with values on the way forward"
)
GATE_FIRST = "draw the layer: in which order does the signal meet its ReLU and its weight?"

relu_layer = one_layer.function(
    "relu_layer_backward",
    lambda W2, h1: (W2 @ h1).relu(),
    slips=layer_slips,
    advice="compute v, then the signal at v; the rest is exercise 1",
)


def layer_case(rng, k=None, m=None):
    a, b = sizes(rng, 2)
    k, m = k or a, m or b
    return until(
        rng,
        lambda rng: (numbers(rng, 1, m), numbers(rng, m, k), numbers(rng, k, 1)),
        lambda dL_dh2, W2, h1: (
            mixed(h1)
            and mixed(W2 @ h1)
            and other_signs(dL_dh2, W2 @ h1)
            and (k != m or other_signs(h1, W2 @ h1))
        ),
    )


def on_off_and_zero(values):
    """Whether there are units on, units off and units exactly at 0."""
    return (values > 0).any() and (values < 0).any() and (values == 0).any()


def layer_at_zero(rng):
    return until(
        rng,
        lambda rng: (whole(rng, 1, 6), whole(rng, 6, 4), whole(rng, 4, 1)),
        lambda dL_dh2, W2, h1: on_off_and_zero(W2 @ h1),
    )


WORKED_LAYER = (WORKED_CHAIN[3], WORKED_CHAIN[1], np.array([[2.0], [1.0], [0.0], [0.0]]))

register(
    "relu_layer",
    LESSON,
    points=3,
    functions=[relu_layer],
    draw=lambda rng: [
        Case("relu_layer_backward", WORKED_LAYER, "worked"),
        *(Case("relu_layer_backward", layer_case(rng)) for _ in range(4)),
        Case("relu_layer_backward", large(layer_case(rng)), "fresh", LARGE),
        Case("relu_layer_backward", layer_at_zero(rng), "edge", ZEROS),
    ],
)


# ---------------------------------------------------------------- h2 = ReLU(W2 ReLU(W1 x))

relu_chain = Backward(
    "W1 W2 x dL_dh2",
    "W1 W2 x",
    "dL_dh2",
    ("h2", "dL_dW1", "dL_dW2", "dL_dx"),
    with_value=True,
)


def two_relu_slips(W1, W2, x, dL_dh2):
    args = W1, W2, x, dL_dh2
    v1 = W1 @ x
    h1 = relu_of(v1)
    v2 = W2 @ h1
    every1, every2 = np.ones_like(v1), np.ones_like(v2)

    def through(first, second):
        def forward(W1, W2, x):
            return relu_behind(W2 @ relu_behind(W1 @ x, first), second)

        return relu_chain.parts(args, forward)

    def signal_at_h1(second):
        return row_gradient(lambda h: relu_behind(W2 @ h, second), h1, dL_dh2).T

    def after(W1, W2, x):
        h1 = relu_behind(W1 @ gated(x, x.data > 0, x), v1 > 0)
        return relu_behind(W2 @ h1, every2)

    by_signal = dL_dh2.T > 0
    of_h1 = signal_at_h1(v2 > 0)
    weight2 = row_gradient(lambda W2: relu_behind(W2 @ v1, v2 > 0), np.zeros_like(W2), dL_dh2)
    without = [
        (
            "the first ReLU is left out, forward and backward",
            lambda W1, W2, x: (W2 @ (W1 @ x)).relu(),
        ),
        ("the last ReLU is left out, forward and backward", lambda W1, W2, x: W2 @ (W1 @ x).relu()),
        ("both ReLUs are left out, forward and backward", lambda W1, W2, x: W2 @ (W1 @ x)),
    ]
    given_v1 = relu_chain.parts(
        args,
        lambda W1, W2, x: (W2 @ gated(W1 @ x, v1 > 0, W1 @ x)).relu(),
    )
    return [
        *(
            Slip("wrong-mask", AT_ZERO, through(first, second), KINK)
            for first, second in [(v1 >= 0, v2 >= 0), (v1 > 0, v2 >= 0), (v1 >= 0, v2 > 0)]
        ),
        Slip(
            "wrong-mask",
            SIGNAL_MASK.replace("v", "v1 and v2"),
            through(signal_at_h1(by_signal).T > 0, by_signal),
        ),
        Slip(
            "missing-local",
            "at v2 the signal passes as if every unit were on",
            through(v1 > 0, every2),
            PASS_GATE,
        ),
        Slip(
            "missing-local",
            "at v1 the signal passes as if every unit were on",
            through(every1, v2 > 0),
            PASS_GATE,
        ),
        Slip(
            "missing-local",
            "at both ReLUs the signal passes as if every unit were on",
            through(every1, every2),
            PASS_GATE,
        ),
        Slip("wrong-mask", AFTER, relu_chain.parts(args, after, "dL_dW1 dL_dW2 dL_dx"), GATE_FIRST),
        Slip(
            "wrong-value",
            "the pre-activation v1 stands where h1, what W2 was applied to, belongs",
            {"dL_dW2": weight2},
            WENT_IN,
        ),
        Slip("wrong-value", "the second layer is given v1 in place of h1", given_v1, WENT_IN),
        Slip("missing-local", V2_FOR_H2, {"h2": v2}, BOTH_WAYS),
        *(
            Slip("missing-local", words, relu_chain.parts(args, forward), BOTH_WAYS)
            for words, forward in without
        ),
        *misplaced(W2, x, h1, dL_dh2, of_h1, (v1 > 0, v2 > 0)),
    ]


WENT_IN = "ask what went into the second weight: v1, or what ReLU made of it?"
V2_FOR_H2 = "the last ReLU is not applied: v2 is returned in place of h2"
BOTH_WAYS = "write the forward pass first, one line for each of v1, h1, v2, h2"

two_relu_layers = relu_chain.function(
    "two_relu_layers",
    lambda W1, W2, x: (W2 @ (W1 @ x).relu()).relu(),
    slips=two_relu_slips,
    advice="print the signal at v2, h1 and v1, and compare each with the worked numbers",
)


def relu_chain_case(rng, n=None, k=None, m=None):
    a, b, c = sizes(rng, 3)
    n, k, m = n or a, k or b, m or c

    def good(W1, W2, x, dL_dh2):
        h1 = relu_of(W1 @ x)
        v2 = W2 @ h1
        return mixed(W1 @ x) and mixed(v2) and mixed(x) and other_signs(dL_dh2, v2)

    return until(rng, lambda rng: chain_case(rng, n, k, m), good)


def chain_at_zero(rng):
    def good(W1, W2, x, dL_dh2):
        v1 = W1 @ x
        return on_off_and_zero(v1) and on_off_and_zero(W2 @ relu_of(v1))

    return until(
        rng,
        lambda rng: (whole(rng, 5, 3), whole(rng, 6, 5), whole(rng, 3, 1), whole(rng, 1, 6)),
        good,
    )


register(
    "two_relu_layers",
    LESSON,
    points=4,
    functions=[two_relu_layers],
    draw=lambda rng: [
        Case("two_relu_layers", WORKED_CHAIN, "worked"),
        *(Case("two_relu_layers", relu_chain_case(rng)) for _ in range(4)),
        Case("two_relu_layers", large(relu_chain_case(rng)), "fresh", LARGE),
        Case("two_relu_layers", chain_at_zero(rng), "edge", ZEROS),
    ],
)


# ---------------------------------------------------------------- H = ReLU(X Wᵀ)

batch_layer = Backward("dL_dH W X", "W X", "dL_dH", ("dL_dW", "dL_dX"), batch="X")


def batch_slips(dL_dH, W, X):
    args = dL_dH, W, X
    V = X @ W.T

    def through(mask):
        return batch_layer.parts(args, lambda W, X: relu_behind(X @ W.T, mask))

    after = batch_layer.parts(args, lambda W, X: gated(X, X.data > 0, X) @ W.T)

    of_all = batch_layer.parts(args, lambda W, X: (X @ W.T).relu())["dL_dX"].sum(axis=0)

    def taken(array):
        """dL_dW where another array stands for X."""
        start = Tensor(np.zeros((V.shape[1], array.shape[1])), requires_grad=True)
        relu_behind(Tensor(array) @ start.T, V > 0).backward(dL_dH)
        return {"dL_dW": start.grad}

    def of_example(i):
        alone = np.zeros_like(dL_dH)
        alone[i] = dL_dH[i]
        return batch_layer.parts((alone, W, X), lambda W, X: (X @ W.T).relu(), "dL_dW")

    return [
        Slip("wrong-mask", AT_ZERO, through(V >= 0), KINK),
        Slip("wrong-mask", SIGNAL_MASK.replace("v", "V"), through(dL_dH > 0)),
        Slip("wrong-mask", UPSIDE_DOWN, through(V < 0)),
        Slip(
            "wrong-mask",
            "the first example decides for the whole batch which units are on",
            through(np.repeat(V[:1] > 0, len(V), axis=0)),
            "every example has a mask of its own",
        ),
        Slip("wrong-value", BY_VALUE, through(relu_of(V)), SLOPE),
        *(
            Slip("wrong-value", f"{name} stands where the input X belongs", taken(array), INPUT)
            for name, array in [
                ("ReLU(X)", relu_of(X)),
                ("V", V),
                ("the output H", relu_of(V)),
            ]
        ),
        *(
            Slip(
                "wrong-shape",
                "the gradients to all the examples are added up",
                {"dL_dX": np.reshape(of_all, shape)},
                "each example has a row of its own in X, and its own row in the gradient",
            )
            for shape in ((-1,), (1, -1), (-1, 1))
        ),
        Slip(
            "missing-local",
            "the signal passes the ReLU as if every unit were on",
            through(np.ones_like(V)),
            PASS_GATE,
        ),
        Slip("wrong-mask", AFTER.replace("v", "V"), after, GATE_FIRST),
        Slip(
            "overwrite-not-accumulate",
            "only the last example's contribution is kept",
            of_example(-1),
            ADD_UP,
        ),
        Slip(
            "no-batch-sum",
            "only the first example's contribution is counted",
            of_example(0),
            ADD_UP,
        ),
    ]


ADD_UP = "every example pulls on the same weights: add up what they give"

relu_layer_batch = batch_layer.function(
    "relu_layer_batch",
    lambda W, X: (X @ W.T).relu(),
    slips=batch_slips,
    advice="take a batch of two rows, and compare with `relu_layer_backward` on each of them",
)


def batch_case(rng, N, n=None, m=None):
    """A batch of N examples; n, m and N differ unless they are given."""
    others = [size for size in range(2, 8) if size != N]
    a, b = (int(size) for size in rng.permutation(others)[:2])
    n, m = n or a, m or b
    return until(
        rng,
        lambda rng: (numbers(rng, N, m), numbers(rng, m, n), numbers(rng, N, n)),
        lambda dL_dH, W, X: (
            mixed(X)
            and mixed(X @ W.T)
            and other_signs(dL_dH, X @ W.T)
            and (n != m or other_signs(X, X @ W.T))
        ),
    )


def batch_at_zero(rng):
    return until(
        rng,
        lambda rng: (whole(rng, 3, 5), whole(rng, 5, 4), whole(rng, 3, 4)),
        lambda dL_dH, W, X: on_off_and_zero(X @ W.T),
    )


def large_batch(args):
    dL_dH, W, X = args
    return dL_dH, 1e5 * W, 1e5 * X


# The worked network's second layer, and two examples of what may enter it.
WORKED_BATCH = (
    np.array([[3.0, -2.0], [1.0, 4.0], [-1.0, 2.0]]),
    WORKED_CHAIN[1],
    np.array([[2.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 3.0], [0.0, 2.0, 1.0, -1.0]]),
)

register(
    "relu_layer_batch",
    LESSON,
    points=3,
    functions=[relu_layer_batch],
    draw=lambda rng: [
        Case("relu_layer_batch", WORKED_BATCH, "worked"),
        *(Case("relu_layer_batch", batch_case(rng, N)) for N in (5, 3, 6)),
        Case("relu_layer_batch", large_batch(batch_case(rng, 4)), "fresh", LARGE),
        Case("relu_layer_batch", batch_at_zero(rng), "edge", ZEROS),
    ],
)
