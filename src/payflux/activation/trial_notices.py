"""What is mailed about subscriptions by the clock."""

from __future__ import annotations

import structlog

from payflux.frontdoor.billing.notices import due_now, send_once, subscriptions_to_look_at, who_pays
from payflux.frontdoor.billing.rules import standing_of
from payflux.world.bootstrap import World

log = structlog.get_logger(__name__)


async def send_due_notices(world: World) -> None:
    """Every quarter of an hour: the mails before and after a trial's end and about failed payments, each once and each
    in a transaction of its account. What is not told while nobody works is told after, unless it is
    no news any more."""
    now, sent = world.clock.now(), 0
    async with world.database.system() as session:
        looked_at = await subscriptions_to_look_at(session, now=now)
    for subscription, earlier in looked_at:
        due = due_now(standing_of(subscription), earlier, now)
        if due is None:
            continue
        account_id = subscription.account_id
        async with world.database.tenant(account_id) as session:
            sent += await send_once(
                session,
                account_id=account_id,
                subscription_id=subscription.id,
                notice=due.notice,
                mail=due.mail,
                to=await who_pays(session, account_id=account_id),
                now=now,
            )
    log.info("billing notices sent", notices=sent)
