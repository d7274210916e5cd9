"""Volumes, their places on servers, and their snapshots (ECS API reference 5.6, 6.8, 11.4, 11.6)."""

from __future__ import annotations

from tests.contract.machine import commands
from tests.contract.machine.model.prediction import Family, Prediction, Refusals, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable, volumes_fit
from tests.contract.machine.model.state import Effect, Snapshot, State, Volume, Work

_STATES = ("active", "stopped", "resized")
"""Of servers whose disks may come and go: not building, not in error, not paused or suspended (6.8.3)."""


def make(state: State, command: commands.MakeVolume) -> Prediction:
    """11.4.4: of a size, or of a snapshot that is ready."""
    source = state.snapshots.get(command.snapshot or "")
    rules = []
    if command.snapshot is not None:
        rules.append(unless(source is not None, no(404)))
        rules.append(unless(source is None or source.status == "available", no(400)))
    size = command.size if command.size is not None else source.size if source is not None else 1
    rules.append(unless(source is None or size >= source.size, no(400)))
    rules.append(volumes_fit(state, NATIVE, size))

    def after() -> State:
        changed, name = state.next_name("v")
        origin = changed.volumes.get(source.volume) if source is not None else None
        zone = origin.zone if origin is not None else command.zone
        bootable = origin is not None and origin.bootable
        changed = changed.put("volumes", name, Volume(size, zone, "creating", bootable=bootable))
        return changed.begin(Work("make", lambda state: state.change("volumes", name, status="available"), volumes=(name,)))

    return predict(state, (200, 202), after, *rules)


def delete(state: State, command: commands.DeleteVolume) -> Prediction:
    """11.4.5: on no server, without snapshots, and in one of a few states."""
    name, volume = command.volume, state.volumes.get(command.volume)
    if volume is None:
        return predict(state, 202, lambda: state, no(404))

    def after() -> State:
        changed = state.change("volumes", name, status="deleting")
        return changed.begin(Work("delete volume", lambda state: state.drop("volumes", name), volumes=(name,)))

    return predict(
        state, 202, after, unless(volume.status in {"available", "error"}, no(400)), unless(not state.has_snapshots(name), no(400))
    )


def make_snapshot(state: State, command: commands.MakeSnapshot) -> Prediction:
    """11.6.1: of an available volume, with force also of one in use."""
    volume = state.volumes.get(command.volume)
    if volume is None:
        return predict(state, 200, lambda: state, no(404))
    ready = volume.status == "available" or (command.force and volume.status == "in-use")

    def after() -> State:
        changed, name = state.next_name("p")
        changed = changed.put("snapshots", name, Snapshot(command.volume, volume.size))
        return changed.begin(Work("snapshot", lambda state: state.change("snapshots", name, status="available")))

    room = unless(len(state.snapshots) < state.quota.snapshots, no(403))
    return predict(state, (200, 202), after, unless(ready, no(400)), room)


def delete_snapshot(state: State, command: commands.DeleteSnapshot) -> Prediction:
    """11.6.3: one that is ready."""
    name, snapshot = command.snapshot, state.snapshots.get(command.snapshot)
    if snapshot is None:
        return predict(state, 202, lambda: state, no(404))

    def after() -> State:
        changed = state.change("snapshots", name, status="deleting")
        return changed.begin(Work("delete snapshot", lambda state: state.drop("snapshots", name)))

    return predict(state, 202, after, unless(snapshot.status == "available", no(400)))


def attach(state: State, command: commands.Attach) -> Prediction:
    """5.6.1, 6.8.3: an available volume of the server's zone, while the server has a free slot."""
    family = NATIVE if command.natively else ECS
    name, disk = command.server, command.volume
    server, volume = state.servers.get(name), state.volumes.get(disk)
    rules = [commandable(state, name, family, *_STATES)]
    if server is not None and volume is None:
        rules.append(no(404) if command.natively else no(400, "Ecs.0103"))
    if server is not None and volume is not None:
        on_it = volume.server == name
        rules.append(unless(not on_it, no(400) if command.natively else no(400, "Ecs.0057")))
        rules.append(unless(volume.status == "available", no(400) if command.natively else no(400, "Ecs.0103")))
        rules.append(unless(volume.zone == "a", no(400) if command.natively else no(400, "Ecs.0121")))
        at_home = volume.bootable and server.system is None
        used = len(server.disks) + server.stuck
        room = at_home or used < state.flavors[server.flavor].data_disks
        rules.append(unless(room, no(403) if command.natively else no(400, "Ecs.0104", "Ecs.0042")))
        # 6.8.3: where a bootable volume goes must be said.
        rules.append(unless(not command.natively or not volume.bootable, no(400)))

    def after() -> State:
        changed, job = state.next_name("j") if family is ECS else (state, None)
        home = state.volumes[disk].bootable and state.servers[name].system is None
        server = state.servers[name]
        places = {"system": disk} if home else {"disks": (*server.disks, disk)}
        changed = changed.change("servers", name, **places).change("volumes", disk, status="attaching", server=name, goes=home)
        broken = _off(name, disk)
        return changed.begin(Work("attach", _on(disk), server=name, volumes=(disk,), job=job, broken=broken))

    return predict(state, 200, after, *rules)


def _on(disk: str) -> Effect:
    return lambda state: state.change("volumes", disk, status="in-use")


def _off(name: str, disk: str) -> Effect:
    def end(state: State) -> State:
        server = state.servers[name]
        system = None if server.system == disk else server.system
        disks = tuple(other for other in server.disks if other != disk)
        state = state.change("servers", name, system=system, disks=disks)
        return state.change("volumes", disk, status="available", server=None, goes=False)

    return end


def detach(state: State, command: commands.Detach) -> Prediction:
    """5.6.2, 6.8.4: the system disk of a stopped server only, and never by force."""
    family = NATIVE if command.natively else ECS
    name, disk = command.server, command.volume
    server, volume = state.servers.get(name), state.volumes.get(disk)
    rules = [commandable(state, name, family, *_STATES)]
    if server is not None:
        attached = volume is not None and volume.server == name
        rules.append(unless(attached, no(404) if command.natively else no(400, "Ecs.0111")))
        possible = disk != server.system or (server.vm_state == "stopped" and not command.force)
        rules.append(unless(possible, _system_disk_stays(family)))

    def after() -> State:
        changed, job = state.next_name("j") if family is ECS else (state, None)
        sticks = command.force and state.servers[name].vm_state != "stopped"

        def end(state: State) -> State:
            state = _off(name, disk)(state)
            return state.change("servers", name, stuck=state.servers[name].stuck + 1) if sticks else state

        changed = changed.change("volumes", disk, status="detaching")
        return changed.begin(Work("detach", end, server=name, volumes=(disk,), job=job, broken=_on(disk)))

    return predict(state, 202 if command.natively else 200, after, *rules)


def _system_disk_stays(family: Family) -> Refusals:
    """Nova calls it a bad request or a conflict, depending on its version."""
    return no(400, "Ecs.0102", "Ecs.0100") if family is ECS else no(400) | no(403) | no(409)
