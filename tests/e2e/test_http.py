"""Calls by HTTP: the stock Python client, another library's, and bytes that neither sends."""

import http.client

import pytest
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.THttpClient import THttpClient

from clients import PROTOCOLS, interface, split_tcp
from wire import ONEWAY, arguments, frame, head, parse_reply

each_protocol = pytest.mark.parametrize("protocol", ["binary", "compact"])
ADD = head("add", seqid=9) + arguments("add", a=2, b=3)


def post(body, headers=b"", path=b"/any/path", length=True):
    size = b"Content-Length: %d\r\n" % len(body) if length else b""
    return b"POST %s HTTP/1.1\r\nHost: x\r\n%s%s\r\n%s" % (path, size, headers, body)


class Http:
    """A connection whose responses are read one after the other."""

    def __init__(self, daemon):
        self.connection = daemon.connect()
        self.send = self.connection.send
        self.at_end = self.connection.at_end
        self.stream = self.connection.socket.makefile("rb")

    def receive(self, is_head_only=False):
        version, status, _ = self.stream.readline().split(b" ", 2)
        assert version == b"HTTP/1.1"
        headers = {}
        while (line := self.stream.readline().rstrip()) != b"":
            name, _, value = line.partition(b": ")
            headers[name.decode().lower()] = value.decode()
        body = b"" if is_head_only else self.stream.read(int(headers.get("content-length", 0)))
        return int(status), headers, body

    def result(self):
        status, headers, body = self.receive()
        assert status == 200, (status, body)
        return parse_reply(body).result(), headers

    def refused(self, status):
        """The text of a refusal, behind which the connection ends."""
        got, headers, body = self.receive()
        assert (got, headers["connection"]) == (status, "close"), (got, body)
        assert self.at_end()
        return body.decode()


@pytest.fixture
def stock():
    transports = []

    def connect(daemon, service, protocol="binary", multiplexed=True, headers=None):
        host, port = split_tcp(daemon.tcp)
        transport = THttpClient(f"http://{host}:{port}/service")
        transport.setTimeout(60000)
        if headers:
            transport.setCustomHeaders(headers)
        transport.open()
        transports.append(transport)
        wire = PROTOCOLS[protocol](transport)
        return interface(service).Client(
            TMultiplexedProtocol(wire, service) if multiplexed else wire), transport

    yield connect
    for transport in transports:
        transport.close()


@each_protocol
def test_the_stock_client_is_answered(sluiced, stock, protocol):
    daemon = sluiced()
    client, transport = stock(daemon, "calculator", protocol, multiplexed=False)
    assert client.ping() is None
    assert client.add(2, 3) == 5
    with pytest.raises(interface("calculator").OutOfRange):
        client.fact(21)
    assert client.echo(bytes(range(256)) * 1000) == bytes(range(256)) * 1000
    assert client.note("hello") is None  # oneway
    assert client.add(20, 22) == 42
    assert transport.headers["content-type"] == "application/x-thrift"
    daemon.wait_metric("requests_completed_total", 6, service="calculator")


def test_headers_go_both_ways(sluiced, stock):
    client, transport = stock(sluiced(), "crash", headers={"Colour": "red"})
    assert client.header("colour") == "red"
    assert client.set_reply_header("answer", "42") is True
    assert transport.headers["answer"] == "42"
    assert transport.headers["x-generation"] == "1"


def test_a_handler_cannot_forge_a_response(sluiced, stock):
    client, transport = stock(sluiced(), "crash")
    for name, value in (("content-length", "1"), ("Transfer-Encoding", "chunked"),
                        ("x", "a\r\nSet-Cookie: b"), ("x\r\ny", "z"), ("a b", "c")):
        assert client.set_reply_header(name, value) is True
        assert "Set-Cookie" not in transport.headers and "x" not in transport.headers
    client.ping()


def test_a_deadline_may_come_in_a_header_and_a_refusal_says_its_code(sluiced, stock):
    daemon = sluiced(calculator={"workers": 1, "deadline": "1h"})
    client, transport = stock(daemon, "calculator", multiplexed=False,
                              headers={"client_timeout": "50"})
    with pytest.raises(TApplicationException, match="deadline: no answer .* 50 ms"):
        client.sleep(60000)
    assert (transport.code, transport.headers["ex"]) == (200, "2")
    daemon.kill_sleepers("calculator")


