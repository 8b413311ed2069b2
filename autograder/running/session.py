"""One notebook's session: a kernel in the sandbox, in which cells run and requests are answered.

Student code can do anything to the kernel. A session bounds what comes of it: the time of each
cell and of the whole notebook, what is kept of the output, and the size of a message. A kernel
that dies or does not answer is replaced by one in the same state.
"""

import contextlib
import inspect
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from queue import Empty
from typing import Any

import nbformat
import zmq
from jupyter_core.utils import ensure_async, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError, DeadKernelError
from traitlets import Bool, Enum, Float, Integer

from autograder.judging import probe
from backprop_kit.checking.observe import MAX_BYTES

from . import sandbox

PROBE = inspect.getsource(probe)


class Clock:
    """How long things may take in one notebook.

    After each time-out the next cell or exercise gets half as long, down to PATIENCE; when the
    notebook's time is used up, AT_LAST is left for each. All in seconds.
    """

    PATIENCE = 2.0  # that everything gets, however much has run out of time before
    AT_LAST = 1.0  # that everything gets when the notebook's time is used up

    def __init__(self, seconds):
        self._deadline = time.monotonic() + seconds
        self._timeouts = 0
        self._slow = set()

    @property
    def is_up(self):
        """Whether the notebook's time is used up."""
        return time.monotonic() > self._deadline

    def allows(self, seconds):
        """How long something may take that is to get so many seconds."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            return min(seconds, self.AT_LAST)
        patience = max(self.PATIENCE, seconds / 2**self._timeouts)
        return min(seconds, patience, max(left, self.AT_LAST))

    def allows_cell(self, cell, seconds):
        """The same for a cell; if it has run out of time before, only a moment."""
        return self.allows(self.AT_LAST if cell.id in self._slow else seconds)

    def note_timeout(self, cell=None):
        """Something has run out of time; a cell counts once, however often it is run."""
        if cell is None or cell.id not in self._slow:
            self._timeouts += 1
        if cell is not None:
            self._slow.add(cell.id)


class Session(NotebookClient):
    """A kernel for one notebook; begin with `begin`, end with `end`."""

    GRACE = 2.0  # seconds between the probe's own alarm and giving up on the kernel

    km: Any  # the kernel's manager and client: while a notebook runs, they are there
    kc: Any

    notebook_seconds = Float(
        120.0, help="Time for the whole notebook; see the class for what happens then."
    ).tag(config=True)

    output_bytes = Integer(1_000_000, help="Output kept of one cell, in bytes.").tag(config=True)

    output_count = Integer(100, help="Outputs kept of one cell.").tag(config=True)

    message_bytes = Integer(
        16_000_000, help="The largest message that is taken from a kernel, in bytes."
    ).tag(config=True)

    sandbox = Enum(
        sandbox.MODES,
        "auto",
        help="Whether student code runs in a sandbox: `require` one, use one where this machine "
        "can (`auto`), or `off`.",
    ).tag(config=True)

    timeout = Integer(10, help="Time for one cell, in seconds.").tag(config=True)
    iopub_timeout = Integer(2, help=NotebookClient.iopub_timeout.help).tag(config=True)
    shutdown_kernel = Enum(["graceful", "immediate"], default_value="immediate").tag(config=True)
    record_timing = Bool(False).tag(config=True)
    store_widget_state = Bool(False).tag(config=True)

    def begin(self, own):
        """Before the first cell. own: the ids of cells that are the student's and no answer."""
        self.clock = Clock(self.notebook_seconds)
        self.timeout_func = lambda cell: self.clock.allows_cell(cell, self.timeout)
        self._own = set(own)
        self._executed = []  # cells that have run, to be run again in a new kernel
        self._folder = None

    def end(self):
        """After the last cell."""
        self._drop_folder()

    # ---- kernels

    def hidden(self):
        """The folders that no student code may see: the course's."""
        return [self.config.CourseDirectory.get("root") or str(Path.cwd())]

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
        self.km.kernel_spec.metadata["kernel_provisioner"] = {
            "provisioner_name": sandbox.PROVISIONER,
            "config": {"mode": self.sandbox, "hidden": self.hidden()},
        }
        try:
            super().start_new_kernel(
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
            )
        except BaseException:
            self._cleanup_kernel()  # what was taken for a kernel that does not come
            raise

    def _drop_folder(self):
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def restart(self, only=lambda cell: True):
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
                    ended = self._execute(scratch, len(self.nb.cells) - 1)
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

    def run(self, cell, index):
        """Run a cell, and be ready for the next one whatever it does.

        A cell that ends the kernel is told so in its outputs, and is left out of the new kernel.
        """
        if cell.id in self._own and self.clock.is_up:
            cell.outputs = [_stopped("The notebook's time was used up. This cell was not run.")]
            return
        ended = self._execute(cell, index)
        if ended == "died":  # perhaps by something that an earlier cell had left running
            self.restart()
            ended = self._execute(cell, index)
        if ended == "died" and cell.id not in self._own and self._leave_out_own():
            self.restart()
            ended = self._execute(cell, index)
        if not ended:
            self._executed.append(cell)
            return
        how = "The kernel died" if ended == "died" else "Time ran out"
        cell.outputs.append(
            _stopped(
                f"{how} in this cell. The cells after it were run in a new kernel, without it."
            )
        )
        self.restart()

    def _execute(self, cell, index):
        """Execute a cell; returns None, or how it ended the kernel: "died" or "hung"."""
        self._bytes = 0
        began, allowed = time.monotonic(), self.clock.allows_cell(cell, self.timeout)
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
        self.clock.note_timeout(cell)
        try:
            return None if self._responds() else "hung"
        except DeadKernelError:
            return "died"

    async def _async_poll_kernel_alive(self):
        """As nbclient does; for a cell that could not be run it looks on after the kernel has been
        put away, and must not complain about that on the grader's terminal."""
        with contextlib.suppress(AssertionError):
            await super()._async_poll_kernel_alive()

    # ---- what a kernel sends

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

    # ---- requests

    def ask(self, request, seconds):
        """Have the probe answer a request in the kernel; returns its reply, JSON text.

        Raises TimeoutError or DeadKernelError if there is no reply.
        """
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
    return error_output("KernelStopped", text)


def error_output(name, text):
    """An output of ours that shows as an error."""
    return nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
