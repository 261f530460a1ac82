from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import pack_letters
from payflux.monitor.projections.projection import ReserveProjection
from payflux.monitor.projections.rules.scoring import due_at, score_projection, unread_from
from payflux.monitor.projections.scorebook import Outcome, ProjectionScore, Scorebook
from payflux.monitor.risk.rules import prepare
from tests.unit.projections.building import projected
from tests.unit.risk.building import AS_OF, DAY, NOW, SOUND, about, rows, sales

PAST = sales(per_day=10, amount=100)
TOMORROW = (NOW // DAY + 1) * DAY
HOUR = timedelta(hours=1)


def days_after(sold: list[int]) -> np.ndarray:
    """One payment at noon of each day after the readout's."""
    at = [TOMORROW + day * DAY + DAY // 2 for day in range(len(sold))]
    return rows(Kind.CHARGE, at, settled=sold, source=-np.arange(1, len(sold) + 1))


def scored(
    projection: ReserveProjection, events: np.ndarray, horizon: int = 30, *, holds_seen: bool = True
) -> ProjectionScore:
    end = due_at(projection.as_of, horizon) - timedelta(seconds=1)
    return score_projection(projection, horizon, prepare(events, as_of=end), tier_said=3, holds_seen=holds_seen)


def test_a_horizon_is_due_when_its_last_whole_day_is_over() -> None:
    assert due_at(AS_OF, 30) == datetime(2026, 12, 22, tzinfo=UTC)
    assert due_at(AS_OF.replace(hour=0), 1) == due_at(AS_OF.replace(hour=23), 1)
    outcome = Outcome(as_of=AS_OF, horizon_days=30, due_at=due_at(AS_OF, 30), score=None, why_not=None)
    assert str(outcome.last_day) == "2026-12-21"


def test_sales_that_came_as_forecast_score_without_error() -> None:
    projection = projected(PAST, tier=3)
    score = scored(projection, np.concatenate([PAST, days_after([1_000] * 30)]))
    assert (score.sales_said, score.sales, score.sales_error, score.sales_inside) == (30_000, 30_000, 0, True)
    assert (score.trapped_said, score.trapped, score.trapped_inside) == (3_000, 3_000, True)
    assert (score.held, score.tier_said) == (0, 3)
    assert score.tier in range(1, 6)


def test_the_stated_scenario_is_applied_to_the_sales_that_came() -> None:
    projection = projected(PAST, tier=3)
    double = scored(projection, np.concatenate([PAST, days_after([2_000] * 60)]))
    assert (double.sales, double.trapped, double.sales_inside, double.trapped_inside) == (60_000, 6_000, False, False)
    assert double.sales_error == -0.5
    nothing = scored(projection, PAST)
    assert (nothing.sales, nothing.trapped, nothing.sales_error) == (0, 0, None)


def test_days_before_and_after_the_horizon_and_other_currencies_do_not_count() -> None:
    today = rows(Kind.CHARGE, [NOW + 60], settled=70_000, source=-99)
    euros = rows(
        Kind.CHARGE,
        np.full(5_000, TOMORROW + 60),
        settled=1,
        source=np.arange(10**6, 10**6 + 5_000),
        settled_currency=pack_letters("eur"),
    )
    came = np.concatenate([PAST, today, euros, days_after([1_000] * 40)])
    score = scored(projected(PAST, tier=3), came)
    assert (score.sales, score.currency) == (30_000, "usd")


def test_the_holds_known_then_are_part_of_what_was_stated_and_the_real_ones_stand_beside_it() -> None:
    known = rows(Kind.RESERVE_HOLD, [NOW - 40 * DAY] * 2, settled=700, ends_at=[NOW + 10 * DAY, NOW + 60 * DAY])
    projection = projected(np.concatenate([PAST, known]), tier=1)
    after = days_after([1_000] * 30)
    imposed = about(Kind.RESERVE_HOLD, after, 0)
    imposed["settled"], imposed["ends_at"] = 50, imposed["at"] + 90 * DAY
    events = np.concatenate([PAST, known, after, imposed])
    score = scored(projection, events)
    assert (score.trapped_said, score.trapped, score.held) == (700, 700, 700 + 30 * 50)
    unseen = scored(projection, events, holds_seen=False)
    assert (unseen.trapped, unseen.held) == (700, None)


def test_a_projection_of_an_older_model_is_scored_from_its_releases_and_without_a_range_of_sales() -> None:
    known = rows(Kind.RESERVE_HOLD, [NOW - 40 * DAY] * 2, settled=700, ends_at=[NOW + 10 * DAY, NOW + 60 * DAY])
    projection = projected(np.concatenate([PAST, known]), tier=3)
    older = replace(
        projection,
        windows=tuple(replace(window, observed=None, sales_low=None, sales_high=None) for window in projection.windows),
    )
    score = scored(older, np.concatenate([PAST, known, days_after([1_000] * 30)]))
    assert (score.trapped, score.sales_inside) == (3_000 + 700, None)


def test_a_horizon_that_was_not_projected_or_a_history_that_ends_elsewhere_is_refused() -> None:
    projection = projected(PAST, tier=3)
    with pytest.raises(ValueError, match="no horizon of 31 days"):
        scored(projection, PAST, 31)
    with pytest.raises(ValueError, match="end of its horizon"):
        score_projection(projection, 30, prepare(PAST, as_of=AS_OF), tier_said=3)


@given(st.lists(st.integers(0, 10**9), min_size=30, max_size=30))
def test_the_scores_sales_are_the_exact_sum_of_what_was_sold(sold: list[int]) -> None:
    score = scored(projected(PAST[-50:], tier=3), days_after(sold))
    assert score.sales == sum(sold)
    assert score.trapped == (sum(sold) + 5) // 10


def test_history_is_read_without_a_gap_only_where_the_stretches_join() -> None:
    end = AS_OF + 10 * HOUR
    first, second = (AS_OF - HOUR, AS_OF + 4 * HOUR), (AS_OF + 4 * HOUR + timedelta(seconds=1), end)
    assert unread_from([second, first], AS_OF, end) is None
    assert unread_from([first], AS_OF, end) == AS_OF + 4 * HOUR
    assert unread_from([second], AS_OF, end) == AS_OF
    assert unread_from([first, (AS_OF + 5 * HOUR, end)], AS_OF, end) == AS_OF + 4 * HOUR
    assert unread_from([(AS_OF - HOUR, end - timedelta(seconds=1))], AS_OF, end) is None
    assert unread_from([], AS_OF, end) == AS_OF


def test_a_scorebook_hands_out_the_scores_among_what_is_due() -> None:
    score = scored(projected(PAST, tier=3), PAST)
    due = due_at(AS_OF, 30)
    with_one = Outcome(as_of=AS_OF, horizon_days=30, due_at=due, score=score, why_not=None)
    without = Outcome(as_of=AS_OF, horizon_days=30, due_at=due, score=None, why_not="not read")
    assert Scorebook(due=(without, with_one)).scores == (score,)


def test_stopped_payouts_are_scored_with_the_balance_they_began_with() -> None:
    projection = projected(PAST, account=replace(SOUND, payouts_enabled=False))
    as_said = scored(projection, np.concatenate([PAST, days_after([1_000] * 30)]))
    assert as_said.trapped == as_said.trapped_said == 10_000_000 + 30_000
    assert scored(projection, np.concatenate([PAST, days_after([2_000] * 30)])).trapped == 10_000_000 + 60_000
