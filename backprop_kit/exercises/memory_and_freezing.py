"""Lesson 07: memory and freezing. What each exercise computes, forward; the engine does the rest.

What a layer keeps, and how many bytes a network keeps, is read from the engine's own record by
`memory.kept`. What an answer keeps is counted here too: in the drivers, beside the answer, by
walking what it saved and by tracemalloc; and again in the readings, from what came back.
"""

import gc
from itertools import pairwise
from typing import Any

import numpy as np

from backprop_kit.checking import stacks
from backprop_kit.checking.compare import agree_to_rounding, describe
from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Flaw,
    Function,
    Slip,
    differentiate,
    register,
)
from backprop_kit.checking.observe import copied
from backprop_kit.checking.slips import backward as walk_back
from backprop_kit.checking.slips import op_name, topological
from backprop_kit.engine import ops
from backprop_kit.engine.layers import Linear, ReLU, Sequential, bce_with_logits
from backprop_kit.engine.memory import Meter, kept, mentioned, owner
from backprop_kit.engine.tensor import Tensor

from . import small_network as net
from .drawing import sizes

LESSON = "07_memory_and_freezing"


# ---------------------------------------------------------------- networks


def parameters(rng, widths):
    """[(W, b), …] of a ReLU network with these widths; nothing in it is 0."""
    return [
        (rng.normal(0.0, np.sqrt(2.0 / n), (m, n)), rng.normal(0.0, 0.3, m))
        for n, m in pairwise(widths)
    ]


def drawn_network(rng, widths, batch):
    """(params, X) with units that are on in every hidden layer, and some that are off."""
    while True:
        params, X = parameters(rng, widths), rng.normal(size=(batch, widths[0]))
        states = []
        network_graph(params, X, between=lambda v, to=states: to.append(v.data > 0) or v.relu())
        if not states or (all(map(np.any, states)) and not all(map(np.all, states))):
            return params, X


def network_graph(params, X, trainable_from=0, between=ops.relu, last=None, bias=True):
    """(logits, [(W, b), …]) as Tensors: a linear layer for each pair, `between` between them."""
    H, leaves = Tensor(X), []
    for k, (W, b) in enumerate(params):
        W, b = Tensor(W, k >= trainable_from), Tensor(b if bias else 0.0 * b, k >= trainable_from)
        leaves.append((W, b))
        H = ops.linear(H, W, b)
        if k < len(params) - 1:
            H = between(H)
    return (last(H) if last else H), leaves


def gradients_of(leaves, trainable_from=0):
    """[(dW, db), …] with None for each frozen layer, after backward."""
    pairs = [(W.grad, b.grad) for W, b in leaves]
    return [None if k < trainable_from else pair for k, pair in enumerate(pairs)]


def entry_in_words(params, trainable_from=0):
    """`stacks.place` for the parts "dW" and "db" of a network."""
    shapes = {
        "dW": [None if k < trainable_from else W.shape for k, (W, _) in enumerate(params)],
        "db": [None if k < trainable_from else b.shape for k, (_, b) in enumerate(params)],
    }
    return lambda label, index: stacks.place(shapes[label], index) if label in shapes else ""


def read_layers(name, answer, wanted):
    """({"dW", "db", "frozen"} of yours, of the engine) from a list with an entry for each layer.

    wanted: [(dW, db) or None, …]. A list that is not laid out like this raises a Flaw.
    """
    if answer is None:
        raise Flaw("none-returned", f"{name} returns None.")
    if not isinstance(answer, list | tuple):
        text = f"the gradients should be a list with one entry a layer: this is {describe(answer)}."
        raise Flaw("wrong-type", text)
    if len(answer) != len(wanted):
        text = f"the list of gradients has {len(answer)} entries for {len(wanted)} layers."
        raise Flaw(
            "wrong-shape",
            text,
            "return one entry for each layer, the first first; None for a frozen one",
        )
    yours: dict[str, Any] = {"dW": [], "db": [], "frozen": "None"}
    for k, (entry, want) in enumerate(zip(answer, wanted, strict=True), 1):
        if want is None:
            if entry is not None and yours["frozen"] == "None":
                text = f"layer {k} is frozen, and its entry is {describe(entry)}."
                yours["frozen"] = Flaw("wrong-type", text, "put None where a layer is frozen")
            entry = None, None
        elif entry is None:
            entry = None, None
        elif not isinstance(entry, list | tuple) or len(entry) != 2:
            text = f"the entry of layer {k} should be a pair (dW, db), and is {describe(entry)}."
            raise Flaw("wrong-type", text)
        yours["dW"].append(entry[0])
        yours["db"].append(entry[1])
    expected = {
        "dW": [pair and pair[0] for pair in wanted],
        "db": [pair and pair[1] for pair in wanted],
    }
    if told := _misplaced(yours, expected):
        raise Flaw("order-swapped", *told)
    for part in ("dW", "db"):
        yours[part], expected[part] = stacks.stacked(part, yours[part], expected[part])
    return yours, {**expected, "frozen": Exact("None")}


def _misplaced(yours, expected):
    """(evidence, next step) if the list runs from the last layer to the first, or each pair is
    (db, dW); else None."""

    def fit(arrays, wanted):
        pairs = [(a, w) for a, w in zip(arrays, wanted, strict=True) if w is not None]
        return pairs and all(
            isinstance(a, np.ndarray) and agree_to_rounding(a, w) for a, w in pairs
        )

    if fit(yours["dW"], expected["dW"]):
        return None
    if fit(yours["dW"][::-1], expected["dW"]):
        text = "the right gradients are there, from the last layer to the first."
        return text, "the first layer's entry comes first: turn the list round"
    if fit(yours["dW"], expected["db"]) and fit(yours["db"], expected["dW"]):
        return "in each pair dW and db have changed places.", None
    return None


# ---------------------------------------------------------------- what each layer saves


def _leaf(*shape):
    return Tensor(np.random.default_rng(0).normal(size=shape), requires_grad=True)


def _layer(name):
    """(inputs, weights, output) of a small layer of this name, everything in it trainable."""
    x, z, W, b = _leaf(4, 3), _leaf(4, 3), _leaf(2, 3), _leaf(3)
    return {
        "linear": lambda: ([x], [W], ops.linear(x, W)),
        "bias": lambda: ([x], [b], x + b),
        "relu": lambda: ([x], [], x.relu()),
        "sigmoid": lambda: ([x], [], x.sigmoid()),
        "add": lambda: ([x, z], [], x + z),
        "mul": lambda: ([x, z], [], x * z),
    }[name]()


