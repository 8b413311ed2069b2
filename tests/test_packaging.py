"""What `pip install .` gives a student: the kit, all of it, and nothing of the answers."""

import subprocess
import sys
import zipfile

import pytest
from conftest import solution_region

from autograder.course import ROOT, reference_solutions


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
    import backprop_kit

    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    about = wheel.read(name).decode()
    assert f"Version: {backprop_kit.__version__}" in about
    assert "Requires-Python: " in about
    assert any("LICENSE" in name for name in wheel.namelist())


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
        "import autograder.probe",
    ],
)
def test_importing_the_kit_brings_nothing_heavy(statement):
    allowed = {"autograder"} if "probe" in statement else set()
    assert not imported_by(statement) & (HEAVY - allowed)


def test_the_test_of_imports_can_fail():
    assert "IPython" in imported_by("import IPython") & HEAVY


def test_the_kit_never_imports_the_autograder():
    for path in (ROOT / "backprop_kit").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import autograder" not in text
        assert "from autograder" not in text


def test_both_ways_to_start_the_command_line():
    import tomllib

    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert scripts["scripts"]["autograder"] == "autograder.cli:main"
    said = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert said.returncode == 0
    assert said.stdout.startswith("usage: autograder")
