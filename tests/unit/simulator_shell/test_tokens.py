"""Tokens: 24 hours on the world's clock, revocable, kept over a restart."""

from __future__ import annotations

from ecs_simulator.auth.tokens import LIFETIME, TokenStore


def test_a_token_lives_for_a_day() -> None:
    store = TokenStore()
    token = store.issue(user_id="u", project_id="p", now=1000.0)
    assert store.find(token.value, now=1000.0) == token
    assert store.find(token.value, now=1000.0 + LIFETIME - 1) == token
    assert store.find(token.value, now=1000.0 + LIFETIME) is None
    assert LIFETIME == 24 * 3600


def test_revoking() -> None:
    store = TokenStore()
    first, second, other = (store.issue(user_id="u", project_id=project, now=0.0) for project in ("p", "p", "q"))
    assert store.revoke(first.value)
    assert not store.revoke(first.value)
    assert store.find(first.value, now=0.0) is None
    assert store.revoke_where(lambda token: token.project_id == "p") == 1
    assert store.find(second.value, now=0.0) is None
    assert store.find(other.value, now=0.0) == other


def test_tokens_are_kept_in_a_state_file() -> None:
    store = TokenStore()
    token = store.issue(user_id="u", project_id=None, now=5.0)
    later = TokenStore()
    later.load(store.to_json())
    assert later.find(token.value, now=6.0) == token


def test_tokens_that_ran_out_are_forgotten() -> None:
    store = TokenStore()
    store.issue(user_id="u", project_id="p", now=0.0)
    fresh = store.issue(user_id="u", project_id="p", now=LIFETIME + 1)
    assert [item["value"] for item in store.to_json()] == [fresh.value]
