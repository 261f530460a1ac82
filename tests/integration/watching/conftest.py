"""Alice's live workspace: a shop with sales, whose processor is never asked, and a clock that is moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from payflux.activation import service as activation
from payflux.activation.models import Workspace
from payflux.activation.states import Cause
from payflux.activation.watching import read_workspace
from payflux.frontdoor.accounts.registering import register
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.ids import new_id
from payflux.kit.jobs import Payload
from payflux.monitor.alerts.service import arm_default_rules
from payflux.monitor.processors.account_state import AccountState
from payflux.monitor.processors.codes import Kind, Network, Status
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.live.storing import store_readings
from payflux.monitor.processors.models import Connection, ConnectionMethod, ConnectionStatus, HistoryPull
from payflux.monitor.processors.news import READ_WORKSPACE
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.monitor.projections.models import WorkspaceReading
from payflux.monitor.projections.queries import StoredReadout, newest_readout
from payflux.monitor.projections.service import project_workspace
from payflux.monitor.risk.models import RiskSurfaceRecord
from payflux.monitor.risk.service import score_workspace
from payflux.world.bootstrap import World
from tests.conftest import MovedClock

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


def sale(number: int, at: datetime, amount: int = 5_000) -> PaymentEvent:
    return PaymentEvent(
        kind=Kind.CHARGE,
        source_id=f"ch_{number}",
        occurred_at=at,
        status=Status.SUCCEEDED,
        amount=amount,
        currency="usd",
        settled_amount=amount,
        settled_currency="usd",
        network=Network.VISA,
    )


def dispute(number: int, at: datetime) -> PaymentEvent:
    return PaymentEvent(
        kind=Kind.DISPUTE,
        source_id=f"dp_{number}",
        occurred_at=at,
        status=Status.OPEN,
        amount=5_000,
        currency="usd",
        settled_amount=5_000,
        settled_currency="usd",
        charge_id=f"ch_{number}",
        network=Network.VISA,
        reason="fraudulent",
    )


@dataclass(frozen=True)
class Shop:
    world: World
    clock: MovedClock
    account_id: UUID
    workspace_id: UUID
    connection_id: UUID

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def tell(self, *events: PaymentEvent, state: AccountState | None = None) -> int:
        """Store events as the inbox does; how many changed anything."""
        async with self.world.database.tenant(self.account_id) as session:
            connection = await get_connection(session, account_id=self.account_id, connection_id=self.connection_id)
            return await store_readings(
                session, connection, [(event, self.now) for event in events], state, now=self.now
            )

    async def jobs(self, name: str = READ_WORKSPACE) -> list[Payload]:
        """The jobs of that name that wait, which are taken off the queue."""
        async with self.world.database.system() as session:
            query = text(
                "DELETE FROM pgqueuer WHERE entrypoint = :name RETURNING convert_from(payload, 'UTF8')::jsonb AS job"
            )
            return list((await session.execute(query, {"name": name})).scalars())

    async def read(self) -> int:
        """Run the jobs that read this workspace again; how many there were."""
        jobs = await self.jobs()
        for job in jobs:
            await read_workspace(self.world, job)
        return len(jobs)

    async def newest(self) -> StoredReadout:
        async with self.world.database.tenant(self.account_id) as session:
            connection = await get_connection(session, account_id=self.account_id, connection_id=self.connection_id)
            readout = await newest_readout(session, connection)
        assert readout is not None
        return readout

    async def reasons(self) -> list[str]:
        """Why each stored readout was made, the oldest first."""
        async with self.world.database.tenant(self.account_id) as session:
            query = select(RiskSurfaceRecord.reason).order_by(RiskSurfaceRecord.as_of, RiskSurfaceRecord.id)
            return list((await session.execute(query)).scalars())

    async def state(self) -> WorkspaceReading:
        async with self.world.database.tenant(self.account_id) as session:
            return await session.get_one(WorkspaceReading, (self.account_id, self.workspace_id))

    async def set_state(self, **values: object) -> None:
        async with self.world.database.tenant(self.account_id) as session:
            await session.execute(update(WorkspaceReading).values(**values))

    async def set_workspace(self, **values: object) -> None:
        async with self.world.database.tenant(self.account_id) as session:
            await session.execute(update(Workspace).values(**values))

    async def set_connection(self, **values: object) -> None:
        async with self.world.database.tenant(self.account_id) as session:
            await session.execute(update(Connection).values(**values))


async def open_shop(world: World, clock: MovedClock, name: str, sales_a_day: int = 4) -> Shop:
    """A live workspace of a new account in its trial, with 90 days of sales and its first readout."""
    now = clock.now()
    async with world.database.system() as session:
        _, account = await register(
            session, name=name, email=f"{name}@{name}-shop.example", password="quiet harbour lantern", now=now
        )
        await start_trial(session, account_id=account.id, now=now)
        await activation.create_workspace(session, account_id=account.id, name=name, now=now)
    async with world.database.tenant(account.id) as session:
        workspace = await activation.get_workspace(session, account_id=account.id, lock=True)
        connection = Connection(
            account_id=account.id,
            id=new_id(),
            workspace_id=workspace.id,
            method=ConnectionMethod.RESTRICTED_KEY,
            external_account_id=f"acct_{name}",
            livemode=False,
            status=ConnectionStatus.ACTIVE,
            connected_at=now,
            capabilities={},
            snapshot=account_state(now, external_id=f"acct_{name}").stored(),
            synced_through=now,
        )
        pull = HistoryPull(
            account_id=account.id,
            id=new_id(),
            workspace_id=workspace.id,
            connection_id=connection.id,
            from_at=now - 90 * DAY,
            to_at=now,
            started_at=now,
            finished_at=now,
        )
        session.add_all([connection, pull])
        await session.flush()
        hour = timedelta(hours=1)
        sales = [
            (sale(day * 100 + n, now - (90 - day) * DAY + n * hour), now)
            for day in range(90)
            for n in range(sales_a_day)
        ]
        await store_readings(session, connection, sales, None, now=now)
        connection.history_from = now - 90 * DAY
        place = {"account_id": account.id, "workspace_id": workspace.id, "pull_id": pull.id}
        await score_workspace(session, **place)
        await project_workspace(session, **place)
        await arm_default_rules(session, account_id=account.id, workspace_id=workspace.id, now=now)
        workspace.connection_id, workspace.pull_id, workspace.connected_at = connection.id, pull.id, now
        workspace.pulled_at = workspace.baseline_generated_at = workspace.first_projection_at = now
        workspace.alert_policy_armed_at = workspace.live_monitored_at = now
        for cause in (Cause.CONNECTED, Cause.BASELINE, Cause.ARMED):
            await activation.change_state(session, workspace, cause, now=now)
    return Shop(world, clock, account.id, workspace.id, connection.id)


def account_state(at: datetime, *, external_id: str = "acct_alice", past_due: tuple[str, ...] = ()) -> AccountState:
    return AccountState(
        AccountSnapshot(external_id=external_id, taken_at=at, payout_delay_days=2, past_due=past_due),
        BalanceSnapshot(taken_at=at, available={"usd": 100_000}),
    )


@pytest.fixture
async def shop(world: World, clock: MovedClock) -> Shop:
    return await open_shop(world, clock, "alice")
