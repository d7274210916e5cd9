"""``/_sim/clock``: the world's time, and how far the gateway's clock is off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_simulator.admin import body as fields
from ecs_simulator.simulator import Simulator

MODES = ("real", "scaled", "frozen")


def show_clock(simulator: Simulator) -> dict[str, Any]:
    """Return mode, scale and the present time of the world in epoch seconds."""
    clock = simulator.world.clock
    return {"mode": clock.mode, "scale": clock.scale, "now": clock.now(), "gatewaySkew": simulator.gateway_skew}


def change_clock(simulator: Simulator, body: Mapping[str, Any]) -> dict[str, Any]:
    """Change mode and scale first, then jump ahead; time never goes back."""
    fields.known(body, "mode", "scale", "advance", "gatewaySkew")
    clock = simulator.world.clock
    scale = fields.number(body, "scale")
    if scale == 0:
        raise fields.bad("scale must be above 0; to stop time, set mode to frozen")
    if "mode" in body or scale is not None:
        mode = fields.one_of(body, "mode", MODES, default="scaled")
        clock.set_mode(mode, scale=scale)
    advance = fields.number(body, "advance")
    if advance is not None:
        clock.advance(advance)
    skew = fields.number(body, "gatewaySkew", least=-1e9)
    if skew is not None:
        simulator.gateway_skew = skew
    return show_clock(simulator)
