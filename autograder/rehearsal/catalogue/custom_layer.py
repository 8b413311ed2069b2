"""Lesson 06: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/06_custom_layer`. A class brings slips
of its own: what it keeps, where it keeps it, and what it hands back through self.grads.
"""

from functools import partial

from . import ALL, right, wrong

APART = "calls kept apart"
ALONE = "arguments left alone"

# ---------------------------------------------------------------- cube_layer: y = x³

BACK = ("dL_dx", APART)


wrong_cube = partial(wrong, "cube_layer", loses=BACK)

wrong_cube(
    "the signal from above is left out",
    ("return dy_dx * grad", "return dy_dx"),
    cause="upstream-ignored",
    says="as if it were all ones",
)
wrong_cube(
    "the factor 3 is lost",
    ("3.0 * self.x**2", "self.x**2"),
    cause="factor",
    says="exactly a third of",
)
wrong_cube(
    "the exponent comes down to 1",
    ("3.0 * self.x**2", "3.0 * self.x"),
    cause="wrong-value",
    says="lowered by one too many",
)
wrong_cube(
    "the exponent stays",
    ("3.0 * self.x**2", "3.0 * self.x**3"),
    cause="wrong-value",
    says="the exponent is not lowered",
)
wrong_cube(
    "a minus from nowhere",
    ("3.0 * self.x**2", "-3.0 * self.x**2"),
    cause="sign",
    says="opposite sign",
)
wrong_cube(
    "the slope at the output",
    ("self.x = x\n        return x**3", "self.x = x**3\n        return self.x"),
    cause="wrong-value",
    says="the layer's output is used where its input belongs",
)
wrong_cube(
    "the signal is handed on as it is",
    ("return dy_dx * grad", "return grad"),
    cause="missing-local",
    says="local derivative of the power",
)
wrong_cube(
    "the value times the signal",
    ("3.0 * self.x**2", "self.x**3"),
    cause="wrong-value",
    says="not its slope times the signal",
)
wrong_cube(
    "a square in the forward pass",
    ("return x**3", "return x**2"),
    cause="wrong-value",
    loses=("y",),
    says="x is squared, not cubed",
)
wrong_cube(
    "the mean over the batch",
    ("return dy_dx * grad", "return dy_dx * grad / len(grad)"),
    cause="mean-vs-sum",
    says="the number of examples",
)
wrong_cube(
    "the gradient summed over the rows, as for a parameter",
    ("return dy_dx * grad", "return (dy_dx * grad).sum(axis=0)"),
    cause="wrong-shape",
    says="shape",
)
wrong_cube(
    "transposed",
    ("return dy_dx * grad", "return (dy_dx * grad).T"),
    cause="transpose",
    says="rows and columns exchanged",
)
wrong_cube(
    "forward changes x in place",
    ("return x**3", "y = x**3\n        x *= 2\n        return y"),
    cause="factor",
    loses=("dL_dx", APART, ALONE),
    says="exactly four times",
)
wrong_cube(
    "backward multiplies the signal in place",
    ("return dy_dx * grad", "grad *= dy_dx\n        return grad"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="grad no longer holds",
)
wrong_cube(
    "x is kept on the class",
    ("self.x = x\n", "Cube.x = x\n"),
    cause="state-leak",
    loses=(APART,),
    says="a second layer of the same class",
)
wrong_cube(
    "x is kept in a global list that grows",
    source="""
    kept = []

    class Cube:
        def forward(self, x):
            kept.append(x)
            return x**3

        def backward(self, grad):
            return grad * 3 * kept[-1] ** 2
    """,
    cause="state-leak",
    loses=(APART,),
    says="not in a global",
)
wrong_cube(
    "only the first x is kept",
    ("self.x = x\n", "self.x = getattr(self, 'x', x)\n"),
    cause="state-leak",
    loses=(APART,),
    says="an earlier forward",
)
wrong_cube(
    "what was kept is used up",
    ("return dy_dx * grad", "del self.x\n        return dy_dx * grad"),
    cause="state-leak",
    loses=(APART,),
    says="it raises AttributeError",
)
wrong_cube(
    "the gradients of all calls are added up",
    (
        "return dy_dx * grad",
        "self.dx = getattr(self, 'dx', 0.0) + dy_dx * grad\n        return self.dx",
    ),
    cause="state-leak",
    loses=(APART,),
    says="a second backward with the same signal",
)
wrong_cube(
    "x is not kept at all",
    ("self.x = x\n        ", ""),
    cause="raises",
    says="what backward needs, forward must keep",
)
wrong_cube(
    "x is kept without self",
    ("self.x = x\n", "kept = x\n"),
    cause="raises",
    says="no attribute 'x'",
)
wrong_cube(
    "a name that does not exist",
    ("dy_dx * grad", "dy_dx * gradient"),
    cause="raises",
    says="name 'gradient' is not defined",
)
wrong_cube(
    "backward without a return",
    ("return dy_dx * grad", "self.grads = {'x': dy_dx * grad}"),
    cause="none-returned",
    says="backward returns nothing",
)
wrong_cube(
    "forward prints its value",
    ("return x**3", "print(x**3)"),
    cause="none-returned",
    loses=("y",),
    says="forward returns nothing",
)
wrong_cube(
    "a list of rows",
    ("return dy_dx * grad", "return (dy_dx * grad).tolist()"),
    cause="wrong-type",
    says="should be an array",
)
wrong_cube(
    "float32 to save memory",
    ("return dy_dx * grad", "return (dy_dx * grad).astype(np.float32)"),
    cause="wrong-type",
    says="float32",
)
wrong_cube(
    "the gradient is undefined where x is 0",
    ("3.0 * self.x**2", "3.0 * self.x**3 / self.x"),
    cause="non-finite",
    says="some entries are 0",
)
wrong_cube(
    "difference quotients",
    ("3.0 * self.x**2", "((self.x + 1e-5) ** 3 - (self.x - 1e-5) ** 3) / 2e-5"),
    cause="imprecise",
    says="close, but not exact",
)
wrong_cube(
    "forward is written, backward is not",
    ("dy_dx = 3.0 * self.x**2\n        return dy_dx * grad", "raise NotImplementedError()"),
    cause="not-implemented",
    says="Cube.backward still raises",
)
wrong_cube(
    "a method called back",
    ("def backward", "def back"),
    cause="not-implemented",
    loses=ALL,
    says="Cube has no method backward",
)
wrong_cube(
    "a function where a class is asked for",
    source="""
    def Cube(x):
        return x**3
    """,
    cause="raises",
    loses=ALL,
    says="TypeError",
)
wrong_cube(
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    class Cube:
        def forward(self, x):
            self.x = Tensor(x, requires_grad=True)
            self.y = self.x**3
            return self.y.data

        def backward(self, grad):
            self.y.backward(grad)
            return self.x.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong_cube(
    "a loop that does not end",
    ("dy_dx = 3.0 * self.x**2", "dy_dx = 1.0\n        while dy_dx < 2:\n            dy_dx *= 1.0"),
    cause="time-out",
    loses=ALL,
    says="does not finish",
)

right(
    "cube_layer", "as a product", ("x**3", "x * x * x"), ("3.0 * self.x**2", "3 * self.x * self.x")
)
right(
    "cube_layer",
    "the slope is computed in forward",
    source="""
    class Cube:
        def __init__(self):
            self.params = {}
            self.grads = {}

        def forward(self, x):
            square = x * x
            self.slope = 3 * square
            return x * square

        def backward(self, grad):
            return np.multiply(grad, self.slope)
    """,
)
right(
    "cube_layer",
    "entry by entry",
    source="""
    class Cube:
        def forward(self, x):
            self.x = x.copy()
            y = np.empty(x.shape)
            for index, value in np.ndenumerate(x):
                y[index] = value**3
            return y

        def backward(self, grad):
            dx = np.zeros(grad.shape)
            for index in np.ndindex(*grad.shape):
                dx[index] = grad[index] * 3 * self.x[index] ** 2
            return dx
    """,
)
right(
    "cube_layer",
    "a function made in forward",
    source="""
    class Cube:
        def forward(self, x):
            self.vjp = lambda g: g * 3 * x**2
            return x**3

        def backward(self, grad):
            return self.vjp(grad)
    """,
)

# ---------------------------------------------------------------- softplus_layer: y = log(1 + eˣ)

FORWARD = "np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))"
SLOPE = "np.where(self.x > 0, 1.0, small) / (1.0 + small)"
SLOPE_LOST = ("dL_dx", "dL_dx, stable", APART)
VALUE_LOST = ("y", "y, stable")


wrong_softplus = partial(wrong, "softplus_layer", loses=SLOPE_LOST)

wrong_softplus(
    "the formula as it stands",
    (FORWARD, "np.log(1 + np.exp(x))"),
    cause="unstable",
    loses=("y, stable",),
    says="right except where the numbers are extreme",
)
wrong_softplus(
    "log1p alone: right on the left, overflow on the right",
    (FORWARD, "np.log1p(np.exp(x))"),
    cause="unstable",
    loses=("y, stable",),
    says="x around ±1000",
)
wrong_softplus(
    "clipped before the exponential",
    (FORWARD, "np.log1p(np.exp(np.clip(x, -500.0, 500.0)))"),
    cause="unstable",
    loses=("y, stable",),
    says="wrong for x around ±1000",
)
wrong_softplus(
    "zero on the far left",
    (FORWARD, "np.where(x > 30, x, np.where(x < -30, 0.0, np.log1p(np.exp(x))))"),
    cause="unstable",
    loses=("y, stable",),
    says="where the result is tiny",
)
wrong_softplus(
    "the slope as a quotient of exponentials",
    (SLOPE, "np.exp(self.x) / (1.0 + np.exp(self.x))"),
    cause="unstable",
    loses=("dL_dx, stable",),
    says="dL_dx at extremes",
)
wrong_softplus(
    "the slope as 1 minus something",
    (SLOPE, "1.0 - 1.0 / (1.0 + np.exp(self.x))"),
    cause="unstable",
    loses=("dL_dx, stable",),
    says="where the result is tiny",
)
wrong_softplus(
    "both as they stand",
    (FORWARD, "np.log(1 + np.exp(x))"),
    (SLOPE, "np.exp(self.x) / (1.0 + np.exp(self.x))"),
    cause="unstable",
    loses=("y, stable", "dL_dx, stable"),
    says="y at extremes and dL_dx at extremes",
)
wrong_softplus(
    "an epsilon against the zero",
    (FORWARD, "np.maximum(x, 0.0) + np.log(np.exp(-np.abs(x)) + 1 + 1e-7)"),
    cause="imprecise",
    loses=VALUE_LOST,
    says="close, but not exact",
)
wrong_softplus(
    "a threshold that is too low",
    (FORWARD, "np.where(x > 1.0, x, np.log1p(np.exp(np.minimum(x, 1.0))))"),
    cause="wrong-value",
    loses=VALUE_LOST,
    says="y is not what",
)
wrong_softplus(
    "ReLU",
    (FORWARD, "np.maximum(x, 0.0)"),
    cause="wrong-value",
    loses=VALUE_LOST,
    says="the corner is sharp",
)
wrong_softplus(
    "the logarithm to base 2",
    (FORWARD, "np.maximum(x, 0.0) + np.log2(1 + np.exp(-np.abs(x)))"),
    cause="wrong-value",
    loses=VALUE_LOST,
    says="y is not what",
)
wrong_softplus(
    "the sign of x is turned in forward",
    (FORWARD, "np.maximum(-x, 0.0) + np.log1p(np.exp(-np.abs(x)))"),
    cause="wrong-value",
    loses=VALUE_LOST,
    says="the sign of x is turned",
)
wrong_softplus(
    "the signal from above is left out",
    ("return dy_dx * grad", "return dy_dx"),
    cause="upstream-ignored",
    says="as if it were all ones",
)
wrong_softplus(
    "the signal is handed on as it is",
    ("return dy_dx * grad", "return grad"),
    cause="missing-local",
    says="local derivative of the softplus",
)
wrong_softplus(
    "the slope of the mirror image",
    ("np.where(self.x > 0, 1.0, small)", "np.where(self.x < 0, 1.0, small)"),
    cause="wrong-value",
    says="the slope is taken at −x",
)
wrong_softplus(
    "a minus from nowhere",
    ("return dy_dx * grad", "return -dy_dx * grad"),
    cause="sign",
    says="opposite sign",
)
wrong_softplus(
    "the slope of the sigmoid",
    ("return dy_dx * grad", "return dy_dx * (1 - dy_dx) * grad"),
    cause="wrong-value",
    says="differentiated once more",
)
wrong_softplus(
    "the inner derivative is forgotten",
    (SLOPE, "1.0 / (1.0 + np.exp(self.x))"),
    cause="wrong-value",
    says="dL_dx",
)
wrong_softplus(
    "the slope at the output",
    ("self.x = x\n        return " + FORWARD, "self.x = " + FORWARD + "\n        return self.x"),
    cause="wrong-value",
    says="at the layer's output instead of its input",
)
wrong_softplus(
    "the mask of a ReLU",
    (SLOPE, "np.where(self.x > 0, 1.0, 0.0)"),
    cause="wrong-value",
    says="dL_dx",
)
wrong_softplus(
    "difference quotients",
    (
        "dy_dx = " + SLOPE,
        "dy_dx = (np.logaddexp(0, self.x + 1e-5) - np.logaddexp(0, self.x - 1e-5)) / 2e-5",
    ),
    cause="imprecise",
    says="close, but not exact",
)
wrong_softplus(
    "x is kept on the class",
    ("self.x = x\n", "type(self).x = x\n"),
    cause="state-leak",
    loses=(APART,),
    says="a second layer of the same class",
)
wrong_softplus(
    "the signal is changed in place",
    ("return dy_dx * grad", "grad *= dy_dx\n        return grad"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="grad no longer holds",
)
wrong_softplus(
    "x is not kept",
    ("self.x = x\n        ", ""),
    cause="raises",
    says="what backward needs, forward must keep",
)
wrong_softplus(
    "the math module, which takes one number",
    source="""
    import math

    class Softplus:
        def forward(self, x):
            self.x = x
            return math.log(1 + math.exp(x))

        def backward(self, grad):
            return grad / (1 + math.exp(-self.x))
    """,
    cause="raises",
    loses=ALL,
    says="TypeError",
)
wrong_softplus(
    "a sum over the rows",
    ("return dy_dx * grad", "return np.sum(dy_dx * grad, axis=0)"),
    cause="wrong-shape",
    says="shape",
)
wrong_softplus(
    "the kit's own layer",
    source="""
    from backprop_kit import Softplus
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("softplus_layer", "logaddexp", (FORWARD, "np.logaddexp(0.0, x)"))
right(
    "softplus_layer",
    "the sigmoid as it stands: it overflows to the right result",
    (SLOPE, "1.0 / (1.0 + np.exp(-self.x))"),
)
right(
    "softplus_layer",
    "a threshold where it no longer matters",
    (FORWARD, "np.where(x > 30, x, np.log1p(np.exp(np.minimum(x, 30))))"),
    (SLOPE, "np.exp(-np.logaddexp(0.0, -self.x))"),
)
right(
    "softplus_layer",
    "two masks",
    source="""
    class Softplus:
        def forward(self, x):
            self.x = x
            y = np.empty_like(x)
            right = x > 0
            y[right] = x[right] + np.log1p(np.exp(-x[right]))
            y[~right] = np.log1p(np.exp(x[~right]))
            return y

        def backward(self, grad):
            slope = np.empty_like(self.x)
            right = self.x > 0
            slope[right] = 1 / (1 + np.exp(-self.x[right]))
            e = np.exp(self.x[~right])
            slope[~right] = e / (1 + e)
            return grad * slope
    """,
)
right(
    "softplus_layer",
    "a loop over the numbers",
    source="""
    import math

    def one(x):
        return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))

    def slope(x):
        return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))

    class Softplus:
        def forward(self, x):
            self.x = x
            return np.array([one(v) for v in x.ravel()]).reshape(x.shape)

        def backward(self, grad):
            return np.array([slope(v) for v in self.x.ravel()]).reshape(grad.shape) * grad
    """,
)

# ---------------------------------------------------------------- wacky_layer

V = 'self.v = X @ self.params["W"].T'
SINE = "through_sine = grad * self.neighbour * np.cos(self.v)"
NEIGHBOUR = "to_neighbour = grad * np.sin(self.v)"
DV = "dv = through_sine + np.roll(to_neighbour, 1, axis=1)"
GRADS = ("dL_dX", "dL_dW", APART)
IN_PARAMS = "W in params"


wrong_wacky = partial(wrong, "wacky_layer", loses=GRADS)

wrong_wacky(
    "only the way through the sine",
    (DV, "dv = through_sine"),
    cause="missing-path",
    says="only the way through the sine is followed",
)
wrong_wacky(
    "only the way to the neighbour",
    (DV, "dv = np.roll(to_neighbour, 1, axis=1)"),
    cause="missing-path",
    says="only the way to the neighbour is followed",
)
wrong_wacky(
    "the neighbour's share is not moved",
    (DV, "dv = through_sine + to_neighbour"),
    cause="wrong-value",
    says="put into the column it was multiplied with",
)
wrong_wacky(
    "the neighbour's share is moved the wrong way",
    (DV, "dv = through_sine + np.roll(to_neighbour, -1, axis=1)"),
    cause="wrong-value",
    says="shifted in the wrong direction",
)
wrong_wacky(
    "a loop that overwrites",
    (
        DV,
        "dv = np.zeros_like(grad)\n"
        "        m = grad.shape[1]\n"
        "        for i in range(m):\n"
        "            dv[:, i] = through_sine[:, i]\n"
        "            dv[:, (i + 1) % m] = to_neighbour[:, i]",
    ),
    cause="overwrite-not-accumulate",
    says="the later assignment replaces the earlier one",
)
wrong_wacky(
    "the sine is its own derivative",
    (SINE, "through_sine = grad * self.neighbour * np.sin(self.v)"),
    cause="wrong-value",
    says="the sine's own value",
)
wrong_wacky(
    "the sine's local derivative is forgotten",
    (SINE, "through_sine = grad * self.neighbour"),
    cause="missing-local",
    says="local derivative of the sine",
)
wrong_wacky(
    "minus the cosine",
    (SINE, "through_sine = -grad * self.neighbour * np.cos(self.v)"),
    cause="sign",
    says="sine has its sign turned",
)
wrong_wacky(
    "the cosine of the neighbour",
    (SINE, "through_sine = grad * self.neighbour * np.cos(self.neighbour)"),
    cause="wrong-value",
    says="taken at the neighbour",
)
wrong_wacky(
    "the signal is left out",
    (SINE, "through_sine = self.neighbour * np.cos(self.v)"),
    (NEIGHBOUR, "to_neighbour = np.sin(self.v)"),
    cause="upstream-ignored",
    says="as if it were all ones",
)
wrong_wacky(
    "the signal is left out for W only",
    (
        'self.grads["W"] = dv.T @ self.X',
        "ones = self.neighbour * np.cos(self.v) + np.roll(np.sin(self.v), 1, axis=1)\n"
        '        self.grads["W"] = ones.T @ self.X',
    ),
    cause="upstream-ignored",
    loses=("dL_dW",),
    says="dL_dW",
)
wrong_wacky(
    "the gradient to v is handed to X",
    ('return dv @ self.params["W"]', "return dv"),
    cause="wrong-shape",
    loses=("dL_dX", APART),
    says="shape",
)
wrong_wacky(
    "W and X change their roles",
    ('self.grads["W"] = dv.T @ self.X', 'self.grads["W"] = self.X.T @ dv'),
    cause="transpose",
    loses=("dL_dW",),
    says="rows and columns exchanged",
)
wrong_wacky(
    "no sum over the batch",
    ("dv.T @ self.X", "dv[:, :, None] * self.X[:, None, :]"),
    cause="no-batch-sum",
    loses=("dL_dW",),
    says="one row for each example",
)
wrong_wacky(
    "a mean over the batch",
    ("dv.T @ self.X", "dv.T @ self.X / len(self.X)"),
    cause="mean-vs-sum",
    loses=("dL_dW",),
    says="number of examples",
)
wrong_wacky(
    "the signal is divided by the number of rows",
    (DV, DV + "\n        dv = dv / len(dv)"),
    cause="mean-vs-sum",
    says="number of examples",
)
wrong_wacky(
    "W is not transposed in backward, which a square W hides",
    ('return dv @ self.params["W"]', 'return dv @ self.params["W"].T'),
    cause="raises",
    loses=GRADS,
    says="print the shape of every factor",
)
wrong_wacky(
    "right for one example only",
    ("dv.T @ self.X", "np.outer(dv[0], self.X[0])"),
    cause="single-only",
    loses=("dL_dW",),
    says="right for one example",
)
wrong_wacky(
    "the gradient to W is added to the old one",
    (
        'self.grads["W"] = dv.T @ self.X',
        'self.grads["W"] = self.grads.get("W", 0.0) + dv.T @ self.X',
    ),
    cause="state-leak",
    loses=(APART,),
    says="a second backward with the same signal",
)
wrong_wacky(
    "v is kept on the class",
    (V, 'v = X @ self.params["W"].T\n        Wacky.v = v'),
    cause="state-leak",
    loses=(APART,),
    says="a second layer of the same class",
)
wrong_wacky(
    "what is kept goes into a mutable default argument",
    ("def __init__(self, W):", "def __init__(self, W, kept=[]):\n        self.kept = kept"),
    ("return np.sin(self.v)", "self.kept.append(self.v)\n        return np.sin(self.v)"),
    ("np.cos(self.v)", "np.cos(self.kept[-1])"),
    cause="state-leak",
    loses=(APART,),
    says="a second layer of the same class",
)
wrong_wacky(
    "W is copied, and the copy is used",
    (
        'self.params = {"W": W}',
        'self.params = {"W": W}\n        self.W = W.copy()',
    ),
    (V, "self.v = X @ self.W.T"),
    ('return dv @ self.params["W"]', "return dv @ self.W"),
    cause="no-parameter",
    loses=(IN_PARAMS,),
    says="goes on computing with the old W",
)
wrong_wacky(
    "there is no params",
    ('self.params = {"W": W}', "self.W = W"),
    (V, "self.v = X @ self.W.T"),
    ('return dv @ self.params["W"]', "return dv @ self.W"),
    cause="no-parameter",
    loses=(IN_PARAMS,),
    says="no dict self.params",
)
wrong_wacky(
    "the key is a small w",
    ('self.params = {"W": W}', 'self.params = {"w": W}'),
    (V, 'self.v = X @ self.params["w"].T'),
    ('return dv @ self.params["W"]', 'return dv @ self.params["w"]'),
    cause="no-parameter",
    loses=(IN_PARAMS,),
    says='no key "W"',
)
wrong_wacky(
    "the gradient to W is returned, not put into grads",
    (
        'self.grads["W"] = dv.T @ self.X\n        return dv @ self.params["W"]',
        'return dv @ self.params["W"], dv.T @ self.X',
    ),
    cause="wrong-type",
    loses=GRADS,
    says="a tuple of 2",
)
wrong_wacky(
    "the gradient to W is forgotten",
    ('self.grads["W"] = dv.T @ self.X\n        ', ""),
    cause="none-returned",
    loses=("dL_dW",),
    says="no gradient in self.grads['W']",
)
wrong_wacky(
    "the key is dW",
    ('self.grads["W"] = dv', 'self.grads["dW"] = dv'),
    cause="none-returned",
    loses=("dL_dW",),
    says="it has 'dW'",
)
wrong_wacky(
    "backward takes a step of learning on the way",
    (
        'return dv @ self.params["W"]',
        'dX = dv @ self.params["W"]\n        self.params["W"] -= 0.1 * self.grads["W"]\n'
        "        return dX",
    ),
    cause="state-leak",
    loses=(APART, ALONE),
    says="a second backward",
)
wrong_wacky(
    "the neighbour on the left",
    ("self.neighbour = np.roll(self.v, -1, axis=1)", "self.neighbour = np.roll(self.v, 1, axis=1)"),
    cause="wrong-value",
    loses=("y", *GRADS),
    says="neighbour",
)
wrong_wacky(
    "the neighbour in another row",
    (
        "self.neighbour = np.roll(self.v, -1, axis=1)",
        "self.neighbour = np.roll(self.v, -1, axis=0)",
    ),
    cause="wrong-value",
    loses=("y", *GRADS),
    says="dL_dX",
)
wrong_wacky(
    "each v is its own neighbour",
    ("self.neighbour = np.roll(self.v, -1, axis=1)", "self.neighbour = self.v"),
    (DV, "dv = through_sine + to_neighbour"),
    cause="wrong-value",
    loses=("y", *GRADS),
    says="by its own v",
)
wrong_wacky(
    "the last column has no neighbour",
    (
        "self.neighbour = np.roll(self.v, -1, axis=1)",
        "self.neighbour = np.concatenate([self.v[:, 1:], self.v[:, -1:]], axis=1)",
    ),
    cause="wrong-value",
    loses=("y", *GRADS),
    says="takes itself as its neighbour",
)
wrong_wacky(
    "forward forgets the product",
    ("return np.sin(self.v) * self.neighbour", "return np.sin(self.v)"),
    cause="wrong-value",
    loses=("y",),
    says="y",
)
wrong_wacky(
    "the signal is changed in place",
    (
        SINE + "\n        " + NEIGHBOUR,
        NEIGHBOUR
        + "\n        grad *= self.neighbour * np.cos(self.v)\n        through_sine = grad",
    ),
    cause="mutates-argument",
    loses=(ALONE,),
    says="grad no longer holds",
)
wrong_wacky(
    "a loop that runs off the last column",
    (
        "self.neighbour = np.roll(self.v, -1, axis=1)",
        "self.neighbour = np.stack([self.v[:, i + 1] for i in range(self.v.shape[1])], axis=1)",
    ),
    cause="raises",
    loses=ALL,
    says="IndexError",
)
wrong_wacky(
    "float32 in the gradient",
    (DV, DV + "\n        dv = dv.astype(np.float32).astype(float)"),
    cause="imprecise",
    says="close, but not exact",
)
wrong_wacky(
    "difference quotients, for W",
    (
        'self.grads["W"] = dv.T @ self.X',
        "dW = np.zeros_like(self.params['W'])\n"
        "        for index in np.ndindex(*dW.shape):\n"
        "            values = []\n"
        "            for h in (1e-5, -1e-5):\n"
        "                W = self.params['W'].copy()\n"
        "                W[index] += h\n"
        "                v = self.X @ W.T\n"
        "                values.append(np.sum(grad * np.sin(v) * np.roll(v, -1, axis=1)))\n"
        "            dW[index] = (values[0] - values[1]) / 2e-5\n"
        "        self.grads['W'] = dW",
    ),
    cause="imprecise",
    loses=("dL_dW",),
    says="close, but not exact",
)
wrong_wacky(
    "forward is written, backward is not",
    source="""
    class Wacky:
        def __init__(self, W):
            self.params = {"W": W}
            self.grads = {}

        def forward(self, X):
            self.v = X @ self.params["W"].T
            return np.sin(self.v) * np.roll(self.v, -1, axis=1)

        def backward(self, grad):
            raise NotImplementedError()
    """,
    cause="not-implemented",
    says="Wacky.backward still raises",
)
wrong_wacky(
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    class Wacky:
        def __init__(self, W):
            self.params = {"W": W}
            self.grads = {}

        def forward(self, X):
            self.X = Tensor(X, requires_grad=True)
            self.W = Tensor(self.params["W"], requires_grad=True)
            v = self.X @ self.W.T
            m = v.shape[1]
            self.y = v.sin() * v[:, [(i + 1) % m for i in range(m)]]
            return self.y.data

        def backward(self, grad):
            self.y.backward(grad)
            self.grads["W"] = self.W.grad
            return self.X.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "wacky_layer",
    "a loop over the columns that adds up",
    source="""
    class Wacky:
        def __init__(self, W):
            self.params = {"W": W}
            self.grads = {}

        def forward(self, X):
            self.X = X
            self.v = v = X @ self.params["W"].T
            m = v.shape[1]
            return np.stack([np.sin(v[:, i]) * v[:, (i + 1) % m] for i in range(m)], axis=1)

        def backward(self, grad):
            v, m = self.v, self.v.shape[1]
            dv = np.zeros_like(v)
            for i in range(m):
                j = (i + 1) % m
                dv[:, i] += grad[:, i] * np.cos(v[:, i]) * v[:, j]
                dv[:, j] += grad[:, i] * np.sin(v[:, i])
            self.grads["W"] = dv.T @ self.X
            return dv @ self.params["W"]
    """,
)
right(
    "wacky_layer",
    "einsum, and grads made anew",
    source="""
    class Wacky:
        def __init__(self, W):
            self.W = W
            self.params = {"W": self.W}

        def forward(self, X):
            self.X = X
            v = np.einsum("nj,ij->ni", X, self.W)
            self.kept = np.sin(v), np.cos(v), np.concatenate([v[:, 1:], v[:, :1]], axis=1)
            return self.kept[0] * self.kept[2]

        def backward(self, grad):
            sin, cos, neighbour = self.kept
            back = grad * sin
            dv = grad * cos * neighbour + np.concatenate([back[:, -1:], back[:, :-1]], axis=1)
            self.grads = {"W": np.einsum("ni,nj->ij", dv, self.X)}
            return np.einsum("ni,ij->nj", dv, self.W)
    """,
)
right(
    "wacky_layer",
    "example by example, with outer products",
    source="""
    class Wacky:
        def __init__(self, W):
            self.params = {"W": W}
            self.grads = {}

        def forward(self, X):
            self.X = X.copy()
            W = self.params["W"]
            rows = []
            for x in X:
                v = W @ x
                rows.append([np.sin(v[i]) * v[(i + 1) % len(v)] for i in range(len(v))])
            return np.array(rows, dtype=float)

        def backward(self, grad):
            W = self.params["W"]
            dW, dX = np.zeros_like(W), []
            for x, g in zip(self.X, grad):
                v = W @ x
                m = len(v)
                dv = [
                    g[j] * np.cos(v[j]) * v[(j + 1) % m] + g[j - 1] * np.sin(v[j - 1])
                    for j in range(m)
                ]
                dW += np.outer(dv, x)
                dX.append(np.dot(dv, W))
            self.grads["W"] = dW
            return np.array(dX)
    """,
)
right(
    "wacky_layer",
    "the Jacobian of each row",
    source="""
    class Wacky:
        def __init__(self, W):
            self.params, self.grads = dict(W=W), {}

        def forward(self, X):
            self.X, self.v = X, X @ self.params["W"].T
            return np.sin(self.v) * np.roll(self.v, -1, axis=1)

        def backward(self, grad):
            m = self.v.shape[1]
            eye = np.eye(m)
            shift = np.roll(eye, -1, axis=0)
            dv = np.empty_like(self.v)
            for n, v in enumerate(self.v):
                J = np.diag(np.cos(v) * np.roll(v, -1)) @ eye
                J = J + np.diag(np.sin(v)) @ np.roll(eye, 1, axis=1)
                dv[n] = grad[n] @ J
            self.grads.update(W=dv.T @ self.X)
            return dv @ self.params["W"]
    """,
)

# ---------------------------------------------------------------- use_it

NET = ("layers", "weights from rng", "it trains")
WEIGHTS = ("weights from rng",)
DRAW = "rng.normal(0.0, n**-0.5, size=(n, n))"


wrong_net = partial(wrong, "use_it")

wrong_net(
    "no Wacky",
    (f"layers.append(Wacky({DRAW}))", "pass"),
    cause="wrong-value",
    loses=("layers",),
    says="no Wacky among the layers",
)
wrong_net(
    "ReLU where the Wacky belongs",
    source="""
    from backprop_kit import Linear, ReLU, Sequential

    def make_network(widths, rng):
        layers = [Linear(widths[0], widths[1], rng=rng)]
        for n, m in zip(widths[1:], widths[2:]):
            layers += [ReLU(), Linear(n, m, rng=rng)]
        return Sequential(*layers)
    """,
    cause="wrong-value",
    loses=("layers",),
    says="no Wacky among the layers (Linear, ReLU",
)
wrong_net(
    "Linear without rng",
    ("Linear(n, m, rng=rng)", "Linear(n, m)"),
    cause="wrong-value",
    loses=WEIGHTS,
    says="two rngs with one seed give two different networks",
)
wrong_net(
    "an rng of its own",
    ("layers = []", "layers = []\n    rng = np.random.default_rng(0)"),
    cause="hard-coded",
    loses=WEIGHTS,
    says="is the same whatever rng is given",
)
wrong_net(
    "the Wacky drawn from NumPy's global generator",
    (DRAW, "np.random.randn(n, n)"),
    cause="wrong-value",
    loses=WEIGHTS,
    says="(Wacky) differs",
)
wrong_net(
    "the Wacky is the identity",
    (DRAW, "np.eye(n)"),
    cause="hard-coded",
    loses=WEIGHTS,
    says="(Wacky) is the same",
)
wrong_net(
    "the Wacky is zero",
    (DRAW, "np.zeros((n, n))"),
    cause="hard-coded",
    loses=WEIGHTS,
    says="(Wacky) is the same",
)
wrong_net(
    "widths in reverse",
    ("zip(widths, widths[1:])", "zip(widths[::-1], widths[::-1][1:])"),
    cause="wrong-shape",
    loses=("layers", "it trains"),
    says="Linear layer 1 goes from",
)
wrong_net(
    "inputs and outputs of each Linear exchanged",
    ("Linear(n, m, rng=rng)", "Linear(m, n, rng=rng)"),
    cause="wrong-shape",
    loses=("layers", "it trains"),
    says="Linear layer 1 goes from",
)
wrong_net(
    "the last Linear is missing",
    ("return Sequential(*layers)", "return Sequential(*layers[:-1])"),
    cause="wrong-shape",
    loses=("layers", "it trains"),
    says="widths there are",
)
wrong_net(
    "hard-coded for the worked widths",
    ("layers = []", "layers = []\n    widths = [2, 8, 1]"),
    cause="wrong-shape",
    loses=("layers", "it trains"),
    says="Linear layer",
)
wrong_net(
    "a Wacky of the wrong size",
    (DRAW, "rng.normal(size=(m, m))"),
    cause="raises",
    loses=("it trains",),
    says="cannot be run",
)
wrong_net(
    "the class Wacky instead of an object",
    (f"Wacky({DRAW})", "Wacky"),
    cause="raises",
    loses=ALL,
    says="TypeError",
)
wrong_net(
    "a list of layers",
    ("return Sequential(*layers)", "return layers"),
    cause="wrong-type",
    loses=ALL,
    says="should return a Sequential, and returns a list",
)
wrong_net(
    "the list handed over as one layer",
    ("Sequential(*layers)", "Sequential(layers)"),
    cause="raises",
    loses=ALL,
    says="list has no method forward",
)
wrong_net(
    "no return",
    ("return Sequential(*layers)", "Sequential(*layers)"),
    cause="wrong-type",
    loses=ALL,
    says="returns None",
)
wrong_net(
    "frozen",
    ("return Sequential(*layers)", "return Sequential(*layers).freeze()"),
    cause="wrong-value",
    loses=("it trains",),
    says="frozen",
)
wrong_net(
    "a ReLU at the end that is never on",
    source="""
    from backprop_kit import Linear, ReLU, Sequential

    class Down:
        def forward(self, x):
            return x - 1e3

        def backward(self, grad):
            return grad

    def make_network(widths, rng):
        layers = [Wacky(rng.normal(size=(widths[0], widths[0])))]
        layers += [Linear(n, m, rng=rng) for n, m in zip(widths, widths[1:])]
        return Sequential(*layers, Down(), ReLU())
    """,
    cause="wrong-value",
    loses=("it trains",),
    says="does not bring its loss down",
)
wrong_net(
    "widths is used up",
    (
        "for n, m in zip(widths, widths[1:]):",
        "while len(widths) > 1:\n        n, m = widths.pop(0), widths[0]",
    ),
    cause="mutates-argument",
    loses=(ALONE,),
    says="widths no longer holds",
)
wrong_net(
    "one network for all",
    (
        "def make_network(widths, rng):",
        "made = {}\n\ndef make_network(widths, rng):\n"
        "    if tuple(widths) not in made:\n"
        "        made[tuple(widths)] = build(widths, rng)\n"
        "    return made[tuple(widths)]\n\n"
        "def build(widths, rng):",
    ),
    cause="hard-coded",
    loses=WEIGHTS,
    says="is the same whatever rng is given",
)

right(
    "use_it",
    "a Wacky after every layer but the last, written out",
    source="""
    from backprop_kit import Linear, Sequential

    def make_network(widths, rng):
        layers = []
        for i in range(len(widths) - 1):
            layers.append(Linear(widths[i], widths[i + 1], rng=rng))
            if i < len(widths) - 2:
                k = widths[i + 1]
                layers.append(Wacky(rng.uniform(-1, 1, (k, k))))
        return Sequential(*layers)
    """,
)
right(
    "use_it",
    "one Wacky, ReLU elsewhere, an own Wacky that is unfinished",
    source="""
    from backprop_kit import Linear, ReLU, Sequential

    class Wacky:
        def __init__(self, W):
            self.params = {"W": W}

        def forward(self, X):
            raise NotImplementedError()

        def backward(self, grad):
            raise NotImplementedError()

    def make_network(widths, rng):
        stages = [Linear(widths[0], widths[1], rng=rng)]
        stages += [Wacky(0.3 * rng.standard_normal((widths[1], widths[1])))]
        for n, m in zip(widths[1:-1], widths[2:]):
            stages += [Linear(n, m, rng=rng), ReLU()]
        return Sequential(*stages[:-1])
    """,
)
right(
    "use_it",
    "the Wacky in front, biases off",
    source="""
    from backprop_kit import Linear, Sequential

    def make_network(widths, rng):
        first = Wacky(rng.normal(size=(widths[0], widths[0])))
        pairs = zip(widths, widths[1:])
        return Sequential(first, *[Linear(n, m, bias=False, rng=rng) for n, m in pairs])
    """,
)
right(
    "use_it",
    "layers of one's own in between",
    source="""
    from backprop_kit import Linear, Sequential

    class Tame:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, grad):
            return grad * (1 - self.y**2)

    def make_network(widths, rng):
        layers = []
        for n, m in zip(widths, widths[1:]):
            layers += [Linear(n, m, rng=rng), Tame(), Wacky(rng.normal(size=(m, m)) / m)]
        return Sequential(*layers[:-2])
    """,
)

# ---------------------------------------------------------------- my_layer

OWN = "a layer of your own"
SIZES = "other sizes"
PARAMS = "dL_dparams"
EXPONENT = "to_exponent = -grad * self.y"
AWAY = 'to_away = to_exponent * 2.0 * self.params["width"] * self.away'


wrong_mine = partial(wrong, "my_layer")

wrong_mine(
    "the signal is left out",
    (EXPONENT, "to_exponent = -self.y"),
    cause="upstream-ignored",
    loses=("dL_dx", PARAMS, APART),
    says="the signal from above is not multiplied in",
)
wrong_mine(
    "the factor 2 is lost",
    (AWAY, AWAY.replace("2.0 * ", "")),
    cause="factor",
    loses=("dL_dx", PARAMS, APART),
    says="exactly half of",
)
wrong_mine(
    "the minus is lost in the gradient to x",
    ("return to_away", "return -to_away"),
    cause="sign",
    loses=("dL_dx", APART),
    says="opposite sign",
)
wrong_mine(
    "the minus is lost in the gradient to a parameter",
    ("-to_away.sum(axis=0)", "to_away.sum(axis=0)"),
    cause="sign",
    loses=(PARAMS,),
    says="the gradient to centre has the right size and the opposite sign",
)
wrong_mine(
    "no sum over the batch",
    ("-to_away.sum(axis=0)", "-to_away"),
    cause="no-batch-sum",
    loses=(PARAMS,),
    says="one row for each example",
)
wrong_mine(
    "a mean over the batch",
    ("-to_away.sum(axis=0)", "-to_away.mean(axis=0)"),
    cause="mean-vs-sum",
    loses=(PARAMS,),
    says="the gradient to centre",
)
wrong_mine(
    "one parameter has no gradient",
    ('self.grads["centre"] = -to_away.sum(axis=0)\n        ', ""),
    cause="none-returned",
    loses=(PARAMS,),
    says="no gradient in self.grads['centre']",
)
wrong_mine(
    "gradients pile up",
    (
        'self.grads["centre"] = -to_away.sum(axis=0)',
        'self.grads["centre"] = self.grads.get("centre", 0.0) - to_away.sum(axis=0)',
    ),
    cause="state-leak",
    loses=(APART,),
    says="a second backward with the same signal",
)
wrong_mine(
    "y is kept on the class",
    ("self.y = np.exp", "MyLayer.y = np.exp"),
    cause="state-leak",
    loses=(APART,),
    says="a second layer of the same class",
)
wrong_mine(
    "the signal is changed in place",
    (EXPONENT, "grad *= -self.y\n        to_exponent = grad"),
    cause="mutates-argument",
    loses=(ALONE,),
    says="signal no longer holds",
)
wrong_mine(
    "the local derivative is forgotten",
    ("return to_away", "return grad"),
    cause="wrong-value",
    loses=("dL_dx", APART),
    says="the gradient to x",
)
wrong_mine(
    "forward alone",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            return np.tanh(self.params["a"] * x)

        def backward(self, grad):
            raise NotImplementedError()
    """,
    cause="not-implemented",
    loses=("dL_dx", PARAMS, APART),
    says="MyLayer.backward still raises",
)
wrong_mine(
    "linear",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.full(n, 2.0), "b": np.zeros(n)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return self.params["a"] * x + self.params["b"]

        def backward(self, grad):
            self.grads = {"a": (grad * self.x).sum(axis=0), "b": grad.sum(axis=0)}
            return grad * self.params["a"]
    """,
    cause="linear",
    loses=(OWN,),
    says="the layer is linear",
)
wrong_mine(
    "linear in x, with a parameter that bends",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return np.exp(self.params["a"]) * x

        def backward(self, grad):
            self.grads["a"] = (grad * self.x * np.exp(self.params["a"])).sum(axis=0)
            return grad * np.exp(self.params["a"])
    """,
    cause="linear",
    loses=(OWN,),
    says="equal steps",
)
wrong_mine(
    "no parameter",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.n = n

        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, grad):
            return grad * (1 - self.y**2)
    """,
    cause="no-parameter",
    loses=(OWN, PARAMS),
    says="missing or empty",
)
wrong_mine(
    "a parameter for show",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, grad):
            self.grads["a"] = np.zeros_like(self.params["a"])
            return grad * (1 - self.y**2)
    """,
    cause="no-parameter",
    loses=(OWN, PARAMS),
    says="changes what forward computes",
)
wrong_mine(
    "forward reads a copy of the parameter",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.a = np.ones(n)
            self.params = {"a": self.a.copy()}
            self.grads = {}

        def forward(self, x):
            self.x, self.y = x, np.tanh(self.a * x)
            return self.y

        def backward(self, grad):
            slope = grad * (1 - self.y**2)
            self.grads["a"] = (slope * self.x).sum(axis=0)
            return slope * self.a
    """,
    cause="no-parameter",
    loses=(OWN, PARAMS),
    says="let forward read its numbers from self.params",
)
wrong_mine(
    "a copy of Cube with a factor",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return self.params["a"] * x**3

        def backward(self, grad):
            self.grads["a"] = (grad * self.x**3).sum(axis=0)
            return grad * self.params["a"] * 3 * self.x**2
    """,
    cause="copied-layer",
    loses=ALL,
    says="what Cube computes",
)
wrong_mine(
    "Wacky under another name",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            rng = np.random.default_rng(0)
            self.params = {"M": rng.normal(size=(n + 1, n))}
            self.grads = {}

        def forward(self, X):
            self.X = X
            self.v = X @ self.params["M"].T
            return np.sin(self.v) * np.roll(self.v, -1, axis=1)

        def backward(self, grad):
            dv = grad * np.cos(self.v) * np.roll(self.v, -1, axis=1)
            dv = dv + np.roll(grad * np.sin(self.v), 1, axis=1)
            self.grads["M"] = dv.T @ self.X
            return dv @ self.params["M"]
    """,
    cause="copied-layer",
    loses=ALL,
    says="what Wacky computes",
)
wrong_mine(
    "a linear layer with ReLU",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            rng = np.random.default_rng(0)
            self.params = {"W": rng.normal(size=(4, n)), "b": np.zeros(4)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            self.v = x @ self.params["W"].T + self.params["b"]
            return np.maximum(self.v, 0)

        def backward(self, grad):
            dv = grad * (self.v > 0)
            self.grads = {"W": dv.T @ self.x, "b": dv.sum(axis=0)}
            return dv @ self.params["W"]
    """,
    cause="copied-layer",
    loses=ALL,
    says="what ReLU computes",
)
wrong_mine(
    "softplus with a slope",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(1)}
            self.grads = {}

        def forward(self, x):
            self.z, self.x = self.params["a"] * x, x
            return np.logaddexp(0.0, self.z)

        def backward(self, grad):
            dz = grad / (1 + np.exp(-self.z))
            self.grads["a"] = np.array([(dz * self.x).sum()])
            return dz * self.params["a"]
    """,
    cause="copied-layer",
    loses=ALL,
    says="what Softplus computes",
)
wrong_mine(
    "dropout",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            self.mask = np.random.rand(*x.shape) > 0.5
            self.x = x
            return self.params["a"] * x**2 * self.mask

        def backward(self, grad):
            grad = grad * self.mask
            self.grads["a"] = (grad * self.x**2).sum(axis=0)
            return grad * 2 * self.params["a"] * self.x
    """,
    cause="state-leak",
    loses=ALL,
    says="draw random numbers in __init__",
)
wrong_mine(
    "made for three columns",
    ("np.ones(n)", "np.ones(3)"),
    ("np.zeros(n)", "np.zeros(3)"),
    cause="raises",
    loses=(SIZES,),
    says="never the number 3",
)
wrong_mine(
    "a parameter of integers",
    ("np.ones(n)", "np.ones(n, dtype=int)"),
    cause="wrong-type",
    loses=ALL,
    says="parameters are float64",
)
wrong_mine(
    "a logarithm that negative inputs do not survive",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.ones(n)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return self.params["a"] * np.log(x)

        def backward(self, grad):
            self.grads["a"] = (grad * np.log(self.x)).sum(axis=0)
            return grad * self.params["a"] / self.x
    """,
    cause="non-finite",
    loses=ALL,
    says="negative ones too",
)
wrong_mine(
    "the gradient to x in the shape of a row",
    ("return to_away", "return to_away.sum(axis=0)"),
    cause="wrong-shape",
    loses=("dL_dx", APART),
    says="shape",
)
wrong_mine(
    "nothing is returned by backward",
    ("return to_away", "self.grads['x'] = to_away"),
    cause="none-returned",
    loses=("dL_dx", APART),
    says="backward returns nothing",
)
wrong_mine(
    "nothing is returned by forward",
    ("return self.y", "print(self.y)"),
    cause="none-returned",
    loses=ALL,
    says="forward returns nothing",
)
wrong_mine(
    "a mask from the wrong side of the kink",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.full(n, 0.2)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, self.params["a"] * x)

        def backward(self, grad):
            self.grads["a"] = (grad * self.x * (self.x < 0)).sum(axis=0)
            return grad * np.where(self.x < 0, 1.0, self.params["a"])
    """,
    cause="wrong-value",
    loses=("dL_dx", APART),
    says="the gradient to x",
)
wrong_mine(
    "far too many parameters",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"W": np.random.default_rng(0).normal(size=(1000, n))}
            self.grads = {}

        def forward(self, x):
            self.x, self.y = x, np.tanh(x @ self.params["W"].T)
            return self.y

        def backward(self, grad):
            dv = grad * (1 - self.y**2)
            self.grads["W"] = dv.T @ self.x
            return dv @ self.params["W"]
    """,
    cause="wrong-shape",
    loses=ALL,
    says="keep it smaller",
)

right(
    "my_layer",
    "a rectifier with a slope that is learned, kink and all",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.full(n, 0.25)}
            self.grads = {}

        def forward(self, x):
            self.x = x
            return np.where(x > 0, x, self.params["a"] * x)

        def backward(self, grad):
            off = self.x <= 0
            self.grads["a"] = np.sum(grad * self.x * off, axis=0)
            return grad * np.where(off, self.params["a"], 1.0)
    """,
)
right(
    "my_layer",
    "a gate that x opens for itself; random weights, one number as a parameter",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"W": np.random.randn(n, n), "s": 0.5}
            self.grads = {}

        def forward(self, x):
            self.x = x
            self.gate = 1 / (1 + np.exp(-x @ self.params["W"].T))
            return self.params["s"] * x * self.gate

        def backward(self, grad):
            s, W = self.params["s"], self.params["W"]
            self.grads["s"] = np.sum(grad * self.x * self.gate)
            dv = grad * s * self.x * self.gate * (1 - self.gate)
            self.grads["W"] = dv.T @ self.x
            return grad * s * self.gate + dv @ W
    """,
)
right(
    "my_layer",
    "a start that is the identity: x + a sin x with a = 0",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"a": np.zeros(n)}

        def forward(self, x):
            self.x = x
            return x + self.params["a"] * np.sin(x)

        def backward(self, grad):
            self.grads = {"a": (grad * np.sin(self.x)).sum(axis=0)}
            return grad * (1 + self.params["a"] * np.cos(self.x))
    """,
)
right(
    "my_layer",
    "softmax over the columns, with a temperature: all columns are mixed",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"t": np.array([1.5])}
            self.grads = {}

        def forward(self, x):
            self.x = x
            e = np.exp(self.params["t"] * (x - x.max(axis=1, keepdims=True)))
            self.y = e / e.sum(axis=1, keepdims=True)
            return self.y

        def backward(self, grad):
            inner = (grad * self.y).sum(axis=1, keepdims=True)
            dz = self.y * (grad - inner)
            self.grads["t"] = np.array([(dz * self.x).sum()])
            return dz * self.params["t"]
    """,
)
right(
    "my_layer",
    "one output a row: a squared distance to a centre",
    source="""
    class MyLayer:
        def __init__(self, n=3):
            self.params = {"c": np.linspace(-1.0, 1.0, n)}
            self.grads = {}

        def forward(self, x):
            self.d = x - self.params["c"]
            return np.sum(self.d**2, axis=1, keepdims=True)

        def backward(self, grad):
            dx = 2 * self.d * grad
            self.grads["c"] = -dx.sum(axis=0)
            return dx
    """,
)
right(
    "my_layer",
    "the engine inside, as a layer of the kit's kind",
    source="""
    from backprop_kit import Layer, Tensor

    class MyLayer(Layer):
        def __init__(self, n=3):
            self.a = Tensor(np.ones(n), requires_grad=True)

        def __call__(self, x):
            x = x if isinstance(x, Tensor) else Tensor(x)
            return (x * self.a).tanh() * x
    """,
)
