"""Which calls the clients make, what their results must be, and which reasons may come instead."""

import re
from math import factorial

from clients import REPOSITORY
from frames import Call, i32, i64, string

REASONS = re.findall(r'^REASON\(\w+, +"(\w+)", +(\w+)',
                     (REPOSITORY / "actor/factory/reason.def").read_text(), re.MULTILINE)
KNOWN = frozenset(token for token, _ in REASONS)
# What no honest call to a service that is there may be told, whatever is done to processes.
NEVER = frozenset({"unknown_method", "bad_arguments", "broken_handler", "bad_key", "bad_reply",
                   "unknown_service", "no_handler", "too_large", "reply_too_large", "app_error",
                   "rate_limited", "completed"})
HONEST = KNOWN - NEVER


def anything(_fields):
    return True


def never(_fields):
    return False


def void(fields):
    return fields == {}


def calculator(rng, service="calculator", tokens=HONEST):
    """Any of its methods, for the default service or for one by name."""
    def call(method, arguments, expected, oneway=False):
        return Call(service, method, arguments, expected, tokens, oneway, service == "calculator")

    dice = rng.random()
    if dice < 0.6:
        a, b = rng.randrange(-10**9, 10**9), rng.randrange(-10**9, 10**9)
        return call("add", i32(1, a) + i32(2, b), lambda fields: fields == {0: a + b})
    if dice < 0.85:
        size = rng.randrange(100_000, 300_000) if dice < 0.63 else rng.randrange(2000)
        data = rng.randbytes(size)
        return call("echo", string(1, data), lambda fields: fields == {0: data})
    if dice < 0.9:
        n = rng.randrange(-1, 23)
        if 0 <= n <= 20:
            return call("fact", i32(1, n), lambda fields: fields == {0: factorial(n)})
        return call("fact", i32(1, n), lambda fields: list(fields) == [1])
    if dice < 0.95:
        return call("sleep", i32(1, rng.randrange(20)), void)
    if dice < 0.97:
        return call("note", string(1, b"chaos"), never, oneway=True)
    return call("ping", b"", void)


def extra(rng):
    """A service that reloads add and remove."""
    return calculator(rng, "extra", HONEST | {"unknown_service", "no_handler"})


class Counting:
    """A counter of a client's own: it never has more than was added to it.  A new host begins
    at nothing."""

    def __init__(self, name):
        self.name = name.encode()
        self.added = 0

    def __call__(self, rng):
        if rng.random() < 0.2:
            most = self.added
            return Call("counter", "value", string(1, self.name),
                        lambda fields: list(fields) == [0] and 0 <= fields[0] <= most, HONEST)
        self.added += 1
        most = self.added
        return Call("counter", "add", string(1, self.name) + i64(2, 1),
                    lambda fields: list(fields) == [0] and 1 <= fields[0] <= most, HONEST)


ENDS = ["segfault", "do_abort", "do_exit", "overflow_stack"]


def crash(rng):
    """A handler that dies: its own calls are told so, others are right or told so."""
    dice = rng.random()
    if dice < 0.05:
        method = rng.choice(ENDS)
        return Call("crash", method, i32(1, 3) if method == "do_exit" else b"", never, HONEST)
    if dice < 0.052:
        return Call("crash", "loop_forever", b"", never, HONEST)
    if dice < 0.06:
        return Call("crash", "segfault_oneway", b"", never, HONEST, oneway=True)
    if dice < 0.1:
        return Call("crash", "plain_error", i32(1, 7) + string(2, b"no"), never,
                    HONEST | {"app_error"})
    if dice < 0.15:
        size = rng.randrange(200_000)
        return Call("crash", "large", i32(1, size), lambda fields: len(fields[0]) == size, HONEST)
    if dice < 0.5:
        return Call("crash", "pid", b"", lambda fields: fields[0] > 1, HONEST)
    return Call("crash", "ping", b"", void, HONEST)


def wild(rng):
    """A handler that writes over what it shares with sluiced: each call has one outcome, of
    which nobody knows what it says."""
    dice = rng.random()
    if dice < 0.01:
        return Call("wild", "scribble", i32(1, rng.randrange(1 << 30)), anything, KNOWN)
    if dice < 0.3:
        return Call("wild", "garbage", string(1, rng.randbytes(rng.randrange(60))), anything, KNOWN)
    return Call("wild", "ping", b"", anything, KNOWN)
