"""Calls by WebSocket (RFC 6455): a stock Python WebSocket client, and bytes that it does not send."""

import struct

import pytest
import websocket

from clients import split_tcp
from wire import arguments, frame, head, parse_reply

ADD = head("add", seqid=9) + arguments("add", a=2, b=3)
HELLO = (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@pytest.fixture
def connect():
    sockets = []

    def open_one(daemon, **options):
        host, port = split_tcp(daemon.tcp)
        sockets.append(websocket.create_connection(f"ws://{host}:{port}/any", timeout=60,
                                                   suppress_origin=True, **options))
        return sockets[-1]

    yield open_one
    for each in sockets:
        each.close()


def client_frame(payload, opcode=BINARY, is_last=True, mask=b"\1\2\3\4", length=None):
    length = len(payload) if length is None else length
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + struct.pack(">H", length) \
        if length < 65536 else bytes([0x80 | 127]) + struct.pack(">Q", length)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return bytes([(0x80 if is_last else 0) | opcode]) + size + mask + masked


def upgraded(daemon):
    """A plain connection that has become a WebSocket, and its stream."""
    connection = daemon.connect()
    connection.send(HELLO)
    stream = connection.socket.makefile("rb")
    assert stream.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
    lines = list(iter(stream.readline, b"\r\n"))
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in lines  # RFC 6455, 1.3
    return connection, stream


def receive_frame(stream):
    first, length = stream.read(2)
    if length >= 126:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), "big")
    return first & 0x0f, stream.read(length)


def test_a_stock_client_is_answered_in_the_kind_of_its_message(sluiced, connect):
    socket = connect(sluiced(calculator={}))
    for _ in range(3):
        socket.send_binary(ADD)
        opcode, data = socket.recv_data()
        assert (opcode, parse_reply(data).result()) == (BINARY, 5)
    socket.send_binary(frame(ADD))
    _, data = socket.recv_data()
    assert parse_reply(data[4:]).result() == 5
    socket.ping("are you there?")
    assert socket.recv_data_frame(control_frame=True)[1].data == b"are you there?"


@pytest.mark.parametrize("size", [1, 125, 126, 65535, 65536, 300000])
def test_messages_of_every_size_go_both_ways(sluiced, connect, size):
    socket = connect(sluiced(calculator={}))
    socket.send_binary(head("echo") + arguments("echo", data=b"x" * size))
    assert parse_reply(socket.recv_data()[1]).result() == b"x" * size


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_message_may_come_in_pieces_and_fragments_with_a_ping_between(sluiced, size):
    connection, stream = upgraded(sluiced(calculator={}))
    data = (client_frame(ADD[:5], is_last=False) + client_frame(b"hm", PING) +
            client_frame(ADD[5:], opcode=0) + client_frame(ADD))
    for at in range(0, len(data), size):
        connection.send(data[at:at + size])
    frames = [receive_frame(stream) for _ in range(3)]
    assert (PONG, b"hm") in frames
    assert [(kind, parse_reply(reply).result()) for kind, reply in frames if kind != PONG] == \
        [(BINARY, 5)] * 2


def test_pipelined_messages_are_answered_in_order_and_within_the_limit(sluiced):
    connection, stream = upgraded(sluiced(daemon={"max_pipelined": 3}, calculator={"workers": 3}))
    calls = [head("add", seqid=n) + arguments("add", a=n, b=1) for n in range(300)]
    sender = connection.send_in_background(b"".join(map(client_frame, calls)))
    results = [parse_reply(receive_frame(stream)[1]).result() for _ in calls]
    sender.join()
    assert results == list(range(1, 301))


def test_messages_behind_the_upgrade_in_one_packet_are_taken(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(HELLO + client_frame(ADD))
    stream = connection.socket.makefile("rb")
    assert list(iter(stream.readline, b"\r\n"))
    assert parse_reply(receive_frame(stream)[1]).result() == 5


def test_calls_in_json_are_answered_in_text_frames(sluiced):
    connection, stream = upgraded(sluiced(calculator={}))
    connection.send(client_frame(b'[1,"add",1,7,{"1":{"i32":2},"2":{"i32":3}}]', TEXT))
    assert receive_frame(stream) == (TEXT, b'[1,"add",2,7,{"0":{"i32":5}}]')


def test_a_close_is_answered_and_ends_the_connection(sluiced):
    connection, stream = upgraded(sluiced(calculator={}))
    connection.send(client_frame(ADD) + client_frame(struct.pack(">H", 1000), CLOSE))
    kinds = {receive_frame(stream)[0] for _ in range(2)}
    assert kinds == {BINARY, CLOSE}
    assert stream.read() == b""


BAD = [
    b"\x82\x03abc",  # not masked
    client_frame(ADD, opcode=3), client_frame(ADD, opcode=0),
    client_frame(b"x", opcode=BINARY, length=1025), client_frame(b"x", opcode=BINARY, length=2 ** 63),
    client_frame(ADD, TEXT),  # which is no UTF-8
    client_frame(ADD, is_last=False) + client_frame(ADD),
    client_frame(b"", PING, is_last=False), b"\xf2" + client_frame(ADD)[1:],
    client_frame(b"no call"), client_frame(ADD + b"x"), client_frame(b""),
]


@pytest.mark.parametrize("number", range(len(BAD)))
def test_what_is_malformed_ends_its_connection_and_is_counted(sluiced, number):
    daemon = sluiced(daemon={"max_frame_bytes": "1K"}, calculator={})
    connection, stream = upgraded(daemon)
    connection.send(client_frame(ADD) + BAD[number])
    assert parse_reply(receive_frame(stream)[1]).result() == 5
    stream.read()  # perhaps a close frame with the reason
    assert daemon.client().add(2, 3) == 5
    daemon.wait_metric("connections_closed_total", 1, reason="protocol_error")


def test_a_page_of_another_site_gets_no_websocket(sluiced, connect):
    daemon = sluiced(daemon={"cors_origins": "https://shop.example"}, calculator={})
    with pytest.raises(websocket.WebSocketBadStatusException, match="403"):
        connect(daemon, header=["Origin: https://evil.example"])
    socket = connect(daemon, header=["Origin: https://shop.example"])
    socket.send_binary(ADD)
    assert parse_reply(socket.recv_data()[1]).result() == 5


def test_an_unknown_version_is_told_which_is_known(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(HELLO.replace(b"Version: 13", b"Version: 8"))
    assert connection.socket.makefile("rb").readline().startswith(b"HTTP/1.1 426 ")


def test_pings_without_end_of_one_who_reads_nothing_are_bounded(sluiced):
    daemon = sluiced(daemon={"write_timeout": "1s", "buffer_memory": "4M"}, calculator={})
    connection, _ = upgraded(daemon)
    connection.send_until_it_blocks(client_frame(b"x" * 125, PING) * 200000)
    daemon.wait_metric("connections_closed_total", 1, reason="write_timeout")
    assert daemon.client().add(2, 3) == 5


def test_a_frame_that_is_never_whole_is_not_waited_for(sluiced):
    daemon = sluiced(daemon={"frame_timeout": "50ms"}, calculator={})
    for part in client_frame(ADD)[:1], client_frame(ADD)[:-1], client_frame(ADD, is_last=False):
        connection, stream = upgraded(daemon)
        connection.send(part)
        assert stream.read() == b""
    assert daemon.metric("connections_closed_total", reason="frame_timeout") == 3
