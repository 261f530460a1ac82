import asyncio
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from payflux.settings import STRIPE_API_VERSION, Settings
from payflux.world.limiter import AdaptiveLimiter
from payflux.world.stripe import (
    CodeRefused,
    ConnectOAuth,
    Disconnected,
    KeyRefused,
    PermissionMissing,
    ProcessorUnavailable,
    RequestRefused,
    StripeAuth,
    StripeGateway,
    StripeReader,
)

KEY = "rk_test_51Secret"
Handler = Callable[[httpx.Request], httpx.Response]


class Time:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


def settings() -> Settings:
    return Settings(stripe_secret_key=SecretStr("sk_test_platform"), stripe_client_id="ca_1", stripe_test_rate=20)


def gateway(handler: Handler, time: Time) -> StripeGateway:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return StripeGateway(settings(), http, monotonic=time.monotonic, sleep=time.sleep, jitter=lambda: 1.0)


def connect(handler: Handler) -> ConnectOAuth:
    return ConnectOAuth(settings(), httpx.AsyncClient(transport=httpx.MockTransport(handler)))


def reader(handler: Handler, time: Time, account: str | None = None) -> StripeReader:
    return gateway(handler, time).reader(StripeAuth(KEY, account))


def error(status: int, **body: str) -> httpx.Response:
    return httpx.Response(status, json={"error": body}, headers={"Request-Id": "req_1"})


async def test_a_request_carries_key_version_and_connected_account() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": []})

    body = await reader(answer, Time(), "acct_1").get("/v1/charges", {"limit": 100, "expand[]": ["data.source"]})
    assert body == b'{"data":[]}'
    assert seen[0].headers["Authorization"] == f"Bearer {KEY}"
    assert seen[0].headers["Stripe-Version"] == STRIPE_API_VERSION
    assert seen[0].headers["Stripe-Account"] == "acct_1"
    assert parse_qs(seen[0].url.query.decode()) == {"limit": ["100"], "expand[]": ["data.source"]}


async def test_an_outage_is_waited_out_with_growing_pauses() -> None:
    time, answers = Time(), iter([error(500), error(503), httpx.Response(200, json={})])
    assert await reader(lambda _: next(answers), time).get("/v1/account") == b"{}"
    assert time.slept == [1.0, 2.0]


async def test_a_broken_connection_is_tried_again() -> None:
    attempts = 0

    def answer(_request: httpx.Request) -> httpx.Response:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json={})

    await reader(answer, Time()).get("/v1/account")
    assert attempts == 2


