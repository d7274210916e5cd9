"""``/livez`` and ``/readyz`` for the kubelet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

Checks = Callable[[], Mapping[str, bool]]
"""Names what is looked at, and whether it is well."""


class Probes:
    """A small HTTP server. That it answers at all proves that the event loop turns."""

    def __init__(self, *, host: str, port: int, live: Checks, ready: Checks) -> None:
        """Port 0 takes a free one; see ``port`` after the start."""
        self._host, self._port = host, port
        application = web.Application()
        application.router.add_get("/livez", _answer(live))
        application.router.add_get("/readyz", _answer(ready))
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._runner.addresses[0][1]
        return port

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()


def _answer(checks: Checks) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(_: web.Request) -> web.Response:
        found = checks()
        lines = [f"[{'+' if well else '-'}] {name}" for name, well in found.items()]
        return web.Response(status=200 if all(found.values()) else 503, text="\n".join([*lines, ""]))

    return answer
