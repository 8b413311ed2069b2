"""The engine: a Tensor computes a value and records how it came about; backward() walks back.

Read this file from top to bottom. A `Tensor` is a value. A `Node` is one line of the recorded
graph: which primitive made a value, from which parents, and for each parent a *vjp*
(vector-Jacobian product), the function that turns the upstream signal ∂L/∂value into that
parent's share of it:

    ∂L/∂parent = (how the value changes with the parent) × (signal from above)

`unary`, `binary` and `nary` write the graph while values are computed; `backward` reads it,
newest line first. The primitives, each with its derivatives beside it, are the table in ops.py.

Value and node are separate objects on purpose. A node keeps only what its vjps mention, so a
value that no derivative asks for dies as soon as the program lets go of it, and a computation
that no trainable Tensor enters leaves no record at all.
"""

from __future__ import annotations

import contextlib
import itertools
import weakref
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array: TypeAlias = np.ndarray | Any  # of float64, or np.float64 itself: a scalar
    Operand: TypeAlias = "Tensor | ArrayLike"  # what an operation takes

    class Operation(Protocol):
        __name__: str
        primitive: Callable

        def __call__(self, *operands: Any, **settings: Any) -> Tensor: ...


ndarray = np.ndarray
float64 = np.float64
FLOAT64 = np.dtype(float64)
ONE = float64(1.0)


class LEAF:
    """What `_origin` says on a Tensor that the user created with requires_grad=True."""


# ------------------------------------------------------------------------------------- values


class Tensor:
    """A float64 value (scalar, vector, matrix, batch) that knows where it came from.

    data           the value: np.float64 for a scalar, otherwise an ndarray of float64.
                   A float64 array is not copied, so the Tensor and its maker share it.
    requires_grad  True if gradients flow into this Tensor: it was created trainable (a *leaf*),
                   or it was computed from something that is.
    grad           None, or after L.backward() ∂L/∂(this Tensor), in the shape of data.
                   Leaves get one; a computed Tensor gets one if you ask with retain_grad().
    name           a label for pictures and messages, or None.

    The operators (+ - * / ** @) and the methods (exp, sum, reshape, indexing …) are added by
    ops.py. Tensors are compared and hashed by identity; compare `.data` to compare values.

    Raises TypeError for data that are not real numbers, ValueError for ragged lists.
    """

    __slots__ = ("__weakref__", "_origin", "data", "grad", "name")

    data: Array
    grad: Array  # None until backward has been here
    name: str | None
    _origin: Any  # None, LEAF, or the Node of what computed it

    # NumPy must leave `array * tensor` to Tensor.__rmul__, not loop over the array's entries.
    __array_ufunc__ = None

    def __init__(self, data: ArrayLike, requires_grad: bool = False) -> None:
        if _engine_is_off:
            refuse()
        self.data = float64(data) if type(data) is float else as_data(data)
        self.grad = None
        self.name = None
        self._origin = LEAF if requires_grad else None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def ndim(self) -> int:
        return self.data.ndim

    @property
    def size(self) -> int:
        return self.data.size

    @property
    def requires_grad(self) -> bool:
        return self._origin is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if type(self._origin) is Node:
            raise ValueError(
                "requires_grad can be switched on a leaf only, and this Tensor was computed (by "
                f"{op_name(self._origin)}). detach() gives a constant with the same value."
            )
        self._origin = LEAF if wanted else None

    @property
    def _node(self):
        """The recorded graph behind this Tensor: where gradients for it enter.

        None for a constant; the Tensor itself for a leaf; otherwise the `Node` of the primitive
        that computed it, whose `parents` lead on to the rest of the graph.
        """
        return self if self._origin is LEAF else self._origin

    def item(self) -> float:
        """The value as a Python float, for a Tensor with exactly one entry."""
        return self.data.item()

    def detach(self) -> Tensor:
        """The same value (the memory is shared) as a constant: no gradient flows through it."""
        return Tensor(self.data)

    # -- gradients

    def backward(self, grad: Operand | None = None, keep_graph: bool = False) -> None:
        """Add ∂L/∂leaf to the `.grad` of every leaf that this Tensor was computed from.

        grad        the signal from above, ∂L/∂(this Tensor), in its shape. May be left out if
                    this Tensor has one entry; then L is this Tensor and the signal is 1.
        keep_graph  keep the record, so that backward can run again (gradients then add up).

        Raises ValueError if nothing here requires a gradient, or `grad` is missing or has the
        wrong shape; RuntimeError if the graph was used up by an earlier backward, or an array
        that it needs has been edited in place since.
        """
        backward(self, grad, keep_graph)

    def retain_grad(self) -> Tensor:
        """Ask for `.grad` on a computed Tensor, before backward. Returns the Tensor."""
        if self._origin is None:
            raise ValueError("retain_grad: this is a constant, no gradient will ever reach it.")
        if self._origin is not LEAF:
            if hasattr(self._origin.watcher, "retained"):  # a note watches already: it passes on
                self._origin.watcher.retained = weakref.ref(self)
            else:
                self._origin.watcher = weakref.ref(self)
        return self

    def zero_grad(self) -> None:
        """Forget the gradient: `.grad` is None again."""
        self.grad = None

    # -- how it behaves in Python

    def __float__(self):
        return self.item()

    def __bool__(self):
        return bool(self.data)

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __lt__(self, other):
        return self.data < data_of(other)

    def __le__(self, other):
        return self.data <= data_of(other)

    def __gt__(self, other):
        return self.data > data_of(other)

    def __ge__(self, other):
        return self.data >= data_of(other)

    def __setitem__(self, index, value):
        raise TypeError(
            "the entries of a Tensor cannot be assigned, for no derivative would tell of it. Fill "
            "the array first and make a Tensor of it; to train a leaf, assign to its .data."
        )

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "a Tensor is not a NumPy array, and as one it would lose its gradient. Use the "
            "Tensor's own methods, x.exp() for np.exp(x), or x.data for the bare array."
        )

    def __repr__(self):
        value = np.array2string(np.asarray(self.data), separator=", ", prefix="Tensor(")
        name = "" if self.name is None else f", name={self.name!r}"
        leaf = ", requires_grad=True" if self._origin is LEAF else ""
        made = f", from {op_name(self._origin)}" if type(self._origin) is Node else ""
        return f"Tensor({value}{name}{leaf}{made})"

    if TYPE_CHECKING:  # what ops.py adds to the class, for editors and type checkers

        def __add__(self, other: Operand) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor: ...
        def reshape(self, *shape: Any) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __matmul__ = __rmatmul__ = __pow__ = __rpow__ = maximum = __add__
        exp = log = sqrt = reciprocal = relu = sigmoid = softplus = tanh = sin = cos = __neg__
        __abs__ = abs = __neg__
        mean = max = sum
        transpose = reshape
        T: Tensor


