"""Calls that no stock client of ours sends, but others do: each gets what Thrift owes it."""

import struct

import pytest
from thrift.Thrift import TApplicationException

from wire import CALL, EXCEPTION, ONEWAY, REPLY, call, frame, head

FINAGLE_PROBE = "__can__finagle__trace__v3__"
EMPTY_STRUCT = b"\0"

each_protocol = pytest.mark.parametrize("protocol", ["binary", "compact"])


def assert_still_serves(connection):
    connection.send(call("add", a=2, b=3))
    assert connection.receive().result() == 5


@each_protocol
def test_pipelined_calls_are_answered_in_their_order(sluiced, protocol):
    """200 frames in one write to four workers; the slow ones must not be overtaken."""
    connection = sluiced(calculator={"workers": 4}).connect()
    slow = {seqid: seqid % 4 for seqid in range(0, 200, 7)}
    connection.send(b"".join(
        call("sleep", msec=slow[i], seqid=i, protocol=protocol) if i in slow
        else call("add", a=i, b=1, seqid=i, protocol=protocol) for i in range(200)))
    for i in range(200):
        reply = connection.receive()
        assert (reply.seqid, reply.name) == (i, "sleep" if i in slow else "add")
        assert reply.result() == (None if i in slow else i + 1)


def test_more_pipelined_calls_than_max_pipelined_are_all_answered(sluiced):
    connection = sluiced(daemon={"max_pipelined": 4}, calculator={}).connect()
    connection.send(b"".join(call("add", a=i, b=1, seqid=i) for i in range(200)))
    assert [connection.receive().result() for _ in range(200)] == list(range(1, 201))


@each_protocol
def test_a_frame_that_comes_byte_by_byte_is_answered(sluiced, protocol):
    """Each byte is read alone: the next is sent when the daemon has counted the one before."""
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    request = call("add", a=2, b=3, protocol=protocol)
    for i in range(len(request)):
        connection.send(request[i:i + 1])
        daemon.wait_metric("received_bytes_total", i + 1)
    assert connection.receive().result() == 5


