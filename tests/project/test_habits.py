"""What is run before a commit, and where the code is shared, are make's targets, as by hand."""

import re
import subprocess
import sys
import tomllib
import warnings

import pytest
import yaml

from autograder.course import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"


def recipes():
    """{target: (what it needs, its help, its lines)} of the Makefile."""
    found = {}
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z-]+):([^#=]*)(?:## (.*))?$", line):
            name, needs, said = match.groups()
            found[name] = needs.split(), said, []
        elif line.startswith("\t") and found:
            found[name][2].append(line.strip().removeprefix("@"))
    return found


def tools(lines):
    return [line.removeprefix("$(BIN)/").split()[0] for line in lines]


def test_lint_looks_at_style_imports_and_types():
    _, _, lines = recipes()["lint"]
    assert tools(lines) == ["ruff", "ruff", "lint-imports", "mypy"]


def test_the_tests_begin_with_lint():
    needs, _, _ = recipes()["test"]
    assert "lint" in needs


def test_a_commit_begins_with_lint():
    """One hook that calls make, so that the two cannot drift apart."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = config["repos"]
    (hook,) = repo["hooks"]
    assert (repo["repo"], hook["entry"], hook["language"]) == ("local", "make lint", "system")
    assert hook["always_run"]
    assert not hook["pass_filenames"]


def test_help_lists_every_target():
    ran = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    listed = re.findall(r"^  make (\S+)", ran.stdout, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert sorted(listed) == sorted(phony.split()) == sorted(recipes())
    groups = re.findall(r"^#@ (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^\w.*$", ran.stdout, re.MULTILINE) == groups


def test_a_warning_is_an_error():
    with pytest.raises(UserWarning, match="loud"):
        warnings.warn("loud", stacklevel=1)


# ---------------------------------------------------------------- the workflow


def complaints(path):
    """What is wrong with a GitHub workflow by its schema, which check-jsonschema has brought."""
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    return ran.stdout if ran.returncode else ""


def test_the_workflow_is_one():
    assert complaints(WORKFLOW) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("runs-on: ubuntu", "run-on: ubuntu"),
        ("steps:\n", "stepps:\n"),
        ("fail-fast: false", "x: 1"),
    ],
)
def test_a_wrong_workflow_is_found(right, wrong, tmp_path):
    text = WORKFLOW.read_text(encoding="utf-8")
    assert right in text
    path = tmp_path / "tests.yml"
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    assert "Schema validation errors" in complaints(path)


@pytest.fixture
def jobs():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]


def test_the_workflow_runs_what_a_developer_runs(jobs):
    for target, job in jobs.items():
        assert target in recipes()
        assert job["steps"][-1]["run"] == f"make {target} PYTHON=python"


def test_the_workflow_runs_on_every_system_and_python(jobs):
    matrix = jobs["test"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["os"]] == ["ubuntu", "macos", "windows"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [text.split()[-1] for text in project["classifiers"] if "Python :: 3." in text]
    assert matrix["python"] == named
    on_linux = [step["run"] for step in jobs["test"]["steps"] if "Linux" in step.get("if", "")]
    assert "bubblewrap" in on_linux[0]