LAYERS = ("linear", "bias", "relu", "sigmoid", "add", "mul")
NAMES = {"input", "output", "mask", "weight"}


def engine_saves(name):
    """What the engine's layer of this name keeps for backward, in the card's words."""
    inputs, weights, output = _layer(name)
    words = {id(tensor.data): "input" for tensor in inputs}
    words |= {id(tensor.data): "weight" for tensor in weights}
    words[id(output.data)] = "output"
    arrays = [array for vjp in output._node.vjps for _, array in mentioned(vjp)]
    return {"mask" if array.dtype == bool else words[id(array)] for array in arrays}


def drive_what_to_save(answers):
    return {name: answers["what_to_save"](name) for name in LAYERS}


def read_what_to_save(args, result):
    if all(answer is None for answer in result.values()):
        text = "what_to_save returns None, whatever the layer; what is only printed gets lost."
        raise Flaw("none-returned", text, "`return` the set")
    yours = {name: _reading_of_set(name, result[name]) for name in LAYERS}
    return yours, {name: Exact(engine_saves(name), secret=True) for name in LAYERS}


def _reading_of_set(name, answer):
    """The set as it came, or a Flaw that says in which way it is not the right one."""
    if isinstance(answer, dict) and not answer:
        text = "{part} should be a set, and `{}` is an empty dict."
        return Flaw("wrong-type", text, "an empty set is written set()")
    if not isinstance(answer, set | frozenset):
        return answer
    saves = engine_saves(name)
    if strange := answer - NAMES:
        text = (
            f"{{part}} {{has}} {sorted(map(str, strange))[0]!r} in it, which is none of the names."
        )
        return Flaw("wrong-value", text, f"choose from {', '.join(sorted(map(repr, NAMES)))}")
    if answer > saves:
        which = "the rule for each gradient: which of these arrays stands in it?"
        return Flaw(
            "keeps-too-much", "{part} {has} more in it than backward needs.", f"write down {which}"
        )
    if answer and answer != saves and name in ("relu", "sigmoid") and answer <= {"input", "output"}:
        text = (
            "{part} {has} enough in it to find the gradient, and something cheaper is enough too."
        )
        less = "look for what is smallest, and then for what needs the least work in backward"
        return Flaw("keeps-too-much", text, less)
    return set(answer)


register(
    "what_to_save",
    LESSON,
    points=2,
    functions=[
        Function(
            "what_to_save",
            "",
            {name: f'what_to_save("{name}")' for name in LAYERS},
            drive=drive_what_to_save,
            reading=read_what_to_save,
            advice="write the rule for each gradient of this layer, and list the arrays in it",
        )
    ],
    draw=lambda rng: [Case("what_to_save", (), "worked")],
)


# ---------------------------------------------------------------- the two-layer chain


def chain(W1, W2, v0):
    """v1 = ReLU(W1 v0), v2 = W2 v1."""
    return W2 @ (W1 @ v0).relu()


def chain_slips(W1, W2, v0, dl_dv2):
    """Slips that the graph does not yield: the wrong mask, the wrong activation."""
    entered = W1 @ v0

    def gradients(gate, seen):
        """The engine's, with the ReLU's local derivative `gate`, and `seen` as v1 below W2."""
        w1, w2 = Tensor(W1, True), Tensor(W2, True)
        v1 = w1 @ Tensor(v0) * Tensor(gate)
        (w2 @ (v1 + Tensor(seen - v1.data))).backward(dl_dv2.T)
        return {"dl_dW1": w1.grad, "dl_dW2": w2.grad}

    on = 1.0 * (entered > 0)
    v1 = entered * on
    arrives = Tensor(v1, requires_grad=True)
    (Tensor(W2) @ arrives).backward(dl_dv2.T)
    signal = arrives.grad
    return [
        Slip(
            "wrong-mask",
            "the mask is taken from the signal's sign, not from what entered the ReLU",
            {"dl_dW1": gradients(1.0 * (signal > 0), v1)["dl_dW1"]},
        ),
        Slip(
            "wrong-mask",
            "a unit that stands exactly at 0 is counted as on",
            {"dl_dW1": gradients(1.0 * (entered >= 0), v1)["dl_dW1"]},
        ),
        Slip(
            "wrong-mask",
            "the mask is turned round: it lets through where the unit is off",
            {"dl_dW1": gradients(1.0 - on, v1)["dl_dW1"]},
        ),
        Slip(
            "wrong-mask",
            "the activation v1 itself stands where its mask should",
            {"dl_dW1": gradients(v1, v1)["dl_dW1"]},
        ),
        Slip(
            "wrong-mask",
            "the signal of a unit that is off has its sign turned, where it should stop",
            {"dl_dW1": gradients(np.sign(entered), v1)["dl_dW1"]},
            "a mask is made of ones and zeros: print yours",
        ),
        Slip(
            "wrong-value",
            "W1·v0 is used where ReLU(W1·v0) is meant",
            {"dl_dW2": gradients(on, entered)["dl_dW2"]},
            "which array entered W2: the one before the ReLU, or the one after it?",
        ),
        Slip(
            "wrong-value",
            "the mask stands where the activation v1 is meant",
            {"dl_dW2": gradients(on, on)["dl_dW2"]},
            "what did W2 multiply in the forward pass?",
        ),
    ]


def chain_args(rng, n, k, m):
    """(W1, W2, v0, dl_dv2): n inputs, k units in the middle, m outputs; some units on, some off."""
    while True:
        W1, W2 = rng.normal(size=(k, n)), rng.normal(size=(m, k))
        v0, dl_dv2 = rng.normal(size=(n, 1)), rng.normal(size=(1, m))
        entered = W1 @ v0
        clear = np.abs(entered) > 0.05
        if clear.all() and (k == 1 or 0 < np.sum(entered > 0) < k):
            return W1, W2, v0, dl_dv2


def chain_at_the_kink(rng, n, k, m):
    """The same with one unit of the middle exactly at 0."""
    W1, *rest = chain_args(rng, n, k, m)
    W1[int(rng.integers(k))] = 0.0
    return W1, *rest


def chain_of_sizes(rng, n, k, m):
    """Entries of very different size: no step of a difference quotient suits them all."""
    W1, W2, v0, dl_dv2 = chain_args(rng, n, k, m)
    return W1 * 1e-4, W2, v0 * 10.0 ** rng.integers(-3, 5, size=v0.shape), dl_dv2 * 1e4


