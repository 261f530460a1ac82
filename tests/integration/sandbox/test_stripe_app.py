"""Installing a Stripe App by its OAuth, reading with its tokens, and what ends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import stripe

from payflux.sandbox.app_grants import APP_CLIENT_ID, APP_SECRET_KEY
from payflux.sandbox.merchants.archetypes import ARCHETYPES
from payflux.sandbox.state import SandboxState
from tests.integration.sandbox.receiver import Receiver, receiving

ALICE = ARCHETYPES["healthy"]
BACK = "http://127.0.0.1:9/back?kept=1"
Client = Callable[..., stripe.StripeClient]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def asked(**changes: str) -> dict[str, str]:
    return {"client_id": APP_CLIENT_ID, "redirect_uri": BACK, "state": "s 1"} | changes


def install(base: str, merchant: str = "healthy") -> str:
    """The code that a merchant's installing sends back."""
    answer = httpx.post(f"{base}/oauth/v2/authorize", params=asked(), data={"merchant": merchant})
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (back["state"], back["kept"], "scope" in back) == (["s 1"], ["1"], False)
    return back["code"][0]


def post(base: str, verb: str, key: str = APP_SECRET_KEY, intent: str = "", **form: str) -> httpx.Response:
    headers = {"Idempotency-Key": intent} if intent else {}
    return httpx.post(f"{base}/v1/oauth/{verb}", data=form, auth=(key, ""), headers=headers)


def exchange(base: str, code: str) -> dict[str, Any]:
    return post(base, "token", grant_type="authorization_code", code=code).raise_for_status().json()


def refresh(base: str, token: str, intent: str = "") -> httpx.Response:
    return post(base, "token", intent=intent, grant_type="refresh_token", refresh_token=token)


def test_the_page_offers_every_merchant_and_the_way_back(base: str) -> None:
    page = httpx.get(f"{base}/oauth/v2/chnlink_123/authorize", params=asked())
    assert all(merchant.business.split("'")[0] in page.text for merchant in ARCHETYPES.values())
    denied = httpx.get(f"{base}/oauth/v2/authorize", params=asked(deny="1"))
    assert parse_qs(urlsplit(denied.headers["location"]).query)["error"] == ["access_denied"]


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("oauth/v2/authorize", {"client_id": "ca_sandbox"}),
        ("oauth/v2/elsewhere/authorize", {}),
        ("oauth/v2/authorize", {"redirect_uri": "https://evil.example/"}),
        ("oauth/v2/authorize", {"redirect_uri": "http://[::1"}),
    ],
)
def test_a_wrong_link_is_refused_on_the_page_and_leads_nowhere(base: str, path: str, changes: dict[str, str]) -> None:
    answer = httpx.get(f"{base}/{path}", params=asked(**changes))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


def test_an_access_token_reads_what_the_manifest_asks_for_and_not_the_account(base: str, client: Client) -> None:
    tokens = exchange(base, install(base))
    assert set(tokens) == {
        "access_token",
        "livemode",
        "refresh_token",
        "scope",
        "stripe_publishable_key",
        "stripe_user_id",
        "token_type",
    }
    assert (tokens["stripe_user_id"], tokens["scope"]) == (ALICE.account_id, "stripe_apps")
    reading = client(tokens["access_token"]).v1
    assert len(reading.charges.list(params={"limit": 2}).data) == 2
    with pytest.raises(stripe.PermissionError) as refused:
        reading.accounts.retrieve_current()
    assert refused.value.error is not None
    assert refused.value.error.code == "more_permissions_required_for_application"
    with pytest.raises(stripe.PermissionError, match="does not have access to account"):
        client(tokens["access_token"], stripe_account=ARCHETYPES["default"].account_id).v1.charges.list()


def test_a_refresh_token_is_good_once_and_a_lost_answer_is_repeated(base: str, client: Client) -> None:
    first = exchange(base, install(base))
    second = refresh(base, first["refresh_token"], "lost-1")
    again = refresh(base, first["refresh_token"], "lost-1")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (second.json(), "true")
    refused = refresh(base, first["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert first["refresh_token"] not in refused.text
    third = refresh(base, second.json()["refresh_token"]).raise_for_status().json()
    assert client(third["access_token"]).v1.balance.retrieve().object == "balance"
    assert refresh(base, third["refresh_token"], "lost-1").json()["error"]["type"] == "idempotency_error"


def test_a_code_used_twice_uninstalls_the_app(base: str, client: Client) -> None:
    code = install(base)
    tokens = exchange(base, code)
    assert post(base, "token", grant_type="authorization_code", code=code).json()["error"] == "invalid_grant"
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key"):
        client(tokens["access_token"]).v1.balance.retrieve()
    assert refresh(base, tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_time_ends_codes_access_tokens_and_refresh_tokens(base: str, client: Client, state: SandboxState) -> None:
    late = install(base)
    tokens = exchange(base, install(base))
    state.advance(301)
    assert post(base, "token", grant_type="authorization_code", code=late).json()["error"] == "invalid_grant"
    state.advance(3_600)
    with pytest.raises(stripe.AuthenticationError) as ended:
        client(tokens["access_token"]).v1.balance.retrieve()
    assert ended.value.error is not None
    assert ended.value.error.code == "api_key_expired"
    renewed = refresh(base, tokens["refresh_token"]).raise_for_status().json()
    state.advance(365 * 86_400)
    assert refresh(base, renewed["refresh_token"]).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "ac_none"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "ac_none"}, "invalid_grant"),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_oauth(base: str, form: dict[str, str], error: str) -> None:
    answer = post(base, "token", **form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_only_the_developer_exchanges_and_uninstalls(base: str) -> None:
    code = install(base)
    refused = post(base, "token", key="sk_test_sandbox", grant_type="authorization_code", code=code)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    exchange(base, code)
    wrong = post(base, "deauthorize", client_id="ca_sandbox", stripe_user_id=ALICE.account_id)
    assert wrong.json()["error"] == "invalid_client"


def test_the_app_is_told_who_installs_and_uninstalls_it(base: str, client: Client, receiver: Receiver) -> None:
    merchant = ARCHETYPES["low-activity"]
    endpoint = client(APP_SECRET_KEY).v1.webhook_endpoints.create(
        params={"url": receiver.url, "enabled_events": ["*"], "connect": True}
    )
    exchange(base, install(base, merchant.name))
    exchange(base, install(base, merchant.name))
    gone = {"client_id": APP_CLIENT_ID, "stripe_user_id": merchant.account_id}
    assert post(base, "deauthorize", **gone).json() == {"stripe_user_id": merchant.account_id}
    assert post(base, "deauthorize", **gone).json()["error"] == "invalid_client"
    exchange(base, install(base, merchant.name))
    httpx.post(f"{base}/sandbox/accounts/{merchant.account_id}/fire/app_uninstalled").raise_for_status()

    posts = receiver.wait_for(4)
    kinds = sorted(post.json["type"].rpartition(".")[2] for post in posts)
    assert kinds == ["authorized", "authorized", "deauthorized", "deauthorized"]
    assert {(post.json["account"], post.json["data"]["object"]["id"]) for post in posts} == {
        (merchant.account_id, APP_CLIENT_ID)
    }
    client(APP_SECRET_KEY).v1.webhook_endpoints.delete(endpoint.id)
