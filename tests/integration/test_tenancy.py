"""Row-level security stands behind every query."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from payflux.activation.models import Workspace
from payflux.frontdoor.accounts.models import Account
from payflux.frontdoor.accounts.registering import register
from payflux.kit.database import DatabaseError, asyncpg_address, refuse_powerful_role
from payflux.world.bootstrap import World


async def registered(world: World, name: str) -> UUID:
    async with world.database.system() as session:
        _, account = await register(
            session,
            name=name,
            email=f"{name}@{name}-shop.example",
            password="quiet harbour lantern",
            now=world.clock.now(),
        )
    return account.id


async def test_a_member_sees_and_changes_the_rows_of_their_own_account_alone(world: World) -> None:
    alice, charlie = await registered(world, "alice"), await registered(world, "charlie")
    async with world.database.tenant(alice) as session:
        assert (await session.execute(select(Account.id))).scalars().all() == [alice]
        changed = await session.execute(text("UPDATE accounts SET name = 'mine' RETURNING id"))
        assert changed.scalars().all() == [alice]
    async with world.database.tenant(charlie) as session:
        assert (await session.execute(select(Account.name))).scalars().all() == ["Charlie-shop"]


async def test_a_row_of_another_account_cannot_be_written(world: World) -> None:
    alice, charlie = await registered(world, "alice"), await registered(world, "charlie")
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with world.database.tenant(alice) as session:
            session.add(
                Workspace(
                    account_id=charlie,
                    id=charlie,
                    name="not mine",
                    activation_state="paid_unconnected",
                    entitled_at=datetime.now(UTC),
                )
            )


async def test_without_an_account_the_app_role_sees_nothing(world: World) -> None:
    await registered(world, "alice")
    connection = await asyncpg.connect(asyncpg_address(world.database.urls.app))
    try:
        assert await connection.fetch("SELECT * FROM accounts") == []
        # what a pooled connection looks like after a transaction that had an account
        await connection.execute("SELECT set_config('app.current_account_id', '', false)")
        assert await connection.fetch("SELECT * FROM accounts") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.fetch("SELECT * FROM users")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("TRUNCATE accounts")
    finally:
        await connection.close()


async def test_the_audit_log_and_the_stored_results_can_only_be_added_to(world: World) -> None:
    alice = await registered(world, "alice")
    for table in ("audit_entries", "activation_transitions", "risk_surfaces", "reserve_projections"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET account_id = account_id"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                async with world.database.tenant(alice) as session:
                    await session.execute(text(statement))


async def test_the_app_starts_on_its_own_two_roles(world: World) -> None:
    await world.database.check()


@pytest.mark.parametrize(("powerful", "owner"), [(True, False), (False, True)])
def test_the_app_refuses_a_role_that_could_step_around_row_level_security(powerful: bool, owner: bool) -> None:
    with pytest.raises(DatabaseError, match="keep accounts apart"):
        refuse_powerful_role("postgres", powerful=powerful, owner=owner)
