"""Where alerts are posted to: endpoints of the customer's own and services, each with its deliveries."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.advancing import advance_workspace
from payflux.activation.service import get_workspace
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team.capabilities import may
from payflux.kit.errors import InvalidInput
from payflux.kit.messages import gettext as _
from payflux.kit.messages import mark
from payflux.monitor.alerts import channels
from payflux.monitor.alerts.asking import replay, send_test
from payflux.monitor.alerts.queries import deliveries_to
from payflux.web.forms import Text
from payflux.web.guards import CurrentSubscription, CurrentWorld, Tenant, Who
from payflux.web.pages.alert_settings import KINDS, PAGE, Refused, settings_page
from payflux.web.pages.alerts import HANDLING, READING
from payflux.web.policies import guard
from payflux.web.product import product_context
from payflux.web.rendering import render, see_other
from payflux.world.bootstrap import World

router = APIRouter()


@router.post(f"{PAGE}/endpoints", dependencies=[guard(capability="alerts.manage", feature="webhook_sinks")])
async def add_endpoint(
    request: Request, who: Who, world: CurrentWorld, name: Text = "", address: Text = ""
) -> Response:
    """An endpoint of one's own; the secret that signs what it gets is shown this once."""
    return await _add(request, world, who, form="endpoint", kind="webhook", name=name, address=address)


@router.post(f"{PAGE}/channels", dependencies=[guard(capability="alerts.manage", feature="alert_routing")])
async def add_channel(
    request: Request, who: Who, world: CurrentWorld, kind: Text = "", name: Text = "", address: Text = ""
) -> Response:
    """A channel of Slack, a service of PagerDuty, or one of those that Apprise knows."""
    if kind not in KINDS:
        wrong = Refused(
            "channel",
            {"name": name},
            {"kind": _("Choose one of %(kinds)s.") % {"kinds": ", ".join(map(_, KINDS.values()))}},
        )
        return await settings_page(request, world, who, wrong, status=422)
    return await _add(request, world, who, form="channel", kind=kind, name=name, address=address)


async def _add(
    request: Request, world: World, who: SignedIn, *, form: str, kind: str, name: str, address: str
) -> Response:
    try:
        async with world.database.tenant(who.account_id) as session:
            workspace = await get_workspace(session, account_id=who.account_id, lock=True)
            _, secret = await channels.add_channel(
                session,
                world,
                account_id=who.account_id,
                workspace_id=workspace.id,
                kind=kind,
                name=name,
                address=address,
                actor_id=who.user_id,
            )
            await advance_workspace(session, workspace, now=world.clock.now(), actor_id=who.user_id)
    except InvalidInput as wrong:
        # an address may be a secret, so that it is not sent back
        refused = Refused(form, {"name": name, "kind": kind}, wrong.fields)
        return await settings_page(request, world, who, refused, status=wrong.status)
    return await settings_page(request, world, who, secret=secret) if secret else see_other(f"{PAGE}#channels")


@router.get(f"{PAGE}/channels/{{channel_id}}", dependencies=READING)
async def show(
    request: Request,
    who: Who,
    session: Tenant,
    world: CurrentWorld,
    subscription: CurrentSubscription,
    channel_id: UUID,
) -> Response:
    """A channel, and what became of what was posted to it."""
    channel = await channels.get_channel(session, account_id=who.account_id, channel_id=channel_id)
    return render(
        request,
        "alert_channel.html",
        channel=channel,
        kind=_(KINDS.get(channel.kind, mark("Endpoint"))),
        deliveries=await deliveries_to(session, account_id=who.account_id, target=channel_id),
        may_change=may(who.role, "alerts.manage"),
        **product_context(world, await get_workspace(session, account_id=who.account_id), subscription),
    )


@router.post(f"{PAGE}/channels/{{channel_id}}/test", dependencies=HANDLING)
async def test(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID) -> Response:
    """Post a test."""
    channel = await channels.get_channel(session, account_id=who.account_id, channel_id=channel_id)
    await send_test(session, channel, now=world.clock.now())
    return see_other(f"{PAGE}/channels/{channel_id}")


@router.post(f"{PAGE}/channels/{{channel_id}}/enable", dependencies=HANDLING)
async def enable(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID) -> Response:
    """Post again to a channel that was switched off."""
    channel = await channels.get_channel(session, account_id=who.account_id, channel_id=channel_id)
    await channels.enable(session, channel, actor_id=who.user_id, now=world.clock.now())
    return see_other(f"{PAGE}/channels/{channel_id}")


@router.post(f"{PAGE}/channels/{{channel_id}}/remove", dependencies=HANDLING)
async def remove(who: Who, session: Tenant, world: CurrentWorld, channel_id: UUID) -> Response:
    """Forget a channel."""
    channel = await channels.get_channel(session, account_id=who.account_id, channel_id=channel_id)
    await channels.remove(session, channel, actor_id=who.user_id, now=world.clock.now())
    return see_other(f"{PAGE}#channels")


@router.post(f"{PAGE}/deliveries/{{delivery_id}}/replay", dependencies=HANDLING)
async def post_again(who: Who, session: Tenant, world: CurrentWorld, delivery_id: UUID) -> Response:
    """Post a delivery once more."""
    delivery = await replay(session, account_id=who.account_id, delivery_id=delivery_id, now=world.clock.now())
    return see_other(f"{PAGE}/channels/{delivery.target}")
