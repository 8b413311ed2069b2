"""What a computation keeps for its backward pass, in bytes and by name; and what memory does.

`kept(loss)` reads the recorded graph: what a vjp mentions stays alive until backward has passed
it, so the arrays that the vjps close over are the whole bill, under the names they have in
ops.py. `Meter` measures instead of reading: the peak of allocated memory while a block runs, and
the process's resident memory where the system tells it.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Self

import numpy as np

from .tensor import Node, Tensor, op_name

Entry = namedtuple("Entry", "order op name shape bytes leaf")
Entry.__doc__ = """One array that one node keeps.

order, op   the node: its place in the recorded graph, and its primitive
name        what ops.py calls the array (for a layer of your own: the attribute's name)
shape, bytes
leaf        True if this is the data of a trainable leaf (a weight): it would be there anyway
"""


class Kept(list):
    """A list of `Entry`, oldest node first. Each piece of memory is listed once, at its first user.

    total        bytes that are alive only because backward needs them (without leaves' own data)
    by_op()      {primitive: bytes}, likewise
    """

    @property
    def total(self) -> int:
        return sum(entry.bytes for entry in self if not entry.leaf)

    def by_op(self) -> dict[str, int]:
        bill = {}
        for entry in self:
            if not entry.leaf:
                bill[entry.op] = bill.get(entry.op, 0) + entry.bytes
        return bill

    def __str__(self):
        if not self:
            return "nothing is kept for backward"
        lines = [f"{'node':>6}  {'primitive':<16}{'keeps':<12}{'shape':<16}{'bytes':>14}"]
        for e in self:
            note = "  a leaf: costs nothing more" if e.leaf else ""
            line = f"{e.order:>6}  {e.op:<16}{e.name:<12}{e.shape!s:<16}{e.bytes:>14,}{note}"
            lines.append(line)
        lines.append(f"{'kept until backward has passed':<50}{self.total:>14,}")
        return "\n".join(lines)


def kept(*tensors: Tensor) -> Kept:
    """What the graph behind these Tensors keeps for backward: a `Kept` list, prints as a table.

    A view counts with the whole array that it keeps alive. Not counted: the engine's bookkeeping
    (a few hundred bytes a node, and up to 4 KB for each array to notice edits in place).
    """
    nodes = graph(*tensors)
    leaves = {
        id(owner(parent.data))
        for node in nodes
        for parent in node.parents or ()
        if isinstance(parent, Tensor)
    }
    seen, entries = set(), Kept()
    for node in nodes:
        for vjp in node.vjps or ():
            for name, array in mentioned(vjp):
                array = owner(array)
                if id(array) not in seen:
                    seen.add(id(array))
                    leaf = id(array) in leaves
                    entries.append(
                        Entry(node.order, op_name(node), name, array.shape, array.nbytes, leaf)
                    )
    return entries


def graph(*tensors: Tensor) -> list[Node]:
    """Every Node behind these Tensors, oldest first."""
    waiting = [t._node for t in tensors]
    found = {}
    while waiting:
        node = waiting.pop()
        if type(node) is Node and id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.parents or ())
    return sorted(found.values(), key=lambda node: node.order)


def mentioned(vjp):
    """(name, array) for what a vjp closes over: directly, in a dict, or by way of a function."""
    for name, cell in zip(vjp.__code__.co_freevars, vjp.__closure__ or (), strict=True):
        content = cell.cell_contents
        if isinstance(content, (np.ndarray, np.float64)):
            yield name, content
        elif isinstance(content, dict):  # what forward left on a layer of your own
            for key, value in content.items():
                if isinstance(value, (np.ndarray, np.float64)):
                    yield key, value
        elif hasattr(content, "__closure__"):
            yield from mentioned(content)


def owner(array):
    """The array whose memory this one looks at."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


# ----------------------------------------------------------------------------------- measuring


class Meter:
    """Measure the memory that a block of code takes.

        with Meter() as meter:
            loss = bce_with_logits(y, net(X))
            loss.backward()
        print(meter.peak, meter.left)

    peak           bytes: the most that was allocated at any moment, beyond what was there before
    left           bytes: what is still allocated at the end of the block
    process_peak   like peak, for the resident memory of the whole process as the system counts it;
                   None where it does not say (everywhere but Linux). Memory that the process had
                   and uses again does not show here.

    Counted by Python's own tracemalloc, which knows of NumPy's arrays. It makes Python code slower,
    and it does not notice when memory from before the first Meter is given back: put forward and
    backward into one Meter, or start tracemalloc first.
    """

    peak: int | None
    left: int | None
    process_peak: int | None

    def __enter__(self) -> Self:
        import tracemalloc

        self.peak = self.left = self.process_peak = None
        self._ours = not tracemalloc.is_tracing()
        if self._ours:
            tracemalloc.start()
        self._resident = resident() if reset_resident_peak() else None
        tracemalloc.reset_peak()
        self._before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *error: object) -> None:
        import tracemalloc

        now, peak = tracemalloc.get_traced_memory()
        self.peak, self.left = peak - self._before, now - self._before
        if self._resident is not None and (highest := resident("VmHWM")) is not None:
            self.process_peak = highest - self._resident
        if self._ours:
            tracemalloc.stop()


def resident(key: str = "VmRSS") -> int | None:
    """The process's resident memory in bytes ("VmHWM": its peak); None without Linux's /proc."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(key + ":"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def reset_resident_peak() -> bool:
    """Have the system count the peak of resident memory anew; False where it cannot."""
    try:
        with open("/proc/self/clear_refs", "w") as switch:
            switch.write("5")
    except OSError:
        return False
    return resident("VmHWM") is not None
