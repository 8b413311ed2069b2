"""The sandbox: each guard stops what it is there for, and without it the same attempt succeeds.

Most attempts are made by a plain process, which is locked in as a kernel is; a few tests at the end
start a kernel. What runs without bubblewrap runs everywhere; the rest is skipped where there is no
sandbox, and says why.
"""

import contextlib
import json
import os
import secrets
import select
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from autograder.course import ROOT
from autograder.doctor import ATTEMPTS, attempt, stays_behind, surroundings
from autograder.nbgrader_plugins import JudgedExecute
from autograder.running import SandboxError, sandbox
from autograder.running.sandbox import Limits, Policy, start

needs_sandbox = pytest.mark.skipif(sandbox.hindrance() is not None, reason=str(sandbox.hindrance()))
needs_posix = pytest.mark.skipif(os.name != "posix", reason="this system has no resource limits")
as_root = hasattr(os, "geteuid") and os.geteuid() == 0

SMALL = Limits(
    memory=512 << 20, cpu=1, processes=16, file_size=1 << 20, open_files=32, scratch=8 << 20
)
LOCKED = Policy(limits=SMALL)
COURSE = ROOT / "course"


@pytest.fixture(scope="module")
def facts():
    with surroundings(COURSE, LOCKED) as found:
        yield found


def without(facts):
    """{attempt: the policy without the guard that stops it}"""
    private = Path(facts["private"]).parent
    in_sight = replace(LOCKED, own_processes=False, own_user=False)

    def unlimited(name):
        return replace(LOCKED, limits=replace(SMALL, **{name: None}))

    return {
        "network": replace(LOCKED, network=True),
        "read the course": replace(LOCKED, readable=(COURSE,)),
        "read the answers": replace(LOCKED, readable=(ROOT / "autograder",)),
        # Two guards, the folder's absence and its owner; each is enough.
        "read other files": replace(LOCKED, readable=(private,), own_user=False),
        "write outside": replace(LOCKED, writable=(private,), own_user=False),
        "environment": replace(LOCKED, own_environment=False),
        "stop other processes": in_sight,
        "look into processes": in_sight,
        "any memory": unlimited("memory"),
        "any time": unlimited("cpu"),
        "any processes": unlimited("processes"),
        "files of any size": unlimited("file_size"),
        "any open files": unlimited("open_files"),
    }


@needs_sandbox
@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_is_stopped(facts, name):
    assert not attempt(name, facts, "require", LOCKED)
    assert not Path(facts["outside"]).exists()


@needs_sandbox
@pytest.mark.parametrize("name", ATTEMPTS)
def test_without_its_guard_the_attempt_succeeds(name):
    with surroundings(COURSE, LOCKED) as facts:
        assert attempt(name, facts, "require", without(facts)[name])


@needs_sandbox
@pytest.mark.skipif(not as_root, reason="another user than the one who runs the tests is needed")
@pytest.mark.parametrize("name", [name for name in ATTEMPTS if name != "any processes"])
def test_the_way_of_an_ordinary_user_stops_the_same(facts, name, monkeypatch):
    """Root takes the way through a user namespace here. It remains root to the limit on processes,
    so that one attempt is left out."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not attempt(name, facts, "require", LOCKED)


@needs_sandbox
def test_either_of_two_guards_protects_other_processes(facts):
    if as_root:
        assert not attempt(
            "stop other processes", facts, "require", replace(LOCKED, own_processes=False)
        )
    assert not attempt("stop other processes", facts, "require", replace(LOCKED, own_user=False))


@needs_sandbox
def test_no_process_outlives_the_first():
    assert not stays_behind("require", LOCKED)
    assert stays_behind("require", replace(LOCKED, own_processes=False))


PARENT = """
import subprocess, sys
from autograder.running.sandbox import Policy, start
start(
    [sys.executable, "-c", "print('ready', flush=True); input()"],
    Policy(own_processes=sys.argv[1] == "True"),
    stdin=sys.stdin,
)
sys.stdin.read()
"""


@needs_sandbox
@pytest.mark.parametrize("own_processes", [True, False])
def test_nothing_outlives_the_grader(own_processes):
    """The grader is killed; what it had locked in ends with it, unless that guard is off."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(own_processes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as grader:
        assert grader.stdout.readline() == b"ready\n"
        grader.kill()
        if own_processes:
            assert grader.stdout.read() == b"", "its output ends when the last process has ended"
        else:
            assert not select.select([grader.stdout], [], [], 0.2)[0]


