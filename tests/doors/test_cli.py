"""The command line: what it prints, what it writes, and what it says when it cannot."""

import csv
import json
import os
import shutil

import pytest
from helpers import LESSON

from autograder import cli
from autograder.course import Course
from autograder.grading import load_marks
from autograder.judging import Plan
from autograder.rehearsal import make_course

COMMANDS = {
    "release": "student notebooks",
    "lab": "JupyterLab",
    "grade": "handed in|submission",
    "feedback": "feedback page",
    "export": "CSV",
    "try": "answer|verdict",
    "demo": "class",
    "kill-table": "answer",
    "doctor": "enforced",
}


@pytest.fixture
def empty(tmp_path, fresh):
    """A course that is released, in which nobody has handed in anything."""
    return make_course(tmp_path / "course", fresh)


def one_line(text):
    """What a run said on standard error, which must be one clear sentence and no traceback."""
    assert "Traceback" not in text
    (line,) = [line for line in text.splitlines() if line.startswith("autograder: ")]
    return line


# ---------------------------------------------------------------- help


def test_help_leads_a_first_time_instructor(run):
    said = run("--help")
    assert said.status == 0
    for command in COMMANDS:
        assert command in said.out
    order = [said.out.index(f"autograder {name}") for name in ("demo", "release", "grade")]
    assert order == sorted(order)


@pytest.mark.parametrize(("command", "words"), COMMANDS.items())
def test_every_command_says_what_it_does(run, command, words):
    import re

    said = run(command, "--help")
    assert said.status == 0
    assert said.out.startswith(f"usage: autograder {command}")
    assert re.search(words, said.out, re.IGNORECASE)


@pytest.mark.parametrize("words", [[], ["gradde"], ["try"], ["try", "add_mul"], ["grade", "--x"]])
def test_a_wrong_call_is_told_its_usage(run, words):
    said = run(*words)
    assert said.status == 2
    assert said.err.startswith("usage: autograder")


# ---------------------------------------------------------------- what is not there


def test_unknown_names_are_told_with_those_there_are(run, demo):
    course = ["--course", demo.course.path]
    for words in (["release", "99"], ["grade", "99"], ["feedback", "99"]):
        said = run(*course, *words)
        assert said.status == 2
        assert "there is no lesson '99'" in one_line(said.err)
        assert LESSON in said.err
    said = run(*course, "grade", "--student", "nobody")
    assert said.status == 2
    assert "no submission of nobody" in one_line(said.err)
    assert "ada" in said.err
    for words in (["kill-table", "ad_mul"], ["try", "ad_mul", __file__]):
        said = run(*words)
        assert said.status == 2
        assert "there is no exercise 'ad_mul'" in one_line(said.err)
        assert "add_mul" in said.err


def test_an_unknown_student_of_the_feedback_is_told(run, demo):
    said = run("--course", demo.course.path, "feedback", "--student", "nobody")
    assert said.status == 2
    assert "nobody" in one_line(said.err)


@pytest.mark.parametrize("command", ["release", "grade", "feedback", "export", "lab"])
def test_a_folder_that_is_no_course(run, tmp_path, command):
    said = run("--course", tmp_path, command)
    assert said.status == 2
    assert "is not a course folder" in one_line(said.err)
    said = run("--course", tmp_path / "nowhere", command)
    assert said.status == 2
    assert "is not a course folder" in one_line(said.err)


def test_a_course_without_a_release(run, empty):
    shutil.rmtree(empty.path / "release")
    student = empty.path / "submitted" / "ada" / LESSON
    student.mkdir(parents=True)
    for words in (["grade"], ["lab"]):
        said = run("--course", empty.path, *words)
        assert said.status == 2
        assert "has no release" in one_line(said.err)
        assert "autograder release" in said.err


def test_a_class_that_has_handed_in_nothing(run, empty):
    said = run("--course", empty.path, "grade")
    assert said.status == 2
    assert "nothing has been handed in" in one_line(said.err)
    assert "submitted/STUDENT/LESSON/NOTEBOOK.ipynb" in said.err


def test_feedback_before_grading_is_told(run, empty):
    said = run("--course", empty.path, "feedback")
    assert said.status == 2
    assert "grade" in one_line(said.err)


def test_an_export_of_no_marks_works(run, empty):
    said = run("--course", empty.path, "export")
    assert said.status == 0
    assert "0 students" in said.out


def test_an_interrupted_run_is_told_without_a_traceback(run, monkeypatch, tmp_path):
    def stop(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "run_export", stop)
    said = run("export")
    assert said.status == 130
    assert "what was finished is kept" in said.err


