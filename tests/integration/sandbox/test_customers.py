"""Customers and the cards they keep, through Stripe's own client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]


def test_a_customer_from_beginning_to_end(client: Client) -> None:
    v1 = client().v1
    customer = v1.customers.create(
        params={
            "email": "alice@example.com",
            "name": "Alice",
            "metadata": {"account": "1"},
            "address": {"country": "DE"},
        }
    )

    assert_complete(customer, stripe.Customer)
    assert (customer.address.country, customer.address.city, customer.balance) == ("DE", None, 0)
    assert v1.customers.list(params={"email": "alice@example.com"}).data[0].id == customer.id
    changed = v1.customers.update(customer.id, params={"name": "", "metadata": {"plan": "pro"}})
    assert (changed.name, changed.metadata.to_dict()) == (None, {"account": "1", "plan": "pro"})
    assert v1.customers.retrieve(customer.id, params={"expand": ["subscriptions"]}).subscriptions.data == []

    assert v1.customers.delete(customer.id).deleted
    gone = v1.customers.retrieve(customer.id)
    assert (gone.deleted, gone.id) == (True, customer.id)
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as missing:
        v1.customers.update(customer.id, params={"name": "Bob"})
    assert missing.value.http_status == 404


def test_a_card_is_kept_made_the_default_and_let_go(client: Client) -> None:
    v1 = client().v1
    customer = v1.customers.create(params={"payment_method": "pm_card_visa"})
    visa = v1.customers.payment_methods.list(customer.id).data[0]
    assert_complete(visa, stripe.PaymentMethod)
    assert (visa.customer, visa.card.brand, visa.card.last4, visa.type) == (customer.id, "visa", "4242", "card")
    amex = v1.payment_methods.attach("pm_card_amex", params={"customer": customer.id})
    assert [found.id for found in v1.payment_methods.list(params={"customer": customer.id}).data] == [amex.id, visa.id]

    default = {"invoice_settings": {"default_payment_method": amex.id}}
    assert v1.customers.update(customer.id, params=default).invoice_settings.default_payment_method == amex.id
    assert v1.payment_methods.detach(amex.id).customer is None

    assert v1.customers.retrieve(customer.id).invoice_settings.default_payment_method is None
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        v1.payment_methods.attach(amex.id, params={"customer": customer.id})
    bob = v1.customers.create()
    with pytest.raises(stripe.InvalidRequestError, match="belongs to a Customer"):
        v1.payment_methods.attach(visa.id, params={"customer": bob.id})
    with pytest.raises(stripe.InvalidRequestError, match="must be attached"):
        v1.customers.update(bob.id, params={"invoice_settings": {"default_payment_method": visa.id}})


def test_a_card_number_is_checked_and_never_kept(client: Client, state: Any) -> None:
    v1 = client().v1
    card = {"number": "5555555555554444", "exp_month": 8, "exp_year": 2034, "cvc": "314"}
    made = v1.payment_methods.create(params={"type": "card", "card": card})
    assert (made.card.brand, made.card.last4, made.card.exp_month) == ("mastercard", "4444", 8)
    kept = state.store.find(state.caller("sk_test_sandbox", None).account_id, "payment_method")
    assert "5555555555554444" not in str(kept)
    for wrong, code in (
        ({"number": "4242424242424241"}, "incorrect_number"),
        ({"number": "4000000000000010"}, "card_declined"),  # sound, but no test card
        ({"exp_year": 2020}, "invalid_expiry_year"),
        ({"exp_month": 13}, "invalid_expiry_month"),
        ({"cvc": "12"}, "invalid_cvc"),
    ):
        with pytest.raises(stripe.CardError) as refused:
            v1.payment_methods.create(params={"type": "card", "card": card | wrong})
        assert refused.value.code == code


def test_a_card_that_the_bank_refuses_cannot_be_kept_but_0341_can(client: Client) -> None:
    v1 = client().v1
    customer = v1.customers.create()
    with pytest.raises(stripe.CardError, match="Your card was declined"):
        v1.payment_methods.attach("pm_card_chargeDeclined", params={"customer": customer.id})
    assert v1.customers.payment_methods.list(customer.id).data == []

    kept = v1.payment_methods.attach("pm_card_chargeCustomerFail", params={"customer": customer.id})

    assert kept.customer == customer.id
    asked = {"amount": 500, "currency": "usd", "customer": customer.id, "payment_method": kept.id, "confirm": True}
    with pytest.raises(stripe.CardError) as refused:
        v1.payment_intents.create(params=asked)
    error: Any = refused.value.error
    assert error.decline_code == "generic_decline"


def test_a_merchants_customers_are_history(client: Client) -> None:
    merchant = client(ARCHETYPES["default"].restricted_key).v1
    charge = next(found for found in merchant.charges.list(params={"limit": 100}).data if found.customer)
    assert merchant.customers.retrieve(charge.customer).id == charge.customer
    with pytest.raises(stripe.PermissionError, match="rak_customer_write"):
        merchant.customers.update(charge.customer, params={"name": "Charlie"})


def test_a_customer_without_metadata_has_empty_metadata_and_takes_some_later(client: Client) -> None:
    v1 = client().v1
    customer = v1.customers.create(params={"name": "Alice"})
    assert customer.metadata.to_dict() == {}
    assert v1.customers.update(customer.id, params={"metadata": {"plan": "pro"}}).metadata.to_dict() == {"plan": "pro"}


def test_a_test_card_named_twice_is_attached_once_and_the_default(client: Client) -> None:
    v1 = client().v1
    default = {"default_payment_method": "pm_card_visa"}
    customer = v1.customers.create(params={"payment_method": "pm_card_visa", "invoice_settings": default})
    (kept,) = v1.customers.payment_methods.list(customer.id).data
    assert customer.invoice_settings.default_payment_method == kept.id


def test_the_number_of_a_bank_account_is_refused_by_name(client: Client) -> None:
    account = {"account_number": "1", "bsb_number": "2"}
    given = {"type": "card", "card": {"token": "tok_visa"}, "au_becs_debit": account}
    with pytest.raises(stripe.InvalidRequestError, match="does not carry out the parameter au_becs_debit"):
        client().v1.payment_methods.create(params=given)
