"""The table of primitives: each one's value and, beside it, how the signal goes back.

A primitive takes arrays (np.float64 for scalars) and returns its value and one *vjp* for each
argument: the function from the upstream signal g = ∂L/∂value to ∂L/∂argument. The docstring is
the mathematics. What a vjp mentions stays in memory until backward has passed it, so the letters
after `lambda g:` are also the memory bill; where the output y serves, it is taken.

`@unary`, `@binary` (which adds broadcasting) and `@nary` turn each into an operation that takes
Tensors, arrays and numbers, and returns a Tensor. The bare primitive remains as its `.primitive`.
"""

from functools import partial

import numpy as np

from .tensor import Tensor, binary, nary, unary, unbroadcast

same = lambda g: g
negated = lambda g: -g

# --------------------------------------------------------------------------------- arithmetic


@binary
def add(a, b):
    """a + b        ∂/∂a = 1        ∂/∂b = 1        (the signal is distributed)"""
    return a + b, same, same


@binary
def sub(a, b):
    """a − b        ∂/∂a = 1        ∂/∂b = −1"""
    return a - b, same, negated


@binary
def mul(a, b):
    """a · b        ∂/∂a = b        ∂/∂b = a        (the factors swap)"""
    return a * b, lambda g: g * b, lambda g: g * a


@binary
def div(a, b):
    """a / b        ∂/∂a = 1/b      ∂/∂b = −a/b²"""
    return a / b, lambda g: g / b, lambda g: -g * a / (b * b)


@unary
def neg(a):
    """−a           ∂/∂a = −1"""
    return -a, negated


@unary
def reciprocal(a):
    """1/a          ∂/∂a = −1/a² = −y²"""
    y = 1.0 / a
    return y, lambda g: -g * (y * y)


@unary
def pow(a, n):
    """aⁿ, n a plain number         ∂/∂a = n aⁿ⁻¹"""
    if n == 0:
        return a**0, lambda g: g * 0.0
    if n == 2:
        return a * a, lambda g: g * (2.0 * a)
    if n == 3:  # as two products a hundred times faster
        return a * a * a, lambda g: g * (3.0 * (a * a))
    return a**n, lambda g: g * (n * a ** (n - 1))


@binary
def power(a, b):
    """aᵇ           ∂/∂a = b aᵇ⁻¹   ∂/∂b = aᵇ log a"""
    y = a**b

    def vjp_a(g):
        return g * np.where(b == 0.0, 0.0, b * a ** np.where(b == 0.0, 1.0, b - 1.0))

    def vjp_b(g):
        return g * (y * np.log(np.where(a == 0.0, 1.0, a)))  # 0ᵇ is 0 for every b > 0

    return y, vjp_a, vjp_b


@unary
def sqrt(a):
    """√a           ∂/∂a = 1/(2√a) = 1/(2y)"""
    y = np.sqrt(a)
    return y, lambda g: g / (2.0 * y)


# ------------------------------------------------------------------------- functions of one entry


@unary
def exp(a):
    """eᵃ           ∂/∂a = eᵃ = y"""
    y = np.exp(a)
    return y, lambda g: g * y


@unary
def log(a):
    """log a        ∂/∂a = 1/a      (the natural logarithm)"""
    return np.log(a), lambda g: g / a


@unary
def sin(a):
    """sin a        ∂/∂a = cos a"""
    return np.sin(a), lambda g: g * np.cos(a)


@unary
def cos(a):
    """cos a        ∂/∂a = −sin a"""
    return np.cos(a), lambda g: -g * np.sin(a)


@unary
def tanh(a):
    """tanh a       ∂/∂a = 1 − tanh² a = 1 − y²"""
    y = np.tanh(a)
    return y, lambda g: g * (1.0 - y * y)


@unary
def sigmoid(a):
    """σ(a) = 1/(1+e⁻ᵃ)     ∂/∂a = y(1 − y)"""
    y = logistic(a)
    return y, lambda g: g * (y * (1.0 - y))


@unary
def softplus(a):
    """log(1+eᵃ)            ∂/∂a = σ(a)"""
    y = np.maximum(a, 0.0) + np.log1p(np.exp(-np.absolute(a)))  # the same, without overflow
    return y, lambda g: g * logistic(a)


@unary
def relu(a):
    """max(a, 0)    ∂/∂a = 1 where a > 0, else 0    (kept: one byte a unit)"""
    mask = a > 0.0
    return np.maximum(a, 0.0), lambda g: g * mask


