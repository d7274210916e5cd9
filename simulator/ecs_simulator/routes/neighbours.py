"""The services of images and volumes beside this API: what programs read of them before they name an image or a volume to it.

Reading only, of the same images and volumes as 11.2 and 11.4, in the forms of Glance's second and Cinder's third version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import links, queries, stamps
from ecs_simulator.routes.answering import nova
from ecs_simulator.world import images, volumes
from ecs_simulator.world.catalog import Image
from ecs_simulator.world.resources import Volume

_IMAGES = "/image/v2/images"
_VOLUMES = "/volume/v3/{project_id}/volumes"
_FILTERS: dict[str, Callable[[Image], str]] = {
    "id": lambda image: image.id,
    "name": lambda image: image.name,
    "status": lambda image: image.status,
    "visibility": lambda image: "public" if image.project_id is None else "private",
}


def list_image_versions(call: Call) -> Reply:
    """The versions of the service; there is one."""
    version = {"id": "v2.9", "status": "CURRENT", "links": [{"rel": "self", "href": f"{links.root(call)}/image/v2/"}]}
    return Reply(200, {"versions": [version]})


def find_images(call: Call) -> Reply:
    """Images by name, status or visibility, in pages."""
    found = images.seen(call.world, call.project)
    for name, value_of in _FILTERS.items():
        wanted = queries.first(call, name)
        if wanted is not None and wanted != "all":
            found = [image for image in found if wanted in {value_of(image), f"in:{value_of(image)}"}]
    page, has_next = queries.page(call, found)
    body: dict[str, Any] = {"images": [_image(image) for image in page], "first": "/v2/images", "schema": "/v2/schemas/images"}
    if has_next:
        body["next"] = f"/v2/images?marker={page[-1].id}"
    return Reply(200, body)


def get_image(call: Call) -> Reply:
    """One image."""
    return Reply(200, _image(images.find(call.world, call.project, call.path["image_id"])))


def list_volume_versions(call: Call) -> Reply:
    """The versions of the service; there is one, without microversions."""
    link = {"rel": "self", "href": f"{links.root(call)}/volume/v3/"}
    return Reply(200, {"versions": [{"id": "v3.0", "status": "CURRENT", "version": "3.0", "min_version": "3.0", "links": [link]}]})


def find_volumes(call: Call) -> Reply:
    """Volumes by name or status, in pages."""
    name, status = queries.first(call, "name"), queries.first(call, "status")
    found = [each for each in call.project.volumes.values() if name in {None, each.name} and status in {None, each.status}]
    page, has_next = queries.page(call, found, default=queries.MAX_LIMIT)
    body: dict[str, Any] = {"volumes": [_volume(call, volume) for volume in page]}
    if has_next:
        href = f"{links.root(call)}/volume/v3/{call.project.id}/volumes/detail?marker={page[-1].id}"
        body["volumes_links"] = [{"rel": "next", "href": href}]
    return Reply(200, body)


def get_volume(call: Call) -> Reply:
    """One volume."""
    return Reply(200, {"volume": _volume(call, volumes.volume(call.project, call.path["volume_id"]))})


def _image(image: Image) -> dict[str, Any]:
    return {
        "id": image.id,
        "name": image.name,
        "status": image.status,
        "visibility": _FILTERS["visibility"](image),
        "owner": image.project_id,
        "min_disk": image.min_disk,
        "min_ram": image.min_ram,
        "size": image.size,
        "disk_format": "qcow2",
        "container_format": "bare",
        "protected": image.project_id is None,
        "tags": [],
        "created_at": stamps.seconds(image.created),
        "updated_at": stamps.seconds(image.updated or image.created),
        "self": f"/v2/images/{image.id}",
        "file": f"/v2/images/{image.id}/file",
        "schema": "/v2/schemas/image",
        **image.metadata,
    }


def _volume(call: Call, volume: Volume) -> dict[str, Any]:
    place = volume.attachment
    attachments = []
    if place is not None:
        attachments = [{"id": volume.id, "volume_id": volume.id, "server_id": place.server_id, "device": place.device, "host_name": None}]
    return {
        "id": volume.id,
        "name": volume.name,
        "description": volume.description,
        "status": volume.status,
        "size": volume.size,
        "volume_type": volume.type,
        "availability_zone": volume.zone,
        "bootable": str(volume.bootable).lower(),
        "encrypted": volume.metadata.get("__system__encrypted") == "1",
        "multiattach": False,
        "snapshot_id": volume.snapshot_id,
        "source_volid": None,
        "metadata": dict(volume.metadata),
        "attachments": attachments,
        "user_id": call.user_id,
        "os-vol-tenant-attr:tenant_id": volume.project_id,
        "created_at": stamps.microseconds(volume.created),
        "links": [{"rel": "self", "href": f"{links.root(call)}/volume/v3/{volume.project_id}/volumes/{volume.id}"}],
    }


OPERATIONS = (
    Operation("11.2", "listImageVersions", "GET", "/image", nova(list_image_versions)),
    Operation("11.2", "findImages", "GET", _IMAGES, nova(find_images)),
    Operation("11.2", "getImage", "GET", f"{_IMAGES}/{{image_id}}", nova(get_image)),
    Operation("11.4", "listVolumeVersions", "GET", "/volume", nova(list_volume_versions)),
    Operation("11.4", "findVolumes", "GET", f"{_VOLUMES}/detail", nova(find_volumes)),
    Operation("11.4", "getVolume", "GET", f"{_VOLUMES}/{{volume_id}}", nova(get_volume)),
)
