"""Stripe's own client subscribes, changes, pauses and cancels, and reads the invoices of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.billed import DAY, Clock, a_customer, a_price
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]


@pytest.fixture
def v1(client: Client) -> Any:
    return client().v1


@pytest.fixture
def monthly(v1: Any) -> str:
    return a_price(v1)


@pytest.fixture
def alice(v1: Any) -> str:
    """A customer with a card that pays."""
    return a_customer(v1, "pm_card_visa")


@pytest.fixture
def clock(base: str, state: SandboxState) -> Clock:
    return Clock(base, state)


def invoices_of(v1: Any, subscription: str) -> list[Any]:
    return v1.invoices.list(params={"subscription": subscription}).data


def test_a_subscription_is_complete_and_found_again(v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(
        params={"customer": alice, "items": [{"price": monthly, "quantity": 2}], "metadata": {"account": "a_1"}}
    )

    assert_complete(made, stripe.Subscription)
    assert made.status == "active"
    assert made.billing_mode.type == "flexible"
    item = made.items.data[0]
    assert_complete(item, stripe.SubscriptionItem)
    assert item.plan.amount == item.price.unit_amount == 49_900
    assert item.current_period_start == made.created
    assert 28 * DAY <= item.current_period_end - made.created <= 31 * DAY
    assert v1.subscriptions.retrieve(made.id).to_dict() == made.to_dict()
    assert [found.id for found in v1.subscriptions.list(params={"customer": alice}).data] == [made.id]
    assert v1.subscription_items.retrieve(item.id).to_dict() == item.to_dict()
    assert [found.id for found in v1.subscription_items.list(params={"subscription": made.id}).data] == [item.id]
    with_all = v1.customers.retrieve(alice, params={"expand": ["subscriptions"]})
    assert [found.id for found in with_all.subscriptions.data] == [made.id]


def test_the_invoice_its_lines_and_its_payment_are_complete(v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(
        params={
            "customer": alice,
            "items": [{"price": monthly}],
            "metadata": {"account": "a_1"},
        }
    )
    invoice = v1.invoices.retrieve(made.latest_invoice, params={"expand": ["payments.data.payment.payment_intent"]})

    assert_complete(v1.invoices.retrieve(invoice.id), stripe.Invoice)
    assert (invoice.status, invoice.amount_paid, invoice.billing_reason) == ("paid", 49_900, "subscription_create")
    assert invoice.number.endswith("-0001")
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"account": "a_1"}
    line = invoice.lines.data[0]
    assert_complete(line, stripe.InvoiceLineItem)
    assert line.pricing.price_details.price == monthly
    assert line.parent.subscription_item_details.subscription_item == made.items.data[0].id
    assert [found.id for found in v1.invoices.line_items.list(invoice.id).data] == [line.id]
    intent = invoice.payments.data[0].payment.payment_intent
    assert (intent.status, intent.amount) == ("succeeded", 49_900)
    by_intent = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    payments = v1.invoice_payments.list(params=by_intent).data
    assert [payment.invoice for payment in payments] == [invoice.id]
    assert_complete(payments[0], stripe.InvoicePayment)
    assert v1.invoice_payments.retrieve(payments[0].id).status == "paid"


def test_a_trial_costs_nothing_until_it_ends(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}], "trial_period_days": 14})

    assert (made.status, made.trial_end - made.trial_start) == ("trialing", 14 * DAY)
    first = v1.invoices.retrieve(made.latest_invoice)
    assert (first.status, first.total, first.lines.data[0].amount) == ("paid", 0, 0)
    clock.pass_days(14)
    assert v1.subscriptions.retrieve(made.id).status == "active"
    assert [found.status for found in invoices_of(v1, made.id)] == ["draft", "paid"]
    clock.pass_days(1 / 24)
    assert [found.status for found in invoices_of(v1, made.id)] == ["paid", "paid"]


def test_without_a_payment_method_a_subscription_is_refused_or_waits(v1: Any, monthly: str) -> None:
    bob = a_customer(v1)
    terms = {"customer": bob, "items": [{"price": monthly}]}

    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source or default payment method"):
        v1.subscriptions.create(params=terms)
    waiting = v1.subscriptions.create(
        params={**terms, "payment_behavior": "default_incomplete", "expand": ["latest_invoice.confirmation_secret"]}
    )

    assert waiting.status == "incomplete"
    secret = waiting.latest_invoice.confirmation_secret
    assert secret.type == "payment_intent"
    v1.payment_intents.confirm(
        secret.client_secret.split("_secret_")[0],
        params={"payment_method": "pm_card_visa", "return_url": "http://127.0.0.1/back"},
    )
    assert_soon_active(v1, waiting.id)


def assert_soon_active(v1: Any, subscription: str) -> None:
    """What follows a payment by somebody else is the clock's; it looks twice a second."""
    deadline = time.monotonic() + 10
    while v1.subscriptions.retrieve(subscription).status != "active":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_card_that_fails_leaves_it_incomplete_or_leaves_nothing(clock: Clock, v1: Any, monthly: str) -> None:
    charlie = a_customer(v1, "pm_card_chargeCustomerFail")
    terms = {"customer": charlie, "items": [{"price": monthly}]}

    with pytest.raises(stripe.CardError) as refused:
        v1.subscriptions.create(params={**terms, "payment_behavior": "error_if_incomplete"})
    assert refused.value.code == "card_declined"
    assert v1.subscriptions.list(params={"customer": charlie, "status": "all"}).data == []

    left = v1.subscriptions.create(params=terms)
    assert left.status == "incomplete"
    assert v1.invoices.retrieve(left.latest_invoice).status == "open"
    clock.pass_days(1)
    assert v1.subscriptions.retrieve(left.id).status == "incomplete_expired"
    assert v1.invoices.retrieve(left.latest_invoice).status == "void"


