"""Lesson 04: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/04_bias`. Under each exercise the slips
of the mathematics come first, then what is wrong with the result as an object, then the answers
that were never worked out, then right answers in other styles.
"""

from backprop_kit.checking.diagnose import ARGUMENTS
from backprop_kit.exercises.bias import BOTH, EMPTY, FRONT, KIND, ONES, PLAIN, TRANSPOSED

from . import ALL, right, wrong

# ---------------------------------------------------------------- bias_backward, one example

RETURN_DB = "dL_db = dL_dy @ dy_db"

wrong(
    "bias_backward",
    "ones, as if there were no signal",
    (RETURN_DB, "dL_db = np.ones_like(dL_dy)"),
    cause="upstream-ignored",
    loses=ALL,
    says="as if it were all ones",
)
wrong(
    "bias_backward",
    "the matrix of δ, without a signal",
    (RETURN_DB, "dL_db = dy_db"),
    cause="wrong-shape",
    loses=ALL,
    says="∂y/∂b itself",
)
wrong(
    "bias_backward",
    "the terms of the sum side by side",
    (RETURN_DB, "dL_db = dL_dy.T * dy_db"),
    cause="wrong-shape",
    loses=ALL,
    says="their sum over i is not taken",
)
wrong(
    "bias_backward",
    "all signals added up, as if δ were always 1",
    (RETURN_DB, "dL_db = dL_dy.sum(axis=1, keepdims=True)"),
    cause="wrong-shape",
    loses=ALL,
    says="added up to a single number",
)
wrong(
    "bias_backward",
    "the sum of all signals in every entry",
    (RETURN_DB, "dL_db = dL_dy @ np.ones_like(dy_db)"),
    cause="wrong-value",
    loses=ALL,
    says="signals of all outputs together",
)
wrong(
    "bias_backward",
    "the sign turned",
    (RETURN_DB, "dL_db = -dL_dy"),
    cause="sign",
    loses=ALL,
    says="opposite sign",
)
wrong(
    "bias_backward",
    "divided by the number of outputs",
    (RETURN_DB, "dL_db = dL_dy / dL_dy.shape[1]"),
    cause="wrong-value",
    loses=ALL,
    says="dL_db",
)
wrong(
    "bias_backward",
    "half of the signal, the other half for Wx",
    (RETURN_DB, "dL_db = 0.5 * dL_dy"),
    cause="factor",
    loses=ALL,
    says="exactly half",
)
wrong(
    "bias_backward",
    "a column, as b is one",
    (RETURN_DB, "dL_db = dL_dy.T"),
    cause="transpose",
    loses=ALL,
    says="rows and columns exchanged",
)
wrong(
    "bias_backward",
    "a vector with one axis",
    (RETURN_DB, "dL_db = dL_dy[0]"),
    cause="wrong-shape",
    loses=ALL,
    says="is expected",
)
wrong(
    "bias_backward",
    "a plain number",
    (RETURN_DB, "dL_db = dL_dy.sum()"),
    cause="wrong-type",
    loses=ALL,
    says="a number",
)
wrong(
    "bias_backward",
    "a list",
    (RETURN_DB, "dL_db = (dL_dy @ dy_db).tolist()"),
    cause="wrong-type",
    loses=ALL,
    says="a list",
)
wrong(
    "bias_backward",
    "float32",
    (RETURN_DB, "dL_db = dL_dy.astype(np.float32)"),
    cause="wrong-type",
    loses=ALL,
    says="float32",
)
wrong(
    "bias_backward",
    "rounded for display",
    (RETURN_DB, "dL_db = np.round(dL_dy, 3)"),
    cause="imprecise",
    loses=ALL,
    says="rounded to 3 decimals",
)
wrong(
    "bias_backward",
    "the signal is cleared once it has been handed on",
    (RETURN_DB, "dL_db = dL_dy @ dy_db; dL_dy[:] = 0"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="dL_dy no longer holds",
)
wrong(
    "bias_backward",
    "printed, not returned",
    ("return dL_db", "print(dL_db)"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "bias_backward",
    "the worked signal typed in",
    source="""
    def bias_backward(dL_dy):
        return np.array([[3.0, -2.0]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "bias_backward",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def bias_backward(dL_dy):
        b = Tensor(np.zeros(dL_dy.shape), requires_grad=True)
        (b + 0.0).backward(dL_dy)
        return b.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

wrong(
    "bias_backward",
    "the sum for k = 1 and for no other",
    (RETURN_DB, "dL_db = np.zeros_like(dL_dy); dL_db[0, 0] = dL_dy[0, 0]"),
    cause="wrong-value",
    loses=ALL,
    says="only the first entry is filled in",
)

right("bias_backward", "the signal itself", (RETURN_DB, "dL_db = dL_dy"))
right("bias_backward", "a copy of the signal", (RETURN_DB, "dL_db = dL_dy.copy()"))
right("bias_backward", "einsum with δ", (RETURN_DB, 'dL_db = np.einsum("ai,ik->ak", dL_dy, dy_db)'))
right(
    "bias_backward",
    "the sum over i, term by term",
    source="""
    def bias_backward(dL_dy):
        m = dL_dy.shape[1]
        entries = []
        for k in range(m):
            entries.append(sum(dL_dy[0, i] * (1 if i == k else 0) for i in range(m)))
        return np.array([entries])
    """,
)

# ---------------------------------------------------------------- pick_order

FITS = "if left[1] == right[0] and (left[0], right[1]) == target_shape:"
STAR = """    if dL_dy_shape == factor_shape == target_shape:
        return "signal * factor"
"""

wrong(
    "pick_order",
    "takes the first product that can be formed",
    (FITS, "if left[1] == right[0]:"),
    cause="wrong-value",
    loses=(TRANSPOSED,),
    says="the first product that can be formed",
)
wrong(
    "pick_order",
    "keeps the last product that can be formed",
    (FITS, "if left[1] == right[0]:"),
    ("            return name", "            found = name\n    return found"),
    cause="wrong-value",
    loses=(PLAIN,),
    says="the last product that can be formed",
)
wrong(
    "pick_order",
    "compares with the transposed target",
    (FITS, "if left[1] == right[0] and (right[1], left[0]) == target_shape:"),
    cause="wrong-value",
    loses=(PLAIN, TRANSPOSED),
    says="exactly the transposed shape",
)
wrong(
    "pick_order",
    "forgets to say that the factors are transposed",
    ("            return name", '            return name.replace(".T", "")'),
    cause="wrong-value",
    loses=(TRANSPOSED,),
    says="the transposes are forgotten",
)
wrong(
    "pick_order",
    "left and right are exchanged everywhere",
    ('("signal @ factor", signal, factor)', '("factor @ signal", signal, factor)'),
    ('("factor @ signal", factor, signal)', '("signal @ factor", factor, signal)'),
    ('("signal.T @ factor.T", signal_T', '("factor.T @ signal.T", signal_T'),
    ('("factor.T @ signal.T", factor_T', '("signal.T @ factor.T", factor_T'),
    cause="wrong-value",
    loses=(PLAIN, TRANSPOSED),
    says="the wrong way round",
)
wrong(
    "pick_order",
    "a transpose is thought to exchange the factors as well",
    ('("signal.T @ factor.T", signal_T', '("factor.T @ signal.T", signal_T'),
    ('("factor.T @ signal.T", factor_T', '("signal.T @ factor.T", factor_T'),
    cause="wrong-value",
    loses=(TRANSPOSED,),
    says="the wrong way round",
)
wrong(
    "pick_order",
    "the elementwise product wherever NumPy would broadcast to the target",
    (
        STAR,
        """    try:
        if np.broadcast_shapes(dL_dy_shape, factor_shape) == target_shape:
            return "signal * factor"
    except ValueError:
        pass
""",
    ),
    cause="wrong-value",
    loses=(KIND, PLAIN),
    says="elementwise product is chosen where the three shapes are not equal",
)
wrong(
    "pick_order",
    "the elementwise product wherever signal and target are alike",
    ("if dL_dy_shape == factor_shape == target_shape:", "if dL_dy_shape == target_shape:"),
    cause="wrong-value",
    loses=(PLAIN, KIND),
    says="elementwise product is chosen where the three shapes are not equal",
)
wrong(
    "pick_order",
    "no elementwise product",
    (STAR, ""),
    cause="none-returned",
    loses=(KIND,),
    says="returns None where one of the five fits",
)
wrong(
    "pick_order",
    "a matrix product for want of the elementwise one",
    (STAR, ""),
    ("            return name", '            return name\n    return "signal @ factor"'),
    cause="wrong-value",
    loses=(KIND,),
    says="kind of product",
)
wrong(
    "pick_order",
    "two rules from the paper layout",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        if factor_shape[1] == 1:
            return "signal.T @ factor.T"
        return "signal @ factor"
    """,
    cause="wrong-value",
    loses=ALL,
    says="order",
)
wrong(
    "pick_order",
    "always the order of the worked example",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        return "signal.T @ factor.T"
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "pick_order",
    "always the same order, signal first",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        return "signal @ factor"
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "pick_order",
    "spelled without spaces",
    ("            return name", '            return name.replace(" ", "")'),
    cause="wrong-type",
    loses=ALL,
    says="none of the card's five",
)
wrong(
    "pick_order",
    "one of the factors transposed, which is none of the five",
    ('"signal.T @ factor.T"', '"signal.T @ factor"'),
    ('"factor.T @ signal.T"', '"factor @ signal.T"'),
    cause="wrong-type",
    loses=ALL,
    says="none of the card's five",
)
wrong(
    "pick_order",
    "a list of all that fit",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        s, f = np.zeros(dL_dy_shape), np.zeros(factor_shape)
        found = []
        for text in ("s @ f", "f @ s", "s.T @ f.T", "f.T @ s.T"):
            try:
                if eval(text).shape == target_shape:
                    found.append(text.replace("s", "signal").replace("f", "factor"))
            except ValueError:
                pass
        return found or ["signal * factor"]
    """,
    cause="wrong-type",
    loses=ALL,
    says="should be a str",
)
wrong(
    "pick_order",
    "the shape of the product instead of its name",
    ("            return name", "            return left[0], right[1]"),
    cause="wrong-type",
    loses=ALL,
    says="should be a str",
)
wrong(
    "pick_order",
    "takes the tuples for arrays",
    ("signal, factor = dL_dy_shape, factor_shape", "signal, factor = dL_dy_shape.shape, factor"),
    cause="raises",
    loses=ALL,
    says="has no attribute 'shape'",
)
wrong(
    "pick_order",
    "printed, not returned",
    ("            return name", "            print(name)"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "pick_order",
    "the answer of the first call is remembered",
    source="""
    MEMORY = {}

    def pick_order(dL_dy_shape, factor_shape, target_shape):
        if "answer" not in MEMORY:
            pairs = [("signal @ factor", dL_dy_shape, factor_shape),
                     ("factor @ signal", factor_shape, dL_dy_shape),
                     ("signal.T @ factor.T", dL_dy_shape[::-1], factor_shape[::-1]),
                     ("factor.T @ signal.T", factor_shape[::-1], dL_dy_shape[::-1])]
            MEMORY["answer"] = next(
                name for name, a, b in pairs
                if a[1] == b[0] and (a[0], b[1]) == target_shape
            )
        return MEMORY["answer"]
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "pick_order",
    "the engine tries the products",
    source="""
    from backprop_kit import Tensor

    def pick_order(dL_dy_shape, factor_shape, target_shape):
        s, f = Tensor(np.zeros(dL_dy_shape)), Tensor(np.zeros(factor_shape))
        return "signal @ factor" if (s @ f).shape == target_shape else "signal * factor"
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "pick_order",
    "the elementwise product where signal and factor are alike",
    ("if dL_dy_shape == factor_shape == target_shape:", "if dL_dy_shape == factor_shape:"),
)
right(
    "pick_order",
    "by the names of the lengths",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        (a, b), (c, d) = dL_dy_shape, factor_shape
        if (a, b) == (c, d) == target_shape:
            return "signal * factor"
        if b == c and target_shape == (a, d):
            return "signal @ factor"
        if d == a and target_shape == (c, b):
            return "factor @ signal"
        if a == d and target_shape == (b, c):
            return "signal.T @ factor.T"
        return "factor.T @ signal.T"
    """,
)
right(
    "pick_order",
    "tries them with arrays of zeros",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        signal, factor = np.zeros(dL_dy_shape), np.zeros(factor_shape)
        options = ["signal @ factor", "factor @ signal",
                   "signal.T @ factor.T", "factor.T @ signal.T", "signal * factor"]
        for text in options:
            try:
                product = eval(text, {"signal": signal, "factor": factor})
            except ValueError:
                continue
            if product.shape == target_shape:
                return text
    """,
)
right(
    "pick_order",
    "transposes the target instead",
    source="""
    def pick_order(dL_dy_shape, factor_shape, target_shape):
        def can(left, right, target):
            return left[1] == right[0] and (left[0], right[1]) == tuple(target)

        s, f, t = dL_dy_shape, factor_shape, target_shape
        if s == f == t:
            return "signal * factor"
        if can(s, f, t):
            return "signal @ factor"
        if can(f, s, t):
            return "factor @ signal"
        # (A B).T = B.T A.T
        return "factor.T @ signal.T" if can(s, f, t[::-1]) else "signal.T @ factor.T"
    """,
)

# ---------------------------------------------------------------- affine_backward, one example

DW = "dL_dW = dL_dy.T @ x.T"
DX = "dL_dx = dL_dy @ W"
DB = "dL_db = dL_dy.copy()"
RETURN = "return dL_dW, dL_dx, dL_db"

wrong(
    "affine_backward",
    "the gradient to W transposed",
    (DW, "dL_dW = x @ dL_dy"),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong(
    "affine_backward",
    "the gradient to x as a column",
    (DX, "dL_dx = W.T @ dL_dy.T"),
    cause="transpose",
    loses=("dL_dx",),
    says="rows and columns exchanged",
)
wrong(
    "affine_backward",
    "the gradient to b in the order that is right for W",
    (DB, "dL_db = dL_dy.T"),
    cause="transpose",
    loses=("dL_db",),
    says="dL_db has the right entries",
)
wrong(
    "affine_backward",
    "the gradient to b without its outer brackets",
    (DB, "dL_db = dL_dy[0]"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="outer brackets",
)
wrong(
    "affine_backward",
    "the derivative of a sum is 1, so the gradient to b is 1",
    (DB, "dL_db = np.ones((1, len(W)))"),
    cause="upstream-ignored",
    loses=("dL_db",),
    says="dL_db",
)
wrong(
    "affine_backward",
    "the gradient to W without the signal",
    (DW, "dL_dW = np.ones((len(W), 1)) @ x.T"),
    cause="upstream-ignored",
    loses=("dL_dW",),
    says="signal",
)
wrong(
    "affine_backward",
    "the gradient to x without the signal",
    (DX, "dL_dx = np.ones((1, len(W))) @ W"),
    cause="upstream-ignored",
    loses=("dL_dx",),
    says="signal",
)
wrong(
    "affine_backward",
    "the gradient to W without x",
    (DW, "dL_dW = dL_dy.T @ np.ones_like(x).T"),
    cause="wrong-value",
    loses=("dL_dW",),
    says="dL_dW",
)
wrong(
    "affine_backward",
    "the gradient to b made of the gradient to W",
    (DB, "dL_db = dL_dW.sum(axis=1, keepdims=True).T"),
    cause="wrong-value",
    loses=("dL_db",),
    says="the columns of dL_dW are added up",
)
wrong(
    "affine_backward",
    "the gradient to b summed to one number",
    (DB, "dL_db = dL_dy.sum(axis=1, keepdims=True)"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="added up to a single number",
)
wrong(
    "affine_backward",
    "the matrix of δ instead of a gradient to b",
    (DB, "dL_db = np.eye(len(W))"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="∂y/∂b itself",
)
wrong(
    "affine_backward",
    "a minus before the gradient to b",
    (DB, "dL_db = -dL_dy"),
    cause="sign",
    loses=("dL_db",),
    says="opposite sign",
)
wrong(
    "affine_backward",
    "a factor 2 left over from the squared norm",
    (DW, "dL_dW = 2 * dL_dy.T @ x.T"),
    cause="factor",
    loses=("dL_dW",),
    says="exactly twice",
)
wrong(
    "affine_backward",
    "b before x in the return",
    (RETURN, "return dL_dW, dL_db, dL_dx"),
    cause="order-swapped",
    loses=("dL_dx", "dL_db"),
    says="changed places",
)
wrong(
    "affine_backward",
    "no gradient to b",
    (RETURN, "return dL_dW, dL_dx"),
    cause="wrong-type",
    loses=ALL,
    says="should return 3 things",
)
wrong(
    "affine_backward",
    "the wrong side of W",
    (DX, "dL_dx = W @ dL_dy"),
    cause="raises",
    loses=ALL,
    says="ValueError",
)
wrong(
    "affine_backward",
    "multiplies into W itself",
    (DX, "W *= dL_dy.T\n    dL_dx = W.sum(axis=0, keepdims=True)"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="W no longer holds",
)
wrong(
    "affine_backward",
    "whole numbers for b",
    (DB, "dL_db = dL_dy.astype(int)"),
    cause="wrong-type",
    loses=("dL_db",),
    says="int64",
)
wrong(
    "affine_backward",
    "an empty return",
    (RETURN, "return"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "affine_backward",
    "the worked example typed in",
    source="""
    def affine_backward(dL_dy, W, x):
        dL_dW = np.array([[6.0, 3.0, -3.0], [-4.0, -2.0, 2.0]])
        return dL_dW, np.array([[2.0, -7.0, 8.0]]), np.array([[3.0, -2.0]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "affine_backward",
    "difference quotients",
    source="""
    def slope(f, A, h=1e-5):
        result = np.zeros_like(A)
        for index in np.ndindex(A.shape):
            up, down = A.copy(), A.copy()
            up[index] += h
            down[index] -= h
            result[index] = (f(up) - f(down)) / (2 * h)
        return result

    def affine_backward(dL_dy, W, x):
        b = np.zeros((len(W), 1))
        return (
            slope(lambda W: (dL_dy @ (W @ x + b)).item(), W),
            slope(lambda x: (dL_dy @ (W @ x + b)).item(), x).T,
            slope(lambda b: (dL_dy @ (W @ x + b)).item(), b).T,
        )
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "affine_backward",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def affine_backward(dL_dy, W, x):
        W, x = Tensor(W, True), Tensor(x, True)
        (W @ x).backward(dL_dy.T)
        return W.grad, x.grad.T, dL_dy
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("affine_backward", "an outer product", (DW, "dL_dW = np.outer(dL_dy, x)"))
right("affine_backward", "transposed as a whole", (DW, "dL_dW = (x @ dL_dy).T"))
right("affine_backward", "the signal itself for b", (DB, "dL_db = dL_dy"))
right(
    "affine_backward",
    "einsum",
    (DW, 'dL_dW = np.einsum("ai,ja->ij", dL_dy, x)'),
    (DX, 'dL_dx = np.einsum("ai,ij->aj", dL_dy, W)'),
    (DB, 'dL_db = np.einsum("ai,ik->ak", dL_dy, np.eye(len(W)))'),
)
right(
    "affine_backward",
    "index by index, lists converted at the end",
    source="""
    def affine_backward(dL_dy, W, x):
        m, n = W.shape
        dW = [[dL_dy[0, i] * x[j, 0] for j in range(n)] for i in range(m)]
        dx = [[sum(dL_dy[0, i] * W[i, j] for i in range(m)) for j in range(n)]]
        db = [[dL_dy[0, k] for k in range(m)]]
        return np.array(dW), np.array(dx), np.array(db)
    """,
)

# ---------------------------------------------------------------- affine_batch

BATCH_DW = "dL_dW = dL_dY.T @ X"
BATCH_DX = "dL_dX = dL_dY @ W"
BATCH_DB = "dL_db = dL_dY.sum(axis=0)"
BATCH_RETURN = "return dL_dW, dL_dX, dL_db"

wrong(
    "affine_batch",
    "the signal handed on to b, as for one example",
    (BATCH_DB, "dL_db = dL_dY.copy()"),
    cause="no-batch-sum",
    loses=("dL_db",),
    says="one row for each example",
)
wrong(
    "affine_batch",
    "an axis of length 1 is kept",
    (BATCH_DB, "dL_db = dL_dY.sum(axis=0, keepdims=True)"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="the sum keeps an axis of length 1",
)
wrong(
    "affine_batch",
    "summed over the outputs",
    (BATCH_DB, "dL_db = dL_dY.sum(axis=1)"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="over the outputs instead of the examples",
)
wrong(
    "affine_batch",
    "summed over everything",
    (BATCH_DB, "dL_db = dL_dY.sum()"),
    cause="wrong-type",
    loses=("dL_db",),
    says="a number",
)
wrong(
    "affine_batch",
    "the mean over the batch for b",
    (BATCH_DB, "dL_db = dL_dY.mean(axis=0)"),
    cause="mean-vs-sum",
    loses=("dL_db",),
    says="too small by a factor of the number of examples",
)
wrong(
    "affine_batch",
    "the mean over the batch for both parameters",
    (BATCH_DW, "dL_dW = dL_dY.T @ X / len(X)"),
    (BATCH_DB, "dL_db = dL_dY.sum(axis=0) / len(X)"),
    cause="mean-vs-sum",
    loses=("dL_dW", "dL_db"),
    says="too small by a factor of the number of examples",
)
wrong(
    "affine_batch",
    "divides the signal by N in place",
    (BATCH_DW, "dL_dY /= len(X)\n    dL_dW = dL_dY.T @ X"),
    cause="mean-vs-sum",
    loses=ALL,
    says="too small by a factor of the number of examples",
)
wrong(
    "affine_batch",
    "multiplies by N to undo a mean that nobody took",
    (BATCH_DB, "dL_db = len(X) * dL_dY.sum(axis=0)"),
    cause="mean-vs-sum",
    loses=("dL_db",),
    says="too large by a factor of the number of examples",
)
wrong(
    "affine_batch",
    "counts the examples instead of adding their signals",
    (BATCH_DB, "dL_db = np.full(len(W), float(len(X)))"),
    cause="upstream-ignored",
    loses=("dL_db",),
    says="signal",
)
wrong(
    "affine_batch",
    "each example overwrites the one before",
    (BATCH_DB, "for row in dL_dY:\n        dL_db = row.copy()"),
    cause="overwrite-not-accumulate",
    loses=("dL_db",),
    says="only the last example is kept",
)
wrong(
    "affine_batch",
    "each example overwrites both gradients",
    (BATCH_DW, "for g, row in zip(dL_dY, X):\n        dL_dW = np.outer(g, row)"),
    (BATCH_DB, "dL_db = g.copy()"),
    cause="overwrite-not-accumulate",
    loses=("dL_dW", "dL_db"),
    says="only the last example is kept",
)
wrong(
    "affine_batch",
    "only the first example",
    (BATCH_DW, "dL_dW = np.outer(dL_dY[0], X[0])"),
    (BATCH_DB, "dL_db = dL_dY[0].copy()"),
    cause="missing-path",
    loses=("dL_dW", "dL_db"),
    says="only the first example",
)
wrong(
    "affine_batch",
    "the loop stops one example too early",
    (BATCH_DB, "dL_db = sum(dL_dY[:-1]) + np.zeros(len(W))"),
    cause="missing-path",
    loses=("dL_db",),
    says="the last example of the batch is left out",
)
wrong(
    "affine_batch",
    "a ReLU's mask, from lesson 3",
    (BATCH_DW, "dL_dY = dL_dY * (X @ W.T > 0)\n    " + BATCH_DW),
    cause="wrong-mask",
    loses=ALL,
    says="a ReLU's mask is laid on the signal",
)
wrong(
    "affine_batch",
    "the outer product of everything with everything",
    (BATCH_DW, "dL_dW = np.outer(dL_dY, X)"),
    cause="single-only",
    loses=("dL_dW",),
    says="right for one example",
)
wrong(
    "affine_batch",
    "the gradient to W transposed",
    (BATCH_DW, "dL_dW = X.T @ dL_dY"),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong(
    "affine_batch",
    "one outer product for each example, not added up",
    (BATCH_DW, 'dL_dW = np.einsum("ai,aj->aij", dL_dY, X)'),
    cause="no-batch-sum",
    loses=("dL_dW",),
    says="one row for each example",
)
wrong(
    "affine_batch",
    "the gradient to X summed over the batch",
    (BATCH_DX, "dL_dX = (dL_dY @ W).sum(axis=0)"),
    cause="wrong-shape",
    loses=("dL_dX",),
    says="is expected",
)
wrong(
    "affine_batch",
    "the gradient to b made of the gradient to W",
    (BATCH_DB, "dL_db = dL_dW.sum(axis=1)"),
    cause="wrong-value",
    loses=("dL_db",),
    says="the columns of dL_dW are added up",
)
wrong(
    "affine_batch",
    "the forward pass's W.T in the backward pass",
    (BATCH_DX, "dL_dX = dL_dY @ W.T"),
    cause="square-only",
    loses=ALL,
    says="where the matrix is square, and only there",
)
wrong(
    "affine_batch",
    "gradients by the wrong sign, ready for descent",
    (BATCH_DW, "dL_dW = -dL_dY.T @ X"),
    (BATCH_DB, "dL_db = -dL_dY.sum(axis=0)"),
    cause="sign",
    loses=("dL_dW", "dL_db"),
    says="opposite sign",
)
wrong(
    "affine_batch",
    "X before W in the return",
    (BATCH_RETURN, "return dL_dX, dL_dW, dL_db"),
    cause="order-swapped",
    loses=("dL_dW", "dL_dX"),
    says="changed places",
)
wrong(
    "affine_batch",
    "adds up in the first row of the signal",
    (BATCH_DB, "for row in dL_dY[1:]:\n        dL_dY[0] += row\n    dL_db = dL_dY[0].copy()"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="dL_dY no longer holds",
)
wrong(
    "affine_batch",
    "adds up over calls as well",
    source="""
    def affine_batch(dL_dY, W, X, total={}):
        total[W.shape] = total.get(W.shape, 0) + dL_dY.sum(axis=0)
        return dL_dY.T @ X, dL_dY @ W, total[W.shape].copy()
    """,
    cause="state-leak",
    loses=("dL_db",),
    says="another result the second time",
)
wrong(
    "affine_batch",
    "not a number: 0/0 on the way",
    (BATCH_DB, "dL_db = dL_dY.sum(axis=0) / (X - X).sum() * 0"),
    cause="non-finite",
    loses=("dL_db",),
    says="not a finite number",
)
wrong(
    "affine_batch",
    "float32, to save memory",
    (BATCH_DW, "dL_dW = (dL_dY.T @ X).astype(np.float32)"),
    cause="wrong-type",
    loses=("dL_dW",),
    says="float32",
)
wrong(
    "affine_batch",
    "computed in float32, returned as float64",
    (BATCH_DB, "dL_db = dL_dY.astype(np.float32).sum(axis=0).astype(float)"),
    cause="imprecise",
    loses=("dL_db",),
    says="digits right",
)
wrong(
    "affine_batch",
    "a list for b",
    (BATCH_DB, "dL_db = [float(column.sum()) for column in dL_dY.T]"),
    cause="wrong-type",
    loses=("dL_db",),
    says="a list",
)
wrong(
    "affine_batch",
    "no return",
    (BATCH_RETURN, "pass"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "affine_batch",
    "the worked example typed in",
    source="""
    def affine_batch(dL_dY, W, X):
        dL_dW = np.array([[8.5, -1.0, -0.5], [-1.0, -7.5, 8.0]])
        dL_dX = np.array([[2.0, -7.0, 8.0], [1.25, 0.0, 1.5], [-1.5, 4.0, -5.0], [2.5, 7.5, -3.0]])
        return dL_dW, dL_dX, np.array([2.5, 3.5])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "affine_batch",
    "difference quotients for b",
    (
        BATCH_DB,
        """h, m = 1e-5, len(W)
    def loss(b):
        return np.sum(dL_dY * (X @ W.T + b))
    dL_db = np.array([(loss(h * e) - loss(-h * e)) / (2 * h) for e in np.eye(m)])""",
    ),
    cause="imprecise",
    loses=("dL_db",),
    says="close, but not exact",
)
wrong(
    "affine_batch",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def affine_batch(dL_dY, W, X):
        W, X, b = Tensor(W, True), Tensor(X, True), Tensor(np.zeros(len(W)), True)
        (X @ W.transpose() + b).backward(dL_dY)
        return W.grad, X.grad, b.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "affine_batch",
    "one example after the other",
    source="""
    def affine_batch(dL_dY, W, X):
        dL_dW, dL_db = np.zeros_like(W), np.zeros(len(W))
        dL_dX = np.zeros_like(X)
        for i in range(len(X)):
            dL_dW += np.outer(dL_dY[i], X[i])
            dL_dX[i] = dL_dY[i] @ W
            dL_db += dL_dY[i]
        return dL_dW, dL_dX, dL_db
    """,
)
right(
    "affine_batch",
    "einsum",
    (BATCH_DW, 'dL_dW = np.einsum("ai,aj->ij", dL_dY, X)'),
    (BATCH_DX, 'dL_dX = np.einsum("ai,ij->aj", dL_dY, W)'),
    (BATCH_DB, 'dL_db = np.einsum("ai->i", dL_dY)'),
)
right("affine_batch", "ones times the signal", (BATCH_DB, "dL_db = np.ones(len(X)) @ dL_dY"))
right(
    "affine_batch",
    "the bias as one more weight",
    source="""
    def affine_batch(dL_dY, W, X):
        wide = dL_dY.T @ np.column_stack([X, np.ones(len(X))])
        return wide[:, :-1], dL_dY @ W, wide[:, -1]
    """,
)

# ---------------------------------------------------------------- unbroadcast

IN_FRONT = """    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
"""
OF_LENGTH_1 = """    for axis, length in enumerate(shape):
        if length == 1:
            grad = grad.sum(axis=axis, keepdims=True)
"""

wrong(
    "unbroadcast",
    "grad as it came",
    (IN_FRONT, ""),
    (OF_LENGTH_1, ""),
    cause="wrong-shape",
    loses=ALL,
    says="grad is returned as it came",
)
wrong(
    "unbroadcast",
    "axes of length 1 are left stretched",
    (OF_LENGTH_1, ""),
    cause="wrong-shape",
    loses=(ONES, BOTH, EMPTY),
    says="and not those stretched from 1",
)
wrong(
    "unbroadcast",
    "axes in front are left standing",
    (IN_FRONT, "    new = grad.ndim - len(shape)\n"),
    (
        "grad = grad.sum(axis=axis, keepdims=True)",
        "grad = grad.sum(axis=new + axis, keepdims=True)",
    ),
    cause="wrong-shape",
    loses=(FRONT, BOTH, EMPTY),
    says="and not those that were put in front",
)
wrong(
    "unbroadcast",
    "axes in front are summed and kept",
    (IN_FRONT, "    new = grad.ndim - len(shape)\n"),
    (
        OF_LENGTH_1,
        """    ones = [new + axis for axis, length in enumerate(shape) if length == 1]
    grad = grad.sum(axis=(*range(new), *ones), keepdims=True)
""",
    ),
    cause="wrong-shape",
    loses=(FRONT, BOTH, EMPTY),
    says="summed and kept, with length 1",
)
wrong(
    "unbroadcast",
    "axes of length 1 are summed away",
    (
        OF_LENGTH_1,
        """    for axis, length in reversed(list(enumerate(shape))):
        if length == 1:
            grad = grad.sum(axis=axis)
""",
    ),
    cause="wrong-shape",
    loses=(ONES, BOTH, EMPTY),
    says="summed away altogether",
)
wrong(
    "unbroadcast",
    "keepdims in the first loop, which then never ends",
    ("grad = grad.sum(axis=0)", "grad = grad.sum(axis=0, keepdims=True)"),
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
wrong(
    "unbroadcast",
    "means instead of sums",
    ("grad = grad.sum(axis=0)", "grad = grad.mean(axis=0)"),
    ("grad.sum(axis=axis, keepdims=True)", "grad.mean(axis=axis, keepdims=True)"),
    cause="mean-vs-sum",
    loses=ALL,
    says="averaged instead of added",
)
wrong(
    "unbroadcast",
    "the signal of the first copy stands for all",
    ("grad = grad.sum(axis=0)", "grad = grad[0]"),
    ("grad.sum(axis=axis, keepdims=True)", "np.take(grad, [0], axis=axis)"),
    cause="overwrite-not-accumulate",
    loses=ALL,
    says="only the first copy's signal is kept",
)
wrong(
    "unbroadcast",
    "every copy overwrites the one before",
    source="""
    def unbroadcast(grad, shape):
        new = grad.ndim - len(shape)
        result = np.zeros(shape)
        for index in np.ndindex(grad.shape):
            place = tuple(0 if n == 1 else i for i, n in zip(index[new:], shape))
            result[place] = grad[index]
        return result
    """,
    cause="overwrite-not-accumulate",
    loses=(FRONT, ONES, BOTH),
    says="only the last copy's signal is kept",
)
wrong(
    "unbroadcast",
    "axes are dropped at the end instead of at the front",
    ("grad = grad.sum(axis=0)", "grad = grad.sum(axis=-1)"),
    cause="wrong-shape",
    loses=(FRONT, BOTH, EMPTY),
    says="at the right end of grad",
)
wrong(
    "unbroadcast",
    "axes of length 1 counted from the front before the new ones are gone",
    source="""
    def unbroadcast(grad, shape):
        for axis, length in enumerate(shape):
            if length == 1:
                grad = grad.sum(axis=axis, keepdims=True)
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        return grad
    """,
    cause="wrong-shape",
    loses=(BOTH, EMPTY),
    says="counted in grad while the new ones still stand before them",
)
wrong(
    "unbroadcast",
    "only the three cases of the figures",
    source="""
    def unbroadcast(grad, shape):
        if shape == ():
            return grad.sum()
        if len(shape) == 1:
            return grad.sum(axis=0)
        if shape[1] == 1:
            return grad.sum(axis=1, keepdims=True)
        return grad
    """,
    cause="wrong-shape",
    loses=ALL,
    says="is expected",
)
wrong(
    "unbroadcast",
    "twice the sum",
    ("    return grad", "    return 2 * grad"),
    cause="factor",
    loses=(FRONT, ONES, BOTH),
    says="exactly twice",
)
wrong(
    "unbroadcast",
    "a minus from somewhere",
    ("    return grad", "    return -grad"),
    cause="sign",
    loses=(FRONT, ONES, BOTH),
    says="opposite sign",
)
wrong(
    "unbroadcast",
    "reshaped instead of summed",
    source="""
    def unbroadcast(grad, shape):
        return grad.reshape(shape)
    """,
    cause="raises",
    loses=ALL,
    says="cannot reshape",
)
wrong(
    "unbroadcast",
    "cut to size instead of summed",
    source="""
    def unbroadcast(grad, shape):
        return np.resize(grad, shape)
    """,
    cause="wrong-value",
    loses=(FRONT, ONES, BOTH),
    says="sum over",
)
wrong(
    "unbroadcast",
    "everything added up",
    source="""
    def unbroadcast(grad, shape):
        return grad.sum()
    """,
    cause="wrong-shape",
    loses=ALL,
    says="everything is added up to a single number",
)
wrong(
    "unbroadcast",
    "an axis too many where a single number is wanted",
    ("    return grad", "    return np.atleast_1d(grad)"),
    cause="wrong-shape",
    loses=(FRONT, EMPTY),
    says="should be a single number",
)
wrong(
    "unbroadcast",
    "starts from the first row, which an empty array does not have",
    (
        "grad = grad.sum(axis=0)",
        """total = grad[0].copy()
        for row in grad[1:]:
            total = total + row
        grad = total""",
    ),
    cause="raises",
    loses=(EMPTY,),
    says="where an axis has length 0",
)
wrong(
    "unbroadcast",
    "adds up in the first entry of grad itself",
    (
        "grad = grad.sum(axis=0)",
        """for row in grad[1:]:
            grad[0] += row
        grad = grad[0] if len(grad) else grad.sum(axis=0)""",
    ),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="grad no longer holds",
)
wrong(
    "unbroadcast",
    "lists",
    ("    return grad", "    return grad.tolist()"),
    cause="wrong-type",
    loses=ALL,
    says="a list",
)
wrong(
    "unbroadcast",
    "whole numbers",
    ("    return grad", "    return grad.astype(int)"),
    cause="wrong-type",
    loses=ALL,
    says="int64",
)
wrong(
    "unbroadcast",
    "no return",
    ("    return grad", "    grad"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "unbroadcast",
    "the worked example typed in",
    source="""
    def unbroadcast(grad, shape):
        return np.array([2.5, 3.5])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "unbroadcast",
    "nan, for want of a value to start from",
    ("    return grad", "    return grad + np.full(shape, np.nan)"),
    cause="non-finite",
    loses=ALL,
    says="not a finite number",
)
wrong(
    "unbroadcast",
    "the engine's own function",
    source="""
    from backprop_kit.engine.tensor import unbroadcast
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "unbroadcast",
    "the engine differentiates a stretch",
    source="""
    from backprop_kit import Tensor

    def unbroadcast(grad, shape):
        a = Tensor(np.zeros(shape), requires_grad=True)
        (a + np.zeros(grad.shape)).backward(grad)
        return a.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

wrong(
    "unbroadcast",
    "returns from within the loop",
    source="""
    def unbroadcast(grad, shape):
        while grad.ndim > len(shape):
            grad = grad.sum(axis=0)
        for axis, length in enumerate(shape):
            if length == 1:
                return grad.sum(axis=axis, keepdims=True)
        return grad
    """,
    cause="wrong-shape",
    loses=(ONES, BOTH),
    says="only the first of the axes of length 1 is summed",
)
wrong(
    "unbroadcast",
    "no return where nothing was stretched",
    ("    return grad", "    if grad.shape != given:\n        return grad"),
    ("    while grad.ndim", "    given = grad.shape\n    while grad.ndim"),
    cause="none-returned",
    loses=ALL,
    says="returns None where grad has shape",
)

right(
    "unbroadcast",
    "one sum over a tuple of axes",
    source="""
    def unbroadcast(grad, shape):
        new = grad.ndim - len(shape)
        axes = list(range(new)) + [new + i for i, n in enumerate(shape) if n == 1]
        return grad.sum(axis=tuple(axes)).reshape(shape)
    """,
)
right(
    "unbroadcast",
    "the shape filled up with ones, then compared",
    source="""
    def unbroadcast(grad, shape):
        padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
        for axis in range(grad.ndim):
            if padded[axis] != grad.shape[axis]:
                grad = np.sum(grad, axis=axis, keepdims=True)
        return grad.reshape(shape)
    """,
)
right(
    "unbroadcast",
    "every signal added to the entry it came from",
    source="""
    def unbroadcast(grad, shape):
        new = grad.ndim - len(shape)
        result = np.zeros(shape)
        for index in np.ndindex(grad.shape):
            place = tuple(0 if n == 1 else i for i, n in zip(index[new:], shape))
            result[place] += grad[index]
        return result
    """,
)
right(
    "unbroadcast",
    "entries are numbered and counted",
    source="""
    def unbroadcast(grad, shape):
        size = int(np.prod(shape))
        numbers = np.broadcast_to(np.arange(size).reshape(shape), grad.shape)
        sums = np.bincount(numbers.ravel(), weights=grad.ravel(), minlength=size)
        return sums.reshape(shape).astype(float)
    """,
)
right(
    "unbroadcast",
    "a Python number for the shape ()",
    ("    return grad", "    return float(grad) if shape == () else grad"),
)

# ---------------------------------------------------------------- augmented, split_gradient

WB = "Wb = np.hstack([W, b.reshape(-1, 1)])"
X1 = "X1 = np.hstack([X, np.ones((len(X), 1))])"
SPLIT_DW = "dL_dW = dL_dWb[:, :-1]"
SPLIT_DB = "dL_db = dL_dWb[:, -1]"

wrong(
    "augmented",
    "zeros instead of ones",
    (X1, "X1 = np.hstack([X, np.zeros((len(X), 1))])"),
    cause="dropped-bias",
    loses=("X1",),
    says="holds zeros, so that b never enters",
)
wrong(
    "augmented",
    "zeros instead of b",
    (WB, "Wb = np.hstack([W, np.zeros((len(b), 1))])"),
    cause="dropped-bias",
    loses=("Wb",),
    says="column of Wb holds zeros",
)
wrong(
    "augmented",
    "the ones in the weights",
    (WB, "Wb = np.hstack([W, np.ones((len(b), 1))])"),
    cause="wrong-value",
    loses=("Wb",),
    says="that is the place of b",
)
wrong(
    "augmented",
    "b first, the ones last",
    (WB, "Wb = np.hstack([b.reshape(-1, 1), W])"),
    (SPLIT_DW, "dL_dW = dL_dWb[:, 1:]"),
    (SPLIT_DB, "dL_db = dL_dWb[:, 0]"),
    cause="wrong-value",
    loses=("X1",),
    says="b meets a column of X",
)
wrong(
    "augmented",
    "b last, the ones first",
    (X1, "X1 = np.hstack([np.ones((len(X), 1)), X])"),
    cause="wrong-value",
    loses=("X1",),
    says="b meets a column of X",
)
wrong(
    "augmented",
    "X without a new column",
    (X1, "X1 = X.copy()"),
    cause="wrong-shape",
    loses=("X1",),
    says="still has as many columns as X",
)
wrong(
    "augmented",
    "b with its sign turned",
    (WB, "Wb = np.hstack([W, -b.reshape(-1, 1)])"),
    cause="wrong-value",
    loses=("Wb",),
    says="Wb",
)
wrong(
    "augmented",
    "Wb laid out for X1 @ Wb",
    (WB, "Wb = np.vstack([W.T, b])"),
    cause="transpose",
    loses=("Wb",),
    says="rows and columns exchanged",
)
wrong(
    "augmented",
    "b as a new row",
    (WB, "Wb = np.vstack([W, b])"),
    cause="raises",
    loses=("Wb", "X1", ARGUMENTS),
    says="ValueError",
)
wrong(
    "augmented",
    "X1 before Wb in the return",
    ("return Wb, X1", "return X1, Wb"),
    cause="order-swapped",
    loses=("Wb", "X1", ARGUMENTS),
    says="changed places",
)
wrong(
    "augmented",
    "taken apart at the other end",
    (SPLIT_DW, "dL_dW = dL_dWb[:, 1:]"),
    (SPLIT_DB, "dL_db = dL_dWb[:, 0]"),
    cause="wrong-value",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="from the first column, and augmented has b in the last",
)
wrong(
    "augmented",
    "joined at the front, taken apart at the end",
    (WB, "Wb = np.hstack([b.reshape(-1, 1), W])"),
    (X1, "X1 = np.hstack([np.ones((len(X), 1)), X])"),
    cause="wrong-value",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="from the last column, and augmented has b in the first",
)
wrong(
    "augmented",
    "the gradient to b as a column",
    (SPLIT_DB, "dL_db = dL_dWb[:, -1:]"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="keeps an axis of length 1",
)
wrong(
    "augmented",
    "the gradient to W still holds that to b",
    (SPLIT_DW, "dL_dW = dL_dWb"),
    cause="wrong-shape",
    loses=("dL_dW",),
    says="column is still in it",
)
wrong(
    "augmented",
    "the last row taken for the last column",
    (SPLIT_DW, "dL_dW = dL_dWb[:-1]"),
    (SPLIT_DB, "dL_db = dL_dWb[-1]"),
    cause="wrong-shape",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="is expected",
)
wrong(
    "augmented",
    "the gradient's parts in the wrong order",
    ("return dL_dW, dL_db", "return dL_db, dL_dW"),
    cause="order-swapped",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="changed places",
)
wrong(
    "augmented",
    "three inputs, as in the worked example",
    (SPLIT_DW, "dL_dW = dL_dWb[:, :3]"),
    (SPLIT_DB, "dL_db = dL_dWb[:, 3]"),
    cause="raises",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="IndexError",
)
wrong(
    "augmented",
    "clears the gradient that was given",
    (SPLIT_DB, "dL_db = dL_dWb[:, -1].copy(); dL_dWb[:, -1] = 0"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="dL_dWb no longer holds",
)
wrong(
    "augmented",
    "clears the gradient that was given, at the front",
    (WB, "Wb = np.hstack([b.reshape(-1, 1), W])"),
    (X1, "X1 = np.hstack([np.ones((len(X), 1)), X])"),
    (SPLIT_DW, "dL_dW = dL_dWb[:, 1:]"),
    (SPLIT_DB, "dL_db = dL_dWb[:, 0].copy(); dL_dWb[:, 0] = 0"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="dL_dWb no longer holds",
)
wrong(
    "augmented",
    "lists",
    (X1, "X1 = [[*row, 1.0] for row in X]"),
    cause="wrong-type",
    loses=("X1",),
    says="a list",
)
wrong(
    "augmented",
    "nothing comes back from the split",
    ("return dL_dW, dL_db", "print(dL_dW, dL_db)"),
    cause="none-returned",
    loses=("dL_dW", "dL_db", ARGUMENTS),
    says="nothing is returned",
)
wrong(
    "augmented",
    "Tensors instead of arrays",
    (WB, "Wb = Tensor(np.hstack([W, b.reshape(-1, 1)]))"),
    cause="by-engine",
    loses=("Wb", "X1", ARGUMENTS),
    says="reference engine",
)

right(
    "augmented",
    "b and the ones in front",
    (WB, "Wb = np.hstack([b.reshape(-1, 1), W])"),
    (X1, "X1 = np.hstack([np.ones((len(X), 1)), X])"),
    (SPLIT_DW, "dL_dW = dL_dWb[:, 1:]"),
    (SPLIT_DB, "dL_db = dL_dWb[:, 0]"),
)
right(
    "augmented",
    "column_stack and copies",
    (WB, "Wb = np.column_stack([W, b])"),
    (X1, "X1 = np.column_stack([X, np.ones(len(X))])"),
    (SPLIT_DW, "dL_dW = dL_dWb[:, :-1].copy()"),
    (SPLIT_DB, "dL_db = dL_dWb[:, -1].copy()"),
)
right(
    "augmented",
    "filled in",
    source="""
    def augmented(W, b, X):
        m, n = W.shape
        Wb, X1 = np.empty((m, n + 1)), np.ones((len(X), n + 1))
        Wb[:, :n], Wb[:, n] = W, b
        X1[:, :n] = X
        return Wb, X1

    def split_gradient(dL_dWb):
        n = dL_dWb.shape[1] - 1
        return dL_dWb[:, :n], dL_dWb[:, n]
    """,
)
right(
    "augmented",
    "np.insert and np.delete",
    (WB, "Wb = np.insert(W, 0, b, axis=1)"),
    (X1, "X1 = np.insert(X, 0, 1.0, axis=1)"),
    (SPLIT_DW, "dL_dW = np.delete(dL_dWb, 0, axis=1)"),
    (SPLIT_DB, "dL_db = dL_dWb.T[0]"),
)
right(
    "augmented",
    "lists, converted at the end",
    (WB, "Wb = np.array([[*row, bias] for row, bias in zip(W, b)])"),
    (X1, "X1 = np.array([[*row, 1.0] for row in X])"),
    (SPLIT_DB, "dL_db = np.array([row[-1] for row in dL_dWb])"),
)
