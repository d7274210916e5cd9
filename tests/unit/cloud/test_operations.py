"""What each method puts on the wire: method, path, query and body of its section."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from ecs_operator.cloud import (
    ChangeSystem,
    CloudError,
    EcsClient,
    FlavorFilter,
    ImageFilter,
    Meaning,
    NativeCreate,
    NativeDisk,
    NativeNetwork,
    NewInterface,
    NewSecurityGroupRule,
    NewVolume,
    ReinstallSystem,
    SchedulerHints,
    ServerFilter,
    TagFilter,
    TagQuery,
)
from tests.unit.cloud.stage import CREATE, IAM, PROJECT, SERVER, UUID, FakeCloud, answer, client_of

JOB = {"job_id": "ff80808288d41e1b018990260955686a"}
SHOWN = {"server": {"id": SERVER, "metadata": {}}}
V1, V2 = f"/v1/{PROJECT}/cloudservers", f"/v2.1/{PROJECT}"
ACTION, RECOVERY = f"{V2}/servers/{SERVER}/action", f"{V1}/{SERVER}/autorecovery"
BATCH = [{"id": SERVER}]
INTERFACE = {"interfaceAttachment": {"port_id": "p"}}
FLOATING_IP = {"floating_ip": {"id": "f"}}
QUOTAS = {"quota_set": {"id": PROJECT, "instances": 20}}
GROUP = {"server_group": {"id": "g", "name": "n", "policies": ["anti-affinity"], "members": [], "metadata": {}}}


async def _all(items: AsyncIterator[object]) -> list[object]:
    return [item async for item in items]


NATIVE = NativeCreate(
    name="n",
    flavor_ref="s3.large.2",
    image_ref=UUID,
    networks=(NativeNetwork(uuid=UUID, fixed_ip="10.0.0.9"), NativeNetwork(port=UUID)),
    disks=(NativeDisk(source_type="blank", volume_size=10, delete_on_termination=True),),
    security_groups=("web",),
    metadata={"k": "v"},
    admin_pass=SecretStr("Str0ng-Passw0rd"),
    user_data=SecretStr("eA=="),
    description="d",
    scheduler_hints=SchedulerHints(group=UUID),
)


@dataclass(frozen=True)
class Case:
    section: str
    call: Callable[[EcsClient], Awaitable[object]]
    method: str
    path: str
    body: object = None
    query: str = ""
    reply: object = None


CASES = [
    Case("5.1.1", lambda c: c.servers.create(CREATE, client_token=None), "POST", V1, json.loads(CREATE.body()), reply=JOB),
    Case(
        "5.1.2",
        lambda c: c.servers.delete([SERVER, SERVER], delete_public_ip=False, delete_volume=True),
        "POST",
        f"{V1}/delete",
        {"servers": BATCH, "delete_publicip": False, "delete_volume": True},
        reply=JOB,
    ),
    Case(
        "5.2.1",
        lambda c: c.systems.reinstall(SERVER, ReinstallSystem(user_id="u", admin_pass="Canary-Passw0rd", user_data="eA==")),
        "POST",
        f"/v2/{PROJECT}/cloudservers/{SERVER}/reinstallos",
        {"os-reinstall": {"userid": "u", "adminpass": "Canary-Passw0rd", "metadata": {"user_data": "eA=="}}},
        reply=JOB,
    ),
    Case(
        "5.2.2",
        lambda c: c.systems.change(SERVER, ChangeSystem(image_id=SERVER, key_name="k")),
        "POST",
        f"/v2/{PROJECT}/cloudservers/{SERVER}/changeos",
        {"os-change": {"imageid": SERVER, "keyname": "k"}},
        reply=JOB,
    ),
    Case(
        "5.2.3",
        lambda c: c.systems.migrate(SERVER, "h"),
        "POST",
        f"{V1}/{SERVER}/migrate",
        {"migrate": {"dedicated_host_id": "h"}},
        reply=JOB,
    ),
    Case("5.2.3", lambda c: c.systems.migrate(SERVER, None), "POST", f"{V1}/{SERVER}/migrate", {"migrate": None}, reply=JOB),
    Case(
        "5.2.4",
        lambda c: c.servers.check_resize(SERVER, "c3.15xlarge.2"),
        "POST",
        f"{V1}/{SERVER}/resize",
        {"resize": {"flavorRef": "c3.15xlarge.2"}, "dry_run": True},
    ),
    Case(
        "5.2.4",
        lambda c: c.servers.resize(SERVER, "c3.15xlarge.2"),
        "POST",
        f"{V1}/{SERVER}/resize",
        {"resize": {"flavorRef": "c3.15xlarge.2"}},
        reply=JOB,
    ),
    Case("5.3.1", lambda c: c.servers.start([SERVER]), "POST", f"{V1}/action", {"os-start": {"servers": BATCH}}, reply=JOB),
    Case(
        "5.3.2",
        lambda c: c.servers.reboot([SERVER], "SOFT"),
        "POST",
        f"{V1}/action",
        {"reboot": {"type": "SOFT", "servers": BATCH}},
        reply=JOB,
    ),
    Case(
        "5.3.3",
        lambda c: c.servers.stop([SERVER], "HARD"),
        "POST",
        f"{V1}/action",
        {"os-stop": {"type": "HARD", "servers": BATCH}},
        reply=JOB,
    ),
    Case("5.4.1", lambda c: c.flavors.sold("az0"), "GET", f"{V1}/flavors", query="availability_zone=az0", reply={"flavors": []}),
    Case(
        "5.5.1",
        lambda c: c.interfaces.add(
            SERVER, [NewInterface(subnet_id=UUID), NewInterface(subnet_id=UUID, ip_address="10.0.0.9", security_group_ids=(UUID,))]
        ),
        "POST",
        f"{V1}/{SERVER}/nics",
        {"nics": [{"subnet_id": UUID}, {"subnet_id": UUID, "ip_address": "10.0.0.9", "security_groups": [{"id": UUID}]}]},
        reply=JOB,
    ),
    Case(
        "5.5.2",
        lambda c: c.interfaces.remove(SERVER, ["p", "q", "p"]),
        "POST",
        f"{V1}/{SERVER}/nics/delete",
        {"nics": [{"id": "p"}, {"id": "q"}]},
        reply=JOB,
    ),
    Case(
        "5.6.1",
        lambda c: c.volumes.attach(SERVER, "v", device="/dev/vdb"),
        "POST",
        f"{V1}/{SERVER}/attachvolume",
        {"volumeAttachment": {"volumeId": "v", "device": "/dev/vdb"}},
        reply=JOB,
    ),
    Case(
        "5.6.2",
        lambda c: c.volumes.detach(SERVER, "v", force=False),
        "DELETE",
        f"{V1}/{SERVER}/detachvolume/v",
        query="delete_flag=0",
        reply=JOB,
    ),
    Case(
        "5.6.3",
        lambda c: c.volumes.block_devices(SERVER),
        "GET",
        f"/v2.1/servers/{SERVER}/block_device",
        reply={"volumeAttachments": []},
    ),
    Case(
        "5.6.4",
        lambda c: c.volumes.block_device(SERVER, "v"),
        "GET",
        f"/v2.1/servers/{SERVER}/block_device/v",
        reply={"volumeAttachment": {"volumeId": "v"}},
    ),
    Case("5.7.1", lambda c: c.limits.get(), "GET", f"{V1}/limits", reply={"absolute": {}}),
    Case(
        "5.9.2",
        lambda c: _all(c.tags.find(TagQuery(tags=(TagFilter(key="k", values=("v",)),), not_tags=(TagFilter(key="l"),), name="n"), limit=7)),
        "POST",
        f"/v1/{PROJECT}/servers/resource_instances/action",
        {
            "action": "filter",
            "limit": "7",
            "offset": "0",
            "tags": [{"key": "k", "values": ["v"]}],
            "not_tags": [{"key": "l"}],
            "matches": [{"key": "resource_name", "value": "n"}],
        },
        reply={"resources": [], "total_count": 0},
    ),
    Case(
        "5.9.2",
        lambda c: c.tags.count(TagQuery()),
        "POST",
        f"/v1/{PROJECT}/servers/resource_instances/action",
        {"action": "count"},
        reply={"total_count": 3},
    ),
    Case(
        "5.9.3",
        lambda c: c.tags.add(SERVER, {"k": "v", "l": ""}),
        "POST",
        f"/v1/{PROJECT}/servers/{SERVER}/tags/action",
        {"action": "create", "tags": [{"key": "k", "value": "v"}, {"key": "l", "value": ""}]},
    ),
    Case(
        "5.9.4",
        lambda c: c.tags.remove(SERVER, {"k": "v", "l": None}),
        "POST",
        f"/v1/{PROJECT}/servers/{SERVER}/tags/action",
        {"action": "delete", "tags": [{"key": "k", "value": "v"}, {"key": "l"}]},
    ),
    Case("5.9.5", lambda c: c.tags.of_project(), "GET", f"/v1/{PROJECT}/servers/tags", reply={"tags": []}),
    Case("5.9.6", lambda c: c.tags.get(SERVER), "GET", f"/v1/{PROJECT}/servers/{SERVER}/tags", reply={"tags": []}),
    Case("5.8.1", lambda c: c.jobs.get("j"), "GET", f"/v1/{PROJECT}/jobs/j", reply={"status": "RUNNING"}),
    Case(
        "5.10.1",
        lambda c: c.groups.create("n", ["anti-affinity"]),
        "POST",
        f"{V1}/os-server-groups",
        {"server_group": {"name": "n", "policies": ["anti-affinity"]}},
        reply=GROUP,
    ),
    Case("5.10.2", lambda c: c.groups.delete("g"), "DELETE", f"{V1}/os-server-groups/g"),
    Case(
        "5.10.3",
        lambda c: c.groups.add("g", SERVER),
        "POST",
        f"{V1}/os-server-groups/g/action",
        {"add_member": {"instance_uuid": SERVER}},
    ),
    Case(
        "5.10.4",
        lambda c: c.groups.remove("g", SERVER),
        "POST",
        f"{V1}/os-server-groups/g/action",
        {"remove_member": {"instance_uuid": SERVER}},
    ),
    Case("5.10.5", lambda c: c.groups.list(), "GET", f"{V1}/os-server-groups", query="limit=100", reply={"server_groups": []}),
    Case("5.10.6", lambda c: c.groups.get("g"), "GET", f"{V1}/os-server-groups/g", reply=GROUP),
    Case("6.1.2", lambda c: c.versions.get("v2.1"), "GET", "/v2.1", reply={"version": {"id": "v2.1"}}),
    Case(
        "6.2.1",
        lambda c: c.servers.create_native(NATIVE),
        "POST",
        f"{V2}/servers",
        {
            "server": {
                "name": "n",
                "flavorRef": "s3.large.2",
                "imageRef": UUID,
                "networks": [{"uuid": UUID, "fixed_ip": "10.0.0.9"}, {"port": UUID}],
                "block_device_mapping_v2": [
                    {
                        "source_type": "blank",
                        "boot_index": -1,
                        "volume_size": 10,
                        "delete_on_termination": True,
                        "destination_type": "volume",
                    }
                ],
                "security_groups": [{"name": "web"}],
                "metadata": {"k": "v"},
                "adminPass": "Str0ng-Passw0rd",
                "user_data": "eA==",
                "description": "d",
                "min_count": 1,
            },
            "os:scheduler_hints": {"group": UUID},
        },
        reply={"server": {"id": SERVER, "adminPass": "x"}},
    ),
    Case(
        "6.2.1",
        lambda c: c.servers.create_native(
            NativeCreate(name="n", flavor_ref="f", image_ref=UUID, networks=(NativeNetwork(uuid=UUID),), min_count=2, max_count=3)
        ),
        "POST",
        f"{V2}/servers",
        {
            "server": {
                "name": "n",
                "flavorRef": "f",
                "imageRef": UUID,
                "networks": [{"uuid": UUID}],
                "min_count": 2,
                "max_count": 3,
                "return_reservation_id": True,
            }
        },
        reply={"reservation_id": "r-1"},
    ),
    Case("6.2.3", lambda c: c.servers.delete_native(SERVER), "DELETE", f"{V2}/servers/{SERVER}"),
    Case(
        "6.2.4",
        lambda c: c.servers.names(
            limit=10, only=ServerFilter(name="n", status="ACTIVE", tags=("a", "b=c"), not_tags=("d",), sort_key="uuid")
        ),
        "GET",
        f"{V2}/servers",
        query="limit=10&name=n&status=ACTIVE&tags=a%2Cb%3Dc&not-tags=d&sort_key=uuid",
        reply={"servers": []},
    ),
    Case(
        "6.2.4",
        lambda c: c.servers.names(only=ServerFilter(image=UUID)),
        "GET",
        f"{V2}/servers",
        query=f"image={UUID}",
        reply={"servers": [{"id": "a"}], "servers_links": [{"rel": "next", "href": "?marker=a"}]},
    ),
    Case(
        "6.2.2",
        lambda c: c.servers.update(SERVER, name="n", description=""),
        "PUT",
        f"{V2}/servers/{SERVER}",
        {"server": {"name": "n", "description": ""}},
        reply=SHOWN,
    ),
    Case("6.2.5", lambda c: c.servers.sweep(), "GET", f"{V2}/servers/detail", query="limit=100", reply={"servers": []}),
    Case("6.2.6", lambda c: c.servers.get(SERVER), "GET", f"{V2}/servers/{SERVER}", reply=SHOWN),
    Case("6.3.1", lambda c: c.server_actions.start(SERVER), "POST", ACTION, {"os-start": None}),
    Case("6.3.2", lambda c: c.server_actions.reboot(SERVER, "HARD"), "POST", ACTION, {"reboot": {"type": "HARD"}}),
    Case("6.3.3", lambda c: c.server_actions.stop(SERVER), "POST", ACTION, {"os-stop": {"type": "SOFT"}}),
    Case("6.3.4", lambda c: c.server_actions.lock(SERVER), "POST", f"{V2}/servers/{SERVER}/action", {"lock": None}),
    Case("6.3.5", lambda c: c.server_actions.unlock(SERVER), "POST", f"{V2}/servers/{SERVER}/action", {"unlock": None}),
    Case(
        "6.3.6",
        lambda c: c.server_actions.rebuild(SERVER, "i", name="n", metadata={"key": "value"}),
        "POST",
        ACTION,
        {"rebuild": {"imageRef": "i", "name": "n", "metadata": {"key": "value"}}},
        reply=SHOWN,
    ),
    Case(
        "6.3.7",
        lambda c: c.server_actions.create_image(SERVER, "n", metadata={"key": "value"}),
        "POST",
        ACTION,
        {"createImage": {"name": "n", "metadata": {"key": "value"}}},
        reply={"image_id": "i"},
    ),
    Case("6.3.8", lambda c: c.server_actions.resize(SERVER, "f"), "POST", ACTION, {"resize": {"flavorRef": "f"}}),
    Case("6.3.9", lambda c: c.server_actions.confirm_resize(SERVER), "POST", ACTION, {"confirmResize": None}),
    Case("6.3.10", lambda c: c.server_actions.revert_resize(SERVER), "POST", ACTION, {"revertResize": None}),
    Case("6.3.11", lambda c: c.server_actions.monitor(SERVER), "POST", f"/v1.0/servers/{SERVER}/action", {"monitorMetrics": None}),
    Case("6.4.1", lambda c: c.networks.list(), "GET", f"{V2}/os-networks", reply={"networks": []}),
    Case("6.4.2", lambda c: c.networks.addresses(SERVER), "GET", f"{V2}/servers/{SERVER}/ips", reply={"addresses": {}}),
    Case("6.4.3", lambda c: c.networks.addresses_on(SERVER, "net"), "GET", f"{V2}/servers/{SERVER}/ips/net", reply={"net": []}),
    Case(
        "6.5.1",
        lambda c: c.security_groups.add(SERVER, "web"),
        "POST",
        f"{V2}/servers/{SERVER}/action",
        {"addSecurityGroup": {"name": "web"}},
    ),
    Case(
        "6.5.2",
        lambda c: c.security_groups.remove(SERVER, "web"),
        "POST",
        f"{V2}/servers/{SERVER}/action",
        {"removeSecurityGroup": {"name": "web"}},
    ),
    Case(
        "6.5.3",
        lambda c: c.security_groups.of_server(SERVER),
        "GET",
        f"{V2}/servers/{SERVER}/os-security-groups",
        reply={"security_groups": []},
    ),
    Case(
        "6.6.1",
        lambda c: c.flavors.names(only=FlavorFilter(min_ram=1024, min_disk=0, sort_key="vcpus", sort_dir="desc")),
        "GET",
        f"{V2}/flavors",
        query="minRam=1024&minDisk=0&sort_key=vcpus&sort_dir=desc",
        reply={"flavors": []},
    ),
    Case("6.6.4", lambda c: c.flavors.extra_specs("f.1"), "GET", f"{V2}/flavors/f.1/os-extra_specs", reply={"extra_specs": {"a": "b"}}),
    Case("6.6.2", lambda c: c.flavors.list(), "GET", f"{V2}/flavors/detail", reply={"flavors": []}),
    Case("6.6.3", lambda c: c.flavors.get("f.1"), "GET", f"{V2}/flavors/f.1", reply={"flavor": {"id": "f.1"}}),
    Case("6.7.1", lambda c: c.interfaces.list(SERVER), "GET", f"{V2}/servers/{SERVER}/os-interface", reply={"interfaceAttachments": []}),
    Case("6.7.2", lambda c: c.interfaces.get(SERVER, "p"), "GET", f"{V2}/servers/{SERVER}/os-interface/p", reply=INTERFACE),
    Case(
        "6.7.3",
        lambda c: c.interfaces.attach(SERVER, network_id=UUID, ip_address="10.0.0.9"),
        "POST",
        f"{V2}/servers/{SERVER}/os-interface",
        {"interfaceAttachment": {"net_id": UUID, "fixed_ips": [{"ip_address": "10.0.0.9"}]}},
        reply=INTERFACE,
    ),
    Case(
        "6.7.3",
        lambda c: c.interfaces.attach(SERVER, port_id="p"),
        "POST",
        f"{V2}/servers/{SERVER}/os-interface",
        {"interfaceAttachment": {"port_id": "p"}},
        reply=INTERFACE,
    ),
    Case("6.7.4", lambda c: c.interfaces.detach(SERVER, "p"), "DELETE", f"{V2}/servers/{SERVER}/os-interface/p"),
    Case(
        "6.8.1",
        lambda c: c.volumes.attachments(SERVER),
        "GET",
        f"{V2}/servers/{SERVER}/os-volume_attachments",
        reply={"volumeAttachments": []},
    ),
    Case(
        "6.8.2",
        lambda c: c.volumes.attachment(SERVER, "v"),
        "GET",
        f"{V2}/servers/{SERVER}/os-volume_attachments/v",
        reply={"volumeAttachment": {"volumeId": "v"}},
    ),
    Case(
        "6.8.3",
        lambda c: c.volumes.attach_natively(SERVER, "v", device="/dev/vdb"),
        "POST",
        f"{V2}/servers/{SERVER}/os-volume_attachments",
        {"volumeAttachment": {"volumeId": "v", "device": "/dev/vdb"}},
        reply={"volumeAttachment": {"volumeId": "v"}},
    ),
    Case(
        "6.8.4",
        lambda c: c.volumes.detach_natively(SERVER, "v", force=True),
        "DELETE",
        f"{V2}/servers/{SERVER}/os-volume_attachments/v",
        query="delete_flag=1",
    ),
    Case(
        "6.9.1",
        lambda c: c.metadata.merge(SERVER, {"key": "value"}),
        "POST",
        f"{V2}/servers/{SERVER}/metadata",
        {"metadata": {"key": "value"}},
        reply={"metadata": {"key": "value"}},
    ),
    Case(
        "6.9.2",
        lambda c: c.metadata.replace(SERVER, {}),
        "PUT",
        f"{V2}/servers/{SERVER}/metadata",
        {"metadata": {}},
        reply={"metadata": {}},
    ),
    Case("6.9.5", lambda c: c.metadata.item(SERVER, "k"), "GET", f"{V2}/servers/{SERVER}/metadata/k", reply={"meta": {"k": "v"}}),
    Case(
        "6.9.6",
        lambda c: c.metadata.set_item(SERVER, "k", "v"),
        "PUT",
        f"{V2}/servers/{SERVER}/metadata/k",
        {"meta": {"k": "v"}},
        reply={"meta": {"k": "v"}},
    ),
    Case("6.10.1", lambda c: c.limits.native(), "GET", f"{V2}/limits", reply={"limits": {"rate": [], "absolute": {}}}),
    Case("6.10.2", lambda c: c.quotas.get(user_id="u"), "GET", f"{V2}/os-quota-sets/{PROJECT}", query="user_id=u", reply=QUOTAS),
    Case("6.10.3", lambda c: c.quotas.defaults(), "GET", f"{V2}/os-quota-sets/{PROJECT}/defaults", reply=QUOTAS),
    Case("6.11.1", lambda c: c.key_pairs.list(), "GET", f"{V2}/os-keypairs", reply={"keypairs": []}),
    Case("6.11.2", lambda c: c.key_pairs.get("a b"), "GET", f"{V2}/os-keypairs/a b", reply={"keypair": {"name": "a b"}}),
    Case(
        "6.11.3",
        lambda c: c.key_pairs.create("k"),
        "POST",
        f"{V2}/os-keypairs",
        {"keypair": {"name": "k"}},
        reply={"keypair": {"name": "k"}},
    ),
    Case(
        "6.11.3",
        lambda c: c.key_pairs.create("k", public_key="ssh-rsa AAAA", key_type="x509", user_id="u"),
        "POST",
        f"{V2}/os-keypairs",
        {"keypair": {"name": "k", "public_key": "ssh-rsa AAAA", "type": "x509", "user_id": "u"}},
        reply={"keypair": {"name": "k"}},
    ),
    Case("6.11.4", lambda c: c.key_pairs.delete("k"), "DELETE", f"{V2}/os-keypairs/k"),
    Case("6.11.5", lambda c: c.passwords.get(SERVER), "GET", f"{V2}/servers/{SERVER}/os-server-password", reply={"password": ""}),
    Case("6.11.6", lambda c: c.passwords.clear(SERVER), "DELETE", f"{V2}/servers/{SERVER}/os-server-password"),
    Case(
        "6.12.1",
        lambda c: c.native_groups.create("n"),
        "POST",
        f"{V2}/os-server-groups",
        {"server_group": {"name": "n", "policies": ["anti-affinity"]}},
        reply=GROUP,
    ),
    Case("6.12.2", lambda c: c.native_groups.list(), "GET", f"{V2}/os-server-groups", reply={"server_groups": []}),
    Case("6.12.3", lambda c: c.native_groups.get("g"), "GET", f"{V2}/os-server-groups/g", reply=GROUP),
    Case("6.12.4", lambda c: c.native_groups.delete("g"), "DELETE", f"{V2}/os-server-groups/g"),
    Case("6.15.1", lambda c: c.native_tags.list(SERVER), "GET", f"{V2}/servers/{SERVER}/tags", reply={"tags": []}),
    Case(
        "6.15.2",
        lambda c: c.native_tags.replace(SERVER, ["a", "b", "a"]),
        "PUT",
        f"{V2}/servers/{SERVER}/tags",
        {"tags": ["a", "b"]},
        reply={"tags": ["a", "b"]},
    ),
    Case("6.15.3", lambda c: c.native_tags.clear(SERVER), "DELETE", f"{V2}/servers/{SERVER}/tags"),
    Case("6.15.4", lambda c: c.native_tags.add(SERVER, "a=\u00fc ?"), "PUT", f"{V2}/servers/{SERVER}/tags/a=\u00fc ?"),
    Case("6.15.5", lambda c: c.native_tags.has(SERVER, "a"), "GET", f"{V2}/servers/{SERVER}/tags/a"),
    Case("6.15.6", lambda c: c.native_tags.remove(SERVER, "a"), "DELETE", f"{V2}/servers/{SERVER}/tags/a"),
    Case("6.9.3", lambda c: c.metadata.remove(SERVER, "key"), "DELETE", f"{V2}/servers/{SERVER}/metadata/key"),
    Case("6.9.4", lambda c: c.metadata.get(SERVER), "GET", f"{V2}/servers/{SERVER}/metadata", reply={"metadata": {}}),
    Case(
        "6.13.1",
        lambda c: c.instance_actions.list(SERVER),
        "GET",
        f"{V2}/servers/{SERVER}/os-instance-actions",
        reply={"instanceActions": []},
    ),
    Case(
        "6.13.2",
        lambda c: c.instance_actions.get(SERVER, "req-1"),
        "GET",
        f"{V2}/servers/{SERVER}/os-instance-actions/req-1",
        reply={"instanceAction": {"action": "create", "request_id": "req-1"}},
    ),
    Case(
        "6.14.1",
        lambda c: c.consoles.output(SERVER, length=50),
        "POST",
        f"{V2}/servers/{SERVER}/action",
        {"os-getConsoleOutput": {"length": 50}},
        reply={"output": "LAST LINE"},
    ),
    Case("10.2", lambda c: c.identity.projects(), "GET", "/v3/projects", reply={"projects": []}),
    Case("11.1.1", lambda c: c.auto_recovery.get(SERVER), "GET", RECOVERY, reply={"support_auto_recovery": "true"}),
    Case("11.1.2", lambda c: c.auto_recovery.set(SERVER, enabled=False), "PUT", RECOVERY, {"support_auto_recovery": "false"}),
    Case(
        "11.2.1",
        lambda c: c.images.names(only=ImageFilter(status="saving", changes_since="2026-01-01T00:00:00Z", min_ram=0, min_disk=40)),
        "GET",
        f"{V2}/images",
        query="status=saving&changes-since=2026-01-01T00:00:00Z&minRam=0&minDisk=40",
        reply={"images": []},
    ),
    Case("11.2.2", lambda c: c.images.list(name="U 24"), "GET", f"{V2}/images/detail", query="name=U+24", reply={"images": []}),
    Case("11.2.3", lambda c: c.images.get("i"), "GET", f"{V2}/images/i", reply={"image": {"id": "i"}}),
    Case("11.3.1", lambda c: c.security_groups.list(), "GET", f"{V2}/os-security-groups", reply={"security_groups": []}),
    Case(
        "11.3.2",
        lambda c: c.security_groups.create("n"),
        "POST",
        f"{V2}/os-security-groups",
        {"security_group": {"name": "n", "description": ""}},
        reply={"security_group": {"id": "g"}},
    ),
    Case(
        "11.3.3",
        lambda c: c.security_groups.get("g"),
        "GET",
        f"{V2}/os-security-groups/g",
        reply={"security_group": {"id": "g"}},
    ),
    Case(
        "11.3.4",
        lambda c: c.security_groups.update("g", name="n", description="d"),
        "PUT",
        f"{V2}/os-security-groups/g",
        {"security_group": {"name": "n", "description": "d"}},
        reply={"security_group": {"id": "g"}},
    ),
    Case("11.3.5", lambda c: c.security_groups.delete("g"), "DELETE", f"{V2}/os-security-groups/g"),
    Case(
        "11.3.6",
        lambda c: c.security_groups.add_rule(
            NewSecurityGroupRule(parent_group_id=UUID, ip_protocol="tcp", from_port=80, to_port=443, cidr="10.0.0.0/8")
        ),
        "POST",
        f"{V2}/os-security-group-rules",
        {"security_group_rule": {"parent_group_id": UUID, "ip_protocol": "tcp", "from_port": 80, "to_port": 443, "cidr": "10.0.0.0/8"}},
        reply={"security_group_rule": {"id": "r"}},
    ),
    Case("11.3.7", lambda c: c.security_groups.delete_rule("r"), "DELETE", f"{V2}/os-security-group-rules/r"),
    Case("11.2.4", lambda c: c.images.metadata("i"), "GET", f"{V2}/images/i/metadata", reply={"metadata": {}}),
    Case("11.2.5", lambda c: c.images.delete("i"), "DELETE", f"{V2}/images/i"),
    Case("11.4.1", lambda c: c.volumes.list(), "GET", f"{V2}/os-volumes", reply={"volumes": []}),
    Case("11.4.2", lambda c: c.volumes.list_details(), "GET", f"{V2}/os-volumes/detail", reply={"volumes": []}),
    Case("11.4.3", lambda c: c.volumes.get("v"), "GET", f"{V2}/os-volumes/v", reply={"volume": {"id": "v"}}),
    Case(
        "11.4.4",
        lambda c: c.volumes.create(NewVolume(size=1, name="n", volume_type="SSD", availability_zone="az0", metadata={"a": "b"})),
        "POST",
        f"{V2}/os-volumes",
        {"volume": {"size": 1, "display_name": "n", "volume_type": "SSD", "availability_zone": "az0", "metadata": {"a": "b"}}},
        reply={"volume": {"id": "v", "status": "creating", "attachments": [{}]}},
    ),
    Case("11.4.5", lambda c: c.volumes.delete("v"), "DELETE", f"{V2}/os-volumes/v"),
    Case(
        "11.6.1",
        lambda c: c.snapshots.create("v", name="n", force=True),
        "POST",
        f"{V2}/os-snapshots",
        {"snapshot": {"volume_id": "v", "display_name": "n", "force": True}},
        reply={"snapshot": {"id": "s"}},
    ),
    Case("11.6.2", lambda c: c.snapshots.get("s"), "GET", f"{V2}/os-snapshots/s", reply={"snapshot": {"id": "s"}}),
    Case("11.6.3", lambda c: c.snapshots.delete("s"), "DELETE", f"{V2}/os-snapshots/s"),
    Case(
        "11.5.1",
        lambda c: c.floating_ips.add(SERVER, "80.1.2.3", fixed_address="10.0.0.9"),
        "POST",
        f"{V2}/servers/{SERVER}/action",
        {"addFloatingIp": {"address": "80.1.2.3", "fixed_address": "10.0.0.9"}},
    ),
    Case(
        "11.5.2",
        lambda c: c.floating_ips.remove(SERVER, "80.1.2.3"),
        "POST",
        f"{V2}/servers/{SERVER}/action",
        {"removeFloatingIp": {"address": "80.1.2.3"}},
    ),
    Case("11.5.3", lambda c: c.floating_ips.create(), "POST", f"{V2}/os-floating-ips", {"pool": None}, reply=FLOATING_IP),
    Case("11.5.3", lambda c: c.floating_ips.create(pool="a"), "POST", f"{V2}/os-floating-ips", {"pool": "a"}, reply=FLOATING_IP),
    Case("11.5.4", lambda c: c.floating_ips.list(), "GET", f"{V2}/os-floating-ips", reply={"floating_ips": []}),
    Case("11.5.5", lambda c: c.floating_ips.get("f"), "GET", f"{V2}/os-floating-ips/f", reply=FLOATING_IP),
    Case("11.5.6", lambda c: c.floating_ips.delete("f"), "DELETE", f"{V2}/os-floating-ips/f"),
    Case("11.5.7", lambda c: c.floating_ips.pools(), "GET", f"{V2}/os-floating-ip-pools", reply={"floating_ip_pools": []}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.section)
async def test_requests(case: Case) -> None:
    cloud = FakeCloud(lambda _: answer(200, case.reply))
    async with client_of(cloud) as client:
        await case.call(client)
    request = cloud.requests[0]
    assert (request.method, request.url.path) == (case.method, case.path)
    assert dict(request.url.params) == dict(parse_qsl(case.query))
    assert (json.loads(request.content) if request.content else None) == case.body
    assert request.headers.get("content-type") == ("application/json" if request.content else None)
    assert (request.url.host == httpx.URL(IAM).host) is (case.section == "10.2")


REFUSED: list[tuple[str, Callable[[EcsClient], Awaitable[object]]]] = [
    ("servers", lambda c: c.servers.delete([], delete_public_ip=False, delete_volume=False)),
    ("servers", lambda c: c.servers.delete([""], delete_public_ip=False, delete_volume=False)),
    ("os-start.servers", lambda c: c.servers.start([str(number) for number in range(1001)])),
    ("resize.flavorRef", lambda c: c.servers.resize(SERVER, "")),
    ("resize.flavorRef", lambda c: c.servers.check_resize(SERVER, "")),
    ("migrate.dedicated_host_id", lambda c: c.systems.migrate(SERVER, "")),
    ("migrate.dedicated_host_id", lambda c: c.systems.migrate(SERVER, "h" * 65)),
    ("rebuild.imageRef", lambda c: c.server_actions.rebuild(SERVER, "")),
    ("rebuild.name", lambda c: c.server_actions.rebuild(SERVER, "i", name="")),
    ("rebuild.name", lambda c: c.server_actions.rebuild(SERVER, "i", name="n" * 255)),
    ("metadata", lambda c: c.server_actions.rebuild(SERVER, "i", metadata={"a b": "c"})),
    ("createImage.name", lambda c: c.server_actions.create_image(SERVER, "")),
    ("createImage.name", lambda c: c.server_actions.create_image(SERVER, "云" * 81)),
    ("createImage.metadata", lambda c: c.server_actions.create_image(SERVER, "n", metadata={"k" * 255: "v"})),
    ("resize.flavorRef", lambda c: c.server_actions.resize(SERVER, "")),
    ("minRam", lambda c: c.images.list(only=ImageFilter(min_ram=-1))),
    ("minDisk", lambda c: c.images.names(only=ImageFilter(min_disk=-1))),
    ("status", lambda c: c.images.list(only=ImageFilter(status=cast("Any", "deleted")))),
    ("server.name", lambda c: c.servers.update(SERVER, name="")),
    ("server.name", lambda c: c.servers.update(SERVER, name="x" * 256)),
    ("server.description", lambda c: c.servers.update(SERVER, description="ü" * 128)),
    ("server", lambda c: c.servers.update(SERVER)),
    ("limit", lambda c: c.servers.names(limit=1001)),
    ("name", lambda c: c.servers.names(only=ServerFilter(name=""))),
    ("tags", lambda c: c.servers.names(only=ServerFilter(tags=("a", "")))),
    ("not-tags", lambda c: c.servers.names(only=ServerFilter(not_tags=("a,b",)))),
    ("image", lambda c: c.servers.names(only=ServerFilter(image=UUID, name="n"))),
    ("status", lambda c: c.servers.names(only=ServerFilter(status="DELETED"))),
    ("sort_key", lambda c: c.servers.names(only=ServerFilter(sort_key="launched_at"))),
    ("api_version", lambda c: c.versions.get("")),
    ("server_id", lambda c: c.servers.delete_native("")),
    ("minRam", lambda c: c.flavors.names(only=FlavorFilter(min_ram=-1))),
    ("minDisk", lambda c: c.flavors.list(only=FlavorFilter(min_disk=-1))),
    ("server_group.name", lambda c: c.groups.create("", ["anti-affinity"])),
    ("server_group.name", lambda c: c.groups.create("云" * 86, ["anti-affinity"])),
    ("server_group.policies", lambda c: c.groups.create("n", ["affinity"])),
    ("volumeAttachment.volumeId", lambda c: c.volumes.attach(SERVER, "")),
    ("volumeAttachment.volumeId", lambda c: c.volumes.attach_natively(SERVER, "")),
    ("volumeAttachment.device", lambda c: c.volumes.attach(SERVER, "v", device="vdb")),
    ("volumeAttachment.device", lambda c: c.volumes.attach_natively(SERVER, "v", device="/dev/vdb1")),
    ("volumeAttachment.volume_type", lambda c: c.volumes.check_room(SERVER, "")),
    ("volumeAttachment.count", lambda c: c.volumes.check_room(SERVER, "SSD", count=0)),
    ("os-getConsoleOutput.length", lambda c: c.consoles.output(SERVER, length=-2)),
    ("request_id", lambda c: c.instance_actions.get(SERVER, "")),
    ("volume", lambda c: c.volumes.create(NewVolume())),
    ("volume.size", lambda c: c.volumes.create(NewVolume(size=0))),
    ("volume.size", lambda c: c.volumes.create(NewVolume(size=32769))),
    ("volume.display_name", lambda c: c.volumes.create(NewVolume(size=1, name="n" * 256))),
    ("volume.display_description", lambda c: c.volumes.create(NewVolume(size=1, description="d" * 256))),
    ("volume.metadata.a", lambda c: c.volumes.create(NewVolume(size=1, metadata={"a": "b" * 256}))),
    ("snapshot.volume_id", lambda c: c.snapshots.create("")),
    ("snapshot.display_name", lambda c: c.snapshots.create("v", name="云" * 86)),
    ("snapshot.display_name", lambda c: c.snapshots.create("v", name="autobk_snapshot_1")),
    ("snapshot.display_description", lambda c: c.snapshots.create("v", description="d" * 256)),
    ("nics", lambda c: c.interfaces.add(SERVER, [])),
    ("nics", lambda c: c.interfaces.add(SERVER, [NewInterface(subnet_id=UUID)] * 13)),
    ("nics", lambda c: c.interfaces.remove(SERVER, [])),
    ("nics", lambda c: c.interfaces.remove(SERVER, map(str, range(13)))),
    ("nics[].id", lambda c: c.interfaces.remove(SERVER, ["p", ""])),
    ("interfaceAttachment.port_id", lambda c: c.interfaces.attach(SERVER)),
    ("interfaceAttachment.port_id", lambda c: c.interfaces.attach(SERVER, network_id=UUID, port_id="p")),
    ("interfaceAttachment.fixed_ips", lambda c: c.interfaces.attach(SERVER, port_id="p", ip_address="10.0.0.9")),
    ("interfaceAttachment.fixed_ips[0].ip_address", lambda c: c.interfaces.attach(SERVER, network_id=UUID, ip_address="::1")),
    ("networkName", lambda c: c.networks.addresses_on(SERVER, "")),
    ("addSecurityGroup.name", lambda c: c.security_groups.add(SERVER, "")),
    ("removeSecurityGroup.name", lambda c: c.security_groups.remove(SERVER, "")),
    ("security_group.name", lambda c: c.security_groups.create("x" * 256)),
    ("security_group.description", lambda c: c.security_groups.create("x" * 255, description="x" * 256)),
    ("security_group.name", lambda c: c.security_groups.update("g", name="x" * 256, description="")),
    ("security_group.description", lambda c: c.security_groups.update("g", name="", description="x" * 256)),
    ("addFloatingIp.address", lambda c: c.floating_ips.add(SERVER, "web")),
    ("addFloatingIp.fixed_address", lambda c: c.floating_ips.add(SERVER, "80.1.2.3", fixed_address="::1")),
    ("removeFloatingIp.address", lambda c: c.floating_ips.remove(SERVER, "")),
    ("pool", lambda c: c.floating_ips.create(pool="")),
    ("metadata", lambda c: c.metadata.merge(SERVER, {})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a b": "c"})),
    ("metadata", lambda c: c.metadata.merge(SERVER, {"a\n": "c"})),
    ("metadata.a", lambda c: c.metadata.merge(SERVER, {"a": "c" * 256})),
    ("metadata", lambda c: c.metadata.replace(SERVER, {"k" * 256: "c"})),
    ("meta", lambda c: c.metadata.set_item(SERVER, "a b", "c")),
    ("meta.a", lambda c: c.metadata.set_item(SERVER, "a", "c" * 256)),
    ("key", lambda c: c.metadata.item(SERVER, "admin_pass")),
    ("limit", lambda c: _all(c.tags.find(TagQuery(), limit=1001))),
    ("limit", lambda c: _all(c.tags.find(TagQuery(), limit=0))),
    ("tags", lambda c: c.tags.add(SERVER, {})),
    ("tags", lambda c: c.tags.add(SERVER, {f"k{number}": "v" for number in range(11)})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"k" * 37: "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"": "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"a.b": "v"})),
    ("tags[].key", lambda c: c.tags.add(SERVER, {"a\n": "v"})),
    ("tags[].value", lambda c: c.tags.add(SERVER, {"k": "v" * 44})),
    ("tags[].value", lambda c: c.tags.add(SERVER, {"k": "a b"})),
    ("tags", lambda c: c.tags.remove(SERVER, {})),
    ("tags[].key", lambda c: c.tags.remove(SERVER, {"k" * 128: None})),
    ("tags[].value", lambda c: c.tags.remove(SERVER, {"k": "v" * 256})),
    ("tags", lambda c: c.native_tags.replace(SERVER, [f"t{number}" for number in range(51)])),
    ("tags[]", lambda c: c.native_tags.replace(SERVER, ["x" * 81])),
    ("tag", lambda c: c.native_tags.add(SERVER, "")),
    ("tag", lambda c: c.native_tags.add(SERVER, "x" * 81)),
    ("tag", lambda c: c.native_tags.add(SERVER, "a,b")),
    ("tag", lambda c: c.native_tags.add(SERVER, "a/b")),
    ("tag", lambda c: c.native_tags.add(SERVER, "__type_virtual")),
    ("tag", lambda c: c.native_tags.remove(SERVER, "__type_virtual")),
    ("tag", lambda c: c.native_tags.has(SERVER, "x" * 81)),
    ("keypair.name", lambda c: c.key_pairs.create("")),
    ("keypair.name", lambda c: c.key_pairs.create("k" * 256)),
    ("keypair.public_key", lambda c: c.key_pairs.create("k", public_key="x" * 1025)),
    ("keypair.public_key", lambda c: c.key_pairs.create("k", public_key="")),
    ("keypair_name", lambda c: c.key_pairs.get("a/b")),
    ("server_group.name", lambda c: c.native_groups.create("")),
    ("server_group.name", lambda c: c.native_groups.create("\u4e91" * 86)),
]


@pytest.mark.parametrize(("field", "call"), REFUSED, ids=[f"{number}-{case[0]}" for number, case in enumerate(REFUSED)])
async def test_limits(field: str, call: Callable[[EcsClient], Awaitable[object]]) -> None:
    cloud = FakeCloud(lambda _: answer(200, {}))
    async with client_of(cloud) as client:
        with pytest.raises(CloudError) as caught:
            await call(client)
    assert caught.value.message.startswith(f"{field}: ")
    assert caught.value.meaning is Meaning.INVALID
    assert not cloud.requests


async def test_images_are_compared_exactly() -> None:
    images = [{"id": "a", "name": "Ubuntu 24.04 server 64bit"}, {"id": "b", "name": "Ubuntu 24.04"}]
    async with client_of(FakeCloud(lambda _: answer(200, {"images": images}))) as client:
        assert [image.id for image in await client.images.list(name="Ubuntu 24.04")] == ["b"]
        assert [image.id for image in await client.images.list()] == ["a", "b"]


async def test_catalogs_are_read_to_the_end_without_following_links() -> None:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("marker") == "f1":
            return answer(200, {"flavors": [{"id": "f2"}]})
        link = {"rel": "next", "href": "https://evil.example.test/flavors/detail?marker=f1"}
        return answer(200, {"flavors": [{"id": "f1"}], "flavors_links": [link]})

    cloud = FakeCloud(serve)
    async with client_of(cloud) as client:
        assert [flavor.id for flavor in await client.flavors.list()] == ["f1", "f2"]
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}


async def test_passwords_in_metadata_are_dropped() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"metadata": {"admin_pass": "Canary-1", "role": "front"}}))
    async with client_of(cloud) as client:
        assert await client.metadata.get(SERVER) == {"role": "front"}
        assert await client.metadata.merge(SERVER, {"role": "front"}) == {"role": "front"}


VERSION_STATUSES = [(200, "2.46"), (300, "2.46"), (404, None), (403, None)]


@pytest.mark.parametrize(("status", "microversion"), VERSION_STATUSES)
async def test_the_list_of_versions(status: int, microversion: str | None) -> None:
    """Some clouds answer it with "multiple choices", and some gateways do not serve it at all."""
    cloud = FakeCloud(lambda _: answer(200, SHOWN), versions_status=status)
    async with client_of(cloud) as client:
        assert await client.versions.for_reads() == microversion
        await client.servers.get(SERVER)
    assert cloud.requests[0].headers.get("x-openstack-nova-api-version") == microversion
