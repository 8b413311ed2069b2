"""The released notebooks: made from their sources, up to date, and ready for a student."""

import copy
import re
import shutil
import subprocess
import sys
import types

import nbformat
import pytest
from helpers import LESSON, environment
from IPython.core.interactiveshell import InteractiveShell
from nbgrader.preprocessors import ClearSolutions

from autograder.course import ROOT, Course, CourseError, make_release, require_release
from autograder.course import lessons as course_module
from autograder.course.lessons import settings
from autograder.course.release import SCRATCH
from autograder.grading import grade_class
from autograder.judging import hidden
from autograder.rehearsal import make_course
from autograder.submissions import grade_id, is_solution, is_test

LESSONS = Course().lesson_ids()


# ---------------------------------------------------------------- freshness


def differences(committed, made):
    """What two notebooks differ in, cell by cell; an empty list if they are the same."""
    found = []
    if committed.metadata != made.metadata:
        found.append("metadata of the notebook")
    if (committed.nbformat, committed.nbformat_minor) != (made.nbformat, made.nbformat_minor):
        found.append("format of the notebook")
    if len(committed.cells) != len(made.cells):
        found.append(f"{len(committed.cells)} cells instead of {len(made.cells)}")
    for index, (old, new) in enumerate(zip(committed.cells, made.cells, strict=False)):
        keys = sorted(set(old) | set(new))
        found += [f"cell {index}: {key}" for key in keys if old.get(key) != new.get(key)]
    return found


@pytest.mark.parametrize("id", LESSONS)
def test_the_committed_release_is_fresh(id, fresh):
    committed = Course().lessons([id])[0].release
    assert committed.is_file(), f"run `autograder release {id}` and commit course/release"
    old = nbformat.read(committed, as_version=4)
    new = nbformat.read(fresh.lessons([id])[0].release, as_version=4)
    assert differences(old, new) == [], f"run `autograder release {id}` and commit course/release"


def test_releasing_twice_makes_the_same_bytes(tmp_path, fresh):
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    make_release(lesson)
    again = fresh.lessons([LESSON])[0].release
    assert lesson.release.read_bytes() == again.read_bytes()


def test_an_altered_source_makes_another_release(fresh, tmp_path):
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    text = lesson.source.read_text(encoding="utf-8")
    altered = text.replace("# Lesson 1 ", "# Lesson one ").replace("points: 4", "points: 5")
    lesson.source.write_text(altered, encoding="utf-8")
    make_release(lesson)
    made = nbformat.read(lesson.release, as_version=4)
    before = nbformat.read(fresh.lessons([LESSON])[0].release, as_version=4)
    found = differences(before, made)
    assert "cell 0: source" in found
    assert any("metadata" in each for each in found)


def test_every_kind_of_difference_is_seen(blank):
    changes = {
        "metadata of the notebook": lambda nb: nb.metadata.update(x=1),
        "format of the notebook": lambda nb: nb.update(nbformat_minor=4),
        "cells instead of": lambda nb: nb.cells.pop(),
        "cell 3: id": lambda nb: nb.cells[3].update(id="other"),
        "cell 3: source": lambda nb: nb.cells[3].update(source="other"),
        "cell 3: metadata": lambda nb: nb.cells[3].metadata.update(x=1),
        "cell 3: cell_type": lambda nb: nb.cells[3].update(cell_type="raw"),
        "cell 3: attachments": lambda nb: nb.cells[3].update(attachments={}),
    }
    for wanted, change in changes.items():
        other = copy.deepcopy(blank)
        change(other)
        (found,) = differences(blank, other)
        assert wanted in found
    assert differences(blank, copy.deepcopy(blank)) == []


# ---------------------------------------------------------------- what a student gets


def test_only_notebooks_are_released(fresh):
    files = [path for path in (fresh.path / "release").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".ipynb"}
    assert len(files) == len(LESSONS)
    committed = [path for path in (ROOT / "course" / "release").rglob("*") if path.is_file()]
    assert {path.suffix for path in committed} == {".ipynb"}


