"""The engine: the recorded graph, the backward pass, and the errors that teach."""

import copy
import gc
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

from backprop_kit import EngineOff, Tensor, engine_off, no_grad, ops
from backprop_kit.engine.tensor import Node, unbroadcast


def leaf(value):
    return Tensor(value, requires_grad=True)


# ----------------------------------------------------------------------- values


@pytest.mark.parametrize("value", [2, 2.0, True, np.float32(2), np.array(2), np.array(2.0), 10**30])
def test_scalars_are_numpy_float64_and_never_0d_arrays(value):
    t = Tensor(value)
    assert type(t.data) is np.float64
    assert t.shape == ()
    assert t.ndim == 0
    assert t.size == 1


def test_results_and_gradients_of_scalars_are_float64():
    x = leaf(2.0)
    v = leaf([1.0, 2.0, 3.0])
    for f in (
        lambda: x * 3,
        lambda: 3 / x,
        lambda: x.exp().relu().abs().sqrt(),
        lambda: v.sum(),
        lambda: v.mean(),
        lambda: v.max(),
        lambda: v[0],
        lambda: v[np.int64(1)],
        lambda: v @ v,
        lambda: v[:1].reshape(()),
        lambda: v[..., 0],
        lambda: x.sum(),
        lambda: x.sigmoid(),
        lambda: x.softplus(),
        lambda: ops.maximum(x, 1.0),
        lambda: x**2.5,
        lambda: ops.bce_with_logits(1.0, x),
    ):
        x.grad = None
        out = f()
        assert type(out.data) is np.float64
        out.backward()
        assert x.grad is None or type(x.grad) is np.float64


def test_integers_become_float64_and_float64_arrays_are_shared():
    assert Tensor([[1, 2]]).data.dtype == np.float64
    a = np.zeros(3)
    assert Tensor(a).data is a
    t = leaf(a)
    t.data -= 1.0
    np.testing.assert_array_equal(a, -1)


@pytest.mark.parametrize(
    ("data", "error", "word"),
    [
        (1j, TypeError, "complex"),
        (np.array([1j]), TypeError, "complex"),
        ("two", TypeError, "real numbers"),
        (None, TypeError, "real numbers"),
        ([None, 1.0], TypeError, "real numbers"),
        (np.array(["a"]), TypeError, "real numbers"),
        ([[1.0], [1.0, 2.0]], ValueError, "ragged"),
    ],
)
def test_what_is_no_array_of_real_numbers_is_refused(data, error, word):
    with pytest.raises(error, match=word):
        Tensor(data)
    with pytest.raises(error, match=word):
        Tensor([1.0, 2.0]) + data


def test_a_tensor_of_tensors_is_refused():
    with pytest.raises(TypeError, match="already"):
        Tensor(Tensor(1.0))
    with pytest.raises(TypeError, match="lose its gradient"):
        Tensor([leaf(1.0), leaf(2.0)])


def test_numpy_functions_on_a_tensor_are_refused_with_advice():
    x = leaf([1.0, 2.0])
    for f in (np.exp, np.sum, np.asarray, lambda t: np.add(t, 1.0), lambda t: np.dot(t, t)):
        with pytest.raises(TypeError):
            f(x)
    with pytest.raises(TypeError, match=r"x\.data"):
        np.asarray(x)


@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.float32(2), np.int64(2)])
def test_operators_with_numbers_on_either_side(other):
    x = leaf(3.0)
    outs = [x + other, other + x, x - other, other - x, x * other, other * x]
    outs += [x / other, other / x, x**other, other**x]
    values = [5, 5, 1, -1, 6, 6, 1.5, 2 / 3, 9, 8]
    slopes = [1, 1, 1, -1, 2, 2, 0.5, -2 / 9, 6, 8 * np.log(2)]
    for out, value, slope in zip(outs, values, slopes, strict=True):
        assert type(out) is Tensor
        x.grad = None
        out.backward()
        np.testing.assert_allclose([out.data, x.grad], [value, slope])


