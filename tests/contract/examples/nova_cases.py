"""The examples of chapter 6."""

from __future__ import annotations

import base64
import struct

from tests.contract.examples.cases import SERVER, Case
from tests.contract.examples.scene import Scene

_HERE = {"server_id": SERVER}
_UPDATED = "1a19ef4f-be0a-4526-bf2f-14b4464d536a"
_LISTED = "05184ba3-00ba-4fbc-b7a2-03b62b884931"
_SHOWN = "893c7791-f1df-4c3d-8383-3caae9656c62"
_REBUILT = "ea681a24-9b24-4f49-98ef-8e1f73acf19e"
_ATTACHING = "4d8c3732-a248-40ed-bebc-539a6ffd25c0"
_GROUP = "5bbcc3c4-1da2-4437-a48a-66f15b1b13f9"
_PORT = "ce531f90-199f-48c0-816c-13e38010b442"
_NET = "3cb9bc59-5699-4588-a4b1-b87f96708bc6"
_VOLUMES = ("a26887c6-c47b-4654-abb5-dfadf7d3f803", "a26887c6-c47b-4654-abb5-dfadf7d3f804")
_SNAPSHOT = "df51997d-ee35-4fb3-a372-e2ac933a6565"
_DETAILED_PAIR = "keypair-3582d8b7-e588-4aad-b7f7-f4e76f0e4314"
_REQUESTS = ("req-ee56c2b5-d33b-4749-ae83-09281dbbb716", "req-23cfd57f-c58a-45cd-86a6-eab3e38f3753")
_CREATION = "req-5a429946-c9cc-45cc-b5bd-68864209e5c"
_ACTED = ("e723eb40-f56e-40f9-8c8c-  caa517fe06ba", "e723eb40-f56e-40f9-8c8c-caa517fe06ba")
_MANGLED_DATA = base64.b64encode(b"A cloud does not know why it moves in just such a direction and at such a speed.").decode()
_GROUPS_VERSION, _TAGS_VERSION = "2.13", "2.26"


def _public_key() -> str:
    """Return a key of the form of the examples, which are masked: nobody has the private half of it."""
    parts = (b"ssh-rsa", b"\x01\x00\x01", b"\x00" + bytes(range(129, 256)) + bytes(range(1, 130)))
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return f"ssh-rsa {base64.b64encode(blob).decode()} Generated-by-Nova\n"


PUBLIC_KEY = _public_key()


def _running(scene: Scene) -> None:
    scene.running(SERVER)


def _snapshot(scene: Scene) -> None:
    """A snapshot of a system disk."""
    server = scene.running()
    disk = scene.project.servers[server].volume_ids[0]
    made = scene.do("createSnapshot", {"snapshot": {"volume_id": disk, "force": True}})
    scene.stands_for[_SNAPSHOT] = str(made["snapshot"]["id"])


def _as_updated(scene: Scene) -> None:
    scene.running(_UPDATED, flavorRef="c3.1U1G")


def _listed(scene: Scene) -> None:
    scene.running(_LISTED)


def _shown(scene: Scene) -> None:
    scene.running(_SHOWN)


def _to_rebuild(scene: Scene) -> None:
    scene.running(_REBUILT, flavorRef="s3.xlarge.1")


def _stopped(scene: Scene) -> None:
    scene.stopped(SERVER)


def _locked(scene: Scene) -> None:
    scene.do("lockServer", {"lock": None}, server_id=scene.running(SERVER))


def _resized(scene: Scene) -> None:
    scene.resized(SERVER)


def _with_two_addresses(scene: Scene) -> None:
    server = scene.running(SERVER)
    scene.do("addInterfaces", {"nics": [{"subnet_id": _NET}]}, server_id=server)


def _protected(scene: Scene) -> None:
    server = scene.running(SERVER)
    scene.do("addSecurityGroup", {"addSecurityGroup": {"name": "sg-test"}}, server_id=server)


def with_rules(scene: Scene) -> None:
    """Give the group test-sg the rules of the examples."""
    for low in (200, 201):
        rule = {"from_port": low, "to_port": 400, "ip_protocol": "tcp", "cidr": "0.0.0.0/0"}
        scene.do("createSecurityGroupRule", {"security_group_rule": {**rule, "parent_group_id": "81f1d23b-b1e2-42cd-bdee-359b4a065a42"}})


def _with_groups_and_rules(scene: Scene) -> None:
    with_rules(scene)
    server = scene.running(SERVER)
    scene.do("addSecurityGroup", {"addSecurityGroup": {"name": "test-sg"}}, server_id=server)


def _with_port(scene: Scene) -> None:
    server = scene.running(SERVER)
    scene.do("attachInterface", {"interfaceAttachment": {"port_id": _PORT}}, server_id=server)


def _address_is_free(scene: Scene) -> None:
    """The port that has the address elsewhere must be another's here."""
    scene.running(SERVER)
    network, port = scene.project.networks[_NET], scene.project.ports.pop(_PORT)
    network.give_back(port.address)


