"""What a failed call means for an object: the reason, the message, and when to try again."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, Meaning, lookup
from ecs_operator.cloud.codes import WHAT_TO_DO


@dataclass(frozen=True, slots=True)
class Verdict:
    """``retry_floor`` is the least pause in seconds before another try; ``terminal``: only another spec, or a person, helps."""

    reason: Reason
    message: str
    """One line: the operation, the cloud's code and text, the request ids, and what to do."""
    retry_floor: float
    terminal: bool

    @property
    def gives_up(self) -> bool:
        """It is not tried again without another spec or a request. A frozen account thaws without any event here: it is asked again."""
        return self.terminal and self.reason is not Reason.FROZEN


_VERDICTS: dict[Meaning, tuple[Reason, float, bool]] = {
    Meaning.QUOTA: (Reason.QUOTA_EXCEEDED, 15.0, False),
    Meaning.CAPACITY: (Reason.CAPACITY_EXHAUSTED, 30.0, False),
    Meaning.CONFLICT: (Reason.REJECTED, 30.0, True),
    Meaning.INVALID: (Reason.REJECTED, 60.0, True),
    Meaning.AUTH: (Reason.UNAUTHORIZED, 5.0, False),
    Meaning.FORBIDDEN: (Reason.UNAUTHORIZED, 30.0, False),
    Meaning.FROZEN: (Reason.FROZEN, 60.0, True),
    Meaning.TRANSIENT: (Reason.CLOUD_UNREACHABLE, 2.0, False),
    Meaning.THROTTLED: (Reason.THROTTLED, 5.0, False),
    Meaning.BUSY: (Reason.THROTTLED, 10.0, False),
    Meaning.NOT_FOUND: (Reason.REJECTED, 30.0, True),
    Meaning.UNREACHABLE: (Reason.CLOUD_UNREACHABLE, 2.0, False),
    Meaning.INTERNAL: (Reason.CLOUD_UNREACHABLE, 5.0, False),
}


def verdict(error: CloudError) -> Verdict:
    """The verdict on a failed call. Nothing here says whether it was carried out: that is ``error.outcome``."""
    reason, floor, terminal = _VERDICTS[error.meaning]
    entry = lookup(error.code)
    message = f"{error}; what to do: {entry.what_to_do if entry is not None else WHAT_TO_DO[error.meaning]}"
    return Verdict(reason=reason, message=message, retry_floor=max(floor, error.retry_after or 0.0), terminal=terminal)
