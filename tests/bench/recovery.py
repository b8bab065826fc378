#!/usr/bin/python3
"""How long a death costs: from the kill of a worker to the reply of its call, and to the first
call that its replacement serves; the same for a host.  One worker, nothing else to serve.

    tests/bench/recovery.py [ROUNDS]"""

import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from background import Background, outcome  # noqa: E402
from sluice_daemon import Daemon  # noqa: E402


def msec(since):
    return (time.monotonic() - since) * 1000


def one_death(daemon, victim):
    """(msec to the reply, msec to the first call that is served again)"""
    sleeper, caller = daemon.client(), daemon.client()
    told = []

    def call():
        error = None
        try:
            sleeper.sleep(60000)
        except Exception as caught:  # pylint: disable=broad-except
            error = caught
        told.append(time.monotonic())
        return error

    running = Background()(call)
    daemon.wait_sleeping("calculator")
    pid = victim(daemon)
    begun = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    assert caller.add(2, 3) == 5  # waits for whoever comes
    served = msec(begun)
    assert outcome(running) is None and running.result() is not None
    return (told[0] - begun) * 1000, served


def show(name, values):
    values = sorted(values)
    print(f"  {name:32} median {statistics.median(values):6.1f} ms, "
          f"least {values[0]:.1f}, most {values[-1]:.1f}")


def main(rounds):
    victims = {"worker": lambda daemon: daemon.worker_pids("calculator")[0],
               "host": lambda daemon: daemon.service("calculator")["host_pid"]}
    for name, victim in victims.items():
        replies, served = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as directory:
                daemon = Daemon(Path(directory), {}, {"calculator": {"workers": 1}}, {}, {})
                try:
                    daemon.wait_listening()
                    daemon.wait_ready()
                    reply, again = one_death(daemon, victim)
                finally:
                    daemon.destroy_quietly()
                replies.append(reply)
                served.append(again)
        print(f"kill -9 of a {name}, {rounds} times")
        show("its call is answered", replies)
        show("the next call is served", served)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
