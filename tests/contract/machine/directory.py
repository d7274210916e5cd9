"""Which of the cloud's ids goes by which of the model's names."""

from __future__ import annotations

from collections.abc import Mapping

from tests.contract.machine.model.state import State
from tests.contract.machine.scene import identity

_KINDS = {"s": "servers", "v": "volumes", "p": "snapshots", "i": "images", "g": "groups", "f": "floating_ips", "j": "jobs"}


class Directory:
    """Ids by name, and names by id. Who asks for a name that is nobody's gets an id that is nobody's."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._names = {identity(name): name for name in ("v1", "v2", "f1", "linux", "windows", "bare", "default", "web")}
        self.addresses = {identity("f1"): "80.158.1.2"}

    def of(self, name: str) -> str:
        """Return the id of a thing."""
        return self._ids.get(name) or identity(name)

    def address(self, name: str) -> str:
        """Return the address of a floating IP."""
        return self.addresses.get(self.of(name), "80.158.250.250")

    def name(self, identifier: str) -> str:
        """Return the name of a thing, its id if nobody has named it."""
        return self._names.get(identifier, identifier)

    def note(self, name: str, identifier: str) -> None:
        """Let a thing go by a name from now on."""
        self._ids[name] = identifier
        self._names[identifier] = name

    def note_made(self, before: State, after: State, made: Mapping[str, tuple[str, ...]]) -> None:
        """Name what a command made, in the order in which it was told."""
        for letter, identifiers in made.items():
            known = getattr(before, _KINDS[letter])
            names = [name for name in getattr(after, _KINDS[letter]) if name not in known]
            for name, identifier in zip(names, identifiers, strict=False):
                self.note(name, identifier)