@unary
def abs(a):
    """|a|          ∂/∂a = sign a, 0 at 0"""
    return np.absolute(a), lambda g: g * np.sign(a)


@binary
def maximum(a, b):
    """max(a, b)    the signal is routed to the larger one; equal ones share it"""
    to_a = (a > b) + 0.5 * (a == b)
    return np.maximum(a, b), lambda g: g * to_a, lambda g: g * (1.0 - to_a)


def logistic(a):
    """σ(a) as eᵃ/(1+eᵃ) for a < 0 and 1/(1+e⁻ᵃ) for a ≥ 0: neither overflows."""
    return np.exp(np.minimum(a, 0.0)) / (1.0 + np.exp(-np.absolute(a)))


# --------------------------------------------------------------------------------- reductions


@unary
def sum(a, axis=None, keepdims=False):
    """Σ a over axis        ∂/∂a = 1: each term gets the signal of its sum"""
    shape = a.shape
    y = np.add.reduce(a, axis=axis, keepdims=keepdims)
    return y, lambda g: spread(g, shape, axis, keepdims)


@unary
def mean(a, axis=None, keepdims=False):
    """(1/n) Σ a over axis  ∂/∂a = 1/n"""
    shape = a.shape
    y = np.add.reduce(a, axis=axis, keepdims=keepdims)
    n = a.size // y.size if y.size else 1
    return y / n, lambda g: spread(g / n, shape, axis, keepdims)


@unary
def max(a, axis=None, keepdims=False):
    """max a over axis      the signal is routed to the largest entry; equal ones share it"""
    shape = a.shape
    y = np.maximum.reduce(a, axis=axis, keepdims=keepdims)
    mask = a == spread(y, shape, axis, keepdims)

    def vjp(g):
        winners = np.add.reduce(mask, axis=axis, keepdims=keepdims)
        return spread(g / winners, shape, axis, keepdims) * mask

    return y, vjp


def spread(g, shape, axis, keepdims):
    """A new array of `shape` that repeats g along the axes that were reduced."""
    if axis is not None and not keepdims and shape:
        g = np.expand_dims(g, axis)
    out = np.empty(shape)
    out[...] = g
    return scalar(out)


# -------------------------------------------------------------------------------------- shape


@unary
def reshape(a, *shape):
    """The same entries in another shape        the signal takes the old shape"""
    before = a.shape
    new = shape[0] if len(shape) == 1 else shape
    return scalar(np.reshape(a, new)), lambda g: scalar(np.reshape(g, before))


@unary
def transpose(a, *axes):
    """The axes in another order (reversed, if none are given)      the signal's go back"""
    if axes and not isinstance(axes[0], int):
        (axes,) = axes
    if not axes:
        return a.T, lambda g: g.T
    back = np.argsort([axis % a.ndim for axis in axes])
    return a.transpose(axes), lambda g: g.transpose(back)


@unary
def getitem(a, index):
    """a[index]     the signal goes to where the entry came from, as often as it was taken"""
    shape = a.shape
    parts = index if isinstance(index, tuple) else (index,)
    if all(p is None or p is Ellipsis or isinstance(p, (int, slice)) for p in parts):

        def vjp(g):
            whole = np.zeros(shape)
            whole[index] = g
            return whole

    else:  # lists and arrays of indices may take an entry more than once
        taken = tuple(p.copy() if isinstance(p, (list, np.ndarray)) else p for p in parts)

        def vjp(g):
            whole = np.zeros(shape)
            np.add.at(whole, taken, g)
            return whole

    return scalar(a[index]), vjp


def scalar(a):
    """np.float64 instead of a 0-d array."""
    return a if a.ndim else a[()]


# ----------------------------------------------------------------------------------- products


@partial(binary, elementwise=False)
def matmul(a, b):
    """A B          ∂L/∂A = G Bᵀ    ∂L/∂B = Aᵀ G    (the shapes allow nothing else)"""
    y = a @ b
    if a.ndim == b.ndim == 2:
        return y, lambda g: g @ b.T, lambda g: a.T @ g
    if a.ndim == b.ndim == 1:
        return y, lambda g: g * b, lambda g: g * a
    # Otherwise a vector takes part as one row (on the left) or one column (on the right), and
    # the axes in front of the last two are a batch, which broadcasts.
    left, right = a if a.ndim > 1 else a[None, :], b if b.ndim > 1 else b[:, None]
    shape_a, shape_b, shape_y = a.shape, b.shape, y.shape
    if a.ndim == 1:
        shape_y = (*shape_y[:-1], 1, shape_y[-1])
    elif b.ndim == 1:
        shape_y = (*shape_y, 1)

    def vjp_a(g):
        per_example = g.reshape(shape_y) @ np.swapaxes(right, -1, -2)
        return unbroadcast(per_example, left.shape).reshape(shape_a)

    def vjp_b(g):
        per_example = np.swapaxes(left, -1, -2) @ g.reshape(shape_y)
        return unbroadcast(per_example, right.shape).reshape(shape_b)

    return y, vjp_a, vjp_b


