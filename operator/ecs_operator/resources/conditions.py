"""The kstatus conditions of a reason: Ready always, Reconciling or Stalled only while they hold."""

from __future__ import annotations

from ecs_operator.api.reasons import REASONS, Progress, Reason
from ecs_operator.engine.conditions import Condition

MESSAGE_LIMIT = 1024
"""Characters of a condition's message."""


def conditions_for(reason: Reason, message: str, *, stalled: bool | None = None) -> tuple[Condition, ...]:
    """Ready, and Reconciling=True or Stalled=True as the reasons table says.

    ``stalled`` decides for OperationFailed, which is tried again up to a limit: False while it is, None leaves it to the table.
    """
    progress = REASONS[reason].progress
    if stalled is not None and progress in {Progress.RECONCILING, Progress.STALLED}:
        progress = Progress.STALLED if stalled else Progress.RECONCILING
    text = message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
    ready = Condition("Ready", "True" if progress is Progress.READY else "False", reason, text)
    match progress:
        case Progress.RECONCILING:
            return (ready, Condition("Reconciling", "True", reason, text))
        case Progress.STALLED:
            return (ready, Condition("Stalled", "True", reason, text))
        case _:
            return (ready,)
