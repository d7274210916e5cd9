"""What was done to servers, as Nova remembers it (ECS API reference 6.13).

Written from three places only: what the ledger hears of, jobs that are accepted, and parts of jobs that end. One request is one
action on a server, the first thing it is recorded for; whatever else it brings about there (disks and ports that go with a deleted
server, an attachment that is taken back) is not an action of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from ecs_simulator.world.jobs import FAIL, Job, Part
from ecs_simulator.world.ledger import BY_HAND, Cause
from ecs_simulator.world.resources import ActionEvent, InstanceAction, Server

SUCCESS, ERROR = "Success", "Error"


class Kind(NamedTuple):
    """An action by Nova's name, and the name of the event that carries it out."""

    action: str
    event: str


# By the resource and the action of a ledger entry. What is not here, such as tags, groups and names, is no action in Nova either.
KINDS: Mapping[tuple[str, str], Kind] = MappingProxyType(
    {
        ("server", "create"): Kind("create", "compute_build_and_run_instance"),
        ("server", "delete-requested"): Kind("delete", "compute_terminate_instance"),
        ("server", "start"): Kind("start", "compute_start_instance"),
        ("server", "stop"): Kind("stop", "compute_stop_instance"),
        ("server", "reboot"): Kind("reboot", "compute_reboot_instance"),
        ("server", "lock"): Kind("lock", "api_lock"),
        ("server", "unlock"): Kind("unlock", "api_unlock"),
        ("server", "resize"): Kind("resize", "compute_finish_resize"),
        ("server", "confirm-resize"): Kind("confirmResize", "compute_confirm_resize"),
        ("server", "revert-resize"): Kind("revertResize", "compute_finish_revert_resize"),
        ("server", "rebuild"): Kind("rebuild", "compute_rebuild_instance"),
        ("server", "reinstall"): Kind("rebuild", "compute_rebuild_instance"),
        ("server", "change-image"): Kind("rebuild", "compute_rebuild_instance"),
        ("server", "migrate"): Kind("migrate", "conductor_migrate_server"),
        ("server", "create-image"): Kind("createImage", "api_snapshot_instance"),
        ("attachment", "attach"): Kind("attach_volume", "compute_attach_volume"),
        ("attachment", "detach"): Kind("detach_volume", "compute_detach_volume"),
        ("interface", "attach"): Kind("attach_interface", "compute_attach_interface"),
        ("interface", "detach"): Kind("detach_interface", "compute_detach_interface"),
    }
)


def note(server: Server, *, resource: str, action: str, cause: Cause, now: float) -> None:
    """Take down what a request does to a server: done at once, unless a job takes it up. What happens by hand passes Nova by."""
    kind = KINDS.get((resource, action))
    if kind is None or cause == BY_HAND:
        return
    known = find(server, cause.request_id)
    if known is None:
        known = InstanceAction(
            action=kind.action, request_id=cause.request_id, user_id=cause.user_id, project_id=server.project_id, start=now
        )
        server.actions.append(known)
    elif known.action != kind.action or known.job_id is not None:
        return
    # Several of a kind in one request, such as interfaces (5.5.1), are events of one action.
    known.events.append(ActionEvent(event=kind.event, start=now, finish=now, result=SUCCESS))


def take_up(server: Server, job: Job) -> None:
    """Let an action last as long as the job that carries it out."""
    action = find(server, job.cause.request_id)
    if action is None or action.job_id is not None:
        return
    action.job_id = job.id
    for event in action.events:
        event.finish = event.result = None


def end(server: Server, job: Job, part: Part) -> None:
    """End the event that a part of a job carried out."""
    action = find(server, job.cause.request_id)
    if action is None or action.job_id != job.id:
        return
    event = next((event for event in action.events if event.finish is None), None)
    if event is None:
        return
    event.finish, event.result = part.end, SUCCESS
    if part.status == FAIL:
        failure = part.failure
        reason = f"{failure.code}: {failure.reason}" if failure is not None else "unknown"
        event.result, event.traceback = ERROR, f"Traceback (most recent call last):\n  {event.event}\nComputeFault: {reason}\n"
        action.message = ERROR


def find(server: Server, request_id: str) -> InstanceAction | None:
    """Return what a request did to a server, None if it did nothing."""
    return next((action for action in reversed(server.actions) if action.request_id == request_id), None)


def updated(action: InstanceAction) -> float:
    """Return when an action last changed."""
    return max([action.start, *(moment for event in action.events for moment in (event.start, event.finish) if moment is not None)])
