"""Asking Stripe how objects stand now: one request an object, or, in a storm, one list for many of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from payflux.kit.clock import Clock
from payflux.monitor.processors.events import PaymentEvent
from payflux.monitor.processors.live.models import EventState
from payflux.monitor.processors.live.subjects import ObjectKey
from payflux.monitor.processors.reading import first_of
from payflux.monitor.processors.resources import OBJECTS, PAGE_SIZE, RESOURCES, PageOfEvents
from payflux.world.stripe import PermissionMissing, ProcessorUnavailable, RequestRefused, StripeReader

STORM = 10
"""So many objects of one type, created one after another, are read by their list."""

_LISTS = {
    "charge": "charges",
    "refund": "refunds",
    "dispute": "disputes",
    "radar.early_fraud_warning": "early_fraud_warnings",
    "payout": "payouts",
}
_AT_ONCE = 8  # requests
_PATIENCE = 3  # objects that Stripe may fail to give before no more is asked

Readings = list[tuple[PaymentEvent, datetime]]
"""Events, each with the instant it was asked for."""


class Unread(NamedTuple):
    """Why an object could not be read, and what becomes of the events that name it: waiting is worth asking again."""

    reason: str
    state: EventState


class Reread(NamedTuple):
    """What came back, and what did not."""

    readings: Readings
    unread: Mapping[ObjectKey, Unread]


async def reread(reader: StripeReader, clock: Clock, objects: Mapping[ObjectKey, int]) -> Reread:
    """Read each of `objects`, given by type and id with the instant it was created, in unix seconds, 0 for unknown.

    Raises KeyRefused or Disconnected.
    """
    work = _Rereading(reader, clock)
    try:
        async with asyncio.TaskGroup() as tasks:
            for kind, created in _storms(objects).items():
                tasks.create_task(work.by_list(kind, created))
        async with asyncio.TaskGroup() as tasks:
            for key in objects.keys() - work.seen:
                tasks.create_task(work.by_id(key))
    except ExceptionGroup as failures:
        raise first_of(failures) from None
    return Reread(work.readings, work.unread)


async def read_lists(
    reader: StripeReader, clock: Clock, stretches: Mapping[str, datetime], until: datetime
) -> Readings:
    """Everything of some resources, by their names in `RESOURCES`, that was created from the given instant to `until`,
    both included. What the key may not read is left out.

    Raises KeyRefused, Disconnected, RequestRefused or ProcessorUnavailable.
    """
    work = _Rereading(reader, clock)
    try:
        async with asyncio.TaskGroup() as tasks:
            for name, since in stretches.items():
                for kind in RESOURCES[name].types:
                    tasks.create_task(work.whole_list(name, int(since.timestamp()), int(until.timestamp()), kind))
    except ExceptionGroup as failures:
        raise first_of(failures) from None
    return work.readings


def _storms(objects: Mapping[ObjectKey, int]) -> dict[str, dict[str, int]]:
    """By type, the objects that are better read by their list: each id with the instant it was created."""
    by_type: dict[str, dict[str, int]] = {}
    for (kind, object_id), created in objects.items():
        if created and kind in _LISTS:
            by_type.setdefault(kind, {})[object_id] = created
    return {kind: created for kind, created in by_type.items() if len(created) >= STORM}


class _Rereading:
    def __init__(self, reader: StripeReader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._failed = 0
        self.readings: Readings = []
        self.seen: set[ObjectKey] = set()
        self.unread: dict[ObjectKey, Unread] = {}

    async def by_id(self, key: ObjectKey) -> None:
        kind, object_id = key
        single = OBJECTS[kind]
        async with self._room:
            if self._failed >= _PATIENCE:
                self.unread[key] = Unread("Stripe does not answer", EventState.WAITING)
                return
            read_at = self._clock.now()
            try:
                events = single.read(await self._reader.get(single.path(object_id), single.query(object_id)))
            except PermissionMissing:
                self.unread[key] = Unread("the key may not read this", EventState.IGNORED)
            except ProcessorUnavailable:
                self._failed += 1
                self.unread[key] = Unread("Stripe does not answer", EventState.WAITING)
            except RequestRefused as refused:
                gone = refused.status == HTTPStatus.NOT_FOUND
                self.unread[key] = Unread("Stripe does not have it" if gone else str(refused), EventState.FAILED)
            except (msgspec.DecodeError, ValueError) as error:
                self.unread[key] = Unread(f"Stripe's answer cannot be read: {error}", EventState.FAILED)
            else:
                self.readings += [(event, read_at) for event in events]

    async def by_list(self, kind: str, created: Mapping[str, int]) -> None:
        """Read the stretch in which so many objects were created, while its pages bring enough of them."""
        missing, pages = set(created), 1 + len(created) // STORM
        with suppress(PermissionMissing, ProcessorUnavailable, RequestRefused):  # then each is asked for by its id
            async for page in self._pages(_LISTS[kind], min(created.values()), max(created.values())):
                found = missing & {event.source_id for event in page.events}
                self.seen |= {(kind, object_id) for object_id in found}
                missing -= found
                pages -= 1
                if not missing or not pages:
                    return

    async def whole_list(self, name: str, since: int, until: int, kind: str) -> None:
        with suppress(PermissionMissing):
            async for _page in self._pages(name, since, until, kind):
                pass

    async def _pages(self, name: str, since: int, until: int, kind: str = "") -> AsyncGenerator[PageOfEvents, None]:
        resource, cursor = RESOURCES[name], ""
        query: dict[str, str | int | list[str]] = {"limit": PAGE_SIZE, "created[gte]": since, "created[lte]": until}
        query |= {"expand[]": list(resource.expand)} if resource.expand else {}
        query |= {"type": kind} if kind else {}
        while True:
            async with self._room:
                read_at = self._clock.now()
                page = resource.read(
                    await self._reader.get(resource.path, query | ({"starting_after": cursor} if cursor else {}))
                )
            self.readings += [(event, read_at) for event in page.events]
            yield page
            if not page.has_more:
                return
            cursor = page.last_id
