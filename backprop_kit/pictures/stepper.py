"""Step through a graph: `step(f)` goes forward gate by gate, then backward, and explains each move.

Forward, a gate takes its inputs and gives a value. Backward, it takes the signal from above and
hands each input its share: local derivative × signal. Where a value was used several times, the
shares add up. The moves are worked out here from the vjps that the engine recorded, so they do
not depend on whether backward() has run, and they do not touch any `.grad`.
"""

from __future__ import annotations

import re
import sys
from html import escape

import numpy as np

from .graph import graph_of, uses_of
from .live import Live, widgets
from .notation import clean, in_words, isolated, lines_of, number, shape_of, shortened, shown
from .picture import Picture, View, small
from .trace import Range, Tensor

FORWARD, BACKWARD = "forward", "backward"


def step(
    tensor: Tensor,
    /,
    *,
    title: str | None = None,
    names: dict[str, Tensor] | None = None,
    **more_names: Tensor,
) -> Stepper:
    """A widget that walks through the graph behind a Tensor, forward and then backward.

    x, y, z = Tensor(-2.0, True), Tensor(5.0, True), Tensor(-4.0, True)
    step((x + y) * z)

    Names are found and given as for `draw`. Returns a `Stepper`, which a notebook displays; without
    widgets it is the final picture. With the keyboard: Tab to a button and press space, or type a
    step's number.

    Raises RuntimeError if an array of the graph has been edited since it was computed.
    """
    names = {**(names or {}), **more_names}
    return Stepper(graph_of(tensor, False, names, sys._getframe(1)), title)


class Move:
    """One step: what is seen, and what is said.

    phase   "start", "forward", "seed" or "backward"
    vertex  the gate at work, or None
    view    the `View` of the picture after this step
    said    the headline, a sentence
    shares  for a backward step: a `Share` for each input
    rule    for a backward step: the primitive's mathematics
    """

    def __init__(self, phase, vertex, view, said, shares=(), rule=""):
        self.phase, self.vertex, self.view, self.said = phase, vertex, view, said
        self.shares, self.rule = shares, rule


class Share:
    """What a gate hands to one input: local × signal = value; `total` is that input's sum so far.

    arrived, expected   how many shares have come, and how many will
    local, value, total numbers or arrays; None where arrays are too large to be kept
    """

    def __init__(self, to, local, value, total, arrived, expected, terms):
        self.to, self.local, self.value, self.total = to, local, value, total
        self.arrived, self.expected, self.terms = arrived, expected, terms


# -------------------------------------------------------------------------------------- moves


def moves_of(vertices):
    """All moves through a graph, in order."""
    return [*forward_moves(vertices), *backward_moves(vertices)]


def forward_moves(vertices):
    known = {v for v in vertices if v.kind != "gate"}
    inputs = ", ".join(told(v) for v in vertices if v.kind != "gate")
    yield Move("start", None, View(set(known), {}, {}), f"The inputs: {inputs}.")
    for v in vertices:
        if v.kind == "gate":
            known.add(v)
            yield Move(FORWARD, v, View(set(known), {}, {}, v), forward_words(v))


def backward_moves(vertices):
    root = vertices[-1]
    if root.kind == "constant":
        return
    known = set(vertices)
    differentiable = reached(vertices)
    grads, shares, terms = {root: seed(root)}, {}, {}
    expected = {v: len(uses) for v, uses in uses_of(vertices).items()}
    what = "moves as much as it moves itself" if not root.shape else "is where the signal enters"
    yield Move(
        "seed",
        root,
        View(known, dict(grads), {}, root),
        f"The seed: {root.ref} {what}, so its gradient is {shown(grads[root])}.",
    )
    for v in reversed(vertices):
        if v.kind != "gate" or v not in grads:
            continue
        v.note.check()
        signal, made = grads[v], []
        for i, to in enumerate(v.inputs):
            if to not in differentiable:
                continue
            value = None if signal is None or isinstance(signal, Range) else v.share(i, signal)
            before = terms.setdefault(to, [])
            before.append(value)
            if value is None:
                grads[to] = to.grad  # what backward() found, if it has run
            else:
                grads[to] = value if len(before) == 1 else grads[to] + value
            if expected[to] > 1 and small(value):
                shares[v, i] = value
            made.append(
                Share(to, local(v, i), value, grads[to], len(before), expected[to], tuple(before))
            )
        seen = {u: g for u, g in grads.items() if g is not None}
        yield Move(
            BACKWARD,
            v,
            View(known, seen, dict(shares), v),
            f"Back through {v.symbol}: the signal at {v.ref} is {brief(signal)}.",
            made,
            rule_of(v),
        )


