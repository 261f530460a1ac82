"""Every page in every mode of a workspace, over HTTP; and how a workspace says what it is and what it lacks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from payflux.activation.advancing import advance
from payflux.activation.obstacles import too_little_problem
from payflux.activation.pipeline import wait
from payflux.activation.problems import problem_of
from payflux.activation.routing import ELSEWHERE, Mode, Page, mode_of
from payflux.activation.service import get_workspace
from payflux.activation.states import ActivationState, Cause
from payflux.app import create_app
from payflux.monitor.alerts.models import AlertRule
from payflux.monitor.processors.models import Connection
from payflux.world.bootstrap import World
from tests.integration.pages.browser import Browser
from tests.integration.pages.conftest import ALICE, account_of, connected, move_on, prove_address
from tests.integration.test_pipeline import reconnect, work_off, workspace_of

STATE = {
    Mode.UNCONNECTED: ActivationState.PAID_UNCONNECTED,
    Mode.GENERATING: ActivationState.CONNECTED_GENERATING,
    Mode.DELAYED: ActivationState.CONNECTED_GENERATING,
    Mode.FINISHING: ActivationState.BASELINE_READY,
    Mode.PARTLY_LIVE: ActivationState.BASELINE_READY,
    Mode.LIVE: ActivationState.LIVE_MONITORED,
    Mode.ADVANCED: ActivationState.FULLY_CONFIGURED,
}
OWN_NAME = {Page.CONNECTORS: "/connection"}
"""Pages that are another name of one that has a name already."""


async def test_each_page_shows_itself_or_leads_on_as_the_table_says(live_world: World) -> None:
    alice = Browser(create_app(live_world))
    await alice.register("Alice", ALICE)
    await prove_address(live_world, ALICE)
    account_id = await account_of(live_world, ALICE)
    await reconnect(live_world, account_id, None, "healthy")
    await work_off(live_world)
    live = await workspace_of(live_world, account_id)
    assert live.activation_state == ActivationState.LIVE_MONITORED
    found = {}
    for mode in reversed(Mode):
        await put_into(live_world, account_id, mode)
        for page in Page:
            answer = await alice.get(page)
            found[mode, page] = answer.headers.get("Location") if answer.status_code == 303 else answer.status_code
    wanted = {(mode, page): ELSEWHERE[mode].get(page) or OWN_NAME.get(page) or 200 for mode in Mode for page in Page}
    assert found == wanted


async def put_into(world: World, account_id: UUID, mode: Mode) -> None:
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        workspace.activation_state = STATE[mode]
        workspace.connected_at = now - timedelta(minutes=10 if mode is Mode.DELAYED else 0)
        workspace.problem = too_little_problem(3) if mode is Mode.PARTLY_LIVE else None
        workspace.first_projection_at = None if mode in (Mode.GENERATING, Mode.DELAYED) else now
        assert mode_of(workspace, now) == mode


async def test_an_activation_that_is_held_up_says_so_with_what_there_is_so_far(alice: Browser, world: World) -> None:
    account_id = await account_of(world, ALICE)
    await connected(world, ALICE, "Alices_shop")
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        workspace.failing_since = world.clock.now()
        wait(workspace, problem_of(RuntimeError()), now=world.clock.now())
    page = (await alice.get("/activate/arming")).text
    assert "Arming is held up." in page
    assert 'data-open="true"' in page
    assert 'href="/dashboard">See what is there so far</a>' in page
    assert "Your dashboard is filling up" in (await alice.get("/dashboard")).text


async def test_the_website_is_asked_for_on_the_spot_where_stripe_does_not_say_it(alice: Browser, world: World) -> None:
    connection_id = await connected(world, ALICE, "Alices_shop")
    assert "Which website does this account sell on?" in (await alice.get("/activate/arming")).text
    wrong = await alice.post("/activate/host", {"host": "no website"})
    assert wrong.status_code == 422
    assert "This is not the address of a website." in wrong.text
    assert (await alice.post("/activate/host", {"host": "https://Shop.example.com/"})).headers["Location"] == "/start"
    async with world.database.tenant(await account_of(world, ALICE)) as session:
        connection = await session.get(Connection, (await account_of(world, ALICE), connection_id))
        assert connection is not None
        assert connection.host == "shop.example.com"
    assert "Which website" not in (await alice.get("/activate/arming")).text


async def test_the_workspace_says_when_each_step_was_and_which_condition_is_missing(
    alice: Browser, world: World
) -> None:
    told = (await alice.get("/api/v1/workspace", Accept="application/json")).json()
    assert (told["activationState"], told["isLiveMonitored"]) == ("paid_unconnected", False)
    assert told["paidAt"]
    assert told["connectedAt"] is None
    assert next(each["condition"] for each in told["missing"]) == "processor_connected"
    settings = (await alice.get("/settings")).text
    assert "Your workspace is not live yet" in settings
    assert 'href="/activate">Connect your processor</a>' in settings


async def test_a_live_workspace_with_an_advanced_feature_is_fully_configured_once(alice: Browser, world: World) -> None:
    account_id = await account_of(world, ALICE)
    await connected(world, ALICE, "Alices_shop")
    await move_on(world, ALICE, Cause.BASELINE, Cause.ARMED)
    now = world.clock.now()
    async with world.database.tenant(account_id) as session:
        await advance(session, account_id=account_id, now=now, actor_id=None)
        workspace = await get_workspace(session, account_id=account_id)
        assert workspace.activation_state == ActivationState.LIVE_MONITORED
        session.add(
            AlertRule(
                account_id=account_id,
                workspace_id=workspace.id,
                trigger="custom",
                name="Mine",
                threshold=1.0,
                channels=["dashboard"],
                armed=True,
                armed_at=now,
                metric="dispute_rate",
                comparison="above",
            )
        )
        await session.flush()
        for _ in range(2):
            await advance(session, account_id=account_id, now=now, actor_id=None)
        assert workspace.activation_state == ActivationState.FULLY_CONFIGURED
        assert workspace.fully_configured_at == now
    told = (await alice.get("/api/v1/workspace", Accept="application/json")).json()
    assert told["fullyConfiguredAt"]
    assert (told["evidenceLedgerEnabled"], told["ledgerEntryCount"]) == (True, 0)
