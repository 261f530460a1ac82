"""Very large accounts: reports in place of lists, with the same events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import select

from payflux.kit.clock import SystemClock
from payflux.monitor.processors import decode
from payflux.monitor.processors.backfill.service import start_backfill
from payflux.monitor.processors.codes import Kind, Status
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.events import EVENT_DTYPE, PaymentEvent, event_record
from payflux.monitor.processors.models import (
    Connection,
    ConnectionMethod,
    ConnectionStatus,
    DailyRollup,
    HistoryPull,
    PullWindow,
    StoredEvent,
)
from payflux.monitor.processors.normalise import charge_event, refund_event
from payflux.monitor.processors.planning import REPORT
from payflux.monitor.processors.pull import pull_progress, run_pull, start_pull
from payflux.monitor.processors.queries import get_connection, history_of_pull
from payflux.monitor.processors.reports import replace_lists
from payflux.world.bootstrap import World
from payflux.world.stripe import ProcessorUnavailable, RequestRefused, StripeGateway
from tests.conftest import with_settings
from tests.integration.processors.conftest import Network, Shop
from tests.integration.processors.large_merchant import LargeMerchant, body, merchant_charge
from tests.sandbox_server import running_sandbox

DAY = 86_400
CHARGES = 2_400
RATE = 300.0  # requests a second: even so, the lists would take seven hours


@dataclass(frozen=True)
class Account:
    """A connected account of the merchant, and what is asked of Stripe about it."""

    world: World
    merchant: LargeMerchant
    connection: Connection
    account_id: UUID = field(default_factory=uuid4)

    async def plan(self) -> HistoryPull:
        async with self.world.database.tenant(self.connection.account_id) as session:
            return await start_pull(session, self.connection, self.world.clock.now())

    async def pull(self) -> HistoryPull:
        pull = await self.plan()
        await run_pull(self.world, self.connection.account_id, pull.id)
        return pull

    async def stored(self) -> dict[str, StoredEvent]:
        async with self.world.database.tenant(self.connection.account_id) as session:
            rows = (await session.execute(select(StoredEvent).where(StoredEvent.kind.in_((1, 2))))).scalars()
            return {row.source_id: row for row in rows}

    async def capabilities(self) -> dict[str, str]:
        async with self.world.database.tenant(self.connection.account_id) as session:
            ours = {"account_id": self.connection.account_id, "connection_id": self.connection.id}
            return (await get_connection(session, **ours)).capabilities

    def expected(self) -> dict[str, PaymentEvent]:
        """The events that the API's objects give."""
        charges = [
            charge_event(msgspec.json.decode(body(o), type=decode.Charge)) for o in self.merchant.charges.values()
        ]
        refunds = [
            refund_event(msgspec.json.decode(body(o), type=decode.Refund)) for o in self.merchant.refunds.values()
        ]
        return {event.source_id: event for event in (*charges, *refunds) if event is not None}


@pytest.fixture
async def account(world: World) -> AsyncIterator[Account]:
    now = int(world.clock.now().timestamp())
    until = now - DAY // 2  # no report covers the last hours yet
    step = 89 * DAY // CHARGES
    charges = [merchant_charge(number, until - 7200 - number * step) for number in range(CHARGES)]
    merchant = LargeMerchant(charges, until=until)
    connection = Connection(
        account_id=uuid4(),
        id=uuid4(),
        workspace_id=uuid4(),
        method=ConnectionMethod.CONNECT_OAUTH,
        external_account_id="acct_large",
        livemode=False,
        status=ConnectionStatus.ACTIVE,
        connected_at=world.clock.now(),
        capabilities={},
        snapshot={},
    )
    async with world.database.tenant(connection.account_id) as session:
        session.add(connection)
    async with httpx.AsyncClient(transport=httpx.MockTransport(merchant)) as http:
        yield Account(with_settings(replace(world, http=http), stripe_test_rate=RATE), merchant, connection)


async def test_the_reports_rows_become_the_events_that_the_api_would_have_given(account: Account) -> None:
    pull = await account.pull()
    stored, expected = await account.stored(), account.expected()
    assert expected.keys() == {name for name in stored if name in expected}
    names = EVENT_DTYPE.names or ()
    for name, event in expected.items():
        record = dict(zip(names, event_record(event), strict=True))
        untold = {"card", "risk_level", "three_d_secure", "network", "outcome"}
        assert {key: getattr(stored[name], key) for key in names if key not in untold} == {
            key: value for key, value in record.items() if key not in untold
        }
    async with account.world.database.tenant(account.connection.account_id) as session:
        read = await pull_progress(session, pull.id)
    assert read[REPORT] == sum(
        account.merchant.report(*run[1:]).count("\n") - 1 for run in account.merchant.runs.values()
    )


async def test_what_reports_cannot_tell_is_said_and_the_last_hours_come_from_lists(account: Account) -> None:
    pull = await account.pull()
    assert await account.capabilities() == {"reporting": "ok", "declines": "unknown"}
    async with account.world.database.tenant(account.connection.account_id) as session:
        rows = (await session.execute(select(PullWindow).where(PullWindow.resource == "charges"))).scalars().all()
        assert (await session.execute(select(DailyRollup))).scalars().all()
        known = await history_of_pull(session, account_id=pull.account_id, pull_id=pull.id)
    assert [(row.from_at.timestamp(), row.to_at) for row in rows] == [(account.merchant.until, pull.to_at)]
    assert not known.reads_declines


