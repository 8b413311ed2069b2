"""Every primitive against numerical gradients, whatever the shapes; then the special cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, basic_indices, mutually_broadcastable_shapes

from backprop_kit import Tensor, ops

seeded = settings(derandomize=True, deadline=None, max_examples=40)
seeds = st.integers(0, 2**32 - 1)

# operation, and the interval of arguments on which it is smooth (entries are kept 0.01 off kinks)
UNARY = {
    "neg": (ops.neg, -2, 2),
    "reciprocal": (ops.reciprocal, 0.5, 2),
    "sqrt": (ops.sqrt, 0.5, 2),
    "exp": (ops.exp, -2, 2),
    "log": (ops.log, 0.5, 2),
    "sin": (ops.sin, -3, 3),
    "cos": (ops.cos, -3, 3),
    "tanh": (ops.tanh, -2, 2),
    "sigmoid": (ops.sigmoid, -3, 3),
    "softplus": (ops.softplus, -3, 3),
    "relu": (ops.relu, -2, 2),
    "abs": (ops.abs, -2, 2),
    "power 0": (lambda a: a**0, -2, 2),
    "power 1": (lambda a: a**1, -2, 2),
    "power 2": (lambda a: a**2, -2, 2),
    "power 3": (lambda a: a**3, -2, 2),
    "power 7": (lambda a: a**7, -1, 1),
    "power -2": (lambda a: a**-2, 0.5, 2),
    "power 0.5": (lambda a: a**0.5, 0.5, 2),
    "2 to the": (lambda a: 2**a, -2, 2),
}
BINARY = {
    "add": (lambda a, b: a + b, -2, 2),
    "sub": (lambda a, b: a - b, -2, 2),
    "mul": (lambda a, b: a * b, -2, 2),
    "div": (lambda a, b: a / b, 0.5, 2),
    "pow": (lambda a, b: a**b, 0.5, 2),
    "maximum": (ops.maximum, -2, 2),
}
REDUCTIONS = {"sum": ops.sum, "mean": ops.mean, "max": ops.max}


def draw(rng, shape, low=-2, high=2):
    """Distinct entries in [low, high], none near 0: away from the kinks of relu, abs, max."""
    n = int(np.prod(shape))
    grid = np.linspace(low, high, 2 * n + 3)
    grid = grid[np.abs(grid) > 0.01]
    values = rng.permutation(grid)[:n] + rng.uniform(-1, 1, n) * (high - low) / (20 * n + 20)
    return values.reshape(shape)[()]


def numerical(f, arrays, i, upstream, h=1e-6):
    """Central differences of Σ upstream · f(arrays) with respect to arrays[i]."""
    base = [np.array(a) for a in arrays]
    grad = np.zeros(base[i].shape)
    for index in np.ndindex(base[i].shape):
        values = []
        for step in (h, -h):
            moved = [a.copy() for a in base]
            moved[i][index] += step
            values.append(np.sum(upstream * f(*[Tensor(a) for a in moved]).data))
        grad[index] = (values[0] - values[1]) / (2 * h)
    return grad


def check(f, *arrays, seed=0, tolerance=2e-7):
    """f's gradients to all arguments, with a random upstream signal, against the differences."""
    leaves = [Tensor(a, requires_grad=True) for a in arrays]
    out = f(*leaves)
    assert type(out.data) is (np.ndarray if out.shape else np.float64)
    upstream = np.random.default_rng(seed).normal(size=out.shape)[()]
    before = [np.array(leaf.data) for leaf in leaves]
    out.backward(upstream)
    for i, leaf in enumerate(leaves):
        expected = numerical(f, arrays, i, upstream)
        assert type(leaf.grad) is (np.ndarray if leaf.shape else np.float64)
        assert leaf.grad.shape == leaf.shape
        assert leaf.grad.dtype == np.float64
        scale = max(1.0, np.abs(expected).max(initial=0.0))
        np.testing.assert_allclose(leaf.grad, expected, rtol=0, atol=tolerance * scale * 10)
        np.testing.assert_array_equal(leaf.data, before[i])
    # Each argument alone: the vjps must not lean on one another.
    for i in range(len(arrays)):
        alone = [Tensor(a, requires_grad=i == j) for j, a in enumerate(arrays)]
        f(*alone).backward(upstream)
        np.testing.assert_allclose(alone[i].grad, leaves[i].grad, rtol=1e-12)
        assert all(t.grad is None for j, t in enumerate(alone) if j != i)


