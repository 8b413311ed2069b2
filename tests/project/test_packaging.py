"""What `pip install .` gives a student: the kit, all of it, and nothing of the answers.

The students' repository is made as the README says, and installed as a student does it: from its
folder, and from git with the words of the setup cell. Then notebooks are run with what came of it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from helpers import said, solution_region, tracked_files
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient

import backprop_kit
from autograder.course import ROOT, Course, reference_solutions
from autograder.course.lessons import settings


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, opened."""
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as opened:
        yield opened


def test_the_wheel_holds_the_kit_and_nothing_else(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"backprop_kit"}


def test_the_wheel_holds_every_module_of_the_kit(wheel):
    modules = {
        str(path.relative_to(ROOT)).replace("\\", "/")
        for path in (ROOT / "backprop_kit").rglob("*.py")
    }
    assert modules <= set(wheel.namelist())


def test_the_wheel_tells_editors_that_it_is_typed(wheel):
    assert "backprop_kit/py.typed" in wheel.namelist()


def test_the_wheel_holds_no_answer(wheel):
    lines = {
        line.strip()
        for source in reference_solutions().values()
        for line in solution_region(source).splitlines()
        if line.strip().startswith(("df_", "dloss_", "return {", "w = w -"))
        and not line.strip().endswith(("1.0", "= z", "= q", "= y", "= x"))
    }
    assert len(lines) > 15
    for name in wheel.namelist():
        text = wheel.read(name).decode("utf-8", errors="replace")
        assert "autograder" not in name
        assert "SOLUTION" not in text
        assert not [line for line in lines if line in text], name


def test_the_wheel_has_its_version_and_licence(wheel):
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    about = wheel.read(name).decode()
    assert f"Version: {backprop_kit.__version__}" in about
    assert "Requires-Python: " in about
    assert "License-Expression: MIT" in about
    assert any("LICENSE" in name for name in wheel.namelist())


def test_the_wheel_has_no_command_and_no_plug_in(wheel):
    """They would be the instructor's, and could only fail."""
    assert [name for name in wheel.namelist() if name.endswith("entry_points.txt")] == []


# ---------------------------------------------------------------- the students' repository

FOR_STUDENTS = ("backprop_kit/", "course/release/", "pyproject.toml", "README.md")


@pytest.fixture(scope="module")
def students_repository(tmp_path_factory):
    """What the README names, and no more: even the LICENSE is forgotten. In git, as on GitHub."""
    where = tmp_path_factory.mktemp("github") / settings()["repository"]
    for path in tracked_files():
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(FOR_STUDENTS):
            (where / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, where / name)
    git = ["git", "-C", where, "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for step in (["init", "-b", settings()["branch"]], ["add", "."], ["commit", "-m", "x"]):
        subprocess.run([*git, *step], check=True, capture_output=True)
    return where


def from_its_folder(repository):
    """(what pip is given, environment variables for it)."""
    return ".", {}


def from_git(repository):
    """The same, in the words of the setup cell; git is told that GitHub is this folder."""
    cells = Course().lessons(["01"])[0].read().cells
    (address,) = re.findall(r'%pip install --quiet "(.+)"', "\n".join(c.source for c in cells))
    github = {"KEY": f"url.{repository.parents[1].as_uri()}/.insteadOf", "VALUE": GITHUB}
    return address, {"GIT_CONFIG_COUNT": "1", **{f"GIT_CONFIG_{k}_0": github[k] for k in github}}


GITHUB = "https://github.com/"


@pytest.fixture(scope="module", params=[from_its_folder, from_git], ids=lambda way: way.__name__)
def student(request, students_repository, tmp_path_factory):
    """The Python of a student who has installed the course beside NumPy and Jupyter."""
    pytest.importorskip("pip", reason="pip is not in this environment")
    folder = tmp_path_factory.mktemp("student")
    venv.create(folder)
    paths = sysconfig.get_paths("venv", {"base": str(folder), "platbase": str(folder)})
    # All that is installed here, but for what is installed in place: that takes a .pth file, and
    # those are not read there.
    beside = Path(paths["purelib"], "beside.pth")
    beside.write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    python = Path(paths["scripts"], Path(sys.executable).name)
    what, variables = request.param(students_repository)
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--ignore-installed"]
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *offline, what],
        cwd=students_repository,
        env={**os.environ, "PYTHONPATH": "", **variables},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return python


def test_students_install_the_kit_and_nothing_that_could_only_fail(student):
    look = (
        "import backprop_kit, importlib.metadata as m, json; d = m.distribution('backprop-course');"
        "print(json.dumps([backprop_kit.__file__, d.version, [e.name for e in d.entry_points]]))"
    )
    environment = {**os.environ, "PYTHONPATH": ""}
    said = subprocess.run(
        [student, "-I", "-c", look], env=environment, capture_output=True, text=True, check=True
    )
    file, version, entry_points = json.loads(said.stdout)
    assert Path(file).is_relative_to(student.parents[1])
    assert version == backprop_kit.__version__
    assert entry_points == []
    assert [path.name for path in student.parent.iterdir() if "autograder" in path.name] == []


@pytest.mark.parametrize(
    ("lesson", "words"),
    [("00_start_here", "Everything is there."), ("01_scalar_graphs", "not written yet")],
)
def test_the_students_notebooks_run_with_what_was_installed(
    student, students_repository, lesson, words, tmp_path
):
    (path,) = (students_repository / "course" / "release" / lesson).glob("*.ipynb")
    argv = [str(student), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "student", "env": {"PYTHONPATH": ""}}
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    kernels = KernelSpecManager(kernel_dirs=[str(tmp_path)], ensure_native_kernel=False)
    kernel = AsyncKernelManager(kernel_name="student", kernel_spec_manager=kernels)
    notebook = nbformat.read(path, as_version=4)
    where = "import backprop_kit, sys\nprint(sys.executable, backprop_kit.__file__)"
    notebook.cells.append(nbformat.v4.new_code_cell(where))
    NotebookClient(
        notebook, kernel, timeout=120, resources={"metadata": {"path": str(path.parent)}}
    ).execute(cleanup_kc=True)  # an error in a cell ends it: a blank lesson runs without one
    assert words in said(notebook)
    for file in notebook.cells[-1].outputs[0].text.split():
        assert Path(file).is_relative_to(student.parents[1])


# ---------------------------------------------------------------- what an import brings


def imported_by(statement):
    """The top-level modules that a fresh Python has after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


HEAVY = {"matplotlib", "ipywidgets", "IPython", "scipy", "pandas", "autograder", "nbgrader"}


@pytest.mark.parametrize(
    "statement",
    [
        "import backprop_kit",
        "from backprop_kit import Tensor, check",
        "import autograder.judging.probe",
        "import autograder.cli",
    ],
)
def test_importing_the_kit_brings_nothing_heavy(statement):
    allowed = {"autograder"} if "autograder" in statement else set()
    assert not imported_by(statement) & (HEAVY - allowed)


def test_the_test_of_imports_can_fail():
    assert "IPython" in imported_by("import IPython") & HEAVY


def test_both_ways_to_start_the_command_line():
    file = ROOT / "autograder" / "pyproject.toml"
    scripts = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    assert scripts["scripts"]["autograder"] == "autograder.cli:main"
    said = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert said.returncode == 0
    assert said.stdout.startswith("usage: autograder")
