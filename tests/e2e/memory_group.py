"""A memory cgroup of a test's own, below the one that the test runs in; of version 1 or 2."""

import contextlib
import uuid
from pathlib import Path

from waiting import eventually

V1, V2 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")


def _own_path():
    """(root, path) of the group that counts this process's memory."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return V1, path
    return V2, next(line.split(":", 2)[2] for line in Path("/proc/self/cgroup").read_text().splitlines()
                    if line.startswith("0::"))


class MemoryGroup:
    def __init__(self, root, directory):
        self.directory = directory
        self._limit = "memory.limit_in_bytes" if root == V1 else "memory.max"

    @classmethod
    def make(cls):
        root, path = _own_path()
        directory = root / path.lstrip("/") / f"sluice-test-{uuid.uuid4()}"
        group = cls(root, directory)
        with contextlib.suppress(OSError):
            directory.mkdir()
            if (directory / group._limit).exists():
                return group
            directory.rmdir()  # the controller is not for groups below
        return None

    def wrapper(self, limit_bytes):
        """A command that executes what follows it in this group."""
        (self.directory / self._limit).write_text(str(limit_bytes))
        return ["sh", "-c", f'echo $$ > {self.directory}/cgroup.procs && exec "$0" "$@"']

    def remove(self):
        eventually(lambda: not (self.directory / "cgroup.procs").read_text(), "it is empty")
        self.directory.rmdir()
