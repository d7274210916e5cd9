"""Another flavor for a server (ECS API reference 5.2.4, 6.3.8 to 6.3.10)."""

from __future__ import annotations

from tests.contract.machine import commands
from tests.contract.machine.model.prediction import FINE, Family, Prediction, Refusals, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable, flavor_fits
from tests.contract.machine.model.state import Effect, State, Work

_RESIZING = frozenset({"resize_prep", "resize_migrating", "resize_migrated", "resize_finish"})


def resize(state: State, command: commands.Resize) -> Prediction:
    """5.2.4: a stopped server, and a flavor that is another one, not sold out, and within the quota."""
    name, flavor = command.server, command.flavor

    def after() -> State:
        if command.dry:
            return state
        changed, job = state.next_name("j")
        changed = changed.change("servers", name, coming=flavor)
        end, stays = _has(name, flavor), _stays(name)
        return changed.begin(Work("resize", end, server=name, job=job, vm_state="stopped", tasks=_RESIZING, broken=stays))

    wanted = state.flavors.get(flavor)
    sold = unless(wanted is None or not wanted.sold_out, no(400, "Ecs.0319"))
    statuses = (200, 202) if command.dry else 200
    return predict(state, statuses, after, commandable(state, name, ECS, "stopped"), _fits(state, ECS, name, flavor), sold)


def resize_natively(state: State, command: commands.ResizeNatively) -> Prediction:
    """6.3.8: a running server is shut down for it. It ends in VERIFY_RESIZE, or as before where the flavor is sold out."""
    name, flavor = command.server, command.flavor

    def after() -> State:
        was, end = state.servers[name].vm_state, _has(name, flavor)
        changed = state.change("servers", name, coming=flavor, resumes=was)
        if state.flavors[flavor].sold_out:
            end = _stays(name)
        else:
            end = lambda state: state.change(  # noqa: E731
                "servers", name, vm_state="resized", former=state.servers[name].flavor, flavor=flavor, coming=None
            )
        return changed.begin(Work("resize natively", end, server=name, vm_state="stopped", tasks=_RESIZING, broken=_stays(name)))

    return predict(state, 202, after, commandable(state, name, NATIVE, "active", "stopped"), _fits(state, NATIVE, name, flavor))


def settle(state: State, command: commands.Settle) -> Prediction:
    """6.3.9, 6.3.10: only in VERIFY_RESIZE, and without a task."""
    name = command.server

    def after() -> State:
        server = state.servers[name]
        if command.keep:
            return state.change(
                "servers", name, vm_state=server.resumes, former=None, resumes="", stuck=0 if server.resumes == "active" else server.stuck
            )

        def back(state: State) -> State:
            stuck = 0 if server.resumes == "active" else server.stuck
            return state.change("servers", name, vm_state=server.resumes, flavor=server.former, former=None, resumes="", stuck=stuck)

        return state.begin(Work("revert", back, server=name, vm_state="resized", tasks=frozenset({"resize_reverting"})))

    return predict(state, 204 if command.keep else 202, after, commandable(state, name, NATIVE, "resized"))


def _has(name: str, flavor: str) -> Effect:
    return lambda state: state.change("servers", name, flavor=flavor, coming=None)


def _stays(name: str) -> Effect:
    return lambda state: state.change("servers", name, coming=None, resumes="")


def _fits(state: State, family: Family, name: str, flavor: str) -> Refusals:
    """What a server is made of must suit its flavor."""
    server, wanted = state.servers.get(name), state.flavors.get(flavor)
    if server is None:
        return FINE
    if wanted is None:
        return _bad(family, "Ecs.0029")
    image = state.images.get(server.image)
    return (
        unless(server.flavor != flavor, _bad(family, "Ecs.0810", "Ecs.0009"))
        | unless(image is None or image.min_ram <= wanted.ram, _bad(family, "Ecs.0007"))
        | unless(len(server.nics) <= wanted.nics, _bad(family, "Ecs.0050"))
        | unless(len(server.disks) + server.stuck <= wanted.data_disks, _bad(family, "Ecs.0042"))
        | unless(wanted.recovers or not server.recovers, _bad(family, "Ecs.0036"))
        | flavor_fits(state, family, name, flavor)
    )


def _bad(family: Family, *codes: str) -> Refusals:
    return no(400, *codes) if family is ECS else no(400)
