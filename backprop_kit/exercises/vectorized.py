"""Lesson 02: vectors and matrices, ‖Wx‖². What each exercise computes, forward; the engine does
the rest."""

import re
import tracemalloc
from collections.abc import Callable

import numpy as np

from backprop_kit.checking.differences import numerical_gradient
from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Flaw,
    Function,
    Gradients,
    Slip,
    differentiate,
    register,
    value_of,
)
from backprop_kit.engine.tensor import Tensor

from .drawing import numbers, sizes

LESSON = "02_vectorized"

# The worked example of the text, and a batch whose first row is its x.
W = np.array([[0.5, -0.18, 0.2], [1.5, 0.93, 1.6]])
X = np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0], [0.5, -2.0, 1.0], [2.0, 1.0, -0.5]])
x = X[:1].T  # (3, 1)


def arrays(rng, *shapes, scales=()):
    """An array of ordinary random numbers for each shape, multiplied by its scale."""
    scales = [*scales, *[1.0] * (len(shapes) - len(scales))]
    return [
        scale * numbers(rng, *shape, high=2.0) for shape, scale in zip(shapes, scales, strict=True)
    ]


def matrix_and_column(rng, m=None, n=None, scales=(), zero=False):
    """W (m, n) and a column x (n, 1); m and n are drawn, and differ, where they are not given.

    zero: the first row of W is 0, and so are the first entries of Wx and of x.
    """
    drawn = sizes(rng, 2)
    m, n = m or drawn[0], n or drawn[1]
    W, x = arrays(rng, (m, n), (n, 1), scales=scales)
    if zero:
        W[0], x[0] = 0.0, 0.0
    return W, x


def row_and_matrix(rng, m=None, n=None, scales=(), zero=False):
    """A row x (1, n) and W (n, m): the same for the row form."""
    W, x = matrix_and_column(rng, m, n, scales, zero)
    return x.T.copy(), W.T.copy()


# Where f is large beside its gradient, a difference of two values of f has lost its last digits;
# an exact gradient has not. LARGE makes that so for the gradient to W or to x.

LARGE = 1e5
DIFFERENCES = (("large entries in W", (LARGE, 1.0)), ("large entries in x", (1.0, LARGE)))


# ---------------------------------------------------------------- forward: a = Wx, f = aᵀa


def norm(W, x):
    return ((W @ x) ** 2).sum()


def forward_values(W, x):
    return float(value_of(norm, W, x)), value_of(lambda W, x: W @ x, W, x)


def forward_slips(W, x):
    """Other numbers that are easily taken for ‖Wx‖²."""
    f, a = forward_values(W, x)
    look = "read ‖·‖² again: what is squared, and what is added up?"
    products = W * x.T
    return [
        Slip(
            "wrong-value",
            "W and x are multiplied entry by entry and the products of a row are not added up",
            {"f": float((products**2).sum()), "a": products},
            "compare with the loop above: which of its lines adds up?",
        ),
        *(
            Slip("wrong-value", words, {"f": value}, look)
            for words, value in [
                ("the root is taken: the norm, and not its square", f**0.5),
                ("the entries of a are added up without being squared", a.sum()),
                ("the entries of a are added up first and squared afterwards", a.sum() ** 2),
                ("the mean is taken in place of the sum", f / len(a)),
            ]
        ),
    ]


register(
    "norm_sq",
    LESSON,
    points=1,
    functions=[
        Function(
            "norm_sq",
            "W x",
            ("f", "a"),
            forward_values,
            forward_slips,
            advice="compute the two numbers in a by hand at the worked example, then f from them",
        )
    ],
    draw=lambda rng: [
        Case("norm_sq", (W, x), "worked"),
        *(Case("norm_sq", matrix_and_column(rng)) for _ in range(4)),
        Case("norm_sq", matrix_and_column(rng, m=1), "edge", "W has one row"),
        Case("norm_sq", matrix_and_column(rng, m=3, n=3), "square"),
    ],
)


# ---------------------------------------------------------------- backward through both nodes

# A zero is added to a, so that the gradient to a is asked for like any other.
_through_a = Gradients(lambda W, x, a: ((W @ x + a) ** 2).sum(), "W x a", wrt="a W x")
GRADIENTS = ("df_da", "df_dW", "df_dx")