WORKED_CHAIN = (
    np.array([[1.0, 2.0, -1.0], [-2.0, 1.0, -0.5]]),
    np.array([[1.0, -1.0], [2.0, 0.5], [-3.0, 1.0], [0.0, 2.0]]),
    np.array([[1.0], [1.0], [2.0]]),
    np.array([[1.0, -2.0, 0.5, 1.0]]),
)

register(
    "chain_gradients",
    LESSON,
    points=2,
    functions=[
        differentiate(
            "chain_gradients",
            chain,
            arguments="W1 W2 v0 dl_dv2",
            returns=("dl_dW1", "dl_dW2"),
            wrt="W1 W2",
            slips=chain_slips,
            upstream="dl_dv2",
            signal=np.transpose,
            advice="write the shape of every factor under it; the result has the weight's shape",
        )
    ],
    draw=lambda rng: [
        Case("chain_gradients", WORKED_CHAIN, "worked"),
        *(Case("chain_gradients", chain_args(rng, *s)) for s in [(3, 5, 2), (4, 3, 6), (2, 6, 3)]),
        Case("chain_gradients", chain_args(rng, 3, 3, 3), "square"),
        Case("chain_gradients", chain_at_the_kink(rng, 3, 4, 2), "edge", "a unit exactly at 0"),
        Case("chain_gradients", chain_of_sizes(rng, 5, 4, 3), "edge", "numbers of unlike size"),
    ],
)


# ---------------------------------------------------------------- detach


def detach_slips(x):
    """What comes out when the signal takes a way that it should not."""

    def through(forward):
        leaf = Tensor(x, requires_grad=True)
        forward(leaf).backward()
        return {"df_dx": leaf.grad}

    held = "the detached factor is a constant: hold it still, and nudge the other x"
    return [
        Slip(
            "wrong-value",
            "the signal also goes back through the square, which is detached",
            through(lambda t: t * (t * t)),
            held,
        ),
        Slip(
            "wrong-value",
            "the signal goes back through the square alone, the one way that is closed",
            through(lambda t: t.detach() * (t * t)),
            held,
        ),
        Slip(
            "wrong-value",
            "the derivative of the square is returned, and the square is detached",
            through(lambda t: t * t),
            held,
        ),
    ]


register(
    "detach",
    LESSON,
    points=1,
    functions=[
        differentiate(
            "detach_demo",
            lambda x: x * (x * x).detach(),
            arguments="x",
            returns=("f", "df_dx"),
            wrt="x",
            slips=detach_slips,
            advice="call the detached square c: what is the derivative of x·c by x?",
        )
    ],
    draw=lambda rng: [
        Case("detach_demo", (3.0,), "worked"),
        *(Case("detach_demo", (float(x),)) for x in rng.uniform(0.3, 2.5, 3)),
        Case("detach_demo", (float(-rng.uniform(0.3, 2.5)),)),
        Case("detach_demo", (0.0,), "edge", "x = 0"),
    ],
)


# ---------------------------------------------------------------- bytes that a network keeps


def relu_network(widths, frozen=0):
    """The kit's network with these widths, its lower `frozen` linear layers frozen."""
    rng = np.random.default_rng(0)
    stages = []
    for n, m in pairwise(widths):
        stages += [Linear(n, m, rng=rng), ReLU()]
    network = Sequential(*stages[:-1])
    network[: 2 * frozen].freeze()
    return network


def bill(widths, batch, frozen=0):
    """What the engine keeps of such a network, entry by entry."""
    return kept(relu_network(widths, frozen)(np.zeros((batch, widths[0]))))


def drive_saved_bytes(answers, widths, batch, trainable_from):
    given = list(widths)
    function, again = answers["saved_bytes"], list(widths)
    results = function(widths, batch), function(again, batch, trainable_from)
    if widths == given:  # so that a change which only the second call makes is seen too
        widths[:] = again
    return results


def metered_bytes(widths, batch, trainable_from):
    return float(bill(widths, batch).total), float(bill(widths, batch, trainable_from).total)


def byte_slips(widths, batch, trainable_from):
    """Bills with one item too many or too few."""
    depth = len(widths) - 1

    def of(count):
        """`count(frozen)` for both calls, as parts of the result."""
        return dict(zip(BYTES, (count(0), count(trainable_from)), strict=True))

    def items(frozen, op):
        return bill(widths, batch, frozen).by_op().get(op, 0)

    def total(frozen):
        return bill(widths, batch, frozen).total

    inputs = lambda frozen: items(frozen, "linear")
    masks = lambda frozen: items(frozen, "relu")
    size = lambda k: batch * widths[k]
    shifted = lambda frozen, by: total(min(max(frozen + by, 0), depth)) if frozen else total(0)
    which = "ask of each array: which gradient needs it?"
    return [
        Slip(
            "keeps-too-much",
            "the frozen layers are counted like the others",
            {BYTES[1]: total(0)},
            which,
        ),
        Slip("wrong-value", "the masks are left out", of(inputs), "a ReLU keeps something too"),
        Slip(
            "keeps-too-much",
            "a mask is counted after the logits, where there is no ReLU",
            of(lambda f: total(f) + (size(depth) if f < depth else 0)),
            "how many ReLUs are there in a network of D layers?",
        ),
        Slip(
            "keeps-too-much",
            "the masks of all layers are counted, those of frozen layers too",
            {BYTES[1]: inputs(trainable_from) + masks(0)},
            "does a signal have to pass this ReLU to reach a layer that learns?",
        ),
        Slip(
            "keeps-too-much",
            "the mask just below the first trainable layer is counted, where no signal passes",
            {BYTES[1]: total(trainable_from) + (0 < trainable_from < depth) * size(trainable_from)},
            "does a signal have to pass this ReLU to reach a layer that learns?",
        ),
        Slip(
            "keeps-too-much",
            "the logits are counted among the inputs of layers",
            of(lambda f: total(f) + (8 * size(depth) if f < depth else 0)),
            "which layer has the logits as its input?",
        ),
        Slip(
            "wrong-value",
            "the logits are counted among the inputs of layers, and the masks are left out",
            of(lambda f: inputs(f) + (8 * size(depth) if f < depth else 0)),
            "which layer has the logits as its input? And what does a ReLU keep?",
        ),
        Slip(
            "wrong-value",
            "X is left out",
            of(lambda f: total(f) - (0 if f else 8 * size(0))),
            "X is the input of the first layer: is that layer's weight trained?",
        ),
        Slip(
            "wrong-value",
            "the layers' outputs are counted in place of their inputs",
            of(lambda f: total(f) + 8 * (size(depth) - size(f) if f < depth else 0)),
            "which of the two stands in the rule for a linear layer's dW?",
        ),
        Slip(
            "keeps-too-much",
            "a mask is counted with 8 bytes a unit",
            of(lambda f: inputs(f) + 8 * masks(f)),
            "the card says what a mask takes",
        ),
        Slip(
            "wrong-value",
            "a mask is counted with one bit a unit",
            of(lambda f: inputs(f) + masks(f) / 8),
            "the card says what a mask takes",
        ),
        Slip(
            "wrong-value",
            "a float64 is counted with 4 bytes",
            of(lambda f: inputs(f) / 2 + masks(f)),
            "64 bits are how many bytes?",
        ),
        Slip(
            "wrong-value",
            "numbers are counted, not bytes",
            of(lambda f: inputs(f) / 8 + masks(f)),
            "a float64 takes more than one byte",
        ),
        Slip(
            "wrong-value",
            "the batch is left out: this is what one example keeps",
            of(lambda f: total(f) / batch),
            "every example has activations of its own",
        ),
        Slip(
            "keeps-too-much",
            "the weights are counted as well; they are there anyway",
            of(lambda f: total(f) + 8 * sum(n * m for n, m in list(pairwise(widths))[f:])),
            "count activations only",
        ),
        Slip(
            "wrong-value",
            "one layer too many is taken for frozen",
            {BYTES[1]: shifted(trainable_from, 1)},
            "layers are counted from 0: is layer number `trainable_from` itself frozen?",
        ),
        Slip(
            "wrong-value",
            "one layer too few is taken for frozen",
            {BYTES[1]: shifted(trainable_from, -1)},
            "layers are counted from 0: how many are there below `trainable_from`?",
        ),
    ]


