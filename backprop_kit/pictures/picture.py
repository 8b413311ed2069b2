"""Pictures of graphs: `draw(f)` shows the graph behind a Tensor as on a lecture board.

Values flow from left to right and stand above the lines; gradients flow back and stand below. The
picture is SVG written here, in Python, and takes its colours from the page it stands on. The same
content is there as text: a title, a description, and a table of nodes.

    notes (trace.py)     →  vertices: what is drawn, and in which words (notation.py)
    vertices (graph.py)  →  boxes (layout.py): where it is drawn
    boxes                →  SVG
"""

import hashlib
import math
import sys
import unicodedata
from html import escape
from pathlib import Path

import numpy as np

from .graph import graph_of
from .layout import Box, place
from .notation import NOT_YET, clean, isolated, lines_of, shape_of, shortened, shown
from .trace import Range

CONSTANT = "none (a constant)"


def draw(tensor, /, *, fold=False, title=None, names=None, **more_names):
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


COMMUTE = {"add", "mul", "maximum"}  # gates whose lines may enter in any order
NAME, VALUE = 14, 12.5  # font sizes
MONO = 0.61 * VALUE  # the width of a character in every monospaced font, or a little more
LINE = 15  # from one line of text to the next
RADIUS = 19
SMALLEST = 0.7  # a picture wider than its page shrinks to this part of its size, then scrolls
SANS = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
FIXED = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

# The page says what the text colour is; green and red are mixed with it, so that they stand out
# from a white and from a black page. The plain colours are for browsers that cannot mix.
STYLE = f"""
.bpk text{{font-family:{SANS};font-size:{NAME}px;fill:currentColor}}
.bpk .v,.bpk .g{{font-family:{FIXED};font-size:{VALUE}px;white-space:pre}}
.bpk .v{{fill:#1a7f37;fill:color-mix(in srgb,currentColor 35%,#12a150)}}
.bpk .g{{fill:#c2410c;fill:color-mix(in srgb,currentColor 30%,#f0502d)}}
.bpk .n{{fill:currentColor;fill-opacity:.06;stroke:currentColor;stroke-width:1.4}}
.bpk .c{{stroke-dasharray:4 3}}
.bpk .e{{fill:none;stroke:currentColor;stroke-opacity:.6;stroke-width:1.4}}
.bpk .d{{fill:currentColor;stroke:none}}
.bpk .s{{font-size:12px;fill-opacity:.75}}
.bpk .now .n{{stroke-width:3.5;fill-opacity:.16}}
.bpk .now.e{{stroke-width:3;stroke-opacity:1}}
""".strip()
ALONE = (
    "svg.bpk{color:#1f2328;background:#fff}"
    "@media(prefers-color-scheme:dark){svg.bpk{color:#e6edf3;background:#0d1117}}"
)


class View:
    """What of a picture is to be seen at one moment; the stepper shows one View after another.

    values   the vertices whose values are known
    grads    {vertex: gradient so far}
    shares   {(vertex, i): what it contributed to its input i}
    now      the vertex that is at work
    """

    def __init__(self, values, grads, shares, now=None):
        self.values, self.grads, self.shares, self.now = values, grads, shares, now