def three_gradients(W, x):
    return _through_a(W, x, np.zeros((len(W), 1)))[1:]


NO_SIGNAL = "only how a changes is returned, and the signal at a is not multiplied in"
SIDE_BY_SIDE = "the shares of the entries of a are left side by side and not added up"
ADD_UP = "every entry of a hands something back to the same input: fan-out accumulates"


def gradient_slips(W, x):
    df_da, *_ = three_gradients(W, x)
    _, _, through_last = three_gradients(W[-1:], x)
    _, _, through_first = three_gradients(W[:1], x)
    zero = np.zeros((len(W), 1))
    made = _through_a.slips(("f", *GRADIENTS))(W, x, zero)
    # The added zero is no gate of the student's: leave out what would speak of it.
    told = [slip for slip in made if not re.search(r"the sum(?! over)", slip.words)]
    return [
        Slip(
            "missing-local",
            "x is left out: how a changes with W",
            {"df_dW": np.broadcast_to(df_da, W.shape)},
        ),
        Slip(
            "wrong-value",
            "W itself stands where the change of a with W belongs",
            {"df_dW": df_da * W},
            "in a = Wx, how far does an entry of a move when one weight grows by 1?",
        ),
        *(
            Slip("upstream-ignored", NO_SIGNAL, {"df_dW": from_x, "df_dx": from_W})
            for from_x, from_W in [(x.T, W), (x, W.T)]
        ),
        *(
            Slip("wrong-shape", SIDE_BY_SIDE, {"df_dx": shares}, ADD_UP)
            for shares in (df_da * W, (df_da * W).T)
        ),
        *(
            Slip(
                "overwrite-not-accumulate",
                f"only the path through the {which} entry of a is kept",
                {"df_dx": value},
            )
            for which, value in [("last", through_last), ("first", through_first)]
        ),
        *(Slip(s.cause, s.words, {k: s.parts[k] for k in GRADIENTS}) for s in told),
    ]


BY_INDEX = "write the gradient of one single entry with its indices, then for all of them"

register(
    "norm_sq_grads",
    LESSON,
    points=4,
    functions=[
        Function(
            "norm_sq_grads", "W x", GRADIENTS, three_gradients, gradient_slips, advice=BY_INDEX
        )
    ],
    draw=lambda rng: [
        Case("norm_sq_grads", (W, x), "worked"),
        *(Case("norm_sq_grads", matrix_and_column(rng)) for _ in range(4)),
        *(
            Case("norm_sq_grads", matrix_and_column(rng, scales=scales), "edge", note)
            for note, scales in DIFFERENCES
        ),
        Case("norm_sq_grads", matrix_and_column(rng, m=3, n=3), "square"),
        Case("norm_sq_grads", matrix_and_column(rng, zero=True), "edge", "entries that are 0"),
    ],
)


# ---------------------------------------------------------------- the row form: a = xW


def row_slips(x, W):
    f, df_dW, _ = norm_sq_row.solve(x, W)
    shares = W * (df_dW[:1] / x[0, 0])
    return [
        *(
            Slip("upstream-ignored", NO_SIGNAL, {"df_dW": from_x, "df_dx": from_W})
            for from_x, from_W in [(x.T, W), (x, W.T)]
        ),
        *(
            Slip("wrong-shape", SIDE_BY_SIDE, {"df_dx": left}, ADD_UP)
            for left in (shares, shares.T)
        ),
        Slip("wrong-value", "the root is taken: the norm, and not its square", {"f": f**0.5}),
        Slip(
            "missing-local",
            "x is left out: how a changes with W",
            {"df_dW": np.broadcast_to(df_dW[:1] / x[0, 0], W.shape)},
        ),
    ]


norm_sq_row = differentiate(
    "norm_sq_row",
    lambda x, W: ((x @ W) ** 2).sum(),
    arguments="x W",
    returns=("f", "df_dW", "df_dx"),
    wrt="W x",
    slips=row_slips,
    advice=BY_INDEX,
)

