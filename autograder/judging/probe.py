"""The one thing that runs beside student code: it calls the functions and sends back raw values.

Its text is sent into the student's kernel (or a process made for one answer), so it may use
nothing of `autograder`: the kernel needs only NumPy and backprop_kit. It receives inputs and
returns what the functions returned, as plain JSON; it decides nothing. Whatever student code does
to this process, all it can send is values, and those are compared elsewhere.

`encode` and `decode` are the wire format, used at both ends: arrays travel as their bytes with a
dtype and a shape, never as pickles; `decode` trusts nothing and limits everything.
"""

import base64
import contextlib
import io
import json
import math
import signal
import sys

import numpy as np

from backprop_kit.checking.observe import MAX_BYTES, MAX_DEPTH, Other


class WireError(ValueError):
    """A reply that is not in the wire format, or is too large."""


# ---------------------------------------------------------------- values as JSON and back


def encode(value):
    """A value as JSON-able data; it holds what `observe.taken` leaves in a result."""
    if value is None or isinstance(value, (bool, str)) or type(value) is int:
        return value
    if type(value) is float:
        return {"float": value.hex()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value)
    if isinstance(value, dict):
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if isinstance(value, Other):
        return {"object": value.described_as[:80]}
    return {type(value).__name__: [encode(item) for item in value]}


def _encode_array(value):
    array = np.asarray(value)
    array = array.astype(array.dtype.newbyteorder("<"))
    return {
        "array": base64.b64encode(array.tobytes()).decode(),
        "dtype": array.dtype.str,
        "shape": list(array.shape),
        "scalar": isinstance(value, np.generic),
    }


def decode(data, depth=0):
    """What `encode` was given; a `WireError` for anything that `encode` does not produce."""
    if depth > MAX_DEPTH + 1:
        raise WireError("nested too deeply")
    if isinstance(data, int) and abs(data) >= 2**63:
        raise WireError("a number that is too large")
    if data is None or isinstance(data, (bool, int, str)):
        return data
    if not isinstance(data, dict):
        raise WireError(f"not in the wire format: {type(data).__name__}")
    if "array" in data:
        return _decode_array(data)
    if len(data) != 1:
        raise WireError("not in the wire format")
    ((kind, content),) = data.items()
    if kind == "float" and isinstance(content, str):
        try:
            return float.fromhex(content)
        except (ValueError, OverflowError) as error:
            raise WireError(f"not a number: {error}") from None
    if kind == "object" and isinstance(content, str):
        return Other(content)
    if kind in ("list", "tuple", "set", "frozenset") and isinstance(content, list):
        items = [decode(item, depth + 1) for item in content]
        maker = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind]
        try:
            return maker(items)
        except TypeError:
            raise WireError("a set of things that cannot stand in a set") from None
    if kind == "dict" and isinstance(content, list):
        try:
            return {decode(k, depth + 1): decode(v, depth + 1) for k, v in content}
        except (TypeError, ValueError) as error:
            raise WireError(f"not a dict: {error}") from None
    raise WireError("not in the wire format")


def _decode_array(data):
    try:
        dtype = np.dtype(data["dtype"])
        shape = tuple(int(n) for n in data["shape"])
        raw = base64.b64decode(data["array"], validate=True)
    except (KeyError, TypeError, ValueError, OverflowError, SyntaxError) as error:
        raise WireError(f"not an array: {error}") from None
    if dtype.kind not in "biufc" or any(n < 0 for n in shape) or len(shape) > 32:
        raise WireError("not an array of numbers")
    if math.prod(shape) * dtype.itemsize != len(raw) or len(raw) > MAX_BYTES:
        raise WireError("an array whose size does not fit its shape")
    array = np.frombuffer(raw, dtype).reshape(shape).copy()
    return array[()] if data.get("scalar") and shape == () else array


# ---------------------------------------------------------------- calling the student's functions


class TimeOut(BaseException):
    """Raised inside a call that takes too long; not an Exception, so `except Exception` lets it
    through."""


