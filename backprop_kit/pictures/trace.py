"""Notes of what the engine did, for those who want to look: pictures and steppers.

The engine's own record is lean: it holds no values, and backward() uses it up. While notes are
kept, each operation that is recorded also leaves a `Note`: its arguments, its value, and, after
backward, its gradient. A note outlives backward and is free when its Tensor is. It hangs on the
graph as the node's watcher, the place where backward delivers interior gradients anyway.

Notes are off until somebody asks, because they take time and memory: `from backprop_kit import
draw` (or `step`) switches them on with `keep_notes()`; `with notes():` keeps them for one block.
"""

import contextlib

import numpy as np

from backprop_kit.engine import tensor as engine
from backprop_kit.engine.tensor import LEAF, Node, Tensor

KEEP = 4096  # arrays of up to this many entries are kept; of larger ones the shape and the range


class Range:
    """What is kept of a large array: its shape, smallest and largest entry (None if unknown)."""

    __slots__ = ("high", "low", "shape")

    def __init__(self, shape, low=None, high=None):
        self.shape, self.low, self.high = shape, low, high


class Note:
    """One operation: what went in, what came out, and what came back.

    op         the primitive (or the class of a layer of your own), as on the Node
    order      a running number: arguments come before what is made of them
    arguments  a tuple: for each argument a Note (it was computed), a Tensor (a leaf or a constant)
               or None (a plain number or array)
    values     the arguments' values at that moment, likewise kept
    settings   what else the primitive was told: the exponent, the axis …
    places     which arguments get a gradient: indices into `arguments`
    vjps       for each of `places` the vjp; () if arrays are too large to keep them alive
    value      a scalar, a copied array, a Range, or None if it was not noted
    name       the name of its Tensor, if it had one when it was used
    grad       None, or what backward brought
    """

    __slots__ = (
        "_grad",
        "arguments",
        "name",
        "op",
        "order",
        "places",
        "retained",
        "seals",
        "settings",
        "value",
        "values",
        "vjps",
    )

    def __init__(self, node, value, arguments, values, settings=()):
        self.op, self.order = node.op, node.order
        self.value = value
        self.arguments, self.values, self.settings = arguments, values, settings
        self.places = tuple(
            i
            for i, a in enumerate(arguments)
            if type(a) is Note or (isinstance(a, Tensor) and a._origin is not None)
        )
        small = not any(type(v) is Range for v in (value, *values))
        fits = small and len(node.edges) == 2 * len(self.places)
        self.vjps = node.edges[1::2] if fits else ()
        self.seals = node.seals if fits else ()
        self.name = self.retained = self._grad = None

    def __call__(self):
        return self  # backward asks a weak reference whether its Tensor still lives; a note does

    @property
    def grad(self):
        if (kept := self.retained and self.retained()) is not None:
            return kept.grad
        return None if type(self._grad) is Range else self._grad

    @grad.setter
    def grad(self, grad):
        if (kept := self.retained and self.retained()) is not None:
            kept.grad = grad
        elif grad.size <= KEEP:
            self._grad = grad
        else:  # backward adds to what it finds, and finds nothing: the range of a sum is unknown
            again = type(self._grad) is Range
            self._grad = Range(grad.shape) if again else kept_of(grad)

    def check(self):
        """Raise RuntimeError if an array that the vjps read has been edited in place since."""
        engine.check_seals(self)


def gradient(note):
    """What is known of a note's gradient: None before backward, else a value or a Range."""
    return note._grad if type(note._grad) is Range else note.grad


def kept_of(data):
    """A value that will not change under our hands: a scalar, a copy, or a Range."""
    if type(data) is np.float64 or data is None:
        return data
    if data.size <= KEEP:
        return data.copy()
    return Range(data.shape, data.min(), data.max())


# ------------------------------------------------------------------------------------ writing


def write(out, arguments, settings=()):
    """Leave a note of the operation that made the Tensor `out`. The engine calls this."""
    node = out._origin
    if type(node) is not Node:
        return
    noted, values = [], []
    for a in arguments:
        if isinstance(a, Tensor):
            values.append(kept_of(a.data))
            if type(a._origin) is Node:
                noted.append(note_of(a))
                if a.name is not None:
                    noted[-1].name = a.name
            else:
                noted.append(a)
        elif type(a) is Node:  # from a layer of your own: the engine knows its parents only
            noted.append(note_of_node(a))
            values.append(noted[-1].value)
        elif a is not None:
            noted.append(None)
            values.append(kept_of(engine.as_data(a)))
    hang(node, kept_of(out.data), tuple(noted), tuple(values), settings)


def hang(node, value, arguments, values, settings=()):
    note = Note(node, value, arguments, values, settings)
    if node.watcher is not None:
        earlier = node.watcher
        note.retained = earlier.retained if isinstance(earlier, Note) else earlier
    node.watcher = note
    return note


def note_of(tensor):
    """The note of a computed Tensor; written now, from the bare graph, if notes were off."""
    note = note_of_node(tensor._origin)
    if note.value is None:
        note.value = kept_of(tensor.data)
    return note


def note_of_node(node):
    """The note of a Node, and of every node behind it that has none: without inner values.

    Raises ValueError if backward has used up what was never noted.
    """
    waiting = [node]
    while waiting:
        node = waiting[-1]
        if isinstance(node.watcher, Note):
            waiting.pop()
            continue
        if node.edges is None:
            raise ValueError(
                "this graph was used up by backward() and no notes were kept of it. Import draw "
                "(or step) before you compute, then the picture has its values too; or call "
                "backward(keep_graph=True)."
            )
        missing = [p for p in node.parents if type(p) is Node and not isinstance(p.watcher, Note)]
        if missing:
            waiting += missing
            continue
        parents = tuple(p.watcher if type(p) is Node else p for p in node.parents)
        values = tuple(kept_of(p.data) if isinstance(p, Tensor) else p.value for p in parents)
        hang(node, None, parents, values)
        waiting.pop()
    return node.watcher


def is_leaf(thing):
    return isinstance(thing, Tensor) and thing._origin is LEAF


# ----------------------------------------------------------------------------------- switching


def keep_notes(on=True):
    """From now on, leave a note of every operation that is recorded (or stop it)."""
    engine._note = write if on else None


@contextlib.contextmanager
def notes():
    """Inside, every operation that is recorded leaves a note."""
    before, engine._note = engine._note, write
    try:
        yield
    finally:
        engine._note = before
