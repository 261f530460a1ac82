"""Plans side by side, and the choice between them."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.catalogue.queries import SoldPlan
from payflux.kit.errors import InvalidInput
from payflux.web.plan_table import comparison_rows, limit_value, picker_of, plans_beyond, plans_with, seats_of
from tests.unit.web.billing_samples import PLANS

PLAN_KEYS = st.sampled_from(["", "free", "starter", "pro", "enterprise", "gold"])


def sold(plan: str, **changes: object) -> SoldPlan:
    found = next(each for each in PLANS if each.plan == plan)
    return replace(found, content=msgspec.structs.replace(found.content, **changes))


def test_every_limit_and_feature_stands_once_against_every_plan() -> None:
    catalogue = read_catalogue()
    rows = comparison_rows(PLANS, catalogue.features)
    assert [row.key for row in rows] == [*catalogue.limits, *catalogue.features]
    assert {len(row.cells) for row in rows} == {len(PLANS)}
    cells = {row.key: row.cells for row in rows}
    assert cells["seats"] == ("1 seat", "2 seats", "10 seats", "Unlimited")
    assert cells["processors"] == ("None", "1 processor", "3 processors", "Unlimited")
    assert cells["forecasting"] == ("No", "No", "Yes", "Yes")


def test_a_feature_that_only_the_rows_have_stands_at_the_end() -> None:
    assert comparison_rows(PLANS, read_catalogue().features | {"added_later": "Added later"})[-1].words == "Added later"


@given(st.none() | st.integers(0, 2**31 - 1))
def test_a_limit_reads_as_the_number_it_is(value: int | None) -> None:
    words = limit_value(value, read_catalogue().limits["api_calls_per_day"])
    if value is None:
        assert words == "Unlimited"
    else:
        assert int(words.split()[0].replace(",", "").replace("None", "0")) == value


@given(members=st.integers(1, 30), wished=PLAN_KEYS, seats=st.integers(0, 40))
def test_what_is_marked_can_be_bought_has_a_seat_for_everybody_and_costs_what_it_says(
    members: int, wished: str, seats: int
) -> None:
    picker = picker_of(PLANS, members=members, wished=[wished], seats=seats)
    assert [choice.plan for choice in picker.choices] == ["starter", "pro"]
    assert picker.seats >= members
    if picker.chosen is None:
        assert members > 10
        assert picker.total_cents is None
    else:
        assert picker.chosen.most_seats >= members
        assert picker.total_cents == picker.chosen.monthly_price_cents * picker.seats
        if wished in ("starter", "pro") and members <= {"starter": 2, "pro": 10}[wished]:
            assert picker.plan == wished


def test_a_plan_without_a_monthly_price_is_not_in_the_picker_even_with_an_annual_one() -> None:
    plans = [sold("starter", monthly_price_cents=None), sold("pro")]
    assert [choice.plan for choice in picker_of(plans, members=1).choices] == ["pro"]


def test_the_plans_that_have_something_or_more_of_it_are_named() -> None:
    assert [plan.plan for plan in plans_with(PLANS, "audit_log")] == ["pro", "enterprise"]
    assert [plan.plan for plan in plans_beyond(PLANS, "seats", 2)] == ["pro", "enterprise"]
    assert [plan.plan for plan in plans_beyond(PLANS, "seats", 10)] == ["enterprise"]


@pytest.mark.parametrize(("typed", "seats"), [("3", 3), (" 12 ", 12), ("0", 0)])
def test_a_number_of_seats_is_read(typed: str, seats: int) -> None:
    assert seats_of(typed) == seats


@given(st.sampled_from(["", "two", "-1", "1.5", "1e3", "٣", "9999999", "0x10"]))
def test_what_is_no_number_of_seats_is_refused_by_its_field(typed: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        seats_of(typed)
    assert list(refused.value.fields) == ["seats"]
