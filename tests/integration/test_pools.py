"""Workers of an account's own: they run its jobs and timers, nobody else does, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from payflux.activation.health import health_readings
from payflux.activation.reminding import FIRST, send_due_reminders
from payflux.activation.watching import begin_sweep, sweep_workspaces
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.kit import pools
from payflux.kit.database import asyncpg_address
from payflux.kit.errors import InvalidInput
from payflux.kit.jobs import Payload, enqueue, is_pending, run_jobs, unattended_pools
from payflux.kit.pools import COMMON, PoolBusy, move_account, read_pool_name
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from tests.conftest import SECRET, with_settings
from tests.integration.commands import Outcome, said_by
from tests.integration.team.conftest import add_owner, alice, charlie, stored

__all__ = ["alice", "charlie", "stored"]

ACME = "acme"


@dataclass
class Workers:
    """The workers of two pools, which note whose jobs they have run."""

    world: World
    runs: dict[str, list[str]] = field(default_factory=lambda: {COMMON: [], ACME: []})

    async def work(self, pool: str) -> list[str]:
        """What the workers of `pool` run until nothing is left to them."""
        before = len(self.runs[pool])

        async def note(payload: Payload) -> None:
            self.runs[pool].append(payload["number"])

        async def give_up(_name: str, _payload: Payload, error: Exception) -> None:
            raise error

        connection = await asyncpg.connect(asyncpg_address(self.world.database.urls.system))
        try:
            async with asyncio.timeout(30):
                await run_jobs(connection, {"note": note}, timers={}, on_failure=give_up, drain=True, pool=pool)
        finally:
            await connection.close()
        return sorted(self.runs[pool][before:])


async def add(world: World, account_id: UUID, number: int) -> None:
    async with world.database.tenant(account_id) as session:
        payload = {"account_id": str(account_id), "number": str(number)}
        await enqueue(session, "note", payload, dedupe_key=f"note {number}")


async def move(world: World, account_id: UUID, pool: str) -> int:
    async with world.database.system() as session:
        return await move_account(session, account_id=account_id, pool=pool, now=world.clock.now())


async def test_an_isolated_accounts_jobs_are_run_by_its_own_workers_alone_and_none_is_lost_on_the_way(
    world: World,
    alice: SignedIn,
    charlie: SignedIn,
    stored: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = Workers(world)
    await add(world, alice.account_id, 1)
    await add(world, charlie.account_id, 2)
    assert await move(world, alice.account_id, ACME) == 1  # what waits moves along
    await add(world, alice.account_id, 3)
    await add(world, alice.account_id, 3)  # still once by its key
    assert await workers.work(COMMON) == ["2"]
    assert await workers.work(ACME) == ["1", "3"]

    # a workspace of hers goes where she does
    workspace_id = uuid4()
    await stored.execute(
        "INSERT INTO accounts (id, name, parent_id) VALUES ($1, 'second', $2)", workspace_id, alice.account_id
    )
    await add(world, workspace_id, 5)
    assert (await workers.work(COMMON), await workers.work(ACME)) == ([], ["5"])

    # whoever has read the old pool and is not done is waited for, and what they add moves too
    monkeypatch.setattr(pools, "_PATIENCE", "100ms")
    async with world.database.tenant(alice.account_id) as session:
        payload = {"account_id": str(alice.account_id), "number": "4"}
        await enqueue(session, "note", payload)
        with pytest.raises(PoolBusy):
            await move(world, alice.account_id, COMMON)
    assert await move(world, alice.account_id, COMMON) == 1
    async with world.database.system() as session:
        assert await is_pending(session, "note", {"number": "4"})
    assert await workers.work(ACME) == []
    assert await workers.work(COMMON) == ["4"]


async def test_timers_and_sweeps_of_an_isolated_account_are_its_own_workers(
    world: World, alice: SignedIn, charlie: SignedIn, stored: asyncpg.Connection
) -> None:
    own = with_settings(world, worker_pool=ACME)
    erin = await add_owner(world, "Erin")
    now = world.clock.now()
    entitled = "UPDATE workspaces SET activation_state = 'paid_unconnected', entitled_at = $1"
    await stored.execute(entitled, now - FIRST)
    await stored.execute("DELETE FROM pgqueuer")
    await move(world, alice.account_id, ACME)

    async def reminded() -> Counter[str]:
        rows = await stored.fetch("SELECT split_part(entrypoint, '@', 2) AS pool FROM pgqueuer")
        return Counter(row["pool"] for row in rows)

    await send_due_reminders(world)
    assert await reminded() == {COMMON: 2}
    await send_due_reminders(own)
    assert await reminded() == {COMMON: 2, ACME: 1}

    await stored.execute("DELETE FROM pgqueuer")
    await stored.execute(
        "UPDATE workspaces SET live_monitored_at = now(), connection_id = $1 WHERE account_id = ANY($2)",
        uuid4(),
        [alice.account_id, charlie.account_id, erin.account_id],
    )
    await begin_sweep(world)
    assert await reminded() == {COMMON: 1, ACME: 1}  # a shard of the others, and Alice's
    shard = await stored.fetchval("SELECT convert_from(payload, 'UTF8')::json FROM pgqueuer WHERE entrypoint !~ '@'")
    assert str(alice.account_id) not in shard
    await move(world, charlie.account_id, ACME)  # who was in a shard of the others
    common = {"began_at": now.isoformat(), "accounts": str(charlie.account_id)}
    await stored.execute("DELETE FROM pgqueuer")
    await sweep_workspaces(world, common)
    assert await reminded() == {ACME: 1}


def test_a_pool_without_a_worker_is_told_by_doctor_and_by_metrics(
    owner_url: str, settings: Settings, tmp_path: Path
) -> None:
    world = build_world(settings, database_url=owner_url)

    def payflux(*arguments: str) -> Outcome:
        return said_by(*arguments, data_dir=tmp_path, DATABASE_URL=owner_url, PAYFLUX_SECRET_KEY=SECRET)

    async def begin() -> UUID:
        who = await add_owner(world, "Alice")
        await add(world, who.account_id, 1)
        await world.close()
        return who.account_id

    async def look(*statements: str) -> tuple[dict[str, int], dict[tuple[str, str] | None, float]]:
        stored = await asyncpg.connect(asyncpg_address(owner_url))
        for statement in statements:
            await stored.execute(statement)
        await stored.close()
        async with world.database.system() as session:
            unattended = await unattended_pools(session)
            told = {each.label: each.value for each in await health_readings(session, world) if "pool" in each.name}
        await world.close()
        return unattended, told

    account_id = str(asyncio.run(begin()))
    wrong = payflux("admin", "isolate", account_id, "Acme Ltd")
    assert (wrong.code, "Name a pool in small letters" in wrong.said) == (1, True)
    nobody = payflux("admin", "isolate", str(uuid4()), ACME)
    assert (nobody.code, "There is no account" in nobody.said) == (1, True)
    moved = payflux("admin", "isolate", account_id, ACME)
    assert "the workers of pool acme run the jobs" in moved.said
    assert asyncio.run(look())[0] == {}  # not late yet
    late = "UPDATE pgqueuer SET execute_after = now() - interval '10 minutes'"
    unattended, told = asyncio.run(look(late))
    assert unattended == {ACME: 1}
    assert told["pool", "common"] == 0
    assert told["pool", ACME] == pytest.approx(600, abs=60)
    seen = payflux("doctor")
    assert "workers: Pool acme has 1 late jobs and no worker. Start one: PAYFLUX_WORKER_POOL=acme" in seen.said
    ran = (
        "INSERT INTO pgqueuer_schedules (expression, entrypoint, heartbeat, created, updated, next_run, last_run) "
        "VALUES ('* * * * *', 'apply_due_events@acme', now(), now(), now(), now(), now())"
    )
    assert asyncio.run(look(ran))[0] == {}
    assert "run the jobs" in payflux("admin", "isolate", account_id, "common").said


def test_a_pools_name_is_short_and_plain() -> None:
    assert (read_pool_name("common"), read_pool_name("acme-2")) == (COMMON, "acme-2")
    assert Settings(worker_pool="common").worker_pool == COMMON
    for wrong in ("", "Acme", "a@b", "-a", "a" * 41):
        with pytest.raises(InvalidInput):
            read_pool_name(wrong)
