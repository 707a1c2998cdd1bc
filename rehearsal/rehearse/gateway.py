"""The way from AWS to the databases: TLS in front of servers that were built without it, and a wire that can be cut.

    python -m rehearsal.rehearse.gateway --certificate FILE --key FILE --to data_center=127.0.0.1:5432 --to aurora=…

A client that asks for TLS gets it, by the certificate; one that does not is let through as it is, for the embedded DMS
asks for none on this machine (localaws/SPEC.md). SIGUSR1 breaks every connection there is, once.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.serving import complain, until_told

# The eight bytes by which a client asks for TLS: its length, and a code in place of a version.
# https://www.postgresql.org/docs/current/protocol-message-formats.html (SSLRequest)
_TLS_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
_CHUNK = 1 << 16


class Gateway:
    """Passes connections on; `cut` breaks those there are."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._passing: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Listen on a free port, for the server at `host` and `port`."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._pass(reader, writer, host, port)
                writer.close()
                return
            writer.transport.abort()

        return await asyncio.start_server(serve, "127.0.0.1", 0, limit=_CHUNK)

    def cut(self) -> None:
        """Break every connection."""
        for task in self._passing:
            task.cancel()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        first = await reader.readexactly(len(_TLS_REQUEST))
        if first == _TLS_REQUEST:
            writer.write(b"S")
            await writer.drain()
            await writer.start_tls(self._context)
            first = b""
        there, back = await asyncio.open_connection(host, port, limit=_CHUNK)
        back.write(first)
        pumps = [asyncio.create_task(_pump(reader, back)), asyncio.create_task(_pump(there, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            back.close()
        except asyncio.CancelledError:
            back.transport.abort()
            raise
        finally:
            for pump in pumps:
                pump.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


async def run(context: ssl.SSLContext, places: dict[str, tuple[str, int]]) -> None:
    """Serve until told to end."""
    gateway = Gateway(context)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, gateway.cut)
    servers = []
    for name, (host, port) in places.items():
        server = await gateway.listen(host, port)
        servers.append(server)
        print(f"{name} listens on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    try:
        await until_told()
    finally:
        for server in servers:
            server.close()
        gateway.cut()


def main(arguments: Sequence[str] | None = None) -> int:
    """The process; its first lines say where each database is reached."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal.rehearse.gateway", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--certificate", type=Path, required=True)
    parser.add_argument("--key", type=Path, required=True)
    parser.add_argument("--to", action="append", required=True, metavar="NAME=HOST:PORT", help="a server behind it")
    given = parser.parse_args(arguments)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(given.certificate, given.key)
        asyncio.run(run(context, dict(map(_place, given.to))))
    except OSError as problem:  # ssl.SSLError is one
        return complain(
            RehearsalError(f"the gateway cannot use {given.certificate} ({problem})", hint="give it a PEM and its key")
        )
    except RehearsalError as error:
        return complain(error)
    return 0


def _place(text: str) -> tuple[str, tuple[str, int]]:
    name, equals, place = text.partition("=")
    host, colon, port = place.rpartition(":")
    if not (name and equals and host and colon and port.isdecimal()):
        raise RehearsalError(f"{text!r} is no NAME=HOST:PORT", hint="write --to aurora=127.0.0.1:5432")
    return name, (host, int(port))


if __name__ == "__main__":
    sys.exit(main())
