"""The fixed vocabulary of causes, and what a finding says in words.

Messages, tests and reports all speak of mistakes by these names. A cause has a headline in a
student's words and one next step; neither ever contains a formula.
"""

# cause: (what it is called, the next step)
CAUSES = {
    "not-implemented": (
        "not written yet",
        "replace the line `raise NotImplementedError()` by your answer, run its cell, "
        "then run this one again",
    ),
    "none-returned": (
        "nothing is returned",
        "end the function with a `return` of everything the card asks for",
    ),
    "raises": (
        "your code raises an error",
        "call the function yourself on the numbers of the worked example",
    ),
    "time-out": ("your code does not finish", "look for a loop whose end is never reached"),
    "by-engine": (
        "the reference engine is used",
        "this exercise is done by hand: write the derivative yourself, in plain Python or NumPy",
    ),
    "wrong-type": ("wrong type", "look at the stub's docstring: it says what to return"),
    "wrong-shape": ("wrong shape", "print the shape of every factor and compare with the card"),
    "non-finite": (
        "not a finite number",
        "find the first step that gives nan or inf: print the intermediate values",
    ),
    "hard-coded": (
        "does not depend on the arguments",
        "compute the result from the arguments: other numbers must give other results",
    ),
    "order-swapped": (
        "right values in the wrong places",
        "compare the order of your `return` with the card's",
    ),
    "sign": ("sign turned", "find where a minus is lost or added: check one gate at a time"),
    "factor": (
        "off by a constant factor",
        "look for a constant that a local derivative should, or should not, contribute",
    ),
    "upstream-ignored": (
        "upstream signal not used",
        "multiply the local derivative by the signal that arrives from above",
    ),
    "missing-local": (
        "a local derivative is missing",
        "write the chain gate by gate and tick off one factor for each gate you pass",
    ),
    "missing-path": (
        "a path is missing",
        "list every path from this input to the output; the gradient is the sum over all of them",
    ),
    "overwrite-not-accumulate": (
        "paths overwrite each other",
        "where one value is used several times, add up what comes back along every use",
    ),
    "transpose": ("transposed", "let the shapes decide the order of the two factors"),
    "no-batch-sum": (
        "not summed over the batch",
        "every example in the batch pulls on the same parameter: add their contributions up",
    ),
    "mean-vs-sum": (
        "mean and sum confused",
        "ask whether the loss is a mean or a sum over examples, and whether 1/N is already "
        "in the signal you are given",
    ),
    "wrong-mask": (
        "wrong mask",
        "ask which array decides whether a unit is on, and what happens exactly at 0",
    ),
    "wrong-weight": ("wrong weight matrix", "follow the signal back through the layer it left"),
    "unstable": (
        "right except where the numbers are extreme",
        "call the function on such numbers and print each step: which one overflows, or loses its "
        "digits?",
    ),
    "mutates-argument": (
        "changes its argument",
        "work on a copy, or on a new array: `x = x + 1`, not `x += 1`",
    ),
    "state-leak": (
        "one call changes the next",
        "keep nothing between calls: no globals, no mutable default arguments",
    ),
    "dropped-bias": (
        "bias left out",
        "go through the forward pass again and find where the bias enters",
    ),
    "clipped": ("values are clipped", "look for a clip or an ε that changes ordinary values"),
    "keeps-too-much": (
        "keeps too much",
        "ask of each array you save: which gradient needs it?",
    ),
    "linear": ("the layer is linear", "add something that bends: a product, a power, a sine"),
    "no-parameter": ("no parameter", "put at least one array into self.params and use it"),
    "copied-layer": ("a copy of a layer of this course", "invent another function"),
    "square-only": (
        "right only for square matrices",
        "try it on a matrix with different numbers of rows and columns",
    ),
    "single-only": ("right only for one example", "try it on a batch of several rows"),
    "imprecise": (
        "close, but not exact",
        "use the exact derivative, not a difference quotient or a rounded constant",
    ),
    "wrong-value": ("wrong value", "take the worked example and follow it by hand, gate by gate"),
}

# Causes that concern the whole call rather than one part; the first that occurs is the one named.
CALL_CAUSES = ("not-implemented", "by-engine", "time-out", "raises", "none-returned")


class Finding:
    """Why a part of a result, or several parts for one and the same reason, is not right.

    cause: a key of CAUSES. parts: the labels it concerns.
    evidence: a sentence that may be shown to anybody, for it holds no hidden number. It is given
        with the marks {part}, {is}, {has} and {holds}: one sentence can speak of several parts.
    worst: None, or (case, index or None, yours, expected) for a view that may show numbers.
    also: other causes that fit the same evidence.
    next_step: one thing to do now; by default the cause's own.
    """

    def __init__(self, cause, parts, evidence, worst=None, also=(), next_step=None):
        self.cause = cause
        self.parts = (parts,) if isinstance(parts, str) else tuple(parts)
        self.template = evidence
        self.worst = worst
        self.also = tuple(also)
        self.next_step = next_step or CAUSES[cause][1]

    @property
    def story(self):
        """What two findings have in common that are one and the same for different parts."""
        return self.cause, self.template, self.also, self.next_step

    def told_by(self, other):
        """Whether this is an error of the whole call, and another finding tells it with more."""
        whole = self.cause in CALL_CAUSES and self.template != other.template
        return whole and self.template in other.template

    def covering(self, parts):
        """The same finding, told of these parts."""
        return Finding(self.cause, parts, self.template, self.worst, self.also, self.next_step)

    @property
    def headline(self):
        """The cause in a student's words."""
        return CAUSES[self.cause][0]

    @property
    def evidence(self):
        several = len(self.parts) > 1
        words = {
            "{part}": listed(self.parts),
            "{is}": "are" if several else "is",
            "{has}": "have" if several else "has",
            "{holds}": "hold" if several else "holds",
        }
        text = self.template
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    @property
    def doubt(self):
        """A sentence that names the other causes that fit, "" if there is none."""
        others = " or ".join(f"“{CAUSES[cause][0]}”" for cause in self.also)
        return f"The same numbers would also come from {others}." if others else ""

    @property
    def advice(self):
        """The next step as a sentence."""
        end = "" if self.next_step.endswith("?") else "."
        return f"{self.next_step[0].upper()}{self.next_step[1:]}{end}"

    @property
    def message(self):
        """Headline, evidence and next step, without a number from any hidden case."""
        headline = self.headline[0].upper() + self.headline[1:]
        doubt = f" ({self.doubt})" if self.also else ""
        return f"{headline}: {self.evidence}{doubt} Next: {self.advice}"


def listed(names):
    """'a', 'a and b', 'a, b and c'."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