def _attached(scene: Scene) -> None:
    server = scene.running(_ATTACHING)
    for volume, device in zip(_VOLUMES, ("/dev/sdd", "/dev/sdc"), strict=True):
        scene.attached(server, volume, device)


def _to_attach(scene: Scene) -> None:
    scene.running("ab258e25-e351-47c7-b6e3-0749c5d9ed6a")


def _with_metadata(scene: Scene) -> None:
    server = scene.running(SERVER)
    scene.do("replaceServerMetadata", {"metadata": {"wj": "True", "key1": "value1", "key": "value"}}, server_id=server)


def _only_wj(scene: Scene) -> None:
    server = scene.running(SERVER)
    scene.do("replaceServerMetadata", {"metadata": {"wj": "True"}}, server_id=server)


def _unlimited_groups(scene: Scene) -> None:
    scene.project.quota.change({"serverGroups": -1, "serverGroupMembers": -1})


def _small_quota(scene: Scene) -> None:
    scene.project.quota.change(
        {"cores": 20, "floatingIps": 10, "instances": 20, "keyPairs": 100, "ram": 51200, "securityGroupRules": 20}
        | {"securityGroups": 50, "serverGroupMembers": 10, "serverGroups": 10}
    )


def _key(name: str, scene: Scene) -> None:
    """Make a key pair the only one: those of the world have keys of another kind."""
    for pair in list(scene.project.key_pairs.values()):
        scene.do("deleteKeyPair", keypair_name=pair.name)
    scene.do("createKeyPair", {"keypair": {"name": name, "public_key": PUBLIC_KEY}})


def _listed_key(scene: Scene) -> None:
    _key("keypair-601a2305-4f25-41ed-89c6-2a966fc8027a", scene)


def _detailed_key(scene: Scene) -> None:
    _key(_DETAILED_PAIR, scene)


def _windows(scene: Scene) -> None:
    """Only a Windows with Cloudbase-init tells its password, sealed with the key of the pair; a made-up key seals nothing."""
    pair = scene.do("createKeyPair", {"keypair": {"name": "sealing"}})["keypair"]
    assert pair["private_key"]
    scene.running(SERVER, imageRef="9dd6c2a5-6f12-4f2b-8a73-1c3c1d5e7f90", key_name="sealing")
    scene.api.pass_time(3600)


def _group(scene: Scene) -> None:
    scene.group(_GROUP)


def _listed_group(scene: Scene) -> None:
    scene.group("616fb98f-46ca-475e-917e-2563e5a8cd19")


def _failed_resizes(scene: Scene) -> None:
    server = scene.running()
    scene.stands_for |= dict.fromkeys(_ACTED, server)
    for _ in _REQUESTS:
        scene.world.fail_next_job(scene.project.id, job_type="nativeResizeServer", code="Ecs.0219", reason="No host.", leave="nothing")
        scene.do("resizeServerNative", {"resize": {"flavorRef": "s3.medium.2"}}, server_id=server)
    newest = [action.request_id for action in reversed(scene.project.servers[server].actions)]
    scene.stands_for |= dict(zip(_REQUESTS, newest, strict=False))


def _created(scene: Scene) -> None:
    server = scene.running()
    scene.stands_for |= dict.fromkeys(_ACTED, server)
    scene.stands_for[_CREATION] = scene.project.servers[server].actions[0].request_id


def _tags(scene: Scene, *tags: str) -> None:
    scene.do("replaceServerTags", {"tags": list(tags)}, version=_TAGS_VERSION, server_id=scene.running(SERVER))


def _three_tags(scene: Scene) -> None:
    _tags(scene, "baz=xyy", "foo", "qux")


