"""From handed-in files to marks, through real nbgrader: everybody gets a fair mark.

Two classes are graded once for all tests (see conftest): the demo's, and one of hostile, broken
and unlucky submissions.
"""

import csv
import json
import re
import subprocess
import sys

import nbformat
import pytest
from helpers import LESSON, MISTAKES, SEED, environment
from nbgrader.utils import determine_grade

from autograder.course import CourseError, api
from autograder.grading import grade_class, load_marks
from autograder.grading.run import students_of
from autograder.judging import MIME, hidden
from autograder.reporting import write_feedback
from autograder.reporting.tables import likely_mistakes
from autograder.submissions import grade_id, is_test, take_in

POINTS = {
    id: float(test.points) for id, test in hidden.load().items() if test.exercise.lesson == LESSON
}
TOTAL = 18.0


def lost(scores):
    """{exercise: points lost} where any are."""
    return {id: POINTS[id] - score for id, score in scores.items() if score < POINTS[id]}


def causes(mark):
    return {id: entry["cause"] for id, entry in mark["exercises"].items() if entry["cause"]}


# ---------------------------------------------------------------- the class of the demo


def test_the_whole_class_is_marked(demo):
    assert demo.status == 0
    assert len(demo.marks) >= 10
    assert "zoe" not in demo.marks, "left behind by an earlier run"
    for mark in demo.marks.values():
        assert mark["max"] == TOTAL
        assert set(mark["exercises"]) == set(POINTS)
        assert mark["score"] == sum(entry["score"] for entry in mark["exercises"].values())


@pytest.mark.parametrize("student", ["ada", "ines", "kofi"])
def test_right_answers_get_full_marks(demo, student):
    """As they are, with warnings on stderr, and with an answer cell that stands twice."""
    mark = demo.marks[student]
    assert (mark["score"], mark["flags"], causes(mark)) == (TOTAL, [], {})


def test_the_warnings_were_really_there(demo):
    outputs = [o for cell in demo.graded("ines").cells for o in cell.get("outputs", [])]
    assert any(o.output_type == "stream" and o.name == "stderr" for o in outputs)


def test_a_blank_release_gets_nothing_on_every_test_cell(demo):
    assert set(demo.scores("ben").values()) == {0}
    assert set(causes(demo.marks["ben"]).values()) == {"not-implemented"}
    tests = [cell for cell in demo.graded("ben").cells if is_test(cell)]
    assert len(tests) == len(POINTS)
    for cell in tests:
        assert determine_grade(cell) == (0, POINTS[grade_id(cell).removeprefix("test_")])


@pytest.mark.parametrize(
    ("student", "cause"),
    [
        ("chiara", "missing-local"),
        ("deniz", "sign"),
        ("emeka", "overwrite-not-accumulate"),
        ("fatima", "hard-coded"),
        ("goran", "upstream-ignored"),
        ("hana", "raises"),
    ],
)
def test_a_mistake_loses_what_is_wrong_and_is_named(demo, student, cause):
    mark = demo.marks[student]
    assert not mark["flags"]
    assert set(causes(mark).values()) == {cause}
    assert set(lost(demo.scores(student))) == set(causes(mark))
    assert 0 < mark["score"] < TOTAL
    for id in causes(mark):
        assert mark["exercises"][id]["message"].strip()


def test_wrong_answers_lose_what_the_catalogue_says(demo):
    from autograder.rehearsal import catalogue
    from autograder.rehearsal.catalogue import ALL
    from autograder.rehearsal.demo import SOLUTION_MARKS

    submitted = nbformat.read(demo.lesson.submission("goran"), as_version=4)
    reference = demo.lesson.reference()
    entries = {
        (
            entry.exercise,
            SOLUTION_MARKS.sub("", entry.source(reference[entry.exercise])).strip(),
        ): entry
        for entry in catalogue.entries()
        if entry.exercise in reference
    }
    handed_in = {grade_id(cell): cell.source.strip() for cell in submitted.cells if grade_id(cell)}
    expected = {}
    for id in POINTS:
        if entry := entries.get((id, handed_in[id])):
            aspects = hidden.find(id).aspects
            expected[id] = sum(
                a.points for a in aspects if entry.loses == ALL or a.name in entry.loses
            )
    assert expected
    assert lost(demo.scores("goran")) == pytest.approx(expected)


