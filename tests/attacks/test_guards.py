"""Each guard is taken away, and what it guards against succeeds: the suite can fail.

Many guards are tried where they are tested; `ELSEWHERE` says where. The others are tried here.
"""

import re
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbgrader.utils import determine_grade

from attacks.base import ENTRIES, LESSON, NAME, POINTS, World, cell_of, hand_in
from attacks.suite import CONFIG, solved_notebook
from autograder.course import api
from autograder.grading import grade_one
from autograder.judging import plan
from autograder.nbgrader_plugins import JudgedExecute
from autograder.running import judged, sandbox
from autograder.submissions import intake, mend, take_in
from autograder.submissions.matching import Matching

needs_sandbox = pytest.mark.skipif(sandbox.hindrance() is not None, reason=str(sandbox.hindrance()))

# What guards: the tests that take it away.
ELSEWHERE = {
    "no network, no course, no answers, no other files, nothing written, a bare environment,"
    " no other processes; memory, time, processes, files": (
        "test_sandbox::test_without_its_guard_the_attempt_succeeds"
    ),
    "what was started ends with the first": "test_sandbox::test_no_process_outlives_the_first",
    "it ends with the grader": "test_sandbox::test_nothing_outlives_the_grader",
    "it ends with the kernel": (
        "test_sandbox::test_what_a_cell_leaves_running_ends_with_the_kernel"
    ),
    "private folders have a size": "test_sandbox::test_the_private_folders_are_limited",
    "hidden folders": "test_sandbox::test_what_is_hidden_is_not_seen_inside_what_python_needs",
    "limits where there is no sandbox": "test_sandbox::test_limits_hold_without_bubblewrap",
    "only the grader writes verdicts": "test_pipeline::test_without_the_guard_it_could",
    "files sent along are not there": "test_pipeline::test_in_plain_nbgrader_they_do",
    "tags are taken off": "test_pipeline::test_without_the_guard_it_does",
    "the engine is off": "test_probe::test_the_engine_is_off_for_what_is_done_by_hand",
    "outputs are made inert": "test_feedback::test_a_page_is_not_written_if_it_would_act",
    "pages of our own template": "test_feedback::test_nbgraders_own_page_would_act",
    "an order in which marks are written": (
        "test_pipeline::test_killed_at_any_moment_a_second_run_mends_all"
    ),
    "time gets short": "test_pipeline::test_time_gets_short_for_those_who_waste_it",
}


@pytest.mark.parametrize("address", ELSEWHERE.values())
def test_what_is_said_to_be_tried_elsewhere_is(address):
    module, name = address.split("::")
    (path,) = Path(__file__).parents[1].rglob(f"{module}.py")
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", text, re.MULTILINE)


# ---------------------------------------------------------------- the others


@pytest.fixture
def graded(fresh, tmp_path):
    """Grade one entry of the suite by its name; options are JudgedExecute's."""
    lesson = fresh.lessons([LESSON])[0]

    def call(name, **options):
        (entry,) = (each for each in ENTRIES if each.name == name)
        world = World("/nowhere", "/nowhere", "/nowhere", 9, "/nowhere", "attack")
        folder = Path(tempfile.mkdtemp(dir=tmp_path)) / name
        hand_in(entry, world, solved_notebook(lesson), folder)
        config = api(fresh).config
        exec(CONFIG, {"c": config})
        config.JudgedExecute.update({"sandbox": "require", **options})
        released = nbformat.read(lesson.release, as_version=4)
        outcome = grade_one(folder, released, lesson.notebook, "student", config)
        assert outcome.problem == ""
        return outcome

    return call


def scores(outcome):
    return {id: verdict["score"] for id, verdict in outcome.verdicts.items()}


@needs_sandbox
def test_tests_in_the_students_process_can_be_forged(graded, monkeypatch):
    """As plain nbgrader has it: the test is run where the answers are, and what it shows counts.
    Locked in as it is here, the judge is not even there, and the answer scores all the same."""
    monkeypatch.setattr(JudgedExecute, "_exercise", staticmethod(lambda cell: None))
    monkeypatch.setattr(judged, "inert_outputs", lambda outputs: outputs)
    test = cell_of(graded("replaces_the_test").notebook, "test_add_mul")
    assert determine_grade(test, None) == (2.0, 2.0)


