"""Lesson 06: what its cells show, how classes are put to work, and what a student reads."""

import re

import numpy as np
import pytest
from helpers import checked, names_in, prose_of

from autograder.course import Course
from autograder.judging import Plan, judge
from backprop_kit import Linear, Sequential, Tensor, gradcheck
from backprop_kit.checking.check import report_on
from backprop_kit.exercises import custom_layer
from backprop_kit.exercises.custom_layer import (
    WackyByEngine,
    drive_network,
    known_layer,
    lent,
    rounds,
    wacky,
)

LESSON = "06_custom_layer"
EXERCISES = {
    "cube_layer": "Cube",
    "softplus_layer": "Softplus",
    "wacky_layer": "Wacky",
    "use_it": "make_network",
    "my_layer": "MyLayer",
}

# Lines of the reference solution that the lesson's text gives away on purpose: the layer protocol.
GIVEN = {"self.grads={}"}


@pytest.fixture(scope="module")
def lesson():
    return Course().lessons([LESSON])[0]


@pytest.fixture(scope="module")
def answers(lesson):
    """{name: class or function} of the reference solution."""
    space = names_in(lesson, Linear=Linear, Sequential=Sequential)
    return {name: space[name] for name in EXERCISES.values()}


# ---------------------------------------------------------------- the notebook


def test_the_small_network_has_its_saved_gradients_with_a_layer_of_ones_own(told_solved):
    assert re.findall(r"^(\w+): ✔ as saved", told_solved, re.M) == ["dW1", "db1", "dW2", "db2"]


def test_the_students_layers_agree_inside_a_network(told_solved):
    assert "Softplus: the dW1 below it ✔ agrees" in told_solved
    assert "Wacky: the dW1 below it ✔ agrees" in told_solved


def test_the_wacky_network_learns_what_the_other_does_not(told_solved):
    losses = re.findall(r"network: loss ([\d.]+) before, ([\d.]+) after", told_solved)
    (_, relu), (before, after) = [tuple(map(float, pair)) for pair in losses]
    assert after < relu / 3
    assert after < before / 3


def test_the_walk_and_the_source_of_the_engine_are_shown(told_solved):
    assert re.search(r"df/dx: our walk -4, the engine -4", told_solved)
    assert "lambda g: g * b, lambda g: g * a" in told_solved
    assert "heappop(ready)" in told_solved
    assert told_solved.count("gradcheck: 1 of 2 gradients agree") == 2


def test_the_formulas_fail_where_the_text_says(told_solved):
    assert re.search(r"x = +1000 +as it stands inf +the kit's 1000", told_solved)
    assert re.search(r"x = +-40 +as it stands 0 +the kit's 4\.24835e-18", told_solved)


def test_the_lesson_takes_as_long_as_it_says(lesson):
    prose = prose_of(lesson.read())
    minutes = sum(map(int, re.findall(r"points? · (\d+) minutes", prose)))
    assert minutes <= 60
    assert "about 90 minutes" in prose
    assert len(lesson.read().cells) <= 64


# ---------------------------------------------------------------- the answers


@pytest.mark.parametrize("id", EXERCISES)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_reference_passes_in_process(answers, id, seed):
    verdict = judge(id, answers[EXERCISES[id]], seed=seed)
    assert verdict.score == verdict.max, str(verdict)
    assert report_on(id, answers[EXERCISES[id]]).passed


def test_the_reference_layers_pass_the_kits_own_referee(answers):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 3))
    for layer in (answers["Cube"](), answers["Softplus"](), answers["MyLayer"](3)):
        assert gradcheck(layer, X)
    for m in (1, 3, 5):
        assert gradcheck(answers["Wacky"](rng.normal(size=(m, 3))), X)


def test_wacky_is_what_the_syllabus_says():
    W, X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([[0.5, -2.0]])
    v = [0.5, -2.0, -1.5]
    wanted = [np.sin(v[0]) * v[1], np.sin(v[1]) * v[2], np.sin(v[2]) * v[0]]
    np.testing.assert_allclose(wacky(Tensor(W), Tensor(X)).data, [wanted])
    one = wacky(Tensor(W[:1]), Tensor(X)).data
    np.testing.assert_allclose(one, [[np.sin(0.5) * 0.5]])


# ---------------------------------------------------------------- messages


