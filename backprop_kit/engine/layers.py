"""Layers and losses on top of the engine, and how a layer of your own joins in.

The layer protocol, which every layer here follows and any object may:

    forward(x)      takes and returns an array, and keeps on self what backward needs
    backward(grad)  takes ∂L/∂y, returns ∂L/∂x, and leaves ∂L/∂parameter in self.grads
    params, grads   dicts of arrays under the same names; missing where there are none

The kit's layers are called on Tensors besides: `layer(x)`. `Sequential` wires both kinds into the
recorded graph; an object that knows only the protocol becomes one node, whose vjps call its
backward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from . import ops
from .tensor import Tensor, as_data, record

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .tensor import Array, Operand

# ------------------------------------------------------------------------------------ layers


class Layer:
    """What the kit's layers share. A subclass says what it computes in `__call__`."""

    def __call__(self, x: Operand) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not say what it computes")

    def named_parameters(self) -> dict[str, Tensor]:
        """{name: Tensor}: the trainable (or frozen) Tensors of this layer."""
        return {n: t for n, t in vars(self).items() if isinstance(t, Tensor) and n[0] != "_"}

    def parameters(self) -> list[Tensor]:
        """A list of the parameter Tensors, each once. Step them in place: p.data -= lr * p.grad."""
        return list({id(p): p for p in self.named_parameters().values()}.values())

    def freeze(self) -> Self:
        """Parameters no longer require a gradient: they stay as they are. Returns the layer."""
        for p in self.parameters():
            p.requires_grad = False
        return self

    def unfreeze(self) -> Self:
        """Parameters require a gradient again. Returns the layer."""
        for p in self.parameters():
            p.requires_grad = True
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for p in self.parameters():
            p.grad = None

    # -- the layer protocol, on arrays

    @property
    def params(self) -> dict[str, Array]:
        return {name: p.data for name, p in self.named_parameters().items()}

    def forward(self, x: ArrayLike) -> Array:
        """The layer's value for an array x, as an array; keeps the graph for backward."""
        self._x = Tensor(x, requires_grad=True)
        self._y = self(self._x)
        return self._y.data

    def backward(self, grad: ArrayLike) -> Array:
        """∂L/∂x from grad = ∂L/∂y; the parameters' gradients appear in `grads`, by name."""
        named = {n: p for n, p in self.named_parameters().items() if p.requires_grad}
        outside = {name: p.grad for name, p in named.items()}  # .grad belongs to Tensor.backward()
        self._x.grad = None
        for p in named.values():
            p.grad = None
        try:
            self._y.backward(grad, keep_graph=True)
            self.grads = {name: p.grad for name, p in named.items()}
        finally:
            for name, p in named.items():
                p.grad = outside[name]
        return self._x.grad

    def __repr__(self):
        return f"{type(self).__name__}()"


def parameter(name, array):
    leaf = Tensor(array, requires_grad=True)
    leaf.name = name
    return leaf


class Linear(Layer):
    """Y = X Wᵀ + b, with X (N, n_in), W (n_out, n_in), b (n_out,), Y (N, n_out).

    W is drawn from a normal distribution of variance 2/n_in, which keeps the signal's size from
    layer to layer of a ReLU network (He et al., 2015); b starts at 0. `rng` is a NumPy Generator.
    """

    b: Tensor | None

    def __init__(
        self, n_in: int, n_out: int, bias: bool = True, rng: np.random.Generator | None = None
    ) -> None:
        rng = np.random.default_rng() if rng is None else rng
        self.W = Tensor(
            rng.normal(0.0, np.sqrt(2.0 / n_in), size=(n_out, n_in)), requires_grad=True
        )
        self.W.name = "W"
        self.b = None
        if bias:
            self.b = Tensor(np.zeros(n_out), requires_grad=True)
            self.b.name = "b"

    def __call__(self, x: Operand) -> Tensor:
        return ops.linear(x, self.W, self.b)

    def __repr__(self):
        n_out, n_in = self.W.shape
        return f"Linear({n_in}, {n_out}{'' if self.b is not None else ', bias=False'})"


class ReLU(Layer):
    """max(x, 0), elementwise; its derivative at 0 is 0."""

    def __call__(self, x: Operand) -> Tensor:
        return ops.relu(x)


class Sigmoid(Layer):
    """1/(1+e⁻ˣ), elementwise."""

    def __call__(self, x: Operand) -> Tensor:
        return ops.sigmoid(x)


