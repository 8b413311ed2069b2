"""Typical mistakes, made on purpose: backward passes that go wrong in exactly one place.

The engine has recorded the graph of an exercise. Walking it backward gives the gradients that
are expected. Walking it with one local derivative left out, one sign turned, one path dropped
or one sum overwritten gives the gradients that a student who made that slip would return. If
an answer agrees with one of these on every input, the mistake has a name.
"""

from itertools import combinations

import numpy as np

# What a gate is called in a sentence, by the name of its primitive.
GATES = {
    "add": "the sum",
    "sub": "the difference",
    "mul": "the product",
    "div": "the quotient",
    "neg": "the ×(−1) gate",
    "pow": "the power",
    "power": "the power",
    "square": "the square",
    "exp": "the exponential",
    "log": "the logarithm",
    "reciprocal": "the 1/x gate",
    "sigmoid": "the sigmoid",
    "relu": "the ReLU",
    "tanh": "the tanh",
    "matmul": "the matrix product",
    "sum": "the sum over entries",
    "mean": "the mean",
    "linear": "the linear layer",
    "transpose": "the transpose",
    "softplus": "the softplus",
    "bce": "the loss",
    "bce_with_logits": "the loss",
    "maximum": "the maximum",
    "sin": "the sine",
}


SIGNS = {"mul": "·", "add": " + ", "sub": " − ", "div": "/"}


def op_name(node):
    """The name of a node's primitive: "mul", "exp" …"""
    op = node.op
    return op if isinstance(op, str) else getattr(op, "name", None) or op.__name__


def gate_name(node, inputs):
    """A gate in words, with its inputs where they are inputs of the exercise: 'the product x·y'.

    inputs: {id(leaf): name}.
    """
    name = op_name(node)
    words = GATES.get(name, f"the {name} gate")
    operands = [inputs.get(id(parent)) for parent in node.parents]
    if name in SIGNS and len(operands) == 2 and all(operands):
        return f"{words} {SIGNS[name].join(operands)}"
    if name == "add" and len(operands) == 1:
        return "the sum with a constant"
    return words


def topological(output):
    """The recorded nodes behind `output`, the output's own first, every node before its parents."""
    seen, stack = {}, [output._node]
    while stack:
        node = stack.pop()
        if id(node) not in seen and hasattr(node, "vjps"):
            seen[id(node)] = node
            stack.extend(node.parents)
    return sorted(seen.values(), key=lambda node: node.order, reverse=True)


def backward(output, edit=None, overwrite=None, seed=None):
    """Gradients by identity of node or leaf: {id: gradient}; the graph stays as it was.

    seed: the signal at `output`, by default ones.
    edit: {(id(node), argument index): change}, where change(upstream, contribution) replaces
        what flows along that edge.
    overwrite: (id, k): at this node or leaf keep only the k-th contribution that arrives.
    """
    edit = edit or {}
    arrived = {id(output._node): [np.ones_like(output.data)[()] if seed is None else seed]}

    def total(key):
        contributions = arrived.get(key)
        if not contributions:
            return None
        if overwrite and overwrite[0] == key:
            return contributions[overwrite[1]]
        return sum(contributions[1:], contributions[0])

    for node in topological(output):
        upstream = total(id(node))
        if upstream is None:
            continue
        for index, (parent, vjp) in enumerate(zip(node.parents, node.vjps, strict=True)):
            contribution = vjp(upstream)
            change = edit.get((id(node), index))
            if change:
                contribution = change(upstream, contribution)
            arrived.setdefault(id(parent), []).append(contribution)
    return {key: total(key) for key in arrived}


def graph_slips(output, inputs, seed=None):
    """Yield (cause, words, {input name: gradient}) for every single slip, and some pairs.

    output: the Tensor whose recorded graph is walked (before its own backward has run).
    inputs: {name: leaf Tensor}. seed: the signal from above that the answer was given, if any.
    Slips that come earlier are likelier; where two give the same numbers the earlier is named.
    """
    walks = Walks(output, inputs, seed)
    yield from walks.without_the_signal()
    yield from walks.with_swapped_factors()
    yield from walks.without_a_local_derivative()
    yield from walks.without_a_path()
    yield from walks.with_a_turned_sign()
    yield from walks.without_two_local_derivatives()


