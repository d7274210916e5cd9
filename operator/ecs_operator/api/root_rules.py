"""Rules that need the whole object: its name, or its status beside its spec.

Rules at the root are checked on every write, of the status and of finalizers too, so a rule here must hold for every object that was once
accepted: it either looks at ``metadata.name``, which never changes, or compares the old spec with the new one.
"""

from __future__ import annotations

from ecs_operator.api.rules import UNSET, Rule, Show, present, show_required, show_value, unchanged
from ecs_operator.api.server_group import LONGEST_GROUP_NAME

LONGEST_DEFAULT_SERVER_NAME = 64
"""Longest metadata.name that serves as the name of a server when spec.name is absent."""

_IMPORT = "spec.__import__.id"
"""``import`` is a word of CEL's own, so the API server writes it like this."""

_CREATION_BEGUN = "has(oldSelf.status.create) && (!has(oldSelf.status.create.outcome) || oldSelf.status.create.outcome != 'Refused')"
_MARKED = "(oldSelf.status.adoption.state == 'Marking' || oldSelf.status.adoption.state == 'Adopted')"
# The server exists, or a request for it may have been sent. One that is only observed, or not adopted yet, does not bind the spec.
_SERVER_EXISTS = f"has(oldSelf.status) && ((has(oldSelf.status.adoption) ? {_MARKED} : has(oldSelf.status.id)) || {_CREATION_BEGUN})"
_SIGNED_IN = (
    "has(oldSelf.status) && has(oldSelf.status.projectId) && has(oldSelf.status.conditions) && "
    "oldSelf.status.conditions.exists(c, c.type == 'Authenticated' && c.status == 'True')"
)


def _once_server_exists(path: str, *, show: Show) -> Rule:
    """The field of an EcsServer cannot be changed yet once its server exists."""
    full = f"spec.{path}"
    way_out = "Take the change back, or delete the EcsServer and create it anew"
    test = f"({unchanged(full)}) || !({_SERVER_EXISTS})"
    return _refused(full, "cannot be changed yet once the server exists", test=test, shown=show, way_out=way_out)


def _refused(full: str, what: str, *, test: str, shown: Show, way_out: str) -> Rule:
    """A change of a field is refused unless ``test`` holds; both values are shown."""
    return Rule(
        test=test,
        message=f"{full} {what}. {way_out}",
        message_expression=f"'{full} {what}: it is %s, refused %s. {way_out}'.format([{shown('oldSelf')}, {shown('self')}])",
        reason="FieldValueForbidden",
        field=f".{full}",
    )


def _project_pinned(kind: str) -> Rule:
    """An object stays in the project in which its creation has begun; naming that project later is no change."""
    way_out = f"Take the change back, or delete the {kind} and create it anew"
    return Rule(
        test="!has(self.spec.projectRef) || !has(oldSelf.status) || !has(oldSelf.status.project) || "
        "self.spec.projectRef.name == oldSelf.status.project || "
        "has(oldSelf.spec.projectRef) && self.spec.projectRef.name == oldSelf.spec.projectRef.name",
        message=f"spec.projectRef.name cannot be changed once the creation has begun. {way_out}",
        message_expression="'spec.projectRef.name cannot be changed once the creation has begun: it is %s, refused %s. "
        f"{way_out}'.format([oldSelf.status.project, self.spec.projectRef.name])",
        reason="FieldValueForbidden",
        field=".spec.projectRef",
    )


def _default_name_fits(longest: int, what: str) -> Rule:
    """metadata.name is taken for the cloud's name only if it fits."""
    return Rule(
        test=f"has(self.spec.name) || self.metadata.name.size() <= {longest}",
        message=f"metadata.name is too long to be the name of the {what} (at most {longest} characters): set spec.name",
        message_expression=f"'metadata.name has %d characters, too long to be the name of the {what} (at most {longest}): set spec.name'"
        ".format([self.metadata.name.size()])",
        reason="FieldValueRequired",
        field=".spec.name",
    )


def _optional(path: str, shown: str, who: str) -> str:
    return f"({present(who, path)} ? {shown} : '{UNSET}')"


