"""What the processes of a rehearsal share: a port of loopback, an end that they are told, a way to complain."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web

from rehearsal.errors import RehearsalError
from settings.errors import UserError


async def listen(runner: web.BaseRunner, port: int) -> int:
    """Open a port of loopback, any free one for 0, and tell which; RehearsalError when somebody else has it."""
    site = web.TCPSite(runner, "127.0.0.1", port, backlog=1024, reuse_address=True)
    try:
        await site.start()
    except OSError as problem:
        raise RehearsalError(
            f"port {port} of this machine cannot be listened on ({problem.strerror})",
            hint="end what listens there, or give another port; 0 takes any that is free",
        ) from None
    return int(runner.addresses[-1][1])


async def until_told(*loops: asyncio.Task[None]) -> None:
    """Wait for SIGTERM or SIGINT; what goes wrong in one of the endless loops is raised."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        ended, _ = await asyncio.wait([waiting, *loops], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    for loop in ended:
        await loop


def complain(error: UserError) -> int:
    """Say on stderr what is wrong and what to do; the answer is the exit code."""
    print(f"{error}\n  {error.hint}", file=sys.stderr)
    return error.exit_code
