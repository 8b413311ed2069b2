"""What stands for what: which of a submission's cells is which cell of the release."""

import copy

from .cells import grade_id, is_solution, is_test, make_code, nbgrader
from .inert import short
from .source import defined


class Matching:
    """`pairs` is the notebook, as [model or None, cell], model being the released cell that a cell
    stands for. `say` is told each repair, as a sentence."""

    def __init__(self, cells, released, say):
        self.released, self.say = released, say
        self.solutions = [cell for cell in released if is_solution(cell)]
        self.tests = [cell for cell in released if is_test(cell)]
        self.labels = {grade_id(cell) for cell in self.solutions + self.tests}

        self.pairs = [[None, cell] for cell in cells]
        self.match_tests()
        self.match_plain_cells()
        for solution in self.solutions:
            self.match_answer(solution)
        self.take_labels()

    def match_tests(self):
        by_id = {grade_id(test): test for test in self.tests}
        by_source = {test.source.strip(): test for test in self.tests}
        seen = {id_: [] for id_ in by_id}
        pairs = []
        for model, cell in self.pairs:
            blank = by_source.get(cell.source.strip())
            own = by_id.get(grade_id(cell)) if is_test(cell) else None
            test = own if own is not None else blank
            if test is None:
                pairs.append([model, cell])
                continue
            if blank is None:
                kept = copy.deepcopy(cell)
                kept.metadata = type(cell.metadata)()
                pairs.append([None, kept])
            seen[grade_id(test)].append(cell)
            pairs = [pair for pair in pairs if pair[0] is not test]  # the last place counts
            restored = copy.deepcopy(test)
            restored["id"] = cell.get("id")
            pairs.append([test, restored])
        self.pairs = pairs
        for id_, cells in seen.items():
            if not cells:
                self.say(f"The test cell “{id_}” was missing; it was put back.")
            elif len(cells) > 1:
                self.say(f"The test cell “{id_}” stood {len(cells)} times; one was kept.")

    def match_plain_cells(self):
        plain = [cell for cell in self.released if not nbgrader(cell)]
        for by in ("source", "id"):
            free = {
                _key(model, by): model
                for model in reversed(plain)
                if not any(pair[0] is model for pair in self.pairs)
            }
            for pair in self.pairs:
                if pair[0] is None and not grade_id(pair[1]):
                    pair[0] = free.pop(_key(pair[1], by), None)

    def match_answer(self, solution):
        """Find the cell that answers, make it the answer cell, and tell what was wrong."""
        id_ = grade_id(solution)
        candidates = self.candidates(solution)
        if not candidates:
            self.say(f"The answer cell “{id_}” was missing; it counts as not written.")
            return
        blank = solution.source.strip()
        written = [pair for pair in candidates if pair[1].source.strip() != blank]
        best = self.best(solution, candidates, written)
        cell = best[1]
        if grade_id(cell) != id_:
            self.say(f"The answer cell “{id_}” had lost its label; it was found by its code.")
        if cell.cell_type != "code":
            self.say(f"The answer cell “{id_}” had become text; it was made code again.")
        for pair in candidates:
            pair[1].metadata.pop("nbgrader", None)
        self.pairs = [
            pair
            for pair in self.pairs
            if pair is best or not any(pair is p for p in candidates) or pair in written
        ]
        best[0] = solution
        cell.metadata = copy.deepcopy(solution.metadata)
        make_code(cell)

    def candidates(self, solution):
        """The pairs that may hold the answer: those with its label, else by what they define."""
        blank = solution.source.strip()
        wanted = defined(solution.source)
        # A cell that still stands as it was released for another purpose is nobody's answer.
        free = [pair for pair in self.pairs if pair[0] is None]
        labelled = [pair for pair in free if grade_id(pair[1]) == grade_id(solution)]
        candidates = labelled
        if not any(pair[1].source.strip() != blank for pair in labelled):
            candidates = [p for p in free if p in labelled or self.defines(solution, p[1])]
        if not any(defined(pair[1].source) & wanted for pair in candidates):
            # The answer may stand in another exercise's cell, with nothing of its own in here.
            misplaced = [p for p in free if self.defines(solution, p[1], misplaced=True)]
            candidates = misplaced or candidates
        return candidates

    def best(self, solution, candidates, written):
        """The one of the candidates that is graded: the last that somebody has `written` in."""
        wanted = defined(solution.source)
        best = (written or candidates)[-1]
        found = [pair for pair in written if defined(pair[1].source) & wanted]
        lacking = wanted - defined(best[1].source)
        if any(defined(pair[1].source) & lacking for pair in found):
            best = found[0]  # a cell was split, each part has the label; `Placing` joins them
        elif len(candidates) > 1:
            self.say(
                f"There were {len(candidates)} cells for “{grade_id(solution)}”; the last one you "
                "had written in was graded."
            )
        return best

    def defines(self, solution, cell, misplaced=False):
        """Whether a cell without a label of this lesson (or, `misplaced`, with another exercise's)
        defines what the solution does: all of it or, in a part, some of it."""
        wanted = defined(solution.source)
        label = grade_id(cell)
        if label in self.labels:
            if not misplaced or not is_solution(cell):
                return False
            own = next((s for s in self.solutions if grade_id(s) == label), None)
            return bool(wanted) and wanted <= defined(cell.source) - (
                defined(own.source) if own is not None else set()
            )
        found = defined(cell.source)
        return bool(wanted & found) if misplaced else bool(wanted) and wanted <= found

    def take_labels(self):
        """Take the label off every cell that is not a released one."""
        for model, cell in self.pairs:
            if model is None and nbgrader(cell):
                if grade_id(cell) not in self.labels and (is_solution(cell) or is_test(cell)):
                    self.say(f"A cell labelled “{short(grade_id(cell))}” is not of this lesson.")
                cell.metadata.pop("nbgrader", None)


def _key(cell, by):
    if by == "id":
        return cell.get("id") if isinstance(cell.get("id"), str) else object()
    return cell.source.strip()
