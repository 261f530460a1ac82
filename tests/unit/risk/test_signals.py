from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace

from payflux.monitor.processors.codes import REASONS, Kind, Network, Outcome, RiskLevel, Status
from payflux.monitor.processors.events import pack_letters
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.bands import BANDINGS
from payflux.monitor.risk.rules.signals import SIGNALS
from payflux.monitor.risk.surface import Level, Readout, RiskSurface, Signal
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, elevated_merchant, rows, sales, spread


def scored(events: np.ndarray, **known: object) -> RiskSurface:
    return score(prepare(events, **{"as_of": AS_OF, "account": SOUND, "balance": FULL, **known}))  # ty: ignore[invalid-argument-type]


def of(key: str, events: np.ndarray, **known: object) -> Signal:
    return next(signal for signal in scored(events, **known).signals if signal.key == key)


def test_each_signal_has_a_key_of_its_own_and_each_banding_its_signal() -> None:
    keys = [signal.key for signal in scored(elevated_merchant()).signals]
    assert len(set(keys)) == len(keys) == len(SIGNALS)
    assert set(BANDINGS) <= set(keys)


def test_the_nowcast_says_where_visas_month_will_end() -> None:
    events = sales(per_day=2_500, days=60, network=Network.VISA)
    calm = of("vamp_nowcast", np.concatenate([events, about(Kind.EARLY_FRAUD_WARNING, events[::400], 0.1)]))
    close = of("vamp_nowcast", np.concatenate([events, about(Kind.EARLY_FRAUD_WARNING, events[::40], 0.1)]))
    assert (calm.level, calm.value) == (Level.OK, pytest.approx(0, abs=1e-6))
    assert (close.level, close.value) == (Level.CRITICAL, pytest.approx(1, abs=1e-3))
    assert close.numerator < 1_500


def efm_month(secure: int, amount: int) -> Signal:
    events = sales(per_day=100, days=100, network=Network.MASTERCARD, three_d_secure=secure)
    frauds = about(Kind.DISPUTE, events[::100], 1, status=Status.LOST)
    frauds["reason"], frauds["settled"] = REASONS.index("fraudulent"), amount
    return of("efm", np.concatenate([events, frauds[frauds["at"] <= NOW]]), account=replace(SOUND, country="US"))


def test_mastercards_fraud_programme_needs_amount_ratio_and_few_authenticated_payments() -> None:
    assert efm_month(0, 60_000).level == Level.OK  # about 30 a month of 600 USD
    assert efm_month(0, 100_000).level == Level.WARN
    assert efm_month(0, 200_000).level == Level.CRITICAL
    assert efm_month(1, 200_000).level == Level.OK


def test_amex_looks_at_three_months_without_won_disputes_and_only_warns() -> None:
    events = sales(per_day=100, days=150, network=Network.AMEX)

    def amex(status: Status, first: int = 0) -> Signal:
        cases = about(Kind.DISPUTE, events[first::30], 1, status=status)
        return of("amex", np.concatenate([events, cases[cases["at"] <= NOW]]))

    assert amex(Status.LOST).level == Level.WARN
    assert amex(Status.WON).numerator == 0
    assert amex(Status.LOST, first=4_000).level <= Level.OK  # none in the last 40 days


def test_the_leading_reason_of_disputes_is_named_with_its_share() -> None:
    events = sales(per_day=40)
    cases = about(Kind.DISPUTE, events[40:440:10], 0.1, status=Status.LOST)
    cases["reason"] = REASONS.index("fraudulent")
    cases["reason"][:30] = REASONS.index("product_not_received")
    found = of("reason_mix", np.concatenate([events, cases]))
    assert (found.value, found.note) == (0.75, "Most are product not received (75 %).")


def test_refunds_twice_as_many_as_usual_raise_one_level() -> None:
    events = sales(per_day=100, days=90)
    few = about(Kind.REFUND, events[events["at"] < NOW - 30 * DAY][::100], 0.1)
    recent = events[events["at"] > NOW - 29 * DAY]
    usual, doubled = (
        of("refund_rate", np.concatenate([events, few, about(Kind.REFUND, recent[::n], 0)])) for n in (90, 30)
    )
    assert (usual.level, usual.note) == (Level.OK, "")
    assert (doubled.level, doubled.judged) == (Level.WARN, 0.08)
    assert doubled.value == pytest.approx(0.033, abs=0.002)


