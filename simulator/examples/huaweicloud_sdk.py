"""The vendor's Python SDK for ECS against the simulator, signed with an access key: the life of a server.

pip install huaweicloudsdkecs
eval "$(ecs-simulator env)" && python huaweicloud_sdk.py

Only the endpoint tells that this is not a real cloud.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkecs.v2 import model
from huaweicloudsdkecs.v2.ecs_client import EcsClient

ZONE, FLAVOR, LARGER = "eu-west-0a", "s3.large.2", "s3.xlarge.2"
IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
VPC, SUBNET = "0dae26c9-9a70-4392-93f3-87d53115d171", "157ee789-03ea-45b1-a698-76c92660dd83"
GROUP, VOLUME = "507ca48f-814c-4293-8706-300564d54620", "b104b8db-170d-441b-897a-3c8ba9c5a214"


def connect() -> EcsClient:
    """Return a client. Without a project id the SDK asks IAM which project has the region's name; it is given here to save that call."""
    credentials = BasicCredentials(
        os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"], os.environ["HUAWEICLOUD_SDK_PROJECT_ID"]
    )
    return EcsClient.new_builder().with_credentials(credentials).with_endpoint(os.environ["ECS_SIMULATOR_URL"]).build()


def wait_for_job(ecs: EcsClient, job_id: str) -> model.ShowJobResponse:
    """Poll a job until it is over."""
    for _ in range(120):
        job = ecs.show_job(model.ShowJobRequest(job_id=job_id))
        if job.status in {"SUCCESS", "FAIL"}:
            break
        time.sleep(0.5)
    if job.status != "SUCCESS":
        raise RuntimeError(f"job {job_id}: {job.status} {job.error_code} {job.fail_reason}")
    return job


def create(ecs: EcsClient) -> str:
    """Create a server with a data disk, and return its id."""
    server = model.PostPaidServer(
        name="web-1",
        image_ref=IMAGE,
        flavor_ref=FLAVOR,
        vpcid=VPC,
        availability_zone=ZONE,
        key_name="ops",
        nics=[model.PostPaidServerNic(subnet_id=SUBNET)],
        root_volume=model.PostPaidServerRootVolume(volumetype="SSD", size=40),
        data_volumes=[model.PostPaidServerDataVolume(volumetype="SATA", size=10)],
        security_groups=[model.PostPaidServerSecurityGroup(id=GROUP)],
        metadata={"purpose": "example"},
        description="made by the vendor's SDK",
    )
    body = model.CreatePostPaidServersRequestBody(server=server)
    accepted = ecs.create_post_paid_servers(model.CreatePostPaidServersRequest(body=body))
    job = wait_for_job(ecs, accepted.job_id)
    return job.entities.sub_jobs[0].entities.server_id


def look(ecs: EcsClient, server_id: str) -> None:
    """Find the server in lists and by its id."""
    listed = ecs.list_servers_details(model.ListServersDetailsRequest(limit=50, offset=1, name="web"))
    print("listed:", listed.count, [server.name for server in listed.servers])
    shown = ecs.show_server(model.ShowServerRequest(server_id=server_id)).server
    print("shown:", shown.name, shown.status, shown.flavor.id, shown.metadata["owner"])
    native = ecs.nova_show_server(model.NovaShowServerRequest(server_id=server_id, open_stack_api_version="compute 2.26")).server
    print("natively:", native.name, native.status, native.tags)
    names = ecs.nova_list_servers_details(model.NovaListServersDetailsRequest(name="web", limit=10)).servers
    print("listed natively:", [server.name for server in names])
    flavors = ecs.list_flavors(model.ListFlavorsRequest(availability_zone=ZONE)).flavors
    print("flavors:", [flavor.id for flavor in flavors])


def tag(ecs: EcsClient, server_id: str) -> None:
    """Tag the server, tag it anew, and set metadata."""
    tags = [model.ServerTag(key="stage", value="test"), model.ServerTag(key="team", value="云")]
    body = model.BatchCreateServerTagsRequestBody(action="create", tags=tags)
    ecs.batch_create_server_tags(model.BatchCreateServerTagsRequest(server_id=server_id, body=body))
    gone = model.BatchDeleteServerTagsRequestBody(action="delete", tags=[model.ServerTag(key="stage", value="test")])
    ecs.batch_delete_server_tags(model.BatchDeleteServerTagsRequest(server_id=server_id, body=gone))
    print("tags:", [(tag.key, tag.value) for tag in ecs.show_server_tags(model.ShowServerTagsRequest(server_id=server_id)).tags])
    metadata = model.UpdateServerMetadataRequestBody(metadata={"owner": "me"})
    ecs.update_server_metadata(model.UpdateServerMetadataRequest(server_id=server_id, body=metadata))
    ecs.delete_server_metadata(model.DeleteServerMetadataRequest(server_id=server_id, key="purpose"))
    body = model.UpdateServerRequestBody(server=model.UpdateServerOption(name="web-one", description="renamed"))
    ecs.update_server(model.UpdateServerRequest(server_id=server_id, body=body))