def test_operators_with_arrays_on_either_side():
    a, x = np.array([[1.0, 2.0], [3.0, 4.0]]), leaf([5.0, 6.0])
    pairs = [(a + x, a + x.data), (a - x, a - x.data), (a * x, a * x.data), (a / x, a / x.data)]
    pairs += [(a @ x, a @ x.data), (x @ a, x.data @ a), (a**x, a**x.data), (x - a, x.data - a)]
    pairs += [([1, 2] * x, np.array([1, 2]) * x.data)]
    for out, expected in pairs:
        assert type(out) is Tensor
        np.testing.assert_allclose(out.data, expected)


def test_comparisons_look_at_values_and_identity_decides_equality():
    a, b = leaf(1.0), leaf(1.0)
    assert a < 2
    assert a >= b
    assert a <= 1
    assert not a > b
    assert a != b  # equal values are not the same Tensor
    assert len({a, b}) == 2
    assert bool(Tensor(0.0)) is False
    assert float(leaf([[2.5]])) == 2.5
    np.testing.assert_array_equal(leaf([1.0, 3.0]) > 2, [False, True])


def test_iteration_and_length():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    total = sum(row.sum() for row in x)
    total.backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 2)))
    with pytest.raises(TypeError):
        list(leaf(1.0))


def test_assigning_to_entries_is_explained():
    with pytest.raises(TypeError, match=r"\.data"):
        leaf([1.0])[0] = 2.0


def test_repr_says_what_it_is():
    x = leaf([1.0, 2.0])
    x.name = "x"
    assert repr(x) == "Tensor([1., 2.], name='x', requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 4.], from mul)"
    assert repr(Tensor(2)) == "Tensor(2.)"


# ----------------------------------------------------------------------- backward


def test_the_worked_example():
    x, y, z = leaf(-2.0), leaf(5.0), leaf(-4.0)
    f = (x + y) * z
    f.backward()
    assert (f.data, x.grad, y.grad, z.grad) == (-12, -4, -4, 3)


def test_fan_out_accumulates():
    x, y = leaf(3.0), leaf(4.0)
    (x * y + x * x).backward()
    assert (x.grad, y.grad) == (10, 3)
    v = leaf(np.arange(3.0))
    (v + v + v + v + v * v).sum().backward()
    np.testing.assert_array_equal(v.grad, 4 + 2 * np.arange(3.0))


def test_a_long_path_and_a_short_one_meet():
    x = leaf(2.0)
    a = x * x
    b = a
    for _ in range(5):
        b = b * 1.0 + 0.0
    (a * 3 + b).backward()
    assert x.grad == 16


def test_gradients_of_several_backward_calls_add_up_in_new_arrays():
    x = leaf([1.0, 2.0])
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad, [5, 5])
    np.testing.assert_array_equal(first, [2, 2])  # what was taken from .grad stays as it was
    x.zero_grad()
    assert x.grad is None


def test_equal_constants_do_not_share_a_gradient():
    a, b = leaf(1.0), leaf(1.0)
    (a * 2 + b * 5).backward()
    assert (a.grad, b.grad) == (2, 5)
    u, v = leaf(np.ones(2)), leaf(np.ones(2))
    (u * 2 + v * 5).sum().backward()
    np.testing.assert_array_equal([u.grad, v.grad], [[2, 2], [5, 5]])


def test_square_matrix_times_vector():
    W, x = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf([5.0, 7.0])
    (W @ x).backward(np.array([1.0, 10.0]))
    np.testing.assert_array_equal(W.grad, [[5, 7], [50, 70]])
    np.testing.assert_array_equal(x.grad, [31, 42])


@pytest.mark.parametrize("shape", [(1,), (3,), (1, 1), (3, 1), (1, 3), (5, 1, 3), (2, 0), (0,)])
def test_relu_of_odd_shapes(shape):
    a = np.linspace(-1.0, 1.5, int(np.prod(shape))).reshape(shape)
    x = leaf(a)
    x.relu().sum().backward()
    np.testing.assert_array_equal(x.grad, (a > 0).astype(float))


