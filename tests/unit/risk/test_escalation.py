import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.risk.rules import prepare
from payflux.monitor.risk.rules.breakdown import break_down
from payflux.monitor.risk.rules.escalation import by_activity, by_vamp, escalation
from payflux.monitor.risk.rules.history import History
from payflux.monitor.risk.rules.statistics import wilson_interval
from payflux.monitor.risk.surface import Escalation
from tests.unit.risk.building import AS_OF, NOW, SOUND, about, elevated_merchant, sales


def merchant(disputed: int) -> History:
    """One payment in `disputed` is disputed, 20 days later."""
    charges = sales(per_day=100)
    disputes = about(Kind.DISPUTE, charges[::disputed], 20, status=Status.LOST)
    events = np.concatenate([charges, disputes[disputes["at"] <= NOW]])
    return prepare(events, as_of=AS_OF, account=SOUND)


def activity(history: History, tier: int) -> Escalation | None:
    return by_activity(history, tier, break_down(history))


def likeliest(history: History, asked_tier: int) -> Escalation | None:
    return escalation(history, asked_tier, break_down(history))


def probability(disputed: int, tier: int = 2) -> float:
    found = activity(merchant(disputed), tier)
    assert found is not None
    return found.probability


def test_a_steady_rate_far_below_the_next_threshold_hardly_escalates_and_one_above_does() -> None:
    assert probability(1_000) < 0.05
    assert probability(150) > 0.9
    assert 0.2 < probability(250) < 0.8


def test_it_says_what_it_takes_on_how_many_payments() -> None:
    found = activity(merchant(500), 3)
    assert found is not None
    assert (found.tier, found.payments) == (3, 3_000)
    assert found.events == math.ceil(0.0075 * 3_000)
    assert found.low <= found.expected <= found.high
    assert found.expected == pytest.approx(6, rel=0.3)


def test_too_little_evidence_and_the_highest_tier_by_disputes_are_not_guessed() -> None:
    assert likeliest(prepare(sales(per_day=1, days=30), as_of=AS_OF), 1) is None
    assert likeliest(merchant(100), 4) is None
    stopped = elevated_merchant()
    stopped["at"] -= 60 * 86_400
    assert likeliest(prepare(stopped, as_of=AS_OF), 3) is None


def test_visas_ratio_counts_reports_and_needs_its_count() -> None:
    charges = sales(per_day=100, network=Network.VISA)
    reports = about(Kind.EARLY_FRAUD_WARNING, charges[::150], 3)
    found = by_vamp(prepare(np.concatenate([charges, reports[reports["at"] <= NOW]]), as_of=AS_OF), 3)
    assert found is not None
    assert wilson_interval(found.events, found.payments)[0] >= 0.005 > wilson_interval(found.events - 1, 3_000)[0]
    assert found.probability > 0.3
    severe = by_vamp(prepare(np.concatenate([charges, reports[reports["at"] <= NOW]]), as_of=AS_OF), 4)
    assert severe is not None
    assert (severe.events, severe.probability) == (1_500, 0.0)


def test_the_likelier_of_both_is_told() -> None:
    history = merchant(140)
    found = likeliest(history, 2)
    both = [activity(history, 3), by_vamp(history, 3)]
    assert found is not None
    assert found.probability == max(one.probability for one in both if one is not None)


@given(st.integers(120, 1_500), st.integers(2, 3))
def test_a_higher_tier_is_never_likelier(disputed: int, tier: int) -> None:
    assert probability(disputed, tier + 1) <= probability(disputed, tier)
