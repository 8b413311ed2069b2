"""draw(): what stands in the picture, where, in which words; that it is cheap, and safe."""

import gc
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backprop_kit import Tensor, no_grad
from backprop_kit.engine import tensor as engine
from backprop_kit.engine.layers import Linear, ReLU, Sequential
from backprop_kit.pictures import trace
from backprop_kit.pictures.graph import graph_of
from backprop_kit.pictures.layout import Box, crossings
from backprop_kit.pictures.notation import NOT_YET, lines_of, number
from backprop_kit.pictures.picture import Picture, draw
from gallery.graphs import GRAPHS, chain

SVG = "{http://www.w3.org/2000/svg}"


pytestmark = pytest.mark.usefixtures("noting")


def product():
    x, y, z = (Tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    x.name, y.name, z.name = "x", "y", "z"
    return x, y, z, (x + y) * z


def labels(picture):
    """{what: (value, gradient) as written in the picture}"""
    found = {}
    for text in ET.fromstring(picture.svg()).iter(SVG + "text"):
        if "data-of" in text.attrib:
            of = found.setdefault(text.attrib["data-of"], {"v": [], "g": []})
            of[text.attrib["class"]].append(text.text)
    return {of: ("\n".join(t["v"]), "\n".join(t["g"])) for of, t in found.items()}


# ------------------------------------------------------------------------------- what it says


def test_values_above_and_no_gradient_yet():
    *_, f = product()
    picture = draw(f)
    assert labels(picture) == {
        "x": ("−2", ""),
        "y": ("5", ""),
        "v1": ("3", ""),
        "z": ("−4", ""),
        "f": ("f = −12", ""),
    }
    assert NOT_YET in picture.svg()
    assert "gradient 0" not in picture.svg()
    assert str(picture).count(NOT_YET) == 5


def test_gradients_below_after_backward():
    *_, f = product()
    f.backward()
    assert labels(draw(f)) == {
        "x": ("−2", "−4"),
        "y": ("5", "−4"),
        "v1": ("3", "−4"),
        "z": ("−4", "3"),
        "f": ("f = −12", "1"),
    }
    assert NOT_YET not in draw(f).svg()


def test_a_gradient_that_was_forgotten_is_not_zero():
    x, *_, f = product()
    f.backward()
    x.zero_grad()
    assert labels(draw(f))["x"] == ("−2", NOT_YET)


def test_a_gradient_that_is_zero_is_zero():
    x = Tensor(-1.0, requires_grad=True)
    f = x.relu()
    f.backward()
    assert labels(draw(f))["x"] == ("−1", "0")


def test_names_come_from_the_caller_the_tensor_or_the_call():
    a = Tensor(1.0, requires_grad=True)
    b = Tensor(2.0, requires_grad=True)
    b.name = "weight"
    s = a + b
    result = s * s
    assert {v.ref for v in graph_of(result, frame=sys._getframe())} == {
        "a",
        "weight",
        "s",
        "result",
    }
    assert {"alpha", "weight", "s", "out"} == set(labels(draw(result, alpha=a, out=result)))
    assert "beta gamma" in labels(draw(result, names={"beta gamma": b}))
    with pytest.raises(TypeError, match="'q' should name a Tensor, and names float"):
        draw(result, q=3.0)


def test_a_name_survives_its_tensor():
    def formula(x, y):
        q = x + y
        q.name = "inner"
        return q * 2.0

    f = formula(Tensor(1.0, True), Tensor(2.0, True))
    assert "inner" in labels(draw(f))


def test_equal_names_are_told_apart():
    rng = np.random.default_rng(0)
    net = Sequential(Linear(2, 3, rng=rng), ReLU(), Linear(3, 1, rng=rng))
    out = net(Tensor(np.ones((4, 2))))
    assert {"W₁", "W₂", "b₁", "b₂"} <= set(labels(draw(out)))


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda x: x + 1, "+1"),
        (lambda x: 1.0 - x, "1−x"),
        (lambda x: x * -2, "×(−2)"),
        (lambda x: -x, "×(−1)"),
        (lambda x: 1 / x, "1/x"),
        (lambda x: x**2, "x²"),
        (lambda x: x**-1.5, "x^−1.5"),
        (lambda x: x.exp(), "exp"),
        (lambda x: x.sigmoid(), "σ"),
        (lambda x: x.maximum(0.5), "max(x, 0.5)"),
    ],
)
def test_a_gate_shows_its_constant(compute, expected):
    assert graph_of(compute(Tensor(2.0, True)))[-1].symbol == expected


