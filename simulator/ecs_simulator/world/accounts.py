"""Who may call: users with their passwords and access keys. Every user belongs to one account (domain) and one project.

A project holds its users as ``project.users: dict[str, User]`` by user id.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class AccessKey:
    """An access key pair. A temporary one carries the security token that must come with every request signed with it."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


@dataclass(slots=True)
class User:
    """One user of an account, who may use one project."""

    id: str
    name: str
    password: str = field(repr=False)
    domain_id: str
    domain_name: str
    access_keys: list[AccessKey] = field(default_factory=list)
