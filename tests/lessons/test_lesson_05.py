"""Lesson 05: what its cells compute, what its messages say, what is fair and what is not."""

import re

import nbformat
import numpy as np
import pytest
from helpers import names_in, said

from autograder.course import Course
from autograder.judging import Plan, judge
from autograder.rehearsal import catalogue
from backprop_kit import datasets
from backprop_kit import small_network as net
from backprop_kit.checking.check import report_on
from backprop_kit.checking.exercise import find
from backprop_kit.exercises import bce as lesson_05

# Lines of reference solutions that the lesson's text gives away on purpose; see test_leaks.
GIVEN = set()

EXERCISES = [
    "bce",
    "sigmoid",
    "bce_with_logits",
    "neuron_gradients",
    "influence",
    "local_error",
    "backprop",
    "train",
]


@pytest.fixture(scope="module")
def bce_lesson():
    return Course().lessons(["05_bce"])[0]


@pytest.fixture(scope="module")
def solutions(bce_lesson):
    return bce_lesson.reference()


@pytest.fixture(scope="module")
def functions(bce_lesson):
    return names_in(bce_lesson)


@pytest.fixture(scope="module")
def blank_run(run_blank):
    return run_blank("05_bce")


@pytest.fixture(scope="module")
def solved_run(run_solved):
    return run_solved("05_bce")


# ---------------------------------------------------------------- what the cells print


def test_the_worked_numbers_are_computed(blank_run):
    told = said(blank_run)
    assert "the mean of the three losses: 0.4987" in told
    assert re.findall(r"dL/dŷ = +(-?[\d.]+)", told) == ["-0.4167", "0.4762", "-0.8333"]
    # The neuron of lesson 1: ŷ, ∂L/∂ŷ, the sigmoid's derivative, and ŷ − y in three ways.
    row = r"1 +1 +0\.7311 +-1\.3679 +0\.1966 +-0\.2689 +-0\.2689 +-0\.2689"
    assert re.search(row, told)
    assert "∇_W L = [[0.2689 0.5379]]" in told


def test_both_nodes_are_compared_at_plus_and_minus_1000(blank_run):
    told = said(blank_run)
    assert re.search(r"v = +1000 +.* exp\(v\)/\(1\+exp\(v\)\) = nan", told)
    rows = re.findall(r"label +(\S+), v = +(-?1000):  in two nodes +(\S+)   in one +(\S+)", told)
    assert [(label, v, joined) for label, v, _, joined in rows] == [
        ("0", "-1000", "0"),
        ("0", "1000", "1000"),
        ("1", "-1000", "1000"),
        ("1", "1000", "0"),
        ("0.3", "-1000", "300"),
        ("0.3", "1000", "700"),
    ]
    assert [naive for *_, naive, _ in rows].count("inf") == 4


def test_influence_ignores_the_gate_and_the_local_error_does_not(blank_run):
    lines = re.findall(
        r"unit \d: v = +(\S+)   nudging h: +(\S+)   nudging v: +(\S+)", said(blank_run)
    )
    (off, behind, before), *on = [tuple(map(float, line)) for line in lines]
    assert off < 0
    assert behind != 0
    assert before == 0
    assert all(v > 0 and h == b for v, h, b in on)


def test_a_blank_lesson_says_what_to_write_first_and_still_trains(blank_run):
    told = said(blank_run)
    assert "Write exercise 3 first" in told
    assert "Write exercise 7 first" in told
    assert told.count("the kit's engine, until you have written exercise 8") == 3


def test_a_solved_lesson_finds_the_saved_gradients_and_trains_itself(blank_run, solved_run):
    told = said(solved_run)
    assert [told.count(f"{name}: ✔ as saved") for name in net.saved] == [1, 1, 1, 1]
    trained = re.findall(r"widths (.*?): (loss .* right) +\((.*)\)", told)
    assert [who for *_, who in trained] == ["your train"] * 3
    shares = [float(re.search(r"([\d.]+)% right", line)[1]) for _, line, _ in trained]
    assert 80 < shares[0] < 95, "one neuron cannot separate the moons"
    assert min(shares[1:]) >= 99
    by_engine = re.findall(r"widths (.*?): (loss .* right) +\(", said(blank_run))
    assert by_engine == [(widths, line) for widths, line, _ in trained]


