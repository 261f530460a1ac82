"""A provider of one person's ID tokens, in this process, whose answers a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from payflux.world.oidc import OidcClient, OidcProvider, ProviderDocuments

GOOGLE = OidcProvider(
    "google", "https://accounts.example", "https://accounts.example", "client-1", SecretStr("secret-of-client-1")
)
MICROSOFT = OidcProvider(
    "microsoft",
    "https://login.example/common/v2.0",
    "https://login.example/",
    "client-1",
    SecretStr("secret-of-client-1"),
)


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


KEY, OTHER_KEY = new_key("first"), new_key("second")


class StandIn:
    """`claims` are signed by `key`; `published` is the key set; `refusal` answers the token request instead."""

    def __init__(self, provider: OidcProvider, issuer: str) -> None:
        self.provider, self.issuer = provider, issuer
        self.key = KEY
        self.id_token = ""  # instead of one that is signed by `key`
        self.published: list[dict[str, Any]] = [dict(KEY.as_dict(private=False))]
        self.claims: dict[str, object] = {}
        self.refusal: httpx.Response | None = None
        self.failures = 0
        self.asked: list[str] = []
        self.token_request: Mapping[str, str] = {}

    def client(self, documents: ProviderDocuments | None = None) -> OidcClient:
        async def no_pause(_seconds: float) -> None: ...

        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return OidcClient(self.provider, http, documents or ProviderDocuments(), sleep=no_pause)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        root = "https://login.example" if "login" in request.url.host else "https://accounts.example"
        match request.url.path.rpartition("/")[2]:
            case "openid-configuration":
                return httpx.Response(
                    200,
                    json={
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{root}/authorize",
                        "token_endpoint": f"{root}/token",
                        "jwks_uri": f"{root}/keys",
                        "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
                    },
                )
            case "keys":
                return httpx.Response(200, json={"keys": self.published})
        self.token_request = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        return self.refusal or httpx.Response(
            200, json={"id_token": self.id_token or self._signed(), "access_token": "not kept", "token_type": "Bearer"}
        )

    def _signed(self) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, self.claims, self.key, algorithms=["RS256"])