def test_interior_gradients_on_request_only():
    x = leaf(3.0)
    a = (x * 2).retain_grad()
    b = a * a
    b.backward()
    assert a.grad == 12
    assert b.grad is None
    assert x.grad == 24
    assert x.retain_grad() is x
    with pytest.raises(ValueError, match="constant"):
        Tensor(1.0).retain_grad()


def test_interior_gradients_stay_after_backward_and_add_up():
    x = leaf([1.0, 2.0])
    h = (x * 2).retain_grad()
    out = (h * h).sum()
    out.retain_grad()
    out.backward(keep_graph=True)
    np.testing.assert_array_equal(h.grad, [4, 8])
    assert out.grad == 1
    h.grad += 0  # it is a private array
    out.backward()
    np.testing.assert_array_equal(h.grad, [8, 16])
    np.testing.assert_array_equal(x.grad, [16, 32])


def test_backward_twice_is_an_error_unless_the_graph_was_kept():
    x = leaf(3.0)
    f = x * x
    f.backward(keep_graph=True)
    f.backward()
    assert x.grad == 12  # nothing stale from the first pass enters the second
    with pytest.raises(RuntimeError, match="keep_graph"):
        f.backward()
    assert x.grad == 12


def test_a_shared_part_that_was_used_up_is_an_error_that_leaves_gradients_alone():
    x, y = leaf(3.0), leaf(2.0)
    shared = x * x
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="mul was used"):
        (y * shared).backward()
    assert x.grad == 12
    assert y.grad is None


def test_backward_from_more_than_one_number_needs_a_signal():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match="signal from above"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(ValueError, match="must have"):
        (x * 2).sum().backward(np.ones((1, 1)))
    (x * 2).backward([1, 10])
    np.testing.assert_array_equal(x.grad, [2, 20])
    x.grad = None
    (x * 2).backward(Tensor([1.0, 1.0]))
    np.testing.assert_array_equal(x.grad, [2, 2])


def test_backward_from_a_leaf_and_from_one_entry():
    x = leaf(2.0)
    x.backward()
    assert x.grad == 1
    g = np.ones(2)
    v = leaf([1.0, 2.0])
    v.backward(g)
    assert v.grad is not g
    a = leaf([[3.0]])
    (a.T @ a).backward()
    np.testing.assert_array_equal(a.grad, [[6.0]])


def test_backward_where_nothing_requires_a_gradient():
    for t in (Tensor(1.0), Tensor(1.0) * 2, leaf(1.0).detach() * 2):
        with pytest.raises(ValueError, match="requires_grad=True"):
            t.backward()


def test_detach_cuts():
    x = leaf(3.0)
    f = x * (x * x).detach()
    f.backward()
    assert x.grad == 9
    a = leaf([1.0])
    assert a.detach().data is a.data
    assert not a.detach().requires_grad


def test_no_grad_records_nothing():
    x = leaf([1.0])
    with no_grad():
        for out in (x * 2, x.exp(), x @ x, x[0], 1 - x):
            assert not out.requires_grad
        with no_grad():
            pass
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_requires_grad_can_be_switched_on_leaves():
    x, y = leaf(2.0), leaf(3.0)
    x.requires_grad = False
    f = x * y
    f.backward()
    assert (x.grad, y.grad) == (None, 2)
    x.requires_grad = True
    assert (x * y)._node.parents == (x, y)
    with pytest.raises(ValueError, match="detach"):
        (x * y).requires_grad = False


# ----------------------------------------------------------------------- edits in place


KEEPS = {  # name: (operation of x and w, what a program might edit in place before backward)
    "mul": (lambda x, w: x * w, "x w"),
    "div": (lambda x, w: x / w, "x w"),
    "pow": (lambda x, w: x**w, "x w out"),
    "square": (lambda x, w: x**2 * w.sum(), "x"),
    "exp": (lambda x, w: x.exp() + w, "out"),
    "log": (lambda x, w: x.log() + w, "x"),
    "tanh": (lambda x, w: (x * w).tanh(), "out"),
    "sigmoid": (lambda x, w: (x * w).sigmoid(), "out x"),
    "matmul": (lambda x, w: x @ w.T, "x w"),
    "linear": (lambda x, w: ops.linear(x, w, np.ones(len(w.data))), "x w"),
}


