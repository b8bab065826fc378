"""Messages without frames: their ends are found by walking them, however the bytes come."""

import pytest

from wire import CALL, ONEWAY, arguments, call, head

each_protocol = pytest.mark.parametrize("protocol", ["binary", "compact"])


def unframed(method, **values):
    return call(method, **values)[4:]


@each_protocol
def test_every_split_of_a_call_is_answered(sluiced, protocol):
    daemon = sluiced(calculator={})
    message = unframed("echo", protocol=protocol, data=b"0123456789" * 3)
    connection = daemon.connect()
    for cut in range(1, len(message)):
        connection.send(message[:cut])
        daemon.wait_metric("received_bytes_total", cut + (cut - 1) * len(message))
        connection.send(message[cut:])
        assert connection.receive_unframed(protocol).result() == b"0123456789" * 3


@each_protocol
def test_many_calls_in_one_segment_are_answered_in_order(sluiced, protocol):
    connection = sluiced(calculator={}).connect()
    connection.send(b"".join(unframed("add", protocol=protocol, a=i, b=1, seqid=i)
                             for i in range(500)))
    for i in range(500):
        reply = connection.receive_unframed(protocol)
        assert (reply.seqid, reply.result()) == (i, i + 1)


def test_megabytes_byte_by_byte_cost_time_in_proportion(sluiced):
    """The walk goes on where it was: nothing is looked at again with each piece."""
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    data = b"x" * 300_000
    message = unframed("echo", data=data)
    for at in range(0, len(message), 100):
        connection.send(message[at:at + 100])
    assert connection.receive_unframed("binary").result() == data


def test_a_oneway_call_gets_no_reply_and_the_next_one_gets_its_own(sluiced):
    connection = sluiced(calculator={}).connect()
    note = head("note", ONEWAY) + arguments("note", text="hello")
    connection.send(note + unframed("add", a=2, b=3, seqid=7))
    reply = connection.receive_unframed("binary")
    assert (reply.seqid, reply.result()) == (7, 5)


def test_a_message_over_the_limit_is_told_and_closes(sluiced):
    daemon = sluiced(daemon={"max_frame_bytes": "4K"}, calculator={})
    connection = daemon.connect()
    connection.send(unframed("echo", data=b"x" * 3000))
    assert connection.receive_unframed("binary").result() == b"x" * 3000
    connection.send(unframed("echo", data=b"x" * 5000, seqid=3))
    reply = connection.receive_unframed("binary")
    assert reply.seqid == 3 and "frame_too_large" in reply.error.message
    assert connection.at_end()


def test_a_client_that_half_closes_still_gets_its_replies(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(b"".join(unframed("add", a=i, b=1, seqid=i) for i in range(50)))
    connection.shut_write()
    assert [connection.receive_unframed("binary").result() for _ in range(50)] == list(range(1, 51))
    assert connection.at_end()


def test_a_refusal_is_unframed_as_well(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(head("nosuch", CALL, 9) + b"\0")
    assert "unknown_method" in connection.receive_unframed("binary").error.message
    connection.send(head("shop:ping", CALL, 10) + b"\0")
    assert "unknown_service" in connection.receive_unframed("binary").error.message


def test_a_connection_that_began_without_frames_has_none_later(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(unframed("add", a=2, b=3) + call("add", a=2, b=3))
    assert connection.receive_unframed("binary").result() == 5
    assert connection.at_end()
