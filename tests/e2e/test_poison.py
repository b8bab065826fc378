"""A call that kills workers is refused once two have died of it, and nobody else suffers."""

import os
import signal

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from reloading import reloaded
from waiting import eventually
from wire import call


def told_by(method, *arguments):
    with pytest.raises(TApplicationException) as told:
        method(*arguments)
    return told.value.message.partition(":")[0]


def deaths(daemon):
    return daemon.metric("worker_deaths_total", service="crash")


@pytest.mark.parametrize("protocol", ["binary", "compact"])
def test_the_third_call_like_two_that_killed_workers_is_refused(sluiced, protocol):
    daemon = sluiced(crash={"workers": 2})
    client = daemon.client("crash", protocol=protocol)
    assert [told_by(client.do_exit, 7) for _ in range(10)] == ["worker_crashed"] * 2 + ["poisoned"] * 8
    assert told_by(client.do_exit, 8) == "worker_crashed"  # other arguments
    assert client.setting("x") == ""
    assert deaths(daemon) == 3
    assert daemon.metric("requests_refused_total", service="crash", reason="poisoned") == 8
    known = daemon.service("crash")["poison"]
    assert [(entry["method"], entry["deaths"], entry["refused"]) for entry in known] == [
        ("do_exit", 2, 8), ("do_exit", 1, 0)]
    assert known[0]["refused_for_msec"] > 500_000 and known[1]["refused_for_msec"] == 0


def test_a_refusal_says_when_it_may_be_tried_again(sluiced):
    daemon = sluiced(crash={"workers": 1, "poison_after": 1, "poison_time": "1h"})
    client = daemon.client("crash")
    told_by(client.segfault)
    with pytest.raises(TApplicationException, match=r"killed 1 workers; retry_after_ms=3[56]\d{5}"):
        client.segfault()


def test_stuck_calls_count_even_those_that_were_answered_before(sluiced):
    daemon = sluiced(crash={"workers": 1, "stuck_after": "200ms", "deadline": "50ms"})
    client = daemon.client("crash")
    for dead in 1, 2:
        assert told_by(client.loop_forever) == "deadline"
        eventually(lambda: deaths(daemon) == dead, "its worker was killed")
        daemon.wait_metric("workers_ready", 1, service="crash")
    assert told_by(client.loop_forever) == "poisoned"


def test_a_worker_that_is_killed_by_hand_tells_nothing_of_its_call(sluiced):
    daemon = sluiced(calculator={"workers": 1})
    for _ in range(5):
        running = Background()(daemon.client().sleep, 60000)
        daemon.wait_sleeping("calculator")
        daemon.kill_sleepers("calculator")
        assert outcome(running).message.startswith("worker_crashed")
    assert daemon.service("calculator")["poison"] == []


def test_the_death_of_a_host_tells_nothing_of_the_calls_that_its_workers_ran(sluiced):
    daemon = sluiced(calculator={"workers": 1})
    for _ in range(3):
        running = Background()(daemon.client().sleep, 60000)
        daemon.wait_sleeping("calculator")
        os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
        assert outcome(running).message.startswith("host_gone")
        daemon.wait_ready()
    assert daemon.service("calculator")["poison"] == []


def test_of_a_whole_queue_of_them_no_more_die_than_two_and_who_ran_meanwhile(sluiced):
    workers = 3
    daemon = sluiced(crash={"workers": workers})
    connection = daemon.connect()
    connection.send(b"".join(call("segfault", service="crash", seqid=i) for i in range(1, 51)))
    tokens = [connection.receive().error.message.partition(":")[0] for _ in range(50)]
    assert set(tokens) == {"worker_crashed", "poisoned"}
    assert 2 <= tokens.count("worker_crashed") <= 1 + workers
    assert deaths(daemon) == tokens.count("worker_crashed")
    assert daemon.client("crash").setting("x") == ""


def test_a_call_that_is_tried_again_kills_two_workers_and_no_third(sluiced):
    daemon = sluiced(crash={"workers": 1, "retry": 10, "retry_budget": 100},
                     methods={"crash.segfault": {"idempotent": True}})
    assert told_by(daemon.client("crash").segfault) in ("retry_exhausted", "worker_crashed")
    assert deaths(daemon) == 2
    assert told_by(daemon.client("crash").segfault) == "poisoned"


def test_when_its_time_is_over_one_is_tried(sluiced):
    daemon = sluiced(crash={"workers": 1, "poison_after": 1, "poison_time": "1ms"})
    client = daemon.client("crash")
    for dead in range(1, 4):
        eventually(lambda: told_by(client.segfault) == "worker_crashed", "it is tried again")
        assert deaths(daemon) == dead


def test_it_can_be_cleared_and_only_by_a_post_that_is_no_web_pages(sluiced):
    daemon = sluiced(crash={"workers": 1, "poison_after": 1})
    client = daemon.client("crash")
    told_by(client.segfault)
    assert told_by(client.segfault) == "poisoned"
    assert daemon.admin.get("/poison/clear")[0] == 405
    assert daemon.admin.post("/poison/clear", {"Origin": "http://example.org"})[0] == 403
    assert daemon.admin.post("/poison/clear?service=shop")[0] == 404
    assert told_by(client.segfault) == "poisoned"
    assert daemon.admin.post("/poison/clear?service=crash")[0] == 200
    assert daemon.service("crash")["poison"] == []
    assert told_by(client.segfault) == "worker_crashed"


def test_with_no_limit_a_call_may_kill_as_many_as_it_likes(sluiced):
    daemon = sluiced(crash={"workers": 1, "poison_after": 0, "restart_intensity": "none"})
    client = daemon.client("crash")
    assert [told_by(client.segfault) for _ in range(10)] == ["worker_crashed"] * 10


def test_a_call_that_is_cut_off_in_a_reload_is_no_poison(sluiced):
    """Nor when it may run twice, and runs again in the new generation."""
    daemon = sluiced(daemon={"drain_timeout": "20ms"},
                     calculator={"workers": 1, "poison_after": 1, "retry": 1},
                     methods={"calculator.sleep": {"idempotent": True}})
    running = Background()(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    reloaded(daemon)
    assert daemon.metric("requests_retried_total", service="calculator") == 1
    daemon.wait_sleeping("calculator")
    assert daemon.service("calculator")["poison"] == []
    daemon.kill_sleepers("calculator")
    assert outcome(running).message.startswith("retry_exhausted")
