"""What a Checkout session may be asked for, at its edges."""

from __future__ import annotations

from typing import Any

import pytest

from payflux.sandbox.checkout.rules import HOUR, check_session
from payflux.sandbox.errors import StripeError

NOW = 1_800_000_000
ASKED: dict[str, Any] = {"success_url": "http://localhost:8000/done"}


def param_refused(mode: str, **asked: Any) -> str:
    """The parameter that is refused; "" where the session may begin."""
    try:
        check_session(ASKED | asked, mode, NOW)
    except StripeError as error:
        return error.body["error"]["param"]
    return ""


@pytest.mark.parametrize(("seconds", "allowed"), [(48 * HOUR - 60, False), (48 * HOUR, True), (48 * HOUR + 60, True)])
def test_a_trial_ends_at_least_48_hours_from_now(seconds: int, allowed: bool) -> None:
    refused = param_refused("subscription", subscription_data={"trial_end": NOW + seconds})
    assert refused == ("" if allowed else "subscription_data[trial_end]")


@pytest.mark.parametrize(("days", "allowed"), [(0, False), (1, True), (730, True), (731, False)])
def test_a_trial_has_one_to_730_days(days: int, allowed: bool) -> None:
    refused = param_refused("subscription", subscription_data={"trial_period_days": days})
    assert refused == ("" if allowed else "subscription_data[trial_period_days]")


@pytest.mark.parametrize(
    ("seconds", "allowed"), [(1799, False), (1800, True), (24 * HOUR, True), (24 * HOUR + 1, False)]
)
def test_a_session_lives_from_half_an_hour_to_a_day(seconds: int, allowed: bool) -> None:
    assert param_refused("payment", expires_at=NOW + seconds) == ("" if allowed else "expires_at")


def test_automatic_tax_and_tax_ids_need_to_write_on_an_existing_customer() -> None:
    tax: dict[str, Any] = {"customer": "cus_1", "automatic_tax": {"enabled": True}}
    ids: dict[str, Any] = {"customer": "cus_1", "tax_id_collection": {"enabled": True}}
    assert param_refused("subscription", **tax) == "automatic_tax"
    assert param_refused("subscription", **tax, customer_update={"address": "auto"}) == ""
    assert param_refused("subscription", **ids) == "tax_id_collection"
    assert param_refused("subscription", **ids, customer_update={"name": "auto"}) == ""
    assert param_refused("subscription", automatic_tax={"enabled": True}, tax_id_collection={"enabled": True}) == ""


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/x", "https://localhost/x", "http://[::1]/x", "http://127.0.0.2/x?id={CHECKOUT_SESSION_ID}"],
)
def test_a_page_of_this_machine_may_follow(url: str) -> None:
    assert param_refused("payment", success_url=url) == ""


@pytest.mark.parametrize(
    "url", ["https://example.com/", "http://127.0.0.1.example.com/", "//127.0.0.1/", "/done", "ftp://localhost/", ""]
)
def test_no_other_page_may(url: str) -> None:
    assert param_refused("payment", success_url=url) == "success_url"
