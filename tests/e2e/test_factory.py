"""What the settings of the factory do to real calls."""

import json

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from test_crash import assert_told, told_by
from test_overload import LOADSHEDDING, TIMEOUT, keep_busy
from waiting import eventually
from wire import call

LONG_MSEC = 600_000


# --- rate limits

def test_calls_over_a_rate_are_refused_and_told_when_to_come_again(sluiced):
    daemon = sluiced(calculator={"rate_limit": "1/h burst 5"})
    client = daemon.client()
    assert [client.add(i, 1) for i in range(5)] == [1, 2, 3, 4, 5]
    error = told_by(client.add, 1, 1)
    assert_told(error, "rate_limited", LOADSHEDDING)
    assert "retry_after_ms=" in error.message
    assert daemon.metric("requests_refused_total", service="calculator", reason="rate_limited") == 1


def test_a_methods_rate_is_its_own(sluiced):
    daemon = sluiced(calculator={}, methods={"calculator.add": {"rate_limit": "1/h"}})
    client = daemon.client()
    assert client.add(1, 1) == 2
    assert_told(told_by(client.add, 1, 1), "rate_limited", LOADSHEDDING)
    assert client.fact(3) == 6


def test_a_clients_rate_leaves_other_clients_alone(sluiced):
    """One comes by TCP, the other by a unix socket: an address and a user."""
    daemon = sluiced(calculator={"rate_limit_per_client": "1/h burst 2"})
    greedy, other = daemon.client(), daemon.client(transport="unix")
    assert [greedy.add(1, 1), daemon.client().add(1, 1)] == [2, 2]  # two connections, one client
    assert_told(told_by(greedy.add, 1, 1), "rate_limited", LOADSHEDDING)
    assert other.add(1, 1) == 2


def test_a_shaped_rate_makes_calls_wait_instead(sluiced):
    daemon = sluiced(calculator={"rate_limit": "100/s burst 1", "rate_limit_mode": "shape"})
    connection = daemon.connect()
    connection.send(b"".join(call("add", a=i, b=1) for i in range(10)))
    assert [connection.receive().result() for _ in range(10)] == list(range(1, 11))
    assert daemon.metric("requests_held_total", service="calculator") > 0


# --- the queue

def test_discard_oldest_tells_those_that_have_waited_longest(sluiced):
    daemon = sluiced(calculator={"workers": 1, "queue_limit": 2, "lookahead": 0, "discard": "oldest"})
    keep_busy(daemon, 1)
    waiting = daemon.connect()
    waiting.send(b"".join(call("add", a=i, b=0) for i in range(5)))
    for _ in range(3):
        assert_told(waiting.receive().error, "loadshed_oldest", LOADSHEDDING)
    daemon.kill_sleepers("calculator")
    assert [waiting.receive().result() for _ in range(2)] == [3, 4]


def test_a_more_important_call_overtakes_and_is_kept_when_the_queue_is_full(sluiced):
    """The counter tells the order in which both ran."""
    daemon = sluiced(counter={"workers": 1, "lookahead": 0, "queue_limit": 1},
                     methods={"counter.add": {"priority": "high"},
                              "counter.slow_add": {"priority": "best-effort"}})
    background = Background()
    busy = background(daemon.client("counter").slow_add, "x", 0, LONG_MSEC)
    daemon.wait_sleeping("counter", 1)
    shed = background(daemon.client("counter").slow_add, "x", 1, 0)
    daemon.wait_metric("requests_queued", 1, service="counter")
    kept = background(daemon.client("counter").add, "x", 10)
    assert_told(outcome(shed), "loadshed_newest", LOADSHEDDING)
    daemon.kill_sleepers("counter")
    assert kept.result() == 10
    assert_told(outcome(busy), "worker_crashed")


def test_a_call_that_may_not_be_discarded_goes_over_the_limit(sluiced):
    daemon = sluiced(calculator={"workers": 1, "queue_limit": 0, "lookahead": 0},
                     methods={"calculator.add": {"discardable": False}})
    keep_busy(daemon, 1)
    client, background = daemon.client(), Background()
    assert_told(told_by(daemon.client().fact, 3), "loadshed_newest", LOADSHEDDING)
    kept = background(client.add, 2, 3)
    daemon.wait_metric("requests_queued", 1, service="calculator")
    daemon.kill_sleepers("calculator")
    assert kept.result() == 5


