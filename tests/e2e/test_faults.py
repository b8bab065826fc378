"""Every system call of actor/fault/fault_point.def fails once, and what its row promises is kept.

Each test ends, by the fixture, with a stop that leaves nothing and a ledger that balances."""

import os
import re
import resource
import signal
import socket
import ssl
import struct

import pytest
from thrift.Thrift import TException

from certificates import Authority
from clients import BUILD, REPOSITORY, split_tcp
from processes import descriptors, marked
from reloading import change, hup, refused, reloaded, write
from sluice_daemon import NO_LIMITS, SLUICED, Daemon
from waiting import eventually
from wire import call

TABLE = (REPOSITORY / "actor/fault/fault_point.def").read_text()
POINTS = re.findall(r'^POINT\(\w+, "([\w.]+)"', TABLE, re.MULTILINE)
ONE = {"plugin": "calculator.so", "default": True, "workers": 1, **NO_LIMITS,
       "restart_backoff_min": "10ms", "restart_backoff_max": "100ms", "start_timeout": "3s",
       "restart_intensity": "1000/m"}

tested = set()


def schedules(*rows):
    """A parameter for each row `point=schedule`, which the last test finds in `tested`."""
    pairs = [row.split("=") for row in rows]
    tested.update(point for point, _ in pairs)
    return pytest.mark.parametrize("point, schedule", pairs, ids=rows)


def visits(daemon, point):
    counts = daemon.visits.read_bytes()
    return struct.unpack_from("=I", counts, 4 * POINTS.index(point))[0]


def wait_failed(daemon, point, schedule):
    """Until the last F of the schedule has been reached."""
    eventually(lambda: visits(daemon, point) > schedule.rindex("F"), f"{point} fails")


def assert_healthy(daemon, sluiced):
    """It serves, and has as many descriptors as one that never met a failure."""
    daemon.wait_ready()
    assert daemon.client().add(2, 3) == 5
    assert daemon.client(transport="unix").add(20, 22) == 42
    daemon.close_clients()
    other = sluiced(calculator=ONE)
    eventually(lambda: descriptors(daemon.process.pid) == descriptors(other.process.pid),
               "its descriptors are those of a daemon without failures")


# --- the start -------------------------------------------------------------------------------

WHY = {"EMFILE": "Too many open files", "EADDRINUSE": "Address already in use",
       "ENOBUFS": "No buffer space", "EACCES": "Permission denied", "EROFS": "Read-only",
       "ENOMEM": "Cannot allocate memory", "EAGAIN": "Resource temporarily unavailable",
       "EPIPE": "Broken pipe", "ENOENT": "No such file", "ENOSPC": "No space left",
       "EPERM": "Operation not permitted"}


def why(point):
    return WHY[re.search(rf'"{re.escape(point)}", (\w+)', TABLE)[1]]


@schedules("listen.socket=F", "listen.bind=F", "listen.listen=F",
           "listen.socket=_F", "listen.bind=_F", "listen.listen=_F",  # of the admin address
           "socket_file.socket=F", "socket_file.lock=F", "socket_file.bind=F", "socket_file.stat=F",
           "socket_file.listen=F", "sweeper.pidfd=F", "sweeper.pair=F", "sweeper.fork=F",
           "sweeper.speak=F", "sweeper.hang=F", "config.read=F")
def test_a_start_that_fails_says_why_and_leaves_nothing(tmp_path, point, schedule):
    daemon = Daemon(tmp_path, {}, {"calculator": ONE}, {}, {}, {point: schedule})
    try:
        assert daemon.wait_exit() == 1
        eventually(lambda: not marked(daemon.marker), "no process is left")
        daemon.log.wait_end()
        assert why(point) in daemon.log.lines[-1]
        assert not daemon.socket_path.exists()
    finally:
        daemon.destroy()


@schedules("listen.socket=__F", "listen.bind=__F", "listen.listen=__F", "socket_file.socket=_F",
           "socket_file.lock=_F", "socket_file.bind=_F", "socket_file.stat=_F",
           "socket_file.listen=_F", "sweeper.pidfd=_F", "sweeper.pair=_F", "sweeper.fork=_F",
           "sweeper.speak=_F", "sweeper.hang=_F", "config.read=_F", "image.open=_F", "image.memfd=_F",
           "image.copy=_F", "image.seal=_F")
def test_a_reload_that_fails_says_why_and_changes_nothing(sluiced, tmp_path, point, schedule):
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    client, pids = daemon.client(), daemon.worker_pids("calculator")
    before, more = daemon.groups["daemon"]["listen"], tmp_path / "more.sock"
    change(daemon, "daemon", listen=f"{before}; tcp://127.0.0.2:0; unix:{more}")
    refused(daemon, why(point))
    assert client.add(2, 3) == 5
    assert daemon.worker_pids("calculator") == pids
    assert not more.exists()
    change(daemon, "daemon", listen=before)
    reloaded(daemon)
    assert client.add(2, 3) == 5
    assert_healthy(daemon, sluiced)


