"""The whole set on one machine: control plane, simulated cloud, definitions and rights, a default EcsProject, the operator."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecs_lab.control_plane import ControlPlane, control_plane
from ecs_lab.installation import install, operator_kubeconfig
from ecs_lab.operator import NAMESPACE, OperatorProcess, operator
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import made
from ecs_lab.simulator import Simulator, simulator
from ecs_lab.tenancy import SEED_ACCOUNT, Account, as_yaml, project, secret

DEFAULT_PROJECT = "lab"
DEFAULT_SECRET = "lab-account"  # noqa: S105 -- its name


@dataclass(frozen=True, kw_only=True)
class CloudProject:
    """A cloud project of its own: the EcsProject's name, the namespace it admits, the account and the seeded things in it."""

    name: str
    namespace: str
    account: Account


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """Control plane, simulator and operator, and what is done between them. `op` exists also when it was not started."""

    directory: Path
    cp: ControlPlane
    sim: Simulator
    op: OperatorProcess

    async def add_project(
        self,
        name: str,
        *,
        namespace: str,
        quota: Mapping[str, int] | None = None,
        endpoint: str | None = None,
        spec: Mapping[str, Any] | None = None,
    ) -> CloudProject:
        """Make a cloud project with its own account, and the Secret and EcsProject for it, which admits one namespace.

        `endpoint` puts a proxy in front of the cloud; `spec` replaces fields of the EcsProject.
        """
        wanted: dict[str, Any] = {"name": name, **({"quota": dict(quota)} if quota else {})}
        account = Account.of(await self.sim.admin("POST", "/_sim/projects", wanted))
        definition = project(name, account, secret_name=name, endpoint=endpoint or self.sim.url, namespaces=[namespace], spec=spec)
        await self.cp.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(secret(name, account), definition))
        return CloudProject(name=name, namespace=namespace, account=account)

    async def remove_project(self, added: CloudProject) -> None:
        """Ask for the deletion of its EcsProject, without waiting: it stays until its last object is gone. The Secret stays with it."""
        await self.cp.kubectl("delete", "ecsproject", added.name, "--wait=false", "--ignore-not-found")


async def apply_default_project(plane: ControlPlane, sim: Simulator) -> None:
    """The EcsProject `lab`, default for all namespaces, with its Secret."""
    # Who plays changes things behind the operator's back, and does not wait five minutes to see them noticed.
    pace = {"resyncPeriodSeconds": 60}
    definition = project(DEFAULT_PROJECT, SEED_ACCOUNT, secret_name=DEFAULT_SECRET, endpoint=sim.url, default=True, spec=pace)
    await plane.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(secret(DEFAULT_SECRET, SEED_ACCOUNT), definition))


@asynccontextmanager
async def joined(
    *,
    directory: Path,
    plane: ControlPlane,
    sim: Simulator,
    with_operator: bool = True,
    operator_args: Sequence[str] = (),
    operator_env: Mapping[str, str] | None = None,
    on_progress: OnProgress = silent,
) -> AsyncIterator[Laboratory]:
    """A laboratory made of a control plane and a simulator that run already."""
    await install(plane, on_progress=on_progress)
    await apply_default_project(plane, sim)
    kubeconfig = await operator_kubeconfig(plane, directory / "operator" / "operator.kubeconfig")
    running = operator(
        kubeconfig=kubeconfig,
        directory=directory / "operator",
        args=operator_args,
        env=operator_env,
        start=with_operator,
        on_progress=on_progress,
    )
    async with running as op:
        yield Laboratory(directory=directory, cp=plane, sim=sim, op=op)


@asynccontextmanager
async def laboratory(
    *,
    directory: Path,
    with_operator: bool = True,
    seed: Path | None = None,
    time_scale: float | None = None,
    operator_args: Sequence[str] = (),
    operator_env: Mapping[str, str] | None = None,
    on_progress: OnProgress = silent,
) -> AsyncIterator[Laboratory]:
    """A laboratory with everything of its own in `directory`. A directory that was used before is continued, the cloud's state too."""
    folder = made(directory)
    async with AsyncExitStack() as stack:
        plane = await stack.enter_async_context(control_plane(directory=folder / "control-plane", on_progress=on_progress))
        state = folder / "simulator" / "state.json"
        cloud = simulator(directory=folder / "simulator", seed=seed, state=state, time_scale=time_scale, on_progress=on_progress)
        sim = await stack.enter_async_context(cloud)
        whole = joined(
            directory=folder,
            plane=plane,
            sim=sim,
            with_operator=with_operator,
            operator_args=operator_args,
            operator_env=operator_env,
            on_progress=on_progress,
        )
        yield await stack.enter_async_context(whole)


__all__ = ["NAMESPACE", "CloudProject", "Laboratory", "apply_default_project", "joined", "laboratory"]
