"""Holding an answer against the reference's example: every documented key, its type, its form, and its value where that is determined.

Objects are compared key by key, lists element by element: every element of the example must be found in the answer, and everything else
in the answer must have the shape of one of them. Ids, times, links and the like are compared by their form, everything else by its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

# Objects whose keys are data: names of networks, metadata, extra specs. Beyond the elements an example prints only their values count.
MAPS = frozenset({"metadata", "addresses", "os_extra_specs", "extra_specs"})
# What an example may look like, after white space that the extraction let slip in was taken out, and what an answer must look like.
# The examples have ids that lost a digit, and secrets that were masked.
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LOOSE_UUID = "[0-9A-Za-z]{8}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{11,12}"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
FORMS: tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (name, re.compile(example), re.compile(answer))
    for name, example, answer in (
        ("a UUID", _LOOSE_UUID, _UUID),
        ("a request id", f"req-{_LOOSE_UUID}", f"req-{_UUID}"),
        ("an id of 32 digits", "[0-9a-f]{31,33}", "[0-9a-f]{32}"),
        ("a host id", "[0-9a-f]{55,56}", "[0-9a-f]{56}"),
        ("a time in seconds", f"{_DAY}Z", f"{_DAY}Z"),
        ("a time in milliseconds", rf"{_DAY}\.[0-9]{{3}}Z", rf"{_DAY}\.[0-9]{{3}}Z"),
        ("a time in microseconds", rf"{_DAY}\.[0-9]{{6}}", rf"{_DAY}\.[0-9]{{6}}"),
        ("an IPv4 address", r"[0-9]+(?:\.[0-9]+){3}", r"[0-9]+(?:\.[0-9]+){3}"),
        ("a hardware address", "fa:16:3e(?::[0-9a-f]{2}){3}", "fa:16:3e(?::[0-9a-f]{2}){3}"),
        ("a reservation", "r-[a-z0-9]{8}", "r-[a-z0-9]{8}"),
        ("a device", "/dev/[sv]d[a-z]", "/dev/[sv]d[a-z]"),
        ("a PCI address", r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.0", r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.0"),
        ("a fingerprint", r"(?:[0-9a-f]{2}:)+[*.]+", "(?:[0-9a-f]{2}:){15}[0-9a-f]{2}"),
        ("a public key", r"ssh-rsa[A-Za-z0-9+/*]+Generated-by-Nova", r"ssh-rsa [A-Za-z0-9+/]+=* Generated-by-Nova\n"),
        (
            "a private key",
            r"-----BEGINRSAPRIVATEKEY-----\*+-----ENDRSAPRIVATEKEY-----",
            r"-----BEGIN RSA PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+\n-----END RSA PRIVATE KEY-----\n",
        ),
        ("a secret", r"[A-Za-z0-9+/]*\*+", r"[A-Za-z0-9+/=]{8,}"),
    )
)
_HOST = re.compile(r"^(?:https?://)+[^/]*")
_OTHERS = " in others"
_VERSIONS = frozenset({"v2", "v2.1"})


class Difference(NamedTuple):
    """Something that is not as in the example. In ``where`` the elements of lists are ``#``.

    ``kind`` is missing, extra, type, null, value, form, link, version or element; of an element that the example has not, "… in others".
    """

    where: str
    kind: str
    text: str


@dataclass(frozen=True)
class Comparison:
    """What of an example stands for something else here: whole texts, keys, and the segments of links."""

    stands_for: Mapping[str, str]

    def differences(self, example: Any, answer: Any) -> list[Difference]:
        """Return everything in which an answer is not as the example."""
        return list(self._compare(example, answer, "", by_value=True))

    def _compare(self, example: Any, answer: Any, where: str, *, by_value: bool) -> Iterator[Difference]:
        kinds = _kind(example), _kind(answer)
        if kinds[0] != kinds[1]:
            kind = "null" if "null" in kinds else "type"
            yield Difference(where, kind, f"the example has {kinds[0]} {_short(example)}, the answer {kinds[1]} {_short(answer)}")
        elif isinstance(example, dict):
            yield from self._compare_objects(example, answer, where, by_value=by_value)
        elif isinstance(example, list):
            yield from self._compare_lists(example, answer, where, by_value=by_value)
        elif isinstance(example, str):
            yield from self._compare_texts(example, answer, where, by_value=by_value)
        elif by_value and example != answer:
            yield Difference(where, "value", f"the example has {example}, the answer {answer}")

    def _compare_objects(self, example: dict[str, Any], answer: dict[str, Any], where: str, *, by_value: bool) -> Iterator[Difference]:
        wanted = {self.stands_for.get(key, key): value for key, value in example.items()}
        if not by_value and where.rpartition(".")[2] in MAPS:
            yield from self._compare_lists([*wanted.values()][:1], [*answer.values()], where, by_value=False)
            return
        for key, value in wanted.items():
            place = f"{where}.{key}" if where else key
            if key in answer:
                yield from self._compare(value, answer[key], place, by_value=by_value)
            else:
                yield Difference(place, "missing", f"the example has {_short(value)}")
        for key in answer.keys() - wanted.keys():
            yield Difference(f"{where}.{key}" if where else key, "extra", f"the answer has {_short(answer[key])}")

    def _compare_lists(self, example: list[Any], answer: list[Any], where: str, *, by_value: bool) -> Iterator[Difference]:
        place = f"{where}.#"
        left = list(answer)
        for wanted in example if by_value else ():
            found, differences = self._nearest(wanted, left, place)
            if found is None:
                yield Difference(where, "element", f"the answer has nothing like {_short(wanted)}")
                continue
            left.pop(found)
            yield from differences
        for element in left:
            if example:
                nearest = min((list(self._compare(wanted, element, place, by_value=False)) for wanted in example), key=len)
                yield from (each._replace(kind=f"{each.kind.removesuffix(_OTHERS)}{_OTHERS}") for each in nearest)
            else:
                yield Difference(place, "extra", f"the example has an empty list, the answer {_short(element)}")

    def _nearest(self, wanted: Any, elements: list[Any], place: str) -> tuple[int | None, list[Difference]]:
        """Return which element is most like what is wanted, and in what it is not."""
        compared = [list(self._compare(wanted, element, place, by_value=True)) for element in elements]
        if not compared:
            return None, []
        index = min(range(len(compared)), key=lambda number: len(compared[number]))
        return index, compared[index]

    def _compare_texts(self, example: str, answer: str, where: str, *, by_value: bool) -> Iterator[Difference]:
        if example.startswith("http"):
            yield from self._compare_links(example, answer, where, by_value=by_value)
            return
        if example in self.stands_for:
            if by_value and answer != self.stands_for[example]:
                yield Difference(
                    where, "value", f"{example!r} of the example is {self.stands_for[example]!r} here, the answer has {answer!r}"
                )
            return
        form = _form(example)
        if form is not None:
            if not form[2].fullmatch(answer):
                yield Difference(where, "form", f"the example has {form[0]}, the answer {answer!r}")
        elif by_value and example != answer:
            yield Difference(where, "value", f"the example has {example!r}, the answer {answer!r}")

    def _compare_links(self, example: str, answer: str, where: str, *, by_value: bool) -> Iterator[Difference]:
        """Compare a link by its path: words must be the same, ids must have their form."""
        if not answer.startswith("http"):
            yield Difference(where, "form", f"the example has a link, the answer {answer!r}")
            return
        wanted, found = (_HOST.sub("", link).split("/") for link in (example, answer))
        if len(wanted) != len(found):
            yield Difference(where, "link", f"the example has {example}, the answer {answer}")
            return
        for one, other in zip(wanted, found, strict=True):
            if {one, other} == _VERSIONS:
                yield Difference(where, "version", f"the example has {example}, the answer {answer}")
            else:
                for each in self._compare_texts(one, other, where, by_value=by_value):
                    yield Difference(where, "link", each.text)


def _form(text: str) -> tuple[str, re.Pattern[str], re.Pattern[str]] | None:
    bare = re.sub(r"\s", "", text)
    return next((form for form in FORMS if form[1].fullmatch(bare)), None)


def _kind(value: Any) -> str:
    """Name a JSON type. 1 and 1.0 are the same there."""
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names[type(value)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
