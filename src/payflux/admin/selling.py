"""What the pages and the JSON of the console share where what is sold is changed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, Query

from payflux.admin.guards import CurrentStaff, staff_proven
from payflux.frontdoor.catalogue.prices import sync_prices
from payflux.frontdoor.staff.signing_in import Staff
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, Guard, Policy
from payflux.world.bootstrap import World
from payflux.world.stripe.billing import StripeBilling
from payflux.world.stripe.errors import StripeFailure

Preview = Annotated[bool, Query(description="answer with who would be affected, and write nothing")]
Json = dict[str, Any]


async def staff_proven_to_save(
    staff: CurrentStaff, world: CurrentWorld, preview: Preview = False, x_staff_code: Annotated[str, Header()] = ""
) -> Staff:
    """Who of the staff is asking, with a fresh code of their app unless they only look at what a save would do."""
    return staff if preview else await staff_proven(staff, world, x_staff_code)


SAVING = [Guard(policy=Policy(Audience.STAFF, step_up=True), dependency=staff_proven_to_save)]
"""For a program that changes what everybody is sold: a fresh code as `X-Staff-Code`."""


async def bring_to_stripe(world: World) -> str:
    """Make what is sold now buyable; a sentence on why it is not, empty where it is."""
    try:
        await sync_prices(world, StripeBilling(world.settings, world.http))
    except StripeFailure as error:
        return f"New prices are not at Stripe yet, so nobody can buy them: {error}."
    return ""
