"""Resolves what a spec refers to: image name, server group, secrets. Everything that is missing is named at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, TypeGuard, TypeVar

from ecs_operator.api.common import KeyRef
from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.api.server import ServerSpec
from ecs_operator.cloud import Image
from ecs_operator.cloud.models.secrets import USER_DATA_LIMIT
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.server.passwords import password_problem
from ecs_operator.resources.server.render import Resolved, Secrets

LONGEST_DEFAULT_NAME = 64
"""Characters of metadata.name that can serve as the server's name."""

_T = TypeVar("_T")


class Kube(Protocol):
    """What is read of Kubernetes."""

    async def get(self, key: ObjectKey) -> KubeObject | None:
        """One object."""

    async def secret(self, namespace: str, name: str) -> SecretData | None:
        """One Secret."""

    async def config_map(self, namespace: str, name: str) -> SecretData | None:
        """One ConfigMap."""


class Images(Protocol):
    """What is read of the cloud."""

    async def list(self, *, name: str | None = None) -> tuple[Image, ...]:
        """Images by name."""

    async def get(self, image_id: str) -> Image:
        """One image."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What must be there first."""

    what: tuple[str, ...]
    waits_for: tuple[ObjectKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Unusable:
    """What must be changed first."""

    problems: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    missing: list[str] = field(default_factory=list)
    waits_for: list[ObjectKey] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def accept(self, found: _T | Missing | Unusable) -> TypeGuard[_T]:
        """Whether it was found; what stands in the way is noted."""
        if isinstance(found, Missing):
            self.missing.extend(found.what)
            self.waits_for.extend(found.waits_for)
        elif isinstance(found, Unusable):
            self.problems.extend(found.problems)
        return not isinstance(found, Missing | Unusable)

    def trouble(self) -> Missing | Unusable | None:
        """What stands in the way: first what must be changed, else what must be there first."""
        if self.problems:
            return Unusable(tuple(self.problems))
        return Missing(tuple(self.missing), tuple(self.waits_for)) if self.missing else None


async def resolve(spec: ServerSpec, *, key: ObjectKey, project: str, kube: Kube, images: Images) -> Resolved | Missing | Unusable:
    """Everything the request needs. ``project`` is the name of the EcsProject. Raises CloudError and StoreError."""
    found = _Findings()
    name = _name(spec, key, found)
    secrets, versions = await _secrets(spec, namespace=key.namespace, kube=kube, found=found)
    group_id = await _group(spec, namespace=key.namespace, project=project, kube=kube, found=found)
    image_id, windows = await _image(spec, images=images, found=found)
    _check_password(secrets, spec, windows=windows, found=found)
    trouble = found.trouble()
    if trouble is not None:
        return trouble
    return Resolved(name=name, image_id=image_id, is_windows=windows, group_id=group_id, secrets=secrets, secret_versions=versions)


async def secrets_to_install(spec: ServerSpec, *, image: Image, namespace: str, kube: Kube) -> Secrets | Missing | Unusable:
    """The password and user data for a new system disk, as they are now. Raises StoreError."""
    found = _Findings()
    secrets, _ = await _secrets(spec, namespace=namespace, kube=kube, found=found)
    _check_password(secrets, spec, windows=is_windows(image), found=found)
    if spec.key_pair_name is None and spec.admin_password_secret_ref is None:
        found.problems.append("an installation needs spec.keyPairName or spec.adminPasswordSecretRef, for somebody to be let in")
    return found.trouble() or secrets


def _check_password(secrets: Secrets, spec: ServerSpec, *, windows: bool, found: _Findings) -> None:
    if secrets.password is not None and (problem := password_problem(secrets.password, is_windows=windows)):
        found.problems.append(f"{_named('spec.adminPasswordSecretRef', spec.admin_password_secret_ref)}: {problem}")


async def secrets_now(spec: ServerSpec, *, namespace: str, kube: Kube) -> tuple[Secrets, dict[str, str]]:
    """The secrets as they are now, with their versions; what is missing is simply absent. Raises StoreError."""
    return await _secrets(spec, namespace=namespace, kube=kube, found=_Findings())


def _name(spec: ServerSpec, key: ObjectKey, found: _Findings) -> str:
    name = spec.name or key.name
    if spec.name is None and len(name) > LONGEST_DEFAULT_NAME:
        found.problems.append(
            f"spec.name is needed: metadata.name has {len(name)} characters, at most {LONGEST_DEFAULT_NAME} can serve as name"
        )
    return name


async def _secrets(spec: ServerSpec, *, namespace: str, kube: Kube, found: _Findings) -> tuple[Secrets, dict[str, str]]:
    versions: dict[str, str] = {}

    def value(source: SecretData | None, reference: KeyRef, *, kind: str, spec_field: str) -> bytes | None:
        if source is None:
            found.missing.append(f"{kind} {reference.name} (spec.{spec_field})")
            return None
        versions[spec_field] = source.resource_version
        if reference.key not in source.data:
            found.missing.append(f"key {reference.key} in {kind} {reference.name} (spec.{spec_field})")
        return source.data.get(reference.key)

    password: bytes | None = None
    user_data: bytes | None = None
    if (reference := spec.admin_password_secret_ref) is not None:
        source = await kube.secret(namespace, reference.name)
        password = value(source, reference, kind="Secret", spec_field="adminPasswordSecretRef")
    if spec.user_data_ref is not None and (reference := spec.user_data_ref.secret) is not None:
        source = await kube.secret(namespace, reference.name)
        user_data = value(source, reference, kind="Secret", spec_field="userDataRef")
    elif spec.user_data_ref is not None and (reference := spec.user_data_ref.config_map) is not None:
        source = await kube.config_map(namespace, reference.name)
        user_data = value(source, reference, kind="ConfigMap", spec_field="userDataRef")
    if user_data is not None and len(user_data) > USER_DATA_LIMIT:
        found.problems.append(
            f"spec.userDataRef: the user data have {len(user_data)} bytes, at most {USER_DATA_LIMIT} (32 KiB) are allowed"
        )
    return Secrets(password=_text(password, spec, found), user_data=user_data), versions


def _text(password: bytes | None, spec: ServerSpec, found: _Findings) -> str | None:
    if password is None:
        return None
    try:
        return password.decode()
    except UnicodeDecodeError:
        found.problems.append(f"{_named('spec.adminPasswordSecretRef', spec.admin_password_secret_ref)}: the password is not text")
        return None


async def group_named(name: str, *, namespace: str, project: str, kube: Kube) -> str | Missing | Unusable:
    """The cloud's id of an EcsServerGroup. ``project``: of the server. Raises StoreError."""
    key = ObjectKey(SERVER_GROUP.plural, namespace, name)
    group = await kube.get(key)
    group_id = group.status.get("id") if group else None
    if group is None or group.is_deleting or not isinstance(group_id, str):
        state = "" if group is None else " to be created in the cloud" if not group.is_deleting else ", which is being deleted,"
        return Missing((f"EcsServerGroup {name}{state} (spec.serverGroupRef)",), (key,))
    if group.status.get("project") not in {None, project}:
        return Unusable(
            (f"spec.serverGroupRef: EcsServerGroup {name} is in EcsProject {group.status['project']}, the server in {project}",)
        )
    return group_id


async def image_named(name: str, *, images: Images) -> Image | Missing | Unusable:
    """The one image of a name. Raises CloudError."""
    named = [image for image in await images.list(name=name) if image.name == name]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(sorted(image.id for image in named))
        return Unusable((f"spec.image.name: {len(named)} images are named {name!r} ({ids}): set spec.image.id",))
    return Missing((f"image {name!r} (spec.image.name)",))


async def _group(spec: ServerSpec, *, namespace: str, project: str, kube: Kube, found: _Findings) -> str | None:
    if spec.server_group_ref is None:
        return spec.server_group_id
    group = await group_named(spec.server_group_ref.name, namespace=namespace, project=project, kube=kube)
    return group if found.accept(group) else None


async def _image(spec: ServerSpec, *, images: Images, found: _Findings) -> tuple[str, bool]:
    """The image's id, and whether it is a Windows image; the latter is asked only when a password depends on it."""
    if spec.image.id is not None:
        needs_os = spec.admin_password_secret_ref is not None
        return spec.image.id, needs_os and is_windows(await images.get(spec.image.id))
    image = await image_named(spec.image.name or "", images=images)
    return (image.id, is_windows(image)) if found.accept(image) else ("", False)


def is_windows(image: Image) -> bool:
    """Its password follows the rules of Windows."""
    return image.os_type.lower() == "windows"


def _named(spec_field: str, reference: KeyRef | None) -> str:
    return f"{spec_field} (Secret {reference.name}, key {reference.key})" if reference else spec_field
