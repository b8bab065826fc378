"""A worker that dies takes one call with it; its caller is told so at once, nobody else notices."""

import os
import re
import signal
import threading

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from processes import marked, n_descriptors
from waiting import eventually
from wire import call

INTERNAL_ERROR, TIMEOUT = TApplicationException.INTERNAL_ERROR, 12

ENDS = {
    "segfault": ((), "was killed by signal 11 (SIGSEGV)"),
    "do_abort": ((), "was killed by signal 6 (SIGABRT)"),
    "do_exit": ((3,), "exited with status 3"),
    "overflow_stack": ((), "was killed by signal 11 (SIGSEGV)"),
}


def told_by(method, *arguments):
    with pytest.raises(TApplicationException) as told:
        method(*arguments)
    return told.value


def assert_told(error, token, kind=INTERNAL_ERROR):
    assert isinstance(error, TApplicationException), error
    assert (error.message.split(":")[0], error.type) == (token, kind)


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_worker_costs_its_own_call_only(sluiced, end):
    """Clients of the same and of another service call all the while."""
    arguments, how = ENDS[end]
    daemon = sluiced(calculator={}, crash={"workers": 2})
    doomed, background, told = daemon.client("crash"), Background(), threading.Event()

    def call_until_told(method):
        calls = 0
        while not told.is_set():
            method()
            calls += 1
        return calls

    others = [background(call_until_told, daemon.client(name).ping)
              for name in ("crash", "calculator")]
    error = told_by(getattr(doomed, end), *arguments)
    assert_told(error, "worker_crashed")
    assert how in error.message
    daemon.wait_metric("workers_ready", 2, service="crash")
    assert doomed.ping() is None
    told.set()
    assert all(calls.result() > 0 for calls in others)
    assert daemon.metric("worker_deaths_total", service="crash") == 1
    assert daemon.metric("requests_lost_total", service="crash", reason="worker_crashed") == 1
    assert daemon.metric("worker_deaths_total", service="calculator") == 0
    daemon.log.wait(r'worker\.died service=crash .* calls_lost=1 how="' + re.escape(how))


def test_exit_with_status_0_in_the_middle_of_a_call_is_a_crash_too(sluiced):
    daemon = sluiced(crash={"workers": 1})
    client = daemon.client("crash")
    told = told_by(client.do_exit, 0)
    assert_told(told, "worker_crashed")
    assert "exited with status 0" in told.message
    assert client.ping() is None
    assert daemon.metric("worker_deaths_total", service="crash") == 1


def test_a_worker_that_dies_in_a_oneway_call_sends_nothing(sluiced):
    daemon = sluiced(crash={"workers": 1})
    client = daemon.client("crash")
    before = client.pid()
    assert client.segfault_oneway() is None
    assert client.pid() != before
    assert daemon.metric("requests_lost_total", service="crash", reason="worker_crashed") == 1


def test_a_hundred_crashes_in_a_row_lose_a_hundred_calls_and_no_descriptor(sluiced):
    daemon = sluiced(crash={"workers": 2, "poison_after": 0, "restart_backoff_min": "1ms",
                            "restart_backoff_max": "1ms", "restart_intensity": "none"})
    client = daemon.client("crash")
    daemon.wait_metric("workers_ready", 2, service="crash")
    descriptors = n_descriptors(daemon.process.pid)
    for _ in range(100):
        assert_told(told_by(client.do_exit, 1), "worker_crashed")
    assert client.ping() is None
    daemon.wait_metric("workers_ready", 2, service="crash")
    assert daemon.metric("worker_deaths_total", service="crash") == 100
    assert daemon.metric("host_deaths_total", service="crash") == 0
    eventually(lambda: n_descriptors(daemon.process.pid) <= descriptors, "no descriptor leaks")


def test_workers_killed_under_load_lose_exactly_what_they_ran(sluiced):
    """Eight clients, five kills: each error that a client sees is a call counted as lost."""
    daemon = sluiced(crash={"workers": 2, "restart_backoff_min": "1ms"})
    stop, errors, background = threading.Event(), [], Background()

    def load(client):
        calls = 0
        while not stop.is_set():
            try:
                client.pid()
                calls += 1
            except TApplicationException as error:
                errors.append(error)
        return calls

    loads = [background(load, daemon.client("crash")) for _ in range(8)]
    for kills in range(1, 6):
        served = daemon.metric("requests_completed_total", service="crash")
        daemon.wait_metric_at_least("requests_completed_total", served + 100, service="crash")
        os.kill(daemon.worker_pids("crash")[0], signal.SIGKILL)
        daemon.wait_metric("worker_deaths_total", kills, service="crash")
        daemon.wait_metric("workers_ready", 2, service="crash")
    stop.set()
    assert sum(load.result() for load in loads) == daemon.metric("requests_completed_total",
                                                                 service="crash")
    for error in errors:
        assert_told(error, "worker_crashed")
        assert "was killed by signal 9 (SIGKILL)" in error.message
    lost = daemon.metric("requests_lost_total", service="crash", reason="worker_crashed")
    assert len(errors) == lost <= 5


