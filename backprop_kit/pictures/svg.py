"""A picture as SVG: a node for each Box, the lines between them, the labels above and below.

It is written here, as text, and takes its colours from the page it stands on.
"""

import hashlib
import math
from html import escape

from .boxes import LINE, NAME, RADIUS, VALUE, inscription, labels, width_of
from .notation import NOT_YET, isolated, lines_of, shortened

MARGIN, FOOT = 12, 30
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


class Drawing:
    """What a Picture looks like at one moment, a View."""

    def __init__(self, picture, view):
        self.picture, self.view = picture, view

    def svg(self, alone=False):
        """The drawing as SVG text; `alone` for a file of its own, which must bring its colours."""
        picture, legend = self.picture, self.legend()
        width = max(picture.width, width_of(legend) * 0.86) + 2 * MARGIN
        height = picture.height + 2 * MARGIN + FOOT
        parts = [self.head(width, height, alone), f'<g transform="translate({MARGIN} {MARGIN})">']
        for v in picture.vertices:
            parts += self.lines_into(v)
        for passage in picture.passages:
            parts.append(
                f'<path class="e" d="M{passage.start:.1f} {passage.y:.1f}H{passage.end:.1f}"/>'
            )
            parts.append(curve(passage.inputs[0], passage.start, passage.y))
        for v in picture.vertices:
            parts += self.node(v)
            parts += self.line_out_of(v)
            parts += self.labels_of(v)
        parts.append(f'<text class="s" x="0" y="{picture.height + 24:.1f}">{escape(legend)}</text>')
        parts.append("</g></svg>")
        return "".join(parts)

    def head(self, width, height, alone):
        """The opening tag with its size, the title, the description, and the style."""
        title, told = self.picture.title, self.picture.description(self.view)
        whole = (title + told).encode("utf-8", "replace")
        id = "bpk" + hashlib.blake2b(whole, digest_size=5).hexdigest()
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bpk" role="img" '
            f'aria-labelledby="{id}t {id}d" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:100%;height:auto;'
            f'min-width:{SMALLEST * width:.0f}px">'
            f'<title id="{id}t">{escape(title)}</title>'
            f'<desc id="{id}d">{escape(told)}</desc>'
            f"<style>{ALONE if alone else ''}{STYLE}</style>"
        )

    def legend(self):
        if not self.view.whole:
            return "above a line: the value · below it: the gradient"
        legend, root = "above a line: the value", self.picture.root
        if root.kind == "constant":
            return f"{legend} · constants get no gradient"
        if not self.view.grads:
            return f"{legend} · {NOT_YET}: call backward()"
        name = isolated(shortened(root.name)) if root.name else "the result"
        return f"{legend} · below it: the gradient of {name}"

    def lines_into(self, v):
        """The lines that enter a vertex, with what goes back along them where it forks."""
        box = self.picture.boxes[v]
        now = " now" if v is self.view.now else ""
        for n, (source, port) in enumerate(zip(box.inputs, box.ports, strict=True)):
            y = box.y + port
            touch = box.x - box.width / 2
            if box.round:
                touch = box.x - math.sqrt(RADIUS**2 - port**2)
            yield curve(source, box.start, y, now)
            yield f'<path class="e{now}" d="M{box.start:.1f} {y:.1f}H{touch:.1f}"/>'
            if (v, n) in self.view.shares:
                share = lines_of(self.view.shares[v, n])[0]
                yield (
                    f'<text class="g" x="{box.start + 2:.1f}" y="{y + 13:.1f}">'
                    f"{escape(share)}</text>"
                )

    def node(self, v):
        """The vertex itself: its shape, and what stands in it."""
        box = self.picture.boxes[v]
        left = box.x + box.width / 2 - box.width
        yield f'<g class="{"now" if v is self.view.now else ""}">'
        tip = f"{v.ref} = {v.words}" if v.words else v.ref
        yield f"<title>{escape(isolated(tip))}</title>"
        dashed = " c" if v.kind == "constant" else ""
        if box.round:
            yield f'<circle class="n" cx="{box.x:.1f}" cy="{box.y:.1f}" r="{RADIUS}"/>'
        else:
            corner = 10 if v.kind == "gate" else 2
            yield (
                f'<rect class="n{dashed}" x="{left:.1f}" '
                f'y="{box.y - box.tall / 2:.1f}" width="{box.width:.1f}" '
                f'height="{box.tall:.1f}" rx="{corner}"/>'
            )
            if v.hides:
                yield (
                    f'<rect class="n" x="{left + 4:.1f}" '
                    f'y="{box.y - box.tall / 2 + 4:.1f}" width="{box.width - 8:.1f}" '
                    f'height="{box.tall - 8:.1f}" rx="7" style="stroke-width:.7"/>'
                )
        yield (
            f'<text x="{box.x:.1f}" y="{box.y + 5:.1f}" text-anchor="middle">'
            f"{escape(isolated(inscription(v)))}</text></g>"
        )

    def line_out_of(self, v):
        """The line that leaves a vertex: a dot where it forks, an arrow at the result."""
        box = self.picture.boxes[v]
        right, x, y = box.x + box.width / 2, box.end, box.y
        yield f'<path class="e" d="M{right:.1f} {y:.1f}H{x:.1f}"/>'
        if len(self.picture.uses[v]) > 1:
            yield f'<circle class="d" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        if v is self.picture.root:
            yield f'<path class="d" d="M{x:.1f} {y - 4:.1f}l8 4l-8 4z"/>'

    def labels_of(self, v):
        """The value above the line that leaves a vertex, the gradient below it."""
        box = self.picture.boxes[v]
        x = box.x + box.width / 2 + 8
        above, below = labels(v, self.view)
        for k, line in enumerate(above):
            yield label("v", v, x, box.y - 6 - LINE * (len(above) - 1 - k), line)
        for k, line in enumerate(below):
            yield label("g", v, x, box.y + 15 + LINE * k, line)


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
