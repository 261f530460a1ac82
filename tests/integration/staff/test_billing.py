"""The staff see what has gone wrong with Stripe, and have it looked at again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from payflux.frontdoor.billing.models import BillingDifference, StripeEvent
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE
from tests.integration.staff.conftest import Desk


async def add_failed(world: World) -> None:
    now = world.clock.now()
    event = StripeEvent(
        id="evt_1",
        event_type="invoice.paid",
        livemode=False,
        created_at=now,
        received_at=now,
        due_at=now,
        payload_excerpt={"customer": "cus_1"},
        state="failed",
        attempts=12,
        outcome="UnknownPrice: no price of ours",
    )
    async with world.database.system() as session:
        session.add(event)


async def test_a_failed_event_is_shown_with_its_reason_and_applied_again(sam: Desk, world: World) -> None:
    await add_failed(world)
    page = (await sam.browser.get("/admin/billing")).text
    assert "evt_1" in page
    assert "no price of ours" in page
    again = await sam.browser.post("/admin/billing/events/evt_1/again", {})
    assert again.headers["Location"] == "/admin/billing?done=again"
    async with world.database.system() as session:
        event = (await session.execute(select(StripeEvent))).scalar_one()
    assert (event.state, event.attempts) == ("waiting", 0)
    assert "1 event of Stripe" in (await sam.browser.get("/admin/billing")).text
    assert (await sam.browser.post("/admin/billing/events/evt_1/again", {}, **MACHINE)).status_code == 404


async def test_a_difference_is_shown_in_words_with_the_account_it_is_about(
    sam: Desk, world: World, account_id: UUID
) -> None:
    now = world.clock.now()
    detail = {"account_id": str(account_id), "seat_limit": {"here": 9, "there": 2}}
    row = BillingDifference(id=new_id(), kind="state", subject="sub_1", detail=detail, found_at=now, last_seen_at=now)
    async with world.database.system() as session:
        session.add(row)
    page = (await sam.browser.get("/admin/billing")).text
    assert "Stripe says something else of a subscription than we do" in page
    assert "seat_limit: 9 here, 2 there" in page
    assert f"/admin/accounts/{account_id}" in page


async def test_while_stripe_does_not_answer_nothing_is_changed_and_sam_is_told(sam: Desk) -> None:
    answer = await sam.browser.post("/admin/billing/compare", {}, **MACHINE)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_an_account_that_is_gone_cannot_be_read(sam: Desk) -> None:
    answer = await sam.browser.post(f"/admin/billing/accounts/{new_id()}/read", {}, **MACHINE)
    assert answer.status_code == 404
