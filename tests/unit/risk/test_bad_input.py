"""Whatever comes in, each signal is right or says why it cannot be said."""

import re

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.risk.rules import prepare, score
from payflux.monitor.risk.rules.exposure import outlook
from payflux.monitor.risk.rules.measures import money
from payflux.monitor.risk.surface import Level, RiskSurface, Signal
from tests.unit.risk.building import AS_OF, DAY, FULL, NOW, SOUND, about, elevated_merchant, rows, sales, spread

EMPTY = np.zeros(0, EVENT_DTYPE)
REFUNDED = rows(Kind.REFUND, spread(100, 20), settled=9_000_000)
ORPHANS = rows(Kind.DISPUTE, spread(100, 20), status=Status.OPEN)
BAD_INPUTS = {
    "nothing": EMPTY,
    "one event": rows(Kind.CHARGE, [NOW]),
    "only failures": rows(Kind.CHARGE, spread(100, 90), status=Status.FAILED),
    "refunds beyond charges": np.concatenate([sales(), REFUNDED]),
    "refunds without charges": REFUNDED,
    "only the future": rows(Kind.CHARGE, [NOW + DAY]),
    "disputes without payments": ORPHANS,
    "disputes without their charge": np.concatenate([sales(), ORPHANS]),
    "disputes before their charge": np.concatenate([sales(), about(Kind.DISPUTE, sales()[:50], -20)]),
    "duplicates": np.concatenate([sales(), sales()]),
    "out of order": sales()[::-1],
    "yen": sales(settled_currency=pack_letters("jpy")),
    "dinars": sales(settled_currency=pack_letters("kwd"), amount=1_234_567),
    "free of charge": sales(amount=0),
    "only holds": rows(Kind.RESERVE_HOLD, spread(9, 50)),
}


def scored(
    events: np.ndarray, account: AccountSnapshot | None = SOUND, balance: BalanceSnapshot | None = FULL
) -> RiskSurface:
    return score(prepare(events, as_of=AS_OF, account=account, balance=balance))


def signal(surface: RiskSurface, key: str) -> Signal:
    return next(signal for signal in surface.signals if signal.key == key)


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_every_signal_has_a_value_or_a_reason_and_the_surface_can_be_stored(name: str) -> None:
    for account, balance in ((SOUND, FULL), (None, None), (SOUND, replace(FULL, available={"usd": -1, "jpy": -1}))):
        surface = scored(BAD_INPUTS[name], account, balance)
        assert msgspec.json.decode(msgspec.json.encode(surface), type=RiskSurface) == surface
        assert 1 <= surface.risk_tier <= 5
        assert 0 <= surface.stability_score <= 100
        for found in surface.signals:
            assert found.value is not None or found.note, found.key
            assert found.value is None or np.isfinite(found.value), found.key


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_one_is_never_told_in_the_plural_and_no_share_has_a_decimal_that_means_nothing(name: str) -> None:
    for account in (SOUND, None):
        surface = scored(BAD_INPUTS[name], account)
        said = [*surface.notes, surface.trend_note, *(signal.note for signal in surface.signals)]
        said += [text for reason in surface.reasons for text in (reason.sentence, reason.lowers)]
        for text in said:
            assert not re.search(r"(?<![\d,.])1 (payment|event|dispute|card|decline|payout|day)s\b", text), text
            assert not re.search(r"\d{4,}\.\d* %|nan|inf\b", text), text


@pytest.mark.parametrize(
    "name", ["nothing", "one event", "only failures", "only the future", "disputes without payments"]
)
def test_too_little_to_judge_is_said_and_not_called_low(name: str) -> None:
    surface = scored(BAD_INPUTS[name])
    assert surface.risk_tier >= 2
    assert "insufficient_evidence" in {reason.key for reason in surface.reasons}
    assert signal(surface, "dispute_activity").level == Level.INSUFFICIENT_EVIDENCE


def test_more_refunds_than_sales_are_critical_and_said() -> None:
    surface = scored(BAD_INPUTS["refunds beyond charges"])
    refunds = signal(surface, "refund_rate")
    assert (refunds.level, refunds.numerator, refunds.denominator) == (Level.CRITICAL, 900_000_000, 295_000)
    assert refunds.note.startswith("More was refunded than sold.")
    assert signal(scored(REFUNDED), "refund_rate").value is None


