"""What nbgrader loads by name: the steps that repair, run and judge, the feedback page, the export.

`course/nbgrader_config.py` names them at nbgrader's own configuration points; nothing of nbgrader
is replaced behind its back.
"""

import contextlib
import csv
import html
import inspect
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from queue import Empty
from types import MappingProxyType

import nbformat
import zmq
from jupyter_core.utils import ensure_async, run_sync
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.plugins import ExportPlugin
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from pygments.formatters import HtmlFormatter
from traitlets import Bool, Enum, Float, Integer

from autograder.course.lessons import CourseError
from autograder.judging import hidden, probe
from autograder.judging.plan import MIME, SECONDS, Plan, points_in_words
from autograder.running import sandbox
from autograder.submissions import exchange
from autograder.submissions.inert import (
    MAX_SOURCE,
    POLICY,
    clean_html,
    inert_outputs,
    inert_text,
    offences,
    shortened,
)
from autograder.submissions.intake import secret_of
from autograder.submissions.repair import (
    grade_id,
    is_solution,
    is_test,
    nbgrader,
    only_imports,
    repair,
)
from backprop_kit.checking.check import with_code
from backprop_kit.checking.observe import MAX_BYTES

PROBE = inspect.getsource(probe)
TEMPLATES = Path(__file__).parent / "templates"


# ---------------------------------------------------------------- repair


def mend(notebook, released):
    """Repair a submission after its release, and note in its metadata what was done.

    The note is {"repairs": sentences, "own": the ids of cells that are not the lesson's}. A cell
    that imports and does nothing else is as good as the lesson's: answers may need it.
    """
    repairs = repair(notebook, released)
    lesson = {cell.source for cell in released.cells}
    own = []
    for cell in notebook.cells:
        if nbgrader(cell) or cell.source in lesson:
            continue
        if not only_imports(cell):
            own.append(cell.id)
        if cell.cell_type != "code":
            cell.source = inert_text(cell.source)
    notebook.metadata["autograder"] = {"repairs": repairs, "own": own}
    return repairs


class RepairSubmission(NbGraderPreprocessor):
    """The first sanitising step: restore what the release says must be there.

    Files that were sent along go no further than `submitted/`: nbgrader has copied them here, where
    a notebook could import them and from where they would reach the feedback. (It has followed
    links: what goes by the name of the exchange's secret must look like one.)
    """

    def preprocess(self, nb, resources):
        where = resources["nbgrader"]
        released = self._release(where)
        self._leave_out_files(where, released.parent)
        for sentence in mend(nb, nbformat.read(released, as_version=4)):
            self.log.warning("%s: %s", where["student"], sentence)
        return nb, resources

    def _release(self, where):
        folder = _folder(self, "release", ".", where["assignment"])
        path = folder / f"{where['notebook']}.ipynb"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist: release the lesson first "
                f"(`autograder release {where['assignment']}`)."
            )
        return path

    def _leave_out_files(self, where, released):
        folder = _folder(self, "autograded", where["student"], where["assignment"])
        kept = {folder / exchange.TIMESTAMP}
        if secret_of(folder):
            kept.add(folder / exchange.SECRET)
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept and not _is_released(path.relative_to(folder), released):
                self.log.warning("%s: left out the file %s", where["student"], path.name)
                path.unlink()


def _folder(preprocessor, step, student, assignment):
    """Where nbgrader, which runs this preprocessor, keeps what a step has made."""
    coursedir = preprocessor.parent.parent.coursedir
    folder = getattr(coursedir, f"{step}_directory")
    return Path(coursedir.format_path(folder, student, assignment))


def _is_released(path, released):
    """Whether the release holds such a file, or the file is a notebook, which nbgrader handles."""
    return path.suffix == ".ipynb" or (released / path).is_file()


# ---------------------------------------------------------------- run and judge


