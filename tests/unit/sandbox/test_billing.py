"""Subscriptions over time: what renews, fails, is tried again and ends, and that nothing changes untold."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payflux.sandbox.billing import ending, pausing
from payflux.sandbox.billing.changing import carry_out, changed_items, end_later, plan_change
from payflux.sandbox.billing.rules import TRANSITIONS
from payflux.sandbox.billing.subscriptions import change_settings, items_of, schedule
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.unit.sandbox.billed import Shop

DAY = 86_400
FAILS = "pm_card_chargeCustomerFail"


def status_of(shop: Shop, subscription: Json) -> str:
    return shop.get("subscription", subscription["id"])["status"]


def test_a_subscription_begins_with_its_events_in_stripes_order() -> None:
    shop = Shop()
    customer = shop.customer()
    before = len(shop.told())
    shop.subscribe(customer)

    assert shop.told()[before:] == [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
    ]


def test_a_renewal_is_a_draft_for_an_hour_and_told_a_week_before() -> None:
    shop = Shop()
    subscription = shop.subscribe()
    end = items_of(subscription)[0]["current_period_end"]
    shop.pass_time(seconds=end - shop.now - 7 * DAY)
    assert shop.told()[-1] == "invoice.upcoming"
    shop.pass_time(days=7)
    draft = shop.all("invoice")[-1]
    assert (draft["status"], draft["automatically_finalizes_at"]) == ("draft", end + 3_600)
    assert (draft["period_start"], draft["period_end"]) == (subscription["created"], end)
    assert draft["lines"]["data"][0]["period"]["start"] == end
    shop.pass_time(seconds=3_599)
    assert shop.all("invoice")[-1]["status"] == "draft"
    shop.pass_time(seconds=1)
    assert shop.all("invoice")[-1]["status"] == "paid"


@pytest.mark.parametrize(("days", "notice"), [(14, 11 * DAY), (3.5, DAY // 2), (3, 0), (1, 0)])
def test_the_end_of_a_trial_is_told_three_days_before_or_at_once(days: float, notice: int) -> None:
    shop = Shop()
    begun = shop.now
    shop.subscribe(trial_days=days)
    shop.pass_time(days=days)

    told = [e["created"] for e in shop.all("event") if e["type"] == "customer.subscription.trial_will_end"]
    assert told == [begun + notice]


@pytest.mark.parametrize(
    ("missing", "status", "event"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "customer.subscription.updated"),
    ],
)
def test_a_trial_without_a_payment_method_ends_as_it_was_agreed(missing: str, status: str, event: str) -> None:
    shop = Shop()
    agreed = {"end_behavior": {"missing_payment_method": missing}}
    subscription = shop.subscribe(shop.customer(None), trial_days=14, trial_settings=agreed)
    shop.pass_time(days=14, seconds=3_600)

    assert status_of(shop, subscription) == status
    assert [told for told in shop.told("customer.subscription") if told != "customer.subscription.trial_will_end"][
        -1
    ] == event


@pytest.mark.parametrize(
    ("how", "status"),
    [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due"), ("pause", "paused")],
)
def test_after_four_retries_the_setting_decides(how: str, status: str) -> None:
    shop = Shop()
    shop.do(lambda work: change_settings(work, ending=how))
    subscription = shop.subscribe()
    shop.use_card(subscription["customer"], FAILS)
    end = items_of(subscription)[0]["current_period_end"]
    shop.pass_time(seconds=end - shop.now + 3_600)
    invoice = shop.all("invoice")[-1]
    assert status_of(shop, subscription) == "past_due"
    assert invoice["next_payment_attempt"] == shop.now + DAY
    assert shop.get("customer", subscription["customer"])["delinquent"]
    shop.pass_time(days=8)

    assert status_of(shop, subscription) == status
    failures = [e["created"] - end - 3_600 for e in shop.all("event") if e["type"] == "invoice.payment_failed"]
    assert failures == [0, DAY, 3 * DAY, 5 * DAY, 7 * DAY]
    assert shop.get("invoice", invoice["id"])["next_payment_attempt"] is None


def test_a_better_card_makes_the_next_retry_good() -> None:
    shop = Shop()
    subscription = shop.subscribe()
    shop.use_card(subscription["customer"], FAILS)
    shop.pass_time(days=31)
    assert status_of(shop, subscription) == "past_due"
    shop.use_card(subscription["customer"], "pm_card_mastercard")
    shop.pass_time(days=1)

    assert status_of(shop, subscription) == "active"
    assert not shop.get("customer", subscription["customer"])["delinquent"]


def test_a_first_payment_that_never_comes_expires_after_23_hours() -> None:
    shop = Shop()
    subscription = shop.subscribe(shop.customer(None), payment_behavior="default_incomplete")
    shop.pass_time(seconds=23 * 3_600 - 1)
    assert status_of(shop, subscription) == "incomplete"
    shop.pass_time(seconds=1)
    assert status_of(shop, subscription) == "incomplete_expired"
    assert [invoice["status"] for invoice in shop.all("invoice")] == ["void"]


def test_a_bank_that_asks_leaves_it_incomplete_and_says_so() -> None:
    shop = Shop()
    subscription = shop.subscribe(shop.customer("pm_card_authenticationRequired"))

    assert subscription["status"] == "incomplete"
    assert shop.told("invoice.payment")[-1] == "invoice.payment_action_required"


@pytest.mark.parametrize(
    ("behavior", "status"), [("keep_as_draft", "draft"), ("mark_uncollectible", "uncollectible"), ("void", "void")]
)
def test_while_collection_is_paused_invoices_are_not_paid(behavior: str, status: str) -> None:
    shop = Shop()
    subscription = shop.subscribe()
    paused = {"behavior": behavior, "resumes_at": None}
    shop.do(lambda work: work.change(work.require("subscription", subscription["id"]), {"pause_collection": paused}))
    shop.pass_time(days=32)

    assert shop.all("invoice")[-1]["status"] == status
    assert status_of(shop, subscription) == "active"


def test_a_resumption_that_nobody_pays_is_void_and_the_pause_goes_on() -> None:
    shop = Shop()
    subscription = shop.subscribe()
    shop.do(lambda work: pausing.pause(work, work.require("subscription", subscription["id"]), credit_from="none"))
    shop.do(lambda work: pausing.resume(work, work.require("subscription", subscription["id"])))
    assert (status_of(shop, subscription), shop.all("invoice")[-1]["status"]) == ("paused", "open")
    shop.pass_time(days=1)

    assert (status_of(shop, subscription), shop.all("invoice")[-1]["status"]) == ("paused", "void")


def test_a_cheaper_plan_is_a_credit_for_invoices_to_come() -> None:
    shop = Shop(amount=99_900)
    subscription = shop.subscribe()
    cheaper = shop.price_of(9_900)
    shop.pass_time(days=3)
    switch(shop, subscription, cheaper, "always_invoice")

    credit = shop.get("customer", subscription["customer"])["balance"]
    last = shop.all("invoice")[-1]
    assert (last["total"], last["amount_due"], last["ending_balance"]) == (credit, 0, credit)
    assert credit < -9_900
    shop.pass_time(days=31)
    renewed = shop.all("invoice")[-1]
    assert (renewed["status"], renewed["total"], renewed["amount_due"]) == ("paid", 9_900, 0)
    assert shop.get("customer", subscription["customer"])["balance"] == credit + 9_900


def test_too_little_to_be_charged_waits_on_the_balance() -> None:
    shop = Shop(amount=30)
    subscription = shop.subscribe()
    assert subscription["status"] == "active"
    assert shop.get("customer", subscription["customer"])["balance"] == 30
    shop.pass_time(days=32)

    paid = [(invoice["status"], invoice["amount_paid"]) for invoice in shop.all("invoice")]
    assert paid == [("paid", 0), ("paid", 60)]
    assert shop.get("customer", subscription["customer"])["balance"] == 0


def test_another_interval_begins_a_new_period_now() -> None:
    shop = Shop(amount=1_000)
    subscription = shop.subscribe()
    yearly = shop.price_of(10_000, "year")
    shop.pass_time(days=10)
    switch(shop, subscription, yearly)

    changed = shop.get("subscription", subscription["id"])
    item, last = items_of(changed)[0], shop.all("invoice")[-1]
    assert item["current_period_start"] == changed["billing_cycle_anchor"] == shop.now
    assert item["current_period_end"] - shop.now == 365 * DAY
    assert last["status"] == "paid"
    assert 9_200 < last["total"] < 9_400  # a year, less twenty days of a month


def switch(shop: Shop, subscription: Json, price: str, behavior: str = "create_prorations") -> None:
    def change(work: Work) -> None:
        found = work.require("subscription", subscription["id"])
        items = changed_items(work, found, [{"id": items_of(found)[0]["id"], "price": price}])
        plan = plan_change(work, found, items, proration_behavior=behavior)
        carry_out(work, found, plan, {}, invoice_now=behavior == "always_invoice")

    shop.do(change)


class Step(NamedTuple):
    """Something that is done some days after the step before."""

    days: int
    what: str


class Story(NamedTuple):
    interval: str
    trial_days: int
    card: str | None
    missing: str
    ending: str
    steps: tuple[Step, ...]


ACTIONS = ("good card", "bad card", "dearer", "cheaper", "end later", "keep", "pause", "resume", "end now", "nothing")
STORIES = st.builds(
    Story,
    st.sampled_from(["week", "month", "year"]),
    st.sampled_from([0, 2, 14]),
    st.sampled_from(["pm_card_visa", FAILS, None]),
    st.sampled_from(["cancel", "create_invoice", "pause"]),
    st.sampled_from(["cancel", "unpaid", "past_due", "pause"]),
    st.lists(st.builds(Step, st.integers(0, 40), st.sampled_from(ACTIONS)), max_size=5).map(tuple),
)


def told_of(story: Story, *, daily: bool) -> Shop:
    """What becomes of a story; with `daily` its time passes day by day, else in one go between the steps."""
    shop = Shop(amount=3_000, interval=story.interval)
    dearer, cheaper = shop.price_of(5_000, story.interval), shop.price_of(1_000, story.interval)
    shop.do(lambda work: change_settings(work, ending=story.ending))
    customer = shop.customer(story.card)
    behavior = "allow_incomplete" if story.card or story.trial_days else "default_incomplete"
    begun = shop.subscribe(
        customer,
        trial_days=story.trial_days,
        payment_behavior=behavior,
        trial_settings={"end_behavior": {"missing_payment_method": story.missing}},
    )
    for step in (*story.steps, Step(365 - sum(step.days for step in story.steps), "nothing")):
        for days in [1] * step.days if daily else [step.days]:
            shop.pass_time(days=days)
        act(shop, begun, step.what, {"dearer": dearer, "cheaper": cheaper})
    return shop


def act(shop: Shop, begun: Json, what: str, prices: dict[str, str]) -> None:
    """Do it where the subscription's status allows it."""
    status = status_of(shop, begun)
    if what.endswith("card"):
        shop.use_card(begun["customer"], "pm_card_visa" if what == "good card" else FAILS)
    elif what in prices and status in ("active", "trialing", "past_due"):
        switch(shop, begun, prices[what])
    elif what in ("end later", "keep") and status in ("active", "trialing", "past_due"):
        shop.do(lambda work: end_or_keep(work, begun["id"], ends=what == "end later"))
    elif what == "pause" and status == "active":
        shop.do(lambda work: pausing.pause(work, work.require("subscription", begun["id"])))
    elif what == "resume" and status == "paused":
        shop.do(lambda work: pausing.resume(work, work.require("subscription", begun["id"]), on_success=True))
    elif what == "end now" and TRANSITIONS[status]:
        shop.do(lambda work: ending.cancel(work, work.require("subscription", begun["id"]), reason="x"))


