"""python-novaclient against the simulator, with a token and the newest microversion: the life of a server.

pip install python-novaclient
eval "$(ecs-simulator env)" && python nova_client.py

Nova's own calls for images, volumes and networks ended with microversion 2.35; what is needed of them is asked for with an older client.
"""

from __future__ import annotations

import os
import time

from keystoneauth1 import loading
from keystoneauth1.session import Session
from novaclient import api_versions, client
from novaclient.exceptions import NotFound
from novaclient.v2.client import Client
from novaclient.v2.servers import Server

ZONE, FLAVOR, LARGER = "eu-west-0a", "s3.large.2", "s3.xlarge.2"
IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
NETWORK, VOLUME = "157ee789-03ea-45b1-a698-76c92660dd83", "b104b8db-170d-441b-897a-3c8ba9c5a214"


def log_in() -> Session:
    """Return a session for the account of the environment."""
    auth = loading.get_plugin_loader("password").load_from_options(
        auth_url=os.environ["OS_AUTH_URL"],
        username=os.environ["OS_USERNAME"],
        password=os.environ["OS_PASSWORD"],
        user_domain_name=os.environ["OS_USER_DOMAIN_NAME"],
        project_name=os.environ["OS_PROJECT_NAME"],
        project_domain_name=os.environ["OS_PROJECT_DOMAIN_NAME"],
    )
    return Session(auth=auth)


def wait_for(nova: Client, server: Server, status: str) -> Server:
    """Look at a server until it has a status and nothing runs on it."""
    for _ in range(120):
        server = nova.servers.get(server.id)
        if server.status == status and getattr(server, "OS-EXT-STS:task_state") is None:
            return server
        if server.status == "ERROR":
            raise RuntimeError(server.fault["message"])
        time.sleep(0.5)
    raise TimeoutError(f"{server.name} is {server.status}, not {status}")


def wait_until_gone(nova: Client, server: Server) -> None:
    """Look at a server until there is none."""
    for _ in range(120):
        try:
            nova.servers.get(server.id)
        except NotFound:
            return
        time.sleep(0.5)
    raise TimeoutError(f"{server.name} is still there")


def create(nova: Client) -> Server:
    """Create a server that boots from a volume made of an image, in a group."""
    group = nova.server_groups.create(name="apart", policies=["anti-affinity"])
    system_disk = {
        "source_type": "image",
        "destination_type": "volume",
        "uuid": IMAGE,
        "boot_index": 0,
        "volume_size": 40,
        "delete_on_termination": True,
    }
    server = nova.servers.create(
        name="web-1",
        image=None,
        flavor=nova.flavors.find(name=FLAVOR),
        nics=[{"net-id": NETWORK}],
        block_device_mapping_v2=[system_disk],
        availability_zone=ZONE,
        key_name="ops",
        security_groups=["default"],
        meta={"purpose": "example"},
        scheduler_hints={"group": group.id},
        description="made by novaclient",
        tags=["stage=test"],
        userdata="#!/bin/sh\n",
    )
    server = wait_for(nova, server, "ACTIVE")
    print("created:", server.name, server.networks, server.tags, nova.server_groups.get(group.id).members == [server.id])
    return server


def look(nova: Client, server: Server) -> None:
    """Find the server in lists, and look at what belongs to it."""
    print("listed:", [each.name for each in nova.servers.list(search_opts={"name": "web", "status": "ACTIVE"}, sort_keys=["created_at"])])
    print("found:", nova.servers.find(name="web-1").id == server.id)
    print("flavor:", server.flavor["original_name"], nova.flavors.get(FLAVOR).get_keys()["ecs:generation"])
    print("actions:", [action.action for action in nova.instance_action.list(server)])
    print("limits:", {limit.name: limit.value for limit in nova.limits.get().absolute}["totalInstancesUsed"])


def tag(nova: Client, server: Server) -> None:
    """Tag the server anew, set metadata, rename it, lock and unlock it."""
    server.add_tag("team=cloud")
    server.delete_tag("stage=test")
    nova.servers.set_meta(server, {"owner": "me"})
    nova.servers.delete_meta(server, ["purpose"])
    server = server.update(name="web-one", description="renamed")
    server.lock()
    print("changed:", nova.servers.get(server.id).locked, server.tag_list(), nova.servers.get(server.id).metadata["owner"])
    server.unlock()


