"""Renders the create call: spec and resolved values to the body of ECS API reference 5.1.1, and the same body again from its stored form.

The stored form has no secret, no user data and no marker. Where a secret belongs stands ``null``, so the body can be rendered again
without asking the cloud anything.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from ecs_operator.api.server import DataVolume, PublicIp, ServerSpec
from ecs_operator.cloud import CreateServers, SchedulerHints, SecurityGroup
from ecs_operator.cloud.models import create as body
from ecs_operator.resources.ownership import MARKER_KEY

WINDOWS_PASSWORD_KEY = "admin_pass"  # noqa: S105 - a metadata key (table 8-8)
AGENCY_KEY = "agency_name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the body holds and no record may. ``user_data`` is as it was written, not encoded."""

    password: str | None = field(default=None, repr=False)
    user_data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What the spec only refers to."""

    name: str
    image_id: str
    is_windows: bool = False
    group_id: str | None = None
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    secret_versions: dict[str, str] = field(default_factory=dict)
    """resourceVersion of each Secret or ConfigMap, by the spec field that names it."""


def render(spec: ServerSpec, resolved: Resolved, *, marker: str) -> CreateServers:
    """The request of one server. Raises CloudError (not sent, invalid) that names the field when a value breaks a documented limit."""
    password = resolved.secrets.password
    metadata = {**spec.metadata, MARKER_KEY: marker}
    if spec.agency_name:
        metadata[AGENCY_KEY] = spec.agency_name
    if password is not None and resolved.is_windows:
        metadata[WINDOWS_PASSWORD_KEY] = password
    return CreateServers(
        name=resolved.name,
        description=spec.description or None,
        image_ref=resolved.image_id,
        flavor_ref=spec.flavor,
        availability_zone=spec.availability_zone,
        vpc_id=spec.vpc_id,
        nics=tuple(
            body.Nic(
                subnet_id=nic.subnet_id,
                ip_address=nic.ip_address,
                extra_dhcp_opts=(body.DhcpOption(opt_value=nic.mtu),) if nic.mtu is not None else None,
            )
            for nic in spec.network_interfaces
        ),
        security_groups=tuple(SecurityGroup(id=group) for group in spec.security_group_ids) if spec.security_group_ids else None,
        public_ip=_public_ip(spec.public_ip) if spec.public_ip else None,
        root_volume=body.RootVolume(
            volumetype=spec.root_volume.type,
            size=spec.root_volume.size_gib,
            passthrough=spec.root_volume.scsi or None,
            cluster_type="DSS" if spec.root_volume.storage_pool_id else None,
            cluster_id=spec.root_volume.storage_pool_id,
        ),
        data_volumes=tuple(map(_data_volume, spec.data_volumes)) or None,
        key_name=spec.key_pair_name,
        admin_pass=password if password is not None and not resolved.is_windows else None,
        user_data=encoded(resolved.secrets.user_data) if resolved.secrets.user_data is not None else None,
        metadata=metadata,
        scheduler_hints=_hints(spec, resolved.group_id),
        count=1,
    )


def stored(request: CreateServers) -> str:
    """The body as it may stand in the status."""
    server: dict[str, Any] = json.loads(request.body())["server"]
    metadata = {key: None if key == WINDOWS_PASSWORD_KEY else value for key, value in server["metadata"].items() if key != MARKER_KEY}
    server["metadata"] = metadata
    for hidden in ("adminPass", "user_data"):
        if hidden in server:
            server[hidden] = None
    return json.dumps({"server": server}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def render_again(text: str, secrets: Secrets, *, marker: str) -> CreateServers | None:
    """The request from its stored form; None when a secret it needs is not there. Whether it is the same the digest tells."""
    server: dict[str, Any] = json.loads(text)["server"]
    metadata = {**server["metadata"], MARKER_KEY: marker}
    if WINDOWS_PASSWORD_KEY in metadata:
        metadata[WINDOWS_PASSWORD_KEY] = secrets.password
    server["metadata"] = metadata
    if "adminPass" in server:
        server["adminPass"] = secrets.password
    if "user_data" in server:
        server["user_data"] = encoded(secrets.user_data) if secrets.user_data is not None else None
    missing = metadata.get(WINDOWS_PASSWORD_KEY, "") is None or any(server.get(name, "") is None for name in ("adminPass", "user_data"))
    return None if missing else CreateServers(**server)


def encoded(user_data: bytes) -> str:
    """User data as they travel."""
    return base64.b64encode(user_data).decode()


def _public_ip(wanted: PublicIp) -> body.PublicIp:
    eip = None
    if wanted.allocate is not None:
        bandwidth = wanted.allocate.bandwidth
        eip = body.Eip(
            iptype=wanted.allocate.type,
            bandwidth=body.Bandwidth(size=bandwidth.size_mbps, sharetype=bandwidth.share_type, chargemode=bandwidth.charge_mode),
        )
    return body.PublicIp(id=wanted.id, eip=eip, delete_on_termination=wanted.released_with_server)


def _data_volume(volume: DataVolume) -> body.DataVolume:
    encryption = {"__system__encrypted": "1", "__system__cmkid": volume.encryption_key_id} if volume.encryption_key_id else None
    return body.DataVolume(
        volumetype=volume.type,
        size=volume.size_gib,
        passthrough=volume.scsi or None,
        cluster_type="DSS" if volume.storage_pool_id else None,
        cluster_id=volume.storage_pool_id,
        data_image_id=volume.data_image_id,
        metadata=encryption,
    )


def _hints(spec: ServerSpec, group_id: str | None) -> SchedulerHints | None:
    scheduling = spec.scheduling
    if group_id is None and scheduling is None:
        return None
    return SchedulerHints(
        group=group_id,
        tenancy=scheduling.tenancy if scheduling else None,
        dedicated_host_id=scheduling.dedicated_host_id if scheduling else None,
    )
