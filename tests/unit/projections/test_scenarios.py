import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.snapshots import BalanceSnapshot
from payflux.monitor.projections.projection import ReserveProjection, ScenarioKind, ScenarioOutlook
from payflux.monitor.projections.rules import ProjectionSettings
from payflux.monitor.projections.rules.draws import GivenBack, expected_draws
from payflux.monitor.projections.rules.reserves import SCENARIOS, fixed_reserve, paused_payouts, rolling_reserve
from tests.unit.projections.building import projected, trapped
from tests.unit.risk.building import AS_OF, DAY, NOW, about, elevated_merchant, rows, sales

FLAT = sales(per_day=10, amount=100)
MONEY = st.integers(0, 10**9)


def outlook(projection: ReserveProjection, kind: ScenarioKind) -> ScenarioOutlook:
    [found] = [outlook for outlook in projection.scenarios if outlook.scenario.kind == kind]
    return found


def figures(found: ScenarioOutlook) -> list[int]:
    return [window.trapped for window in found.windows]


def test_the_headline_is_the_first_scenario_and_each_has_its_own_path() -> None:
    projection = projected(elevated_merchant())
    assert [found.scenario.kind for found in projection.scenarios] == ["rolling", "fixed", "payout_pause"]
    assert (projection.scenarios[0].windows, projection.scenarios[0].daily) == (projection.windows, projection.daily)
    for found in projection.scenarios:
        assert [day for day, *_ in found.daily] == list(range(91))
        assert [found.daily[window.horizon_days][1] for window in found.windows] == figures(found)


def test_a_minimum_reserve_is_swept_until_its_target_is_reached() -> None:
    swept = projected(FLAT, tier=1, settings=ProjectionSettings(target=2_500))
    assert figures(outlook(swept, ScenarioKind.FIXED)) == [1_500, 2_500, 2_500]
    published = outlook(projected(FLAT, tier=1), ScenarioKind.FIXED)
    assert (published.scenario.target, published.scenario.rate) == (500_000, 0.05)
    assert figures(published) == [1_500, 3_000, 4_500]


