"""The client of the ECS API. It knows HTTP and the cloud, and nothing of Kubernetes."""

from ecs_operator.cloud.budget import BudgetLimits
from ecs_operator.cloud.client import EcsClient
from ecs_operator.cloud.clock import Clock, SystemClock
from ecs_operator.cloud.codes import CODES, LEFTOVERS, CodeEntry, lookup
from ecs_operator.cloud.credentials import AccessKey, Credentials, CredentialsProvider, PasswordCredentials, StaticCredentials
from ecs_operator.cloud.dispatch import CallRecord, Observer
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.models.access import ApiVersion, FixedIp, IamProject, Interface
from ecs_operator.cloud.models.catalog import Flavor, Image, Limits, Network
from ecs_operator.cloud.models.create import (
    Bandwidth,
    CreateServers,
    DataVolume,
    DhcpOption,
    Eip,
    Nic,
    PublicIp,
    RootVolume,
    SchedulerHints,
    SecurityGroup,
)
from ecs_operator.cloud.models.groups import ServerGroup
from ecs_operator.cloud.models.jobs import Job, JobAccepted, JobStatus, SubJob
from ecs_operator.cloud.models.servers import Address, AttachedVolume, Fault, Server
from ecs_operator.cloud.models.volumes import Attachment, BlockDevice, Volume, VolumeAttachment
from ecs_operator.cloud.observation import ServerSnapshots, Snapshot
from ecs_operator.cloud.sweep import Sweep

__all__ = [
    "CODES",
    "LEFTOVERS",
    "AccessKey",
    "Address",
    "ApiVersion",
    "AttachedVolume",
    "Attachment",
    "Bandwidth",
    "BlockDevice",
    "BudgetLimits",
    "CallRecord",
    "Clock",
    "CloudError",
    "CodeEntry",
    "CreateServers",
    "Credentials",
    "CredentialsProvider",
    "DataVolume",
    "DhcpOption",
    "EcsClient",
    "Eip",
    "Failure",
    "Fault",
    "FixedIp",
    "Flavor",
    "IamProject",
    "Image",
    "Interface",
    "Job",
    "JobAccepted",
    "JobStatus",
    "Limits",
    "Meaning",
    "Network",
    "Nic",
    "Observer",
    "Outcome",
    "PasswordCredentials",
    "PublicIp",
    "RootVolume",
    "SchedulerHints",
    "SecurityGroup",
    "Server",
    "ServerGroup",
    "ServerSnapshots",
    "Snapshot",
    "StaticCredentials",
    "SubJob",
    "Sweep",
    "SystemClock",
    "Volume",
    "VolumeAttachment",
    "lookup",
]
