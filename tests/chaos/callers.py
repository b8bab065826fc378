"""The clients: some honest, who get exactly one outcome of every call, and some who are not."""

import asyncio
import random
import socket
import struct
from collections import Counter

import calls
from clients import split_tcp
from frames import EXCEPTION, REPLY, Malformed, parse

PATIENCE_SEC = 90  # for what is bounded by deadlines of a few seconds, on a machine that is busy
READ_LIMIT = 1 << 20
LARGEST = 1 << 20


class World:
    """What all clients share: where to call, whether to go on, and what they heard."""

    def __init__(self, seed, addresses):
        self.seed = seed
        self.addresses = addresses  # that stay
        self.passing = []           # unix sockets that reloads add and remove
        self.is_over = False
        self.outcomes = Counter()   # (service, outcome)
        self.made = Counter()       # calls that expect one, by service
        self.violations = []
        self.few_descriptors = 0    # times that connections may have been refused, and
        self.is_short = False       # whether this is one

    def random(self, name):
        return random.Random(f"{self.seed} {name}")

    def violate(self, text):
        self.violations.append(text)
        self.is_over = True


class Closed(Exception):
    """The daemon has closed the connection."""


class Wire:
    def __init__(self, world, reader, writer):
        self.world = world
        self.reader = reader
        self.writer = writer
        self.seqid = 0
        self.heard = 0
        self.shortages = world.few_descriptors - world.is_short

    def send(self, call):
        self.seqid += 1
        self.writer.write(call.frame(self.seqid))
        return self.seqid

    async def receive(self):
        try:
            async with asyncio.timeout(PATIENCE_SEC):
                length, = struct.unpack(">I", await self.reader.readexactly(4))
                if length > LARGEST:
                    raise Malformed(f"a frame of {length} bytes")
                message = await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise Closed(str(error)) from None
        self.heard += 1
        return parse(message)

    async def end(self):
        """Nothing comes that nobody has asked for."""
        try:
            async with asyncio.timeout(PATIENCE_SEC):
                self.writer.write_eof()
                rest = await self.reader.read(1)
        except OSError:
            rest = b""
        self.writer.close()
        if rest:
            self.world.violate("a reply came that no call had asked for")

    def may_be_refused(self):
        """Nothing was heard on it, and there were not enough descriptors meanwhile."""
        return self.heard == 0 and self.world.few_descriptors > self.shortages

    def reset(self):
        try:
            self.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass  # the daemon has closed it before
        self.writer.transport.abort()


async def connect(world, address, limit=READ_LIMIT):
    if address.startswith("unix:"):
        streams = await asyncio.open_unix_connection(address[len("unix:"):], limit=limit)
    else:
        streams = await asyncio.open_connection(*split_tcp(address), limit=limit)
    return Wire(world, *streams)


def judge(world, call, seqid, answer):
    """An outcome of a call, or a violation."""
    about = f"{call.service}.{call.method} seqid {seqid}"
    if answer.seqid != seqid or answer.name != call.method:
        world.violate(f"{about}: the reply is of {answer.name} seqid {answer.seqid}")
    if answer.kind == REPLY:
        world.outcomes[call.service, "reply"] += 1
        try:
            right = call.expected is calls.anything or call.expected(answer.fields())
        except (Malformed, KeyError) as error:
            right, answer.body = False, f"{error}: {answer.body[:200]!r}".encode()
        if not right:
            world.violate(f"{about}: a wrong result: {answer.body[:200]!r}")
        return
    if answer.kind != EXCEPTION:
        world.violate(f"{about}: a message of type {answer.kind}")
        return
    text = answer.fields().get(1, b"").decode()
    token = text.partition(":")[0]
    world.outcomes[call.service, token] += 1
    if token not in call.tokens:
        world.violate(f"{about}: a reason that it must not be given: {text}")


async def converse(world, wire, batch):
    """Sends the calls at once, and hears an outcome of each.  FALSE: it was refused before."""
    seqids = [wire.send(call) for call in batch]
    waiting = [(call, seqid) for call, seqid in zip(batch, seqids) if not call.oneway]
    for call, _ in waiting:
        world.made[call.service] += 1
    for done, (call, seqid) in enumerate(waiting):
        try:
            judge(world, call, seqid, await wire.receive())
        except Closed as closed:
            for unheard, _ in waiting[done:]:
                world.outcomes[unheard.service, "connection_refused"] += 1
            if not wire.may_be_refused():
                world.violate(f"{call.service}.{call.method}: closed with {len(waiting) - done} "
                              f"calls unanswered, {wire.heard} were: {closed}")
            return False
        except TimeoutError:
            world.violate(f"{call.service}.{call.method}: no outcome in {PATIENCE_SEC} s")
            return False
    return True


