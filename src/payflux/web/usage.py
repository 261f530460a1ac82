"""How much of each limit of its plan an account uses, as the billing page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.team.queries import seats
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.frontdoor.entitlements.rules import SEATS
from payflux.frontdoor.entitlements.usage import used, window_of
from payflux.web.formatting import count
from payflux.web.plan_table import limit_name, limit_value


@dataclass(frozen=True)
class UsageRow:
    """One limit: its name, what the plan allows in words and as a number (None without one), how much is used (None
    where it is not a matter of using), and when the count begins anew."""

    name: str
    allowed: str
    limit: int | None
    used: int | None
    reset_at: datetime | None

    @property
    def words(self) -> str:
        """Such as "12 of 100 scans", or "4,210, unlimited"; only what is allowed where nothing is used of it."""
        if self.used is None or not (self.limit or self.used):
            return self.allowed
        return f"{count(self.used)} of {self.allowed}" if self.limit else f"{count(self.used)}, {self.allowed.lower()}"

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.used is not None and self.used >= self.limit > 0


async def usage_rows(
    session: AsyncSession, account_id: UUID, limits: Mapping[str, int | None], now: datetime
) -> list[UsageRow]:
    """Every limit of the catalogue with what the account uses of it at `now`."""
    held = await seats(session, account_id=account_id, limit=limits.get(SEATS), now=now)
    workspace = await get_workspace(session, account_id=account_id)
    counted: dict[str, int | None] = {
        SEATS: held.members + held.invites,
        "processors": int(workspace.connection_id is not None),
    }
    rows = []
    for key, words in read_catalogue().limits.items():
        window = window_of(key, now)
        if window:
            counted[key] = await used(session, account_id=account_id, key=key, now=now)
        limit = limits.get(key)
        rows.append(
            UsageRow(
                limit_name(words), limit_value(limit, words), limit, counted.get(key), window[1] if window else None
            )
        )
    return rows
