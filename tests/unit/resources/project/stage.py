"""A registry and the reconciler that feeds it, over fakes; a process that dies is followed by another."""

from __future__ import annotations

from ecs_operator.api.group import PROJECT, SERVER
from ecs_operator.cloud import Limits
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Outcome, Retry
from ecs_operator.engine.ports import StoreError
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.resources.project.orphans import OrphanPolicy, OrphanSearch
from ecs_operator.resources.project.reconciler import ProjectReconciler
from tests.fakes.effects import KilledError
from tests.fakes.events import RecordingEvents
from tests.unit.resources.project.opening import NAMESPACE, Directory

LAB = ObjectKey(PROJECT.plural, "", "lab")
SECRET = ObjectKey("secrets", NAMESPACE, "lab")
WEB_0 = ObjectKey(SERVER.plural, "shop", "web-0")
LIMITS = Limits.model_validate(
    {
        "maxTotalInstances": 1000,
        "maxTotalCores": 8000,
        "maxTotalRAMSize": -1,
        "totalInstancesUsed": 12,
        "totalCoresUsed": 24,
        "totalRAMUsed": 4096,
    }
)


class Stage(Directory):
    """A registry and the reconciler that feeds it."""

    def __post_init__(self) -> None:
        self.events = RecordingEvents()
        self.deaths = 0
        self.policy = OrphanPolicy()
        self.sees_all = True
        super().__post_init__()
        self.cloud.limits_now = LIMITS

    def start(self) -> None:
        super().start()
        self.writer = StatusWriter(self.store, self.events, self.clock)
        self.orphans = OrphanSearch(store=self.store, clock=self.clock, policy=self.policy, sees_all=self.sees_all)
        self.reconciler = ProjectReconciler(
            store=self.store,
            writer=self.writer,
            registry=self.registry,
            guard=self.guard,
            clock=self.clock,
            orphans=self.orphans,
            events=self.events,
        )

    def condition(self, kind: str = "Ready", *, key: ObjectKey = LAB) -> tuple[str, str] | None:
        found = find(self.store[key].status.get("conditions") or (), kind)
        return None if found is None else (found["status"], found["reason"])

    def message(self, *, key: ObjectKey = LAB) -> str:
        found = find(self.store[key].status["conditions"], "Ready")
        assert found is not None
        return str(found["message"])

    def user(self, name: str = "web-0", *, project: str = "lab") -> KubeObject:
        """An EcsServer that has begun in a project."""
        return self.store.create(WEB_0.resource, name, {}, namespace="shop", status={"project": project})

    async def work(self, key: ObjectKey = LAB, *, seconds: float = 60.0) -> Outcome:
        """Passes for so long, each when the one before asked for it; a process that dies is followed by another."""
        end = self.clock.monotonic() + seconds
        while True:
            pause, outcome = await self._pass(key)
            if isinstance(outcome, Gone | Done) or self.clock.monotonic() + pause > end:
                return outcome
            self.clock.advance(pause)

    async def _pass(self, key: ObjectKey) -> tuple[float, Outcome]:
        try:
            outcome = await self.reconciler.reconcile(key)
        except KilledError:
            self.deaths += 1
            self.start()
            return 0.0, Again(0.0)
        except StoreError as error:
            return 1.0, Retry(str(error))
        match outcome:
            case Again(after=pause) | Blocked(at_most=pause):
                return pause, outcome
            case Retry(floor=floor):
                return max(floor, 1.0), outcome
            case _:
                return 0.0, outcome
