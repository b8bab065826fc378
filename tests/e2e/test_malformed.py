"""Arguments that would hang, crash or bloat Apache's own c_glib server: each is answered, by the
same worker process as before and after."""

import struct

import pytest
from thrift.Thrift import TApplicationException

from wire import CALL, EXCEPTION, ONEWAY, call, frame, head

BINARY, COMPACT = "binary", "compact"
STOP = b"\0"
INT32_MAX = struct.pack(">i", 2**31 - 1)
DATA = {BINARY: b"\x0b\0\x01", COMPACT: b"\x18"}       # field 1, a string
VARINT_INT32_MAX = b"\xff\xff\xff\xff\x07"

# method, protocol, its arguments
REFUSED = {
    "no_arguments_at_all": ("ping", BINARY, b""),
    "negative_length": ("echo", BINARY, DATA[BINARY] + b"\xff\xff\xff\xff" + STOP),
    "most_negative_length": ("echo", BINARY, DATA[BINARY] + b"\x80\0\0\0" + STOP),
    "length_2_GiB": ("echo", BINARY, DATA[BINARY] + INT32_MAX + STOP),
    "length_1_GiB": ("echo", BINARY, DATA[BINARY] + b"\x40\0\0\0" + STOP),
    "length_one_too_long": ("echo", BINARY, DATA[BINARY] + b"\0\0\0\x03" + b"x" + STOP),
    "compact_length_2_GiB": ("echo", COMPACT, DATA[COMPACT] + VARINT_INT32_MAX + STOP),
    "compact_length_over_int32": ("echo", COMPACT, DATA[COMPACT] + b"\xff\xff\xff\xff\x0f" + STOP),
    "endless_varint": ("echo", COMPACT, DATA[COMPACT] + b"\xff" * 20 + STOP),
    "skipped_string_cut_off": ("ping", BINARY, b"\x0b\0\x09\0\0"),
    "skipped_string_too_long": ("ping", BINARY, b"\x0b\0\x09" + INT32_MAX + b"x"),
    "compact_skipped_string_cut_off": ("ping", COMPACT, b"\x18\xff"),
    "nested_100000_structs": ("ping", BINARY, b"\x0c\0\x01" * 100_000),
    "compact_nested_100000_structs": ("ping", COMPACT, b"\x1c" * 100_000),
    "nested_100000_lists": ("ping", BINARY, b"\x0f\0\x01" + b"\x0f\0\0\0\x01" * 100_000),
    "compact_nested_100000_lists": ("ping", COMPACT, b"\x19" + b"\x19" * 100_000),
    "same_binary_field_twice": ("echo", BINARY, (DATA[BINARY] + b"\0\0\0\x02hi") * 2 + STOP),
    "compact_same_binary_field_twice":
        ("echo", COMPACT, DATA[COMPACT] + b"\x02hi" + b"\x08\x02\x02hi" + STOP),
    "list_of_2_30_integers": ("ping", BINARY, b"\x0f\0\x01\x08\x40\0\0\0" + b"x" * 100 + STOP),
    "list_of_2_31_structs": ("ping", BINARY, b"\x0f\0\x01\x0c" + INT32_MAX + STOP * 100),
    "list_of_negative_count": ("ping", BINARY, b"\x0f\0\x01\x08\xff\xff\xff\xff" + STOP),
    "list_of_unknown_type": ("ping", BINARY, b"\x0f\0\x01\x63\0\0\0\x01\0" + STOP),
    "map_of_2_31_entries": ("ping", BINARY, b"\x0d\0\x01\x0b\x0b" + INT32_MAX + STOP * 100),
    "set_of_2_31_booleans": ("ping", BINARY, b"\x0e\0\x01\x02" + INT32_MAX + STOP * 100),
    "compact_list_of_2_31_structs": ("ping", COMPACT, b"\x19\xfc" + VARINT_INT32_MAX + STOP * 100),
    "compact_map_of_2_31_entries": ("ping", COMPACT, b"\x1b" + VARINT_INT32_MAX + b"\x88" + STOP),
    "field_of_unknown_type": ("ping", BINARY, b"\x63\0\x01\0" + STOP),
    "compact_field_of_unknown_type": ("ping", COMPACT, b"\x1f\0" + STOP),
}


