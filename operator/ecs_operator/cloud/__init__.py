"""The client of the ECS API. It knows HTTP and the cloud, and nothing of Kubernetes."""

from ecs_operator.cloud.breaker import BreakerState
from ecs_operator.cloud.budget import BudgetLimits
from ecs_operator.cloud.catalog import Catalog
from ecs_operator.cloud.client import EcsClient
from ecs_operator.cloud.clock import Clock, SystemClock
from ecs_operator.cloud.codes import CODES, LEFTOVERS, CodeEntry, lookup
from ecs_operator.cloud.counters import CallCounters
from ecs_operator.cloud.credentials import AccessKey, Credentials, CredentialsProvider, PasswordCredentials, StaticCredentials
from ecs_operator.cloud.dispatch import CallRecord, Observer
from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.job_looks import JobLooks
from ecs_operator.cloud.models.access import ApiVersion, IamProject
from ecs_operator.cloud.models.catalog import Flavor, FlavorName, Image, ImageName, ImageSource
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
from ecs_operator.cloud.models.instance_actions import ActionEvent, InstanceAction
from ecs_operator.cloud.models.jobs import Job, JobAccepted, JobStatus, SubJob
from ecs_operator.cloud.models.key_pairs import KeyPair, NewKeyPair, SealedPassword
from ecs_operator.cloud.models.native_create import CreatedServer, CreatedServers, NativeCreate, NativeDisk, NativeNetwork
from ecs_operator.cloud.models.network import (
    FixedIp,
    FloatingIp,
    Interface,
    Network,
    NewInterface,
    NewSecurityGroupRule,
    SecurityGroupDetails,
    SecurityGroupRule,
)
from ecs_operator.cloud.models.quotas import Limits, QuotaSet
from ecs_operator.cloud.models.servers import Address, AttachedVolume, Fault, Server, ServerName
from ecs_operator.cloud.models.systems import ChangeSystem, ReinstallSystem
from ecs_operator.cloud.models.tags import TagFilter, TaggedServer, TagQuery
from ecs_operator.cloud.models.volumes import Attachment, BlockDevice, NewVolume, Volume, VolumeAttachment, VolumeSnapshot
from ecs_operator.cloud.observation import ServerSnapshots, Snapshot
from ecs_operator.cloud.operations.flavors import FlavorFilter
from ecs_operator.cloud.operations.images import ImageFilter
from ecs_operator.cloud.operations.server_filter import ServerFilter
from ecs_operator.cloud.sweep import Sweep
from ecs_operator.cloud.times import parse_time

__all__ = [
    "CODES",
    "LEFTOVERS",
    "AccessKey",
    "ActionEvent",
    "Address",
    "ApiVersion",
    "AttachedVolume",
    "Attachment",
    "Bandwidth",
    "BlockDevice",
    "BreakerState",
    "BudgetLimits",
    "CallCounters",
    "CallRecord",
    "Catalog",
    "ChangeSystem",
    "Clock",
    "CloudError",
    "CodeEntry",
    "CreateServers",
    "CreatedServer",
    "CreatedServers",
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
    "FlavorFilter",
    "FlavorName",
    "FloatingIp",
    "IamProject",
    "Image",
    "ImageFilter",
    "ImageName",
    "ImageSource",
    "InstanceAction",
    "Interface",
    "Job",
    "JobAccepted",
    "JobLooks",
    "JobStatus",
    "KeyPair",
    "Limits",
    "Meaning",
    "NativeCreate",
    "NativeDisk",
    "NativeNetwork",
    "Network",
    "NewInterface",
    "NewKeyPair",
    "NewSecurityGroupRule",
    "NewVolume",
    "Nic",
    "Observer",
    "Outcome",
    "PasswordCredentials",
    "PublicIp",
    "QuotaSet",
    "ReinstallSystem",
    "RootVolume",
    "SchedulerHints",
    "SealedPassword",
    "SecurityGroup",
    "SecurityGroupDetails",
    "SecurityGroupRule",
    "Server",
    "ServerFilter",
    "ServerGroup",
    "ServerName",
    "ServerSnapshots",
    "Snapshot",
    "StaticCredentials",
    "SubJob",
    "Sweep",
    "SystemClock",
    "TagFilter",
    "TagQuery",
    "TaggedServer",
    "Volume",
    "VolumeAttachment",
    "VolumeSnapshot",
    "lookup",
    "parse_time",
]
