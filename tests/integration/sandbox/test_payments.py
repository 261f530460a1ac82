"""Payment intents, setup intents and charges, through Stripe's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
ASKED: dict[str, Any] = {"amount": 2_000, "currency": "usd", "confirm": True}


def pays(client: Client, token: str = "pm_card_visa", **more: Any) -> Any:
    return client().v1.payment_intents.create(params=ASKED | {"payment_method": token} | more)


def told(client: Client, about: str) -> list[str]:
    """The types of the events about an object, in their order."""
    events = client().v1.events.list(params={"limit": 100}).data
    return [event.type for event in reversed(events) if event.to_dict()["data"]["object"].get("id") == about]


def test_a_payment_moves_the_balance(client: Client) -> None:
    v1 = client().v1
    intent = pays(client, description="Report", metadata={"order": "7"}, expand=["latest_charge.balance_transaction"])

    charge = intent.latest_charge
    assert (intent.status, intent.amount_received) == ("succeeded", 2_000)
    assert (charge.status, charge.paid, charge.captured, charge.metadata.to_dict()) == (
        "succeeded",
        True,
        True,
        {"order": "7"},
    )
    movement = charge.balance_transaction
    assert (movement.amount, movement.fee, movement.net, movement.status) == (2_000, 88, 1_912, "pending")
    assert movement.source == charge.id
    plain = v1.charges.retrieve(charge.id)
    assert_complete(plain, stripe.Charge)
    assert_complete(v1.payment_intents.retrieve(intent.id), stripe.PaymentIntent)
    assert_complete(v1.balance_transactions.retrieve(movement.id), stripe.BalanceTransaction)
    assert [found.id for found in v1.charges.list(params={"payment_intent": intent.id}).data] == [charge.id]
    assert [found.id for found in v1.balance_transactions.list(params={"source": charge.id}).data] == [movement.id]
    assert told(client, intent.id) == ["payment_intent.created", "payment_intent.succeeded"]
    assert told(client, charge.id) == ["charge.succeeded"]


@pytest.mark.parametrize(
    ("token", "code", "decline_code", "outcome"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", "issuer_declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds", "issuer_declined"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", "issuer_declined"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", "issuer_declined"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", "issuer_declined"),
        ("pm_card_radarBlock", "card_declined", "fraudulent", "blocked"),
    ],
)
def test_a_declined_card_leaves_a_failed_charge(
    client: Client, token: str, code: str, decline_code: str, outcome: str
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        pays(client, token)

    error: Any = refused.value.error
    assert (refused.value.http_status, error.code, error.decline_code) == (402, code, decline_code)
    intent = client().v1.payment_intents.retrieve(error.payment_intent.id)
    assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
    assert intent.last_payment_error.decline_code == decline_code
    charge = client().v1.charges.retrieve(error.charge)
    assert (charge.status, charge.paid, charge.failure_code, charge.outcome.type) == ("failed", False, code, outcome)
    assert charge.balance_transaction is None
    assert_complete(charge, stripe.Charge)
    assert told(client, intent.id) == ["payment_intent.created", "payment_intent.payment_failed"]
    again = client().v1.payment_intents.confirm(intent.id, params={"payment_method": "pm_card_visa"})
    assert (again.status, again.last_payment_error) == ("succeeded", None)


@pytest.mark.parametrize(("answer", "status"), [("pass", "succeeded"), ("fail", "requires_payment_method")])
def test_the_bank_asks_and_the_customer_answers(client: Client, answer: str, status: str) -> None:
    back = "http://127.0.0.1:9/back?order=7"
    intent = pays(client, "pm_card_threeDSecure2Required", return_url=back)
    assert (intent.status, intent.next_action.type, intent.latest_charge) == (
        "requires_action",
        "redirect_to_url",
        None,
    )
    page = intent.next_action.redirect_to_url.url
    assert "Is this really you?" in httpx.get(page).text

    answered = httpx.post(page, data={"answer": answer})

    assert answered.status_code == 303
    assert answered.headers["location"].startswith(f"{back}&payment_intent={intent.id}")
    assert answered.headers["location"].endswith("succeeded" if answer == "pass" else "failed")
    after = client().v1.payment_intents.retrieve(intent.id, params={"expand": ["latest_charge"]})
    assert (after.status, after.next_action) == (status, None)
    if answer == "pass":
        assert after.latest_charge.payment_method_details.card.three_d_secure.result == "authenticated"
    else:
        assert after.last_payment_error.code == "payment_intent_authentication_failure"
    assert "Already answered" in httpx.get(page).text


def test_a_card_set_up_once_is_not_asked_again_off_session(client: Client) -> None:
    v1 = client().v1
    customer = v1.customers.create()
    setup = v1.setup_intents.create(
        params={"customer": customer.id, "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": True}
    )
    assert_complete(setup, stripe.SetupIntent)
    assert (setup.status, setup.usage) == ("requires_action", "off_session")
    later = {"customer": customer.id, "off_session": True}
    with pytest.raises(stripe.CardError) as refused:
        pays(client, "pm_card_authenticationRequired", off_session=True)
    assert refused.value.code == "authentication_required"

    httpx.post(setup.next_action.redirect_to_url.url, data={"answer": "pass"})

    assert v1.setup_intents.retrieve(setup.id).status == "succeeded"
    assert v1.payment_methods.retrieve(setup.payment_method).customer == customer.id
    assert pays(client, setup.payment_method, **later).status == "succeeded"
    assert v1.setup_intents.list(params={"customer": customer.id}).data[0].id == setup.id


def test_a_setup_of_a_refused_card_fails_and_one_can_be_canceled(client: Client) -> None:
    v1 = client().v1
    with pytest.raises(stripe.CardError) as refused:
        v1.setup_intents.create(params={"payment_method": "pm_card_chargeDeclined", "confirm": True})
    error: Any = refused.value.error
    setup = v1.setup_intents.retrieve(error.setup_intent.id)
    assert (setup.status, setup.last_setup_error.code) == ("requires_payment_method", "card_declined")
    canceled = v1.setup_intents.cancel(setup.id, params={"cancellation_reason": "abandoned"})
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        v1.setup_intents.confirm(setup.id)


def test_an_authorization_is_captured_in_part_or_let_go(client: Client) -> None:
    v1 = client().v1
    held = pays(client, capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 2_000)
    assert v1.charges.retrieve(held.latest_charge).balance_transaction is None
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and"):
        v1.payment_intents.capture(held.id, params={"amount_to_capture": 2_001})

    taken = v1.payment_intents.capture(held.id, params={"amount_to_capture": 1_500})

    charge = v1.charges.retrieve(taken.latest_charge, params={"expand": ["balance_transaction", "refunds"]})
    assert (taken.status, taken.amount_received) == ("succeeded", 1_500)
    assert (charge.amount_captured, charge.amount_refunded, charge.balance_transaction.amount) == (1_500, 500, 1_500)
    assert [(refund.amount, refund.balance_transaction) for refund in charge.refunds.data] == [(500, None)]
    other = v1.payment_intents.cancel(pays(client, capture_method="manual").id)
    assert (other.status, v1.charges.retrieve(other.latest_charge).refunded) == ("canceled", True)
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        v1.payment_intents.cancel(held.id)


def test_an_intent_waits_for_its_payment_method_and_can_be_changed(client: Client) -> None:
    v1 = client().v1
    intent = v1.payment_intents.create(params={"amount": 900, "currency": "jpy"})
    assert (intent.status, intent.payment_method_types) == ("requires_payment_method", ["card"])
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        v1.payment_intents.confirm(intent.id)
    changed = v1.payment_intents.update(intent.id, params={"amount": 1_000, "payment_method": "pm_card_jcb"})
    assert (changed.amount, changed.status) == (1_000, "requires_confirmation")
    assert v1.payment_intents.confirm(intent.id).status == "succeeded"
    fee = v1.charges.list(params={"payment_intent": intent.id, "expand": ["data.balance_transaction"]}).data[0]
    assert (fee.balance_transaction.currency, fee.balance_transaction.fee) == ("jpy", 59)
    assert "jpy" in {entry.currency for entry in v1.balance.retrieve().pending}
    assert v1.charges.update(fee.id, params={"description": "Yen"}).description == "Yen"


def test_a_card_that_can_is_authenticated_where_the_payment_asks_for_it(client: Client) -> None:
    options = {"card": {"request_three_d_secure": "any"}}
    assert pays(client, "pm_card_threeDSecureOptional").status == "succeeded"
    assert pays(client, "pm_card_visa", payment_method_options=options).status == "succeeded"
    assert pays(client, "pm_card_threeDSecureOptional", payment_method_options=options).status == "requires_action"


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"payment_method": "pm_none"}, "resource_missing", "payment_method"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"payment_method_types": ["card"]}, "parameter_unknown", "payment_method_types"),
        ({"return_url": "https://example.com/"}, None, "return_url"),
        ({"application_fee_amount": "x"}, "parameter_invalid_integer", "application_fee_amount"),
        ({"transfer_data": {"destination": "acct_1"}}, None, "transfer_data"),
    ],
)
def test_a_wrong_intent_is_refused_by_name(client: Client, wrong: dict[str, Any], code: str | None, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pays(client, **wrong)
    assert str(refused.value.param).startswith(param)
    assert code is None or refused.value.code == code
