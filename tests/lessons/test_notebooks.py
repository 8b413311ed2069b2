"""The lessons as notebooks: they run from top to bottom, show what they promise, and read well."""

import itertools
import re

import nbformat
import pytest
from helpers import executed, prose_of, said

from autograder.course import Course
from autograder.judging import hidden
from autograder.submissions import grade_id, is_solution, is_test

LESSONS = Course().lesson_ids()
GRADED = [lesson.id for lesson in Course().graded_lessons()]


@pytest.fixture(params=LESSONS)
def notebook(request, fresh):
    """Each released lesson, not executed."""
    return nbformat.read(fresh.lessons([request.param])[0].release, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def troubles(notebook):
    """Errors and everything on stderr, where warnings go."""
    found = []
    for index, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append((index, f"{output.ename}: {output.evalue}"))
            if output.output_type == "stream" and output.name == "stderr":
                found.append((index, output.text))
    return found


@pytest.mark.parametrize("id", LESSONS)
def test_a_solved_lesson_runs_without_a_word_of_trouble(run_solved, id):
    assert troubles(run_solved(id)) == []
    assert all(cell.execution_count for cell in code_cells(run_solved(id)))


@pytest.mark.parametrize("id", LESSONS)
def test_a_blank_lesson_runs_without_a_word_of_trouble(run_blank, id):
    assert troubles(run_blank(id)) == []


def test_trouble_would_be_seen():
    code = [
        "import sys, warnings",
        "warnings.warn('careful')",
        "print('x', file=sys.stderr)",
        "1 / 0",
        "print('fine')",
    ]
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in code])
    assert [index for index, _ in troubles(executed(made))] == [1, 2, 3]


@pytest.mark.parametrize("id", GRADED)
def test_the_checks_of_a_blank_lesson_say_not_written(run_blank, id):
    for cell in run_blank(id).cells:
        if is_test(cell):
            text = "\n".join(o.data["text/plain"] for o in cell.outputs)
            assert "not written yet" in text
            assert "✘" not in text


@pytest.mark.parametrize("id", GRADED)
def test_the_checks_of_a_solved_lesson_agree(run_solved, id):
    for cell in run_solved(id).cells:
        if is_test(cell):
            text = "\n".join(o.data["text/plain"] for o in cell.outputs)
            name = grade_id(cell).removeprefix("test_")
            assert text.startswith(f"✔ {name}: everything agrees")


