"""What a world forgets in time, so that one that runs for weeks does not grow: jobs and client tokens."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from ecs_simulator.world.jobs import Job

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

EVERY_SECONDS = 60.0
"""How often somebody looks, in seconds of the world."""
CLIENT_TOKEN_SECONDS = 7 * 86400.0
"""As long as it is remembered that a client token was used, and has expired since."""


def tidy(world: World, now: float) -> None:
    """Forget what nobody can ask for any more. Everything is in the order of its time, so this costs what is forgotten."""
    end = now - world.behaviour.job_retention
    for job_id in [job.id for job in takewhile(lambda job: _is_past(job, end), world.jobs.values())]:
        del world.jobs[job_id]
    for project in world.projects.values():
        past = takewhile(lambda item: item[1].at < now - CLIENT_TOKEN_SECONDS, project.tokens.items())
        for token in [token for token, _ in past]:
            del project.tokens[token]


def _is_past(job: Job, moment: float) -> bool:
    if job.begin >= moment:
        return False
    ended = job.end
    return ended is not None and ended < moment
