"""The doors of the pages: who gets in, who is turned away and how, and what every answer carries.

Long because every door is tried by the same cast: Alice owns an account, Bob is a viewer in it, Charlie owns another.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import func, make_url, select, text, update
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from payflux.activation import service as activation
from payflux.activation.models import ConnectAttempt, Workspace
from payflux.activation.states import ActivationState, Cause
from payflux.app import create_app
from payflux.frontdoor.accounts.models import Account, Membership, Session, User
from payflux.frontdoor.billing.models import Subscription
from payflux.kit.audit import AuditEntry
from payflux.kit.ids import new_id
from payflux.kit.postgres import EmbeddedPostgres
from payflux.monitor.processors.models import Connection
from payflux.web.guards import PUBLIC_PATHS
from payflux.world.bootstrap import World, build_world
from tests.conftest import MovedClock, with_settings
from tests.integration.pages import PASSWORD, Browser, listening

ALICE, BOB, CHARLIE = "alice@alice-shop.example", "bob@alice-shop.example", "charlie@charlie-shop.example"
CHANGES = ("/api/stripe/authorize", "/api/stripe/key", "/activate/retry", "/activate/cancel", "/connection/disconnect")
MACHINE = {"Accept": "application/json"}


@pytest.fixture
def app(world: World) -> FastAPI:
    return create_app(world)


@pytest.fixture
async def alice(app: FastAPI) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE)).status_code == 303
    return browser


@pytest.fixture
async def bob(app: FastAPI, world: World, alice: Browser) -> Browser:
    async with world.database.system() as session:
        owner = (await session.execute(select(User).where(User.email == ALICE))).scalar_one()
        account_id = (await session.execute(select(Membership.account_id))).scalar_one()
        member = User(id=new_id(), email=BOB, email_normalized=BOB, name="Bob", password_hash=owner.password_hash)
        session.add(member)
        await session.flush()
        session.add(Membership(account_id=account_id, user_id=member.id, role="viewer"))
    browser = Browser(app)
    assert (await browser.sign_in(BOB)).status_code == 303
    return browser


@pytest.fixture
async def charlie(app: FastAPI) -> Browser:
    browser = Browser(app)
    assert (await browser.register("Charlie", CHARLIE)).status_code == 303
    return browser


async def account_of(world: World, email: str) -> UUID:
    async with world.database.system() as session:
        members = select(Membership.account_id).join(User, User.id == Membership.user_id)
        return (await session.execute(members.where(User.email == email))).scalar_one()


async def connected(world: World, email: str, name: str) -> UUID:
    """Give the account a live-looking connection called `name`; returns its id."""
    account_id, now = await account_of(world, email), world.clock.now()
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        connection = Connection(
            account_id=account_id,
            id=new_id(),
            workspace_id=workspace.id,
            method="restricted_key",
            external_account_id=f"acct_{name}",
            livemode=False,
            status="active",
            name=name,
            capabilities={},
            snapshot={},
            connected_at=now,
        )
        session.add(connection)
        workspace.connection_id, workspace.connected_at = connection.id, now
        await activation.change_state(session, workspace, Cause.CONNECTED, now=now)
    return connection.id


async def move_on(world: World, email: str, *causes: Cause) -> None:
    account_id = await account_of(world, email)
    async with world.database.tenant(account_id) as session:
        workspace = await activation.get_workspace(session, account_id=account_id, lock=True)
        for cause in causes:
            await activation.change_state(session, workspace, cause, now=world.clock.now())


@pytest.fixture
async def stored(postgres: EmbeddedPostgres, owner_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database as its superuser sees it: every row, whoever owns it."""
    connection = await asyncpg.connect(postgres.url(database=make_url(owner_url).database or ""))
    yield connection
    await connection.close()


async def rows(stored: asyncpg.Connection) -> dict[str, int]:
    """How many rows every table holds that a page could write to."""
    tables = ("users", "accounts", "memberships", "subscriptions", "workspaces", "sessions", "audit_entries")
    tables += ("activation_transitions", "connect_attempts", "processor_connections")
    return {table: await stored.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


def changing_paths(app: FastAPI) -> list[str]:
    found = [context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute)]
    return [str(context.path) for context in found if "POST" in (context.methods or ())]


def closed_pages(app: FastAPI) -> list[str]:
    found = [context for context in iter_route_contexts(app.routes) if isinstance(context.original_route, APIRoute)]
    paths = {str(context.path) for context in found if "GET" in (context.methods or ())}
    return sorted(paths - PUBLIC_PATHS)


