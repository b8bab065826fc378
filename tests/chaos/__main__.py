"""chaos - a real daemon under load, while everything that may happen to it does.

    tests/chaos --seconds 60 --seed 1

Status 0: every call had exactly one outcome, and the daemon is as it was before, and stopped in
order.  Else it says what was violated, the seed, and where the log is."""

import argparse
import asyncio
import contextlib
import os
import resource
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "e2e"))

import callers  # noqa: E402
import judge  # noqa: E402
from clients import BUILD  # noqa: E402
from events import PLUGINS, Chaos  # noqa: E402
from reloading import hup, write  # noqa: E402
from sluice_daemon import Daemon  # noqa: E402
from waiting import eventually  # noqa: E402

# What waits is bounded by these, so that every wait of the clients is.  An honest client may be
# kept from reading for seconds, on a machine that does other things as well.
SETTINGS = {"frame_timeout": "8s", "write_timeout": "15s", "drain_timeout": "1s",
            "max_frame_bytes": "1M", "log_repeat_interval": "100ms"}
SERVICE = {"workers": 2, "deadline": "5s", "stuck_after": "1s", "start_timeout": "5s",
           "restart_backoff_min": "10ms", "restart_backoff_max": "200ms",
           "restart_intensity": "1000/m"}
SETTLES = 10  # attempts: what is still dying may spoil a reload


def start(directory, plugins):
    services = {name: {"plugin": f"{name}.so", **SERVICE} for name in ("calculator", "counter", "crash")}
    services["calculator"]["default"] = True
    services["wild"] = {"plugin": "crash.so", **SERVICE}
    services["extra"] = {"plugin": "calculator.so", **SERVICE}
    keyed = {f"counter.{method}": {"key": "arg:1"} for method in ("add", "value")}
    daemon = Daemon(directory, {"handler_dir": plugins, **SETTINGS}, services, {}, keyed)
    daemon.wait_listening()
    daemon.wait_ready()
    return daemon


async def run(world, chaos, seconds):
    """Everybody at once; then no more events, and the clients end."""
    clients = [asyncio.create_task(client) for client in callers.everybody(world)]
    for client in clients:
        client.add_done_callback(lambda task: task.exception() and world.violate(
            f"a client: {task.exception()!r}"))
    await chaos.run(seconds)
    chaos.put_right()
    world.is_over = True
    await asyncio.wait(clients)


def settle(daemon):
    """The configuration of the start is in force, by a reload that was taken over."""
    for _ in range(SETTLES):
        write(daemon)
        results = daemon.metric("reloads_total") + daemon.metric("reload_failures_total")
        hup(daemon)
        eventually(lambda: daemon.metric("reloads_total") + daemon.metric("reload_failures_total")
                   > results, "the reload has come to something")
        eventually(lambda: daemon.status()["reload"]["state"] == "idle", "the reload is over")
        if daemon.status()["reload"]["last_result"] == "done":
            break
    daemon.wait_ready()


def serves(daemon):
    for transport in "tcp", "unix":
        assert daemon.client(transport=transport).add(2, 3) == 5
    assert daemon.client("counter").add("after", 1) == 1
    for name in "crash", "wild":
        daemon.client("crash", name=name).ping()
    daemon.close_clients()


def after(daemon, world, before, resident):
    """All that is violated once the clients are gone."""
    yield from judge.accounts(world)
    eventually(lambda: daemon.admin.get("/livez")[0] == 200, "it lives")
    settle(daemon)
    serves(daemon)
    yield from judge.ledger(daemon, world)
    try:
        eventually(lambda: judge.Quiet(daemon) == before, "it has what it had")
    except AssertionError:
        yield f"it has what it had not before: {judge.Quiet(daemon).difference(before)}"
    growth = judge.resident_kib(daemon) - resident
    if growth > judge.MEMORY_GROWTH_KIB:
        yield f"its memory has grown by {growth} KiB"
    yield from judge.stop(daemon)
    yield from judge.bad_lines(daemon)


def report(daemon, world, chaos):
    outcomes = Counter()
    for (_, outcome), count in world.outcomes.items():
        outcomes[outcome] += count
    closed = Counter()
    if daemon.process.poll() is None:
        for (name, labels), value in daemon.admin.metrics().values.items():
            if name == "sluice_connections_closed_total":
                closed[dict(labels)["reason"]] += int(value)
    for what, counts in (("calls", world.made), ("outcomes", outcomes), ("closed", closed),
                         ("events", chaos.done)):
        print(f"{what}: {sum(counts.values())} ({', '.join(f'{n} {c}' for n, c in counts.most_common())})")


def soak(directory, seconds, seed, log):
    plugins = directory / "handlers"
    plugins.mkdir()
    for name in PLUGINS:
        shutil.copy(BUILD / "handlers" / name, plugins)
    daemon = start(directory, plugins)
    try:
        world = callers.World(seed, [daemon.tcp, daemon.unix])
        world.passing = [f"unix:{directory}/more-{number}.sock" for number in range(2)]
        chaos = Chaos(world, daemon, plugins)
        before, resident = judge.Quiet(daemon), judge.resident_kib(daemon)
        asyncio.run(run(world, chaos, seconds))
        report(daemon, world, chaos)
        if daemon.process.poll() is not None:  # and all the rest is because of that
            world.violations.insert(0, f"the daemon has ended with {daemon.process.returncode}")
        return world.violations or list(after(daemon, world, before, resident))
    finally:
        with contextlib.redirect_stdout(None):  # it prints the log
            daemon.destroy()
        log.write_text("\n".join(daemon.log.lines) + "\n")


def main():
    arguments = argparse.ArgumentParser(prog="chaos")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    log = BUILD / f"chaos-{options.seed}.log"
    print(f"chaos: seed {options.seed}, {options.seconds:g} s, log {os.path.relpath(log)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="sluice-chaos-") as directory:
        violations = soak(Path(directory), options.seconds, options.seed, log)
    for violation in violations[:20]:
        print(f"VIOLATED: {violation}")
    if violations:
        print(f"again: make chaos SECONDS={options.seconds:g} SEED={options.seed}")
    return 1 if violations else 0


sys.exit(main())
