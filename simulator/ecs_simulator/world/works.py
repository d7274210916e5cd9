"""All kinds of jobs by their type."""

from __future__ import annotations

from types import MappingProxyType

from ecs_simulator.world import attaching, creation, power, removal, resizing

WORKS = MappingProxyType(
    {
        work.job_type: work
        for work in (creation.CREATE, removal.DELETE, resizing.RESIZE, attaching.ATTACH, attaching.DETACH, *power.WORKS.values())
    }
)
