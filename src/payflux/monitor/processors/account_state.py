"""What Stripe says of an account right now, read and stored as snapshots."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from payflux.monitor.processors import decode
from payflux.monitor.processors.events import moment
from payflux.monitor.processors.snapshots import AccountSnapshot, BalanceSnapshot
from payflux.world.stripe import PermissionMissing, StripeReader

Form = TypeVar("Form")


class AccountState(msgspec.Struct, frozen=True):
    """An account and its balance at one instant. None is what the key may not read, or nobody has read yet."""

    account: AccountSnapshot | None = None
    balance: BalanceSnapshot | None = None

    def stored(self) -> dict[str, Any]:
        """The form that :func:`stored_state` reads again."""
        return msgspec.to_builtins(self)


def stored_state(snapshot: dict[str, Any]) -> AccountState:
    return msgspec.convert(snapshot, AccountState)


async def read_state(reader: StripeReader, *, now: datetime, livemode: bool) -> AccountState:
    """Ask Stripe for both at once. Raises StripeFailure; what the key may not read is None."""
    account, balance = await asyncio.gather(
        _unless_forbidden(reader, "account", decode.Account), _unless_forbidden(reader, "balance", decode.Balance)
    )
    return AccountState(
        account_snapshot(account, taken_at=now, livemode=livemode) if account else None,
        balance_snapshot(balance, taken_at=now) if balance else None,
    )


async def _unless_forbidden(reader: StripeReader, name: str, form: type[Form]) -> Form | None:
    try:
        return msgspec.json.decode(await reader.get(f"/v1/{name}"), type=form)
    except PermissionMissing:
        return None


def account_snapshot(account: decode.Account, *, taken_at: datetime, livemode: bool) -> AccountSnapshot:
    profile = account.business_profile or decode.BusinessProfile()
    settings = account.settings or decode.AccountSettings()
    requirements = account.requirements or decode.Requirements()
    return AccountSnapshot(
        external_id=account.id,
        taken_at=taken_at,
        name=profile.name or settings.dashboard.display_name or "",
        country=account.country or "",
        default_currency=account.default_currency or "usd",
        created_at=moment(account.created) if account.created else None,
        charges_enabled=account.charges_enabled,
        payouts_enabled=account.payouts_enabled,
        details_submitted=account.details_submitted,
        disabled_reason=requirements.disabled_reason or "",
        currently_due=tuple(requirements.currently_due or ()),
        past_due=tuple(requirements.past_due or ()),
        payout_delay_days=settings.payouts.schedule.delay_days,
        payout_interval=settings.payouts.schedule.interval or "",
        merchant_category_code=profile.mcc or "",
        url=profile.url or "",
        livemode=livemode,
    )


def balance_snapshot(balance: decode.Balance, *, taken_at: datetime) -> BalanceSnapshot:
    """The balance; `reserved` stays empty where Stripe does not show it."""
    reserved = balance.risk_reserved or decode.RiskReserved()
    return BalanceSnapshot(
        taken_at=taken_at,
        available=_by_currency(balance.available),
        pending=_by_currency(balance.pending),
        reserved=_by_currency([*reserved.available, *reserved.pending]),
    )


def _by_currency(amounts: list[decode.Money]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for money in amounts:
        totals[money.currency] = totals.get(money.currency, 0) + money.amount
    return totals
