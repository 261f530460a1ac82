"""Which domains can be proven, and for how long; what an identity provider's word is worth, and which role a directory
gives. Pure."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from cryptography.x509 import load_der_x509_certificate

from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.accounts.team.capabilities import Role
from payflux.kit.messages import gettext as _

RECORD = "_payflux-challenge"
"""The label below which a domain's challenge stands, beside everything else in its DNS."""
FACTOR = "sso"
"""What a session was proven by that an identity provider opened."""
MOST_DOMAINS = 20
DEFAULT_ROLES = (Role.VIEWER, Role.ANALYST, Role.ADMIN)
"""What a new member can become, from the lowest on; nobody becomes the owner."""

LOOK_AGAIN, LOOK_SOON = timedelta(days=7), timedelta(hours=20)
"""How long after its record was seen a domain is looked up again, and how long after it was not."""
WORTH_TELLING = timedelta(days=3)
LAPSES_AFTER = timedelta(days=14)
"""For how long a record has to be missing before somebody is told, and before the domain is given up."""

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_HOST = re.compile(
    r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"
    r"|\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]+"
)
"""A host as a SAML sign-in page is asked for by: its name in ASCII, or its address."""


@dataclass(frozen=True)
class Asserted:
    """A person as the account's identity provider knows them: `issuer` and `subject` are who they are, `email` where
    they are written to now, normalized."""

    issuer: str
    subject: str
    email: str
    name: str


class UnusableAssertion(Exception):
    """The identity provider does not say who the person is, or not in a way that can be gone by."""


def record_value(challenge: str) -> str:
    """What has to stand in the TXT record."""
    return f"payflux-domain={challenge}"


def is_proven(texts: list[str], challenge: str) -> bool:
    """Whether a domain's `texts` hold its `challenge`."""
    return record_value(challenge) in (text.strip() for text in texts)


class Standing(StrEnum):
    """How a proven domain stands whose record is looked up again."""

    SOUND = "sound"
    MISSING = "missing"  # long enough for somebody to be told
    LAPSED = "lapsed"


def standing_of(missing_since: datetime | None, *, times_missing: int, now: datetime) -> Standing:
    """How a domain stands whose record was not there since `missing_since`, at each of `times_missing` looks. One look
    alone decides nothing, however long ago it was."""
    if missing_since is None or times_missing < 2 or now - missing_since < WORTH_TELLING:
        return Standing.SOUND
    return Standing.LAPSED if now - missing_since >= LAPSES_AFTER else Standing.MISSING


def highest_role(roles: Iterable[str | None]) -> str | None:
    """The highest of the roles that somebody's groups give; None where none gives any."""
    given = [role for role in roles if role is not None]
    return max(given, key=lambda role: DEFAULT_ROLES.index(Role(role)), default=None)


def asserted(claims: Mapping[str, object], *, issuer: str) -> Asserted:
    """Who the proven claims of an ID token tell of. Raises UnusableAssertion.

    The issuer is the account's, exactly. An address that it says is not verified is not gone by; one that it says
    nothing about is, for the account has proven the address's domain and chosen the issuer.
    """
    subject, email = _text(claims, "sub"), normalize_email(_text(claims, "email"))
    if claims.get("iss") != issuer or not subject or len(subject) > 255:
        raise UnusableAssertion("the ID token is of another issuer, or names no subject")
    if not is_email(email) or claims.get("email_verified") in (False, "false"):
        raise UnusableAssertion("the ID token names no address that was verified")
    return Asserted(issuer, subject, email, _text(claims, "name")[:200] or email.partition("@")[0])


def asserted_by_saml(*, issuer: str, subject: str, email: str, name: str) -> Asserted:
    """Who a proven assertion tells of. Raises UnusableAssertion."""
    address = normalize_email(email)
    if not subject or len(subject) > 255 or not is_email(address):
        raise UnusableAssertion("the assertion names no subject, or no address")
    return Asserted(issuer, subject, address, name[:200] or address.partition("@")[0])


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def connection_problems(
    *, protocol: str, issuer: str, client_id: str, client_secret: str, sign_in_url: str, certificate: str, role: str
) -> dict[str, str]:
    """What is wrong with a connection that is to be saved, by field."""
    problems = {}
    if role not in DEFAULT_ROLES:
        problems["default_role"] = _("Choose viewer, analyst or admin.")
    if protocol == "oidc":
        if not _is_address(issuer) or urlsplit(issuer).query or "{" in issuer:
            problems["issuer"] = _(
                "Enter the issuer exactly as your provider gives it, such as https://id.example.com."
            )
        if not client_id or len(client_id) > 255 or not client_id.isprintable():
            problems["client_id"] = _("Enter the client id that your provider gave this application.")
        if not client_secret or len(client_secret) > 1000:
            problems["client_secret"] = _("Enter the client secret that your provider gave this application.")
    elif protocol == "saml":
        if not issuer.strip() or len(issuer) > 500 or not issuer.isprintable():
            problems["issuer"] = _("Enter the entity id of your identity provider.")
        if not _is_address(sign_in_url) or not _HOST.fullmatch(urlsplit(sign_in_url).hostname or ""):
            problems["sign_in_url"] = _("Enter the https:// address of your identity provider's sign-in page.")
        if not _is_certificate(certificate):
            problems["certificate"] = _("Paste the signing certificate, from BEGIN CERTIFICATE to END CERTIFICATE.")
    else:
        problems["protocol"] = _("Choose OpenID Connect or SAML.")
    return problems


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.username and port != 0
    return is_web and len(text) <= 500 and text.isprintable() and " " not in text and not parts.fragment


def _is_certificate(text: str) -> bool:
    found = _CERTIFICATE.fullmatch(text.strip()) if len(text) <= 10_000 else None
    if found is None:
        return False
    try:
        load_der_x509_certificate(b64decode(found[1]))
    except ValueError:
        return False
    return True
