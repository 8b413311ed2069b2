"""The yardstick: each workload's forward and backward pass as one would write them by hand.

Scalars are plain Python floats and math.exp, which is faster than NumPy's scalars and so the
stricter yardstick. Every workload is a function of nothing that returns all the gradients.
"""

import math
from itertools import pairwise

import numpy as np


def xyz():
    """f = (x + y) z"""
    x, y, z = -2.0, 5.0, -4.0

    def step():
        q = x + y
        f = q * z
        dq, dz = z, q
        return f, dq, dq, dz

    return step


def neuron():
    """f = 1/(1 + exp(−(w0 x0 + w1 x1 + w2))), gate by gate"""
    w0, x0, w1, x1, w2 = 2.0, -1.0, -3.0, -2.0, -3.0

    def step():
        e = math.exp(-(w0 * x0 + w1 * x1 + w2))
        q = 1.0 + e
        f = 1.0 / q
        dq = -1.0 / (q * q)
        dv = -dq * e
        return f, dv * x0, dv * w0, dv * x1, dv * w1, dv

    return step


def chain(n):
    """n nodes in a row, alternately + 0.5 and × 1.000001"""

    def step():
        y = 1.0
        for i in range(n):
            y = y * 1.000001 if i & 1 else y + 0.5
        g = 1.0
        for i in range(n - 1, -1, -1):
            g = g * 1.000001 if i & 1 else g
        return y, g

    return step


def norm_arrays(m, n):
    rng = np.random.default_rng(0)
    return rng.normal(size=(m, n)), rng.normal(size=(n, 1))


def norm_sq(m, n):
    """f = ‖W x‖²"""
    W, x = norm_arrays(m, n)

    def step():
        a = W @ x
        f = np.sum(a * a)
        da = 2.0 * a
        return f, da @ x.T, W.T @ da

    return step


def mlp_arrays(depth, width, batch):
    """X, y and [(W, b)] of a ReLU network with `depth` linear layers and one logit."""
    rng = np.random.default_rng(0)
    n_in = 2 if width < 1000 else width
    widths = [n_in, *[width] * (depth - 1), 1]
    X = rng.normal(size=(batch, n_in))
    y = rng.integers(0, 2, size=(batch, 1)).astype(float)
    params = [
        (rng.normal(size=(m, n)) * np.sqrt(2.0 / n), np.zeros(m)) for n, m in pairwise(widths)
    ]
    return X, y, params


def mlp(depth, width, batch, frozen=0):
    """Binary cross-entropy of a ReLU network; the lowest `frozen` layers get no gradients."""
    X, y, params = mlp_arrays(depth, width, batch)

    def step():
        hs, vs = [X], []
        for W, b in params[:-1]:
            vs.append(hs[-1] @ W.T + b)
            hs.append(np.maximum(vs[-1], 0.0))
        W, b = params[-1]
        v = hs[-1] @ W.T + b
        loss = np.mean(np.maximum(v, 0.0) - y * v + np.log1p(np.exp(-np.abs(v))))
        delta = (1.0 / (1.0 + np.exp(-v)) - y) / batch
        grads = []
        for k in range(depth - 1, frozen - 1, -1):
            grads.append((delta.T @ hs[k], delta.sum(axis=0)))
            if k > frozen:
                delta = (delta @ params[k][0]) * (vs[k - 1] > 0)
        return loss, grads

    return step