register(
    "norm_sq_row",
    LESSON,
    points=2,
    functions=[norm_sq_row],
    draw=lambda rng: [
        Case("norm_sq_row", (x.T.copy(), W.T.copy()), "worked"),
        *(Case("norm_sq_row", row_and_matrix(rng)) for _ in range(4)),
        *(
            Case("norm_sq_row", row_and_matrix(rng, scales=scales), "edge", note)
            for note, scales in DIFFERENCES
        ),
        Case("norm_sq_row", row_and_matrix(rng, m=3, n=3), "square"),
    ],
)


# ---------------------------------------------------------------- shapes in the two layouts

THINGS = ("a number", "a column", "a matrix", "a matrix with one row")
LAYOUTS = ("code", "paper")
SHAPES = {layout: {thing: f"{thing} in {layout} layout" for thing in THINGS} for layout in LAYOUTS}


def things(k, m, n):
    """The shape of each of the THINGS."""
    return dict(zip(THINGS, [(), (k, 1), (m, n), (1, n)], strict=True))


def ask_for_shapes(answers, k, m, n):
    """Call gradient_shape for every thing and layout; laid out as SHAPES."""
    ask = answers["gradient_shape"]
    return {
        layout: {thing: ask(shape, layout) for thing, shape in things(k, m, n).items()}
        for layout in LAYOUTS
    }


def shapes(k, m, n, turned=("paper", "a column")):
    """The expected shapes: all as they are, but for what one layout lays on its side."""
    return {
        layout: {
            thing: Exact(shape[::-1] if (layout, thing) == turned else shape)
            for thing, shape in things(k, m, n).items()
        }
        for layout in LAYOUTS
    }


EVERY_WAY = "go through your `if`s with such a shape: which `return` does it come to?"
TABLE = "hold your answer against the table of the two layouts"


def read_shapes(args, result):
    """(yours, expected); says so where a column has each layout's shape in the other one."""
    expected = shapes(*args)
    given = [result[layout][thing] for layout in LAYOUTS for thing in THINGS]
    written = [shape for shape in given if shape is not None]
    if written and len(written) < len(given):
        for layout in LAYOUTS:
            for thing in THINGS:
                if result[layout][thing] is None:
                    evidence = (
                        "for {part} it gives None, as a function does that ends without a `return`."
                    )
                    result[layout][thing] = Flaw("none-returned", evidence, EVERY_WAY)
    columns = [expected[layout]["a column"].value for layout in LAYOUTS]
    yours = [result[layout]["a column"] for layout in LAYOUTS]
    if all(type(shape) is tuple for shape in yours) and yours == columns[::-1] != columns:
        evidence = "{part} {has} the shape that belongs to the other layout."
        for layout in LAYOUTS:
            result[layout]["a column"] = Flaw("wrong-shape", evidence, TABLE)
    return result, expected


def shape_slips(k, m, n):
    of = things(k, m, n)

    def slip(cause, words, layouts, things, change, next_step):
        made = {thing: Exact(change(of[thing])) for thing in things}
        parts = {SHAPES[layout][thing]: made[thing] for layout in layouts for thing in things}
        return Slip(cause, words, parts, next_step)

    def turned(shape):
        return shape[::-1]

    def kept(shape):
        return shape

    matrices = ("a matrix", "a matrix with one row")
    number = "a number's gradient is a number; which tuple has no entries?"
    return [
        slip(
            "wrong-shape",
            "the gradient keeps the shape of the column, as the other layout has it",
            ("paper",),
            ("a column",),
            kept,
            TABLE,
        ),
        slip(
            "wrong-shape",
            "the gradient to a column is laid on its side, as the other layout has it",
            ("code",),
            ("a column",),
            turned,
            TABLE,
        ),
        slip(
            "wrong-shape",
            "a matrix that has one row is treated as a vector",
            LAYOUTS,
            ("a matrix with one row",),
            turned,
            "which shapes does the card call a column? All others are matrices",
        ),
        slip(
            "transpose", "the gradient to a matrix is transposed", LAYOUTS, matrices, turned, TABLE
        ),
        *(
            slip("wrong-shape", words, LAYOUTS, ("a number",), lambda _, s=shape: s, number)
            for words, shape in [
                ("a number is given a shape with entries in it", (1,)),
                ("a number is taken for a (1, 1) matrix", (1, 1)),
            ]
        ),
        *(
            slip(
                "wrong-shape",
                "the axis of length 1 is dropped",
                LAYOUTS,
                (thing,),
                lambda shape: tuple(size for size in shape if size != 1),
                "every vector of this course is a matrix with one column, or one row",
            )
            for thing in ("a column", "a matrix with one row")
        ),
    ]