@schedules("image.open=F", "image.memfd=F", "image.copy=F", "image.seal=F")
def test_a_plugin_that_cannot_be_copied_is_refused_alone_until_a_reload(sluiced, point, schedule):
    daemon = sluiced(ready=False, calculator=ONE, crash={}, faults={point: schedule})
    daemon.log.wait(rf"plugin\.refused service=calculator .*{why(point)}")
    with pytest.raises(TException, match="no_handler"):
        daemon.client().add(2, 3)
    eventually(lambda: len(daemon.worker_pids("crash")) == 2, "the other service is up")
    daemon.client("crash").ping()
    del daemon.groups["service crash"]
    reloaded(daemon)
    assert_healthy(daemon, sluiced)


# --- processes -------------------------------------------------------------------------------

VICTIMS = {"worker": lambda daemon: daemon.worker_pids("calculator")[0],
           "host": lambda daemon: daemon.service("calculator")["host_pid"]}
LATER = ["ring.memfd", "ring.eventfd", "ring.size", "ring.seal", "ring.map", "host.pair",
         "host.nonblock", "host.spawn", "host.pidfd", "host.send", "host.receive", "worker.dup",
         "child.signalfd", "child.receive", "child.tell", "child.pipe", "child.fork",
         "child.pidfd", "child.go", "worker.go", "worker.report"]


@schedules(*[f"{point}=F" for point in LATER], *[f"{point}=_F" for point in LATER], "child.tell=__F",
           "host.receive=__F_F", "child.receive=__F")
def test_what_cannot_be_started_is_started_later(sluiced, point, schedule):
    """At the start, and again for the worker and the host that take the place of killed ones."""
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    client = daemon.client()
    for name in ["worker", "host"]:
        assert client.add(2, 3) == 5
        starts = daemon.metric("worker_starts_total", service="calculator")
        os.kill(VICTIMS[name](daemon), signal.SIGKILL)
        daemon.wait_metric_at_least("worker_starts_total", starts + 1, service="calculator")
        daemon.wait_ready()
    wait_failed(daemon, point, schedule)
    assert client.add(20, 22) == 42
    assert_healthy(daemon, sluiced)


@schedules("worker.signal=F*")
def test_a_reply_that_nobody_is_woken_for_comes_before_the_deadline(sluiced, point, schedule):
    daemon = sluiced(calculator={**ONE, "deadline": "10s"}, faults={point: schedule})
    for number in range(10):
        assert daemon.client().add(number, 1) == number + 1
    wait_failed(daemon, point, schedule)
    assert_healthy(daemon, sluiced)


@schedules("ring.give_back=F")
def test_memory_that_cannot_be_given_back_is_told_of_and_the_call_is_answered(sluiced, point, schedule):
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    large = b"x" * 1_000_000
    for _ in range(2):
        assert daemon.client().echo(large) == large
    daemon.log.wait("cannot give memory back")
    assert_healthy(daemon, sluiced)


# --- clients ---------------------------------------------------------------------------------


@schedules("accept=F", "accept=F_F_F", "accept=FFFFF")
def test_a_client_that_cannot_be_accepted_yet_waits_in_line(sluiced, point, schedule):
    daemon = sluiced(ready=False, calculator=ONE, faults={point: schedule})
    clients = [daemon.client() for _ in range(5)]
    assert [client.add(number, 1) for number, client in enumerate(clients)] == [1, 2, 3, 4, 5]
    daemon.wait_ready()
    wait_failed(daemon, point, schedule)
    assert_healthy(daemon, sluiced)


@schedules("client.name=F", "client.recv_again=F", "client.recv_again=_F_FF",
           "client.send_again=F", "client.send_again=_F_FF", "client.send_short=F",
           "client.send_short=FFFFFFFFFFFF", "client.send_short=__F_F")
def test_a_call_that_is_read_or_answered_in_pieces_is_answered_once(sluiced, point, schedule):
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    connection = daemon.connect()
    for batch in range(1, 11), range(11, 12), range(12, 13), range(13, 14), range(14, 41):
        for seqid in batch:
            connection.send(call("add", a=seqid, b=1, seqid=seqid))
        for seqid in batch:
            reply = connection.receive()
            assert (reply.seqid, reply.result()) == (seqid, seqid + 1)
    connection.shut_write()
    assert connection.at_end()
    wait_failed(daemon, point, schedule)
    assert_healthy(daemon, sluiced)