class Walks:
    """A recorded graph, and the ways to walk it backward that go wrong in one place."""

    def __init__(self, output, inputs, seed):
        self.output, self.inputs, self.seed = output, inputs, seed
        self.nodes = topological(output)
        self.edges = [(node, index) for node in self.nodes for index in range(len(node.parents))]
        self.names = {id(leaf): name for name, leaf in inputs.items()}
        self.true = self.gradients()

    def name(self, node):
        return gate_name(node, self.names)

    def gradients(self, edit=None, overwrite=None):
        """{input name: gradient} of one walk; what is changed is said as to `backward`."""
        found = backward(self.output, edit, overwrite, self.seed)
        return {
            name: found.get(id(leaf), np.zeros_like(leaf.data)[()])
            for name, leaf in self.inputs.items()
        }

    def differs(self, grads):
        return any(not np.array_equal(grads[name], self.true[name]) for name in self.inputs)

    def without_the_signal(self):
        """The signal from above, left out: the given one, or at one gate for all of its inputs or
        for one of them."""
        if self.seed is not None:
            ones = backward(self.output)
            yield (
                "upstream-ignored",
                "the signal you are given is left out, as if it were all ones",
                {
                    name: ones.get(id(leaf), np.zeros_like(leaf.data))
                    for name, leaf in self.inputs.items()
                },
            )
        for node in self.nodes:
            if (node is self.output._node and self.seed is None) or _is_identity(node):
                continue  # nothing above it, or nothing of its own: another gate tells it better
            every = [(node, index) for index in range(len(node.parents))]
            for group in [every] if len(every) == 1 else [every, *([edge] for edge in every)]:
                yield (
                    "upstream-ignored",
                    f"the signal that arrives at {self.name(node)} from above is not multiplied in",
                    self.gradients({(id(n), i): _with_ones(n, i) for n, i in group}),
                )

    def with_swapped_factors(self):
        for node in self.nodes:
            if op_name(node) == "mul" and len(node.parents) == 2:
                swapped = {
                    (id(node), 0): _other_vjp(node, 1),
                    (id(node), 1): _other_vjp(node, 0),
                }
                yield (
                    "wrong-value",
                    f"at {self.name(node)} each factor gets its own value instead of the other's",
                    self.gradients(swapped),
                )

    def without_a_local_derivative(self):
        for node, index in self.edges:
            grads = self.gradients({(id(node), index): _passes_through})
            # A −1 left out is a turned sign.
            if self.differs(grads) and _local(node, index) != -1:
                yield (
                    "missing-local",
                    f"the local derivative of {self.name(node)} is left out of the chain",
                    grads,
                )

    def without_a_path(self):
        """Where paths meet: only one of them is kept, or one is left out."""
        arrivals = {}
        for node, index in self.edges:
            arrivals.setdefault(id(node.parents[index]), []).append((node, index))
        for key, incoming in arrivals.items():
            if len(incoming) < 2:
                continue
            for kept, (node, _) in enumerate(incoming):
                yield (
                    "overwrite-not-accumulate",
                    f"only the path through {self.name(node)} is kept of those that meet, "
                    "instead of adding them all up",
                    self.gradients(overwrite=(key, kept)),
                )
            for node, index in incoming:
                yield (
                    "missing-path",
                    f"the path through {self.name(node)} is left out",
                    self.gradients({(id(node), index): lambda upstream, c: c * 0}),
                )

    def with_a_turned_sign(self):
        for node, index in self.edges:
            yield (
                "sign",
                f"the sign is turned where the gradient passes {self.name(node)}",
                self.gradients({(id(node), index): lambda upstream, c: -c}),
            )

    def without_two_local_derivatives(self):
        """In small graphs only: their number grows with the square of the edges'."""
        if len(self.edges) > 12:
            return
        for pair in combinations(self.edges, 2):
            grads = self.gradients({(id(node), index): _passes_through for node, index in pair})
            if self.differs(grads):
                first, second = (self.name(node) for node, _ in pair)
                if first == second:
                    continue
                yield (
                    "missing-local",
                    f"two local derivatives are left out of the chain: those of {first} "
                    f"and of {second}",
                    grads,
                )


def _with_ones(node, index):
    vjp = node.vjps[index]
    return lambda upstream, contribution: vjp(np.ones_like(upstream)[()])


def _passes_through(upstream, contribution):
    """The signal as it came, where the shapes allow it: a local derivative of 1."""
    return upstream if np.shape(upstream) == np.shape(contribution) else contribution


def _is_identity(node):
    """A gate with one trainable input that hands the signal on as it is, such as x + 1."""
    return len(node.parents) == 1 and _local(node, 0) == 1


def _local(node, index):
    """1 or −1 where that is the local derivative of an add or sub gate; else None."""
    if op_name(node) not in ("add", "sub", "neg"):
        return None
    probe = np.float64(0.7)
    return {0.7: 1, -0.7: -1}.get(float(np.sum(node.vjps[index](probe))))


def _other_vjp(node, index):
    vjp = node.vjps[index]

    def change(upstream, contribution):
        other = vjp(upstream)
        return other if np.shape(other) == np.shape(contribution) else contribution

    return change
