"""What every page of the signed-in product knows beside its own content."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from payflux.activation.models import Workspace
from payflux.activation.states import missing_conditions
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import Standing, standing_of, state_of
from payflux.web.billing_words import LOCKED
from payflux.world.bootstrap import World


class ProductContext(TypedDict):
    """What `app.html` is given: `standing` is that of the account's subscription, None without one."""

    workspace: Workspace
    live: bool
    standing: Standing | None
    now: datetime


def product_context(world: World, workspace: Workspace, subscription: Subscription | None) -> ProductContext:
    """The context of the account whose `workspace` and `subscription` these are."""
    now = world.clock.now()
    standing = standing_of(subscription) if subscription else None
    entitled = state_of(standing, now) not in LOCKED
    live = not missing_conditions(workspace, entitled=entitled)
    return {"workspace": workspace, "live": live, "standing": standing, "now": now}
