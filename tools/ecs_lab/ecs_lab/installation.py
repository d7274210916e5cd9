"""Putting the operator's definitions, rights and admission policies into a control plane, as `manifests/base` gives them."""

from pathlib import Path
from typing import Any

import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.errors import LaboratoryError
from ecs_lab.operator import NAMESPACE
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import repository_root
from ecs_lab.tenancy import as_yaml

SERVICE_ACCOUNT = "ecs-operator"
# The rest of manifests/base runs the operator in the cluster; here it runs as a process.
_APPLIED = frozenset(
    {
        *("Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"),
        *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
    }
)
_LEFT_OUT = frozenset({"Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy", "CustomResourceDefinition"})
_TOKEN_LIFE = "8760h"  # noqa: S105 -- how long, not which


async def install_definitions(plane: ControlPlane, *, on_progress: OnProgress = silent) -> None:
    """Apply crds/ and wait until the API server serves them."""
    folder = repository_root() / "crds"
    if not any(folder.glob("*.yaml")):
        raise LaboratoryError(f"no CustomResourceDefinition in {folder}: `make generate` writes them")
    on_progress("applying the CustomResourceDefinitions")
    await plane.kubectl("apply", "--server-side", "-f", str(folder))
    await plane.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", str(folder))


def rights(rendered: str) -> list[dict[str, Any]]:
    """The objects of manifests/base that are needed without its pod: place, rights, admission policies.

    Raises LaboratoryError for a kind not known here.
    """
    objects = [document for document in yaml.safe_load_all(rendered) if document]
    unknown = {document["kind"] for document in objects} - _APPLIED - _LEFT_OUT
    if unknown:
        raise LaboratoryError(
            f"manifests/base has objects of unknown kind {', '.join(sorted(unknown))}: say in {Path(__file__).name} what to do"
        )
    # Namespaces first: what lies in them is refused before.
    return sorted((document for document in objects if document["kind"] in _APPLIED), key=lambda document: document["kind"] != "Namespace")


async def install_rights(plane: ControlPlane, *, on_progress: OnProgress = silent) -> None:
    """Apply namespace, ServiceAccount, RBAC and admission policies of manifests/base."""
    folder = repository_root() / "manifests" / "base"
    if not (folder / "kustomization.yaml").is_file():
        raise LaboratoryError(f"no kustomization.yaml in {folder}")
    on_progress("applying the operator's namespace and rights")
    rendered = await plane.kubectl("kustomize", "--load-restrictor=LoadRestrictionsNone", str(folder))
    await plane.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(*rights(rendered)))


async def operator_token(plane: ControlPlane) -> str:
    """A token of the operator's ServiceAccount."""
    return (await plane.kubectl("create", "token", SERVICE_ACCOUNT, f"--duration={_TOKEN_LIFE}", namespace=NAMESPACE)).strip()


async def operator_kubeconfig(plane: ControlPlane, path: Path, *, server: str | None = None) -> Path:
    """Write the operator's own kubeconfig: with the rights of its ServiceAccount, and no more. `server` puts a proxy in between."""
    return plane.write_kubeconfig(path, token=await operator_token(plane), namespace=NAMESPACE, server=server)


async def install(plane: ControlPlane, *, on_progress: OnProgress = silent) -> None:
    """Definitions and rights."""
    await install_definitions(plane, on_progress=on_progress)
    await install_rights(plane, on_progress=on_progress)
