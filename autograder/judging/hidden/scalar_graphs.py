"""Lesson 01: the hidden cases, and what each part of an answer is worth."""

from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.scalar_graphs import (
    GATES,
    WEIGHTS,
    descent,
    exp_case,
    fresh,
    scalars,
    uneven_model,
    uneven_neuron,
)

from . import hidden

hidden(
    "add_mul",
    lambda rng: [
        *fresh("add_mul", 5, lambda: scalars(rng, 3)),
        Case("add_mul", (3.0, -3.0, *scalars(rng, 1)), "edge", "x + y = 0"),
        Case("add_mul", (*scalars(rng, 2), 0.0), "edge", "z = 0"),
        # Where f is a product, differences err by rounding alone, which luck may spare once.
        *(
            Case("add_mul", scalars(rng, 3, low=1e3, high=1e5), "edge", "large inputs")
            for _ in range(4)
        ),
    ],
    {"f": 0.5, "df_dx": 0.5, "df_dy": 0.5, "df_dz": 0.5},
)

hidden(
    "gates",
    lambda rng: [
        *(Case(gate.name, scalars(rng, len(gate.arguments))) for gate in GATES for _ in range(4)),
        Case("d_exp", (0.0,), "edge", "x = 0"),
        Case("d_scale", (0.0, *scalars(rng, 1)), "edge", "x = 0"),
        Case("d_scale", (*scalars(rng, 1), 0.0), "edge", "a = 0"),
        Case("d_shift", (0.0, *scalars(rng, 1)), "edge", "x = 0"),
        Case("d_reciprocal", (-1e-3,), "edge", "x close to 0"),
        Case("d_exp", (float(rng.uniform(40, 60)),), "edge", "x around 50"),
        Case("d_scale", (*scalars(rng, 1, low=1e4, high=2e4), *scalars(rng, 1)), "edge", "large x"),
        Case("d_shift", (*scalars(rng, 1, low=1e4, high=2e4), *scalars(rng, 1)), "edge", "large x"),
    ],
    {gate.name: 0.5 for gate in GATES},
)

hidden(
    "sigmoid_neuron",
    lambda rng: [
        *fresh("sigmoid_neuron", 5, lambda: scalars(rng, 5, high=1.6)),
        Case(
            "sigmoid_neuron",
            (0.0, *scalars(rng, 1), 0.0, *scalars(rng, 1), 0.0),
            "edge",
            "all weights 0",
        ),
        Case(
            "sigmoid_neuron",
            (*scalars(rng, 1), 0.0, *scalars(rng, 1), 0.0, *scalars(rng, 1)),
            "edge",
            "all inputs 0",
        ),
        Case("sigmoid_neuron", scalars(rng, 5, low=1.2, high=1.8), "edge", "a saturated neuron"),
        *(
            Case("sigmoid_neuron", uneven_neuron(rng), "edge", "inputs of very different size")
            for _ in range(4)
        ),
    ],
    {"f": 1, **{f"df_d{name}": 0.6 for name in WEIGHTS}},
)

hidden(
    "d_sigmoid",
    lambda rng: [
        *fresh("d_sigmoid", 6, lambda: [float(rng.uniform(0.05, 0.95))]),
        Case("d_sigmoid", (0.5,), "edge", "f = 1/2"),
        Case("d_sigmoid", (0.999,), "edge", "f close to 1"),
    ],
    {"derivative": (1, [("d_sigmoid", "d_sigmoid(f)")])},
)

hidden(
    "exp_model",
    lambda rng: [
        *fresh("exp_model", 5, lambda: exp_case(rng)),
        Case("exp_model", (0.0, *scalars(rng, 2), 5.0), "edge", "w = 0"),
        Case("exp_model", (*scalars(rng, 1), 0.0, *scalars(rng, 1), 5.0), "edge", "x = 0"),
        Case("exp_model", (*scalars(rng, 2, high=1.2), 0.0, 5.0), "edge", "b = 0"),
        Case("exp_model", (*scalars(rng, 3, high=1.2), -5.0), "edge", "y* negative"),
        *(
            Case("exp_model", uneven_model(rng), "edge", "inputs of very different size")
            for _ in range(4)
        ),
    ],
    {"loss": 1, "dloss_dw": 1, "dloss_db": 1},
)

hidden(
    "fan_out",
    lambda rng: [
        *fresh("fan_out", 5, lambda: scalars(rng, 2)),
        Case("fan_out", (0.0, *scalars(rng, 1)), "edge", "x = 0"),
        Case("fan_out", (*scalars(rng, 1), 0.0), "edge", "y = 0"),
        Case("fan_out", (2.0, -4.0), "edge", "y = −2x"),
        *(
            Case("fan_out", scalars(rng, 2, low=2e3, high=5e3), "edge", "large inputs")
            for _ in range(4)
        ),
    ],
    {"f": 0.5, "df_dx": 1, "df_dy": 0.5},
)

hidden(
    "wrong_claims",
    lambda rng: [],
    {"claims": 2},
)

hidden(
    "descend",
    lambda rng: [
        *(Case("descend", descent(rng, steps)) for steps in (1, 3, 6, 10)),
        Case("descend", descent(rng, 0), "edge", "steps = 0"),
    ],
    {"w": 0.5, "b": 0.5, "losses": 1},
)
