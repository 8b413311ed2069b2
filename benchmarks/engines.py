"""The same workloads for each engine, written the way its own users would write them.

An engine is a class whose methods build a workload's step: a function of nothing that goes forward
and backward once. Where an engine lacks a workload the method is missing.
"""

import math

import numpy as np

from .hand import mlp_arrays, norm_arrays


class Kit:
    name = "backprop_kit"

    def __init__(self):
        import backprop_kit
        from backprop_kit import ops
        from backprop_kit.engine import layers

        self.Tensor, self.layers, self.ops = backprop_kit.Tensor, layers, ops

    def xyz(self):
        Tensor = self.Tensor

        def step():
            x, y, z = Tensor(-2.0, True), Tensor(5.0, True), Tensor(-4.0, True)
            f = (x + y) * z
            f.backward()
            return f, x.grad, y.grad, z.grad

        return step

    def neuron(self):
        Tensor = self.Tensor

        def step():
            w0, x0, w1 = Tensor(2.0, True), Tensor(-1.0, True), Tensor(-3.0, True)
            x1, w2 = Tensor(-2.0, True), Tensor(-3.0, True)
            f = 1.0 / (1.0 + (-(w0 * x0 + w1 * x1 + w2)).exp())
            f.backward()
            return f, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

        return step

    def chain(self, n):
        def step():
            x = y = self.Tensor(1.0, True)
            for i in range(n):
                y = y * 1.000001 if i & 1 else y + 0.5
            y.backward()
            return y, x.grad

        return step

    def norm_sq(self, m, n):
        W, x = norm_arrays(m, n)

        def step():
            w, v = self.Tensor(W, True), self.Tensor(x, True)
            f = ((w @ v) ** 2).sum()
            f.backward()
            return f, w.grad, v.grad

        return step

    def mlp(self, depth, width, batch, frozen=0):
        X, y, params = mlp_arrays(depth, width, batch)
        kit = self.layers
        stages = []
        for W, b in params:
            linear = kit.Linear(1, 1)
            linear.W.data, linear.b.data = W, b
            stages += [linear, kit.ReLU()]
        net = kit.Sequential(*stages[:-1])
        net[: 2 * frozen].freeze()
        trainable = [p for p in net.parameters() if p.requires_grad]

        def step():
            for p in trainable:
                p.grad = None
            loss = kit.bce_with_logits(y, net(X))
            loss.backward()
            grads = [p.grad for p in trainable]
            return loss, list(zip(grads[0::2], grads[1::2], strict=True))[::-1]

        return step


class Micrograd:
    name = "micrograd"

    def __init__(self):
        from micrograd.engine import Value

        self.Value = Value

    def exp(self, x):
        """micrograd has no exponential; this is how one adds an operation to it."""
        out = self.Value(math.exp(x.data), (x,), "exp")

        def backward():
            x.grad += out.data * out.grad

        out._backward = backward
        return out

    def xyz(self):
        def step():
            x, y, z = self.Value(-2.0), self.Value(5.0), self.Value(-4.0)
            f = (x + y) * z
            f.backward()
            return f, x.grad, y.grad, z.grad

        return step

    def neuron(self):
        Value = self.Value

        def step():
            w0, x0, w1, x1, w2 = Value(2.0), Value(-1.0), Value(-3.0), Value(-2.0), Value(-3.0)
            f = 1.0 / (1.0 + self.exp(-(w0 * x0 + w1 * x1 + w2)))
            f.backward()
            return f, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

        return step

    def chain(self, n):
        def step():
            x = y = self.Value(1.0)
            for i in range(n):
                y = y * 1.000001 if i & 1 else y + 0.5
            y.backward()
            return y, x.grad

        return step

    def norm_sq(self, m, n):
        if m * n > 100:
            raise NotImplementedError("scalars only")
        W, x = norm_arrays(m, n)

        def step():
            w = [[self.Value(v) for v in row] for row in W]
            v = [self.Value(entry) for (entry,) in x]
            a = [sum(p * q for p, q in zip(row, v, strict=True)) for row in w]
            f = sum(entry**2 for entry in a)
            f.backward()
            return f, [[p.grad for p in row] for row in w], [[p.grad] for p in v]

        return step


class Torch:
    name = "PyTorch"

    def __init__(self):
        import torch

        torch.set_num_threads(1)
        self.torch = torch

    def leaf(self, value):
        return self.torch.tensor(value, dtype=self.torch.float64, requires_grad=True)

    def xyz(self):
        def step():
            x, y, z = self.leaf(-2.0), self.leaf(5.0), self.leaf(-4.0)
            f = (x + y) * z
            f.backward()
            return f, x.grad, y.grad, z.grad

        return step

    def neuron(self):
        def step():
            w0, x0, w1, x1, w2 = map(self.leaf, (2.0, -1.0, -3.0, -2.0, -3.0))
            f = 1.0 / (1.0 + self.torch.exp(-(w0 * x0 + w1 * x1 + w2)))
            f.backward()
            return f, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

        return step

    def chain(self, n):
        def step():
            x = y = self.leaf(1.0)
            for i in range(n):
                y = y * 1.000001 if i & 1 else y + 0.5
            y.backward()
            return y, x.grad

        return step

    def norm_sq(self, m, n):
        W, x = norm_arrays(m, n)

        def step():
            w = self.torch.from_numpy(W).requires_grad_()
            v = self.torch.from_numpy(x).requires_grad_()
            f = ((w @ v) ** 2).sum()
            f.backward()
            return f, w.grad, v.grad

        return step

    def mlp(self, depth, width, batch, frozen=0):
        torch = self.torch
        X, y, params = mlp_arrays(depth, width, batch)
        X, y = torch.from_numpy(X), torch.from_numpy(y)
        tensors = [
            [torch.from_numpy(a).requires_grad_(k >= frozen) for a in pair]
            for k, pair in enumerate(params)
        ]

        def step():
            for pair in tensors:
                for p in pair:
                    p.grad = None
            h = X
            for W, b in tensors[:-1]:
                h = torch.relu(torch.nn.functional.linear(h, W, b))
            v = torch.nn.functional.linear(h, *tensors[-1])
            loss = torch.nn.functional.binary_cross_entropy_with_logits(v, y)
            loss.backward()
            return loss, [(W.grad, b.grad) for W, b in tensors[frozen:]][::-1]

        return step


