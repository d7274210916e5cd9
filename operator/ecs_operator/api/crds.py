"""The four CustomResourceDefinitions, as values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from ecs_operator.api import group
from ecs_operator.api.group import CATEGORY, GROUP, VERSION, KindNames
from ecs_operator.api.project import ProjectSpec, ProjectStatus
from ecs_operator.api.root_rules import (
    PROJECT_ROOT_RULES,
    SERVER_GROUP_ROOT_RULES,
    SERVER_ROOT_RULES,
    VOLUME_ATTACHMENT_ROOT_RULES,
)
from ecs_operator.api.rules import Rule, validations
from ecs_operator.api.schema import structural_schema
from ecs_operator.api.server import ServerSpec, ServerStatus
from ecs_operator.api.server_group import ServerGroupSpec, ServerGroupStatus
from ecs_operator.api.volume_attachment import VolumeAttachmentSpec, VolumeAttachmentStatus

Definition = dict[str, Any]

MOST_SELECTABLE_FIELDS = 8
"""The API server's limit for one version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of ``kubectl get``. Wide ones show only with ``-o wide``."""

    name: str
    path: str
    text: str
    type: Literal["string", "integer", "boolean", "date"] = "string"
    wide: bool = False

    def as_definition(self) -> Definition:
        """The item of ``additionalPrinterColumns``."""
        column: Definition = {"name": self.name, "type": self.type, "jsonPath": self.path, "description": self.text}
        return {**column, "priority": 1} if self.wide else column


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomResource:
    """One kind: its names, its models, and what kubectl shows of it."""

    names: KindNames
    text: str
    spec: type[BaseModel]
    status: type[BaseModel]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    root_rules: tuple[Rule, ...] = ()

    def definition(self) -> Definition:
        """The CustomResourceDefinition."""
        names = self.names
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": names.crd_name, "labels": {"app.kubernetes.io/part-of": "ecs-operator"}},
            "spec": {
                "group": GROUP,
                "scope": names.scope,
                "names": {
                    "kind": names.kind,
                    "listKind": f"{names.kind}List",
                    "plural": names.plural,
                    "singular": names.kind.lower(),
                    "shortNames": [names.short],
                    "categories": [CATEGORY],
                },
                "versions": [
                    {
                        "name": VERSION,
                        "served": True,
                        "storage": True,
                        "subresources": {"status": {}},
                        "selectableFields": [{"jsonPath": path} for path in self.selectable],
                        "additionalPrinterColumns": [column.as_definition() for column in self.columns],
                        "schema": {"openAPIV3Schema": self.schema()},
                    }
                ],
            },
        }

    def schema(self) -> Definition:
        """The schema of the whole object.

        kstatus takes an object without observedGeneration for current, so a fresh object gets -1 before the operator sees it.
        """
        status = {**structural_schema(self.status, "status"), "default": {"observedGeneration": -1}}
        return {
            "type": "object",
            "description": self.text,
            "required": ["spec"],
            "properties": {
                "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
                "kind": {"type": "string", "description": f"{self.names.kind}."},
                "metadata": {"type": "object"},
                "spec": structural_schema(self.spec, "spec"),
                "status": status,
            },
            **(validations(*self.root_rules) if self.root_rules else {}),
        }


_AGE = Column(name="Age", path=".metadata.creationTimestamp", type="date", text="When the object was created")


_DRIFT = ".status.conditions[?(@.type=='DriftDetected')].status"


def _ready(part: Literal["status", "reason", "message"]) -> str:
    return f".status.conditions[?(@.type=='Ready')].{part}"


def _columns(shown: Iterable[Column], wide: Iterable[Column] = ()) -> tuple[Column, ...]:
    """Ready first, then the kind's own columns, then the reason; age last."""
    return (
        Column(name="Ready", path=_ready("status"), text="Whether the cloud matches the spec"),
        *shown,
        *wide,
        Column(name="Reason", path=_ready("reason"), text="Why it is, or is not, ready", wide=True),
        Column(name="Message", path=_ready("message"), text="What goes on or went wrong", wide=True),
        _AGE,
    )