def test_a_drift_of_countries_is_told_from_chance() -> None:
    events = sales(per_day=40, country=pack_letters("US"))
    moved = events.copy()
    moved["country"][moved["at"] > NOW - 20 * DAY] = pack_letters("BR")
    assert of("geographic_drift", moved).value == pytest.approx(0.318, abs=0.02)
    mixed = events.copy()
    mixed["country"] = np.random.default_rng(1).choice([pack_letters("US"), pack_letters("DE")], len(mixed))
    assert of("geographic_drift", mixed).value == 0
    assert of("geographic_drift", sales()).note == "The card's country cannot be seen in this data."


def test_ratings_count_on_what_was_accepted_and_blocks_are_only_shown() -> None:
    events = sales(per_day=100, risk_level=RiskLevel.NORMAL, outcome=Outcome.AUTHORIZED)
    events["risk_level"][::12] = RiskLevel.ELEVATED
    blocked = rows(Kind.CHARGE, spread(300, 29), status=Status.FAILED, outcome=Outcome.BLOCKED, risk_level=3)
    surface = scored(np.concatenate([events, blocked]))
    found = {signal.key: signal for signal in surface.signals}
    assert (found["radar_mix"].level, found["radar_mix"].value) == (Level.HIGH, pytest.approx(1 / 12, rel=0.01))
    assert (found["blocked_rate"].level, found["blocked_rate"].numerator) == (Level.OK, 300)


def test_few_large_tickets_and_one_large_customer_are_seen() -> None:
    events = sales(per_day=10, days=60)
    events["customer"] = np.arange(1, len(events) + 1)
    assert of("ticket_concentration", events).value == pytest.approx(0.01, abs=0.003)
    assert of("customer_concentration", events).note == "As concentrated as 600 customers of one size."
    events["settled"][:6] = 100_000
    events["customer"][:6] = 1
    assert of("ticket_concentration", events).level == Level.CRITICAL
    assert of("largest_customer", events).level == Level.CRITICAL
    events["customer"][6:500] = 0
    events["settled"][:6] = 1_000
    assert of("largest_customer", events).note == "Only 18 % of the sales name their customer."


@pytest.mark.parametrize(("delay", "level"), [(2, 0), (4, 1), (7, 2), (12, 3)])
def test_payouts_that_come_later_than_they_did_are_a_quiet_restriction(delay: int, level: int) -> None:
    earlier = tuple(
        Readout(as_of=AS_OF - timedelta(days=ago), asked_tier=1, payout_delay_days=2) for ago in (40, 50, 60)
    )
    known = replace(SOUND, payout_delay_days=delay)
    assert of("payout_delay", sales(), account=known, earlier=earlier).level == level
    assert of("payout_delay", sales(), account=known).note == "No earlier readout says what the delay was."


def test_a_young_business_is_not_low_and_an_unknown_age_is_not_judged() -> None:
    young = replace(SOUND, created_at=datetime(2026, 11, 1, tzinfo=UTC))
    surface = scored(sales(per_day=40, days=20), account=young)
    assert (surface.risk_tier, surface.reasons[0].key) == (2, "tenure")
    assert of("tenure", sales(per_day=40, days=20)).level == Level.INSUFFICIENT_EVIDENCE
    assert (
        of(
            "tenure", sales(per_day=40, days=20), account=replace(SOUND, created_at=datetime(2020, 1, 1, tzinfo=UTC))
        ).level
        == 0
    )


def test_recent_sales_are_undelivered() -> None:
    assert of("undelivered", sales(per_day=40)).value == pytest.approx(0.13, abs=0.02)
    burst = np.concatenate([sales(per_day=40), rows(Kind.CHARGE, spread(9_000, 2))])
    assert of("undelivered", burst).level >= Level.HIGH


def test_sales_of_two_days_are_all_recent_which_warns_and_no_more() -> None:
    found = of("undelivered", sales(per_day=30, days=2))
    assert (found.level, found.note) == (Level.WARN, "Of 3 days of sales that are known: a warning at most.")
    assert scored(sales(per_day=30, days=2), account=None, balance=None).risk_tier == 2


def test_a_programme_of_several_months_says_so_in_what_it_needs() -> None:
    events = sales(per_day=40, network=Network.AMEX)
    (step,) = (one for one in scored(events).to_threshold if one.programme == "amex")
    assert step.needs == "disputes less won ones more than 1 % of payments less refunded ones, in 3 months in a row"
    assert f"excessive is {step.needs}." in of("amex", events).note


