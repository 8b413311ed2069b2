"""Lesson 06: layers of one's own. What each computes, forward; and how a class is put to work.

A class is no function that one calls: a driver makes a layer, runs it forward and backward in
several orders, and collects what comes out. The readings below, which run where marks are given,
hold the arrays against the engine; `MyLayer`, whose function nobody knows beforehand, is held
against numerical differences of its own forward.
"""

import contextlib
import copy
from functools import partial
from itertools import pairwise

import numpy as np

from backprop_kit.checking.causes import listed
from backprop_kit.checking.compare import (
    ERROR_ADVICE,
    SHAPE_ERRORS,
    agree_to_rounding,
    describe,
    is_number,
)
from backprop_kit.checking.diagnose import same
from backprop_kit.checking.exercise import (
    Case,
    Exact,
    Flaw,
    Function,
    Gradients,
    Slip,
    register,
    value_of,
)
from backprop_kit.checking.gradcheck import examine as held_against_differences
from backprop_kit.checking.observe import Raised, copied, raised
from backprop_kit.checking.subjects import OfLayer, Subject
from backprop_kit.engine.layers import Layer, Linear, ReLU, Sequential, described
from backprop_kit.engine.tensor import EngineOff, Tensor

from .drawing import numbers, until

LESSON = "06_custom_layer"

APART = "calls kept apart"  # the label of the part that nothing leaks from one call to another
FINE = Exact("as it should be")  # expected where there is nothing to compare, only flaws to find

entries = partial(numbers, high=2.0)

# ---------------------------------------------------------------- putting a layer to work


def lacking(layer):
    """The methods of the protocol that an object does not have."""
    return [m for m in ("forward", "backward") if not callable(getattr(layer, m, None))]


def played(*calls):
    """Make calls (layer, method, array) in order; what the last one leaves behind.

    {"result", "grads"}, or {"raised": [type, text, line, function]} where one of them raises.
    """
    for layer, method, array in calls:
        try:
            result = getattr(layer, method)(array)
        except EngineOff:
            raise
        except Exception as error:
            return {"raised": list(raised(error, type(layer)))}
    return {"result": copied(result), "grads": copied(getattr(layer, "grads", None))}


def rounds(layer, another, x, signal):
    """What a layer gives in one round, and in three other rounds that must give the same.

    another(): a new layer that computes the same. signal(y): the upstream signal, or None where y
    is nothing that a signal could belong to.
    """
    if missing := lacking(layer):
        return {"missing": missing}
    first_x, other_x = x.copy(), 0.7 * x[::-1] + 0.2
    y = copied(layer.forward(x))
    grad = signal(y)
    if grad is None:
        return {"y": y}
    first_grad = grad.copy()
    found = {"y": y, "plain": played((layer, "backward", grad))}
    found["again"] = played((layer, "backward", first_grad.copy()))
    layer = another()
    found["second forward"] = played(
        (layer, "forward", other_x),
        (layer, "forward", first_x.copy()),
        (layer, "backward", first_grad.copy()),
    )
    layer = another()
    found["two layers"] = played(
        (layer, "forward", first_x.copy()),
        (another(), "forward", other_x),
        (layer, "backward", first_grad.copy()),
    )
    return found


# ---------------------------------------------------------------- reading what came back

# round: what is wrong if it does not give what the plain one gives, and what to do
MIXED = {
    "again": (
        "a second backward with the same signal gives another gradient than the first.",
        "let backward put each gradient in the place of the old one, and change nothing that "
        "forward has kept",
    ),
    "second forward": (
        "backward answers for an earlier forward, not for the last one.",
        "keep what backward needs anew in every forward",
    ),
    "two layers": (
        "a second layer of the same class changes what the first one has kept.",
        "keep it on the object, as `self.…`, not on the class and not in a global",
    ),
}


def require_methods(name, found):
    """Raise a Flaw if the object lacks a method of the protocol."""
    if missing := found.get("missing"):
        evidence = f"{name} has no method {' and no method '.join(missing)}."
        next_step = "define it inside the class, indented, under exactly this name"
        raise Flaw("not-implemented", evidence, next_step)


def value_in(found):
    """y, or the Flaw that says why there is none."""
    if found["y"] is None:
        return Flaw("none-returned", "forward returns nothing.", "end forward with a return of y")
    return found["y"]


def gradient_in(name, found, parameter=None):
    """∂L/∂x or grads[parameter] after the plain round, or the Flaw that says why it is missing."""
    plain = found["plain"]
    if "raised" in plain:
        return flaw_of_raised(name, Raised(*plain["raised"]))
    if parameter is None:
        if plain["result"] is None:
            advice = "end backward with a return of the gradient to the layer's input"
            return Flaw("none-returned", "backward returns nothing.", advice)
        return plain["result"]
    grads = plain["grads"]
    if grads is None:
        evidence = f"after backward there is no dict self.grads with the gradient to {parameter}."
    elif not isinstance(grads, dict):
        return Flaw("wrong-type", f"self.grads should be a dict, and is {describe(grads)}.")
    elif grads.get(parameter) is None:
        keys = listed(map(repr, grads)) if grads else "no keys"
        evidence = f"backward leaves no gradient in self.grads[{parameter!r}] (it has {keys})."
    else:
        return grads[parameter]
    advice = f'in backward, assign to self.grads["{parameter}"]'
    return Flaw("none-returned", evidence, advice)


def flaw_of_raised(name, told):
    kind, text, _, where = told
    if kind == "NotImplementedError":
        return Flaw("not-implemented", f"{where or name} still raises NotImplementedError.")
    advice = ERROR_ADVICE.get(kind)
    if kind == "AttributeError" and " has no attribute" in text:
        advice = "what backward needs, forward must keep: assign it to an attribute of self there"
    elif kind == "TypeError" and "positional argument" in text:
        advice = "the first parameter of a method is self; after it comes what the card says"
    elif kind == "ValueError" and any(sign in text for sign in SHAPE_ERRORS):
        advice = "print the shape of every factor in backward, and of what backward must return"
    return Flaw("raises", told.told_of(f"{name}.backward"), advice)


