#!/usr/bin/python3
"""What an idle connection costs sluiced in memory: private bytes of the process with and without
them, each after one call; what the kernel holds for a socket is not in it.

    tests/bench/connections.py [PLAIN [TLS]]"""

import resource
import socket
import ssl
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from certificates import Authority  # noqa: E402
from clients import split_tcp  # noqa: E402
from sluice_daemon import Daemon  # noqa: E402
from wire import call  # noqa: E402

SPARE_DESCRIPTORS = 1000
ADD = call("add", a=2, b=3)


def private_bytes(pid):
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def connect(address, context):
    connection = socket.create_connection(split_tcp(address))
    if context:
        connection = context.wrap_socket(connection, server_hostname="127.0.0.1")
    connection.sendall(ADD)
    assert connection.recv(4096)
    return connection


def cost(daemon, count, context):
    """Bytes for each of so many connections, once others have come and gone."""
    for connection in [connect(daemon.tcp, context) for _ in range(100)]:
        connection.close()
    daemon.wait_metric("connections_open", 0)
    before = private_bytes(daemon.process.pid)
    held = [connect(daemon.tcp, context) for _ in range(count)]
    after = private_bytes(daemon.process.pid)
    for connection in held:
        connection.close()
    daemon.wait_metric("connections_open", 0)
    return (after - before) / count


def main(plain=10_000, tls=1_000):
    wanted = plain + SPARE_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    with tempfile.TemporaryDirectory() as directory:
        authority = Authority(Path(directory))
        certificate, key = authority.issue("server")
        daemon = Daemon(Path(directory), {"max_connections": plain, "tls_mixed": True, "tls_certificate": certificate,
                                          "tls_key": key}, {"calculator": {}}, {}, {})
        try:
            daemon.wait_listening()
            daemon.wait_ready()
            print(f"plain, {plain} held: {cost(daemon, plain, None):.0f} bytes a connection")
            context = ssl.create_default_context(cafile=authority.certificate)
            print(f"TLS, {tls} held: {cost(daemon, tls, context):.0f} bytes a connection")
            daemon.stop()
        finally:
            daemon.destroy()


main(*map(int, sys.argv[1:]))
