"""Two-dimensional data sets, and how to look at what a network makes of them.

Every point is drawn here, from a seed, so that everybody has the same ones. X is (N, 2), one point
a row; y is (N, 1) in {0, 1}. Half of the points are of each class.
"""

from itertools import pairwise

import numpy as np

from backprop_kit.engine.ops import bce_with_logits, linear
from backprop_kit.engine.tensor import Tensor

# ------------------------------------------------------------------------------------ the points


def moons(N=200, noise=0.12, seed=5):
    """Two half circles that reach into each other: no straight line separates them."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    angle = rng.uniform(0.0, np.pi, N)
    side = 1 - 2 * y  # 1: the upper half circle, −1: the lower one, turned round
    X = np.column_stack([side * (np.cos(angle) - 0.5), side * (np.sin(angle) - 0.25)])
    return X + noise * rng.normal(size=X.shape), y[:, None].astype(float)


def rings(N=200, noise=0.12, seed=5):
    """A disc of class 1 inside a ring of class 0: the boundary has to close."""
    rng = np.random.default_rng(seed)
    y = np.arange(N) % 2
    angle = rng.uniform(0.0, 2 * np.pi, N)
    radius = np.where(y == 1, 0.5 * np.sqrt(rng.uniform(size=N)), 1.2)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return X + noise * rng.normal(size=X.shape), y[:, None].astype(float)


def initial_params(widths, seed=5):
    """A list of (W, b) for layers of these widths, W drawn at random (variance 2/n), b = 0."""
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(m, n)) * np.sqrt(2.0 / n), np.zeros(m)) for n, m in pairwise(widths)]


# ------------------------------------------------------------------------------------ the network


def logits_of(params, X):
    """What a ReLU network with these (W, b) says of the points X: logits, as an array (N, 1)."""
    return _forward([(Tensor(W), Tensor(b)) for W, b in params], X).data


def train_by_engine(params, X, y, lr, steps):
    """(params, losses) of gradient descent by `Tensor.backward()`, as exercise `train` has it."""
    tensors = [(Tensor(W, True), Tensor(b, True)) for W, b in params]
    losses = []
    for step in range(steps + 1):
        loss = bce_with_logits(y, _forward(tensors, X))
        losses.append(loss.item())
        if step < steps:
            loss.backward()
            for layer in tensors:
                for p in layer:
                    p.data, p.grad = p.data - lr * p.grad, None
    return [(W.data, b.data) for W, b in tensors], losses


def trained(train, widths, X, y, lr, steps):
    """A network of these widths, trained: (params, losses), and a printed line on how it went.

    By `train`, the answer to the exercise of that name; by the engine until that works.
    """
    start = initial_params(widths)
    who = "your train"
    try:
        params, losses = train(initial_params(widths), X, y, lr, steps)
        if not _is_trained(params, losses, start, steps):
            who = "the kit's engine: your train returns something else"
    except NotImplementedError:
        who = "the kit's engine, until you have written exercise 8"
    except Exception as error:
        who = f"the kit's engine: your train raises {type(error).__name__}"
    if who != "your train":
        params, losses = train_by_engine(start, X, y, lr, steps)
    right = accuracy(logits_of(params, X), y)
    print(f"widths {widths}: loss {losses[0]:.3f} → {losses[-1]:.3f}, {right:.1%} right   ({who})")
    return params, losses


def _is_trained(params, losses, start, steps):
    """Whether these are parameters of the right shapes, and a loss for each step and one more."""
    try:
        shapes = [(W.shape, b.shape) for W, b in params]
        numbers = np.asarray(losses, float)
    except (TypeError, ValueError, AttributeError):
        return False
    return shapes == [(W.shape, b.shape) for W, b in start] and numbers.shape == (steps + 1,)


def accuracy(logits, y):
    """The share of examples whose predicted class is right."""
    return float(np.mean((logits > 0) == (y > 0.5)))


def _forward(layers, X):
    values = Tensor(X)
    for k, (W, b) in enumerate(layers):
        values = linear(values.relu() if k else values, W, b)
    return values


# ------------------------------------------------------------------------------------ the picture


def show_points(ax, X, y):
    """Class 0 as hollow circles, class 1 as filled triangles: to be told apart in grey."""
    zeros, ones = X[y[:, 0] == 0], X[y[:, 0] == 1]
    ax.plot(*zeros.T, "o", color="#2b7bba", fillstyle="none", markersize=5, label="class 0")
    ax.plot(*ones.T, "^", color="#d9601a", markersize=5, label="class 1")
    ax.set(xlabel="$x_0$", ylabel="$x_1$", aspect="equal")
    ax.legend(loc="upper right")


def show_boundary(ax, params, X, points=120):
    """The line where a network's logit is 0, and the side where it predicts class 1, in grey.

    X: the points whose surroundings are drawn.
    """
    low, high = X.min(axis=0) - 0.3, X.max(axis=0) + 0.3
    across, up = np.linspace(low[0], high[0], points), np.linspace(low[1], high[1], points)
    grid = np.stack(np.meshgrid(across, up), axis=-1)
    values = logits_of(params, grid.reshape(-1, 2)).reshape(points, points)
    top = max(1.0, values.max())  # this way round, for values that are nan
    ax.contourf(across, up, values, levels=[0.0, top], colors=["#8c8c8c"], alpha=0.25)
    ax.contour(across, up, values, levels=[0.0], colors=["#8c8c8c"], linewidths=2)
