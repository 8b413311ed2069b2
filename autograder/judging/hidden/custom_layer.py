"""Lesson 06: the hidden cases, and what each part of an answer is worth.

A class that has the right gradient keeps its calls apart as well: where the gradient is wrong
already there is nothing to keep, so that aspect is earned together with it.
"""

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.custom_layer import (
    APART,
    OWN,
    PARAMETER,
    SIZES,
    cube_zeros,
    elementwise_case,
    my_layer_case,
    positive,
    softplus_extreme,
    softplus_extremes,
    softplus_large,
    wacky_case,
)

from . import hidden

hidden(
    "cube_layer",
    lambda rng: [
        elementwise_case("Cube", rng, 4, 3),
        elementwise_case("Cube", rng, 2, 5),
        elementwise_case("Cube", rng, 6, 2),
        elementwise_case("Cube", rng, 3, 7),
        cube_zeros(rng),
        elementwise_case("Cube", rng, 1, 4, kind="single", note="one example"),
        elementwise_case("Cube", rng, 3, 2, kind="edge", note="large inputs", low=300, high=900),
    ],
    {
        "y": 0.5,
        "dL_dx": 1,
        APART: (0.25, [("Cube", "dL_dx"), ("Cube", APART)]),
        ARGUMENTS: 0.25,
    },
)

hidden(
    "softplus_layer",
    lambda rng: [
        elementwise_case("Softplus", rng, 4, 3),
        elementwise_case("Softplus", rng, 2, 5, high=4.0),
        elementwise_case("Softplus", rng, 5, 2),
        elementwise_case("Softplus", rng, 1, 4, kind="single", note="one example"),
        *(positive(softplus_large(rng)) for _ in range(3)),
        *softplus_extremes(rng),
        softplus_extreme(rng, 290.0, 300.0, "x around −300, where the result is tiny", (-1.0,)),
        softplus_extreme(rng, 1e5, 1e300, "x as large as numbers get"),
    ],
    {
        "y": 0.75,
        "dL_dx": 0.75,
        "y, stable": (0.5, [("Softplus", "y"), ("Softplus", "y at extremes")]),
        "dL_dx, stable": (0.5, [("Softplus", "dL_dx"), ("Softplus", "dL_dx at extremes")]),
        APART: (0.25, [("Softplus", "dL_dx"), ("Softplus", APART)]),
        ARGUMENTS: 0.25,
    },
)

hidden(
    "wacky_layer",
    lambda rng: [
        wacky_case(rng, 5, 3, 4),
        wacky_case(rng, 3, 4, 2),
        wacky_case(rng, 4, 2, 5),
        wacky_case(rng, 6, 5, 3),
        wacky_case(rng, 7, 2, 3),
        wacky_case(rng, 4, 3, 3, "square", "W is square"),
        wacky_case(rng, 1, 3, 4, "single", "one example"),
        wacky_case(rng, 4, 3, 1, "edge", "m = 1, where v is its own neighbour"),
        *(wacky_case(rng, 3, 4, 5, "edge", "X is large, W small", spread=1e3) for _ in range(2)),
    ],
    {
        "y": 1,
        "dL_dX": 2,
        "dL_dW": 2,
        PARAMETER: 0.25,
        APART: (0.5, [("Wacky", "dL_dX"), ("Wacky", APART)]),
        ARGUMENTS: 0.25,
    },
)

hidden(
    "use_it",
    lambda rng: [
        Case("make_network", ([3, 4, 5, 2], int(rng.integers(10**6)))),
        Case("make_network", ([4, 3, 2], int(rng.integers(10**6)))),
        Case("make_network", ([2, 6, 3, 4, 1], int(rng.integers(10**6)))),
        Case("make_network", ([5, 7, 3], int(rng.integers(10**6)))),
    ],
    {"layers": 1, "weights from rng": 0.75, "it trains": 1, ARGUMENTS: 0.25},
)

hidden(
    "my_layer",
    lambda rng: [
        my_layer_case(rng, 3, 5),
        my_layer_case(rng, 3, 4),
        my_layer_case(rng, 3, 7),
        my_layer_case(rng, 5, 4, note="n = 5"),
        my_layer_case(rng, 2, 6, note="n = 2"),
        my_layer_case(rng, 3, 1, "single", "one example"),
    ],
    {
        "dL_dx": 1,
        "dL_dparams": 1,
        OWN: 1.25,
        SIZES: 0.25,
        APART: (0.25, [("MyLayer", "dL_dx"), ("MyLayer", APART)]),
        ARGUMENTS: 0.25,
    },
)
