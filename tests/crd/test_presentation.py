"""What kubectl shows: columns, explanations, filters, categories."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_operator.api.crds import CUSTOM_RESOURCES, CustomResource
from ecs_operator.api.group import KINDS
from tests.crd.manifests import PLURALS, manifest, text

pytestmark = pytest.mark.asyncio(loop_scope="session")

_READY = {"type": "Ready", "status": "True", "reason": "StoppedAsDesired", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}
_UUID = "2c1b5d1e-0000-4000-8000-000000000001"
# As long as the values get in practice.
_STATUSES: dict[str, dict[str, object]] = {
    "EcsProject": {"projectId": "9a56640e5503b8dc39231cdb52a0f3e2"},
    "EcsServer": {
        "id": _UUID,
        "serverStatus": "VERIFY_RESIZE",
        "powerState": "Shutdown",
        "privateIp": "192.168.100.200",
        "flavor": "s3.2xlarge.2",
    },
    "EcsServerGroup": {"id": _UUID},
    "EcsVolumeAttachment": {"serverId": _UUID, "device": "/dev/vdaa", "sizeGiB": 32768},
}
_HEADERS = {
    "EcsProject": ["NAME", "READY", "REGION", "DEFAULT", "PROJECT", "AGE"],
    "EcsServer": ["NAME", "READY", "STATUS", "POWER", "IP", "FLAVOR", "AGE"],
    "EcsServerGroup": ["NAME", "READY", "POLICY", "ID", "AGE"],
    "EcsVolumeAttachment": ["NAME", "READY", "VOLUME", "DEVICE", "GIB", "AGE"],
}
_WIDE = {
    "EcsProject": ["ENDPOINT", "USED", "LIMIT", "REASON", "MESSAGE"],
    "EcsServer": ["ID", "ZONE", "PUBLIC-IP", "TASK", "JOB", "DRIFT", "REASON", "MESSAGE"],
    "EcsServerGroup": ["REASON", "MESSAGE"],
    "EcsVolumeAttachment": ["SERVER", "JOB", "REASON", "MESSAGE"],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shown(served: ControlPlane) -> AsyncIterator[str]:
    """One object of each kind with a status, all of this name."""
    name = f"front-end-{secrets.token_hex(4)}"
    for kind, status in _STATUSES.items():
        await served.kubectl("create", "-f", "-", stdin=text(manifest(kind, name=name, patch={})))
        patch = json.dumps({"status": {**status, "conditions": [_READY]}})
        await served.kubectl("patch", PLURALS[kind], name, "--subresource=status", "--type=merge", "-p", patch)
    yield name
    await served.kubectl("delete", ",".join(PLURALS.values()), name, "--wait=false")


@pytest.mark.parametrize("kind", list(PLURALS))
async def test_columns(served: ControlPlane, shown: str, kind: str) -> None:
    table = (await served.kubectl("get", PLURALS[kind], shown)).splitlines()
    assert table[0].split() == _HEADERS[kind]
    assert table[1].split()[1] == "True"
    assert max(len(line) for line in table) <= 120, table
    wide = (await served.kubectl("get", PLURALS[kind], shown, "-o", "wide")).splitlines()[0].split()
    assert wide == [*_HEADERS[kind][:-1], *_WIDE[kind], "AGE"]


async def test_all_kinds_together(served: ControlPlane, shown: str) -> None:
    listed = await served.kubectl("get", "ecs", "-o", "name")
    assert {f"{names.kind.lower()}.ecs.huaweicloud.com/{shown}" for names in KINDS} <= set(listed.split())


@pytest.mark.parametrize("names", KINDS, ids=lambda names: names.kind)
async def test_short_name(served: ControlPlane, shown: str, names: object) -> None:
    short = names.short  # type: ignore[attr-defined]
    assert (await served.kubectl("get", short, shown, "-o", "name")).strip().endswith(f"/{shown}")


@pytest.mark.parametrize(
    ("plural", "selector"),
    [
        ("ecsservers", "spec.flavor=s3.large.2,status.serverStatus=VERIFY_RESIZE"),
        ("ecsservers", f"status.id={_UUID}"),
        ("ecsprojects", "spec.region=eu-west-0"),
        ("ecsservergroups", f"status.id={_UUID}"),
        ("ecsvolumeattachments", f"status.serverId={_UUID}"),
    ],
)
async def test_field_selector(served: ControlPlane, shown: str, plural: str, selector: str) -> None:
    assert shown in await served.kubectl("get", plural, "-o", "name", f"--field-selector={selector}")
    other = selector.rsplit("=", 1)[0] + "=other"
    assert shown not in await served.kubectl("get", plural, "-o", "name", f"--field-selector={other}")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("ecsserver", "One elastic cloud server."),
        ("ecsserver.spec.flavor", "Can be changed, which is a resize"),
        ("ecsserver.spec.image", "Can be changed, which makes the system disk anew"),
        ("ecsserver.spec.agencyName", "Can be changed, which makes another server"),
        ("ecsserver.spec.powerState", "Stopped: it is shut down."),
        ("ecsserver.spec.rootVolume.sizeGiB", "Size in GiB, 1 to 1024"),
        ("ecsserver.spec.networkInterfaces.mtu", "1280 to 8888"),
        ("ecsserver.spec.driftPolicy", "only shown, in status.drift"),
        ("ecsserver.status.drift.since", "When it was first seen"),
        ("ecsserver.spec.deletionProtection", "refused until it is false again"),
        ("ecsserver.status.create.outcome", "it was not sent yet"),
        ("ecsproject.spec.credentials.accessKey.secretRef", "in the operator's own namespace"),
        ("ecsproject.spec.createIdempotency", "X-Client-Token"),
        ("ecsservergroup.spec.policy", "every member stands on another host"),
        ("ecsvolumeattachment.spec.detach.mode", "unwritten data is lost"),
    ],
)
async def test_explain(served: ControlPlane, path: str, says: str) -> None:
    explained = await served.kubectl("explain", path)
    assert says in " ".join(explained.split())


@pytest.mark.parametrize("resource", CUSTOM_RESOURCES, ids=lambda resource: resource.names.kind)
async def test_nothing_of_the_definition_is_dropped(served: ControlPlane, resource: CustomResource) -> None:
    """The API server prunes what it does not know from a CRD, in silence."""
    stored = json.loads(await served.kubectl("get", "crd", resource.names.crd_name, "-o", "json"))
    wanted = resource.definition()["spec"]
    assert stored["spec"]["versions"] == wanted["versions"]
    assert stored["spec"]["names"] == wanted["names"]