def test_an_object_or_too_little_of_a_class_is_told(answers):
    assert "Pass the class itself" in checked("cube_layer", answers["Cube"]())

    class Cube:
        def forward(self, x):
            return x**3

    text = checked("cube_layer", Cube)
    assert "Cube has no method backward" in text
    assert "not written yet" in text


def test_a_method_without_self_is_told(answers):
    class Cube(answers["Cube"]):
        def backward(grad):
            return grad

    text = checked("cube_layer", Cube)
    assert "takes 1 positional argument" in text
    assert "first parameter of a method is self" in text
    assert "Already right: y" in text


def test_an_unstable_formula_is_right_but_for_the_extremes(answers):
    class Softplus(answers["Softplus"]):
        def forward(self, x):
            self.x = x
            return np.log(1 + np.exp(x))

    text = checked("softplus_layer", Softplus)
    assert "y at extremes is wrong for x around ±1000" in text
    assert "Already right: y, dL_dx, dL_dx at extremes" in text


def test_a_formula_that_is_wrong_everywhere_is_not_called_unstable(answers):
    class Softplus(answers["Softplus"]):
        def forward(self, x):
            self.x = x
            return np.maximum(x, 0.0)

    text = checked("softplus_layer", Softplus)
    assert "the corner is sharp" in text
    assert "extreme" not in text.replace("at extremes", "")


def test_a_wacky_network_is_judged_without_the_students_wacky(answers):
    """A stub of exercise 3 costs nothing in exercise 4, and comes back unharmed."""

    class Stub:
        def __init__(self, W):
            raise NotImplementedError

    make = answers["make_network"]
    before = make.__globals__["Wacky"]
    make.__globals__["Wacky"] = Stub
    try:
        assert report_on("use_it", make).passed
        assert make.__globals__["Wacky"] is Stub
    finally:
        make.__globals__["Wacky"] = before


def test_what_is_lent_is_taken_back():
    space = {"Linear": "theirs"}
    with lent(space):
        assert space["Wacky"] is WackyByEngine
        assert space["Linear"] == "theirs"
        assert space["Sequential"] is Sequential
    assert space == {"Linear": "theirs"}


def test_forged_outputs_of_a_network_are_noticed(answers):
    widths, seed = [2, 8, 1], 5
    found = drive_network({"make_network": answers["make_network"]}, list(widths), seed)
    (layers, _, trains), _ = custom_layer.read_network((widths, seed), found)
    assert layers == trains == custom_layer.FINE.value
    found["training"]["outputs"] = found["training"]["outputs"] + 1e-6
    (*_, trains), _ = custom_layer.read_network((widths, seed), found)
    assert "not what its layers and weights give" in str(trains)


# ---------------------------------------------------------------- a layer of the student's own


class Elementwise:
    """y = f(x) with a parameter a, its derivatives given."""

    def __init__(self, n=3):
        self.params = {"a": np.full(n, 0.7)}
        self.grads = {}

    def forward(self, x):
        self.x = x
        return self.value(x, self.params["a"])

    def backward(self, grad):
        to_x, to_a = self.slopes(self.x, self.params["a"])
        self.grads["a"] = (grad * to_a).sum(axis=0)
        return grad * to_x


class Wave(Elementwise):
    def value(self, x, a):
        return np.sin(a * x)

    def slopes(self, x, a):
        return a * np.cos(a * x), x * np.cos(a * x)


def test_a_wave_is_a_layer_of_ones_own():
    for seed in range(3):
        verdict = judge("my_layer", Wave, seed=seed)
        assert verdict.score == 4, str(verdict)


def test_a_wrong_gradient_is_named_with_its_parameter():
    class Bad(Wave):
        def slopes(self, x, a):
            return a * np.cos(a * x), 2 * x * np.cos(a * x)

    verdict = judge("my_layer", Bad, seed=1)
    assert verdict.cause == "factor"
    assert "the gradient to a is exactly twice" in verdict.message
    assert [a.name for a in verdict.aspects if not a.ok] == ["dL_dparams"]


