"""TLS: stock clients, resumption, client certificates, reload, and what is none."""

import socket
import ssl
import struct

import pytest
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

from certificates import Authority
from clients import PROTOCOLS, interface, split_tcp
from reloading import change, hup, reloaded, write
from waiting import eventually
from wire import arguments, call, head, parse_reply

ADD = call("add", a=2, b=3)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def serve(sluiced, authority, tmp_path):
    """A daemon with a TLS listener, whose address is `daemon.tls`."""

    def start(name="server", services=None, scheme="tls", **options):
        path = tmp_path / "tls.sock"
        certificate, key = authority.issue(name)
        daemon = sluiced(daemon={
            "socket_path": path, "listen": f"tcp://127.0.0.1:0; {scheme}://127.0.0.2:0; unix:{path}",
            "tls_certificate": certificate, "tls_key": key, **options}, **(services or {"calculator": {}}))
        daemon.tls = daemon.log.wait(rf"listener\.open address=({scheme}://127\.0\.0\.2:\d+)")[1]
        return daemon

    return start


def client_context(authority, certificate=None, **options):
    context = ssl.create_default_context(cafile=authority.certificate)
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(*certificate)
    for name, value in options.items():
        setattr(context, name, value)
    return context


class Secure:
    """A client's TLS connection."""

    def __init__(self, daemon, context, session=None):
        plain = socket.create_connection(split_tcp(daemon.tls), timeout=60)
        self.socket = context.wrap_socket(plain, session=session)
        self.send = self.socket.sendall

    def receive(self):
        length = struct.unpack(">i", self._receive(4))[0]
        return parse_reply(self._receive(length))

    def _receive(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            assert part, "the connection has ended"
            data += part
        return data

    def add(self):
        self.send(ADD)
        return self.receive().result()

    def is_at_end(self):
        return self.socket.recv(1) == b""


@pytest.mark.parametrize("protocol", ["binary", "compact"])
@pytest.mark.parametrize("framing", [TFramedTransport, TBufferedTransport])
def test_the_stock_client_is_answered(serve, authority, protocol, framing):
    daemon = serve()
    host, port = split_tcp(daemon.tls)
    transport = TSSLSocket(host, port, ssl_context=client_context(authority))
    transport.setTimeout(60000)
    transport.open()
    client = interface("calculator").Client(PROTOCOLS[protocol](framing(transport)))
    assert client.add(2, 3) == 5
    assert client.echo(bytes(range(256)) * 4000) == bytes(range(256)) * 4000
    transport.close()
    assert daemon.metric("tls_handshakes_total") == 1


def test_many_frames_in_one_record_are_all_answered(serve, authority):
    """As Node sends them; more than may be in line, so that reading stops in the middle."""
    client = Secure(serve(max_pipelined=3), client_context(authority))
    calls = [call("add", a=n, b=1, seqid=n) for n in range(250)]
    data = b"".join(calls)
    assert len(data) < 16384
    client.send(data)
    assert [client.receive().result() for _ in calls] == list(range(1, 251))


def test_large_messages_go_both_ways_though_the_client_reads_late(serve, authority):
    client = Secure(serve(write_buffer="64M"), client_context(authority))
    sent = [bytes([n]) * 3_000_000 for n in range(4)]
    for data in sent:
        client.send(call("echo", data=data))
    assert [client.receive().result() for _ in sent] == sent


def test_small_and_large_replies_in_any_order_stay_whole(serve, authority):
    client = Secure(serve(), client_context(authority))
    sizes = [1, 20000, 5, 16384, 16385, 100, 70000, 3] * 5
    client.send(b"".join(call("echo", data=b"x" * size) for size in sizes))
    assert [len(client.receive().result()) for _ in sizes] == sizes


def test_who_ends_his_side_still_gets_his_replies(serve, authority):
    client = Secure(serve(), client_context(authority))
    client.send(call("add", a=2, b=3) + call("echo", data=b"x" * 100_000))
    socket.socket.shutdown(client.socket, socket.SHUT_WR)  # SSLSocket's own forgets TLS
    assert client.receive().result() == 5
    assert client.receive().result() == b"x" * 100_000
    assert client.is_at_end()


def test_a_handshake_may_come_byte_by_byte(serve, authority):
    daemon = serve()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(authority).wrap_bio(incoming, outgoing)
    with socket.create_connection(split_tcp(daemon.tls), timeout=60) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def pump(step):
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        plain.sendall(bytes([byte]))
                    incoming.write(plain.recv(65536))

        pump(tls.do_handshake)
        tls.write(ADD)
        reply = pump(lambda: tls.read(65536))
        assert parse_reply(reply[4:]).result() == 5


def test_who_stalls_in_the_handshake_is_closed_and_holds_up_nobody(serve, authority):
    daemon = serve(frame_timeout="100ms")
    stalled = [socket.create_connection(split_tcp(daemon.tls), timeout=60) for _ in range(3)]
    stalled[1].sendall(b"\x16\x03\x01")
    stalled[2].sendall(b"\x16")
    assert Secure(daemon, client_context(authority)).add() == 5
    for each in stalled:
        assert each.recv(1) == b""
        each.close()
    assert daemon.metric("connections_closed_total", reason="frame_timeout") == 3


def test_sessions_are_resumed(serve, authority):
    daemon = serve()
    context = client_context(authority)
    for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
        context.maximum_version = version
        first = Secure(daemon, context)
        assert first.add() == 5  # the ticket has come by then
        again = Secure(daemon, context, session=first.socket.session)
        assert again.add() == 5
        assert again.socket.session_reused and again.socket.version() == first.socket.version()
    assert daemon.metric("tls_resumed_total") == 2


def test_what_is_too_old_is_refused(serve, authority):
    daemon = serve(tls_min_version="1.3")
    context = client_context(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    with pytest.raises(ssl.SSLError):
        Secure(daemon, context).add()
    assert Secure(daemon, client_context(authority)).add() == 5


def test_what_is_too_weak_is_refused(serve, authority):
    daemon = serve()
    context = client_context(authority, maximum_version=ssl.TLSVersion.TLSv1_2)
    context.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        Secure(daemon, context).add()
    assert daemon.metric("tls_failures_total") == 1


def test_alpn_is_honoured(serve, authority):
    daemon = serve()
    for offered, chosen in (["http/1.1"], "http/1.1"), (["h2", "thrift"], "thrift"), ([], None):
        context = client_context(authority)
        if offered:
            context.set_alpn_protocols(offered)
        client = Secure(daemon, context)
        assert (client.add(), client.socket.selected_alpn_protocol()) == (5, chosen)
    context.set_alpn_protocols(["h2", "rs"])
    with pytest.raises(ssl.SSLError, match="ALPN|NO_APPLICATION_PROTOCOL|no application protocol"):
        Secure(daemon, context)


def test_a_client_certificate_can_be_required(serve, authority, tmp_path):
    daemon = serve(tls_client_certificate="required", tls_client_ca=authority.certificate)
    assert Secure(daemon, client_context(authority, authority.issue("client"))).add() == 5
    stranger = Authority(tmp_path, "stranger").issue("client")
    for certificate in None, stranger, authority.issue("late", days=0):
        with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
            Secure(daemon, client_context(authority, certificate)).add()
    daemon.wait_metric("tls_failures_total", 3)
    daemon.log.wait(r"connection\.refused peer=\S+ reason=tls_failed text=")
    assert daemon.metric("requests_received_total", service="calculator") == 1


def test_a_client_certificate_can_be_optional(serve, authority, tmp_path):
    daemon = serve(tls_client_certificate="optional", tls_client_ca=authority.certificate)
    assert Secure(daemon, client_context(authority)).add() == 5
    assert Secure(daemon, client_context(authority, authority.issue("client"))).add() == 5
    with pytest.raises((ssl.SSLError, AssertionError, ConnectionError)):
        Secure(daemon, client_context(authority, Authority(tmp_path).issue("client"))).add()


@pytest.mark.parametrize("bytes_", [ADD, b"POST / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                                    b"\x16\x03\x01\x00\x05hello"])
def test_what_is_no_tls_ends_its_connection_and_is_counted(serve, bytes_):
    daemon = serve()
    with socket.create_connection(split_tcp(daemon.tls), timeout=60) as plain:
        plain.sendall(bytes_)
        try:
            while plain.recv(4096):
                pass
        except ConnectionResetError:
            pass
    daemon.wait_metric("tls_failures_total", 1)
    daemon.wait_metric("connections_open", 0)
    assert daemon.client().add(2, 3) == 5


def test_garbage_behind_the_handshake_ends_the_connection(serve, authority):
    daemon = serve()
    client = Secure(daemon, client_context(authority))
    assert client.add() == 5
    with socket.socket(fileno=client.socket.detach()) as plain:
        plain.sendall(b"\x17\x03\x03\x00\x20" + b"g" * 32)
        daemon.wait_metric("tls_failures_total", 1)
    daemon.wait_metric("connections_open", 0)


def test_a_mixed_listener_speaks_both(serve, authority):
    daemon = serve(scheme="tcp", tls_mixed="true")
    for _ in range(2):
        assert Secure(daemon, client_context(authority)).add() == 5
        with socket.create_connection(split_tcp(daemon.tls), timeout=60) as plain:
            plain.sendall(ADD)
            assert plain.recv(4) != b""
    assert daemon.client(transport="unix").add(2, 3) == 5
    assert daemon.metric("tls_handshakes_total") == 2


def test_without_tls_mixed_a_plain_listener_speaks_none(serve, authority):
    daemon = serve(scheme="tcp")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Secure(daemon, client_context(authority))
    assert daemon.metric("protocol_errors_total", reason="tls") == 1


def certificate_name(client):
    return dict(pair[0] for pair in client.socket.getpeercert()["subject"])["commonName"]


def test_a_reload_brings_a_new_certificate_and_touches_no_connection(serve, authority):
    daemon = serve("first")
    before = Secure(daemon, client_context(authority))
    assert (before.add(), certificate_name(before)) == (5, "first")
    certificate, key = authority.issue("second")
    change(daemon, "daemon", tls_certificate=certificate, tls_key=key)
    reloaded(daemon)
    assert certificate_name(Secure(daemon, client_context(authority))) == "second"
    assert before.add() == 5


def test_the_same_file_with_another_certificate_is_read_again(serve, authority):
    daemon = serve("here")
    assert certificate_name(Secure(daemon, client_context(authority))) == "here"
    paths = daemon.groups["daemon"]["tls_certificate"], daemon.groups["daemon"]["tls_key"]
    for path, fresh in zip(paths, authority.issue("there")):
        fresh.rename(path)
    reloaded(daemon)
    assert certificate_name(Secure(daemon, client_context(authority))) == "there"


def test_a_listener_may_change_to_tls_and_back(serve, authority):
    daemon = serve()
    port = daemon.tls.rpartition(":")[2]
    listen = daemon.groups["daemon"]["listen"]
    for scheme in "tcp", "tls":
        change(daemon, "daemon", listen=listen.replace("tls://127.0.0.2:0", f"{scheme}://127.0.0.2:0"))
        reloaded(daemon)
        if scheme == "tls":
            assert Secure(daemon, client_context(authority)).add() == 5
        else:
            with socket.create_connection(("127.0.0.2", int(port)), timeout=60) as plain:
                plain.sendall(ADD)
                assert plain.recv(4) != b""


@pytest.mark.parametrize("wrong", ["missing", "directory", "garbage", "other_key"])
def test_what_cannot_be_used_is_told_and_the_old_serves_on(serve, authority, tmp_path, wrong):
    daemon = serve()
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n")
    setting, value = {"missing": ("tls_certificate", tmp_path / "absent.pem"),
                      "directory": ("tls_key", tmp_path),
                      "garbage": ("tls_certificate", garbage),
                      "other_key": ("tls_key", authority.issue("other")[1])}[wrong]
    change(daemon, "daemon", **{setting: value})
    write(daemon)
    hup(daemon)
    daemon.wait_metric("reload_failures_total", 1)
    eventually(lambda: daemon.status()["reload"]["state"] == "idle", "the reload is over")
    problem = str(daemon.status()["reload"]["problems"])
    assert setting.replace("_", "-") in problem and str(value) in problem, problem
    assert Secure(daemon, client_context(authority)).add() == 5


def test_an_idle_tls_connection_closes_in_a_drain_with_a_close_notify(serve, authority):
    daemon = serve(drain_timeout="1h")
    client = Secure(daemon, client_context(authority))
    assert client.add() == 5
    daemon.sigterm()
    assert client.socket.recv(1) == b""  # and no SSLEOFError
    assert daemon.wait_exit() == 0


def test_http_goes_through_tls_as_well(serve, authority):
    daemon = serve()
    client = Secure(daemon, client_context(authority))
    body = head("add") + arguments("add", a=2, b=3)
    client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    stream = client.socket.makefile("rb")
    assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