def apartness(found):
    """FINE's value, or the Flaw that says how one call has changed another."""
    if "raised" in found["plain"]:
        return FINE.value  # its own story, told of the gradient
    for name, (evidence, next_step) in MIXED.items():
        if name in found and not _alike(found["plain"], found[name]):
            if "raised" in found[name]:
                evidence = f"{evidence[:-1]} (it raises {found[name]['raised'][0]})."
            return Flaw("state-leak", evidence, next_step)
    return FINE.value


def _alike(a, b):
    if "raised" in b or not same(a["result"], b["result"]):
        return False
    if not isinstance(a["grads"], dict) or not isinstance(b["grads"], dict):
        return True  # nothing to compare, and its own story
    return a["grads"].keys() == b["grads"].keys() and all(
        same(a["grads"][name], b["grads"][name]) for name in a["grads"]
    )


def pulled(forward, x, grad):
    """The gradient to x of a function of one Tensor, by the engine, for the signal `grad`."""
    x = Tensor(x, requires_grad=True)
    forward(x).backward(grad)
    return x.grad


def through(value, slope):
    """A Tensor with the value of one Tensor and the gradient of another: a wrong derivative."""
    return slope + (value.detach() - slope.detach())


# ---------------------------------------------------------------- y = x³

cube_gradients = Gradients(
    lambda x: x**3,
    "x grad",
    "x",
    upstream="grad",
    pack=lambda y, grads: (y, grads["x"], FINE),
)
CUBE = ("y", "dL_dx", APART)


def drive_cube(answers, x, grad):
    return rounds(answers["Cube"](), answers["Cube"], x, lambda y: grad)


def read_cube(args, found):
    require_methods("Cube", found)
    yours = value_in(found), gradient_in("Cube", found), apartness(found)
    return yours, cube_gradients(*args)


def cube_slips(x, grad):
    y = value_of(lambda x: x**3, x)
    told = [
        (
            "the layer's output is used where its input belongs",
            pulled(lambda t: t**3, y, grad),
            "ask which array the slope is a function of, and keep that one in forward",
        ),
        (
            "the exponent is not lowered",
            pulled(lambda t: t**4 * 0.75, x, grad),
            "compare the slope with a nudge at x = 2",
        ),
        (
            "the exponent is lowered by one too many",
            pulled(lambda t: t**2 * 1.5, x, grad),
            "compare the slope with a nudge at x = 2",
        ),
        (
            "backward returns the layer's value times the signal, not its slope times the signal",
            grad * y,
            None,
        ),
        (
            "the slope is taken at the signal, not at the layer's input",
            pulled(lambda t: t**3, grad, np.ones_like(grad)),
            "backward is handed the signal, not x: what it needs of x, forward must keep",
        ),
    ]
    own = [Slip("wrong-value", words, {"dL_dx": dx}, advice) for words, dx, advice in told]
    square = value_of(lambda x: x**2, x)
    return [*own, Slip("wrong-value", "x is squared, not cubed", {"y": square})]


def with_graph(own, gradients, returns):
    """The slips of an exercise's own, then those that the engine's graph yields."""
    from_graph = gradients.slips(returns)
    return lambda *args: own(*args) + from_graph(*args)


def elementwise_case(name, rng, *shape, kind="fresh", note="", **sizes):
    """A call of an elementwise layer: x and a random signal of its shape."""
    return Case(name, (entries(rng, *shape, **sizes), entries(rng, *shape)), kind, note)


def cube_zeros(rng):
    x = entries(rng, 3, 4)
    x[0, 1] = x[2, 3] = x[1, 0] = 0.0
    return Case("Cube", (x, entries(rng, 3, 4)), "edge", "some entries are 0")


register(
    "cube_layer",
    LESSON,
    points=2,
    functions=[
        Function(
            "Cube",
            "x grad",
            CUBE,
            cube_gradients,
            with_graph(cube_slips, cube_gradients, CUBE),
            drive=drive_cube,
            reading=read_cube,
            batch="x",
            advice="run `gradcheck(Cube(), x)` on a small x of your own",
        )
    ],
    draw=lambda rng: [
        Case(
            "Cube",
            (np.array([[-2.0, 0.5, 3.0]]), np.array([[1.0, -4.0, 0.5]])),
            "worked",
        ),
        elementwise_case("Cube", rng, 4, 3),
        elementwise_case("Cube", rng, 2, 5),
        cube_zeros(rng),
        elementwise_case("Cube", rng, 3, 2, kind="edge", note="large inputs", low=300, high=900),
    ],
)


# ---------------------------------------------------------------- y = log(1 + eˣ)

EXTREMES = ("y at extremes", "dL_dx at extremes")
SOFTPLUS = ("y", "dL_dx", *EXTREMES, APART)
FAR = 500.0  # inputs beyond ±FAR, or below NEGATIVE, are extreme: there only a stable form survives
NEGATIVE = -25.0


def pack_softplus(y, grads):
    """In an ordinary case there is nothing at the extremes to compare."""
    return y, grads["x"], 0.0, 0.0, FINE


softplus_gradients = Gradients(
    lambda x: x.softplus(), "x grad", "x", upstream="grad", pack=pack_softplus
)


def drive_softplus(answers, x, grad):
    return rounds(answers["Softplus"](), answers["Softplus"], x, lambda y: grad)


def read_softplus(args, found):
    require_methods("Softplus", found)
    y, dx = value_in(found), gradient_in("Softplus", found)
    wanted_y, wanted_dx, *rest = softplus_gradients(*args)
    if np.max(args[0]) < FAR and np.min(args[0]) > NEGATIVE:
        return (y, dx, 0.0, 0.0, apartness(found)), (wanted_y, wanted_dx, *rest)
    far_y, far_dx = far_rows(y, wanted_y), far_rows(dx, wanted_dx)
    yours = wanted_y, wanted_dx, far_y, far_dx, FINE.value
    return yours, (wanted_y, wanted_dx, wanted_y[1:], wanted_dx[1:], FINE)


