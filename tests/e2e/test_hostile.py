"""Bytes that are no call: the connection ends, is counted and told once; nobody else notices."""

import struct

from processes import memory_kib
from wire import EXCEPTION, REPLY, Connection, call, frame, head

NO_CALLS = {
    "frame_negative": b"\xff\xff\xff\xff" + b"x" * 20,
    "frame_empty": b"\0\0\0\0",
    "frame_too_large": b"\x7f\xff\xff\xff" + b"x" * 20,
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "tls": bytes.fromhex("16030100c8010000c40303") + b"r" * 32,
    "unframed": call("ping") + head("ping") + b"\0",  # behind a frame
    "bad_field_type": head("ping") + b"\x05\0\1",
    "bad_length": head("echo") + b"\x0b\0\1\xff\xff\xff\xff",
    "bad_count": head("echo") + b"\x0f\0\1\x08\x7f\xff\xff\xff",
    "too_deep": head("ping") + b"\x0c\0\1" * 64,
    "not_thrift": frame(bytes.fromhex("deadbeef") * 8),
    "bad_version": frame(b"\x80\x02\0\x01" + b"\0" * 9),
    "bad_message_type": frame(head("ping", REPLY) + b"\0"),
    "bad_name": frame(b"\x80\x01\0\x01" + struct.pack(">i", -1) + b"\0" * 5),
    "truncated": frame(head("ping")[:-2]),
    "bad_varint": frame(b"\x82\x21" + b"\xff" * 11),
}
MORE_NO_CALLS = {
    "http": [b"PUT /service HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.0\r\n\r\n"],
    "unframed": [call("ping") + head("ping", protocol="compact") + b"\0"],
    "bad_message_type": [frame(head("ping", EXCEPTION) + b"\0"),
                         frame(head("ping", 9) + b"\0"),
                         frame(head("ping", REPLY, protocol="compact") + b"\0")],
    "bad_name": [frame(head("a\nb") + b"\0"), frame(head("a\0b", protocol="compact") + b"\0")],
    "truncated": [frame(b"\x80\x01\0\x01" + struct.pack(">i", 2**31 - 1) + b"ping"),
                  frame(b"\x82\x21\x01\xff\xff\xff\xff\x07ping"), frame(b"\x80"), frame(b"\0")],
    "not_thrift": [frame(b"\x01" * 40)],
    "frame_too_large": [b"\x01\0\0\x05PLAIN"],  # SASL
}
ALL_NO_CALLS = [(reason, data) for reason, data in NO_CALLS.items()] + [
    (reason, data) for reason, more in MORE_NO_CALLS.items() for data in more]


def test_what_is_no_call_ends_its_connection_and_is_counted(sluiced):
    daemon = sluiced(calculator={})
    bystander = daemon.client()
    seen = dict.fromkeys(NO_CALLS, 0)
    for reason, data in ALL_NO_CALLS:
        connection = daemon.connect()
        connection.send(data)
        if data.startswith(call("ping")):
            assert connection.receive().kind == REPLY
        told = connection.rest()
        assert told.startswith(b"HTTP/1.1 405 ") if reason == "http" else told == b"", (reason, data)
        connection.close()
        seen[reason] += 1
        assert daemon.metric("protocol_errors_total", reason=reason) == seen[reason], data
        assert bystander.add(2, 3) == 5
    daemon.wait_metric("connections_open", 1)
    good = len(ALL_NO_CALLS) + sum(data.startswith(call("ping")) for _, data in ALL_NO_CALLS)
    assert daemon.metric("requests_received_total", service="calculator") == good


