"""Checkout: what a session may be asked for, and a person who pays on its page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import stripe

from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
HOUR = 3600
BACK = "http://127.0.0.1:9/done?id={CHECKOUT_SESSION_ID}"
FORM = {
    "email": "alice@example.com",
    "number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Alice",
}


@pytest.fixture
def prices(client: Client) -> dict[str, str]:
    v1 = client().v1
    data: dict[str, Any] = {"currency": "usd", "unit_amount": 49_900, "product_data": {"name": "Pro"}}
    return {
        "month": v1.prices.create(params=data | {"recurring": {"interval": "month"}}).id,
        "year": v1.prices.create(params=data | {"recurring": {"interval": "year"}}).id,
        "once": v1.prices.create(params=data | {"unit_amount": 2_500}).id,
        "euro": v1.prices.create(params=data | {"currency": "eur"}).id,
        "yen": v1.prices.create(params=data | {"currency": "jpy", "unit_amount": 500}).id,
    }


@pytest.fixture
def begin(client: Client, prices: dict[str, str]) -> Callable[..., Any]:
    """A session in a mode, for one of the prices."""

    def make(mode: str = "payment", price: str = "", **more: Any) -> Any:
        params: dict[str, Any] = {"mode": mode, "success_url": BACK, "cancel_url": "http://127.0.0.1:9/pricing"}
        if mode == "setup":
            params["currency"] = "usd"
        else:
            chosen = price or ("month" if mode == "subscription" else "once")
            params["line_items"] = [{"price": prices[chosen], "quantity": 1}]
        return client().v1.checkout.sessions.create(params=params | more)

    return make


def alert(page: httpx.Response) -> str:
    found = re.search(r'role="alert"[^>]*>([^<]+)', page.text)
    return found[1] if found else ""


def test_a_payment_from_the_page_to_the_event(client: Client, begin: Callable[..., Any]) -> None:
    v1 = client().v1
    session = begin(
        client_reference_id="order-7", metadata={"order": "7"}, payment_intent_data={"metadata": {"a": "b"}}
    )
    assert_complete(session, stripe.checkout.Session)
    assert (session.status, session.payment_status, session.amount_total, session.payment_intent) == (
        "open",
        "unpaid",
        2_500,
        None,
    )
    page = httpx.get(session.url)
    assert page.status_code == 200
    for shown in ("$25.00", "Pro", "4000 0000 0000 0341", "due today", "http://127.0.0.1:9/pricing"):
        assert shown in page.text
    assert "script" not in page.text

    paid = httpx.post(session.url, data=FORM)

    assert (paid.status_code, paid.headers["location"]) == (303, f"http://127.0.0.1:9/done?id={session.id}")
    done = v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent", "line_items"]})
    assert (done.status, done.payment_status, done.url, done.client_reference_id) == (
        "complete",
        "paid",
        None,
        "order-7",
    )
    assert done.customer_details.email == "alice@example.com"
    assert (done.payment_intent.status, done.payment_intent.metadata.to_dict()) == ("succeeded", {"a": "b"})
    assert [(item.description, item.amount_total) for item in done.line_items.data] == [("Pro", 2_500)]
    assert_complete(v1.checkout.sessions.retrieve(session.id), stripe.checkout.Session)
    event = v1.events.list(params={"type": "checkout.session.completed", "limit": 1}).data[0]
    assert event.data.object.id == session.id
    assert v1.checkout.sessions.list(params={"payment_intent": done.payment_intent.id}).data[0].id == session.id
    assert "All done" in httpx.get(session.url).text
    with pytest.raises(stripe.InvalidRequestError, match="status of `complete`"):
        v1.checkout.sessions.expire(session.id)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"number": "4000 0000 0000 0002"}, "Your card was declined."),
        ({"number": "4000000000009995"}, "Your card has insufficient funds."),
        ({"number": "4000 0000 0000 0341"}, "Your card was declined."),
        ({"number": "4242 4242 4242 4241"}, "Your card number is incorrect."),
        ({"number": ""}, "Your card number is incomplete."),
        ({"expiry": "12 / 20"}, "expiration year is invalid"),
        ({"expiry": "soon"}, "expiration date is incomplete"),
        ({"cvc": ""}, "security code is incomplete"),
        ({"cvc": "12"}, "security code is invalid"),
        ({"email": "alice"}, "Your email is incomplete."),
    ],
)
def test_what_goes_wrong_is_said_on_the_page_and_can_be_tried_again(
    client: Client, begin: Callable[..., Any], wrong: dict[str, str], message: str
) -> None:
    session = begin()

    page = httpx.post(session.url, data=FORM | wrong)

    assert page.status_code == 402
    assert message in alert(page).replace("&#39;", "'")
    assert client().v1.checkout.sessions.retrieve(session.id).status == "open"
    assert httpx.post(session.url, data=FORM).status_code == 303


def test_the_bank_asks_first_refused_then_passed(client: Client, begin: Callable[..., Any]) -> None:
    session = begin("subscription")
    form = FORM | {"number": "4000 0000 0000 3220"}
    with httpx.Client(follow_redirects=False) as person:
        asked = person.post(session.url, data=form).headers["location"]
        refused = person.get(person.post(asked, data={"answer": "fail"}).headers["location"])
        assert "failed authentication" in alert(refused)
        asked = person.post(session.url, data=form).headers["location"]
        back = person.get(person.post(asked, data={"answer": "pass"}).headers["location"])
    assert back.headers["location"] == BACK.replace("{CHECKOUT_SESSION_ID}", session.id)
    done = client().v1.checkout.sessions.retrieve(session.id, params={"expand": ["subscription", "invoice"]})
    assert (done.status, done.payment_status, done.subscription.status) == ("complete", "paid", "active")
    assert (done.invoice.status, done.invoice.amount_paid) == ("paid", 49_900)


def test_a_trial_keeps_the_card_and_takes_nothing(
    client: Client, begin: Callable[..., Any], state: SandboxState
) -> None:
    now = int(state.now().timestamp())
    data = {"trial_end": now + 72 * HOUR, "metadata": {"account": "1"}}
    session = begin("subscription", subscription_data=data, customer_email="alice@example.com")
    assert (session.amount_total, session.subscription, session.customer) == (0, None, None)
    page = httpx.get(session.url).text
    assert "Free until" in page
    assert "Start trial" in page

    assert httpx.post(session.url, data=FORM | {"number": "4000000000000341"}).status_code == 303

    done = client().v1.checkout.sessions.retrieve(session.id, params={"expand": ["subscription", "customer"]})
    assert (done.payment_status, done.customer.email) == ("no_payment_required", "alice@example.com")
    assert (done.subscription.status, done.subscription.trial_end) == ("trialing", data["trial_end"])
    assert done.subscription.metadata.to_dict() == {"account": "1"}
    kept = client().v1.customers.payment_methods.list(done.customer.id).data
    assert [method.id for method in kept] == [done.subscription.default_payment_method]


def test_no_card_is_asked_for_where_nothing_is_due(client: Client, begin: Callable[..., Any]) -> None:
    session = begin("subscription", subscription_data={"trial_period_days": 1}, payment_method_collection="if_required")
    assert "Card number" not in httpx.get(session.url).text
    assert httpx.post(session.url, data={"email": "alice@example.com"}).status_code == 303
    done = client().v1.checkout.sessions.retrieve(session.id, params={"expand": ["subscription"]})
    assert (done.subscription.status, done.subscription.default_payment_method) == ("trialing", None)


def test_a_promotion_code_is_entered_and_taken_off(client: Client, begin: Callable[..., Any]) -> None:
    v1 = client().v1
    coupon = v1.coupons.create(params={"percent_off": 30, "duration": "once", "max_redemptions": 1})
    v1.promotion_codes.create(params={"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "ONLY1"})
    session = begin(allow_promotion_codes=True)
    code = {"code": "only1", "action": "apply"}
    assert alert(httpx.post(session.url, data=code | {"code": "NOPE"})) == "This code is invalid."
    assert httpx.post(session.url, data=code).status_code == 303
    assert v1.checkout.sessions.retrieve(session.id).total_details.amount_discount == 750
    httpx.post(session.url, data={"action": "remove"})
    assert v1.checkout.sessions.retrieve(session.id).amount_total == 2_500
    httpx.post(session.url, data=code)

    assert httpx.post(session.url, data=FORM).status_code == 303

    assert (
        v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent"]}).payment_intent.amount == 1_750
    )
    after = v1.coupons.retrieve(coupon.id)
    assert (after.times_redeemed, after.valid) == (1, False)
    assert alert(httpx.post(begin(allow_promotion_codes=True).url, data=code)) == "This code is invalid."


def test_a_card_is_saved_for_later(client: Client, begin: Callable[..., Any]) -> None:
    v1 = client().v1
    customer = v1.customers.create(params={"email": "alice@example.com"})
    session = begin("setup", customer=customer.id)
    assert (session.payment_status, session.amount_total) == ("no_payment_required", None)
    assert httpx.post(session.url, data=FORM).status_code == 303
    done = v1.checkout.sessions.retrieve(session.id, params={"expand": ["setup_intent"]})
    assert (done.status, done.setup_intent.status) == ("complete", "succeeded")
    assert v1.customers.payment_methods.list(customer.id).data[0].id == done.setup_intent.payment_method


def test_an_existing_customer_is_named_and_deleting_them_ends_what_they_bought(
    client: Client, begin: Callable[..., Any]
) -> None:
    v1 = client().v1
    customer = v1.customers.create(params={"email": "alice@example.com"})
    session = begin("subscription", customer=customer.id, customer_update={"name": "auto"})
    assert 'value="alice@example.com"' in httpx.get(session.url).text
    assert httpx.post(session.url, data=FORM | {"email": "bob@example.com"}).status_code == 303
    done = v1.checkout.sessions.retrieve(session.id)
    assert (done.customer, done.customer_details.email) == (customer.id, "alice@example.com")
    named = v1.customers.retrieve(customer.id, params={"expand": ["subscriptions"]})
    assert (named.name, [one.id for one in named.subscriptions.data]) == ("Alice", [done.subscription])

    v1.customers.delete(customer.id)

    assert v1.subscriptions.retrieve(done.subscription).status == "canceled"


def test_all_that_a_seller_of_subscriptions_asks_for_is_taken(client: Client, begin: Callable[..., Any]) -> None:
    v1 = client().v1
    customer = v1.customers.create(params={"email": "alice@example.com"})
    session = begin(
        "subscription",
        customer=customer.id,
        customer_update={"address": "auto", "name": "auto"},
        automatic_tax={"enabled": True},
        tax_id_collection={"enabled": True},
        billing_address_collection="required",
        consent_collection={"terms_of_service": "none"},
        saved_payment_method_options={"payment_method_save": "enabled"},
        custom_text={"submit": {"message": "Thank you"}},
        branding_settings={"display_name": "PayFlux"},
        wallet_options={"link": {"display": "never"}},
        integration_identifier="payflux",
        locale="auto",
        subscription_data={
            "trial_period_days": 14,
            "trial_settings": {"end_behavior": {"missing_payment_method": "pause"}},
        },
    )
    assert_complete(session, stripe.checkout.Session)
    assert (session.tax_id_collection.required, session.branding_settings.font_family) == ("never", "default")
    assert "country in two letters" in alert(httpx.post(session.url, data=FORM | {"country": "Germany"}))
    assert httpx.post(session.url, data=FORM | {"country": "de", "postal_code": "10115"}).status_code == 303

    done = v1.checkout.sessions.retrieve(session.id, params={"expand": ["subscription"]})
    assert_complete(v1.checkout.sessions.retrieve(session.id), stripe.checkout.Session)
    assert done.customer_details.address.country == "DE"
    assert done.subscription.trial_settings.end_behavior.missing_payment_method == "pause"
    named = v1.customers.retrieve(customer.id)
    assert (named.name, named.address.postal_code) == ("Alice", "10115")


def test_a_session_ends_by_a_call(client: Client, begin: Callable[..., Any]) -> None:
    session = begin()
    expired = client().v1.checkout.sessions.expire(session.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert httpx.get(session.url).status_code == 410
    assert httpx.post(session.url, data=FORM).status_code == 410
    assert httpx.get(session.url.replace(session.id, "cs_test_none")).status_code == 404


def test_yen_have_no_cents(begin: Callable[..., Any]) -> None:
    session = begin(price="yen")
    assert (session.currency, session.amount_total) == ("jpy", 500)
    assert "¥500" in httpx.get(session.url).text
    assert httpx.post(session.url, data=FORM).status_code == 303


@pytest.mark.parametrize(
    ("mode", "wrong", "param"),
    [
        ("payment", {"success_url": "https://example.com/"}, "success_url"),
        ("payment", {"cancel_url": "javascript:alert(1)"}, "cancel_url"),
        ("payment", {"customer": "cus_none"}, "customer"),
        ("payment", {"customer": "cus_none", "customer_email": "a@example.com"}, "customer_email"),
        ("payment", {"customer_update": {"name": "auto"}}, "customer_update"),
        ("payment", {"allow_promotion_codes": True, "discounts": [{"coupon": "x"}]}, "discounts"),
        ("payment", {"discounts": [{"coupon": "none"}]}, "discounts[0][coupon]"),
        ("payment", {"subscription_data": {"trial_period_days": 1}}, "subscription_data"),
        ("payment", {"line_items": []}, "line_items"),
        ("payment", {"payment_method_types": ["card"]}, "payment_method_types"),
        ("payment", {"ui_mode": "hosted"}, "ui_mode"),
        ("payment", {"client_reference_id": "x" * 201}, "client_reference_id"),
        ("payment", {"metadata": {"x" * 41: "y"}}, "metadata"),
        ("payment", {"phone_number_collection": {"enabled": True}}, "phone_number_collection"),
        ("payment", {"consent_collection": {"terms_of_service": "required"}}, "consent_collection"),
        ("subscription", {"customer_creation": "always"}, "customer_creation"),
        ("subscription", {"subscription_data": {"trial_period_days": 731}}, "subscription_data[trial_period_days]"),
        ("subscription", {"subscription_data": {"trial_period_days": 1, "trial_end": 1}}, "subscription_data"),
        ("setup", {"line_items": [{"price": "x", "quantity": 1}]}, "line_items"),
    ],
)
def test_a_wrong_session_is_refused_by_name(
    begin: Callable[..., Any], mode: str, wrong: dict[str, Any], param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        begin(mode, **wrong)
    assert refused.value.param == param


def test_prices_that_do_not_go_together_are_refused(client: Client, prices: dict[str, str]) -> None:
    for mode, chosen, message in (
        ("payment", ("once", "euro"), "same currency"),
        ("payment", ("month",), "passed a recurring price"),
        ("subscription", ("once",), "recurring prices only"),
        ("subscription", ("month", "year"), "different billing intervals"),
    ):
        items = [{"price": prices[name], "quantity": 1} for name in chosen]
        params = {"mode": mode, "line_items": items, "success_url": BACK}
        with pytest.raises(stripe.InvalidRequestError, match=message):
            client().v1.checkout.sessions.create(params=params)


def test_a_price_can_be_made_for_one_session(client: Client) -> None:
    data = {"currency": "usd", "unit_amount": 700, "product_data": {"name": "Made to measure"}}
    items: list[Any] = [{"price_data": data, "quantity": 3}]
    v1 = client().v1
    session = v1.checkout.sessions.create(params={"mode": "payment", "line_items": items, "success_url": BACK})
    assert session.amount_total == 2_100
    line = v1.checkout.sessions.line_items.list(session.id).data[0]
    assert (line.description, line.quantity, line.price.active) == ("Made to measure", 3, False)
