import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.processors.snapshots import BalanceSnapshot
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules import ProjectionSettings, forecast_sales
from payflux.monitor.projections.rules.forecast import daily_sales
from payflux.monitor.risk.rules.history import prepare
from tests.unit.projections.building import projected, trapped
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, elevated_merchant, rows, sales, spread


def test_a_flat_thousand_a_day_gives_the_golden_figures_without_any_spread() -> None:
    events = sales(per_day=10, amount=100)
    projection = projected(events, tier=3)
    assert trapped(projection) == [3_000, 6_000, 9_000]
    assert [(window.low, window.high) for window in projection.windows] == [
        (3_000, 3_000),
        (6_000, 6_000),
        (9_000, 9_000),
    ]
    assert [(window.trapped_bps, window.days_of_sales) for window in projection.windows] == [
        (1_000, 3),
        (1_000, 6),
        (1_000, 9),
    ]
    assert (projection.daily_sales, projection.trend_multiplier) == (1_000, 1)
    severe = projected(events, tier=4, settings=ProjectionSettings(horizons=(30, 60, 90, 120, 150)))
    assert trapped(severe) == [7_500, 15_000, 22_500, 30_000, 30_000]


def test_the_daily_path_starts_today_and_passes_through_the_windows() -> None:
    projection = projected(elevated_merchant())
    assert [day for day, *_ in projection.daily] == list(range(91))
    assert projection.daily[0][1:] == (0, 0, 0)
    for window in projection.windows:
        assert projection.daily[window.horizon_days] == (window.horizon_days, window.trapped, window.low, window.high)


def test_low_risk_assumes_no_reserve_and_declares_the_lightest_as_stress() -> None:
    projection = projected(sales(per_day=10, amount=100))
    assert trapped(projection) == [0, 0, 0]
    assert projection.stress is not None
    assert (projection.stress.rate, projection.stress.hold_days) == (0.05, 30)
    assert [window.trapped for window in projection.stress_windows] == [1_500, 1_500, 1_500]


def test_trapped_figures_rest_on_sales_and_tier_alone() -> None:
    events = elevated_merchant()
    events = events[events["at"] > NOW - 90 * DAY]
    bare = events[events["kind"] != Kind.EARLY_FRAUD_WARNING]
    bare = bare[bare["status"] != Status.FAILED]
    whole = projected(events)
    part = projected(bare, tier=3, account=None, balance=None)
    assert whole.scenario == part.scenario
    assert (whole.windows, whole.daily) == (part.windows, part.daily)
    assert part.exposure.coverage is None


def test_a_spike_is_not_extrapolated() -> None:
    calm = sales(per_day=10, amount=100)
    spike = rows(Kind.CHARGE, spread(5_000, 3), settled=100)
    assert projected(np.concatenate([calm, spike]), tier=3).daily_sales <= 1.1 * 1_000


