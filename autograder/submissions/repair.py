"""Mend a submission before it is graded: put every released cell back where it belongs.

Notebooks come back with cells duplicated, split, deleted, reordered, retyped or stripped of their
metadata. The release says which cells there must be, and in which order.

- Test cells are taken from the release, always. What somebody has written into one stays, as an
  ordinary cell.
- An answer cell is looked for by its grade id and, where that is lost, foreign or on a blank cell,
  by the function it defines. Of several, the last one a student has written in counts, as it would
  in a notebook that is run from top to bottom; the others stay as ordinary cells.
- An answer in several cells is graded as one. Where the lesson's cells stand in another order they
  are put back into the lesson's, and each cell of a student's own stays behind the one it stood
  behind.
- Of the student's metadata nothing is kept that could change how a cell is run.

A cell with student work is never dropped. Every repair is told in a sentence.
"""

import ast
import copy
import re

from .cells import CELL_ID, grade_id, is_solution, is_test, nbgrader
from .inert import inert_text, printable

DEFINES = re.compile(r"^(?:(?:def|class)\s+(\w+)|(\w+)[ \t]*=(?!=))", re.MULTILINE)
INSTALLS = re.compile(
    r"^([ \t]*)([%!][ \t]*(?:python[\d.]*[ \t]+-m[ \t]+)?"
    r"(?:pip3?|conda|mamba|uv|apt|apt-get)\b[^\n]*)",
    re.MULTILINE,
)
MAX_PARTS = 4  # cells that one answer may have been split into
MAX_PARSED = 200_000  # characters of a cell that are looked at for what they import


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


def repair(submitted, released):
    """Mend notebook `submitted` in place after `released`; returns the repairs as sentences."""
    return _Repair(submitted, released).sentences


