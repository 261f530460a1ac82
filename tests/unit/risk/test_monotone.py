"""What can only make things worse never makes them look better.

Not among them, as each can lower a rate by its nature: a payment or a refund more, a decline outside of a burst, a
longer history.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from payflux.monitor.processors.codes import REASONS, Kind, Network, Status
from payflux.monitor.processors.snapshots import AccountSnapshot
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import RiskSurface
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, elevated_merchant, rows, sales

THIN = replace(FULL, available={"usd": 20_000}, pending={})


def scored(events: np.ndarray, **known: object) -> RiskSurface:
    return score(prepare(events, **{"as_of": AS_OF, "account": SOUND, "balance": THIN, **known}))  # ty: ignore[invalid-argument-type]


def assert_no_better(worse: RiskSurface, before: RiskSurface) -> None:
    assert worse.stability_score <= before.stability_score
    assert worse.risk_tier >= before.risk_tier


added = st.lists(
    st.tuples(
        st.floats(0, 120),
        st.floats(0, 100),
        st.integers(1, 9_000_000),
        st.sampled_from([*Status]),
        st.sampled_from([*Network]),
        st.integers(0, 15),
    ),
    min_size=1,
    max_size=8,
)
accounts = st.sampled_from([SOUND, replace(SOUND, country="US"), replace(SOUND, country="AU"), None])


def with_more(events: np.ndarray, kind: Kind, more: list[tuple], times: int = 1) -> np.ndarray:
    for place, (ago, lag, amount, status, network, reason) in enumerate(more * times):
        at = NOW - int(ago * DAY)
        extra = rows(kind, [at], status=status, charge_at=at - int(lag * DAY), settled=amount, network=network)
        extra["source"], extra["reason"] = -1 - place, reason
        events = np.concatenate([events, extra])
    return events


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([3, 20, 80]), st.integers(0, 60), added, st.sampled_from([1, 15]), accounts)
def test_more_disputes_never_raise_the_score_nor_lower_the_tier(
    per_day: int, known: int, more: list[tuple], times: int, account: AccountSnapshot | None
) -> None:
    charges = sales(per_day=per_day, days=150, three_d_secure=0)
    disputes = about(Kind.DISPUTE, charges[: known * 3 : 3], 5, status=Status.LOST)
    disputes["reason"] = REASONS.index("fraudulent")
    before = np.concatenate([charges, disputes[disputes["at"] <= NOW]])
    assert_no_better(
        scored(with_more(before, Kind.DISPUTE, more, times), account=account), scored(before, account=account)
    )


@settings(max_examples=25, deadline=None)
@given(added, st.sampled_from([1, 20]), accounts)
def test_more_fraud_warnings_never_raise_the_score_nor_lower_the_tier(
    more: list[tuple], times: int, account: AccountSnapshot | None
) -> None:
    before = elevated_merchant()[::3]
    worse = with_more(before, Kind.EARLY_FRAUD_WARNING, more, times)
    assert_no_better(scored(worse, account=account), scored(before, account=account))


@settings(max_examples=15, deadline=None)
@given(added, st.sampled_from([Status.FAILED, Status.CANCELED]))
def test_more_failed_payouts_never_raise_the_score_nor_lower_the_tier(more: list[tuple], status: Status) -> None:
    before = elevated_merchant()[::3]
    failed = [(ago, lag, amount, status, network, reason) for ago, lag, amount, _, network, reason in more]
    assert_no_better(scored(with_more(before, Kind.PAYOUT, failed)), scored(before))


@settings(max_examples=15, deadline=None)
@given(added)
def test_more_held_back_never_raises_the_score_nor_lowers_the_tier(more: list[tuple]) -> None:
    before = elevated_merchant()[::3]
    assert_no_better(scored(with_more(before, Kind.RESERVE_HOLD, more)), scored(before))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400_000), st.integers(0, 400_000))
def test_less_money_in_the_balance_never_raises_the_score(less: int, more: int) -> None:
    less, more = sorted((less, more))
    events = elevated_merchant()[::3]
    poorer, richer = (
        scored(events, balance=replace(FULL, available={"usd": cents}, pending={})) for cents in (less, more)
    )
    assert_no_better(poorer, richer)


STATES = (
    {},
    {"currently_due": ("tos_acceptance.date",)},
    {"past_due": ("company.tax_id",), "disabled_reason": "requirements.past_due"},
    {"disabled_reason": "under_review"},
    {"disabled_reason": "rejected.fraud", "payouts_enabled": False},
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(STATES) - 2), st.integers(1, 8), st.sampled_from([None, 2, 7]))
def test_a_worse_account_state_never_raises_the_score_nor_lowers_the_tier(
    place: int, thinning: int, delay: int | None
) -> None:
    events = elevated_merchant()[::thinning]
    better, worse = (
        scored(events, account=replace(SOUND, payout_delay_days=delay, **state)) for state in STATES[place : place + 2]
    )
    assert_no_better(worse, better)
