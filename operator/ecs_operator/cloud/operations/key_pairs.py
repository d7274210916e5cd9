"""Key pairs (ECS API reference 6.11)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from ecs_operator.cloud.models.key_pairs import KeyPair, KeyPairAnswer, KeyPairPage, NewKeyPair, NewKeyPairAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import Session

MAX_PUBLIC_KEY = 1024
"""Bytes of a key that still gets into a server."""
_PAIRS = "/v2.1/{project_id}/os-keypairs"
_PAIR = f"{_PAIRS}/{{keypair_name}}"

LIST = Operation(
    section="6.11.1",
    name="listKeyPairs",
    method="GET",
    path=_PAIRS,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
SHOW = Operation(section="6.11.2", name="showKeyPair", method="GET", path=_PAIR, family=Family.NOVA, microversion=MICROVERSION_HIGHEST)
CREATE = Operation(
    section="6.11.3",
    name="createKeyPair",
    method="POST",
    path=_PAIRS,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
DELETE = Operation(
    section="6.11.4",
    name="deleteKeyPair",
    method="DELETE",
    path=_PAIR,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)


class KeyPairs:
    """Key pairs of the user whose credentials these are; the cloud shows nobody another's. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> tuple[KeyPair, ...]:
        """6.11.1: all key pairs of the user."""
        pairs: dict[str, KeyPair] = {}
        query: dict[str, str] = {}
        while True:
            page = (await self._session.call(LIST, query=query)).read(KeyPairPage)
            pairs.update((row.keypair.name, row.keypair) for row in page.keypairs)
            marker = next_marker(page.keypairs_links)
            if not marker or marker == query.get("marker"):
                return tuple(pairs.values())
            query = {"marker": marker}

    async def get(self, name: str) -> KeyPair:
        """6.11.2: one key pair."""
        return (await self._session.call(SHOW, path={"keypair_name": name})).read(KeyPairAnswer).keypair

    async def create(
        self, name: str, *, public_key: str | None = None, key_type: Literal["ssh", "x509"] = "ssh", user_id: str | None = None
    ) -> NewKeyPair:
        """6.11.3: let the cloud make a key pair, or hand over the public half of one's own.

        If the cloud makes it, the private half is in this answer, and nowhere ever after. ``key_type`` x509 needs microversion 2.2,
        ``user_id`` 2.10 and rights over that user; without that an endpoint is not called.
        """
        check(CREATE, "keypair.name", "1 to 255 characters", holds=1 <= len(name) <= 255)
        if public_key is not None:
            fits = key_type != "ssh" or 1 <= len(public_key.encode()) <= MAX_PUBLIC_KEY
            check(CREATE, "keypair.public_key", f"1 to {MAX_PUBLIC_KEY} bytes: a longer one does not get into servers", holds=fits)
        pair = {"name": name, "public_key": public_key, "type": key_type if key_type != "ssh" else None, "user_id": user_id}
        least = (2, 10) if user_id is not None else (2, 2) if key_type != "ssh" else None
        body = {"keypair": {key: value for key, value in pair.items() if value is not None}}
        answer = await self._session.call(replace(CREATE, least=least), body=body)
        return answer.read(NewKeyPairAnswer).keypair

    async def delete(self, name: str) -> None:
        """6.11.4: delete a key pair. It stays in the servers that were made with it."""
        await self._session.call(DELETE, path={"keypair_name": name})
