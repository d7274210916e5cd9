"""The state machine: random commands, valid and invalid ones, and time that passes between and during them."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.contract.machine import commands as c
from tests.contract.machine.game import Game, Table
from tests.contract.machine.model.networks import OUTSIDE
from tests.contract.machine.model.predictions import predict
from tests.contract.machine.model.state import State

Commands = st.SearchStrategy[Any]

SERVERS = st.sampled_from(["s1"] * 8 + ["s2"] * 4 + ["s3", "nobody"])
BATCHES = st.lists(SERVERS, min_size=1, max_size=2, unique=True).map(tuple)
FLAVORS = st.sampled_from(["large", "small", "huge", "rare", "missing"])
IMAGES = st.sampled_from(["linux", "windows", "bare", "i1", "nothing"])
VOLUMES = st.sampled_from(["v1", "v1", "v3", "v4", "s1/system", "s1/data", "v2", "nothing"])
SNAPSHOTS = st.sampled_from(["p1", "p2", "nothing"])
GROUPS = st.sampled_from(["g1", "g1", "g2", "nothing"])
FLOATING_IPS = st.sampled_from(["f1", "f2", "nothing"])
SECURITY_GROUPS = st.sampled_from(["web", "default", "new", "other", "nothing"])
KEYS = st.sampled_from(["ops", "new", "other", "nothing"])
MODES = st.sampled_from(["SOFT", "HARD"])
ACTIONS = st.sampled_from(["stop", "start", "reboot"])
TAG_KEYS = st.sampled_from([("a",), ("b",), ("a", "b", "c", "d", "e", "f"), ("g", "h", "i", "j", "k", "l")])
TAGS = st.sampled_from(["a=x", "b=y", "free"])
ADDRESSES = st.sampled_from([None, None, "192.168.8.50", OUTSIDE])
WHETHER = st.booleans()
PAUSES = st.sampled_from([0, 0, 1, 2, 2])
"""Halves of what everything takes that pass after a command."""

CREATE = st.builds(
    c.Create,
    flavor=st.sampled_from(["large", "small", "huge", "rare", "missing"]),
    image=st.sampled_from(["linux", "linux", "linux", "windows", "i1", "nothing"]),
    count=st.sampled_from([1, 1, 2]),
    data=st.sampled_from([0, 10]),
    root=st.sampled_from([40, 20]),
    group=st.sampled_from([None, None, "g1", "nothing"]),
    key=st.sampled_from(["ops", "ops", "new", "nothing"]),
) | st.builds(
    c.Create,
    flavor=FLAVORS,
    image=st.sampled_from(["linux", "linux", "windows", "i1", "nothing"]),
    address=st.sampled_from([None, "192.168.8.50"]),
    group=st.sampled_from([None, None, "g1"]),
    key=st.sampled_from(["ops", "new"]),
    natively=WHETHER,
)


@st.composite
def _telling(draw: st.DrawFn, commands: Commands, state: State) -> c.Command:
    """Return one that tells more than that something is not there: left to itself chance would hardly say anything else.

    Half of them are to be carried out, most of the others refused by some other rule than that the subject is missing.
    """
    wish = draw(st.sampled_from(["carried out", "refused", "carried out", "any", "refused", "carried out"]))
    command = draw(commands)
    for _ in range(9):
        refusals = predict(state, command).refusals
        missing = any(refusal.status == 404 for refusal in refusals)
        if wish == "any" or (not refusals if wish == "carried out" else bool(refusals) and not missing):
            break
        command = draw(commands)
    return cast("c.Command", command)


def _some(commands: Commands) -> Commands:
    """Commands that tell something in the state in which they are given."""
    return st.runner().flatmap(lambda machine: _telling(commands, machine.state))


class Machine(RuleBasedStateMachine):
    """One history a run. ``table`` is set by whoever plays."""

    table: ClassVar[Table]

    def __init__(self) -> None:
        super().__init__()
        self._game = Game(self.table)

    @property
    def state(self) -> State:
        """What the model thinks."""
        return self._game.state

    @initialize(stopped=WHETHER, data=WHETHER)
    def begin(self, *, stopped: bool, data: bool) -> None:
        """Most rules are about a server that is there."""
        self._game.give(c.Create(data=10 if data else 0))
        self._game.wait(2)
        if stopped:
            self._game.give(c.Power("stop", ("s1",)))
            self._game.wait(2)

    @rule(command=_some(st.builds(c.Power, ACTIONS, BATCHES, MODES) | st.builds(c.PowerNatively, ACTIONS, SERVERS, MODES)), pause=PAUSES)
    def power(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(command=_some(CREATE), pause=PAUSES)
    def create(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(command=_some(st.builds(c.Delete, BATCHES, WHETHER) | st.builds(c.DeleteNatively, SERVERS)), pause=PAUSES)
    def delete(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.Lock, SERVERS, WHETHER)
            | st.builds(c.Rename, SERVERS, st.sampled_from(["db", "mail"]))
            | st.builds(c.Recover, SERVERS, WHETHER)
            | st.builds(c.Break, SERVERS)
        ),
        pause=PAUSES,
    )
    def flags(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.Resize, SERVERS, FLAVORS, WHETHER)
            | st.builds(c.ResizeNatively, SERVERS, FLAVORS)
            | st.builds(c.Settle, SERVERS, WHETHER)
        ),
        pause=PAUSES,
    )
    def flavors(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(command=_some(st.builds(c.Settle, SERVERS, WHETHER)), pause=PAUSES)
    def settle(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.Reinstall, SERVERS, st.none() | IMAGES, KEYS)
            | st.builds(c.Rebuild, SERVERS, IMAGES)
            | st.builds(c.MakeImage, SERVERS)
            | st.builds(c.DeleteImage, st.sampled_from(["i1", "i2", "linux", "nothing"]))
        ),
        pause=PAUSES,
    )
    def systems(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(
                c.SetMetadata,
                SERVERS,
                st.sampled_from(["k1", "k2"]),
                st.sampled_from(["x", ""]),
                st.sampled_from(["merge", "replace", "single"]),
            )
            | st.builds(c.RemoveMetadata, SERVERS, st.sampled_from(["k1", "k2"]))
        ),
        pause=PAUSES,
    )
    def metadata(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.AddTags, SERVERS, TAG_KEYS)
            | st.builds(c.RemoveTags, SERVERS, TAG_KEYS)
            | st.builds(c.AddTag, SERVERS, TAGS)
            | st.builds(c.RemoveTag, SERVERS, TAGS)
            | st.builds(c.ReplaceTags, SERVERS, st.sampled_from([(), ("free",), ("a=x", "free")]))
        ),
        pause=PAUSES,
    )
    def tags(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.MakeGroup, WHETHER) | st.builds(c.DeleteGroup, GROUPS, WHETHER) | st.builds(c.Join, GROUPS, SERVERS, WHETHER)
        ),
        pause=PAUSES,
    )
    def groups(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(st.builds(c.Attach, SERVERS, VOLUMES, WHETHER) | st.builds(c.Detach, SERVERS, VOLUMES, WHETHER, WHETHER)),
        pause=PAUSES,
    )
    def attachments(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.MakeVolume, st.sampled_from([10, 100, 150]))
            | st.builds(c.MakeVolume, st.sampled_from([None, 5]), SNAPSHOTS)
            | st.builds(c.DeleteVolume, VOLUMES)
            | st.builds(c.MakeSnapshot, VOLUMES, WHETHER)
            | st.builds(c.DeleteSnapshot, SNAPSHOTS)
        ),
        pause=PAUSES,
    )
    def volumes(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.AddInterfaces, SERVERS, st.sampled_from([1, 2]))
            | st.builds(c.AddInterfaces, SERVERS, st.just(1), ADDRESSES)
            | st.builds(c.RemoveInterface, SERVERS, st.sampled_from([1, 0, 2]), WHETHER)
            | st.builds(c.AttachInterface, SERVERS, WHETHER)
        ),
        pause=PAUSES,
    )
    def interfaces(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.MakeFloatingIp) | st.builds(c.DeleteFloatingIp, FLOATING_IPS) | st.builds(c.Bind, SERVERS, FLOATING_IPS, WHETHER)
        ),
        pause=PAUSES,
    )
    def floating_ips(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    @rule(
        command=_some(
            st.builds(c.Protect, SERVERS, SECURITY_GROUPS, WHETHER)
            | st.builds(c.MakeSecurityGroup, st.sampled_from(["new", "other", "web"]))
            | st.builds(c.DeleteSecurityGroup, SECURITY_GROUPS)
            | st.builds(c.ImportKey, KEYS)
            | st.builds(c.DeleteKey, KEYS)
        ),
        pause=PAUSES,
    )
    def access(self, command: c.Command, pause: int) -> None:
        self._play(command, pause)

    def teardown(self) -> None:
        """What is under way ends, and the whole is compared; not after a difference, which it would hide."""
        if not self._failed:
            self._game.end()

    _failed = False

    def _play(self, command: c.Command, pause: int) -> None:
        self._failed = True
        self._game.give(command)
        self._game.wait(pause)
        self._failed = False
