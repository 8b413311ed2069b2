"""The command line: `autograder`, also `python -m autograder`."""

import argparse
import json
import os
import sys
import warnings
from pathlib import Path

try:
    from autograder.course import ROOT, Course, CourseError
    from autograder.judging import hidden
    from autograder.running import MODES
except ModuleNotFoundError as error:
    sys.exit(
        f"autograder: the package {error.name!r} is missing in this Python ({sys.executable}). "
        "Set up the instructor's environment with `make setup`, then use .venv/bin/autograder, "
        "or run: pip install --editable . --editable ./autograder"
    )

INTRO = """\
Release the course, grade what students hand in, and give feedback.

A first run, in this order:
  autograder doctor             does this machine have what grading needs?
  autograder demo               see everything happen on a made-up class
  autograder release            make the student notebooks in course/release
  (students hand in: put their notebooks in course/submitted/STUDENT/LESSON/NOTEBOOK.ipynb,
   or collect them with nbgrader's exchange or `nbgrader zip_collect`)
  autograder grade              run the hidden tests, print the marks
  autograder feedback           write a page for each student in course/feedback
  autograder export             write course/marks.csv

The folder `course` is an ordinary nbgrader course: `nbgrader` commands work in it too."""


def main(argv=None):
    """Run one command; returns the exit status: 0 if the run itself succeeded."""
    args = parser().parse_args(argv)
    # nbgrader's own use of its database library; nothing an instructor could act on.
    warnings.filterwarnings("ignore", message="Object of type .* not in session")
    try:
        return args.run(args) or 0
    except CourseError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("\nautograder: stopped; what was finished is kept.", file=sys.stderr)
        return 130


