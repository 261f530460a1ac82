import hashlib
from datetime import datetime

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.surface import Level, RiskSurface, Signal, Trend
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, elevated_merchant, rows, sales, spread

EMPTY = np.zeros(0, EVENT_DTYPE)


def scored(events: np.ndarray, **known: object) -> RiskSurface:
    return score(prepare(events, **{"as_of": AS_OF, "account": SOUND, "balance": FULL, **known}))  # ty: ignore[invalid-argument-type]


def signal(surface: RiskSurface, key: str) -> Signal:
    return next(signal for signal in surface.signals if signal.key == key)


def test_the_demo_merchant_is_elevated_by_its_disputes_alone() -> None:
    surface = scored(elevated_merchant())
    assert (surface.risk_tier, surface.risk_band) == (3, "elevated")
    leading = surface.reasons[0]
    assert leading.key == "dispute_activity"
    assert leading.threshold == 0.0075
    disputes = signal(surface, "dispute_activity")
    assert 0.0080 < (disputes.value or 0) < 0.0090
    assert leading.sentence.startswith(f"{disputes.numerator} disputes on 2,360 payments in the last 30 days is 0.8")
    assert leading.lowers.startswith("3 fewer of the disputes here would bring it below 0.75 %. Refund the 4 open")
    assert 30 <= surface.stability_score <= 60
    assert surface.trend == Trend.STABLE


def test_a_sound_merchant_is_low_and_says_so() -> None:
    surface = scored(sales(per_day=40))
    assert (surface.risk_tier, surface.reasons[0].key, surface.trend) == (1, "calm", Trend.STABLE)
    assert surface.stability_score > 90


@pytest.mark.parametrize(("disputes", "tier"), [(9, 1), (10, 2), (18, 3), (24, 4), (60, 4)])
def test_dispute_activity_sets_the_tier_at_its_thresholds(disputes: int, tier: int) -> None:
    events = sales(per_day=80, network=Network.AMEX)
    cases = about(Kind.DISPUTE, events[events["at"] < NOW - 100 * DAY][:disputes], 1, status=Status.WON)
    cases["at"] = spread(disputes, 29)
    surface = scored(np.concatenate([events, cases]))
    assert surface.risk_tier == tier


def test_inquiries_and_prevented_disputes_do_not_count_and_won_ones_do() -> None:
    events = sales(per_day=80)
    for status, counted in ((Status.INQUIRY, 0), (Status.PREVENTED, 0), (Status.WON, 30)):
        cases = about(Kind.DISPUTE, events[80:110], 0.1, status=status)
        assert signal(scored(np.concatenate([events, cases])), "dispute_activity").numerator == counted


def test_two_disputes_are_no_evidence_whatever_their_rate() -> None:
    events = sales(per_day=1, days=90)
    surface = scored(np.concatenate([events, about(Kind.DISPUTE, events[:2], 0.1, status=Status.OPEN)]))
    disputes = signal(surface, "dispute_activity")
    assert (disputes.level, disputes.numerator) == (Level.INSUFFICIENT_EVIDENCE, 2)
    assert "2 events, 3 are needed" in disputes.note


def test_too_few_payments_are_not_called_low() -> None:
    surface = scored(sales(per_day=1, days=12))
    assert (surface.risk_tier, surface.reasons[0].key) == (2, "insufficient_evidence")
    assert surface.stability_score <= 75


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({"currently_due": ("tos_acceptance.date",)}, 2),
        ({"past_due": ("company.tax_id",), "disabled_reason": "requirements.past_due"}, 3),
        ({"disabled_reason": "under_review"}, 4),
        ({"disabled_reason": "rejected.fraud"}, 5),
        ({"payouts_enabled": False}, 5),
    ],
)
def test_the_account_state_sets_a_tier_by_itself(changes: dict, tier: int) -> None:
    surface = scored(sales(per_day=40), account=replace(SOUND, **changes))
    assert (surface.risk_tier, surface.reasons[0].key) == (tier, "account_state")


def test_a_negative_balance_is_critical() -> None:
    events = sales(per_day=40)
    refunds = about(Kind.REFUND, events[::50], 2)
    events = np.concatenate([events, refunds[refunds["at"] <= NOW]])
    owing = replace(FULL, available={"usd": -100}, pending={})
    surface = scored(events, balance=owing)
    assert (surface.risk_tier, surface.reasons[0].key) == (4, "coverage")
    passing = replace(FULL, available={"usd": -100}, pending={"usd": 150})
    assert scored(events, balance=passing).risk_tier == 3


def test_holding_back_over_a_quarter_is_critical_and_an_ordinary_reserve_is_not() -> None:
    events = sales(per_day=40)
    for share, tier in ((0.10, 2), (0.12, 3), (0.30, 5)):
        recent = events[events["at"] > NOW - 60 * DAY]
        holds = about(Kind.RESERVE_HOLD, recent, 0)
        holds["settled"] = np.rint(holds["settled"] * share)
        holds["ends_at"] = holds["at"] + 90 * DAY
        assert scored(np.concatenate([events, holds])).risk_tier == tier


