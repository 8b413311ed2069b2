"""One small network that the whole course differentiates, and its gradients, saved.

Lesson 1 finds them with single numbers, one weight at a time. Every later lesson finds them again
in its own way (vectors, layers, biases, a recursion over layers, one's own layer, with less memory)
and `compare`s: each step up must arrive at the same numbers.

    V1 = X W1ᵀ + b1     H1 = ReLU(V1)     V2 = H1 W2ᵀ + b2     loss = BCE(y, σ(V2)), a mean

4 examples, 2 inputs, 3 hidden units, 1 logit. No hidden unit stands exactly at its kink.
"""

import numpy as np

X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.5, -1.0], [2.0, 0.25]])  # (4, 2): one example a row
y = np.array([[1.0], [0.0], [0.0], [1.0]])  # (4, 1)
W1 = np.array([[0.5, -1.0], [1.5, 0.5], [-1.0, 1.0]])  # (3, 2)
b1 = np.zeros(3)
W2 = np.array([[1.0, -0.5, 2.0]])  # (1, 3)
b2 = np.zeros(1)

loss = 1.505337631518971

# ∂loss/∂V2, (4, 1): the signal that enters the network from above, until lesson 5 derives it.
signal = np.array(
    [[-0.08020532520615174], [0.2381435317056083], [0.18872874671690706], [-0.17316049578368403]]
)

saved = {
    "dW1": np.array(
        [
            [-0.2519566182089145, -0.23201887066282806],
            [0.16608097170753314, 0.19621476053756579],
            [-0.6366977138235201, -0.08267776911899866],
        ]
    ),
    "db1": np.array([0.015568250933223032, 0.032318537136464355, 0.3158764129989131]),
    "dW2": np.array([[0.10604056155837083, -0.6944576756601653, 0.2770099723522607]]),
    "db2": np.array([0.17350645743267962]),
}


def compare(**gradients):
    """Print how each gradient, given by its name in `saved`, compares with the saved one.

    compare(dW2=…, db2=…); an entry that a referee has found by nudging may be off by 1e-6.
    """
    for name, yours in gradients.items():
        print(f"{name}: {_comparison(saved[name], yours)}")


def _comparison(wanted, yours):
    yours = np.asarray(yours, float)
    if yours.shape != wanted.shape:
        return f"✘ shape {yours.shape}, and the saved one has {wanted.shape}"
    gap = np.max(np.abs(yours - wanted))
    if gap <= 1e-6:
        return f"✔ as saved, shape {wanted.shape}, largest difference {gap:.0e}"
    place = np.unravel_index(int(np.argmax(np.abs(yours - wanted))), wanted.shape)
    entry = "[" + ", ".join(map(str, map(int, place))) + "]"
    return f"✘ not as saved; at entry {entry} yours {yours[place]:.6g}, saved {wanted[place]:.6g}"
