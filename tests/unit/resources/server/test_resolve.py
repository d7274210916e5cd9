"""Images, groups, secrets: what they resolve to, what is missing, what cannot be used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ecs_operator.api.server import ServerSpec
from ecs_operator.cloud import Image
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.server.passwords import password_problem
from ecs_operator.resources.server.render import Resolved
from ecs_operator.resources.server.resolve import Missing, Unusable, resolve
from tests.unit.resources.server.effects import Effects
from tests.unit.resources.server.fake_cloud import UBUNTU, WINDOWS
from tests.unit.resources.server.fake_store import FakeStore
from tests.unit.resources.server.stage import KEY, SPEC, START

GROUP = ObjectKey("ecsservergroups", "shop", "web")


@dataclass
class FakeImages:
    images: tuple[Image, ...] = (UBUNTU, WINDOWS)
    asked: list[str] = field(default_factory=list)

    async def list(self, *, name: str | None = None) -> tuple[Image, ...]:
        self.asked.append(f"list {name}")
        return tuple(image for image in self.images if name is None or name in image.name)

    async def get(self, image_id: str) -> Image:
        self.asked.append(f"get {image_id}")
        return next(image for image in self.images if image.id == image_id)


def store_with(**secrets: bytes) -> FakeStore:
    store = FakeStore(Effects())
    store.secrets["shop/web"] = SecretData("12", dict(secrets))
    store.secrets["configmap:shop/web"] = SecretData("34", dict(secrets))
    return store


def group(store: FakeStore, **status: Any) -> None:
    store.put(
        KubeObject(
            key=GROUP,
            kind="EcsServerGroup",
            api_version="ecs.huaweicloud.com/v1alpha1",
            uid="g",
            resource_version="",
            generation=1,
            created_at=START,
            deleted_at=None,
            finalizers=("keep",),
            annotations={},
            labels={},
            spec={},
            status=status,
        )
    )


async def resolved(
    changes: dict[str, Any], *, store: FakeStore | None = None, images: FakeImages | None = None, key: ObjectKey = KEY
) -> Resolved | Missing | Unusable:
    spec = ServerSpec.model_validate({**SPEC, **changes})
    return await resolve(spec, key=key, project="lab", kube=store or store_with(), images=images or FakeImages())


async def test_an_image_by_id_is_not_asked_for() -> None:
    images = FakeImages()
    found = await resolved({}, images=images)
    assert isinstance(found, Resolved)
    assert (found.name, found.image_id, images.asked) == ("web-0", UBUNTU.id, [])


async def test_an_image_by_name_is_compared_exactly() -> None:
    shadow = Image(id="other", name=UBUNTU.name + " old")
    found = await resolved({"image": {"name": UBUNTU.name}}, images=FakeImages((shadow, UBUNTU)))
    assert isinstance(found, Resolved)
    assert found.image_id == UBUNTU.id


async def test_two_images_of_one_name_are_not_chosen_from() -> None:
    twin = Image(id="another", name=UBUNTU.name)
    found = await resolved({"image": {"name": UBUNTU.name}}, images=FakeImages((twin, UBUNTU)))
    assert isinstance(found, Unusable)
    assert "another" in found.problems[0]
    assert UBUNTU.id in found.problems[0]


async def test_a_password_tells_windows_from_linux() -> None:
    password = {"adminPasswordSecretRef": {"name": "web", "key": "pw"}}
    for image, windows in ((UBUNTU, False), (WINDOWS, True)):
        found = await resolved({**password, "image": {"id": image.id}}, store=store_with(pw=b"Good-Passw0rd!"))
        assert isinstance(found, Resolved)
        assert found.is_windows is windows
        assert found.secrets.password == "Good-Passw0rd!"
        assert found.secret_versions == {"adminPasswordSecretRef": "12"}
        assert "Good" not in repr(found)


async def test_user_data_come_from_a_secret_or_a_config_map() -> None:
    for kind, version in (("secret", "12"), ("configMap", "34")):
        found = await resolved({"userDataRef": {kind: {"name": "web", "key": "ud"}}}, store=store_with(ud=b"\x00\xffbinary"))
        assert isinstance(found, Resolved)
        assert found.secrets.user_data == b"\x00\xffbinary"
        assert found.secret_versions == {"userDataRef": version}


@pytest.mark.parametrize(("size", "fits"), [(32 * 1024, True), (32 * 1024 + 1, False)])
async def test_user_data_have_a_limit(size: int, fits: bool) -> None:  # noqa: FBT001
    found = await resolved({"userDataRef": {"secret": {"name": "web", "key": "ud"}}}, store=store_with(ud=b"x" * size))
    assert isinstance(found, Resolved if fits else Unusable)
    if isinstance(found, Unusable):
        assert "32769 bytes" in found.problems[0]


async def test_a_missing_key_is_named() -> None:
    found = await resolved({"adminPasswordSecretRef": {"name": "web", "key": "pw"}})
    assert found == Missing(("key pw in Secret web (spec.adminPasswordSecretRef)",))


async def test_a_group_is_awaited_until_it_has_an_id() -> None:
    store = store_with()
    wanted = {"serverGroupRef": {"name": "web"}}
    assert isinstance(await resolved(wanted, store=store), Missing)
    group(store)
    found = await resolved(wanted, store=store)
    assert isinstance(found, Missing)
    assert found.waits_for == (GROUP,)
    group(store, id="group-1", project="lab")
    found = await resolved(wanted, store=store)
    assert isinstance(found, Resolved)
    assert found.group_id == "group-1"
    store.delete(GROUP, at=START)
    assert isinstance(await resolved(wanted, store=store), Missing)


async def test_a_group_of_another_project_cannot_be_used() -> None:
    store = store_with()
    group(store, id="group-1", project="other")
    found = await resolved({"serverGroupRef": {"name": "web"}}, store=store)
    assert isinstance(found, Unusable)
    assert "other" in found.problems[0]


async def test_a_long_object_name_needs_spec_name() -> None:
    key = ObjectKey(KEY.resource, KEY.namespace, "n" * 65)
    assert isinstance(await resolved({}, key=key), Unusable)
    assert isinstance(await resolved({"name": "short"}, key=key), Resolved)


@pytest.mark.parametrize(
    ("password", "windows", "problem"),
    [
        ("Good-Passw0rd!", False, None),
        ("Short-1", False, "7 characters"),
        ("A1-" + "x" * 24, False, "27 characters"),
        ("onlylower1", False, "2 of the four"),
        ("Good-Passw0rd\n", False, "line break"),
        ("Good Passw0rd", False, "characters other than"),
        ("Gööd-Passw0rd", False, "characters other than"),
        ("My-Root-1234", False, "root"),
        ("My-tooR-1234", False, "root"),
        ("My-Root-1234", True, None),
        ("Administrator-1", True, "administrator"),
        ("Xmin-12345", True, "two consecutive"),
        ("Xmin-12345", False, None),
    ],
)
def test_passwords(password: str, windows: bool, problem: str | None) -> None:  # noqa: FBT001
    found = password_problem(password, is_windows=windows)
    if problem is None:
        assert found is None
    else:
        assert found is not None
        assert problem in found
        assert password.strip() not in found
