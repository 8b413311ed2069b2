"""The verdict: points that add up, cases that can be drawn again, words that give nothing away."""

import json
import re

import nbformat
import numpy as np
import pytest
from nbgrader.utils import determine_grade

from autograder.judging import MIME, Plan, Verdict, hidden, judge, probe
from backprop_kit.checking.check import SEED
from backprop_kit.checking.observe import Observation, Raised

EXERCISES = hidden.load()
WITHOUT_ARGUMENTS = {"wrong_claims"}
# One call shows all that such a function can do, so nothing is drawn.
WITHOUT_CHANCE = {*WITHOUT_ARGUMENTS, "what_to_save"}
WITH_ARGUMENTS = [id for id in EXERCISES if id not in WITHOUT_CHANCE]
PERFECT = "All hidden tests passed."


def functions_of(id, source):
    """{name: what an answer's text defines under it}, for the exercise's names."""
    space = probe.prelude()
    exec(source, space)
    return {name: space[name] for name in EXERCISES[id].exercise.functions}


def judged(id, source, seed=3):
    """The verdict on an answer's text, in this process."""
    return judge(id, *functions_of(id, source).values(), seed=seed)


def partly(reference):
    """add_mul with one of four parts wrong."""
    return judged("add_mul", reference["add_mul"].replace("df_dz = q", "df_dz = -q"))


# ---------------------------------------------------------------- points


@pytest.mark.parametrize("id", EXERCISES)
def test_aspects_add_up_to_the_points(id):
    test = EXERCISES[id]
    assert sum(aspect.points for aspect in test.aspects) == pytest.approx(test.points)
    assert all(aspect.points > 0 for aspect in test.aspects)


# Parts without which another aspect would mean nothing: that calls are kept apart is worth
# something only where the gradient is right.
SHARED = {
    "cube_layer": {("Cube", "dL_dx")},
    "softplus_layer": {("Softplus", "y"), ("Softplus", "dL_dx")},
    "wacky_layer": {("Wacky", "dL_dX")},
    "my_layer": {("MyLayer", "dL_dx")},
}


@pytest.mark.parametrize("id", EXERCISES)
def test_every_part_belongs_to_exactly_one_aspect(id):
    parts = [part for aspect in EXERCISES[id].aspects for part in aspect.parts]
    twice = {part for part in parts if parts.count(part) > 1}
    assert twice <= SHARED.get(id, set())
    assert set(parts) >= set(EXERCISES[id].exercise.parts)


def test_aspects_that_do_not_add_up_are_refused(monkeypatch):
    monkeypatch.setattr(hidden, "HIDDEN", {})
    with pytest.raises(ValueError, match="do not add up to 2"):
        hidden.hidden("add_mul", lambda rng: [], {"f": 1})
    with pytest.raises(ValueError, match="has no such part"):
        hidden.hidden("add_mul", lambda rng: [], {"g": 2})


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_gets_all_points(id, references):
    verdict = judged(id, references[id])
    assert (verdict.score, verdict.cause, verdict.message) == (verdict.max, None, PERFECT)
    assert all(aspect.ok for aspect in verdict.aspects)


def test_a_part_earns_its_points(reference):
    verdict = partly(reference)
    assert verdict.score == 1.5
    assert verdict.cause == "sign"
    assert [aspect.points for aspect in verdict.aspects] == [0.5, 0.5, 0.5, 0]
    assert [bool(aspect.message) for aspect in verdict.aspects] == [False, False, False, True]
    assert "df_dz" in verdict.message


# Where a driver makes several calls there is no one result to type in; the catalogue has the
# answers that return constants there.
CALLED_PLAINLY = [
    id
    for id in WITH_ARGUMENTS
    if not any(function.drive for function in EXERCISES[id].exercise.functions.values())
]


@pytest.mark.parametrize("id", CALLED_PLAINLY)
def test_the_worked_result_typed_in_earns_nothing(id, references):
    """Every student knows it: it stands in the lesson."""
    plan = Plan(id, 4)
    seen = plan.observe(functions_of(id, references[id]))
    typed_in = {
        case.function: observation
        for case, observation in zip(plan.cases, seen, strict=True)
        if case.kind == "worked"
    }
    verdict = plan.verdict([typed_in[case.function] for case in plan.cases])
    assert verdict.score <= TYPED_IN.get(id, 0)


