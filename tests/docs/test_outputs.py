"""What the pages of the kinds show is what kubectl answers: each page is played on a real API server, with operator and simulated cloud.

`make docs-outputs` writes the answers into the pages.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest

from ecs_lab.tenancy import SEED_ACCOUNT
from ecs_operator.api.group import KINDS
from tests.docs.consoles import Entry, File, Hidden, steps, with_answers
from tests.docs.normal import Names, ids_in, normal
from tests.docs.pages import ROOT
from tests.docs.shell import Shell

PAGES = {page.stem: page for page in sorted((ROOT / "docs" / "kinds").glob("*.md"))}
TEXTS = {name: page.read_text() for name, page in PAGES.items()}
SECONDS, QUIET_SECONDS = 20.0, 2.5
WIDEST = 120


@dataclass(kw_only=True)
class Player:
    """Plays one page."""

    shell: Shell
    names: Names
    is_update: bool

    async def answer(self, entry: Entry) -> str:
        """What a command answers, as the page would show it.

        One that only looks is repeated until it answers what the page says, or, when the page is written, until nothing moves any more.
        """
        deadline, same_since, before = time.monotonic() + SECONDS, time.monotonic(), ""
        while True:
            _, raw = await self.shell.run(entry.command)
            names = self.names.after(raw)
            answer = normal(raw, names=names, addresses=self.shell.addresses) if raw else ""
            now = time.monotonic()
            if answer != before:
                before, same_since = answer, now
            is_done = now - same_since >= QUIET_SECONDS if self.is_update else answer == entry.answer
            if is_done or not entry.only_looks or " wait " in entry.command or now > deadline:
                self.names = names
                return answer
            await asyncio.sleep(0.2)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", PAGES)
async def test_what_a_page_shows_is_what_is_answered(shell: Shell, name: str, *, is_update: bool) -> None:
    text = TEXTS[name]
    manifests = "".join(step.content for step in steps(text) if isinstance(step, File))
    player = Player(shell=shell, names=Names(page=name, known=ids_in(f"{manifests} {SEED_ACCOUNT}")), is_update=is_update)
    answers: list[tuple[Entry, str]] = []
    for step in steps(text):
        match step:
            case File():
                (shell.folder / step.name).write_text(shell.written(step.content))
            case Hidden():
                code, output = await shell.run(step.command)
                assert code == 0, f"{step.command}: {output}"
            case Entry():
                answer = await player.answer(step)
                answers.append((step, answer))
                assert is_update or answer == step.answer, f"$ {step.command}\n{answer}"
    if is_update:
        PAGES[name].write_text(with_answers(text, answers))


def test_every_kind_has_a_page_that_shows_what_kubectl_answers() -> None:
    assert set(PAGES) == {names.kind.lower() for names in KINDS}
    for name, text in TEXTS.items():
        commands = [step.command for step in steps(text) if isinstance(step, Entry)]
        for wanted in ("apply -f", "get", "describe", "wait", "explain"):
            assert any(each.startswith(f"kubectl {wanted} ") for each in commands), f"{name} does not show {wanted}"
        assert any("-o wide" in each for each in commands)


def test_tables_fit_a_terminal() -> None:
    """But the wide ones, and those whose last column is a message."""
    for name, text in TEXTS.items():
        for step in steps(text):
            if isinstance(step, Entry) and step.command.startswith("kubectl get") and "-o" not in step.command:
                assert [line for line in step.answer.splitlines() if len(line) > WIDEST] == [], name
