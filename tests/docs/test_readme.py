"""What the documentation shows is true: manifests are accepted, commands and their options exist, links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from functools import cache
from pathlib import Path

import pytest
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.process import child_environment
from ecs_operator.api import group
from ecs_operator.api.reasons import REASONS
from tests.docs.pages import ROOT, Command, anchors, blocks, commands, links, pages

PAGES = {str(page.relative_to(ROOT)): page for page in pages()}
ANNOTATIONS = {
    group.PAUSED_ANNOTATION,
    group.RECONCILE_ANNOTATION,
    group.RESTART_ANNOTATION,
    group.APPROVE_ANNOTATION,
    group.CONFIRM_ABSENCE_ANNOTATION,
}
_MANIFEST = re.compile(r"(# .*\n)*apiVersion:")
MUST_SHOW = {"README.md": 1, "docs/quickstart.md": 1}
"""How many manifests a page has at least: a fence that is spelt otherwise would hide them from the test."""


# --- manifests ---


def _manifests(page: Path) -> list[str]:
    return [block for block in blocks(page.read_text(), "yaml") if _MANIFEST.match(block)]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if _manifests(page)])
async def test_manifests_are_accepted(served: ControlPlane, name: str) -> None:
    for text in _manifests(PAGES[name]):
        answer = await served.kubectl("apply", "--dry-run=server", "-f", "-", stdin=text)
        kinds = [document["kind"].lower() for document in yaml.safe_load_all(text)]
        assert [re.split("[./]", line)[0] for line in answer.splitlines()] == kinds


def test_the_pages_that_begin_with_a_manifest_have_one() -> None:
    assert {name: len(_manifests(PAGES[name])) for name in MUST_SHOW} == MUST_SHOW


# --- commands ---


def _commands() -> dict[str, Command]:
    """Each command of each page, once."""
    return {f"{name}: {command}": command for name, page in PAGES.items() for command in commands(page.read_text())}


COMMANDS = _commands()


def test_commands_are_found() -> None:
    """Else the tests below prove nothing."""
    found = {command.program for command in COMMANDS.values()}
    assert found >= {"make", "kubectl", "ecs-lab", "ecs-simulator"}
    table = PAGES["README.md"].read_text().partition("| try |")[2].partition("## ")[0]
    assert len(list(commands(table))) >= 8


@cache
def _help(program: str, *words: str) -> tuple[int, str]:
    path = Path(sysconfig.get_path("scripts")) / program
    done = subprocess.run([path, *words, "--help"], capture_output=True, text=True, check=False, env=child_environment())
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("what", [what for what, command in COMMANDS.items() if command.program.startswith("ecs-")])
def test_our_commands_exist(what: str) -> None:
    """With the command's own words its help is shown; a word it does not know is refused. Its options stand in that help."""
    command = COMMANDS[what]
    words = [word for word in command.arguments if not word.startswith("[")]
    code, text = _help(command.program, *words)
    assert code == 0, text
    plain = [word for word in words if not word.startswith("-")]
    deepest = next(text for count in range(len(plain), -1, -1) for code, text in [_help(command.program, *plain[:count])] if code == 0)
    known = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", deepest + text))
    assert {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)} <= known


@pytest.mark.parametrize("what", [what for what, command in COMMANDS.items() if command.program == "make"])
def test_targets_exist(what: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wanted = {word for word in COMMANDS[what].arguments if "=" not in word}
    assert wanted <= targets


@pytest.mark.asyncio(loop_scope="session")
async def test_what_kubectl_is_asked_for_exists(served: ControlPlane) -> None:
    """Subcommands, and the kinds they are used with; files that are applied."""
    known = set(re.findall(r"^  ([a-z-]+) ", await served.kubectl("--help"), re.MULTILINE))
    rows = [line.split() for line in (await served.kubectl("api-resources", "--no-headers")).splitlines()]
    kinds = {"ecs"} | {name for row in rows for part in (row[0], row[1], row[-1].lower()) for name in part.split(",")}
    for what, command in COMMANDS.items():
        if command.program != "kubectl":
            continue
        words = _without_scope(command.arguments)
        assert words[0] in known, what
        if words[0] in {"get", "describe", "delete", "patch", "annotate", "wait"} and "-f" not in words:
            named = next((word for word in words[1:] if not word.startswith("-")), "ecs")
            assert set(named.partition("/")[0].split(",")) <= kinds, what
        for word in words:
            if word.partition("/")[0] in {"manifests", "crds"}:
                assert (ROOT / word).exists(), what


def _without_scope(arguments: tuple[str, ...]) -> list[str]:
    """Without the namespace, which may stand before the subcommand."""
    words = list(arguments)
    if words[0] in {"-n", "--namespace"}:
        words = words[2:]
    return words


# --- names ---


@pytest.mark.parametrize("name", PAGES)
def test_annotations_exist(name: str) -> None:
    used = set(re.findall(r"ecs\.huaweicloud\.com/[a-z][a-z-]*[a-z]", PAGES[name].read_text()))
    others = {f"{group.GROUP}/{group.VERSION}", group.FINALIZER, group.CREDENTIALS_FINALIZER, f"{group.GROUP}/ecs-operator"}
    objects = re.compile(
        r"ecs\.huaweicloud\.com/(lab|web|db|reports|worker|shared-data|shop-eu|data|lost|waits-for-a-group|wants-too-much|is-paused)$"
    )
    assert {each for each in used - ANNOTATIONS - others if not objects.match(each) and not each.endswith("/v")} == set()


def test_troubleshooting_knows_the_reasons() -> None:
    """Every reason that needs somebody is explained, and no other is made up."""
    text = PAGES["docs/troubleshooting.md"].read_text()
    explained = set(re.findall(r"^\| `([A-Za-z]+)` \|", text, re.MULTILINE))
    assert explained <= {reason.value for reason in REASONS}
    trouble = {reason.value for reason, explanation in REASONS.items() if explanation.progress.name in {"STALLED", "WAITING"}}
    assert trouble - explained == {"WaitingForApproval"}, "WaitingForApproval does not occur yet"


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    page = PAGES[name]
    for target in links(page.read_text()):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target
