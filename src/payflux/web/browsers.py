"""What a browser tells of itself and keeps for us: its address and user agent, its cookies, where it was going."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from fastapi import Request
from fastapi.responses import Response

from payflux.frontdoor.accounts.sessions import Client, SignedIn
from payflux.kit.crypto import UndecryptableSecret
from payflux.web.security import cookie_name
from payflux.world.bootstrap import World

DAY = 24 * 3600  # seconds
_REGISTERED = "cookie registered"
Answer = TypeVar("Answer", bound=Response)


def client_of(request: Request) -> Client:
    """What is asking, as far as the request tells; the country only where a proxy in front is known to say it."""
    header = request.app.state.world.settings.country_header
    return Client(
        address=request.client.host if request.client else "",
        user_agent=request.headers.get("User-Agent", ""),
        country=request.headers.get(header, "") if header else "",
    )


def session_held(who: SignedIn | None) -> UUID | None:
    """The session that a new one replaces in this browser."""
    return who.session_id if who else None


def keep(response: Answer, world: World, name: str, value: str, *, max_age: int) -> Answer:
    """`response` with our cookie `name` for `max_age` seconds, out of reach of scripts. 0 deletes it, with the
    attributes of its prefix all the same, or a browser would not listen."""
    response.set_cookie(
        cookie_name(world.settings, name),
        value,
        path="/",
        httponly=True,
        samesite="lax",
        secure=world.settings.url.startswith("https://"),
        max_age=max_age,
    )
    return response


def kept(request: Request, world: World, name: str) -> str:
    """What our cookie `name` holds; empty where there is none."""
    return request.cookies.get(cookie_name(world.settings, name), "")


def with_session(response: Answer, world: World, token: str) -> Answer:
    """`response` with the session cookie; an empty `token` deletes it."""
    return keep(response, world, "session", token, max_age=30 * DAY if token else 0)


def with_last_method(response: Answer, world: World, method: str) -> Answer:
    """`response` with a note for the sign-in page: `method` ("password" or a provider) was used last in this
    browser."""
    return keep(response, world, "last_method", method, max_age=400 * DAY)


def with_device(response: Answer, world: World, cookie: str) -> Answer:
    """`response` with the mark of a browser in which somebody has signed in."""
    return keep(response, world, "device", cookie, max_age=400 * DAY)


def last_method(request: Request, world: World) -> str:
    """How somebody signed in last in this browser; empty where nobody did."""
    return kept(request, world, "last_method")


def local_path(path: str) -> str:
    """`path` where it leads to a page of ours; an empty string where it could lead elsewhere."""
    # browsers take a backslash for a slash and skip tabs and line ends
    return path if re.fullmatch(r"/(?!/)[^\\\x00-\x20]*", path) else ""


def keep_address(response: Answer, world: World, address: str) -> Answer:
    """`response` with the address that was registered, encrypted, for the page that asks for the code."""
    sealed = world.secrets.encrypt(address, bound_to=_REGISTERED)
    return keep(response, world, "registered", urlsafe_b64encode(sealed).decode(), max_age=3600)


def with_resend_at(response: Answer, world: World, at: datetime) -> Answer:
    """`response` with a note of when the next mail that proves an address may be sent, for the banner above every page;
    whoever sends it looks for themselves."""
    return keep(response, world, "resend_at", f"{at.timestamp():.0f}", max_age=3600)


def resend_wait(request: Request, world: World) -> int:
    """How many seconds the button that sends that mail again waits in this browser; 0 where it does not."""
    at = kept(request, world, "resend_at")
    return max(0, min(3600, int(at) - int(world.clock.now().timestamp()))) if at.isascii() and at.isdigit() else 0


def kept_address(request: Request, world: World) -> str:
    """The address that was registered in this browser a short time ago; empty where none was."""
    try:
        return world.secrets.decrypt(urlsafe_b64decode(kept(request, world, "registered")), bound_to=_REGISTERED)
    except (ValueError, UndecryptableSecret):
        return ""
