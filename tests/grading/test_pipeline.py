"""Grading one submission, from the files that were sent to the marks that are entered.

Hostile and unlucky submissions are graded by `grade_one`, in a real kernel and without a gradebook.
For the guards there is a test that takes the guard away and sees what it guards against.
"""

import contextlib
import copy
import csv
import datetime
import json
import os
import subprocess
import sys
import textwrap
from dataclasses import replace

import nbformat
import pytest
from helpers import LESSON, cell_of, enter, environment, lean, mark_file, with_gradebook
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade

from autograder.course import CourseError, api, gradebook
from autograder.grading import INTERRUPTED, Graded, entering, grade_class, grade_one, load_marks
from autograder.grading import run as grading_run
from autograder.judging import MIME
from autograder.nbgrader_plugins import JudgedExecute
from autograder.rehearsal import answered
from autograder.reporting import marks_table, write_feedback
from autograder.running import judged
from autograder.running.session import Clock
from autograder.submissions import Submission, handed_in, intake, is_test, take_in

NAME = "scalar_graphs"
FULL = {"add_mul": 2.0, "gates": 2.0, "sigmoid_neuron": 4.0}


def first_three(notebook):
    """The notebook with its first three exercises, without prose."""
    notebook = lean(notebook)
    del notebook.cells[7:]
    return notebook


@pytest.fixture
def short(released):
    """The release of a lesson of three exercises."""
    return first_three(nbformat.read(released, as_version=4))


@pytest.fixture
def right(lesson, reference, fresh):
    """A submission to it with every answer right."""
    return first_three(answered(fresh.lessons([LESSON])[0], reference))


@pytest.fixture
def hand_in(tmp_path, short, fresh):
    """Grade a notebook (or the bytes of one); returns the `Graded`. Options are JudgedExecute's."""

    def call(notebook, files=None, **options):
        folder = tmp_path / "submission"
        folder.mkdir(exist_ok=True)
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        if not isinstance(notebook, bytes):
            notebook = nbformat.writes(notebook).encode()
        (folder / f"{NAME}.ipynb").write_bytes(notebook)
        config = api(fresh).config
        config.JudgedExecute.update({"seconds": 1.0, "timeout": 2, "iopub_timeout": 1, **options})
        return grade_one(folder, short, NAME, "somebody", config)

    return call


def scores(graded):
    assert graded.problem == ""
    return {id: verdict["score"] for id, verdict in graded.verdicts.items()}


def own_outputs(graded):
    """The outputs of all cells but the tests."""
    return [
        output
        for cell in graded.notebook.cells
        if cell.cell_type == "code" and not is_test(cell)
        for output in cell.outputs
    ]


def put(notebook, source, position=1):
    notebook.cells.insert(position, new_code_cell(textwrap.dedent(source)))
    return notebook


# ---------------------------------------------------------------- files


@pytest.fixture
def folder(tmp_path, right):
    (tmp_path / f"{NAME}.ipynb").write_text(nbformat.writes(right), encoding="utf-8")
    return tmp_path


def test_a_whole_submission_is_taken_as_it_is(folder, right, short):
    taken = take_in(folder, NAME, released=short)
    assert (taken.problem, taken.notes, taken.timestamp) == ("", [], None)
    assert [cell.source for cell in taken.notebook.cells] == [cell.source for cell in right.cells]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: b"\xef\xbb\xbf" + data, "byte order mark"),
        (lambda data: data.decode().encode("utf-16"), "byte order mark"),
        (lambda data: data.replace(b"\n", b"\r\n"), None),
        (lambda data: data.replace(b"\\n", b"\\r\\n"), None),
        (lambda data: data.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 0'), None),
        (lambda data: data.replace(b'"nbformat": 4', b'"nbformat": "4"'), "did not say"),
        (lambda data: data.replace(b'"metadata": {}', b'"metadata": null'), None),
        (lambda data: data.replace(b'"outputs": []', b'"outputs": {"a": 1}'), None),
        (lambda data: data.replace(b'"execution_count": null', b'"execution_count": "x"'), None),
    ],
)
def test_a_file_that_was_changed_on_its_way_is_read_all_the_same(folder, short, change, told):
    path = folder / f"{NAME}.ipynb"
    before = take_in(folder, NAME, released=short).notebook
    path.write_bytes(change(path.read_bytes()))
    taken = take_in(folder, NAME, released=short)
    assert taken.problem == ""
    sources = [cell.source for cell in taken.notebook.cells]
    assert sources == [cell.source for cell in before.cells]
    nbformat.validate(taken.notebook)
    assert (told is None) == (taken.notes == [])
    assert told is None or told in taken.notes[0]


