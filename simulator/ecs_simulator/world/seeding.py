"""Populating a world from a seed, and adding projects of its own kind later."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecs_simulator.world import public_keys, security_groups
from ecs_simulator.world.accounts import AccessKey, User
from ecs_simulator.world.catalog import Flavor, Image, KeyPair, Network, SecurityGroup
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import FloatingIp, Port, Volume

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_TOP = {"seed", "region", "zones", "diskTypes", "flavors", "images", "projects", "behaviour", "durations"}
_PROJECT = {"id", "name", "domain", "users", "quota", "frozen", "networks", "securityGroups", "keyPairs", "volumes", "floatingIps", "ports"}
ADDED_CIDR = "192.168.0.0/20"


def checked(seed: Mapping[str, Any]) -> dict[str, Any]:
    """Return a seed with its defaults filled in; ValueError for an unknown or missing part."""
    _known(seed, _TOP, "the seed")
    content = {"seed": 1, "region": "eu-west-0", "diskTypes": ["SATA", "SAS", "SSD"], "behaviour": {}, "durations": {}, **seed}
    for name in ("zones", "diskTypes", "flavors", "images", "projects"):
        if not isinstance(content.get(name), list) or not content[name]:
            raise ValueError(f"{name} must be a list with something in it")
    wrong = [
        name for name, kind in (("seed", int), ("region", str), ("behaviour", dict), ("durations", dict)) if type(content[name]) is not kind
    ]
    if wrong:
        raise ValueError(f"{wrong[0]} is of another type than in the default seed")
    return content


def disk_types(content: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the types of disks, each a name or ``{name, soldOut}``, and the zones where they are sold out."""
    found: dict[str, list[str]] = {}
    for row in content["diskTypes"]:
        if isinstance(row, Mapping):
            _known(row, {"name", "soldOut"}, "a type of disks")
        name, zones = (row.get("name"), row.get("soldOut", [])) if isinstance(row, Mapping) else (row, [])
        if not isinstance(name, str) or not isinstance(zones, list) or not set(map(str, zones)) <= set(map(str, content["zones"])):
            raise ValueError(f"diskTypes: {row!r} is neither a name nor a name with soldOut zones that are in zones")
        found[name] = [str(zone) for zone in zones]
    return found


def populate(world: World, content: Mapping[str, Any]) -> None:
    """Fill a new world; ValueError names the part of the seed that is wrong."""
    world.disks_sold_out = {name: zones for name, zones in disk_types(content).items() if zones}
    world.behaviour.change(content["behaviour"])
    world.durations.change(content["durations"])
    for row in content["flavors"]:
        flavor = _made("flavors", row, lambda row: _flavor(world, row))
        world.flavors[flavor.id] = flavor
    for row in content["images"]:
        image = _made("images", row, lambda row: _image(world, row))
        world.images[image.id] = image
    for row in content["projects"]:
        project = _made("projects", row, lambda row: _project(world, row))
        if project.id in world.projects:
            raise ValueError(f"projects: {project.id} is there twice")
        world.projects[project.id] = project


def add_project(world: World, name: str, *, quota: Mapping[str, int] | None) -> dict[str, Any]:
    """Add an isolated project: account, user with password and access key, network, key pair, a free disk and a free address."""
    if any(name in {project.name, project.id} for project in world.projects.values()):
        raise ValueError(f"there is a project {name} already")
    ids, zone = world.ids, world.zones[0]
    row = {
        "id": ids.hexadecimal(),
        "name": name,
        "domain": {"id": ids.hexadecimal(), "name": f"{name}-account"},
        "users": [
            {
                "id": ids.hexadecimal(),
                "name": f"{name}-user",
                "password": f"Pw-{ids.text(16)}1!",
                "accessKeys": [{"accessKey": f"SIM{ids.text(17).upper()}", "secretKey": ids.text(40)}],
            }
        ],
        "quota": dict(quota or {}),
        "networks": [{"id": ids.uuid(), "subnetId": ids.uuid(), "vpcId": ids.uuid(), "name": f"{name}-subnet", "cidr": ADDED_CIDR}],
        "securityGroups": [{"id": ids.uuid(), "name": "default"}, {"id": ids.uuid(), "name": "web"}],
        "keyPairs": [{"name": "ops"}],
        "volumes": [{"id": ids.uuid(), "name": "shared-data", "type": world.disk_types[-1], "size": 10, "zone": zone}],
        "floatingIps": [{"id": ids.uuid(), "address": world.public_address()}],
    }
    project = _project(world, row)
    world.projects[project.id] = project
    return account_of(world, project)