register(
    "gradient_shape",
    LESSON,
    points=2,
    functions=[
        Function(
            "gradient_shape",
            "k m n",
            SHAPES,
            slips=shape_slips,
            drive=ask_for_shapes,
            reading=read_shapes,
            advice='call your function yourself: `gradient_shape((5, 1), "paper")`, and so on',
        )
    ],
    draw=lambda rng: [
        Case("gradient_shape", (5, 2, 3), "worked"),
        *(Case("gradient_shape", sizes(rng, 3)) for _ in range(4)),
    ],
)


# ---------------------------------------------------------------- the numerical gradient

# What the exercise differentiates: f(A) for coefficients C of A's shape. The differences of each
# of them depend on h, and on both of the values that are subtracted.
FUNCTIONS = {
    "weighted cubes": lambda C, A: np.sum(C * A**3),
    "sine of a weighted sum": lambda C, A: np.sin(np.sum(C * A)),
    "exp of a weighted mean": lambda C, A: np.exp(np.mean(C * A)),
}

# What f may return: all of them are "a scalar".
SCALARS: dict[str, Callable] = {
    "a float": float,
    "a NumPy number": np.float64,
    "a 0-d array": np.array,
}


def scalar_function(name, C, returns):
    """f(A), one of FUNCTIONS. It reads A row by row, so that rounding is the same wherever A's
    entries lie in memory."""
    return lambda A: SCALARS[returns](FUNCTIONS[name](C, np.array(A, order="C")))


def in_memory(A, memory):
    """A new array with A's entries: "rows" or "columns" first, or "every other" of a larger one."""
    if memory == "rows":
        return A.copy()
    if memory == "columns":
        return np.array(A, order="F")
    wide = np.full((*A.shape[:-1], 2 * A.shape[-1]), 7.0)
    wide[..., ::2] = A
    return wide[..., ::2]


def ask_for_numerical_gradient(answers, setting, A, h):
    """Call numerical_gradient (without h where h is None); gives its result, and A afterwards."""
    f, C, memory, returns = setting
    given = in_memory(A, memory)
    steps = () if h is None else (h,)
    gradient = answers["numerical_gradient"](scalar_function(f, C, returns), given, *steps)
    return gradient, given.copy()


DEFAULT_H = 1e-5


def read_numerical_gradient(args, result):
    """(yours, expected) for the gradient and for whether A was left as it was."""
    (f, C, _, returns), A, h = args
    gradient, after = result
    if gradient is None:
        raise Flaw("none-returned", "numerical_gradient returns None.")
    f = scalar_function(f, C, returns)
    expected = numerical_gradient(f, A, h or DEFAULT_H)
    if A.ndim and isinstance(gradient, (float, np.ndarray)) and np.ndim(gradient) == 0:
        gradient = one_number_for_all(gradient, expected, f, A, h or DEFAULT_H)
    left_alone: bool | Flaw = True
    if not np.array_equal(after, A):
        gap = np.max(np.abs(after - A))
        evidence = f"after the call A differs from what was passed in, by up to {gap:.0e}."
        if gap < 1e-12:
            evidence += " (Adding h and subtracting it again does not come back exactly.)"
        next_step = "keep the entry before you move it, and put the kept number back"
        left_alone = Flaw("mutates-argument", evidence, next_step)
    return (gradient, left_alone), (expected, Exact(True))


def one_number_for_all(gradient, expected, f, A, h):
    """A Flaw that says where a number comes from that stands where an array belongs."""
    evidence = "{part} should be an array of A's shape, and {is} a single number."
    next_step = "keep one number for each entry, in an array that you make before the loop"
    together = (f(A + h) - f(A - h)) / (h + h)
    if np.isclose(gradient, together, rtol=1e-7, atol=0):
        evidence += " It comes out when all entries of A are moved at once."
        next_step = "move one entry, measure, put it back, and go on to the next"
    elif np.isclose(gradient, expected.flat[-1], rtol=1e-7, atol=0):
        evidence += " It is the right one for A's last entry."
    return Flaw("wrong-type", evidence, next_step)


