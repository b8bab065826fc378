"""How tests wait: for a condition, never for a time."""

import time

DEADLINE_SEC = 30
POLL_SEC = 0.005


def eventually(condition, what):
    """Returns the first true value of condition().  POLL_SEC paces the asking; nothing depends
    on it."""
    deadline = time.monotonic() + DEADLINE_SEC
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"in {DEADLINE_SEC} s not: {what}"
        time.sleep(POLL_SEC)
