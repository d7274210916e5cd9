"""Is everything served that the operator needs? Asked before anything starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecs_operator.engine.ports import GoneError
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.resource_types import ResourceType

_TIMEOUT = 30.0


async def missing(connection: Connection, types: Sequence[ResourceType], *, status_fields: Mapping[str, Iterable[str]]) -> Sequence[str]:
    """What is not served yet, in words; empty when all is there.

    ``status_fields`` names by plural the paths (``job.id``) a status is written with. An apply of a field that the served schema
    does not know is answered with 500 each time, so an older CustomResourceDefinition must be noticed here. Raises StoreError.
    """
    found: list[str] = []
    for api_version in sorted({each.api_version for each in types}):
        here = [each for each in types if each.api_version == api_version]
        found += await _missing_of(connection, api_version, here, status_fields=status_fields)
    return found


async def _missing_of(
    connection: Connection, api_version: str, types: Sequence[ResourceType], *, status_fields: Mapping[str, Iterable[str]]
) -> list[str]:
    try:
        served = {each["name"] for each in (await connection.request("GET", f"/apis/{api_version}")).get("resources") or ()}
    except GoneError:
        served = set()
    found = [f"{each.plural}.{each.group}" for each in types if each.plural not in served]
    found += [
        f"{each.plural}.{each.group} (its status subresource)"
        for each in types
        if each.plural in served and f"{each.plural}/status" not in served
    ]
    if found or not any(status_fields.get(each.plural) for each in types):
        return found
    return await _missing_fields(connection, api_version, types, status_fields=status_fields)


async def _missing_fields(
    connection: Connection, api_version: str, types: Sequence[ResourceType], *, status_fields: Mapping[str, Iterable[str]]
) -> list[str]:
    try:
        document = await connection.request("GET", f"/openapi/v3/apis/{api_version}", timeout=_TIMEOUT)
    except GoneError:
        return [f"the schema of {api_version}"]
    schemas = _schemas_by_kind(document)
    found = []
    for each in types:
        status = schemas.get(each.kind, {}).get("properties", {}).get("status", {})
        absent = sorted(path for path in status_fields.get(each.plural, ()) if not _has(status, path.split(".")))
        found += [f"{each.plural}.{each.group} (field status.{path})" for path in absent]
    return found


def _schemas_by_kind(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    schemas = document.get("components", {}).get("schemas", {})
    return {kind["kind"]: schema for schema in schemas.values() for kind in schema.get("x-kubernetes-group-version-kind", ())}


def _has(schema: Mapping[str, Any], path: Sequence[str]) -> bool:
    """Whether a path leads to a field. Lists are passed through; a free-form object has every field."""
    if not path:
        return True
    inner = schema.get("items", schema)
    if inner.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in inner:
        return True
    following = inner.get("properties", {}).get(path[0])
    return following is not None and _has(following, path[1:])
