"""Random inputs, as the exercises of several lessons draw them."""

import numpy as np


def numbers(rng, *shape, low=0.3, high=2.5):
    """An array of numbers of either sign, none of them close to 0."""
    return rng.uniform(low, high, shape) * rng.choice([-1.0, 1.0], shape)


def sizes(rng, count, low=2, high=7):
    """`count` whole numbers from low to high, no two alike: unequal dimensions tell a transpose."""
    return [int(size) for size in rng.choice(np.arange(low, high + 1), count, replace=False)]


def until(rng, draw, good):
    """The first draw(rng) that is good(*drawn)."""
    while True:
        drawn = draw(rng)
        if good(*drawn):
            return drawn