# What a constant is right for: d_shift's derivative is 1 everywhere.
TYPED_IN = {"gates": 0.5}


# ---------------------------------------------------------------- cases and seeds


def inputs(id, seed):
    return json.dumps(Plan(id, seed).request()["calls"])


@pytest.mark.parametrize("id", EXERCISES)
def test_the_seed_decides_the_cases(id):
    assert inputs(id, 1) == inputs(id, 1)
    if id not in WITHOUT_CHANCE:
        assert inputs(id, 1) != inputs(id, 2)
        assert inputs(id, None) != inputs(id, None), "drawn afresh without a seed"


@pytest.mark.parametrize("id", EXERCISES)
def test_a_fresh_case_comes_first_and_the_first_is_repeated_last(id):
    plan = Plan(id, 1)
    for name in plan.exercise.functions:
        own = [case for case in plan.cases if case.function == name]
        assert own[-1].kind == "repeat"
        assert own[-1].args is own[0].args
        assert sum(case.kind == "worked" for case in own) == 1
        if id not in WITHOUT_CHANCE:
            assert own[0].kind != "worked"
            assert len(own) >= 5


@pytest.mark.parametrize("id", EXERCISES)
def test_hidden_cases_are_not_those_of_the_visible_check(id):
    visible = EXERCISES[id].exercise.draw(np.random.default_rng(SEED))
    shown = {json.dumps(list(map(probe.encode, case.args))) for case in visible}
    hidden = [case for case in Plan(id, 1).cases if case.kind == "fresh"]
    drawn = {json.dumps(list(map(probe.encode, case.args))) for case in hidden}
    if id in OF_FEW_SIZES:  # there are only so many small sizes
        assert drawn - shown
    else:
        assert not shown & drawn


OF_FEW_SIZES = {"pick_order"}


def test_the_request_holds_inputs_and_nothing_else():
    for id in EXERCISES:
        request = Plan(id, 1).request()
        assert set(request) == {"calls", "by_hand", "seconds"}
        assert all(set(call) - {"driver"} == {"function", "args"} for call in request["calls"])
        json.dumps(request)


def test_the_recorded_seed_gives_the_verdict_again(reference):
    answer = reference["exp_model"].replace("dy_dv = y", "dy_dv = 1.0")
    verdict = judged("exp_model", answer, seed=None)
    recorded = verdict.outputs()[0]["data"][MIME]["seed"]
    again = judged("exp_model", answer, seed=int(recorded))
    assert again.as_dict() == verdict.as_dict()
    assert again.score < again.max


# ---------------------------------------------------------------- what nbgrader reads


def graded_cell(id, verdict):
    """A released test cell with a verdict's outputs."""
    about = {
        "grade": True,
        "solution": False,
        "locked": True,
        "points": verdict.max,
        "schema_version": 3,
    }
    cell = nbformat.v4.new_code_cell("", metadata={"nbgrader": {**about, "grade_id": f"test_{id}"}})
    cell.outputs = [nbformat.from_dict(output) for output in verdict.outputs()]
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbformat.validate(notebook)
    return cell


def verdicts(reference):
    wrong = reference["add_mul"].replace("return f", "return None, f")
    return {
        2.0: judged("add_mul", reference["add_mul"]),
        1.5: partly(reference),
        0.0: judged("add_mul", wrong),
    }


@pytest.mark.parametrize("score", [2.0, 1.5, 0.0])
def test_nbgrader_reads_the_score(score, reference):
    verdict = verdicts(reference)[score]
    assert verdict.score == score
    cell = graded_cell("add_mul", verdict)
    results = [o for o in cell.outputs if o.output_type == "execute_result"]
    assert [result.data["text/plain"] for result in results] == [repr(score)]
    assert not [o for o in cell.outputs if o.output_type in ("error", "stream")]
    assert determine_grade(cell) == (score, 2.0)


