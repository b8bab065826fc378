"""Each end of a worker has its reply, its reason, its counter, and one line in the log."""

import os
import re
import signal

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from clients import BUILD
from processes import links, status_of
from waiting import eventually

KINDS = ("exit", "signal", "stuck", "memory", "start", "cut_off")


def ends(daemon, service="crash"):
    return {kind: int(daemon.metric("worker_ends_total", service=service, reason=kind))
            for kind in KINDS if daemon.metric("worker_ends_total", service=service, reason=kind)}


def fails(call, *arguments):
    with pytest.raises(TApplicationException) as told:
        call(*arguments)
    return told.value.message


def obituary(daemon):
    return daemon.log.wait(r"worker\.died .*")[0]


# --- kinds of ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("method, arguments, kind, how", [
    ("segfault", (), "signal", r"was killed by signal 11 \(SIGSEGV\)"),
    ("do_abort", (), "signal", r"was killed by signal 6 \(SIGABRT\)"),
    ("overflow_stack", (), "signal", r"was killed by signal 11 \(SIGSEGV\)"),
    ("do_exit", (3,), "exit", "exited with status 3"),
    ("do_exit", (0,), "exit", "exited with status 0"),
])
def test_the_obituary_says_who_ended_how_in_what_and_with_what(sluiced, method, arguments, kind, how):
    daemon = sluiced(crash={"workers": 1})
    pid = daemon.worker_pids("crash")[0]
    told = fails(getattr(daemon.client("crash"), method), *arguments)
    assert re.match(rf"worker_crashed: worker 0 \(pid {pid}\) {how}", told)
    line = obituary(daemon)
    assert re.search(rf"service=crash worker=0 generation=1 pid={pid} calls=0 calls_lost=1 "
                     rf"how=\"{how}\" method=\"{method}\" running_msec=\d+ user_msec=\d+ "
                     rf"system_msec=\d+ max_rss_kib=[1-9]\d+", line)
    assert ends(daemon) == {kind: 1}
    assert len(daemon.log.matches(r"worker\.died")) == 1


@pytest.mark.parametrize("method, first", [
    ("segfault", r"crash\.so"), ("do_abort", r"libc\.so\.6"), ("overflow_stack", r"crash\.so")])
def test_a_crash_leaves_a_trace_from_the_fault_into_the_plugin(sluiced, method, first):
    daemon = sluiced(crash={"workers": 1})
    fails(getattr(daemon.client("crash"), method))
    assert re.search(rf'trace="{first}\+0x[0-9a-f]+.*crash\.so\+0x[0-9a-f]+', obituary(daemon))


def test_an_exit_leaves_no_trace(sluiced):
    daemon = sluiced(crash={"workers": 1})
    fails(daemon.client("crash").do_exit, 3)
    assert "trace=" not in obituary(daemon)


def test_a_call_that_runs_for_too_long_is_told_so_and_counted(sluiced):
    daemon = sluiced(crash={"workers": 1, "stuck_after": "50ms"})
    assert fails(daemon.client("crash").loop_forever).startswith("worker_stuck: ")
    assert "its call ran longer than stuck-after" in obituary(daemon)
    assert ends(daemon) == {"stuck": 1}


def test_a_worker_start_that_hangs_is_told_so_and_counted(sluiced):
    plugin = BUILD / "tests/plugins/hanging_worker.so"
    daemon = sluiced(ready=False, crash={"plugin": plugin, "workers": 1, "start_timeout": "100ms"})
    assert "worker_start() did not end within start-timeout" in obituary(daemon)
    assert set(ends(daemon)) == {"start"}


def test_a_load_that_hangs_is_told_so_and_tried_again_later(sluiced):
    plugin = BUILD / "tests/plugins/hanging_load.so"
    daemon = sluiced(ready=False, crash={"plugin": plugin, "workers": 1, "start_timeout": "100ms"})
    daemon.log.wait(r"host\.kill .*reason=\"load\(\) did not end within start-timeout", 2)
    assert daemon.metric("host_deaths_total", service="crash") >= 1


def test_the_death_of_a_host_is_told_to_who_was_served_and_all_is_started_again(sluiced):
    daemon = sluiced(calculator={"workers": 2})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
    assert outcome(running).message.startswith("host_gone: the host of the workers was killed")
    assert daemon.client().add(2, 3) == 5
    assert daemon.metric("host_deaths_total", service="calculator") == 1


def test_a_kill_from_outside_is_none_for_memory(sluiced):
    daemon = sluiced(crash={"workers": 1})
    os.kill(daemon.worker_pids("crash")[0], signal.SIGKILL)
    assert 'how="was killed by signal 9 (SIGKILL)"' in obituary(daemon)
    assert ends(daemon) == {"signal": 1}


def test_a_worker_that_the_kernel_kills_for_memory_is_told_so(memory_group, sluiced):
    daemon = sluiced(crash={"workers": 1}, wrapper=memory_group.wrapper(64 << 20))
    told = fails(daemon.client("crash").leak, 512 << 20)
    assert "was killed by the kernel, which was out of memory" in told
    assert ends(daemon) == {"memory": 1}
    assert daemon.client("crash").setting("x") == ""


