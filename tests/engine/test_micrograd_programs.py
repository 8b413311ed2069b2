"""Programs in the style of micrograd: Python scalars, `Value(x)`, and nothing else.

`Value` is all a program written for micrograd needs replaced. The expected numbers are worked out
by hand, or by finite differences of the same program on plain floats.
"""

import random

import numpy as np
import pytest

from backprop_kit import Tensor


def Value(x):
    return Tensor(x, requires_grad=True)


def neuron_like(a, b, relu):
    """Every operation micrograd has, several of them twice, with numbers on both sides."""
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + relu(b + a)
    d = d + 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    return g + 10.0 / f


def test_a_long_expression_with_reused_names():
    a, b = Value(-4.0), Value(2.0)
    g = neuron_like(a, b, lambda v: v.relu())
    g.backward()

    def plain(a, b):
        return neuron_like(a, b, lambda v: max(v, 0.0))

    h = 1e-6
    np.testing.assert_allclose(g.data, plain(-4.0, 2.0), rtol=1e-14)
    np.testing.assert_allclose(
        a.grad, (plain(-4.0 + h, 2.0) - plain(-4.0 - h, 2.0)) / (2 * h), rtol=1e-7
    )
    np.testing.assert_allclose(
        b.grad, (plain(-4.0, 2.0 + h) - plain(-4.0, 2.0 - h)) / (2 * h), rtol=1e-7
    )


def test_a_small_expression_worked_out_by_hand():
    x = Value(-3.0)
    z = 2 * x + 1 - x  # x + 1 = −2
    q = z.relu() + z * x  # 0 + 6
    y = q + q * x  # 6 − 18 = −12
    y.backward()
    # dz = 1, dq = x·1 + z = −5, dy = dq (1 + x) + q = 10 + 6
    assert y.data == -12
    assert x.grad == 16


def test_relu_lets_the_signal_through_only_where_it_is_on():
    for value, slope in ((3.0, 6.0), (-3.0, 0.0), (0.0, 0.0)):
        x = Value(value)
        (x.relu() * x.relu()).backward()
        assert x.grad == slope


@pytest.mark.parametrize("n", [1, 2, 3, 0.5, -1, -0.5, 0])
def test_powers_by_plain_numbers(n):
    x = Value(4.0)
    (x**n).backward()
    np.testing.assert_allclose(x.grad, n * 4.0 ** (n - 1))


def test_division_subtraction_and_their_mirror_images():
    x = Value(4.0)
    (8 / x + x / 8 + (8 - x) + (x - 8) + -x).backward()
    np.testing.assert_allclose(x.grad, -8 / 16 + 1 / 8 - 1 + 1 - 1)


class Neuron:
    """A neuron of scalars, for a network trained by the engine alone."""

    def __init__(self, n, rng, on):
        self.w = [Value(rng.uniform(-1, 1)) for _ in range(n)]
        self.b = Value(0.0)
        self.on = on

    def __call__(self, x):
        v = sum((w * entry for w, entry in zip(self.w, x, strict=True)), self.b)
        return v.relu() if self.on else v


def test_a_network_of_scalars_learns_and_agrees_with_differences():
    rng = random.Random(3)
    hidden, last = [Neuron(2, rng, True) for _ in range(6)], Neuron(6, rng, False)
    parameters = [p for n in [*hidden, last] for p in [*n.w, n.b]]
    points = [((rng.uniform(-1, 1), rng.uniform(-1, 1)), rng.choice([-1.0, 1.0])) for _ in range(8)]

    def loss():
        scores = [last([n(x) for n in hidden]) for x, _ in points]
        margins = [(1 + -y * s).relu() for s, (_, y) in zip(scores, points, strict=True)]
        return sum(margins) * (1.0 / len(margins)) + 1e-4 * sum(p * p for p in parameters)

    first = loss()
    first.backward()
    for p in parameters[:4]:
        h, value = 1e-6, p.data
        p.data = value + h
        above = loss().data
        p.data = value - h
        below = loss().data
        p.data = value
        np.testing.assert_allclose(p.grad, (above - below) / (2 * h), rtol=1e-6, atol=1e-8)
    for _ in range(60):
        for p in parameters:
            p.grad = 0
        value = loss()
        value.backward()
        for p in parameters:
            p.data -= 0.1 * p.grad
    assert value.data < 0.75 * first.data
