"""How a key is written, what it may be for, and how long. Pure but for the randomness of a new key."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple
from zlib import crc32

from payflux.frontdoor.accounts.team.capabilities import may
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark

Environment = Literal["live", "test"]
"""`test` keys are made by an installation that stands on the sandbox or on Stripe's test mode, `live` ones by every
other. Neither opens the other kind, so that a key from a trial run does nothing to real money."""

_ALPHABET = string.digits + string.ascii_letters
_RANDOM, _CHECKSUM = 32, 6  # letters; 32 of 62 are 190 bits
_WRITTEN = re.compile(rf"pfx_(?P<environment>live|test)_[{_ALPHABET}]{{{_RANDOM + _CHECKSUM}}}")

LIFETIMES = (7, 30, 90, 180, 365)
"""Days that a key can be good for."""
DEFAULT_LIFETIME = 90
OVERLAPS = (0, 1, 24, 168)
"""Hours that a rotated key stays good beside the new one."""
DEFAULT_OVERLAP = 24
NAME_MAX = 100
MOST_KEYS = 50
"""Keys that an account can have in use at once."""


class Scope(NamedTuple):
    """What a key may be let do: the capability that its owner's role needs for it, and what it means in words."""

    capability: str
    words: str


SCOPES: dict[str, Scope] = {
    "risk:read": Scope("monitor.read", mark("Read the risk band, its reasons, and scan websites")),
    "projections:read": Scope("monitor.read", mark("Read reserve projections and how they were scored")),
    "events:read": Scope("monitor.read", mark("Read payment events")),
    "events:write": Scope("connection.manage", mark("Post payment events")),
    "alerts:read": Scope("monitor.read", mark("Read alerts")),
    "alerts:write": Scope("alerts.manage", mark("Acknowledge, snooze and resolve alerts")),
    "alert-rules:write": Scope("alerts.manage", mark("Add, change and remove alert rules, and test them")),
    "sinks:read": Scope("alerts.manage", mark("Read webhook sinks and their deliveries")),
    "sinks:write": Scope("alerts.manage", mark("Add, test, replay and remove webhook sinks")),
    "evidence:read": Scope("monitor.read", mark("Read the signed evidence and its proofs")),
    "evidence:write": Scope("evidence.export", mark("Bring evidence from elsewhere")),
    "exports:write": Scope("evidence.export", mark("Make exports of evidence and download them")),
    "what-if:run": Scope("monitor.read", mark("Ask what would happen if")),
    "scim:write": Scope("sso.manage", mark("Create, change and remove members, as your company's directory does")),
    "usage:read": Scope("monitor.read", mark("Read what is used of the plan")),
}
"""Every scope of a key."""


class KeyState(StrEnum):
    ACTIVE = "active"
    ROTATING = mark("rotating")  # replaced, and still good for a while
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def opens(self) -> bool:
        return self in (KeyState.ACTIVE, KeyState.ROTATING)


def state_at(
    now: datetime, *, expires_at: datetime, revoked_at: datetime | None, replaced_by: object | None
) -> KeyState:
    """How a key with these columns stands at `now`."""
    if revoked_at is not None:
        return KeyState.REVOKED
    if expires_at <= now:
        return KeyState.EXPIRED
    return KeyState.ACTIVE if replaced_by is None else KeyState.ROTATING


def new_key(environment: Environment) -> str:
    """A key that was never given out: `pfx_live_` or `pfx_test_`, 32 random letters and digits, and six of checksum."""
    body = f"pfx_{environment}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + checksum(body)


def environment_of(text: str) -> Environment | None:
    """The environment of a key; None for what cannot be one, such as one that was mistyped or cut off.

    It is told by the checksum alone, so that no such text is looked up anywhere.
    """
    written = _WRITTEN.fullmatch(text)
    if written is None or checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return "live" if written["environment"] == "live" else "test"


def checksum(body: str) -> str:
    """CRC-32 of what stands before it, in base 62: catches a typing error, and lets a scanner for leaked secrets tell a
    key from other text."""
    number, letters = crc32(body.encode()), ""
    for _place in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        letters = _ALPHABET[digit] + letters
    return letters


def scopes_within(role: str) -> list[str]:
    """The scopes that a member in `role` can give a key."""
    return [name for name, scope in SCOPES.items() if may(role, scope.capability)]


def problems_of(role: str, *, name: str, scopes: Iterable[str], days: int) -> dict[str, str]:
    """What is wrong with a key that a member in `role` asks for, by field."""
    problems, chosen = {}, set(scopes)
    if not name.strip():
        problems["name"] = _("Give the key a name that says what uses it.")
    elif len(name.strip()) > NAME_MAX or not name.isprintable():
        problems["name"] = _("Use at most %(most)s printable characters.") % {"most": NAME_MAX}
    beyond = sorted(chosen - set(scopes_within(role)))
    if not chosen:
        problems["scopes"] = _("Choose at least one thing that the key may do.")
    elif beyond:
        problems["scopes"] = _("Your role cannot give %(scopes)s.") % {"scopes": ", ".join(beyond)}
    if days not in LIFETIMES:
        problems["days"] = _("Choose one of %(choices)s days.") % {"choices": ", ".join(map(str, LIFETIMES))}
    return problems


def end_of_overlap(expires_at: datetime, now: datetime, *, hours: int) -> datetime:
    """When a rotated key ends: after the overlap, and never later than it would have."""
    return min(expires_at, now + timedelta(hours=hours))
