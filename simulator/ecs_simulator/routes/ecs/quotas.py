"""ECS API reference 5.7: what a project may use, and what it uses."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import quota_rows
from ecs_simulator.routes.answering import ecs


def show_limits(call: Call) -> Reply:
    """5.7.1."""
    return Reply(200, {"absolute": quota_rows.absolute(call)})


OPERATIONS = (Operation("5.7.1", "showLimits", "GET", "/v1/{project_id}/cloudservers/limits", ecs(show_limits)),)
