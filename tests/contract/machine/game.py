"""One history: every command is predicted, carried out and compared; the first difference ends it with the history told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from ecs_operator.cloud import CallRecord, CloudError, EcsClient, StaticCredentials
from ecs_simulator.testing import SimulatedCloud, simulated_cloud_thread
from ecs_simulator.world import World, steering
from tests.contract.machine import commands
from tests.contract.machine.acting import Actor
from tests.contract.machine.directory import Directory
from tests.contract.machine.model.passing import DURATION, HALF, pass_half
from tests.contract.machine.model.prediction import Refusal
from tests.contract.machine.model.predictions import predict
from tests.contract.machine.model.state import State
from tests.contract.machine.observing import Observer
from tests.contract.machine.scene import first_state, seed
from tests.contract.stage import KEY, PLENTY, PROJECT

T = TypeVar("T")


class Table:
    """A simulated cloud in a thread of its own and a client in an event loop of its own, for many histories one after another."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.cloud = cloud
        self.records: list[CallRecord] = []
        self._runner = asyncio.Runner()
        self.client = self._runner.run(self._open())

    async def _open(self) -> EcsClient:
        return await EcsClient.open(
            endpoint=self.cloud.url,
            iam_endpoint=self.cloud.url,
            project_id=PROJECT,
            credentials=StaticCredentials(KEY),
            budget=PLENTY,
            observer=self.records.append,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._runner.run(self.client.close())
        self._runner.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the client's to its end."""
        return self._runner.run(coroutine)

    def start_over(self) -> None:
        """A new world at a standstill, in which everything takes equally long."""

        def begin(_: World) -> None:
            self.cloud.simulator.reset()
            world = self.cloud.world
            world.clock.set_mode("frozen")
            names = [name for name in world.durations.change({}) if name != "jitter"]
            world.durations.change(dict.fromkeys(names, DURATION))

        self.cloud.run(begin)
        self.records.clear()


@contextmanager
def table() -> Iterator[Table]:
    """A table to play at."""
    with simulated_cloud_thread(seed=seed()) as cloud, Table(cloud) as found:
        yield found


class Game:
    """One history."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._ids = Directory()
        self._actor = Actor(table.client, self._ids)
        self._observer = Observer(table.client, self._ids)
        self.state: State = first_state()
        self.history: list[str] = []
        table.start_over()

    def give(self, command: commands.Command) -> None:
        """Give one command; it is answered as predicted, or the game is over."""
        prediction = predict(self.state, command)
        self._table.records.clear()
        answer, made = self._answer(command)
        self._tell(f"{command}\n        predicted {prediction}, answered {answer}")
        if prediction.refusals:
            fine = any(refusal.covers(answer) for refusal in prediction.refusals)
        else:
            fine = answer.code is None and answer.status in prediction.statuses
        if not fine:
            self._over([f"{command} was to be answered by {prediction}, and was by {answer}"])
        self._ids.note_made(self.state, prediction.after, made)
        self.state = prediction.after
        # A refusal that changed something all the same shows with the next look.
        if not prediction.refusals:
            self._compare()

    def wait(self, halves: int) -> None:
        """Let time pass by halves of what everything takes."""
        if not halves:
            return
        self._tell(f"{halves * HALF:.1f} seconds pass ({'half' if halves == 1 else 'all'} of what anything takes)")
        self._table.cloud.advance(HALF * halves)
        for _ in range(halves):
            self.state = pass_half(self.state)
        self._compare()

    def end(self) -> None:
        """Let everything come to its end and look at the whole once more."""
        self.wait(2)
        self._over(self._table.run(self._observer.rest(self.state)))

    def _compare(self) -> None:
        self._over(self._table.run(self._observer.servers(self.state)))

    def _answer(self, command: commands.Command) -> tuple[Refusal, dict[str, tuple[str, ...]]]:
        if isinstance(command, commands.Break):
            self._break(command.server)
            return Refusal(200), {}
        try:
            made = dict(self._table.run(self._actor.act(command)))
        except CloudError as error:
            if error.status is None:
                self._over([f"{command} was not sent: {error}"])
            return Refusal(error.status or 0, error.code), {}
        return Refusal(self._table.records[-1].status or 0), made

    def _break(self, name: str) -> None:
        server = self.state.servers.get(name)
        if server is None or self.state.work_on(name) is not None or server.vm_state not in {"active", "stopped"}:
            return
        identity = self._ids.of(name)
        self._table.cloud.run(lambda world: steering.set_server(world, identity, "error"))

    def _tell(self, sentence: str) -> None:
        self.history.append(f"{len(self.history) + 1:4}. {sentence}")

    def _over(self, differences: list[str]) -> None:
        if differences:
            story, ends = "\n".join(self.history), "\n  ".join(differences)
            raise AssertionError(f"the cloud and the model differ:\n  {ends}\nafter\n{story}")
