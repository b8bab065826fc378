"""What must hold when all is quiet again, and when the daemon has stopped."""

import os
import re
import signal
from collections import Counter

from events import hosts_of, workers_of
from processes import descriptors, marked, memory_kib
from waiting import eventually

MEMORY_GROWTH_KIB = 64 * 1024
# Of GLib and of our own asserts: not what a handler logs.
CRITICAL = re.compile(r"FATAL|CRITICAL|\*\*|assertion|ring: cannot")


def ring_mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return sum("/memfd:" in line for line in maps)


def admin_connections(daemon):
    """Whether sluiced still has one: it closes each when its answer is out."""
    port = f":{daemon.admin.port:04X}"
    with open("/proc/net/tcp", encoding="utf-8") as table:
        rows = [line.split() for line in list(table)[1:]]
    listening, without_process = "0A", "0"
    return [row for row in rows
            if row[1].endswith(port) and row[3] != listening and row[9] != without_process]


class Quiet:
    """What one daemon has when nobody calls it."""

    def __init__(self, daemon):
        eventually(lambda: not admin_connections(daemon), "its admin connections are closed")
        pid = daemon.process.pid
        self.descriptors = descriptors(pid)
        self.mappings = ring_mappings(pid)
        self.processes = len(hosts_of(pid)), len(workers_of(pid)), len(marked(daemon.marker))

    def __eq__(self, other):
        return vars(self) == vars(other)

    def difference(self, before):
        if self.descriptors != before.descriptors:
            return f"descriptors: more {self.descriptors - before.descriptors}, " \
                   f"fewer {before.descriptors - self.descriptors}"
        return f"mappings {before.mappings} -> {self.mappings}, " \
               f"hosts, workers, all {before.processes} -> {self.processes}"


def resident_kib(daemon):
    return memory_kib(daemon.process.pid, "VmRSS")


def accounts(world):
    """Every call that was made has one outcome."""
    heard = Counter()
    for (service, _), count in world.outcomes.items():
        heard[service] += count
    for service, made in world.made.items():
        if heard[service] != made:
            yield f"{service}: {made} calls were made, {heard[service]} had an outcome"


def ledger(daemon, world):
    """The daemon's own account balances, and has all that its clients were told."""
    metrics = daemon.admin.metrics()
    for service, gap in metrics.ledger_gaps().items():
        yield f"the ledger of {service or 'no service'} does not balance: {gap}"
    told = Counter()
    for (name, labels), value in metrics.values.items():
        labels = dict(labels)
        if re.fullmatch(r"sluice_requests_(refused|discarded|lost)_total", name):
            told[labels["service"], labels["reason"]] += value
        elif name == "sluice_requests_completed_total":
            told[labels["service"], "reply"] += value
    for (service, outcome), count in world.outcomes.items():
        if service in ("calculator", "counter", "crash") and (service, outcome) in told \
                and told[service, outcome] < count:
            yield f"{service}: {count} clients were told {outcome}, {told[service, outcome]} counted"
    for name in "queued", "running":
        for (metric, labels), value in metrics.values.items():
            if metric == f"sluice_requests_{name}" and value != 0:
                yield f"{dict(labels)['service']}: {value} calls are still {name}"


def bad_lines(daemon):
    for line in daemon.log.lines:
        if CRITICAL.search(line) and "handler.log" not in line:
            yield f"the log: {line}"


def stop(daemon):
    """SIGTERM: status 0, and nothing is left."""
    daemon.send_signal(signal.SIGTERM)
    if daemon.wait_exit() != 0:
        yield f"it ended with {daemon.process.returncode}"
        return
    eventually(lambda: not marked(daemon.marker), "every process of the daemon has ended")
    daemon.log.wait_end()
    if os.path.lexists(daemon.socket_path):
        yield "its socket file is left"
