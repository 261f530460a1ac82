"""What a processor says of an account right now: its state and its balance."""

from __future__ import annotations

from datetime import datetime

import msgspec


class AccountSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one merchant account, read at `taken_at`.

    `disabled_reason`, `currently_due` and `past_due` are Stripe's `requirements` of the same names.
    """

    external_id: str
    taken_at: datetime
    name: str = ""
    country: str = ""  # ISO 3166 alpha-2, upper case
    default_currency: str = "usd"
    created_at: datetime | None = None
    charges_enabled: bool = True
    payouts_enabled: bool = True
    details_submitted: bool = True
    disabled_reason: str = ""
    currently_due: tuple[str, ...] = ()
    past_due: tuple[str, ...] = ()
    payout_delay_days: int | None = None
    payout_interval: str = ""  # daily, weekly, monthly, manual
    merchant_category_code: str = ""
    url: str = ""
    livemode: bool = False


class BalanceSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The account's money by currency, in minor units, read at `taken_at`. `available` may be negative."""

    taken_at: datetime
    available: dict[str, int] = {}
    pending: dict[str, int] = {}
    reserved: dict[str, int] = {}
