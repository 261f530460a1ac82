"""Join an account by an invite: as somebody new, with a password, or as who is signed in."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import seat_allowance
from payflux.activation.onboarding import SignUp, record_sign_up
from payflux.frontdoor.accounts.claiming import wipe_ways_in
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.passwords import hash_password
from payflux.frontdoor.accounts.registering import EmailTaken, check_registration, create_user
from payflux.frontdoor.accounts.rules import normalize_email
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.accepting import (
    InviteUnusable,
    Offer,
    accept_invite,
    open_invite,
    require_address,
)
from payflux.frontdoor.accounts.team.members import act_in
from payflux.frontdoor.accounts.team.rules import InviteState
from payflux.frontdoor.funnel.events import SignUpMethod
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World


async def register_invited(
    session: AsyncSession, world: World, *, code: str, name: str, email: str, password: str
) -> tuple[User, Offer]:
    """A new user with a password, who is a member of the account that `code` offers and owns none. Whoever brings the
    code reads mail at the invited address, so it is verified. As the system role.

    A user with that address who has never proven it makes way: their ways in are wiped, and the password is the new
    one. Raises InvalidInput, EmailTaken for a verified one, InviteEmailMismatch unless `email` is the invited one, and
    what opening or accepting the invite raises.
    """
    now = world.clock.now()
    offer = await open_invite(session, world.tokens, code=code, now=now)
    if offer.state is not InviteState.OPEN:
        raise InviteUnusable(offer.state)
    require_address(offer, email)
    if problems := await check_registration(world, name=name, email=offer.email, password=password):
        raise InvalidInput(problems)
    digest = await hash_password(password)
    present = select(User).where(User.email_normalized == normalize_email(offer.email)).with_for_update()
    user = (await session.execute(present)).scalar_one_or_none()
    if user is None:
        user = await create_user(session, name=name, email=offer.email, password_hash=digest, verified_at=now, now=now)
    elif user.email_verified_at is None:
        await wipe_ways_in(session, user_id=user.id, now=now)
        user.name, user.password_hash, user.email_verified_at = " ".join(name.split()), digest, now
        await session.flush()
    else:
        raise EmailTaken(_("This address has an account already."), way_out=_("Sign in to accept the invite."))
    joined = await _join(session, world, code=code, user=user)
    sign_up = SignUp(SignUpMethod.PASSWORD)
    await record_sign_up(session, user, sign_up, account_id=joined.account_id, invited=True, now=now)
    return user, joined


async def join(session: AsyncSession, world: World, who: SignedIn, *, code: str) -> Offer:
    """Make the caller a member of the account that `code` offers, and have their session act in it. As the system
    role. Raises what :func:`payflux.frontdoor.accounts.team.accepting.accept_invite` does."""
    user = await session.get_one(User, who.user_id)
    offer = await _join(session, world, code=code, user=user)
    await act_in(session, session_id=who.session_id, user_id=who.user_id, account_id=offer.account_id)
    return offer


async def _join(session: AsyncSession, world: World, *, code: str, user: User) -> Offer:
    now = world.clock.now()
    offer = await open_invite(session, world.tokens, code=code, now=now)
    allowance = await seat_allowance(session, world, account_id=offer.account_id)
    return await accept_invite(session, world.tokens, code=code, user=user, allowance=allowance, now=now)
