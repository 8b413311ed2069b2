"""The stepper in a real JupyterLab: what each click shows is what the gradients are."""

import nbconvert
import pytest

from backprop_kit import Tensor
from backprop_kit.pictures.notation import number

from .chromium import CONTROL, ENTER, SPACE, until

SETUP = """
from backprop_kit import Tensor
from backprop_kit.pictures.picture import draw
from backprop_kit.pictures.stepper import step
from backprop_kit.pictures.trace import keep_notes
import ipywidgets
keep_notes()
print("ipywidgets", ipywidgets.__version__)
"""
PRODUCT = """
x, y, z = Tensor(-2.0, True), Tensor(5.0, True), Tensor(-4.0, True)
q = x + y
f = q * z
stepper = step(f)
stepper
"""
NEURON = """
w0, x0, w1 = Tensor(2.0, True), Tensor(-1.0, True), Tensor(-3.0, True)
x1, w2 = Tensor(-2.0, True), Tensor(-3.0, True)
s = w0 * x0 + w1 * x1 + w2
n = -s
e = n.exp()
t = e + 1.0
f = t.reciprocal()
stepper = step(f)
stepper
"""
FORK = """
x, y = Tensor(3.0, True), Tensor(-4.0, True)
f = x * y + x * x
stepper = step(f)
stepper
"""
LABELS = """
    const found = {};
    for (const label of document.querySelectorAll('.bpk text[data-of]')) {
        const of = found[label.dataset.of] = found[label.dataset.of] || {};
        of[label.classList.contains('g') ? 'g' : 'v'] = label.textContent;
    }
    return found
"""
BUTTON = "//button[contains(., '{}')]"


class Shown:
    """The stepper on the page, as a person sees it."""

    def __init__(self, browser):
        self.browser = browser
        until(self.status, "the stepper")

    def status(self):
        return self.browser.run(
            "const s = document.querySelector('[role=status]'); return s && s.innerText"
        )

    def position(self):
        return int(self.status().split()[1])

    def labels(self):
        return self.browser.run(LABELS)

    def at(self, position):
        until(lambda: self.position() == position, f"step {position}", 20)

    def click(self, text):
        self.browser.click(BUTTON.format(text))

    def click_time(self, text):
        """Milliseconds from a click to the answer on the page."""
        return self.browser.run_async(
            """
            const [text, done] = arguments;
            const button = [...document.querySelectorAll('button')].find(
                b => b.innerText.includes(text));
            const before = document.querySelector('[role=status]').innerText;
            const start = performance.now();
            (function look() {
                const now = document.querySelector('[role=status]');
                if (now && now.innerText !== before) done(performance.now() - start);
                else requestAnimationFrame(look);
            })();
            button.click();
            """,
            text,
        )


