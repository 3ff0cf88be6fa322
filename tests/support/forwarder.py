"""A TCP forwarder to a server that can be made to hang: data then waits, and connections stay open."""

import asyncio
import contextlib
import threading
from typing import Self

from tests.support.ports import LOCALHOST


class Forwarder:
    """Forwards connections to a port, while its `with` block runs and it is not `silent`."""

    def __init__(self, port: int) -> None:
        """Forward to `port`; listen on `self.port`."""
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._speaks = asyncio.Event()
        self._speaks.set()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._serve, LOCALHOST, 0), self._loop)
        self.port: int = server.result(5).sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        asyncio.run_coroutine_threadsafe(self._cancel(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def fall_silent(self) -> None:
        """Stop forwarding; connections are still accepted."""
        self._loop.call_soon_threadsafe(self._speaks.clear)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # which the server would report as a fault
            await self._speaks.wait()
            its_reader, its_writer = await asyncio.open_connection(LOCALHOST, self._to)
            await asyncio.gather(self._carry(reader, its_writer), self._carry(its_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._speaks.wait()
                writer.write(data)
        writer.close()

    async def _cancel(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
