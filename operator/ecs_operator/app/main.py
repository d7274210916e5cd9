"""Start of the process, and what its exit code says."""

from __future__ import annotations

import asyncio
import logging

from ecs_operator.app import logs
from ecs_operator.app.process import StartError, run
from ecs_operator.app.settings import Settings
from ecs_operator.app.wiring import KINDS
from ecs_operator.kube.credentials import CredentialsError
from ecs_operator.kube.identity import IdentityError

logger = logging.getLogger(__name__)


def main(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT. 0 after a clean stop, 1 when something ended that should not, 2 when the configuration is wrong."""
    logs.set_up(form=settings.log_format, level=settings.log_level)
    try:
        asyncio.run(run(settings, KINDS))
    except (CredentialsError, IdentityError, StartError) as error:
        logger.critical("cannot start: %s", error)
        return 2
    except Exception:
        logger.critical("ended by an error", exc_info=True)
        return 1
    return 0