@nary
def linear(x, W, b=None):
    """X Wᵀ + b     ∂L/∂X = G W     ∂L/∂W = Gᵀ X    ∂L/∂b = Σ over the rows of G"""
    if x.ndim == 0 or W.ndim != 2:
        raise ValueError
    y = x.dot(W.T)  # x @ W.T; where the right factor is a matrix they are one, and dot is quicker
    if b is not None:
        if b.ndim != 1 or len(b) != len(W):
            raise ValueError
        y += b
    if x.ndim == 2:
        return y, lambda g: g.dot(W), lambda g: g.T.dot(x), lambda g: np.add.reduce(g, axis=0)
    return y, lambda g: g @ W, lambda g: rows(g).T @ rows(x), lambda g: np.add.reduce(rows(g))


def rows(a):
    """One example, or a batch with any number of axes, as a matrix with one example a row."""
    return a.reshape(-1, a.shape[-1])


# ------------------------------------------------------------------------------------- losses


@nary
def bce(y, y_hat):
    """mean of −y log ŷ − (1−y) log(1−ŷ)        ∂/∂ŷ = ((1−y)/(1−ŷ) − y/ŷ)/N

    ∂/∂y = (log(1−ŷ) − log ŷ)/N
    """
    n = common_size(y, y_hat)
    log_p, log_q = np.log(y_hat), np.log1p(-y_hat)
    terms = np.where(y == 0.0, 0.0, y * log_p) + np.where(y == 1.0, 0.0, (1.0 - y) * log_q)

    def vjp_y_hat(g):
        up = np.where(y == 1.0, 0.0, (1.0 - y) / (1.0 - y_hat))
        return (up - np.where(y == 0.0, 0.0, y / y_hat)) * (g / n)

    return -np.add.reduce(terms, axis=None) / n, lambda g: (log_q - log_p) * (g / n), vjp_y_hat


@nary
def bce_with_logits(y, v):
    """bce(y, σ(v)) = mean of log(1+eᵛ) − y v   ∂/∂v = (σ(v) − y)/N     ∂/∂y = −v/N"""
    n = common_size(y, v)
    t = np.exp(-np.absolute(v))  # at most 1, whatever v is
    loss = np.add.reduce(np.maximum(v, 0.0) - y * v + np.log1p(t), axis=None) / n
    tail = t / (1.0 + t)  # σ(v) is tail for v < 0 and 1 − tail for v > 0, so …
    error = (np.heaviside(v, 0.5) - y) - np.sign(v) * tail  # … this is σ(v) − y to the last digit
    return loss, lambda g: v * (-g / n), lambda g: error * (g / n)


def common_size(a, b):
    """The number of entries of two arrays of one shape."""
    if a.shape != b.shape:
        raise ValueError
    return a.size


# ---------------------------------------------------------------------------------- operators


OPERATORS = {
    "__add__": add,
    "__sub__": sub,
    "__mul__": mul,
    "__truediv__": div,
    "__matmul__": matmul,
    "__pow__": lambda a, b: pow(a, b) if type(b) in (int, float) else power(a, b),
    "__neg__": neg,
    "__abs__": abs,
    "__getitem__": getitem,
    "__radd__": lambda a, b: add(b, a),
    "__rsub__": lambda a, b: sub(b, a),
    "__rmul__": lambda a, b: mul(b, a),
    "__rtruediv__": lambda a, b: div(b, a),
    "__rmatmul__": lambda a, b: matmul(b, a),
    "__rpow__": lambda a, b: power(b, a),
    "T": property(transpose, doc="The axes in reverse order."),
}
METHODS = [exp, log, sqrt, reciprocal, relu, sigmoid, softplus, tanh, sin, cos, abs, maximum]
METHODS += [sum, mean, max, reshape, transpose]

# The class shows them to editors; a test holds the two together.
for name, operation in (OPERATORS | {method.__name__: method for method in METHODS}).items():
    setattr(Tensor, name, operation)
