from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.risk.rules.programmes import Distance, Month, Programme, events_to_steps, programme, step_reached

TODAY = date(2026, 11, 20)
NOVEMBER = 56 * 12 + 10


def phase(key: str, day: date = TODAY, country: str = "US") -> Programme:
    found = programme(key, day, country)
    assert found is not None
    return found


def numbers(distances: tuple[Distance, ...]) -> list[tuple[int | None, int | None]]:
    return [(distance.now, distance.month_end) for distance in distances]


def test_vamp_needs_the_greater_of_its_ratio_and_its_count() -> None:
    month = Month(NOVEMBER, payments=60_000, disputes=500, fraud_reports=300)
    non_compliant, excessive = events_to_steps(phase("vamp"), month, expected_payments=120_000)
    assert (non_compliant.now, non_compliant.month_end, non_compliant.binding) == (0, 0, None)
    assert (excessive.now, excessive.month_end) == (700, 1_000)  # 1,500 events, then 1.5 % of 120,000
    assert excessive.binding is not None
    assert excessive.binding.of == "payments"
    small = Month(NOVEMBER, payments=1_000, disputes=100)
    assert numbers(events_to_steps(phase("vamp"), small))[1] == (1_400, 1_400)


def test_mastercard_divides_by_the_month_before_so_that_payments_to_come_change_nothing() -> None:
    before, month = Month(NOVEMBER - 1, payments=20_000), Month(NOVEMBER, payments=5, disputes=250)
    assert numbers(events_to_steps(phase("ecm"), month, before, expected_payments=90_000)) == [(50, 50), (350, 350)]
    unknown = events_to_steps(phase("ecm"), month)
    assert numbers(unknown) == [(None, None), (None, None)]
    assert unknown[0].blocked == ("disputes",)


def test_efm_counts_in_fraud_disputes_of_the_ticket_given_and_says_what_stands_in_the_way() -> None:
    before = Month(NOVEMBER - 1, payments=10_000)
    month = Month(NOVEMBER, 10_000, fraud_disputes=40, fraud_dispute_amount=4_000_000, secured_payments=500)
    (distance,) = events_to_steps(phase("efm"), month, before, ticket=10_000)
    assert (distance.now, distance.month_end) == (101, 101)  # 101 of 100 dollars bring the 40,000 beyond 50,000
    assert distance.binding is not None
    assert distance.binding.quantity == "fraud_dispute_amount"
    (unpriced,) = events_to_steps(phase("efm"), month, before)
    assert (unpriced.now, unpriced.blocked) == (None, ("fraud_dispute_amount",))
    secured = month._replace(secured_payments=5_000)
    (distance,) = events_to_steps(phase("efm"), secured, before, ticket=10_000)
    assert (distance.now, distance.blocked) == (None, ("secured_payments",))


def test_sales_grow_with_the_payments_expected() -> None:
    month = Month(55 * 12, 1_000, fraud_report_amount=6_000_000, sales_amount=500_000_000)
    early, standard, _ = events_to_steps(
        phase("vfmp", date(2025, 1, 1)), month, expected_payments=2_000, ticket=1_000_000
    )
    assert (early.now, early.month_end) == (0, 1)  # 0.65 % of 10 million dollars are 65,000
    assert (standard.now, standard.month_end) == (2, 3)


@pytest.mark.parametrize("key", ["vamp", "amex"])
def test_without_payments_no_distance_can_be_said(key: str) -> None:
    assert all(distance.now is None for distance in events_to_steps(phase(key), Month(NOVEMBER, disputes=5)))


@given(
    st.sampled_from(["vamp", "ecm", "amex"]),
    st.integers(1, 300_000),
    st.integers(1, 300_000),
    st.integers(0, 6_000),
    st.integers(0, 300_000),
)
def test_the_distance_is_the_fewest_events_that_reach_the_step(
    key: str, before: int, payments: int, disputes: int, more_payments: int
) -> None:
    rules, previous = phase(key), Month(NOVEMBER - 1, payments=before)
    month = Month(NOVEMBER, payments=payments, disputes=disputes)
    expected = payments + more_payments

    def reaches(step: str, events: int, payments: int) -> bool:
        changed = month._replace(disputes=disputes + events, payments=payments)
        reached = step_reached(rules, changed, previous)
        names = [candidate.name for candidate in rules.steps]
        return reached is not None and names.index(reached.name) >= names.index(step)

    for distance in events_to_steps(rules, month, previous, expected_payments=expected):
        for events, divisor in ((distance.now, payments), (distance.month_end, expected)):
            assert events is not None
            assert reaches(distance.step.name, events, divisor)
            assert events == 0 or not reaches(distance.step.name, events - 1, divisor)
