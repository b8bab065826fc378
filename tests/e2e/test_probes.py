"""What clients of other servers ask first, and crowds that mean no good."""

import zlib

import pytest
from thrift.Thrift import TApplicationException

from waiting import eventually
from wire import arguments, call, frame, head

SLOW = 1000


@pytest.mark.parametrize("probe", ["__can__finagle__trace__v3__", "upgradeToRocket"])
def test_probes_of_other_servers_are_told_no_and_the_connection_lives(sluiced, probe):
    """Finagle's goes on with plain Thrift then, fbthrift's with THeader."""
    connection = sluiced(calculator={}).connect()
    connection.send(frame(head(probe, seqid=0) + b"\0"))
    reply = connection.receive()
    assert (reply.name, reply.seqid, reply.error.type) == (probe, 0, TApplicationException.UNKNOWN_METHOD)
    connection.send(call("add", a=2, b=3))
    assert connection.receive().result() == 5


@pytest.mark.parametrize("probe", [b"\x01\0\0\0\x05PLAIN\x02\0\0\0\x05\0u\0p", b"SSH-2.0-OpenSSH_9.2\r\n",
                                   b"\0\0\0\x2e\x04\0\0\0\0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
                         ids=["sasl", "ssh", "rsocket", "http2"])
def test_who_speaks_something_else_is_sent_away_at_once(sluiced, probe):
    daemon = sluiced(daemon={"max_frame_bytes": "1M"}, calculator={})
    connection = daemon.connect()
    connection.send(probe + bytes(64))
    connection.rest()
    daemon.wait_metric("connections_closed_total", 1, reason="protocol_error")


def test_a_thousand_that_send_their_calls_slowly_hinder_nobody_and_are_closed(sluiced):
    daemon = sluiced(daemon={"frame_timeout": "300ms", "max_connections": SLOW + 10}, calculator={})
    message = call("add", a=2, b=3)
    slow = [daemon.connect() for _ in range(SLOW)]
    for connection in slow:
        connection.send(message[:5])
    client = daemon.client()
    daemon.wait_metric_at_least("connections_closed_total", 1, reason="frame_timeout")
    assert client.add(2, 3) == 5
    daemon.wait_metric("connections_closed_total", SLOW, reason="frame_timeout")
    assert client.add(2, 3) == 5
    eventually(lambda: daemon.metric("buffered_bytes") == 0, "nothing of them is held")


def test_ten_thousand_headers_are_refused(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"x-%d: y\r\n" % i for i in range(10_000)) + b"\r\n")
    assert connection.rest().startswith(b"HTTP/1.1 431 ")
    pairs = b"".join(b"\x05%05d\x01y" % i for i in range(10_000))
    words = b"\0\0\x01\x90\x4e" + pairs
    words += bytes(-len(words) % 4)
    header = b"\x0f\xff\0\0\0\0\0\x07" + (len(words) // 4).to_bytes(2, "big") + words
    other = daemon.connect()
    other.send(frame(header + head("add") + arguments("add", a=2, b=3)))
    assert other.at_end()
    daemon.wait_metric("protocol_errors_total", 1, reason="theader")


def test_a_bomb_in_a_header_frame_costs_no_more_than_the_limit(sluiced):
    daemon = sluiced(daemon={"max_frame_bytes": "1M"}, calculator={})
    bomb = zlib.compress(bytes(500 << 20), 9)
    connection = daemon.connect()
    connection.send(frame(b"\x0f\xff\0\0\0\0\0\x07\0\x01\0\x01\x01\0" + bomb))
    assert connection.at_end()
    daemon.wait_metric("protocol_errors_total", 1, reason="zlib_too_large")
    assert daemon.client().add(2, 3) == 5
