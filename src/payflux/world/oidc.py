"""Signing in at an OpenID Connect provider, as a client with a secret: discovery, PKCE, and the ID token's proof.

Sources: OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3.7, Discovery 1.0 section 4.3, RFC 7636, RFC 9700 section 2.1.
Every exchange names its own redirect URI, so that no provider's answer is taken for another's (RFC 9700 section 4.4).
No exception of this module holds a code, a token, a secret or a claim's value. No token is kept.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypedDict, TypeVar
from urllib.parse import quote_plus

import httpx
import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from pydantic import SecretStr

from payflux.settings import Settings
from payflux.world.limiter import Sleep
from payflux.world.public_http import PublicHttp

SCOPES = "openid email profile"
"""Who they are, and nothing that outlives the sign-in: no offline access is asked for."""

LEEWAY = 120  # seconds that a provider's clock may differ from ours
_ALGORITHMS = ("RS256", "PS256", "ES256")  # a public key of the provider's; never a shared secret, never none
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_KEPT = 3_600.0  # seconds that a discovery document or a key set is good for
_ATTEMPTS = 3
_PAUSE = 0.5  # seconds, doubled with each attempt
_TENANT = "{tenantid}"  # stands in Microsoft's issuer where the person's own tenant is to be put
Shape = TypeVar("Shape")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class OidcFailure(Exception):
    """Nobody was signed in by a provider."""


class ProviderUnavailable(OidcFailure):
    """The provider does not answer, or not as it should; later may help."""


class CodeRefused(OidcFailure):
    """The authorization code is unknown, expired, already used, or another browser's."""


class ClientRefused(OidcFailure):
    """The provider does not accept our client id, secret or redirect URI: for whoever runs PayFlux to mend."""


class TokenRefused(OidcFailure):
    """The ID token does not prove what it says."""


@dataclass(frozen=True)
class OidcProvider:
    """A provider and our registration there. Its discovery document stands under `base`, which is its issuer too, but
    that Microsoft's issuer names the person's tenant, and is therefore anything under `issuer_root`. `pages` are where
    a browser that is sent there may land at once."""

    name: str
    base: str
    issuer_root: str
    client_id: str
    client_secret: SecretStr
    pages: tuple[str, ...] = ()


def sign_in_providers(settings: Settings) -> dict[str, OidcProvider]:
    """The providers that people may sign in by, by name; those without a client id and secret are not offered."""
    google, microsoft = settings.google_base, settings.microsoft_base
    tenant = f"{microsoft}/{settings.microsoft_tenant}/v2.0"
    found = (
        OidcProvider("google", google, google, settings.google_client_id, settings.google_client_secret, (google,)),
        OidcProvider(
            "microsoft",
            tenant,
            f"{microsoft}/",
            settings.microsoft_client_id,
            settings.microsoft_client_secret,
            (microsoft, "https://login.live.com"),  # the latter for personal accounts
        ),
    )
    return {each.name: each for each in found if each.client_id and each.client_secret.get_secret_value()}


class _Metadata(msgspec.Struct):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_post",)


class _Keys(TypedDict):
    keys: list[dict[str, Any]]


class _Tokens(msgspec.Struct):
    id_token: str
    access_token: str = ""


class _Error(msgspec.Struct):
    error: str = ""