@pytest.mark.parametrize("shape", [(2, 3), (40, 30)])
@pytest.mark.parametrize("name", KEEPS)
def test_edits_in_place_of_what_backward_needs_are_noticed(name, shape):
    f, edits = KEEPS[name]
    for edited in edits.split():
        x, w = (leaf(np.random.default_rng(i).uniform(0.5, 1, shape)) for i in (1, 2))
        out = f(x, w)
        if edited == "out" and name in ("exp", "log"):
            out = x.exp() if name == "exp" else x.log()
        total = out.sum()
        {"x": x, "w": w, "out": out}[edited].data *= 1.5
        with pytest.raises(RuntimeError, match="in place"):
            total.backward()
        assert x.grad is None
        assert w.grad is None


def test_the_message_names_the_operation():
    x = leaf([1.0, 2.0])
    y = (x.exp() * 2).sum()
    x.data += 1
    y.backward()  # exp keeps its output, not x: nothing was needed
    y = (x.log() * 2).sum()
    x.data += 1
    with pytest.raises(RuntimeError, match=r"through log.*\(2,\)"):
        y.backward()


def test_edits_of_two_vectors_whose_product_is_a_scalar():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    out = a @ b
    b.data[0] = 7
    with pytest.raises(RuntimeError, match="through matmul"):
        out.backward()


def test_one_column_of_a_large_array_is_noticed_too():
    x = leaf(np.ones((256, 256)))
    y = (x * x).sum()
    x.data[:, 3] = 0
    with pytest.raises(RuntimeError, match="in place"):
        y.backward()
    x = leaf(np.ones((300, 300))[:, ::2])
    y = (x * x).sum()
    x.data[:] = 0
    with pytest.raises(RuntimeError, match="in place"):
        y.backward()


def test_the_natural_optimiser_step_is_never_in_the_way():
    w, x = leaf(np.ones((2, 3))), np.ones((3, 1))
    for _ in range(3):
        w.zero_grad()
        loss = ((w @ x) ** 2).sum()
        loss.backward()
        w.data -= 0.01 * w.grad
        ((w @ x) ** 2).sum()  # a forward pass that is never walked back
        w.data -= 0.01 * w.grad
    w.data = w.data - 0.01 * w.grad


def test_rebinding_data_does_not_disturb_a_recorded_graph():
    x = leaf([2.0, 3.0])
    y = (x * x).sum()
    x.data = np.array([100.0, 100.0])
    y.backward()
    np.testing.assert_array_equal(x.grad, [4, 6])


# ----------------------------------------------------------------------- the record


def test_the_graph_can_be_read():
    x, y = leaf([1.0, 2.0]), leaf(3.0)
    f = (x * y + 1.0).sum()
    assert x._node is x
    assert Tensor(1.0)._node is None
    total = f._node
    plus = total.parents[0]
    times = plus.parents[0]
    assert [n.op.__name__ for n in (total, plus, times)] == ["sum", "add", "mul"]
    assert times.parents == (x, y)
    assert len(plus.parents) == len(plus.vjps) == 1  # the constant needs no gradient
    assert times.order < plus.order < total.order
    g = np.array([1.0, 10.0])
    np.testing.assert_array_equal(times.vjps[0](g), [3, 30])
    assert times.vjps[1](g) == 21  # already summed back to the scalar's shape
    assert total.grad is None
    assert repr(total) == f"Node(sum, order={total.order})"
    f.backward()
    assert total.parents is None
    assert total.vjps is None


