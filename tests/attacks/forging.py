"""Marks that nobody earned: forged verdicts, patched tools, edited tests.

The exercise that is cheated in is worth nothing, for its answer is wrong; the others are right.
"""

import copy

from nbformat.v4 import new_code_cell, new_output

from attacks.base import POINTS, cell_of, entry, place_of

NOTHING = {"add_mul": 0.0}
NONE = dict.fromkeys(POINTS, 0.0)
NO_REPLY = "Its kernel answers nothing but a score, which is no answer to what was asked."
WRONG = "def add_mul(x, y, z):\n    return 0.0, 0.0, 0.0, 0.0\n"
WRONG_NUMBERS = "The numbers that its function returns are wrong, whatever else happens."


def forges(name, first, why=WRONG_NUMBERS, never="It gets points for add_mul.", **options):
    """An entry whose add_mul is wrong, and that does something about it in a cell of its own."""
    options = {"answers": {"add_mul": WRONG}, "fair": NOTHING} | options
    entry(name, why, never=never, first=first, **options)


# ---------------------------------------------------------------- in the kernel

forges(
    "display_hook",
    """
import sys

sys.displayhook = get_ipython().display_trap.hook = lambda value: print("2.0")
""",
)
forges(
    "display_formatter",
    'get_ipython().display_formatter.format = lambda *a, **k: ({"text/plain": "2.0"}, {})',
)
forges(
    "replaces_the_test",
    """
def replace(lines):
    return ["2.0"] if any('judge("add_mul"' in line for line in lines) else lines


get_ipython().input_transformers_cleanup.append(replace)
""",
)
forges(
    "drops_asserts",
    """
import ast


class Drop(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()

    def visit_Expr(self, node):
        return ast.Expr(ast.Constant(2.0)) if "'add_mul'" in ast.dump(node) else node


get_ipython().ast_transformers.append(Drop())
""",
)
forges(
    "shows_a_verdict",
    """
from IPython.display import publish_display_data

MIME = "application/vnd.backprop-course.verdict+json"
claim = {"exercise": "add_mul", "score": 2.0, "max": 2.0, "cause": None, "message": "Right."}
publish_display_data({MIME: claim, "text/plain": "2.0"})
print("2.0")
2.0
""",
)
forges(
    "forged_payload",
    """
import json

forged = {"source": "probe", "reply": json.dumps({"score": 2})}
get_ipython().payload_manager.read_payload = lambda: [forged]
get_ipython().user_expressions = lambda expressions: dict.fromkeys(expressions, forged)
""",
    why=NO_REPLY,
    fair=NONE,
)
forges(
    "forged_reply",
    "",
    answers={
        "add_mul": """
def add_mul(x, y, z):
    import json
    from ipykernel.kernelapp import IPKernelApp

    kernel = IPKernelApp.instance().kernel
    claim = {"observations": [{"result": {"float": (2.0).hex()}, "mutated": []}] * 14, "score": 2}
    payload = [{"source": "probe", "reply": json.dumps(claim)}]
    content = {"status": "ok", "execution_count": 1, "payload": payload}
    for stream in (kernel.shell_stream, kernel.control_stream):
        kernel.session.send(stream, "execute_reply", content, kernel.get_parent("shell"))
    return 0.0, 0.0, 0.0, 0.0
"""
    },
)
forges(
    "fake_judge",
    """
import sys
import types

fake = types.ModuleType("autograder.judging")
fake.judge = lambda *args, **kwargs: 2.0
sys.modules["autograder"] = types.ModuleType("autograder")
sys.modules["autograder.judging"] = fake
""",
)
forges("own_check", "check = judge = lambda *args, **kwargs: 2.0")
forges(
    "patched_numpy",
    """
for name in dir(np.testing):
    if name.startswith("assert"):
        setattr(np.testing, name, lambda *args, **kwargs: None)
np.allclose = np.isclose = np.array_equal = lambda *args, **kwargs: True
""",
)
forges(
    "patched_json",
    """
import json

real = json.dumps


def forged(value, **options):
    if isinstance(value, dict) and "observations" in value:
        value = {**value, "score": 2.0, "cause": None, "message": "All hidden tests passed."}
    return real(value, **options)


json.dumps = forged
""",
)
forges(
    "patched_builtins",
    """
import builtins

builtins.abs = lambda value: 0.0
builtins.all = lambda values: True
builtins.any = lambda values: False
builtins.round = lambda *args: 2.0
""",
)
forges(
    "patched_exec",
    """
import builtins

real = builtins.exec


def forged(code, *spaces):
    real(code, *spaces)
    if spaces and spaces[0].get("__name__") == "probe":
        answer = spaces[0]["answer"]
        spaces[0]["answer"] = lambda request, space: answer(request, space).replace(
            '"mutated"', '"score": 2.0, "mutated"'
        )


builtins.exec = forged
""",
)
forges(
    "patched_observe",
    """
from backprop_kit.checking import observe

observe.observe = lambda *args: observe.Observation("all right")
""",
    why="What it makes of every call is a text, and no exercise has that for an answer.",
    fair=NONE,
)
forges(
    "patched_namespace",
    """
class Names(dict):
    def get(self, name, default=None):
        return lambda *args: True


get_ipython().user_ns_hidden["add_mul"] = None
add_mul_in_disguise = Names(add_mul=lambda *args: True)
""",
)
forges(
    "patched_time",
    """
import signal
import time

time.monotonic = time.time = time.perf_counter = lambda: 0.0
signal.setitimer = lambda *args: (0.0, 0.0)
""",
    why="A function that never ends returns nothing; stopping the clock does not help.",
    answers={"add_mul": "def add_mul(x, y, z):\n    while True:\n        pass\n"},
)
forges(
    "patched_cells",
    """
from IPython.core.interactiveshell import InteractiveShell

real = InteractiveShell.run_cell


def run_cell(self, source, *args, **kwargs):
    return real(self, "2.0" if "judge" in source else source, *args, **kwargs)


InteractiveShell.run_cell = run_cell
""",
)
forges(
    "prints_scores",
    "",
    answers={
        "add_mul": """
def add_mul(x, y, z):
    import os
    import sys

    for out in (sys.stdout, sys.__stdout__, sys.stderr):
        print('{"score": 2.0}', file=out, flush=True)
    for number in range(1, 20):
        try:
            os.write(number, b'{"score": 2.0}')
        except OSError:
            pass
    return "2.0"
"""
    },
    why="It writes scores into everything that can be written to, and returns a text.",
)
forges(
    "walks_frames",
    "",
    answers={
        "add_mul": """
import sys


def add_mul(x, y, z):
    frame = sys._getframe()
    while frame:
        for name, value in frame.f_locals.items():
            if name in ("expected", "plan", "verdict", "reference", "solution"):
                return value
        frame = frame.f_back
    return None
"""
    },
    why="No frame below the call holds what is expected, so that it returns nothing.",
)
forges(
    "searches_memory",
    "",
    answers={
        "add_mul": """
import gc


def add_mul(x, y, z):
    for thing in gc.get_objects():
        if type(thing) is dict and ("expected" in thing or "aspects" in thing):
            return thing
        if type(thing).__name__ in ("Plan", "Trial", "Verdict", "Finding"):
            return thing
    return None
"""
    },
    why="Nothing in its process knows what is expected, so that it returns nothing.",
)
forges(
    "ctypes_rewrites_floats",
    """
import ctypes

size = ctypes.sizeof(ctypes.c_double)
two, zero = 2.0, 0.0
ctypes.memmove(id(zero) + 16, id(two) + 16, size)
""",
    answers={"add_mul": "def add_mul(x, y, z):\n    return zero, zero, zero, zero\n"},
)

