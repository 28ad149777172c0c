"""Runs an HTTP server of dranspose.

uvicorn's own command puts the working folder first in the search for modules; its function does
not.
"""

import argparse
import asyncio
import sys
from contextlib import suppress
from types import FrameType

import uvicorn

_END_LIMIT = 2
"""How long open connections may go on when the server is told to end [s]."""
_DATE = 1.0
"""How often the date in the answers is renewed [s]."""


class _Server(uvicorn.Server):
    """Sleeps until it is told to end; uvicorn's own wakes ten times a second to look."""

    _waiting: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    async def main_loop(self) -> None:
        """Return when the server is to end."""
        told = asyncio.Event()
        self._waiting = asyncio.get_running_loop(), told
        # Each count of ten renews the date.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), _DATE)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal, and end the sleep."""
        super().handle_exit(sig, frame)
        if self._waiting is not None:
            loop, told = self._waiting
            loop.call_soon_threadsafe(told.set)


def main() -> None:
    """Serve ``module:app`` until the process is ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("app")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    config = uvicorn.Config(
        options.app,
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_END_LIMIT,
    )
    server = _Server(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(f"{options.app} was not started.")