def as_data(data):
    """`data` as a float64 ndarray, or np.float64 if it is a scalar. Float64 arrays pass uncopied.

    A 0-d array would do for a scalar too, but arithmetic with it takes six times as long.
    """
    if type(data) is float64 or (type(data) is ndarray and data.dtype is FLOAT64 and data.ndim):
        return data
    if type(data) is float or type(data) is int:
        return float64(data)
    if isinstance(data, Tensor):
        raise TypeError("this is a Tensor already: use it as it is, or detach() it.")
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise ValueError(
            "this data is ragged (its rows differ in length), so it is no array."
        ) from error
    if array.dtype.kind not in "biuf":  # booleans, integers, floats
        raise TypeError(f"a Tensor holds real numbers, and this data has dtype {array.dtype}.")
    array = array.astype(float64, copy=False)
    return array if array.ndim else array[()]


def data_of(x):
    return x.data if isinstance(x, Tensor) else x


# --------------------------------------------------------------------------- the recorded graph


class Node:
    """One line of the recorded graph: this primitive made a value from these parents.

    op       the primitive: a function of ops.py, whose docstring is its mathematics
             (or the class of a layer of your own)
    order    a running number. Parents come before children: this is a topological order.
    parents  tuple of the arguments that need a gradient: Nodes, or leaf Tensors
    vjps     tuple, as long: vjps[i](g) is what the signal g = ∂L/∂(this value) contributes to
             ∂L/∂parents[i], in the shape of that parent
    edges    the two interleaved, parent, vjp, parent, vjp …, as they are stored: one object less
             for the garbage collector, which is what long graphs wait for
    grad     None, and never touched by the engine: room for whoever walks the graph themselves
    seals    for the arrays that the vjps read, what they looked like: see `seals`
    watcher  None, or a weak reference to the Tensor that asked to retain_grad(); while operations
             are noted for a picture, the note (see trace.py)

    You may read the graph, or walk it with other vjps, until backward() has used it up; after
    that edges, parents and vjps are None. It contains no values except those that the vjps mention,
    and no reference cycles, so that memory is free as soon as the last user lets go.
    """

    __slots__ = ("edges", "grad", "op", "order", "seals", "watcher")

    op: Callable
    order: int
    edges: tuple | None
    seals: Any
    grad: Any
    watcher: Any

    @property
    def parents(self):
        return self.edges and self.edges[0::2]

    @property
    def vjps(self):
        return self.edges and self.edges[1::2]

    def __repr__(self):
        return f"Node({op_name(self)}, order={self.order})"


