"""Interfaces, floating IPs and security groups (ECS API reference 5.5, 6.5, 6.7, 11.3, 11.5)."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.machine import commands
from tests.contract.machine.model.prediction import ANY_CODE, FINE, Prediction, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable, there
from tests.contract.machine.model.state import Effect, FloatingIp, Nic, State, Work

_STATES = ("active", "paused", "stopped")
"""Of servers whose interfaces may come and go, as Nova allows it."""
OUTSIDE = "10.9.9.9"
"""An address of no network."""


def add_interfaces(state: State, command: commands.AddInterfaces) -> Prediction:
    """5.5.1: as many as the flavor takes, each with a free address of its network."""
    name, server = command.server, state.servers.get(command.server)
    # Every interface is asked for with this security group.
    rules = [commandable(state, name, ECS, *_STATES), unless("web" in state.security_groups, no(400, ANY_CODE))]
    if server is not None:
        rules.append(unless(len(server.nics) + command.count <= state.flavors[server.flavor].nics, no(400, "Ecs.0050")))
    if command.address is not None:
        rules += [
            unless(command.address not in state.addresses(), no(400, "Ecs.0010")),
            unless(command.address != OUTSIDE, no(400, "Ecs.0039")),
        ]

    def after() -> State:
        changed, job = state.next_name("j")
        before = state.servers[name].nics
        changed = changed.change("servers", name, nics=(*before, *[Nic(command.address or "auto")] * command.count))
        broken = _has_nics(name, before)
        return changed.begin(Work("add interfaces", lambda state: state, server=name, job=job, moves_nics=True, broken=broken))

    return predict(state, 200, after, *rules)


def _has_nics(name: str, nics: tuple[Nic, ...]) -> Effect:
    return lambda state: state.change("servers", name, nics=nics)


def remove_interface(state: State, command: commands.RemoveInterface) -> Prediction:
    """5.5.2, 6.7.4: any but the primary one."""
    family = NATIVE if command.natively else ECS
    name, server = command.server, state.servers.get(command.server)
    rules = [commandable(state, name, family, *_STATES)]
    if server is not None:
        has = command.index < len(server.nics)
        rules.append(unless(has, no(404) if command.natively else no(400, "Ecs.0085")))
        rules.append(unless(command.index > 0 or not has, no(403) if command.natively else no(403, "Ecs.0507")))

    def after() -> State:
        nics = state.servers[name].nics
        going = nics[command.index]

        def left(state: State) -> State:
            rest = (*nics[: command.index], *nics[command.index + 1 :])
            return state.let_go([going]).change("servers", name, nics=rest)

        if command.natively:
            return left(state)
        changed, job = state.next_name("j")
        return changed.begin(Work("remove interface", left, server=name, job=job, moves_nics=True))

    return predict(state, 202 if command.natively else 200, after, *rules)


def attach_interface(state: State, command: commands.AttachInterface) -> Prediction:
    """6.7.3: a new one, or a port that is there and on no server."""
    name, server = command.server, state.servers.get(command.server)
    rules = [commandable(state, name, NATIVE, *_STATES)]
    if server is not None:
        rules.append(unless(len(server.nics) < state.flavors[server.flavor].nics, no(400) | no(403)))
    rules.append(unless(not command.spare or "spare" not in state.addresses(), no(409)))

    def after() -> State:
        new = Nic("spare", state.spare) if command.spare else Nic("auto", frozenset({"default"}))
        return _has_nics(name, (*state.servers[name].nics, new))(state)

    return predict(state, 200, after, *rules)


def make_floating_ip(state: State, _: commands.MakeFloatingIp) -> Prediction:
    """11.5.3."""

    def after() -> State:
        changed, name = state.next_name("f")
        return changed.put("floating_ips", name, FloatingIp())

    return predict(state, 200, after, unless(len(state.floating_ips) < state.quota.floating_ips, no(403)))


def delete_floating_ip(state: State, command: commands.DeleteFloatingIp) -> Prediction:
    """11.5.6: one that is bound is unbound first, as in Nova."""
    return predict(state, 202, lambda: state.drop("floating_ips", command.ip), unless(command.ip in state.floating_ips, no(404)))


def bind(state: State, command: commands.Bind) -> Prediction:
    """11.5.1, 11.5.2: a free address to a server whose first interface has none; off again only from the one it is bound to."""
    name, ip = command.server, state.floating_ips.get(command.ip)
    rules = [there(state, name, NATIVE), unless(ip is not None, no(404))]
    if command.on:
        rules.append(unless(ip is None or ip.server is None, no(400)))
        has_one = any(other.server == name for other in state.floating_ips.values())
        rules.append(unless(not has_one, no(400)))
        rules.append(unless(name not in state.servers or bool(state.servers[name].nics), no(400)))
    else:
        rules.append(unless(ip is None or ip.server == name, no(409)))
    after = FloatingIp(name if command.on else None)
    return predict(state, 202, lambda: state.put("floating_ips", command.ip, after), *rules)


def protect(state: State, command: commands.Protect) -> Prediction:
    """6.5.1, 6.5.2: a group that is there; off again only if the server has it."""
    name, server, group = command.server, state.servers.get(command.server), command.security_group
    rules = [there(state, name, NATIVE), unless(group in state.security_groups, no(404))]
    if server is not None and not command.on:
        rules.append(unless(any(group in nic.groups for nic in server.nics), no(404) | no(400)))

    def after() -> State:
        nics = state.servers[name].nics
        changed = [replace(nic, groups=nic.groups | {group} if command.on else nic.groups - {group}) for nic in nics]
        return state.change("servers", name, nics=tuple(changed))

    return predict(state, 202, after, *rules)


def make_security_group(state: State, command: commands.MakeSecurityGroup) -> Prediction:
    """11.3.2: a name is given once."""
    fits = len(state.security_groups) < state.quota.security_groups
    return predict(
        state,
        200,
        lambda: replace(state, security_groups=state.security_groups | {command.name}),
        unless(command.name not in state.security_groups, no(400) | no(409)),
        unless(fits, no(403)),
    )


def delete_security_group(state: State, command: commands.DeleteSecurityGroup) -> Prediction:
    """11.3.5: one that protects nothing, and not the default one."""
    name = command.name
    used = name in state.spare or any(name in nic.groups for server in state.servers.values() for nic in server.nics)
    return predict(
        state,
        202,
        lambda: replace(state, security_groups=state.security_groups - {name}),
        unless(name in state.security_groups, no(404)),
        unless(name != "default", no(400)),
        unless(not used, no(400)) if name in state.security_groups else FINE,
    )
