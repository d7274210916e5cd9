"""The error bodies of the API families, as the reference prints them (4.3, 5.1.1, 5.8.1, 10.3.1) and as Nova and Keystone do."""

from __future__ import annotations

import json
import re
from enum import Enum
from http import HTTPStatus
from typing import Any

from ecs_simulator.call import ApiError


class Family(Enum):
    """Whose manners a path has. It decides the shape of its errors and whether microversions mean anything."""

    ECS = "ecs"  # /v1, /v1.0, /v1.1 and the few /v2/{project_id}/cloudservers
    NOVA = "nova"  # /v2 and /v2.1
    IAM = "iam"  # /v3
    NONE = "none"  # /


class GatewayError(Exception):
    """A refusal by the gateway before any service, in the shape of section 4.3: ``{"error_code", "error_msg"}``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


# Nova's names of its faults; every other status is a computeFault.
NOVA_FAULTS = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}

JOB_QUERY = "5.8.1"
_CODE = re.compile(r"[A-Z][A-Za-z]+\.[0-9]{4}")


def family_of(segments: tuple[str, ...]) -> Family:
    """Return the family of a path given as its segments."""
    head = segments[0] if segments else ""
    if head == "v3":
        return Family.IAM
    if head in {"v1", "v1.0", "v1.1"} or (head == "v2" and len(segments) > 2 and segments[2] == "cloudservers"):
        return Family.ECS
    if head in {"v2", "v2.1"}:
        return Family.NOVA
    return Family.NONE


def error_body(error: ApiError, *, family: Family, section: str | None = None) -> dict[str, Any]:
    """Render a refusal in the shape of its family. Job queries answer flat (5.8.1, table 5-63)."""
    if error.nova or family in {Family.NOVA, Family.NONE}:
        return nova_body(error.status, error.message)
    if family is Family.IAM:
        return iam_body(error.status, error.message)
    if section == JOB_QUERY:
        return {"code": error.code, "message": error.message}
    body: dict[str, Any] = {"message": error.message, "code": error.code}
    if error.details:
        # A detail is a specific code, as in 5.1.1's example, or a text.
        body["details"] = [{"code": text} if is_code(text) else {"message": text} for text in error.details]
    return {"error": body}


def is_code(text: str) -> bool:
    """Tell a code of table A.2 ("Ecs.0039") from a text."""
    return _CODE.fullmatch(text) is not None


def nova_body(status: int, message: str) -> dict[str, Any]:
    """Shape a native fault, such as ``{"badRequest": {"code": 400, "message": …}}``."""
    return {NOVA_FAULTS.get(status, "computeFault"): {"code": status, "message": message}}


def iam_body(status: int, message: str) -> dict[str, Any]:
    """Shape a refusal of the identity service."""
    return {"error": {"code": status, "message": message, "title": reason(status)}}


def gateway_body(code: str, message: str, request_id: str) -> dict[str, Any]:
    """Shape a refusal by the gateway, section 4.3."""
    return {"error_msg": message, "error_code": code, "request_id": request_id}


def gateway_page(status: int) -> bytes:
    """Return the HTML page of a proxy that has no idea of the API behind it."""
    title = f"{status} {reason(status)}"
    return (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n".encode()
    )


def reason(status: int) -> str:
    """Return the phrase of a status, or an empty text for an unknown one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def encode(body: object) -> bytes:
    """Encode a JSON body in ASCII, so that nothing in it can fail to be encoded."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")
