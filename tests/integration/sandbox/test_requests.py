"""Calls as other clients than Stripe's own make them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from payflux.sandbox.callers import SECRET_KEY
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import Work
from tests.integration.sandbox.conftest import served


@pytest.fixture
def http(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, auth=(SECRET_KEY, "")) as client:
        yield client


def test_a_json_body_is_refused_and_nothing_is_made(http: httpx.Client) -> None:
    before = http.get("/v1/customers").json()["data"]
    answer = http.post("/v1/customers", json={"name": "Alice"})
    assert answer.status_code == 400
    assert "check that your POST content type is application/x-www-form-urlencoded" in answer.json()["error"]["message"]
    assert http.get("/v1/customers").json()["data"] == before
    assert http.post("/v1/customers", files={"name": (None, "Alice")}).json()["name"] == "Alice"


def test_the_form_of_a_delete_is_read(http: httpx.Client) -> None:
    customer = http.post("/v1/customers").json()["id"]
    answer = http.request("DELETE", f"/v1/customers/{customer}", data={"colour": "red"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "colour")
    assert http.request("DELETE", f"/v1/customers/{customer}").json()["deleted"] is True


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/customers"),
        ("PATCH", "/v1/customers/cus_1"),
        ("GET", "/v1/customers/search?query=x"),
        ("POST", "/v2/core/accounts"),
    ],
)
def test_what_is_no_endpoint_is_an_error_object(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert answer.status_code == 404
    told = answer.json()["error"]["message"]
    assert told.startswith(f"Unrecognized request URL ({method}: {path.partition('?')[0]}).")
    assert answer.headers["request-id"].startswith("req_")


def test_a_mistake_of_the_sandbox_is_an_api_error_that_keeps_nothing(
    http: httpx.Client, state: SandboxState, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise KeyError("broken")

    before = http.get("/v1/customers").json()["data"]
    with monkeypatch.context() as broken:
        broken.setattr(Work, "tell", fail)
        answer = http.post("/v1/customers", data={"name": "Alice"}, headers={"Idempotency-Key": "broken"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
    assert answer.headers["stripe-should-retry"] == "false"
    assert http.get("/v1/customers").json()["data"] == before
    assert http.post("/v1/customers", data={"name": "Alice"}, headers={"Idempotency-Key": "broken"}).status_code == 200


def test_a_change_is_kept_with_what_is_to_be_delivered_of_it_or_not_at_all(
    http: httpx.Client, state: SandboxState
) -> None:
    def fail(_account: str, event: Json) -> None:
        if event["type"] == "product.created":
            raise OSError("The disk is full.")

    state.listeners.append(fail)
    try:
        answer = http.post("/v1/products", data={"name": "Plan"}, headers={"Idempotency-Key": "plan"})
    finally:
        state.listeners.remove(fail)
    assert answer.status_code == 500
    assert http.get("/v1/products").json()["data"] == []
    assert http.get("/v1/events", params={"type": "product.created"}).json()["data"] == []
    again = http.post("/v1/products", data={"name": "Plan"}, headers={"Idempotency-Key": "plan"})
    assert (again.status_code, "idempotent-replayed" in again.headers) == (200, False)


async def test_a_key_that_is_being_carried_out_is_in_use_and_then_replayed() -> None:
    with served(SandboxState(requests_per_second=1000), latency_ms=300) as base:
        async with httpx.AsyncClient(base_url=base, auth=(SECRET_KEY, ""), timeout=30) as http:

            async def create() -> httpx.Response:
                return await http.post("/v1/products", data={"name": "Plan"}, headers={"Idempotency-Key": "plan"})

            made, refused = sorted(await asyncio.gather(create(), create()), key=lambda answer: answer.status_code)
            again = await create()
            products = (await http.get("/v1/products")).json()["data"]
    assert (made.status_code, refused.status_code) == (200, 409)
    assert refused.json()["error"]["code"] == "idempotency_key_in_use"
    assert refused.headers["stripe-should-retry"] == "true"
    assert (again.json(), again.headers["idempotent-replayed"]) == (made.json(), "true")
    assert products == [made.json()]