class _Repair:
    """One run: `pairs` is the notebook so far, as [model or None, cell], model being the released
    cell that a cell stands for."""

    def __init__(self, submitted, released):
        self.sentences = []
        self.released = released.cells
        self.order = {id(model): place for place, model in enumerate(self.released)}
        self.solutions = [cell for cell in self.released if is_solution(cell)]
        self.tests = [cell for cell in self.released if is_test(cell)]
        self.labels = {grade_id(cell) for cell in self.solutions + self.tests}

        self.take_metadata(submitted)
        self.pairs = [[None, cell] for cell in submitted.cells]
        self.match_tests()
        self.match_plain_cells()
        for solution in self.solutions:
            self.match_answer(solution)
        self.take_labels()
        self.restore_order()
        self.join_parts()
        self.put_back_tests()
        self.put_back_imports()
        self.leave_out_installs()

        submitted.cells = [cell for _, cell in self.pairs]
        submitted.metadata = copy.deepcopy(released.metadata)
        submitted.nbformat_minor = max(submitted.nbformat_minor, released.nbformat_minor)
        _unique_ids(submitted)

    def say(self, sentence):
        self.sentences.append(sentence)

    # ---- what stands for what

    def take_metadata(self, submitted):
        """Take off everything but a label that could be one."""
        changing = set()
        for cell in submitted.cells:
            tags = cell.metadata.get("tags")
            for tag in tags if isinstance(tags, list) else ():
                if tag in ("skip-execution", "raises-exception"):
                    changing.add(tag)
            label = copy.deepcopy(nbgrader(cell))
            cell.metadata = type(cell.metadata)()
            cell.pop("attachments", None)
            if isinstance(label.get("grade_id"), str):
                cell.metadata["nbgrader"] = label
        if changing:
            self.say(f"Tags that change how a cell is run were taken off: {_listed(changing)}.")

    def match_tests(self):
        by_id = {grade_id(test): test for test in self.tests}
        by_source = {test.source.strip(): test for test in self.tests}
        seen = {id_: [] for id_ in by_id}
        pairs = []
        for model, cell in self.pairs:
            blank = by_source.get(cell.source.strip())
            test = by_id.get(grade_id(cell)) if is_test(cell) else None
            if test is None and blank is None:
                pairs.append([model, cell])
                continue
            test = test if test is not None else blank
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
        blank = solution.source.strip()
        wanted = _defined(solution.source)
        # A cell that still stands as it was released for another purpose is nobody's answer.
        free = [pair for pair in self.pairs if pair[0] is None]
        labelled = [pair for pair in free if grade_id(pair[1]) == id_]
        candidates = labelled
        if not any(pair[1].source.strip() != blank for pair in labelled):
            candidates = [p for p in free if p in labelled or self.defines(solution, p[1])]
        if not any(_defined(pair[1].source) & wanted for pair in candidates):
            # The answer may stand in another exercise's cell, with nothing of its own in here.
            misplaced = [p for p in free if self.defines(solution, p[1], misplaced=True)]
            candidates = misplaced or candidates
        if not candidates:
            self.say(f"The answer cell “{id_}” was missing; it counts as not written.")
            return
        written = [pair for pair in candidates if pair[1].source.strip() != blank]
        best = (written or candidates)[-1]
        found = [pair for pair in written if _defined(pair[1].source) & wanted]
        lacking = wanted - _defined(best[1].source)
        if any(_defined(pair[1].source) & lacking for pair in found):
            best = found[0]  # a cell was split, and each part has the label; see `join_parts`
        elif len(candidates) > 1:
            self.say(
                f"There were {len(candidates)} cells for “{id_}”; the last one you had written in "
                "was graded."
            )
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
        _make_code(cell)

    def defines(self, solution, cell, misplaced=False):
        """Whether a cell without a label of this lesson (or, `misplaced`, with another exercise's)
        defines what the solution does: all of it or, in a part, some of it."""
        wanted = _defined(solution.source)
        label = grade_id(cell)
        if label in self.labels:
            if not misplaced or not is_solution(cell):
                return False
            own = next((s for s in self.solutions if grade_id(s) == label), None)
            return bool(wanted) and wanted <= _defined(cell.source) - (
                _defined(own.source) if own is not None else set()
            )
        found = _defined(cell.source)
        return bool(wanted & found) if misplaced else bool(wanted) and wanted <= found

    def take_labels(self):
        """Take the label off every cell that is not a released one."""
        for model, cell in self.pairs:
            if model is None and nbgrader(cell):
                if grade_id(cell) not in self.labels and (is_solution(cell) or is_test(cell)):
                    self.say(f"A cell labelled “{_short(grade_id(cell))}” is not of this lesson.")
                cell.metadata.pop("nbgrader", None)

    # ---- where it stands

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
            lacking = _defined(solution.source) - _defined(answer[1].source)
            start = self.index(answer) + 1
            others = [
                pair
                for pair in self.pairs
                if pair[0] is None and _defined(pair[1].source) & lacking
            ]
            if others and not parts:
                test = self.index(self.test_behind(answer))
                for pair in others:
                    _make_code(pair[1])
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
        goes_on = start < len(self.pairs) and _indented(self.pairs[start][1].source)
        if _parses(answer[1].source) and not goes_on:
            return 0
        joined = answer[1].source
        for count, pair in enumerate(self.pairs[start : start + MAX_PARTS], 1):
            if pair[0] is not None:
                return 0
            joined += "\n" + pair[1].source
            if _parses(joined):
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
        have = set().union(*(_imported(source) for source in code))
        answers = [cell.source for model, cell in self.pairs if model in self.solutions]
        words = set(re.findall(r"\w+", "\n".join(answers)))
        for model in reversed(self.released):
            if nbgrader(model) or model.cell_type != "code" or self.of(model) is not None:
                continue
            if (_imported(model.source) - have) & words:
                self.insert(model, first=True)
                self.say("The cell with the lesson's imports was missing; it was put back.")

    def leave_out_installs(self):
        found = []
        for model, cell in self.pairs:
            if cell.cell_type == "code" and (model is None or cell.source != model.source):
                found += [line.strip() for _, line in INSTALLS.findall(cell.source)]
                cell.source = INSTALLS.sub(r"\1pass  # not run while grading: \2", cell.source)
        if found:
            what = _listed({_short(line) for line in found[:3]})
            self.say(f"Lines that install packages are not run while grading: {what}.")

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
                wanted = _defined(answer.source)
                while position < len(self.pairs) and (
                    self.pairs[position][0] is None
                    and _defined(self.pairs[position][1].source) & wanted
                ):
                    position += 1
        self.pairs.insert(position, [model, copy.deepcopy(model)])


# ---------------------------------------------------------------- reading code without running it


def _defined(source):
    """The names that are defined at the left margin of this code."""
    return {name for names in DEFINES.findall(source) for name in names if name}


def _imported(source):
    """The names that this code imports at its top level."""
    try:
        body = ast.parse(source[:MAX_PARSED]).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def only_imports(cell):
    """Whether a cell of code imports something and does nothing else."""
    if cell.cell_type != "code" or len(cell.source) > MAX_PARSED or not _parses(cell.source):
        return False
    body = ast.parse(cell.source).body
    return bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def _parses(source):
    if len(source) > MAX_PARSED:
        return True
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _indented(source):
    """Whether this code begins in the middle of a function, so that it cannot be run alone."""
    return source.lstrip("\n")[:1].isspace() and not _parses(source)


def _key(cell, by):
    if by == "id":
        return cell.get("id") if isinstance(cell.get("id"), str) else object()
    return cell.source.strip()


def _make_code(cell):
    cell.cell_type = "code"
    cell.setdefault("outputs", [])
    cell.setdefault("execution_count", None)


def _listed(words):
    return ", ".join(f"“{word}”" for word in sorted(words))


def _short(text):
    text = printable(text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _unique_ids(notebook):
    seen = set()
    for index, cell in enumerate(notebook.cells):
        id = cell.get("id")
        if not isinstance(id, str) or not CELL_ID.fullmatch(id) or id in seen:
            cell["id"] = f"cell-{index}"
            while cell["id"] in seen:
                cell["id"] += "-again"
        seen.add(cell["id"])
