"""What a page or a machine is told when something goes wrong."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from jinja2 import DictLoader, Environment
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from payflux.app import create_app
from payflux.world.bootstrap import World, build_world
from tests.integration.pages.browser import MACHINE, Browser
from tests.integration.pages.conftest import with_a_broken_page


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


async def test_an_error_is_told_in_words_alone_where_no_page_can_be_shown(app: FastAPI) -> None:
    browser = Browser(with_a_broken_page(app))
    app.state.templates = Environment(loader=DictLoader({"error.html": "{{ 1 / 0 }}"}))
    with capture_logs() as lines:
        answer = await browser.get("/broken")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
    assert f"Request id: {answer.headers['X-Request-Id']}" in answer.text
    assert "1234" not in answer.text
    assert [line["event"] for line in lines if line["log_level"] == "error"] == [
        "unexpected error",
        "the page of errors cannot be shown",
    ]


async def test_a_malformed_form_is_the_senders_error(app: FastAPI) -> None:
    browser = Browser(app)
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=b"):
        answer = await browser.http.post("/login", content=b"--x\r\nbroken", headers={"Content-Type": content_type})
        assert answer.status_code in (400, 403), content_type
        assert "What to do" in answer.text


@pytest.mark.parametrize("host", ["[", "evil.example/path?x=", "a b"])
async def test_a_strange_host_header_is_no_error_of_ours(app: FastAPI, host: str) -> None:
    answer = await Browser(app).get("/connection", Host=host)
    assert answer.status_code in (303, 400)
    assert answer.headers.get("Location", "/login?next=/connection") == "/login?next=/connection"


async def test_a_living_process_is_healthy_and_one_with_its_database_is_ready(app: FastAPI) -> None:
    browser = Browser(app)
    assert (await browser.get("/healthz")).json() == {"status": "ok"}
    assert (await browser.get("/readyz")).json() == {
        "status": "ok",
        "database": "ok",
        "isolation": "not checked",
    }


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
    assert (await browser.get("/login")).status_code == 200
    # whether strangers may register stands in the database; one that answers, but is not ours, is a mistake
    refusal = await browser.get("/register")
    assert refusal.status_code == (500 if elsewhere.endswith("nobody") else 503)
    assert "password" not in refusal.text
    await dead.close()
