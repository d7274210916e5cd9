from __future__ import annotations

from ecs_operator.api.common import ApiModel
from ecs_operator.app.status_fields import status_fields


class Inner(ApiModel):
    some_name: str | None = None


class Outer(ApiModel):
    one: Inner | None = None
    many: tuple[Inner, ...] = ()
    free: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    plain_text: str | None = None


def test_paths_by_the_names_in_yaml_through_lists_and_not_into_free_maps() -> None:
    assert status_fields(Outer) == {"one", "one.someName", "many", "many.someName", "free", "plainText"}
