"""ECS API reference 6.9: metadata of a server. Writing needs one of four states and, as in Nova, no lock."""

from __future__ import annotations

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.pairs import NATIVE_KEY, RESERVED, read_pairs
from ecs_simulator.routes.quota_rows import MAX_METADATA
from ecs_simulator.world import commands, visibility
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server

_PATH = "/v2.1/{project_id}/servers/{server_id}/metadata"
_KEY = f"{_PATH}/{{key}}"
_STATES = frozenset({"active", "stopped", "paused", "suspended"})


def merge_metadata(call: Call) -> Reply:
    """6.9.1: what is not named stays."""
    server = _writable(call)
    return Reply(200, {"metadata": _write(call, server, {**server.metadata, **_pairs(call)})})


def replace_metadata(call: Call) -> Reply:
    """6.9.2: everything else goes, but for what users may not delete."""
    server = _writable(call)
    reserved = {key: value for key, value in server.metadata.items() if key in RESERVED}
    return Reply(200, {"metadata": _write(call, server, {**_pairs(call), **reserved})})


def delete_item(call: Call) -> Reply:
    """6.9.3."""
    server, key = _writable(call), call.path["key"]
    _require(server, key)
    if key in RESERVED:
        raise invalid(f"metadata.{key} is reserved")
    _write(call, server, {name: value for name, value in server.metadata.items() if name != key})
    return Reply(204)


def list_metadata(call: Call) -> Reply:
    """6.9.4."""
    return Reply(200, {"metadata": dict(_shown(call).metadata)})


def show_item(call: Call) -> Reply:
    """6.9.5."""
    server, key = _shown(call), call.path["key"]
    _require(server, key)
    return Reply(200, {"meta": {key: server.metadata[key]}})


def set_item(call: Call) -> Reply:
    """6.9.6: the body names the same key as the URL, and no other."""
    server, key = _writable(call), call.path["key"]
    pairs = read_pairs(Fields.of(call.body, "meta").data, where="meta", key=NATIVE_KEY)
    if set(pairs) != {key}:
        raise invalid("Request body and URI mismatch")
    _write(call, server, {**server.metadata, **pairs})
    return Reply(200, {"meta": pairs})


def _pairs(call: Call) -> dict[str, str]:
    return read_pairs(Fields.of(call.body, "metadata").data, where="metadata", key=NATIVE_KEY)


def _shown(call: Call) -> Server:
    return visibility.shown(call.world, call.project, call.path["server_id"])


def _writable(call: Call) -> Server:
    _shown(call)
    server = call.project.server(call.path["server_id"])
    if server.locked:
        raise Refusal("Ecs.0605", f"Instance {server.id} is locked")
    commands.require_state(server, "update_metadata", _STATES)
    return server


def _write(call: Call, server: Server, metadata: dict[str, str]) -> dict[str, str]:
    if len(metadata) > MAX_METADATA:
        raise Refusal("Ecs.0001", f"Maximum number of metadata items exceeds {MAX_METADATA}")
    if metadata != server.metadata:
        keys = sorted(key for key in {*metadata, *server.metadata} if metadata.get(key) != server.metadata.get(key))
        # The entry carries the marker from before, so that taking it off is found by it.
        call.world.record(call.project, server, "update", cause_of(call), fields=[f"metadata.{key}" for key in keys])
        server.metadata = metadata
        server.updated = call.world.now()
    return dict(metadata)


def _require(server: Server, key: str) -> None:
    if key not in server.metadata:
        raise ApiError(404, "Ecs.0005", "Metadata item was not found", nova=True)


OPERATIONS = (
    Operation("6.9.1", "updateServerMetadata", "POST", _PATH, nova(merge_metadata)),
    Operation("6.9.2", "replaceServerMetadata", "PUT", _PATH, nova(replace_metadata)),
    Operation("6.9.3", "deleteServerMetadataItem", "DELETE", _KEY, nova(delete_item)),
    Operation("6.9.4", "listServerMetadata", "GET", _PATH, nova(list_metadata)),
    Operation("6.9.5", "showServerMetadataItem", "GET", _KEY, nova(show_item)),
    Operation("6.9.6", "setServerMetadataItem", "PUT", _KEY, nova(set_item)),
)
