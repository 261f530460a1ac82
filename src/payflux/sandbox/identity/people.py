"""Who can sign in, and what each provider says of them in its tokens. Pure.

developers.google.com/identity/openid-connect, learn.microsoft.com/entra/identity-platform/id-token-claims-reference
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from uuid import NAMESPACE_DNS, UUID, uuid5

from payflux.sandbox.store import Json

CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of Microsoft's personal accounts."""


def _tenant(domain: str) -> str:
    return str(uuid5(NAMESPACE_DNS, domain))


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account at a provider. Two of one `holder` are one account at different times.

    Google says whether it verified the address, and the Workspace domain, if there is one. Microsoft says the tenant,
    and of work accounts, if the application asks for that claim, whether the address' domain is the tenant's own
    (`xms_edov`); an account without it proves nothing about its address.
    """

    key: str
    holder: str
    name: str
    email: str
    story: str
    email_verified: bool = True
    workspace: str = ""
    tenant: str = ""
    domain_owned: bool | None = None

    @property
    def names(self) -> Json:
        given, _, family = self.name.partition(" ")
        return {"name": self.name, "given_name": given, "family_name": family}


GOOGLE_PEOPLE = (
    Person(
        key="alice", holder="alice", name="Alice Owner", email="alice@shop.example", story="Her address is verified."
    ),
    Person(key="bob", holder="bob", name="Bob Member", email="bob@shop.example", story="His address is verified."),
    Person(
        key="charlie",
        holder="charlie",
        name="Charlie Stranger",
        email="charlie@elsewhere.example",
        story="A verified address that nobody knows.",
    ),
    Person(
        key="unverified",
        holder="ursula",
        name="Ursula Unproven",
        email="alice@shop.example",
        email_verified=False,
        story="Gives Alice's address, which Google has not verified: email_verified is false.",
    ),
    Person(
        key="workspace",
        holder="grace",
        name="Grace Works",
        email="grace@workspace.example",
        workspace="workspace.example",
        story="A Google Workspace account: hd is its domain.",
    ),
    Person(key="dana-before", holder="dana", name="Dana Moves", email="dana@before.example", story="Dana, as she was."),
    Person(
        key="dana-after",
        holder="dana",
        name="Dana Moves",
        email="dana@after.example",
        story="The same account (sub) with another address.",
    ),
)
MICROSOFT_PEOPLE = (
    Person(
        key="alice",
        holder="alice",
        name="Alice Owner",
        email="alice@shop.example",
        tenant=CONSUMERS,
        story="A personal account; Microsoft verifies the addresses of those.",
    ),
    Person(
        key="bob",
        holder="bob",
        name="Bob Member",
        email="bob@shop.example",
        tenant=_tenant("shop.example"),
        domain_owned=True,
        story="A work account whose tenant owns the domain: xms_edov is true.",
    ),
    Person(
        key="charlie",
        holder="charlie",
        name="Charlie Stranger",
        email="charlie@elsewhere.example",
        tenant=_tenant("elsewhere.example"),
        story="A work account without xms_edov: nothing is said about the address.",
    ),
    Person(
        key="impostor",
        holder="mallory",
        name="Mallory Admin",
        email="alice@shop.example",
        tenant=_tenant("mallory.example"),
        domain_owned=False,
        story="Wrote Alice's address into an account of a tenant of their own: xms_edov is false.",
    ),
    Person(
        key="dana-before",
        holder="dana",
        name="Dana Moves",
        email="dana@before.example",
        tenant=_tenant("before.example"),
        domain_owned=True,
        story="Dana, as she was.",
    ),
    Person(
        key="dana-after",
        holder="dana",
        name="Dana Moves",
        email="dana@after.example",
        tenant=_tenant("before.example"),
        domain_owned=True,
        story="The same account (tid and oid) with another address.",
    ),
)
TENANTS = {person.tenant for person in MICROSOFT_PEOPLE}


def google_claims(person: Person, scopes: Collection[str]) -> Json:
    """What Google's tokens and userinfo say beside the protocol's own claims."""
    number = int.from_bytes(_digest("google", person.holder)) % 10**20
    claims: Json = {"sub": f"1{number:020d}"}
    if person.workspace:
        claims["hd"] = person.workspace
    if "email" in scopes:
        claims |= {"email": person.email, "email_verified": person.email_verified}
    if "profile" in scopes:
        claims |= person.names
    return claims


def microsoft_claims(person: Person, scopes: Collection[str]) -> Json:
    """What Microsoft's id tokens say beside the protocol's own claims; `sub` is another one for every application."""
    digest = _digest("microsoft", person.holder)
    claims: Json = {"sub": base64.urlsafe_b64encode(digest).decode().rstrip("="), "tid": person.tenant, "ver": "2.0"}
    if "email" in scopes:
        claims["email"] = person.email
        if person.domain_owned is not None:
            claims["xms_edov"] = person.domain_owned
    if "profile" in scopes:
        oid = UUID(bytes=digest[:16], version=4)
        claims |= {"oid": str(oid), "name": person.name, "preferred_username": person.email}
    return claims


def microsoft_userinfo(person: Person, scopes: Collection[str]) -> Json:
    """What Microsoft's userinfo says, which is less."""
    claims = microsoft_claims(person, scopes)
    told: Json = {"sub": claims["sub"]}
    if "email" in scopes:
        told["email"] = person.email
    if "profile" in scopes:
        told |= person.names
    return told


def _digest(provider: str, holder: str) -> bytes:
    return hashlib.sha256(f"{provider}/{holder}".encode()).digest()