def parser():
    """The argument parser, with the help texts that a first-time instructor reads."""
    top = argparse.ArgumentParser(
        prog="autograder", description=INTRO, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument(
        "--course", type=Path, metavar="FOLDER", help="the course folder (default: course/)"
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name, run, help, description=None):
        made = commands.add_parser(name, help=help, description=description or help)
        made.set_defaults(run=run)
        return made

    lesson_help = "lessons such as 01_scalar_graphs, or just 01 (default: all)"

    def chooses_submissions(made):
        made.add_argument("lessons", nargs="*", metavar="LESSON", help=lesson_help)
        help = "only this student (may be repeated)"
        made.add_argument("--student", action="append", default=[], metavar="ID", help=help)

    def runs_student_code(made, default="auto"):
        made.add_argument(
            "--sandbox",
            choices=MODES,
            default=default,
            help="lock student code in: `require` refuses to run it otherwise and is right for "
            "real classes, `auto` warns if this machine cannot, `off` does not try "
            f"(default: {default or 'as in nbgrader_config.py'})",
        )

    made = command("release", run_release, "make the student notebooks in course/release")
    made.add_argument("lessons", nargs="*", metavar="LESSON", help=lesson_help)

    made = command(
        "lab",
        run_lab,
        "open the student notebooks in JupyterLab",
        "Copy the released notebooks to the folder lab/ (never over your work there) "
        "and open it in JupyterLab.",
    )
    made.add_argument(
        "jupyter_options",
        nargs=argparse.REMAINDER,
        metavar="-- OPTION",
        help="options for jupyter lab, after --",
    )

    made = command(
        "grade",
        run_grade,
        "grade what was handed in, and print the marks",
        "Grade every submission of the lessons. Exit status 0 when every submission "
        "was graded or flagged.",
    )
    chooses_submissions(made)
    made.add_argument("--json", type=Path, metavar="FILE", help="write marks and messages here")
    runs_student_code(made, default=None)

    made = command("feedback", run_feedback, "write a feedback page for every graded submission")
    chooses_submissions(made)

    made = command("export", run_export, "write all marks to a CSV file")
    made.add_argument("--to", type=Path, metavar="FILE", help="default: course/marks.csv")

    made = command(
        "try",
        run_try,
        "judge answer files as if each were submitted",
        "Judge Python files, each holding the functions of one exercise, by the hidden "
        "tests, and print the verdict a student would get.",
    )
    made.add_argument("exercise", metavar="EXERCISE", help="an exercise id such as add_mul")
    made.add_argument("answers", nargs="+", type=Path, metavar="ANSWER.py")
    made.add_argument("--json", action="store_true", help="one JSON object a line")
    made.add_argument("--seed", type=int, help="draw the hidden cases from this seed")
    runs_student_code(made)

    made = command(
        "demo",
        run_demo,
        "grade a made-up class from start to end",
        "Make a course folder, let a class of twelve hand in a lesson, grade it, write "
        "feedback and a CSV.",
    )
    made.add_argument(
        "--to",
        type=Path,
        default=ROOT / "demo",
        metavar="FOLDER",
        help="where to do it (default: demo/; made anew each time)",
    )
    runs_student_code(made)

    made = command(
        "kill-table", run_kill_table, "print how every catalogued answer fares in the hidden tests"
    )
    made.add_argument(
        "exercises", nargs="*", metavar="EXERCISE", help="ids, or lessons such as 02; default: all"
    )
    made.add_argument(
        "--seeds",
        type=int,
        metavar="N",
        help="instead: judge the right answers, each with N seeds; all must get full marks",
    )
    runs_student_code(made)

    made = command(
        "doctor",
        run_doctor,
        "look whether this machine has what grading needs",
        "Look at what is enforced on student code (really tried), versions, nbgrader's wiring, "
        "kernels and disk space, and say how to mend each finding. Exit status 1 if something "
        "is missing that grading needs.",
    )
    made.add_argument("--json", action="store_true", help="the findings as one JSON object")
    return top


def progress(what):
    """A progress bar on standard error, for an iterable of known length; none off a terminal."""
    from tqdm import tqdm

    return lambda iterable: tqdm(iterable, desc=what, leave=False, disable=None, mininterval=0.5)


# ---------------------------------------------------------------- commands


def run_release(args):
    from autograder.course import make_release

    lessons = Course(args.course).lessons(args.lessons)
    made, failed = [], []
    for lesson in progress("release")(lessons):
        try:
            made.append(make_release(lesson))
        except CourseError as error:  # the other lessons are released all the same
            failed.append(str(error))
    for path in made:
        print(f"released {_shown(path)}", flush=True)
    if failed:
        raise CourseError("\n".join(failed))


def run_lab(args):
    from autograder.course import open_lab

    return open_lab(Course(args.course), [o for o in args.jupyter_options if o != "--"])


def run_grade(args):
    from autograder.grading import grade_class
    from autograder.reporting import marks_table

    marks = {}
    lessons = Course(args.course).graded_lessons(args.lessons)
    handed_in = {lesson.id: set(lesson.students()) for lesson in lessons}
    everybody = sorted(set().union(*handed_in.values()))
    if unknown := [student for student in args.student if student not in everybody]:
        raise CourseError(
            f"no submission of {', '.join(unknown)} in {Course(args.course).path / 'submitted'}; "
            f"there are: {', '.join(everybody) or 'none'}."
        )
    if not args.lessons:  # all, then: those of which there is something to grade
        wanted = set(args.student or everybody)
        lessons = [lesson for lesson in lessons if handed_in[lesson.id] & wanted]
    if not lessons:
        raise CourseError(
            "nothing has been handed in: submissions belong in "
            "course/submitted/STUDENT/LESSON/NOTEBOOK.ipynb."
        )
    for lesson in lessons:
        bar = progress(f"grade {lesson.id}")
        students = args.student
        if not args.lessons:
            students = [student for student in students if student in handed_in[lesson.id]]
        graded = grade_class(lesson, students, bar, args.sandbox)
        marks[lesson.id] = {mark.student: mark.as_dict() for mark in graded}
        print(marks_table(lesson, graded))
    if args.json:
        text = json.dumps(marks, indent=1, ensure_ascii=False)
        try:
            args.json.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CourseError(f"cannot write {args.json}: {error.strerror}.") from None
        print(f"marks and messages: {_shown(args.json)}")


def run_feedback(args):
    from autograder.grading import load_marks
    from autograder.reporting import write_feedback
    from autograder.submissions import printable

    course = Course(args.course)
    lessons = course.graded_lessons(args.lessons)
    graded = {student for marks in load_marks(course, *lessons).values() for student in marks}
    if unknown := [student for student in args.student if student not in graded]:
        raise CourseError(
            f"{', '.join(unknown)} has not been graded; there are: {', '.join(sorted(graded))}."
        )
    if not graded:
        raise CourseError("nobody has been graded yet: run `autograder grade` first.")
    for lesson in lessons:
        pages = write_feedback(lesson, args.student, progress(f"feedback {lesson.id}"))
        if pages:
            count = f"{len(pages)} feedback page{'s' if len(pages) > 1 else ''}"
            print(f"{lesson.id}: {count}, e.g. {_shown(pages[0].path)}")
        for page in pages:
            if page.problem:
                print(
                    f"  ⚑ {printable(page.student)}: the page could not be made, a plain one "
                    f"stands in its place ({page.problem})"
                )


def run_export(args):
    from autograder.reporting import export

    course = Course(args.course)
    path = export(course, args.to or course.path / "marks.csv")
    with path.open(encoding="utf-8") as file:
        students = sum(1 for _ in file) - 1  # without the heads of the columns
    print(f"marks of {students} students: {_shown(path)}")


def run_try(args):
    from autograder.running import Trials

    known = hidden.load()
    if args.exercise not in known:
        raise CourseError(
            f"there is no exercise {args.exercise!r}; the exercises are: {', '.join(known)}."
        )
    texts = []
    for path in args.answers:
        try:
            texts.append(path.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise CourseError(f"cannot read the answer file {path}: {error}") from None
    functions = known[args.exercise].exercise.functions
    failed = 0
    with Trials(sandbox=args.sandbox) as trials:
        pairs = list(zip(args.answers, texts, strict=True))
        for path, text in progress("try")(pairs) if len(pairs) > 1 else pairs:
            try:
                verdict = trials.judge(args.exercise, text, path.name, args.seed)
            except CourseError:
                raise
            except Exception as error:  # one answer's oddity is not the others'
                failed += 1
                problem = f"could not be judged: {type(error).__name__}: {error}"
                if args.json:
                    print(json.dumps({"file": str(path), "problem": problem}), flush=True)
                else:
                    print(f"{path}: {problem}", flush=True)
                continue
            if args.json:
                print(
                    json.dumps({"file": str(path), **verdict.as_dict()}, ensure_ascii=False),
                    flush=True,
                )
                continue
            missing = [name for name in functions if f"{name}" not in text]
            if missing:
                print(f"{path}: defines no function called {' or '.join(missing)}")
            print(f"{path}: {verdict}", flush=True)
    return 1 if failed else 0


def run_demo(args):
    from autograder.course import make_release
    from autograder.grading import grade_class
    from autograder.rehearsal import hand_in_class, make_course
    from autograder.reporting import export, marks_table, write_feedback

    course = make_course(args.to.resolve() / "course")
    lesson = course.graded_lessons()[0]
    print(f"Releasing {lesson.id} …", flush=True)
    make_release(lesson)
    people = hand_in_class(lesson)
    print(f"{len(people)} students have handed in. Grading …", flush=True)
    marks = grade_class(lesson, progress=progress("grading"), sandbox=args.sandbox)
    print(marks_table(lesson, marks, people))
    pages = write_feedback(lesson, progress=progress("feedback"))
    table = export(course, course.path / "marks.csv")
    print(f"Feedback pages: {_shown(course.path / 'feedback')} ({len(pages)} pages)")
    print(f"Marks as CSV:   {_shown(table)}")
    print(f"Look at one:    {_shown(pages[0].path)}")


def run_kill_table(args):
    from autograder.rehearsal import kill_table

    known = hidden.load()
    wanted = []
    for name in args.exercises or known:
        lesson = [id for id, test in known.items() if test.exercise.lesson.startswith(f"{name}_")]
        if not lesson and name not in known:
            raise CourseError(
                f"there is no exercise {name!r}; the exercises are: {', '.join(known)}."
            )
        wanted += lesson or [name]
    if args.seeds:
        seeds = range(args.seeds)
        text, failures = kill_table.steadiness(
            wanted, seeds, progress("right answers"), args.sandbox
        )
    else:
        text, failures = kill_table.table(wanted, progress("kill table"), args.sandbox)
    print(text)
    return 1 if failures else 0


def run_doctor(args):
    from autograder.doctor import examine, report

    findings = examine(args.course)
    print(report(findings, as_json=args.json))
    return 1 if any(finding.fatal for finding in findings) else 0


def _shown(path):
    """A path as short as it can be said from here."""
    try:
        return Path(path).resolve().relative_to(Path.cwd())
    except ValueError:
        return Path(path)
