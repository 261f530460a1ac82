"""Passkeys (WebAuthn Level 3): made, used to prove who somebody is, renamed and removed.

What a page has to hand to the browser is JSON as `PublicKeyCredential.parse…OptionsFromJSON` reads it, and what comes
back is the credential's `toJSON`. A passkey always verifies its holder, so it is two factors in one.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Literal
from uuid import UUID

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from payflux.frontdoor.accounts.factors import rules
from payflux.frontdoor.accounts.factors.models import Passkey, PasskeyChallenge
from payflux.frontdoor.accounts.factors.relying_party import RELYING_PARTY_NAME, RelyingParty
from payflux.frontdoor.accounts.models import User
from payflux.kit.crypto import TokenHasher
from payflux.kit.errors import Conflict
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _

Purpose = Literal["register", "sign_in", "second_step", "confirm"]

# what the library raises for what it cannot read: not all of it is its own
_UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
_TRANSPORTS = frozenset(transport.value for transport in AuthenticatorTransport)


async def passkeys_of(session: AsyncSession, *, user_id: UUID) -> list[Passkey]:
    """The user's passkeys, the oldest first."""
    return list(
        (await session.execute(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.id))).scalars()
    )


async def registration_options(
    session: AsyncSession, tokens: TokenHasher, party: RelyingParty, *, user_id: UUID, browser: str, now: datetime
) -> str:
    """What the user's browser needs to make a passkey, as JSON. `browser` names the browser that may answer.

    Raises Conflict where the user has as many passkeys as anybody may.
    """
    user = (await session.execute(select(User).where(User.id == user_id))).scalar_one()
    held = await passkeys_of(session, user_id=user_id)
    if len(held) >= rules.PASSKEYS_MAX:
        raise Conflict(
            _("You have %(held)s passkeys, and nobody may have more.") % {"held": len(held)},
            way_out=_("Remove one that you no longer use."),
            code="passkeys_limit",
        )
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=RELYING_PARTY_NAME,
        user_id=user_id.bytes,
        user_name=user.email,
        user_display_name=user.name,
        challenge=await _new_challenge(session, tokens, user_id, browser, "register", now),
        timeout=_milliseconds(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_descriptors(held),
    )
    return options_to_json(options)


async def register_passkey(
    session: AsyncSession,
    tokens: TokenHasher,
    party: RelyingParty,
    *,
    user_id: UUID,
    browser: str,
    credential: str,
    name: str,
    now: datetime,
) -> Passkey | None:
    """Keep the passkey that the browser made; None where `credential` is no answer to an open challenge of ours."""
    try:
        answer = parse_registration_credential_json(credential)
        challenge = parse_client_data_json(answer.response.client_data_json).challenge
        if not await _use_challenge(session, tokens, challenge, user_id, browser, "register", now):
            return None
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return None
    known = select(Passkey.id).where(Passkey.credential_id == made.credential_id)
    if (await session.execute(known)).scalar_one_or_none() is not None:
        return None
    transports = [transport.value for transport in answer.response.transports or [] if transport.value in _TRANSPORTS]
    passkey = Passkey(
        id=new_id(),
        user_id=user_id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=transports,
        name=passkey_name(name),
        created_at=now,
    )
    session.add(passkey)
    await session.flush()
    return passkey


async def authentication_options(
    session: AsyncSession,
    tokens: TokenHasher,
    party: RelyingParty,
    *,
    user_id: UUID | None,
    browser: str,
    purpose: Purpose,
    now: datetime,
) -> str:
    """What a browser needs to answer with a passkey, as JSON; without `user_id` with any that it holds for us."""
    held = await passkeys_of(session, user_id=user_id) if user_id else []
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=await _new_challenge(session, tokens, user_id, browser, purpose, now),
        timeout=_milliseconds(),
        allow_credentials=_descriptors(held),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


async def use_passkey(
    session: AsyncSession,
    tokens: TokenHasher,
    party: RelyingParty,
    *,
    user_id: UUID | None,
    browser: str,
    purpose: Purpose,
    credential: str,
    now: datetime,
) -> UUID | None:
    """The user whose passkey answered an open challenge of ours, or None. With `user_id` it has to be that user's."""
    try:
        answer = parse_authentication_credential_json(credential)
        challenge = parse_client_data_json(answer.response.client_data_json).challenge
        if not await _use_challenge(session, tokens, challenge, user_id, browser, purpose, now):
            return None
        # locked, or two answers made at once would be held against the same count
        query = select(Passkey).where(Passkey.credential_id == base64url_to_bytes(answer.id)).with_for_update()
        passkey = (await session.execute(query)).scalar_one_or_none()
        if passkey is None or (user_id is not None and passkey.user_id != user_id):
            return None
        handle = answer.response.user_handle
        if handle is not None and handle != passkey.user_id.bytes:
            return None
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return None
    passkey.sign_count, passkey.last_used_at = verified.new_sign_count, now
    return passkey.user_id


async def remove_passkey(session: AsyncSession, *, user_id: UUID, passkey_id: UUID) -> None:
    """Forget a passkey of the user."""
    await session.execute(delete(Passkey).where(Passkey.user_id == user_id, Passkey.id == passkey_id))


def passkey_name(typed: str) -> str:
    """The name a passkey is kept under: one line of at most 100 characters."""
    printable = "".join(character if character.isprintable() else " " for character in typed)
    return " ".join(printable.split())[:100] or "Passkey"


async def _new_challenge(
    session: AsyncSession, tokens: TokenHasher, user_id: UUID | None, browser: str, purpose: Purpose, now: datetime
) -> bytes:
    challenge = os.urandom(32)
    session.add(
        PasskeyChallenge(
            challenge_digest=tokens.digest(challenge.hex()),
            browser_digest=tokens.digest(f"browser {browser}"),
            purpose=purpose,
            user_id=user_id,
            expires_at=now + rules.CHALLENGE_TIME,
        )
    )
    await session.flush()
    return challenge


async def _use_challenge(
    session: AsyncSession,
    tokens: TokenHasher,
    challenge: bytes,
    user_id: UUID | None,
    browser: str,
    purpose: Purpose,
    now: datetime,
) -> bool:
    used = await session.execute(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge_digest == tokens.digest(challenge.hex()),
            PasskeyChallenge.browser_digest == tokens.digest(f"browser {browser}"),
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.user_id.is_not_distinct_from(user_id),
            PasskeyChallenge.expires_at > now,
        )
        .returning(PasskeyChallenge.challenge_digest)
    )
    return used.scalar_one_or_none() is not None


def _descriptors(passkeys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=passkey.credential_id,
            transports=[AuthenticatorTransport(transport) for transport in passkey.transports] or None,
        )
        for passkey in passkeys
    ]


def _milliseconds() -> int:
    return int(rules.CHALLENGE_TIME.total_seconds() * 1000)
