"""Installing systems, and images of servers (ECS API reference 5.2.1, 5.2.2, 6.3.6, 6.3.7, 11.2.5)."""

from __future__ import annotations

from tests.contract.machine import commands
from tests.contract.machine.model.prediction import ANY_CODE, FINE, Family, Prediction, Refusals, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable, idle, in_state, there, volumes_fit
from tests.contract.machine.model.state import Effect, Image, Snapshot, State, Volume, Work

_INSTALLING = frozenset({"rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"})


def reinstall(state: State, command: commands.Reinstall) -> Prediction:
    """5.2.1, 5.2.2: a stopped server with a system disk, and an image with Cloud-init. It gets a new system disk and stays stopped."""
    name, server = command.server, state.servers.get(command.server)
    image = command.image if command.image is not None or server is None else server.image
    rules = [commandable(state, name, ECS, "stopped"), unless(command.key in state.key_pairs, no(400, "Ecs.0314"))]
    if server is not None:
        rules += [_has_system_disk(state, name, ECS), _suits(state, ECS, name, image or "")]
        rules.append(unless(image not in state.images or state.images[image or ""].cloud_init, no(400, ANY_CODE)))
        if server.system is not None and state.has_snapshots(server.system):
            # It cannot be deleted (11.4.5): the new one comes beside it.
            rules.append(volumes_fit(state, ECS, state.volumes[server.system].size))

    def after() -> State:
        changed, job = state.next_name("j")
        end = _reinstalled(name, image or "")
        return changed.begin(
            Work(
                "install",
                end,
                server=name,
                job=job,
                vm_state="stopped",
                tasks=_INSTALLING,
                volumes=_system_disk(state, name),
                broken=_broken(name),
            )
        )

    return predict(state, 200, after, *rules)


def _system_disk(state: State, name: str) -> tuple[str, ...]:
    system = state.servers[name].system
    return (system,) if system is not None else ()


def _reinstalled(name: str, image: str) -> Effect:
    def end(state: State) -> State:
        former = state.servers[name].system or ""
        size, zone = state.volumes[former].size, state.volumes[former].zone
        if state.has_snapshots(former):
            state = state.change("volumes", former, status="available", server=None, goes=False)
        else:
            state = state.drop("volumes", former)
        state, number = state.next_name(f"{name}/system")
        disk = number
        state = state.put("volumes", disk, Volume(size, zone, "in-use", name, bootable=True, goes=True))
        return state.change("servers", name, system=disk, image=image, vm_state="stopped")

    return end


def _broken(name: str) -> Effect:
    """An installation that is broken off has failed."""
    return lambda state: state.change("servers", name, vm_state="error")


def rebuild(state: State, command: commands.Rebuild) -> Prediction:
    """6.3.6: not in ERROR. The disk stays, and so does the server's state."""
    name = command.server
    rules = [commandable(state, name, NATIVE, "active", "stopped")]
    if name in state.servers:
        rules += [_has_system_disk(state, name, NATIVE), _suits(state, NATIVE, name, command.image)]

    def after() -> State:
        vm_state = state.servers[name].vm_state
        boots = {"stuck": 0} if vm_state == "active" else {}
        return state.change("servers", name, image=command.image).begin(
            Work(
                "rebuild",
                lambda state: state.change("servers", name, **boots),
                server=name,
                vm_state=vm_state,
                tasks=_INSTALLING,
                broken=_broken(name),
            )
        )

    return predict(state, (200, 202), after, *rules)


def _has_system_disk(state: State, name: str, family: Family) -> Refusals:
    return unless(state.servers[name].system is not None, no(400, "Ecs.0105") if family is ECS else no(400))


def _suits(state: State, family: Family, name: str, image_name: str) -> Refusals:
    """An image must be there and ready, and the server's flavor and disk large enough for it."""
    server, image = state.servers[name], state.images.get(image_name)
    if image is None:
        return no(400, "Ecs.0031") if family is ECS else no(400)
    fits = server.system is None or state.volumes[server.system].size >= image.min_disk
    return (
        unless(image.status == "ACTIVE", no(400, "Ecs.0032") if family is ECS else no(400))
        | unless(state.flavors[server.flavor].ram >= image.min_ram, no(400, "Ecs.0007") if family is ECS else no(400))
        | unless(fits, no(400, ANY_CODE) if family is ECS else no(400))
    )


def make_image(state: State, command: commands.MakeImage) -> Prediction:
    """6.3.7: not in ERROR. A snapshot of the system disk comes with the image, and stays when it goes. The server goes on."""
    name, server = command.server, state.servers.get(command.server)
    rules = [there(state, name, NATIVE), idle(state, name, NATIVE) if server else FINE]
    rules.append(in_state(state, name, NATIVE, "active", "stopped"))
    if server is not None:
        rules.append(_has_system_disk(state, name, NATIVE))
        rules.append(unless(len(state.snapshots) < state.quota.snapshots, no(403)))

    def after() -> State:
        server = state.servers[name]
        disk = server.system or ""
        size = state.volumes[disk].size
        source = state.images.get(server.image)
        min_ram, cloud_init = (source.min_ram, source.cloud_init) if source is not None else (0, True)
        changed, image = state.next_name("i")
        snapshot = f"of {image}"
        changed = changed.put("images", image, Image(size, min_ram, "SAVING", private=True, cloud_init=cloud_init))
        changed = changed.put("snapshots", snapshot, Snapshot(disk, size))

        def end(state: State) -> State:
            return state.change("images", image, status="ACTIVE").change("snapshots", snapshot, status="available")

        return changed.begin(Work("image", end))

    return predict(state, 202, after, *rules)


def delete_image(state: State, command: commands.DeleteImage) -> Prediction:
    """11.2.5: private ones only."""
    image = state.images.get(command.image)
    rules = [unless(image is not None, no(404)), unless(image is None or image.private, no(403))]
    return predict(state, 204, lambda: state.drop("images", command.image), *rules)
