"""The course on disk: what is found, and what is said about what is not there."""

import shutil

import nbformat
import pytest
from helpers import prose_of

from autograder.course import ROOT, Course, CourseError, reference_solutions
from autograder.course.lessons import read_source, settings
from autograder.judging import hidden
from autograder.rehearsal import make_course

PAGE = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A lesson

{{COLAB_BADGE}}

```{code-cell} ipython3
{{SETUP}}
```
"""


@pytest.fixture
def course(tmp_path):
    return make_course(tmp_path / "course")


def test_lessons_come_in_order_and_by_short_names():
    course = Course()
    ids = [each.id for each in course.lessons()]
    assert ids == sorted(ids)
    assert ids[:2] == ["00_start_here", "01_scalar_graphs"]
    assert [each.id for each in course.lessons(["01"])] == ["01_scalar_graphs"]
    assert [each.id for each in course.lessons(["01_scalar_graphs", "00"])] == [
        "01_scalar_graphs",
        "00_start_here",
    ]


@pytest.mark.parametrize("wanted", ["07_nothing", "1", "", "scalar_graphs", "../course", "*"])
def test_an_unknown_lesson_is_named_with_those_there_are(wanted):
    with pytest.raises(CourseError, match=r"there is no lesson .*01_scalar_graphs"):
        Course().lessons([wanted])


def test_only_lessons_with_exercises_are_graded():
    assert "00_start_here" not in [each.id for each in Course().graded_lessons()]
    assert [each.id for each in Course().graded_lessons(["00"])] == ["00_start_here"]


def test_every_exercise_has_its_hidden_test_its_reference_and_its_lesson():
    tests = hidden.load()
    references = reference_solutions()
    assert set(tests) == set(references)
    for lesson in Course().lessons():
        for id in lesson.exercises():
            assert tests[id].exercise.lesson == lesson.id


def test_a_reference_has_the_functions_of_its_exercise(reference):
    import ast

    for id, source in reference.items():
        defined = {
            node.name: [a.arg for a in node.args.args]
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef)
        }
        for name, function in hidden.find(id).exercise.functions.items():
            assert tuple(defined[name]) == function.arguments


def test_a_folder_that_is_no_course(tmp_path, course):
    with pytest.raises(CourseError, match=r"is not a course folder"):
        Course(tmp_path)
    with pytest.raises(CourseError, match=r"is not a course folder"):
        Course(tmp_path / "nowhere")
    shutil.rmtree(course.path / "source")
    with pytest.raises(CourseError, match=r"holds no folder `source`"):
        Course(course.path)


def test_a_lesson_has_exactly_one_source(course):
    (course.path / "source" / "01_scalar_graphs" / "notes.md").write_text("# notes")
    with pytest.raises(CourseError, match=r"exactly one lesson source .* holds 2"):
        course.lessons()


def test_folders_without_a_lesson_are_passed_over(course):
    (course.path / "source" / "09_empty").mkdir()
    (course.path / "source" / "README").write_text("not a folder")
    assert "09_empty" not in course.lesson_ids()


def test_cell_ids_stay_where_they_are_when_prose_changes(course):
    lesson = course.lessons(["01"])[0]
    before = {cell.source: cell.id for cell in lesson.read().cells}
    text = lesson.source.read_text(encoding="utf-8")
    lesson.source.write_text(text.replace("Whatever learns", "All that learns"), encoding="utf-8")
    after = {cell.source: cell.id for cell in lesson.read().cells}
    assert sum(before[source] == after.get(source) for source in before) == len(before) - 1
    assert len(set(after.values())) == len(after)


def test_placeholders_are_filled_in(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    place = {"repository": "someone/copy", "branch": "fall", "lesson": "09_new", "notebook": "page"}
    notebook = read_source(page, **place)
    nbformat.validate(notebook)
    prose = prose_of(notebook)
    assert "github/someone/copy/blob/fall/course/release/09_new/page.ipynb" in prose
    (setup,) = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert "git+https://github.com/someone/copy@fall" in setup
    assert "{{" not in prose + setup


def test_an_unknown_placeholder_is_an_error(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.replace("COLAB_BADGE", "COLAB_BAGDE"), encoding="utf-8")
    with pytest.raises(CourseError, match=r"unknown placeholder.*COLAB_BAGDE"):
        read_source(page, repository="", branch="", lesson="", notebook="")


def test_the_settings_are_those_of_pyproject(tmp_path, monkeypatch):
    assert set(settings()) == {"repository", "branch"}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changed = text.replace(settings()["repository"], "someone/copy")
    (tmp_path / "pyproject.toml").write_text(changed, encoding="utf-8")
    monkeypatch.setattr("autograder.course.lessons.ROOT", tmp_path)
    assert settings()["repository"] == "someone/copy"
