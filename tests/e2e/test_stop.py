"""sluiced stops: what was admitted is answered, what comes later is refused, nothing is left."""

import contextlib
import os
import signal
import threading

import pytest
from thrift.Thrift import TApplicationException
from thrift.transport.TTransport import TTransportException

from background import Background, outcome
from wire import call

both_signals = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])


def assert_told(error, token):
    assert isinstance(error, TApplicationException), error
    assert error.message.startswith(token + ": ")


@both_signals
def test_what_was_admitted_is_answered_and_the_exit_status_is_0(sluiced, number):
    """The worker stands still until the daemon drains, so every call is still to be answered."""
    daemon = sluiced(daemon={"drain_timeout": "60s"}, calculator={"workers": 1})
    connection, worker = daemon.connect(), daemon.worker_pids("calculator")[0]
    os.kill(worker, signal.SIGSTOP)
    connection.send(call("sleep", msec=1)
                    + b"".join(call("add", a=i, b=1, seqid=i) for i in range(50)))
    daemon.wait_metric("requests_received_total", 51, service="calculator")
    daemon.send_signal(number)
    daemon.wait_draining()
    os.kill(worker, signal.SIGCONT)
    assert connection.receive().name == "sleep"
    assert [connection.receive().result() for _ in range(50)] == list(range(1, 51))
    assert connection.at_end()
    daemon.close_clients()
    assert daemon.wait_exit() == 0


def test_what_comes_later_is_refused_while_it_drains(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "60s"}, calculator={"workers": 2})
    late, bystander = daemon.connect(), daemon.client()
    assert bystander.add(2, 3) == 5
    late.send(call("sleep", msec=60000, seqid=1))
    daemon.wait_sleeping("calculator")
    daemon.sigterm()
    daemon.wait_draining()
    for transport in "tcp", "unix":
        with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
            daemon.connect(transport)
    assert daemon.admin.get("/livez")[0] == 200
    assert daemon.status()["draining"] is True
    late.send(call("add", a=2, b=3, seqid=2))
    daemon.wait_metric("requests_refused_total", 1, service="calculator", reason="draining")
    daemon.assert_ledger_balances()
    daemon.kill_sleepers("calculator")
    assert_told(late.receive().error, "worker_crashed")
    assert_told(late.receive().error, "draining")
    assert late.at_end()
    assert daemon.wait_exit() == 0


def test_in_the_grace_all_is_served_and_only_readiness_is_off(sluiced):
    daemon = sluiced(daemon={"drain_grace": "1h"}, calculator={})
    client = daemon.client()
    daemon.sigterm()
    daemon.wait_draining()
    assert client.add(2, 3) == 5
    for transport in "tcp", "unix":
        assert daemon.client(transport=transport).add(20, 22) == 42
    daemon.sigterm()
    assert daemon.wait_exit() == 0


def test_after_the_grace_it_drains(sluiced):
    daemon = sluiced(daemon={"drain_grace": "1ms", "drain_timeout": "1h"}, calculator={})
    idle = daemon.connect()
    daemon.sigterm()
    daemon.log.wait("daemon.state from=grace to=draining")
    assert idle.at_end()
    assert daemon.wait_exit() == 0


def test_an_idle_connection_closes_at_once_and_a_busy_one_between_two_calls(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "1h"}, calculator={"workers": 1})
    idle, busy = daemon.connect(), daemon.connect()
    busy.send(call("sleep", msec=60000))
    daemon.wait_sleeping("calculator")
    daemon.sigterm()
    assert idle.at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="drain")
    daemon.kill_sleepers("calculator")
    assert_told(busy.receive().error, "worker_crashed")
    assert busy.at_end()
    assert daemon.wait_exit() == 0


def test_no_call_is_in_doubt_for_clients_that_call_until_the_end(sluiced):
    """Each call is answered, or its connection closed before sluiced had read any of it: what
    clients got is what the ledger has received."""
    daemon = sluiced(daemon={"drain_timeout": "60s"}, calculator={"workers": 2})
    background, answers, begun = Background(), [0] * 16, threading.Event()
    clients = [daemon.client() for _ in answers]

    def call_until_the_end(number):
        client = clients[number]
        with contextlib.suppress(TTransportException, OSError):
            while True:
                try:
                    client.add(number, 1)
                except TApplicationException as told:
                    assert_told(told, "draining")
                answers[number] += 1
                begun.set()

    running = [background(call_until_the_end, number) for number in range(len(answers))]
    begun.wait()
    daemon.sigterm()
    assert daemon.wait_exit() == 0
    assert [outcome(future) for future in running] == [None] * len(answers)
    received = daemon.log.wait(r"service\.totals service=calculator received=(\d+)")[1]
    assert sum(answers) == int(received)


def test_at_drain_timeout_the_rest_is_answered_with_the_reason(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "100ms"}, calculator={"workers": 1})
    connection = daemon.connect()
    connection.send(call("sleep", msec=60000, seqid=1))
    daemon.wait_sleeping("calculator")
    connection.send(b"".join(call("add", a=1, b=1, seqid=seqid) for seqid in range(2, 40)))
    daemon.wait_metric("requests_received_total", 39, service="calculator")
    daemon.sigterm()
    for seqid in range(1, 40):
        reply = connection.receive()
        assert reply.seqid == seqid
        assert_told(reply.error, "draining")
    assert connection.at_end()
    assert daemon.wait_exit() == 0


@both_signals
def test_a_second_signal_ends_the_drain_at_once(sluiced, number):
    daemon = sluiced(daemon={"drain_timeout": "24h"}, calculator={"workers": 1})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    daemon.send_signal(number)
    daemon.wait_draining()
    daemon.send_signal(number)
    assert_told(outcome(running), "draining")
    assert daemon.wait_exit() == 0


def test_idle_connections_do_not_delay_the_stop(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "24h"}, calculator={})
    idle, halfway = daemon.connect(), daemon.connect()
    halfway.send(call("add", a=2, b=3)[:-1])
    daemon.wait_metric_at_least("received_bytes_total", 1)
    daemon.sigterm()
    assert idle.at_end() and halfway.at_end()
    daemon.close_clients()
    assert daemon.wait_exit() == 0


def test_a_client_that_never_reads_does_not_hold_up_the_stop(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "100ms"}, calculator={})
    connection = daemon.connect(receive_buffer_bytes=4096)
    connection.send_until_it_blocks(call("echo", data=b"x" * 100_000) * 400)
    daemon.sigterm()
    assert daemon.wait_exit() == 0


def test_a_worker_stuck_in_a_loop_does_not_hold_up_the_stop(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "100ms"}, crash={"workers": 1})
    connection = daemon.connect()
    connection.send(call("loop_forever", service="crash"))
    daemon.wait_metric("requests_running", 1, service="crash")
    daemon.sigterm()
    assert_told(connection.receive().error, "draining")
    assert daemon.wait_exit() == 0


def test_a_stop_during_the_start_is_clean(sluiced):
    daemon = sluiced(ready=False)
    daemon.sigterm()
    assert daemon.wait_exit() == 0


def test_a_stop_while_a_host_waits_to_be_started_again_is_clean(sluiced):
    daemon = sluiced(calculator={"restart_backoff_min": "1h", "restart_backoff_max": "1h"})
    for deaths in 1, 2:
        os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
        daemon.wait_metric("host_deaths_total", deaths, service="calculator")
        if deaths == 1:
            daemon.wait_ready()
    daemon.sigterm()
    assert daemon.wait_exit() == 0
