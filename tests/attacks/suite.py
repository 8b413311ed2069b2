"""All entries, and a class of them handed in and graded by the real pipeline."""

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from helpers import SEED, environment, lean, with_gradebook

from attacks import breaking, damaged, forging, reaching, unlucky  # noqa: F401  (fill ENTRIES)
from attacks.base import ENTRIES, LESSON, World, cell_of, hand_in
from attacks.watch import Listener, changes, fingerprint, running
from autograder.course import ROOT, gradebook, make_release
from autograder.grading import load_marks
from autograder.rehearsal import answered, make_course
from autograder.reporting.policy import offences
from autograder.running import sandbox

LARGEST = 2_000_000  # characters of a page or a graded notebook
CONFIG = f"""
c.JudgedExecute.seed = {SEED}
c.JudgedExecute.seconds = 1.0
c.JudgedExecute.timeout = 6
c.JudgedExecute.output_bytes = 200_000
c.JudgedExecute.message_bytes = 4_000_000
c.SandboxProvisioner.limits = {{"memory": 1 << 30, "scratch": 64 << 20}}
"""


# Much like a neighbour; with ATTACKS=all, and in `make attack-table`, these are graded too.
TWINS = """
    drops_asserts patched_builtins array_always_equal lazy_objects lying_tuple infinity strings
    a_function a_class test_as_solution test_as_text moved_test own_metadata reads_graded_work
    fails_everybody drops_a_table pickled_array calls_home_by_http html_cell javascript_cell
    kills_its_group_when_called aborts_when_called becomes_another_when_called
    kills_its_group_in_a_cell segfaults_in_a_cell leaves_by_shutdown raises_generator_exit
    closes_stdout leaves_a_double_fork leaves_a_daemon_when_called floods_stderr huge_value
    floods_when_called returns_a_huge_number returns_a_huge_text returns_itself
    raises_half_characters sleeps sleeps_when_called endless_list endless_cell thread_bomb prints
    numpy_prints_differently reads_a_file_of_its_own clears_output debugger bash_cell
    package_for_nothing keeps_a_count stub_left_below prints_in_its_answer windows_line_ends
    old_mac_line_ends_inside deep_metadata kernelspec_julia no_ids in_a_folder files_beside
"""


def chosen():
    """The entries to grade: all of them, or those that no neighbour is much like."""
    left_out = () if os.environ.get("ATTACKS") == "all" else TWINS.split()
    return [entry for entry in ENTRIES if entry.name not in left_out]


def runnable(entries):
    """Those entries that can be run here: without a sandbox, none that is hostile."""
    locked = sandbox.hindrance() is None
    return [entry for entry in entries if locked or not entry.hostile]


def released_course(folder):
    """A course whose lesson of the suite has been released just now."""
    course = make_course(Path(folder) / "course")
    make_release(course.lessons([LESSON])[0])
    return course


def solved_notebook(lesson):
    """The lesson with every answer right, without prose."""
    return lean(answered(lesson, lesson.reference()))


def bystanders(solved):
    """{student: (notebook, points)} of those who stand between the others."""
    half, nothing = lean(nbformat.from_dict(solved)), nbformat.from_dict(solved)
    cell_of(half, "fan_out").source = "def fan_out(x, y):\n    return x * y + x * x, y, x\n"
    for cell in nothing.cells[1::2]:
        cell.source = "raise NotImplementedError()"
    return {
        "aa_bystander": (solved, 18.0),
        "bystander_right": (solved, 18.0),
        "mm_bystander": (half, 17.0),
        "zz_bystander": (nothing, 0.0),
    }


# ---------------------------------------------------------------- a class, graded


