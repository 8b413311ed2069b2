"""Resolve constraints.txt anew: the newest versions that the oldest supported Python can have.

pip resolves for the first patch release of the oldest supported Python, so that nobody's python3 is
too old for a pin. Then it looks whether newer Pythons find these versions as well.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
# Newer ones, as Jupyter asks for them, build a grammar of international addresses when they are
# imported: two and a half seconds of each command and each notebook that is read.
RATHER = ("jsonschema<4.25",)


def requirements():
    """Everything that `make setup` asks for by name, and what we would rather have."""
    for file in (ROOT / "pyproject.toml", ROOT / "autograder" / "pyproject.toml"):
        project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
        yield from project["dependencies"]
        for extra in project["optional-dependencies"].values():
            yield from extra
    yield from RATHER


def resolve(python, folder, *options):
    """{name: version} of what pip would install under this Python, binary packages only."""
    report = Path(folder, "report.json")
    options += ("--target", folder, "--report", str(report), "--python-version", python)
    options += ("--quiet", "--dry-run", "--ignore-installed", "--only-binary", ":all:")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *requirements()], check=True)
    chosen = [each["metadata"] for each in json.loads(report.read_text())["install"]]
    return {each["name"]: each["version"] for each in chosen}


with tempfile.TemporaryDirectory() as folder:
    chosen = resolve(PYTHONS[0], folder)
    lines = [f"{name}=={chosen[name]}" for name in sorted(chosen, key=str.lower)]
    (ROOT / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages for Python {PYTHONS[0]}")
    for python in PYTHONS[1:]:
        resolve(python, folder, "--constraint", str(ROOT / "constraints.txt"))
        print(f"Python {python} finds the same")
