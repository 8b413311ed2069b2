"""backprop_kit: a small reference autograd engine in NumPy, and the checks of the course.

Everything that a lesson uses is imported from here. Behind this door are three rooms, `engine`,
`checking` and `pictures`, and the library of the course's `exercises`.
"""

from typing import TYPE_CHECKING, Any

from backprop_kit import engine
from backprop_kit.engine import (
    EngineOff,
    Layer,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Softplus,
    Tensor,
    bce,
    bce_with_logits,
    engine_off,
    freeze,
    no_grad,
    ops,
    parameters,
    unfreeze,
)

if TYPE_CHECKING:  # what __getattr__ hands out, for editors and type checkers
    from backprop_kit.checking.check import check
    from backprop_kit.checking.differences import numerical_gradient
    from backprop_kit.checking.gradcheck import gradcheck
    from backprop_kit.engine.memory import Meter, kept, resident
    from backprop_kit.exercises import datasets, small_network
    from backprop_kit.pictures.figures import figure
    from backprop_kit.pictures.picture import draw
    from backprop_kit.pictures.sliders import bce_logit, gradcheck_v, memory_frozen, relu_kink
    from backprop_kit.pictures.stepper import step

__version__ = "0.1.0"

# Loaded when first asked for: whoever only computes should not pay for them.
_LATER = {
    "Meter": "engine.memory",
    "bce_logit": "pictures.sliders",
    "check": "checking.check",
    "draw": "pictures.picture",
    "figure": "pictures.figures",
    "gradcheck": "checking.gradcheck",
    "gradcheck_v": "pictures.sliders",
    "kept": "engine.memory",
    "memory_frozen": "pictures.sliders",
    "numerical_gradient": "checking.differences",
    "relu_kink": "pictures.sliders",
    "resident": "engine.memory",
    "step": "pictures.stepper",
}
_MODULES_LATER = {
    "datasets": "exercises.datasets",
    "small_network": "exercises.small_network",
}

__all__ = [
    "EngineOff",
    "Layer",
    "Linear",
    "Meter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "Tensor",
    "bce",
    "bce_logit",
    "bce_with_logits",
    "check",
    "datasets",
    "draw",
    "engine",
    "engine_off",
    "figure",
    "freeze",
    "gradcheck",
    "gradcheck_v",
    "kept",
    "memory_frozen",
    "no_grad",
    "numerical_gradient",
    "ops",
    "parameters",
    "relu_kink",
    "resident",
    "small_network",
    "step",
    "unfreeze",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES_LATER:
        return import_module(f"backprop_kit.{_MODULES_LATER[name]}")
    if name in _LATER:
        if name in ("draw", "step"):  # whoever looks at graphs wants the values inside as well
            import_module("backprop_kit.pictures.trace").keep_notes()
        return getattr(import_module(f"backprop_kit.{_LATER[name]}"), name)
    raise AttributeError(f"module 'backprop_kit' has no attribute {name!r}")
