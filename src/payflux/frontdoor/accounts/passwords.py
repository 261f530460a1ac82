"""Passwords: what makes one acceptable, and how it is kept."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.world.bootstrap import World
from payflux.world.leaks import is_leaked

PASSWORD_MIN = 10
PASSWORD_MAX = 128
PASSWORD_STRENGTH = 3
"""The least zxcvbn score (0 to 4) of an acceptable password: 3 is "safely unguessable", about 10^8 guesses."""

LEAKED = mark(
    "This password is in lists of passwords that were stolen elsewhere. Choose one that you use nowhere else."
)
_LEAKED = frozenset(FREQUENCY_LISTS["passwords"])
"""The 30,000 most frequent passwords of public leaks, in lower case: the list that zxcvbn comes with (MIT licence; from
the Xato corpus of ten million passwords, see the `data` folder of github.com/dropbox/zxcvbn)."""

_WARNINGS = (
    mark("A word by itself is easy to guess"),
    mark("Common names and surnames are easy to guess"),
    mark("Dates are often easy to guess"),
    mark("Names and surnames by themselves are easy to guess"),
    mark("Recent years are easy to guess"),
    mark("Sequences like abc or 6543 are easy to guess"),
    mark("Short keyboard patterns are easy to guess"),
    mark("Straight rows of keys are easy to guess"),
    mark("This is a top-10 common password"),
    mark("This is a top-100 common password"),
    mark("This is a very common password"),
    mark("This is similar to a commonly used password"),
    mark('Repeats like "aaa" are easy to guess'),
    mark('Repeats like "abcabcabc" are only slightly harder to guess than "abc"'),
)
"""What zxcvbn warns of, for whoever translates."""

_HASHES = PasswordHash((Argon2Hasher(),))


def normalize_password(password: str) -> str:
    """NFKC, so that the same password typed on another keyboard is the same (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password)


def password_problem(password: str, *, context: tuple[str, ...]) -> str:
    """Why `password` is not acceptable, or an empty string. `context` are words that a guesser would try first."""
    password = normalize_password(password)
    if len(password) < PASSWORD_MIN:
        return _("Use at least %(password_min)s characters; a few unrelated words work well.") % {
            "password_min": PASSWORD_MIN
        }
    if len(password) > PASSWORD_MAX:
        return _("Use at most %(password_max)s characters.") % {"password_max": PASSWORD_MAX}
    if password.lower() in _LEAKED:
        return _(LEAKED)
    words = [part for text in (*context, "payflux") for part in re.split(r"[\s@.+_-]+", text.lower()) if len(part) > 2]
    # zxcvbn's time grows faster than the input's length; what is beyond 72 characters cannot make it weaker
    result = zxcvbn(password[:72], user_inputs=words)
    if result["score"] >= PASSWORD_STRENGTH:
        return ""
    warning: str = result["feedback"]["warning"] or mark("This password is easy to guess")
    reason = _(warning)
    return _("%(reason)s. Add another word or two that have nothing to do with you.") % {"reason": reason.rstrip(".")}


async def leak_problem(world: World, password: str) -> str:
    """Why a password that is acceptable otherwise is not, after a look at Have I Been Pwned where the settings ask for
    one; an empty string also when that does not answer."""
    return _(LEAKED) if await is_leaked(world, normalize_password(password)) else ""


async def hash_password(password: str) -> str:
    """The Argon2id hash under which `password` is kept."""
    # slow on purpose, so it runs beside the event loop and not on it
    return await asyncio.to_thread(_HASHES.hash, normalize_password(password))


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether `password` is the one that was hashed. Without a hash it takes as long, and is false."""
    typed = normalize_password(password[: 4 * PASSWORD_MAX])
    correct = await asyncio.to_thread(lambda: _HASHES.verify(typed, password_hash or _decoy()))
    return correct and password_hash is not None


@cache
def _decoy() -> str:
    return _HASHES.hash("no user has this password")
