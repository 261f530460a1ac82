"""A member signs in by both kinds of provider in a real browser, whose cookies and policies have their own say."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
from playwright.async_api import Page, Route, async_playwright, expect

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.world.bootstrap import World
from tests import chromium
from tests.integration.api.serving import served
from tests.integration.sso.conftest import DOMAIN, set_up
from tests.integration.sso.saml_provider import saml_provider

EMAIL = f"bob@{DOMAIN}"


async def sign_in(page: Page, url: str) -> None:
    await page.goto(f"{url}/login?next=/account/profile")
    await page.get_by_label("Work e-mail").fill(EMAIL)
    await page.get_by_role("button", name="Use single sign-on").click()


async def test_bob_comes_by_openid_connect_and_by_saml(
    there: World,
    owner_url: str,
    alice: SignedIn,
    bob: SignedIn,
    provider: str,
    stored: asyncpg.Connection,
    tmp_path: Path,
) -> None:
    await set_up(there, stored, alice, provider)
    with served(there.settings, owner_url) as url:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=chromium.find(), args=chromium.arguments(), env=chromium.environment()
            )
            page = await (await browser.new_context()).new_page()
            await sign_in(page, url)
            await page.get_by_role("button", name="sub-bob", exact=True).click()
            await expect(page).to_have_url(f"{url}/account/profile")

            async with httpx.AsyncClient() as http:
                metadata = await http.get(f"{url}/sso/saml/{alice.account_id}/metadata")
            idp = saml_provider(tmp_path, metadata.text)
            await stored.execute(
                "UPDATE sso_connections SET protocol = 'saml', issuer = $1, sign_in_url = $2, certificate = $3",
                idp.entity_id,
                idp.sign_in_url,
                idp.certificate,
            )

            async def answer(route: Route) -> None:
                """The provider's page, on another site: it posts its answer by a form."""
                told = parse_qs(urlsplit(route.request.url).query)
                fields = {
                    "SAMLResponse": idp.answer(told["SAMLRequest"][0], subject="bob", email=EMAIL),
                    "RelayState": told["RelayState"][0],
                }
                inputs = "".join(f'<input name="{name}" value="{escape(value)}">' for name, value in fields.items())
                form = f'<form method="post" action="{url}/sso/saml/{alice.account_id}/acs">{inputs}<button>Go</button>'
                await route.fulfill(content_type="text/html", body=form)

            page = await (await browser.new_context()).new_page()
            await page.route("http://localhost:9/**", answer)
            await sign_in(page, url)
            await page.get_by_role("button", name="Go").click()
            await expect(page).to_have_url(f"{url}/account/profile")
            await expect(page.get_by_text(EMAIL).first).to_be_attached()
            await browser.close()
    issuers = [row["issuer"] for row in await stored.fetch("SELECT issuer FROM sso_identities")]
    assert sorted(issuers) == sorted([provider, idp.entity_id])
