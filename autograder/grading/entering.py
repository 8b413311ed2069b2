"""Grade a class: one submission after the other, one bad notebook stopping nobody.

`grade_one` is a function of files alone: what was handed in and what was released go in, a graded
notebook and its marks come out. It needs no gradebook and changes nothing on disk. `enter` then
writes the outcome down, in an order in which an interruption at any moment leaves either the old
marks or a note that grading was interrupted; to run again is all there is to do.

Marks are kept in nbgrader's gradebook and, with causes and messages, in `marks.json` beside it.
"""

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.preprocessors import (
    AssignLatePenalties,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from nbgrader.utils import compute_checksum
from sqlalchemy.exc import OperationalError

from autograder.course.lessons import CourseError
from autograder.course.release import api, gradebook, require_release
from autograder.judging import hidden
from autograder.judging.plan import points_in_words
from autograder.nbgrader_plugins import RepairSubmission, mend
from autograder.running.sandbox import announce
from autograder.submissions import exchange
from autograder.submissions.intake import Submission, take_in
from autograder.submissions.repair import grade_id, has_answers, nbgrader

INTERRUPTED = "grading was interrupted: run it again"

# Steps of nbgrader's that read or write the gradebook. Here `mend` restores what the first four
# look up there, and `enter` writes what the others would.
WITH_GRADEBOOK = (
    RepairSubmission,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
    AssignLatePenalties,
)


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


@dataclass
class Graded:
    """The outcome for one submission: a graded notebook with verdicts, or a problem."""

    submission: Submission
    notebook: nbformat.NotebookNode | None = None
    verdicts: dict = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    problem: str = ""


def students_of(lesson, wanted=()):
    """The students to grade; a CourseError for one who has handed in nothing."""
    known = lesson.students()
    unknown = [student for student in wanted if student not in known]
    if unknown:
        where = lesson.course.path / "submitted"
        raise CourseError(
            f"no submission of {', '.join(unknown)} for {lesson.id} in {where}; "
            f"there are: {', '.join(known) or 'none'}."
        )
    return [student for student in known if not wanted or student in wanted]


# ---------------------------------------------------------------- one submission


def grade_one(folder, released, name, student="", config=None):
    """Grade what lies in one folder; returns the `Graded`. Never raises for what was sent.

    folder: of the submission. released: the lesson's notebook as it was released. name: what the
    file should be called, without .ipynb. config: nbgrader's configuration (`api(course).config`),
    whose steps are run here as in `nbgrader autograde`, but for those that need a gradebook.
    """
    submission = take_in(folder, name, student, released)
    graded = Graded(submission, repairs=list(submission.notes), problem=submission.problem)
    if graded.problem:
        return graded
    try:
        notebook = submission.notebook
        graded.repairs += mend(notebook, released)
        notebook.metadata["autograder"]["repairs"] = graded.repairs
        if not has_answers(notebook):
            graded.problem = (
                "none of this lesson's answer cells are in the notebook; it may be another lesson's"
            )
            return graded
        graded.notebook, resources = _through_the_steps(notebook, name, student, config)
        graded.verdicts = resources["autograder"]["verdicts"]
    except CourseError:  # the course's or the machine's, and no fault of this submission
        raise
    except Exception as error:  # whatever it is, the rest of the class is graded
        lines = str(error).strip().splitlines() or [type(error).__name__]
        graded.problem = f"grading failed: {lines[-1][:200]}"
    return graded


def _through_the_steps(notebook, name, student, config):
    steps = config.Autograde.sanitize_preprocessors + config.Autograde.autograde_preprocessors
    resources = {"metadata": {}, "nbgrader": {"notebook": name, "student": student}}
    for step in steps:
        if not issubclass(step, WITH_GRADEBOOK):
            notebook, resources = step(config=config)(notebook, resources)
    return notebook, resources


def configuration(course, sandbox=None):
    """nbgrader's configuration of this course; `sandbox` stands above what it says of that.

    A `SandboxError` if there must be a sandbox and cannot be one, before anybody is graded.
    """
    config = api(course).config
    if sandbox:
        config.JudgedExecute.sandbox = sandbox
    announce(config.JudgedExecute.get("sandbox", "auto"))
    return config


def grade(lesson, student, sandbox=None):
    """Grade one submission and enter its marks; returns its `Mark`. sandbox: as `configuration`."""
    released = nbformat.read(lesson.release, as_version=4)
    config = configuration(lesson.course, sandbox)
    graded = grade_one(
        lesson.submission(student).parent, released, lesson.notebook, student, config
    )
    try:
        return enter(lesson, student, graded)
    except OperationalError as error:
        raise CourseError(
            f"the gradebook cannot be written: {error.orig}. What was finished is kept; run this "
            "again when nothing else uses the gradebook."
        ) from None


# ---------------------------------------------------------------- writing it down


def enter(lesson, student, graded):
    """Write the outcome into gradebook, `autograded/` and `marks.json`; returns the `Mark`.

    First marks.json says that something is going on; then the rows of the gradebook change in one
    transaction; then the files; last marks.json tells the mark.
    """
    before = load_marks(lesson.course).get(lesson.id, {}).get(student, {})
    ids = lesson.released_exercises()
    most = {id: float(hidden.find(id).points) for id in ids}
    mark = Mark(student, 0.0, sum(most.values()), repairs=graded.repairs)
    mark.digest = graded.submission.digest
    scores = _enter_in_gradebook(lesson, mark, graded, before)

    shutil.rmtree(lesson.autograded(student).parent, ignore_errors=True)  # of an earlier file
    if graded.problem:
        mark.flags.append(graded.problem)
    else:
        write_whole(lesson.autograded(student), nbformat.writes(graded.notebook) + "\n")
        handed_in = graded.submission
        exchange.lay_beside(
            lesson.autograded(student).parent, handed_in.secret, handed_in.handed_in
        )
    mark.flags += mark.by_hand
    for id in ids:
        verdict = graded.verdicts.get(id, {})
        message = verdict.get("message", "Not judged.")
        if graded.problem:
            message = "Not graded: a person will look at this submission."
        elif not verdict:
            mark.flags.append(f"{id} was not judged")
        mark.exercises[id] = {
            "score": scores.get(id, 0.0),
            "max": most[id],
            "cause": verdict.get("cause"),
            "message": message,
        }
    if missing := [id for id in ids if id not in scores]:
        mark.flags.append(f"not in the gradebook: {', '.join(missing)}; release the lesson again")
    mark.score = max(0.0, mark.raw - mark.penalty)
    save(lesson, mark)
    return mark


def _enter_in_gradebook(lesson, mark, graded, before):
    """Enter the scores in one transaction; returns {exercise: score that now holds}.

    nbgrader lets points that a person gave by hand, and extra credit, outlive everything. For the
    same file they stay. A new file is marked afresh: they are taken off and told in `mark.by_hand`,
    so that no mark stays for work that is no longer there.
    """
    known = bool(before.get("digest"))
    same = before.get("digest") == mark.digest
    interrupted = INTERRUPTED in before.get("flags", [])
    if same or interrupted:
        mark.by_hand += before.get("by_hand", [])
    with gradebook(lesson.course) as opened:
        opened.update_or_create_student(mark.student)
        submission = opened.update_or_create_submission(
            lesson.id, mark.student, timestamp=graded.submission.timestamp
        )
        rows = {
            row.name.removeprefix("test_"): row
            for notebook in submission.notebooks
            for row in notebook.grades
        }
        for id, row in rows.items():
            given = _given_by_hand(row)
            if given and not same:
                now = "the new one was marked afresh" if known else "they stay, please look at them"
                told = f"{id}: a person had given {given}, perhaps for an earlier file; {now}"
                if told not in mark.by_hand:
                    mark.by_hand.append(told)
        # From here on until the end of `enter`, whoever looks knows that it is not finished.
        digest = before.get("digest", "")
        pending = Mark(
            mark.student, 0.0, mark.max, [INTERRUPTED], by_hand=mark.by_hand, digest=digest
        )
        save(lesson, pending)
        for id, row in rows.items():
            verdict = graded.verdicts.get(id)
            score = verdict["score"] if verdict else 0.0
            given = _given_by_hand(row)
            if not same or row.auto_score != score or not (verdict or given):
                row.needs_manual_grade = not verdict or bool(given)
            if not same and known:
                row.manual_score = row.extra_credit = None
            row.auto_score = score
        for notebook in submission.notebooks:
            for comment in notebook.comments:
                comment.auto_comment = _auto_comment(comment.name, graded.notebook)
        opened.db.commit()
        _late_penalty(lesson, mark.student)
        opened.db.expire_all()
        mark.late = float(submission.total_seconds_late)
        mark.penalty = float(submission.late_submission_penalty)
        return {id: row.score for id, row in rows.items()}


def _given_by_hand(row):
    """'1.5 points', '1.5 points and 1 point extra': what a person gave; "" if nothing."""
    given = []
    if row.manual_score is not None:
        given.append(points_in_words(row.manual_score))
    if row.extra_credit:
        given.append(f"{points_in_words(row.extra_credit)} extra")
    return " and ".join(given)


def _auto_comment(id, notebook):
    """nbgrader's own words on an answer cell that stands as it was released."""
    cells = [cell for cell in notebook.cells if grade_id(cell) == id] if notebook else []
    blank = any(nbgrader(cell).get("checksum") == compute_checksum(cell) for cell in cells)
    return "No response." if blank else None


def _late_penalty(lesson, student):
    """nbgrader's own step, by whichever rule its configuration names. It reads and writes the
    gradebook alone; also where nothing could be graded, so that no earlier file's penalty stays."""
    course = api(lesson.course)
    resources = {
        "nbgrader": {
            "notebook": lesson.notebook,
            "assignment": lesson.id,
            "student": student,
            "db_url": course.coursedir.db_url,
        }
    }
    AssignLatePenalties(config=course.config)(nbformat.v4.new_notebook(), resources)


def grade_class(lesson, students=(), progress=lambda iterable: iterable, sandbox=None):
    """Grade every submission of a lesson; returns the list of `Mark`s, and keeps each on disk as
    soon as it is there."""
    require_release(lesson)
    hidden.load()  # what is wrong with the course is no student's fault, and stops the run
    students = students_of(lesson, students)
    return [grade(lesson, student, sandbox) for student in progress(students)]


def handed_in(lesson, student, released=None):
    """The `Submission` that lies in `submitted/` now; None if there is no folder of it."""
    folder = lesson.submission(student).parent
    if not folder.is_dir():
        return None
    released = released or nbformat.read(lesson.release, as_version=4)
    return take_in(folder, lesson.notebook, student, released)


# ---------------------------------------------------------------- files


def write_whole(path, text):
    """Write a file so that at every moment it is either the old one or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    with open(scratch, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)


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