# ---------------------------------------------------------------- try


@pytest.fixture
def files(tmp_path, reference):
    """Answer files for add_mul, by the name of what they are."""
    answers = {
        "right": reference["add_mul"],
        "sign": reference["add_mul"].replace("df_dz = q", "df_dz = -q"),
        "blank": "def add_mul(x, y, z):\n    raise NotImplementedError()\n",
        "nothing": "# no function at all\n",
        "syntax": "def add_mul(x, y, z:\n    return 1\n",
        "bom": "\ufeff" + reference["add_mul"],
    }
    made = {}
    for name, text in answers.items():
        made[name] = tmp_path / f"{name}.py"
        made[name].write_text(text, encoding="utf-8")
    return made


def test_try_prints_what_a_student_would_read(run, files):
    said = run("try", "add_mul", files["sign"])
    assert said.status == 0
    assert "add_mul: 1.5 of 2 points" in said.out
    (wrong,) = [line for line in said.out.splitlines() if line.startswith("✘")]
    assert "df_dz" in wrong
    said = run("try", "add_mul", files["right"])
    assert "2 of 2 points. All hidden tests passed." in said.out


def test_try_says_which_function_is_not_there(run, files):
    said = run("try", "add_mul", files["nothing"])
    assert said.status == 0
    assert "no function called add_mul" in said.out


def test_try_json_is_one_object_a_line_in_the_files_order(run, files):
    names = ["sign", "right", "syntax", "nothing", "blank", "bom", "sign"]
    said = run("try", "add_mul", *(files[name] for name in names), "--json")
    assert said.status == 0
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [row["file"] for row in rows] == [str(files[name]) for name in names]
    for row in rows:
        assert set(row) == {"file", "exercise", "score", "max", "cause", "message", "aspects"}
        assert (row["exercise"], row["max"]) == ("add_mul", 2)
        assert all(set(a) == {"name", "ok", "points", "message"} for a in row["aspects"])
        assert row["score"] == sum(aspect["points"] for aspect in row["aspects"])
    assert [row["score"] for row in rows] == [1.5, 2, 0, 0, 0, 2, 1.5]
    assert [row["cause"] for row in rows] == [
        "sign", None, "raises", "not-implemented", "not-implemented", None, "sign",
    ]  # fmt: skip


def test_try_with_a_seed_says_the_same_again(run, files):
    first, second = (run("try", "add_mul", files["sign"], "--seed", 7, "--json") for _ in range(2))
    assert first.out == second.out


def test_an_answer_that_cannot_be_judged_ends_nothing(run, files, monkeypatch):
    verdict = Plan.verdict

    def fails(plan, seen):
        if any(each.raised for each in seen):
            raise RuntimeError("nobody has thought of this")
        return verdict(plan, seen)

    monkeypatch.setattr(Plan, "verdict", fails)
    said = run("try", "add_mul", files["blank"], files["right"])
    assert said.status == 1
    assert "blank.py: could not be judged: RuntimeError: nobody has" in said.out
    assert "2 of 2 points" in said.out


def test_an_answer_with_odd_characters_can_be_printed(run, tmp_path):
    path = tmp_path / "odd.py"
    path.write_text("def add_mul(x, y, z):\n    raise ValueError('\\ud800 <b>')\n")
    for options in ([], ["--json"]):
        said = run("try", "add_mul", path, *options)
        assert said.status == 0
        said.out.encode("utf-8")


@pytest.mark.parametrize("kind", ["missing", "binary", "folder"])
def test_a_file_that_cannot_be_read_as_an_answer(run, tmp_path, files, kind):
    path = tmp_path / kind
    if kind == "binary":
        path.write_bytes(b"\x7fELF\xff\xfe\x00")
    elif kind == "folder":
        path.mkdir()
    for options in ([], ["--json"]):
        said = run("try", "add_mul", files["right"], path, *options)
        assert said.status == 2
        assert f"cannot read the answer file {path}" in one_line(said.err)


@pytest.mark.parametrize("lesson", Course().graded_lessons(), ids=lambda lesson: lesson.id)
def test_try_judges_an_exercise_of_every_lesson(run, tmp_path, lesson):
    for id, answer in list(lesson.reference().items())[-2:]:
        path = tmp_path / f"{id}.py"
        path.write_text(answer, encoding="utf-8")
        said = run("try", id, path, "--json")
        row = json.loads(said.out)
        assert (row["score"], row["cause"]) == (row["max"], None)


# ---------------------------------------------------------------- grade, feedback, export


