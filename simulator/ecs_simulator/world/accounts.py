"""Who may call: users with their passwords and access keys. Every user belongs to one account (domain) and one project.

A project holds its users as ``project.users: dict[str, User]`` by user id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class AccessKey:
    """An access key pair. A temporary one carries the security token that must come with every request signed with it."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Snapshot form; holds the secret."""
        return {"access_key": self.access_key, "secret_key": self.secret_key, "security_token": self.security_token}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AccessKey:
        """Read the form of to_json."""
        return cls(access_key=data["access_key"], secret_key=data["secret_key"], security_token=data.get("security_token"))


@dataclass(slots=True)
class User:
    """One user of an account, who may use one project."""

    id: str
    name: str
    password: str = field(repr=False)
    domain_id: str
    domain_name: str
    access_keys: list[AccessKey] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Snapshot form; holds the secrets."""
        return {
            "id": self.id,
            "name": self.name,
            "password": self.password,
            "domain_id": self.domain_id,
            "domain_name": self.domain_name,
            "access_keys": [key.to_json() for key in self.access_keys],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> User:
        """Read the form of to_json."""
        return cls(
            id=data["id"],
            name=data["name"],
            password=data["password"],
            domain_id=data["domain_id"],
            domain_name=data["domain_name"],
            access_keys=[AccessKey.from_json(key) for key in data["access_keys"]],
        )
