"""Activations whose worker is killed once, at a random point of a random step."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import text

from payflux.activation import service as activation
from payflux.activation.pipeline import STEPS
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.world.bootstrap import World
from tests.integration.killed_worker import run_until_killed
from tests.integration.test_pipeline import reconnect, work_off, work_until_live
from tests.running import free_port, product_environment

STEPS_TO_DIE_IN = (*STEPS, "send_mail")
REQUESTS = 20
"""A pull of the merchant takes more than so many requests."""

_MADE = {
    "surfaces": ("SELECT count(*) FROM risk_surfaces WHERE pull_id IS NOT NULL", 1),
    "projections": ("SELECT count(*) FROM reserve_projections WHERE pull_id IS NOT NULL", 1),
    "projections recorded": ("SELECT count(*) FROM ledger_artifacts WHERE kind = 'projection'", 1),
    "envelopes": ("SELECT count(*) FROM ledger_artifacts WHERE kind = 'envelope'", 1),
    "alert rules": ("SELECT count(*) FROM alert_rules", 4),
    "transitions": ("SELECT count(*) FROM activation_transitions", 4),
    "mails delivered": ("SELECT count(*) FROM activation_mails WHERE delivered_at IS NOT NULL", 1),
}


@dataclass
class Mailbox:
    """A mail server that takes everything; `settings` lead to it."""

    settings: dict[str, object] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 -- aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.mails.append(BytesParser(EmailMessage, policy=default).parsebytes(envelope.content))
        return "250 OK"


@contextmanager
def mail_server() -> Generator[Mailbox]:
    mailbox = Mailbox()
    server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    mailbox.settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": server.port,
        "smtp_tls": "none",
        "smtp_from": "PayFlux <alerts@payflux.example>",
    }
    server.start()
    yield mailbox
    server.stop()


def sandboxed(base: str) -> dict[str, object]:
    """The settings that lead to a sandbox."""
    return {"stripe_api_base": base, "stripe_connect_base": base, "stripe_test_rate": 1000.0}


async def activations_under_fire(
    world: World, owner_url: str, secret: str, mailbox: Mailbox, *, activations: int, seed: int
) -> list[str]:
    """Take so many accounts live, each with a worker that dies once; in what they differ from one that lived in
    peace."""
    chance = random.Random(seed)
    settings = world.settings
    environment = product_environment(
        settings.data_dir,
        DATABASE_URL=owner_url,
        PAYFLUX_SECRET_KEY=secret,
        STRIPE_SECRET_KEY="sk_test_sandbox",
        STRIPE_CLIENT_ID="ca_sandbox",
        STRIPE_API_BASE=settings.stripe_api_base,
        STRIPE_CONNECT_BASE=settings.stripe_connect_base,
        PAYFLUX_SMTP_HOST=settings.smtp_host,
        PAYFLUX_SMTP_PORT=str(settings.smtp_port),
        PAYFLUX_SMTP_TLS=settings.smtp_tls,
        PAYFLUX_SMTP_FROM=settings.smtp_from,
    )
    deviations = []
    for number in range(activations):
        step = chance.choice(STEPS_TO_DIE_IN)
        points = ["start", "inside", "end"]
        if step == "pull_processor_events":
            points.append(str(chance.randrange(2, REQUESTS)))
        point = chance.choice(points)
        address = f"alice-{number}@shop.example"
        account_id = await _connected(world, address)
        await run_until_killed(environment, step, point)
        await work_until_live(world, account_id)
        await _work_until_mailed(world, account_id)
        deviations += [f"killed in {step} at {point}: {each}" for each in await _deviations(world, account_id)]
        sent = {mail["Message-ID"] for mail in mailbox.mails if mail["To"] == address}
        if len(sent) != 1:
            deviations.append(f"killed in {step} at {point}: {len(sent)} different mails")
    return deviations


async def _work_until_mailed(world: World, account_id: UUID) -> None:
    """Run workers until the mail is noted as delivered, or it should have been long ago: one that finds nothing to do
    may have come before the dead worker's job was given up for dead."""
    for _ in range(10):
        await work_off(world)
        async with world.database.tenant(account_id) as session:
            noted = await session.execute(text("SELECT 1 FROM activation_mails WHERE delivered_at IS NOT NULL"))
            if noted.first() is not None:
                return
        await asyncio.sleep(1)


async def _connected(world: World, address: str) -> UUID:
    now = world.clock.now()
    async with world.database.system() as session:
        user, account = await register(session, name="Alice", email=address, password="quiet harbour lantern", now=now)
        user.email_verified_at = now
        await start_trial(session, account_id=account.id, now=now)
        await activation.create_workspace(session, account_id=account.id, name="Shop", now=now)
    await reconnect(world, account.id, user.id, "healthy")
    return account.id


async def _deviations(world: World, account_id: UUID) -> list[str]:
    async with world.database.tenant(account_id) as session:
        found = {name: (await session.execute(text(query))).scalar_one() for name, (query, _) in _MADE.items()}
    return [f"{found[name]} {name}" for name, (_, wanted) in _MADE.items() if found[name] != wanted]
