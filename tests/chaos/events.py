"""What is done to the daemon meanwhile.  Which, when and to whom comes from the seed alone: the
choices repeat, what the machine makes of them need not."""

import asyncio
import copy
import os
import random
import resource
import shutil
import signal
from collections import Counter

from clients import BUILD
from sluice_daemon import config_text

PLUGINS = ["calculator.so", "counter.so", "crash.so"]
BROKEN_PLUGINS = ["load_fails.so", "no_symbol.so", "no_worker_start.so", "wrong_abi.so"]
ROUTINGS = ["key-persistent", "sticky", "round-robin", "least-loaded", "consistent-hash"]


# --- processes -------------------------------------------------------------------------------

def stat_of(pid):
    """(name, parent) or (None, 0) when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            text = stat.read()
    except OSError:
        return None, 0
    name = text[text.index("(") + 1:text.rindex(")")]
    return name, int(text[text.rindex(")") + 2:].split()[1])


def children():
    """parent -> its children, of all processes there are."""
    family = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            family.setdefault(stat_of(entry)[1], []).append(int(entry))
    return family


def hosts_of(daemon):
    return sorted(pid for pid in children().get(daemon, []) if stat_of(pid)[0] == "sluice-host")


def workers_of(daemon):
    family = children()
    return sorted(worker for host in family.get(daemon, []) if stat_of(host)[0] == "sluice-host"
                  for worker in family.get(host, []) if stat_of(worker)[0] == "sluice-worker")


class Victim:
    """A process of this daemon, by a descriptor: its number may be another's tomorrow."""

    def __init__(self, pid, parents):
        self.fd = os.pidfd_open(pid)
        self.is_ours = stat_of(pid)[1] in parents
        if not self.is_ours:
            self.close()

    def signal(self, number):
        try:
            signal.pidfd_send_signal(self.fd, number)
        except ProcessLookupError:
            pass

    def close(self):
        os.close(self.fd)


# --- the events ------------------------------------------------------------------------------

