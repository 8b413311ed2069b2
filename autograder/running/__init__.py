"""Running: where student code runs, and only here.

`sandbox` says what that code may do and starts a process that can do no more. A `JudgedSession`
runs a notebook in a kernel and has the judge speak where a test cell stands; `Trials` runs answers
given as text, each in a process of its own.
"""

from . import sandbox
from .judged import JudgedSession
from .sandbox import MODES, SandboxError
from .trial import Trials

__all__ = ["MODES", "JudgedSession", "SandboxError", "Trials", "sandbox"]
