"""What a spec wants on the system disk, and where it wants the server, as values that can be compared with what was done. Pure."""

from __future__ import annotations

from ecs_operator.api.server import Applied, GroupPin, Installation, InstalledDataRef, Placement, ServerSpec
from ecs_operator.resources.server.interfaces import requested
from ecs_operator.resources.server.origin import origin_of
from ecs_operator.resources.server.public_address import requested_address


def wanted_installation(spec: ServerSpec, *, image_id: str | None) -> Installation:
    """What the spec wants installed. ``image_id``: of the image it names."""
    data = spec.user_data_ref
    return Installation(
        image_id=image_id,
        image_name=spec.image.name,
        key_pair_name=spec.key_pair_name,
        admin_password_secret_ref=spec.admin_password_secret_ref,
        user_data_ref=InstalledDataRef(secret=data.secret, config_map=data.config_map) if data is not None else None,
    )


def placed(spec: ServerSpec) -> Placement:
    """Where the spec wants the server."""
    if spec.scheduling is None or spec.scheduling.tenancy == "shared":
        return Placement(tenancy="shared")
    return Placement(tenancy="dedicated", dedicated_host_id=spec.scheduling.dedicated_host_id)


def at_creation(spec: ServerSpec, *, image_id: str, group_id: str | None) -> Applied:
    """What a server has because it is created with it."""
    group = group_pin(spec, group_id) if group_id is not None else None
    return Applied(
        installed=wanted_installation(spec, image_id=image_id),
        placement=placed(spec),
        server_group=group,
        interfaces=requested(spec),
        public_ip=requested_address(spec),
        origin=origin_of(spec),
    )


def group_pin(spec: ServerSpec, group_id: str) -> GroupPin:
    """A group with the reference that led to it."""
    return GroupPin(id=group_id, name=spec.server_group_ref.name if spec.server_group_ref is not None else None)


def same_installation(one: Installation, other: Installation) -> bool:
    """The same disk comes of both: how the image was named makes no difference."""
    return one.model_copy(update={"image_name": None}) == other.model_copy(update={"image_name": None})


def image_text(installation: Installation, image_id: str | None) -> str:
    """An image for people: by the name it was resolved from, if it is that one."""
    named = installation.image_name if installation.image_id == image_id else None
    return f"{named} ({image_id})" if named else image_id or ""
