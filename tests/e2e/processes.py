"""What /proc says about the processes of one daemon."""

import os
import re
from collections import Counter
from pathlib import Path


def _read(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def marked(marker):
    """The processes that have `marker` in their environment; a zombie has none."""
    pids = (int(entry) for entry in os.listdir("/proc") if entry.isdigit())
    return [pid for pid in pids if marker.encode() in _read(pid, "environ")]


def is_in_a_timed_sleep(pid):
    """TRUE while its handler sleeps; a worker that has nothing to do waits on a futex."""
    return b"nanosleep" in _read(pid, "wchan")


def memory_kib(pid, field):
    """`field` as in /proc/PID/status: VmPeak, VmHWM, ..."""
    for line in _read(pid, "status").decode().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1])
    raise KeyError(field)


def status_of(pid):
    """/proc/PID/status as a dictionary of texts."""
    lines = _read(pid, "status").decode().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def links(pid):
    """What each descriptor leads to: {3: "socket:[4711]", ...}"""
    found = {}
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(entry)] = os.readlink(f"/proc/{pid}/fd/{entry}")
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def descriptors(pid):
    """How many there are of each kind: sockets, pipes, a memfd of this name, ..."""
    kinds = Counter()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            kinds[re.sub(r":\[\d+\]", "", os.readlink(f"/proc/{pid}/fd/{name}"))] += 1
        except FileNotFoundError:
            pass  # closed since it was listed
    return kinds


def n_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