class Picture:
    """A drawn graph. A notebook displays it; print() shows its table; save(path) writes a file."""

    def __init__(self, vertices, title=None, final=None):
        """`final`: the View when everything has been done; without it, what is known now."""
        self.vertices = vertices
        self.root = vertices[-1]
        self.title = clean(title) if title else f"The graph behind {self.root.name or 'a Tensor'}"
        self.final, self.moves = final or final_view(vertices), final is not None
        self.uses = {v: [] for v in vertices}
        for v in vertices:
            for i, argument in enumerate(v.inputs):
                self.uses[argument].append((v, i))
        self._lay_out()

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

    # -- for notebooks and files

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

    # -- geometry

    def _lay_out(self):
        """A Box for each vertex, with room for all that will ever be written on it."""
        self.boxes = {}
        for v in self.vertices:
            self.boxes[v] = self._box(v)
        boxes = list(self.boxes.values())
        for v in self.vertices:
            self.boxes[v].inputs = [self.boxes[i] for i in v.inputs]
        self.width, self.height, self.passages = place(boxes)

    def _box(self, v):
        text = self._symbol(v)
        entries = [self._entry_width(v, i) for i in range(len(v.inputs))]
        step = 2 * LINE if any(entries) else 16
        tall = max(2 * RADIUS, step * (len(v.inputs) - 1) + 22) if v.kind == "gate" else 30
        round_ = v.kind == "gate" and len(text) <= 2 and tall == 2 * RADIUS
        wide = 2 * RADIUS if round_ else max(2 * RADIUS, width_of(text) + 22)
        above, below = self._labels(v, self.final, everything=True)
        columns = max((len(line) for line in [*above, *below]), default=0)
        if self.moves and len(self.uses[v]) > 1:
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

    def _symbol(self, v):
        length = 18 if v.kind != "gate" else 30
        return shortened(v.symbol or ("constant" if v.kind == "constant" else v.ref), length)

    def _entry_width(self, v, i):
        share = self.final.shares.get((v, i))
        return 0 if share is None else 18 + MONO * len(lines_of(share)[0])

    def _labels(self, v, view, everything=False):
        """(lines above, lines below) the line that leaves a vertex."""
        known = everything or v in view.values
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
        elif v.kind != "constant" and view.grads and view is self.final:
            below = [NOT_YET]
        return above, below

    # -- SVG

    def svg(self, view=None, alone=False):
        """The picture as SVG text; `alone` for a file of its own, which must bring its colours."""
        view = view or self.final
        margin, foot = 12, 30
        legend = self._legend(view)
        told = self.description(view)
        width = max(self.width, width_of(legend) * 0.86) + 2 * margin
        height = self.height + 2 * margin + foot
        id = (
            "bpk"
            + hashlib.blake2b(
                (self.title + told).encode("utf-8", "replace"), digest_size=5
            ).hexdigest()
        )
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpk" role="img" '
            f'aria-labelledby="{id}t {id}d" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:100%;height:auto;'
            f'min-width:{SMALLEST * width:.0f}px">'
            f'<title id="{id}t">{escape(self.title)}</title>'
            f'<desc id="{id}d">{escape(told)}</desc>'
            f"<style>{ALONE if alone else ''}{STYLE}</style>"
            f'<g transform="translate({margin} {margin})">'
        ]
        for v in self.vertices:
            parts += self._lines(v, view)
        for passage in self.passages:
            parts.append(
                f'<path class="e" d="M{passage.start:.1f} {passage.y:.1f}H{passage.end:.1f}"/>'
            )
            parts.append(curve(passage.inputs[0], passage.start, passage.y))
        for v in self.vertices:
            parts += self._node(v, view)
        parts.append(f'<text class="s" x="0" y="{self.height + 24:.1f}">{escape(legend)}</text>')
        parts.append("</g></svg>")
        return "".join(parts)

    def _legend(self, view):
        if view is not self.final:
            return "above a line: the value · below it: the gradient"
        legend, root = "above a line: the value", self.root
        if root.kind == "constant":
            return f"{legend} · constants get no gradient"
        if not view.grads:
            return f"{legend} · {NOT_YET}: call backward()"
        name = isolated(shortened(root.name)) if root.name else "the result"
        return f"{legend} · below it: the gradient of {name}"

    def _lines(self, v, view):
        """The lines that enter a vertex, with what goes back along them where it forks."""
        box = self.boxes[v]
        now = " now" if v is view.now else ""
        for n, (source, port) in enumerate(zip(box.inputs, box.ports, strict=True)):
            y = box.y + port
            touch = box.x - box.width / 2
            if box.round:
                touch = box.x - math.sqrt(RADIUS**2 - port**2)
            yield curve(source, box.start, y, now)
            yield f'<path class="e{now}" d="M{box.start:.1f} {y:.1f}H{touch:.1f}"/>'
            if (v, n) in view.shares:
                share = lines_of(view.shares[v, n])[0]
                yield (
                    f'<text class="g" x="{box.start + 2:.1f}" y="{y + 13:.1f}">'
                    f"{escape(share)}</text>"
                )

    def _node(self, v, view):
        box = self.boxes[v]
        right = box.x + box.width / 2
        yield f'<g class="{"now" if v is view.now else ""}">'
        tip = f"{v.ref} = {v.words}" if v.words else v.ref
        yield f"<title>{escape(isolated(tip))}</title>"
        dashed = " c" if v.kind == "constant" else ""
        if box.round:
            yield f'<circle class="n" cx="{box.x:.1f}" cy="{box.y:.1f}" r="{RADIUS}"/>'
        else:
            corner = 10 if v.kind == "gate" else 2
            yield (
                f'<rect class="n{dashed}" x="{right - box.width:.1f}" '
                f'y="{box.y - box.tall / 2:.1f}" width="{box.width:.1f}" '
                f'height="{box.tall:.1f}" rx="{corner}"/>'
            )
            if v.hides:
                yield (
                    f'<rect class="n" x="{right - box.width + 4:.1f}" '
                    f'y="{box.y - box.tall / 2 + 4:.1f}" width="{box.width - 8:.1f}" '
                    f'height="{box.tall - 8:.1f}" rx="7" style="stroke-width:.7"/>'
                )
        yield (
            f'<text x="{box.x:.1f}" y="{box.y + 5:.1f}" text-anchor="middle">'
            f"{escape(isolated(self._symbol(v)))}</text></g>"
        )
        yield f'<path class="e" d="M{right:.1f} {box.y:.1f}H{box.end:.1f}"/>'
        if len(self.uses[v]) > 1:
            yield f'<circle class="d" cx="{box.end:.1f}" cy="{box.y:.1f}" r="3"/>'
        if v is self.root:
            x, y = box.end, box.y
            yield f'<path class="d" d="M{x:.1f} {y - 4:.1f}l8 4l-8 4z"/>'
        above, below = self._labels(v, view)
        for k, line in enumerate(above):
            y = box.y - 6 - LINE * (len(above) - 1 - k)
            yield label("v", v, right + 8, y, line)
        for k, line in enumerate(below):
            yield label("g", v, right + 8, box.y + 15 + LINE * k, line)


