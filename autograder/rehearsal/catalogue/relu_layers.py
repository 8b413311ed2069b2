"""Lesson 03: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/03_relu_layers`. Under each exercise the
slips of the mathematics come first, then what is wrong with the result as an object, then the
answers that were never worked out, then right answers in other styles.
"""

from . import ALL, right, wrong

# A student's own difference quotients, for sources below.
NUDGE = """
    import numpy as np

    def nudge(f, A, h=1e-5):
        A = np.array(A)
        grad = np.zeros(A.shape)
        for index in np.ndindex(A.shape):
            kept = A[index]
            A[index] = kept + h
            above = f(A)
            A[index] = kept - h
            grad[index] = (above - f(A)) / (2 * h)
            A[index] = kept
        return grad
"""

# ---------------------------------------------------------------- linear_backward: y = W x

LINEAR_RETURN = "return dL_dW, dL_dx"

wrong(
    "linear_backward",
    "the gradient to W lies on its side, in the order of the general rule",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = x @ dL_dy"),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong(
    "linear_backward",
    "the gradient to x as a column, in the code layout",
    ("dL_dx = dL_dy @ W", "dL_dx = W.T @ dL_dy.T"),
    cause="transpose",
    loses=("dL_dx",),
    says="rows and columns exchanged",
)
wrong(
    "linear_backward",
    "both gradients on their side",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = x @ dL_dy"),
    ("dL_dx = dL_dy @ W", "dL_dx = W.T @ dL_dy.T"),
    cause="transpose",
    loses=ALL,
    says="let the shapes decide",
)
wrong(
    "linear_backward",
    "the rule's own order, which does not fit",
    ("dL_dx = dL_dy @ W", "dL_dx = W @ dL_dy"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "linear_backward",
    "x without its transpose",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = dL_dy.T @ x"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "linear_backward",
    "an entrywise product",
    ("dL_dx = dL_dy @ W", "dL_dx = dL_dy.T * W"),
    cause="wrong-shape",
    loses=("dL_dx",),
    says="left side by side, one in each row",
)
wrong(
    "linear_backward",
    "the signal is not used for x: the column sums of W",
    ("dL_dx = dL_dy @ W", "dL_dx = W.sum(axis=0, keepdims=True)"),
    cause="upstream-ignored",
    loses=("dL_dx",),
    says="left out",
)
wrong(
    "linear_backward",
    "the signal is not used for W: x in every row",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = np.ones((len(W), 1)) @ x.T"),
    cause="upstream-ignored",
    loses=("dL_dW",),
    says="left out",
)
wrong(
    "linear_backward",
    "the signal is not used at all",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = np.tile(x.T, (len(W), 1))"),
    ("dL_dx = dL_dy @ W", "dL_dx = np.sum(W, axis=0)[None]"),
    cause="upstream-ignored",
    loses=ALL,
    says="as if it were all ones",
)
wrong(
    "linear_backward",
    "a 2 as in the squared norm of lesson 2",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = 2 * dL_dy.T @ x.T"),
    ("dL_dx = dL_dy @ W", "dL_dx = 2 * dL_dy @ W"),
    cause="factor",
    loses=ALL,
    says="exactly twice",
)
wrong(
    "linear_backward",
    "a minus, for a step downhill",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = -dL_dy.T @ x.T"),
    cause="sign",
    loses=("dL_dW",),
    says="opposite sign",
)
wrong(
    "linear_backward",
    "the output y stands where x belongs",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = dL_dy.T @ (W @ x).T"),
    cause="wrong-shape",
    loses=("dL_dW",),
    says="dL_dW has shape",
)
wrong(
    "linear_backward",
    "the two gradients change places in the return",
    (LINEAR_RETURN, "return dL_dx, dL_dW"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
wrong(
    "linear_backward",
    "loops as if W were square",
    source="""
    import numpy as np

    def linear_backward(dL_dy, W, x):
        k = len(x)
        dL_dW = np.zeros((k, k))
        dL_dx = np.zeros((1, k))
        for i in range(k):
            for j in range(k):
                dL_dW[i, j] = dL_dy[0, i % dL_dy.size] * x[j, 0]
                dL_dx[0, j] += dL_dy[0, i % dL_dy.size] * W[i % len(W), j]
        return dL_dW, dL_dx
    """,
    cause="square-only",
    loses=ALL,
    says="square",
)
wrong(
    "linear_backward",
    "the last output overwrites the sum over outputs",
    source="""
    import numpy as np

    def linear_backward(dL_dy, W, x):
        dL_dW = np.outer(dL_dy, x)
        dL_dx = np.zeros((1, len(x)))
        for i in range(len(W)):
            for j in range(len(x)):
                dL_dx[0, j] = dL_dy[0, i] * W[i, j]
        return dL_dW, dL_dx
    """,
    cause="overwrite-not-accumulate",
    loses=("dL_dx",),
    says="only the last output",
)
wrong(
    "linear_backward",
    "the gradient to x has a single axis",
    (LINEAR_RETURN, "return dL_dW, dL_dx.ravel()"),
    cause="wrong-shape",
    loses=("dL_dx",),
    says="is expected",
)
wrong(
    "linear_backward",
    "the gradient to x as a list",
    (LINEAR_RETURN, "return dL_dW, dL_dx.tolist()"),
    cause="wrong-type",
    loses=("dL_dx",),
    says="a list of 1",
)
wrong(
    "linear_backward",
    "a list instead of a tuple",
    (LINEAR_RETURN, "return [dL_dW, dL_dx]"),
    cause="wrong-type",
    loses=ALL,
    says="a list of 2",
)
wrong(
    "linear_backward",
    "only the gradient to W",
    (LINEAR_RETURN, "return dL_dW"),
    cause="wrong-type",
    loses=ALL,
    says="should return a tuple of 2",
)
wrong(
    "linear_backward",
    "in single precision",
    (LINEAR_RETURN, "return dL_dW.astype(np.float32), dL_dx.astype(np.float32)"),
    cause="wrong-type",
    loses=ALL,
    says="float32",
)
wrong(
    "linear_backward",
    "the signal is scaled in place to save an array",
    ("dL_dx = dL_dy @ W", "W *= dL_dy.T\n    dL_dx = W.sum(axis=0, keepdims=True)"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="W no longer holds",
)
wrong(
    "linear_backward",
    "an empty return",
    (LINEAR_RETURN, "return"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "linear_backward",
    "the worked example typed in",
    source="""
    import numpy as np

    def linear_backward(dL_dy, W, x):
        return np.array([[3.0, 6, -3], [-2, -4, 2]]), np.array([[-1.0, -2, -9]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "linear_backward",
    "left to nudging",
    source=NUDGE
    + """
    def linear_backward(dL_dy, W, x):
        dL_dW = nudge(lambda W: (dL_dy @ W @ x).item(), W)
        dL_dx = nudge(lambda x: (dL_dy @ W @ x).item(), x).T
        return dL_dW, dL_dx
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "linear_backward",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def linear_backward(dL_dy, W, x):
        W, x = Tensor(W, True), Tensor(x, True)
        (W @ x).backward(dL_dy.T)
        return W.grad, x.grad.T
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "linear_backward",
    "switched and transposed",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = (x @ dL_dy).T"),
    ("dL_dx = dL_dy @ W", "dL_dx = (W.T @ dL_dy.T).T"),
)
right(
    "linear_backward",
    "np.outer and np.dot",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = np.outer(dL_dy, x)"),
    ("dL_dx = dL_dy @ W", "dL_dx = np.dot(dL_dy, W)"),
)
right(
    "linear_backward",
    "einsum",
    ("dL_dW = dL_dy.T @ x.T", 'dL_dW = np.einsum("ai,ja->ij", dL_dy, x)'),
    ("dL_dx = dL_dy @ W", 'dL_dx = np.einsum("ai,ij->aj", dL_dy, W)'),
)
right(
    "linear_backward",
    "broadcasting, then a sum",
    ("dL_dW = dL_dy.T @ x.T", "dL_dW = dL_dy.T * x.T"),
    ("dL_dx = dL_dy @ W", "dL_dx = (dL_dy.T * W).sum(axis=0, keepdims=True)"),
)
right(
    "linear_backward",
    "loops over lists, converted at the end",
    source="""
    import numpy as np

    def linear_backward(dL_dy, W, x):
        m, n = W.shape
        to_w = [[dL_dy[0, i] * x[j, 0] for j in range(n)] for i in range(m)]
        to_x = [sum(dL_dy[0, i] * W[i, j] for i in range(m)) for j in range(n)]
        return np.array(to_w), np.array([to_x])
    """,
)

# ---------------------------------------------------------------- two_linear

CHAIN_RETURN = "return dL_dW1, dL_dW2, dL_dx"

wrong(
    "two_linear",
    "the first module is given the signal of the second",
    ("dL_dW1 = dL_dh1.T @ x.T", "dL_dW1 = dL_dh2.T @ x.T"),
    cause="missing-local",
    loses=("dL_dW1",),
    says="as if W2 did not lie between",
)
wrong(
    "two_linear",
    "x stands where h1 belongs",
    ("dL_dW2 = dL_dh2.T @ h1.T", "dL_dW2 = dL_dh2.T @ x.T"),
    cause="wrong-value",
    loses=("dL_dW2",),
    says="the network's input x",
)
wrong(
    "two_linear",
    "h1 stands where x belongs",
    ("dL_dW1 = dL_dh1.T @ x.T", "dL_dW1 = dL_dh1.T @ h1.T"),
    cause="wrong-value",
    loses=("dL_dW1",),
    says="the first module's output",
)
wrong(
    "two_linear",
    "W2 once more instead of W1, transposed until it fits",
    ("dL_dx = dL_dh1 @ W1", "dL_dx = dL_dh1 @ W2.T"),
    cause="wrong-weight",
    loses=("dL_dx",),
    says="through W2 instead of W1",
)
wrong(
    "two_linear",
    "W1 instead of W2 on the way to h1",
    ("dL_dh1 = dL_dh2 @ W2", "dL_dh1 = dL_dh2 @ W1"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "two_linear",
    "W2 is left out on the way to x",
    ("dL_dx = dL_dh1 @ W1", "dL_dx = dL_dh2 @ W1"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "two_linear",
    "the signal at h1 is returned for x",
    ("dL_dx = dL_dh1 @ W1", "dL_dx = dL_dh1"),
    cause="missing-local",
    loses=("dL_dx",),
    says="before it has gone through W1",
)
wrong(
    "two_linear",
    "the gradients to the weights lie on their side",
    ("dL_dW2 = dL_dh2.T @ h1.T", "dL_dW2 = h1 @ dL_dh2"),
    ("dL_dW1 = dL_dh1.T @ x.T", "dL_dW1 = x @ dL_dh1"),
    cause="transpose",
    loses=("dL_dW1", "dL_dW2"),
    says="rows and columns exchanged",
)
wrong(
    "two_linear",
    "the gradient to x as a column",
    (CHAIN_RETURN, "return dL_dW1, dL_dW2, dL_dx.T"),
    cause="transpose",
    loses=("dL_dx",),
    says="rows and columns exchanged",
)
wrong(
    "two_linear",
    "the signal is replaced by ones",
    ("h1 = W1 @ x", "h1 = W1 @ x\n    dL_dh2 = np.ones_like(dL_dh2)"),
    cause="upstream-ignored",
    loses=ALL,
    says="as if it were all ones",
)
wrong(
    "two_linear",
    "the sign is turned at every module",
    ("dL_dW2 = dL_dh2.T @ h1.T", "dL_dW2 = -dL_dh2.T @ h1.T"),
    ("dL_dW1 = dL_dh1.T @ x.T", "dL_dW1 = -dL_dh1.T @ x.T"),
    cause="sign",
    loses=("dL_dW1", "dL_dW2"),
    says="opposite sign",
)
wrong(
    "two_linear",
    "half, as if the two modules shared the signal",
    ("dL_dh1 = dL_dh2 @ W2", "dL_dh1 = dL_dh2 @ W2 / 2"),
    cause="factor",
    loses=("dL_dW1", "dL_dx"),
    says="exactly half",
)
wrong(
    "two_linear",
    "in the order in which they are found on the way back",
    (CHAIN_RETURN, "return dL_dW2, dL_dW1, dL_dx"),
    cause="order-swapped",
    loses=("dL_dW1", "dL_dW2"),
    says="changed places",
)
wrong(
    "two_linear",
    "x first, as in the arguments of a layer",
    (CHAIN_RETURN, "return dL_dx, dL_dW1, dL_dW2"),
    cause="order-swapped",
    loses=ALL,
    says="another order",
)
wrong(
    "two_linear",
    "the signal at h1 is returned as well",
    (CHAIN_RETURN, "return dL_dW1, dL_dW2, dL_dh1, dL_dx"),
    cause="wrong-type",
    loses=ALL,
    says="should return 3 things, and returns 4",
)
wrong(
    "two_linear",
    "the lower module is not trained: None",
    (CHAIN_RETURN, "return None, dL_dW2, dL_dx"),
    cause="none-returned",
    loses=("dL_dW1",),
    says="dL_dW1 is None",
)
wrong(
    "two_linear",
    "a step downhill is taken as well, in place",
    (CHAIN_RETURN, "W1 -= 0.1 * dL_dW1\n    W2 -= 0.1 * dL_dW2\n    " + CHAIN_RETURN),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="W1 and W2 no longer hold what",
)
wrong(
    "two_linear",
    "the gradients pile up from call to call",
    source="""
    import numpy as np

    grads = {}

    def two_linear(W1, W2, x, dL_dh2):
        dL_dW2 = dL_dh2.T @ (W1 @ x).T
        dL_dW1 = (dL_dh2 @ W2).T @ x.T
        for name, new in (("W1", dL_dW1), ("W2", dL_dW2)):
            old = grads.get((name, new.shape), 0.0)
            grads[name, new.shape] = old + new
        return grads["W1", W1.shape], grads["W2", W2.shape], dL_dh2 @ W2 @ W1
    """,
    cause="state-leak",
    loses=("dL_dW1", "dL_dW2"),
    says="second time",
)
wrong(
    "two_linear",
    "loops that never end",
    source="""
    import numpy as np

    def two_linear(W1, W2, x, dL_dh2):
        signal, layer = dL_dh2, 2
        while layer > 0:
            signal = signal @ W2 @ W2.T
            signal = signal / np.abs(signal).max()
        return signal, signal, signal
    """,
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
wrong(
    "two_linear",
    "the worked example typed in",
    source="""
    import numpy as np

    def two_linear(W1, W2, x, dL_dh2):
        return (
            np.array([[7.0, 14, -7], [-9, -18, 9], [4, 8, -4], [5, 10, -5]]),
            np.array([[6.0, 3, -6, -3], [-4, -2, 4, 2]]),
            np.array([[8.0, -10, -4]]),
        )
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "two_linear",
    "left to nudging",
    source=NUDGE
    + """
    def two_linear(W1, W2, x, dL_dh2):
        return (
            nudge(lambda W1: (dL_dh2 @ (W2 @ (W1 @ x))).item(), W1),
            nudge(lambda W2: (dL_dh2 @ (W2 @ (W1 @ x))).item(), W2),
            nudge(lambda x: (dL_dh2 @ (W2 @ (W1 @ x))).item(), x).T,
        )
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "two_linear",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def two_linear(W1, W2, x, dL_dh2):
        W1, W2, x = (Tensor(array, True) for array in (W1, W2, x))
        (W2 @ (W1 @ x)).backward(dL_dh2.T)
        return W1.grad, W2.grad, x.grad.T
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "two_linear",
    "a helper for one module, called twice",
    source="""
    def module(signal, W, x):
        return signal.T @ x.T, signal @ W

    def two_linear(W1, W2, x, dL_dh2):
        dL_dW2, dL_dh1 = module(dL_dh2, W2, W1 @ x)
        dL_dW1, dL_dx = module(dL_dh1, W1, x)
        return dL_dW1, dL_dW2, dL_dx
    """,
)
right(
    "two_linear",
    "columns all the way, laid down at the end",
    source="""
    import numpy as np

    def two_linear(W1, W2, x, dL_dh2):
        g2 = dL_dh2.T
        g1 = W2.T @ g2
        return g1 @ x.T, g2 @ (W1 @ x).T, (W1.T @ g1).T
    """,
)
right(
    "two_linear",
    "einsum with one-axis vectors",
    source="""
    import numpy as np

    def two_linear(W1, W2, x, dL_dh2):
        g, a = dL_dh2[0], x[:, 0]
        dL_dW1 = np.einsum("m,mk,n->kn", g, W2, a)
        dL_dW2 = np.einsum("m,kn,n->mk", g, W1, a)
        dL_dx = np.einsum("m,mk,kn->n", g, W2, W1)
        return dL_dW1, dL_dW2, dL_dx[None, :]
    """,
)
right(
    "two_linear",
    "x through the product of the two weights",
    ("dL_dx = dL_dh1 @ W1", "dL_dx = dL_dh2 @ (W2 @ W1)"),
)

# ---------------------------------------------------------------- relu and relu_backward

FORWARD = "return np.maximum(v, 0.0)"
BACKWARD = "dL_dv = dL_dh * (v > 0).T"
FORWARD_LOST = ("relu", "relu leaves v alone")
BACKWARD_LOST = ("relu_backward", "relu_backward leaves dL_dh and v alone")

wrong(
    "relu",
    "the mask is returned as the value",
    (FORWARD, "return (v > 0).astype(float)"),
    cause="wrong-value",
    loses=FORWARD_LOST,
    says="the mask is returned",
)
wrong(
    "relu",
    "True and False as the value",
    (FORWARD, "return v > 0"),
    cause="wrong-type",
    loses=FORWARD_LOST,
    says="holds bool",
)
wrong(
    "relu",
    "the size of each entry",
    (FORWARD, "return np.abs(v)"),
    cause="wrong-value",
    loses=FORWARD_LOST,
    says="the sign is taken off",
)
wrong(
    "relu",
    "the minimum instead of the maximum",
    (FORWARD, "return np.minimum(v, 0.0)"),
    cause="wrong-value",
    loses=FORWARD_LOST,
    says="the negative entries are kept",
)
wrong(
    "relu",
    "the largest entry of the array",
    (FORWARD, "return np.max(v, 0)"),
    cause="wrong-type",  # for an array with one axis a single number comes out
    loses=FORWARD_LOST,
    says="and is a number",
)
wrong(
    "relu",
    "Python's max on an array",
    (FORWARD, "return max(v, 0)"),
    cause="raises",
    loses=FORWARD_LOST,
    says="ValueError",
)
wrong(
    "relu",
    "an if for the whole array",
    (FORWARD, "return v if v.all() > 0 else 0 * v"),
    cause="wrong-value",
    loses=FORWARD_LOST,
    says="nothing is done to the negative entries",
)
wrong(
    "relu",
    "cut off at 1",
    (FORWARD, "return np.clip(v, 0.0, 1.0)"),
    cause="clipped",
    loses=FORWARD_LOST,
    says="values above 1",
)
wrong(
    "relu",
    "a leak for the negative entries",
    (FORWARD, "return np.maximum(v, 0.01 * v)"),
    cause="wrong-value",
    loses=FORWARD_LOST,
    says="relu(v) is not what",
)
wrong(
    "relu",
    "only for columns",
    (FORWARD, "return np.array([[max(v[i, 0], 0.0)] for i in range(len(v))])"),
    cause="raises",
    loses=FORWARD_LOST,
    says="IndexError",
)
wrong(
    "relu",
    "negative entries are set to 0 in the argument itself",
    (FORWARD, "v[v < 0] = 0.0\n    return v"),
    cause="mutates-argument",
    loses=("relu leaves v alone",),
    says="v no longer holds",
)
wrong(
    "relu",
    "rounded down to whole numbers",
    (FORWARD, "return np.maximum(v, 0.0).astype(int)"),
    cause="wrong-type",
    loses=FORWARD_LOST,
    says="int64",
)
wrong(
    "relu",
    "the row and the column make a table",
    (BACKWARD, "dL_dv = dL_dh * (v > 0)"),
    cause="wrong-shape",
    loses=BACKWARD_LOST,
    says="table of all their products",
)
wrong(
    "relu",
    "a unit exactly at 0 counts as on",
    (BACKWARD, "dL_dv = dL_dh * (v >= 0).T"),
    cause="wrong-mask",
    loses=BACKWARD_LOST,
    says="exactly at 0 counts as on",
)
wrong(
    "relu",
    "the negative signals are stopped, not the units that are off",
    (BACKWARD, "dL_dv = dL_dh * (dL_dh > 0)"),
    cause="wrong-mask",
    loses=BACKWARD_LOST,
    says="the incoming gradient decides",
)
wrong(
    "relu",
    "ReLU of the signal: negative signals are stopped as well",
    (BACKWARD, "dL_dv = np.maximum(dL_dh, 0) * (v > 0).T"),
    cause="wrong-mask",
    loses=BACKWARD_LOST,
    says="both the unit and its signal",
)
wrong(
    "relu",
    "the mask upside down",
    (BACKWARD, "dL_dv = np.where(v.T > 0, 0.0, dL_dh)"),
    cause="wrong-mask",
    loses=BACKWARD_LOST,
    says="where a unit is off",
)
wrong(
    "relu",
    "the signal times ReLU's output",
    (BACKWARD, "dL_dv = dL_dh * relu(v).T"),
    cause="wrong-value",
    loses=BACKWARD_LOST,
    says="ReLU's output instead of by its slope",
)
wrong(
    "relu",
    "the mask alone",
    (BACKWARD, "dL_dv = (v > 0).T.astype(float)"),
    cause="upstream-ignored",
    loses=BACKWARD_LOST,
    says="as if it were all ones",
)
wrong(
    "relu",
    "the signal passes as it is",
    (BACKWARD, "dL_dv = dL_dh"),
    cause="missing-local",
    loses=BACKWARD_LOST,
    says="the local derivative of the ReLU",
)
wrong(
    "relu",
    "a sign for units that are off, as for |v|",
    (BACKWARD, "dL_dv = dL_dh * np.sign(v).T"),
    cause="wrong-value",
    loses=BACKWARD_LOST,
    says="go unit by unit",
)
wrong(
    "relu",
    "half of the signal at the kink, as nudging has it",
    (BACKWARD, "dL_dv = dL_dh * np.heaviside(v, 0.5).T"),
    cause="wrong-mask",
    loses=BACKWARD_LOST,
    says="half of the signal",
)
wrong(
    "relu",
    "a column, in the code layout",
    (BACKWARD, "dL_dv = dL_dh.T * (v > 0)"),
    cause="transpose",
    loses=BACKWARD_LOST,
    says="rows and columns exchanged",
)
wrong(
    "relu",
    "0/0 where a unit is off",
    (BACKWARD, "dL_dv = dL_dh * (np.maximum(v, 0) / np.maximum(v, 0)).T"),
    cause="non-finite",
    loses=BACKWARD_LOST,
    says="nan",
)
wrong(
    "relu",
    "the signal is masked in place",
    (BACKWARD, "dL_dh *= (v > 0).T\n    dL_dv = dL_dh"),
    cause="mutates-argument",
    loses=("relu_backward leaves dL_dh and v alone",),
    says="dL_dh no longer holds",
)
wrong(
    "relu",
    "the return is forgotten in the second",
    ("return dL_dv", "dL_dv"),
    cause="none-returned",
    loses=BACKWARD_LOST,
    says="relu_backward returns None",
)
wrong(
    "relu",
    "left to nudging",
    source=NUDGE
    + """
    def relu(v):
        return np.maximum(v, 0.0)

    def relu_backward(dL_dh, v):
        return nudge(lambda v: (dL_dh @ relu(v)).item(), v).T
    """,
    cause="imprecise",
    loses=BACKWARD_LOST,
    says="close, but not exact",
)
wrong(
    "relu",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def relu(v):
        return Tensor(v).relu().data

    def relu_backward(dL_dh, v):
        v = Tensor(v, requires_grad=True)
        v.relu().backward(dL_dh.T)
        return v.grad.T
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("relu", "a product with the mask", (FORWARD, "return v * (v > 0)"))
right("relu", "halves of v and |v|", (FORWARD, "return (v + np.abs(v)) / 2"))
right(
    "relu",
    "np.where in both, and the mask from the output",
    (FORWARD, "return np.where(v > 0, v, 0.0)"),
    (BACKWARD, "dL_dv = np.where(relu(v).T > 0, dL_dh, 0.0)"),
)
right(
    "relu",
    "copies, edited in place",
    (FORWARD, "h = v.copy()\n    h[h < 0] = 0\n    return h"),
    (BACKWARD, "dL_dv = dL_dh.copy()\n    dL_dv[(v <= 0).T] = 0"),
)
right("relu", "the diagonal matrix", (BACKWARD, "dL_dv = dL_dh @ np.diag((v[:, 0] > 0) * 1.0)"))
right(
    "relu",
    "a vectorized helper, and a loop",
    source="""
    import numpy as np

    def relu(v):
        return np.vectorize(lambda t: t if t > 0 else 0.0, otypes=[float])(v)

    def relu_backward(dL_dh, v):
        passed = [signal if unit > 0 else 0.0 for signal, unit in zip(dL_dh[0], v[:, 0])]
        return np.array([passed])
    """,
)

# ---------------------------------------------------------------- relu_jacobian

SLOPES = "slopes = (v > 0).astype(float)"
DIAGONAL = "return np.diag(slopes.ravel())"

wrong(
    "relu_jacobian",
    "a unit exactly at 0 counts as on",
    (SLOPES, "slopes = (v >= 0).astype(float)"),
    cause="wrong-mask",
    loses=ALL,
    says="exactly at 0 counts as on",
)
wrong(
    "relu_jacobian",
    "the units that are off",
    (SLOPES, "slopes = (v <= 0).astype(float)"),
    cause="wrong-mask",
    loses=ALL,
    says="the units that are off",
)
wrong(
    "relu_jacobian",
    "the outputs on the diagonal",
    (SLOPES, "slopes = np.maximum(v, 0.0)"),
    cause="wrong-value",
    loses=ALL,
    says="ReLU's outputs stand on the diagonal",
)
wrong(
    "relu_jacobian",
    "the identity",
    (DIAGONAL, "return np.eye(len(v))"),
    cause="missing-local",
    loses=ALL,
    says="every unit counts as on",
)
wrong(
    "relu_jacobian",
    "the mask alone",
    (DIAGONAL, "return slopes"),
    cause="wrong-shape",
    loses=ALL,
    says="only the diagonal",
)
wrong(
    "relu_jacobian",
    "np.diag takes the diagonal out of the column",
    (DIAGONAL, "return np.diag(slopes)"),
    cause="wrong-shape",
    loses=ALL,
    says="its diagonal, a single number",
)
wrong(
    "relu_jacobian",
    "the mask beside itself: whole rows are filled",
    (DIAGONAL, "return np.tile(slopes, (1, len(v)))"),
    cause="wrong-value",
    loses=ALL,
    says="whole rows are filled",
)
wrong(
    "relu_jacobian",
    "the mask above itself: whole columns are filled",
    (DIAGONAL, "return np.tile(slopes.T, (len(v), 1))"),
    cause="wrong-value",
    loses=ALL,
    says="whole columns are filled",
)
wrong(
    "relu_jacobian",
    "the mask times the mask",
    (DIAGONAL, "return slopes @ slopes.T"),
    cause="wrong-value",
    loses=ALL,
    says="every input that is on",
)
wrong(
    "relu_jacobian",
    "True and False",
    (SLOPES, "slopes = v > 0"),
    cause="wrong-type",
    loses=ALL,
    says="holds bool",
)
wrong(
    "relu_jacobian",
    "whole numbers",
    (SLOPES, "slopes = (v > 0).astype(int)"),
    cause="wrong-type",
    loses=ALL,
    says="int64",
)
wrong(
    "relu_jacobian",
    "a list of lists",
    (DIAGONAL, "return np.diag(slopes.ravel()).tolist()"),
    cause="wrong-type",
    loses=ALL,
    says="a list of",
)
wrong(
    "relu_jacobian",
    "a minus for the units that are off",
    (SLOPES, "slopes = np.sign(v)"),
    cause="wrong-value",
    loses=ALL,
    says="nudge one unit",
)
wrong(
    "relu_jacobian",
    "one half at the kink",
    (SLOPES, "slopes = np.heaviside(v, 0.5)"),
    cause="wrong-mask",
    loses=ALL,
    says="half of the signal",
)
wrong(
    "relu_jacobian",
    "0/0 where a unit is off",
    (SLOPES, "slopes = np.maximum(v, 0) / np.maximum(v, 0)"),
    cause="non-finite",
    loses=ALL,
    says="nan",
)
wrong(
    "relu_jacobian",
    "always for three units",
    (DIAGONAL, "return np.diag(slopes.ravel()[:3])"),
    cause="wrong-shape",
    loses=ALL,
    says="print the shape",
)
wrong(
    "relu_jacobian",
    "v is turned into its own mask",
    (SLOPES, "v[v <= 0] = 0.0\n    v[v > 0] = 1.0\n    slopes = v"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="v no longer holds",
)
wrong(
    "relu_jacobian",
    "the matrix is kept from the first call",
    source="""
    import numpy as np

    kept = []

    def relu_jacobian(v):
        if not kept:
            kept.append(np.diag((v[:, 0] > 0) * 1.0))
        return kept[0]
    """,
    cause="state-leak",
    loses=ALL,
    says="in the first call",
)
wrong(
    "relu_jacobian",
    "the nine numbers of the text typed in",
    source="""
    import numpy as np

    def relu_jacobian(v):
        return np.array([[1.0, 0, 0], [0, 0, 0], [0, 0, 1]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "relu_jacobian",
    "printed, not returned",
    (DIAGONAL, "print(np.diag(slopes.ravel()))"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "relu_jacobian",
    "left to nudging",
    source="""
    import numpy as np

    def relu_jacobian(v, h=1e-5):
        columns = []
        for step in h * np.eye(len(v)):
            above = np.maximum(v[:, 0] + step, 0)
            below = np.maximum(v[:, 0] - step, 0)
            columns.append((above - below) / (2 * h))
        return np.array(columns).T
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)

right("relu_jacobian", "np.diagflat", (DIAGONAL, "return np.diagflat(slopes)"))
right(
    "relu_jacobian",
    "the identity, its columns masked",
    (DIAGONAL, "return np.eye(len(v)) * slopes.T"),
)
right("relu_jacobian", "the slope as output over input", (SLOPES, "slopes = np.heaviside(v, 0.0)"))
right(
    "relu_jacobian",
    "entry by entry, delta and all",
    source="""
    import numpy as np

    def relu_jacobian(v):
        k = len(v)
        table = [[float(i == j and v[i, 0] > 0) for j in range(k)] for i in range(k)]
        return np.array(table)
    """,
)
right(
    "relu_jacobian",
    "zeros, then the diagonal filled",
    source="""
    import numpy as np

    def relu_jacobian(v):
        J = np.zeros((v.size, v.size))
        np.fill_diagonal(J, v > 0)
        return J
    """,
)

# ---------------------------------------------------------------- relu_layer

LAYER_RETURN = "return dL_dW2, dL_dh1"
AT_V = "dL_dv = dL_dh2 * (v > 0).T"

wrong(
    "relu_layer",
    "the ReLU is forgotten on the way back",
    (AT_V, "dL_dv = dL_dh2"),
    cause="missing-local",
    loses=ALL,
    says="as if every unit were on",
)
wrong(
    "relu_layer",
    "the ReLU is forgotten for the gradient to h1",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = dL_dh2 @ W2"),
    cause="missing-local",
    loses=("dL_dh1",),
    says="as if every unit were on",
)
wrong(
    "relu_layer",
    "the ReLU is forgotten for the gradient to W2",
    ("dL_dW2 = dL_dv.T @ h1.T", "dL_dW2 = dL_dh2.T @ h1.T"),
    cause="missing-local",
    loses=("dL_dW2",),
    says="as if every unit were on",
)
wrong(
    "relu_layer",
    "a unit exactly at 0 counts as on",
    (AT_V, "dL_dv = dL_dh2 * (v >= 0).T"),
    cause="wrong-mask",
    loses=ALL,
    says="exactly at 0 counts as on",
)
wrong(
    "relu_layer",
    "the mask is made from the incoming gradient",
    (AT_V, "dL_dv = dL_dh2 * (dL_dh2 > 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="the incoming gradient decides",
)
wrong(
    "relu_layer",
    "the mask is made from the input and applied behind the weight",
    (AT_V, "dL_dv = dL_dh2"),
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = (dL_dv @ W2) * (h1 > 0).T"),
    cause="wrong-mask",
    loses=ALL,
    says="behind the weight, and made from the input",
)
wrong(
    "relu_layer",
    "only the gradient to h1, with a mask from h1 behind the weight",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = (dL_dh2 @ W2) * (h1 > 0).T"),
    cause="wrong-mask",
    loses=("dL_dh1",),
    says="the mask is applied behind the weight",
)
wrong(
    "relu_layer",
    "the right mask, and a second one behind the weight",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = (dL_dv @ W2) * (h1 > 0).T"),
    cause="wrong-mask",
    loses=("dL_dh1",),
    says="a second mask",
)
wrong(
    "relu_layer",
    "a mask from h1 in front of the weight, where it does not fit",
    (AT_V, "dL_dv = dL_dh2 * (h1 > 0).T"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "relu_layer",
    "the mask upside down",
    (AT_V, "dL_dv = dL_dh2 * (v < 0).T"),
    cause="wrong-mask",
    loses=ALL,
    says="where a unit is off",
)
wrong(
    "relu_layer",
    "the signal times h2",
    (AT_V, "dL_dv = dL_dh2 * np.maximum(v, 0).T"),
    cause="wrong-value",
    loses=ALL,
    says="ReLU's output instead of by its slope",
)
wrong(
    "relu_layer",
    "the diagonal matrix in front of the row",
    (AT_V, "dL_dv = np.diag((v > 0).ravel() * 1.0) @ dL_dh2"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "relu_layer",
    "the mask alone, without the signal",
    (AT_V, "dL_dv = (v > 0).T * 1.0"),
    cause="upstream-ignored",
    loses=ALL,
    says="as if it were all ones",
)
wrong(
    "relu_layer",
    "the gradient to W2 on its side",
    ("dL_dW2 = dL_dv.T @ h1.T", "dL_dW2 = h1 @ dL_dv"),
    cause="transpose",
    loses=("dL_dW2",),
    says="rows and columns exchanged",
)
wrong(
    "relu_layer",
    "the gradient to h1 as a column",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = W2.T @ dL_dv.T"),
    cause="transpose",
    loses=("dL_dh1",),
    says="rows and columns exchanged",
)
wrong(
    "relu_layer",
    "a ReLU on the gradient that is handed on",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = np.maximum(dL_dv @ W2, 0)"),
    cause="wrong-mask",
    loses=("dL_dh1",),
    says="negative entries of the gradient are cut off",
)
wrong(
    "relu_layer",
    "the signs turned",
    (LAYER_RETURN, "return -dL_dW2, -dL_dh1"),
    cause="sign",
    loses=ALL,
    says="opposite sign",
)
wrong(
    "relu_layer",
    "divided by the number of units",
    ("dL_dh1 = dL_dv @ W2", "dL_dh1 = dL_dv @ W2 / 4"),
    cause="factor",
    loses=("dL_dh1",),
    says="exactly a quarter",
)
wrong(
    "relu_layer",
    "the two gradients change places",
    (LAYER_RETURN, "return dL_dh1, dL_dW2"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
wrong(
    "relu_layer",
    "the signal is masked in place",
    (AT_V, "dL_dh2[(v <= 0).T] = 0.0\n    dL_dv = dL_dh2"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="dL_dh2 no longer holds",
)
wrong(
    "relu_layer",
    "the gradient to h1 is not computed",
    (LAYER_RETURN, "return dL_dW2, None"),
    cause="none-returned",
    loses=("dL_dh1",),
    says="dL_dh1 is None",
)
wrong(
    "relu_layer",
    "the signals pile up from call to call",
    source="""
    import numpy as np

    signals = {}

    def relu_layer_backward(dL_dh2, W2, h1):
        v = W2 @ h1
        signals[v.shape] = signals.get(v.shape, 0.0) + dL_dh2
        dL_dv = np.where(v.T > 0, signals[v.shape], 0.0)
        return dL_dv.T @ h1.T, dL_dv @ W2
    """,
    cause="state-leak",
    loses=ALL,
    says="second time",
)
wrong(
    "relu_layer",
    "the worked example typed in",
    source="""
    import numpy as np

    def relu_layer_backward(dL_dh2, W2, h1):
        return np.array([[6.0, 3, 0, 0], [0, 0, 0, 0]]), np.array([[3.0, -3, 6, 3]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "relu_layer",
    "left to nudging",
    source=NUDGE
    + """
    def relu_layer_backward(dL_dh2, W2, h1):
        def loss(W2, h1):
            return (dL_dh2 @ np.maximum(W2 @ h1, 0)).item()
        return nudge(lambda W2: loss(W2, h1), W2), nudge(lambda h1: loss(W2, h1), h1).T
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "relu_layer",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def relu_layer_backward(dL_dh2, W2, h1):
        W2, h1 = Tensor(W2, True), Tensor(h1, True)
        (W2 @ h1).relu().backward(dL_dh2.T)
        return W2.grad, h1.grad.T
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "relu_layer",
    "the mask from the output h2: it is the same",
    (AT_V, "h2 = np.maximum(v, 0)\n    dL_dv = dL_dh2 * (h2 > 0).T"),
)
right(
    "relu_layer",
    "the diagonal matrix, as on paper",
    source="""
    import numpy as np

    def relu_layer_backward(dL_dh2, W2, h1):
        D = np.diag(((W2 @ h1)[:, 0] > 0).astype(float))
        return D @ dL_dh2.T @ h1.T, dL_dh2 @ D @ W2
    """,
)
right(
    "relu_layer",
    "rows of W2 and of its gradient removed instead of the signal",
    source="""
    import numpy as np

    def relu_layer_backward(dL_dh2, W2, h1):
        off = (W2 @ h1)[:, 0] <= 0
        dL_dW2 = np.outer(dL_dh2, h1)
        dL_dW2[off] = 0.0
        active = W2.copy()
        active[off] = 0.0
        return dL_dW2, dL_dh2 @ active
    """,
)
right(
    "relu_layer",
    "helpers: relu_backward, then linear_backward",
    source="""
    import numpy as np

    def relu_backward(dL_dh, v):
        return np.where(v.T > 0, dL_dh, 0.0)

    def linear_backward(dL_dy, W, x):
        return np.outer(dL_dy, x), dL_dy.dot(W)

    def relu_layer_backward(dL_dh2, W2, h1):
        return linear_backward(relu_backward(dL_dh2, W2.dot(h1)), W2, h1)
    """,
)
right(
    "relu_layer",
    "loops over units",
    source="""
    import numpy as np

    def relu_layer_backward(dL_dh2, W2, h1):
        m, k = W2.shape
        dL_dW2 = np.zeros((m, k))
        dL_dh1 = np.zeros((1, k))
        for i in range(m):
            if sum(W2[i, j] * h1[j, 0] for j in range(k)) > 0:
                for j in range(k):
                    dL_dW2[i, j] = dL_dh2[0, i] * h1[j, 0]
                    dL_dh1[0, j] += dL_dh2[0, i] * W2[i, j]
        return dL_dW2, dL_dh1
    """,
)

# ---------------------------------------------------------------- two_relu_layers

TWO = ("dL_dW1", "dL_dW2", "dL_dx")
LOWER = ("dL_dW1", "dL_dx")
TWO_RETURN = "return h2, dL_dW1, dL_dW2, dL_dx"
AT_V1 = "dL_dv1 = dL_dh1 * (v1 > 0).T"
AT_V2 = "dL_dv2 = dL_dh2 * (v2 > 0).T"

wrong(
    "two_relu_layers",
    "the mask of the second layer is forgotten",
    (AT_V2, "dL_dv2 = dL_dh2"),
    cause="missing-local",
    loses=TWO,
    says="at v2 the signal passes as if every unit were on",
)
wrong(
    "two_relu_layers",
    "the mask of the first layer is forgotten",
    (AT_V1, "dL_dv1 = dL_dh1"),
    cause="missing-local",
    loses=LOWER,
    says="at v1 the signal passes as if every unit were on",
)
wrong(
    "two_relu_layers",
    "both masks are forgotten",
    (AT_V2, "dL_dv2 = dL_dh2"),
    (AT_V1, "dL_dv1 = dL_dh1"),
    cause="missing-local",
    loses=TWO,
    says="as if every unit were on",
)
wrong(
    "two_relu_layers",
    "units exactly at 0 count as on",
    (AT_V2, "dL_dv2 = dL_dh2 * (v2 >= 0).T"),
    (AT_V1, "dL_dv1 = dL_dh1 * (v1 >= 0).T"),
    cause="wrong-mask",
    loses=TWO,
    says="exactly at 0 counts as on",
)
wrong(
    "two_relu_layers",
    "units exactly at 0 count as on in the first layer",
    (AT_V1, "dL_dv1 = dL_dh1 * (v1 >= 0).T"),
    cause="wrong-mask",
    loses=LOWER,
    says="exactly at 0 counts as on",
)
wrong(
    "two_relu_layers",
    "the masks are made from the incoming gradients",
    (AT_V2, "dL_dv2 = dL_dh2 * (dL_dh2 > 0)"),
    (AT_V1, "dL_dv1 = dL_dh1 * (dL_dh1 > 0)"),
    cause="wrong-mask",
    loses=TWO,
    says="the incoming gradient decides",
)
wrong(
    "two_relu_layers",
    "the first layer's mask is made from the post-activation of the second",
    (AT_V1, "dL_dv1 = dL_dh1 * (h2 > 0).T"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "two_relu_layers",
    "each mask behind its weight, made from the layer's input",
    (AT_V2, "dL_dv2 = dL_dh2"),
    ("dL_dh1 = dL_dv2 @ W2", "dL_dh1 = (dL_dv2 @ W2) * (h1 > 0).T"),
    (AT_V1, "dL_dv1 = dL_dh1"),
    ("dL_dx = dL_dv1 @ W1", "dL_dx = (dL_dv1 @ W1) * (x > 0).T"),
    cause="wrong-mask",
    loses=TWO,
    says="behind the weight",
)
wrong(
    "two_relu_layers",
    "the pre-activation stands where h1 belongs",
    ("dL_dW2 = dL_dv2.T @ h1.T", "dL_dW2 = dL_dv2.T @ v1.T"),
    cause="wrong-value",
    loses=("dL_dW2",),
    says="the pre-activation v1",
)
wrong(
    "two_relu_layers",
    "x stands where h1 belongs",
    ("dL_dW2 = dL_dv2.T @ h1.T", "dL_dW2 = dL_dv2.T @ x.T"),
    cause="wrong-value",
    loses=("dL_dW2",),
    says="the network's input x",
)
wrong(
    "two_relu_layers",
    "h1 stands where x belongs",
    ("dL_dW1 = dL_dv1.T @ x.T", "dL_dW1 = dL_dv1.T @ h1.T"),
    cause="wrong-value",
    loses=("dL_dW1",),
    says="the first module's output",
)
wrong(
    "two_relu_layers",
    "W2 once more instead of W1, transposed until it fits",
    ("dL_dx = dL_dv1 @ W1", "dL_dx = dL_dv1 @ W2.T"),
    cause="wrong-weight",
    loses=("dL_dx",),
    says="through W2 instead of W1",
)
wrong(
    "two_relu_layers",
    "W1 instead of W2 on the way to h1",
    ("dL_dh1 = dL_dv2 @ W2", "dL_dh1 = dL_dv2 @ W1"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "two_relu_layers",
    "the signal at v1 is returned for x",
    (TWO_RETURN, "return h2, dL_dW1, dL_dW2, dL_dv1"),
    cause="missing-local",
    loses=("dL_dx",),
    says="before it has gone through W1",
)
wrong(
    "two_relu_layers",
    "the signal at h2 goes to the first weight",
    ("dL_dW1 = dL_dv1.T @ x.T", "dL_dW1 = dL_dv2.T @ x.T"),
    cause="missing-local",
    loses=("dL_dW1",),
    says="as if W2 did not lie between",
)
wrong(
    "two_relu_layers",
    "no ReLU between the layers",
    ("h1 = np.maximum(v1, 0.0)", "h1 = v1"),
    (AT_V1, "dL_dv1 = dL_dh1"),
    cause="missing-local",
    loses=ALL,
    says="the first ReLU is left out",
)
wrong(
    "two_relu_layers",
    "no ReLU at the output",
    ("h2 = np.maximum(v2, 0.0)", "h2 = v2"),
    (AT_V2, "dL_dv2 = dL_dh2"),
    cause="missing-local",
    loses=ALL,
    says="the last ReLU is left out",
)
wrong(
    "two_relu_layers",
    "v2 is returned instead of h2",
    (TWO_RETURN, "return v2, dL_dW1, dL_dW2, dL_dx"),
    cause="missing-local",
    loses=("h2",),
    says="v2 is returned in place of h2",
)
wrong(
    "two_relu_layers",
    "the signal is replaced by ones",
    (AT_V2, "dL_dv2 = 1.0 * (v2 > 0).T"),
    cause="upstream-ignored",
    loses=TWO,
    says="as if it were all ones",
)
wrong(
    "two_relu_layers",
    "the weights' gradients on their side",
    (TWO_RETURN, "return h2, dL_dW1.T, dL_dW2.T, dL_dx"),
    cause="transpose",
    loses=("dL_dW1", "dL_dW2"),
    says="rows and columns exchanged",
)
wrong(
    "two_relu_layers",
    "the gradient to x as a column",
    (TWO_RETURN, "return h2, dL_dW1, dL_dW2, dL_dx.T"),
    cause="transpose",
    loses=("dL_dx",),
    says="rows and columns exchanged",
)
wrong(
    "two_relu_layers",
    "h2 as a row",
    (TWO_RETURN, "return h2.T, dL_dW1, dL_dW2, dL_dx"),
    cause="transpose",
    loses=("h2",),
    says="rows and columns exchanged",
)
wrong(
    "two_relu_layers",
    "the sign is turned between the layers",
    ("dL_dh1 = dL_dv2 @ W2", "dL_dh1 = -dL_dv2 @ W2"),
    cause="sign",
    loses=LOWER,
    says="sign",
)
wrong(
    "two_relu_layers",
    "in the order in which they are found on the way back",
    (TWO_RETURN, "return h2, dL_dW2, dL_dW1, dL_dx"),
    cause="order-swapped",
    loses=("dL_dW1", "dL_dW2"),
    says="changed places",
)
wrong(
    "two_relu_layers",
    "h2 is forgotten",
    (TWO_RETURN, "return dL_dW1, dL_dW2, dL_dx"),
    cause="wrong-type",
    loses=ALL,
    says="should return 4 things, and returns 3",
)
wrong(
    "two_relu_layers",
    "the masks make whole-number gradients",
    (TWO_RETURN, "return h2, dL_dW1.astype(int), dL_dW2.astype(int), dL_dx.astype(int)"),
    cause="wrong-type",
    loses=TWO,
    says="int64",
)
wrong(
    "two_relu_layers",
    "the signal is masked in place",
    (AT_V2, "dL_dh2 *= (v2 > 0).T\n    dL_dv2 = dL_dh2"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="dL_dh2 no longer holds",
)
wrong(
    "two_relu_layers",
    "the worked example typed in",
    source="""
    import numpy as np

    def two_relu_layers(W1, W2, x, dL_dh2):
        return (
            np.array([[1.0], [0.0]]),
            np.array([[3.0, 6, -3], [-3, -6, 3], [0, 0, 0], [0, 0, 0]]),
            np.array([[6.0, 3, 0, 0], [0, 0, 0, 0]]),
            np.array([[3.0, -3, -6]]),
        )
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "two_relu_layers",
    "left to nudging",
    source=NUDGE
    + """
    def two_relu_layers(W1, W2, x, dL_dh2):
        def forward(W1, W2, x):
            return np.maximum(W2 @ np.maximum(W1 @ x, 0), 0)
        return (
            forward(W1, W2, x),
            nudge(lambda W1: (dL_dh2 @ forward(W1, W2, x)).item(), W1),
            nudge(lambda W2: (dL_dh2 @ forward(W1, W2, x)).item(), W2),
            nudge(lambda x: (dL_dh2 @ forward(W1, W2, x)).item(), x).T,
        )
    """,
    cause="imprecise",
    loses=TWO,
    says="close, but not exact",
)
wrong(
    "two_relu_layers",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def two_relu_layers(W1, W2, x, dL_dh2):
        W1, W2, x = (Tensor(array, True) for array in (W1, W2, x))
        h2 = (W2 @ (W1 @ x).relu()).relu()
        h2.backward(dL_dh2.T)
        return h2.data, W1.grad, W2.grad, x.grad.T
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "two_relu_layers",
    "masks from the post-activations: they are the same",
    (AT_V1, "dL_dv1 = dL_dh1 * (h1 > 0).T"),
    (AT_V2, "dL_dv2 = dL_dh2 * (h2 > 0).T"),
)
right(
    "two_relu_layers",
    "one layer as a helper, called twice",
    source="""
    import numpy as np

    def layer_backward(signal, W, x):
        signal = np.where((W @ x).T > 0, signal, 0.0)
        return signal.T @ x.T, signal @ W

    def two_relu_layers(W1, W2, x, dL_dh2):
        h1 = np.maximum(W1 @ x, 0)
        h2 = np.maximum(W2 @ h1, 0)
        dL_dW2, dL_dh1 = layer_backward(dL_dh2, W2, h1)
        dL_dW1, dL_dx = layer_backward(dL_dh1, W1, x)
        return h2, dL_dW1, dL_dW2, dL_dx
    """,
)
right(
    "two_relu_layers",
    "diagonal matrices, as on paper",
    source="""
    import numpy as np

    def two_relu_layers(W1, W2, x, dL_dh2):
        D1 = np.diagflat((W1 @ x > 0) * 1.0)
        h1 = D1 @ W1 @ x
        D2 = np.diagflat((W2 @ h1 > 0) * 1.0)
        h2 = D2 @ W2 @ h1
        at_v2 = dL_dh2 @ D2
        at_v1 = at_v2 @ W2 @ D1
        return h2, (x @ at_v1).T, (h1 @ at_v2).T, at_v1 @ W1
    """,
)
right(
    "two_relu_layers",
    "a list of layers, and a loop over it from the end",
    source="""
    import numpy as np

    def two_relu_layers(W1, W2, x, dL_dh2):
        weights, inputs, grads = [W1, W2], [x], []
        for W in weights:
            inputs.append((W @ inputs[-1]).clip(0))
        signal = dL_dh2.copy()
        for W, a, out in zip(weights[::-1], inputs[-2::-1], inputs[::-1]):
            signal = signal * (out > 0).T
            grads.insert(0, np.einsum("oi,jo->ij", signal, a))
            signal = signal @ W
        return inputs[-1], grads[0], grads[1], signal
    """,
)

# ---------------------------------------------------------------- relu_layer_batch

BATCH_RETURN = "return dL_dW, dL_dX"
AT_BATCH = "dL_dV = dL_dH * (V > 0)"

wrong(
    "relu_layer_batch",
    "the ReLU is forgotten on the way back",
    (AT_BATCH, "dL_dV = dL_dH"),
    cause="missing-local",
    loses=ALL,
    says="as if every unit were on",
)
wrong(
    "relu_layer_batch",
    "a unit exactly at 0 counts as on",
    (AT_BATCH, "dL_dV = dL_dH * (V >= 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="exactly at 0 counts as on",
)
wrong(
    "relu_layer_batch",
    "the mask is made from the incoming gradient",
    (AT_BATCH, "dL_dV = dL_dH * (dL_dH > 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="the incoming gradient decides",
)
wrong(
    "relu_layer_batch",
    "the mask is made from X and applied behind the weight",
    (AT_BATCH, "dL_dV = dL_dH"),
    ("dL_dX = dL_dV @ W", "dL_dX = (dL_dV @ W) * (X > 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="behind the weight, and made from the input",
)
wrong(
    "relu_layer_batch",
    "a mask from X where the signal's shape is needed",
    (AT_BATCH, "dL_dV = dL_dH * (X > 0)"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "relu_layer_batch",
    "the first example's mask for all",
    (AT_BATCH, "dL_dV = dL_dH * (V[0] > 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="the first example decides",
)
wrong(
    "relu_layer_batch",
    "the mask upside down",
    (AT_BATCH, "dL_dV = np.where(V > 0, 0, dL_dH)"),
    cause="wrong-mask",
    loses=ALL,
    says="where a unit is off",
)
wrong(
    "relu_layer_batch",
    "a mean over the batch on top of the signal's own",
    ("dL_dW = dL_dV.T @ X", "dL_dW = dL_dV.T @ X / len(X)"),
    cause="mean-vs-sum",
    loses=("dL_dW",),
    says="too small by a factor of the number of examples",
)
wrong(
    "relu_layer_batch",
    "both divided by the number of examples",
    (AT_BATCH, "dL_dV = dL_dH * (V > 0) / len(X)"),
    cause="mean-vs-sum",
    loses=ALL,
    says="number of examples",
)
wrong(
    "relu_layer_batch",
    "one gradient for each example, not summed",
    ("dL_dW = dL_dV.T @ X", "dL_dW = dL_dV[:, :, None] * X[:, None, :]"),
    cause="no-batch-sum",
    loses=("dL_dW",),
    says="one row for each example",
)
wrong(
    "relu_layer_batch",
    "the last example overwrites the others",
    (
        "dL_dW = dL_dV.T @ X",
        "for signal, x in zip(dL_dV, X):\n        dL_dW = np.outer(signal, x)",
    ),
    cause="overwrite-not-accumulate",
    loses=("dL_dW",),
    says="only the last example",
)
wrong(
    "relu_layer_batch",
    "the gradient to W on its side",
    ("dL_dW = dL_dV.T @ X", "dL_dW = X.T @ dL_dV"),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong(
    "relu_layer_batch",
    "columns, as on paper",
    ("dL_dX = dL_dV @ W", "dL_dX = W.T @ dL_dV.T"),
    cause="transpose",
    loses=("dL_dX",),
    says="rows and columns exchanged",
)
wrong(
    "relu_layer_batch",
    "the paper's formula with X for x, transposes and all",
    ("dL_dW = dL_dV.T @ X", "dL_dW = dL_dV.T @ X.T"),
    cause="raises",
    loses=ALL,
    says="print the shape of every factor",
)
wrong(
    "relu_layer_batch",
    "np.outer, as for one example",
    ("dL_dW = dL_dV.T @ X", "dL_dW = np.outer(dL_dV, X)"),
    cause="single-only",
    loses=("dL_dW",),
    says="right for one example",
)
wrong(
    "relu_layer_batch",
    "the first row of the batch, as if it were the example",
    ("dL_dW = dL_dV.T @ X", "dL_dW = dL_dV[:1].T @ X[:1]"),
    cause="no-batch-sum",
    loses=("dL_dW",),
    says="only the first example",
)
wrong(
    "relu_layer_batch",
    "the signal is replaced by ones",
    (AT_BATCH, "dL_dV = 1.0 * (V > 0)"),
    cause="upstream-ignored",
    loses=ALL,
    says="as if it were all ones",
)
wrong(
    "relu_layer_batch",
    "the signs turned",
    (BATCH_RETURN, "return -dL_dW, -dL_dX"),
    cause="sign",
    loses=ALL,
    says="opposite sign",
)
wrong(
    "relu_layer_batch",
    "the two gradients change places",
    (BATCH_RETURN, "return dL_dX, dL_dW"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
wrong(
    "relu_layer_batch",
    "the signal is masked in place",
    (AT_BATCH, "dL_dH[V <= 0] = 0\n    dL_dV = dL_dH"),
    cause="mutates-argument",
    loses=("arguments left alone",),
    says="dL_dH no longer holds",
)
wrong(
    "relu_layer_batch",
    "lists at the end",
    (BATCH_RETURN, "return dL_dW.tolist(), dL_dX.tolist()"),
    cause="wrong-type",
    loses=ALL,
    says="a list of",
)
wrong(
    "relu_layer_batch",
    "in single precision",
    ("V = X @ W.T", 'V = X @ W.T\n    dL_dH = dL_dH.astype("float32")'),
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "relu_layer_batch",
    "0/0 where a unit is off",
    (AT_BATCH, "dL_dV = dL_dH * np.maximum(V, 0) / np.maximum(V, 0)"),
    cause="non-finite",
    loses=ALL,
    says="nan",
)
wrong(
    "relu_layer_batch",
    "the gradient to W piles up from call to call",
    source="""
    import numpy as np

    total = {}

    def relu_layer_batch(dL_dH, W, X):
        dL_dV = dL_dH * (X @ W.T > 0)
        total[W.shape] = total.get(W.shape, 0.0) + dL_dV.T @ X
        return total[W.shape], dL_dV @ W
    """,
    cause="state-leak",
    loses=("dL_dW",),
    says="second time",
)
wrong(
    "relu_layer_batch",
    "an empty return",
    (BATCH_RETURN, "return"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "relu_layer_batch",
    "the worked example typed in",
    source="""
    import numpy as np

    def relu_layer_batch(dL_dH, W, X):
        return (
            np.array([[7.0, 4, 0, 3], [0, 4, 2, -2]]),
            np.array([[3.0, -3, 6, 3], [1, -1, 2, 1], [-4, 6, 2, -2]]),
        )
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "relu_layer_batch",
    "left to nudging",
    source=NUDGE
    + """
    def relu_layer_batch(dL_dH, W, X):
        def loss(W, X):
            return np.sum(dL_dH * np.maximum(X @ W.T, 0))
        return nudge(lambda W: loss(W, X), W), nudge(lambda X: loss(W, X), X)
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "relu_layer_batch",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def relu_layer_batch(dL_dH, W, X):
        W, X = Tensor(W, True), Tensor(X, True)
        (X @ W.T).relu().backward(dL_dH)
        return W.grad, X.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "relu_layer_batch",
    "one example at a time, in the paper's layout",
    source="""
    import numpy as np

    def relu_layer_batch(dL_dH, W, X):
        dL_dW, rows = np.zeros_like(W), []
        for signal, x in zip(dL_dH, X):
            x = x[:, None]
            signal = signal[None, :] * (W @ x > 0).T
            dL_dW += signal.T @ x.T
            rows.append(signal @ W)
        return dL_dW, np.vstack(rows)
    """,
)
right(
    "relu_layer_batch",
    "einsum",
    ("V = X @ W.T", 'V = np.einsum("ni,oi->no", X, W)'),
    ("dL_dW = dL_dV.T @ X", 'dL_dW = np.einsum("no,ni->oi", dL_dV, X)'),
    ("dL_dX = dL_dV @ W", 'dL_dX = np.einsum("no,oi->ni", dL_dV, W)'),
)
right(
    "relu_layer_batch",
    "the mask from the output, with np.where",
    (AT_BATCH, "H = np.maximum(V, 0)\n    dL_dV = np.where(H > 0, dL_dH, 0.0)"),
    ("dL_dW = dL_dV.T @ X", "dL_dW = (X.T @ dL_dV).T"),
)
right(
    "relu_layer_batch",
    "loops over lists, converted at the end",
    source="""
    import numpy as np

    def relu_layer_batch(dL_dH, W, X):
        (N, n), m = X.shape, len(W)
        dW = [[0.0] * n for _ in range(m)]
        dX = [[0.0] * n for _ in range(N)]
        for e in range(N):
            for i in range(m):
                if sum(X[e, j] * W[i, j] for j in range(n)) > 0:
                    for j in range(n):
                        dW[i][j] += dL_dH[e, i] * X[e, j]
                        dX[e][j] += dL_dH[e, i] * W[i, j]
        return np.array(dW), np.array(dX)
    """,
)
