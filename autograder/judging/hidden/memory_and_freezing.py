"""Lesson 07: the hidden cases, and what each part of an answer is worth."""

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.drawing import sizes
from backprop_kit.exercises.memory_and_freezing import (
    LAYERS,
    LOWER,
    byte_args,
    chain_args,
    chain_at_the_kink,
    chain_of_sizes,
    checkpointed_args,
    checkpointed_at_the_kink,
    deep_args,
    lean_at_the_kink,
    lean_cases,
    names_below,
    step_args,
)

from . import hidden

hidden(
    "what_to_save",
    lambda rng: [],
    {
        "linear": (0.5, [("what_to_save", 'what_to_save("linear")')]),
        "relu": (0.5, [("what_to_save", 'what_to_save("relu")')]),
        **{
            name: (0.25, [("what_to_save", f'what_to_save("{name}")')])
            for name in LAYERS
            if name not in ("linear", "relu")
        },
    },
)

hidden(
    "chain_gradients",
    lambda rng: [
        *(Case("chain_gradients", chain_args(rng, *sizes(rng, 3))) for _ in range(5)),
        Case("chain_gradients", chain_args(rng, 4, 4, 4), "square"),
        Case("chain_gradients", chain_args(rng, 3, 5, 1), "edge", "a single output"),
        Case("chain_gradients", chain_args(rng, 1, 4, 3), "edge", "a single input"),
        Case("chain_gradients", chain_at_the_kink(rng, 3, 5, 2), "edge", "a unit exactly at 0"),
        *(
            Case("chain_gradients", chain_of_sizes(rng, n, k, m), "edge", "numbers of unlike size")
            for n, k, m in [(5, 4, 3), (3, 6, 2), (6, 3, 5)]
        ),
    ],
    {"dl_dW1": 1.0, "dl_dW2": 0.75, ARGUMENTS: 0.25},
)

hidden(
    "detach",
    lambda rng: [
        *(Case("detach_demo", (float(x),)) for x in rng.uniform(0.3, 2.5, 4)),
        *(Case("detach_demo", (float(-x),)) for x in rng.uniform(0.3, 2.5, 3)),
        Case("detach_demo", (0.0,), "edge", "x = 0"),
        Case("detach_demo", (float(rng.uniform(1e3, 1e4)),), "edge", "a large x"),
    ],
    {"f": 0.25, "df_dx": 0.75},
)

hidden(
    "saved_bytes",
    lambda rng: [
        *(
            Case("saved_bytes", byte_args(rng, depth, frozen))
            for depth, frozen in [(3, 1), (4, 2), (5, 3), (6, 1), (4, 3), (5, 2)]
        ),
        Case("saved_bytes", byte_args(rng, 4, 4), "edge", "every layer is frozen"),
        Case("saved_bytes", byte_args(rng, 3, 0), "edge", "no layer is frozen"),
        Case("saved_bytes", byte_args(rng, 1, 0), "edge", "one layer, no ReLU"),
        Case("saved_bytes", byte_args(rng, 1, 1), "edge", "one layer, frozen"),
        Case("saved_bytes", byte_args(rng, 4, 1, batch=1), "single"),
    ],
    {
        "all layers trained": (1.25, [("saved_bytes", "bytes, all layers trained")]),
        "lower layers frozen": (1.5, [("saved_bytes", "bytes, lower layers frozen")]),
        ARGUMENTS: 0.25,
    },
)

hidden(
    "frozen_step",
    lambda rng: [
        Case("frozen_step", step_args(rng, [3, 5, 4, 1], 6, names_below(1)), note=LOWER),
        Case("frozen_step", step_args(rng, [4, 3, 5, 1], 7, names_below(2)), note=LOWER),
        Case("frozen_step", step_args(rng, [2, 5, 3, 4, 1], 9, names_below(2)), note=LOWER),
        Case("frozen_step", step_args(rng, [2, 4, 1], 5, []), "edge", "nothing is frozen"),
        Case(
            "frozen_step", step_args(rng, [3, 4, 1], 8, ["2.W", "2.b"]), "edge", "the top is frozen"
        ),
        Case("frozen_step", step_args(rng, [2, 5, 1], 6, ["0.b"]), "edge", "one bias is frozen"),
        Case("frozen_step", step_args(rng, [4, 3, 1], 1, names_below(1)), "single"),
    ],
    {
        "loss": 0.5,
        "step": 0.75,
        "frozen parameters": 0.75,
        "step after an earlier backward": 0.5,
        "requires_grad": 0.25,
        ARGUMENTS: 0.25,
    },
)

hidden(
    "lean_forward_backward",
    lambda rng: [
        *lean_cases(rng, [3, 5, 4, 2], 6, 0),
        *lean_cases(rng, [4, 3, 6, 5, 2], 5, 2),
        *lean_cases(rng, [6, 4, 3, 5], 8, 1),
        *lean_cases(rng, [2, 7, 4, 6, 3], 4, 3),
        *lean_cases(rng, sizes(rng, 4, high=8), 7, 0),
        *lean_cases(rng, [12, 40, 30, 24, 5], 300, 2, "edge", "a large batch"),
        *lean_cases(rng, [40, 24, 30, 12, 5], 300, 0, "edge", "a large batch"),
        *lean_cases(rng, [30, 24, 7], 300, 2, "edge", "a large batch, every layer frozen"),
        *lean_cases(rng, [3, 4, 2], 5, 2, "edge", "every layer is frozen"),
        *lean_cases(rng, [4, 3], 6, 0, "edge", "one layer"),
        *lean_cases(rng, [3, 5, 4, 2], 1, 1, "single"),
        *lean_cases(rng, [4, 4, 4, 4], 6, 1, "square"),
        *lean_at_the_kink(rng),
    ],
    {
        "logits": 0.75,
        "bytes of saved": (1.75, [("lean_forward", "saved")]),
        "dW": 1.5,
        "db": 1.0,
        "frozen layers": 0.5,
        ARGUMENTS: 0.5,
    },
)

hidden(
    "checkpointed",
    lambda rng: [
        *(
            Case("checkpointed_backprop", checkpointed_args(rng, widths, batch, every))
            for widths, batch, every in [
                ([3, 5, 4, 6, 2, 1], 6, 2),
                ([4, 3, 5, 2, 6, 3, 1], 7, 3),
                ([2, 5, 3, 4, 1], 5, 1),
                ([5, 4, 3, 6, 2, 4, 7, 1], 9, 4),
            ]
        ),
        Case(
            "checkpointed_backprop",
            checkpointed_args(rng, [3, 4, 2, 1], 8, 5),
            "edge",
            "every is larger than the number of layers",
        ),
        Case(
            "checkpointed_backprop",
            checkpointed_args(rng, [3, 4, 2, 5, 1], 6, 4),
            "edge",
            "every is the number of layers",
        ),
        Case("checkpointed_backprop", checkpointed_args(rng, [4, 1], 6, 1), "edge", "one layer"),
        Case("checkpointed_backprop", checkpointed_at_the_kink(rng), "edge", "a unit exactly at 0"),
        Case("checkpointed_backprop", checkpointed_args(rng, [3, 4, 2, 1], 1, 2), "single"),
        Case("checkpointed_backprop", deep_args(rng), "edge", "a deep network, a large batch"),
        Case(
            "checkpointed_backprop",
            deep_args(rng, depth=64, every=4),
            "edge",
            "a deep network, a large batch",
        ),
    ],
    {"loss": 0.5, "dW": 1.25, "db": 0.75, "memory": 1.25, ARGUMENTS: 0.25},
)