def test_a_method_has_a_deadline_of_its_own(sluiced):
    daemon = sluiced(calculator={"workers": 1}, methods={"calculator.sleep": {"deadline": "50ms"}})
    error = told_by(daemon.client().sleep, LONG_MSEC)
    assert_told(error, "deadline", TIMEOUT)
    assert "50 ms" in error.message


# --- workers

def test_an_idempotent_call_is_tried_again_when_its_worker_dies(sluiced):
    """The second worker rests as long, and answers: the caller never hears of the first."""
    daemon = sluiced(calculator={"retry": 1}, methods={"calculator.sleep": {"idempotent": True}})
    background = Background()
    running = background(daemon.client().sleep, 1500)
    daemon.wait_sleeping("calculator", 1)
    daemon.kill_sleepers("calculator")
    assert outcome(running) is None
    assert daemon.metric("requests_retried_total", service="calculator") == 1
    assert daemon.log.matches("call.retry service=calculator method=\"sleep\"")


def test_a_call_is_not_tried_again_for_ever(sluiced):
    daemon = sluiced(crash={"retry": 2, "poison_after": 0, "restart_backoff_min": "1ms", "restart_backoff_max": "1ms"},
                     methods={"crash.do_exit": {"idempotent": True}})
    assert_told(told_by(daemon.client("crash").do_exit, 1), "retry_exhausted")
    assert daemon.metric("requests_retried_total", service="crash") == 2
    assert daemon.metric("retries_denied_total", service="crash") == 1


def test_a_call_that_is_not_idempotent_is_not_tried_again(sluiced):
    daemon = sluiced(crash={"retry": 2})
    assert_told(told_by(daemon.client("crash").do_exit, 1), "worker_crashed")
    assert daemon.metric("requests_retried_total", service="crash") == 0


def test_workers_that_fail_again_and_again_degrade_their_service_only(sluiced):
    daemon = sluiced(calculator={}, crash={"workers": 1, "restart_intensity": "2/h", "poison_after": 0,
                                           "restart_backoff_min": "1ms", "restart_backoff_max": "1ms"})
    client = daemon.client("crash")
    for _ in range(3):
        assert_told(told_by(client.do_exit, 1), "worker_crashed")
        eventually(lambda: daemon.metric("workers_ready", service="crash") == 1 or
                   daemon.metric("degraded", service="crash") == 1, "a worker, or none any more")
    daemon.wait_metric("degraded", 1, service="crash")
    error = told_by(client.ping)
    assert_told(error, "degraded")
    assert "exited with status 1" not in error.message or "the last one" in error.message
    assert daemon.admin.get("/readyz")[0] == 503
    assert "degraded" in daemon.admin.get("/readyz")[1]
    assert daemon.log.matches("service.degraded service=crash")
    assert daemon.client().add(2, 3) == 5


def test_detect_reports_a_stuck_call_and_lets_it_run(sluiced):
    daemon = sluiced(calculator={"stuck_after": "80ms", "stuck_action": "detect"})
    daemon.client().sleep(300)
    assert daemon.metric("stuck_calls_total", service="calculator") == 1
    assert daemon.metric("slow_call_warnings_total", service="calculator") >= 3
    assert daemon.metric("worker_kills_total", service="calculator") == 0
    assert daemon.log.matches("call.slow service=calculator method=\"sleep\"")
    assert daemon.log.matches("call.stuck service=calculator method=\"sleep\"")


def test_off_says_nothing_of_calls_that_run_long(sluiced):
    daemon = sluiced(calculator={"stuck_after": "10ms", "stuck_action": "off"})
    daemon.client().sleep(100)
    assert daemon.metric("stuck_calls_total", service="calculator") == 0
    assert daemon.metric("slow_call_warnings_total", service="calculator") == 0


@pytest.mark.parametrize("routing", ["queuer", "key-persistent", "sticky", "round-robin",
                                     "least-loaded", "consistent-hash"])
