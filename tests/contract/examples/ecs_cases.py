"""The examples of chapter 5."""

from __future__ import annotations

from tests.contract.examples.cases import SERVER, Case
from tests.contract.examples.scene import Scene

_OTHER = "726fb98f-46ca-475e-917e-2563e5a8cd20"
_ATTACHING = "4d8c3732-a248-40ed-bebc-539a6ffd25c0"
_MEMBER = "34dac9a0-c4a7-457b-bab2-e2c696e0e401"
_GROUP = "5bbcc3c4-1da2-4437-a48a-66f15b1b13f9"
_VOLUME = "a26887c6-c47b-4654-abb5-dfadf7d3f803"
_NIC = "d32019d3-bc6e-4319-9c1d-6722fc136a23"
_JOB = "2c9eb2c5544cbf6101544f0602af2b4f"
_HERE = {"server_id": SERVER}
_BROKEN = b'{"server": '


def _running(scene: Scene) -> None:
    scene.running(SERVER)


def _stopped(scene: Scene) -> None:
    scene.stopped(SERVER)


def _both_run(scene: Scene) -> None:
    scene.running(SERVER)
    scene.running(_OTHER)


def _both_stopped(scene: Scene) -> None:
    scene.stopped(SERVER)
    scene.stopped(_OTHER)


def _with_second_interface(scene: Scene) -> None:
    """The id that the example takes off is, elsewhere, that of a subnet."""
    server = scene.running(SERVER)
    scene.do("addInterfaces", {"nics": [{"subnet_id": _NIC}]}, server_id=server)
    scene.stands_for[_NIC] = scene.project.servers[server].port_ids[1]


def _without_system_disk(scene: Scene) -> None:
    """/dev/sda, which the example wants, is the place of the system disk."""
    server = scene.stopped(SERVER)
    scene.do("detachVolume", server_id=server, volume_id=scene.project.servers[server].volume_ids[0])


def _with_volume(scene: Scene) -> None:
    scene.attached(scene.running(SERVER), _VOLUME)


def _two_disks(scene: Scene) -> None:
    """In the examples of 5.6.3 and 5.6.4 the system disk has the id that elsewhere is a data disk's."""
    server = scene.running(_ATTACHING, root_volume={"volumetype": "SSD", "size": 40}, data_volumes=[{"volumetype": "SSD", "size": 10}])
    root, data = scene.project.servers[server].volume_ids
    scene.stands_for |= {_VOLUME: root, "a26887c6-c47b-4654-abb5-asdf234r234r": data}


def _one_disk(scene: Scene) -> None:
    """The example of 5.6.4 is a system disk with the id that is the data disk's in 5.6.3."""
    server = scene.running(_ATTACHING)
    scene.stands_for["a26887c6-c47b-4654-abb5-asdf234r234r"] = scene.project.servers[server].volume_ids[0]


def _created(scene: Scene) -> None:
    scene.running("bae51750-0089-41a1-9b18-5c777978ff6d")
    job = next(job for job in scene.world.jobs.values() if job.type == "createServer")
    scene.stands_for |= {_JOB: job.id, "2c9eb2c5544cbf6101544f0635672b60": job.parts[0].id}


def _a_hundred_and_one(scene: Scene) -> None:
    """The example skips a hundred; lists begin with the newest."""
    scene.tagged(scene.running("cdf5_cefs_wesas_12_dsad", name="ecs_test"), key1="value1")
    scene.running(name="ecs_test", count=100)
    for server in list(scene.project.servers)[1:]:
        scene.tagged(server, key1="value2")


def _tagged(scene: Scene) -> None:
    scene.tagged(scene.running(SERVER), key1="value1", key2="value3")


def two_tagged(scene: Scene) -> None:
    """Make two servers with the same keys and other values."""
    scene.tagged(scene.running(), key1="value1", key2="value1")
    scene.tagged(scene.running(), key1="value2", key2="value2")


def _group(scene: Scene) -> None:
    scene.group(_GROUP)


