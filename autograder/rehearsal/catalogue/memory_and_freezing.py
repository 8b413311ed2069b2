"""Lesson 07: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/07_memory_and_freezing`. Under each
exercise the slips of the subject come first, then what is wrong with the result as an object,
then the answers that were never worked out, then right answers in other styles.
"""

from functools import partial

from . import ALL, right, wrong

# ---------------------------------------------------------------- what_to_save


def saves(title, old, new, cause, loses, says):
    """One entry of the table of sets, exchanged."""
    wrong("what_to_save", title, (old, new), cause=cause, loses=loses, says=says)


LINEAR = '"linear": {"input", "weight"}'
RELU = '"relu": {"mask"}'
SIGMOID = '"sigmoid": {"output"}'
MUL = '"mul": {"input"}'
RETURN_SET = "return saved[layer]"

saves(
    "linear: the weight's gradient is thought of, the input's is not",
    LINEAR,
    '"linear": {"input"}',
    "wrong-value",
    ("linear",),
    'what_to_save("linear")',
)
saves(
    "linear: the input's gradient is thought of, the weight's is not",
    LINEAR,
    '"linear": {"weight"}',
    "wrong-value",
    ("linear",),
    "list the arrays",
)
saves(
    "linear: the output as well, to be on the safe side",
    LINEAR,
    '"linear": {"input", "weight", "output"}',
    "keeps-too-much",
    ("linear",),
    "more in it than backward needs",
)
saves(
    "bias: the bias is saved like a weight",
    '"bias": set()',
    '"bias": {"weight"}',
    "keeps-too-much",
    ("bias",),
    "more in it than backward needs",
)
saves(
    "bias: the input is saved as for a linear layer",
    '"bias": set()',
    '"bias": {"input"}',
    "keeps-too-much",
    ("bias",),
    "more in it than backward needs",
)
saves(
    "relu: the whole input is saved",
    RELU,
    '"relu": {"input"}',
    "keeps-too-much",
    ("relu",),
    "something cheaper",
)
saves(
    "relu: the whole output is saved",
    RELU,
    '"relu": {"output"}',
    "keeps-too-much",
    ("relu",),
    "something cheaper",
)
saves(
    "relu: the mask and the input",
    RELU,
    '"relu": {"mask", "input"}',
    "keeps-too-much",
    ("relu",),
    "more in it than backward needs",
)
saves(
    "relu: nothing",
    RELU,
    '"relu": set()',
    "wrong-value",
    ("relu",),
    'what_to_save("relu")',
)
saves(
    "sigmoid: the input, so that everything is computed again",
    SIGMOID,
    '"sigmoid": {"input"}',
    "keeps-too-much",
    ("sigmoid",),
    "least work in backward",
)
saves(
    "sigmoid: input and output",
    SIGMOID,
    '"sigmoid": {"input", "output"}',
    "keeps-too-much",
    ("sigmoid",),
    "more in it than backward needs",
)
saves(
    "sigmoid: a mask, like ReLU",
    SIGMOID,
    '"sigmoid": {"mask"}',
    "wrong-value",
    ("sigmoid",),
    'what_to_save("sigmoid")',
)
saves(
    "add: its inputs",
    '"add": set()',
    '"add": {"input"}',
    "keeps-too-much",
    ("add",),
    "more in it than backward needs",
)
saves(
    "mul: nothing, like add",
    MUL,
    '"mul": set()',
    "wrong-value",
    ("mul",),
    'what_to_save("mul")',
)
saves(
    "mul: its output",
    MUL,
    '"mul": {"output"}',
    "wrong-value",
    ("mul",),
    'what_to_save("mul")',
)
saves(
    "a name that is not on the card",
    LINEAR,
    '"linear": {"inputs", "weight"}',
    "wrong-value",
    ("linear",),
    "'inputs'",
)
saves(
    "an empty dict, taken for an empty set",
    '"add": set()',
    '"add": {}',
    "wrong-type",
    ("add",),
    "empty dict",
)
saves(
    "a list",
    LINEAR,
    '"linear": ["input", "weight"]',
    "wrong-type",
    ("linear",),
    "should be a set",
)
saves(
    "a word",
    RELU,
    '"relu": "mask"',
    "wrong-type",
    ("relu",),
    "should be a set",
)
saves(
    "a set made of the letters of a word",
    SIGMOID,
    '"sigmoid": set("output")',
    "wrong-value",
    ("sigmoid",),
    "none of the names",
)
saves(
    "None for nothing",
    '"add": set()',
    '"add": None',
    "none-returned",
    ("add",),
    "None",
)
saves("a layer is forgotten", f"{MUL},", "", "raises", ALL, "KeyError")
wrong(
    "what_to_save",
    "printed, not returned",
    (RETURN_SET, "print(saved[layer])"),
    cause="none-returned",
    loses=ALL,
    says="None",
)
wrong(
    "what_to_save",
    "the whole table is returned",
    (RETURN_SET, "return saved"),
    cause="wrong-type",
    loses=ALL,
    says="a dict of 6",
)
wrong(
    "what_to_save",
    "the engine is asked",
    source="""
    from backprop_kit import Tensor

    def what_to_save(layer):
        x = Tensor([1.0, 2.0], requires_grad=True)
        return {"mask"} if layer == "relu" else set()
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "what_to_save",
    "one question after the other",
    source="""
    def what_to_save(layer):
        if layer == "linear":
            return {"weight", "input"}
        if layer in ("bias", "add"):
            return set()
        if layer == "relu":
            return {"mask"}
        if layer == "sigmoid":
            return {"output"}
        return {"input"}
    """,
)
right(
    "what_to_save",
    "frozensets",
    source="""
    TABLE = dict(linear="input weight", bias="", relu="mask", sigmoid="output", add="", mul="input")

    def what_to_save(layer):
        return frozenset(TABLE[layer].split())
    """,
)
right(
    "what_to_save",
    "built by a comprehension, and a match",
    source="""
    def what_to_save(layer):
        match layer:
            case "linear":
                names = ["input", "weight", "input"]
            case "relu":
                names = ["mask"]
            case "sigmoid":
                names = ["output"]
            case "mul":
                names = ["input", "input"]
            case _:
                names = []
        return {name for name in names}
    """,
)

# ---------------------------------------------------------------- chain_gradients

D_W2 = "dl_dW2 = dl_dv2.T @ v1.T"
D_V1 = "dl_dv1 = dl_dv2 @ W2"
MASK = "dl_dbefore = dl_dv1 * (before > 0).T"
D_W1 = "dl_dW1 = dl_dbefore.T @ v0.T"
RETURN_CHAIN = "return dl_dW1, dl_dW2"


chained = partial(wrong, "chain_gradients")

chained(
    "the ReLU is left out of the way back",
    (MASK, "dl_dbefore = dl_dv1"),
    cause="missing-local",
    loses=("dl_dW1",),
    says="local derivative of the ReLU",
)
chained(
    "no ReLU at all",
    ("v1 = np.maximum(before, 0.0)", "v1 = before"),
    (MASK, "dl_dbefore = dl_dv1"),
    cause="missing-local",
    loses=ALL,
    says="ReLU",
)
chained(
    "the array before the ReLU in W2's gradient",
    (D_W2, "dl_dW2 = dl_dv2.T @ before.T"),
    cause="wrong-value",
    loses=("dl_dW2",),
    says="W1·v0 is used where",
)
chained(
    "the mask from the signal",
    (MASK, "dl_dbefore = dl_dv1 * (dl_dv1 > 0)"),
    cause="wrong-mask",
    loses=("dl_dW1",),
    says="signal's sign",
)
chained(
    "a unit at 0 counts as on",
    (MASK, "dl_dbefore = dl_dv1 * (before >= 0).T"),
    cause="wrong-mask",
    loses=("dl_dW1",),
    says="exactly at 0",
)
chained(
    "the mask turned round",
    (MASK, "dl_dbefore = dl_dv1 * (before < 0).T"),
    cause="wrong-mask",
    loses=("dl_dW1",),
    says="turned round",
)
chained(
    "the activation for its mask",
    (MASK, "dl_dbefore = dl_dv1 * v1.T"),
    cause="wrong-mask",
    loses=("dl_dW1",),
    says="where its mask should",
)
chained(
    "the mask for the activation",
    (D_W2, "dl_dW2 = dl_dv2.T @ (before > 0).T"),
    cause="wrong-value",
    loses=("dl_dW2",),
    says="the mask stands where",
)
chained(
    "the column mask on the row signal makes a matrix, and a row of sums is taken of it",
    (MASK, "dl_dbefore = (dl_dv1 * (before > 0)).sum(axis=0, keepdims=True)"),
    cause="wrong-value",
    loses=("dl_dW1",),
    says="dl_dW1",
)
chained(
    "W2's gradient transposed",
    (D_W2, "dl_dW2 = v1 @ dl_dv2"),
    cause="transpose",
    loses=("dl_dW2",),
    says="rows and columns exchanged",
)
chained(
    "both gradients transposed",
    (D_W2, "dl_dW2 = v1 @ dl_dv2"),
    (D_W1, "dl_dW1 = v0 @ dl_dbefore"),
    cause="transpose",
    loses=ALL,
    says="rows and columns exchanged",
)
chained(
    "ones in place of the signal",
    (D_W2, "dl_dW2 = np.ones_like(dl_dv2).T @ v1.T"),
    (D_V1, "dl_dv1 = np.ones_like(dl_dv2) @ W2"),
    cause="upstream-ignored",
    loses=ALL,
    says="all ones",
)
chained(
    "W2 transposed on the way down: fits square matrices only",
    (D_V1, "dl_dv1 = dl_dv2 @ W2.T"),
    cause="raises",
    loses=ALL,
    says="matmul",
)
chained(
    "the signal skips W2",
    (D_V1, "dl_dv1 = dl_dv2"),
    cause="raises",
    loses=ALL,
    says="broadcast",
)
chained(
    "a minus sign slips in",
    (D_W1, "dl_dW1 = -dl_dbefore.T @ v0.T"),
    cause="sign",
    loses=("dl_dW1",),
    says="opposite sign",
)
chained(
    "half of it, as from a loss of one half of a square",
    (D_W2, "dl_dW2 = 0.5 * dl_dv2.T @ v1.T"),
    cause="factor",
    loses=("dl_dW2",),
    says="exactly half",
)
chained(
    "the two change places",
    (RETURN_CHAIN, "return dl_dW2, dl_dW1"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
chained(
    "a list",
    (RETURN_CHAIN, "return [dl_dW1, dl_dW2]"),
    cause="wrong-type",
    loses=ALL,
    says="a list of 2",
)
chained(
    "nothing returned",
    (RETURN_CHAIN, "return"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
chained(
    "only one returned",
    (RETURN_CHAIN, "return dl_dW1"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
chained(
    "lists of lists",
    (RETURN_CHAIN, "return dl_dW1.tolist(), dl_dW2"),
    cause="wrong-type",
    loses=("dl_dW1",),
    says="should be an array",
)
chained(
    "float32",
    (RETURN_CHAIN, "return dl_dW1, dl_dW2.astype(np.float32)"),
    cause="wrong-type",
    loses=("dl_dW2",),
    says="float32",
)
chained(
    "rounded to whole numbers",
    (RETURN_CHAIN, "return dl_dW1.astype(int), dl_dW2"),
    cause="wrong-type",
    loses=("dl_dW1",),
    says="int64",
)
chained(
    "a mask by division",
    (MASK, "dl_dbefore = dl_dv1 * (v1 / before).T"),
    cause="non-finite",
    loses=("dl_dW1",),
    says="nan",
)
chained(
    "the signal is masked in place",
    (MASK, "dl_dv2 *= 2.0\n    dl_dbefore = dl_dv1 * (before > 0).T"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="no longer holds",
)
wrong(
    "chain_gradients",
    "gradients of earlier calls pile up in a global",
    source="""
    import numpy as np

    seen = {}

    def chain_gradients(W1, W2, v0, dl_dv2):
        before = W1 @ v0
        dW2 = dl_dv2.T @ np.maximum(before, 0).T
        dW1 = ((dl_dv2 @ W2) * (before > 0).T).T @ v0.T
        key = W1.shape + W2.shape
        for name, gradient in (("W1", dW1), ("W2", dW2)):
            gradient += seen.get((name, key), 0.0)
            seen[name, key] = gradient
        return dW1, dW2
    """,
    cause="state-leak",
    loses=ALL,
    says="second time",
)
wrong(
    "chain_gradients",
    "left to nudging",
    source="""
    import numpy as np

    def chain_gradients(W1, W2, v0, dl_dv2):
        def loss():
            return (dl_dv2 @ (W2 @ np.maximum(W1 @ v0, 0.0))).item()

        found = []
        for W in (W1, W2):
            grad = np.zeros_like(W)
            for i in np.ndindex(W.shape):
                old = W[i]
                W[i] = old + 1e-6
                up = loss()
                W[i] = old - 1e-6
                grad[i] = (up - loss()) / 2e-6
                W[i] = old
            found.append(grad)
        return tuple(found)
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "chain_gradients",
    "the engine does it",
    source="""
    from backprop_kit import Tensor

    def chain_gradients(W1, W2, v0, dl_dv2):
        W1, W2 = Tensor(W1, requires_grad=True), Tensor(W2, requires_grad=True)
        (W2 @ (W1 @ Tensor(v0)).relu()).backward(dl_dv2.T)
        return W1.grad, W2.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "chain_gradients",
    "outer products of vectors",
    source="""
    import numpy as np

    def chain_gradients(W1, W2, v0, dl_dv2):
        x, g = v0[:, 0], dl_dv2[0]
        h = np.maximum(W1 @ x, 0)
        return np.outer((W2.T @ g) * (h > 0), x), np.outer(g, h)
    """,
)
right(
    "chain_gradients",
    "einsum",
    source="""
    import numpy as np

    def chain_gradients(W1, W2, v0, dl_dv2):
        u = np.einsum("kn,no->ko", W1, v0)
        on = np.where(u > 0, 1.0, 0.0)
        back = np.einsum("om,mk,ko->ko", dl_dv2, W2, on)
        return np.einsum("ko,no->kn", back, v0), np.einsum("om,ko->mk", dl_dv2, u * on)
    """,
)
right(
    "chain_gradients",
    "loops over every entry",
    source="""
    import numpy as np

    def chain_gradients(W1, W2, v0, dl_dv2):
        m, k = W2.shape
        n = W1.shape[1]
        u = [sum(W1[j, i] * v0[i, 0] for i in range(n)) for j in range(k)]
        dW2 = [[dl_dv2[0, i] * max(u[j], 0.0) for j in range(k)] for i in range(m)]
        back = [sum(dl_dv2[0, i] * W2[i, j] for i in range(m)) if u[j] > 0 else 0 for j in range(k)]
        dW1 = [[back[j] * v0[i, 0] for i in range(n)] for j in range(k)]
        return np.array(dW1, float), np.array(dW2, float)
    """,
)
right(
    "chain_gradients",
    "a diagonal matrix for the mask",
    source="""
    import numpy as np

    def linear_backward(g, x):
        return g.T @ x.T

    def chain_gradients(W1, W2, v0, dl_dv2):
        v1 = W1 @ v0
        D = np.diag((v1[:, 0] > 0).astype(float))
        return linear_backward(dl_dv2 @ W2 @ D, v0), linear_backward(dl_dv2, D @ v1)
    """,
)

# ---------------------------------------------------------------- detach
# One number in, two out, one line each: there are not many ways to go wrong.

D_X = "df_dx = 1.0 * detached"
RETURN_F = "return f, df_dx"


detached = partial(wrong, "detach")

detached(
    "the derivative of x³",
    (D_X, "df_dx = 3.0 * x * x"),
    cause="wrong-value",
    loses=("df_dx",),
    says="also goes back through the square",
)
detached(
    "the signal takes the closed way",
    (D_X, "df_dx = x * 2.0 * x"),
    cause="wrong-value",
    loses=("df_dx",),
    says="the one way that is closed",
)
detached(
    "the derivative of the square",
    (D_X, "df_dx = 2.0 * x"),
    cause="wrong-value",
    loses=("df_dx",),
    says="the derivative of the square",
)
detached(
    "everything is detached",
    (D_X, "df_dx = 0.0"),
    cause="wrong-value",
    loses=("df_dx",),
    says="df_dx is 0",
)
detached(
    "each factor gets its own value",
    (D_X, "df_dx = 1.0 * x"),
    cause="wrong-value",
    loses=("df_dx",),
    says="df_dx",
)
detached(
    "a minus",
    (D_X, "df_dx = -detached"),
    cause="sign",
    loses=("df_dx",),
    says="opposite sign",
)
detached(
    "half",
    (D_X, "df_dx = 0.5 * detached"),
    cause="factor",
    loses=("df_dx",),
    says="exactly half",
)
detached(
    "detach taken for 0 in the value too",
    ("f = x * detached", "f = x * 0.0"),
    cause="wrong-value",
    loses=("f",),
    says="f is 0",
)
detached(
    "the value squared once too little",
    ("f = x * detached", "f = 1.0 * detached"),
    cause="wrong-value",
    loses=("f",),
    says="f is not what",
)
detached(
    "the two change places",
    (RETURN_F, "return df_dx, f"),
    cause="order-swapped",
    loses=("f", "df_dx"),
    says="changed places",
)
detached(
    "only the derivative",
    (RETURN_F, "return df_dx"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
detached("a list", (RETURN_F, "return [f, df_dx]"), cause="wrong-type", loses=ALL, says="a list")
detached("nothing", (RETURN_F, "return"), cause="none-returned", loses=ALL, says="None")
detached(
    "a (1, 1) array",
    (D_X, "df_dx = np.array([[detached]])"),
    cause="wrong-shape",
    loses=("df_dx",),
    says="single number",
)
detached(
    "divided by x",
    (D_X, "df_dx = f / x"),
    cause="raises",
    loses=ALL,
    says="ZeroDivisionError",
)
wrong(
    "detach",
    "the worked example typed in",
    source="""
    def detach_demo(x):
        return 27.0, 9.0
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "detach",
    "the engine does it",
    source="""
    from backprop_kit import Tensor

    def detach_demo(x):
        x = Tensor(x, requires_grad=True)
        f = x * (x * x).detach()
        f.backward()
        return f.item(), x.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("detach", "powers", source="def detach_demo(x):\n    return x**3, x**2")
right(
    "detach",
    "NumPy numbers",
    source="""
    import numpy as np

    def detach_demo(x):
        c = np.square(x)
        return np.multiply(x, c), np.array(c)
    """,
)
right(
    "detach",
    "as a constant multiple",
    source="""
    def detach_demo(x):
        c = x * x

        def value(t):
            return t * c

        return value(x), value(1.0)
    """,
)

# ---------------------------------------------------------------- saved_bytes

LOOP = "for k in range(trainable_from, depth):"
INPUT = "total += 8 * batch * widths[k]"
IF_HIDDEN = "if k < depth - 1:"
ADD_MASK = "total += batch * widths[k + 1]"


counted = partial(wrong, "saved_bytes")

counted(
    "freezing is ignored",
    (LOOP, "for k in range(depth):"),
    cause="keeps-too-much",
    loses=("lower layers frozen",),
    says="frozen layers are counted",
)
counted(
    "no masks",
    (ADD_MASK, "pass"),
    cause="wrong-value",
    loses=ALL,
    says="masks are left out",
)
counted(
    "a mask after the logits",
    (IF_HIDDEN, "if True:"),
    cause="keeps-too-much",
    loses=ALL,
    says="after the logits",
)
counted(
    "masks of all ReLUs, frozen or not",
    ("total = 0", "total = sum(batch * w for w in widths[1 : trainable_from + 1][: depth - 1])"),
    cause="keeps-too-much",
    loses=("lower layers frozen",),
    says="those of frozen layers too",
)
counted(
    "the mask at the border of the frozen part",
    (
        "total = 0",
        "total = batch * widths[trainable_from] if 0 < trainable_from < depth else 0",
    ),
    cause="keeps-too-much",
    loses=("lower layers frozen",),
    says="where no signal passes",
)
counted(
    "X is taken for free",
    (INPUT, "total += 8 * batch * widths[k] if k > 0 else 0"),
    cause="wrong-value",
    loses=ALL,
    says="X is left out",
)
counted(
    "outputs for inputs",
    (INPUT, "total += 8 * batch * widths[k + 1]"),
    cause="wrong-value",
    loses=ALL,
    says="outputs are counted in place of their inputs",
)
counted(
    "masks in float64",
    (ADD_MASK, "total += 8 * batch * widths[k + 1]"),
    cause="keeps-too-much",
    loses=ALL,
    says="8 bytes a unit",
)
counted(
    "masks in bits",
    (ADD_MASK, "total += batch * widths[k + 1] / 8"),
    cause="wrong-value",
    loses=ALL,
    says="one bit a unit",
)
counted(
    "float32",
    (INPUT, "total += 4 * batch * widths[k]"),
    cause="wrong-value",
    loses=ALL,
    says="4 bytes",
)
counted(
    "numbers, not bytes",
    (INPUT, "total += batch * widths[k]"),
    cause="wrong-value",
    loses=ALL,
    says="numbers are counted",
)
counted(
    "for one example",
    ("return total", "return total // batch"),
    cause="wrong-value",
    loses=ALL,
    says="batch is left out",
)
counted(
    "the weights as well",
    (INPUT, "total += 8 * batch * widths[k] + 8 * widths[k] * widths[k + 1]"),
    cause="keeps-too-much",
    loses=ALL,
    says="weights are counted",
)
counted(
    "layer number trainable_from taken for frozen",
    (LOOP, "for k in range(trainable_from + 1 if trainable_from else 0, depth):"),
    cause="wrong-value",
    loses=("lower layers frozen",),
    says="one layer too many",
)
counted(
    "layers counted from 1",
    (LOOP, "for k in range(max(trainable_from - 1, 0), depth):"),
    cause="wrong-value",
    loses=("lower layers frozen",),
    says="one layer too few",
)
counted(
    "the first layers are trained, not the last",
    (LOOP, "for k in range(depth - trainable_from):"),
    cause="wrong-value",
    loses=("lower layers frozen",),
    says="not what the check expects",
)
counted(
    "in kilobytes",
    ("return total", "return total / 1024"),
    cause="factor",
    loses=ALL,
    says="times what",
)
counted(
    "as text",
    ("return total", 'return f"{total} bytes"'),
    cause="wrong-type",
    loses=ALL,
    says="single number",
)
counted(
    "the parts in a list",
    ("return total", "return [total]"),
    cause="wrong-type",
    loses=ALL,
    says="a list",
)
counted(
    "nothing returned",
    ("return total", "print(total)"),
    cause="none-returned",
    loses=ALL,
    says="None",
)
counted(
    "no default for trainable_from",
    ("trainable_from=0):", "trainable_from):"),
    cause="raises",
    loses=ALL,
    says="TypeError",
)
counted(
    "one entry too far",
    (IF_HIDDEN, "if k < depth + 1:"),
    (ADD_MASK, "total += batch * widths[k + 2]"),
    cause="raises",
    loses=ALL,
    says="IndexError",
)
counted(
    "the list of widths is used up",
    ("depth = len(widths[1:])", "depth = len(widths[1:])\n    widths.append(0)"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="widths",
)
wrong(
    "saved_bytes",
    "the worked example typed in",
    source="""
    def saved_bytes(widths, batch, trainable_from=0):
        return 96 if trainable_from else 172
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "saved_bytes",
    "the bill of the first call for ever",
    source="""
    cache = {}

    def saved_bytes(widths, batch, trainable_from=0):
        if trainable_from not in cache:
            depth = len(widths) - 1
            inputs = sum(8 * batch * widths[k] for k in range(trainable_from, depth))
            masks = sum(batch * widths[k + 1] for k in range(trainable_from, depth - 1))
            cache[trainable_from] = inputs + masks
        return cache[trainable_from]
    """,
    cause="state-leak",
    loses=("all layers trained", "lower layers frozen", "arguments left alone"),
    says="first call",
)
wrong(
    "saved_bytes",
    "the meter is asked",
    source="""
    import numpy as np
    from backprop_kit import Linear, ReLU, Sequential, kept

    def saved_bytes(widths, batch, trainable_from=0):
        stages = []
        for n, m in zip(widths, widths[1:]):
            stages += [Linear(n, m), ReLU()]
        network = Sequential(*stages[:-1])
        network[: 2 * trainable_from].freeze()
        return kept(network(np.zeros((batch, widths[0])))).total
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "saved_bytes",
    "two sums",
    source="""
    def saved_bytes(widths, batch, trainable_from=0):
        learning = widths[trainable_from:-1]
        return batch * (8 * sum(learning) + sum(learning[1:]))
    """,
)
right(
    "saved_bytes",
    "NumPy integers",
    source="""
    import numpy as np

    def saved_bytes(widths, batch, trainable_from=0):
        w = np.array(widths[:-1])
        inputs = np.zeros((batch, w[trainable_from:].sum()))
        masks = np.zeros((batch, w[trainable_from + 1:].sum()), dtype=bool)
        return np.int64(inputs.nbytes + masks.nbytes)
    """,
)
right(
    "saved_bytes",
    "a float with the value of a whole number",
    source="""
    def saved_bytes(widths, batch, trainable_from=0):
        bits = 0
        for k, (n, m) in enumerate(zip(widths[:-1], widths[1:])):
            if k >= trainable_from:
                bits += 64 * n * batch
                bits += 8 * m * batch if k + 2 < len(widths) else 0
        return bits / 8
    """,
)
right(
    "saved_bytes",
    "recursion from the top",
    source="""
    def saved_bytes(widths, batch, trainable_from=0):
        if trainable_from >= len(widths) - 1:
            return 0
        here = 8 * batch * widths[trainable_from]
        mask = batch * widths[trainable_from + 1] if trainable_from + 2 < len(widths) else 0
        return here + mask + saved_bytes(widths, batch, trainable_from + 1)
    """,
)

# ---------------------------------------------------------------- frozen_step

ZERO = "network.zero_grad()\n"
ASK = "if parameter.requires_grad:"
MOVE = "parameter.data = parameter.data - lr * parameter.grad"
RETURN_LOSS = "return loss.item()"
STEPS = ("step", "step after an earlier backward")


stepped = partial(wrong, "frozen_step")

stepped(
    "old gradients are not cleared",
    (ZERO, "\n"),
    cause="state-leak",
    loses=("step after an earlier backward",),
    says="earlier backward",
)
stepped(
    "who has a gradient moves, and old gradients are not cleared",
    (ZERO, "\n"),
    (ASK, "if parameter.grad is not None:"),
    cause="wrong-value",
    loses=("frozen parameters", "step after an earlier backward"),
    says="has changed",
)
wrong(
    "frozen_step",
    "a frozen parameter moves by a stale gradient",
    source="""
    from backprop_kit import bce_with_logits

    def frozen_step(network, X, y, lr):
        for p in network.parameters():
            if p.requires_grad:
                p.grad = None
        loss = bce_with_logits(y, network(X))
        loss.backward()
        for p in network.parameters():
            if p.grad is not None:
                p.data = p.data - lr * p.grad
        return loss.item()
    """,
    cause="wrong-value",
    loses=("frozen parameters",),
    says="earlier backward had left a gradient",
)
wrong(
    "frozen_step",
    "everything is unfrozen for the step",
    source="""
    from backprop_kit import bce_with_logits

    def frozen_step(network, X, y, lr):
        network.unfreeze()
        network.zero_grad()
        loss = bce_with_logits(y, network(X))
        loss.backward()
        for p in network.parameters():
            p.data = p.data - lr * p.grad
        return loss.item()
    """,
    cause="wrong-value",
    loses=("frozen parameters", "requires_grad"),
    says="has changed",
)
stepped(
    "everything is frozen afterwards",
    (RETURN_LOSS, "network.freeze()\n    return loss.item()"),
    cause="mutates-argument",
    loses=("requires_grad",),
    says="was not before",
)
stepped(
    "uphill",
    (MOVE, "parameter.data = parameter.data + lr * parameter.grad"),
    cause="sign",
    loses=STEPS,
    says="opposite sign",
)
stepped(
    "the learning rate is forgotten",
    (MOVE, "parameter.data = parameter.data - parameter.grad"),
    cause="factor",
    loses=STEPS,
    says="learning rate",
)
stepped(
    "divided by the number of examples once more",
    (MOVE, "parameter.data = parameter.data - lr * parameter.grad / len(X)"),
    cause="mean-vs-sum",
    loses=STEPS,
    says="number of examples",
)
stepped(
    "no step",
    (MOVE, "parameter.data - lr * parameter.grad"),
    cause="wrong-value",
    loses=STEPS,
    says="0",
)
stepped(
    "half a step",
    (MOVE, "parameter.data = parameter.data - 0.5 * lr * parameter.grad"),
    cause="factor",
    loses=STEPS,
    says="exactly half",
)
stepped(
    "the loss after the step",
    (RETURN_LOSS, "return bce_with_logits(y, network(X)).item()"),
    cause="wrong-value",
    loses=("loss",),
    says="after the step",
)
stepped(
    "the loss summed over the batch",
    (RETURN_LOSS, "return loss.item() * len(X)"),
    cause="mean-vs-sum",
    loses=("loss",),
    says="not averaged",
)
stepped(
    "the loss as a Tensor",
    (RETURN_LOSS, "return loss"),
    cause="wrong-type",
    loses=("loss",),
    says="a Tensor",
)
stepped(
    "the loss is not returned",
    (RETURN_LOSS, "loss.item()"),
    cause="none-returned",
    loses=("loss",),
    says="None",
)
stepped(
    "the loss of the probabilities taken for logits",
    ("loss = bce_with_logits(y, network(X))", "loss = bce_with_logits(y, network(X).sigmoid())"),
    cause="wrong-value",
    loses=("loss", *STEPS),
    says="not what the check expects",
)
stepped(
    "labels and logits change places",
    ("loss = bce_with_logits(y, network(X))", "loss = bce_with_logits(network(X), y)"),
    cause="wrong-value",
    loses=("loss", *STEPS),
    says="y and the logits have changed places",
)
stepped(
    "backward is forgotten",
    ("loss.backward()\n", "\n"),
    cause="raises",
    loses=ALL,
    says="TypeError",
)
stepped(
    "the step is not asked who learns",
    (ASK, "if True:"),
    cause="raises",
    loses=ALL,
    says="NoneType",
)
stepped(
    "the weights learn, the biases are forgotten",
    (ASK, "if parameter.requires_grad and parameter.data.ndim == 2:"),
    cause="wrong-value",
    loses=STEPS,
    says="not what the check expects",
)
stepped(
    "the batch is centred in place",
    (RETURN_LOSS, "X -= X.mean(axis=0) + 1.0\n    return loss.item()"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="X no longer holds",
)
stepped(
    "a name that is not imported",
    ("from backprop_kit import bce_with_logits", ""),
    cause="raises",
    loses=ALL,
    says="bce_with_logits",
)

right(
    "frozen_step",
    "in place, over layers",
    source="""
    from backprop_kit import Tensor, bce_with_logits

    def frozen_step(network, X, y, lr):
        for p in network.parameters():
            p.grad = None
        loss = bce_with_logits(Tensor(y), network(Tensor(X)))
        loss.backward()
        learners = [p for layer in network.layers for p in layer.parameters() if p.requires_grad]
        for p in learners:
            p.data -= lr * p.grad
        return float(loss)
    """,
)
right(
    "frozen_step",
    "old gradients are subtracted, not cleared",
    source="""
    from backprop_kit import bce_with_logits

    def frozen_step(network, X, y, lr):
        params = [p for p in network.parameters() if p.requires_grad]
        for p in params:
            p.zero_grad()
        value = bce_with_logits(y, network(X))
        value.backward()
        for p, new in [(p, p.data - lr * p.grad) for p in params]:
            p.data = new
        return value.data
    """,
)
right(
    "frozen_step",
    "by the names of the parameters",
    source="""
    import numpy as np
    import backprop_kit as kit

    def frozen_step(network, X, y, lr):
        kit_loss = kit.bce_with_logits(y, network(X))
        network.zero_grad()
        kit_loss.backward()
        for name, p in sorted(network.named_parameters().items()):
            if not p.requires_grad:
                continue
            p.data[...] = np.subtract(p.data, np.multiply(lr, p.grad))
        return np.array(kit_loss.item())
    """,
)

# ---------------------------------------------------------------- lean_forward_backward

SAVE = "saved.append(H if k >= trainable_from else None)"
V_LINE = "V = H @ W.T + b"
H_LINE = "H = np.maximum(V, 0.0)"
RETURN_SAVED = "return V, saved"
PAIR = "gradients[k] = (signal.T @ H, signal.sum(axis=0))"
CARRY = "signal = (signal @ params[k][0]) * (H > 0)"
RETURN_LIST = "return gradients"
DOWN_TO = "for k in range(len(params) - 1, trainable_from - 1, -1):"
LEAN = "lean_forward_backward"
BACKWARD = ("dW", "db", "frozen layers", "arguments left alone")  # nothing of it is right


lean = partial(wrong, LEAN)

lean(
    "everything is kept, frozen or not",
    (SAVE, "saved.append(H)"),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="the input of a frozen layer",
)
lean(
    "what entered the ReLUs is kept beside what left them",
    (SAVE, "saved.append((H, V) if k >= trainable_from and k else (H, H))"),
    ("H = saved[k]", "H = saved[k][0]"),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="times as many",
)
lean(
    "float masks beside the inputs",
    (SAVE, "saved.append((H, 1.0 * (H > 0)) if k >= trainable_from else None)"),
    ("H = saved[k]", "H, mask = saved[k]"),
    (CARRY, "signal = (signal @ params[k][0]) * mask"),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="a mask that takes 8 bytes",
)
lean(
    "the logits are kept",
    (RETURN_SAVED, "saved.append(V)\n    return V, saved"),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="the logits",
)
lean(
    "copies of every input, as lists of numbers and as arrays",
    (RETURN_SAVED, "return V, (saved, [None if H is None else H.tolist() for H in saved])"),
    ("H = saved[k]", "H = saved[0][k]"),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="times as many",
)
lean(
    "a narrow view that keeps a wide array alive",
    (
        SAVE,
        "big = np.zeros((len(H), 3 * H.shape[1]))\n        big[:, : H.shape[1]] = H\n"
        "        saved.append(big[:, : H.shape[1]] if k >= trainable_from else None)",
    ),
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="times as many",
)
wrong(
    LEAN,
    "the activations are put aside in a global list, and saved is a number",
    source="""
    import numpy as np

    STORE = []

    def lean_forward(params, X, trainable_from):
        inputs = []
        H = X
        for W, b in params:
            inputs.append(H)
            V = H @ W.T + b
            H = np.maximum(V, 0)
        STORE.append(inputs)
        return V, len(STORE) - 1

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = [None] * len(params)
        g = dL_dlogits
        for k in reversed(range(trainable_from, len(params))):
            H = STORE[saved][k]
            grads[k] = (g.T @ H, g.sum(axis=0))
            g = g @ params[k][0] * (H > 0)
        return grads
    """,
    cause="keeps-too-much",
    loses=("bytes of saved",),
    says="held elsewhere",
)
wrong(
    LEAN,
    "the activations of the last forward are in a global",
    source="""
    import numpy as np

    inputs = []

    def lean_forward(params, X, trainable_from):
        inputs.clear()
        H = X
        for k, (W, b) in enumerate(params):
            inputs.append(H if k >= trainable_from else None)
            V = H @ W.T + b
            H = np.maximum(V, 0)
        return V, None

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = [None] * len(params)
        g = dL_dlogits
        for k in reversed(range(trainable_from, len(params))):
            grads[k] = (g.T @ inputs[k], g.sum(axis=0))
            g = g @ params[k][0] * (inputs[k] > 0)
        return grads
    """,
    cause="state-leak",
    loses=("bytes of saved", "dW", "db"),
    says="second",
)
wrong(
    LEAN,
    "saved is an object of a class",
    source="""
    import numpy as np

    class Cache:
        pass

    def lean_forward(params, X, trainable_from):
        cache = Cache()
        cache.inputs = []
        H = X
        for W, b in params:
            cache.inputs.append(H)
            V = H @ W.T + b
            H = np.maximum(V, 0)
        return V, cache

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = [None] * len(params)
        g = dL_dlogits
        for k in reversed(range(trainable_from, len(params))):
            H = saved.inputs[k]
            grads[k] = (g.T @ H, g.sum(axis=0))
            g = g @ params[k][0] * (H > 0)
        return grads
    """,
    cause="wrong-type",
    loses=("bytes of saved",),
    says="type Cache",
)
lean(
    "no ReLU on the way back",
    (CARRY, "signal = signal @ params[k][0]"),
    cause="missing-local",
    loses=("dW", "db"),
    says="left out of the way back",
)
lean(
    "masks from the signal",
    (CARRY, "signal = signal @ params[k][0]\n            signal = signal * (signal > 0)"),
    cause="wrong-mask",
    loses=("dW", "db"),
    says="signal's sign",
)
lean(
    "a unit at 0 counts as on, so no unit is ever off",
    (CARRY, "signal = (signal @ params[k][0]) * (H >= 0)"),
    cause="missing-local",
    loses=("dW", "db"),
    says="left out of the way back",
)
wrong(
    LEAN,
    "masks of what enters the ReLU, with ≥",
    (
        SAVE,
        "saved.append((H, on) if k > trainable_from else (H, None) if k == trainable_from "
        "else None)",
    ),
    (H_LINE, "H, on = np.maximum(V, 0.0), V >= 0"),
    ("H = saved[k]", "H, on = saved[k]"),
    (CARRY, "signal = (signal @ params[k][0]) * on"),
    cause="wrong-mask",
    loses=("dW", "db"),
    says="exactly at 0",
)
lean(
    "the mask of the layer above on the signal below it, before the weight",
    (CARRY, "signal = (signal * (signal != 0)) @ params[k][0]"),
    cause="missing-local",
    loses=("dW", "db"),
    says="left out of the way back",
)
lean(
    "the biases are left out of forward",
    (V_LINE, "V = H @ W.T"),
    cause="dropped-bias",
    loses=("logits", "dW", "db"),
    says="biases are left out",
)
lean(
    "a ReLU after the last layer",
    (RETURN_SAVED, "return H, saved"),
    cause="wrong-value",
    loses=("logits",),
    says="follows the last layer",
)
lean(
    "the sigmoid is in it",
    (RETURN_SAVED, "return 1 / (1 + np.exp(-V)), saved"),
    cause="wrong-value",
    loses=("logits",),
    says="sigmoid of the logits",
)
lean(
    "the signal from above is taken for ones",
    ("signal = dL_dlogits", "signal = np.ones_like(dL_dlogits)"),
    cause="upstream-ignored",
    loses=("dW", "db"),
    says="all ones",
)
lean(
    "a mean that nobody asked for",
    ("signal = dL_dlogits", "signal = dL_dlogits / len(dL_dlogits)"),
    cause="mean-vs-sum",
    loses=("dW", "db"),
    says="number of examples",
)
lean(
    "the bias gradient is not summed",
    (PAIR, "gradients[k] = (signal.T @ H, signal)"),
    cause="no-batch-sum",
    loses=("db",),
    says="one row for each example",
)
lean(
    "the mean for the bias",
    (PAIR, "gradients[k] = (signal.T @ H, signal.mean(axis=0))"),
    cause="mean-vs-sum",
    loses=("db",),
    says="number of examples",
)
lean(
    "summed over the units",
    (PAIR, "gradients[k] = (signal.T @ H, signal.sum(axis=1))"),
    cause="wrong-shape",
    loses=("db",),
    says="shape",
)
lean(
    "weights transposed",
    (PAIR, "gradients[k] = (H.T @ signal, signal.sum(axis=0))"),
    cause="transpose",
    loses=("dW",),
    says="rows and columns exchanged",
)
lean(
    "the sign turned",
    (PAIR, "gradients[k] = (-signal.T @ H, -signal.sum(axis=0))"),
    cause="sign",
    loses=("dW", "db"),
    says="opposite sign",
)
lean(
    "the weight of the layer below",
    (CARRY, "signal = (signal @ params[k - 1][0]) * (H > 0)"),
    cause="raises",
    loses=BACKWARD,
    says="matmul",
)
lean(
    "gradients of the frozen layers too",
    (SAVE, "saved.append(H)"),
    (DOWN_TO, "for k in range(len(params) - 1, -1, -1):"),
    ("if k > trainable_from:", "if k > 0:"),
    cause="keeps-too-much",
    loses=("bytes of saved", "frozen layers"),
    says="frozen layer",
)
lean(
    "zeros for the frozen layers",
    ("gradients = [None] * len(params)", "gradients = [(0.0 * W, 0.0 * b) for W, b in params]"),
    cause="wrong-type",
    loses=("frozen layers",),
    says="put None where",
)
lean(
    "a pair of None for the frozen layers",
    ("gradients = [None] * len(params)", "gradients = [(None, None)] * len(params)"),
    cause="wrong-type",
    loses=("frozen layers",),
    says="put None where",
)
lean(
    "the frozen layers are left out of the list",
    (RETURN_LIST, "return gradients[trainable_from:]"),
    cause="wrong-shape",
    loses=BACKWARD,
    says="one entry for each layer",
)
lean(
    "from the last layer to the first",
    (RETURN_LIST, "return gradients[::-1]"),
    cause="order-swapped",
    loses=BACKWARD,
    says="last layer to the first",
)
lean(
    "db before dW",
    (PAIR, "gradients[k] = (signal.sum(axis=0), signal.T @ H)"),
    cause="order-swapped",
    loses=BACKWARD,
    says="changed places",
)
lean(
    "two lists, one of weights and one of biases",
    (RETURN_LIST, "return [g and g[0] for g in gradients], [g and g[1] for g in gradients]"),
    cause="wrong-shape",
    loses=BACKWARD,
    says="entries for",
)
lean(
    "a dict by layer",
    (RETURN_LIST, "return {k: g for k, g in enumerate(gradients)}"),
    cause="wrong-type",
    loses=BACKWARD,
    says="should be a list",
)
lean(
    "backward returns nothing",
    (RETURN_LIST, "return"),
    cause="none-returned",
    loses=BACKWARD,
    says="lean_backward returns None",
)
lean(
    "only the logits",
    (RETURN_SAVED, "return V"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
lean(
    "forward returns nothing",
    (RETURN_SAVED, "return"),
    cause="none-returned",
    loses=ALL,
    says="lean_forward returns None",
)
lean(
    "lean_backward is still a stub",
    ("gradients = [None] * len(params)", "raise NotImplementedError()"),
    cause="not-implemented",
    loses=BACKWARD,
    says="not written yet",
)
lean(
    "in float32, to save memory",
    (SAVE, "saved.append(H.astype(np.float32) if k >= trainable_from else None)"),
    cause="imprecise",
    loses=("dW",),
    says="digits right",
)
lean(
    "the signal from above is scaled in place",
    (
        "signal = dL_dlogits",
        "signal = dL_dlogits\n    signal *= 1.0\n    signal /= 2.0\n    signal = signal * 2.0",
    ),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="dL_dlogits",
)
wrong(
    LEAN,
    "the engine does it",
    source="""
    from backprop_kit import Tensor, ops

    def lean_forward(params, X, trainable_from):
        return run(params, X)[0].data, X

    def run(params, X):
        H = Tensor(X)
        leaves = [(Tensor(W, requires_grad=True), Tensor(b, requires_grad=True)) for W, b in params]
        for k, (W, b) in enumerate(leaves):
            H = ops.linear(H if k == 0 else H.relu(), W, b)
        return H, leaves

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        out, leaves = run(params, saved)
        out.backward(dL_dlogits)
        pairs = [(W.grad, b.grad) for W, b in leaves]
        return [None if k < trainable_from else pair for k, pair in enumerate(pairs)]
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    LEAN,
    "inputs and boolean masks, as the card says",
    source="""
    import numpy as np

    def lean_forward(params, X, trainable_from):
        saved = {"inputs": {}, "masks": {}}
        H, last = X, len(params) - 1
        for k, (W, b) in enumerate(params):
            if k >= trainable_from:
                saved["inputs"][k] = H
            V = H @ W.T + b
            if k == last:
                return V, saved
            on = V > 0
            if k >= trainable_from:
                saved["masks"][k] = on
            H = V * on

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        out = []
        g = dL_dlogits
        for k in range(len(params) - 1, -1, -1):
            if k < trainable_from:
                out.insert(0, None)
                continue
            if k < len(params) - 1:
                g = g @ params[k + 1][0] * saved["masks"][k]
            out.insert(0, (g.T @ saved["inputs"][k], g.sum(0)))
        return out
    """,
)
right(
    LEAN,
    "the pre-activations instead of the inputs, with ReLU done again",
    source="""
    import numpy as np

    def relu(v):
        return np.where(v > 0, v, 0.0)

    def lean_forward(params, X, trainable_from):
        before = [X]
        for W, b in params:
            H = relu(before[-1]) if len(before) > 1 else X
            before.append(np.einsum("ni,mi->nm", H, W) + b)
        return before[-1], tuple(before[trainable_from:-1])

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = []
        g = dL_dlogits
        for k in reversed(range(trainable_from, len(params))):
            v = saved[k - trainable_from]
            x = relu(v) if k else v
            grads.append((np.einsum("nm,ni->mi", g, x), np.einsum("nm->m", g)))
            g = np.einsum("nm,mi->ni", g, params[k][0]) * (v > 0)
        return [None] * trainable_from + grads[::-1]
    """,
)
right(
    LEAN,
    "one activation, everything else computed again, and the weights referred to",
    source="""
    import numpy as np

    def run(params, H, first):
        inputs = []
        for k in range(first, len(params)):
            W, b = params[k]
            inputs.append(H)
            V = H @ W.T + b
            H = np.maximum(V, 0)
        return V, inputs

    def lean_forward(params, X, trainable_from):
        H = X
        for W, b in params[:trainable_from]:
            V = H @ W.T + b
            H = np.maximum(V, 0)
        if trainable_from == len(params):
            return V, None
        logits, _ = run(params, H, trainable_from)
        return logits, {"start": H, "params": params, "first": trainable_from}

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = [None] * len(params)
        if saved is None:
            return grads
        _, inputs = run(saved["params"], saved["start"], saved["first"])
        g = dL_dlogits
        for k in range(len(params) - 1, trainable_from - 1, -1):
            x = inputs.pop()
            grads[k] = [g.T @ x, np.sum(g, axis=0)]
            g = g @ params[k][0] * (x > 0)
        return tuple(grads)
    """,
)
right(
    LEAN,
    "masks packed into bits",
    source="""
    import numpy as np

    def lean_forward(params, X, trainable_from):
        saved = []
        H = X
        for k in range(len(params)):
            W, b = params[k]
            V = np.dot(H, W.T) + b[None, :]
            mask = np.packbits(V > 0)
            saved.append([] if k < trainable_from else [H, mask, V.shape[0], V.shape[1]])
            H = np.clip(V, 0, None)
        if saved[-1]:
            saved[-1][1] = None
        return V, saved

    def lean_backward(params, saved, dL_dlogits, trainable_from):
        grads = [None for _ in params]
        g = dL_dlogits
        for k in range(len(params))[::-1]:
            if k < trainable_from:
                break
            x, packed, rows, columns = saved[k]
            if packed is not None:
                on = np.unpackbits(packed, count=rows * columns).reshape(rows, columns)
                g = (g @ params[k + 1][0]) * on
            grads[k] = (np.matmul(g.T, x), g.sum(axis=0))
        return grads
    """,
)

