"""Reading the request of 5.1.1: its form is checked here, whether it can be fulfilled is for the world to say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecs_simulator.call import Call
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.pairs import MAX_VALUE, STRICT_KEY, read_pairs
from ecs_simulator.routes.passwords import require_strong
from ecs_simulator.routes.user_data import read_user_data
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.wishes import AddressWish, NicWish, ServerWish, VolumeWish

MAX_COUNT = 500
MAX_DATA_VOLUMES = 59
MAX_PAIRS = 10
_NAME = re.compile(r"[A-Za-z0-9_.\-\u4e00-\u9fff]+")


def read(call: Call) -> ServerWish:
    """Return the servers that are wished for; Refusal names the field that is wrong."""
    server = Fields.of(call.body, "server")
    count = server.integer("count", 1, 10**9) or 1
    if count > MAX_COUNT:
        raise invalid(f"server.count {count} exceeds {MAX_COUNT}.", "Ecs.0913")
    image_id = server.need_text("imageRef")
    image = call.world.images.get(image_id)
    windows = image is not None and image.is_seen_by(call.project.id) and image.os_type == "Windows"
    group_id, hints = read_hints(call, server)
    _check_region(call, server)
    return ServerWish(
        name=read_name(server, count),
        image_id=image_id,
        flavor_id=server.need_text("flavorRef"),
        vpc_id=server.need_text("vpcid"),
        user_id=call.user_id,
        nics=_nics(call, server),
        root=_volume(server.part("root_volume"), least=0, most=1024),
        data=_data_volumes(server),
        security_group_ids=tuple(item.need_text("id") for item in server.parts("security_groups") if item.text("id") is not None),
        address=_address(server),
        zone=server.text("availability_zone"),
        key_name=server.text("key_name"),
        user_data=read_user_data(server),
        metadata=_metadata(server, windows=windows),
        group_id=group_id,
        hints=hints,
        description=read_description(server),
        count=count,
    )


def read_name(server: Fields, count: int) -> str:
    """Return the name; shorter if several servers get it, with a number each."""
    name = server.need_text("name")
    if not _NAME.fullmatch(name):
        raise server.bad("name", "may have Chinese and Latin letters, digits, '_', '-' and '.' only", "Ecs.0915")
    length = sum(1 if character.isascii() else 2 for character in name)
    if length > 128 or (count > 1 and len(name) > 59):
        raise server.bad("name", "is longer than 128 Latin or 64 Chinese characters, or 59 if several servers are made", "Ecs.0914")
    return name


def read_description(server: Fields) -> str:
    """Return the description, an empty text if there is none."""
    text = server.text("description") or ""
    if len(text) > 85 or "<" in text or ">" in text:
        raise server.bad("description", "is longer than 85 characters, or has < or >", "Ecs.0041")
    return text


def _check_region(call: Call, server: Fields) -> None:
    """Refuse another region than this one (table 8-6); nothing else in there means anything here."""
    extra = server.optional_part("extendparam")
    region = extra.text("regionID") if extra is not None else None
    if extra is not None and region not in {None, call.world.region}:
        raise extra.bad("regionID", f"must be {call.world.region}")


def _nics(call: Call, server: Fields) -> tuple[NicWish, ...]:
    nics = server.parts("nics")
    if not nics:
        raise server.bad("nics", "is missing")
    wishes = tuple(
        NicWish(network_id=nic.need_text("subnet_id"), address=nic.text("ip_address"), mtu=_mtu(nic), is_open=_is_open(nic)) for nic in nics
    )
    if any(wish.is_open for wish in wishes):
        _check_open(call, server, wishes)
    return wishes


def _is_open(nic: Fields) -> bool:
    profile = nic.optional_part("binding:profile")
    return profile is not None and bool(profile.flag("disable_security_groups"))


def _check_open(call: Call, server: Fields, wishes: tuple[NicWish, ...]) -> None:
    """Refuse an interface without security groups but on HANA servers, one on each, and not the primary one (table 8-11)."""
    flavor = call.world.flavors.get(server.need_text("flavorRef"))
    if flavor is not None and flavor.specs.get("ecs:performancetype") != "saphana":
        raise server.bad("nics[].binding:profile", "is for HANA servers only", "Ecs.0910")
    if wishes[0].is_open or sum(wish.is_open for wish in wishes) > 1:
        raise server.bad("nics[].binding:profile", "leaves one interface at most without security groups, not the primary one", "Ecs.0910")


def _mtu(nic: Fields) -> int | None:
    mtu = None
    for option in nic.parts("extra_dhcp_opts"):
        if str(option.data.get("opt_name")) != "26":
            raise option.bad("opt_name", 'must be "26"')
        mtu = option.need_integer("opt_value", 1280, 8888)
    return mtu


def _volume(volume: Fields, *, least: int, most: int) -> VolumeWish:
    size = volume.integer("size", least, most)
    cluster = volume.text("cluster_id")
    if (volume.choice("cluster_type", ("DSS",)) is None) is not (cluster is None):
        raise volume.bad("cluster_id", "and cluster_type DSS go together", "Ecs.0911")
    passthrough = volume.data.get("hw:passthrough")
    return VolumeWish(
        type=volume.need_text("volumetype"),
        size=size or None,
        # Whatever is no Boolean makes a VBD disk (table 5-5).
        scsi=passthrough is True or str(passthrough).lower() == "true",
        image_id=volume.text("data_image_id"),
        metadata=_volume_metadata(volume),
        place=volume.where,
    )


def _volume_metadata(volume: Fields) -> dict[str, str]:
    """Return the metadata of a disk, which is for encryption only (table 8-7)."""
    pairs = read_pairs(volume.data.get("metadata"), where=volume.place("metadata"), key=STRICT_KEY)
    if any(len(value.encode()) > MAX_VALUE for value in pairs.values()):
        raise volume.bad("metadata", f"has a value of more than {MAX_VALUE} bytes")
    encrypted = pairs.get("__system__encrypted", "0")
    if encrypted not in {"0", "1"}:
        raise volume.bad("metadata.__system__encrypted", "must be 0 or 1", "Ecs.0912")
    if (encrypted == "1") is not ("__system__cmkid" in pairs):
        raise volume.bad("metadata.__system__cmkid", "goes with __system__encrypted 1", "Ecs.0912")
    return pairs


def _data_volumes(server: Fields) -> tuple[VolumeWish, ...]:
    volumes = server.parts("data_volumes")
    if len(volumes) > MAX_DATA_VOLUMES:
        raise server.bad("data_volumes", f"has {len(volumes)} disks, a server takes {MAX_DATA_VOLUMES}", "Ecs.0042")
    wishes = []
    for volume in volumes:
        volume.need_integer("size", 10, 32768)
        wish = _volume(volume, least=10, most=32768)
        if wish.image_id is not None and wish.metadata:
            raise volume.bad("metadata", "is not possible together with data_image_id")
        wishes.append(wish)
    return tuple(wishes)


def _address(server: Fields) -> AddressWish | None:
    public = server.optional_part("publicip")
    if public is None:
        return None
    identity, eip = public.text("id"), public.optional_part("eip")
    if (identity is None) is (eip is None):
        raise public.bad("id", "and eip exclude each other, one of them is needed")
    keep = public.flag("delete_on_termination")
    if eip is None:
        return AddressWish(id=identity, delete_on_termination=keep)
    bandwidth = eip.part("bandwidth")
    size = bandwidth.integer("size", 1, 1000, code="Ecs.0045")
    if size is None:
        raise bandwidth.bad("size", "is missing")
    bandwidth.choice("chargemode", ("traffic",))
    share = bandwidth.choice("sharetype", ("PER", "WHOLE"))
    if share is None:
        raise bandwidth.bad("sharetype", "is missing")
    return AddressWish(type=eip.need_text("iptype"), bandwidth=size, share_type=share, delete_on_termination=bool(keep))


def _metadata(server: Fields, *, windows: bool) -> dict[str, str]:
    pairs = read_pairs(server.data.get("metadata"), where=server.place("metadata"), key=STRICT_KEY)
    if len(pairs) > MAX_PAIRS:
        raise server.bad("metadata", f"has {len(pairs)} pairs, {MAX_PAIRS} are allowed")
    password = server.text("adminPass")
    require_passwords(server, pairs, windows=windows)
    if windows and password is not None:
        # Table 8-8: the password of a Windows server travels as metadata, and shows there.
        pairs = {**pairs, "admin_pass": password}
    if windows and server.text("key_name") is None and "admin_pass" not in pairs:
        raise server.bad("key_name", "or a password is needed for a Windows image")
    return pairs


def require_passwords(server: Fields, pairs: Mapping[str, str], *, windows: bool) -> None:
    """Refuse a weak password, in its own field or in the metadata (Ecs.0011)."""
    for name, value in (("adminPass", server.text("adminPass")), ("metadata.admin_pass", pairs.get("admin_pass"))):
        if value is not None:
            require_strong(value, where=server.place(name), user="Administrator" if windows else "root", windows=windows)


def read_hints(call: Call, server: Fields) -> tuple[str | None, dict[str, list[str]]]:
    """Return group and hints; they stand inside ``server`` here and beside it in 6.2.1, as text or as a list, also by Nova's older name."""
    body = Fields(call.body)
    places = ((owner, name) for owner in (server, body) for name in ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints"))
    part = next((owner.part(name) for owner, name in places if owner.has(name)), None)
    if part is None:
        return None, {}
    found: dict[str, list[str]] = {}
    for name in ("group", "tenancy", "dedicated_host_id"):
        value = part.data.get(name)
        values = value if isinstance(value, list) else [] if value is None or value == "" else [value]
        if len(values) > 1 or not all(isinstance(item, str) for item in values):
            raise part.bad(name, "must be one text")
        if values:
            found[name] = list(values)
    if found.get("tenancy", ["shared"])[0] not in {"shared", "dedicated"}:
        raise part.bad("tenancy", "must be shared or dedicated")
    if "dedicated_host_id" in found and found.get("tenancy") != ["dedicated"]:
        raise part.bad("dedicated_host_id", "needs tenancy dedicated")
    group = found.pop("group", None)
    return (group[0] if group else None), found