def test_the_old_format_is_converted(folder, right, short):
    cells = [
        {"cell_type": "code", "input": c.source, "language": "python", "metadata": c.metadata}
        for c in right.cells
    ]
    cells.insert(0, {"cell_type": "heading", "level": 2, "source": ["A title"], "metadata": {}})
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    (folder / f"{NAME}.ipynb").write_text(json.dumps(old), encoding="utf-8")
    taken = take_in(folder, NAME, released=short)
    assert "old format" in taken.notes[0]
    assert taken.notebook.cells[0].source == "## A title"
    assert [cell.source for cell in taken.notebook.cells[1:]] == [c.source for c in right.cells]


@pytest.mark.parametrize(
    "name", ["scalar_graphs (1).ipynb", "Kopie von Lektion.ipynb", "a/b/scalar_graphs.ipynb"]
)
def test_a_renamed_notebook_or_one_in_a_folder_is_found(folder, short, name):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.ipynb").rename(folder / name)
    taken = take_in(folder, NAME, released=short)
    assert taken.problem == ""
    assert taken.file == name
    assert name in taken.notes[0]


def test_the_answered_one_of_two_notebooks_is_taken(folder, short):
    (folder / f"{NAME}.ipynb").rename(folder / "answered.ipynb")
    (folder / f"{NAME}.ipynb").write_text(nbformat.writes(short), encoding="utf-8")
    assert take_in(folder, NAME, released=short).file == "answered.ipynb"


def test_the_notebook_that_was_asked_for_counts_if_it_is_answered(folder, right, short):
    cell_of(right, "gates").source += "\n# a draft\n"
    (folder / "draft.ipynb").write_text(nbformat.writes(right), encoding="utf-8")
    taken = take_in(folder, NAME, released=short)
    assert (taken.file, taken.notes) == (f"{NAME}.ipynb", [])


def test_two_others_with_different_answers_are_for_a_person(folder, right, short):
    (folder / f"{NAME}.ipynb").rename(folder / "one.ipynb")
    cell_of(right, "gates").source += "\n# another\n"
    (folder / "two.ipynb").write_text(nbformat.writes(right), encoding="utf-8")
    taken = take_in(folder, NAME, released=short)
    assert "one.ipynb, two.ipynb" in taken.problem
    assert taken.notebook is None


@pytest.mark.parametrize("target", ["secret.ipynb", "nowhere.ipynb", "/dev/zero"])
def test_links_are_not_followed(folder, tmp_path_factory, short, target):
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.ipynb"
    secret.write_bytes((folder / f"{NAME}.ipynb").read_bytes())
    (folder / f"{NAME}.ipynb").unlink()
    os.symlink(secret.parent / target, folder / f"{NAME}.ipynb")
    taken = take_in(folder, NAME, released=short)
    assert "no file" in taken.problem
    assert "Links" in taken.notes[0]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_notebook_and_nobody_waits_for_it(folder, short):
    (folder / f"{NAME}.ipynb").unlink()
    os.mkfifo(folder / f"{NAME}.ipynb")
    assert "no file" in take_in(folder, NAME, released=short).problem


@pytest.mark.parametrize(
    "text", ["yesterday", "99999-99-99", "\x00", "2026-13-45 25:61:61 UTC", "1" * 500]
)
def test_a_bad_time_of_handing_in_is_left_out(folder, short, text):
    (folder / "timestamp.txt").write_text(text, encoding="utf-8")
    taken = take_in(folder, NAME, released=short)
    assert (taken.problem, taken.timestamp) == ("", None)
    assert "timestamp.txt" in taken.notes[0]


