from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.kit.errors import InvalidInput
from payflux.monitor.processors.events import EVENT_DTYPE
from payflux.monitor.risk.rules import prepare
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.service import reply
from payflux.web.comparison import ComparisonRow, changes_in_words, comparison
from payflux.web.formatting import difference, quantity
from payflux.web.whatif_form import EXAMPLES, NAMES, read_changes, typed
from tests.unit.web.samples import NOW, replied

EMPTY = dict.fromkeys(NAMES, "")


def rows(changes: Changes) -> dict[str, ComparisonRow]:
    answer = replied(changes).answer
    assert answer is not None
    return {row.label: row for _, group in comparison(answer) for row in group}


def test_a_higher_reserve_traps_more_and_changes_no_risk() -> None:
    found = rows(Changes(reserve_rate=0.25, hold_days=120))
    assert found["Trapped at T+90"].direction == "more"
    assert found["Trapped at T+90"].change.startswith("+$")
    assert found["Risk tier"] == ComparisonRow("Risk tier", "3", "3", "no change", "")
    assert "Dispute activity" not in found


def test_fewer_disputes_are_better_and_what_they_become_is_worse() -> None:
    found = rows(Changes(rdr=1.0))
    assert (found["Dispute activity"].direction, found["Refund rate"].direction) == ("better", "worse")
    assert found["Stability"].direction == "better"
    assert found["Dispute activity"].change.endswith("points")


def test_what_can_be_asked_names_the_open_warnings_and_what_they_cost() -> None:
    reply = replied(Changes())
    assert reply.answer is None
    assert (reply.open_warnings, reply.open_amount, reply.currency) == (4, 4 * 3_600, "usd")


def test_a_merchant_without_a_payment_is_answered_as_well() -> None:
    reply_to_nothing = reply(prepare(np.empty(0, EVENT_DTYPE), as_of=NOW), Changes(rdr=0.9, growth=0.1))
    assert (reply_to_nothing.open_warnings, reply_to_nothing.open_amount) == (0, 0)
    assert reply_to_nothing.answer is not None
    found = {row.label: row for _, group in comparison(reply_to_nothing.answer) for row in group}
    assert found["Trapped at T+90"].change == "no change"


def test_changes_are_told_as_phrases() -> None:
    changes = Changes(refund_warnings=True, rdr=0.9, three_d_secure=0.5, growth=-0.1, hold_days=30)
    assert [phrase.replace("\xa0", " ") for phrase in changes_in_words(changes)] == [
        "open fraud warnings refunded",
        "RDR on 90 % of Visa disputes",
        "3\N{NON-BREAKING HYPHEN}D Secure on 50 % of payments",
        "sales change by −10 % a month",
        "a reserve for 30 days",
    ]


@pytest.mark.parametrize(
    ("before", "after", "unit", "told"),
    [
        (100_000, 40_000, "money", "−$600"),
        (0.0087, 0.0056, "rate", "−0.31\xa0points"),
        (3, 2, "tier", "−1"),
        (1.5, 2.25, "ratio", "+0.75\xa0×"),
        (None, 2.25, "ratio", ""),
    ],
)
def test_a_difference_has_its_sign_and_unit(before: float | None, after: float, unit: str, told: str) -> None:
    assert difference(before, after, unit, "usd") == told


def test_a_quantity_that_cannot_be_said_is_no_zero() -> None:
    assert quantity(None, "money", "usd") == "cannot say"
    assert quantity(62, "score", "usd") == "62"


@pytest.mark.parametrize("text", ["12.5", "12,5", " 12.5 % ", "12.5%"])
def test_a_share_may_be_typed_as_people_write_it(text: str) -> None:
    assert read_changes(EMPTY | {"rdr": text}) == Changes(rdr=0.125)


def test_a_minus_may_be_the_typographic_one() -> None:
    assert read_changes(EMPTY | {"growth": "−10"}) == read_changes(EMPTY | {"growth": "-10 %"}) == Changes(growth=-0.1)


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    wrong = {"refund_warnings": "no", "rdr": "101", "three_d_secure": "-1", "growth": "∞", "reserve_rate": "1e1"}
    with pytest.raises(InvalidInput) as refused:
        read_changes(wrong | {"hold_days": "0"})
    assert set(refused.value.fields) == set(NAMES)


def test_an_empty_form_asks_nothing() -> None:
    assert not read_changes(typed({}))


def test_every_example_is_a_question_with_an_answer() -> None:
    for _, _, query in EXAMPLES:
        assert read_changes(typed(dict(parse_qsl(query))))


@given(st.fixed_dictionaries({name: st.text(max_size=8) | st.integers(-400, 400).map(str) for name in NAMES}))
def test_whatever_is_typed_is_a_change_or_a_named_mistake(form: dict[str, str]) -> None:
    wrong: set[str] = set()
    try:
        read_changes(form)
    except InvalidInput as error:
        wrong = set(error.fields)
    assert wrong <= {name for name, text in form.items() if text.strip()}
