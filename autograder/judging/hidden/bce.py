"""Lesson 05: the hidden cases, and what each part of an answer is worth."""

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.checking.exercise import Case
from backprop_kit.exercises.bce import (
    HUGE,
    KINK,
    LARGE,
    ONE_LAYER,
    STANDING,
    SURE,
    UNEVEN,
    at_the_kink,
    column,
    error_case,
    far_off,
    influence_case,
    kinked_network,
    labels,
    large_error,
    logits,
    network_case,
    neuron_case,
    probabilities,
    signals,
    soft_labels,
    sure,
    training,
    uneven_network,
    uneven_neuron_case,
    uneven_training,
    unlikely,
)
from backprop_kit.exercises.drawing import numbers

from . import hidden


def alone(*functions):
    """The aspect for each function of its own, where an exercise has several."""
    return {f"arguments of {f} left alone": (0.1, [(f, ARGUMENTS)]) for f in functions}


def calls(name, kind, note, *drawn):
    """One case for each list of arguments."""
    return [Case(name, args, kind, note) for args in drawn]


# ---------------------------------------------------------------- the loss, from probabilities

# Predictions are clipped by nobody here. Those within 1e-12 of 0 and 1 let a clip at 1e-12 or
# wider show, and one at 1e-15, which changes nothing that a float64 prediction would notice, pass.


def bce_cases(name, rng):
    half = column(0.5, 0.5, 0.5, 0.5, 0.5)
    return [
        *(Case(name, (labels(rng, N), probabilities(rng, N))) for N in (5, 4, 7)),
        *(Case(name, (soft_labels(rng, N), probabilities(rng, N))) for N in (6, 3)),
        Case(name, (labels(rng, 1), probabilities(rng, 1)), "single", "one example"),
        Case(name, (labels(rng, 5), half), "edge", "all predictions 1/2"),
        Case(name, sure(rng), "edge", SURE),
    ]


hidden(
    "bce",
    lambda rng: [*bce_cases("bce", rng), *bce_cases("bce_backward", rng)],
    {"loss": 0.9, "dL_dy_hat": 0.9, **alone("bce", "bce_backward")},
)


# ---------------------------------------------------------------- the sigmoid

# Huge logits come among ordinary ones: a value is judged against the largest entry of the result,
# so that tanh and 1/(1 + exp(−v)), which round the tiniest values to 0, are right.

hidden(
    "sigmoid",
    lambda rng: [
        *(Case("sigmoid", (logits(rng, N),)) for N in (5, 4, 7)),
        Case("sigmoid", (logits(rng, 1),), "single", "one example"),
        Case("sigmoid", (column(0, *logits(rng, 3)[:, 0]),), "edge", "v = 0"),
        Case("sigmoid", (column(*rng.uniform(18, 24, 2), -20, 0),), "edge", "logits around ±20"),
        Case("sigmoid", (column(-1000, *logits(rng, 2)[:, 0], 1000),), "extreme", HUGE),
        Case("sigmoid", (column(750, -750, 0.5),), "extreme", "logits of ±750"),
        Case("sigmoid", (column(-1e300, 1e300, 1e5, -1e5),), "extreme", "logits of ±1e300"),
        *(Case("sigmoid_backward", signals(rng, N)) for N in (5, 4, 7)),
        Case("sigmoid_backward", signals(rng, 1), "single", "one example"),
        Case(
            "sigmoid_backward",
            (numbers(rng, 4, 1), column(0.0, 1.0, *rng.uniform(0.2, 0.8, 2))),
            "edge",
            "outputs that are exactly 0 and 1",
        ),
        Case(
            "sigmoid_backward",
            (column(0.0, *numbers(rng, 2, 1)[:, 0]), probabilities(rng, 3)),
            "edge",
            "a signal of 0",
        ),
    ],
    {"y_hat": 0.9, "dL_dv": 0.9, **alone("sigmoid", "sigmoid_backward")},
)


# ---------------------------------------------------------------- the two in one, from logits

# The logit of −45 is where a clip shows and log(σ(v)) is still exact: so the answer that clips and
# the one that is merely unstable get different names. Where every prediction is sure and right the
# loss is next to nothing, and log(1 + exp(v)) − y v, a right formula, has lost its digits; no case
# asks for them.

hidden(
    "bce_with_logits",
    lambda rng: [
        *(Case("bce_with_logits", (labels(rng, N), logits(rng, N))) for N in (5, 4, 6)),
        *(Case("bce_with_logits", (soft_labels(rng, N), logits(rng, N))) for N in (7, 3)),
        Case("bce_with_logits", (labels(rng, 1), logits(rng, 1)), "single", "one example"),
        Case("bce_with_logits", (labels(rng, 4), 0 * logits(rng, 4)), "edge", "all logits 0"),
        Case("bce_with_logits", unlikely(rng), "edge", "a logit of −45 for a label 1"),
        Case("bce_with_logits", far_off(rng, 1000.0), "extreme", HUGE),
        Case("bce_with_logits", far_off(rng, float(rng.uniform(50, 60))), "extreme", "v = ±55"),
        Case(
            "bce_with_logits",
            (column(0.3, 0.7, 0.5), column(1000, -1000, 900)),
            "extreme",
            "soft labels with logits of ±1000",
        ),
        Case(
            "bce_with_logits",
            (column(1, 0), column(1000, -1000)),
            "extreme",
            "logits of ±1000, all of them right",
        ),
    ],
    {"loss": 1.4, "dL_dv": 1.4, ARGUMENTS: 0.2},
)


