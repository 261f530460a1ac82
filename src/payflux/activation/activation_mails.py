"""The mails about an activation: how each is written. One that is out of date by now is not sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import Workspace
from payflux.activation.service import get_workspace
from payflux.activation.states import ActivationState
from payflux.frontdoor.accounts.queries import Addressee
from payflux.kit.figures import moment_words, written
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.kit.phrases import spoken, told
from payflux.kit.png import Bar, bar_chart_png
from payflux.monitor.processors.models import Connection, ConnectionMethod
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.queries import newest_readout
from payflux.monitor.risk.rules.measures import money
from payflux.world.bootstrap import World
from payflux.world.mail import InlineImage, Mail, write_mail

CHART = "trapped-capital"


async def _activated(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id = UUID(payload["account_id"])
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        if str(workspace.pull_id) != payload["pull_id"] or workspace.connection_id is None:
            return None
        connection = await get_connection(session, account_id=account_id, connection_id=workspace.connection_id)
        readout = await newest_readout(session, connection)
    if readout is None:
        return None
    surface, projection = spoken(readout.surface), readout.projection

    def amount(minor: int) -> str:
        return told(money(minor, projection.currency))

    windows = [
        (f"T+{each.horizon_days}", amount(each.trapped), amount(each.low), amount(each.high))
        for each in projection.windows
    ]
    bars = [Bar(max(each.low, 0), max(each.trapped, 0), max(each.high, 0)) for each in projection.windows]
    mail = write_mail(
        "activated",
        greeting=addressee.greeting,
        workspace=workspace.name,
        account=addressee.account_name,
        processor=processor_name(connection),
        band=_(surface.risk_band.capitalize()),
        tier=surface.risk_tier,
        event_count=written(f"{surface.event_count:,}"),
        window_days=surface.window_days,
        reason=surface.reasons[0].sentence if surface.reasons else "",
        windows=windows,
        chart=CHART,
        as_of=moment_words(surface.as_of),
        url=f"{world.settings.url}/dashboard",
    )
    return replace(mail, images=(InlineImage(CHART, bar_chart_png(bars)),))


async def _activation_reminder(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _workspace(session, payload)
    if workspace.activation_state != ActivationState.PAID_UNCONNECTED:
        return None
    return write_mail(
        "activation_reminder",
        greeting=addressee.greeting,
        account=addressee.account_name,
        last=payload["reminder"] == "last",
        url=f"{world.settings.url}/activate",
    )


async def _activation_failing(world: World, payload: Payload, _addressee: Addressee) -> Mail | None:
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        workspace = await _workspace(session, payload)
    if workspace.problem is None or workspace.failing_since is None:
        return None
    return write_mail(
        "activation_failing",
        code=workspace.problem["code"],
        state=workspace.activation_state,
        failures=workspace.failures,
        failing_since=moment_words(workspace.failing_since),
        account_id=str(workspace.account_id),
        url=f"{world.settings.url}/admin/accounts/{workspace.account_id}",
    )


def processor_name(connection: Connection) -> str:
    """What a person calls the processor of `connection`."""
    return connection.name if connection.method == ConnectionMethod.WEBHOOK else "Stripe"


async def _workspace(session: AsyncSession, payload: Payload) -> Workspace:
    return await get_workspace(session, account_id=UUID(payload["account_id"]))


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "activated": _activated,
    "activation_failing": _activation_failing,
    "activation_reminder": _activation_reminder,
}
