"""What passes between the HTTP shell and the routes: one call, one reply, one refusal, one operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecs_simulator.world import Project, World


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request, parsed and scoped to the project of its credentials.

    ``headers`` has lower-case names. ``query`` keeps every value of a repeated parameter, in order.
    ``microversion`` is None under /v1 and /v2, which have none, and (2, 1) under /v2.1 when the client names none.
    """

    world: World
    project: Project
    user_id: str
    path: Mapping[str, str]
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any
    microversion: tuple[int, int] | None
    request_id: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call. ``body`` is encoded as JSON; None sends an empty body."""

    status: int
    body: Any | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """A documented refusal; the shell renders the error shape of the call's family.

    ``code`` is a code of table A.2 such as ``Ecs.0001``. ``details`` are specific codes or texts under the general one.
    ``nova`` asks for the native shape ``{"badRequest": {"code", "message"}}`` where the path alone does not decide it.
    """

    def __init__(self, status: int, code: str, message: str, details: tuple[str, ...] = (), nova: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.nova = nova


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the reference and the function that answers it.

    ``section`` is its section ("5.1.1"), ``name`` a lower-camel name ("createServers"), ``path`` the template as printed
    ("/v1/{project_id}/cloudservers"). ``action`` tells operations on a shared path apart: it is the one key of the body
    ("os-start"), or, with a ``selector``, the value of that field ("create" of the field ``action``, 5.9).
    A path under /v2.1 is served under /v2 as well; ``also`` are further paths, by which other programs call it.
    """

    section: str
    name: str
    method: str
    path: str
    handler: Handler = field(repr=False)
    action: str | None = None
    selector: str | None = None
    also: tuple[str, ...] = ()
