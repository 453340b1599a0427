"""Probes and metrics."""

import pytest

from daemon.core.ports import Check
from tests.daemon.http.studio import House, config, open_house


async def test_it_is_alive_as_long_as_it_makes_progress(house: House) -> None:
    assert await house.get("/healthz") == (200, {"status": "ok"})
    house.alive = False
    assert await house.get("/healthz") == (503, {"status": "stuck"})


async def test_it_is_ready_when_everything_is_well(house: House) -> None:
    house.checks = [Check("journal", True), Check("obs", True)]
    status, answer = await house.get("/readyz")
    assert (status, answer["ready"]) == (200, True)
    house.checks = [Check("journal", False, "disk full"), Check("obs", True)]
    status, answer = await house.get("/readyz")
    assert (status, answer["ready"]) == (503, False)
    assert answer["checks"]["journal"] == {"ok": False, "detail": "disk full"}


async def test_hooks_are_counted_by_outcome(house: House) -> None:
    headers = {"Content-Type": "application/json"}
    body = b'{"action":"on_publish","app":"live","stream":"alice","client_id":"c1"}'
    await house.post("/hooks/srs", data=body, headers=headers)
    await house.post("/hooks/srs", data=b"junk", headers=headers)
    async with house.client.get("/metrics") as response:
        text = await response.text()
    assert response.headers["Content-Type"].startswith("text/plain")
    assert 'motherstream_hooks_total{outcome="ok",server="srs"} 1.0' in text
    assert 'motherstream_hooks_total{outcome="not_json",server="srs"} 1.0' in text
    assert 'motherstream_hook_seconds_count{server="srs"} 2.0' in text


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/metrics", 401)])
async def test_probes_need_no_token_and_metrics_do(path: str, status: int) -> None:
    async with open_house(config(token="s3cret-token")) as house, house.client.get(path) as response:
        assert response.status == status
