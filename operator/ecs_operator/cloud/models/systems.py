"""The requests that install a server's system anew (ECS API reference 5.2.1, 5.2.2)."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from ecs_operator.cloud.models.secrets import StrongPassword, UserData
from ecs_operator.cloud.models.wire import Request, Uuid


class _Install(Request):
    """Exactly one of key pair and password lets somebody in afterwards. ``user_data`` is base64 text."""

    key_name: str | None = Field(alias="keyname", default=None, min_length=1, max_length=255)
    admin_pass: StrongPassword | None = Field(alias="adminpass", default=None, repr=False)
    user_data: UserData | None = Field(alias="metadata.user_data", default=None, repr=False)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.key_name is None) is (self.admin_pass is None):
            raise ValueError("exactly one of keyname and adminpass is needed")
        return self

    def body(self) -> dict[str, object]:
        """The body as it is sent, secrets and all."""
        fields: dict[str, object] = self.model_dump(by_alias=True, exclude_none=True, exclude={"admin_pass", "user_data"})
        if self.admin_pass is not None:
            fields["adminpass"] = self.admin_pass.get_secret_value()
        if self.user_data is not None:
            fields["metadata"] = {"user_data": self.user_data.get_secret_value()}
        return {self.place: fields}

    def secrets(self) -> tuple[str, ...]:
        """The secret values in the body, for masking them in what the cloud answers."""
        return tuple(secret.get_secret_value() for secret in (self.admin_pass, self.user_data) if secret is not None)


class ReinstallSystem(_Install):
    """Table 5-12: the same image on a new system disk. ``user_id`` is whose key pair it is."""

    operation: ClassVar[str] = "reinstallServer"
    place: ClassVar[str] = "os-reinstall"

    user_id: str = Field(alias="userid", min_length=1, max_length=64)


class ChangeSystem(_Install):
    """Table 5-16: another image on a new system disk. Without ``user_id`` the key pair is the caller's."""

    operation: ClassVar[str] = "changeServerImage"
    place: ClassVar[str] = "os-change"

    image_id: Uuid = Field(alias="imageid")
    user_id: str | None = Field(alias="userid", default=None, min_length=1, max_length=64)
