"""Images as something to run: who may use one where, and what a server's metadata says about it (ECS API reference 11.2, table 8-17)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world.catalog import Flavor, Image
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def seen(world: World, project: Project) -> list[Image]:
    """Return the images a project sees, in the order they came to be."""
    return [image for image in world.images.values() if image.is_seen_by(project.id)]


def find(world: World, project: Project, image_id: str) -> Image:
    """Return an image the project sees; Absent (Ecs.0031) if there is none of this id."""
    image = world.images.get(image_id)
    if image is None or not image.is_seen_by(project.id):
        raise Absent("image", image_id, code="Ecs.0031")
    return image


def usable(world: World, project: Project, image_id: str, *, zone: str | None) -> Image:
    """Return an image that a server in this zone can run; None is any zone.

    Refused: one that is not there or is another project's (Ecs.0031), is not active (Ecs.0032), or was made of a server in another zone
    (6.3.7).
    """
    image = world.images.get(image_id)
    if image is None or not image.is_seen_by(project.id):
        raise invalid(f"The image {image_id} does not exist.", "Ecs.0031")
    if image.status != "active":
        raise Refusal("Ecs.0032", f"The image {image.id} is not in Active state.")
    if image.zone is not None and zone is not None and image.zone != zone:
        raise invalid(f"The image {image.id} was made of a server in {image.zone} and can be used there only, not in {zone}.")
    return image


def usable_for_data(world: World, project: Project, image_id: str, *, place: str) -> Image:
    """Return an image that a data disk can be made of; refused: unknown (Ecs.0031), or made of a server (6.3.7)."""
    image = world.images.get(image_id)
    if image is None or not image.is_seen_by(project.id):
        raise invalid(f"{place} {image_id} does not exist.", "Ecs.0031")
    if image.server_id is not None:
        raise invalid(f"{place} {image_id} was made of a server; no data disk can be made of it.")
    return image


def require_fit(image: Image, *, flavor: Flavor, disk: Volume | None = None) -> None:
    """Refuse an image that needs more memory than the flavor has (Ecs.0007), or a greater system disk than there is."""
    if image.min_ram > flavor.ram:
        raise invalid(f"The image {image.id} needs {image.min_ram} MB of memory, flavor {flavor.id} has {flavor.ram}.", "Ecs.0007")
    if disk is not None and image.min_disk > disk.size:
        raise invalid(f"The image {image.id} needs a system disk of {image.min_disk} GB, the disk {disk.id} has {disk.size}.")


def system_pairs(image: Image) -> dict[str, str]:
    """Return what the cloud writes about an image into the metadata of the servers that run it."""
    return {
        "metering.image_id": image.id,
        "metering.imagetype": "gold" if image.project_id is None else "private",
        "image_name": image.name,
        "os_bit": image.metadata.get("__os_bit", "64"),
        "os_type": image.os_type,
    }


def delete(world: World, project: Project, image: Image, *, cause: Cause) -> None:
    """Delete an image of the project's own; refused for a public one (Ecs.0110). The snapshot behind it stays (6.3.7)."""
    if image.project_id != project.id:
        raise Refusal("Ecs.0110", f"The image {image.id} is public; only its owner may delete it.")
    del world.images[image.id]
    world.record_resource(project, "delete", "image", image.id, cause, name=image.name)
