"""When mails about alerts go out, and a test of them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from payflux.activation.service import get_workspace
from payflux.kit.errors import InvalidInput
from payflux.monitor.alerts.mail_times import set_mail_times
from payflux.web.forms import Text
from payflux.web.guards import CurrentWorld, Tenant, Who
from payflux.web.pages.alert_settings import PAGE, Refused, settings_page
from payflux.web.pages.alerts import HANDLING
from payflux.web.rendering import see_other
from payflux.world.outbox import enqueue_mail

router = APIRouter()


@router.post(f"{PAGE}/times", dependencies=HANDLING)
async def change(
    request: Request,
    who: Who,
    world: CurrentWorld,
    quiet_from: Text = "",
    quiet_until: Text = "",
    digest_at: Text = "",
    time_zone: Text = "",
) -> Response:
    """Quiet hours, and one mail a day about all alerts."""
    typed = {
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "digest_at": digest_at,
        "time_zone": time_zone,
    }
    try:
        async with world.database.tenant(who.account_id) as session:
            workspace = await get_workspace(session, account_id=who.account_id)
            await set_mail_times(
                session,
                account_id=who.account_id,
                workspace_id=workspace.id,
                **typed,
                actor_id=who.user_id,
                now=world.clock.now(),
            )
    except InvalidInput as wrong:
        return await settings_page(request, world, who, Refused("times", typed, wrong.fields), status=wrong.status)
    return see_other(f"{PAGE}#times")


@router.post(f"{PAGE}/test", dependencies=HANDLING)
async def test(who: Who, session: Tenant) -> Response:
    """Send a test mail to whoever asks."""
    await enqueue_mail(session, "alert_test", who.account_id, who.user_id)
    return see_other(f"{PAGE}?tested=yes#times")
