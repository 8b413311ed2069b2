"""Lesson 01: what students really hand in, wrong and right.

Edits are made on the reference solutions in `course/source/01_scalar_graphs`. Under each exercise
the slips of the mathematics come first, then what is wrong with the result as an object, then the
answers that were never worked out, then right answers in other styles.
"""

from . import ALL, right, wrong

# ---------------------------------------------------------------- add_mul: f = (x + y) z

wrong(
    "add_mul",
    "the add gate passes on 1 instead of its signal",
    ("df_dx = df_dq * dq_dx", "df_dx = dq_dx"),
    ("df_dy = df_dq * dq_dy", "df_dy = dq_dy"),
    cause="upstream-ignored",
    loses=("df_dx", "df_dy"),
    says="signal that arrives at the sum",
)
wrong(
    "add_mul",
    "the multiply gate does not swap its inputs",
    ("df_dq = z", "df_dq = q"),
    ("df_dz = q", "df_dz = z"),
    cause="wrong-value",
    loses=("df_dx", "df_dy", "df_dz"),
    says="wrong value",
)
wrong(
    "add_mul",
    "df/dz is only one of the two summands",
    ("df_dz = q", "df_dz = x"),
    cause="wrong-value",
    loses=("df_dz",),
    says="df_dz",
)
wrong(
    "add_mul",
    "each summand gets half of the signal",
    ("dq_dx = 1.0", "dq_dx = 0.5"),
    ("dq_dy = 1.0", "dq_dy = 0.5"),
    cause="factor",
    loses=("df_dx", "df_dy"),
    says="exactly half",
)
wrong(
    "add_mul",
    "the derivative to y has its sign turned, as if the gate were a minus",
    ("dq_dy = 1.0", "dq_dy = -1.0"),
    cause="sign",
    loses=("df_dy",),
    says="sign",
)
wrong(
    "add_mul",
    "the brackets are forgotten in the forward pass",
    ("f = q * z", "f = x + y * z"),
    cause="wrong-value",
    loses=("f",),
    says="f is not what",
)
wrong(
    "add_mul",
    "df/dx and df/dz change places in the return",
    ("return f, df_dx, df_dy, df_dz", "return f, df_dz, df_dy, df_dx"),
    cause="order-swapped",
    loses=("df_dx", "df_dz"),
    says="changed places",
)
wrong(
    "add_mul",
    "f stands at the end of the return",
    ("return f, df_dx, df_dy, df_dz", "return df_dx, df_dy, df_dz, f"),
    cause="order-swapped",
    loses=("f", "df_dy", "df_dz"),  # df/dx finds df/dy in its place, which is the same number
    says="wrong places",
)
wrong(
    "add_mul",
    "f is forgotten in the return",
    ("return f, df_dx, df_dy, df_dz", "return df_dx, df_dy, df_dz"),
    cause="wrong-type",
    loses=ALL,
    says="should return 4 things",
)
wrong(
    "add_mul",
    "the gradients stand in a tuple of their own",
    ("return f, df_dx, df_dy, df_dz", "return f, (df_dx, df_dy, df_dz)"),
    cause="wrong-type",
    loses=ALL,
    says="should return 4 things, and returns 2",
)
wrong(
    "add_mul",
    "a list instead of a tuple",
    ("return f, df_dx, df_dy, df_dz", "return [f, df_dx, df_dy, df_dz]"),
    cause="wrong-type",
    loses=ALL,
    says="a list of 4",
)
wrong(
    "add_mul",
    "a dict, as the neuron has it",
    ("return f, df_dx, df_dy, df_dz", 'return f, {"x": df_dx, "y": df_dy, "z": df_dz}'),
    cause="wrong-type",
    loses=ALL,
    says="should return 4 things",
)
wrong(
    "add_mul",
    "df/dz in a (1, 1) array",
    ("df_dz = q", "df_dz = np.array([[q]])"),
    cause="wrong-shape",
    loses=("df_dz",),
    says="should be a single number",
)
wrong(
    "add_mul",
    "f as formatted text",
    ("f = q * z", 'f = f"{q * z:.4f}"'),
    cause="wrong-type",
    loses=("f",),
    says="a str",
)
wrong(
    "add_mul",
    "df/dz is NaN",
    ("df_dz = q", "df_dz = np.log(-1.0) * q"),
    cause="non-finite",
    loses=("df_dz",),
    says="not a finite number",
)
wrong(
    "add_mul",
    "df/dz is recovered by a division that fails where z is 0",
    ("df_dz = q", "df_dz = f / z"),
    cause="raises",
    loses=ALL,
    says="ZeroDivisionError",
)
wrong(
    "add_mul",
    "a name that does not exist",
    ("df_dx = df_dq * dq_dx", "df_dx = df_dq * dqdx"),
    cause="raises",
    loses=ALL,
    says="name 'dqdx' is not defined",
)
wrong(
    "add_mul",
    "printed, not returned",
    ("return f, df_dx, df_dy, df_dz", "print(f, df_dx, df_dy, df_dz)"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "add_mul",
    "an empty return",
    ("return f, df_dx, df_dy, df_dz", "return"),
    cause="none-returned",
    loses=ALL,
    says="nothing is returned",
)
wrong(
    "add_mul",
    "the worked example typed in",
    source="""
    def add_mul(x, y, z):
        return -12.0, -4.0, -4.0, 3.0
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "add_mul",
    "the notebook's variables are used instead of the arguments",
    source="""
    X, Y, Z = -2.0, 5.0, -4.0

    def add_mul(x, y, z):
        q = X + Y
        return q * Z, Z, Z, q
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "add_mul",
    "left to the notebook's referee",
    source="""
    def slope(function, at, h=1e-5):
        return (function(at + h) - function(at - h)) / (2 * h)

    def add_mul(x, y, z):
        def f(x, y, z):
            return (x + y) * z
        return (
            f(x, y, z),
            slope(lambda x: f(x, y, z), x),
            slope(lambda y: f(x, y, z), y),
            slope(lambda z: f(x, y, z), z),
        )
    """,
    cause="imprecise",
    loses=("df_dx", "df_dy", "df_dz"),
    says="close, but not exact",
)
wrong(
    "add_mul",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def add_mul(x, y, z):
        x, y, z = (Tensor(value, requires_grad=True) for value in (x, y, z))
        f = (x + y) * z
        f.backward()
        return f.item(), x.grad, y.grad, z.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("add_mul", "bracket multiplied out", ("f = q * z", "f = x * z + y * z"))
right(
    "add_mul",
    "helper functions for the gates",
    source="""
    def add_backward(signal):
        return signal, signal

    def mul_backward(signal, a, b):
        return signal * b, signal * a

    def add_mul(x, y, z):
        q = x + y
        df_dq, df_dz = mul_backward(1, q, z)
        return q * z, *add_backward(df_dq), df_dz
    """,
)
right(
    "add_mul",
    "0-d arrays and NumPy numbers",
    source="""
    import numpy as np

    def add_mul(x, y, z):
        q = np.add(x, y)
        return np.array(q * z), np.array(z), np.float64(z), np.sum([x, y])
    """,
)
right(
    "add_mul",
    "one line",
    source="""
    add_mul = lambda x, y, z: ((x + y) * z, z, z, x + y)
    """,
)
right(
    "add_mul",
    "prints and warns on the way",
    source="""
    import sys
    import warnings

    def add_mul(x, y, z):
        print("x =", x)
        print("still here", file=sys.stderr)
        warnings.warn("just a warning")
        return (x + y) * z, z, z, x + y
    """,
)

# ---------------------------------------------------------------- gates: 1/x, e^x, a·x, x + c

wrong(
    "gates",
    "1/x without the minus",
    ("return -1.0 / x**2", "return 1.0 / x**2"),
    cause="sign",
    loses=("d_reciprocal",),
    says="opposite sign",
)
wrong(
    "gates",
    "1/x with the power left as it was",
    ("return -1.0 / x**2", "return -1.0 / x"),
    cause="wrong-value",
    loses=("d_reciprocal",),
    says="d_reciprocal(x)",
)
wrong(
    "gates",
    "1/x with the power counted the wrong way, to x⁰",
    ("return -1.0 / x**2", "return -(x**0)"),
    cause="wrong-value",
    loses=("d_reciprocal",),
    says="d_reciprocal(x)",
)
wrong(
    "gates",
    "1/x integrated instead of differentiated",
    ("return -1.0 / x**2", "return np.log(abs(x))"),
    cause="wrong-value",
    loses=("d_reciprocal",),
    says="d_reciprocal(x)",
)
wrong(
    "gates",
    "1/x by whole-number division",
    ("return -1.0 / x**2", "return -1.0 // x**2"),
    cause="wrong-value",
    loses=("d_reciprocal",),
    says="d_reciprocal(x)",
)
wrong(
    "gates",
    "1/x by its value",
    ("return -1.0 / x**2", "return 1.0 / x"),
    cause="wrong-value",
    loses=("d_reciprocal",),
    says="the gate's own output",
)
wrong(
    "gates",
    "e^x differentiated like a power of x",
    ("return np.exp(x)", "return x * np.exp(x - 1)"),
    cause="wrong-value",
    loses=("d_exp",),
    says="d_exp(x)",
)
wrong(
    "gates",
    "e rounded to 2.71828",
    ("return np.exp(x)", "return 2.71828**x"),
    cause="imprecise",
    loses=("d_exp",),
    says="close, but not exact",
)
wrong(
    "gates",
    "the function instead of its value",
    ("return np.exp(x)", "return np.exp"),
    cause="wrong-type",
    loses=("d_exp",),
    says="should be a single number",
)
wrong(
    "gates",
    "the value of a·x instead of its slope",
    ("return a", "return a * x"),
    cause="wrong-value",
    loses=("d_scale",),
    says="the gate's own output",
)
wrong(
    "gates",
    "a·x differentiated by a",
    ("return a", "return x"),
    cause="wrong-value",
    loses=("d_scale",),
    says="d_scale(x, a)",
)
wrong(
    "gates",
    "a taken for the −1 of the worked neuron",
    ("return a", "return -1.0"),
    cause="hard-coded",
    loses=("d_scale",),
    says="whatever the arguments are",
)
wrong(
    "gates",
    "the slope of x + c taken for c",
    ("return 1.0", "return c"),
    cause="wrong-value",
    loses=("d_shift",),
    says="d_shift(x, c)",
)
wrong(
    "gates",
    "x + c taken for a constant",
    ("return 1.0", "return 0.0"),
    cause="wrong-value",
    loses=("d_shift",),
    says="d_shift(x, c)",
)
wrong(
    "gates",
    "the slope of a shift counted together with the constant's",
    ("return 1.0", "return 2.0"),
    cause="factor",
    loses=("d_shift",),
    says="exactly twice",
)
wrong(
    "gates",
    "values everywhere instead of derivatives",
    ("return 1.0", "return x + c"),
    ("return a", "return a * x"),
    ("return -1.0 / x**2", "return 1.0 / x"),
    cause="wrong-value",
    loses=("d_reciprocal", "d_scale", "d_shift"),
    says="the gate's own output",
)
wrong(
    "gates",
    "one of the four returns nothing",
    ("return 1.0", "1.0"),
    cause="none-returned",
    loses=("d_shift",),
    says="d_shift returns None",
)
wrong(
    "gates",
    "one of the four is still a stub",
    ("return -1.0 / x**2", "raise NotImplementedError()"),
    cause="not-implemented",
    loses=("d_reciprocal",),
    says="not written yet",
)
wrong(
    "gates",
    "one of the four has another name",
    ("def d_shift(x, c):", "def d_add(x, c):"),
    cause="not-implemented",
    loses=("d_shift",),
    says="no function called d_shift",
)
wrong(
    "gates",
    "one of the four takes too few arguments",
    ("def d_shift(x, c):", "def d_shift(x):"),
    cause="raises",
    loses=("d_shift",),
    says="TypeError",
)
wrong(
    "gates",
    "left to the notebook's referee",
    source="""
    import numpy as np

    def slope(function, at, h=1e-5):
        return (function(at + h) - function(at - h)) / (2 * h)

    def d_reciprocal(x):
        return slope(lambda x: 1 / x, x)

    def d_exp(x):
        return slope(np.exp, x)

    def d_scale(x, a):
        return slope(lambda x: a * x, x)

    def d_shift(x, c):
        return slope(lambda x: x + c, x)
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "gates",
    "the engine differentiates",
    source="""
    import numpy as np
    from backprop_kit import Tensor

    def d_reciprocal(x):
        t = Tensor(x, requires_grad=True)
        (1 / t).backward()
        return t.grad

    def d_exp(x):
        return np.exp(x)

    def d_scale(x, a):
        return a

    def d_shift(x, c):
        return 1
    """,
    cause="by-engine",
    loses=("d_reciprocal",),
    says="reference engine",
)

right("gates", "a power with exponent −2", ("return -1.0 / x**2", "return -(x ** -2)"))
right("gates", "1/x from its own output", ("return -1.0 / x**2", "y = 1 / x\n    return -y * y"))
right(
    "gates",
    "whole numbers, 0-d arrays, math instead of NumPy",
    source="""
    import math
    import numpy as np

    def d_reciprocal(x):
        return np.array(-1 / (x * x))

    def d_exp(x):
        return math.exp(x)

    def d_scale(x, a):
        return np.asarray(a)

    def d_shift(x, c):
        return 1
    """,
)

# ---------------------------------------------------------------- sigmoid_neuron

GRADIENTS = ("df_dw0", "df_dx0", "df_dw1", "df_dx1", "df_dw2")
NEURON_RETURN = 'return f, {"w0": df_dw0, "x0": df_dx0, "w1": df_dw1, "x1": df_dx1, "w2": df_dw2}'

wrong(
    "sigmoid_neuron",
    "the ×(−1) gate is forgotten on the way back",
    ("df_ds = df_dn * -1.0", "df_ds = df_dn"),
    cause="sign",
    loses=GRADIENTS,
    says="sign",
)
wrong(
    "sigmoid_neuron",
    "the minus of the 1/x gate is lost",
    ("df_dt = df_df * (-1.0 / t**2)", "df_dt = df_df * (1.0 / t**2)"),
    cause="sign",
    loses=GRADIENTS,
    says="sign",
)
wrong(
    "sigmoid_neuron",
    "the exponential passes the signal through",
    ("df_dn = df_de * e", "df_dn = df_de"),
    cause="missing-local",
    loses=GRADIENTS,
    says="local derivative of the exponential",
)
wrong(
    "sigmoid_neuron",
    "the exponential's local derivative is read off the wrong wire",
    ("df_dn = df_de * e", "df_dn = df_de * t"),
    cause="wrong-value",
    loses=GRADIENTS,
    says="wrong value",
)
wrong(  # the same numbers as from a 1/x gate that is left out: the message must say both
    "sigmoid_neuron",
    "the signal is dropped at the exponential",
    ("df_dn = df_de * e", "df_dn = e"),
    cause="upstream-ignored",
    loses=GRADIENTS,
    says="would also come from “a local derivative is missing”",
)
wrong(
    "sigmoid_neuron",
    "the signal is dropped at the products: only local derivatives are returned",
    ("df_dw0 = df_ds * x0", "df_dw0 = x0"),
    ("df_dx0 = df_ds * w0", "df_dx0 = w0"),
    ("df_dw1 = df_ds * x1", "df_dw1 = x1"),
    ("df_dx1 = df_ds * w1", "df_dx1 = w1"),
    ("df_dw2 = df_ds * 1.0", "df_dw2 = 1.0"),
    cause="upstream-ignored",
    loses=GRADIENTS,
    says="signal",
)
wrong(
    "sigmoid_neuron",
    "the multiply gates do not swap",
    ("df_dw0 = df_ds * x0", "df_dw0 = df_ds * w0"),
    ("df_dx0 = df_ds * w0", "df_dx0 = df_ds * x0"),
    ("df_dw1 = df_ds * x1", "df_dw1 = df_ds * w1"),
    ("df_dx1 = df_ds * w1", "df_dx1 = df_ds * x1"),
    cause="order-swapped",
    loses=("df_dw0", "df_dx0", "df_dw1", "df_dx1"),
    says="changed places",
)
wrong(
    "sigmoid_neuron",
    "the inputs of the two products are mixed up",
    ("df_dw0 = df_ds * x0", "df_dw0 = df_ds * x1"),
    ("df_dw1 = df_ds * x1", "df_dw1 = df_ds * x0"),
    cause="order-swapped",
    loses=("df_dw0", "df_dw1"),
    says="changed places",
)
wrong(
    "sigmoid_neuron",
    "the bias is treated as if it were multiplied",
    ("df_dw2 = df_ds * 1.0", "df_dw2 = df_ds * w2"),
    cause="wrong-value",
    loses=("df_dw2",),
    says="df_dw2",
)
wrong(
    "sigmoid_neuron",
    "the gradient of the bias is 1",
    ("df_dw2 = df_ds * 1.0", "df_dw2 = 1.0"),
    cause="upstream-ignored",
    loses=("df_dw2",),
    says="signal",
)
wrong(
    "sigmoid_neuron",
    "the bias is forgotten in the sum",
    ("s = p0 + p1 + w2", "s = p0 + p1"),
    cause="dropped-bias",
    loses=ALL,
    says="bias left out",
)
wrong(
    "sigmoid_neuron",
    "the exponent has lost its minus, forward and backward",
    ("n = -1.0 * s", "n = s"),
    ("df_ds = df_dn * -1.0", "df_ds = df_dn"),
    cause="sign",
    loses=ALL,
    says="sign",
)
wrong(
    "sigmoid_neuron",
    "the slope of tanh instead of the sigmoid's",
    ("df_ds = df_dn * -1.0", "df_ds = 1.0 - f**2"),
    cause="wrong-value",
    loses=GRADIENTS,
    says="wrong value",
)
wrong(
    "sigmoid_neuron",
    "the chain is begun with f instead of the seed 1",
    ("df_df = 1.0", "df_df = f"),
    cause="wrong-value",
    loses=GRADIENTS,
    says="wrong value",
)
wrong(
    "sigmoid_neuron",
    "rounded to four decimals, as the text prints it",
    (
        NEURON_RETURN,
        'grads = {"w0": df_dw0, "x0": df_dx0, "w1": df_dw1, "x1": df_dx1, "w2": df_dw2}\n'
        "    return round(f, 4), {name: round(g, 4) for name, g in grads.items()}",
    ),
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "sigmoid_neuron",
    "no gradients for the inputs: only the weights have one",
    (NEURON_RETURN, 'return f, {"w0": df_dw0, "w1": df_dw1, "w2": df_dw2}'),
    cause="wrong-type",
    loses=ALL,
    says="keys of the dict",
)
wrong(
    "sigmoid_neuron",
    "None as the gradient of the inputs",
    ("df_dx0 = df_ds * w0", "df_dx0 = None"),
    ("df_dx1 = df_ds * w1", "df_dx1 = None"),
    cause="none-returned",
    loses=("df_dx0", "df_dx1"),
    says="are None",
)
wrong(
    "sigmoid_neuron",
    "keys of another name",
    (NEURON_RETURN, NEURON_RETURN.replace('"w', '"df_dw').replace('"x', '"df_dx')),
    cause="wrong-type",
    loses=ALL,
    says="keys of the dict",
)
wrong(
    "sigmoid_neuron",
    "a flat tuple instead of a dict",
    (NEURON_RETURN, "return f, df_dw0, df_dx0, df_dw1, df_dx1, df_dw2"),
    cause="wrong-type",
    loses=ALL,
    says="should return 2 things",
)
wrong(
    "sigmoid_neuron",
    "the dict alone, without f",
    (NEURON_RETURN, NEURON_RETURN.replace("return f, ", "return ")),
    cause="wrong-type",
    loses=ALL,
    says="should return a tuple of 2",
)
wrong(
    "sigmoid_neuron",
    "f in a (1, 1) array",
    ("f = 1.0 / t", "f = np.array([[1.0 / t]])"),
    cause="wrong-shape",
    loses=("f",),
    says="should be a single number",
)
wrong(
    "sigmoid_neuron",
    "gradients pile up in a mutable default argument",
    ("w1, x1, w2):", "w1, x1, w2, grads={}):"),
    (
        NEURON_RETURN,
        'new = {"w0": df_dw0, "x0": df_dx0, "w1": df_dw1, "x1": df_dx1, "w2": df_dw2}\n'
        "    for name in new:\n"
        "        grads[name] = grads.get(name, 0.0) + new[name]\n"
        "    return f, dict(grads)",
    ),
    cause="state-leak",
    loses=GRADIENTS,
    says="second time",
)
wrong(
    "sigmoid_neuron",
    "the worked example typed in",
    source="""
    def sigmoid_neuron(w0, x0, w1, x1, w2):
        return 0.7310585786300049, {
            "w0": -0.19661193324148185,
            "x0": 0.3932238664829637,
            "w1": -0.3932238664829637,
            "x1": -0.5898357997244456,
            "w2": 0.19661193324148185,
        }
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "sigmoid_neuron",
    "the worked example typed in as the text prints it",
    source="""
    def sigmoid_neuron(w0, x0, w1, x1, w2):
        return 0.7311, {
            "w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966
        }
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "sigmoid_neuron",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def sigmoid_neuron(w0, x0, w1, x1, w2):
        names = ("w0", "x0", "w1", "x1", "w2")
        leaves = [Tensor(value, requires_grad=True) for value in (w0, x0, w1, x1, w2)]
        w0, x0, w1, x1, w2 = leaves
        f = (w0 * x0 + w1 * x1 + w2).sigmoid()
        f.backward()
        return f.item(), {name: leaf.grad for name, leaf in zip(names, leaves)}
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)
wrong(
    "sigmoid_neuron",
    "left to the notebook's referee",
    source="""
    import numpy as np

    def sigmoid_neuron(w0, x0, w1, x1, w2):
        def f(values):
            w0, x0, w1, x1, w2 = values
            return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
        values = np.array([w0, x0, w1, x1, w2])
        steps = 1e-5 * np.eye(5)
        slopes = [(f(values + step) - f(values - step)) / 2e-5 for step in steps]
        return f(values), dict(zip(("w0", "x0", "w1", "x1", "w2"), slopes))
    """,
    cause="imprecise",
    loses=GRADIENTS,
    says="close, but not exact",
)
wrong(
    "sigmoid_neuron",
    "exp without NumPy",
    ("e = np.exp(n)", "e = exp(n)"),
    cause="raises",
    loses=ALL,
    says="name 'exp' is not defined",
)

right("sigmoid_neuron", "the seed left out", ("df_dt = df_df * (-1.0 / t**2)", "df_dt = -1 / t**2"))
right(
    "sigmoid_neuron",
    "the sigmoid as one gate",
    source="""
    import numpy as np

    def sigmoid_neuron(w0, x0, w1, x1, w2):
        f = 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))
        signal = (1 - f) * f
        return f, dict(
            w0=signal * x0, x0=signal * w0, w1=signal * x1, x1=signal * w1, w2=signal
        )
    """,
)
right(
    "sigmoid_neuron",
    "vectors and a loop over names, keys in another order",
    source="""
    import numpy as np

    def sigmoid_neuron(w0, x0, w1, x1, w2):
        w, x = np.array([w0, w1, w2]), np.array([x0, x1, 1.0])
        e = np.exp(-np.dot(w, x))
        f = 1 / (1 + e)
        ds = e / (1 + e) ** 2
        grads = {}
        for i in (2, 1, 0):
            grads[f"w{i}"] = ds * x[i]
            if i < 2:
                grads[f"x{i}"] = np.array(ds * w[i])
        return np.array(f), grads
    """,
)
right(
    "sigmoid_neuron",
    "through the four functions of exercise 2, with math",
    source="""
    import math

    def d_reciprocal(x):
        return -1 / x**2

    def d_exp(x):
        return math.exp(x)

    def d_scale(x, a):
        return a

    def d_shift(x, c):
        return 1

    def sigmoid_neuron(w0, x0, w1, x1, w2):
        s = w0 * x0 + w1 * x1 + w2
        n = -s
        e = math.exp(n)
        t = e + 1
        signal = 1.0
        for local in (d_reciprocal(t), d_shift(e, 1), d_exp(n), d_scale(s, -1)):
            signal *= local
        grads = {"w0": signal * x0, "x0": signal * w0, "w1": signal * x1, "x1": signal * w1}
        grads["w2"] = signal
        return 1 / t, grads
    """,
)

# ---------------------------------------------------------------- d_sigmoid

wrong(
    "d_sigmoid",
    "f is put through the sigmoid once more",
    ("df_ds = (1.0 - f) * f", "g = 1 / (1 + np.exp(-f))\n    df_ds = (1 - g) * g"),
    cause="wrong-value",
    loses=ALL,
    says="once more",
)
wrong(
    "d_sigmoid",
    "the derivative by s, written with f in the place of s",
    ("df_ds = (1.0 - f) * f", "df_ds = np.exp(-f) / (1 + np.exp(-f)) ** 2"),
    cause="wrong-value",
    loses=ALL,
    says="once more",
)
wrong(
    "d_sigmoid",
    "the difference turned round",
    ("df_ds = (1.0 - f) * f", "df_ds = (f - 1.0) * f"),
    cause="sign",
    loses=ALL,
    says="opposite sign",
)
wrong(
    "d_sigmoid",
    "plus instead of minus",
    ("df_ds = (1.0 - f) * f", "df_ds = (1.0 + f) * f"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "d_sigmoid",
    "brackets forgotten",
    ("df_ds = (1.0 - f) * f", "df_ds = 1.0 - f * f"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "d_sigmoid",
    "one of the two factors only",
    ("df_ds = (1.0 - f) * f", "df_ds = 1.0 - f"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "d_sigmoid",
    "the quotient instead of the product",
    ("df_ds = (1.0 - f) * f", "df_ds = f / (1.0 - f)"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "d_sigmoid",
    "the product expanded and differentiated once more",
    ("df_ds = (1.0 - f) * f", "df_ds = 1.0 - 2.0 * f"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "d_sigmoid",
    "four times too large, so that its maximum is 1",
    ("df_ds = (1.0 - f) * f", "df_ds = 4.0 * (1.0 - f) * f"),
    cause="factor",
    loses=ALL,
    says="four times",
)
wrong(
    "d_sigmoid",
    "the worked value, as printed",
    ("df_ds = (1.0 - f) * f", "df_ds = 0.1966"),
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "d_sigmoid",
    "the worked value, computed",
    ("df_ds = (1.0 - f) * f", "f = 1 / (1 + np.exp(-1.0))\n    df_ds = (1.0 - f) * f"),
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "d_sigmoid",
    "left to the notebook's referee, at the logit",
    source="""
    import numpy as np

    def slope(function, at, h=1e-5):
        return (function(at + h) - function(at - h)) / (2 * h)

    def d_sigmoid(f):
        return slope(lambda s: 1 / (1 + np.exp(-s)), np.log(f / (1 - f)))
    """,
    cause="imprecise",
    loses=ALL,
    says="close, but not exact",
)
wrong(
    "d_sigmoid",
    "f is returned along with its derivative",
    ("return df_ds", "return f, df_ds"),
    cause="wrong-type",
    loses=ALL,
    says="a tuple of 2",
)
wrong(
    "d_sigmoid",
    "nothing is returned",
    ("    return df_ds", ""),
    cause="none-returned",
    loses=ALL,
    says="d_sigmoid returns None",
)
wrong(
    "d_sigmoid",
    "a (1,) array",
    ("return df_ds", "return np.array([df_ds])"),
    cause="wrong-shape",
    loses=ALL,
    says="should be a single number",
)
wrong(
    "d_sigmoid",
    "the engine's sigmoid",
    source="""
    import numpy as np
    from backprop_kit import Tensor

    def d_sigmoid(f):
        s = Tensor(np.log(f / (1 - f)), requires_grad=True)
        s.sigmoid().backward()
        return s.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("d_sigmoid", "f minus its square", ("df_ds = (1.0 - f) * f", "df_ds = f - f**2"))
right(
    "d_sigmoid",
    "a quarter minus a square",
    ("df_ds = (1.0 - f) * f", "df_ds = 0.25 - (f - 0.5) ** 2"),
)
right(
    "d_sigmoid",
    "back to e and t, as the gates have it",
    ("df_ds = (1.0 - f) * f", "t = 1 / f\n    e = t - 1\n    df_ds = e / t**2"),
)
right(
    "d_sigmoid",
    "back to s by the logit",
    source="""
    import numpy as np

    def d_sigmoid(f):
        s = np.log(f) - np.log1p(-f)
        return np.array(np.exp(-s) / (1 + np.exp(-s)) ** 2)
    """,
)

# ---------------------------------------------------------------- exp_model

BOTH = ("dloss_dw", "dloss_db")

wrong(
    "exp_model",
    "the exponential's factor y is missing",
    ("dloss_dv = dloss_dy * dy_dv", "dloss_dv = dloss_dy"),
    cause="missing-local",
    loses=BOTH,
    says="local derivative of the exponential",
)
wrong(
    "exp_model",
    "the 2 of the square is missing",
    ("dloss_dy = 2.0 * (y - y_star)", "dloss_dy = y - y_star"),
    cause="factor",
    loses=BOTH,
    says="exactly half",
)
wrong(
    "exp_model",
    "the difference is turned round",
    ("dloss_dy = 2.0 * (y - y_star)", "dloss_dy = 2.0 * (y_star - y)"),
    cause="sign",
    loses=BOTH,
    says="sign",
)
wrong(
    "exp_model",
    "the factor x is missing from dℓ/dw",
    ("du_dw = x", "du_dw = 1.0"),
    cause="missing-local",
    loses=("dloss_dw",),
    says="local derivative of the product",
)
wrong(
    "exp_model",
    "the product passes w its own value",
    ("du_dw = x", "du_dw = w"),
    cause="wrong-value",
    loses=("dloss_dw",),
    says="dloss_dw",
)
wrong(
    "exp_model",
    "b is given the factor x as well",
    ("dloss_db = dloss_dv * dv_db", "dloss_db = dloss_dw"),
    cause="wrong-value",
    loses=("dloss_db",),
    says="dloss_db",
)
wrong(
    "exp_model",
    "b is given the factor b",
    ("dv_db = 1.0", "dv_db = b"),
    cause="wrong-value",
    loses=("dloss_db",),
    says="dloss_db",
)
wrong(
    "exp_model",
    "u and b are thought to be independent of v",
    ("dv_du = 1.0", "dv_du = 0.0"),
    cause="wrong-value",
    loses=("dloss_dw",),
    says="dloss_dw",
)
wrong(
    "exp_model",
    "the exponential differentiated like a power",
    ("dy_dv = y", "dy_dv = v * np.exp(v - 1)"),
    cause="wrong-value",
    loses=BOTH,
    says="wrong value",
)
wrong(
    "exp_model",
    "b is forgotten in the forward pass",
    ("v = u + b", "v = u"),
    cause="dropped-bias",
    loses=ALL,
    says="b is left out",
)
wrong(
    "exp_model",
    "the loss is not squared",
    ("loss = (y - y_star) ** 2", "loss = y - y_star"),
    cause="wrong-value",
    loses=("loss",),
    says="loss",
)
wrong(
    "exp_model",
    "the loss is halved, the gradient is not",
    ("loss = (y - y_star) ** 2", "loss = 0.5 * (y - y_star) ** 2"),
    cause="factor",
    loses=("loss",),
    says="exactly half",
)
wrong(
    "exp_model",
    "the loss is halved, and the gradient with it",
    ("loss = (y - y_star) ** 2", "loss = 0.5 * (y - y_star) ** 2"),
    ("dloss_dy = 2.0 * (y - y_star)", "dloss_dy = y - y_star"),
    cause="factor",
    loses=ALL,
    says="exactly half",
)
wrong(
    "exp_model",
    "the root is drawn: the absolute difference",
    ("loss = (y - y_star) ** 2", "loss = abs(y - y_star)"),
    cause="wrong-value",
    loses=("loss",),
    says="loss",
)
wrong(  # the same numbers as from a square whose derivative is left out: the message must say both
    "exp_model",
    "the signal is dropped at the exponential",
    ("dloss_dv = dloss_dy * dy_dv", "dloss_dv = dy_dv"),
    cause="upstream-ignored",
    loses=BOTH,
    says="would also come from “a local derivative is missing”",
)
wrong(
    "exp_model",
    "only the last local derivatives are returned",
    ("dloss_dw = dloss_dv * dv_du * du_dw", "dloss_dw = du_dw"),
    ("dloss_db = dloss_dv * dv_db", "dloss_db = dv_db"),
    cause="upstream-ignored",
    loses=BOTH,
    says="signal",
)
wrong(
    "exp_model",
    "the two gradients change places",
    ("return loss, dloss_dw, dloss_db", "return loss, dloss_db, dloss_dw"),
    cause="order-swapped",
    loses=BOTH,
    says="changed places",
)
wrong(
    "exp_model",
    "y is returned in the place of the loss",
    ("return loss, dloss_dw, dloss_db", "return y, dloss_dw, dloss_db"),
    cause="wrong-value",
    loses=("loss",),
    says="loss",
)
wrong(
    "exp_model",
    "the loss is forgotten in the return",
    ("return loss, dloss_dw, dloss_db", "return dloss_dw, dloss_db"),
    cause="wrong-type",
    loses=ALL,
    says="should return 3 things",
)
wrong(
    "exp_model",
    "a list",
    ("return loss, dloss_dw, dloss_db", "return [loss, dloss_dw, dloss_db]"),
    cause="wrong-type",
    loses=ALL,
    says="a list of 3",
)
wrong(
    "exp_model",
    "the gradient by b is not done",
    ("dloss_db = dloss_dv * dv_db", "dloss_db = None"),
    cause="none-returned",
    loses=("dloss_db",),
    says="dloss_db is None",
)
wrong(
    "exp_model",
    "a logarithm that does not exist for every prediction",
    ("loss = (y - y_star) ** 2", "loss = np.exp(2 * np.log(y - y_star))"),
    cause="non-finite",
    loses=("loss",),
    says="not a finite number",
)
wrong(
    "exp_model",
    "the worked example typed in",
    source="""
    def exp_model(w, x, b, y_star):
        return 4.0, -8.0, -4.0
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "exp_model",
    "left to the notebook's referee",
    source="""
    import numpy as np

    def slope(function, at, h=1e-5):
        return (function(at + h) - function(at - h)) / (2 * h)

    def exp_model(w, x, b, y_star):
        def loss(w, b):
            return (np.exp(w * x + b) - y_star) ** 2
        return loss(w, b), slope(lambda w: loss(w, b), w), slope(lambda b: loss(w, b), b)
    """,
    cause="imprecise",
    loses=BOTH,
    says="close, but not exact",
)
wrong(
    "exp_model",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def exp_model(w, x, b, y_star):
        w, b = Tensor(w, requires_grad=True), Tensor(b, requires_grad=True)
        loss = ((w * x + b).exp() - y_star) ** 2
        loss.backward()
        return loss.item(), w.grad, b.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "exp_model",
    "one line for each result",
    source="""
    import math

    def exp_model(w, x, b, y_star):
        y = math.exp(w * x + b)
        return (y - y_star) ** 2, 2 * (y - y_star) * y * x, 2 * (y - y_star) * y
    """,
)
right(
    "exp_model",
    "the loss expanded, the gradient from the bracket",
    source="""
    import numpy as np

    def exp_model(w, x, b, y_star):
        y = np.exp(np.dot([w, 1.0], [x, b]))
        db = 2 * y * y - 2 * y * y_star
        return np.square(y - y_star), np.array(db * x), np.float64(db)
    """,
)
right(
    "exp_model",
    "a loop over the chain's factors",
    source="""
    import numpy as np

    def exp_model(w, x, b, y_star):
        y = np.exp(w * x) * np.exp(b)
        signal = 1.0
        for local in (2 * (y - y_star), y):
            signal = signal * local
        return (y_star - y) ** 2, x * signal, signal
    """,
)

# ---------------------------------------------------------------- fan_out: f = x y + x²

X_SUM = "df_dx = x_from_p + x_from_s_left + x_from_s_right"

wrong(
    "fan_out",
    "one of the two uses of x in x·x is missing",
    (X_SUM, "df_dx = x_from_p + x_from_s_left"),
    cause="missing-path",
    loses=("df_dx",),
    says="path",
)
wrong(
    "fan_out",
    "the path through x·y is missing",
    (X_SUM, "df_dx = x_from_s_left + x_from_s_right"),
    cause="missing-path",
    loses=("df_dx",),
    says="path",
)
wrong(
    "fan_out",
    "the path through x² is missing",
    (X_SUM, "df_dx = x_from_p"),
    cause="overwrite-not-accumulate",
    loses=("df_dx",),
    says="path",
)
wrong(
    "fan_out",
    "the last path overwrites the others",
    (X_SUM, "df_dx = x_from_p\n    df_dx = x_from_s_left\n    df_dx = x_from_s_right"),
    cause="overwrite-not-accumulate",
    loses=("df_dx",),
    says="adding them all up",
)
wrong(
    "fan_out",
    "the paths are multiplied",
    (X_SUM, "df_dx = x_from_p * x_from_s_left * x_from_s_right"),
    cause="wrong-value",
    loses=("df_dx",),
    says="df_dx",
)
wrong(
    "fan_out",
    "the paths are averaged",
    (X_SUM, "df_dx = (x_from_p + x_from_s_left + x_from_s_right) / 3"),
    cause="factor",
    loses=("df_dx",),
    says="exactly a third",
)
wrong(
    "fan_out",
    "the path through x·y is subtracted",
    (X_SUM, "df_dx = x_from_s_left + x_from_s_right - x_from_p"),
    cause="sign",
    loses=("df_dx",),
    says="sign",
)
wrong(
    "fan_out",
    "the product hands y its own value",
    ("df_dy = df_dp * x", "df_dy = df_dp * y"),
    cause="wrong-value",
    loses=("df_dy",),
    says="df_dy",
)
wrong(
    "fan_out",
    "the product does not swap",
    ("x_from_p = df_dp * y", "x_from_p = df_dp * x"),
    ("df_dy = df_dp * x", "df_dy = df_dp * y"),
    cause="wrong-value",
    loses=("df_dx", "df_dy"),
    says="wrong value",
)
wrong(
    "fan_out",
    "y is given the path of x² too",
    ("df_dy = df_dp * x", "df_dy = df_dp * x + df_ds * y"),
    cause="wrong-value",
    loses=("df_dy",),
    says="df_dy",
)
wrong(
    "fan_out",
    "df/dy is 1, as if y were added",
    ("df_dy = df_dp * x", "df_dy = df_dp"),
    cause="missing-local",
    loses=("df_dy",),
    says="product",
)
wrong(
    "fan_out",
    "2x in the place of x² in the forward pass",
    ("s = x * x", "s = 2 * x"),
    cause="wrong-value",
    loses=("f",),
    says="f is not what",
)
wrong(
    "fan_out",
    "the two derivatives change places",
    ("return f, df_dx, df_dy", "return f, df_dy, df_dx"),
    cause="order-swapped",
    loses=("df_dx", "df_dy"),
    says="changed places",
)
wrong(
    "fan_out",
    "three gradients for x, one for each use",
    ("return f, df_dx, df_dy", "return f, (x_from_p, x_from_s_left, x_from_s_right), df_dy"),
    cause="wrong-type",
    loses=("df_dx",),
    says="should be a single number",
)
wrong(
    "fan_out",
    "f alone",
    ("return f, df_dx, df_dy", "return f"),
    cause="wrong-type",
    loses=ALL,
    says="should return a tuple of 3",
)
wrong(
    "fan_out",
    "gradients pile up in a global from call to call",
    source="""
    grad = {"x": 0.0, "y": 0.0}

    def fan_out(x, y):
        grad["x"] += y
        grad["x"] += 2 * x
        grad["y"] += x
        return x * y + x * x, grad["x"], grad["y"]
    """,
    cause="state-leak",
    loses=("df_dx", "df_dy"),
    says="second time",
)
wrong(
    "fan_out",
    "the first result is kept for ever",
    source="""
    cache = []

    def fan_out(x, y):
        if not cache:
            cache.append((x * y + x * x, y + 2 * x, x))
        return cache[0]
    """,
    cause="state-leak",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "fan_out",
    "the worked example typed in",
    source="""
    def fan_out(x, y):
        return -3.0, 2.0, 3.0
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "fan_out",
    "left to the notebook's referee",
    source="""
    def slope(function, at, h=1e-5):
        return (function(at + h) - function(at - h)) / (2 * h)

    def fan_out(x, y):
        def f(x, y):
            return x * y + x * x
        return f(x, y), slope(lambda x: f(x, y), x), slope(lambda y: f(x, y), y)
    """,
    cause="imprecise",
    loses=("df_dx", "df_dy"),
    says="close, but not exact",
)
wrong(
    "fan_out",
    "the engine does the work",
    source="""
    from backprop_kit import Tensor

    def fan_out(x, y):
        x, y = Tensor(x, requires_grad=True), Tensor(y, requires_grad=True)
        f = x * y + x * x
        f.backward()
        return f.item(), x.grad, y.grad
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right("fan_out", "the square as one gate", (X_SUM, "df_dx = y + 2 * x"))
right(
    "fan_out",
    "x taken out of the bracket",
    source="""
    def fan_out(x, y):
        q = x + y
        return x * q, q + x, x
    """,
)
right(
    "fan_out",
    "accumulated with += from zero",
    source="""
    import numpy as np

    def fan_out(x, y):
        grad = {"x": np.zeros(()), "y": np.zeros(())}
        grad["x"] += y
        grad["y"] += x
        for _ in range(2):
            grad["x"] += x
        return x * y + x**2, grad["x"], grad["y"]
    """,
)

# ---------------------------------------------------------------- wrong_claims


def claims(title, answer, cause, says):
    """A wrong set in the place of the right one."""
    wrong("wrong_claims", title, ("{3, 4, 7}", answer), cause=cause, loses=ALL, says=says)


claims("7 is believed", "{3, 4}", "wrong-value", "not what the check expects")
claims("3 is believed", "{4, 7}", "wrong-value", "not what the check expects")
claims("4 is believed", "{3, 7}", "wrong-value", "not what the check expects")
claims("8 is doubted, not 7", "{3, 4, 8}", "wrong-value", "not what the check expects")
claims("9 is doubted as well", "{3, 4, 7, 9}", "wrong-value", "not what the check expects")
claims("10 is doubted as well", "{3, 4, 7, 10}", "wrong-value", "not what the check expects")
claims("counted from 0", "{2, 3, 6}", "wrong-value", "counted from 0")
claims("the true ones", "{1, 2, 5, 6, 8, 9, 10}", "wrong-value", "true statements")
claims("all of them", "set(range(1, 11))", "wrong-value", "not what the check expects")
claims("none of them", "set()", "wrong-value", "not what the check expects")
claims("a list", "[3, 4, 7]", "wrong-type", "should be a set")
claims("a tuple", "3, 4, 7", "wrong-type", "should be a set")
claims("an empty dict, taken for an empty set", "{}", "wrong-type", "should be a set")
claims("numbers as text", '{"3", "4", "7"}', "wrong-type", "numbers")
claims("one string", '"3, 4, 7"', "wrong-type", "should be a set")
claims("a truth value for each claim", "{1: True, 3: False}", "wrong-type", "should be a set")
claims("nothing", "None", "none-returned", "returns None")
claims("a set of lists", "{[3, 4, 7]}", "raises", "TypeError")
wrong(
    "wrong_claims",
    "tested only at the worked example, with a claim that is right there by accident",
    source="""
    def wrong_claims():
        w, x, b, y_star, y = 1.0, 1.0, -1.0, 3.0, 1.0
        measured_db = 2 * (y - y_star) * y
        false = {3, 4}
        if 2 * (y - y_star) * y * x != measured_db:
            false.add(7)
        return false
    """,
    cause="wrong-value",
    loses=ALL,
    says="not what the check expects",
)

right("wrong_claims", "built number by number", ("{3, 4, 7}", "set([7, 4]) | {3}"))
right("wrong_claims", "a frozenset", ("{3, 4, 7}", "frozenset({3, 4, 7})"))
right("wrong_claims", "NumPy integers", ("{3, 4, 7}", "set(np.array([7, 3, 4]))"))
right(
    "wrong_claims",
    "left to the referee",
    source="""
    import numpy as np

    def slope(f, at, h=1e-5):
        return (f(at + h) - f(at - h)) / (2 * h)

    def wrong_claims():
        w, x, b, z = 0.7, 1.3, -0.4, 2.9
        u = w * x
        v = u + b
        y = np.exp(v)
        loss = lambda w, x, b: (np.exp(w * x + b) - z) ** 2
        claims = [
            (slope(lambda w: w * x, w), x),
            (slope(lambda b: u + b, b), 1),
            (slope(lambda u: u + b, u), 0),
            (slope(lambda b: w * x, b), x),
            (slope(np.exp, v), y),
            (slope(lambda y: (y - z) ** 2, y), 2 * (y - z)),
            (slope(lambda b: loss(w, x, b), b), 2 * (y - z) * y * x),
            (slope(lambda w: loss(w, x, b), w), 2 * (y - z) * y * x),
            (slope(lambda b: np.exp(u + b), b), y),
            (slope(lambda x: loss(w, x, b), x), 2 * (y - z) * y * w),
        ]
        return {i for i, (is_, said) in enumerate(claims, 1) if abs(is_ - said) > 1e-6}
    """,
)

# ---------------------------------------------------------------- descend

W_STEP = "w = w - lr * dloss_dw"
B_STEP = "b = b - lr * dloss_db"

wrong(
    "descend",
    "uphill",
    (W_STEP, "w = w + lr * dloss_dw"),
    (B_STEP, "b = b + lr * dloss_db"),
    cause="sign",
    loses=ALL,
    says="uphill",
)
wrong(
    "descend",
    "the learning rate is forgotten",
    (W_STEP, "w = w - dloss_dw"),
    (B_STEP, "b = b - dloss_db"),
    cause="factor",
    loses=ALL,
    says="learning rate",
)
wrong(
    "descend",
    "the parameters are replaced by their steps",
    (W_STEP, "w = -lr * dloss_dw"),
    (B_STEP, "b = -lr * dloss_db"),
    cause="wrong-value",
    loses=ALL,
    says="replaced by its step",
)
wrong(
    "descend",
    "b moves with a gradient taken after w has moved",
    (
        B_STEP,
        "y = np.exp(w * x + b)\n"
        "        dloss_db = 2.0 * (y - y_star) * y\n"
        "        b = b - lr * dloss_db",
    ),
    cause="wrong-value",
    loses=ALL,
    says="already moved",
)
wrong(
    "descend",
    "only w moves",
    (B_STEP, "pass"),
    cause="wrong-value",
    loses=ALL,
    says="b",
)
wrong(
    "descend",
    "the gradients of the starting point are used for ever",
    ("y = np.exp(w * x + b)\n        losses", "losses"),
    ("losses.append((y - y_star) ** 2)", "losses.append((np.exp(w * x + b) - y_star) ** 2)"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "descend",
    "the 2 of the square is missing",
    ("dloss_dv = 2.0 * (y - y_star) * y", "dloss_dv = (y - y_star) * y"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "descend",
    "the factor y is missing from the gradients",
    ("dloss_dv = 2.0 * (y - y_star) * y", "dloss_dv = 2.0 * (y - y_star)"),
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "descend",
    "one step too many",
    ("for _ in range(steps):", "for _ in range(steps + 1):"),
    cause="wrong-value",
    loses=ALL,
    says="one step too many",
)
wrong(
    "descend",
    "one step too few",
    ("for _ in range(steps):", "for _ in range(steps - 1):"),
    cause="wrong-value",
    loses=ALL,
    says="one step too few",
)
wrong(
    "descend",
    "the loss before the first step is not recorded",
    ("losses = [(y - y_star) ** 2]", "losses = []"),
    cause="wrong-shape",
    loses=("losses",),
    says="entries",
)
wrong(
    "descend",
    "the loss is recorded before each step, so the last is missing",
    ("losses = [(y - y_star) ** 2]", "losses = []"),
    (
        "dloss_dv = 2.0 * (y - y_star) * y",
        "losses.append((y - y_star) ** 2)\n        dloss_dv = 2.0 * (y - y_star) * y",
    ),
    ("        losses.append((y - y_star) ** 2)\n    return", "    return"),
    cause="wrong-shape",
    loses=("losses",),
    says="entries",
)
wrong(
    "descend",
    "the loss is recorded before each step and the first one twice",
    ("losses.append((y - y_star) ** 2)\n    return", "pass\n    return"),
    (
        "dloss_dv = 2.0 * (y - y_star) * y",
        "losses.append((y - y_star) ** 2)\n        dloss_dv = 2.0 * (y - y_star) * y",
    ),
    cause="wrong-value",
    loses=("losses",),
    says="losses",
)
wrong(
    "descend",
    "only the last loss is returned",
    ("return w, b, losses", "return w, b, losses[-1]"),
    cause="wrong-type",
    loses=("losses",),
    says="should be a list of numbers",
)
wrong(
    "descend",
    "losses as (1, 1) arrays",
    ("return w, b, losses", "return w, b, [np.array([[loss]]) for loss in losses]"),
    cause="wrong-type",
    loses=("losses",),
    says="losses holds",
)
wrong(
    "descend",
    "the predictions are recorded, not the losses",
    ("losses = [(y - y_star) ** 2]", "losses = [y]"),
    ("losses.append((y - y_star) ** 2)", "losses.append(y)"),
    cause="wrong-value",
    loses=("losses",),
    says="losses",
)
wrong(
    "descend",
    "w and b change places in the return",
    ("return w, b, losses", "return b, w, losses"),
    cause="order-swapped",
    loses=("w", "b"),
    says="changed places",
)
wrong(
    "descend",
    "the losses alone",
    ("return w, b, losses", "return losses"),
    cause="wrong-type",
    loses=ALL,
    says="should return a tuple of 3",
)
wrong(
    "descend",
    "returned from inside the loop, after one step",
    ("    return w, b, losses", "        return w, b, losses"),
    cause="none-returned",
    loses=ALL,
    says="returns None",
)
wrong(
    "descend",
    "the losses of earlier calls are still in the list",
    ("lr, steps):", "lr, steps, losses=[]):"),
    ("losses = [(y - y_star) ** 2]", "losses.append((y - y_star) ** 2)"),
    ("for _ in range(steps):", "for step in range(steps):"),
    cause="state-leak",
    loses=("losses",),
    says="second time",
)
wrong(
    "descend",
    "exp_model is called with its arguments in descend's order",
    source="""
    import numpy as np

    def exp_model(w, x, b, y_star):
        y = np.exp(w * x + b)
        return (y - y_star) ** 2, 2 * (y - y_star) * y * x, 2 * (y - y_star) * y

    def descend(w, b, x, y_star, lr, steps):
        losses = [exp_model(w, b, x, y_star)[0]]
        for _ in range(steps):
            _, dw, db = exp_model(w, b, x, y_star)
            w, b = w - lr * dw, b - lr * db
            losses.append(exp_model(w, b, x, y_star)[0])
        return w, b, losses
    """,
    cause="wrong-value",
    loses=ALL,
    says="wrong value",
)
wrong(
    "descend",
    "a while loop whose counter never moves",
    ("for _ in range(steps):", "step = 0\n    while step < steps:"),
    cause="time-out",
    loses=ALL,
    says="does not finish",
)
wrong(
    "descend",
    "range of a float",
    ("for _ in range(steps):", "for _ in range(steps / 1):"),
    cause="raises",
    loses=ALL,
    says="TypeError",
)
wrong(
    "descend",
    "the worked example typed in",
    source="""
    import numpy as np

    def descend(w, b, x, y_star, lr, steps):
        w, b, x, y_star, lr, steps = 0.5, -1.0, 2.0, 3.0, 0.01, 5
        losses = [(np.exp(w * x + b) - y_star) ** 2]
        for _ in range(steps):
            y = np.exp(w * x + b)
            signal = 2 * (y - y_star) * y
            w, b = w - lr * signal * x, b - lr * signal
            losses.append((np.exp(w * x + b) - y_star) ** 2)
        return w, b, losses
    """,
    cause="hard-coded",
    loses=ALL,
    says="whatever the arguments are",
)
wrong(
    "descend",
    "the engine finds the gradients",
    source="""
    from backprop_kit import Tensor

    def descend(w, b, x, y_star, lr, steps):
        losses = []
        for step in range(steps + 1):
            tw, tb = Tensor(w, requires_grad=True), Tensor(b, requires_grad=True)
            loss = ((tw * x + tb).exp() - y_star) ** 2
            losses.append(loss.item())
            if step < steps:
                loss.backward()
                w, b = w - lr * tw.grad, b - lr * tb.grad
        return w, b, losses
    """,
    cause="by-engine",
    loses=ALL,
    says="reference engine",
)

right(
    "descend",
    "with exp_model, both updates in one line",
    source="""
    import math

    def exp_model(w, x, b, y_star):
        y = math.exp(w * x + b)
        return (y - y_star) ** 2, 2 * (y - y_star) * y * x, 2 * (y - y_star) * y

    def descend(w, b, x, y_star, lr, steps):
        losses = []
        for _ in range(steps):
            loss, dw, db = exp_model(w, x, b, y_star)
            losses.append(loss)
            w, b = w - lr * dw, b - lr * db
        return w, b, losses + [exp_model(w, x, b, y_star)[0]]
    """,
)
right(
    "descend",
    "an array of losses, filled in",
    source="""
    import numpy as np

    def descend(w, b, x, y_star, lr, steps):
        p = np.array([w, b])
        inputs = np.array([x, 1.0])
        losses = np.empty(steps + 1)
        for i in range(steps + 1):
            y = np.exp(p @ inputs)
            losses[i] = (y - y_star) ** 2
            if i < steps:
                p = p - lr * 2 * (y - y_star) * y * inputs
        return p[0], p[1], losses
    """,
)
right(
    "descend",
    "recursion, and a tuple of losses",
    source="""
    import numpy as np

    def descend(w, b, x, y_star, lr, steps):
        y = np.exp(w * x + b)
        loss = (y - y_star) ** 2
        if steps == 0:
            return w, b, (loss,)
        signal = 2 * (y - y_star) * y
        w_end, b_end, rest = descend(
            w - lr * signal * x, b - lr * signal, x, y_star, lr, steps - 1
        )
        return w_end, b_end, (loss, *rest)
    """,
)
