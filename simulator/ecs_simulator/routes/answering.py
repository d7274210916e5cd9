"""From what the world says to what HTTP says: every handler is wrapped for its API family."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from types import MappingProxyType

from ecs_simulator.call import ApiError, Call, Handler, Reply
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.refusal import Absent, Refusal, Taken

# Table A.2; every other code comes with 400.
_ECS_STATUSES: Mapping[str, int] = MappingProxyType(
    {"Ecs.0003": 403, "Ecs.0071": 403, "Ecs.0114": 404, "Ecs.0507": 403, "Ecs.0614": 404, "Ecs.0603": 501, "Common.1503": 429}
)
# What Nova documents for the same refusals.
_NOVA_STATUSES: Mapping[str, int] = MappingProxyType(
    {
        "Ecs.0100": 409,
        "Ecs.0603": 409,
        "Ecs.0605": 409,
        "Ecs.0102": 409,
        "Ecs.0919": 409,
        "Ecs.0001": 403,
        "Ecs.0013": 403,
        "Ecs.0021": 403,
        "Ecs.0022": 403,
        "Ecs.0071": 403,
        "Ecs.0104": 403,
        "Ecs.0110": 403,
        "Ecs.0507": 403,
        "Common.1503": 429,
    }
)


def ecs(handler: Handler) -> Handler:
    """Wrap a handler of chapter 5. What is absent without a code of its own is answered as the native API behind it answers."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        try:
            return handler(call)
        except Absent as absent:
            raise ApiError(404, absent.code, absent.message, nova=absent.kind not in {"server", "instance"}) from None
        except Refusal as refusal:
            raise ApiError(_ECS_STATUSES.get(refusal.code, 400), refusal.code, refusal.message, refusal.details) from None

    return answer


def nova(handler: Handler) -> Handler:
    """Wrap a native handler (chapters 6 and 11)."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        try:
            return handler(call)
        except Absent as absent:
            raise ApiError(404, absent.code, absent.message, nova=True) from None
        except Taken as taken:
            raise ApiError(409, taken.code, taken.message, nova=True) from None
        except Refusal as refusal:
            raise ApiError(_NOVA_STATUSES.get(refusal.code, 400), refusal.code, refusal.message, nova=True) from None

    return answer


def until(version: tuple[int, int], handler: Handler) -> Handler:
    """Wrap a native handler that Nova took away after a microversion: 404 above it."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        if call.microversion is not None and call.microversion > version:
            raise ApiError(404, "Ecs.0005", "The resource could not be found.", nova=True)
        return handler(call)

    return nova(answer)


def from_version(version: tuple[int, int], handler: Handler) -> Handler:
    """Wrap a native handler that came with a microversion: 404 below it, and where there are no microversions."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        if call.microversion is None or call.microversion < version:
            raise ApiError(404, "Ecs.0005", "The resource could not be found.", nova=True)
        return handler(call)

    return nova(answer)


def cause_of(call: Call) -> Cause:
    """Return what goes into the ledger about a call."""
    return Cause(request_id=call.request_id, token=call.headers.get("x-client-token"), user_id=call.user_id)


def since(call: Call, minor: int) -> bool:
    """Tell whether a call's microversion is at least 2.minor."""
    return call.microversion is not None and call.microversion >= (2, minor)
