"""The account's identity provider: set it up, have everybody of its domains sign in by it, and take it away."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.accounts.factors.rules import SignInMethods
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.rules import domain_of
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso import rules
from payflux.frontdoor.accounts.sso.domains import domains_of
from payflux.frontdoor.accounts.sso.models import SamlAssertion, SsoConnection, SsoDomain, SsoIdentity
from payflux.kit.audit import record_change
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.errors import Conflict, InvalidInput
from payflux.kit.messages import gettext as _

ASSERTION_KEPT = timedelta(minutes=10)
"""How long after its end an assertion is remembered: longer than clocks may differ."""


class NotReady(Conflict):
    """Something has to be in place before nobody gets in another way."""

    code = "sso_not_ready"


async def connection_of(session: AsyncSession, *, account_id: UUID) -> SsoConnection | None:
    """The account's identity provider, if it has one."""
    query = select(SsoConnection).where(SsoConnection.account_id == account_id)
    return (await session.execute(query)).scalar_one_or_none()


async def connection_for(session: AsyncSession, *, email: str) -> SsoConnection | None:
    """The identity provider that vouches for an address, as the system role: that of the account that has proven its
    domain."""
    query = (
        select(SsoConnection)
        .join(SsoDomain, SsoDomain.account_id == SsoConnection.account_id)
        .where(SsoDomain.domain == domain_of(email), SsoDomain.proven_at.is_not(None))
    )
    return (await session.execute(query)).scalar_one_or_none()


async def save_connection(
    session: AsyncSession,
    secrets: SecretBox,
    who: SignedIn,
    *,
    protocol: str,
    issuer: str,
    default_role: str,
    client_id: str = "",
    client_secret: str = "",
    sign_in_url: str = "",
    certificate: str = "",
    now: datetime,
) -> None:
    """Set the identity provider up, or anew; an empty `client_secret` keeps the one that is stored for the same issuer.

    Where it is another provider, nobody is known by it yet and nobody has to sign in by it until it is proven. Raises
    InvalidInput.
    """
    issuer, client_id = issuer.strip(), client_id.strip()
    before = await connection_of(session, account_id=who.account_id)
    keeps_secret = (
        before is not None and before.protocol == protocol == "oidc" and before.issuer == issuer and not client_secret
    )
    problems = rules.connection_problems(
        protocol=protocol,
        issuer=issuer,
        client_id=client_id,
        client_secret="kept" if keeps_secret else client_secret,
        sign_in_url=sign_in_url.strip(),
        certificate=certificate,
        role=default_role,
    )
    if problems:
        raise InvalidInput(problems)
    sealed = secrets.encrypt(client_secret, bound_to=_secret_of(who.account_id)) if client_secret else None
    kept = SsoConnection(account_id=who.account_id) if before is None else before
    was = None if before is None else _described(before)
    same_provider = before is not None and (before.protocol, before.issuer) == (protocol, issuer)
    kept.protocol, kept.issuer, kept.client_id, kept.default_role = protocol, issuer, client_id, default_role
    kept.sign_in_url, kept.certificate, kept.saved_at = sign_in_url.strip(), certificate.strip(), now
    if not keeps_secret:
        kept.client_secret = sealed
    kept.proven_at = None
    session.add(kept)
    if not same_provider:
        await session.execute(update(Account).where(Account.id == who.account_id).values(sso_domains=[]))
        await session.execute(delete(SsoIdentity).where(SsoIdentity.account_id == who.account_id))
    await session.flush()
    await record_change(
        session,
        account_id=who.account_id,
        actor_id=who.user_id,
        action="sso.connection_saved",
        subject=str(who.account_id),
        at=now,
        before=was,
        after=_described(kept),
    )


async def remove_connection(session: AsyncSession, who: SignedIn, *, now: datetime) -> None:
    """Take the identity provider away; everybody signs in as they did before."""
    await session.execute(update(Account).where(Account.id == who.account_id).values(sso_domains=[]))
    await session.execute(delete(SsoIdentity).where(SsoIdentity.account_id == who.account_id))
    taken = await session.execute(
        delete(SsoConnection).where(SsoConnection.account_id == who.account_id).returning(SsoConnection.issuer)
    )
    if (issuer := taken.scalar_one_or_none()) is not None:
        await record_change(
            session,
            account_id=who.account_id,
            actor_id=who.user_id,
            action="sso.connection_removed",
            subject=str(who.account_id),
            at=now,
            before={"issuer": issuer},
        )


async def enforced_domains(session: AsyncSession, *, account_id: UUID) -> list[str]:
    """The domains whose members have to sign in by the identity provider."""
    return list((await session.execute(select(Account.sso_domains).where(Account.id == account_id))).scalar_one())


async def enforce(session: AsyncSession, who: SignedIn, *, on: bool, methods: SignInMethods, now: datetime) -> None:
    """Have every member of the account's proven domains sign in by its identity provider, or end that.

    `methods` are the owner's, the one who can come in without it. Raises NotReady while a domain, a sign-in that has
    worked, or the owner's second step is missing: nobody is to be kept out.
    """
    before = await enforced_domains(session, account_id=who.account_id)
    proven = [each.domain for each in await domains_of(session, account_id=who.account_id) if each.proven_at]
    connection = await connection_of(session, account_id=who.account_id)
    if on:
        if not proven:
            raise NotReady(
                _("No domain is proven yet."), way_out=_("Prove the domain of your members' addresses first.")
            )
        if connection is None or connection.proven_at is None:
            raise NotReady(
                _("Nobody has signed in by your identity provider since it was set up."),
                way_out=_("Sign in by it once, so that it is certain to work."),
            )
        if not (methods.totp or methods.passkeys):
            raise NotReady(
                _("You have no second step, and so nobody could come in when your identity provider fails."),
                way_out=_("Set up an authenticator app or a passkey under Security first."),
            )
    after = proven if on else []
    await session.execute(update(Account).where(Account.id == who.account_id).values(sso_domains=after))
    if sorted(before) != sorted(after):
        await record_change(
            session,
            account_id=who.account_id,
            actor_id=who.user_id,
            action="sso.enforced" if on else "sso.enforcement_ended",
            subject=str(who.account_id),
            at=now,
            before={"domains": sorted(before)},
            after={"domains": sorted(after)},
        )


async def take_assertion(
    session: AsyncSession,
    tokens: TokenHasher,
    *,
    account_id: UUID,
    assertion_id: str,
    expires_at: datetime,
    now: datetime,
) -> bool:
    """Whether an assertion is taken for the first time; those that are no good any more are forgotten on the way. As
    the system role."""
    await session.execute(delete(SamlAssertion).where(SamlAssertion.expires_at <= now - ASSERTION_KEPT))
    taken = await session.execute(
        insert(SamlAssertion)
        .values(account_id=account_id, digest=tokens.digest(f"assertion {assertion_id}"), expires_at=expires_at)
        .on_conflict_do_nothing()
        .returning(SamlAssertion.digest)
    )
    return taken.scalar_one_or_none() is not None


def client_secret(secrets: SecretBox, connection: SsoConnection) -> str:
    """The secret of our client at an OpenID provider."""
    return secrets.decrypt(connection.client_secret or b"", bound_to=_secret_of(connection.account_id))


def _secret_of(account_id: UUID) -> str:
    return f"sso_connections.client_secret {account_id}"


def _described(connection: SsoConnection) -> dict[str, object]:
    return {
        "protocol": connection.protocol,
        "issuer": connection.issuer,
        "client_id": connection.client_id,
        "default_role": connection.default_role,
    }
