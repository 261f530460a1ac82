"""What the client sends again, how long it waits before, and what it makes of a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from payflux.client import ApiError, Client, Unreachable

CHARGE = {"type": "charge.succeeded", "id": "ch_9", "created": "2026-11-20T10:00:00Z", "amount": 900, "currency": "usd"}


class Server:
    """Gives the answers it was given, one for each call, and keeps the calls."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers, self.calls, self.waits = list(answers), [], []
        self.client = Client("pfx_test_x", "http://payflux.test", transport=self.transport(), sleep=self.waits.append)

    def transport(self) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            self.calls.append(request)
            said = self.answers.pop(0)
            if isinstance(said, Exception):
                raise said
            return said

        return httpx.MockTransport(answer)


def usage() -> httpx.Response:
    row = {"key": "seats", "used": 1, "limit": None, "left": None, "reset_at": None, "added_later": True}
    return httpx.Response(200, json={"data": [row]})


def test_it_waits_as_long_as_it_is_told_and_asks_again() -> None:
    server = Server(httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(503), usage())
    assert [each.key for each in server.client.usage()] == ["seats"]
    assert server.waits[0] == 7
    assert 0.5 <= server.waits[1] <= 1
    assert server.calls[0].headers["Authorization"] == "Bearer pfx_test_x"


def test_events_that_were_posted_twice_because_an_answer_was_lost_carry_one_idempotency_key() -> None:
    taken = [httpx.Response(202, json={"id": "api_1", "received": number}) for number in (1000, 500)]
    server = Server(httpx.ReadTimeout("lost"), *taken)
    assert server.client.post_events(CHARGE | {"id": f"ch_{number}"} for number in range(1500)) == 1500
    keys = [call.headers["Idempotency-Key"] for call in server.calls]
    assert keys[0] == keys[1] != keys[2]
    assert [len(json.loads(call.content)) for call in server.calls] == [1000, 1000, 500]


def test_a_key_and_an_address_are_taken_as_they_were_stored_or_refused_at_once() -> None:
    server = Server(usage())
    Client("pfx_test_x\n", "http://payflux.test/ ", transport=server.transport()).usage()
    assert server.calls[0].headers["Authorization"] == "Bearer pfx_test_x"
    for key, url in (
        (" ", None),
        ("pfx_é", None),
        ("a\nb", None),
        ("k", "payflux.test"),
        ("k", "http://payflux.test:x"),
    ):
        with pytest.raises(ValueError, match=r"API"):
            Client(key, url)


def test_what_may_not_be_done_twice_is_sent_again_only_where_nothing_was_done() -> None:
    lost = Server(httpx.ReadTimeout("lost"))
    with pytest.raises(Unreachable):
        lost.client.test_sink("s")
    sent = httpx.Response(202, json={"delivery_id": "d"})
    never_there = Server(httpx.ConnectError("refused"), httpx.Response(429, headers={"Retry-After": "1"}), sent)
    assert never_there.client.test_sink("s") == "d"


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([httpx.Response(403, json={"code": "key_scope", "detail": "No.", "way_out": "Make one."})], 1),
        ([httpx.Response(429, headers={"Retry-After": "3600"}, json={"code": "key_scope"})], 1),
        ([httpx.Response(503, text="<html>") for _ in range(4)], 4),
    ],
)
def test_a_refusal_says_why_and_is_not_asked_again_in_vain(answers: list[httpx.Response], tries: int) -> None:
    server = Server(*answers)
    with pytest.raises(ApiError) as refused:
        server.client.risk()
    assert len(server.calls) == tries
    assert refused.value.status == answers[0].status_code
    if tries == 1:
        assert refused.value.code == "key_scope"


def test_pages_are_read_to_the_end_and_only_as_far_as_asked() -> None:
    def page(name: str, cursor: str | None) -> Callable[[], httpx.Response]:
        row = {"kind": "charge", "status": "succeeded", "occurred_at": "2026-11-20T10:00:00Z", "amount": 1}
        row |= {"id": name, "currency": "usd", "settled_amount": 1, "settled_currency": "usd"}
        return lambda: httpx.Response(200, json={"data": [row], "next_cursor": cursor})

    server = Server(page("ch_1", "two")(), page("ch_2", None)())
    found = server.client.events(kinds=["charge"])
    assert next(found).id == "ch_1"
    assert len(server.calls) == 1
    assert [each.id for each in found] == ["ch_2"]
    assert server.calls[1].url.params["cursor"] == "two"
    assert server.calls[1].url.params["kind"] == "charge"


def test_a_client_without_a_key_says_where_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYFLUX_API_KEY", raising=False)
    with pytest.raises(ValueError, match="PAYFLUX_API_KEY"):
        Client()
