"""Whether a password is known from leaks, asked of a range API as Have I Been Pwned offers it.

Only the first five hexadecimal digits of the password's SHA-1 leave the product (k-anonymity); the answer is padded.
Source: haveibeenpwned.com/API/v3, "Searching by range". Off unless the settings name an address.
"""

from __future__ import annotations

import hashlib

import httpx
import structlog

from payflux.world.bootstrap import World

_TIMEOUT = 2.0  # seconds

log = structlog.get_logger(__name__)


async def is_leaked(world: World, password: str) -> bool:
    """Whether `password` is in the list. False, with a line in the log, when the API does not answer: a registration
    does not depend on it."""
    if not world.settings.leaked_passwords_url:
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    url = f"{world.settings.leaked_passwords_url.rstrip('/')}/{digest[:5]}"
    try:
        answer = await world.http.get(url, headers={"Add-Padding": "true"}, timeout=_TIMEOUT)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        log.warning("leaked passwords not looked up", reason=type(error).__name__)
        return False
    entries = (line.partition(":") for line in answer.text.splitlines())
    # padding has the count 0
    return any(suffix == digest[5:] and count.strip() != "0" for suffix, _, count in entries)
