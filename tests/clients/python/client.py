"""Sluice's conformance service called by Apache Thrift's Python library: HOST PORT TLS_PORT CA."""

import math
import ssl
import sys
import traceback

from thrift.Thrift import TApplicationException
from thrift.protocol.TBinaryProtocol import TBinaryProtocol, TBinaryProtocolAccelerated
from thrift.protocol.TCompactProtocol import TCompactProtocol, TCompactProtocolAccelerated
from thrift.protocol.THeaderProtocol import THeaderProtocol
from thrift.protocol.TJSONProtocol import TJSONProtocol
from thrift.transport.THeaderTransport import THeaderClientType, THeaderSubprotocolID
from thrift.transport.THttpClient import THttpClient
from thrift.transport.TSocket import TSocket
from thrift.transport.TSSLSocket import TSSLSocket
from thrift.transport.TTransport import TBufferedTransport, TFramedTransport

from conformance import Conformance
from conformance.ttypes import Colour, Leaf, Painted, Refused
from versions import Newer, Older, ttypes as versions

HOST, PORT, TLS_PORT, CA = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
PROTOCOLS = {"binary": TBinaryProtocol, "compact": TCompactProtocol, "json": TJSONProtocol}
ACCELERATED = {"binary": TBinaryProtocolAccelerated, "compact": TCompactProtocolAccelerated}
HEADERS = {"binary": THeaderSubprotocolID.BINARY, "compact": THeaderSubprotocolID.COMPACT}
WRAPPERS = {"buffered": TBufferedTransport, "framed": TFramedTransport}


def check(client):
    client.ping()
    assert client.name() == "conformance"
    sample = client.sample()
    assert sample.yes is True and sample.no is False
    assert (sample.least_i8, sample.most_i8) == (-2**7, 2**7 - 1)
    assert (sample.least_i64, sample.most_i64) == (-2**63, 2**63 - 1)
    assert math.isnan(sample.not_a_number) and client.negated(math.inf) == -math.inf
    assert math.copysign(1, client.negated(0.0)) == -1
    assert sample.planes == 'a " \\ / é € \U0001f600'
    assert sample.every_byte == bytes(range(256))
    assert sample.colour == Colour.GREEN and sample.choice.text == "chosen"
    assert sample.series == {"limits": [-2**63, 2**63 - 1], "none": []}
    assert sample.primes == {2, 3} and sample.absent is None and sample.far == 6
    assert client.difference(sample) == ""
    assert client.difference(client.echo(sample)) == ""
    sample.least_i32 += 1
    assert client.difference(sample) == "least_i32"
    assert client.echo_leaf(Leaf(id=5)) == Leaf(id=5, weight=7)
    assert client.echo_painted(Painted(colour=77)).colour == 77
    client.note("from Python")
    try:
        client.refuse(7, "größer")
        raise AssertionError("not refused")
    except Refused as refused:
        assert (refused.code, refused.why) == (7, "größer")


def everything_unknown():
    """A struct of which the service knows the first field alone."""
    extra = versions.Extra(deep={"a": [{-2**63, 2**63 - 1}, set()], "": []}, more=[versions.Extra()])
    return versions.Painted(
        colour=versions.Colour.ULTRAVIOLET, truth=True, tiny=-2**7, small=-2**15, medium=-2**31, large=-2**63,
        real=math.inf, text="größer", blob=bytes(range(256)), extra=extra, truths=[True, False], extras=[extra],
        tags={"x"}, blobs={-1: b"\0\xff"}, named={"y": extra}, none=[], far=1)


def check_newer(client):
    painted = everything_unknown()
    assert client.echo_painted(painted, painted.extra, ["z"]) == versions.Painted(colour=versions.Colour.ULTRAVIOLET)
    try:
        client.refuse(7, "why", painted.extra)
        raise AssertionError("not refused")
    except versions.Refused as refused:
        assert (refused.code, refused.why, refused.hint) == (7, "why", None)
    try:
        client.invented(painted.extra)
        raise AssertionError("a method that nobody has was called")
    except TApplicationException as error:
        assert error.type == TApplicationException.UNKNOWN_METHOD
    assert client.echo_painted(painted, None, None).truth is None  # the connection is as good as before


def check_older(client):
    sketch = client.sample()
    assert sketch.no is False and sketch.far == 6


def socket(secure):
    if secure:
        return TSSLSocket(HOST, TLS_PORT, cert_reqs=ssl.CERT_REQUIRED, ca_certs=CA)
    return TSocket(HOST, PORT)


def wire(transport, protocol, secure):
    if transport == "header":
        below = socket(secure)
        return below, THeaderProtocol(below, [THeaderClientType.HEADERS], HEADERS[protocol])
    if transport == "http":
        context = ssl.create_default_context(cafile=CA)
        below = THttpClient(f"https://{HOST}:{TLS_PORT}/", ssl_context=context) if secure \
            else THttpClient(f"http://{HOST}:{PORT}/")
    else:
        below = WRAPPERS[transport](socket(secure))
    if transport in WRAPPERS and protocol.startswith("accelerated-"):
        return below, ACCELERATED[protocol.partition("-")[2]](below, fallback=False)
    return below, PROTOCOLS[protocol](below)


CASES = [(transport, protocol) for transport in ["buffered", "framed", "http"] for protocol in PROTOCOLS]
CASES += [("header", protocol) for protocol in HEADERS]
CASES += [(transport, f"accelerated-{protocol}") for transport in WRAPPERS for protocol in ACCELERATED]

failures = 0
for secure in [False, True]:
    for transport, protocol in CASES:
        name = f"{transport} {protocol} {'tls' if secure else 'plain'}"
        try:
            below, protocol_object = wire(transport, protocol, secure)
            below.open()
            check(Conformance.Client(protocol_object))
            check_newer(Newer.Client(protocol_object))
            check_older(Older.Client(protocol_object))
            below.close()
            print("ok", name)
        except Exception:  # pylint: disable=broad-except
            failures += 1
            print("FAILED", name, traceback.format_exc().replace("\n", " | "))
sys.exit(1 if failures else 0)
