"""Where alerts are posted to: added with a first secret, disabled by who no longer wants them, and removed."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.kit.audit import record_change
from payflux.kit.errors import Conflict, InvalidInput, NotFound
from payflux.kit.ids import new_id
from payflux.kit.messages import gettext as _
from payflux.monitor.alerts.models import AlertChannel
from payflux.monitor.processors.generic.signatures import new_secret
from payflux.world.bootstrap import World
from payflux.world.notification_services import check_service_address
from payflux.world.notify import check_url

FEATURE_OF = {
    "webhook": "webhook_sinks",
    "slack": "alert_routing",
    "pagerduty": "alert_routing",
    "apprise": "alert_routing",
}
"""What the plan has to hold for each kind of channel."""

MOST_CHANNELS = 10
_LONGEST_NAME = 60
_ROUTING_KEY = re.compile(r"[0-9A-Za-z]{32}")
_SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")


class TooManyChannels(Conflict):
    code = "too_many_channels"


async def add_channel(
    session: AsyncSession,
    world: World,
    *,
    account_id: UUID,
    workspace_id: UUID,
    kind: str,
    name: str,
    address: str,
    actor_id: UUID,
) -> tuple[AlertChannel, str]:
    """A new channel, and the secret that signs what is posted to an endpoint of the customer's own; it is not shown
    again. Raises InvalidInput on `kind`, `name` or `address`, and TooManyChannels."""
    if kind not in FEATURE_OF:
        raise InvalidInput({"kind": f"Choose one of {', '.join(FEATURE_OF)}."})
    name, (checked, shown) = _name(name), _address(world, kind, address.strip())
    there = await channels_of(session, account_id=account_id, workspace_id=workspace_id)
    if len(there) >= MOST_CHANNELS:
        raise TooManyChannels(
            _("There are %(most)s channels already.") % {"most": MOST_CHANNELS},
            way_out=_("Remove one that is not used."),
        )
    channel_id, secret = new_id(), new_secret() if kind == "webhook" else ""
    channel = AlertChannel(
        account_id=account_id,
        id=channel_id,
        workspace_id=workspace_id,
        kind=kind,
        name=name,
        shown=shown,
        address=world.secrets.encrypt(checked, bound_to=f"alert_channels.address.{channel_id}"),
        secret=world.secrets.encrypt(secret, bound_to=f"alert_channels.secret.{channel_id}") if secret else None,
        created_by=actor_id,
        created_at=world.clock.now(),
    )
    session.add(channel)
    await session.flush()
    await _log(session, channel, "added", actor_id=actor_id, now=world.clock.now())
    return channel, secret


def address_of(world: World, channel: AlertChannel) -> str:
    """The URL, or the routing key, that `channel` is reached by."""
    return world.secrets.decrypt(channel.address, bound_to=f"alert_channels.address.{channel.id}")


def secret_of(world: World, channel: AlertChannel) -> str:
    """What signs deliveries to `channel`; empty for one that is not signed for."""
    if channel.secret is None:
        return ""
    return world.secrets.decrypt(channel.secret, bound_to=f"alert_channels.secret.{channel.id}")


async def channels_of(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[AlertChannel]:
    """The channels of a workspace by when they were added."""
    query = select(AlertChannel).where(AlertChannel.account_id == account_id, AlertChannel.workspace_id == workspace_id)
    return list((await session.execute(query.order_by(AlertChannel.created_at, AlertChannel.id))).scalars())


async def active_channels(session: AsyncSession, *, account_id: UUID, workspace_id: UUID) -> list[AlertChannel]:
    """Those of them that are posted to."""
    found = await channels_of(session, account_id=account_id, workspace_id=workspace_id)
    return [channel for channel in found if channel.disabled_at is None]


async def get_channel(session: AsyncSession, *, account_id: UUID, channel_id: UUID) -> AlertChannel:
    """One channel of the account. Raises NotFound."""
    found = await session.get(AlertChannel, (account_id, channel_id))
    if found is None or found.account_id != account_id:
        raise NotFound(_("There is no such channel."), way_out=_("Go to Settings, Alerts, and choose one there."))
    return found


async def disable(session: AsyncSession, channel: AlertChannel, *, because: str, now: datetime) -> None:
    """Post nothing more to `channel` until somebody switches it on again."""
    channel.disabled_at, channel.disabled_because = now, because
    await _log(session, channel, "disabled", actor_id=None, now=now)


async def enable(session: AsyncSession, channel: AlertChannel, *, actor_id: UUID, now: datetime) -> None:
    """Post to `channel` again."""
    if channel.disabled_at is not None:
        channel.disabled_at, channel.disabled_because = None, ""
        await _log(session, channel, "enabled", actor_id=actor_id, now=now)


async def remove(session: AsyncSession, channel: AlertChannel, *, actor_id: UUID, now: datetime) -> None:
    """Forget `channel` with its address and secret. What became of its deliveries stays in the alerts' history."""
    await _log(session, channel, "removed", actor_id=actor_id, now=now)
    await session.delete(channel)
    await session.flush()


async def _log(
    session: AsyncSession, channel: AlertChannel, change: str, *, actor_id: UUID | None, now: datetime
) -> None:
    await record_change(
        session,
        account_id=channel.account_id,
        actor_id=actor_id,
        action=f"alert_channel.{change}",
        subject=str(channel.id),
        at=now,
        after={"name": channel.name, "kind": channel.kind, "because": channel.disabled_because},
    )


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise InvalidInput(
            {"name": _("Name it in up to %(most)s letters, such as “Finance, Slack”.") % {"most": _LONGEST_NAME}}
        )
    return name


def _address(world: World, kind: str, address: str) -> tuple[str, str]:
    """An address as it is kept, and what of it a page may show: most let everybody post who knows them."""
    if kind == "pagerduty":
        if not _ROUTING_KEY.fullmatch(address):
            raise InvalidInput(
                {"address": _("An integration key of PagerDuty is 32 letters and digits (Events API v2).")}
            )
        return address, f"key ending in {address[-4:]}"
    if kind == "apprise":
        checked, service = check_service_address(world.settings, address, field="address")
        return checked, service.name
    url = httpx.URL(check_url(world.settings, address, field="address"))
    if kind == "webhook":
        return str(url), str(url.copy_with(query=None, fragment=None))[:300]
    if world.settings.environment == "production" and url.host not in _SLACK_HOSTS:
        begins = _("An incoming webhook of Slack begins with %(address)s.")
        raise InvalidInput({"address": begins % {"address": f"https://{_SLACK_HOSTS[0]}/"}})
    return str(url), f"{url.host}/…"