def op_name(node):
    return getattr(node.op, "__name__", None) or str(node.op)


_recording = True  # no_grad() changes it
_engine_is_off = False  # engine_off() changes it, and _blank
_blank: Callable = object.__new__  # _blank(Tensor) is an empty Tensor
_next_order = itertools.count(1).__next__
_note: Callable | None = None  # trace.py's, to be told of every operation that is recorded

# The next three functions make operations on Tensors of primitives on arrays. Each writes its
# Node by itself, in nearly the same lines: a scalar operation takes under a microsecond, and a
# shared helper would be a tenth of it.


def unary(op: Callable[..., Any]) -> Operation:
    """The operation on Tensors that belongs to a primitive of one array (and settings).

    op(a, *settings) -> (value, vjp to a)
    """

    def operation(a, *args, **settings):
        if type(a) is Tensor:
            x, from_a = a.data, a._origin
            if from_a is LEAF:
                from_a = a
        else:
            x, from_a = constant(a)
        value, vjp = op(x, *args, **settings)
        out = _blank(Tensor)
        out.data = value
        out.grad = out.name = out._origin = None
        if from_a is not None and _recording:
            out._origin = node = Node()
            node.op = op
            node.order = _next_order()
            node.edges = (from_a, vjp)
            node.seals = () if type(x) is float64 else seals(node.edges)
            node.grad = node.watcher = None
            if _note is not None:
                _note(out, (a,), (*args, *settings.values()))
        return out

    return described(operation, op)


def binary(op: Callable[..., Any], elementwise: bool = True) -> Operation:
    """The operation on Tensors that belongs to a primitive of two arrays.

    op(a, b) -> (value, vjp to a, vjp to b). If it is elementwise NumPy broadcasts its arguments;
    then the vjps are made to add up what comes back: every copy of an entry sends a signal.
    """

    def operation(a, b):
        if type(a) is Tensor:
            x, from_a = a.data, a._origin
            if from_a is LEAF:
                from_a = a
        elif type(a) is float or type(a) is int:
            x, from_a = float64(a), None
        else:
            x, from_a = constant(a)
        if type(b) is Tensor:
            y, from_b = b.data, b._origin
            if from_b is LEAF:
                from_b = b
        elif type(b) is float or type(b) is int:
            y, from_b = float64(b), None
        else:
            y, from_b = constant(b)
        try:
            value, vjp_a, vjp_b = op(x, y)
        except ValueError as error:
            raise ValueError(misfit(op, x, y)) from error
        out = _blank(Tensor)
        out.data = value
        out.grad = out.name = out._origin = None
        if (from_a is None and from_b is None) or not _recording:
            return out
        out._origin = node = Node()
        node.op = op
        node.order = _next_order()
        node.grad = node.watcher = None
        if from_b is None:
            node.edges = (from_a, vjp_a)
        elif from_a is None:
            node.edges = (from_b, vjp_b)
        else:
            node.edges = (from_a, vjp_a, from_b, vjp_b)
        node.seals = ()
        if type(value) is not float64 or not elementwise:
            node.seals = seals(node.edges)
            if elementwise and x.shape != y.shape:
                shapes = [v.shape for v, p in ((x, from_a), (y, from_b)) if p is not None]
                node.edges = summed_back(node.edges, shapes, value.shape)
        if _note is not None:
            _note(out, (a, b))
        return out

    return described(operation, op)


def nary(op: Callable[..., Any]) -> Operation:
    """The operation on Tensors that belongs to a primitive of several arrays (and settings).

    op(a, b, …) -> (value, vjp to a, vjp to b, …). An argument may be None; so may its vjp.
    """

    def operation(*arguments, **settings):
        arrays, parents = [], []
        for a in arguments:
            if type(a) is Tensor:
                x, parent = a.data, a._origin
                if parent is LEAF:
                    parent = a
            elif a is None:
                x = parent = None
            else:
                x, parent = constant(a)
            arrays.append(x)
            parents.append(parent)
        try:
            value, *vjps = op(*arrays, **settings)
        except ValueError as error:
            raise ValueError(misfit(op, *arrays)) from error
        out = _blank(Tensor)
        out.data = value
        out.grad = out.name = out._origin = None
        edges = []
        for parent, vjp in zip(parents, vjps):  # noqa: B905
            if parent is not None:
                edges += parent, vjp
        if edges and _recording:
            out._origin = node = Node()
            node.op = op
            node.order = _next_order()
            node.edges = tuple(edges)
            node.seals = seals(edges)
            node.grad = node.watcher = None
            if _note is not None:
                _note(out, arguments)
        return out

    return described(operation, op)