BYTES = ("bytes, all layers trained", "bytes, lower layers frozen")


def byte_args(rng, depth, frozen, batch=None):
    """(widths, batch, trainable_from), all widths different."""
    return sizes(rng, depth + 1, high=39), batch or int(rng.integers(5, 30)), frozen


register(
    "saved_bytes",
    LESSON,
    points=3,
    functions=[
        Function(
            "saved_bytes",
            "widths batch trainable_from",
            BYTES,
            metered_bytes,
            byte_slips,
            drive=drive_saved_bytes,
            rtol=1e-12,
            advice="draw the worked example's network, and write beside each array who needs it",
        )
    ],
    draw=lambda rng: [
        Case("saved_bytes", ([2, 3, 1], 4, 1), "worked"),
        *(Case("saved_bytes", byte_args(rng, *s)) for s in [(3, 1), (4, 2), (5, 3), (4, 1)]),
        Case("saved_bytes", byte_args(rng, 3, 3), "edge", "every layer is frozen"),
        Case("saved_bytes", byte_args(rng, 1, 0), "edge", "one layer, no ReLU"),
    ],
)


# ---------------------------------------------------------------- a step of a frozen network


def kit_network(params, frozen):
    """The kit's network with copies of these parameters; those named in `frozen` are frozen."""
    widths = [params[0][0].shape[1], *(len(W) for W, _ in params)]
    network = relu_network(widths)
    tensors = network.named_parameters()
    for k, (W, b) in enumerate(params):
        tensors[f"{2 * k}.W"].data, tensors[f"{2 * k}.b"].data = W.copy(), b.copy()
    for name in frozen:
        tensors[name].requires_grad = False
    return network


def earlier_backward(network, X, y):
    """Leave gradients of another batch on all parameters, as before they were frozen."""
    tensors = network.named_parameters()
    learned = {name: tensor.requires_grad for name, tensor in tensors.items()}
    network.unfreeze()
    bce_with_logits(y, network(2.0 * X[::-1] + 0.5)).backward()
    for name, tensor in tensors.items():
        tensor.requires_grad = learned[name]


def drive_frozen_step(answers, params, frozen, X, y, lr):
    """(loss, flags, parameters after a step, the same where an earlier backward left gradients)."""
    step = answers["frozen_step"]
    clean, used = kit_network(params, frozen), kit_network(params, frozen)
    earlier_backward(used, X, y)
    X_again, y_again = X.copy(), y.copy()
    loss = step(clean, X, y, lr)
    step(used, X_again, y_again, lr)
    if isinstance(loss, Tensor):
        loss = "Tensor"
    flags = {name: p.requires_grad for name, p in clean.named_parameters().items()}
    after = [{n: p.data for n, p in w.named_parameters().items()} for w in (clean, used)]
    return loss, flags, *after


def engine_step(params, frozen, X, y, lr, *, stale=False, loss=bce_with_logits):
    """(loss, {name: how far one step moves it}) by the engine; stale: gradients pile up."""
    model = kit_network(params, frozen)
    if stale:
        earlier_backward(model, X, y)
    value = loss(y, model(X))
    value.backward()
    tensors = model.named_parameters().items()
    return value.item(), {n: -lr * p.grad for n, p in tensors if p.requires_grad}


STEP = ("loss", "step", "frozen parameters", "step after an earlier backward", "requires_grad")


def read_frozen_step(args, result):
    params, frozen, *_ = args
    loss, flags, clean, used = result
    if isinstance(loss, str) and loss == "Tensor":
        text = "{part} should be a plain number, and {is} a Tensor."
        loss = Flaw("wrong-type", text, "`.item()` makes a number of it")
    elif loss is None:
        text = "frozen_step returns None; what is only printed gets lost."
        loss = Flaw("none-returned", text, "`return` the loss, as a plain number")
    elif isinstance(loss, list | tuple | dict):
        text = f"{{part}} should be a single number, and {{is}} {describe(loss)}."
        loss = Flaw("wrong-type", text, "return the loss alone: the network holds all else")
    before = {n: p.data for n, p in kit_network(params, []).named_parameters().items()}
    wanted_loss, wanted = engine_step(*args)
    _, piled = engine_step(*args, stale=True)

    def moved(after):
        for name in wanted:
            if not isinstance(after[name], np.ndarray) or after[name].shape != before[name].shape:
                text = f"after the step parameter {name} is {describe(after[name])}."
                return Flaw("wrong-shape", text, "move `p.data` by an array of its own shape")
        return stacks.flatten([after[name] - before[name] for name in wanted])

    after_used = moved(used)
    flat, flat_piled = stacks.flatten(wanted.values()), stacks.flatten(piled.values())
    if isinstance(after_used, np.ndarray) and agree_to_rounding(after_used, flat_piled):
        text = "gradients that an earlier backward left in `.grad` are part of {part}."
        next_step = "remember that `backward()` adds to `.grad`, and start from a clean one"
        after_used = Flaw("state-leak", text, next_step)
    still = Exact("unchanged")
    yours = (
        loss,
        moved(clean),
        _unmoved(frozen, before, clean, used),
        after_used,
        _flags(flags, frozen),
    )
    return yours, (wanted_loss, flat, still, flat, still)


