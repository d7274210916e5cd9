"""From the API server's JSON to the engine's values."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import SecretData, UnavailableError
from ecs_operator.kube.resource_types import ResourceType


def kube_object(body: Mapping[str, Any], resource_type: ResourceType) -> KubeObject:
    """One object. Kind and version come from the table: the items of a list do not carry them. Raises UnavailableError if it is none."""
    try:
        metadata = body["metadata"]
        deleted_at = metadata.get("deletionTimestamp")
        return KubeObject(
            key=ObjectKey(resource_type.plural, metadata.get("namespace", ""), metadata["name"]),
            kind=resource_type.kind,
            api_version=resource_type.api_version,
            uid=metadata["uid"],
            resource_version=metadata["resourceVersion"],
            generation=metadata.get("generation", 0),
            created_at=datetime.fromisoformat(metadata["creationTimestamp"]),
            deleted_at=datetime.fromisoformat(deleted_at) if deleted_at else None,
            finalizers=tuple(metadata.get("finalizers") or ()),
            annotations=metadata.get("annotations") or {},
            labels=metadata.get("labels") or {},
            spec=body.get("spec") or {},
            status=body.get("status") or {},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # A truncated or foreign answer is no object; that is a failure of the call, not of the object.
        raise UnavailableError(f"{resource_type.plural}: the answer is not an object ({type(error).__name__})") from None


def secret_data(body: Mapping[str, Any], *, subject: str) -> SecretData:
    """A Secret. Raises UnavailableError when the answer is none; never with a value in its message."""
    try:
        decoded = {key: base64.b64decode(value, validate=True) for key, value in (body.get("data") or {}).items()}
        metadata = body["metadata"]
        return SecretData(
            resource_version=metadata["resourceVersion"],
            data=decoded,
            uid=metadata["uid"],
            finalizers=tuple(metadata.get("finalizers") or ()),
            is_deleting=metadata.get("deletionTimestamp") is not None,
        )
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise UnavailableError(f"{subject}: the answer is not a Secret ({type(error).__name__})") from None


def config_map_data(body: Mapping[str, Any], *, subject: str) -> SecretData:
    """A ConfigMap: text as UTF-8, and the binary data. Raises UnavailableError when the answer is none."""
    try:
        text = {key: value.encode() for key, value in (body.get("data") or {}).items()}
        binary = {key: base64.b64decode(value, validate=True) for key, value in (body.get("binaryData") or {}).items()}
        return SecretData(resource_version=body["metadata"]["resourceVersion"], data={**text, **binary})
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise UnavailableError(f"{subject}: the answer is not a ConfigMap ({type(error).__name__})") from None
