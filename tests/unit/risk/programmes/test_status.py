from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.risk.rules.programmes import Month, Status, programme, status, step_reached, with_precedence

JANUARY_2026 = 56 * 12
CALM, OVER = 50, 200  # disputes of 10,000 payments


def months(*disputes: int, start: int = JANUARY_2026, payments: int = 10_000) -> list[Month]:
    """A calm month, for the divisor, then one month for each number."""
    rows = [Month(start - 1, payments=payments)]
    return [*rows, *(Month(start + i, payments=payments, disputes=n) for i, n in enumerate(disputes))]


def known(found: Status | None) -> Status:
    assert found is not None
    return found


def fine(found: Status | None) -> tuple[int, int]:
    low, high = known(found).fine
    return low // 100, high // 100


def test_four_hundred_disputes_in_the_fourth_month_of_ecm_cost_five_thousand_and_five_for_each_beyond_300() -> None:
    found = known(status("ecm", months(300, 300, 300, 400, payments=20_000)))
    assert found.step is not None
    assert (found.step.name, found.months_in_programme, found.fine) == ("ECM", 4, (550_000, 550_000))
    assert [(charge.kind, charge.high) for charge in found.charges] == [("fine", 500_000), ("issuer recovery", 50_000)]


@pytest.mark.parametrize(
    ("disputes", "ladder"),
    [
        (200, {1: 0, 2: 1_000, 3: 1_000, 4: 5_000, 7: 25_000, 11: 25_000, 12: 50_000, 18: 50_000, 19: 100_000}),
        (300, {1: 0, 2: 1_000, 3: 2_000, 4: 10_000, 7: 50_000, 12: 100_000, 19: 200_000, 24: 200_000}),
    ],
)
def test_mastercards_fines_climb_with_the_months_in_the_programme(disputes: int, ladder: dict[int, int]) -> None:
    found = {n: status("ecm", months(*[disputes] * n, start=JANUARY_2026 - 12)) for n in ladder}
    assert {n: known(s).months_in_programme for n, s in found.items()} == {n: n for n in ladder}
    assert {n: fine(s) for n, s in found.items()} == {n: (amount, amount) for n, amount in ladder.items()}


def test_hecm_drops_to_ecm_and_keeps_its_months() -> None:
    found = known(status("ecm", months(300, 300, 299)))
    assert found.step is not None
    assert (found.step.name, found.months_in_programme, fine(found)) == ("ECM", 3, (1_000, 1_000))


def test_mastercard_is_left_after_three_months_below_in_a_row_and_not_before() -> None:
    two_below = known(status("ecm", months(OVER, OVER, CALM, CALM)))
    assert (two_below.months_in_programme, two_below.months_to_leave, two_below.fine) == (2, 1, (0, 0))
    back = known(status("ecm", months(OVER, OVER, CALM, CALM, OVER)))
    assert (back.months_in_programme, back.months_to_leave) == (3, 3)
    left = known(status("ecm", months(OVER, OVER, CALM, CALM, CALM)))
    assert (left.months_in_programme, left.months_to_leave) == (0, 0)
    anew = known(status("ecm", months(OVER, OVER, CALM, CALM, CALM, OVER)))
    assert anew.months_in_programme == 1


def test_a_month_that_is_still_running_can_add_a_breach_but_not_complete_the_way_out() -> None:
    rows = months(OVER, CALM, CALM, CALM)
    assert known(status("ecm", rows, running=True)).months_to_leave == 1
    assert known(status("ecm", rows)).months_to_leave == 0
    assert known(status("ecm", months(OVER, OVER), running=True)).months_in_programme == 2


def test_mastercard_divides_by_the_month_before_and_visa_by_the_same_month() -> None:
    rows = [Month(JANUARY_2026, payments=10_000), Month(JANUARY_2026 + 1, payments=1_000_000, disputes=1_600)]
    assert known(status("ecm", rows)).step is not None
    vamp = status("vamp", rows)
    assert known(vamp).step is None
    assert known(status("ecm", rows[1:])).unknown == ("previous_payments",)


def test_a_ratio_of_two_percent_breaches_vamp_only_since_april_2026() -> None:
    march, april = JANUARY_2026 + 2, JANUARY_2026 + 3
    rows = [Month(m, payments=100_000, disputes=1_500, fraud_reports=500) for m in (march, april)]
    before, after = known(status("vamp", rows[:1])), known(status("vamp", rows))
    assert [s.step.name if s.step else None for s in (before, after)] == ["non-compliant", "excessive"]
    assert (before.months_in_programme, after.months_in_programme) == (0, 1)
    assert known(status("vamp", rows, "AE")).unknown == ("vamp_amount",)


