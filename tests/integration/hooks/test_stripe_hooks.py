"""Stripe's webhooks: verified, stored once, answered at once; what is not Stripe's changes nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from payflux.app import create_app
from payflux.hooks.routes import LARGEST_EVENT
from payflux.monitor.processors.live.models import WebhookEvent
from payflux.monitor.processors.live.queries import latest_events
from payflux.monitor.processors.models import ConnectionMethod
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.live.stripe_events import ACCOUNT, TOKEN, connected, event_body, inbox_of, jobs_of, post

OWN, CONNECT = f"/hooks/stripe/{TOKEN}", "/hooks/stripe/connect"
CHARGE = {"id": "ch_1", "object": "charge", "created": 1, "billing_details": {"email": "dana@example.com"}}
JOB = "apply_webhook_events"


@pytest.fixture
def platform(world: World) -> World:
    """The world of a platform whose endpoint's secret is being rolled."""
    return with_settings(world, stripe_connect_webhook_secrets=SecretStr("whsec_old, whsec_new"))


async def test_an_event_to_a_connections_own_address_is_stored_with_the_job_that_applies_it(world: World) -> None:
    alice, now = await connected(world), world.clock.now()
    answer = await post(create_app(world), OWN, event_body(1, "charge.succeeded", CHARGE, now), now)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await inbox_of(world, alice.account_id) == {"evt_1": ("waiting", "")}
    assert await jobs_of(world, JOB) == 1


