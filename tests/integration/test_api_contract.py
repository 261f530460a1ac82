"""The API keeps its own description: no answer on /api/v1 that is undocumented, and none that is our mistake."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import hypothesis
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase
from schemathesis import APIOperation
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import status_code_conformance
from sqlalchemy import select

from payflux.activation.onboarding import open_account
from payflux.app import create_app
from payflux.frontdoor.accounts.access_tokens import write_access_token
from payflux.frontdoor.accounts.models import Session, User
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.accounts.sessions import Client, start_session
from payflux.settings import Settings
from payflux.world.bootstrap import build_world
from tests.running import free_port

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
QUICKLY = hypothesis.settings(
    # for each operation so many requests that fit its description, and as many that do not
    max_examples=hypothesis.settings().max_examples // 16,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@contextmanager
def served(settings: Settings, owner_url: str, port: int) -> Generator[None]:
    """The application on a port of loopback, in a thread with an event loop of its own."""
    app = create_app(build_world(settings, database_url=owner_url))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield
    finally:
        server.should_exit = True
        thread.join()


async def signed_in(settings: Settings, owner_url: str) -> dict[str, str]:
    """The header with which Alice's program calls, on a session of its own; the first call registers her."""
    world, now = build_world(settings, database_url=owner_url), datetime.now(UTC)
    async with world.database.system() as session:
        alice = (await session.execute(select(User).where(User.name == "Alice"))).scalar_one_or_none()
        if alice is None:
            alice = await create_user(
                session, name="Alice", email="alice@example.com", password_hash=None, verified_at=now, now=now
            )
            await open_account(session, world.tokens, alice, now)
        client = Client("127.0.0.1", "tests")
        token = await start_session(
            session, world.tokens, user_id=alice.id, client=client, factors={"password"}, now=now, kind="api"
        )
        digest = world.tokens.digest(token)
        session_id = (await session.execute(select(Session.id).where(Session.token_digest == digest))).scalar_one()
    await world.close()
    access = write_access_token(settings, user_id=alice.id, session_id=session_id, now=now)
    return {"Authorization": f"Bearer {access}"}


def call(operation: APIOperation, mode: GenerationMode, base_url: str, headers: dict[str, str]) -> None:
    """Send requests that fit the description of `operation`, or do not; raises for the first answer that is wrong."""

    @QUICKLY
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        case.call_and_validate(base_url=base_url, headers=headers, checks=CHECKS)

    send()


def test_no_operation_answers_what_it_does_not_document(settings: Settings, owner_url: str) -> None:
    port = free_port()
    settings = settings.model_copy(update={"port": port, "url": f"http://127.0.0.1:{port}"})
    with served(settings, owner_url, port):
        base_url = f"{settings.url}/api/v1"
        description = httpx.get(f"{base_url}/openapi.json").raise_for_status().json()
        operations = [
            found.ok()
            for found in schemathesis.openapi.from_dict(description).get_all_operations()
            if isinstance(found, Ok)
        ]
        assert len(operations) == sum(len(methods) for methods in description["paths"].values())
        wrong: list[str] = []
        for operation in operations:
            # a session for each, for some of them end it
            headers = asyncio.run(signed_in(settings, owner_url))
            takes_input = operation.body or operation.path_parameters or operation.query
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 2 if takes_input else 1]:
                try:
                    call(operation, mode, base_url, headers)
                except FailureGroup as failures:
                    wrong.append(f"{operation.label}: {failures}")
    assert not wrong, "\n".join(wrong)
