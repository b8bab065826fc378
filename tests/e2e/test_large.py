"""Large messages, up to max-frame-bytes and one byte over."""

import pytest
from thrift.Thrift import TApplicationException

from wire import EXCEPTION, call, frame, head

MIB = 1 << 20
# Bytes of a binary frame around the data of echo(data), and around that of its reply: message
# head, field head, length, stop.  `large` has one letter more.
AROUND_ECHO = 16 + 3 + 4 + 1
AROUND_LARGE = AROUND_ECHO + 1


@pytest.mark.parametrize("protocol", ["binary", "compact"])
@pytest.mark.parametrize("transport", ["tcp", "unix"])
@pytest.mark.parametrize("framing", ["framed", "buffered"])
def test_megabytes_come_back_as_they_were(sluiced, protocol, transport, framing):
    client = sluiced(calculator={}).client("calculator", protocol, transport, framing=framing)
    for size in MIB, 8 * MIB:
        data = bytes(range(256)) * (size // 256)
        assert client.echo(data) == data


def test_the_largest_frame_that_is_allowed_goes_both_ways(sluiced):
    connection = sluiced(daemon={"max_frame_bytes": MIB}, calculator={}).connect()
    request = call("echo", data=b"x" * (MIB - AROUND_ECHO))
    assert len(request) == 4 + MIB
    connection.send(request)
    assert len(connection.receive().result()) == MIB - AROUND_ECHO


@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_a_frame_one_byte_over_the_limit_is_answered_and_closed(sluiced, protocol):
    daemon = sluiced(daemon={"max_frame_bytes": MIB}, calculator={})
    connection, bystander = daemon.connect(), daemon.client()
    message = head("echo", seqid=7, protocol=protocol)
    connection.send(frame(message.ljust(MIB + 1, b"x")))
    reply = connection.receive()
    assert (reply.kind, reply.name, reply.seqid) == (EXCEPTION, "echo", 7)
    assert reply.error.type == TApplicationException.PROTOCOL_ERROR
    assert reply.error.message.startswith("frame_too_large: ")
    assert connection.at_end()
    assert daemon.metric("protocol_errors_total", reason="frame_too_large") == 1
    assert bystander.add(2, 3) == 5


def test_calls_before_a_frame_that_is_too_large_are_answered_first(sluiced):
    connection = sluiced(daemon={"max_frame_bytes": MIB}, calculator={"workers": 1}).connect()
    too_large = frame(head("echo", seqid=9).ljust(MIB + 1, b"x"))
    connection.send(call("sleep", msec=50, seqid=1) + call("add", a=2, b=3, seqid=2) + too_large)
    assert [connection.receive().seqid for _ in range(3)] == [1, 2, 9]
    assert connection.at_end()


def test_the_largest_reply_that_is_allowed_comes(sluiced):
    daemon = sluiced(daemon={"max_frame_bytes": MIB})
    assert len(daemon.client("crash").large(MIB - AROUND_LARGE)) == MIB - AROUND_LARGE


@pytest.mark.parametrize("protocol", ["binary", "compact"])
@pytest.mark.parametrize("size", [MIB - AROUND_LARGE + 1, MIB + 1, 20 * MIB])
def test_a_reply_over_the_limit_is_told_instead(sluiced, protocol, size):
    if protocol == "compact":
        size += AROUND_LARGE  # its frame is smaller
    daemon = sluiced(daemon={"max_frame_bytes": MIB})
    client = daemon.client("crash", protocol)
    with pytest.raises(TApplicationException) as told:
        client.large(size)
    assert told.value.type == TApplicationException.INTERNAL_ERROR
    assert told.value.message.startswith("reply_too_large: ")
    assert client.large(10) == b"x" * 10
    assert daemon.metric("requests_app_error_total", service="crash") == 1