def binary_map(entries):
    """Field 1, a map<string, i32>, of as many different keys."""
    return (b"\x0d\0\x01\x0b\x08" + struct.pack(">i", entries)
            + b"".join(b"\0\0\0\x06%06d" % i + b"\0\0\0\x01" for i in range(entries)) + STOP)


# What is odd, but well-formed: skipped, and the call is answered.
ANSWERED = {
    "100000_keys": ("ping", BINARY, binary_map(100_000)),
    "a_million_empty_structs":
        ("ping", BINARY, b"\x0f\0\x01\x0c" + struct.pack(">i", 1_000_000) + STOP * 1_000_001),
    "nested_60_structs": ("ping", BINARY, b"\x0c\0\x01" * 60 + STOP * 61),
    "compact_nested_60_structs": ("ping", COMPACT, b"\x1c" * 60 + STOP * 61),
    "other_type_in_a_known_field": ("add", BINARY, b"\x0b\0\x01\0\0\0\x02hi" + STOP),
    "bytes_after_the_stop": ("ping", BINARY, STOP + b"trailing"),
}


@pytest.fixture
def served(sluiced):
    """A connection to one worker, and a check that it is still the same process."""
    daemon = sluiced(calculator={"workers": 1})
    connection = daemon.connect()
    before = daemon.worker_pids("calculator")
    yield connection
    connection.send(call("add", a=2, b=3, seqid=77))
    reply = connection.receive()
    assert (reply.seqid, reply.result()) == (77, 5)
    assert daemon.worker_pids("calculator") == before
    assert daemon.metric("worker_deaths_total", service="calculator") == 0


def assert_bad_arguments(reply, what):
    assert reply.kind == EXCEPTION, what
    assert reply.error.type == TApplicationException.PROTOCOL_ERROR, what
    assert reply.error.message.startswith("bad_arguments: "), what


def test_malformed_arguments_are_refused_and_the_connection_lives(served):
    for what, (method, protocol, arguments) in REFUSED.items():
        served.send(frame(head(method, protocol=protocol) + arguments))
        assert_bad_arguments(served.receive(), what)


def test_odd_but_well_formed_arguments_are_answered(served):
    for what, (method, protocol, arguments) in ANSWERED.items():
        served.send(frame(head(method, protocol=protocol) + arguments))
        assert served.receive().error is None, what


@pytest.mark.parametrize("protocol", [BINARY, COMPACT])
def test_arguments_cut_off_anywhere_are_refused(served, protocol):
    whole = call("add", a=1000, b=3, protocol=protocol)[4:]
    start = len(head("add", protocol=protocol))
    for end in range(start, len(whole)):
        served.send(frame(whole[:end]))
        assert_bad_arguments(served.receive(), end)


@pytest.mark.parametrize("protocol", [BINARY, COMPACT])
def test_one_wrong_byte_anywhere_in_the_arguments_is_answered(served, protocol):
    """Whatever it turns the arguments into: one reply, and the next call is understood."""
    whole = call("echo", data=b"0123456789", protocol=protocol)[4:]
    start = len(head("echo", protocol=protocol))
    for at in range(start, len(whole)):
        for flip in 0x01, 0x80, 0xff:
            broken = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1:]
            served.send(frame(broken))
            assert served.receive().name == "echo", (at, flip)


@pytest.mark.parametrize("protocol", [BINARY, COMPACT])
def test_malformed_multiplexed_arguments_are_told_under_the_methods_name(served, protocol):
    """Not under the name of the service, as Apache's ThriftMultiplexedProcessor does it."""
    served.send(frame(head("calculator:echo", seqid=7, protocol=protocol) + DATA[protocol]))
    reply = served.receive()
    assert (reply.name, reply.seqid) == ("echo", 7)
    assert_bad_arguments(reply, protocol)


def test_malformed_arguments_of_a_oneway_call_get_no_reply(served):
    served.send(frame(head("note", ONEWAY) + b"\x0b\0\x01" + INT32_MAX + STOP))


def test_wrong_arguments_count_as_errors_of_the_application(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(frame(head("add", CALL) + b"\x63\0\x01\0"))
    assert_bad_arguments(connection.receive(), "unknown type")
    assert daemon.metric("requests_app_error_total", service="calculator") == 1