def _unmoved(frozen, before, clean, used):
    """ "unchanged", or a Flaw that names a frozen parameter which has moved."""
    for after, when in (
        (clean, ""),
        (used, " where an earlier backward had left a gradient in it"),
    ):
        for name in frozen:
            if not np.array_equal(after[name], before[name]):
                text = f"the frozen parameter {name} has changed{when}."
                next_step = "ask each parameter whether it wants a gradient before you move it"
                return Flaw("wrong-value", text, next_step)
    return "unchanged"


def _flags(flags, frozen):
    for name, flag in flags.items():
        if flag is not (name not in frozen):
            text = (
                f"requires_grad of parameter {name} is {flag} after the step, and was not before."
            )
            next_step = "leave the switches as you find them: whoever froze it may want it frozen"
            return Flaw("mutates-argument", text, next_step)
    return "unchanged"


def step_slips(params, frozen, X, y, lr):
    network = kit_network(params, frozen)
    _, wanted = engine_step(params, frozen, X, y, lr)
    flat = stacks.flatten(wanted.values())
    for name, p in network.named_parameters().items():
        p.data = p.data + wanted.get(name, 0.0)
    after = bce_with_logits(y, network(X)).item()
    before = kit_network(params, frozen)(X)
    exchanged, turned = engine_step(
        params, frozen, X, y, lr, loss=lambda y, v: bce_with_logits(v, y)
    )
    turned = stacks.flatten(turned.values())
    wrong = "compute the loss, keep it, and move the parameters after that"
    steps = {"step": flat / lr, "step after an earlier backward": flat / lr}
    return [
        Slip("wrong-value", "the loss after the step is returned", {"loss": after}, wrong),
        Slip(
            "mean-vs-sum",
            "the losses of the examples are added up, not averaged",
            {"loss": bce_with_logits(y, before.data) * len(X)},
        ),
        Slip("factor", "the step is not scaled by the learning rate", steps),
        Slip(
            "wrong-value",
            "y and the logits have changed places in the call of the loss",
            {"loss": exchanged, "step": turned, "step after an earlier backward": turned},
            "look at the card: which argument of `bce_with_logits` comes first?",
        ),
    ]


def step_args(rng, widths, batch, frozen):
    """(params, frozen, X, y, lr) for a network of these widths; the last one is 1."""
    params, X = drawn_network(rng, widths, batch)
    y = rng.integers(0, 2, (batch, 1)).astype(float)
    return params, list(frozen), X, y, float(rng.uniform(0.05, 0.4))


LOWER = "the lower layers are frozen"


def names_below(count):
    """The names of the parameters of the lower `count` linear layers."""
    return [f"{2 * k}.{letter}" for k in range(count) for letter in "Wb"]


register(
    "frozen_step",
    LESSON,
    points=3,
    functions=[
        Function(
            "frozen_step",
            "params frozen X y lr",
            STEP,
            slips=step_slips,
            drive=drive_frozen_step,
            reading=read_frozen_step,
            batch="X",
            place=lambda label, index, case: (
                f"number {index[0]} of all that moves" if index else ""
            ),
            advice="print each `p.data` before and after the step, and each `p.grad` in between",
        )
    ],
    draw=lambda rng: [
        Case(
            "frozen_step",
            ([(net.W1, net.b1), (net.W2, net.b2)], names_below(1), net.X, net.y, 0.5),
            "worked",
            LOWER,
        ),
        Case("frozen_step", step_args(rng, [3, 5, 4, 1], 6, names_below(1)), note=LOWER),
        Case("frozen_step", step_args(rng, [4, 3, 5, 1], 7, names_below(2)), note=LOWER),
        Case("frozen_step", step_args(rng, [2, 4, 1], 5, [])),
        Case(
            "frozen_step", step_args(rng, [3, 4, 1], 8, ["2.W", "2.b"]), "edge", "the top is frozen"
        ),
        Case("frozen_step", step_args(rng, [2, 5, 1], 6, ["0.b"]), "edge", "one bias is frozen"),
    ],
    by_hand=False,
)


# ---------------------------------------------------------------- lean forward and backward

SPARE = 512  # bytes in `saved` beyond what the engine keeps: shapes, numbers, names
ELSEWHERE = 64_000  # bytes that may stay allocated outside `saved` and the logits, by tracemalloc

PLAIN = (bool, int, float, str, type(None), np.generic)


def arrays_in(saved, strangers=None):
    """(arrays, bytes of plain numbers) in nested containers; `strangers` takes what is neither."""
    arrays, small, waiting = [], 0, [saved]
    while waiting:
        item = waiting.pop()
        if isinstance(item, np.ndarray):
            arrays.append(item)
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset):
            waiting += item
        elif isinstance(item, PLAIN):
            small += 1 if isinstance(item, bool | np.bool_) else 8
        elif strangers is not None:
            strangers.append(item)
    return arrays, small


def drive_lean_forward(answers, params, X, trainable_from):
    """(what lean_forward returns, bytes that `saved` keeps alive, bytes that stay elsewhere).

    The weights are there anyway and count for nothing. A view counts with the whole array that it
    keeps alive.
    """
    counted = _counted_forward(answers["lean_forward"], params, X, trainable_from)
    if counted[2] > ELSEWHERE:  # or is it only garbage that nobody has collected yet?
        counted = _counted_forward(answers["lean_forward"], params, X, trainable_from, gc.collect)
    return counted


