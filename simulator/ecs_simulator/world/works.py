"""All kinds of jobs by their type."""

from __future__ import annotations

from types import MappingProxyType

from ecs_simulator.world import (
    attaching,
    creation,
    imaging,
    interfaces,
    migration,
    native_resizing,
    power,
    reinstalling,
    removal,
    resizing,
    snapshots,
    volumes,
)

WORKS = MappingProxyType(
    {
        work.job_type: work
        for work in (
            creation.CREATE,
            creation.CREATE_NATIVELY,
            removal.DELETE,
            removal.DELETE_NATIVELY,
            resizing.RESIZE,
            attaching.ATTACH,
            attaching.DETACH,
            volumes.CREATE,
            volumes.DELETE,
            snapshots.CREATE,
            snapshots.DELETE,
            interfaces.ADD,
            interfaces.REMOVE,
            native_resizing.RESIZE,
            native_resizing.REVERT,
            migration.MIGRATE,
            reinstalling.REBUILD,
            imaging.CREATE_IMAGE,
            *reinstalling.WORKS.values(),
            *power.WORKS.values(),
        )
    }
)