def quotients(f, A, up, down, run):
    """(f(A + up) − f(A + down)) / run for steps up and down in one entry at a time."""
    found = np.empty(A.shape)
    for index in np.ndindex(A.shape):
        step = np.zeros(A.shape)
        step[index] = 1.0
        found[index] = (f(A + up * step) - f(A + down * step)) / run
    return found[()]


def moved_along(f, A, h):
    """The differences that come out if each new entry is moved with all the earlier ones."""
    step, found = np.zeros(A.shape), np.empty(A.shape)
    for index in np.ndindex(A.shape):
        step[index] = h
        found[index] = (f(A + step) - f(A - step)) / (h + h)
    return found[()]


def values_moved(f, A, h):
    """f where one entry at a time is moved by h."""
    found = np.empty(A.shape)
    for index in np.ndindex(A.shape):
        step = np.zeros(A.shape)
        step[index] = h
        found[index] = f(A + step)
    return found[()]


def only_first(values):
    """The same array with all but its first entry 0."""
    kept = np.zeros(np.shape(values))
    kept.flat[0] = np.ravel(values)[0]
    return kept[()]


def left_moved(f, A, h):
    """The differences that come out if no entry is put back after it was moved."""
    A, found = A.copy(), np.empty(A.shape)
    for index in np.ndindex(A.shape):
        kept = A[index]
        A[index] = kept + h
        above = f(A)
        A[index] = kept - h
        found[index] = (above - f(A)) / (h + h)
    return found[()]


def difference_slips(setting, A, h_given):
    f, C, memory, returns = setting
    f, h = scalar_function(f, C, returns), h_given or DEFAULT_H
    together = (f(A + h) - f(A - h)) / (h + h)
    above, below = values_moved(f, A, h), values_moved(f, A, -h)
    back = "put each entry back before you go on to the next"
    made = [
        (
            "imprecise",
            "one of the two values is taken at A itself, and not one on each side of it",
            quotients(f, A, h, 0, h),
            "step to both sides of the entry, and divide by the whole run",
        ),
        (
            "imprecise",
            "one of the two values is taken at A itself, and not one on each side of it",
            quotients(f, A, 0, -h, h),
            "step to both sides of the entry, and divide by the whole run",
        ),
        (
            "wrong-value",
            "the step down only leads back to where the entry was, not to the other side",
            quotients(f, A, h, 0, 2 * h),
            "from A + h, how far is it to A − h? And mind that `B = A` makes no copy",
        ),
        (
            "wrong-value",
            "all entries are moved at once",
            np.broadcast_to(together, A.shape)[()],
            "move one entry, measure, put it back, and go on to the next",
        ),
        (
            "wrong-value",
            "an entry is not put back before the next one is moved",
            left_moved(f, A, h),
            back,
        ),
        (
            "wrong-value",
            "the entries that had their turn are moved along with the next one",
            moved_along(f, A, h),
            back,
        ),
        (
            "wrong-value",
            "the function ends with the first entry, and all the others stay 0",
            only_first(quotients(f, A, h, -h, 2 * h)),
            "look at your `return`: does it stand inside the loop?",
        ),
        (
            "wrong-value",
            f"the step is {DEFAULT_H} whatever h is",
            quotients(f, A, DEFAULT_H, -DEFAULT_H, 2 * DEFAULT_H),
            "use the argument h, both for the step and for the run",
        ),
        (
            "wrong-value",
            "the rise is halved and then multiplied by h",
            quotients(f, A, h, -h, 2.0) * h,
            "mind the brackets: what is a / b * c?",
        ),
        *(
            (
                "wrong-value",
                "only the second of the two values is divided",
                value,
                "mind the brackets: what is a - b / c?",
            )
            for value in (above - below / (2 * h), above - below / 2 * h)
        ),
        (
            "factor",
            "the rise is divided by h, which is not the whole run",
            quotients(f, A, h, -h, h),
            "how far apart are the two places at which you ask f?",
        ),
        (
            "factor",
            "the rise is not divided by the run",
            quotients(f, A, h, -h, 1.0),
            "a slope is rise over run: how far apart are the two places?",
        ),
    ]
    if h_given is None:
        made += [
            (
                "wrong-value",
                f"the step is {default} where no h is given",
                quotients(f, A, default, -default, 2 * default),
                "look at the stub's first line: what is h by default?",
            )
            for default in (1e-4, 1e-3, 1e-2, 0.1)
        ]
    if memory != "rows":
        made.append(
            (
                "wrong-value",
                "a copy is moved, and f is asked about the array that stayed as it was",
                np.zeros(A.shape)[()],
                "`ravel` and `reshape` may copy: run over the indices of A itself",
            )
        )
    return [Slip(cause, words, {"gradient": value}, step) for cause, words, value, step in made]


