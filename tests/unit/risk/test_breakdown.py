import numpy as np
import pytest

from payflux.monitor.processors.codes import Kind, Network, Status, reason_code
from payflux.monitor.risk.rules import prepare
from payflux.monitor.risk.rules.breakdown import break_down, dispute_outlook
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.surface import DisputeOutlook
from tests.unit.risk.building import AS_OF, NOW, about, rows, sales


def history(*more: np.ndarray) -> History:
    """Visa and Mastercard in turn; one in 100 is disputed as fraud on Visa, one in 200 otherwise on Mastercard."""
    charges = sales(per_day=200)
    visa, mastercard = (charges[charges["network"] == network] for network in (Network.VISA, Network.MASTERCARD))
    fraud = about(Kind.DISPUTE, visa[::100], 15, status=Status.LOST)
    fraud["reason"] = reason_code("fraudulent")
    other = about(Kind.DISPUTE, mastercard[::200], 15, status=Status.LOST)
    other["source"] += 1
    events = np.concatenate([charges, fraud, other, *more])
    return prepare(events[events["at"] <= NOW], as_of=AS_OF)


def outlook(history: History) -> dict[tuple[str, str], DisputeOutlook]:
    return {(row.network, row.reason): row for row in dispute_outlook(break_down(history))}


def test_each_network_and_reason_has_its_own_rate() -> None:
    found = outlook(history())
    assert found["visa", "fraud"].rate == pytest.approx(0.01, rel=0.25)
    assert found["mastercard", "other"].rate == pytest.approx(0.005, rel=0.3)
    assert found["visa", "other"].rate < 0.001 > found["mastercard", "fraud"].rate
    assert found["visa", "fraud"].over_threshold > 0.8 > 0.1 > found["mastercard", "other"].over_threshold


def test_the_parts_add_up_to_the_whole() -> None:
    found = outlook(history())
    whole = found.pop(("all", "all"))
    assert sum(row.seen for row in found.values()) == whole.seen
    assert sum(row.to_come for row in found.values()) == pytest.approx(whole.to_come)
    assert whole.payments == sum(row.payments for row in found.values() if row.reason == "fraud")


def test_a_dispute_on_a_network_without_payments_is_not_lost() -> None:
    stray = rows(Kind.DISPUTE, [NOW - 86_400], status=Status.OPEN, network=Network.JCB, charge_at=NOW - 9 * 86_400)
    assert outlook(history(stray))["all", "all"].seen == outlook(history())["all", "all"].seen + 1


def test_nothing_sold_is_nothing_to_say() -> None:
    assert outlook(prepare(rows(Kind.PAYOUT, [NOW - 5]), as_of=AS_OF)) == {}
    assert outlook(prepare(sales(per_day=1, days=9), as_of=AS_OF))["all", "all"].insufficient


def test_disputes_on_payments_from_before_the_history_do_not_count_towards_the_rate() -> None:
    charges = sales(per_day=100, days=300)
    disputes = about(Kind.DISPUTE, charges[::125], 40, status=Status.LOST)
    disputes = disputes[disputes["at"] <= NOW]
    whole = prepare(np.concatenate([charges, disputes]), as_of=AS_OF)
    start = NOW - 90 * 86_400
    pulled = np.concatenate([charges[charges["at"] > start], disputes[disputes["at"] > start]])
    found = outlook(prepare(pulled, as_of=AS_OF))["all", "all"]
    assert found.rate_low <= 0.008 <= found.rate_high
    assert found.rate == pytest.approx(outlook(whole)["all", "all"].rate, rel=0.35)
