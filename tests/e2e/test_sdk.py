"""What a handler can ask of the SDK while it runs."""

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from waiting import eventually
from wire import call


@pytest.fixture
def crash(sluiced):
    daemon = sluiced(settings={"crash": {"greeting": "good morning", "empty": ""}},
                     crash={"workers": 1, "deadline": "20s"})
    client = daemon.client("crash")
    client.daemon = daemon
    return client


def test_a_handler_knows_how_long_its_caller_waits(crash):
    assert 0 < crash.time_left_usec() <= 20_000_000


def test_a_handler_knows_its_method_without_the_service(crash):
    assert crash.method() == "method"


def test_a_handler_knows_its_peer(crash):
    assert crash.peer().startswith("tcp://127.0.0.1:")
    over_unix = crash.daemon.client("crash", transport="unix")
    assert over_unix.peer().startswith("unix:pid=")


def test_a_handler_reads_its_settings(crash):
    assert crash.setting("greeting") == "good morning"
    assert crash.setting("empty") == ""
    assert crash.setting("absent") == ""


def test_framed_calls_carry_no_headers_and_replies_drop_theirs(crash):
    assert crash.header("anything") == ""
    assert crash.set_reply_header("name", "value") is True
    assert crash.ping() is None


def test_log_lines_arrive_with_service_worker_and_generation(crash):
    crash.log_lines(3, "a line of the handler")
    crash.daemon.log.wait(
        r'handler\.log service=crash worker=0 generation=1 message="a line of the handler"', 3)
    crash.daemon.wait_metric("handler_log_lines_total", 3, service="crash")


def test_lines_that_come_too_fast_are_left_out_and_counted(crash):
    """How many were left out is told with the next line that comes through."""
    crash.log_lines(20_000, "again and again")
    sent = 20_000

    def all_counted():
        nonlocal sent
        crash.log_lines(1, "later")
        sent += 1
        metrics = crash.daemon.admin.metrics()
        dropped = metrics.get("handler_log_dropped_total", service="crash")
        return dropped > 0 and dropped + metrics.get("handler_log_lines_total",
                                                     service="crash") == sent
    eventually(all_counted, "every line is counted, as logged or as left out")


def test_a_handler_hears_that_its_deadline_has_passed(sluiced):
    daemon = sluiced(crash={"workers": 1, "deadline": "100ms"})
    told = outcome(Background()(daemon.client("crash").wait_for_cancel, 60000))
    assert isinstance(told, TApplicationException) and told.message.startswith("deadline: ")
    daemon.log.wait(r'handler\.log service=crash .*message="cancelled"')


def test_a_handler_hears_that_its_client_has_gone(sluiced):
    daemon = sluiced(crash={"workers": 1})
    connection = daemon.connect()
    connection.send(call("wait_for_cancel", service="crash", msec=60000))
    daemon.wait_sleeping("crash")
    connection.reset()
    daemon.log.wait(r'handler\.log service=crash .*message="cancelled"')


def test_what_load_logs_arrives(sluiced):
    daemon = sluiced(calculator={}, settings={"calculator": {"greeting": "hello there"}})
    daemon.log.wait(r'handler\.log service=calculator worker=load .*greeting: hello there')
