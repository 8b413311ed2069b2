"""Damaged notebooks: everything released is put back, nothing that a student wrote is lost."""

import copy

import nbformat
import pytest
from helpers import cell_of, lean, position_of
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.submissions import grade_id, is_solution, is_test, nbgrader
from autograder.submissions.repair import repair

WRITTEN = "def add_mul(x, y, z):\n    return 'written by the student'"
MARK = "written by the student"


@pytest.fixture
def submitted(blank):
    """A submission with an answer to the first exercise."""
    notebook = copy.deepcopy(blank)
    cell_of(notebook, "add_mul").source = WRITTEN
    return notebook


def released_ids(blank):
    return [grade_id(cell) for cell in blank.cells if is_solution(cell) or is_test(cell)]


def sound(notebook, blank):
    """Whether a repaired notebook has all that grading needs, once, and is a valid notebook."""
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids)), "cell ids must differ"
    nbformat.validate(notebook)
    labels = [grade_id(cell) for cell in notebook.cells if nbgrader(cell)]
    assert len(labels) == len(set(labels)), "no grade id twice"
    assert set(labels) <= set(released_ids(blank))
    for released in blank.cells:
        if is_test(released):
            test = cell_of(notebook, grade_id(released))
            assert (test.source, test.metadata, test.cell_type) == (
                released.source,
                released.metadata,
                "code",
            )
        if is_solution(released) and grade_id(released) in labels:
            assert cell_of(notebook, grade_id(released)).metadata == released.metadata
            place = position_of(notebook, f"test_{grade_id(released)}")
            assert place > position_of(notebook, grade_id(released)), "tests stand behind answers"
    for cell in notebook.cells:
        assert not cell.metadata.get("nbgrader") or nbgrader(cell), "metadata that is no dict"
    return True


def all_text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def test_what_is_whole_is_left_alone(blank, submitted):
    for notebook in (copy.deepcopy(blank), submitted):
        before = copy.deepcopy(notebook)
        assert repair(notebook, blank) == []
        assert notebook == before


@pytest.mark.parametrize("where", [0, 1], ids=["before", "after"])
def test_a_blank_copy_of_a_written_cell_goes(blank, submitted, where):
    twin = copy.deepcopy(cell_of(blank, "add_mul"))
    submitted.cells.insert(position_of(submitted, "add_mul") + where, twin)
    (said,) = repair(submitted, blank)
    assert "2 cells for “add_mul”" in said
    assert sound(submitted, blank)
    assert cell_of(submitted, "add_mul").source == WRITTEN
    assert len(submitted.cells) == len(blank.cells)


def test_of_two_written_cells_the_last_counts_and_both_stay(blank, submitted):
    later = copy.deepcopy(cell_of(submitted, "add_mul"))
    later.source = WRITTEN.replace("student", "student, later")
    submitted.cells.insert(position_of(submitted, "add_mul") + 1, later)
    (said,) = repair(submitted, blank)
    assert "the last one you had written in was graded" in said
    assert sound(submitted, blank)
    assert "later" in cell_of(submitted, "add_mul").source
    assert WRITTEN in [cell.source for cell in submitted.cells if not nbgrader(cell)]


def test_equal_copies_leave_one_answer(blank, submitted):
    submitted.cells.insert(0, copy.deepcopy(cell_of(submitted, "add_mul")))
    assert repair(submitted, blank)
    assert sound(submitted, blank)
    assert cell_of(submitted, "add_mul").source == WRITTEN


def test_a_deleted_test_cell_comes_back_behind_its_answer(blank, submitted):
    submitted.cells.remove(cell_of(submitted, "test_add_mul"))
    (said,) = repair(submitted, blank)
    assert "test cell “test_add_mul” was missing; it was put back" in said
    assert sound(submitted, blank)
    assert position_of(submitted, "test_add_mul") == position_of(submitted, "add_mul") + 1


def test_a_deleted_answer_counts_as_not_written(blank, submitted):
    submitted.cells.remove(cell_of(submitted, "fan_out"))
    (said,) = repair(submitted, blank)
    assert "answer cell “fan_out” was missing; it counts as not written" in said
    assert sound(submitted, blank)
    assert cell_of(submitted, "test_fan_out")


def test_an_empty_notebook_gets_all_its_tests(blank):
    notebook = nbformat.v4.new_notebook(cells=[new_markdown_cell("nothing left")])
    said = repair(notebook, blank)
    exercises = [id for id in released_ids(blank) if id.startswith("test_")]
    assert len(said) == 2 * len(exercises)
    assert sound(notebook, blank)
    assert [grade_id(cell) for cell in notebook.cells if is_test(cell)] == exercises
    assert notebook.cells[0].source == "nothing left"


