"""ECS API reference 11.2: images. Nova took these away after microversion 2.35."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, queries, stamps
from ecs_simulator.routes.answering import cause_of, until
from ecs_simulator.world import images
from ecs_simulator.world.catalog import Image
from ecs_simulator.world.refusal import invalid

_IMAGES = "/v2.1/{project_id}/images"
_IMAGE = f"{_IMAGES}/{{image_id}}"
_LAST = (2, 35)
# Table 11-7, and how far Nova says an image is in each state.
_STATUSES = {"queued": ("SAVING", 25), "saving": ("SAVING", 50), "active": ("ACTIVE", 100), "deleted": ("DELETED", 0)}


def list_images(call: Call) -> Reply:
    """11.2.1."""
    return _list(call, "images", lambda image: {"id": image.id, "name": image.name, "links": _links(call, image)})


def list_images_details(call: Call) -> Reply:
    """11.2.2: a list under ``images``, where the reference's example shows one object."""
    return _list(call, "images/detail", lambda image: _row(call, image))


def show_image(call: Call) -> Reply:
    """11.2.3."""
    return Reply(200, {"image": _row(call, _image(call))})


def show_image_metadata(call: Call) -> Reply:
    """11.2.4."""
    return Reply(200, {"metadata": dict(_image(call).metadata)})


def delete_image(call: Call) -> Reply:
    """11.2.5. Public images are not the project's to delete: 403."""
    images.delete(call.world, call.project, _image(call), cause=cause_of(call))
    return Reply(204)


def _image(call: Call) -> Image:
    return images.find(call.world, call.project, call.path["image_id"])


def _list(call: Call, path: str, row: Callable[[Image], dict[str, Any]]) -> Reply:
    name, status, changed = (queries.first(call, key) for key in ("name", "status", "changes-since"))
    if status is not None and status.lower() == "deleted":
        raise invalid("status deleted cannot be asked for")
    moment = stamps.parse(changed, where="changes-since") if changed is not None else 0.0
    ram, disk = queries.whole(call, "minRam", 0), queries.whole(call, "minDisk", 0)
    found = [
        image
        for image in images.seen(call.world, call.project)
        if name in {None, image.name}
        and (status is None or status.lower() == image.status)
        and _updated(image) >= moment
        and image.min_ram >= ram
        and image.min_disk >= disk
    ]
    page, has_next = queries.page(call, found, default=queries.MAX_LIMIT)
    body: dict[str, Any] = {"images": [row(image) for image in page]}
    if has_next:
        body["images_links"] = queries.next_links(call, path, page[-1].id)
    return Reply(200, body)


def _updated(image: Image) -> float:
    return image.created if image.updated is None else image.updated


def _links(call: Call, image: Image) -> list[dict[str, str]]:
    alternate = f"{links.bookmark(call)}/images/{image.id}"
    return [*links.pair(call, f"images/{image.id}"), {"rel": "alternate", "type": "application/vnd.openstack.image", "href": alternate}]


def _row(call: Call, image: Image) -> dict[str, Any]:
    status, progress = _STATUSES.get(image.status, ("UNKNOWN", 0))
    row = {
        "id": image.id,
        "name": image.name,
        "status": status,
        "progress": progress,
        "minDisk": image.min_disk,
        "minRam": image.min_ram,
        "OS-EXT-IMG-SIZE:size": image.size,
        "created": stamps.seconds(image.created),
        "updated": stamps.seconds(_updated(image)),
        "metadata": dict(image.metadata),
        "links": _links(call, image),
    }
    if image.server_id is not None:
        row["server"] = {"id": image.server_id, "links": links.pair(call, f"servers/{image.server_id}")}
    return row


OPERATIONS = (
    Operation("11.2.1", "listImages", "GET", _IMAGES, until(_LAST, list_images)),
    Operation("11.2.2", "listImagesDetails", "GET", f"{_IMAGES}/detail", until(_LAST, list_images_details)),
    Operation("11.2.3", "showImage", "GET", _IMAGE, until(_LAST, show_image)),
    Operation("11.2.4", "showImageMetadata", "GET", f"{_IMAGE}/metadata", until(_LAST, show_image_metadata)),
    Operation("11.2.5", "deleteImage", "DELETE", _IMAGE, until(_LAST, delete_image)),
)
