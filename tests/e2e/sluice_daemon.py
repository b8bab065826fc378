"""One sluiced under test: its configuration, its process, its log, its numbers."""

import os
import re
import signal
import subprocess
import threading
import uuid

from admin import Admin
from clients import BUILD, open_client, split_tcp
from processes import is_in_a_timed_sleep, marked
from waiting import DEADLINE_SEC, eventually
from wire import PATIENCE_SEC, Connection

SLUICED = BUILD / "sluiced"
FAULTS_BUILD = BUILD / "faults"  # with fault points: make programs BUILD=build/faults FAULTS=1
SHOWN_LINES = 200  # of the log of a test that fails
DEFAULT_DAEMON = {
    "handler_dir": BUILD / "handlers",
    "host_program": BUILD / "sluice-host",
    "admin": "http://127.0.0.1:0",
    "drain_timeout": "100ms",  # what a test leaves running does not hold up its end
}
FAULTS_DAEMON = {"host_program": FAULTS_BUILD / "sluice-host"}
# So that nothing but what a test sets ends its calls.
NO_LIMITS = {"deadline": "1h", "stuck_after": "1h"}
DEFAULT_SERVICES = {
    "calculator": {"plugin": "calculator.so", "default": True, "workers": 2, **NO_LIMITS},
    "counter": {"plugin": "counter.so", "workers": 4, **NO_LIMITS},
    "crash": {"plugin": "crash.so", "workers": 2, "restart_backoff_max": "100ms", **NO_LIMITS},
}

EXAMPLES = {"calculator": {}, "crash": {}}  # what a test has that asks for nothing


def config_text(groups):
    """Groups of settings as sluice.conf: max_frame_bytes=1024 becomes max-frame-bytes = 1024."""
    lines = []
    for group, settings in groups.items():
        lines.append(f"[{group}]")
        for key, value in settings.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            lines.append(f"{key.replace('_', '-')} = {text}")
    return "\n".join(lines) + "\n"


