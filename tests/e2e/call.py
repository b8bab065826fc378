#!/usr/bin/python3
"""Calls one method of an example service:  call.py ADDRESS METHOD [ARGUMENT...]

    call.py tcp://127.0.0.1:9090 add 2 3
    call.py --service crash unix:/run/sluice/sluice.sock do_exit 3
"""

import argparse
import inspect
import sys

from thrift.Thrift import TException, TType

from clients import interface, open_client

FROM_TEXT = {TType.BOOL: lambda text: text == "true", TType.I32: int, TType.I64: int}


def arguments(module, method, texts):
    """The words of the command line as what the method's IDL says."""
    fields = [field for field in getattr(module, method + "_args").thrift_spec if field]
    if len(texts) != len(fields):
        sys.exit(f"{method} takes {len(fields)} arguments: {' '.join(f[2] for f in fields)}")
    is_binary = [field[3] == "BINARY" for field in fields]
    return [text.encode() if binary else FROM_TEXT.get(field[1], str)(text)
            for field, binary, text in zip(fields, is_binary, texts)]


def main():
    options = argparse.ArgumentParser(description="Calls one method of an example service.")
    options.add_argument("--service", help="multiplexed; otherwise sluiced's default service")
    options.add_argument("--protocol", choices=("binary", "compact"), default="binary")
    options.add_argument("address", help="tcp://HOST:PORT or unix:/PATH")
    options.add_argument("method")
    options.add_argument("argument", nargs="*")
    given = options.parse_args()
    name = given.service or "calculator"
    module = interface(name)
    if given.method not in dict(inspect.getmembers(module.Iface, inspect.isfunction)):
        sys.exit(f"{name} has no method {given.method}")
    values = arguments(module, given.method, given.argument)
    question = f"{given.method}({', '.join(map(repr, values))})"
    try:
        client, socket = open_client(given.address, name, given.protocol, given.service)
        print(f"{question} = {getattr(client, given.method)(*values)!r}")
        socket.close()
    except TException as error:
        sys.exit(f"{question}: {error!r}")


if __name__ == "__main__":
    main()
