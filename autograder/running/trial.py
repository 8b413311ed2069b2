"""`autograder try`: judge answer files one by one, each in a process of its own.

One clean process is started in the sandbox and forks for every answer, so that hundreds take a
minute; see `autograder.judging.probe.serve`. What comes back is judged here.
"""

import inspect
import json
import secrets
import subprocess

from autograder.interpreter import PYTHON
from autograder.judging import SECONDS, Plan, probe

from . import sandbox


class Trials:
    """A process that runs answers; use as a context manager, then `judge(exercise, code)`.

    sandbox: "require", "auto" or "off", see `autograder.running.sandbox`.
    """

    def __init__(self, seconds=SECONDS, sandbox="auto"):
        self.seconds = seconds
        self.sandbox = sandbox
        self.process = None

    def __enter__(self):
        sandbox.announce(self.sandbox)
        return self

    def __exit__(self, *exc):
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.terminate()
            self.process.wait()
            self.process = None

    def _start(self):
        if self.process is None or self.process.poll() is not None:
            # As text, because the sandbox holds no file of `autograder`; -P: no module from here.
            self.process = sandbox.popen(
                [str(PYTHON), "-P", "-u", "-c", inspect.getsource(probe), "serve"],
                self.sandbox,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )

    def judge(self, id, code, name="answer.py", seed=None):
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
        self._start()
        ticket = secrets.token_hex(16)
        try:
            self.process.stdin.write(json.dumps({**job, "ticket": ticket}) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith(ticket):
                    return line[len(ticket) :]
        except BrokenPipeError:
            pass
        self.process.kill()
        self.process.wait()
        self.process = None
        return ""
