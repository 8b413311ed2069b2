"""Lesson 05: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/05_bce`. Under each exercise the slips
of the mathematics come first, then what is wrong with the result as an object, then the answers
that were never worked out, then right answers in other styles.
"""

from . import ALL, right, wrong

ALONE = "arguments left alone"


# ---------------------------------------------------------------- bce, bce_backward

# A function that is wrong in all it returns has not shown that it leaves its arguments alone.
BCE_ALONE = "arguments of bce left alone"
BACKWARD_ALONE = "arguments of bce_backward left alone"

LOGS = "logs = y * np.log(y_hat) + (1.0 - y) * np.log(1.0 - y_hat)"
SLOPE = "dL_dy_hat = (1.0 - y) / (1.0 - y_hat) - y / y_hat"

wrong(
    "bce",
    "the backward pass forgets the mean's 1/N",
    ("return dL_dy_hat / N", "return dL_dy_hat"),
    cause="mean-vs-sum",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="number of examples",
)
wrong(
    "bce",
    "the loss is a sum, the gradient that of the mean",
    ("-np.mean(logs)", "-np.sum(logs)"),
    cause="mean-vs-sum",
    loses=("loss", BCE_ALONE),
    says="number of examples",
)
wrong(
    "bce",
    "the minus in front of the loss is forgotten",
    ("-np.mean(logs)", "np.mean(logs)"),
    cause="sign",
    loses=("loss", BCE_ALONE),
    says="opposite sign",
)
wrong(
    "bce",
    "the gradient has its sign turned",
    (SLOPE, "dL_dy_hat = y / y_hat - (1.0 - y) / (1.0 - y_hat)"),
    cause="sign",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="opposite sign",
)
wrong(
    "bce",
    "the inner derivative −1 of 1 − ŷ is forgotten",
    (SLOPE, "dL_dy_hat = -(1.0 - y) / (1.0 - y_hat) - y / y_hat"),
    cause="sign",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="the label 0's term",
)
wrong(
    "bce",
    "only the term of the label 1, as for a model of one class",
    (LOGS, "logs = y * np.log(y_hat)"),
    (SLOPE, "dL_dy_hat = -y / y_hat"),
    cause="wrong-value",
    loses=ALL,
    says="term of the label 1",
)
wrong(
    "bce",
    "the labels are exchanged in the loss",
    (LOGS, "logs = (1.0 - y) * np.log(y_hat) + y * np.log(1.0 - y_hat)"),
    cause="wrong-value",
    loses=("loss", BCE_ALONE),
    says="labels 0 and 1 are exchanged",
)
wrong(
    "bce",
    "the famous prediction minus label, which is the gradient to the logit",
    (SLOPE, "dL_dy_hat = y_hat - y"),
    cause="wrong-value",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="logit",
)
wrong(
    "bce",
    "the squared error and its gradient",
    (LOGS, "logs = -((y_hat - y) ** 2)"),
    (SLOPE, "dL_dy_hat = 2 * (y_hat - y)"),
    cause="wrong-value",
    loses=ALL,
    says="squared error",
)
wrong(
    "bce",
    "clipped at 1e-7, as frameworks do",
    (LOGS, "y_hat = np.clip(y_hat, 1e-7, 1 - 1e-7)\n    " + LOGS),
    (SLOPE, "y_hat = np.clip(y_hat, 1e-7, 1 - 1e-7)\n    " + SLOPE),
    cause="clipped",
    loses=ALL,
    says="lie between 0 and 1",
)
wrong(
    "bce",
    "an ε of 1e-8 in each logarithm",
    (LOGS, "logs = y * np.log(y_hat + 1e-8) + (1.0 - y) * np.log(1.0 - y_hat + 1e-8)"),
    cause="clipped",
    loses=("loss", BCE_ALONE),
    says="clip",
)
wrong(
    "bce",
    "logarithms to base 10",
    (LOGS, LOGS.replace("np.log(", "np.log10(")),
    cause="factor",
    loses=("loss", BCE_ALONE),
    says="base 10",
)
wrong(
    "bce",
    "one loss for each example",
    ("-np.mean(logs)", "-logs"),
    cause="wrong-shape",
    loses=("loss", BCE_ALONE),
    says="should be a single number",
)
wrong(
    "bce",
    "the loss in a (1, 1) array",
    ("-np.mean(logs)", "-np.mean(logs, keepdims=True)"),
    cause="wrong-shape",
    loses=("loss", BCE_ALONE),
    says="should be a single number",
)
wrong(
    "bce",
    "the gradient flattened",
    ("return dL_dy_hat / N", "return dL_dy_hat.ravel() / N"),
    cause="wrong-shape",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="shape",
)
wrong(
    "bce",
    "the gradient as a list",
    ("return dL_dy_hat / N", "return (dL_dy_hat / N).tolist()"),
    cause="wrong-type",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="a list of",
)
wrong(
    "bce",
    "the gradient in float32",
    ("return dL_dy_hat / N", "return (dL_dy_hat / N).astype(np.float32)"),
    cause="wrong-type",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="float32",
)
wrong(
    "bce",
    "the loss is printed, not returned",
    ("return -np.mean(logs)", "print(-np.mean(logs))"),
    cause="none-returned",
    loses=("loss", BCE_ALONE),
    says="returns None",
)
wrong(
    "bce",
    "the gradient is worked out inside y_hat",
    (SLOPE, "y_hat[:] = (1.0 - y) / (1.0 - y_hat) - y / y_hat\n    dL_dy_hat = y_hat"),
    cause="mutates-argument",
    loses=(BACKWARD_ALONE,),
    says="y_hat no longer holds",
)
wrong(
    "bce",
    "the gradient by nudging",
    source="""
    def bce(y, y_hat):
        return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))

    def bce_backward(y, y_hat, h=1e-6):
        grad = np.zeros_like(y_hat)
        for i in range(len(y)):
            up, down = y_hat.copy(), y_hat.copy()
            up[i] += h
            down[i] -= h
            grad[i] = (bce(y, up) - bce(y, down)) / (2 * h)
        return grad
    """,
    cause="imprecise",
    loses=("dL_dy_hat", BACKWARD_ALONE),
    says="difference quotients",
)
wrong(
    "bce",
    "the engine's own loss",
    source="""
    def bce(y, y_hat):
        import backprop_kit

        return backprop_kit.bce(y, Tensor(y_hat)).item()

    def bce_backward(y, y_hat):
        import backprop_kit

        p = Tensor(y_hat, requires_grad=True)
        backprop_kit.bce(y, p).backward()
        return p.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
right(
    "bce",
    "one fraction, and a dot product",
    source="""
    def bce(y, y_hat):
        total = y.ravel() @ np.log(y_hat).ravel() + (1 - y).ravel() @ np.log1p(-y_hat).ravel()
        return float(-total / y.size)

    def bce_backward(y, y_hat):
        return (y_hat - y) / (y_hat * (1 - y_hat)) / y.shape[0]
    """,
)
right(
    "bce",
    "a loop over the examples, a list converted at the end",
    source="""
    import math

    def bce(y, y_hat):
        losses = []
        for t, p in zip(y[:, 0], y_hat[:, 0]):
            losses.append(-t * math.log(p) - (1 - t) * math.log(1 - p))
        return sum(losses) / len(losses)

    def bce_backward(y, y_hat):
        out = []
        for t, p in zip(y[:, 0], y_hat[:, 0]):
            out.append([(-t / p + (1 - t) / (1 - p)) / len(y)])
        return np.array(out)
    """,
)
right(
    "bce",
    "where instead of products, for hard labels, and products for soft ones",
    source="""
    def bce(y, y_hat):
        hard = np.isin(y, (0, 1)).all()
        if hard:
            return -np.log(np.where(y == 1, y_hat, 1 - y_hat)).mean()
        return np.mean(-y * np.log(y_hat) - (1 - y) * np.log(1 - y_hat))

    def bce_backward(y, y_hat):
        return np.mean([1]) * (-(y / y_hat) + (1 - y) / (1 - y_hat)) / len(y_hat)
    """,
)
right(
    "bce",
    "a clip at 1e-15, which no prediction of float64 size feels",
    (LOGS, "y_hat = np.clip(y_hat, 1e-15, 1 - 1e-15)\n    " + LOGS),
)

# ---------------------------------------------------------------- sigmoid, sigmoid_backward

SIGMOID_ALONE = "arguments of sigmoid left alone"
SIGNAL_ALONE = "arguments of sigmoid_backward left alone"

VALUE = "return np.where(v >= 0, 1.0 / (1.0 + e), e / (1.0 + e))"
PASS_ON = "return dL_dy_hat * dy_hat_dv"

wrong(
    "sigmoid",
    "exp(v)/(1 + exp(v)), which is inf/inf at 1000",
    (VALUE, "return np.exp(v) / (1.0 + np.exp(v))"),
    cause="unstable",
    loses=("y_hat", SIGMOID_ALONE),
    says="extreme",
)
wrong(
    "sigmoid",
    "both branches are computed, one of them as inf·0",
    (VALUE, "return (v < 0) * np.exp(v) / (1 + np.exp(v)) + (v >= 0) / (1 + np.exp(-v))"),
    cause="unstable",
    loses=("y_hat", SIGMOID_ALONE),
    says="extreme",
)
wrong(
    "sigmoid",
    "logits are clipped at ±10 against overflow",
    (
        "e = np.exp(-np.abs(v))\n    " + VALUE,
        "return 1.0 / (1.0 + np.exp(-np.clip(v, -10, 10)))",
    ),
    cause="clipped",
    loses=("y_hat", SIGMOID_ALONE),
    says="clipped at ±10",
)
wrong(
    "sigmoid",
    "the minus in the exponent is forgotten",
    (VALUE, "return 1.0 / (1.0 + np.exp(v))"),
    cause="sign",
    loses=("y_hat", SIGMOID_ALONE),
    says="exponent",
)
wrong(
    "sigmoid",
    "tanh is taken for the sigmoid",
    (VALUE, "return np.tanh(v)"),
    cause="wrong-value",
    loses=("y_hat", SIGMOID_ALONE),
    says="hyperbolic tangent",
)
wrong(
    "sigmoid",
    "the bracket in the denominator is forgotten",
    (VALUE, "return 1.0 / 1.0 + np.exp(-v)"),
    cause="wrong-value",
    loses=("y_hat", SIGMOID_ALONE),
    says="not what the check expects",
)
wrong(
    "sigmoid",
    "the signal from above is left out",
    (PASS_ON, "return dy_hat_dv"),
    cause="upstream-ignored",
    loses=("dL_dv", SIGNAL_ALONE),
    says="all ones",
)
wrong(
    "sigmoid",
    "the factor 1 − ŷ is forgotten",
    ("dy_hat_dv = y_hat * (1.0 - y_hat)", "dy_hat_dv = y_hat"),
    cause="missing-local",
    loses=("dL_dv", SIGNAL_ALONE),
    says="one of the two factors",
)
wrong(
    "sigmoid",
    "ŷ is put through the sigmoid again",
    (
        "dy_hat_dv = y_hat * (1.0 - y_hat)",
        "s = 1 / (1 + np.exp(-y_hat))\n    dy_hat_dv = s * (1 - s)",
    ),
    cause="wrong-value",
    loses=("dL_dv", SIGNAL_ALONE),
    says="once more",
)
wrong(
    "sigmoid",
    "the derivative's two factors are added",
    ("dy_hat_dv = y_hat * (1.0 - y_hat)", "dy_hat_dv = y_hat + (1.0 - y_hat)"),
    cause="missing-local",
    loses=("dL_dv", SIGNAL_ALONE),
    says="passed on as it came",
)
wrong(
    "sigmoid",
    "the sign of the derivative is turned",
    ("dy_hat_dv = y_hat * (1.0 - y_hat)", "dy_hat_dv = y_hat * (y_hat - 1.0)"),
    cause="sign",
    loses=("dL_dv", SIGNAL_ALONE),
    says="opposite sign",
)
wrong(
    "sigmoid",
    "the signal is combined by a matrix product",
    (PASS_ON, "return dL_dy_hat.T @ dy_hat_dv"),
    cause="single-only",
    loses=("dL_dv", SIGNAL_ALONE),
    says="right for one example",
)
wrong(
    "sigmoid",
    "the loss's 1/N comes in here as well",
    (PASS_ON, "return dL_dy_hat * dy_hat_dv / len(y_hat)"),
    cause="mean-vs-sum",
    loses=("dL_dv", SIGNAL_ALONE),
    says="number of examples",
)
wrong(
    "sigmoid",
    "rounded to four decimals",
    (VALUE, "return np.round(np.where(v >= 0, 1.0 / (1.0 + e), e / (1.0 + e)), 4)"),
    cause="imprecise",
    loses=("y_hat", SIGMOID_ALONE),
    says="4 decimals",
)
wrong(
    "sigmoid",
    "math.exp, which takes one number only",
    ("e = np.exp(-np.abs(v))", "import math\n\n    e = math.exp(-abs(v))"),
    cause="raises",
    loses=("y_hat", SIGMOID_ALONE),
    says="TypeError",
)
wrong(
    "sigmoid",
    "a list of numbers",
    (VALUE, "return [1.0 / (1.0 + np.exp(-t)) for t in v.ravel()]"),
    cause="wrong-type",
    loses=("y_hat", SIGMOID_ALONE),
    says="a list of",
)
wrong(
    "sigmoid",
    "v is overwritten by its exponential",
    ("e = np.exp(-np.abs(v))", "e = np.exp(-np.abs(v))\n    was = v.copy()\n    v[:] = e"),
    (VALUE, "return np.where(was >= 0, 1.0 / (1.0 + e), e / (1.0 + e))"),
    cause="mutates-argument",
    loses=(SIGMOID_ALONE,),
    says="v no longer holds",
)
wrong(
    "sigmoid",
    "the gradient is written into the signal that came in",
    (PASS_ON, "dL_dy_hat *= dy_hat_dv\n    return dL_dy_hat"),
    cause="mutates-argument",
    loses=(SIGNAL_ALONE,),
    says="dL_dy_hat no longer holds",
)
right(
    "sigmoid",
    "the plain fraction: it warns at −1000 and is right",
    (VALUE, "return 1.0 / (1.0 + np.exp(-v))"),
)
right(
    "sigmoid",
    "by tanh, and ŷ − ŷ²",
    source="""
    def sigmoid(v):
        return 0.5 * (1.0 + np.tanh(0.5 * v))

    def sigmoid_backward(dL_dy_hat, y_hat):
        return np.multiply(dL_dy_hat, y_hat - y_hat**2)
    """,
)
right(
    "sigmoid",
    "two masks, filled in",
    source="""
    def sigmoid(v):
        out = np.empty_like(v)
        on = v >= 0
        out[on] = 1 / (1 + np.exp(-v[on]))
        z = np.exp(v[~on])
        out[~on] = z / (1 + z)
        return out

    def sigmoid_backward(dL_dy_hat, y_hat):
        out = np.zeros(y_hat.shape)
        for i, (g, s) in enumerate(zip(dL_dy_hat, y_hat)):
            out[i] = s * (1 - s) * g
        return out
    """,
)
right(
    "sigmoid",
    "in the logarithm, and entries in a list that becomes an array",
    source="""
    def sigmoid(v):
        return np.exp(-np.logaddexp(0, -v))

    def sigmoid_backward(dL_dy_hat, y_hat):
        return np.array([[g * s * (1 - s)] for g, s in zip(dL_dy_hat[:, 0], y_hat[:, 0])])
    """,
)

# ---------------------------------------------------------------- bce_with_logits

LOSS = "loss = np.mean(np.maximum(v, 0.0) - y * v + np.log1p(e))"
Y_HAT = "y_hat = np.where(v >= 0, 1.0 / (1.0 + e), e / (1.0 + e))"
ERROR = "dL_dv = (y_hat - y) / N"

wrong(
    "bce_with_logits",
    "the logarithm of the sigmoid, as in exercise 1",
    (
        LOSS,
        "p = 1 / (1 + np.exp(-v))\n    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))",
    ),
    cause="unstable",
    loses=("loss",),
    says="extreme",
)
wrong(
    "bce_with_logits",
    "log(1 + exp(v)), which overflows",
    (LOSS, "loss = np.mean(np.log(1 + np.exp(v)) - y * v)"),
    cause="unstable",
    loses=("loss",),
    says="extreme",
)
wrong(
    "bce_with_logits",
    "exp(v)/(1 + exp(v)) in the gradient",
    (Y_HAT, "y_hat = np.exp(v) / (1 + np.exp(v))"),
    cause="unstable",
    loses=("dL_dv",),
    says="extreme",
)
wrong(
    "bce_with_logits",
    "predictions clipped at 1e-7 before the logarithm",
    (
        LOSS,
        "p = np.clip(1 / (1 + np.exp(-v)), 1e-7, 1 - 1e-7)\n"
        "    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))",
    ),
    cause="clipped",
    loses=("loss",),
    says="clip",
)
wrong(
    "bce_with_logits",
    "predictions clipped at 1e-15 before the logarithm",
    (
        LOSS,
        "p = np.clip(1 / (1 + np.exp(-v)), 1e-15, 1 - 1e-15)\n"
        "    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))",
    ),
    cause="clipped",
    loses=("loss",),
    says="clip",
)
wrong(
    "bce_with_logits",
    "an ε of 1e-9 in the logarithms",
    (
        LOSS,
        "p = 1 / (1 + np.exp(-v))\n"
        "    loss = -np.mean(y * np.log(p + 1e-9) + (1 - y) * np.log(1 - p + 1e-9))",
    ),
    cause="clipped",
    loses=("loss",),
    says="ε",
)
wrong(
    "bce_with_logits",
    "the mean's 1/N is missing in the gradient",
    (ERROR, "dL_dv = y_hat - y"),
    cause="mean-vs-sum",
    loses=("dL_dv",),
    says="number of examples",
)
wrong(
    "bce_with_logits",
    "the loss is a sum",
    ("np.mean(", "np.sum("),
    cause="mean-vs-sum",
    loses=("loss",),
    says="number of examples",
)
wrong(
    "bce_with_logits",
    "label minus prediction",
    (ERROR, "dL_dv = (y - y_hat) / N"),
    cause="sign",
    loses=("dL_dv",),
    says="opposite sign",
)
wrong(
    "bce_with_logits",
    "the gradient stops at ŷ",
    (ERROR, "dL_dv = (y_hat - y) / (y_hat * (1 - y_hat)) / N"),
    cause="missing-local",
    loses=("dL_dv",),
    says="chain stops at ŷ",
)
wrong(
    "bce_with_logits",
    "the sigmoid's derivative once too often",
    (ERROR, "dL_dv = (y_hat - y) * y_hat * (1 - y_hat) / N"),
    cause="wrong-value",
    loses=("dL_dv",),
    says="once too often",
)
wrong(
    "bce_with_logits",
    "v minus y: the sigmoid is left out",
    (ERROR, "dL_dv = (v - y) / N"),
    cause="missing-local",
    loses=("dL_dv",),
    says="before it is compared with y",
)
wrong(
    "bce_with_logits",
    "the labels are exchanged in the loss",
    (LOSS, "loss = np.mean(np.maximum(v, 0.0) - (1 - y) * v + np.log1p(e))"),
    cause="wrong-value",
    loses=("loss",),
    says="labels 0 and 1 are exchanged",
)
wrong(
    "bce_with_logits",
    "the softplus without the part with y",
    (LOSS, "loss = np.mean(np.maximum(v, 0.0) + np.log1p(e))"),
    cause="wrong-value",
    loses=("loss",),
    says="term with y",
)
wrong(
    "bce_with_logits",
    "the absolute value is forgotten in the exponent",
    ("e = np.exp(-np.abs(v))", "e = np.exp(-v)"),
    cause="wrong-value",
    loses=ALL,
    says="not what the check expects",
)
wrong(
    "bce_with_logits",
    "one loss for each example",
    ("np.mean(np.maximum(v, 0.0) - y * v + np.log1p(e))", "np.logaddexp(0, v) - y * v"),
    cause="wrong-shape",
    loses=("loss",),
    says="should be a single number",
)
wrong(
    "bce_with_logits",
    "gradient first, loss second",
    ("return loss, dL_dv", "return dL_dv, loss"),
    cause="order-swapped",
    loses=ALL,
    says="changed places",
)
wrong(
    "bce_with_logits",
    "the loss alone",
    ("return loss, dL_dv", "return loss"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
wrong(
    "bce_with_logits",
    "the logits are clipped in place",
    ("N = len(y)", "N = len(y)\n    np.clip(v, -500, 500, out=v)"),
    cause="unstable",
    loses=("loss", ALONE),
    says="wrong for",
)
wrong(
    "bce_with_logits",
    "v is used up as working space",
    (ERROR, "dL_dv = (y_hat - y) / N\n    v -= v"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="v no longer holds",
)
wrong(
    "bce_with_logits",
    "by the kit's own loss",
    source="""
    import backprop_kit

    def bce_with_logits(y, v):
        logits = Tensor(v, requires_grad=True)
        loss = backprop_kit.bce_with_logits(y, logits)
        loss.backward()
        return loss.item(), logits.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "bce_with_logits",
    "the gradient by nudging",
    (
        ERROR,
        "f = lambda v: np.mean(np.logaddexp(0, v) - y * v)\n"
        "    dL_dv = np.zeros_like(v)\n"
        "    for i in range(N):\n"
        "        step = np.zeros_like(v)\n"
        "        step[i] = 1e-5\n"
        "        dL_dv[i] = (f(v + step) - f(v - step)) / 2e-5",
    ),
    cause="imprecise",
    loses=("dL_dv",),
    says="digits right",
)
wrong(
    "bce_with_logits",
    "labels are told apart by y == 1, so that soft ones count as 0",
    (LOSS, "loss = np.mean(np.where(y == 1, np.logaddexp(0, -v), np.logaddexp(0, v)))"),
    cause="wrong-value",
    loses=("loss",),
    says="taken for 0",
)
right(
    "bce_with_logits",
    "logaddexp, and the sigmoid through it",
    source="""
    def bce_with_logits(y, v):
        loss = np.mean(np.logaddexp(0, v) - y * v)
        return loss, (np.exp(-np.logaddexp(0, -v)) - y) / v.shape[0]
    """,
)
right(
    "bce_with_logits",
    "two softplus terms, the plain sigmoid",
    source="""
    def softplus(t):
        return np.logaddexp(0.0, t)

    def bce_with_logits(y, v):
        loss = (y * softplus(-v) + (1 - y) * softplus(v)).sum() / y.size
        return float(loss), (1 / (1 + np.exp(-v)) - y) / y.size
    """,
)
right(
    "bce_with_logits",
    "example by example, lists converted at the end",
    source="""
    import math

    def bce_with_logits(y, v):
        losses, grads = [], []
        for t, s in zip(y[:, 0], v[:, 0]):
            small = math.exp(-abs(s))
            losses.append(max(s, 0) - t * s + math.log1p(small))
            p = 1 / (1 + small) if s >= 0 else small / (1 + small)
            grads.append([(p - t) / len(y)])
        return sum(losses) / len(losses), np.array(grads)
    """,
)
right(
    "bce_with_logits",
    "branches by np.where, tanh for the sigmoid",
    source="""
    def bce_with_logits(y, v):
        bent = np.where(v > 30, v, np.log1p(np.exp(np.minimum(v, 30))))
        bent = np.where(v > 30, v + np.exp(-np.abs(v)), bent)
        return np.mean(bent - v * y), (0.5 + 0.5 * np.tanh(v / 2) - y) / len(v)
    """,
)

