"""The graphs of the course, each as a function that computes it and returns its result Tensor.

The gallery draws them, and the tests ask of each that no line runs through a node.
"""

import numpy as np

from backprop_kit import Tensor
from backprop_kit.engine.layers import Linear, ReLU, Sequential, Sigmoid, bce, bce_with_logits
from backprop_kit.engine.ops import linear

GRAPHS = {}  # title: (function, settings of draw)


def graph(title, **settings):
    def keep(function):
        GRAPHS[title] = function, settings
        return function

    return keep


def leaf(name, value):
    made = Tensor(value, requires_grad=True)
    made.name = name
    return made


def constant(name, value):
    made = Tensor(value)
    made.name = name
    return made


@graph("(x + y) z, before backward")
def product_before():
    x, y, z = leaf("x", -2.0), leaf("y", 5.0), leaf("z", -4.0)
    q = x + y
    q.name = "q"
    return q * z


@graph("(x + y) z")
def product():
    f = product_before()
    f.name = "f"
    f.backward()
    return f


def neuron_inputs():
    return [
        leaf(name, value)
        for name, value in zip(("w0", "x0", "w1", "x1", "w2"), (2.0, -1, -3, -2, -3), strict=True)
    ]


@graph("The sigmoid neuron, gate by gate")
def neuron():
    w0, x0, w1, x1, w2 = neuron_inputs()
    s = w0 * x0 + w1 * x1 + w2
    s.name = "s"
    f = 1.0 / (1.0 + (-s).exp())
    f.name = "f"
    f.backward()
    return f


@graph("The sigmoid as one gate")
def neuron_with_one_gate():
    w0, x0, w1, x1, w2 = neuron_inputs()
    f = (w0 * x0 + w1 * x1 + w2).sigmoid()
    f.backward()
    return f


@graph("The exponential model")
def exponential_model():
    w, b = leaf("w", 0.5), leaf("b", -0.25)
    x, target = constant("x", 1.5), constant("y*", 2.0)
    u = w * x
    u.name = "u"
    v = u + b
    v.name = "v"
    y = v.exp()
    y.name = "y"
    loss = (y - target) ** 2
    loss.name = "ℓ"
    loss.backward()
    return loss


@graph("xy + x²: one value, used three times")
def fan_out():
    x, y = leaf("x", 3.0), leaf("y", -4.0)
    f = x * y + x * x
    f.name = "f"
    f.backward()
    return f


@graph("‖Wx‖²")
def norm_squared():
    W = leaf("W", [[0.5, -0.03, 0.1], [1.0, 2.0, 1.0533333333333335]])
    x = leaf("x", [[1.0], [2.0], [3.0]])
    a = W @ x
    a.name = "a"
    f = (a**2).sum()
    f.name = "f"
    f.backward()
    return f


@graph("Two ReLU layers")
def two_relu_layers():
    rng = np.random.default_rng(1)
    W1, W2 = leaf("W₁", rng.normal(size=(3, 2))), leaf("W₂", rng.normal(size=(2, 3)))
    x = leaf("x", [[1.0], [-2.0]])
    h1 = (W1 @ x).relu()
    h1.name = "h₁"
    h2 = (W2 @ h1).relu()
    h2.name = "h₂"
    h2.backward(np.array([[1.0], [-0.5]]))
    return h2


@graph("Affine with bias: the bias is broadcast")
def affine():
    rng = np.random.default_rng(2)
    X = constant("X", rng.normal(size=(5, 3)))
    W, b = leaf("W", rng.normal(size=(2, 3))), leaf("b", [0.5, -0.5])
    Y = X @ W.T + b
    Y.name = "Y"
    Y.backward(rng.normal(size=(5, 2)))
    return Y


@graph("A neuron with BCE")
def bce_neuron():
    rng = np.random.default_rng(3)
    X, y = constant("X", rng.normal(size=(6, 2))), constant("y", rng.integers(0, 2, (6, 1)))
    W, b = leaf("W", [[0.5, -1.0]]), leaf("b", [0.1])
    v = linear(X, W, b)
    v.name = "v"
    y_hat = v.sigmoid()
    y_hat.name = "ŷ"
    loss = bce(y, y_hat)
    loss.name = "L"
    loss.backward()
    return loss


def network():
    rng = np.random.default_rng(4)
    X, y = constant("X", rng.normal(size=(32, 2))), constant("y", rng.integers(0, 2, (32, 1)))
    stages = []
    for n, m in ((2, 8), (8, 8), (8, 4)):
        stages += [Linear(n, m, rng=rng), ReLU()]
    loss = bce_with_logits(y, Sequential(*stages, Linear(4, 1, rng=rng))(X))
    loss.name = "L"
    loss.backward()
    return loss


@graph("A network of four layers, folded", fold=True)
def network_folded():
    return network()


@graph("A network of four layers, unfolded")
def network_unfolded():
    return network()


class Wacky:
    """y[:, i] = sin(v[:, i]) · v[:, (i+1) % m] with v = X Wᵀ, out of primitives."""

    @staticmethod
    def forward(X, W):
        v = linear(X, W)
        v.name = "v"
        m = len(W)
        return v.sin() * v[:, [(i + 1) % m for i in range(m)]]


@graph("The wacky layer: v is used twice")
def wacky():
    rng = np.random.default_rng(5)
    X, W = leaf("X", rng.normal(size=(2, 3))), leaf("W", rng.normal(size=(3, 3)))
    y = Wacky.forward(X, W)
    y.name = "y"
    y.backward(rng.normal(size=(2, 3)))
    return y


@graph("x · detach(x²)")
def detached():
    x = leaf("x", 3.0)
    c = (x * x).detach()
    c.name = "detached"
    f = x * c
    f.name = "f"
    f.backward()
    return f


@graph("A layer of one's own in a network", fold=True)
def own_layer():
    class Scale:
        def __init__(self):
            self.params, self.grads = {"a": np.array([2.0, -1.0])}, {}

        def forward(self, x):
            self.x = x
            return x * self.params["a"]

        def backward(self, grad):
            self.grads["a"] = (grad * self.x).sum(axis=0)
            return grad * self.params["a"]

    rng = np.random.default_rng(6)
    X = leaf("X", rng.normal(size=(4, 3)))
    out = Sequential(Linear(3, 2, rng=rng), Scale(), Sigmoid())(X).sum()
    out.backward()
    return out


@graph("Names from elsewhere")
def hostile():
    a = leaf("<script>alert('x')</script>", 1.0)
    b = leaf("a very long name that never seems to come to an end, not even here", 2.0)
    c = leaf("משקל", 3.0)
    d = leaf("وزن\u202e", 4.0)
    f = a * b + c * d
    f.name = '"&amp;" ]]>'
    f.backward()
    return f


def chain(n):
    """A graph of about n nodes with forks, to measure with."""
    x = h = leaf("x", 0.5)
    for k in range(n // 2):
        h = (h * x).sin() if k % 3 else h * 1.01 + x
    return h
