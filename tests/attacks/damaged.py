"""Files that come back damaged: from Colab, from e-mail, from a full disk, from another decade."""

import copy
import json
import random

from nbformat.v4 import new_code_cell, new_markdown_cell

from attacks.base import NAME, as_file, cell_of, entry, place_of

MENDED = "Everything that a person could read is there, and it is right."
NOTHING = "There is nothing in it that a machine could grade; a person looks at it."
LOST = "Honest work is lost, or the class is not graded."


def damaged(name, why=MENDED, never=LOST, **options):
    entry(name, why, never=never, hostile=False, **options)


# ---------------------------------------------------------------- the file


def of_bytes(name, change, **options):
    damaged(name, write=lambda notebook: change(as_file(notebook)), **options)


def hopeless(name, content, **options):
    damaged(name, NOTHING, fair=None, write=lambda notebook: content, **options)


def _version_3(notebook):
    cells = [
        {"cell_type": "code", "input": c.source, "language": "python", "metadata": c.metadata}
        for c in notebook.cells
    ]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    return json.dumps(old).encode()


def _large(notebook):
    data = {"text/plain": "x" * 50_000_000}
    shown = {"output_type": "display_data", "metadata": {}, "data": data}
    cell_of(notebook, "add_mul").outputs = [shown]
    return as_file(notebook)


def _deep_metadata(notebook):
    deep = "[" * 500 + "]" * 500
    return as_file(notebook).replace(b'"nbformat":', f'"deep": {deep}, "nbformat":'.encode(), 1)


of_bytes("byte_order_mark", lambda data: b"\xef\xbb\xbf" + data)
of_bytes("utf_16", lambda data: data.decode().encode("utf-16"))
of_bytes("windows_line_ends", lambda data: data.replace(b"\n", b"\r\n"))
of_bytes("windows_line_ends_inside", lambda data: data.replace(b"\\n", b"\\r\\n"))
of_bytes("old_mac_line_ends_inside", lambda data: data.replace(b"\\n", b"\\r"))
of_bytes("latin_1", lambda data: data.replace(b"def fan_out(", b"# f\xfcr alle\\ndef fan_out("))
damaged("old_format", write=_version_3)
damaged("fifty_megabytes", write=_large)
damaged("deep_metadata", write=_deep_metadata)
hopeless("empty_file", b"")
hopeless("blank_file", b" \n\n")
hopeless("a_pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n")
hopeless("a_zip", b"PK\x03\x04" + bytes(range(256)))
hopeless("a_web_page", b"<!doctype html><title>Sign in - Google Accounts</title>")
hopeless("too_deep", b"[" * 100_000)
hopeless("deep_and_closed", b'{"cells": ' + b"[" * 50_000 + b"]" * 50_000 + b"}")
hopeless("no_cells", b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
hopeless("a_list", b"[1, 2, 3]")
hopeless("huge_number", b'{"cells": ' + b"9" * 10_000 + b"}")
hopeless("noise", random.Random(0).randbytes(10_000))
damaged(
    "cut_off",
    NOTHING,
    fair=None,
    write=lambda notebook: as_file(notebook)[: len(as_file(notebook)) // 2],
)
damaged(
    "another_lessons_notebook",
    NOTHING,
    fair=None,
    write=lambda _: json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": "def relu(x):\n    return x", "metadata": {}}
            ],
            "nbformat": 4,
        }
    ).encode(),
)
damaged("renamed", path=f"{NAME} (1).ipynb")
damaged("in_a_folder", path=f"Abgabe/Lektion 1/{NAME}.ipynb")
damaged("strange_name", path="Übung “1” \x1b[2J\n.ipynb")
damaged(
    "two_notebooks",
    "One has the lesson's name and answers in it; that one counts.",
    files={"draft.ipynb": lambda notebook: as_file(notebook).replace(b"def ", b"def old_")},
)
damaged(
    "two_notebooks_of_other_names",
    "The answers differ, and which of them counts only a person can ask.",
    fair=None,
    path="first.ipynb",
    files={
        "second.ipynb": lambda notebook: (
            as_file(notebook).replace(b"return z", b"return y").replace(b"df_dz = q", b"df_dz = y")
        )
    },
)
damaged("no_notebook", NOTHING, fair=None, path=None, files={"answers.docx": b"PK\x03\x04"})
damaged("nothing_at_all", NOTHING, fair=None, path=None)
damaged("bad_timestamp", files={"timestamp.txt": b"yesterday \xff\x00 99999-99-99"})
damaged(
    "files_beside",
    files={"data.csv": "1,2\n", "bild.png": b"\x89PNG", ".DS_Store": b"\x00", "x/y/z.txt": "z"},
)

# ---------------------------------------------------------------- the cells


def edited(name, edit, why=MENDED, **options):
    damaged(name, why, edit=edit, **options)


