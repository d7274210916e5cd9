"""Where a volume is attached, as both families show it (ECS API reference 5.6.3, 6.8.1)."""

from __future__ import annotations

from ecs_simulator.world.resources import Volume


def attachment_row(volume: Volume) -> dict[str, str]:
    """Return what 6.8 shows, and 5.6 begins with."""
    attachment = volume.attachment
    return {
        "id": volume.id,
        "volumeId": volume.id,
        "serverId": attachment.server_id if attachment is not None else "",
        "device": attachment.device if attachment is not None else "",
    }
