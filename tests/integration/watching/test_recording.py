"""What a live workspace's readings, alerts and scores leave in its ledger."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import msgspec

from payflux.activation.alerting import tell_alert
from payflux.activation.watching import read_workspace
from payflux.monitor.ledger.artifacts import sha256
from payflux.monitor.ledger.canonical import canonical
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.queries import list_artifacts
from payflux.monitor.projections.jobs import score_projections
from payflux.monitor.projections.models import ReserveProjectionRecord
from tests.integration.watching.conftest import DAY, START, Shop, dispute, sale


async def recorded(shop: Shop) -> list[LedgerArtifact]:
    """The artifacts of the shop, the oldest first."""
    async with shop.world.database.tenant(shop.account_id) as session:
        page = await list_artifacts(session, account_id=shop.account_id, workspace_id=shop.workspace_id, limit=1_000)
    return list(reversed(page.artifacts))


def body_of(artifact: LedgerArtifact) -> dict:
    assert artifact.body is not None
    assert sha256(artifact.body.encode()) == artifact.body_hash
    return msgspec.json.decode(artifact.body)


async def test_a_reading_is_recorded_where_it_says_more_and_once_a_day(shop: Shop) -> None:
    await shop.tell(sale(90_000, shop.now))
    [job] = await shop.jobs()
    for _ in range(2):
        await read_workspace(shop.world, job)
    [first] = await recorded(shop)
    said, newest = body_of(first), await shop.newest()
    assert (first.kind, said["reason"], said["risk"]["tier"]) == ("projection", "event", newest.surface.risk_tier)
    assert [window["trapped"] for window in said["windows"]] == [w.trapped for w in newest.projection.windows]
    assert (first.model_version, first.inputs_hash) == (newest.projection.model_version, newest.projection.inputs_hash)
    async with shop.world.database.tenant(shop.account_id) as session:
        rows = (await session.execute(ReserveProjectionRecord.__table__.select())).mappings().all()
    whole = max(rows, key=lambda row: (row["as_of"], row["id"]))["projection"]
    assert said["projection_hash"] == sha256(canonical(whole)).hex(), "as it is stored"
    shop.clock.move(DAY)
    await shop.set_connection(synced_through=shop.now, polled_through=shop.now)
    await read_workspace(shop.world, job)
    assert [each.kind for each in await recorded(shop)] == ["projection", "projection"]


async def test_what_an_alert_tells_is_recorded_once_without_the_name_of_its_rule(shop: Shop) -> None:
    await shop.tell(*(dispute(day * 100, shop.now) for day in range(60, 80)))
    shop.clock.move(timedelta(minutes=1))
    await shop.read()
    told = await shop.jobs("tell_alert")
    assert told
    for each in [*told, *told]:
        await tell_alert(shop.world, each)
    alerts = [body_of(each) for each in await recorded(shop) if each.kind == "alert"]
    assert Counter(alert["happening"] for alert in alerts) == {"raised": len(told)}
    assert {alert["event_id"] for alert in alerts} == {job["event_id"] for job in told}
    assert all("name" not in alert for alert in alerts)


async def test_the_score_of_a_projection_is_recorded_with_what_it_scores(shop: Shop) -> None:
    shop.clock.move(31 * DAY + timedelta(hours=1))
    await shop.set_connection(synced_through=shop.now)
    for _ in range(2):
        await score_projections(shop.world)
    [score] = [body_of(each) for each in await recorded(shop) if each.kind == "score"]
    assert (score["horizon_days"], score["projected_at"]) == (30, f"{START:%Y-%m-%dT%H:%M:%SZ}")
    assert score["score"]["sales"] == 0
    async with shop.world.database.tenant(shop.account_id) as session:
        rows = (await session.execute(ReserveProjectionRecord.__table__.select())).mappings().all()
    assert score["projection_hash"] == sha256(canonical(rows[0]["projection"])).hex()
