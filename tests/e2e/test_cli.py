"""The command line of sluiced, and how it takes its addresses."""

import socket
import subprocess

from clients import split_tcp
from sluice_daemon import DEFAULT_DAEMON, SLUICED, config_text


def run(*arguments):
    """For what ends by itself."""
    return subprocess.run([SLUICED, *arguments], capture_output=True, text=True, timeout=15,
                          stdin=subprocess.DEVNULL)


def write_config(directory, **daemon):
    path = directory / "test.conf"
    path.write_text(config_text({"daemon": {**DEFAULT_DAEMON, "listen": "tcp://127.0.0.1:0",
                                            **daemon},
                                 "service calculator": {"plugin": "calculator.so"}}))
    return path


def assert_good(checked):
    assert checked.returncode == 0, checked.stderr
    assert "ERROR" not in checked.stderr and "WARNING" not in checked.stderr


def test_check_of_a_good_configuration_says_so(tmp_path):
    path = write_config(tmp_path)
    checked = run("--check", "--config", path)
    assert_good(checked)
    assert checked.stdout.startswith(f"{path}: the configuration is good")


def test_check_of_a_bad_configuration_names_every_error(tmp_path):
    path = tmp_path / "test.conf"
    path.write_text("[daemon]\nlisten = nonsense\nno-such-key = 1\n"
                    "[service a]\nplugin = a.so\nworkers = 0\ndeadline = 5\n"
                    "[service b]\n")
    checked = run("--check", "--config", path)
    assert (checked.returncode, checked.stdout) == (1, "")
    for line, word in (2, "listen"), (3, "no-such-key"), (6, "workers"), (7, "deadline"):
        assert f"{path}:{line}: " in checked.stderr
        assert word in checked.stderr
    assert "plugin" in checked.stderr and "service b" in checked.stderr


def test_a_bad_configuration_does_not_start(tmp_path):
    started = run("--config", write_config(tmp_path, max_connections=0))
    assert started.returncode == 1
    assert "max-connections" in started.stderr


def test_a_configuration_that_is_not_there_is_named(tmp_path):
    started = run("--config", tmp_path / "absent.conf")
    assert started.returncode == 1
    assert str(tmp_path / "absent.conf") in started.stderr


def test_what_explain_prints_is_a_configuration(tmp_path):
    """Two directories are where the installed files would be; here they are not installed."""
    explained = run("--explain")
    assert (explained.returncode, explained.stderr) == (0, "")
    lines = []
    for line in explained.stdout.splitlines():
        key = line.lstrip("#").split(" = ")[0]
        where = DEFAULT_DAEMON.get(key.replace("-", "_")) if key in ("handler-dir",
                                                                     "host-program") else None
        lines.append(f"{key} = {where}" if where else line)
    path = tmp_path / "explained.conf"
    path.write_text("\n".join(lines) + "\n")
    assert_good(run("--check", "--config", path))


def test_version_and_help_are_printed():
    version, text = run("--version"), run("--help")
    assert version.returncode == text.returncode == 0
    assert version.stdout.startswith("sluiced 0.")
    for option in "--config", "--check", "--explain", "--version":
        assert option in text.stdout


def test_what_the_command_line_does_not_know_is_refused():
    for arguments in ["--no-such-option"], ["stray"], ["--config"]:
        refused = run(*arguments)
        assert refused.returncode == 2
        assert refused.stdout == "" and refused.stderr.startswith("sluiced: ")


def test_port_0_is_a_port_of_its_own_for_each_daemon(sluiced):
    first, second = sluiced(calculator={}), sluiced(calculator={})
    assert first.tcp != second.tcp and not first.tcp.endswith(":0")
    assert first.client().add(2, 3) == second.client().add(2, 3) == 5


def test_an_address_in_use_is_refused_by_name(sluiced, tmp_path):
    daemon = sluiced(calculator={})
    for key, address in ("listen", daemon.tcp), ("listen", f"unix:{daemon.socket_path}"), (
            "admin", "http://{}:{}".format(daemon.admin.host, daemon.admin.port)):
        refused = run("--config", write_config(tmp_path, **{key: address}))
        assert refused.returncode == 1
        assert address in refused.stderr
        assert "in use" in refused.stderr
    assert daemon.client(transport="unix").add(2, 3) == 5


def test_a_socket_file_that_nobody_listens_on_is_taken_over(sluiced, tmp_path):
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    daemon = sluiced(daemon={"socket_path": path}, calculator={})
    assert daemon.client(transport="unix").add(2, 3) == 5


def test_a_file_that_is_no_socket_is_not_taken_over(tmp_path):
    path = tmp_path / "precious"
    path.write_text("data")
    refused = run("--config", write_config(tmp_path, listen=f"unix:{path}"))
    assert refused.returncode == 1
    assert f"unix:{path}" in refused.stderr
    assert path.read_text() == "data"


def test_a_daemon_started_again_at_once_has_its_port_and_its_socket_file(sluiced):
    first = sluiced(calculator={})
    client = first.client()
    assert client.add(2, 3) == 5
    port = split_tcp(first.tcp)[1]
    first.kill9()
    first.close_clients()
    second = sluiced(daemon={"socket_path": first.socket_path, "listen":
                             f"tcp://127.0.0.1:{port}; unix:{first.socket_path}"}, calculator={})
    assert second.client().add(2, 3) == second.client(transport="unix").add(2, 3) == 5
    first.socket_path = first.config.with_name("never")
