"""SIGHUP: a whole new generation, or nothing at all; and nobody who calls meanwhile notices."""

import os
import shutil
import signal

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from clients import BUILD
from reloading import VERSIONS, change, hup, reloaded, refused, version_service, write
from waiting import eventually

# --- refused ---------------------------------------------------------------------------------


def test_a_bad_configuration_is_told_with_all_its_errors_and_changes_nothing(sluiced):
    daemon = sluiced()
    pids = daemon.worker_pids("calculator")
    daemon.config.write_text("[daemon]\nlog-level = loud\n[service x]\nworkers = 0\n")
    hup(daemon)
    daemon.log.wait(r"reload\.refused problem=.*:2: \[daemon\] log-level = loud")
    daemon.log.wait(r"reload\.refused problem=.*workers = 0")
    daemon.wait_metric("reload_failures_total", 1)
    assert "workers = 0" in daemon.status()["reload"]["problems"]
    assert daemon.client().add(2, 3) == 5
    assert [service["name"] for service in daemon.status()["services"]] == ["calculator", "crash"]
    assert daemon.worker_pids("calculator") == pids


def test_what_needs_a_restart_is_refused_and_says_so(sluiced):
    daemon = sluiced()
    change(daemon, "daemon", admin="http://127.0.0.1:1")
    refused(daemon, r"\[daemon\] admin: changing it needs a restart")
    assert daemon.client().add(2, 3) == 5


@pytest.mark.parametrize("plugin, why", [
    ("no_such_file.so", "cannot open the plugin"),
    ("load_fails.so", r"load\(\)"),
    ("no_symbol.so", "has no symbol sluice_plugin"),
    ("no_worker_start.so", "worker_start"),
])
def test_a_plugin_that_does_not_load_changes_nothing(sluiced, plugin, why):
    daemon = sluiced(calculator={}, crash={})
    pids = daemon.worker_pids("calculator")
    change(daemon, "service crash", plugin=BUILD / "tests/plugins" / plugin)
    refused(daemon, rf"service crash: .*{why}")
    assert daemon.worker_pids("calculator") == pids
    assert daemon.service("crash")["generation"] == 1
    assert daemon.client("crash").setting("x") == ""
    change(daemon, "service crash", plugin="crash.so")
    reloaded(daemon)


def test_a_new_service_that_does_not_come_up_changes_nothing(sluiced):
    daemon = sluiced(calculator={})
    daemon.groups["service crash"] = {"plugin": BUILD / "tests/plugins/load_fails.so"}
    refused(daemon, "service crash: ")
    assert [service["name"] for service in daemon.status()["services"]] == ["calculator"]
    with pytest.raises(TApplicationException, match="unknown_service"):
        daemon.client("crash").ping()


@pytest.mark.parametrize("plugin", ["hanging_worker.so", "hanging_load.so"])
def test_a_plugin_that_hangs_changes_nothing(sluiced, plugin):
    daemon = sluiced(calculator={})
    plugin = BUILD / "tests/plugins" / plugin
    change(daemon, "service calculator", plugin=plugin, start_timeout="200ms")
    refused(daemon, "service calculator: ")
    assert daemon.client().add(2, 3) == 5


# --- taken over ------------------------------------------------------------------------------


def test_a_new_worker_that_ends_before_the_others_are_ready_is_named(sluiced):
    daemon = sluiced(calculator={})
    old = daemon.worker_pids("calculator")
    daemon.groups["service slow"] = {"plugin": BUILD / "tests/plugins/hanging_worker.so"}
    write(daemon)
    hup(daemon)
    pid = int(daemon.log.wait(r"worker\.ready service=calculator worker=0 generation=2 pid=(\d+)")[1])
    os.kill(pid, signal.SIGKILL)
    daemon.log.wait(rf"reload\.refused problem=\"service calculator: worker 0 \(pid {pid}\) was killed by signal 9")
    assert daemon.worker_pids("calculator") == old
    assert daemon.client().add(2, 3) == 5


