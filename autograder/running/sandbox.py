"""Where student code is locked in.

What is *allowed* is a `Policy`: data, which becomes a bubblewrap command line. What is *started* is
any command: a kernel (`SandboxProvisioner`, which Jupyter finds by its entry point), the process
of `autograder try`, or a probe of `autograder doctor`.

Nothing of this machine can be written to from inside. Even the kernel's sockets lie in the
sandbox's own /tmp: the grader reaches them through /proc/PID/root, from outside.

Without bubblewrap, mode `auto` starts the same command with limits and a reduced environment, and
says what is not enforced; `require` refuses; `off` locks nothing in, and says so.
"""

import contextlib
import functools
import inspect
import json
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict, Enum, Instance, List

import backprop_kit
from autograder.course import ROOT, CourseError
from autograder.interpreter import PYTHON, program

MODES = ("require", "auto", "off")
PROVISIONER = "backprop-sandbox"  # the entry point's name in pyproject.toml

TMP = "/tmp"  # inside, as are all of these
HOME = f"{TMP}/home"
WORK = f"{TMP}/work"
CONNECTION_FILE = f"{TMP}/connection.json"

MAX_FILES = 200  # of those that a student has sent along
SCRATCH = 256 << 20  # bytes of all files in a sandbox's /tmp


class SandboxError(CourseError):
    """Student code cannot be locked in here, and it was required to be."""


# ---------------------------------------------------------------- what is allowed


@dataclass(frozen=True)
class Limits:
    """Limits of one sandbox; None takes one away.

    memory: bytes of address space, for each process (NumPy reserves far more than it uses).
    cpu: seconds, for each process. processes: processes and threads together.
    file_size: bytes of one file. open_files: for each process.
    scratch: bytes of all files in /tmp, home included, and of all in /dev/shm.
    """

    memory: int | None = 2 << 30
    cpu: int | None = 600
    processes: int | None = 64
    file_size: int | None = 64 << 20
    open_files: int | None = 256
    scratch: int | None = SCRATCH

    def rlimits(self):
        """{name in the module `resource`: value}."""
        named = {
            "RLIMIT_AS": self.memory,
            "RLIMIT_CPU": self.cpu,
            "RLIMIT_NPROC": self.processes,
            "RLIMIT_FSIZE": self.file_size,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }
        return {name: most for name, most in named.items() if most is not None}


@dataclass(frozen=True)
class Policy:
    """What student code is allowed. Grading uses the defaults.

    Every guard can be taken away on its own, so that tests see what it guards against succeed.

    network: the machine's network. own_processes: sees and signals none but its own, which all end
    with the first. own_user: is nobody who has an account here. own_environment: gets only what
    Python needs. readable, writable: folders of this machine, besides what Python needs to read.
    hidden: folders that must not be seen even where they lie inside something that Python needs.
    """

    limits: Limits = Limits()
    network: bool = False
    own_processes: bool = True
    own_user: bool = True
    own_environment: bool = True
    readable: tuple = ()
    writable: tuple = ()
    hidden: tuple = (ROOT,)


# ---------------------------------------------------------------- what Python needs

# Of each prefix that Python has, and of /usr.
PARTS = ("bin", "lib", "lib32", "lib64", "libexec", "pyvenv.cfg")
SHARED = ("etc/fonts", "share/fonts", "share/fontconfig", "share/zoneinfo", "share/matplotlib")
SYSTEM = tuple(
    f"/etc/{name}"
    for name in ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
)
OWN_PREFIXES = (sys.prefix, sys.base_prefix, sys.exec_prefix)
PREFIXES = sorted({"/usr", "/usr/local", *OWN_PREFIXES, *map(os.path.realpath, OWN_PREFIXES)})
KIT = Path(backprop_kit.__file__).parent
# Packages that Python finds only because of who runs it, such as those of `pip install --user`.
PACKAGES = [
    Path(path)
    for path in sys.path
    if Path(path).name in ("site-packages", "dist-packages")
    and not any(Path(path).is_relative_to(prefix) for prefix in PREFIXES)
]


def needed():
    """The paths without which this Python, its packages and `backprop_kit` cannot run.

    The interpreter may live in a home folder; nothing more of that folder is among them.
    """
    paths = [Path(prefix, part) for prefix in PREFIXES for part in PARTS + SHARED]
    paths += [*map(Path, SYSTEM), *PACKAGES, *_links(PYTHON), KIT]
    return [path for path in dict.fromkeys(paths) if path.exists()]


