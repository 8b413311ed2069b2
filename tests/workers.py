"""How the tests share the machine when several processes run them: `pytest -n auto`.

Much of a test's time is waiting, for a kernel to start or for an endless loop to run out of time,
so there are more workers than processors. What makes that worth it: tests that share something
expensive go to one worker together, what all of them only read is made by one worker for all, and
what takes long comes first, so that in the end nobody waits for one last worker.

Each test stands alone. A plain `pytest` runs them in the usual order, one after the other.
"""

import json
import os
import re
import shutil

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

# The folders whose tests take long, longest first. All others follow.
LONG = [
    "attacks",
    "grading",
    "rehearsal",
    "lessons",
    "course",
    "running",
    "doors",
    "reporting",
    "project",
]


def how_many():
    """For each processor two, as kernels start and loops run out of time without needing one."""
    processors = getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count() or 1))(0)
    return min(2 * len(processors), 16)


# ---------------------------------------------------------------- which tests go where


def group_of(item):
    """What a test shares with others, as the name of a group; its own name if it can run anywhere.

    By the fixtures that it uses: a class that is graded, a lesson that is executed, or what its own
    file makes once. A file that knows better marks its tests as `together`.
    """
    if mark := item.get_closest_marker("together"):
        return mark.args[0]
    for name in ("demo", "odd_class"):
        if name in item.fixturenames:
            return name
    if "run_blank" in item.fixturenames:  # its number is in the file's name, or in the test's
        return f"lesson {re.search(r'[0-9][0-9]', item.nodeid)[0]}"
    fixtures = [each[-1] for each in item._fixtureinfo.name2fixturedefs.values()]
    if any(each.scope == "module" and each.baseid == item.parent.nodeid for each in fixtures):
        return item.parent.nodeid
    return item.nodeid


def spread(config, items):
    """In a worker: sort, and note the groups for the scheduler, which sees nothing but names."""
    groups = {item.nodeid: group_of(item) for item in items}

    def urgency(item):
        folder = item.path.parent.name
        place = LONG.index(folder) if folder in LONG else len(LONG)
        return place, groups[item.nodeid] == item.nodeid  # groups before single tests

    items.sort(key=urgency)
    path = _place(config) / "groups.json"
    path.with_suffix(f".{os.getpid()}").write_text(json.dumps(groups), encoding="utf-8")
    os.replace(path.with_suffix(f".{os.getpid()}"), path)  # all workers note the same


def scheduler(config, log):
    """Hands groups to workers, in the order in which their first tests stand.

    xdist has marks and a scheduler for that, which do nothing under pytest 9.2
    (pytest-dev/pytest-xdist#1386), and cannot keep an order.
    """
    from xdist.scheduler import LoadScopeScheduling

    class InGroups(LoadScopeScheduling):
        groups = None

        def _split_scope(self, nodeid):
            if self.groups is None:
                text = (_place(config) / "groups.json").read_text(encoding="utf-8")
                self.groups = json.loads(text)
            return self.groups[nodeid]

    config.option.loadscopereorder = False
    return InGroups(config, log)


def _place(config):
    """The folder in which all workers have theirs."""
    own = config._tmp_path_factory.getbasetemp()
    return own.parent if hasattr(config, "workerinput") else own


# ---------------------------------------------------------------- what is made once


def made_once(tmp_path_factory, name, make):
    """A folder that `make(folder)` has filled: whichever worker comes first does so, for all to
    read. Where files cannot be locked, or without workers, each process has its own."""
    if fcntl is None or "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tmp_path_factory.mktemp(name)
        make(folder)
        return folder
    place = tmp_path_factory.getbasetemp().parent
    folder, done = place / name, place / f"{name}.done"
    with open(place / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until the file is closed, or the worker ends
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that came to its end over it
            folder.mkdir()
            make(folder)
            done.touch()
    return folder
