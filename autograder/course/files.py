"""How the files of a course are written."""

import os
from pathlib import Path


def write_whole(path: str | Path, text: str) -> None:
    """Write a file so that at every moment it is either the old one or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    with open(scratch, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(scratch, path)