def record(op, value, parents, vjps, arrays=()):
    """A Tensor for `value`, and its Node if anything is to be recorded.

    parents  for each argument a Node, a leaf Tensor, or None where no gradient is wanted
    vjps     for each argument its vjp; those that nobody wants are dropped with all they mention
    arrays   what backward will read besides the arrays that the vjps mention directly
    """
    out = _blank(Tensor)
    out.data = value
    out.grad = out.name = out._origin = None
    edges = []
    for parent, vjp in zip(parents, vjps):  # noqa: B905
        if parent is not None:
            edges += parent, vjp
    if edges and _recording:
        out._origin = node = Node()
        node.op = op
        node.order = _next_order()
        node.edges = tuple(edges)
        node.seals = seals(edges, arrays)
        node.grad = node.watcher = None
        if _note is not None:
            _note(out, [parent for parent in parents if parent is not None])
    return out


def constant(x):
    """(data, parent) of an argument that is not exactly a Tensor: a number, array or subclass."""
    return (x.data, x._node) if isinstance(x, Tensor) else (as_data(x), None)


def described(operation, op):
    operation.__name__ = operation.__qualname__ = op.__name__
    operation.__doc__ = op.__doc__
    operation.primitive = op
    return operation


# --------------------------------------------------------------------------------- broadcasting


def summed_back(edges, shapes, value_shape):
    """Edges to arguments of these `shapes`, with vjps that undo the broadcast."""
    new = []
    for parent, vjp, shape in zip(edges[0::2], edges[1::2], shapes, strict=True):
        new += [parent, vjp if shape == value_shape else summed_to(shape, vjp)]
    return tuple(new)


def summed_to(shape, vjp):
    return lambda g: unbroadcast(vjp(g), shape)


def unbroadcast(grad, shape):
    """`grad`, summed over every axis along which NumPy stretched an array of `shape`."""
    if _engine_is_off:
        refuse()
    new = grad.ndim - len(shape)  # broadcasting puts new axes in front …
    stretched = [new + i for i, n in enumerate(shape) if n == 1]  # … and stretches length 1
    summed = np.add.reduce(grad, axis=(*range(new), *stretched))
    return summed if summed.shape == shape else summed.reshape(shape)


def misfit(op, *arrays):
    """The error message for arguments whose shapes an operation cannot combine."""
    shapes = " and ".join(str(a.shape) for a in arrays if a is not None)
    return f"{op.__name__}: the shapes {shapes} do not fit: {RULES.get(op.__name__, BROADCAST)}."


BROADCAST = "broadcasting lines up axes from the right, and each pair must be equal or have a 1"
RULES = {
    "matmul": "the last axis of the left must be as long as the last but one of the right",
    "linear": "x is (N, n), W is (m, n), b is (m,)",
    "bce": "labels and predictions must have one shape",
    "bce_with_logits": "labels and logits must have one shape",
}


# ---------------------------------------------------------------------------------------- seals

FULL = 512  # arrays of up to this many entries are sealed in full


def seals(edges, arrays=()):
    """[(array, a copy of some of it)] for the float64 arrays that vjps mention, and `arrays`.

    At backward the copies tell whether somebody edited an array in place that was still needed.
    Of more than 512 entries about 64 are copied, evenly spread: an edit that misses all of these
    (one entry set by hand, say) goes unnoticed. Rebinding, `t.data = t.data - step`, never
    disturbs a recorded graph, for the old array is still there. Masks are the engine's own.
    """
    found = [(a, a.tobytes() if a.size <= FULL else sample(a)) for a in arrays] if arrays else []
    for vjp in edges[1::2]:
        if closure := vjp.__closure__:
            for cell in closure:
                a = cell.cell_contents
                if type(a) is ndarray and a.dtype is FLOAT64:
                    found.append((a, a.tobytes() if a.size <= FULL else sample(a)))
    return found