def test_what_is_open_and_held_of_a_merchant_who_stopped_selling_is_told_in_its_currency() -> None:
    sold = sales(per_day=40)
    sold = sold[sold["at"] < NOW - 95 * DAY]
    sold["settled_currency"] = pack_letters("gbp")
    disputes = about(Kind.DISPUTE, sold[::50], 80, status=Status.OPEN)
    disputes = disputes[disputes["at"] <= NOW]
    holds = rows(Kind.RESERVE_HOLD, sold["at"][:9], ends_at=NOW + DAY, settled_currency=pack_letters("gbp"))
    history = prepare(np.concatenate([sold, disputes, holds]), as_of=AS_OF, account=SOUND, balance=FULL)
    surface = score(history)
    assert history.currency_code == "gbp"
    assert outlook(history).open_disputes == disputes["settled"].sum() > 0
    assert signal(surface, "observed_reserve").numerator == 9_000
    reserve = next(reason for reason in surface.reasons if reason.key == "observed_reserve")
    assert reserve.sentence.startswith("The processor still holds back money of earlier sales")
    only_disputes = prepare(disputes, as_of=AS_OF)
    assert only_disputes.volume(only_disputes.disputes) == disputes["settled"].sum()


def test_amounts_that_64_bits_cannot_add_up_are_refused_and_not_wrapped() -> None:
    events = sales(per_day=10, days=50, amount=2 * 10**13)
    history = prepare(events, as_of=AS_OF)
    assert history.volume(history.payments) == 10**16
    with pytest.raises(ValueError, match="too much to be added up"):
        prepare(np.concatenate([events, rows(Kind.CHARGE, [NOW], settled=10)]), as_of=AS_OF)


def test_a_balance_below_zero_covers_nothing() -> None:
    events = np.concatenate([sales(per_day=40), ORPHANS])
    covered = signal(scored(events, balance=replace(FULL, available={"usd": -5}, pending={"usd": 1})), "coverage")
    assert (covered.value, covered.level) == (pytest.approx(0, abs=1e-3), Level.CRITICAL)


def test_more_disputes_than_payments_lie_within_their_own_interval() -> None:
    found = signal(scored(np.concatenate([sales(per_day=1), ORPHANS])), "dispute_activity")
    assert (found.numerator, found.denominator) == (100, 30)
    assert (found.low or 1) < 1 < (found.value or 0) == found.high


def test_the_trend_of_too_few_payments_is_not_called_unmoved() -> None:
    assert scored(EMPTY).trend_note.startswith("Too few payments")
    assert scored(sales()).trend_note.startswith("No rate moved")


def test_disputes_without_their_charge_count_by_their_day_and_not_by_their_sale() -> None:
    surface = scored(BAD_INPUTS["disputes without their charge"])
    assert signal(surface, "dispute_activity").numerator == 100
    assert signal(surface, "ultimate_dispute_rate").numerator == 0
    assert signal(surface, "vamp").numerator == 0


def test_the_future_and_what_came_twice_change_nothing_but_the_notes() -> None:
    plain = scored(sales())
    for name in ("duplicates", "out of order"):
        assert scored(BAD_INPUTS[name]).signals == plain.signals
    late = scored(np.concatenate([sales(), rows(Kind.DISPUTE, [NOW + 60], status=Status.OPEN)]))
    assert late.signals == plain.signals
    assert late.notes[0].startswith("Left out: 1 event dated after")


def test_yen_and_dinars_are_told_in_their_own_decimals_and_not_held_against_dollars() -> None:
    assert money(1_234_567, "jpy") == "1,234,567 JPY"
    assert money(1_234_567, "kwd") == "1,235 KWD"
    assert money(1_234, "kwd") == "1.234 KWD"
    for code in ("jpy", "kwd"):
        events = elevated_merchant()
        events["currency"] = events["settled_currency"] = pack_letters(code)
        surface = scored(events, balance=replace(FULL, available={code: 1}, pending={}))
        assert "settle in " + code.upper() in signal(surface, "efm").note
        reason = next(reason for reason in surface.reasons if reason.key == "coverage")
        assert f" {code.upper()} more would cover" in reason.lowers


def test_a_file_without_warnings_networks_or_ratings_is_not_taken_for_none_of_them() -> None:
    events = sales(per_day=40, network=Network.UNKNOWN)
    surface = scored(events, account=None, balance=None)
    unseen = {
        "fraud_warning_rate", "open_warnings", "vamp", "vamp_nowcast", "ecm", "efm", "amex", "radar_mix",
        "card_testing", "decline_rate", "retry_pressure", "largest_customer", "account_state", "coverage",
        "payout_delay",
    }  # fmt: skip
    for key in unseen:
        assert signal(surface, key).value is None, key
        assert "cannot be seen" in signal(surface, key).note, key
    assert signal(scored(events), "fraud_warning_rate").value == 0
