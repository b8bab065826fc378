"""THeader: the stock Python client's header protocol, headers both ways, zlib, and what is none."""

import struct
import zlib

import pytest
from thrift.protocol.THeaderProtocol import THeaderProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.THeaderTransport import (THeaderClientType, THeaderSubprotocolID,
                                               THeaderTransformID)

from background import Background
from clients import interface, socket_to
from wire import arguments, frame, head, parse_reply

SUBPROTOCOLS = {"binary": THeaderSubprotocolID.BINARY, "compact": THeaderSubprotocolID.COMPACT}
each_protocol = pytest.mark.parametrize("protocol", ["binary", "compact"])


@pytest.fixture
def theader():
    """A stock client: theader(daemon, "crash", protocol="compact", compressed=True)"""
    sockets = []

    def connect(daemon, service, protocol="binary", compressed=False, multiplexed=True):
        socket = socket_to(daemon.tcp)
        socket.setTimeout(60000)
        socket.open()
        sockets.append(socket)
        wire = THeaderProtocol(socket, [THeaderClientType.HEADERS], SUBPROTOCOLS[protocol])
        if compressed:
            wire.add_transform(THeaderTransformID.ZLIB)
        client = interface(service).Client(
            TMultiplexedProtocol(wire, service) if multiplexed else wire)
        return client, wire

    yield connect
    for socket in sockets:
        socket.close()


@each_protocol
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "zlib"])
def test_the_stock_client_is_answered(sluiced, theader, protocol, compressed):
    client, _ = theader(sluiced(), "calculator", protocol, compressed, multiplexed=False)
    assert client.ping() is None
    assert client.add(2, 3) == 5
    with pytest.raises(interface("calculator").OutOfRange):
        client.fact(21)
    assert client.echo(bytes(range(256)) * 1000) == bytes(range(256)) * 1000
    assert client.note("hello") is None
    assert client.add(20, 22) == 42


@each_protocol
def test_headers_go_both_ways_and_each_reply_has_its_own(sluiced, theader, protocol):
    client, wire = theader(sluiced(), "crash", protocol)
    wire.set_header(b"Colour", b"red")
    wire.set_header(b"empty", b"")
    assert client.header("colour") == "red"
    assert client.header("colour") == ""  # headers are of one call
    assert client.set_reply_header("answer", "42") is True
    assert wire.get_headers()[b"answer"] == b"42"
    client.ping()
    assert b"answer" not in wire.get_headers()


def test_a_refusal_comes_in_a_header_frame_too(sluiced, theader):
    daemon = sluiced(calculator={})
    client, _ = theader(daemon, "crash", compressed=True)
    with pytest.raises(TApplicationException, match="unknown_service"):
        client.ping()


def test_a_client_says_how_long_it_waits(sluiced, theader):
    daemon = sluiced(calculator={"workers": 1, "deadline": "1h"})
    for name in b"client_timeout", b"Deadline-Budget":
        client, wire = theader(daemon, "calculator", multiplexed=False)
        wire.set_header(name, b"50")
        with pytest.raises(TApplicationException, match="deadline: no answer .* 50 ms"):
            client.sleep(60000)
        daemon.kill_sleepers("calculator")
        daemon.wait_ready()


def test_a_client_may_not_wait_for_longer_than_is_configured(sluiced, theader):
    daemon = sluiced(calculator={"workers": 1, "deadline": "50ms"})
    client, wire = theader(daemon, "calculator", multiplexed=False)
    wire.set_header(b"client_timeout", b"3600000")
    with pytest.raises(TApplicationException, match="deadline: no answer .* 50 ms"):
        client.sleep(60000)
    daemon.kill_sleepers("calculator")


def test_a_client_says_how_long_its_call_may_wait_for_a_worker(sluiced, theader):
    daemon = sluiced(calculator={"workers": 1})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    client, wire = theader(daemon, "calculator", multiplexed=False)
    wire.set_header(b"queue_timeout", b"20")
    with pytest.raises(TApplicationException, match="ttl_expired"):
        client.add(2, 3)
    daemon.kill_sleepers("calculator")
    assert running.exception(60) is not None


