"""Where answers differ from the examples on purpose, each with its reason. A row that is needed no more fails the test of its sections.

Rows whose reason begins with "decided" go back to a place where the reference contradicts itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.contract.examples.comparison import Difference


@dataclass(frozen=True)
class Deviation:
    """What may differ: in which sections, where (``*`` is anything), in which ways, and why."""

    sections: tuple[str, ...]
    where: str
    kinds: tuple[str, ...]
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Tell whether a difference is meant."""
        return difference.kind in self.kinds and fnmatchcase(difference.where, self.where)


_VALUE, _EXTRA = ("value",), ("extra",)
_WITH_METADATA = ("6.2.2", "6.2.5", "6.2.6", "6.3.6", "6.9.1")
_WITH_LINKS = ("6.2.1", "6.2.2", "6.2.4", "6.2.5", "6.2.6", "6.3.6", "11.2.1", "11.2.2", "11.2.3")

DEVIATIONS = (
    # What every section has
    Deviation(_WITH_LINKS, "*.links.#.href", ("version", "version in others"), "a link names the version that was called, /v2.1 here"),
    Deviation(_WITH_METADATA, "*metadata.*", _EXTRA, "the pairs that the cloud itself writes, table 8-17"),
    Deviation(("6.2.2", "6.2.5", "6.2.6"), "*.image", ("type",), "the image is always an object with an id, as in 6.3.6 (README)"),
    # Chapter 5
    Deviation(("5.1.1",), "serverIds", _EXTRA, "decided, 5.1.1: public versions of the API have it"),
    Deviation(("5.1.1",), "error.code", _VALUE, "decided, 5.1.1: code and message are swapped in the example"),
    Deviation(("5.1.1",), "error.message", _VALUE, "the same; and in the other example %s stands for address and subnet"),
    Deviation(("5.6.3", "5.6.4"), "*.size", ("type",), "decided, 5.6.3: size is Integer in the table, text in the example"),
    Deviation(("5.7.1",), "absolute.total*Used", _VALUE, "what this world uses"),
    Deviation(("5.9.2",), "total_count", _VALUE, "how many servers this world has"),
    # Chapter 6
    Deviation(("6.2.1",), "server.security_groups.#.name", _VALUE, "the example answers the first request, others name no group"),
    Deviation(("6.2.2",), "server.links.#.href", ("link",), "a bookmark has no version, but in this example, elsewhere in the reference"),
    Deviation(
        ("6.2.5", "6.2.6"),
        "*.OS-*",
        _EXTRA,
        "tables 6-38 and 6-49 have it and the example of section 3 shows it; this one is shortened",
    ),
    Deviation(("6.2.5", "6.2.6"), "*.accessIPv?", _EXTRA, "the same"),
    Deviation(("6.2.5", "6.2.6"), "*.os-extended-volumes:volumes_attached", _EXTRA, "the same"),
    Deviation(("6.2.5", "6.2.6"), "*.key_name", _EXTRA, "the same"),
    Deviation(("6.2.5", "6.2.6"), "*.config_drive", _EXTRA, "the same"),
    Deviation(("6.2.5", "6.2.6"), "*.security_groups", _EXTRA, "the same"),
    Deviation(("6.2.5",), "servers.#.addresses.*.OS-EXT-IPS*", _EXTRA, "the same: 6.2.6 shows it"),
    Deviation(("6.3.6",), "server.metadata.name", ("missing",), "the answer of the example has other metadata than its request"),
    Deviation(("6.3.6",), "server.adminPass", _VALUE, "a password that was made up"),
    Deviation(("6.4.1",), "networks.#.label", _VALUE, "networks are named by their VPC (README)"),
    Deviation(("6.4.1",), "networks.#.bridge", ("extra", "extra in others"), "table 6-88 has it, always null; the example leaves it out"),
    Deviation(("6.4.2",), "addresses.*.#.version", _VALUE, "networks have IPv4 addresses only (README)"),
    Deviation(("6.4.2",), "addresses.*.#.addr", _VALUE, "the same"),
    Deviation(("6.10.1",), "limits.absolute.total*Used", _VALUE, "what this world uses"),
    Deviation(("6.10.2",), "quota_set.fixed_ips", _VALUE, "unlimited, as in the example of 6.10.3"),
    Deviation(("6.10.3",), "quota_set.*", _VALUE, "the defaults of this cloud"),
    Deviation(("6.11.3",), "keypair.name", _VALUE, "the answers of the example have other names than its requests"),
    Deviation(
        ("6.11.3",),
        "keypair.type",
        _EXTRA,
        "fields by microversion: the request names user_id, which needs 2.10, and type is there from 2.2 on",
    ),
    Deviation(
        ("6.12.2", "6.12.3"), "*.user_id", _EXTRA, "decided, 6.12.2: fields by microversion; project_id and user_id come together in 2.13"
    ),
    Deviation(("6.13.1",), "instanceActions.#.message", ("null in others",), "what went well has no message, as in 6.13.2"),
    Deviation(("6.14.1",), "output", _VALUE, "what this server printed"),
    # Chapter 11
    Deviation(("11.2.2",), "images.#.OS-EXT-IMG-SIZE:size", _VALUE, "the size of this server's disk"),
    Deviation(("11.2.2",), "images.#.minDisk", _VALUE, "the same"),
    Deviation(
        ("11.2.2",),
        "images.#.metadata.*",
        ("value", "missing", "extra"),
        "the reference lists no pairs; they describe this server's flavor",
    ),
    Deviation(("11.2.2",), "images.#.server", ("missing in others",), "only an image that was made of a server has one (11.2.3)"),
    Deviation(("11.2.3",), "image.metadata.__os_bit", _EXTRA, "images of a seed have it, as in 11.2.4"),
    Deviation(("11.3.2",), "security_group.*", _VALUE, "the answer of the example has another name and description than its request"),
    Deviation(("11.4.1", "11.4.2"), "volumes.#.volumeType", ("null", "null in others"), "a disk here has a type (11.4.4)"),
    Deviation(("11.4.3",), "volume.volumeType", ("null",), "the same"),
    Deviation(("11.4.4",), "volume.volumeType", _VALUE, "the request asks for SSD, the example's answer says SATA"),
    Deviation(("11.4.4",), "volume.metadata.resourceSpecCode", _VALUE, "the same"),
    Deviation(("11.4.4",), "volume.availabilityZone", _VALUE, "the request asks for az1-dc1, the example's answer says az1.dc1"),
    Deviation(("11.5.7",), "floating_ip_pools.#.name", _VALUE, "the pool here is the one that 11.5.3 asks for"),
    Deviation(("11.5.7",), "floating_ip_pools", ("element",), "there is one pool only"),
    Deviation(("11.6.2",), "snapshot.volumeld", ("missing",), "decided, 5.6.1: a small L in the place of an I"),
    Deviation(("11.6.2",), "snapshot.volumeId", _EXTRA, "the same"),
)


def of(section: str) -> list[Deviation]:
    """Return the deviations of a section."""
    return [each for each in DEVIATIONS if section in each.sections]
