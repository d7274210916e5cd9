"""Credentials from a Secret in the operator's namespace: read again in time, so that a rotated one is used without a restart."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from ecs_operator.api.project import Credentials as CredentialsSpec
from ecs_operator.api.project import ProjectSpec
from ecs_operator.cloud import AccessKey, CloudError, Credentials, Failure, Meaning, Outcome, PasswordCredentials
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import Clock, SecretData, StoreError
from ecs_operator.resources.project.guard import SecretGuard

GOOD_FOR = 45.0
"""Seconds until a Secret that serves is read again: a changed one is used within a minute."""
BAD_FOR = 10.0
"""Seconds until one that does not serve, or that the cloud refuses, is read again: somebody is probably mending it."""

_ACCESS_KEY = ("accessKey", "secretKey")
_PASSWORD = ("username", "password", "domainName")


class CredentialsMissingError(Exception):
    """The Secret is missing or incomplete. The message names it and its keys, never a value."""


@dataclass(frozen=True, slots=True)
class _Reading:
    at: float
    version: str
    credentials: Credentials | CredentialsMissingError
    is_leaving: bool = False


def secret_name(spec: CredentialsSpec) -> str:
    """The Secret that the spec names."""
    source = spec.access_key or spec.password
    if source is None:
        raise ValueError("the schema asks for one of accessKey and password")
    return source.secret_ref.name


def secret_key(namespace: str, spec: ProjectSpec) -> ObjectKey:
    """Stands for the Secret of a project. It is not watched; whoever reads another version of it wakes those who wait for this key."""
    return ObjectKey("secrets", namespace, secret_name(spec.credentials))


class SecretCredentials:
    """The cloud client's provider for one EcsProject. Safe to be asked before every call."""

    def __init__(self, spec: CredentialsSpec, *, guard: SecretGuard, namespace: str, clock: Clock, on_change: Callable[[], None]) -> None:
        """``on_change`` is called when the Secret's content is another than before."""
        self._spec = spec
        self._guard = guard
        self._namespace = namespace
        self._clock = clock
        self._on_change = on_change
        self._lock = asyncio.Lock()
        self._reading: _Reading | None = None
        self._refused_version: str | None = None

    @property
    def version(self) -> str:
        """The resourceVersion that was read last, empty when there is no Secret."""
        return self._reading.version if self._reading else ""

    @property
    def is_leaving(self) -> bool:
        """The Secret was being deleted when it was read last."""
        return self._reading is not None and self._reading.is_leaving

    def read_again(self) -> None:
        """Read the Secret again at the next occasion."""
        if self._reading is not None:
            self._reading = replace(self._reading, at=-math.inf)

    def refused(self) -> None:
        """The cloud does not take what was read last: look for another one sooner."""
        self._refused_version = self.version

    async def get(self) -> Credentials:
        """The credentials that hold now, for the cloud client. Raises CloudError (not sent) when there are none."""
        try:
            return await self.current()
        except (CredentialsMissingError, StoreError) as error:
            failure = Failure(operation="sign in", method="", outcome=Outcome.NOT_SENT, meaning=Meaning.AUTH, message=str(error))
            raise CloudError(failure) from None

    async def current(self) -> Credentials:
        """The credentials that hold now. Raises CredentialsMissingError, and StoreError while nothing could be read yet."""
        async with self._lock:
            reading = self._reading
            if reading is None or self._clock.monotonic() - reading.at >= self._good_for(reading):
                reading = await self._read(reading)
        if isinstance(reading.credentials, CredentialsMissingError):
            raise CredentialsMissingError(str(reading.credentials))
        return reading.credentials

    async def _read(self, before: _Reading | None) -> _Reading:
        try:
            secret = await self._guard.secret(secret_name(self._spec))
        except StoreError:
            if before is None:
                raise
            # The API server does not answer: what was read before holds on.
            return before
        version = secret.resource_version if secret else ""
        reading = _Reading(self._clock.monotonic(), version, self._parse(secret), is_leaving=secret is not None and secret.is_deleting)
        self._reading = reading
        if before is not None and before.version != version:
            self._on_change()
        return reading

    def _good_for(self, reading: _Reading) -> float:
        is_bad = isinstance(reading.credentials, CredentialsMissingError) or reading.version == self._refused_version
        return BAD_FOR if is_bad else GOOD_FOR

    def _parse(self, secret: SecretData | None) -> Credentials | CredentialsMissingError:
        name = f"Secret {self._namespace}/{secret_name(self._spec)}"
        keys = _ACCESS_KEY if self._spec.access_key else _PASSWORD
        if secret is None:
            return CredentialsMissingError(f"the {name} does not exist: create it with the keys {', '.join(keys)}")
        missing = [key for key in keys if not secret.data.get(key)]
        if missing:
            return CredentialsMissingError(
                f"the {name} lacks the key{'s' if len(missing) > 1 else ''} {', '.join(missing)}: add what is missing"
            )
        try:
            values = {key: value.decode().strip("\r\n") for key, value in secret.data.items() if key in {*keys, "securityToken"}}
        except UnicodeDecodeError:
            return CredentialsMissingError(f"the {name} holds something that is not text in {', '.join(keys)}")
        if self._spec.access_key:
            return AccessKey(
                access_key=values["accessKey"], secret_key=values["secretKey"], security_token=values.get("securityToken") or None
            )
        return PasswordCredentials(username=values["username"], password=values["password"], domain_name=values["domainName"])
