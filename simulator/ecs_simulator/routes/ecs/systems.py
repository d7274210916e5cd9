"""ECS API reference 5.2.1 to 5.2.3: what a server runs, and where."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.passwords import require_strong
from ecs_simulator.routes.user_data import read_user_data
from ecs_simulator.world import migration, reinstalling
from ecs_simulator.world.reinstalling import Access

_INSTALL = "/v2/{project_id}/cloudservers/{server_id}"
_MIGRATE = "/v1/{project_id}/cloudservers/{server_id}/migrate"
_MAX_HOST = 64


def reinstall_server(call: Call) -> Reply:
    """5.2.1. Who the user is must be told; the key pair is left out where a password is to be used, as in the first example."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "os-reinstall")
    access = _access(call, wanted, server.image_id, user_id=wanted.need_text("userid"))
    job = reinstalling.reinstall(call.world, call.project, server, access, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


def change_server_image(call: Call) -> Reply:
    """5.2.2. Without a user it is the one of the token."""
    server = call.project.server(call.path["server_id"])
    wanted = Fields.of(call.body, "os-change")
    image_id = wanted.need_text("imageid")
    access = _access(call, wanted, image_id, user_id=wanted.text("userid") or call.user_id)
    job = reinstalling.change(call.world, call.project, server, image_id, access, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


def _access(call: Call, wanted: Fields, image_id: str, *, user_id: str) -> Access:
    """Read key pair, password, user data and mode. The password is checked and forgotten; the mode means nothing."""
    key_name, password = wanted.text("keyname"), wanted.text("adminpass")
    if key_name is not None and password is not None:
        raise wanted.bad("adminpass", "is not possible together with keyname")
    if password is not None:
        image = call.world.images.get(image_id)
        windows = image is not None and image.is_seen_by(call.project.id) and image.os_type == "Windows"
        require_strong(password, where=wanted.place("adminpass"), user="Administrator" if windows else "root", windows=windows)
    wanted.choice("mode", ("withStopServer",))
    metadata = wanted.optional_part("metadata")
    return Access(key_name=key_name, user_id=user_id, user_data=read_user_data(metadata) if metadata is not None else None)


def migrate_server(call: Call) -> Reply:
    """5.2.3. null moves the server to the shared pool; the field itself must be there."""
    server = call.project.server(call.path["server_id"])
    body = Fields(call.body)
    if "migrate" not in body.data:
        raise body.bad("migrate", "is missing")
    wanted = body.optional_part("migrate")
    host_id = wanted.text("dedicated_host_id") if wanted is not None else None
    if wanted is not None and host_id is not None and len(host_id) > _MAX_HOST:
        raise wanted.bad("dedicated_host_id", f"is longer than {_MAX_HOST} characters")
    job = migration.migrate(call.world, call.project, server, host_id, cause=cause_of(call))
    return Reply(200, {"job_id": job.id})


OPERATIONS = (
    Operation("5.2.1", "reinstallServer", "POST", f"{_INSTALL}/reinstallos", ecs(reinstall_server)),
    Operation("5.2.2", "changeServerImage", "POST", f"{_INSTALL}/changeos", ecs(change_server_image)),
    Operation("5.2.3", "migrateServer", "POST", _MIGRATE, ecs(migrate_server)),
)
