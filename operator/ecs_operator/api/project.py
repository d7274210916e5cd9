"""EcsProject: where and as whom the operator talks to the cloud."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import (
    LIST_SET,
    ApiModel,
    CloudId,
    Conditions,
    Count,
    Generation,
    ItemName,
    ObjectName,
    SeenText,
    Timestamp,
    list_map,
    text,
)
from ecs_operator.api.rules import Rule, exactly_one, validations

_URL = r"^https?://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?$"
_PEM = r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"

Url = Annotated[str, text(512, pattern=_URL)]
MOST_ORPHANS_SHOWN = 20
PerSecond = Annotated[int, Field(ge=1, le=1000)]


class NamespaceSelector(ApiModel):
    """Selects namespaces by their labels."""

    match_labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(min_length=1, max_length=16)]
    """Labels a namespace must have, all of them."""


class AllowedNamespaces(ApiModel):
    """The namespaces whose objects may use a project."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            Rule(
                test="(self.from == 'Names') == has(self.names)",
                message="from: Names and names go together",
                message_expression="has(self.names) ? 'names is set, but from is %s: set from: Names, or remove names'.format([self.from])"
                " : 'from is Names: list the namespaces in names'",
                field=".names",
            ),
            Rule(
                test="(self.from == 'Selector') == has(self.selector)",
                message="from: Selector and selector go together",
                message_expression="has(self.selector) ? 'selector is set, but from is %s: set from: Selector, or remove selector'"
                ".format([self.from]) : 'from is Selector: say in selector.matchLabels which namespaces'",
                field=".selector",
            ),
        )
    )

    from_: Literal["All", "Names", "Selector"] = Field(default="All", alias="from")
    """All: every namespace. Names: those listed in names. Selector: those whose labels match selector. Default: All. Can be changed;
    objects in a namespace that is no longer allowed are left as they are and say so in their condition."""
    names: Annotated[tuple[ItemName, ...], Field(min_length=1, max_length=256, json_schema_extra=LIST_SET)] | None = None
    """Names of the allowed namespaces. Only, and always, with from: Names."""
    selector: NamespaceSelector | None = None
    """Labels of the allowed namespaces. Only, and always, with from: Selector."""


class Endpoints(ApiModel):
    """Addresses of the cloud's services."""

    ecs: Url
    """Address of the ECS API without version and project, for example https://ecs.eu-west-0.example.com. https only: http is refused by
    the operator unless it was started with --allow-http, for the simulator. Redirects are not followed. Can be changed."""
    iam: Url | None = None
    """Address of the identity service without version. Needed with credentials.password: tokens come from it. Can be changed."""


class OperatorSecretRef(ApiModel):
    """A Secret in the operator's own namespace."""

    name: ObjectName
    """Name of the Secret, in the operator's own namespace. A finalizer keeps it until the last object of the project is gone, or another
    Secret is named here."""


class AccessKeyCredentials(ApiModel):
    """Requests are signed with an access key."""

    secret_ref: OperatorSecretRef
    """Secret in the operator's own namespace with the keys accessKey, secretKey and, for temporary credentials, securityToken.
    A changed Secret is used within a minute."""


class PasswordCredentials(ApiModel):
    """Requests carry a token that is got with user name and password."""

    secret_ref: OperatorSecretRef
    """Secret in the operator's own namespace with the keys username, password and domainName. A changed Secret is used within a
    minute."""