@pytest.mark.parametrize("id", LESSONS)
def test_a_release_is_a_valid_notebook_without_outputs(id, fresh):
    notebook = nbformat.read(fresh.lessons([id])[0].release, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


def solutions(notebook):
    return [cell for cell in notebook.cells if is_solution(cell)]


def test_every_answer_cell_is_a_short_stub(blank):
    for cell in solutions(blank):
        id = grade_id(cell)
        functions = hidden.find(id).exercise.functions
        blocks = [block for block in re.split(r"(?m)^(?=def )", cell.source) if block.strip()]
        assert len(blocks) == len(functions)
        for block, name in zip(blocks, functions, strict=True):
            lines = block.strip().splitlines()
            assert len(lines) <= 10, f"{id}: {name} takes {len(lines)} lines"
            assert lines[0].startswith(f"def {name}(")
            assert lines[1].strip().startswith('"""'), "a stub says what to return"
            assert lines[-2:] == ["    # YOUR CODE HERE", "    raise NotImplementedError()"]


def test_every_answer_is_followed_by_its_test(blank):
    for index, cell in enumerate(blank.cells):
        if is_solution(cell):
            test = blank.cells[index + 1]
            assert is_test(test)
            assert grade_id(test) == f"test_{grade_id(cell)}"
            names = ", ".join(hidden.find(grade_id(cell)).exercise.functions)
            assert test.source.strip() == f'check("{grade_id(cell)}", {names})'


def test_the_exercises_are_those_of_the_syllabus_in_its_order(blank, lesson):
    expected = [
        "add_mul", "gates", "sigmoid_neuron", "d_sigmoid",
        "exp_model", "fan_out", "wrong_claims", "descend",
    ]  # fmt: skip
    assert lesson.exercises() == expected
    assert [grade_id(cell) for cell in solutions(blank)] == expected


def test_points_are_those_of_the_exercises(blank, lesson):
    tests = [cell for cell in blank.cells if is_test(cell)]
    points = {grade_id(cell).removeprefix("test_"): cell.metadata.nbgrader.points for cell in tests}
    assert points == {id: hidden.find(id).points for id in lesson.exercises()}
    assert sum(points.values()) == 18


def test_the_gradebook_knows_the_same_points(fresh, lesson):
    from autograder.course import api

    with api(fresh).gradebook as gradebook:
        cells = gradebook.find_notebook("scalar_graphs", LESSON).grade_cells
        known = {cell.name.removeprefix("test_"): cell.max_score for cell in cells}
    assert known == {id: hidden.find(id).points for id in lesson.exercises()}


# ---------------------------------------------------------------- badge and setup


def first_code(notebook):
    return next(cell for cell in notebook.cells if cell.cell_type == "code")


def source_text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


@pytest.mark.parametrize("id", LESSONS)
def test_badge_and_setup_come_from_the_settings(id, fresh, monkeypatch):
    lesson = fresh.lessons([id])[0]
    notebook = nbformat.read(lesson.release, as_version=4)
    own = settings()
    where = f"{own['repository']}/blob/{own['branch']}/course/release/{id}/{lesson.notebook}.ipynb"
    badge = f"https://colab.research.google.com/github/{where}"
    assert badge in notebook.cells[0].source + notebook.cells[1].source, "at the head"
    assert f"{own['repository']}@{own['branch']}" in first_code(notebook).source

    other = {"repository": "someone/copy", "branch": "fall"}
    monkeypatch.setattr(course_module, "settings", lambda: other)
    made = lesson.read()
    assert f"github/someone/copy/blob/fall/course/release/{id}" in source_text(made)
    assert "someone/copy@fall" in first_code(made).source
    assert own["repository"] not in source_text(made)


@pytest.fixture
def shell(monkeypatch):
    """An IPython whose %pip only notes what it is asked for."""
    InteractiveShell.clear_instance()
    running = InteractiveShell.instance()
    asked = []

    def pip(line):
        asked.append(line)
        sys.modules["backprop_kit"] = types.ModuleType("backprop_kit")
        sys.modules["backprop_kit"].__spec__ = types.SimpleNamespace(name="backprop_kit")

    running.register_magic_function(pip, "line", "pip")
    running.asked = asked
    yield running
    InteractiveShell.clear_instance()


@pytest.fixture
def without_the_kit(monkeypatch):
    """As if backprop_kit were not installed."""
    import importlib.util

    found = importlib.util.find_spec
    for name in [name for name in sys.modules if name.split(".")[0] == "backprop_kit"]:
        monkeypatch.delitem(sys.modules, name)

    def find_spec(name, package=None):
        if name == "backprop_kit":
            return sys.modules[name].__spec__ if name in sys.modules else None
        return found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


@pytest.fixture
def in_colab(monkeypatch):
    google = types.ModuleType("google")
    google.colab = types.ModuleType("google.colab")
    monkeypatch.setitem(sys.modules, "google", google)
    monkeypatch.setitem(sys.modules, "google.colab", google.colab)


def runs(shell, blank):
    result = shell.run_cell(first_code(blank).source)
    result.raise_error()
    return shell.asked


def test_the_setup_installs_in_colab_once(shell, blank, in_colab, without_the_kit):
    (line,) = runs(shell, blank)
    assert line.startswith("install")
    assert f"git+https://github.com/{settings()['repository']}@{settings()['branch']}" in line
    assert len(runs(shell, blank)) == 1, "a second run finds the kit"


def test_the_setup_does_nothing_in_colab_where_the_kit_is(shell, blank, in_colab):
    assert runs(shell, blank) == []


def test_the_setup_does_nothing_outside_colab(shell, blank, without_the_kit):
    assert runs(shell, blank) == []


# ---------------------------------------------------------------- courses without a release


def test_grading_without_a_release_says_how_to_make_it(tmp_path):
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    lesson.release.unlink(missing_ok=True)
    for step in (require_release, grade_class):
        with pytest.raises(CourseError, match=f"autograder release {LESSON}"):
            step(lesson)


def test_a_fresh_checkout_has_its_lesson_entered_in_the_gradebook(tmp_path, released):
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    assert not (course.path / "gradebook.db").exists()
    require_release(lesson)
    before = (course.path / "gradebook.db").read_bytes()
    require_release(lesson)
    assert (course.path / "gradebook.db").read_bytes() == before, "the second time nothing is made"
    assert lesson.release.read_bytes() == released.read_bytes()


def edited(lesson, old, new):
    """Edit a lesson's source."""
    text = lesson.source.read_text(encoding="utf-8")
    assert old in text
    lesson.source.write_text(text.replace(old, new, 1), encoding="utf-8")


def files_below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_source_that_nbgrader_refuses_is_told_and_the_release_stays(tmp_path):
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    before = files_below(course.path / "release")
    edited(lesson, "### END SOLUTION", "")
    with pytest.raises(CourseError) as refused:
        make_release(lesson)
    said = str(refused.value)
    assert re.search("what was there stays. nbgrader could not .*no end solution", said)
    assert "Traceback" not in said
    assert files_below(course.path / "release") == before
    assert not (course.path / SCRATCH).exists()


def test_one_lesson_that_cannot_be_released_stops_no_other(tmp_path, run):
    course = make_course(tmp_path / "course")
    first, second = course.lessons([LESSON, "02"])
    edited(first, "### END SOLUTION", "")
    edited(second, "# Lesson 2 ", "# Lesson two ")
    said = run("--course", course.path, "release", "01", "02")
    assert said.status == 2
    assert "01_scalar_graphs was not released" in said.err
    assert second.release.name in said.out
    assert "# Lesson two" in second.release.read_text(encoding="utf-8")


def test_who_stops_it_stops_it(tmp_path, run, monkeypatch):
    """Ctrl-C is no trouble of one lesson, though nbgrader reports it like any other error."""
    course = make_course(tmp_path / "course")
    before = files_below(course.path / "release")
    begun = []

    def stops(step, nb, resources):
        begun.append(resources["nbgrader"]["assignment"])
        raise KeyboardInterrupt

    monkeypatch.setattr(ClearSolutions, "preprocess", stops)
    assert run("--course", course.path, "release", "01", "02").status == 130
    assert begun == [LESSON]
    assert files_below(course.path / "release") == before


def test_a_release_that_is_interrupted_leaves_the_old_one(tmp_path, monkeypatch):
    """Killed while nbgrader is at work: nothing has been taken away, nothing is left half done."""
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    before = files_below(course.path / "release")

    def stopped(step, *args, **kwargs):
        step(*args, **kwargs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("autograder.course.release.run", stopped)
        with pytest.raises(KeyboardInterrupt):
            make_release(lesson)
    assert files_below(course.path / "release") == before
    edited(lesson, "# Lesson 1 ", "# Lesson one ")
    (lesson.release.parent / "left.csv").write_text("of an older release")
    make_release(lesson)
    assert "# Lesson one" in lesson.release.read_text(encoding="utf-8")
    assert [path.name for path in lesson.release.parent.iterdir()] == [lesson.release.name]


def test_exercises_cannot_change_once_somebody_is_graded_and_there_are_ways_out(tmp_path, run):
    """nbgrader's rule. What students were given stays, goes on to be graded, and both ways work."""
    course = make_course(tmp_path / "course")
    lesson = course.lessons([LESSON])[0]
    make_release(lesson)
    lesson.submission("ada").parent.mkdir(parents=True)
    shutil.copy(lesson.release, lesson.submission("ada"))
    grade_class(lesson)
    before = files_below(course.path / "release")

    source = lesson.source.read_text(encoding="utf-8")
    edited(lesson, "grade_id: test_d_sigmoid", "grade_id: test_slope")
    for _ in range(2):
        said = run("--course", course.path, "release", "01")
        assert said.status == 2
        assert "(slope is new, d_sigmoid is gone)" in said.err
        assert len(said.err) < 900
        assert files_below(course.path / "release") == before
    (mark,) = grade_class(lesson)
    assert (mark.max, mark.flags) == (18, [])

    edited_source = lesson.source.read_text(encoding="utf-8")
    lesson.source.write_text(source, encoding="utf-8")  # the first way
    assert make_release(lesson).read_bytes() == before[lesson.release]
    lesson.source.write_text(edited_source, encoding="utf-8")  # the second
    command = re.search("`nbgrader (.*?)`", said.err)[1]
    own = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command.split()],
        cwd=course.path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert own.returncode == 0, own.stderr
    assert make_release(lesson).is_file()
    assert "d_sigmoid" not in lesson.exercises_of(nbformat.read(lesson.release, 4))


def test_a_demo_is_made_over_a_demo(tmp_path):
    course = make_course(tmp_path / "course")
    (course.path / "left behind").write_text("by an earlier demo")
    again = make_course(course.path)
    assert not (course.path / "left behind").exists()
    assert again.lesson_ids() == LESSONS


def test_a_demo_never_takes_the_place_of_a_persons_folder(tmp_path):
    """`--to` may name any folder; what somebody keeps there must survive."""
    course = make_course(tmp_path / "own" / "course")
    with pytest.raises(CourseError):
        make_course(course.path, course)
    assert course.lesson_ids() == LESSONS

    real = tmp_path / "teaching" / "course"
    shutil.copytree(ROOT / "course" / "source", real / "source")
    shutil.copy(ROOT / "course" / "nbgrader_config.py", real)
    notes = tmp_path / "notes" / "course"
    notes.mkdir(parents=True)
    for folder in (real, notes):
        (folder / "thesis.txt").write_text("years of work")
        with pytest.raises(CourseError):
            make_course(folder)
        assert (folder / "thesis.txt").exists()