def product():
    """{name: (value, gradient)} of (x+y)z by the engine's own backward."""
    x, y, z = (Tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    q = (x + y).retain_grad()
    f = (q * z).retain_grad()
    f.backward()
    return {n: (t.item(), t.grad) for n, t in {"x": x, "y": y, "q": q, "z": z, "f": f}.items()}


def neuron():
    """The same of the sigmoid neuron."""
    values = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    made = {name: Tensor(v, requires_grad=True) for name, v in values.items()}
    w0, x0, w1, x1, w2 = made.values()
    v1, v2 = (w0 * x0).retain_grad(), (w1 * x1).retain_grad()
    v3 = (v1 + v2).retain_grad()
    s = (v3 + w2).retain_grad()
    n = (-s).retain_grad()
    e = n.exp().retain_grad()
    t = (e + 1.0).retain_grad()
    f = t.reciprocal().retain_grad()
    f.backward()
    made |= {"v1": v1, "v2": v2, "v3": v3, "s": s, "n": n, "e": e, "t": t, "f": f}
    return {n: (t.item(), t.grad) for n, t in made.items()}


def walk(shown, expected, gates):
    """Forward through everything and back again; what is shown must be the engine's, each time."""
    seen = [shown.labels()]
    assert all("g" not in of for of in seen[0].values()), "a gradient before anything went back"
    for k in range(1, 2 * gates + 2):
        shown.click("Forward")
        shown.at(k)
        labels = shown.labels()
        seen.append(labels)
        for name, (value, grad) in expected.items():
            of = labels.get(name, {})
            if "v" in of and of["v"] != name:  # a name alone stands where no value is yet
                assert of["v"].split(" = ")[-1] == number(value), (k, name)
            if "g" in of:
                assert of["g"] == number(grad), (k, name)
        values = [n for n in expected if "v" in labels.get(n, {}) and labels[n]["v"] != n]
        grads = [n for n in expected if "g" in labels.get(n, {})]
        inputs = len(expected) - gates
        assert len(values) == min(inputs + k, len(expected)), k
        assert (len(grads) > 0) == (k > gates), k
    assert set(grads) == set(expected), "at the end everything has its gradient"
    for k in reversed(range(2 * gates + 1)):
        shown.click("Back")
        shown.at(k)
        assert shown.labels() == seen[k], f"step {k} differs on the way back"


@pytest.mark.parametrize("graph", ["product", "neuron"])
def test_every_click_shows_the_engines_numbers(lab, pictures, graph):
    expected, gates = {"product": (product(), 2), "neuron": (neuron(), 8)}[graph]
    lab.show([SETUP, PRODUCT if graph == "product" else NEURON])
    shown = Shown(lab.browser)
    lab.browser.screenshot(pictures / f"{graph}-start-light.png")
    walk(shown, expected, gates)
    for _ in range(gates + 2):
        shown.click("Forward")
    shown.at(gates + 2)
    lab.browser.screenshot(pictures / f"{graph}-light.png")
    lab.theme("Dark")
    lab.browser.screenshot(pictures / f"{graph}-dark.png")


def test_with_ipywidgets_7_7(lab_seven, pictures):
    lab = lab_seven
    lab.show([SETUP, PRODUCT])
    shown = Shown(lab.browser)
    assert "ipywidgets 7.7.1" in lab.browser.run(
        "return document.querySelector('.jp-OutputArea').innerText"
    )
    walk(shown, product(), 2)
    lab.browser.screenshot(pictures / "product-ipywidgets-7.png")


def test_where_paths_meet_the_shares_are_summed(lab, pictures):
    lab.show([SETUP, FORK])
    shown = Shown(lab.browser)
    for k in range(1, 7):
        shown.click("Forward")
        shown.at(k)
    assert "2 of 3 paths so far" in shown.status()
    assert shown.labels()["x"]["g"] == "6"
    shown.click("Forward")
    shown.at(7)
    words = shown.status()
    assert "sum over children, 3 of 3 paths" in words
    assert words.count("= 2") >= 1
    assert shown.labels()["x"]["g"] == "2"
    lab.browser.screenshot(pictures / "fork-end-light.png")


def test_play_reset_and_keyboard(lab):
    lab.show([SETUP, PRODUCT])
    shown, browser = Shown(lab.browser), lab.browser
    browser.click("//*[contains(@class, 'widget-play')]//button[1]")
    shown.at(1)
    browser.click("//*[contains(@class, 'widget-play')]//button[1]")
    shown.click("Reset")
    shown.at(0)
    for k, key in enumerate((SPACE, ENTER), start=1):
        browser.run(
            "[...document.querySelectorAll('button')].find("
            "b => b.innerText.includes('Forward')).focus()"
        )
        browser.press(key)
        shown.at(k)
    field = "//input[@type='number']"
    browser.click(field)
    browser.press("a", hold=CONTROL)
    browser.press("5" + ENTER)
    shown.at(5)


def test_a_click_is_answered_at_once(lab):
    lab.show([SETUP, NEURON])
    shown = Shown(lab.browser)
    times = [shown.click_time("Forward") for _ in range(12)]
    print(f"click to answer: median {sorted(times)[6]:.0f} ms, longest {max(times):.0f} ms")
    assert sorted(times)[6] < 100


def test_without_its_kernel_the_final_picture_stands_there(lab):
    """As on GitHub and in an export: the saved output, with no widget behind it."""
    name = lab.show([SETUP, PRODUCT])
    Shown(lab.browser)
    lab.browser.run_async(
        "const done = arguments[arguments.length - 1];"
        "window.jupyterapp.commands.execute('docmanager:save').then(() => done(1), done)"
    )
    html, _ = nbconvert.HTMLExporter().from_filename(str(lab.folder / name))
    page = lab.folder / "exported.html"
    page.write_text(html, encoding="utf-8")
    lab.browser.open(page.as_uri())
    labels = until(lambda: lab.browser.run(LABELS), "the picture")
    assert {n: of["g"] for n, of in labels.items()} == {
        n: number(grad) for n, (_, grad) in product().items()
    }
