"""Native actions on one server (ECS API reference 6.3). There are no jobs here: the server's state tells how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from pydantic import ValidationError

from ecs_operator.cloud.errors import Meaning, Outcome
from ecs_operator.cloud.failures import failed
from ecs_operator.cloud.models.servers import Server, ServerRow
from ecs_operator.cloud.models.wire import Answer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check, metadata_pairs
from ecs_operator.cloud.session import CloudAnswer, Session

_ACTION = "/v2.1/{project_id}/servers/{server_id}/action"


def _action(section: str, name: str, *, microversion: tuple[int, int] | None = None) -> Operation:
    return Operation(
        section=section,
        name=name,
        method="POST",
        path=_ACTION,
        family=Family.NOVA,
        kind=Kind.WRITE,
        lane=Lane.URGENT,
        microversion=microversion,
    )


START = _action("6.3.1", "startServer")
REBOOT = _action("6.3.2", "rebootServer")
STOP = _action("6.3.3", "stopServer")
LOCK = _action("6.3.4", "lockServer")
UNLOCK = _action("6.3.5", "unlockServer")
REBUILD = _action("6.3.6", "rebuildServer", microversion=MICROVERSION_HIGHEST)
CREATE_IMAGE = _action("6.3.7", "createServerImage", microversion=MICROVERSION_HIGHEST)
RESIZE = _action("6.3.8", "resizeServerNative")
CONFIRM_RESIZE = _action("6.3.9", "confirmResize")
REVERT_RESIZE = _action("6.3.10", "revertResize")
MONITOR = Operation(
    section="6.3.11",
    name="monitorMetrics",
    method="POST",
    path="/v1.0/servers/{server_id}/action",
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)


class _RebuiltServer(Answer):
    """The answer of 6.3.6. Its password is not read: it is set nowhere."""

    server: ServerRow


class _NewImage(Answer):
    """The answer of 6.3.7 from microversion 2.45 on."""

    image_id: str


class ServerActions:
    """Native actions on one server. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def start(self, server_id: str) -> None:
        """6.3.1: start a stopped server."""
        await self._act(START, server_id, {"os-start": None})

    async def reboot(self, server_id: str, mode: Literal["SOFT", "HARD"]) -> None:
        """6.3.2: reboot a server."""
        await self._act(REBOOT, server_id, {"reboot": {"type": mode}})

    async def stop(self, server_id: str, mode: Literal["SOFT", "HARD"] = "SOFT") -> None:
        """6.3.3: stop a server, softly or by pulling the plug."""
        await self._act(STOP, server_id, {"os-stop": {"type": mode}})

    async def lock(self, server_id: str) -> None:
        """6.3.4: lock a server, so that nothing about its life, disks, interfaces and password can be changed."""
        await self._act(LOCK, server_id, {"lock": None})

    async def unlock(self, server_id: str) -> None:
        """6.3.5: unlock it."""
        await self._act(UNLOCK, server_id, {"unlock": None})

    async def rebuild(self, server_id: str, image_id: str, *, name: str | None = None, metadata: Mapping[str, str] | None = None) -> Server:
        """6.3.6: start installing an image on the system disk of a server that is not in ERROR. Data disks stay as they are.

        ``metadata`` replaces all pairs of the server's, an owner's mark included. The server comes back as far as the answer tells.
        """
        check(REBUILD, "rebuild.imageRef", "must not be empty", holds=bool(image_id))
        check(REBUILD, "rebuild.name", "1 to 254 bytes", holds=name is None or 0 < len(name.encode()) < 255)
        rebuild: dict[str, object] = {"imageRef": image_id}
        if name is not None:
            rebuild["name"] = name
        if metadata is not None:
            rebuild["metadata"] = metadata_pairs(REBUILD, metadata)
        answer = await self._act(REBUILD, server_id, {"rebuild": rebuild})
        return answer.read(_RebuiltServer).server.server()

    async def create_image(self, server_id: str, name: str, *, metadata: Mapping[str, str] | None = None) -> str:
        """6.3.7: start making a private image of a server; returns the image's id. It is usable, in the server's zone, once ACTIVE."""
        check(CREATE_IMAGE, "createImage.name", "1 to 242 bytes", holds=0 < len(name.encode()) < 243)
        pairs = metadata_pairs(CREATE_IMAGE, metadata or {})
        check(CREATE_IMAGE, "createImage.metadata", "names have less than 255 bytes", holds=all(len(key) < 255 for key in pairs))
        image: dict[str, object] = {"name": name} | ({"metadata": pairs} if pairs else {})
        return _image_id(await self._act(CREATE_IMAGE, server_id, {"createImage": image}))

    async def resize(self, server_id: str, flavor: str) -> None:
        """6.3.8: start giving a server another flavor; a running one is shut down for it.

        It ends in VERIFY_RESIZE, which must be confirmed or reverted, or with the flavor it had where resources lack.
        """
        check(RESIZE, "resize.flavorRef", "must not be empty", holds=bool(flavor))
        await self._act(RESIZE, server_id, {"resize": {"flavorRef": flavor}})

    async def confirm_resize(self, server_id: str) -> None:
        """6.3.9: keep the new flavor of a server in VERIFY_RESIZE."""
        await self._act(CONFIRM_RESIZE, server_id, {"confirmResize": None})

    async def revert_resize(self, server_id: str) -> None:
        """6.3.10: start giving a server in VERIFY_RESIZE its former flavor back. What was written since is lost."""
        await self._act(REVERT_RESIZE, server_id, {"revertResize": None})

    async def monitor(self, server_id: str) -> None:
        """6.3.11: register a server for monitoring."""
        await self._act(MONITOR, server_id, {"monitorMetrics": None})

    async def _act(self, operation: Operation, server_id: str, body: Mapping[str, object]) -> CloudAnswer:
        return await self._session.call(operation, path={"server_id": server_id}, body=body)


def _image_id(answer: CloudAnswer) -> str:
    """The id of a new image: from the body, else from the header of microversions before 2.45."""
    try:
        return _NewImage.model_validate_json(answer.raw.content).image_id
    except ValidationError:
        place = urlsplit(answer.raw.headers.get("location", "")).path
    found = place.rstrip("/").rpartition("/")[2]
    if not found:
        problem = "the answer tells neither in its body nor in a header which image is made"
        raise failed(answer.call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=answer.raw)
    return found
