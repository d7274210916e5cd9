"""ECS API reference 6.6: flavors, native."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import links, queries
from ecs_simulator.routes.answering import nova
from ecs_simulator.world.catalog import Flavor
from ecs_simulator.world.refusal import invalid

_FLAVORS = "/v2.1/{project_id}/flavors"
_FLAVOR = f"{_FLAVORS}/{{flavor_id}}"
_SORT_KEYS: MappingProxyType[str, Callable[[Flavor], Any]] = MappingProxyType(
    {
        "flavorid": lambda flavor: flavor.id,
        "name": lambda flavor: flavor.id,
        "memory_mb": lambda flavor: flavor.ram,
        "vcpus": lambda flavor: flavor.vcpus,
        "root_gb": lambda _: 0,
    }
)


def list_flavors(call: Call) -> Reply:
    """6.6.1."""
    return _list(call, "flavors", lambda flavor: {"id": flavor.id, "name": flavor.id, "links": _links(call, flavor)})


def list_flavors_details(call: Call) -> Reply:
    """6.6.2."""
    return _list(call, "flavors/detail", lambda flavor: _row(call, flavor))


def show_flavor(call: Call) -> Reply:
    """6.6.3."""
    return Reply(200, {"flavor": _row(call, _found(call))})


def list_extra_specs(call: Call) -> Reply:
    """6.6.4."""
    return Reply(200, {"extra_specs": _found(call).extra_specs(call.world.zones)})


def _list(call: Call, path: str, row: Callable[[Flavor], dict[str, Any]]) -> Reply:
    key, direction = queries.first(call, "sort_key") or "flavorid", queries.first(call, "sort_dir") or "asc"
    if key not in _SORT_KEYS or direction not in {"asc", "desc"}:
        raise invalid(f"sort_key must be one of {', '.join(_SORT_KEYS)}, sort_dir asc or desc")
    least = queries.whole(call, "minRam", 0)
    # No flavor brings a disk of its own, so any minimum leaves none.
    flavors = [each for each in call.world.flavors.values() if each.ram >= least and not queries.whole(call, "minDisk", 0)]
    flavors.sort(key=_SORT_KEYS[key], reverse=direction == "desc")
    page, has_next = queries.page(call, flavors, default=queries.MAX_LIMIT)
    body: dict[str, Any] = {"flavors": [row(flavor) for flavor in page]}
    if has_next:
        body["flavors_links"] = queries.next_links(call, path, page[-1].id)
    return Reply(200, body)


def _found(call: Call) -> Flavor:
    flavor = call.world.flavors.get(call.path["flavor_id"])
    if flavor is None:
        raise ApiError(404, "Ecs.0029", f"Flavor {call.path['flavor_id']} could not be found.", nova=True)
    return flavor


def _links(call: Call, flavor: Flavor) -> list[dict[str, str]]:
    return links.pair(call, f"flavors/{flavor.id}")


def _row(call: Call, flavor: Flavor) -> dict[str, Any]:
    return {
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": 0,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "rxtx_factor": 1.0,
        "os-flavor-access:is_public": True,
        "links": _links(call, flavor),
    }


OPERATIONS = (
    Operation("6.6.1", "listFlavors", "GET", _FLAVORS, nova(list_flavors)),
    Operation("6.6.2", "listFlavorsDetails", "GET", f"{_FLAVORS}/detail", nova(list_flavors_details)),
    Operation("6.6.3", "showFlavor", "GET", _FLAVOR, nova(show_flavor)),
    Operation("6.6.4", "listFlavorExtraSpecs", "GET", f"{_FLAVOR}/os-extra_specs", nova(list_extra_specs)),
)