def _counted_forward(forward, params, X, trainable_from, tidy=lambda: None):
    with Meter() as meter:
        result = forward(params, X, trainable_from)
        tidy()
    if not isinstance(result, tuple) or len(result) != 2:
        return result, 0, 0
    there = {id(owner(array)) for pair in params for array in pair}
    arrays, small = arrays_in(result[1])
    owners = {id(owner(array)): owner(array) for array in arrays}
    held = sum(array.nbytes for key, array in owners.items() if key not in there) + small
    logits = owner(result[0]) if isinstance(result[0], np.ndarray) else None
    new = {id(logits): logits} if logits is not None else {}
    new |= {key: a for key, a in owners.items() if key not in there and key != id(owner(X))}
    return result, held, meter.left - sum(array.nbytes for array in new.values())


def read_lean_forward(args, result):
    params, X, trainable_from = args
    answer, held, elsewhere = result
    if answer is None:
        raise Flaw("none-returned", "lean_forward returns None.")
    if not isinstance(answer, tuple) or len(answer) != 2:
        return answer, (0.0, 0.0)  # told by its structure
    logits, _ = network_graph(params, X, trainable_from)
    first, second = answer
    one_array = isinstance(second, np.ndarray) and not isinstance(first, np.ndarray)
    if one_array and second.shape == logits.shape and agree_to_rounding(second, logits.data):
        text = "lean_forward returns (saved, logits), and should return (logits, saved)."
        raise Flaw("order-swapped", text)
    yours = answer[0], _reading_of_saved(answer[1], held, elsewhere, args, kept(logits).total)
    return yours, (logits.data, Exact("small enough"))


def _reading_of_saved(saved, held, elsewhere, args, enough):
    """ "small enough", or a Flaw that says what is too much."""
    strangers = []
    arrays, small = arrays_in(saved, strangers)
    if strangers:
        kind = getattr(strangers[0], "described_as", type(strangers[0]).__name__)
        text = f"{{part}} holds an object of type {kind}, whose bytes cannot be counted."
        return Flaw("wrong-type", text, "use arrays, numbers, lists, tuples and dicts")
    weights = {_content(array) for pair in args[0] for array in pair}
    sent = {_content(array): array.nbytes for array in arrays}
    came = sum(size for content, size in sent.items() if content not in weights) + small
    bytes_kept = max(came, held)
    if bytes_kept > enough + SPARE:
        words = "{part} {has} more bytes than the card allows"
        if enough:
            words += f", {bytes_kept / enough:.2f} times as many"
        else:
            words += ": nothing is trained here, and nothing need be kept"
        found = _superfluous(arrays, *args)
        words += f". Among the rest it holds {' and '.join(found)}." if found else "."
        return Flaw("keeps-too-much", words)
    if elsewhere > ELSEWHERE:
        text = (
            "{part} {is} small, but when lean_forward has returned, much memory is held elsewhere."
        )
        return Flaw(
            "keeps-too-much", text, "keep nothing in globals: `saved` is all that backward gets"
        )
    return "small enough"


def _content(array):
    return array.dtype.str, array.shape, array.tobytes()


def _superfluous(arrays, params, X, trainable_from):
    """In words, what among these arrays no gradient needs."""
    before, inputs = [], [X]

    def noting(v):
        before.append(v.data)
        h = v.relu()
        inputs.append(h.data)
        return h

    logits, _ = network_graph(params, X, between=noting)

    def holds(these):
        return any(a.shape == t.shape and np.allclose(a, t) for a in arrays for t in these)

    masks = [v > 0 for v in before]
    floats = [a for a in arrays if a.dtype != bool and a.dtype.itemsize > 1]
    frozen = inputs[:trainable_from]
    told = [
        ("the input of a frozen layer", holds(frozen)),
        ("what entered a ReLU", holds(before)),
        (
            "a mask that takes 8 bytes a unit",
            any(a.shape == m.shape and np.array_equal(a, m) for a in floats for m in masks),
        ),
        ("the mask of a frozen layer", holds(m.astype(float) for m in masks[:trainable_from])),
        ("the logits", holds([logits.data])),
    ]
    return [words for words, there in told if there]


def drive_lean_backward(answers, params, X, dL_dlogits, trainable_from):
    """Two forward passes, then their backward passes in the same order; the first one's result.

    `saved` is handed on as a copy: all that backward knows of forward is what stands in it.
    """
    if "lean_forward" not in answers:
        raise NameError("name 'lean_forward' is not defined")
    forward, backward = answers["lean_forward"], answers["lean_backward"]
    passes = [forward(params, batch, trainable_from) for batch in (X, another_batch(X))]
    if not all(isinstance(each, tuple) and len(each) == 2 for each in passes):
        return "no pair"
    first, second = (copied(saved) for _, saved in passes)
    gradients = backward(params, first, dL_dlogits, trainable_from)
    backward(params, second, dL_dlogits, trainable_from)
    return [gradients]


def another_batch(X):
    return 0.5 - X[::-1]


def lean_gradients(params, X, dL_dlogits, trainable_from, edit=None, **settings):
    """The engine's gradients, None where frozen; `edit` changes the way back (see slips.py)."""
    logits, leaves = network_graph(params, X, trainable_from, **settings)
    if logits.requires_grad:
        found = walk_back(logits, edit and edit(logits), seed=dL_dlogits)
        for leaf in (leaf for pair in leaves[trainable_from:] for leaf in pair):
            leaf.grad = found[id(leaf)]
    return gradients_of(leaves, trainable_from)


def read_lean_backward(args, result):
    params, X, dL_dlogits, trainable_from = args
    if isinstance(result, str):
        text = (
            "lean_forward does not return a pair (logits, saved), so there is nothing to pass on."
        )
        raise Flaw("wrong-type", text, "finish lean_forward first")
    (answer,) = result
    wanted = lean_gradients(*args)
    yours, expected = read_layers("lean_backward", answer, wanted)
    others = lean_gradients(params, another_batch(X), dL_dlogits, trainable_from)
    for index, part in enumerate(("dW", "db")):
        other = stacks.flatten([pair and pair[index] for pair in others])
        mine = yours[part]
        if isinstance(mine, np.ndarray) and mine.shape == other.shape and mine.size:
            same = agree_to_rounding(mine, other)
            if same and not agree_to_rounding(mine, expected[part]):
                text = (
                    "two forward passes were made, then the first one's backward: {part} belong "
                    "to the second."
                )
                next_step = "take everything from `saved`, and nothing from a global"
                yours[part] = Flaw("state-leak", text, next_step)
    order = ("dW", "db", "frozen")
    return tuple(yours[part] for part in order), tuple(expected[part] for part in order)


