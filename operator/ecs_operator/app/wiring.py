"""The kinds of this operator: where they are served, what they write, and how their reconcilers are built."""

from __future__ import annotations

from ecs_operator.api.crds import CUSTOM_RESOURCES
from ecs_operator.api.group import CREDENTIALS_FINALIZER, FINALIZER, GROUP, VERSION
from ecs_operator.app.assembly import Kinds, Platform, Workload
from ecs_operator.app.status_fields import status_fields
from ecs_operator.kube.resource_types import ResourceType
from ecs_operator.kube.store import Ownership
from ecs_operator.resources.ownership import ClusterIdentity
from ecs_operator.resources.project.guard import SecretGuard
from ecs_operator.resources.project.link import RegistrySettings
from ecs_operator.resources.project.orphans import OrphanPolicy, OrphanSearch
from ecs_operator.resources.project.reconciler import ProjectReconciler
from ecs_operator.resources.project.registry import TenantRegistry
from ecs_operator.resources.server.reconciler import ServerReconciler
from ecs_operator.resources.server_group.reconciler import ServerGroupReconciler
from ecs_operator.resources.visit import Desk
from ecs_operator.resources.volume_attachment.reconciler import VolumeAttachmentReconciler


def build(platform: Platform) -> Workload:
    """The reconcilers, around one registry of tenants."""
    settings = platform.settings
    guard = SecretGuard(store=platform.store, held=platform.held_secrets, namespace=settings.namespace, clock=platform.clock)
    registry = TenantRegistry(
        store=platform.store,
        guard=guard,
        identity=ClusterIdentity(cluster_id=platform.identity.cluster_id, key=platform.identity.key),
        clock=platform.clock,
        settings=RegistrySettings(
            namespace=settings.namespace,
            allow_http=settings.allow_http,
            create_deadline=settings.create_deadline,
            gateway_timeout=settings.gateway_timeout,
            list_lag=settings.list_lag,
        ),
        wake=platform.wake,
    )
    store, writer, authority = platform.store, platform.writer, platform.authority
    clock, rng, events = platform.clock, platform.rng, platform.events
    desk = Desk(store=store, writer=writer, tenants=registry, authority=authority, clock=clock, events=events)
    return Workload(
        reconcilers=(
            ProjectReconciler(
                store=store,
                writer=writer,
                registry=registry,
                guard=guard,
                clock=clock,
                orphans=OrphanSearch(
                    store=store,
                    clock=clock,
                    policy=OrphanPolicy(age=settings.orphan_age, between_looks=min(settings.list_lag, settings.orphan_age)),
                    sees_all=not settings.watch_namespaces,
                ),
                events=events,
            ),
            ServerReconciler(
                store=store,
                writer=writer,
                tenants=registry,
                authority=authority,
                clock=clock,
                rng=rng,
                wake=platform.wake,
                events=events,
                details_period=settings.details_period,
            ),
            ServerGroupReconciler(desk),
            VolumeAttachmentReconciler(desk),
        ),
        close=registry.close,
    )


KINDS = Kinds(
    types=tuple(
        ResourceType(
            group=GROUP,
            version=VERSION,
            kind=each.names.kind,
            plural=each.names.plural,
            namespaced=each.names.scope == "Namespaced",
        )
        for each in CUSTOM_RESOURCES
    ),
    ownership=Ownership(
        finalizer=FINALIZER,
        status_manager="ecs-operator",
        finalizer_manager="ecs-operator-finalizer",
        secret_finalizer=CREDENTIALS_FINALIZER,
    ),
    status_fields={each.names.plural: status_fields(each.status) for each in CUSTOM_RESOURCES},
    build=build,
)
