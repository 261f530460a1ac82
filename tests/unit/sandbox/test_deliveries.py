"""Webhooks go out signed, once for each endpoint that hears of an event, and again until they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from payflux.sandbox import feed
from payflux.sandbox.api.endpoints import Call
from payflux.sandbox.api.webhook_endpoints import ENDPOINTS, require_local
from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.deliveries.destinations import destinations, roll, save
from payflux.sandbox.deliveries.dispatcher import HELD, QUICK, Dispatcher
from payflux.sandbox.deliveries.records import Delivery, deliveries
from payflux.sandbox.deliveries.signing import signature
from payflux.sandbox.errors import StripeError
from payflux.sandbox.events import KEPT, find_event, list_events
from payflux.sandbox.faults.register import add, faults
from payflux.sandbox.merchants.archetypes import ARCHETYPES, PLATFORM
from payflux.sandbox.query import Query
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.unit.sandbox.conftest import NOON

ALICE = ARCHETYPES["default"]
CREATE = next(e for e in ENDPOINTS if (e.method, e.path) == ("POST", "/v1/webhook_endpoints"))


class Machine:
    """The machine's two clocks, moved by a test."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Receiver:
    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(200)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer(request)

    @property
    def events(self) -> list[str]:
        return [msgspec.json.decode(request.content)["id"] for request in self.requests]


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def state(machine: Machine) -> SandboxState:
    return SandboxState(now=machine.now)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@asynccontextmanager
async def dispatching(state: SandboxState, machine: Machine, receiver: Receiver) -> AsyncGenerator[Dispatcher, None]:
    dispatcher = Dispatcher(state, machine.monotonic, httpx.MockTransport(receiver))
    await dispatcher.start()
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()


