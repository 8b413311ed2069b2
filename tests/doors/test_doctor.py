"""`autograder doctor`: what it finds, and that it would find what is missing."""

import json
import shutil
import sys
from dataclasses import replace

import pytest

from autograder import doctor
from autograder.course import ROOT, Course
from autograder.doctor import BAD, OK, WARNING, examine, report
from autograder.rehearsal import make_course
from autograder.running import sandbox
from autograder.running.sandbox import Limits, Policy

needs_sandbox = pytest.mark.skipif(sandbox.hindrance() is not None, reason=str(sandbox.hindrance()))


@pytest.fixture(scope="module")
def found():
    """{name: finding} on this machine, for the course of the repository."""
    return {finding.name: finding for finding in examine()}


@pytest.fixture
def course(tmp_path):
    """A course with a configuration of its own."""
    return make_course(tmp_path / "course")


def findings(folder):
    """{name: finding} without the attempts, which take their time."""
    return {finding.name: finding for finding in doctor._wiring(Course(folder))["findings"]}


def test_grading_works_on_the_machine_that_runs_the_tests(found):
    assert {name: each.text for name, each in found.items() if each.fatal} == {}


@needs_sandbox
def test_every_attempt_was_made_and_stopped(found):
    for name in [*doctor.ATTEMPTS, "outlive the kernel"]:
        assert (found[name].state, found[name].group) == (OK, "Student code")


def test_every_finding_that_is_not_well_says_what_to_do(found):
    for finding in found.values():
        assert finding.text
        assert finding.state == OK or finding.mend


@needs_sandbox
def test_a_guard_that_is_off_would_be_found(monkeypatch):
    """The doctor tries under the policy that grading uses: with a hole in it, it says so."""
    monkeypatch.setattr(doctor, "Policy", lambda **options: Policy(network=True, **options))
    config = {"mode": "auto", "limits": Limits(memory=None)}
    seen = {finding.name: finding.state for finding in doctor._guards(Course(), config)}
    assert {name for name, state in seen.items() if state != OK} == {"network", "any memory"}


def test_without_bubblewrap_it_warns_and_where_it_is_required_grading_cannot_work(monkeypatch):
    monkeypatch.setattr(sandbox, "hindrance", lambda: "bubblewrap is not here.")
    monkeypatch.setattr(doctor, "ATTEMPTS", {"network": doctor.ATTEMPTS["network"]})
    for mode, state in (("auto", WARNING), ("require", BAD)):
        config = {"mode": mode, "limits": Limits()}
        seen = {each.name: each for each in doctor._guards(Course(), config)}
        assert seen["sandbox"].state == state
        assert "bubblewrap is not here" in seen["sandbox"].text
        assert (seen["network"].state, seen["network"].mend) == (WARNING, "see the first line")
        assert seen["outlive the kernel"].state == WARNING
    (off,) = doctor._guards(Course(), {"mode": "off"})
    assert off.state == WARNING


def test_steps_that_are_not_named_are_found(course):
    config = course.path / "nbgrader_config.py"
    config.write_text("c = get_config()\n", encoding="utf-8")
    seen = findings(course.path)
    for step in ("RepairSubmission", "JudgedExecute", "FeedbackPage"):
        assert seen[step].fatal
        assert "name it there" in seen[step].mend


def test_a_configuration_that_cannot_be_read_is_found(course):
    (course.path / "nbgrader_config.py").write_text("c = \n", encoding="utf-8")
    (finding,) = findings(course.path).values()
    assert finding.fatal
    assert "SyntaxError" in finding.text


def test_the_configured_sandbox_is_read(course):
    with open(course.path / "nbgrader_config.py", "a", encoding="utf-8") as file:
        file.write('c.JudgedExecute.sandbox = "require"\n')
        file.write('c.SandboxProvisioner.limits = {"processes": 7}\n')
    read = doctor._wiring(course)
    assert (read["mode"], read["limits"]) == ("require", Limits(processes=7))


def test_a_damaged_gradebook_is_found(course):
    assert findings(course.path)["gradebook.db"].state == OK
    (course.path / "gradebook.db").write_text("not a database" * 100, encoding="utf-8")
    assert findings(course.path)["gradebook.db"].fatal


def test_a_missing_entry_point_and_alembic_are_found(course, monkeypatch):
    monkeypatch.setattr(doctor.importlib.metadata, "entry_points", lambda **which: ())
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    seen = findings(course.path)
    assert seen["provisioner"].fatal
    assert seen["alembic"].fatal
    assert seen["alembic"].mend == "make setup"


def test_versions_that_do_not_fit_are_found(monkeypatch):
    def version(name):
        if name == "nbgrader":
            raise doctor.importlib.metadata.PackageNotFoundError
        return "0.1"

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    seen = {finding.name: finding for finding in doctor._versions()}
    assert seen["nbgrader"].text == "not installed"
    assert "this needs" in seen["numpy"].text
    assert seen["numpy"].fatal
    assert seen["Python"].state == OK


def test_a_kernel_of_another_python_is_found(tmp_path, monkeypatch):
    other = tmp_path / "kernels" / "python3"
    other.mkdir(parents=True)
    program = tmp_path / "python"
    shutil.copy(ROOT / "pyproject.toml", program)
    program.chmod(0o755)
    for argv, state in (([str(program)], BAD), ([sys.executable], OK), (["python"], OK)):
        spec = {"argv": [*argv, "-f", "{connection_file}"], "display_name": "x", "language": "y"}
        (other / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
        (finding,) = doctor._kernels()
        assert finding.state == state, argv


def test_a_full_disk_is_found(monkeypatch):
    for free, state in ((50e6, BAD), (500e6, WARNING), (50e9, OK)):
        usage = type("Usage", (), {"free": free})
        monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path, usage=usage: usage)
        assert {finding.state for finding in doctor._disk(Course())} == {state}


def test_the_command_says_it_all_and_ends_accordingly(run, found, monkeypatch):
    listed = list(found.values())
    monkeypatch.setattr(doctor, "examine", lambda folder: listed)
    said = run("doctor")
    assert said.status == 0
    assert "Grading works here" in said.out
    for name in found:
        assert name in said.out
    listed.append(replace(listed[0], state=BAD, mend="do this"))
    said = run("doctor")
    assert said.status == 1
    assert "Grading cannot work here: 1 to mend" in said.out
    assert "→ do this" in said.out
    said = run("doctor", "--json")
    assert said.status == 1
    read = json.loads(said.out)
    assert read["ok"] is False
    assert len(read["findings"]) == len(listed)


def test_the_report_needs_no_colours_and_ends_with_a_sum(found):
    last = report(list(found.values())).splitlines()[-1]
    assert last.startswith("Grading works here: 0 to mend")
