"""The pointer: the SSM parameter that says which database the application uses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

# However often it is asked to look at once, it leaves this much time between two looks.
_SPACING_SECONDS = 0.1


def reader(parameter: str, region: str) -> Callable[[], str]:
    """A function that reads the parameter, or raises what boto3 raises; its timeouts are shorter than a cutover's."""
    import boto3
    from botocore.config import Config

    brief = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    client: Any = boto3.client("ssm", region_name=region, config=brief)
    return lambda: str(client.get_parameter(Name=parameter)["Parameter"]["Value"])


class Pointer:
    """Reads the pointer every `interval` seconds, and at once after `look()`; `moved` is given every value.

    A read that fails says nothing: the application stays where it is, and the next look is soon.
    """

    def __init__(self, read: Callable[[], str], moved: Callable[[str], Awaitable[object]], interval: float) -> None:
        self._read = read
        self._moved = moved
        self._interval = interval
        self._asked = asyncio.Event()

    def look(self) -> None:
        """Look at once: the database has refused a write, or is gone."""
        self._asked.set()

    async def run(self) -> None:
        """Follow the pointer until cancelled."""
        while True:
            self._asked.clear()
            await self.once()
            await asyncio.sleep(_SPACING_SECONDS)
            try:
                async with asyncio.timeout(max(self._interval - _SPACING_SECONDS, 0)):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def once(self) -> None:
        """Look now."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            value = await asyncio.to_thread(self._read)
        except (BotoCoreError, ClientError):
            return
        await self._moved(value)