def end_or_keep(work: Work, subscription_id: str, *, ends: bool) -> None:
    subscription = work.require("subscription", subscription_id)
    changes = end_later(work, subscription, {"cancel_at_period_end": ends})
    work.change(subscription, changes, "customer.subscription.updated")
    schedule(work, subscription)


def history(shop: Shop) -> list[tuple[Any, ...]]:
    """Every event, without what is drawn by chance."""
    shown = ("status", "amount", "amount_due", "total", "attempt_count", "balance", "cancel_at", "next_payment_attempt")
    return [
        (
            event["created"],
            event["type"],
            [event["data"]["object"].get(name) for name in shown],
            sorted(event["data"].get("previous_attributes", {})),
        )
        for event in shop.all("event")
    ]


QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(STORIES)
def test_a_year_in_one_go_is_the_same_as_day_by_day(story: Story) -> None:
    assert history(told_of(story, daily=False)) == history(told_of(story, daily=True))


@QUICK
@given(STORIES)
def test_every_change_is_told_by_one_event_that_says_what_was_before(story: Story) -> None:
    shop = told_of(story, daily=False)
    known: dict[str, Json] = {}
    for event in shop.all("event"):
        now = event["data"]["object"]
        if now["object"] not in ("subscription", "invoice") or now["id"].startswith("upcoming"):
            continue
        before = known.get(now["id"])
        if before is not None and "previous_attributes" in event["data"]:
            assert {**now, **event["data"]["previous_attributes"]} == {**now, **before}
            assert all(now[name] != value for name, value in event["data"]["previous_attributes"].items())
        if event["type"].endswith("trial_will_end"):
            assert before is None or now == before
        known[now["id"]] = now
    for document in [*shop.all("subscription"), *shop.all("invoice")]:
        assert known[document["id"]] == document


