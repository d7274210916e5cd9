"""Accounts with few rights, and connections as them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.credentials import Credentials, KubeconfigFile


async def account(plane: ControlPlane, namespace: str, *, rules: Sequence[Mapping[str, Any]], path: Path, name: str = "tester") -> Path:
    """A ServiceAccount with these rights in its namespace, and a kubeconfig for it at ``path``."""
    named = {"name": name, "namespace": namespace}
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": named, "rules": list(rules)}
    subject = {"kind": "ServiceAccount", **named}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": named,
        "subjects": [subject],
        "roleRef": reference,
    }
    service_account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named}
    await plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([service_account, role, binding]))
    token = await plane.kubectl("create", "token", name, namespace=namespace)
    return plane.write_kubeconfig(path, token=token.strip())


@asynccontextmanager
async def connected(kubeconfig: Path) -> AsyncIterator[Connection]:
    """A connection as whoever the kubeconfig names."""
    opened = Connection(Credentials(KubeconfigFile(kubeconfig)))
    try:
        yield opened
    finally:
        await opened.close()
