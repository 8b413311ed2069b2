"""Mend a submission before it is graded: put every released cell back where it belongs.

Notebooks come back with cells duplicated, deleted, reordered or stripped of their metadata. The
release says which cells there must be. Test cells are taken from the release, always. A solution
cell is looked for by its grade id and, where that is lost, by the function it defines; if there
are several, the last one a student has written in wins, and the others stay as ordinary cells. A
cell with student work is never dropped. Every repair is told in a sentence.
"""

import copy
import re

CELL_ID = re.compile(r"[a-zA-Z0-9-_]{1,64}")  # as nbformat wants them
DEFINES = re.compile(r"^(?:def|class)\s+(\w+)", re.MULTILINE)


def nbgrader(cell):
    """The cell's nbgrader metadata, {} if it has none (or something that is not a dict)."""
    data = cell.metadata.get("nbgrader", {})
    return data if isinstance(data, dict) else {}


def grade_id(cell):
    return nbgrader(cell).get("grade_id")


def is_solution(cell):
    return bool(nbgrader(cell).get("solution"))


def is_test(cell):
    return bool(nbgrader(cell).get("grade"))


def repair(submitted, released):
    """Mend notebook `submitted` in place after `released`; returns the repairs as sentences."""
    repairs = []
    solutions = [cell for cell in released.cells if is_solution(cell)]
    tests = [cell for cell in released.cells if is_test(cell)]
    release_ids = {grade_id(cell) for cell in solutions + tests}

    for cell in submitted.cells:
        if not isinstance(grade_id(cell), str | None) or not nbgrader(cell):
            cell.metadata.pop("nbgrader", None)
    submitted.nbformat_minor = max(submitted.nbformat_minor, released.nbformat_minor)

    # Test cells go; they come back from the release below, each behind its solution. What
    # somebody has written into one stays, as an ordinary cell.
    seen_tests = [cell for cell in submitted.cells if _looks_like_test(cell, tests)]
    blank = {test.source.strip() for test in tests}
    for cell in seen_tests:
        if cell.source.strip() not in blank:
            kept = copy.deepcopy(cell)
            kept.metadata = type(cell.metadata)()
            submitted.cells.insert(submitted.cells.index(cell), kept)
    cells = [cell for cell in submitted.cells if not any(cell is test for test in seen_tests)]

    chosen = {}
    for solution in solutions:
        id = grade_id(solution)
        candidates = [cell for cell in cells if _is_answer_to(solution, cell)]
        written = [cell for cell in candidates if cell.source.strip() != solution.source.strip()]
        if not candidates:
            repairs.append(f"The answer cell “{id}” was missing; it counts as not written.")
            continue
        best = (written or candidates)[-1]
        if len(candidates) > 1:
            repairs.append(
                f"There were {len(candidates)} cells for “{id}”; the last one you had written in "
                "was graded."
            )
        if grade_id(best) != id:
            repairs.append(f"The answer cell “{id}” had lost its label; it was found by its code.")
        for other in candidates:
            if other is best:
                continue
            if other in written:
                other.metadata.pop("nbgrader", None)
            else:
                cells = [cell for cell in cells if cell is not other]
        if best.cell_type != "code":
            repairs.append(f"The answer cell “{id}” had become text; it was made code again.")
        _become(best, solution, keep_source=True)
        chosen[id] = best

    for cell in cells:
        if nbgrader(cell) and not any(cell is answer for answer in chosen.values()):
            if grade_id(cell) not in release_ids and (is_solution(cell) or is_test(cell)):
                repairs.append(f"A cell labelled “{grade_id(cell)}” is not of this lesson.")
            cell.metadata.pop("nbgrader", None)

    submitted.cells = _with_tests(cells, released, chosen)
    for test in tests:
        copies = sum(grade_id(cell) == grade_id(test) for cell in seen_tests)
        if copies == 0:
            repairs.append(f"The test cell “{grade_id(test)}” was missing; it was put back.")
        elif copies > 1:
            repairs.append(f"The test cell “{grade_id(test)}” stood {copies} times; one was kept.")
    _unique_ids(submitted)
    return repairs


def _looks_like_test(cell, tests):
    ids = {grade_id(test) for test in tests}
    sources = {test.source.strip() for test in tests}
    if is_test(cell) and grade_id(cell) in ids:
        return True
    return cell.source.strip() in sources


def _is_answer_to(solution, cell):
    if grade_id(cell) == grade_id(solution):
        return True
    if grade_id(cell):
        return False
    wanted = set(DEFINES.findall(solution.source))
    return bool(wanted) and wanted <= set(DEFINES.findall(cell.source))


def _become(cell, model, keep_source):
    """Give `cell` the type and metadata of the released cell `model`."""
    cell.metadata = copy.deepcopy(model.metadata)
    if not keep_source:
        cell.source = model.source
    cell.cell_type = model.cell_type
    if model.cell_type == "code":
        cell.setdefault("outputs", [])
        cell.setdefault("execution_count", None)
    cell.pop("attachments", None)


def _with_tests(cells, released, chosen):
    """The student's cells with each released test cell behind the answer that it tests.

    In the release a test follows its solution. Here it is put right behind the student's cell for
    that solution, wherever that now stands; where there is none, behind the test before it.
    """
    order = [cell for cell in released.cells if is_solution(cell) or is_test(cell)]
    placed = list(cells)
    anchor = None
    for model in order:
        if is_solution(model):
            anchor = chosen.get(grade_id(model), anchor)
            continue
        test = copy.deepcopy(model)
        position = len(placed)
        if anchor is not None:
            position = next(i for i, cell in enumerate(placed) if cell is anchor) + 1
        placed.insert(position, test)
        anchor = test
    return placed


def _unique_ids(notebook):
    seen = set()
    for index, cell in enumerate(notebook.cells):
        id = cell.get("id")
        if not isinstance(id, str) or not CELL_ID.fullmatch(id) or id in seen:
            cell["id"] = f"cell-{index}"
            while cell["id"] in seen:
                cell["id"] += "-again"
        seen.add(cell["id"])
