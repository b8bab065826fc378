#!/usr/bin/python3
"""growth.py - hazard 12: no step of the factory costs more because the pool or the queue is larger.

Counts the instructions of a job (callgrind, so the same in every run) with a small pool and with
10,000 workers and 10,000 waiting jobs.  A scan over either would cost hundreds of thousands.
BUILD names the build directory."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(os.environ.get("BUILD", "build"), "tests/bench_factory")
CASES = ["queuer", "key-persistent", "sticky", "round-robin", "least-loaded", "consistent-hash",
         "refused"]
SMALL, LARGE = (8, 100), (10_000, 10_000)
FEW, MANY = 500, 3_500
GROWTH_MAX = 1.2  # measured: at most 1.04


def instructions(directory, case, shape, jobs):
    out = Path(directory, "callgrind.out")
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", BENCH, case,
                    *map(str, shape), str(jobs)], check=True, capture_output=True)
    return int(re.search(r"^summary: (\d+)", out.read_text(), re.MULTILINE)[1])


def for_a_job(directory, case, shape):
    return ((instructions(directory, case, shape, MANY) - instructions(directory, case, shape, FEW))
            // (MANY - FEW))


def main():
    growing = []
    with tempfile.TemporaryDirectory() as directory:
        for case in CASES:
            small, large = (for_a_job(directory, case, shape) for shape in (SMALL, LARGE))
            print(f"{case:16} {small:6} instructions a job, {large:6} in the large pool")
            if large > GROWTH_MAX * small:
                growing.append(f"{case}: {small} became {large}")
    if growing:
        sys.exit(f"costs grow by more than {GROWTH_MAX} times: {'; '.join(growing)}")


if __name__ == "__main__":
    main()
