"""People sign in by a SAML provider of somebody else's making, and nobody by an answer that is not whole."""

from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.world.bootstrap import World
from tests.integration.sso.conftest import DOMAIN, Employee, browser_of
from tests.integration.sso.saml_provider import SamlProvider, saml_provider
from tests.integration.team.conftest import roles


@pytest.fixture
async def idp(there: World, app: FastAPI, alice: SignedIn, stored: asyncpg.Connection, tmp_path: Path) -> SamlProvider:
    """The provider that Alice's account set up on its page."""
    owner = await browser_of(there, app, alice)
    metadata = await owner.get(f"/sso/saml/{alice.account_id}/metadata")
    found = saml_provider(tmp_path, metadata.text)
    await stored.execute(
        "INSERT INTO sso_domains (account_id, domain, challenge, added_at, proven_at) "
        "VALUES ($1, $2, 'c', now(), now())",
        alice.account_id,
        DOMAIN,
    )
    fields = {"protocol": "saml", "issuer": found.entity_id, "sign_in_url": found.sign_in_url, "default_role": "viewer"}
    cut_off = found.certificate.replace(found.certificate.splitlines()[3], "")
    for unusable in ("no certificate", cut_off):
        wrong = await owner.post("/account/sso/connection", fields | {"certificate": unusable})
        assert 'href="#saml-certificate"' in wrong.text
    saved = await owner.post("/account/sso/connection", fields | {"certificate": found.certificate})
    assert saved.status_code == 303, saved.text
    return found


async def begun(browser: Employee, name: str = "dora") -> tuple[str, str]:
    """The request that a browser takes to the provider, and its relay state."""
    left = await browser.leave(f"{name}@{DOMAIN}", "/account/profile")
    address = unescape(left.text.partition('button--primary" href="')[2].partition('"')[0])
    told = parse_qs(urlsplit(address).query)
    assert told["tenant"] == ["a"]  # what the address had already stays
    return told["SAMLRequest"][0], told["RelayState"][0]


async def posted(browser: Employee, who: SignedIn, answer: str, state: str) -> httpx.Response:
    """What comes of an answer, posted from the provider's site: without our cookies and the token of our forms."""
    path, fields = f"/sso/saml/{who.account_id}/acs", {"SAMLResponse": answer, "RelayState": state}
    stranger = Employee(browser.app)
    return await stranger.http.post(path, data=fields, headers={"Sec-Fetch-Site": "cross-site"})


async def test_somebody_signs_in_becomes_a_member_and_is_known_the_next_time(
    idp: SamlProvider, there: World, app: FastAPI, alice: SignedIn, stored: asyncpg.Connection
) -> None:
    browser = Employee(app)
    request, state = await begun(browser)
    answer = idp.answer(request, subject="dora", email=f"Dora@{DOMAIN}")
    sent = await posted(browser, alice, answer, state)
    assert sent.status_code == 303, sent.text
    # another browser that learns the address is nobody
    assert (await Employee(app).get(sent.headers["location"])).status_code == 400
    back = await browser.get(sent.headers["location"])
    assert (back.status_code, back.headers["location"]) == (303, "/account/profile")
    assert await roles(there, alice.account_id) == {"Alice": "owner", "Dora": "viewer"}
    assert (await browser.get("/account/profile")).status_code == 200
    row = await stored.fetchrow("SELECT issuer, subject FROM sso_identities")
    assert tuple(row) == (idp.entity_id, "id-of-dora")
    assert (await browser.get(sent.headers["location"])).status_code == 400

    again = Employee(app)
    request, state = await begun(again)
    elsewhere = idp.answer(request, subject="dora", email="dora@elsewhere.example")  # who she is, not her address
    sent = await posted(again, alice, elsewhere, state)
    assert (await again.get(sent.headers["location"])).status_code == 303


async def test_an_answer_that_is_not_whole_signs_nobody_in(
    idp: SamlProvider, there: World, app: FastAPI, alice: SignedIn, charlie: SignedIn, tmp_path: Path
) -> None:
    browser = Employee(app)
    request, state = await begun(browser)
    email = f"dora@{DOMAIN}"
    right = idp.answer(request, subject="dora", email=email)
    xml = base64.b64decode(right).decode()
    metadata = (await browser.get(f"/sso/saml/{alice.account_id}/metadata")).text
    (tmp_path / "another").mkdir()
    others = saml_provider(tmp_path / "another", metadata)  # by the same name, with keys of its own

    def encoded(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    start, end = xml.index("<ns1:Assertion"), xml.index("</ns1:Assertion>") + len("</ns1:Assertion>")
    forged = xml[start:end].replace("id-of-dora", "id-of-alice").replace('ID="id-', 'ID="id-x')
    answers = {
        "unsigned": idp.answer(request, subject="dora", email=email, signs=False),
        "by another key": others.answer(request, subject="dora", email=email),
        "by a broken algorithm": idp.answer(request, subject="dora", email=email, by_sha1=True),
        "changed": encoded(xml.replace("id-of-dora", "id-of-alice")),
        "an assertion slipped in before": encoded(xml[:start] + forged + xml[start:]),
        "an assertion slipped in after": encoded(xml[:end] + forged + xml[end:]),
        "for another request": idp.answer(request, subject="dora", email=email, in_response_to="_another"),
        "for nobody's request": encoded(xml.replace("InResponseTo=", "Foo=")),
        "for another address": idp.answer(request, subject="dora", email=email, consumer="https://evil.example/acs"),
        "of this sign-in alone": idp.answer(request, subject="dora", email=email, transient=True),
        "no XML": encoded("hello"),
        "no base 64": "%%%",
        "nothing": "",
        "a time with an offset": encoded(re.sub(r'(NotOnOrAfter="[^"]*)Z"', r'\1+00:00"', xml)),
        "an entity": encoded(f'<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>{xml.partition("?>")[2] or xml}'),
    }
    for name, answer in answers.items():
        refused = await posted(browser, alice, answer, state)
        assert (name, refused.status_code) == (name, 400)
    assert (await posted(browser, alice, right, "another state")).status_code == 400
    assert (await posted(browser, charlie, right, state)).status_code == 400
    assert set(await roles(there, alice.account_id)) == {"Alice"}
    # after all that the right one still works, once: its sign-in is over, and it is taken for no other
    assert (await posted(browser, alice, right, state)).status_code == 303
    assert (await posted(browser, alice, right, state)).status_code == 400
