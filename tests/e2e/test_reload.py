"""SIGHUP: the configuration is read and checked again, and nothing of the daemon changes."""

import signal


def hup(daemon):
    daemon.send_signal(signal.SIGHUP)


def test_a_bad_configuration_is_told_with_all_its_errors_and_changes_nothing(sluiced):
    daemon = sluiced()
    daemon.config.write_text("[daemon]\nlog-level = loud\n[service x]\nworkers = 0\n")
    hup(daemon)
    daemon.log.wait(r"reload\.refused problem=.*:2: \[daemon\] log-level = loud")
    daemon.log.wait(r"reload\.refused problem=.*workers = 0")
    daemon.wait_metric("reload_failures_total", 1)
    assert daemon.client().add(2, 3) == 5
    assert [service["name"] for service in daemon.status()["services"]] == ["calculator", "crash"]


def test_a_good_configuration_is_said_to_be_good(sluiced):
    daemon = sluiced()
    pids = daemon.worker_pids("calculator")
    hup(daemon)
    daemon.log.wait(r"reload\.checked ")
    assert daemon.metric("reload_failures_total") == 0
    assert daemon.worker_pids("calculator") == pids


def test_a_storm_of_signals_harms_nobody(sluiced):
    daemon = sluiced()
    for _ in range(200):
        hup(daemon)
    daemon.log.wait(r"reload\.checked ")
    assert daemon.client().add(2, 3) == 5