def test_half_a_lesson_gets_its_own_points(demo):
    first = list(POINTS)[: len(POINTS) // 2]
    assert {id for id, score in demo.scores("lena").items() if score} == set(first)
    assert not set(lost(demo.scores("lena"))) & set(first)


def test_an_unreadable_file_is_flagged_and_stops_nobody(demo):
    mark = demo.marks["jonas"]
    assert mark["score"] == 0
    assert "cannot be read" in mark["flags"][0] or "not a notebook" in mark["flags"][0]
    assert [student for student, mark in demo.marks.items() if mark["flags"]] == ["jonas"]
    after = list(demo.marks)[list(demo.marks).index("jonas") + 1 :]
    assert after
    assert all(demo.marks[student]["score"] > 0 for student in after)


def test_a_duplicated_cell_is_repaired_and_told(demo):
    (said,) = demo.marks["kofi"]["repairs"]
    assert "add_mul" in said
    others = [mark["repairs"] for student, mark in demo.marks.items() if student != "kofi"]
    assert not any(others)


def test_the_verdicts_record_their_seed(demo):
    tests = [cell for cell in demo.graded("ada").cells if is_test(cell)]
    seeds = [cell.outputs[0].data[MIME]["seed"] for cell in tests]
    assert len(set(seeds)) == len(POINTS), "each drawn afresh"
    assert all(seed.isdigit() for seed in seeds)


def test_the_gradebook_holds_the_marks(demo):
    with api(demo.course).gradebook as gradebook:
        for student, mark in demo.marks.items():
            submission = gradebook.find_submission(LESSON, student)
            assert (submission.score, submission.max_score) == (mark["score"], TOTAL)
        assert {student.id for student in gradebook.students} == set(demo.marks)
        jonas = gradebook.find_submission(LESSON, "jonas")
        assert jonas.needs_manual_grade
        assert not gradebook.find_submission(LESSON, "ada").needs_manual_grade


def test_the_csv_holds_the_marks(demo):
    with open(demo.course.path / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(demo.marks)
    for student, mark in demo.marks.items():
        assert float(rows[student][f"{LESSON}:score"]) == mark["score"]
        assert float(rows[student][f"{LESSON}:max"]) == TOTAL
        for id, score in demo.scores(student).items():
            assert float(rows[student][f"{LESSON}:{id}"]) == score


def test_everybody_gets_a_feedback_page(demo):
    for student, mark in demo.marks.items():
        page = demo.page(student)
        assert page.lstrip().lower().startswith("<!doctype html")
        if mark["flags"]:
            assert "A person will look at it" in page
            continue
        for id, entry in mark["exercises"].items():
            assert f"{id}: {entry['score']:g} of {entry['max']:g} point" in page


def test_the_table_tells_scores_and_mistakes(demo):
    for student, mark in demo.marks.items():
        (line,) = [x for x in demo.output.splitlines() if x.split()[:1] == [student]]
        assert f"{mark['score']:g}/18" in line
    assert "sign turned" in demo.output
    assert "repaired: " in demo.output
    assert "1 flagged ⚑" in demo.output
    assert str(demo.course.path / "marks.csv") in demo.output or "marks.csv" in demo.output
    assert "feedback" in demo.output


def test_mistakes_are_told_most_frequent_first(demo):
    from autograder.grading import Mark

    def mark(**causes):
        return Mark("x", 0, 18, exercises={id: {"cause": cause} for id, cause in causes.items()})

    told = likely_mistakes(mark(a="sign", b="factor", c="factor", d=None))
    assert [words.split(" (")[1] for words in told] == ["b, c)", "a)"]


# ---------------------------------------------------------------- hostile submissions


def test_a_forged_class_is_marked_at_all(odd_class):
    assert set(odd_class.marks) == {"broken", "colab", "empty", "forger", "stuck", "wrong"}
    flagged = [student for student, mark in odd_class.marks.items() if mark["flags"]]
    assert flagged == ["empty"]


@pytest.mark.parametrize(
    ("id", "attack"),
    [
        ("add_mul", "objects that are equal to everything"),
        ("fan_out", "patched comparisons of NumPy"),
        ("wrong_claims", "forged results on display"),
        ("exp_model", "a transformer that drops lines"),
        ("descend", "a forged kernel reply"),
    ],
)
def test_a_forgery_earns_nothing(odd_class, id, attack):
    assert odd_class.scores("forger")[id] == 0, attack


def test_a_skipped_or_rewritten_test_cell_is_judged_all_the_same(odd_class):
    """Its answer cell was skipped by its own tag, or one of four functions is there, wrong."""
    assert odd_class.scores("forger")["gates"] == 0


def test_the_forgers_honest_answers_count(odd_class):
    scores = odd_class.scores("forger")
    assert (scores["sigmoid_neuron"], scores["d_sigmoid"]) == (4, 1)
    assert odd_class.marks["forger"]["score"] == 5


def test_forged_verdicts_stay_out_of_the_messages(odd_class):
    entry = odd_class.marks["forger"]["exercises"]["wrong_claims"]
    assert entry["cause"]
    assert entry["message"] != "All hidden tests passed."


def test_a_killed_kernel_and_endless_loops_cost_only_their_exercise(odd_class):
    assert set(lost(odd_class.scores("broken"))) == {"add_mul", "d_sigmoid", "fan_out"}
    found = causes(odd_class.marks["broken"])
    assert found == {"add_mul": "raises", "d_sigmoid": "time-out", "fan_out": "time-out"}
    message = odd_class.marks["broken"]["exercises"]["add_mul"]["message"]
    assert "came to an end" in message


def test_a_cell_that_kills_or_never_ends_costs_only_its_exercise(odd_class):
    assert set(lost(odd_class.scores("stuck"))) == {"gates", "exp_model"}
    outputs = [o for cell in odd_class.graded("stuck").cells for o in cell.get("outputs", [])]
    assert any(o.output_type == "error" and o.ename == "KernelStopped" for o in outputs)


def test_what_colab_leaves_behind_is_repaired(odd_class):
    """No metadata, equal ids, ids under minor 0, a %pip line: all answers are found."""
    mark = odd_class.marks["colab"]
    assert (mark["score"], mark["flags"]) == (TOTAL, [])
    assert len([said for said in mark["repairs"] if "had lost its label" in said]) == len(POINTS)
    nbformat.validate(odd_class.graded("colab"))


def test_mistakes_everywhere_lose_a_part_each(odd_class):
    scores = odd_class.scores("wrong")
    assert set(lost(scores)) == set(MISTAKES)
    assert scores["add_mul"] == 1.5
    assert scores["exp_model"] == 1


def test_a_missing_notebook_is_flagged_with_what_was_found(odd_class):
    (flag,) = odd_class.marks["empty"]["flags"]
    assert "no file scalar_graphs.ipynb was handed in" in flag
    assert "answers.docx" in flag


def test_the_configured_seed_is_used(odd_class):
    tests = [cell for cell in odd_class.graded("wrong").cells if is_test(cell)]
    assert {cell.outputs[0].data[MIME]["seed"] for cell in tests} == {str(SEED)}


# ---------------------------------------------------------------- plain nbgrader


def test_plain_nbgrader_gives_the_same_marks(odd_class):
    """`nbgrader autograde` in the course folder uses our steps and comes to the same verdicts."""
    before = [cell.outputs for cell in odd_class.graded("wrong").cells if is_test(cell)]
    odd_class.lesson.autograded("wrong").unlink()
    run = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", LESSON, "--student", "wrong", "--force"],
        cwd=odd_class.course.path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    after = [cell.outputs for cell in odd_class.graded("wrong").cells if is_test(cell)]
    assert after == before
    with api(odd_class.course).gradebook as gradebook:
        score = gradebook.find_submission(LESSON, "wrong").score
    assert score == odd_class.marks["wrong"]["score"]


# ---------------------------------------------------------------- files that are no notebooks


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "can be read"),
        (b"[]", "can be read"),
        (b"3", "can be read"),
        (b"null", "can be read"),
        (b'{"cells": []}', "no cells"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "no cells"),
        (
            b'{"cells": {}, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
            "can be read|no cells",
        ),
        (b'{"cells": [3], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "can be read"),
        (b'{"nbformat": 99}', "can be read"),
        (b"[" * 100_000, "can be read"),
    ],
    ids=lambda value: value[:30].decode(errors="replace") if isinstance(value, bytes) else "",
)
def test_what_is_no_notebook_is_told_in_a_line(tmp_path, content, words):
    (tmp_path / "scalar_graphs.ipynb").write_bytes(content)
    said = take_in(tmp_path, "scalar_graphs").problem
    assert said
    assert re.search(words, said)
    assert "\n" not in said
    assert len(said) < 300


