"""The files that machines look for at fixed addresses: what to read, what there is, and whom to tell of a weakness."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from payflux.kit.errors import NotFound
from payflux.kit.messages import LANGUAGES
from payflux.kit.messages import gettext as _
from payflux.web.guards import CurrentWorld
from payflux.web.launch import SelfServe
from payflux.web.pages.legal import PAGES
from payflux.web.pages.sales import CONTACT
from payflux.web.policies import Audience, guard

router = APIRouter()

PUBLIC = [guard(Audience.PUBLIC)]
CLOSED = (
    "/account",
    "/activate",
    "/admin",
    "/api",
    "/auth",
    "/dashboard",
    "/hooks",
    "/mail",
    "/uploads",
    "/verify-email",
)
"""What no crawler finds anything behind."""
GOOD_FOR = timedelta(days=180)
"""How long security.txt may be relied on; RFC 9116 asks for less than a year."""
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


@router.get("/robots.txt", dependencies=PUBLIC)
async def robots(world: CurrentWorld) -> Response:
    """RFC 9309. An installation in development is nobody's to find."""
    if world.settings.environment != "production":
        return PlainTextResponse("User-agent: *\nDisallow: /\n")
    closed = "".join(f"Disallow: {path}\n" for path in CLOSED)
    return PlainTextResponse(f"User-agent: *\n{closed}\nSitemap: {world.settings.url}/sitemap.xml\n")


@router.get("/sitemap.xml", dependencies=PUBLIC)
async def sitemap(world: CurrentWorld, open_to_all: SelfServe) -> Response:
    """Every page that a stranger may read, as sitemaps.org describes it."""
    paths = [
        "/",
        "/scan",
        *(["/pricing"] if open_to_all else []),
        CONTACT,
        "/developers",
        *(f"/{page}" for page in PAGES),
    ]
    entries = "".join(f"<url><loc>{world.settings.url}{path}</loc></url>" for path in paths)
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="{_SITEMAP}">{entries}</urlset>\n'
    return Response(body, media_type="application/xml")


@router.get("/.well-known/security.txt", dependencies=PUBLIC)
async def security_txt(world: CurrentWorld) -> Response:
    """RFC 9116. Raises NotFound where nobody is named for it."""
    settings = world.settings
    if not settings.security_email:
        raise NotFound(_("There is no page here."), way_out=_("Check the address, or start from the first page."))
    expires = (world.clock.now() + GOOD_FOR).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    lines = (
        f"Contact: mailto:{settings.security_email}",
        f"Expires: {expires}",
        f"Preferred-Languages: {', '.join(LANGUAGES)}",
        f"Canonical: {settings.url}/.well-known/security.txt",
        f"Policy: {settings.url}/trust",
    )
    return PlainTextResponse("\n".join(lines) + "\n")


@router.get("/favicon.ico", dependencies=PUBLIC)
async def favicon() -> Response:
    """The icon, where a browser asks for it without having read a page."""
    icon = (files("payflux") / "static" / "img" / "favicon.ico").read_bytes()
    return Response(icon, media_type="image/x-icon", headers={"Cache-Control": "public, max-age=86400"})