def test_vamps_fee_is_a_range_of_every_event_and_of_those_beyond_the_limit() -> None:
    rows = [Month(JANUARY_2026 + 3 + i, payments=100_000, disputes=1_600) for i in range(4)]
    # 1,499 events stay outside: 101 are beyond. The first three months may be free.
    assert [fine(status("vamp", rows[:n])) for n in (1, 3, 4)] == [(0, 12_800), (0, 12_800), (808, 12_800)]


def test_vamp_is_left_with_one_month_below_and_a_second_breach_within_twelve_months_has_no_grace() -> None:
    first = JANUARY_2026 + 3

    def rows(gap: int) -> list[Month]:
        disputes = [1_600, *[0] * gap, 1_600]
        return [Month(first + i, payments=100_000, disputes=n) for i, n in enumerate(disputes)]

    assert known(status("vamp", rows(1))).months_in_programme == 1
    assert fine(status("vamp", rows(1))) == (808, 12_800)
    assert fine(status("vamp", rows(11))) == (808, 12_800)
    assert fine(status("vamp", rows(12))) == (0, 12_800)


def test_no_fee_before_october_2025() -> None:
    september = 55 * 12 + 8
    rows = [Month(september + i, payments=100_000, disputes=2_200) for i in range(2)]
    assert known(status("vamp", rows[:1])).enrolled
    assert fine(status("vamp", rows[:1])) == (0, 0)
    assert fine(status("vamp", rows))[1] == 17_600


def test_vdmp_charges_fifty_dollars_a_dispute_from_the_fifth_month_or_at_once_when_excessive() -> None:
    first = 54 * 12 + 6
    standard = [Month(first + i, payments=10_000, disputes=100) for i in range(5)]
    assert [fine(status("vdmp", standard[:n])) for n in (1, 4, 5)] == [(0, 0), (0, 0), (5_000, 5_000)]
    assert fine(status("vdmp", [Month(first, payments=50_000, disputes=1_000)])) == (50_000, 50_000)
    early = known(status("vdmp", [Month(first, payments=10_000, disputes=80)]))
    assert early.step is not None
    assert (early.step.name, early.enrolled) == ("early warning", False)
    assert status("vdmp", [Month(55 * 12 + 3, payments=10_000, disputes=100)]) is None


def test_vfmp_looks_at_amounts() -> None:
    rows = [Month(54 * 12 + i, fraud_report_amount=7_500_000, sales_amount=800_000_000) for i in range(7)]
    assert [fine(status("vfmp", rows[:n])) for n in (4, 5, 7)] == [(0, 0), (25_000, 25_000), (50_000, 50_000)]
    assert known(status("vfmp", [rows[0]._replace(fraud_report_amount=None)])).unknown == ("fraud_report_amount",)


EFM_MONTH = Month(
    JANUARY_2026,
    payments=10_000,
    disputes=200,
    fraud_disputes=51,
    fraud_dispute_amount=5_000_001,
    secured_payments=1_000,
)


def efm(country: str = "US", previous_payments: int = 10_000, **changes: Any) -> Status:
    before = Month(JANUARY_2026 - 1, payments=previous_payments)
    return known(status("efm", [before, EFM_MONTH._replace(**changes)], country))


def test_efm_needs_all_its_conditions() -> None:
    assert efm().enrolled
    assert not efm(fraud_disputes=50).enrolled
    assert not efm(fraud_dispute_amount=5_000_000).enrolled
    assert not efm(secured_payments=1_001).enrolled
    assert efm("FR", secured_payments=1_001).enrolled
    assert not efm(previous_payments=999).enrolled
    assert efm(previous_payments=1_000).enrolled
    assert not efm(fraud_dispute_amount=1_500_001, fraud_disputes=21).enrolled
    assert efm("AU", fraud_dispute_amount=1_500_001, fraud_disputes=21).enrolled


def test_efm_says_what_it_cannot_be_judged_without() -> None:
    found = efm(secured_payments=None, fraud_dispute_amount=None)
    assert (found.step, found.unknown) == (None, ("fraud_dispute_amount", "secured_payments"))


def test_a_month_that_cannot_be_judged_neither_counts_nor_leads_out() -> None:
    rows = [Month(JANUARY_2026 - 1, payments=10_000)]
    rows += [EFM_MONTH._replace(month=JANUARY_2026 + i) for i in range(5)]
    rows[2:5] = [row._replace(secured_payments=None) for row in rows[2:5]]
    assert known(status("efm", rows, "US")).months_in_programme == 2


