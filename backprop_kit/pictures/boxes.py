"""How much room a vertex takes: what is written on it and beside it, and the Box around all that.

Sizes are in pixels. A reader's fonts are not known here, so texts are measured by their characters,
on the generous side.
"""

import unicodedata

from .layout import Box
from .notation import NOT_YET, lines_of, shape_of, shortened

NAME, VALUE = 14, 12.5  # font sizes
MONO = 0.61 * VALUE  # the width of a character in every monospaced font, or a little more
LINE = 15  # from one line of text to the next
RADIUS = 19

COMMUTE = {"add", "mul", "maximum"}  # gates whose lines may enter in any order


def box_of(v, picture):
    """A Box for a vertex, with room for all that will ever be written on it."""
    text = inscription(v)
    entries = [width_of_share(picture.final.shares.get((v, i))) for i in range(len(v.inputs))]
    step = 2 * LINE if any(entries) else 16
    tall = max(2 * RADIUS, step * (len(v.inputs) - 1) + 22) if v.kind == "gate" else 30
    round_ = v.kind == "gate" and len(text) <= 2 and tall == 2 * RADIUS
    wide = 2 * RADIUS if round_ else max(2 * RADIUS, width_of(text) + 22)
    above, below = labels(v, picture.final)
    columns = max((len(line) for line in [*above, *below]), default=0)
    if picture.moves and len(picture.uses[v]) > 1:
        columns = max(columns, 10)  # sums on their way may be longer than the final one
    right = 16 + max(MONO * columns, 20)
    box = Box(
        wide,
        max(tall / 2, 4 + LINE * len(above)) + 2,
        max(tall / 2, 5 + LINE * len(below)) + 2,
        left=max(entries, default=0),
        right=right,
        floats=None if v.kind == "gate" else 1 if v.shape else 3,
        free=v.kind == "gate" and v.note.op.__name__ in COMMUTE,
    )
    box.tall, box.round = tall, round_
    box.ports = [step * (k - (len(v.inputs) - 1) / 2) for k in range(len(v.inputs))]
    return box


# ----------------------------------------------------------------------------- what is written


def inscription(v):
    """What stands in the box."""
    length = 18 if v.kind != "gate" else 30
    return shortened(v.symbol or ("constant" if v.kind == "constant" else v.ref), length)


def labels(v, view):
    """(lines above, lines below) the line that leaves a vertex."""
    known = v in view.values
    above = []
    name = shortened(v.name) if v.kind == "gate" and v.name else ""
    if v.shape:
        above = [" ".join(filter(None, [name, shape_of(v.shape)]))]
        if known:
            above += [line for line in lines_of(v.value) if line]
    elif known:
        above = [f"{name} = {lines_of(v.value)[0]}" if name else lines_of(v.value)[0]]
    elif name:
        above = [name]
    below = []
    if v in view.grads:
        below = [line for line in lines_of(view.grads[v]) if line]
    elif v.kind != "constant" and view.grads and view.whole:
        below = [NOT_YET]
    return above, below


# ---------------------------------------------------------------------------- how wide that is


def width_of(text):
    """About how wide the text is in pixels, on the generous side."""
    wide = 0.0
    for c in text:
        if unicodedata.combining(c):
            continue
        if unicodedata.east_asian_width(c) in "WF":
            wide += 1.05
        elif c in "MWmw@%…→":
            wide += 0.98
        else:
            wide += 0.66 if c.isupper() else 0.62
    return NAME * wide


def width_of_share(share):
    """The room for what a gate hands back along the line that enters; 0 if nothing is shown."""
    return 0 if share is None else 18 + MONO * len(lines_of(share)[0])
