"""step(): each move shows what the engine computes, in words that add up; and it degrades well."""

import re
import subprocess
import sys
import time

import nbformat
import numpy as np
import pytest

from backprop_kit import Tensor
from backprop_kit.pictures import trace
from backprop_kit.pictures.stepper import step
from gallery.graphs import GRAPHS, chain

pytestmark = pytest.mark.usefixtures("noting")


def product():
    x, y, z = (Tensor(v, requires_grad=True) for v in (-2.0, 5.0, -4.0))
    x.name, y.name, z.name = "x", "y", "z"
    q = x + y
    q.name = "q"
    return q * z


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_the_walk_through_a_product():
    f = product()
    stepper = step(f)
    said = [move.said for move in stepper.moves]
    assert said == [
        "The inputs: x = −2, y = 5, z = −4.",
        "q = x + y = (−2) + 5 = 3.",
        "f = q · z = 3 · (−4) = −12.",
        "The seed: f moves as much as it moves itself, so its gradient is 1.",
        "Back through ×: the signal at f is 1.",
        "Back through +: the signal at q is −4.",
    ]
    assert [move.phase for move in stepper.moves] == (
        ["start"] + 2 * ["forward"] + ["seed"] + 2 * ["backward"]
    )
    shares = [(s.to.ref, s.local, s.value, s.total) for s in stepper.moves[4].shares]
    assert shares == [("q", -4, -4, -4), ("z", 3, 3, 3)]


def test_local_derivative_times_signal_is_the_share():
    compute, _ = GRAPHS["The sigmoid neuron, gate by gate"]
    for move in step(compute()).moves:
        for share in move.shares:
            assert share.local * move.signal == pytest.approx(share.value, rel=1e-15)


@pytest.mark.parametrize("title", GRAPHS)
def test_at_the_end_the_gradients_are_those_of_backward(title):
    if "before" in title:
        pytest.skip("this graph is shown before its backward pass")
    stepper = step(GRAPHS[title][0]())
    found = stepper.moves[-1].view.grads
    for v in stepper.picture.vertices:
        if v.kind != "constant":
            np.testing.assert_allclose(found[v], v.grad, rtol=1e-12, atol=1e-15)


def test_a_wrong_vjp_would_be_seen():
    f = product()
    f.backward()
    note = f._node.watcher
    note.vjps = tuple(lambda g: 2.001 * g for _ in note.vjps)
    found = step(f).moves[-1].view.grads
    assert any(found[v] != v.grad for v in found)


def test_stepping_touches_no_gradient():
    x = Tensor(2.0, requires_grad=True)
    f = x * x
    step(f)
    assert x.grad is None
    f.backward()
    step(f)
    assert x.grad == 4.0


def test_where_paths_meet_the_sum_is_told_share_by_share():
    x, y = Tensor(3.0, requires_grad=True), Tensor(-4.0, requires_grad=True)
    f = x * y + x * x
    stepper = step(f, x=x, y=y)
    stepper.go(6)
    assert "3 + 3 = 6 sum over children, 2 of 3 paths so far" in text_of(stepper.words())
    stepper.go(7)
    assert "3 + 3 + (−4) = 2 sum over children, 3 of 3 paths" in text_of(stepper.words())


def test_arrays_are_told_with_their_shapes_and_the_rule():
    stepper = step(GRAPHS["‖Wx‖²"][0]())
    said = [move.said for move in stepper.moves]
    assert "a = W @ x: from (2, 3), (3, 1) to (2, 1)." in said
    back = next(m for m in stepper.moves if m.phase == "backward" and m.vertex.ref == "a")
    assert "∂L/∂A = G Bᵀ" in back.rule
    assert [share.value.shape for share in back.shares] == [(2, 3), (3, 1)]
    stepper.go(stepper.moves.index(back))
    assert "16.32 32.64 48.96" in text_of(stepper.words())


def test_values_appear_as_they_are_computed_and_go_again():
    stepper = step(product())
    seen = []
    for _ in stepper.moves:
        seen.append(stepper.svg())
        stepper.forward()
    assert "q = 3" not in seen[0]
    assert "q = 3" in seen[1]
    assert 'class="g"' not in "".join(seen[:3])
    assert 'class="g"' in seen[3]
    assert stepper.position == len(stepper.moves) - 1
    for picture in reversed(seen):
        assert stepper.svg() == picture
        stepper.back()
    assert stepper.position == 0


def test_the_description_follows_the_steps():
    stepper = step(product())
    assert "q = x + y, not computed yet" in stepper.svg()
    stepper.go(99)
    assert "q = x + y = 3, gradient −4" in stepper.svg()


def test_an_array_edited_since_is_not_explained_wrongly():
    x = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    f = (x * x).sum()
    x.data += 1.0
    with pytest.raises(RuntimeError, match="edited in place"):
        step(f)


def test_arrays_too_large_to_keep_are_stepped_through_by_shape():
    x = Tensor(np.ones(trace.KEEP + 1), requires_grad=True)
    stepper = step((x * x).sum())
    for _ in stepper.moves:
        assert "Traceback" not in stepper.words()
        stepper.forward()


def test_hostile_names_are_text():
    x = Tensor(1.0, requires_grad=True)
    f = x.exp()
    stepper = step(f, names={"<script>alert(1)</script>": x})
    for _ in stepper.moves:
        assert "<script" not in stepper.svg() + stepper.words()
        stepper.forward()


# ------------------------------------------------------------------------------------- widget


def test_buttons_and_number_move_the_same_position():
    pytest.importorskip("ipywidgets")
    stepper = step(product())
    stepper._buttons["forward"].click()
    assert stepper.position == stepper._at.value == 1
    stepper._at.value = 4
    assert stepper.position == 4
    assert "Step 4 of 5" in stepper._words.value
    stepper._buttons["back"].click()
    assert stepper.position == 3
    stepper._buttons["reset"].click()
    assert stepper.position == 0
    assert stepper._buttons["back"].disabled


def test_a_click_is_answered_fast_even_at_200_nodes():
    pytest.importorskip("ipywidgets")
    stepper = step(chain(200))
    start = time.perf_counter()
    for _ in range(20):
        stepper.forward()
    assert (time.perf_counter() - start) / 20 < 0.1


def test_the_output_holds_the_final_picture_beside_the_widget():
    pytest.importorskip("ipywidgets")
    stepper = step(product())
    bundle = stepper._repr_mimebundle_()
    view = bundle["application/vnd.jupyter.widget-view+json"]
    assert view["model_id"] == stepper.box.model_id
    assert "q = 3" in bundle["text/html"]
    assert 'class="g"' in bundle["text/html"]


def test_an_html_export_shows_the_final_picture():
    nbconvert = pytest.importorskip("nbconvert")
    output = nbformat.v4.new_output("display_data", data=step(product())._repr_mimebundle_())
    cell = nbformat.v4.new_code_cell("step(f)", outputs=[output])
    html, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert "q = 3" in html
    assert "The same as a table" in html


def test_without_ipywidgets_there_is_the_picture():
    code = (
        "import sys; sys.modules['ipywidgets'] = None\n"
        "from backprop_kit import Tensor\n"
        "from backprop_kit.pictures.stepper import step\n"
        "x = Tensor(2.0, True)\n"
        "s = step(x * x)\n"
        "s.forward()\n"
        "print(sorted(s._repr_mimebundle_()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['text/html', 'text/plain']"


def test_importing_the_stepper_brings_no_widgets():
    code = "import sys, backprop_kit.pictures.stepper; print('ipywidgets' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