def test_a_frame_split_anywhere_is_answered(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    request = call("add", a=2, b=3)
    for at in range(1, len(request)):
        connection.send(request[:at])
        daemon.wait_metric("received_bytes_total", (at - 1) * len(request) + at)
        connection.send(request[at:])
        assert connection.receive().result() == 5


def test_frames_that_come_merged_are_answered_one_by_one(sluiced):
    connection = sluiced(calculator={}).connect()
    first, second, third = (call("add", a=i, b=1, seqid=i) for i in range(3))
    connection.send(first + second + third[:9])
    assert [connection.receive().result() for _ in range(2)] == [1, 2]
    connection.send(third[9:])
    assert connection.receive().result() == 3


@each_protocol
@pytest.mark.parametrize("kind", [ONEWAY, CALL], ids=["as_oneway", "as_call"])
def test_a_oneway_call_gets_no_reply_and_the_next_call_does(sluiced, protocol, kind):
    """Go's client sends oneway methods as T_CALL; it does not read a reply either."""
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(call("note", text="x", kind=kind, seqid=1, protocol=protocol)
                    + call("add", a=2, b=3, seqid=2, protocol=protocol))
    reply = connection.receive()
    assert (reply.seqid, reply.result()) == (2, 5)
    daemon.wait_metric("requests_completed_total", 2, service="calculator")
    assert daemon.metric("requests_oneway_total", service="calculator") == (kind == ONEWAY)


def test_a_oneway_call_runs_though_its_client_leaves_while_it_waits(sluiced):
    """And the daemon outlives that: nobody is left who would take the call's end."""
    daemon = sluiced(calculator={"workers": 1, "lookahead": 0})
    sleeper, leaver = daemon.connect(), daemon.connect()
    sleeper.send(call("sleep", msec=60000))
    daemon.wait_sleeping("calculator")
    leaver.send(call("note", kind=ONEWAY, text="left behind"))
    daemon.wait_metric("requests_oneway_total", 1, service="calculator")
    leaver.reset()
    daemon.wait_metric("connections_open", 1)
    daemon.kill_sleepers("calculator")
    daemon.log.wait("left behind")
    daemon.wait_metric("requests_completed_total", 1, service="calculator")


def test_a_method_with_a_result_called_oneway_gets_no_reply(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(call("add", a=1, b=1, kind=ONEWAY) + call("add", a=2, b=3, seqid=2))
    reply = connection.receive()
    assert (reply.seqid, reply.result()) == (2, 5)


def test_an_old_head_is_answered_with_a_strict_one(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(call("add", a=2, b=3, strict=False))
    message = connection.receive_message()
    assert message.startswith(b"\x80\x01\0\x02" + struct.pack(">i", 3) + b"add")
    assert_still_serves(connection)


@each_protocol
@pytest.mark.parametrize("seqid", [0, -1, 2**31 - 1, -2**31])
def test_every_seqid_comes_back(sluiced, protocol, seqid):
    connection = sluiced(calculator={}).connect()
    connection.send(call("add", a=2, b=3, seqid=seqid, protocol=protocol)
                    + frame(head("no_such", CALL, seqid, protocol) + EMPTY_STRUCT))
    assert [connection.receive().seqid for _ in range(2)] == [seqid, seqid]


@each_protocol
@pytest.mark.parametrize("name, method", [
    ("no_such", "no_such"),
    (FINAGLE_PROBE, FINAGLE_PROBE),
    ("", ""),
    ("n" * 70000, "n" * 70000),
    ("calculator:", ""),
    ("calculator:b:c", "b:c"),
    ("calculator:calculator:add", "calculator:add"),
], ids=["unknown", "finagle", "empty", "70kB", "empty_multiplexed", "colon", "twice"])
def test_an_unknown_method_is_told_so_and_the_connection_lives(sluiced, protocol, name, method):
    connection = sluiced(calculator={}).connect()
    connection.send(frame(head(name, protocol=protocol) + EMPTY_STRUCT))
    reply = connection.receive()
    assert (reply.kind, reply.name) == (EXCEPTION, method)
    assert reply.error.type == TApplicationException.UNKNOWN_METHOD
    assert reply.error.message.startswith("unknown_method: ")
    assert_still_serves(connection)


@each_protocol
@pytest.mark.parametrize("name, method", [("zzz:ping", "ping"), (":ping", "ping"), (":", ""),
                                          ("a:b:c", "b:c"), ("CALCULATOR:ping", "ping")])
def test_an_unknown_service_is_told_so_and_the_connection_lives(sluiced, protocol, name, method):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(frame(head(name, protocol=protocol) + EMPTY_STRUCT))
    reply = connection.receive()
    assert (reply.kind, reply.name) == (EXCEPTION, method)
    assert reply.error.type == TApplicationException.UNKNOWN_METHOD
    assert reply.error.message.startswith("unknown_service: ")
    assert_still_serves(connection)
    assert daemon.metric("requests_refused_total", service="", reason="unknown_service") == 1


@each_protocol
def test_arguments_that_the_method_does_not_know_are_skipped(sluiced, protocol):
    """A client of a newer IDL: add's fields plus a string, a list and a struct."""
    unknown = {
        "binary": b"\x0b\0\x09\0\0\0\x02hi" + b"\x0f\0\x0a\x08\0\0\0\x01\0\0\0\x07"
                  + b"\x0c\0\x0b\x08\0\x01\0\0\0\x01\0",
        "compact": b"\x78\x02hi" + b"\x19\x15\x0e" + b"\x1c\x15\x02\0",
    }[protocol]
    known = call("add", a=2, b=3, protocol=protocol)[4:-1]
    connection = sluiced(calculator={}).connect()
    connection.send(frame(known + unknown + EMPTY_STRUCT))
    assert connection.receive().result() == 5


def test_arguments_that_are_not_there_have_their_defaults(sluiced):
    connection = sluiced(calculator={}).connect()
    connection.send(frame(head("add") + EMPTY_STRUCT) + frame(head("echo") + EMPTY_STRUCT))
    assert [connection.receive().result() for _ in range(2)] == [0, b""]


def test_each_protocol_is_answered_in_its_own_on_one_connection(sluiced):
    connection = sluiced(calculator={}).connect()
    for protocol, first in ("binary", 0x80), ("compact", 0x82), ("binary", 0x80):
        connection.send(call("add", a=2, b=3, protocol=protocol))
        assert connection.receive_message()[0] == first


def test_replies_come_after_the_client_has_shut_its_side(sluiced):
    """A hundred pipelined calls, then SHUT_WR: every reply, then the end of the stream."""
    connection = sluiced(calculator={"workers": 1}).connect()
    connection.send(call("sleep", msec=20)
                    + b"".join(call("echo", data=b"x" * 2000, seqid=i) for i in range(100)))
    connection.shut_write()
    assert connection.receive().name == "sleep"
    for i in range(100):
        reply = connection.receive()
        assert (reply.kind, reply.seqid, len(reply.result())) == (REPLY, i, 2000)
    assert connection.at_end()
