"""Stock clients get the answers that the IDL promises."""

import subprocess
import threading

import pytest
from thrift.Thrift import TApplicationException

from clients import BUILD, interface, split_tcp

ALL_BYTES = bytes(range(256))
CGLIB_ANSWERS = """\
ping()
add(2, 3) = 5
fact(20) = 2432902008176640000
fact(21) throws OutOfRange: 21 is not in 0..20
echo(3 bytes) = 3 equal bytes
sleep(1)
note(from c_glib)
ping()
"""

each_protocol = pytest.mark.parametrize("protocol", ["binary", "compact"])
each_transport = pytest.mark.parametrize("transport", ["tcp", "unix"])
each_framing = pytest.mark.parametrize("framing", ["framed", "buffered"])


@each_protocol
@each_transport
@each_framing
@pytest.mark.parametrize("multiplexed", [False, True], ids=["plain", "multiplexed"])
def test_every_method_answers(sluiced, protocol, transport, framing, multiplexed):
    daemon = sluiced()
    client = daemon.client("calculator", protocol, transport, multiplexed, framing=framing)
    out_of_range = interface("calculator").OutOfRange
    assert client.ping() is None
    assert client.add(2, 3) == 5
    assert client.add(2**31 - 1, 1) == -2**31
    assert client.fact(20) == 2432902008176640000
    with pytest.raises(out_of_range) as thrown:
        client.fact(21)
    assert thrown.value.message == "21 is not in 0..20"
    assert client.echo(ALL_BYTES) == ALL_BYTES
    assert client.echo(b"") == b""
    assert client.sleep(1) is None
    assert client.note("hello") is None
    assert client.add(20, 3) == 23
    daemon.log.wait(rf"handler\.log service=calculator .*note from {transport}:.*: hello")


@each_protocol
@each_transport
@each_framing
def test_the_stock_c_glib_client_is_answered(sluiced, protocol, transport, framing):
    daemon = sluiced(calculator={})
    where = ["unix", daemon.socket_path]
    if transport == "tcp":
        where = ["tcp", *map(str, split_tcp(daemon.tcp))]
    client = subprocess.run([BUILD / "tests" / "cglib_client", framing, protocol, *where],
                            capture_output=True, text=True, timeout=60)
    assert (client.returncode, client.stderr) == (0, "")
    assert client.stdout == CGLIB_ANSWERS


def test_a_call_without_a_service_is_answered_by_the_default_service_only(sluiced):
    daemon = sluiced(calculator={"default": False}, crash={})
    with pytest.raises(TApplicationException) as told:
        daemon.client(multiplexed=False).add(2, 3)
    assert told.value.type == TApplicationException.UNKNOWN_METHOD
    assert told.value.message.startswith("unknown_service: ")
    assert daemon.client(multiplexed=True).add(2, 3) == 5


def test_two_services_of_one_plugin_are_two_services(sluiced):
    daemon = sluiced(calculator={}, second={"plugin": "calculator.so"})
    assert daemon.client(name="second").add(2, 3) == 5
    assert daemon.metric("requests_completed_total", service="second") == 1
    assert daemon.metric("requests_completed_total", service="calculator") == 0


def test_ten_thousand_calls_on_fifty_connections_are_all_right(sluiced):
    daemon = sluiced(calculator={"workers": 2})
    clients = [daemon.client() for _ in range(50)]
    wrong = []

    def call(index, client):
        sums = [client.add(index, i) for i in range(200)]
        if sums != [index + i for i in range(200)]:
            wrong.append(index)

    threads = [threading.Thread(target=call, args=each) for each in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert daemon.metric("requests_completed_total", service="calculator") == 10000
    assert daemon.metric("connections_open") == 50
