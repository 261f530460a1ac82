"""Which workers run an account's jobs, for whoever runs PayFlux."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.cli.acting import in_one_transaction
from payflux.cli.configured import console
from payflux.frontdoor.accounts.models import Account
from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, NotFound
from payflux.kit.pools import COMMON, COMMON_NAME, isolated_accounts, move_account, read_pool_name
from payflux.world.bootstrap import World


def isolate(
    account: Annotated[UUID, typer.Argument(help="The account's id, as the staff console shows it.")],
    pool: Annotated[str, typer.Argument(help="The pool whose workers alone run its jobs; `common` for everybody's.")],
) -> None:
    """Have workers of their own run an account's jobs: those started with PAYFLUX_WORKER_POOL set to the pool. What
    waits moves along."""

    async def move(world: World, session: AsyncSession) -> int:
        now, name = world.clock.now(), read_pool_name(pool)
        found = await session.get(Account, account)
        if found is None:
            raise NotFound(f"There is no account {account}.", way_out="Look its id up in the staff console.")
        if found.parent_id is not None:
            raise Conflict(f"{account} is a workspace of account {found.parent_id}: move that.")
        before = (await isolated_accounts(session)).get(account, COMMON)
        moved = await move_account(session, account_id=account, pool=name, now=now)
        if before != name:
            await record_change(
                session,
                account_id=account,
                action="account.workers_changed",
                subject=str(account),
                at=now,
                before={"pool": before or COMMON_NAME},
                after={"pool": name or COMMON_NAME},
            )
        return moved

    moved = in_one_transaction(move)
    console.print(f"From now on the workers of pool {pool} run the jobs of {account}; {moved} that wait moved along.")