@pytest.mark.parametrize("name", UNARY)
@seeded
@given(shape=array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=4), seed=seeds)
def test_unary(name, shape, seed):
    f, low, high = UNARY[name]
    check(f, draw(np.random.default_rng(seed), shape, low, high), seed=seed)


@pytest.mark.parametrize("name", BINARY)
@seeded
@given(
    shapes=mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4),
    seed=seeds,
)
def test_binary_with_broadcasting(name, shapes, seed):
    f, low, high = BINARY[name]
    rng = np.random.default_rng(seed)
    a, b = (draw(rng, shape, low, high) for shape in shapes.input_shapes)
    check(f, a, b + (0.003 if name == "maximum" else 0), seed=seed)


@pytest.mark.parametrize("name", REDUCTIONS)
@seeded
@given(data=st.data(), shape=array_shapes(min_dims=0, max_dims=3, max_side=4), seed=seeds)
def test_reductions(name, data, shape, seed):
    axes = [None, *range(-len(shape), len(shape))]
    if len(shape) > 1:
        axes += [(0, 1), (-1, 0), tuple(range(len(shape)))]
    axis = data.draw(st.sampled_from(axes))
    keepdims = data.draw(st.booleans())
    f = lambda a: REDUCTIONS[name](a, axis=axis, keepdims=keepdims)
    a = draw(np.random.default_rng(seed), shape)
    check(f, a, seed=seed)
    expected = getattr(np, name)(a, axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(f(Tensor(a)).data, expected, rtol=1e-14)


@seeded
@given(
    shapes=mutually_broadcastable_shapes(
        signature="(m?,n),(n,p?)->(m?,p?)", max_dims=2, max_side=4
    ),
    seed=seeds,
)
def test_matmul_of_all_ranks(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (draw(rng, shape) for shape in shapes.input_shapes)
    check(lambda a, b: a @ b, a, b, seed=seed)
    np.testing.assert_allclose((Tensor(a) @ Tensor(b)).data, a @ b)


@pytest.mark.parametrize("rank_a", [1, 2, 3, 4])
@pytest.mark.parametrize("rank_b", [1, 2, 3, 4])
def test_matmul_of_each_pair_of_ranks(rank_a, rank_b):
    rng = np.random.default_rng(rank_a * 10 + rank_b)
    a = draw(rng, (2, 3, 4, 5)[4 - rank_a :])
    b = draw(rng, {1: (5,), 2: (5, 6), 3: (3, 5, 6), 4: (2, 1, 5, 6)}[rank_b])
    check(lambda a, b: a @ b, a, b)


@seeded
@given(data=st.data(), shape=array_shapes(max_dims=3, max_side=4), seed=seeds)
def test_basic_indexing(data, shape, seed):
    index = data.draw(basic_indices(shape, allow_newaxis=True))
    a = draw(np.random.default_rng(seed), shape)
    check(lambda a: a[index], a, seed=seed)


@pytest.mark.parametrize(
    "index",
    [
        [0, 0, 2],
        np.array([1, 1, 1]),
        (np.array([0, 0]), np.array([1, 1])),
        (slice(None), [3, 0, 3]),
        np.arange(12).reshape(3, 4) % 3 == 0,
        (np.int64(1), slice(1, 3)),
        (Ellipsis, None, 1),
    ],
    ids=str,
)
def test_fancy_indexing_adds_up_repeated_entries(index):
    check(lambda a: a[index], draw(np.random.default_rng(1), (3, 4)))


def test_indexing_copes_with_an_index_array_that_changes_later():
    index = np.array([0, 0])
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = x[index].sum()
    index[:] = 2
    y.backward()
    np.testing.assert_array_equal(x.grad, [2, 0, 0])


@seeded
@given(data=st.data(), shape=array_shapes(min_dims=0, max_dims=4, max_side=3), seed=seeds)
def test_transpose_and_reshape(data, shape, seed):
    a = draw(np.random.default_rng(seed), shape)
    check(lambda a: a.T, a)
    check(lambda a: a.reshape(-1), a)
    check(lambda a: a.reshape(a.shape), a)
    if shape:
        axes = data.draw(st.permutations(range(len(shape))))
        axes = [ax - len(shape) if ax % 2 else ax for ax in axes]
        check(lambda a: a.transpose(*axes), a)
        check(lambda a: a.transpose(tuple(axes)), a)
        np.testing.assert_array_equal(Tensor(a).transpose(*axes).data, a.transpose(axes))


def test_reshape_to_a_scalar_and_back():
    check(lambda a: a.reshape(()), np.array([[2.0]]))
    check(lambda a: a.reshape(1, 1, 1), np.float64(2.0))
    check(lambda a: a.reshape((3, 2)), draw(np.random.default_rng(0), (2, 3)))


@pytest.mark.parametrize("x_shape", [(4,), (5, 4), (1, 4), (2, 3, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(x_shape, bias):
    rng = np.random.default_rng(2)
    x, W, b = draw(rng, x_shape), draw(rng, (3, 4)), draw(rng, (3,))
    if bias:
        check(ops.linear, x, W, b)
        np.testing.assert_allclose(ops.linear(x, W, b).data, x @ W.T + b)
    else:
        check(ops.linear, x, W)


@seeded
@given(shape=array_shapes(min_dims=0, max_dims=2, max_side=5), seed=seeds)
def test_losses(shape, seed):
    rng = np.random.default_rng(seed)
    y, p, v = rng.uniform(0.1, 0.9, shape), rng.uniform(0.1, 0.9, shape), rng.normal(size=shape)
    check(ops.bce, y, p, seed=seed)
    check(ops.bce_with_logits, y, v, seed=seed)
    hard = np.round(y)
    check(lambda p: ops.bce(hard, p), p, seed=seed)
    check(lambda v: ops.bce_with_logits(hard, v), v, seed=seed)
    np.testing.assert_allclose(
        ops.bce_with_logits(y, v).data, ops.bce(y, 1 / (1 + np.exp(-v))).data, rtol=1e-12
    )


# ----------------------------------------------------------------------- extreme arguments


def gradient(f, x):
    leaf = Tensor(x, requires_grad=True)
    out = f(leaf)
    out.backward(np.ones(out.shape)[()])
    return out.data, leaf.grad


@pytest.mark.filterwarnings("error")
def test_nothing_overflows_at_plus_or_minus_1000():
    x = np.array([-1000.0, -40.0, -0.0, 0.0, 40.0, 1000.0])
    y, dy = gradient(ops.sigmoid, x)
    np.testing.assert_allclose(y, [0, 4.248354255291589e-18, 0.5, 0.5, 1, 1], rtol=1e-15)
    assert np.isfinite(dy).all()
    y, dy = gradient(ops.softplus, x)
    np.testing.assert_allclose(
        y, [0, 4.248354255291589e-18, np.log(2), np.log(2), 40, 1000], rtol=1e-15
    )
    np.testing.assert_allclose(dy, [0, 4.248354255291589e-18, 0.5, 0.5, 1, 1], rtol=1e-15)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("y", "v", "loss", "slope"),
    [
        (1, 1000, 0, 0),
        (0, 1000, 1000, 1),
        (1, -1000, 1000, -1),
        (0, -1000, 0, 0),
        (1, 40, 4.248354255291589e-18, -4.248354255291589e-18),
        (0, -40, 4.248354255291589e-18, 4.248354255291589e-18),
        (0.25, 0.0, np.log(2), 0.25),
        (0.25, -0.0, np.log(2), 0.25),
    ],
)
def test_bce_with_logits_is_exact_everywhere(y, v, loss, slope):
    for shape in ((), (1, 1)):
        value, grad = gradient(
            lambda t, s=shape: ops.bce_with_logits(np.full(s, float(y)), t),
            np.full(shape, float(v)),
        )
        np.testing.assert_allclose(value, loss, rtol=1e-15)
        np.testing.assert_allclose(grad, np.full(shape, slope), rtol=1e-15)


@pytest.mark.filterwarnings("ignore")
def test_bce_where_the_prediction_is_certain():
    value, grad = gradient(lambda p: ops.bce(np.array([1.0, 0.0]), p), np.array([1.0, 0.0]))
    assert value == 0
    np.testing.assert_array_equal(grad, [-0.5, 0.5])
    assert ops.bce(1.0, 0.0).data == np.inf


def test_conventions_at_kinks():
    assert gradient(ops.relu, 0.0)[1] == 0
    assert gradient(ops.abs, 0.0)[1] == 0
    np.testing.assert_array_equal(gradient(ops.max, np.array([3.0, 1.0, 3.0]))[1], [0.5, 0, 0.5])
    a, b = Tensor(2.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    ops.maximum(a, b).backward()
    assert (a.grad, b.grad) == (0.5, 0.5)


def test_powers_at_zero():
    for n, expected in ((0, 0), (1, 1), (2, 0), (3, 0), (5, 0)):
        assert gradient(lambda x, n=n: x**n, 0.0)[1] == expected
        assert gradient(lambda x, n=n: x ** Tensor(float(n)), 0.0)[1] == expected
    assert gradient(lambda b: Tensor(0.0) ** b, 2.0)[1] == 0


@pytest.mark.filterwarnings("ignore")
def test_nan_is_not_hidden():
    assert np.isnan(gradient(ops.relu, np.array([np.nan, 1.0]))[0][0])
    assert np.isnan(gradient(ops.max, np.array([np.nan, 1.0]))[0])


def test_the_signal_is_never_changed_and_gradients_share_no_memory():
    g = np.ones((2, 2))
    a, b = (Tensor(np.full((2, 2), v), requires_grad=True) for v in (1.0, 2.0))
    (a + b).backward(g)
    assert not np.shares_memory(a.grad, b.grad)
    assert not np.shares_memory(a.grad, g)
    a.grad *= 100
    np.testing.assert_array_equal(b.grad, 1)
    np.testing.assert_array_equal(g, 1)
    for f in (
        lambda x: x,
        lambda x: x.T,
        lambda x: x.reshape(4),
        lambda x: x[:, ::-1],
        lambda x: -x,
    ):
        x = Tensor(np.zeros((2, 2)), requires_grad=True)
        out = f(x)
        signal = np.ones(out.shape)
        out.backward(signal)
        assert not np.shares_memory(x.grad, signal)
        x.grad += 1  # must be writable, too
    x = Tensor(np.zeros((2, 3)), requires_grad=True)
    x.sum(axis=0).sum().backward()
    x.grad += 1


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda a, b: a + b, ["add", "(2, 3)", "(4,)", "broadcast"]),
        (lambda a, b: a @ b, ["matmul", "(2, 3)", "(4,)", "axis"]),
        (lambda a, b: ops.bce(a, b), ["bce", "(2, 3)", "(4,)", "one shape"]),
        (lambda a, b: ops.linear(a, np.ones((5, 3)), b), ["linear", "(5, 3)", "(4,)", "b is (m,)"]),
        (lambda a, b: ops.linear(np.float64(2.0), a), ["linear", "()", "x is (N, n)"]),
        (lambda a, b: ops.linear(a, np.ones((2, 5, 3))), ["linear", "(2, 5, 3)", "W is (m, n)"]),
    ],
)
def test_shapes_that_do_not_fit_are_explained(f, words):
    with pytest.raises(ValueError) as error:  # noqa: PT011
        f(Tensor(np.ones((2, 3))), Tensor(np.ones(4)))
    for word in words:
        assert word in str(error.value)


def test_the_table_says_its_mathematics():
    for name in ("add", "mul", "exp", "log", "relu", "matmul", "linear", "sum", "bce_with_logits"):
        operation = getattr(ops, name)
        assert operation.__name__ == name
        assert "∂" in operation.__doc__ or "signal" in operation.__doc__


# ----------------------------------------------------------------------- against PyTorch


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sigmoid", "tanh", "sin", "cos", "abs"])
def test_like_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    x = np.random.default_rng(3).uniform(0.3, 2, (3, 5))
    g = np.random.default_rng(4).normal(size=(3, 5))
    ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    getattr(ours, name)().backward(g)
    getattr(theirs, name)().backward(torch.tensor(g))
    np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-13)


def test_a_network_like_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: nothing to compare with")
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=s) for s in ((7, 3), (4, 3), (4,), (1, 4), (1,))]
    y = rng.integers(0, 2, (7, 1)).astype(float)

    def network(X, W1, b1, W2, b2):
        return torch.relu(X @ W1.T + b1) @ W2.T + b2

    theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
    torch.nn.functional.binary_cross_entropy_with_logits(
        network(*theirs), torch.tensor(y)
    ).backward()
    ours = [Tensor(a, requires_grad=True) for a in arrays]
    X, W1, b1, W2, b2 = ours
    ops.bce_with_logits(y, ops.linear(ops.linear(X, W1, b1).relu(), W2, b2)).backward()
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-11, atol=1e-15)


# ----------------------------------------------------------------------- the tests can fail


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a, b: (a * b, lambda g: b * 1.0 + 0 * g, lambda g: g * a),  # ignores the signal
        lambda a, b: (a * b, lambda g: g * a, lambda g: g * b),  # does not swap
        lambda a, b: (a * b, lambda g: g * b, lambda g: 1.001 * g * a),  # slightly off
        lambda a, b: (a * b, lambda g: -g * b, lambda g: g * a),  # sign
    ],
)
def test_a_wrong_derivative_is_noticed(wrong):
    from backprop_kit.engine.tensor import binary

    wrong.__name__ = "wrong"
    rng = np.random.default_rng(6)
    with pytest.raises(AssertionError):
        check(binary(wrong), draw(rng, (2, 3)), draw(rng, (3,)))
