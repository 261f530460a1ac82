"""What whoever runs PayFlux looks at each day and each week, on one page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.health import health_readings
from payflux.admin.funnel import METHOD_WORDS
from payflux.admin.guards import PATH, STAFF, CurrentStaff
from payflux.frontdoor.catalogue.queries import feature_flags
from payflux.frontdoor.staff.reporting import WIZARD_STEPS, report
from payflux.web.guards import CurrentWorld
from payflux.web.rendering import render

router = APIRouter()

OPERATIONS = f"{PATH}/operations"


@router.get(OPERATIONS, dependencies=STAFF)
async def operations_page(request: Request, staff: CurrentStaff, world: CurrentWorld) -> Response:
    """Trials, conversions and revenue by day and week, where people turn back, and what is in a bad way now."""
    async with world.database.system() as session:
        told = await report(session, now=world.clock.now())
        features = await feature_flags(session)
        health = await health_readings(session, world)
    return render(
        request,
        "admin/operations.html",
        staff=staff,
        report=told,
        features=features,
        methods=METHOD_WORDS,
        steps=WIZARD_STEPS,
        health=[reading for reading in health if reading.value],
    )