def numerical_case(rng, f, shape, h, memory="rows", returns="a float", kind="fresh", note=""):
    C, A = arrays(rng, shape, shape)
    args = ((f, np.array(C), memory, returns), np.array(A), h)
    return Case("numerical_gradient", args, kind, note)


def numerical_cases(rng):
    """Arrays of 0 to 3 dimensions, in memory in several ways; steps of several sizes."""
    cubes, sine, exp = FUNCTIONS
    _, a_number, an_array = SCALARS
    two, three = tuple(sizes(rng, 2)), tuple(sizes(rng, 3))
    return [
        numerical_case(rng, cubes, two, 1e-2),
        numerical_case(rng, sine, two[::-1], 1e-3, returns=a_number),
        numerical_case(rng, exp, two, 0.1, returns=an_array),
        numerical_case(rng, cubes, two, None, note="h is not given"),
        numerical_case(rng, cubes, three[:1], 1e-2, kind="edge", note="A has one dimension"),
        numerical_case(rng, sine, three, 1e-3, kind="edge", note="A has three dimensions"),
        numerical_case(rng, cubes, (), 1e-2, kind="edge", note="A has no dimension: a number"),
        numerical_case(
            rng, cubes, two, 1e-2, "columns", kind="edge", note="A lies in memory column by column"
        ),
        numerical_case(
            rng, exp, two, 1e-2, "every other", kind="edge", note="A is a view into a larger array"
        ),
    ]


register(
    "numerical_gradient",
    LESSON,
    points=3,
    functions=[
        Function(
            "numerical_gradient",
            "f A h",
            ("gradient", "A afterwards"),
            slips=difference_slips,
            drive=ask_for_numerical_gradient,
            reading=read_numerical_gradient,
            rtol=1e-7,
            advice="try it on `lambda A: np.sum(A**3)` at A = np.array([[1.0, 2.0]]): what must "
            "come out?",
        )
    ],
    draw=lambda rng: [
        Case(
            "numerical_gradient",
            (
                ("weighted cubes", W.copy(), "rows", "a float"),
                np.array([[1.0, 2.0, 3.0]] * 2),
                1e-2,
            ),
            "worked",
        ),
        *numerical_cases(rng),
    ],
)


# ---------------------------------------------------------------- the Jacobian, and doing without


def jacobian(W, x):
    """∂a/∂W for a = Wx, one backward pass of the engine for each entry of a."""
    layers = []
    for k in range(len(W)):
        weights = Tensor(W, requires_grad=True)
        (weights @ Tensor(x))[k, 0].backward()
        layers.append(weights.grad)
    return np.stack(layers)


