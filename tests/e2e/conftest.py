"""The fixture that starts daemons, and sees to it that each test leaves nothing behind."""

import pytest

from memory_group import MemoryGroup
from sluice_daemon import EXAMPLES, Daemon


@pytest.fixture
def sluiced(tmp_path):
    """Starts a daemon:  sluiced(daemon={"max_connections": 3}, crash={"workers": 1})

    Each keyword is a service and its settings, `daemon` those of [daemon], `settings` maps a
    service to its [settings] group, `methods` "SERVICE.METHOD" to its settings, `faults` the
    points of fault_point.def to their schedules; `wrapper` is a command that executes the
    daemon.  Without a service there are both examples.
    """
    started = []

    def start(ready=True, daemon=None, settings=None, methods=None, faults=None, wrapper=(),
              **services):
        directory = tmp_path / str(len(started))
        directory.mkdir()
        new = Daemon(directory, dict(daemon or {}), services or EXAMPLES, settings or {},
                     methods or {}, faults, wrapper)
        started.append(new)
        new.wait_listening()
        if ready:
            new.wait_ready()
        return new

    yield start
    try:
        for daemon in started:
            daemon.stop()
    finally:
        for daemon in started:
            daemon.destroy()


@pytest.fixture
def memory_group():
    """A memory cgroup for a daemon; skips where none can be made."""
    group = MemoryGroup.make()
    if group is None:
        pytest.skip("no memory cgroup can be made here")
    yield group
    group.remove()