def test_a_good_time_of_handing_in_is_read(folder, short):
    (folder / "timestamp.txt").write_text("2026-11-02 10:15:00.5 UTC\r\n", encoding="utf-8-sig")
    taken = take_in(folder, NAME, released=short)
    assert taken.timestamp == datetime.datetime(2026, 11, 2, 10, 15, 0, 500_000)


def test_a_folder_that_is_a_link_is_for_a_person(folder, tmp_path_factory, short):
    link = tmp_path_factory.mktemp("submitted") / "link"
    os.symlink(folder, link)
    assert "link to another place" in take_in(link, NAME, released=short).problem


def test_strange_names_can_be_printed_and_written(folder, short):
    os.rename(folder / f"{NAME}.ipynb", os.fsencode(folder) + b"/\x1b[2J\xff.ipynb")
    (note,) = take_in(folder, NAME, released=short).notes
    assert "“�[2J�.ipynb”" in note
    note.encode("utf-8")


def test_another_lessons_notebook_is_for_a_person(hand_in):
    other = nbformat.v4.new_notebook(cells=[new_code_cell("def relu(x):\n    return x")])
    graded = hand_in(other)
    assert "another lesson's" in graded.problem
    assert graded.verdicts == {}


# ---------------------------------------------------------------- forging


def test_right_answers_get_full_marks(hand_in, right):
    assert scores(hand_in(right)) == FULL


CLAIM = f"""
    from IPython.display import publish_display_data

    claim = {{"exercise": "gates", "score": 2.0, "max": 2.0, "cause": None, "message": "Right."}}
    publish_display_data({{"{MIME}": claim, "text/plain": "2.0"}}, transient={{"display_id": "x"}})
    print("2.0")
    2.0
"""


def test_a_cell_cannot_show_a_verdict(hand_in, right):
    put(cell_of_wrong(right, "gates"), CLAIM, 3)
    graded = hand_in(right)
    assert scores(graded) == FULL | {"gates": 0.0}
    assert any(output.get("name") == "stdout" for output in own_outputs(graded)), "it did run"
    assert not [output for output in own_outputs(graded) if MIME in output.get("data", {})]


def test_without_the_guard_it_could(hand_in, right, monkeypatch):
    monkeypatch.setattr(judged, "inert_outputs", lambda outputs: outputs)
    graded = hand_in(put(right, CLAIM))
    assert [output for output in own_outputs(graded) if MIME in output.get("data", {})]


def cell_of_wrong(notebook, id):
    """The notebook with an answer to this exercise that is wrong everywhere."""
    cell_of(notebook, id).source = "def d_exp(x):\n    return None\n"
    return notebook


SHADOW = {
    "numpy.py": "raise ImportError('shadowed')",
    "sitecustomize.py": "import os; os._exit(1)",
    "backprop_kit/__init__.py": "raise ImportError('shadowed')",
    "nbgrader_config.py": "c = get_config(); c.JudgedExecute.seed = 1",
}


def test_files_sent_along_shadow_nothing(hand_in, right):
    assert scores(hand_in(right, SHADOW)) == FULL


def test_in_plain_nbgrader_they_do(right, tmp_path):
    (tmp_path / "numpy.py").write_text(SHADOW["numpy.py"], encoding="utf-8")
    notebook, _ = Execute().preprocess(right, {"metadata": {"path": str(tmp_path)}})
    assert notebook.cells[0].outputs[0].evalue == "shadowed"


