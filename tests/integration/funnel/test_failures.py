"""What workers fail at is counted where every process can read it."""

from __future__ import annotations

from sqlalchemy import select

from payflux.activation.mails import send_mail
from payflux.app import create_app
from payflux.kit.failures import FailureCount
from payflux.kit.jobs import Payload, Permanent, enqueue
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import with_settings
from tests.integration.pages.browser import Browser
from tests.running import free_port


async def counted(world: World) -> dict[tuple[str, str], int]:
    async with world.database.system() as session:
        return {(row.kind, row.label): row.number for row in (await session.execute(select(FailureCount))).scalars()}


async def test_a_mail_that_the_server_does_not_take_and_a_job_that_is_given_up_are_counted(world: World) -> None:
    mails: list[Payload] = []

    async def keep(_world: World, payload: Payload) -> None:
        mails.append(payload)

    async def fail(_world: World, _payload: Payload) -> None:
        raise Permanent("never")

    browser = Browser(create_app(world))
    assert (await browser.register("Alice", "alice@alice-shop.example")).status_code == 303
    async with world.database.system() as session:
        await enqueue(session, "fail", {})
    await work(world, drain=True, steps={"fail": fail, "send_mail": keep})
    await send_mail(with_settings(world, smtp_port=free_port()), mails[0])  # nobody listens there
    assert await counted(world) == {("mail", "verify_address"): 1, ("job", "fail"): 1}
