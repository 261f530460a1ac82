"""What reconciliation asks Stripe for: a balance, the movements since, and samples; few requests, nothing stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar

import msgspec

from payflux.monitor.processors import decode
from payflux.monitor.processors.account_state import balance_snapshot
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.normalise import RESERVE_TYPES, reserve_event
from payflux.monitor.processors.permissions import PREVIEW_VERSION
from payflux.monitor.processors.reconciling.rules import Balance, Movement
from payflux.monitor.processors.resources import PAGE_SIZE, RESOURCES, Listed
from payflux.monitor.processors.snapshots import BalanceSnapshot
from payflux.settings import STRIPE_API_VERSION
from payflux.world.stripe import StripeReader

MOST_PAGES = 100
"""Stretches with more movements than these pages hold are not added up: 10,000."""

PAYOUTS_SAMPLED = 3

_KINDS = {
    ("charge", "charge"): Kind.CHARGE,
    ("payment", "charge"): Kind.CHARGE,
    ("refund", "refund"): Kind.REFUND,
    ("payment_refund", "refund"): Kind.REFUND,
    ("adjustment", "dispute"): Kind.DISPUTE,
    ("payout", "payout"): Kind.PAYOUT,
}
"""By a balance transaction's type and reporting category: the kind of event that it moves the amount of."""

Item = TypeVar("Item", bound=Listed)


class TooMany(Exception):
    """There is more to read than reconciliation may ask for."""


async def read_balance(reader: StripeReader, *, now: datetime, preview: bool) -> BalanceSnapshot:
    """The balance now; with what is reserved where Stripe's preview may be asked. Raises StripeFailure."""
    body = await reader.get("/v1/balance", version=PREVIEW_VERSION if preview else STRIPE_API_VERSION)
    return balance_snapshot(msgspec.json.decode(body, type=decode.Balance), taken_at=now)


def balance_of(snapshot: BalanceSnapshot) -> Balance:
    """A snapshot as it is added up; a balance without any reserve is taken for one that does not show it."""
    currencies = snapshot.available | snapshot.pending
    payments = {name: snapshot.available.get(name, 0) + snapshot.pending.get(name, 0) for name in currencies}
    return Balance(snapshot.taken_at, payments, snapshot.reserved or None)


async def read_movements(
    reader: StripeReader, *, since: int, until: int | None = None, payout: str = ""
) -> list[decode.NetTransaction]:
    """The balance transactions created from `since` to `until`, both included, or those that `payout` paid out; oldest
    first. Raises StripeFailure or TooMany."""
    query: dict[str, str | int] = {"created[gte]": since}
    if until is not None:
        query["created[lte]"] = until
    found = await _all_of(
        reader, "/v1/balance_transactions", decode.Page[decode.NetTransaction], query | _only(payout=payout)
    )
    return found[::-1]


async def read_holds(reader: StripeReader) -> list[decode.ReserveHold]:
    """Every reserve hold, by Stripe's preview. Raises StripeFailure or TooMany."""
    return await _all_of(reader, "/v1/reserve/holds", decode.Page[decode.ReserveHold], {}, version=PREVIEW_VERSION)


async def read_paid_payouts(reader: StripeReader) -> list[decode.Payout]:
    """The newest automatic payouts whose movements Stripe has put together. Raises StripeFailure."""
    body = await reader.get("/v1/payouts", {"limit": 4 * PAYOUTS_SAMPLED, "status": "paid"})
    payouts = msgspec.json.decode(body, type=decode.Page[decode.Payout]).data
    whole = [payout for payout in payouts if payout.automatic and payout.reconciliation_status == "completed"]
    return whole[:PAYOUTS_SAMPLED]


async def read_newest(reader: StripeReader, resource: str, *, since: int) -> bytes:
    """The newest page of a resource, back to `since`. Raises StripeFailure."""
    known = RESOURCES[resource]
    query: dict[str, str | int | list[str]] = {"limit": PAGE_SIZE, "created[gte]": since}
    return await reader.get(known.path, query | ({"expand[]": list(known.expand)} if known.expand else {}))


def movement_of(transaction: decode.NetTransaction) -> Movement:
    """A balance transaction as it is added up; its kind and source are those of the event that it stands for."""
    kind = _KINDS.get((transaction.type, transaction.reporting_category))
    source = transaction.source if isinstance(transaction.source, str) else ""
    reserve = reserve_event(transaction)
    if reserve is not None:
        kind, source = reserve.kind, transaction.id
    return Movement(
        at=transaction.created,
        currency=transaction.currency,
        balance_type=transaction.balance_type,
        amount=transaction.amount,
        net=transaction.net,
        kind=kind.name.lower() if kind and source else "",
        source=source,
    )


def held(holds: Iterable[decode.ReserveHold]) -> dict[str, int]:
    """What is still held, by currency."""
    totals: dict[str, int] = {}
    for hold in holds:
        given_back = sum(release.amount for release in hold.release_details or ())
        totals[hold.currency] = totals.get(hold.currency, 0) + hold.amount - given_back
    return totals


def dated(
    transactions: Iterable[decode.NetTransaction], holds: Iterable[decode.ReserveHold]
) -> list[decode.NetTransaction]:
    """The holds among `transactions` that name one of `holds`, with its charge and the date of its release."""
    known = {hold.id: hold for hold in holds}
    found = []
    for transaction in transactions:
        hold = known.get(transaction.source) if isinstance(transaction.source, str) else None
        if hold is not None and transaction.type in RESERVE_TYPES:
            source = decode.MovementSource(
                id=hold.id,
                object="reserve.hold",
                created=hold.created,
                source_charge=hold.source_charge,
                release_schedule=hold.release_schedule,
            )
            found.append(msgspec.structs.replace(transaction, source=source))
    return found


async def _all_of(
    reader: StripeReader,
    path: str,
    form: type[decode.Page[Item]],
    query: dict[str, str | int],
    version: str = STRIPE_API_VERSION,
) -> list[Item]:
    found: list[Item] = []
    for _ in range(MOST_PAGES):
        more = _only(starting_after=found[-1].id if found else "")
        body = await reader.get(path, {**query, **more, "limit": PAGE_SIZE}, version=version)
        page = msgspec.json.decode(body, type=form)
        found += page.data
        if not page.has_more:
            return found
    raise TooMany(f"more than {MOST_PAGES * PAGE_SIZE:,} objects at {path}")


def _only(**texts: str) -> dict[str, str | int]:
    return {name: text for name, text in texts.items() if text}
