"""Reading the request of 6.2.1: its form is checked here, whether it can be fulfilled is for the world to say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ecs_simulator.call import Call
from ecs_simulator.routes import create_request
from ecs_simulator.routes.answering import since
from ecs_simulator.routes.block_devices import Disks, read_disks
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.pairs import NATIVE_KEY, read_pairs
from ecs_simulator.routes.references import last_segment
from ecs_simulator.routes.user_data import read_user_data
from ecs_simulator.world import admission, interfaces, security_groups
from ecs_simulator.world.catalog import Network
from ecs_simulator.world.refusal import Absent, Refusal, Taken, invalid
from ecs_simulator.world.wishes import NicWish, ServerWish

# What Nova takes, and from which microversion on; what the reference says nothing about means nothing here.
_FIELDS = {
    **dict.fromkeys(
        (
            *("name", "imageRef", "flavorRef", "metadata", "adminPass", "block_device_mapping_v2", "config_drive", "security_groups"),
            *("networks", "key_name", "user_data", "availability_zone", "return_reservation_id", "min_count", "max_count"),
            *("OS-DCF:diskConfig", "personality", "accessIPv4", "accessIPv6", "os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"),
        ),
        1,
    ),
    "description": 19,
    "tags": 52,
}
_PERSONALITY_ENDS = 57
_AUTOMATIC = 37
MAX_TAGS = 50


@dataclass(frozen=True, slots=True)
class NativeWish:
    """What is wanted: the servers, and what the answer shows. ``password`` is the one that was sent."""

    wish: ServerWish
    wants_reservation: bool
    group_names: tuple[str, ...]
    password: str | None = field(default=None, repr=False)


def read(call: Call) -> NativeWish:
    """Return the servers that are wished for, as many as the quota allows between the least and the most wanted."""
    server = Fields.of(call.body, "server")
    _require_known(call, server)
    least, most = _counts(server)
    group_id, hints = create_request.read_hints(call, server)
    disks = read_disks(call, server)
    names, ids = _security_groups(call, server)
    nics = _nics(call, server)
    image = call.world.images.get(disks.image_id)
    windows = image is not None and image.is_seen_by(call.project.id) and image.os_type == "Windows"
    wish = ServerWish(
        name=create_request.read_name(server, most),
        image_id=disks.image_id,
        flavor_id=last_segment(server.need_text("flavorRef")),
        vpc_id=call.project.networks[nics[0].network_id].vpc_id,
        user_id=call.user_id,
        nics=nics,
        root=disks.root,
        data=disks.data,
        security_group_ids=ids,
        zone=_zone(server, disks),
        key_name=server.text("key_name"),
        user_data=read_user_data(server),
        metadata=_metadata(server, windows=windows),
        group_id=group_id,
        hints=hints,
        description=create_request.read_description(server),
        tags=_tags(server),
        count=most,
    )
    _check_several(wish)
    count = max(least, admission.affordable(call.world, call.project, wish)) if least < most else most
    return NativeWish(
        wish=replace(wish, count=count),
        wants_reservation=bool(server.flag("return_reservation_id")),
        group_names=names,
        password=server.text("adminPass"),
    )


def _require_known(call: Call, server: Fields) -> None:
    for name in server.data:
        least = _FIELDS.get(name)
        if least is None or (least > 1 and not since(call, least)) or (name == "personality" and since(call, _PERSONALITY_ENDS)):
            raise invalid(f"Additional properties are not allowed ({name[:64]!r} was unexpected)")
    server.choice("OS-DCF:diskConfig", ("AUTO", "MANUAL"))


def _counts(server: Fields) -> tuple[int, int]:
    """Return how many servers there must be at least, and how many at most."""
    low, high = server.integer("min_count", 1, 10**9), server.integer("max_count", 1, 10**9)
    least = low or 1
    most = high or least
    if least > most:
        raise server.bad("min_count", "must be <= max_count")
    if most > create_request.MAX_COUNT:
        raise server.bad("max_count", f"{most} exceeds {create_request.MAX_COUNT}", "Ecs.0913")
    return least, most


def _check_several(wish: ServerWish) -> None:
    if wish.count == 1:
        return
    if any(nic.port_id is not None for nic in wish.nics):
        raise invalid("Unable to launch multiple instances with a single configured port ID. Please launch your instances one by one.")
    if any(disk.volume_id is not None or disk.snapshot_id is not None for disk in (wish.root, *wish.data)):
        raise invalid("Cannot attach one or more volumes to multiple instances")


def _zone(server: Fields, disks: Disks) -> str | None:
    """Return the zone that is asked for, without the host that Nova lets administrators name behind it; else that of the disks."""
    zone = server.text("availability_zone")
    if zone is not None and ":" in zone:
        raise server.bad("availability_zone", "must not name a host")
    return zone or disks.zone


def _metadata(server: Fields, *, windows: bool) -> dict[str, str]:
    pairs = read_pairs(server.data.get("metadata"), where=server.place("metadata"), key=NATIVE_KEY)
    create_request.require_passwords(server, pairs, windows=windows)
    password = server.text("adminPass")
    if windows and password is not None:
        pairs = {**pairs, "admin_pass": password}
    if windows and server.text("key_name") is None and "admin_pass" not in pairs:
        raise server.bad("key_name", "or a password is needed for a Windows image")
    return pairs


def _tags(server: Fields) -> tuple[str, ...]:
    """Return the tags that Nova takes with a create from 2.52 on."""
    tags = server.data.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) and 1 <= len(tag) <= 80 and not set(tag) & set(",/") for tag in tags):
        raise server.bad("tags", "must be a list of texts of 1 to 80 characters without ',' and '/'")
    if len(set(tags)) > MAX_TAGS:
        raise server.bad("tags", f"has more than {MAX_TAGS} tags")
    return tuple(dict.fromkeys(tags))


def _security_groups(call: Call, server: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the groups as they were named, and their ids; the default one if none is named."""
    names = tuple(dict.fromkeys(name for item in server.parts("security_groups") if (name := item.text("name")) is not None))
    groups = call.project.security_groups
    ids = []
    for name in names:
        found = [name] if name in groups else [group.id for group in groups.values() if group.name == name]
        if not found:
            raise invalid(f"Unable to find security_group with name or id '{name[:255]}'")
        if len(found) > 1:
            raise Taken(f"Multiple security_groups matches found for name '{name[:255]}', use an ID to be more specific.")
        ids.append(found[0])
    if names:
        return names, tuple(ids)
    return ("default",), tuple(security_groups.default_ids(call.project))


