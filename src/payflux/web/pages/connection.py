"""The processor connection: what it reads, what it holds, and how to end it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from payflux.activation import service as activation
from payflux.activation.states import Cause
from payflux.monitor.processors.codes import Kind
from payflux.monitor.processors.connecting.ending import disconnect
from payflux.monitor.processors.permissions import resource_label
from payflux.monitor.processors.queries import count_events, get_connection, last_pulled_at
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who, require_manager, signed_in
from payflux.web.pages.dashboard import product_context
from payflux.web.rendering import render

router = APIRouter(dependencies=[Depends(signed_in)])

_KINDS = {
    Kind.CHARGE: "Charges",
    Kind.REFUND: "Refunds",
    Kind.DISPUTE: "Disputes",
    Kind.EARLY_FRAUD_WARNING: "Early fraud warnings",
    Kind.PAYOUT: "Payouts",
    Kind.RESERVE_HOLD: "Reserve holds",
    Kind.RESERVE_RELEASE: "Reserve releases",
}


@router.get("/connection")
async def connection_page(
    request: Request, who: Who, session: Tenant, world: CurrentWorld, subscription: CurrentSubscription
) -> Response:
    """What is connected, what it may read, and how many events it has brought."""
    workspace = await activation.get_workspace(session, account_id=who.account_id)
    product = product_context(world, workspace, subscription)
    if workspace.connection_id is None:
        return render(request, "connection.html", connection=None, capabilities=[], event_counts=[], **product)
    stored = await get_connection(session, account_id=who.account_id, connection_id=workspace.connection_id)
    counts = await count_events(session, account_id=who.account_id, connection_id=stored.id)
    return render(
        request,
        "connection.html",
        connection={
            "processor": "Stripe",
            "account_name": stored.name,
            "external_id": stored.external_account_id,
            "method": stored.method,
            "status": stored.status,
            "livemode": stored.livemode,
            "connected_at": stored.connected_at,
            "last_pulled_at": await last_pulled_at(session, account_id=who.account_id, connection_id=stored.id),
            "last_event_at": stored.last_event_at,
        },
        capabilities=[(resource_label(resource), state) for resource, state in sorted(stored.capabilities.items())],
        event_counts=[(label, counts[kind]) for kind, label in _KINDS.items() if counts.get(kind)],
        **product,
    )


@router.post("/connection/disconnect", dependencies=[Depends(require_manager)])
async def disconnect_processor(who: Who, session: Tenant, world: CurrentWorld) -> Response:
    """Stop reading the processor; what was read stays."""
    workspace = await activation.get_workspace(session, account_id=who.account_id, lock=True)
    if workspace.connection_id is not None:
        now = world.clock.now()
        await disconnect(session, world, account_id=who.account_id, connection_id=workspace.connection_id, now=now)
        await activation.leave_connection(session, workspace, Cause.DISCONNECTED, now=now, actor_id=who.user_id)
    return RedirectResponse("/connection", status_code=HTTPStatus.SEE_OTHER)
