"""The endpoint for our own billing: the signature is the only gate, and each event is kept once, for a worker."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text

from payflux.app import create_app
from payflux.frontdoor.billing.inbox import APPLIED
from payflux.frontdoor.billing.models import StripeEvent
from payflux.hooks.billing import LARGEST_EVENT
from payflux.monitor.processors.live.signatures import sign
from payflux.world.bootstrap import World
from tests.conftest import with_settings

PATH = "/api/v1/webhooks/stripe"
OLD, NEW = "whsec_old", "whsec_new"


@pytest.fixture
def selling(world: World) -> World:
    """A world whose endpoint's secret is being rolled."""
    return with_settings(world, stripe_webhook_secrets=SecretStr(f"{OLD}, {NEW}"))


def event(number: int, now: datetime, kind: str = "invoice.paid", **changes: Any) -> bytes:
    told = {
        "id": f"evt_{number}",
        "object": "event",
        "type": kind,
        "created": int(now.timestamp()),
        "livemode": False,
        "api_version": "2026-10-28.endive",
        "data": {
            "object": {
                "id": "in_1",
                "object": "invoice",
                "customer": "cus_1",
                "customer_email": "alice@shop.example",
                "parent": {"subscription_details": {"subscription": "sub_1", "metadata": {"account_id": "of Alice"}}},
            }
        },
    }
    return json.dumps(told | changes, indent=2).encode()


async def post(world: World, body: bytes, signature: str | None) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(world))
    headers = {"Stripe-Signature": signature} if signature is not None else {}
    async with httpx.AsyncClient(transport=transport, base_url=world.settings.url) as client:
        return await client.post(PATH, content=body, headers=headers)


async def stored(world: World) -> list[StripeEvent]:
    async with world.database.system() as session:
        return list((await session.execute(select(StripeEvent).order_by(StripeEvent.id))).scalars())


async def jobs(world: World) -> int:
    async with world.database.system() as session:
        count = text("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'apply_stripe_event'")
        return (await session.execute(count)).scalar_one()


async def test_an_event_is_kept_once_with_the_job_that_applies_it(selling: World) -> None:
    now = selling.clock.now()
    body = event(1, now)
    for _ in range(3):
        answer = await post(selling, body, sign(body, [OLD], now))
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    (kept,) = await stored(selling)
    assert (kept.id, kept.state, kept.event_type, kept.attempts) == ("evt_1", "waiting", "invoice.paid", 0)
    assert await jobs(selling) == 1


async def test_what_is_kept_names_what_it_is_about_and_nobody(selling: World) -> None:
    now = selling.clock.now()
    body = event(1, now)
    await post(selling, body, sign(body, [NEW], now))
    (kept,) = await stored(selling)
    assert kept.payload_excerpt == {
        "object": "invoice",
        "id": "in_1",
        "customer": "cus_1",
        "subscription": "sub_1",
        "account_id": "of Alice",
    }


@pytest.mark.parametrize("secrets", [[OLD], [NEW], [OLD, NEW], ["whsec_another", NEW]])
async def test_any_of_the_secrets_lets_an_event_in(selling: World, secrets: list[str]) -> None:
    now = selling.clock.now()
    body = event(1, now)
    assert (await post(selling, body, sign(body, secrets, now))).status_code == 200


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        (None, "webhook_header"),
        ("", "webhook_header"),
        ("t=now,v1=00", "webhook_header"),
        ("wrong secret", "webhook_signature"),
        ("other body", "webhook_signature"),
        ("301 seconds old", "webhook_time"),
        ("301 seconds ahead", "webhook_time"),
    ],
)
async def test_what_stripe_did_not_sign_just_now_is_refused_and_not_kept(
    selling: World, signature: str | None, code: str
) -> None:
    now, body = selling.clock.now(), event(1, selling.clock.now())
    late = timedelta(seconds=301)
    header = {
        "wrong secret": sign(body, ["whsec_of_charlie"], now),
        "other body": sign(body + b" ", [OLD], now),
        "301 seconds old": sign(body, [OLD], now - late),
        "301 seconds ahead": sign(body, [OLD], now + late),
    }.get(signature or "", signature)
    answer = await post(selling, body, header)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "whsec_" not in answer.json()["detail"]
    assert await stored(selling) == []


async def test_a_signature_is_good_for_five_minutes(selling: World) -> None:
    now, body = selling.clock.now(), event(1, selling.clock.now())
    assert (await post(selling, body, sign(body, [OLD], now - timedelta(seconds=300)))).status_code == 200


async def test_without_a_secret_nothing_is_believed(world: World) -> None:
    closed = with_settings(world, stripe_webhook_secrets=SecretStr(" , "))
    body = event(1, world.clock.now())
    answer = await post(closed, body, sign(body, [""], world.clock.now()))
    assert (answer.status_code, answer.json()["code"]) == (503, "webhook_not_set_up")
    assert "STRIPE_WEBHOOK_SECRETS" in answer.json()["way_out"]
    assert await stored(closed) == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"hello": 1}', b'{"id": "evt_1", "object": "v2.core.event"}'])
async def test_a_signed_body_that_is_no_event_is_refused(selling: World, body: bytes) -> None:
    now = selling.clock.now()
    answer = await post(selling, body, sign(body, [OLD], now))
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_body")


async def test_a_large_event_is_taken_and_one_that_is_too_large_is_not(selling: World) -> None:
    now = selling.clock.now()
    large = event(1, now, padding="x" * 200_000)
    assert (await post(selling, large, sign(large, [OLD], now))).status_code == 200
    too_large = event(2, now, padding="x" * LARGEST_EVENT)
    assert (await post(selling, too_large, sign(too_large, [OLD], now))).status_code == 413


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "charge.refunded"}, "a type that changes nothing here"),
        ({"type": "an.event.of.next.year"}, "a type that changes nothing here"),
        ({"livemode": True}, "of live mode, while our key is of test mode"),
        ({"account": "acct_1"}, "of a connected account, which has an endpoint of its own"),
    ],
)
async def test_what_does_not_concern_our_billing_is_acknowledged_and_kept_with_the_reason(
    selling: World, changes: dict[str, Any], reason: str
) -> None:
    now = selling.clock.now()
    body = event(1, now, **changes)
    assert (await post(selling, body, sign(body, [OLD], now))).status_code == 200
    (kept,) = await stored(selling)
    assert (kept.state, kept.outcome) == ("ignored", reason)
    assert await jobs(selling) == 0


async def test_every_type_that_counts_waits_for_the_worker(selling: World) -> None:
    now = selling.clock.now()
    for number, kind in enumerate(APPLIED):
        body = event(number, now, kind)
        assert (await post(selling, body, sign(body, [OLD], now))).status_code == 200
    async with selling.database.system() as session:
        waiting = select(func.count()).select_from(StripeEvent).where(StripeEvent.state == "waiting")
        assert (await session.execute(waiting)).scalar_one() == len(APPLIED)


async def test_a_key_of_live_mode_takes_live_events_alone(selling: World) -> None:
    live = with_settings(selling, stripe_secret_key=SecretStr("sk_live_of_the_tests"))
    now = live.clock.now()
    for number, livemode in ((1, True), (2, False)):
        body = event(number, now, livemode=livemode)
        await post(live, body, sign(body, [OLD], now))
    assert [kept.state for kept in await stored(live)] == ["waiting", "ignored"]