class JudgedExecute(Execute):
    """Run the notebook; where a test cell stands, ask the judge instead of running it.

    The judge draws inputs in this process; only they go into the kernel, and only what the
    student's functions returned comes back. The test cell's outputs are written here, so nothing
    that the kernel prints or displays can become a mark.

    A kernel that dies or does not answer is replaced, and what ran before is run again without the
    cell that ended it. Time is short for those who waste it: after each time-out the next cell or
    exercise gets half as long, down to PATIENCE seconds; when the notebook's time is used up, only
    the lesson's own cells are run. Output beyond the limits is dropped while it comes in, and the
    cell runs on.
    """

    PATIENCE = 2.0  # seconds that every cell gets, however many have run out of time before
    AT_LAST = 1.0  # seconds that an answer gets when the notebook's time is used up
    GRACE = 2.0  # seconds between the probe's own alarm and giving up on the kernel

    seconds = Float(
        SECONDS, help="Time for all calls that the judge makes for one exercise, in seconds."
    ).tag(config=True)

    notebook_seconds = Float(
        120.0, help="Time for the whole notebook; see the class for what happens then."
    ).tag(config=True)

    output_bytes = Integer(1_000_000, help="Output kept of one cell, in bytes.").tag(config=True)

    output_count = Integer(100, help="Outputs kept of one cell.").tag(config=True)

    message_bytes = Integer(
        16_000_000, help="The largest message that is taken from a kernel, in bytes."
    ).tag(config=True)

    seed = Integer(
        None,
        allow_none=True,
        help="Seed of the hidden cases; by default fresh in each run. A verdict records its seed.",
    ).tag(config=True)

    sandbox = Enum(
        sandbox.MODES,
        "auto",
        help="Whether student code runs in a sandbox: `require` one, use one where this machine "
        "can (`auto`), or `off`.",
    ).tag(config=True)

    timeout = Integer(10, help="Time for one cell, in seconds.").tag(config=True)
    iopub_timeout = Integer(2, help=Execute.iopub_timeout.help).tag(config=True)
    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)
    record_timing = Bool(False).tag(config=True)
    store_widget_state = Bool(False).tag(config=True)

    def preprocess(self, nb, resources, km=None):
        """Run and judge; `resources["autograder"]["verdicts"]` are the verdicts, {id: dict}."""
        self._executed = []  # cells that have run, to be run again in a new kernel
        self._errors = {}  # grade id of an answer cell: the error that its last run ended with
        self._judged = {}  # cell id of a test cell: its Verdict, None if it could not be judged
        self._timeouts = 0
        self._slow = set()  # ids of cells that ran out of time
        self._deadline = time.monotonic() + self.notebook_seconds
        self._own = set(nb.metadata.get("autograder", {}).get("own", []))
        self._folder = None
        self.timeout_func = self._time_for
        here = {**(resources or {}), "metadata": dict((resources or {}).get("metadata", {}))}
        self._begun = False
        try:
            super().preprocess(nb, here, km)
        except Exception as error:
            if self._begun or isinstance(error, CourseError):
                raise
            # No student code has run yet: it is the machine's fault, and would be everybody's zero.
            raise CourseError(
                f"no kernel could be started here ({error}); `autograder doctor` may say why."
            ) from error
        finally:
            self._drop_folder()
        # The last word on all outputs is spoken here, when no kernel can speak any more.
        for cell in nb.cells:
            if cell.cell_type == "code":
                if cell.id not in self._judged:
                    cell.outputs = inert_outputs(cell.outputs)
                elif verdict := self._judged[cell.id]:
                    cell.outputs = [nbformat.from_dict(output) for output in verdict.outputs()]
                else:  # an error, since nbgrader gives full marks for no output
                    cell.outputs = [_error("NotJudged", "A person will look at this exercise.")]
        verdicts = {each.exercise: each.as_dict() for each in self._judged.values() if each}
        resources = {**(resources or {}), "autograder": {"verdicts": verdicts}}
        return nb, resources

    # ---- kernels

    def create_kernel_manager(self):
        """As nbclient does; each kernel gets an empty folder to work in, and a limit on messages.

        In the folder stands nothing that was sent along, so nothing there can be imported instead
        of the real thing. It goes with the kernel: what one kernel wrote, the next does not find.
        """
        self._drop_folder()
        self._folder = tempfile.mkdtemp(prefix="notebook-")
        self.resources["metadata"]["path"] = self._folder
        manager = super().create_kernel_manager()
        # Default options of all sockets to come: a larger message ends the connection, and what
        # waits to be read is bounded.
        manager.context.setsockopt(zmq.MAXMSGSIZE, self.message_bytes)
        manager.context.setsockopt(zmq.RCVHWM, 200)
        return manager

    def start_new_kernel(self, **options):
        """As nbclient does, but in the sandbox, and what the process itself writes goes nowhere.

        Student code can write to the process's own standard error; the grader's terminal is not
        the place for it. What cells print travels as messages and is kept.
        """
        sandbox.announce(self.sandbox, self.log.warning)
        hidden = [self._course()]
        self.km.kernel_spec.metadata["kernel_provisioner"] = {
            "provisioner_name": sandbox.PROVISIONER,
            "config": {"mode": self.sandbox, "hidden": hidden},
        }
        super().start_new_kernel(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)

    def _course(self):
        """The course's folder, which no student code may see."""
        if self.parent:  # in nbgrader's own autograde
            return self.parent.parent.coursedir.root
        return self.config.CourseDirectory.get("root") or str(Path.cwd())

    def _drop_folder(self):
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _restart(self, only=lambda cell: True):
        """A fresh kernel in the state that the cells before this one had left.

        A cell that ends the kernel now, though it did not before, is left out from here on; where
        it is the lesson's, the student's own cells are left out first.
        only: which of the cells to run again.
        """
        while True:
            self._cleanup_kernel()
            self.km = self.create_kernel_manager()
            self.start_new_kernel()
            self.start_new_kernel_client()
            for cell in [cell for cell in self._executed if only(cell)]:
                scratch = nbformat.v4.new_code_cell(cell.source, id=cell.id)
                self.nb.cells.append(scratch)
                try:
                    ended = self._run(scratch, len(self.nb.cells) - 1)
                finally:
                    self.nb.cells.pop()
                if ended:
                    if cell.id in self._own or not self._leave_out_own():
                        self._executed = [each for each in self._executed if each is not cell]
                    break
            else:
                return

    def _leave_out_own(self):
        """From here on do without the student's own cells: one of them may end each new kernel a
        moment later, in a cell that is not to blame. Returns whether there were any."""
        before = len(self._executed)
        self._executed = [each for each in self._executed if each.id not in self._own]
        return len(self._executed) < before

    # ---- cells

    def preprocess_cell(self, cell, resources, index):
        self._begun = True
        if cell.cell_type != "code":
            return cell, resources
        id = self._exercise(cell)
        if id:
            self._judged[cell.id] = self._verdict(id)
            return cell, resources
        if cell.id in self._own and time.monotonic() > self._deadline:
            cell.outputs = [_stopped("The notebook's time was used up. This cell was not run.")]
            return cell, resources
        ended = self._run(cell, index)
        if ended == "died":  # perhaps by something that an earlier cell had left running
            self._restart()
            ended = self._run(cell, index)
        if ended == "died" and cell.id not in self._own and self._leave_out_own():
            self._restart()
            ended = self._run(cell, index)
        if ended:
            how = "The kernel died" if ended == "died" else "Time ran out"
            cell.outputs.append(
                _stopped(
                    f"{how} in this cell. The cells after it were run in a new kernel, without it."
                )
            )
            self._restart()
        else:
            self._executed.append(cell)
        self._note_error(cell)
        return cell, resources

    def _run(self, cell, index):
        """Run a cell; returns None, or how it ended the kernel: "died" or "hung"."""
        self._bytes = 0
        began, allowed = time.monotonic(), self._time_for(cell)
        try:
            self.execute_cell(cell, index, store_history=True)
            late = time.monotonic() - began >= allowed
        except DeadKernelError:
            return "died"
        except CellTimeoutError:
            late = True
        except Exception as error:  # a kernel can send anything; it costs the cell, not the class
            self.log.warning("A cell could not be run: %s: %s", type(error).__name__, error)
            late = True
        if not late:
            return None
        if cell.id not in self._slow:
            self._slow.add(cell.id)
            self._timeouts += 1
        try:
            return None if self._responds() else "hung"
        except DeadKernelError:
            return "died"

    async def _async_poll_kernel_alive(self):
        """As nbclient does; for a cell that could not be run it looks on after the kernel has been
        put away, and must not complain about that on the grader's terminal."""
        with contextlib.suppress(AssertionError):
            await super()._async_poll_kernel_alive()

    def _time_for(self, cell):
        """How long a cell may take; again, if it has run out of time before, only a moment."""
        return self._allowance(self.AT_LAST if cell.id in self._slow else self.timeout)

    def _allowance(self, seconds):
        """How long something may take that is to get so many seconds."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return min(seconds, self.AT_LAST)
        patience = max(self.PATIENCE, seconds / 2**self._timeouts)
        return min(seconds, patience, max(left, self.AT_LAST))

    def process_message(self, msg, cell, cell_index):
        """As nbclient does, within the limits, and unharmed by messages that make no sense."""
        kind = msg.get("msg_type")
        try:
            if kind in ("stream", "display_data", "execute_result", "update_display_data", "error"):
                if self._bytes > self.output_bytes or len(cell.outputs) >= self.output_count:
                    return None
                self._bytes += len(json.dumps(msg["content"], default=str))
                if self._bytes > self.output_bytes and kind != "error":
                    text = f"… output cut here: more than {self.output_bytes:,} bytes.\n"
                    msg = {**msg, "msg_type": "stream"}
                    msg["header"] = {**msg["header"], "msg_type": "stream"}
                    msg["content"] = {"name": "stdout", "text": text}
            elif kind == "clear_output":
                self._bytes = 0
            elif kind not in ("status", "execute_input"):
                return None  # widgets: nobody is there to move them
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception as error:
            self.log.debug("A message that makes no sense: %s", error)
            return None

    def output(self, outs, msg, display_id, cell_index):
        """As nbclient does; what is printed piece by piece becomes one output."""
        content = msg["content"]
        last = outs[-1] if outs else {}
        if (
            msg["msg_type"] == "stream"
            and last.get("output_type") == "stream"
            and last.get("name") == content["name"]
            and not self.clear_before_next_output
        ):
            last["text"] += content["text"]
            return last
        return super().output(outs, msg, display_id, cell_index)

    def _note_error(self, cell):
        if is_solution(cell):
            errors = [out for out in cell.outputs if out.output_type == "error"]
            text = f"{errors[0].ename}: {errors[0].evalue}"[:200] if errors else None
            self._errors[grade_id(cell)] = text

    # ---- exercises

    @staticmethod
    def _exercise(cell):
        """The exercise that a test cell tests, None for any other cell."""
        if cell.cell_type != "code" or not is_test(cell):
            return None
        id = cell.metadata.nbgrader["grade_id"].removeprefix("test_")
        return id if id in hidden.load() else None

    def _verdict(self, id):
        """Judge one exercise; None if that cannot be done. A kernel that dies gets two more
        chances: what killed it may have been left running by another cell, so the last try runs
        the lesson's own cells and this answer alone."""
        plan = Plan(id, self.seed)
        seconds = self._allowance(self.seconds)

        def alone(cell):
            return cell.id not in self._own and grade_id(cell) in (None, id)

        seen = plan.all_failed("KernelDied", "Python itself came to an end in your code.")
        for attempt in ("here", "again", "alone"):
            if attempt != "here":
                self._restart(*([alone] if attempt == "alone" else []))
            try:
                seen = plan.observations(self._ask(plan.request(seconds), seconds))
                fit = attempt != "alone"  # to go on with
                break
            except DeadKernelError:
                fit = False
            except TimeoutError:
                seen = plan.all_failed("TimeOut", f"it had {seconds:g} seconds")
                fit = False
                break
        if not fit:
            self._restart()
        if any(s.raised and s.raised.kind == "TimeOut" for s in seen):
            self._timeouts += 1
        if self._errors.get(id) and all(s.raised and s.raised.kind == "Missing" for s in seen):
            text = f"The cell of {id} could not be run: {self._errors[id]}."
            seen = plan.all_failed("Unreadable", text)
        try:
            return plan.verdict(seen)
        except Exception as error:  # what nobody has thought of costs this verdict and no other
            self.log.error("%s could not be judged: %s: %s", id, type(error).__name__, error)
            return None

    def _ask(self, request, seconds):
        """Have the probe answer a request in the kernel; returns its reply, JSON text."""
        # The probe's code and the inputs travel as one expression: nothing is left behind in the
        # student's namespace. The reply comes back as a payload of the execute reply, since IPython
        # formats the value of an expression, and a session may have its own way to format a text.
        expression = (
            f"(lambda space, shell: (__import__('builtins').exec({PROBE!r}, space), "
            "shell.payload_manager.write_payload({'source': 'probe', 'reply': "
            f"space['answer']({json.dumps(request)!r}, shell.user_ns)"
            "}))[0])({'__name__': 'probe'}, __import__('IPython').get_ipython())"
        )
        message = run_sync(ensure_async)(
            self.kc.execute(
                "", silent=True, store_history=False, user_expressions={"probe": expression}
            )
        )
        # The probe's own alarm rings first.
        return _text_of(self._reply(message, seconds + self.GRACE))

    def _responds(self):
        """Whether the kernel answers: it may be busy with what it was told to stop."""
        try:
            self._reply(run_sync(ensure_async)(self.kc.kernel_info()), self.GRACE)
        except TimeoutError:
            return False
        return True

    def _reply(self, message, seconds):
        """The kernel's reply to a message; TimeoutError or DeadKernelError if there is none."""
        return run_sync(self._async_reply)(message, seconds)

    async def _async_reply(self, message, seconds):
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            try:
                reply = await ensure_async(self.kc.shell_channel.get_msg(timeout=min(0.25, left)))
                mine = reply["parent_header"].get("msg_id") == message
            except Empty:
                if not await ensure_async(self.kc.is_alive()):
                    raise DeadKernelError("Kernel died") from None
                continue
            except (ValueError, TypeError, KeyError, AttributeError):  # not a message at all
                continue
            if mine:
                return reply


