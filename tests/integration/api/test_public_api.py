"""What programs read and do with a key."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from payflux.api.paging import page_of, read_cursor
from payflux.app import create_app
from payflux.kit.database import Database
from payflux.kit.errors import InvalidInput
from payflux.monitor.processors.generic.connecting import connect_source
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.api.conftest import key_for, owner_of
from tests.integration.watching.conftest import DAY, Shop, dispute, open_shop

_USE_SOURCE = text(
    "UPDATE workspaces SET connection_id = (SELECT id FROM processor_connections WHERE method = 'webhook')"
)
CHARGE = {"type": "charge.succeeded", "id": "ch_9", "created": "2026-11-20T10:00:00Z", "amount": 900, "currency": "usd"}


async def read(program: httpx.AsyncClient, path: str, **query: object) -> dict:
    answer = await program.get(path, params={key: str(value) for key, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_program_reads_what_stands_what_was_said_and_how_good_it_was(
    program: httpx.AsyncClient, shop: Shop, clock: MovedClock
) -> None:
    current = await read(program, "/projections/self")
    said = (await shop.newest()).projection
    assert [each["trapped"] for each in current["projection"]["windows"]] == [each.trapped for each in said.windows]
    assert current["merchant_id"] == "acct_alice"
    assert await read(program, f"/projections/{shop.connection_id}") == current
    assert await read(program, "/projections/acct_alice") == current
    for number in range(3):
        clock.move(DAY)
        await shop.set_connection(synced_through=shop.now)
        await shop.tell(dispute(8_900 + number, shop.now))
        await shop.read()
    first = await read(program, "/projections/self/history", limit=3)
    rest = await read(program, "/projections/self/history", limit=3, cursor=first["next_cursor"])
    told = [each["as_of"] for each in first["data"] + rest["data"]]
    assert len(told) == 4
    assert told == sorted(told, reverse=True)
    assert rest["next_cursor"] is None
    assert (await read(program, "/projections/self/scores"))["next"]["horizon_days"] == 30


async def test_events_are_read_page_by_page_and_each_once(program: httpx.AsyncClient, shop: Shop) -> None:
    await shop.tell(dispute(8_900, shop.now))
    seen, cursor = [], ""
    while cursor is not None:
        page = await read(program, "/events", limit=100, cursor=cursor)
        seen += [(each["kind"], each["id"]) for each in page["data"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 361
    assert seen[0] == ("dispute", "dp_8900")
    recent = await read(program, "/events", since=(shop.now - DAY).isoformat(), kind="charge", limit=1000)
    assert {each["kind"] for each in recent["data"]} == {"charge"}
    assert len(recent["data"]) == 4
    assert recent["data"][0]["currency"] == "usd"


async def test_a_stream_tells_every_event_as_the_pages_do(program: httpx.AsyncClient, shop: Shop) -> None:
    odd = msgspec.structs.replace(
        dispute(8_900, shop.now), source_id='dp_"\\\n,\x7f é', reason="never seen before", country="GB"
    )
    await shop.tell(odd)
    listed = (await read(program, "/events", limit=1000))["data"]
    answer = await program.get("/events.ndjson")
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    streamed = [json.loads(line) for line in answer.text.splitlines()]

    def told(event: dict) -> dict:
        times = {name: event[name] and datetime.fromisoformat(event[name]) for name in ("occurred_at", "ends_at")}
        return event | times

    assert sorted(map(told, streamed), key=str) == sorted(map(told, listed), key=str)
    assert [each["occurred_at"] for each in streamed] == sorted(each["occurred_at"] for each in streamed)
    part = await program.get("/events.ndjson", params={"since": (shop.now - DAY).isoformat()})
    assert 0 < len(part.text.splitlines()) < 10


async def test_readers_who_dawdle_keep_nobody_else_waiting(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    async with AsyncExitStack() as dawdling:
        for _ in range(10):
            await dawdling.enter_async_context(world.database.stream(shop.account_id))
        async with asyncio.timeout(20):
            assert (await program.get("/alerts")).status_code == 200


async def test_what_has_not_changed_is_not_sent_again(program: httpx.AsyncClient) -> None:
    answer = await program.get("/projections/self")
    tag = answer.headers["ETag"]
    again = await program.get("/projections/self", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert (await program.get("/projections/self", headers={"If-None-Match": '"other"'})).status_code == 200


async def test_every_answer_says_how_many_calls_are_left(program: httpx.AsyncClient, clock: MovedClock) -> None:
    first = (await program.get("/alerts")).headers
    assert '"burst";q=200;w=10' in first["RateLimit-Policy"]
    assert '"day";q=' in first["RateLimit-Policy"]
    left = [int(limit.split("r=")[1].split(";")[0]) for limit in first["RateLimit"].split(", ")]
    second = (await program.get("/alerts")).headers["RateLimit"].split(", ")
    assert [int(limit.split("r=")[1].split(";")[0]) for limit in second] == [each - 1 for each in left]


async def test_whoever_calls_too_often_is_told_when_to_come_back(
    program: httpx.AsyncClient, world: World, shop: Shop, clock: MovedClock
) -> None:
    key_id = await read_key_id(world, shop)
    while world.calls.wait(key_id, clock.now()) == 0:
        pass
    refused = await program.get("/alerts")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "1"
    clock.move(timedelta(seconds=1))
    assert (await program.get("/alerts")).status_code == 200


async def test_calls_that_come_at_once_do_not_wait_for_connections_that_only_they_hold(
    world: World, shop: Shop
) -> None:
    key, few = await key_for(world, shop), Database(world.database.urls, pool_size=1)
    transport = httpx.ASGITransport(create_app(replace(world, database=few)))
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{world.settings.url}/api/v1", headers=headers) as busy:
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*(busy.get("/workspace") for _ in range(8)))
    await few.close()
    assert [answer.status_code for answer in answers] == [200] * 8


async def read_key_id(world: World, shop: Shop) -> object:
    from_key = "SELECT id FROM api_keys WHERE account_id = $1"
    found = await world.database.ask(from_key, shop.account_id)
    assert found is not None
    return found["id"]


async def test_posted_events_are_taken_once_whatever_is_repeated(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    assert (await program.post("/events", json=CHARGE)).json()["code"] == "no_source"
    who = await owner_of(world, shop)
    async with world.database.tenant(shop.account_id) as session:
        await connect_source(
            session,
            world,
            account_id=shop.account_id,
            workspace_id=shop.workspace_id,
            name="Adyen",
            actor_id=who.user_id,
        )
        await session.execute(_USE_SOURCE)
    key = {"Idempotency-Key": "first"}
    taken = await program.post("/events", json=[CHARGE, CHARGE | {"id": "ch_10"}], headers=key)
    assert (taken.status_code, taken.json()["received"]) == (202, 2)
    again = await program.post("/events", json=[CHARGE, CHARGE | {"id": "ch_10"}], headers=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (taken.json(), "true")
    other = await program.post("/events", json=[CHARGE], headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_used")
    wrong = await program.post("/events", json=[CHARGE, CHARGE | {"amount": -1}])
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "[1].amount")


async def test_a_sink_is_added_tested_and_removed_and_its_secret_is_kept_from_the_database(
    program: httpx.AsyncClient, world: World, shop: Shop
) -> None:
    asked = {"name": "risk desk", "url": "http://127.0.0.1:9/hook?token=x"}
    headers = {"Idempotency-Key": "sink-1"}
    created = await program.post("/sinks", json=asked, headers=headers)
    assert created.status_code == 201, created.text
    sink = created.json()
    assert sink["secret"].startswith("whsec_")
    assert (await program.post("/sinks", json=asked, headers=headers)).json() == sink
    assert [each["url"] for each in (await read(program, "/sinks"))["data"]] == ["http://127.0.0.1:9/hook"]
    kept = await world.database.ask("SELECT encode(body, 'escape') AS body FROM kept_answers LIMIT 1")
    assert kept is None or sink["secret"] not in kept["body"]
    sent = await program.post(f"/sinks/{sink['id']}/test")
    assert sent.status_code == 202
    [delivery] = (await read(program, f"/sinks/{sink['id']}/deliveries"))["data"]
    assert delivery["id"] == sent.json()["delivery_id"]
    replayed = await program.post(f"/sinks/{sink['id']}/deliveries/{delivery['id']}/replay")
    assert replayed.status_code == 202
    assert (await program.post(f"/sinks/{sink['id']}/deliveries/{uuid4()}/replay")).status_code == 404
    assert (await program.delete(f"/sinks/{sink['id']}")).status_code == 204
    assert (await program.delete(f"/sinks/{sink['id']}")).status_code == 404


async def test_what_if_answers_before_and_after(program: httpx.AsyncClient) -> None:
    answer = await program.post("/what-if", json={"growth": 0.2, "reserve_rate": 0.15, "hold_days": 120})
    assert answer.status_code == 200, answer.text
    measures = {each["key"]: each for each in answer.json()["answer"]["measures"]}
    assert measures
    assert any(each["before"] != each["after"] for each in measures.values())
    wrong = await program.post("/what-if", json={"growth": 9})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "growth")


async def test_a_program_reads_its_own_risk_with_what_set_it_and_what_is_left_of_the_plan(
    program: httpx.AsyncClient, shop: Shop
) -> None:
    stands, said = await read(program, "/risk"), await shop.newest()
    assert (stands["risk_tier"], stands["risk_band"]) == (said.surface.risk_tier, said.surface.risk_band)
    assert stands["merchant_id"] == "acct_alice"
    assert {each["key"] for each in stands["surface"]["signals"]} == {each.key for each in said.surface.signals}
    usage = {each["key"]: each for each in (await read(program, "/usage"))["data"]}
    assert usage["seats"] | {"limit": 0, "left": 0} == {
        "key": "seats",
        "used": 1,
        "limit": 0,
        "left": 0,
        "reset_at": None,
    }
    calls = usage["api_calls_per_day"]
    assert calls["used"] == 1  # to ask for the usage takes none
    assert calls == await read(program, "/usage/api_calls_per_day")


async def test_charlie_reads_nothing_of_alices(
    program: httpx.AsyncClient, world: World, clock: MovedClock, shop: Shop
) -> None:
    other = await open_shop(world, clock, "charlie")
    for path in (f"/projections/{other.connection_id}", "/projections/acct_charlie", "/projections/%00"):
        assert (await program.get(path)).status_code == 404


@given(
    st.uuids(),
    st.integers(-(2**62), 2**62),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
)
def test_a_cursor_leads_back_to_its_place(key: UUID, number: int, words: str) -> None:
    place = [number, words, key]
    _, cursor = page_of([place, place], 1, lambda row: row)
    assert cursor is not None
    assert read_cursor(cursor, int, str, UUID) == place


@given(st.text(max_size=80))
def test_other_text_is_no_cursor(words: str) -> None:
    if words:
        with pytest.raises(InvalidInput):
            read_cursor(words, int, str, str, str)


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "now"])
def test_a_place_that_was_never_given_out_is_no_cursor(instant: str) -> None:
    for place, kind in (([instant], datetime), ([f"{instant}\ud800"], str), ([f"{instant}\x00"], str)):
        written = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        with pytest.raises(InvalidInput):
            read_cursor(written, kind)