def test_reasons_say_how_far_they_are_and_how_many_fewer_it_takes() -> None:
    for reason in scored(elevated_merchant()).reasons:
        assert reason.distance is not None
        assert reason.distance >= 0
    events = sales(per_day=80, network=Network.OTHER)
    cases = about(Kind.DISPUTE, events[events["at"] < NOW - 100 * DAY][:30], 1, status=Status.LOST)
    cases["at"] = spread(30, 29)
    reason = next(r for r in scored(np.concatenate([events, cases])).reasons if r.key == "dispute_activity")
    fewer = int(reason.lowers.split()[0])
    eased = scored(np.concatenate([events, cases[fewer:]]))
    nearly = scored(np.concatenate([events, cases[fewer - 1 :]]))
    levels = [next(s for s in surface.signals if s.key == "dispute_activity").level for surface in (eased, nearly)]
    assert levels == [Level.HIGH, Level.CRITICAL]


@pytest.mark.parametrize("key", ["card_testing", "vamp", "radar_mix"])
def test_as_many_fewer_as_are_named_take_the_share_itself_below_its_threshold_and_one_less_does_not(key: str) -> None:
    events = sales(per_day=40, network=Network.VISA, risk_level=RiskLevel.NORMAL)
    events["risk_level"][::20] = RiskLevel.ELEVATED
    burst = rows(Kind.CHARGE, spread(900, 1), status=Status.FAILED)
    warnings = about(Kind.EARLY_FRAUD_WARNING, events[::60], 0)
    surface = scored(np.concatenate([events, burst, warnings]))
    found = next(s for s in surface.signals if s.key == key)
    reason = next(r for r in surface.reasons if r.key == key)
    kept = found.denominator - found.numerator if key != "vamp" else 0

    def share(fewer: int) -> float:
        left = found.numerator - fewer
        return left / (kept + left if kept else found.denominator)

    assert reason.threshold is not None
    fewer = int(reason.lowers.split()[0])
    assert share(fewer) < reason.threshold <= share(fewer - 1)


def test_too_few_to_judge_is_not_called_below_a_threshold() -> None:
    events = sales(per_day=1, network=Network.OTHER)
    cases = rows(Kind.DISPUTE, spread(3, 20), status=Status.LOST)
    reason = next(r for r in scored(np.concatenate([events, cases])).reasons if r.key == "dispute_activity")
    assert reason.lowers.startswith("1 fewer of the disputes here would leave too few to judge it by.")


def test_the_next_dispute_is_priced_and_the_way_to_each_step_counted() -> None:
    surface = scored(sales(per_day=300, days=120), account=replace(SOUND, country="US"))
    fee = surface.next_dispute[0].items[0]
    assert (fee.kind, fee.low, fee.high, fee.currency) == ("dispute fee", 1_500, 3_000, "usd")
    assert {one.network for one in surface.next_dispute} == {"visa", "mastercard"}
    steps = {(one.programme, one.step): one for one in surface.to_threshold}
    assert steps["vamp", "excessive"].now == 1_500
    assert steps["ecm", "ECM"].month_end == max(100, -(-(150 * 31 * 150) // 10_000))
    assert scored(sales(network=Network.UNKNOWN), account=None).next_dispute == ()


def test_a_dispute_that_crosses_into_visas_fees_bears_them() -> None:
    events = sales(per_day=2_200, days=60, network=Network.VISA)
    recent = events[events["at"] > NOW - 15 * DAY]
    cases = about(Kind.DISPUTE, recent[:: len(recent) // 1_499][:1_499], 0, status=Status.LOST)
    surface = scored(np.concatenate([events, cases]))
    step = next(one for one in surface.to_threshold if one.step == "excessive")
    (visa,) = (one for one in surface.next_dispute if one.network == "visa")
    fees = [item for item in visa.items if item.kind == "event fee"]
    assert step.now == 1
    assert fees[0].high == 1_500 * 800


def test_what_is_only_reported_stands_in_a_note_and_sets_nothing() -> None:
    surface = scored(sales(per_day=40))
    found = next(signal for signal in surface.signals if signal.key == "ecm")
    assert "From 2027-04-01, reported, not confirmed: Mastercard GMAP" in found.note
    assert (found.level, surface.risk_tier) == (Level.INSUFFICIENT_EVIDENCE, 1)