class Autograd:
    name = "HIPS autograd"

    def __init__(self):
        import autograd
        import autograd.numpy

        self.value_and_grad, self.np = autograd.value_and_grad, autograd.numpy

    def xyz(self):
        gradient = self.value_and_grad(lambda x, y, z: (x + y) * z, argnum=(0, 1, 2))

        def step():
            f, grads = gradient(-2.0, 5.0, -4.0)
            return f, *grads

        return step

    def neuron(self):
        def f(w0, x0, w1, x1, w2):
            return 1.0 / (1.0 + self.np.exp(-(w0 * x0 + w1 * x1 + w2)))

        gradient = self.value_and_grad(f, argnum=(0, 1, 2, 3, 4))

        def step():
            f, grads = gradient(2.0, -1.0, -3.0, -2.0, -3.0)
            return f, *grads

        return step

    def chain(self, n):
        def f(y):
            for i in range(n):
                y = y * 1.000001 if i & 1 else y + 0.5
            return y

        gradient = self.value_and_grad(f)
        return lambda: gradient(1.0)

    def norm_sq(self, m, n):
        W, x = norm_arrays(m, n)
        gradient = self.value_and_grad(lambda W, x: self.np.sum((W @ x) ** 2), argnum=(0, 1))

        def step():
            f, grads = gradient(W, x)
            return f, *grads

        return step

    def mlp(self, depth, width, batch, frozen=0):
        X, y, params = mlp_arrays(depth, width, batch)
        np = self.np
        lower, upper = params[:frozen], params[frozen:]

        def f(upper):
            layers = lower + list(upper)
            h = X
            for W, b in layers[:-1]:
                h = np.maximum(np.dot(h, W.T) + b, 0.0)
            v = np.dot(h, layers[-1][0].T) + layers[-1][1]
            return np.mean(np.logaddexp(0.0, v) - y * v)

        gradient = self.value_and_grad(f)

        def step():
            loss, grads = gradient(upper)
            return loss, grads[::-1]

        return step


class MyGrad:
    name = "mygrad"

    def __init__(self):
        import mygrad

        self.mg = mygrad

    def xyz(self):
        def step():
            x, y, z = self.mg.tensor(-2.0), self.mg.tensor(5.0), self.mg.tensor(-4.0)
            f = (x + y) * z
            f.backward()
            return f, x.grad, y.grad, z.grad

        return step

    def neuron(self):
        def step():
            w0, x0, w1, x1, w2 = map(self.mg.tensor, (2.0, -1.0, -3.0, -2.0, -3.0))
            f = 1.0 / (1.0 + self.mg.exp(-(w0 * x0 + w1 * x1 + w2)))
            f.backward()
            return f, w0.grad, x0.grad, w1.grad, x1.grad, w2.grad

        return step

    def chain(self, n):
        def step():
            x = y = self.mg.tensor(1.0)
            for i in range(n):
                y = y * 1.000001 if i & 1 else y + 0.5
            y.backward()
            return y, x.grad

        return step

    def norm_sq(self, m, n):
        W, x = norm_arrays(m, n)

        def step():
            w, v = self.mg.tensor(W, copy=False), self.mg.tensor(x, copy=False)
            f = ((w @ v) ** 2).sum()
            f.backward()
            return f, w.grad, v.grad

        return step

    def mlp(self, depth, width, batch, frozen=0):
        mg = self.mg
        X, y, params = mlp_arrays(depth, width, batch)
        tensors = [
            [mg.tensor(a, copy=False, constant=k < frozen) for a in pair]
            for k, pair in enumerate(params)
        ]

        def step():
            h = X
            for W, b in tensors[:-1]:
                h = mg.maximum(mg.matmul(h, W.T) + b, 0.0)
            v = mg.matmul(h, tensors[-1][0].T) + tensors[-1][1]
            loss = mg.mean(mg.logaddexp(0.0, v) - y * v)
            loss.backward()
            return loss, [(W.grad, b.grad) for W, b in tensors[frozen:]][::-1]

        return step


ENGINES = {cls.__name__.lower(): cls for cls in (Kit, Micrograd, Autograd, MyGrad, Torch)}


def numbers(result):
    """A step's result as one flat float array, whatever the engine wraps its numbers in."""
    if isinstance(result, (tuple, list)):
        return np.concatenate([numbers(r) for r in result])
    for attribute in ("detach", "data"):
        if hasattr(result, attribute) and not isinstance(result, (np.ndarray, np.generic)):
            result = getattr(result, attribute)
            result = result() if callable(result) else result
    return np.asarray(result, dtype=float).reshape(-1)
