"""How much of each limit of its plan an account uses, as the billing page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.allowances import KEPT, usage_of
from payflux.frontdoor.catalogue.file import read_catalogue
from payflux.kit.messages import gettext as _
from payflux.web.formatting import count
from payflux.web.plan_table import limit_name, limit_value
from payflux.world.bootstrap import World


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
        return (
            _("%(used)s of %(allowed)s") % {"used": count(self.used), "allowed": self.allowed}
            if self.limit
            else f"{count(self.used)}, {self.allowed.lower()}"
        )

    @property
    def is_full(self) -> bool:
        return self.limit is not None and self.used is not None and self.used >= self.limit > 0


async def usage_rows(
    session: AsyncSession, world: World, *, account_id: UUID, limits: Mapping[str, int | None]
) -> list[UsageRow]:
    """Every limit of the catalogue with what the account uses of it now."""
    rows = []
    for key, words in read_catalogue().limits.items():
        name, allowed, limit = limit_name(words), limit_value(limits.get(key), words), limits.get(key)
        if key == KEPT:
            rows.append(UsageRow(name, allowed, limit, None, None))
        else:
            usage = await usage_of(session, world, account_id=account_id, key=key)
            rows.append(UsageRow(name, allowed, limit, usage.used, usage.reset_at))
    return rows