@schedules("client.recv_reset=__F", "client.send_broken=_F")
def test_a_connection_that_breaks_is_closed_and_its_calls_are_accounted_for(sluiced, point, schedule):
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    bystander, broken = daemon.client(), daemon.connect()
    assert bystander.add(2, 3) == 5
    broken.send(call("sleep", msec=1))
    with pytest.raises((OSError, AssertionError)):
        broken.receive()
        broken.send(call("sleep", msec=1))
        broken.receive()
    wait_failed(daemon, point, schedule)
    assert bystander.add(20, 22) == 42
    daemon.wait_metric("connections_open", 1)
    daemon.wait_metric("connections_closed_total", 1, reason="client")
    assert_healthy(daemon, sluiced)


@schedules("client.shutdown=F")
def test_a_connection_that_cannot_be_shut_is_closed(sluiced, point, schedule):
    daemon = sluiced(calculator=ONE, faults={point: schedule})
    connection = daemon.connect()
    connection.send(call("add", a=2, b=3))
    connection.shut_write()
    assert connection.receive().result() == 5
    assert connection.at_end()
    wait_failed(daemon, point, schedule)
    assert_healthy(daemon, sluiced)


@schedules("tls.new=F")
def test_without_memory_for_tls_only_that_connection_is_closed(sluiced, tmp_path, point, schedule):
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    daemon = sluiced(daemon={"tls_certificate": certificate, "tls_key": key, "tls_mixed": "true"},
                     calculator=ONE, faults={point: schedule})
    context = ssl.create_default_context(cafile=authority.certificate)

    def add():
        with socket.create_connection(split_tcp(daemon.tcp), timeout=60) as plain:
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
                secure.sendall(call("add", a=2, b=3))
                return secure.recv(4)

    with pytest.raises(OSError):
        add()
    assert add() != b""
    wait_failed(daemon, point, schedule)
    assert_healthy(daemon, sluiced)


@schedules("rlimit.set=F")
def test_descriptors_that_cannot_be_had_allow_fewer_connections(sluiced, point, schedule):
    daemon = sluiced(daemon={"max_connections": 1_000_000}, calculator=ONE,
                     faults={point: schedule})
    allowed = int(daemon.log.wait(r"daemon\.few_descriptors .*connections_allowed=(\d+)")[1])
    soft, _ = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    assert allowed < soft
    assert_healthy(daemon, sluiced)


# --- the rest --------------------------------------------------------------------------------


@schedules("socket_file.unlink=F")
def test_a_socket_file_that_cannot_be_removed_is_taken_over_by_the_next_daemon(
        sluiced, tmp_path, point, schedule):
    daemon = Daemon(tmp_path, {}, {"calculator": ONE}, {}, {}, {point: schedule})
    try:
        daemon.wait_listening()
        daemon.sigterm()
        assert daemon.wait_exit() == 0
        eventually(lambda: not marked(daemon.marker), "no process is left")
        assert daemon.socket_path.exists()
    finally:
        daemon.destroy()
    after = sluiced(daemon={"socket_path": daemon.socket_path}, calculator=ONE)
    assert after.client(transport="unix").add(2, 3) == 5


@schedules("log.write=___F_FFF")
def test_a_log_line_that_cannot_be_written_is_counted_and_the_gap_is_told(sluiced, point, schedule):
    daemon = sluiced(ready=False, calculator=ONE, faults={point: schedule})
    daemon.wait_ready()
    for _ in range(5):
        hup(daemon)
        eventually(lambda: daemon.status()["reload"]["state"] == "idle", "it is reloaded")
    assert daemon.log.wait(r"WARNING log\.lost lines=(\d+)")
    eventually(lambda: daemon.metric("log_lines_lost_total") == sum(
        int(found[1]) for found in daemon.log.matches(r"log\.lost lines=(\d+)")), "each is told of")
    assert_healthy(daemon, sluiced)


@schedules("load.read=F*")
def test_a_load_that_cannot_be_seen_resizes_nothing(sluiced, point, schedule):
    daemon = sluiced(faults={point: schedule}, calculator={
        **ONE, "workers": "2..4", "capacity": "utilisation", "capacity_cooldown": "0"})
    client = daemon.client()

    def has_failed():
        assert client.add(2, 3) == 5
        return visits(daemon, point) > 0

    eventually(has_failed, "the load is looked at")
    assert daemon.metric("resizes_total", service="calculator") == 0


# --- the table itself ------------------------------------------------------------------------


def test_every_point_has_a_test_that_makes_it_fail():
    assert set(POINTS) == tested


def test_no_point_is_in_the_programs_that_are_installed():
    for program in SLUICED, BUILD / "sluice-host":
        content = program.read_bytes()
        assert b"SLUICE_FAULTS" not in content
        assert not [point for point in POINTS if b"\0" + point.encode() + b"\0" in content]
