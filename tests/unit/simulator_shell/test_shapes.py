"""The error shapes of the families, and microversions."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_simulator import microversion
from ecs_simulator.call import ApiError
from ecs_simulator.shapes import Family, error_body, family_of


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ((), Family.NONE),
        (("v1", "p", "jobs", "j"), Family.ECS),
        (("v1.0", "servers", "s", "action"), Family.ECS),
        (("v2", "p", "cloudservers", "s", "changeos"), Family.ECS),
        (("v2", "p", "servers"), Family.NOVA),
        (("v2.1", "p", "cloudservers"), Family.NOVA),
        (("v3", "auth", "tokens"), Family.IAM),
    ],
)
def test_families(path: tuple[str, ...], family: Family) -> None:
    assert family_of(path) is family


@pytest.mark.parametrize(
    ("error", "family", "section", "body"),
    [
        (ApiError(400, "Ecs.0005", "no"), Family.ECS, "5.1.1", {"error": {"message": "no", "code": "Ecs.0005"}}),
        (
            ApiError(400, "Ecs.0005", "no", details=("Ecs.0039", "out of range")),
            Family.ECS,
            "5.1.1",
            {"error": {"message": "no", "code": "Ecs.0005", "details": [{"code": "Ecs.0039"}, {"message": "out of range"}]}},
        ),
        (ApiError(400, "Common.0011", "no"), Family.ECS, "5.8.1", {"code": "Common.0011", "message": "no"}),
        (ApiError(404, "Ecs.0114", "no"), Family.NOVA, "6.2.6", {"itemNotFound": {"code": 404, "message": "no"}}),
        (ApiError(400, "Ecs.0005", "no", nova=True), Family.ECS, "5.1.1", {"badRequest": {"code": 400, "message": "no"}}),
        (ApiError(500, "Common.0001", "no"), Family.NOVA, None, {"computeFault": {"code": 500, "message": "no"}}),
        (ApiError(401, "IAM.0101", "no"), Family.IAM, None, {"error": {"code": 401, "message": "no", "title": "Unauthorized"}}),
    ],
)
def test_error_bodies(error: ApiError, family: Family, section: str | None, body: dict[str, Any]) -> None:
    assert error_body(error, family=family, section=section) == body


MODERN, LEGACY = "openstack-api-version", "x-openstack-nova-api-version"


@pytest.mark.parametrize(
    ("headers", "version"),
    [
        ({}, (2, 1)),
        ({LEGACY: "2.26"}, (2, 26)),
        ({MODERN: "compute 2.60"}, (2, 60)),
        ({MODERN: "compute latest"}, (2, 60)),
        ({MODERN: "volume 3.0"}, (2, 1)),
        ({MODERN: "identity 3.0, compute 2.5"}, (2, 5)),
        ({MODERN: "compute 2.30", LEGACY: "2.3"}, (2, 30)),
    ],
)
def test_microversions(headers: dict[str, str], version: tuple[int, int]) -> None:
    assert microversion.requested(headers, maximum=(2, 60)) == version


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({LEGACY: "2.61"}, 406),
        ({LEGACY: "2.0"}, 406),
        ({LEGACY: "3.1"}, 406),
        ({LEGACY: "two"}, 400),
        ({MODERN: "compute"}, 400),
        ({LEGACY: "2.01"}, 400),
    ],
)
def test_microversions_out_of_range_or_form(headers: dict[str, str], status: int) -> None:
    with pytest.raises(ApiError) as caught:
        microversion.requested(headers, maximum=(2, 60))
    assert caught.value.status == status