# ---------------------------------------------------------------- one neuron

hidden(
    "neuron_gradients",
    lambda rng: [
        *calls(
            "neuron_gradients",
            "fresh",
            "",
            *(neuron_case(rng, *size) for size in ((3, 5), (4, 6), (5, 3))),
            neuron_case(rng, 2, 4, soft=True),
        ),
        *calls("neuron_gradients", "single", "one example", neuron_case(rng, 3, 1)),
        *calls("neuron_gradients", "square", "as many examples as inputs", neuron_case(rng, 4, 4)),
        *calls("neuron_gradients", "edge", "one input", neuron_case(rng, 1, 4)),
        *calls("neuron_gradients", "edge", UNEVEN, *(uneven_neuron_case(rng) for _ in range(2))),
    ],
    {"loss": 0.7, "dL_dW": 1.2, "dL_db": 0.9, ARGUMENTS: 0.2},
)


# ---------------------------------------------------------------- one layer down


def all_off(rng):
    delta_next, W_next, v = error_case(rng, 4, 3, 2)
    return delta_next, W_next, -abs(v)


hidden(
    "local_error",
    lambda rng: [
        *calls(
            "local_error",
            "fresh",
            "",
            *(error_case(rng, *size) for size in ((4, 3, 5), (3, 5, 2), (5, 2, 4), (2, 4, 6))),
        ),
        *calls("local_error", "single", "one example", error_case(rng, 1, 2, 4)),
        *calls("local_error", "square", "as many units above as here", error_case(rng, 4, 3, 3)),
        *calls("local_error", "edge", "a single unit above", error_case(rng, 4, 1, 3)),
        *calls("local_error", "edge", "all units off", all_off(rng)),
        *calls("local_error", "edge", KINK, at_the_kink(rng), at_the_kink(rng, 5, 3, 4)),
        *calls("local_error", "fresh", LARGE, *(large_error(rng) for _ in range(2))),
    ],
    {"delta": 2.75, ARGUMENTS: 0.25},
)

hidden(
    "influence",
    lambda rng: [
        *calls(
            "influence",
            "fresh",
            "",
            *(
                influence_case(rng, *size, sign=sign)
                for size, sign in (((3, 5), -1), ((5, 4), 1), ((2, 6), -1), ((4, 7), 1))
            ),
        ),
        *calls("influence", "edge", "the first unit, i = 0", influence_case(rng, 3, 4, 0)),
        *calls("influence", "edge", "the last unit", influence_case(rng, 3, 4, 3)),
        *calls("influence", "edge", "a single unit above", influence_case(rng, 1, 3)),
        *calls("influence", "square", "W is square", influence_case(rng, 4, 4)),
    ],
    {"influence": (0.9, [("influence", "influence")]), ARGUMENTS: 0.1},
)


# ---------------------------------------------------------------- whole networks

hidden(
    "backprop",
    lambda rng: [
        *calls(
            "backprop",
            "fresh",
            "",
            network_case(rng, (3, 4, 1), 5),
            network_case(rng, (4, 2, 1), 6, soft=True),
        ),
        *(
            Case("backprop", network_case(rng, *size), "fresh", f"a network of {D} layers")
            for D, size in (
                (3, ((2, 5, 3, 1), 4)),
                (4, ((4, 3, 5, 2, 1), 6)),
                (5, ((3, 2, 4, 3, 2, 1), 7)),
            )
        ),
        *calls("backprop", "single", "one example", network_case(rng, (3, 4, 2, 1), 1)),
        *calls("backprop", "square", "square weights", network_case(rng, (3, 3, 3, 1), 4)),
        *calls("backprop", "edge", ONE_LAYER, network_case(rng, (3, 1), 4)),
        *calls("backprop", "edge", STANDING, kinked_network(rng)),
        *calls("backprop", "edge", UNEVEN, *(uneven_network(rng) for _ in range(2))),
    ],
    {"loss": 1, "dW": 3, "db": 1.75, ARGUMENTS: 0.25},
)

hidden(
    "train",
    lambda rng: [
        *calls(
            "train",
            "fresh",
            "",
            training(rng, (3, 4, 1), 5, 1),
            training(rng, (2, 5, 3, 1), 4, 4),
            training(rng, (4, 3, 1), 6, 7),
            training(rng, (3, 2, 4, 2, 1), 7, 3),
        ),
        *calls("train", "edge", "steps = 0", training(rng, (3, 4, 1), 5, 0)),
        *calls("train", "edge", ONE_LAYER, training(rng, (3, 1), 4, 3)),
        *calls("train", "edge", UNEVEN, *(uneven_training(rng) for _ in range(2))),
    ],
    {"W": 1, "b": 0.75, "losses": 1, ARGUMENTS: 0.25},
)
