"""What is written on servers: metadata and tags; and groups and key pairs (ECS API reference 5.9, 5.10, 6.9, 6.11, 6.12, 6.15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tests.contract.machine import commands
from tests.contract.machine.model.prediction import FINE, Prediction, no, predict, unless
from tests.contract.machine.model.rules import ECS, NATIVE, absent, idle, in_state, steadily, there, unlocked
from tests.contract.machine.model.state import State

_STATES = ("active", "stopped", "paused", "suspended")
_MOST_PAIRS = 10


# Metadata


def set_metadata(state: State, command: commands.SetMetadata) -> Prediction:
    """6.9.1, 6.9.2, 6.9.6: in four states, and as in Nova not on a locked server."""
    name = command.server

    def after() -> State:
        kept = {} if command.how == "replace" else state.servers[name].metadata
        return state.change("servers", name, metadata={**kept, command.key: command.value})

    return predict(state, 200, after, there(state, name, NATIVE), unlocked(state, name, NATIVE), steadily(state, name, NATIVE, *_STATES))


def remove_metadata(state: State, command: commands.RemoveMetadata) -> Prediction:
    """6.9.3."""
    name, server = command.server, state.servers.get(command.server)
    missing = unless(server is None or command.key in server.metadata, no(404))

    def after() -> State:
        pairs = {key: value for key, value in state.servers[name].metadata.items() if key != command.key}
        return state.change("servers", name, metadata=pairs)

    return predict(
        state, 204, after, there(state, name, NATIVE), unlocked(state, name, NATIVE), steadily(state, name, NATIVE, *_STATES), missing
    )


# Tags: the pair k, v of 5.9 is the tag k=v of 6.15


def add_tags(state: State, command: commands.AddTags) -> Prediction:
    """5.9.3: a key is given once, and a server has ten at most."""
    name, server = command.server, state.servers.get(command.server)
    if server is None:
        return predict(state, 204, lambda: state, absent(ECS))
    kept = {tag for tag in server.tags if tag.partition("=")[0] not in command.keys}
    tags = frozenset(kept | {f"{key}={command.value}" for key in command.keys})
    # There may be more already, given natively (50 are allowed there): those can still be changed.
    fits = len(tags) <= max(_MOST_PAIRS, len(server.tags))
    return predict(state, (200, 204), lambda: state.change("servers", name, tags=tags), unless(fits, no(400, "Ecs.0905")))


def remove_tags(state: State, command: commands.RemoveTags) -> Prediction:
    """5.9.4: what is not there does not matter."""
    name = command.server

    def after() -> State:
        left = frozenset(tag for tag in state.servers[name].tags if tag.partition("=")[0] not in command.keys)
        return state.change("servers", name, tags=left)

    return predict(state, (200, 204), after, there(state, name, ECS))


def add_tag(state: State, command: commands.AddTag) -> Prediction:
    """6.15.4: 201, or 204 for one that is there."""
    name, server = command.server, state.servers.get(command.server)
    status = 204 if server is not None and command.tag in server.tags else 201
    return _tag(state, name, status, lambda tags: tags | {command.tag})


def remove_tag(state: State, command: commands.RemoveTag) -> Prediction:
    """6.15.6: one that is there."""
    name, server = command.server, state.servers.get(command.server)
    missing = server is not None and command.tag not in server.tags
    found = _tag(state, name, 204, lambda tags: tags - {command.tag})
    return replace(found, refusals=found.refusals | no(404), after=state) if missing else found


def replace_tags(state: State, command: commands.ReplaceTags) -> Prediction:
    """6.15.2, 6.15.3."""
    return _tag(state, command.server, 200 if command.tags else 204, lambda _: command.tags)


def _tag(state: State, name: str, status: int, change: Callable[[frozenset[str]], Iterable[str]]) -> Prediction:
    def after() -> State:
        tags: Iterable[str] = change(state.servers[name].tags)
        return state.change("servers", name, tags=frozenset(tags))

    return predict(state, status, after, there(state, name, NATIVE), steadily(state, name, NATIVE, *_STATES))


# Groups


def make_group(state: State, command: commands.MakeGroup) -> Prediction:
    """5.10.1, 6.12.1."""

    def after() -> State:
        changed, name = state.next_name("g")
        return changed.put("groups", name, name)

    fits = len(state.groups) < state.quota.groups
    return predict(state, 200, after, unless(fits, no(403) if command.natively else no(400, "Ecs.0022")))


def delete_group(state: State, command: commands.DeleteGroup) -> Prediction:
    """5.10.2, 6.12.4: the members stay."""

    def after() -> State:
        changed = state.drop("groups", command.group)
        for name in state.members(command.group):
            changed = changed.change("servers", name, group=None)
        return changed

    # The operations of 5.10 answer natively for a group that is not there.
    return predict(state, 204, after, unless(command.group in state.groups, no(404)))


def join(state: State, command: commands.Join) -> Prediction:
    """5.10.3, 5.10.4: a stopped server joins, one of any state leaves."""
    name, server = command.server, state.servers.get(command.server)
    rules = [unless(command.group in state.groups, no(404)), there(state, name, ECS)]
    if server is not None and command.group in state.groups:
        if command.on:
            rules.append(unless(server.group is None, no(400, "Ecs.0005")))
            rules.append(unless(len(state.members(command.group)) < state.quota.members, no(400, "Ecs.0022")))
        else:
            rules.append(unless(server.group == command.group, no(400, "Ecs.0005")))
    if command.on and server is not None:
        rules += [idle(state, name, ECS), unlocked(state, name, ECS), in_state(state, name, ECS, "stopped")]
    after = state.change("servers", name, group=command.group if command.on else None)
    return predict(state, 200, lambda: after, *rules)


# Key pairs


def import_key(state: State, command: commands.ImportKey) -> Prediction:
    """6.11.3: a name is given once."""
    fits = len(state.key_pairs) < state.quota.key_pairs
    return predict(
        state,
        (200, 201),
        lambda: replace(state, key_pairs=state.key_pairs | {command.name}),
        unless(command.name not in state.key_pairs, no(409)),
        unless(fits, no(403)),
    )


def delete_key(state: State, command: commands.DeleteKey) -> Prediction:
    """6.11.4: it stays in the servers that were made with it."""
    return predict(
        state,
        (202, 204),
        lambda: replace(state, key_pairs=state.key_pairs - {command.name}),
        unless(command.name in state.key_pairs, no(404)) if command.name else FINE,
    )
