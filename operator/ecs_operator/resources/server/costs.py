"""What a change of each field of an EcsServer costs once its server exists, as a table: the source of docs/reference/costs.md.

It decides nothing: ``differences.py`` and the rules of the schema do. Tests hold it against both, and against the fields of the schema, so
it says what is done. One row a field; where it depends on the change, one row for each, told apart by ``when``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from ecs_operator.resources.server.deeds import Cost


class Other(Enum):
    """What is no cost: the change is one of another sort."""

    POLICY = "free: policy"
    """It says how the operator works; no call is made for it."""
    ITSELF = "is the change itself"
    """The server is started, stopped or restarted because that is asked for."""
    REFUSED = "refused"
    """``kubectl apply`` refuses it once the server exists."""


STOPPED = "stop, {}, start"
"""Around a call for which the server must be stopped: 5.3.3, and 5.3.1 if it ran before."""
ANEW = "5.1.2, 5.1.1"
"""Delete, and with the proof of death create."""


@dataclass(frozen=True, slots=True)
class Row:
    """One change. ``calls`` names sections of the ECS API reference, in the order in which they are made; empty: none."""

    field: str
    cost: Cost | Other
    calls: str = ""
    when: str = ""

    @property
    def title(self) -> str:
        """The cost as it is shown."""
        return self.cost.title if isinstance(self.cost, Cost) else self.cost.value


ROWS: tuple[Row, ...] = (
    Row("projectRef", Other.REFUSED),
    Row("name", Cost.NONE, "6.2.2"),
    Row("description", Cost.NONE, "6.2.2"),
    Row("flavor", Cost.RESTART, STOPPED.format("5.2.4")),
    Row("image", Cost.REINSTALL, STOPPED.format("5.2.2")),
    Row("availabilityZone", Cost.REPLACE, ANEW),
    Row("vpcId", Cost.REPLACE, ANEW),
    Row("networkInterfaces", Cost.NONE, "5.5.2, 5.5.1", when="to add or remove one, or to move one, without mtu"),
    Row("networkInterfaces", Cost.REPLACE, ANEW, when="to move the first, and another mtu of any"),
    Row("securityGroupIds", Cost.NONE, "6.5.1, 6.5.2"),
    Row("publicIp", Cost.NONE, "11.5.2, 11.5.1", when="by id, with calls of the endpoint for it"),
    Row("publicIp", Cost.REPLACE, ANEW, when="with allocate, before or after, or by id where the endpoint has no calls"),
    Row("rootVolume", Cost.REPLACE, ANEW),
    Row("dataVolumes", Other.REFUSED),
    Row("keyPairName", Cost.REINSTALL, STOPPED.format("5.2.1 or 5.2.2")),
    Row("adminPasswordSecretRef", Cost.REINSTALL, STOPPED.format("5.2.1 or 5.2.2")),
    Row("userDataRef", Cost.REINSTALL, STOPPED.format("5.2.1 or 5.2.2")),
    Row("metadata", Cost.NONE, "6.9.1, 6.9.3"),
    Row("tags", Cost.NONE, "5.9.4, 5.9.3"),
    Row("locked", Cost.NONE, "6.3.4 or 6.3.5"),
    Row("autoRecovery", Cost.NONE, "11.1.2"),
    Row("serverGroupRef", Cost.NONE, "5.10.4", when="to leave a group"),
    Row("serverGroupRef", Cost.RESTART, STOPPED.format("5.10.4, 5.10.3"), when="to join a group, or to move to another"),
    Row("serverGroupId", Cost.NONE, "5.10.4", when="to leave a group"),
    Row("serverGroupId", Cost.RESTART, STOPPED.format("5.10.4, 5.10.3"), when="to join a group, or to move to another"),
    Row("scheduling", Cost.RESTART, STOPPED.format("5.2.3")),
    Row("agencyName", Cost.REPLACE, ANEW),
    Row("powerState", Other.ITSELF, "5.3.1 or 5.3.3"),
    Row("disruption", Other.POLICY),
    Row("driftPolicy", Other.POLICY),
    Row("shutdown", Other.POLICY),
    Row("deletionPolicy", Other.POLICY),
    Row("deletionProtection", Other.POLICY),
    Row("managementPolicy", Other.POLICY),
    Row("import", Other.REFUSED),
)

RESTART_TOKEN = Row("restart-requested-at", Other.ITSELF, "5.3.2")
"""The one change that is asked for by an annotation."""

MEANINGS: Mapping[str, str] = {
    "None": "nothing that whoever uses the server would notice; done at once, without being asked",
    "Restart": "the server is stopped, and started again if it ran before; nothing on its disks is lost",
    "Reinstall": "the server is stopped, its system disk is made anew and everything on that disk is lost; data disks stay",
    "Replace": "the server is deleted and another one made in its place; the system disk, its addresses and its id are lost",
}
"""What each cost means, by its name in ``disruption.allow``."""
