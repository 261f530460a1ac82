"""The checks of one connection: what Stripe shows now, against what is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from payflux.kit.clock import Clock
from payflux.kit.database import Database
from payflux.monitor.processors import decode
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.models import Connection
from payflux.monitor.processors.normalise import reserve_event, whole_charge
from payflux.monitor.processors.reconciling import queries, reading
from payflux.monitor.processors.reconciling.rules import (
    EDGE,
    Balance,
    Check,
    Identity,
    Movement,
    State,
    cannot_tell,
    check_balance,
    check_counts,
    check_each,
    check_reserves,
    check_stored,
)
from payflux.monitor.processors.resources import RESOURCES
from payflux.monitor.processors.snapshots import BalanceSnapshot
from payflux.monitor.processors.store import apply_to_rollups, upsert_events
from payflux.world.stripe import PermissionMissing, RequestRefused, StripeReader

SAMPLE = timedelta(days=7)
"""How far back single objects are counted and compared."""

Window = tuple[datetime, datetime]

_COUNTED = {
    "charges": Kind.CHARGE,
    "refunds": Kind.REFUND,
    "disputes": Kind.DISPUTE,
    "early_fraud_warnings": Kind.EARLY_FRAUD_WARNING,
    "payouts": Kind.PAYOUT,
}


class Checked(NamedTuple):
    """What was found, and the balance that the next stretch begins with; None where it cannot be read."""

    checks: list[Check]
    balance: BalanceSnapshot | None


class Checking:
    """The checks of one connection. `stored` is from when to when everything is stored.

    Transactions are short: none is open while Stripe is asked.
    """

    def __init__(
        self, database: Database, clock: Clock, reader: StripeReader, connection: Connection, stored: Window
    ) -> None:
        self._database, self._clock, self._reader = database, clock, reader
        self._connection, self._stored = connection, stored
        self._preview = connection.capabilities.get("reserve_holds") == "ok"

    async def stretch(self, before: Balance | None, movements_since: datetime) -> Checked:
        """Whether the balance changed by what has moved since `before`, and whether what has moved is stored; looked at
        twice before a difference is told, because Stripe books while it is read."""
        since = before.taken_at if before else movements_since
        try:
            found = await self._stretch(before, movements_since)
            if any(check.state == State.DIFFERS for check in found.checks):
                found = await self._stretch(before, movements_since)
        except PermissionMissing as missing:
            why = f"It could not be read: {missing}."
            window = (since, self._clock.now())
            return Checked([cannot_tell(Identity.BALANCE_CHANGE, "payments", window, why)], None)
        except reading.TooMany as many:
            balance = await self._balance()
            window = (since, balance.taken_at)
            return Checked([cannot_tell(Identity.BALANCE_CHANGE, "payments", window, f"There are {many}.")], balance)
        return found

    async def _balance(self) -> BalanceSnapshot:
        return await reading.read_balance(self._reader, now=self._clock.now(), preview=self._preview)

    async def _stretch(self, before: Balance | None, movements_since: datetime) -> Checked:
        balance = await self._balance()
        start = min(before.taken_at, movements_since) if before else movements_since
        transactions = await reading.read_movements(self._reader, since=int((start - EDGE).timestamp()))
        movements = [reading.movement_of(transaction) for transaction in transactions]
        checks = []
        if before is not None:
            edge = (before.taken_at - EDGE).timestamp()
            near = [movement for movement in movements if movement.at >= edge]
            checks += check_balance(before, reading.balance_of(balance), near)
        else:
            why = "This takes two balances; the next check has the second."
            window = (movements_since, balance.taken_at)
            checks.append(cannot_tell(Identity.BALANCE_CHANGE, "payments", window, why))
        checks += await self._movements_stored(movements, (movements_since, self._stored[1]))
        checks += await self._reserves(transactions, balance)
        return Checked(checks, balance)

    async def again(self, differing: Sequence[Check]) -> list[Check]:
        """The stretches that differed, checked once more: Stripe may have booked a movement late, or a sync stored it.

        A stretch of balances needs both of them to be kept still.
        """
        found: list[Check] = []
        for identity, window in dict.fromkeys((check.identity, (check.since, check.until)) for check in differing):
            start, end = (int(bound.timestamp()) for bound in (window[0] - EDGE, window[1] + EDGE))
            transactions = await reading.read_movements(self._reader, since=start, until=end)
            movements = [reading.movement_of(transaction) for transaction in transactions]
            if identity == Identity.MOVEMENTS_STORED:
                found += await self._movements_stored(movements, window)
            else:
                async with self._database.tenant(self._connection.account_id) as session:
                    before, after = [await queries.balance_at(session, self._connection, at) for at in window]
                found += check_balance(before, after, movements)
        return found

    async def samples(self) -> list[Check]:
        """The newest payouts, refunds and objects of each kind, one by one. A dozen requests: once a day is enough."""
        since = max(self._stored[0], self._stored[1] - SAMPLE)
        window = (since, self._stored[1])
        checks = await self._or_cannot_tell(Identity.PAYOUTS, "payouts", window, self._payouts)
        for resource, kind in _COUNTED.items():
            if self._readable(resource):
                checks += await self._count(resource, kind, window)
        if self._preview:
            checks += await self._or_cannot_tell(Identity.OPEN_RESERVES, "holds", window, self._holds)
        return checks

    async def _or_cannot_tell(
        self, identity: Identity, subject: str, window: Window, check: Callable[[Window], Awaitable[list[Check]]]
    ) -> list[Check]:
        try:
            return await check(window)
        except (PermissionMissing, RequestRefused, reading.TooMany) as failure:
            return [cannot_tell(identity, subject, window, f"It could not be read: {failure}.")]

    def _readable(self, resource: str) -> bool:
        return self._connection.capabilities.get(resource) != "forbidden"

    async def _movements_stored(self, movements: Sequence[Movement], window: Window) -> list[Check]:
        since, until = (bound.timestamp() for bound in window)
        unread = {kind.name.lower() for resource, kind in _COUNTED.items() if not self._readable(resource)}
        own = [one for one in movements if since < one.at <= until and one.kind not in unread]
        async with self._database.tenant(self._connection.account_id) as session:
            stored = await queries.stored_amounts(session, self._connection, own)
        return check_stored(own, stored, window)

    async def _reserves(self, transactions: Sequence[decode.NetTransaction], balance: BalanceSnapshot) -> list[Check]:
        """Reserve movements that are booked but not stored yet are counted as if they were."""
        movements = [event for one in transactions if (event := reserve_event(one)) is not None]
        async with self._database.tenant(self._connection.account_id) as session:
            held = await queries.stored_reserves(session, self._connection)
            moved = [reading.movement_of(transaction) for transaction in transactions]
            known = await queries.stored_amounts(session, self._connection, moved)
        for event in movements:
            if (event.kind.name.lower(), event.source_id) not in known:
                sign = 1 if event.kind == Kind.RESERVE_HOLD else -1
                held[event.settled_currency] = held.get(event.settled_currency, 0) + sign * event.settled_amount
        window = (self._stored[0], balance.taken_at)
        return check_reserves(balance.reserved or None, held, window, subject="balance")

    async def _payouts(self, _window: Window) -> list[Check]:
        payouts = await reading.read_paid_payouts(self._reader)
        paid_out = {}
        for payout in payouts:
            movements = await reading.read_movements(self._reader, since=0, payout=payout.id)
            paid_out[payout.id] = sum(movement.net for movement in movements if movement.type != "payout")
        if not payouts:
            return []
        said = {payout.id: (payout.currency, payout.amount) for payout in payouts}
        window = (moment(min(payout.created for payout in payouts)), moment(max(payout.created for payout in payouts)))
        return check_each(Identity.PAYOUTS, "payouts", said, paid_out, window)

    async def _count(self, resource: str, kind: Kind, window: Window) -> list[Check]:
        since, until = window
        try:
            body = await reading.read_newest(self._reader, resource, since=int(since.timestamp()) + 1)
        except (PermissionMissing, RequestRefused) as failure:
            return [cannot_tell(Identity.COUNTS, resource, window, f"It could not be read: {failure}.")]
        page = RESOURCES[resource].read(body)
        if page.has_more:  # the oldest second of the page may go on on the next one
            since = moment(page.oldest)
        shown = {event.source_id for event in page.events if since < event.occurred_at <= until}
        async with self._database.tenant(self._connection.account_id) as session:
            stored = await queries.stored_ids(session, self._connection, kind, (since, until))
        checks = [check_counts(shown, stored, (since, until), subject=resource)]
        if resource == "refunds":
            checks += await self._refunds(msgspec.json.decode(body, type=decode.Page[decode.Refund]).data, window)
        return checks

    async def _refunds(self, refunds: Sequence[decode.Refund], window: Window) -> list[Check]:
        """Charges that were captured whole and are no older than what is stored, without those refunded since."""
        first, last = (bound.timestamp() for bound in self._stored)
        charges = {refund.charge.id: refund.charge for refund in refunds if isinstance(refund.charge, decode.Charge)}
        newer = {
            refund.charge.id for refund in refunds if isinstance(refund.charge, decode.Charge) and refund.created > last
        }
        said = {
            charge.id: (charge.currency, charge.amount_refunded)
            for charge in charges.values()
            if charge.created >= first and charge.id not in newer and whole_charge(charge)
        }
        async with self._database.tenant(self._connection.account_id) as session:
            stored = await queries.stored_refunds(session, self._connection, said)
        return check_each(Identity.REFUNDS_OF_CHARGES, "refunded charges", said, stored, window)

    async def _holds(self, window: Window) -> list[Check]:
        """Holds as Stripe's preview lists them. A stored hold learns its charge and when it is released from there."""
        read_at = self._clock.now()
        holds = await reading.read_holds(self._reader)
        transactions = await reading.read_movements(self._reader, since=int(window[0].timestamp()))
        events = [reserve_event(transaction) for transaction in reading.dated(transactions, holds)]
        async with self._database.tenant(self._connection.account_id) as session:
            readings = [(event, read_at) for event in events if event is not None]
            changes = await upsert_events(session, self._connection, readings)
            await apply_to_rollups(session, self._connection, *changes, read_at)
            held = await queries.stored_reserves(session, self._connection)
        return check_reserves(reading.held(holds), held, (self._stored[0], read_at), subject="holds")