def test_values_that_no_derivative_needs_die_at_once():
    x = leaf(np.ones(10))
    a = x * 2.0
    gone = weakref.ref(a)
    b = a + 1.0
    del a
    assert gone() is None
    b.sum().backward()


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = leaf(np.ones(3))
        h = (x * 2).retain_grad()
        loss = (h.exp() @ h).reshape(1)[0].sum()
        watched = [weakref.ref(t) for t in (x, h, loss)]
        loss.backward()
        del x, h, loss
        assert [w() for w in watched] == [None] * 3
        x = leaf(np.ones(3))  # and without a backward pass
        loss = (x * 2).sum()
        watched = [weakref.ref(t) for t in (x, loss)]
        del x, loss
        assert [w() for w in watched] == [None] * 2
    finally:
        gc.enable()


def test_a_chain_of_a_million_nodes():
    x = leaf(1.0)
    y = x
    for _ in range(500_000):
        y = y * 1.000001 + 0.0
    y.backward()
    np.testing.assert_allclose(x.grad, 1.000001**500_000)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    del y  # dropping a graph that was never used must not recurse either


def test_exponentially_many_paths_cost_one_visit_a_node():
    x = leaf(1.0)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


def test_copies_and_pickles_of_leaves():
    x = leaf([1.0, 2.0])
    x.name = "x"
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        (twin * 2).sum().backward()
        assert twin.name == "x"
        np.testing.assert_array_equal(twin.grad, [2, 2])
        assert x.grad is None


def test_subclasses_of_tensor_take_part():
    class Special(Tensor):
        pass

    x = Special(3.0, requires_grad=True)
    (2 * x * x + ops.matmul(Tensor([1.0]), Tensor([1.0]))).backward()
    assert x.grad == 12


def test_threads_can_compute_side_by_side():
    results = []

    def work(k):
        x = leaf(float(k))
        y = x
        for _ in range(2000):
            y = y * 1.0 + x
        y.backward()
        results.append(x.grad)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [2001.0] * 4


# ----------------------------------------------------------------------- unbroadcast


@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((2, 3), ()),
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((2, 3), (1, 1)),
        ((4, 2, 3), (2, 1)),
        ((4, 2, 3), (1, 2, 3)),
        ((1, 1), ()),
        ((1, 3), (3,)),
        ((0, 3), (1, 3)),
        ((2, 3), (2, 3)),
    ],
)
def test_unbroadcast(shape, to):
    g = np.random.default_rng(0).normal(size=shape)
    result = unbroadcast(g, to)
    assert result.shape == to
    # The sum over every place in `shape` that looks at one entry of `to`.
    expected = np.zeros(to)
    where = np.broadcast_to(np.arange(max(1, expected.size)).reshape(to), shape)
    np.add.at(expected.reshape(-1), where.reshape(-1), g.reshape(-1))
    np.testing.assert_allclose(result, expected)


# ----------------------------------------------------------------------- the switch


def test_engine_off_stops_everything():
    x = leaf([1.0, 2.0])
    kept = (x * 2).sum()
    attempts = [
        lambda: Tensor(1.0),
        lambda: x + 1,
        lambda: 1 - x,
        lambda: x.exp(),
        lambda: x @ x,
        lambda: x[0],
        lambda: x.T,
        lambda: ops.exp(np.ones(2)),
        lambda: Tensor(1.0).detach(),
        lambda: x.detach(),
        kept.backward,
    ]
    with engine_off():
        for attempt in attempts:
            with pytest.raises(EngineOff, match="by hand"):
                attempt()
        with engine_off():
            pass
        with pytest.raises(EngineOff):
            x + 1
    kept.backward()
    np.testing.assert_array_equal(x.grad, [2, 2])
    assert issubclass(EngineOff, RuntimeError)
    with pytest.raises(ZeroDivisionError), engine_off():
        raise ZeroDivisionError
    x + 1


def test_importing_brings_numpy_and_nothing_to_draw_with():
    code = (
        "import sys, backprop_kit\n"
        "backprop_kit.Tensor(1.0)\n"
        "heavy = {'matplotlib', 'ipywidgets', 'IPython', 'scipy', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nodes_are_light():
    assert not hasattr(Node(), "__dict__")
    assert not hasattr(leaf(1.0), "__dict__")
