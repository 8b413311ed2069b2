"""The course's exercises: one module a lesson says what each of them computes, forward.

Importing this package registers them all. Beside them stands what several lessons share: random
inputs (`drawing`), data (`datasets`), and the `small_network` that the whole course differentiates.
Of the rest of the kit, only `checking.exercise.find` comes here, which looks an exercise up by its
id.
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

for lesson in LESSONS:  # whichever is asked for first, they are registered in the course's order
    import_module(f"{__name__}.{lesson}")
