"""A small number of mutants; `make fuzz` makes thousands."""

import random

import nbformat
import pytest

from attacks import fuzz
from attacks.base import LESSON, NAME


@pytest.fixture(scope="module")
def few(fresh):
    """The originals of the fuzzing, and the release."""
    lesson = fresh.lessons([LESSON])[0]
    return fuzz.originals(lesson), nbformat.read(lesson.release, as_version=4)


def test_mutants_are_graded_and_none_gains(fresh, tmp_path):
    assert fuzz.fuzz(fresh, tmp_path, 20, "smoke") == []


def test_the_same_seed_makes_the_same_mutants(few):
    notebook, _ = few[0]["all of it"]
    one, other = (fuzz.mutant(notebook, random.Random("7-1")) for _ in range(2))
    assert one == other
    assert one != fuzz.mutant(notebook, random.Random("7-2"))


def test_many_mutants_can_be_repaired(few, tmp_path):
    made, released = few
    for number in range(150):
        rng = random.Random(f"repair-{number}")
        notebook, _ = made[rng.choice(sorted(made))]
        (tmp_path / f"{NAME}.ipynb").write_bytes(fuzz.mutant(notebook, rng))
        fuzz.code_of(tmp_path, released)


def test_a_mutant_that_gains_is_noticed(fresh, tmp_path, monkeypatch):
    """As if the original were worth nothing: then everything that is right is a gain."""
    honest = fuzz.originals

    def worthless(lesson):
        return {
            name: (notebook, dict.fromkeys(points, 0.0))
            for name, (notebook, points) in honest(lesson).items()
        }

    monkeypatch.setattr(fuzz, "originals", worthless)
    monkeypatch.setattr(
        fuzz,
        "grade_batch",
        lambda path: {f.name: {"add_mul": 2.0} for f in (path / "submitted").iterdir()},
    )
    monkeypatch.setattr(fuzz, "ProcessPoolExecutor", SameProcess)
    assert any("gains marks" in sentence for sentence in fuzz.fuzz(fresh, tmp_path, 3, "smoke"))


class SameProcess:
    def __init__(self, processes):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    map = staticmethod(map)
