"""The write primitives, on a real API server."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.waiting import until
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import ConflictError, GoneError, RefusedError, StoreError, UnavailableError
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.discovery import missing
from ecs_operator.kube.inventory import inventory
from ecs_operator.kube.pages import pages
from ecs_operator.kube.resource_types import by_plural
from ecs_operator.kube.store import ApiServerStore
from tests.e2e.accounts import account, connected
from tests.e2e.toy_operator import DEFINITIONS, OWNERSHIP, REALM, TOY, toy

pytestmark = pytest.mark.asyncio(loop_scope="session")

THEIRS = "example.test/theirs"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def connection(control_plane: ControlPlane) -> AsyncIterator[Connection]:
    await control_plane.kubectl("apply", "-f", "-", stdin=DEFINITIONS)
    await control_plane.kubectl("wait", "--for=condition=Established", "crd", f"toys.{TOY.group}", f"realms.{TOY.group}")
    async with connected(control_plane.admin_kubeconfig) as opened:
        yield opened


@pytest.fixture
def store(connection: Connection) -> ApiServerStore:
    return ApiServerStore(connection, types=by_plural((TOY, REALM)), ownership=OWNERSHIP)


class Bench:
    """One namespace with toys in it."""

    def __init__(self, plane: ControlPlane, store: ApiServerStore, namespace: str) -> None:
        self.plane, self.store, self.namespace = plane, store, namespace

    def key(self, name: str = "a") -> ObjectKey:
        return ObjectKey("toys", self.namespace, name)

    async def apply(self, manifest: dict[str, Any], *flags: str) -> None:
        await self.plane.kubectl("apply", "-f", "-", *flags, stdin=yaml.safe_dump(manifest))

    async def make(self, name: str = "a", **metadata: Any) -> KubeObject:
        manifest = toy(name, self.namespace)
        manifest["metadata"] |= metadata
        await self.apply(manifest)
        return await self.read(name)

    async def read(self, name: str = "a") -> KubeObject:
        found = await self.store.get(self.key(name))
        assert found is not None
        return found

    async def delete(self, name: str = "a", *flags: str) -> None:
        await self.plane.kubectl("delete", "toy", name, *flags, namespace=self.namespace)


@pytest.fixture
def bench(control_plane: ControlPlane, store: ApiServerStore, namespace: str) -> Bench:
    return Bench(control_plane, store, namespace)


async def test_an_object_is_read_whole(bench: Bench) -> None:
    obj = await bench.make(annotations={"x": "1"}, labels={"b": "2"}, finalizers=[THEIRS])
    assert (obj.key, obj.kind, obj.api_version) == (bench.key(), "Toy", TOY.api_version)
    assert (obj.generation, obj.spec, obj.status, obj.finalizers) == (1, {"size": 1}, {}, (THEIRS,))
    assert obj.annotations["x"] == "1"
    assert obj.labels == {"b": "2"}
    assert not obj.is_deleting
    await bench.delete("a", "--wait=false")
    assert (await bench.read()).is_deleting
    assert await bench.store.get(bench.key("absent")) is None


async def test_a_status_is_applied_by_compare_and_set(bench: Bench) -> None:
    obj = await bench.make()
    written = await bench.store.apply_status(obj, {"size": 1, "observedGeneration": 1})
    assert written.status == {"size": 1, "observedGeneration": 1}
    with pytest.raises(ConflictError) as raised:
        await bench.store.apply_status(obj, {"size": 666})
    assert str(raised.value) == f"APPLY {bench.key()} status: 409 Conflict"
    again = await bench.store.apply_status(written, {"size": 1, "observedGeneration": 1})
    assert again.resource_version == written.resource_version, "an apply that changes nothing writes nothing"
    less = await bench.store.apply_status(written, {"size": 2})
    assert less.status == {"size": 2}, "what is left out is removed"
    assert (await bench.read()).status == {"size": 2}


async def test_of_two_writers_one_wins(bench: Bench) -> None:
    obj = await bench.make()
    results = await asyncio.gather(*(bench.store.apply_status(obj, {"size": size}) for size in range(10)), return_exceptions=True)
    assert sum(isinstance(each, ConflictError) for each in results) == 9
    (winner,) = (each for each in results if isinstance(each, KubeObject))
    assert (await bench.read()).status == winner.status


async def test_a_status_is_not_written_to_another_object_of_the_name(bench: Bench) -> None:
    old = await bench.make()
    await bench.delete()
    with pytest.raises(GoneError):
        await bench.store.apply_status(old, {"size": 1})
    await bench.make()
    with pytest.raises(ConflictError):
        await bench.store.apply_status(old, {"size": 1})
    assert (await bench.read()).status == {}


async def test_errors_name_the_call_and_never_a_value(bench: Bench) -> None:
    obj = await bench.make()
    with pytest.raises(StoreError) as unknown_field:
        await bench.store.apply_status(obj, {"secretly": "hunter2"})
    with pytest.raises(StoreError) as wrong_type:
        await bench.store.apply_status(obj, {"size": "hunter2"})
    for raised in (unknown_field, wrong_type):
        assert str(raised.value).startswith(f"APPLY {bench.key()} status: ")
        assert "hunter2" not in str(raised.value)


async def test_the_finalizer_survives_the_users_applies(bench: Bench) -> None:
    with_ours = await bench.store.add_finalizer(await bench.make())
    assert with_ours.finalizers == (OWNERSHIP.finalizer,)
    await bench.apply(toy("a", bench.namespace, size=5))
    await bench.apply(toy("a", bench.namespace, size=6), "--server-side", "--force-conflicts")
    obj = await bench.read()
    assert (obj.spec["size"], obj.finalizers) == (6, (OWNERSHIP.finalizer,))
    again = await bench.store.add_finalizer(obj)
    assert again.resource_version == obj.resource_version


async def test_the_finalizer_goes_on_no_other_object_and_makes_none_anew(bench: Bench) -> None:
    old = await bench.make()
    await bench.delete()
    with pytest.raises(ConflictError):
        await bench.store.add_finalizer(old)
    assert await bench.store.get(bench.key()) is None
    await bench.make()
    with pytest.raises(ConflictError):
        await bench.store.add_finalizer(old)
    assert (await bench.read()).finalizers == ()


async def test_the_finalizer_is_removed_though_the_users_manifest_lists_it(bench: Bench) -> None:
    manifest = toy("a", bench.namespace)
    manifest["metadata"]["finalizers"] = [OWNERSHIP.finalizer, THEIRS]
    await bench.apply(manifest, "--server-side")
    obj = await bench.store.add_finalizer(await bench.read())
    await bench.store.remove_finalizer(obj)
    assert (await bench.read()).finalizers == (THEIRS,)


async def test_the_finalizer_is_found_where_it_stands_now(bench: Bench) -> None:
    """The list changed between the read and the patch."""
    await bench.make(finalizers=[THEIRS, OWNERSHIP.finalizer])
    stale = await bench.read()
    await bench.make(finalizers=[OWNERSHIP.finalizer])
    await bench.store.remove_finalizer(stale)
    assert (await bench.read()).finalizers == ()


async def test_removing_the_finalizer_lets_a_deleted_object_go(bench: Bench) -> None:
    await bench.store.add_finalizer(await bench.make())
    await bench.delete("a", "--wait=false")
    obj = await bench.read()
    assert obj.is_deleting
    await bench.store.remove_finalizer(obj)
    assert await bench.store.get(bench.key()) is None
    await bench.store.remove_finalizer(obj)  # gone counts as done


async def test_the_finalizer_of_another_object_of_the_name_stays(bench: Bench) -> None:
    old = await bench.make(finalizers=[OWNERSHIP.finalizer])
    await bench.store.remove_finalizer(old)
    await bench.delete()
    new = await bench.make(finalizers=[OWNERSHIP.finalizer])
    await bench.store.remove_finalizer(old)
    assert (await bench.read()).finalizers == (OWNERSHIP.finalizer,)
    await bench.store.remove_finalizer(new)


async def test_removal_gives_up_when_it_is_really_refused(bench: Bench, tmp_path: Path) -> None:
    obj = await bench.make(finalizers=[OWNERSHIP.finalizer])
    rule = {"apiGroups": [TOY.group], "resources": ["toys"], "verbs": ["get"]}
    kubeconfig = await account(bench.plane, bench.namespace, rules=[rule], path=tmp_path / "reader.kubeconfig")
    async with connected(kubeconfig) as connection:
        reader = ApiServerStore(connection, types=by_plural((TOY,)), ownership=OWNERSHIP)
        with pytest.raises(RefusedError) as raised:
            await reader.remove_finalizer(obj)
    assert str(raised.value) == f"PATCH {bench.key()} finalizer: 403 Forbidden"
    await bench.store.remove_finalizer(obj)


async def test_lists_are_complete_and_know_their_kind(bench: Bench, connection: Connection) -> None:
    for name in ("a", "b", "c", "d", "e"):
        await bench.make(name)
    found = await bench.store.list("toys", namespace=bench.namespace)
    assert [(each.key.name, each.kind, each.api_version) for each in found] == [(name, "Toy", TOY.api_version) for name in "abcde"]
    assert {each.key for each in await bench.store.list("toys")} >= {bench.key(name) for name in "abcde"}
    sizes = [len(items) async for items in pages(connection, TOY.collection(bench.namespace), subject="LIST", timeout=5, page=2)]
    assert sizes == [2, 2, 1]
    limited = ApiServerStore(connection, types=by_plural((TOY,)), ownership=OWNERSHIP, namespaces=("default", bench.namespace))
    assert {each.key.namespace for each in await limited.list("toys")} <= {"default", bench.namespace}


async def test_the_inventory_tells_what_a_watch_would(bench: Bench, connection: Connection) -> None:
    obj = await bench.store.add_finalizer(await bench.make(annotations={"x": "1"}))
    rows = {key: seen async for key, seen in inventory(connection, TOY, namespaces=(bench.namespace,))}
    seen = rows[bench.key()]
    assert (seen.uid, seen.generation, seen.deleting, seen.finalizers) == (obj.uid, 1, False, frozenset({OWNERSHIP.finalizer}))
    nowhere = [key async for key, _ in inventory(connection, TOY, namespaces=("kube-public",))]
    assert nowhere == []


async def test_secrets_config_maps_and_namespaces(bench: Bench) -> None:
    kubectl = bench.plane.kubectl
    await kubectl("create", "secret", "generic", "s", "--from-literal=password=hunter2", namespace=bench.namespace)
    await kubectl("create", "configmap", "c", "--from-literal=text=grüß", namespace=bench.namespace)
    binary = base64.b64encode(b"\xff\x00").decode()
    await kubectl("patch", "configmap", "c", "--type=merge", "-p", json.dumps({"binaryData": {"bin": binary}}), namespace=bench.namespace)
    await kubectl("label", "namespace", bench.namespace, "team=a")
    secret, config_map = await bench.store.secret(bench.namespace, "s"), await bench.store.config_map(bench.namespace, "c")
    assert secret is not None
    assert secret.data == {"password": b"hunter2"}
    assert "hunter2" not in repr(secret)
    assert config_map is not None
    assert config_map.data == {"text": "grüß".encode(), "bin": b"\xff\x00"}
    labels = await bench.store.namespace_labels(bench.namespace)
    assert labels is not None
    assert labels["team"] == "a"
    assert await bench.store.secret(bench.namespace, "absent") is None
    assert await bench.store.config_map(bench.namespace, "absent") is None
    assert await bench.store.namespace_labels("absent") is None


async def test_discovery_names_what_is_missing(connection: Connection) -> None:
    assert await missing(connection, (TOY, REALM), status_fields={"toys": ("size", "conditions.reason"), "realms": ("toys",)}) == []
    other = replace(TOY, plural="balls", kind="Ball")
    assert await missing(connection, (TOY, other), status_fields={}) == [f"balls.{TOY.group}"]
    elsewhere = replace(TOY, group="nowhere.example")
    assert await missing(connection, (elsewhere,), status_fields={}) == ["toys.nowhere.example"]
    fields = {"toys": ("size", "colour", "conditions.severity")}
    found = await missing(connection, (TOY, REALM), status_fields=fields)
    assert found == [f"toys.{TOY.group} (field status.colour)", f"toys.{TOY.group} (field status.conditions.severity)"]


async def test_an_api_server_that_is_away_is_unavailable(bench: Bench) -> None:
    obj = await bench.make()
    await bench.plane.kill_apiserver()
    try:
        with pytest.raises(UnavailableError):
            await bench.store.get(obj.key)
        with pytest.raises(UnavailableError):
            await bench.store.apply_status(obj, {"size": 1})
    finally:
        await bench.plane.start_apiserver()

    async def back() -> KubeObject | None:
        try:
            return await bench.store.get(obj.key)
        except StoreError:
            return None

    assert (await until(back, seconds=20, what="the API server is back, the connection is not")).uid == obj.uid
