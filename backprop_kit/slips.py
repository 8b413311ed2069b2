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
}


def gate_name(node):
    """A gate's name in words: 'the exponential'."""
    op = node.op
    name = op if isinstance(op, str) else getattr(op, "name", None) or op.__name__
    return GATES.get(name, f"the {name} gate")


def topological(output):
    """The recorded nodes behind `output`, the output's own first, every node before its parents."""
    seen, stack = {}, [output._node]
    while stack:
        node = stack.pop()
        if id(node) not in seen and hasattr(node, "vjps"):
            seen[id(node)] = node
            stack.extend(node.parents)
    return sorted(seen.values(), key=lambda node: node.order, reverse=_newest_first(seen))


def _newest_first(seen):
    """Whether larger `order` means created later (engines may count either way)."""
    return all(
        parent.order < node.order
        for node in seen.values()
        for parent in node.parents
        if hasattr(parent, "vjps")
    )


def backward(output, edit=None, overwrite=None):
    """Gradients by identity of node or leaf: {id: gradient}; the graph stays as it was.

    edit: {(id(node), argument index): change}, where change(upstream, contribution) replaces
        what flows along that edge.
    overwrite: (id, k): at this node or leaf keep only the k-th contribution that arrives.
    """
    edit = edit or {}
    arrived = {id(output._node): [np.ones_like(output.data)[()]]}

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


def graph_slips(output, inputs):
    """Yield (cause, words, {input name: gradient}) for every single slip, and some pairs.

    output: the Tensor whose recorded graph is walked (before its own backward has run).
    inputs: {name: leaf Tensor}.
    """
    edges = [(node, index) for node in topological(output) for index in range(len(node.parents))]

    def gradients(**change):
        found = backward(output, **change)
        return {
            name: found.get(id(leaf), np.zeros_like(leaf.data)[()]) for name, leaf in inputs.items()
        }

    true = gradients()

    def differs(grads):
        return any(not np.array_equal(grads[name], true[name]) for name in inputs)

    def same_shape(upstream, contribution):
        return upstream if np.shape(upstream) == np.shape(contribution) else contribution

    def ones_upstream(node, index):
        vjp = node.vjps[index]
        return lambda upstream, contribution: vjp(np.ones_like(upstream)[()])

    # The signal from above, left out at one gate: for all of its inputs, or for one of them.
    for node in topological(output):
        if node is output._node:
            continue
        every = [(node, index) for index in range(len(node.parents))]
        for group in [every] if len(every) == 1 else [every, *([edge] for edge in every)]:
            yield (
                "upstream-ignored",
                f"the signal that arrives at {gate_name(node)} from above is not multiplied in",
                gradients(edit={(id(n), i): ones_upstream(n, i) for n, i in group}),
            )
    for node, index in edges:
        grads = gradients(edit={(id(node), index): same_shape})
        if differs(grads):
            yield (
                "missing-local",
                f"the local derivative of {gate_name(node)} is missing from the product",
                grads,
            )
    arrivals = {}
    for node, index in edges:
        arrivals.setdefault(id(node.parents[index]), []).append((node, index))
    for key, incoming in arrivals.items():
        if len(incoming) < 2:
            continue
        for kept, (node, _) in enumerate(incoming):
            yield (
                "overwrite-not-accumulate",
                f"of the paths that meet only the one through {gate_name(node)} is kept, "
                "instead of adding them up",
                gradients(overwrite=(key, kept)),
            )
        for node, index in incoming:
            yield (
                "missing-path",
                f"the path through {gate_name(node)} is left out",
                gradients(edit={(id(node), index): lambda upstream, c: c * 0}),
            )
    for node, index in edges:
        yield (
            "sign",
            f"the sign is turned where the gradient passes {gate_name(node)}",
            gradients(edit={(id(node), index): lambda upstream, c: -c}),
        )
    if len(edges) <= 12:
        for pair in combinations(edges, 2):
            grads = gradients(edit={(id(node), index): same_shape for node, index in pair})
            if differs(grads):
                first, second = (gate_name(node) for node, _ in pair)
                yield (
                    "missing-local",
                    f"the local derivatives of {first} and of {second} are missing "
                    "from the product",
                    grads,
                )
