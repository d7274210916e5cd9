"""What the API server takes and refuses at `kubectl apply`, and what it says."""

from __future__ import annotations

import json

import pytest

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import KubectlError
from tests.crd.manifests import Row, manifest, rows, text

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("row", rows("accepted"))
async def test_accepts(served: ControlPlane, row: Row) -> None:
    wanted = manifest(row.kind, name=row.name, patch=row.spec)
    answer = await served.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=text(wanted))
    assert json.loads(answer)["spec"].items() >= {k: v for k, v in wanted["spec"].items() if not isinstance(v, dict)}.items()


@pytest.mark.parametrize("row", rows("refused"))
async def test_refuses(served: ControlPlane, row: Row) -> None:
    with pytest.raises(KubectlError) as refusal:
        await served.kubectl("create", "--dry-run=server", "-f", "-", stdin=text(manifest(row.kind, name=row.name, patch=row.spec)))
    assert [part for part in row.says if part not in refusal.value.stderr] == [], refusal.value.stderr


async def test_there_are_enough_refusals() -> None:
    """Different mistakes: no two rows are the same manifest, or have one name."""
    found = [each.values[0] for each in rows("refused")]
    assert len({json.dumps([row.kind, row.name, row.spec], sort_keys=True) for row in found}) == len(found) >= 100
    assert len({(row.kind, row.case) for row in found}) == len(found)
    assert all(row.says for row in found)


@pytest.mark.parametrize(
    ("kind", "defaults"),
    [
        (
            "EcsProject",
            {
                "default": False,
                "allowedNamespaces": {"from": "All"},
                "createIdempotency": "Auto",
                "limits": {"readsPerSecond": 20, "writesPerSecond": 10, "createsInFlight": 50},
                "resyncPeriodSeconds": 300,
            },
        ),
        (
            "EcsServer",
            {
                "disruption": {"allow": "None"},
                "driftPolicy": "Correct",
                "shutdown": {"mode": "Soft", "timeoutSeconds": 300},
                "deletionPolicy": "Delete",
                "deletionProtection": False,
                "managementPolicy": "Managed",
            },
        ),
        (
            "EcsServerGroup",
            {"policy": "anti-affinity", "deletionPolicy": "Delete", "deletionProtection": False, "managementPolicy": "Managed"},
        ),
        ("EcsVolumeAttachment", {"detach": {"mode": "Soft"}, "deletionPolicy": "Delete", "managementPolicy": "Managed"}),
    ],
)
async def test_fills_in_defaults(served: ControlPlane, kind: str, defaults: dict[str, object]) -> None:
    wanted = manifest(kind, name="sample", patch={})
    answer = json.loads(await served.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=text(wanted)))
    added = {key: value for key, value in answer["spec"].items() if key not in wanted["spec"]}
    assert added == defaults
    assert answer["status"] == {"observedGeneration": -1}, "kstatus would take the fresh object for current"


async def test_defaults_inside_unions_and_parts(served: ControlPlane) -> None:
    patch = {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}, "scheduling": {}, "shutdown": {"mode": "Hard"}}
    wanted = manifest("EcsServer", name="sample", patch=patch)
    spec = json.loads(await served.kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=text(wanted)))["spec"]
    assert spec["publicIp"] == {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10, "shareType": "PER", "chargeMode": "traffic"}}}
    assert spec["scheduling"] == {"tenancy": "shared"}
    assert spec["shutdown"] == {"mode": "Hard", "timeoutSeconds": 300}
    assert spec["rootVolume"] == {"type": "SSD", "sizeGiB": 40, "scsi": False}