def test_what_was_handed_over_and_not_started_goes_to_another_worker(sluiced):
    """With this routing each worker is given its call by name."""
    daemon = sluiced(calculator={"workers": 1, "routing": "queuer", "lookahead": 16})
    background = Background()
    running = background(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    waiting = [background(daemon.client().add, i, 1) for i in range(10)]
    daemon.wait_metric("requests_running", 11, service="calculator")
    daemon.kill_sleepers("calculator")
    assert "worker_crashed" in outcome(running).message
    assert [call.result(60) for call in waiting] == list(range(1, 11))


# --- the sandbox -----------------------------------------------------------------------------


def test_hosts_and_workers_have_no_descriptor_of_a_client(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "1h"}, calculator={"workers": 1})
    clients = [daemon.connect() for _ in range(20)]
    os.kill(daemon.worker_pids("calculator")[0], signal.SIGKILL)  # one is forked beside them
    eventually(lambda: daemon.metric("workers_ready", service="calculator") == 1, "it is replaced")
    service = daemon.service("calculator")
    for pid in [service["host_pid"], *daemon.worker_pids("calculator")]:
        sockets = [name for name in links(pid).values() if name.startswith("socket:")]
        assert len(sockets) <= 2, "the control and the report socket"
    assert len(clients) == 20


def test_hosts_and_workers_can_get_no_new_privileges(sluiced):
    daemon = sluiced(calculator={"workers": 1})
    service = daemon.service("calculator")
    for pid in [service["host_pid"], *daemon.worker_pids("calculator")]:
        status = status_of(pid)
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        assert status["Umask"] == "0077"


def test_a_sandbox_can_be_left_out(sluiced):
    daemon = sluiced(calculator={"workers": 1, "sandbox": "none"})
    status = status_of(daemon.worker_pids("calculator")[0])
    assert status["Seccomp"] == "0" and status["NoNewPrivs"] == "1"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change the user")
def test_workers_run_as_another_user_and_die_with_sluiced(sluiced):
    daemon = sluiced(calculator={"workers": 1, "worker_user": "nobody"})
    service = daemon.service("calculator")
    pids = [service["host_pid"], *daemon.worker_pids("calculator")]
    for pid in pids:
        status = status_of(pid)
        assert set(status["Uid"].split()) == {"65534"} and status["Groups"].strip() == ""
    assert daemon.client().add(2, 3) == 5
    daemon.kill9()
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids), "all have ended")


def test_a_user_that_is_not_there_is_told(sluiced):
    daemon = sluiced(ready=False, calculator={"worker_user": "no-such-user"})
    daemon.log.wait(r"plugin\.refused .*sandbox: there is no user no-such-user")
    assert "there is no user no-such-user" in fails(daemon.client().add, 2, 3)


def test_a_worker_gets_no_more_memory_than_it_may_have(sluiced):
    daemon = sluiced(crash={"workers": 1, "worker_memory": "64M"})
    daemon.client("crash").leak(1 << 20)
    assert "worker_crashed" in fails(daemon.client("crash").leak, 256 << 20)
    daemon.log.wait("failed to allocate")
    assert ends(daemon) == {"signal": 1}


# --- fresh ones for worn ones ----------------------------------------------------------------


def test_after_so_many_calls_a_worker_is_replaced_and_no_call_suffers(sluiced):
    daemon = sluiced(crash={"workers": 2, "worker_max_requests": 10})
    client, calls, pids = daemon.client("crash"), 0, set()
    while daemon.metric("worker_recycled_total", service="crash") < 5:
        pids |= {client.pid() for _ in range(20)}
        calls += 20
    assert len(pids) >= 4
    assert daemon.metric("worker_deaths_total", service="crash") == 0
    assert daemon.metric("requests_completed_total", service="crash") == calls
    told = len(daemon.log.matches(r"worker\.worn service=crash"))
    assert told <= daemon.metric("worker_recycled_total", service="crash") + 2, "once for each"


def test_a_worker_that_is_too_old_or_too_large_is_replaced(sluiced):
    daemon = sluiced(crash={"workers": 1, "worker_max_memory": "100M"},
                     calculator={"workers": 1, "worker_max_age": "1ms"})
    large, old = daemon.worker_pids("crash")[0], daemon.worker_pids("calculator")[0]
    daemon.client("crash").leak(120 << 20)
    daemon.log.wait(r"worker\.worn service=crash .*why=\"worker-max-memory\"")
    daemon.log.wait(r"worker\.worn service=calculator .*why=\"worker-max-age\"")
    eventually(lambda: large not in daemon.worker_pids("crash"), "the large one has gone")
    eventually(lambda: old not in daemon.worker_pids("calculator"), "the old one has gone")
    assert daemon.metric("worker_deaths_total", service="crash") == 0


def test_a_worn_worker_ends_after_its_call_and_another_serves_meanwhile(sluiced):
    daemon = sluiced(calculator={"workers": 1, "worker_max_age": "1ms"})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    daemon.log.wait(r"worker\.worn service=calculator")
    assert daemon.client().add(2, 3) == 5  # by its substitute: the worn one is busy
    assert not running.done()
    daemon.kill_sleepers("calculator")
    assert "worker_crashed" in outcome(running).message


# --- memory that is not to be trusted --------------------------------------------------------


def test_who_scribbles_over_its_ring_again_and_again_harms_no_other_service(sluiced):
    daemon = sluiced(crash={"workers": 2, "restart_intensity": "none"}, calculator={})
    background, stop = Background(), []
    other = daemon.client()

    def call_until_told():
        calls = 0
        while not stop:
            assert other.add(calls % 1000, 1) == calls % 1000 + 1
            calls += 1
        return calls

    bystander = background(call_until_told)
    for seed in range(int(os.environ.get("SCRIBBLES", "20"))):
        daemon.wait_ready()
        try:
            daemon.client("crash").scribble(seed)
        except TApplicationException:
            pass
    stop.append(True)
    assert bystander.result(60) > 100
    assert daemon.metric("worker_deaths_total", service="calculator") == 0
    assert daemon.metric("host_deaths_total", service="calculator") == 0