def account_of(world: World, project: Project) -> dict[str, Any]:
    """Return what is needed to log in to a project and to make a server there, an empty text for what its seed did not give it."""
    user = next(iter(project.users.values()))
    network = next(iter(project.networks.values()), None)
    key = user.access_keys[0] if user.access_keys else None
    flavors = sorted(world.flavors.values(), key=lambda flavor: flavor.ram)
    return {
        "projectId": project.id,
        "projectName": project.name,
        "domainName": user.domain_name,
        "username": user.name,
        "password": user.password,
        "accessKey": key.access_key if key is not None else "",
        "secretKey": key.secret_key if key is not None else "",
        "region": world.region,
        "vpcId": network.vpc_id if network is not None else "",
        "subnetId": network.id if network is not None else "",
        "securityGroupId": next(iter(project.security_groups), ""),
        "keyPairName": next((pair.name for pair in project.key_pairs.values()), ""),
        "volumeId": next(iter(project.volumes), ""),
        "imageId": next(iter(world.images)),
        "flavorId": flavors[min(2, len(flavors) - 1)].id,
        "availabilityZone": world.zones[0],
    }


def _known(row: Mapping[str, Any], names: set[str], where: str) -> None:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} must be a mapping")  # noqa: TRY004 -- a seed is text that somebody wrote
    unknown = sorted(str(name) for name in set(row) - names)
    if unknown:
        raise ValueError(f"{where} has an unknown part {unknown[0]!r}; known are {', '.join(sorted(names))}")


def _made(where: str, row: Any, make: Any) -> Any:  # noqa: ANN401 -- a row of YAML and what is made of it
    """Make something of a row, and say which row it was if that fails."""
    identity = row.get("id") if isinstance(row, Mapping) else row
    try:
        return make(row)
    except KeyError as error:
        raise ValueError(f"{where}: {identity} lacks {error.args[0]}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{where}: {identity}: {error}") from error


def _flavor(world: World, row: Mapping[str, Any]) -> Flavor:
    _known(row, {"id", "vcpus", "ram", "specs", "soldOut", "maxDataVolumes"}, "a flavor")
    sold_out = [str(zone) for zone in row.get("soldOut", ())]
    if not set(sold_out) <= set(world.zones):
        raise ValueError("soldOut names a zone that is not in zones")
    specs = {str(key): str(value) for key, value in row.get("specs", {}).items()}
    return Flavor(
        id=str(row["id"]),
        vcpus=int(row["vcpus"]),
        ram=int(row["ram"]),
        specs=specs,
        sold_out=sold_out,
        max_data_volumes=int(row.get("maxDataVolumes", 59)),
    )


def _image(world: World, row: Mapping[str, Any]) -> Image:
    _known(row, {"id", "name", "osType", "minDisk", "minRam", "size", "status", "metadata", "cloudInit"}, "an image")
    os_type = str(row["osType"])
    metadata = {"__os_type": os_type, "__os_bit": "64", "__os_version": str(row["name"]), "virtual_env_type": "KVM"}
    return Image(
        id=str(row["id"]),
        name=str(row["name"]),
        os_type=os_type,
        min_disk=int(row["minDisk"]),
        min_ram=int(row.get("minRam", 0)),
        size=int(row.get("size", 1024**3)),
        status=str(row.get("status", "active")),
        created=world.now(),
        cloud_init=bool(row.get("cloudInit", True)),
        metadata={**metadata, **{str(key): str(value) for key, value in row.get("metadata", {}).items()}},
    )