def far_rows(yours, wanted):
    """The extreme rows of a result, all but the first. If the ordinary first row is wrong already,
    the ordinary cases tell why, and the extremes have nothing to add."""
    comparable = isinstance(yours, np.ndarray) and yours.dtype == wanted.dtype
    if comparable and yours.shape == wanted.shape and agree_to_rounding(yours[:1], wanted[:1]):
        return yours[1:]
    return wanted[1:]


def softplus_slips(x, grad):
    y, turned = value_of(lambda t: t.softplus(), x), value_of(lambda t: (-t).softplus(), x)
    told = [
        (
            "the slope is taken at −x",
            pulled(lambda t: -(-t).softplus(), x, grad),
            "put a large x in: is the curve steep there or flat?",
        ),
        (
            "the slope is differentiated once more",
            pulled(lambda t: t.sigmoid(), x, grad),
            "differentiate log(1 + eˣ) once, and stop",
        ),
        (
            "the slope is taken at the layer's output instead of its input",
            pulled(lambda t: t.softplus(), y, grad),
            "ask which array the slope is a function of, and keep that one in forward",
        ),
        (
            "backward returns the layer's value times the signal, not its slope times the signal",
            grad * y,
            None,
        ),
        (
            "the inner derivative, that of eˣ, is left out",
            pulled(lambda t: through(t.softplus(), -((-t).exp() + 1).log()), x, grad)
            * value_of(lambda t: (-t).exp(), x),
            "two gates: differentiate the logarithm, then multiply by the slope of what is in it",
        ),
    ]
    own = [Slip("wrong-value", words, {"dL_dx": dx}, advice) for words, dx, advice in told]
    relu = value_of(lambda t: t.relu(), x)
    values = [
        ("the sign of x is turned", turned, None),
        ("the corner is sharp: that is ReLU", relu, "put x = 0 in: log 2, not 0"),
    ]
    return own + [Slip("wrong-value", words, {"y": v}, advice) for words, v, advice in values]


def softplus_extreme(rng, low, high, note, signs=(-1.0, 1.0)):
    """A first row of ordinary numbers, then rows between low and high, of these signs."""
    x = np.concatenate(
        [entries(rng, 1, 3), rng.uniform(low, high, (2, 3)) * rng.choice(signs, (2, 3))]
    )
    x[1, :2] = np.abs(x[1, :2]) * [signs[0], signs[-1]]
    return Case("Softplus", (x, entries(rng, 3, 3)), "extreme", note)


def softplus_extremes(rng):
    return [
        softplus_extreme(rng, 900.0, 1100.0, "x around ±1000"),
        softplus_extreme(
            rng,
            40.0,
            42.0,
            "x around −40, where the result is tiny, not 0, and easily swallowed",
            (-1.0,),
        ),
    ]


def softplus_large(rng):
    """Inputs around 200: no overflow yet, and too large for a difference quotient."""
    return elementwise_case(
        "Softplus", rng, 3, 2, kind="edge", note="x between 100 and 300", low=100.0, high=300.0
    )


def positive(case):
    x, grad = case.args
    return Case(case.function, (np.abs(x), grad), case.kind, case.note)


register(
    "softplus_layer",
    LESSON,
    points=3,
    functions=[
        Function(
            "Softplus",
            "x grad",
            SOFTPLUS,
            softplus_gradients,
            with_graph(softplus_slips, softplus_gradients, SOFTPLUS),
            drive=drive_softplus,
            reading=read_softplus,
            batch="x",
            advice="run `gradcheck(Softplus(), x)` on a small x of your own",
        )
    ],
    draw=lambda rng: [
        Case(
            "Softplus",
            (np.array([[-1.0, 0.0, 2.0]]), np.array([[2.0, 1.0, -3.0]])),
            "worked",
        ),
        elementwise_case("Softplus", rng, 4, 3),
        elementwise_case("Softplus", rng, 2, 5, high=4.0),
        positive(softplus_large(rng)),
        *softplus_extremes(rng),
    ],
)


# ---------------------------------------------------------------- the wacky one


def neighbours(m, step=1):
    """For each of m columns its neighbour's number; the last one's neighbour is the first."""
    return [(i + step) % m for i in range(m)]


def wacky(W, X):
    """v = X Wᵀ, y[:, i] = sin(v[:, i]) · v[:, (i+1) % m]."""
    v = X @ W.T
    return v.sin() * v[:, neighbours(v.shape[1])]


PARAMETER = "W in params"
WACKY = ("y", "dL_dX", "dL_dW", PARAMETER, APART)


def pack_wacky(y, grads):
    return y, grads["X"], grads["W"], FINE, FINE


wacky_gradients = Gradients(wacky, "W X grad", "W X", upstream="grad", pack=pack_wacky)


def drive_wacky(answers, W, X, grad):
    own = W.copy()
    layer = answers["Wacky"](W)
    first_X, first_grad = X.copy(), grad.copy()
    found = rounds(layer, lambda: answers["Wacky"](own.copy()), X, lambda y: grad)
    if "missing" in found:
        return found
    # Another layer, whose parameter is moved to W afterwards, as training moves it.
    layer = answers["Wacky"](0.5 * own + 0.25)
    params = getattr(layer, "params", None)
    found["params"] = copied(params)
    W_in_params = params.get("W") if isinstance(params, dict) else None
    if isinstance(W_in_params, np.ndarray) and W_in_params.shape == own.shape:
        W_in_params[...] = own
        found["moved"] = {
            "y": played((layer, "forward", first_X)),
            "dX": played((layer, "backward", first_grad)),
        }
    return found


def read_wacky(args, found):
    require_methods("Wacky", found)
    yours = (
        value_in(found),
        gradient_in("Wacky", found),
        gradient_in("Wacky", found, "W"),
        parameter_in(args[0], found),
        apartness(found),
    )
    return yours, wacky_gradients(*args)


