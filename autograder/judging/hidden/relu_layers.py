"""Lesson 03: the hidden cases, and what each part of an answer is worth."""

import numpy as np

from backprop_kit.checking.diagnose import ARGUMENTS as KEPT
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.relu_layers import (
    LARGE,
    ZEROS,
    batch_at_zero,
    batch_case,
    chain_at_zero,
    chain_case,
    gate_case,
    large,
    large_batch,
    layer_at_zero,
    layer_case,
    linear_case,
    numbers,
    relu_chain_case,
    units,
    with_zeros,
)

from . import hidden


def cases(function, draw, count, *notes):
    """`count` calls with what `draw()` gives; notes: their kind, and what is special in them."""
    return [Case(function, draw(), *notes) for _ in range(count)]


def positive(*arrays):
    return [np.abs(array) for array in arrays]


hidden(
    "linear_backward",
    lambda rng: [
        *cases("linear_backward", lambda: linear_case(rng), 5),
        *cases("linear_backward", lambda: large(linear_case(rng)), 3, "fresh", LARGE),
        Case("linear_backward", linear_case(rng, 4, 4), "square", "a square W"),
        Case("linear_backward", linear_case(rng, n=1), "edge", "a single input"),
        Case("linear_backward", linear_case(rng, m=1), "edge", "a single output"),
    ],
    {"dL_dW": 1, "dL_dx": 0.75, KEPT: 0.25},
)

hidden(
    "two_linear",
    lambda rng: [
        *cases("two_linear", lambda: chain_case(rng), 5),
        *cases("two_linear", lambda: large(chain_case(rng)), 3, "fresh", LARGE),
        Case("two_linear", chain_case(rng, 4, 4, 4), "edge", "square W1 and W2"),
        Case("two_linear", chain_case(rng, k=1), "edge", "h1 with a single entry"),
        Case("two_linear", chain_case(rng, n=1, m=1), "edge", "a single input and output"),
    ],
    {"dL_dW1": 1, "dL_dW2": 0.75, "dL_dx": 1, KEPT: 0.25},
)


def one_sided(rng, sign):
    """A signal, and units that are all on or all off."""
    dL_dh, v = gate_case(rng)
    return dL_dh, sign * np.abs(v)


hidden(
    "relu",
    lambda rng: [
        *(
            Case("relu", (numbers(rng, *shape),), "fresh", f"an array of shape {shape}")
            for shape in [(5, 1), (1, 4), (3, 6), (7,), (2, 3, 4)]
        ),
        Case("relu", (np.array([[0.0], [-0.0], [2.0], [-2.0]]),), "edge", ZEROS),
        Case("relu", (np.abs(numbers(rng, 4, 1)),), "edge", "all units on"),
        Case("relu", (-np.abs(numbers(rng, 4, 1)),), "edge", "all units off"),
        Case("relu", (1e6 * numbers(rng, 4, 1),), "edge", LARGE),
        Case("relu", (1e-6 * numbers(rng, 4, 1),), "edge", "tiny inputs"),
        *cases("relu_backward", lambda: gate_case(rng), 5),
        *cases("relu_backward", lambda: large(gate_case(rng)), 3, "fresh", LARGE),
        *cases("relu_backward", lambda: with_zeros(gate_case(rng)), 2, "edge", ZEROS),
        Case("relu_backward", one_sided(rng, 1), "edge", "all units on"),
        Case("relu_backward", one_sided(rng, -1), "edge", "all units off"),
        Case("relu_backward", (numbers(rng, 1, 1), np.array([[2.0]])), "edge", "a single unit"),
        Case("relu_backward", (numbers(rng, 1, 5), 1e-6 * numbers(rng, 5, 1)), "edge", "tiny v"),
    ],
    {
        "relu": (0.75, [("relu", "relu(v)")]),
        "relu leaves v alone": (0.25, [("relu", KEPT)]),
        "relu_backward": (0.75, [("relu_backward", "dL_dv")]),
        "relu_backward leaves dL_dh and v alone": (0.25, [("relu_backward", KEPT)]),
    },
)

