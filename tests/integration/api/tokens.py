"""Access tokens, as a person's own program has them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from payflux.frontdoor.accounts.access_tokens import write_access_token
from payflux.frontdoor.accounts.models import Membership, Session
from payflux.frontdoor.accounts.sessions import Client, start_session
from payflux.settings import Settings
from payflux.world.bootstrap import World


async def access_token(world: World, account_id: UUID, settings: Settings) -> str:
    """Of a new session of the account's owner."""
    now = world.clock.now()
    async with world.database.system() as session:
        found = select(Membership.user_id).where(Membership.account_id == account_id, Membership.role == "owner")
        user_id: UUID = (await session.execute(found)).scalar_one()
        client = Client("127.0.0.1", "tests")
        token = await start_session(
            session, world.tokens, user_id=user_id, client=client, factors={"password"}, now=now, kind="api"
        )
        digest = world.tokens.digest(token)
        session_id = (await session.execute(select(Session.id).where(Session.token_digest == digest))).scalar_one()
    return write_access_token(settings, user_id=user_id, session_id=session_id, now=now)
