"""Calls and replies of the example services as bytes of the binary protocol, made by hand:
thousands a second, so that the driver is not what is measured."""

import struct
from dataclasses import dataclass, field
from typing import Callable

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4
VERSION_1 = 0x80010000
STOP, BOOL, BYTE, DOUBLE, I16, I32, I64, STRING, STRUCT = 0, 2, 3, 4, 6, 8, 10, 11, 12
NUMBERS = {BOOL: ">b", BYTE: ">b", DOUBLE: ">d", I16: ">h", I32: ">i", I64: ">q"}


def i32(number, value):
    return struct.pack(">bhi", I32, number, value)


def i64(number, value):
    return struct.pack(">bhq", I64, number, value)


def string(number, value):
    return struct.pack(">bhI", STRING, number, len(value)) + value


@dataclass
class Call:
    """`expected` says whether the fields of a result are right; `tokens`: the reasons that its
    client may be given instead."""
    service: str
    method: str
    arguments: bytes
    expected: Callable
    tokens: frozenset
    oneway: bool = False
    is_default: bool = field(default=False)

    def frame(self, seqid):
        name = (self.method if self.is_default else f"{self.service}:{self.method}").encode()
        kind = VERSION_1 | (ONEWAY if self.oneway else CALL)
        message = struct.pack(">II", kind, len(name)) + name + struct.pack(">I", seqid) \
            + self.arguments + b"\0"
        return struct.pack(">I", len(message)) + message


class Malformed(Exception):
    pass


def read_struct(data, at):
    """({field: value}, where it ends)"""
    values = {}
    while True:
        kind = data[at]
        if kind == STOP:
            return values, at + 1
        number, = struct.unpack_from(">h", data, at + 1)
        at += 3
        if kind in NUMBERS:
            values[number], = struct.unpack_from(NUMBERS[kind], data, at)
            at += struct.calcsize(NUMBERS[kind])
        elif kind == STRING:
            length, = struct.unpack_from(">I", data, at)
            values[number] = data[at + 4:at + 4 + length]
            if len(values[number]) != length:
                raise Malformed("a string goes beyond the message")
            at += 4 + length
        elif kind == STRUCT:
            values[number], at = read_struct(data, at)
        else:
            raise Malformed(f"no type of these services: {kind}")


@dataclass
class Answer:
    kind: int
    name: str
    seqid: int
    body: bytes

    def fields(self):
        try:
            values, end = read_struct(self.body, 0)
        except (IndexError, struct.error) as error:
            raise Malformed(str(error)) from None
        if end != len(self.body):
            raise Malformed("bytes after the end of the message")
        return values


def parse(message):
    version, length = struct.unpack_from(">II", message)
    if version & 0xFFFF0000 != VERSION_1:
        raise Malformed(f"its version is {version:#x}")
    seqid, = struct.unpack_from(">I", message, 8 + length)
    return Answer(version & 0xFF, message[8:8 + length].decode(), seqid, message[12 + length:])
