"""Making and deleting servers, and what they are called (ECS API reference 5.1, 6.2.1 to 6.2.3, 6.3.4, 6.3.5, 11.1.2)."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.machine import commands
from tests.contract.machine.model.batches import batch
from tests.contract.machine.model.prediction import ANY_CODE, FINE, Family, Prediction, Refusals, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable, servers_fit, there, volumes_fit
from tests.contract.machine.model.state import Effect, FloatingIp, Nic, Server, State, Volume, Work

BUILDING = frozenset({"scheduling", "block_device_mapping", "networking", "spawning"})
"""Table A-4."""


def create(state: State, command: commands.Create) -> Prediction:
    """5.1.1 checks everything beforehand. 6.2.1 finds out later that a flavor is sold out, and rolls nothing back."""
    family = NATIVE if command.natively else ECS
    rules = [_image_fits(state, family, command)]
    flavor = state.flavors.get(command.flavor)
    if flavor is None:
        rules.append(_bad(family, "Ecs.0029"))
    else:
        rules.append(servers_fit(state, family, command.flavor, command.count))
        rules.append(unless(not flavor.sold_out or command.natively, no(400, "Ecs.0319")))
    sizes = (_root(state, command), *([command.data] if command.data else []))
    rules.append(volumes_fit(state, family, *sizes * command.count))
    rules.append(unless(command.key in state.key_pairs, _bad(family, "Ecs.0314")))
    # Every server is asked for with this security group.
    rules.append(unless("web" in state.security_groups, _bad(family, "Ecs.0014")))
    if command.group is not None:
        rules.append(_group_fits(state, family, command.group, command.count))
    if command.address is not None:
        rules.append(unless(command.address not in state.addresses(), _bad(family, "Ecs.0010")))
    fails = flavor is not None and flavor.sold_out
    return predict(state, 202 if command.natively else 200, lambda: _created(state, command, fails=fails), *rules)


def _bad(family: Family, *codes: str) -> Refusals:
    return no(400, *codes) if family is ECS else no(400)


def _root(state: State, command: commands.Create) -> int:
    """A native create makes a system disk of the image's minimum."""
    image = state.images.get(command.image)
    return image.min_disk if command.natively and image is not None else command.root


def _image_fits(state: State, family: Family, command: commands.Create) -> Refusals:
    image, flavor = state.images.get(command.image), state.flavors.get(command.flavor)
    if image is None:
        return _bad(family, "Ecs.0031")
    return (
        unless(image.status == "ACTIVE", _bad(family, "Ecs.0032"))
        | unless(flavor is None or flavor.ram >= image.min_ram, _bad(family, "Ecs.0007"))
        | unless(command.natively or command.root >= image.min_disk, _bad(family, ANY_CODE))
    )


def _group_fits(state: State, family: Family, group: str, count: int) -> Refusals:
    if group not in state.groups:
        return _bad(family, ANY_CODE)
    fits = len(state.members(group)) + count <= state.quota.members
    return unless(fits, no(400, "Ecs.0022") if family is ECS else no(403))


def _created(state: State, command: commands.Create, *, fails: bool) -> State:
    """A server is there from the moment it is accepted, with all that belongs to it."""
    job = None
    if not command.natively:
        state, job = state.next_name("j")
    for _ in range(command.count):
        state, name = state.next_name("s")
        system, data = f"{name}/system", f"{name}/data"
        state = state.put("volumes", system, Volume(_root(state, command), status="in-use", server=name, bootable=True, goes=True))
        if command.data:
            state = state.put("volumes", data, Volume(command.data, status="in-use", server=name))
        server = Server(
            flavor=command.flavor,
            image=command.image,
            system=system,
            disks=(data,) if command.data else (),
            nics=(Nic(command.address or "auto"),),
            group=command.group,
        )
        state = state.put("servers", name, server)
        end = _came_to_nothing(name) if fails else _runs(name)
        volumes = (system, *server.disks)
        work = Work(
            "create", end, server=name, volumes=volumes, job=job, vm_state="building", tasks=BUILDING, moves_nics=True, broken=gone(name)
        )
        state = state.begin(work)
    return state


def _runs(name: str) -> Effect:
    return lambda state: state.change("servers", name, vm_state="active")


