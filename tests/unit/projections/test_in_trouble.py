"""Merchants whom a processor has already stopped, or who have stopped themselves."""

import numpy as np
from msgspec.structs import replace

from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.projections.projection import ScenarioKind
from payflux.monitor.projections.settings import ProjectionSettings
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.exposure import outlook
from payflux.monitor.risk.rules.holds import reserve_rate
from tests.unit.projections.building import projected, trapped
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, rows, sales

STOPPED = replace(SOUND, payouts_enabled=False)


def test_stopped_payouts_trap_the_balance_as_well_as_the_sales_to_come() -> None:
    projection = projected(sales(per_day=10, amount=4_000), account=STOPPED)
    assert projection.scenario.kind == ScenarioKind.PAYOUT_PAUSE
    assert projection.daily[0][1] == 10_000_000
    assert trapped(projection)[0] == 10_000_000 + 30 * 40_000
    assert [one.scenario.kind for one in projection.scenarios].count(ScenarioKind.PAYOUT_PAUSE) == 1


def test_a_reserve_of_ones_own_choice_is_projected_even_so() -> None:
    settings = ProjectionSettings(rate=0.1, hold_days=90)
    assert projected(sales(), account=STOPPED, settings=settings).scenario.rate == 0.1


def test_an_account_that_may_not_charge_sells_nothing_more() -> None:
    projection = projected(sales(), account=replace(SOUND, charges_enabled=False))
    assert (projection.daily_sales, trapped(projection)) == (0, [0, 0, 0])
    assert "The account may not take payments now: no further sales are projected." in projection.assumptions


def test_a_shop_without_a_sale_for_four_weeks_has_stopped() -> None:
    events = sales(per_day=20, days=90)
    quiet, stopped = (events[events["at"] < NOW - days * DAY] for days in (20, 36))
    assert projected(quiet).daily_sales > 0
    projection = projected(stopped, tier=3)
    assert projection.daily_sales == 0
    assert any("nothing is forecast" in text for text in projection.assumptions)


def test_open_holds_cover_what_the_balance_does_not_show_as_reserved() -> None:
    events = sales(per_day=40)
    holds = about(Kind.RESERVE_HOLD, events[events["at"] > NOW - 30 * DAY], 0)
    holds["settled"], holds["ends_at"] = 100, holds["at"] + 90 * DAY
    thin = replace(FULL, available={"usd": 1_000}, pending={})
    held = int(holds["settled"].sum())
    assert projected(np.concatenate([events, holds]), balance=thin).exposure.coverage == 1_000 + held
    shown = replace(thin, reserved={"usd": held})
    assert projected(np.concatenate([events, holds]), balance=shown).exposure.coverage == 1_000 + held


def test_one_sum_held_at_once_is_no_rate_of_sales() -> None:
    events = sales(per_day=40)
    once = rows(Kind.RESERVE_HOLD, [NOW - 5 * DAY], settled=500_000)
    again = rows(Kind.RESERVE_HOLD, [NOW - 4 * DAY], settled=500_000)
    again["source"] += 1
    one, both = (
        prepare(np.concatenate([events, *holds]), as_of=AS_OF, account=SOUND, balance=FULL)
        for holds in ([once], [once, again])
    )
    assert reserve_rate(one) == 0.0 < reserve_rate(both)
    surface = score(one)
    assert (surface.risk_tier, surface.reasons[0].key) == (2, "observed_reserve")


def test_a_warned_payment_is_expected_to_be_disputed_once() -> None:
    events = sales(per_day=40, days=90)
    recent = events[events["at"] > NOW - 10 * DAY][:50]
    warnings = about(Kind.EARLY_FRAUD_WARNING, recent, 1, status=Status.ACTIONABLE)
    warnings = warnings[warnings["at"] <= NOW]
    calm, warned = (outlook(prepare(some, as_of=AS_OF)) for some in (events, np.concatenate([events, warnings])))
    assert warned.open_disputes == round(0.8 * int(warnings["settled"].sum()))
    assert warned.chargebacks_to_come < calm.chargebacks_to_come
    assert warned.expected_losses > calm.expected_losses


def test_a_warning_of_half_a_year_ago_is_no_open_case() -> None:
    events = sales(per_day=40, days=300)
    old = about(Kind.EARLY_FRAUD_WARNING, events[events["at"] < NOW - 180 * DAY][:50], 1, status=Status.ACTIONABLE)
    assert outlook(prepare(np.concatenate([events, old]), as_of=AS_OF)).open_disputes == 0


def test_disputes_go_on_counting_when_sales_have_stopped() -> None:
    events = sales(per_day=40, days=120)
    sold = events[events["at"] < NOW - 35 * DAY]
    disputes = about(Kind.DISPUTE, sold[:60], 20, status=Status.OPEN)
    surface = score(prepare(np.concatenate([sold, disputes]), as_of=AS_OF, account=SOUND, balance=FULL))
    activity = next(signal for signal in surface.signals if signal.key == "dispute_activity")
    assert activity.numerator == 60
    assert 1_150 < activity.denominator <= 1_200
    assert "sales have stopped" in activity.note
    assert surface.risk_tier >= 4


def test_two_days_of_sales_are_not_called_low() -> None:
    surface = score(prepare(sales(per_day=40, days=2), as_of=AS_OF))
    assert "insufficient_evidence" in {reason.key for reason in surface.reasons}
    assert surface.risk_tier == 2