# ---------------------------------------------------------------- checkpointed

EVERY = "if k % every == 0:"
LOSS = "loss = np.mean(np.maximum(V, 0.0) - y * V + np.log1p(np.exp(-np.abs(V))))"
SIGNAL = "signal = (1.0 / (1.0 + np.exp(-V)) - y) / len(X)"
END = "end = min(start + every, depth)"
AGAIN = "for W, b in params[start : end - 1]:"
APPEND = "inputs.append(np.maximum(inputs[-1] @ W.T + b, 0.0))"
IF_BELOW = "if k > 0:"
RETURN_BOTH = "return loss, gradients"
GRADS = ("dW", "db")


checkpoint = partial(wrong, "checkpointed")

wrong(
    "checkpointed",
    "ordinary backprop: everything is kept",
    source="""
    import numpy as np

    def checkpointed_backprop(params, X, y, every):
        inputs = [X]
        for W, b in params:
            V = inputs[-1] @ W.T + b
            inputs.append(np.maximum(V, 0))
        loss = np.mean(np.logaddexp(0, V) - y * V)
        g = (1 / (1 + np.exp(-V)) - y) / len(X)
        grads = []
        for k in reversed(range(len(params))):
            grads.insert(0, (g.T @ inputs[k], g.sum(axis=0)))
            g = g @ params[k][0] * (inputs[k] > 0)
        return loss, grads
    """,
    cause="keeps-too-much",
    loses=("memory",),
    says="in use at the peak",
)
checkpoint(
    "the stretches that are done are not let go",
    ("gradients = [None] * depth", "gradients = [None] * depth\n    done = []"),
    ("H = inputs.pop()", "H = inputs[k - start]\n            done.append(H)"),
    cause="keeps-too-much",
    loses=("memory",),
    says="in use at the peak",
)
wrong(
    "checkpointed",
    "every k-th activation is kept, and then all are computed again at once",
    source="""
    import numpy as np

    def checkpointed_backprop(params, X, y, every):
        D = len(params)
        checkpoints, H = {}, X
        for k, (W, b) in enumerate(params):
            if k % every == 0:
                checkpoints[k] = H
            V = H @ W.T + b
            H = np.maximum(V, 0)
        loss = np.mean(np.logaddexp(0, V) - y * V)
        g = (1 / (1 + np.exp(-V)) - y) / len(X)
        inputs = []
        for k in range(D):
            H = checkpoints[k] if k in checkpoints else np.maximum(
                inputs[-1] @ params[k - 1][0].T + params[k - 1][1], 0)
            inputs.append(H)
        grads = [None] * D
        for k in reversed(range(D)):
            grads[k] = (g.T @ inputs[k], g.sum(axis=0))
            g = g @ params[k][0] * (inputs[k] > 0)
        return loss, grads
    """,
    cause="keeps-too-much",
    loses=("memory",),
    says="in use at the peak",
)
checkpoint(
    "the signal is not carried from stretch to stretch",
    (
        END,
        "end = min(start + every, depth)\n        if end < depth:\n"
        "            signal = np.ones((len(X), len(params[end - 1][0])))",
    ),
    cause="wrong-value",
    loses=GRADS,
    says="not what the check expects",
)
checkpoint(
    "no mask at the border of two stretches",
    (
        "            if k > 0:\n                signal = (signal @ params[k][0]) * (H > 0)",
        "            signal = signal @ params[k][0]\n"
        "            if k > start:\n                signal = signal * (H > 0)",
    ),
    cause="missing-local",
    loses=GRADS,
    says="from stretch to stretch without the ReLU",
)
checkpoint(
    "the ReLU is left out when a stretch is run again",
    (APPEND, "inputs.append(inputs[-1] @ W.T + b)"),
    cause="wrong-value",
    loses=GRADS,
    says="not what the check expects",
)
checkpoint(
    "the bias is left out when a stretch is run again",
    (APPEND, "inputs.append(np.maximum(inputs[-1] @ W.T, 0.0))"),
    cause="wrong-value",
    loses=GRADS,
    says="not what the check expects",
)
checkpoint(
    "the biases are left out in both forward passes",
    ("V = H @ W.T + b", "V = H @ W.T"),
    (APPEND, "inputs.append(np.maximum(inputs[-1] @ W.T, 0.0))"),
    cause="dropped-bias",
    loses=("loss", *GRADS),
    says="biases are left out",
)
checkpoint(
    "no ReLU on the way back",
    ("* (H > 0)", ""),
    cause="missing-local",
    loses=GRADS,
    says="left out of the way back",
)
checkpoint(
    "masks from the signal",
    (
        "signal = (signal @ params[k][0]) * (H > 0)",
        "signal = signal @ params[k][0]\n                signal = signal * (signal > 0)",
    ),
    cause="wrong-mask",
    loses=GRADS,
    says="signal's sign",
)
checkpoint(
    "the masks with ≥, from what enters the ReLUs",
    (
        "inputs = [checkpoints.pop()]",
        "inputs = [checkpoints.pop()]\n        on = [start == 0 or borders.pop()]",
    ),
    (APPEND, APPEND + "\n            on.append(inputs[-2] @ W.T + b >= 0)"),
    (
        "signal = (signal @ params[k][0]) * (H > 0)",
        "signal = (signal @ params[k][0]) * on[k - start]",
    ),
    (
        "        V = H @ W.T + b\n",
        "        if k and k % every == 0:\n"
        "            borders.append(V >= 0)\n        V = H @ W.T + b\n",
    ),
    ("checkpoints = []\n", "checkpoints = []\n    borders = []\n"),
    cause="wrong-mask",
    loses=GRADS,
    says="exactly at 0",
)
checkpoint(
    "the end of the last stretch is not limited",
    (END, "end = start + every"),
    cause="raises",
    loses=ALL,
    says="IndexError",
)
checkpoint(
    "every must divide the number of layers",
    ("depth = len(params)", "depth = len(params)\n    assert depth % every == 0"),
    cause="raises",
    loses=ALL,
    says="AssertionError",
)
checkpoint(
    "the loss is a sum",
    (LOSS, LOSS.replace("np.mean", "np.sum")),
    cause="mean-vs-sum",
    loses=("loss",),
    says="not averaged",
)
checkpoint(
    "the signal without the mean",
    (SIGNAL, "signal = 1.0 / (1.0 + np.exp(-V)) - y"),
    cause="mean-vs-sum",
    loses=GRADS,
    says="number of examples",
)
checkpoint(
    "the signal turned round",
    (SIGNAL, "signal = (y - 1.0 / (1.0 + np.exp(-V))) / len(X)"),
    cause="sign",
    loses=GRADS,
    says="opposite sign",
)
checkpoint(
    "the sigmoid's derivative comes in once more",
    (SIGNAL, "p = 1.0 / (1.0 + np.exp(-V))\n    signal = (p - y) * p * (1.0 - p) / len(X)"),
    cause="wrong-value",
    loses=GRADS,
    says="not what the check expects",
)
checkpoint(
    "the bias gradient is not summed",
    ("signal.sum(axis=0))", "signal)"),
    cause="no-batch-sum",
    loses=("db",),
    says="one row for each example",
)
checkpoint(
    "weights transposed",
    ("signal.T @ H", "H.T @ signal"),
    cause="transpose",
    loses=("dW",),
    says="rows and columns exchanged",
)
checkpoint(
    "the loss alone",
    (RETURN_BOTH, "return loss"),
    cause="wrong-type",
    loses=ALL,
    says="two things",
)
checkpoint(
    "nothing",
    (RETURN_BOTH, "return"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
checkpoint(
    "from the last layer to the first",
    (RETURN_BOTH, "return loss, gradients[::-1]"),
    cause="order-swapped",
    loses=GRADS,
    says="last layer to the first",
)
checkpoint(
    "gradients of the last stretch only",
    (RETURN_BOTH, "return loss, gradients[(depth - 1) // every * every :]"),
    cause="wrong-shape",
    loses=GRADS,
    says="one entry for each layer",
)
checkpoint(
    "returned from inside the loop over stretches",
    ("    return loss, gradients", "        return loss, gradients"),
    cause="wrong-value",
    loses=GRADS,
    says="is None, and that layer learns",
)
checkpoint(
    "the gradients of each layer in an array of its own making",
    (
        "gradients[k] = (signal.T @ H, signal.sum(axis=0))",
        "gradients[k] = ((signal.T @ H).tolist(), signal.sum(axis=0))",
    ),
    cause="wrong-type",
    loses=("dW",),
    says="should be an array",
)
checkpoint(
    "the parameters are stepped on the way",
    (
        RETURN_BOTH,
        "for (W, b), (dW, db) in zip(params, gradients):\n        W -= 0.1 * dW\n"
        "    return loss, gradients",
    ),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="params",
)
checkpoint(
    "a while loop that does not move",
    (
        EVERY,
        "while every < 0 or (every == 3 and k == 3):\n            pass\n        if k % every == 0:",
    ),
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
wrong(
    "checkpointed",
    "the engine does it",
    source="""
    from backprop_kit import Tensor, bce_with_logits, ops

    def checkpointed_backprop(params, X, y, every):
        H = Tensor(X)
        leaves = [(Tensor(W, requires_grad=True), Tensor(b, requires_grad=True)) for W, b in params]
        for k, (W, b) in enumerate(leaves):
            H = ops.linear(H if k == 0 else H.relu(), W, b)
        loss = bce_with_logits(y, H)
        loss.backward()
        return loss.item(), [(W.grad, b.grad) for W, b in leaves]
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "checkpointed",
    "a function for each stretch, and a dict of checkpoints",
    source="""
    import numpy as np

    def forward(params, H, first, last):
        for W, b in params[first:last]:
            H = np.maximum(H @ W.T + b, 0)
        return H

    def checkpointed_backprop(params, X, y, every):
        D, N = len(params), len(X)
        starts = range(0, D, every)
        points = {0: X}
        for start in starts[1:]:
            points[start] = forward(params, points[start - every], start - every, start)
        H = forward(params, points[starts[-1]], starts[-1], D - 1)
        W, b = params[-1]
        v = H @ W.T + b
        p = 1 / (1 + np.exp(-v))
        loss = float(np.mean(-y * np.log(p) - (1 - y) * np.log1p(-p)))
        g = (p - y) / N
        grads = []
        for start in reversed(starts):
            stretch = [points.pop(start)]
            for k in range(start, min(start + every, D) - 1):
                stretch.append(forward(params, stretch[-1], k, k + 1))
            for k in range(start + len(stretch) - 1, start - 1, -1):
                x = stretch.pop()
                grads.append((np.einsum("nm,ni->mi", g, x), np.einsum("nm->m", g)))
                g = (g @ params[k][0]) * (x > 0)
        return loss, grads[::-1]
    """,
)
right(
    "checkpointed",
    "nothing is kept: each input is computed from X when it is needed",
    source="""
    import numpy as np

    def checkpointed_backprop(params, X, y, every):
        def input_of(k):
            H = X
            for W, b in params[:k]:
                H = np.maximum(H @ W.T + b, 0)
            return H

        W, b = params[-1]
        V = input_of(len(params) - 1) @ W.T + b
        loss = (np.logaddexp(0, V) - y * V).mean()
        g = (1 / (1 + np.exp(-V)) - y) / y.shape[0]
        grads = [None] * len(params)
        for k in range(len(params) - 1, -1, -1):
            H = input_of(k)
            grads[k] = [g.T @ H, g.sum(0)]
            g = (g @ params[k][0]) * (H > 0)
        return loss, tuple(grads)
    """,
)
right(
    "checkpointed",
    "inputs, pre-activations and masks of a stretch",
    source="""
    import numpy as np

    def checkpointed_backprop(params, X, y, every):
        D = len(params)
        kept, H = [], X
        for k, (W, b) in enumerate(params):
            if not k % every:
                kept.append((k, H))
            V = H @ W.T + b
            H = V * (V > 0)
        loss = np.mean(np.maximum(V, 0) - V * y + np.log1p(np.exp(-abs(V))))
        signal = (1 / (1 + np.exp(-V)) - y) / len(y)
        out = [None] * D
        while kept:
            first, H = kept.pop()
            tape = []
            for k in range(first, min(first + every, D)):
                W, b = params[k]
                V = H @ W.T + b
                tape.append((k, H, V, V > 0))
                H = np.maximum(V, 0)
            while tape:
                k, H, V, on = tape.pop()
                if k < D - 1:
                    signal = signal * on
                out[k] = (signal.T @ H, signal.sum(axis=0))
                signal = signal @ params[k][0]
        return loss, out
    """,
)