def test_every_routing_uses_every_worker(sluiced, routing):
    daemon = sluiced(calculator={"workers": 4, "routing": routing})
    background = Background()
    running = [background(daemon.client().sleep, LONG_MSEC) for _ in range(4)]
    daemon.wait_sleeping("calculator", 4)
    daemon.kill_sleepers("calculator")
    for each in running:
        assert_told(outcome(each), "worker_crashed", TApplicationException.INTERNAL_ERROR)


@pytest.mark.parametrize("routing", ["queuer", "round-robin"])
def test_workers_that_die_among_many_calls_lose_their_own_whatever_the_routing(sluiced, routing):
    daemon = sluiced(crash={"workers": 3, "routing": routing, "restart_intensity": "none", "poison_after": 0,
                            "restart_backoff_min": "1ms", "restart_backoff_max": "1ms"})
    connection = daemon.connect()
    connection.send(b"".join(
        call("do_exit", service="crash", seqid=i, status=1) if i % 10 == 0 else
        call("ping", service="crash", seqid=i) for i in range(200)))
    replies = [connection.receive() for _ in range(200)]
    assert [reply.seqid for reply in replies] == list(range(200))
    for reply in replies:
        if reply.seqid % 10 == 0:
            assert_told(reply.error, "worker_crashed")
        else:
            assert reply.error is None


# --- what a handler says of its call

def test_a_call_that_makes_progress_is_not_stuck(sluiced):
    daemon = sluiced(crash={"stuck_after": "100ms"})
    assert daemon.client("crash").get_on(500, 20) is None
    assert daemon.metric("stuck_calls_total", service="crash") == 0


def test_a_call_that_is_protected_may_be_silent(sluiced):
    daemon = sluiced(crash={"stuck_after": "100ms"})
    assert daemon.client("crash").rest_protected(400, 3000) is None
    assert daemon.metric("stuck_calls_total", service="crash") == 0


def test_a_call_without_progress_is_stuck(sluiced):
    daemon = sluiced(crash={"stuck_after": "100ms"})
    assert_told(told_by(daemon.client("crash").get_on, LONG_MSEC, LONG_MSEC), "worker_stuck")
    assert daemon.metric("worker_kills_total", service="crash") == 1


# --- what an operator sees

def test_jobs_shows_what_waits_and_runs_and_how_long_calls_take(sluiced):
    daemon = sluiced(calculator={"workers": 1, "lookahead": 0})
    client, background = daemon.client(), Background()
    for i in range(20):
        client.add(i, 1)
    running = background(client.sleep, LONG_MSEC)
    daemon.wait_sleeping("calculator", 1)
    waiting = background(daemon.client().fact, 3)
    daemon.wait_metric("requests_queued", 1, service="calculator")
    (service,) = json.loads(daemon.admin.get("/jobs")[1])["services"]
    assert [(job["method"], job["state"]) for job in service["jobs"]][0] == ("fact", "queued")
    assert service["jobs"][1]["method"] == "sleep"
    times = {method["name"]: method["service_usec"] for method in service["methods"]}
    assert times["add"]["count"] in (19, 20)  # the first one made its name known
    assert 0 < times["add"]["p50"] <= times["add"]["p99"]
    status, text = daemon.admin.get(f"/explain?service=calculator&job={service['jobs'][0]['id']}")
    assert status == 200 and "came in" in text
    daemon.kill_sleepers("calculator")
    assert waiting.result() == 6
    assert_told(outcome(running), "worker_crashed")
    status, text = daemon.admin.get(f"/explain?service=calculator&job={service['jobs'][0]['id']}")
    assert status == 200 and "is handed over" in text and "ended: completed" in text


@pytest.mark.parametrize("query", ["", "?", "?job=1", "?service=calculator", "?service=nobody&job=1",
                                   "?service=calculator&job=x", "?service=calculator&job=0",
                                   "?service=calculator&job=99999999999999999999",
                                   "?service=calculator&job=4711", "?%zz=%", "?service=%00&job=1"])
def test_explain_tells_what_it_can_be_asked(sluiced, query):
    daemon = sluiced(calculator={})
    status, text = daemon.admin.get("/explain" + query)
    assert status in (400, 404) and text