def test_a_killed_host_loses_the_running_call_and_keeps_the_waiting_ones(sluiced):
    daemon = sluiced(calculator={"workers": 1}, crash={})
    running, bystander = daemon.client(), daemon.client("crash")
    waiting = daemon.connect()
    lost = Background()(running.sleep, 60000)
    daemon.wait_sleeping("calculator")
    waiting.send(b"".join(call("add", a=i, b=1, seqid=i) for i in range(100)))
    daemon.wait_metric("requests_received_total", 101, service="calculator")
    os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
    assert_told(outcome(lost), "host_gone")
    for i in range(100):
        reply = waiting.receive()
        assert (reply.seqid, reply.result()) == (i, i + 1)
    assert bystander.ping() is None
    assert daemon.metric("host_deaths_total", service="calculator") == 1
    assert daemon.metric("host_deaths_total", service="crash") == 0
    assert daemon.metric("requests_lost_total", service="calculator", reason="host_gone") == 1


def test_no_worker_and_no_descriptor_outlives_its_host(sluiced):
    daemon = sluiced(calculator={"workers": 4})
    daemon.wait_metric("workers_ready", 4, service="calculator")
    orphans = daemon.worker_pids("calculator")
    descriptors = n_descriptors(daemon.process.pid)
    os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
    eventually(lambda: not set(orphans) & set(marked(daemon.marker)), "the workers have ended")
    assert daemon.client().add(2, 3) == 5
    daemon.close_clients()
    daemon.wait_metric("workers_ready", 4, service="calculator")
    eventually(lambda: n_descriptors(daemon.process.pid) <= descriptors, "no descriptor leaks")


def test_an_endless_loop_is_answered_at_its_deadline_and_then_killed(sluiced):
    daemon = sluiced(crash={"workers": 1, "deadline": "100ms", "stuck_after": "300ms"})
    client = daemon.client("crash")
    assert_told(told_by(client.loop_forever), "deadline", TIMEOUT)
    daemon.wait_metric("worker_deaths_total", 1, service="crash")
    daemon.log.wait(r"worker\.died service=crash .*stuck-after")
    daemon.wait_metric("workers_ready", 1, service="crash")
    assert client.ping() is None
    assert daemon.metric("requests_lost_total", service="crash", reason="deadline") == 1


def test_a_caller_that_still_waits_is_told_that_its_worker_was_stuck(sluiced):
    daemon = sluiced(crash={"workers": 1, "deadline": "60s", "stuck_after": "100ms"})
    client = daemon.client("crash")
    assert_told(told_by(client.loop_forever), "worker_stuck")
    assert client.ping() is None
    assert daemon.metric("requests_lost_total", service="crash", reason="worker_stuck") == 1


def test_a_killed_daemon_leaves_no_process_and_no_socket_file(sluiced):
    """The fixture looks for both at the end of each test; here the daemon cannot help."""
    daemon = sluiced()
    client = daemon.client()
    Background()(client.sleep, 60000)
    daemon.wait_sleeping("calculator")
    daemon.kill9()


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_that_overwrites_the_shared_memory_harms_its_own_service_only(sluiced, seed):
    daemon = sluiced(calculator={}, crash={"workers": 2, "stuck_after": "500ms"})
    vandal, bystander = daemon.client("crash"), daemon.client()
    background = Background()
    damage = background(vandal.scribble, seed)
    while not damage.done():
        assert bystander.add(2, 3) == 5
    assert isinstance(outcome(damage), TApplicationException)
    daemon.wait_metric_at_least("host_deaths_total", 1, service="crash")
    assert daemon.client("crash").ping() is None
    assert daemon.metric("ring_violations_total", service="crash") >= 1
    assert daemon.metric("host_deaths_total", service="calculator") == 0


def test_a_worker_that_dies_after_its_client_has_left_harms_nobody(sluiced):
    """Nobody waits for the call any more, and the daemon accounts for it all the same."""
    daemon = sluiced(calculator={"workers": 1})
    leaver = daemon.connect()
    leaver.send(call("sleep", msec=60000))
    daemon.wait_sleeping("calculator")
    leaver.reset()
    daemon.wait_metric("connections_open", 0)
    daemon.kill_sleepers("calculator")
    daemon.wait_metric("requests_lost_total", 1, service="calculator", reason="worker_crashed")
    assert daemon.client().add(2, 3) == 5