def _text_of(reply):
    """The text that the probe sent with this reply; "" if there is none."""
    try:
        sent = [each["reply"] for each in reply["content"]["payload"] if each["source"] == "probe"]
    except (KeyError, TypeError):
        return ""
    text = sent[0] if len(sent) == 1 else ""
    return text if isinstance(text, str) and len(text) <= 4 * MAX_BYTES else ""


def _stopped(text):
    """The output of a cell that ended the kernel, or that was not run."""
    return _error("KernelStopped", text)


def _error(name, text):
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])


# ---------------------------------------------------------------- feedback


class FeedbackPage(NbGraderPreprocessor):
    """Before a feedback page is written: a summary, and nothing that is not for students.

    The hidden lines of the test cells go (they give nothing away, and explain nothing either), and
    so does the bare number by which nbgrader reads a score: the verdict says it in words. All
    other outputs are made inert, whenever and however they got into the notebook.
    """

    def preprocess(self, nb, resources):
        where = resources["nbgrader"]
        exchange.complete(_folder(self, "feedback", where["student"], where["assignment"]))
        rows = []
        for cell in nb.cells:
            if cell.cell_type == "code" and is_test(cell):
                cell.source = HIDDEN_TESTS.sub("", cell.source).rstrip()
                verdicts = [
                    out["data"][MIME] for out in cell.outputs if MIME in out.get("data", {})
                ]
                rows.append((nbgrader(cell), verdicts[0] if verdicts else {}))
                cell.outputs = [out for out in cell.outputs if out.output_type != "execute_result"]
            elif cell.cell_type == "code":
                cell.outputs = inert_outputs(cell.outputs)
            cell.source = shortened(cell.source, MAX_SOURCE)
        repairs = nb.metadata.get("autograder", {}).get("repairs", [])
        nb.metadata.pop("widgets", None)
        resources["autograder"] = {
            "policy": POLICY,
            "code_style": HtmlFormatter().get_style_defs(".highlight"),
            "summary": _summary(rows, repairs, where),
        }
        return nb, resources


