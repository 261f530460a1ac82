"""How active an account is, found out with one request."""

from __future__ import annotations

from datetime import datetime

import msgspec

from payflux.monitor.processors.decode import Charge
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeAuth, StripeGateway

LARGEST_PAGE = 100


class _Page(msgspec.Struct):
    data: list[Charge]


async def recent_payments(world: World, auth: StripeAuth, *, since: datetime) -> int:
    """How many of an account's newest charges since an instant succeeded, of at most :data:`LARGEST_PAGE`. Raises
    StripeFailure."""
    reader = StripeGateway(world.settings, world.http).reader(auth)
    asked = {"limit": LARGEST_PAGE, "created[gte]": int(since.timestamp())}
    page = msgspec.json.decode(await reader.get("/v1/charges", asked), type=_Page)
    return sum(charge.status == "succeeded" for charge in page.data)