class Chaos:
    def __init__(self, world, daemon, plugins):
        self.world = world
        self.daemon = daemon
        self.plugins = plugins  # the directory they are loaded from
        self.base = copy.deepcopy(daemon.groups)
        self.rng = world.random("events")
        self.done = Counter()
        self._undo = {}
        self._later = set()

    async def run(self, seconds):
        ends = asyncio.get_running_loop().time() + seconds
        names = [name for name, weight in EVENTS for _ in range(weight)]
        while not self.world.is_over and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(self.rng.uniform(0.02, 0.25))
            name = self.rng.choice(names)
            # One generator for each event: what it finds does not change the choices after it.
            if getattr(self, name)(random.Random(self.rng.getrandbits(64))):
                self.done[name] += 1

    def undo_later(self, seconds, key, action):
        """Once: after that time, or when all is put right."""
        self._undo[key] = action

        async def wait():
            await asyncio.sleep(seconds)
            self.undo(key)

        task = asyncio.get_running_loop().create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def undo(self, key):
        action = self._undo.pop(key, None)
        if action:
            action()

    def put_right(self):
        for task in list(self._later):
            task.cancel()
        for key in list(self._undo):
            self.undo(key)

    def pick(self, rng, pids, parents):
        """One of them, or None."""
        place = rng.random()
        if not pids:
            return None
        try:
            victim = Victim(pids[int(place * len(pids))], parents)
        except ProcessLookupError:
            return None
        return victim if victim.is_ours else None

    def worker(self, rng):
        daemon = self.daemon.process.pid
        return self.pick(rng, workers_of(daemon), hosts_of(daemon))

    def host(self, rng):
        daemon = self.daemon.process.pid
        return self.pick(rng, hosts_of(daemon), [daemon])

    # --- deaths and stops

    @staticmethod
    def kill(victim):
        if victim:
            victim.signal(signal.SIGKILL)
            victim.close()
        return victim is not None

    def suspend(self, rng, victim):
        if not victim:
            return False
        victim.signal(signal.SIGSTOP)

        def resume():
            victim.signal(signal.SIGCONT)
            victim.close()

        self.undo_later(rng.uniform(0.05, 2.5), victim, resume)
        return True

    def kill_worker(self, rng):
        return self.kill(self.worker(rng))

    def kill_host(self, rng):
        return self.kill(self.host(rng))

    def suspend_worker(self, rng):
        return self.suspend(rng, self.worker(rng))

    def suspend_host(self, rng):
        return self.suspend(rng, self.host(rng))

    # --- the configuration

    def reload(self, text):
        self.daemon.config.write_text(text)
        self.daemon.send_signal(signal.SIGHUP)
        return True

    def reload_good(self, rng):
        groups = copy.deepcopy(self.base)
        groups["daemon"]["log_level"] = rng.choice(["info", "info", "debug", "warning"])
        for name, group in groups.items():
            if not name.startswith("service "):
                continue
            group["workers"] = rng.choice([1, 2, 3, 4, "1..3", "2..4"])
            group["capacity"] = rng.choice(["fixed", "utilisation", "aimd"])
            group["routing"] = rng.choice(ROUTINGS)
            group["queue"] = rng.choice(["fifo", "priority", "weighted"])
            group["lookahead"] = rng.choice([0, 1, 16])
            group["reload_canary"] = rng.choice(["none"] * 7 + ["50% 200ms"])
        if rng.random() < 0.5:
            del groups["service extra"]
        more = [path for path in self.world.passing if rng.random() < 0.5]
        groups["daemon"]["listen"] = "; ".join([groups["daemon"]["listen"], *more])
        return self.reload(config_text(groups))

    def reload_bad(self, rng):
        groups = copy.deepcopy(self.base)
        kind = rng.randrange(4)
        if kind == 0:
            return self.reload("[daemon]\nlisten = nonsense\n[service x]\nworkers = 0\n")
        if kind == 1:
            plugin = BUILD / "tests/plugins" / rng.choice(BROKEN_PLUGINS)
            groups["service counter"]["plugin"] = plugin
        elif kind == 2:
            groups["service new"] = {"plugin": "absent.so"}
        else:
            groups["daemon"]["listen"] += "; unix:/proc/nobody/listens.sock"
        return self.reload(config_text(groups))

    def swap_by_rename(self, rng):
        """Another file of the same name, and a reload."""
        name = rng.choice(PLUGINS)
        fresh = self.plugins / f"{name}.new"
        shutil.copy(BUILD / "handlers" / name, fresh)
        fresh.rename(self.plugins / name)
        return self.reload_good(rng)

    def swap_in_place(self, rng):
        """The file is overwritten under everybody's hands, and is half a plugin for a while."""
        name = rng.choice(PLUGINS)
        whole = (BUILD / "handlers" / name).read_bytes()
        with open(self.plugins / name, "r+b") as plugin:
            plugin.truncate(len(whole) // 2)
            plugin.write(rng.randbytes(4096))

        def complete():
            (self.plugins / name).write_bytes(whole)

        self.undo_later(rng.uniform(0.01, 0.5), ("plugin", name), complete)
        return rng.random() < 0.5 or self.reload_good(rng)

    # --- what the machine has no more of

    def stop_reading_log(self, rng):
        self.daemon.log.reading.clear()
        self.undo_later(rng.uniform(0.1, 3), "log", self.daemon.log.reading.set)
        return True

    def lower_descriptors(self, rng):
        """None is free, or a few."""
        pid = self.daemon.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        soft = max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1 + rng.randrange(5)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.world.few_descriptors += not self.world.is_short
        self.world.is_short = True

        def raise_again():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
            self.world.is_short = False

        self.undo_later(rng.uniform(0.1, 1.5), "descriptors", raise_again)
        return True


# How often each, of all.
EVENTS = [("kill_worker", 25), ("kill_host", 6), ("suspend_worker", 15), ("suspend_host", 6),
          ("reload_good", 12), ("reload_bad", 8), ("swap_by_rename", 4), ("swap_in_place", 4),
          ("stop_reading_log", 6), ("lower_descriptors", 6)]
