"""What a cell's code says, read without running it: what it defines, what it imports."""

import ast
import re

DEFINES = re.compile(r"^(?:(?:def|class)\s+(\w+)|(\w+)[ \t]*=(?!=))", re.MULTILINE)
MAX_PARSED = 200_000  # characters of a cell that are looked at for what they import


def defined(source):
    """The names that are defined at the left margin of this code."""
    return {name for names in DEFINES.findall(source) for name in names if name}


def imported(source):
    """The names that this code imports at its top level."""
    try:
        body = ast.parse(source[:MAX_PARSED]).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def only_imports(cell):
    """Whether a cell of code imports something and does nothing else."""
    if cell.cell_type != "code" or len(cell.source) > MAX_PARSED or not parses(cell.source):
        return False
    body = ast.parse(cell.source).body
    return bool(body) and all(isinstance(node, ast.Import | ast.ImportFrom) for node in body)


def parses(source):
    if len(source) > MAX_PARSED:
        return True
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def indented(source):
    """Whether this code begins in the middle of a function, so that it cannot be run alone."""
    return source.lstrip("\n")[:1].isspace() and not parses(source)
