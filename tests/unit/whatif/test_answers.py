from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.codes import Kind, Network, Status, reason_code
from payflux.monitor.risk.rules import prepare
from payflux.monitor.risk.rules.history import History, count
from payflux.monitor.risk.rules.summary import GROUP_DTYPE
from payflux.monitor.whatif.answers import Answer, answer
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.histories import changed_history, merged, taken
from tests.unit.risk.building import AS_OF, FULL, SOUND, elevated_merchant


def merchant(fraud: bool = True) -> History:
    events = elevated_merchant()
    if fraud:
        events["reason"] = np.where(events["kind"] == Kind.DISPUTE, reason_code("fraudulent"), events["reason"])
    return prepare(events, as_of=AS_OF, account=SOUND, balance=FULL)


def measure(found: Answer, key: str) -> tuple[float | None, float | None]:
    one = next(measure for measure in found.measures if measure.key == key)
    return one.before, one.after


def test_refunding_open_warnings_avoids_disputes_and_leaves_visas_count_as_it_is() -> None:
    history = merchant()
    found = answer(history, Changes(refund_warnings=True))
    waiting = history.warnings[history.warnings["status"] == Status.ACTIONABLE]
    assert found.outlay == history.volume(waiting) > 0
    assert found.avoided_disputes == pytest.approx(0.8 * count(waiting))
    before, after = measure(found, "open_disputes")
    assert (after or 0) < (before or 0)
    assert all(one.key not in ("vamp", "fraud_warning_rate") for one in found.measures)


def test_resolution_before_filing_takes_visa_disputes_and_no_fraud_report() -> None:
    history = merchant()
    changed = changed_history(history, Changes(rdr=1.0))
    assert count(changed.disputes[changed.disputes["network"] == Network.VISA]) == 0
    others = [h.disputes[h.disputes["network"] == Network.MASTERCARD] for h in (history, changed)]
    assert count(others[0]) == count(others[1]) > 0
    assert count(changed.warnings) == count(history.warnings)
    moved = count(history.disputes) - count(changed.disputes)
    assert count(changed.refunds) == count(history.refunds) + moved
    assert history.volume(changed.refunds) - history.volume(history.refunds) == history.volume(
        history.disputes
    ) - history.volume(changed.disputes)


def test_resolution_lowers_activity_and_leaves_reports_in_visas_ratio() -> None:
    found = answer(merchant(), Changes(rdr=1.0))
    (activity_before, activity_after), (vamp_before, vamp_after) = (
        measure(found, key) for key in ("dispute_activity", "vamp")
    )
    assert 0 < (vamp_after or 0) < (vamp_before or 0)
    assert (activity_after or 0) < (activity_before or 0)
    assert found.after.stability_score >= found.before.stability_score


def test_authentication_keeps_fraud_disputes_away_and_no_others() -> None:
    history = merchant()
    all_of_it = changed_history(history, Changes(three_d_secure=1.0))
    assert count(all_of_it.disputes) == count(history.disputes) - count(history.disputes) * 8 // 10
    assert count(all_of_it.warnings) == count(history.warnings)
    assert set(all_of_it.payments["three_d_secure"].tolist()) == {1}
    other = merchant(fraud=False)
    assert count(changed_history(other, Changes(three_d_secure=1.0)).disputes) == count(other.disputes)


def test_two_changes_together_save_less_than_each_by_itself() -> None:
    history = merchant()
    saved = [
        answer(history, changes).avoided_disputes
        for changes in (Changes(rdr=0.9), Changes(three_d_secure=0.9), Changes(rdr=0.9, three_d_secure=0.9))
    ]
    assert max(saved[:2]) < saved[2] < saved[0] + saved[1]


def test_a_reserve_and_growth_change_the_projection_alone() -> None:
    found = answer(merchant(), Changes(reserve_rate=0.2, hold_days=90, growth=0.1))
    assert found.before == found.after
    assert measure(found, "trapped_90")[1] > measure(found, "trapped_90")[0]  # ty: ignore[unsupported-operator]
    assert found.projection_after.scenario.rate == 0.2


def test_nothing_changed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one change"):
        answer(merchant(), Changes())


def test_what_still_stands_of_yesterday_is_not_part_of_the_answer() -> None:
    history = replace(merchant(), earlier=())
    found = answer(history, Changes(rdr=1.0))
    assert found.after.risk_tier == found.after.asked_tier


rows = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 900), st.integers(0, 10**9)), max_size=30)


@given(rows, st.floats(0, 1))
def test_a_share_that_is_taken_and_what_is_left_add_up(cells: list[tuple[int, int, int]], share: float) -> None:
    groups: np.ndarray = np.zeros(len(cells), GROUP_DTYPE)
    for name, values in zip(("day", "count", "settled"), zip(*cells, strict=True), strict=False):
        groups[name] = values
    rest, part = taken(groups, share)
    assert (rest["count"] + part["count"] == groups["count"]).all()
    assert (rest["settled"] + part["settled"] == groups["settled"]).all()
    assert min(rest["count"].min(initial=0), part["count"].min(initial=0)) >= 0
    assert abs(count(part) - share * count(groups)) <= 1 + 1e-6 * count(groups)
    whole = merged(np.concatenate([rest, part]))
    assert (count(whole), int(whole["settled"][whole["count"] > 0].sum())) == (
        count(groups),
        int(groups["settled"].sum()),
    )
