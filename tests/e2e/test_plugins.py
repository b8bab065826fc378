"""Plugins that are wrong: named with the reason, and harmless to everything else."""

import os
import shutil
import signal
import subprocess

import pytest
from thrift.Thrift import TApplicationException

from background import Background, outcome
from clients import BUILD
from sluice_daemon import DEFAULT_DAEMON, SLUICED, config_text

WRONG_PLUGINS = BUILD / "tests" / "plugins"
REASONS = {
    "leaves_thread": "load() left threads running",
    "load_fails": "load(): the dictionary is missing",
    "load_fails_silently": "load(): failed without saying why",
    "missing_function": "nobody_defines_this",
    "no_name": "it has no name",
    "no_symbol": "it has no symbol sluice_plugin",
    "no_worker_start": "it has no worker_start()",
    "unknown_flag": "it has the unknown flags 0x80000000",
    "wrong_abi": "it was built for plugin ABI",
    "wrong_magic": "its symbol sluice_plugin is not one made by SLUICE_PLUGIN()",
    "wrong_size": "its descriptor has 16 bytes",
    "not_there": "No such file or directory",
    "not_elf": "invalid ELF header",
}


@pytest.fixture
def plugin(tmp_path):
    """Name to path of the plugin's file."""
    not_elf = tmp_path / "not_elf.so"
    not_elf.write_bytes(b"This is no shared object.\n" * 1000)
    return lambda name: not_elf if name == "not_elf" else WRONG_PLUGINS / f"{name}.so"


@pytest.mark.parametrize("name", REASONS)
def test_check_names_the_file_and_the_reason(plugin, tmp_path, name):
    config = tmp_path / "sluice.conf"
    config.write_text(config_text({
        "daemon": DEFAULT_DAEMON, "service calculator": {"plugin": "calculator.so"},
        "service wrong": {"plugin": plugin(name)}}))
    check = subprocess.run([SLUICED, "--check", "--config", config], capture_output=True,
                           text=True, timeout=60)
    assert check.returncode == 1
    assert f"{name}.so: " in check.stderr
    assert REASONS[name] in check.stderr
    assert "calculator.so" not in check.stderr


def test_a_daemon_with_wrong_plugins_serves_its_other_services(sluiced, plugin):
    daemon = sluiced(ready=False, calculator={},
                     **{name: {"plugin": plugin(name), "workers": 1} for name in REASONS})
    for name, reason in REASONS.items():
        refused = daemon.log.wait(rf'plugin\.refused service={name} .*reason="(.*)"')
        assert reason in refused[1]
    daemon.wait_metric("workers_ready", 2, service="calculator")
    code, why = daemon.admin.get("/readyz")
    assert code == 503
    for name, reason in REASONS.items():
        with pytest.raises(TApplicationException) as told:
            daemon.client("calculator", name=name).add(2, 3)
        assert told.value.type == TApplicationException.INTERNAL_ERROR
        assert told.value.message.startswith("no_handler: ")
        assert reason in told.value.message
        assert f"service {name}: refused: " in why
        assert daemon.metric("requests_refused_total", service=name, reason="no_handler") == 1
    assert daemon.client().add(2, 3) == 5


def test_a_worker_that_does_not_start_is_tried_again_after_a_wait(sluiced):
    """The first new start is at once, the next after restart-backoff-min: here an hour."""
    daemon = sluiced(ready=False, calculator={},
                     failing={"plugin": WRONG_PLUGINS / "silent_worker.so", "workers": 1,
                              "deadline": "100ms", "restart_backoff_min": "1h",
                              "restart_backoff_max": "1h"})
    daemon.wait_metric("worker_deaths_total", 2, service="failing")
    daemon.log.wait(r"worker\.died service=failing .*worker_start\(\): failed without saying why")
    with pytest.raises(TApplicationException) as told:
        daemon.client("calculator", name="failing").add(2, 3)
    assert told.value.message.startswith("deadline: ")
    assert daemon.service("failing")["workers"][0]["state"] == "vacant"
    assert daemon.metric("worker_deaths_total", service="failing") == 2
    assert "service failing: " in daemon.admin.get("/readyz")[1]
    daemon.wait_metric("workers_ready", 2, service="calculator")
    assert daemon.client().add(2, 3) == 5


@pytest.mark.parametrize("replace", ["overwritten", "truncated", "removed"])
def test_a_plugin_file_that_changes_while_it_serves_harms_nobody(sluiced, tmp_path, replace):
    """Not the running workers, not those forked later, not a host that starts again."""
    path = tmp_path / "mine.so"
    shutil.copy(BUILD / "handlers" / "calculator.so", path)
    daemon = sluiced(calculator={"plugin": path, "workers": 1})
    client = daemon.client()
    assert client.add(2, 3) == 5
    if replace == "overwritten":
        path.write_bytes(os.urandom(path.stat().st_size))
    elif replace == "truncated":
        os.truncate(path, 0)
    else:
        path.unlink()
    assert client.add(2, 3) == 5
    assert client.echo(b"x" * 100_000) == b"x" * 100_000
    os.kill(daemon.worker_pids("calculator")[0], signal.SIGKILL)
    daemon.wait_metric("worker_deaths_total", 1, service="calculator")
    assert client.add(2, 3) == 5
    os.kill(daemon.service("calculator")["host_pid"], signal.SIGKILL)
    daemon.wait_metric("host_deaths_total", 1, service="calculator")
    assert client.add(2, 3) == 5


def test_calls_wait_for_a_service_that_is_starting(sluiced):
    daemon = sluiced(ready=False, calculator={"workers": 1})
    early = [Background()(daemon.client().add, i, 1) for i in range(4)]
    assert [outcome(each) for each in early] == [None] * 4
    assert [each.result() for each in early] == [1, 2, 3, 4]
