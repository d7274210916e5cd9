"""What is sent in the place of what would be accepted: tables of values, bodies, path segments, queries and headers."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tests.contract.fuzz.targets import NOWHERE

Headers = list[tuple[str, str]]
VALUES: Mapping[str, Any] = MappingProxyType(
    {
        "null": None,
        "an empty text": "",
        "white space": " \t\n",
        "a long text": "x" * 300,
        "an endless text": "x" * 70_000,
        "zero": 0,
        "minus one": -1,
        "a number beyond 32 bits": 2**31,
        "a number beyond 64 bits": 2**64,
        "an endless number": 10**400,
        "a fraction": 1.5,
        "a huge fraction": 1e308,
        "true": True,
        "an empty list": [],
        "an empty object": {},
        "a list of null": [None],
        "a list of lists": [[[]], [[]]],
        "a list of objects": [{}, {"id": None}],
        "a long list": ["x"] * 1100,
        "an object in an object": {"id": {"id": {"id": []}}},
        "a number as text": "99999999999999999999",
        "NUL": "a\x00b",
        "half a surrogate pair": "\ud800",
        "a surrogate pair": "\U0001f4a9",
        "turned writing": "\u202eabc\u0301",
        "digits of another script": "٣",
        "a path": "../../../etc/passwd",
        "a format": "%s%n{0}{self}",
        "markup": "<script>alert(1)</script>",
        "an id of nothing": NOWHERE,
    }
)
RAW_BODIES: Mapping[str, bytes] = MappingProxyType(
    {
        "nothing": b"",
        "white space": b" \r\n",
        "cut off": b'{"server": {"name": "x"',
        "two objects": b"{}{}",
        "an empty object": b"{}",
        "a list": b"[]",
        "a list of objects": b"[{}]",
        "null": b"null",
        "a number": b"1",
        "a text": b'"x"',
        "no UTF-8": b'{"server": "\xff\xfe"}',
        "UTF-16": '{"server": {}}'.encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf{}",
        "NaN": b'{"server": NaN, "limit": -Infinity}',
        "a number without end": b'{"server": ' + b"9" * 5000 + b"}",
        "an exponent without end": b'{"server": 1e999999}',
        "depth without end": b'{"server":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "single quotes": b"{'server': {}}",
        "a comment": b'{"server": {} // more\n}',
        "a form": b"server=x&name=y",
        "XML": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
    }
)
SEGMENTS: Mapping[str, str] = MappingProxyType(
    {
        "an id of nothing": NOWHERE,
        "a long one": "x" * 4000,
        "NUL": "%00",
        "no UTF-8": "%ff%fe",
        "half an escape": "%",
        "no escape": "%zz",
        "a slash": "a%2Fb",
        "dots": "..",
        "dots and slashes": "%2e%2e%2f%2e%2e%2fetc",
        "a space": "%20",
        "a quote": "%27%20OR%201=1",
        "markup": "%3Cscript%3E",
        "Chinese": "%E4%BA%91",
        "a surrogate": "%ED%A0%80",
        "a template": "{server_id}",
        "nothing": "",
        "a semicolon": "x;y=z",
        "detail": "detail",
        "null": "null",
    }
)
QUERIES: tuple[str, ...] = (
    "limit=-1",
    "limit=abc",
    "limit=1.5",
    "limit=999999999999999999999999",
    "limit=%D9%A3",
    "limit=",
    "limit=1&limit=x",
    "limit=0&marker=0",
    "marker=garbage",
    "limit=1&marker=%00",
    "marker=&marker=",
    "offset=-1",
    "offset=99999999999",
    "changes-since=yesterday",
    "changes-since=2020-13-45T99:99:99Z",
    "changes-since=0001-01-01T00:00:00%2B23:59",
    "changes-since=9999-12-31T23:59:59-23:59",
    "changes-since=20200101",
    "sort_key=__class__",
    "sort_key=name&sort_dir=up",
    "status=ZOMBIE",
    "name=(%5B",
    "name=%00",
    "name=" + "x" * 5000,
    "ip=%5B",
    "flavor=%ff",
    "tags=,,,&not-tags=,",
    "tags=" + ",".join(["a"] * 300),
    "deleted=maybe&all_tenants=1",
    "minRam=x&minDisk=-1",
    "type=SNAPSHOT&server=nothing",
    "user_id=" + NOWHERE,
    "delete_flag=2",
    "delete_flag=1&delete_flag=x",
    "availability_zone=%E4%BA%91",
    "include=nothing",
    "=&&=;&&",
    "%",
    "a" * 9000,
    "&".join(f"p{number}=1" for number in range(300)),
    "server_id=" + NOWHERE,
    "project_id=" + NOWHERE,
)
MICROVERSIONS: Mapping[str, Headers] = MappingProxyType(
    {
        f"{name}: {value}": [(name, value)]
        for name, values in {
            "x-openstack-nova-api-version": (
                "",
                "x",
                "2",
                "2.0",
                "2.999",
                "3.1",
                "2.1.1",
                "-2.1",
                "2.-1",
                "2.01",
                "9" * 500,
                "LATEST",
                "2.\xb2",
            ),
            "openstack-api-version": (
                "",
                ",,,",
                "compute",
                "compute 9.9",
                "compute x",
                "compute 2.60 y",
                "nova 2.2, compute z",
                "identity 3",
            ),
        }.items()
        for value in values
    }
)
CONTENT_TYPES: tuple[str, ...] = (
    "text/plain",
    "text/html",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
)
ODD_CONTENT_TYPES: tuple[str, ...] = ("", ";;;", "application/json; charset=latin-1", "application/json/x", "\xff", "APPLICATION/JSON")
_FORGED = "SDK-HMAC-SHA256 Access=LABACCESSKEY00000001, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64
CREDENTIALS: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "none": {"x_auth_token": None},
        "an empty token": {"x_auth_token": ""},
        "a forged token": {"x_auth_token": "MIIForged" + "A" * 200},
        "a token of odd characters": {"x_auth_token": "\xff\xfe\x01"},
        "an endless token": {"x_auth_token": "x" * 60_000},
        "a forged signature": {"x_auth_token": None, "authorization": _FORGED, "x_sdk_date": "20200101T000000Z"},
        "a forged signature beside a good token": {"authorization": _FORGED, "x_sdk_date": "20200101T000000Z"},
        "a signature cut off": {"x_auth_token": None, "authorization": "SDK-HMAC-SHA256 Access="},
        "a signature of nothing": {"x_auth_token": None, "authorization": "SDK-HMAC-SHA256 ,,,=,=="},
        "another scheme": {"x_auth_token": None, "authorization": "Basic bGFiOmxhYg=="},
        "an empty authorization": {"x_auth_token": None, "authorization": ""},
    }
)
CLIENT_TOKENS: tuple[str, ...] = ("", " ", "x" * 65, "x" * 10_000, "\xff\xfe", "a b", "../..", "7b0e6c1e-3c86-5c0e-9d5e-5c1d3d0a7a11")