def test_the_formulas_of_the_syllabus_stand_in_the_text(bce_lesson):
    cells = bce_lesson.read().cells
    prose = re.sub(r"\s|\\;|\\,", "", "".join(c.source for c in cells if c.cell_type == "markdown"))
    wanted = [
        r"L = \mathrm{BCE}(y, \hat y) = -y\log\hat y - (1-y)\log(1-\hat y)",
        r"\frac{\partial L}{\partial \hat y}\cdot\frac{\partial \hat y}{\partial v} = \hat y - y",
        r"\nabla_W L = \frac{\partial L}{\partial v}x^\top",
        r"\delta^{(k)} = \frac{\partial L}{\partial v^{(k)}}",
        r"\sum_j W_{ji}\delta_j^{(k)}",
        r"f'\!\left(v_i^{(k)}\right)\sum_j W_{ji}^{(k+1)}\delta_j^{(k+1)}",
    ]
    assert [formula for formula in wanted if re.sub(r"\s", "", formula) not in prose] == []


def test_the_lesson_keeps_to_its_size(bce_lesson):
    notebook = nbformat.read(bce_lesson.release, as_version=4)
    assert len(notebook.cells) <= 64
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 40
            assert max(map(len, cell.source.splitlines())) <= 100


# ---------------------------------------------------------------- what is right, what is fair


def verdict(id, source, **replaced):
    space = {"np": np}
    exec(source, space)
    return judge(id, *(space[name] for name in find(id).functions), **replaced)


@pytest.mark.parametrize(("eps", "passes"), [(1e-15, True), (1e-12, False), (1e-7, False)])
def test_a_clip_counts_where_it_changes_a_prediction(solutions, eps, passes):
    logs = "logs = y * np.log"
    clip = f"y_hat = np.clip(y_hat, {eps}, 1 - {eps})\n    {logs}"
    found = verdict("bce", solutions["bce"].replace(logs, clip))
    assert (found.cause is None) == passes
    assert passes or found.cause == "clipped"


@pytest.mark.parametrize("v", [1000.0, -1000.0, 1e300, -1e300, 40.0, -40.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.3])
def test_the_reference_is_stable(functions, v, y):
    with np.errstate(all="raise", under="ignore"):
        loss, grad = functions["bce_with_logits"](np.array([[y]]), np.array([[v]]))
    sure = float(v > 0)
    assert loss == pytest.approx(v * (sure - y), rel=1e-12, abs=1e-17)
    assert grad[0, 0] == pytest.approx(sure - y, abs=1e-15)


def test_no_hidden_case_asks_for_the_digits_of_a_loss_that_is_next_to_nothing():
    for seed in range(30):
        plan = Plan("bce_with_logits", seed)
        function = plan.exercise.functions["bce_with_logits"]
        for case in plan.cases:
            loss, _ = function.solve(*case.args)
            assert loss == 0 or loss > 1e-3


def test_the_cases_show_every_mask(functions):
    """Each hidden layer has units on and units off, and some logits are negative."""
    for seed in range(10):
        for case in Plan("backprop", seed).cases:
            if case.kind == "fresh":
                made = lesson_05.Network(*case.args)
                assert all((v.data > 0).any() and (v.data <= 0).any() for v in made.V)
                assert all(np.any(dW) for dW, _ in made.gradients())


@pytest.mark.parametrize("id", EXERCISES)
def test_the_catalogue_is_broad_enough(id):
    entries = catalogue.entries(id)
    wrong = [entry for entry in entries if entry.cause]
    assert len(wrong) >= (14 if find(id).points >= 3 else 10)
    assert len(entries) - len(wrong) >= 3
    assert any(entry.cause == "imprecise" for entry in wrong)


# ---------------------------------------------------------------- what a student reads


