"""The mails about a subscription: how each is written. One that is out of date by now is not sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.billing.models import Subscription
from payflux.frontdoor.billing.rules import history_until, standing_of, state_of, trial_days_left
from payflux.frontdoor.catalogue.queries import plan_content
from payflux.kit.figures import moment_words
from payflux.kit.jobs import Payload
from payflux.world.bootstrap import World
from payflux.world.mail import Mail, write_mail

BILLING = "/account/billing"
SELECT_PLAN = f"{BILLING}/select-plan"


async def _trial_ending(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    trial, now = await _subscription(world, payload), world.clock.now()
    if trial is None or trial.current_period_end is None or state_of(standing_of(trial), now) != "trial":
        return None
    return _written(
        world,
        "trial_ending",
        addressee,
        SELECT_PLAN,
        ends_at=moment_words(trial.current_period_end),
        days_left=trial_days_left(status=trial.status, current_period_end=trial.current_period_end, now=now),
    )


async def _trial_ended(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    trial, now = await _subscription(world, payload), world.clock.now()
    if trial is None or trial.current_period_end is None or state_of(standing_of(trial), now) != "trial_ended":
        return None
    readable = history_until(trial.status, trial.current_period_end)
    return _written(
        world,
        "trial_ended",
        addressee,
        SELECT_PLAN,
        ends_at=moment_words(trial.current_period_end),
        readable_until=moment_words(readable) if readable else "",
    )


async def _payment_failed(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    bought = await _subscription(world, payload)
    if bought is None or bought.status != "past_due":
        return None
    async with world.database.tenant(bought.account_id) as session:
        sold = await plan_content(session, bought.plan, bought.plan_version)
    attempt = bought.next_payment_attempt_at
    return _written(
        world,
        "payment_failed",
        addressee,
        BILLING,
        plan=sold.display_name,
        next_attempt=moment_words(attempt) if attempt else "",
    )


async def _complimentary_granted(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    given = await _subscription(world, payload)
    if given is None or given.status != "complimentary":
        return None
    return _written(world, "complimentary_granted", addressee, "/start")


async def _subscription(world: World, payload: Payload) -> Subscription | None:
    async with world.database.tenant(UUID(payload["account_id"])) as session:
        return await session.get(Subscription, UUID(payload["subscription_id"]))


def _written(world: World, mail: str, addressee: Addressee, path: str, **words: object) -> Mail:
    greeting, url = addressee.greeting, f"{world.settings.url}{path}"
    return write_mail(mail, greeting=greeting, account=addressee.account_name, url=url, **words)


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {
    "complimentary_granted": _complimentary_granted,
    "payment_failed": _payment_failed,
    "trial_ended": _trial_ended,
    "trial_ending": _trial_ending,
}
