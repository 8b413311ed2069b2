"""The checker is checked: right gradients pass, every planted fault is found and named."""

import time

import numpy as np
import pytest

from backprop_kit import EngineOff, Tensor, engine_off, ops
from backprop_kit.checking.differences import numerical_gradient
from backprop_kit.checking.gradcheck import gradcheck
from backprop_kit.engine.layers import Linear, ReLU, Sequential, Sigmoid, Softplus, bce_with_logits
from backprop_kit.engine.tensor import unary

rng = np.random.default_rng(7)
W, X, b = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=3)
SQUARE = rng.normal(size=(4, 4))


def loss(W, X, b):
    return np.sum((X @ W.T + b) ** 2)


def right(W, X, b):
    g = 2 * (X @ W.T + b)
    return g.T @ X, g @ W, g.sum(axis=0)


# ----------------------------------------------------------------------- numerical_gradient


def test_numerical_gradient_of_any_shape_moves_one_entry_at_a_time():
    for shape in ((), (3,), (2, 3), (2, 1, 3), (0, 2)):
        A = rng.normal(size=shape)[()]
        kept = np.array(A)
        grad = numerical_gradient(lambda a: np.sum(np.sin(a)), A)
        assert np.shape(grad) == shape
        np.testing.assert_allclose(grad, np.cos(A), rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(A, kept)
    assert type(numerical_gradient(lambda a: a * a, 3.0)) is np.float64
    # Moving all entries at once would give the total to each of them.
    np.testing.assert_allclose(numerical_gradient(np.sum, np.ones(5)), np.ones(5))
    np.testing.assert_allclose(numerical_gradient(np.sum, np.arange(3)), np.ones(3))  # integers


def test_the_complex_step_loses_no_digits():
    A = rng.normal(size=(3, 2))
    grad = numerical_gradient(lambda a: np.sum(np.exp(a) * a**2), A, complex_step=True)
    np.testing.assert_allclose(grad, np.exp(A) * (A**2 + 2 * A), rtol=1e-13)
    with pytest.raises(ValueError, match="complex step"):
        numerical_gradient(lambda a: np.sum(np.abs(a)), A, complex_step=True)


def test_numerical_gradient_wants_one_number():
    with pytest.raises(ValueError, match="one real number"):
        numerical_gradient(lambda a: a, np.ones(2))
    assert numerical_gradient(lambda a: Tensor(a) * 3, 1.0) == pytest.approx(3)


# ----------------------------------------------------------------------- what is right passes


def test_right_gradients_of_every_kind_of_subject():
    reports = [
        gradcheck(lambda W, X, b: ((X @ W.T + b) ** 2).sum(), W, X, b),
        gradcheck(lambda W, x: W @ x, W, X[0]),
        gradcheck(lambda x, y: ops.maximum(x, y) * 3, 2.0, Tensor(1.0)),
        gradcheck(loss, W, X, b, grads=right),
        gradcheck(loss, W, X, b, grads=right(W, X, b)),
        gradcheck(lambda X: X**3, X, grads=lambda g, X: g * 3 * X**2),
        gradcheck(lambda x: x * x, 3, grads=6.0),
        gradcheck(Linear(4, 3), X),
        gradcheck(Sequential(Linear(4, 3), Softplus(), Linear(3, 2), Sigmoid()), X),
        gradcheck(lambda v: bce_with_logits(np.ones((5, 1)), v), X[:, :1]),
        gradcheck(lambda x, times: x * times, X, 3),
    ]
    for report in reports:
        assert report, str(report)
        assert report.cause is None
        for verdict in report.arguments.values():
            assert verdict.error < 1e-7
    assert list(reports[0].arguments) == ["W", "X", "b"]
    assert list(reports[7].arguments) == ["x", "W", "b"]
    assert list(reports[8].arguments) == ["x", "0.W", "0.b", "2.W", "2.b"]
    assert "3 of 3 gradients agree" in str(reports[0])


def test_every_argument_is_checked_unless_told_otherwise():
    wrong_last = lambda W, X, b: (*right(W, X, b)[:2], 2 * right(W, X, b)[2])
    report = gradcheck(loss, W, X, b, grads=wrong_last)
    assert not report
    assert [v.ok for v in report.arguments.values()] == [True, True, False]
    assert gradcheck(loss, W, X, b, grads=wrong_last, wrt=("W", "X"))
    with pytest.raises(ValueError, match="no 'c' among W, X, b"):
        gradcheck(loss, W, X, b, grads=right, wrt=("c",))


def test_inputs_that_are_no_numbers_are_passed_on():
    def f(x, how, y=None):
        assert how == "sum"
        assert y is None
        return (x * x).sum()

    report = gradcheck(f, X, "sum", None)
    assert report
    assert list(report.arguments) == ["x"]


def test_names_of_unusual_signatures():
    assert list(gradcheck(lambda *xs: xs[0] * xs[1], 2.0, 3.0).arguments) == ["xs[0]", "xs[1]"]
    assert list(gradcheck(max, 1.0, 2.0, grads=(0.0, 1.0)).arguments) == [
        "argument 0",
        "argument 1",
    ]


def test_inputs_stay_as_they_are():
    kept = W.copy(), X.copy()
    layer = Linear(4, 3)
    own = layer.W.data.copy()
    gradcheck(loss, W, X, b, grads=right)
    gradcheck(layer, X)
    np.testing.assert_array_equal(W, kept[0])
    np.testing.assert_array_equal(X, kept[1])
    np.testing.assert_array_equal(layer.W.data, own)
    assert layer.W.grad is None


def test_small_and_large_scales_pass_too():
    for scale in (1e-12, 1e-7, 1e7):
        assert gradcheck(lambda x, s=scale: s * (x * x).sum(), X)
        assert gradcheck(lambda x, s=scale: ((x * (1 / s)) ** 2).sum(), X * scale)


# ----------------------------------------------------------------------- planted faults


def changed(i, change):
    """The right gradients with the i-th one changed."""

    def grads(W, X, b):
        answer = list(right(W, X, b))
        answer[i] = change(answer[i])
        return tuple(answer)

    return grads


@pytest.mark.parametrize("i", [0, 1, 2])
@pytest.mark.parametrize(
    ("change", "cause", "words"),
    [
        (lambda g: 2 * g, "factor", "exactly twice"),
        (lambda g: 0.5 * g, "factor", "exactly half"),
        (lambda g: -g, "sign", "opposite sign"),
        (lambda g: g / 5, "mean-vs-sum", "5 rows"),
        (lambda g: 5 * g, "mean-vs-sum", "5 rows"),
        (lambda g: 0 * g, "wrong-value", "0 every time"),
        (lambda g: None, "none-returned", "None"),
        (lambda g: g.tolist(), "wrong-type", "list"),
        (lambda g: g + np.nan, "non-finite", "nan"),
        (lambda g: g[..., :2], "wrong-shape", "shape"),
        (lambda g: g.astype(np.float32), "wrong-type", "float32"),
    ],
)
def test_faults_in_any_argument_are_found_and_named(i, change, cause, words):
    report = gradcheck(loss, W, X, b, grads=changed(i, change))
    verdicts = list(report.arguments.values())
    assert not report
    assert [v.ok for v in verdicts] == [j != i for j in range(3)]
    assert verdicts[i].cause == report.cause == cause
    assert words in str(report)
    assert verdicts[i].next_step


def test_a_transposed_gradient():
    for f, grads, arrays in (
        (loss, changed(0, np.transpose), (W, X, b)),  # another shape
        (
            lambda S: np.sum((X @ S.T) ** 2),  # square: the same shape
            lambda S: (2 * (X @ S.T).T @ X).T,
            (SQUARE,),
        ),
    ):
        report = gradcheck(f, *arrays, grads=grads)
        assert report.cause == "transpose"
        assert "rows and columns" in str(report)


def test_an_unsummed_bias_gradient():
    report = gradcheck(
        loss, W, X, b, grads=lambda W, X, b: (*right(W, X, b)[:2], 2 * (X @ W.T + b))
    )
    assert report.cause == "no-batch-sum"


@pytest.mark.parametrize("steepness", [1.0, 30.0, 100.0])
def test_an_unsummed_gradient_is_known_where_differences_are_rough(steepness):
    class Bumps:
        def __init__(self, n):
            self.params = {"centre": np.linspace(-1.0, 1.0, n)}

        def forward(self, x):
            self.away = x - self.params["centre"]
            self.y = np.exp(-steepness * self.away**2)
            return self.y

        def backward(self, grad):
            to_away = -2.0 * steepness * grad * self.y * self.away
            self.grads = {"centre": -to_away}
            return to_away

    for seed in range(10):
        report = gradcheck(Bumps(2), np.random.default_rng(seed).normal(size=(6, 2)))
        assert report["x"].ok
        assert report["centre"].cause == "no-batch-sum"


def test_gradients_in_the_wrong_order():
    report = gradcheck(
        lambda A, B: np.sum(A * B * B), X, X + 1, grads=lambda A, B: (2 * A * B, B * B)
    )
    assert report.cause == "order-swapped"


def test_an_ignored_signal():
    class Cube:
        def forward(self, x):
            self.x = x
            return x**3

        def backward(self, grad):
            return 3 * self.x**2

    report = gradcheck(Cube(), X)
    assert report.cause == "upstream-ignored"


@pytest.mark.parametrize("which", [0, 417, 999])
def test_one_entry_of_a_thousand_wrong_by_one_percent(which):
    def grads(x):
        g = 2 * x
        g[which] *= 1.01
        return g

    x = np.random.default_rng(which).normal(size=1000)
    report = gradcheck(lambda x: np.sum(x**2), x, grads=grads)
    verdict = report["x"]
    assert not report
    assert verdict.wrong == 1
    assert verdict.worst[0] == (which,)
    np.testing.assert_allclose(verdict.worst[1:], [2.02 * x[which], 2 * x[which]], rtol=1e-6)
    assert "1 of 1000" in str(report)
    assert f"x[{which}]" in str(report)


@pytest.mark.parametrize(
    ("fault", "cause"), [(2.0, "factor"), (-1.0, "sign"), (1.001, None), (1.00001, None)]
)
def test_a_loss_scaled_by_1e_7_hides_nothing(fault, cause):
    report = gradcheck(lambda x: 1e-7 * np.sum(x**2), X, grads=lambda x: fault * 2e-7 * x)
    assert not report
    assert cause in (None, report.cause)
    assert gradcheck(lambda x: 1e-7 * np.sum(x**2), X, grads=lambda x: 2e-7 * x)


@pytest.mark.parametrize("off", [1.001, 2.0, -1.0])
def test_a_wrong_derivative_in_the_engine_s_own_table(off):
    def wrong(a):
        return np.tanh(a), lambda g: off * g * (1.0 - np.tanh(a) ** 2)

    report = gradcheck(lambda x: unary(wrong)(x * 2.0).sum(), X)
    assert not report
    if off == 2:
        assert report.cause == "factor"


def test_a_forgotten_path_and_a_gradient_that_never_arrives():
    def forgets(x):
        return (x * x.detach()).sum()

    report = gradcheck(forgets, X)
    assert report.cause == "factor"
    report = gradcheck(lambda x: Tensor(x.data**2).sum(), X)
    assert not report
    assert "0 every time" in str(report)
    assert gradcheck(lambda x, y: x * 2, 3.0, 4.0)  # y plays no part: its gradient is 0


# ----------------------------------------------------------------------- what is not a mistake


def test_relu_exactly_at_zero_is_explained():
    report = gradcheck(lambda x: ops.relu(x), np.array([1.0, 0.0, -2.0]))
    assert report
    assert "x[1] = 0 is at a kink" in str(report)
    report = gradcheck(lambda x: np.abs(x), 0.0, grads=lambda x: 0.5)
    assert report
    assert "the slope is -1 to the left and 1 to the right" in str(report)


def test_a_value_outside_the_two_slopes_is_wrong_even_at_a_kink():
    report = gradcheck(lambda x: np.maximum(x, 0), 0.0, grads=lambda x: 2.0)
    assert not report
    assert "kink" in str(report)


@pytest.mark.parametrize("distance", [3e-7, -3e-7, 3e-6, 6e-5, -9e-5, 1e-3])
def test_relu_near_its_kink(distance):
    x = np.array([1.0, distance, -2.0])
    assert gradcheck(lambda x: ops.relu(x), x)
    report = gradcheck(lambda x: np.sum(np.maximum(x, 0)), x, grads=lambda x: 1.0 - (x > 0))
    assert not report
    assert report["x"].wrong == 3
    if abs(distance) < 1e-6:
        assert "kink close to x[1]" in str(gradcheck(lambda x: ops.relu(x), x))


def test_curvature_is_no_kink():
    for f in (
        lambda x: (x**4).sum(),
        lambda x: (50 * x).sin().sum(),
        lambda x: (9 * x).exp().sum(),
    ):
        report = gradcheck(f, np.array([1.0, -0.5, 0.0, 0.2]))
        assert report, str(report)
        assert "kink" not in str(report)


def test_randomness_is_found():
    source = np.random.default_rng(0)
    report = gradcheck(lambda x: (x * source.normal()).sum(), X)
    assert not report
    assert report.cause == "state-leak"
    assert "cannot be judged" in str(report)


def test_gradients_that_pile_up_are_found():
    class PilesUp:
        def __init__(self):
            self.params = {"a": np.array([2.0, 3.0, 4.0, 5.0])}
            self.grads = {"a": np.zeros(4)}

        def forward(self, x):
            self.x = x
            return x * self.params["a"]

        def backward(self, grad):
            self.grads["a"] += (grad * self.x).sum(axis=0)
            return grad * self.params["a"]

    report = gradcheck(PilesUp(), X)
    assert not report
    assert report.cause == "state-leak"
    assert "gradient to a" in str(report)


def test_changed_arguments_are_found():
    def f(W, x):
        x *= 2
        return np.sum(W @ x)

    report = gradcheck(f, W, X[0], grads=lambda W, x: (np.outer(np.ones(3), 2 * x), 2 * W.sum(0)))
    assert not report
    assert report.cause == "mutates-argument"
    assert "x no longer holds" in str(report)

    class EatsSignal:
        def forward(self, x):
            self.x = x.copy()
            return x**2

        def backward(self, grad):
            grad *= 2 * self.x
            return grad

    report = gradcheck(EatsSignal(), X)
    assert report.cause == "mutates-argument"
    assert "upstream signal" in str(report)


def test_float32_is_explained():
    def f(x):
        return np.sum(np.sin(x.astype(np.float32)))

    report = gradcheck(f, X, grads=np.cos)
    assert report
    assert "float32" in str(report)
    assert gradcheck(f, X, grads=lambda x: 2 * np.cos(x)).cause == "factor"
    report = gradcheck(lambda x: np.sum(x**2), X.astype(np.float32), grads=lambda x: 2 * x)
    assert report
    assert "converted to float64" in str(report)


def test_noise_is_not_called_a_kink():
    def f(x):
        return np.sum((x + 1e9) - 1e9 + x)

    report = gradcheck(f, X, grads=lambda x: np.full(x.shape, 2.0))
    assert report
    assert "noisy" in str(report)
    assert "at a kink" not in str(report)
    assert not gradcheck(f, X, grads=lambda x: np.full(x.shape, 4.0))


def test_wrong_calls_are_explained():
    with pytest.raises(TypeError, match="no Tensor"):
        gradcheck(lambda x: 3.0, X)
    with pytest.raises(ValueError, match="2 gradients for the 3 inputs W, X, b"):
        gradcheck(loss, W, X, b, grads=right(W, X, b)[:2])
    with pytest.raises(TypeError, match="one input"):
        gradcheck(ReLU(), X, X)
    with pytest.raises(TypeError, match="neither a function nor a layer"):
        gradcheck(3, X)
    with pytest.raises(ValueError, match="no numeric input"):
        gradcheck(lambda s: Tensor(1.0), "s")
    with pytest.raises(ValueError, match="not finite"):
        gradcheck(lambda x: x.log(), 0.0)


def test_with_the_engine_off_it_does_not_work():
    with engine_off():
        with pytest.raises(EngineOff):
            gradcheck(loss, W, X, b, grads=right)
        with pytest.raises(EngineOff):
            numerical_gradient(np.sum, X)


def test_a_network_of_289_parameters_is_checked_in_full_and_fast():
    net = Sequential(Linear(16, 16), ReLU(), Linear(16, 1))
    x = rng.normal(size=(8, 16))
    start = time.perf_counter()
    report = gradcheck(net, x)
    assert time.perf_counter() - start < 5  # milliseconds per parameter would be too slow
    assert report, str(report)
    assert sum(v.numeric.size for v in report.arguments.values()) == 289 + x.size


def test_the_report_is_short():
    report = gradcheck(loss, W, X, b, grads=changed(0, lambda g: 2 * g))
    text = str(report)
    assert text == repr(report)
    assert len(text.splitlines()) <= 8
    assert "worst at W[" in text
    assert "yours" in text
    assert "numeric" in text


def test_a_missing_two_is_a_factor_even_where_there_are_two_rows():
    W = np.random.default_rng(0).normal(size=(2, 3))
    report = gradcheck(lambda W: float(np.sum(W * W)), W, grads=lambda W: W)
    assert not report
    assert "factor" in str(report)
