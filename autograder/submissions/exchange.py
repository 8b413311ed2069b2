"""The two files by which nbgrader's exchange finds out whose feedback a page is.

`nbgrader submit` lays them beside the notebook, `nbgrader release_feedback` opens them beside the
page: between the two they go along from folder to folder. The secret decides under which name the
student's own `nbgrader fetch_feedback` looks for the page.
"""

import secrets
import shutil
from pathlib import Path

SECRET = "submission_secret.txt"
TIMESTAMP = "timestamp.txt"
FILES = (SECRET, TIMESTAMP)


def lay_beside(folder: str | Path, secret: str = "", timestamp: str = "") -> None:
    """Write what is known of the two files, as texts, into a folder that may already hold them."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((SECRET, secret), (TIMESTAMP, timestamp)):
        if text:
            (folder / name).write_text(text, encoding="utf-8")


def copy(folder: str | Path, to: str | Path) -> None:
    """Copy the files that are there to another folder."""
    Path(to).mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (Path(folder) / name).is_file():
            shutil.copy(Path(folder) / name, to)


def complete(folder: str | Path) -> None:
    """Make the files that are not there: who handed in by other ways must not stop
    `release_feedback` for those who did not. Nobody knows the secret, so nobody finds the page."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ((SECRET, secrets.token_hex(64)), (TIMESTAMP, "")):
        if not (folder / name).is_file():
            (folder / name).write_text(text, encoding="utf-8")