hidden(
    "relu_jacobian",
    lambda rng: [
        *cases("relu_jacobian", lambda: units(rng), 5),
        *cases("relu_jacobian", lambda: large(units(rng)), 2, "fresh", LARGE),
        *cases("relu_jacobian", lambda: with_zeros(gate_case(rng))[1:], 2, "edge", ZEROS),
        Case("relu_jacobian", one_sided(rng, 1)[1:], "edge", "all units on"),
        Case("relu_jacobian", one_sided(rng, -1)[1:], "edge", "all units off"),
        Case("relu_jacobian", (np.array([[2.0]]),), "edge", "a single unit"),
        Case("relu_jacobian", (np.array([[-2.0]]),), "edge", "a single unit, off"),
    ],
    {"dh_dv": 0.75, KEPT: 0.25},
)


def layer_one_sided(rng, sign):
    """A layer whose units are all on or all off."""
    dL_dh2, W2, h1 = layer_case(rng)
    return dL_dh2, *positive(W2), sign * np.abs(h1)


hidden(
    "relu_layer",
    lambda rng: [
        *cases("relu_layer_backward", lambda: layer_case(rng), 5),
        *cases("relu_layer_backward", lambda: large(layer_case(rng)), 3, "fresh", LARGE),
        *cases("relu_layer_backward", lambda: layer_at_zero(rng), 3, "edge", ZEROS),
        Case("relu_layer_backward", layer_case(rng, 4, 4), "square", "a square W2"),
        Case("relu_layer_backward", layer_one_sided(rng, 1), "edge", "all units on"),
        Case("relu_layer_backward", layer_one_sided(rng, -1), "edge", "all units off"),
        Case("relu_layer_backward", (numbers(rng, 1, 1), *positive(numbers(rng, 1, 4)),
             np.abs(numbers(rng, 4, 1))), "edge", "a single unit"),
    ],
    {"dL_dW2": 1.5, "dL_dh1": 1.25, KEPT: 0.25},
)  # fmt: skip


def chain_one_sided(rng, sign1, sign2):
    """A chain whose units are all on (1) or all off (−1), layer by layer."""
    W1, W2, x, dL_dh2 = relu_chain_case(rng)
    return sign1 * np.abs(W1), sign2 * np.abs(W2), np.abs(x), dL_dh2


hidden(
    "two_relu_layers",
    lambda rng: [
        *cases("two_relu_layers", lambda: relu_chain_case(rng), 5),
        *cases("two_relu_layers", lambda: large(relu_chain_case(rng)), 3, "fresh", LARGE),
        *cases("two_relu_layers", lambda: chain_at_zero(rng), 3, "edge", ZEROS),
        Case("two_relu_layers", relu_chain_case(rng, 4, 4, 4), "edge", "square W1 and W2"),
        Case("two_relu_layers", chain_one_sided(rng, 1, 1), "edge", "all units on"),
        Case("two_relu_layers", chain_one_sided(rng, 1, -1), "edge", "all units of h2 off"),
        Case("two_relu_layers", chain_one_sided(rng, -1, 1), "edge", "all units of h1 off"),
    ],
    {"h2": 0.5, "dL_dW1": 1.25, "dL_dW2": 1, "dL_dx": 1, KEPT: 0.25},
)


def batch_one_sided(rng, sign):
    """A batch whose units are all on or all off."""
    dL_dH, W, X = batch_case(rng, 4)
    return dL_dH, sign * np.abs(W), np.abs(X)


hidden(
    "relu_layer_batch",
    lambda rng: [
        *(Case("relu_layer_batch", batch_case(rng, N)) for N in (4, 3, 6, 5)),
        *cases("relu_layer_batch", lambda: large_batch(batch_case(rng, 5)), 3, "fresh", LARGE),
        *cases("relu_layer_batch", lambda: batch_at_zero(rng), 2, "edge", ZEROS),
        Case("relu_layer_batch", batch_case(rng, 1), "single", "a batch of one example"),
        Case("relu_layer_batch", batch_case(rng, 5, 4, 4), "square", "a square W"),
        Case("relu_layer_batch", batch_one_sided(rng, 1), "edge", "all units on"),
        Case("relu_layer_batch", batch_one_sided(rng, -1), "edge", "all units off"),
    ],
    {"dL_dW": 1.5, "dL_dX": 1.25, KEPT: 0.25},
)