async def test_an_outage_without_end_is_given_up_without_telling_the_key() -> None:
    time = Time()
    with pytest.raises(ProcessorUnavailable, match="after 6 attempts") as raised:
        await reader(lambda _: error(500, message=KEY), time).get("/v1/account")
    assert KEY not in str(raised.value)
    assert time.slept == [1.0, 2.0, 4.0, 8.0, 8.0]


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (error(401, message=f"Invalid API Key provided: {KEY}"), KeyRefused),
        (error(403, code="account_invalid", message=f"The key '{KEY}' does not have access"), Disconnected),
        (error(400, code="parameter_unknown", message=f"unknown with {KEY}"), RequestRefused),
        (httpx.Response(404, text="<html>"), RequestRefused),
    ],
)
async def test_a_refusal_is_not_tried_again_and_tells_no_key(
    response: httpx.Response, failure: type[Exception]
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return response

    with pytest.raises(failure) as raised:
        await reader(answer, Time()).get("/v1/charges")
    assert len(asked) == 1
    assert KEY not in f"{raised.value!s} {raised.value!r}"


async def test_a_missing_permission_is_named() -> None:
    message = "Having the 'rak_dispute_read' permission would allow this request to continue."
    with pytest.raises(PermissionMissing) as raised:
        await reader(lambda _: error(403, message=message), Time()).get("/v1/disputes")
    assert raised.value.permission == "dispute_read"


async def test_a_429_slows_the_reader_down_and_calm_lets_it_recover() -> None:
    time = Time()
    limiter = AdaptiveLimiter(20, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(5):
        limiter.throttled()
    assert limiter.rate == 10
    time.now += 1
    limiter.throttled()
    assert limiter.rate == 5
    for _ in range(5):
        limiter.succeeded()
    assert 5.9 < limiter.rate < 6
    for _ in range(1000):
        limiter.succeeded()
    assert limiter.rate == 20


@given(
    rate=st.integers(1, 30),
    pauses=st.lists(st.floats(0, 2), max_size=40),
    throttled=st.sets(st.integers(0, 40)),
)
@example(rate=1, pauses=[1.1e-16], throttled=set())  # a pause that rounds to nothing
def test_no_second_ever_sees_more_requests_than_the_rate(rate: int, pauses: list[float], throttled: set[int]) -> None:
    time = Time()
    limiter = AdaptiveLimiter(rate, monotonic=time.monotonic, sleep=time.sleep)
    sent: list[float] = []

    async def send_all() -> None:
        for number, pause in enumerate([*pauses, *([0.0] * 2 * rate)]):
            time.now += pause
            if number in throttled:
                limiter.throttled()
            await limiter.acquire()
            sent.append(time.now)
            limiter.succeeded()

    asyncio.run(send_all())
    assert all(after - before >= 1 - 1e-6 for before, after in zip(sent, sent[rate:], strict=False))


async def test_a_whole_seconds_worth_of_requests_leaves_at_once_and_as_many_again_a_second_later() -> None:
    time = Time()
    limiter = AdaptiveLimiter(25, monotonic=time.monotonic, sleep=time.sleep)
    await asyncio.gather(*(limiter.acquire() for _ in range(25)))
    assert time.slept == []
    await asyncio.gather(*(limiter.acquire() for _ in range(50)))
    assert time.now == pytest.approx(1002, abs=0.01)


async def test_a_rate_that_is_no_whole_number_holds_over_more_than_a_second() -> None:
    time = Time()
    limiter = AdaptiveLimiter(2.5, monotonic=time.monotonic, sleep=time.sleep)
    await asyncio.gather(*(limiter.acquire() for _ in range(3 * 10 + 1)))
    assert time.now == pytest.approx(1012, abs=0.01)


async def test_nothing_leaves_at_once_after_the_service_said_too_often() -> None:
    time = Time()
    limiter = AdaptiveLimiter(10, monotonic=time.monotonic, sleep=time.sleep)
    limiter.throttled()
    await limiter.acquire()
    assert time.now == pytest.approx(1001)


async def test_who_has_most_behind_them_goes_first_and_among_equals_who_came_first() -> None:
    time = Time()
    limiter = AdaptiveLimiter(1, monotonic=time.monotonic, sleep=time.sleep)
    left: list[str] = []

    async def send(name: str, behind: float) -> None:
        await limiter.acquire(behind)
        left.append(name)

    waiting = [("now", 0), ("next", 0), ("short", 1), ("long", 9), ("as long", 9), ("alone", float("inf"))]
    await asyncio.gather(*(send(name, behind) for name, behind in waiting))
    assert left == ["now", "next", "alone", "long", "as long", "short"]


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    limiter = AdaptiveLimiter(10)
    limiter.at_once = 1
    await limiter.acquire()
    first, second, third = (asyncio.ensure_future(limiter.acquire()) for _ in range(3))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    first.cancel()
    limiter.release()
    await asyncio.wait_for(third, 5)
    assert first.cancelled()
    assert second.cancelled()


async def test_too_many_at_once_are_thinned_out_and_calm_lets_more_in_again() -> None:
    time = Time()
    limiter = AdaptiveLimiter(100, monotonic=time.monotonic, sleep=time.sleep)
    for _ in range(8):
        await limiter.acquire()
    for _ in range(3):
        limiter.crowded()
    assert (limiter.rate, limiter.at_once) == (100, 4)
    waiting = asyncio.ensure_future(limiter.acquire())
    for _ in range(4):
        limiter.release()
        await asyncio.sleep(0)
    assert not waiting.done()
    limiter.release()
    await waiting
    for _ in range(4):
        limiter.succeeded()
    assert 4.8 < limiter.at_once < 5


@pytest.mark.parametrize(
    ("headers", "code", "rate", "at_once"),
    [
        ({}, "", 10, float("inf")),
        ({"Stripe-Rate-Limited-Reason": "endpoint-rate"}, "", 10, float("inf")),
        ({"Stripe-Rate-Limited-Reason": "global-concurrency"}, "", 20, 1.0),
        ({}, "lock_timeout", 20, float("inf")),
    ],
)
async def test_each_kind_of_429_is_answered_in_its_own_way_and_tried_again(
    headers: dict[str, str], code: str, rate: float, at_once: float
) -> None:
    time = Time()
    limiter = AdaptiveLimiter(20, monotonic=time.monotonic, sleep=time.sleep)
    seen: list[tuple[float, float]] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        seen.append((limiter.rate, limiter.at_once))
        busy = httpx.Response(429, json={"error": {"code": code}}, headers=headers)
        return busy if len(seen) == 1 else httpx.Response(200, json={})

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    one = StripeReader(
        StripeAuth(KEY), http=http, base="https://api.example", limiter=limiter, sleep=time.sleep, jitter=lambda: 1.0
    )
    assert await one.get("/v1/charges") == b"{}"
    assert seen == [(20, float("inf")), (rate, at_once)]


def test_a_share_of_the_rate_is_a_rate_of_its_own() -> None:
    stripe = gateway(lambda _: httpx.Response(200), Time())
    assert stripe.reader(StripeAuth(KEY)).rate == 20
    assert stripe.reader(StripeAuth(KEY), share=0.25).rate == 5


async def test_a_file_is_read_line_by_line_and_says_when_it_breaks_off() -> None:
    async def torn():
        yield b"a,b\n1,2\n3"
        raise httpx.ReadError("gone")

    one = reader(lambda _: httpx.Response(200, content=torn()), Time())
    lines = one.lines("https://api.stripe.com/v1/files/file_1/contents")
    assert [await anext(lines), await anext(lines)] == ["a,b", "1,2"]
    with pytest.raises(ProcessorUnavailable, match="broke off"):
        await anext(lines)


def test_the_authorize_address_carries_what_stripe_asks_for() -> None:
    address = connect(lambda _: httpx.Response(200)).authorize_url(
        redirect_uri="http://127.0.0.1:8000/connect/callback", state="s/1"
    )
    assert urlsplit(address).path == "/oauth/authorize"
    assert parse_qs(urlsplit(address).query) == {
        "response_type": ["code"],
        "client_id": ["ca_1"],
        "scope": ["read_write"],
        "redirect_uri": ["http://127.0.0.1:8000/connect/callback"],
        "state": ["s/1"],
    }


async def test_a_code_is_exchanged_once_even_when_stripe_fails() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(500)

    with pytest.raises(ProcessorUnavailable):
        await connect(answer).exchange_code("ac_secret")
    assert len(asked) == 1


async def test_a_used_code_is_refused_without_repeating_it() -> None:
    refusal = httpx.Response(400, json={"error": "invalid_grant", "error_description": "ac_secret does not exist"})
    with pytest.raises(CodeRefused) as raised:
        await connect(lambda _: refusal).exchange_code("ac_secret")
    assert "ac_secret" not in str(raised.value)


async def test_giving_up_an_account_that_is_not_connected_is_no_error() -> None:
    answers = iter([httpx.Response(200, json={}), httpx.Response(401, json={"error": "invalid_client"})])
    stripe = connect(lambda _: next(answers))
    await stripe.deauthorize("acct_1")
    await stripe.deauthorize("acct_1")


def test_a_key_is_not_shown_and_tells_its_mode() -> None:
    assert KEY not in repr(StripeAuth(KEY))
    assert StripeAuth("sk_live_1").livemode
    assert not StripeAuth(KEY).livemode


async def test_a_refused_token_is_renewed_once_however_many_requests_it_was_refused_to() -> None:
    renewals = 0

    async def renew() -> StripeAuth:
        nonlocal renewals
        renewals += 1
        return StripeAuth("new token", live=False, renew=renew)

    def answer(request: httpx.Request) -> httpx.Response:
        good = request.headers["Authorization"] == "Bearer new token"
        return httpx.Response(200, json={}) if good else error(401, message="expired")

    renewing = gateway(answer, Time()).reader(StripeAuth("old token", live=False, renew=renew))
    await asyncio.gather(*(renewing.get("/v1/charges") for _ in range(5)))
    assert renewals == 1


async def test_a_token_that_is_refused_right_after_its_renewal_is_not_renewed_for_ever() -> None:
    renewals = 0

    async def renew() -> StripeAuth:
        nonlocal renewals
        renewals += 1
        return StripeAuth(f"token {renewals}", renew=renew)

    with pytest.raises(KeyRefused):
        await gateway(lambda _: error(401), Time()).reader(StripeAuth("token", renew=renew)).get("/v1/charges")
    assert renewals == 1


async def test_what_is_posted_again_after_an_outage_carries_the_same_idempotency_key() -> None:
    seen: list[httpx.Request] = []
    answers = iter([error(500), error(409, code="idempotency_key_in_use"), httpx.Response(200, json={"id": "we_1"})])

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return next(answers)

    await reader(answer, Time()).post("/v1/webhook_endpoints", {"enabled_events[]": ["a", "b"]}, idempotency_key="k-1")
    assert [request.headers["Idempotency-Key"] for request in seen] == ["k-1"] * 3
    assert parse_qs(seen[0].content.decode()) == {"enabled_events[]": ["a", "b"]}


def test_the_mode_of_a_token_that_does_not_tell_it_is_said() -> None:
    assert StripeAuth("opaque", live=True).livemode
    assert not StripeAuth("sk_live_looks_live", live=False).livemode