class ProviderDocuments:
    """Discovery documents and key sets by address, each kept for an hour, so that signing in asks only for tokens."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, bytes]] = {}

    def get(self, url: str) -> bytes | None:
        fetched_at, body = self._kept.get(url, (0.0, None))
        return body if body is not None and self._monotonic() < fetched_at + _KEPT else None

    def put(self, url: str, body: bytes) -> None:
        self._kept[url] = self._monotonic(), body


class OidcClient:
    """PayFlux at one provider."""

    def __init__(
        self,
        provider: OidcProvider,
        http: httpx.AsyncClient | PublicHttp,
        documents: ProviderDocuments,
        *,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._provider, self._http, self._documents = provider, http, documents
        self._sleep, self._jitter = sleep, jitter

    async def authorize_url(self, *, redirect_uri: str, state: str, nonce: str, code_verifier: str) -> str:
        """The provider's page on which a person chooses an account; `state` and a code come back to `redirect_uri`.

        Raises ProviderUnavailable.
        """
        metadata = await self._metadata()
        return prepare_grant_uri(
            metadata.authorization_endpoint,
            self._provider.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=SCOPES,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
            prompt="select_account",
        )

    async def exchange_code(
        self, code: str, *, redirect_uri: str, nonce: str, code_verifier: str, now: datetime
    ) -> dict[str, object]:
        """The claims of the ID token that `code` is exchanged for, all of them proven. Never tried again: a code is
        good once.

        Raises CodeRefused, ClientRefused, TokenRefused or ProviderUnavailable.
        """
        metadata = await self._metadata()
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        ours = (self._provider.client_id, self._provider.client_secret.get_secret_value())
        by_form = "client_secret_post" in metadata.token_endpoint_auth_methods_supported
        if by_form:
            fields |= {"client_id": ours[0], "client_secret": ours[1]}
        # RFC 6749, section 2.3.1: what stands in the header is form-encoded first
        basic = b64encode(":".join(map(quote_plus, ours)).encode()).decode()
        headers = {} if by_form else {"Authorization": f"Basic {basic}"}
        try:
            response = await self._http.post(metadata.token_endpoint, data=fields, headers=headers, timeout=_TIMEOUT)
        except httpx.TransportError as error:
            raise self._unavailable(type(error).__name__) from None
        if response.is_success:
            tokens = self._read(response.content, _Tokens)
            return await self._proven(metadata, tokens, nonce=nonce, now=now)
        if response.is_server_error or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise self._unavailable(f"status {response.status_code}")
        refused = self._read(response.content, _Error).error
        if refused == "invalid_grant":
            raise CodeRefused(f"{self._provider.name} refused the authorization code")
        raise ClientRefused(f"{self._provider.name} refused the client ({refused[:40]})")

    async def _proven(self, metadata: _Metadata, tokens: _Tokens, *, nonce: str, now: datetime) -> dict[str, object]:
        algorithms = [name for name in metadata.id_token_signing_alg_values_supported if name in _ALGORITHMS]
        registry = JWSRegistry(algorithms=algorithms, strict_check_header=False)
        try:
            try:
                keys = await self._keys(metadata)
                token = jwt.decode(tokens.id_token, KeySet.import_key_set(keys), registry=registry)
            except InvalidKeyIdError:  # signed by a key that is newer than what we have
                keys = await self._keys(metadata, fresh=True)
                token = jwt.decode(tokens.id_token, KeySet.import_key_set(keys), registry=registry)
            issuer = self._issuer_of(metadata.issuer, token.claims)
            self._require_key_of(issuer, keys, token.header, token.claims)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"value": issuer}, "aud": {"value": self._provider.client_id}},
                {"nonce": nonce, "client_id": self._provider.client_id, "access_token": tokens.access_token},
            )
            claims.validate(int(now.timestamp()), LEEWAY)
        except (JoseError, ValueError, KeyError) as error:
            raise TokenRefused(f"the ID token of {self._provider.name} is not valid ({type(error).__name__})") from None
        return dict(claims)

    def _issuer_of(self, declared: str, claims: Mapping[str, object]) -> str:
        """The issuer that a token of this person has to name. Raises ValueError where the tenant is none."""
        if _TENANT not in declared:
            return declared
        tenant = claims.get("tid")
        if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
            raise ValueError("tid is no tenant")
        return declared.replace(_TENANT, tenant)

    @staticmethod
    def _require_key_of(issuer: str, keys: _Keys, header: Mapping[str, object], claims: Mapping[str, object]) -> None:
        """Microsoft ties some keys to one issuer, and its documentation asks to check it. Raises ValueError."""
        owner = next((key.get("issuer") for key in keys["keys"] if key.get("kid") == header.get("kid")), None)
        if isinstance(owner, str) and owner.replace(_TENANT, str(claims.get("tid"))) != issuer:
            raise ValueError("the key signs for another issuer")

    async def _metadata(self) -> _Metadata:
        return await self._document(self._well_known, self._read_metadata)

    def _read_metadata(self, body: bytes) -> _Metadata:
        metadata = self._read(body, _Metadata)
        root = self._provider.issuer_root
        if metadata.issuer != root and not (root.endswith("/") and metadata.issuer.startswith(root)):
            raise self._unavailable("its discovery document names another issuer")
        return metadata

    @property
    def _well_known(self) -> str:
        return f"{self._provider.base}/.well-known/openid-configuration"

    async def _keys(self, metadata: _Metadata, *, fresh: bool = False) -> _Keys:
        return await self._document(metadata.jwks_uri, lambda body: self._read(body, _Keys), fresh=fresh)

    async def _document(self, url: str, read: Callable[[bytes], Shape], *, fresh: bool = False) -> Shape:
        """What `read` makes of a document; one that it refuses is not kept."""
        if not fresh and (kept := self._documents.get(url)) is not None:
            return read(kept)
        for attempt in range(_ATTEMPTS):
            if attempt:
                await self._sleep(self._jitter() * _PAUSE * 2**attempt)
            try:
                response = await self._http.get(url, timeout=_TIMEOUT)
            except httpx.TransportError as error:
                reason = type(error).__name__
                continue
            if response.is_success:
                found = read(response.content)
                self._documents.put(url, response.content)
                return found
            reason = f"status {response.status_code}"
        raise self._unavailable(reason)

    def _read(self, body: bytes, shape: type[Shape]) -> Shape:
        try:
            return msgspec.json.decode(body, type=shape)
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise self._unavailable("its answer cannot be read") from None

    def _unavailable(self, reason: str) -> ProviderUnavailable:
        return ProviderUnavailable(f"{self._provider.name} cannot sign anybody in now ({reason})")
