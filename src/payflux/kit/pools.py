"""Which workers run an account's jobs: those that all accounts share, or a pool of its own.

An account's pool stands in the database. Whoever adds a job reads it there and writes it into the job's name in the
queue, so that adding and running cannot disagree; whoever moves an account waits until everybody who has read the old
pool is done, and renames what they added.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, String, delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from payflux.kit.database import Base, driver_connection
from payflux.kit.errors import Conflict, InvalidInput

COMMON = ""
"""The pool of whoever has none of their own."""

COMMON_NAME = "common"
"""What that pool is called where a name is asked for or told."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MARK = "@"
_READ = "worker_pools"
_PATIENCE = "2s"
_POOLS = (
    "SELECT account_id, pool FROM worker_pools "
    "UNION ALL SELECT accounts.id, pool FROM worker_pools JOIN accounts ON parent_id = account_id"
)


class WorkerPool(Base):
    """An account whose jobs are run by the workers of `pool` alone."""

    __tablename__ = "worker_pools"

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    pool: Mapped[str] = mapped_column(String(40))
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PoolBusy(Conflict):
    """Jobs are being added in transactions that do not end."""

    code = "worker_pools_busy"


async def isolated_accounts(session: AsyncSession) -> Mapping[UUID, str]:
    """The pool of each account that has one of its own, or whose account it is a workspace of has: of every one for
    the system role, one's own for a tenant.

    It holds until the transaction ends: nobody is moved before.
    """
    if _READ not in session.info:
        rows = await (await driver_connection(session)).fetch(_POOLS)
        session.info[_READ] = {row["account_id"]: row["pool"] for row in rows}
    return session.info[_READ]


async def served_by(session: AsyncSession, pool: str) -> Callable[[UUID], bool]:
    """Whether the workers of `pool` look after an account: what a timer goes by. As the system role."""
    isolated = await isolated_accounts(session)
    return lambda account_id: isolated.get(account_id, COMMON) == pool


def queue_name(job: str, pool: str) -> str:
    """What the queue calls a job, or a timer, of a pool."""
    return f"{job}{_MARK}{pool}" if pool else job


def split_queue_name(name: str) -> tuple[str, str]:
    """The job and the pool that :func:`queue_name` made `name` of."""
    job, _, pool = name.partition(_MARK)
    return job, pool


def read_pool_name(typed: str) -> str:
    """The pool that is meant. Raises InvalidInput."""
    if typed == COMMON_NAME:
        return COMMON
    if not _NAME.fullmatch(typed):
        raise InvalidInput({"pool": "Name a pool in small letters, digits and hyphens, 40 at most, such as acme."})
    return typed


async def move_account(session: AsyncSession, *, account_id: UUID, pool: str, now: datetime) -> int:
    """Have the workers of `pool` run every job of an account and of its workspaces from now on, also those that wait;
    how many those are. What runs already ends where it runs. As the system role.

    Raises PoolBusy where somebody who may be adding jobs does not finish within two seconds: nobody can add any while
    this waits.
    """
    await session.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
    try:
        async with session.begin_nested():
            await session.execute(text(f"LOCK TABLE {WorkerPool.__tablename__} IN ACCESS EXCLUSIVE MODE"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise PoolBusy(
            "Jobs are being added at this moment, and nothing was changed.", way_out="Run it again in a minute."
        ) from None
    session.info.pop(_READ, None)
    if pool:
        row = {"account_id": account_id, "pool": pool, "since": now}
        moved = insert(WorkerPool).values(row)
        await session.execute(
            moved.on_conflict_do_update(index_elements=["account_id"], set_={"pool": pool, "since": now})
        )
    else:
        await session.execute(delete(WorkerPool).where(WorkerPool.account_id == account_id))
    connection = await driver_connection(session)
    renamed = await connection.execute(
        "UPDATE pgqueuer SET entrypoint = split_part(entrypoint, $2, 1) || $3 "
        "WHERE convert_from(payload, 'UTF8')::jsonb ->> 'account_id' IN "
        "(SELECT id::text FROM accounts WHERE $1 IN (id, parent_id))",
        account_id,
        _MARK,
        queue_name("", pool),
    )
    return int(renamed.rpartition(" ")[2])
