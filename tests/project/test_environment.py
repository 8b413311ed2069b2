"""The environment files say the same thing, and the repository names no machine."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from helpers import tracked_files
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from trove_classifiers import classifiers

from autograder.course import ROOT
from autograder.course.lessons import settings

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
KIT, AUTOGRADER = PROJECTS = [
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for folder in ("", "autograder")
]


def wanted():
    """{package: version specifier} of what students and instructors install, with all extras."""
    listed = [text for project in PROJECTS for text in project["dependencies"]]
    for project in PROJECTS:
        for extra in project["optional-dependencies"].values():
            listed += extra
    made = [Requirement(text) for text in listed]
    return {canonicalize_name(r.name): r.specifier for r in made}


def conda_requirement(text):
    """A conda match specification such as `numpy>=1.26,<3`, read as pip would read it."""
    made = Requirement(re.sub(r"\s+", "", text))
    return canonicalize_name(made.name), made.specifier


def conda():
    """(channels, {package: specifier}, the pip section) of environment.yml."""
    data = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    plain = [entry for entry in data["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in data["dependencies"] if isinstance(entry, dict)]
    return data["channels"], dict(map(conda_requirement, plain)), pip


def test_conda_and_pip_make_the_same_environment():
    channels, packages, pip = conda()
    assert channels == ["conda-forge"]
    python = packages.pop("python")
    assert python == SpecifierSet(KIT["requires-python"])
    assert packages.pop("pip", None) is not None, "conda wants pip named where it is used"
    # conda-forge keeps the drawing parts of matplotlib apart under this name
    packages = {name.removesuffix("-base"): versions for name, versions in packages.items()}
    assert packages == wanted()
    assert pip == ["--editable .", "--editable ./autograder"]


@pytest.mark.parametrize("project", PROJECTS, ids=["kit", "autograder"])
def test_these_pythons_are_welcome(project):
    welcome = SpecifierSet(project["requires-python"])
    assert all(f"{version}.0" in welcome for version in PYTHONS)
    assert "3.10.19" not in welcome


@pytest.mark.parametrize("project", PROJECTS, ids=["kit", "autograder"])
def test_what_an_index_is_told(project):
    known = {*classifiers, "Private :: Do Not Upload"}  # which every index refuses to know
    assert set(project["classifiers"]) <= known
    assert [text for text in project["classifiers"] if text.startswith("License")] == []
    pythons = [text.split()[-1] for text in project["classifiers"] if "Python :: 3." in text]
    assert pythons == PYTHONS
    assert project["authors"]
    assert project["keywords"]
    published = "https://github.com/" + settings()["repository"]
    assert project["urls"]["Homepage"] == published
    for address in project["urls"].values():
        assert address.startswith(published)
        assert "/tree/" not in address or f"/tree/{settings()['branch']}/" in address


def test_no_index_is_given_the_answers():
    assert "Private :: Do Not Upload" in AUTOGRADER["classifiers"]


def constraint_lines(text):
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


PINNED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.!+]*$")


def test_constraints_are_names_and_versions_only():
    lines = constraint_lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert lines
    assert [line for line in lines if not PINNED.match(line)] == []
    names = [canonicalize_name(line.split("==")[0]) for line in lines]
    assert len(names) == len(set(names))
    for bad in ("--pre", "https://example.org/numpy.whl", "numpy @ file:///x", "numpy>=1", "-e ."):
        assert not PINNED.match(bad)


def test_constraints_fit_the_requirements_and_leave_none_out():
    lines = constraint_lines((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    pinned = {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}
    missing = [name for name in wanted() if name not in pinned]
    assert missing == []
    assert [name for name, versions in wanted().items() if pinned[name] not in versions] == []


def too_new(name, python):
    """What an installed package says of the Python it needs, where this one is too old; or None."""
    needs = importlib.metadata.metadata(name).get("Requires-Python")
    return needs if needs and python not in SpecifierSet(needs) else None


def test_the_oldest_python_can_have_every_pin():
    """Debian 12 has Python 3.11.2: a pin that needs 3.11.5 ends `make setup` there."""
    pinned = [line.split("==") for line in constraint_lines((ROOT / "constraints.txt").read_text())]
    there = {
        canonicalize_name(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()
    }
    looked_at = [name for name, version in pinned if there.get(canonicalize_name(name)) == version]
    if len(looked_at) < len(pinned) / 2:
        pytest.skip("this environment was not made with constraints.txt")
    assert {name: needs for name in looked_at if (needs := too_new(name, "3.11.0"))} == {}
    assert too_new("numpy", "3.10.0"), "a Python that is too old is found"


# ---------------------------------------------------------------- no machine is named

# Written apart, so that this file does not hold what it looks for.
INDEX = re.compile(
    r"(?:" + "|".join(["index" + "[-_]url", "trusted" + "[-_]host", "find" + "[-_]links"]) + r")"
    r"|https?://[^\s\"')]*/" + r"simple\b"
    r"|\bpypi\.(?!org/project|org\b)[a-z0-9.-]+"
)
ABSOLUTE = re.compile(
    r"(?<![\w./:-])/(?:" + "|".join(["home", "work", "tmp", "root", "Users", "private"]) + r")/\w"
    r"|\b[A-Z]:\\" + r"Users\b"
)
ELSEWHERE = re.compile(r"\.\./" + "shared")


def text_of(path):
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("pattern", [INDEX, ABSOLUTE, ELSEWHERE], ids=["index", "path", "beside"])
def test_no_file_in_git_names_a_machine(pattern):
    found = {
        str(path.relative_to(ROOT)): match.group()
        for path in tracked_files()
        if (match := pattern.search(text_of(path)))
    }
    assert found == {}


def test_machines_would_be_found():
    assert INDEX.search("pip install --index" + "-url https://example.org")
    assert INDEX.search("https://packages.example.org/root/" + "simple/")
    assert ABSOLUTE.search('open("/home' + '/ada/x")')
    assert ABSOLUTE.search("see /tmp" + "/notes")
    assert ABSOLUTE.search("C:" + "\\Users\\ada")
    assert not ABSOLUTE.search("https://example.org/home" + "/page")
    assert not ABSOLUTE.search("course/work" + "/x")


def test_nothing_that_is_made_is_in_git():
    made = ("gradebook.db", ".venv", "__pycache__", "autograded", "submitted", "feedback/")
    names = [str(path.relative_to(ROOT)) for path in tracked_files()]
    assert [name for name in names if any(part in name for part in made)] == []
    assert [n for n in names if n.startswith("course/source") and n.endswith(".ipynb")] == []
