"""The documents name what is there: rooms, modules, files and make targets."""

import re
from importlib import import_module

import pytest

from autograder.course import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "SECURITY.md")
PACKAGES = ("backprop_kit", "autograder")
CODE = re.compile(r"`([^`\n]+)`")


def text_of(document):
    return (ROOT / document).read_text(encoding="utf-8")


def paths_in(text):
    """What stands in backticks and is the path of a file of Python, or of a folder."""
    return {
        word
        for word in CODE.findall(text)
        if re.fullmatch(r"[\w./-]+\.py|[\w-]+(/[\w-]+)*/", word) and "LESSON" not in word
    }


def is_there(path):
    """As it is said: from the root, in a package, or in one of its rooms."""
    places = [ROOT, ROOT / "course", *(ROOT / package for package in PACKAGES)]
    places += [room for place in places[2:] for room in place.iterdir() if room.is_dir()]
    return any((place / path).exists() for place in places)


MADE = {"lab/", "demo/", "build/"}  # by commands; not there in a fresh checkout


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_are_there(document):
    missing = {path for path in paths_in(text_of(document)) - MADE if not is_there(path)}
    assert missing == set()


def test_a_path_that_is_not_there_is_seen():
    assert paths_in("see `checking/check.py`, `gone.py` and `rooms/`") == {
        "checking/check.py",
        "gone.py",
        "rooms/",
    }
    assert is_there("checking/check.py")
    assert is_there("tests/attacks/test_guards.py")
    assert not is_there("gone.py")
    assert not is_there("rooms/")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_targets_are_there(document):
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text_of(document)))
    named |= set(re.findall(r"^make ([a-z-]+)", text_of(document), re.MULTILINE))
    assert named <= targets
    assert "demo" in targets


def rooms(package):
    """{room: its modules} of a package."""
    return {
        folder.name: {path.stem for path in folder.glob("*.py")} - {"__init__"}
        for folder in (ROOT / package).iterdir()
        if (folder / "__init__.py").is_file()
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_the_picture_of_the_layout_has_every_room(package):
    picture = text_of("CONTRIBUTING.md").split("## Layout")[1].split("### A submission")[0]
    for room in rooms(package):
        assert f"{room}/ " in picture, room


def test_the_picture_has_every_module_of_the_kit():
    picture = text_of("CONTRIBUTING.md").split("## Layout")[1].split("autograder/ ")[0]
    words = set(re.findall(r"\w+", picture))
    for room, modules in rooms("backprop_kit").items():
        if room != "exercises":
            assert modules <= words, f"{room}: {modules - words}"


@pytest.mark.parametrize("package", PACKAGES)
def test_each_door_says_what_its_room_is_for(package):
    for room in rooms(package):
        door = text_of(f"{package}/{room}/__init__.py")
        words = re.match(r'"""(.+?)"""', door, re.DOTALL)
        assert words, room
        assert len(words[1].split()) > 25, f"{package}/{room}: a paragraph"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_of_a_door_hides_a_module_of_its_name(package):
    """Whoever asks for `room.name` would get the one or the other, by what was imported before."""
    for room, modules in rooms(package).items():
        door = import_module(f"{package}.{room}")
        for name in modules & set(getattr(door, "__all__", ())):
            assert getattr(door, name) is import_module(f"{package}.{room}.{name}")
