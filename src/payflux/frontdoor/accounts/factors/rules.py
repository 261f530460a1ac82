"""What counts as a proof, for how long, and which may be removed. Pure decisions."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyotp import TOTP

SECOND_STEP_TIME = timedelta(minutes=10)
"""How long one may take between the first step of a sign-in and the second."""
SECOND_STEP_ATTEMPTS = 5
"""Wrong codes after which the first step has to be taken again."""

TOTP_SETUP_TIME = timedelta(hours=1)
CHALLENGE_TIME = timedelta(minutes=5)
"""How long a passkey may take to answer."""

RECOVERY_CODES = 10
PASSKEYS_MAX = 20

_STEPS_AROUND = (0, -1, 1)  # RFC 6238, section 5.2: one step for the network's delay and for clocks that differ
_RECOVERY_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without i, l, o, 0 and 1, which are misread


@dataclass(frozen=True)
class SignInMethods:
    """How a user can sign in: by password, by so many passkeys, by these providers. `totp`: whether a password or a
    provider then asks for a code."""

    password: bool
    passkeys: int
    providers: tuple[str, ...]
    totp: bool

    @property
    def count(self) -> int:
        return self.password + self.passkeys + len(self.providers)


def may_remove_method(methods: SignInMethods) -> bool:
    """Whether one sign-in method can go: not the last, which would keep its owner out."""
    return methods.count > 1


def matching_step(secret: str, code: str, now: datetime, *, last_step: int | None) -> int | None:
    """The time step (30 seconds) whose code `code` is, within one step of `now`, or None.

    A step no later than `last_step` never matches, so that a code works once (RFC 6238, section 5.2).
    """
    totp = TOTP(secret)
    current = totp.timecode(now)
    digits = re.sub(r"[\s-]", "", code)
    for step in (current + away for away in _STEPS_AROUND):
        is_new = last_step is None or step > last_step
        if hmac.compare_digest(digits.encode(), totp.generate_otp(step).encode()) and is_new:
            return step
    return None


def new_recovery_code() -> str:
    """Ten characters of 31, about 50 bits, in two groups."""
    characters = "".join(secrets.choice(_RECOVERY_ALPHABET) for _ in range(10))
    return f"{characters[:5]}-{characters[5:]}"


def normalize_recovery_code(typed: str) -> str:
    """A code as it was shown, whatever case, spaces and hyphens it was typed with; empty where it cannot be one."""
    characters = re.sub(r"[\s-]", "", typed).lower()
    is_one = len(characters) == 10 and set(characters) <= set(_RECOVERY_ALPHABET)
    return f"{characters[:5]}-{characters[5:]}" if is_one else ""