HIDDEN_TESTS = re.compile(r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


class FeedbackExporter(HTMLExporter):
    """The feedback page: nbconvert's, with a template of ours on which nothing acts.

    Whatever Markdown becomes is cleaned before it stands in the page. The page is looked at once
    more when it is done; one that a strict policy would object to is not written.
    """

    def default_filters(self):
        yield from super().default_filters()
        yield ("markdown2html", self.inert_markdown)

    def inert_markdown(self, source):
        """Markdown as HTML, without anything that acts, refers or is fetched."""
        renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))

    def from_notebook_node(self, nb, resources=None, **options):
        page, resources = super().from_notebook_node(nb, resources, **options)
        if found := offences(page):
            raise ValueError(f"this feedback page would not be inert: {'; '.join(found[:5])}")
        return page, resources


def _summary(rows, repairs, totals):
    """The feedback page's head: a row for each exercise, and what was repaired.

    rows: for each test cell its nbgrader metadata, with the score that stands in the gradebook,
    and its verdict. A person may have changed the score since; then the page says so.
    """
    lines = []
    for label, verdict in rows:
        score, most = label.get("score") or 0.0, label.get("points") or 0.0
        id = label["grade_id"].removeprefix("test_")
        words = with_code(verdict.get("message", "This exercise was not judged."))
        if verdict and abs(verdict["score"] - score) > 1e-6:
            words += f" <b>A person has changed these points (the tests: {verdict['score']:g}).</b>"
        lines.append(
            _row(
                "td",
                f"{'✔' if score >= most else '✘'}&nbsp;"
                f"<a href='#test_{html.escape(id)}'>{html.escape(id)}</a>",
                f"{score:g}&nbsp;of&nbsp;{most:g}",
                words,
            )
        )
    late = totals.get("late_penalty") or 0
    mended = "".join(f"<li>{html.escape(repair)}</li>" for repair in repairs)
    return (
        f"<h1>{html.escape(totals['notebook'])}: {max(0.0, totals['score']):g} of "
        f"{totals['max_score']:g} points</h1>"
        + (f"<p class='late'>{_taken_off(late)}</p>" if late else "")
        + f"<table>{_row('th', 'exercise', 'points', 'what the tests say')}{''.join(lines)}</table>"
        + (f"<p>Before grading, your notebook was repaired:</p><ul>{mended}</ul>" if mended else "")
    )


def _taken_off(points):
    return f"{points_in_words(points)} {'was' if points == 1 else 'were'} taken off for lateness."


def _row(tag, *cells):
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


class ExportMarks(ExportPlugin):
    """`nbgrader export --exporter autograder.nbgrader_plugins.ExportMarks`: one row a student.

    flags: {lesson: {student: sentences}}, what a person should look at. The gradebook does not know
    it; `autograder export` does.
    """

    flags = MappingProxyType({})

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
                penalty = submission.late_submission_penalty
                row[f"{assignment.name}:raw_score"] = submission.score
                row[f"{assignment.name}:late_seconds"] = submission.total_seconds_late
                row[f"{assignment.name}:late_penalty"] = penalty
                row[f"{assignment.name}:score"] = max(0.0, submission.score - penalty)
                row[f"{assignment.name}:max"] = submission.max_score
                if (flags := self.flags.get(assignment.name)) is not None:
                    row[f"{assignment.name}:flags"] = "; ".join(flags.get(student, ()))
                columns += [key for key in row if key not in columns]
        with open(self.to or "marks.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(rows.values())
