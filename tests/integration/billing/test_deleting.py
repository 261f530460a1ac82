"""Nobody pays for an account that is gone, and none goes while it is still paid for."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from payflux.activation.deletion import delete_account
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.billing.checkout import create_checkout_session
from payflux.frontdoor.billing.models import StripeEvent
from payflux.kit.errors import Unavailable
from tests.conftest import with_settings
from tests.integration.billing.conftest import Shop
from tests.integration.billing.test_applying import NOWHERE, bought, customer, second_subscription

NAME = "Alice's shop"


async def accounts(shop: Shop) -> int:
    async with shop.world.database.system() as session:
        return len((await session.execute(select(Account.id))).scalars().all())


async def test_everything_that_runs_at_stripe_ends_before_the_account_goes(shop: Shop, alice: SignedIn) -> None:
    await bought(shop, alice)
    await second_subscription(shop, alice)
    theirs = await customer(shop, alice)
    await delete_account(shop.world, alice, typed_name=NAME)
    assert [remote.status for remote in await shop.stripe.subscriptions(theirs)] == ["canceled", "canceled"]
    assert await accounts(shop) == 0
    await shop.hear()
    async with shop.world.database.system() as session:
        outcomes = set((await session.execute(select(StripeEvent.state))).scalars())
    assert outcomes == {"applied", "ignored"}


async def test_an_open_checkout_cannot_be_paid_any_more(shop: Shop, alice: SignedIn) -> None:
    url = await create_checkout_session(shop.world, alice, plan="pro", seats=2)
    theirs = await customer(shop, alice)
    await delete_account(shop.world, alice, typed_name=NAME)
    await shop.pay(url)
    assert await shop.stripe.subscriptions(theirs) == []


async def test_while_stripe_does_not_answer_nothing_is_deleted(shop: Shop, alice: SignedIn) -> None:
    active = await bought(shop, alice)
    with pytest.raises(Unavailable, match="Nothing was deleted"):
        await delete_account(with_settings(shop.world, stripe_api_base=NOWHERE), alice, typed_name=NAME)
    assert await accounts(shop) == 1
    remote = await shop.stripe.subscription(str(active.stripe_subscription_id))
    assert remote is not None
    assert remote.status == "active"


async def test_who_never_bought_anything_is_deleted_without_stripe(shop: Shop, alice: SignedIn) -> None:
    await delete_account(with_settings(shop.world, stripe_api_base=NOWHERE), alice, typed_name=NAME)
    assert await accounts(shop) == 0
