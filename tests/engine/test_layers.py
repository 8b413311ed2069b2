"""Layers, losses, freezing, and a student's own layer inside the kit's network."""

import copy
import gc
from pathlib import Path

import numpy as np
import pytest

import backprop_kit
from backprop_kit import EngineOff, Tensor, engine_off, no_grad
from backprop_kit.engine.layers import (
    Linear,
    ReLU,
    Sequential,
    Sigmoid,
    Softplus,
    Wired,
    bce,
    bce_with_logits,
    freeze,
    parameters,
    unfreeze,
)


class Scale:
    """A layer of one's own: y = a·x², with a parameter for each column."""

    def __init__(self, n=3, start=1.5):
        self.params = {"a": np.full(n, start)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return self.params["a"] * x**2

    def backward(self, grad):
        rows = (grad * self.x**2).reshape(-1, self.x.shape[-1])
        self.grads["a"] = rows.sum(axis=0)
        return grad * 2 * self.params["a"] * self.x


class Cube:
    def forward(self, x):
        self.x = x
        return x**3

    def backward(self, grad):
        return grad * 3 * self.x**2


def data(N=5, n=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, n)), rng.integers(0, 2, (N, 1)).astype(float)


def network(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential(
        Linear(3, 4, rng=rng),
        ReLU(),
        Scale(4, 0.3),
        Linear(4, 3, rng=rng),
        Cube(),
        Linear(3, 1, rng=rng),
    )


def differences(loss, array, h=1e-6):
    grad = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + h
        above = loss()
        array[index] = kept - h
        below = loss()
        array[index] = kept
        grad[index] = (above - below) / (2 * h)
    return grad


# ----------------------------------------------------------------------- the kit's layers


def test_linear_has_the_course_s_shapes():
    layer = Linear(3, 2, rng=np.random.default_rng(1))
    assert layer.W.shape == (2, 3)
    assert layer.b.shape == (2,)
    X, _ = data()
    np.testing.assert_allclose(layer(X).data, X @ layer.W.data.T + layer.b.data)
    assert Linear(3, 2, bias=False).b is None
    assert len(Linear(3, 2, bias=False).parameters()) == 1
    np.testing.assert_array_equal(Linear(3, 2, rng=np.random.default_rng(1)).W.data, layer.W.data)
    with pytest.raises(ValueError, match=r"linear.*\(5, 4\).*x is \(N, n\)"):
        layer(np.ones((5, 4)))


@pytest.mark.parametrize("layer", [Linear(3, 2), ReLU(), Sigmoid(), Softplus(), network()], ids=str)
def test_the_kit_s_layers_follow_the_protocol_too(layer):
    X, _ = data()
    y = layer.forward(X)
    assert type(y) is np.ndarray
    g = np.random.default_rng(9).normal(size=y.shape)
    dX = layer.backward(g)

    def loss():
        return np.sum(layer.forward(X) * g)

    np.testing.assert_allclose(dX, differences(loss, X), rtol=1e-5, atol=1e-7)
    layer.forward(X)
    np.testing.assert_array_equal(layer.backward(g), dX)  # nothing piles up
    np.testing.assert_array_equal(layer.backward(g), dX)
    assert layer.params.keys() == layer.grads.keys()
    for name, array in layer.params.items():
        np.testing.assert_allclose(
            layer.grads[name], differences(loss, array), rtol=1e-5, atol=1e-7
        )
    assert all(p.grad is None for p in layer.parameters())  # .grad belongs to Tensor.backward()


def test_the_network_s_gradients():
    X, y = data()
    net = network()
    assert [type(layer) for layer in net.layers] == [Linear, ReLU, Scale, Linear, Cube, Linear]
    loss = bce_with_logits(y, net(X))
    loss.backward()
    assert len(net.parameters()) == 7
    for p in net.parameters():
        numeric = differences(lambda: bce_with_logits(y, net(X)).data, p.data)
        np.testing.assert_allclose(p.grad, numeric, rtol=1e-5, atol=1e-8)


def test_it_trains_and_the_student_s_own_arrays_learn():
    X, y = data(N=20)
    net = network()
    own = net.layers[2].params["a"]
    start = own.copy()
    losses = []
    for _ in range(100):
        net.zero_grad()
        loss = bce_with_logits(y, net(X))
        loss.backward()
        losses.append(float(loss))
        for p in net.parameters():
            p.data -= 0.05 * p.grad
    assert losses[-1] < 0.8 * losses[0]
    assert net.layers[2].params["a"] is own
    assert np.all(own != start)


def test_repr_and_parts():
    net = Sequential(Linear(3, 2), Scale(2), Sequential(ReLU(), Linear(2, 1, bias=False)))
    assert repr(net) == (
        "Sequential(Linear(3, 2), Scale, Sequential(ReLU(), Linear(2, 1, bias=False)))"
    )
    assert len(net) == 3
    assert set(net.named_parameters()) == {"0.W", "0.b", "1.a", "2.1.W"}
    assert net[:2].parameters() == net.parameters()[:3]
    assert net[0] is net.layers[0]
    np.testing.assert_array_equal(net[1](np.ones((1, 2))).data, [[1.5, 1.5]])
    assert isinstance(Sequential()(np.ones(2)), Tensor)


def test_a_layer_used_twice_has_one_set_of_parameters():
    shared = Linear(3, 3, rng=np.random.default_rng(0))
    own = Scale(3)
    net = Sequential(shared, own, shared, own)
    assert len(net.parameters()) == 3
    X, _ = data()
    out = net(X)
    g = np.random.default_rng(1).normal(size=out.shape)
    out.backward(g)
    for p in net.parameters():
        numeric = differences(lambda: np.sum(net(X).data * g), p.data)
        np.testing.assert_allclose(p.grad, numeric, rtol=1e-5, atol=1e-6)


def test_a_network_can_be_copied():
    net = network()
    twin = copy.deepcopy(net)
    X, y = data()
    for p in twin.parameters():
        p.data += 1.0
    assert not np.allclose(net(X).data, twin(X).data)
    bce_with_logits(y, twin(X)).backward()
    assert all(p.grad is not None for p in twin.parameters())
    assert all(p.grad is None for p in net.parameters())


# ----------------------------------------------------------------------- losses


def test_losses_on_tensors_and_on_arrays():
    y, v = np.array([[1.0], [0.0], [1.0]]), np.array([[2.0], [-1.0], [0.5]])
    p = 1 / (1 + np.exp(-v))
    expected = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    for value in (bce(y, p), bce_with_logits(y, v), bce_with_logits([[1], [0], [1]], v)):
        assert type(value) is float
        np.testing.assert_allclose(value, expected)
    logits = Tensor(v, requires_grad=True)
    loss = bce_with_logits(y, logits)
    np.testing.assert_allclose(loss.data, expected)
    loss.backward()
    np.testing.assert_allclose(logits.grad, (p - y) / 3)
    prediction = Tensor(p, requires_grad=True)
    bce(y, prediction).backward()
    np.testing.assert_allclose(prediction.grad, (p - y) / (p * (1 - p)) / 3)


def test_labels_of_another_shape_are_refused():
    for f in (bce, bce_with_logits):
        for prediction in (Tensor(np.full((3, 1), 0.5)), np.full((3, 1), 0.5)):
            with pytest.raises(ValueError, match="one shape"):
                f(np.ones(3), prediction)


def test_with_the_engine_off_nothing_here_works():
    X, y = data()
    net, own = network(), Wired(Cube())
    attempts = [
        lambda: net(X),
        lambda: net.forward(X),
        lambda: own(X),
        lambda: Linear(2, 2),
        lambda: ReLU().forward(X),
        lambda: bce(y, np.full_like(y, 0.5)),
        lambda: bce_with_logits(y, y),
        lambda: Wired(Scale()),
    ]
    with engine_off():
        for attempt in attempts:
            with pytest.raises(EngineOff):
                attempt()


# ----------------------------------------------------------------------- freezing


def test_frozen_parameters_stay_bit_for_bit_and_their_part_leaves_no_record():
    X, y = data()
    net = network()
    net[:4].freeze()
    before = [p.data.copy() for p in net.parameters()]
    assert not net[:4](X).requires_grad
    assert net[:4](X)._node is None
    loss = bce_with_logits(y, net(X))
    loss.backward()
    for p in net.parameters():
        if p.grad is not None:
            p.data -= 0.1 * p.grad
    moved = [not np.array_equal(p.data, b) for p, b in zip(net.parameters(), before, strict=True)]
    assert moved == [False] * 5 + [True] * 2
    net.unfreeze()
    assert all(p.requires_grad for p in net.parameters())


def test_freezing_in_the_middle_still_carries_the_signal_through():
    X, y = data()
    net, twin = network(), network()
    net[2:4].freeze()
    for n in (net, twin):
        bce_with_logits(y, n(X)).backward()
    for i, (p, q) in enumerate(zip(net.parameters(), twin.parameters(), strict=True)):
        if i in (2, 3, 4):
            assert p.grad is None
        else:
            np.testing.assert_array_equal(p.grad, q.grad)


def test_freeze_takes_layers_tensors_and_lists():
    a, b, net = Linear(2, 2), Tensor(1.0, requires_grad=True), Sequential(Scale())
    freeze(a, [b, net])
    assert [p.requires_grad for p in parameters(a, b, net)] == [False] * 4
    unfreeze([a, (b,)], net)
    assert all(p.requires_grad for p in parameters(a, b, net))
    assert len(parameters(a, a, [a])) == 2
    with pytest.raises(TypeError, match="Sequential"):
        parameters(Scale())


# ----------------------------------------------------------------------- the layer protocol


def test_several_calls_before_backward_each_keep_their_own_state():
    layer = Wired(Scale())
    X1, X2 = data(seed=1)[0], data(N=4, seed=2)[0]
    first, second = layer(X1).sum(), layer(X2).sum()
    with no_grad():
        layer(X2 * 100)  # a look at validation data in between
    (first + second).backward()
    expected = (X1**2).sum(axis=0) + (X2**2).sum(axis=0)
    np.testing.assert_allclose(layer.parameters()[0].grad, expected)


def test_backward_of_a_layer_is_called_once_for_all_its_vjps():
    calls = []

    class Counting(Scale):
        def backward(self, grad):
            calls.append(grad.copy())
            return super().backward(grad)

    x = Tensor(data()[0], requires_grad=True)
    Wired(Counting())(x).sum().backward()
    assert len(calls) == 1
    assert x.grad is not None


def test_the_graph_names_the_layer_s_class():
    out = Wired(Scale())(data()[0])
    assert out._node.op is Scale
    assert repr(out._node).startswith("Node(Scale")


@pytest.mark.parametrize("kind", [list, np.float32, float, "0d"])
def test_parameters_of_any_real_type_can_be_trained(kind):
    class Times:
        def __init__(self):
            start = {float: 2.0, "0d": np.array(2.0)}.get(kind)
            if start is None:
                start = [2.0, 3.0] if kind is list else np.array([2, 3], dtype=kind)
            self.params = {"a": start}

        def forward(self, x):
            self.x = x
            return x * np.asarray(self.params["a"])

        def backward(self, grad):
            da = grad * self.x
            self.grads = {"a": da.sum() if np.ndim(self.params["a"]) == 0 else da.sum(axis=0)}
            return grad * np.asarray(self.params["a"])

    layer = Wired(Times())
    X = np.ones((4, 2))
    for _ in range(2):
        out = layer(X).sum()
        layer.zero_grad()
        out.backward()
        for p in layer.parameters():
            p.data -= 0.1 * p.grad
    expected = {float: 2 - 1.6, "0d": 2 - 1.6}.get(kind, np.array([2 - 0.8, 3 - 0.8]))
    layer(X)
    np.testing.assert_allclose(np.asarray(layer.layer.params["a"]), expected)


def test_replaced_parameters_are_followed_on_both_sides():
    layer = Wired(Scale())
    (p,) = layer.parameters()
    own = layer.layer.params["a"]
    p.data = p.data * 2  # the optimiser makes a new array
    np.testing.assert_array_equal(layer(np.ones((1, 3))).data, [[3.0] * 3])
    assert layer.layer.params["a"] is own  # and the object still has its own
    layer.layer.params["a"] = np.full(3, 7.0)  # the object makes a new array
    assert layer.parameters()[0] is p
    np.testing.assert_array_equal(p.data, [7.0] * 3)


def broken(forward=None, backward=None, **attributes):
    class Broken(Scale):
        pass

    if forward:
        Broken.forward = forward
    if backward:
        Broken.backward = backward
    layer = Broken()
    vars(layer).update(attributes)
    return layer


def in_place_forward(self, x):
    x *= 2
    return x


def in_place_backward(self, grad):
    grad[grad < 0] = 0
    return grad


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        (broken(forward=lambda s, x: None), TypeError, "Broken.forward returned None"),
        (broken(backward=lambda s, g: None), TypeError, "Broken.backward returned None"),
        (broken(forward=lambda s, x: Tensor(x)), TypeError, "forward returned a Tensor"),
        (broken(forward=lambda s, x: "x"), TypeError, "Broken.forward"),
        (broken(backward=lambda s, g: g[:, :2]), ValueError, r"∂L/∂x has shape \(5, 2\)"),
        (broken(backward=lambda s, g: g), ValueError, "left no gradient for 'a'"),
        (
            broken(backward=lambda s, g: s.grads.update(a=np.ones((3, 1))) or g),
            ValueError,
            r"grads\['a'\] has shape \(3, 1\), but it must be \(3,\)",
        ),
        (broken(forward=in_place_forward), ValueError, "forward changes its argument in place"),
        (broken(backward=in_place_backward), ValueError, "backward changes its argument in place"),
    ],
)
def test_a_broken_layer_is_told_what_is_wrong(layer, error, words):
    x = Tensor(data()[0], requires_grad=True)
    with pytest.raises(error, match=words):
        Wired(layer)(x).sum().backward()
    assert x.grad is None


