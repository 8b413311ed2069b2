"""Code that breaks what runs it: by force, by size, by never ending.

What is broken costs its own exercise; a cell of its own costs nothing.
"""

from attacks.base import POINTS, entry

HERE = "Its function returns nothing that could be right; the other exercises are right."
CELL = "The cell that breaks is not an answer; the answers are right."
STAYS = "A process or a thread of its is still there."
STOPS = "The class, or the rest of this notebook, is not graded."


def breaks(name, body, never=STOPS, before="", id="d_sigmoid", why=HERE):
    """An entry whose d_sigmoid breaks something when it is called."""
    lines = "\n    ".join(body.strip().splitlines())
    source = f"{before}\n\ndef d_sigmoid(f):\n    {lines}\n"
    entry(name, why, never=never, fair={id: 0.0}, answers={id: source})


def cell_breaks(name, source, never=STOPS, why=CELL, **options):
    """An entry with all answers right and a cell that breaks something in front of them."""
    entry(name, why, never=never, first=source, **options)


# ---------------------------------------------------------------- by force

KILLS = {
    "kills_its_parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "kills_its_group": "os.killpg(0, signal.SIGKILL)",
    "kills_everything": "os.kill(-1, signal.SIGKILL)",
    "stops_itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "exits": "os._exit(0)",
    "aborts": "os.abort()",
    "becomes_another": "os.execv('/bin/true', ['true'])",
    "segfaults": "__import__('ctypes').string_at(0)",
}
for name, line in KILLS.items():
    breaks(f"{name}_when_called", f"import os\nimport signal\n{line}")
for name in ("kills_its_parent", "kills_its_group", "exits", "segfaults"):
    cell_breaks(f"{name}_in_a_cell", f"import os\nimport signal\n{KILLS[name]}")
cell_breaks(
    "kills_all_it_sees",
    """
import glob
import os
import signal

for folder in glob.glob("/proc/[0-9]*"):
    number = int(folder.rpartition("/")[2])
    if number != os.getpid():
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            pass
""",
)
cell_breaks("leaves_by_exit", "import sys\n\nsys.exit(3)")
cell_breaks("leaves_by_quit", "quit")
cell_breaks(
    "leaves_by_shutdown", "get_ipython().kernel.do_shutdown(False)\nget_ipython().ask_exit()"
)
cell_breaks(
    "ends_kernels_later",
    """
import os
import threading


def wait():
    while "add_mul" not in globals():
        pass
    os._exit(1)


threading.Thread(target=wait).start()
""",
    why="What ends Python while an answer is run is not that answer.",
)
breaks("raises_exit", "raise SystemExit(0)")
breaks("raises_interrupt", "raise KeyboardInterrupt")
breaks("raises_generator_exit", "raise GeneratorExit")
breaks(
    "raises_an_error_that_raises",
    "raise Odd",
    before="class Odd(Exception):\n    def __str__(self):\n        raise SystemExit('twice')\n",
)
cell_breaks(
    "deletes_its_sandbox",
    """
import shutil

shutil.rmtree("/tmp", ignore_errors=True)
shutil.rmtree("/dev/shm", ignore_errors=True)
""",
)
cell_breaks(
    "limits_itself",
    """
import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
""",
)
cell_breaks(
    "closes_everything",
    """
import os

for number in (0, 1, 2):
    os.close(number)
""",
)
cell_breaks("closes_stdout", "import sys\n\nsys.stdout.close()\nsys.stderr.close()")

# ---------------------------------------------------------------- left behind

DAEMON = """
import subprocess
import sys

subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.pause()", "@MARK@"], start_new_session=True
)
"""
cell_breaks("leaves_a_daemon", DAEMON, STAYS)
cell_breaks(
    "leaves_a_double_fork",
    """
import os
import sys

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-c", "import signal; signal.pause()", "@MARK@"])
    os._exit(0)
""",
    STAYS,
)
cell_breaks(
    "leaves_a_thread",
    """
import threading

thread = threading.Thread(target=lambda: [None for _ in iter(int, 1)], daemon=False)
thread.start()
""",
    STAYS,
)
breaks("leaves_a_daemon_when_called", f"{DAEMON}\nreturn None", STAYS)
cell_breaks(
    "fork_bomb",
    """
import os
import time

try:
    while True:
        os.fork()
except OSError:
    os._exit(0)
""",
    STAYS,
)
cell_breaks(
    "thread_bomb",
    """
import threading

lock = threading.Event()
try:
    while True:
        threading.Thread(target=lock.wait, daemon=True).start()
except RuntimeError:
    lock.set()
""",
    STAYS,
)

# ---------------------------------------------------------------- by size

