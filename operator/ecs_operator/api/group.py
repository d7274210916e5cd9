"""Names of the API group: what stands in apiVersion, in annotations and in finalizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

GROUP = "ecs.huaweicloud.com"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

CATEGORY = "ecs"
"""``kubectl get ecs`` lists every kind."""

FINALIZER = f"{GROUP}/finalizer"

CREDENTIALS_FINALIZER = f"{GROUP}/credentials-in-use"
"""On the Secrets that EcsProjects name: without one, what an object has in the cloud could not be deleted any more."""

PAUSED_ANNOTATION = f"{GROUP}/paused"
"""``"true"``: no change in the cloud at all."""

RECONCILE_ANNOTATION = f"{GROUP}/reconcile-requested-at"
"""Any text: one pass now, echoed in ``status.lastHandledReconcileAt``."""

RESTART_ANNOTATION = f"{GROUP}/restart-requested-at"
"""Any text: one reboot, echoed in ``status.lastHandledRestartAt``."""

APPROVE_ANNOTATION = f"{GROUP}/approve-plan"
"""The hash of the plan that may be carried out."""

CONFIRM_ABSENCE_ANNOTATION = f"{GROUP}/confirm-absence"
"""On an EcsProject: the token in its condition, which says that the servers that vanished at once are really gone."""

RESERVED_METADATA_PREFIX = "ecs-operator."
"""Server metadata keys that begin so belong to the operator; the schema refuses them in a spec."""


@dataclass(frozen=True, slots=True)
class KindNames:
    """How one kind is called."""

    kind: str
    plural: str
    short: str
    scope: Literal["Cluster", "Namespaced"]

    @property
    def crd_name(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{GROUP}"


PROJECT = KindNames(kind="EcsProject", plural="ecsprojects", short="ecsproj", scope="Cluster")
SERVER = KindNames(kind="EcsServer", plural="ecsservers", short="ecsvm", scope="Namespaced")
SERVER_GROUP = KindNames(kind="EcsServerGroup", plural="ecsservergroups", short="ecsgrp", scope="Namespaced")
VOLUME_ATTACHMENT = KindNames(kind="EcsVolumeAttachment", plural="ecsvolumeattachments", short="ecsva", scope="Namespaced")

KINDS: tuple[KindNames, ...] = (PROJECT, SERVER, SERVER_GROUP, VOLUME_ATTACHMENT)

KIND_BY_PLURAL: dict[str, KindNames] = {names.plural: names for names in KINDS}