def test_a_reload_replaces_every_worker_and_settings_are_new(sluiced):
    daemon = sluiced(crash={"workers": 2}, settings={"crash": {"colour": "red"}})
    client, pids = daemon.client("crash"), set(daemon.worker_pids("crash"))
    assert client.setting("colour") == "red"
    daemon.groups["settings crash"] = {"colour": "blue"}
    change(daemon, "service crash", workers=5)
    reloaded(daemon)
    assert client.setting("colour") == "blue"  # on the connection that was there
    assert len(daemon.worker_pids("crash")) == 5
    assert not pids & set(daemon.worker_pids("crash"))
    assert daemon.metric("generation") == 2
    assert daemon.status()["reload"]["last_result"] == "done"


def test_what_runs_ends_where_it_is_and_what_waits_goes_to_the_next_generation(sluiced):
    background = Background()
    daemon = sluiced(daemon={"drain_timeout": "1h"}, calculator={"workers": 1})
    old = daemon.worker_pids("calculator")
    running = background(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    waiting = background(daemon.client().add, 20, 22)
    daemon.wait_metric_at_least("requests_running", 2, service="calculator")
    reloaded(daemon, settled=False)
    assert waiting.result(60) == 42
    assert daemon.service("calculator")["other_generation"]["workers"][0]["pid"] == old[0]
    os.kill(old[0], 9)
    with pytest.raises(TApplicationException, match="worker_crashed"):
        running.result(60)
    daemon.log.wait(r"reload\.settled")


def test_what_an_old_generation_still_runs_at_drain_timeout_is_told_so(sluiced):
    background = Background()
    daemon = sluiced(daemon={"drain_timeout": "50ms"}, calculator={"workers": 1})
    running = background(daemon.client().sleep, 3600000)
    daemon.wait_sleeping("calculator")
    reloaded(daemon)
    with pytest.raises(TApplicationException, match="draining"):
        running.result(60)
    assert daemon.metric("requests_lost_total", service="calculator", reason="draining") == 1
    assert daemon.client().add(2, 3) == 5


def test_services_are_added_removed_and_renamed_in_one_reload(sluiced):
    daemon = sluiced(calculator={}, crash={}, counter={})
    crash = daemon.client("crash")
    crash.ping()
    daemon.groups["service shop"] = daemon.groups.pop("service crash")
    del daemon.groups["service counter"]
    daemon.groups["service more"] = {"plugin": "calculator.so"}
    reloaded(daemon)
    assert [s["name"] for s in daemon.status()["services"]] == ["calculator", "shop", "more"]
    assert daemon.client("crash", name="shop").setting("x") == ""
    assert daemon.client("calculator", name="more").add(2, 3) == 5
    with pytest.raises(TApplicationException, match="unknown_service"):
        crash.ping()


def test_a_service_that_is_removed_answers_what_it_runs(sluiced):
    background = Background()
    daemon = sluiced(daemon={"drain_timeout": "1h"}, calculator={}, crash={"workers": 1})
    running = background(daemon.client("crash").get_on, 60000, 10)
    daemon.wait_metric("requests_running", 1, service="crash")
    pid = daemon.worker_pids("crash")[0]
    del daemon.groups["service crash"]
    reloaded(daemon, settled=False)
    os.kill(pid, 9)
    with pytest.raises(TApplicationException, match="worker_crashed"):
        running.result(60)
    daemon.log.wait(r"reload\.settled")


def test_another_service_becomes_the_default(sluiced):
    daemon = sluiced(calculator={}, counter={})
    change(daemon, "service calculator", default=False)
    reloaded(daemon)
    with pytest.raises(TApplicationException, match="unknown_service"):
        daemon.client().add(2, 3)


def test_listeners_change_without_touching_connections(sluiced, tmp_path):
    daemon = sluiced()
    client, unix = daemon.client(), daemon.client(transport="unix")
    other = tmp_path / "other.sock"
    change(daemon, "daemon", listen=f"tcp://127.0.0.1:0; unix:{other}")
    reloaded(daemon)
    assert client.add(2, 3) == 5 and unix.add(2, 3) == 5
    assert daemon.client().add(2, 3) == 5  # the port that was chosen stays
    assert not os.path.exists(daemon.socket_path)
    daemon.unix = f"unix:{other}"
    assert daemon.client(transport="unix").add(2, 3) == 5


def test_an_address_that_cannot_be_opened_changes_nothing(sluiced, tmp_path):
    daemon = sluiced()
    change(daemon, "daemon", listen=f"unix:{tmp_path}/not/there.sock; unix:{tmp_path}/new.sock")
    refused(daemon, "not/there.sock")
    assert not os.path.exists(tmp_path / "new.sock")
    assert daemon.client().add(2, 3) == 5
    assert daemon.client(transport="unix").add(2, 3) == 5


def test_limits_of_the_daemon_are_new_for_connections_that_were_there(sluiced):
    daemon = sluiced()
    client = daemon.client()
    assert client.echo(b"x" * 100000) == b"x" * 100000
    change(daemon, "daemon", max_frame_bytes="4K")
    reloaded(daemon)
    assert client.echo(b"x" * 1000) == b"x" * 1000
    with pytest.raises(TApplicationException, match="too_large|larger"):
        client.echo(b"x" * 100000)


def test_a_call_that_was_taken_when_more_was_allowed_is_still_served(sluiced):
    daemon = sluiced(daemon={"drain_timeout": "1h"}, calculator={"workers": 1})
    background = Background()
    running = background(daemon.client().sleep, 60000)
    daemon.wait_sleeping("calculator")
    waiting = background(daemon.client().echo, b"x" * 100000)
    daemon.wait_metric("requests_running", 2, service="calculator")
    change(daemon, "daemon", max_frame_bytes="4K")
    reloaded(daemon, settled=False)
    assert waiting.result(60) == b"x" * 100000
    daemon.kill_sleepers("calculator")
    for pid in (w["pid"] for w in daemon.service("calculator")["other_generation"]["workers"]):
        os.kill(pid, 9)
    assert outcome(running).message.startswith("worker_crashed")


def test_a_service_whose_plugin_was_refused_at_the_start_is_healed_by_a_reload(sluiced):
    daemon = sluiced(ready=False, calculator={"plugin": BUILD / "tests/plugins/load_fails.so"})
    daemon.log.wait(r"plugin\.refused")
    with pytest.raises(TApplicationException, match="no_handler"):
        daemon.client().add(2, 3)
    change(daemon, "service calculator", plugin="calculator.so")
    reloaded(daemon)
    assert daemon.client().add(2, 3) == 5
    daemon.wait_ready()


# --- new code --------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["renamed over it", "written in place"])
def test_a_changed_plugin_is_always_the_new_code(sluiced, tmp_path, how):
    plugin = tmp_path / "version.so"
    shutil.copy(VERSIONS["one"], plugin)
    daemon = sluiced(version=version_service(plugin))
    client = daemon.client("version_one", name="version")
    for version in ["two", "one", "two"]:
        assert client.get("x").version != version
        if how == "renamed over it":
            shutil.copy(VERSIONS[version], tmp_path / "new.so")
            os.rename(tmp_path / "new.so", plugin)
        else:
            plugin.write_bytes(VERSIONS[version].read_bytes())
        assert client.get("x").version != version  # not before it is told
        reloaded(daemon)
        assert client.get("x").version == version
    newer = daemon.client("version_two", name="version")
    assert newer.more("text") == "text" and newer.get("x").version == "two"


def test_signals_during_a_reload_are_one_that_follows(sluiced):
    daemon = sluiced(calculator={"workers": 8})
    for _ in range(50):
        hup(daemon)
    daemon.log.wait(r"reload\.settled")
    eventually(lambda: daemon.status()["reload"]["state"] == "idle", "it is over")
    assert 1 <= daemon.metric("reloads_total") < 50
    assert daemon.metric("reload_failures_total") == 0
    assert daemon.client().add(2, 3) == 5
