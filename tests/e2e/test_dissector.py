"""What goes over the wire, as somebody else reads it: the Thrift dissector of Wireshark."""

import subprocess

import pytest

from clients import interface, split_tcp
from waiting import eventually


class Capture:
    """Packets of one port on loopback, for as long as it is open."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self._process = subprocess.Popen(
            ["dumpcap", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", path],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self._process.stderr:
            if line.startswith("File:"):  # its first packet is the next one
                return
        pytest.skip("packets cannot be captured here")

    def end(self):
        self._process.terminate()
        self._process.communicate()

    def read(self, *fields):
        """Those fields of each packet so far that is Thrift's, each a list of its values."""
        words = ["tshark", "-r", self.path, "-d", f"tcp.port=={self.port},thrift", "-Y", "thrift", "-T", "fields"]
        for field in fields:
            words += ["-e", field]
        done = subprocess.run(words, check=False, capture_output=True, text=True)  # the last packet may be incomplete
        return [[value for value in line.split("\t") if value] for line in done.stdout.splitlines()]

    def messages(self):
        """(method, type) of each."""
        return [message for names, kinds in self.read("thrift.method", "thrift.mtype")
                for message in zip(names.split(","), kinds.split(","))]


@pytest.mark.parametrize("framing", ["framed", "buffered"])
def test_a_dissector_reads_calls_and_replies_without_a_malformed_packet(sluiced, tmp_path, framing):
    daemon = sluiced(crash={"default": True})
    _, port = split_tcp(daemon.tcp)
    capture = Capture(port, tmp_path / "packets")
    client = daemon.client("crash", framing=framing, multiplexed=False)
    client.ping()
    assert client.error_and_success("größer") == "größer"
    with pytest.raises(interface("crash").Declared):
        client.declared(7, "why")
    client.fail_oneway("heard")
    daemon.log.wait("heard")
    assert len(client.large(10_000)) == 10_000
    expected = [(name, kind) for name in ["ping", "error_and_success", "declared", "large"] for kind in ["0x01", "0x02"]]
    expected += [("fail_oneway", "0x04")]
    eventually(lambda: len(capture.messages()) >= len(expected), "all is captured")
    capture.end()
    assert sorted(capture.messages()) == sorted(expected)
    assert not any(capture.read("_ws.malformed"))