BIG = "1 << 29"
cell_breaks("memory_bomb", f"big = []\nwhile True:\n    big.append(bytearray({BIG}))")
breaks("memory_bomb_when_called", f"big = []\nwhile True:\n    big.append(bytearray({BIG}))")
cell_breaks(
    "disk_bomb",
    """
for number in range(100):
    with open(f"/tmp/{number}", "wb") as file:
        file.write(bytes(16 << 20))
""",
    "The disk of the machine is full.",
)
cell_breaks(
    "floods_stdout",
    "for _ in range(3000):\n    print('x' * 1000)",
    "The graded notebook is larger than a megabyte or so.",
)
cell_breaks(
    "floods_stderr", "import sys\n\nfor _ in range(3000):\n    print('x' * 1000, file=sys.stderr)"
)
cell_breaks("one_huge_line", "print('x' * 20_000_000)")
cell_breaks(
    "floods_displays",
    "from IPython.display import display\n\nfor _ in range(1000):\n    display({'x': 'y' * 1000})",
)
cell_breaks("huge_value", "'x' * 20_000_000")
breaks("floods_when_called", "for _ in range(3000):\n    print('x' * 1000)\nreturn None")
breaks("returns_a_huge_array", "return np.zeros(20_000_000)")
breaks("returns_a_huge_list", "return [0.0] * 3_000_000")
breaks("returns_a_huge_number", "return 10 ** 5000")
breaks("returns_a_huge_text", "return 'x' * 50_000_000")
breaks("returns_a_deep_list", "deep = []\nfor _ in range(5000):\n    deep = [deep]\nreturn deep")
breaks("returns_itself", "ring = []\nring.append(ring)\nreturn ring")
breaks("raises_a_huge_text", "raise ValueError('x' * 50_000_000)")
breaks("recursion", "return d_sigmoid(f)")
breaks(
    "recursion_without_limit",
    "sys.setrecursionlimit(10 ** 9)\nreturn d_sigmoid(f)",
    before="import sys\n",
)
cell_breaks("recursion_limit_lowered", "import sys\n\nsys.setrecursionlimit(200)")

# ---------------------------------------------------------------- never ending

cell_breaks("endless_cell", "while True:\n    pass")
cell_breaks(
    "endless_deaf_cell",
    "import signal\n\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass",
)
cell_breaks("sleeps", "import time\n\ntime.sleep(100_000)")
cell_breaks(
    "endless_repr",
    "class Slow:\n    def __repr__(self):\n        while True:\n            pass\n\n\nSlow()",
)
cell_breaks(
    "endless_at_exit",
    "import atexit\n\n\n@atexit.register\ndef last():\n    while True:\n        pass\n",
    STAYS,
)
breaks("endless_when_called", "while True:\n    pass")
breaks("sleeps_when_called", "import time\n\ntime.sleep(100_000)")
breaks(
    "endless_and_deaf_when_called",
    """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
""",
)
breaks("endless_in_c", "return sum(iter(int, 1))")
breaks(
    "endless_value",
    "return Slow()",
    before="""
class Slow(float):
    def hex(self):
        while True:
            pass

    __float__ = __array__ = __iter__ = __len__ = __eq__ = hex
    __hash__ = None


class SlowList(list):
    __iter__ = Slow.hex
""",
)
breaks(
    "endless_list",
    "return SlowList([1.0])",
    before="""
class SlowList(list):
    def __iter__(self):
        while True:
            yield 1.0
""",
)
entry(
    "six_endless_loops",
    "The six functions return nothing; the other two exercises are right.",
    never="The class waits for minutes.",
    fair=dict.fromkeys([*POINTS][:6], 0.0),
    answers={
        id: "\n".join(f"def {name}(*args):\n    while True:\n        pass\n" for name in names)
        for id, names in {
            "add_mul": ["add_mul"],
            "gates": ["d_reciprocal", "d_exp", "d_scale", "d_shift"],
            "sigmoid_neuron": ["sigmoid_neuron"],
            "d_sigmoid": ["d_sigmoid"],
            "exp_model": ["exp_model"],
            "fan_out": ["fan_out"],
        }.items()
    },
)

# ---------------------------------------------------------------- nonsense for the grader to read

cell_breaks(
    "messages_without_sense",
    """
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
for kind in ("stream", "display_data", "error", "status", "comm_open", "clear_output", "what"):
    for content in ({}, {"name": 3, "text": [1]}, {"data": 3, "metadata": None}):
        kernel.session.send(
            kernel.iopub_socket, kind, content, parent=kernel.get_parent(), ident=b"x"
        )
""",
)
cell_breaks(
    "bytes_without_sense",
    """
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
for parts in ([b"x"], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"", b"{", b"{}", b"{}", b"\\xff"]):
    kernel.iopub_socket.send_multipart(parts)
""",
)
cell_breaks(
    "half_characters",
    "print('\\ud800 \\x00 \\x1b[2J')\nraise ValueError('\\udfff\\x00')",
)
breaks("raises_half_characters", "raise ValueError('\\udfff\\x00\\x1b[2J')")
