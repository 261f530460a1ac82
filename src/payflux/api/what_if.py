"""What would be different if something were changed: asked, answered, and not kept."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from payflux.activation.service import get_workspace
from payflux.api.problems import Responses
from payflux.api.structs import StructResponse, struct_answer
from payflux.kit.errors import InvalidInput, NotFound
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.service import Reply, answer_at
from payflux.web.guards import Tenant, Who
from payflux.web.policies import guard
from payflux.web.readouts import current_readout

router = APIRouter(prefix="/what-if", tags=["what if"])

ASK = [guard(capability="monitor.read", feature="reserve_projection", metered=True, scope="what-if:run")]
NOTHING: Responses = {404: {"description": "nothing was projected yet"}}
WRONG: Responses = {422: {"description": "a change means nothing"}}
ANSWERS = (Reply,)


class Asked(BaseModel):
    """What is changed, all at once; what is left out stays as it is. A share is from 0 to 1."""

    model_config = ConfigDict(extra="forbid", strict=True)

    refund_warnings: bool = Field(False, description="refund every open early fraud warning now")
    rdr: float | None = Field(None, ge=0, le=1, description="share of Visa disputes resolved before they are filed")
    three_d_secure: float | None = Field(None, ge=0, le=1, description="share of payments that are authenticated")
    growth: float | None = Field(None, ge=-0.5, le=1, examples=[0.2], description="growth of sales, a share a month")
    reserve_rate: float | None = Field(None, ge=0, le=1, description="a rolling reserve's share of sales")
    hold_days: int | None = Field(None, ge=1, le=365, description="how long that reserve holds each day's sales")


@router.post(
    "",
    dependencies=ASK,
    status_code=HTTPStatus.OK,
    response_class=StructResponse,
    responses={**struct_answer(Reply, "before and after"), **NOTHING, **WRONG},
)
async def what_if(who: Who, session: Tenant, asked: Asked) -> StructResponse:
    """Score and project the stored history once more, as it would be with these changes."""
    workspace = await get_workspace(session, account_id=who.account_id)
    current = await current_readout(session, workspace)
    if current is None:
        raise NotFound("Nothing was projected yet.", way_out="Ask again once the workspace is live.")
    try:
        changes = msgspec.convert(asked.model_dump(), Changes)
    except (ValueError, msgspec.ValidationError) as wrong:
        raise InvalidInput({"body": str(wrong)}) from None
    reply = await answer_at(session, current.connection, as_of=current.surface.as_of, changes=changes)
    return StructResponse(reply)
