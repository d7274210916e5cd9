"""What was done to a server, and what it wrote to its console (ECS API reference 6.13, 6.14)."""

from __future__ import annotations

from pydantic import Field

from ecs_operator.cloud.models.catalog import Links
from ecs_operator.cloud.models.wire import Answer, MaybeText, Text


class ActionEvent(Answer):
    """A step of an action. ``finish_time`` and ``result`` (``Success`` or ``Error``) are None while it is under way."""

    event: Text = ""
    start_time: Text = ""
    finish_time: MaybeText = None
    result: MaybeText = None
    traceback: MaybeText = Field(default=None, repr=False)


class InstanceAction(Answer):
    """What a request did to a server, such as ``create``, ``stop`` or ``attach_volume``; a ``message`` of ``Error`` means it failed.

    ``updated_at`` is empty below microversion 2.58; ``events`` are there when a single action is asked for.
    """

    action: str
    request_id: str
    server_id: Text = Field(alias="instance_uuid", default="")
    user_id: Text = ""
    project_id: Text = ""
    start_time: Text = ""
    updated_at: Text = ""
    message: MaybeText = None
    events: tuple[ActionEvent, ...] = ()

    @property
    def is_over(self) -> bool:
        """All its known steps ended."""
        return all(event.finish_time is not None for event in self.events)

    @property
    def failed(self) -> bool:
        """It, or a step of it, ended badly."""
        return self.message == "Error" or any(event.result == "Error" for event in self.events)


class InstanceActionAnswer(Answer):
    """The answer of 6.13.2."""

    action: InstanceAction = Field(alias="instanceAction")


class InstanceActionPage(Answer):
    """The answer of 6.13.1; links to further pages from microversion 2.58 on."""

    actions: tuple[InstanceAction, ...] = Field(alias="instanceActions")
    links: Links = ()


class ConsoleOutput(Answer):
    """The answer of 6.14.1. What a server writes may hold secrets."""

    output: Text = Field(repr=False)
