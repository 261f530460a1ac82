"""Stripe's own client works against the sandbox as against Stripe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe
from stripe import oauth_error

from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.schema.absent import absent_keys
from payflux.sandbox.schema.objects import fields
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from tests.integration.sandbox.conftest import served

Client = Callable[..., Any]  # the typed fields of the client are optional almost everywhere
DEFAULT = ARCHETYPES["default"]


def listings(client: stripe.StripeClient) -> dict[str, tuple[Any, type[stripe.StripeObject]]]:
    v1 = client.v1
    return {
        "charges": (v1.charges, stripe.Charge),
        "payment_intents": (v1.payment_intents, stripe.PaymentIntent),
        "refunds": (v1.refunds, stripe.Refund),
        "disputes": (v1.disputes, stripe.Dispute),
        "early_fraud_warnings": (v1.radar.early_fraud_warnings, stripe.radar.EarlyFraudWarning),
        "payouts": (v1.payouts, stripe.Payout),
        "balance_transactions": (v1.balance_transactions, stripe.BalanceTransaction),
    }


def assert_complete(found: Any, of: type[stripe.StripeObject]) -> None:
    """Every field that the typed class knows is there, and none that it does not know."""
    assert isinstance(found, of)
    known = {name for cls in of.__mro__ for name in getattr(cls, "__annotations__", {}) if not name.startswith("_")}
    fields = {name for name in of.__annotations__ if not name.startswith("_")} - {"OBJECT_NAME", "deleted"}
    given = set(found.to_dict())
    assert fields - given <= absent_keys(of)
    assert given <= known
    for name in given:
        getattr(found, name)


def left_out(found: Json, of: type[stripe.StripeObject], place: str = "") -> list[str]:
    """The keys that are always there at Stripe and are not here, at any depth."""
    missing = [place + name for name in fields(of).keys() - found.keys() - absent_keys(of)]
    for name, field in fields(of).items():
        inner, value = field.nested or field.listed, found.get(name)
        if inner is not None and value is not None:
            for item in value if isinstance(value, list) else [value]:
                missing += left_out(item, inner, f"{place}{name}.")
    return missing


def test_what_stands_within_an_object_is_complete_too(client: Client) -> None:
    v1 = client(DEFAULT.restricted_key).v1
    charge = v1.charges.list(params={"limit": 1, "expand": ["data.customer"]}).data[0]
    for found, of in (
        (v1.accounts.retrieve_current(), stripe.Account),
        (v1.balance.retrieve(), stripe.Balance),
        (v1.balance_settings.retrieve(), stripe.BalanceSettings),
        (charge, stripe.Charge),
        (charge.customer, stripe.Customer),
        (v1.disputes.list(params={"limit": 1}).data[0], stripe.Dispute),
        (v1.payment_intents.list(params={"limit": 1}).data[0], stripe.PaymentIntent),
        (v1.payouts.list(params={"limit": 1}).data[0], stripe.Payout),
    ):
        assert left_out(found.to_dict(), of) == []


@pytest.mark.parametrize("resource", sorted(listings(stripe.StripeClient("sk_test_none"))))
def test_every_resource_lists_retrieves_and_is_complete(client: Client, resource: str) -> None:
    service, of = listings(client(DEFAULT.restricted_key))[resource]
    page = service.list(params={"limit": 5})

    assert len(page.data) == 5
    assert page.has_more
    assert [found.created for found in page.data] == sorted((found.created for found in page.data), reverse=True)
    for found in page.data:
        assert_complete(found, of)
    assert service.retrieve(page.data[0].id).to_dict() == page.data[0].to_dict()


def test_auto_paging_reads_ninety_days_without_gap_or_repetition(client: Client, state: SandboxState) -> None:
    view = state.view(DEFAULT.account_id)
    since, until = view.now - 90 * 86_400, view.now
    created = view.merchant.charges.created
    params: Any = {"limit": 100, "created": {"gte": since, "lte": until}, "expand": ["data.balance_transaction"]}

    page = client(DEFAULT.restricted_key).v1.charges.list(params=params)
    found = list(page.auto_paging_iter())

    assert len(found) == len({charge.id for charge in found}) == int(((created >= since) & (created <= until)).sum())
    for charge in found:
        assert (charge.balance_transaction is None) == (charge.status == "failed")
        if charge.balance_transaction is not None:
            assert charge.balance_transaction.net == charge.amount - charge.balance_transaction.fee


def test_the_account_and_its_balance(client: Client) -> None:
    v1 = client(DEFAULT.restricted_key).v1
    account, balance = v1.accounts.retrieve_current(), v1.balance.retrieve()

    assert_complete(account, stripe.Account)
    assert_complete(balance, stripe.Balance)
    assert_complete(v1.balance_settings.retrieve(), stripe.BalanceSettings)
    assert account.id == DEFAULT.account_id
    assert account.charges_enabled
    assert account.business_profile.url == "https://cdnow.example"
    assert account.business_profile.mcc == "5735"
    assert v1.accounts.retrieve(DEFAULT.account_id).to_dict() == account.to_dict()


def test_an_account_that_is_not_ready_says_why(client: Client) -> None:
    v1 = client(ARCHETYPES["not-ready"].restricted_key).v1
    account = v1.accounts.retrieve_current()

    assert not account.charges_enabled
    assert not account.payouts_enabled
    assert account.requirements.disabled_reason == "requirements.past_due"
    assert account.requirements.past_due
    assert v1.balance_settings.retrieve().payments.payouts.status == "disabled"


def test_a_reserve_is_seen_in_the_balance_transactions(client: Client) -> None:
    v1 = client(ARCHETYPES["reserve-in-force"].restricted_key).v1
    holds = v1.balance_transactions.list(params={"type": "reserve_hold", "limit": 100}).data

    assert {hold.balance_type for hold in holds} == {"payments", "risk_reserved"}
    assert {hold.reporting_category for hold in holds} == {"risk_reserved_funds"}
    assert all((hold.net > 0) == (hold.balance_type == "risk_reserved") for hold in holds)
    assert v1.balance.retrieve().connect_reserved[0].amount == 0


def test_errors_are_the_clients_own_exceptions(client: Client) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided"):
        client("sk_test_wrong").v1.balance.retrieve()
    with pytest.raises(stripe.InvalidRequestError, match="No such charge: 'ch_none'") as missing:
        client(DEFAULT.restricted_key).v1.charges.retrieve("ch_none")
    assert (missing.value.code, missing.value.http_status) == ("resource_missing", 404)
    assert str(missing.value.request_id).startswith("req_")
    with pytest.raises(stripe.PermissionError, match="'rak_dispute_read' permission would allow") as forbidden:
        client(DEFAULT.restricted_key + "_no_disputes").v1.disputes.list()
    assert forbidden.value.http_status == 403
    with pytest.raises(stripe.PermissionError, match="'rak_charge_write' permission would allow"):
        client(DEFAULT.restricted_key).v1.refunds.create(params={"charge": "ch_1"})
    with pytest.raises(stripe.PermissionError, match="Application access may have been revoked") as revoked:
        client(stripe_account=ARCHETYPES["healthy"].account_id).v1.charges.list()
    assert "account_invalid" in str(revoked.value.http_body)


def test_answers_echo_version_and_account(base: str) -> None:
    headers = {"Stripe-Version": "2026-05-27.dahlia"}
    answer = httpx.get(f"{base}/v1/balance", auth=(DEFAULT.restricted_key, ""), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["stripe-version"] == "2026-05-27.dahlia"
    assert answer.headers["request-id"].startswith("req_")
    unknown = httpx.get(f"{base}/v1/nothing", auth=(DEFAULT.restricted_key, ""))
    assert unknown.status_code == 404
    assert unknown.json()["error"]["message"].startswith("Unrecognized request URL (GET: /v1/nothing).")


def authorized(base: str, merchant: str, **changes: str) -> httpx.Response:
    """What the authorize page answers to a person who chooses `merchant`."""
    ask = {
        "client_id": "ca_sandbox",
        "response_type": "code",
        "scope": "read_write",
        "redirect_uri": "http://127.0.0.1:8000/connect/return",
        "state": "a b&c",
    } | changes
    link = httpx.Request("GET", f"{base}/oauth/authorize", params=ask).url
    page = httpx.get(link)
    if page.status_code != 200:
        return page
    assert all(a.business in page.text.replace("&#39;", "'") for a in ARCHETYPES.values())
    assert "simulated Stripe, no real account" in page.text
    return httpx.post(link, data={"merchant": merchant})


def code_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_a_merchant_connects_reads_and_disconnects(base: str, client: Client) -> None:
    account_id = ARCHETYPES["dispute-spike"].account_id
    answer = authorized(base, "dispute-spike")
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["a b&c"]
    assert back["scope"] == ["read_write"]
    platform = client()

    token = platform.oauth.token(params={"grant_type": "authorization_code", "code": back["code"][0]})

    assert set(token.to_dict()) == {
        "access_token",
        "livemode",
        "refresh_token",
        "token_type",
        "stripe_publishable_key",
        "stripe_user_id",
        "scope",
    }
    assert (token.stripe_user_id, token.scope, token.livemode) == (account_id, "read_write", False)
    connected = client(stripe_account=account_id)
    assert connected.v1.accounts.retrieve_current().id == account_id
    assert len(connected.v1.charges.list(params={"limit": 3}).data) == 3
    assert platform.v1.accounts.retrieve(account_id).id == account_id

    assert platform.oauth.deauthorize(params={"stripe_user_id": account_id}).stripe_user_id == account_id
    with pytest.raises(stripe.PermissionError, match="Application access may have been revoked"):
        connected.v1.charges.list()
    with pytest.raises(oauth_error.InvalidClientError):
        platform.oauth.deauthorize(params={"stripe_user_id": account_id})


def test_a_code_used_twice_revokes_the_connection(base: str, client: Client) -> None:
    code = code_of(authorized(base, "low-activity"))
    client().oauth.token(params={"grant_type": "authorization_code", "code": code})
    with pytest.raises(oauth_error.InvalidGrantError, match="This authorization code has already been used"):
        client().oauth.token(params={"grant_type": "authorization_code", "code": code})
    with pytest.raises(stripe.PermissionError):
        client(stripe_account=ARCHETYPES["low-activity"].account_id).v1.balance.retrieve()


def test_the_token_endpoint_refuses_strangers_and_unknown_grants(base: str, client: Client) -> None:
    with pytest.raises(oauth_error.InvalidGrantError, match="Authorization code does not exist: ac_none"):
        client().oauth.token(params={"grant_type": "authorization_code", "code": "ac_none"})
    unknown: Any = {"grant_type": "password"}
    with pytest.raises(oauth_error.UnsupportedGrantTypeError):
        client().oauth.token(params=unknown)
    stranger = httpx.post(f"{base}/oauth/token", data={"grant_type": "authorization_code", "code": "ac_none"})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "invalid_client")


def test_a_refusal_goes_back_with_the_state(base: str) -> None:
    params = {
        "client_id": "ca_sandbox",
        "response_type": "code",
        "redirect_uri": "http://localhost:8000/back?from=stripe",
        "state": "xyz",
        "deny": "1",
    }
    answer = httpx.get(f"{base}/oauth/authorize", params=params)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        "http://localhost:8000/back?from=stripe&error=access_denied"
        "&error_description=The+user+denied+your+request&state=xyz"
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "ca_other"}, "invalid_request"),
        ({"redirect_uri": "https://example.com/back"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1.example.com/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "javascript:alert(1)"}, "invalid_redirect_uri"),
        ({"redirect_uri": "/back"}, "invalid_redirect_uri"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"state": "<script>alert(1)</script>", "scope": "<b>"}, "invalid_scope"),
    ],
)
def test_a_wrong_authorize_link_explains_itself_and_sends_nobody_anywhere(
    base: str, changes: dict[str, str], error: str
) -> None:
    answer = authorized(base, "default", **changes)
    assert answer.status_code == 400
    assert error in answer.text
    assert "<script>" not in answer.text
    assert "<b>" not in answer.text


def test_a_choice_that_is_no_merchant_is_refused(base: str) -> None:
    answer = authorized(base, "nobody")
    assert answer.status_code == 400
    assert "choose one of the merchants" in answer.text


def test_the_home_page_lists_the_cast_and_the_exports_answer(base: str) -> None:
    home = httpx.get(base).text
    for archetype in ARCHETYPES.values():
        assert archetype.account_id in home
        assert archetype.restricted_key in home
    assert httpx.get(f"{base}/healthz").text == "ok\n"
    file = f"{base}/exports/{DEFAULT.account_id}/unified_payments.csv"
    answer = httpx.get(file, timeout=60)
    assert answer.headers["content-type"].startswith("text/csv")
    assert len(answer.text.splitlines()) > 70_000
    assert httpx.get(file, params={"from": "2026-02-30"}).status_code == 400
    assert httpx.get(f"{base}/exports/acct_none/unified_payments.csv").status_code == 404


def test_the_rate_limit_is_twenty_five_a_second_for_each_endpoint() -> None:
    state = SandboxState()
    with served(state, clock=lambda: 0.0) as base, httpx.Client(base_url=base) as http:
        http.auth = (DEFAULT.restricted_key, "")
        answers = [http.get("/v1/balance") for _ in range(26)]
        assert [answer.status_code for answer in answers] == [200] * 25 + [429]
        assert answers[-1].headers["stripe-rate-limited-reason"] == "endpoint-rate"
        assert "retry-after" not in answers[-1].headers
        assert answers[-1].json()["error"]["code"] == "rate_limit"
        assert http.get("/v1/account").status_code == 200
    key = DEFAULT.restricted_key
    with served(SandboxState(requests_per_second=1), clock=lambda: 0.0) as base:
        client = stripe.StripeClient(key, base_addresses={"api": base}, max_network_retries=0)
        client.v1.balance.retrieve()
        with pytest.raises(stripe.RateLimitError, match="Request rate limit exceeded"):
            client.v1.balance.retrieve()


async def test_latency_is_added_to_each_call_and_calls_wait_side_by_side() -> None:
    with served(SandboxState(requests_per_second=1000), latency_ms=100) as base:
        async with httpx.AsyncClient(base_url=base, auth=(DEFAULT.restricted_key, "")) as http:
            await http.get("/v1/balance")
            begun = time.monotonic()
            await asyncio.gather(*(http.get("/v1/balance") for _ in range(8)))
            took = time.monotonic() - begun
    assert 0.1 <= took < 0.8


def test_an_access_token_is_a_key_of_the_account_until_it_is_disconnected(base: str, client: Client) -> None:
    account_id = ARCHETYPES["gbp-shop"].account_id
    code = code_of(authorized(base, "gbp-shop"))
    token = client().oauth.token(params={"grant_type": "authorization_code", "code": code})

    own = client(token.access_token)
    assert own.v1.accounts.retrieve_current().id == account_id
    assert own.v1.customers.create(params={"name": "Alice"}).name == "Alice"

    client().oauth.deauthorize(params={"stripe_user_id": account_id})
    with pytest.raises(stripe.PermissionError, match="Application access may have been revoked"):
        own.v1.balance.retrieve()


def test_a_connection_to_read_reads_and_does_not_write(base: str, client: Client) -> None:
    account_id = ARCHETYPES["gbp-shop"].account_id
    code = code_of(authorized(base, "gbp-shop", scope="read_only"))
    token = client().oauth.token(params={"grant_type": "authorization_code", "code": code})

    for reader in (client(stripe_account=account_id), client(token.access_token)):
        assert len(reader.v1.charges.list(params={"limit": 2}).data) == 2
        with pytest.raises(stripe.PermissionError, match="connected with the scope read_only"):
            reader.v1.customers.create(params={"name": "Alice"})
    client().oauth.deauthorize(params={"stripe_user_id": account_id})