def parameter_in(W, found):
    """FINE's value, or the Flaw in how the layer holds its parameter."""
    params = found["params"]
    step = 'in __init__: self.params = {"W": W}'
    if params is None:
        return Flaw("no-parameter", "Wacky has no dict self.params.", step)
    if not isinstance(params, dict):
        return Flaw("wrong-type", f"self.params should be a dict, and is {describe(params)}.", step)
    if "W" not in params:
        keys = listed(map(repr, params)) if params else "no keys"
        return Flaw("no-parameter", f'self.params has no key "W" (it has {keys}).', step)
    given = 0.5 * W + 0.25
    if not isinstance(params["W"], np.ndarray) or not same(params["W"], given):
        return Flaw("no-parameter", 'self.params["W"] is not the W that Wacky was given.', step)
    moved = found.get("moved", {})
    pairs = [(found["y"], moved["y"].get("result"))] if moved else []
    if moved and "raised" not in found["plain"]:
        pairs.append((found["plain"]["result"], moved["dX"].get("result")))
    if not pairs or not all(same(a, b) for a, b in pairs):
        return Flaw(
            "no-parameter",
            'the layer goes on computing with the old W after self.params["W"] has changed.',
            'training changes the array in self.params: use self.params["W"] in forward and '
            "backward, or keep that very array, not a copy",
        )
    return FINE.value


def wacky_slips(W, X, grad):
    """Backward passes with one slip, as the engine runs them; forward ones at the end."""
    m = len(W)
    if m == 1:
        return []  # most of them are no slips there
    next_to, before = neighbours(m), neighbours(m, -1)
    first = np.arange(m) == 0

    def slip(cause, words, forward, next_step=None):
        W_, X_ = Tensor(W, requires_grad=True), Tensor(X, requires_grad=True)
        forward(X_ @ W_.T).backward(grad)
        zero = {"dL_dW": np.zeros_like(W), "dL_dX": np.zeros_like(X)}
        parts = {"dL_dX": X_.grad, "dL_dW": W_.grad}
        parts = {k: zero[k] if g is None else g for k, g in parts.items()}
        return Slip(cause, words, parts, next_step)

    def still(v):
        return v.detach()

    def partly(v, mask):
        """v, whose gradient arrives only in some columns."""
        return v * mask + v.detach() * (1.0 - mask)

    twice = "every v is used twice: list both uses of v[:, i], and add up what comes back"
    way_back = "the signal goes back to the column that the value came from: which one was it?"
    found = [
        slip(
            "missing-path",
            "only the way through the sine is followed back, not the one to the neighbour",
            lambda v: v.sin() * still(v)[:, next_to],
            twice,
        ),
        slip(
            "missing-path",
            "only the way to the neighbour is followed back, not the one through the sine",
            lambda v: still(v).sin() * v[:, next_to],
            twice,
        ),
        slip(
            "overwrite-not-accumulate",
            "in a loop over the columns the later assignment replaces the earlier one",
            lambda v: partly(v, 1.0 * ~first).sin() * partly(v, 1.0 * first)[:, next_to],
            twice,
        ),
        slip(
            "wrong-value",
            "what comes back from the neighbour is put into the column it was multiplied with",
            lambda v: v.sin() * through(still(v)[:, next_to], v),
            way_back,
        ),
        slip(
            "wrong-value",
            "what comes back from the neighbour is shifted in the wrong direction",
            lambda v: v.sin() * through(still(v)[:, next_to], v[:, before]),
            way_back,
        ),
        slip(
            "wrong-value",
            "the sine is moved to the neighbour's column, and the signal that belongs to it is not",
            lambda v: v.sin() * still(v)[:, next_to] + v * still(v.sin()[:, before]),
            "take one row of three: which entry of grad meets which sine on the way to v[:, 1]?",
        ),
        slip(
            "wrong-value",
            "the sine's own value is used where its local derivative belongs",
            lambda v: through(v.sin(), -v.cos()) * v[:, next_to],
            "which function is the slope of the sine?",
        ),
        slip(
            "missing-local",
            "the local derivative of the sine is left out",
            lambda v: through(v.sin(), v) * v[:, next_to],
        ),
        slip(
            "sign",
            "the local derivative of the sine has its sign turned",
            lambda v: through(v.sin(), -v.sin()) * v[:, next_to],
        ),
        slip(
            "wrong-value",
            "the sine's local derivative is taken at the neighbour",
            lambda v: through(v.sin(), v * still(v[:, next_to].cos())) * v[:, next_to],
            "the slope of a function belongs to the place where the function was taken",
        ),
    ]
    found.append(
        Slip(
            "wrong-value",
            "the signal at y is used where the signal at V belongs",
            {"dL_dW": grad.T @ X, "dL_dX": grad @ W},
            "the linear layer's output is V: find the gradient to V first, and go on from there",
        )
    )
    v = X @ W.T
    for words, y in [
        ("each sine is multiplied by its own v, not by the neighbour's", np.sin(v) * v),
        ("the neighbour on the other side is taken", np.sin(v) * v[:, before]),
        ("the sine is taken of the neighbour, not of v itself", np.sin(v[:, next_to]) * v),
        (
            "the last column takes itself as its neighbour, not the first one",
            np.sin(v) * v[:, [*range(1, m), m - 1]],
        ),
        ("cosine and sine are mixed up", np.cos(v) * v[:, next_to]),
    ]:
        found.append(Slip("wrong-value", words, {"y": y}))
    return found


def wacky_case(rng, N, n, m, kind="fresh", note="", spread=1.0):
    """W (m, n), X (N, n) and a signal (N, m). spread: X is larger, and W smaller, by this much."""
    W = entries(rng, m, n, high=1.2) / spread
    return Case("Wacky", (W, entries(rng, N, n) * spread, entries(rng, N, m)), kind, note)


WACKY_WORKED = (
    np.array([[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]]),
    np.array([[1.0, 2.0], [-1.0, 0.5]]),
    np.array([[1.0, -2.0, 0.5], [0.5, 1.0, -1.0]]),
)