PROJECT = CustomResource(
    names=group.PROJECT,
    text="Where and as whom the operator manages servers: endpoints, project, credentials and budgets. "
    "Objects find it by spec.projectRef, or because it is the default of their namespace.",
    spec=ProjectSpec,
    status=ProjectStatus,
    columns=_columns(
        [
            Column(name="Region", path=".spec.region", text="Region"),
            Column(name="Default", path=".spec.default", type="boolean", text="Whether objects without projectRef belong to it"),
            Column(name="Project", path=".status.projectId", text="Id of the project in the cloud"),
        ],
        [
            Column(name="Endpoint", path=".spec.endpoints.ecs", text="Address of the ECS API", wide=True),
            Column(name="Used", path=".status.quota.instances.used", type="integer", text="Servers in the project", wide=True),
            Column(name="Limit", path=".status.quota.instances.limit", type="integer", text="Servers allowed", wide=True),
        ],
    ),
    selectable=(".spec.region", ".status.projectId"),
    root_rules=PROJECT_ROOT_RULES,
)

SERVER = CustomResource(
    names=group.SERVER,
    text="One elastic cloud server.",
    spec=ServerSpec,
    status=ServerStatus,
    columns=_columns(
        [
            Column(name="Status", path=".status.serverStatus", text="The server's state in the cloud"),
            Column(name="Power", path=".status.powerState", text="Power state"),
            Column(name="IP", path=".status.privateIp", text="First private address"),
            Column(name="Flavor", path=".status.flavor", text="Flavor the server has"),
        ],
        [
            Column(name="ID", path=".status.id", text="Id of the server in the cloud", wide=True),
            Column(name="Zone", path=".status.availabilityZone", text="Zone the server is in", wide=True),
            Column(name="Public-IP", path=".status.publicIp", text="First public address", wide=True),
            Column(name="Task", path=".status.taskState", text="What the cloud is doing with it", wide=True),
            Column(name="Job", path=".status.job.status", text="State of the last job", wide=True),
            Column(name="Drift", path=_DRIFT, text="True while others have changed in the cloud what the spec says", wide=True),
        ],
    ),
    selectable=(".spec.flavor", ".spec.availabilityZone", ".status.id", ".status.serverStatus"),
    root_rules=SERVER_ROOT_RULES,
)

SERVER_GROUP = CustomResource(
    names=group.SERVER_GROUP,
    text="A group of servers that stand on different hosts. Servers join it by spec.serverGroupRef.",
    spec=ServerGroupSpec,
    status=ServerGroupStatus,
    columns=_columns(
        [
            Column(name="Policy", path=".spec.policy", text="Policy of the group"),
            Column(name="ID", path=".status.id", text="Id of the group in the cloud"),
        ]
    ),
    selectable=(".status.id",),
    root_rules=SERVER_GROUP_ROOT_RULES,
)

VOLUME_ATTACHMENT = CustomResource(
    names=group.VOLUME_ATTACHMENT,
    text="One volume attached to one server. The volume itself is neither made nor deleted by it.",
    spec=VolumeAttachmentSpec,
    status=VolumeAttachmentStatus,
    columns=_columns(
        [
            Column(name="Volume", path=".spec.volumeId", text="Id of the volume"),
            Column(name="Device", path=".status.device", text="Where the guest sees it"),
            Column(name="GiB", path=".status.sizeGiB", type="integer", text="Size of the volume"),
        ],
        [
            Column(name="Server", path=".status.serverId", text="Id of the server", wide=True),
            Column(name="Job", path=".status.job.status", text="State of the last job", wide=True),
        ],
    ),
    selectable=(".spec.volumeId", ".status.serverId"),
    root_rules=VOLUME_ATTACHMENT_ROOT_RULES,
)

CUSTOM_RESOURCES: tuple[CustomResource, ...] = (PROJECT, SERVER, SERVER_GROUP, VOLUME_ATTACHMENT)
