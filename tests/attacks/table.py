"""`make attack-table`: every entry, what it comes to here, and what plain nbgrader makes of it.

Plain nbgrader grades the same files by its default steps, with the hidden tests in the student's
process; each entry in a sandbox of its own, so that what gets out there gets no further.
"""

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from tqdm import tqdm

from attacks.base import LESSON, POINTS, World, files_of
from attacks.suite import ENTRIES, grade_as_class, released_course, solved_notebook
from autograder.course import ROOT, api, make_release
from autograder.course.nbgrader_api import run
from autograder.rehearsal import make_course
from autograder.reporting.policy import offences
from autograder.running import sandbox
from autograder.running.sandbox import Limits, Policy

HERE = Path(__file__).parent
WORK = str(Path("/tmp", "work"))
LIMITS = Limits(memory=3 << 30, cpu=120, processes=100, scratch=200 << 20)
POLICY = Policy(limits=LIMITS, readable=(ROOT,), hidden=())
PLAIN = "c = get_config()\nc.CourseDirectory.course_id = 'plain'\nc.Execute.timeout = 6\n"
WORDS = {"changed": "wrote", "left": "process", "shown": "secrets", "heard": "network"}

# What it deletes is where the plain course is kept, in this sandbox and nowhere else.
NOT_COMPARABLE = ("deletes_its_sandbox",)


# ---------------------------------------------------------------- plain nbgrader


def packed_course(folder):
    """A plain nbgrader course with one bystander graded, as the bytes of a tar file."""
    course = make_course(folder / "course")
    (course.path / "nbgrader_config.py").write_text(PLAIN, encoding="utf-8")
    lesson = course.lessons([LESSON])[0]
    make_release(lesson)
    path = lesson.submission("bystander_right")
    path.parent.mkdir(parents=True)
    notebook = solved_notebook(lesson)
    notebook.cells[0].source += "\n# canary-neighbour"
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    run(api(course).autograde, LESSON, "bystander_right", create=True)
    source = lesson.source_notebook
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('"cells": [', '"canary": "canary-source", "cells": [', 1))
    outside, key = folder / "outside", folder / "home" / ".ssh" / "id_ed25519"
    outside.mkdir()
    (outside / "notes.txt").write_text("canary-outside")
    key.parent.mkdir(parents=True)
    key.write_text("canary-key")

    def open_to_all(member):
        member.mode |= 0o777 if member.isdir() else 0o666
        member.uid = member.gid = 0
        return member

    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as packed:
        for name in ("course", "outside", "home"):
            packed.add(folder / name, name, filter=open_to_all)
    return data.getvalue(), solved_notebook(lesson)