def jacobian_slips(W, x):
    J = jacobian(W, x)
    m, n = W.shape
    order = "the card says which index comes first: that of the output"
    return [
        Slip(cause, words, {"da_dW": value}, next_step)
        for cause, words, value, next_step in [
            (
                "wrong-value",
                "every entry of a is made to depend on every row of W",
                np.broadcast_to(x[:, 0], J.shape),
                "which row of W does the first entry of a see?",
            ),
            (
                "wrong-value",
                "the weights stand where the inputs belong",
                np.einsum("ki,kj->kij", np.eye(m), W),
                "a weight grows by 1: by how much does its entry of a grow?",
            ),
            (
                "wrong-value",
                "each weight is multiplied in, as if a itself were asked for and not its change",
                np.einsum("ki,kj->kij", np.eye(m), W * x.T),
                "a weight grows by 1: by how much does its entry of a grow?",
            ),
            ("wrong-shape", "the index of the output stands last", np.moveaxis(J, 0, -1), order),
            ("wrong-shape", "the index of x's entries stands first", np.moveaxis(J, -1, 0), order),
            (
                "wrong-shape",
                "the two indices of W are run together into one",
                J.reshape(m, m * n),
                "keep three indices: one for a, two for W",
            ),
            (
                "wrong-shape",
                "a is differentiated by x and not by W",
                W,
                "nudge a weight, not an input: how many pairs of an output and a weight are there?",
            ),
            (
                "wrong-shape",
                "the zeros are left out and only one row for each output is kept",
                np.einsum("kkj->kj", J),
                "an output does not depend on the other rows: those entries are 0, and they count",
            ),
        ]
    ]


_contraction = Gradients(lambda W, x: W @ x, "g W x", wrt="W", upstream="g")


def contraction(g, x):
    """The gradient to W that the signal g leaves behind at a = Wx; which W does not matter."""
    return _contraction(g, np.zeros((len(g), len(x))), x)


def ask_for_contraction(answers, g, x):
    """Call vjp_Wx; gives its result and the most memory, in bytes, that it took on the way."""
    tracemalloc.start()
    try:
        result = answers["vjp_Wx"](g, x)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return result, peak


TALL = 100  # rows from which on the Jacobian is so large that its memory cannot be mistaken


def read_contraction(args, result):
    """(yours, expected) for the value, and for whether the Jacobian was ever there."""
    g, x = args
    value, peak = result
    if value is None:
        raise Flaw("none-returned", "vjp_Wx returns None.")
    whole = g.size * g.size * x.size * g.itemsize
    frugal: bool | Flaw = True
    if len(g) >= TALL and peak > whole / 6:
        needed = g.size * x.size * g.itemsize
        frugal = Flaw(
            "keeps-too-much",
            f"for a W of {len(g)} × {len(x)} vjp_Wx took {peak / 1e6:.1f} MB of memory on the way "
            f"to a result of {needed / 1e6:.2f} MB; that is room for the whole Jacobian.",
            "write down one entry of the contraction with its indices: which terms are not 0?",
        )
    return (value, frugal), (contraction(g, x), Exact(True))


def contraction_slips(g, x):
    from_graph = _contraction.slips("value")(g, np.zeros((len(g), len(x))), x)
    told = [Slip(s.cause, s.words, {VALUE: s.parts["value"]}) for s in from_graph]
    left_out = np.broadcast_to(g, (len(g), len(x)))
    words = "x is left out: how a changes with W"
    return [
        *told,
        Slip("missing-local", words, {VALUE: left_out}),
        *(Slip("upstream-ignored", NO_SIGNAL, {VALUE: value}) for value in (x.T, x)),
    ]


VALUE, MEMORY = "vjp_Wx(g, x)", "memory of vjp_Wx"


def signal_and_column(rng, m=None, n=None):
    W, x = matrix_and_column(rng, m, n)
    return arrays(rng, (len(W), 1))[0], x


register(
    "jacobian",
    LESSON,
    points=3,
    functions=[
        Function(
            "jacobian_Wx",
            "W x",
            "da_dW",
            jacobian,
            jacobian_slips,
            advice="take m = 2, n = 3 and fill in the twelve entries by hand: which of them are 0?",
        ),
        Function(
            "vjp_Wx",
            "g x",
            (VALUE, MEMORY),
            slips=contraction_slips,
            drive=ask_for_contraction,
            reading=read_contraction,
            advice=BY_INDEX,
        ),
    ],
    draw=lambda rng: [
        Case("jacobian_Wx", (W, x), "worked"),
        *(Case("jacobian_Wx", matrix_and_column(rng)) for _ in range(3)),
        Case("jacobian_Wx", matrix_and_column(rng, m=3, n=3), "square"),
        Case("vjp_Wx", (np.array([[1.48], [16.32]]), x), "worked"),
        *(Case("vjp_Wx", signal_and_column(rng)) for _ in range(3)),
        Case("vjp_Wx", signal_and_column(rng, TALL, 60), "edge", f"W has {TALL} rows"),
        *(
            Case("jacobian_Wx", matrix_and_column(rng, scales=scales), "edge", note)
            for note, scales in DIFFERENCES
        ),
    ],
)