# --- honest clients --------------------------------------------------------------------------

async def steady(world, name, pick):
    """Calls without pause, up to eight at a time, and now and then from a new connection."""
    rng = world.random(name)
    while not world.is_over:
        wire = await connect(world, rng.choice(world.addresses))
        for _ in range(rng.randrange(1, 400)):
            batch = [pick(rng) for _ in range(rng.choice([1, 1, 1, 2, 8]))]
            if world.is_over or not await converse(world, wire, batch):
                break
        await wire.end()


async def visitor(world, name):
    """One call for each connection, also where a listener comes and goes."""
    rng = world.random(name)
    while not world.is_over:
        address = rng.choice(world.addresses + world.passing)
        try:
            wire = await connect(world, address)
        except OSError:
            if address in world.addresses:
                world.violate(f"{address}: nobody listens")
            await asyncio.sleep(0.01)
            continue
        wire.may_be_refused = lambda: wire.heard == 0  # its listener may have gone
        await converse(world, wire, [calls.calculator(rng)])
        await wire.end()


# --- the others ------------------------------------------------------------------------------

async def aborter(world, name):
    """Ends in the middle of a frame, before its replies, or of both."""
    rng = world.random(name)
    while not world.is_over:
        wire = await connect(world, rng.choice(world.addresses))
        for _ in range(rng.randrange(4)):
            wire.send(calls.calculator(rng))
        frame = calls.calculator(rng).frame(1)
        wire.writer.write(frame[:rng.randrange(len(frame))])
        await asyncio.sleep(rng.random() * 0.02)
        if rng.random() < 0.5:
            wire.reset()
        else:
            wire.writer.close()


async def wait_closed(world, wire, what):
    try:
        async with asyncio.timeout(PATIENCE_SEC):
            while await wire.reader.read(1 << 16):
                pass
    except ConnectionError:
        pass
    except TimeoutError:
        world.violate(f"{what}: not closed in {PATIENCE_SEC} s")
    wire.writer.close()


async def staller(world, name):
    """Stops in the middle of a frame, and is closed at frame-timeout."""
    rng = world.random(name)
    while not world.is_over:
        wire = await connect(world, rng.choice(world.addresses))
        frame = calls.calculator(rng).frame(1)
        wire.writer.write(frame[:rng.randrange(1, len(frame))])
        await wait_closed(world, wire, "a client that stalls")


async def babbler(world, name):
    """Sends what is no call; is closed for it, or for not going on."""
    rng = world.random(name)
    while not world.is_over:
        wire = await connect(world, rng.choice(world.addresses))
        wire.writer.write(rng.randbytes(rng.randrange(1, 200)))
        await wait_closed(world, wire, "a client that babbles")


async def never_reader(world, name):
    """Asks for more than it takes, and is closed at write-timeout."""
    rng = world.random(name)
    while not world.is_over:
        wire = await connect(world, rng.choice(world.addresses), limit=1024)
        frame = calls.calculator(rng).frame(1)
        while len(frame) < 100_000:
            frame += calls.calculator(rng).frame(1)
        try:
            async with asyncio.timeout(PATIENCE_SEC):
                while not world.is_over:
                    wire.writer.write(frame)
                    await wire.writer.drain()
        except ConnectionError:
            pass
        except TimeoutError:
            world.violate(f"a client that never reads: not closed in {PATIENCE_SEC} s")
        wire.writer.transport.abort()


def everybody(world):
    """A coroutine for each client."""
    for number in range(8):
        yield steady(world, f"calculator {number}", calls.calculator)
    for number in range(6):
        yield steady(world, f"counter {number}", calls.Counting(f"counter {number}"))
    for number in range(4):
        yield steady(world, f"crash {number}", calls.crash)
    for number in range(3):
        yield steady(world, f"wild {number}", calls.wild)
    for number in range(2):
        yield steady(world, f"extra {number}", calls.extra)
    for kind, count in (visitor, 4), (aborter, 3), (staller, 2), (babbler, 2), (never_reader, 2):
        for number in range(count):
            yield kind(world, f"{kind.__name__} {number}")
