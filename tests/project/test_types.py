"""What the doors of both packages promise, as types: `make lint` checks them with mypy.

Here stands what mypy cannot see: that every public function says what it takes and gives back, and
that what is written down for editors alone is what there is.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys

import pytest

import backprop_kit
from autograder.course import ROOT
from backprop_kit.engine import Tensor, ops

DOORS = [
    "backprop_kit",
    "backprop_kit.engine",
    "autograder.course",
    "autograder.submissions",
    "autograder.judging",
    "autograder.running",
    "autograder.rehearsal",
]


def public_functions(door):
    """{dotted name: function} of a door's functions, and of the public methods of its classes.

    An operation of ops.py shows its type by what `unary` and its like say they make.
    """
    found = {}
    for name in door.__all__:
        thing = getattr(door, name)
        if inspect.isclass(thing):
            mine = {
                f"{name}.{key}": inspect.unwrap(value)
                for key, value in vars(thing).items()
                if inspect.isfunction(value) and (key[0] != "_" or key == "__init__")
                if not hasattr(value, "primitive")
            }
            found |= {} if issubclass(thing, (Exception, dict)) else mine
        elif inspect.isfunction(thing):
            found[name] = inspect.unwrap(thing)
    return found


def unsaid(function):
    """What the signature of a function does not say: names of parameters, and "return"."""
    signature = inspect.signature(function)
    missing = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name != "self"
    ]
    return missing + (["return"] if signature.return_annotation is signature.empty else [])


@pytest.mark.parametrize("name", DOORS)
def test_every_public_function_says_what_it_takes_and_returns(name):
    functions = public_functions(importlib.import_module(name))
    assert functions
    assert {n: missing for n, f in functions.items() if (missing := unsaid(f))} == {}


def test_what_is_not_said_is_found():
    def f(a: int, b=1, *c: str): ...

    assert unsaid(f) == ["b", "return"]


WRONG = """\
from backprop_kit import Linear, Tensor, check, draw

loss = (2.0 * Tensor([1.0]) @ Tensor([2.0])).exp().sum()
loss.backward(keep_graph="yes")  # arg-type
loss.gradient  # attr-defined
Linear(2)  # call-arg
check(3)  # arg-type
draw(loss, fold="layers")  # arg-type
"""


def test_wrong_calls_of_the_kit_are_found(tmp_path):
    """As a student's editor would see them; what is loaded later is known, and the operators."""
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", str(tmp_path / "wrong.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    found = re.findall(r"wrong\.py:(\d+): error: .*\[([\w-]+)\]", ran.stdout)
    lines = enumerate(WRONG.splitlines(), 1)
    wanted = [(str(number), line.split("# ")[1]) for number, line in lines if "# " in line]
    assert found == wanted, ran.stdout + ran.stderr


# ---------------------------------------------------------------- what only editors read


def for_editors(path, within=None):
    """What stands under `if TYPE_CHECKING:` in a file, or in one class of it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    if within:
        (tree,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == within]
    (block,) = [
        node for node in tree.body if isinstance(node, ast.If) and node.test.id == "TYPE_CHECKING"
    ]
    return block.body


def test_editors_see_what_is_loaded_later():
    seen = {
        alias.name: f"{node.module}.{alias.name}"
        for node in for_editors("backprop_kit/__init__.py")
        for alias in node.names
    }
    later = {name: f"backprop_kit.{room}.{name}" for name, room in backprop_kit._LATER.items()}
    later |= {name: f"backprop_kit.{room}" for name, room in backprop_kit._MODULES_LATER.items()}
    assert seen == later
    assert set(later) < set(backprop_kit.__all__)
    assert all(getattr(backprop_kit, name) is not None for name in backprop_kit.__all__)


def names_bound(node):
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
    return {target.id for target in targets}


def test_editors_see_the_operators_that_ops_adds_to_the_class():
    seen = set().union(
        *map(names_bound, for_editors("backprop_kit/engine/tensor.py", within="Tensor"))
    )
    assert seen == {*ops.OPERATORS, *(method.__name__ for method in ops.METHODS)}
    assert all(hasattr(Tensor, name) for name in seen)
