"""How things are written, on pictures and beside them: operations, names, numbers, arrays.

As on a board: a true minus sign, four digits, "σ(v)" and "xᵀ". An array takes a few lines, its
entries or its range. A name is a student's own and may hold anything; here it becomes plain text.
"""

import math
import unicodedata

import numpy as np

from .trace import Range

NOT_YET = "no gradient yet"

# -------------------------------------------------------------------------------- operations

SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SUPERSCRIPT = str.maketrans("0123456789-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻")

# operation: (symbol, symbol with the constant c in the second place, in the first; in words)
OPERATIONS = {
    "add": ("+", "+{c}", "+{c}", "{0} + {1}"),
    "sub": ("−", "−{c}", "{c}−x", "{0} − {1}"),
    "mul": ("×", "×{c}", "×{c}", "{0} · {1}"),
    "div": ("÷", "÷{c}", "{c}/x", "{0} / {1}"),
    "power": ("aᵇ", "x^{c}", "{c}^x", "{0} ^ {1}"),
    "maximum": ("max", "max(x, {c})", "max({c}, x)", "max({0}, {1})"),
    "matmul": ("@", "@", "@", "{0} @ {1}"),
    "neg": ("×(−1)", "", "", "−{0}"),
    "reciprocal": ("1/x", "", "", "1 / {0}"),
    "exp": ("exp", "", "", "exp({0})"),
    "sigmoid": ("σ", "", "", "σ({0})"),
    "relu": ("ReLU", "", "", "ReLU({0})"),
    "sqrt": ("√x", "", "", "√{0}"),
    "abs": ("|x|", "", "", "|{0}|"),
    "sum": ("Σ", "", "", "Σ {0}"),
    "transpose": ("xᵀ", "", "", "{0}ᵀ"),
    "bce": ("BCE", "BCE", "BCE", "BCE({0}, {1})"),
    "bce_with_logits": ("BCE∘σ", "BCE∘σ", "BCE∘σ", "BCE({0}, σ({1}))"),
}


def symbol(note):
    """What stands in a gate's box: "+", "×", "+1", "x²", "exp" …"""
    op = note.op.__name__
    if op == "pow":
        return f"x{power_of(note)}"
    if isinstance(note.op, type) or op not in OPERATIONS:
        return clean(op)
    plain, second, first, _ = OPERATIONS[op]
    constants = [
        i
        for i, (a, v) in enumerate(zip(note.arguments, note.values, strict=True))
        if a is None and v.shape == ()
    ]
    if constants and len(note.arguments) == 2:
        c = number(note.values[constants[0]])
        if c.startswith("−") and op != "maximum":
            c = f"({c})"
        return (first if constants[0] == 0 else second).format(c=c)
    if second and plain != second and len(note.arguments) == 1:
        return second.format(c="c")  # a bare graph does not say which constant
    return plain


def power_of(note):
    if not note.settings:
        return "ⁿ"
    text = number(np.float64(note.settings[0]))
    whole = all(c in "0123456789−" for c in text)
    return text.translate(SUPERSCRIPT) if whole else f"^{text}"


def in_words(vertex):
    """How a gate's value was computed: "x + y"."""
    note = vertex.note
    op = note.op.__name__
    entering = dict(zip(vertex.places, (i.ref for i in vertex.inputs), strict=True))
    names = []
    for i, (a, value) in enumerate(zip(note.arguments, note.values, strict=True)):
        if a is None and value.shape == ():
            names.append(number(value))
        elif i in entering:
            names.append(entering[i])
    if vertex.hides:
        return f"{vertex.symbol} of {', '.join(i.ref for i in vertex.inputs)}"
    if op == "pow" and names:
        return names[0] + power_of(note)
    template = OPERATIONS[op][3] if op in OPERATIONS else ""
    if template and len(names) == (2 if "{1}" in template else 1):
        return template.format(*names)
    if template and "{1}" in template and names:  # noted too late to know the constant
        return template.format(names[0], "a constant")
    return f"{clean(op)}({', '.join(names)})"


# ------------------------------------------------------------------------------------- names


def clean(name):
    """A name as text that can stand anywhere: no control characters, nothing that turns around."""
    if name is None:
        return None
    text = "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp") else "�"
        for c in str(name)
    )
    return text or "(no name)"


def isolated(text):
    """The text, set apart by Unicode's isolates if it runs from right to left."""
    turns = any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text)
    return f"\u2068{text}\u2069" if turns else text


def shortened(text, length=18):
    return text if len(text) <= length else text[: length - 1] + "…"


# ----------------------------------------------------------------------------------- numbers


def number(value, digits=4):
    """A number as on a board: 4 digits, a true minus sign."""
    value = float(value)
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return "0" if text == "-0" else text.replace("-", "−")


def lines_of(value, rows=3, columns=4):
    """A value in a few lines: the number, the entries of a small array, or the range of a large."""
    if value is None:
        return ["?"]
    if isinstance(value, Range):
        return ["" if value.low is None else span(value.low, value.high)]
    if value.shape == ():
        return [number(value)]
    if value.size == 0:
        return ["empty"]
    table = value[None, :] if value.ndim == 1 else value
    if table.ndim == 2 and len(table) <= rows and table.shape[1] <= columns:
        cells = [[number(v) for v in row] for row in table]
        widths = [max(len(row[k]) for row in cells) for k in range(table.shape[1])]
        return [
            "[" + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + "]"
            for row in cells
        ]
    return [span(value.min(), value.max())]


def span(low, high):
    return f"all {number(low)}" if low == high else f"{number(low)} … {number(high)}"


def shape_of(shape):
    return str(tuple(shape)) if shape else ""


def shown(value):
    """A value in one line of text."""
    return "unknown" if value is None else " ".join(lines_of(value)) or "large"