# --- what the stock client does not send -----------------------------------------------------

@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_request_may_come_in_pieces(sluiced, size):
    client = Http(sluiced(calculator={}))
    data = post(ADD) + post(ADD, length=False, headers=b"Transfer-Encoding: chunked\r\n").replace(
        ADD, b"4\r\n" + ADD[:4] + b"\r\n%x;why=not\r\n" % (len(ADD) - 4) + ADD[4:] + b"\r\n0\r\nTrailer: x\r\n\r\n")
    for at in range(0, len(data), size):
        client.send(data[at:at + size])
    assert client.result()[0] == 5
    assert client.result()[0] == 5


def test_pipelined_requests_are_answered_in_order(sluiced):
    daemon = sluiced(daemon={"max_pipelined": 3}, calculator={"workers": 3})
    client = Http(daemon)
    calls = [head("add", seqid=n) + arguments("add", a=n, b=1) for n in range(50)]
    client.send(b"".join(map(post, calls)))
    assert [client.result()[0] for _ in calls] == list(range(1, 51))


def test_a_framed_body_has_a_framed_answer(sluiced):
    client = Http(sluiced(calculator={}))
    client.send(post(frame(ADD)))
    status, _, body = client.receive()
    assert (status, int.from_bytes(body[:4], "big")) == (200, len(body) - 4)
    assert parse_reply(body[4:]).result() == 5


def test_the_type_of_a_reply_is_that_of_its_call(sluiced):
    client = Http(sluiced(calculator={}))
    for kind in "application/x-thrift", "application/vnd.apache.thrift.binary; charset=utf-8":
        client.send(post(ADD, b"Content-Type: %s\r\n" % kind.encode()))
        assert client.result()[1]["content-type"] == kind


def test_who_expects_100_continue_is_told_to_go_on(sluiced):
    client = Http(sluiced(calculator={}))
    request = post(ADD, b"Expect: 100-continue\r\n")
    client.send(request[:-len(ADD)])
    assert client.receive(is_head_only=True)[0] == 100
    client.send(ADD)
    assert client.result()[0] == 5


def test_a_oneway_post_is_answered_before_it_runs(sluiced):
    daemon = sluiced(calculator={"workers": 1, "lookahead": 0})
    sleeper = daemon.connect()
    sleeper.send(frame(head("sleep") + arguments("sleep", msec=3600000)))
    daemon.wait_sleeping("calculator")
    client = Http(daemon)
    client.send(post(head("note", kind=ONEWAY) + arguments("note", text="x")))
    status, headers, body = client.receive()
    assert (status, headers["content-length"], body) == (200, "0", b"")
    assert daemon.metric("requests_queued", service="calculator") == 1
    client.connection.close()
    daemon.kill_sleepers("calculator")
    daemon.wait_metric("requests_completed_total", 1, service="calculator")


def test_a_oneway_call_sent_as_a_call_is_answered_with_an_empty_body(sluiced):
    client = Http(sluiced(calculator={}))  # as Go does
    client.send(post(head("note") + arguments("note", text="x")))
    status, _, body = client.receive()
    assert (status, body) == (200, b"")


