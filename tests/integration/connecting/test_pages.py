"""The pages on which a processor is connected, looked after and left."""

from __future__ import annotations

import asyncio
import io
import logging
from dataclasses import replace

import asyncpg
import httpx
import pytest
import structlog
from sqlalchemy import make_url

from payflux.app import create_app
from payflux.kit.logs import configure_logging
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.live.models import WebhookEvent
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.connecting.app_server import DEVELOPER_KEY, AppServer
from tests.integration.connecting.conftest import Mailbox, Shop
from tests.integration.connecting.test_ending import work_off
from tests.integration.pages.browser import Browser

ALICE = "alice@shop.example"


async def alice_at(world: World) -> Browser:
    browser = Browser(create_app(world))
    assert (await browser.sign_in(ALICE)).status_code == 303
    return browser


async def connect_by_key(browser: Browser, key: str = "rk_test_sandbox_healthy") -> httpx.Response:
    return await browser.post("/api/stripe/key", {"key": key})


async def agreed(browser: Browser, shop: Shop, merchant: str = "healthy") -> str:
    """The address to which Stripe Connect sends Alice back."""
    sent = await browser.post("/api/stripe/authorize")
    answer = await shop.world.http.post(sent.headers["Location"], data={"merchant": merchant})
    address = httpx.URL(answer.headers["Location"])
    return f"{address.path}?{address.query.decode()}"


async def test_the_same_return_from_stripe_sent_twice_exchanges_the_code_once_and_connects(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    back = await agreed(alice, shop)
    answers = await asyncio.gather(*(alice.get(back) for _ in range(3)))
    assert [answer.headers["Location"] for answer in answers] == ["/activate/arming"] * 3
    exchanges = [request for request in shop.network.requests if request.url.path == "/oauth/token"]
    assert len(exchanges) == 1
    assert (await shop.workspace()).connection_id is not None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "You declined"),
        ("invalid_scope", "PAYFLUX_STRIPE_CONNECT_SCOPE"),
        ("invalid_redirect_uri", "redirect URIs"),
        ("invalid_request", "client id"),
        ("unsupported_response_type", "client id"),
        ("server_error", "restricted key"),
        ("<script>", "restricted key"),
    ],
)
async def test_each_reason_for_which_stripe_sends_back_without_a_code_is_told_in_words(
    shop: Shop, error: str, said: str
) -> None:
    alice = await alice_at(shop.world)
    state = httpx.URL((await alice.post("/api/stripe/authorize")).headers["Location"]).params["state"]
    page = await alice.get(str(httpx.URL("/api/stripe/callback", params={"state": state, "error": error})))
    assert "Stripe is not connected." in page.text
    assert said in page.text
    assert "PayFlux read nothing and has no access." in page.text


async def test_a_state_of_the_one_way_to_connect_is_not_good_for_the_other(app_shop: Shop) -> None:
    alice = await alice_at(app_shop.world)
    state = httpx.URL((await alice.post("/api/stripe/authorize")).headers["Location"]).params["state"]
    assert (await alice.get(f"/api/stripe/app/callback?state={state}&code=ac_good")).status_code == 403
    assert (await app_shop.workspace()).connection_id is None


async def test_the_app_is_offered_when_it_is_set_up_and_connects(app_shop: Shop, shop: Shop) -> None:
    without = with_settings(shop.world, stripe_app_client_id="")
    assert "Stripe App" not in (await (await alice_at(without)).get("/activate")).text
    alice = await alice_at(app_shop.world)
    page = await alice.get("/activate")
    assert "Install the Stripe App" in page.text
    assert "https://marketplace.stripe.com" in page.headers["Content-Security-Policy"]
    sent = httpx.URL((await alice.post("/api/stripe/app/authorize")).headers["Location"])
    assert sent.host == "marketplace.stripe.com"
    assert sent.params["redirect_uri"] == f"{app_shop.world.settings.url}/api/stripe/app/callback"
    back = await alice.get(f"/api/stripe/app/callback?state={sent.params['state']}&code=ac_good")
    assert back.headers["Location"] == "/activate/arming"
    assert "Stripe App" in (await alice.get("/connection")).text


async def test_what_is_missing_is_named_and_checking_again_finds_what_was_allowed_since(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice, "rk_test_sandbox_healthy_no_disputes")
    page = (await alice.get("/connection")).text
    assert "Degraded" in page
    assert "Disputes: dispute rates and card programmes are left out." in page
    assert "Allow “Disputes”: Read." in page
    shop.network.refuse = lambda request: (
        httpx.Response(200, json={"data": [], "has_more": False}) if request.url.path == "/v1/disputes" else None
    )
    assert (await alice.post("/connection/check")).headers["Location"] == "/connection#reads"
    page = (await alice.get("/connection")).text
    assert "Degraded" not in page
    assert "Allow “Disputes”" not in page


