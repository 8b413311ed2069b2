"""Lesson 07: its numbers as the executed notebook prints them, its measurements, its messages."""

import re

import numpy as np
import pytest

from autograder.course import Course
from autograder.judging import Plan, hidden
from backprop_kit import small_network as net
from backprop_kit.checking.check import report_on
from backprop_kit.engine.memory import kept, resident
from backprop_kit.exercises import memory_and_freezing as public

LESSON = public.LESSON

# Lines of the reference solutions that the lesson's text gives away on purpose: how the kit's
# engine is told to forget old gradients and to go backward.
GIVEN = {"network.zero_grad()", "loss.backward()"}


@pytest.fixture(scope="module")
def lesson():
    return Course().lessons([LESSON])[0]


@pytest.fixture(scope="module")
def answers(lesson):
    """{exercise: the functions of its reference solution, by name}."""
    found = {}
    for id, source in lesson.reference().items():
        space = {"np": np}
        exec(source, space)
        found[id] = space
    return found


# ---------------------------------------------------------------- what the notebook says


def test_the_bill_of_the_three_gates(told_blank):
    assert re.search(r"exp +y +\(4, 3\) +96\n +\d+ +log +a +\(4, 3\) +96\nkept.* 192", told_blank)
    assert "before backward: 192 bytes\nafter backward:  0 bytes" in told_blank
    assert re.findall(r"1000 units.*: +(\d+) bytes", told_blank) == ["8000", "1000", "125"]


def test_the_chain_keeps_each_layer_s_input_and_its_formulas_hold(told_blank):
    """v0 (24 bytes) for W1, v1 (40 bytes) for W2, and W2 where the signal passes it."""
    bills = re.findall(r"kept until backward has passed +([\d,]+)\n(?:dl_|\n)", told_blank)
    assert bills[:3] == ["64", "40", "104"]
    pairs = re.findall(r"dl_dW\d\[.*\]: engine (\S+), formula (\S+)", told_blank)
    assert len(pairs) == 4
    assert all(engine == formula for engine, formula in pairs)