def _links(path):
    """A path and what it links to, link by link."""
    yield path
    while path.is_symlink():
        path = Path(os.path.abspath(path.parent / os.readlink(path)))
        yield path


def environment():
    """All the environment variables that there are inside."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {
        "PATH": f"{PYTHON.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": HOME,
        "USER": "student",
        "LANG": "C.UTF-8",
        # Of the first folder, only the kit is there.
        "PYTHONPATH": os.pathsep.join(map(str, [KIT.parent, *PACKAGES])),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLCONFIGDIR": f"{HOME}/.matplotlib",
        "MALLOC_ARENA_MAX": "2",  # each arena reserves address space, which is limited
        **threads,
    }


@functools.cache
def _font_list():
    """{inside: content} of matplotlib's list of fonts.

    It takes seconds to make, and a kernel's home is empty; so it is made here, once, as it would be
    with this user's first plot.
    """
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("MPLCONFIGDIR") or Path(caches, "matplotlib"))
    if not any(folder.glob("fontlist-*.json")):
        make = [str(PYTHON), "-c", "import matplotlib.font_manager"]
        subprocess.run(make, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    lists = folder.glob("fontlist-*.json")
    return {f"{HOME}/.matplotlib/{path.name}": path.read_bytes() for path in lists}


# ---------------------------------------------------------------- from policy to command line


def enter(settings, command):
    """The first thing that runs inside: take on the limits, stop being root, become the command."""
    import os
    import resource

    for name, most in settings["rlimits"].items():
        kind = getattr(resource, name, None)
        if kind is not None:
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            try:
                resource.setrlimit(kind, (most, most))
            except (ValueError, OSError):
                if settings["strict"]:
                    raise
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # if the machine runs out of memory, this goes first
    except OSError:
        pass
    if settings["uid"] is not None:
        os.setgroups([])
        os.setgid(settings["uid"])
        os.setuid(settings["uid"])
    os.execv(command[0], command)


def _entered(command, rlimits, uid=None, strict=True):
    """The command, behind `enter`; -I and -S: nothing but Python itself is read before it."""
    settings = json.dumps({"rlimits": rlimits, "uid": uid, "strict": strict})
    become = "import json, sys; enter(json.loads(sys.argv[1]), sys.argv[2:])"
    code = f"{inspect.getsource(enter)}\n{become}"
    return [str(PYTHON), "-I", "-S", "-c", code, settings, program(command[0]), *command[1:]]


@functools.cache
def _bwrap():
    """(the path of bubblewrap, the options it knows), or None."""
    path = shutil.which("bwrap")
    if path is None:
        return None
    said = subprocess.run([path, "--help"], capture_output=True, text=True)
    return path, said.stdout + said.stderr


def _fresh_uid():
    """A user id that nobody has, another one for each sandbox: none can touch another's processes,
    and the limit on processes counts its own only."""
    with open("/proc/self/uid_map") as file:
        mapped = max(sum(int(line.split()[i]) for i in (0, 2)) for line in file)
    low, count = (1 << 30, 1 << 28) if mapped > 1 << 31 else (61184, 4336)
    return low + secrets.randbelow(count)


def command_line(policy, command, files, holding):
    """bubblewrap's command line for a command under a policy.

    files: {path inside: bytes, or an open descriptor}, to be written into the sandbox.
    holding: a function that gives the number of a descriptor that holds these bytes.
    """
    bwrap, knows = _bwrap()
    is_root = os.geteuid() == 0
    uid = (_fresh_uid() if is_root else 1000) if policy.own_user else os.getuid()
    size = []
    if policy.limits.scratch is not None and "--size" in knows:
        size = ["--size", str(policy.limits.scratch)]

    argv = [bwrap, "--new-session", "--unshare-uts", "--hostname", "sandbox", "--unshare-ipc"]
    argv += ["--unshare-cgroup-try"]
    if not is_root:
        argv += ["--unshare-user", "--uid", str(uid), "--gid", str(uid)]
        if "--disable-userns" in knows:
            argv += ["--disable-userns"]
    if not policy.network:
        argv += ["--unshare-net"]
    if policy.own_processes:
        argv += ["--unshare-pid", "--die-with-parent", "--proc", "/proc"]
    else:
        argv += ["--ro-bind", "/proc", "/proc"]
    argv += ["--dev", "/dev", "--perms", "1777", *size, "--tmpfs", "/dev/shm"]
    argv += ["--perms", "1777", *size, "--tmpfs", TMP]
    argv += _mounts(policy)

    files = {"/etc/passwd": _PASSWD.format(uid).encode(), **files}
    inside = {parent for name in files for parent in Path(name).parents}
    argv += _folders({Path(HOME), Path(WORK), *inside} - {Path(TMP)}, "0777")
    for name, content in files.items():
        number = content if isinstance(content, int) else holding(content)
        argv += ["--perms", "0666", "--file", str(number), name]
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK]
    drop = uid if is_root and policy.own_user else None
    return [*argv, "--", *_entered(command, policy.limits.rlimits(), drop)]


_PASSWD = "student:x:{0}:{0}::" + HOME + ":/bin/sh\n"


def _folders(paths, permissions="0755"):
    """Options that make these folders; bubblewrap by itself makes some for their owner alone."""
    made = sorted({str(path) for path in paths} - {"/"})
    return [option for path in made for option in ("--perms", permissions, "--dir", path)]


def _mounts(policy):
    """What of this machine is there: outermost first, so that what lies inside covers it."""
    wanted = {path: ("--ro-bind", path, path) for path in [*needed(), *map(Path, policy.readable)]}
    wanted |= {Path(path): ("--bind", path, path) for path in policy.writable}
    hidden = {Path(path) for path in policy.hidden} - set(wanted)
    kept: dict[Path, tuple] = {}
    for path in sorted({*wanted, *hidden}, key=lambda path: (len(path.parts), path)):
        around = next((kept[parent][0] for parent in path.parents if parent in kept), None)
        if path in hidden and around in ("--ro-bind", "--bind"):
            kept[path] = ("--tmpfs", path)
        elif path in wanted and wanted[path][0] != around:
            kept[path] = wanted[path]
    options, folders = [], set(kept)
    for path, mount in kept.items():
        options += [*_folders(set(path.parents) - folders), *map(str, mount)]
        folders |= set(path.parents)
    for path, mount in kept.items():
        options += ["--remount-ro", str(path)] if mount[0] == "--tmpfs" else []
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options


# ---------------------------------------------------------------- starting a command


def start(command, policy=None, files=None, folder=None, **popen):
    """Start a command locked in; returns (its `Popen`, the process id that its files are under).

    policy: by default `Policy()`. files: {path inside: bytes} to be there. folder: one whose plain
    files are copied to the working directory, notebooks excepted. popen: options for `Popen`.
    All of it ends when the thread that starts it ends, at the latest.
    """
    policy = policy or Policy()
    with contextlib.ExitStack() as opened:
        numbers = []

        def hold(number):
            opened.callback(os.close, number)
            numbers.append(number)
            return number

        def holding(content):
            with tempfile.TemporaryFile(buffering=0) as file:
                file.write(content)
                file.seek(0)
                return hold(os.dup(file.fileno()))

        read, write = os.pipe()
        inside = os.fdopen(read)
        contents = {**(files or {}), **(_sent_along(folder, policy, hold) if folder else {})}
        argv = command_line(policy, command, contents, holding)
        argv[1:1] = ["--info-fd", str(hold(write))]
        process = subprocess.Popen(
            argv,
            # Not --clearenv: bubblewrap's own environment can be read in /proc/1/environ.
            env=environment() if policy.own_environment else {**os.environ, **environment()},
            cwd="/",
            pass_fds=numbers,
            start_new_session=True,
            **popen,
        )
    with inside:
        said = inside.read()
    if not said:
        with process:  # which waits for it, and closes its pipes
            words = process.stderr.read().strip() if process.stderr else ""
        raise SandboxError(words or "bubblewrap could not start; `autograder doctor` says why.")
    return process, json.loads(said)["child-pid"]


def _sent_along(folder, policy, hold):
    """{path inside: descriptor} of the plain files in a folder; links are not followed."""
    room = (policy.limits.scratch or SCRATCH) // 2
    found = {}
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(where, name)
            if path.suffix == ".ipynb" or not stat.S_ISREG(path.lstat().st_mode):
                continue
            room -= path.lstat().st_size
            if room < 0 or len(found) == MAX_FILES:
                return found
            with contextlib.suppress(OSError):
                number = hold(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK))
                found[str(Path(WORK, path.relative_to(folder)))] = number
    return found


# ---------------------------------------------------------------- without bubblewrap

# Variables that Python and Jupyter may need, on any system; none of these holds a secret.
KEPT = """
    PATH HOME USER LANG LC_ALL LC_CTYPE TZ TMPDIR TEMP TMP LD_LIBRARY_PATH DYLD_LIBRARY_PATH
    PYTHONPATH IPYTHONDIR MPLCONFIGDIR XDG_CACHE_HOME XDG_CONFIG_HOME
    SYSTEMROOT SYSTEMDRIVE WINDIR COMSPEC PATHEXT APPDATA LOCALAPPDATA PROGRAMDATA USERPROFILE
