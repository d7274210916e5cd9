"""The filters and orders of server lists (ECS API reference, tables 6-31 and 6-36)."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from ecs_simulator.call import Call
from ecs_simulator.routes import queries, stamps
from ecs_simulator.routes.answering import since
from ecs_simulator.world import visibility
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.resources import Server

STATUSES = frozenset(
    {"ACTIVE", "BUILD", "ERROR", "HARD_REBOOT", "MIGRATING", "REBOOT", "REBUILD", "RESIZE", "REVERT_RESIZE", "SHUTOFF", "VERIFY_RESIZE"}
)

_SORT_KEYS: MappingProxyType[str, Callable[[Server], Any]] = MappingProxyType(
    {
        "created_at": lambda server: server.created,
        "updated_at": lambda server: server.updated,
        "availability_zone": lambda server: server.zone,
        "display_name": lambda server: server.name,
        "display_description": lambda server: server.description,
        "host": lambda server: server.host,
        "image_ref": lambda server: server.image_id,
        "instance_type_id": lambda server: server.flavor_id,
        "key_name": lambda server: server.key_name or "",
        "launch_index": lambda server: server.launch_index,
        "launched_at": lambda server: server.launched or 0.0,
        "power_state": lambda server: server.power_state,
        "project_id": lambda server: server.project_id,
        "reservation_id": lambda server: server.reservation_id,
        "task_state": lambda server: server.task_state or "",
        "user_id": lambda server: server.user_id,
        "uuid": lambda server: server.id,
        "vm_state": lambda server: server.vm_state,
    }
)


def select(call: Call) -> list[Server]:
    """Return the servers a list is about, in its order, all pages of them."""
    image = queries.first(call, "image")
    if image is not None:
        # It excludes all other filters, and paging too.
        return [server for server in visibility.listed(call.world, call.project) if server.image_id == image]
    changed = queries.first(call, "changes-since")
    moment = stamps.parse(changed, where="changes-since") if changed is not None else None
    servers = visibility.listed(call.world, call.project, changes_since=moment)
    for holds in _filters(call):
        servers = [server for server in servers if holds(server)]
    key = queries.first(call, "sort_key")
    if key is None:
        return servers if queries.first(call, "sort_dir") != "asc" else servers[::-1]
    if key not in _SORT_KEYS:
        raise invalid(f"sort_key {key!r} is not one of {', '.join(_SORT_KEYS)}")
    return sorted(servers, key=_SORT_KEYS[key], reverse=queries.first(call, "sort_dir") != "asc")


def _filters(call: Call) -> list[Callable[[Server], bool]]:
    filters: list[Callable[[Server], bool]] = []
    name, flavor = queries.first(call, "name"), queries.first(call, "flavor")
    if name is not None:
        filters.append(lambda server: name.lower() in server.name.lower())
    if flavor is not None:
        filters.append(lambda server: flavor in server.flavor_id)
    reservation = queries.first(call, "reservation_id")
    if reservation is not None:
        filters.append(lambda server: server.reservation_id == reservation)
    status = queries.first(call, "status")
    if status is not None:
        filters.append(_status_filter(call, status.upper()))
    address = queries.first(call, "ip")
    if address is not None:
        ports = call.project.ports
        filters.append(lambda server: any(address in ports[port_id].address for port_id in server.port_ids if port_id in ports))
    if since(call, 26):
        filters.extend(_tag_filters(call))
    return filters


def _status_filter(call: Call, status: str) -> Callable[[Server], bool]:
    if status not in STATUSES and since(call, 38):
        raise invalid(f"Invalid filter value for status: {status}")
    return lambda server: status in STATUSES and server.status == status


def _tag_filters(call: Call) -> list[Callable[[Server], bool]]:
    filters: list[Callable[[Server], bool]] = []
    wanted, unwanted = queries.first(call, "tags"), queries.first(call, "not-tags")
    if wanted is not None:
        tags = set(wanted.split(","))
        filters.append(lambda server: tags <= set(server.tags))
    if unwanted is not None:
        others = set(unwanted.split(","))
        filters.append(lambda server: not others <= set(server.tags))
    return filters