def rows(course):
    """{(student, test): (auto score, manual score, score)} of the gradebook."""
    with gradebook(course) as opened:
        return {
            (submission.student.id, grade.name): (grade.auto_score, grade.manual_score, grade.score)
            for submission in opened.find_assignment(LESSON).submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


@dataclass
class GradedClass:
    """What came of one class: exit status, marks, pages, and all that was watched."""

    lesson: object
    world: World
    status: int
    said: str
    canaries: dict
    before: dict
    after: dict
    rows_before: dict
    rows_after: dict
    heard: list = field(default_factory=list)

    @property
    def marks(self):
        return load_marks(self.lesson.course)[LESSON]

    def page(self, student):
        return self.lesson.feedback(student).read_text(encoding="utf-8")

    def escapes(self, entry):
        """What this entry has done that nobody may do; [] if nothing."""
        mark, page = self.world.mark(entry.name), self.page(entry.name)
        graded = self.lesson.autograded(entry.name)
        notebook = graded.read_text(encoding="utf-8") if graded.is_file() else ""
        seen = page + notebook + json.dumps(self.marks[entry.name])
        found = [f"wrote {path}" for path in self.after if mark in path]
        found += ["was heard" for word in self.heard if mark.encode() in word]
        found += [f"left {process}" for process in running(mark)]
        found += [f"found the {name}" for name, word in self.canaries.items() if word in seen]
        found += [f"shows {word!r}" for word in entry.lacks if word in page]
        found += [f"its page acts: {each}" for each in offences(page)]
        if max(len(page), len(notebook)) > LARGEST:
            found.append("its results are large")
        return found

    def changes(self):
        """The files outside of the class's own results that have changed. The checkout itself may
        be worked on meanwhile: there, those files that hold the word by which entries are known."""
        token = self.world.token.encode()
        folders = (ROOT / "course", ROOT / "autograder", ROOT / "backprop_kit")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        marked = [str(path) for path in files if token in path.read_bytes()]
        return changes(self.before, self.after) + marked


def run(world_home, secret, *arguments):
    """The command line, as an instructor with a secret in the environment would call it."""
    home = Path(os.environ.get("HOME", "/"))
    fonts = os.environ.get("MPLCONFIGDIR") or str(home / ".cache" / "matplotlib")
    variables = environment() | {
        "HOME": str(world_home),
        "MPLCONFIGDIR": fonts,
        "SERVICE_TOKEN": secret,
    }
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
    )


def grade_as_class(entries, fresh, folder):
    """Hand in these entries beside the bystanders, grade them all, write the pages."""
    folder = Path(folder)
    token = f"attack-{secrets.token_hex(6)}"
    names = ("secret", "key", "source", "neighbour", "outside")
    canaries = {name: f"canary-{name}-{secrets.token_hex(8)}" for name in names}
    course = with_gradebook(fresh, folder)
    config = course.path / "nbgrader_config.py"
    config.write_text(config.read_text(encoding="utf-8") + CONFIG, encoding="utf-8")
    lesson = course.lessons([LESSON])[0]
    with lesson.source.open("a", encoding="utf-8") as file:
        file.write(f"\n{canaries['source']}\n")

    home, outside = folder / "home", folder / "outside"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").write_text(canaries["key"], encoding="utf-8")
    outside.mkdir()
    outside.chmod(0o777)
    (outside / "notes.txt").write_text(canaries["outside"], encoding="utf-8")

    listener = Listener(str(folder / "socket"))
    world = World(
        str(course.path), str(home), str(outside), listener.port, str(folder / "socket"), token
    )
    solved = solved_notebook(lesson)
    try:
        for student, (notebook, _) in bystanders(solved).items():
            path = lesson.submission(student)
            path.parent.mkdir(parents=True)
            marked = nbformat.from_dict(notebook)
            marked.cells[0].source += f"\n# {canaries['neighbour']}"
            path.write_text(nbformat.writes(marked), encoding="utf-8")
        secret = canaries["secret"]
        first = run(home, secret, "--course", course.path, "grade", "01")
        assert first.returncode == 0, first.stdout + first.stderr
        rows_before = rows(course)
        for each in entries:
            hand_in(each, world, solved, lesson.submission(each.name).parent)

        made = ("autograded", "feedback", "gradebook.db", ".new")
        kept = (".local", ".cache", ".ipython", ".config", ".jupyter")
        before = fingerprint(course.path, but=made) | fingerprint(home, outside, but=kept)
        graded = run(home, secret, "--course", course.path, "grade", "01")
        rows_after = rows(course)
        pages = run(home, secret, "--course", course.path, "feedback", "01")
        after = fingerprint(course.path, but=made) | fingerprint(home, outside, but=kept)
    finally:
        listener.close()
    return GradedClass(
        lesson,
        world,
        graded.returncode or pages.returncode,
        graded.stdout + graded.stderr + pages.stdout + pages.stderr,
        canaries,
        before,
        after,
        rows_before,
        rows_after,
        listener.heard,
    )
