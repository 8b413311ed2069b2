"""Lesson 04: the hidden cases, and what each part of an answer is worth."""

import numpy as np

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.bias import (
    BOTH,
    EMPTY,
    FRONT,
    KIND,
    LETTERS,
    ONES,
    PLAIN,
    STRETCHES,
    TRANSPOSED,
    augmented_case,
    batch_of,
    one_example,
    shapes_for,
    split_case,
    stretches,
)
from backprop_kit.exercises.drawing import numbers, sizes

from . import hidden

hidden(
    "bias_backward",
    lambda rng: [
        *(Case("bias_backward", (numbers(rng, 1, m),)) for m in sizes(rng, 5)),
        Case("bias_backward", (numbers(rng, 1, 1),), "edge", "a single output"),
        Case("bias_backward", (np.zeros((1, 3)),), "edge", "a signal of zeros"),
        Case("bias_backward", (1e9 * numbers(rng, 1, 4),), "edge", "a large signal"),
        Case("bias_backward", (1e-9 * numbers(rng, 1, 4),), "edge", "a small signal"),
    ],
    {"dL_db": 0.75, ARGUMENTS: 0.25},
)

hidden(
    "pick_order",
    lambda rng: [
        Case("pick_order", shapes_for(rng, "factor.T @ signal.T")),
        *(
            Case("pick_order", shapes_for(rng, product, form))
            for product, forms in LETTERS.items()
            for form in range(len(forms))
            for _ in range(2)
        ),
    ],
    {KIND: 0.5, PLAIN: 1.25, TRANSPOSED: 1.25},
)

hidden(
    "affine_backward",
    lambda rng: [
        *(Case("affine_backward", one_example(rng)) for _ in range(6)),
        Case("affine_backward", one_example(rng, 4, 4), "square"),
        Case("affine_backward", one_example(rng, 1, 5), "edge", "a single output"),
        Case("affine_backward", one_example(rng, 5, 1), "edge", "a single input"),
        Case(
            "affine_backward",
            (np.zeros((1, 3)), numbers(rng, 3, 2), numbers(rng, 2, 1)),
            "edge",
            "a signal of zeros",
        ),
        *(
            Case("affine_backward", one_example(rng, 3, 5, 1e3), "edge", "large W and x")
            for _ in range(3)
        ),
    ],
    {"dL_dW": 0.75, "dL_dx": 0.5, "dL_db": 0.5, ARGUMENTS: 0.25},
)

hidden(
    "affine_batch",
    lambda rng: [
        *(Case("affine_batch", batch_of(rng, *sizes(rng, 3))) for _ in range(6)),
        Case("affine_batch", batch_of(rng, 1, *sizes(rng, 2)), "single"),
        Case("affine_batch", batch_of(rng, 1, *sizes(rng, 2)), "single"),
        Case("affine_batch", batch_of(rng, 4, 4, 4), "square"),
        Case("affine_batch", batch_of(rng, 5, 1, 3), "edge", "a single output"),
        Case("affine_batch", batch_of(rng, 5, 3, 1), "edge", "a single input"),
        *(
            Case("affine_batch", batch_of(rng, 5, 2, 4, 1e3), "edge", "large W and X")
            for _ in range(3)
        ),
    ],
    {"dL_dW": 1, "dL_dX": 0.75, "dL_db": 1, ARGUMENTS: 0.25},
)

hidden(
    "unbroadcast",
    lambda rng: [
        *stretches(rng, STRETCHES),
        *stretches(rng, ["aa a", "aa a1", "aaa aa", "aaa a1a"], "square"),
        *stretches(rng, ["a ", "abc ", " "], "edge", "shape = (), a single number"),
        *stretches(rng, ["ab 11", "a 1", "a1 1"], "edge", "shape has nothing but ones"),
        *stretches(rng, ["1b b", "1a1 a1", "11 "], "edge", "an axis of length 1 put in front"),
        *stretches(
            rng,
            ["0b b", "0b 1b", "0b 0b", "a0 a1", "a0 1", "0 ", "a0b b", "a0b 1b"],
            "edge",
            "grad has an axis of length 0",
        ),
    ],
    {FRONT: 1.25, ONES: 1.25, BOTH: 0.75, EMPTY: 0.5, ARGUMENTS: 0.25},
)

hidden(
    "augmented",
    lambda rng: [
        *(augmented_case(rng, *sizes(rng, 3)) for _ in range(5)),
        Case("augmented", augmented_case(rng, 1, 3, 2).args, "single"),
        Case("augmented", augmented_case(rng, 4, 1, 3).args, "edge", "a single output"),
        Case("augmented", augmented_case(rng, 4, 3, 1).args, "edge", "a single input"),
        *(split_case(rng, *sizes(rng, 2)) for _ in range(5)),
        split_case(rng, 4, 4, "square"),
        Case("split_gradient", split_case(rng, 1, 4).args, "edge", "a single output"),
        Case("split_gradient", split_case(rng, 4, 1).args, "edge", "a single input"),
    ],
    {"Wb": 0.5, "X1": 0.5, "dL_dW": 0.4, "dL_db": 0.4, ARGUMENTS: 0.2},
)