def _nics(call: Call, server: Fields) -> tuple[NicWish, ...]:
    wanted = server.data.get("networks")
    if isinstance(wanted, str) and since(call, _AUTOMATIC):
        if wanted == "auto":
            return (NicWish(network_id=_any_network(call).id),)
        raise server.bad("networks", "must be a list or auto: a server here has an interface")
    if since(call, _AUTOMATIC) and wanted is None:
        raise server.bad("networks", "is missing")
    nics = tuple(_nic(call, item) for item in server.parts("networks"))
    ports = [nic.port_id for nic in nics if nic.port_id is not None]
    if len(set(ports)) < len(ports):
        raise Refusal("Ecs.0919", f"Port {ports[0]} is wanted twice.")
    return nics or (NicWish(network_id=_only_network(call).id),)


def _nic(call: Call, item: Fields) -> NicWish:
    """Return an interface: a port counts for more than a network, an address needs its network (6.2.1)."""
    port_id, network_id = item.text("port"), item.text("uuid")
    if port_id is not None:
        try:
            port = interfaces.free_port(call.project, port_id)
        except Absent as absent:
            raise item.bad("port", f"{port_id[:64]!r} could not be found", absent.code) from None
        return NicWish(network_id=port.network_id, address=port.address, port_id=port.id)
    if network_id is None:
        raise item.bad("uuid", "or port is needed")
    if network_id not in call.project.networks:
        raise item.bad("uuid", f"{network_id[:64]!r} could not be found", "Ecs.0038")
    return NicWish(network_id=network_id, address=item.text("fixed_ip"))


def _any_network(call: Call) -> Network:
    network = next(iter(call.project.networks.values()), None)
    if network is None:
        raise invalid("There is no network.", "Ecs.0038")
    return network


def _only_network(call: Call) -> Network:
    if len(call.project.networks) > 1:
        raise Taken("Multiple possible networks found, use a Network ID to be more specific.")
    return _any_network(call)
