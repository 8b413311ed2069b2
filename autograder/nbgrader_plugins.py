"""What nbgrader loads by name: the step that repairs, the step that runs and judges, the export.

`course/nbgrader_config.py` names them at nbgrader's own configuration points; nothing of nbgrader
is replaced behind its back.
"""

import ast
import csv
import html
import inspect
import json
import re
import subprocess
import time
from pathlib import Path
from queue import Empty

import nbformat
from jupyter_core.utils import ensure_async, run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from traitlets import Float, Integer

from autograder import exercises, probe
from autograder.judge import MIME, SECONDS, Plan
from autograder.repair import grade_id, is_solution, is_test, repair
from backprop_kit.checks import with_code

PROBE = inspect.getsource(probe)


class RepairSubmission(NbGraderPreprocessor):
    """The first sanitising step: restore what the release says must be there."""

    def preprocess(self, nb, resources):
        where = resources["nbgrader"]
        released = nbformat.read(self._release(where), as_version=4)
        repairs = repair(nb, released)
        nb.metadata["autograder"] = {"repairs": repairs}
        for sentence in repairs:
            self.log.warning("%s: %s", where["student"], sentence)
        return nb, resources

    def _release(self, where):
        coursedir = self.parent.parent.coursedir
        folder = coursedir.format_path(coursedir.release_directory, ".", where["assignment"])
        path = Path(folder) / f"{where['notebook']}.ipynb"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: release the lesson first "
                f"(`autograder release {where['assignment']}`)."
            )
        return path


class JudgedExecute(Execute):
    """Run the notebook; where a test cell stands, ask the judge instead of running it.

    The judge draws inputs in this process; only they go into the kernel, and only what the
    student's functions returned comes back. The test cell's outputs are written here, so nothing
    that the kernel prints or displays can become a mark.
    """

    seconds = Float(
        SECONDS, help="Time for all calls that the judge makes for one exercise, in seconds."
    ).tag(config=True)

    seed = Integer(
        None,
        allow_none=True,
        help="Seed of the hidden cases; by default fresh in each run. A verdict records its seed.",
    ).tag(config=True)

    def preprocess(self, nb, resources, km=None):
        self._executed = []  # sources of the cells that have run, to be replayed in a new kernel
        self._errors = {}  # grade id of an answer cell: the error that its last run ended with
        return super().preprocess(nb, resources, km)

    def start_new_kernel(self, **options):
        """As nbclient does, but what the process itself writes goes nowhere.

        Student code can write to the process's own standard error; the grader's terminal is not
        the place for it. What cells print travels as messages and is kept.
        """
        super().start_new_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def preprocess_cell(self, cell, resources, index):
        id = self._exercise(cell)
        if id:
            cell.outputs = [nbformat.from_dict(output) for output in self._verdict(id).outputs()]
            return cell, resources
        try:
            cell, resources = super().preprocess_cell(cell, resources, index)
        except (DeadKernelError, CellTimeoutError) as error:
            cell.outputs = [_stopped(error)]
            self._restart()
            return cell, resources
        if cell.cell_type == "code":
            self._executed.append(cell.source)
            self._note_error(cell)
        return cell, resources

    def _note_error(self, cell):
        if is_solution(cell):
            errors = [out for out in cell.outputs if out.output_type == "error"]
            text = f"{errors[0].ename}: {errors[0].evalue}"[:200] if errors else None
            self._errors[grade_id(cell)] = text

    @staticmethod
    def _exercise(cell):
        """The exercise that a test cell tests, None for any other cell."""
        if cell.cell_type != "code" or not is_test(cell):
            return None
        id = cell.metadata.nbgrader["grade_id"].removeprefix("test_")
        return id if id in exercises.load() else None

    def _verdict(self, id):
        plan = Plan(id, self.seed)
        try:
            seen = plan.observations(self._ask(plan.request(self.seconds)))
            if self._errors.get(id) and all(s.raised and s.raised.kind == "Missing" for s in seen):
                text = f"The cell of {id} could not be run: {self._errors[id]}."
                seen = plan.all_failed("Unreadable", text)
        except DeadKernelError:
            seen = plan.all_failed("KernelDied", "Python itself came to an end in your code.")
            self._restart()
        except TimeoutError:
            seen = plan.all_failed("TimeOut", f"it had {self.seconds:g} seconds")
            self._restart()
        return plan.verdict(seen)

    def _ask(self, request):
        """Have the probe answer a request in the kernel; returns its reply, JSON text."""
        return run_sync(self._async_ask)(request)

    async def _async_ask(self, request):
        # The probe's code and the inputs travel as one expression, whose value comes back in the
        # execute reply: nothing is left behind in the student's namespace.
        expression = (
            f"(lambda space: (__import__('builtins').exec({PROBE!r}, space), "
            f"space['answer']({json.dumps(request)!r}, "
            "get_ipython().user_ns))[1])({'__name__': 'probe'})"
        )
        message = await ensure_async(
            self.kc.execute(
                "", silent=True, store_history=False, user_expressions={"probe": expression}
            )
        )
        deadline = time.monotonic() + self.seconds + 5  # the probe's own alarm rings first
        while True:
            try:
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=1))
            except Empty:
                await self._async_check_alive()
                if time.monotonic() > deadline:
                    raise TimeoutError from None
                continue
            if reply["parent_header"].get("msg_id") == message:
                return _text_of(reply)

    def _restart(self):
        """A fresh kernel in the state that the cells before this one had left."""
        self._cleanup_kernel()
        self.km = self.create_kernel_manager()
        self.start_new_kernel()
        self.start_new_kernel_client()
        for source in self._executed:
            scratch = nbformat.v4.new_code_cell(source)
            self.nb.cells.append(scratch)
            try:
                self.execute_cell(scratch, len(self.nb.cells) - 1)
            finally:
                self.nb.cells.pop()