def test_visas_programme_needs_ratio_and_count() -> None:
    def visa(per_day: int) -> RiskSurface:
        events = sales(per_day=per_day, days=100, network=Network.VISA)
        return scored(np.concatenate([events, about(Kind.EARLY_FRAUD_WARNING, events[::40], 0.1)]))

    small, large = visa(100), visa(2_100)
    assert signal(small, "vamp").level == Level.HIGH
    assert signal(large, "vamp").level == Level.CRITICAL
    assert (large.risk_tier, large.reasons[0].key) == (5, "vamp")
    assert "a fee for each event" in large.reasons[0].sentence


def test_mastercard_fines_from_the_second_month() -> None:
    events = sales(per_day=300, days=200, network=Network.MASTERCARD)
    surface = scored(np.concatenate([events, about(Kind.DISPUTE, events[::40], 0.1, status=Status.LOST)]))
    assert surface.reasons[0].tier == 5
    assert "a fine of" in surface.reasons[0].sentence


def test_a_burst_of_declines_looks_like_card_testing_and_steady_declines_do_not() -> None:
    events = sales(per_day=40)
    burst = rows(Kind.CHARGE, spread(200, 2, ago=9), status=Status.FAILED, card=np.arange(1, 201))
    steady = rows(Kind.CHARGE, spread(15 * 200, 200), status=Status.FAILED)
    assert signal(scored(np.concatenate([events, burst])), "card_testing").level == Level.CRITICAL
    assert signal(scored(np.concatenate([events, steady])), "card_testing").level == Level.OK


def test_declines_that_reports_leave_out_are_unseen_and_not_none() -> None:
    recent = rows(Kind.CHARGE, spread(40, 0.2), status=Status.FAILED, card=np.arange(1, 41))
    events = np.concatenate([sales(per_day=40), recent])
    surface = scored(events, reads_declines=False)
    for key in ("decline_rate", "card_testing", "retry_pressure", "failure_entropy"):
        assert signal(surface, key).value is None, key
        assert "Stripe's reports, which leave declined attempts out" in signal(surface, key).note
    assert surface.forecasting is not None
    assert "decline_rate" not in {one.key for one in surface.forecasting.series}
    assert signal(scored(events), "decline_rate").value == pytest.approx(40 / (40 + 30 * 40), rel=0.05)


def test_a_spike_of_sales_is_seen_and_a_steady_shop_is_not() -> None:
    events = sales(per_day=40)
    spike = rows(Kind.CHARGE, spread(900, 7))
    assert signal(scored(np.concatenate([events, spike])), "growth").level == Level.CRITICAL
    assert signal(scored(events), "growth").level == Level.OK


def test_the_trend_follows_disputes_past_chance_and_dead_band() -> None:
    events = sales(per_day=80)
    old = events[events["at"] < NOW - 100 * DAY]

    def with_disputes(recent: int, before: int) -> Trend:
        cases = about(Kind.DISPUTE, old[: recent + before], 1, status=Status.LOST)
        cases["at"] = np.concatenate([spread(recent, 29), spread(before, 29, ago=30)])
        return scored(np.concatenate([events, cases])).trend

    assert with_disputes(40, 10) == Trend.DEGRADING
    assert with_disputes(10, 40) == Trend.IMPROVING
    assert with_disputes(20, 17) == Trend.STABLE
    assert with_disputes(2, 0) == Trend.STABLE


def test_what_cannot_be_seen_is_said() -> None:
    surface = scored(sales(), account=None, balance=None)
    assert signal(surface, "account_state").level == Level.INSUFFICIENT_EVIDENCE
    assert signal(surface, "coverage").value is None
    assert any("balance cannot be seen" in note for note in surface.notes)


def test_later_and_repeated_events_are_left_out_and_counted() -> None:
    events = sales()
    later = rows(Kind.CHARGE, [NOW + 60])
    surface = scored(np.concatenate([events, later, events[:5]]))
    assert surface.event_count == scored(events).event_count
    assert any(note.startswith("Left out: 1 event dated after") for note in surface.notes)
    assert any(note.startswith("Left out: 5 events that had come before") for note in surface.notes)


def test_a_dispute_without_its_network_takes_it_from_its_charge() -> None:
    events = sales(per_day=40, network=Network.VISA)
    cases = about(Kind.DISPUTE, events[40 : 28 * 40 : 10], 0.1, status=Status.LOST)
    cases["network"], cases["charge_at"] = Network.UNKNOWN, 0
    surface = scored(np.concatenate([events, cases]))
    assert signal(surface, "vamp").numerator > 0
    assert signal(surface, "ultimate_dispute_rate").numerator == len(cases)


def test_a_time_without_zone_or_another_array_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        scored(EMPTY, as_of=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="EVENT_DTYPE"):
        scored(np.zeros(3))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_any_order_gives_the_same_surface_to_the_bit(seed: int) -> None:
    events = elevated_merchant()[::7]
    shuffled = np.random.default_rng(seed).permutation(events)
    assert msgspec.json.encode(scored(shuffled)) == msgspec.json.encode(scored(events))


def test_the_hash_covers_events_time_and_snapshots() -> None:
    events = sales(per_day=2)
    hashes = {
        scored(events).inputs_hash,
        scored(events[1:]).inputs_hash,
        scored(events, balance=None).inputs_hash,
        scored(events, account=replace(SOUND, name="x")).inputs_hash,
    }
    assert len(hashes) == 4
    assert all(len(value) == hashlib.sha256().digest_size * 2 for value in hashes)