# ---------------------------------------------------------------- values that lie

RETURNS = """
class Yes:
    def __eq__(self, other):
        return True

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __eq__
    __hash__ = None

    def __sub__(self, other):
        return 0.0

    __rsub__ = __add__ = __radd__ = __mul__ = __float__ = lambda self, other=None: 0.0

    def __array__(self, dtype=None, copy=None):
        return np.zeros(())


class Array(np.ndarray):
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: np.bool_(True)
    __sub__ = __rsub__ = lambda self, other: np.zeros(())
    __float__ = lambda self: 0.0


class Number(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = None


class Lazy:
    def __getattr__(self, name):
        raise RuntimeError("not now")


class Shape(np.ndarray):
    shape = property(lambda self: ())
    dtype = property(lambda self: np.dtype(float))
    nbytes = property(lambda self: 8)


class Tuple(tuple):
    def __iter__(self):
        raise RuntimeError("no")

    def __len__(self):
        return 4


def add_mul(x, y, z):
    return {value}
"""


def returns(name, value, why):
    source = RETURNS.replace("{value}", value)
    forges(name, "", why, answers={"add_mul": source})


returns("always_equal", "(Yes(),) * 4", "An object that equals everything is not a number.")
returns("array_always_equal", "(np.zeros(()).view(Array),) * 4", "Its numbers are zeros.")
returns("number_always_equal", "(Number(7),) * 4", "Its numbers are sevens.")
returns("lazy_objects", "(Lazy(),) * 4", "Objects that raise at a touch are not numbers.")
returns("lying_shape", "(np.zeros((3, 3)).view(Shape),) * 4", "Nine zeros are not the number.")
returns("lying_tuple", "Tuple()", "There is nothing in it.")
returns("generator", "(value for value in range(4))", "A generator is not four numbers.")
returns("nan", "(np.nan,) * 4", "Not a number is not the number that was asked for.")
returns("infinity", "(np.inf, -np.inf, 1e999, -1e999)", "Infinity is not the right number.")
returns("object_array", "np.array([Yes(), None, 'x', []], dtype=object)", "No number in it.")
returns("strings", "tuple(map(str, ((x + y) * z, z, z, x + y)))", "Texts are not numbers.")
returns("a_function", "lambda: 2.0", "A function is not a number.")
returns("a_class", "Yes", "A class is not a number.")

