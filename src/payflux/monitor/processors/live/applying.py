"""The job that applies what waits in a connection's inbox.

Each object that events name is read once as it stands now, so any order, duplicate, loss or delay ends in the same
state. Stripe is asked with no transaction open; then what it said is stored and the events are marked in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from payflux.kit.jobs import Payload
from payflux.monitor.processors.account_state import AccountState, read_state
from payflux.monitor.processors.credentials import auth_of
from payflux.monitor.processors.live.ending import ended_by
from payflux.monitor.processors.live.envelopes import Envelope, kept_envelope
from payflux.monitor.processors.live.inbox import Settled, Waiting, leave_inbox, settle, waiting_events
from payflux.monitor.processors.live.models import EventState
from payflux.monitor.processors.live.rereading import Reread, Unread, reread
from payflux.monitor.processors.live.storing import store_readings
from payflux.monitor.processors.live.subjects import ObjectKey, Subject, objects_of, subject_of
from payflux.monitor.processors.models import Connection, ConnectionStatus
from payflux.monitor.processors.queries import get_connection
from payflux.world.bootstrap import World
from payflux.world.stripe import StripeFailure, StripeGateway

BATCH = 100
LONGEST_WAIT = timedelta(hours=1)
_FIRST_WAIT = timedelta(seconds=15)
_ENDED = Unread("the connection was ended", EventState.IGNORED)

log = structlog.get_logger(__name__)


async def apply_webhook_events(world: World, payload: Payload) -> None:
    """Job: apply every event of a connection that is due. What Stripe cannot be asked for now is tried again later,
    each time after twice as long, and never given up."""
    account_id, connection_id = UUID(payload["account_id"]), UUID(payload["connection_id"])
    while True:
        async with world.database.tenant(account_id) as session:
            connection = await get_connection(session, account_id=account_id, connection_id=connection_id)
            events = await waiting_events(
                session, account_id=account_id, connection_id=connection_id, now=world.clock.now(), limit=BATCH
            )
        if events:
            await _apply(world, connection, events)
            continue
        async with world.database.system() as session:
            if await leave_inbox(session, account_id=account_id, connection_id=connection_id, now=world.clock.now()):
                return


def wait_after(attempts: int) -> timedelta:
    """How long an event waits that has been tried so often."""
    return min(LONGEST_WAIT, _FIRST_WAIT * 2 ** min(attempts - 1, 10))


async def _apply(world: World, connection: Connection, events: Sequence[Waiting]) -> None:
    envelopes = {event.event_id: kept_envelope(event.body) for event in events}
    trouble, answer, state = None, Reread([], {}), None
    try:
        answer, state = await _ask(world, connection, list(envelopes.values()))
    except StripeFailure as failure:
        ended = connection.status == ConnectionStatus.DISCONNECTED or await ended_by(world, connection, failure)
        trouble = _ENDED if ended else Unread(str(failure), EventState.WAITING)
        log.warning("webhooks not applied", connection_id=str(connection.id), failure=str(failure))
    async with world.database.tenant(connection.account_id) as session:
        now = world.clock.now()
        changed = await store_readings(session, connection, answer.readings, state, now=now)
        settled = [_settled(event, trouble or _unread(envelopes[event.event_id], answer), now) for event in events]
        await settle(session, account_id=connection.account_id, connection_id=connection.id, settled=settled, now=now)
    log.info("webhooks applied", connection_id=str(connection.id), events=len(events), changed=changed)


async def _ask(
    world: World, connection: Connection, envelopes: Sequence[Envelope]
) -> tuple[Reread, AccountState | None]:
    """How everything that `envelopes` name stands now. Raises StripeFailure."""
    objects: dict[ObjectKey, int] = {}
    of_account = False
    for envelope in envelopes:
        if subject_of(envelope) is Subject.OBJECT:
            first, *others = objects_of(envelope)
            objects[first] = max(objects.get(first, 0), envelope.object_created)
            objects |= {key: 0 for key in others if key not in objects}
        else:
            of_account = True
    reader = StripeGateway(world.settings, world.http).reader(await auth_of(world, connection))
    now = world.clock.now()
    state = await read_state(reader, now=now, livemode=connection.livemode) if of_account else None
    return await reread(reader, world.clock, objects), state


def _unread(envelope: Envelope, answer: Reread) -> Unread | None:
    """What kept the event's objects from being read; what is worth asking again comes first."""
    if subject_of(envelope) is not Subject.OBJECT:
        return None
    found = [answer.unread[key] for key in objects_of(envelope) if key in answer.unread]
    return max(found, key=lambda unread: unread.state is EventState.WAITING, default=None)


def _settled(event: Waiting, unread: Unread | None, now: datetime) -> Settled:
    if unread is None:
        return Settled(event.event_id, EventState.APPLIED, "", now)
    return Settled(event.event_id, unread.state, unread.reason, now + wait_after(event.attempts + 1))