def each_cell(change):
    """An edit that changes every cell in turn; `change(cell, index)`."""

    def edit(notebook):
        for index, cell in enumerate(notebook.cells):
            change(cell, index)

    return edit


def _colab(notebook):
    for index, cell in enumerate(notebook.cells):
        cell.metadata = {"id": f"abc{index}", "outputId": "0-1-2", "colab": {"base_uri": "x"}}
        cell.id = "same"
    notebook.metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}}
    notebook.cells.insert(1, new_code_cell("%pip --version", id="same"))
    notebook.nbformat_minor = 0


def _colab_twins(notebook):
    for id in ("add_mul", "gates", "fan_out"):
        twin = copy.deepcopy(cell_of(notebook, id))
        notebook.cells.insert(place_of(notebook, id) + 1, twin)


def _kernelspec(**spec):
    def edit(notebook):
        notebook.metadata = {"kernelspec": spec, "language_info": {"name": spec["name"]}}

    return edit


def _no_metadata(cell, index):
    cell.metadata = {}


def _foreign_labels(cell, index):
    if cell.metadata.get("nbgrader", {}).get("solution"):
        cell.metadata["nbgrader"]["grade_id"] = f"relu_{index}"


def _split(notebook):
    place = place_of(notebook, "sigmoid_neuron")
    cell = notebook.cells[place]
    lines = cell.source.split("\n")
    middle = next(i for i, line in enumerate(lines) if "df_df" in line)
    rest = new_code_cell("\n".join(lines[middle:]))
    cell.source = "\n".join(lines[:middle])
    notebook.cells.insert(place + 1, rest)


def _split_functions(notebook):
    place = place_of(notebook, "gates")
    cell = notebook.cells[place]
    start = cell.source.index("def d_scale")
    notebook.cells.insert(place + 1, new_code_cell(cell.source[start:]))
    cell.source = cell.source[:start]


def _merged(notebook):
    one, other = cell_of(notebook, "d_sigmoid"), cell_of(notebook, "fan_out")
    one.source += "\n\n\n" + other.source
    notebook.cells.remove(other)


def _as_text(notebook):
    for id in ("fan_out", "test_fan_out", "test_gates"):
        cell = cell_of(notebook, id)
        cell.cell_type = "raw" if id == "test_gates" else "markdown"
        cell.pop("outputs", None)


def _no_tests(notebook):
    notebook.cells = [cell for cell in notebook.cells if "judge" not in cell.source]
    notebook.cells = [c for c in notebook.cells if not c.metadata.get("nbgrader", {}).get("grade")]


def _no_imports(notebook):
    del notebook.cells[0]


def _no_answer(notebook):
    notebook.cells.remove(cell_of(notebook, "fan_out"))


def _stray(notebook):
    for cell in notebook.cells:
        cell["id"] = None
        cell["extra"] = {"a": [1, None]}
    notebook["extra"] = 3
    notebook.nbformat_minor = 99


def _strange_file(notebook):
    data = json.loads(as_file(notebook))
    for index, cell in enumerate(data["cells"]):
        cell["outputs"] = [None, {"a": 1}, "x"][index % 3]
        cell["execution_count"] = "x"
        if index % 2:
            cell["source"] = cell["source"].splitlines(keepends=True)
    data["cells"][1:1] = [None, 3, "x", [], {}, {"cell_type": "code"}]
    return json.dumps(data).encode()


def _many_cells(notebook):
    notebook.cells += [new_markdown_cell(f"note {number}") for number in range(500)]


edited("colab", _colab)
edited("colab_twins", _colab_twins)
edited("kernelspec_bash", _kernelspec(name="bash", display_name="Bash", language="bash"))
edited("kernelspec_julia", _kernelspec(name="julia-1.9", display_name="Julia", language="julia"))
edited("kernelspec_strange", _kernelspec(name="../../evil", display_name=None))
edited("no_metadata", each_cell(_no_metadata))
edited("foreign_labels", each_cell(_foreign_labels))
edited("same_ids", each_cell(lambda cell, index: cell.__setitem__("id", "same")))
edited("no_ids", each_cell(lambda cell, index: cell.pop("id")))
edited("long_ids", each_cell(lambda cell, index: cell.__setitem__("id", "x" * 1000)))
edited("stray_keys", _stray)
edited("reversed", lambda notebook: notebook.cells.reverse())
edited("split_in_the_middle", _split)
edited("split_by_functions", _split_functions)
edited("merged", _merged)
edited("retyped", _as_text)
edited("tests_deleted", _no_tests)
edited("imports_deleted", _no_imports)
edited("answer_deleted", _no_answer, "One answer is not there.", fair={"fan_out": 0.0})
edited("many_cells", _many_cells)
damaged("strange_types", write=_strange_file)