class Softplus(Layer):
    """log(1+eˣ), elementwise: a ReLU without the kink."""

    def __call__(self, x: Operand) -> Tensor:
        return ops.softplus(x)


class Sequential(Layer):
    """Layers one after another: kit layers and objects that follow the layer protocol.

    `layers` are the objects as given; `net[i]` is one of them, ready to be called on a Tensor, and
    `net[a:b]` a Sequential of a part, with the same parameters: `net[:2].freeze()`.
    """

    def __init__(self, *layers: Any) -> None:
        wired = {}  # an object that appears twice has one set of parameters
        self._stages = [
            stage if isinstance(stage, Layer) else wired.setdefault(id(stage), Wired(stage))
            for stage in layers
        ]

    @property
    def layers(self) -> list[Any]:
        return [s.layer if isinstance(s, Wired) else s for s in self._stages]

    def __call__(self, x: Operand) -> Tensor:
        for stage in self._stages:
            x = stage(x)
        return x if isinstance(x, Tensor) else Tensor(x)

    def named_parameters(self) -> dict[str, Tensor]:
        return {
            f"{i}.{name}": p
            for i, stage in enumerate(self._stages)
            for name, p in stage.named_parameters().items()
        }

    def __len__(self) -> int:
        return len(self._stages)

    def __getitem__(self, index: Any) -> Layer:
        return Sequential(*self._stages[index]) if isinstance(index, slice) else self._stages[index]

    def __repr__(self):
        return f"Sequential({', '.join(map(repr, self._stages))})"


def members(things):
    """The Tensors and layers among things: lists and tuples are opened."""
    for thing in things:
        if isinstance(thing, (list, tuple)):
            yield from members(thing)
        elif isinstance(thing, (Tensor, Layer)):
            yield thing
        else:
            raise TypeError(
                f"{type(thing).__name__} is neither a Tensor nor a layer of the kit. "
                "Put it into a Sequential (or Wired) first: that makes Tensors of its parameters."
            )


def parameters(*things: Any) -> list[Tensor]:
    """The parameter Tensors of layers, Tensors, or lists of them: each once."""
    found = [p for t in members(things) for p in ([t] if isinstance(t, Tensor) else t.parameters())]
    return list({id(p): p for p in found}.values())


def freeze(*things: Any) -> None:
    """Parameters (of layers, or Tensors) no longer require a gradient: they stay as they are."""
    for p in parameters(*things):
        p.requires_grad = False


def unfreeze(*things: Any) -> None:
    """Parameters (of layers, or Tensors) require a gradient again."""
    for p in parameters(*things):
        p.requires_grad = True


# ------------------------------------------------------------------------------------ losses


def bce(y: Operand, y_hat: Operand) -> Tensor | Any:
    """Binary cross-entropy, the mean of −y log ŷ − (1−y) log(1−ŷ); y and ŷ of one shape, 0 < ŷ < 1.

    A Tensor if one of them is a Tensor, else a float.
    """
    return loss(ops.bce, y, y_hat)


def bce_with_logits(y: Operand, v: Operand) -> Tensor | Any:
    """Binary cross-entropy of ŷ = σ(v), computed from the logits v: finite for every v.

    A Tensor if one of them is a Tensor, else a float.
    """
    return loss(ops.bce_with_logits, y, v)


def loss(op, y, prediction):
    value = op(y, prediction)
    return value if isinstance(y, Tensor) or isinstance(prediction, Tensor) else value.item()


# --------------------------------------------------------------------------- your own layers


