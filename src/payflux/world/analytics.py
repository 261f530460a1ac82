"""An analytics service that product events are passed on to, behind one small protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import httpx

from payflux.settings import Settings

TIMEOUT = 10.0
"""Seconds for one batch."""


class AnalyticsUnavailable(Exception):
    """The service did not take the events. They are kept, and offered again."""


@dataclass(frozen=True)
class AnalyticsEvent:
    """One event as the service gets it. `subject` is who did it, by an id that means nothing elsewhere; `is_person`
    is False for a visitor of a day and for an account as a whole, of which it keeps no profile."""

    id: UUID
    name: str
    subject: str
    is_person: bool
    account_id: UUID | None
    properties: Mapping[str, object]
    at: datetime


class Analytics(Protocol):
    async def send(self, events: Sequence[AnalyticsEvent]) -> None:
        """Pass `events` on; one with an id that the service has is not taken twice. Raises AnalyticsUnavailable."""
        ...


class PostHog:
    """PostHog's capture API. Source: posthog.com/docs/api/capture, `POST /batch/`; its `uuid` tells copies apart, and
    `$groups` puts an event to an account. Our own address is not to be taken for the visitor's place."""

    def __init__(self, http: httpx.AsyncClient, *, host: str, key: str) -> None:
        self._http, self._address, self._key = http, f"{host.rstrip('/')}/batch/", key

    async def send(self, events: Sequence[AnalyticsEvent]) -> None:
        body = {"api_key": self._key, "batch": [_message(event) for event in events]}
        try:
            answer = await self._http.post(self._address, json=body, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise AnalyticsUnavailable(type(error).__name__) from None
        if answer.status_code != httpx.codes.OK:
            raise AnalyticsUnavailable(f"HTTP {answer.status_code}")


def _message(event: AnalyticsEvent) -> dict[str, object]:
    properties = {**event.properties, "$lib": "payflux", "$geoip_disable": True}
    if not event.is_person:
        properties["$process_person_profile"] = False
    if event.account_id is not None:
        properties["$groups"] = {"account": str(event.account_id)}
    return {
        "type": "capture",
        "uuid": str(event.id),
        "event": event.name,
        "distinct_id": event.subject,
        "properties": properties,
        "timestamp": event.at.isoformat(),
    }


def analytics_of(settings: Settings, http: httpx.AsyncClient) -> Analytics | None:
    """The service that the settings name, None without one."""
    key = settings.posthog_key.get_secret_value()
    return PostHog(http, host=settings.posthog_host, key=key) if key else None
