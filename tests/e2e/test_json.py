"""Thrift's JSON protocol: the stock Python client's, in every transport, and what is none."""

import pytest
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.protocol.TMultiplexedProtocol import TMultiplexedProtocol
from thrift.Thrift import TApplicationException
from thrift.transport.THttpClient import THttpClient
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

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


def post(daemon, text):
    connection = daemon.connect()
    connection.send(text.encode())
    return connection


def test_fields_that_the_service_does_not_know_are_stepped_over(sluiced):
    """Also those that are texts, and no Base64."""
    connection = post(sluiced(), '[1,"add",1,7,{"9":{"str":"?"},"1":{"i32":2},"2":{"i32":3},"8":{"map":'
                      '["str","lst",1,{"%":["str",1,"!"]}]}}]')
    assert connection.receive_exactly(31) == b'[1,"add",2,7,{"0":{"i32":5}}]'[:31]


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
        post(daemon, text)
        daemon.wait_metric("protocol_errors_total", i + 1, reason=reason)
    assert daemon.client().add(2, 3) == 5


def test_a_binary_that_is_no_base64_is_the_callers_mistake(sluiced):
    connection = post(sluiced(), '[1,"echo",1,7,{"1":{"str":"A"}}]')
    assert b"bad_arguments: binary at byte 0 is no Base64" in connection.receive_some()


def test_a_key_is_the_same_in_json_as_in_binary(sluiced, json_client):
    daemon = sluiced(counter={"default": True, "plugin": "counter.so"})
    client = json_client(daemon, "counter")
    assert client is not None
