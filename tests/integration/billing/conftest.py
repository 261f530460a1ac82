"""A world that sells on the sandbox over HTTP, and Alice who buys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, select

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.applying import apply_stripe_event
from payflux.frontdoor.billing.inbox import poll_stripe_events
from payflux.frontdoor.billing.models import StripeEvent, Subscription
from payflux.frontdoor.billing.queries import newest_subscription
from payflux.frontdoor.catalogue.prices import sync_prices
from payflux.kit.clock import Clock
from payflux.kit.postgres import EmbeddedPostgres
from payflux.sandbox.state import SandboxState
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from tests.conftest import with_settings
from tests.integration.sandbox.conftest import served
from tests.integration.team.conftest import add_owner

WEBHOOK_SECRET = "whsec_of_the_tests"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
CARD = {"number": "4242424242424242", "expiry": "12 / 40", "cvc": "123", "name": "Alice", "email": "alice@shop.example"}


class Shop:
    """What Stripe's side of a purchase does: the sandbox that `world` sells on."""

    def __init__(self, world: World, base: str, superuser: str) -> None:
        self.world, self.base, self._superuser = world, base, superuser
        self.stripe = StripeBilling(world.settings, world.http)

    async def pay(self, url: str, **card: str) -> httpx.Response:
        """Fill in the hosted page as a person does."""
        page = await self.world.http.get(url)
        token = page.text.split('name="token" value="')[1].split('"')[0] if 'name="token"' in page.text else ""
        return await self.world.http.post(url, data={**CARD, "token": token, **card})

    async def advance(self, span: str) -> None:
        """Let time pass at Stripe; what is due by then happens there."""
        (await self.world.http.post(f"{self.base}/sandbox/clock", json={"advance": span})).raise_for_status()

    async def hear(self) -> int:
        """Take every event that Stripe has and apply it, as the worker does; how many were new."""
        new = await poll_stripe_events(self.world)
        await self.apply_waiting()
        return new

    async def apply_waiting(self) -> None:
        async with self.world.database.system() as session:
            waiting = select(StripeEvent.id).where(StripeEvent.state == "waiting").order_by(StripeEvent.created_at)
            ids = (await session.execute(waiting)).scalars().all()
        for event_id in ids:
            await apply_stripe_event(self.world, {"event_id": event_id})

    async def execute(self, statement: str) -> None:
        """What no role of PayFlux may do to the database."""
        connection = await asyncpg.connect(self._superuser)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def standing(self, who: SignedIn) -> Subscription | None:
        async with self.world.database.tenant(who.account_id) as session:
            return await newest_subscription(session, account_id=who.account_id)


class SandboxClock:
    """The sandbox's time, so that both sides agree on it."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def now(self) -> datetime:
        return self._state.now()


@pytest.fixture
def sandbox() -> Iterator[tuple[SandboxState, str]]:
    started = datetime.now(UTC)
    state = SandboxState(now=lambda: started, requests_per_second=100_000)
    with served(state) as base:
        yield state, base


@pytest.fixture
async def shop(world: World, sandbox: tuple[SandboxState, str], postgres: EmbeddedPostgres) -> Shop:
    """The shop, with every plan on sale."""
    state, base = sandbox
    clock: Clock = SandboxClock(state)
    selling = replace(
        with_settings(
            world,
            stripe_api_base=base,
            stripe_webhook_secrets=SecretStr(WEBHOOK_SECRET),
        ),
        clock=clock,
    )
    await sync_prices(selling, StripeBilling(selling.settings, selling.http))
    return Shop(selling, base, postgres.url(database=make_url(world.database.urls.owner).database or ""))


@pytest.fixture
async def alice(shop: Shop) -> SignedIn:
    return await add_owner(shop.world, "Alice")