# ---------------------------------------------------------------- what is there, and what is not


def say(code, policy=LOCKED, **options):
    """What a locked-in Python prints for an expression, decoded from JSON."""
    program = f"import json, os, sys\nfrom pathlib import Path\nprint(json.dumps({code}))"
    process, _ = start(
        [sys.executable, "-c", program], policy, stdout=subprocess.PIPE, text=True, **options
    )
    with process.stdout:
        said = process.stdout.read()
    assert process.wait() == 0
    return json.loads(said)


@needs_sandbox
def test_of_the_checkout_only_the_kit_is_there():
    import backprop_kit

    there = say(f"sorted(os.listdir({str(ROOT)!r})) if os.path.exists({str(ROOT)!r}) else []")
    assert set(there) <= {"backprop_kit", Path(sys.prefix).name}
    assert say("__import__('backprop_kit').__file__") == backprop_kit.__file__


@needs_sandbox
def test_of_the_home_folder_only_what_python_needs_is_there():
    home = Path.home()
    there = say(f"[str(p) for p in Path({str(home)!r}).glob('*')]")
    needed = [str(path) for path in sandbox.needed()]
    for path in there:
        assert any(each == path or each.startswith(path + "/") for each in needed), path


@needs_sandbox
def test_what_is_hidden_is_not_seen_inside_what_python_needs():
    inside = Path(np.__file__).parent
    look = f"len(os.listdir({str(inside)!r}))"
    assert say(look) > 5
    assert say(look, replace(LOCKED, hidden=(inside,))) == 0


@needs_sandbox
def test_a_virtual_environment_in_what_is_hidden_is_there():
    assert say(
        "__import__('numpy').__version__", replace(LOCKED, hidden=(Path(sys.prefix).parent,))
    )


@needs_sandbox
def test_the_environment_is_what_python_needs():
    assert set(say("dict(os.environ)")) - {"PWD", "LC_CTYPE"} == set(sandbox.environment())


@needs_sandbox
def test_code_is_nobody_without_rights():
    assert say("[os.getuid(), os.getgid()]") != [os.getuid(), os.getgid()]
    status = say("dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())")
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


WRITABLE = """
[str(path) for path in map(Path, sys.argv[1:] or ["/", "/tmp", "/dev", "/dev/shm", "/etc", "/usr",
 "/usr/lib", sys.prefix, Path(sys.prefix).parent, Path(os.__file__).parent, "/proc/sys/kernel"])
 if os.access(path, os.W_OK)]
"""


@needs_sandbox
def test_no_descriptor_of_the_grader_is_open_inside(tmp_path):
    """What is passed in stays with bubblewrap; the listing itself holds one."""
    (tmp_path / "points.csv").write_text("1,2", encoding="utf-8")
    assert len(say("os.listdir('/proc/self/fd')", folder=tmp_path)) == 4


@needs_sandbox
def test_only_the_private_folders_can_be_written_to():
    assert say(WRITABLE) == ["/tmp", "/dev/shm"]


FILL = """
def fill(folder):
    try:
        for number in range(64):
            Path(folder, str(number)).write_bytes(bytes(1 << 20))
    except OSError as error:
        return error.strerror
"""


@needs_sandbox
@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_the_private_folders_are_limited(folder):
    program = f"exec({FILL!r}, globals()) or fill({folder!r})"
    assert say(program) == "No space left on device"
    assert say(program, replace(LOCKED, limits=replace(SMALL, scratch=None))) is None


