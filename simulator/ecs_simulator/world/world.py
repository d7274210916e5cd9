"""The world: everything there is, and the one place where its time passes."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Any

from ecs_simulator.seed import default_seed
from ecs_simulator.world import actions, console, engine, oblivion, seeding, steering
from ecs_simulator.world.catalog import Flavor, Image
from ecs_simulator.world.clock import Clock
from ecs_simulator.world.codec import dump, load
from ecs_simulator.world.ids import Ids
from ecs_simulator.world.jobs import Failure, Job
from ecs_simulator.world.ledger import MARKER, Cause, Ledger
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server, Volume
from ecs_simulator.world.schedule import Schedule
from ecs_simulator.world.settings import Behaviour, Durations
from ecs_simulator.world.works import WORKS

FORMAT = 1
_PUBLIC_RANGE = ipaddress.IPv4Network("80.158.0.0/16")
_FIRST_PUBLIC = 512


class World:
    """State and rules of a simulated cloud. Not thread-safe: whoever calls it does one thing after the other, and settles first."""

    def __init__(self, *, region: str, zones: tuple[str, ...], disk_types: tuple[str, ...], ids: Ids, clock: Clock) -> None:
        self.region = region
        self.zones = zones
        self.disk_types = disk_types
        self.disks_sold_out: dict[str, list[str]] = {}
        self.ids = ids
        self.clock = clock
        self.ledger = Ledger()
        self.behaviour = Behaviour()
        self.durations = Durations()
        self.flavors: dict[str, Flavor] = {}
        self.images: dict[str, Image] = {}
        self.projects: dict[str, Project] = {}
        self.jobs: dict[str, Job] = {}
        self.schedule = Schedule()
        self.public_addresses = 0
        self._instant: float | None = None
        self._tidied = 0.0

    @classmethod
    def from_seed(cls, seed: Mapping[str, Any] | None = None, *, wall: Callable[[], float] = time.time) -> World:
        """Return a new world as a seed describes it, by default the one of seed.yaml; ValueError says what is wrong with a seed."""
        content = seeding.checked(default_seed() if seed is None else seed)
        world = cls(
            region=content["region"],
            zones=tuple(content["zones"]),
            disk_types=tuple(seeding.disk_types(content)),
            ids=Ids(seed=content["seed"]),
            clock=Clock(wall=wall),
        )
        seeding.populate(world, content)
        return world

    # Time

    def now(self) -> float:
        """Return the time: while something that was due is brought about, the time it was due at."""
        return self.clock.now() if self._instant is None else self._instant

    def settle(self) -> None:
        """Bring about everything that is due by now, in order. Costs what is due, whatever the world's size."""
        now = self.clock.now()
        while (transition := self.schedule.pop_due(now)) is not None:
            job = self.jobs.get(transition.job_id)
            if job is None:
                continue
            self._instant = transition.due
            try:
                engine.advance(self, WORKS[job.type], job, job.parts[transition.part], transition.event)
            finally:
                self._instant = None
        if now >= self._tidied + oblivion.EVERY_SECONDS:
            self._tidied = now
            oblivion.tidy(self, now)

    def break_off(self, server: Server, *, reason: str) -> None:
        """Let whatever runs on a server fail now; a create that is rolled back takes the server with it."""
        job = self.jobs.get(server.command) if server.command is not None else None
        if job is None:
            return
        for part in [part for part in job.open_parts() if part.server_id == server.id]:
            engine.fail_part(self, WORKS[job.type], job, part, Failure(code="Ecs.1001", reason=reason))

    def duration(self, name: str) -> float:
        """Return the seconds a transition takes this time."""
        seconds: float = getattr(self.durations, name)
        jitter = self.durations.jitter
        return seconds * (1 + jitter * (2 * self.ids.fraction() - 1)) if jitter else seconds

    def touch(self, server: Server, *, vm_state: str | None = None) -> None:
        """End what a server was doing; ``vm_state`` is the state it comes to rest in."""
        before, task_state = server.vm_state, server.task_state
        server.vm_state = vm_state or before
        server.task_state = None
        server.updated = self.now()
        if vm_state is not None:
            console.came_to_rest(self, server, before=before, task_state=task_state)

    # Things looked up

    def flavor(self, flavor_id: str) -> Flavor:
        """Return a flavor; Refusal (Ecs.0029) if there is none of this id."""
        flavor = self.flavors.get(flavor_id)
        if flavor is None:
            raise invalid(f"The flavor {flavor_id} does not exist.", "Ecs.0029")
        return flavor

    def require_disk_type(self, name: str, zone: str, *, place: str) -> None:
        """Refuse a type of disks that there is not (Ecs.0043), or that is sold out in a zone (Ecs.0044)."""
        if name not in self.disk_types:
            raise invalid(f"{place} {name} does not exist.", "Ecs.0043")
        if zone in self.disks_sold_out.get(name, ()):
            raise Refusal("Ecs.0044", f"{place}: disks of type {name} are sold out in {zone}.")

    def project(self, project_id: str) -> Project:
        """Return a project; LookupError if there is none of this id."""
        try:
            return self.projects[project_id]
        except KeyError:
            raise LookupError(f"there is no project {project_id}") from None

    def job(self, project: Project, job_id: str) -> Job:
        """Return a job of a project; Refusal (Common.0011) if there is none, or it was forgotten."""
        job = self.jobs.get(job_id)
        if job is not None and job.end is not None and job.end + self.behaviour.job_retention < self.now():
            del self.jobs[job_id]
            job = None
        if job is None or job.project_id != project.id:
            raise Refusal("Common.0011", f"Failed to query system tasks: job {job_id} does not exist.")
        return job

    def public_address(self) -> str:
        """Return a public address that nobody has: a new one, and once all were given out, one that came back; refused if none did."""
        places = _PUBLIC_RANGE.num_addresses - _FIRST_PUBLIC - 1
        taken: set[str] = set()
        if self.public_addresses + 1 >= places:
            taken = {floating.address for project in self.projects.values() for floating in project.floating_ips.values()}
        for _ in range(places):
            self.public_addresses += 1
            address = str(_PUBLIC_RANGE[_FIRST_PUBLIC + self.public_addresses % places])
            if address not in taken:
                return address
        raise Refusal("Ecs.0013", "There is no public address left.")

    # The ledger

    def record(self, project: Project, server: Server, action: str, cause: Cause, **more: Any) -> None:  # noqa: ANN401 -- JSON
        """Record what happened to a server."""
        self.ledger.add(
            time=self.now(),
            project=project.id,
            action=action,
            resource="server",
            identity=server.id,
            cause=cause,
            name=server.name,
            marker=server.metadata.get(MARKER),
            **more,
        )
        actions.note(server, resource="server", action=action, cause=cause, now=self.now())

    def record_resource(
        self, project: Project, action: str, resource: str, identity: str, cause: Cause, *, name: str = "", server: Server | None = None
    ) -> None:
        """Record what happened to anything else; with the server it belongs to, and that server's marker."""
        more = {"server": server.id} if server is not None else {}
        marker = server.metadata.get(MARKER) if server is not None else None
        self.ledger.add(
            time=self.now(),
            project=project.id,
            action=action,
            resource=resource,
            identity=identity,
            cause=cause,
            name=name,
            marker=marker,
            **more,
        )
        if server is not None:
            actions.note(server, resource=resource, action=action, cause=cause, now=self.now())

    def record_attachment(self, project: Project, server: Server, volume: Volume, action: str, cause: Cause) -> None:
        """Record that a volume was attached to a server, or detached."""
        self.record_resource(project, action, "attachment", volume.id, cause, name=volume.name, server=server)

    # By hand (admin API)

    def summary(self) -> dict[str, Any]:
        """Return counts per project."""
        return {
            "region": self.region,
            "now": self.clock.now(),
            "projects": {project.id: project.counts() for project in self.projects.values()},
            "jobs": {"all": len(self.jobs), "running": sum(not job.is_over for job in self.jobs.values())},
            "due": len(self.schedule),
            "ledger": self.ledger.last_seq,
        }

    def add_project(self, name: str, *, quota: Mapping[str, int] | None = None) -> dict[str, Any]:
        """Add a project with an account and a network of its own; returns ids and credentials."""
        return seeding.add_project(self, name, quota=quota)

    def set_project(
        self,
        project_id: str,
        *,
        quota: Mapping[str, int] | None = None,
        frozen: bool | None = None,
        suspended_credentials: bool | None = None,
    ) -> None:
        """Change a project; None leaves a setting alone."""
        steering.set_project(self, project_id, quota=quota, frozen=frozen, suspended_credentials=suspended_credentials)

    def fail_job(self, job_id: str, *, code: str, reason: str) -> None:
        """Let a running job fail now. A create leaves its server only if the code says that its rollback failed."""
        steering.end_job(self, job_id, code=code, reason=reason)

    def finish_job(self, job_id: str) -> None:
        """Finish a running job now."""
        steering.end_job(self, job_id, code=None, reason="")

    def fail_next_job(self, project_id: str, *, job_type: str, code: str, reason: str, leave: str) -> None:
        """Let the next job of a type fail; ``leave`` is "server" or "nothing", and means something for creates only."""
        steering.order_failure(self, project_id, job_type=job_type, code=code, reason=reason, leave=leave)

    def set_server(self, server_id: str, do: str) -> None:
        """Put a server into ERROR, stop, start or delete it at once: "error", "stop", "start", "delete"."""
        steering.set_server(self, server_id, do)

    def put_beside(self, server_id: str, other_id: str) -> None:
        """Move a server to the host of another one at once, also where a server group forbids it."""
        steering.put_beside(self, server_id, other_id)

    def plant_server(self, project_id: str, *, name: str, metadata: Mapping[str, str]) -> str:
        """Plant a running server nobody asked for and return its id."""
        return steering.plant_server(self, project_id, name=name, metadata=metadata)

    def sell_out(self, flavor_id: str, zones: tuple[str, ...]) -> None:
        """Say in which zones a flavor is sold out; none makes it available again."""
        steering.sell_out(self, flavor_id, zones)

    def set_behaviour(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change switches and return all of them."""
        return self.behaviour.change(changes)

    def set_durations(self, changes: Mapping[str, float]) -> dict[str, Any]:
        """Change durations of transitions and return all of them."""
        return self.durations.change(changes)

    # Snapshots

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON, secrets included."""
        return {
            "format": FORMAT,
            "region": self.region,
            "zones": list(self.zones),
            "disk_types": list(self.disk_types),
            "disks_sold_out": dump(self.disks_sold_out),
            "ids": dump(self.ids),
            "clock": self.clock.to_json(),
            "ledger": self.ledger.to_json(),
            "behaviour": dump(self.behaviour),
            "durations": dump(self.durations),
            "flavors": dump(self.flavors),
            "images": dump(self.images),
            "projects": dump(self.projects),
            "jobs": dump(self.jobs),
            "schedule": self.schedule.to_json(),
            "public_addresses": self.public_addresses,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], *, wall: Callable[[], float] = time.time) -> World:
        """Read the form of to_json; ValueError, KeyError or TypeError if it is of another form."""
        if data["format"] != FORMAT:
            raise ValueError(f"the world is of format {data['format']}, not {FORMAT}")
        world = cls(
            region=data["region"],
            zones=tuple(data["zones"]),
            disk_types=tuple(data["disk_types"]),
            ids=load(Ids, data["ids"]),
            clock=Clock.from_json(data["clock"], wall=wall),
        )
        world.disks_sold_out = {name: list(zones) for name, zones in data.get("disks_sold_out", {}).items()}
        world.ledger = Ledger([dict(entry) for entry in data["ledger"]])
        world.behaviour = load(Behaviour, data["behaviour"])
        world.durations = load(Durations, data["durations"])
        world.flavors = {key: load(Flavor, item) for key, item in data["flavors"].items()}
        world.images = {key: load(Image, item) for key, item in data["images"].items()}
        world.projects = {key: load(Project, item) for key, item in data["projects"].items()}
        world.jobs = {key: load(Job, item) for key, item in data["jobs"].items()}
        world.schedule = Schedule(data["schedule"])
        world.public_addresses = int(data["public_addresses"])
        return world
