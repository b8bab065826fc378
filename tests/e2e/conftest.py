"""The fixture that starts daemons, and sees to it that each test leaves nothing behind."""

import pytest

from sluice_daemon import EXAMPLES, Daemon


@pytest.fixture
def sluiced(tmp_path):
    """Starts a daemon:  sluiced(daemon={"max_connections": 3}, crash={"workers": 1})

    Each keyword is a service and its settings, `daemon` those of [daemon], `settings` maps a
    service to its [settings] group, `methods` "SERVICE.METHOD" to its settings.  Without a service there are both examples.
    """
    started = []

    def start(ready=True, daemon=None, settings=None, methods=None, **services):
        directory = tmp_path / str(len(started))
        directory.mkdir()
        new = Daemon(directory, dict(daemon or {}), services or EXAMPLES, settings or {},
                     methods or {})
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
