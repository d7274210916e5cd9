"""One simulated cloud: the world and what stands around it, which outlives a world that is reset or restored."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from ecs_simulator import microversion
from ecs_simulator.auth.directory import Directory
from ecs_simulator.auth.guard import KeyGuard
from ecs_simulator.auth.tokens import TokenStore
from ecs_simulator.faults import FaultBook
from ecs_simulator.requestlog import RequestLog
from ecs_simulator.world import World

MAX_SNAPSHOTS = 20


class Simulator:
    """Holds the present world, its tokens, the fault rules, the request log and the snapshots.

    ``seed`` describes the world to start with, None for the default one; ``wall`` is the real time in epoch seconds.
    ``changes`` moves with everything that may have changed what a state file keeps; ``entered_at`` is the ledger's number at which
    the present world began, by a seed, a snapshot or a state file.
    """

    def __init__(self, *, seed: Mapping[str, Any] | None = None, wall: Callable[[], float] = time.time) -> None:
        self._seed = seed
        self._wall = wall
        self._snapshots: dict[str, bytes] = {}
        self._snapshot_count = 0
        self.changes = 0
        self.tokens = TokenStore()
        self.guard = KeyGuard()
        self.faults = FaultBook()
        self.log = RequestLog()
        self.gateway_skew = 0.0
        self.closing = False
        self.world = World.from_seed(seed)
        self.entered_at = self.world.ledger.last_seq
        self.directory = Directory(self.world)

    def touched(self) -> None:
        """Note that the world may have changed, or its tokens.

        Reads are not noted: what time alone brings about comes about again when an older state is taken up.
        """
        self.changes += 1

    def gateway_now(self) -> float:
        """Return the gateway's clock, by which signatures are judged and answers dated: real time, plus a skew given on purpose.

        It is not the world's clock: that may run a hundred times as fast, and no client could sign for it.
        """
        return self._wall() + self.gateway_skew

    def maximum_microversion(self) -> microversion.Version:
        """Return the greatest microversion the world is told to support."""
        return microversion.parse(self.world.behaviour.max_microversion)

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Start over with a new world, from another seed if one is given; tokens, faults and snapshots go, the log's numbers go on."""
        wanted = self._seed if seed is None else seed
        self._enter(World.from_seed(wanted))
        self._seed = wanted
        self.tokens = TokenStore()
        self.guard = KeyGuard()
        self.faults = FaultBook()
        self.gateway_skew = 0.0
        self._snapshots.clear()
        self.log.clear()

    def snapshot(self) -> str:
        """Keep the present world and return the snapshot's id; the oldest makes room."""
        self._snapshot_count += 1
        snapshot_id = f"snapshot-{self._snapshot_count}"
        # Packed: as objects, a world of ten thousand servers would take ten times its file's size.
        self._snapshots[snapshot_id] = zlib.compress(json.dumps(self.world.to_json(), separators=(",", ":")).encode(), 1)
        while len(self._snapshots) > MAX_SNAPSHOTS:
            del self._snapshots[next(iter(self._snapshots))]
        return snapshot_id

    def snapshot_ids(self) -> list[str]:
        """Return the ids of the snapshots that are kept, oldest first."""
        return list(self._snapshots)

    def restore(self, snapshot_id: str) -> None:
        """Go back to a snapshot; KeyError if there is none of that id. Tokens and faults stay."""
        self._enter(World.from_json(json.loads(zlib.decompress(self._snapshots[snapshot_id]))))

    def to_json(self) -> dict[str, Any]:
        """Return what a state file keeps: the world and its tokens, secrets included."""
        return {"world": self.world.to_json(), "tokens": self.tokens.to_json()}

    def load(self, data: Mapping[str, Any]) -> None:
        """Take up the state of a file."""
        self._enter(World.from_json(data["world"]))
        self.tokens.load(data["tokens"])

    def close(self) -> None:
        """Tell long answers, such as event streams, to end."""
        self.closing = True

    def _enter(self, world: World) -> None:
        self.world = world
        self.entered_at = world.ledger.last_seq
        self.directory = Directory(world)
        self.touched()