SESSIONS = {
    "formats every text its own way": """
        ip = get_ipython()
        for formatter in [*ip.display_formatter.formatters.values(),
                          ip.display_formatter.mimebundle_formatter,
                          ip.display_formatter.ipython_display_formatter]:
            for kind in (str, object):
                formatter.for_type(kind, lambda *args: "<text>")
        """,
    "shows nothing at all": """
        get_ipython().display_formatter.format = lambda value, **options: ({}, {})
        get_ipython().ast_node_interactivity = "all"
        """,
    "has closed its streams and taken names": """
        import sys, warnings
        sys.stdout.close(), sys.stderr.close()
        sys.displayhook = None
        sys.setrecursionlimit(120)
        warnings.simplefilter("error")
        np.seterr(all="raise")
        get_ipython = print = list = tuple = dict = str = json = base64 = exec = eval = None
        """,
}


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())
def test_how_a_session_shows_things_costs_nothing(hand_in, right, session):
    """As `from rich import pretty; pretty.install()` or SymPy's `init_printing()` change it."""
    assert scores(hand_in(put(right, session, position=2))) == FULL


def test_an_exercise_that_cannot_be_judged_costs_itself_and_is_for_a_person(
    hand_in, right, monkeypatch
):
    verdict = judged.Plan.verdict

    def fails(plan, seen):
        if plan.exercise.id == "gates":
            raise RuntimeError("nobody has thought of this")
        return verdict(plan, seen)

    monkeypatch.setattr(judged.Plan, "verdict", fails)
    graded = hand_in(right)
    assert scores(graded) == {"add_mul": 2.0, "sigmoid_neuron": 4.0}
    cell = cell_of(graded.notebook, "test_gates")
    assert determine_grade(cell) == (0, 2.0), "nbgrader takes no output for full marks"
    assert "A person will look" in cell.outputs[0].evalue


def test_a_tag_cannot_skip_a_cell(hand_in, right):
    right.cells[0].metadata["tags"] = ["skip-execution"]
    cell_of(right, "gates").metadata["tags"] = ["skip-execution", "raises-exception"]
    assert scores(hand_in(right)) == FULL


def test_without_the_guard_it_does(hand_in, right, monkeypatch):
    def tags_stay(cells, say):
        for cell in cells:
            cell.metadata.setdefault("tags", [])

    clean = intake._cell

    def with_tags(data):
        cell = clean(data)
        cell.metadata["tags"] = data["metadata"].get("tags", [])
        return cell

    monkeypatch.setattr("autograder.submissions.repair.take_metadata", tags_stay)
    monkeypatch.setattr(intake, "_cell", with_tags)
    right.cells[0].metadata["tags"] = ["skip-execution"]
    assert scores(hand_in(right)) != FULL


NONSENSE = """
    from ipykernel.kernelapp import IPKernelApp

    kernel = IPKernelApp.instance().kernel
    for kind in ("stream", "display_data", "error", "status", "comm_open", "clear_output", "what"):
        for content in ({}, {"name": 3, "text": [1]}, {"data": 3, "metadata": None}):
            kernel.session.send(
                kernel.iopub_socket, kind, content, parent=kernel.get_parent(), ident=b"x"
            )
"""


def test_messages_that_make_no_sense_harm_nobody(hand_in, right):
    assert scores(hand_in(put(right, NONSENSE))) == FULL


# ---------------------------------------------------------------- nothing is lost