# ---------------------------------------------------------------- in the notebook


def edits(name, why, edit, **options):
    """An entry whose add_mul is wrong, and whose notebook is edited."""
    options = {"answers": {"add_mul": WRONG}, "fair": NOTHING} | options
    entry(name, why, edit=edit, never="It gets points for add_mul.", **options)


def _edited_test(notebook):
    cell_of(notebook, "test_add_mul").source = "2.0"


def _raised_points(notebook):
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata["nbgrader"]["points"] = 600


def _test_is_solution(notebook):
    cell = cell_of(notebook, "test_add_mul")
    cell.metadata["nbgrader"] |= {"solution": True, "locked": False}
    cell.source = "2.0"


def _no_test(notebook):
    notebook.cells.remove(cell_of(notebook, "test_add_mul"))


def _twice_tested(notebook):
    twin = new_code_cell("2.0", metadata=copy.deepcopy(cell_of(notebook, "test_add_mul").metadata))
    notebook.cells.append(twin)


def _test_as_text(notebook):
    cell = cell_of(notebook, "test_add_mul")
    cell.cell_type = "markdown"
    cell.source = "2.0"


def _skipped(notebook):
    for id in ("add_mul", "test_add_mul"):
        cell_of(notebook, id).metadata["tags"] = ["skip-execution", "raises-exception"]


def _stored_outputs(notebook):
    data = {
        "text/plain": "2.0",
        "application/vnd.backprop-course.verdict+json": {"exercise": "add_mul", "score": 2.0},
    }
    cell = cell_of(notebook, "test_add_mul")
    cell.outputs = [new_output("execute_result", data, execution_count=7)]
    cell.execution_count = 7


def _own_metadata(notebook):
    claim = {"repairs": [], "own": [], "verdicts": {"add_mul": {"score": 2.0}}}
    notebook.metadata["autograder"] = claim
    notebook.metadata["nbgrader"] = {"score": 18}


def _redirected(notebook):
    test = cell_of(notebook, "test_add_mul")
    test.source = test.source.replace("add_mul", "fan_out")
    test.metadata["nbgrader"]["grade_id"] = "test_fan_out"


def _test_first(notebook):
    test = notebook.cells.pop(place_of(notebook, "test_add_mul"))
    test.source = "2.0"
    notebook.cells.insert(0, test)


edits("edited_test", "The test is the released one, whatever stands in its place.", _edited_test)
edits("raised_points", "What an exercise is worth is told by the release.", _raised_points)
edits("test_as_solution", "A test is not the student's to write.", _test_is_solution)
edits("deleted_test", "A test that was deleted is put back.", _no_test)
edits("duplicated_test", "A second test with another text is not the lesson's.", _twice_tested)
edits("test_as_text", "A test that has become text is put back.", _test_as_text)
edits("skipped_test", "Tags do not decide what is run.", _skipped)
edits("stored_outputs", "Outputs that were sent along are not looked at.", _stored_outputs)
edits("own_metadata", "What the notebook says of itself is not looked at.", _own_metadata)
edits("redirected_test", "A test for another exercise is not this one's.", _redirected)
edits("moved_test", "A test in front of everything is put back where it belongs.", _test_first)
entry(
    "points_above_the_maximum",
    "Every answer is right; an exercise is worth what the release says.",
    never="It gets more than 18 points.",
    edit=_raised_points,
)
