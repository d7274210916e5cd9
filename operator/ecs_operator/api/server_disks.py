"""The disks an EcsServer is created with (ECS API reference 5.1.1, tables 5-5 and 5-6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import ApiModel, CloudId, ItemName
from ecs_operator.api.rules import Rule, validations

DiskType = Literal["SATA", "SAS", "SSD"]

MOST_DATA_VOLUMES = 59
"""Data disks of one server (ECS API reference 5.1.1); some flavors take only 23, which the cloud tells."""


class RootVolume(ApiModel):
    """The system disk."""

    type: DiskType
    """Disk type: SATA (common I/O), SAS (high I/O) or SSD (ultra-high I/O); the zone must offer it."""
    size_gib: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, alias="sizeGiB")
    """Size in GiB, 1 to 1024, at least the image's minimum. Absent: the image's minimum."""
    scsi: bool = False
    """true: a SCSI disk; false: a VBD disk. Default: false."""
    storage_pool_id: CloudId | None = None
    """Id of the dedicated storage pool (DSS) the disk is made in. Absent: the shared pool."""


class DataVolume(ApiModel):
    """A data disk that is made together with the server."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            Rule(
                test="!(has(self.dataImageId) && has(self.encryptionKeyId))",
                message="set at most one of dataImageId and encryptionKeyId: the cloud cannot encrypt a disk made from a data image; "
                "remove encryptionKeyId, or use an image that is encrypted",
                field=".encryptionKeyId",
            )
        )
    )

    name: ItemName
    """Name of the disk within this object; only a key, the cloud does not see it."""
    type: DiskType
    """Disk type: SATA (common I/O), SAS (high I/O) or SSD (ultra-high I/O); the zone must offer it."""
    size_gib: Annotated[int, Field(ge=10, le=32768)] = Field(alias="sizeGiB")
    """Size in GiB, 10 to 32768; at least that of the data image, where one is given."""
    scsi: bool | None = None
    """true: a SCSI disk; false: a VBD disk. Default: false."""
    storage_pool_id: CloudId | None = None
    """Id of the dedicated storage pool (DSS) the disk is made in. Absent: the shared pool."""
    data_image_id: CloudId | None = None
    """Id of a data image the disk is filled from. Not together with encryptionKeyId."""
    encryption_key_id: CloudId | None = None
    """Id of the KMS key the disk is encrypted with. Absent: not encrypted. Not together with dataImageId."""
    delete_with_server: bool | None = None
    """Whether the disk is deleted with the server; otherwise it is detached first and stays. Default: false."""
