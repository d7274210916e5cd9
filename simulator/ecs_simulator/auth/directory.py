"""Looking up users, projects and access keys in the world."""

from __future__ import annotations

from typing import NamedTuple

from ecs_simulator.world import Project, World
from ecs_simulator.world.accounts import AccessKey, User


class Owner(NamedTuple):
    """A user and the project he may use."""

    project: Project
    user: User


class Directory:
    """The accounts of one world, with users and access keys indexed: every request asks for one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: dict[str, Owner] = {}
        self._keys: dict[str, tuple[Owner, AccessKey]] = {}

    def project_id(self, id_or_name: str) -> str | None:
        """Return the id of a project given by id or name."""
        for project in self._world.projects.values():
            if id_or_name in {project.id, project.name}:
                return project.id
        return None

    def user(self, user_id: str) -> Owner | None:
        """Return the user of an id."""
        found = self._users.get(user_id)
        if found is not None and self._is_present(found):
            return found
        self._users = {user.id: Owner(project, user) for project in self._world.projects.values() for user in project.users.values()}
        return self._users.get(user_id)

    def named_user(self, name: str, *, domain_id: str | None, domain_name: str | None) -> Owner | None:
        """Return the user of a name within an account given by id or name."""
        for project in self._world.projects.values():
            for user in project.users.values():
                if user.name == name and (user.domain_id == domain_id if domain_id is not None else user.domain_name == domain_name):
                    return Owner(project, user)
        return None

    def access_key(self, access_key: str) -> tuple[Owner, AccessKey] | None:
        """Return the owner and the secret of an access key."""
        found = self._keys.get(access_key)
        if found is not None and found[1] in found[0].user.access_keys and self._is_present(found[0]):
            return found
        self._keys = {
            key.access_key: (Owner(project, user), key)
            for project in self._world.projects.values()
            for user in project.users.values()
            for key in user.access_keys
        }
        return self._keys.get(access_key)

    def _is_present(self, owner: Owner) -> bool:
        project = self._world.projects.get(owner.project.id)
        return project is owner.project and project.users.get(owner.user.id) is owner.user
