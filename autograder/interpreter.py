"""The Python that runs this: where it lies, however it was called, and what lies beside it.

`../.venv/bin/python` and `.venv/bin/python` are right names for it, from one folder; other
processes are started in other folders, and what is mounted must have a name of its own.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def true_path(path: str | Path) -> Path:
    """The path with the dots and links of its folder resolved. The last part may be a link and
    stays one: by its name a virtual environment's Python knows where it belongs."""
    path = Path(path)
    return path.parent.resolve() / path.name


def program(name: str) -> str:
    """The true path of a program, found as a shell finds it."""
    return str(true_path(shutil.which(name) or name))


PYTHON = true_path(sys.executable)  # when this is imported, relative names still mean something


def path_with_tools() -> str:
    """A PATH on which the tools beside this Python come first."""
    return f"{PYTHON.parent}{os.pathsep}{os.environ.get('PATH', '')}"


@contextmanager
def tools_on_path() -> Iterator[None]:
    """nbgrader calls `alembic` and friends by bare name: let it find those beside this Python."""
    before = os.environ.get("PATH", "")
    os.environ["PATH"] = path_with_tools()
    try:
        yield
    finally:
        os.environ["PATH"] = before
