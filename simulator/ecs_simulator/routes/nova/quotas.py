"""ECS API reference 6.10: limits and quota sets, native."""

from __future__ import annotations

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import queries, quota_rows
from ecs_simulator.routes.answering import nova, since
from ecs_simulator.world.project import Quota

_SETS = "/v2.1/{project_id}/os-quota-sets/{project_id}"
# What goes with a microversion: 2.35 as the reference says, the others as in Nova.
_GONE = (
    (35, ("maxSecurityGroupRules",)),
    (36, ("maxSecurityGroups", "maxTotalFloatingIps", "totalSecurityGroupsUsed", "totalFloatingIpsUsed")),
    (39, ("maxImageMeta",)),
    (57, ("maxPersonality", "maxPersonalitySize")),
)


def show_limits(call: Call) -> Reply:
    """6.10.1: one's own only."""
    asked = queries.first(call, "project_id") or queries.first(call, "tenant_id")
    if asked not in {None, call.project.id}:
        raise _forbidden()
    absolute = quota_rows.absolute(call)
    gone = {name for minor, names in _GONE if since(call, minor) for name in names}
    return Reply(200, {"limits": {"rate": [], "absolute": {name: value for name, value in absolute.items() if name not in gone}}})


def show_quota_set(call: Call) -> Reply:
    """6.10.2: of the own project, the default one for a project or user that does not exist, and 403 for another project."""
    asked, user = call.path["project_id_2"], queries.first(call, "user_id")
    if asked != call.project.id and asked in call.world.projects:
        raise _forbidden()
    is_known = asked == call.project.id and (user is None or user in call.project.users)
    quota = call.project.quota if is_known else Quota()
    return Reply(200, {"quota_set": quota_rows.quota_set(call, quota, asked)})


def show_default_quota_set(call: Call) -> Reply:
    """6.10.3."""
    return Reply(200, {"quota_set": quota_rows.quota_set(call, Quota(), call.path["project_id_2"])})


def _forbidden() -> ApiError:
    return ApiError(403, "Ecs.0005", "Policy doesn't allow the quota of another project to be shown.", nova=True)


OPERATIONS = (
    Operation("6.10.1", "showLimitsNative", "GET", "/v2.1/{project_id}/limits", nova(show_limits)),
    Operation("6.10.2", "showQuotaSet", "GET", _SETS, nova(show_quota_set)),
    Operation("6.10.3", "showDefaultQuotaSet", "GET", f"{_SETS}/defaults", nova(show_default_quota_set)),
)
