"""What one operation of the API is: its place in the reference, its path, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from urllib.parse import quote

from ecs_operator.cloud.errors import invalid

MICROVERSION_LOWEST = (2, 26)
"""Below it a server has no tags."""
MICROVERSION_HIGHEST = (2, 46)
"""Above it a server no longer shows its flavor's id."""
MICROVERSION_PROXIES = (2, 35)
"""Nova takes its proxies of images, volumes and networks away after it."""


class Lane(IntEnum):
    """Priority of a call, the lowest number first."""

    URGENT = 0
    """Deletions and changes a user waits for."""
    CREATE = 1
    POLL = 2
    """Jobs, and looks at single things."""
    RESYNC = 3
    """Lists."""


class Kind(StrEnum):
    """Which budget a call is charged to."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"


class Family(StrEnum):
    """Which of the APIs answers, and in which manner."""

    ECS = "ecs"
    """/v1: codes of table A.2."""
    NOVA = "nova"
    """/v2.1: Nova's faults and microversions."""
    ROOT = "root"
    """The list of versions."""
    IAM = "iam"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation, e.g. ``createServers`` of section 5.1.1."""

    section: str
    name: str
    method: str
    path: str
    family: Family = Family.ECS
    kind: Kind = Kind.READ
    lane: Lane = Lane.POLL
    lists: bool = False
    """The answer may be long: up to 32 MiB instead of 1 MiB."""
    microversion: tuple[int, int] | None = None
    """The highest that may be asked for; None sends no microversion."""
    least: tuple[int, int] | None = None
    """The lowest that knows the operation, or what is asked of it: an endpoint without it is not called."""

    @property
    def reads(self) -> bool:
        """It changes nothing and may be repeated."""
        return self.kind is Kind.READ

    def url_path(self, values: Mapping[str, str]) -> str:
        """The path with its parameters filled in and percent-encoded. Raises CloudError on an empty or path-like value."""
        segments = []
        for segment in self.path.split("/"):
            if not segment.startswith("{"):
                segments.append(segment)
                continue
            name = segment.strip("{}")
            value = values[name]
            if value in {"", ".", ".."} or "/" in value or len(value) > 255 or not value.isprintable():
                raise invalid(operation=self.name, field=name, problem="must be an id of 1 to 255 characters without '/'")
            segments.append(quote(value, safe="-._~"))
        return "/".join(segments)