def _show_data_volumes(who: str) -> str:
    flags = "has(v.scsi) && v.scsi, has(v.deleteWithServer) && v.deleteWithServer"
    origin = ", ".join(f"(has(v.{part}) ? v.{part} : 'none')" for part in ("storagePoolId", "dataImageId", "encryptionKeyId"))
    item = (
        "'%s: %s %d GiB, scsi %s, deleted with the server %s, pool %s, image %s, key %s'"
        f".format([v.name, v.type, v.sizeGiB, {flags}, {origin}])"
    )
    return _optional("spec.dataVolumes", f"'%s'.format([{who}.spec.dataVolumes.map(v, {item})])", who)


def _import_pinned(kind: str, what: str, *, begun: str) -> Rule:
    """What an object stands for cannot be exchanged under it. ``begun``: CEL for what else than a known id binds it."""
    way_out = f"Take the change back, or delete the {kind} (with deletionPolicy: Retain nothing is lost) and create it anew"
    test = f"({unchanged(_IMPORT)}) || !(has(oldSelf.status) && (has(oldSelf.status.id) || {begun}))"
    return _refused("spec.import", f"cannot be changed once the {what} exists", test=test, shown=show_value(_IMPORT), way_out=way_out)


def _observed_by_id(kind: str, what: str) -> Rule:
    """What is only observed must be known. The operator never takes ``status.id`` away from an object that it only observes."""
    text = f"managementPolicy: Observe needs spec.import.id, the id of a {what} that is there, because this {kind} has none yet"
    return Rule(
        test="!has(self.spec.managementPolicy) || self.spec.managementPolicy != 'Observe' || has(self.spec.__import__) || "
        "has(self.status) && has(self.status.id)",
        message=text,
        reason="FieldValueRequired",
        field=".spec.managementPolicy",
    )


SERVER_ROOT_RULES: tuple[Rule, ...] = (
    _default_name_fits(LONGEST_DEFAULT_SERVER_NAME, "server"),
    _project_pinned("EcsServer"),
    _once_server_exists("dataVolumes", show=_show_data_volumes),
    _import_pinned("EcsServer", "server", begun=f"{_CREATION_BEGUN} || has(oldSelf.status.adoption) && {_MARKED}"),
    _observed_by_id("EcsServer", "server"),
)

SERVER_GROUP_ROOT_RULES: tuple[Rule, ...] = (
    _default_name_fits(LONGEST_GROUP_NAME, "server group"),
    _project_pinned("EcsServerGroup"),
    _import_pinned("EcsServerGroup", "group", begun=_CREATION_BEGUN.replace("create", "intent")),
    _observed_by_id("EcsServerGroup", "group"),
)

VOLUME_ATTACHMENT_ROOT_RULES: tuple[Rule, ...] = (_project_pinned("EcsVolumeAttachment"),)


def _once_signed_in(path: str, *, test: str, shown: Show) -> Rule:
    """The project an EcsProject stands for cannot be exchanged under the objects that are in it."""
    full = f"spec.{path}"
    way_out = "Objects would be looked for in the wrong place: take the change back, or create another EcsProject"
    settled = f"({test}) || !({_SIGNED_IN})"
    return _refused(full, "cannot be changed once the operator has signed in", test=settled, shown=shown, way_out=way_out)


PROJECT_ROOT_RULES: tuple[Rule, ...] = (
    _once_signed_in("region", test=unchanged("spec.region", required=True), shown=show_required("spec.region")),
    # A name may give way to the id it was resolved to.
    _once_signed_in(
        "projectId",
        test="!has(self.spec.projectId) || has(oldSelf.spec.projectId) && self.spec.projectId == oldSelf.spec.projectId || "
        "has(oldSelf.status) && has(oldSelf.status.projectId) && self.spec.projectId == oldSelf.status.projectId",
        shown=lambda who: "oldSelf.status.projectId" if who == "oldSelf" else "self.spec.projectId",
    ),
    _once_signed_in(
        "projectName",
        test=f"!has(self.spec.projectName) || ({unchanged('spec.projectName')})",
        shown=show_value("spec.projectName"),
    ),
)