@needs_sandbox
def test_plain_files_that_were_sent_along_are_there_as_copies(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "points.csv").write_text("1,2", encoding="utf-8")
    (tmp_path / "notebook.ipynb").write_text("{}", encoding="utf-8")
    (tmp_path / "link").symlink_to(ROOT / "pyproject.toml")
    (tmp_path / "folder").symlink_to(ROOT)
    os.mkfifo(tmp_path / "pipe")
    there = say(
        "[str(p) for p in Path().rglob('*') if p.is_file()] + "
        "[Path('data/points.csv').write_text('changed'), Path('data/points.csv').read_text()]",
        folder=tmp_path,
    )
    assert there == ["data/points.csv", 7, "changed"]
    assert (tmp_path / "data" / "points.csv").read_text(encoding="utf-8") == "1,2"


@needs_sandbox
def test_two_sandboxes_share_nothing():
    assert say("Path('left').write_text('x')") == 1
    assert say("Path('left').exists()") is False
    if as_root:
        assert say("os.getuid()") != say("os.getuid()")


@needs_sandbox
def test_a_folder_that_is_not_there_ends_the_sandbox_and_is_named():
    policy = replace(LOCKED, readable=("/nowhere at all",))
    process, _ = start([sys.executable, "-c", ""], policy, stderr=subprocess.PIPE, text=True)
    assert "/nowhere at all" in process.communicate()[1]
    assert process.returncode != 0


# ---------------------------------------------------------------- require, auto, off


@pytest.fixture
def missing(monkeypatch):
    """A machine without bubblewrap."""
    monkeypatch.setattr(sandbox, "hindrance", lambda: f"bubblewrap is not here. {sandbox.GET_IT}.")
    monkeypatch.setattr(sandbox, "_announced", set())


def test_require_refuses_without_bubblewrap(missing):
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        sandbox.popen([sys.executable, "-c", "pass"], "require")


def test_auto_says_once_what_is_not_enforced(missing):
    told = []
    sandbox.announce("auto", told.append)
    sandbox.announce("auto", told.append)
    (words,) = told
    for part in ("NOT locked in", "bubblewrap is not here", "gradebook", "network", "processes"):
        assert part in words


def test_off_says_so_even_where_there_is_a_sandbox(monkeypatch):
    monkeypatch.setattr(sandbox, "_announced", set())
    told = []
    sandbox.announce("off", told.append)
    assert "NOT locked in, because the sandbox is off" in told[0]


@needs_sandbox
def test_nothing_is_said_where_all_is_enforced():
    sandbox.announce("auto", pytest.fail)
    sandbox.announce("require", pytest.fail)


@needs_posix
@pytest.mark.parametrize("name", ["any memory", "files of any size", "any open files"])
def test_limits_hold_without_bubblewrap(missing, facts, name):
    assert not attempt(name, facts, "auto", LOCKED)
    assert attempt(name, facts, "auto", without(facts)[name])
    assert attempt(name, facts, "off", LOCKED)


def test_the_environment_is_reduced_without_bubblewrap(missing, facts):
    program = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    with sandbox.popen(program, "auto", stdout=subprocess.PIPE) as process:
        seen = json.load(process.stdout)
    assert facts["secret"] not in seen.values()
    assert "PATH" in seen
    with sandbox.popen(program, "off", stdout=subprocess.PIPE) as process:
        assert facts["secret"] in json.load(process.stdout).values()


def test_a_machine_without_bubblewrap_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(sandbox, "_bwrap", lambda: None)
    said = sandbox.hindrance.__wrapped__()
    assert "bubblewrap" in said
    assert "apt-get install" in said


def test_an_old_bubblewrap_is_told_where_there_is_a_newer_one(monkeypatch):
    monkeypatch.setattr(sandbox, "_bwrap", lambda: ("/usr/bin/bwrap", "--ro-bind --tmpfs --size"))
    why, _, remedy = sandbox.hindrance.__wrapped__().partition(". ")
    assert "too old" in why
    assert "Debian 12" in remedy


