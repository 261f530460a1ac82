"""One trial for each business, whatever it calls itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import select

from payflux.activation.deletion import delete_account
from payflux.activation.onboarding import open_account
from payflux.frontdoor.accounts.providers.models import OAuthIdentity
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.queries import live_subscription
from payflux.frontdoor.billing.trials import remember_owner
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import add_owner


async def registered(world: World, email: str, *, subject: str = "") -> Subscription | None:
    """The subscription that whoever registers by this address, or comes as this subject of Google's, gets."""
    now = world.clock.now()
    async with world.database.system() as session:
        user = await create_user(session, name="Alice", email=email, password_hash=None, verified_at=None, now=now)
        if subject:
            session.add(
                OAuthIdentity(
                    id=new_id(),
                    user_id=user.id,
                    provider="google",
                    issuer="https://accounts.google.com",
                    subject=subject,
                    email_at_link=email,
                    linked_at=now,
                    last_used_at=now,
                )
            )
        account = await open_account(session, world.tokens, user, now)
        return await live_subscription(session, account_id=account.id)


async def test_the_first_of_a_business_tries_pro_for_14_days(world: World) -> None:
    subscription = await registered(world, "alice@alice-shop.example")
    assert subscription is not None
    assert (subscription.plan, subscription.status) == ("pro", "trialing")
    assert subscription.current_period_end == world.clock.now() + timedelta(days=14)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("alice@alice-shop.example", "bob@alice-shop.example"),
        ("alice@alice-shop.example", "bob@mail.alice-shop.example"),
        ("alice@gmail.com", "a.lice+again@googlemail.com"),
    ],
)
async def test_the_same_applicant_gets_no_second_trial(world: World, first: str, second: str) -> None:
    assert await registered(world, first) is not None
    assert await registered(world, second) is None


async def test_a_refused_trial_stands_in_the_log_and_the_account_is_whole(
    world: World, stored: asyncpg.Connection
) -> None:
    await registered(world, "alice@alice-shop.example")
    await registered(world, "bob@alice-shop.example")
    actions = await stored.fetch("SELECT action FROM audit_entries ORDER BY at, sequence")
    assert [row["action"] for row in actions].count("subscription.trial_refused") == 1
    assert await stored.fetchval("SELECT count(*) FROM workspaces") == 2


async def test_strangers_at_a_free_mail_provider_each_get_one(world: World) -> None:
    assert await registered(world, "alice@gmail.com") is not None
    assert await registered(world, "bob@gmail.com") is not None


async def test_an_identity_at_a_provider_gets_one_whatever_its_address(world: World) -> None:
    assert await registered(world, "alice@gmail.com", subject="1") is not None
    assert await registered(world, "alice.two@yahoo.com", subject="2") is not None
    async with world.database.system() as session:
        for identity in (await session.execute(select(OAuthIdentity))).scalars():
            await session.delete(identity)
    assert await registered(world, "other@yahoo.com", subject="1") is None


async def test_who_had_one_is_remembered_when_their_account_is_gone(world: World, stored: asyncpg.Connection) -> None:
    await registered(world, "alice@gmail.com")
    await stored.execute("UPDATE users SET email = 'alice@hotmail.com', email_normalized = 'alice@hotmail.com'")
    account_id = await stored.fetchval("SELECT id FROM accounts")
    async with world.database.system() as session:
        await remember_owner(session, world.tokens, account_id=account_id, now=world.clock.now())
    await stored.execute("DELETE FROM accounts")
    await stored.execute("DELETE FROM users")
    assert await registered(world, "alice@gmail.com") is None
    await stored.execute("DELETE FROM users")
    assert await registered(world, "alice@hotmail.com") is None


async def test_deleting_the_account_makes_room_for_no_other_trial(world: World, stored: asyncpg.Connection) -> None:
    alice = await add_owner(world, "Alice")
    await stored.execute("UPDATE users SET email = 'alice@moved.example', email_normalized = 'alice@moved.example'")
    await delete_account(world, alice, typed_name="Alice's shop")
    assert await registered(world, "bob@moved.example") is None


async def test_of_two_who_register_at_once_one_gets_it(world: World) -> None:
    addresses = [f"{name}@alice-shop.example" for name in ("alice", "bob", "charlie", "dora")]
    granted = await asyncio.gather(*(registered(world, address) for address in addresses))
    assert sum(subscription is not None for subscription in granted) == 1


async def test_it_does_not_come_back_with_time(world: World, clock: MovedClock) -> None:
    await registered(world, "alice@alice-shop.example")
    clock.move(timedelta(days=1000))
    assert await registered(world, "bob@alice-shop.example") is None


async def test_no_address_is_kept_and_no_grant_can_be_changed(world: World, stored: asyncpg.Connection) -> None:
    await registered(world, "alice@alice-shop.example", subject="4711")
    rows = await stored.fetch("SELECT kind, digest FROM trial_grants ORDER BY kind")
    assert [row["kind"] for row in rows] == ["domain", "email", "oauth"]
    assert {len(row["digest"]) for row in rows} == {32}
    rights = await stored.fetch(
        "SELECT grantee, privilege_type FROM information_schema.role_table_grants "
        "WHERE table_name = 'trial_grants' AND grantee IN ('payflux_app', 'payflux_system')"
    )
    assert {tuple(row) for row in rights} == {("payflux_system", "SELECT"), ("payflux_system", "INSERT")}
