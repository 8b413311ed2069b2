"""The course's exercises: one module a lesson says what each of them computes, forward.

Beside them stands what several lessons share: random inputs (`drawing`), data (`datasets`), and the
`small_network` that the whole course differentiates. `load` is for `checking.exercise.find`, which
looks an exercise up by its id; nothing else of the kit imports from here.
"""

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


def load():
    """Import every lesson's module; each registers its exercises."""
    for lesson in LESSONS:
        import_module(f"{__name__}.{lesson}")
