"""Which changes of an object are taken, depending on what its status says."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import KubectlError
from tests.crd.manifests import PLURALS, Row, manifest, rows, text

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def name(served: ControlPlane) -> AsyncIterator[str]:
    """A name for one object; afterwards nothing of that name is left."""
    unique = f"sample-{secrets.token_hex(4)}"
    yield unique
    await served.kubectl("delete", ",".join(PLURALS.values()), unique, "--ignore-not-found", "--wait=false")


async def _as_it_is(served: ControlPlane, row: Row, *, name: str) -> None:
    await served.kubectl("create", "-f", "-", stdin=text(manifest(row.kind, name=name, patch=row.spec)))
    if row.status:
        patch = json.dumps({"status": row.status})
        await served.kubectl("patch", PLURALS[row.kind], name, "--subresource=status", "--type=merge", "-p", patch)


@pytest.mark.parametrize("row", rows("transitions"))
async def test_change(served: ControlPlane, row: Row, name: str) -> None:
    await _as_it_is(served, row, name=name)
    change = ("patch", PLURALS[row.kind], name, "--type=merge", "-p", json.dumps({"spec": row.change}))
    if not row.says:
        await served.kubectl(*change)
        return
    with pytest.raises(KubectlError) as refusal:
        await served.kubectl(*change)
    assert [part for part in row.says if part not in refusal.value.stderr] == [], refusal.value.stderr


async def test_the_status_may_always_be_written(served: ControlPlane, name: str) -> None:
    """A rule at the root must never stand in the way of the operator, whatever it writes."""
    row = Row(case="", kind="EcsServer", spec={"projectRef": {"name": "lab"}}, status={"id": "s-1", "project": "other"})
    await _as_it_is(served, row, name=name)
    for status in ({"id": "s-2"}, {"id": None, "project": None}, {"create": None, "serverStatus": "ACTIVE"}):
        patch = json.dumps({"status": status})
        await served.kubectl("patch", "ecsservers", name, "--subresource=status", "--type=merge", "-p", patch)
    patch = json.dumps({"metadata": {"labels": {"a": "b"}}})
    await served.kubectl("patch", "ecsservers", name, "--type=merge", "-p", patch)
