"""What gradcheck can check: a function of Tensors, a function with gradients by hand, a layer.

Each is a `Subject`: inputs that can be moved, a value, and gradients that claim to be its own.
"""

import numpy as np

from backprop_kit.engine.layers import Layer
from backprop_kit.engine.tensor import Tensor, as_data, no_grad

from .observe import copied


class Subject:
    """Something with inputs, a value, and gradients that claim to be its own.

    names   of the numeric inputs; arrays: private float64 copies of them, moved to differentiate
    """

    def value(self):
        """f at the present contents of `arrays`, as an array or number."""
        raise NotImplementedError

    def gradients(self, upstream):
        """({name: claimed gradient}, names of inputs that were changed by computing them)."""
        raise NotImplementedError


def choose(f, inputs, grads):
    if grads is not None:
        return ByHand(f, inputs, grads)
    if not callable(f) or (hasattr(f, "forward") and hasattr(f, "backward")):
        if not (hasattr(f, "forward") and hasattr(f, "backward")):
            raise TypeError("gradcheck: f is neither a function nor a layer (forward, backward).")
        if len(inputs) != 1:
            raise TypeError(f"gradcheck: a layer takes one input, and {len(inputs)} are given.")
        return OfLayer(f, inputs[0])
    return OfTensors(f, inputs)


class OfTensors(Subject):
    def __init__(self, f, inputs):
        self.f = f
        self.fixed, self.arrays, self.notes = numeric_inputs(f, inputs)
        self.names = list(self.arrays)

    def call(self, requires_grad):
        leaves = {
            n: Tensor(a.copy()[()], requires_grad=requires_grad) for n, a in self.arrays.items()
        }
        out = self.f(*[leaves.get(key, value) for key, value in self.fixed])
        if not isinstance(out, Tensor):
            raise TypeError(
                "gradcheck: f returned no Tensor. Compute with the Tensors that it is given, or "
                "pass your own gradients as grads=."
            )
        return out, leaves

    def value(self):
        with no_grad():
            return self.call(requires_grad=False)[0].data

    def gradients(self, upstream):
        out, leaves = self.call(requires_grad=True)
        if out.requires_grad:
            out.backward(upstream)
        changed = [n for n in leaves if not same(leaves[n].data, self.arrays[n])]
        nothing = {n: np.zeros(a.shape)[()] for n, a in self.arrays.items()}
        return {
            n: nothing[n] if leaf.grad is None else leaf.grad for n, leaf in leaves.items()
        }, changed


class ByHand(Subject):
    def __init__(self, f, inputs, grads):
        self.f, self.grads = f, grads
        self.fixed, self.arrays, self.notes = numeric_inputs(f, inputs)
        self.names = list(self.arrays)

    def copies(self):
        given = {name: array.copy()[()] for name, array in self.arrays.items()}
        return given, [given.get(key, value) for key, value in self.fixed]

    def value(self):
        given, arguments = self.copies()
        value = self.f(*arguments)
        self.changed_by_f = [n for n in given if not same(given[n], self.arrays[n])]
        return value.data if isinstance(value, Tensor) else value

    def gradients(self, upstream):
        given, arguments = self.copies()
        answer = self.grads
        if callable(answer):
            answer = answer(*arguments) if np.ndim(upstream) == 0 else answer(upstream, *arguments)
        changed = [n for n in given if not same(given[n], self.arrays[n])]
        changed += self.changed_by_f
        if isinstance(answer, dict):
            return {n: answer.get(n) for n in self.names}, changed
        if not isinstance(answer, (tuple, list)) or len(self.names) == 1 != len(answer):
            answer = (answer,)
        if len(answer) != len(self.names):
            raise ValueError(
                f"grads: {len(answer)} gradients for the {len(self.names)} inputs "
                f"{', '.join(self.names)}"
            )
        return dict(zip(self.names, answer, strict=True)), changed


class OfLayer(Subject):
    def __init__(self, layer, x):
        self.layer, self.fixed, self.notes = layer, [("x", None)], []
        x = x.data if isinstance(x, Tensor) else x
        self.arrays = {"x": np.array(as_data(x))}
        tensors = layer.named_parameters() if isinstance(layer, Layer) else {}
        for name, value in (getattr(layer, "params", None) or {}).items():
            if name not in tensors or tensors[name].requires_grad:  # frozen ones have no gradient
                self.arrays[name] = np.array(as_data(value))
        self.names = list(self.arrays)

    def value(self):
        with self.parameters_set():
            x = self.arrays["x"].copy()[()]
            value = self.layer.forward(x)
            self.changed_by_f = [] if same(x, self.arrays["x"]) else ["x"]
            return value

    def parameters_set(self):
        """Write the present parameters into the layer, and its own ones back afterwards."""
        return Lent(self.layer, {n: a for n, a in self.arrays.items() if n != "x"})

    def gradients(self, upstream):
        with self.parameters_set():
            x = self.arrays["x"].copy()[()]
            self.layer.forward(x)
            signal = np.array(upstream)[()]
            dx = self.layer.backward(signal)
            changed = [] if same(x, self.arrays["x"]) else ["x"]
            if not same(signal, upstream):
                changed.append("the upstream signal")
            grads = getattr(self.layer, "grads", None) or {}
            # copies: the layer may use the same arrays again
            claimed = {n: copied(grads.get(n)) for n in self.names[1:]}
            return {"x": copied(dx), **claimed}, changed + self.changed_by_f


class Lent:
    """A layer's parameters, replaced for a while: in place where they are arrays."""

    def __init__(self, layer, values):
        self.layer, self.values = layer, values

    def write(self, values):
        params = getattr(self.layer, "params", None) or {}
        for name, value in values.items():
            if isinstance(params[name], np.ndarray):
                params[name][...] = value
            else:
                params[name] = value[()]

    def __enter__(self):
        params = getattr(self.layer, "params", None) or {}
        self.own = {name: np.array(params[name]) for name in self.values}
        self.write(self.values)

    def __exit__(self, *error):
        self.write(self.own)


def numeric_inputs(f, inputs):
    """([(name, None) or (None, value)], {name: float64 copy}, notes) for f's arguments in order."""
    fixed, arrays, notes = [], {}, []
    for name, value in zip(argument_names(f, len(inputs)), inputs, strict=True):
        value = value.data if isinstance(value, Tensor) else value
        try:
            array = np.array(as_data(value))
        except (TypeError, ValueError):
            fixed.append((None, value))
            continue
        if getattr(value, "dtype", None) == np.float32:
            notes.append(f"{name} is float32; it was converted to float64 for the check.")
        fixed.append((name, None))
        arrays[name] = array
    if not arrays:
        raise ValueError("gradcheck: there is no numeric input to differentiate with respect to.")
    return fixed, arrays, notes


def argument_names(f, count):
    import inspect

    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        return [f"argument {i}" for i in range(count)]
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in parameters if p.kind is p.VAR_POSITIONAL), "argument")
    return (names + [f"{rest}[{i}]" for i in range(max(0, count - len(names)))])[:count]


def same(a, b):
    return np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=True)
