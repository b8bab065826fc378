"""Calls that go on while the test does something else."""

from concurrent.futures import ThreadPoolExecutor

RESULT_TIMEOUT_SEC = 60


class Background:
    """running = background(client.sleep, 60000); ...; running.result(), running.exception()"""

    def __init__(self):
        self._pool = ThreadPoolExecutor(max_workers=64)

    def __call__(self, method, *arguments):
        return self._pool.submit(method, *arguments)


def outcome(running):
    """What the call raised, or None."""
    return running.exception(RESULT_TIMEOUT_SEC)