def test_cells_without_any_metadata_are_known_by_their_code(blank, submitted):
    for cell in submitted.cells:
        cell.metadata = nbformat.NotebookNode()
    said = repair(submitted, blank)
    assert sound(submitted, blank)
    solutions = [id for id in released_ids(blank) if not id.startswith("test_")]
    assert [s for s in said if "had lost its label" in s]
    assert len([s for s in said if "had lost its label" in s]) == len(solutions)
    assert cell_of(submitted, "add_mul").source == WRITTEN
    assert len(submitted.cells) == len(blank.cells)


def test_a_reordered_notebook_keeps_tests_behind_answers(blank, submitted):
    submitted.cells.reverse()
    repair(submitted, blank)
    assert sound(submitted, blank)
    for id in ("add_mul", "descend"):
        assert position_of(submitted, f"test_{id}") == position_of(submitted, id) + 1


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_that_became_text_is_code_again(blank, submitted, kind):
    cell = cell_of(submitted, "add_mul")
    cell.cell_type = kind
    cell.pop("outputs")
    cell.pop("execution_count")
    cell["attachments"] = {}
    (said,) = repair(submitted, blank)
    assert "had become text; it was made code again" in said
    assert sound(submitted, blank)
    assert cell_of(submitted, "add_mul").source == WRITTEN


def test_a_test_that_became_text_comes_back_as_code(blank, submitted):
    cell = cell_of(submitted, "test_add_mul")
    cell.cell_type = "markdown"
    cell.pop("outputs")
    cell.pop("execution_count")
    repair(submitted, blank)
    assert sound(submitted, blank)


def test_a_changed_test_is_the_released_one_again(blank, submitted):
    cell = cell_of(submitted, "test_add_mul")
    cell.source = "2.0"
    cell.metadata["tags"] = ["skip-execution"]
    cell.metadata["nbgrader"]["points"] = 600
    repair(submitted, blank)
    assert sound(submitted, blank)


def test_work_written_into_a_test_cell_is_kept(blank, submitted):
    cell_of(submitted, "test_fan_out").source = f"# {MARK}, in the wrong cell\nhalf = 0.5"
    repair(submitted, blank)
    assert sound(submitted, blank)
    assert "half = 0.5" in all_text(submitted)


def test_labels_of_another_lesson_are_taken_off(blank, submitted):
    about = {"grade": True, "solution": False, "locked": True, "points": 100, "schema_version": 3}
    for id in ("test_relu", "relu"):
        cell = new_code_cell(f"{id} = 1", metadata={"nbgrader": {**about, "grade_id": id}})
        submitted.cells.insert(3, cell)
    said = repair(submitted, blank)
    assert sum("is not of this lesson" in sentence for sentence in said) == 2
    assert sound(submitted, blank)
    assert "test_relu = 1" in all_text(submitted)


@pytest.mark.parametrize("label", ["text", 3, [1], None, {}, {"grade_id": ["add_mul"]}, True])
def test_a_label_that_is_none_breaks_nothing(blank, submitted, label):
    submitted.cells.insert(2, new_code_cell("x = 1", metadata={"nbgrader": label}))
    repair(submitted, blank)
    assert sound(submitted, blank)
    assert "x = 1" in all_text(submitted)


@pytest.mark.parametrize("id", [None, "same", "", 3, "not a valid id!", "x" * 100])
def test_cell_ids_are_valid_and_differ(blank, submitted, id):
    for cell in submitted.cells:
        cell["id"] = id
        if id is None:
            del cell["id"]
    repair(submitted, blank)
    assert sound(submitted, blank)


def test_a_second_repair_finds_nothing(blank, submitted):
    submitted.cells.reverse()
    for cell in submitted.cells[::2]:
        cell.metadata = nbformat.NotebookNode()
    repair(submitted, blank)
    once = copy.deepcopy(submitted)
    assert repair(submitted, blank) == []
    assert submitted == once


def test_helpers_stay_before_the_test(blank, submitted):
    """A cell between an answer and its test may hold what the answer calls."""
    place = position_of(submitted, "add_mul")
    submitted.cells.insert(place + 1, new_code_cell("def helper(x):\n    return x"))
    assert repair(submitted, blank) == []
    assert position_of(submitted, "test_add_mul") == place + 2


def test_an_answer_in_a_new_cell_below_its_untouched_stub_counts(blank):
    place = position_of(blank, "test_add_mul")
    notebook = copy.deepcopy(blank)
    notebook.cells.insert(place + 1, new_code_cell(WRITTEN))
    said = repair(notebook, blank)
    assert sound(notebook, blank)
    assert cell_of(notebook, "add_mul").source == WRITTEN
    assert any("2 cells for “add_mul”" in sentence for sentence in said)