def test_lesson_01_shows_the_numbers_of_the_syllabus(run_blank):
    """In what its cells compute, before anything has been answered."""
    told = said(run_blank("01_scalar_graphs"))
    numbers = set(re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", told))
    wanted = ["-12", "-4", "3", "0.7311", "-0.1966", "0.3932", "-0.3932", "-0.5898", "0.1966"]
    assert [number for number in wanted if number not in numbers] == []
    assert re.search(r"df/dx = -4\b.*df/dy = -4\b.*df/dz = 3\b", told)
    neuron = dict(re.findall(r"df/d([wx]\d) = +(-?[\d.]+)", told))
    assert neuron == {
        "w0": "-0.1966",
        "x0": "0.3932",
        "w1": "-0.3932",
        "x1": "-0.5898",
        "w2": "0.1966",
    }


def test_lesson_01_has_the_claims_of_the_syllabus(lesson):
    prose = prose_of(lesson.read())
    claims = [
        r"1. $\partial u/\partial w = x$",
        r"2. $\partial v/\partial b = 1$",
        r"3. $\partial v/\partial u = 0$",
        r"4. $\partial u/\partial b = x$",
        r"5. $\partial y/\partial v = y$",
        r"6. $\partial \ell/\partial y = 2(y-y^*)$",
        r"7. $\partial \ell/\partial b = 2(y-y^*)\cdot y\cdot x$",
        r"8. $\partial \ell/\partial w = 2(y-y^*)\cdot y\cdot x$",
        r"9. $\partial y/\partial b = y$",
        r"10. $\partial \ell/\partial x = 2(y-y^*)\cdot y\cdot w$",
    ]
    assert [claim for claim in claims if claim not in prose] == []


# ---------------------------------------------------------------- form


def test_a_lesson_is_of_readable_size(notebook):
    assert len(notebook.cells) <= 64
    for cell in code_cells(notebook):
        assert cell.source.strip(), "an empty code cell"
        lines = cell.source.splitlines()
        assert len(lines) <= 40
        assert max(map(len, lines)) <= 120


def test_a_lesson_opens_with_one_title_and_keeps_its_levels(notebook):
    assert notebook.cells[0].source.startswith("# ")
    prose = prose_of(notebook)
    prose = re.sub(r"(?s)```.*?```", "", prose)
    levels = [len(marks) for marks in re.findall(r"(?m)^(#+) ", prose)]
    assert levels.count(1) == 1
    steps = itertools.pairwise(levels)
    assert all(below - above <= 1 for above, below in steps), "no level is left out"


def draws(cell):
    """Whether an executed cell shows a picture."""
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def figures_without_words(notebook):
    """Cells that draw, or text drawings, that no sentence describes for who cannot see them."""
    missing = []
    for index, cell in enumerate(notebook.cells):
        if draws(cell):
            after = notebook.cells[index + 1].source if index + 1 < len(notebook.cells) else ""
            if not after.lstrip().startswith("*Figure: "):
                missing.append(index)
        if cell.cell_type == "markdown":
            drawings = cell.source.split("```text")[1:]
            for drawing in drawings:
                if not drawing.split("```", 1)[-1].lstrip().startswith("*Figure: "):
                    missing.append(index)
    return missing


@pytest.mark.parametrize("id", LESSONS)
def test_every_figure_is_described_in_words(run_blank, id):
    assert figures_without_words(run_blank(id)) == []


def test_lesson_01_has_figures_and_a_missing_description_is_seen(run_blank):
    import copy

    notebook = copy.deepcopy(run_blank("01_scalar_graphs"))
    place = next(i for i, cell in enumerate(notebook.cells) if draws(cell))
    notebook.cells[place + 1].source = "What a picture!"
    assert place in figures_without_words(notebook)
    drawn = next(i for i, cell in enumerate(notebook.cells) if "```text" in cell.source)
    notebook.cells[drawn].source = notebook.cells[drawn].source.replace("*Figure: ", "")
    assert drawn in figures_without_words(notebook)


# ---------------------------------------------------------------- cards


def cards(notebook):
    """{exercise: (heading, the text between heading and answer cell)}."""
    found = {}
    for index, cell in enumerate(notebook.cells):
        if is_solution(cell):
            before = notebook.cells[index - 1].source
            found[grade_id(cell)] = before[before.rindex("### Exercise") :]
    return found


CARD = re.compile(
    r"### Exercise (?P<number>\d+) · (?P<id>\w+)\n\n"
    r"\*\*(?P<points>\d+) points? · (?P<minutes>\d+) minutes · "
    r"(?P<hard>[●○]{3}) · needs: (?P<needs>[^*]+)\*\*\n"
)


@pytest.mark.parametrize("id", GRADED)
def test_every_exercise_has_its_card(fresh, id):
    lesson = fresh.lessons([id])[0]
    notebook = nbformat.read(lesson.release, as_version=4)
    found = cards(notebook)
    assert list(found) == lesson.exercises()
    for number, (name, text) in enumerate(found.items(), 1):
        card = CARD.match(text)
        assert card, text[:120]
        assert (int(card["number"]), card["id"]) == (number, name)
        points = hidden.find(name).points
        assert int(card["points"]) == points
        assert f"{points} point{'s' if points > 1 else ''} ·" in text
        (test,) = [cell for cell in notebook.cells if grade_id(cell) == f"test_{name}"]
        assert test.metadata.nbgrader.points == points
        assert 1 <= int(card["minutes"]) <= 60
        assert card["hard"] in ("●○○", "●●○", "●●●")


@pytest.mark.parametrize("id", GRADED)
def test_every_exercise_has_two_folded_hints(fresh, id):
    lesson = fresh.lessons([id])[0]
    for name, text in cards(nbformat.read(lesson.release, as_version=4)).items():
        hints = re.findall(
            r"<details>\n<summary>(Hint \d)</summary>\n\n(.+?)\n\n</details>", text, re.DOTALL
        )
        assert [title for title, _ in hints] == ["Hint 1", "Hint 2"], name
        assert all(len(hint) > 60 for _, hint in hints), name


@pytest.mark.parametrize("id", GRADED)
def test_the_head_of_a_lesson_counts_right(fresh, id):
    lesson = fresh.lessons([id])[0]
    prose = prose_of(lesson.read())
    count, points = (
        len(lesson.exercises()),
        sum(hidden.find(name).points for name in lesson.exercises()),
    )
    words = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    assert f"{words[count]} exercises, {points} points" in prose.lower()
