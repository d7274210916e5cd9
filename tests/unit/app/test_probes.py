from __future__ import annotations

import httpx

from ecs_operator.app.probes import Probes


async def test_probes_tell_what_is_well_and_what_is_not() -> None:
    state = {"watches": True, "lease known": False}
    probes = Probes(host="127.0.0.1", port=0, live=lambda: {"watches": state["watches"]}, ready=lambda: state)
    await probes.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{probes.port}", trust_env=False) as client:
            live, ready = await client.get("/livez"), await client.get("/readyz")
            assert (live.status_code, live.text) == (200, "[+] watches\n")
            assert (ready.status_code, ready.text) == (503, "[+] watches\n[-] lease known\n")
            state.update({"watches": False, "lease known": True})
            assert (await client.get("/livez")).status_code == 503
            state.update({"watches": True})
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.get("/")).status_code == 404
    finally:
        await probes.close()
