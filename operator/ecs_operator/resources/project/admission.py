"""Which EcsProject an object belongs to: by name, or the one default that admits its namespace. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecs_operator.api.group import PROJECT
from ecs_operator.api.project import AllowedNamespaces, ProjectSpec
from ecs_operator.api.reasons import Reason
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.keys import project_key
from ecs_operator.resources.tenancy import TenantUnavailable

ANY_PROJECT = ObjectKey(PROJECT.plural, "", "*")
"""Stands for all projects together: who waits for any is woken by each change of one. No object can have this name."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An EcsProject as far as it matters here."""

    name: str
    spec: ProjectSpec
    is_deleting: bool = False
    is_paused: bool = False


def admits(allowed: AllowedNamespaces, namespace: str, labels: Mapping[str, str]) -> bool:
    """The namespace's objects may use the project."""
    match allowed.from_:
        case "All":
            return True
        case "Names":
            return namespace in (allowed.names or ())
        case "Selector":
            wanted = allowed.selector.match_labels if allowed.selector else {}
            return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def asks_for_labels(candidates: Mapping[str, Candidate]) -> bool:
    """Some project can only be judged by the namespace's labels."""
    return any(each.spec.allowed_namespaces.from_ == "Selector" for each in candidates.values())


def choose(
    candidates: Mapping[str, Candidate], *, namespace: str, labels: Mapping[str, str], project_ref: str | None, pinned: str | None
) -> Candidate | TenantUnavailable:
    """The project of an object. One that has begun (``pinned``) stays where it is, also while its project is being deleted."""
    name = pinned or project_ref
    if name is None:
        chosen = _default(candidates, namespace=namespace, labels=labels)
    else:
        chosen = _named(candidates, name, namespace=namespace, labels=labels, pinned=pinned is not None)
    if isinstance(chosen, Candidate) and chosen.is_paused:
        text = f"EcsProject {chosen.name} is paused: remove its annotation ecs.huaweicloud.com/paused to go on"
        return TenantUnavailable(Reason.PAUSED, text, (project_key(chosen.name),))
    return chosen


def _named(
    candidates: Mapping[str, Candidate], name: str, *, namespace: str, labels: Mapping[str, str], pinned: bool
) -> Candidate | TenantUnavailable:
    key = project_key(name)
    found = candidates.get(name)
    if found is None:
        return TenantUnavailable(Reason.WAITING_FOR_DEPENDENCY, f"EcsProject {name} does not exist: create it", (key,))
    if not admits(found.spec.allowed_namespaces, namespace, labels):
        again = " any more" if pinned else ""
        text = f"EcsProject {name} does not admit the namespace {namespace}{again}: allow it in its spec.allowedNamespaces"
        return TenantUnavailable(Reason.WAITING_FOR_DEPENDENCY, text, (key,))
    if found.is_deleting and not pinned:
        text = f"EcsProject {name} is being deleted: nothing new is begun in it"
        return TenantUnavailable(Reason.WAITING_FOR_DEPENDENCY, text, (key,))
    return found


def _default(candidates: Mapping[str, Candidate], *, namespace: str, labels: Mapping[str, str]) -> Candidate | TenantUnavailable:
    fitting = sorted(
        (
            each
            for each in candidates.values()
            if each.spec.default and not each.is_deleting and admits(each.spec.allowed_namespaces, namespace, labels)
        ),
        key=lambda each: each.name,
    )
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        text = f"no default EcsProject admits the namespace {namespace}: set spec.projectRef, or spec.default of an EcsProject"
        return TenantUnavailable(Reason.WAITING_FOR_DEPENDENCY, text, (ANY_PROJECT,))
    names = ", ".join(each.name for each in fitting)
    text = f"several default EcsProjects admit the namespace {namespace} ({names}): set spec.projectRef, or leave one of them as default"
    return TenantUnavailable(Reason.INVALID_CONFIGURATION, text, (ANY_PROJECT, *(project_key(each.name) for each in fitting)))