def test_a_payout_pause_keeps_balance_sales_and_released_holds_less_what_goes_back() -> None:
    refunds = about(Kind.REFUND, FLAT[FLAT["at"] > NOW - 89 * DAY][::10], 0)
    hold = rows(Kind.RESERVE_HOLD, [NOW - DAY], settled=700, ends_at=NOW + 40 * DAY)
    balance = BalanceSnapshot(taken_at=AS_OF, available={"usd": 400}, pending={"usd": 600})
    projection = projected(np.concatenate([FLAT, refunds, hold]), tier=1, balance=balance)
    sold = sum(FLAT["settled"][FLAT["at"] >= (NOW // DAY - 89) * DAY].tolist())
    back = int(refunds["settled"].sum())
    paused = outlook(projection, ScenarioKind.PAYOUT_PAUSE)
    assert figures(paused) == [
        1_000 + 700 + 1_000 * days - (2 * 1_000 * days * back + sold) // (2 * sold) for days in (30, 60, 90)
    ]
    assert [window.observed for window in paused.windows] == [700, 0, 0]


def test_a_payout_pause_takes_a_chosen_fee_off_the_sales_and_fills_a_negative_balance_first() -> None:
    owing = BalanceSnapshot(taken_at=AS_OF, available={"usd": -40_000})
    projection = projected(FLAT, tier=1, balance=owing, settings=ProjectionSettings(fee_rate=0.03))
    assert figures(outlook(projection, ScenarioKind.PAYOUT_PAUSE)) == [0, 58_200 - 40_000, 87_300 - 40_000]


def test_a_payout_pause_cannot_be_said_without_the_balance() -> None:
    projection = projected(FLAT, balance=None)
    assert ScenarioKind.PAYOUT_PAUSE not in {found.scenario.kind for found in projection.scenarios}
    assert any("payout pause" in text for text in projection.assumptions)


def test_a_chosen_rate_hold_and_horizon_replace_the_scenario() -> None:
    chosen = ProjectionSettings(horizons=(7, 365), rate=0.15, hold_days=60)
    projection = projected(FLAT, tier=4, settings=chosen)
    assert (projection.scenario.rate, projection.scenario.hold_days) == (0.15, 60)
    assert trapped(projection) == [1_050, 9_000]
    assert (len(projection.daily), projection.settings) == (366, chosen)
    alone = projected(FLAT, tier=1, settings=ProjectionSettings(rate=0.2))
    assert (alone.scenario.hold_days, trapped(alone)) == (90, [6_000, 12_000, 18_000])
    longer = projected(FLAT, tier=3, settings=ProjectionSettings(hold_days=30))
    assert trapped(longer) == [3_000, 3_000, 3_000]


def test_growth_is_compounded_by_the_day_and_replaces_the_course_of_the_forecast() -> None:
    growing = projected(FLAT, tier=3, settings=ProjectionSettings(horizons=(30,), growth=0.10))
    exact = sum(round(1_000 * 1.1 ** (day / 30)) for day in range(1, 31))
    assert growing.windows[0].forecast_sales == exact
    assert growing.windows[0].trapped == (exact + 5) // 10
    assert growing.trend_multiplier > 1
    assert any("10 % a month" in text for text in growing.assumptions)
    shrinking = projected(FLAT, tier=3, settings=ProjectionSettings(growth=-0.5))
    assert shrinking.windows[0].forecast_sales < 30_000


@pytest.mark.parametrize(
    "choice",
    [
        {"horizons": ()},
        {"horizons": (30, 366)},
        {"horizons": (30, 30)},
        {"horizons": (60, 30)},
        {"rate": 1.01},
        {"hold_days": 0},
        {"growth": -1.0},
        {"target": -1},
        {"sweep": -0.1},
        {"fee_rate": 2.0},
    ],
)
def test_a_choice_that_means_nothing_is_refused_with_its_limits(choice: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"between|above|least|more"):
        ProjectionSettings(**choice)  # ty: ignore[invalid-argument-type]


def test_stripe_draws_refunds_from_the_reserve_paypal_does_not_and_others_do_not_say() -> None:
    events = elevated_merchant()
    stripe, paypal, other = (
        projected(events, settings=ProjectionSettings(processor=name)) for name in ("stripe", "paypal", "adyen")
    )
    drawn = [window.expected_draws for window in stripe.windows]
    assert 0 < (drawn[0] or 0) < (drawn[1] or 0) < (drawn[2] or 0) < stripe.windows[2].trapped // 10
    assert [window.expected_draws for window in paypal.windows] == [0, 0, 0]
    assert [window.expected_draws for window in other.windows] == [None, None, None]
    assert trapped(stripe) == trapped(paypal) == trapped(other)


def test_every_payment_given_back_draws_what_had_the_time_to_come_back() -> None:
    flat, scenario = np.full(90, 1_000), SCENARIOS[3]
    all_refunded = GivenBack(sales=500, refunds=500, disputes=0)
    assert expected_draws(flat, scenario, all_refunded, 1) == 5
    assert 7_000 < expected_draws(flat, scenario, all_refunded, 90) < 9_000
    assert expected_draws(flat, scenario, GivenBack(100, 500, 500), 90) == 9_000
    assert expected_draws(flat, scenario, GivenBack(0, 0, 0), 90) == 0


@given(st.lists(st.tuples(MONEY, MONEY), min_size=1, max_size=60), st.integers(0, 10_000), st.integers(1, 90))
def test_more_sales_or_a_higher_rate_never_traps_less(days: list[tuple[int, int]], bps: int, hold_days: int) -> None:
    less = np.array([sold for sold, _ in days])
    more = less + np.array([added for _, added in days])
    horizons, rate, higher = range(len(days) + 1), bps / 20_000, bps / 10_000
    held = rolling_reserve(less, rate, hold_days, horizons)
    assert all(a <= b for a, b in zip(held, rolling_reserve(more, rate, hold_days, horizons), strict=True))
    assert all(a <= b for a, b in zip(held, rolling_reserve(less, higher, hold_days, horizons), strict=True))


@given(MONEY, MONEY, st.integers(0, 10_000), MONEY, st.integers(-(10**9), 10**9), MONEY, MONEY)
def test_a_fixed_reserve_and_a_pause_only_grow_with_sales(
    sold: int, added: int, bps: int, target: int, balance: int, refunds: int, seen: int
) -> None:
    rate, back = bps / 10_000, GivenBack(seen, refunds, 0)
    assert 0 <= fixed_reserve(sold, rate, target) <= fixed_reserve(sold + added, rate, target) <= target
    before = paused_payouts(balance, sold, back.of(sold), 0.0)
    assert 0 <= before <= paused_payouts(balance, sold + added, back.of(sold + added), 0.0)


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(-30, 120), st.integers(1, 10**6), st.booleans()), max_size=12),
    st.integers(1, 5),
)
def test_releases_add_up_to_what_is_held_and_trapped_is_never_below_it(
    holds: list[tuple[int, int, int, bool]], tier: int
) -> None:
    booked = rows(
        Kind.RESERVE_HOLD,
        [NOW - ago * DAY for ago, *_ in holds],
        settled=[amount for *_, amount, _ in holds],
        ends_at=[NOW + ends * DAY if dated else 0 for _, ends, _, dated in holds],
    )
    projection = projected(np.concatenate([FLAT, booked]), tier=tier)
    assert sum(release.amount for release in projection.calendar) == projection.currently_held
    days = [release.on for release in projection.calendar if release.on]
    assert days == sorted(days)
    for found in projection.scenarios:
        for window in found.windows:
            assert window.trapped >= (window.observed or 0) >= 0


def test_the_calendar_tells_scheduled_releases_from_assumed_and_overdue_ones() -> None:
    holds = rows(
        Kind.RESERVE_HOLD,
        [NOW - 50 * DAY, NOW - 49 * DAY, NOW - 40 * DAY, NOW - 100 * DAY],
        settled=[700, 800, 900, 1_000],
        ends_at=[NOW + 10 * DAY, NOW + 10 * DAY + 60, 0, 0],
    )
    said = projected(np.concatenate([FLAT, holds]), tier=1).calendar
    assert [(str(release.on), release.amount, release.count, release.assumed) for release in said] == [
        ("2026-12-01", 1_500, 2, False),
        ("2027-01-10", 900, 1, True),
        ("None", 1_000, 1, True),
    ]