def no_masks(output):
    """An edit of the way back that lets the signal pass every ReLU."""
    nodes = [node for node in topological(output) if op_name(node) == "relu"]
    return {(id(node), 0): lambda upstream, contribution: upstream for node in nodes}


def masks_from_the_signal(output):
    nodes = [node for node in topological(output) if op_name(node) == "relu"]
    return {(id(node), 0): lambda upstream, _: upstream * (upstream > 0) for node in nodes}


def network_slips(gradients):
    """Slips in a network's backward pass, from `gradients(edit=…, bias=…, between=…, last=…)`."""

    def parts(**settings):
        found = gradients(**settings)
        return {
            part: stacks.flatten([pair and pair[index] for pair in found])
            for index, part in enumerate(("dW", "db"))
        }

    return [
        Slip(
            "missing-local",
            "the ReLUs are left out of the way back",
            parts(edit=no_masks),
            "what lets a signal through a ReLU, and what does not?",
        ),
        Slip(
            "wrong-mask",
            "a ReLU's mask is taken from the signal's sign, not from what entered the ReLU",
            parts(edit=masks_from_the_signal),
        ),
        Slip(
            "wrong-mask",
            "a unit that stands exactly at 0 is counted as on",
            parts(between=lambda v: v * Tensor(v.data >= 0)),
        ),
        Slip("dropped-bias", "the biases are left out of the forward pass", parts(bias=False)),
        Slip(
            "wrong-value",
            "there is no ReLU between the layers",
            parts(between=lambda v: v),
            "what stands between two layers in the card's network?",
        ),
        Slip(
            "wrong-value",
            "a ReLU follows the last layer too",
            parts(last=lambda v: v.relu()),
            "the last layer's output is the logits, as it is",
        ),
    ]


def lean_forward_slips(params, X, trainable_from):
    forward = lambda **settings: network_graph(params, X, **settings)[0].data
    return [
        Slip("dropped-bias", "the biases are left out", {"logits": forward(bias=False)}),
        Slip(
            "wrong-value",
            "a ReLU follows the last layer too",
            {"logits": forward(last=lambda v: v.relu())},
            "the last layer's output is the logits, as it is",
        ),
        Slip(
            "wrong-value",
            "there is no ReLU between the layers",
            {"logits": forward(between=lambda v: v)},
            "what stands between two layers in the card's network?",
        ),
        Slip(
            "wrong-value",
            "the sigmoid of the logits is returned",
            {"logits": forward(last=lambda v: v.sigmoid())},
            "return what enters the sigmoid, not what leaves it",
        ),
    ]


def lean_backward_slips(params, X, dL_dlogits, trainable_from):
    ones = np.ones_like(dL_dlogits)
    args = params, X, dL_dlogits, trainable_from

    def gradients(**settings):
        return lean_gradients(*args, **settings)

    ignored = lean_gradients(params, X, ones, trainable_from)
    words = "the signal dL_dlogits is left out, as if it were all ones"
    parts = {
        part: stacks.flatten([pair and pair[index] for pair in ignored])
        for index, part in enumerate(("dW", "db"))
    }
    return [Slip("upstream-ignored", words, parts), *network_slips(gradients)]


def lean_args(rng, widths, batch):
    """(params, X, dL_dlogits)."""
    return *drawn_network(rng, widths, batch), rng.normal(size=(batch, widths[-1]))


def lean_cases(rng, widths, batch, trainable_from, kind="fresh", note=""):
    """One case for each of the two functions."""
    params, X, signal = lean_args(rng, widths, batch)
    return [
        Case("lean_forward", (params, X, trainable_from), kind, note),
        Case("lean_backward", (params, X, signal, trainable_from), kind, note),
    ]


def at_the_kink(params):
    """The same network with one hidden unit that stands exactly at 0 for every example."""
    W, b = params[0]
    W[1], b[1] = 0.0, 0.0
    return params


def lean_at_the_kink(rng):
    params, X, signal = lean_args(rng, [3, 4, 5, 2], 6)
    at_the_kink(params)
    note = "a unit exactly at 0"
    return [
        Case("lean_forward", (params, X, 0), "edge", note),
        Case("lean_backward", (params, X, signal, 0), "edge", note),
    ]


THREAD = [(net.W1, net.b1), (net.W2, net.b2)]

register(
    "lean_forward_backward",
    LESSON,
    points=6,
    functions=[
        Function(
            "lean_forward",
            "params X trainable_from",
            ("logits", "saved"),
            slips=lean_forward_slips,
            drive=drive_lean_forward,
            reading=read_lean_forward,
            batch="X",
            advice="print each layer's output for the worked example, and compare with lesson 5",
        ),
        Function(
            "lean_backward",
            "params X dL_dlogits trainable_from",
            ("dW", "db", "frozen layers"),
            slips=lean_backward_slips,
            drive=drive_lean_backward,
            reading=read_lean_backward,
            batch="X",
            place=lambda label, index, case: entry_in_words(case.args[0], case.args[3])(
                label, index
            ),
            advice="take the last layer first: its gradients need two arrays, and you hold both",
        ),
    ],
    draw=lambda rng: [
        Case("lean_forward", (THREAD, net.X, 0), "worked"),
        Case("lean_backward", (THREAD, net.X, net.signal, 0), "worked"),
        *lean_cases(rng, [3, 5, 4, 2], 6, 0),
        *lean_cases(rng, [4, 3, 6, 5, 2], 5, 2),
        *lean_cases(rng, [5, 4, 3], 7, 1),
        *lean_cases(rng, [12, 40, 30, 24, 5], 300, 2, "edge", "a large batch"),
        *lean_cases(rng, [40, 24, 30, 12, 5], 300, 0, "edge", "a large batch"),
        *lean_cases(rng, [3, 4, 2], 5, 2, "edge", "every layer is frozen"),
        *lean_at_the_kink(rng),
    ],
)


# ---------------------------------------------------------------- checkpoints


def drive_checkpointed(answers, params, X, y, every):
    """(what checkpointed_backprop returns, the most bytes it had allocated at any moment)."""
    with Meter() as meter:
        result = answers["checkpointed_backprop"](params, X, y, every)
    return result, meter.peak


