"""Nothing that a student wrote or a kernel sent does anything where it is read.

`clean_html` keeps the words, tables and colours of a piece of HTML and drops the rest: scripts,
frames, forms, links, and everything that a page would have to fetch. The work is bleach's.
Drawings (SVG) are kept as images, in which browsers run nothing. `inert_outputs` does so to a
cell's outputs and limits their size, `inert_text` to a text cell, `printable` to a text that a
terminal shows. Whether a whole page is inert is looked at in `reporting.policy`.
"""

import base64
import binascii
import html
import re
import secrets
from collections.abc import Sequence
from typing import Any

import nbformat
from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner
from nbformat import NotebookNode

MAX_TEXT = 10_000  # characters of one output
MAX_HTML = 100_000  # characters of one output in HTML, without its pictures
MAX_PICTURE = 2_000_000  # characters of one picture
MAX_OUTPUTS = 50  # of one cell
MAX_SOURCE = 50_000  # characters of a cell, on a page

# fmt: off
TAGS = {
    "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del",
    "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp",
    "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "tt", "u", "ul", "var",
}
STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left",
    "border-right", "border-top", "color", "display", "font-family", "font-size", "font-style",
    "font-weight", "margin", "margin-left", "max-width", "overflow-x", "padding", "text-align",
    "text-decoration", "vertical-align", "white-space", "width",
}
# fmt: on
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
SIGNATURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}


def clean_html(text: str) -> str:
    """This HTML without anything that acts, refers or is fetched."""
    token = secrets.token_hex(8)
    pictures = []

    def aside(found):
        pictures.append(_as_image(found[0]))
        return f"{token}-{len(pictures) - 1}-"

    text = re.sub(r"(?is)<svg\b.*?</svg\s*>", aside, text)
    text = re.sub(r"(?is)<(script|style)\b.*?</\1\s*>", "", text)
    if len(text) > MAX_HTML:
        return f"<p><i>This was too long to be shown here ({len(text):,} characters).</i></p>"
    cleaner = Cleaner(
        tags=TAGS,
        attributes=_allowed,
        protocols={"data"},
        strip=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES, allowed_svg_properties=[]),
    )
    text = re.sub(r"<img(?![^>]*\bsrc=)[^>]*>", "", cleaner.clean(text))  # of elsewhere
    return re.sub(rf"{token}-(\d+)-", lambda m: pictures[int(m[1])], text)


def _allowed(tag, name, value):
    if name == "style" or (tag in ("td", "th") and name in ("colspan", "rowspan")):
        return True
    if tag == "img":
        return name == "alt" or (name == "src" and bool(PICTURE.fullmatch(value)))
    return name == "open" and tag == "details"


def _as_image(svg):
    """A drawing as an image: inside one, browsers run no script and fetch nothing."""
    if len(svg) > MAX_PICTURE:
        return "<p><i>This drawing was too large to be shown here.</i></p>"
    if "xmlns=" not in svg.partition(">")[0]:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    title = re.search(r"<title\b[^>]*>([^<]*)</title>", svg)
    alt = html.escape(html.unescape(title[1])) if title else "a drawing"
    data = base64.b64encode(svg.encode("utf-8", "replace")).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{alt}">'


# ---------------------------------------------------------------- outputs of cells


def inert_outputs(outputs: Sequence[Any]) -> list[NotebookNode]:
    """New outputs that show the same and do nothing, of limited size."""
    kept = [inert for output in outputs[:MAX_OUTPUTS] if (inert := _inert(output))]
    if len(outputs) > MAX_OUTPUTS:
        kept.append(_note(f"{len(outputs) - MAX_OUTPUTS} more outputs are not shown."))
    return kept


def _note(text):
    return nbformat.v4.new_output("stream", name="stdout", text=f"… {text}\n")


def _inert(output):
    new = nbformat.v4.new_output
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return new("stream", name=name, text=shortened(output.get("text", "")))
    if kind == "error":
        lines = output.get("traceback", [])
        trace = shortened("\n".join(str(line) for line in lines)).split("\n")
        words = {key: shortened(output.get(key, ""), 1000) for key in ("ename", "evalue")}
        return new("error", **words, traceback=trace)
    if kind not in ("display_data", "execute_result"):
        return None
    metadata = {}
    data = _inert_data(output.get("data", {}))
    for picture in SIGNATURES:
        about = output.get("metadata", {}).get(picture, {})
        alt = about.get("alt") if isinstance(about, dict) else None
        if picture in data and isinstance(alt, str):
            metadata[picture] = {"alt": shortened(alt, 1000)}
    if not data:
        return None
    more = {"execution_count": None} if kind == "execute_result" else {}
    return new(kind, data, metadata=metadata, **more)


def _inert_data(bundle):
    """The text of a bundle and the one other form of it that reads best, made inert."""
    data = {}
    if "text/plain" in bundle:
        data["text/plain"] = shortened(_text(bundle["text/plain"]))
    for picture, signature in SIGNATURES.items():
        if picture in bundle and _is_picture(_text(bundle[picture]), signature):
            data[picture] = _text(bundle[picture]).strip()
            return data
    drawing = _text(bundle.get("image/svg+xml", ""))
    if drawing and len(drawing) <= MAX_PICTURE:
        data["text/html"] = clean_html(drawing)
    elif "text/html" in bundle:
        cleaned = clean_html(_text(bundle["text/html"]))
        if cleaned.strip():
            data["text/html"] = cleaned
    elif not data:
        for kind in ("text/latex", "text/markdown"):
            if kind in bundle:
                data["text/plain"] = shortened(_text(bundle[kind]))
    return data


def _is_picture(text, signature):
    if len(text) > MAX_PICTURE:
        return False
    try:
        return base64.b64decode("".join(text.split()), validate=True).startswith(signature)
    except (binascii.Error, ValueError):
        return False


def _text(value):
    """Text as a notebook may write it: whole, or as a list of lines."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """The text, cut where it is too long, and said so. Half characters are replaced."""
    text = _text(text)
    if len(text) > most:
        text = f"{text[:most]}\n… cut here: {len(text) - most:,} more characters."
    return text.encode("utf-8", "replace").decode("utf-8")


# ---------------------------------------------------------------- cells of text


def inert_text(source):
    """Markdown whose tags show as they were typed. The released cells keep theirs."""
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", source)


def printable(text: str) -> str:
    """The text without what would move a cursor, or could not be written to a file at all."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def short(text):
    """The beginning of a text, printable, for a place in a sentence."""
    text = printable(text)
    return text if len(text) <= 60 else f"{text[:57]}…"
