"""What one client host may have, and how long a connection lives."""

import os
import signal

from processes import is_in_a_timed_sleep
from reloading import change, reloaded
from test_proxy import LOCAL, PEER, V1, peer
from test_theader import header_frame, header_reply
from wire import call

LONG_MSEC = 600_000


def test_a_host_has_no_more_connections_than_it_may(sluiced):
    daemon = sluiced(daemon={"max_connections_per_host": 3}, calculator={})
    held = [daemon.connect() for _ in range(3)]
    for connection in held:
        connection.send(call("add", a=2, b=3))
        assert connection.receive().result() == 5
    assert daemon.connect().at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="max_connections_per_host")
    assert daemon.client(transport="unix").add(2, 3) == 5  # another host
    held.pop().close()
    daemon.wait_metric("connections_closed_total", 1, reason="client")
    assert daemon.client().add(2, 3) == 5


def test_behind_a_proxy_the_hosts_are_those_that_it_names(sluiced):
    daemon = sluiced(daemon={"max_connections_per_host": 1, "proxy_from": "127.0.0.1"}, crash={"default": True})
    connections = [daemon.connect() for _ in range(3)]
    connections[0].send(V1 + PEER)
    assert peer(connections[0]) == "tcp://192.0.2.7:53124"
    connections[1].send(V1 + PEER)
    assert connections[1].at_end()
    connections[2].send(LOCAL + PEER)
    assert peer(connections[2]).startswith("tcp://127.0.0.1:")


def test_an_old_connection_without_calls_is_closed(sluiced):
    daemon = sluiced(daemon={"connection_max_age": "50ms", "idle_timeout": "0"}, calculator={})
    assert daemon.connect().at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="max_age")


def grow_old(daemon, service):
    """The connection whose call sleeps is too old from now on, and its worker ends."""
    daemon.wait_sleeping(service)
    sleepers = list(filter(is_in_a_timed_sleep, daemon.worker_pids(service)))
    change(daemon, "daemon", connection_max_age="1us")
    reloaded(daemon, settled=False)
    for pid in sleepers:
        os.kill(pid, signal.SIGKILL)


def test_an_old_connection_is_told_with_a_reply_and_closed_behind_it(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(header_frame(call("sleep", service="calculator", msec=LONG_MSEC)[4:]))
    grow_old(daemon, "calculator")
    _, words, _ = header_reply(connection)
    assert b"goaway" in words
    assert connection.at_end()
    daemon.wait_metric("connections_closed_total", 1, reason="max_age")


def test_what_an_old_connection_has_called_already_is_answered(sluiced):
    daemon = sluiced(calculator={})
    connection = daemon.connect()
    connection.send(call("sleep", msec=LONG_MSEC)
                    + b"".join(call("add", a=i, b=1, seqid=i) for i in range(100)))
    grow_old(daemon, "calculator")
    assert "worker_crashed" in connection.receive().error.message
    for i in range(100):
        assert connection.receive().result() == i + 1
    assert connection.at_end()
