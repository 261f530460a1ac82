"""What would change if the merchant, or the processor, did something else."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from payflux.activation.service import get_workspace
from payflux.kit.errors import InvalidInput
from payflux.kit.phrases import spoken
from payflux.monitor.whatif.changes import Changes
from payflux.monitor.whatif.service import answer_at
from payflux.web.charts import comparison_chart
from payflux.web.comparison import changes_in_words, comparison
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.readouts import current_readout
from payflux.web.rendering import render
from payflux.web.whatif_form import EXAMPLES, FIELDS, read_changes, typed

router = APIRouter()


@router.get("/what-if", dependencies=[guard(capability="monitor.read", feature="reserve_projection")])
async def what_if(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """The form, and below its address the answer. Everything asked is in the address; nothing is stored."""
    workspace = await get_workspace(session, account_id=who.account_id)
    if workspace.connection_id is None or workspace.pull_id is None:
        return RedirectResponse("/dashboard/activate-prompt", status_code=HTTPStatus.SEE_OTHER)
    current = await current_readout(session, workspace)
    if current is None:
        return RedirectResponse("/activate/arming", status_code=HTTPStatus.SEE_OTHER)
    form, changes, errors, status = typed(request.query_params), Changes(), {}, HTTPStatus.OK
    try:
        changes = read_changes(form)
    except InvalidInput as error:
        errors, status = error.fields, error.status
    reply = spoken(await answer_at(session, current.connection, as_of=current.surface.as_of, changes=changes))
    return render(
        request,
        "what_if.html",
        status,
        form=form,
        errors=errors,
        fields=FIELDS,
        examples=EXAMPLES,
        reply=reply,
        standing_tier=current.surface.risk_tier,
        event_count=current.surface.event_count,
        asked=changes_in_words(changes),
        comparison=comparison(reply.answer) if reply.answer else [],
        charts=[comparison_chart(reply.answer, width, height) for width, height in ((720, 260), (360, 240))]
        if reply.answer
        else [],
        **product_context(world, workspace, subscription),
    )
