"""Lets this machine's loopback lead into a lab, for people, browsers and Terraform.

Run by :mod:`mesh.lab.forwarding` as a file, in a node's process namespace, so that it ends with the node, but in this
machine's network. Takes pairs ``HOST:PORT=HOST:PORT[,HOST:PORT...]``: where to listen, and where to connect inside of
the node's network; of several targets the first that answers.
"""

import asyncio
import ctypes
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

Address = tuple[str, int]

BLOCK = 65536


def main(pairs: Sequence[str]) -> None:
    """Listens here, then moves to the node's network and connects there."""
    listeners = []
    for pair in pairs:
        here, _, there = pair.partition("=")
        listener = socket.create_server(_address(here), reuse_port=False)
        listeners.append((listener, [_address(target) for target in there.split(",")]))
    network = os.open("/proc/1/ns/net", os.O_RDONLY)  # process 1 is the node's
    if ctypes.CDLL(None, use_errno=True).setns(network, 0):
        raise OSError(ctypes.get_errno(), "cannot enter the node's network")
    asyncio.run(_serve(listeners))


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _serve(listeners: Sequence[tuple[socket.socket, Sequence[Address]]]) -> None:
    for listener, targets in listeners:

        async def connected(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, targets: Sequence[Address] = targets
        ) -> None:
            await _join(reader, writer, targets)

        await asyncio.start_server(connected, sock=listener)
    await asyncio.Event().wait()


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, targets: Sequence[Address]) -> None:
    for host, port in targets:
        try:
            there_reader, there_writer = await asyncio.open_connection(host, port)
        except OSError:
            continue
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        there_writer.close()
        break
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # one side has gone; so does the other
        while block := await reader.read(BLOCK):
            writer.write(block)
            await writer.drain()
        writer.write_eof()


if __name__ == "__main__":
    main(sys.argv[1:])
