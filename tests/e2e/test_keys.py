"""Calls with a key: one at a time, in order, on whichever worker is free."""

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from test_crash import assert_told
from wire import call

KEYED = {"counter.add": {"key": "arg:1"}, "counter.slow_add": {"key": "arg:1"}}
ROUTINGS = ["key-persistent", "sticky", "round-robin", "least-loaded", "consistent-hash"]
LONG_MSEC = 600_000


def add_often(client, name, times, msec=0):
    return [client.slow_add(name, 1, msec) for _ in range(times)]


@pytest.mark.parametrize("routing", ROUTINGS)
def test_no_addition_to_one_counter_is_lost_whichever_worker_runs_it(sluiced, routing):
    """The handler reads, rests and writes: two calls of a key at once would lose one."""
    daemon = sluiced(counter={"routing": routing}, methods=KEYED)
    background = Background()
    clients = [daemon.client("counter", protocol) for protocol in ["binary", "compact"] * 4]
    running = [background(add_often, client, "shared", 25, 1) for client in clients]
    results = [value for each in running for value in each.result()]
    assert sorted(results) == list(range(1, 201))
    assert daemon.client("counter").value("shared") == 200


def test_calls_of_different_keys_run_at_the_same_time(sluiced):
    daemon = sluiced(counter={}, methods=KEYED)
    background = Background()
    running = [background(daemon.client("counter").slow_add, name, 1, LONG_MSEC) for name in "abcd"]
    daemon.wait_sleeping("counter", 4)
    daemon.kill_sleepers("counter")
    for each in running:
        assert_told(outcome(each), "worker_crashed")


def test_calls_of_one_key_never_run_at_the_same_time(sluiced):
    """Three workers are idle all the while, and other keys are served by them."""
    daemon = sluiced(counter={}, methods=KEYED)
    background = Background()
    running = [background(daemon.client("counter").slow_add, "one", 1, LONG_MSEC) for _ in range(3)]
    bystander = daemon.client("counter")
    for left in (2, 1, 0):
        daemon.wait_metric("requests_queued", left, service="counter")
        daemon.wait_sleeping("counter", 1)
        assert bystander.add("other", 1) == 3 - left
        daemon.kill_sleepers("counter")
    assert [type(outcome(each)) for each in running] == [TApplicationException] * 3


def test_a_key_goes_on_when_the_worker_that_had_it_dies(sluiced):
    """The counters live in memory of the host's making; the one that was killed had not written."""
    daemon = sluiced(counter={"workers": 2}, methods=KEYED)
    client, background = daemon.client("counter"), Background()
    assert client.add("k", 5) == 5
    killed = background(daemon.client("counter").slow_add, "k", 1, LONG_MSEC)
    daemon.wait_sleeping("counter", 1)
    waiting = background(client.add, "k", 2)
    daemon.wait_metric("requests_queued", 1, service="counter")
    daemon.kill_sleepers("counter")
    assert_told(outcome(killed), "worker_crashed")
    assert waiting.result() == 7


def test_a_peer_is_a_key(sluiced):
    """All connections of this test are one peer, so its calls run one at a time."""
    daemon = sluiced(counter={}, methods={"counter.slow_add": {"key": "peer"}})
    background = Background()
    running = [background(daemon.client("counter").slow_add, name, 1, LONG_MSEC) for name in "ab"]
    daemon.wait_sleeping("counter", 1)
    daemon.wait_metric("requests_queued", 1, service="counter")
    for left in (1, 0):
        daemon.wait_sleeping("counter", 1)
        daemon.kill_sleepers("counter")
        daemon.wait_metric("requests_queued", 0, service="counter")
    assert [type(outcome(each)) for each in running] == [TApplicationException] * 2


def test_queuer_runs_calls_of_one_key_at_the_same_time(sluiced):
    """It is what the configuration refuses to combine with a key; without one nothing waits."""
    daemon = sluiced(counter={"routing": "queuer"})
    background = Background()
    running = [background(daemon.client("counter").slow_add, "k", 1, LONG_MSEC) for _ in range(4)]
    daemon.wait_sleeping("counter", 4)
    daemon.kill_sleepers("counter")
    for each in running:
        assert_told(outcome(each), "worker_crashed")


def test_what_cannot_be_a_key_is_refused(sluiced):
    """echo() is sent a text where the configuration looks into a struct."""
    daemon = sluiced(calculator={}, methods={"calculator.echo": {"key": "arg:1.1"}})
    connection = daemon.connect()
    connection.send(call("echo", data=b"x"))
    error = connection.receive().error
    assert (error.message.split(":")[0], error.type) == ("bad_key", TApplicationException.PROTOCOL_ERROR)
    assert daemon.metric("requests_refused_total", service="calculator", reason="bad_key") == 1
