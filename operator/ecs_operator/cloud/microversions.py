"""Which microversion of the native API to ask for: what the endpoint has, within what we can read (ECS API reference 3, 6.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ecs_operator.cloud.errors import CloudError, Meaning, invalid
from ecs_operator.cloud.models.access import ApiVersions
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_LOWEST, Family, Lane, Operation

if TYPE_CHECKING:
    from ecs_operator.cloud.session import Session

LIST_VERSIONS = Operation(section="6.1.1", name="listVersions", method="GET", path="/", family=Family.ROOT, lane=Lane.URGENT)
_NO_RANGE = ((0, 0), (0, 0))


class Microversions:
    """The endpoint's range of microversions, asked for once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = asyncio.Lock()
        self._range: tuple[tuple[int, int], tuple[int, int]] | None = None

    async def headers(self, operation: Operation) -> Mapping[str, str]:
        """The headers that ask for the best microversion, in both forms; none where the operation or the endpoint has none.

        Raises CloudError (not sent, invalid) when the endpoint has none that knows the operation.
        """
        if operation.microversion is None:
            return {}
        chosen = await self._choose(operation.microversion)
        if operation.least is not None and (chosen is None or chosen < operation.least):
            raise await self._lacking(operation.name, operation.least)
        if chosen is None:
            return {}
        text = _show(chosen)
        return {"X-OpenStack-Nova-API-Version": text, "OpenStack-API-Version": f"compute {text}"}

    async def for_reads(self) -> str | None:
        """The microversion that servers are read with, e.g. ``2.46``; None where the endpoint has none that shows tags."""
        _, high = await self.supported()
        chosen = await self._choose(MICROVERSION_HIGHEST) if high >= MICROVERSION_LOWEST else None
        return None if chosen is None else _show(chosen)

    async def supported(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Lowest and highest microversion; zeros where there are none. Raises CloudError when the endpoint does not tell."""
        async with self._lock:
            if self._range is None:
                self._range = await self._discover()
            return self._range

    def forget(self) -> None:
        """Ask again with the next call."""
        self._range = None

    async def _choose(self, highest: tuple[int, int]) -> tuple[int, int] | None:
        low, high = await self.supported()
        chosen = min(high, highest)
        return None if high == (0, 0) or chosen < low else chosen

    async def _lacking(self, name: str, least: tuple[int, int]) -> CloudError:
        low, high = await self.supported()
        has = "has none" if high == (0, 0) else f"has {_show(low)} to {_show(high)}"
        return invalid(operation=name, field="microversion", problem=f"at least {_show(least)} is needed, and the endpoint {has}")

    async def _discover(self) -> tuple[tuple[int, int], tuple[int, int]]:
        try:
            answer = await self._session.call(LIST_VERSIONS)
        except CloudError as error:
            if error.status in {403, 404} and error.meaning in {Meaning.NOT_FOUND, Meaning.UNREACHABLE, Meaning.FORBIDDEN}:
                return _NO_RANGE
            raise
        ranges = [version.microversions() for version in answer.read(ApiVersions).versions if version.id.startswith("v2.1")]
        return next((found for found in ranges if found), _NO_RANGE)


def _show(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
