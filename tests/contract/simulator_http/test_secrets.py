"""No secret is written down."""

from __future__ import annotations

from tests.contract.simulator_http.stage import CREATE, LIMITS, LIST, SECRET_KEY, SERVER, Lab, signed


async def test_no_secret_reaches_the_request_log(user: Lab) -> None:
    token = user.api.headers["X-Auth-Token"]
    canaries = {"password": "Canary-Passw0rd-1", "user data": "Y2FuYXJ5LXVzZXItZGF0YQ==", "query": "canary-in-the-query"}
    body = {"server": SERVER["server"] | {"adminPass": canaries["password"], "user_data": canaries["user data"]}}
    await user.api.post(CREATE, json=body)
    await user.api.get(f"{LIST}?password={canaries['query']}")
    await user.token(password=canaries["password"])
    await user.api.get(LIMITS, headers=signed(user, "GET", LIMITS))
    text = (
        (await user.admin.get("/_sim/requests")).text
        + (await user.admin.get("/_sim/ledger")).text
        + (await user.admin.get("/_sim/state")).text
    )
    for secret in (*canaries.values(), token, "Lab-Passw0rd!", SECRET_KEY):
        assert secret not in text