async def test_a_download_that_breaks_off_goes_on_where_it_was_left(account: Account) -> None:
    account.merchant.broken_downloads = 3
    await account.pull()
    assert account.expected().keys() <= (await account.stored()).keys()
    assert account.merchant.asked["POST /v1/reporting/report_runs"] == len(account.merchant.runs) == 3


async def test_a_worker_that_dies_in_a_report_is_followed_by_one_that_goes_on_in_it(account: Account) -> None:
    pull, reached = await account.plan(), asyncio.Event()
    account.merchant.on_download = reached.set
    running = asyncio.ensure_future(run_pull(account.world, account.connection.account_id, pull.id))
    await reached.wait()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await run_pull(account.world, account.connection.account_id, pull.id)
    assert account.expected().keys() <= (await account.stored()).keys()
    assert account.merchant.asked["POST /v1/reporting/report_runs"] == 3


async def test_a_report_that_stripe_could_not_make_is_asked_for_anew(account: Account) -> None:
    account.merchant.failing_runs = 1
    pull = await account.plan()
    with pytest.raises(ProcessorUnavailable, match="asked for anew"):
        await run_pull(account.world, account.connection.account_id, pull.id)
    await run_pull(account.world, account.connection.account_id, pull.id)
    assert account.expected().keys() <= (await account.stored()).keys()
    assert len(account.merchant.runs) == 4


async def test_a_charge_whose_money_went_again_is_read_by_its_id(account: Account) -> None:
    account.merchant.failed = {"ch_17"}
    await account.pull()
    assert (await account.stored())["ch_17"].status == Status.FAILED
    assert account.merchant.asked["GET /v1/charges/ch_17"] == 1


@pytest.mark.parametrize(("status", "said"), [(403, "forbidden"), (400, "not_enabled")])
async def test_without_reports_the_lists_are_read_however_long_it_takes(
    account: Account, status: int, said: str
) -> None:
    account.merchant.refusal = httpx.Response(
        status, json={"error": {"message": "no", "type": "invalid_request_error"}}
    )
    await account.pull()
    assert await account.capabilities() == {"reporting": said}
    assert all(name.startswith("ch_") for name in await account.stored())
    assert account.merchant.asked["GET /v1/charges"] > 8


async def test_a_file_at_another_address_is_not_fetched_with_the_key(account: Account) -> None:
    account.merchant.file_base = "https://files.example"
    pull = await account.plan()
    with pytest.raises(RequestRefused, match="not Stripe's"):
        await run_pull(account.world, account.connection.account_id, pull.id)


async def test_older_history_of_a_large_account_comes_from_reports_at_once(account: Account) -> None:
    pull = await account.pull()
    async with account.world.database.tenant(account.connection.account_id) as session:
        ours = {"account_id": account.connection.account_id, "connection_id": account.connection.id}
        connection = await get_connection(session, **ours)
        older = await start_backfill(session, connection, pull, account.world.clock.now())
        assert older is not None
        rows = (await session.execute(select(PullWindow).where(PullWindow.pull_id == older.id))).scalars().all()
    assert "charges" not in {row.resource for row in rows}
    assert len([row for row in rows if row.resource == REPORT]) == 10
    asked = account.merchant.asked["GET /v1/charges"]
    assert await run_pull(account.world, account.connection.account_id, older.id)
    assert account.merchant.asked["GET /v1/charges"] == asked
    assert older.from_at == pull.to_at - timedelta(days=400)


async def test_the_sandboxs_reports_tell_the_charges_and_refunds_that_its_lists_tell(world: World) -> None:
    with running_sandbox(time_passes=True) as url:
        addresses = {"stripe_api_base": url, "stripe_connect_base": url, "stripe_test_rate": 1000.0}
        shop = Shop(replace(with_settings(world, **addresses), clock=SystemClock()), Network())
        listed, reported = Shop(shop.world, shop.network), shop
        await run_pull(shop.world, listed.account_id, (await listed.plan(await listed.connect("healthy"))).id)
        connection = await reported.connect("healthy")
        pull = await reported.plan(connection)
        reader = StripeGateway(shop.world.settings, shop.world.http).reader(await auth_of(shop.world, connection))
        assert await replace_lists(shop.world, reader, connection, pull)
        await run_pull(shop.world, reported.account_id, pull.id)
    said, moved = await told(reported), await told(listed)
    assert said.keys() <= moved.keys()
    assert len(said) > 1000
    assert {name: row for name, row in moved.items() if name in said} == said
    assert {Status(row[-1]) for name, row in moved.items() if name not in said} <= {Status.FAILED}


async def told(shop: Shop) -> dict[str, tuple[int, ...]]:
    """What is stored of each charge and refund that reports tell as well."""
    columns = (StoredEvent.at, StoredEvent.amount, StoredEvent.settled, StoredEvent.currency, StoredEvent.status)
    async with shop.world.database.tenant(shop.account_id) as session:
        query = select(StoredEvent.source_id, *columns).where(StoredEvent.kind.in_((Kind.CHARGE, Kind.REFUND)))
        return {row[0]: tuple(row[1:]) for row in await session.execute(query)}
