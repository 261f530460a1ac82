"""The merchants' reviews, reserves, settings and currencies, read and changed with Stripe's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from payflux.sandbox.firing import FIRE
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from payflux.sandbox.work import Work
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
RESERVED, LEGACY, POUNDS = (ARCHETYPES[name] for name in ("reserve-in-force", "reserve-legacy", "gbp-shop"))
PREVIEW = {"stripe_version": "2026-09-30.preview"}
RESERVES: dict[str, type[stripe.StripeObject]] = {
    "holds": stripe.reserve.Hold,
    "plans": stripe.reserve.Plan,
    "releases": stripe.reserve.Release,
}


@pytest.fixture(scope="module")
def connected(state: SandboxState) -> str:
    state.redeem_code(state.issue_code(POUNDS.account_id, "read_write"))
    return POUNDS.account_id


def fire(state: SandboxState, name: str, account_id: str) -> None:
    with state.store.transaction():
        FIRE[name](Work(state, account_id, int(state.now().timestamp())), {})


def preview(client: Client, path: str, key: str = RESERVED.restricted_key) -> Any:
    return client(key).raw_request("get", path, **PREVIEW).data


def test_open_reviews_are_listed_and_any_is_found(client: Client, state: SandboxState, connected: str) -> None:
    for archetype in (ARCHETYPES["default"], POUNDS):
        fire(state, "review_opened", archetype.account_id)
        v1 = client(archetype.restricted_key).v1
        reviews = v1.reviews.list(params={"limit": 100}).data
        assert reviews
        for review in reviews:
            assert_complete(review, stripe.Review)
            assert review.open
            charge = v1.charges.retrieve(review.charge)
            assert charge.review == review.id
            assert (charge.outcome.type == "manual_review") == (review.opened_reason == "rule")
            assert v1.payment_intents.retrieve(review.payment_intent).review == review.id
    with pytest.raises(stripe.PermissionError, match="rak_review_write"):
        v1.reviews.approve(review.id)
    approved = client(stripe_account=connected).v1.reviews.approve(review.id)
    assert (approved.open, approved.closed_reason) == (False, "approved")
    assert review.id not in [found.id for found in v1.reviews.list(params={"limit": 100}).data]
    assert v1.reviews.retrieve(review.id).to_dict() == approved.to_dict()
    (event,) = state.store.find(connected, "event", {"type": "review.closed"})
    assert event["data"]["previous_attributes"]["open"] is True
    with pytest.raises(stripe.InvalidRequestError, match="closed already"):
        client(stripe_account=connected).v1.reviews.approve(review.id)


@pytest.mark.parametrize(("name", "of"), RESERVES.items())
def test_reserves_are_listed_in_preview_versions_only(client: Client, name: str, of: type[stripe.StripeObject]) -> None:
    page = preview(client, f"/v1/reserve/{name}?limit=4")
    if name != "releases":
        assert page["data"]
    for found in page["data"]:
        assert_complete(of.construct_from(found, None), of)
        assert preview(client, f"/v1/reserve/{name}/{found['id']}") == found
    stable = client(RESERVED.restricted_key)
    for path in (f"/v1/reserve/{name}", f"/v1/reserve/{name}/x"):
        with pytest.raises(stripe.InvalidRequestError, match=rf"Unrecognized request URL \(GET: {path}\)"):
            stable.raw_request("get", path)


def test_a_hold_is_a_tenth_of_its_charge_under_the_plan(client: Client) -> None:
    (plan,) = preview(client, "/v1/reserve/plans")["data"]
    assert (plan["percent"], plan["rolling_release"]["days_after_charge"]) == (10, 90)
    v1 = client(RESERVED.restricted_key).v1
    holds = preview(client, f"/v1/reserve/holds?limit=20&reserve_plan={plan['id']}")["data"]
    assert len(holds) == 20
    for hold in holds:
        charge = v1.charges.retrieve(hold["source_charge"])
        assert abs(hold["amount"] - charge.amount / 10) <= 0.5
        moved = v1.balance_transactions.list(params={"source": charge.id, "type": "reserve_hold"}).data
        assert sorted(entry.amount for entry in moved) == [-hold["amount"], hold["amount"]]
        assert hold["release_schedule"]["scheduled_release"] > hold["release_schedule"]["release_after"]


def test_the_reserved_balance_is_shown_in_preview_versions_only(client: Client, state: SandboxState) -> None:
    shown = preview(client, "/v1/balance")["risk_reserved"]["available"][0]
    assert shown["amount"] == state.view(RESERVED.account_id).merchant.balance(int(state.now().timestamp()))["reserved"]
    assert "risk_reserved" not in client(RESERVED.restricted_key).v1.balance.retrieve().to_dict()


def test_the_legacy_reserve_is_one_movement_of_reserved_funds(client: Client) -> None:
    v1 = client(LEGACY.restricted_key).v1
    moved = v1.balance_transactions.list(params={"type": "reserved_funds", "limit": 50}).data
    assert {entry.balance_type for entry in moved} == {"payments"}
    assert {entry.amount < 0 for entry in moved} == {True, False}
    assert preview(client, "/v1/reserve/plans", LEGACY.restricted_key)["data"] == []


def test_a_shop_in_pounds_shows_what_was_paid_and_what_it_became(client: Client) -> None:
    v1 = client(POUNDS.restricted_key).v1
    account = v1.accounts.retrieve_current()
    assert (account.country, account.default_currency) == ("GB", "gbp")
    charges = v1.charges.list(params={"limit": 100, "expand": ["data.balance_transaction"]}).data
    paid = [charge for charge in charges if charge.paid]
    assert {charge.currency for charge in paid} == {"gbp", "eur", "usd"}
    for charge in paid:
        moved = charge.balance_transaction
        assert moved.currency == "gbp"
        assert (moved.exchange_rate is None) == (charge.currency == "gbp")
        assert abs(moved.amount - charge.amount * (moved.exchange_rate or 1)) <= 0.5
        assert v1.payment_intents.retrieve(charge.payment_intent).currency == charge.currency
    assert v1.balance.retrieve().available[0].currency == "gbp"
    assert {payout.currency for payout in v1.payouts.list().data} == {"gbp"}


def test_the_platform_changes_settings_and_the_merchant_cannot_by_its_key(
    client: Client, state: SandboxState, connected: str
) -> None:
    params: Any = {"payments": {"payouts": {"minimum_balance_by_currency": {"gbp": 5000}}}}
    settings = client(stripe_account=connected).v1.balance_settings.update(params=params)
    assert_complete(settings, stripe.BalanceSettings)
    assert settings.payments.payouts.minimum_balance_by_currency.to_dict() == {"gbp": 5000}
    v1 = client(POUNDS.restricted_key).v1
    assert v1.balance_settings.retrieve().to_dict() == settings.to_dict()
    (event,) = state.store.find(connected, "event", {"type": "balance_settings.updated"})
    assert event["data"]["object"] == settings.to_dict()
    with pytest.raises(stripe.PermissionError, match="rak_balance_settings_write"):
        v1.balance_settings.update(params=params)


def test_direct_charges_stand_beside_the_history(client: Client, connected: str) -> None:
    v1 = client(stripe_account=connected).v1
    intent = v1.payment_intents.create(
        params={
            "amount": 4321,
            "currency": "gbp",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    charges = client(POUNDS.restricted_key).v1.charges.list(params={"limit": 5}).data
    assert charges[0].id == intent.latest_charge
    assert all(charge.id.startswith("ch_3") for charge in charges[1:])
    older = client(POUNDS.restricted_key).v1.charges.list(params={"limit": 4, "starting_after": charges[0].id})
    assert [charge.id for charge in older.data] == [charge.id for charge in charges[1:]]


def test_an_account_that_is_restricted_says_so_everywhere(client: Client, state: SandboxState) -> None:
    archetype = ARCHETYPES["low-activity"]
    fire(state, "account_restricted", archetype.account_id)
    v1 = client(archetype.restricted_key).v1
    account = v1.accounts.retrieve_current()
    assert_complete(account, stripe.Account)
    assert (account.charges_enabled, account.payouts_enabled) == (False, False)
    assert account.requirements.disabled_reason == "requirements.past_due"
    assert account.capabilities.card_payments == "inactive"
    assert v1.balance_settings.retrieve().payments.payouts.status == "disabled"
    told = {event.type: event.data for event in v1.events.list(params={"limit": 3}).data}
    assert set(told) == {"account.updated", "capability.updated", "balance_settings.updated"}
    assert_complete(told["capability.updated"].object, stripe.Capability)
    assert (told["capability.updated"].object.status, told["account.updated"].object.id) == ("inactive", account.id)