@pytest.mark.parametrize("id", EXERCISES)
def test_full_marks_are_exactly_the_points(id, references):
    """Not a rounding error below, and never above, which nbgrader takes for an error."""
    cell = graded_cell(id, judged(id, references[id]))
    assert determine_grade(cell) == (EXERCISES[id].points, EXERCISES[id].points)


def test_the_verdict_as_data(reference):
    data = partly(reference).as_dict()
    assert set(data) == {"exercise", "score", "max", "cause", "message", "aspects"}
    assert [set(aspect) for aspect in data["aspects"]] == [{"name", "ok", "points", "message"}] * 4
    assert json.loads(json.dumps(data)) == data
    assert sum(aspect["points"] for aspect in data["aspects"]) == data["score"]


def test_the_verdict_as_text(reference):
    lines = str(partly(reference)).splitlines()
    assert lines[0].startswith("add_mul: 1.5 of 2 points")
    (wrong,) = [line for line in lines if line.startswith("✘")]
    assert "df_dz" in wrong
    (right,) = [line for line in lines if line.startswith("✔")]
    assert all(part in right for part in ("f", "df_dx", "df_dy"))
    assert str(verdicts(reference)[2.0]) == f"add_mul: 2 of 2 points. {PERFECT}"


# ---------------------------------------------------------------- words


def all_failed(kind, text="", id="add_mul"):
    plan = Plan(id, 1)
    return plan.verdict(plan.all_failed(kind, text))


@pytest.mark.parametrize("id", EXERCISES)
@pytest.mark.parametrize(
    ("kind", "cause", "words"),
    [
        ("Missing", "not-implemented", "no function called"),
        ("TimeOut", "time-out", "out of time"),
        ("KernelDied", "raises", "out of time"),
        ("Unreadable", "raises", "out of time"),
    ],
)
def test_an_answer_that_could_not_be_called(id, kind, cause, words):
    verdict = all_failed(kind, "It ran out of time.", id)
    assert (verdict.score, verdict.cause) == (0, cause)
    assert words in verdict.message
    assert not any(aspect.ok for aspect in verdict.aspects)


@pytest.mark.parametrize(
    ("reply", "cause", "words"),
    [
        ('{"failed": "TimeOut"}', "time-out", "out of time"),
        ('{"failed": "Died"}', "raises", "came to an end"),
        ('{"failed": "Raised", "text": "NameError: name q"}', "raises", "NameError: name q"),
        ("nonsense", "raises", "could not be read"),
    ],
)
def test_a_failed_reply_says_why(reply, cause, words):
    plan = Plan("add_mul", 1)
    verdict = plan.verdict(plan.observations(reply))
    assert (verdict.score, verdict.cause) == (0, cause)
    assert words in verdict.message


def test_html_is_escaped():
    evil = "<script>alert(1)</script>"
    verdict = all_failed("Unreadable", evil)
    assert evil in str(verdict)
    assert "<script" not in verdict.html()
    assert "&lt;script&gt;" in verdict.html()
    plan = Plan("add_mul", 1)
    seen = [Observation(raised=Raised(evil, evil, evil)) for _ in plan.cases]
    assert "<script" not in plan.verdict(seen).html()
    keys = [Observation((1.0, {evil: 1.0})) for _ in plan.cases]
    assert "<script" not in plan.verdict(keys).html()


def numbers_in(text):
    """The numbers with decimals in a text, but for points."""
    text = re.sub(r"[\d.]+( of [\d.]+)? points?", "", text)
    return {float(n) for n in re.findall(r"(?<![\w.])-?\d+\.\d{2,}(?:e[-+]?\d+)?", text)}


