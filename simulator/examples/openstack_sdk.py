"""openstacksdk against the simulator, with a token: the life of a server.

pip install openstacksdk
eval "$(ecs-simulator env)" && python openstack_sdk.py

The SDK finds the services by the catalogue of its token. Images and volumes can be looked up there; a network service there is none,
so networks are named by their ids, and floating IPs come by Nova's own calls.
"""

from __future__ import annotations

import os

import openstack
from openstack.compute.v2.server import Server
from openstack.connection import Connection

ZONE, FLAVOR, LARGER = "eu-west-0a", "s3.large.2", "s3.xlarge.2"
NETWORK, VOLUME = "157ee789-03ea-45b1-a698-76c92660dd83", "b104b8db-170d-441b-897a-3c8ba9c5a214"


def create(cloud: Connection) -> Server:
    """Create a server from an image that is looked up by name, in a group, and wait for it."""
    image = cloud.image.find_image("Ubuntu 24.04 server 64bit", ignore_missing=False)
    group = cloud.compute.create_server_group(name="apart", policies=["anti-affinity"])
    server = cloud.compute.create_server(
        name="web-1",
        image_id=image.id,
        flavor_id=cloud.compute.find_flavor(FLAVOR).id,
        networks=[{"uuid": NETWORK}],
        availability_zone=ZONE,
        key_name="ops",
        security_groups=[{"name": "default"}],
        metadata={"purpose": "example"},
        scheduler_hints={"group": group.id},
    )
    server = cloud.compute.wait_for_server(server, interval=0.5)
    print(
        "created:", server.name, server.status, sorted(server.addresses), cloud.compute.get_server_group(group.id).member_ids == [server.id]
    )
    return server


def look(cloud: Connection, server: Server) -> None:
    """Find the server in lists, by its name, and by its state."""
    print("listed:", [each.name for each in cloud.compute.servers(name="web", status="ACTIVE")])
    print("found:", cloud.compute.find_server("web-1").id == server.id, cloud.get_server("web-1", bare=True).status)
    print("flavors:", [flavor.name for flavor in cloud.compute.flavors(details=False)])
    print("actions:", [action.action for action in cloud.compute.server_actions(server)])
    print("zones:", cloud.list_availability_zone_names())
    print("limits:", cloud.get_compute_limits().total_instances_used)


def tag(cloud: Connection, server: Server) -> None:
    """Tag the server, tag it anew, set metadata, rename it, lock and unlock it."""
    server.add_tag(cloud.compute, "stage=test")
    server.set_tags(cloud.compute, ["team=cloud"])
    cloud.compute.set_server_metadata(server, owner="me")
    cloud.compute.delete_server_metadata(server.id, ["purpose"])
    cloud.compute.update_server(server, name="web-one", description="renamed")
    cloud.compute.lock_server(server)
    shown = cloud.compute.get_server(server.id)
    print("changed:", shown.name, shown.description, shown.is_locked, shown.tags, shown.metadata["owner"])
    cloud.compute.unlock_server(server)


def power(cloud: Connection, server: Server) -> None:
    """Reboot, stop and start the server, and give it a larger flavor."""
    cloud.compute.reboot_server(server, "HARD")
    wait_for(cloud, server, "ACTIVE")
    cloud.compute.stop_server(server)
    wait_for(cloud, server, "SHUTOFF")
    cloud.compute.start_server(server)
    wait_for(cloud, server, "ACTIVE")
    cloud.compute.resize_server(server, cloud.compute.find_flavor(LARGER))
    wait_for(cloud, server, "VERIFY_RESIZE")
    cloud.compute.confirm_server_resize(server)
    print("resized:", wait_for(cloud, server, "ACTIVE").flavor.original_name)


def wait_for(cloud: Connection, server: Server, status: str) -> Server:
    """Wait for a status. The SDK believes what it saw last, so it is made to look first."""
    return cloud.compute.wait_for_server(cloud.compute.get_server(server.id), status=status, interval=0.5)


def attach(cloud: Connection, server: Server) -> None:
    """Attach a volume and an interface, look at them, and detach them again."""
    cloud.compute.create_volume_attachment(server, volume_id=VOLUME)
    wait_for_volume(cloud, "in-use")
    print("disks:", [(disk.device, disk.volume_id == VOLUME) for disk in cloud.compute.volume_attachments(server)])
    cloud.compute.delete_volume_attachment(server, VOLUME)
    wait_for_volume(cloud, "available")
    port = cloud.compute.create_server_interface(server, net_id=NETWORK)
    print("interfaces:", [each.fixed_ips[0]["ip_address"] for each in cloud.compute.server_interfaces(server)])
    cloud.compute.delete_server_interface(port, server=server)


def wait_for_volume(cloud: Connection, status: str) -> None:
    """Look at the volume until it has a status."""
    cloud.block_storage.wait_for_status(cloud.block_storage.get_volume(VOLUME), status, interval=0.5, wait=60)


def floating_ip(cloud: Connection, server: Server) -> None:
    """Make a floating IP, put it onto the server, and take it off: without a network service the SDK uses Nova's calls.

    The actions on the server ended with microversion 2.43, but the SDK always asks for the newest.
    """
    made = cloud.create_floating_ip()
    for action in ("addFloatingIp", "removeFloatingIp"):
        body = {action: {"address": made.floating_ip_address}}
        openstack.exceptions.raise_from_response(cloud.compute.post(f"/servers/{server.id}/action", json=body, microversion="2.43"))
        print("floating IP:", made.floating_ip_address in str(cloud.compute.get_server(server.id).addresses))
    cloud.delete_floating_ip(made.id)


def key_pairs(cloud: Connection) -> None:
    """Make a key pair, find it, and delete it."""
    made = cloud.compute.create_keypair(name="sdk-key")
    print("key pairs:", [pair.name for pair in cloud.compute.keypairs()], made.private_key.splitlines()[0])
    cloud.compute.delete_keypair("sdk-key")


def main() -> None:
    """Let a server live and die."""
    cloud = openstack.connect(region_name=os.environ["OS_REGION_NAME"])
    server = create(cloud)
    for step in (look, tag, power, attach, floating_ip):
        step(cloud, server)
    key_pairs(cloud)
    cloud.compute.delete_server(server)
    cloud.compute.wait_for_delete(server, interval=0.5)
    cloud.compute.delete_server_group(next(iter(cloud.compute.server_groups())))
    print("gone:", [each.name for each in cloud.compute.servers()])


if __name__ == "__main__":
    main()