class Credentials(ApiModel):
    """As whom the operator talks to the cloud."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            exactly_one("accessKey", "password", none="name the Secret of one of them", both="remove the one that is not to be used")
        )
    )

    access_key: AccessKeyCredentials | None = None
    """Sign requests with an access key (AK/SK). Needs spec.projectId. Exactly one of accessKey and password is set. Can be changed."""
    password: PasswordCredentials | None = None
    """Get tokens with user name and password. Needs spec.endpoints.iam. Exactly one of accessKey and password is set. Can be changed."""


class Limits(ApiModel):
    """What the operator allows itself towards the cloud, for all objects of the project together."""

    reads_per_second: PerSecond = 20
    """Reading calls in a second, 1 to 1000. Default: 20. Can be changed."""
    writes_per_second: PerSecond = 10
    """Changing calls in a second, 1 to 1000. Default: 10. Can be changed."""
    creates_in_flight: Annotated[int, Field(ge=1, le=1000)] = 50
    """Creations of servers that run at the same time, from the request to the end of its job, 1 to 1000. What is beyond waits for its turn
    and says so. Default: 50. Can be changed."""


class ProjectSpec(ApiModel):
    """Where and as whom: endpoints, project, credentials and budgets. Written by those who run the cluster."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            Rule(
                test="has(self.projectId) != has(self.projectName)",
                message="set exactly one of projectId and projectName",
                message_expression="has(self.projectId) ? 'set exactly one of projectId and projectName: both are set, remove projectName'"
                " : 'set exactly one of projectId and projectName: none is set; with credentials.accessKey it must be projectId'",
                field=".projectId",
            ),
            Rule(
                test="!has(self.credentials.accessKey) || has(self.projectId)",
                message="credentials.accessKey needs projectId: projectName can only be looked up with a token, so set projectId instead, "
                "or use credentials.password",
                reason="FieldValueRequired",
                field=".projectId",
            ),
            Rule(
                test="!has(self.credentials.password) || has(self.endpoints.iam)",
                message="credentials.password needs endpoints.iam: tokens come from there; add it, or use credentials.accessKey",
                reason="FieldValueRequired",
                field=".endpoints.iam",
            ),
            Rule(
                test="!has(self.caBundle) || !self.caBundle.contains('PRIVATE KEY')",
                message="caBundle holds a private key: keep only the certificates, and replace that key, for others have seen it",
                field=".caBundle",
            ),
        )
    )

    default: bool = False
    """Whether objects without spec.projectRef, in the namespaces this project allows, belong to it. Two defaults for one namespace are an
    error that the objects' conditions show. Default: false. Can be changed; objects that exist in the cloud stay where they are."""
    allowed_namespaces: AllowedNamespaces = Field(default_factory=AllowedNamespaces, json_schema_extra={"default": {"from": "All"}})
    """The namespaces whose objects may use this project. Default: all. Can be changed."""
    region: Annotated[str, text(64, pattern=r"^[A-Za-z0-9_-]+$")]
    """Region of the project, for example eu-west-0. Cannot be changed once the operator has signed in."""
    endpoints: Endpoints
    """Addresses of the cloud's services."""
    ca_bundle: Annotated[str, text(65536, pattern=_PEM)] | None = None
    """Certificates (PEM) of the authorities that sign the endpoints' certificates, instead of the system's. Can be changed."""
    project_id: CloudId | None = None
    """Id of the project in the cloud. Exactly one of projectId and projectName is set; with an access key it must be projectId. Cannot be
    changed once the operator has signed in: objects would be looked for in another project."""
    project_name: Annotated[str, text(64)] | None = None
    """Name of the project in the cloud, looked up once; the id is then kept in status.projectId. Cannot be changed once the operator has
    signed in."""
    user_id: CloudId | None = None
    """Id of the user whose credentials these are. A reinstallation with the same image names its user (ECS API reference 5.2.1): with
    credentials.password the token tells it, an access key does not, and without it the call that changes the image is made instead. Goes
    before what the token says. Can be changed."""
    credentials: Credentials
    """As whom the operator talks to the cloud: an access key, or user name and password."""
    create_idempotency: Literal["Auto", "Token", "Settle"] = "Auto"
    """How a creation whose answer was lost is settled. Token: the endpoint honours X-Client-Token, so the same request is sent again at
    once. Settle: first wait until a late request can no longer arrive, then look. Auto: as Settle, with the token sent along. Default:
    Auto. Choose Token only if the cloud's provider confirms it. Can be changed."""
    limits: Limits = Field(default_factory=Limits, json_schema_extra={"default": {}})
    """What the operator allows itself towards the cloud, for all objects of the project together."""
    resync_period_seconds: Annotated[int, Field(ge=1, le=86400)] = 300
    """How often every object is compared with the cloud without any event, in seconds, 1 to 86400. Default: 300. Below 60 only for tests.
    Can be changed."""


class QuotaUse(ApiModel):
    """One limit of the project."""

    used: Annotated[int, Field(ge=0, le=2**53)]
    """How much is used."""
    limit: Annotated[int, Field(ge=-1, le=2**53)]
    """How much there may be; -1 is unlimited."""


class ProjectQuota(ApiModel):
    """The project's limits as the cloud shows them (ECS API reference 5.7.1)."""

    instances: QuotaUse | None = None
    """Number of servers."""
    cores: QuotaUse | None = None
    """Number of virtual CPUs."""
    ram_mib: QuotaUse | None = Field(default=None, alias="ramMiB")
    """Memory in MiB."""


class Orphan(ApiModel):
    """A server with this cluster's mark whose object is gone."""

    server_id: SeenText
    """Its id in the cloud."""
    name: SeenText
    """Its name in the cloud."""
    since: Timestamp
    """When it was first seen without its object."""


class Orphans(ApiModel):
    """Servers that carry this cluster's mark though no EcsServer has them any more. Nothing is done to them."""

    count: Count
    """How many there are."""
    servers: Annotated[tuple[Orphan, ...], Field(max_length=MOST_ORPHANS_SHOWN, json_schema_extra=list_map("serverId"))] = ()
    """The first 20 of them."""


class ProjectStatus(ApiModel):
    """What the operator found out about the project."""

    observed_generation: Generation | None = None
    """metadata.generation this status was computed for; -1 before the first visit."""
    project_id: SeenText | None = None
    """Id of the project in the cloud."""
    microversion: SeenText | None = None
    """Microversion of the ECS API that is used for reading."""
    quota: ProjectQuota | None = None
    """The project's limits, read now and then."""
    orphans: Orphans | None = None
    """Servers with this cluster's mark whose EcsServer is gone, at least half an hour old and seen twice; absent when there are none. They
    are only reported: delete them in the cloud if nobody needs them."""
    last_handled_reconcile_at: SeenText | None = None
    """Echo of the annotation ecs.huaweicloud.com/reconcile-requested-at that was handled last."""
    conditions: Conditions = ()
    """Ready, Authenticated, and Reconciling or Stalled while they are True."""