register(
    "wacky_layer",
    LESSON,
    points=6,
    functions=[
        Function(
            "Wacky",
            "W X grad",
            WACKY,
            wacky_gradients,
            with_graph(wacky_slips, wacky_gradients, WACKY),
            drive=drive_wacky,
            reading=read_wacky,
            batch="X",
            advice="run `gradcheck(Wacky(W), X)` with a W of three rows, and look at one column",
        )
    ],
    draw=lambda rng: [
        Case("Wacky", WACKY_WORKED, "worked"),
        wacky_case(rng, 5, 3, 4),
        wacky_case(rng, 3, 4, 2),
        wacky_case(rng, 4, 2, 5),
        wacky_case(rng, 1, 3, 4, "single", "one example"),
        wacky_case(rng, 4, 3, 1, "edge", "m = 1, where v is its own neighbour"),
        wacky_case(rng, 3, 4, 5, "edge", "X is large, W small", spread=1e3),
    ],
)


# ---------------------------------------------------------------- a network with a Wacky in it


class WackyByEngine(Layer):
    """The wacky layer, differentiated by the engine. It stands in for the student's own while
    `make_network` is tried, so that a slip in one exercise costs nothing in the next."""

    def __init__(self, W):
        self.W = Tensor(W, requires_grad=True)
        self.W.name = "W"

    def __call__(self, x):
        return wacky(self.W, x if isinstance(x, Tensor) else Tensor(x))


WackyByEngine.__name__ = "Wacky"

# How much of the loss one step should take away, were the loss a straight slope. Steps measured so
# suit networks of any size and any weights; a fixed learning rate would not.
FRACTIONS = (0.1, 0.01, 0.001)
STEPS = 15


def task(widths, seed):
    """A small regression task for a network of these widths: X and the wanted outputs."""
    rng = np.random.default_rng([seed, 1])
    return rng.normal(size=(12, widths[0])), 1.0 + rng.normal(size=(12, widths[-1]))


def drive_network(answers, widths, seed):
    make = answers["make_network"]
    asked = list(widths)
    with lent(getattr(make, "__globals__", {})):
        net = make(widths, np.random.default_rng(seed))
        if not isinstance(net, Sequential):
            return {"kind": describe(net)}
        twin = make(list(asked), np.random.default_rng(seed))
        other = make(list(asked), np.random.default_rng(seed + 1))
        return {
            "layers": portrait(net),
            "twin": portrait(twin),
            "other": portrait(other),
            "training": training(net, *task(asked, seed)),
        }


@contextlib.contextmanager
def lent(space):
    """Within the globals `space` of a function, Wacky is the engine's, and the names of the kit are
    there that the lesson's first cell has imported."""
    before = dict(space)
    space["Wacky"] = WackyByEngine
    for kind in (Linear, ReLU, Sequential):
        space.setdefault(kind.__name__, kind)
    try:
        yield
    finally:
        for name in ("Wacky", "Linear", "ReLU", "Sequential"):
            space.pop(name, None)
            if name in before:
                space[name] = before[name]


def portrait(net):
    """[{"kind", "params", "frozen"}] of a Sequential's layers; () for what is none."""
    if not isinstance(net, Sequential):
        return []
    found = []
    for stage, layer in zip(net._stages, net.layers, strict=True):
        named = stage.named_parameters()
        kit = isinstance(layer, Layer)
        kind = type(layer).__name__ if kit else f"your {described(layer)}"
        found.append(
            {
                "kind": kind,
                "params": {name: p.data.copy() for name, p in named.items()},
                "frozen": [name for name, p in named.items() if not p.requires_grad],
            }
        )
    return found


def squared_error(output, wanted):
    """The mean squared error; shapes that only broadcast do not count as equal."""
    if output.shape != wanted.shape:
        raise ValueError(f"the outputs have shape {output.shape}, and should have {wanted.shape}")
    return ((output - wanted) ** 2).mean()


@np.errstate(all="ignore")  # numbers may well overflow
def training(net, X, wanted):
    """{"outputs", "losses": one list for each fraction}, or {"raised"} where net does not run.

    net: anything that maps a Tensor to a Tensor and has parameters().
    """
    try:
        start = [p.data.copy() for p in net.parameters()]
        found = {"outputs": net(Tensor(X)).data.copy(), "losses": []}
        for fraction in FRACTIONS:
            for p, array in zip(net.parameters(), start, strict=True):
                p.data[...] = array
            found["losses"].append(descent(net, X, wanted, fraction))
        return found
    except Exception as error:
        return {"raised": list(raised(error, type(net)))}


def descent(net, X, wanted, fraction):
    """The losses of a few steps of gradient descent, none of them further than `fraction` says."""
    losses = []
    for step in range(STEPS + 1):
        for p in net.parameters():
            p.zero_grad()
        loss = squared_error(net(Tensor(X)), wanted)
        losses.append(loss.item())
        if step < STEPS and loss.requires_grad:
            loss.backward()
            moving = [p for p in net.parameters() if p.grad is not None]
            steepness = sum(float(np.sum(p.grad**2)) for p in moving)
            for p in moving:
                p.data -= fraction * losses[-1] / (steepness or 1.0) * p.grad
    return losses


class Rebuilt:
    """A network made again from its portrait, with the engine alone."""

    KINDS = ("Linear", "Wacky", "ReLU", "Sigmoid", "Softplus", "your Cube", "your Softplus")

    def __init__(self, layers):
        self.layers = [
            (layer["kind"], {name: Tensor(a, True) for name, a in layer["params"].items()})
            for layer in layers
        ]

    def parameters(self):
        return [p for _, params in self.layers for p in params.values()]

    def __call__(self, x):
        for kind, params in self.layers:
            if kind == "Linear":
                x = x @ params["W"].T
                x = x + params["b"] if "b" in params else x
            elif kind == "Wacky":
                x = wacky(params["W"], x)
            elif kind == "your Cube":
                x = x**3
            else:
                x = getattr(x, kind.removeprefix("your ").lower())()
        return x


NETWORK = ("layers", "weights from rng", "it trains")


def read_network(args, found):
    widths, seed = args
    if "kind" in found:
        evidence = f"make_network should return a Sequential, and returns {found['kind']}."
        advice = "from backprop_kit import Sequential; return Sequential(first, second, …)"
        raise Flaw("wrong-type", evidence, advice)
    yours = (
        layers_as_asked(found["layers"], widths),
        drawn_from_rng(found["layers"], found["twin"], found["other"]),
        trains(found["layers"], found["training"], widths, seed),
    )
    return tuple(flaw or FINE.value for flaw in yours), (FINE, FINE, FINE)


