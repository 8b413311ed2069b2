"""The course's exercises, one module a notebook; importing this package registers them all."""

from backprop_kit.exercises import scalar_graphs  # noqa: F401