def test_arrays_show_shape_and_entries_or_range():
    W = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    big = Tensor(np.linspace(-1, 2, 40).reshape(2, 20))
    f = (W @ big).sum()
    shown = labels(draw(f))
    assert shown["W"][0] == "(2, 2)\n[1  2]\n[3  4]"
    assert shown["big"][0] == "(2, 20)\n−1 … 2"


def test_very_large_arrays_are_not_kept_but_their_range_is():
    n = trace.KEEP + 1
    x = Tensor(np.linspace(0.0, 1.0, n), requires_grad=True)
    y = x * 2.0
    y.backward(np.linspace(-1.0, 1.0, n))
    note = y._node.watcher
    assert isinstance(note.value, trace.Range)
    assert note.vjps == ()
    assert labels(draw(y))["y"] == (f"y ({n},)\n0 … 2", "−1 … 1")


def test_where_a_value_forks_each_branch_shows_its_share():
    x, y = Tensor(3.0, True), Tensor(-4.0, True)
    f = x * y + x * x
    f.backward()
    picture = draw(f)
    entries = [
        t.text
        for t in ET.fromstring(picture.svg()).iter(SVG + "text")
        if t.attrib.get("class") == "g" and "data-of" not in t.attrib
    ]
    assert sorted(entries) == ["3", "3", "−4"]
    assert labels(picture)["x"][1] == "2"


def test_constants_say_so():
    x, c = Tensor(3.0, True), Tensor(2.0)
    f = x * c
    f.backward()
    assert "c     constant     scalar  2      none (a constant)" in str(draw(f))


def test_values_are_those_of_the_forward_pass():
    w = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    f = (w * 3.0).sum()
    w.data += 100.0
    assert labels(draw(f))["w"][0] == "(2,)\n[1  2]"


def test_a_lone_leaf_and_a_constant_can_be_drawn():
    assert labels(draw(Tensor(2.0, True), names={}))["v1"][0] == "2"
    assert "constants get no gradient" in draw(Tensor(2.0)).svg()
    with no_grad():
        assert len(draw(Tensor(1.0, True) * 2).vertices) == 1


def test_what_is_no_tensor_is_refused_in_words():
    with pytest.raises(TypeError, match="this is float: compute with Tensors"):
        draw(3.0)


# ----------------------------------------------------------------------- with and without notes


def bare(compute):
    """compute() without notes, as somebody computes who has not imported draw."""
    trace.keep_notes(False)
    try:
        return compute()
    finally:
        trace.keep_notes(True)


def test_a_graph_without_notes_is_drawn_without_inner_values():
    *_, f = bare(product)
    assert labels(draw(f))["v1"] == ("?", "")
    assert labels(draw(f))["f"] == ("f = −12", "")
    f.backward()  # from the first drawing on, gradients are noted
    assert labels(draw(f))["v1"] == ("?", "−4")


def test_a_used_graph_without_notes_cannot_be_drawn_and_says_why():
    *_, f = bare(product)
    f.backward()
    with pytest.raises(ValueError, match="Import draw"):
        draw(f)


def test_notes_are_off_unless_asked_for():
    code = "import backprop_kit, backprop_kit.engine.tensor as t; print(t._note)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "None"
    with trace.notes():
        assert engine._note is trace.write


def test_notes_change_no_gradient_and_leave_no_cycles():
    def gradients():
        rng = np.random.default_rng(3)
        net = Sequential(Linear(3, 4, rng=rng), ReLU(), Linear(4, 2, rng=rng))
        (net(Tensor(rng.normal(size=(5, 3)))) ** 2).sum().backward()
        return [p.grad for p in net.parameters()]

    for with_notes, without in zip(gradients(), bare(gradients), strict=True):
        np.testing.assert_array_equal(with_notes, without)
    gc.collect()
    gc.disable()
    try:
        gradients()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_retain_grad_still_works_under_notes():
    x = Tensor(2.0, requires_grad=True)
    h = (x * 3.0).retain_grad()
    f = h * h
    f.backward()
    assert h.grad == 12.0
    assert labels(draw(f))["h"] == ("h = 6", "12")


# ------------------------------------------------------------------------------------ geometry


def drawn(title):
    compute, options = GRAPHS[title]
    return draw(compute(), **options)


def obstacles(picture):
    """(x0, y0, x1, y1, vertex) of every node."""
    for v, b in picture.boxes.items():
        half = b.width / 2
        yield b.x - half, b.y - b.tall / 2, b.x + half, b.y + b.tall / 2, v


