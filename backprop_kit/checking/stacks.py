"""Results with one array for each layer, laid end to end so that they compare like one array.

A network's gradients come as a list, and how long it is depends on the case. A reading (see
`exercise.Function`) uses `stacked` to hold such a list against the expected one.
"""

import numpy as np

from .compare import agree_to_rounding, describe
from .exercise import Flaw


def stacked(what, yours, wanted):
    """(yours, wanted), each as one vector; or (a Flaw, wanted) where the lists do not match.

    what: what an entry is called, "dW". wanted: a list with an array for each layer, None for a
    layer that has none. yours: what came back in its place, anything at all.
    """
    flat = np.concatenate([np.ravel(w) for w in wanted if w is not None] or [np.zeros(0)])
    return _misfit(what, yours, wanted) or flatten(yours), flat


def flatten(arrays):
    """The arrays of a list as one vector; None is left out."""
    return np.concatenate([np.ravel(a) for a in arrays if a is not None] or [np.zeros(0)])


def place(shapes, index):
    """Where an entry of the stacked vector is: "layer 2, entry [0, 3]", counting layers from 1.

    shapes: the shape of each layer's array, None where there is none. index: as of the vector.
    """
    position = index[0]
    for layer, shape in enumerate(shapes, 1):
        size = 0 if shape is None else int(np.prod(shape))
        if position < size:
            inner = ", ".join(str(int(i)) for i in np.unravel_index(position, shape))
            return f"layer {layer}, entry [{inner}]"
        position -= size
    raise IndexError(index)


def _misfit(what, yours, wanted):
    """The Flaw of a list that cannot be compared entry by entry, else None."""
    if not isinstance(yours, list | tuple):
        return Flaw("wrong-type", f"{{part}} should be a list, and {{is}} {describe(yours)}.")
    if len(yours) != len(wanted):
        evidence = f"{{part}} {{has}} {len(yours)} entries for {len(wanted)} layers."
        return Flaw("wrong-shape", evidence, "return one entry for each layer, the first one first")
    pairs = list(zip(yours, wanted, strict=True))
    for layer, (y, w) in enumerate(pairs, 1):
        if w is None and y is not None:
            evidence = f"layer {layer} is frozen, and there {{part}} {{is}} {describe(y)}."
            return Flaw("wrong-type", evidence, "put None where a layer is frozen")
        if w is not None and y is None:
            evidence = f"{what} of layer {layer} is None, and that layer learns."
            return Flaw("wrong-value", evidence, "return a gradient for every layer that learns")
        if w is not None and not isinstance(y, np.ndarray):
            evidence = f"{what} of layer {layer} should be an array, and is {describe(y)}."
            return Flaw("wrong-type", evidence)
    learning = [(layer, y, w) for layer, (y, w) in enumerate(pairs, 1) if w is not None]
    shapes = [(layer, y, w) for layer, y, w in learning if y.shape != w.shape]
    if not shapes:
        kinds = [(layer, y) for layer, y, _ in learning if y.dtype != np.float64]
        for layer, y in kinds:
            evidence = f"{what} of layer {layer} holds {y.dtype} where float64 is expected."
            return Flaw("wrong-type", evidence, "build the array from floats")
        return None
    if all(y.T.shape == w.shape and agree_to_rounding(y.T, w) for _, y, w in shapes):
        evidence = "{part} {has} the right entries, with rows and columns exchanged."
        return Flaw("transpose", evidence)
    summed = [y.sum(axis=0) for _, y, _ in shapes if y.ndim and len(y) > 1]
    if len(summed) == len(shapes) and all(map(agree_to_rounding, summed, [w for *_, w in shapes])):
        evidence = "{part} {has} one row for each example; their sum would be right."
        return Flaw("no-batch-sum", evidence)
    layer, y, w = shapes[0]
    evidence = f"{what} of layer {layer} has shape {y.shape} where {w.shape} is expected."
    return Flaw("wrong-shape", evidence)
