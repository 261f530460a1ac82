"""The customer portal: Stripe's own client configures and opens it, and a person uses its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
import stripe
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.billed import Clock, a_customer, a_price
from tests.integration.sandbox.test_official_client import assert_complete

Client = Callable[..., Any]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CARD = {"number": "4000 0566 5566 5556", "expiry": "12 / 34", "cvc": "123"}


class Portal(NamedTuple):
    """Alice's subscription and the page she looks after it on."""

    customer: str
    subscription: str
    dearer: str
    url: str
    session: Any

    def post(self, **fields: str) -> httpx.Response:
        return httpx.post(self.url, data=fields)

    def get(self, **query: str) -> httpx.Response:
        return httpx.get(self.url, params=query)


@pytest.fixture
def v1(client: Client) -> Any:
    return client().v1


@pytest.fixture
def clock(base: str, state: SandboxState) -> Clock:
    return Clock(base, state)


def features(v1: Any, monthly: str, dearer: str, **more: Any) -> dict[str, Any]:
    product = v1.prices.retrieve(monthly).product
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {
            "enabled": True,
            "cancellation_reason": {"enabled": True, "options": ["too_expensive", "other"]},
        },
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "products": [{"product": product, "prices": [monthly, dearer]}],
            "proration_behavior": "always_invoice",
            **more,
        },
    }


def opened(v1: Any, *, trial: bool = False, flow: Any = None, card: str = "pm_card_visa", **more: Any) -> Portal:
    monthly = a_price(v1)
    dearer = a_price(v1, 99_900, product=v1.prices.retrieve(monthly).product)
    alice = a_customer(v1, card)
    terms: dict[str, Any] = {"customer": alice, "items": [{"price": monthly}]}
    made = v1.subscriptions.create(params=terms | ({"trial_period_days": 14} if trial else {}))
    configuration = v1.billing_portal.configurations.create(params={"features": features(v1, monthly, dearer, **more)})
    asked: dict[str, Any] = {
        "customer": alice,
        "configuration": configuration.id,
        "return_url": "http://127.0.0.1:9/billing",
    }
    if flow is not None:
        asked["flow_data"] = flow(made.id)
    session = v1.billing_portal.sessions.create(params=asked)
    return Portal(alice, made.id, dearer, session.url, session)


def text_of(page: httpx.Response) -> str:
    return " ".join(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page.text, flags=re.DOTALL).split())


def test_a_configuration_says_everything_that_it_leaves_open(v1: Any) -> None:
    made = v1.billing_portal.configurations.create(params={"features": {"invoice_history": {"enabled": True}}})

    assert_complete(made, stripe.billing_portal.Configuration)
    assert made.features.invoice_history.enabled
    assert made.features.subscription_update.proration_behavior == "none"
    assert made.features.subscription_update.trial_update_behavior == "end_trial"
    assert (made.features.subscription_cancel.mode, made.is_default) == ("at_period_end", False)
    changed = v1.billing_portal.configurations.update(
        made.id,
        params={
            "default_return_url": "http://127.0.0.1:9/back",
            "features": {"subscription_update": {"enabled": True, "trial_update_behavior": "continue_trial"}},
        },
    )
    assert changed.features.invoice_history.enabled
    assert changed.features.subscription_update.trial_update_behavior == "continue_trial"
    assert v1.billing_portal.configurations.retrieve(made.id).to_dict() == changed.to_dict()
    assert made.id in [found.id for found in v1.billing_portal.configurations.list(params={"active": True}).data]


def test_a_session_needs_a_configuration_until_one_is_the_default(v1: Any, base: str) -> None:
    alice = a_customer(v1)
    with pytest.raises(stripe.InvalidRequestError, match="your test mode default configuration has not been created"):
        v1.billing_portal.sessions.create(params={"customer": alice})
    made = v1.billing_portal.configurations.create(params={"features": {"invoice_history": {"enabled": True}}})

    answer = httpx.post(f"{base}/sandbox/billing", json={"portal_configuration": made.id})

    assert answer.json() == {"after_retries": "cancel", "upcoming_days": 7, "portal_configuration": made.id}
    session = v1.billing_portal.sessions.create(params={"customer": alice})
    assert_complete(session, stripe.billing_portal.Session)
    assert session.configuration == made.id
    assert httpx.get(session.url).status_code == 200


