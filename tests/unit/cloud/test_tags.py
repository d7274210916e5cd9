"""Tags, key pairs and passwords: what the client makes of answers, and what it checks before anything is asked."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from ecs_operator.cloud import CloudError, EcsClient, Meaning, NewKeyPair, Outcome, SealedPassword, TagFilter, TagQuery
from tests.unit.cloud.stage import SERVER, FakeCloud, answer, client_of

OLD = {"versions": [{"id": "v2.1", "min_version": "2.1", "version": "2.25"}]}
TOO_NEW = {"versions": [{"id": "v2.1", "min_version": "2.53", "version": "2.90"}]}
NONE = {"versions": [{"id": "v2.0", "min_version": "", "version": ""}]}


async def test_servers_are_found_page_by_page() -> None:
    found = [{"resource_id": f"s{number}", "resource_name": "web", "tags": [{"key": "k", "value": str(number)}]} for number in range(5)]

    def serve(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        offset = int(body["offset"])
        return answer(200, {"resources": found[offset : offset + int(body["limit"])], "total_count": 5})

    cloud = FakeCloud(serve)
    async with client_of(cloud) as client:
        servers = [server async for server in client.tags.find(TagQuery(), limit=2)]
    assert [(server.id, server.name, server.tags) for server in servers] == [(f"s{n}", "web", {"k": str(n)}) for n in range(5)]
    assert len(cloud.requests) == 3


async def test_a_cloud_that_counts_more_than_it_shows_is_left() -> None:
    pages = iter([[{"resource_id": "s"}], []])
    cloud = FakeCloud(lambda _: answer(200, {"resources": next(pages), "total_count": 9}))
    async with client_of(cloud) as client:
        assert [server.id async for server in client.tags.find(TagQuery())] == ["s"]


FILTERS: list[tuple[str, Callable[[], object]]] = [
    ("tags[].key", lambda: TagFilter(key="")),
    ("tags[].key", lambda: TagFilter(key="k" * 128)),
    ("tags[].values", lambda: TagFilter(key="k", values=("a", "a"))),
    ("tags[].values[1]", lambda: TagFilter(key="k", values=("a", "v" * 256))),
    ("tags", lambda: TagQuery(tags=(TagFilter(key="k"), TagFilter(key="k")))),
    ("not_tags", lambda: TagQuery(not_tags=(TagFilter(key="k"), TagFilter(key="k")))),
    ("matches[].value", lambda: TagQuery(name="")),
    ("matches[].value", lambda: TagQuery(name="n" * 256)),
]


@pytest.mark.parametrize(("field", "make"), FILTERS, ids=[f"{number}-{case[0]}" for number, case in enumerate(FILTERS)])
def test_filters_are_checked(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(CloudError) as caught:
        make()
    assert caught.value.message.startswith(f"{field}: ")


def test_the_longest_filters() -> None:
    query = TagQuery(tags=(TagFilter(key="k" * 127, values=("v" * 255,)),), name="n" * 255)
    assert query.body() == {
        "tags": [{"key": "k" * 127, "values": ["v" * 255]}],
        "matches": [{"key": "resource_name", "value": "n" * 255}],
    }


@pytest.mark.parametrize(("reply", "is_new"), [(answer(201), True), (answer(204), False)])
async def test_a_tag_that_is_there_already(reply: httpx.Response, is_new: bool) -> None:  # noqa: FBT001
    async with client_of(FakeCloud(lambda _: reply)) as client:
        assert await client.native_tags.add(SERVER, "a") is is_new


async def test_the_body_that_the_reference_prints_for_a_new_tag_is_no_error() -> None:
    printed = {"message": "<br /><br />\n\n\n", "code": "201 Created", "title": "Created"}
    async with client_of(FakeCloud(lambda _: answer(201, printed))) as client:
        assert await client.native_tags.add(SERVER, "a")


async def test_an_error_in_the_body_of_a_success_stays_one() -> None:
    async with client_of(FakeCloud(lambda _: answer(200, {"message": "no", "code": "Ecs.0005"}))) as client:
        with pytest.raises(CloudError, match="no"):
            await client.native_tags.add(SERVER, "a")


@pytest.mark.parametrize(("status", "expected"), [(204, True), (404, False)])
async def test_asking_for_a_tag(status: int, expected: bool) -> None:  # noqa: FBT001
    body = None if status == 204 else {"itemNotFound": {"code": 404, "message": "Server has no tag"}}
    async with client_of(FakeCloud(lambda _: answer(status, body))) as client:
        assert await client.native_tags.has(SERVER, "a") is expected


async def test_a_refusal_is_not_an_absent_tag() -> None:
    async with client_of(FakeCloud(lambda _: answer(403, {"forbidden": {"code": 403, "message": "no"}}))) as client:
        with pytest.raises(CloudError):
            await client.native_tags.has(SERVER, "a")


NEEDS: list[tuple[str, object, Callable[[EcsClient], Awaitable[object]], str]] = [
    ("tags", OLD, lambda c: c.native_tags.list(SERVER), "at least 2.26 is needed, and the endpoint has 2.1 to 2.25"),
    ("writing tags", OLD, lambda c: c.native_tags.clear(SERVER), "2.26"),
    ("no microversions", NONE, lambda c: c.native_tags.add(SERVER, "a"), "the endpoint has none"),
    ("later ones only", TOO_NEW, lambda c: c.native_tags.has(SERVER, "a"), "2.53 to 2.90"),
    ("another user's key", NONE, lambda c: c.key_pairs.create("k", user_id="u"), "2.10"),
    ("a certificate", NONE, lambda c: c.key_pairs.create("k", key_type="x509"), "2.2"),
]


@pytest.mark.parametrize(("versions", "call", "text"), [case[1:] for case in NEEDS], ids=[case[0] for case in NEEDS])
async def test_an_endpoint_without_the_microversion_is_not_called(
    versions: object, call: Callable[[EcsClient], Awaitable[object]], text: str
) -> None:
    cloud = FakeCloud(lambda _: answer(200, {}), versions=versions)
    async with client_of(cloud) as client:
        with pytest.raises(CloudError, match=text) as caught:
            await call(client)
    assert (caught.value.outcome, caught.value.meaning) == (Outcome.NOT_SENT, Meaning.INVALID)
    assert caught.value.message.startswith("microversion: ")
    assert not cloud.requests


async def test_microversions_of_tags_and_keys() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"tags": [], "keypair": {"name": "k"}}))
    async with client_of(cloud) as client:
        await client.native_tags.list(SERVER)
        await client.key_pairs.create("k", user_id="u")
        cloud.versions = NONE
    async with client_of(FakeCloud(lambda _: answer(200, {"keypair": {"name": "k"}}), versions=NONE)) as client:
        assert (await client.key_pairs.create("k")).name == "k"
    assert [request.headers["x-openstack-nova-api-version"] for request in cloud.requests] == ["2.46", "2.46"]


async def test_key_pairs_are_read_to_the_end() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "a b":
            return answer(200, {"keypairs": [{"keypair": {"name": "c"}}]})
        link = {"rel": "next", "href": "https://evil.example.test/os-keypairs?marker=a+b"}
        return answer(200, {"keypairs": [{"keypair": {"name": "a b"}}], "keypairs_links": [link]})

    cloud = FakeCloud(serve)
    async with client_of(cloud) as client:
        assert [pair.name for pair in await client.key_pairs.list()] == ["a b", "c"]
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}


async def test_secrets_are_not_shown() -> None:
    key = {"name": "k", "private_key": "canary-key", "public_key": "ssh-rsa AAAA", "fingerprint": "f"}
    cloud = FakeCloud(lambda request: answer(200, {"keypair": key} if request.method == "POST" else {"password": "canary-password"}))
    async with client_of(cloud) as client:
        made, password = await client.key_pairs.create("k"), await client.passwords.get(SERVER)
    assert (made.private_key, password.password) == ("canary-key", "canary-password")
    assert "canary" not in f"{made!r} {made} {password!r} {password} {cloud.records!r}"
    assert (type(made), type(password)) == (NewKeyPair, SealedPassword)


async def test_metadata_items() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"meta": {"other": "v"}}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError, match="another key") as caught:
            await client.metadata.item(SERVER, "k")
        assert caught.value.outcome is Outcome.UNKNOWN


async def test_limits_and_quotas_say_what_they_know() -> None:
    absolute = {"maxTotalInstances": "20", "maxTotalKeypairs": -1, "totalCoresUsed": 4, "new": 1}
    quota_set = {"id": "p", "cores": "-1", "key_pairs": 100}
    body = {"absolute": absolute, "limits": {"rate": [], "absolute": absolute}, "quota_set": quota_set}
    async with client_of(FakeCloud(lambda _: answer(200, body))) as client:
        for limits in (await client.limits.get(), await client.limits.native()):
            assert (limits.max_total_instances, limits.max_total_keypairs, limits.total_cores_used) == (20, -1, 4)
            assert (limits.max_security_groups, limits.max_server_groups) == (None, -1)
        for quotas in (await client.quotas.get(), await client.quotas.defaults()):
            assert (quotas.id, quotas.cores, quotas.key_pairs, quotas.instances) == ("p", -1, 100, None)
