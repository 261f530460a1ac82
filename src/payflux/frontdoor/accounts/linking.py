"""How a user gains and loses a provider to sign in by, and how the owner of an address takes it from a squatter.

All of it runs as the system role, for users belong to no account; each account that they are in keeps an audit row.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.claiming import wipe_ways_in
from payflux.frontdoor.accounts.factors.changing import LastSignInMethod
from payflux.frontdoor.accounts.factors.queries import sign_in_methods
from payflux.frontdoor.accounts.factors.rules import may_remove_method
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.personal_audit import record_personal_change
from payflux.frontdoor.accounts.providers.identities import attach, detach, find_identity, providers_of
from payflux.frontdoor.accounts.providers.rules import LinkStep, Profile, Provider, link_step
from payflux.frontdoor.accounts.queries import account_of
from payflux.frontdoor.accounts.sessions import SignedIn, end_sessions
from payflux.frontdoor.funnel.events import EmailVerificationCompleted, Proof
from payflux.frontdoor.funnel.recording import record
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import NotFound
from payflux.kit.messages import gettext as _
from payflux.world.outbox import enqueue_mail_to_user


async def claim_user(session: AsyncSession, user: User, profile: Profile, *, now: datetime) -> None:
    """Give an unverified user to whoever has just proven that the address is theirs.

    Whoever registered it may have been somebody else, so everything that they could still come in by goes: password,
    sessions, factors, identities, open mails and invites. What the account holds stays: it may well have been the
    same person.
    """
    user.password_hash, user.email_verified_at = None, now
    user.name = profile.name or user.name
    await wipe_ways_in(session, user_id=user.id, now=now)
    await attach(session, user_id=user.id, profile=profile, now=now)
    await record_personal_change(session, user_id=user.id, action="user.claimed", at=now)
    proven = EmailVerificationCompleted(Proof.PROVIDER)
    await record(session, proven, at=now, account_id=await account_of(session, user.id), user_id=user.id)
    await enqueue_mail_to_user(session, "address_claimed", user.id, provider=profile.provider)


async def connect_provider(session: AsyncSession, user_id: UUID, profile: Profile, *, now: datetime) -> None:
    """Let the user sign in by the identity that `profile` is, and tell them by mail."""
    await attach(session, user_id=user_id, profile=profile, now=now)
    await record_personal_change(session, user_id=user_id, action=f"user.{profile.provider}_connected", at=now)
    await enqueue_mail_to_user(session, "provider_connected", user_id, provider=profile.provider)


async def link_provider(
    session: AsyncSession, tokens: TokenHasher, who: SignedIn, profile: Profile, *, now: datetime
) -> LinkStep:
    """Connect `profile` to the user who is signed in, where the rules allow it; what they say."""
    identity = await find_identity(session, tokens, profile)
    step = link_step(
        mine=identity is not None and identity.user_id == who.user_id,
        taken=identity is not None and identity.user_id != who.user_id,
        has_another=profile.provider in await providers_of(session, user_id=who.user_id),
        verified=who.email_verified,
    )
    if step is LinkStep.CONNECT:
        await connect_provider(session, who.user_id, profile, now=now)
    return step


async def disconnect_provider(session: AsyncSession, who: SignedIn, provider: Provider, *, now: datetime) -> None:
    """Take a provider from the user who is signed in; their other sessions end, for one of them may be why.

    Raises NotFound, and LastSignInMethod where nothing else would let them in again.
    """
    user = await session.get(User, who.user_id, with_for_update=True)
    methods = await sign_in_methods(session, user_id=who.user_id)
    if user is None or provider not in methods.providers:
        raise NotFound(
            _("%(label)s is not connected.") % {"label": provider.label},
            way_out=_("Reload the page to see how it stands."),
        )
    if not may_remove_method(methods):
        raise LastSignInMethod(
            _("%(label)s is your only way to sign in.") % {"label": provider.label},
            way_out=_("Add a passkey or connect another provider first."),
        )
    await detach(session, user_id=who.user_id, provider=provider)
    await end_sessions(session, user_id=who.user_id, except_id=who.session_id)
    await record_personal_change(session, user_id=who.user_id, action=f"user.{provider}_disconnected", at=now)
    await enqueue_mail_to_user(session, "provider_disconnected", who.user_id, provider=provider)
