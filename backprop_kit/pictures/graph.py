"""The graph behind a Tensor, as it is drawn: each vertex with its name, its value, its inputs.

`graph_of` walks the notes of `trace` back from a Tensor and makes a `Vertex` of each; `Names` finds
what a student calls them; `folded` puts a layer's parameters and its activation into one vertex.
"""

import numpy as np

from .notation import SUBSCRIPT, clean, in_words, symbol
from .trace import Node, Note, Tensor, gradient, is_leaf, kept_of, note_of


class Vertex:
    """One node of the picture.

    kind      "leaf" (trainable), "constant", or "gate" (computed)
    symbol    what stands in the box
    name      what students call it; `ref` if they do not: v1, v2 …
    words     how it was computed, in terms of its inputs' names
    inputs    the vertices that go into it, in order
    value     a scalar, an array, a Range, or None if unknown
    grad      likewise; None: no gradient yet
    note      what is behind a gate; `places[i]` says which of its arguments input i is
    hides     the vertices that were folded into this one
    """

    def __init__(self, kind, symbol, name=None, value=None, grad=None, note=None):
        self.kind, self.symbol, self.name, self.ref = kind, symbol, name, name
        self.value, self.grad, self.note = value, grad, note
        self.words = ""
        self.inputs, self.places, self.hides = [], [], []

    @property
    def shape(self):
        return None if self.value is None else self.value.shape

    def share(self, i, signal):
        """What `signal` at this gate contributes to the gradient of input i; None if unknown."""
        if self.hides or not self.note.vjps or self.places[i] not in self.note.places:
            return None
        return self.note.vjps[self.note.places.index(self.places[i])](signal)


def graph_of(tensor, fold=False, names=None, frame=None):
    """The vertices behind a Tensor, arguments before what is made of them; the last is `tensor`."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"draw and step take a Tensor, and this is {type(tensor).__name__}: compute with "
            "Tensors, x = Tensor(2.0, requires_grad=True), and pass the result."
        )
    called = Names(names or {}, frame)
    vertices = {}  # id of a Note, Tensor or array: its Vertex
    root = note_of(tensor) if type(tensor._origin) is Node else tensor
    if root is not tensor and tensor.name is not None:
        root.name = tensor.name
    waiting = [(root, kept_of(tensor.data))]
    while waiting:  # a walk without recursion, for graphs may be deep
        thing, value = waiting[-1]
        if id(thing) in vertices:
            waiting.pop()
            continue
        if not isinstance(thing, Note):
            vertices[id(thing)] = outer(thing, value, called.find(thing))
            waiting.pop()
            continue
        entering = list(drawn_arguments(thing))
        if missing := [(a, v) for _, a, v in entering if id(a) not in vertices]:
            waiting += reversed(missing)
            continue
        name = called.find(thing)
        gate = Vertex("gate", symbol(thing), name, thing.value, gradient(thing), thing)
        for place_, a, _ in entering:
            gate.inputs.append(vertices[id(a)])
            gate.places.append(place_)
        vertices[id(thing)] = gate
        waiting.pop()
    found = list(vertices.values())
    if fold:
        found = folded(found)
    name_all(found)
    return found


def drawn_arguments(note):
    """(place, Note or Tensor or array, value) of each argument that is a vertex of its own.

    Plain numbers are not: they are part of the gate, as in "+1".
    """
    for i, (a, value) in enumerate(zip(note.arguments, note.values, strict=True)):
        if a is not None:
            yield i, a, value
        elif value.shape != ():
            yield i, value, value


def outer(thing, value, name):
    """The vertex of something that was not computed here."""
    if is_leaf(thing):
        kept = None if thing.grad is None else kept_of(np.float64(thing.grad))
        if thing.grad is not None and np.ndim(thing.grad):
            kept = kept_of(thing.grad)
        return Vertex("leaf", name or "", name, value, kept)
    if isinstance(thing, Tensor):
        return Vertex("constant", name or "", name, value)
    return Vertex("constant", "", None, value)


class Names:
    """What things are called: by `names`, else by their own name, else by the caller's variable."""

    def __init__(self, names, frame):
        self.given, self.variables = {}, {}
        for name, tensor in names.items():
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"names: {name!r} should name a Tensor, and names {type(tensor).__name__}."
                )
            self.given[id(key(tensor))] = name
        if frame is not None:
            for space in (frame.f_locals, frame.f_globals):
                for name, value in list(space.items()):
                    if isinstance(value, Tensor) and not name.startswith("_"):
                        if value.name is not None:
                            self.variables.setdefault(id(key(value)), value.name)
                        self.variables.setdefault(id(key(value)), name)

    def find(self, thing):
        own = getattr(thing, "name", None)  # a bare array has none
        name = self.given.get(id(thing), own)
        return clean(self.variables.get(id(thing)) if name is None else name)


