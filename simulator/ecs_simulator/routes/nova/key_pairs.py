"""ECS API reference 6.11.1 to 6.11.4: key pairs of the user who asks."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import queries, stamps
from ecs_simulator.routes.answering import cause_of, nova, since
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import key_pairs
from ecs_simulator.world.catalog import KeyPair
from ecs_simulator.world.refusal import invalid

_PAIRS = "/v2.1/{project_id}/os-keypairs"
_PAIR = f"{_PAIRS}/{{keypair_name}}"


def list_key_pairs(call: Call) -> Reply:
    """6.11.1, by name; in pages from microversion 2.35 on, with names as markers."""
    pairs = key_pairs.of_user(call.project, _owner(call, queries.first(call, "user_id")))
    if not since(call, 35):
        return Reply(200, {"keypairs": [{"keypair": _brief(call, pair)} for pair in pairs]})
    limit = min(queries.whole(call, "limit", queries.MAX_LIMIT), queries.MAX_LIMIT)
    marker = queries.first(call, "marker")
    if marker is not None:
        if all(pair.name != marker for pair in pairs):
            raise invalid(f"marker [{marker}] not found")
        pairs = [pair for pair in pairs if pair.name > marker]
    page = pairs[:limit]
    body: dict[str, Any] = {"keypairs": [{"keypair": _brief(call, pair)} for pair in page]}
    if page and len(page) == limit:
        body["keypairs_links"] = queries.next_links(call, "os-keypairs", page[-1].name)
    return Reply(200, body)


def show_key_pair(call: Call) -> Reply:
    """6.11.2."""
    pair = _found(call)
    row = {
        **_brief(call, pair),
        "user_id": pair.user_id,
        "id": pair.id,
        "created_at": stamps.microseconds(pair.created),
        "updated_at": None,
        "deleted": False,
        "deleted_at": None,
    }
    return Reply(200, {"keypair": row})


def create_key_pair(call: Call) -> Reply:
    """6.11.3: a key is made if none is handed over, and its private half is in this answer only. 201 from 2.2 on, as in Nova."""
    wanted = Fields.of(call.body, "keypair")
    known = {"name", "public_key"} | ({"type"} if since(call, 2) else set()) | ({"user_id"} if since(call, 10) else set())
    unknown = sorted(set(wanted.data) - known)
    # Without microversions Nova ignores what it does not know.
    if unknown and call.microversion is not None:
        raise invalid(f"Additional properties are not allowed ({unknown[0][:64]!r} was unexpected)")
    pair, private_key = key_pairs.create(
        call.world,
        call.project,
        name=wanted.need_text("name"),
        kind=(wanted.choice("type", key_pairs.TYPES) if since(call, 2) else None) or key_pairs.TYPES[0],
        public_key=wanted.text("public_key"),
        user_id=_owner(call, wanted.text("user_id") if since(call, 10) else None),
        cause=cause_of(call),
    )
    row = {**_brief(call, pair), "user_id": pair.user_id}
    if private_key is not None:
        row["private_key"] = private_key
    return Reply(201 if since(call, 2) else 200, {"keypair": row})


def delete_key_pair(call: Call) -> Reply:
    """6.11.4: 204 from 2.2 on, as in Nova."""
    key_pairs.delete(call.world, call.project, _found(call), cause=cause_of(call))
    return Reply(204 if since(call, 2) else 202)


def _found(call: Call) -> KeyPair:
    return key_pairs.find(call.project, _owner(call, queries.first(call, "user_id")), call.path["keypair_name"])


def _owner(call: Call, asked: str | None) -> str:
    """Return whose key pairs are meant: from 2.10 on a user can be named, but only an administrator may name another."""
    if asked is not None and since(call, 10) and asked != call.user_id:
        raise ApiError(403, "Ecs.0005", "Policy doesn't allow the key pairs of another user to be used.", nova=True)
    return call.user_id


def _brief(call: Call, pair: KeyPair) -> dict[str, Any]:
    row: dict[str, Any] = {"name": pair.name, "fingerprint": pair.fingerprint, "public_key": pair.public_key}
    if since(call, 2):
        row["type"] = pair.type
    return row


OPERATIONS = (
    Operation("6.11.1", "listKeyPairs", "GET", _PAIRS, nova(list_key_pairs)),
    Operation("6.11.2", "showKeyPair", "GET", _PAIR, nova(show_key_pair)),
    Operation("6.11.3", "createKeyPair", "POST", _PAIRS, nova(create_key_pair)),
    Operation("6.11.4", "deleteKeyPair", "DELETE", _PAIR, nova(delete_key_pair)),
)
