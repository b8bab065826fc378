"""Reloads under load: nobody who calls without pause sees an error, a reset, or an old answer
after a new one."""

import random
import shutil
import threading
from collections import Counter

import pytest
from thrift.Thrift import TApplicationException

from clients import open_client
from reloading import VERSIONS, change, reloaded, version_service, write, hup
from waiting import eventually

CLIENTS = 200
RELOADS = 100


class Callers:
    """Clients that call without pause, each on a connection of its own; what they heard."""

    def __init__(self, daemon, count, call):
        self.heard = [[] for _ in range(count)]
        self.errors = []
        self._stop = threading.Event()
        self._call = call
        clients = [daemon.client("version_one", name="version") for _ in range(count)]
        self._threads = [threading.Thread(target=self._run, args=(i, clients[i]))
                         for i in range(count)]
        for thread in self._threads:
            thread.start()

    def _run(self, number, client):
        heard = self.heard[number]
        while not self._stop.is_set():
            try:
                answer = self._call(client, number)
            except Exception as error:  # pylint: disable=broad-except
                self.errors.append(error)
                return
            if not heard or heard[-1] != answer:
                heard.append(answer)

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()


def generations(daemon):
    """Which generation each worker is of, by pid, as the log tells it."""
    found = daemon.log.matches(r"worker\.ready service=version worker=\d+ generation=(\d+) pid=(\d+)")
    return {int(match[2]): int(match[1]) for match in found}


def test_200_clients_see_nothing_of_100_reloads_but_one_change_each_and_never_back(sluiced, tmp_path):
    plugin = tmp_path / "version.so"
    shutil.copy(VERSIONS["one"], plugin)
    daemon = sluiced(daemon={"drain_timeout": "1h"}, version=version_service(plugin, workers=2))

    def call(client, number):
        answer = client.get(f"key {number}")
        return answer.version, answer.pid

    callers = Callers(daemon, CLIENTS, call)
    accepted = daemon.metric("connections_accepted_total")
    for i in range(RELOADS):
        shutil.copy(VERSIONS["two" if i % 2 == 0 else "one"], plugin)
        reloaded(daemon)
    callers.end()
    assert callers.errors == []
    assert daemon.metric("connections_accepted_total") == accepted
    assert daemon.metric("generation") == RELOADS + 1
    assert daemon.metric("worker_deaths_total", service="version") == 0
    of_pid = generations(daemon)
    for heard in callers.heard:
        path = [of_pid[pid] for _, pid in heard]
        assert path == sorted(path), "an old generation answered after a new one"
        assert all(version == ("two" if of_pid[pid] % 2 == 0 else "one") for version, pid in heard)


# --- a share of the calls first --------------------------------------------------------------


def with_canary(daemon, plugin, version, rule):
    shutil.copy(VERSIONS[version], plugin)
    change(daemon, "service version", reload_canary=rule)


def start_canary(sluiced, tmp_path, rule, **options):
    plugin = tmp_path / "version.so"
    shutil.copy(VERSIONS["one"], plugin)
    daemon = sluiced(daemon={"drain_timeout": "1h"}, version=version_service(plugin, **options))
    with_canary(daemon, plugin, "two", rule)
    return daemon


def test_a_canary_serves_its_share_of_the_connections_and_is_promoted(sluiced, tmp_path):
    daemon = start_canary(sluiced, tmp_path, "30% 3s")
    callers = Callers(daemon, 60, lambda client, number: client.get("x").version)
    eventually(lambda: all(callers.heard), "each has heard the old one")
    write(daemon)
    hup(daemon)
    daemon.log.wait("reload.sharing")
    eventually(lambda: any("two" in heard for heard in callers.heard), "the canary answers")
    during = Counter(heard[-1] for heard in callers.heard)
    daemon.log.wait(r"service\.canary_passed service=version generation=2")
    daemon.log.wait(r"reload\.done generation=2")
    eventually(lambda: all(heard[-1] == "two" for heard in callers.heard), "all hear the new one")
    callers.end()
    assert callers.errors == []
    assert during["two"] < 60
    # Whoever was in the share changed once, and so did the others, later.
    assert {tuple(heard) for heard in callers.heard} == {("one", "two")}