async def test_a_storm_of_duplicates_is_stored_once_and_makes_one_job(world: World) -> None:
    alice, now, app = await connected(world), world.clock.now(), create_app(world)
    bodies = [event_body(number % 3, "charge.updated", CHARGE, now) for number in range(12)]
    answers = await asyncio.gather(*(post(app, OWN, body, now) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await inbox_of(world, alice.account_id)) == 3
    assert await jobs_of(world, JOB) == 1


async def test_nothing_of_a_payer_is_stored(world: World) -> None:
    alice, now = await connected(world), world.clock.now()
    await post(create_app(world), OWN, event_body(1, "charge.succeeded", CHARGE, now), now)
    async with world.database.tenant(alice.account_id) as session:
        (stored,) = await latest_events(session, alice)
    assert b"dana" not in stored.body


async def test_a_bad_signature_is_refused_by_its_rule_and_stores_nothing(world: World) -> None:
    alice, now, app = await connected(world), world.clock.now(), create_app(world)
    body = event_body(1, "charge.succeeded", CHARGE, now)
    wrong, old = (
        await post(app, OWN, body, now, ["whsec_charlie"]),
        await post(app, OWN, body, now - timedelta(hours=1)),
    )
    assert [answer.status_code for answer in (wrong, old)] == [400, 400]
    assert [answer.json()["code"] for answer in (wrong, old)] == ["webhook_signature", "webhook_time"]
    assert "whsec_c" not in wrong.text
    assert await inbox_of(world, alice.account_id) == {}


async def test_a_signed_body_that_is_no_event_is_refused(world: World) -> None:
    await connected(world)
    answer = await post(create_app(world), OWN, b'{"hello": 1}', world.clock.now())
    assert (answer.status_code, answer.json()["code"]) == (400, "webhook_body")


async def test_an_unknown_address_is_not_found_and_its_token_is_not_logged(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await post(create_app(world), "/hooks/stripe/some-guess", b"{}", world.clock.now())
    assert answer.status_code == 404
    assert answer.json()["way_out"]
    assert "some-guess" not in capsys.readouterr().out


async def test_a_secret_that_is_being_rolled_is_accepted_beside_the_old_one(world: World) -> None:
    await connected(world)
    now = world.clock.now()
    answer = await post(create_app(world), OWN, event_body(1, "charge.updated", CHARGE, now), now, ["whsec_next"])
    assert answer.status_code == 200


async def test_events_larger_than_a_form_may_be_are_taken_up_to_a_mebibyte(world: World) -> None:
    await connected(world)
    now, app = world.clock.now(), create_app(world)
    large = event_body(1, "charge.updated", CHARGE | {"metadata": {"note": "x" * 200_000}}, now)
    too_large = event_body(2, "charge.updated", CHARGE | {"metadata": {"note": "x" * LARGEST_EVENT}}, now)
    assert (await post(app, OWN, large, now)).status_code == 200
    assert (await post(app, OWN, too_large, now)).status_code == 413
    assert (await post(app, "/login", large, now)).status_code == 413


async def test_the_platforms_endpoint_takes_events_under_any_of_its_secrets(platform: World) -> None:
    alice, now = await connected(platform, method=ConnectionMethod.CONNECT_OAUTH), platform.clock.now()
    app = create_app(platform)
    for number, secret in enumerate(("whsec_old", "whsec_new")):
        body = event_body(number, "charge.updated", CHARGE, now, account=ACCOUNT)
        assert (await post(app, CONNECT, body, now, [secret])).status_code == 200
    assert await inbox_of(platform, alice.account_id) == {"evt_0": ("waiting", ""), "evt_1": ("waiting", "")}


async def test_every_workspace_that_reads_the_account_gets_the_event_and_no_other(platform: World) -> None:
    alice, bob = [await connected(platform, method=ConnectionMethod.CONNECT_OAUTH) for _ in range(2)]
    charlie = await connected(platform, method=ConnectionMethod.CONNECT_OAUTH, account="acct_charlie")
    now = platform.clock.now()
    body = event_body(1, "charge.updated", CHARGE, now, account=ACCOUNT)
    await post(create_app(platform), CONNECT, body, now, ["whsec_new"])
    seen = [len(await inbox_of(platform, each.account_id)) for each in (alice, bob, charlie)]
    assert seen == [1, 1, 0]
    assert await jobs_of(platform, JOB) == 2


async def test_without_secrets_the_platforms_endpoint_is_closed(world: World) -> None:
    now = world.clock.now()
    answer = await post(create_app(world), CONNECT, event_body(1, "charge.updated", CHARGE, now), now, [""])
    assert answer.status_code == 404
    assert "STRIPE_CONNECT_WEBHOOK_SECRETS" in answer.json()["way_out"]


async def test_an_event_of_an_account_that_nobody_connected_is_kept_and_never_applied(
    platform: World, owner_url: str
) -> None:
    now, app = platform.clock.now(), create_app(platform)
    for number, account in enumerate(("acct_nobody", "")):
        body = event_body(number, "charge.updated", CHARGE, now, account=account)
        assert (await post(app, CONNECT, body, now, ["whsec_new"])).status_code == 200
    async with platform.database.system() as session:
        stored = (await session.execute(select(WebhookEvent).order_by(WebhookEvent.event_id))).scalars().all()
    assert [(row.state, row.outcome) for row in stored] == [
        ("ignored", "no connection has this account"),
        ("ignored", "names no account"),
    ]
    assert await jobs_of(platform, JOB) == 0


async def test_events_that_a_connection_must_not_apply_are_kept_with_the_reason(world: World) -> None:
    alice, now, app = await connected(world), world.clock.now(), create_app(world)
    await post(app, OWN, event_body(1, "charge.updated", CHARGE, now, livemode=True), now)
    await post(app, OWN, event_body(2, "charge.updated", CHARGE, now, account="acct_charlie"), now)
    await post(app, OWN, event_body(3, "customer.created", {"id": "cus_1", "object": "customer"}, now), now)
    assert await inbox_of(world, alice.account_id) == {
        "evt_1": ("ignored", "a live event, but the connection is in test mode"),
        "evt_2": ("ignored", "about another account"),
        "evt_3": ("ignored", "unknown type"),
    }
    assert await jobs_of(world, JOB) == 0


async def test_a_tenant_sees_its_own_events_alone_and_deletes_none(world: World) -> None:
    await connected(world)
    charlie = await connected(world, token="charlies-token", account="acct_charlie")
    now = world.clock.now()
    await post(create_app(world), OWN, event_body(1, "charge.updated", CHARGE, now), now)
    assert await inbox_of(world, charlie.account_id) == {}
    async with world.database.tenant(charlie.account_id) as session:
        changed = await session.execute(text("UPDATE webhook_events SET state = 'applied' RETURNING event_id"))
        assert changed.all() == []