def strokes(picture):
    """Many points of every line, with the two boxes that it joins."""
    for box in [*picture.boxes.values(), *picture.passages]:
        for source, port in zip(box.inputs, box.ports, strict=True):
            y = box.y + port
            bend = (box.start - source.end) / 2
            ends = np.array(
                [
                    (source.end, source.y),
                    (source.end + bend, source.y),
                    (box.start - bend, y),
                    (box.start, y),
                ]
            )
            t = np.linspace(0, 1, 60)[:, None]
            basis = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
            yield basis @ ends, source, box
    for passage in picture.passages:
        x = np.linspace(passage.start, passage.end, 60)
        yield np.column_stack([x, np.full(60, passage.y)]), passage, passage


def lines_through_nodes(picture):
    hits = []
    for points, source, target in strokes(picture):
        for x0, y0, x1, y1, v in obstacles(picture):
            if picture.boxes[v] in (source, target):
                continue
            inside = (points > [x0, y0]).all(axis=1) & (points < [x1, y1]).all(axis=1)
            if inside.any():
                hits.append(v.ref)
    return hits


@pytest.mark.parametrize("title", GRAPHS)
def test_no_line_runs_through_a_node_and_none_cross(title):
    picture = drawn(title)
    assert lines_through_nodes(picture) == []
    columns = {}
    for box in [*picture.boxes.values(), *picture.passages]:
        columns.setdefault(box.column, []).append(box)
    ordered = [sorted(columns[k], key=lambda b: b.y) for k in sorted(columns)]
    assert crossings(ordered) == 0


def test_the_test_of_lines_through_nodes_can_fail():
    picture = drawn("(x + y) z")
    q = next(b for v, b in picture.boxes.items() if v.ref == "q")
    (passage,) = picture.passages
    q.y = passage.y
    assert lines_through_nodes(picture) == ["q"]


@pytest.mark.parametrize("title", GRAPHS)
def test_texts_lie_on_no_other_text_and_inside_the_picture(title):
    picture = drawn(title)
    root = ET.fromstring(picture.svg())
    width = float(root.attrib["width"])
    spots = []
    for text in root.iter(SVG + "text"):
        if text.attrib.get("class") in ("v", "g"):
            x, y = float(text.attrib["x"]), float(text.attrib["y"])
            spots.append((x, y - 10, x + 7.6 * len(text.text), y + 2, text.text))
            assert spots[-1][2] < width
    for i, (a0, b0, a1, b1, one) in enumerate(spots):
        for c0, d0, c1, d1, other in spots[:i]:
            assert a1 <= c0 or c1 <= a0 or b1 <= d0 or d1 <= b0, (one, other)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 25))
def test_any_graph_keeps_its_lines_off_its_nodes(seed, n):
    rng = np.random.default_rng(seed)
    made = [Tensor(float(v), requires_grad=True) for v in rng.normal(size=3)]
    for _ in range(n):
        a, b = (made[i] for i in rng.integers(0, len(made), 2))
        made.append((a * b, a + b, a - b, a.sin())[rng.integers(4)])
    picture = draw(made[-1])
    assert lines_through_nodes(picture) == []
    for column in {b.column for b in picture.boxes.values()}:
        inside = [b for b in picture.boxes.values() if b.column == column]
        inside += [p for p in picture.passages if p.column == column]
        inside.sort(key=lambda b: b.y)
        assert all(a.y + a.down <= b.y - b.up + 1e-6 for a, b in pairwise(inside))


def test_the_picture_is_the_same_each_time():
    assert drawn("The sigmoid neuron, gate by gate").svg() == (
        drawn("The sigmoid neuron, gate by gate").svg()
    )


def test_crossings_are_counted():
    a, b, c, d = (Box(1, 1, 1) for _ in range(4))
    c.inputs, d.inputs = [b], [a]
    assert crossings([[a, b], [c, d]]) == 1
    assert crossings([[b, a], [c, d]]) == 0


# --------------------------------------------------------------------------------- as text, safe