def test_grade_json_has_its_schema(run, demo, tmp_path):
    """One who is readable and one who is not, graded once more over the finished class."""
    target = tmp_path / "marks.json"
    students = ["--student", "kofi", "--student", "jonas"]
    said = run("--course", demo.course.path, "grade", "01", *students, "--json", target)
    assert said.status == 0, "flagged submissions are no failure of the run"
    assert "kofi" in said.out
    assert "ada" not in said.out
    assert str(target) in said.out or target.name in said.out
    written = json.loads(target.read_text(encoding="utf-8"))
    assert set(written) == {LESSON}
    assert set(written[LESSON]) == {"kofi", "jonas"}
    for student, mark in written[LESSON].items():
        late = {"raw_score", "late_seconds", "late_penalty"}
        assert set(mark) == {"score", "max", "flags", "repairs", "exercises"} | late
        assert mark["max"] == 18
        assert isinstance(mark["flags"], list)
        assert list(mark["exercises"]) == demo.lesson.exercises()
        for entry in mark["exercises"].values():
            assert set(entry) == {"score", "max", "cause", "message"}
        before = demo.marks[student]
        assert mark["score"] == before["score"]
    kept = load_marks(demo.course)
    assert set(kept[LESSON]) == set(demo.marks), "the marks of the others stay"


def test_grade_cannot_write_its_json(run, demo, tmp_path):
    target = tmp_path / "no such folder" / "marks.json"
    said = run("--course", demo.course.path, "grade", "--student", "jonas", "--json", target)
    assert said.status == 2
    assert "no such folder" in one_line(said.err)


def test_grade_takes_a_student_who_has_handed_in_some_lessons_only(run, demo):
    said = run("--course", demo.course.path, "grade", "--student", "jonas")
    assert said.status == 0
    assert LESSON in said.out
    assert "02_vectorized" not in said.out
    said = run("--course", demo.course.path, "grade", "02", "--student", "jonas")
    assert said.status == 2
    assert "no submission of jonas" in one_line(said.err)
    assert "there are: none" in one_line(said.err)


def test_feedback_for_one(run, demo):
    page = demo.lesson.feedback("ben")
    page.unlink()
    said = run("--course", demo.course.path, "feedback", "01", "--student", "ben")
    assert said.status == 0
    assert "1 feedback page" in said.out
    assert page.is_file()


def test_export_where_it_is_wanted(run, demo, tmp_path):
    target = tmp_path / "new" / "table.csv"
    said = run("--course", demo.course.path, "export", "--to", target)
    assert said.status == 0
    assert f"{len(demo.marks)} students" in said.out
    rows = target.read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("student,")
    assert len(rows) == len(demo.marks) + 1


def test_an_export_tells_what_was_flagged(run, demo, tmp_path):
    target = tmp_path / "marks.csv"
    run("--course", demo.course.path, "export", "--to", target)
    with open(target, newline="", encoding="utf-8") as file:
        told = {row["student"]: row[f"{demo.lesson.id}:flags"] for row in csv.DictReader(file)}
    assert told == {student: "; ".join(mark["flags"]) for student, mark in demo.marks.items()}
    assert any(told.values())
    assert not all(told.values())


def test_release_says_where_the_notebook_is(run, tmp_path):
    course = make_course(tmp_path / "course")
    said = run("--course", course.path, "release", "00")
    assert said.status == 0
    assert "00_start_here/start_here.ipynb" in said.out
    assert course.lessons(["00"])[0].release.is_file()


def test_the_kill_table_of_one_exercise(run):
    said = run("kill-table", "d_sigmoid")
    assert said.status == 0
    assert "none not judged as the catalogue says" in said.out


def test_lab_copies_what_is_new_and_keeps_what_is_there(fresh, tmp_path, monkeypatch, capsys):
    from autograder.course import lab

    called = []
    monkeypatch.setattr(
        lab.subprocess, "call", lambda command, **how: called.append((command, how)) or 0
    )
    folder = tmp_path / "lab"
    assert lab.open_lab(fresh, ["--no-browser"], folder) == 0
    copied = folder / LESSON / "scalar_graphs.ipynb"
    assert copied.is_file()
    copied.write_text("my work", encoding="utf-8")
    assert "new in lab/" in capsys.readouterr().out
    lab.open_lab(fresh, [], folder)
    assert copied.read_text(encoding="utf-8") == "my work"
    assert "new in lab/" not in capsys.readouterr().out
    command, how = called[0]
    is_root = getattr(os, "geteuid", lambda: 1)() == 0  # JupyterLab wants to be told so
    assert command[1:] == ["-m", "jupyterlab", "--no-browser", *["--allow-root"] * is_root]
    assert how["cwd"] == folder
