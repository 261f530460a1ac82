"""Signing in with Google and Microsoft at the sandbox, as a relying party does it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from playwright.sync_api import Browser, Page, expect

from payflux.sandbox.identity.codes import s256
from payflux.sandbox.identity.people import CONSUMERS, GOOGLE_PEOPLE, MICROSOFT_PEOPLE
from payflux.sandbox.state import SandboxState
from payflux.settings import load_settings
from payflux.world.oidc import OidcClient, ProviderDocuments, sign_in_providers
from tests.integration.sandbox.views import problems_in_each_view

BACK = "http://127.0.0.1:9/callback/here"
VERIFIER = secrets.token_urlsafe(48)
Discover = Callable[..., dict[str, Any]]


@pytest.fixture
def discover(base: str) -> Discover:
    def read(provider: str, tenant: str = "common") -> dict[str, Any]:
        path = f"microsoft/{tenant}/v2.0" if provider == "microsoft" else provider
        return httpx.get(f"{base}/{path}/.well-known/openid-configuration").raise_for_status().json()

    return read


def ask(provider: str, **changes: str | None) -> dict[str, str]:
    asked: dict[str, str | None] = {
        "client_id": f"{provider}-sandbox",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid email profile",
        "state": "a b",
        "nonce": "n-1",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (asked | changes).items() if value is not None}


def answered(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(BACK)
    return {name: value for name, (value,) in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def choose(metadata: dict[str, Any], provider: str, person: str, **changes: str | None) -> dict[str, str]:
    address = metadata["authorization_endpoint"]
    return answered(httpx.post(address, params=ask(provider, **changes), data={"person": person}))


def redeem(metadata: dict[str, Any], provider: str, code: str, /, **changes: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    client = {"client_id": f"{provider}-sandbox", "client_secret": f"{provider}-sandbox-secret"}
    return httpx.post(metadata["token_endpoint"], data=form | client | changes)


def verified(metadata: dict[str, Any], id_token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(httpx.get(metadata["jwks_uri"]).json())
    token = jwt.decode(id_token, keys, algorithms=["RS256"])
    jwt.JWTClaimsRegistry(exp={"essential": True}, iat={"essential": True}).validate(token.claims)
    return token.claims


def sign_in(metadata: dict[str, Any], provider: str, person: str, **changes: str | None) -> dict[str, Any]:
    code = choose(metadata, provider, person, **changes)["code"]
    answer = redeem(metadata, provider, code)
    assert answer.headers["cache-control"] == "no-store"
    return verified(metadata, answer.raise_for_status().json()["id_token"])


def test_google_says_who_signed_in_and_whether_the_address_is_verified(discover: Discover, base: str) -> None:
    metadata = discover("google")
    assert metadata["issuer"] == f"{base}/google"
    claims = sign_in(metadata, "google", "alice")
    assert (claims["iss"], claims["aud"], claims["azp"], claims["nonce"]) == (
        metadata["issuer"],
        "google-sandbox",
        "google-sandbox",
        "n-1",
    )
    assert (claims["email"], claims["email_verified"], "hd" in claims) == ("alice@shop.example", True, False)
    assert sign_in(metadata, "google", "unverified")["email_verified"] is False
    assert sign_in(metadata, "google", "workspace")["hd"] == "workspace.example"
    assert set(claims) <= {*metadata["claims_supported"], "azp", "at_hash"}


def test_microsoft_names_the_tenant_and_vouches_for_an_address_only_where_it_can(discover: Discover, base: str) -> None:
    metadata = discover("microsoft")
    assert metadata["issuer"] == f"{base}/microsoft/{{tenantid}}/v2.0"
    alice = sign_in(metadata, "microsoft", "alice")
    assert (alice["tid"], "xms_edov" in alice, "email_verified" in alice) == (CONSUMERS, False, False)
    assert alice["iss"] == metadata["issuer"].replace("{tenantid}", CONSUMERS)
    edov = [sign_in(metadata, "microsoft", person).get("xms_edov") for person in ("bob", "charlie", "impostor")]
    assert edov == [True, None, False]
    assert sign_in(metadata, "microsoft", "impostor")["email"] == alice["email"]


@pytest.mark.parametrize(("provider", "names"), [("google", ("sub",)), ("microsoft", ("tid", "oid", "sub"))])
def test_an_account_stays_itself_when_its_address_changes(
    discover: Discover, provider: str, names: tuple[str, ...]
) -> None:
    before, after = (sign_in(discover(provider), provider, person) for person in ("dana-before", "dana-after"))
    assert [before[name] for name in names] == [after[name] for name in names]
    assert before["email"] != after["email"]


@pytest.mark.parametrize(("provider", "people"), [("google", GOOGLE_PEOPLE), ("microsoft", MICROSOFT_PEOPLE)])
def test_everybody_else_is_somebody_else(discover: Discover, provider: str, people: tuple[Any, ...]) -> None:
    found = {sign_in(discover(provider), provider, person.key)["sub"] for person in people}
    assert len(found) == len({person.holder for person in people})


def test_a_tenants_address_lets_only_its_own_people_in(discover: Discover, base: str) -> None:
    consumers = discover("microsoft", "consumers")
    assert consumers["issuer"] == f"{base}/microsoft/{CONSUMERS}/v2.0"
    page = httpx.get(consumers["authorization_endpoint"], params=ask("microsoft")).text
    assert "Alice Owner" in page
    assert "Bob Member" not in page
    for tenant, person in (("consumers", "bob"), ("organizations", "alice")):
        address = discover("microsoft", tenant)["authorization_endpoint"]
        assert httpx.post(address, params=ask("microsoft"), data={"person": person}).status_code == 400
    unknown = httpx.get(f"{base}/microsoft/nowhere/v2.0/.well-known/openid-configuration")
    assert (unknown.status_code, unknown.json()["error"]) == (400, "invalid_tenant")


def test_only_what_was_asked_for_is_told_and_userinfo_tells_the_same_person(discover: Discover) -> None:
    for provider in ("google", "microsoft"):
        metadata = discover(provider)
        claims = sign_in(metadata, provider, "bob", scope="openid")
        assert {"email", "name"}.isdisjoint(claims)
        token = redeem(metadata, provider, choose(metadata, provider, "bob")["code"]).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        told = httpx.get(metadata["userinfo_endpoint"], headers=bearer).json()
        assert (told["sub"], told["email"]) == (claims["sub"], "bob@shop.example")
    other = httpx.get(discover("google")["userinfo_endpoint"], headers=bearer)
    assert (other.status_code, other.json()["error"]) == (401, "invalid_token")
    assert other.headers["www-authenticate"].startswith("Bearer ")


def test_a_code_is_good_once_and_a_second_use_ends_what_it_gave(discover: Discover) -> None:
    metadata = discover("google")
    code = choose(metadata, "google", "alice")["code"]
    token = redeem(metadata, "google", code).json()["access_token"]
    assert redeem(metadata, "google", code).json()["error"] == "invalid_grant"
    told = httpx.get(metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"})
    assert told.status_code == 401


@pytest.mark.parametrize(
    ("asked", "changes", "error"),
    [
        ({}, {"code_verifier": "x" * 43}, "invalid_grant"),
        ({}, {"code_verifier": ""}, "invalid_grant"),
        ({"code_challenge": None, "code_challenge_method": None}, {}, "invalid_grant"),
        ({}, {"redirect_uri": "http://127.0.0.1:9/callback/there"}, "invalid_grant"),
        ({}, {"redirect_uri": ""}, "invalid_request"),
        ({}, {"code": "4/0unknown"}, "invalid_grant"),
        ({}, {"grant_type": "password"}, "unsupported_grant_type"),
        ({}, {"grant_type": ""}, "invalid_request"),
        ({}, {"client_secret": "microsoft-sandbox-secret"}, "invalid_client"),
    ],
)
def test_a_token_is_given_only_for_what_fits(
    discover: Discover, asked: dict[str, str | None], changes: dict[str, str], error: str
) -> None:
    metadata = discover("google")
    code = choose(metadata, "google", "alice", **asked)["code"]
    answer = redeem(metadata, "google", code, **changes)
    assert answer.json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)


def test_a_code_of_one_provider_is_no_code_of_the_other(discover: Discover) -> None:
    code = choose(discover("google"), "google", "alice")["code"]
    assert redeem(discover("microsoft"), "microsoft", code).json()["error"] == "invalid_grant"


def test_a_client_may_authenticate_by_basic_but_not_twice(discover: Discover) -> None:
    metadata = discover("google")
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER}
    client = ("google-sandbox", "google-sandbox-secret")
    code = choose(metadata, "google", "alice")["code"]
    both = httpx.post(metadata["token_endpoint"], data=form | {"code": code, "client_secret": client[1]}, auth=client)
    assert both.json()["error"] == "invalid_request"
    assert httpx.post(metadata["token_endpoint"], data=form | {"code": code}, auth=client).status_code == 200
    wrong = httpx.post(metadata["token_endpoint"], data=form | {"code": code}, auth=("google-sandbox", "no"))
    assert (wrong.status_code, "www-authenticate" in wrong.headers) == (401, True)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "openid offline_access"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "sing"}, "invalid_request"),
        ({"deny": "1"}, "access_denied"),
    ],
)
def test_what_is_asked_wrongly_is_told_to_the_application(
    discover: Discover, changes: dict[str, str | None], error: str
) -> None:
    address = discover("google")["authorization_endpoint"]
    told = answered(httpx.get(address, params=ask("google", **changes)))
    assert (told["error"], told["state"]) == (error, "a b")


@pytest.mark.parametrize(
    "changes", [{"client_id": "microsoft-sandbox"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": None}]
)
def test_nobody_is_sent_back_to_who_did_not_ask(discover: Discover, changes: dict[str, str | None]) -> None:
    address = discover("google")["authorization_endpoint"]
    answer = httpx.get(address, params=ask("google", **changes))
    assert (answer.status_code, "location" in answer.headers) == (400, False)
    forged = httpx.post(
        address, params=ask("google"), data={"person": "alice"}, headers={"Origin": "https://evil.example"}
    )
    assert forged.status_code == 403


def test_a_token_signed_by_the_key_before_is_still_verified(discover: Discover, base: str) -> None:
    metadata = discover("google")
    first = redeem(metadata, "google", choose(metadata, "google", "alice")["code"]).json()["id_token"]
    kids = [key["kid"] for key in httpx.get(metadata["jwks_uri"]).json()["keys"]]
    rotated = httpx.post(f"{base}/sandbox/identity/rotate").json()["keys"]
    assert [key["kid"] for key in rotated[1:]] == kids[:2]
    assert all({"d", "p", "q"}.isdisjoint(key) for key in rotated)
    assert verified(metadata, first)["email"] == "alice@shop.example"
    assert sign_in(metadata, "google", "bob")["email"] == "bob@shop.example"
    assert httpx.post(f"{base}/identity/rotate", headers={"Origin": "https://evil.example"}).status_code == 403


def test_tokens_are_dated_by_the_machine_when_the_sandboxs_clock_is_ahead(
    discover: Discover, state: SandboxState
) -> None:
    state.advance(90 * 86_400)
    assert sign_in(discover("google"), "google", "alice")["iat"] <= state.machine_now().timestamp()


@pytest.mark.parametrize("name", ["google", "microsoft"])
async def test_the_product_signs_people_in_here(base: str, name: str, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path).model_copy(
        update={"google_base": f"{base}/google", "microsoft_base": f"{base}/microsoft"}
    )
    async with httpx.AsyncClient() as http:
        client = OidcClient(sign_in_providers(settings)[name], http, ProviderDocuments())
        address = await client.authorize_url(redirect_uri=BACK, state="s", nonce="n", code_verifier=VERIFIER)
        back = answered(await http.post(address, data={"person": "bob"}))
        claims = await client.exchange_code(
            back["code"], redirect_uri=BACK, nonce="n", code_verifier=VERIFIER, now=datetime.now(UTC)
        )
    assert claims["email"] == "bob@shop.example"
    assert claims["email_verified" if name == "google" else "xms_edov"] is True


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def test_a_person_chooses_who_to_be_and_is_sent_back(page: Page, discover: Discover) -> None:
    page.context.route(f"{BACK}**", lambda route: route.fulfill(body="welcome back"))
    address = httpx.URL(discover("microsoft")["authorization_endpoint"])
    page.goto(str(address.copy_with(params=ask("microsoft", login_hint="bob@shop.example"))))
    expect(page.get_by_label("Bob Member")).to_be_checked()
    assert [*problems_in_each_view(page)] == []
    page.get_by_label("Charlie Stranger").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("welcome back")).to_be_visible()
    assert {"code", "state", "session_state"} == set(parse_qs(urlsplit(page.url).query))


def test_a_person_reads_the_cast_and_signs_by_a_new_key(page: Page, base: str) -> None:
    page.goto(f"{base}/identity")
    before = page.locator("#keys ~ ol li").first.inner_text()
    page.get_by_role("button", name="Sign by a new key").click()
    expect(page.locator("#keys ~ ol li").nth(1)).to_have_text(before)
    assert [*problems_in_each_view(page)] == []
