import msgspec
import numpy as np
import pytest

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import pack_letters
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules.currencies import rate_between
from payflux.monitor.projections.skeleton import baseline_risk_surface, reserve_model_skeleton
from payflux.monitor.risk.rules import prepare, score
from tests.unit.projections.building import projected, trapped
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, rows, sales

USD, EUR, GBP, JPY = (pack_letters(code) for code in ("usd", "eur", "gbp", "jpy"))
DOLLARS = sales(per_day=10, amount=100)
EUROS = sales(per_day=5, amount=100, currency=EUR, settled_currency=EUR)
CONVERTED = rows(Kind.CHARGE, [NOW - 2 * DAY], source=77, amount=1_000, settled=1_100, currency=EUR)


def mixed(*parts: np.ndarray) -> np.ndarray:
    """`parts` as one merchant's, with a source of its own for each event."""
    events = np.concatenate(parts)
    events["source"] = np.arange(1, len(events) + 1)
    return events


def test_each_settlement_currency_has_its_own_forecast_holds_and_exposure() -> None:
    held = rows(Kind.RESERVE_HOLD, [NOW - DAY], settled=40, ends_at=NOW + 45 * DAY, currency=EUR, settled_currency=EUR)
    projection = projected(mixed(DOLLARS, EUROS, held), tier=3)
    assert (projection.currency, trapped(projection)) == ("usd", [3_000, 6_000, 9_000])
    [euros] = projection.currencies
    assert (euros.currency, euros.currently_held, euros.daily_sales) == ("eur", 40, 500)
    assert [window.trapped for window in euros.windows] == [1_540, 3_000, 4_500]
    assert [(release.amount, release.assumed) for release in euros.calendar] == [(40, False)]
    assert 0 < euros.exposure.undelivered < projection.exposure.undelivered
    assert euros.windows[0].trapped_usd is None


def test_another_currency_changes_nothing_of_the_headline() -> None:
    alone, beside = projected(DOLLARS, tier=3), projected(mixed(DOLLARS, EUROS), tier=3)
    assert (alone.windows, alone.daily, alone.exposure) == (beside.windows, beside.daily, beside.exposure)
    assert (alone.currencies, alone.total) == ((), None)


def test_the_total_is_at_the_accounts_own_rate_and_leaves_out_by_name_what_has_none() -> None:
    pounds = sales(per_day=1, amount=100, currency=GBP, settled_currency=GBP)
    projection = projected(mixed(DOLLARS, EUROS, pounds, CONVERTED), tier=3)
    total = projection.total
    assert total is not None
    assert (total.currency, total.included, total.left_out) == ("usd", ("usd", "eur"), ("gbp",))
    assert [(rate.source, rate.target, rate.rate) for rate in total.rates] == [("eur", "usd", 1.1)]
    dollars, [euros, _] = projection.windows, projection.currencies
    assert [window.trapped for window in total.windows] == [
        mine.trapped + round(1.1 * theirs.trapped) for mine, theirs in zip(dollars, euros.windows, strict=True)
    ]
    assert total.windows[0].trapped_bps == 1_000
    assert euros.windows[0].trapped_usd == 1_650
    assert any("rate for GBP" in text for text in projection.assumptions)


def test_the_way_back_serves_as_a_rate_and_nothing_is_invented() -> None:
    rates = {("usd", "eur"): 0.8}
    assert rate_between(rates, "usd", "eur") == 0.8
    assert rate_between(rates, "eur", "usd") == 1.25
    assert rate_between(rates, "eur", "gbp") is None
    assert rate_between({}, "jpy", "jpy") == 1


def test_a_published_minimum_in_dollars_is_left_out_where_no_rate_leads_to_the_currency() -> None:
    yen = sales(per_day=10, amount=100, currency=JPY, settled_currency=JPY)
    without = projected(yen, tier=1)
    assert [found.scenario.kind for found in without.scenarios] == ["rolling", "payout_pause"]
    assert any("left out" in text for text in without.assumptions)
    paid_in_dollars = rows(
        Kind.CHARGE, [NOW - DAY], source=5, amount=10, settled=1_500, currency=USD, settled_currency=JPY
    )
    known = projected(mixed(yen, paid_in_dollars), tier=1)
    assert known.scenarios[1].scenario.target == 500_000 * 150


def said(projection: ReserveProjection) -> dict[str, object]:
    return msgspec.to_builtins(reserve_model_skeleton(projection))


def test_the_reserve_model_skeleton_has_exactly_the_fields_of_a_workspace() -> None:
    projection = projected(DOLLARS, tier=3)
    assert said(projection) == {
        "currentReserveRate": 0.0,
        "projectedWindows": {
            "t30": {"trappedBps": 1_000, "usdEstimate": 30.0},
            "t60": {"trappedBps": 1_000, "usdEstimate": 60.0},
            "t90": {"trappedBps": 1_000, "usdEstimate": 90.0},
        },
        "trendMultiplier": 1.0,
        "lastProjectionAt": "2026-11-21T12:00:00+00:00",
    }


@pytest.mark.parametrize("currency", ["eur", "jpy"])
def test_the_skeleton_has_no_dollars_where_no_rate_leads_to_them(currency: str) -> None:
    code = pack_letters(currency)
    projection = projected(sales(per_day=10, amount=100, currency=code, settled_currency=code), tier=3)
    windows = said(projection)["projectedWindows"]
    assert windows == {f"t{days}": {"trappedBps": 1_000} for days in (30, 60, 90)}


def test_the_baseline_risk_surface_has_exactly_the_fields_of_a_workspace() -> None:
    surface = score(prepare(DOLLARS, as_of=AS_OF, account=SOUND, balance=FULL))
    assert baseline_risk_surface(surface) == {
        "riskTier": surface.risk_tier,
        "riskBand": surface.risk_band,
        "stabilityScore": surface.stability_score,
        "trend": surface.trend,
        "computedAt": "2026-11-21T12:00:00+00:00",
        "eventCount": surface.event_count,
        "windowDays": 90,
    }