def power(nova: Client, server: Server) -> None:
    """Reboot, stop and start the server, and give it a larger flavor."""
    server.reboot("SOFT")
    wait_for(nova, server, "ACTIVE")
    server.stop()
    wait_for(nova, server, "SHUTOFF")
    server.start()
    wait_for(nova, server, "ACTIVE")
    server.resize(LARGER)
    wait_for(nova, server, "VERIFY_RESIZE")
    server.confirm_resize()
    print("resized:", wait_for(nova, server, "ACTIVE").flavor["original_name"])


def wait_for_volume(old: Client, status: str) -> None:
    """Look at the volume until it has a status, as programs do that ask the volume service."""
    for _ in range(120):
        _, body = old.client.get(f"/os-volumes/{VOLUME}")
        if body["volume"]["status"] == status:
            return
        time.sleep(0.5)
    raise TimeoutError(f"the volume is not {status}")


def attach(nova: Client, server: Server, old: Client) -> None:
    """Attach a volume and an interface, look at them, and detach them again."""
    nova.volumes.create_server_volume(server.id, VOLUME)
    wait_for_volume(old, "in-use")
    print("disks:", [(disk.device, disk.volumeId == VOLUME) for disk in nova.volumes.get_server_volumes(server.id)])
    nova.volumes.delete_server_volume(server.id, VOLUME)
    wait_for_volume(old, "available")
    port = server.interface_attach(port_id=None, net_id=NETWORK, fixed_ip=None)
    print("interfaces:", [each.fixed_ips[0]["ip_address"] for each in server.interface_list()])
    server.interface_detach(port.port_id)


def key_pairs(nova: Client) -> None:
    """Make a key pair, find it, and delete it."""
    made = nova.keypairs.create("nova-key")
    print("key pairs:", [pair.name for pair in nova.keypairs.list()], made.private_key.splitlines()[0])
    made.delete()


def image(nova: Client, server: Server) -> str:
    """Make an image of the server, and rebuild the server with the one it had."""
    image_id = nova.servers.create_image(server, "web-image")
    wait_for(nova, server, "ACTIVE")
    server.rebuild(IMAGE)
    wait_for(nova, server, "ACTIVE")
    return str(image_id)


def proxies(old: Client, server: Server, image_id: str) -> None:
    """Call what Nova had until 2.35 and novaclient no longer has a method for; floating IPs until 2.44, as actions of a server."""
    _, body = old.client.get(f"/images/{image_id}")
    print("image:", body["image"]["name"], body["image"]["status"])
    _, body = old.client.post("/os-floating-ips", body={"pool": None})
    floating = body["floating_ip"]
    old.client.post(f"/servers/{server.id}/action", body={"addFloatingIp": {"address": floating["ip"]}})
    print("floating IP:", floating["ip"] in str(old.servers.get(server.id).networks))
    old.client.post(f"/servers/{server.id}/action", body={"removeFloatingIp": {"address": floating["ip"]}})
    old.client.delete(f"/os-floating-ips/{floating['id']}")
    old.client.delete(f"/images/{image_id}")


def main() -> None:
    """Let a server live and die."""
    session = log_in()
    region = os.environ["OS_REGION_NAME"]
    nova = client.Client("2.1", session=session, region_name=region)
    nova.api_version = api_versions.discover_version(nova, api_versions.APIVersion("2.latest"))
    print("microversion:", nova.api_version.get_string())
    server = create(nova)
    old = client.Client("2.35", session=session, region_name=region)
    for step in (look, tag, power):
        step(nova, server)
    attach(nova, server, old)
    key_pairs(nova)
    image_id = image(nova, server)
    proxies(old, server, image_id)
    # This API has the console log until 2.5, Nova itself for ever.
    print("console:", client.Client("2.1", session=session, region_name=region).servers.get_console_output(server, length=1).strip())
    server.delete()
    wait_until_gone(nova, server)
    nova.server_groups.list()[0].delete()
    print("gone:", [each.name for each in nova.servers.list()])


if __name__ == "__main__":
    main()
