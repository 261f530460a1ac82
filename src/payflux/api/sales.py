"""Ask to talk to sales, for forms that stand elsewhere."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from payflux.api.problems import TOO_MANY
from payflux.frontdoor.funnel.rules import visitor_key
from payflux.frontdoor.sales.rules import MESSAGE_MAX, NAME_MAX, Inquiry
from payflux.frontdoor.sales.service import source_of, take_lead
from payflux.web.browsers import client_of
from payflux.web.guards import CurrentWorld
from payflux.web.policies import Audience, guard

router = APIRouter(tags=["sales"])


class NewLead(BaseModel):
    """Who asks, and what."""

    name: str = Field(max_length=NAME_MAX)
    email: str = Field(max_length=320)
    company: str = Field(max_length=NAME_MAX)
    team_size: Literal["", "1-10", "11-50", "51-200", "201-1000", "1000+"] = ""
    message: str = Field("", max_length=MESSAGE_MAX)
    source: str = Field(
        "", max_length=50, description="the page that led here; `direct` where it is none that is known"
    )


class TakenLead(BaseModel):
    """What was kept. The same words sent again within a day are the same lead."""

    id: UUID
    scheduling_url: str = Field(description="where a time may be picked at once; empty where there is no such place")


@router.post("/sales-leads", dependencies=[guard(Audience.PUBLIC)], status_code=HTTPStatus.CREATED, responses=TOO_MANY)
async def new_sales_lead(request: Request, world: CurrentWorld, given: NewLead) -> TakenLead:
    """Ask to be called. A person answers by mail."""
    now, client = world.clock.now(), client_of(request)
    async with world.database.system() as session:
        lead_id = await take_lead(
            session,
            world.tokens,
            Inquiry(given.name, given.email, given.company, given.team_size, given.message),
            source=source_of(given.source),
            address=client.address,
            visitor=visitor_key(world.tokens, address=client.address, user_agent=client.user_agent, at=now),
            now=now,
        )
    return TakenLead(id=lead_id, scheduling_url=world.settings.scheduling_url)
