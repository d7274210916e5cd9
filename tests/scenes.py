"""What tests of the whole path share: manifests of one cloud project, questions to both sides, and how a Ready condition reads."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import yaml

from ecs_lab.laboratory import CloudProject, Laboratory
from ecs_lab.tenancy import API_VERSION
from ecs_lab.waiting import until

Object = dict[str, Any]
READY_SECONDS = 45.0
MARKER = "ecs-operator.owner"


def condition(obj: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """A condition of an object, {} where it has none of this type."""
    found: Sequence[Mapping[str, Any]] = obj.get("status", {}).get("conditions", [])
    return next((each for each in found if each["type"] == kind), {})


def is_ready(obj: Mapping[str, Any]) -> bool:
    """Ready=True for the newest generation."""
    ready = condition(obj, "Ready")
    return ready.get("status") == "True" and ready.get("observedGeneration") == obj["metadata"]["generation"]


def says(obj: Mapping[str, Any], reason: str) -> bool:
    """Ready gives this reason, for the newest generation."""
    ready = condition(obj, "Ready")
    return ready.get("reason") == reason and ready.get("observedGeneration") == obj["metadata"]["generation"]


def summary(obj: Mapping[str, Any]) -> str:
    """Reason and message, for the text of a failed wait."""
    ready = condition(obj, "Ready")
    return f"{ready.get('reason', 'no condition')}: {ready.get('message', '')}"


def uid_of(entry: Mapping[str, Any]) -> str:
    """The object's uid in a ledger entry's marker (``<cluster>/<uid>/<incarnation>/<mac>``)."""
    parts = (entry.get("marker") or "").split("/")
    return parts[1] if len(parts) == 4 else f"unmarked {entry['id']}"


def left_of(ledger: Sequence[Mapping[str, Any]]) -> set[str]:
    """What was created and not deleted since: ``server <id>``, ``volume <id>`` and so on."""
    alive: Counter[str] = Counter()
    for entry in ledger:
        if entry["action"] in {"create", "delete"}:
            alive[f"{entry['resource']} {entry['id']}"] += 1 if entry["action"] == "create" else -1
    return {name for name, count in alive.items() if count > 0}


def manifest(kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> Object:
    """An object of one of our kinds."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": dict(spec)}


