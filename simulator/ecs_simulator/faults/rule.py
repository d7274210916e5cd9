"""A fault rule: which requests, when, and what happens to them. Read from the JSON of ``POST /_sim/faults``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Moment = Literal["before", "after"]


class FaultError(ValueError):
    """A rule that says something impossible; the text names the field and the way out."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a rule is about; everything given must hold.

    ``operation`` is a name ("createServers") or a section ("5.1.1"), ``path`` a regular expression searched in path and query.
    Of the requests that match, ``nth`` takes only that one (counted from 1), ``every`` each n-th, ``probability`` that share by chance.
    """

    operation: str | None = None
    method: str | None = None
    path: re.Pattern[str] | None = None
    project: str | None = None
    nth: int | None = None
    every: int | None = None
    probability: float | None = None

    def covers(self, *, name: str | None, section: str | None, method: str, target: str, project: str | None) -> bool:
        """Tell whether a request is of the kind the rule is about, counters aside."""
        if self.operation is not None and self.operation not in {name, section}:
            return False
        if self.method is not None and self.method != method:
            return False
        if self.project is not None and self.project != project:
            return False
        return self.path is None or self.path.search(target) is not None


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens: a pause of ``delay`` real seconds, then at most one way of spoiling the answer.

    ``status`` alone answers as a proxy does, with an HTML page; with ``code`` or ``message`` in the family's error shape; with ``body``
    exactly that. ``drop`` closes the connection without an answer, ``reset`` resets it, ``truncate`` sends only so many bytes of the body,
    ``garbage`` sends bytes that are no JSON.
    """

    delay: float = 0.0
    status: int | None = None
    code: str | None = None
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    drop: bool = False
    reset: bool = False
    truncate: int | None = None
    garbage: bool = False

    @property
    def spoils(self) -> bool:
        """Whether the answer changes; a mere delay leaves it alone."""
        return self.status is not None or self.drop or self.reset or self.truncate is not None or self.garbage


@dataclass(slots=True)
class Rule:
    """A rule and how often it matched (``seen``) and struck (``hits``). It is spent after ``times`` hits, None for never."""

    id: str
    match: Match
    when: Moment
    effect: Effect
    times: int | None
    source: Mapping[str, Any]
    seen: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        """Whether the rule has struck as often as it may."""
        return self.times is not None and self.hits >= self.times

    def to_json(self) -> dict[str, Any]:
        """Return the rule as it was given, with its counters."""
        return {"id": self.id, **self.source, "seen": self.seen, "hits": self.hits, "spent": self.spent}


def parse_rule(rule_id: str, data: object) -> Rule:
    """Read a rule; FaultError names what is wrong with it."""
    fields = _object(data, "the rule", {"match", "when", "do", "times"})
    when = fields.get("when", "before")
    if when not in {"before", "after"}:
        raise FaultError(f'when: {when!r} is neither "before" nor "after"')
    if "do" not in fields:
        raise FaultError('do: missing; say what happens, such as {"status": 502}')
    effect = _effect(fields["do"])
    times = _count(fields.get("times"), "times")
    if not effect.spoils and not effect.delay:
        raise FaultError("do: nothing happens; give status, delay, drop, reset, truncate or garbage")
    return Rule(
        id=rule_id,
        match=_match(fields.get("match") or {}),
        when="after" if when == "after" else "before",
        effect=effect,
        times=times,
        source=dict(fields),
    )


def _match(data: object) -> Match:
    fields = _object(data, "match", {"operation", "section", "method", "path", "project", "nth", "every", "probability"})
    operation = _text(fields.get("operation"), "match.operation") or _text(fields.get("section"), "match.section")
    path = _text(fields.get("path"), "match.path")
    try:
        pattern = None if path is None else re.compile(path)
    except re.error as error:
        raise FaultError(f"match.path: {path!r} is no regular expression: {error}") from error
    method = _text(fields.get("method"), "match.method")
    probability = _number(fields.get("probability"), "match.probability", most=1.0)
    return Match(
        operation=operation,
        method=method.upper() if method else None,
        path=pattern,
        project=_text(fields.get("project"), "match.project"),
        nth=_count(fields.get("nth"), "match.nth"),
        every=_count(fields.get("every"), "match.every"),
        probability=probability,
    )


def _effect(data: object) -> Effect:
    fields = _object(data, "do", {"delay", "status", "code", "message", "headers", "body", "drop", "reset", "truncate", "garbage"})
    status = _count(fields.get("status"), "do.status")
    if status is not None and not 200 <= status <= 599:
        raise FaultError(f"do.status: {status} is not between 200 and 599")
    for name in ("code", "message", "body"):
        if fields.get(name) is not None and status is None:
            raise FaultError(f"do.{name}: needs do.status beside it")
    headers = _object(fields.get("headers") or {}, "do.headers", None)
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9-]+", name) or not isinstance(value, str | int) or re.search(r"[^\x20-\x7e]", str(value)):
            raise FaultError(f"do.headers: {name!r} is not a plain header")
    spoilers = [name for name in ("status", "drop", "reset", "truncate", "garbage") if fields.get(name) not in {None, False}]
    if len(spoilers) > 1:
        raise FaultError(f"do: {' and '.join(spoilers)} exclude one another")
    return Effect(
        delay=_number(fields.get("delay"), "do.delay", most=3600.0) or 0.0,
        status=status,
        code=_text(fields.get("code"), "do.code"),
        message=_text(fields.get("message"), "do.message"),
        headers={name: str(value) for name, value in headers.items()},
        body=fields.get("body"),
        drop=_flag(fields.get("drop"), "do.drop"),
        reset=_flag(fields.get("reset"), "do.reset"),
        truncate=_count(fields.get("truncate"), "do.truncate", least=0),
        garbage=_flag(fields.get("garbage"), "do.garbage"),
    )


def _object(data: object, name: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise FaultError(f"{name}: must be an object")
    unknown = sorted(set(data) - known) if known is not None else []
    if unknown:
        raise FaultError(f"{name}: unknown field {unknown[0]!r}; known are {', '.join(sorted(known or ()))}")
    return data


def _text(value: object, name: str) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise FaultError(f"{name}: must be a text")


def _flag(value: object, name: str) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise FaultError(f"{name}: must be true or false")


def _count(value: object, name: str, *, least: int = 1) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= least):
        return value
    raise FaultError(f"{name}: must be a whole number from {least} on")


def _number(value: object, name: str, *, most: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most:
        return float(value)
    raise FaultError(f"{name}: must be a number from 0 to {most:g}")
