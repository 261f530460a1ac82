"""The mails about a subscription, as they arrive."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from payflux.activation.trial_notices import send_due_notices
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.worker.main import work
from payflux.world.bootstrap import World
from payflux.world.mail import Mail
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_member, add_owner


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mail]]:
    """To whom each mail went that the worker handed over, in order."""
    sent: list[tuple[str, Mail]] = []

    async def deliver(_settings: object, mail: Mail, *, to: str, message_id: str, return_path: str) -> None:
        assert message_id
        sent.append((to, mail))

    monkeypatch.setattr("payflux.activation.mails.deliver", deliver)
    return sent


@pytest.fixture
async def alice(world: World) -> SignedIn:
    return await add_owner(world, "Alice")


async def look(world: World, times: int = 1) -> None:
    """The timer comes round, and the worker does what it finds."""
    for _each in range(times):
        await send_due_notices(world)
    await work(world, drain=True)


async def test_who_manages_billing_is_mailed_on_days_10_and_13_and_at_the_end_once_each(
    world: World, alice: SignedIn, clock: MovedClock, mails: list[tuple[str, Mail]]
) -> None:
    await add_member(world, alice, "Adam", "admin")
    await add_member(world, alice, "Bob", "analyst")
    await add_member(world, alice, "Dora", "admin", verified=False)
    for _hour in range(16 * 24 // 6):
        clock.move(timedelta(hours=6))
        await send_due_notices(world)
        await work(world, drain=True)
    subjects = [mail.subject for _to, mail in mails]
    assert subjects == [
        each
        for subject in ("ends in 4 days", "ends tomorrow", "has ended")
        for each in [f"Your PayFlux trial {subject}"] * 2
    ]
    assert {to for to, _mail in mails} == {"alice@shop.example", "adam@shop.example"}


async def test_a_mail_says_when_and_what_is_kept_and_where_to_go(
    world: World, alice: SignedIn, clock: MovedClock, mails: list[tuple[str, Mail]]
) -> None:
    ends = clock.now() + timedelta(days=14)
    clock.move(timedelta(days=10))
    await look(world)
    [(_to, mail)] = mails
    for part in (mail.text, mail.html):
        assert f"{ends:%d %B %Y, %H:%M} UTC" in part
        assert "/account/billing/select-plan" in part
        assert "30 days" in part
        assert "Alice" in part


async def test_two_workers_send_it_once(
    world: World, alice: SignedIn, clock: MovedClock, mails: list[tuple[str, Mail]]
) -> None:
    clock.move(timedelta(days=13))
    await look(world, times=3)
    assert [mail.subject for _to, mail in mails] == ["Your PayFlux trial ends tomorrow"]


@pytest.mark.parametrize(
    "becomes",
    [
        "status = 'complimentary', current_period_end = NULL",
        "status = 'active', stripe_status = 'active', stripe_subscription_id = 'sub_1'",
        "stripe_status = 'trialing', stripe_subscription_id = 'sub_1'",
        "status = 'canceled', canceled_at = now()",
    ],
)
async def test_nobody_is_nagged_who_has_a_plan(
    world: World,
    alice: SignedIn,
    clock: MovedClock,
    stored: asyncpg.Connection,
    mails: list[tuple[str, Mail]],
    becomes: str,
) -> None:
    await stored.execute(f"UPDATE subscriptions SET {becomes}")
    for _day in range(20):
        clock.move(timedelta(days=1))
        await look(world)
    assert mails == []


async def test_a_mail_that_waits_is_dropped_when_a_plan_is_bought_meanwhile(
    world: World, alice: SignedIn, clock: MovedClock, stored: asyncpg.Connection, mails: list[tuple[str, Mail]]
) -> None:
    clock.move(timedelta(days=13))
    await send_due_notices(world)
    await stored.execute("UPDATE subscriptions SET stripe_status = 'trialing', stripe_subscription_id = 'sub_1'")
    await work(world, drain=True)
    assert mails == []


async def test_a_failed_payment_is_told_once(
    world: World, alice: SignedIn, clock: MovedClock, stored: asyncpg.Connection, mails: list[tuple[str, Mail]]
) -> None:
    await stored.execute(
        "UPDATE subscriptions SET status = 'past_due', stripe_status = 'past_due', stripe_subscription_id = 'sub_1', "
        "next_payment_attempt_at = $1",
        clock.now() + timedelta(days=3),
    )
    await look(world, times=2)
    clock.move(timedelta(days=2))
    await look(world)
    [(to, mail)] = mails
    assert to == "alice@shop.example"
    assert mail.subject == "Your payment for PayFlux failed"
    assert "for the Pro plan of" in mail.text
    assert f"{clock.now() + timedelta(days=1):%d %B %Y, %H:%M} UTC" in mail.text
    assert "/account/billing" in mail.text