@contextlib.contextmanager
def alarm(seconds):
    """Raise TimeOut in this thread after `seconds`, where the system has such an alarm."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(signum, frame):
        raise TimeOut

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def answer(request, namespace):
    """Make the calls of a request; returns {"observations": […]} as JSON text.

    request: JSON text {"calls": [{"function", "driver", "args"}], "by_hand", "seconds"}. A driver,
    "module:function", makes the call where it takes more than calling; see `Function` in
    backprop_kit.checking.exercise. `seconds` is the budget of all calls together; after a time-out
    the calls that are left are not made.
    """
    import time

    from backprop_kit.checking.observe import Observation, Raised, observe
    from backprop_kit.engine.tensor import engine_off

    request = json.loads(request)
    observations = []
    deadline = time.monotonic() + request["seconds"]
    switch = engine_off if request["by_hand"] else contextlib.nullcontext
    for call in request["calls"]:
        function = namespace.get(call["function"])
        left = deadline - time.monotonic()
        if not callable(function):
            seen = Observation(raised=Raised("Missing"))
        elif left <= 0:
            seen = Observation(raised=Raised("TimeOut", f"no time left of {request['seconds']} s"))
        else:
            silence = io.StringIO()
            try:
                with (
                    contextlib.redirect_stdout(silence),
                    contextlib.redirect_stderr(silence),
                    switch(),
                    alarm(left),
                ):
                    drive = driver(call["driver"], namespace) if "driver" in call else None
                    seen = observe(function, [decode(arg) for arg in call["args"]], drive)
            except (TimeOut, KeyboardInterrupt):
                text = f"it had {request['seconds']} seconds for all its calls"
                seen = Observation(raised=Raised("TimeOut", text))
                deadline = 0
            except BaseException as error:  # SystemExit and the like: the student's, not ours
                seen = Observation(raised=Raised(type(error).__name__, str(error)[:200]))
        observations.append(encode_observation(seen))
    return json.dumps({"observations": observations})


def driver(address, answers):
    """The function of backprop_kit.exercises at "module:function", given the answers."""
    import functools
    import importlib

    module, name = address.split(":")
    return functools.partial(getattr(importlib.import_module(module), name), answers)


def encode_observation(seen):
    if seen.raised:
        return {"raised": list(seen.raised)}
    return {"result": encode(seen.result), "mutated": list(seen.mutated)}


# ---------------------------------------------------------------- a process for one answer each


def serve():
    """Answer requests on standard input, one a line, each in a fork of this clean process.

    A request is {"code": the answer's text, "name": its file, "request": as for `answer`,
    "seconds"}; a reply is one line. Without `fork` (Windows) the process serves one request.
    """
    import os

    import backprop_kit.exercises  # noqa: F401  (paid once, before the first fork)

    for line in sys.stdin:
        if not hasattr(os, "fork"):
            job = json.loads(line)
            sys.stdout.write(job["ticket"] + run_answer(job) + "\n")
            return
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            _child(line, write)
        os.close(write)
        # The alarm inside the child rings first; this ends one that does not hear it.
        job = json.loads(line)
        reply = _read_reply(read, child, job["seconds"] + 1)
        sys.stdout.write(job["ticket"] + reply + "\n")
        sys.stdout.flush()


def _child(line, write):
    import os

    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    code = 1
    try:
        reply = run_answer(json.loads(line)).encode()
        while reply:
            reply = reply[os.write(write, reply) :]
        code = 0
    finally:
        os._exit(code)


def _read_reply(read, child, seconds):
    import os
    import select
    import time

    chunks, size = [], 0
    deadline = time.monotonic() + seconds
    why = None
    while why is None:
        ready, _, _ = select.select([read], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            why = "TimeOut"
            break
        chunk = os.read(read, 1 << 16)
        if not chunk:
            break
        chunks.append(chunk)
        size += len(chunk)
        if size > 2 * MAX_BYTES:
            why = "TooLarge"
    os.close(read)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if why:
        return json.dumps({"failed": why})
    text = b"".join(chunks).decode(errors="replace")
    return text if text and "\n" not in text else json.dumps({"failed": "Died"})


def prelude():
    """The names that every lesson's first cell has imported before an answer is run."""
    from backprop_kit import Tensor

    return {"np": np, "Tensor": Tensor}


def run_answer(job):
    """Run an answer's code as a module of its own, then make the calls; returns JSON text."""
    namespace = {"__name__": "answer", "__builtins__": __builtins__, **prelude()}
    try:
        with alarm(job["seconds"]):
            exec(compile(job["code"], job["name"], "exec"), namespace)
    except (TimeOut, KeyboardInterrupt):
        return json.dumps({"failed": "TimeOut"})
    except BaseException as error:
        text = f"{type(error).__name__}: {error}".split("\n")[0][:200]
        namespace.setdefault("__failed__", text)
        return json.dumps({"failed": "Raised", "text": text})
    return answer(json.dumps(job["request"]), namespace)


if __name__ == "__main__" and sys.argv[1:] == ["serve"]:
    serve()
