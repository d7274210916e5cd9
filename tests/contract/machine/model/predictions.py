"""The model's one door: which command is predicted by which rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from tests.contract.machine import commands
from tests.contract.machine.model import flavors, labels, life, networks, power, systems, volumes
from tests.contract.machine.model.prediction import Prediction
from tests.contract.machine.model.state import State

_RULES: Mapping[type[commands.Command], Callable[[State, Any], Prediction]] = MappingProxyType(
    {
        commands.Create: life.create,
        commands.Delete: life.delete,
        commands.DeleteNatively: life.delete_natively,
        commands.Lock: life.lock,
        commands.Rename: life.rename,
        commands.Recover: life.recover,
        commands.Break: life.damage,
        commands.Power: power.power,
        commands.PowerNatively: power.power_natively,
        commands.Resize: flavors.resize,
        commands.ResizeNatively: flavors.resize_natively,
        commands.Settle: flavors.settle,
        commands.Reinstall: systems.reinstall,
        commands.Rebuild: systems.rebuild,
        commands.MakeImage: systems.make_image,
        commands.DeleteImage: systems.delete_image,
        commands.SetMetadata: labels.set_metadata,
        commands.RemoveMetadata: labels.remove_metadata,
        commands.AddTags: labels.add_tags,
        commands.RemoveTags: labels.remove_tags,
        commands.AddTag: labels.add_tag,
        commands.RemoveTag: labels.remove_tag,
        commands.ReplaceTags: labels.replace_tags,
        commands.MakeGroup: labels.make_group,
        commands.DeleteGroup: labels.delete_group,
        commands.Join: labels.join,
        commands.ImportKey: labels.import_key,
        commands.DeleteKey: labels.delete_key,
        commands.MakeVolume: volumes.make,
        commands.DeleteVolume: volumes.delete,
        commands.Attach: volumes.attach,
        commands.Detach: volumes.detach,
        commands.MakeSnapshot: volumes.make_snapshot,
        commands.DeleteSnapshot: volumes.delete_snapshot,
        commands.AddInterfaces: networks.add_interfaces,
        commands.RemoveInterface: networks.remove_interface,
        commands.AttachInterface: networks.attach_interface,
        commands.MakeFloatingIp: networks.make_floating_ip,
        commands.DeleteFloatingIp: networks.delete_floating_ip,
        commands.Bind: networks.bind,
        commands.Protect: networks.protect,
        commands.MakeSecurityGroup: networks.make_security_group,
        commands.DeleteSecurityGroup: networks.delete_security_group,
    }
)


def predict(state: State, command: commands.Command) -> Prediction:
    """Say what the cloud will answer, and what it will be like then."""
    return _RULES[type(command)](state, command)
