"""What tests of the reload share: changing the configuration, and waiting for what comes of it."""

import signal

from clients import BUILD
from sluice_daemon import NO_LIMITS, config_text
from waiting import eventually

VERSIONS = {name: BUILD / f"tests/plugins/version_{name}.so" for name in ("one", "two")}


def version_service(plugin, **options):
    return {"plugin": plugin, "workers": 2, "restart_backoff_max": "100ms", **NO_LIMITS, **options}


def hup(daemon):
    daemon.send_signal(signal.SIGHUP)


def change(daemon, group, **options):
    daemon.groups[group].update(options)


def write(daemon):
    daemon.config.write_text(config_text(daemon.groups))


def reloaded(daemon, settled=True):
    """Writes the configuration and makes it count."""
    done = daemon.metric("reloads_total")
    failed = daemon.metric("reload_failures_total")
    write(daemon)
    hup(daemon)
    eventually(lambda: daemon.metric("reloads_total") > done
               or daemon.metric("reload_failures_total") > failed, "the reload has come to something")
    assert daemon.metric("reload_failures_total") == failed, daemon.status()["reload"]["problems"]
    if settled:
        eventually(lambda: daemon.status()["reload"]["state"] == "idle", "the old generation has ended")


def refused(daemon, why):
    """Writes the configuration, and the daemon does not want it."""
    failed = daemon.metric("reload_failures_total")
    write(daemon)
    hup(daemon)
    daemon.log.wait(rf"reload\.refused problem=.*{why}")
    daemon.wait_metric("reload_failures_total", failed + 1)
    eventually(lambda: daemon.status()["reload"]["state"] == "idle", "what was started has ended")
