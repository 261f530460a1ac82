"""Whether strangers may register by themselves: the settings say it, a switch overrides them, and single addresses may
before everybody may. All but reading whether runs as the system role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.rules import is_email, normalize_email
from payflux.frontdoor.billing.models import LaunchState, SelfServeAllowed
from payflux.kit.errors import InvalidInput, NotFound
from payflux.kit.messages import gettext as _
from payflux.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Launch:
    """How the launch stands. `override` is what the switch says, None where the settings decide; `allowed` are the
    addresses that may register anyway."""

    enabled: bool
    override: bool | None
    changed_by: str | None
    changed_at: datetime | None
    allowed: list[SelfServeAllowed]


async def self_serve_enabled(session: AsyncSession, settings: Settings) -> bool:
    """Whether everybody may register and see the prices."""
    override = (await session.execute(select(LaunchState.self_serve_enabled))).scalar_one()
    return settings.self_serve_enabled if override is None else override


async def may_register(session: AsyncSession, settings: Settings, *, email: str) -> bool:
    """Whether somebody with this address may open an account without an invite."""
    allowed = select(exists().where(SelfServeAllowed.email_normalized == normalize_email(email)))
    listed = bool((await session.execute(allowed)).scalar_one())  # asked in any case, so that both take the same time
    return await self_serve_enabled(session, settings) or listed


async def launch_status(session: AsyncSession, settings: Settings) -> Launch:
    """How the launch stands, for whoever may change it."""
    state = (await session.execute(select(LaunchState))).scalar_one()
    allowed = select(SelfServeAllowed).order_by(SelfServeAllowed.email_normalized)
    return Launch(
        enabled=await self_serve_enabled(session, settings),
        override=state.self_serve_enabled,
        changed_by=state.changed_by,
        changed_at=state.changed_at,
        allowed=list((await session.execute(allowed)).scalars()),
    )


async def switch_self_serve(session: AsyncSession, enabled: bool | None, *, by: str, now: datetime) -> None:
    """Let everybody in or nobody, from the next request on and in every process; None goes by the settings again."""
    await session.execute(update(LaunchState).values(self_serve_enabled=enabled, changed_by=by, changed_at=now))
    log.info("self-serve switched", enabled=enabled)


async def allow(session: AsyncSession, *, email: str, by: str, now: datetime) -> None:
    """Let this address register whatever the switch says; one that may already changes nothing. Raises InvalidInput."""
    address = normalize_email(email)
    if not is_email(address):
        raise InvalidInput({"email": _("Enter an e-mail address like you@company.com.")})
    row = {"email_normalized": address, "added_by": by, "added_at": now}
    await session.execute(insert(SelfServeAllowed).values(row).on_conflict_do_nothing())


async def disallow(session: AsyncSession, *, email: str) -> None:
    """Take that back; an account that was opened by then stays. Raises NotFound."""
    address = normalize_email(email)
    taken = delete(SelfServeAllowed).where(SelfServeAllowed.email_normalized == address)
    if (await session.execute(taken.returning(SelfServeAllowed.email_normalized))).scalar_one_or_none() is None:
        raise NotFound(_("This address is not on the list."), way_out=_("Look at the list for how it is written."))