def test_a_merchant_in_efm_and_ecm_pays_efm_alone() -> None:
    rows = [Month(JANUARY_2026 - 1, payments=10_000)]
    rows += [EFM_MONTH._replace(month=JANUARY_2026 + i) for i in range(4)]
    ecm, efm_status = with_precedence([known(status(key, rows, "US")) for key in ("ecm", "efm")])
    assert (fine(ecm), ecm.replaced_by) == ((0, 0), efm_status.programme.name)
    assert ecm.months_in_programme == 4
    assert fine(efm_status) == (5_000, 5_000)
    rows[-1] = rows[-1]._replace(fraud_disputes=0)
    ecm, efm_status = with_precedence([known(status(key, rows, "US")) for key in ("ecm", "efm")])
    assert (fine(ecm), ecm.replaced_by, fine(efm_status)) == ((5_000, 5_000), "", (0, 0))


def test_amex_enters_after_three_months_in_a_row_and_charges_disputes_beyond_one_percent() -> None:
    rows = [Month(JANUARY_2026 + i, payments=1_100, credits=100, disputes=25, reversals=5) for i in range(3)]
    assert [known(status("amex", rows[:n])).months_in_programme for n in (1, 2, 3)] == [0, 0, 1]
    assert fine(status("amex", rows)) == (250, 250)
    rows[1] = rows[1]._replace(reversals=15)
    assert known(status("amex", rows)).months_in_programme == 0


def test_auspaynet_adds_up_quarters_and_waits_for_whole_ones() -> None:
    rows = [Month(JANUARY_2026 + i, fraud_dispute_amount=2_000_000, sales_amount=1_000_000_000) for i in range(6)]
    assert known(status("auspaynet", rows[:3], "AU")).months_in_programme == 1
    assert known(status("auspaynet", rows, "AU")).months_in_programme == 2
    started = known(status("auspaynet", rows[:5], "AU"))
    assert (started.months_in_programme, started.months_to_leave) == (1, 1)
    assert known(status("auspaynet", rows[1:], "AU")).months_in_programme == 1


def test_no_months_no_status_and_a_missing_month_is_refused() -> None:
    assert status("ecm", []) is None
    assert status("nothing", months(1)) is None
    with pytest.raises(ValueError, match="without a gap"):
        status("ecm", [Month(JANUARY_2026), Month(JANUARY_2026 + 2)])


@pytest.mark.parametrize("count", [1_499, 1_500])
def test_a_step_needs_its_count_to_the_event(count: int) -> None:
    phase = programme("vamp", date(2026, 11, 1))
    assert phase is not None
    reached = step_reached(phase, Month(JANUARY_2026, payments=50_000, disputes=count))
    assert reached is not None
    assert reached.name == ("excessive" if count == 1_500 else "non-compliant")


@given(st.integers(1, 2_000_000), st.integers(1, 2_000_000))
def test_ecm_is_reached_at_its_exact_ratio_and_not_one_dispute_below(payments: int, extra: int) -> None:
    phase = programme("ecm", date(2026, 11, 1))
    assert phase is not None
    needed = max(100, -(-payments * 3 // 200))
    before = Month(0, payments=payments)

    def reached(disputes: int) -> bool:
        return step_reached(phase, Month(1, payments=extra, disputes=disputes), before) is not None

    assert reached(needed)
    assert not reached(needed - 1)


@given(
    st.lists(st.integers(0, 700), min_size=1, max_size=30),
    st.integers(1, 40_000),
    st.data(),
    st.sampled_from(["ecm", "vamp", "amex"]),
)
def test_one_more_dispute_never_lowers_a_step_the_months_or_the_fine(
    disputes: list[int], payments: int, data: st.DataObject, key: str
) -> None:
    rows = months(*disputes, start=JANUARY_2026 + 3, payments=payments)
    at = data.draw(st.integers(1, len(rows) - 1))
    worse = [row._replace(disputes=row.disputes + 1) if i == at else row for i, row in enumerate(rows)]
    less, more = known(status(key, rows)), known(status(key, worse))
    steps = [None, *less.programme.steps]
    assert steps.index(more.step) >= steps.index(less.step)
    assert more.months_in_programme >= less.months_in_programme
    assert more.fine[0] >= less.fine[0]
    assert more.fine[1] >= less.fine[1]
