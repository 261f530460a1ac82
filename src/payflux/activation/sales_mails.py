"""The mail to sales about somebody who asked to talk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.sales.queries import get_lead
from payflux.frontdoor.sales.service import SALES
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail


async def _sales_lead(world: World, payload: Payload, _addressee: Addressee) -> Mail | None:
    async with world.database.system() as session:
        lead = await get_lead(session, UUID(payload["row_id"]))
    if lead is None:
        return None
    return write_mail(
        "sales_lead",
        name=lead.name,
        email=lead.email,
        company=lead.company,
        team_size=lead.team_size,
        source=lead.source.replace("_", " "),
        message=lead.message,
        url=f"{world.settings.url}/admin/leads",
    )


async def _sales_address(world: World, _session: AsyncSession, _row_id: UUID) -> Addressee | None:
    return Addressee("", world.settings.sales_email, "") if world.settings.sales_email else None


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {"sales_lead": _sales_lead}
ADDRESSES = {SALES: _sales_address}