def network_gradients(params, X, y, edit=None, **settings):
    """(loss, [(dW, db), …]) by the engine; `edit` changes the way back (see slips.py)."""
    logits, leaves = network_graph(params, X, **settings)
    value = bce_with_logits(y, logits)
    found = walk_back(value, edit and edit(value))
    for leaf in (leaf for pair in leaves for leaf in pair):
        leaf.grad = found[id(leaf)]
    return value.item(), gradients_of(leaves)


def checkpointing_peak(params, X, every):
    """Bytes within which an answer can work that keeps every k-th activation, with room to spare.

    The checkpoints; of one stretch between two of them three arrays a layer; six more arrays in
    passing; every gradient; and what Python itself takes. What it returns comes on top.
    """
    unit = 8 * len(X) * max(X.shape[1], *(len(W) for W, _ in params))
    gradients = sum(W.nbytes + b.nbytes for W, b in params)
    arrays = -(-len(params) // every) + 3 * min(every, len(params)) + 6
    return arrays * unit + gradients + 300_000


def read_checkpointed(args, result):
    params, X, y, every = args
    answer, peak = result
    if answer is None:
        raise Flaw("none-returned", "checkpointed_backprop returns None.")
    if not isinstance(answer, tuple) or len(answer) != 2:
        text = "checkpointed_backprop should return two things, the loss and a list"
        raise Flaw("wrong-type", f"{text}, and returns {describe(answer)}.")
    if isinstance(answer[0], list | tuple) and not isinstance(answer[1], list | tuple):
        text = "checkpointed_backprop returns the list first, and should return the loss first."
        raise Flaw("wrong-type", text, "look at the card for the order of what is returned")
    loss, wanted = network_gradients(params, X, y)
    try:
        yours, expected = read_layers("checkpointed_backprop", answer[1], wanted)
    except Flaw as flaw:  # of the list; the loss has a claim of its own
        yours = expected = {"dW": flaw, "db": flaw}
    returned = sum(array.nbytes for array in arrays_in(answer[1])[0])
    enough = checkpointing_peak(params, X, every) + returned
    memory: str | Flaw = "small enough"
    if peak > enough:
        text = (
            f"with {len(params)} layers, {peak / enough:.1f} times the bytes are in use at the "
            "peak that a generous count of the checkpoints and one stretch gives."
        )
        next_step = "when a stretch is done, let its activations go; keep none of them from forward"
        memory = Flaw("keeps-too-much", text, next_step)
    return (
        (answer[0], yours["dW"], yours["db"], memory),
        (loss, expected["dW"], expected["db"], Exact("small enough")),
    )


def checkpointed_slips(params, X, y, every):
    def gradients(**settings):
        return network_gradients(params, X, y, **settings)[1]

    def loss(**settings):
        return network_gradients(params, X, y, **settings)[0]

    others = [
        Slip(
            "dropped-bias",
            "the biases are left out of the forward pass",
            {"loss": loss(bias=False)},
        ),
        Slip(
            "mean-vs-sum",
            "the losses of the examples are added up, not averaged",
            {"loss": loss() * len(X)},
        ),
        Slip(
            "wrong-value",
            "a ReLU follows the last layer too",
            {"loss": loss(last=lambda v: v.relu())},
            "the last layer's output is the logits, as it is",
        ),
        Slip(
            "wrong-value",
            "there is no ReLU between the layers",
            {"loss": loss(between=lambda v: v)},
            "what stands between two layers in the card's network?",
        ),
    ]

    def no_masks_between_stretches(output):
        """At a checkpoint the signal passes the ReLU below it as if that were not there."""
        edits = list(no_masks(output).items())[::-1]  # from the first ReLU to the last
        return dict(edits[every - 1 :: every])

    between = {
        part: stacks.flatten([pair[index] for pair in gradients(edit=no_masks_between_stretches)])
        for index, part in enumerate(("dW", "db"))
    }
    missed = Slip(
        "missing-local",
        "the signal passes from stretch to stretch without the ReLU that stands between them",
        between,
        "a checkpoint is what left a ReLU: which of its units were on?",
    )
    return [*others, *network_slips(gradients), missed]


def checkpointed_args(rng, widths, batch, every):
    """(params, X, y, every); the last of the widths is 1."""
    params, X = drawn_network(rng, widths, batch)
    largest = np.abs(network_graph(params, X)[0].data).max()
    if largest > 6:  # here log(ŷ) is as good as a stable loss: that was lesson 5's subject
        params[-1] = tuple(array * (6 / largest) for array in params[-1])
    return params, X, rng.integers(0, 2, (batch, 1)).astype(float), every


def checkpointed_at_the_kink(rng):
    params, *rest = checkpointed_args(rng, [3, 4, 5, 1], 6, 2)
    return at_the_kink(params), *rest


def deep_args(rng, depth=60, every=6, batch=700):
    """A network so deep and a batch so wide that its activations show in memory."""
    return checkpointed_args(rng, [int(n) for n in rng.integers(20, 28, depth)] + [1], batch, every)


register(
    "checkpointed",
    LESSON,
    points=4,
    functions=[
        Function(
            "checkpointed_backprop",
            "params X y every",
            ("loss", "dW", "db", "memory"),
            slips=checkpointed_slips,
            drive=drive_checkpointed,
            reading=read_checkpointed,
            batch="X",
            place=lambda label, index, case: entry_in_words(case.args[0])(label, index),
            advice="make it right for every = 1 first; then for every = 2 and four layers",
        )
    ],
    draw=lambda rng: [
        Case("checkpointed_backprop", (THREAD, net.X, net.y, 2), "worked"),
        Case("checkpointed_backprop", checkpointed_args(rng, [3, 5, 4, 6, 2, 1], 6, 2)),
        Case("checkpointed_backprop", checkpointed_args(rng, [4, 3, 5, 2, 6, 3, 1], 7, 3)),
        Case("checkpointed_backprop", checkpointed_args(rng, [2, 5, 3, 1], 5, 1)),
        Case(
            "checkpointed_backprop",
            checkpointed_args(rng, [3, 4, 2, 1], 8, 5),
            "edge",
            "every is larger than the number of layers",
        ),
        Case("checkpointed_backprop", checkpointed_args(rng, [3, 1], 6, 1), "edge", "one layer"),
        Case("checkpointed_backprop", checkpointed_at_the_kink(rng), "edge", "a unit exactly at 0"),
        Case("checkpointed_backprop", deep_args(rng), "edge", "a deep network, a large batch"),
    ],
)
