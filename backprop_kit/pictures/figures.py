"""Figures of the course: one matplotlib style, and alternative text made together with the figure.

    with figure("The error against h falls, then rises: a V with its tip at 1e-5.") as ax:
        ax.loglog(h, error)

The notebook shows the figure as SVG whose text and axes take the page's text colour, so it is
readable on a white and on a dark page; a picture in grey on white is there for viewers that want
PNG. Lines differ in dashes and brightness as well as in hue, so that they can be told apart in
grey. The alternative text goes into both.
"""

import contextlib
import hashlib
import io
from collections.abc import Iterator
from html import escape
from typing import Any

from backprop_kit.display import display

INK = "#010203"  # stands for "the page's text colour" until the SVG is written
COLOURS = ("#2b7bba", "#d9601a", "#9166d6", "#1d8a5b", "#8c8c8c")  # seen on white and on black
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))

STYLE: dict[Any, Any] = {
    "figure.figsize": (6.4, 3.6),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.labelcolor": INK,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "font.size": 11,
    "font.family": "sans-serif",
    "axes.titlesize": 12,
    "svg.fonttype": "none",
    "svg.hashsalt": "backprop",
    "figure.constrained_layout.use": True,
}


@contextlib.contextmanager
def figure(
    alt: str, rows: int = 1, columns: int = 1, show: bool = True, **settings: Any
) -> Iterator[Any]:
    """Axes to draw on; at the end of the block the notebook shows the figure.

    alt       what the figure shows, in a sentence or two, for those who do not see it. Required.
    rows, columns, settings   as for matplotlib's `subplots`
    show      False: do not display; take `fig = ax.figure` and make a `Figure` of it yourself

    Yields one Axes, or an array of them. Raises ValueError without an alternative text.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("a figure needs an alternative text: say in words what it shows.")
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        plt.rc("axes", prop_cycle=cycle())
        fig, axes = plt.subplots(rows, columns, **settings)
        try:
            yield axes
        finally:
            plt.close(fig)
        if show:
            display(Figure(fig, alt))


def cycle():
    """Colours and dashes, one after the other."""
    from cycler import cycler

    return cycler(color=COLOURS) + cycler(linestyle=DASHES)


class Figure:
    """A finished figure and its alternative text. Notebooks display it; print() shows the text."""

    def __init__(self, fig, alt):
        self.fig, self.alt = fig, " ".join(alt.split())

    def svg(self):
        """The figure as SVG with its alternative text, in the colours of the page around it."""
        import matplotlib as mpl

        drawn = io.StringIO()
        with mpl.rc_context(STYLE):
            self.fig.savefig(drawn, format="svg", metadata={"Date": None})
        text = drawn.getvalue()
        text = text[text.index("<svg") :].replace(INK, "currentColor")
        id = "fig" + hashlib.blake2b(text.encode(), digest_size=5).hexdigest()
        head = f'<svg role="img" aria-labelledby="{id}" style="max-width:100%;height:auto"'
        title = f'<title id="{id}">{escape(self.alt)}</title>'
        end = text.index(">") + 1
        opening = text[:end].replace("<svg", head, 1)
        # Ids are the page's, and every figure has the same ones: put the figure's own before them.
        body = text[end:].replace('id="', f'id="{id}-').replace("url(#", f"url(#{id}-")
        return opening + title + body.replace('href="#', f'href="#{id}-')

    def png(self):
        """The figure as PNG, black on white."""
        import matplotlib as mpl

        drawn = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.fig.savefig(drawn, format="png", dpi=110, facecolor="white")
        return drawn.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/html": self.svg(), "image/png": self.png(), "text/plain": self.alt}
        return bundle, {"image/png": {"alt": self.alt}}

    def __repr__(self):
        return f"Figure: {self.alt}"
