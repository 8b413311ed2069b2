"""Derivatives by finite differences: move one entry at a time, and watch what comes out.

`numerical_gradient` is the plain one, for everybody. `Slopes` is what gradcheck holds gradients
against: it also knows how exact each entry is, and tells a kink from noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from backprop_kit.engine.tensor import Tensor, as_data, require_engine

if TYPE_CHECKING:
    from backprop_kit.engine.tensor import Array, Operand

EPSILON = np.finfo(np.float64).eps


def numerical_gradient(
    f: Callable, A: Operand, h: float = 1e-5, complex_step: bool = False
) -> Array:
    """∂f/∂A by central differences: (f(A + h) − f(A − h)) / 2h, one entry of A at a time.

    f             takes an array of A's shape and returns one number (or a Tensor of one entry)
    A             an array of any shape, or a number; it is not changed
    complex_step  Im f(A + ih)/h instead: no subtraction, so no digits are lost. Only for an f made
                  of complex-differentiable steps (no abs, max, comparison or conjugate).

    Returns an array of A's shape (np.float64 for a number). Raises ValueError if f does not return
    one number, or does not carry a complex step through.
    """
    require_engine()
    A = np.array(as_data(A.data if isinstance(A, Tensor) else A))
    grad = np.empty(A.shape)
    if complex_step:
        h = 1e-30
        A = A.astype(complex)
    for index in np.ndindex(A.shape):
        kept = A[index]
        if complex_step:
            A[index] = kept + 1j * h
            value = np.asarray(f(A.copy()[()]))
            if value.dtype.kind != "c" or value.size != 1:
                raise ValueError(
                    f"the complex step does not get through: f returned {value.dtype}, not one "
                    "complex number. Use central differences."
                )
            grad[index] = value.item().imag / h
        else:
            A[index] = kept + h
            above = one_number(f(A.copy()[()]))
            A[index] = kept - h
            below = one_number(f(A.copy()[()]))
            grad[index] = (above - below) / (2 * h)
        A[index] = kept
    return grad[()]


def one_number(value):
    value = np.asarray(value.data if isinstance(value, Tensor) else value)
    if value.size != 1 or value.dtype.kind not in "biuf":
        raise ValueError(
            f"f must return one real number, and returned {value.dtype} of shape {value.shape}."
        )
    return float(value.reshape(()))


# ---------------------------------------------------------------------------------- slopes


class Loss:
    """L = Σ upstream · f as a function of the subject's arrays, and how exactly it is computed."""

    def __init__(self, subject, upstream, value):
        self.subject, self.upstream = subject, upstream
        self.size = float(np.sum(np.abs(upstream * value)))  # what rounding errors are relative to
        inexact = value.dtype == np.float32 or (
            value.dtype == np.float64
            and np.any(value != np.round(value, 3))
            and np.array_equal(value, value.astype(np.float32))
        )
        self.single = bool(inexact)
        self.epsilon = np.finfo(np.float32).eps if inexact else EPSILON

    def __call__(self):
        value = np.asarray(self.subject.value(), dtype=float)
        return float(np.sum(self.upstream * value))


class Slopes:
    """The numerical gradient of a loss to one array, with what is known about each entry.

    central  central differences of two step widths, extrapolated to width 0
    blur     how far rounding alone may move an entry of `central`
    kinks    {index: (slope on the left, slope on the right)} where the two differ for good
    near     indices with a kink within the ordinary step, where a smaller step was taken
    noisy    indices where f is so noisy that no step width gives a clear answer
    """

    def __init__(self, loss, array, base=1e-4, least=1e-2):
        self.loss, self.array = loss, array
        self.centre = loss()
        self.central, self.blur = np.zeros(array.shape), np.zeros(array.shape)
        self.kinks, self.near, self.noisy, self.noise = {}, [], [], 0.0
        base = 100 * base if loss.single else base
        doubtful = []
        for index in np.ndindex(array.shape):
            step = base * min(max(abs(array[index]), least), 10.0)
            step = max(step, 1e-8 * abs(array[index]))
            probe = self.probe(index, step)
            self.central[index], self.blur[index] = probe.slope, probe.blur
            doubtful.append((index, step, probe))
        scale = np.max(np.abs(self.central), initial=0.0)
        for index, step, probe in doubtful:
            if not probe.smooth(scale):
                self.look_closer(index, step, probe, scale)
        if self.noisy:  # then f is noisy everywhere, also where two differences agree by chance
            self.blur += 2 * self.noise

    def probe(self, index, step):
        return Probe(self.loss, self.array, index, step, self.centre)

    def look_closer(self, index, step, wide, scale):
        """The slope does not settle: is there a kink close by, a kink right here, or noise?"""
        noise = wide.disagreement
        for times in (30, 900):
            close = self.probe(index, step / times)
            noise = max(noise, abs(close.slope - wide.slope) / times)
            # Beside a kink the slope is that of the side which the wide step saw undisturbed.
            gap = min(abs(close.slope - wide.left), abs(close.slope - wide.right))
            if close.smooth(scale) and gap <= 1e-3 * max(scale, abs(close.slope)):
                self.near.append(index)
                self.central[index], self.blur[index] = close.slope, close.blur
                return
        if abs(close.jump) > 4 * close.rounding and abs(close.jump) < 4 * abs(wide.jump):
            self.kinks[index] = close.left, close.right
            self.central[index], self.blur[index] = close.slope, close.blur
            return
        self.noisy.append(index)
        self.noise = max(self.noise, noise)


class Probe:
    """The loss around one entry: slopes to both sides for a step, and for half of it."""

    def __init__(self, loss, array, index, step, centre):
        kept = array[index]
        moved, values = [], []
        for shift in (step, step / 2, -step / 2, -step):
            array[index] = kept + shift
            moved.append(float(array[index]) - float(kept))  # what the rounded step really is
            values.append(loss())
        array[index] = kept
        (h, half, minus_half, minus_h), (far, near, near_below, far_below) = moved, values
        wide = (far - far_below) / (h - minus_h)
        narrow = (near - near_below) / (half - minus_half)
        self.slope = narrow + (narrow - wide) / 3  # Richardson: the step's square cancels
        self.disagreement = abs(narrow - wide)
        self.right, self.left = (near - centre) / half, (near_below - centre) / minus_half
        self.jump_wide = (far - centre) / h - (far_below - centre) / minus_h
        size = max(loss.size, abs(far), abs(far_below))
        self.rounding = 8 * loss.epsilon * size / step
        self.blur = self.rounding + self.disagreement
        self.jump = self.right - self.left

    def smooth(self, scale):
        """Whether the slope settles, and the two sides approach each other, as the step shrinks."""
        room = 8 * self.rounding + 1e-6 * max(scale, abs(self.slope))
        settles = self.disagreement <= room + 1e-4 * abs(self.slope)
        meets = abs(self.jump) <= 0.75 * abs(self.jump_wide) + room
        return settles and meets
