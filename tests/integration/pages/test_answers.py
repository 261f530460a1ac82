"""What every answer carries."""

from __future__ import annotations

import re

import pytest
from fastapi import FastAPI

from payflux.app import create_app
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import ALICE, connected, with_a_broken_page

EVERY_KIND = ["/", "/register", "/login", "/connection", "/start", "/missing", "/broken", "/healthz", "/readyz"]


@pytest.mark.parametrize("url", ["", "https://payflux.example"])
async def test_every_answer_carries_the_security_headers(world: World, url: str) -> None:
    browser = Browser(with_a_broken_page(create_app(with_settings(world, public_url=url))))
    answers = [await browser.get(path) for path in EVERY_KIND]
    answers += [await browser.get(path, **MACHINE) for path in EVERY_KIND]
    answers += [await browser.http.delete("/"), await browser.http.post("/login")]
    for answer in answers:
        policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Strict-Transport-Security" in answer.headers) == bool(url)
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)


async def test_our_files_may_be_cached_and_set_no_cookie(app: FastAPI) -> None:
    answer = await Browser(app).get("/static/css/tokens.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers.get("Cache-Control", "")
    assert answer.headers["ETag"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    for path in ("/static/../settings.py", "/static/%2e%2e/settings.py", "/static/missing.css"):
        assert (await Browser(app).get(path)).status_code == 404


async def test_a_page_holds_no_inline_script_or_style_that_the_policy_would_stop(alice: Browser, world: World) -> None:
    pages = [(await alice.get("/activate")).text, (await Browser(alice.app).get("/register")).text]
    await connected(world, ALICE, "Alices_shop")
    pages += [(await alice.get(path)).text for path in ("/activate/arming", "/connection", "/missing")]
    for page in pages:
        assert not re.search(r"<style|<script(?![^>]*\ssrc=\"/static/)|\sstyle=|\son\w+=", page)
