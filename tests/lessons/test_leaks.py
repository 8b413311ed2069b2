"""Nothing that a student can open holds an answer, a hidden test or a hidden case.

Answers are looked for line by line: each telling line of a reference solution, without spaces and
comments, must stand nowhere. Each search is shown to find what is planted.
"""

import copy
import html
import json
import re
from importlib import import_module

import nbformat
import numpy as np
import pytest
from helpers import LESSON, SEED, solution_region

from autograder.course import ROOT, Course
from autograder.judging import MIME, Plan
from autograder.reporting import write_feedback
from autograder.submissions import grade_id, is_solution, is_test
from backprop_kit.checking.exercise import Exact, Numbers

# Lines of reference solutions that a lesson gives away on purpose: forward passes that its text
# computes, and formulas that every text on its subject holds. Those of the later lessons stand in
# the lessons' own tests.
GIVEN = {
    "01": {
        "q=x+y",
        "p0=w0*x0",
        "p1=w1*x1",
        "s=p0+p1+w2",
        "n=-1.0*s",
        "e=np.exp(n)",
        "y=np.exp(v)",
        "y=y_of(v)",
    }
}
for number in ("02", "03", "04", "05", "06", "07"):
    GIVEN[number] = getattr(import_module(f"test_lesson_{number}"), "GIVEN", set())
ALL_GIVEN = set().union(*GIVEN.values())


# Exercises whose answer is a word or two, which no search could tell from any other text.
WITHOUT_LINES = set()


def squeezed(text):
    """Python or prose without spaces, comments and the marks of HTML."""
    text = re.sub(r"#(?!\w*;)[^\n]*", "", text)
    return re.sub(r"\s+", "", text)


def telling(source):
    """The lines of a reference solution that tell something, squeezed."""
    lines = [squeezed(line) for line in solution_region(source).splitlines()]
    return {line for line in lines if _tells(line)} - ALL_GIVEN


def _tells(line):
    """Whether a line computes: an operator or a call, and enough of it to be no accident."""
    right = re.split(r"(?<![<>=!])=(?!=)", line, maxsplit=1)[-1].removeprefix("return")
    computes = re.search(r"[-+*/@(\[{]", right) and not line.endswith(":")
    return bool(computes) and len(line) >= 11


@pytest.fixture(scope="module")
def every_answer(references):
    """{exercise: telling lines of its reference solution}, of the whole course."""
    return {id: telling(source) for id, source in references.items()}


@pytest.fixture(scope="module")
def answers(reference, every_answer):
    """The same of lesson 01."""
    return {id: every_answer[id] for id in reference}


def leaks(text, answers):
    """{exercise: lines of its reference solution that stand in a text}."""
    text = squeezed(text)
    found = {id: {line for line in lines if line in text} for id, lines in answers.items()}
    return {id: lines for id, lines in found.items() if lines}


MARKS = ("HIDDEN TESTS", "judge(", "autograder", "SOLUTION")


def page_text(page):
    """What a reader of an HTML page sees, and the comments that he does not."""
    page = re.sub(r"(?s)<(style|script)\b.*?</\1>", " ", page)
    page = re.sub(r"data:image/[^\"']+", " ", page)
    return html.unescape(re.sub(r"<(?!!--)[^>]*>", "", page))


def test_every_exercise_has_lines_to_look_for(every_answer):
    assert {id for id, lines in every_answer.items() if not lines} <= WITHOUT_LINES
    assert sum(map(len, every_answer.values())) >= 100


@pytest.mark.parametrize("number", GIVEN)
def test_what_is_given_stands_in_its_lesson(number, fresh):
    """Otherwise the lists of what is given hide lines that should be looked for."""
    (lesson,) = fresh.lessons([number])
    notebook = nbformat.read(lesson.release, as_version=4)
    text = squeezed("\n".join(cell.source for cell in notebook.cells))
    right = {line.split("=")[-1].replace(".0", "") for line in GIVEN[number]}
    assert {formula for formula in right if formula not in text.replace(".0", "")} == set()


# ---------------------------------------------------------------- releases


