"""Lesson 02: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/02_vectorized`. Under each exercise the
slips of the mathematics come first, then what is wrong with the result as an object, then the
answers that were never worked out, then right answers in other styles.
"""

from . import ALL, right, wrong

ARGUMENTS = "arguments left alone"


# ---------------------------------------------------------------- norm_sq: f = ‖Wx‖²

F = "f = float(np.sum(a**2))"

wrong(
    "norm_sq",
    "the norm, not its square",
    (F, "f = float(np.linalg.norm(a))"),
    cause="wrong-value",
    loses=("f",),
    says="the root is taken",
)
wrong(
    "norm_sq",
    "the entries of a are added up, not their squares",
    (F, "f = float(np.sum(a))"),
    cause="wrong-value",
    loses=("f",),
    says="without being squared",
)
wrong(
    "norm_sq",
    "the square of the sum",
    (F, "f = float(np.sum(a)) ** 2"),
    cause="wrong-value",
    loses=("f",),
    says="squared afterwards",
)
wrong(
    "norm_sq",
    "the mean of the squares",
    (F, "f = float(np.mean(a**2))"),
    cause="wrong-value",
    loses=("f",),
    says="mean is taken in place of the sum",
)
wrong(
    "norm_sq",
    "half of the squares, as in a loss",
    (F, "f = 0.5 * float(np.sum(a**2))"),
    cause="factor",
    loses=("f",),
    says="exactly half",
)
wrong(
    "norm_sq",
    "f is the (1, 1) product of a row and a column",
    (F, "f = a.T @ a"),
    cause="wrong-shape",
    loses=("f",),
    says="should be a single number",
)
wrong(
    "norm_sq",
    "Python's sum over rows leaves an array",
    (F, "f = sum(a**2)"),
    cause="wrong-shape",
    loses=("f",),
    says="should be a single number",
)
wrong(
    "norm_sq",
    "f as an outer product",
    (F, "f = a @ a.T"),
    cause="wrong-shape",
    loses=("f",),
    says="should be a single number",
)
wrong(
    "norm_sq",
    "a flattened",
    ("return f, a", "return f, a.ravel()"),
    cause="wrong-shape",
    loses=("a",),
    says="has shape",
)
wrong(
    "norm_sq",
    "a as a row",
    ("return f, a", "return f, a.T"),
    cause="transpose",
    loses=("a",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq",
    "a as a list",
    ("return f, a", "return f, a.tolist()"),
    cause="wrong-type",
    loses=("a",),
    says="a list of",
)
wrong(
    "norm_sq",
    "a in float32",
    ("return f, a", "return f, a.astype(np.float32)"),
    cause="wrong-type",
    loses=("a",),
    says="float32",
)
wrong(
    "norm_sq",
    "squared in place, so that a is gone",
    (F, "a *= a\n    f = float(np.sum(a))"),
    cause="wrong-value",
    loses=("a",),
    says="a is not what",
)
wrong(
    "norm_sq",
    "x is moved with += on the way",
    ("a = W @ x", "x += 0.0\n    x *= 2.0\n    a = W @ x / 2.0"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="x no longer holds",
)
wrong(
    "norm_sq",
    "the product of the shapes the wrong way round",
    ("a = W @ x", "a = x @ W"),
    cause="raises",
    loses=ALL,
    says="ValueError",
)
wrong(
    "norm_sq",
    "the elementwise product",
    ("a = W @ x", "a = W * x.T"),
    cause="wrong-value",
    loses=ALL,
    says="entry by entry",
)
wrong(
    "norm_sq",
    "a and f change places",
    ("return f, a", "return a, f"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
wrong(
    "norm_sq",
    "f alone",
    ("return f, a", "return f"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
wrong(
    "norm_sq",
    "printed, not returned",
    ("return f, a", "print(f, a)"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "norm_sq",
    "the notebook's W and x",
    source="""
    import numpy as np

    W0 = np.array([[0.5, -0.18, 0.2], [1.5, 0.93, 1.6]])
    x0 = np.array([[1.0], [2.0], [3.0]])

    def norm_sq(W, x):
        a = W0 @ x0
        return float(np.sum(a**2)), a
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "norm_sq",
    "the loop of the text, with its 2 and its 3",
    source="""
    import numpy as np

    def norm_sq(W, x):
        a = np.zeros((2, 1))
        for i in range(2):
            for j in range(3):
                a[i, 0] += W[i, j] * x[j, 0]
        return a[0, 0] ** 2 + a[1, 0] ** 2, a
    """,
    cause="raises",
    loses=ALL,
    says="IndexError",
)
wrong(
    "norm_sq",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def norm_sq(W, x):
        a = Tensor(W) @ Tensor(x)
        return (a**2).sum().item(), a.data
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
right("norm_sq", "the number taken out of aᵀa", (F, "f = (a.T @ a).item()"))
right("norm_sq", "aᵀa, first entry", (F, "f = (a.T @ a)[0, 0]"))
right("norm_sq", "the norm, squared", (F, "f = np.linalg.norm(a) ** 2"))
right("norm_sq", "vdot, as a 0-d array", (F, "f = np.array(np.vdot(a, a))"))
right(
    "norm_sq",
    "loops",
    source="""
    import numpy as np

    def norm_sq(W, x):
        m, n = W.shape
        a = np.zeros((m, 1))
        f = 0.0
        for i in range(m):
            for j in range(n):
                a[i, 0] += W[i, j] * x[j, 0]
            f += a[i, 0] ** 2
        return f, a
    """,
)
right(
    "norm_sq",
    "einsum, and a helper",
    source="""
    import numpy as np

    def apply(W, x):
        return np.einsum("ij,jk->ik", W, x)

    def norm_sq(W, x):
        a = apply(W, x)
        return np.einsum("ik,ik->", a, a), a
    """,
)

# ---------------------------------------------------------------- norm_sq_grads

DA = "df_da = 2.0 * a"
DW = "df_dW = df_da @ x.T"
DX = "df_dx = W.T @ df_da"
THREE = "return df_da, df_dW, df_dx"

wrong(
    "norm_sq_grads",
    "the 2 is missing",
    (DA, "df_da = a"),
    cause="factor",
    loses=ALL,
    says="exactly half",
)
wrong(
    "norm_sq_grads",
    "the 2 is missing where the signal goes on",
    (DW, "df_dW = a @ x.T"),
    (DX, "df_dx = W.T @ a"),
    cause="factor",
    loses=("df_dW", "df_dx"),
    says="exactly half",
)
wrong(
    "norm_sq_grads",
    "the 2 is multiplied in twice",
    (DX, "df_dx = 2.0 * W.T @ df_da"),
    cause="factor",
    loses=("df_dx",),
    says="exactly twice",
)
wrong(
    "norm_sq_grads",
    "the sign is turned",
    (DA, "df_da = -2.0 * a"),
    cause="sign",
    loses=ALL,
    says="sign",
)
wrong(
    "norm_sq_grads",
    "the signal is ignored at W",
    (DW, "df_dW = np.ones_like(a) @ x.T"),
    cause="upstream-ignored",
    loses=("df_dW",),
    says="matrix product",
)
wrong(
    "norm_sq_grads",
    "the signal is ignored at W and at x",
    (DW, "df_dW = np.ones_like(a) @ x.T"),
    (DX, "df_dx = W.T @ np.ones_like(a)"),
    cause="upstream-ignored",
    loses=("df_dW", "df_dx"),
    says="not multiplied in",
)
wrong(
    "norm_sq_grads",
    "x is left out of the gradient to W",
    (DW, "df_dW = df_da @ np.ones_like(x.T)"),
    cause="missing-local",
    loses=("df_dW",),
    says="x is left out",
)
wrong(
    "norm_sq_grads",
    "W in the place of x",
    (DW, "df_dW = df_da * W"),
    cause="wrong-value",
    loses=("df_dW",),
    says="W itself",
)
wrong(
    "norm_sq_grads",
    "the gradient to W transposed",
    (DW, "df_dW = x @ df_da.T"),
    cause="transpose",
    loses=("df_dW",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_grads",
    "the gradient to x as a paper row",
    (DX, "df_dx = df_da.T @ W"),
    cause="transpose",
    loses=("df_dx",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_grads",
    "all vectors as paper rows",
    (THREE, "return df_da.T, df_dW, df_dx.T"),
    cause="transpose",
    loses=("df_da", "df_dx"),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_grads",
    "a reshape in the place of a transpose",
    (DW, "df_dW = (x @ df_da.T).reshape(W.shape)"),
    cause="wrong-value",
    loses=("df_dW",),
    says="df_dW",
)
wrong(
    "norm_sq_grads",
    "W is not transposed",
    (DX, "df_dx = W @ df_da"),
    cause="square-only",
    loses=ALL,
    says="raises ValueError",
)
wrong(
    "norm_sq_grads",
    "W is not transposed, and elementwise with a sum over the wrong axis",
    (DX, "df_dx = (W * df_da).sum(axis=1, keepdims=True)"),
    cause="wrong-shape",
    loses=("df_dx",),
    says="shape",
)
wrong(
    "norm_sq_grads",
    "only the last path to x is kept",
    (DX, "for i in range(len(W)):\n        df_dx = W[i : i + 1].T * df_da[i]"),
    cause="overwrite-not-accumulate",
    loses=("df_dx",),
    says="only the path through the last entry of a",
)
wrong(
    "norm_sq_grads",
    "the loop runs to the number of columns in both directions",
    (
        DW,
        "df_dW = np.zeros(W.shape)\n"
        "    for i in range(W.shape[1]):\n"
        "        for j in range(W.shape[1]):\n"
        "            df_dW[i, j] = df_da[i, 0] * x[j, 0]",
    ),
    cause="raises",
    loses=ALL,
    says="IndexError",
)
wrong(
    "norm_sq_grads",
    "the loop runs over the square part of W",
    (
        DW,
        "df_dW = np.zeros(W.shape)\n"
        "    for i in range(min(W.shape)):\n"
        "        for j in range(min(W.shape)):\n"
        "            df_dW[i, j] = df_da[i, 0] * x[j, 0]",
    ),
    cause="square-only",
    loses=("df_dW",),
    says="matrix is square",
)
wrong(
    "norm_sq_grads",
    "df_da as a flat vector",
    (THREE, "return df_da.ravel(), df_dW, df_dx"),
    cause="wrong-shape",
    loses=("df_da",),
    says="has shape",
)
wrong(
    "norm_sq_grads",
    "lists",
    (THREE, "return df_da.tolist(), df_dW.tolist(), df_dx.tolist()"),
    cause="wrong-type",
    loses=ALL,
    says="a list of",
)
wrong(
    "norm_sq_grads",
    "rounded as on paper",
    (DW, "df_dW = np.round(df_da @ x.T, 2)"),
    cause="imprecise",
    loses=("df_dW",),
    says="2 decimals",
)
wrong(
    "norm_sq_grads",
    "gradients as integers",
    (DW, "df_dW = (df_da @ x.T).astype(int)"),
    cause="wrong-type",
    loses=("df_dW",),
    says="int64",
)
wrong(
    "norm_sq_grads",
    "the gradient to x is never filled in",
    (DX, "df_dx = None"),
    cause="none-returned",
    loses=("df_dx",),
    says="df_dx is None",
)
wrong(
    "norm_sq_grads",
    "a division that gives nan where an entry is 0",
    (DA, "df_da = 2.0 * a**2 / a"),
    cause="non-finite",
    loses=ALL,
    says="not a finite number",
)
wrong(
    "norm_sq_grads",
    "order of the return",
    (THREE, "return df_da, df_dx, df_dW"),
    cause="order-swapped",
    loses=("df_dW", "df_dx"),
    says="changed places",
)
wrong(
    "norm_sq_grads",
    "f is returned as well",
    (THREE, "return float(np.sum(a**2)), df_da, df_dW, df_dx"),
    cause="wrong-type",
    loses=ALL,
    says="should return 3 things, and returns 4",
)
wrong(
    "norm_sq_grads",
    "x is doubled in place to save an array",
    (DW, "x *= 2.0\n    df_dW = a @ x.T"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="x no longer holds",
)
wrong(
    "norm_sq_grads",
    "gradients add up from call to call",
    source="""
    import numpy as np

    grads = {}

    def norm_sq_grads(W, x):
        df_da = 2 * W @ x
        key = W.shape
        grads[key] = grads.get(key, 0.0) + df_da @ x.T
        return df_da, grads[key], W.T @ df_da
    """,
    cause="state-leak",
    loses=("df_dW",),
    says="second time",
)
wrong(
    "norm_sq_grads",
    "the worked example typed in",
    source="""
    import numpy as np

    def norm_sq_grads(W, x):
        df_dW = np.array([[1.48, 2.96, 4.44], [16.32, 32.64, 48.96]])
        return np.array([[1.48], [16.32]]), df_dW, np.array([[25.22], [14.9112], [26.408]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "norm_sq_grads",
    "central differences",
    source="""
    import numpy as np

    def numerical(f, A, h=1e-5):
        grad = np.zeros(A.shape)
        for i in np.ndindex(A.shape):
            B = A.copy()
            B[i] += h
            up = f(B)
            B[i] -= 2 * h
            grad[i] = (up - f(B)) / (2 * h)
        return grad

    def norm_sq_grads(W, x):
        f = lambda W, x: np.sum((W @ x) ** 2)
        df_dW = numerical(lambda W: f(W, x), W)
        return 2 * W @ x, df_dW, numerical(lambda x: f(W, x), x)
    """,
    cause="imprecise",
    loses=("df_dW", "df_dx"),
    says="close, but not exact",
)
wrong(
    "norm_sq_grads",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def norm_sq_grads(W, x):
        W, x = Tensor(W, requires_grad=True), Tensor(x, requires_grad=True)
        a = (W @ x).retain_grad()
        (a**2).sum().backward()
        return a.grad, W.grad, x.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
right("norm_sq_grads", "np.outer", (DW, "df_dW = np.outer(df_da, x)"))
right("norm_sq_grads", "broadcasting", (DW, "df_dW = df_da * x.T"), (DX, "df_dx = (df_da.T @ W).T"))
right(
    "norm_sq_grads",
    "einsum",
    source="""
    import numpy as np

    def norm_sq_grads(W, x):
        s = 2 * np.einsum("ij,jk->ik", W, x)
        return s, np.einsum("ik,jk->ij", s, x), np.einsum("ij,ik->jk", W, s)
    """,
)
right(
    "norm_sq_grads",
    "loops over lists, converted at the end",
    source="""
    import numpy as np

    def norm_sq_grads(W, x):
        m, n = W.shape
        a = [sum(W[i][j] * x[j][0] for j in range(n)) for i in range(m)]
        df_dx = [0.0] * n
        for j in range(n):
            for i in range(m):
                df_dx[j] += 2 * a[i] * W[i][j]
        df_dW = [[2 * a[i] * x[j][0] for j in range(n)] for i in range(m)]
        return np.array([[2 * v] for v in a]), np.array(df_dW), np.array(df_dx).reshape(n, 1)
    """,
)
right(
    "norm_sq_grads",
    "WᵀW and xxᵀ",
    (DW, "df_dW = 2 * W @ (x @ x.T)"),
    (DX, "df_dx = 2 * (W.T @ W) @ x"),
)

# ---------------------------------------------------------------- norm_sq_row: a = xW

ROW_F = "f = float(np.sum(a * a))"
ROW_DA = "df_da = 2.0 * a"
ROW_DW = "df_dW = x.T @ df_da"
ROW_DX = "df_dx = df_da @ W.T"
ROW = "return f, df_dW, df_dx"

wrong(
    "norm_sq_row",
    "the 2 is missing",
    (ROW_DA, "df_da = a"),
    cause="factor",
    loses=("df_dW", "df_dx"),
    says="exactly half",
)
wrong(
    "norm_sq_row",
    "the sign is turned",
    (ROW_DA, "df_da = -2.0 * a"),
    cause="sign",
    loses=("df_dW", "df_dx"),
    says="sign",
)
wrong(
    "norm_sq_row",
    "the signal is ignored",
    (ROW_DW, "df_dW = x.T @ np.ones_like(a)"),
    (ROW_DX, "df_dx = np.ones_like(a) @ W.T"),
    cause="upstream-ignored",
    loses=("df_dW", "df_dx"),
    says="not multiplied in",
)
wrong(
    "norm_sq_row",
    "x is left out of the gradient to W",
    (ROW_DW, "df_dW = np.ones_like(x.T) @ df_da"),
    cause="missing-local",
    loses=("df_dW",),
    says="x is left out",
)
wrong(
    "norm_sq_row",
    "the gradient to W as for columns",
    (ROW_DW, "df_dW = df_da.T @ x"),
    cause="transpose",
    loses=("df_dW",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_row",
    "the gradient to x as a column",
    (ROW_DX, "df_dx = W @ df_da.T"),
    cause="transpose",
    loses=("df_dx",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_row",
    "a reshape in the place of a transpose",
    (ROW_DW, "df_dW = (df_da.T @ x).reshape(W.shape)"),
    cause="wrong-value",
    loses=("df_dW",),
    says="df_dW",
)
wrong(
    "norm_sq_row",
    "W is not transposed",
    (ROW_DX, "df_dx = df_da @ W"),
    cause="square-only",
    loses=ALL,
    says="raises ValueError",
)
wrong(
    "norm_sq_row",
    "the order of the factors of the other form",
    (ROW_DW, "df_dW = df_da @ x.T"),
    cause="square-only",
    loses=ALL,
    says="raises ValueError",
)
wrong(
    "norm_sq_row",
    "the arguments in the order of exercise 2",
    ("def norm_sq_row(x, W):", "def norm_sq_row(W, x):"),
    cause="raises",
    loses=ALL,
    says="ValueError",
)
wrong(
    "norm_sq_row",
    "f is a (1, 1) array",
    (ROW_F, "f = a @ a.T"),
    cause="wrong-shape",
    loses=("f",),
    says="single number",
)
wrong(
    "norm_sq_row",
    "f is the norm itself",
    (ROW_F, "f = float(np.linalg.norm(a))"),
    cause="wrong-value",
    loses=("f",),
    says="the root is taken",
)
wrong(
    "norm_sq_row",
    "df_dx flattened",
    (ROW, "return f, df_dW, df_dx[0]"),
    cause="wrong-shape",
    loses=("df_dx",),
    says="has shape",
)
wrong(
    "norm_sq_row",
    "the gradients in the order of the arguments",
    (ROW, "return f, df_dx, df_dW"),
    cause="order-swapped",
    loses=("df_dW", "df_dx"),
    says="changed places",
)
wrong(
    "norm_sq_row",
    "f is forgotten",
    (ROW, "return df_dW, df_dx"),
    cause="wrong-type",
    loses=ALL,
    says="should return 3 things, and returns 2",
)
wrong(
    "norm_sq_row",
    "W is scaled in place",
    (ROW_DX, "W *= 2.0\n    df_dx = a @ W.T"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="W no longer holds",
)
wrong(
    "norm_sq_row",
    "nothing is returned",
    (ROW, "return"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "norm_sq_row",
    "float32 on the way",
    (ROW_DX, "df_dx = (df_da.astype(np.float32) @ W.T.astype(np.float32)).astype(float)"),
    cause="imprecise",
    loses=("df_dx",),
    says="float32",
)
wrong(
    "norm_sq_row",
    "central differences",
    source="""
    import numpy as np

    def numerical(f, A, h=1e-5):
        grad = np.zeros(A.shape)
        for i in np.ndindex(A.shape):
            E = np.zeros(A.shape)
            E[i] = h
            grad[i] = (f(A + E) - f(A - E)) / (2 * h)
        return grad

    def norm_sq_row(x, W):
        f = lambda x, W: float(np.sum((x @ W) ** 2))
        return f(x, W), numerical(lambda W: f(x, W), W), numerical(lambda x: f(x, W), x)
    """,
    cause="imprecise",
    loses=("df_dW", "df_dx"),
    says="close, but not exact",
)
wrong(
    "norm_sq_row",
    "the worked example typed in",
    source="""
    import numpy as np

    def norm_sq_row(x, W):
        df_dW = np.array([[1.48, 16.32], [2.96, 32.64], [4.44, 48.96]])
        return 67.1332, df_dW, np.array([[25.22, 14.9112, 26.408]])
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "norm_sq_row",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def norm_sq_row(x, W):
        x, W = Tensor(x, requires_grad=True), Tensor(W, requires_grad=True)
        f = ((x @ W) ** 2).sum()
        f.backward()
        return f.item(), W.grad, x.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
right(
    "norm_sq_row",
    "np.outer, and a 0-d f",
    (ROW_F, "f = np.array(np.sum(a**2))"),
    (ROW_DW, "df_dW = np.outer(x, df_da)"),
)
right(
    "norm_sq_row",
    "transposed twice",
    (ROW_DX, "df_dx = (W @ df_da.T).T"),
    (ROW_DW, "df_dW = (df_da.T @ x).T"),
)
right(
    "norm_sq_row",
    "by exercise 2, lying on its side",
    source="""
    import numpy as np

    def norm_sq_grads(W, x):
        s = 2 * W @ x
        return s, s @ x.T, W.T @ s

    def norm_sq_row(x, W):
        _, dW, dx = norm_sq_grads(W.T, x.T)
        return np.linalg.norm(x @ W) ** 2, dW.T, dx.T
    """,
)
right(
    "norm_sq_row",
    "index by index",
    source="""
    import numpy as np

    def norm_sq_row(x, W):
        n, m = W.shape
        a = [sum(x[0, i] * W[i, j] for i in range(n)) for j in range(m)]
        dW, dx = np.zeros((n, m)), np.zeros((1, n))
        for i in range(n):
            for j in range(m):
                dW[i, j] = 2 * a[j] * x[0, i]
                dx[0, i] += 2 * a[j] * W[i, j]
        return sum(v * v for v in a), dW, dx
    """,
)

# ---------------------------------------------------------------- gradient_shape

# One function of shapes and two words has few ways to go wrong; these are they.
CODE, COLUMNS, OTHERS = "code layout", "columns on paper", "numbers and matrices on paper"
PAPER = 'if layout == "paper" and is_column:'
LAID = "k = shape[0]\n        return (1, k)"

wrong(
    "gradient_shape",
    "a column stays a column on paper",
    (LAID, "return shape"),
    cause="wrong-shape",
    loses=(COLUMNS,),
    says="keeps the shape of the column",
)
wrong(
    "gradient_shape",
    "the two layouts are taken for each other",
    (PAPER, 'if layout == "code" and is_column:'),
    cause="wrong-shape",
    loses=(CODE, COLUMNS),
    says="belongs to the other layout",
)
wrong(
    "gradient_shape",
    "the layout is ignored",
    (PAPER, "if is_column:"),
    cause="wrong-shape",
    loses=(CODE,),
    says="laid on its side",
)
wrong(
    "gradient_shape",
    "matrices are transposed on paper too",
    (PAPER, 'if layout == "paper" and len(shape) == 2:'),
    (LAID, "return shape[::-1]"),
    cause="transpose",
    loses=(OTHERS,),
    says="gradient to a matrix is transposed",
)
wrong(
    "gradient_shape",
    "matrices are transposed in both layouts",
    ("    return shape\n    ### END", "    return shape[::-1]\n    ### END"),
    cause="wrong-shape",
    loses=(CODE, OTHERS),
    says="column in code layout",
)
wrong(
    "gradient_shape",
    "a matrix with one row is taken for a vector",
    ("shape[1] == 1", "1 in shape"),
    (LAID, "return shape[::-1]"),
    cause="wrong-shape",
    loses=(OTHERS,),
    says="matrix that has one row",
)
wrong(
    "gradient_shape",
    "the column is read off the first entry",
    ("shape[1] == 1", "shape[0] == 1"),
    (LAID, "return shape[::-1]"),
    cause="wrong-shape",
    loses=(COLUMNS, OTHERS),
    says="column",
)
wrong(
    "gradient_shape",
    "numbers are (1,)",
    ("is_column =", "if shape == ():\n        return (1,)\n    is_column ="),
    cause="wrong-shape",
    loses=(CODE, OTHERS),
    says="shape with entries",
)
wrong(
    "gradient_shape",
    "numbers are (1, 1)",
    ("is_column =", "if shape == ():\n        return (1, 1)\n    is_column ="),
    cause="wrong-shape",
    loses=(CODE, OTHERS),
    says="(1, 1) matrix",
)
wrong(
    "gradient_shape",
    "the vectors of NumPy, with one axis",
    (LAID, "return (shape[0],)"),
    cause="wrong-shape",
    loses=(COLUMNS,),
    says="axis of length 1 is dropped",
)
wrong(
    "gradient_shape",
    "numbers are not thought of",
    ("is_column = len(shape) == 2 and shape[1] == 1", "m, n = shape\n    is_column = n == 1"),
    cause="raises",
    loses=ALL,
    says="not enough values to unpack",
)
wrong(
    "gradient_shape",
    "the last entry of a number's shape",
    ("len(shape) == 2 and shape[1] == 1", "shape[-1] == 1"),
    cause="raises",
    loses=ALL,
    says="IndexError",
)
wrong(
    "gradient_shape",
    "a list",
    (LAID, "return [1, shape[0]]"),
    cause="wrong-type",
    loses=(COLUMNS,),
    says="should be a tuple",
)
wrong(
    "gradient_shape",
    "a text",
    (LAID, 'return f"(1, {shape[0]})"'),
    cause="wrong-type",
    loses=(COLUMNS,),
    says="a str",
)
wrong(
    "gradient_shape",
    "an array of that shape",
    ("    return shape\n    ### END", "    return np.zeros(shape)\n    ### END"),
    cause="wrong-type",
    loses=(CODE, OTHERS),
    says="should be a tuple",
)
wrong(
    "gradient_shape",
    "the number of entries",
    (LAID, "return shape[0]"),
    cause="wrong-type",
    loses=(COLUMNS,),
    says="should be a tuple",
)
wrong(
    "gradient_shape",
    "the second layout is forgotten",
    (
        "    return shape\n    ### END",
        '    if layout == "code":\n        return shape\n    ### END',
    ),
    cause="none-returned",
    loses=(OTHERS,),
    says="None",
)
wrong(
    "gradient_shape",
    "the examples of the hint typed in",
    (LAID, "return (1, 5)"),
    cause="hard-coded",
    loses=(COLUMNS,),
    says="whatever the arguments are",
)
wrong(
    "gradient_shape",
    "printed, not returned",
    source="""
    def gradient_shape(shape, layout):
        print(shape if layout == "code" else shape[::-1])
    """,
    cause="none-returned",
    loses=ALL,
    says="None",
)
right(
    "gradient_shape",
    "by an array that is transposed",
    source="""
    import numpy as np

    def gradient_shape(shape, layout):
        thing = np.zeros(shape)
        column = thing.ndim == 2 and thing.shape[-1] == 1
        return thing.T.shape if column and layout == "paper" else thing.shape
    """,
)
right(
    "gradient_shape",
    "pattern matching",
    source="""
    def gradient_shape(shape, layout):
        match layout, shape:
            case "paper", (k, 1):
                return 1, k
            case _:
                return shape
    """,
)
right(
    "gradient_shape",
    "NumPy integers in the tuple",
    source="""
    import numpy as np

    def gradient_shape(shape, layout):
        if layout == "code" or not shape:
            return tuple(shape)
        m, n = np.array(shape)
        return (n, m) if n == 1 else (m, n)
    """,
)

# ---------------------------------------------------------------- numerical_gradient

GRADIENT, AFTER = "gradient", "A afterwards"
UP = "A[place] = kept + h"
DOWN = "A[place] = kept - h"
BACK = "        A[place] = kept\n"
QUOTIENT = "gradient[place] = (f_up - f_down) / (2 * h)"

wrong(
    "numerical_gradient",
    "forward differences",
    (DOWN, "A[place] = kept"),
    (QUOTIENT, "gradient[place] = (f_up - f_down) / h"),
    cause="imprecise",
    loses=(GRADIENT,),
    says="at A itself",
)
wrong(
    "numerical_gradient",
    "backward differences",
    (UP, "A[place] = kept"),
    (QUOTIENT, "gradient[place] = (f_up - f_down) / h"),
    cause="imprecise",
    loses=(GRADIENT,),
    says="at A itself",
)
wrong(
    "numerical_gradient",
    "the step down ends where the entry was",
    (UP, "A[place] += h"),
    (DOWN, "A[place] -= h"),
    cause="wrong-value",
    loses=(GRADIENT,),
    says="only leads back",
)
wrong(
    "numerical_gradient",
    "divided by h instead of 2h",
    (QUOTIENT, "gradient[place] = (f_up - f_down) / h"),
    cause="factor",
    loses=(GRADIENT,),
    says="not the whole run",
)
wrong(
    "numerical_gradient",
    "brackets forgotten: divided by 2, multiplied by h",
    (QUOTIENT, "gradient[place] = (f_up - f_down) / 2 * h"),
    cause="wrong-value",
    loses=(GRADIENT,),
    says="multiplied by h",
)
wrong(
    "numerical_gradient",
    "not divided at all",
    (QUOTIENT, "gradient[place] = f_up - f_down"),
    cause="factor",
    loses=(GRADIENT,),
    says="not divided by the run",
)
wrong(
    "numerical_gradient",
    "down minus up",
    (QUOTIENT, "gradient[place] = (f_down - f_up) / (2 * h)"),
    cause="sign",
    loses=(GRADIENT,),
    says="opposite sign",
)
wrong(
    "numerical_gradient",
    "h is ignored",
    ("    gradient = np.zeros", "    h = 1e-5\n    gradient = np.zeros"),
    cause="wrong-value",
    loses=(GRADIENT,),
    says="whatever h is",
)
wrong(
    "numerical_gradient",
    "another default for h",
    ("h=1e-5", "h=1e-2"),
    cause="wrong-value",
    loses=(GRADIENT,),
    says="where no h is given",
)
wrong(
    "numerical_gradient",
    "entries are not put back",
    (BACK, ""),
    cause="wrong-value",
    loses=(GRADIENT, AFTER),
    says="not put back",
)
wrong(
    "numerical_gradient",
    "put back by adding h again",
    (DOWN, "A[place] = A[place] - 2 * h"),
    (BACK, "        A[place] = A[place] + h\n"),
    (UP, "A[place] = A[place] + h"),
    cause="mutates-argument",
    loses=(AFTER,),
    says="does not come back exactly",
)
wrong(
    "numerical_gradient",
    "all entries are moved at once",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        return np.full(A.shape, (f(A + h) - f(A - h)) / (2 * h))
    """,
    cause="wrong-value",
    loses=(GRADIENT,),
    says="all entries are moved at once",
)
wrong(
    "numerical_gradient",
    "one number for the whole array",
    source="""
    def numerical_gradient(f, A, h=1e-5):
        return (f(A + h) - f(A - h)) / (2 * h)
    """,
    cause="wrong-type",
    loses=(GRADIENT,),
    says="moved at once",
)
wrong(
    "numerical_gradient",
    "only matrices",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        m, n = A.shape
        gradient = np.zeros((m, n))
        for i in range(m):
            for j in range(n):
                E = np.zeros((m, n))
                E[i, j] = h
                gradient[i, j] = (f(A + E) - f(A - E)) / (2 * h)
        return gradient
    """,
    cause="raises",
    loses=ALL,
    says="values to unpack",
)
wrong(
    "numerical_gradient",
    "rows are moved as wholes",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        gradient = np.zeros(A.shape)
        for i in range(A.shape[0] if A.ndim else 0):
            up, down = A.copy(), A.copy()
            up[i] += h
            down[i] -= h
            gradient[i] = (f(up) - f(down)) / (2 * h)
        return gradient
    """,
    cause="wrong-value",
    loses=(GRADIENT,),
    says="gradient is",
)
wrong(
    "numerical_gradient",
    "a flat copy is moved",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        flat = A.reshape(-1)
        gradient = np.zeros(flat.shape)
        for i in range(flat.size):
            kept = flat[i]
            flat[i] = kept + h
            up = f(A)
            flat[i] = kept - h
            gradient[i] = (up - f(A)) / (2 * h)
            flat[i] = kept
        return gradient.reshape(A.shape)
    """,
    cause="wrong-value",
    loses=(GRADIENT,),
    says="a copy is moved",
)
wrong(
    "numerical_gradient",
    "the result is left flat",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        gradient = []
        for i in range(A.size):
            E = np.zeros(A.size)
            E[i] = h
            E = E.reshape(A.shape)
            gradient.append((f(A + E) - f(A - E)) / (2 * h))
        return np.array(gradient)
    """,
    cause="wrong-shape",
    loses=(GRADIENT,),
    says="has shape",
)
wrong(
    "numerical_gradient",
    "the result is a list",
    ("return gradient\n", "return gradient.tolist()\n"),
    cause="wrong-type",
    loses=(GRADIENT,),
    says="a list of",
)
wrong(
    "numerical_gradient",
    "the results are put into A itself",
    ("gradient = np.zeros(A.shape)", "gradient = A"),
    cause="wrong-value",
    loses=(GRADIENT, AFTER),
    says="A",
)
wrong(
    "numerical_gradient",
    "an array of integers for the results",
    ("gradient = np.zeros(A.shape)", "gradient = np.zeros(A.shape, dtype=int)"),
    cause="wrong-type",
    loses=(GRADIENT,),
    says="int64",
)
wrong(
    "numerical_gradient",
    "returned from inside the loop",
    ("    return gradient\n", "        return gradient\n"),
    cause="wrong-value",
    loses=(GRADIENT,),
    says="gradient is",
)
wrong(
    "numerical_gradient",
    "nothing is returned",
    ("return gradient\n", "gradient\n"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "numerical_gradient",
    "the kit's own referee",
    source="""
    def numerical_gradient(f, A, h=1e-5):
        from backprop_kit import numerical_gradient

        return numerical_gradient(f, A, h)
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "numerical_gradient",
    "a while loop whose counter never moves",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        gradient = np.zeros(A.shape)
        i = 0
        while i < A.size:
            E = np.zeros(A.shape)
            E.flat[i] = h
            gradient.flat[i] = (f(A + E) - f(A - E)) / (2 * h)
        return gradient
    """,
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
wrong(
    "numerical_gradient",
    "the result of an earlier call is kept",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5, known={}):
        gradient = known.setdefault(A.shape, np.zeros(A.shape))
        for i in np.ndindex(A.shape):
            E = np.zeros(A.shape)
            E[i] = h
            gradient[i] += (f(A + E) - f(A - E)) / (2 * h)
        return gradient
    """,
    cause="state-leak",
    loses=(GRADIENT,),
    says="second time",
)
right(
    "numerical_gradient",
    "E is added to A",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        gradient = np.empty_like(A)
        for i in np.ndindex(*A.shape):
            E = np.zeros_like(A)
            E[i] = h
            gradient[i] = (f(A + E) - f(A - E)) / (2 * h)
        return gradient
    """,
)
right(
    "numerical_gradient",
    "nditer with multi_index",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        gradient = np.zeros_like(A)
        it = np.nditer(A, flags=["multi_index"], op_flags=["readwrite"])
        while not it.finished:
            ix = it.multi_index
            old = A[ix].copy()
            A[ix] = old + h
            up = float(f(A))
            A[ix] = old - h
            down = float(f(A))
            A[ix] = old
            gradient[ix] = (up - down) / (2 * h)
            it.iternext()
        return gradient
    """,
)
right(
    "numerical_gradient",
    "flat, and a list shaped at the end",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        slopes = []
        for i in range(A.size):
            up, down = A.copy(), A.copy()
            up.flat[i] += h
            down.flat[i] -= h
            slopes.append((f(up) - f(down)) / (2 * h))
        return np.array(slopes).reshape(A.shape)
    """,
)
right(
    "numerical_gradient",
    "the whole restored from a copy at the end",
    source="""
    import numpy as np

    def numerical_gradient(f, A, h=1e-5):
        start = A.copy()
        out = np.zeros(A.shape)
        for i, _ in np.ndenumerate(start):
            A[i] += h
            out[i] = f(A)
            A[...] = start
            A[i] -= h
            out[i] -= f(A)
            A[...] = start
        return np.asarray(out / (2 * h))
    """,
)

# ---------------------------------------------------------------- jacobian

JW, VJP, NEVER = "jacobian_Wx", "vjp_Wx", "never built"
JW_LEAVES, VJP_LEAVES = (f"{name} leaves its arguments alone" for name in (JW, VJP))
FILL = "jacobian[k, k, :] = x[:, 0]"
PRODUCT = "dW = g @ x.T"

wrong(
    "jacobian",
    "x stands in every row",
    (FILL, "jacobian[k, :, :] = x[:, 0]"),
    cause="wrong-value",
    loses=(JW, JW_LEAVES),
    says="depend on every row",
)
wrong(
    "jacobian",
    "W in the place of x",
    (FILL, "jacobian[k, k, :] = W[k]"),
    cause="wrong-value",
    loses=(JW, JW_LEAVES),
    says="weights stand where the inputs belong",
)
wrong(
    "jacobian",
    "the output's index last",
    ("np.zeros((m, m, n))", "np.zeros((m, n, m))"),
    (FILL, "jacobian[k, :, k] = x[:, 0]"),
    cause="wrong-shape",
    loses=(JW, JW_LEAVES),
    says="index of the output stands last",
)
wrong(
    "jacobian",
    "the two indices of W run together",
    ("return jacobian\n", "return jacobian.reshape(m, m * n)\n"),
    cause="wrong-shape",
    loses=(JW, JW_LEAVES),
    says="run together",
)
wrong(
    "jacobian",
    "the derivative by x",
    ("return jacobian\n", "return W\n"),
    cause="wrong-shape",
    loses=(JW, JW_LEAVES),
    says="differentiated by x",
)
wrong(
    "jacobian",
    "without the zeros",
    ("return jacobian\n", "return np.repeat(x.T, m, axis=0)\n"),
    cause="wrong-shape",
    loses=(JW, JW_LEAVES),
    says="zeros are left out",
)
wrong(
    "jacobian",
    "ones where x belongs",
    (FILL, "jacobian[k, k, :] = 1.0"),
    cause="wrong-value",
    loses=(JW, JW_LEAVES),
    says="da_dW",
)
wrong(
    "jacobian",
    "an array of integers",
    ("np.zeros((m, m, n))", "np.zeros((m, m, n), dtype=int)"),
    cause="wrong-type",
    loses=(JW, JW_LEAVES),
    says="int64",
)
wrong(
    "jacobian",
    "m and n confused in the loop",
    ("for k in range(m):", "for k in range(n):"),
    cause="square-only",
    loses=(JW, JW_LEAVES),
    says="IndexError",
)
wrong(
    "jacobian",
    "the column is not flattened",
    (FILL, "jacobian[k, k, :] = x"),
    cause="raises",
    loses=(JW, JW_LEAVES),
    says="could not broadcast",
)
wrong(
    "jacobian",
    "x becomes the buffer for the rows",
    (FILL, "x += 0.5\n        jacobian[k, k, :] = x[:, 0] - 0.5\n        x -= 0.25"),
    ("jacobian = np.zeros((m, m, n))", "jacobian, x0 = np.zeros((m, m, n)), x.copy()"),
    ("    return jacobian\n", "        jacobian[k, k, :] = x0[:, 0]\n    return jacobian\n"),
    cause="mutates-argument",
    loses=(JW_LEAVES,),
    says="x no longer holds",
)
wrong(
    "jacobian",
    "the signal is ignored",
    (PRODUCT, "dW = np.ones_like(g) @ x.T"),
    cause="upstream-ignored",
    loses=(VJP,),
    says="signal you are given is left out",
)
wrong(
    "jacobian",
    "x is left out",
    (PRODUCT, "dW = g @ np.ones_like(x.T)"),
    cause="missing-local",
    loses=(VJP,),
    says="x is left out",
)
wrong(
    "jacobian",
    "the 2 of ‖Wx‖² is in it",
    (PRODUCT, "dW = 2 * g @ x.T"),
    cause="factor",
    loses=(VJP,),
    says="exactly twice",
)
wrong(
    "jacobian",
    "the contraction transposed",
    (PRODUCT, "dW = x @ g.T"),
    cause="transpose",
    loses=(VJP,),
    says="rows and columns exchanged",
)
wrong(
    "jacobian",
    "a reshape in the place of a transpose",
    (PRODUCT, "dW = (x @ g.T).reshape(len(g), len(x))"),
    cause="wrong-value",
    loses=(VJP,),
    says="vjp_Wx(g, x)",
)
wrong(
    "jacobian",
    "the sign is turned",
    (PRODUCT, "dW = -g @ x.T"),
    cause="sign",
    loses=(VJP,),
    says="opposite sign",
)
wrong(
    "jacobian",
    "the inner product",
    (PRODUCT, "dW = g.T @ x"),
    cause="raises",
    loses=(VJP, NEVER, VJP_LEAVES),
    says="ValueError",
)
wrong(
    "jacobian",
    "the Jacobian is built and contracted",
    (
        PRODUCT,
        "J = jacobian_Wx(np.zeros((len(g), len(x))), x)\n"
        '    dW = np.einsum("k,kij->ij", g[:, 0], J)',
    ),
    cause="keeps-too-much",
    loses=(NEVER,),
    says="room for the whole Jacobian",
)
wrong(
    "jacobian",
    "the Jacobian is built by np.eye",
    (PRODUCT, "dW = np.tensordot(g[:, 0], np.eye(len(g))[:, :, None] * x[:, 0], axes=1)"),
    cause="keeps-too-much",
    loses=(NEVER,),
    says="room for the whole Jacobian",
)
wrong(
    "jacobian",
    "every term of the sum is kept in a list",
    (
        PRODUCT,
        "terms = []\n"
        "    for k in range(len(g)):\n"
        "        term = np.zeros((len(g), len(x)))\n"
        "        term[k] = g[k] * x[:, 0]\n"
        "        terms.append(term)\n"
        "    dW = sum(terms)",
    ),
    cause="keeps-too-much",
    loses=(NEVER,),
    says="room for the whole Jacobian",
)
wrong(
    "jacobian",
    "g is multiplied in place",
    (PRODUCT, "g *= 1.5\n    dW = g @ x.T / 1.5"),
    cause="mutates-argument",
    loses=(VJP_LEAVES,),
    says="g no longer holds",
)
wrong(
    "jacobian",
    "the result of vjp_Wx is not returned",
    ("return dW\n", "dW\n"),
    cause="none-returned",
    loses=(VJP, NEVER, VJP_LEAVES),
    says="vjp_Wx returns None",
)
wrong(
    "jacobian",
    "vjp_Wx is left for later",
    (PRODUCT + "\n    return dW", "raise NotImplementedError()"),
    cause="not-implemented",
    loses=(VJP, NEVER, VJP_LEAVES),
    says="vjp_Wx still raises",
)
wrong(
    "jacobian",
    "the Jacobian is nudged",
    (
        FILL,
        "for j in range(n):\n"
        "            E = np.zeros((m, n))\n"
        "            E[k, j] = 1e-5\n"
        "            jacobian[:, k, j] = (((W + E) @ x - (W - E) @ x) / 2e-5)[:, 0]",
    ),
    cause="imprecise",
    loses=(JW, JW_LEAVES),
    says="close, but not exact",
)
wrong(
    "jacobian",
    "the engine does the work",
    (
        PRODUCT,
        "from backprop_kit import Tensor\n"
        "    W = Tensor(0 * g @ x.T, requires_grad=True)\n"
        "    (W @ x).backward(g)\n"
        "    dW = W.grad",
    ),
    cause="by-engine",
    loses=(VJP, NEVER, VJP_LEAVES),
    says="reference engine",
)

right("jacobian", "np.outer", (PRODUCT, "dW = np.outer(g, x)"))
right(
    "jacobian",
    "einsum, both",
    source="""
    import numpy as np

    def jacobian_Wx(W, x):
        return np.einsum("ki,j->kij", np.eye(len(W)), x[:, 0])

    def vjp_Wx(g, x):
        return np.einsum("ko,jo->kj", g, x)
    """,
)
right(
    "jacobian",
    "three loops, and lists",
    source="""
    import numpy as np

    def jacobian_Wx(W, x):
        m, n = W.shape
        return np.array(
            [[[x[j, 0] if i == k else 0.0 for j in range(n)] for i in range(m)] for k in range(m)]
        )

    def vjp_Wx(g, x):
        return np.array([[g[i, 0] * x[j, 0] for j in range(len(x))] for i in range(len(g))])
    """,
)
right(
    "jacobian",
    "one slice of the Jacobian at a time",
    source="""
    import numpy as np

    def jacobian_Wx(W, x):
        return np.eye(W.shape[0])[:, :, None] * x.reshape(1, 1, -1)

    def vjp_Wx(g, x):
        m, n = g.shape[0], x.shape[0]
        total = np.zeros((m, n))
        for k in range(m):
            slice_k = np.zeros((m, n))
            slice_k[k] = x[:, 0]
            total += g[k, 0] * slice_k
        return total
    """,
)

# ---------------------------------------------------------------- norm_sq_batch

BATCH_F = "f = float(np.sum(A**2) / N)"
BATCH_DA = "df_dA = 2.0 * A / N"
BATCH_DW = "df_dW = df_dA.T @ X"
BATCH_DX = "df_dX = df_dA @ W"
BATCH = "return f, df_dW, df_dX"

wrong(
    "norm_sq_batch",
    "the sum in the place of the mean, everywhere",
    (BATCH_F, "f = float(np.sum(A**2))"),
    (BATCH_DA, "df_dA = 2.0 * A"),
    cause="mean-vs-sum",
    loses=ALL,
    says="sum over the examples",
)
wrong(
    "norm_sq_batch",
    "the 1/N of the mean is forgotten in the signal",
    (BATCH_DA, "df_dA = 2.0 * A"),
    cause="mean-vs-sum",
    loses=("df_dW", "df_dX"),
    says="sum over the examples",
)
wrong(
    "norm_sq_batch",
    "divided by N twice on the way to W",
    (BATCH_DW, "df_dW = df_dA.T @ X / N"),
    cause="mean-vs-sum",
    loses=("df_dW",),
    says="number of examples",
)
wrong(
    "norm_sq_batch",
    "the mean over all entries",
    (BATCH_F, "f = float(np.mean(A**2))"),
    (BATCH_DA, "df_dA = 2.0 * A / A.size"),
    cause="mean-vs-sum",
    loses=ALL,
    says="not over its rows",
)
wrong(
    "norm_sq_batch",
    "the mean over all entries, in f alone",
    (BATCH_F, "f = float(np.mean(A**2))"),
    cause="mean-vs-sum",
    loses=("f",),
    says="not over its rows",
)
wrong(
    "norm_sq_batch",
    "the 2 is missing",
    (BATCH_DA, "df_dA = A / N"),
    cause="factor",
    loses=("df_dW", "df_dX"),
    says="exactly half",
)
wrong(
    "norm_sq_batch",
    "the sign is turned",
    (BATCH_DA, "df_dA = -2.0 * A / N"),
    cause="sign",
    loses=("df_dW", "df_dX"),
    says="sign",
)
wrong(
    "norm_sq_batch",
    "one gradient to W for each example",
    (BATCH_DW, 'df_dW = np.einsum("im,in->imn", df_dA, X)'),
    cause="no-batch-sum",
    loses=("df_dW",),
    says="one row for each example",
)
wrong(
    "norm_sq_batch",
    "in the loop = where += belongs",
    (
        BATCH_DW,
        "for i in range(N):\n        df_dW = df_dA[i : i + 1].T @ X[i : i + 1]",
    ),
    cause="overwrite-not-accumulate",
    loses=("df_dW",),
    says="only the last example",
)
wrong(
    "norm_sq_batch",
    "the examples are averaged first",
    (
        BATCH_DW,
        "middle = X.mean(axis=0, keepdims=True)\n    df_dW = 2.0 * (W @ middle.T) @ middle",
    ),
    cause="wrong-value",
    loses=("df_dW",),
    says="averaged first",
)
wrong(
    "norm_sq_batch",
    "the signal is ignored on the way to W",
    (BATCH_DW, "df_dW = np.ones_like(A).T @ X"),
    cause="upstream-ignored",
    loses=("df_dW",),
    says="not multiplied in",
)
wrong(
    "norm_sq_batch",
    "the gradient to W transposed",
    (BATCH_DW, "df_dW = X.T @ df_dA"),
    cause="transpose",
    loses=("df_dW",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_batch",
    "the gradient to X with the examples as columns",
    (BATCH_DX, "df_dX = W.T @ df_dA.T"),
    cause="transpose",
    loses=("df_dX",),
    says="rows and columns exchanged",
)
wrong(
    "norm_sq_batch",
    "the gradient to X is summed over the examples",
    (BATCH_DX, "df_dX = (df_dA @ W).sum(axis=0, keepdims=True)"),
    cause="single-only",
    loses=("df_dX",),
    says="are added up",
)
wrong(
    "norm_sq_batch",
    "W is not transposed",
    ("A = X @ W.T", "A = X @ W"),
    cause="raises",
    loses=ALL,
    says="matmul",
)
wrong(
    "norm_sq_batch",
    "only the first example is looked at",
    source="""
    import numpy as np

    def norm_sq_batch(W, X):
        x = X[:1].T
        a = W @ x
        return float(np.sum(a**2)), 2 * a @ x.T, 2 * (W.T @ a).T
    """,
    cause="single-only",
    loses=ALL,
    says="one example",
)
wrong(
    "norm_sq_batch",
    "f is an array of losses",
    (BATCH_F, "f = np.sum(A**2, axis=1)"),
    cause="wrong-shape",
    loses=("f",),
    says="single number",
)
wrong(
    "norm_sq_batch",
    "the gradients in the other order",
    (BATCH, "return f, df_dX, df_dW"),
    cause="order-swapped",
    loses=("df_dW", "df_dX"),
    says="changed places",
)
wrong(
    "norm_sq_batch",
    "X is divided by N in place",
    (BATCH_DW, "X /= N\n    df_dW = 2.0 * A.T @ X"),
    cause="mutates-argument",
    loses=(ARGUMENTS,),
    says="X no longer holds",
)
wrong(
    "norm_sq_batch",
    "nothing is returned",
    (BATCH, "return"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "norm_sq_batch",
    "gradients pile up in a default argument",
    ("def norm_sq_batch(W, X):", "def norm_sq_batch(W, X, sums={}):"),
    (BATCH, "sums[W.shape] = df_dW = df_dW + sums.get(W.shape, 0.0)\n    return f, df_dW, df_dX"),
    cause="state-leak",
    loses=("df_dW",),
    says="second time",
)
wrong(
    "norm_sq_batch",
    "central differences",
    source="""
    import numpy as np

    def numerical(f, A, h=1e-6):
        grad = np.zeros(A.shape)
        for i in np.ndindex(A.shape):
            E = np.zeros(A.shape)
            E[i] = h
            grad[i] = (f(A + E) - f(A - E)) / (2 * h)
        return grad

    def norm_sq_batch(W, X):
        f = lambda W, X: float(np.mean(np.sum((X @ W.T) ** 2, axis=1)))
        return f(W, X), numerical(lambda W: f(W, X), W), numerical(lambda X: f(W, X), X)
    """,
    cause="imprecise",
    loses=("df_dW", "df_dX"),
    says="close, but not exact",
)
wrong(
    "norm_sq_batch",
    "the worked example typed in",
    source="""
    import numpy as np

    W = np.array([[0.5, -0.18, 0.2], [1.5, 0.93, 1.6]])
    BATCH = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0], [0.5, -2.0, 1.0], [2.0, 1.0, -0.5]])

    def norm_sq_batch(W_, X_):
        A = BATCH @ W.T
        G = 2 * A / len(BATCH)
        return float(np.sum(A**2) / len(BATCH)), G.T @ BATCH, G @ W
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "norm_sq_batch",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def norm_sq_batch(W, X):
        W, X = Tensor(W, requires_grad=True), Tensor(X, requires_grad=True)
        f = ((X @ W.T) ** 2).sum() / len(X.data)
        f.backward()
        return f.item(), W.grad, X.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
right(
    "norm_sq_batch",
    "example by example, with exercise 2",
    source="""
    import numpy as np

    def norm_sq_batch(W, X):
        f, dW, dX = 0.0, np.zeros_like(W), np.zeros_like(X)
        for i, row in enumerate(X):
            x = row.reshape(-1, 1)
            a = W @ x
            f += (a.T @ a).item() / len(X)
            dW += 2 * a @ x.T / len(X)
            dX[i] = (2 * W.T @ a / len(X)).ravel()
        return f, dW, dX
    """,
)
right(
    "norm_sq_batch",
    "einsum",
    source="""
    import numpy as np

    def norm_sq_batch(W, X):
        A = np.einsum("in,mn->im", X, W)
        G = A * (2 / X.shape[0])
        return (
            np.einsum("im,im->", A, A) / X.shape[0],
            np.einsum("im,in->mn", G, X),
            np.einsum("im,mn->in", G, W),
        )
    """,
)
right(
    "norm_sq_batch",
    "examples as columns, and 1/N at the end",
    source="""
    import numpy as np

    def norm_sq_batch(W, X):
        N = X.shape[0]
        A = W @ X.T
        return np.mean((A * A).sum(axis=0)), 2 * A @ X / N, (2 * W.T @ A).T / N
    """,
)
right(
    "norm_sq_batch",
    "the second moment of the data",
    (BATCH_DW, "df_dW = 2 * W @ (X.T @ X / N)"),
    (BATCH_DX, "df_dX = 2 * X @ (W.T @ W) / N"),
)