@pytest.fixture
def hindered(monkeypatch, tmp_path):
    """What is told where bubblewrap knows the options, says these words, and fails."""

    def call(words):
        program = tmp_path / "bwrap"
        program.write_text(f'#!/bin/sh\necho "{words}" >&2\nexit 1\n', encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setattr(sandbox, "_bwrap", lambda: (str(program), "--perms --size"))
        said = sandbox.hindrance.__wrapped__()
        assert words in said
        return said

    return call


@needs_sandbox
@pytest.mark.parametrize(
    "words",
    [
        "bwrap: setting up uid map: Permission denied",
        "bwrap: No permissions to create new namespace, likely because the kernel forbids it",
        "bwrap: Creating new namespace failed: Operation not permitted",
        "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
        "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
        "bwrap: Failed to make / slave: Permission denied",
    ],
)
def test_a_machine_that_forbids_namespaces_is_told_so(hindered, words):
    assert "user namespaces" in hindered(words)


@needs_sandbox
@pytest.mark.parametrize(
    "words",
    [
        "",
        "bwrap: Can't find source path .venv/bin/python: No such file or directory",
        "bwrap: Can't create file at /x/../bin/python: No such file or directory",
        "bwrap: Unknown option --perms",
        "bwrap: execvp python: No such file or directory",
    ],
)
def test_no_other_trouble_advises_to_weaken_the_machine(hindered, words):
    said = hindered(words)
    assert "sysctl" not in said
    assert "change nothing" in said


# How Python may be called: (as which name, beside which folder's PATH), from the course's folder.
CALLS = {
    "by a relative path": ("../{venv}/bin/python", None),
    "by dots and links": ("{link}/bin/../bin/python", None),
    "by a relative PATH": ("python", "../{venv}/bin"),
    "by a link to its folder": ("{link}/bin/python", None),
}


@needs_sandbox
@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="this Python is in no environment")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_however_python_is_called_student_code_is_locked_in(call, tmp_path):
    (tmp_path / "an environment").symlink_to(sys.prefix)
    names = {"venv": os.path.relpath(sys.prefix, ROOT), "link": tmp_path / "an environment"}
    program, first = (text and text.format(**names) for text in call)
    path = f"{first}{os.pathsep}{os.environ['PATH']}" if first else os.environ["PATH"]
    look = (
        "import sys; from autograder.running import sandbox\n"
        "from autograder.running.trial import Trials\n"
        "with Trials(sandbox='require') as trials:\n"
        "    verdict = trials.judge('d_sigmoid', 'def d_sigmoid(f):\\n    return f * (1 - f)')\n"
        "print(verdict.score, sys.executable)"
    )
    said = subprocess.run(
        ["/usr/bin/env", f"PATH={path}", program, "-c", look],
        cwd=COURSE,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("1.0 ")


def test_the_command_line_passes_the_choice_on(run, missing, tmp_path):
    answer = tmp_path / "answer.py"
    answer.write_text("def d_sigmoid(f):\n    return f * (1 - f)\n", encoding="utf-8")
    said = run("try", "d_sigmoid", answer, "--sandbox=require")
    assert said.status == 2
    assert "the sandbox is required, and bubblewrap is not here" in said.err
    for mode, words in (("auto", "bubblewrap is not here"), ("off", "the sandbox is off")):
        said = run("try", "d_sigmoid", answer, f"--sandbox={mode}")
        assert said.status == 0
        assert said.err.count("Warning: ") == 1
        assert words in said.err


# ---------------------------------------------------------------- kernels


@contextlib.contextmanager
def kernel(mode, folder=None, **config):
    """A kernel as any Jupyter tool would start it; yields `ask` (code → what it prints) with its
    manager and client."""
    manager = KernelManager(kernel_name="python3")
    manager.kernel_spec.metadata["kernel_provisioner"] = {
        "provisioner_name": sandbox.PROVISIONER,
        "config": {"mode": mode, **config},
    }
    manager.start_kernel(
        cwd=folder and str(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    client = manager.client()
    client.start_channels()

    def ask(code):
        printed = []

        def listen(message):
            printed.append(
                message["content"].get("text", "") or message["content"].get("evalue", "")
            )

        client.execute_interactive(code, timeout=60, output_hook=listen)
        return "".join(printed)

    try:
        client.wait_for_ready(timeout=60)
        yield SimpleNamespace(ask=ask, manager=manager, client=client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@needs_sandbox
def test_a_graded_notebook_is_locked_in_and_works(facts):
    """One kernel makes the attempts, draws, and is still there afterwards."""
    attempts = "\n".join(
        [f"import os\nfacts = {facts!r}\nsucceeded = []"]
        + [
            f"try:\n    exec({code!r})\n    succeeded += [{name!r}]\nexcept BaseException: pass"
            for name, code in ATTEMPTS.items()
            if "any" not in name
        ]
        + ["print(succeeded, os.getcwd())"]
    )
    sources = [
        attempts,
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        "os.kill(os.getppid(), 9)\n",
        "print('still here', len(succeeded))",
    ]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    config = Config({"JudgedExecute": {"sandbox": "require", "timeout": 60}})
    JudgedExecute(config=config).preprocess(notebook, {"metadata": {}})
    texts = ["".join(out.get("text", "") for out in cell.outputs) for cell in notebook.cells]
    assert texts[0] == f"[] {sandbox.WORK}\n"
    assert any("image/png" in out.get("data", {}) for out in notebook.cells[1].outputs)
    assert texts[3] == "still here 0\n"


def running(token):
    """The ids of the processes on this machine with this in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if token.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


@needs_sandbox
@pytest.mark.parametrize("own_processes", [True, False])
def test_what_a_cell_leaves_running_ends_with_the_kernel(own_processes):
    token = secrets.token_hex(16)
    leave = (
        "import os, subprocess, sys\n"
        f"command = [sys.executable, '-c', 'import signal; signal.pause()', '{token}']\n"
        "subprocess.Popen(command, start_new_session=True)\n"
        "print(os.getpid())"
    )
    policy = replace(Policy(), own_processes=own_processes)
    with kernel("require", policy=policy) as started:
        itself = int(started.ask(leave))
        assert len(running(token)) == 1
    if own_processes:
        deadline = time.monotonic() + 30
        while running(token):
            assert time.monotonic() < deadline
    else:
        left = running(token)
        for process in [*left, itself]:  # the kernel too has outlived its sandbox
            os.kill(process, signal.SIGKILL)
        assert len(left) == 1


@needs_sandbox
def test_a_kernel_can_be_interrupted_and_its_limits_can_be_set():
    with kernel("require", limits={"file_size": 12345}) as started:
        # A failing cell would take along what is asked right after it.
        endless = "print('busy')\nwhile True:\n    pass"
        asked = started.client.execute(endless, stop_on_error=False)
        while started.client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
            pass
        started.manager.interrupt_kernel()
        reply = started.client.get_shell_msg(timeout=60)
        while reply["parent_header"].get("msg_id") != asked:
            reply = started.client.get_shell_msg(timeout=60)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        limit = "import resource\nprint(resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
        assert started.ask(limit) == "12345\n"


@needs_posix
def test_a_kernel_without_bubblewrap_has_limits(missing, facts, tmp_path):
    """And in no mode does a file that was sent along stand before the module of its name."""
    (tmp_path / "numpy.py").write_text("raise ImportError('shadowed')", encoding="utf-8")
    (tmp_path / "helper.py").write_text("value = 3", encoding="utf-8")
    with kernel("auto", tmp_path, limits={"file_size": 12345}) as started:
        assert started.ask("import resource\nprint(resource.getrlimit(resource.RLIMIT_FSIZE))") == (
            "(12345, 12345)\n"
        )
        assert (
            started.ask(f"import os\nprint({facts['secret']!r} in os.environ.values())")
            == "False\n"
        )
        assert (
            started.ask("import numpy, helper\nprint(numpy.__name__, helper.value)") == "numpy 3\n"
        )