def everything_in(notebook):
    """All text of a notebook: sources, outputs and metadata."""
    sources = "\n".join(cell.source for cell in notebook.cells)
    rest = [
        (cell.metadata, cell.get("outputs"), cell.get("attachments")) for cell in notebook.cells
    ]
    return sources + json.dumps([rest, notebook.metadata])


HIDDEN = re.compile(
    r"(?i)hidden.tests|judge|begin.solution|end.solution|autograder|" + re.escape(MIME)
)


def paths_of_releases():
    return sorted((ROOT / "course" / "release").rglob("*.ipynb"))


@pytest.mark.parametrize("id", Course().lesson_ids())
def test_no_release_holds_an_answer_or_a_hidden_test(id, fresh, every_answer):
    paths = [path for path in paths_of_releases() if path.parent.name == id]
    for path in [*paths, fresh.lessons([id])[0].release]:
        text = everything_in(nbformat.read(path, as_version=4))
        assert leaks(text, every_answer) == {}
        assert HIDDEN.findall(text) == []


def test_an_answer_planted_in_a_release_is_found(blank, reference, answers):
    for id, source in reference.items():
        line = next(x for x in solution_region(source).splitlines() if squeezed(x) in answers[id])
        places = [
            lambda nb, line=line: nb.cells[5].update(source=f"Like this:\n\n    {line}  # so"),
            lambda nb, line=line: nb.cells[5].metadata.update(hint=line.strip()),
            lambda nb, line=line: nb.metadata.update(solution=line.replace(" ", "  ")),
        ]
        for plant in places:
            notebook = copy.deepcopy(blank)
            plant(notebook)
            assert set(leaks(everything_in(notebook), answers)) == {id}


@pytest.mark.parametrize(
    "planted",
    [
        "### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS",
        'judge("add_mul", add_mul)',
        "from autograder.judging import judge",
        "### BEGIN SOLUTION",
    ],
)
def test_a_hidden_test_planted_in_a_release_is_found(blank, planted):
    assert not HIDDEN.search(everything_in(blank))
    blank.cells[7].source += "\n" + planted
    assert HIDDEN.search(everything_in(blank))


def test_the_source_itself_holds_all_of_it(lesson, answers):
    """The search finds every answer where they stand."""
    text = lesson.source.read_text(encoding="utf-8")
    assert leaks(text, answers) == answers
    assert HIDDEN.search(text)


# ---------------------------------------------------------------- the kit


def kit_files():
    return sorted(path for path in (ROOT / "backprop_kit").rglob("*") if path.suffix == ".py")


def test_the_kit_holds_no_answer(every_answer):
    found = {
        path.name: leaks(path.read_text(encoding="utf-8"), every_answer) for path in kit_files()
    }
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_kit_does_not_tell_the_false_claims(reference):
    (claims,) = re.findall(r"return (\{.*\})", reference["wrong_claims"])
    for path in kit_files():
        text = path.read_text(encoding="utf-8")
        assert squeezed(claims) not in squeezed(text)
        assert squeezed(claims)[1:-1] not in squeezed(text).replace(",)", ")")


def test_an_answer_planted_in_the_kit_is_found(answers, reference):
    kit = (ROOT / "backprop_kit" / "exercises" / "scalar_graphs.py").read_text(encoding="utf-8")
    for id, source in reference.items():
        assert id in leaks(kit + "\n" + solution_region(source), answers)


# ---------------------------------------------------------------- feedback pages


def test_no_feedback_page_holds_an_answer_its_student_did_not_write(demo, answers):
    for student, mark in demo.marks.items():
        own = ""
        if not mark["flags"]:
            submitted = nbformat.read(demo.lesson.submission(student), as_version=4)
            sources = "\n".join(cell.source for cell in submitted.cells)
            own = squeezed(sources) + squeezed(sources.replace("#", ""))
        foreign = {id: {line for line in lines if line not in own} for id, lines in answers.items()}
        text = page_text(demo.page(student))
        assert leaks(text, foreign) == {}, student
        assert not [mark for mark in MARKS if mark in text and squeezed(mark) not in own], student


