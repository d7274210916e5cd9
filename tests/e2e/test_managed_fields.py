"""Who owns what of an object: its spec belongs to those who wrote it, to the operator only the status and its finalizer.

Proven on objects of all kinds, after a creation and after edits that the operator carried out: ``metadata.managedFields`` has one owner of
the spec, and the same manifest applied by another manager is a no-op. That is: it is taken without conflict and without force; nothing of
the object differs afterwards but that other manager's own entry in managedFields and, once, the resourceVersion that this entry takes;
applied a second time it does not even change the resourceVersion; and neither makes the operator write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml

from ecs_lab.tenancy import project as project_manifest
from ecs_operator.api.group import FINALIZER
from tests.scenes import Object, Scene, is_ready

pytestmark = pytest.mark.asyncio(loop_scope="session")

TENANT, OTHER = "tenant", "other"
LABELS = {"app": "web"}
# Of every kind the fields whose edit the operator carries out, or has to note.
EDITS: dict[str, Mapping[str, Any]] = {
    "EcsServer": {"flavor": "s3.xlarge.2", "description": "larger", "metadata": {"role": "back"}, "powerState": "Stopped"},
    "EcsServerGroup": {"deletionProtection": True},
    "EcsVolumeAttachment": {"detach": {"mode": "Force"}},
}


def _manifests(scene: Scene) -> list[Object]:
    """One of each namespaced kind, with labels and an annotation: those are the user's too."""
    server = scene.server(
        "web-0",
        metadata={"role": "front"},
        tags={"team": "shop"},
        serverGroupRef={"name": "web"},
        disruption={"allow": "Restart"},
        powerState="Running",
    )
    found = [scene.group("web"), server, scene.attachment("data", serverRef={"name": "web-0"})]
    for each in found:
        each["metadata"] |= {"labels": LABELS, "annotations": {"example.com/owner": "shop"}}
    return found


def _edited(objects: Sequence[Object]) -> list[Object]:
    return [{**each, "spec": {**each["spec"], **EDITS[each["kind"]]}} for each in objects]


async def _apply_as(scene: Scene, manager: str, objects: Sequence[Object]) -> None:
    """As GitOps tools do: on the server, without taking anything from anybody."""
    await scene.kubectl("apply", "--server-side", f"--field-manager={manager}", "-f", "-", stdin=yaml.safe_dump_all(objects))


async def _read(scene: Scene, each: Object) -> Object:
    found: Object = json.loads(
        await scene.kubectl("get", f"{each['kind'].lower()}/{each['metadata']['name']}", "-o", "json", "--show-managed-fields")
    )
    return found


async def _converged(scene: Scene, objects: Sequence[Object]) -> list[Object]:
    for each in objects:
        await scene.until(f"{each['kind'].lower()}/{each['metadata']['name']}", is_ready, why="is not Ready")
    return [await _read(scene, each) for each in objects]


def _owners(obj: Object, *path: str) -> set[str]:
    """Who owns something below a path, e.g. spec, or metadata and labels."""
    found = set()
    for entry in obj["metadata"]["managedFields"]:
        node: Mapping[str, Any] | None = entry["fieldsV1"]
        for part in path:
            node = (node or {}).get(f"f:{part}")
        if node is not None:
            found.add(entry["manager"])
    return found


def _check_owners(obj: Object, *, users: set[str]) -> None:
    """Spec, labels and annotations are the users'; what the operator owns is the status, and one finalizer."""
    assert _owners(obj, "spec") == users, obj["metadata"]["managedFields"]
    assert _owners(obj, "metadata", "labels") <= users
    assert _owners(obj, "metadata", "annotations") <= users
    assert _owners(obj, "status") <= {"ecs-operator"}
    assert not users & _owners(obj, "metadata", "finalizers")
    for entry in obj["metadata"]["managedFields"]:
        if entry["manager"] in users:
            continue
        fields, where = entry["fieldsV1"], entry.get("subresource", "")
        assert entry["operation"] == "Apply", "a field that is updated and not applied stays when the operator stops naming it"
        if where == "status":
            assert (entry["manager"], set(fields)) == ("ecs-operator", {"f:status"})
        else:
            assert entry["manager"] == "ecs-operator-finalizer"
            assert set(fields) == {"f:metadata"}
            assert fields["f:metadata"] == {"f:finalizers": {f'v:"{FINALIZER}"': {}}}


