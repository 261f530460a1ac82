"""What differs between Google and Microsoft: addresses, issuers, clients, people and claims. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from payflux.sandbox.identity.people import (
    CONSUMERS,
    GOOGLE_PEOPLE,
    MICROSOFT_PEOPLE,
    TENANTS,
    Person,
    google_claims,
    microsoft_claims,
    microsoft_userinfo,
)
from payflux.sandbox.store import Json

SCOPES = ("openid", "email", "profile")
Claims = Callable[[Person, Collection[str]], Json]


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Paths may hold `{tenant}`. `client_secret` is published: it opens nothing outside of the sandbox."""

    name: str
    label: str
    people: tuple[Person, ...]
    issuer: str
    discovery: str
    authorize: str
    token: str
    keys: str
    userinfo: str
    claims: Claims
    told: Claims  # by userinfo

    @property
    def client_id(self) -> str:
        return f"{self.name}-sandbox"

    @property
    def client_secret(self) -> str:
        return f"{self.name}-sandbox-secret"

    def person(self, key: str, tenant: str = "") -> Person | None:
        return next((person for person in self.people_of(tenant) if person.key == key), None)

    def people_of(self, tenant: str) -> list[Person]:
        """Who may sign in through the address of `tenant`: common, organizations, consumers or a tenant's id."""
        asked = CONSUMERS if tenant == "consumers" else tenant
        return [
            person
            for person in self.people
            if asked in ("", "common", person.tenant) or (asked == "organizations" and person.tenant != CONSUMERS)
        ]

    def issuer_of(self, base: str, tenant: str) -> str:
        """The issuer that tokens name; `tenant` is the id of the person's own tenant."""
        return base + self.issuer.format(tenant=tenant)

    def metadata(self, base: str, tenant: str = "") -> Json:
        """The discovery document. As at Microsoft, the issuer of what is no single tenant is a pattern."""
        issued_by = CONSUMERS if tenant == "consumers" else tenant
        if tenant in ("common", "organizations"):
            issued_by = "{tenantid}"
        return {
            "issuer": self.issuer_of(base, issued_by),
            "authorization_endpoint": base + self.authorize.format(tenant=tenant),
            "token_endpoint": base + self.token.format(tenant=tenant),
            "userinfo_endpoint": base + self.userinfo,
            "jwks_uri": base + self.keys.format(tenant=tenant),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["pairwise" if self is MICROSOFT else "public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": list(SCOPES),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": sorted(
                {"aud", "exp", "iat", "iss", "nonce"}.union(*(self.claims(person, SCOPES) for person in self.people))
            ),
        }


GOOGLE = Provider(
    name="google",
    label="Google",
    people=GOOGLE_PEOPLE,
    issuer="/google",
    discovery="/google/.well-known/openid-configuration",
    authorize="/google/o/oauth2/v2/auth",
    token="/google/token",  # noqa: S106 - an address
    keys="/google/oauth2/v3/certs",
    userinfo="/google/v1/userinfo",
    claims=google_claims,
    told=google_claims,
)
MICROSOFT = Provider(
    name="microsoft",
    label="Microsoft",
    people=MICROSOFT_PEOPLE,
    issuer="/microsoft/{tenant}/v2.0",
    discovery="/microsoft/{tenant}/v2.0/.well-known/openid-configuration",
    authorize="/microsoft/{tenant}/oauth2/v2.0/authorize",
    token="/microsoft/{tenant}/oauth2/v2.0/token",  # noqa: S106 - an address
    keys="/microsoft/{tenant}/discovery/v2.0/keys",
    userinfo="/microsoft/oidc/userinfo",
    claims=microsoft_claims,
    told=microsoft_userinfo,
)
PROVIDERS = (GOOGLE, MICROSOFT)
TENANT_NAMES = {"common", "organizations", "consumers"} | TENANTS