def test_another_price_is_prorated_and_shown_before_it_is_bought(
    clock: Clock, v1: Any, alice: str, monthly: str
) -> None:
    dearer = a_price(v1, 99_900)
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})
    clock.pass_days(10)
    item, now = made.items.data[0].id, clock.now
    change = {"items": [{"id": item, "price": dearer}], "proration_date": now, "proration_behavior": "always_invoice"}

    shown = v1.invoices.create_preview(params={"subscription": made.id, "subscription_details": change})
    assert_complete(shown, stripe.Invoice)
    changed = v1.subscriptions.update(made.id, params={**change, "expand": ["latest_invoice"]})

    invoice = changed.latest_invoice
    assert changed.items.data[0].price.id == dearer
    assert changed.items.data[0].current_period_end == made.items.data[0].current_period_end
    assert (invoice.total, invoice.status, invoice.billing_reason) == (shown.total, "paid", "subscription_update")
    unused, remaining = (line.amount for line in invoice.lines.data)
    assert unused < 0 < remaining
    assert all(line.parent.subscription_item_details.proration for line in invoice.lines.data)
    left = (made.items.data[0].current_period_end - now) / (made.items.data[0].current_period_end - made.created)
    assert invoice.total == pytest.approx(50_000 * left, abs=1)


def test_the_next_invoice_is_previewed_with_what_waits_for_it(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})
    clock.pass_days(5)
    v1.subscription_items.update(made.items.data[0].id, params={"quantity": 3})

    shown = v1.invoices.create_preview(params={"subscription": made.id})

    assert shown.id.startswith("upcoming_in_")
    assert shown.lines.data[-1].amount == 3 * 49_900
    assert len(shown.lines.data) == 3
    end = v1.subscriptions.retrieve(made.id).items.data[0].current_period_end
    clock.pass_days((end - clock.now) / DAY + 0.1)
    real = invoices_of(v1, made.id)[0]
    assert (real.total, real.billing_reason, real.status) == (shown.total, "subscription_cycle", "paid")
    v1.subscriptions.update(made.id, params={"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        v1.invoices.create_preview(params={"subscription": made.id})


def test_a_new_subscription_is_previewed_and_nothing_is_kept(v1: Any, alice: str, monthly: str) -> None:
    coupon = v1.coupons.create(params={"percent_off": 20, "duration": "once"})
    shown = v1.invoices.create_preview(
        params={
            "customer": alice,
            "subscription_details": {"items": [{"price": monthly}]},
            "discounts": [{"coupon": coupon.id}],
        }
    )

    assert (shown.subtotal, shown.total) == (49_900, 39_920)
    assert v1.coupons.retrieve(coupon.id).times_redeemed == 0
    assert v1.subscriptions.list(params={"customer": alice}).data == []
    assert v1.invoices.list(params={"customer": alice}).data == []


def test_a_coupon_for_once_takes_off_once(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    coupon = v1.coupons.create(params={"amount_off": 10_000, "currency": "usd", "duration": "once"})
    made = v1.subscriptions.create(
        params={
            "customer": alice,
            "items": [{"price": monthly}],
            "discounts": [{"coupon": coupon.id}],
            "expand": ["latest_invoice.discounts"],
        }
    )

    invoice = made.latest_invoice
    assert (invoice.subtotal, invoice.total) == (49_900, 39_900)
    assert invoice.total_discount_amounts[0].amount == 10_000
    assert_complete(invoice.discounts[0], stripe.Discount)
    assert invoice.discounts[0].source.coupon == coupon.id
    assert v1.subscriptions.retrieve(made.id).discounts == []
    clock.pass_days(32)
    assert invoices_of(v1, made.id)[0].total == 49_900


def test_an_end_at_the_periods_end_can_be_taken_back_until_it_comes(
    clock: Clock, v1: Any, alice: str, monthly: str
) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})
    end = made.items.data[0].current_period_end
    reason = {"feedback": "too_expensive", "comment": "later perhaps"}

    ending = v1.subscriptions.update(made.id, params={"cancel_at_period_end": True, "cancellation_details": reason})
    assert (ending.cancel_at, ending.cancel_at_period_end, ending.status) == (end, True, "active")
    assert ending.cancellation_details.reason == "cancellation_requested"
    assert ending.cancellation_details.feedback == "too_expensive"
    kept = v1.subscriptions.update(made.id, params={"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at, kept.cancellation_details.reason) == (None, None, None)
    v1.subscriptions.update(made.id, params={"cancel_at": "min_period_end"})
    clock.pass_days(32)
    over = v1.subscriptions.retrieve(made.id)
    assert (over.status, over.ended_at) == ("canceled", end)
    with pytest.raises(stripe.InvalidRequestError, match="can only update its cancellation_details and metadata"):
        v1.subscriptions.update(made.id, params={"description": "again"})


def test_an_end_now_gives_back_what_is_asked_for(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})
    clock.pass_days(10)

    over = v1.subscriptions.cancel(made.id, params={"prorate": True, "invoice_now": True})

    assert over.status == "canceled"
    last = v1.invoices.retrieve(over.latest_invoice)
    assert (last.status, last.amount_due) == ("paid", 0)
    assert v1.customers.retrieve(alice).balance == last.total < 0
    with pytest.raises(stripe.InvalidRequestError, match="No such subscription"):
        v1.subscriptions.cancel(made.id)


def test_a_customer_who_is_deleted_is_subscribed_to_nothing(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})

    v1.customers.delete(alice)
    clock.pass_days(40)

    assert v1.subscriptions.retrieve(made.id).status == "canceled"
    assert len(invoices_of(v1, made.id)) == 1


def test_a_pause_stops_invoices_until_a_resumption_is_paid(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}]})

    paused = v1.subscriptions.pause(made.id, params={"bill_for": {"unused_time_from": {"type": "none"}}})
    assert paused.status == "paused"
    assert paused.status_details.paused.subscription.type == "pause_requested"
    assert_complete(paused, stripe.Subscription)
    clock.pass_days(40)
    assert len(invoices_of(v1, made.id)) == 1
    resumed = v1.subscriptions.resume(made.id, params={"payment_behavior": "resume_on_payment_success"})
    assert resumed.status == "active"
    assert resumed.items.data[0].current_period_start == pytest.approx(clock.now, abs=5)
    assert "status_details" not in resumed.to_dict()
    with pytest.raises(stripe.InvalidRequestError, match="only resume a subscription that is paused"):
        v1.subscriptions.resume(made.id)


