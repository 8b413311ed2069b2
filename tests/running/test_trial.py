"""`autograder try`'s process: answers are judged one by one, and none can spoil the next."""

from pathlib import Path

import pytest

from autograder.running import Trials

WRONG = "def add_mul(x, y, z):\n    return 0.0, 0.0, 0.0, 0.0\n"


def test_the_reference_gets_full_marks(trials, reference):
    verdict = trials.judge("add_mul", reference["add_mul"])
    assert (verdict.score, verdict.cause) == (2.0, None)


def test_an_answer_may_use_what_the_lesson_has_imported(trials):
    verdict = trials.judge("gates", "def d_exp(x):\n    return np.exp(x)\n")
    assert {aspect.name: aspect.points for aspect in verdict.aspects}["d_exp"] == 0.5


def test_no_answer_sees_the_one_before(trials, reference):
    assert trials.judge("add_mul", reference["add_mul"]).score == 2
    assert trials.judge("add_mul", "pass\n").score == 0
    assert trials.judge("add_mul", "import backprop_kit\nbackprop_kit.seen = 1\n").score == 0
    spoiled = (
        reference["add_mul"] + "\nimport backprop_kit\nassert not hasattr(backprop_kit, 'seen')"
    )
    assert trials.judge("add_mul", spoiled).score == 2


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        ("", "not-implemented", "no function called add_mul"),
        ("def add_mul(x, y, z)\n", "raises", "SyntaxError"),
        ("1 / 0\n", "raises", "ZeroDivisionError"),
        ("raise SystemExit\n", "raises", "SystemExit"),
        ("def add_mul(x, y, z):\n    raise NotImplementedError()\n", "not-implemented", "raises"),
        ("add_mul = 3\n", "not-implemented", "no function called add_mul"),
        ("def add_mul(x):\n    return x\n", "raises", "TypeError"),
        ("import os\nos._exit(0)\n", "raises", "came to an end"),
        ("def add_mul(x, y, z):\n    import os\n    os.abort()\n", "raises", "came to an end"),
        ("x = '\x00'\n", "raises", "null bytes"),
        ("raise ValueError('\\ud800')\n", "raises", "ValueError"),
        ("raise type('A' * 1000, (Exception,), {})('long')\n", "raises", "AAAA"),
    ],
)
def test_an_answer_that_cannot_be_called_gets_a_verdict(trials, code, cause, words):
    verdict = trials.judge("add_mul", code)
    assert verdict.score == 0
    assert verdict.cause == cause
    assert words in verdict.message
    assert len(verdict.message) < 600
    str(verdict).encode("utf-8")


def test_printing_does_not_disturb_the_reply(trials, reference):
    noise = (
        "import os, sys\nprint('{\"observations\": []}', flush=True)\n"
        "os.write(1, b'{}\\n')\nos.write(2, b'warning')\nsys.__stdout__.write('x\\n')\n"
    )
    assert trials.judge("add_mul", noise + reference["add_mul"]).score == 2
    assert trials.judge("add_mul", WRONG).score == 0


def test_an_endless_loop_costs_its_own_answer():
    with Trials(seconds=0.3) as quick:
        looping = "def add_mul(x, y, z):\n    while True:\n        pass\n"
        assert quick.judge("add_mul", looping).cause == "time-out"
        assert quick.judge("add_mul", "while True:\n    pass\n").cause == "time-out"
        deaf = (
            "def add_mul(x, y, z):\n    while True:\n        try:\n            while True: pass\n"
            "        except BaseException:\n            pass\n"
        )
        assert quick.judge("add_mul", deaf).cause == "time-out"
        assert quick.judge("d_sigmoid", "def d_sigmoid(f):\n    return f * (1 - f)\n").score == 1


def test_an_answer_that_ends_the_process_costs_itself(reference):
    with Trials() as running:
        kills = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"
        for _ in range(3):
            assert running.judge("add_mul", kills).score == 0
            assert running.judge("add_mul", reference["add_mul"]).score == 2


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system has no /proc")
def test_an_answer_that_writes_into_the_reply_pipe_costs_itself(reference):
    writes = (
        "import os\n"
        "pipe = os.open(f'/proc/{os.getppid()}/fd/1', os.O_WRONLY)\n"
        'os.write(pipe, b\'{"failed": "Died"}\\n\' * 3)\n'
    )
    with Trials() as running:
        assert running.judge("add_mul", writes).score == 0
        assert running.judge("add_mul", reference["add_mul"]).score == 2


def test_the_seed_draws_the_same_cases(trials):
    first, second = (trials.judge("add_mul", WRONG, seed=5) for _ in range(2))
    assert first.as_dict() == second.as_dict()
    assert first.seed == 5


def test_the_process_ends_with_the_context(reference):
    with Trials() as running:
        running.judge("add_mul", reference["add_mul"])
        process = running.process
        assert process.poll() is None
    assert process.poll() is not None
    assert running.process is None
