"""Starting, stopping and rebooting (ECS API reference 5.3, 6.3.1 to 6.3.3)."""

from __future__ import annotations

from typing import Literal

from tests.contract.machine import commands
from tests.contract.machine.model.batches import batch
from tests.contract.machine.model.prediction import FINE, Family, Prediction, Refusals, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, commandable
from tests.contract.machine.model.state import State, Work

Action = Literal["start", "stop", "reboot"]
_FROM = {"start": "stopped", "stop": "active", "reboot": "active"}
_TO = {"start": "active", "stop": "stopped", "reboot": "active"}
_REBOOTING = frozenset({"rebooting", "reboot_pending", "reboot_started"})
_REBOOTING_HARD = frozenset({"rebooting_hard", "reboot_pending_hard", "reboot_started_hard"})


def power(state: State, command: commands.Power) -> Prediction:
    """5.3: what runs can be stopped and rebooted, what is stopped can be started."""
    return batch(
        state,
        command.servers,
        lambda state, name: _rules(state, command.action, name, ECS),
        lambda state, name, job: state.begin(_work(state, command.action, name, command.mode, job)),
    )


def power_natively(state: State, command: commands.PowerNatively) -> Prediction:
    """6.3.1 to 6.3.3."""
    rules = _rules(state, command.action, command.server, NATIVE)
    return predict(state, 202, lambda: state.begin(_work(state, command.action, command.server, command.mode, None)), rules)


def _rules(state: State, action: Action, name: str, family: Family) -> Refusals:
    server = state.servers.get(name)
    boots = server is None or action != "start" or server.system is not None
    missing = unless(boots, no(400, "Ecs.0105") if family is ECS else no(400)) if server is not None else FINE
    return commandable(state, name, family, _FROM[action]) | missing


def _work(state: State, action: Action, name: str, mode: str, job: str | None) -> Work:
    tasks = {
        "start": frozenset({"powering-on"}),
        "stop": frozenset({"powering-off"}),
        "reboot": _REBOOTING_HARD if mode == "HARD" else _REBOOTING,
    }[action]
    boots = {"stuck": 0} if action != "stop" else {}
    return Work(
        action,
        lambda state: state.change("servers", name, vm_state=_TO[action], **boots),
        server=name,
        job=job,
        vm_state=state.servers[name].vm_state,
        tasks=tasks,
    )
