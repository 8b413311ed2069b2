"""`autograder try`: judge answer files one by one, each in a process of its own.

One clean process is started in the sandbox and forks for every answer, so that hundreds take a
minute; see `autograder.judging.probe.serve`. What comes back is judged here.
"""

import contextlib
import inspect
import json
import secrets
import subprocess
from typing import Any, Self

from autograder.interpreter import PYTHON
from autograder.judging import SECONDS, Plan, Verdict, probe

from . import sandbox


class Trials:
    """A process that runs answers; use as a context manager, then `judge(exercise, code)`.

    sandbox: "require", "auto" or "off", see `autograder.running.sandbox`.
    """

    def __init__(self, seconds: float = SECONDS, sandbox: str = "auto") -> None:
        self.seconds = seconds
        self.sandbox = sandbox
        self.process: Any = None

    def __enter__(self) -> Self:
        sandbox.announce(self.sandbox)
        return self

    def __exit__(self, *exc: object) -> None:
        self._end()

    def _running(self):
        """The process, started anew if there is none."""
        if self.process is None or self.process.poll() is not None:
            self._end()
            # As text, because the sandbox holds no file of `autograder`; -P: no module from here.
            self.process = sandbox.popen(
                [str(PYTHON), "-P", "-u", "-c", inspect.getsource(probe), "serve"],
                self.sandbox,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self.process

    def _end(self):
        """End the process, if there is one."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()
            with contextlib.suppress(BrokenPipeError), process:
                pass  # the end of the block closes its pipes, and waits for it

    def judge(
        self, id: str, code: str, name: str = "answer.py", seed: int | None = None
    ) -> Verdict:
        """The `Verdict` on an answer, given as its source text."""
        plan = Plan(id, seed)
        job = {
            "code": code,
            "name": name,
            "seconds": self.seconds,
            "request": plan.request(self.seconds),
        }
        return plan.verdict(plan.observations(self._ask(job)))

    def _ask(self, job):
        """The reply to a job; "" if the process ended over it, which the next job starts anew.

        Each job has a ticket that no earlier answer can know: what one answer may have written
        into the pipe is never taken for the reply to another.
        """
        process = self._running()
        ticket = secrets.token_hex(16)
        try:
            process.stdin.write(json.dumps({**job, "ticket": ticket}) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith(ticket):
                    return line[len(ticket) :]
        except BrokenPipeError:
            pass
        self._end()
        return ""