def test_a_later_experiment_does_not_replace_a_written_answer(blank, submitted):
    submitted.cells.append(new_code_cell("def add_mul(x, y, z):\n    return 0"))
    assert repair(submitted, blank) == []
    assert cell_of(submitted, "add_mul").source == WRITTEN


def test_an_answer_with_another_exercises_label_is_found_by_its_code(blank, submitted):
    """A copied cell keeps the label that it was copied with."""
    submitted.cells.remove(cell_of(submitted, "fan_out"))
    twin = copy.deepcopy(cell_of(submitted, "add_mul"))
    twin.source = "def fan_out(x, y):\n    return 1, 2, 3"
    submitted.cells.insert(position_of(submitted, "add_mul"), twin)
    repair(submitted, blank)
    assert sound(submitted, blank)
    assert cell_of(submitted, "fan_out").source == twin.source
    assert cell_of(submitted, "add_mul").source == WRITTEN


def test_a_foreign_label_on_an_answer_is_set_right(blank, submitted):
    cell_of(submitted, "add_mul").metadata["nbgrader"]["grade_id"] = "relu_layer"
    (said,) = repair(submitted, blank)
    assert "had lost its label" in said
    assert cell_of(submitted, "add_mul").source == WRITTEN


GATES = {
    "d_reciprocal": "def d_reciprocal(x):\n    return -1 / x**2",
    "d_exp": "def d_exp(x):\n    return 1",
    "d_scale": "def d_scale(x, c):\n    return c",
    "d_shift": "d_shift = lambda x, c: 1.0",
}


@pytest.mark.parametrize("labelled", [False, True], ids=["plain", "labelled"])
@pytest.mark.parametrize("where", ["below", "at the end"])
def test_functions_of_one_answer_in_several_cells_are_brought_together(
    blank, submitted, where, labelled
):
    first, *others = GATES.values()
    answer = cell_of(submitted, "gates")
    answer.source = first
    place = position_of(submitted, "gates") + 1
    for other in reversed(others):
        spot = place if where == "below" else len(submitted.cells)
        metadata = copy.deepcopy(answer.metadata) if labelled else {}
        submitted.cells.insert(spot, new_code_cell(other, metadata=metadata))
    (said,) = repair(submitted, blank)
    assert "“gates” was spread over 4 cells" in said
    assert sound(submitted, blank)
    start, test = position_of(submitted, "gates"), position_of(submitted, "test_gates")
    assert {cell.source for cell in submitted.cells[start:test]} == set(GATES.values())


@pytest.mark.parametrize("labelled", [False, True], ids=["plain", "labelled"])
@pytest.mark.parametrize("lines", [1, 2])
def test_an_answer_cut_in_the_middle_is_joined(blank, submitted, lines, labelled):
    source = "def add_mul(x, y, z):\n    q = (\n        x + y\n    )\n    return q * z, z, z, q"
    parts = source.split("\n")
    cell_of(submitted, "add_mul").source = "\n".join(parts[: lines + 1])
    metadata = copy.deepcopy(cell_of(submitted, "add_mul").metadata) if labelled else {}
    rest = new_code_cell("\n".join(parts[lines + 1 :]), metadata=metadata)
    submitted.cells.insert(position_of(submitted, "add_mul") + 1, rest)
    (said,) = repair(submitted, blank)
    assert "spread over 2 cells" in said
    assert sound(submitted, blank)
    assert cell_of(submitted, "add_mul").source == source


def test_moved_cells_are_put_back_into_the_lessons_order(blank, submitted):
    moved = cell_of(submitted, "add_mul")
    submitted.cells.remove(moved)
    submitted.cells.insert(0, moved)
    submitted.cells.insert(1, new_code_cell("print('mine, about add_mul')"))
    (said,) = repair(submitted, blank)
    assert "another order" in said
    assert sound(submitted, blank)
    place = position_of(submitted, "add_mul")
    assert submitted.cells[place + 1].source == "print('mine, about add_mul')"
    assert [c.source for c in submitted.cells if c.source in {b.source for b in blank.cells}] == [
        c.source for c in blank.cells if grade_id(c) != "add_mul"
    ]


def test_deleted_imports_come_back_where_they_are_needed(blank, submitted):
    imports = next(cell for cell in submitted.cells if "import numpy as np" in cell.source)
    submitted.cells.remove(imports)
    assert repair(copy.deepcopy(submitted), blank) == [], "no answer uses them"
    cell_of(submitted, "add_mul").source = WRITTEN.replace("return", "np.exp(x)\n    return")
    (said,) = repair(submitted, blank)
    assert "imports was missing" in said
    assert submitted.cells.index(imports) < position_of(submitted, "add_mul")


