"""The course's small network: its saved gradients are the engine's, and a difference is told."""

import numpy as np
import pytest

from backprop_kit import Tensor, bce_with_logits, ops
from backprop_kit import small_network as net


def test_the_saved_gradients_are_the_engines():
    W1, b1, W2, b2 = (Tensor(a, requires_grad=True) for a in (net.W1, net.b1, net.W2, net.b2))
    V2 = ops.linear(ops.linear(Tensor(net.X), W1, b1).relu(), W2, b2).retain_grad()
    loss = bce_with_logits(net.y, V2)
    loss.backward()
    assert loss.item() == pytest.approx(net.loss, rel=1e-14)
    np.testing.assert_allclose(V2.grad, net.signal, rtol=1e-13)
    for tensor, name in ((W1, "dW1"), (b1, "db1"), (W2, "dW2"), (b2, "db2")):
        np.testing.assert_allclose(tensor.grad, net.saved[name], rtol=1e-12)


def test_no_unit_stands_at_its_kink_and_each_is_on_and_off():
    V1 = net.X @ net.W1.T
    assert np.abs(V1).min() > 0.1
    on = (V1 > 0).sum(axis=0)
    assert on.min() > 0
    assert on.max() < len(net.X)


def test_compare_tells_right_from_wrong(capsys):
    net.compare(dW1=net.saved["dW1"], db1=net.saved["db1"].tolist())
    said = capsys.readouterr().out
    assert said.startswith("dW1: ✔ as saved, shape (3, 2)")
    assert "db1: ✔" in said
    wrong = net.saved["dW2"].copy()
    wrong[0, 1] = -1.38
    net.compare(dW2=wrong, dW1=net.saved["dW1"].T)
    said = capsys.readouterr().out
    assert "dW2: ✘ not as saved; at entry [0, 1] yours -1.38" in said
    assert "dW1: ✘ shape (2, 3), and the saved one has (3, 2)" in said
