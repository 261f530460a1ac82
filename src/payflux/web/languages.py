"""In which language a request is answered: the member's own choice, else the browser's cookie, else what it accepts."""

from __future__ import annotations

from babel.core import negotiate_locale
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payflux.kit.messages import LANGUAGES, SOURCE_LANGUAGE, language, speaking
from payflux.settings import Settings
from payflux.web.security import cookie_name

COOKIE = "language"
_UNTRANSLATED = ("/admin", "/hooks", "/static", "/api/v1")
"""Where nobody but staff and machines reads, by the beginning of the path: always English."""
_MOST_RANGES = 20


class Languages:
    """Speaks the language of each HTTP exchange, and says in its answer which one that is.

    Who is asking is known only inside; :func:`payflux.web.guards.visitor` goes on in what they chose.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._app = app
        self._cookie = cookie_name(settings, COOKIE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_translated(scope["path"]):
            await self._app(scope, receive, send)
            return

        async def send_spoken(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Language"] = language()
                headers.add_vary_header("Accept-Language")
                headers.add_vary_header("Cookie")
            await send(message)

        request = Request(scope)
        kept = request.cookies.get(self._cookie, "")
        with speaking(kept if kept in LANGUAGES else accepted(request.headers.get("Accept-Language", ""))):
            await self._app(scope, receive, send_spoken)


def is_translated(path: str) -> bool:
    """Whether people read what `path` answers with, in their own language."""
    return not path.startswith(_UNTRANSLATED)


def accepted(header: str) -> str:
    """The language that an Accept-Language `header` asks for most among ours, English where it asks for none of them:
    RFC 9110 section 12.5.4. A region falls back on its language; what has the weight 0 is refused."""
    weighted: list[tuple[float, str]] = []
    for each in header.split(",")[:_MOST_RANGES]:
        name, _, weight = each.partition(";")
        try:
            quality = float(weight.partition("=")[2]) if weight.strip() else 1.0
        except ValueError:
            continue
        if 0 < quality <= 1 and name.strip():
            weighted.append((quality, SOURCE_LANGUAGE if name.strip() == "*" else name.strip().lower()))
    preferred = [name for _, name in sorted(weighted, key=lambda one: -one[0])]
    return negotiate_locale(preferred, list(LANGUAGES), sep="-") or SOURCE_LANGUAGE
