"""`autograder lab`: the student notebooks in JupyterLab, as a student has them."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from autograder.interpreter import PYTHON, path_with_tools

from .lessons import ROOT, Course, CourseError


def open_lab(course: Course, options: Sequence[str] = (), folder: str | Path | None = None) -> int:
    """Copy the releases to lab/ where they are not there yet, and start JupyterLab in it."""
    folder = Path(folder or ROOT / "lab")
    copied = copy_releases(course, folder)
    for path in copied:
        print(f"new in {folder.name}/: {path.relative_to(folder)}")
    print(f"Your notebooks are in {folder}; what you write there is kept.", flush=True)
    environment = {**os.environ, "PATH": path_with_tools()}
    command = [str(PYTHON), "-m", "jupyterlab", *options]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # in a container there is often nobody else
    return subprocess.call(command, cwd=folder, env=environment)


def copy_releases(course, folder):
    """Copy every released notebook that is not in `folder` yet; returns the new ones."""
    released = sorted((course.path / "release").glob("*/*.ipynb"))
    if not released:
        raise CourseError(
            f"{course.path} has no release yet. Make the student notebooks with "
            "`autograder release`."
        )
    new = []
    for path in released:
        target = folder / path.parent.name / path.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
            new.append(target)
    return new