def layers_as_asked(layers, widths):
    """None, or the Flaw in which layers there are."""
    shapes = [layer["params"]["W"].shape for layer in layers if layer["kind"] == "Linear"]
    kinds = listed(layer["kind"] for layer in layers) or "nothing"
    if len(shapes) != len(widths) - 1:
        evidence = f"for {len(widths)} widths there are {len(shapes)} Linear layers ({kinds})."
        return Flaw("wrong-shape", evidence, "one Linear for each pair of neighbouring widths")
    for number, (shape, (n, m)) in enumerate(zip(shapes, pairwise(widths), strict=True), 1):
        if shape != (m, n):
            evidence = f"Linear layer {number} goes from {shape[1]} to {shape[0]}, not {n} to {m}."
            return Flaw("wrong-shape", evidence, "go through widths pair by pair, in order")
    if not any(layer["kind"] == "Wacky" for layer in layers):
        evidence = f"there is no Wacky among the layers ({kinds})."
        return Flaw("wrong-value", evidence, "put a Wacky(W) between two Linear layers")
    return None


def drawn_from_rng(layers, twin, other):
    """None, or the Flaw in where the weights come from."""
    advice = "give rng to every Linear, and draw each W of a Wacky with rng.normal"

    def weights(portrait):
        return [
            (f"the {name} of layer {i} ({layer['kind']})", array)
            for i, layer in enumerate(portrait, 1)
            for name, array in layer["params"].items()
            if array.ndim == 2
        ]

    if not weights(layers):
        return Flaw("no-parameter", "there are no weights at all.", advice)
    mine, again, others = weights(layers), weights(twin), weights(other)
    if not len(mine) == len(again) == len(others):
        return Flaw("state-leak", "two calls make networks of different depth.", advice)
    for (name, a), (_, b) in zip(mine, again, strict=True):
        if not same(a, b):
            evidence = f"two rngs with one seed give two different networks: {name} differs."
            return Flaw("wrong-value", evidence, advice)
    for (name, a), (_, b) in zip(mine, others, strict=True):
        if same(a, b):
            evidence = f"{name} is the same whatever rng is given."
            return Flaw("hard-coded", evidence, advice)
    return None


def trains(layers, seen, widths, seed):
    """None, or the Flaw in how the network runs and learns."""
    if "raised" in seen:
        kind, text, *_ = seen["raised"]
        evidence = f"the network cannot be run forward and backward: {kind}: {text.rstrip('.')}."
        return Flaw(
            "raises", evidence, "a Wacky must take as many columns as the layer before gives"
        )
    if frozen := [name for layer in layers for name in layer["frozen"]]:
        return Flaw(
            "wrong-value", f"{listed(sorted(set(frozen)))} is frozen.", "unfreeze all layers"
        )
    losses = np.array(seen["losses"], float)
    if losses.shape != (len(FRACTIONS), STEPS + 1):
        return Flaw("wrong-type", "the losses of training could not be read.")
    if all(layer["kind"] in Rebuilt.KINDS for layer in layers):
        again = training(Rebuilt(layers), *task(widths, seed))
        if "raised" in again or not same(seen["outputs"], again["outputs"]):
            return Flaw("wrong-value", "its outputs are not what its layers and weights give.")
        small = np.abs(again["losses"][-1]).max() < 1e6
        if small and not np.allclose(losses[-1], again["losses"][-1], rtol=1e-6, atol=0):
            return Flaw("wrong-value", "its losses are not what its layers and weights give.")
    if not np.any(losses[:, -1] < (1 - 1e-3) * losses[:, 0]):
        evidence = "gradient descent does not bring its loss down, however small the steps are."
        advice = "does a gradient reach every layer? Look for weights that are 0 and layers in vain"
        return Flaw("wrong-value", evidence, advice)
    return None


register(
    "use_it",
    LESSON,
    points=3,
    functions=[
        Function(
            "make_network",
            "widths seed",
            NETWORK,
            drive=drive_network,
            reading=read_network,
        )
    ],
    draw=lambda rng: [
        Case("make_network", ([2, 8, 1], 0), "worked"),
        Case("make_network", ([3, 4, 5, 2], int(rng.integers(1000)))),
        Case("make_network", ([4, 3, 2], int(rng.integers(1000)))),
    ],
    by_hand=False,
)


# ---------------------------------------------------------------- a layer of the student's own

MOST = 1500  # entries of all parameters together: each of them is nudged
OWN = "a layer of your own"
SIZES = "other sizes"
MY_LAYER = ("dL_dx", "dL_dparams", OWN, APART, SIZES)


class Recorder(OfLayer):
    """A layer under gradcheck, of which every value and every gradient is written down."""

    def __init__(self, layer, x):
        super().__init__(layer, x)
        self.start = {name: array.copy() for name, array in self.arrays.items()}
        self.values, self.answers = [], []

    def value(self):
        value = super().value()
        self.values.append(copied(value))
        return value

    def gradients(self, upstream):
        answer = super().gradients(upstream)
        self.answers.append(copied(answer))
        return answer


class Replay(Subject):
    """What a `Recorder` has written down, read again in the same order."""

    def __init__(self, start, values, answers):
        self.arrays = {name: np.array(array, float) for name, array in start.items()}
        self.names, self.notes = list(self.arrays), []
        self.fixed = [("x", None)]
        self.values, self.answers = iter(values), iter(answers)

    def value(self):
        return next(self.values)

    def gradients(self, upstream):
        return next(self.answers)


RTOL, CHECK_SEED = 1e-6, 3


def drive_my_layer(answers, n, x, signal, seed):
    """Everything about MyLayer(n) on x: its rounds, its values where gradcheck looks, and far away.

    signal: a long row of numbers, of which the upstream signal is made in the shape of y. As it is
    a view of the argument, a layer that edits its signal is noticed.
    """
    make = answers["MyLayer"]
    usual = n == 3 and len(x) > 1
    try:
        found = _drive_my_layer(make, n, x, signal, np.random.default_rng(seed))
    except EngineOff:
        raise
    except Exception as error:
        if usual or not works_as_usual(make):
            raise
        found = {"raised": list(raised(error, make))}
    return found if usual else found | {"works as usual": works_as_usual(make)}


