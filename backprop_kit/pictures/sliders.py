"""Four things to slide: ReLU's kink, the V of the gradient check, BCE's slope, frozen layers.

Each function returns a `Slider`, which a notebook displays: a slider, a figure, and a sentence that
says in words what the figure shows there; the sentence is also the figure's alternative text.
Where no widget runs, the figure stands at the slider's first position.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from html import escape
from itertools import pairwise

import numpy as np

from .figures import INK, Figure, figure
from .live import Live, widgets
from .notation import number


class Slider(Live):
    """A figure that follows a number.

    draw      draw(value) -> a Figure, whose alternative text says what it shows
    name      what is slid
    positions the values it takes, in order
    start     the value to start from, one of them
    """

    def __init__(self, draw, name, positions, start):
        self.draw, self.name, self.positions = draw, name, list(positions)
        self.start = min(self.positions, key=lambda p: abs(p - start))
        self._build(widgets())

    def at(self, value):
        """The picture and its sentence at a value, as HTML."""
        shown = self.draw(value)
        return (
            f'{shown.svg()}<div role="status" aria-live="polite" style="min-height:3em">'
            f"{escape(shown.alt)}</div>"
        )

    def html(self):
        return self.at(self.start)

    def __str__(self):
        return f"{self.name} = {number(self.start)}: {self.draw(self.start).alt}"

    __repr__ = __str__

    def _build(self, w):
        if w is None:
            return
        options = [(number(p), p) for p in self.positions]
        slider = w.SelectionSlider(
            options=options,
            value=self.start,
            description=self.name,
            continuous_update=True,
            style={"description_width": "initial"},
            layout=w.Layout(width="34em", max_width="100%"),
        )
        page = w.HTML(self.at(self.start))
        slider.observe(lambda change: setattr(page, "value", self.at(change["new"])), "value")
        self.slider, self._page = slider, page
        self.box = w.VBox([slider, page])


# ---------------------------------------------------------------------------------- the four


def relu_kink() -> Slider:
    """Slide v along max(v, 0): the slope is 0 or 1, and at the kink it is a convention."""
    return Slider(_relu_kink, "v", np.round(np.arange(-2.0, 2.01, 0.1), 1) + 0.0, 0.0)


def _relu_kink(v, h=0.5):
    def relu(t):
        return np.maximum(t, 0.0)

    slope = 1.0 if v > 0 else 0.0
    secant = (relu(v + h) - relu(v - h)) / (2 * h)
    alt = f"ReLU at v = {number(v)}: the value is {number(relu(v))}, the slope {number(slope)}. "
    if v == 0:
        alt += (
            "This is the kink: from the left the slope is 0, from the right 1; the course says 0."
        )
    else:
        alt += "Left of 0 nothing passes; right of 0 everything passes unchanged."
    alt += f" A central difference with h = {h} gives {number(secant)}"
    alt += ": its two points lie on both sides of the kink." if abs(v) < h else "."
    t = np.linspace(-2.5, 2.5, 201)
    with figure(alt, show=False) as ax:
        ax.plot(t, relu(t), label="max(v, 0)")
        near = np.array([v - 0.8, v + 0.8])
        ax.plot(near, relu(v) + slope * (near - v), label=f"slope {number(slope)}")
        ends = np.array([v - h, v + h])
        ax.plot(ends, relu(ends), marker="o", label=f"central difference {number(secant)}")
        ax.plot([v], [relu(v)], "o", color="#8c8c8c")
        ax.set(xlabel="v", ylabel="max(v, 0)", xlim=(-2.5, 2.5), ylim=(-0.9, 2.6))
        ax.legend(loc="upper left")
    return Figure(ax.figure, alt)


def gradcheck_v(f: Callable = np.exp, slope: Callable = np.exp, at: float = 1.0) -> Slider:
    """Slide h: a central difference of f at a point, and how far it is from the true slope."""
    steps = [float(f"1e{k}") for k in range(-14, 1)]
    return Slider(partial(_gradcheck_v, f, slope, at), "h", steps, 1e-5)


def _gradcheck_v(f, slope, at, h):
    def error(step):
        with np.errstate(all="ignore"):
            return abs((f(at + step) - f(at - step)) / (2 * step) - slope(at)) / abs(slope(at))

    steps = np.logspace(-14, 0, 200)
    errors = np.maximum([error(s) for s in steps], 1e-17)
    best = steps[np.argmin(np.convolve(np.log(errors), np.ones(15) / 15, mode="same")[10:-10]) + 10]
    here = max(error(h), 1e-17)
    if h > 10 * best:
        why = "h is large: the curve bends between the two points, and the error grows with h²."
    elif h < best / 10:
        why = "h is tiny: the two values agree in most digits, and their difference is rounding."
    else:
        why = "This is about the best h: bend and rounding are balanced."
    alt = f"At h = {number(h)} the relative error is {number(here, 2)}. {why}"
    with figure(alt, show=False) as ax:
        ax.loglog(steps, errors, label="relative error")
        ax.loglog([h], [here], "o", color=COLOUR_HERE, label=f"h = {number(h)}", markersize=9)
        ax.set(xlabel="h", ylabel="relative error of the slope", ylim=(1e-14, 10))
        ax.minorticks_off()
        ax.legend(loc="upper center")
    return Figure(ax.figure, alt)


COLOUR_HERE = "#d9601a"


def bce_logit(y: float = 1.0) -> Slider:
    """Slide the logit v: the loss BCE(y, σ(v)), and its slope σ(v) − y."""
    return Slider(partial(_bce_logit, float(y)), "v", np.arange(-8.0, 8.01, 0.5), 0.0)


def _bce_logit(y, v):
    from backprop_kit.engine.ops import bce_with_logits, logistic

    def loss(t):
        return bce_with_logits.primitive(np.float64(y), np.float64(t))[0]

    slope = float(logistic(np.float64(v)) - y)
    alt = (
        f"For the label y = {number(y)} and the logit v = {number(v)}: ŷ = σ(v) = "
        f"{number(logistic(np.float64(v)))}, the loss is {number(loss(v))} and its slope ŷ − y is "
        f"{number(slope)}. "
    )
    alt += (
        "Surely wrong, and the signal is as strong as it gets."
        if abs(slope) > 0.9
        else "Nearly right, and hardly any signal is left."
        if abs(slope) < 0.1
        else "The wronger the prediction, the steeper the loss."
    )
    t = np.linspace(-8, 8, 161)
    with figure(alt, show=False) as ax:
        ax.plot(t, [loss(s) for s in t], label="BCE(y, σ(v))")
        near = np.array([v - 1.5, v + 1.5])
        ax.plot(near, loss(v) + slope * (near - v), label=f"slope ŷ − y = {number(slope)}")
        ax.plot([v], [loss(v)], "o", color="#8c8c8c")
        ax.set(xlabel="logit v", ylabel="loss", ylim=(-0.8, 8.5), xlim=(-8.5, 8.5))
        ax.legend(loc="upper center")
    return Figure(ax.figure, alt)


def memory_frozen(widths: Sequence[int] = (64, 64, 64, 64, 64, 64, 1), batch: int = 256) -> Slider:
    """Slide how many lower layers are frozen: what the graph of a ReLU network keeps, in bytes."""
    draw = partial(_memory_frozen, tuple(widths), batch)
    return Slider(draw, "frozen layers", range(len(widths)), 0)


def _memory_frozen(widths, batch, frozen):
    """Measured on a real network by `memory.kept`, not computed from a formula."""
    bills = [_kept_bytes(widths, batch, k) for k in range(len(widths))]
    depth = len(widths) - 1
    alt = (
        f"With the lower {frozen} of {depth} layers frozen, backward needs "
        f"{number(bills[frozen] / 1024)} KiB of activations, "
        f"{number(100 * bills[frozen] / bills[0], 3)} % of what it needs with none frozen. "
    )
    alt += (
        "Nothing is trained, so nothing is kept."
        if frozen == depth
        else "What lies below the lowest trainable layer is not kept."
        if frozen
        else "Each trainable layer keeps its input, each ReLU a mask."
    )
    with figure(alt, show=False) as ax:
        bars = ax.bar(range(len(bills)), np.array(bills) / 1024, color="#8c8c8c")
        bars[frozen].set(facecolor=COLOUR_HERE, edgecolor=INK, hatch="//")
        ax.set(xlabel="frozen lower layers", ylabel="kept for backward, KiB")
    return Figure(ax.figure, alt)


@lru_cache(256)
def _kept_bytes(widths, batch, frozen):
    from backprop_kit.engine.layers import Linear, ReLU, Sequential
    from backprop_kit.engine.memory import kept
    from backprop_kit.engine.ops import bce_with_logits
    from backprop_kit.engine.tensor import Tensor

    rng = np.random.default_rng(0)
    stages = []
    for n, m in pairwise(widths):
        stages += [Linear(n, m, rng=rng), ReLU()]
    net = Sequential(*stages[:-1])
    net[: 2 * frozen].freeze()
    X, y = rng.normal(size=(batch, widths[0])), rng.integers(0, 2, (batch, widths[-1]))
    loss = bce_with_logits(Tensor(y), net(Tensor(X)))
    return kept(loss).total if loss.requires_grad else 0
