"""Who may import whom: the contracts in pyproject.toml, and that each of them can be broken.

`make lint` holds the packages to them. Here a forbidden import is planted for each contract, in a
copy of the packages, to see that it is found.
"""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from autograder.course import ROOT

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
CONTRACTS = [contract["name"] for contract in SETTINGS["importlinter"]["contracts"]]

# (contract, module, what is planted in it, what the contract then finds)
PLANTED = [
    (
        "The kit's rooms, from top to bottom",
        "backprop_kit/engine/ops.py",
        "from backprop_kit.checking import causes",
        "backprop_kit.engine is not allowed to import backprop_kit.checking",
    ),
    (
        "The kit's rooms, from top to bottom",
        "backprop_kit/checking/causes.py",
        "from backprop_kit.pictures import layout",
        "backprop_kit.checking is not allowed to import backprop_kit.pictures",
    ),
    (
        "The kit's rooms, from top to bottom",
        "backprop_kit/checking/causes.py",
        "from backprop_kit import exercises",
        "backprop_kit.checking is not allowed to import backprop_kit.exercises",
    ),
    (
        "The engine needs NumPy alone",
        "backprop_kit/engine/layers.py",
        "def show():\n    import matplotlib.pyplot",
        "backprop_kit.engine.layers -> matplotlib",
    ),
    (
        "Students never need the autograder",
        "backprop_kit/display.py",
        "import autograder.interpreter",
        "backprop_kit.display -> autograder.interpreter",
    ),
    (
        "The autograder's doors and rooms, from top to bottom",
        "autograder/judging/verdict.py",
        "from autograder.running import Trials",
        "autograder.judging is not allowed to import autograder.running",
    ),
    (
        "The autograder's doors and rooms, from top to bottom",
        "autograder/submissions/cells.py",
        "from autograder.judging import hidden",
        "autograder.submissions is not allowed to import autograder.judging",
    ),
    (
        "The autograder's doors and rooms, from top to bottom",
        "autograder/shed.py",  # a module that no layer names
        "import os",
        "- autograder.shed",
    ),
    (
        "Who judges starts no process",
        "autograder/judging/plan.py",
        "import subprocess",
        "autograder.judging.plan -> subprocess",
    ),
    (
        "nbgrader is met where its own steps run",
        "autograder/running/trial.py",
        "import nbgrader.api",
        "autograder.running.trial -> nbgrader",
    ),
    *(
        (
            f"{room} has one door",
            "autograder/cli.py",
            f"import autograder.{room}.{module}",
            f"autograder.cli -> autograder.{room}.{module}",
        )
        for room, module in {
            "course": "lessons",
            "submissions": "cells",
            "judging": "verdict",
            "running": "trial",
            "grading": "marks",
            "reporting": "tables",
            "rehearsal": "demo",
        }.items()
    ),
]


def copied(folder):
    """A copy of the two packages and their settings."""
    for package in ("backprop_kit", "autograder"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def linted(folder):
    """What import-linter says in this folder: (exit status, words, spaces made single)."""
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    ran = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache", "--no-logo"],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
    )
    return ran.returncode, " ".join(ran.stdout.split())


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """What is said when every contract has been broken at once."""
    folder = copied(tmp_path_factory.mktemp("broken"))
    for _, module, statement, _ in PLANTED:
        with open(folder / module, "a", encoding="utf-8") as file:
            file.write(f"\n{statement}\n")
    return linted(folder)


def test_the_packages_as_they_are_keep_all_contracts(tmp_path):
    status, said = linted(copied(tmp_path))
    assert status == 0, said
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said


@pytest.mark.parametrize(("contract", "module", "statement", "finding"), PLANTED)
def test_a_forbidden_import_is_found(broken, contract, module, statement, finding):
    status, said = broken
    assert status == 1
    assert f"{contract} BROKEN" in said
    assert finding in said


def test_every_contract_has_been_broken_once():
    assert {contract for contract, *_ in PLANTED} == set(CONTRACTS)


def test_every_room_has_its_contract():
    rooms = {path.parent.name for path in (ROOT / "autograder").glob("*/__init__.py")}
    assert {f"{room} has one door" for room in rooms} <= set(CONTRACTS)