def test_a_readable_notebook_is_readable(released):
    assert take_in(released.parent, released.stem).problem == ""


def test_a_worse_second_submission_replaces_the_first_everywhere(odd_class):
    """Handed in again, and now unreadable: mark, gradebook and page speak of the new file."""
    lesson = odd_class.lesson
    lesson.submission("colab").write_text("no notebook", encoding="utf-8")
    (mark,) = grade_class(lesson, ["colab"])
    assert (mark.score, len(mark.flags)) == (0, 1)
    grade_class(lesson, ["colab"])
    (page,) = write_feedback(lesson, ["colab"])
    assert "A person will look at it" in page.path.read_text(encoding="utf-8")
    with api(lesson.course).gradebook as gradebook:
        submission = gradebook.find_submission(LESSON, "colab")
        assert (submission.score, submission.needs_manual_grade) == (0, True)
    assert load_marks(lesson.course)[LESSON]["wrong"], "the marks of the others stay"


def test_a_class_of_unreadable_files_is_graded_without_a_kernel(small):
    for student in ("one", "two"):
        small.submission(student).parent.mkdir(parents=True)
        small.submission(student).write_text("x", encoding="utf-8")
    marks = grade_class(small)
    assert [(mark.student, mark.score, len(mark.flags)) for mark in marks] == [
        ("one", 0, 1),
        ("two", 0, 1),
    ]
    assert set(load_marks(small.course)[LESSON]) == {"one", "two"}


