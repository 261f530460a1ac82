"""What a provider's word is worth, and what follows when someone comes back from one. Pure decisions.

Facts: developers.google.com/identity/openid-connect/openid-connect, learn.microsoft.com/entra/identity-platform (ID
token claims reference; optional claims, `xms_edov`). An address that a provider merely repeats proves nothing: whoever
runs an Entra tenant may write any address into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from payflux.frontdoor.accounts.rules import is_email, normalize_email

CONSUMER_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts, whose addresses Microsoft itself has checked."""


class Provider(StrEnum):
    """Who vouches for a person in our place."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"

    @property
    def label(self) -> str:
        return self.value.capitalize()


@dataclass(frozen=True)
class Profile:
    """A person as a provider knows them. `issuer` and `subject` together are who they are, for ever; `email` is where
    they can be written to now (empty where the provider tells none), and `attested` says whether the provider has
    checked that it is theirs."""

    provider: Provider
    issuer: str
    subject: str
    email: str
    attested: bool
    name: str


class UnusableProfile(Exception):
    """A provider's ID token does not say who the person is."""


def profile_of(provider: Provider, claims: Mapping[str, object]) -> Profile:
    """Who the claims of a validated ID token tell of. Raises UnusableProfile.

    Microsoft's `sub` differs for each application, so a person is their object id in the tenant that the issuer names.
    """
    subject = _text(claims, "sub" if provider is Provider.GOOGLE else "oid")
    if not subject:
        raise UnusableProfile(f"the ID token of {provider.label} names no subject")
    told = _text(claims, "email")
    email = told or (_text(claims, "preferred_username") if provider is Provider.MICROSOFT else "")
    if not is_email(normalize_email(email)):
        email = ""
    return Profile(
        provider=provider,
        issuer=_text(claims, "iss"),
        subject=subject,
        email=email,
        attested=bool(email) and email == told and _attests(provider, claims),
        name=_text(claims, "name")[:200],
    )


def _attests(provider: Provider, claims: Mapping[str, object]) -> bool:
    if provider is Provider.GOOGLE:
        return _is_true(claims.get("email_verified"))
    return _is_true(claims.get("xms_edov")) or claims.get("tid") == CONSUMER_TENANT


def _is_true(value: object) -> bool:
    # both providers have sent it as a boolean, as text and, Microsoft, as a number
    return value is True or value == 1 or (isinstance(value, str) and value.lower() in ("true", "1"))


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


class Holder(StrEnum):
    """Who has the address that a provider tells, of those who come by an identity that nobody has yet."""

    NOBODY = "nobody"
    VERIFIED = "a user who has proven it"
    PROTECTED = "a user who has proven it and signs in by two steps"
    CONNECTED = "a user who has proven it and has another identity of this provider"
    UNVERIFIED = "a user who has not proven it"


class SignInStep(StrEnum):
    """What follows when a stranger comes back from a provider."""

    CREATE_VERIFIED = "create a user whose address is proven"
    CREATE_UNVERIFIED = "create a user, and check the address by our own mail"
    CONFIRM = "ask whether to connect, then sign in"
    SIGN_IN_FIRST = "ask to sign in by both steps, then to connect"
    CLAIM = "take everything from whoever squatted on the address, then give it to its owner"
    TELL_BY_MAIL = "answer as if a user were created, and tell the holder of the address by mail alone"
    REFUSE = "say that another identity of this provider is connected"
    NOT_OPEN = "say that nobody may register yet without an invite"


SIGN_IN_STEPS: dict[tuple[Holder, bool], SignInStep] = {
    (Holder.NOBODY, True): SignInStep.CREATE_VERIFIED,
    (Holder.NOBODY, False): SignInStep.CREATE_UNVERIFIED,
    (Holder.VERIFIED, True): SignInStep.CONFIRM,
    (Holder.VERIFIED, False): SignInStep.TELL_BY_MAIL,
    (Holder.PROTECTED, True): SignInStep.SIGN_IN_FIRST,
    (Holder.PROTECTED, False): SignInStep.TELL_BY_MAIL,
    (Holder.CONNECTED, True): SignInStep.REFUSE,
    (Holder.CONNECTED, False): SignInStep.TELL_BY_MAIL,
    (Holder.UNVERIFIED, True): SignInStep.CLAIM,
    (Holder.UNVERIFIED, False): SignInStep.TELL_BY_MAIL,
}
"""By who holds the address and whether the provider attests it. An attested address is proof of ownership, so its owner
may be told what stands there; to anyone else every answer is the same."""


class LinkStep(StrEnum):
    """What follows when a signed-in user comes back from a provider to connect it."""

    CONNECT = "connect"
    NOTHING = "it is connected already"
    UNVERIFIED = "the user's own address has to be proven first"
    TAKEN = "the identity belongs to another user"
    ANOTHER = "another identity of this provider is connected"


def link_step(*, mine: bool, taken: bool, has_another: bool, verified: bool) -> LinkStep:
    """What to do with an identity that is `mine` already, or `taken` by another user, or nobody's.

    The addresses need not agree: whoever is signed in here and there has proven to be both.
    """
    if mine:
        return LinkStep.NOTHING
    if not verified:
        return LinkStep.UNVERIFIED
    if taken:
        return LinkStep.TAKEN
    return LinkStep.ANOTHER if has_another else LinkStep.CONNECT