def _group_and_candidate(scene: Scene) -> None:
    scene.group(_GROUP)
    scene.stopped(_MEMBER)


def _group_with_member(scene: Scene) -> None:
    scene.member(_MEMBER, scene.group(_GROUP))


def _two_groups(scene: Scene) -> None:
    scene.group("318b44a7-f7a6-4c0b-8107-e8bd618b28dd", "SvrGrp-b9d6")
    scene.group("b8f4cfc4-9a59-498c-9b52-643ee6515cd0", "SvrGrp-10a1")


CASES = (
    Case("5.1.1", 0, 0),
    # Printed behind the brace that ends what the extraction took for the example: its other fields.
    Case(
        "5.1.1",
        1,
        name="dry_run",
        parts={"server.root_volume!": (2,), "server.data_volumes": (3,), "server.security_groups": (4,), "server.nics": (5,)},
        filled={
            "server.flavorRef": "s3.xlarge.2",
            "server.vpcid": "0dae26c9-9a70-4392-93f3-87d53115d171",
            "server.key_name": "sshkey-123",
            "server.count": 1,
        },
    ),
    Case("5.1.1", None, 1, name="malformed", sends=_BROKEN, statuses=frozenset({400})),
    Case(
        "5.1.1",
        0,
        2,
        name="address elsewhere",
        filled={"server.nics": [{"subnet_id": "157ee789-03ea-45b1-a698-76c92660dd83", "ip_address": "10.0.0.9"}]},
        statuses=frozenset({400}),
    ),
    Case("5.1.2", 0, 0, _running),
    Case("5.1.2", None, 1, name="malformed", sends=_BROKEN, statuses=frozenset({400})),
    Case("5.2.1", 0, 0, _stopped, _HERE, "by password"),
    Case("5.2.1", 1, 0, _stopped, _HERE, "by key"),
    Case("5.2.2", 0, 0, _stopped, _HERE, "by password"),
    Case("5.2.2", 1, 0, _stopped, _HERE, "by key"),
    Case("5.2.3", 0, 0, _stopped, _HERE),
    Case("5.2.4", 0, 0, _stopped, _HERE),
    Case("5.3.1", 0, 0, _both_stopped),
    Case("5.3.2", 0, 0, _both_run),
    Case("5.3.3", 0, 0, _both_run),
    Case("5.4.1", None, 0),
    Case("5.5.1", 0, 0, _running, _HERE),
    Case("5.5.2", 0, 0, _with_second_interface, _HERE),
    Case("5.6.1", 0, 0, _without_system_disk, _HERE),
    Case("5.6.2", None, 0, _with_volume, {**_HERE, "volume_id": _VOLUME}),
    Case("5.6.3", None, 0, _two_disks, {"server_id": _ATTACHING}),
    Case("5.6.4", None, 0, _one_disk, {"server_id": _ATTACHING, "volume_id": "a26887c6-c47b-4654-abb5-asdf234r234r"}),
    Case("5.7.1", None, 0, _two_groups),
    Case("5.8.1", None, 0, _created, {"job_id": _JOB}),
    Case("5.9.2", 0, 0, _a_hundred_and_one, name="filter", parts={"matches": (1,), "tags": (2,)}, action="filter"),
    Case("5.9.2", 0, 1, two_tagged, name="count", filled={"action": "count"}, action="count"),
    Case("5.9.3", 0, None, _running, _HERE),
    Case("5.9.4", 0, None, _tagged, _HERE),
    Case("5.9.5", None, 0, two_tagged),
    Case("5.9.6", None, 0, _tagged, _HERE),
    Case("5.10.1", 0, 0),
    Case("5.10.2", None, None, _group_with_member, {"server_group_id": _GROUP}),
    Case("5.10.3", 0, None, _group_and_candidate, {"server_group_id": _GROUP}),
    Case("5.10.4", 0, None, _group_with_member, {"server_group_id": _GROUP}),
    Case("5.10.5", None, 0, _two_groups),
    Case("5.10.6", None, 0, _group, {"server_group_id": _GROUP}),
)