def test_an_answer_planted_in_a_page_is_found(demo, answers, reference):
    page = demo.page("ben")
    for id, source in reference.items():
        coloured = "".join(
            f'<span class="n">{html.escape(word)}</span> '
            for word in re.split(r"(?<=\W)|(?=\W)", solution_region(source))
        )
        planted = page.replace("</body>", f"<pre>{coloured}</pre></body>")
        assert id in leaks(page_text(planted), answers)
        hidden = page.replace("</body>", f"<!-- {solution_region(source)} --></body>")
        assert id in leaks(page_text(hidden), answers)


# ---------------------------------------------------------------- hidden cases


def numbers_of(value):
    """Every number in a nested value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [number for item in value for number in numbers_of(item)]
    if isinstance(value, Numbers):
        return list(value.values)
    if isinstance(value, Exact | str) or value is None:
        return []
    return [float(number) for number in np.ravel(value)]


def hidden_numbers(id, seed):
    """Inputs and expected values of the hidden cases: all that does not stand in the lesson."""
    plan = Plan(id, seed)
    found = set()
    for case in plan.cases:
        if case.kind != "worked":
            expected = plan.exercise.functions[case.function].solve(*case.args)
            found |= {abs(number) for number in numbers_of([list(case.args), expected])}
    return {number for number in found if len(f"{number:.12g}".strip("0.")) > 6}


def forms(number):
    """How a number could be written in a message; six digits at least, to exclude accidents."""
    written = {repr(number), str(np.float64(number))}
    written |= {f"{number:.{digits}g}" for digits in (6, 7, 8, 10, 12)}
    written |= {f"{number:.{digits}f}" for digits in (5, 6, 8)}
    return {text for text in written if len(re.sub(r"\D", "", text).strip("0")) >= 6}


def revealed(text, numbers):
    """The hidden numbers that a text tells."""
    told = set(re.findall(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?", text))
    return {number for number in numbers if forms(number) & told}


@pytest.fixture(scope="module")
def wrong_page(odd_class):
    """The page of a student who has a mistake in every exercise, judged by cases from SEED."""
    (page,) = write_feedback(odd_class.lesson, ["wrong"])
    return page.path.read_text(encoding="utf-8")


def test_a_feedback_page_holds_no_hidden_number(odd_class, wrong_page):
    assert odd_class.scores("wrong")["add_mul"] == 1.5, "it must be wrong to be told much"
    for id in odd_class.lesson.exercises():
        numbers = hidden_numbers(id, SEED)
        assert len(numbers) > 5 or id == "wrong_claims"
        assert revealed(page_text(wrong_page), numbers) == set()
    assert str(SEED) + '"' not in page_text(wrong_page)


def test_verdicts_and_marks_hold_no_hidden_number(odd_class):
    for id, entry in odd_class.marks["wrong"]["exercises"].items():
        assert revealed(json.dumps(entry), hidden_numbers(id, SEED)) == set()
    for cell in odd_class.graded("wrong").cells:
        if is_test(cell):
            id = grade_id(cell).removeprefix("test_")
            assert revealed(json.dumps(cell.outputs), hidden_numbers(id, SEED)) == set()


def test_a_hidden_number_planted_in_a_page_is_found(wrong_page):
    id = "sigmoid_neuron"
    plan = Plan(id, SEED)
    case = next(case for case in plan.cases if case.kind == "fresh")
    expected = numbers_of(plan.exercise.functions[id].solve(*case.args))
    for number in (case.args[0], expected[0], expected[-1]):
        for text in (repr(number), f"{number:.6g}", f"{number:.8g}", f"{number:.8f}"):
            planted = wrong_page.replace("</body>", f"<p>expected <b>{text}</b>.</p></body>")
            assert abs(number) in revealed(page_text(planted), hidden_numbers(id, SEED))


def test_solutions_stay_out_of_what_students_hand_in(released):
    """The cells that come back are the stubs, so that nothing is carried around with them."""
    notebook = nbformat.read(released, as_version=4)
    stubs = [cell for cell in notebook.cells if is_solution(cell)]
    assert all("NotImplementedError" in cell.source for cell in stubs)
    assert LESSON in str(released)