class Wired(Layer):
    """Any object with forward(x) and backward(grad), as a layer that can be called on Tensors.

    Its arrays in `params` become leaf Tensors that share their memory, so `p.data -= lr * p.grad`
    trains the object itself. It may be called several times before backward: what forward left on
    it is remembered for each call.
    """

    def __init__(self, layer):
        if isinstance(layer, type):
            raise TypeError(f"{described(layer)} is a class: write {described(layer)}(…).")
        for method in ("forward", "backward"):
            if not callable(getattr(layer, method, None)):
                raise TypeError(
                    f"{described(layer)} has no method {method}: "
                    "a layer needs forward(x) and backward(grad)."
                )
        self.layer = layer
        self._tensors = {}
        self._bound = {}  # name: (object in layer.params, array in the Tensor), as we left them
        self.named_parameters()

    def named_parameters(self) -> dict[str, Tensor]:
        """{name: Tensor}, in step with the object's params, whichever of the two was replaced."""
        arrays = getattr(self.layer, "params", None) or {}
        for name, array in list(arrays.items()):
            if name not in self._tensors:
                self._tensors[name] = parameter(name, array)
                self._bound[name] = None, None
            tensor = self._tensors[name]
            theirs, ours = self._bound[name]
            if array is not theirs:  # the object has a new array: follow it
                tensor.data = as_data(array)
                if tensor.shape:
                    arrays[name] = tensor.data  # the same array, unless it was not float64
            elif tensor.data is not ours:  # somebody wrote p.data = …: tell the object
                if isinstance(array, np.ndarray):
                    array[...] = tensor.data
                    tensor.data = array if array.ndim else tensor.data
                else:
                    arrays[name] = tensor.data
            self._bound[name] = arrays[name], tensor.data
        return {name: self._tensors[name] for name in arrays}

    def __call__(self, x: Operand) -> Tensor:
        x = x if isinstance(x, Tensor) else Tensor(x)
        layer, named = self.layer, self.named_parameters()
        value = checked(layer, "forward", call(layer, "forward", x.data))
        parents = [x._node, *(p._node for p in named.values())]
        if all(parent is None for parent in parents):
            return Tensor(value)
        kept = state_of(layer)
        shapes = {INPUT: x.shape}
        shapes.update((name, p.shape) for name, p in named.items() if p.requires_grad)
        last = None  # (g, the answer to it): the vjps of one node share one call of layer.backward

        def backward(g):
            nonlocal last
            if last is None or last[0] is not g:
                restore(layer, kept)
                last = g, protocol_backward(layer, g, shapes)
            return last[1]

        vjps = [lambda g, name=name: backward(g)[name] for name in (INPUT, *named)]
        read = [x.data, *(p.data for p in named.values()), *kept.values()]
        arrays = [a for a in read if isinstance(a, np.ndarray) and a.dtype == np.float64]
        return record(type(layer), value, parents, vjps, arrays)

    def __repr__(self):
        return described(self.layer)


INPUT = "∂L/∂x"  # the key of the input's gradient, beside the parameters' names


def state_of(layer):
    """What forward left on the layer: its attributes, lists and dicts copied one level deep."""
    return {
        name: value.copy() if type(value) in (dict, list) else value
        for name, value in getattr(layer, "__dict__", {}).items()
        if name not in ("params", "grads")
    }


def restore(layer, kept):
    """Make the layer again as it was after the forward call that left `kept` on it."""
    for name, value in kept.items():
        vars(layer)[name] = value.copy() if type(value) in (dict, list) else value


def call(layer, method, array):
    """layer.method(array); the array is a read-only view, for others hold it too."""
    if isinstance(array, np.ndarray):
        array = array.view()
        array.flags.writeable = False
    try:
        return getattr(layer, method)(array)
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise ValueError(
            f"{described(layer)}.{method} changes its argument in place, but that array belongs to "
            "others too. Compute a new one: y = x * 2, not x *= 2."
        ) from error


def checked(layer, method, result, shape=None, what="its result"):
    """The result as float64 data of the expected shape, or an error that names the layer."""
    where = f"{described(layer)}.{method}"
    if result is None:
        raise TypeError(f"{where} returned None: end it with a return.")
    if isinstance(result, Tensor):
        raise TypeError(f"{where} returned a Tensor: inside, a layer works on arrays.")
    try:
        data = as_data(result)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {what}: {error}") from error
    if shape is not None and data.shape != shape:
        raise ValueError(f"{where}: {what} has shape {data.shape}, but it must be {shape}.")
    return data if isinstance(data, np.float64) or data.flags.writeable else data.copy()


def protocol_backward(layer, g, shapes):
    """{name: gradient} for the names in `shapes` (INPUT first) from one call of layer.backward."""
    dx = call(layer, "backward", g)
    answer = {INPUT: checked(layer, "backward", dx, shapes[INPUT], INPUT).copy()}
    grads = getattr(layer, "grads", None) or {}
    for name, shape in shapes.items():
        if name == INPUT:
            continue
        if name not in grads:
            raise ValueError(
                f"{described(layer)}.backward left no gradient for {name!r}: put it into "
                f"self.grads[{name!r}]."
            )
        dp = checked(layer, "backward", grads[name], shape, f"grads[{name!r}]")
        answer[name] = dp.copy()  # the layer may use its array again
    return answer


def described(layer):
    return layer.__name__ if isinstance(layer, type) else type(layer).__name__
