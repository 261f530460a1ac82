"""An account's own periods: announced, counted, and then kept to; the chain of what stays still verifies."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx
import pytest

from payflux.activation.retention.choosing import MAIL
from payflux.activation.retention.dropping import drop_what_is_over
from payflux.app import create_app
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit.ids import new_id
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.exporting import export_ledger
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.ledger.verifying import verify_export
from payflux.monitor.processors import forgetting
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.tokens import access_token
from tests.integration.sso.conftest import browser_of
from tests.integration.team.conftest import add_member, alice, bob, set_plan, stored

__all__ = ["alice", "bob", "stored"]

DAY = timedelta(days=1)
PAGE = "/settings/retention"
NEWS = "UPDATE accounts SET entitlements_version = entitlements_version + 1"


async def fill(world: World, stored: asyncpg.Connection, alice: SignedIn, clock: MovedClock) -> None:
    """Artifacts of 500, 100 and 0 days ago, payment events of 1000, 500 and 100, tries at posts of 60 and 5."""
    workspace_id = await stored.fetchval("SELECT id FROM workspaces WHERE account_id = $1", alice.account_id)
    connection_id, now = new_id(), clock.now()
    await stored.execute(
        "INSERT INTO processor_connections (account_id, id, workspace_id, method, external_account_id, livemode, "
        "status, connected_at, capabilities, snapshot, history_from) "
        "VALUES ($1, $2, $3, 'webhook', 'x', false, 'active', $4, '{}', '{}', $5)",
        alice.account_id,
        connection_id,
        workspace_id,
        now,
        now - 1000 * DAY,
    )
    columns = await stored.fetch(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'payment_events'"
    )
    numbers = [row["column_name"] for row in columns if row["data_type"] in ("bigint", "smallint")]
    values = ", ".join("$4" if name == "at" else "1" for name in numbers)
    for age in (1000, 500, 100):
        await stored.execute(
            f"INSERT INTO payment_events (account_id, connection_id, workspace_id, source_id, read_at, "
            f"{', '.join(numbers)}) VALUES ($1, $2, $3, 'ch_{age}', now(), {values})",
            alice.account_id,
            connection_id,
            workspace_id,
            int((now - age * DAY).timestamp()),
        )
    for age in (60, 5):
        await stored.execute(
            "INSERT INTO alert_deliveries (account_id, id, kind, target, state, created_at, due_at) "
            "VALUES ($1, $2, 'webhook', $2, 'delivered', $3, $3)",
            alice.account_id,
            new_id(),
            now - age * DAY,
        )
    clock.move(-500 * DAY)
    for wait in (400, 100, 0):
        async with world.database.tenant(alice.account_id) as session:
            drafts = [Draft(kind=Kind.PROJECTION, body={"wait": wait})]
            place = {"account_id": alice.account_id, "workspace_id": workspace_id}
            await record_artifacts(world, session, **place, drafts=drafts)
        clock.move(wait * DAY)
    assert clock.now() == now


async def left(stored: asyncpg.Connection) -> tuple[int, int, int]:
    """How many bodies, payment events and deliveries there are."""
    row = await stored.fetchrow(
        "SELECT (SELECT count(body) FROM ledger_artifacts), (SELECT count(*) FROM payment_events), "
        "(SELECT count(*) FROM alert_deliveries)"
    )
    assert row is not None
    return tuple(row)


async def test_a_shorter_period_is_announced_a_week_before_it_drops_exactly_what_the_page_said(
    world: World,
    alice: SignedIn,
    bob: SignedIn,
    stored: asyncpg.Connection,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 1)  # so that it takes several transactions
    await set_plan(stored, alice, "enterprise", "active")
    await fill(world, stored, alice, clock)
    app = create_app(world)
    owner = await browser_of(world, app, alice)

    async def choose(kind: str, days: str) -> httpx.Response:
        return await owner.post(PAGE, {"kind": kind, "days": days})

    for kind, days, said in (
        ("evidence", "29", "Enter 30 to 3650 days"),
        ("payment_events", "365", "Enter 400 to 3650 days"),
        ("deliveries", "91", "Enter 7 to 90 days"),
        ("deliveries", "a week", "Enter 7 to 90 days"),
    ):
        for wrong in (await choose(kind, days), await owner.get(f"{PAGE}/{kind}/review?days={days}")):
            assert (wrong.status_code, said in wrong.text) == (422, True), (kind, days)
    review = await owner.get(f"{PAGE}/evidence/review?days=90")
    assert "The first night drops 2 entries from before" in review.text
    assert (await choose("evidence", "90")).headers["location"] == PAGE
    assert (await choose("payment_events", "600")).status_code == 303
    assert (await choose("deliveries", "14")).status_code == 303
    assert "Shorter from" in (await owner.get(PAGE)).text
    mails = await stored.fetch("SELECT user_id FROM activation_mails WHERE mail = $1", MAIL)
    assert [row["user_id"] for row in mails] == [alice.user_id] * 3

    clock.move(7 * DAY - timedelta(minutes=1))
    await drop_what_is_over(world)
    assert await left(stored) == (3, 3, 2)
    await set_plan(stored, alice, "enterprise", "canceled")
    await stored.execute(NEWS)
    clock.move(timedelta(minutes=1))
    await drop_what_is_over(world)
    assert await left(stored) == (3, 3, 2), "no plan is in force, and nothing is dropped"
    await set_plan(stored, alice, "enterprise", "active")
    await stored.execute(NEWS)
    await drop_what_is_over(world)
    assert await left(stored) == (1, 2, 1)
    history_from = await stored.fetchval("SELECT history_from FROM processor_connections")
    assert history_from == clock.now() - 600 * DAY
    async with world.database.tenant(alice.account_id) as session:
        workspace_id = await stored.fetchval("SELECT id FROM workspaces")
        pieces = [
            piece
            async for piece in export_ledger(world, session, account_id=alice.account_id, workspace_id=workspace_id)
        ]
    found = verify_export(b"".join(pieces).splitlines(keepends=True))
    assert (found.artifacts, found.without_body) == (3, 2)
    audited = await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'retention.changed'")
    assert audited == 3

    # who is no manager sees nothing of it, and who is looks at it as the owner does
    assert (await (await browser_of(world, app, bob)).get(PAGE)).status_code == 403
    grace = await add_member(world, alice, "Grace", "admin")
    assert (await (await browser_of(world, app, grace)).get(PAGE)).status_code == 200
    await set_plan(stored, alice, "pro", "active")
    await stored.execute(NEWS)
    page = await owner.get(PAGE)
    assert "Periods of your own need a plan that has them" in page.text
    assert "730 days" in page.text, "without the choice, the plan's own"
    assert (await choose("evidence", "60")).status_code == 402


async def test_programs_see_choose_and_take_back_a_period(
    world: World, alice: SignedIn, stored: asyncpg.Connection, clock: MovedClock
) -> None:
    await set_plan(stored, alice, "enterprise", "active")
    await fill(world, stored, alice, clock)
    token = await access_token(world, alice.account_id, world.settings)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(create_app(world)),
        base_url=f"{world.settings.url}/api/v1/retention",
        headers={"Authorization": f"Bearer {token}"},
    ) as api:
        seen = (await api.get("/evidence/outlook", params={"days": 200})).json()
        assert (seen["is_shorter"], seen["dropped"]) == (True, 1)
        chosen = (await api.put("/evidence", json={"days": 200})).json()
        assert (chosen["days"], chosen["chosen_days"], chosen["coming_days"]) == (None, None, 200)
        assert (await api.put("/evidence", json={"days": 10})).status_code == 422
        assert (await api.put("/audit", json={"days": 100})).status_code == 422
        back = (await api.put("/evidence", json={"days": None})).json()
        assert (back["days"], back["coming_at"]) == (None, None)
        await api.put("/deliveries", json={"days": 14})
        clock.move(8 * DAY)
        await drop_what_is_over(world)
        assert (await left(stored))[0] == 3
        token = await access_token(world, alice.account_id, world.settings)
        listed = (await api.get(str(api.base_url).rstrip("/"), headers={"Authorization": f"Bearer {token}"})).json()[
            "data"
        ]
        assert [(each["kind"], each["days"]) for each in listed] == [
            ("evidence", None),
            ("payment_events", None),
            ("deliveries", 14),
        ]
        # what was announced has come: it is the choice now
        assert (listed[2]["chosen_days"], listed[2]["coming_days"], listed[2]["coming_at"]) == (14, None, None)