def test_the_connection_ends_when_the_client_says_so(sluiced):
    daemon = sluiced(calculator={})
    client = Http(daemon)
    client.send(post(ADD, b"Connection: close\r\n"))
    assert client.result()[1]["connection"] == "close"
    assert client.at_end()
    old = Http(daemon)
    old.send(post(ADD).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert old.result()[1]["connection"] == "close"
    assert old.at_end()
    kept = Http(daemon)
    kept.send(post(ADD, b"Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert kept.result()[1]["connection"] == "keep-alive"
    kept.send(post(ADD))
    assert kept.result()[0] == 5


def test_an_offer_of_http2_with_a_post_is_not_taken(sluiced):
    client = Http(sluiced(calculator={}))  # as Java's HttpClient does
    client.send(post(ADD, b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"))
    assert client.result()[0] == 5


def test_in_the_grace_of_a_stop_a_reply_says_that_the_connection_ends(sluiced):
    daemon = sluiced(daemon={"drain_grace": "1h"}, calculator={})
    client = Http(daemon)
    client.send(post(ADD))
    assert "connection" not in client.result()[1]
    daemon.sigterm()
    daemon.wait_draining()
    client.send(post(ADD))
    assert client.result()[1]["connection"] == "close"
    assert client.at_end()
    daemon.sigterm()
    assert daemon.wait_exit() == 0


# --- pages of other sites ---------------------------------------------------------------------

SHOP = b"Origin: https://shop.example\r\n"


@pytest.mark.parametrize("origins", ["https://shop.example; http://localhost:3000", "*"])
def test_a_page_of_an_origin_that_was_let_in_may_call(sluiced, origins):
    client = Http(sluiced(daemon={"cors_origins": origins}, calculator={}))
    client.send(b"OPTIONS / HTTP/1.1\r\nHost: x\r\n" + SHOP + b"Access-Control-Request-Method: POST\r\n"
                b"Access-Control-Request-Headers: content-type,client_timeout\r\n\r\n")
    status, headers, _ = client.receive()
    assert (status, headers["access-control-allow-methods"]) == (204, "POST")
    assert headers["access-control-allow-headers"] == "content-type,client_timeout"
    assert headers["access-control-allow-origin"] == "https://shop.example"
    client.send(post(ADD, SHOP))
    result, headers = client.result()
    assert (result, headers["access-control-allow-origin"]) == (5, "https://shop.example")


@pytest.mark.parametrize("origins", ["", "https://shop.example:444; http://shop.example"])
def test_a_page_of_another_origin_may_not(sluiced, origins):
    daemon = sluiced(daemon={"cors_origins": origins}, calculator={})
    for request in post(ADD, SHOP), b"OPTIONS / HTTP/1.1\r\nHost: x\r\n" + SHOP + b"\r\n":
        client = Http(daemon)
        client.send(request)
        assert "cors-origins" in client.refused(403)
    assert daemon.metric("requests_received_total", service="calculator") == 0


# --- what is refused ---------------------------------------------------------------------------

REFUSED = [
    (405, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    (405, b"HEAD / HTTP/1.0\r\n\r\n"),
    (405, b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"),
    (400, post(b"")),
    (400, post(ADD + b"x")),
    (400, post(ADD[:-1])),
    (400, post(b"<html></html>")),
    (400, post(frame(ADD) + frame(ADD))),
    (400, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    (400, b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    (400, b"POST / HTTP/1.1\r\nno colon\r\n\r\n"),
    (400, b"POST / HTTP/9.9\r\n\r\n"),
    (413, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1025\r\n\r\n"),
    (413, post(b"401\r\n" + b"x" * 1025, b"Transfer-Encoding: chunked\r\n", length=False)),
    (415, post(ADD, b"Content-Encoding: gzip\r\n")),
    (417, post(ADD, b"Expect: wonders\r\n")),
    (431, post(ADD, b"X: %s\r\n" % (b"y" * 17000))),
    (431, post(ADD, b"".join(b"X%d: y\r\n" % n for n in range(4000)))),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_no_call_is_told_so_and_the_connection_ends(sluiced, number):
    status, request = REFUSED[number]
    daemon = sluiced(daemon={"max_frame_bytes": "1K"}, calculator={})
    client = Http(daemon)
    client.send(post(ADD) + request)
    assert client.result()[0] == 5
    assert client.refused(status)
    other = Http(daemon)
    other.send(post(ADD))
    assert other.result()[0] == 5
    daemon.assert_ledger_balances()


def test_a_request_that_is_never_whole_is_not_waited_for(sluiced):
    daemon = sluiced(daemon={"frame_timeout": "50ms"}, calculator={})
    for part in b"POST / HT", post(ADD)[:-1], post(ADD) + b"POST /":
        client = Http(daemon)
        client.send(part)
        if part.startswith(post(ADD)):
            assert client.result()[0] == 5
        assert client.at_end()
    assert daemon.metric("connections_closed_total", reason="frame_timeout") == 3


def test_an_http_client_of_another_library_is_answered(sluiced):
    host, port = split_tcp(sluiced(calculator={}).tcp)
    client = http.client.HTTPConnection(host, port, timeout=60)
    for body in ADD, iter([ADD[:7], ADD[7:]]):  # the latter goes out in chunks
        client.request("POST", "/", body, {"Content-Type": "application/x-thrift"})
        assert parse_reply(client.getresponse().read()).result() == 5
    client.close()
