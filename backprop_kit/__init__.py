"""backprop_kit: a small reference autograd engine in NumPy, and the checks of the course."""

from backprop_kit import ops  # noqa: F401  (gives Tensor its operators)
from backprop_kit.gradcheck import gradcheck, numerical_gradient
from backprop_kit.layers import (
    Layer,
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Softplus,
    bce,
    bce_with_logits,
    freeze,
    parameters,
    unfreeze,
)
from backprop_kit.tensor import EngineOff, Tensor, engine_off, no_grad

__version__ = "0.1.0"

# Loaded when first asked for: whoever only computes should not pay for them.
_LATER = {
    "Meter": "memory",
    "check": "checks",
    "draw": "picture",
    "figure": "figures",
    "kept": "memory",
    "step": "stepper",
}

__all__ = [
    "EngineOff",
    "Layer",
    "Linear",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "Tensor",
    "bce",
    "bce_with_logits",
    "engine_off",
    "freeze",
    "gradcheck",
    "no_grad",
    "numerical_gradient",
    "parameters",
    "unfreeze",
    *_LATER,
]


def __getattr__(name):
    if name in _LATER:
        from importlib import import_module

        if name in ("draw", "step"):  # whoever looks at graphs wants the values inside as well
            import_module("backprop_kit.trace").keep_notes()
        return getattr(import_module(f"backprop_kit.{_LATER[name]}"), name)
    raise AttributeError(f"module 'backprop_kit' has no attribute {name!r}")
