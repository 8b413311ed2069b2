"""The course's exercises, one module a notebook; importing this package registers them all."""

from importlib import import_module

LESSONS = (
    "scalar_graphs",
    "vectorized",
    "relu_layers",
    "bias",
    "bce",
    "custom_layer",
    "memory_and_freezing",
)

for lesson in LESSONS:
    import_module(f"{__name__}.{lesson}")
