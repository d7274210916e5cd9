"""Tags of servers as plain texts (ECS API reference 6.15)."""

from __future__ import annotations

from collections.abc import Iterable

from ecs_operator.cloud.errors import CloudError, Meaning
from ecs_operator.cloud.models.tags import NativeTagsAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_LOWEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

MAX_TAGS = 50
"""On one server."""
MAX_LENGTH = 80
RESERVED = "__type_"
_TAGS = "/v2.1/{project_id}/servers/{server_id}/tags"
_TAG = f"{_TAGS}/{{tag}}"


def _operation(section: str, name: str, method: str, path: str) -> Operation:
    return Operation(
        section=section,
        name=name,
        method=method,
        path=path,
        family=Family.NOVA,
        kind=Kind.READ if method == "GET" else Kind.WRITE,
        lane=Lane.POLL if method == "GET" else Lane.URGENT,
        microversion=MICROVERSION_HIGHEST,
        least=MICROVERSION_LOWEST,
    )


LIST = _operation("6.15.1", "listServerTags", "GET", _TAGS)
REPLACE = _operation("6.15.2", "replaceServerTags", "PUT", _TAGS)
CLEAR = _operation("6.15.3", "deleteAllServerTags", "DELETE", _TAGS)
ADD = _operation("6.15.4", "addServerTag", "PUT", _TAG)
CHECK = _operation("6.15.5", "checkServerTag", "GET", _TAG)
REMOVE = _operation("6.15.6", "deleteServerTag", "DELETE", _TAG)


class NativeTags:
    """Operations on tags as plain texts. All raise CloudError, and without being sent where the endpoint has no microversion 2.26.

    They are the same tags as those of ``tags``, whose pair k, v is ``k=v`` here; the reference advises not to mix the two.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, server_id: str) -> tuple[str, ...]:
        """6.15.1: the tags of a server."""
        return (await self._session.call(LIST, path={"server_id": server_id})).read(NativeTagsAnswer).tags

    async def replace(self, server_id: str, tags: Iterable[str]) -> tuple[str, ...]:
        """6.15.2: give a server these tags, at most 50, and take all others away, pairs of 5.9 included."""
        chosen = [*dict.fromkeys(tags)]
        check(REPLACE, "tags", f"at most {MAX_TAGS} tags", holds=len(chosen) <= MAX_TAGS)
        for tag in chosen:
            _check(REPLACE, "tags[]", tag)
        answer = await self._session.call(REPLACE, path={"server_id": server_id}, body={"tags": chosen})
        return answer.read(NativeTagsAnswer).tags

    async def clear(self, server_id: str) -> None:
        """6.15.3: take all tags away, pairs of 5.9 included."""
        await self._session.call(CLEAR, path={"server_id": server_id})

    async def add(self, server_id: str, tag: str) -> bool:
        """6.15.4: add a tag, and tell whether the cloud says that it is new."""
        _check(ADD, "tag", tag)
        answer = await self._session.call(ADD, path={"server_id": server_id, "tag": tag})
        return answer.raw.status == 201

    async def has(self, server_id: str, tag: str) -> bool:
        """6.15.5: tell whether a server has a tag. No, too, if there is no such server."""
        _check(CHECK, "tag", tag, reserved=True)
        try:
            await self._session.call(CHECK, path={"server_id": server_id, "tag": tag})
        except CloudError as error:
            if error.meaning is Meaning.NOT_FOUND:
                return False
            raise
        return True

    async def remove(self, server_id: str, tag: str) -> None:
        """6.15.6: take a tag away; not found if it is not there."""
        _check(REMOVE, "tag", tag)
        await self._session.call(REMOVE, path={"server_id": server_id, "tag": tag})


def _check(operation: Operation, field: str, tag: str, *, reserved: bool = False) -> None:
    """Refuse what can be no tag; of the reserved ones a server can only be asked for."""
    check(operation, field, f"1 to {MAX_LENGTH} characters", holds=1 <= len(tag) <= MAX_LENGTH)
    check(operation, field, "must have neither ',' nor '/' in it", holds="," not in tag and "/" not in tag)
    check(operation, field, f"{RESERVED}… is reserved", holds=reserved or not tag.startswith(RESERVED))
