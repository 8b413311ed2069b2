"""The engine: compute with Tensors, and differentiate. It needs NumPy and nothing else.

`tensor` holds a value and the record of how it was made, `ops` every primitive with its derivatives
beside it, `layers` what networks are built from, and `memory` what backward makes one keep.
"""

from . import ops  # first: it gives Tensor its operators
from .layers import (
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
from .tensor import EngineOff, Tensor, backward, engine_off, no_grad

__all__ = [
    "EngineOff",
    "Layer",
    "Linear",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softplus",
    "Tensor",
    "backward",
    "bce",
    "bce_with_logits",
    "engine_off",
    "freeze",
    "no_grad",
    "ops",
    "parameters",
    "unfreeze",
]
