"""What an account's plan allows of single sign-on, asked where somebody comes back from its identity provider."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.sso.arriving import arrive
from payflux.frontdoor.accounts.sso.directory import Room
from payflux.frontdoor.accounts.sso.models import SsoConnection
from payflux.frontdoor.accounts.sso.rules import Asserted
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.frontdoor.entitlements.rules import SEATS
from payflux.world.bootstrap import World

SSO = "sso"


async def member_for(session: AsyncSession, world: World, connection: SsoConnection, person: Asserted) -> UUID:
    """The member that `person` is. As the system role.

    Who is a member signs in whatever the plan is: a payment that failed keeps nobody out, and opens no other way in.
    New ones need it. Raises what :func:`payflux.frontdoor.accounts.sso.arriving.arrive` does.
    """
    room = await room_for(session, world, account_id=connection.account_id)
    return await arrive(
        session,
        world.tokens,
        connection,
        person,
        seat_limit=room.seats,
        takes_members=room.takes_members,
        now=world.clock.now(),
    )


async def room_for(session: AsyncSession, world: World, *, account_id: UUID) -> Room:
    """What the account's plan allows of new members by its provider or its directory; read anew, for it decides."""
    held = await entitlements_of(session, world, account_id=account_id, fresh=True)
    return Room(seats=held.limits[SEATS], takes_members=held.features.get(SSO, False))
