"""The lease and the cluster's identity, on a real API server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from ecs_lab.control_plane import ControlPlane
from ecs_lab.waiting import until
from ecs_operator.app.clock import SystemClock
from ecs_operator.engine.ports import RefusedError
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.identity import IdentityError, read_or_create
from ecs_operator.kube.lease import Lease, LeasePolicy
from tests.e2e.accounts import account, connected

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = LeasePolicy(duration=3.0)


def lease(connection: Connection, namespace: str, identity: str, *, policy: LeasePolicy = SHORT) -> Lease:
    rng = Random()  # noqa: S311 - it tells processes apart
    return Lease(connection, namespace=namespace, name="test", identity=identity, clock=SystemClock(), rng=rng, policy=policy)


async def holds(subject: Lease, *, seconds: float = 10.0) -> None:
    async def held() -> bool:
        return subject.time_left() > 0

    await until(held, seconds=seconds, every=0.005, what="the lease is not held")


async def loses(subject: Lease, *, seconds: float = 10.0) -> None:
    async def lost() -> bool:
        return subject.time_left() <= 0

    await until(lost, seconds=seconds, every=0.02, what="the lease is still held")


@asynccontextmanager
async def kept(subject: Lease) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(subject.keep())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_one_holder_at_a_time_and_a_release_hands_it_on_at_once(control_plane: ControlPlane, namespace: str) -> None:
    async with connected(control_plane.admin_kubeconfig) as connection:
        first, second = lease(connection, namespace, "first"), lease(connection, namespace, "second")
        async with kept(first) as keeping:
            await holds(first)
            async with kept(second):

                async def noticed() -> bool:
                    return second.holder == "first"

                await until(noticed, seconds=5, what="the rival has not seen the holder")
                for _ in range(40):
                    assert second.time_left() <= 0
                    assert first.time_left() > 0
                    await asyncio.sleep(0.1)  # longer than the lease: it is renewed
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
                assert first.time_left() <= 0
                await holds(second, seconds=1.5)
                spec = json.loads(await control_plane.kubectl("get", "lease", "test", "-o", "json", namespace=namespace))["spec"]
                assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("second", 2)


async def test_a_holder_that_is_gone_is_waited_for_and_never_overlaps(control_plane: ControlPlane, namespace: str) -> None:
    async with connected(control_plane.admin_kubeconfig) as connection:
        first, second = lease(connection, namespace, "first"), lease(connection, namespace, "second")
        await first._round()  # acquired once, and never renewed: as if killed
        async with kept(second):
            await holds(second)
            assert first.time_left() <= 0, "two holders at a time"


async def test_a_restart_takes_its_lease_back_at_once_and_the_old_process_yields(control_plane: ControlPlane, namespace: str) -> None:
    long = LeasePolicy(duration=60.0)
    async with connected(control_plane.admin_kubeconfig) as connection:
        old, new = lease(connection, namespace, "same", policy=long), lease(connection, namespace, "same", policy=long)
        await old._round()
        assert old.time_left() > 50
        await new._round()
        assert new.time_left() > 50
        await old._round()
        assert old.time_left() <= 0, "it was replaced by a younger process of its identity"
        await new._round()
        assert new.time_left() > 50
        await old._release()
        await new._round()
        assert new.time_left() > 50, "the old one's end must not release what is no longer its own"


async def test_without_the_api_server_the_lease_runs_out_before_a_rival_may_have_it(control_plane: ControlPlane, namespace: str) -> None:
    async with connected(control_plane.admin_kubeconfig) as connection:
        first = lease(connection, namespace, "first")
        async with kept(first):
            await holds(first)
            await control_plane.kill_apiserver()
            try:
                await loses(first, seconds=SHORT.duration)
            finally:
                await control_plane.start_apiserver()
            await holds(first)


async def test_two_first_starts_agree_on_the_identity(control_plane: ControlPlane, namespace: str) -> None:
    async with connected(control_plane.admin_kubeconfig) as connection:
        found = await asyncio.gather(*(read_or_create(connection, namespace=namespace, name="identity") for _ in range(8)))
        again = await read_or_create(connection, namespace=namespace, name="identity")
    assert {(each.cluster_id, each.key) for each in found} == {(again.cluster_id, again.key)}
    assert len(again.key) == 32
    assert repr(again.key) not in repr(again)


async def test_an_empty_secret_is_filled_and_a_damaged_one_is_not_guessed(control_plane: ControlPlane, namespace: str) -> None:
    async with connected(control_plane.admin_kubeconfig) as connection:
        await control_plane.kubectl("create", "secret", "generic", "empty", namespace=namespace)
        found = await asyncio.gather(*(read_or_create(connection, namespace=namespace, name="empty") for _ in range(4)))
        assert len({each.cluster_id for each in found}) == 1
        await control_plane.kubectl(
            "create", "secret", "generic", "half", f"--from-literal=cluster-id={found[0].cluster_id}", namespace=namespace
        )
        with pytest.raises(IdentityError, match="hmac-key"):
            await read_or_create(connection, namespace=namespace, name="half")


SECRET = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["ecs-operator-identity"]}


@pytest.mark.parametrize(
    ("verbs", "enough"), [(["get", "patch"], False), (["get", "patch", "create"], True)], ids=["patch", "patch and create"]
)
async def test_the_rights_to_make_the_identity(
    control_plane: ControlPlane,
    namespace: str,
    tmp_path: Path,
    verbs: list[str],
    enough: bool,  # noqa: FBT001 - a row of the table
) -> None:
    """An apply that makes the Secret needs ``create``; limited to its name, because an apply tells the name."""
    kubeconfig = await account(control_plane, namespace, rules=[{**SECRET, "verbs": verbs}], path=tmp_path / "kubeconfig")
    async with connected(kubeconfig) as connection:
        if enough:
            assert (await read_or_create(connection, namespace=namespace, name="ecs-operator-identity")).cluster_id
        else:
            with pytest.raises(RefusedError):
                await read_or_create(connection, namespace=namespace, name="ecs-operator-identity")