def read(id, source, *edits):
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    space = {"np": np}
    exec(source, space)
    return str(report_on(id, *(space[name] for name in find(id).functions)))


def test_a_forgotten_mask_is_shown_with_its_layer(solutions):
    down = "delta = (delta @ W) * (V[k - 1] > 0)"
    text = read("backprop", solutions["backprop"], (down, "delta = delta @ W"))
    assert "the ReLU's mask is left out" in text
    assert re.search(r"layer \d, entry \[\d(, \d)?\]: yours", text)
    assert "Already right: loss" in text


def test_an_answer_for_two_layers_only_is_told_where_it_fails(solutions):
    entry = next(e for e in catalogue.entries("backprop") if e.title == "two layers and no more")
    text = read("backprop", entry.source(solutions["backprop"]))
    assert "On other inputs it works" in text
    assert "such an input: a network of 3 layers" in text


def test_gradients_in_the_order_of_the_walk_down(solutions):
    store = "gradients.insert(0, (dW, db))"
    text = read("backprop", solutions["backprop"], (store, "gradients.append((dW, db))"))
    assert "the last layer's first" in text
    assert "the layer next to the input comes first" in text


def test_a_naive_loss_is_told_where_it_breaks(solutions):
    loss = "loss = np.mean(np.maximum(v, 0.0) - y * v + np.log1p(e))"
    naive = "loss = np.mean(np.log(1 + np.exp(v)) - y * v)"
    text = read("bce_with_logits", solutions["bce_with_logits"], (loss, naive))
    assert "logits of ±1000" in text
    assert "print each step: which one overflows" in text
    assert "Already right: dL_dv" in text


def test_weights_that_have_moved_already(solutions):
    entry = next(e for e in catalogue.entries("train") if e.cause == "wrong-weight")
    text = read("train", entry.source(solutions["train"]))
    assert "weights that have already moved" in text
    assert "then move all parameters" in text


def test_a_strange_thing_in_the_place_of_the_gradients_never_stops_the_judge(solutions):
    for thing in ("None", "5", "'text'", "{}", "[None] * len(params)", "[(None, None)] * 9",
                  "[(1, 2)] * len(params)", "np.zeros(3)", "[[]]", "object()"):  # fmt: skip
        edit = solutions["backprop"].replace("return loss, gradients", f"return loss, {thing}")
        found = verdict("backprop", edit)
        assert found.cause in ("wrong-type", "wrong-shape", "none-returned", "wrong-value"), thing
        assert [a.name for a in found.aspects if a.ok] == ["loss", "arguments left alone"]


def test_arguments_that_are_torn_apart_are_noted(solutions):
    for damage in ("params[0] = None", "params[0] = 3", "params.clear()", "X[0, 0] = np.nan"):
        code = solutions["backprop"].replace("return loss,", f"{damage}\n    return loss,")
        found = verdict("backprop", code)
        assert found.cause == "mutates-argument", damage
        assert found.score == 5.75


# ---------------------------------------------------------------- the data sets


@pytest.mark.parametrize("draw", [datasets.moons, datasets.rings])
def test_a_data_set_is_the_same_for_everybody(draw):
    X, y = draw()
    assert X.shape == (200, 2)
    assert y.shape == (200, 1)
    assert y.sum() == 100
    again, _ = draw()
    assert np.array_equal(X, again)
    assert not np.array_equal(X, draw(seed=6)[0])


def test_the_engine_trains_as_the_reference_does(functions):
    X, y = datasets.moons(N=40)
    params = datasets.initial_params((2, 5, 3, 1))
    yours, losses = functions["train"](params, X, y, 0.3, 20)
    by_engine, wanted = datasets.train_by_engine(params, X, y, 0.3, 20)
    assert losses == pytest.approx(wanted, rel=1e-12)
    for pair, other in zip(yours, by_engine, strict=True):
        assert all(np.allclose(a, b, rtol=1e-11) for a, b in zip(pair, other, strict=True))
    predicted = datasets.logits_of(by_engine, X)
    assert 0.5 < datasets.accuracy(predicted, y) <= 1.0
