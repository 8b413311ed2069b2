"""Write down what came of a submission, in the gradebook and in files.

`enter` does so in an order in which an interruption at any moment leaves either the old marks or a
note that grading was interrupted; to run again is all there is to do.
"""

import shutil

import nbformat
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum

from autograder.course import api, gradebook, write_whole
from autograder.judging import hidden, points_in_words
from autograder.submissions import exchange, grade_id, nbgrader

from .marks import INTERRUPTED, Mark, load_marks, save


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
