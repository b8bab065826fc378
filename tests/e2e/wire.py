"""Thrift messages as bytes, and a plain socket to send them with: what no stock client sends."""

import socket
import struct
import threading
from dataclasses import dataclass

from thrift.protocol.TBinaryProtocol import TBinaryProtocol
from thrift.protocol.TCompactProtocol import TCompactProtocol
from thrift.Thrift import TApplicationException, TMessageType
from thrift.transport.TTransport import TFileObjectTransport, TMemoryBuffer

from clients import PROTOCOLS, interface, split_tcp

CALL, REPLY = TMessageType.CALL, TMessageType.REPLY
EXCEPTION, ONEWAY = TMessageType.EXCEPTION, TMessageType.ONEWAY
PATIENCE_SEC = 60
STALL_SEC = 0.5
COMPACT_ID = 0x82


def frame(message):
    return struct.pack(">i", len(message)) + message


def head(method, kind=CALL, seqid=1, protocol="binary", strict=True):
    """What stands before the arguments; strict=False is the head of Thrift's first years."""
    buffer = TMemoryBuffer()
    wire = PROTOCOLS[protocol](buffer) if strict else TBinaryProtocol(buffer, strictWrite=False)
    wire.writeMessageBegin(method, kind, seqid)
    return buffer.getvalue()


def arguments(method, protocol="binary", of="calculator", **values):
    buffer = TMemoryBuffer()
    getattr(interface(of), method + "_args")(**values).write(PROTOCOLS[protocol](buffer))
    return buffer.getvalue()


def call(method, *, service=None, kind=CALL, seqid=1, protocol="binary", strict=True, **values):
    """A frame with a well-formed call; with a service it is multiplexed."""
    name = f"{service}:{method}" if service else method
    of = service or "calculator"
    return frame(head(name, kind, seqid, protocol, strict)
                 + arguments(method, protocol, of, **values))


@dataclass
class Reply:
    name: str
    kind: int
    seqid: int
    error: TApplicationException  # None in a REPLY
    _body: object

    def result(self, of="calculator"):
        """The value that a REPLY carries; None of a void method."""
        assert self.kind == REPLY, self.error
        result = getattr(interface(of), self.name + "_result")()
        result.read(self._body)
        return getattr(result, "success", None)


def parse_reply(message):
    is_compact = message[0] == COMPACT_ID
    return read_reply((TCompactProtocol if is_compact else TBinaryProtocol)(TMemoryBuffer(message)))


def read_reply(wire):
    name, kind, seqid = wire.readMessageBegin()
    error = None
    if kind == EXCEPTION:
        error = TApplicationException()
        error.read(wire)
    return Reply(name, kind, seqid, error, wire)


class Connection:
    """A client's socket."""

    def __init__(self, address, receive_buffer_bytes=None):
        is_unix = address.startswith("unix:")
        self._stream = None
        self.socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        self.socket.settimeout(PATIENCE_SEC)
        if receive_buffer_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.socket.connect(address[len("unix:"):] if is_unix else split_tcp(address))
        if not is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        self.socket.sendall(data)

    def send_until_it_blocks(self, data):
        """Returns how many bytes went out before the peer had taken nothing for STALL_SEC; the
        daemon has stopped reading by then, or has closed."""
        sent = 0
        self.socket.settimeout(STALL_SEC)
        try:
            while sent < len(data):
                sent += self.socket.send(memoryview(data)[sent:sent + (1 << 16)])
        except OSError:
            pass
        self.socket.settimeout(PATIENCE_SEC)
        return sent

    def send_in_background(self, data):
        sender = threading.Thread(target=self.send, args=(data,), daemon=True)
        sender.start()
        return sender

    def shut_write(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST, as a crashed client's machine would."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _receive(self, count):
        parts = []
        while count > 0:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive_message(self):
        """One frame without its length; None at the end of the stream."""
        prefix = self._receive(4)
        if not prefix:
            return None
        assert len(prefix) == 4, "the stream ends inside a frame's length"
        length = struct.unpack(">i", prefix)[0]
        message = self._receive(length)
        assert len(message) == length, "the stream ends inside a frame"
        return message

    def receive(self):
        message = self.receive_message()
        assert message is not None, "the connection was closed without a reply"
        return parse_reply(message)

    def receive_unframed(self, protocol):
        """The next reply; its result must be taken before the next one is received."""
        if self._stream is None:
            self._stream = TFileObjectTransport(self.socket.makefile("rb"))
        return read_reply(PROTOCOLS[protocol](self._stream))

    def rest(self):
        """All that comes until the daemon closes."""
        return b"".join(iter(lambda: self._receive(1 << 16), b""))

    def at_end(self):
        """Waits for the daemon to close; TRUE if it says nothing before that."""
        return self._receive(1) == b""
