#!/usr/bin/python3
"""valgrind.py - sluiced under valgrind: no error, no leak, and no memory that grows with the calls.

Asks valgrind what the daemon holds after 10,000 calls and again after 100,000.  That is more
than a leak check at the end: it also sees memory that is kept while serving and freed when the
daemon stops.  SLUICE_BUILD names the build directory."""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS / "e2e"))

from admin import Admin  # noqa: E402
from clients import BUILD, split_tcp  # noqa: E402
from sluice_daemon import DEFAULT_DAEMON, Log, config_text  # noqa: E402
from waiting import eventually  # noqa: E402
from wire import Connection, call  # noqa: E402

CALLS_BEFORE, CALLS_AFTER = 10_000, 100_000
PIPELINED = 250  # calls in flight: enough to fill every queue on the way
# 90,000 calls that each leak one byte are over it; buffers that happen to be larger are not.
GROWTH_MAX_BYTES = (CALLS_AFTER - CALLS_BEFORE) // 2
ERROR_STATUS = 99
VALGRIND = ["valgrind", "--vgdb=yes", "--leak-check=full", "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite", f"--error-exitcode={ERROR_STATUS}"]


def open_pidfds(requests):
    """What valgrind_pidfd.c asks for: a pid comes in, its pidfd goes out."""
    while pid := requests.recv(4):
        pidfd = os.pidfd_open(int.from_bytes(pid, sys.byteorder))
        socket.send_fds(requests, [b"\0"], [pidfd])
        os.close(pidfd)


def preload(directory):
    """The environment of a process with valgrind_pidfd.c, and the socket that it needs."""
    library = Path(directory, "valgrind_pidfd.so")
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library,
                    TESTS / "valgrind_pidfd.c"], check=True)
    ours, theirs = socket.socketpair()
    threading.Thread(target=open_pidfds, args=(ours,), daemon=True).start()
    return dict(os.environ, LD_PRELOAD=library, PIDFD_SOCKET=str(theirs.fileno())), theirs


def start(directory):
    environment, socket_to_us = preload(directory)
    config = Path(directory, "sluice.conf")
    config.write_text(config_text({
        "daemon": {**DEFAULT_DAEMON, "listen": "tcp://127.0.0.1:0"},
        "service calculator": {"plugin": "calculator.so", "default": True},
    }))
    return subprocess.Popen([*VALGRIND, BUILD / "sluiced", "--config", config],
                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment,
                            pass_fds=[socket_to_us.fileno()])


def make_calls(connection, count):
    batch = b"".join(call("add", a=2, b=3, seqid=seqid) for seqid in range(PIPELINED))
    for _ in range(count // PIPELINED):
        connection.send(batch)
        for seqid in range(PIPELINED):
            reply = connection.receive()
            assert (reply.seqid, reply.result()) == (seqid, 5), reply


def held_bytes(process):
    """All that the daemon has allocated now, whether it still knows of it or not."""
    asked = subprocess.run(["vgdb", f"--pid={process.pid}", "leak_check", "summary"],
                           stdout=subprocess.PIPE, text=True, check=True)
    kinds = re.findall(r"(definitely lost|indirectly lost|possibly lost|still reachable): ([\d,]+)"
                       r".* bytes", asked.stdout)
    assert len(kinds) == 4, asked.stdout
    return {kind: int(size.replace(",", "")) for kind, size in kinds}


def measure(process, log):
    address = log.wait(r"listener\.open address=(tcp://\S+)")[1]
    admin = Admin(*split_tcp(log.wait(r"admin\.open address=(http://\S+)")[1]))
    eventually(lambda: admin.get("/readyz")[0] == 200, "/readyz says 200")
    connection = Connection(address)
    make_calls(connection, CALLS_BEFORE)
    before = held_bytes(process)
    make_calls(connection, CALLS_AFTER - CALLS_BEFORE)
    after = held_bytes(process)
    connection.close()
    print(f"after {CALLS_BEFORE} calls: {before}\nafter {CALLS_AFTER} calls: {after}")
    growth = sum(after.values()) - sum(before.values())
    assert growth < GROWTH_MAX_BYTES, f"{growth} bytes more"
    process.send_signal(signal.SIGTERM)
    status = process.wait(timeout=60)
    assert status == 0, f"exit status {status}; {ERROR_STATUS} means that valgrind found an error"


def main():
    with tempfile.TemporaryDirectory() as directory:
        process = start(directory)
        log = Log(process.stderr)
        try:
            measure(process, log)
        except BaseException:
            process.kill()
            log.wait_end()
            print("--- log of sluiced under valgrind:", *log.lines, sep="\n")
            raise


if __name__ == "__main__":
    main()
