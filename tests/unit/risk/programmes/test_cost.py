from datetime import date

import pytest

from payflux.monitor.risk.rules.programmes import STRIPE_DISPUTE_FEE, CostItem, Month, next_dispute_cost

TODAY = date(2026, 11, 20)
NOVEMBER = 56 * 12 + 10


def of_networks(items: tuple[CostItem, ...]) -> dict[str, tuple[int, int]]:
    return {item.kind: (item.low, item.high) for item in items if item.programme}


def ecm(*disputes: int, payments: int = 10_000) -> dict[str, list[Month]]:
    """Months up to November, after one calm month."""
    first = NOVEMBER - len(disputes) + 1
    rows = [Month(first + i, payments, disputes=n) for i, n in enumerate(disputes)]
    return {"ecm": [Month(first - 1, payments), *rows]}


def test_far_from_every_step_a_dispute_costs_the_processors_fee_alone() -> None:
    (item,) = next_dispute_cost(ecm(3), TODAY, fraud=False)
    assert (item.kind, item.low, item.high, item.currency) == ("dispute fee", 1_500, 3_000, "usd")
    assert item.source == STRIPE_DISPUTE_FEE.source
    (before,) = next_dispute_cost({}, date(2025, 6, 16), fraud=False)
    assert (before.low, before.high) == (1_500, 1_500)
    assert next_dispute_cost(ecm(3), TODAY, fraud=False, processor_fee=None) == ()


def test_the_dispute_that_crosses_into_a_fined_month_bears_the_fine() -> None:
    assert of_networks(next_dispute_cost(ecm(200, 149), TODAY, fraud=False)) == {"fine": (100_000, 100_000)}
    assert of_networks(next_dispute_cost(ecm(200, 150), TODAY, fraud=False)) == {}
    assert of_networks(next_dispute_cost(ecm(200, 148), TODAY, fraud=False)) == {}


def test_the_dispute_that_crosses_into_the_worse_step_bears_the_difference() -> None:
    crossing = of_networks(next_dispute_cost(ecm(200, 200, 200, 299), TODAY, fraud=False))
    assert crossing == {"fine": (500_000, 500_000)}  # from 5,000 of ECM to 10,000 of HECM in month 4


def test_issuers_recover_five_dollars_for_each_dispute_beyond_300_from_the_fourth_month() -> None:
    in_month_4 = next_dispute_cost(ecm(400, 400, 400, 300, payments=20_000), TODAY, fraud=False)
    assert of_networks(in_month_4) == {"issuer recovery": (500, 500)}
    in_month_3 = next_dispute_cost(ecm(400, 400, 300, payments=20_000), TODAY, fraud=False)
    assert of_networks(in_month_3) == {}


def vamp(events: int, *before: int) -> dict[str, list[Month]]:
    counts = [*before, events]
    first = NOVEMBER - len(before)
    return {"vamp": [Month(first + i, payments=60_000, disputes=n) for i, n in enumerate(counts)]}


def test_crossing_vamps_limit_costs_from_nothing_in_grace_to_eight_dollars_for_every_event_of_the_month() -> None:
    assert of_networks(next_dispute_cost(vamp(1_499), TODAY, fraud=True)) == {"event fee": (0, 1_200_000)}
    over = [1_600] * 3
    assert of_networks(next_dispute_cost(vamp(1_499, *over), TODAY, fraud=True)) == {"event fee": (800, 1_200_000)}
    assert of_networks(next_dispute_cost(vamp(1_500, *over), TODAY, fraud=True)) == {"event fee": (800, 800)}
    assert of_networks(next_dispute_cost(vamp(1_498, *over), TODAY, fraud=True)) == {}


def test_entering_efm_adds_its_fine_and_takes_away_the_one_it_replaces() -> None:
    first = NOVEMBER - 3
    rows = [Month(first - 1, payments=10_000)]
    rows += [
        Month(first + i, 10_000, disputes=200, fraud_disputes=60, fraud_dispute_amount=6_000_000, secured_payments=0)
        for i in range(4)
    ]
    rows[-1] = rows[-1]._replace(fraud_dispute_amount=5_000_000)
    months = {"ecm": rows, "efm": rows}
    items = next_dispute_cost(months, TODAY, fraud=True, ticket=1, country="US")
    assert {item.programme: item.high for item in items if item.programme} == {"ecm": -500_000, "efm": 500_000}
    assert of_networks(next_dispute_cost(months, TODAY, fraud=False, ticket=1, country="US")) == {}


@pytest.mark.parametrize("key", ["ecm", "vamp", "efm"])
def test_no_months_add_nothing(key: str) -> None:
    assert of_networks(next_dispute_cost({key: []}, TODAY, fraud=True)) == {}
