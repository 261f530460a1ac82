import random
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflux.monitor.processors.codes import COUNTED_KINDS, Kind, Status
from payflux.monitor.processors.events import EVENT_DTYPE, pack_letters
from payflux.monitor.risk.rules.features import features
from payflux.monitor.risk.rules.history import history_of
from payflux.monitor.risk.rules.summary import (
    GROUP_KEYS,
    HISTORY_DAYS,
    Summary,
    cut_to_three_digits,
    summarise,
)
from tests.unit.risk.building import AS_OF, DAY, NOW, about, elevated_merchant, rows, sales

USD, EUR, JPY = (pack_letters(code) for code in ("usd", "eur", "jpy"))


def same(one: Summary, other: Summary) -> bool:
    return all(
        np.asarray(left).tobytes() == np.asarray(right).tobytes() for left, right in zip(one, other, strict=True)
    )


event = st.tuples(
    st.integers(NOW - 5 * DAY, NOW + DAY // 2),
    st.sampled_from([*Kind]),
    st.sampled_from([*Status][:6]),
    st.integers(1, 40),  # source
    st.integers(0, 10**7),
    st.sampled_from([USD, EUR, JPY]),
    st.integers(0, 3),  # card and customer
)


def events_of(cells: list[tuple]) -> np.ndarray:
    events: np.ndarray = np.zeros(len(cells), EVENT_DTYPE)
    for name, column in zip(
        ("at", "kind", "status", "source", "settled", "settled_currency", "card"),
        zip(*cells, strict=True),
        strict=False,
    ):
        events[name] = column
    events["customer"], events["amount"], events["currency"] = events["card"], events["settled"], USD
    return events


@given(st.lists(event, max_size=60), st.randoms())
def test_any_order_of_events_gives_the_same_bytes(cells: list[tuple], chance: random.Random) -> None:
    events = events_of(cells)
    shuffled = list(range(len(events)))
    chance.shuffle(shuffled)
    assert same(summarise(events, as_of=AS_OF), summarise(events[shuffled], as_of=AS_OF))


@given(st.lists(event, max_size=60))
def test_groups_count_each_event_once_as_plain_python_would(cells: list[tuple]) -> None:
    events = events_of(cells)
    names = EVENT_DTYPE.names or ()
    countable = [one for one in events.tolist() if one[names.index("kind")] in COUNTED_KINDS]
    known = [one for one in countable if one[0] <= NOW]
    kept: dict[tuple, dict] = {}
    for values in known:
        one = dict(zip(names, values, strict=True))
        key = (one["kind"], one["source"])
        order = [
            one["at"],
            one["status"],
            *(one[name] for name in reversed(names) if name not in ("kind", "source", "at", "status")),
        ]
        if key not in kept or order > kept[key]["order"]:
            kept[key] = {**one, "order": order}
    counted: Counter = Counter()
    settled: Counter = Counter()
    for one in kept.values():
        day = one["at"] // DAY
        key = (
            day,
            day if one["kind"] == Kind.CHARGE else 0,
            *(one[name] for name in GROUP_KEYS[2:-1]),
            one["settled_currency"],
        )
        counted[key] += 1
        settled[key] += one["settled"]
    found = summarise(events, as_of=AS_OF)
    assert [tuple(row)[:-2] for row in found.groups.tolist()] == sorted(counted)
    assert [row[-2] for row in found.groups.tolist()] == [counted[key] for key in sorted(counted)]
    assert [row[-1] for row in found.groups.tolist()] == [settled[key] for key in sorted(counted)]
    assert (found.later, found.repeated) == (len(countable) - len(known), len(known) - len(kept))


@given(st.lists(event, max_size=60))
def test_reviews_and_changes_of_the_account_change_no_number(cells: list[tuple]) -> None:
    events = events_of(cells)
    without = events[np.isin(events["kind"], COUNTED_KINDS)]
    assert same(summarise(events, as_of=AS_OF), summarise(without, as_of=AS_OF))
    assert features(events, AS_OF) == features(without, AS_OF)


def test_every_event_in_the_window_is_counted() -> None:
    events = elevated_merchant()
    history = history_of(summarise(events, as_of=AS_OF), as_of=AS_OF)
    first = (NOW // DAY - 89) * DAY
    assert history.event_count == np.count_nonzero(events["at"] >= first)
    assert history.volume(history.last(history.payments, 90)) == int(
        events["settled"][
            (events["at"] >= first) & (events["kind"] == Kind.CHARGE) & (events["status"] == Status.SUCCEEDED)
        ].sum()
    )


def test_thirteen_months_are_read_and_no_more() -> None:
    events = sales(per_day=2, days=500)
    found = summarise(events, as_of=AS_OF)
    assert int(found.groups["day"].min()) == NOW // DAY - HISTORY_DAYS + 1


def test_whole_days_end_with_today_or_with_the_last_one_that_is_over() -> None:
    history = history_of(summarise(sales(per_day=4, days=60), as_of=AS_OF), as_of=AS_OF)
    assert set(history.last(history.payments, 2)["day"].tolist()) == {history.today - 1, history.today}
    assert set(history.last(history.payments, 2, skip=1)["day"].tolist()) == {history.today - 2, history.today - 1}


def test_a_retry_is_an_attempt_within_an_hour_after_a_decline_of_the_same_card() -> None:
    at = [NOW - 9_000, NOW - 8_000, NOW - 7_900, NOW - 100]
    tries = rows(Kind.CHARGE, at, card=[7, 7, 8, 7])
    tries["status"] = [Status.FAILED, Status.FAILED, Status.FAILED, Status.SUCCEEDED]
    [day] = summarise(tries, as_of=AS_OF).cards
    assert (day["retries"], day["declined_cards"]) == (1, 2)


def test_a_refund_without_its_charges_day_takes_it_from_the_charge() -> None:
    charges = sales(per_day=1, days=20)
    refund = about(Kind.REFUND, charges[5:6], 3)
    refund["charge_at"] = 0
    history = history_of(summarise(np.concatenate([charges, refund]), as_of=AS_OF), as_of=AS_OF)
    assert history.refunds["charge_day"].tolist() == [int(charges["at"][5]) // DAY]


def test_customers_are_summed_exactly_beyond_64_bits() -> None:
    charges = sales(per_day=1, days=30, amount=9 * 10**15 // 30)
    charges["customer"] = np.arange(len(charges)) % 2 + 1
    customers = summarise(charges, as_of=AS_OF).customers
    share = 15 * (9 * 10**15 // 30)
    assert customers == (2 * share, share, 2 * share * share)


def test_own_rates_are_kept_for_each_pair_of_currencies() -> None:
    charges = sales(per_day=1, days=10, currency=EUR, amount=1_000)
    charges["settled"] = 1_100
    [pair] = summarise(charges, as_of=AS_OF).conversions
    assert pair["settled"] / pair["amount"] == 1.1
    assert (pair["currency"], pair["settled_currency"]) == (EUR, USD)


@given(st.integers(0, 9 * 10**17))
def test_a_ticket_is_cut_by_less_than_one_percent(amount: int) -> None:
    [cut] = cut_to_three_digits(np.array([amount])).tolist()
    assert cut <= amount < cut * 1.01 + 1
    assert len(str(cut).rstrip("0")) <= 3


def test_a_time_without_zone_or_another_array_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        summarise(np.zeros(0, EVENT_DTYPE), as_of=AS_OF.replace(tzinfo=None))
    with pytest.raises(ValueError, match="EVENT_DTYPE"):
        summarise(np.zeros(3), as_of=AS_OF + timedelta(days=1))


def test_sales_in_no_known_currency_are_no_customers_sales() -> None:
    charges = sales(per_day=1, days=3, settled_currency=0)
    charges["customer"] = 1
    assert summarise(charges, as_of=AS_OF).customers == (0, 0, 0)
