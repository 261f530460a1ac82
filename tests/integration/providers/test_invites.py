"""An invite survives the trip to a provider, and is for its address alone."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.team.codes import invite_code
from payflux.frontdoor.accounts.team.models import AccountInvite
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.integration.providers.conftest import Traveller, mails, member, user_called

WELCOME = "/?welcome=teammate"


async def invited(world: World, stored: asyncpg.Connection, email: str) -> str:
    """The code of an invite by Olivia, who owns an account."""
    olivia = await member(world, "Olivia", "olivia@olivia-shop.example", verified=True)
    account_id: UUID = await stored.fetchval("SELECT account_id FROM memberships")
    now, invite_id = world.clock.now(), new_id()
    async with world.database.tenant(account_id) as session:
        session.add(
            AccountInvite(
                account_id=account_id,
                id=invite_id,
                email=email,
                email_normalized=email,
                role="analyst",
                invited_by=olivia,
                created_at=now,
                expires_at=now.replace(year=now.year + 1),
            )
        )
    # seats are not what this is about
    await stored.execute("UPDATE subscriptions SET plan = 'enterprise', status = 'active'")
    return invite_code(world.tokens, invite_id)


@pytest.mark.parametrize(
    ("provider", "person", "email"),
    [
        ("google", "alice", "alice@shop.example"),
        # nothing vouches for this address but the invite itself, which came by mail
        ("microsoft", "charlie", "charlie@elsewhere.example"),
    ],
)
async def test_an_invitee_joins_by_a_provider_with_a_proven_address_and_no_account_of_their_own(
    there: World, traveller: Traveller, stored: asyncpg.Connection, provider: str, person: str, email: str
) -> None:
    code = await invited(there, stored, email)
    back = await traveller.sign_in_by(provider, person, invite=code, next=WELCOME)
    assert back.headers["location"] == WELCOME
    user = await user_called(stored, email)
    assert user is not None
    assert user["email_verified_at"] is not None
    assert await stored.fetchval("SELECT role FROM memberships WHERE user_id = $1", user["id"]) == "analyst"
    assert await stored.fetchval("SELECT count(*) FROM accounts") == 1
    assert await stored.fetchval("SELECT accepted_by FROM account_invites") == user["id"]
    assert "verify_address" not in await mails(stored)


async def test_an_invite_for_another_address_makes_no_user(
    there: World, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    code = await invited(there, stored, "bob@shop.example")
    address = await traveller.leave("google", invite=code)
    refused = await traveller.get(await traveller.choose(address, "alice"), Accept="application/json")
    assert refused.status_code == 400
    assert refused.json()["code"] == "invite_email_mismatch"
    address = await traveller.leave("google", invite=code)
    page = await traveller.get(await traveller.choose(address, "alice"))
    assert page.status_code == 400
    for shown in ("alice@shop.example", "bob@shop.example", 'action="/accept-invite/register"', code):
        assert shown in page.text, "the invite stays in reach"
    assert await user_called(stored, "alice@shop.example") is None
    assert await stored.fetchval("SELECT accepted_at FROM account_invites") is None
    await traveller.sign_in_by("google", "bob", invite=code, next=WELCOME)
    assert await user_called(stored, "bob@shop.example") is not None


async def test_a_user_with_an_account_comes_back_to_the_invite(
    there: World, app: FastAPI, traveller: Traveller, stored: asyncpg.Connection
) -> None:
    await Traveller(app).sign_in_by("google", "alice")
    code = await invited(there, stored, "alice@shop.example")
    back = await traveller.sign_in_by("google", "alice", invite=code, next=WELCOME)
    assert back.headers["location"].startswith("/accept-invite?code=")
    assert await stored.fetchval("SELECT accepted_at FROM account_invites") is None