class StripeStandIn:
    """A Stripe that counts what it is asked and refuses every code."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return httpx.Response(400, json={"error": "invalid_grant", "error_description": "unknown"})


# Registration


async def test_registering_makes_a_user_an_account_a_workspace_and_a_trial(
    app: FastAPI, world: World, clock: MovedClock
) -> None:
    browser = Browser(app)
    answer = await browser.register(" Alice  Arkwright ", ALICE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/activate")
    account_id = await account_of(world, ALICE)
    async with world.database.tenant(account_id) as session:
        assert (await session.execute(select(Account.name))).scalar_one() == "Alice-shop"
        assert (await session.execute(select(Membership.role))).scalar_one() == "owner"
        workspace = (await session.execute(select(Workspace))).scalar_one()
        assert workspace.activation_state == ActivationState.PAID_UNCONNECTED
        trial = (await session.execute(select(Subscription))).scalar_one()
        assert (trial.plan, trial.status) == ("pro", "trialing")
        assert trial.current_period_end == clock.now() + timedelta(days=14)
        audited = (await session.execute(select(AuditEntry.action))).scalars().all()
        assert sorted(audited) == ["account.registered", "activation.entitled", "subscription.trial_started"]
    async with world.database.system() as session:
        user = (await session.execute(select(User))).scalar_one()
    assert (user.name, user.email) == ("Alice Arkwright", ALICE)
    assert PASSWORD not in (user.password_hash or "")
    assert (await browser.get("/activate")).status_code == 200


async def test_a_registration_that_fails_half_way_leaves_nothing_behind(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    await stored.execute("REVOKE INSERT ON workspaces FROM payflux_system")
    before = await rows(stored)
    browser = Browser(app)
    assert (await browser.register("Alice", ALICE)).status_code == 500
    assert await rows(stored) == before
    assert browser.cookie("session") == ""
    await stored.execute("GRANT INSERT ON workspaces TO payflux_system")
    assert (await browser.register("Alice", ALICE)).status_code == 303


async def test_two_registrations_of_one_address_at_once_make_one_account(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    browsers = [Browser(app) for _ in range(4)]
    answers = await asyncio.gather(*(browser.register("Alice", ALICE) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    assert (await rows(stored))["accounts"] == 1


async def test_a_wrong_registration_names_each_field_and_keeps_all_but_the_password(
    app: FastAPI, stored: asyncpg.Connection
) -> None:
    browser = Browser(app)
    answer = await browser.post("/register", {"name": " ", "email": "alice at shop", "password": "hunter2-hunter2"[:9]})
    assert answer.status_code == 422
    for field in ("name", "email", "password"):
        assert f'id="{field}-error"' in answer.text
    assert 'value="alice at shop"' in answer.text
    assert "hunter2" not in answer.text
    assert (await rows(stored))["users"] == 0


@pytest.mark.parametrize(
    ("name", "email", "wrong"),
    [
        ("Al\x00ice", ALICE, "name"),
        ("Alice", "al\x00ice@shop.example", "email"),
        ("Alice", "a@" + "b" * 300 + ".com", "email"),
        ("Alice", "a@" + "\u3300" * 120 + ".com", "email"),
        ("A" * 201, ALICE, "name"),
    ],
)
async def test_what_the_database_cannot_hold_is_refused_by_the_form(
    app: FastAPI, name: str, email: str, wrong: str
) -> None:
    answer = await Browser(app).register(name, email)
    assert answer.status_code == 422
    assert f'id="{wrong}-error"' in answer.text


async def test_an_address_is_taken_in_capitals_too(app: FastAPI, alice: Browser, stored: asyncpg.Connection) -> None:
    before = await rows(stored)
    other = Browser(app)
    answer = await other.register("Mallory", ALICE.upper(), "another long harbour word")
    assert answer.status_code == 409
    assert 'id="email-error"' in answer.text
    assert other.cookie("session") == ""
    assert await rows(stored) == before


async def test_a_name_is_shown_as_text_and_never_as_markup(app: FastAPI, world: World) -> None:
    browser = Browser(app)
    name = '<script>alert(1)</script>" onx='
    assert (await browser.register(name, "\"<b>'@shop.example")).status_code == 303
    await connected(world, "\"<b>'@shop.example", '"><img src=x>')
    page = (await browser.get("/connection")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for raw in ("<script>alert", '" onx=', "<b>'@", "<img src=x>"):
        assert raw not in page
    again = await Browser(app).post("/register", {"name": name, "email": "x", "password": ""})
    assert "<script>alert" not in again.text
    assert '" onx=' not in again.text


# Sign-in, sessions and sign-out


@pytest.mark.parametrize(("url", "prefix"), [("", ""), ("https://payflux.example", "__Host-")])
async def test_the_session_cookie_is_out_of_reach_of_scripts_and_tied_to_the_host(
    world: World, url: str, prefix: str
) -> None:
    browser = Browser(create_app(with_settings(world, public_url=url)))
    await browser.register("Alice", ALICE)
    await browser.post("/sign-out")
    answer = await browser.sign_in(ALICE)
    left = await browser.post("/sign-out")
    for cookie in (answer.headers["Set-Cookie"], left.headers["Set-Cookie"]):
        name, attributes = cookie.split(";", 1)
        assert name.startswith(f"{prefix}payflux_session=")
        # without Secure a browser ignores a __Host- cookie, also one that is to delete it
        assert ("; secure" in attributes.lower()) == bool(prefix)
        assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in attributes.split(";")}
        assert "domain" not in attributes.lower()
    assert browser.cookie("session") == ""


async def test_the_database_holds_no_token_that_opens_a_session(alice: Browser, world: World) -> None:
    async with world.database.system() as session:
        stored = (await session.execute(select(Session.token_digest))).scalar_one()
    assert len(alice.cookie("session")) >= 43
    assert alice.cookie("session").encode() not in (stored, stored.hex().encode())


async def test_signing_in_again_gives_a_new_session_and_ends_the_one_before(app: FastAPI, alice: Browser) -> None:
    before = alice.cookie("session")
    assert (await alice.sign_in(ALICE)).status_code == 303
    assert alice.cookie("session") != before
    assert not await opens(app, before)
    assert await opens(app, alice.cookie("session"))
    now = alice.cookie("session")
    assert (await alice.register("Alice", "alice@second-shop.example")).status_code == 303
    assert not await opens(app, now)


async def test_a_copied_cookie_is_dead_after_sign_out_and_other_browsers_stay_signed_in(
    app: FastAPI, alice: Browser
) -> None:
    elsewhere, copied = Browser(app), alice.cookie("session")
    await elsewhere.sign_in(ALICE)
    assert await opens(app, copied)
    assert (await alice.post("/sign-out")).headers["Location"] == "/"
    assert not await opens(app, copied)
    assert await opens(app, elsewhere.cookie("session"))


async def opens(app: FastAPI, token: str) -> bool:
    """Whether a session cookie, in a browser that never signed in, opens a closed page."""
    thief = Browser(app, address="198.51.100.66")
    answer = await thief.get("/connection", Cookie=f"payflux_session={token}")
    return answer.status_code == 200


async def test_a_made_up_cookie_opens_nothing(app: FastAPI, alice: Browser) -> None:
    for token in ("x", "A" * 43, alice.cookie("session")[:-1], alice.cookie("csrf")):
        assert not await opens(app, token)


async def test_a_session_ends_after_14_idle_days(app: FastAPI, alice: Browser, clock: MovedClock) -> None:
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=1))
    assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=14))
    assert (await alice.get("/connection")).headers["Location"] == "/sign-in?next=/connection"


async def test_a_session_ends_after_30_days_of_daily_use(alice: Browser, clock: MovedClock) -> None:
    for _ in range(29):
        clock.move(timedelta(days=1))
        assert (await alice.get("/connection")).status_code == 200
    clock.move(timedelta(days=1))
    assert (await alice.get("/connection")).status_code == 303


async def test_a_member_who_was_removed_is_out_at_once(bob: Browser, stored: asyncpg.Connection) -> None:
    assert (await bob.get("/connection")).status_code == 200
    await stored.execute("DELETE FROM memberships WHERE role = 'viewer'")
    assert (await bob.get("/connection")).status_code == 303


@pytest.mark.parametrize("email", [ALICE, "nobody@nowhere.example"])
async def test_after_five_wrong_passwords_the_next_waits_whether_the_address_exists_or_not(
    app: FastAPI, alice: Browser, clock: MovedClock, email: str
) -> None:
    browser = Browser(app)
    pages = [await browser.sign_in(email, f"wrong {number}") for number in range(5)]
    assert {page.status_code for page in pages} == {422}
    assert len({strip(page.text, email) for page in pages}) == 1
    assert f'value="{email}"' in pages[0].text
    waiting = await browser.sign_in(email, PASSWORD)
    assert waiting.status_code == 429
    assert "Wait 3 seconds" in waiting.text
    assert browser.cookie("session") == ""
    clock.move(timedelta(seconds=3))
    assert (await browser.sign_in(email, PASSWORD)).status_code == (303 if email == ALICE else 422)


async def test_an_unknown_address_is_answered_as_a_known_one_with_a_wrong_password(
    app: FastAPI, alice: Browser
) -> None:
    browser = Browser(app)
    known, unknown = await browser.sign_in(ALICE, "wrong"), await browser.sign_in("nobody@nowhere.example", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert strip(known.text, ALICE) == strip(unknown.text, "nobody@nowhere.example")


def strip(page: str, email: str) -> str:
    return page.replace(email, "")


async def test_wrong_passwords_from_one_client_do_not_keep_another_out(app: FastAPI, alice: Browser) -> None:
    mallory = Browser(app, address="198.51.100.66")
    for _ in range(7):
        await mallory.sign_in(ALICE, "wrong")
    assert (await mallory.sign_in(ALICE, PASSWORD)).status_code == 429
    assert (await Browser(app, address="192.0.2.1").sign_in(ALICE.upper(), PASSWORD)).status_code == 303


async def test_wrong_passwords_sent_at_once_are_counted_as_if_one_after_the_other(app: FastAPI, alice: Browser) -> None:
    mallory = Browser(app, address="198.51.100.66")
    await mallory.token()
    answers = await asyncio.gather(*(mallory.sign_in(ALICE, f"wrong {number}") for number in range(12)))
    assert Counter(answer.status_code for answer in answers) == {422: 5, 429: 7}


@pytest.mark.parametrize("email", ["", "\x00", "alice", "al\x00ice@shop.example", "x" * 50_000])
async def test_what_is_no_address_signs_nobody_in(app: FastAPI, email: str) -> None:
    assert (await Browser(app).sign_in(email)).status_code == 422


async def test_a_form_of_unlikely_size_is_not_read(app: FastAPI) -> None:
    answer = await Browser(app).sign_in("x" * 100_000)
    assert answer.status_code == 413
    assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("field", ["email", "password", "csrf_token", "name"])
async def test_text_that_is_no_unicode_is_refused_and_not_an_error_of_ours(app: FastAPI, field: str) -> None:
    browser = Browser(app)
    fields = {"email": ALICE, "password": PASSWORD, "csrf_token": await browser.token(), "name": "Alice"}
    fields[field] = "+2AA-"
    charset = {"Content-Type": "multipart/form-data; charset=utf-7; boundary=b"}
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{fields[key]}\r\n' for key in fields)
    for path in ("/sign-in", "/register"):
        answer = await browser.http.post(path, content=f"{parts}--b--\r\n", headers=charset)
        assert answer.status_code == 403, path


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/%2F/evil.example",
    "/%5Cevil.example",
    "%2F%2Fevil.example",
    "evil.example",
    "@evil.example",
    "/\r\nLocation: https://evil.example",
]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_next_never_leads_to_another_site(app: FastAPI, alice: Browser, to: str) -> None:
    browser = Browser(app)
    arrivals = [
        await browser.sign_in(ALICE, next=to),
        await alice.http.get("/sign-in", params={"next": to}),
    ]
    for answer in arrivals:
        assert answer.status_code == 303
        there = httpx.URL("https://here.example").join(as_a_browser_reads(answer.headers["Location"]))
        assert there.host == "here.example"
    form = await Browser(app).http.get("/sign-in", params={"next": to}, headers={"Accept": "text/html"})
    assert "evil.example" not in form.text.replace("/%2F/evil", "").replace("/%5Cevil", "")


def as_a_browser_reads(location: str) -> str:
    """Without the tabs and line ends that the URL standard strips, and with backslashes as slashes."""
    return re.sub(r"[\t\r\n]", "", location).replace("\\", "/")


async def test_after_signing_in_one_is_where_one_was_going(app: FastAPI, alice: Browser) -> None:
    browser = Browser(app)
    sent = await browser.get("/connection")
    assert sent.headers["Location"] == "/sign-in?next=/connection"
    assert 'name="next" value="/connection"' in (await browser.get(sent.headers["Location"])).text
    assert (await browser.sign_in(ALICE, next="/connection")).headers["Location"] == "/connection"
    assert (await Browser(app).sign_in(ALICE)).headers["Location"] == "/start"


# Forms from elsewhere


async def test_every_change_is_refused_without_the_token_of_this_browser(
    app: FastAPI, alice: Browser, charlie: Browser, world: World, stored: asyncpg.Connection
) -> None:
    await connected(world, ALICE, "Alices_shop")
    paths, before = changing_paths(app), await rows(stored)
    assert {*CHANGES, "/register", "/sign-in", "/sign-out"} == set(paths)
    fields = {"name": "Eve", "email": "eve@eve.example", "password": PASSWORD, "key": "rk_test_x"}
    for path in paths:
        for token in ("", "x", "0" * 64, await charlie.token(), "\xe9"):
            answer = await alice.post(path, {**fields, "csrf_token": token})
            assert answer.status_code == 403, (path, token)
            assert "Reload the page" in answer.text
        assert (await alice.http.post(path)).status_code == 403
        assert (await alice.http.post(path, json={"csrf_token": await alice.token()})).status_code == 403
    assert await rows(stored) == before
    assert (await alice.get("/connection")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:8001"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
async def test_a_form_of_another_site_changes_nothing_even_with_the_right_token(
    app: FastAPI, alice: Browser, headers: dict[str, str], stored: asyncpg.Connection
) -> None:
    before = await rows(stored)
    for path in changing_paths(app):
        answer = await alice.post(path, {"email": ALICE, "password": PASSWORD, "name": "Eve"}, **headers)
        assert answer.status_code == 403, path
    assert await rows(stored) == before


async def test_a_form_of_our_own_says_where_it_comes_from_and_is_taken(alice: Browser, world: World) -> None:
    answer = await alice.post("/sign-out", Origin=world.settings.url, Sec_Fetch_Site="same-origin")
    assert answer.headers["Location"] == "/"


# Who may enter


async def test_a_stranger_is_sent_to_sign_in_and_a_machine_is_told_why_not(app: FastAPI) -> None:
    stranger, paths = Browser(app), closed_pages(app)
    assert len(paths) >= 7
    for path in paths:
        page = await stranger.get(path)
        assert (page.status_code, page.headers["Location"]) == (303, f"/sign-in?next={path}")
        refusal = await stranger.get(path, **MACHINE)
        assert refusal.status_code == 401
        assert refusal.headers["Content-Type"] == "application/problem+json"
        problem = refusal.json()
        assert problem["code"] == "not_signed_in"
        assert problem["instance"] == path
        assert problem["request_id"] == refusal.headers["X-Request-Id"]
        assert problem["detail"]
        assert problem["way_out"]


async def test_a_form_sent_after_the_session_ended_leads_back_to_a_page_and_not_to_the_form(app: FastAPI) -> None:
    for path in sorted({*CHANGES, "/sign-out"}):
        answer = await Browser(app).post(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


async def test_a_viewer_looks_but_does_not_change_what_is_connected(
    bob: Browser, alice: Browser, world: World, stored: asyncpg.Connection
) -> None:
    await connected(world, ALICE, "Alices_shop")
    before = await rows(stored)
    for path in CHANGES:
        answer = await bob.post(path, {"key": "rk_test_x"})
        assert answer.status_code == 403, path
        assert "Ask an owner or an admin" in answer.text
    assert (await bob.get("/api/stripe/callback?state=x&code=y")).status_code == 403
    assert await rows(stored) == before
    assert "Alices_shop" in (await bob.get("/connection")).text
    assert (await bob.get("/activate/arming")).status_code == 200
    assert (await alice.post("/activate/cancel")).headers["Location"] == "/activate"


async def test_a_role_that_was_raised_or_lowered_holds_from_the_next_request_on(
    bob: Browser, stored: asyncpg.Connection
) -> None:
    assert (await bob.post("/activate/cancel")).status_code == 403
    await stored.execute("UPDATE memberships SET role = 'admin' WHERE role = 'viewer'")
    assert (await bob.post("/activate/cancel")).status_code == 303
    await stored.execute("UPDATE memberships SET role = 'analyst' WHERE role = 'admin'")
    assert (await bob.post("/activate/cancel")).status_code == 403


async def test_when_the_trial_has_ended_what_the_plan_pays_for_is_closed_and_the_rest_is_not(
    app: FastAPI, alice: Browser, clock: MovedClock, stored: asyncpg.Connection
) -> None:
    clock.move(timedelta(days=13, hours=23))
    assert (await alice.get("/dashboard")).headers["Location"] == "/dashboard/activate-prompt"
    clock.move(timedelta(days=1, hours=1))
    before = await rows(stored)
    for answer in (await alice.get("/dashboard"), await alice.post("/api/stripe/authorize")):
        assert answer.status_code == 402
        assert "trial has ended" in answer.text
        assert "choose a plan" in answer.text
    assert (await alice.post("/api/stripe/key", {"key": "rk_test_x"})).status_code == 402
    machine = await alice.get("/dashboard", **MACHINE)
    assert (machine.status_code, machine.json()["code"]) == (402, "subscription_inactive")
    assert await rows(stored) == before
    for path in ("/connection", "/activate"):
        assert (await alice.get(path)).status_code == 200, path
    assert (await alice.post("/connection/disconnect")).headers["Location"] == "/connection"
    assert (await alice.post("/sign-out")).headers["Location"] == "/"


async def test_the_start_leads_to_the_page_of_the_state(app: FastAPI, alice: Browser, world: World) -> None:
    async def start(browser: Browser) -> str:
        return (await browser.get("/start")).headers["Location"]

    assert await start(Browser(app)) == "/"
    assert await start(alice) == "/activate"
    await connected(world, ALICE, "Alices_shop")
    assert await start(alice) == "/activate/arming"
    assert (await alice.get("/activate")).headers["Location"] == "/activate/arming"
    await move_on(world, ALICE, Cause.BASELINE)
    assert await start(alice) == "/activate/arming"
    await move_on(world, ALICE, Cause.ARMED)
    assert await start(alice) == "/dashboard"
    await alice.post("/connection/disconnect")
    assert await start(alice) == "/activate"
    assert (await alice.get("/activate/arming")).headers["Location"] == "/activate"


# Coming back from Stripe


@pytest.fixture
def stripe() -> StripeStandIn:
    return StripeStandIn()


@pytest.fixture
def stripe_app(world: World, stripe: StripeStandIn) -> FastAPI:
    return create_app(replace(world, http=stripe.http))


@pytest.fixture
async def anna(stripe_app: FastAPI) -> Browser:
    """Alice, where Stripe is the stand-in."""
    browser = Browser(stripe_app)
    assert (await browser.register("Alice", ALICE)).status_code == 303
    return browser


async def begun(browser: Browser) -> str:
    """The `state` with which the browser is sent to Stripe."""
    sent = await browser.post("/api/stripe/authorize")
    assert sent.status_code == 303
    return httpx.URL(sent.headers["Location"]).params["state"]


async def came_back(browser: Browser, state: str, answer: str = "code=ac_1") -> httpx.Response:
    return await browser.get(f"/api/stripe/callback?state={state}&{answer}")


async def test_a_state_that_was_never_given_out_connects_nothing(anna: Browser, stripe: StripeStandIn) -> None:
    await begun(anna)
    for state in ("", "made-up", "%00", "%ff", "x" * 5000):
        page = await came_back(anna, state)
        assert page.status_code == 403
        assert "Nothing was connected" in page.text
        assert "press Connect Stripe again" in page.text
    assert stripe.asked == []


async def test_a_state_is_good_for_the_browser_that_began_alone(
    anna: Browser, stripe_app: FastAPI, stripe: StripeStandIn
) -> None:
    state = await begun(anna)
    same_person, charlie = Browser(stripe_app), Browser(stripe_app)
    await same_person.sign_in(ALICE)
    await charlie.register("Charlie", CHARLIE)
    for other in (same_person, charlie):
        assert (await came_back(other, state)).status_code == 403
    assert (await came_back(Browser(stripe_app), state)).status_code == 303
    assert stripe.asked == []
    await came_back(anna, state)
    assert stripe.asked == ["/oauth/token"]


async def test_a_state_is_good_for_15_minutes(anna: Browser, stripe: StripeStandIn, clock: MovedClock) -> None:
    late, in_time = await begun(anna), await begun(anna)
    clock.move(timedelta(minutes=14))
    await came_back(anna, in_time)
    assert stripe.asked == ["/oauth/token"]
    clock.move(timedelta(minutes=2))
    page = await came_back(anna, late)
    assert page.status_code == 403
    assert "more than 15 minutes ago" in page.text
    assert stripe.asked == ["/oauth/token"]


async def test_a_state_is_good_once(anna: Browser, stripe: StripeStandIn) -> None:
    state = await begun(anna)
    refused = await came_back(anna, state)
    assert refused.status_code == 422
    assert "Press Connect Stripe again" in refused.text
    again = await came_back(anna, state)
    assert again.status_code == 303
    await asyncio.gather(*(came_back(anna, state) for _ in range(4)))
    assert stripe.asked == ["/oauth/token"]


async def test_the_same_answer_sent_many_times_at_once_is_exchanged_once(anna: Browser, stripe: StripeStandIn) -> None:
    state = await begun(anna)
    answers = await asyncio.gather(*(came_back(anna, state) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [303, 303, 303, 303, 422]
    assert stripe.asked == ["/oauth/token"]


async def test_declining_on_stripes_page_is_no_error_and_connects_nothing(
    anna: Browser, stripe: StripeStandIn, world: World
) -> None:
    state = await begun(anna)
    page = await came_back(anna, state, "error=access_denied&error_description=%3Cscript%3E")
    assert page.status_code == 200
    assert "Stripe is not connected." in page.text
    assert "PayFlux read nothing and has no access." in page.text
    assert "Press Connect Stripe whenever you are ready." in page.text
    assert "<script>" not in page.text.replace('<script type="module"', "")
    await came_back(anna, state, "code=ac_1")
    assert stripe.asked == []
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        assert (await session.execute(select(Workspace.connection_id))).scalar_one() is None


async def test_a_state_is_stored_as_a_digest_and_leads_only_to_our_own_callback(anna: Browser, world: World) -> None:
    sent = httpx.URL((await anna.post("/api/stripe/authorize")).headers["Location"])
    assert sent.params["redirect_uri"] == f"{world.settings.url}/api/stripe/callback"
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        stored = (await session.execute(select(ConnectAttempt.state_digest))).scalar_one()
    assert sent.params["state"].encode() not in (stored, stored.hex().encode())


# Accounts apart


async def test_an_account_sees_its_own_connection_and_progress_alone(
    alice: Browser, charlie: Browser, world: World
) -> None:
    await connected(world, ALICE, "Alices_shop")
    assert "Alices_shop" in (await alice.get("/connection")).text
    assert (await alice.get("/activate/arming/state", **MACHINE)).json()["state"] == "connected_generating"
    assert "No processor is connected" in (await charlie.get("/connection")).text
    assert (await charlie.get("/activate/arming/state", **MACHINE)).json()["state"] == "paid_unconnected"
    assert (await charlie.post("/connection/disconnect")).status_code == 303
    assert (await charlie.post("/activate/cancel")).status_code == 303
    assert (await alice.get("/activate/arming/state", **MACHINE)).json()["state"] == "connected_generating"


async def test_a_row_that_points_into_another_account_shows_nothing_of_it(
    alice: Browser, charlie: Browser, world: World
) -> None:
    theirs = await connected(world, ALICE, "Alices_shop")
    mine = await account_of(world, CHARLIE)
    async with world.database.tenant(mine) as session:
        await session.execute(update(Workspace).values(connection_id=theirs))
        assert (await session.execute(select(func.count()).select_from(Connection))).scalar_one() == 0
        assert (await session.execute(text("SELECT count(*) FROM workspaces"))).scalar_one() == 1
    for path in ("/connection", "/activate", "/activate/arming/state", "/dashboard"):
        assert "Alices_shop" not in (await charlie.get(path)).text
    assert (await charlie.get("/connection")).status_code == 404
    assert (await charlie.post("/connection/disconnect")).status_code == 404
    assert "Alices_shop" in (await alice.get("/connection")).text


# What every answer carries


EVERY_KIND = ["/", "/register", "/sign-in", "/connection", "/start", "/missing", "/broken", "/healthz", "/readyz"]


def with_a_broken_page(app: FastAPI) -> FastAPI:
    async def broken() -> None:
        raise RuntimeError("the vault's combination is 1234")

    app.add_api_route("/broken", broken)
    return app


@pytest.mark.parametrize("url", ["", "https://payflux.example"])
async def test_every_answer_carries_the_security_headers(world: World, url: str) -> None:
    browser = Browser(with_a_broken_page(create_app(with_settings(world, public_url=url))))
    answers = [await browser.get(path) for path in EVERY_KIND]
    answers += [await browser.get(path, **MACHINE) for path in EVERY_KIND]
    answers += [await browser.http.delete("/"), await browser.http.post("/sign-in")]
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


# When something goes wrong


@pytest.mark.parametrize(
    ("method", "path", "status", "what"),
    [
        ("GET", "/missing", 404, "There is no page"),
        ("GET", "/static/missing.css", 404, "There is no page"),
        ("DELETE", "/", 405, "cannot be asked for"),
        ("GET", "/sign-out", 405, "cannot be asked for"),
        ("GET", "/broken", 500, "on our side"),
    ],
)
async def test_an_error_says_what_happened_and_what_to_do_to_people_and_machines(
    app: FastAPI, method: str, path: str, status: int, what: str
) -> None:
    browser = Browser(with_a_broken_page(app))
    page = await browser.http.request(method, path)
    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    for part in (what, "What happened", "What is safe", "What to do", page.headers["X-Request-Id"]):
        assert part in page.text
    answer = await browser.http.request(method, path, headers=MACHINE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["instance"] == path
    assert what in problem["detail"]
    assert problem["way_out"]
    if status == 405:
        assert answer.headers["Allow"] in ("GET", "POST")


async def test_an_unexpected_error_shows_no_detail_and_is_logged_with_its_request_id(app: FastAPI) -> None:
    browser = Browser(with_a_broken_page(app))
    with capture_logs([merge_contextvars]) as lines:
        answers = [await browser.get("/broken"), await browser.get("/broken", **MACHINE)]
    for answer in answers:
        assert answer.status_code == 500
        for detail in ("vault", "1234", "RuntimeError", "Traceback"):
            assert detail not in answer.text
    logged = [line for line in lines if line["event"] == "unexpected error"]
    assert [line["request_id"] for line in logged] == [answer.headers["X-Request-Id"] for answer in answers]
    assert all(line["exc_info"] and line["log_level"] == "error" for line in logged)


async def test_a_malformed_form_is_the_senders_error(app: FastAPI) -> None:
    browser = Browser(app)
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = await browser.http.post("/sign-in", content=b"--x\r\nbroken", headers={"Content-Type": content_type})
        assert answer.status_code in (400, 403), content_type
        assert "What to do" in answer.text


@pytest.mark.parametrize("host", ["[", "evil.example/path?x=", "a b"])
async def test_a_strange_host_header_is_no_error_of_ours(app: FastAPI, host: str) -> None:
    answer = await Browser(app).get("/connection", Host=host)
    assert answer.status_code in (303, 400)
    assert answer.headers.get("Location", "/sign-in?next=/connection") == "/sign-in?next=/connection"


async def test_a_living_process_is_healthy_and_one_with_its_database_is_ready(app: FastAPI) -> None:
    browser = Browser(app)
    assert (await browser.get("/healthz")).json() == {"status": "ok"}
    assert (await browser.get("/readyz")).json() == {"status": "ok", "database": "ok"}


@pytest.mark.parametrize(
    "elsewhere",
    ["postgresql://nobody@127.0.0.1:1/nothing", "{server}/no_such_database", "{server}/postgres?user=nobody"],
)
async def test_a_process_without_its_database_lives_but_is_not_ready(
    world: World, owner_url: str, elsewhere: str
) -> None:
    url = elsewhere.format(server=owner_url.rpartition("/")[0])
    settings = world.settings.model_copy(update={"app_database_url": url, "system_database_url": url})
    dead = build_world(settings, database_url=url)
    browser = Browser(create_app(dead))
    assert (await browser.get("/healthz")).status_code == 200
    answer = await browser.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")
    assert "password" not in answer.text
    assert (await browser.get("/register")).status_code == 200
    await dead.close()


# Watching the activation


async def test_the_event_stream_tells_each_change_and_ends_when_the_workspace_is_live(
    alice: Browser, world: World
) -> None:
    await connected(world, ALICE, "Alices_shop")
    heard = []
    async with listening(alice, "/activate/arming/events") as pieces:
        async for piece in pieces:
            assert piece.startswith(b"event: progress")
            heard.append(json.loads(piece.split(b"data: ", 1)[1])["state"])
            if len(heard) < 3:
                await move_on(world, ALICE, (Cause.BASELINE, Cause.ARMED)[len(heard) - 1])
    assert heard == ["connected_generating", "baseline_ready", "live_monitored"]


@pytest.mark.parametrize("ending", ["canceled", "problem"])
async def test_the_event_stream_ends_when_a_person_is_needed(alice: Browser, world: World, ending: str) -> None:
    await connected(world, ALICE, "Alices_shop")
    problem = dict.fromkeys(("code", "title", "what_happened", "what_is_safe", "what_to_do"), "x")
    heard = []
    async with listening(alice, "/activate/arming/events") as pieces:
        async for piece in pieces:
            heard.append(piece)
            if len(heard) == 1 and ending == "problem":
                async with world.database.tenant(await account_of(world, ALICE)) as session:
                    await session.execute(update(Workspace).values(problem=problem))
            elif len(heard) == 1:
                assert (await alice.post("/activate/cancel")).headers["Location"] == "/activate"
    assert (b"paid_unconnected" if ending == "canceled" else b'"code"') in heard[-1]
