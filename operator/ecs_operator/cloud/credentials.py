"""Who we are towards the cloud. Providers are asked before every call, so that a rotated Secret needs no restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordCredentials:
    """An IAM user with password, for tokens (ECS API reference 4.1)."""

    username: str
    password: str = field(repr=False)
    domain_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """An access key pair for signed requests (ECS API reference 4.2). Temporary ones carry a security token."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


Credentials = PasswordCredentials | AccessKey


class CredentialsProvider(Protocol):
    """Gives the credentials that hold now."""

    async def get(self) -> Credentials:
        """The current credentials. Asked before every call, so it must be cheap; an exception it raises reaches the caller."""


@dataclass(frozen=True, slots=True)
class StaticCredentials:
    """Credentials that never change."""

    credentials: Credentials

    async def get(self) -> Credentials:
        """Return the same credentials, always."""
        return self.credentials