HEADINGS = ("name", "computed as", "shape", "value", "gradient")


def gradient_in_words(vertex, view):
    if vertex.kind == "constant":
        return CONSTANT
    return shown(view.grads[vertex]) if vertex in view.grads else NOT_YET


def final_view(vertices):
    """Everything that is known: values, gradients, and the shares on lines that fork."""
    uses = {}
    for v in vertices:
        for i in v.inputs:
            uses[i] = uses.get(i, 0) + 1
    grads = {v: v.grad for v in vertices if v.grad is not None}
    shares = {}
    for v in vertices:
        if v.kind == "gate" and v.grad is not None and not isinstance(v.grad, Range):
            for i, argument in enumerate(v.inputs):
                if uses[argument] > 1 and small(share := honest_share(v, i)):
                    shares[v, i] = share
    return View(set(vertices), grads, shares)


def honest_share(v, i):
    """The share of input i, or None if an array that it needs has been edited since."""
    try:
        v.note.check()
    except RuntimeError:
        return None
    return v.share(i, v.grad)


def small(share):
    return share is not None and len(lines_of(share)) == 1 and np.size(share) <= 4


def curve(source, x, y, now=""):
    """A line through a channel: from where a box or passage ends to (x, y)."""
    bend = (x - source.end) * 0.5
    return (
        f'<path class="e{now}" d="M{source.end:.1f} {source.y:.1f}C{source.end + bend:.1f} '
        f'{source.y:.1f} {x - bend:.1f} {y:.1f} {x:.1f} {y:.1f}"/>'
    )


def label(kind, v, x, y, text):
    """A line of text at a vertex: its value (class v) or its gradient (class g)."""
    return (
        f'<text class="{kind}" data-of="{escape(v.ref)}" x="{x:.1f}" y="{y:.1f}">'
        f"{escape(isolated(text))}</text>"
    )


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
