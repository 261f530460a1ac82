"""What the monitor and the activation hold about an account, for the console's pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.models import ActivationMail, ActivationTransition, Workspace
from payflux.activation.sending import mails_sent
from payflux.monitor.processors.models import Connection

MOST_TRANSITIONS = 100


@dataclass(frozen=True)
class MonitoredRecord:
    """An account's workspaces, how their activation went (the newest step first), their connections,
    and what was mailed about the activation."""

    workspaces: list[Workspace]
    transitions: list[ActivationTransition]
    connections: list[Connection]
    mails: list[ActivationMail] = field(default_factory=list)


async def monitored_record(session: AsyncSession, *, account_id: UUID) -> MonitoredRecord:
    """What is monitored for one account, as the system role reads it."""
    workspaces = select(Workspace).where(Workspace.account_id == account_id).order_by(Workspace.entitled_at)
    steps = select(ActivationTransition).where(ActivationTransition.account_id == account_id)
    newest = steps.order_by(ActivationTransition.at.desc(), ActivationTransition.id.desc()).limit(MOST_TRANSITIONS)
    connections = select(Connection).where(Connection.account_id == account_id).order_by(Connection.connected_at.desc())
    return MonitoredRecord(
        workspaces=list((await session.execute(workspaces)).scalars()),
        transitions=list((await session.execute(newest)).scalars()),
        connections=list((await session.execute(connections)).scalars()),
        mails=await mails_sent(session, account_id=account_id),
    )


async def accounts_connected_to(session: AsyncSession, external_account_id: str) -> set[UUID]:
    """The accounts that are, or were, connected to this merchant account at a processor."""
    of_it = or_(Connection.external_account_id == external_account_id, Connection.host == external_account_id)
    return set((await session.execute(select(Connection.account_id).where(of_it))).scalars())