CASES = (
    Case("6.1.1", None, 0),
    Case("6.1.2", None, 0, path={"api_version": "v2.1"}),
    # The extraction broke the base64 of the user data into lines and lost letters of it.
    Case("6.2.1", 0, 0, name="image", filled={"server.user_data": _MANGLED_DATA}),
    Case("6.2.1", 1, 0, _snapshot, name="snapshot"),
    # Printed behind the brace that ends what the extraction took for the example: its other fields.
    Case(
        "6.2.1",
        2,
        1,
        name="reservation",
        parts={"server.networks": (3,)},
        filled={
            "server.imageRef": "10ff4f01-35b6-4209-8397-359cb4475fa0",
            "server.return_reservation_id": "true",
            "server.min_count": "2",
            "server.max_count": "3",
        },
    ),
    Case("6.2.2", 0, 0, _as_updated, {"server_id": _UPDATED}),
    Case("6.2.3", None, None, _running, _HERE),
    Case("6.2.4", None, 0, _running),
    Case("6.2.5", None, 0, _listed),
    Case("6.2.6", None, 0, _shown, {"server_id": _SHOWN}),
    Case("6.3.1", 0, None, _stopped, _HERE),
    Case("6.3.2", 0, None, _running, _HERE),
    Case("6.3.3", 0, None, _running, _HERE),
    Case("6.3.4", 0, None, _running, _HERE),
    Case("6.3.5", 0, None, _locked, _HERE),
    Case("6.3.6", 0, 0, _to_rebuild, {"server_id": _REBUILT}),
    Case("6.3.7", 0, None, _running, _HERE),
    Case("6.3.8", 0, None, _running, _HERE),
    Case("6.3.9", 0, None, _resized, _HERE),
    Case("6.3.10", 0, None, _resized, _HERE),
    Case("6.3.11", 0, None, _running, _HERE),
    Case("6.4.1", None, 0),
    Case("6.4.2", None, 0, _with_two_addresses, _HERE),
    Case("6.4.3", None, 0, _with_two_addresses, {**_HERE, "networkName": "云服务器所在网络名称"}),
    Case("6.5.1", 0, None, _running, _HERE),
    Case("6.5.2", 0, None, _protected, _HERE),
    Case("6.5.3", None, 0, _with_groups_and_rules, _HERE),
    Case("6.6.1", None, 0),
    Case("6.6.2", None, 0),
    Case("6.6.3", None, 0, path={"flavor_id": "c3.2xlarge.2"}),
    Case("6.6.4", None, 0, path={"flavor_id": "c3.2xlarge.4"}),
    Case("6.7.1", None, 0, _with_port, _HERE),
    Case("6.7.2", None, 0, _with_port, {**_HERE, "port_id": _PORT}),
    Case("6.7.3", 0, 0, _address_is_free, _HERE, "network"),
    # Printed behind the brace that ends what the extraction took for the example. Both together are refused, as table 6-135 says.
    Case(
        "6.7.3",
        1,
        before=_running,
        path=_HERE,
        name="port and address",
        filled={"interfaceAttachment.port_id": _PORT},
        statuses=frozenset({400}),
    ),
    Case("6.7.4", None, None, _with_port, {**_HERE, "port_id": _PORT}),
    Case("6.8.1", None, 0, _attached, {"server_id": _ATTACHING}),
    Case("6.8.2", None, 0, _attached, {"server_id": _ATTACHING, "volume_id": _VOLUMES[0]}),
    Case("6.8.3", 0, 0, _to_attach, {"server_id": "ab258e25-e351-47c7-b6e3-0749c5d9ed6a"}),
    Case("6.8.4", None, None, _attached, {"server_id": _ATTACHING, "volume_id": _VOLUMES[0]}),
    Case("6.9.1", 0, 0, _running, _HERE),
    Case("6.9.2", 0, 0, _running, _HERE),
    Case("6.9.3", None, None, _with_metadata, {**_HERE, "key": "key1"}),
    Case("6.9.4", None, 0, _only_wj, _HERE),
    Case("6.9.5", None, 0, _with_metadata, {**_HERE, "key": "key1"}),
    Case("6.9.6", 0, 0, _with_metadata, {**_HERE, "key": "key"}),
    Case("6.10.1", None, 0, _unlimited_groups),
    Case("6.10.2", None, 0, _small_quota),
    Case("6.10.3", None, 0),
    Case("6.11.1", None, 0, _listed_key, version="2.2"),
    Case("6.11.2", None, 0, _detailed_key, {"keypair_name": _DETAILED_PAIR}),
    # The key is masked in the reference, so that it is none.
    Case("6.11.3", 0, 1, name="import", version="2.10", filled={"keypair.public_key": PUBLIC_KEY}),
    Case("6.11.3", 1, 0, name="create"),
    Case("6.11.4", None, None, path={"keypair_name": "sshkey-123"}),
    Case("6.11.5", None, 0, _windows, _HERE),
    Case("6.11.6", None, None, _windows, _HERE),
    Case("6.12.1", 0, 0),
    Case("6.12.2", None, 0, _listed_group, version=_GROUPS_VERSION),
    Case("6.12.3", None, 0, _group, {"server_group_id": _GROUP}, version=_GROUPS_VERSION),
    Case("6.12.4", None, None, _group, {"server_group_id": _GROUP}),
    Case("6.13.1", None, 0, _failed_resizes, {"server_id": _ACTED[1]}),
    Case("6.13.2", None, 0, _created, {"server_id": _ACTED[1], "request_id": _CREATION}),
    Case("6.14.1", 0, 0, _running, _HERE),
    Case("6.15.1", None, 0, _three_tags, _HERE, version=_TAGS_VERSION),
    Case("6.15.2", 0, 0, _running, _HERE, version=_TAGS_VERSION),
    Case("6.15.3", None, None, _three_tags, _HERE, version=_TAGS_VERSION),
    Case("6.15.4", None, 0, _running, {**_HERE, "tag": "foo"}, version=_TAGS_VERSION),
    Case("6.15.5", None, None, _three_tags, {**_HERE, "tag": "foo"}, version=_TAGS_VERSION),
    Case("6.15.6", None, None, _three_tags, {**_HERE, "tag": "foo"}, version=_TAGS_VERSION),
)
