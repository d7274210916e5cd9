"""Drift: what somebody changed in the cloud, as opposed to an edit of the spec that is not carried out yet. Pure.

How the two are told apart. ``status.applied.settled`` has an entry for each field that the cloud was seen to have as the spec wants it: a
digest of what was wanted then. It goes when the cloud is found to differ while the spec wants something else by now (an edit), and when
the operator is about to disturb the field for another reason: power for a change or a restart, the lock for what it is in the way of.
Both happen in memory before the pass writes anything, and what was not written is never sent, so an entry in the record says:
*the cloud had this, and the operator has not touched it since, unless to bring it back*. A field that differs from what is wanted is
therefore drift if its entry is that of what is wanted now, and an edit in every other case:

- never settled: the field is new in the spec, or the server is being set up: an edit;
- A -> B -> A before B was sent: the entry of A is gone, or nothing differs; after B was sent it is gone: an edit each time;
- an edit of one field and a change of another in the cloud at the same time: each field is judged by its own entry;
- edited and changed in the cloud alike: what the spec wants now was never there: an edit. It is carried out;
- the operator was not running, or was killed: entries and ``since`` are in the status, nothing of this is in memory.

The generation does not tell as much: it says that something was edited, not which field, and an edit that waits for consent would hide
all drift for as long as it waits.

What an operation or a change of ours can still change is not judged before it is over, and nothing is judged of a server that a task
runs on, or that is in ERROR or frozen; what was known stays. What nobody can see (host, password, user data, key pair) cannot drift.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Applied, DriftEntry, ServerSpec, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.conditions import Condition
from ecs_operator.resources.conditions import MESSAGE_LIMIT
from ecs_operator.resources.server import change_protocol, power
from ecs_operator.resources.server.deeds import SetMetadata, SetTags
from ecs_operator.resources.server.differences import Difference, Wanted, tags_of
from ecs_operator.resources.visit import Notice

CONDITION = "DriftDetected"
DETECTED, CORRECTED = "DriftDetected", "DriftCorrected"
"""Reasons of the events."""

POWER, LOCK = "spec.powerState", "spec.locked"
_GROUPS, _METADATA, _TAGS, _PUBLIC_IP = "spec.securityGroupIds", "spec.metadata.", "spec.tags.", "spec.publicIp"
_MEMBERSHIP = ("spec.serverGroupRef", "spec.serverGroupId")
_CHANGED = {
    "Migrate": (),
    "LeaveGroup": _MEMBERSHIP,
    "JoinGroup": _MEMBERSHIP,
    "Resize": ("spec.flavor",),
    "Install": ("spec.image",),
}
"""What the steps of a change lead to."""
HIDDEN_WANT, HIDDEN_HAVE = "(the spec's value)", "(another value)"
"""Instead of metadata values, which may be secret to some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is judged: the spec, and the server as it was just seen. ``stored``: the status as it was before this pass."""

    spec: ServerSpec
    server: Server
    status: ServerStatus
    stored: ServerStatus
    wanted: Wanted
    busy: frozenset[str]
    """Fields that an operation or a change of ours can still change."""
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """``edits`` is what the spec asks for; the rest of what differs is drift, shown in ``entries``, one a field."""

    edits: tuple[Difference, ...]
    entries: tuple[DriftEntry, ...]
    settled: Mapping[str, str] = field(repr=False)

    @property
    def is_powered_by_others(self) -> bool:
        """Somebody else started or stopped the server."""
        return any(each.path == POWER for each in self.entries)

    def noted(self, status: ServerStatus) -> ServerStatus:
        """The status with it."""
        return _with_settled(status, self.settled).model_copy(update={"drift": self.entries})


def judge(found: tuple[Difference, ...], sight: Sight) -> Judgement:
    """Sort what differs into edits and drift."""
    stored, server = sight.stored, sight.server
    before = dict(stored.applied.settled) if stored.applied is not None else {}
    if not server.is_settled or server.is_frozen or server.status == "ERROR":
        return Judgement(edits=found, entries=stored.drift, settled=before)
    wants = _wants(sight)
    unseen = _unseen(sight, wants)
    fields: dict[str, Difference | None] = {_field(each.path, wants): each for each in _by_key(found, server)}
    if POWER in wants and not _has_power(sight):
        fields[POWER] = None
    settled = {}
    for path, digest in wants.items():
        entry = digest
        if path in unseen or path in fields:
            was = before.get(path)
            entry = was if digest in {None, was} else None
        if entry is not None:
            settled[path] = entry
    drifted = {path for path in fields if path in settled and path not in unseen}
    known = {each.path: each for each in stored.drift}
    entries = [known[path] for path in unseen if path in known and path in settled]
    for path in drifted:
        want, have = _texts(path, fields[path], sight)
        since = known[path].since if path in known else sight.now
        entries.append(DriftEntry(path=path, want=want, have=have, since=since))
    entries.sort(key=lambda each: each.path)
    return Judgement(edits=tuple(_edits(found, drifted, wants)), entries=tuple(entries), settled=settled)


def busy(facts: power.Facts, status: ServerStatus) -> frozenset[str]:
    """Fields that we are about to change: what they are now says nothing of others."""
    fields: set[str] = set()
    change = status.change
    if status.interface_change is not None:
        fields.add(_interface(status.interface_change.interface.name))
    if facts.operation is not None or change is not None or status.interface_change is not None:
        # The lock is opened for it; a list may be older than that.
        fields.add(LOCK)
    if facts.operation is not None and not power.has_arrived(facts):
        fields.add(POWER)
    if change is not None and not change_protocol.is_over(change):
        fields.update((POWER, *(path for step in change.steps if step.state != "Done" for path in _CHANGED[step.kind])))
    return frozenset(fields)


def disturbed(status: ServerStatus, path: str) -> ServerStatus:
    """The operator is about to change a field that the spec does not ask to be changed, and brings it back later.

    What has drifted is not changed for another reason: a server that others stopped is not started for a change.
    """
    if status.applied is None or path not in status.applied.settled or any(each.path == path for each in status.drift):
        return status
    left = {each: digest for each, digest in status.applied.settled.items() if each != path}
    return _with_settled(status, left)


def news(before: ServerStatus, after: ServerStatus) -> tuple[tuple[DriftEntry, ...], tuple[DriftEntry, ...]]:
    """What was not known before, and what has ended because the cloud is again as the spec still wants it."""
    told = {(each.path, each.want, each.have) for each in before.drift}
    standing = {each.path for each in after.drift}
    old, new = _settled(before), _settled(after)
    appeared = tuple(each for each in after.drift if (each.path, each.want, each.have) not in told)
    ended = (each for each in before.drift if each.path not in standing)
    return appeared, tuple(each for each in ended if each.path in new and new[each.path] == old.get(each.path))


def describe(entry: DriftEntry) -> str:
    """One difference, in words."""
    return f"{entry.path}: wanted {entry.want or 'nothing'}, found {entry.have or 'nothing'}"


def conditions(status: ServerStatus) -> tuple[Condition, ...]:
    """DriftDetected, while there is any."""
    if not status.drift:
        return ()
    return (Condition(CONDITION, "True", Reason.DRIFTED, _clipped("; ".join(map(describe, status.drift)))),)


def reported(entries: Iterable[DriftEntry]) -> Notice | None:
    """What is said of drift that is left as it is."""
    texts = "; ".join(f"{describe(each)}, since {each.since:%Y-%m-%dT%H:%M:%SZ}" for each in entries)
    if not texts:
        return None
    return Notice(Reason.DRIFTED, f"spec.driftPolicy: Report leaves what others changed in the cloud as it is: {texts}")


def label(path: str) -> str:
    """The field without the keys that users choose: there are few of them."""
    return ".".join(path.split(".")[:2])


def _wants(sight: Sight) -> dict[str, str | None]:
    """A digest of what is wanted of each field that the spec speaks of and others can change; None where that is not known now.

    A field that is to be watched as well needs a line here, and one in ``_unseen`` if not every look shows it.
    """
    spec, wanted = sight.spec, sight.wanted
    values: dict[str, object] = {
        "spec.name": wanted.name,
        "spec.description": spec.description,
        "spec.flavor": spec.flavor,
        _GROUPS: sorted(spec.security_group_ids) if spec.security_group_ids is not None else None,
        "spec.autoRecovery": spec.auto_recovery,
        LOCK: spec.locked,
        POWER: spec.power_state,
        _PUBLIC_IP: spec.public_ip.id if spec.public_ip is not None else None,
        **{_interface(each.name): [each.subnet_id, each.ip_address, each.mtu] for each in spec.network_interfaces[1:]},
        **{f"{_METADATA}{key}": value for key, value in spec.metadata.items()},
        **{f"{_TAGS}{key}": value for key, value in spec.tags.items()},
    }
    wants: dict[str, str | None] = {path: _digest(value) for path, value in values.items() if value is not None}
    wants["spec.image"] = _digest(wanted.image_id) if wanted.image_id is not None else None
    by_ref, by_id = _MEMBERSHIP
    if spec.server_group_ref is not None or spec.server_group_id is not None:
        group = wanted.group
        wants[by_ref if spec.server_group_ref is not None else by_id] = _digest(group.id) if group is not None else None
    return wants


def _unseen(sight: Sight, wants: Iterable[str]) -> set[str]:
    """The fields of which this look does not tell whether the server has them as wanted."""
    server, status, wanted = sight.server, sight.status, sight.wanted
    knows_membership = wanted.knows_group and status.server_group is not None
    shown = {
        "spec.flavor": bool(server.flavor_id),
        "spec.image": wanted.image_id is not None and bool(status.image_id),
        "spec.description": server.is_detailed,
        LOCK: server.is_detailed,
        _GROUPS: bool(status.security_groups),
        "spec.autoRecovery": status.auto_recovery is not None,
        **dict.fromkeys(_MEMBERSHIP, knows_membership),
    }
    hidden = {path for path in wants if path in sight.busy or not shown.get(path, True)}
    return hidden if server.is_detailed else hidden | {path for path in wants if path.startswith(_TAGS)}


def _interface(name: str) -> str:
    return f"spec.networkInterfaces[{name}]"


def _has_power(sight: Sight) -> bool:
    return power.is_running(sight.server) if sight.spec.power_state == "Running" else power.is_stopped(sight.server)


def _by_key(found: Iterable[Difference], server: Server) -> Iterable[Difference]:
    """The differences, of metadata and tags one for each key."""
    present = tags_of(server)
    for each in found:
        if isinstance(each.deed, SetMetadata):
            for key in each.deed.pairs:
                have = HIDDEN_HAVE if key in server.metadata else ""
                yield replace(each, path=f"{_METADATA}{key}", want=HIDDEN_WANT, have=have)
        elif isinstance(each.deed, SetTags):
            for key, value in each.deed.tags.items():
                have = f"{key}={present[key]}" if key in present else ""
                yield replace(each, path=f"{_TAGS}{key}", want=f"{key}={value}", have=have)
        else:
            yield each


def _edits(found: Iterable[Difference], drifted: set[str], wants: Mapping[str, str | None]) -> Iterable[Difference]:
    """What is left of the differences without those that are drift."""
    for each in found:
        if isinstance(each.deed, SetMetadata):
            pairs = {key: value for key, value in each.deed.pairs.items() if f"{_METADATA}{key}" not in drifted}
            if pairs:
                yield replace(each, deed=SetMetadata(pairs))
        elif isinstance(each.deed, SetTags):
            tags = {key: value for key, value in each.deed.tags.items() if f"{_TAGS}{key}" not in drifted}
            if tags:
                yield replace(each, deed=SetTags(tags))
        elif _field(each.path, wants) not in drifted:
            yield each


def _field(path: str, wants: Mapping[str, str | None]) -> str:
    """The watched field a difference is about: the path, or what it is a part of."""
    if path in wants:
        return path
    return next((each for each in wants if path.startswith((f"{each}.", f"{each}["))), path)


def _texts(path: str, difference: Difference | None, sight: Sight) -> tuple[str, str]:
    server = sight.server
    if difference is None:
        have = "Running" if power.is_running(server) else "Stopped" if power.is_stopped(server) else server.status
        return sight.spec.power_state or "", have
    if path == _GROUPS:
        # Several differences, each about one of them.
        present = (each.id for each in sight.status.security_groups)
        return ", ".join(sorted(sight.spec.security_group_ids or ())), ", ".join(sorted(present))
    return difference.want, difference.have


def _digest(value: object) -> str:
    return hashlib.blake2b(json.dumps(value).encode(), digest_size=4).hexdigest()


def _settled(status: ServerStatus) -> Mapping[str, str]:
    return status.applied.settled if status.applied is not None else {}


def _with_settled(status: ServerStatus, settled: Mapping[str, str]) -> ServerStatus:
    if status.applied is None and not settled:
        return status
    applied = status.applied or Applied()
    return status.model_copy(update={"applied": applied.model_copy(update={"settled": dict(sorted(settled.items()))})})


def _clipped(text: str) -> str:
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"
