"""Thrift's JSON protocol: the stock Python client's, in every transport, and what is none."""

import base64

import pytest
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.THttpClient import THttpClient
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

from background import Background
from clients import interface, socket_to, split_tcp

TRANSPORTS = ["framed", "buffered", "http"]


@pytest.fixture(params=TRANSPORTS)
def json_client(request):
    """json_client(daemon, "crash"): a stock client, by each transport in turn."""
    opened = []

    def connect(daemon, service, multiplexed=True):
        if request.param == "http":
            host, port = split_tcp(daemon.tcp)
            transport = THttpClient(f"http://{host}:{port}/")
        else:
            socket = socket_to(daemon.tcp)
            socket.setTimeout(60000)
            transport = {"framed": TFramedTransport, "buffered": TBufferedTransport}[request.param](socket)
        transport.open()
        opened.append(transport)
        wire = TJSONProtocol(transport)
        return interface(service).Client(TMultiplexedProtocol(wire, service) if multiplexed else wire)

    yield connect
    for transport in opened:
        transport.close()


def test_the_stock_client_is_answered(sluiced, json_client):
    client = json_client(sluiced(), "calculator", multiplexed=False)
    assert client.ping() is None
    assert client.add(2, 3) == 5
    with pytest.raises(interface("calculator").OutOfRange):
        client.fact(21)


def test_binaries_of_every_length_come_back_as_they_were(sluiced, json_client):
    client = json_client(sluiced(), "calculator", multiplexed=False)
    for length in list(range(9)) + [255, 100_000]:
        data = bytes(i % 256 for i in range(length))
        assert client.echo(data) == data


def test_texts_come_back_as_they_were(sluiced, json_client):
    client = json_client(sluiced(crash={"default": True}), "crash")
    for text in ["", 'a"b\\c/\b\f\n\r\t\x01', "größer €", "\U0001f600", "no Base64: =?"]:
        assert client.error_and_success(text) == text


def test_exceptions_say_why_in_json(sluiced, json_client):
    client = json_client(sluiced(crash={"default": True}), "crash")
    with pytest.raises(TApplicationException, match='app_error: a "quoted" text'):
        client.plain_error(1, 'a "quoted" text')
    with pytest.raises(TApplicationException, match="worker_crashed"):
        client.do_abort()
    with pytest.raises(interface("crash").Declared) as declared:
        client.declared(7, "größer")
    assert (declared.value.code, declared.value.text) == (7, "größer")


def test_a_oneway_call_is_run(sluiced, json_client):
    daemon = sluiced(crash={"default": True})
    client = json_client(daemon, "crash")
    client.fail_oneway("heard in the log")
    daemon.log.wait("heard in the log")
    assert client.ping() is None


def answer_to(daemon, text):
    """What comes back until the connection ends, for these words and no more."""
    connection = daemon.connect()
    connection.send(text.encode())
    connection.shut_write()
    return connection.rest()


def test_fields_that_the_service_does_not_know_are_stepped_over(sluiced):
    """Also those that are texts, and no Base64."""
    unknown = '"9":{"str":"?"},"8":{"map":["str","lst",1,{"%":["str",1,"!"]}]}'
    call = '[1,"add",1,7,{' + unknown + ',"1":{"i32":2},"2":{"i32":3}}]'
    assert answer_to(sluiced(), call) == b'[1,"add",2,7,{"0":{"i32":5}}]'


def test_many_calls_in_one_segment_are_answered_in_order(sluiced):
    calls = "".join(f'[1,"add",1,{i},{{"1":{{"i32":{i}}},"2":{{"i32":1}}}}]' for i in range(100))
    assert answer_to(sluiced(), calls) == "".join(
        f'[1,"add",2,{i},{{"0":{{"i32":{i + 1}}}}}]' for i in range(100)).encode()


HOSTILE = {
    "bad_json": ['[1,"add",1,7,{"1":{"i32":"x"}}]', "[[]]", '[1,"add",1,7,{"1":{"u8":1}}]'],
    "too_deep": ['[1,"add",1,7,{' + '"1":{"rec":{' * 70 + "}}" * 70 + "}]"],
    "bad_version": ['[2,"add",1,7,{}]'],
    "bad_message_type": ['[1,"add",2,7,{}]'],
}


@pytest.mark.parametrize("reason", HOSTILE)
def test_what_is_malformed_ends_its_connection_with_a_reason(sluiced, reason):
    daemon = sluiced()
    for i, text in enumerate(HOSTILE[reason]):
        assert answer_to(daemon, text) == b""
        daemon.wait_metric("protocol_errors_total", i + 1, reason=reason)
    assert daemon.client().add(2, 3) == 5


def test_a_binary_that_is_no_base64_is_the_callers_mistake(sluiced):
    answer = answer_to(sluiced(), '[1,"echo",1,7,{"1":{"str":"A"}}]')
    assert b"bad_arguments: binary at byte 3 is no Base64" in answer


def test_a_reply_that_json_cannot_say_is_an_exception(sluiced):
    """A result whose string is no UTF-8, as encoded by the handler itself."""
    not_utf8 = base64.b64encode(b"\x0b\0\0\0\0\0\x01\xff\0").decode()
    daemon = sluiced(crash={"default": True})
    answer = answer_to(daemon, '[1,"garbage",1,7,{"1":{"str":"' + not_utf8 + '"}}]')
    assert b"bad_reply: it has what JSON cannot say" in answer


def test_calls_in_json_have_the_keys_of_those_in_binary(sluiced, json_client):
    """The handler reads, rests and writes: two calls of a key at once would lose one."""
    daemon = sluiced(counter={"default": True}, methods={"counter.slow_add": {"key": "arg:1"}})
    background = Background()
    running = [background(add_often, client)
               for client in (daemon.client("counter"), json_client(daemon, "counter"))]
    assert sorted(value for each in running for value in each.result()) == list(range(1, 51))


def add_often(client):
    return [client.slow_add("shared", 1, 1) for _ in range(25)]