def power(ecs: EcsClient, server_id: str) -> None:
    """Reboot and stop the server, give it a larger flavor, and start it again."""
    servers = [model.ServerId(id=server_id)]
    reboot = model.BatchRebootServersRequestBody(reboot=model.BatchRebootSeversOption(type="SOFT", servers=servers))
    wait_for_job(ecs, ecs.batch_reboot_servers(model.BatchRebootServersRequest(body=reboot)).job_id)
    stop = model.BatchStopServersRequestBody(os_stop=model.BatchStopServersOption(type="SOFT", servers=servers))
    wait_for_job(ecs, ecs.batch_stop_servers(model.BatchStopServersRequest(body=stop)).job_id)
    resize = model.ResizePostPaidServerRequestBody(resize=model.ResizePostPaidServerOption(flavor_ref=LARGER))
    wait_for_job(ecs, ecs.resize_post_paid_server(model.ResizePostPaidServerRequest(server_id=server_id, body=resize)).job_id)
    start = model.BatchStartServersRequestBody(os_start=model.BatchStartServersOption(servers=servers))
    wait_for_job(ecs, ecs.batch_start_servers(model.BatchStartServersRequest(body=start)).job_id)


def attach(ecs: EcsClient, server_id: str) -> None:
    """Attach a volume and an interface, look at them, and detach them again."""
    body = model.AttachServerVolumeRequestBody(volume_attachment=model.AttachServerVolumeOption(volume_id=VOLUME, device="/dev/vdc"))
    wait_for_job(ecs, ecs.attach_server_volume(model.AttachServerVolumeRequest(server_id=server_id, body=body)).job_id)
    disks = ecs.list_server_block_devices(model.ListServerBlockDevicesRequest(server_id=server_id)).volume_attachments
    print("disks:", [(disk.device, disk.size) for disk in disks])
    wait_for_job(ecs, ecs.detach_server_volume(model.DetachServerVolumeRequest(server_id=server_id, volume_id=VOLUME)).job_id)
    nics = model.BatchAddServerNicsRequestBody(nics=[model.BatchAddServerNicOption(subnet_id=SUBNET)])
    wait_for_job(ecs, ecs.batch_add_server_nics(model.BatchAddServerNicsRequest(server_id=server_id, body=nics)).job_id)
    ports = ecs.list_server_interfaces(model.ListServerInterfacesRequest(server_id=server_id)).interface_attachments
    print("interfaces:", [(port.fixed_ips[0].ip_address, port.port_state) for port in ports])
    gone = model.BatchDeleteServerNicsRequestBody(nics=[model.BatchDeleteServerNicOption(id=ports[-1].port_id)])
    wait_for_job(ecs, ecs.batch_delete_server_nics(model.BatchDeleteServerNicsRequest(server_id=server_id, body=gone)).job_id)


def group(ecs: EcsClient, server_id: str) -> None:
    """Put the stopped server into a group, and take it out again."""
    body = model.CreateServerGroupRequestBody(server_group=model.CreateServerGroupOption(name="apart", policies=["anti-affinity"]))
    made = ecs.create_server_group(model.CreateServerGroupRequest(body=body)).server_group
    stop = model.BatchStopServersRequestBody(os_stop=model.BatchStopServersOption(servers=[model.ServerId(id=server_id)]))
    wait_for_job(ecs, ecs.batch_stop_servers(model.BatchStopServersRequest(body=stop)).job_id)
    member = model.ServerGroupMember(instance_uuid=server_id)
    ecs.add_server_group_member(
        model.AddServerGroupMemberRequest(server_group_id=made.id, body=model.AddServerGroupMemberRequestBody(add_member=member))
    )
    print("members:", ecs.show_server_group(model.ShowServerGroupRequest(server_group_id=made.id)).server_group.members == [server_id])
    ecs.delete_server_group_member(
        model.DeleteServerGroupMemberRequest(server_group_id=made.id, body=model.DeleteServerGroupMemberRequestBody(remove_member=member))
    )
    ecs.delete_server_group(model.DeleteServerGroupRequest(server_group_id=made.id))


def key_pairs(ecs: EcsClient) -> None:
    """Make a key pair, find it, and delete it."""
    body = model.NovaCreateKeypairRequestBody(keypair=model.NovaCreateKeypairOption(name="sdk-key"))
    made = ecs.nova_create_keypair(model.NovaCreateKeypairRequest(body=body)).keypair
    names = [each.keypair.name for each in ecs.nova_list_keypairs(model.NovaListKeypairsRequest()).keypairs]
    print("key pairs:", names, made.private_key.splitlines()[0])
    ecs.nova_delete_keypair(model.NovaDeleteKeypairRequest(keypair_name="sdk-key"))


def delete(ecs: EcsClient, server_id: str) -> None:
    """Delete the server and its disks, and see that it is gone."""
    body = model.DeleteServersRequestBody(servers=[model.ServerId(id=server_id)], delete_publicip=True, delete_volume=True)
    wait_for_job(ecs, ecs.delete_servers(model.DeleteServersRequest(body=body)).job_id)
    try:
        ecs.show_server(model.ShowServerRequest(server_id=server_id))
    except ClientRequestException as error:
        print("gone:", error.status_code, error.error_code)


def main() -> None:
    """Let a server live and die."""
    ecs = connect()
    server_id = create(ecs)
    steps: tuple[Callable[[EcsClient, str], None], ...] = (tag, look, power, attach, group)
    for step in steps:
        step(ecs, server_id)
    key_pairs(ecs)
    delete(ecs, server_id)


if __name__ == "__main__":
    main()
