"""What a handler returns, and what its client gets for it: one well-formed reply, always."""

import pytest
from thrift.Thrift import TApplicationException

from clients import interface
from wire import CALL, EXCEPTION, ONEWAY, call

INTERNAL_ERROR = TApplicationException.INTERNAL_ERROR

pytestmark = pytest.mark.parametrize("protocol", ["binary", "compact"])


@pytest.fixture
def crash(sluiced, protocol):
    daemon = sluiced(crash={"workers": 1})
    client = daemon.client("crash", protocol)
    client.daemon = daemon
    yield client
    assert client.ping() is None
    assert daemon.metric("worker_deaths_total", service="crash") == 0


def assert_told(method, *arguments, message):
    with pytest.raises(TApplicationException) as told:
        method(*arguments)
    assert told.value.type == INTERNAL_ERROR
    assert told.value.message == message


def test_a_declared_exception_arrives_as_itself(crash):
    with pytest.raises(interface("crash").Declared) as thrown:
        crash.declared(42, "as declared")
    assert (thrown.value.code, thrown.value.text) == (42, "as declared")
    assert crash.daemon.metric("requests_completed_total", service="crash") == 1


@pytest.mark.parametrize("code", [0, 1, 7, -1, 2**31 - 1])
def test_an_undeclared_error_arrives_with_its_text_and_not_with_its_code(crash, code):
    assert_told(crash.plain_error, code, "the text", message="app_error: the text")
    assert crash.daemon.metric("requests_app_error_total", service="crash") == 1


def test_an_error_text_of_any_bytes_arrives_as_utf_8(crash):
    assert_told(crash.plain_error, 0, "grüße, 世界", message="app_error: grüße, 世界")


def test_a_failure_without_an_error_is_told(crash):
    assert_told(crash.no_error, message="app_error: handler failed without saying why")


def test_success_with_an_error_set_is_a_success_and_is_logged(crash):
    assert crash.error_and_success("both") == "both"
    crash.daemon.log.wait(r"handler\.log service=crash .*error_and_success.*both")


def test_success_with_an_exception_set_is_a_success(crash):
    assert crash.exception_and_success() is None


def test_a_missing_struct_is_told_as_a_broken_handler(crash):
    with pytest.raises(TApplicationException) as told:
        crash.null_struct()
    assert told.value.type == INTERNAL_ERROR
    assert told.value.message.startswith("broken_handler: ")


def test_a_missing_string_is_an_empty_one(crash):
    assert crash.null_string() == ""


def test_a_large_reply_arrives(crash):
    assert crash.large(1 << 20) == b"x" * (1 << 20)


@pytest.mark.parametrize("reply", [b"", b"\xff\xff\xff", b"\0\0", b"\x0b\0\0\x7f\xff\xff\xff"],
                         ids=["empty", "noise", "trailing", "long"])
def test_a_reply_that_is_no_struct_is_replaced(crash, reply):
    with pytest.raises(TApplicationException) as told:
        crash.garbage(reply)
    assert told.value.type == INTERNAL_ERROR
    assert told.value.message.split(":")[0] in ("bad_reply", "broken_handler")


@pytest.mark.parametrize("kind", [ONEWAY, CALL], ids=["as_oneway", "as_call"])
def test_a_oneway_call_that_fails_sends_nothing_and_is_logged(crash, protocol, kind):
    connection = crash.daemon.connect()
    connection.send(call("fail_oneway", service="crash", text="alone", kind=kind, seqid=1,
                         protocol=protocol)
                    + call("plain_error", service="crash", code=1, text="heard", seqid=2,
                           protocol=protocol))
    reply = connection.receive()
    assert (reply.seqid, reply.kind, reply.error.message) == (2, EXCEPTION, "app_error: heard")
    crash.daemon.log.wait(r"handler\.log service=crash .*oneway_failed.*alone")