def test_tests_as_they_were_sent_would_count(released, monkeypatch):
    notebook = nbformat.read(released, as_version=4)
    original = nbformat.from_dict(notebook)
    cell_of(notebook, "test_add_mul").source = "2.0"
    cell_of(notebook, "test_add_mul").metadata["nbgrader"]["points"] = 600

    def trusting(matching):
        models = {each.metadata.nbgrader.grade_id: each for each in matching.tests}
        for pair in matching.pairs:
            pair[0] = models.get(pair[1].metadata.get("nbgrader", {}).get("grade_id"))

    with monkeypatch.context() as patched:
        patched.setattr(Matching, "match_tests", trusting)
        trusted = nbformat.from_dict(notebook)
        mend(trusted, original)
    mend(notebook, original)
    assert cell_of(trusted, "test_add_mul").source == "2.0"
    assert cell_of(trusted, "test_add_mul").metadata["nbgrader"]["points"] == 600
    for part in ("source", "metadata"):
        assert cell_of(notebook, "test_add_mul")[part] == cell_of(original, "test_add_mul")[part]


@needs_sandbox
def test_without_asking_whether_it_answers_one_loop_costs_everything(graded, monkeypatch):
    monkeypatch.setattr(JudgedExecute, "GRACE", 0.5)  # nobody will answer
    monkeypatch.setattr(JudgedExecute, "_responds", lambda step: True)
    monkeypatch.setattr(JudgedExecute, "restart", lambda step, only=None: None)
    assert not any(scores(graded("endless_deaf_cell", timeout=1, seconds=0.5)).values())


@needs_sandbox
def test_without_a_new_kernel_one_death_costs_what_follows(graded, monkeypatch):
    restart = JudgedExecute.restart

    def empty(step, only=None):
        step._executed = []
        restart(step)

    monkeypatch.setattr(JudgedExecute, "restart", empty)
    assert scores(graded("exits_when_called")) != POINTS | {"d_sigmoid": 0.0}


@needs_sandbox
def test_a_cell_that_ends_kernels_later_would_cost_what_stands_there(graded, monkeypatch):
    monkeypatch.setattr(JudgedExecute, "_leave_out_own", lambda step: False)
    assert scores(graded("ends_kernels_later")) != POINTS


@needs_sandbox
def test_output_without_a_limit_fills_the_notebook(graded, monkeypatch):
    small = len(nbformat.writes(graded("floods_stdout").notebook))
    monkeypatch.setattr(judged, "inert_outputs", lambda outputs: outputs)
    large = len(nbformat.writes(graded("floods_stderr", output_bytes=10**9).notebook))
    assert small < 300_000 < 900_000 < large, "nbgrader's own limit on lines is what is left"


@needs_sandbox
def test_messages_without_a_limit_are_taken(graded, monkeypatch):
    monkeypatch.setattr(judged, "inert_outputs", lambda outputs: outputs)
    options = {"output_bytes": 10**9, "message_bytes": 10**9, "timeout": 30}
    assert len(nbformat.writes(graded("one_huge_line", **options).notebook)) > 20_000_000


def test_a_link_that_is_followed_gives_anothers_work(released, tmp_path, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / f"{NAME}.ipynb").symlink_to(released)
    blank = nbformat.read(released, as_version=4)
    assert take_in(folder, NAME, released=blank).notebook is None
    monkeypatch.setattr(Path, "is_symlink", lambda path: False)
    monkeypatch.setattr(intake.os, "O_NOFOLLOW", 0)
    assert take_in(folder, NAME, released=blank).notebook.cells


@needs_sandbox
def test_an_error_would_tell_hidden_numbers(graded, monkeypatch):
    (loot,) = {entry.lacks for entry in ENTRIES if entry.name == "raises_what_it_was_given"}

    def told():
        message = graded("raises_what_it_was_given").verdicts["add_mul"]["message"]
        return [word for word in loot if word in message]

    assert told() == []
    monkeypatch.setattr(plan, "NUMBER", re.compile("(?!)"))
    assert told() != []
