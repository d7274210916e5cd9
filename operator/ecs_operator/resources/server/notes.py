"""What a pass may tell the next one in memory. All of it may be lost at any moment: then the same is found out again, more slowly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ecs_operator.api.server import ServerStatus

Change = Callable[[ServerStatus], ServerStatus]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the cloud that could not be written down, because the API server did not take the write.

    It holds for exactly one ``attempt``: incarnation, token and number in the record must still be the same.
    """

    attempt: tuple[int, str, int]
    change: Change


class Notes:
    """Per object (by uid), dropped with it."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}
        self._written: dict[str, float] = {}
        self._missing: dict[str, float] = {}
        self._answers: dict[str, Answer] = {}

    def __len__(self) -> int:
        return len(self._seen.keys() | self._written.keys() | self._missing.keys() | self._answers.keys())

    def saw(self, uid: str, *, at: float) -> None:
        """The server was read by its id, or changed, at this monotonic time: an older list must not overrule it."""
        self._seen[uid] = at
        self._missing.pop(uid, None)

    def seen_at(self, uid: str) -> float | None:
        """When it was last read by its id or changed."""
        return self._seen.get(uid)

    def wrote_progress(self, uid: str, *, at: float) -> None:
        """The progress of a job was written."""
        self._written[uid] = at

    def progress_written_at(self, uid: str) -> float | None:
        """When the progress of a job was written last."""
        return self._written.get(uid)

    def missed(self, uid: str, *, at: float) -> float:
        """The server answered 404; gives the time when it did so first."""
        return self._missing.setdefault(uid, at)

    def is_missing(self, uid: str) -> bool:
        """It answered 404 when it was last read."""
        return uid in self._missing

    def believed(self, uid: str) -> None:
        """Its absence is proven and written down: lists suffice from here."""
        self._missing.pop(uid, None)

    def keep(self, uid: str, answer: Answer) -> None:
        """Keep an answer that could not be written."""
        self._answers[uid] = answer

    def take(self, uid: str) -> Answer | None:
        """The answer that could not be written, once."""
        return self._answers.pop(uid, None)

    def forget(self, uid: str) -> None:
        """The object is gone."""
        for each in (self._seen, self._written, self._missing, self._answers):
            each.pop(uid, None)
