"""The filters and orders of server lists (ECS API reference, tables 6-31 and 6-36)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
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
        "auto_disk_config": lambda _: 0,
        "availability_zone": lambda server: server.zone,
        "display_name": lambda server: server.name,
        "display_description": lambda server: server.description,
        "host": lambda server: server.host,
        "host_name": lambda server: server.name.lower(),
        "image_ref": lambda server: server.image_id,
        "instance_type_id": lambda server: server.flavor_id,
        "kernel_id": lambda _: "",
        "key_name": lambda server: server.key_name or "",
        "launch_index": lambda server: server.launch_index,
        "launched_at": lambda server: server.launched or 0.0,
        "locked_by": lambda server: "owner" if server.locked else "",
        "node": lambda server: server.host,
        "power_state": lambda server: server.power_state,
        "project_id": lambda server: server.project_id,
        "ramdisk_id": lambda _: "",
        "reservation_id": lambda server: server.reservation_id,
        "root_device_name": lambda _: "/dev/vda",
        "task_state": lambda server: server.task_state or "",
        "terminated_at": lambda server: server.terminated or 0.0,
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
    return _sorted(call, servers)


def _sorted(call: Call, servers: list[Server]) -> list[Server]:
    """Return servers in the order of the sort keys, the first of them counting most; each goes down unless its direction says otherwise."""
    keys = [key for key in call.query.get("sort_key", ()) if key] or ["created_at"]
    directions = [direction for direction in call.query.get("sort_dir", ()) if direction]
    for key in keys:
        if key not in _SORT_KEYS:
            raise invalid(f"sort_key {key[:64]!r} is not one of {', '.join(_SORT_KEYS)}")
    for direction in directions:
        if direction not in {"asc", "desc"}:
            raise invalid(f"sort_dir {direction[:64]!r} is neither asc nor desc")
    if keys == ["created_at"]:
        # They come newest first already, also those of one moment.
        return servers if directions[:1] != ["asc"] else servers[::-1]
    for key, direction in reversed([*zip_longest(keys, directions[: len(keys)], fillvalue="desc")]):
        servers = sorted(servers, key=_SORT_KEYS[key], reverse=direction != "asc")
    return servers


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
    wanted, some = _tags(call, "tags"), _tags(call, "tags-any")
    unwanted, none = _tags(call, "not-tags"), _tags(call, "not-tags-any")
    if wanted:
        filters.append(lambda server: wanted <= set(server.tags))
    if some:
        filters.append(lambda server: not some.isdisjoint(server.tags))
    if unwanted:
        filters.append(lambda server: not unwanted <= set(server.tags))
    if none:
        filters.append(lambda server: none.isdisjoint(server.tags))
    return filters


def _tags(call: Call, name: str) -> frozenset[str]:
    """Return the tags of a filter. The reference has ``tags`` and ``not-tags`` (table 6-36), Nova the other two as well."""
    text = queries.first(call, name)
    return frozenset(text.split(",")) if text is not None else frozenset()