# ---------------------------------------------------------------- neuron_gradients

DL_DV = "dL_dv = (y_hat - y) / len(X)"
DL_DW = "dL_dW = dL_dv.T @ X"
DL_DB = "dL_db = dL_dv.sum(axis=0)"
NEURON_LOSS = "loss = np.mean(np.logaddexp(0.0, v) - y * v)"

wrong(
    "neuron_gradients",
    "the bias is forgotten on the way forward",
    ("v = X @ W.T + b", "v = X @ W.T"),
    cause="dropped-bias",
    loses=ALL,
    says="b is left out",
)
wrong(
    "neuron_gradients",
    "the mean's 1/N is forgotten",
    (DL_DV, "dL_dv = y_hat - y"),
    cause="mean-vs-sum",
    loses=("dL_dW", "dL_db"),
    says="number of examples",
)
wrong(
    "neuron_gradients",
    "the mean over the batch is taken a second time for b",
    (DL_DB, "dL_db = dL_dv.mean(axis=0)"),
    cause="mean-vs-sum",
    loses=("dL_db",),
    says="number of examples",
)
wrong(
    "neuron_gradients",
    "the loss is a sum",
    (NEURON_LOSS, "loss = np.sum(np.logaddexp(0.0, v) - y * v)"),
    cause="mean-vs-sum",
    loses=("loss",),
    says="number of examples",
)
wrong(
    "neuron_gradients",
    "dL/db is not summed over the examples",
    (DL_DB, "dL_db = dL_dv"),
    cause="no-batch-sum",
    loses=("dL_db",),
    says="one row for each example",
)
wrong(
    "neuron_gradients",
    "dL/dW is not summed over the examples",
    (DL_DW, "dL_dW = dL_dv * X"),
    cause="no-batch-sum",
    loses=("dL_dW",),
    says="one row for each example",
)
wrong(
    "neuron_gradients",
    "dL/dW as a column",
    (DL_DW, "dL_dW = X.T @ dL_dv"),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong(
    "neuron_gradients",
    "only the last example counts",
    (DL_DW, "for i in range(len(X)):\n        dL_dW = dL_dv[i : i + 1] * X[i : i + 1]"),
    cause="single-only",
    loses=("dL_dW",),
    says="right for one example",
)
wrong(
    "neuron_gradients",
    "label minus prediction",
    (DL_DV, "dL_dv = (y - y_hat) / len(X)"),
    cause="sign",
    loses=("dL_dW", "dL_db"),
    says="opposite sign",
)
wrong(
    "neuron_gradients",
    "the logit is compared with the label",
    (DL_DV, "dL_dv = (v - y) / len(X)"),
    cause="missing-local",
    loses=("dL_dW", "dL_db"),
    says="sigmoid",
)
wrong(
    "neuron_gradients",
    "the sigmoid's derivative once too often, as for the squared error",
    (DL_DV, "dL_dv = (y_hat - y) * y_hat * (1 - y_hat) / len(X)"),
    cause="wrong-value",
    loses=("dL_dW", "dL_db"),
    says="squared error",
)
wrong(
    "neuron_gradients",
    "the chain stops at ŷ",
    (DL_DV, "dL_dv = ((1 - y) / (1 - y_hat) - y / y_hat) / len(X)"),
    cause="missing-local",
    loses=("dL_dW", "dL_db"),
    says="local derivative of the sigmoid",
)
wrong(
    "neuron_gradients",
    "the squared error as loss, the gradients of the cross-entropy",
    (NEURON_LOSS, "loss = np.mean((np.exp(-np.logaddexp(0.0, -v)) - y) ** 2)"),
    cause="wrong-value",
    loses=("loss",),
    says="squared error",
)
wrong(
    "neuron_gradients",
    "the shapes are put right by a reshape that mixes examples and inputs",
    ("v = X @ W.T + b", "v = (X.T.reshape(X.shape) @ W.T) + b"),
    cause="wrong-value",
    loses=ALL,
    says="not what the check expects",
)
wrong(
    "neuron_gradients",
    "dL/db as a plain number",
    (DL_DB, "dL_db = float(dL_dv.sum())"),
    cause="wrong-type",
    loses=("dL_db",),
    says="should be an array of shape (1,)",
)
wrong(
    "neuron_gradients",
    "dL/db as a (1, 1) array",
    (DL_DB, "dL_db = dL_dv.sum(axis=0, keepdims=True)"),
    cause="wrong-shape",
    loses=("dL_db",),
    says="(1, 1)",
)
wrong(
    "neuron_gradients",
    "dL/db before dL/dW",
    ("return loss, dL_dW, dL_db", "return loss, dL_db, dL_dW"),
    cause="order-swapped",
    loses=("dL_dW", "dL_db"),
    says="changed places",
)
wrong(
    "neuron_gradients",
    "a step of descent is taken as well",
    (DL_DB, DL_DB + "\n    W -= 0.1 * dL_dW\n    b -= 0.1 * dL_db"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="W and b no longer hold",
)
wrong(
    "neuron_gradients",
    "gradients that pile up from call to call",
    source="""
    total = {}

    def neuron_gradients(W, b, X, y):
        v = X @ W.T + b
        d = (1 / (1 + np.exp(-v)) - y) / len(X)
        key = W.shape
        total[key] = total.get(key, 0) + d.T @ X
        return np.mean(np.logaddexp(0, v) - y * v), total[key].copy(), d.sum(axis=0)
    """,
    cause="state-leak",
    loses=("dL_dW",),
    says="second time",
)
wrong(
    "neuron_gradients",
    "the gradients by nudging",
    source="""
    def neuron_gradients(W, b, X, y, h=1e-5):
        def loss(W, b):
            v = X @ W.T + b
            return np.mean(np.logaddexp(0, v) - y * v)

        dW, db = np.zeros_like(W), np.zeros_like(b)
        for i in range(W.size):
            step = np.zeros_like(W)
            step[0, i] = h
            dW[0, i] = (loss(W + step, b) - loss(W - step, b)) / (2 * h)
        db[0] = (loss(W, b + h) - loss(W, b - h)) / (2 * h)
        return loss(W, b), dW, db
    """,
    cause="imprecise",
    loses=("dL_dW", "dL_db"),
    says="difference quotients",
)
wrong(
    "neuron_gradients",
    "ŷ goes into the loss that wants logits",
    ("v = X @ W.T + b", "v = 1 / (1 + np.exp(-(X @ W.T + b)))"),
    cause="wrong-value",
    loses=ALL,
    says="a loss that has one of its own",
)
right(
    "neuron_gradients",
    "einsum and the plain formulas",
    source="""
    def neuron_gradients(W, b, X, y):
        p = 1 / (1 + np.exp(-(np.einsum("ij,kj->ik", X, W) + b)))
        loss = np.mean(-y * np.log(p) - (1 - y) * np.log(1 - p))
        d = (p - y) / len(y)
        return loss, np.einsum("ik,ij->kj", d, X), np.einsum("ik->k", d)
    """,
)
right(
    "neuron_gradients",
    "one example after the other, np.outer",
    source="""
    def neuron_gradients(W, b, X, y):
        loss, dW, db = 0.0, np.zeros(W.shape), np.zeros(b.shape)
        for x, (t,) in zip(X, y):
            (v,) = W @ x + b
            loss += (np.logaddexp(0, v) - t * v) / len(X)
            d = (0.5 * (1 + np.tanh(v / 2)) - t) / len(X)
            dW += np.outer(d, x)
            db += d
        return loss, dW, db
    """,
)
right(
    "neuron_gradients",
    "with the functions of the exercises before",
    source="""
    def sigmoid(v):
        return 1 / (1 + np.exp(-v))

    def bce_with_logits(y, v):
        return np.mean(np.logaddexp(0, v) - y * v), (sigmoid(v) - y) / len(y)

    def neuron_gradients(W, b, X, y):
        loss, delta = bce_with_logits(y, X @ W.T + b)
        return loss, np.array((X.T @ delta).T), np.array([delta.sum()])
    """,
)

# ---------------------------------------------------------------- local_error

ARRIVED = "arrived = delta_next @ W_next"
MASKED = "return arrived * (v > 0)"

wrong(
    "local_error",
    "≥ instead of >",
    (MASKED, "return arrived * (v >= 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="exactly 0",
)
wrong(
    "local_error",
    "the mask is forgotten",
    (MASKED, "return arrived"),
    cause="missing-local",
    loses=ALL,
    says="mask is left out",
)
wrong(
    "local_error",
    "the signal itself is put through the ReLU",
    (MASKED, "return np.maximum(arrived, 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="the signal itself",
)
wrong(
    "local_error",
    "the mask of the signal that arrives",
    (MASKED, "return arrived * (arrived > 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="the signal itself",
)
wrong(
    "local_error",
    "the mask is inverted",
    (MASKED, "return arrived * (v <= 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="units that are off",
)
wrong(
    "local_error",
    "multiplied by the units' values",
    (MASKED, "return arrived * np.maximum(v, 0)"),
    cause="wrong-mask",
    loses=ALL,
    says="values instead of",
)
wrong(
    "local_error",
    "multiplied by v",
    (MASKED, "return arrived * v"),
    cause="wrong-mask",
    loses=ALL,
    says="multiplied by v",
)
wrong(
    "local_error",
    "multiplied by the sign of v",
    (MASKED, "return arrived * np.sign(v)"),
    cause="wrong-mask",
    loses=ALL,
    says="sign of v",
)
wrong(
    "local_error",
    "the mask of the layer above",
    (ARRIVED + "\n    " + MASKED, "return (delta_next * (delta_next > 0)) @ W_next"),
    cause="wrong-value",
    loses=ALL,
    says="not what the check expects",
)
wrong(
    "local_error",
    "the weights transposed",
    (ARRIVED, "arrived = delta_next @ W_next.T"),
    cause="raises",
    loses=ALL,
    says="shape",
)
wrong(
    "local_error",
    "a transpose only where the shapes complain",
    (
        ARRIVED,
        "rows, columns = W_next.shape\n"
        "    arrived = delta_next @ (W_next.T if rows == columns else W_next)",
    ),
    cause="transpose",
    loses=ALL,
    says="transposed",
)
wrong(
    "local_error",
    "the signal from above is left out",
    (ARRIVED, "arrived = np.ones_like(delta_next) @ W_next"),
    cause="upstream-ignored",
    loses=ALL,
    says="all ones",
)
wrong(
    "local_error",
    "the weights are left out",
    (ARRIVED, "arrived = delta_next.sum(axis=1, keepdims=True)"),
    cause="missing-local",
    loses=ALL,
    says="weights are left out",
)
wrong(
    "local_error",
    "the sign is turned",
    (ARRIVED, "arrived = -delta_next @ W_next"),
    cause="sign",
    loses=ALL,
    says="opposite sign",
)
wrong(
    "local_error",
    "a mean over the examples on the way",
    (MASKED, "return arrived * (v > 0) / len(v)"),
    cause="mean-vs-sum",
    loses=ALL,
    says="number of examples",
)
wrong(
    "local_error",
    "transposed, as in the paper's columns",
    (MASKED, "return (arrived * (v > 0)).T"),
    cause="transpose",
    loses=ALL,
    says="rows and columns exchanged",
)
wrong(
    "local_error",
    "summed over the batch already",
    (MASKED, "return (arrived * (v > 0)).sum(axis=0, keepdims=True)"),
    cause="single-only",
    loses=ALL,
    says="right for one example",
)
wrong(
    "local_error",
    "only the first example",
    (MASKED, "return (arrived * (v > 0))[:1]"),
    cause="single-only",
    loses=ALL,
    says="right for one example",
)
wrong(
    "local_error",
    "the mask is written into the arguments",
    (MASKED, "v[v <= 0] = 0\n    v[v > 0] = 1\n    return arrived * v"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="v no longer holds",
)
wrong(
    "local_error",
    "whole numbers",
    (MASKED, "return (arrived * (v > 0)).astype(int)"),
    cause="wrong-type",
    loses=ALL,
    says="int64",
)
wrong(
    "local_error",
    "divided by v, so that units that are off give nan",
    (MASKED, "return arrived * np.sqrt(v) / np.sqrt(v)"),
    cause="non-finite",
    loses=ALL,
    says="nan",
)
wrong(
    "local_error",
    "by nudging v",
    source="""
    def local_error(delta_next, W_next, v, h=1e-5):
        def f(v):
            return np.sum(delta_next * (np.maximum(v, 0) @ W_next.T))

        out = np.zeros_like(v)
        for index in np.ndindex(*v.shape):
            step = np.zeros_like(v)
            step[index] = h
            out[index] = (f(v + step) - f(v - step)) / (2 * h)
        return out
    """,
    cause="imprecise",
    loses=ALL,
    says="digits right",
)
right(
    "local_error",
    "np.where",
    (MASKED, "return np.where(v > 0, arrived, 0.0)"),
)
right(
    "local_error",
    "einsum, the units that are off set to 0",
    source="""
    def local_error(delta_next, W_next, v):
        delta = np.einsum("nm,mk->nk", delta_next, W_next)
        delta[v <= 0] = 0
        return delta
    """,
)
right(
    "local_error",
    "three loops",
    source="""
    def local_error(delta_next, W_next, v):
        N, k = v.shape
        delta = []
        for example in range(N):
            row = []
            for i in range(k):
                influence = 0.0
                for j in range(len(W_next)):
                    influence += W_next[j, i] * delta_next[example, j]
                row.append(influence if v[example, i] > 0 else 0.0)
            delta.append(row)
        return np.array(delta)
    """,
)
right(
    "local_error",
    "the paper's diagonal matrix, example by example",
    source="""
    def local_error(delta_next, W_next, v):
        rows = [d @ W_next @ np.diag((u > 0).astype(float)) for d, u in zip(delta_next, v)]
        return np.stack(rows)
    """,
)

# ---------------------------------------------------------------- influence

SUM = "return float(delta[0] @ W[:, i])"


def influences(title, expression, cause, says):
    """A wrong expression in the place of the right one."""
    new = f"return {expression}"
    wrong("influence", title, (SUM, new), cause=cause, loses=ALL, says=says)


influences("the row of W", "float(delta[0] @ W[i])", "raises", "shape")
influences(
    "the row of W where it fits",
    "float(delta[0] @ (W[i] if len(W) == len(W[0]) else W[:, i]))",
    "transpose",
    "row of W",
)
influences("counted from 1", "float(delta[0] @ W[:, i - 1])", "wrong-value", "counted from 1")
influences("an array of one entry", "delta @ W[:, i]", "wrong-shape", "single number")
influences("a (1, 1) array", "delta @ W[:, i : i + 1]", "wrong-shape", "single number")
influences("the influences of all units", "delta @ W", "wrong-shape", "single number")
influences("without the local errors", "float(W[:, i].sum())", "upstream-ignored", "local errors")
influences("without the weights", "float(delta.sum())", "missing-local", "without the weights")
influences("a mean", "float(np.mean(delta[0] * W[:, i]))", "wrong-value", "mean")
influences("sizes only", "float(abs(delta[0]) @ abs(W[:, i]))", "wrong-value", "sizes")
influences("its size only", "abs(float(delta[0] @ W[:, i]))", "sign", "opposite sign")
influences("the sign turned", "-float(delta[0] @ W[:, i])", "sign", "opposite sign")
influences(
    "only the first unit above",
    "float(delta[0, 0] * W[0, i])",
    "wrong-value",
    "not what the check expects",
)
influences("rounded", "round(float(delta[0] @ W[:, i]), 3)", "imprecise", "3 decimals")
influences("as text", 'f"{float(delta[0] @ W[:, i]):.6f}"', "wrong-type", "a str")
influences("nothing at all", "None", "none-returned", "returns None")
influences("the worked example's number", "-1.5", "hard-coded", "whatever the arguments are")
wrong(
    "influence",
    "the product is left in W",
    (SUM, "W *= delta.T\n    return float(W[:, i].sum())"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="W no longer holds",
)
wrong(
    "influence",
    "a loop that keeps only the last unit above",
    (
        SUM,
        "for j in range(len(W)):\n        total = W[j, i] * delta[0, j]\n    return float(total)",
    ),
    cause="wrong-value",
    loses=ALL,
    says="not what the check expects",
)
right(
    "influence",
    "a loop",
    (SUM, "return sum(float(W[j, i]) * float(delta[0, j]) for j in range(len(W)))"),
)
right("influence", "all of them, then one", (SUM, "return (delta @ W)[0, i]"))
right("influence", "einsum", (SUM, 'return np.einsum("nj,j->", delta, W[:, i])'))
right("influence", "a 0-d array", (SUM, "return np.array((delta.ravel() * W.T[i]).sum())"))

# ---------------------------------------------------------------- backprop

FORWARD = "V.append(H[k] @ W.T + b)"
RELU = "H.append(np.maximum(V[k], 0.0))"
FIRST = "delta = (y_hat - y) / len(y)"
DOWN = "delta = (delta @ W) * (V[k - 1] > 0)"
DW = "dW = delta.T @ H[k]"
DB = "db = delta.sum(axis=0)"
STORE = "gradients.insert(0, (dW, db))"

wrong(
    "backprop",
    "the mask is forgotten in every layer",
    (DOWN, "delta = delta @ W"),
    cause="missing-local",
    loses=("dW", "db"),
    says="mask is left out",
)
wrong(
    "backprop",
    "the mask is forgotten in the last hidden layer",
    (DOWN, "delta = (delta @ W) * (V[k - 1] > 0 if k < len(params) - 1 else 1.0)"),
    cause="missing-local",
    loses=("dW", "db"),
    says="mask of the last hidden layer",
)
wrong(
    "backprop",
    "the mask is forgotten in the first layer",
    (DOWN, "delta = (delta @ W) * (V[k - 1] > 0 if k > 1 else 1.0)"),
    cause="missing-local",
    loses=("dW", "db"),
    says="mask of the first hidden layer",
)
wrong(
    "backprop",
    "the mask of the layer above instead of this one's",
    (DOWN, "delta = (delta * (V[k] > 0)) @ W"),
    cause="wrong-value",
    loses=("dW", "db"),
    says="not what the check expects",
)
wrong(
    "backprop",
    "≥ instead of >",
    (DOWN, "delta = (delta @ W) * (V[k - 1] >= 0)"),
    cause="wrong-mask",
    loses=("dW", "db"),
    says="exactly 0",
)
wrong(
    "backprop",
    "the signal is put through the ReLU",
    (DOWN, "delta = np.maximum(delta @ W, 0)"),
    cause="wrong-mask",
    loses=("dW", "db"),
    says="the signal itself",
)
wrong(
    "backprop",
    "the weights of the layer below carry the signal",
    (DOWN, "delta = (delta @ params[k - 1][0]) * (V[k - 1] > 0)"),
    cause="raises",
    loses=ALL,
    says="shape",
)
wrong(
    "backprop",
    "the weights transposed",
    (DOWN, "delta = (delta @ W.T) * (V[k - 1] > 0)"),
    cause="raises",
    loses=ALL,
    says="On other inputs it works",
)
wrong(
    "backprop",
    "dW from the values before the ReLU",
    (DW, "dW = delta.T @ (V[k - 1] if k > 0 else X)"),
    cause="wrong-value",
    loses=("dW",),
    says="before the ReLU",
)
wrong(
    "backprop",
    "the logits are put through the ReLU as well",
    ("logits = V[-1]", "logits = H[-1]"),
    cause="wrong-value",
    loses=ALL,
    says="the last layer",
)
wrong(
    "backprop",
    "no ReLU on the way forward",
    (RELU, "H.append(V[k])"),
    (DOWN, "delta = delta @ W"),
    cause="wrong-value",
    loses=ALL,
    says="ReLUs between the layers are left out",
)
wrong(
    "backprop",
    "no bias on the way forward",
    (FORWARD, "V.append(H[k] @ W.T)"),
    cause="dropped-bias",
    loses=ALL,
    says="biases are left out",
)
wrong(
    "backprop",
    "no bias in the last layer",
    (FORWARD, "V.append(H[k] @ W.T + (b if k < len(params) - 1 else 0))"),
    cause="dropped-bias",
    loses=ALL,
    says="bias of the last layer",
)
wrong(
    "backprop",
    "the mean's 1/N is forgotten in the signal",
    (FIRST, "delta = y_hat - y"),
    cause="mean-vs-sum",
    loses=("dW", "db"),
    says="number of examples",
)
wrong(
    "backprop",
    "db is a mean over the examples",
    (DB, "db = delta.mean(axis=0)"),
    cause="mean-vs-sum",
    loses=("db",),
    says="number of examples",
)
wrong(
    "backprop",
    "the loss is a sum",
    ("loss = np.mean(", "loss = np.sum("),
    cause="mean-vs-sum",
    loses=("loss",),
    says="number of examples",
)
wrong(
    "backprop",
    "the logits are compared with the labels",
    (FIRST, "delta = (logits - y) / len(y)"),
    cause="missing-local",
    loses=("dW", "db"),
    says="sigmoid",
)
wrong(
    "backprop",
    "the sigmoid's derivative once too often",
    (FIRST, "delta = (y_hat - y) * y_hat * (1 - y_hat) / len(y)"),
    cause="wrong-value",
    loses=("dW", "db"),
    says="squared error",
)
wrong(
    "backprop",
    "label minus prediction",
    (FIRST, "delta = (y - y_hat) / len(y)"),
    cause="sign",
    loses=("dW", "db"),
    says="opposite sign",
)
wrong(
    "backprop",
    "the gradients in the order in which they were found",
    (STORE, "gradients.append((dW, db))"),
    cause="order-swapped",
    loses=("dW", "db"),
    says="last layer's first",
)
wrong(
    "backprop",
    "db before dW",
    (STORE, "gradients.insert(0, (db, dW))"),
    cause="order-swapped",
    loses=("dW", "db"),
    says="changed places",
)
wrong(
    "backprop",
    "one flat list of all gradients",
    (STORE, "gradients[:0] = [dW, db]"),
    cause="wrong-shape",
    loses=("dW", "db"),
    says="entries for",
)
wrong(
    "backprop",
    "dW transposed",
    (DW, "dW = H[k].T @ delta"),
    cause="transpose",
    loses=("dW",),
    says="rows and columns exchanged",
)
wrong(
    "backprop",
    "db not summed over the examples",
    (DB, "db = delta"),
    cause="no-batch-sum",
    loses=("db",),
    says="one row for each example",
)
wrong(
    "backprop",
    "db as a row (1, m)",
    (DB, "db = delta.sum(axis=0, keepdims=True)"),
    cause="wrong-shape",
    loses=("db",),
    says="db of layer 1 has shape",
)
wrong(
    "backprop",
    "a dict for each layer",
    (STORE, 'gradients.insert(0, {"dW": dW, "db": db})'),
    cause="wrong-type",
    loses=("dW", "db"),
    says="should be a pair",
)
wrong(
    "backprop",
    "the gradients of the last layer only",
    (STORE, "gradients = gradients or [(dW, db)]"),
    cause="wrong-shape",
    loses=("dW", "db"),
    says="1 entry for",
)
wrong(
    "backprop",
    "the loop ends before the first layer",
    ("for k in reversed(range(len(params))):", "for k in range(len(params) - 1, 0, -1):"),
    cause="wrong-shape",
    loses=("dW", "db"),
    says="for each layer",
)
wrong(
    "backprop",
    "an empty list of gradients",
    ("return loss, gradients", "return loss, []"),
    cause="wrong-shape",
    loses=("dW", "db"),
    says="0 entries",
)
wrong(
    "backprop",
    "the gradients without the loss",
    ("return loss, gradients", "return gradients"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
wrong(
    "backprop",
    "the parameters are taken out of the list one by one",
    ("W, _ = params[k]", "W, _ = params.pop()"),
    ("for k in reversed(range(len(params))):", "for k in reversed(range(len(V))):"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="params no longer holds",
)
wrong(
    "backprop",
    "the weights learn at once",
    (STORE, "gradients.insert(0, (dW, db))\n        params[k][1][:] -= 0.1 * db"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="params no longer holds",
)
wrong(
    "backprop",
    "two layers and no more",
    source="""
    def backprop(params, X, y):
        (W1, b1), (W2, b2) = params
        V1 = X @ W1.T + b1
        H1 = np.maximum(V1, 0)
        V2 = H1 @ W2.T + b2
        d2 = (1 / (1 + np.exp(-V2)) - y) / len(X)
        d1 = (d2 @ W2) * (V1 > 0)
        loss = np.mean(np.logaddexp(0, V2) - y * V2)
        return loss, [(d1.T @ X, d1.sum(axis=0)), (d2.T @ H1, d2.sum(axis=0))]
    """,
    cause="raises",
    loses=ALL,
    says="a network of 3 layers",
)
wrong(
    "backprop",
    "each gradient by nudging",
    source="""
    def backprop(params, X, y, h=1e-5):
        def loss():
            a = X
            for k, (W, b) in enumerate(params):
                a = (np.maximum(a, 0) if k else a) @ W.T + b
            return np.mean(np.logaddexp(0, a) - y * a)

        params = [(W.copy(), b.copy()) for W, b in params]
        gradients = []
        for pair in params:
            found = []
            for array in pair:
                grad = np.zeros_like(array)
                for index in np.ndindex(*array.shape):
                    old = array[index]
                    array[index] = old + h
                    up = loss()
                    array[index] = old - h
                    grad[index] = (up - loss()) / (2 * h)
                    array[index] = old
                found.append(grad)
            gradients.append(tuple(found))
        return loss(), gradients
    """,
    cause="imprecise",
    loses=("dW", "db"),
    says="digits right",
)
wrong(
    "backprop",
    "the engine does it",
    source="""
    import backprop_kit

    def backprop(params, X, y):
        leaves = [(Tensor(W, True), Tensor(b, True)) for W, b in params]
        h = X
        for k, (W, b) in enumerate(leaves):
            h = (h.relu() if k else Tensor(h)) @ W.T + b
        loss = backprop_kit.bce_with_logits(y, h)
        loss.backward()
        return loss.item(), [(W.grad, b.grad) for W, b in leaves]
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "backprop",
    "gradients of earlier calls are still in the list",
    ("def backprop(params, X, y):", "def backprop(params, X, y, gradients=[]):"),
    ("gradients = []\n", "\n"),
    cause="state-leak",
    loses=("dW", "db"),
    says="second time",
)
wrong(
    "backprop",
    "activations of earlier calls are still in the list",
    ("def backprop(params, X, y):", "def backprop(params, X, y, H=[]):"),
    ("H, V = [X], []", "H.append(X)\n    V = []\n    start = len(H) - 1"),
    (FORWARD, "V.append(H[start + k] @ W.T + b)"),
    (DW, "dW = delta.T @ H[k]"),
    cause="raises",
    loses=ALL,
    says="shape",
)
wrong(
    "backprop",
    "ŷ goes into the loss that wants logits",
    ("logits = V[-1]", "logits = 1 / (1 + np.exp(-V[-1]))"),
    cause="wrong-value",
    loses=ALL,
    says="a loss that has one of its own",
)
right(
    "backprop",
    "recursion: a network is a layer below a network",
    source="""
    def backprop(params, X, y):
        loss, gradients, _ = down(params, X, y)
        return loss, gradients

    def down(params, h, y):
        (W, b), *rest = params
        v = h @ W.T + b
        if not rest:
            d = (1 / (1 + np.exp(-v)) - y) / len(y)
            loss = float(np.mean(np.logaddexp(0, v) - y * v))
            return loss, [(d.T @ h, d.sum(axis=0))], d @ W
        loss, gradients, signal = down(rest, np.maximum(v, 0), y)
        d = np.where(v > 0, signal, 0)
        return loss, [(d.T @ h, d.sum(axis=0)), *gradients], d @ W
    """,
)
right(
    "backprop",
    "example by example, np.outer, lists of lists of pairs",
    source="""
    def backprop(params, X, y):
        total = 0.0
        sums = [[np.zeros(W.shape), np.zeros(b.shape)] for W, b in params]
        for x, (t,) in zip(X, y):
            inputs = []
            a = x
            for k, (W, b) in enumerate(params):
                inputs.append(a)
                v = W @ a + b
                a = np.where(v > 0, v, 0.0)
            total += np.logaddexp(0, v[0]) - t * v[0]
            delta = 1 / (1 + np.exp(-v)) - t
            for k in range(len(params) - 1, -1, -1):
                sums[k][0] += np.outer(delta, inputs[k]) / len(X)
                sums[k][1] += delta / len(X)
                delta = (params[k][0].T @ delta) * (inputs[k] > 0)
        return total / len(X), sums
    """,
)
right(
    "backprop",
    "columns, as on paper, einsum, a list turned round at the end",
    source="""
    def sigmoid(v):
        return 0.5 * (1 + np.tanh(v / 2))

    def backprop(params, X, y):
        a, kept = X.T, []
        for number, (W, b) in enumerate(params, 1):
            v = W @ a + b[:, None]
            kept.append((a, v))
            a = v if number == len(params) else v * (v > 0)
        p = sigmoid(a)
        t = y.T
        loss = np.mean(-t * np.log(p) - (1 - t) * np.log(1 - p))
        delta = (p - t) / t.size
        found = []
        for (W, b), (a, v), below in zip(
            params[::-1], kept[::-1], [v for _, v in kept[-2::-1]] + [None]
        ):
            found.append((np.einsum("mn,kn->mk", delta, a), delta.sum(axis=1)))
            if below is not None:
                delta = (W.T @ delta) * (below > 0)
        return loss, tuple(found[::-1])
    """,
)
right(
    "backprop",
    "the mask from the values behind the ReLU, which is the same one",
    (DOWN, "delta = (delta @ W) * (H[k] > 0)"),
)

# ---------------------------------------------------------------- train

MOVE = "(W - lr * dW, b - lr * db)"
LOOP = "for _ in range(steps):"
ONE_STEP = "delta = (np.exp(-np.logaddexp(0.0, -v)) - y) / len(y)"
AFTER = "losses.append(loss_and_gradients(params)[0])"

wrong(
    "train",
    "uphill",
    (MOVE, "(W + lr * dW, b + lr * db)"),
    cause="sign",
    loses=ALL,
    says="uphill",
)
wrong(
    "train",
    "the learning rate is forgotten",
    (MOVE, "(W - dW, b - db)"),
    cause="factor",
    loses=ALL,
    says="learning rate",
)
wrong(
    "train",
    "the biases stay where they are",
    (MOVE, "(W - lr * dW, b)"),
    cause="wrong-value",
    loses=ALL,
    says="only the weights are moved",
)
wrong(
    "train",
    "only the last layer learns",
    (
        "for (W, b), (dW, db) in zip(params, gradients, strict=True)",
        "for (W, b), (dW, db) in zip(params, [(0, 0)] * (len(params) - 1) + gradients[-1:])",
    ),
    cause="wrong-value",
    loses=ALL,
    says="only the last layer",
)
wrong(
    "train",
    "the gradients of the starting point in every step",
    (LOOP, "_, stale = loss_and_gradients(params)\n    " + LOOP),
    ("zip(params, gradients, strict=True)", "zip(params, stale)"),
    cause="wrong-value",
    loses=ALL,
    says="starting point",
)
wrong(
    "train",
    "each layer moves before the signal passes it",
    (
        "gradients.insert(0, (delta.T @ H[k], delta.sum(axis=0)))",
        "gradients.insert(0, (delta.T @ H[k], delta.sum(axis=0)))\n"
        "            params = [*params]\n"
        "            params[k] = (params[k][0] - lr * gradients[0][0], params[k][1])",
    ),
    cause="wrong-weight",
    loses=ALL,
    says="already moved",
)
wrong(
    "train",
    "the sum over the examples instead of the mean",
    (ONE_STEP, "delta = np.exp(-np.logaddexp(0.0, -v)) - y"),
    cause="mean-vs-sum",
    loses=ALL,
    says="sum over the examples",
)
wrong(
    "train",
    "1/N a second time in the step",
    (MOVE, "(W - lr * dW / len(X), b - lr * db / len(X))"),
    cause="mean-vs-sum",
    loses=ALL,
    says="second time",
)
wrong(
    "train",
    "one step too few",
    (LOOP, "for _ in range(steps - 1):"),
    cause="wrong-value",
    loses=ALL,
    says="one step too few",
)
wrong(
    "train",
    "one step too many, its loss cut off",
    (LOOP, "for _ in range(steps + 1):"),
    (AFTER, "pass"),
    cause="wrong-value",
    loses=("W", "b"),
    says="one step too many",
)
wrong(
    "train",
    "the loss before the first step is not recorded",
    ("losses.append(loss)", "pass"),
    (AFTER, "losses = []\n    return params, losses"),
    cause="wrong-shape",
    loses=("losses",),
    says="entries",
)
wrong(
    "train",
    "the last loss is missing",
    (AFTER, "pass"),
    cause="wrong-shape",
    loses=("losses",),
    says="losses",
)
wrong(
    "train",
    "every loss one step late, the first of them twice",
    ("losses = []", "losses = [loss_and_gradients(params)[0]]"),
    (AFTER, "pass"),
    cause="wrong-value",
    loses=("losses",),
    says="one step too late",
)
wrong(
    "train",
    "the losses are sums",
    ("return np.mean(", "return np.sum("),
    cause="mean-vs-sum",
    loses=("losses",),
    says="sums over the examples",
)
wrong(
    "train",
    "the mask is forgotten in backprop",
    ("* (V[k - 1] > 0) if k > 0 else None", "if k > 0 else None"),
    cause="wrong-value",
    loses=ALL,
    says="`backprop` first",
)
wrong(
    "train",
    "the caller's arrays are moved",
    (
        "params = [\n            (W - lr * dW, b - lr * db)\n"
        "            for (W, b), (dW, db) in zip(params, gradients, strict=True)\n        ]",
        "for (W, b), (dW, db) in zip(params, gradients, strict=True):\n"
        "            W -= lr * dW\n            b -= lr * db",
    ),
    cause="mutates-argument",
    loses=(ALONE,),
    says="params no longer holds",
)
wrong(
    "train",
    "the caller's list is filled anew",
    ("params = [\n", "params[:] = [\n"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="params no longer holds",
)
wrong(
    "train",
    "losses and parameters in the wrong order",
    ("    return params, losses", "    return losses, params"),
    cause="wrong-type",
    loses=ALL,
    says="pair",
)
wrong(
    "train",
    "the losses alone",
    ("    return params, losses", "    return losses"),
    cause="wrong-type",
    loses=ALL,
    says="tuple of 2",
)
wrong(
    "train",
    "the arrays in one flat list",
    ("    return params, losses", "    return [p for pair in params for p in pair], losses"),
    cause="wrong-shape",
    loses=("W", "b"),
    says="entries for",
)
wrong(
    "train",
    "returned from inside the loop",
    (AFTER + "\n    return params, losses", "    return params, losses"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "train",
    "the losses of earlier calls are still in the list",
    ("lr, steps):", "lr, steps, losses=[]):"),
    ("    losses = []\n", ""),
    cause="state-leak",
    loses=("losses",),
    says="second time",
)
wrong(
    "train",
    "the training goes on where the last one stopped",
    ("def train(params, X, y, lr, steps):", "def train(params, X, y, lr, steps, seen={}):"),
    ("    losses = []\n", "    params, losses = seen.get(len(params), params), []\n"),
    (AFTER, AFTER + "\n    seen[len(params)] = params"),
    cause="state-leak",
    loses=ALL,
    says="second time",
)
wrong(
    "train",
    "gradients by nudging",
    source="""
    def loss_of(params, X, y):
        a = X
        for k, (W, b) in enumerate(params):
            a = (np.maximum(a, 0) if k else a) @ W.T + b
        return np.mean(np.logaddexp(0, a) - y * a)

    def nudged(params, X, y, h=1e-5):
        out = []
        for pair in params:
            for array in pair:
                grad = np.zeros_like(array)
                for index in np.ndindex(*array.shape):
                    old = array[index]
                    array[index] = old + h
                    up = loss_of(params, X, y)
                    array[index] = old - h
                    grad[index] = (up - loss_of(params, X, y)) / (2 * h)
                    array[index] = old
                out.append(grad)
        return out

    def train(params, X, y, lr, steps):
        params = [(W.copy(), b.copy()) for W, b in params]
        losses = [loss_of(params, X, y)]
        for _ in range(steps):
            grads = nudged(params, X, y)
            for array, grad in zip([a for pair in params for a in pair], grads):
                array -= lr * grad
            losses.append(loss_of(params, X, y))
        return params, losses
    """,
    cause="imprecise",
    loses=ALL,
    says="difference quotients",
)
wrong(
    "train",
    "the engine finds the gradients",
    source="""
    import backprop_kit

    def train(params, X, y, lr, steps):
        losses = []
        for step in range(steps + 1):
            leaves = [(Tensor(W, True), Tensor(b, True)) for W, b in params]
            h = Tensor(X)
            for k, (W, b) in enumerate(leaves):
                h = (h.relu() if k else h) @ W.T + b
            loss = backprop_kit.bce_with_logits(y, h)
            losses.append(loss.item())
            if step < steps:
                loss.backward()
                params = [(W.data - lr * W.grad, b.data - lr * b.grad) for W, b in leaves]
        return params, losses
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "train",
    "a while loop whose counter never moves",
    (LOOP, "step = 0\n    while step < steps:"),
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
right(
    "train",
    "with backprop, recursion, a tuple of losses",
    source="""
    def backprop(params, X, y):
        H = [X]
        for k, (W, b) in enumerate(params):
            v = H[-1] @ W.T + b
            H.append(np.maximum(v, 0))
        d = (1 / (1 + np.exp(-v)) - y) / len(y)
        out = []
        for k in range(len(params) - 1, -1, -1):
            out.append((d.T @ H[k], d.sum(axis=0)))
            d = (d @ params[k][0]) * (H[k] > 0)
        return np.mean(np.logaddexp(0, v) - y * v), out[::-1]

    def train(params, X, y, lr, steps):
        loss, gradients = backprop(params, X, y)
        if steps == 0:
            return params, (loss,)
        moved = [tuple(p - lr * g for p, g in zip(*pair)) for pair in zip(params, gradients)]
        params, losses = train(moved, X, y, lr, steps - 1)
        return params, (loss, *losses)
    """,
)
right(
    "train",
    "copies that are moved in place, an array of losses",
    source="""
    def train(params, X, y, lr, steps):
        params = [[W.copy(), b.copy()] for W, b in params]
        losses = np.zeros(steps + 1)
        for step in range(steps + 1):
            inputs, a = [], X
            for number, (W, b) in enumerate(params):
                a = np.maximum(a, 0) if number else a
                inputs.append(a)
                a = a @ W.T + b
            losses[step] = np.mean(np.logaddexp(0, a) - y * a)
            if step == steps:
                break
            delta = (0.5 * (1 + np.tanh(a / 2)) - y) / len(X)
            for (W, b), h in zip(params[::-1], inputs[::-1]):
                below = (delta @ W) * (h > 0)
                W -= lr * (delta.T @ h)
                b -= lr * delta.sum(axis=0)
                delta = below
        return params, losses
    """,
)
right(
    "train",
    "deepcopy, lists of lists, einsum",
    source="""
    import copy

    def train(params, X, y, lr, steps):
        params = copy.deepcopy(params)
        losses = []
        for step in range(steps + 1):
            values = [X]
            for W, b in params:
                v = np.einsum("ni,oi->no", values[-1], W) + b
                values.append(np.where(v > 0, v, 0))
            p = 1 / (1 + np.exp(-v))
            losses.append(float((-y * np.log(p) - (1 - y) * np.log(1 - p)).mean()))
            if step < steps:
                signal, moved = (p - y) / y.size, []
                for (W, b), h in zip(reversed(params), reversed(values[:-1])):
                    dW, db = np.einsum("no,ni->oi", signal, h), signal.sum(0)
                    signal = np.einsum("no,oi->ni", signal, W) * (h > 0)
                    moved.append([W - lr * dW, b - lr * db])
                params = moved[::-1]
        return params, losses
    """,
)
