"""The shops' pages, by the name they are asked by. What stands before them ends TLS, and says how it was asked."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Host, Route, Router

from payflux.settings import SANDBOX_STOREFRONTS

ENCRYPTED = frozenset({"harbour-tea.localhost", "gadget-corner.localhost"})
"""The shops that answer over HTTPS; the other leads to plain HTTP."""

_PAGES = files("payflux.sandbox") / "storefronts"
_TITLE = "title: "


def shop_pages(host: str) -> dict[str, str]:
    """The whole HTML of every page of a shop, by its path."""
    folder = _PAGES / host.removesuffix(".localhost").replace("-", "_")
    around = (folder / "_around.html").read_text()
    found = {}
    for file in folder.iterdir():
        name = file.name.removesuffix(".html")
        if not name.startswith("_") and file.name.endswith(".html"):
            first, _, body = file.read_text().partition("\n")
            title = escape(first.removeprefix(_TITLE))
            path = "/" if name == "index" else f"/{name}"
            found[path] = around.replace("TITLE", title).replace("CONTENT", body)
    return found


async def _page(request: Request) -> Response:
    host = request.url.hostname or ""
    if request.headers.get("X-Forwarded-Proto") == "https" and host not in ENCRYPTED:
        return RedirectResponse(f"http://{host}{request.url.path}", 301)
    found = shop_pages(host).get(request.url.path)
    if found is None:
        return HTMLResponse("<!doctype html><title>Not found</title><p>There is no such page.", 404)
    return HTMLResponse(found)


async def _robots(_request: Request) -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /checkout\nDisallow: /internal\n")


_SHOP = Router([Route("/robots.txt", _robots), Route("/{path:path}", _page)])
ROUTES = [Host(host, _SHOP) for host in SANDBOX_STOREFRONTS]
