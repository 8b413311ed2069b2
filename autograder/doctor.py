"""`autograder doctor`: does this machine have what grading needs, and if not, what to do?

What is enforced on student code is not looked up but tried: a process that is locked in as a
student's kernel would be makes one attempt after the other (`ATTEMPTS`), and each must fail.
"""

import contextlib
import importlib.metadata
import json
import os
import platform
import secrets
import select
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import tomllib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from autograder.course import ROOT, Course
from autograder.interpreter import PYTHON, tools_on_path
from autograder.running import sandbox
from autograder.running.sandbox import Limits, Policy

OK, WARNING, BAD = "ok", "warning", "bad"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; mend says what to do, where something is to be done."""

    group: str
    name: str
    state: str
    text: str
    mend: str = ""

    @property
    def fatal(self):
        """Whether grading cannot work like this."""
        return self.state == BAD


def examine(folder=None):
    """Everything that was found, as a list of `Finding`s. folder: of the course."""
    course = Course(folder)
    config = _wiring(course)
    return [
        *_guards(course, config),
        *_versions(),
        *config["findings"],
        *_kernels(),
        *_disk(course),
    ]


def report(findings, as_json=False):
    """The findings as text for a person, or as JSON."""
    bad = [finding for finding in findings if finding.fatal]
    if as_json:
        rows = [asdict(finding) for finding in findings]
        return json.dumps({"ok": not bad, "findings": rows}, indent=1, ensure_ascii=False)
    lines, group = [], None
    for finding in findings:
        if finding.group != group:
            group = finding.group
            lines.append(f"\n{group}")
        lines.append(f"  {_MARKS[finding.state]} {finding.name:22} {finding.text}")
        if finding.mend:
            lines.append(f"    {'':22} → {finding.mend}")
    warned = sum(finding.state == WARNING for finding in findings)
    lines.append(
        f"\n{'Grading cannot work here' if bad else 'Grading works here'}: "
        f"{len(bad)} to mend, {warned} to know about."
    )
    return "\n".join(lines).lstrip("\n")


_MARKS = {OK: "✔", WARNING: "!", BAD: "✘"}


# ---------------------------------------------------------------- what student code can do

# Each attempt succeeds if it ends without an error. `facts` are those of `surroundings`.
ATTEMPTS = {
    "network": "import socket\nsocket.create_connection(('127.0.0.1', facts['port']), 5)",
    "read the course": "open(facts['course']).read()",
    "read the answers": "open(facts['answers']).read()",
    "read other files": "open(facts['private']).read()",
    "write outside": "open(facts['outside'], 'w').write('x')",
    "environment": (
        "import glob\n"
        "seen = str(dict(os.environ))\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try:\n"
        "        seen += open(path, errors='replace').read()\n"
        "    except OSError:\n"
        "        pass\n"
        "assert facts['secret'] in seen"
    ),
    "look into processes": "open(f\"/proc/{facts['bystander']}/mem\", 'rb').close()",
    "stop other processes": "os.kill(facts['bystander'], 9)",
    "any memory": "import mmap\nblock = mmap.mmap(-1, facts['memory'])",
    "any time": "import time\nwhile time.process_time() < facts['cpu'] + 0.3:\n    pass",
    "any processes": (
        "read, write = os.pipe()\n"
        "for _ in range(facts['processes']):\n"
        "    if os.fork() == 0:\n"
        "        os.close(write)\n"  # ends with the first process, at the latest
        "        os.read(read, 1)\n"
        "        os._exit(0)"
    ),
    "files of any size": (
        "import tempfile\ntempfile.TemporaryFile().truncate(facts['file_size'] + 1)"
    ),
    "any open files": "files = [open(os.devnull) for _ in range(facts['open_files'])]",
}

# Answers on standard output when it is spoken to, long after the process that started it has ended.
STAYS = """
import os
if os.fork() == 0:
    os.setsid()
    os.read(0, 1)
    os.write(1, b"still here")