def test_a_failure_of_ours_flags_the_submission_and_stops_nobody(small, released, monkeypatch):
    small.submission("one").parent.mkdir(parents=True)
    small.submission("one").write_bytes(released.read_bytes())
    small.submission("two").parent.mkdir(parents=True)
    small.submission("two").write_text("x", encoding="utf-8")

    def fails(*args, **kwargs):
        raise RuntimeError("out of order")

    monkeypatch.setattr("autograder.grading.one.mend", fails)
    marks = grade_class(small)
    assert [mark.score for mark in marks] == [0, 0]
    assert "out of order" in marks[0].flags[0]


def test_unknown_students_are_named_with_those_there_are(demo):
    with pytest.raises(CourseError, match=r"no submission of nobody .*there are: ada, ben"):
        students_of(demo.lesson, ["ada", "nobody"])
    assert students_of(demo.lesson, ["ben", "ada"]) == ["ada", "ben"]


@pytest.mark.filterwarnings("error")
def test_cells_with_one_id_are_told_apart_without_a_word(tmp_path):
    cell = {"cell_type": "code", "source": "x", "metadata": {}, "id": "a", "outputs": []}
    cells = [{**cell, "execution_count": None} for _ in range(3)]
    made = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "scalar_graphs.ipynb").write_text(json.dumps(made), encoding="utf-8")
    ids = [cell.id for cell in take_in(tmp_path, "scalar_graphs").notebook.cells]
    assert ids[0] == "a"
    assert len(set(ids)) == 3
