"""An account of the simulated cloud as Kubernetes objects: its Secret and its EcsProject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from ecs_lab.operator import NAMESPACE

API_VERSION = "ecs.huaweicloud.com/v1alpha1"


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whose cloud project it is. Field names follow the answer of the simulator's `POST /_sim/projects`."""

    project_id: str
    project_name: str
    domain_name: str
    username: str
    password: str
    access_key: str
    secret_key: str
    region: str
    vpc_id: str
    subnet_id: str
    security_group_id: str
    key_pair_name: str
    volume_id: str
    image_id: str
    flavor_id: str
    availability_zone: str

    @staticmethod
    def of(answer: Mapping[str, Any]) -> "Account":
        """From the simulator's answer."""
        return Account(
            project_id=answer["projectId"],
            project_name=answer["projectName"],
            domain_name=answer["domainName"],
            username=answer["username"],
            password=answer["password"],
            access_key=answer["accessKey"],
            secret_key=answer["secretKey"],
            region=answer["region"],
            vpc_id=answer["vpcId"],
            subnet_id=answer["subnetId"],
            security_group_id=answer["securityGroupId"],
            key_pair_name=answer["keyPairName"],
            volume_id=answer["volumeId"],
            image_id=answer["imageId"],
            flavor_id=answer["flavorId"],
            availability_zone=answer["availabilityZone"],
        )


# The account of the simulator's own seed.
SEED_ACCOUNT = Account(
    project_id="9a56640e5503b8dc39231cdb52a0f3e2",
    project_name="eu-west-0",
    domain_name="lab",
    username="lab-user",
    password="Lab-Passw0rd!",  # noqa: S106 -- of a simulated account on the loopback interface
    access_key="LABACCESSKEY00000001",
    secret_key="lab-secret-key-0000000000000000000000001",  # noqa: S106 -- likewise
    region="eu-west-0",
    vpc_id="0dae26c9-9a70-4392-93f3-87d53115d171",
    subnet_id="157ee789-03ea-45b1-a698-76c92660dd83",
    security_group_id="507ca48f-814c-4293-8706-300564d54620",
    key_pair_name="ops",
    volume_id="b104b8db-170d-441b-897a-3c8ba9c5a214",
    image_id="67f433d8-ed0e-4321-a8a2-a71838539e09",
    flavor_id="s3.large.2",
    availability_zone="eu-west-0a",
)


def secret(name: str, account: Account) -> dict[str, Any]:
    """The Secret with a user's name and password, in the operator's namespace."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "stringData": {"username": account.username, "password": account.password, "domainName": account.domain_name},
    }


def project(
    name: str,
    account: Account,
    *,
    secret_name: str,
    endpoint: str,
    default: bool = False,
    namespaces: Sequence[str] | None = None,
    spec: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The EcsProject for an account. It admits these namespaces, or all; `spec` replaces further fields."""
    return {
        "apiVersion": API_VERSION,
        "kind": "EcsProject",
        "metadata": {"name": name},
        "spec": {
            "default": default,
            "allowedNamespaces": {"from": "All"} if namespaces is None else {"from": "Names", "names": sorted(namespaces)},
            "region": account.region,
            "endpoints": {"ecs": endpoint, "iam": endpoint},
            "projectId": account.project_id,
            "credentials": {"password": {"secretRef": {"name": secret_name}}},
            # The simulator honours X-Client-Token.
            "createIdempotency": "Token",
            **(spec or {}),
        },
    }


def as_yaml(*objects: Mapping[str, Any]) -> str:
    """Objects as one stream for `kubectl apply -f -`."""
    return yaml.safe_dump_all(objects, sort_keys=False)