def in_plain_nbgrader(entry, packed, solved):
    """What happened to an entry there, as `plain_grader.watched` tells it."""
    home, outside = f"{WORK}/home", f"{WORK}/outside"
    world = World(f"{WORK}/course", home, outside, 65533, f"{WORK}/socket", "attack-plain")
    facts = {
        "files": {path: data.hex() for path, data in files_of(entry, world, solved).items()},
        "links": {path: world.fill(to, entry.name) for path, to in entry.links.items()},
        "mark": world.mark(entry.name),
        "secret": "canary-secret",
        "canaries": {
            name: f"canary-{name}" for name in ("secret", "key", "source", "neighbour", "outside")
        },
        "lacks": entry.lacks,
    }
    files = {
        f"{WORK}/course.tar": packed,
        f"{WORK}/facts.json": json.dumps(facts).encode(),
        f"{WORK}/watch.py": (HERE / "watch.py").read_bytes(),
        f"{WORK}/plain_grader.py": (HERE / "plain_grader.py").read_bytes(),
    }
    process, _ = sandbox.start(
        [sys.executable, f"{WORK}/plain_grader.py"],
        POLICY,
        files,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        said, wrong = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return {"status": "endless", "scores": None}
    try:
        return json.loads(said)
    except ValueError:
        return {"status": "killed", "scores": None, "log": wrong.decode(errors="replace")[-1500:]}


def judged_plainly(entry, told):
    """(the mark or what came instead, what is wrong with that)."""
    if entry.name in NOT_COMPARABLE:
        return "—", []
    scores = told.get("scores")
    wrong = [word for key, word in WORDS.items() if told.get(key)]
    if not told.get("others", True):
        wrong.append("others' marks")
    if told.get("lacks"):
        wrong.append("shown")
    acts = [each for each in offences(told.get("page", "")) if "Content-Security" not in each]
    if any("127.0.0.1" in each or "javascript" in each for each in acts) or (
        "alert(1)</script>" in told.get("page", "")
    ):
        wrong.append("live page")
    if scores is None or told["status"] == "killed":
        return "—", ["grader ended" if told["status"] == "killed" else "endless", *wrong]
    if told["status"] not in (0, 1):
        return "—", ["endless" if told["status"] == "endless" else "grader killed", *wrong]
    total = sum(scores.values())
    fair = {id: scores.get(id, 0.0) for id in POINTS} == entry.scores()
    if told["status"] == 1 and not (fair and total):
        return "—", [*(["lost"] if entry.fair is not None else []), *wrong]
    if not fair:
        wrong.insert(0, "too much" if total > entry.total else "too little")
    return f"{total:g}", wrong


# ---------------------------------------------------------------- the table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="entries; default: all")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "attack-table.json")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    warnings.filterwarnings("ignore", "Object of type .* not in session")  # nbgrader's own
    if why := sandbox.hindrance():
        sys.exit(f"Hostile code is run in a sandbox only; {why}")
    chosen = [each for each in ENTRIES if not args.names or each.name in args.names]
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(args.processes) as pool,
    ):
        folder = Path(folder)
        fresh = released_course(folder / "fresh")
        packed, solved = packed_course(folder)
        shares = [chosen[n :: args.processes] for n in range(args.processes)]
        ours = [
            pool.submit(grade_as_class, share, fresh, folder / f"class-{n}")
            for n, share in enumerate(shares)
        ]
        plain = {each.name: pool.submit(in_plain_nbgrader, each, packed, solved) for each in chosen}
        classes = [job.result() for job in ours]
        rows = []
        print(f"{'entry':32} {'fair':>8} | {'here':17} | plain nbgrader", flush=True)
        for each in tqdm(chosen, "entries", leave=False, smoothing=0):
            graded = next(one for one in classes if each.name in one.marks)
            mark, wrong = judged_plainly(each, plain[each.name].result())
            scores = {id: e["score"] for id, e in graded.marks[each.name]["exercises"].items()}
            here = graded.escapes(each)
            if scores != each.scores():
                here.insert(0, "unfair")
            rows.append(
                {
                    "entry": each.name,
                    "fair": each.total if each.fair is not None else None,
                    "here": graded.marks[each.name]["score"],
                    "here_wrong": here,
                    "plain": mark,
                    "plain_wrong": wrong,
                    "log": plain[each.name].result().get("log", ""),
                }
            )
            tqdm.write(as_line(rows[-1]))
    print(summary(rows))
    args.to.parent.mkdir(parents=True, exist_ok=True)
    args.to.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    return 1 if any(row["here_wrong"] for row in rows) else 0


def as_line(row):
    fair = "a person" if row["fair"] is None else f"{row['fair']:g}"
    here = ", ".join(row["here_wrong"]) or "fair"
    plain = ", ".join(row["plain_wrong"]) or "fair"
    return f"{row['entry']:32} {fair:>8} | {row['here']:>4g} {here:12} | {row['plain']:>4} {plain}"


def summary(rows):
    def count(*words):
        return sum(
            any(word in each for each in row["plain_wrong"] for word in words) for row in rows
        )

    wrong = sum(bool(row["plain_wrong"]) for row in rows)
    return "\n".join(
        [
            "",
            f"{len(rows)} entries. Here: {sum(not row['here_wrong'] for row in rows)} as is fair.",
            f"Plain nbgrader: {len(rows) - wrong} as is fair, {wrong} not. Of these:",
            f"  marked too high {count('too much')}, too low {count('too little')}",
            f"  lost, endless or the grader ended {count('lost', 'endless', 'grader')}",
            f"  let out (files, processes, network, secrets, others' marks) "
            f"{count('wrote', 'process', 'network', 'secrets', 'others', 'shown')}",
            f"  a page that acts {count('live page')}",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
