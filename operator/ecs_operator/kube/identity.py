"""Who this cluster is towards the cloud: made once, kept in a Secret in the operator's own namespace."""

from __future__ import annotations

import base64
import secrets
import uuid
from dataclasses import dataclass, field

from ecs_operator.engine.ports import ConflictError, GoneError, SecretData
from ecs_operator.kube.connection import APPLY, Connection
from ecs_operator.kube.decode import secret_data

CLUSTER_ID = "cluster-id"
HMAC_KEY = "hmac-key"

_ATTEMPTS = 5
_KEY_BYTES = 32


class IdentityError(Exception):
    """The Secret is there but damaged. Nobody may guess it anew: every server that carries the old marker would become foreign."""


@dataclass(frozen=True, slots=True)
class StoredIdentity:
    """What the Secret holds."""

    cluster_id: str
    key: bytes = field(repr=False)


async def read_or_create(connection: Connection, *, namespace: str, name: str) -> StoredIdentity:
    """The identity of this cluster; made if there is none yet.

    Two processes that start for the first time at the same moment agree: each applies under a field manager of its own without force,
    so the second is refused, and reads what the first wrote. An empty Secret is filled guarded by its resourceVersion.
    Raises IdentityError, StoreError.
    """
    subject = f"GET secrets/{namespace}/{name}"
    path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
    for _ in range(_ATTEMPTS):
        found = await _read(connection, path, subject=subject)
        if found is not None and found.data:
            return _checked(found, subject=f"{namespace}/{name}")
        try:
            await _create(connection, path, name=name, namespace=namespace, version=found.resource_version if found else None)
        except ConflictError:
            continue
    raise ConflictError(f"{subject}: it was changed by others each time it was about to be filled")


async def _read(connection: Connection, path: str, *, subject: str) -> SecretData | None:
    try:
        return secret_data(await connection.request("GET", path, subject=subject), subject=subject)
    except GoneError:
        return None


async def _create(connection: Connection, path: str, *, name: str, namespace: str, version: str | None) -> None:
    identity = {CLUSTER_ID: str(uuid.uuid4()).encode(), HMAC_KEY: secrets.token_bytes(_KEY_BYTES)}
    metadata = {"name": name, "namespace": namespace, **({"resourceVersion": version} if version else {})}
    await connection.request(
        "PATCH",
        path,
        subject=f"APPLY secrets/{namespace}/{name}",
        query={"fieldManager": f"ecs-operator-{secrets.token_hex(8)}"},
        body={
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "data": {key: base64.b64encode(value).decode("ascii") for key, value in identity.items()},
        },
        content_type=APPLY,
    )


def _checked(found: SecretData, *, subject: str) -> StoredIdentity:
    cluster_id, key = found.data.get(CLUSTER_ID, b""), found.data.get(HMAC_KEY, b"")
    try:
        uuid.UUID(cluster_id.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        raise IdentityError(f"the Secret {subject} holds no UUID in {CLUSTER_ID}; restore it from a backup") from None
    if len(key) < _KEY_BYTES:
        raise IdentityError(f"the Secret {subject} holds no {_KEY_BYTES} bytes in {HMAC_KEY}; restore it from a backup")
    return StoredIdentity(cluster_id=cluster_id.decode("ascii"), key=key)
