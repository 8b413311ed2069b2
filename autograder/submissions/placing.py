"""Where each cell stands: in the lesson's order, with what is missing put back."""

import copy
import re

from .cells import grade_id, is_solution, is_test, make_code, nbgrader
from .source import defined, imported, indented, parses

MAX_PARTS = 4  # cells that one answer may have been split into


class Placing:
    """`pairs` is the notebook as a `Matching` leaves it, and is put in order here. `say` is told
    each repair, as a sentence."""

    def __init__(self, pairs, released, say):
        self.pairs, self.released, self.say = pairs, released, say
        self.order = {id(model): place for place, model in enumerate(released)}
        self.solutions = [cell for cell in released if is_solution(cell)]
        self.tests = [cell for cell in released if is_test(cell)]

        self.restore_order()
        self.join_parts()
        self.put_back_tests()
        self.put_back_imports()

    def place(self, pair):
        return self.order[id(pair[0])]

    def restore_order(self):
        places = [self.place(pair) for pair in self.pairs if pair[0] is not None]
        if places == sorted(places):
            return
        groups = [[]]  # what stands before the first released cell, then a group for each
        for pair in self.pairs:
            if pair[0] is not None:
                groups.append([])
            groups[-1].append(pair)
        groups[1:] = sorted(groups[1:], key=lambda group: self.place(group[0]))
        self.pairs = [pair for group in groups for pair in group]
        self.say("The lesson's cells stood in another order; they were put back into the lesson's.")

    def join_parts(self):
        """Bring together answers that were split: in the middle of the code, or by functions."""
        for solution in self.solutions:
            answer = self.of(solution)
            if answer is None:
                continue
            parts = self.cut_off(answer)
            lacking = defined(solution.source) - defined(answer[1].source)
            start = self.index(answer) + 1
            others = [
                pair for pair in self.pairs if pair[0] is None and defined(pair[1].source) & lacking
            ]
            if others and not parts:
                test = self.index(self.test_behind(answer))
                for pair in others:
                    make_code(pair[1])
                late = [pair for pair in others if self.index(pair) > test >= 0]
                for pair in late:
                    self.pairs.remove(pair)
                self.pairs[start:start] = late
                parts = len(others)
            if parts:
                self.say(
                    f"The answer “{grade_id(solution)}” was spread over {parts + 1} cells; they "
                    "were graded together."
                )

    def cut_off(self, answer):
        """Join an answer that was cut in the middle of its code; returns how many cells it took."""
        start = self.index(answer) + 1
        goes_on = start < len(self.pairs) and indented(self.pairs[start][1].source)
        if parses(answer[1].source) and not goes_on:
            return 0
        joined = answer[1].source
        for count, pair in enumerate(self.pairs[start : start + MAX_PARTS], 1):
            if pair[0] is not None:
                return 0
            joined += "\n" + pair[1].source
            if parses(joined):
                answer[1].source = joined
                del self.pairs[start : start + count]
                return count
        return 0

    def put_back_tests(self):
        for test in self.tests:
            if self.of(test) is None:
                self.insert(test)

    def put_back_imports(self):
        """Put back a released cell of imports that was deleted, if an answer needs it."""
        code = [cell.source for _, cell in self.pairs if cell.cell_type == "code"]
        have = set().union(*(imported(source) for source in code))
        answers = [cell.source for model, cell in self.pairs if model in self.solutions]
        words = set(re.findall(r"\w+", "\n".join(answers)))
        for model in reversed(self.released):
            if nbgrader(model) or model.cell_type != "code" or self.of(model) is not None:
                continue
            if (imported(model.source) - have) & words:
                self.insert(model, first=True)
                self.say("The cell with the lesson's imports was missing; it was put back.")

    def of(self, model):
        """The pair that stands for a released cell, None if there is none."""
        return next((pair for pair in self.pairs if pair[0] is model), None)

    def index(self, pair):
        return next((i for i, p in enumerate(self.pairs) if p is pair), -1)

    def test_behind(self, answer):
        """The pair of the first test behind an answer in the lesson's order."""
        behind = [test for test in self.tests if self.order[id(test)] > self.place(answer)]
        return self.of(behind[0]) if behind else None

    def insert(self, model, first=False):
        """Put a copy of a released cell behind the last one that comes before it in the lesson."""
        position = 0 if first else len(self.pairs)
        before = [
            i
            for i, pair in enumerate(self.pairs)
            if pair[0] is not None and self.place(pair) < self.order[id(model)]
        ]
        if before:
            position = before[-1] + 1
            answer = self.pairs[before[-1]][0]
            # An answer's own further cells stay before its test.
            if is_test(model) and is_solution(answer):
                wanted = defined(answer.source)
                while position < len(self.pairs) and (
                    self.pairs[position][0] is None
                    and defined(self.pairs[position][1].source) & wanted
                ):
                    position += 1
        self.pairs.insert(position, [model, copy.deepcopy(model)])