FORMULAS = [
    r"\frac{\partial\ell}{\partial W_2} = "
    r"\Big(\frac{\partial\ell}{\partial v_2}\Big)^{\!\top} v_1^\top",
    r"\frac{\partial\ell}{\partial v_1} = \frac{\partial\ell}{\partial v_2}\,W_2",
    r"\frac{\partial\ell}{\partial W_1} = "
    r"\Big(\frac{\partial\ell}{\partial v_1}\Big)^{\!\top} v_0^\top",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_formulas_of_the_chain_are_taught(prose, formula):
    assert formula in prose


@pytest.mark.parametrize(
    "words", ["detach", "can be thrown away", "√D", r"2\sqrt{D}", "bit for bit"]
)
def test_the_words_of_the_syllabus_are_taught(prose, words):
    assert words in prose


def test_detach_is_where_nudging_and_engine_disagree(told_blank):
    assert "the engine: dg/dx = 3.0000" in told_blank
    assert f"nudging:    dg/dx = {3 + np.e:.4f}" in told_blank


def test_frozen_layers_in_the_bill(told_blank):
    """X (400), a mask (160) and the rest go from 2,560 to 2,000."""
    assert re.search(r"frozen layers: 0\n(?:.*\n)*?kept.* 2,560\n", told_blank)
    assert re.search(r"frozen layers: 1\n(?:.*\n)*?kept.* 2,000\n", told_blank)


def table(text):
    """The table of the four witnesses: {name: [numbers]}."""
    rows = re.findall(r"(?m)^ +(formula|graph|meter|process): (.*)  MiB$", text)
    return {name: [float(number) for number in numbers.split()] for name, numbers in rows}


def test_prediction_graph_meter_and_process_agree(told_solved, told_blank):
    found = table(told_solved)
    assert found["formula"] == found["graph"] == [26.5, 17.5, 8.5, 0.0]
    assert np.allclose(found["meter"], found["graph"], atol=1.0)
    if "process" in found:  # how exactly a process is measured is the system's affair
        assert found["process"][0] > found["process"][2]
    assert ("process" in found) == (resident() is not None)
    assert set(found) - set(table(told_blank)) == {"formula"}


def test_the_count_is_smallest_at_the_root(told_blank):
    assert "smallest at k = 6: 12 activations instead of 36" in told_blank


def test_checkpoints_take_less_than_half(told_solved):
    row = re.search(r"peak of forward and backward.*meter ([\d.]+), ([\d.]+)", told_solved)
    plain, checkpointed = map(float, row.groups())
    assert checkpointed < plain / 2


def test_the_small_network_s_gradients_are_found_again(told_solved, told_blank):
    names = re.findall(r"(?m)^(d[Wb]\d): ✔ as saved", told_solved)
    assert names == [*("dW1", "db1", "dW2", "db2"), "dW2", *2 * ("dW1", "db1", "dW2", "db2")]
    assert "✘" not in told_solved
    assert told_solved.count("1.505338, saved in lesson 1: 1.505338") == 2
    assert re.findall(r"Write exercise (\d) first", told_blank) == ["5", "6", "7"]


def test_the_process_may_be_silent(lesson):
    """Where /proc is missing, or no process can be started, the figures do without."""
    cells = [cell.source for cell in lesson.read().cells if cell.cell_type == "code"]
    space = {}
    start = next(i for i, source in enumerate(cells) if source.startswith("import inspect"))
    exec(cells[start], space)
    for source in cells:
        if source.startswith(("def tower", "def after_forward")):
            exec(source.split("\n\n\nfor ")[0], space)
    space["resident"] = lambda: None
    measured = space["after_forward"]([5, 16, 8, 1], 10, 1)
    assert measured[0] == 2000
    assert measured[2] is None
    space["subprocess"] = type("none", (), {"run": None, "SubprocessError": OSError})
    call = "[after_forward([5, 16, 8, 1], 10, frozen)[0] for frozen in (0, 1)]"
    assert space["in_a_fresh_process"](call, space["after_forward"]) == [2560, 2000]


# ---------------------------------------------------------------- the exercises


def test_what_is_saved_is_what_the_engine_keeps(answers):
    expected = {
        "linear": {"input", "weight"},
        "bias": set(),
        "relu": {"mask"},
        "sigmoid": {"output"},
        "add": set(),
        "mul": {"input"},
    }
    assert {name: public.engine_saves(name) for name in public.LAYERS} == expected
    assert {name: answers["what_to_save"]["what_to_save"](name) for name in expected} == expected


def test_saved_bytes_and_the_meter_agree(answers):
    saved_bytes = answers["saved_bytes"]["saved_bytes"]
    assert saved_bytes([2, 3, 1], 4) == 172
    assert saved_bytes([2, 3, 1], 4, 1) == 96
    for widths in ([3, 1], [5, 16, 8, 1], [7, 2, 9, 4, 3]):
        for frozen in range(len(widths)):
            network = public.relu_network(widths, frozen)
            out = network(np.ones((6, widths[0])))
            assert saved_bytes(widths, 6, frozen) == kept(out).total
            assert isinstance(saved_bytes(widths, 6, frozen), int)


def test_the_reference_keeps_less_than_it_may(answers):
    space = answers["lean_forward_backward"]
    params, X, _ = public.lean_args(np.random.default_rng(0), [12, 40, 30, 24, 5], 300)
    for frozen in range(5):
        result, held, elsewhere = public.drive_lean_forward(space, params, X, frozen)
        widths = [12, 40, 30, 24, 5]
        allowed = answers["saved_bytes"]["saved_bytes"](widths, 300, frozen)
        assert held <= allowed + 8 * 5
        assert abs(elsewhere) < public.ELSEWHERE / 4
        assert len(result) == 2


def test_memory_of_checkpoints_has_room_on_both_sides(answers):
    """The reference stays well below the limit, ordinary backprop well above it."""
    rng = np.random.default_rng(1)
    for depth, every in ((60, 6), (64, 4)):
        args = public.deep_args(rng, depth, every)
        limit = public.checkpointing_peak(args[0], args[1], every)
        _, peak = public.drive_checkpointed(answers["checkpointed"], *args)
        assert peak < 0.8 * limit
        _, everything = public.drive_checkpointed(answers["checkpointed"], *args[:3], 1)
        assert everything > 1.3 * limit


@pytest.mark.parametrize("id", ["lean_forward_backward", "checkpointed"])
def test_measured_exercises_do_not_flake(answers, id):
    test = hidden.find(id)
    names = list(test.exercise.functions)
    for seed in range(4):
        plan = Plan(id, seed)
        verdict = plan.verdict(plan.observe({name: answers[id][name] for name in names}))
        assert verdict.score == verdict.max, verdict.message


# ---------------------------------------------------------------- messages


def checked(id, source, answers):
    """What `check` says to the reference answer of an exercise with other functions in it."""
    space = dict(answers[id])
    exec(source, space)
    names = hidden.find(id).exercise.functions
    return str(report_on(id, *(space[name] for name in names)))


STEP_WITH_SWAPPED_ARGUMENTS = """
def frozen_step(network, X, y, lr):
    network.zero_grad()
    loss = bce_with_logits(network(X), y)
    loss.backward()
    for p in network.parameters():
        if p.requires_grad:
            p.data = p.data - lr * p.grad
    return loss.item()
"""

LEAN_ALL = """
def lean_forward(params, X, trainable_from):
    saved, H = [], X
    for W, b in params:
        saved.append(H)
        V = H @ W.T + b
        H = np.maximum(V, 0)
    return V, saved
"""

MESSAGES = [
    (
        "what_to_save",
        "def what_to_save(layer):\n    return {'input'}",
        "something cheaper is enough",
    ),
    ("what_to_save", "def what_to_save(layer):\n    return {}", "an empty set is written set()"),
    (
        "saved_bytes",
        "def saved_bytes(widths, batch, trainable_from=0):\n"
        "    return 8 * batch * sum(widths[trainable_from:-1])",
        "the masks are left out",
    ),
    (
        "saved_bytes",
        "def saved_bytes(widths, batch, trainable_from=0):\n"
        "    return 8 * batch * sum(widths[trainable_from:])",
        "the logits are counted among the inputs of layers, and the masks are left out",
    ),
    (
        "saved_bytes",
        "answer = saved_bytes\ndef saved_bytes(widths, batch, trainable_from=0):\n"
        "    total = answer(widths, batch, trainable_from)\n"
        "    del widths[:trainable_from]\n    return total",
        "changes its argument",
    ),
    ("what_to_save", "def what_to_save(layer):\n    {'input'}", "what is only printed gets lost"),
    ("detach", "def detach_demo(x):\n    return x**3, 3 * x**2", "also goes back through"),
    ("frozen_step", STEP_WITH_SWAPPED_ARGUMENTS, "y and the logits have changed places"),
    (
        "checkpointed",
        "answer = checkpointed_backprop\n"
        "def checkpointed_backprop(*args):\n    return answer(*args)[::-1]",
        "returns the list first",
    ),
    (
        "lean_forward_backward",
        "answer = lean_forward\ndef lean_forward(*args):\n    return answer(*args)[::-1]",
        "lean_forward returns (saved, logits)",
    ),
    ("lean_forward_backward", LEAN_ALL, "the input of a frozen layer"),
    (
        "lean_forward_backward",
        "def lean_forward(params, X, trainable_from):\n    return X @ params[0][0].T, object()",
        "an object of type object",
    ),
]


@pytest.mark.parametrize(("id", "source", "says"), MESSAGES)
def test_a_message_names_the_mistake(id, source, says, answers):
    assert says.lower() in checked(id, source, answers).lower()


def test_the_engine_may_be_used_in_frozen_step_only():
    by_hand = {
        id: hidden.find(id).exercise.by_hand for id in Course().lessons([LESSON])[0].exercises()
    }
    assert [id for id, hand in by_hand.items() if not hand] == ["frozen_step"]


def test_a_frozen_parameter_that_moves_is_named(answers):
    source = """
def frozen_step(network, X, y, lr):
    loss = bce_with_logits(y, network(X))
    loss.backward()
    for p in network.parameters():
        if p.grad is not None:
            p.data = p.data - lr * p.grad
    return loss
"""
    text = checked("frozen_step", source, answers)
    assert "the frozen parameter 0.W has changed" in text
    assert "a Tensor" in text
    assert "an earlier backward left" in text


def test_the_thread_s_network_is_the_worked_example():
    assert np.array_equal(public.THREAD[0][0], net.W1)
    for id in ("lean_forward_backward", "checkpointed", "frozen_step"):
        first = hidden.find(id).exercise.draw(np.random.default_rng(0))[0]
        assert first.kind == "worked"
        assert any(np.array_equal(arg, net.X) for arg in first.args if isinstance(arg, np.ndarray))
