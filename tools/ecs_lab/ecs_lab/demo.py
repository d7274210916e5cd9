"""The demo: the example manifests, and whether all of them became Ready."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecs_lab.errors import LaboratoryError
from ecs_lab.laboratory import Laboratory
from ecs_lab.progress import OnProgress
from ecs_lab.repository import repository_root
from ecs_lab.supervisor import Desk

_EVERY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether one object is Ready, and why not."""

    kind: str
    name: str
    ready: bool
    reason: str
    message: str

    def __str__(self) -> str:
        why = ": ".join(part for part in (self.reason, self.message) if part)
        return f"{self.kind} {self.name} ({why or 'not looked at yet'})"


def standing(item: Mapping[str, Any]) -> Standing:
    """From an object: Ready counts only when it speaks of the present generation."""
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = [condition for condition in status.get("conditions") or [] if condition["type"] == "Ready"]
    condition = conditions[0] if conditions else {}
    current = status.get("observedGeneration") == metadata["generation"]
    return Standing(
        kind=item["kind"],
        name="/".join(part for part in (metadata.get("namespace"), metadata["name"]) if part),
        ready=current and condition.get("status") == "True",
        reason=condition.get("reason", ""),
        message=condition.get("message", ""),
    )


async def standings(laboratory: Laboratory) -> tuple[Standing, ...]:
    """Of every object of our kinds, in all namespaces."""
    found = json.loads(await laboratory.cp.kubectl("get", "ecs", "--all-namespaces", "-o", "json"))
    return tuple(sorted((standing(item) for item in found["items"]), key=lambda one: (one.kind, one.name)))


def examples_folder() -> Path:
    """manifests/examples; raises LaboratoryError when nothing is in it."""
    folder = repository_root() / "manifests" / "examples"
    if not any(folder.glob("*.yaml")):
        raise LaboratoryError(f"no manifests in {folder}")
    return folder


async def apply_examples(laboratory: Laboratory, *, on_progress: OnProgress) -> None:
    """Apply the example manifests, as a user would."""
    folder = examples_folder()
    on_progress("applying manifests/examples")
    how = "-k" if (folder / "kustomization.yaml").exists() else "-f"
    await laboratory.cp.kubectl("apply", how, str(folder))


async def wait_ready(laboratory: Laboratory, *, seconds: float, on_progress: OnProgress) -> tuple[Standing, ...]:
    """Wait until every object is Ready, but no longer than that; returns those that are not."""
    started = time.monotonic()
    shown = ""
    while True:
        laboratory.op.check_alive()
        seen = await standings(laboratory)
        waiting = tuple(one for one in seen if not one.ready)
        if seen and not waiting:
            on_progress(f"waiting for the examples: all {len(seen)} objects are Ready after {time.monotonic() - started:.0f} s")
            return ()
        if time.monotonic() - started > seconds:
            return waiting
        count = f"{len(seen) - len(waiting)} of {len(seen)} Ready after {time.monotonic() - started:.0f} s"
        line = f"waiting for the examples: {count}; {waiting[0] if waiting else 'none seen yet'}"
        if line != shown:
            on_progress(line)
            shown = line
        await asyncio.sleep(_EVERY_SECONDS)


async def until_closed(laboratory: Laboratory, clerk: Desk) -> None:
    """Stay until somebody says `ecs-lab down`; the control plane ending by itself is an error."""
    while not clerk.closed.is_set():
        laboratory.cp.etcd.check_alive()
        laboratory.sim.process.check_alive()
        try:
            async with asyncio.timeout(1):
                await clerk.closed.wait()
        except TimeoutError:
            continue


def play_on(directory: Path, *, seen: Sequence[Standing]) -> str:
    """What to try next, as lines to paste, with the last server that runs."""
    running = [one.name for one in seen if one.kind == "EcsServer" and one.reason == "Available"]
    namespace, _, name = (running or ["default/NAME"])[-1].partition("/")
    lab = f"ecs-lab --dir {directory}"
    return f"""
In another terminal, from this folder:

  export PATH="$PWD/.venv/bin:$PATH"
  eval "$({lab} env)"       # KUBECONFIG, the simulator's addresses, kubectl and helm in the PATH
  kubectl get ecs -A -w
  kubectl -n {namespace} describe ecsserver {name}

Stop the server, and start it again:
  kubectl -n {namespace} patch ecsserver {name} --type=merge -p '{{"spec":{{"powerState":"Stopped"}}}}'
  kubectl -n {namespace} patch ecsserver {name} --type=merge -p '{{"spec":{{"powerState":"Running"}}}}'

Kill the operator while it creates, and start it again; the ledger shows one creation per object:
  kubectl -n {namespace} delete ecsserver {name} && kubectl apply -f manifests/examples && {lab} operator kill
  {lab} operator start
  curl -s "$ECS_SIMULATOR_ADMIN_URL/_sim/ledger"

Delete a server behind the operator's back, and read its condition:
  id=$(kubectl -n {namespace} get ecsserver {name} -o 'jsonpath={{.status.id}}')
  curl -s "$ECS_SIMULATOR_ADMIN_URL/_sim/servers/$id" -d '{{"do":"delete"}}'
  kubectl -n {namespace} annotate --overwrite ecsserver {name} ecs.huaweicloud.com/reconcile-requested-at="$(date)"   # else within a minute
  kubectl -n {namespace} get ecsserver {name} -o wide -w

What the operator says:
  {lab} operator logs --follow
"""