def test_the_weekday_profile_is_kept() -> None:
    events = sales(per_day=20, amount=100)
    weekday = (events["at"] // DAY + 3) % 7  # the epoch was a Thursday
    quiet = events[(weekday < 5) | (np.arange(len(events)) % 4 == 0)]
    forecast = forecast_sales(daily_sales(prepare(quiet, as_of=AS_OF), 84), 28)
    first = (NOW // DAY + 1 + 3) % 7
    days = (first + np.arange(28)) % 7
    assert set(forecast.daily[days < 5].tolist()) == {2_000}
    assert set(forecast.daily[days >= 5].tolist()) == {500}


def test_open_holds_are_kept_until_their_release_dates() -> None:
    events = sales(per_day=10, amount=100)
    holds = rows(
        Kind.RESERVE_HOLD, [NOW - 50 * DAY, NOW - 45 * DAY], settled=700, ends_at=[NOW + 10 * DAY, NOW + 40 * DAY]
    )
    over = rows(Kind.RESERVE_HOLD, [NOW - 80 * DAY], settled=999, ends_at=NOW - DAY, source=5)
    projection = projected(np.concatenate([events, holds, over]), tier=1)
    assert projection.currently_held == 1_400
    assert trapped(projection) == [700, 0, 0]
    assert projection.releases == ((10, 700), (40, 700))


def test_a_release_is_set_against_the_hold_of_its_charge() -> None:
    events = sales(per_day=10, amount=100)
    recent = events[events["at"] > NOW - 20 * DAY][:3]
    holds = about(Kind.RESERVE_HOLD, recent, 0)
    holds["ends_at"] = NOW + 60 * DAY
    early = about(Kind.RESERVE_RELEASE, recent[:1], 0.01)
    older = about(Kind.RESERVE_RELEASE, events[-5:], 10)
    assert projected(np.concatenate([events, holds, early, older]), tier=1).currently_held == 200


def test_a_hold_without_a_release_date_is_assumed_to_last_ninety_days_and_that_is_said() -> None:
    events = sales(per_day=10, amount=100)
    undated = rows(Kind.RESERVE_HOLD, [NOW - 40 * DAY], settled=700)
    projection = projected(np.concatenate([events, undated]), tier=1)
    assert trapped(projection) == [700, 0, 0]
    assert any("1 open hold without a release date" in text for text in projection.assumptions)


def test_a_reserve_in_force_above_the_scenario_goes_on() -> None:
    events = sales(per_day=10, amount=100)
    holds = about(Kind.RESERVE_HOLD, events[events["at"] > NOW - 60 * DAY], 0)
    holds["settled"] = 20
    holds["ends_at"] = holds["at"] + 90 * DAY
    projection = projected(np.concatenate([events, holds]))
    assert (projection.scenario.rate, projection.scenario.hold_days) == (0.20, 90)
    assert projection.current_reserve_rate == pytest.approx(0.20)
    assert trapped(projection)[0] == 12_000 + 6_000


def test_exposure_adds_up_and_shortfall_is_what_the_balance_does_not_cover() -> None:
    exposure = projected(elevated_merchant(), balance=BalanceSnapshot(taken_at=AS_OF, available={"usd": 100})).exposure
    parts = (exposure.chargebacks_to_come, exposure.refunds_to_come, exposure.undelivered, exposure.open_disputes)
    assert all(part > 0 for part in parts)
    assert exposure.gross == sum(parts) < exposure.gross_stress
    assert (exposure.coverage, exposure.shortfall) == (100, exposure.gross - 100)


def test_a_negative_balance_is_owed_and_covers_nothing() -> None:
    owing = BalanceSnapshot(taken_at=AS_OF, available={"usd": -500})
    exposure, without = projected(elevated_merchant(), balance=owing).exposure, projected(elevated_merchant()).exposure
    assert (exposure.coverage, exposure.gross) == (0, without.gross + 500)


def test_each_currency_stands_apart_and_the_one_of_most_payments_is_projected() -> None:
    yen = sales(per_day=10, amount=100, currency=pack_letters("jpy"), settled_currency=pack_letters("jpy"))
    dollars = sales(per_day=3, amount=900)
    projection = projected(np.concatenate([yen, dollars]), tier=3)
    assert (projection.currency, trapped(projection)) == ("jpy", [3_000, 6_000, 9_000])
    assert any("what settles in JPY alone" in text for text in projection.assumptions)


def test_a_new_merchant_is_projected_from_the_weeks_there_are_with_a_wide_band() -> None:
    noisy = np.random.default_rng(2)
    young = rows(Kind.CHARGE, NOW - noisy.integers(DAY, 24 * DAY, 400), settled=100, source=np.arange(1, 401))
    projection = projected(young, tier=3)
    first = projection.windows[0]
    assert first.low < first.trapped < first.high
    assert any("last 3 whole weeks" in text for text in projection.assumptions)
    days_old = projected(rows(Kind.CHARGE, spread(30, 3, ago=1), settled=100), tier=3)
    assert any("Less than a week" in text for text in days_old.assumptions)
    assert days_old.windows[0].low == 0


BAD_INPUTS = {
    "nothing": np.zeros(0, EVENT_DTYPE),
    "one event": rows(Kind.CHARGE, [NOW]),
    "only failures": rows(Kind.CHARGE, spread(100, 90), status=Status.FAILED),
    "refunds beyond charges": np.concatenate(
        [sales(), rows(Kind.REFUND, spread(100, 20), settled=9_000_000, charge_at=NOW - 30 * DAY)]
    ),
    "only the future": rows(Kind.CHARGE, [NOW + DAY]),
    "only holds": rows(Kind.RESERVE_HOLD, spread(9, 50)),
    "huge amounts": sales(per_day=1, amount=10**13),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
@pytest.mark.parametrize("tier", [1, 3, 5])
def test_bad_input_gets_a_projection_that_can_be_stored(name: str, tier: int) -> None:
    for account, balance in ((SOUND, FULL), (None, None), (SOUND, replace(FULL, available={"usd": -1}))):
        projection = projected(BAD_INPUTS[name], tier=tier, account=account, balance=balance)
        assert msgspec.json.decode(msgspec.json.encode(projection), type=ReserveProjection) == projection
        assert min(projection.exposure.gross, *trapped(projection)) >= 0


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_gives_the_same_projection_to_the_bit(seed: int) -> None:
    events = elevated_merchant()[::5]
    shuffled = np.random.default_rng(seed).permutation(events)
    assert msgspec.json.encode(projected(shuffled)) == msgspec.json.encode(projected(events))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 50_000), min_size=1, max_size=84), st.integers(1, 5))
def test_bands_hold_the_expected_figure_and_nothing_is_negative(amounts: list[int], tier: int) -> None:
    at = [NOW // DAY * DAY - (day + 1) * DAY + 60 for day in range(len(amounts))]
    events = rows(Kind.CHARGE, at, settled=amounts)
    projection = projected(events, tier=tier)
    for _, expected, low, high in projection.daily:
        assert 0 <= low <= expected <= high


def test_a_horizon_below_a_day_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one day"):
        projected(sales(), settings=ProjectionSettings(horizons=(0,)))
