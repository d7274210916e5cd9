"""ECS API reference 5.4: flavors with their extra specs."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, queries
from ecs_simulator.routes.answering import ecs
from ecs_simulator.world.catalog import Flavor


def list_flavors(call: Call) -> Reply:
    """5.4.1. With a zone only the flavors that can be had there."""
    zone = queries.first(call, "availability_zone")
    flavors = list(call.world.flavors.values())
    if zone is not None:
        flavors = [flavor for flavor in flavors if zone in call.world.zones and flavor.is_sold_in(zone)]
    return Reply(200, {"flavors": [_row(call, flavor) for flavor in flavors]})


def _row(call: Call, flavor: Flavor) -> dict[str, Any]:
    base = links.root(call)
    return {
        "id": flavor.id,
        "name": flavor.id,
        "vcpus": str(flavor.vcpus),
        "ram": flavor.ram,
        "disk": "0",
        "swap": "",
        "links": [
            {"rel": "self", "href": f"{base}/v1.0/{call.project.id}/flavors/{flavor.id}", "type": None},
            {"rel": "bookmark", "href": f"{base}/{call.project.id}/flavors/{flavor.id}", "type": None},
        ],
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "rxtx_factor": 1.0,
        "OS-FLV-DISABLED:disabled": False,
        "rxtx_quota": None,
        "rxtx_cap": None,
        "os-flavor-access:is_public": True,
        "os_extra_specs": flavor.extra_specs(call.world.zones),
    }


OPERATIONS = (Operation("5.4.1", "listFlavorsSold", "GET", "/v1/{project_id}/cloudservers/flavors", ecs(list_flavors)),)
