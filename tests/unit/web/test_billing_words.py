from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.billing.rules import LOCAL_STATUS, Standing, Status, is_locked, state_of
from payflux.web.billing_words import LOCKED, Pill, is_near_end, pill_of

NOW = datetime(2026, 11, 21, 10, 59, tzinfo=UTC)
BILLING, SELECT = "/account/billing", "/account/billing/select-plan"


def sold(plan: str = "pro", status: Status = "active", **more: Any) -> Standing:
    bare = Standing(plan=plan, plan_version=None, status=status, current_period_start=NOW, current_period_end=None)
    return replace(bare, **more)


def trial(left: timedelta) -> Standing:
    return sold(status="trialing", current_period_end=NOW + left)


@pytest.mark.parametrize(
    ("standing", "pill"),
    [
        (None, Pill("Pick a plan", "danger", SELECT)),
        (trial(timedelta(days=14)), Pill("Pro trial · 14 days left", "info", BILLING)),
        (trial(timedelta(days=3, seconds=1)), Pill("Pro trial · 4 days left", "info", BILLING)),
        (trial(timedelta(days=3)), Pill("Pro trial · 3 days left", "warn", BILLING)),
        (trial(timedelta(days=1, seconds=1)), Pill("Pro trial · 2 days left", "warn", BILLING)),
        (trial(timedelta(days=1)), Pill("Pro trial · 1 day left", "danger", BILLING)),
        (trial(timedelta(seconds=1)), Pill("Pro trial · 1 day left", "danger", BILLING)),
        (trial(timedelta(0)), Pill("Trial expired — pick a plan", "danger", SELECT)),
        (sold(status="trialing"), Pill("Trial expired — pick a plan", "danger", SELECT)),
        (
            replace(trial(timedelta(days=1)), plan="starter", stripe_status="trialing"),
            Pill("Pro trial · 1 day left, then Starter", "info", BILLING),
        ),
        (sold(status="active"), Pill("Pro")),
        (sold("starter", "active"), Pill("Starter")),
        (sold("free", "active"), Pill("Free")),
        (
            sold("starter", "active", cancel_at=datetime(2026, 12, 3, tzinfo=UTC)),
            Pill("Starter · ends 3\u00a0Dec\u00a02026", "warn", BILLING),
        ),
        (
            sold("pro", "active", current_period_end=datetime(2026, 12, 4, tzinfo=UTC), cancel_at_period_end=True),
            Pill("Pro · ends 4\u00a0Dec\u00a02026", "warn", BILLING),
        ),
        (sold(status="complimentary"), Pill("Complimentary Pro")),
        (sold(status="past_due"), Pill("Payment failed — update card", "danger", BILLING)),
        (sold(status="incomplete"), Pill("Payment not complete", "danger", BILLING)),
        (sold(status="canceled"), Pill("Reactivate", "danger", SELECT)),
        (
            replace(trial(timedelta(0)), stripe_status="trialing"),
            Pill("Confirming your payment", "warn", BILLING),
        ),
    ],
)
def test_the_pill_says_where_the_account_stands(standing: Standing | None, pill: Pill) -> None:
    assert pill_of(standing, may_pay=True, now=NOW) == pill


@given(
    st.none()
    | st.builds(
        Standing,
        plan=st.sampled_from(["free", "starter", "pro", "enterprise"]),
        plan_version=st.none(),
        status=st.sampled_from(get_args(Status)),
        current_period_start=st.just(NOW),
        current_period_end=st.none() | st.integers(-90, 90).map(lambda hours: NOW + timedelta(hours=hours)),
        cancel_at=st.none() | st.just(NOW + timedelta(days=5)),
        cancel_at_period_end=st.booleans(),
        stripe_status=st.none() | st.sampled_from(list(LOCAL_STATUS)),
    )
)
def test_every_standing_has_a_pill_that_says_when_it_is_locked_and_leads_only_payers_to_the_plans(
    standing: Standing | None,
) -> None:
    payer, member = (pill_of(standing, may_pay=may_pay, now=NOW) for may_pay in (True, False))
    assert payer.words == member.words
    assert member.path in ("", BILLING)
    locked = standing is None or is_locked(standing.status, standing.current_period_end, NOW)
    assert (state_of(standing, NOW) in LOCKED) == locked
    if locked:
        assert payer.tone in ("danger", "warn")
        assert payer.path
    if standing is not None and standing.status == "complimentary":
        assert (payer.tone, payer.path) == ("plain", "")


@pytest.mark.parametrize(
    ("standing", "told"),
    [
        (trial(timedelta(days=4)), True),
        (trial(timedelta(days=4, seconds=1)), False),
        (trial(timedelta(0)), False),
        (replace(trial(timedelta(days=2)), stripe_status="trialing"), False),
        (sold(status="complimentary", current_period_end=NOW + timedelta(days=1)), False),
        (None, False),
    ],
)
def test_the_end_of_a_trial_is_announced_four_days_before_to_who_has_not_bought(
    standing: Standing | None, told: bool
) -> None:
    assert is_near_end(standing, NOW) is told
