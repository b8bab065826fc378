"""Clients behind a proxy: by the PROXY protocol it says whom it speaks for."""

import socket
import ssl
import struct
import subprocess

import pytest

from certificates import Authority
from clients import open_client, split_tcp
from wire import arguments, call, head

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 53124 9090\r\n"
V2 = SIGNATURE + b"\x21\x11\0\x0c" + bytes([192, 0, 2, 7, 198, 51, 100, 1]) + struct.pack(">HH", 53124, 9090)
LOCAL = SIGNATURE + b"\x20\0\0\0"
PEER = head("crash:peer") + arguments("peer", of="crash")
PROXIED = {"proxy_from": "127.0.0.1; unix"}


def start(sluiced, **daemon):
    return sluiced(daemon={**PROXIED, **daemon}, crash={"default": True})


def peer(connection):
    return connection.receive_unframed("binary").result(of="crash")


@pytest.mark.parametrize("transport", ["tcp", "unix"])
@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_the_client_is_whom_the_header_names(sluiced, header, transport):
    connection = start(sluiced).connect(transport)
    connection.send(header + PEER)
    assert peer(connection) == "tcp://192.0.2.7:53124"


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
def test_every_split_of_a_header_is_read(sluiced, header):
    daemon = start(sluiced)
    received = daemon.metric("received_bytes_total")
    for cut in range(1, len(header) + 1):
        connection = daemon.connect()
        connection.send(header[:cut])
        daemon.wait_metric("received_bytes_total", received + cut)
        connection.send(header[cut:] + PEER)
        assert peer(connection) == "tcp://192.0.2.7:53124"
        received += len(header) + len(PEER)


def test_a_connection_of_the_proxys_own_keeps_its_peer(sluiced):
    connection = start(sluiced).connect()
    connection.send(LOCAL + PEER)
    assert peer(connection).startswith("tcp://127.0.0.1:")


@pytest.mark.parametrize("sent", [PEER, b"PROXY TCP9 x\r\n" + PEER, SIGNATURE + b"\x31\0\0\0"])
def test_a_proxy_that_sends_no_header_is_refused(sluiced, sent):
    daemon = start(sluiced)
    connection = daemon.connect()
    connection.send(sent)
    assert connection.at_end()
    daemon.wait_metric("protocol_errors_total", 1, reason="bad_proxy")


def test_whoever_is_no_proxy_cannot_say_that_he_is_another(sluiced):
    daemon = sluiced(daemon={"proxy_from": "127.0.0.2"}, crash={"default": True})
    connection = daemon.connect()
    connection.send(PEER)
    assert peer(connection).startswith("tcp://127.0.0.1:")
    liar = daemon.connect()
    liar.send(V1 + PEER)
    assert liar.at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="protocol_error")


def test_a_header_that_does_not_come_has_the_time_of_a_frame(sluiced):
    daemon = start(sluiced, frame_timeout="50ms", idle_timeout="1h")
    silent, half = daemon.connect(), daemon.connect()
    half.send(V1[:10])
    assert silent.at_end() and half.at_end()
    daemon.wait_metric("connections_closed_total", 2, reason="frame_timeout")


def test_tls_begins_behind_the_header(sluiced, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    daemon = start(sluiced, tls_mixed=True, tls_certificate=certificate, tls_key=key)
    context = ssl.create_default_context(cafile=authority.certificate)
    for header in [V1, V2]:
        plain = socket.create_connection(split_tcp(daemon.tcp), 60)
        plain.sendall(header)
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            secure.sendall(call("peer", service="crash"))
            assert b"tcp://192.0.2.7:53124" in secure.recv(4096)


HAPROXY = """
defaults
    mode tcp
    timeout connect 30s
    timeout client 60s
    timeout server 60s
listen front
    bind fd@{fd}
    server sluiced {sluiced} {send}
"""


@pytest.fixture
def haproxy(tmp_path):
    """Starts one in front of a daemon, on a socket that listens already; returns its address."""
    running = []

    def start_one(daemon, send):
        listening = socket.create_server(("127.0.0.1", 0))
        config = tmp_path / "haproxy.cfg"
        config.write_text(HAPROXY.format(fd=listening.fileno(), send=send,
                                         sluiced=daemon.tcp.partition("://")[2]))
        running.append(subprocess.Popen(["haproxy", "-db", "-f", config], pass_fds=[listening.fileno()]))
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        listening.close()
        return address

    yield start_one
    for process in running:
        process.kill()
        process.wait()


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
def test_haproxy_is_understood(sluiced, haproxy, send):
    address = haproxy(start(sluiced), send)
    client, transport = open_client(address, "crash", timeout_msec=60000)
    own = transport.handle.getsockname()
    assert client.peer() == f"tcp://127.0.0.1:{own[1]}"
    transport.close()
