"""How product events get to PostHog: all of them, in its own protocol, and never in anybody's way."""

from __future__ import annotations

import json
from datetime import datetime

import posthog
from pydantic import SecretStr

from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.funnel.events import PricingPageViewed, RegisterCompleted, SignUpMethod
from payflux.frontdoor.funnel.jobs import AT_ONCE, send_product_events
from payflux.frontdoor.funnel.models import RecordedEvent
from payflux.frontdoor.funnel.recording import record
from payflux.kit.failures import FailureCount
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.funnel.reading import recorded_events
from tests.integration.funnel.recorder import Recorder
from tests.integration.pages.browser import PASSWORD


async def recorded(world: World, *, views: int = 1) -> list[RecordedEvent]:
    """A stranger's looks at the prices, and Alice's registration."""
    now = world.clock.now()
    async with world.database.system() as session:
        for number in range(views):
            await record(session, PricingPageViewed(), at=now, visitor=f"{number:032x}")
        user, account = await register(session, name="Alice", email="alice@shop.example", password=PASSWORD, now=now)
        completed = RegisterCompleted(SignUpMethod.GOOGLE, invited=False)
        await record(session, completed, at=now, account_id=account.id, user_id=user.id, visitor="0" * 32)
    return await recorded_events(world)


def telling(world: World, recorder: Recorder) -> World:
    return with_settings(world, posthog_key=SecretStr("phc_test"), posthog_host=recorder.url)


async def test_every_event_arrives_once_in_the_form_that_posthogs_own_client_sends(
    world: World, recorder: Recorder
) -> None:
    events = await recorded(world, views=AT_ONCE)
    await send_product_events(world)
    assert recorder.bodies == [], "nothing is sent without a key"
    await send_product_events(telling(world, recorder))
    await send_product_events(telling(world, recorder))
    assert [path for path, _ in recorder.requests] == ["/batch/"] * 2
    assert {body["api_key"] for body in recorder.bodies} == {"phc_test"}
    sent = [message for body in recorder.bodies for message in body["batch"]]
    assert [message["uuid"] for message in sent] == [str(event.id) for event in events]
    registered = sent[-1]
    assert registered["event"] == "register_completed"
    assert registered["distinct_id"] == str(events[-1].user_id)
    groups = {"account": str(events[-1].account_id)}
    told = {"method": "google", "invited": False, "$groups": groups}
    assert registered["properties"].items() >= told.items()
    assert sent[0]["distinct_id"] == "0" * 32
    assert sent[0]["properties"]["$process_person_profile"] is False
    assert "alice" not in json.dumps(sent).lower()

    reference = posthog.Posthog("phc_test", host=recorder.url, sync_mode=True, disable_geoip=True)
    reference.capture("register_completed", distinct_id="1", properties={"method": "google"}, groups=groups)
    theirs = recorder.bodies[-1]
    assert recorder.requests[-1][0] == "/batch/"
    assert set(recorder.bodies[0]) <= set(theirs)
    (message,) = theirs["batch"]
    assert set(registered) - {"type"} <= set(message)
    assert message["properties"]["$groups"] == groups
    assert datetime.fromisoformat(registered["timestamp"]) == events[-1].at


async def test_a_service_that_fails_harms_nothing_and_gets_everything_once_it_answers(
    world: World, recorder: Recorder
) -> None:
    events = await recorded(world)
    for answer in (500, 401, 429):
        recorder.status = answer
        await send_product_events(telling(world, recorder))
    unreachable = with_settings(world, posthog_key=SecretStr("phc_test"), posthog_host="http://127.0.0.1:9")
    await send_product_events(unreachable)
    assert {event.sent_at for event in await recorded_events(world)} == {None}
    async with world.database.system() as session:
        counted = await session.get_one(FailureCount, ("analytics", "posthog", world.clock.now().date()))
    assert counted.number == 4
    recorder.status, before = 200, len(recorder.bodies)
    await send_product_events(telling(world, recorder))
    (body,) = recorder.bodies[before:]
    assert [message["uuid"] for message in body["batch"]] == [str(event.id) for event in events]
    assert {event.sent_at for event in await recorded_events(world)} == {world.clock.now()}