def test_a_parameter_that_only_some_numbers_meet_is_a_parameter():
    class Ramp(Elementwise):
        """Bends beyond 2.2, further out than any x that gradcheck looks at."""

        def value(self, x, a):
            return np.sin(x) + a * np.maximum(x - 2.2, 0.0)

        def slopes(self, x, a):
            return np.cos(x) + a * (x > 2.2), np.maximum(x - 2.2, 0.0)

    class Useless(Wave):
        def value(self, x, a):
            return np.sin(x)

        def slopes(self, x, a):
            return np.cos(x), 0.0 * x

    for seed in range(3):
        assert judge("my_layer", Ramp, seed=seed).score == 4
        assert judge("my_layer", Useless, seed=seed).cause == "no-parameter"


def test_the_text_of_an_error_shows_no_hidden_number(lesson, trials):
    source = lesson.reference()["my_layer"]
    name, place = "    def backward(self, grad):\n", "float(grad[0, 0])"
    assert source.count(name) == 1
    code = source.replace(name, f'{name}        raise ValueError(f"it is {{{place}}}")\n')
    message = trials.judge("my_layer", code, seed=1).message
    assert "raises ValueError: it is …" in message
    assert not re.search(r"\d\.\d", message)


def test_a_layer_that_raises_is_not_said_to_work():
    class Fixed(Wave):
        def forward(self, x):
            return np.tanh(x * np.ones((4, 3)))

    text = checked("my_layer", Fixed)
    assert "raises AttributeError" in text
    assert "other inputs" not in text


def test_every_column_of_a_batch_has_numbers_of_both_signs():
    """So that a layer that treats them differently shows what all its parameters do."""
    for seed in range(20):
        for case in Plan("my_layer", seed).cases:
            x = case.args[1]
            signs = np.sign(x)
            assert len(x) == 1 or (np.ptp(signs, axis=0) == 2).all()


def test_kinks_next_to_an_input_do_not_fail_an_honest_layer():
    class Steps(Elementwise):
        """A kink every 0.01: there is always one within reach of a difference."""

        def value(self, x, a):
            return a * np.abs((x + 0.0025) % 0.02 - 0.01)

        def slopes(self, x, a):
            sign = np.sign((x + 0.0025) % 0.02 - 0.01)
            return a * sign, np.abs((x + 0.0025) % 0.02 - 0.01)

    for seed in range(3):
        verdict = judge("my_layer", Steps, seed=seed)
        assert {a.name for a in verdict.aspects if a.ok} >= {"dL_dx", "dL_dparams"}, str(verdict)


def test_two_kinks_apart_from_any_layer_of_the_course():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 3))
    params = {"a": np.array([0.5, 2.0, 1.0]), "W": rng.normal(size=(4, 3)), "b": rng.normal(size=4)}
    z = x @ params["W"].T + params["b"]
    copies = {
        "Cube": 2 * x**3 - 1,
        "ReLU": np.maximum(z, 0) * [1, 2, 3, 4],
        "Sigmoid": 1 / (1 + np.exp(-params["a"] * x)),
        "Softplus": np.logaddexp(0, x),
        "Wacky": np.sin(z) * np.roll(z, -1, axis=1),
    }
    for name, y in copies.items():
        assert known_layer(x, y, params) == name
    own = [np.tanh(params["a"] * x), np.where(x > 0, x, 0.3 * x), x * np.tanh(x), np.sin(x), x**2]
    for y in own:
        assert known_layer(x, y, params) is None


def test_a_signal_that_is_edited_is_noticed_through_the_argument():
    class Edits(Wave):
        def backward(self, grad):
            dx = super().backward(grad)
            grad *= 2
            return dx

    verdict = judge("my_layer", Edits, seed=1)
    assert verdict.cause == "mutates-argument"
    assert verdict.score == 3.75


def test_a_layer_that_cannot_be_copied_is_judged_all_the_same():
    class Odd(Wave):
        def __init__(self, n=3):
            super().__init__(n)
            self.source = (i for i in range(3))  # a generator cannot be copied

    assert judge("my_layer", Odd, seed=1).score == 4


# ---------------------------------------------------------------- rounds


def test_rounds_tell_apart_what_leaks():
    class Global(Wave):
        def forward(self, x):
            y = super().forward(x)
            Global.x = x
            del self.x
            return y

    x, grad = np.arange(1.0, 7.0).reshape(2, 3), np.ones((2, 3))
    good = rounds(Wave(), Wave, x, lambda y: grad)
    assert custom_layer.apartness(good) == custom_layer.FINE.value
    leaking = rounds(Global(), Global, x, lambda y: grad)
    assert "a second layer of the same class" in str(custom_layer.apartness(leaking))