def works_as_usual(make):
    """Whether a layer for three columns takes several rows forward and backward at all."""
    x = entries(np.random.default_rng(0), 4, 3)
    try:
        layer = make(3)
        dx = layer.backward(np.ones_like(layer.forward(x.copy())))
        return np.shape(dx) == x.shape
    except Exception:
        return False


def _drive_my_layer(make, n, x, signal, rng):
    layer = make(n)
    if missing := lacking(layer):
        return {"missing": missing}
    params = getattr(layer, "params", None)
    found = {"params": copied(params)}
    if params and (not isinstance(params, dict) or unfit(params)):
        return found
    move(params or {}, rng)
    try:
        pristine = copy.deepcopy(layer)
    except Exception:  # a layer may hold what cannot be copied; then calls are not told apart
        pristine = None
    other = layer if pristine is None else copy.deepcopy(pristine)
    start = x.copy()

    def upstream(y):
        if not sound(y):
            return None
        fits = y.size <= signal.size
        return signal[: y.size].reshape(y.shape) if fits else np.resize(signal, y.shape)

    if pristine is not None:
        found |= rounds(layer, lambda: copy.deepcopy(pristine), x, upstream)
    else:
        found["y"] = copied(layer.forward(x))
        if sound(found["y"]):
            found["plain"] = played((layer, "backward", upstream(found["y"])))
    if not sound(found["y"]) or "raised" in found["plain"]:
        return found
    layer = other
    recorder = Recorder(layer, start)
    held_against_differences(recorder, None, RTOL, CHECK_SEED)
    found["check"] = [recorder.start, recorder.values, recorder.answers]
    found["line"] = [
        [copied(layer.forward(start + t * far)) for t in (0.0, 1.0, 2.0)]
        for far in 2.0 * rng.normal(size=(4, *start.shape))
    ]
    many = 1.5 * rng.normal(size=(24, n))
    found["many"] = [many, copied(layer.forward(many.copy()))]
    if params:
        move(layer.params, rng)
        found["many"].append(copied(layer.forward(many.copy())))
    return found


def unfit(params):
    """Why parameters cannot be nudged, as a Flaw; None if they can."""
    total = 0
    for name, value in params.items():
        array = value if isinstance(value, np.ndarray) else None
        if array is None and not is_number(value):
            evidence = f"self.params[{name!r}] should be an array, and is {describe(value)}."
            return Flaw("wrong-type", evidence)
        if array is not None and array.dtype != np.float64:
            evidence = f"self.params[{name!r}] holds {array.dtype}, and parameters are float64."
            return Flaw("wrong-type", evidence, "build the array from floats: np.ones, np.zeros …")
        total += 1 if array is None else array.size
    if total > MOST:
        evidence = f"it has {total} parameters, and each of them is nudged."
        return Flaw("wrong-shape", evidence, f"keep it smaller: at most {MOST} numbers in params")
    return None


def move(params, rng):
    """Move each parameter a little, so that a start of all zeros or ones hides nothing."""
    for name, value in params.items():
        size = np.where(np.asarray(value) == 0, 0.5, np.abs(value))
        moved = value + 0.2 * size * rng.uniform(-1.0, 1.0, np.shape(value))
        if isinstance(value, np.ndarray):
            value[...] = moved
        else:
            params[name] = moved


def sound(y):
    """Whether y is an array of finite float64 numbers."""
    array = isinstance(y, np.ndarray) and y.dtype == np.float64 and y.size > 0
    return array and bool(np.isfinite(y).all())


@np.errstate(all="ignore")
def read_my_layer(args, found):
    n, x, *_ = args
    main = n == 3 and len(x) > 1
    fine = (FINE.value,) * len(MY_LAYER)
    wanted = (FINE,) * len(MY_LAYER)
    require_methods("MyLayer", found)
    if not main and (flaw := misfit_of_size(n, x, found)):
        # What is wrong for the usual size as well is told by the other cases.
        return (*fine[:-1], flaw if found["works as usual"] else FINE.value), wanted
    if found["params"] is not None and not isinstance(found["params"], dict):
        evidence = f"self.params should be a dict, and is {describe(found['params'])}."
        raise Flaw("wrong-type", evidence, 'write self.params = {"a": an_array}')
    if flaw := unfit(found["params"] or {}):
        raise flaw
    if flaw := unsound(found["y"]):
        raise flaw
    if "raised" in found["plain"]:
        flaw = flaw_of_raised("MyLayer", Raised(*found["plain"]["raised"]))
        return (flaw, flaw, *fine[2:]), wanted
    start, values, answers = found["check"]
    report = held_against_differences(Replay(start, values, answers), None, RTOL, CHECK_SEED)
    if not report.judged:
        raise Flaw(
            "state-leak",
            "forward gives another result when it is called again on the same x, so no gradient "
            "can be checked against it.",
            "draw random numbers in __init__, once, and not in forward; keep no count of calls",
        )
    to_x = gradient_in("MyLayer", found)
    to_x = to_x if isinstance(to_x, Flaw) else flaw_of_verdict(report["x"]) or FINE.value
    to_params = parameters_verdict(found, report)
    own = FINE.value
    if main:
        own = novelty(found, start) or FINE.value
        if useless(report, found):
            own = to_params = no_parameter(found["params"])
    elif isinstance(to_params, Flaw) and useless(report, found):
        to_params = FINE.value  # told by the other cases
    return (to_x, to_params, own, apartness(found), FINE.value), wanted


def misfit_of_size(n, x, found):
    """The Flaw of a layer that works for three columns and several rows, and not for this x."""
    what = f"an x of shape {x.shape}" + ("" if n == 3 else f" (n = {n})")
    advice = "use n from __init__ and x.shape, never the number 3 and never a fixed number of rows"
    if "raised" in found:
        kind, text, *_ = found["raised"]
        return Flaw("raises", f"for {what} it raises {kind}: {text}.", advice)
    if "raised" in (found.get("plain") or {}):
        kind, text, *_ = found["plain"]["raised"]
        return Flaw("raises", f"for {what} backward raises {kind}: {text}.", advice)
    if "check" not in found:
        return Flaw("non-finite", f"for {what} forward gives no array of finite numbers.", advice)
    dx = found["plain"]["result"]
    if isinstance(dx, np.ndarray) and dx.shape != x.shape:
        return Flaw("wrong-shape", f"for {what} backward returns {describe(dx)}.", advice)
    return None


