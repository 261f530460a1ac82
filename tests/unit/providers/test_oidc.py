"""Who a provider says is signing in is believed only when every part of the proof holds."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from payflux.world.oidc import (
    LEEWAY,
    ClientRefused,
    CodeRefused,
    OidcFailure,
    ProviderDocuments,
    ProviderUnavailable,
    TokenRefused,
)
from tests.unit.providers.stand_in import GOOGLE, KEY, MICROSOFT, OTHER_KEY, StandIn

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLBACK = "https://payflux.example/auth/google/callback"
TENANT, OTHER_TENANT = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0", "0e1c0fc5-8d9f-4c4f-a5f5-9d8c6c0b7f10"
PATTERN = "https://login.example/{tenantid}/v2.0"


def claims(**changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "iss": "https://accounts.example",
        "aud": "client-1",
        "sub": "1100",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(hours=1)).timestamp()),
        "nonce": "nonce-1",
    }
    return {name: value for name, value in (told | changes).items() if value is not None}


@pytest.fixture
def google() -> StandIn:
    provider = StandIn(GOOGLE, "https://accounts.example")
    provider.claims = claims()
    return provider


@pytest.fixture
def microsoft() -> StandIn:
    provider = StandIn(MICROSOFT, PATTERN)
    provider.claims = claims(iss=PATTERN.replace("{tenantid}", TENANT), tid=TENANT, oid="00aa")
    return provider


async def exchange(provider: StandIn, documents: ProviderDocuments | None = None) -> dict[str, object]:
    return await provider.client(documents).exchange_code(
        "code-1", redirect_uri=CALLBACK, nonce="nonce-1", code_verifier="v" * 43, now=NOW
    )


async def test_a_person_is_sent_with_a_challenge_a_nonce_and_a_state(google: StandIn) -> None:
    address = await google.client().authorize_url(
        redirect_uri=CALLBACK, state="state-1", nonce="nonce-1", code_verifier="v" * 43
    )
    asked = parse_qs(urlsplit(address).query)
    assert address.startswith("https://accounts.example/authorize?")
    # the challenge of 43 times v: base64url(sha256(verifier)), RFC 7636 section 4.2
    assert asked == {
        "response_type": ["code"],
        "client_id": ["client-1"],
        "redirect_uri": [CALLBACK],
        "scope": ["openid email profile"],
        "state": ["state-1"],
        "nonce": ["nonce-1"],
        "code_challenge": ["7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"],
        "code_challenge_method": ["S256"],
        "prompt": ["select_account"],
    }


async def test_a_code_is_exchanged_once_with_its_verifier(google: StandIn) -> None:
    assert (await exchange(google))["sub"] == "1100"
    assert google.token_request == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": CALLBACK,
        "code_verifier": "v" * 43,
        "client_id": "client-1",
        "client_secret": "secret-of-client-1",
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://accounts.example.evil"},
        {"iss": "https://accounts.example/"},
        {"iss": None},
        {"aud": "client-2"},
        {"aud": ["client-1", "client-2"]},  # for several, without saying for whom
        {"aud": ["client-1", "client-2"], "azp": "client-2"},
        {"aud": None},
        {"exp": int(NOW.timestamp()) - LEEWAY},
        {"exp": None},
        {"iat": int(NOW.timestamp()) + LEEWAY + 1},
        {"nbf": int(NOW.timestamp()) + LEEWAY + 1},
        {"nonce": "nonce-2"},
        {"nonce": None},
        {"at_hash": "of another access token"},
        {"sub": None},
    ],
)
async def test_a_token_for_another_time_client_or_browser_is_refused(
    google: StandIn, changes: dict[str, object]
) -> None:
    google.claims = claims(**changes)
    with pytest.raises(TokenRefused):
        await exchange(google)


async def test_a_token_that_another_key_signed_is_refused(google: StandIn) -> None:
    published = dict(OTHER_KEY.as_dict(private=False)) | {"kid": KEY.kid}
    google.published = [published]
    with pytest.raises(TokenRefused):
        await exchange(google)


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
async def test_a_token_signed_by_what_everybody_knows_is_refused(google: StandIn, algorithm: str) -> None:
    parts = ({"alg": algorithm, "kid": KEY.kid}, google.claims)
    signed = b".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    seal = hmac.digest(KEY.as_pem(private=False), signed, "sha256") if algorithm == "HS256" else b""
    google.id_token = b".".join((signed, urlsafe_b64encode(seal).rstrip(b"="))).decode()
    with pytest.raises(TokenRefused):
        await exchange(google)


async def test_a_key_that_is_newer_than_what_was_read_is_fetched_once(google: StandIn) -> None:
    documents = ProviderDocuments()
    await exchange(google, documents)
    google.key = OTHER_KEY
    google.published.insert(0, dict(OTHER_KEY.as_dict(private=False)))
    google.asked.clear()
    await exchange(google, documents)
    assert google.asked == ["token", "keys"]


async def test_documents_are_kept_for_an_hour(google: StandIn) -> None:
    seconds = [0.0]
    documents = ProviderDocuments(monotonic=lambda: seconds[0])
    await exchange(google, documents)
    google.asked.clear()
    seconds[0] = 3_599
    await exchange(google, documents)
    assert google.asked == ["token"]
    seconds[0] = 3_600
    await exchange(google, documents)
    assert sorted(google.asked[1:]) == ["keys", "openid-configuration", "token"]


async def test_the_issuer_at_microsoft_is_that_of_the_persons_tenant(microsoft: StandIn) -> None:
    assert (await exchange(microsoft))["oid"] == "00aa"


@pytest.mark.parametrize(
    "changes",
    [
        {"tid": OTHER_TENANT},
        {"tid": None},
        {"tid": "evil.example/x"},
        {"iss": PATTERN},
        {"iss": "https://login.example/common/v2.0"},
    ],
)
async def test_a_token_of_another_tenant_is_refused(microsoft: StandIn, changes: dict[str, object]) -> None:
    microsoft.claims = {name: value for name, value in (microsoft.claims | changes).items() if value is not None}
    with pytest.raises(TokenRefused):
        await exchange(microsoft)


@pytest.mark.parametrize(
    ("owner", "accepted"),
    [(PATTERN, True), (PATTERN.replace("{tenantid}", TENANT), True), (PATTERN.replace("{tenantid}", "x"), False)],
)
async def test_a_key_that_microsoft_ties_to_an_issuer_signs_for_that_one_alone(
    microsoft: StandIn, owner: str, accepted: bool
) -> None:
    microsoft.published[0]["issuer"] = owner
    if accepted:
        await exchange(microsoft)
    else:
        with pytest.raises(TokenRefused):
            await exchange(microsoft)


@pytest.mark.parametrize("issuer", ["https://accounts.example.evil", "https://evil.example"])
async def test_a_discovery_document_for_another_issuer_is_not_believed(google: StandIn, issuer: str) -> None:
    google.issuer = issuer
    with pytest.raises(ProviderUnavailable):
        await exchange(google)


async def test_a_document_that_is_of_no_use_is_not_kept(google: StandIn) -> None:
    documents = ProviderDocuments()
    issuer, google.issuer = google.issuer, "https://accounts.example.not.yet"
    with pytest.raises(ProviderUnavailable):
        await exchange(google, documents)
    google.issuer = issuer  # mended
    assert (await exchange(google, documents))["sub"] == "1100"


async def test_documents_are_asked_for_again_but_not_for_ever(google: StandIn) -> None:
    google.failures = 2
    await exchange(google)
    google.failures = 3
    with pytest.raises(ProviderUnavailable):
        await exchange(google)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), CodeRefused),
        (httpx.Response(401, json={"error": "invalid_client"}), ClientRefused),
        (httpx.Response(400, json={"error": "redirect_uri_mismatch"}), ClientRefused),
        (httpx.Response(503), ProviderUnavailable),
        (httpx.Response(429), ProviderUnavailable),
        (httpx.Response(200, text="<html>"), ProviderUnavailable),
        (httpx.Response(200, json={"access_token": "a"}), ProviderUnavailable),
        (httpx.Response(200, json={"id_token": "no.such.token"}), TokenRefused),
    ],
)
async def test_a_code_is_never_exchanged_twice(
    google: StandIn, answer: httpx.Response, failure: type[OidcFailure]
) -> None:
    google.refusal = answer
    with pytest.raises(failure) as refused:
        await exchange(google)
    assert google.asked.count("token") == 1
    assert "code-1" not in str(refused.value)
    assert "secret-of-client-1" not in str(refused.value)
