"""Whoever reads the log may stop, and its disk may be full: calls go on."""

import signal
import subprocess

from clients import open_client
from sluice_daemon import DEFAULT_DAEMON, SLUICED, config_text
from waiting import DEADLINE_SEC, eventually


def test_a_reader_of_the_log_that_stops_holds_up_nobody(sluiced):
    daemon = sluiced()
    client = daemon.client("crash")
    daemon.log.reading.clear()
    client.log_lines(400, "x" * 1000)  # several times what a pipe holds
    daemon.wait_metric_at_least("log_lines_lost_total", 1)
    assert daemon.client().add(2, 3) == 5
    client.ping()
    daemon.log.reading.set()

    def all_is_told():
        client.log_lines(1, "and on")
        told = [int(found[1]) for found in daemon.log.matches(r"WARNING log\.lost lines=(\d+)$")]
        return told and sum(told) == daemon.metric("log_lines_lost_total")

    eventually(all_is_told, "every line that was lost is told of")


def test_a_full_disk_under_the_log_holds_up_nobody(tmp_path):
    config, path = tmp_path / "sluice.conf", tmp_path / "sluice.sock"
    config.write_text(config_text({"daemon": {**DEFAULT_DAEMON, "listen": f"unix:{path}"},
                                   "service calculator": {"plugin": "calculator.so",
                                                          "default": True}}))
    with open("/dev/full", "w") as full:
        daemon = subprocess.Popen([SLUICED, "--config", config], stderr=full)
    try:
        eventually(path.exists, "it listens")
        client, socket = open_client(f"unix:{path}", "calculator", timeout_msec=DEADLINE_SEC * 1000)
        assert client.add(2, 3) == 5
        socket.close()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(DEADLINE_SEC) == 0
    finally:
        daemon.kill()
        daemon.wait()
