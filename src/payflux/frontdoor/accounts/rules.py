"""What makes an acceptable registration, and how long a session lives. Pure decisions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime, timedelta

from payflux.frontdoor.accounts.passwords import password_problem
from payflux.kit.messages import gettext as _

SESSION_IDLE = timedelta(days=14)
SESSION_ABSOLUTE = timedelta(days=30)

VERIFICATION_GRACE = timedelta(days=7)
"""How long after registration an unproven address opens everything that needs no proof at once."""

FREE_FAILURES = 5
"""Refused sign-ins for one address within :data:`FAILURE_WINDOW` before the next has to wait."""
CLIENT_FREE_FAILURES = 20
"""The same for one network address, whatever it tries to sign in to: an office may share it."""
FAILURE_WINDOW = timedelta(minutes=15)
PRESSURE = 1000
"""Refused sign-ins everywhere within the window from which on each budget is smaller."""
FREE_FAILURES_UNDER_PRESSURE = 2
CLIENT_FREE_FAILURES_UNDER_PRESSURE = 5

REGISTRATIONS_PER_CLIENT = 30
RESETS_PER_CLIENT = 10
OLD_PASSWORDS = 5

EMAIL_MAX = 254
"""Characters of the longest address that mail can be sent to (RFC 5321, 4.5.3.1.3, without the angle brackets)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63})+")


def normalize_email(email: str) -> str:
    """The form of an address in which it is unique: NFKC, no outer spaces, lower case."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def is_email(address: str) -> bool:
    """Whether a normalized `address` has the form of one."""
    return len(address) <= EMAIL_MAX and not _CONTROL.search(address) and bool(_EMAIL.fullmatch(address))


def read_domain(typed: str) -> str | None:
    """The domain that somebody typed, in ASCII and lower case, also as an address or a URL; None where it is none."""
    text = typed.strip().lower().rpartition("@")[2].removeprefix("https://").removeprefix("http://").partition("/")[0]
    try:
        domain = text.encode("idna").decode("ascii").removesuffix(".")
    except UnicodeError:
        return None
    labels = domain.split(".")
    usable = len(labels) > 1 and len(domain) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return domain if usable else None


def domain_of(email: str) -> str:
    """The domain of an address as :func:`read_domain` spells it; empty where it has none."""
    return read_domain(normalize_email(email)) or "" if "@" in email else ""


def country_code(named: str) -> str:
    """`named` as an ISO 3166-1 code of two letters; empty for anything else, as for the XX and T1 of proxies."""
    code = named.strip().upper()
    return code if re.fullmatch("[A-Z]{2}", code) and code != "XX" else ""


def printable(text: str) -> str:
    """`text` without what no screen shows and the database cannot hold."""
    return "".join(character for character in text if character.isprintable())


def registration_problems(*, name: str, email: str, password: str) -> dict[str, str]:
    """What is wrong with a registration, by field; empty when nothing is."""
    problems = {}
    if not name.strip():
        problems["name"] = _("Enter your name.")
    elif len(name) > 200:
        problems["name"] = _("Use at most 200 characters.")
    elif _CONTROL.search(" ".join(name.split())):
        problems["name"] = _("Use letters, digits and punctuation; this holds a control character.")
    if len(email) > 320 or not is_email(normalize_email(email)):
        problems["email"] = _("Enter an e-mail address like you@company.com.")
    if problem := password_problem(password, context=(name, email)):
        problems["password"] = problem
    return problems


SECOND_FACTORS = frozenset({"totp", "recovery_code", "passkey"})


def must_use_sso(email: str, domains: Collection[str], *, role: str, factors: Collection[str]) -> bool:
    """Whether a member whose session is not of the account's identity provider has to come by it: everybody of the
    `domains` it is enforced for, but an owner who proved a second factor, so that somebody can mend it."""
    if not domains or (role == "owner" and SECOND_FACTORS & set(factors)):
        return False
    return domain_of(email) in domains


def session_expiry(created_at: datetime, used_at: datetime) -> datetime:
    """When a session ends: 14 days after its last use, at most 30 days after it began."""
    return min(used_at + SESSION_IDLE, created_at + SESSION_ABSOLUTE)


def throttle_delay(tries: int, *, free: int) -> timedelta:
    """How long after the last of `tries` on a budget the next one is looked at: at once while `free` ones are left,
    then 2, 4, … 60 seconds."""
    if tries < free:
        return timedelta(0)
    return timedelta(seconds=min(2 ** min(tries - free + 1, 6), 60))