def _text_of(reply):
    """The string that the probe's expression gave; "" for anything else."""
    result = reply["content"].get("user_expressions", {}).get("probe", {})
    text = result.get("data", {}).get("text/plain", "")
    if not isinstance(text, str) or len(text) > 4 * probe.MAX_BYTES:
        return ""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    return value if isinstance(value, str) else ""


def _stopped(error):
    """The output of a cell that ended the kernel, or that could not be interrupted."""
    how = "The kernel died" if isinstance(error, DeadKernelError) else "Time ran out"
    text = f"{how} in this cell. The cells after it were run in a new kernel, without it."
    return nbformat.v4.new_output(
        "error", ename="KernelStopped", evalue=text, traceback=[f"KernelStopped: {text}"]
    )


class FeedbackPage(NbGraderPreprocessor):
    """Before a feedback page is written: a summary on top, and nothing that is not for students.

    The hidden lines of the test cells go (they give nothing away, and explain nothing either), and
    so does the bare number by which nbgrader reads a score: the verdict says it in words.
    """

    def preprocess(self, nb, resources):
        verdicts = []
        for cell in nb.cells:
            if cell.cell_type == "code" and is_test(cell):
                cell.source = HIDDEN_TESTS.sub("", cell.source).rstrip()
                verdicts += [
                    out["data"][MIME] for out in cell.outputs if MIME in out.get("data", {})
                ]
                cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
        repairs = nb.metadata.get("autograder", {}).get("repairs", [])
        nb.cells.insert(0, nbformat.v4.new_markdown_cell(_summary(verdicts, repairs)))
        return nb, resources


HIDDEN_TESTS = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


def _summary(verdicts, repairs):
    """The feedback page's head: a row for each exercise, and what was repaired."""
    total, most = (sum(verdict[key] for verdict in verdicts) for key in ("score", "max"))
    rows = "".join(
        _row(
            "td",
            f"{'✘' if verdict['cause'] else '✔'}&nbsp;<a href='#test_{verdict['exercise']}'>"
            f"{verdict['exercise']}</a>",
            f"{verdict['score']:g}&nbsp;of&nbsp;{verdict['max']:g}",
            with_code(verdict["message"]),
        )
        for verdict in verdicts
    )
    mended = "".join(f"<li>{html.escape(repair)}</li>" for repair in repairs)
    return (
        f"<h2>Your result: {total:g} of {most:g} points</h2>"
        f"<table>{_row('th', 'exercise', 'points', 'what the tests say')}{rows}</table>"
        + (f"<p>Before grading, your notebook was repaired:</p><ul>{mended}</ul>" if mended else "")
    )


def _row(tag, *cells):
    style = "style='text-align:left;vertical-align:top;padding:.2em 1.2em .2em 0'"
    return f"<tr>{''.join(f'<{tag} {style}>{cell}</{tag}>' for cell in cells)}</tr>"


class ExportMarks(ExportPlugin):
    """`nbgrader export --exporter autograder.nbgrader_plugins.ExportMarks`: one row a student."""

    def export(self, gradebook):
        """Write a CSV: a row for each student, a column for each exercise, a total a lesson."""
        rows, columns = {}, ["student"]
        for assignment in sorted(gradebook.assignments, key=lambda a: a.name):
            if self.assignment and assignment.name not in self.assignment:
                continue
            for submission in sorted(assignment.submissions, key=lambda s: s.student_id):
                student = submission.student_id
                if self.student and student not in map(str, self.student):
                    continue
                row = rows.setdefault(student, {"student": student})
                for notebook in submission.notebooks:
                    for grade in notebook.grades:
                        row[f"{assignment.name}:{grade.name.removeprefix('test_')}"] = grade.score
                row[f"{assignment.name}:score"] = submission.score
                row[f"{assignment.name}:max"] = submission.max_score
                columns += [key for key in row if key not in columns]
        with open(self.to or "marks.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows.values())