class Log:
    """Everything that a daemon and its hosts write to stderr."""

    def __init__(self, pipe):
        self.lines = []
        self.reading = threading.Event()  # cleared: nobody reads what they write
        self.reading.set()
        self._changed = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._reader.start()

    def _read(self, pipe):
        for line in pipe:
            self.reading.wait()
            with self._changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def matches(self, pattern):
        return [found for found in map(re.compile(pattern).search, list(self.lines)) if found]

    def wait(self, pattern, count=1):
        """The `count`th match; fails at once when nobody is left who could write it."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.matches(pattern)) >= count or self._ended,
                                   DEADLINE_SEC)
        found = self.matches(pattern)
        assert len(found) >= count, f"{len(found)} of {count} lines like: {pattern}"
        return found[count - 1]

    def wait_end(self):
        """Until every process that could write to it has ended."""
        self.reading.set()
        self._reader.join(DEADLINE_SEC)
        assert not self._reader.is_alive(), "a process still holds the daemon's stderr"


class Daemon:
    def __init__(self, directory, daemon, services, settings, methods, faults=None, wrapper=()):
        """`faults`: schedules of system calls that shall fail, see fault_point.h."""
        self.socket_path = daemon.pop("socket_path", directory / "sluice.sock")
        self.groups = {"daemon": {
            **DEFAULT_DAEMON, **(FAULTS_DAEMON if faults else {}), "listen": f"tcp://127.0.0.1:0; unix:{self.socket_path}", **daemon}}
        for name, options in services.items():
            self.groups[f"service {name}"] = {**DEFAULT_SERVICES.get(name, {}), **options}
        for name, values in settings.items():
            self.groups[f"settings {name}"] = values
        for name, options in methods.items():
            self.groups[f"method {name}"] = options
        self.config = directory / "sluice.conf"
        self.config.write_text(config_text(self.groups))
        self.marker = f"SLUICE_TEST_DAEMON={uuid.uuid4()}"
        self.expected_exit = 0
        self._open = []
        self.visits = directory / "visits"
        environment = dict(os.environ, **dict([self.marker.split("=")]))
        if faults:
            environment["SLUICE_FAULTS"] = ";".join(map("=".join, faults.items()))
            environment["SLUICE_FAULTS_VISITS"] = str(self.visits)
        program = FAULTS_BUILD / "sluiced" if faults else SLUICED
        self.process = subprocess.Popen([*wrapper, program, "--config", self.config], env=environment,
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        start_new_session=True)
        self.log = Log(self.process.stderr)

    # --- the start

    def wait_listening(self):
        self.tcp = self.log.wait(r"listener\.open address=(tcp://\S+)")[1]
        self.unix = self.log.wait(r"listener\.open address=(unix:\S+)")[1]
        self.admin = Admin(*split_tcp(self.log.wait(r"admin\.open address=(http://\S+)")[1]))

    def wait_ready(self):
        eventually(lambda: self.admin.get("/readyz")[0] == 200, "/readyz says 200")

    def wait_draining(self):
        eventually(lambda: self.admin.get("/readyz") == (503, "draining\n"), "it drains")

    # --- clients

    def client(self, service="calculator", protocol="binary", transport="tcp", multiplexed=None,
               name=None, framing="framed"):
        """A stock client.  Only calls to another than the default service need multiplexing.
        `name` is the service's in the configuration, where that is not the interface's."""
        name = name or service
        is_multiplexed = name != "calculator" if multiplexed is None else multiplexed
        client, socket = open_client(getattr(self, transport), service, protocol,
                                     name if is_multiplexed else None, PATIENCE_SEC * 1000, framing)
        self._open.append(socket)
        return client

    def connect(self, transport="tcp", **options):
        connection = Connection(getattr(self, transport), **options)
        self._open.append(connection)
        return connection

    def close_clients(self):
        while self._open:
            self._open.pop().close()

    # --- what can be seen from outside

    def status(self):
        return self.admin.status()

    def service(self, name):
        return next(s for s in self.status()["services"] if s["name"] == name)

    def worker_pids(self, name):
        return [worker["pid"] for worker in self.service(name)["workers"] if worker["pid"]]

    def metric(self, name, **labels):
        return self.admin.metrics().get(name, **labels)

    def wait_metric(self, name, value, **labels):
        eventually(lambda: self.metric(name, **labels) == value, f"{name}{labels} == {value}")

    def wait_metric_at_least(self, name, value, **labels):
        eventually(lambda: self.metric(name, **labels) >= value, f"{name}{labels} >= {value}")

    def wait_sleeping(self, name, count=1):
        """Until `count` workers are inside a handler that sleeps."""
        eventually(lambda: sum(map(is_in_a_timed_sleep, self.worker_pids(name))) == count,
                   f"{count} workers of {name} run a call")

    def assert_ledger_balances(self):
        assert self.admin.metrics().ledger_gaps() == {}

    # --- the end

    def send_signal(self, number):
        self.process.send_signal(number)

    def sigterm(self):
        self.send_signal(signal.SIGTERM)

    def kill_sleepers(self, name):
        """Ends the workers whose handler sleeps, as an operator would: by SIGKILL."""
        for pid in list(filter(is_in_a_timed_sleep, self.worker_pids(name))):
            os.kill(pid, signal.SIGKILL)

    def kill9(self):
        self.expected_exit = -signal.SIGKILL
        self.send_signal(signal.SIGKILL)
        self.wait_exit()

    def wait_exit(self):
        return self.process.wait(DEADLINE_SEC)

    def stop(self):
        """What every test ends with: nothing of the daemon is left."""
        if self.process.poll() is None:
            self.assert_ledger_balances()
            self.close_clients()
            for service in self.status()["services"]:
                self.kill_sleepers(service["name"])
            self.sigterm()
        assert self.wait_exit() == self.expected_exit
        eventually(lambda: not marked(self.marker), "every process of the daemon has ended")
        self.log.wait_end()
        assert not os.path.lexists(self.socket_path)

    def destroy_quietly(self):
        """Whatever has happened, nothing outlives the test."""
        self.close_clients()
        for pid in marked(self.marker):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(DEADLINE_SEC)
        self.log.wait_end()

    def destroy(self):
        self.destroy_quietly()
        print(f"--- log of sluiced {self.process.pid}:", *self.log.lines[-SHOWN_LINES:], sep="\n")
