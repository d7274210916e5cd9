"""The rules that many operations share: who is there, who is busy, locked or in the wrong state, and what the quota allows."""

from __future__ import annotations

from tests.contract.machine.model.prediction import FINE, Family, Refusals, no, unless
from tests.contract.machine.model.state import Server, State

ECS, NATIVE = Family.ECS, Family.NATIVE


def absent(family: Family) -> Refusals:
    """No such server: A.2 has two codes for it."""
    return no(404, "Ecs.0114", "Ecs.0614") if family is ECS else no(404)


def there(state: State, name: str, family: Family) -> Refusals:
    """A server must be there."""
    return unless(name in state.servers, absent(family))


def idle(state: State, name: str, family: Family) -> Refusals:
    """One command at a time: Ecs.0603 is the only code that comes with a 501."""
    return unless(state.work_on(name) is None, no(501, "Ecs.0603") if family is ECS else no(409))


def unlocked(state: State, name: str, family: Family) -> Refusals:
    """6.3.4: life, state, interfaces, disks and password of a locked server stay as they are."""
    server = state.servers.get(name)
    return unless(server is None or not server.locked, no(400, "Ecs.0605") if family is ECS else no(409))


def in_state(state: State, name: str, family: Family, *states: str) -> Refusals:
    """A server must be in one of these states. What it is in the middle of a command may be told by its state too."""
    server = state.servers.get(name)
    if server is None or (server.vm_state in states and state.work_on(name) is None):
        return FINE
    return no(400, "Ecs.0100") if family is ECS else no(409)


def commandable(state: State, name: str, family: Family, *states: str) -> Refusals:
    """What every command on a server needs."""
    if name not in state.servers:
        return absent(family)
    wrong = in_state(state, name, family, *states) if states else FINE
    return idle(state, name, family) | unlocked(state, name, family) | wrong


def used_cores(state: State, server: Server) -> tuple[int, int]:
    """What a server counts, in vCPUs and MiB: between two flavors with the greater of each."""
    flavors = [state.flavors[name] for name in (server.flavor, server.coming, server.former) if name is not None]
    return max(flavor.vcpus for flavor in flavors), max(flavor.ram for flavor in flavors)


def servers_fit(state: State, family: Family, flavor: str, count: int) -> Refusals:
    """Quota for new servers (Ecs.0001)."""
    wanted, used = state.flavors[flavor], [used_cores(state, server) for server in state.servers.values()]
    fits = (
        len(state.servers) + count <= state.quota.instances
        and sum(cores for cores, _ in used) + count * wanted.vcpus <= state.quota.cores
        and sum(ram for _, ram in used) + count * wanted.ram <= state.quota.ram
    )
    return unless(fits, no(400, "Ecs.0001") if family is ECS else no(403))


def flavor_fits(state: State, family: Family, name: str, flavor: str) -> Refusals:
    """Quota for another flavor of a server (Ecs.0001)."""
    others = [used_cores(state, server) for other, server in state.servers.items() if other != name]
    own, wanted = used_cores(state, state.servers[name]), state.flavors[flavor]
    cores = sum(cores for cores, _ in others) + max(own[0], wanted.vcpus)
    ram = sum(ram for _, ram in others) + max(own[1], wanted.ram)
    return unless(cores <= state.quota.cores and ram <= state.quota.ram, no(400, "Ecs.0001") if family is ECS else no(403))


def volumes_fit(state: State, family: Family, *sizes: int) -> Refusals:
    """Quota for new volumes (Ecs.0021)."""
    count = len(state.volumes) + len(sizes)
    gigabytes = sum(volume.size for volume in state.volumes.values()) + sum(sizes)
    fits = count <= state.quota.volumes and gigabytes <= state.quota.gigabytes
    return unless(fits, no(400, "Ecs.0021") if family is ECS else no(403))


def steadily(state: State, name: str, family: Family, *states: str) -> Refusals:
    """A server must be in one of these states, whatever it is busy with."""
    server = state.servers.get(name)
    return unless(server is None or server.vm_state in states, no(400, "Ecs.0100") if family is ECS else no(409))
