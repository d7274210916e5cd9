"""ECS API reference 11.2: images. Nova took these away after microversion 2.35."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, queries, stamps
from ecs_simulator.routes.answering import until
from ecs_simulator.world.catalog import Image
from ecs_simulator.world.refusal import Absent

_IMAGES = "/v2.1/{project_id}/images"
_LAST = (2, 35)
_STATUSES = {"queued": "SAVING", "saving": "SAVING", "active": "ACTIVE", "deleted": "DELETED"}


def list_images(call: Call) -> Reply:
    """11.2.1."""
    return _list(call, "images", lambda image: {"id": image.id, "name": image.name, "links": _links(call, image)})


def list_images_details(call: Call) -> Reply:
    """11.2.2: a list under ``images``, where the reference's example shows one object."""
    return _list(call, "images/detail", lambda image: _row(call, image))


def show_image(call: Call) -> Reply:
    """11.2.3."""
    image = call.world.images.get(call.path["image_id"])
    if image is None:
        raise Absent("image", call.path["image_id"], code="Ecs.0031")
    return Reply(200, {"image": _row(call, image)})


def _list(call: Call, path: str, row: Callable[[Image], dict[str, Any]]) -> Reply:
    images = list(call.world.images.values())
    name, status, changed = (queries.first(call, key) for key in ("name", "status", "changes-since"))
    moment = stamps.parse(changed, where="changes-since") if changed is not None else 0.0
    ram, disk = queries.whole(call, "minRam", 0), queries.whole(call, "minDisk", 0)
    images = [
        image
        for image in images
        if name in {None, image.name}
        and (status is None or status.lower() == image.status)
        and image.created >= moment
        and image.min_ram >= ram
        and image.min_disk >= disk
    ]
    page, has_next = queries.page(call, images, default=queries.MAX_LIMIT)
    body: dict[str, Any] = {"images": [row(image) for image in page]}
    if has_next:
        body["images_links"] = queries.next_links(call, path, page[-1].id)
    return Reply(200, body)


def _links(call: Call, image: Image) -> list[dict[str, str]]:
    alternate = f"{links.bookmark(call)}/images/{image.id}"
    return [*links.pair(call, f"images/{image.id}"), {"rel": "alternate", "type": "application/vnd.openstack.image", "href": alternate}]


def _row(call: Call, image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "status": _STATUSES.get(image.status, "UNKNOWN"),
        "progress": 100 if image.status == "active" else 0,
        "minDisk": image.min_disk,
        "minRam": image.min_ram,
        "OS-EXT-IMG-SIZE:size": image.size,
        "created": stamps.seconds(image.created),
        "updated": stamps.seconds(image.created),
        "metadata": dict(image.metadata),
        "links": _links(call, image),
    }


OPERATIONS = (
    Operation("11.2.1", "listImages", "GET", _IMAGES, until(_LAST, list_images)),
    Operation("11.2.2", "listImagesDetails", "GET", f"{_IMAGES}/detail", until(_LAST, list_images_details)),
    Operation("11.2.3", "showImage", "GET", f"{_IMAGES}/{{image_id}}", until(_LAST, show_image)),
)