def test_the_text_alternative_tells_everything():
    *_, f = product()
    f.backward()
    svg = ET.fromstring(draw(f).svg())
    assert svg.attrib["role"] == "img"
    title, description = svg.find(SVG + "title"), svg.find(SVG + "desc")
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
    assert title.text == "The graph behind f"
    assert description.text == (
        "A computational graph with 3 inputs and 2 operations, from left to right. "
        "x = −2, gradient −4. y = 5, gradient −4. v1 = x + y = 3, gradient −4. "
        "z = −4, gradient 3. f = v1 · z = −12, gradient 1."
    )
    html = draw(f).html()
    table = ET.fromstring(html[html.index("<table") : html.index("</details>")])
    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["name", "computed as", "shape", "value", "gradient"]
    assert rows[3] == ["v1", "x + y", "scalar", "3", "−4"]


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]>&amp;&#x3c;",
    "a" * 5000,
    "משקל",
    "\u202eevil\u2066",
    "\x00\x1b[31m\ud800",
    "{0.__class__}",
    "",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_text(name):
    x = Tensor(1.0, requires_grad=True)
    f = x.exp() * 2.0
    picture = draw(f, names={name: x, name + "!": f}, title=name)
    plain = draw(f, names={"x": x, "f": f})
    for text in (picture.svg(), picture.svg(alone=True)):
        tree = ET.fromstring(text)  # well-formed, and of the same elements as with plain names
        assert [e.tag for e in tree.iter()] == [e.tag for e in ET.fromstring(plain.svg()).iter()]
        assert not re.search("[\u202a-\u202e\u2066\u2067]", text)
        assert tree.attrib["width"].isdigit()
        assert float(tree.attrib["width"]) < 900
    page = picture.html()
    assert page.count("<script") == page.count("<img") == 0
    page.encode("utf-8")


def test_the_test_of_hostile_names_can_fail(monkeypatch):
    from backprop_kit.pictures import svg

    monkeypatch.setattr(svg, "escape", lambda text, **_: text)
    with pytest.raises((ET.ParseError, AssertionError)):
        test_hostile_names_are_text(HOSTILE[0])


def test_save_writes_svg_and_html(tmp_path):
    *_, f = product()
    svg = draw(f).save(tmp_path / "f.svg").read_text(encoding="utf-8")
    assert ET.fromstring(svg).tag == SVG + "svg"
    assert "prefers-color-scheme:dark" in svg
    assert "<table>" in draw(f).save(tmp_path / "f.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"\.svg or \.html"):
        draw(f).save(tmp_path / "f.png")


def test_a_notebook_gets_html_svg_and_text():
    *_, f = product()
    bundle = draw(f)._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", "image/svg+xml"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.19661193, "0.1966"),
        (-1e-7, "−1e−7"),
        (1.5e20, "1.5e20"),
        (float("inf"), "∞"),
        (float("nan"), "nan"),
        (1234567.0, "1.235e6"),
    ],
)
def test_numbers_as_on_a_board(value, text):
    assert number(value) == text


def test_empty_and_odd_arrays_have_words():
    assert lines_of(np.zeros((0, 3))) == ["empty"]
    assert lines_of(np.full((9, 9), 0.5)) == ["all 0.5"]
    assert lines_of(np.zeros((2, 2, 2))) == ["all 0"]


# ---------------------------------------------------------------------------------------- folding


def test_folding_puts_parameters_and_activation_into_the_layer():
    picture = drawn("A network of four layers, folded")
    assert [v.symbol for v in picture.vertices if v.kind == "gate"] == [
        "Linear 2 → 8 · ReLU",
        "Linear 8 → 8 · ReLU",
        "Linear 8 → 4 · ReLU",
        "Linear 4 → 1",
        "BCE∘σ",
    ]
    assert {v.ref for v in picture.vertices if v.kind != "gate"} == {"X", "y"}
    assert len(drawn("A network of four layers, unfolded").vertices) == 18


# ------------------------------------------------------------------------------------------ cost


def test_200_nodes_are_drawn_in_half_a_second():
    f = chain(200)
    start = time.perf_counter()
    picture = draw(f)
    picture.html()
    seconds = time.perf_counter() - start
    assert len(picture.vertices) > 200
    assert seconds < 0.5


def test_a_deep_graph_needs_no_recursion():
    f = chain(3000)
    assert len(graph_of(f)) > 3000


def test_drawing_imports_nothing_heavy():
    code = (
        "import sys, backprop_kit, backprop_kit.pictures.picture as p; "
        "p.draw(backprop_kit.Tensor(1.0, True) * 2).html(); "
        "print(*sorted({m.split('.')[0] for m in sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"matplotlib", "ipywidgets", "IPython"} & set(said.stdout.split())


def test_pictures_are_pictures():
    assert isinstance(drawn("(x + y) z"), Picture)


def test_the_gallery_holds_every_graph_with_its_table(tmp_path):
    from gallery.__main__ import main

    main(tmp_path / "gallery.html")
    page = (tmp_path / "gallery.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == page.count("<desc") == page.count("<table>") == len(GRAPHS)
