"""Lists page, filter and expand as Stripe's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from payflux.sandbox.api.books import INCLUDES
from payflux.sandbox.errors import StripeError
from payflux.sandbox.expansion import expand
from payflux.sandbox.limits import RateLimiter
from payflux.sandbox.listing import list_page
from payflux.sandbox.objects.ids import print_id, read_key
from payflux.sandbox.query import query_of
from payflux.sandbox.resources import BY_TABLE, RESOURCES
from payflux.sandbox.schema.forms import parse_form
from payflux.sandbox.schema.parameters import check
from payflux.sandbox.work import Work

Seen = Callable[[str], Work]
PATHS = {resource.path: resource for resource in RESOURCES}


def page_of(work: Work, path: str, **query: Any) -> dict[str, Any]:
    named = {name.replace("__", "[") + "]" * ("__" in name): str(value) for name, value in query.items()}
    return asked(work, path, named)


def asked(work: Work, path: str, query: dict[str, str]) -> dict[str, Any]:
    resource = PATHS[path]
    return list_page(work, resource.kind, f"/v1/{path}", query_of(check(parse_form(query.items()), resource.params)))


def ids(page: dict[str, Any]) -> list[str]:
    return [found["id"] for found in page["data"]]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_paging_forward_and_backward_gives_every_object_once(seen: Seen, path: str, limit: int) -> None:
    work = seen("low-activity")
    view = work.view
    table = view.merchant.tables[PATHS[path].table]
    expected = [
        print_id(PATHS[path].table, view.account_id, row.key)
        for row in reversed([table[n] for n in range(len(table))])
        if row.created <= view.now
    ]
    forward: list[str] = []
    while True:
        page = page_of(work, path, limit=limit, **({"starting_after": forward[-1]} if forward else {}))
        forward += ids(page)
        if not page["has_more"]:
            break
    assert forward == expected
    if not expected:
        return
    backward: list[str] = [expected[-1]]
    while True:
        page = page_of(work, path, limit=limit, ending_before=backward[0])
        backward = ids(page) + backward
        if not page["has_more"]:
            break
    assert backward == expected


@settings(max_examples=50)
@given(data=st.data())
def test_created_bounds_are_inclusive_or_exclusive_as_named(seen: Seen, data: st.DataObject) -> None:
    work = seen("low-activity")
    view = work.view
    times = view.merchant.charges.created.tolist()
    at = data.draw(st.sampled_from(times)) + data.draw(st.integers(-1, 1))
    for operator, holds in (
        ("gt", lambda t: t > at),
        ("gte", lambda t: t >= at),
        ("lt", lambda t: t < at),
        ("lte", lambda t: t <= at),
    ):
        page = page_of(work, "charges", limit=100, **{f"created__{operator}": at})
        matching = sorted((t for t in times if holds(t) and t <= view.now), reverse=True)
        assert [found["created"] for found in page["data"]] == matching[:100]
    assert all(found["created"] == at for found in page_of(work, "charges", limit=100, created=at)["data"])


def test_filters_find_what_belongs_together(seen: Seen) -> None:
    work = seen("default")
    view = work.view
    dispute = page_of(work, "disputes", limit=1)["data"][0]
    charge = work.require("charge", dispute["charge"])

    assert ids(page_of(work, "disputes", charge=charge["id"])) == [dispute["id"]]
    assert charge["id"] in ids(page_of(work, "charges", payment_intent=charge["payment_intent"]))
    assert charge["id"] in ids(page_of(work, "charges", customer=charge["customer"], limit=100))
    sources = page_of(work, "balance_transactions", source=dispute["id"])["data"]
    assert {found["reporting_category"] for found in sources} <= {"dispute", "dispute_reversal"}
    payout = page_of(work, "payouts", status="paid", limit=1)["data"][0]
    page = page_of(work, "balance_transactions", payout=payout["id"], limit=100)
    moved = page["data"]
    while page["has_more"]:
        after = moved[-1]["id"]
        page = page_of(work, "balance_transactions", payout=payout["id"], limit=100, starting_after=after)
        moved += page["data"]
    assert sum(found["net"] for found in moved) == payout["amount"]
    assert {found["type"] for found in page_of(work, "balance_transactions", type="payout")["data"]} == {"payout"}
    assert page_of(work, "balance_transactions", currency="eur")["data"] == []
    assert page_of(work, "payouts", arrival_date__gt=view.now)["data"][0]["status"] == "in_transit"


def test_a_dispute_shows_on_its_charge_and_a_refund_adds_up(seen: Seen) -> None:
    work = seen("default")
    for refund in page_of(work, "refunds", limit=50)["data"]:
        charge = work.require("charge", refund["charge"])
        refunds = page_of(work, "refunds", charge=charge["id"])["data"]
        assert charge["amount_refunded"] == sum(found["amount"] for found in refunds)
        assert charge["refunded"] == (charge["amount_refunded"] == charge["amount"])
    for dispute in page_of(work, "disputes", limit=50)["data"]:
        assert work.require("charge", dispute["charge"])["disputed"]


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [
        ({"colour": "red"}, "parameter_unknown", 400),
        ({"status": "failed"}, "parameter_unknown", 400),
        ({"created[near]": "1"}, "parameter_unknown", 400),
        ({"limit": "101"}, None, 400),
        ({"limit": "0"}, None, 400),
        ({"limit": "ten"}, "parameter_invalid_integer", 400),
        ({"created[gte]": "yesterday"}, "parameter_invalid_integer", 400),
        ({"starting_after": "ch_nothing"}, "resource_missing", 404),
        ({"payment_intent": "pi_nothing"}, "resource_missing", 404),
        ({"starting_after": "a", "ending_before": "b"}, None, 400),
    ],
)
def test_a_wrong_query_is_refused(seen: Seen, query: dict[str, str], code: str | None, status: int) -> None:
    with pytest.raises(StripeError) as refused:
        asked(seen("default"), "charges", query)
    assert refused.value.status == status
    assert refused.value.body["error"].get("code") == code


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        ("charges", "balance_transaction", "You may want to try expanding 'data.balance_transaction' instead."),
        ("charges", "data.amount", "This property cannot be expanded (amount)."),
        ("charges", "data.balance_transaction.source.customer.address", "more than 4 levels"),
        ("disputes", "data.evidence", "This property cannot be expanded (evidence)."),
    ],
)
def test_what_cannot_be_expanded_is_refused(seen: Seen, path: str, field: str, message: str) -> None:
    work = seen("default")
    with pytest.raises(StripeError, match=r".*") as refused:
        expand(work, page_of(work, path, limit=1), (field,), PATHS[path].of, INCLUDES)
    assert message in str(refused.value)


def test_expansion_replaces_ids_by_objects_four_levels_deep(seen: Seen) -> None:
    work = seen("default")
    page = page_of(work, "disputes", limit=3)
    expand(
        work,
        page,
        ("data.charge.balance_transaction.source", "data.payment_intent", "data.charge.customer"),
        stripe.Dispute,
        INCLUDES,
    )
    for dispute in page["data"]:
        assert dispute["payment_intent"]["object"] == "payment_intent"
        assert dispute["charge"]["balance_transaction"]["source"]["id"] == dispute["charge"]["id"]
        assert dispute["charge"]["customer"]["object"] == "customer"
    refund = page_of(work, "refunds", limit=1)["data"][0]
    charge = work.require("charge", refund["charge"])
    assert "refunds" not in charge
    expand(work, charge, ("refunds.data.balance_transaction",), stripe.Charge, INCLUDES)
    assert charge["refunds"]["data"][0]["balance_transaction"]["type"] == "refund"


@given(st.sampled_from(sorted(BY_TABLE)), st.integers(0, 2**63 - 1), st.text(max_size=30))
def test_an_id_is_read_back_and_no_other_text_is_an_id(table: str, key: int, text: str) -> None:
    account_id = "acct_1Sandbox01234567"
    assert read_key(table, account_id, print_id(table, account_id, key)) == key
    assert read_key(table, account_id, text) is None
    assert read_key(table, "acct_1Sandbox7654321f", print_id(table, account_id, key)) is None


def test_the_rate_limit_allows_its_rate_for_each_endpoint_and_recovers() -> None:
    limiter = RateLimiter(25)
    for _ in range(25):
        limiter.take(("acct", "charges"), 0.0)
    with pytest.raises(StripeError) as refused:
        limiter.take(("acct", "charges"), 0.0)
    assert refused.value.status == 429
    assert refused.value.headers == {"Stripe-Rate-Limited-Reason": "endpoint-rate"}
    limiter.take(("acct", "charges/{id}"), 0.0)
    limiter.take(("other", "charges"), 0.0)
    limiter.take(("acct", "charges"), 0.05)
    with pytest.raises(StripeError):
        limiter.take(("acct", "charges"), 0.05)


def test_an_account_has_a_rate_over_all_its_endpoints_and_so_many_calls_at_once() -> None:
    limiter = RateLimiter(10, per_account=12, at_once=2)
    for number in range(12):
        limiter.take(("acct", f"endpoint {number}"), 0.0)
    with pytest.raises(StripeError) as refused:
        limiter.take(("acct", "another"), 0.0)
    assert refused.value.headers == {"Stripe-Rate-Limited-Reason": "global-rate"}
    limiter.take(("other", "another"), 0.0)
    limiter.take(("acct", "another"), 0.1)

    with limiter.running("acct"), limiter.running("acct"), limiter.running("other"):
        with pytest.raises(StripeError) as crowded, limiter.running("acct"):
            pass
        assert crowded.value.headers == {"Stripe-Rate-Limited-Reason": "global-concurrency"}
    with limiter.running("acct"):
        limiter.take(("acct", "another"), 1.0)
