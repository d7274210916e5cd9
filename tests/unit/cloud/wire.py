"""What a method puts on the wire: the form of a case, and the answers and bodies that many cases share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from pydantic import SecretStr

from ecs_operator.cloud import (
    EcsClient,
    NativeCreate,
    NativeDisk,
    NativeNetwork,
    SchedulerHints,
)
from tests.unit.cloud.stage import PROJECT, SERVER, UUID

JOB = {"job_id": "ff80808288d41e1b018990260955686a"}
SHOWN = {"server": {"id": SERVER, "metadata": {}}}
V1, V2 = f"/v1/{PROJECT}/cloudservers", f"/v2.1/{PROJECT}"
ACTION, RECOVERY = f"{V2}/servers/{SERVER}/action", f"{V1}/{SERVER}/autorecovery"
BATCH = [{"id": SERVER}]
INTERFACE = {"interfaceAttachment": {"port_id": "p"}}
FLOATING_IP = {"floating_ip": {"id": "f"}}
QUOTAS = {"quota_set": {"id": PROJECT, "instances": 20}}
GROUP = {"server_group": {"id": "g", "name": "n", "policies": ["anti-affinity"], "members": [], "metadata": {}}}


async def _all(items: AsyncIterator[object]) -> list[object]:
    return [item async for item in items]


NATIVE = NativeCreate(
    name="n",
    flavor_ref="s3.large.2",
    image_ref=UUID,
    networks=(NativeNetwork(uuid=UUID, fixed_ip="10.0.0.9"), NativeNetwork(port=UUID)),
    disks=(NativeDisk(source_type="blank", volume_size=10, delete_on_termination=True),),
    security_groups=("web",),
    metadata={"k": "v"},
    admin_pass=SecretStr("Str0ng-Passw0rd"),
    user_data=SecretStr("eA=="),
    description="d",
    scheduler_hints=SchedulerHints(group=UUID),
)


@dataclass(frozen=True)
class Case:
    section: str
    call: Callable[[EcsClient], Awaitable[object]]
    method: str
    path: str
    body: object = None
    query: str = ""
    reply: object = None