"""


@contextlib.contextmanager
def surroundings(course, policy=None):
    """What the attempts aim at, made for them: yields `facts`.

    The bystander is a process of this user's; the private file is one that only this user may read.
    """
    limits = (policy or Policy()).limits
    secret = secrets.token_hex(16)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "private").write_text(secret, encoding="utf-8")
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        variable = f"AUTOGRADER_{secret[:8]}"
        os.environ[variable] = secret
        stack.callback(os.environ.pop, variable)
        waits = [str(PYTHON), "-I", "-S", "-c", "input()"]
        bystander = stack.enter_context(subprocess.Popen(waits, stdin=subprocess.PIPE))
        stack.callback(bystander.kill)
        yield {
            "port": listener.getsockname()[1],
            "course": str(course / "nbgrader_config.py"),
            "answers": str(ROOT / "autograder" / "judging" / "hidden" / "__init__.py"),
            "private": str(folder / "private"),
            "outside": str(folder / "written"),
            "secret": secret,
            "bystander": bystander.pid,
            **{name: getattr(limits, name) or getattr(Limits(), name) for name in _LIMITED},
        }


_LIMITED = ("memory", "cpu", "processes", "file_size", "open_files")


def attempt(name, facts, mode="auto", policy=None):
    """Make one attempt of `ATTEMPTS`, as locked in as mode and policy say; whether it succeeded."""
    code = f"import json, os, sys\nfacts = json.loads(sys.argv[1])\n{ATTEMPTS[name]}"
    process = sandbox.popen(
        [str(PYTHON), "-c", code, json.dumps(facts)],
        mode,
        policy,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process.wait() == 0


def stays_behind(mode="auto", policy=None):
    """Whether a process can outlive the one that started it."""
    process = sandbox.popen(
        [str(PYTHON), "-c", STAYS],
        mode,
        policy,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process.stdin, process.stdout:
        process.wait()
        # The end of its output comes when the last process that could write there is gone.
        if select.select([process.stdout], [], [], 0.5)[0]:
            return bool(process.stdout.read())
        process.stdin.write(b"?")
        process.stdin.flush()
        return bool(process.stdout.read())


def _guards(course, config):
    group = "Student code"
    mode = config["mode"]
    if mode == "off":
        text = "the sandbox is off in nbgrader_config.py: nothing below is enforced"
        mend = 'set c.JudgedExecute.sandbox = "auto" or "require"'
        yield Finding(group, "sandbox", WARNING, text, mend)
        return
    hindrance = sandbox.hindrance()
    if hindrance is None:
        yield Finding(group, "sandbox", OK, f"bubblewrap, and nbgrader_config.py says {mode}")
    else:
        why, _, remedy = hindrance.partition(". ")
        yield Finding(group, "sandbox", BAD if mode == "require" else WARNING, why, remedy)
    if os.name != "posix":
        yield Finding(group, "attempts", WARNING, "not tried: nothing is enforced on this system")
        return
    policy = Policy(limits=replace(config["limits"], cpu=1))
    mend = "" if hindrance is None else "see the first line"
    with surroundings(course.path, policy) as facts:
        for name in ATTEMPTS:
            if name == "any processes" and hindrance:  # would count all that this user runs
                succeeded = True
            else:
                succeeded = attempt(name, facts, "auto", policy)
            yield _tried(group, name, succeeded, mend)
    yield _tried(group, "outlive the kernel", stays_behind(), mend)


def _tried(group, name, succeeded, mend):
    if not succeeded:
        return Finding(group, name, OK, "tried, and stopped")
    return Finding(group, name, WARNING, "not enforced: student code can do this", mend)


# ---------------------------------------------------------------- versions


def _versions():
    group = "Versions"
    kit, project = (
        tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        for folder in ("", "autograder")
    )
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    version = platform.python_version()
    wanted = project["requires-python"]
    if SpecifierSet(wanted).contains(version, prereleases=True):
        yield Finding(group, "Python", OK, f"{version} ({PYTHON})")
    else:
        mend = "make clean && make setup PYTHON=python3.12"
        yield Finding(group, "Python", BAD, f"{version}; this needs {wanted}", mend)
    listed = [*kit["dependencies"], *project["dependencies"]]
    for requirement in map(Requirement, [*listed, "jupyter_client"]):
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(group, requirement.name, BAD, "not installed", "make setup")
            continue
        if requirement.specifier.contains(version, prereleases=True):
            yield Finding(group, requirement.name, OK, version)
        else:
            text = f"{version}; this needs {requirement.specifier}"
            yield Finding(group, requirement.name, BAD, text, "make setup")
    if bwrap := shutil.which("bwrap"):
        said = subprocess.run([bwrap, "--version"], capture_output=True, text=True).stdout
        version = said.strip().removeprefix("bubblewrap ")
        if "--size" in subprocess.run([bwrap, "--help"], capture_output=True, text=True).stdout:
            yield Finding(group, "bubblewrap", OK, version)
        else:
            text = f"{version}: cannot limit all files in a sandbox together, only each one"
            yield Finding(group, "bubblewrap", WARNING, text, "get a newer one, 0.7 or so")


# ---------------------------------------------------------------- nbgrader


def _wiring(course):
    """{"mode", "limits": of the sandbox, as configured; "findings": list}"""
    group, findings = "nbgrader", []
    from autograder.course import api
    from autograder.nbgrader_plugins import JudgedExecute, RepairSubmission
    from autograder.reporting import FeedbackPage

    path = course.path / "nbgrader_config.py"
    try:
        config = api(course).config
    except Exception as error:  # whatever a configuration file may raise
        text = f"cannot be read: {type(error).__name__}: {error}"
        findings.append(Finding(group, path.name, BAD, text, f"mend {path}"))
        return {"mode": "auto", "limits": Limits(), "findings": findings}
    steps = [
        ("Autograde", "sanitize_preprocessors", RepairSubmission),
        ("Autograde", "autograde_preprocessors", JudgedExecute),
        ("GenerateFeedback", "preprocessors", FeedbackPage),
    ]
    for section, option, step in steps:
        named = config[section].get(option, [])
        there = any(isinstance(each, type) and issubclass(each, step) for each in named)
        text = f"c.{section}.{option} {'has it' if there else 'does not have it'}"
        mend = "" if there else f"name it there, as the course's {path.name} does"
        findings.append(Finding(group, step.__name__, OK if there else BAD, text, mend))

    plugins = importlib.metadata.entry_points(
        group="jupyter_client.kernel_provisioners", name=sandbox.PROVISIONER
    )
    if list(plugins):
        findings.append(Finding(group, "provisioner", OK, f"{sandbox.PROVISIONER} is installed"))
    else:
        text = f"Jupyter does not know {sandbox.PROVISIONER}: no kernel can be started"
        findings.append(Finding(group, "provisioner", BAD, text, "make setup"))

    before = shutil.which("alembic")
    with tools_on_path():
        beside = shutil.which("alembic")
    if beside is None:
        text = "not found, and nbgrader needs it for the gradebook"
        findings.append(Finding(group, "alembic", BAD, text, "make setup"))
    elif before is None:
        text = "not in PATH: `autograder` finds it all the same, plain `nbgrader` commands do not"
        mend = f"source {PYTHON.parent / 'activate'}"
        findings.append(Finding(group, "alembic", WARNING, text, mend))
    else:
        findings.append(Finding(group, "alembic", OK, before))
    findings.append(_gradebook(group, course.path / "gradebook.db"))
    return {
        "mode": config.JudgedExecute.get("sandbox", "auto"),
        "limits": Limits(**config.SandboxProvisioner.get("limits", {})),
        "findings": findings,
    }


def _gradebook(group, path):
    if not path.exists():
        return Finding(group, path.name, OK, "none yet; it is made when a lesson is released")
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as opened:
            said = opened.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        said = str(error)
    if said == "ok":
        return Finding(group, path.name, OK, "sound")
    mend = f"move {path} away, or put a copy back in its place"
    return Finding(group, path.name, BAD, f"damaged: {said}", mend)


# ---------------------------------------------------------------- kernels and disk


def _kernels():
    group = "Kernels"
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    mend = f"{PYTHON} -m ipykernel install --sys-prefix"
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return [Finding(group, "python3", BAD, "there is no such kernel", mend)]
    program = spec.argv[0]
    found = shutil.which(program)
    own = program in ("python", "python3") or (found and os.path.samefile(found, PYTHON))
    if not own:
        text = f"is run by {program}, another Python than this one"
        return [Finding(group, "python3", BAD, text, mend)]
    return [Finding(group, "python3", OK, f"run by this Python ({spec.resource_dir})")]


def _disk(course):
    seen = {}
    for name, path in (("course", course.path), ("temporary files", Path(tempfile.gettempdir()))):
        free = shutil.disk_usage(path).free
        state = BAD if free < 100e6 else WARNING if free < 1e9 else OK
        mend = "" if state == OK else f"make room on the disk that holds {path}"
        seen[name] = Finding("Disk", name, state, f"{free / 1e9:.1f} GB free in {path}", mend)
    return seen.values()
