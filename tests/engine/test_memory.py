"""What is kept for backward: as the graph says, and as the memory of the process shows."""

import subprocess
import sys
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from backprop_kit import Tensor, no_grad, ops
from backprop_kit.engine.layers import Linear, ReLU, Sequential, Sigmoid, Wired, bce_with_logits
from backprop_kit.engine.memory import Kept, Meter, kept, resident

N = 64


def network(widths, seed=0):
    rng = np.random.default_rng(seed)
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [Linear(n_in, n_out, rng=rng), ReLU()]
    return Sequential(*layers[:-1])


def activations(widths, trainable_from=0):
    """The course's bill: float64 inputs of trainable linear layers, one byte a ReLU unit."""
    layers = range(trainable_from, len(widths) - 1)
    inputs = sum(8 * N * widths[k] for k in layers)
    masks = sum(N * widths[k + 1] for k in layers if k < len(widths) - 2)
    return inputs + masks


def names(tensor):
    return [(e.op, e.name) for e in kept(tensor)]


@pytest.mark.parametrize("trainable_from", [0, 1, 2, 3])
def test_a_relu_network_keeps_what_the_course_says(trainable_from):
    widths = [5, 16, 7, 9, 1]
    net = network(widths)
    net[: 2 * trainable_from].freeze()
    out = net(np.random.default_rng(1).normal(size=(N, 5)))
    assert kept(out).total == activations(widths, trainable_from)


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: x + 1.0, []),
        (lambda x: -x, []),
        (lambda x: x.sum(), []),
        (lambda x: x.T, []),
        (lambda x: x.relu(), [("relu", "mask")]),
        (lambda x: x.sigmoid(), [("sigmoid", "y")]),
        (lambda x: x.tanh(), [("tanh", "y")]),
        (lambda x: x.exp(), [("exp", "y")]),
        (lambda x: x.log(), [("log", "a")]),
        (lambda x: x * np.ones((4, 4)), [("mul", "b")]),  # not x: the constant needs no gradient
    ],
)
def test_what_each_primitive_keeps(f, expected):
    x = Tensor(np.full((4, 4), 0.5), requires_grad=True)
    assert names(f(x + 0.0)) == expected


def test_products_keep_the_other_factor():
    a, b = (Tensor(np.ones((4, 4)), requires_grad=True) for _ in range(2))
    product = (a + 0.0) * (b + 0.0)
    assert {name for _, name in names(product)} == {"a", "b"}
    assert kept(product).total == 2 * 16 * 8
    assert kept(a * b).total == 0  # the leaves' own data would be there anyway
    assert [e.leaf for e in kept(a * b)] == [True, True]


def test_one_piece_of_memory_is_listed_once():
    x = Tensor(np.ones((4, 4)), requires_grad=True)
    h = x + 0.0
    twice = h * h + h.exp() + h.T * h  # h, and the output of exp
    assert kept(twice).total == (16 + 16) * 8


def test_frozen_constant_and_unrecorded_computations_keep_nothing():
    x = Tensor(np.ones((4, 4)))
    assert kept(x.exp() * x) == []
    with no_grad():
        assert kept(Tensor(np.ones(4), requires_grad=True).exp()) == []
    assert str(kept(x)) == "nothing is kept for backward"


def test_backward_empties_the_bill():
    X, y = np.ones((N, 5)), np.ones((N, 1))
    loss = bce_with_logits(y, network([5, 8, 1])(X))
    assert kept(loss).total > 0
    loss.backward(keep_graph=True)
    assert kept(loss).total > 0
    loss.backward()
    assert kept(loss) == []


def test_a_layer_of_one_s_own_is_on_the_bill_by_its_attributes():
    class Cube:
        def forward(self, x):
            self.square = x**2
            self.cache = {"inside a dict": 1}
            return self.square * x

        def backward(self, grad):
            return grad * 3 * self.square

    x = Tensor(np.ones((4, 4)), requires_grad=True)
    (entry,) = kept(Wired(Cube())(x))
    assert (entry.op, entry.name, entry.bytes) == ("Cube", "square", 128)


def test_the_table():
    net = Sequential(Linear(5, 8), Sigmoid(), Linear(8, 1))
    table = kept(net(np.ones((N, 5))))
    assert isinstance(table, Kept)
    # σ's output is the next layer's input: one array, listed at its first user
    assert table.by_op() == {"linear": 8 * N * 5, "sigmoid": 8 * N * 8}
    text = str(table)
    assert "sigmoid" in text
    assert f"{table.total:,}" in text
    assert "costs nothing more" in text
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.fixture
def tracing():
    """tracemalloc runs from the start, so that it also sees old memory being given back."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_the_bill_agrees_with_what_is_really_allocated(tracing):
    rng = np.random.default_rng(0)
    net = network([50, 400, 300, 200, 1])
    X, y = rng.normal(size=(500, 50)), np.ones((500, 1))
    bce_with_logits(y, net(X)).backward()
    net.zero_grad()
    with Meter() as forward:
        loss = bce_with_logits(y, net(X))
    bill = kept(loss).total - X.nbytes  # X was there before
    assert 0 <= forward.left - bill < 60_000
    assert forward.peak < bill + 3 * 8 * 500 * 400
    with Meter() as backward:
        loss.backward()
    gradients = sum(p.data.nbytes for p in net.parameters())
    assert abs(backward.left - (gradients - bill)) < 60_000


def test_activations_are_released_while_backward_goes(tracing):
    """The peak of backward must stay below all activations plus all gradients."""
    width, depth, batch = 200, 10, 2000
    net = network([width] * depth + [1])
    X = np.random.default_rng(0).normal(size=(batch, width))
    loss = bce_with_logits(np.ones((batch, 1)), net(X))
    with Meter() as meter:
        loss.backward()
    one = 8 * batch * width
    assert meter.peak < 3.5 * one + sum(p.data.nbytes for p in net.parameters())


def test_the_lower_frozen_half_saves_its_activations():
    width, batch = 200, 1000
    net = network([width] * 8 + [1])
    X = np.random.default_rng(0).normal(size=(batch, width))

    def left():
        with Meter() as meter:
            loss = net(X).sum()
        assert loss.requires_grad
        return meter.left

    everything = left()
    net[:8].freeze()
    assert left() < 0.57 * everything


def test_the_meter_sees_the_process():
    if resident() is None:
        pytest.skip("the system does not tell a process's resident memory (/proc is missing)")
    # In a process of its own: this one may have memory to spare, which would not show as a peak.
    measure = """
import numpy as np
from backprop_kit import Meter

with Meter() as meter:
    block = np.ones(4_000_000)
print(block.nbytes, meter.left, meter.process_peak)
"""
    run = subprocess.run(
        [sys.executable, "-c", measure], capture_output=True, text=True, check=True
    )
    size, left, peak = run.stdout.split()
    assert int(size) <= int(left) < int(size) + 10_000
    if peak != "None":
        assert 0.8 * int(size) < int(peak) < 1.5 * int(size)


def test_the_meter_leaves_tracemalloc_as_it_was():
    with Meter() as outer:
        pass
    assert not tracemalloc.is_tracing()
    assert outer.left < 1000
    tracemalloc.start()
    try:
        with Meter():
            pass
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_views_count_with_what_they_keep_alive():
    x = Tensor(np.ones((100, 4)), requires_grad=True)
    h = x + 0.0
    row = h[0]
    assert kept(row * row).total == 100 * 4 * 8
    assert kept(ops.exp(row)).total == 4 * 8