def test_a_canary_that_fails_calls_is_rolled_back(sluiced, tmp_path):
    daemon = start_canary(sluiced, tmp_path, "100% 1h max-errors=1%")
    client = daemon.client("version_one", name="version")
    write(daemon)
    hup(daemon)
    daemon.log.wait("reload.sharing")
    assert client.get("x").version == "two"
    for _ in range(2):
        with pytest.raises(TApplicationException, match="as asked"):
            client.fail()
    daemon.log.wait(r"reload\.refused problem=\"service version: 2 of the 3 calls that it got failed")
    assert client.get("x").version == "one"
    daemon.wait_metric("reload_failures_total", 1)
    assert daemon.metric("generation") == 1
    eventually(lambda: daemon.status()["reload"]["state"] == "idle", "the canary has ended")


def test_a_canary_whose_worker_crashes_is_rolled_back(sluiced, tmp_path):
    daemon = start_canary(sluiced, tmp_path, "100% 1h max-errors=100% max-crashes=0")
    client = daemon.client("version_one", name="version")
    write(daemon)
    hup(daemon)
    daemon.log.wait("reload.sharing")
    with pytest.raises(TApplicationException, match="worker_crashed"):
        client.crash()
    daemon.log.wait(r"reload\.refused problem=\"service version: .*1 of its workers")
    assert client.get("x").version == "one"


def test_a_canary_of_one_service_holds_back_the_whole_reload(sluiced, tmp_path):
    daemon = start_canary(sluiced, tmp_path, "100% 1h max-crashes=0")
    daemon.groups["service calculator"] = {"plugin": "calculator.so", "default": True}
    client = daemon.client("version_one", name="version")
    write(daemon)
    hup(daemon)
    daemon.log.wait("reload.sharing")
    with pytest.raises(TApplicationException, match="unknown_service"):
        daemon.client().add(2, 3)
    with pytest.raises(TApplicationException, match="worker_crashed"):
        client.crash()
    eventually(lambda: daemon.status()["reload"]["state"] == "idle", "it is given up")
    assert [service["name"] for service in daemon.status()["services"]] == ["version"]
    change(daemon, "service version", reload_canary="none")
    reloaded(daemon)
    assert daemon.client().add(2, 3) == 5


def test_a_stop_during_a_canary_ends_both_generations(sluiced, tmp_path):
    daemon = start_canary(sluiced, tmp_path, "50% 1h")
    write(daemon)
    hup(daemon)
    daemon.log.wait("reload.sharing")
    daemon.sigterm()
    assert daemon.wait_exit() == 0


# --- addresses -------------------------------------------------------------------------------


def test_an_address_that_stays_is_never_refused_while_others_come_and_go(sluiced, tmp_path):
    daemon = sluiced(daemon={"drain_timeout": "1h"})
    stays = f"tcp://127.0.0.1:0; unix:{daemon.socket_path}"
    others = [f"unix:{tmp_path}/{i}.sock" for i in range(4)]
    choice, errors, stop = random.Random(1), [], threading.Event()

    def connect_all_the_time():
        while not stop.is_set():
            for transport in "tcp", "unix":
                try:
                    client, socket = open_client(getattr(daemon, transport), "calculator")
                    assert client.add(2, 3) == 5
                    socket.close()
                except Exception as error:  # pylint: disable=broad-except
                    errors.append(error)
                    return

    threads = [threading.Thread(target=connect_all_the_time) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        chosen = choice.sample(others, choice.randrange(len(others) + 1))
        change(daemon, "daemon", listen="; ".join([stays, *chosen]))
        reloaded(daemon)
        open_now = {listener["address"] for listener in daemon.status()["listeners"]}
        assert open_now == {daemon.tcp, daemon.unix, *chosen}
    stop.set()
    for thread in threads:
        thread.join()
    assert errors == []
