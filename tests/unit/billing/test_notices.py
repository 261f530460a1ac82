from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.notices import due_between, due_now, mails_about
from payflux.frontdoor.billing.rules import TRIAL, Standing, Status

BEGUN = datetime(2026, 11, 1, 12, tzinfo=UTC)
ENDS = BEGUN + TRIAL
HOURS = st.integers(0, 40 * 24).map(lambda hours: BEGUN + timedelta(hours=hours))


def standing(status: Status = "trialing", *, plan: str = "pro", stripe: str | None = None) -> Standing:
    return Standing(plan, None, status, BEGUN, ENDS if status != "complimentary" else None, stripe_status=stripe)


@pytest.mark.parametrize(
    ("day", "notice"),
    [
        (9.9, None),
        (10, "trial_ends_in_4_days"),
        (12.9, "trial_ends_in_4_days"),
        (13, "trial_ends_in_1_day"),
        (13.99, "trial_ends_in_1_day"),
        (14, "trial_ended"),
        (20.9, "trial_ended"),
        (21, None),
    ],
)
def test_a_trial_is_announced_on_days_10_and_13_and_told_when_it_has_ended(day: float, notice: str | None) -> None:
    due = due_now(standing(), [], BEGUN + timedelta(days=day))
    assert (due.notice if due else None) == notice


def test_what_was_sent_is_not_due_again() -> None:
    assert due_now(standing(), ["trial_ends_in_4_days"], ENDS - timedelta(days=3)) is None
    assert due_now(standing(), ["trial_ends_in_4_days"], ENDS - timedelta(hours=3)) is not None


@pytest.mark.parametrize(
    "quiet",
    [
        standing(stripe="trialing"),
        standing("complimentary"),
        standing("active", plan="free"),
        standing("active", stripe="active"),
        standing("canceled"),
        standing("incomplete", stripe="incomplete"),
    ],
)
def test_nobody_else_is_reminded_of_anything(quiet: Standing) -> None:
    assert mails_about(quiet) == []


@given(st.lists(HOURS, max_size=60))
def test_whenever_the_worker_looks_each_mail_goes_out_once_and_in_order(looks: list[datetime]) -> None:
    sent: list[str] = []
    for now in sorted(looks):
        due = due_now(standing(), sent, now)
        if due is not None:
            sent.append(due.notice)
    assert sent == [due.notice for due in mails_about(standing()) if due.notice in sent]
    assert len(set(sent)) == len(sent)


@given(HOURS, st.integers(1, 200))
def test_a_worker_that_looks_often_sends_what_the_preview_said(start: datetime, hours: int) -> None:
    end = start + timedelta(hours=hours)
    expected = [due.notice for due in due_between(standing(), [], start, end)]
    sent: list[str] = []
    for hour in range(hours + 1):
        due = due_now(standing(), sent, start + timedelta(hours=hour))
        if due is not None:
            sent.append(due.notice)
    assert sent == expected


def test_a_failed_payment_is_told_once_for_each_period() -> None:
    first = due_now(standing("past_due", stripe="past_due"), [], BEGUN + timedelta(days=40))
    assert first is not None
    assert due_now(standing("past_due", stripe="past_due"), [first.notice], BEGUN + timedelta(days=41)) is None
    later = Standing("pro", 1, "past_due", BEGUN + timedelta(days=60), ENDS, stripe_status="past_due")
    assert due_now(later, [first.notice], BEGUN + timedelta(days=61)) is not None