def test_wrong_settings_of_billing_are_refused(base: str) -> None:
    for wrong, said in (
        ({"after_retries": "forget"}, "cancel, unpaid, past_due, pause"),
        ({"upcoming_days": 0}, "1 to 60"),
        ({"color": "red"}, "The settings are"),
    ):
        answer = httpx.post(f"{base}/sandbox/billing", json=wrong)
        assert answer.status_code == 400
        assert said in answer.json()["error"]


def test_the_page_tells_plan_renewal_card_and_invoices(v1: Any) -> None:
    portal = opened(v1, trial=True)
    page = portal.get()

    assert page.status_code == 200
    text = text_of(page)
    assert "Pro Trial $499.00 per month Your trial ends on" in text
    assert "Visa that ends in 4242" in text
    assert "Return to" in text
    assert 'href="http://127.0.0.1:9/billing"' in page.text
    invoice = v1.invoices.list(params={"customer": portal.customer}).data[0]
    assert invoice.hosted_invoice_url in page.text
    assert f"Invoice {invoice.number}" in text_of(httpx.get(invoice.hosted_invoice_url))


def test_a_link_ends_when_nobody_uses_it(v1: Any, clock: Clock) -> None:
    never, used = opened(v1), opened(v1)
    assert used.get().status_code == 200
    clock.pass_days(10 / 24 / 60)
    assert never.get().status_code == 410
    assert used.get().status_code == 200
    clock.pass_days(0.1)
    assert used.get().status_code == 410
    assert httpx.get(used.url[:-4]).status_code == 404


def test_another_card_pays_from_now_on(v1: Any) -> None:
    portal = opened(v1)
    assert portal.get(view="card").status_code == 200
    refused = portal.post(action="card", view="card", **{**CARD, "number": "4000 0000 0000 0002"})
    assert refused.status_code == 402
    assert "Your card was declined." in text_of(refused)
    assert 'aria-invalid="true"' not in refused.text or "number" in refused.text

    assert portal.post(action="card", view="card", **CARD).status_code == 303

    chosen = v1.customers.retrieve(portal.customer).invoice_settings.default_payment_method
    assert v1.payment_methods.retrieve(chosen).card.last4 == "5556"


def test_a_plan_is_canceled_for_later_and_kept_after_all(v1: Any) -> None:
    portal = opened(v1)
    assert "You keep it until" in text_of(portal.get(view="cancel", subscription=portal.subscription))

    done = portal.post(action="cancel", subscription=portal.subscription, reason="too_expensive", comment="no")
    assert done.status_code == 303
    ending = v1.subscriptions.retrieve(portal.subscription)
    assert (ending.status, ending.cancel_at) == ("active", ending.items.data[0].current_period_end)
    assert not ending.cancel_at_period_end
    assert ending.cancellation_details.feedback == "too_expensive"
    assert "Ends on" in text_of(portal.get())
    again = portal.post(action="cancel", subscription=portal.subscription)
    assert "ends already" in text_of(again)

    assert portal.post(action="keep", subscription=portal.subscription).status_code == 303
    assert v1.subscriptions.retrieve(portal.subscription).cancel_at is None


@pytest.mark.parametrize(("behavior", "status"), [("end_trial", "active"), ("continue_trial", "trialing")])
def test_a_switch_in_a_trial_ends_it_or_not_as_the_configuration_says(v1: Any, behavior: str, status: str) -> None:
    portal = opened(v1, trial=True, trial_update_behavior=behavior)
    shown = text_of(portal.get(view="plan", subscription=portal.subscription, price=portal.dearer))
    assert ("$999.00 due today" in shown) == (status == "active")

    assert portal.post(action="switch", subscription=portal.subscription, price=portal.dearer).status_code == 303

    changed = v1.subscriptions.retrieve(portal.subscription, params={"expand": ["latest_invoice"]})
    assert changed.items.data[0].price.id == portal.dearer
    assert changed.status == status
    assert changed.latest_invoice.amount_paid == (99_900 if status == "active" else 0)