@pytest.mark.parametrize("id", EXERCISES)
@pytest.mark.parametrize("slip", ["garbage", "nan", "text", "none", "reversed", "small"])
def test_the_words_hold_no_hidden_number(id, slip, references):
    plan = Plan(id, 6)
    made = {
        "garbage": lambda value: 1234.0,
        "nan": lambda value: float("nan"),
        "text": lambda value: "text",
        "none": lambda value: None,
        "small": lambda value: value * (1 + 1e-6),
        "reversed": lambda value: -value,
    }[slip]

    def spoil(value):
        if isinstance(value, tuple | list):
            return type(value)(map(spoil, value))
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, set):
            return {99}
        number = isinstance(value, int | float | np.ndarray | np.generic)
        return made(value) if number and np.asarray(value).dtype.kind == "f" else value

    right = plan.observe(functions_of(id, references[id]))
    seen = [Observation(spoil(observation.result)) for observation in right]
    verdict = plan.verdict(seen)
    assert verdict.score < verdict.max or id in RIGHT_ANYWAY
    told = [str(verdict), verdict.message, *(aspect.message for aspect in verdict.aspects)]
    said = numbers_in("\n".join(told))
    worked = [case for case in plan.cases if case.kind == "worked"]
    known = {abs(n) for case in worked for arg in case.args for n in all_numbers(arg)}
    assert not {abs(n) for n in said} - {1234.0} - known, "it quotes numbers"


# Exercises whose results are words, shapes or whole numbers, which stay right when floats are
# spoiled; and the layer of one's own, which is held against its own forward pass, spoiled alike.
RIGHT_ANYWAY = {"gradient_shape", "pick_order", "what_to_save", "saved_bytes", "my_layer"}


def all_numbers(value):
    """Every number in nested arguments."""
    if isinstance(value, tuple | list):
        return [number for item in value for number in all_numbers(item)]
    return np.ravel(value).tolist() if np.asarray(value).dtype.kind in "iuf" else []


def test_the_test_of_the_words_can_fail():
    assert numbers_in("df_dx: expected -1.2345, got 3.25e-05.") == {-1.2345, 3.25e-05}
    assert numbers_in("add_mul: 2 of 2 points, 1.5 of 2") == set()


# ---------------------------------------------------------------- where nbgrader itself runs it


def test_judge_wants_the_exercises_functions(reference):
    with pytest.raises(TypeError, match="takes 4 functions: d_reciprocal, d_exp"):
        judge("gates", len)
    with pytest.raises(KeyError, match="there is no exercise 'addmul'; the exercises are: add_mul"):
        judge("addmul", len)


def test_in_process_the_engine_is_off_too():
    from backprop_kit import Tensor

    def d_sigmoid(f):
        return Tensor(f).item()

    assert judge("d_sigmoid", d_sigmoid).cause == "by-engine"


def test_in_plain_nbgrader_a_test_cell_gives_partial_credit(reference):
    """The hidden-test cell as it stands in the source, run by nbgrader's own Execute."""
    from nbgrader.preprocessors import Execute

    def test_cell(id):
        about = {"grade": True, "solution": False, "locked": True, "schema_version": 3}
        about |= {"points": EXERCISES[id].points, "grade_id": f"test_{id}"}
        names = ", ".join(EXERCISES[id].exercise.functions)
        code = f'from autograder.judging import judge\njudge("{id}", {names})'
        return nbformat.v4.new_code_cell(code, metadata={"nbgrader": about})

    answers = {
        "add_mul": reference["add_mul"].replace("df_dz = q", "df_dz = -q"),
        "fan_out": reference["fan_out"],
        "d_sigmoid": "def d_sigmoid(f):\n    raise NotImplementedError()",
    }
    cells = [nbformat.v4.new_code_cell("import numpy as np")]
    for id, answer in answers.items():
        cells += [nbformat.v4.new_code_cell(answer), test_cell(id)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    notebook, _ = Execute().preprocess(notebook, {"metadata": {"path": "."}})
    tests = notebook.cells[2::2]
    assert [determine_grade(cell) for cell in tests] == [(1.5, 2), (2, 2), (0, 1)]
    assert "df_dz" in tests[0].outputs[-1].data["text/html"]


def test_a_verdict_shows_itself_as_number_and_words(reference):
    shown = partly(reference)._repr_mimebundle_()
    assert shown["text/plain"] == "1.5"
    assert "sign" in shown["text/html"]
    assert isinstance(partly(reference), Verdict)
