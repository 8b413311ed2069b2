"""Write down what came of a submission, in the gradebook and in files.

It is done in an order in which an interruption at any moment leaves either the old marks or a note
that grading was interrupted; to run again is all there is to do.
"""

import shutil
from contextlib import ExitStack, contextmanager

import nbformat
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import compute_checksum
from sqlalchemy.exc import OperationalError

from autograder.course import CourseError, write_whole
from autograder.judging import points_in_words
from autograder.submissions import exchange, grade_id, nbgrader

from .marks import INTERRUPTED, Mark, load_mark, save


class Writer:
    """The one who enters the marks of a `Run`; a context manager that opens the gradebook once."""

    def __init__(self, run):
        self.run = run
        self.lesson = run.lesson

    def __enter__(self):
        self._opened = ExitStack()
        with _told_if_locked():
            self.gradebook = self._opened.enter_context(self.run.gradebook())
        return self

    def __exit__(self, *error):
        return self._opened.__exit__(*error)

    def enter(self, student, graded):
        """Write the outcome into gradebook, `autograded/` and the file of the mark; returns the
        `Mark`.

        First that file says that something is going on; then the rows of the gradebook change in
        one transaction; then the notebook is written; last the file tells the mark.
        """
        before = load_mark(self.lesson, student)
        mark = Mark(student, 0.0, sum(self.run.points.values()), repairs=graded.repairs)
        mark.digest = graded.submission.digest
        with _told_if_locked():
            scores = self._enter_in_gradebook(mark, graded, before)
        self._write_notebook(student, graded)
        mark.flags += [graded.problem] if graded.problem else []
        mark.flags += mark.by_hand
        for id, most in self.run.points.items():
            verdict = graded.verdicts.get(id, {})
            message = verdict.get("message", "Not judged.")
            if graded.problem:
                message = "Not graded: a person will look at this submission."
            elif not verdict:
                mark.flags.append(f"{id} was not judged")
            mark.exercises[id] = {
                "score": scores.get(id, 0.0),
                "max": most,
                "cause": verdict.get("cause"),
                "message": message,
            }
        if missing := [id for id in self.run.points if id not in scores]:
            told = f"not in the gradebook: {', '.join(missing)}; release the lesson again"
            mark.flags.append(told)
        mark.score = max(0.0, mark.raw - mark.penalty)
        save(self.lesson, mark)
        return mark

    def _write_notebook(self, student, graded):
        """Put the graded notebook in the place of an earlier one; none if there is a problem."""
        path = self.lesson.autograded(student)
        shutil.rmtree(path.parent, ignore_errors=True)
        if not graded.problem:
            write_whole(path, nbformat.writes(graded.notebook) + "\n")
            handed_in = graded.submission
            exchange.lay_beside(path.parent, handed_in.secret, handed_in.handed_in)

    def _enter_in_gradebook(self, mark, graded, before):
        """Enter the scores in one transaction; returns {exercise: score that now holds}.

        nbgrader lets points that a person gave by hand, and extra credit, outlive everything. For
        the same file they stay. A new file is marked afresh: they are taken off and told in
        `mark.by_hand`, so that no mark stays for work that is no longer there.
        """
        known = bool(before.get("digest"))
        same = before.get("digest") == mark.digest
        interrupted = INTERRUPTED in before.get("flags", [])
        if same or interrupted:
            mark.by_hand += before.get("by_hand", [])
        self.gradebook.update_or_create_student(mark.student)
        submission = self.gradebook.update_or_create_submission(
            self.lesson.id, mark.student, timestamp=graded.submission.timestamp
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
        save(self.lesson, pending)
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
        self.gradebook.db.commit()
        self._late_penalty(mark.student)
        self.gradebook.db.expire_all()
        mark.late = float(submission.total_seconds_late)
        mark.penalty = float(submission.late_submission_penalty)
        scores = {id: row.score for id, row in rows.items()}
        self.gradebook.db.commit()  # nothing is held while the next one is graded
        return scores

    def _late_penalty(self, student):
        """nbgrader's own step, by whichever rule its configuration names. It reads and writes the
        gradebook alone; also where nothing could be graded, so that no earlier file's penalty
        stays."""
        resources = {
            "nbgrader": {
                "notebook": self.lesson.notebook,
                "assignment": self.lesson.id,
                "student": student,
                "db_url": self.run.nbgrader.coursedir.db_url,
            }
        }
        step = AssignLatePenalties(config=self.run.nbgrader.config)
        step(nbformat.v4.new_notebook(), resources)


@contextmanager
def _told_if_locked():
    """Somebody else may be using the gradebook, such as a person in Formgrader."""
    try:
        yield
    except OperationalError as error:
        raise CourseError(
            f"the gradebook cannot be written: {error.orig}. What was finished is kept; run this "
            "again when nothing else uses the gradebook."
        ) from None


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
