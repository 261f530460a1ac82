from datetime import date, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.projections.projection import Release
from payflux.monitor.risk.outlook import Arrow, Forecasting, SeriesOutlook
from payflux.monitor.risk.surface import DisputeCost, NextDispute
from payflux.web.formatting import exchange
from payflux.web.outlook import dispute_costs, dispute_outlook_name, releases_by_week, series_rows
from tests.unit.web.samples import FULL_SURFACE, SURFACE

TODAY = date(2026, 11, 21)
RELEASES = st.builds(
    Release,
    on=st.none() | st.integers(0, 365).map(lambda days: TODAY + timedelta(days=days)),
    amount=st.integers(0, 10**9),
    count=st.integers(1, 9),
    assumed=st.booleans(),
)


def series(**changes: object) -> SeriesOutlook:
    known: dict[str, object] = {
        "key": "sales", "unit": "a day", "days": 56, "level": 289_100.0, "slope": 1_000.0, "slope_low": -500.0,
        "slope_high": 2_500.0, "acceleration": -3.0, "instability": 0.123, "horizon_days": 40, "projected": 329_100.0,
        "projected_low": 250_000.0, "projected_high": 400_000.0, "arrow": Arrow.RISING, "because": "It moves.",
    }  # fmt: skip
    return SeriesOutlook(**(known | changes))  # ty: ignore[invalid-argument-type] -- named above


def row(**changes: object):
    [found] = series_rows(Forecasting(active=True, days_known=56, why_not="", series=(series(**changes),)), "usd")
    return found


@given(st.lists(RELEASES, max_size=20))
def test_the_weeks_hold_every_dated_release_once(calendar: list[Release]) -> None:
    weeks = releases_by_week(calendar, TODAY)
    dated = [release for release in calendar if release.on is not None]
    assert sum(week.amount for week in weeks) == sum(release.amount for release in dated)
    assert sum(week.count for week in weeks) == sum(release.count for release in dated)
    assert sum(week.assumed for week in weeks) == sum(release.amount for release in dated if release.assumed)
    assert [week.start for week in weeks] == [TODAY + timedelta(weeks=place) for place in range(len(weeks))]
    assert not weeks or weeks[-1].count


def test_sales_are_told_in_money_and_their_slope_over_a_month() -> None:
    found = row()
    assert (found.label, found.arrow, found.direction) == ("Sales a day", "↗", "rising")
    assert (found.level, found.change, found.change_range) == ("$2,891", "+$300", "−$150 to +$750")
    assert (found.projected, found.projected_range, found.horizon) == ("$3,291", "$2,500 – $4,000", "in 40 days")
    assert (found.bend, found.instability) == ("bending down", "0.12")


def test_a_share_is_told_in_percent_and_moves_in_points() -> None:
    found = row(key="refund_rate", unit="share", level=0.05, slope=0.0001, slope_low=0.0, slope_high=0.0002)
    assert (found.level, found.change) == ("5\xa0%", "+0.3\xa0points")
    assert found.change_range == "0\xa0points to +0.6\xa0points"


def test_what_cannot_be_said_ahead_is_left_empty() -> None:
    found = row(horizon_days=0, projected=None, projected_low=None, projected_high=None, arrow=None, acceleration=None)
    assert (found.arrow, found.direction, found.projected, found.projected_range) == ("", "not enough data", "", "")
    assert found.bend == ""


def cost(low: int) -> DisputeCost:
    return DisputeCost(kind="fine", programme="", low=low, high=low, currency="usd", basis="", source="x")


def test_networks_whose_next_dispute_costs_the_same_are_told_together() -> None:
    costs = {"visa": (cost(1_500),), "mastercard": (cost(1_500),), "amex": (cost(4_000),), "discover": ()}
    said = tuple(NextDispute(network=network, items=items) for network, items in costs.items())
    found = dispute_costs(msgspec.structs.replace(SURFACE, next_dispute=said))
    assert found == [("Visa or Mastercard", (cost(1_500),)), ("Amex", (cost(4_000),))]


def test_a_dispute_outlook_is_named_by_network_and_kind() -> None:
    [whole, *parts] = FULL_SURFACE.dispute_outlook
    assert dispute_outlook_name(whole) == "All cards"
    assert {dispute_outlook_name(part) for part in parts} >= {"Visa, other reasons", "Mastercard, for fraud"}


def test_an_own_rate_reads_in_major_units() -> None:
    assert exchange(1.0842, "eur", "usd") == "1\xa0EUR = 1.0842\xa0USD"
    assert exchange(0.67, "jpy", "usd") == "1\xa0JPY = 0.0067\xa0USD"
    assert exchange(0.326, "kwd", "usd") == "1\xa0KWD = 3.26\xa0USD"