async def settle(rounds: int = 200) -> None:
    """Let everything that is ready be sent."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def listen(state: SandboxState, account: str = ALICE.account_id, key: str = "", **params: Any) -> Json:
    """A webhook endpoint, with its secret."""
    work = Work(state, account, int(state.now().timestamp()))
    caller = state.caller(key or ALICE.restricted_key, None)
    given = {"url": "http://127.0.0.1:9/hooks", "enabled_events": ["*"], **params}
    with state.store.transaction():
        return CREATE.answer(Call(work, caller, {}, given))


def happen(state: SandboxState, account: str = ALICE.account_id, kind: str = "customer.created") -> Json:
    """Something that one event tells of."""
    work = Work(state, account, int(state.now().timestamp()))
    with state.store.transaction():
        work.tell(kind, {"id": "cus_1", "object": "customer", "name": "é"})
    state.announce(work)
    return work.events[0]


def only(state: SandboxState) -> Delivery:
    (delivery,) = deliveries(state.store)
    return delivery


@given(body=st.binary(max_size=200), secrets=st.lists(st.text("ab_", min_size=1), min_size=1, max_size=3))
def test_each_secret_signs_and_a_decoy_does_not(body: bytes, secrets: list[str]) -> None:
    text = body.hex()
    header = signature(text.encode(), secrets, 1_700_000_000)

    for secret in secrets:
        stripe.WebhookSignature.verify_header(text, header, secret, tolerance=None)
    assert header.count("v1=") == len(secrets)
    decoy = header.replace("v1=", "v2=").replace("v0=", "v1=")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(text, decoy, secrets[0], tolerance=None)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/a", "https://localhost/b", "http://[::1]:9/"])
def test_an_endpoint_is_on_this_machine(url: str) -> None:
    assert require_local(url) == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://example.com/hooks", "this machine only"),
        ("http://127.0.0.1.example.com", "this machine only"),
        ("http://user@10.0.0.1/", "this machine only"),
        ("127.0.0.1:8000", "explicit scheme"),
        ("ftp://127.0.0.1", "explicit scheme"),
        ("http://127.0.0.1:99999", "explicit scheme"),
        ("http://[::1", "explicit scheme"),
    ],
)
def test_an_endpoint_elsewhere_is_refused(url: str, message: str) -> None:
    with pytest.raises(StripeError, match=message) as refused:
        require_local(url)
    assert refused.value.body["error"]["param"] == "url"


async def test_an_event_is_posted_as_stripe_posts_it_and_shown_as_it_was_posted(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    endpoint = listen(state)
    async with dispatching(state, machine, receiver):
        event = happen(state)
        await settle()

    (request,) = receiver.requests
    assert request.headers["user-agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    text = request.content.decode()
    stripe.WebhookSignature.verify_header(text, request.headers["stripe-signature"], endpoint["secret"], tolerance=None)
    assert text.startswith('{\n  "')
    found = find_event(state, ALICE.account_id, event["id"], connect=False)
    assert msgspec.json.format(msgspec.json.encode(found), indent=2) == request.content
    assert found is not None
    assert found["pending_webhooks"] == 1
    assert "account" not in found
    assert only(state).status == "delivered"


async def test_it_goes_to_own_endpoints_that_want_its_type_and_to_the_platforms_when_connected(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    listen(state, enabled_events=["charge.succeeded"])
    listen(state, ARCHETYPES["healthy"].account_id, ARCHETYPES["healthy"].restricted_key)
    listen(state, PLATFORM.account_id, SECRET_KEY)
    listen(state, PLATFORM.account_id, SECRET_KEY, connect=True)
    async with dispatching(state, machine, receiver):
        happen(state)
        await settle()
        assert receiver.requests == []

        state.redeem_code(state.issue_code(ALICE.account_id, "read_write"))
        event = happen(state)
        await settle()
        assert receiver.events == [event["id"]]
        assert msgspec.json.decode(receiver.requests[0].content)["account"] == ALICE.account_id

        state.disconnect(ALICE.account_id)
        gone = happen(state, kind="account.application.deauthorized")
        await settle()
    assert receiver.events == [event["id"], gone["id"]]


async def test_a_rolled_secret_signs_beside_the_new_one_until_its_time_is_over(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    before = listen(state)["secret"]
    after = roll(state.store, destinations(state.store)[0], int(state.now().timestamp()), 3600)
    async with dispatching(state, machine, receiver):
        happen(state)
        await settle()
        machine.seconds += 3600
        happen(state)
        await settle()

    first, second = receiver.requests
    for secret in (before, after):
        stripe.WebhookSignature.verify_header(first.content, first.headers["stripe-signature"], secret)
    stripe.WebhookSignature.verify_header(second.content, second.headers["stripe-signature"], after)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(second.content, second.headers["stripe-signature"], before)


@pytest.mark.parametrize("status", [301, 400, 500])
async def test_whatever_is_no_success_is_tried_again_within_real_seconds(
    state: SandboxState, machine: Machine, receiver: Receiver, status: int
) -> None:
    listen(state)
    receiver.answer = lambda _: httpx.Response(status, text="no: whsec_abc and sk_test_x", headers={"location": "/"})
    async with dispatching(state, machine, receiver) as dispatcher:
        happen(state)
        await settle()
        dispatcher.look()
        await settle()
        assert len(receiver.requests) == 1
        receiver.answer = lambda _: httpx.Response(204)
        machine.seconds += QUICK[0]
        dispatcher.look()
        await settle()

    assert [attempt.status for attempt in only(state).attempts] == [status, 204]
    assert only(state).attempts[0].response == "no: whsec_… and sk_…"
    assert receiver.requests[0].content == receiver.requests[1].content


async def test_as_the_sandboxs_clock_is_advanced_it_is_tried_ever_more_rarely_and_given_up_after_three_days(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    listen(state, PLATFORM.account_id, SECRET_KEY)
    receiver.answer = refuse
    async with dispatching(state, machine, receiver) as dispatcher:
        happen(state, PLATFORM.account_id)
        await settle()
        for _ in range(80):
            state.advance(3600)
            dispatcher.look()
            await settle()

    found = only(state)
    gaps = [later.at - sooner.at for sooner, later in zip(found.attempts, found.attempts[1:], strict=False)]
    assert found.status == "failed"
    assert gaps == sorted(gaps)
    assert found.attempts[-1].at - found.created >= 3 * 86_400
    assert 8 <= len(gaps) <= 12
    assert found.attempts[0].response == "ConnectError: refused"


async def test_what_is_not_taken_survives_a_restart(machine: Machine, receiver: Receiver, tmp_path: Path) -> None:
    state = SandboxState(now=machine.now, state_dir=tmp_path)
    listen(state)
    receiver.answer = lambda _: httpx.Response(503)
    async with dispatching(state, machine, receiver):
        events = [happen(state)["id"] for _ in range(3)]
        await settle()
    state.store.close()
    receiver.requests.clear()
    receiver.answer = lambda _: httpx.Response(200)

    again = SandboxState(now=machine.now, state_dir=tmp_path)
    async with dispatching(again, machine, receiver):
        await settle()

    assert receiver.events == events
    assert {delivery.status for delivery in deliveries(again.store)} == {"delivered"}


async def test_a_receiver_that_hangs_holds_up_neither_the_others_nor_the_end(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            await asyncio.Event().wait()
        return receiver(request)

    listen(state, PLATFORM.account_id, SECRET_KEY)
    listen(state, PLATFORM.account_id, SECRET_KEY, url="http://127.0.0.1:10/hooks")
    dispatcher = Dispatcher(state, machine.monotonic, httpx.MockTransport(answer))
    await dispatcher.start()
    events = [happen(state, PLATFORM.account_id)["id"] for _ in range(20)]
    await settle()
    await dispatcher.stop()

    assert receiver.events == events
    assert len(deliveries(state.store, status="pending")) == 20
    assert len(asyncio.all_tasks()) == 1


async def test_a_deleted_endpoint_gets_nothing_more(state: SandboxState, machine: Machine, receiver: Receiver) -> None:
    endpoint = listen(state)
    receiver.answer = lambda _: httpx.Response(500)
    delete = next(e for e in ENDPOINTS if e.method == "DELETE")
    async with dispatching(state, machine, receiver) as dispatcher:
        happen(state)
        await settle()
        work = Work(state, ALICE.account_id, int(state.now().timestamp()))
        delete.answer(Call(work, state.caller(ALICE.restricted_key, None), {"id": endpoint["id"]}, {}))
        machine.seconds += 60
        dispatcher.look()
        happen(state)
        await settle()

    assert len(receiver.requests) == 1
    assert only(state).status == "canceled"


@pytest.mark.parametrize(("name", "steps"), [("reserve-in-force", (0.25, 0.25, 1)), ("low-activity", (1, 40))])
async def test_as_time_passes_the_books_of_whoever_is_listened_to_go_out_in_order_and_once(
    state: SandboxState, machine: Machine, receiver: Receiver, name: str, steps: tuple[float, ...]
) -> None:
    account = ARCHETYPES[name]
    async with dispatching(state, machine, receiver) as dispatcher:
        state.advance(3600)
        dispatcher.look()
        begun = int(state.now().timestamp())
        listen(state, account.account_id, account.restricted_key)
        dispatcher.look()
        for days in steps:  # what is older than 30 days goes out, too
            state.advance(days * 86_400)
            dispatcher.look()
            dispatcher.look()
            await settle(4_000)

    expected = feed.between(state, account.account_id, begun, int(state.now().timestamp()))
    assert receiver.events == [event["id"] for event in expected]
    assert len(expected) > 20
    for request in receiver.requests[::50]:
        found = find_event(state, account.account_id, msgspec.json.decode(request.content)["id"], connect=False)
        assert msgspec.json.format(msgspec.json.encode(found), indent=2) == request.content


@pytest.mark.parametrize("upward", [False, True])
@pytest.mark.parametrize("limit", [3, 100])
def test_events_of_calls_and_of_the_books_are_paged_in_one_order(
    state: SandboxState, machine: Machine, limit: int, upward: bool
) -> None:
    account = ARCHETYPES["low-activity"].account_id
    books = feed.between(state, account, int(NOON.timestamp()) - KEPT, int(NOON.timestamp()))
    machine.seconds = books[len(books) // 2]["created"] - NOON.timestamp()
    happen(state, account)
    happen(state, account)
    machine.seconds = 0
    happen(state, account)
    every = list_events(
        state, account, Query(10_000, None, None, (0, 2**62), (0, 2**62), {}), lambda _: True, connect=False
    )["data"]
    seen: list[Json] = []
    while len(seen) < len(every):
        cursor = seen[0 if upward else -1]["id"] if seen else None
        query = Query(limit, None if upward else cursor, cursor if upward else None, (0, 2**62), (0, 2**62), {})
        if upward and cursor is None:
            seen = every[-1:]
            continue
        page = list_events(state, account, query, lambda _: True, connect=False)
        seen = page["data"] + seen if upward else seen + page["data"]
        assert page["has_more"] == (len(seen) < len(every))

    assert seen == every
    assert len(every) == len(books) + 3
    assert [event["created"] for event in every] == sorted((event["created"] for event in every), reverse=True)


async def test_a_lost_delivery_is_never_sent_until_it_is_asked_for(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    listen(state, PLATFORM.account_id, SECRET_KEY)
    add(state, {"kind": "webhook_loss", "times": 1})
    async with dispatching(state, machine, receiver) as dispatcher:
        lost, sent = (happen(state, PLATFORM.account_id)["id"] for _ in range(2))
        await settle()
        assert receiver.events == [sent]
        assert faults(state) == []
        (delivery,) = deliveries(state.store, status="lost")
        dispatcher.again(delivery)
        await settle()

    assert receiver.events == [sent, lost]
    assert {delivery.status for delivery in deliveries(state.store)} == {"delivered"}


async def test_a_duplicate_is_the_same_bytes_twice_and_counts_once(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    listen(state, PLATFORM.account_id, SECRET_KEY)
    add(state, {"kind": "webhook_duplicate", "type": "customer.*"})
    async with dispatching(state, machine, receiver):
        event = happen(state, PLATFORM.account_id)
        await settle()

    first, second = receiver.requests
    assert first.content == second.content
    found = find_event(state, PLATFORM.account_id, event["id"], connect=False)
    assert found is not None
    assert found["pending_webhooks"] == 1


@pytest.mark.parametrize("moved", ["machine", "sandbox"])
async def test_a_delayed_delivery_leaves_when_either_clock_has_come_so_far(
    state: SandboxState, machine: Machine, receiver: Receiver, moved: str
) -> None:
    listen(state, PLATFORM.account_id, SECRET_KEY)
    add(state, {"kind": "webhook_delay", "delay": 120})
    async with dispatching(state, machine, receiver) as dispatcher:
        happen(state, PLATFORM.account_id)
        for _ in range(2):
            assert receiver.requests == []
            if moved == "machine":
                machine.seconds += 60
            else:
                state.advance(60)
            dispatcher.look()
            await settle()

    assert len(receiver.requests) == 1


async def test_shuffled_deliveries_wait_for_each_other_and_leave_in_the_seeds_order(machine: Machine) -> None:
    orders = []
    for seed in (1, 1, 2):
        state, receiver = SandboxState(now=machine.now), Receiver()
        listen(state, PLATFORM.account_id, SECRET_KEY)
        add(state, {"kind": "webhook_shuffle", "window": 5, "seed": seed})
        async with dispatching(state, machine, receiver) as dispatcher:
            events = [happen(state, PLATFORM.account_id)["id"] for _ in range(7)]
            await settle()
            assert len(receiver.events) == 5
            machine.seconds += HELD
            dispatcher.look()
            await settle()
        assert sorted(receiver.events) == sorted(events)
        orders.append([events.index(event) for event in receiver.events])
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != list(range(7))


async def test_a_thin_endpoint_gets_a_notification_that_the_official_client_reads(
    state: SandboxState, machine: Machine, receiver: Receiver
) -> None:
    endpoint = listen(state, PLATFORM.account_id, SECRET_KEY)
    save(state.store, msgspec.structs.replace(destinations(state.store)[0], payload="thin"))
    async with dispatching(state, machine, receiver):
        event = happen(state, PLATFORM.account_id)
        await settle()

    (request,) = receiver.requests
    signed = request.headers["stripe-signature"]
    client = stripe.StripeClient(SECRET_KEY)
    told: Any = client.parse_event_notification(request.content, signed, endpoint["secret"], tolerance=0)
    assert (told.id, told.type) == (event["id"], "v1.customer.created")
    assert told.related_object.url == "/v1/customers/cus_1"
    with pytest.raises(ValueError, match="thin event"):
        stripe.Webhook.construct_event(request.content, signed, endpoint["secret"], tolerance=0)


def test_a_page_may_begin_after_an_event_of_a_type_that_is_not_asked_for(state: SandboxState) -> None:
    account = ARCHETYPES["low-activity"].account_id
    every = list_events(state, account, Query(10_000, None, None, (0, 2**62), (0, 2**62), {}), bool, connect=False)
    at, cursor = next((n, event) for n, event in enumerate(every["data"]) if event["type"] != "payout.paid")
    query = Query(3, cursor["id"], None, (0, 2**62), (0, 2**62), {})
    page = list_events(state, account, query, lambda kind: kind == "payout.paid", connect=False)["data"]

    assert page == [event for event in every["data"][at:] if event["type"] == "payout.paid"][:3]
    assert len(page) == 3
