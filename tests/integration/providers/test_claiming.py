"""The owner of an address takes it from whoever registered it first and never proved it."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from fastapi import FastAPI
from sqlalchemy import select

from payflux.frontdoor.accounts.claiming import WIPED
from payflux.frontdoor.accounts.factors.models import Passkey, PendingSignIn, RecoveryCode, TotpFactor
from payflux.frontdoor.accounts.models import Membership, User
from payflux.frontdoor.accounts.resetting import request_reset, reset_password
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.frontdoor.accounts.verification.rules import LinkState
from payflux.frontdoor.accounts.verification.secrets import link_token
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.integration.providers.conftest import Traveller, mails, member, signed_in_as, user_called

ALICE = "alice@shop.example"
KEPT = {"memberships", "email_challenges", "product_events", "mail_bounces"}
"""What may point at a user and let nobody in: their place in the account, mails, which a claim supersedes, what of them
came back, and what they did."""


async def squat(world: World, app: FastAPI) -> Traveller:
    """Mallory registers Alice's address, and prepares every way to come back that there is."""
    mallory = Traveller(app)
    await mallory.sign_in_by("microsoft", "impostor")
    now = world.clock.now()
    later = now + timedelta(days=7)
    async with world.database.system() as session:
        user = (await session.execute(select(User).where(User.email_normalized == ALICE))).scalar_one()
        account_id = (await session.execute(select(Membership.account_id))).scalar_one()
        session.add_all(
            [
                TotpFactor(user_id=user.id, secret=b"", created_at=now, confirmed_at=now),
                RecoveryCode(user_id=user.id, code_digest=b"1"),
                Passkey(
                    id=new_id(),
                    user_id=user.id,
                    credential_id=b"1",
                    public_key=b"1",
                    sign_count=0,
                    transports=[],
                    name="Mallory's",
                    created_at=now,
                ),
                PendingSignIn(token_digest=b"1", user_id=user.id, factors=["microsoft"], attempts=0, expires_at=later),
            ]
        )
    async with world.database.tenant(account_id) as session:
        session.add(
            AccountInvite(
                account_id=account_id,
                id=new_id(),
                email="eve@mallory.example",
                email_normalized="eve@mallory.example",
                role="admin",
                invited_by=user.id,
                created_at=now,
                expires_at=later,
            )
        )
    return mallory


async def test_alice_gets_the_account_that_mallory_registered_with_her_address_and_mallory_keeps_no_way_in(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    mallory = await squat(there, app)
    assert (await mallory.get("/start")).headers["location"] != "/"
    await stored.execute("UPDATE users SET password_hash = 'mallory knows it', name = 'Mallory'")
    before = await user_called(stored, ALICE)
    arrived = await traveller.sign_in_by("google", "alice")
    assert arrived.headers["location"] == "/start"
    after = await user_called(stored, ALICE)
    assert before is not None
    assert after is not None
    assert after["id"] == before["id"]
    assert after["email_verified_at"] is not None
    assert (after["password_hash"], after["name"]) == (None, "Alice Owner")
    for table in WIPED:
        left = await stored.fetchval(f"SELECT count(*) FROM {table.__tablename__} WHERE user_id = $1", after["id"])
        alices_own = 1 if table.__tablename__ in ("sessions", "oauth_identities") else 0
        assert left == alices_own, table.__tablename__
    assert await stored.fetchval("SELECT provider FROM oauth_identities") == "google"
    assert await stored.fetchval("SELECT revoked_at IS NOT NULL FROM account_invites")
    assert (
        await stored.fetchval("SELECT count(*) FROM email_challenges WHERE used_at IS NULL AND superseded_at IS NULL")
        == 0
    )
    assert (await mails(stored))[-1] == "address_claimed"
    assert await stored.fetchval("SELECT count(*) FROM audit_entries WHERE action = 'user.claimed'") == 1
    assert (await mallory.get("/start")).headers["location"] == "/"
    assert (await traveller.get("/start")).headers["location"] == "/welcome"


async def test_mallory_comes_back_by_her_own_account_and_is_nobody(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    mallory = await squat(there, app)
    await traveller.sign_in_by("google", "alice")
    await mallory.sign_in_by("microsoft", "impostor")
    assert (await mallory.get("/start")).headers["location"] == "/"
    assert await stored.fetchval("SELECT count(*) FROM users") == 1


async def test_a_trip_to_connect_that_mallory_began_before_the_claim_leads_nowhere(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    user_id = await member(there, "Mallory", ALICE, verified=True)
    mallory = await signed_in_as(there, app, user_id)
    away = await mallory.leave("microsoft", "/account/security/providers/microsoft/connect")
    await stored.execute("UPDATE users SET email_verified_at = NULL")
    await traveller.sign_in_by("google", "alice")
    assert (await mallory.get(await mallory.choose(away, "impostor"))).status_code == 400
    assert [row["provider"] for row in await stored.fetch("SELECT provider FROM oauth_identities")] == ["google"]


async def test_alice_without_a_provider_takes_her_address_by_the_mail_that_resets_a_password(
    there: World, app: FastAPI, stored: asyncpg.Connection
) -> None:
    await squat(there, app)
    now = there.clock.now()
    async with there.database.system() as session:
        await request_reset(session, email=ALICE, now=now)
    assert (await mails(stored))[-1] == "reset_password"
    challenge_id = await stored.fetchval("SELECT id FROM email_challenges WHERE purpose = 'reset'")
    token = link_token(there.tokens, challenge_id)
    async with there.database.system() as session:
        state = await reset_password(session, there.tokens, token=token, password="a quiet harbour lamp", now=now)
    assert state is LinkState.OPEN
    assert await stored.fetchval("SELECT count(*) FROM oauth_identities") == 0
    alice = await user_called(stored, ALICE)
    assert alice is not None
    assert alice["email_verified_at"] is not None


async def test_whoever_signs_in_by_a_provider_alone_is_told_so_instead_of_resetting(
    there: World, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    await traveller.sign_in_by("google", "alice")
    async with there.database.system() as session:
        await request_reset(session, email=ALICE, now=there.clock.now())
    assert await mails(stored) == ["no_password_to_reset"]


async def test_an_honest_owner_who_never_opened_our_mail_keeps_what_the_account_holds(
    there: World, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    await member(there, "Alice", ALICE, verified=False)
    counts = "SELECT (SELECT count(*) FROM workspaces), (SELECT count(*) FROM subscriptions), count(*) FROM memberships"
    before = await stored.fetchrow(counts)
    await traveller.sign_in_by("google", "alice")
    assert await stored.fetchrow(counts) == before


async def test_whatever_points_at_a_user_is_wiped_by_a_claim_or_known_to_let_nobody_in(
    stored: asyncpg.Connection,
) -> None:
    pointing = await stored.fetch(
        "SELECT DISTINCT conrelid::regclass::text FROM pg_constraint WHERE confrelid = 'users'::regclass"
    )
    assert {row[0] for row in pointing} - KEPT == {table.__tablename__ for table in WIPED}