def test_a_cell_that_is_deaf_and_never_ends_costs_only_itself(hand_in, right):
    put(right, "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
    graded = hand_in(right)
    assert scores(graded) == FULL
    told = [out for out in own_outputs(graded) if out.output_type == "error"]
    assert any("Time ran out" in out.evalue for out in told)


def test_what_stood_above_an_endless_loop_counts(hand_in, right):
    """The loop is interrupted; the function that its cell had defined before is there."""
    cell_of(right, "gates").source += "\nwhile True:\n    pass\n"
    assert scores(hand_in(right)) == FULL


def test_answers_that_never_end_cost_only_their_exercises(hand_in, right):
    deaf = "try:\n            while True: pass\n        except BaseException: pass"
    cell_of(right, "add_mul").source = f"def add_mul(x, y, z):\n    while True:\n        {deaf}"
    cell_of(right, "gates").source = "def d_exp(x):\n    while True: pass\n\nd_scale = d_exp"
    graded = hand_in(right)
    assert scores(graded) == {"add_mul": 0.0, "gates": 0.0, "sigmoid_neuron": 4.0}


def test_time_gets_short_for_those_who_waste_it():
    """Six endless loops take seconds: the time-outs of one notebook add up to less than 30."""
    step = JudgedExecute()
    clock = Clock(float("inf"))
    waited = []
    for _ in range(6):
        waited.append(clock.allows(step.timeout))
        clock.note_timeout()
    assert waited == [10, 5, 2.5, 2, 2, 2]
    used_up = Clock(0.0)
    assert used_up.allows(step.timeout) == 1
    assert used_up.allows(0.5) == 0.5


def test_when_time_is_used_up_only_the_lessons_cells_are_run(hand_in, right):
    put(right, "print('an experiment')", 3)
    graded = hand_in(right, notebook_seconds=0.0)
    assert scores(graded) == FULL
    outputs = own_outputs(graded)
    assert not [out for out in outputs if "experiment" in out.get("text", "")]
    assert any("used up" in out.get("evalue", "") for out in outputs)


def test_what_one_cell_left_behind_does_not_kill_the_others(hand_in, right):
    """The kit is patched so that every call of the tests ends Python; the last try goes without."""
    put(
        right,
        """
        import os
        import backprop_kit.checking.observe

        backprop_kit.checking.observe.observe = lambda *args: os._exit(1)
        """,
    )
    assert scores(hand_in(right)) == FULL


FLOOD = """
    import sys

    for _ in range(400):
        sys.stdout.write("x" * 10_000)
        sys.stdout.flush()
        print("y", file=sys.stderr, flush=True)
"""


def test_a_flood_of_output_is_cut_and_costs_nothing(hand_in, right):
    cell_of(right, "gates").source += textwrap.dedent(FLOOD)
    graded = hand_in(right, output_bytes=100_000, timeout=20)
    assert scores(graded) == FULL
    assert len(nbformat.writes(graded.notebook)) < 200_000


def test_output_is_dropped_while_it_comes_in():
    """What is kept of a cell stays bounded, whatever comes: many outputs, and updates of them."""

    def message(kind, **content):
        header = {"msg_type": kind}
        return {"msg_type": kind, "header": header, "parent_header": {}, "content": content}

    step = JudgedExecute(output_bytes=10_000, output_count=20)
    step.nb = nbformat.v4.new_notebook(cells=[new_code_cell("")])
    (cell,) = step.nb.cells
    step._bytes = 0
    step.reset_execution_trackers()
    step.clear_before_next_output = False
    for _ in range(100):
        bundle = {"text/plain": "x" * 10}
        shown = message("display_data", data=bundle, metadata={}, transient={"display_id": "d"})
        step.process_message(shown, cell, 0)
    assert len(cell.outputs) == 20
    for size in (10**4, 10**5, 10**6, 10**7):
        bundle = {"text/plain": "x" * size}
        update = message(
            "update_display_data", data=bundle, metadata={}, transient={"display_id": "d"}
        )
        step.process_message(update, cell, 0)
    assert len(json.dumps(cell.outputs)) < 20_000

    cell.outputs, step._bytes = [], 0
    for _ in range(1000):
        step.process_message(message("stream", name="stdout", text="x" * 1000), cell, 0)
    assert len(json.dumps(cell.outputs)) < 20_000
    assert "cut here" in cell.outputs[0].text


def test_a_message_beyond_all_bounds_is_not_taken(hand_in, right):
    """One print of more than the limit: the message is refused at the socket, and that is all."""
    put(right, "print('x' * 3_000_000)", 3)
    graded = hand_in(right, message_bytes=1_000_000)
    assert scores(graded) == FULL
    assert len(nbformat.writes(graded.notebook)) < 500_000


# ---------------------------------------------------------------- writing it down


def outcome(lesson, points, digest="first"):
    """As if a submission had been graded: every exercise with these points."""
    verdicts = {
        id: {"exercise": id, "score": points, "max": 2.0, "cause": None, "message": "As it is."}
        for id in lesson.exercises()
    }
    notebook = nbformat.read(lesson.release, as_version=4)
    return Graded(Submission("ada", digest=digest), notebook, verdicts)


def by_hand(lesson, id, **values):
    """What a person enters in formgrader."""
    with gradebook(lesson.course) as opened:
        grade = opened.find_grade(f"test_{id}", NAME, LESSON, "ada")
        for name, value in values.items():
            setattr(grade, name, value)
        opened.db.commit()


def row(lesson, id):
    with gradebook(lesson.course) as opened:
        found = opened.find_grade(f"test_{id}", NAME, LESSON, "ada")
        return found.score, found.needs_manual_grade


def test_points_by_hand_stay_for_the_same_file(small):
    enter(small, "ada", outcome(small, 1.0))
    by_hand(small, "gates", manual_score=1.5, extra_credit=0.25, needs_manual_grade=False)
    mark = enter(small, "ada", outcome(small, 1.0))
    assert mark.exercises["gates"]["score"] == 1.75
    assert row(small, "gates") == (1.75, False)
    assert mark.flags == []


def test_a_new_file_is_marked_afresh_and_what_went_is_told(small):
    enter(small, "ada", outcome(small, 1.0))
    by_hand(small, "gates", manual_score=1.5, extra_credit=0.25)
    mark = enter(small, "ada", outcome(small, 0.5, "second"))
    assert mark.exercises["gates"]["score"] == 0.5
    assert row(small, "gates") == (0.5, True)
    (flag,) = mark.flags
    assert "1.5 points and 0.25 points extra" in flag
    again = enter(small, "ada", outcome(small, 0.5, "second"))
    assert again.flags == [flag], "until the next file, whoever looks is told"


def test_an_unknown_file_keeps_points_by_hand_and_asks(small):
    """Graded by nbgrader alone before: which file the person saw is not known."""
    enter(small, "ada", outcome(small, 1.0))
    by_hand(small, "gates", manual_score=1.5)
    mark_file(small, "ada").unlink()
    mark = enter(small, "ada", outcome(small, 1.0))
    assert mark.exercises["gates"]["score"] == 1.5
    assert row(small, "gates") == (1.5, True)
    assert "please look" in mark.flags[0]


def test_a_new_file_that_cannot_be_graded_keeps_nothing(small):
    enter(small, "ada", outcome(small, 2.0))
    by_hand(small, "gates", manual_score=2.0)
    failed = Graded(Submission("ada", digest="second"), problem="the file is empty")
    mark = enter(small, "ada", failed)
    assert (mark.score, mark.flags[0]) == (0.0, "the file is empty")
    assert "2 points" in mark.flags[1]
    with gradebook(small.course) as opened:
        submission = opened.find_submission(LESSON, "ada")
        assert (submission.score, submission.needs_manual_grade) == (0.0, True)
    assert not small.autograded("ada").exists()


def test_a_file_handed_in_since_is_noticed(small, released):
    path = small.submission("ada")
    path.parent.mkdir(parents=True)
    path.write_bytes(released.read_bytes())
    enter(small, "ada", outcome(small, 2.0, handed_in(small, "ada").digest))
    (page,) = write_feedback(small)
    assert "handed in another file since" not in page.path.read_text(encoding="utf-8")
    path.write_bytes(released.read_bytes() + b"\n")
    (page,) = write_feedback(small)
    assert "handed in another file since" in page.path.read_text(encoding="utf-8")


LATE = """
from nbgrader.plugins import BasePlugin


class Quarter(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score / 4


c.AssignLatePenalties.plugin_class = Quarter
"""


def test_lateness_is_told_wherever_marks_are(small, run):
    """In the table, --json, the mark's file, the CSV and the page, and in nbgrader's own export."""
    config = small.course.path / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + LATE, encoding="utf-8")
    with gradebook(small.course) as opened:
        opened.find_assignment(LESSON).duedate = datetime.datetime(2026, 1, 1, 12)
        opened.db.commit()
    entered = []
    for student, day in {"early": 1, "late": 3, "later": 4}.items():
        sent = Submission(student, digest=student, timestamp=datetime.datetime(2026, 1, day, 12))
        graded = replace(outcome(small, 1.0, student), submission=sent)
        entered.append(enter(small, student, graded))
    marks = load_marks(small.course)[LESSON]
    told = {
        who: [mark[key] for key in ("raw_score", "late_seconds", "late_penalty", "score")]
        for who, mark in marks.items()
    }
    day = 86400.0
    assert told == {"early": [8, 0, 0, 8], "late": [8, 2 * day, 2, 6], "later": [8, 3 * day, 2, 6]}

    unreadable = Graded(replace(sent, digest=""), problem="cannot be read")
    again = enter(small, "later", unreadable)
    assert (again.score, again.penalty, again.late) == (0, 0, 3 * day), "no penalty stays"
    with gradebook(small.course) as opened:  # as its reader is told to: a person gives points
        opened.find_grade("test_gates", NAME, LESSON, "later").manual_score = 2.0
        opened.db.commit()
    again = enter(small, "later", unreadable)
    assert (again.raw, again.penalty, again.score) == (2, 0.5, 1.5)

    table = marks_table(small, entered)
    (line,) = [line for line in table.splitlines() if line.startswith("late ")]
    assert "6/18" in line
    assert "2 days late: −2 points" in line
    assert "late:" not in next(line for line in table.splitlines() if line.startswith("early"))

    assert run("--course", small.course.path, "export").status == 0
    with open(small.course.path / "marks.csv", newline="", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    columns = ("raw_score", "late_seconds", "late_penalty", "score")
    assert [float(rows["late"][f"{LESSON}:{name}"]) for name in columns] == told["late"]
    assert [float(rows["later"][f"{LESSON}:{name}"]) for name in columns] == [2, 3 * day, 0.5, 1.5]

    own = subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", "--to", "own.csv"],
        cwd=small.course.path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert own.returncode == 0, own.stderr
    with open(small.course.path / "own.csv", newline="", encoding="utf-8") as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert theirs == {who: float(rows[who][f"{LESSON}:score"]) for who in theirs}

    pages = {page.student: page.path.read_text(encoding="utf-8") for page in write_feedback(small)}
    assert "6 of 18 points" in pages["late"]
    assert "2 points were taken off for lateness." in pages["late"]
    assert "lateness" not in pages["early"]


def test_a_locked_gradebook_stops_the_run_with_a_sentence(small, monkeypatch):
    from sqlalchemy.exc import OperationalError

    @contextlib.contextmanager
    def locked(course, nbgrader):
        raise OperationalError("", {}, Exception("database is locked"))
        yield

    small.submission("ada").parent.mkdir(parents=True)
    monkeypatch.setattr(grading_run, "gradebook", locked)
    with pytest.raises(CourseError, match=r"database is locked.*run this again"):
        grade_class(small, ["ada"])


def test_a_machine_without_a_kernel_is_nobodys_zero(hand_in, right, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(NotebookClient, "start_new_kernel", fails)
    with pytest.raises(CourseError, match="no kernel could be started here"):
        hand_in(right)


def test_the_courses_own_mistakes_are_nobodys_zero(small, monkeypatch):
    def broken():
        raise ValueError("aspect without parts")

    monkeypatch.setattr(grading_run.hidden, "load", broken)
    with pytest.raises(ValueError, match="aspect without parts"):
        grade_class(small)
    assert load_marks(small.course) == {}


# ---------------------------------------------------------------- killed, and run again

KILLED = """
import os, signal, sys

wanted, path, count = sys.argv[1:4]
seen = 0


def watch(event, args):
    global seen
    if event == wanted and path in " ".join(str(arg) for arg in args):
        seen += 1
        if seen == int(count):
            os.kill(os.getpid(), signal.SIGKILL)


from autograder.course import Course
from autograder.grading import grade_class

sys.addaudithook(watch)
grade_class(Course(sys.argv[4]).lessons(["01"])[0])
"""


@pytest.fixture(scope="module")
def class_of_three(fresh, tmp_path_factory):
    """A course in which three have handed in, one of them a notebook, and have been graded."""
    from helpers import SEED

    course = with_gradebook(fresh, tmp_path_factory.mktemp("three"))
    config = course.path / "nbgrader_config.py"
    extra = f"c.JudgedExecute.seed = {SEED}\n"
    config.write_text(config.read_text(encoding="utf-8") + extra, encoding="utf-8")
    lesson = course.lessons([LESSON])[0]
    notebook = lean(answered(lesson, lesson.reference()))
    for student, text in (("ada", "x"), ("ben", nbformat.writes(notebook)), ("chiara", "")):
        path = lesson.submission(student)
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    grade_class(lesson)
    return lesson


def everything(lesson):
    """All that grading has written, without what differs from run to run."""
    with gradebook(lesson.course) as opened:
        rows = sorted(
            (grade.student.id, grade.name, grade.auto_score, grade.score, grade.needs_manual_grade)
            for submission in opened.find_assignment(lesson.id).submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        )
    files = sorted(
        str(path.relative_to(lesson.course.path))
        for path in (lesson.course.path / "autograded").rglob("*")
    )
    graded = nbformat.read(lesson.autograded("ben"), as_version=4)
    outputs = [cell.outputs for cell in graded.cells if is_test(cell)]
    return load_marks(lesson.course), rows, files, outputs


@pytest.mark.parametrize(
    ("event", "path", "count"),
    [
        ("os.rename", ".mark.json", 1),  # before anything was written
        ("subprocess.Popen", "ipykernel", 1),  # the second submission is about to be run
        ("sqlite3.connect", "", 3),  # in the middle of entering
        ("shutil.rmtree", "autograded/ben", 1),  # rows entered, files not
        ("os.rename", ".mark.json", 4),  # all but the mark itself
    ],
)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL needs a POSIX system")
def test_killed_at_any_moment_a_second_run_mends_all(
    class_of_three, fresh, tmp_path, event, path, count
):
    import shutil

    course = with_gradebook(fresh, tmp_path)
    lesson = course.lessons([LESSON])[0]
    shutil.copytree(class_of_three.course.path / "submitted", course.path / "submitted")
    shutil.copy(class_of_three.course.path / "nbgrader_config.py", course.path)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, event, path, str(count), str(course.path)],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert killed.returncode == -9, f"it was never reached: {killed.stderr}"
    for student, mark in load_marks(course).get(LESSON, {}).items():
        whole = lesson.autograded(student).is_file() or mark["flags"]
        assert whole, "what is told as finished is finished"
        if INTERRUPTED in mark["flags"]:
            write_feedback(lesson, [student])
            assert not lesson.feedback(student).exists()
    grade_class(lesson)
    assert everything(lesson) == everything(class_of_three)
    grade_class(lesson, ["ada"])
    assert everything(lesson) == everything(class_of_three), "nothing counts twice"


def test_points_by_hand_survive_being_told_of_when_the_grader_is_killed(small, monkeypatch):
    """Taken off in the gradebook, and killed before the mark says so: the next run still does."""
    enter(small, "ada", outcome(small, 1.0))
    by_hand(small, "gates", manual_score=1.5)

    class Killed(BaseException):
        pass

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(entering, "write_whole", _fails_for(small.autograded("ada"), killed))
        with pytest.raises(Killed):
            enter(small, "ada", outcome(small, 0.5, "second"))
    assert load_marks(small.course)[LESSON]["ada"]["flags"] == [INTERRUPTED]
    mark = enter(small, "ada", outcome(small, 0.5, "second"))
    assert mark.exercises["gates"]["score"] == 0.5
    assert "1.5 points" in mark.flags[0]


def _fails_for(path, fails):
    write = entering.write_whole
    return lambda where, text: fails() if where == path else write(where, text)


def test_a_graded_notebook_does_not_change_what_was_handed_in(hand_in, right, short):
    before = (copy.deepcopy(right), copy.deepcopy(short))
    hand_in(right)
    assert (right, short) == before
