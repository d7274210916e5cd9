"""Chapter 11: what each method puts on the wire."""

from __future__ import annotations

from ecs_operator.cloud import (
    ImageFilter,
    NewSecurityGroupRule,
    NewVolume,
)
from tests.unit.cloud.stage import SERVER, UUID
from tests.unit.cloud.wire import FLOATING_IP, RECOVERY, V2, Case

CASES: tuple[Case, ...] = (
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
)
