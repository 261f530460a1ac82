"""What a week brought, mailed on Monday morning: the band, the trapped capital now and a week ago, the alerts, and what
is released next."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from msgspec.structs import replace
from sqlalchemy import or_, select

from payflux.activation.activation_mails import processor_name
from payflux.activation.models import Workspace
from payflux.activation.sending import mail_members_once
from payflux.activation.service import get_workspace
from payflux.activation.states import is_live_monitored
from payflux.activation.watching import may_be_monitored
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.entitlements.resolving import entitlements_of
from payflux.kit.figures import day_words, moment_words
from payflux.kit.jobs import Payload
from payflux.kit.messages import gettext as _
from payflux.kit.phrases import told
from payflux.kit.png import Bar, bar_chart_png
from payflux.kit.pools import served_by
from payflux.monitor.alerts.models import Alert, AlertMailTimes
from payflux.monitor.alerts.queries import raised_between, told_facts
from payflux.monitor.alerts.wording import headline
from payflux.monitor.processors.queries import get_connection
from payflux.monitor.projections.projection import ProjectedWindow, ReserveProjection
from payflux.monitor.projections.queries import newest_readout, readout_at
from payflux.monitor.risk.rules.measures import money
from payflux.world.bootstrap import World
from payflux.world.mail import InlineImage, Mail, write_mail

MORNING = time(8)
"""When, on a Monday, in the time zone that the account's mails go by."""

STILL_NEWS = timedelta(days=2)
"""How long after its time a summary is still sent where nobody worked."""

WEEK = timedelta(days=7)
CHART = "week"
_MOST_ALERTS, _MOST_RELEASES = 5, 3
_EASTMOST = timedelta(hours=14)

log = structlog.get_logger(__name__)


def summary_time(now: datetime, time_zone: str) -> datetime:
    """The last Monday morning in `time_zone` that is not after `now`. Pure."""
    zone = ZoneInfo(time_zone)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    due = datetime.combine(monday, MORNING, tzinfo=zone).astimezone(UTC)
    return due if due <= now else datetime.combine(monday - WEEK, MORNING, tzinfo=zone).astimezone(UTC)


async def send_weekly_summaries(world: World) -> None:
    """Every quarter of an hour: a mail to each member of a live workspace whose Monday morning has come, once a
    week. A workspace that fails stops no other."""
    now, sent = world.clock.now(), 0
    times = AlertMailTimes
    async with world.database.system() as session:
        query = (
            select(Workspace.account_id, Workspace.live_monitored_at, Workspace.summarized_at, times.time_zone)
            .outerjoin(times, (times.account_id == Workspace.account_id) & (times.workspace_id == Workspace.id))
            .where(
                Workspace.live_monitored_at.is_not(None),
                or_(
                    Workspace.summarized_at.is_(None),
                    Workspace.summarized_at < summary_time(now + _EASTMOST, "UTC"),
                ),
            )
        )
        ours = await served_by(session, world.settings.worker_pool)
        found = (await session.execute(query)).all()
    for account_id, live_at, summarized_at, time_zone in found:
        if not ours(account_id) or live_at is None:
            continue
        try:
            due = summary_time(now, time_zone or "UTC")
            news = live_at <= due and now - STILL_NEWS < due
            if news and (summarized_at is None or summarized_at < due):
                sent += await _summarize(world, account_id, due)
        except Exception:
            log.exception("week not summarized", account_id=str(account_id))
    log.info("weekly summaries sent", mails=sent)


async def _summarize(world: World, account_id: UUID, due: datetime) -> int:
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id, lock=True)
        held = await entitlements_of(session, world, account_id=account_id)
        workspace.summarized_at = due
        if not is_live_monitored(workspace, entitled=may_be_monitored(held)):
            return 0
        return await mail_members_once(
            session,
            "weekly_summary",
            f"weekly {due:%Y-%m-%d} {workspace.id}",
            account_id=account_id,
            capability="monitor.read",
            now=world.clock.now(),
            until=due.isoformat(),
        )


async def _weekly_summary(world: World, payload: Payload, addressee: Addressee) -> Mail | None:
    account_id, until = UUID(payload["account_id"]), datetime.fromisoformat(payload["until"])
    async with world.database.tenant(account_id) as session:
        workspace = await get_workspace(session, account_id=account_id)
        if workspace.connection_id is None:
            return None
        connection = await get_connection(session, account_id=account_id, connection_id=workspace.connection_id)
        readout = await newest_readout(session, connection)
        before = await readout_at(session, connection, until - WEEK)
        raised = await raised_between(
            session, account_id=account_id, workspace_id=workspace.id, since=until - WEEK, until=until
        )
    if readout is None:
        return None
    surface, projection = readout.surface, readout.projection
    earlier = None if before is None or before.projection.currency != projection.currency else before.projection
    mail = write_mail(
        "weekly_summary",
        greeting=addressee.greeting,
        workspace=workspace.name,
        account=addressee.account_name,
        processor=processor_name(connection),
        band=_(surface.risk_band.capitalize()),
        tier=surface.risk_tier,
        tier_before=before.surface.risk_tier if before else None,
        since=day_words((until - WEEK).date(), long=True),
        compared=earlier is not None,
        windows=_compared(projection, earlier),
        chart=CHART,
        alerts=_alerts(raised),
        more_alerts=max(len(raised) - _MOST_ALERTS, 0),
        releases=_next_releases(projection, world.clock.now().date()),
        as_of=moment_words(surface.as_of),
        url=f"{world.settings.url}/dashboard",
        settings_url=f"{world.settings.url}/settings/mail",
    )
    return replace(mail, images=(InlineImage(CHART, bar_chart_png(_bars(projection, earlier))),))


def _compared(now: ReserveProjection, before: ReserveProjection | None) -> list[tuple[str, str, str]]:
    """Each window with what is trapped now and what was a week ago, empty where nothing was said of it then."""
    earlier = {each.horizon_days: each.trapped for each in before.windows} if before else {}
    return [
        (
            f"T+{each.horizon_days}",
            told(money(each.trapped, now.currency)),
            told(money(earlier[each.horizon_days], now.currency)) if each.horizon_days in earlier else "",
        )
        for each in now.windows
    ]


def _bars(now: ReserveProjection, before: ReserveProjection | None) -> list[Bar]:
    """Of each window what is now and, below it, what was a week ago."""
    earlier = {each.horizon_days: each for each in before.windows} if before else {}

    def bar(window: ProjectedWindow) -> Bar:
        return Bar(max(window.low, 0), max(window.trapped, 0), max(window.high, 0))

    pairs = ((each, earlier.get(each.horizon_days)) for each in now.windows)
    return [bar(window) for pair in pairs for window in pair if window is not None]


def _alerts(raised: Sequence[Alert]) -> list[tuple[str, str, str]]:
    return [
        (headline(told_facts(alert)), day_words(alert.raised_at.date()), alert.state) for alert in raised[:_MOST_ALERTS]
    ]


def _next_releases(projection: ReserveProjection, today: date) -> list[tuple[str, str]]:
    """The next days on which holds end, with what is released then."""
    coming = [each for each in projection.calendar if each.on is not None and each.on >= today]
    return [
        (day_words(each.on, long=True), told(money(each.amount, projection.currency)))
        for each in sorted(coming, key=lambda each: each.on or today)[:_MOST_RELEASES]
        if each.on is not None
    ]


WRITERS: dict[str, Callable[[World, Payload, Addressee], Awaitable[Mail | None]]] = {"weekly_summary": _weekly_summary}
