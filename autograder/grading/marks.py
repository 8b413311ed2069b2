"""What one student got for one lesson, and where that is kept."""

import json
from dataclasses import dataclass, field

from autograder.course import CourseError, write_whole

INTERRUPTED = "grading was interrupted: run it again"


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


def _file(course):
    return course.path / "marks.json"


def load_marks(course):
    """{lesson: {student: mark}} of everything graded so far."""
    path = _file(course)
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise CourseError(
            f"{path} cannot be read. Move it away and run `autograder grade` again."
        ) from None


def save(lesson, mark):
    """Add this mark to those kept on disk."""
    kept = load_marks(lesson.course)
    more = {"by_hand": mark.by_hand, "digest": mark.digest}
    kept.setdefault(lesson.id, {})[mark.student] = mark.as_dict() | more
    write_whole(_file(lesson.course), json.dumps(kept, indent=1, ensure_ascii=False))
