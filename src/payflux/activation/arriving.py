"""Who somebody that comes back from a provider is here: a user that we know, a new one, or nobody yet."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import seat_allowance
from payflux.activation.onboarding import SignUp, open_account, record_sign_up
from payflux.frontdoor.accounts.factors.second_step import needs_second_step
from payflux.frontdoor.accounts.linking import claim_user, connect_provider
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.providers.identities import attach, find_holder, find_identity
from payflux.frontdoor.accounts.providers.rules import SIGN_IN_STEPS, Holder, Profile, SignInStep
from payflux.frontdoor.accounts.providers.trips import Carried
from payflux.frontdoor.accounts.registering import create_user
from payflux.frontdoor.accounts.rules import REGISTRATIONS_PER_CLIENT
from payflux.frontdoor.accounts.sessions import Client
from payflux.frontdoor.accounts.team.accepting import accept_invite, open_invite, require_address
from payflux.frontdoor.accounts.throttling import Budget, require_budget, spend
from payflux.frontdoor.accounts.verification.proving import send_verification, tell_owner
from payflux.frontdoor.billing.launch import may_register
from payflux.frontdoor.funnel.events import SignUpMethod
from payflux.kit.errors import UserError
from payflux.kit.messages import gettext as _
from payflux.world.bootstrap import World


class NoAddress(UserError):
    """A provider tells no address, and a user has to have one."""

    code = "no_email"


@dataclass(frozen=True)
class Arrival:
    """`user_id` is who has proven to be whom, None where nobody has. `step` is what the rules said, None for an
    identity that was known."""

    user_id: UUID | None
    step: SignInStep | None


async def arrive(
    session: AsyncSession,
    world: World,
    profile: Profile,
    carried: Carried,
    *,
    client: Client,
    visitor: str | None = None,
    confirmed: bool = False,
) -> Arrival:
    """Follow the rules for whoever comes back as `profile` and is not signed in; `confirmed` once they have agreed to
    connect, `visitor` who they were today before. As the system role.

    Raises NoAddress, TooManyRequests where the client registers too often, and what opening or accepting the invite
    that they bring raises.
    """
    now = world.clock.now()
    identity = await find_identity(session, world.tokens, profile)
    if identity is not None:
        identity.last_used_at = now
        return Arrival(identity.user_id, None)
    if not profile.email:
        raise NoAddress(
            _("%(label)s does not tell us an e-mail address of this account.") % {"label": profile.provider.label},
            way_out=_("Choose an account with an address, or register with your address and a password."),
        )
    user, holder = await find_holder(session, profile)
    if user is not None and holder is Holder.VERIFIED and await needs_second_step(session, user_id=user.id):
        holder = Holder.PROTECTED
    step = SIGN_IN_STEPS[holder, profile.attested]
    if user is None or step is SignInStep.TELL_BY_MAIL:  # one answer for both, or it told who has an address
        budget = Budget(f"register from {client.address}", REGISTRATIONS_PER_CLIENT)
        refusal = _("Too many registrations from your network.")
        await require_budget(session, world.tokens, budget, refusal=refusal, now=now)
        await spend(session, world.tokens, budget.key, now=now)
        if not carried.invite and not await may_register(session, world.settings, email=profile.email):
            return Arrival(None, SignInStep.NOT_OPEN)
    if user is None:
        created = await _create(session, world, profile, carried, visitor)
        return Arrival(created.id, step)
    if step is SignInStep.CLAIM:
        await claim_user(session, user, profile, now=now)
        return Arrival(user.id, step)
    if step is SignInStep.CONFIRM and confirmed:
        await connect_provider(session, user.id, profile, now=now)
        return Arrival(user.id, step)
    if step is SignInStep.TELL_BY_MAIL:
        await tell_owner(session, email=profile.email, now=now)
    return Arrival(None, step)


async def _create(session: AsyncSession, world: World, profile: Profile, carried: Carried, visitor: str | None) -> User:
    now, verified = world.clock.now(), profile.attested
    sign_up = SignUp(SignUpMethod(profile.provider), visitor)
    if carried.invite:
        offer = await open_invite(session, world.tokens, code=carried.invite, now=now)
        require_address(offer, profile.email)
        verified = True  # whoever brings the code reads mail there
    user = await create_user(
        session,
        name=profile.name or profile.email.partition("@")[0],
        email=profile.email,
        password_hash=None,
        verified_at=now if verified else None,
        now=now,
    )
    await attach(session, user_id=user.id, profile=profile, now=now)
    if carried.invite:
        allowance = await seat_allowance(session, world, account_id=offer.account_id)
        await accept_invite(session, world.tokens, code=carried.invite, user=user, allowance=allowance, now=now)
        await record_sign_up(session, user, sign_up, account_id=offer.account_id, invited=True, now=now)
    else:
        await open_account(
            session,
            world.tokens,
            user,
            now,
            sign_up=sign_up,
            plan=carried.plan,
            source=carried.source,
            scan=carried.scan,
        )
    if not verified:
        await send_verification(session, user, now)
    return user
