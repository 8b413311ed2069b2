"""How every catalogued answer fares in the hidden tests: the proof that the tests test."""

from autograder.course import reference_solutions
from autograder.judging import hidden
from autograder.running import Trials

from . import catalogue
from .catalogue import ALL, Answer

BLANK = "raise NotImplementedError()"


class Outcome:
    """One answer, the verdict on it, and what is not as the catalogue says (empty if all is)."""

    def __init__(self, title, verdict, complaints, wanted):
        self.title = title
        self.verdict = verdict
        self.complaints = complaints
        self.wanted = wanted


def complaints_about(entry, verdict):
    """What in this verdict differs from what the entry says must come out."""
    if entry.cause is None:
        if verdict.score == verdict.max:
            return []
        return [f"a right answer gets {verdict.score:g} of {verdict.max:g}: {verdict.message}"]
    found = []
    names = [aspect.name for aspect in verdict.aspects]
    loses = names if entry.loses == ALL else list(entry.loses)
    if unknown := [name for name in loses if name not in names]:
        found.append(f"the aspects are {names}, not {unknown}")
    lost = [aspect.name for aspect in verdict.aspects if not aspect.ok]
    if sorted(lost) != sorted(loses):
        found.append(f"loses {lost} instead of {loses}")
    if verdict.cause != entry.cause:
        found.append(f"cause {verdict.cause} instead of {entry.cause}: {verdict.message}")
    if entry.says.lower() not in verdict.message.lower():
        found.append(f"does not say {entry.says!r}: {verdict.message}")
    return found


def outcomes(id, reference, trials, seed=None):
    """Judge the reference, the blank and every catalogued answer of an exercise."""
    unwritten = Answer(
        id, "the blank release", cause="not-implemented", loses=ALL, says="not written yet"
    )
    answers = [(Answer(id, "the reference solution"), reference), (unwritten, blank(reference))]
    answers += [(entry, entry.source(reference)) for entry in catalogue.entries(id)]
    for entry, code in answers:
        verdict = trials.judge(id, code, seed=seed)
        yield Outcome(entry.title, verdict, complaints_about(entry, verdict), entry.cause)


def steadiness(ids, seeds, progress=lambda iterable: iterable, sandbox="auto"):
    """(a line for each exercise and failure, the number of failures) of judging the reference and
    every right answer with every seed: none may ever lose a point."""
    references = reference_solutions()
    answers = {
        id: [("the reference solution", references[id])]
        + [(e.title, e.source(references[id])) for e in catalogue.entries(id) if not e.cause]
        for id in ids
    }
    all_answers = [(id, *answer) for id, several in answers.items() for answer in several]
    lost = {id: [] for id in ids}
    with Trials(sandbox=sandbox) as trials:
        for id, title, code in progress(all_answers):
            for seed in seeds:
                verdict = trials.judge(id, code, seed=seed)
                if verdict.score < verdict.max:
                    lost[id].append(f"  ! {title}, seed {seed}: {verdict.message}")
    lines = []
    for id in ids:
        lines += [f"{id}: {len(answers[id])} right answers, {len(seeds)} seeds each", *lost[id]]
    failures = sum(map(len, lost.values()))
    lines.append(f"{failures or 'none'} of them lost a point.")
    return "\n".join(lines), failures


def blank(reference):
    """A reference solution as students get it: its solution regions replaced by the stub."""
    lines, inside = [], False
    for line in reference.splitlines():
        if "BEGIN SOLUTION" in line:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            lines += [f"{indent}# YOUR CODE HERE", f"{indent}{BLANK}"]
        elif "END SOLUTION" in line:
            inside = False
        elif not inside:
            lines.append(line)
    return "\n".join(lines) + "\n"


def table(ids, progress=lambda iterable: iterable, sandbox="auto"):
    """(the table as text, the number of answers that were not judged as they must be)."""
    references = reference_solutions()
    lines, wrong, right, survivors = [], 0, 0, 0
    with Trials(sandbox=sandbox) as trials:
        for id in progress(ids):
            test = hidden.find(id)
            lines.append(f"\n{id} ({test.points:g} points)")
            for outcome in outcomes(id, references[id], trials):
                verdict = outcome.verdict
                mark = "!" if outcome.complaints else ("✔" if outcome.wanted is None else "✘")
                lines.append(
                    f"  {mark} {verdict.score:>4g}/{verdict.max:g}  {verdict.cause or '—':24} "
                    f"{outcome.title}"
                )
                lines += [f"       {complaint}" for complaint in outcome.complaints]
                survivors += bool(outcome.complaints)
                wrong += outcome.wanted is not None
                right += outcome.wanted is None
    lines.append(
        f"\n{wrong} wrong answers, {right} right ones; "
        f"{survivors or 'none'} not judged as the catalogue says."
    )
    return "\n".join(lines), survivors