@QUICK
@given(STORIES)
def test_periods_join_and_statuses_follow_the_table(story: Story) -> None:
    shop = told_of(story, daily=False)
    seen: list[tuple[int, int]] = []
    status = ""
    for event in shop.all("event"):
        now = event["data"]["object"]
        if not event["type"].startswith("customer.subscription."):
            continue
        assert not status or now["status"] == status or now["status"] in TRANSITIONS[status]
        resumed, status = status == "paused" and now["status"] != "paused", now["status"]
        period = items_of(now)[0]["current_period_start"], items_of(now)[0]["current_period_end"]
        if seen and period != seen[-1]:
            assert period[0] == event["created"] if resumed else period[0] == seen[-1][1]
        assert period[0] < period[1]
        seen.append(period)


@QUICK
@given(STORIES)
def test_the_money_of_invoices_adds_up(story: Story) -> None:
    shop = told_of(story, daily=False)
    due: defaultdict[str, int] = defaultdict(int)
    for invoice in shop.all("invoice"):
        lines = invoice["lines"]["data"]
        off = sum(part["amount"] for part in invoice["total_discount_amounts"])
        assert invoice["subtotal"] == sum(line["amount"] for line in lines)
        assert invoice["total"] == invoice["subtotal"] - off
        assert invoice["amount_remaining"] == invoice["amount_due"] - invoice["amount_paid"] >= 0
        payments = shop.all("invoice_payment", invoice=invoice["id"], status="paid")
        assert sum(payment["amount_paid"] for payment in payments) == invoice["amount_paid"]
        for payment in payments:
            charges = shop.all("charge", payment_intent=payment["payment"]["payment_intent"], status="succeeded")
            assert sum(charge["amount"] for charge in charges) == payment["amount_paid"]
        if invoice["number"] is not None:
            due[invoice["customer"]] += invoice["total"] - invoice["amount_due"]
    for customer in shop.all("customer"):
        assert customer["balance"] == due[customer["id"]]
    waiting = [item for item in shop.all("invoiceitem") if item["invoice"] is None]
    billed = sum(1 for invoice in shop.all("invoice") for line in invoice["lines"]["data"] if of_item(line))
    assert billed == len(shop.all("invoiceitem")) - len(waiting)


def of_item(line: Json) -> bool:
    return line["parent"]["subscription_item_details"]["invoice_item"] is not None