def test_imports_of_ones_own_are_enough(blank, submitted):
    imports = next(cell for cell in submitted.cells if "import numpy as np" in cell.source)
    submitted.cells.remove(imports)
    cell_of(submitted, "add_mul").source = f"import numpy as np\n\n{WRITTEN}\n\nnp.exp(1.0)"
    assert repair(submitted, blank) == []


@pytest.mark.parametrize(
    "line",
    ["%pip install torch", "!pip install -q numpy==1.20", "! python3 -m pip list", "!apt-get x"],
)
def test_lines_that_install_are_not_run(blank, submitted, line):
    submitted.cells.insert(2, new_code_cell(f"if True:\n    {line}\nx = 1"))
    (said,) = repair(submitted, blank)
    assert line in said
    assert submitted.cells[2].source.startswith("if True:\n    pass  # not run while grading")
    compile(submitted.cells[2].source, "cell", "exec")


def test_the_lessons_own_setup_keeps_its_install_line(blank, submitted):
    setup = next(cell for cell in blank.cells if "%pip install" in cell.source)
    assert repair(submitted, blank) == []
    assert setup.source in [cell.source for cell in submitted.cells]


def test_tags_and_other_metadata_are_taken_off(blank, submitted):
    cell_of(submitted, "add_mul").metadata["tags"] = ["skip-execution"]
    submitted.cells[1].metadata = nbformat.from_dict(
        {"tags": ["raises-exception", "parameters"], "outputId": "x", "colab": {}}
    )
    submitted.metadata["kernelspec"] = {"name": "rm -rf", "display_name": "x"}
    (said,) = repair(submitted, blank)
    assert "“raises-exception”, “skip-execution”" in said
    assert submitted.metadata == blank.metadata
    assert submitted.cells[1].metadata == {}
    assert sound(submitted, blank)


accidents = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "delete",
                "duplicate",
                "move",
                "strip",
                "retype",
                "relabel",
                "sameid",
                "split",
                "merge",
            ]
        ),
        st.integers(0, 200),
        st.integers(0, 200),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None)
@given(accidents)
def test_no_accident_loses_work_or_a_test(few_cells, accidents):
    blank = few_cells
    notebook = copy.deepcopy(blank)
    written = {}
    for cell in notebook.cells:
        if is_solution(cell):
            written[grade_id(cell)] = f"# {MARK}: {grade_id(cell)}"
            cell.source = f"{cell.source}\n{written[grade_id(cell)]}"
    notebook.cells.append(new_markdown_cell(f"a note {MARK}"))
    notebook.cells.insert(4, new_code_cell(f"'an experiment {MARK}'"))

    for kind, i, j in accidents:
        place = i % len(notebook.cells)
        cell = notebook.cells[place]
        if kind == "delete":
            del notebook.cells[place]
        elif kind == "duplicate":
            notebook.cells.insert(j % len(notebook.cells), copy.deepcopy(cell))
        elif kind == "move":
            del notebook.cells[place]
            notebook.cells.insert(j % (len(notebook.cells) + 1), cell)
        elif kind == "strip":
            cell.metadata = nbformat.NotebookNode()
        elif kind == "retype" and cell.cell_type == "code":
            cell.cell_type = "markdown"
            cell.pop("outputs")
            cell.pop("execution_count")
        elif kind == "relabel" and nbgrader(cell):
            cell.metadata["nbgrader"]["grade_id"] = "elsewhere"
        elif kind == "split":
            lines = cell.source.splitlines(keepends=True)
            at = j % (len(lines) + 1)
            twin = copy.deepcopy(cell)
            cell.source, twin.source = "".join(lines[:at]), "".join(lines[at:])
            notebook.cells.insert(place + 1, twin)
        elif kind == "merge" and place + 1 < len(notebook.cells):
            cell.source += "\n" + notebook.cells.pop(place + 1).source
        elif kind == "sameid":
            cell["id"] = notebook.cells[j % len(notebook.cells)]["id"]

    handed_in = [line for line in all_text(notebook).splitlines() if MARK in line]
    repair(notebook, blank)
    assert sound(notebook, blank)
    kept = all_text(notebook).splitlines()
    assert all(line in kept for line in handed_in)


@pytest.fixture(scope="module")
def few_cells(released):
    """Three exercises of the release, without the prose."""
    notebook = lean(nbformat.read(released, as_version=4))
    del notebook.cells[7:]
    return notebook
