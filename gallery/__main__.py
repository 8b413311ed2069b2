"""python -m gallery [FILE]: write the page of all graphs, build/gallery.html unless named."""

import sys
from html import escape
from pathlib import Path

from backprop_kit.pictures.picture import draw, page
from backprop_kit.pictures.trace import notes

from .graphs import GRAPHS


def sections():
    """One section of HTML for each graph."""
    for title, (compute, settings) in GRAPHS.items():
        with notes():
            picture = draw(compute(), title=title, **settings)
        yield f"<section><h2>{escape(title)}</h2>{picture.html()}</section>"


def main(path="build/gallery.html"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    intro = "<h1>The graphs of the course</h1>"
    path.write_text(page("The graphs of the course", intro + "".join(sections())), "utf-8")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
