"""Pictures of graphs: `draw(f)` shows the graph behind a Tensor as on a lecture board.

Values flow from left to right and stand above the lines; gradients flow back and stand below. The
same content is there as text: a title, a description, and a table of nodes.

    notes (trace.py)     →  vertices: what is drawn, and in which words (notation.py)
    vertices (graph.py)  →  boxes (boxes.py, layout.py): how large each is, and where it stands
    boxes                →  SVG (svg.py)
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

import numpy as np

from .boxes import box_of
from .graph import graph_of, uses_of
from .layout import place
from .notation import NOT_YET, clean, isolated, lines_of, shape_of, shortened, shown
from .svg import SANS, Drawing
from .trace import Range, Tensor

CONSTANT = "none (a constant)"


def draw(
    tensor: Tensor,
    /,
    *,
    fold: bool = False,
    title: str | None = None,
    names: dict[str, Tensor] | None = None,
    **more_names: Tensor,
) -> Picture:
    """The graph behind a Tensor, as a picture: displayed by a notebook, printed as a table.

    x, y, z = Tensor(-2.0, True), Tensor(5.0, True), Tensor(-4.0, True)
    f = (x + y) * z
    draw(f)

    fold        True: a layer is one box, with its parameters and its activation inside
    title       the picture's title, if "The graph behind f" is not enough
    names       {name: Tensor}; or write draw(f, x=x, q=q). Without them a Tensor is called by its
                `.name`, or by the variable it is in where draw is called.

    Returns a `Picture`; its `save(path)` writes a file. Large arrays are shown by their shape and
    range. A gradient that backward has not brought yet is "no gradient yet", which is not 0.
    """
    return Picture(graph_of(tensor, fold, {**(names or {}), **more_names}, sys._getframe(1)), title)


class View:
    """What of a picture is to be seen at one moment; the stepper shows one View after another.

    values   the vertices whose values are known
    grads    {vertex: gradient so far}
    shares   {(vertex, i): what it contributed to its input i}
    now      the vertex that is at work
    whole    True if nothing more will come: what is missing then is told to be missing
    """

    def __init__(self, values, grads, shares, now=None, whole=False):
        self.values, self.grads, self.shares, self.now = values, grads, shares, now
        self.whole = whole


class Picture:
    """A drawn graph. A notebook displays it; print() shows its table; save(path) writes a file."""

    def __init__(self, vertices, title=None, final=None):
        """`final`: the View when everything has been done; without it, what is known now."""
        self.vertices = vertices
        self.root = vertices[-1]
        self.title = clean(title) if title else f"The graph behind {self.root.name or 'a Tensor'}"
        self.uses = uses_of(vertices)
        self.final, self.moves = final or final_view(vertices, self.uses), final is not None
        self.boxes = {v: box_of(v, self) for v in vertices}
        for v, box in self.boxes.items():
            box.inputs = [self.boxes[i] for i in v.inputs]
        self.width, self.height, self.passages = place(list(self.boxes.values()))

    # -- as text

    def description(self, view=None):
        """The picture in sentences: as it finally is, or as a View shows it."""
        view = view or self.final
        gates = [v for v in self.vertices if v.kind == "gate"]
        parts = [
            f"A computational graph with {plural(len(self.vertices) - len(gates), 'input')} and "
            f"{plural(len(gates), 'operation')}, from left to right."
        ]
        for v in self.vertices[:40]:
            computed = f" = {v.words}" if v.words else ""
            value = f" of shape {v.shape}: {shown(v.value)}" if v.shape else f" = {shown(v.value)}"
            value = value if v in view.values else ", not computed yet"
            told = gradient_in_words(v, view)
            told = f"gradient {told}" if v in view.grads else told
            told = "a constant" if v.kind == "constant" else told
            parts.append(f"{isolated(v.ref)}{computed}{value}, {told}.")
        if len(self.vertices) > 40:
            parts.append(f"And {len(self.vertices) - 40} more, listed in the table.")
        return " ".join(parts)

    def rows(self):
        """The table of nodes: name, how it is computed, shape, value, gradient."""
        for v in self.vertices:
            origin = v.words or {"leaf": "input", "constant": "constant"}[v.kind]
            shape = "unknown" if v.value is None else shape_of(v.shape) or "scalar"
            grad = gradient_in_words(v, self.final)
            yield isolated(v.ref), isolated(origin), shape, shown(v.value), grad

    def __str__(self):
        rows = [HEADINGS, *self.rows()]
        rows = [[shortened(cell, 48) for cell in row] for row in rows]
        widths = [max(len(row[k]) for row in rows) for k in range(len(HEADINGS))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([self.title, *(line.rstrip() for line in lines)])

    __repr__ = __str__

    def table(self):
        """The table of nodes in HTML."""
        head = "".join(f'<th scope="col" style="text-align:left">{h}</th>' for h in HEADINGS)
        body = "".join(
            "<tr>"
            + "".join(
                f'<{tag} style="text-align:left" dir="auto">{escape(shortened(cell, 200))}</{end}>'
                for tag, end, cell in zip(
                    ['th scope="row"', "td", "td", "td", "td"],
                    ["th", "td", "td", "td", "td"],
                    row,
                    strict=True,
                )
            )
            + "</tr>"
            for row in self.rows()
        )
        return (
            f"<table><caption>{escape(self.title)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table>"
        )

    # -- as a drawing, for notebooks and files

    def svg(self, view=None, alone=False):
        """The picture as SVG text; `alone` for a file of its own, which must bring its colours."""
        return Drawing(self, view or self.final).svg(alone)

    def html(self):
        """The picture, with its table folded below it, as a piece of a page."""
        return (
            f'<div class="bpk-figure"><div style="overflow-x:auto">{self.svg()}</div>'
            f"<details><summary>The same as a table</summary>{self.table()}</details></div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            "text/plain": str(self),
            "text/html": self.html(),
            "image/svg+xml": self.svg(alone=True),
        }

    def save(self, path):
        """Write the picture to an .svg file, or with its table to an .html page."""
        path = Path(path)
        if path.suffix == ".svg":
            text = '<?xml version="1.0" encoding="UTF-8"?>\n' + self.svg(alone=True)
        elif path.suffix == ".html":
            text = page(self.title, self.html())
        else:
            raise ValueError(f"save writes .svg or .html, and this is {path.name!r}.")
        path.write_text(text, encoding="utf-8")
        return path


HEADINGS = ("name", "computed as", "shape", "value", "gradient")


def gradient_in_words(vertex, view):
    if vertex.kind == "constant":
        return CONSTANT
    return shown(view.grads[vertex]) if vertex in view.grads else NOT_YET


def final_view(vertices, uses):
    """Everything that is known: values, gradients, and the shares on lines that fork."""
    grads = {v: v.grad for v in vertices if v.grad is not None}
    shares = {}
    for v in vertices:
        if v.kind == "gate" and v.grad is not None and not isinstance(v.grad, Range):
            for i, argument in enumerate(v.inputs):
                if len(uses[argument]) > 1 and small(share := honest_share(v, i)):
                    shares[v, i] = share
    return View(set(vertices), grads, shares, whole=True)


def honest_share(v, i):
    """The share of input i, or None if an array that it needs has been edited since."""
    try:
        v.note.check()
    except RuntimeError:
        return None
    return v.share(i, v.grad)


def small(share):
    return share is not None and len(lines_of(share)) == 1 and np.size(share) <= 4


def plural(n, noun):
    return f"{n} {noun}{'' if n == 1 else 's'}"


def page(title, body):
    """A page of HTML around `body`, for a file."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>:root{{color-scheme:light dark}}"
        f"body{{font-family:{SANS};margin:2em}}td,th{{padding:.15em .8em .15em 0}}"
        f"</style></head><body>{body}</body></html>\n"
    )