def server_manifest(project: CloudProject, name: str, /, **spec: Any) -> Object:
    """A small EcsServer; a field that is given as None is left out."""
    account = project.account
    whole = {
        "projectRef": {"name": project.name},
        "flavor": account.flavor_id,
        "image": {"id": account.image_id},
        "vpcId": account.vpc_id,
        "networkInterfaces": [{"name": "eth0", "subnetId": account.subnet_id}],
        "rootVolume": {"type": "SSD", "sizeGiB": 40},
        **spec,
    }
    return manifest("EcsServer", name, project.namespace, {field: value for field, value in whole.items() if value is not None})


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The cloud as the account's owner sees it, past the operator."""

    client: httpx.AsyncClient
    project_id: str

    async def server(self, server_id: str) -> dict[str, Any] | None:
        """The row of 6.2.6, None when there is none."""
        answer = await self.client.get(f"/v2.1/{self.project_id}/servers/{server_id}", headers={"X-OpenStack-Nova-API-Version": "2.26"})
        if answer.status_code == 404:
            return None
        row: dict[str, Any] = answer.raise_for_status().json()["server"]
        return row

    async def volume(self, volume_id: str) -> dict[str, Any] | None:
        """The row of 11.4.3, None when there is none."""
        answer = await self.client.get(f"/v2.1/{self.project_id}/os-volumes/{volume_id}")
        if answer.status_code == 404:
            return None
        row: dict[str, Any] = answer.raise_for_status().json()["volume"]
        return row

    async def detach(self, server_id: str, volume_id: str) -> None:
        """5.6.2, as a person at the console would."""
        answer = await self.client.delete(f"/v1/{self.project_id}/cloudservers/{server_id}/detachvolume/{volume_id}")
        answer.raise_for_status()

    async def attach(self, server_id: str, volume_id: str) -> None:
        """5.6.1, likewise."""
        body = {"volumeAttachment": {"volumeId": volume_id, "device": "/dev/sdx"}}
        answer = await self.client.post(f"/v1/{self.project_id}/cloudservers/{server_id}/attachvolume", json=body)
        answer.raise_for_status()

    async def add_interface(self, server_id: str, subnet_id: str) -> str:
        """6.7.3, likewise; gives the id of the port."""
        body = {"interfaceAttachment": {"net_id": subnet_id}}
        answer = await self.client.post(f"/v2.1/{self.project_id}/servers/{server_id}/os-interface", json=body)
        return str(answer.raise_for_status().json()["interfaceAttachment"]["port_id"])

    async def ports(self, server_id: str) -> list[str]:
        """Ids of a server's ports (6.7.1), the primary one first."""
        answer = await self.client.get(f"/v2.1/{self.project_id}/servers/{server_id}/os-interface")
        return [each["port_id"] for each in answer.raise_for_status().json()["interfaceAttachments"]]

    async def allocate_address(self) -> str:
        """11.5.3; gives the id of the public address."""
        answer = await self.client.post(f"/v2.1/{self.project_id}/os-floating-ips", json={})
        return str(answer.raise_for_status().json()["floating_ip"]["id"])

    async def bound_addresses(self, server_id: str) -> list[str]:
        """Ids of the public addresses that a server has (11.5.4)."""
        answer = await self.client.get(f"/v2.1/{self.project_id}/os-floating-ips")
        return [each["id"] for each in answer.raise_for_status().json()["floating_ips"] if each["instance_id"] == server_id]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One namespace, one cloud project, and both sides of the path between them."""

    lab: Laboratory
    project: CloudProject
    cloud: Cloud

    @property
    def namespace(self) -> str:
        """Where the test's objects are."""
        return self.project.namespace

    def server(self, name: str, /, **spec: Any) -> Object:
        """A small EcsServer."""
        return server_manifest(self.project, name, **spec)

    def group(self, name: str, /, **spec: Any) -> Object:
        """An EcsServerGroup."""
        return manifest("EcsServerGroup", name, self.namespace, {"projectRef": {"name": self.project.name}, **spec})

    def attachment(self, name: str, /, **spec: Any) -> Object:
        """An EcsVolumeAttachment of the project's free volume."""
        whole = {"projectRef": {"name": self.project.name}, "volumeId": self.project.account.volume_id, **spec}
        return manifest("EcsVolumeAttachment", name, self.namespace, whole)

    def secret(self, name: str, **values: str) -> Object:
        """A Secret."""
        return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.namespace}, "stringData": values}

    async def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """In the test's namespace."""
        return await self.lab.cp.kubectl(*args, stdin=stdin, namespace=self.namespace)

    async def apply(self, *objects: Object) -> None:
        """As a user does."""
        await self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    async def patch(self, what: str, spec: Mapping[str, Any]) -> None:
        """Merge into the spec of ``kind/name``."""
        await self.kubectl("patch", what, "--type=merge", "-p", json.dumps({"spec": spec}))

    async def annotate(self, what: str, annotation: str) -> None:
        """``name=value`` or ``name-``, without the group's prefix."""
        await self.kubectl("annotate", "--overwrite", what, f"ecs.huaweicloud.com/{annotation}")

    async def delete(self, *what: str) -> None:
        """Ask for the deletion, without waiting."""
        await self.kubectl("delete", "--wait=false", *what)

    async def get(self, what: str) -> Object:
        """``kind/name`` as it is now."""
        found: Object = json.loads(await self.kubectl("get", what, "-o", "json"))
        return found

    async def all(self, kinds: str = "ecsservers") -> dict[str, Object]:
        """The namespace's objects by name."""
        found = json.loads(await self.kubectl("get", kinds, "-o", "json"))["items"]
        return {each["metadata"]["name"]: each for each in found}

    async def until(self, what: str, wanted: Callable[[Object], bool], *, seconds: float = READY_SECONDS, why: str = "") -> Object:
        """Until an object is as wanted; gives it as it is then."""
        last: list[Object] = []

        async def probe() -> Object | None:
            last[:] = [await self.get(what)]
            return last[0] if wanted(last[0]) else None

        def failure() -> str:
            return f"{what} {why or 'is not as wanted'}: {summary(last[0]) if last else 'not there'}"

        return await until(probe, seconds=seconds, every=0.1, what=failure, check=self.lab.op.check_alive)

    async def until_ready(self, what: str, *, seconds: float = READY_SECONDS) -> Object:
        """Until Ready=True for the newest generation."""
        return await self.until(what, is_ready, seconds=seconds, why="is not Ready")

    async def until_says(self, what: str, reason: str, *, seconds: float = READY_SECONDS) -> Object:
        """Until Ready gives this reason."""
        return await self.until(what, lambda obj: says(obj, reason), seconds=seconds, why=f"does not say {reason}")

    async def until_all_ready(self, *, seconds: float = READY_SECONDS) -> dict[str, Object]:
        """Until every EcsServer of the namespace is Ready; gives them by name."""
        last: dict[str, Object] = {}

        async def probe() -> bool:
            last.update(await self.all())
            return all(map(is_ready, last.values()))

        def failure() -> str:
            return "not Ready: " + "; ".join(f"{name}: {summary(obj)}" for name, obj in last.items() if not is_ready(obj))

        await until(probe, seconds=seconds, every=0.1, what=failure, check=self.lab.op.check_alive)
        return last

    async def until_gone(self, what: str, *, seconds: float = READY_SECONDS) -> None:
        """Until the object does not exist."""
        last: list[Object] = []

        async def probe() -> bool:
            text = await self.kubectl("get", what, "-o", "json", "--ignore-not-found")
            last[:] = [json.loads(text)] if text else []
            return not last

        def failure() -> str:
            return f"{what} is still there: {summary(last[0]) if last else ''}"

        await until(probe, seconds=seconds, every=0.1, what=failure, check=self.lab.op.check_alive)

    async def steer(self, server_id: str, do: str) -> None:
        """error, stop, start or delete a server behind the operator's back."""
        await self.lab.sim.admin("POST", f"/_sim/servers/{server_id}", {"do": do})

    async def ledger(self, *, resource: str | None = None, identity: str | None = None) -> list[dict[str, Any]]:
        """What was really done in the project, in order."""
        answer = await self.lab.sim.admin("GET", "/_sim/ledger", params={"project": self.project.account.project_id})
        entries: list[dict[str, Any]] = answer["entries"]
        return [each for each in entries if resource in {None, each["resource"]} and identity in {None, each["id"]}]

    async def deeds(self, server_id: str) -> list[str]:
        """What was done with a server, in order; a stop or reboot with its mode. The creation is left out."""
        entries = await self.ledger(resource="server", identity=server_id)
        return [" ".join(filter(None, (each["action"], each.get("mode")))) for each in entries if each["action"] != "create"]

    async def creations(self) -> Counter[str]:
        """How many servers were ever created, by the uid in their marker."""
        return Counter(uid_of(each) for each in await self.ledger(resource="server") if each["action"] == "create")

    async def until_deeds(self, server_id: str, wanted: list[str], *, seconds: float = READY_SECONDS) -> None:
        """Until exactly this was done with a server, and with nothing more while it is looked at."""
        seen: list[str] = []

        async def probe() -> bool:
            seen[:] = await self.deeds(server_id)
            return len(seen) >= len(wanted)

        await until(probe, seconds=seconds, every=0.1, what=lambda: f"server {server_id}: {seen}, not {wanted}")
        assert seen == wanted

    async def events(self, name: str) -> list[dict[str, Any]]:
        """The Kubernetes events about an object of this name, oldest first."""
        found = json.loads(await self.kubectl("get", "events.events.k8s.io", "-o", "json"))["items"]
        return sorted((each for each in found if each["regarding"]["name"] == name), key=lambda each: each["eventTime"] or "")

    async def until_event(self, name: str, reason: str, pattern: str = "", *, seconds: float = 20.0) -> dict[str, Any]:
        """Until there is such an event; they are written a moment after the status."""

        async def probe() -> dict[str, Any] | None:
            found = (each for each in await self.events(name) if each["reason"] == reason and re.search(pattern, each.get("note", "")))
            return next(found, None)

        return await until(probe, seconds=seconds, every=0.1, what=f"no event {reason} {pattern!r} about {name}")


@asynccontextmanager
async def scene_of(lab: Laboratory, project: CloudProject) -> AsyncIterator[Scene]:
    """The scene of a project, with a token of its own for looking past the operator."""
    account = project.account
    async with httpx.AsyncClient(base_url=lab.sim.url, trust_env=False, timeout=20) as client:
        user = {"name": account.username, "password": account.password, "domain": {"name": account.domain_name}}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = await client.post(
            "/v3/auth/tokens", json={"auth": {"identity": identity, "scope": {"project": {"id": account.project_id}}}}
        )
        answer.raise_for_status()
        client.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        yield Scene(lab=lab, project=project, cloud=Cloud(client=client, project_id=account.project_id))
