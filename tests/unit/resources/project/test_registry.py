"""Which project an object is in, and the connection that goes with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ecs_operator.api.group import PROJECT
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AccessKey, CloudError, Meaning, Outcome, PasswordCredentials
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import UnavailableError
from ecs_operator.resources.project.admission import ANY_PROJECT
from ecs_operator.resources.project.credentials import BAD_FOR, GOOD_FOR
from ecs_operator.resources.project.link import RegistrySettings
from ecs_operator.resources.project.registry import LABELS_HOLD, RETIRED_FOR
from ecs_operator.resources.tenancy import Tenant, TenantUnavailable
from tests.fakes.cloud import cloud_error
from tests.unit.resources.project.opening import NAMESPACE, PASSWORD, SETTINGS, Directory, spec

LAB = ObjectKey(PROJECT.plural, "", "lab")
PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
SHOP = {"from": "Selector", "selector": {"matchLabels": {"team": "shop"}}}
NAMES = {"from": "Names", "names": ["shop"]}
OTHERS = {"from": "Names", "names": ["others"]}


@pytest.fixture
def directory() -> Directory:
    return Directory()


async def find(
    directory: Directory, namespace: str = "shop", *, ref: str | None = None, pinned: str | None = None
) -> Tenant | TenantUnavailable:
    return await directory.registry.find(namespace=namespace, project_ref=ref, pinned=pinned)


async def tenant(directory: Directory, namespace: str = "shop", *, ref: str | None = None, pinned: str | None = None) -> Tenant:
    found = await find(directory, namespace, ref=ref, pinned=pinned)
    assert isinstance(found, Tenant), found
    return found


async def refusal(directory: Directory, namespace: str = "shop", *, ref: str | None = None, pinned: str | None = None) -> TenantUnavailable:
    found = await find(directory, namespace, ref=ref, pinned=pinned)
    assert isinstance(found, TenantUnavailable)
    return found


def closed(directory: Directory) -> list[bool]:
    return [each.is_closed for each in directory.opener.opened]


@pytest.mark.parametrize(
    ("projects", "namespace", "ref", "pinned", "expected"),
    [
        pytest.param({"lab": {}}, "shop", "lab", None, "lab", id="by name"),
        pytest.param({"lab": {}}, "shop", "gone", None, (Reason.WAITING_FOR_DEPENDENCY, "gone does not exist"), id="no such project"),
        pytest.param({"lab": {"default": True}}, "shop", None, None, "lab", id="the default"),
        pytest.param({"lab": {}}, "shop", None, None, (Reason.WAITING_FOR_DEPENDENCY, "no default"), id="no default"),
        pytest.param(
            {"a": {"default": True}, "b": {"default": True}},
            "shop",
            None,
            None,
            (Reason.INVALID_CONFIGURATION, "(a, b)"),
            id="several defaults",
        ),
        pytest.param(
            {
                "a": {"default": True, "allowedNamespaces": SHOP},
                "b": {"default": True, "allowedNamespaces": {"from": "Names", "names": ["x"]}},
            },
            "shop",
            None,
            None,
            "a",
            id="one of the defaults admits",
        ),
        pytest.param({"a": {"default": True}, "b": {"default": True}}, "shop", "b", None, "b", id="named among several defaults"),
        pytest.param({"lab": {"allowedNamespaces": NAMES}}, "shop", "lab", None, "lab", id="listed namespace"),
        pytest.param(
            {"lab": {"allowedNamespaces": NAMES}}, "blog", "lab", None, (Reason.WAITING_FOR_DEPENDENCY, "does not admit"), id="not listed"
        ),
        pytest.param({"lab": {"allowedNamespaces": SHOP}}, "shop", "lab", None, "lab", id="selected by labels"),
        pytest.param(
            {"lab": {"allowedNamespaces": SHOP}}, "blog", "lab", None, (Reason.WAITING_FOR_DEPENDENCY, "does not admit"), id="other labels"
        ),
        pytest.param(
            {"lab": {"allowedNamespaces": SHOP}}, "new", "lab", None, (Reason.WAITING_FOR_DEPENDENCY, "does not admit"), id="no labels"
        ),
        pytest.param({"a": {"default": True}, "b": {}}, "shop", "a", "b", "b", id="what has begun stays where it is"),
        pytest.param(
            {"a": {"default": True}, "b": {"allowedNamespaces": NAMES}},
            "blog",
            None,
            "b",
            (Reason.WAITING_FOR_DEPENDENCY, "any more"),
            id="no longer admitted",
        ),
    ],
)
async def test_the_project_of_an_object(
    directory: Directory,
    projects: dict[str, dict[str, Any]],
    namespace: str,
    *,
    ref: str | None,
    pinned: str | None,
    expected: str | tuple[Reason, str],
) -> None:
    for name, changes in projects.items():
        directory.add(name, **changes)
    found = await find(directory, namespace, ref=ref, pinned=pinned)
    if isinstance(expected, str):
        assert isinstance(found, Tenant), found
        assert found.name == expected
    else:
        assert isinstance(found, TenantUnavailable)
        assert found.reason is expected[0]
        assert expected[1] in found.message
        assert found.waits_for


async def test_the_connection_is_made_of_the_spec_once(directory: Directory) -> None:
    directory.add(limits={"readsPerSecond": 5, "writesPerSecond": 3, "createsInFlight": 2}, caBundle=PEM, resyncPeriodSeconds=77)
    first = await tenant(directory, ref="lab")
    second = await tenant(directory, ref="lab")
    assert first.client is second.client
    assert first.snapshots is second.snapshots
    assert directory.opener.calls == 1
    arguments = directory.opener.opened[0].arguments
    assert (arguments["endpoint"], arguments["iam_endpoint"]) == ("https://ecs.example.test", "https://iam.example.test")
    assert (arguments["project_id"], arguments["project_name"], arguments["ca_bundle"]) == (None, "eu-west-0", PEM)
    assert (arguments["budget"].reads_per_second, arguments["budget"].creates_in_flight) == (5.0, 2)
    assert (first.project_id, first.resync_seconds) == ("project-1", 77.0)
    assert (first.create_policy.request_deadline, first.create_policy.settle_after) == (60.0, 150.0)
    assert await directory.opener.opened[0].credentials() == PasswordCredentials(
        username="lab-user", password="Lab-Passw0rd!", domain_name="lab"
    )


async def test_an_id_that_was_looked_up_is_not_looked_up_again(directory: Directory) -> None:
    directory.add(status={"projectId": "project-9"})
    await tenant(directory, ref="lab")
    arguments = directory.opener.opened[0].arguments
    assert (arguments["project_id"], arguments["project_name"]) == ("project-9", None)


async def test_an_access_key(directory: Directory) -> None:
    directory.store.set_secret(NAMESPACE, "ak", accessKey="AK", secretKey="SK", securityToken="ST")
    directory.add(projectId="p", projectName=None, credentials={"accessKey": {"secretRef": {"name": "ak"}}})
    await tenant(directory, ref="lab")
    assert await directory.opener.opened[0].credentials() == AccessKey(access_key="AK", secret_key="SK", security_token="ST")


async def test_the_open_connections_are_shown_for_metrics(directory: Directory) -> None:
    directory.add()
    directory.add("other")
    assert directory.registry.clients() == {}
    used = await tenant(directory, ref="lab")
    assert directory.registry.clients() == {"lab": used.client}


async def test_the_users_id_of_the_spec_goes_to_the_connection(directory: Directory) -> None:
    directory.add(userId="u-1")
    await tenant(directory, ref="lab")
    directory.store.edit(LAB, userId="u-2")
    directory.registry.note(directory.store[LAB])
    await tenant(directory, ref="lab")
    assert [each.arguments["user_id"] for each in directory.opener.opened] == ["u-1", "u-2"]


async def test_a_namespace_whose_labels_change_is_admitted_and_refused_live(directory: Directory) -> None:
    directory.add(allowedNamespaces=SHOP)
    await refusal(directory, "blog", ref="lab")
    directory.store.set_namespace("blog", team="shop")
    directory.clock.advance(LABELS_HOLD)
    await tenant(directory, "blog", ref="lab", pinned="lab")
    directory.store.set_namespace("blog", team="blog")
    directory.clock.advance(LABELS_HOLD)
    assert "any more" in (await refusal(directory, "blog", ref="lab", pinned="lab")).message
    directory.store.set_namespace("blog", team="shop")
    directory.clock.advance(LABELS_HOLD)
    await tenant(directory, "blog", ref="lab", pinned="lab")


async def test_labels_are_read_once_for_all_objects_of_a_namespace_and_not_kept_for_ever(directory: Directory) -> None:
    directory.add(allowedNamespaces=SHOP)
    for _ in range(20):
        await tenant(directory, ref="lab")
    assert directory.store.reads.count("namespace shop") == 1
    directory.clock.advance(LABELS_HOLD)
    await directory.registry.tidy()
    await tenant(directory, ref="lab")
    assert directory.store.reads.count("namespace shop") == 2


@pytest.mark.parametrize(
    ("secret", "named"),
    [
        pytest.param(None, "create it with the keys username, password, domainName", id="no Secret"),
        pytest.param({"username": "u", "domainName": "d"}, "lacks the key password", id="a key is missing"),
        pytest.param({"username": "u", "password": "", "domainName": ""}, "lacks the keys password, domainName", id="empty values"),
    ],
)
async def test_missing_credentials_name_secret_and_keys_and_are_noticed_once_there(
    directory: Directory, secret: dict[str, str] | None, named: str
) -> None:
    directory.add()
    directory.store.delete_secret(NAMESPACE, "lab", by_force=True)
    if secret is not None:
        directory.store.set_secret(NAMESPACE, "lab", **secret)
    missing = await refusal(directory, ref="lab")
    assert missing.reason is Reason.CREDENTIALS_MISSING
    assert f"{NAMESPACE}/lab" in missing.message
    assert named in missing.message
    assert missing.waits_for == (LAB,)
    directory.store.set_secret(NAMESPACE, "lab", **PASSWORD)
    directory.woken.clear()
    directory.clock.advance(BAD_FOR)
    await tenant(directory, ref="lab")
    assert LAB in directory.woken


async def test_a_changed_secret_is_used_within_a_minute_and_read_no_more_often(directory: Directory) -> None:
    directory.add()
    await tenant(directory, ref="lab")
    directory.store.set_secret(NAMESPACE, "lab", **{**PASSWORD, "password": "another"})
    reads = len(directory.store.reads)
    opened = directory.opener.opened[0]
    for _ in range(10):
        directory.clock.advance(GOOD_FOR / 11)
        credentials = await opened.credentials()
        assert isinstance(credentials, PasswordCredentials)
        assert credentials.password == PASSWORD["password"]
    assert len(directory.store.reads) == reads
    directory.clock.advance(GOOD_FOR / 11)
    credentials = await opened.credentials()
    assert isinstance(credentials, PasswordCredentials)
    assert credentials.password == "another"
    assert GOOD_FOR < 60
    assert directory.opener.calls == 1, "no new connection is needed"


async def test_while_the_api_server_is_away_the_credentials_hold(directory: Directory) -> None:
    directory.add()
    await tenant(directory, ref="lab")
    directory.clock.advance(GOOD_FOR)
    directory.store.fail("secret", UnavailableError("503"))
    await tenant(directory, ref="lab")


async def test_a_secret_that_vanished_stops_calls(directory: Directory) -> None:
    directory.add()
    await tenant(directory, ref="lab")
    directory.store.delete_secret(NAMESPACE, "lab", by_force=True)
    directory.clock.advance(GOOD_FOR)
    with pytest.raises(CloudError, match="does not exist") as raised:
        await directory.opener.opened[0].credentials()
    assert (raised.value.outcome, raised.value.meaning) == (Outcome.NOT_SENT, Meaning.AUTH)


@pytest.mark.parametrize("field", ["ecs", "iam"])
async def test_an_endpoint_without_encryption_is_refused(field: str) -> None:
    endpoints = {"ecs": "https://ecs.example.test", "iam": "https://iam.example.test", field: "http://127.0.0.1:1"}
    directory = Directory()
    directory.add(endpoints=endpoints)
    refused = await refusal(directory, ref="lab")
    assert refused.reason is Reason.INVALID_CONFIGURATION
    assert f"spec.endpoints.{field} is http://127.0.0.1:1" in refused.message
    assert "--allow-http" in refused.message
    assert directory.opener.calls == 0
    allowed = Directory(settings=RegistrySettings(namespace=NAMESPACE, allow_http=True))
    allowed.add(endpoints=endpoints)
    await tenant(allowed, ref="lab")


async def test_a_failure_to_open_holds_for_a_while_for_everybody(directory: Directory) -> None:
    directory.add()
    directory.opener.errors = [cloud_error("createToken", meaning=Meaning.AUTH, status=401)] * 2
    for _ in range(5):
        assert (await refusal(directory, ref="lab")).reason is Reason.UNAUTHORIZED
    assert directory.opener.calls == 1
    directory.clock.advance(3)
    assert (await refusal(directory, ref="lab")).reason is Reason.UNAUTHORIZED
    assert directory.opener.calls == 2
    directory.clock.advance(3)
    await refusal(directory, ref="lab")
    assert directory.opener.calls == 2, "the pause grows"
    directory.clock.advance(3)
    await tenant(directory, ref="lab")


async def test_nobody_waits_long_for_a_cloud_that_does_not_answer(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_operator.resources.project.link.FIRST_WAIT", 0.01)
    directory.add()
    directory.opener.gate = asyncio.Event()
    many = await asyncio.gather(*(refusal(directory, ref="lab") for _ in range(20)))
    assert {(each.reason, each.waits_for) for each in many} == {(Reason.CLOUD_UNREACHABLE, (LAB,))}
    assert directory.opener.calls == 1, "one is at it for all"
    directory.woken.clear()
    directory.opener.gate.set()
    await asyncio.sleep(0)
    await tenant(directory, ref="lab")
    assert LAB in directory.woken


async def test_closing_gives_up_a_connection_that_is_being_opened(directory: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecs_operator.resources.project.link.FIRST_WAIT", 0.01)
    directory.add()
    directory.opener.gate = asyncio.Event()
    await refusal(directory, ref="lab")
    await directory.registry.close()
    assert directory.opener.opened == []


async def test_a_mended_secret_is_tried_at_once(directory: Directory) -> None:
    directory.add()
    await directory.registry.find(namespace="shop", project_ref="lab", pinned=None)
    directory.opener.opened.clear()
    await directory.registry.forget("lab")
    directory.opener.errors = [cloud_error("createToken", meaning=Meaning.AUTH, status=401)] * 9
    for _ in range(8):
        await refusal(directory, ref="lab")
        directory.clock.advance(30)
    directory.opener.errors.clear()
    await tenant(directory, ref="lab")


async def test_what_is_wrong_in_the_spec_is_said_as_such(directory: Directory) -> None:
    directory.add(caBundle=PEM)
    directory.opener.errors = [cloud_error("connect", outcome=Outcome.NOT_SENT, message="caBundle: must be PEM certificates")]
    refused = await refusal(directory, ref="lab")
    assert refused.reason is Reason.INVALID_CONFIGURATION
    assert "caBundle" in refused.message


async def test_a_change_of_the_spec_makes_a_new_connection_and_closes_the_old_one_later(directory: Directory) -> None:
    directory.add()
    before = await tenant(directory, ref="lab")
    directory.store.edit(LAB, endpoints={"ecs": "https://new.example.test", "iam": "https://iam.example.test"})
    directory.registry.note(directory.store[LAB])
    after = await tenant(directory, ref="lab")
    assert before.client is not after.client
    assert directory.opener.opened[1].arguments["endpoint"] == "https://new.example.test"
    await directory.registry.tidy()
    assert closed(directory) == [False, False], "a pass may still use it"
    directory.clock.advance(RETIRED_FOR)
    await directory.registry.tidy()
    assert closed(directory) == [True, False]
    await directory.registry.close()
    assert closed(directory) == [True, True]


async def test_a_change_beside_the_connection_keeps_it(directory: Directory) -> None:
    directory.add()
    await tenant(directory, ref="lab")
    directory.woken.clear()
    directory.store.edit(LAB, resyncPeriodSeconds=20, createIdempotency="Settle")
    directory.registry.note(directory.store[LAB])
    after = await tenant(directory, ref="lab")
    assert (after.resync_seconds, after.create_policy.idempotency) == (20.0, "Settle")
    assert directory.opener.calls == 1
    assert directory.woken == [LAB, ANY_PROJECT]


async def test_a_project_that_appears_is_found_though_nobody_told(directory: Directory) -> None:
    waiting = await refusal(directory)
    assert waiting.waits_for == (ANY_PROJECT,)
    directory.add(default=True)
    directory.clock.advance(2)
    await tenant(directory)


async def test_many_that_miss_a_project_list_it_once_a_second(directory: Directory) -> None:
    for _ in range(50):
        await refusal(directory)
    assert directory.store.reads.count(f"list {PROJECT.plural}") == 1


async def test_a_project_that_is_being_deleted_serves_only_what_it_has(directory: Directory) -> None:
    await directory.store.add_finalizer(directory.add(default=True))
    directory.store.delete(LAB)
    assert "is being deleted" in (await refusal(directory, ref="lab")).message
    assert (await refusal(directory)).waits_for == (ANY_PROJECT,)
    await tenant(directory, pinned="lab")


async def test_a_paused_project_changes_nothing(directory: Directory) -> None:
    directory.add()
    directory.store.annotate(LAB, paused="true")
    assert (await refusal(directory, pinned="lab")).reason is Reason.PAUSED


async def test_no_secret_value_in_what_is_shown(directory: Directory) -> None:
    directory.add()
    await tenant(directory, ref="lab")
    provider = directory.opener.opened[0].provider
    assert PASSWORD["password"] not in f"{provider!r} {await provider.get()!r} {SETTINGS!r} {spec()}"
