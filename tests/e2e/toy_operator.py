"""The operator's process with two toy kinds in the place of the real ones, so that engine and adapter are tested by themselves.

A Toy is "made" as soon as its finalizer is there; a Toy that names a Realm waits until that is there. As a script it takes the flags of
``ecs-operator run``, and ``--resync SECONDS`` and ``--lease SECONDS``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from dataclasses import replace
from typing import Any

import yaml

from ecs_operator.app import logs
from ecs_operator.app.assembly import Kinds, Platform, Workload
from ecs_operator.app.process import run
from ecs_operator.app.settings import add_flags, from_flags
from ecs_operator.engine.conditions import Condition, merge
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Outcome
from ecs_operator.kube.resource_types import ResourceType
from ecs_operator.kube.store import Ownership

GROUP, VERSION = "toys.ecs-operator.example", "v1"
TOY = ResourceType(group=GROUP, version=VERSION, kind="Toy", plural="toys", namespaced=True)
REALM = ResourceType(group=GROUP, version=VERSION, kind="Realm", plural="realms", namespaced=False)
OWNERSHIP = Ownership(finalizer=f"{GROUP}/finalizer", status_manager="toy-operator", finalizer_manager="toy-operator-finalizer")
STATUS_FIELDS = {"toys": ("size", "conditions.reason"), "realms": ("toys",)}

_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_CONDITION = {
    "type": "object",
    "required": ["type", "status"],
    "properties": dict.fromkeys(("type", "status", "reason", "message", "lastTransitionTime"), _TEXT) | {"observedGeneration": _NUMBER},
}


def _definition(resource: ResourceType, *, spec: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    conditions = {"type": "array", "items": _CONDITION, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    properties = {
        "spec": {"type": "object", "properties": spec},
        "status": {"type": "object", "properties": {"observedGeneration": _NUMBER, "conditions": conditions, **status}},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{resource.group}"},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": {"kind": resource.kind, "plural": resource.plural, "singular": resource.kind.lower()},
            "versions": [
                {
                    "name": resource.version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}},
                }
            ],
        },
    }


DEFINITIONS = yaml.safe_dump_all(
    [
        _definition(TOY, spec={"size": _NUMBER, "realm": _TEXT}, status={"size": _NUMBER}),
        _definition(REALM, spec={}, status={"toys": _NUMBER}),
    ]
)


def toy(name: str, namespace: str, *, size: int = 1, realm: str | None = None) -> dict[str, Any]:
    """A manifest."""
    spec = {"size": size, **({"realm": realm} if realm else {})}
    return {"apiVersion": TOY.api_version, "kind": "Toy", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


class ToyReconciler:
    """Finalizer, then status; the finalizer goes when the object is deleted."""

    resource = TOY.plural

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def reconcile(self, key: ObjectKey) -> Outcome:
        store, writer = self._platform.store, self._platform.writer
        obj = await store.get(key)
        if obj is None:
            logging.getLogger("toy").info("gone")
            return Done()
        if obj.is_deleting:
            await store.remove_finalizer(obj)
            return Done()
        if OWNERSHIP.finalizer not in obj.finalizers:
            await store.add_finalizer(obj)
            return Again(0.0)
        realm = obj.spec.get("realm")
        awaited = ObjectKey(REALM.plural, "", realm) if realm else None
        ready = awaited is None or await store.get(awaited) is not None
        condition = (
            Condition("Ready", "True", "Available", "it is made") if ready else Condition("Ready", "False", "Waiting", f"no {realm}")
        )
        conditions = merge(obj.status.get("conditions", ()), [condition], generation=obj.generation, now=self._platform.clock.now())
        status = {"observedGeneration": obj.generation, "size": obj.spec.get("size"), "conditions": conditions}
        await writer.write(obj, status, action="Make")
        logging.getLogger("toy").info("made size %s", obj.spec.get("size"))
        return Done() if ready or awaited is None else Blocked(waits_for=(awaited,))


class RealmReconciler:
    """Nothing to do: a realm is only waited for."""

    resource = REALM.plural

    async def reconcile(self, key: ObjectKey) -> Outcome:
        del key
        return Done()


KINDS = Kinds(
    types=(REALM, TOY),
    ownership=OWNERSHIP,
    status_fields=STATUS_FIELDS,
    build=lambda platform: Workload(reconcilers=(RealmReconciler(), ToyReconciler(platform))),
)


def main() -> int:
    parser = argparse.ArgumentParser()
    add_flags(parser, environment=os.environ)
    parser.add_argument("--resync", type=float, default=300.0)
    parser.add_argument("--lease", type=float, default=30.0, help="may be shorter than a real operator's")
    options = parser.parse_args()
    settings = replace(from_flags(options), lease_duration=options.lease)
    logs.set_up(form=settings.log_format, level=settings.log_level)
    asyncio.run(run(settings, KINDS, resync_seconds=options.resync))
    return 0


if __name__ == "__main__":
    sys.exit(main())