def _without_books(obj: Object) -> Object:
    """All of an object but what every write changes."""
    kept = {key: value for key, value in obj["metadata"].items() if key not in {"managedFields", "resourceVersion"}}
    return {**obj, "metadata": kept}


def _entries(obj: Object, *, but: str) -> list[Any]:
    return [each for each in obj["metadata"]["managedFields"] if each["manager"] != but]


async def _check_noop(scene: Scene, objects: Sequence[Object], before: Sequence[Object], *, users: set[str]) -> None:
    """The same by another manager changes nothing but who has a say."""
    await _apply_as(scene, OTHER, objects)
    once = [await _read(scene, each) for each in objects]
    for old, new in zip(before, once, strict=True):
        assert _without_books(new) == _without_books(old)
        assert _entries(new, but=OTHER) == _entries(old, but=OTHER)
        _check_owners(new, users={*users, OTHER})
    ledger = await scene.ledger()
    await _apply_as(scene, OTHER, objects)
    assert [await _read(scene, each) for each in objects] == once
    assert await scene.ledger() == ledger


async def test_the_spec_has_one_owner_and_another_may_apply_the_same(scene: Scene) -> None:
    objects = _manifests(scene)
    await _apply_as(scene, TENANT, objects)
    created = await _converged(scene, objects)
    for obj in created:
        _check_owners(obj, users={TENANT})
        assert obj["metadata"]["generation"] == 1

    objects = _edited(objects)
    await _apply_as(scene, TENANT, objects)
    changed = await _converged(scene, objects)
    assert changed[1]["status"]["flavor"] == "s3.xlarge.2"
    for obj in changed:
        _check_owners(obj, users={TENANT})
        assert obj["metadata"]["generation"] == 2, "one edit, and nobody else's"
        assert obj["metadata"]["labels"] == LABELS
        assert obj["metadata"]["annotations"] == {"example.com/owner": "shop"}
    await _check_noop(scene, objects, changed, users={TENANT})
    # For the others' sake: what is protected would keep the namespace.
    await scene.patch("ecsgrp/web", {"deletionProtection": False})


async def test_a_project(scene: Scene) -> None:
    """The laboratory applied it as ``kubectl``."""
    name, account = scene.project.name, scene.project.account
    wanted = project_manifest(
        name, account, secret_name=name, endpoint=scene.lab.sim.url, namespaces=[scene.namespace], spec={"resyncPeriodSeconds": 2}
    )
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsvm/web-0")
    # Its status counts the project's servers now and then.
    await scene.until(f"ecsproj/{name}", lambda obj: obj["status"]["quota"]["instances"]["used"] == 1)
    [before] = await _converged(scene, [wanted])
    _check_owners(before, users={"kubectl"})
    await _check_noop(scene, [wanted], [before], users={"kubectl"})


async def test_a_finalizer_in_the_users_manifest_stays_the_operators(scene: Scene) -> None:
    """Who exports an object and applies it again brings the finalizer along; the operator still takes its own away in the end."""
    wanted = scene.group("web")
    wanted["metadata"]["finalizers"] = [FINALIZER]
    await _apply_as(scene, TENANT, [wanted])
    [obj] = await _converged(scene, [wanted])
    assert _owners(obj, "spec") == {TENANT}
    assert obj["metadata"]["finalizers"] == [FINALIZER]
    await scene.delete("ecsgrp/web")
    await scene.until_gone("ecsgrp/web")