def test_errors_of_the_layer_itself_pass_unchanged():
    class Failing(Cube):
        def forward(self, x):
            raise ValueError("my own mistake")

    with pytest.raises(ValueError, match="my own mistake"):
        Wired(Failing())(np.ones((2, 3)))


def test_what_is_no_layer_is_refused():
    with pytest.raises(TypeError, match="no method backward"):
        Sequential(type("Half", (), {"forward": lambda self, x: x})())
    with pytest.raises(TypeError, match=r"is a class: write Cube\(…\)"):
        Sequential(Cube)


def test_edits_in_place_of_what_a_layer_needs_are_noticed():
    layer = Wired(Scale())
    x = Tensor(data()[0], requires_grad=True)
    for edited in (x, layer.parameters()[0]):
        out = layer(x).sum()
        edited.data += 1
        with pytest.raises(RuntimeError, match="through Scale"):
            out.backward()


def test_a_layer_with_slots_and_one_that_returns_its_argument():
    class Identity:
        __slots__ = ()

        def forward(self, x):
            return x

        def backward(self, grad):
            return grad

    x = Tensor(np.ones((2, 3)), requires_grad=True)
    out = Wired(Identity())(x)
    out.data += 0  # private and writable
    signal = np.full((2, 3), 2.0)
    out.backward(signal)
    np.testing.assert_array_equal(x.grad, signal)
    assert not np.shares_memory(x.grad, signal)


def test_forty_training_steps_do_not_grow_memory_with_the_collector_off():
    import tracemalloc

    kit = tracemalloc.Filter(True, str(Path(backprop_kit.__file__).parent / "*"))

    def held():
        """Bytes that the kit has asked for; the tests' own threads may ask for some meanwhile."""
        traces = tracemalloc.take_snapshot().filter_traces([kit])
        return sum(each.size for each in traces.statistics("filename"))

    X, y = data(N=200)
    net = network()

    def step():
        net.zero_grad()
        bce_with_logits(y, net(X)).backward()
        for p in net.parameters():
            p.data -= 0.01 * p.grad
        net(X)  # and a graph that nobody walks back

    step()
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        step()
        before = held()
        for _ in range(40):
            step()
        grown = held() - before
        left_for_the_collector = gc.collect()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < 20_000  # one step keeps more than that
    assert left_for_the_collector == 0
