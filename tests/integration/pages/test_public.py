"""What anybody finds: the landing page, the legal pages, and the files at fixed addresses."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from payflux.app import create_app
from payflux.web.pages.legal import PAGES
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser

NAMED = {
    "company_name": "Flux Ltd",
    "company_law": "the laws of Wales",
    "privacy_email": "privacy@payflux.example",
    "security_email": "security@payflux.example",
    "posthog_key": SecretStr("phc_x"),
    "hosting": "Example Hosting GmbH, Germany",
    "trust_claims": "SOC 2 Type II report",
}


async def test_the_landing_page_leads_to_the_scan_the_prices_and_the_way_in(app: FastAPI) -> None:
    page = (await Browser(app).get("/")).text
    assert '<form class="hero__scan" method="post" action="/scan"' in page
    for path in ("/scan", "/pricing", "/login", "/register", "/terms", "/privacy"):
        assert f'href="{path}"' in page
    assert page.count("button--primary") == 1
    assert "A simulated shop, not a customer" in page
    assert re.search(r'property="og:image" content="http[^"]+/static/img/social-card.png"', page)


async def test_before_the_launch_no_public_page_leads_to_what_is_closed(world: World) -> None:
    stranger = Browser(create_app(with_settings(world, self_serve_enabled=False)))
    for path in ("/", "/contact-sales", "/contact-sales/thanks", *(f"/{page}" for page in PAGES)):
        page = await stranger.get(path)
        assert page.status_code == 200
        assert 'href="/pricing"' not in page.text
        assert 'href="/register"' not in page.text
    assert "/pricing" not in (await stranger.get("/sitemap.xml")).text


async def test_the_legal_pages_say_what_the_settings_make_true_and_nothing_else(world: World) -> None:
    plain, named = Browser(create_app(world)), Browser(create_app(with_settings(world, **NAMED)))
    for page in PAGES:
        assert "has not said yet who they are" in (await plain.get(f"/{page}")).text
        assert "Flux Ltd" in (await named.get(f"/{page}")).text
    assert "SOC 2" not in (await plain.get("/trust")).text
    assert "SOC 2 Type II report" in (await named.get("/trust")).text
    assert "hands data to no other service" in (await plain.get("/subprocessors")).text
    handed_to = (await named.get("/subprocessors")).text
    for whom in ("Example Hosting GmbH, Germany", "PostHog (eu.i.posthog.com)"):
        assert whom in handed_to
    assert "the laws of Wales" in (await named.get("/terms")).text


async def test_the_privacy_page_names_every_cookie_that_a_browser_is_given(app: FastAPI) -> None:
    alice = Browser(app)
    await alice.register("Alice")
    await alice.post("/sign-out")
    await alice.sign_in("alice@alice-shop.example")
    await alice.get("/verify-email")
    told = (await alice.get("/privacy")).text
    held = {cookie.name for cookie in alice.http.cookies.jar}
    assert len(held) >= 3
    assert "payflux_resend_at" in held
    assert {name for name in held if name not in told} == set()


async def test_crawlers_are_told_what_to_read_and_of_development_nothing(world: World) -> None:
    assert (await Browser(create_app(world)).get("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
    public = with_settings(world, environment="production", public_url="https://payflux.example")
    crawler = Browser(create_app(public))
    robots = (await crawler.get("/robots.txt")).text
    assert "Disallow: /admin\n" in robots
    assert "Sitemap: https://payflux.example/sitemap.xml" in robots
    sitemap = await crawler.get("/sitemap.xml")
    assert sitemap.headers["Content-Type"].startswith("application/xml")
    listed = re.findall(r"<loc>https://payflux.example(/[^<]*)</loc>", sitemap.text)
    assert {"/", "/pricing", "/terms"} <= set(listed)
    for path in listed:
        assert not any(path.startswith(closed) for closed in re.findall(r"Disallow: (\S+)", robots))


async def test_whoever_finds_a_weakness_finds_whom_to_tell_where_somebody_is_named(world: World) -> None:
    path = "/.well-known/security.txt"
    assert (await Browser(create_app(world)).get(path)).status_code == 404
    fields = (await Browser(create_app(with_settings(world, **NAMED))).get(path)).text
    assert "Contact: mailto:security@payflux.example\n" in fields
    expires = world.clock.now() + timedelta(days=180)
    assert f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}\n" in fields


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("/favicon.ico", b"\x00\x00\x01\x00"),
        ("/static/img/apple-touch-icon.png", b"\x89PNG"),
        ("/static/img/social-card.png", b"\x89PNG"),
    ],
)
async def test_the_pictures_of_the_site_are_there(app: FastAPI, path: str, begins: bytes) -> None:
    answer = await Browser(app).get(path)
    assert answer.status_code == 200
    assert answer.content.startswith(begins)


async def test_a_file_that_a_page_names_is_compressed_and_kept_and_any_other_is_asked_for_again(world: World) -> None:
    public = with_settings(world, environment="production")
    for kept, where in ((True, public), (False, world)):
        browser = Browser(create_app(where))
        address = re.search(r'href="(/static/css/base.css\?v=[0-9a-f]{8})"', (await browser.get("/")).text)
        assert address
        named = await browser.get(address[1])
        assert named.headers["Content-Encoding"] == "gzip"
        assert ("immutable" in named.headers["Cache-Control"]) is kept
        for other in ("/static/css/base.css", "/static/css/base.css?v=00000000"):
            answer = await browser.get(other)
            assert answer.headers["Cache-Control"] == "no-cache"
        again = await browser.get("/static/css/base.css", If_None_Match=answer.headers["ETag"])
        assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")


async def test_the_style_guide_is_there_in_development_alone(world: World) -> None:
    assert (await Browser(create_app(world)).get("/styleguide")).status_code == 200
    public = with_settings(world, environment="production")
    assert (await Browser(create_app(public)).get("/styleguide")).status_code == 404
