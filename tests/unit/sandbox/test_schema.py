"""Parameters and objects are what Stripe's own package says they are."""

from __future__ import annotations

from typing import Any

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st
from stripe import params
from stripe.params.checkout import SessionCreateParams

from payflux.sandbox.errors import StripeError
from payflux.sandbox.schema.absent import absent_keys
from payflux.sandbox.schema.forms import parse_form
from payflux.sandbox.schema.objects import class_of, complete, fields
from payflux.sandbox.schema.parameters import check

NAMES = st.text("abcdefgh_", min_size=1, max_size=6)
TREES = st.dictionaries(
    NAMES,
    st.recursive(
        st.text(max_size=5),
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, min_size=1, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def spelled(tree: Any, path: str = "") -> list[tuple[str, str]]:
    """A tree as form fields, lists with their numbers."""
    if isinstance(tree, str):
        return [(path, tree)]
    named = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [field for name, inner in named for field in spelled(inner, f"{path}[{name}]" if path else str(name))]


@given(TREES)
def test_a_form_spells_the_tree_it_was_made_from(tree: dict[str, Any]) -> None:
    assert parse_form(spelled(tree)) == tree


def test_empty_brackets_collect_in_order() -> None:
    items = [("expand[]", "a"), ("expand[]", "b"), ("items[][price]", "x"), ("items[][quantity]", "2")]
    items += [("items[][price]", "y")]
    assert parse_form(items) == {"expand": ["a", "b"], "items": [{"price": "x", "quantity": "2"}, {"price": "y"}]}


@pytest.mark.parametrize("items", [[("a", "1"), ("a[b]", "2")], [("a[b]", "1"), ("a", "2")], [("[a]", "1")]])
def test_a_form_that_spells_nothing_is_refused(items: list[tuple[str, str]]) -> None:
    with pytest.raises(StripeError) as refused:
        parse_form(items)
    assert refused.value.status == 400


def test_parameters_become_what_their_types_say() -> None:
    given_form = [
        ("mode", "subscription"),
        ("line_items[0][price]", "price_1"),
        ("line_items[0][quantity]", "2"),
        ("metadata[plan]", "pro"),
        ("expires_at", "1795262400"),
        ("allow_promotion_codes", "true"),
    ]
    assert check(parse_form(given_form), SessionCreateParams) == {
        "mode": "subscription",
        "line_items": [{"price": "price_1", "quantity": 2}],
        "metadata": {"plan": "pro"},
        "expires_at": 1795262400,
        "allow_promotion_codes": True,
    }


@pytest.mark.parametrize(
    ("form", "items", "param", "code"),
    [
        (SessionCreateParams, [("payment_method_types[0]", "card")], "payment_method_types", "parameter_unknown"),
        (params.PaymentIntentCreateParams, [("amount", "100"), ("currency", "zzz")], "currency", None),
        (
            SessionCreateParams,
            [("line_items[0][price_data][currency]", "dollars")],
            "line_items[0][price_data][currency]",
            None,
        ),
        (SessionCreateParams, [("line_items[0][colour]", "red")], "line_items[0][colour]", "parameter_unknown"),
        (SessionCreateParams, [("mode", "gift")], "mode", None),
        (SessionCreateParams, [("expires_at", "soon")], "expires_at", "parameter_invalid_integer"),
        (SessionCreateParams, [("allow_promotion_codes", "yes")], "allow_promotion_codes", None),
        (SessionCreateParams, [("line_items", "one")], "line_items", None),
        (SessionCreateParams, [("mode[a]", "b")], "mode", None),
        (params.PriceCreateParams, [("product", "prod_1")], "currency", "parameter_missing"),
        (params.CustomerCreateParams, [("api_key", "sk_test_1")], "api_key", "parameter_unknown"),
    ],
)
def test_a_wrong_parameter_is_refused_by_its_name(
    form: Any, items: list[tuple[str, str]], param: str, code: str | None
) -> None:
    with pytest.raises(StripeError) as refused:
        check(parse_form(items), form)
    assert refused.value.status == 400
    assert refused.value.body["error"]["param"] == param
    assert refused.value.body["error"].get("code") == code


@pytest.mark.parametrize(
    ("kind", "count"), [("charge", 42), ("invoice", 70), ("subscription", 46), ("checkout.session", 59)]
)
def test_the_keys_that_are_always_there_are_known(kind: str, count: int) -> None:
    """The counts are Stripe's; an invoice and a session show some more in practice, null or not."""
    of = class_of(kind)
    shown = {"invoice": 3, "subscription": 1, "checkout.session": 6}.get(kind, 0)
    assert len(fields(of).keys() - absent_keys(of)) == count + shown


def test_an_object_is_completed_and_a_mistake_in_one_is_told() -> None:
    values = {"id": "prod_1", "active": True, "created": 1, "livemode": False, "name": "Pro", "type": "service"}
    product = complete(stripe.Product, values | {"updated": 1})
    assert product["object"] == "product"
    assert product["metadata"] == {}
    assert product["images"] == []
    assert product["default_price"] is None
    with pytest.raises(TypeError, match="Product has no colour"):
        complete(stripe.Product, values | {"updated": 1, "colour": "red"})
    with pytest.raises(TypeError, match="Product needs updated"):
        complete(stripe.Product, values)
