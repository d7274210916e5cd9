"""Two hundred clients make, use and delete servers side by side: whatever each of them is granted or refused, the books are right."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from ecs_operator.cloud import (
    BudgetLimits,
    CloudError,
    DataVolume,
    EcsClient,
    Job,
    JobAccepted,
    NewInterface,
    NewVolume,
    Nic,
    Outcome,
    PublicIp,
    SchedulerHints,
    StaticCredentials,
)
from ecs_simulator.world.project import Project
from tests.contract.invariants import assert_consistent, used_by_servers, within_quota
from tests.contract.stage import KEY, PROJECT, SUBNET, VOLUME, Lab, request

CLIENTS = 200
SEED = 20
# Less than all of them want, of everything.
QUOTA = {"instances": 150, "cores": 280, "volumes": 420, "floatingIps": 30, "serverGroupMembers": 5}
SMALL_SUBNET = "3a8f2c11-5f0e-4c59-9a53-3f1d9b0c8e22"
EIP, EIP_ADDRESS = "a2b4c6d8-1111-4222-8333-944455566677", "80.158.1.2"
PLENTY = BudgetLimits(reads_per_second=10_000, writes_per_second=10_000, creates_in_flight=1000, requests_in_flight=1000)


@dataclass
class Books:
    """What all clients together were granted and refused, as they saw it."""

    alive: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    granted: Counter[str] = field(default_factory=Counter)


class Life:
    """One client and what it does, decided by its number."""

    def __init__(self, lab: Lab, client: EcsClient, books: Books, groups: list[str], number: int) -> None:
        self.lab, self.client, self.books, self.groups = lab, client, books, groups
        self.number = number
        self.chance = random.Random(f"{SEED}/{number}")  # noqa: S311 -- the same in every run

    async def live(self) -> None:
        """Make servers, do something with each of them, delete most of them."""
        for turn in range(2):
            for server_id in await self.make(turn):
                for _ in range(self.chance.randint(1, 3)):
                    await self.use(server_id)
                if self.chance.random() < 0.8:
                    await self.end(server_id)

    async def make(self, turn: int) -> list[str]:
        """Create one server or a few; those that live."""
        chance = self.chance
        address = f"192.168.3.{chance.randint(3, 60)}" if chance.random() < 0.3 else None
        nics = [Nic(subnet_id=SUBNET, ip_address=address)]
        if chance.random() < 0.3:
            nics.append(Nic(subnet_id=SMALL_SUBNET))
        public = PublicIp(id=EIP, delete_on_termination=False) if chance.random() < 0.05 else None
        wanted = request(
            name=f"one-{self.number}-{turn}",
            count=chance.choice((1, 1, 1, 3)) if address is None and public is None else 1,
            nics=tuple(nics),
            data_volumes=tuple(DataVolume(volumetype="SSD", size=10) for _ in range(chance.randint(0, 2))),
            public_ip=public,
            scheduler_hints=SchedulerHints(group=chance.choice(self.groups)) if chance.random() < 0.3 else None,
        )
        async with self.asking("create") as asked:
            job = await self.over(await self.client.servers.create(wanted, client_token=None))
            self.books.alive |= set(job.server_ids())
            asked.extend(job.server_ids())
        return asked

    async def use(self, server_id: str) -> None:
        """Do one of many things with a server."""
        client, chance = self.client, self.chance
        what = chance.choice(("volume", "shared volume", "interface", "address", "own address", "stop", "group", "resize", "lock"))
        async with self.asking(what):
            if what == "volume":
                volume = await client.volumes.create(NewVolume(size=1, volume_type="SSD"))
                await self.lab.advance(1)
                await self.over(await client.volumes.attach(server_id, volume.id))
            elif what == "shared volume":
                await self.over(await client.volumes.attach(server_id, VOLUME))
                await self.over(await client.volumes.detach(server_id, VOLUME, force=False))
            elif what == "interface":
                await self.over(await client.interfaces.add(server_id, [NewInterface(subnet_id=SMALL_SUBNET)]))
            elif what == "address":
                await client.floating_ips.add(server_id, EIP_ADDRESS)
                await client.floating_ips.remove(server_id, EIP_ADDRESS)
            elif what == "own address":
                await client.floating_ips.add(server_id, (await client.floating_ips.create()).ip)
            elif what == "lock":
                await client.server_actions.lock(server_id)
                await client.server_actions.unlock(server_id)
            else:
                await self.over(await client.servers.stop([server_id], "HARD"))
                if what == "group":
                    await client.groups.add(chance.choice(self.groups), server_id)
                elif what == "resize":
                    await self.over(await client.servers.resize(server_id, "s3.xlarge.2"))

    async def end(self, server_id: str) -> None:
        """Delete a server, one way or the other."""
        async with self.asking("delete"):
            if self.chance.random() < 0.5:
                await self.client.servers.delete_native(server_id)
            else:
                await self.over(
                    await self.client.servers.delete(
                        [server_id], delete_public_ip=self.chance.random() < 0.5, delete_volume=self.chance.random() < 0.5
                    )
                )
            self.books.ended.add(server_id)

    @asynccontextmanager
    async def asking(self, what: str) -> AsyncIterator[list[str]]:
        """Count what is granted and what is refused; anything but a refusal is passed on."""
        asked: list[str] = []
        try:
            yield asked
        except CloudError as error:
            if error.failure.outcome is not Outcome.REFUSED:
                raise
            self.books.refused[f"{what} {error.failure.code}"] += 1
        else:
            self.books.granted[what] += 1

    async def over(self, accepted: JobAccepted) -> Job:
        """Ask for a job until it is over. Time passes for all of them whenever anybody asks in vain."""
        for _ in range(500):
            job = await self.client.jobs.get(accepted.job_id)
            if job.is_over:
                return job
            self.lab.cloud.world.clock.advance(0.05)
        raise AssertionError(f"job {accepted.job_id} never ended")


async def test_two_hundred_clients(lab: Lab) -> None:
    world = lab.cloud.world
    project: Project = world.projects[PROJECT]
    project.quota.change(QUOTA)
    books, looks = Books(), 0

    async def look_on() -> None:
        """Look at the world between requests, all the time."""
        nonlocal looks
        while True:
            world.settle()
            assert_consistent(world)
            assert within_quota(world) == []
            looks += 1
            await asyncio.sleep(0.05)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(await _client(lab)) for _ in range(CLIENTS)]
        groups = [(await clients[0].groups.create(f"g-{number}", ["anti-affinity"])).id for number in range(3)]
        watcher = asyncio.create_task(look_on())
        async with asyncio.timeout(240):
            await asyncio.gather(*(Life(lab, client, books, groups, number).live() for number, client in enumerate(clients)))
        await lab.advance(3600)
        watcher.cancel()
        assert (await asyncio.gather(watcher, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        sweep = await clients[0].servers.sweep()
        limits = await clients[0].limits.get()
    world.settle()
    assert_consistent(world)
    assert within_quota(world) == []
    # What each of them believes is what there is.
    assert sweep.complete
    assert {server.id for server in sweep.servers} == books.alive - books.ended == set(project.servers)
    used = used_by_servers(world, project)
    assert (limits.total_instances_used, limits.total_cores_used, limits.total_ram_used) == (used["instances"], used["cores"], used["ram"])
    # Something of everything happened, or this would prove little.
    assert looks > 20
    assert len(books.ended) > 100
    assert books.granted.keys() >= {"create", "delete", "volume", "interface", "own address", "stop", "group", "resize"}
    # Who gets what there is once only is nobody's to say.
    assert books.granted.keys() | {name.rpartition(" ")[0] for name in books.refused} >= {"shared volume", "address"}
    codes = {name.rpartition(" ")[2] for name in books.refused}
    assert codes >= {"Ecs.0001", "Ecs.0010", "Ecs.0022"}, books.refused


async def _client(lab: Lab) -> EcsClient:
    return await EcsClient.open(
        endpoint=lab.cloud.url, iam_endpoint=lab.cloud.url, project_id=PROJECT, credentials=StaticCredentials(KEY), budget=PLENTY
    )
