"""What is run before a commit is make's target, as by hand."""

import re
import subprocess

import yaml

from autograder.course import ROOT


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
    ran = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  make (\S+)", ran.stdout, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert sorted(listed) == sorted(phony.split()) == sorted(recipes())
    groups = re.findall(r"^#@ (.*)$", makefile, re.MULTILINE)
    assert re.findall(r"^\w.*$", ran.stdout, re.MULTILINE) == groups