def test_invoices_are_paid_voided_and_given_up_by_hand(clock: Clock, v1: Any, monthly: str) -> None:
    owing = a_customer(v1, "pm_card_chargeCustomerFail")
    made = v1.subscriptions.create(params={"customer": owing, "items": [{"price": monthly}], "trial_period_days": 1})
    clock.pass_days(1.1)
    invoice = invoices_of(v1, made.id)[0]
    assert (invoice.status, invoice.attempt_count) == ("open", 1)
    assert invoice.next_payment_attempt is not None
    with pytest.raises(stripe.CardError):
        v1.invoices.pay(invoice.id)
    paid = v1.invoices.pay(invoice.id, params={"payment_method": "pm_card_visa"})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert v1.subscriptions.retrieve(made.id).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        v1.invoices.pay(invoice.id)
    with pytest.raises(stripe.InvalidRequestError, match="can only void an invoice that is open"):
        v1.invoices.void_invoice(invoice.id)
    clock.pass_days(32)
    unpaid = invoices_of(v1, made.id)[0]
    assert v1.invoices.mark_uncollectible(unpaid.id).status == "uncollectible"
    assert v1.subscriptions.retrieve(made.id).status == "active"
    assert v1.invoices.void_invoice(unpaid.id).status == "void"


def test_a_draft_is_finalized_early_and_paid_elsewhere(clock: Clock, v1: Any, alice: str, monthly: str) -> None:
    made = v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}], "trial_period_days": 2})
    clock.pass_days(2)
    draft = invoices_of(v1, made.id)[0]
    assert draft.number is None

    opened = v1.invoices.finalize_invoice(draft.id)
    assert opened.status == "open"
    assert opened.hosted_invoice_url
    paid = v1.invoices.pay(draft.id, params={"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid_off_stripe) == ("paid", 49_900)
    assert v1.charges.list(params={"customer": alice}).data == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": []}, "items"),
        ({"trial_end": 1}, "must be an integer Unix timestamp in the future"),
        ({"trial_period_days": 731}, "1 to 730 days"),
        ({"trial_period_days": 3, "trial_end": 4_000_000_000}, "only specify one"),
        ({"billing_thresholds": {"amount_gte": 100}}, "does not carry out the parameter billing_thresholds"),
        ({"collection_method": "send_invoice"}, "collects automatically only"),
        ({"default_payment_method": "pm_card_visa"}, "must be attached to the customer"),
        ({"customer": "cus_none"}, "No such customer"),
        ({"items": [{"price": "price_none"}]}, "No such price"),
        ({"coupon": "x"}, "Received unknown parameter: coupon"),
    ],
)
def test_wrong_parameters_are_refused(v1: Any, alice: str, monthly: str, change: Any, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        v1.subscriptions.create(params={"customer": alice, "items": [{"price": monthly}], **change})


def test_a_merchants_restricted_key_reads_and_does_not_write(client: Client) -> None:
    own = client(ARCHETYPES["default"].restricted_key).v1
    assert own.subscriptions.list().data == []
    assert own.invoices.list().data == []
    with pytest.raises(stripe.PermissionError, match="rak_subscription_write"):
        own.subscriptions.cancel("sub_none")