async def test_checking_a_key_that_was_revoked_ends_the_connection_and_says_so(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    shop.network.refuse = lambda _request: httpx.Response(401, json={"error": {"message": "Invalid API Key"}})
    page = await alice.post("/connection/check")
    assert page.status_code == 422
    assert "Stripe does not accept the key." in page.text
    assert "Stripe is no longer connected" in page.text
    await work_off(shop)
    for path in ("/activate", "/dashboard/activate-prompt", "/connection"):
        assert "Stripe does not accept the key." in (await alice.get(path)).text


async def test_the_website_is_taken_from_the_account_and_can_be_named_by_a_person(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    assert "from your Stripe account" in (await alice.get("/connection")).text
    wrong = await alice.post("/connection/host", {"host": "not a website <b>"})
    assert wrong.status_code == 422
    assert "This is not the address of a website" in wrong.text
    assert "<b>" not in wrong.text
    await alice.post("/connection/host", {"host": "https://Shop.Example/cart?x=1"})
    page = (await alice.get("/connection")).text
    assert ">shop.example</h2>" in page
    assert "as you named it" in page
    await connect_by_key(alice)  # what a person said outlives what the account says
    assert ">shop.example</h2>" in (await alice.get("/connection")).text


async def test_the_page_tells_what_came_in_and_how_far_back_history_goes(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    assert "Older history" not in (await alice.get("/connection")).text
    await work_off(shop)
    async with shop.world.database.tenant(shop.account_id) as session:
        session.add(
            WebhookEvent(
                source="test",
                event_id="evt_1",
                received_at=shop.clock.now(),
                created_at=shop.clock.now(),
                due_at=shop.clock.now(),
                type="made.up",
                livemode=False,
                account_id=shop.account_id,
                connection_id=(await shop.workspace()).connection_id,
                body=b"{}",
                state="ignored",
                outcome="unknown type",
            )
        )
    page = (await alice.get("/connection")).text
    assert "Older history" in page
    assert "<code>made.up</code></td><td>Ignored: unknown type" in page


async def test_an_endpoint_can_be_registered_by_hand(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    page = (await alice.get("/connection")).text
    assert "PayFlux asks Stripe for news every few minutes." in page
    assert "/hooks/stripe/" in page
    assert "charge.dispute.created" in page
    wrong = await alice.post("/connection/secrets", {"secret": "sk_test_no"})
    assert (wrong.status_code, "starts with whsec_" in wrong.text) == (422, True)
    await alice.post("/connection/secrets", {"secret": "whsec_pasted_1234"})
    page = (await alice.get("/connection")).text
    assert "through the endpoint that you registered" in page
    assert "whsec_pasted" not in page
    await alice.post("/connection/secrets/remove", {"ending": "1234"})
    assert "PayFlux asks Stripe for news" in (await alice.get("/connection")).text


async def test_disconnecting_here_says_so_and_connecting_again_goes_on_with_the_same_connection(shop: Shop) -> None:
    alice = await alice_at(shop.world)
    await connect_by_key(alice)
    first = (await shop.workspace()).connection_id
    await alice.post("/connection/disconnect")
    page = (await alice.get("/connection")).text
    assert "No processor is connected" in page
    assert "disconnected here" in page
    await connect_by_key(alice)
    assert (await shop.workspace()).connection_id == first


async def everything_stored(postgres: EmbeddedPostgres, owner_url: str) -> str:
    """Every row of every table as text, as the superuser sees it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await connection.fetch(f'SELECT t::text FROM "{table[0]}" AS t') for table in tables]
    finally:
        await connection.close()
    return "\n".join(str(row[0]) for found in rows for row in found)


async def test_no_secret_is_seen_in_a_log_a_page_an_address_or_a_row_whichever_way_it_came(
    app_shop: Shop, app_server: AppServer, mailbox: Mailbox, postgres: EmbeddedPostgres, owner_url: str
) -> None:
    root, kept_processors = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    configure_logging(log_format="json", level="debug", process="test")
    lines = io.StringIO()
    root.handlers[0].setStream(lines)  # ty: ignore[missing-attribute] -- it is the stream handler just made
    pages: list[httpx.Response] = []
    try:
        key_world = replace(
            app_shop.world,
            settings=app_shop.world.settings.model_copy(update={"stripe_api_base": app_server.sandbox}),
        )
        by_key = await alice_at(key_world)
        pages += [
            await connect_by_key(by_key, key) for key in ("sk_live_secret", "rk_test_wrong", "rk_test_sandbox_healthy")
        ]
        pages += [await by_key.post("/connection/secrets", {"secret": "whsec_pasted_secret"})]
        pages += [await by_key.get("/connection"), await by_key.post("/connection/disconnect")]
        by_oauth = await alice_at(key_world)
        back = await agreed(by_oauth, app_shop)
        code = httpx.URL(back).params["code"]
        pages += [
            await by_oauth.get(back),
            await by_oauth.get("/connection"),
            await by_oauth.post("/connection/disconnect"),
        ]
        by_app = await alice_at(app_shop.world)
        state = httpx.URL((await by_app.post("/api/stripe/app/authorize")).headers["Location"]).params["state"]
        pages += [await by_app.get(f"/api/stripe/app/callback?state={state}&code=ac_good")]
        app_server.installed, app_server.good_tokens = False, set()
        pages += [await by_app.post("/connection/check"), await by_app.get("/connection")]
        await work_off(app_shop)
    finally:
        root.handlers[:], root.level = handlers, level
        structlog.configure(**kept_processors)
    assert [mail["Subject"] for mail in mailbox.mails].count("Stripe is no longer connected") == 1
    seen = {
        "logs": lines.getvalue(),
        "pages": "\n".join(page.text for page in pages),
        "addresses": "\n".join(f"{page.headers.get('Location', '')}" for page in pages),
        "rows": await everything_stored(postgres, owner_url),
        "mails": "\n".join(str(mail) for mail in mailbox.mails),
        "requests": "\n".join(str(request.url) for request in app_shop.network.requests),
    }
    assert "job done" in seen["logs"]
    secrets = [
        "sk_live_secret",
        "rk_test_wrong",
        "rk_test_sandbox_healthy",
        "whsec_pasted_secret",
        "app_access_secret",
        "rt_app_secret",
        DEVELOPER_KEY,
        app_shop.world.settings.stripe_secret_key.get_secret_value(),
        code,
    ]
    assert [(place, secret) for place, text in seen.items() for secret in secrets if secret in text] == []