def sample(array):
    """About 64 evenly spread entries of a large array, as bytes."""
    if array.flags.c_contiguous:
        entries = array.reshape(-1)
    elif array.flags.f_contiguous:
        entries = array.T.reshape(-1)
    else:
        entries = array.flat
    return entries[:: array.size // 64 | 1].tobytes()  # an odd step visits every column


def check_seals(node):
    for array, before in node.seals:
        if before != (array.tobytes() if array.size <= FULL else sample(array)):
            raise RuntimeError(
                f"backward through {op_name(node)} needs an array of shape {array.shape} as it "
                "was in the forward pass, but it has been edited in place since. Compute a new "
                "array (x = x + 1, not x += 1), or edit it after backward()."
            )


# ------------------------------------------------------------------------------------- backward


def backward(tensor: Tensor, grad: Operand | None = None, keep_graph: bool = False) -> None:
    """Walk the recorded graph from `tensor` back to its leaves; see Tensor.backward.

    A heap hands out the newest node first. Whoever uses a value is newer than the value, so when
    a node's turn comes all its users have had theirs, and its gradient is complete: the sum over
    every path. Nothing is sorted beforehand and nothing recurses; a chain of a million nodes is
    no harder than a short one.
    """
    if _engine_is_off:
        refuse()
    root = tensor if tensor._origin is LEAF else tensor._origin
    if root is None:
        raise ValueError(
            "backward: nothing here requires a gradient. Create the Tensors to differentiate by "
            "with requires_grad=True, and compute outside no_grad() and detach()."
        )
    grads = {root: upstream(tensor, grad)}  # the signals on their way; in the end, the leaves'
    ours = set()  # where the gradient is an array made here, which may be added to in place
    ready = [(-root.order, root)] if type(root) is Node else []
    while ready:
        _, node = heappop(ready)
        g = grads.pop(node)
        edges = node.edges
        if edges is None:
            raise RuntimeError(
                f"backward: the graph behind this {op_name(node)} was used by an earlier backward, "
                "which released what it kept. Compute the value again, or call the earlier one "
                "with backward(keep_graph=True)."
            )
        if node.seals:
            check_seals(node)
        if node.watcher is not None and (watcher := node.watcher()) is not None:
            watcher.grad = g.copy() if watcher.grad is None else watcher.grad + g
        pairs = iter(edges)
        for parent, vjp in zip(pairs, pairs):  # noqa: B905
            share = vjp(g)
            if parent not in grads:
                if type(parent) is Node:
                    heappush(ready, (-parent.order, parent))
                elif type(share) is ndarray and (share is g or share.base is not None):
                    share = share.copy()  # a leaf's gradient must be nobody else's array
                grads[parent] = share  # not added to zeros: most often it is the only share
            elif parent in ours:
                grads[parent] += share
            else:
                grads[parent] = grads[parent] + share
                ours.add(parent)
        if not keep_graph:
            node.edges = node.seals = None
    for leaf, g in grads.items():  # only now, so that an error on the way leaves no half-truth
        leaf.grad = g if leaf.grad is None else leaf.grad + g


def upstream(tensor, grad):
    """The signal that backward starts from: `grad`, checked, or 1 if the Tensor has one entry."""
    data = tensor.data
    if grad is None:
        if type(data) is float64:
            return ONE
        if data.size != 1:
            raise ValueError(
                f"backward from a Tensor of shape {data.shape} needs a signal from above: pass "
                "grad=∂L/∂(this Tensor), of the same shape, or reduce to one number first."
            )
        return np.ones(data.shape)
    grad = as_data(data_of(grad))
    if grad.shape != data.shape:
        raise ValueError(
            f"backward: grad has shape {grad.shape}, but must have the Tensor's, {data.shape}."
        )
    return grad.copy() if tensor._origin is LEAF else grad


# ------------------------------------------------------------------------------------- switches


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Inside, values are computed and nothing is recorded. For the process, not per thread."""
    global _recording
    before, _recording = _recording, False
    try:
        yield
    finally:
        _recording = before


class EngineOff(RuntimeError):
    """The reference engine was used where the exercise is to be done by hand."""


@contextlib.contextmanager
def engine_off() -> Iterator[None]:
    """Inside, making a Tensor, computing with one and backward() raise EngineOff.

    For the process, not per thread. Tensors from before are no way around it: each operation
    begins with _blank(Tensor) for its result.
    """
    global _engine_is_off, _blank
    before = _engine_is_off, _blank
    _engine_is_off, _blank = True, refuse
    try:
        yield
    finally:
        _engine_is_off, _blank = before


def require_engine() -> None:
    """Raise EngineOff inside engine_off(): for helpers of the kit that work on bare arrays."""
    if _engine_is_off:
        refuse()


def refuse(*_: Any) -> NoReturn:
    raise EngineOff(
        "This exercise is to be done by hand: the reference engine is switched off here."
    )
