"""Lesson 02: the hidden cases, and what each part of an answer is worth."""

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.drawing import sizes
from backprop_kit.exercises.vectorized import (
    BATCHES,
    DIFFERENCES,
    FUNCTIONS,
    MEMORY,
    SCALARS,
    SHAPES,
    TALL,
    VALUE,
    matrix_and_batch,
    matrix_and_column,
    numerical_case,
    numerical_cases,
    row_and_matrix,
    signal_and_column,
)

from . import hidden


def edges(function, draw):
    """The edge cases of a function of a matrix and a vector, which `draw(rng, m, n, scales)` gives
    in the function's order."""

    def cases(rng):
        return [
            *(Case(function, draw(rng, scales=s), "edge", note) for note, s in DIFFERENCES * 2),
            Case(function, draw(rng, m=1), "edge", "one output"),
            Case(function, draw(rng, n=1), "edge", "one input"),
            Case(function, draw(rng, scales=(1e-4, 1e-4)), "edge", "small entries"),
            Case(function, draw(rng, zero=True), "edge", "entries that are 0"),
            Case(function, draw(rng, m=4, n=4), "square"),
        ]

    return cases


def of_matrix_and_column(function):
    edge = edges(function, matrix_and_column)
    return lambda rng: [
        *(Case(function, matrix_and_column(rng)) for _ in range(5)),
        *edge(rng),
    ]


hidden(
    "norm_sq",
    of_matrix_and_column("norm_sq"),
    {"f": 0.5, "a": 0.4, ARGUMENTS: 0.1},
)

hidden(
    "norm_sq_grads",
    of_matrix_and_column("norm_sq_grads"),
    {"df_da": 1, "df_dW": 1.5, "df_dx": 1.25, ARGUMENTS: 0.25},
)

row_edges = edges("norm_sq_row", row_and_matrix)

hidden(
    "norm_sq_row",
    lambda rng: [
        *(Case("norm_sq_row", row_and_matrix(rng)) for _ in range(5)),
        *row_edges(rng),
    ],
    {"f": 0.3, "df_dW": 0.8, "df_dx": 0.8, ARGUMENTS: 0.1},
)


def shape_aspect(layout, *things):
    return [("gradient_shape", SHAPES[layout][thing]) for thing in things]


hidden(
    "gradient_shape",
    lambda rng: [
        *(Case("gradient_shape", sizes(rng, 3, low=8, high=29)) for _ in range(6)),
        Case("gradient_shape", (1, *sizes(rng, 2)), "edge", "a column of one entry"),
        Case("gradient_shape", (sizes(rng, 1)[0], 4, 4), "edge", "a square matrix"),
    ],
    {
        "code layout": (0.75, shape_aspect("code", *SHAPES["code"])),
        "columns on paper": (0.75, shape_aspect("paper", "a column")),
        "numbers and matrices on paper": (
            0.5,
            shape_aspect("paper", "a number", "a matrix", "a matrix with one row"),
        ),
    },
)

hidden(
    "numerical_gradient",
    lambda rng: [
        *numerical_cases(rng),
        *(
            numerical_case(rng, f, sizes(rng, 2), h, returns=returns)
            for f, h, returns in zip(FUNCTIONS, (0.2, 1e-2, 1e-3), SCALARS, strict=True)
        ),
        numerical_case(rng, "weighted cubes", (1, 1), 1e-2, kind="edge", note="A is 1 × 1"),
        numerical_case(
            rng,
            "weighted cubes",
            sizes(rng, 3),
            1e-2,
            "every other",
            kind="edge",
            note="A is a view, of three dimensions",
        ),
    ],
    {"gradient": 2.5, "A afterwards": 0.5},
)

hidden(
    "jacobian",
    lambda rng: [
        *of_matrix_and_column("jacobian_Wx")(rng),
        *(Case("vjp_Wx", signal_and_column(rng)) for _ in range(5)),
        Case("vjp_Wx", signal_and_column(rng, m=1), "edge", "one output"),
        Case("vjp_Wx", signal_and_column(rng, n=1), "edge", "one input"),
        Case("vjp_Wx", signal_and_column(rng, m=4, n=4), "edge", "as many outputs as inputs"),
        Case("vjp_Wx", signal_and_column(rng, TALL + 7, 61), "edge", f"W has {TALL + 7} rows"),
    ],
    {
        "jacobian_Wx": (0.9, [("jacobian_Wx", "da_dW")]),
        "vjp_Wx": (1, [("vjp_Wx", VALUE)]),
        "never built": (0.8, [("vjp_Wx", MEMORY)]),
        "jacobian_Wx leaves its arguments alone": (0.1, [("jacobian_Wx", ARGUMENTS)]),
        "vjp_Wx leaves its arguments alone": (0.2, [("vjp_Wx", ARGUMENTS)]),
    },
)

hidden(
    "norm_sq_batch",
    lambda rng: [
        *(Case("norm_sq_batch", matrix_and_batch(rng, N, m, n)) for N, m, n in BATCHES),
        *(Case("norm_sq_batch", matrix_and_batch(rng)) for _ in range(3)),
        *(
            Case("norm_sq_batch", matrix_and_batch(rng, scales=scales), "edge", note)
            for note, scales in DIFFERENCES * 2
        ),
        Case("norm_sq_batch", matrix_and_batch(rng, m=1), "edge", "one output"),
        Case("norm_sq_batch", matrix_and_batch(rng, N=4, m=4, n=4), "square"),
        Case("norm_sq_batch", matrix_and_batch(rng, N=1), "single", "one example"),
        Case("norm_sq_batch", matrix_and_batch(rng, N=1), "single", "one example"),
    ],
    {"f": 0.5, "df_dW": 1.25, "df_dX": 1, ARGUMENTS: 0.25},
)