def test_a_call_before_bad_bytes_is_answered(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(call("add", a=2, b=3) + NO_CALLS["http"])
    assert connection.receive().result() == 5
    assert connection.at_end()


def test_one_line_is_logged_for_a_peer_and_a_reason(sluiced):
    daemon = sluiced(daemon={"log_repeat_interval": "1h"}, calculator={})
    for reason in "http", "tls", "http", "http", "tls":
        connection = daemon.connect()
        connection.send(NO_CALLS[reason])
        connection.rest()
    assert daemon.metric("log_lines_suppressed_total") == 3
    for reason in "http", "tls":
        daemon.log.wait(rf"connection\.refused .*reason={reason} ")


def test_a_length_costs_no_memory_before_its_bytes_come(sluiced):
    """Sixty clients claim 16 MB each, almost a gigabyte if it were believed, and send a bit."""
    daemon = sluiced(daemon={"max_frame_bytes": 16384000}, calculator={})
    before_kib = memory_kib(daemon.process.pid, "VmPeak")
    connections = [daemon.connect() for _ in range(60)]
    sent = 0
    for part in struct.pack(">i", 16384000) + head("echo"), b"x" * 10_000, b"x":
        for connection in connections:
            connection.send(part)
        sent += 60 * len(part)
        daemon.wait_metric("received_bytes_total", sent)
    assert memory_kib(daemon.process.pid, "VmPeak") - before_kib < 100 * 1024


def test_a_client_that_does_not_read_disturbs_nobody_and_gets_everything_later(sluiced):
    """Forty megabytes of echoes that nobody reads yet: more than all buffers together hold."""
    daemon = sluiced(calculator={"workers": 2})
    slow, bystander = daemon.connect(), daemon.client()
    before_kib = memory_kib(daemon.process.pid, "VmHWM")
    data = [bytes([i % 251]) * 100_000 for i in range(400)]
    requests = b"".join(call("echo", data=each, seqid=i) for i, each in enumerate(data))
    sent = slow.send_until_it_blocks(requests)
    assert sent < len(requests)
    assert [bystander.add(i, 1) for i in range(500)] == list(range(1, 501))
    assert memory_kib(daemon.process.pid, "VmHWM") - before_kib < 30 * 1024
    sender = slow.send_in_background(requests[sent:])
    for i, each in enumerate(data):
        reply = slow.receive()
        assert (reply.seqid, reply.result()) == (i, each)
    sender.join()


def test_clients_that_vanish_leave_nothing_behind(sluiced):
    """Fifty in the middle of a request, fifty with replies pending, all by RST."""
    daemon = sluiced(calculator={})
    bystander = daemon.client()
    for i in range(50):
        halfway, waiting = daemon.connect(), daemon.connect()
        halfway.send(call("echo", data=b"x" * 1000)[:500])
        waiting.send(b"".join(call("echo", data=b"x" * 1000) for _ in range(20)))
        halfway.reset()
        waiting.reset()
        assert bystander.add(i, 1) == i + 1
    daemon.wait_metric("connections_open", 1)
    daemon.wait_metric("requests_running", 0, service="calculator")
    daemon.wait_metric("requests_queued", 0, service="calculator")
    assert daemon.metric("connections_closed_total", reason="client") == 100


def test_the_end_of_the_stream_inside_a_frame_ends_the_connection(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(call("add", a=2, b=3) + call("add", a=2, b=3)[:-1])
    connection.shut_write()
    assert connection.receive().result() == 5
    assert connection.at_end()


def test_connections_over_max_connections_are_closed_at_once(sluiced):
    daemon = sluiced(daemon={"max_connections": 3}, calculator={})
    first, *others = [daemon.client() for _ in range(3)]
    for client in first, *others:
        assert client.add(2, 3) == 5
    assert daemon.connect().at_end()
    assert daemon.metric("connections_refused_total") == 1
    assert first.add(2, 3) == 5
    daemon.close_clients()
    daemon.wait_metric("connections_open", 0)
    assert daemon.client().add(2, 3) == 5


def test_a_connection_without_calls_is_closed_after_idle_timeout(sluiced):
    daemon = sluiced(daemon={"idle_timeout": "50ms"}, calculator={})
    connection = daemon.connect()
    connection.send(call("add", a=2, b=3))
    assert connection.receive().result() == 5
    assert connection.at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="idle_timeout")


def test_a_connection_that_waits_for_its_reply_is_not_idle(sluiced):
    connection = sluiced(daemon={"idle_timeout": "20ms"}, calculator={}).connect()
    connection.send(call("sleep", msec=300))
    assert connection.receive().kind == REPLY


def test_a_request_that_does_not_become_complete_is_closed_after_frame_timeout(sluiced):
    daemon = sluiced(daemon={"frame_timeout": "50ms"}, calculator={})
    connection = daemon.connect()
    connection.send(call("add", a=2, b=3)[:-1])
    assert connection.at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="frame_timeout")
    assert daemon.client().add(2, 3) == 5


def test_a_client_that_never_reads_is_closed_after_write_timeout(sluiced):
    daemon = sluiced(daemon={"write_timeout": "50ms"}, calculator={})
    connection = daemon.connect(receive_buffer_bytes=4096)
    request = call("echo", data=b"x" * 100_000)
    connection.send_until_it_blocks(request * 400)
    daemon.wait_metric("connections_closed_total", 1, reason="write_timeout")
    assert daemon.client().add(2, 3) == 5


def test_a_thousand_connections_that_only_open_and_close_make_no_noise(sluiced):
    daemon = sluiced(calculator={})
    for _ in range(1000):
        Connection(daemon.tcp).close()
    daemon.wait_metric("connections_closed_total", 1000, reason="client")
    daemon.client().note("the end")
    daemon.log.wait("note from .*: the end")
    assert daemon.log.matches(r"connection\.|WARNING|ERROR") == []