"""


def reduced(variables):
    """Of these environment variables, those that Python needs."""
    return {name: variables[name] for name in KEPT.split() if name in variables}


def limited(command, policy=None):
    """A command line for where there is no bubblewrap: with limits, where the system has them.

    The limit on processes is left out: without a user of its own, it would count everything that
    this user runs.
    """
    if os.name != "posix":
        return command
    rlimits = (policy or Policy()).limits.rlimits()
    rlimits.pop("RLIMIT_NPROC", None)
    return _entered(command, rlimits, strict=False)


# ---------------------------------------------------------------- which of them, and saying so

GET_IT = (
    "On Debian and Ubuntu: apt-get install bubblewrap. On Fedora: dnf install bubblewrap. "
    "On macOS and Windows: grade in a Linux virtual machine or container"
)


@functools.cache
def hindrance():
    """None if a sandbox can be made here; else why not, and what to do. Really tries, once."""
    if sys.platform != "linux":
        return f"bubblewrap, which locks student code in, exists on Linux only. {GET_IT}."
    if _bwrap() is None:
        return f"bubblewrap, which locks student code in, is not installed. {GET_IT}."
    if "--perms" not in _bwrap()[1]:
        return (
            "this bubblewrap is too old: version 0.5 or newer is needed. Debian 12, Ubuntu 22.04, "
            "Fedora 35 and what came after them have one."
        )
    look = "from importlib.util import find_spec as find\n" + "".join(
        f"open(find({package!r}).origin)\n" for package in ("backprop_kit", "numpy", "ipykernel")
    )
    try:
        process, inside = start(
            [str(PYTHON), "-c", f"{look}print('ready', flush=True)\ninput()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except (SandboxError, OSError) as error:
        return _explained(str(error))
    ready = process.stdout.readline()
    reached = os.access(f"/proc/{inside}/root/{HOME}", os.W_OK)
    said = process.communicate("\n")[1].strip().splitlines()
    if not ready:
        return _explained(said[-1] if said else f"it ended with status {process.returncode}")
    return None if reached else "the files in a sandbox cannot be reached through /proc here."


# How bubblewrap says that the system does not let it make namespaces, or mount in them.
FORBIDDEN = re.compile(
    "(?i)namespace|uid.?map|gid.?map|setgroups|RTM_NEWADDR|make / slave|pivot_root"
    "|not permitted|mount (proc|devpts|tmpfs)"
)


def _explained(said):
    why = f"bubblewrap is installed and cannot lock anything in here: {said.splitlines()[-1]}."
    if "ermission denied" in said and "bwrap" not in said:
        return (
            f"{why} What this Python needs must be readable for every user: "
            "chmod -R go+rX on its environment and on backprop_kit."
        )
    if not FORBIDDEN.search(said):
        return (
            f"{why} If `bwrap --unshare-all --ro-bind / / true` works here, this machine is as it "
            "should be: change nothing on it, and please report this line."
        )
    return (
        f"{why} Most often user namespaces are forbidden here. On Debian: sysctl "
        "kernel.unprivileged_userns_clone=1. On Ubuntu 24.04 and newer: sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile for bwrap. "
        "In a container: the container must be allowed to make namespaces."
    )


def locks(mode):
    """Whether student code is locked in under this mode; SandboxError if it must be and cannot."""
    if mode == "off":
        return False
    why = hindrance()
    if why and mode == "require":
        raise SandboxError(f"the sandbox is required, and {why}")
    return why is None


def warning(mode):
    """None if student code is locked in; else what is not enforced, for a person to read."""
    if locks(mode):
        return None
    if mode == "off":
        return (
            "Student code is NOT locked in, because the sandbox is off. It can read, write and "
            "delete all that you can, gradebook and solutions included, use the network, and "
            "leave processes behind; there are no limits on memory or time on the processor."
        )
    holds = "limits on memory, processor time, file size and open files hold for each process"
    return (
        f"Student code is NOT locked in: {hindrance()} Not enforced: it can read, write and delete "
        "all that you can, gradebook and solutions included, use the network, start any number "
        "of processes, reach those of yours and leave some behind. Enforced: "
        f"{holds if os.name == 'posix' else 'no limits'}; the environment is reduced. "
        "With --sandbox=require, grading refuses to start like this."
    )


_announced = set()


def announce(mode, tell=lambda words: print(f"Warning: {words}", file=sys.stderr)):
    """Tell the warning of this mode, if it has one: once in a process. SandboxError as `locks`."""
    words = warning(mode)
    if words and words not in _announced:
        _announced.add(words)
        tell(words)


def popen(command, mode, policy=None, files=None, **options):
    """A `Popen` of a command, as well locked in as this mode and this machine allow."""
    if locks(mode):
        return start(command, policy, files, **options)[0]
    if mode == "off":
        return subprocess.Popen(command, **options)
    return subprocess.Popen(
        limited(command, policy), env=reduced(os.environ), start_new_session=True, **options
    )


# ---------------------------------------------------------------- kernels

# A file that was sent along, such as numpy.py, must not stand before the module of that name.
IMPORTS = (
    "--InteractiveShellApp.ignore_cwd=True",
    "--InteractiveShellApp.exec_lines=import sys; sys.path.append('')",
)


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel locked in; any Jupyter tool can use it, by its entry point.

    In a kernel.json: "metadata": {"kernel_provisioner": {"provisioner_name": "backprop-sandbox"}}.
    """

    mode = Enum(MODES, "auto", help="require, auto or off: see `autograder grade --help`.").tag(
        config=True
    )
    limits = Dict(help="Limits other than the usual ones, such as {'memory': 8 << 30}.").tag(
        config=True
    )
    hidden = List(help="Folders that must not be seen, besides the checkout of the course.").tag(
        config=True
    )
    policy = Instance(
        Policy, allow_none=True, help="A whole policy, where the traits above are not enough."
    )

    parent: Any  # the kernel's manager, which is always there

    async def pre_launch(self, **kwargs):
        """As jupyter_client does, over ipc: a kernel without a network has no port to listen on."""
        self.locked = locks(self.mode)
        km = self.parent
        if self.locked:
            km.transport, km.ip, km.cache_ports = "ipc", f"{TMP}/{secrets.token_hex(8)}", False
            km.kernel_spec.interrupt_mode = "message"  # signals end at the sandbox's wall
        if km.ipykernel:
            kwargs["extra_arguments"] = [*kwargs.get("extra_arguments", []), *IMPORTS]
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd, **kwargs):
        """Start the kernel; returns where it can be reached from outside."""
        cmd = [program(cmd[0]), *cmd[1:]]
        policy = self.policy or Policy(
            limits=Limits(**self.limits),
            hidden=(ROOT, *(Path(folder).resolve() for folder in self.hidden)),
        )
        if not self.locked:
            if self.mode == "auto":
                cmd, kwargs["env"] = limited(cmd, policy), reduced(kwargs.get("env", os.environ))
            return await super().launch_kernel(cmd, **kwargs)
        info: Any = self.connection_info
        known = {**info, "key": info["key"].decode()}
        outside = os.path.realpath(self.parent.connection_file)
        self.process, inside = start(
            [word.replace(outside, CONNECTION_FILE) for word in cmd],
            policy,
            {**_font_list(), CONNECTION_FILE: json.dumps(known).encode()},
            folder=kwargs.get("cwd"),
            stdin=subprocess.DEVNULL,
            stdout=kwargs.get("stdout"),
            stderr=kwargs.get("stderr"),
        )
        self.pid = self.pgid = self.process.pid
        self.connection_info = {**info, "ip": f"/proc/{inside}/root{info['ip']}"}
        return self.connection_info

    async def cleanup(self, restart=False):
        """End what the kernel may have left behind in its process group, sandbox or not."""
        if self.pgid and hasattr(os, "killpg"):
            with contextlib.suppress(OSError):
                os.killpg(self.pgid, signal.SIGKILL)
        await super().cleanup(restart)
