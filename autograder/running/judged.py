"""A session in which the judge speaks where a test cell stands.

The judge draws inputs in this process; only they go into the kernel, and only what the student's
functions returned comes back. The test cell's outputs are written here, so nothing that the kernel
prints or displays can become a mark.
"""

from collections.abc import Iterable
from typing import Any

import nbformat
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from traitlets import Float, Integer

from autograder.judging import SECONDS, Plan, hidden
from autograder.submissions import grade_id, inert_outputs, is_solution, is_test

from .session import Session, error_output


class JudgedSession(Session):
    """Runs the cells of a notebook; judges instead where a test cell stands."""

    seconds = Float(
        SECONDS, help="Time for all calls that the judge makes for one exercise, in seconds."
    ).tag(config=True)

    seed = Integer(
        None,
        allow_none=True,
        help="Seed of the hidden cases; by default fresh in each run. A verdict records its seed.",
    ).tag(config=True)

    def begin(self, own: Iterable[str]) -> None:
        super().begin(own)
        self._errors = {}  # grade id of an answer cell: the error that its last run ended with
        self._judged = {}  # cell id of a test cell: its Verdict, None if it could not be judged

    def run_or_judge(self, cell: NotebookNode, index: int) -> None:
        """What is due at this cell."""
        if cell.cell_type != "code":
            return
        if id := self._exercise(cell):
            self._judged[cell.id] = self._verdict(id)
            return
        self.run(cell, index)
        if is_solution(cell):
            errors = [out for out in cell.outputs if out.output_type == "error"]
            text = f"{errors[0].ename}: {errors[0].evalue}"[:200] if errors else None
            self._errors[grade_id(cell)] = text

    def speak(self, nb: NotebookNode) -> dict[str, dict[str, Any]]:
        """Write the last word on all outputs, when no kernel can speak any more; returns the
        verdicts, {exercise id: dict}."""
        for cell in nb.cells:
            if cell.cell_type == "code":
                if cell.id not in self._judged:
                    cell.outputs = inert_outputs(cell.outputs)
                elif verdict := self._judged[cell.id]:
                    cell.outputs = [nbformat.from_dict(output) for output in verdict.outputs()]
                else:  # an error, since nbgrader gives full marks for no output
                    text = "A person will look at this exercise."
                    cell.outputs = [error_output("NotJudged", text)]
        return {each.exercise: each.as_dict() for each in self._judged.values() if each}

    @staticmethod
    def _exercise(cell):
        """The exercise that a test cell tests, None for any other cell."""
        if not is_test(cell):
            return None
        id = cell.metadata.nbgrader["grade_id"].removeprefix("test_")
        return id if id in hidden.load() else None

    def _verdict(self, id):
        """Judge one exercise; None if that cannot be done."""
        plan = Plan(id, self.seed)
        seen = self._observations(plan, self.clock.allows(self.seconds))
        if any(s.raised and s.raised.kind == "TimeOut" for s in seen):
            self.clock.note_timeout()
        if self._errors.get(id) and all(s.raised and s.raised.kind == "Missing" for s in seen):
            text = f"The cell of {id} could not be run: {self._errors[id]}."
            seen = plan.all_failed("Unreadable", text)
        try:
            return plan.verdict(seen)
        except Exception as error:  # what nobody has thought of costs this verdict and no other
            self.log.error("%s could not be judged: %s: %s", id, type(error).__name__, error)
            return None

    def _observations(self, plan, seconds):
        """What was observed of one exercise's answers. A kernel that dies gets two more chances:
        what killed it may have been left running by another cell, so the last try runs the
        lesson's own cells and this answer alone."""
        id = plan.exercise.id

        def alone(cell):
            return cell.id not in self._own and grade_id(cell) in (None, id)

        seen = plan.all_failed("KernelDied", "Python itself came to an end in your code.")
        for attempt in ("here", "again", "alone"):
            if attempt != "here":
                self.restart(*([alone] if attempt == "alone" else []))
            try:
                seen = plan.observations(self.ask(plan.request(seconds), seconds))
                fit = attempt != "alone"  # to go on with
                break
            except DeadKernelError:
                fit = False
            except TimeoutError:
                seen = plan.all_failed("TimeOut", f"it had {seconds:g} seconds")
                fit = False
                break
        if not fit:
            self.restart()
        return seen
