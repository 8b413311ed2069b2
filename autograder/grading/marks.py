"""What one student got for one lesson, and where that is kept.

Each mark is a small file of its own, `autograded/STUDENT/LESSON.mark.json`, beside the folder of
the graded notebook: what writing it costs does not depend on the class. It holds the causes and
messages, which nbgrader's gradebook has no place for.
"""

import json
from dataclasses import dataclass, field

from autograder.course import CourseError, write_whole

INTERRUPTED = "grading was interrupted: run it again"
SUFFIX = ".mark.json"


@dataclass
class Mark:
    """What one student got for one lesson.

    score: what holds, after what was taken off for lateness. max: what there is to get. flags: what
    a person should look at. repairs: what was mended before grading. by_hand: those flags that tell
    of points given by a person. digest: of the file that was graded. exercises: {id: {"score",
    "max", "cause", "message"}}. late: how many seconds after the due date it was handed in.
    penalty: the points taken off for that.
    """

    student: str
    score: float
    max: float
    flags: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    exercises: dict[str, dict] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)
    digest: str = ""
    late: float = 0.0
    penalty: float = 0.0

    @property
    def raw(self):
        """The points of all exercises, before lateness."""
        return sum(entry["score"] for entry in self.exercises.values())

    def as_dict(self):
        """What people and other programs read."""
        return {
            "score": self.score,
            "max": self.max,
            "raw_score": self.raw,
            "late_seconds": self.late,
            "late_penalty": self.penalty,
            "flags": self.flags,
            "repairs": self.repairs,
            "exercises": self.exercises,
        }


# ---------------------------------------------------------------- files


def save(lesson, mark):
    """Keep this mark on disk."""
    _write(_file(lesson.course, lesson.id, mark.student), _as_kept(mark))


def load_mark(lesson, student):
    """The mark of one student, as a dict; {} if there is none."""
    path = _file(lesson.course, lesson.id, student)
    return _read(path) if path.is_file() else {}


def load_marks(course, *lessons):
    """{lesson: {student: mark}} of everything graded so far; only of these lessons, if any are
    given."""
    carry_over(course)
    found = {lesson.id: {} for lesson in lessons}
    for path in sorted((course.path / "autograded").glob(f"*/*{SUFFIX}")):
        lesson = path.name.removesuffix(SUFFIX)
        if not lessons or lesson in found:
            found.setdefault(lesson, {})[path.parent.name] = _read(path)
    return found


def carry_over(course):
    """Give the marks of the first edition, which kept all in one file, a file each."""
    old = course.path / "marks.json"
    if not old.is_file():
        return
    try:
        kept = json.loads(old.read_text(encoding="utf-8"))
        marks = {(id, who): mark for id, marks in kept.items() for who, mark in marks.items()}
    except (ValueError, AttributeError):
        raise CourseError(
            f"{old} cannot be read. Move it away and run `autograder grade` again."
        ) from None
    for (id, student), mark in marks.items():
        path = _file(course, id, student)
        if not path.is_file():  # else it has been graded since
            _write(path, mark)
    old.replace(old.with_name("marks.json.carried-over"))


def _file(course, lesson, student):
    return course.path / "autograded" / student / f"{lesson}{SUFFIX}"


def _write(path, mark):
    write_whole(path, json.dumps(mark, indent=1, ensure_ascii=False))


def _read(path):
    """A mark from its file. One that cannot be read is for whoever runs it again, and keeps nobody
    else's from being read."""
    blank = Mark(path.parent.name, 0.0, 0.0)
    try:
        return _as_kept(blank) | json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        blank.flags.append(INTERRUPTED)
        return _as_kept(blank)


def _as_kept(mark):
    return mark.as_dict() | {"by_hand": mark.by_hand, "digest": mark.digest}
