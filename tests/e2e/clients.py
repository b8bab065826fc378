"""Stock Python Thrift clients of the example services, for tests and for call.py."""

import importlib
import os
import sys
from pathlib import Path

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD", REPOSITORY / "build")).resolve()
sys.path.insert(0, str(BUILD / "gen-py"))

PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol}
FRAMINGS = {"framed": TFramedTransport, "buffered": TBufferedTransport}


def interface(name):
    """The generated module of a service: interface("crash") is crash.Crash, interface("version_one")
    is version_one.Version."""
    return importlib.import_module(f"{name}.{name.partition('_')[0].capitalize()}")


def split_tcp(address):
    host, _, port = address.partition("://")[2].rpartition(":")
    return host.strip("[]"), int(port)


def socket_to(address):
    """`address` as sluiced writes it: tcp://HOST:PORT or unix:/PATH."""
    if address.startswith("unix:"):
        return TSocket(unix_socket=address[len("unix:"):])
    return TSocket(*split_tcp(address))


def open_client(address, name, protocol="binary", service=None, timeout_msec=None,
                framing="framed"):
    """Calls to `service` are multiplexed; None leaves the choice to sluiced's default service."""
    socket = socket_to(address)
    socket.setTimeout(timeout_msec)
    socket.open()
    wire = PROTOCOLS[protocol](FRAMINGS[framing](socket))
    return interface(name).Client(TMultiplexedProtocol(wire, service) if service else wire), socket
