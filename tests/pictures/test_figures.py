"""Figures carry their words and take the page's colours; sliders tell the truth everywhere."""

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import numpy as np
import pytest

from backprop_kit.pictures import figures, sliders
from backprop_kit.pictures.figures import COLOURS, INK, Figure, figure
from backprop_kit.pictures.notation import number


def made(alt="A line that rises."):
    with figure(alt, show=False) as ax:
        ax.plot([0, 1], [0, 1], label="one")
        ax.plot([0, 1], [1, 0], label="two")
        ax.legend()
    return Figure(ax.figure, alt)


def test_the_alternative_text_is_in_every_form():
    bundle, metadata = made("A < B & so on.")._repr_mimebundle_()
    svg = ET.fromstring(bundle["text/html"])
    (title,) = [e for e in svg if e.tag.endswith("title")]
    assert title.text == "A < B & so on."
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"] == title.attrib["id"]
    assert metadata["image/png"]["alt"] == bundle["text/plain"] == "A < B & so on."
    assert bundle["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("alt", ["", "   ", None])
def test_a_figure_without_words_is_refused(alt):
    with pytest.raises(ValueError, match="needs an alternative text"), figure(alt):
        pass


def test_text_and_axes_take_the_colour_of_the_page():
    svg = made().svg()
    assert INK not in svg
    assert "currentColor" in svg
    assert "#ffffff" not in svg


def test_two_figures_on_a_page_do_not_share_ids():
    ids = [set(re.findall(r'\bid="([^"]+)"', made(alt).svg())) for alt in ("One.", "Two.")]
    with figure("Other.", show=False) as ax:
        ax.plot([3, 1, 2])
    ids.append(set(re.findall(r'\bid="([^"]+)"', Figure(ax.figure, "Other.").svg())))
    assert not ids[0] & ids[2]
    svg = made().svg()
    for used in re.findall(r'(?:url\(#|href="#)([^)"]+)', svg):
        assert f'id="{used}"' in svg


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("colour", COLOURS)
def test_lines_are_seen_on_white_and_on_black(colour):
    def contrast(a, b):
        return (max(a, b) + 0.05) / (min(a, b) + 0.05)

    assert contrast(luminance(colour), luminance("#ffffff")) >= 3
    assert contrast(luminance(colour), luminance("#111111")) >= 3


def test_lines_differ_in_more_than_hue():
    assert len(set(map(str, figures.DASHES))) == len(COLOURS)


def test_outside_a_notebook_the_words_are_printed(capsys):
    with figure("Two points, joined.") as ax:
        ax.plot([1, 2])
    assert capsys.readouterr().out.strip() == "Figure: Two points, joined."


def test_a_figure_leaves_the_settings_of_matplotlib_alone():
    import matplotlib as mpl

    before = mpl.rcParams.copy()
    made().svg()
    assert mpl.rcParams == before


def test_an_error_while_drawing_is_not_hidden():
    import matplotlib.pyplot as plt

    with pytest.raises(ZeroDivisionError), figure("Never shown."):
        _ = 1 / 0
    assert plt.get_fignums() == []


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_an_exported_notebook_has_the_words(template):
    nbconvert = pytest.importorskip("nbconvert")
    bundle, metadata = made("A line that rises.")._repr_mimebundle_()
    bundle["image/png"] = base64.b64encode(bundle["image/png"]).decode()
    output = nbformat.v4.new_output("display_data", data=bundle, metadata=metadata)
    cell = nbformat.v4.new_code_cell("", outputs=[output])
    book = nbformat.v4.new_notebook(cells=[cell])
    exporter = nbconvert.HTMLExporter(template_name=template)
    assert "A line that rises." in exporter.from_notebook_node(book)[0]


def test_importing_figures_and_sliders_brings_no_matplotlib():
    code = "import sys, backprop_kit.pictures.sliders; print('matplotlib' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


# ------------------------------------------------------------------------------------- sliders


@pytest.mark.parametrize("name", ["relu_kink", "gradcheck_v", "bce_logit", "memory_frozen"])
def test_each_slider_answers_at_its_ends_and_its_start(name):
    slider = getattr(sliders, name)()
    for value in (slider.positions[0], slider.start, slider.positions[-1]):
        html = slider.at(value)
        assert html.count("<svg") == 1
        assert 'role="status"' in html
    assert set(slider._repr_mimebundle_()) >= {"text/html", "text/plain"}


def test_sliding_changes_the_picture():
    pytest.importorskip("ipywidgets")
    slider = sliders.relu_kink()
    assert "This is the kink" in slider._page.value
    slider.slider.value = 1.0
    assert "slope 1" in slider._page.value
    assert "This is the kink" not in slider._page.value


def test_the_kink_fools_a_central_difference():
    at = sliders._relu_kink
    assert "slope 0. This is the kink" in at(0.0).alt
    assert "gives 0.5: its two points lie on both sides" in at(0.0).alt
    assert at(1.0).alt.endswith("gives 1.")


def test_the_v_has_two_arms_and_a_tip():
    said = [sliders.gradcheck_v().draw(h).alt for h in (1e-12, 1e-5, 1e-1)]
    assert "tiny" in said[0]
    assert "about the best" in said[1]
    assert "large" in said[2]


def test_the_slope_of_bce_is_the_error():
    for y in (0.0, 1.0):
        for v in (-4.0, 0.5, 3.0):
            expected = 1 / (1 + np.exp(-v)) - y
            assert f"slope ŷ − y is {number(expected)}" in sliders._bce_logit(y, v).alt


def test_the_memory_shown_is_what_the_meter_says():
    bills = [sliders._kept_bytes((8, 8, 8, 1), 16, k) for k in range(4)]
    assert bills == sorted(bills, reverse=True)
    assert bills[3] == 0
    # inputs of three layers of 16 × 8 float64, two masks of one byte, and what the loss keeps
    assert bills[0] >= 3 * 16 * 8 * 8 + 2 * 16 * 8