# ---------------------------------------------------------------- a batch


def batch_norm_sq(W, X):
    """The mean over the rows xᵢ of X of ‖W xᵢ‖²."""
    return ((X @ W.T) ** 2).sum() / len(X)


# Gates at which the 1/N of the mean is the signal or the local derivative: that it is left out is
# told in the exercise's own words.
WITH_1_N = r"quotient|sum over entries|arrives at the power"


def batch_slips(W, X):
    f, df_dW, df_dX = _batch(W, X)
    m, N = len(W), len(X)
    _, last, _ = _batch(W, X[-1:])
    _, of_the_mean, _ = _batch(W, X.mean(axis=0, keepdims=True))
    made = _batch.slips(BATCH)(W, X)
    told = [slip for slip in made if not re.search(WITH_1_N, slip.words)]
    mean = [part / X.shape[1] for part in (f * N, df_dW * N, df_dX * N)]
    of_all = df_dX.sum(axis=0)
    sum_up = "every example leaves a contribution to the same W: add them up"
    return [
        Slip(
            "mean-vs-sum",
            "the sum over the examples is taken where the mean belongs",
            dict(zip(BATCH, (f * N, df_dW * N, df_dX * N), strict=True)),
        ),
        Slip(
            "mean-vs-sum",
            "the mean is taken over all entries of the array, and not over its rows",
            dict(zip(BATCH, (f / m, df_dW / m, df_dX / m), strict=True)),
            "how many terms does the mean over the examples have?",
        ),
        Slip(
            "mean-vs-sum",
            "the mean has as many terms as X has columns, and not as many as it has rows",
            dict(zip(BATCH, mean, strict=True)),
            "which of the two sizes of X counts the examples?",
        ),
        *(
            Slip(
                cause,
                "the gradients to all the examples are added up",
                {"df_dX": times * np.reshape(of_all, shape)},
                "each example has a row of its own in X, and its own row in the gradient",
            )
            for cause, shape in [
                ("single-only", (1, -1)),
                ("wrong-shape", (-1,)),
                ("wrong-shape", (-1, 1)),
            ]
            for times in (1, N)
        ),
        *(
            Slip(
                "overwrite-not-accumulate",
                "only the last example's contribution is kept",
                {"df_dW": value},
                sum_up,
            )
            for value in (last, last / N)
        ),
        Slip(
            "wrong-value",
            "the examples are averaged first and the gradient is taken for their mean",
            {"df_dW": of_the_mean},
            sum_up,
        ),
        *told,
    ]


_batch = Gradients(batch_norm_sq, "W X", wrt="W X")
BATCH = ("f", "df_dW", "df_dX")

norm_sq_batch = Function(
    "norm_sq_batch",
    "W X",
    BATCH,
    _batch,
    batch_slips,
    batch="X",
    advice="take one single row of X first and compare with exercise 2",
)


def matrix_and_batch(rng, N=None, m=None, n=None, scales=()):
    """W (m, n) and X (N, n), all three different where they are not given."""
    drawn = sizes(rng, 3)
    N, m, n = N or drawn[0], m or drawn[1], n or drawn[2]
    return arrays(rng, (m, n), (N, n), scales=scales)


BATCHES = ((5, 2, 3), (3, 4, 2), (6, 3, 5))  # examples, outputs, inputs

register(
    "norm_sq_batch",
    LESSON,
    points=3,
    functions=[norm_sq_batch],
    draw=lambda rng: [
        Case("norm_sq_batch", (W, X), "worked"),
        *(Case("norm_sq_batch", matrix_and_batch(rng, N, m, n)) for N, m, n in BATCHES),
        *(
            Case("norm_sq_batch", matrix_and_batch(rng, scales=scales), "edge", note)
            for note, scales in DIFFERENCES
        ),
        Case("norm_sq_batch", matrix_and_batch(rng, N=1), "single", "one example"),
    ],
)
