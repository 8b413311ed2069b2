"""nbgrader's Validate button, on what students have: it says what to do, and shows no traceback."""

import re

import nbformat
import pytest
from helpers import cell_of, lean
from nbconvert.filters import strip_ansi
from nbgrader.validator import Validator

from autograder.rehearsal import answered

TRACEBACK = re.compile(r"Traceback|File \"|Cell In|-->|line \d+")


@pytest.fixture(scope="module")
def validate(tmp_path_factory):
    """Validate a notebook; returns (what the button gets, what `nbgrader validate` prints)."""

    def call(notebook):
        import io

        path = tmp_path_factory.mktemp("validate") / "scalar_graphs.ipynb"
        nbformat.write(lean(notebook), path)
        validator = Validator()
        results = validator.validate(str(path))
        validator.validate = lambda filename: results
        validator.stream = io.StringIO()
        validator.validate_and_print(str(path))
        return results, validator.stream.getvalue()

    return call


def failed(results):
    """{exercise: the error's text} of the cells that fail."""
    assert set(results) <= {"failed"}
    found = {}
    for cell in results.get("failed", []):
        (id,) = re.findall(r'check\("(\w+)"', cell["source"])
        found[id] = strip_ansi(cell["raw_error"])
    return found


def test_a_blank_release_fails_everywhere_and_says_not_written(validate, blank, reference):
    results, printed = validate(blank)
    found = failed(results)
    assert list(found) == list(reference)
    for id, text in found.items():
        assert id in text
        assert "not written yet" in text
        assert not TRACEBACK.search(text)
    assert "VALIDATION FAILED ON 8 CELL(S)" in " ".join(printed.split())


def test_a_solved_notebook_succeeds(validate, fresh, reference):
    results, printed = validate(answered(fresh.lessons(["01"])[0], reference))
    assert results == {}
    assert printed == "Success! Your notebook passes all the tests.\n"


def test_a_mistake_fails_with_our_sentence(validate, fresh, reference):
    wrong = {
        **reference,
        "add_mul": reference["add_mul"].replace("df_dz = q", "df_dz = -q"),
        "d_sigmoid": "def d_sigmoid(f):\n    return 1 / 0\n",
    }
    results, printed = validate(answered(fresh.lessons(["01"])[0], wrong))
    found = failed(results)
    assert set(found) == {"add_mul", "d_sigmoid"}
    assert "sign turned" in found["add_mul"]
    assert "df_dz" in found["add_mul"]
    assert "Next:" in found["add_mul"]
    assert "ZeroDivisionError" in found["d_sigmoid"]
    for text in found.values():
        assert not TRACEBACK.search(text)
        assert "NotImplementedError" not in text
    assert "sign turned" in printed


def test_a_changed_test_cell_is_told(validate, blank):
    cell_of(blank, "test_add_mul").source = "pass"
    results, printed = validate(blank)
    assert [cell["source"] for cell in results["changed"]] == ["pass"]
    assert "TEST CELL(S) HAVE CHANGED" in " ".join(printed.split())