def test_a_switch_that_cannot_be_paid_changes_nothing(v1: Any) -> None:
    portal = opened(v1, trial=True, card="pm_card_chargeCustomerFail")
    before = v1.subscriptions.retrieve(portal.subscription).to_dict()

    refused = portal.post(action="switch", view="plan", subscription=portal.subscription, price=portal.dearer)

    assert refused.status_code == 402
    assert "Your card was declined." in text_of(refused)
    assert v1.subscriptions.retrieve(portal.subscription).to_dict() == before


def test_a_stranger_and_what_is_not_offered_are_refused(v1: Any) -> None:
    alices, charlies = opened(v1), opened(v1)
    foreign = charlies.post(action="cancel", subscription=alices.subscription)
    assert foreign.status_code == 402
    assert v1.subscriptions.retrieve(alices.subscription).cancel_at is None
    elsewhere = a_price(v1, 100)
    assert "not offered" in text_of(alices.post(action="switch", subscription=alices.subscription, price=elsewhere))
    assert "Nothing was chosen" in text_of(alices.post(action="", subscription=alices.subscription))


def test_a_flow_leads_straight_to_its_page_and_back(v1: Any) -> None:
    back = {"type": "redirect", "redirect": {"return_url": "http://127.0.0.1:9/done"}}
    portal = opened(
        v1,
        flow=lambda subscription: {
            "type": "subscription_cancel",
            "subscription_cancel": {"subscription": subscription},
            "after_completion": back,
        },
    )

    assert portal.session.flow.type == "subscription_cancel"
    assert "Cancel Pro" in text_of(portal.get())
    done = portal.post(action="cancel", subscription=portal.subscription)
    assert (done.status_code, done.headers["location"]) == (303, "http://127.0.0.1:9/done")
    with pytest.raises(stripe.InvalidRequestError, match="has no flow customer_update"):
        opened(v1, flow=lambda _subscription: {"type": "customer_update"})


def test_an_open_invoice_is_paid_on_its_page(v1: Any, clock: Clock) -> None:
    portal = opened(v1, trial=True, card="pm_card_chargeCustomerFail")
    clock.pass_days(14.1)
    owed = v1.invoices.list(params={"customer": portal.customer}).data[0]
    assert (owed.status, v1.subscriptions.retrieve(portal.subscription).status) == ("open", "past_due")

    refused = httpx.post(owed.hosted_invoice_url, data={**CARD, "number": "4000 0000 0000 9995"})
    assert "insufficient funds" in text_of(refused)
    paid = httpx.post(owed.hosted_invoice_url, data=CARD)

    assert paid.status_code == 303
    assert v1.invoices.retrieve(owed.id).status == "paid"
    assert v1.subscriptions.retrieve(portal.subscription).status == "active"
    assert "no open" not in text_of(httpx.get(owed.hosted_invoice_url))
    assert "not open any more" in text_of(httpx.post(owed.hosted_invoice_url, data=CARD))


def test_an_invoice_is_paid_once_the_bank_has_asked(v1: Any) -> None:
    bob = a_customer(v1, "pm_card_authenticationRequired")
    made = v1.subscriptions.create(params={"customer": bob, "items": [{"price": a_price(v1)}]})
    link = v1.invoices.retrieve(made.latest_invoice).hosted_invoice_url

    asked = httpx.post(link, data={**CARD, "number": "4000 0027 6000 3184"})
    back = httpx.post(asked.headers["location"], data={"answer": "pass"}).headers["location"]

    assert back.startswith(link)
    assert "Paid" in text_of(httpx.get(back))
    assert v1.subscriptions.retrieve(made.id).status == "active"


@pytest.mark.parametrize("view", ["home", "card", "cancel", "plan", "invoice"])
def test_the_pages_break_no_accessibility_rule_and_fit_a_phone(browser: Browser, v1: Any, view: str) -> None:
    portal = opened(v1)
    invoice = v1.invoices.list(params={"customer": portal.customer}).data[0]
    query = f"?view={view}&subscription={portal.subscription}&price={portal.dearer}"
    page = browser.new_page(viewport={"width": 320, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))

    page.goto(invoice.hosted_invoice_url if view == "invoice" else portal.url + query)

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert [text for text in complaints if "Security Policy" in text] == []
    page.close()
