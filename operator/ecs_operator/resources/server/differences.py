"""What the spec wants of a server that is there, and the server does not have: one difference a field, each with its cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecs_operator.api.common import KeyRef
from ecs_operator.api.server import Applied, AppliedPublicIp, GroupPin, Installation, ServerSpec, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.resources.server.deeds import (
    AddSecurityGroup,
    BindAddress,
    Change,
    Cost,
    Describe,
    Edit,
    Install,
    JoinGroup,
    LeaveGroup,
    Migrate,
    RemoveMetadata,
    RemoveSecurityGroup,
    RemoveTags,
    Replace,
    Resize,
    SetAutoRecovery,
    SetLock,
    SetMetadata,
    SetTags,
    Wiring,
)
from ecs_operator.resources.server.installation import image_text, placed, wanted_installation
from ecs_operator.resources.server.interfaces import added, described, removed
from ecs_operator.resources.server.origin import edited_address
from ecs_operator.resources.server.origin import rows as origin_rows
from ecs_operator.resources.server.public_address import PublicAddress, address_edits


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``have`` and ``want`` are texts for people; metadata values may be secret to some, so only their keys are shown."""

    path: str
    have: str
    want: str
    deed: Edit | Change | Wiring | Replace = field(repr=False)
    cost: Cost = Cost.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the spec wants that it does not say itself. Pure value: see ``wanted.py`` for where it comes from."""

    name: str
    image_id: str | None
    """None: what the spec refers to could not be resolved, and nothing is said about it."""
    group: GroupPin | None = None
    knows_group: bool = True
    """The group could be resolved; None is then none."""
    is_broken: bool = False
    """An installation failed and left the server in ERROR: it is to be made again whatever else is so."""
    public_address: PublicAddress | None = None
    """The address that the spec names by its id, where it is not known to be on the server and can be had."""
    can_move_addresses: bool = True
    """The endpoint has the calls for it."""


def differences(spec: ServerSpec, server: Server, *, status: ServerStatus, wanted: Wanted) -> tuple[Difference, ...]:
    """All differences, in the order in which they are best removed: the lock last, because it refuses much of the rest.

    ``status`` holds what the row lacks: security groups by id, automatic recovery, the server group, and what was set by us.
    What needs a stop comes in the order in which it is done: a host and a flavor that the image fits before the image.
    """
    return (
        *_names(spec, server, wanted.name),
        *_metadata(spec, server, status.applied),
        *_tags(spec, server, status.applied),
        *_security_groups(spec, status),
        *_auto_recovery(spec, status),
        *_public_ip(spec, status, wanted),
        *_interfaces(spec, status),
        *_placement(spec, status.applied),
        *_group(status, wanted),
        *_flavor(spec, server),
        *_installation(spec, status, wanted),
        *(Difference(*row, Replace(), Cost.REPLACE) for row in origin_rows(spec, status)),
        *_lock(spec, server),
    )


def settled(spec: ServerSpec, before: Applied | None, *, wanted: Wanted) -> Applied:
    """What is ours once nothing differs. What could not be resolved stays as it was."""
    return Applied(
        metadata_keys=tuple(sorted(spec.metadata)),
        tag_keys=tuple(sorted(spec.tags)),
        installed=wanted_installation(spec, image_id=wanted.image_id) if wanted.image_id else before.installed if before else None,
        placement=before.placement if before is not None and before.placement is not None else placed(spec),
        server_group=wanted.group if wanted.knows_group else before.server_group if before else None,
        origin=before.origin if before is not None else None,
        interfaces=before.interfaces if before is not None else (),
        public_ip=before.public_ip if before is not None else None,
    )


def claimed(applied: Applied | None, deed: Edit | Change | Wiring | Replace, *, group: GroupPin | None = None) -> Applied:
    """What is ours from the moment a deed is about to be done: written ahead, so that it can be taken away again whatever happens."""
    before = applied or Applied()
    if isinstance(deed, SetMetadata):
        return before.model_copy(update={"metadata_keys": _union(before.metadata_keys, deed.pairs)})
    if isinstance(deed, SetTags):
        return before.model_copy(update={"tag_keys": _union(before.tag_keys, deed.tags)})
    if isinstance(deed, JoinGroup):
        return before.model_copy(update={"server_group": group or GroupPin(id=deed.group_id)})
    if isinstance(deed, BindAddress):
        return before.model_copy(update={"public_ip": AppliedPublicIp(id=deed.id, address=deed.address)})
    return before


def tags_of(server: Server) -> dict[str, str]:
    """The tags of a row, where keys and values are one text: ``key=value``, or the key alone when the value is empty (6.2.5).

    So a native tag looks like a key without value; as nobody's spec named it, it is left alone.
    """
    found: dict[str, str] = {}
    for text in server.tags:
        key, _, value = text.partition("=")
        found[key] = value
    return found


def _names(spec: ServerSpec, server: Server, name: str) -> Iterable[Difference]:
    if server.name != name:
        yield Difference("spec.name", server.name, name, Describe(name=name))
    if spec.description is not None and server.is_detailed and server.description != spec.description:
        yield Difference("spec.description", server.description, spec.description, Describe(description=spec.description))


def _metadata(spec: ServerSpec, server: Server, applied: Applied | None) -> Iterable[Difference]:
    wrong = {key: value for key, value in spec.metadata.items() if server.metadata.get(key) != value}
    if wrong:
        missing = sorted(key for key in wrong if key not in server.metadata)
        other = sorted(key for key in wrong if key in server.metadata)
        have = ", ".join([*(f"{key} (another value)" for key in other), *(f"{key} (absent)" for key in missing)])
        yield Difference("spec.metadata", have, ", ".join(sorted(wrong)), SetMetadata(wrong))
    ours = applied.metadata_keys if applied is not None else ()
    for key in ours:
        if key not in spec.metadata and key in server.metadata:
            yield Difference(f"spec.metadata.{key}", key, "", RemoveMetadata(key))


def _tags(spec: ServerSpec, server: Server, applied: Applied | None) -> Iterable[Difference]:
    if not server.is_detailed:
        return
    present = tags_of(server)
    wrong = {key: value for key, value in spec.tags.items() if present.get(key) != value}
    ours = applied.tag_keys if applied is not None else ()
    spare = {key: present[key] for key in ours if key not in spec.tags and key in present}
    # First what goes: a server has at most ten tags.
    if spare:
        yield Difference("spec.tags", _tag_text(spare), "", RemoveTags(spare))
    if wrong:
        yield Difference("spec.tags", _tag_text({key: present[key] for key in wrong if key in present}), _tag_text(wrong), SetTags(wrong))


def _tag_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def _security_groups(spec: ServerSpec, status: ServerStatus) -> Iterable[Difference]:
    """First the new ones: a server is never left without."""
    if spec.security_group_ids is None or not status.security_groups:
        return
    present = {group.id for group in status.security_groups}
    for group_id in sorted(set(spec.security_group_ids) - present):
        yield Difference("spec.securityGroupIds", "", group_id, AddSecurityGroup(group_id))
    for group_id in sorted(present - set(spec.security_group_ids)):
        yield Difference("spec.securityGroupIds", group_id, "", RemoveSecurityGroup(group_id))


def _auto_recovery(spec: ServerSpec, status: ServerStatus) -> Iterable[Difference]:
    wanted = spec.auto_recovery
    if wanted is not None and status.auto_recovery is not None and status.auto_recovery != wanted:
        yield Difference("spec.autoRecovery", _bool(status.auto_recovery), _bool(wanted), SetAutoRecovery(wanted))


def _public_ip(spec: ServerSpec, status: ServerStatus, wanted: Wanted) -> Iterable[Difference]:
    """Where no call moves an address, another one takes another server; one that others took off is no reason for that."""
    if wanted.can_move_addresses:
        for have, want, deed in address_edits(spec, status, wanted.public_address):
            yield Difference("spec.publicIp", have, want, deed)
    elif (edited := edited_address(spec, status)) is not None:
        yield Difference("spec.publicIp", *edited, Replace(), Cost.REPLACE)


def _interfaces(spec: ServerSpec, status: ServerStatus) -> Iterable[Difference]:
    """First what goes: a server has at most twelve, and an address is free only after it."""
    for removal in removed(spec, status):
        yield Difference(f"spec.networkInterfaces[{removal.interface.name}]", described(removal.interface), "", removal)
    for addition in added(spec, status):
        yield Difference(f"spec.networkInterfaces[{addition.interface.name}]", "", described(addition.interface), addition)


def _flavor(spec: ServerSpec, server: Server) -> Iterable[Difference]:
    if server.flavor_id and server.flavor_id != spec.flavor:
        yield Difference("spec.flavor", server.flavor_id, spec.flavor, Resize(spec.flavor), Cost.RESTART)


def _placement(spec: ServerSpec, applied: Applied | None) -> Iterable[Difference]:
    """No row shows where a server stands: what counts is where it was put."""
    have, want = applied.placement if applied is not None else None, placed(spec)
    if have is None or (have.tenancy == want.tenancy and want.dedicated_host_id in {None, have.dedicated_host_id}):
        return
    deed = Migrate(want.dedicated_host_id)
    yield Difference(
        "spec.scheduling",
        _place_text(have.dedicated_host_id, have.tenancy),
        _place_text(deed.dedicated_host_id, want.tenancy),
        deed,
        Cost.RESTART,
    )


def _place_text(host_id: str | None, tenancy: str) -> str:
    return f"dedicated host {host_id}" if host_id else "any dedicated host" if tenancy == "dedicated" else "shared hosts"


def _group(status: ServerStatus, wanted: Wanted) -> Iterable[Difference]:
    """Without a group in the spec only the one the operator put the server in is left."""
    if status.server_group is None or not wanted.knows_group:
        return
    present, ours = status.server_group.id, status.applied.server_group if status.applied is not None else None
    if wanted.group is None:
        if ours is not None and present == ours.id:
            yield Difference(_group_path(ours), ours.name or ours.id, "", LeaveGroup(ours.id))
    elif present != wanted.group.id:
        have = ours.name if ours is not None and ours.id == present and ours.name else present or ""
        deed = JoinGroup(wanted.group.id, leaves=present)
        yield Difference(_group_path(wanted.group), have, wanted.group.name or wanted.group.id, deed, Cost.RESTART)


def _group_path(pin: GroupPin) -> str:
    return "spec.serverGroupRef" if pin.name else "spec.serverGroupId"


def _installation(spec: ServerSpec, status: ServerStatus, wanted: Wanted) -> Iterable[Difference]:
    """One installation, however many of the fields ask for it. Of passwords and user data only the references are compared."""
    have = status.applied.installed if status.applied is not None else None
    if have is None or wanted.image_id is None:
        return
    want = wanted_installation(spec, image_id=wanted.image_id)
    deed = Install(want)
    rows = [
        ("spec.keyPairName", have.key_pair_name or "", want.key_pair_name or ""),
        ("spec.adminPasswordSecretRef", _key_text(have.admin_password_secret_ref), _key_text(want.admin_password_secret_ref)),
        ("spec.userDataRef", _data_text(have), _data_text(want)),
    ]
    if status.image_id and status.image_id != want.image_id:
        rows.insert(0, ("spec.image", image_text(have, status.image_id), image_text(want, want.image_id)))
    elif wanted.is_broken:
        rows.insert(0, ("spec.image", "an installation that failed", image_text(want, want.image_id)))
    for path, before, after in rows:
        if before != after:
            yield Difference(path, before, after, deed, Cost.REINSTALL)


def _key_text(ref: KeyRef | None) -> str:
    return f"Secret {ref.name}, key {ref.key}" if ref is not None else ""


def _data_text(installation: Installation) -> str:
    ref = installation.user_data_ref
    if ref is None:
        return ""
    if ref.secret is not None:
        return _key_text(ref.secret)
    return f"ConfigMap {ref.config_map.name}, key {ref.config_map.key}" if ref.config_map is not None else ""


def _lock(spec: ServerSpec, server: Server) -> Iterable[Difference]:
    if spec.locked is not None and server.is_detailed and spec.locked != server.locked:
        yield Difference("spec.locked", _bool(server.locked), _bool(spec.locked), SetLock(spec.locked))


def _bool(value: bool) -> str:  # noqa: FBT001 - a value, not a switch
    return "true" if value else "false"


def _union(before: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*before, *more}))
