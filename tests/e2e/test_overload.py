"""More calls than a service can take: bounded queues, early answers, exact numbers."""

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from wire import ONEWAY, call

LOADSHEDDING, TIMEOUT = 11, 12
LONG_MSEC = 60000


def assert_told(error, token, kind):
    assert isinstance(error, TApplicationException), error
    assert (error.message.split(":")[0], error.type) == (token, kind)


def keep_busy(daemon, workers):
    """Every worker of the calculator runs a call that does not end by itself."""
    busy = daemon.connect()
    busy.send(call("sleep", msec=LONG_MSEC) * workers)
    daemon.wait_sleeping("calculator", workers)
    return busy


def test_calls_over_queue_limit_are_refused_at_once(sluiced):
    daemon = sluiced(calculator={"workers": 1, "queue_limit": 2})
    keep_busy(daemon, 1)
    waiting, refused = daemon.connect(), daemon.client()
    waiting.send(call("add", a=1, b=1) + call("add", a=2, b=2))
    daemon.wait_metric("requests_received_total", 3, service="calculator")
    for _ in range(100):
        with pytest.raises(TApplicationException) as told:
            refused.add(2, 3)
        assert_told(told.value, "loadshed_newest", LOADSHEDDING)
    assert daemon.metric("requests_refused_total", service="calculator",
                         reason="loadshed_newest") == 100
    daemon.kill_sleepers("calculator")
    assert [waiting.receive().result() for _ in range(2)] == [2, 4]
    assert refused.add(2, 3) == 5


def test_with_queue_limit_0_a_call_is_served_at_once_or_refused(sluiced):
    daemon = sluiced(calculator={"workers": 2, "queue_limit": 0})
    client = daemon.client()
    assert [client.add(i, 1) for i in range(100)] == list(range(1, 101))
    keep_busy(daemon, 2)
    with pytest.raises(TApplicationException) as told:
        client.add(2, 3)
    assert_told(told.value, "loadshed_newest", LOADSHEDDING)
    daemon.kill_sleepers("calculator")
    daemon.wait_metric("worker_starts_total", 4, service="calculator")
    assert client.add(2, 3) == 5


def test_calls_over_queue_bytes_are_refused(sluiced):
    daemon = sluiced(calculator={"workers": 1, "queue_bytes": "100K"})
    keep_busy(daemon, 1)
    waiting, refused = daemon.connect(), daemon.client()
    waiting.send(call("echo", data=b"x" * 60_000) * 20)
    daemon.wait_metric("requests_received_total", 21, service="calculator")
    with pytest.raises(TApplicationException) as told:
        refused.echo(b"x" * 60_000)
    assert_told(told.value, "queue_full", LOADSHEDDING)
    assert daemon.metric("queued_bytes", service="calculator") <= 100 * 1024


def test_one_service_that_is_full_does_not_refuse_for_another(sluiced):
    daemon = sluiced(calculator={"workers": 1, "queue_limit": 0}, crash={})
    keep_busy(daemon, 1)
    assert daemon.client("crash").ping() is None


def test_waiting_calls_are_answered_at_their_deadline_although_every_worker_hangs(sluiced):
    """Their callers hear it from sluiced's own clock; the calls never run."""
    daemon = sluiced(calculator={"workers": 2, "deadline": "200ms"})
    keep_busy(daemon, 2)
    connection = daemon.connect()
    connection.send(b"".join(call("add", a=1, b=1, seqid=seqid) for seqid in range(100)))
    for seqid in range(100):
        reply = connection.receive()
        assert reply.seqid == seqid
        assert_told(reply.error, "deadline", TIMEOUT)
    metrics = daemon.admin.metrics()
    assert metrics.get("requests_discarded_total", service="calculator", reason="deadline") == 100
    assert metrics.get("requests_lost_total", service="calculator", reason="deadline") == 2
    assert metrics.get("requests_completed_total", service="calculator") == 0


def test_a_running_call_is_answered_at_its_deadline(sluiced):
    daemon = sluiced(calculator={"workers": 1, "deadline": "50ms"})
    with pytest.raises(TApplicationException) as told:
        daemon.client().sleep(LONG_MSEC)
    assert_told(told.value, "deadline", TIMEOUT)
    assert "50 ms" in told.value.message


def test_a_late_reply_is_dropped_and_the_connection_stays_in_order(sluiced):
    daemon = sluiced(calculator={"workers": 1, "deadline": "300ms"})
    client = daemon.client()
    with pytest.raises(TApplicationException):
        client.sleep(500)
    daemon.wait_metric("requests_running", 0, service="calculator")
    daemon.wait_sleeping("calculator", 0)
    assert client.add(2, 3) == 5


def test_a_waiting_call_whose_client_has_gone_never_runs(sluiced):
    """Gone as a client with replies unread goes: by RST.  The end of its stream alone could be
    a client that shut its side and waits."""
    daemon = sluiced(calculator={"workers": 1})
    keep_busy(daemon, 1)
    impatient = daemon.connect()
    impatient.send(call("echo", data=b"x") * 30)
    daemon.wait_metric("requests_received_total", 31, service="calculator")
    impatient.reset()
    daemon.wait_metric("requests_discarded_total", 30, service="calculator", reason="client_gone")
    assert daemon.metric("requests_completed_total", service="calculator") == 0


def test_a_oneway_call_runs_although_its_client_has_gone(sluiced):
    daemon = sluiced(calculator={"workers": 1})
    keep_busy(daemon, 1)
    brief = daemon.connect()
    brief.send(call("note", text="last words", kind=ONEWAY))
    daemon.wait_metric("requests_oneway_total", 1, service="calculator")
    brief.reset()
    daemon.wait_metric("connections_open", 1)
    daemon.kill_sleepers("calculator")
    daemon.log.wait("note from .*: last words")


def test_all_workers_run_at_the_same_time(sluiced):
    daemon = sluiced(calculator={"workers": 8})
    background, clients = Background(), [daemon.client() for _ in range(8)]
    running = [background(client.sleep, LONG_MSEC) for client in clients]
    daemon.wait_sleeping("calculator", 8)
    daemon.kill_sleepers("calculator")
    for each in running:
        assert_told(outcome(each), "worker_crashed", TApplicationException.INTERNAL_ERROR)


def test_clients_that_come_and_go_do_not_wear_out_the_queue_before_a_busy_worker(sluiced):
    """Each leaves a trace where calls are announced; a call that waits there keeps its place."""
    daemon = sluiced(calculator={"workers": 1, "lookahead": 2})
    sleeper, waiting = daemon.connect(), daemon.connect()
    sleeper.send(call("sleep", msec=3600000))
    daemon.wait_sleeping("calculator")
    waiting.send(call("add", a=2, b=3))
    daemon.wait_metric("requests_received_total", 2, service="calculator")
    for left in range(1, 201):
        leaver = daemon.connect()
        leaver.send(call("add", a=2, b=3))
        daemon.wait_metric("requests_received_total", 2 + left, service="calculator")
        leaver.reset()
        daemon.wait_metric("requests_discarded_total", left, service="calculator",
                           reason="client_gone")
    daemon.kill_sleepers("calculator")
    assert waiting.receive().result() == 5