def reached(vertices):
    """The vertices that a gradient flows to: gates, and what was trainable when it was used."""
    found = {v for v in vertices if v.kind == "gate"}
    for v in list(found):
        found.update(i for i, p in zip(v.inputs, v.places, strict=True) if p in v.note.places)
    return found


def seed(root):
    if root.grad is not None and root.kind == "gate":
        return root.grad
    return np.float64(1.0) if not root.shape else np.ones(root.shape)


ELEMENTWISE = {"add", "sub", "mul", "div", "neg", "reciprocal", "pow", "power", "sqrt", "exp"}
ELEMENTWISE |= {"log", "sin", "cos", "tanh", "sigmoid", "softplus", "relu", "abs", "maximum"}


def local(v, i):
    """The local derivative at input i, if it is a number or acts entry by entry; else None."""
    to = v.inputs[i]
    if isinstance(v.value, Range) or v.value is None or isinstance(to.value, Range):
        return None
    if not v.shape and not to.shape:
        return v.share(i, np.float64(1.0))
    if v.note.op.__name__ in ELEMENTWISE and v.shape == to.shape:
        return v.share(i, np.ones(v.shape))
    return None


# -------------------------------------------------------------------------------------- words


def told(v):
    value = f" {shape_of(v.shape)}" if v.shape else f" = {shown(v.value)}"
    return isolated(shortened(v.ref, 40)) + value


def forward_words(v):
    """How a value came about: "q = x + y = −2 + 5 = 3"."""
    head = f"{isolated(v.ref)} = {isolated(v.words)}"
    if v.shape or any(i.shape for i in v.inputs):
        shapes = ", ".join(shape_of(i.shape) or "a number" for i in v.inputs)
        return f"{head}: from {shapes} to {shape_of(v.shape) or shown(v.value)}."
    numbers, value = with_numbers(v), shown(v.value)
    return f"{head} = {value}." if numbers == value else f"{head} = {numbers} = {value}."


INFIX = {"add", "sub", "mul", "div", "neg", "pow", "power", "reciprocal", "matmul"}


def with_numbers(v):
    """The gate's words with the inputs' numbers in place of their names."""
    names = [i.ref for i in v.inputs]
    for i in v.inputs:
        text = shown(i.value)
        i.ref = f"({text})" if text.startswith("−") and v.note.op.__name__ in INFIX else text
    try:
        return in_words(v)
    finally:
        for i, name in zip(v.inputs, names, strict=True):
            i.ref = name


def rule_of(v):
    """The first line of the primitive's docstring, which is its mathematics."""
    if isinstance(v.note.op, type):
        return f"{clean(v.note.op.__name__)}.backward, your own rule"
    first = (v.note.op.__doc__ or "").strip().split("\n")[0]
    return re.sub(r"\s{3,}", " ;  ", first)


def brief(value):
    """A value, or for an array its shape."""
    if value is None:
        return "too large to keep"
    return shape_of(value.shape) if value.shape else number(value)


def entries(value):
    """A value in a cell of the table: all lines of it."""
    if value is None:
        return "–"
    head = [shape_of(value.shape)] if value.shape else []
    return "<br>".join(escape(line) for line in [*head, *lines_of(value)] if line)