def unsound(y):
    """The Flaw of a forward that gives nothing one could differentiate, else None."""
    if y is None:
        return Flaw("none-returned", "forward returns nothing.", "end forward with a return of y")
    if not isinstance(y, np.ndarray):
        return Flaw("wrong-type", f"forward should return an array, and returns {describe(y)}.")
    if y.dtype != np.float64:
        return Flaw("wrong-type", f"forward returns an array of {y.dtype}, and layers use float64.")
    if not sound(y):
        advice = "inputs can be any numbers, negative ones too: which step cannot take them?"
        return Flaw("non-finite", "forward gives nan or inf for ordinary inputs.", advice)
    return None


def flaw_of_verdict(verdict):
    """What gradcheck says of one gradient, as a Flaw; None if it agrees."""
    if verdict.ok:
        return None
    return Flaw(verdict.cause, verdict.evidence, verdict.next_step)


def parameters_verdict(found, report):
    """FINE's value, or the Flaw of the first parameter whose gradient is wrong."""
    for name in report.arguments:
        if name == "x":
            continue
        given = gradient_in("MyLayer", found, name)
        flaw = given if isinstance(given, Flaw) else flaw_of_verdict(report[name])
        if flaw:
            return flaw
    return FINE.value


def useless(report, found):
    """Whether no parameter changes what the layer computes: neither for x, nor for many rows, where
    one shows that only some numbers meet."""
    slopes = [verdict.numeric for name, verdict in report.arguments.items() if name != "x"]
    _, y, *moved = found["many"]
    return not any(np.any(np.abs(slope) > 1e-9) for slope in slopes) and all(
        same(y, other) for other in moved
    )


def no_parameter(params):
    if params:
        return Flaw(
            "no-parameter",
            f"nothing in self.params ({listed(map(repr, params))}) changes what forward computes.",
            "let forward read its numbers from self.params, each time it is called",
        )
    return Flaw("no-parameter", "self.params is missing or empty.")


@np.errstate(all="ignore")
def novelty(found, start):
    """None, or the Flaw of a layer that is linear, or that the course has already."""
    bent = 0.0
    for below, here, above in found["line"]:
        if sound(below) and sound(here) and sound(above):
            size = max(np.max(np.abs(a)) for a in (below, here, above))
            bent = max(bent, np.max(np.abs(above - 2 * here + below)) / (size or 1.0))
    if bent < 1e-9:
        return Flaw("linear", "equal steps of x give equal steps of y, wherever one stands.")
    x, y, *_ = found["many"]
    if sound(y) and (name := known_layer(x, y, start)):
        evidence = f"it computes what {name} computes, up to factors and added numbers."
        raise Flaw("copied-layer", evidence)
    return None


def known_layer(x, y, params):
    """The name of a layer of the course that gives y, or None.

    Its input may be x itself, x times a parameter, or x in a product with one, with another
    parameter added; its output may be scaled and shifted, each column for itself.
    """
    m = y.shape[-1] if y.ndim == 2 else 0
    params = [np.asarray(p) for name, p in params.items() if name != "x"]
    inputs = [x]
    for p in params:
        if p.ndim == 2 and p.shape[1] == x.shape[1] and p.shape[0] > 1:
            inputs.append(x @ p.T)
        if p.ndim == 2 and p.shape[0] == x.shape[1]:
            inputs.append(x @ p)
        if p.size == 1 or p.size == x.shape[1]:
            inputs.append(x * p.reshape(-1))
    inputs += [z + p.reshape(-1) for z in inputs for p in params if p.size in (1, z.shape[1])]
    for z in inputs:
        if z.shape[1] != m:
            continue
        for name, forward in COURSE.items():
            if affine(value_of(forward, z), y):
                return name
    return None


COURSE = {
    "Cube": lambda z: z**3,
    "Softplus": lambda z: z.softplus(),
    "Wacky": lambda z: z.sin() * z[:, neighbours(z.shape[1])],
    "ReLU": lambda z: z.relu(),
    "Sigmoid": lambda z: z.sigmoid(),
}


def affine(a, b):
    """Whether each column of b is a multiple of the same column of a, plus a constant."""
    if not np.isfinite(a).all():
        return False
    centred_a, centred_b = a - a.mean(axis=0), b - b.mean(axis=0)
    length = (centred_a**2).sum(axis=0)
    slope = (centred_a * centred_b).sum(axis=0) / np.where(length == 0, 1.0, length)
    off = np.abs(centred_b - slope * centred_a).max(axis=0)
    size = np.abs(centred_b).max(axis=0)
    return bool(np.all(off <= 1e-9 * size) and np.any(size > 0))


def my_layer_case(rng, n, N, kind="fresh", note=""):
    def both_signs(x):
        return N == 1 or bool(((x > 0).any(axis=0) & (x < 0).any(axis=0)).all())

    signal = entries(rng, 400)
    (x,) = until(rng, lambda rng: (entries(rng, N, n),), both_signs)
    return Case("MyLayer", (n, x, signal, int(rng.integers(10**6))), kind, note)


register(
    "my_layer",
    LESSON,
    points=4,
    functions=[
        Function(
            "MyLayer",
            "n x signal seed",
            MY_LAYER,
            drive=drive_my_layer,
            reading=read_my_layer,
            advice="run `print(gradcheck(MyLayer(3), x))` on a small x: it shows the worst entry",
        )
    ],
    draw=lambda rng: [
        my_layer_case(rng, 3, 4, "worked"),
        my_layer_case(rng, 3, 6),
        my_layer_case(rng, 5, 3),
        my_layer_case(rng, 3, 1, "single", "one example"),
    ],
    by_hand=False,
)
