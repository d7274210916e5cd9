"""Marks of ownership: whose a cloud resource is, provably."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecs_operator.resources.ownership import ClusterIdentity, Owner

UID = "2c1b5d1e-6a0f-4f0b-9d1e-0c6f0a3c9d11"
OWNER = Owner(uid=UID, incarnation=1)
HERE = ClusterIdentity(cluster_id="11111111-2222-3333-4444-555555555555", key=b"k" * 32)
SAME_ID_OTHER_KEY = ClusterIdentity(cluster_id=HERE.cluster_id, key=b"x" * 32)
OTHER = ClusterIdentity(cluster_id="99999999-2222-3333-4444-555555555555", key=b"k" * 32)
GOOD = HERE.marker(OWNER)


@given(uid=st.uuids().map(str), incarnation=st.integers(min_value=1, max_value=1_000_000))
def test_what_was_marked_is_read_back_by_this_cluster_alone(uid: str, incarnation: int) -> None:
    owner = Owner(uid=uid, incarnation=incarnation)
    marker = HERE.marker(owner)
    assert HERE.read(marker) == owner
    assert OTHER.read(marker) is None
    assert SAME_ID_OTHER_KEY.read(marker) is None
    assert len(marker) <= 255, "the cloud's limit for a metadata value"


@pytest.mark.parametrize(
    "marker",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("somebody's text", id="foreign"),
        pytest.param(GOOD[:-1], id="mac cut"),
        pytest.param(GOOD.rpartition("/")[0], id="without mac"),
        pytest.param(GOOD.replace("/1/", "/2/"), id="another incarnation"),
        pytest.param(GOOD.replace(UID, str(uuid.UUID(int=1))), id="another object"),
        pytest.param(GOOD.replace("/1/", "/x/"), id="no number"),
        pytest.param(GOOD + "ü", id="not ascii"),
        pytest.param(f"{GOOD}/more", id="more parts"),
    ],
)
def test_what_was_tampered_with_is_nobody_s(marker: str | None) -> None:
    assert HERE.read(marker) is None


def test_tokens_are_uuids_that_follow_from_cluster_object_and_incarnation() -> None:
    token = HERE.client_token(OWNER)
    assert str(uuid.UUID(token)) == token
    assert token == HERE.client_token(Owner(uid=UID, incarnation=1))
    assert len({token, OTHER.client_token(OWNER), HERE.client_token(Owner(uid=UID, incarnation=2))}) == 3


def test_suffixes_mark_what_has_only_a_name() -> None:
    suffix = HERE.suffix(OWNER)
    assert len(suffix) == 8
    assert int(suffix, 16) >= 0
    assert suffix == HERE.suffix(OWNER)
    assert len({suffix, OTHER.suffix(OWNER), HERE.suffix(Owner(uid=UID, incarnation=2))}) == 3


def test_the_key_is_not_shown() -> None:
    assert "kkkk" not in repr(HERE)
