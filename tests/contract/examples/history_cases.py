"""The examples of chapter 11."""

from __future__ import annotations

from ecs_simulator.world.catalog import SecurityGroupRule
from tests.contract.examples.cases import SERVER, Case
from tests.contract.examples.nova_cases import with_rules
from tests.contract.examples.scene import Scene

_HERE = {"server_id": SERVER}
_IMAGE = "ee10f19c-503c-44af-af2f-73d5e42f7a17"
_GROUP = "81f1d23b-b1e2-42cd-bdee-359b4a065a42"
_CHANGED = "3d02312d-0764-49c9-8244-2368ddce0045"
_VOLUME = "70b14513-faad-4646-b7ab-a065cef282b4"
_SNAPSHOT = "b836dc3d-4e10-4ea4-a34c-8f6b0460a583"
_BOUND, _FREE = "05f71f43-f3c9-47ef-ac8d-9f02aef66418", "a25236cf-dd76-4adc-916a-f0b4a24048d3"


def _running(scene: Scene) -> None:
    scene.running(SERVER)


def _image(scene: Scene) -> None:
    """The example is an image of a server."""
    server = scene.running("b600b5b1-ed8c-4814-aefa-8b903c894c20")
    scene.do("createServerImage", {"createImage": {"name": "image1"}}, server_id=server)
    scene.stands_for[_IMAGE] = next(image.id for image in scene.world.images.values() if image.name == "image1")


def _recovered(scene: Scene) -> None:
    scene.do("setAutoRecovery", {"support_auto_recovery": "true"}, server_id=scene.running(SERVER))


def _to_change(scene: Scene) -> None:
    """The example's group lets its own members in, by name: the request that changes it changes that name too."""
    made = scene.do("createSecurityGroup", {"security_group": {"name": "before", "description": "before"}})["security_group"]
    scene.stands_for[_CHANGED] = made["id"]
    # 6.5.3 shows what such a rule looks like; no call of this API makes one without a protocol.
    rule = SecurityGroupRule(id=scene.world.ids.uuid(), protocol=None, from_port=None, to_port=None, group_id=made["id"])
    scene.project.security_groups[made["id"]].rules.append(rule)


def _rule(scene: Scene) -> None:
    with_rules(scene)
    scene.stands_for["3330120d-bbd1-4a73-bda9-0196a84d5670"] = scene.project.security_groups[_GROUP].rules[0].id


def _at_the_port(scene: Scene) -> None:
    """The example binds to the address that the port of 6.7 has."""
    server = scene.running(SERVER)
    scene.do("attachInterface", {"interfaceAttachment": {"port_id": "ce531f90-199f-48c0-816c-13e38010b442"}}, server_id=server)


def _bound(scene: Scene) -> None:
    server = scene.running("8b380f68-5057-4aa2-a33a-170b37218fa8")
    scene.stands_for[SERVER] = server
    scene.do("addFloatingIp", {"addFloatingIp": {"address": "10.144.2.1"}}, server_id=server)


def _snapshot(scene: Scene) -> None:
    made = scene.do("createSnapshot", {"snapshot": {"volume_id": "ba5730ea-8621-4ae8-b702-ff0ffc12c209", "display_name": "test"}})
    scene.stands_for[_SNAPSHOT] = made["snapshot"]["id"]


def _young_snapshot(scene: Scene) -> None:
    """The example is still being made."""
    scene.world.durations.change({"create_snapshot": 3600})
    _snapshot(scene)


CASES = (
    Case("11.1.1", None, 0, _recovered, _HERE),
    Case("11.1.2", 0, None, _running, _HERE),
    Case("11.2.1", None, 0, _image),
    Case("11.2.2", None, 0, _image),
    Case("11.2.3", None, 0, path={"image_id": "17a1890b-0fa4-485e-8505-14e294017988"}),
    Case("11.2.4", None, 0, path={"image_id": "5a1d2c3b-4e5f-4607-8899-aabbccddeeff"}),
    Case("11.2.5", None, None, _image, {"image_id": _IMAGE}),
    Case("11.3.1", None, 0, with_rules),
    Case("11.3.2", 0, 0),
    Case("11.3.3", None, 0, path={"security_group_id": _GROUP}),
    Case("11.3.4", 0, 0, _to_change, {"security_group_id": _CHANGED}),
    Case("11.3.5", None, None, path={"security_group_id": _GROUP}),
    Case("11.3.6", 0, 0),
    Case("11.3.7", None, None, _rule, {"security_group_rule_id": "3330120d-bbd1-4a73-bda9-0196a84d5670"}),
    Case("11.4.1", None, 0),
    Case("11.4.2", None, 0),
    Case("11.4.3", None, 0, path={"volume_id": _VOLUME}),
    Case("11.4.4", 0, 0),
    Case("11.4.5", None, None, path={"volume_id": _VOLUME}),
    Case("11.5.1", 0, None, _at_the_port, _HERE),
    Case("11.5.2", 0, None, _bound, _HERE),
    Case("11.5.3", 0, 0),
    Case("11.5.4", None, 0, _bound),
    Case("11.5.5", None, 0, _bound, {"floating_ip_id": _BOUND}),
    Case("11.5.6", None, None, path={"floating_ip_id": _FREE}),
    Case("11.5.7", None, 0),
    Case("11.6.1", 0, 0),
    Case("11.6.2", None, 0, _young_snapshot, {"snapshot_id": _SNAPSHOT}),
    Case("11.6.3", None, None, _snapshot, {"snapshot_id": _SNAPSHOT}),
)