def test_values_that_are_no_numbers_count_as_absent(sluiced, theader):
    client, wire = theader(sluiced(), "calculator", multiplexed=False)
    for value in b"", b"-1", b"1e3", b"0x10", b"99999999999999999999", b" 5", b"\xff\xfe":
        for name in b"client_timeout", b"queue_timeout", b"thrift_priority":
            wire.set_header(name, value)
        assert client.add(2, 3) == 5


def test_a_header_can_be_a_key(sluiced, theader):
    """Calls of one key run one at a time, though there are workers for all of them."""
    daemon = sluiced(calculator={"workers": 3}, methods={"calculator.sleep": {"key": "header:user"}})
    background = Background()
    running = []
    for user in b"anna", b"anna", b"bert":
        client, wire = theader(daemon, "calculator", multiplexed=False)
        wire.set_header(b"user", user)
        running.append(background(client.sleep, 60000))
    daemon.wait_sleeping("calculator", 2)
    daemon.wait_metric("requests_queued", 1, service="calculator")
    daemon.kill_sleepers("calculator")
    daemon.wait_sleeping("calculator", 1)
    daemon.kill_sleepers("calculator")
    assert all(call.exception(60) is not None for call in running)


# --- bytes that no stock client sends --------------------------------------------------------


def header_frame(payload, words=b"\0\0\0\0", flags=0, seqid=7):
    return frame(struct.pack(">HHIH", 0x0fff, flags, seqid, len(words) // 4) + words + payload)


def header_reply(connection):
    message = connection.receive_message()
    magic, _, seqid, words = struct.unpack(">HHIH", message[:10])
    assert magic == 0x0fff
    return seqid, message[10:10 + 4 * words], message[10 + 4 * words:]


ADD = head("add", seqid=9) + arguments("add", a=2, b=3)


def test_json_in_a_header_frame_is_answered_in_json(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(header_frame(b'[1,"add",1,9,{"1":{"i32":2},"2":{"i32":3}}]', b"\1\0\0\0"))
    seqid, words, payload = header_reply(connection)
    assert (seqid, words[0], payload) == (7, 1, b'[1,"add",2,9,{"0":{"i32":5}}]')


@pytest.mark.parametrize("words", [b"\0\0\0\0", b"\0\0" + b"\0" * 6, b"\0\0\x09\x01\x02\x03\0\0",
                                   b"\0\0\x01\0"])
def test_every_padding_and_unknown_infos_are_read(sluiced, words):
    connection = sluiced(calculator={}).connect()
    connection.send(header_frame(ADD, words))
    seqid, _, payload = header_reply(connection)
    reply = parse_reply(payload)
    assert (seqid, reply.seqid, reply.result()) == (7, 9, 5)


def test_frames_of_both_kinds_may_follow_each_other(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(header_frame(ADD) + frame(ADD) + header_frame(ADD, seqid=8))
    assert parse_reply(header_reply(connection)[2]).result() == 5
    assert connection.receive().result() == 5
    assert header_reply(connection)[0] == 8


BOMB = zlib.compress(b"\0" * 50_000_000)
BAD = {
    "theader": [frame(b"\x0f\xff\0\0\0\0\0\x07"), header_frame(b""), header_frame(ADD, b"\x03\0\0\0"),
                frame(struct.pack(">HHIH", 0x0fff, 0, 7, 500) + ADD),
                header_frame(ADD, b"\0\0\x01\x02"), header_frame(ADD, b"\0\0\x01\x01\x7fabc"),
                header_frame(ADD, b"\0\0\x01\xff\xff\xff\xff\xff\x0f\0\0"),
                header_frame(ADD, b"\0\0\x01\x01\x01k" + b"\xff\xff\x7f" + b"v" * 7)],
    "bad_transform": [header_frame(ADD, b"\0\x01\x02\0"), header_frame(ADD, b"\0\x02\x01\x01")],
    "bad_zlib": [header_frame(ADD, b"\0\x01\x01\0"), header_frame(zlib.compress(ADD)[:-3], b"\0\x01\x01\0"),
                 header_frame(zlib.compress(ADD) + b"x", b"\0\x01\x01\0")],
    "zlib_too_large": [header_frame(BOMB, b"\0\x01\x01\0")],
    "not_thrift": [header_frame(b"\xde\xad\xbe\xef")],
}


@pytest.mark.parametrize("reason", BAD)
def test_what_is_malformed_ends_its_connection_and_is_counted(sluiced, reason):
    daemon = sluiced(calculator={})
    for count, data in enumerate(BAD[reason], 1):
        connection = daemon.connect()
        connection.send(data)
        assert connection.at_end(), data[:60]
        assert daemon.metric("protocol_errors_total", reason=reason) == count
    assert daemon.client().add(2, 3) == 5


def test_more_headers_than_a_call_may_carry_are_refused(sluiced):
    daemon = sluiced(calculator={})
    pairs = b"".join(b"\x03%03d\x01v" % i for i in range(900)) * 4
    words = b"\0\0\x01" + bytes([3600 & 0x7f | 0x80, 3600 >> 7]) + pairs
    words += b"\0" * (-len(words) % 4)
    connection = daemon.connect()
    connection.send(header_frame(ADD, words))
    assert connection.at_end()


# --- what sluiced itself says in headers ----------------------------------------------------

def test_each_reply_says_how_long_it_waited_and_ran_and_where(sluiced, theader):
    client, wire = theader(sluiced(), "crash")
    client.ping()
    said = wire.get_headers()
    assert set(said) == {b"x-queue-us", b"x-service-us", b"x-generation"}
    assert said[b"x-generation"] == b"1"
    assert all(int(value) >= 0 for value in said.values())


def test_an_exception_says_its_code_and_reason(sluiced, theader):
    daemon = sluiced(calculator={"workers": 1, "deadline": "50ms"})
    client, wire = theader(daemon, "calculator", multiplexed=False)
    with pytest.raises(TApplicationException):
        client.sleep(60000)
    said = wire.get_headers()
    assert (said[b"ex"], said[b"uex"]) == (b"2", b"deadline")
    daemon.kill_sleepers("calculator")
    client, wire = theader(daemon, "crash")
    with pytest.raises(TApplicationException):
        client.ping()
    assert (wire.get_headers()[b"ex"], wire.get_headers()[b"uex"]) == (b"25", b"unknown_service")


def test_who_asks_is_told_the_load(sluiced, theader):
    daemon = sluiced(calculator={"workers": 2})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    client, wire = theader(daemon, "calculator", multiplexed=False)
    client.ping()
    assert b"load" not in wire.get_headers()
    wire.set_header(b"load", b"default")
    client.ping()
    assert wire.get_headers()[b"load"] == b"2"  # the one that sleeps, and this one
    daemon.kill_sleepers("calculator")
    assert running.exception(60) is not None


def test_in_the_grace_of_a_stop_clients_are_told_to_go_elsewhere(sluiced, theader):
    daemon = sluiced(daemon={"drain_grace": "1h"}, calculator={})
    client, wire = theader(daemon, "calculator", multiplexed=False)
    client.ping()
    assert b"connection" not in wire.get_headers()
    daemon.sigterm()
    daemon.wait_draining()
    client.ping()
    assert wire.get_headers()[b"connection"] == b"goaway"  # fbthrift's
    assert wire.get_headers()[b":drain"] == b"true"  # Envoy's
    daemon.sigterm()
    assert daemon.wait_exit() == 0


OUT_OF_ORDER = 1


@pytest.mark.parametrize("flags", [0, OUT_OF_ORDER], ids=["in_order", "out_of_order"])
def test_replies_overtake_only_where_the_client_allows_it(sluiced, flags):
    daemon = sluiced(calculator={"workers": 2})
    connection = daemon.connect()
    sleep = head("sleep") + arguments("sleep", msec=3600000)
    connection.send(header_frame(sleep, seqid=1, flags=flags))
    daemon.wait_sleeping("calculator")
    connection.send(header_frame(ADD, seqid=2, flags=flags))
    daemon.wait_metric("requests_completed_total", 1, service="calculator")
    if not flags:
        daemon.kill_sleepers("calculator")
    first = header_reply(connection)[0]
    if flags:
        daemon.kill_sleepers("calculator")
    assert [first, header_reply(connection)[0]] == ([2, 1] if flags else [1, 2])