def _came_to_nothing(name: str) -> Effect:
    """A native create that fails leaves the server in ERROR, with all that was made for it."""
    return lambda state: state.change("servers", name, vm_state="error")


def delete(state: State, command: commands.Delete) -> Prediction:
    """5.1.2: any state will do."""

    def part(state: State, name: str, job: str) -> State:
        # Who deletes a resized server settles for the flavor it has.
        state = _confirmed(state, name)
        vm_state = state.servers[name].vm_state
        end = gone(name, volumes=command.volumes)
        return state.begin(Work("delete", end, server=name, job=job, vm_state=vm_state, tasks=frozenset({"deleting"}), broken=end))

    return batch(state, command.servers, lambda state, name: commandable(state, name, ECS), part)


def delete_natively(state: State, command: commands.DeleteNatively) -> Prediction:
    """6.2.3: as in Nova only a lock prevents it. What runs is broken off; a server that is being made is gone at once."""
    name = command.server

    def after() -> State:
        running = state.work_on(name)
        if running is not None and running.what in {"delete", "delete natively"}:
            return state
        changed = state
        if running is not None:
            changed = broken_off(state, running)
        if name not in changed.servers:
            return changed
        changed = _confirmed(changed, name)
        vm_state = changed.servers[name].vm_state
        return changed.begin(
            Work("delete natively", gone(name), server=name, vm_state=vm_state, tasks=frozenset({"deleting"}), broken=gone(name))
        )

    locked = name in state.servers and state.servers[name].locked
    return predict(state, 204, after, there(state, name, NATIVE), unless(not locked, no(409)))


def broken_off(state: State, work: Work) -> State:
    """What becomes of a server's work, and of its job, when somebody else has decided about the server."""
    others = tuple(other for other in state.works if other is not work)
    state = work.broken(replace(state, works=others))
    return state if work.job is None else state.change("jobs", work.job, may_be=frozenset({"FAIL", "RUNNING", "INIT"}))


def _confirmed(state: State, name: str) -> State:
    server = state.servers[name]
    if server.vm_state != "resized":
        return state
    return state.change("servers", name, vm_state=server.resumes, former=None, resumes="")


def gone(name: str, *, volumes: bool = False) -> Effect:
    """A server goes with its system disk, and with its data disks if told so. A disk with snapshots stays (11.4.5)."""

    def end(state: State) -> State:
        server = state.servers[name]
        for disk in (server.system, *server.disks):
            if disk is None:
                continue
            goes = (state.volumes[disk].goes or (volumes and disk != server.system)) and not state.has_snapshots(disk)
            state = state.drop("volumes", disk) if goes else state.change("volumes", disk, status="available", server=None, goes=False)
        for ip, floating in state.floating_ips.items():
            if floating.server == name:
                state = state.put("floating_ips", ip, FloatingIp())
        return state.let_go(server.nics).drop("servers", name)

    return end


def lock(state: State, command: commands.Lock) -> Prediction:
    """6.3.4, 6.3.5: in any state."""
    return predict(state, 202, lambda: state.change("servers", command.server, locked=command.on), there(state, command.server, NATIVE))


def rename(state: State, command: commands.Rename) -> Prediction:
    """6.2.2: in any state."""
    return predict(state, 200, lambda: state.change("servers", command.server, name=command.name), there(state, command.server, NATIVE))


def recover(state: State, command: commands.Recover) -> Prediction:
    """11.1.2: the flavor must be able to (table 8-10)."""
    server = state.servers.get(command.server)
    able = server is None or not command.on or state.flavors[server.flavor].recovers
    return predict(
        state,
        (200, 202, 204),
        lambda: state.change("servers", command.server, recovers=command.on),
        there(state, command.server, ECS),
        unless(able, no(400, "Ecs.0036")),
    )


def damage(state: State, command: commands.Break) -> Prediction:
    """By hand: only what is idle is broken, so that there is nothing to say about what was under way."""
    name = command.server
    possible = name in state.servers and state.work_on(name) is None and state.servers[name].vm_state in {"active", "stopped"}
    after = state.change("servers", name, vm_state="error") if possible else state
    return Prediction(frozenset({200}), after, FINE)