def explanation(move, number_of, count):
    """What a move is about, as HTML."""
    parts = [f"<b>Step {number_of} of {count}.</b> {escape(move.said)}"]
    if move.rule:
        parts.append(f'<div style="opacity:.8">The rule: {escape(move.rule)}</div>')
    if move.shares:
        head = ("to", "local derivative", "× signal", "= its share", "gradient so far")
        cells = "".join(f'<th scope="col" style="{CELL}">{h}</th>' for h in head)
        rows = ""
        for share in move.shares:
            known = share.local is not None
            rows += (
                f'<tr><th scope="row" style="{CELL}" dir="auto">'
                f"{escape(shortened(share.to.ref, 40))}</th>"
                f'<td style="{CELL}">{entries(share.local) if known else "see the rule"}</td>'
                f'<td style="{CELL}">{entries(move.signal)}</td>'
                f'<td style="{CELL}">{entries(share.value)}</td>'
                f'<td style="{CELL}">{sum_in_words(share)}</td></tr>'
            )
        parts.append(
            f'<table style="border-collapse:collapse;margin:.4em 0"><thead><tr>{cells}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
    return "".join(parts)


CELL = (
    "text-align:left;vertical-align:top;padding:.1em 1.2em .1em 0;white-space:pre;"
    "font-variant-numeric:tabular-nums"
)


def sum_in_words(share):
    """The gradient so far; where paths meet, as a sum over children."""
    total = entries(share.total)
    if share.expected == 1:
        return total
    where = f"{share.arrived} of {share.expected} paths"
    if share.arrived > 1 and all(t is not None and not t.shape for t in share.terms):
        terms = [number(t) for t in share.terms]
        total = " + ".join(f"({t})" if t.startswith("−") else t for t in terms) + f" = {total}"
    last = share.arrived == share.expected
    return f"{total}<br><i>sum over children, {where}{'' if last else ' so far'}</i>"


# ------------------------------------------------------------------------------------- widget


class Stepper(Live):
    """A graph to step through. `position` is the step that is shown, from 0 to len(moves) - 1."""

    def __init__(self, vertices, title=None):
        self.moves = moves_of(vertices)
        for move in self.moves:
            move.signal = move.view.grads.get(move.vertex)
        final = self.moves[-1].view
        whole = View(final.values, final.grads, final.shares, whole=True)
        self.picture = Picture(vertices, title, final=whole)
        self.position = 0
        self._build(widgets())

    def forward(self):
        """One step on."""
        self.go(self.position + 1)

    def back(self):
        """One step back."""
        self.go(self.position - 1)

    def reset(self):
        """To the beginning."""
        self.go(0)

    def go(self, position):
        """To this step, or the nearest there is."""
        self.position = max(0, min(int(position), len(self.moves) - 1))
        if self.box is None:
            return
        self._svg.value = self.svg()
        self._words.value = self.words()
        self._at.value = self.position
        self._buttons["back"].disabled = self._buttons["reset"].disabled = self.position == 0
        self._buttons["forward"].disabled = self.position == len(self.moves) - 1

    @property
    def move(self):
        """The `Move` that is shown."""
        return self.moves[self.position]

    def svg(self):
        """The picture of the step that is shown."""
        return f'<div style="overflow-x:auto">{self.picture.svg(self.move.view)}</div>'

    def words(self):
        """The explanation of the step that is shown."""
        return (
            '<div role="status" aria-live="polite" style="min-height:8em;line-height:1.5">'
            f"{explanation(self.move, self.position, len(self.moves) - 1)}</div>"
        )

    def html(self):
        """The final picture, for places where no widget runs."""
        return self.picture.html()

    def __str__(self):
        return str(self.picture)

    __repr__ = __str__

    def _build(self, w):
        if w is None:
            return
        last = len(self.moves) - 1

        def button(text, tip, action):
            made = w.Button(description=text, tooltip=tip, layout=w.Layout(width="8em"))
            made.on_click(lambda _: action())
            return made

        self._buttons = {
            "reset": button("Reset", "To the beginning", self.reset),
            "back": button("◀ Back", "One step back", self.back),
            "forward": button("Forward ▶", "One step on", self.forward),
        }
        self._at = w.BoundedIntText(
            value=0,
            min=0,
            max=last,
            description=f"Step (of {last})",
            style={"description_width": "initial"},
            layout=w.Layout(width="11em"),
        )
        self._at.observe(self._typed, names="value")
        play = w.Play(value=0, min=0, max=last, interval=1500, description="Play")
        w.jslink((play, "value"), (self._at, "value"))
        self._svg, self._words = w.HTML(), w.HTML()
        controls = w.HBox([*self._buttons.values(), play, self._at])
        controls.layout.flex_flow = "row wrap"
        self.box = w.VBox([controls, self._svg, self._words])
        self.go(0)

    def _typed(self, change):
        if change["new"] != self.position:
            self.go(change["new"])