def key(tensor):
    """What stands for this Tensor in a graph: the note of its operation, or the Tensor itself."""
    if type(tensor._origin) is Node and isinstance(tensor._origin.watcher, Note):
        return tensor._origin.watcher
    return tensor


def name_all(vertices):
    """Tell equal names apart by subscripts, refer to nameless vertices by v1, v2 …, write words."""
    count = {}
    for v in vertices:
        if v.name is not None:
            count[v.name] = count.get(v.name, 0) + 1
    taken, number_of = set(count), {}
    for v in vertices:
        if v.name is None:
            continue
        if count[v.name] > 1:
            name = v.name
            while True:
                n = number_of[name] = number_of.get(name, 0) + 1
                if (new := name + str(n).translate(SUBSCRIPT)) not in taken:
                    break
            if v.kind != "gate":
                v.symbol = new
            v.name = new
            taken.add(new)
        v.ref = v.name
    n = 0
    for v in vertices:
        if v.ref is None:
            n += 1
            while f"v{n}" in taken:
                n += 1
            v.ref = f"v{n}"
        if v.kind == "gate":
            v.words = v.words or in_words(v)


ACTIVATIONS = {"relu", "sigmoid", "softplus", "tanh"}


def folded(vertices):
    """The graph with each layer as one vertex: its parameters and its activation are inside.

    A layer is a `linear`, or a layer of one's own; an activation directly on its output, used
    by nobody else, counts with it.
    """
    uses = uses_of(vertices)
    gone = set()
    for v in vertices:
        if v.kind != "gate":
            continue
        if v.note.op.__name__ == "linear" or isinstance(v.note.op, type):
            inside = [
                i
                for i, p in zip(v.inputs, v.places, strict=True)
                if i.kind != "gate" and len(uses[i]) == 1 and i.name is not None and p > 0
            ]
            fresh = [(i, p) for i, p in zip(v.inputs, v.places, strict=True) if i not in inside]
            v.inputs, v.places = [i for i, _ in fresh], [p for _, p in fresh]
            v.hides = inside
            gone.update(inside)
            if v.note.op.__name__ == "linear" and inside:
                m, n = inside[0].shape
                v.symbol = f"Linear {n} → {m}"
        elif v.note.op.__name__ in ACTIVATIONS and len(v.inputs) == 1:
            (layer,) = v.inputs
            if layer.hides and len(uses[layer]) == 1 and layer.name is None:
                v.symbol = f"{layer.symbol} · {v.symbol}"
                v.inputs, v.places = layer.inputs, layer.places
                v.hides = [*layer.hides, layer]
                gone.add(layer)
    return [v for v in vertices if v not in gone]


def uses_of(vertices):
    """{vertex: [(the vertex that takes it, as which of its inputs)]}."""
    uses = {v: [] for v in vertices}
    for v in vertices:
        for i, argument in enumerate(v.inputs):
            uses[argument].append((v, i))
    return uses