def _project(world: World, row: Mapping[str, Any]) -> Project:
    _known(row, _PROJECT, "a project")
    project = Project(id=str(row["id"]), name=str(row["name"]), frozen=bool(row.get("frozen", False)))
    project.quota.change(row.get("quota", {}))
    project.users = {user.id: user for user in (_user(each, row["domain"]) for each in row["users"])}
    if not project.users:
        raise ValueError("users must have one user at least")
    project.networks = _by_id(_network(each) for each in row.get("networks", ()))
    project.security_groups = _by_id(_security_group(world, each) for each in row.get("securityGroups", ()))
    project.ports = _by_id(_port(world, project, each) for each in row.get("ports", ()))
    owner = next(iter(project.users))
    for each in row.get("keyPairs", ()):
        project.add_key_pair(_key_pair(world, project, each, owner))
    project.volumes = _by_id(_volume(world, project.id, each) for each in row.get("volumes", ()))
    project.floating_ips = _by_id(
        FloatingIp(id=str(each["id"]), address=str(ipaddress.IPv4Address(each["address"])), created=world.now())
        for each in row.get("floatingIps", ())
    )
    return project


def _by_id(items: Any) -> dict[str, Any]:  # noqa: ANN401 -- anything with an id
    return {item.id: item for item in items}


def _user(row: Mapping[str, Any], domain: Mapping[str, Any]) -> User:
    keys: Sequence[Mapping[str, Any]] = row.get("accessKeys", ())
    return User(
        id=str(row["id"]),
        name=str(row["name"]),
        password=str(row["password"]),
        domain_id=str(domain["id"]),
        domain_name=str(domain["name"]),
        access_keys=[
            AccessKey(access_key=str(key["accessKey"]), secret_key=str(key["secretKey"]), security_token=key.get("securityToken"))
            for key in keys
        ],
    )


def _network(row: Mapping[str, Any]) -> Network:
    return Network(
        id=str(row["id"]),
        subnet_id=str(row["subnetId"]),
        vpc_id=str(row["vpcId"]),
        name=str(row["name"]),
        cidr=str(ipaddress.IPv4Network(row["cidr"])),
    )


def _security_group(world: World, row: Mapping[str, Any]) -> SecurityGroup:
    group = SecurityGroup(id=str(row["id"]), name=str(row["name"]), description=str(row.get("description", "")))
    if group.is_default:
        group.rules = security_groups.usual_rules(world, group.id)
    return group


def _port(world: World, project: Project, row: Mapping[str, Any]) -> Port:
    """Make a port that is on no server yet."""
    identity, address = str(row["id"]), row.get("address")
    network = project.networks.get(str(row["networkId"]))
    if network is None:
        raise ValueError(f"port {identity} is on a network that is not there")
    try:
        if address is not None:
            network.check(str(address))
        chosen = network.take(identity, str(address) if address is not None else None)
    except Refusal as refusal:
        raise ValueError(f"port {identity}: {refusal.message}") from refusal
    return Port(
        id=identity,
        network_id=network.id,
        address=chosen,
        mac=str(row.get("mac") or world.ids.mac()),
        server_id=None,
        security_group_ids=security_groups.default_ids(project),
        kept=True,
    )


def _key_pair(world: World, project: Project, row: Mapping[str, Any], owner: str) -> KeyPair:
    name, user_id = str(row["name"]), str(row.get("userId", owner))
    if user_id not in project.users or project.key_pair(user_id, name) is not None:
        raise ValueError(f"key pair {name} is of no user of the project, or there twice")
    public_key = str(row.get("publicKey") or public_keys.nobodys(world.ids.text(43)))
    return KeyPair(
        name=name,
        user_id=user_id,
        public_key=public_key,
        created=world.now(),
        fingerprint=public_keys.fingerprint(public_key),
        id=len(project.key_pairs) + 1,
    )


def _volume(world: World, project_id: str, row: Mapping[str, Any]) -> Volume:
    zone, kind = str(row["zone"]), str(row["type"])
    if zone not in world.zones or kind not in world.disk_types:
        raise ValueError(f"volume {row['id']} is of a zone or type that is not there")
    return Volume(
        id=str(row["id"]), project_id=project_id, name=str(row["name"]), size=int(row["size"]), type=kind, zone=zone, created=world.now()
    )
