"""Sends webhooks: queued when an event is stored, posted in the background, tried again until they are taken.

Stripe tries for up to three days, ever more rarely: a delivery is tried again when it is twice as old. That is counted
on the sandbox's clock, which may stand still or jump; so that a receiver that was restarted need not wait for it, the
first tries again come within real seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain

import httpx

from payflux.sandbox import feed
from payflux.sandbox.deliveries.destinations import (
    Destination,
    destination_of,
    hear_through,
    heard_through,
    hearing,
    listened,
)
from payflux.sandbox.deliveries.payloads import body_of
from payflux.sandbox.deliveries.posting import post
from payflux.sandbox.deliveries.records import Attempt, Delivery, deliveries, delivery_of, save
from payflux.sandbox.deliveries.signing import signature
from payflux.sandbox.events import delivered, tell
from payflux.sandbox.faults.webhooks import course_of
from payflux.sandbox.state import SandboxState
from payflux.sandbox.store import Json
from payflux.sandbox.work import new_id

QUICK = (1, 2, 4, 8, 15, 30, 60, 60, 60)
"""Real seconds until the first tries again."""
SOONEST, LATEST = 300, 12 * 3600
"""Seconds of the sandbox's time between two tries."""
GIVE_UP = 3 * 86_400
HELD = 1.0
"""Real seconds for which deliveries wait for others to be shuffled with."""
AT_ONCE = 6
"""Deliveries that an endpoint gets side by side."""
BACKLOG = 2_000
"""Deliveries that wait while no further events are taken from the merchants' books."""


@dataclass
class Line:
    """The deliveries that wait for one endpoint, in their order, and how many are on their way. `held` are those that a
    fault keeps to shuffle them, by the place each will have."""

    ready: deque[str] = field(default_factory=deque)
    running: int = 0
    held: list[tuple[float, str]] = field(default_factory=list)
    held_since: float = 0

    def release(self) -> None:
        self.ready.extend(delivery_id for _, delivery_id in sorted(self.held))
        self.held.clear()


@dataclass(frozen=True)
class Waiting:
    """A delivery that is tried again when either clock reaches its time."""

    owner: str
    endpoint: str
    real: float  # seconds of the machine's monotonic clock
    at: int  # unix seconds of the sandbox


class Dispatcher:
    """`clock` counts real seconds; `transport` is what carries the posts, by default the network."""

    def __init__(
        self,
        state: SandboxState,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._state, self._store, self._clock = state, state.store, clock
        # a client would follow redirects and keep cookies: a webhook does neither
        self._transport = transport or httpx.AsyncHTTPTransport(trust_env=False)
        self._lines: dict[tuple[str, str], Line] = {}
        self._waiting: dict[str, Waiting] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        state.listeners.append(self.hear)

    async def start(self) -> None:
        """Begin to send, with what an earlier run has left."""
        self._loop = asyncio.get_running_loop()
        left = deliveries(self._store, status="pending")
        for delivery in reversed(left):
            self._line(delivery.owner, delivery.endpoint).ready.append(delivery.id)
        self._advance()

    async def stop(self) -> None:
        """End; what is on its way stays pending."""
        self._loop = None
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._transport.aclose()

    def hear(self, account_id: str, event: Json) -> None:
        """Queue an event for each endpoint that hears of it."""
        told = hearing(self._state, account_id, event)
        if not told:
            return
        with self._store.transaction():
            tell(self._state, account_id, event, len(told))
            for destination in told:
                self._queue(destination, account_id, event)
        self._wake()

    def look(self) -> None:
        """Take what time has brought: events of the books, and deliveries to be tried again."""
        self._listen()
        real, now = self._clock(), self._now()
        for line in self._lines.values():
            if line.held and real - line.held_since >= HELD:
                line.release()
        for delivery_id, waiting in list(self._waiting.items()):
            if waiting.real <= real or waiting.at <= now:
                del self._waiting[delivery_id]
                self._line(waiting.owner, waiting.endpoint).ready.append(delivery_id)
        self._wake()

    def again(self, delivery: Delivery) -> None:
        """Send a delivery once more, whatever became of it."""
        if delivery.status != "delivered":
            delivery.status = "pending"
            save(self._store, delivery)
        self._waiting.pop(delivery.id, None)
        self._line(delivery.owner, delivery.endpoint).ready.append(delivery.id)
        self._wake()

    def _queue(self, destination: Destination, account_id: str, event: Json) -> None:
        course = course_of(self._state, event["type"], account_id, destination.id)
        line = self._line(destination.owner, destination.id)
        for copy in range(course.copies):
            delivery = Delivery(
                new_id("dlv"),
                destination.owner,
                destination.id,
                account_id,
                event["id"],
                event["type"],
                self._now(),
                "lost" if course.lost else "pending",
                repeated=copy > 0,
            )
            save(self._store, delivery)
            if course.lost:
                continue
            if course.delay:
                due = self._clock() + course.delay, self._now() + int(course.delay)
                self._waiting[delivery.id] = Waiting(destination.owner, destination.id, *due)
            elif course.window:
                line.held_since = line.held_since if line.held else self._clock()
                line.held.append((course.rank + copy, delivery.id))
                if len(line.held) >= course.window:
                    line.release()
            else:
                line.ready.append(delivery.id)

    def _listen(self) -> None:
        """Queue the events of the books since the last look, of the accounts that somebody listens to."""
        now, heard = self._now(), listened(self._state)
        for account_id in heard:
            mark = heard_through(self._store, account_id)
            if mark is None:
                hear_through(self._store, account_id, now)
                continue
            while mark < now and self._backlog() < BACKLOG:
                until = min(now, mark + 86_400)
                with self._store.transaction():
                    for event in feed.between(self._state, account_id, mark, until):
                        self.hear(account_id, event)
                    hear_through(self._store, account_id, until)
                mark = until
        for account_id in self._state.archetypes.keys() - heard:
            if heard_through(self._store, account_id) is not None:
                hear_through(self._store, account_id, None)

    def _backlog(self) -> int:
        return sum(len(line.ready) for line in self._lines.values())

    def _line(self, owner: str, endpoint: str) -> Line:
        return self._lines.setdefault((owner, endpoint), Line())

    def _now(self) -> int:
        return int(self._state.now().timestamp())

    def _wake(self) -> None:
        # events are also stored by other threads, such as a test's
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._advance)

    def _advance(self) -> None:
        for (owner, _), line in list(self._lines.items()):
            while self._loop is not None and line.ready and line.running < AT_ONCE:
                line.running += 1
                task = self._loop.create_task(self._send(owner, line.ready.popleft(), line))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _send(self, owner: str, delivery_id: str, line: Line) -> None:
        try:
            delivery = delivery_of(self._store, owner, delivery_id)
            if delivery is not None:
                await self._try(delivery)
        finally:
            line.running -= 1
            self._advance()

    async def _try(self, delivery: Delivery) -> None:
        destination = destination_of(self._store, delivery.owner, delivery.endpoint)
        endpoint = self._store.get(delivery.owner, delivery.endpoint)
        body = body_of(self._state, destination, delivery.account, delivery.event) if destination else None
        if destination is None or endpoint is None or endpoint["status"] != "enabled" or body is None:
            if delivery.status == "pending":
                delivery.status = "canceled"
                save(self._store, delivery)
            return
        signed = signature(body, destination.active(self._now()), int(self._state.machine_now().timestamp()))
        begun = self._clock()
        status, text = await post(self._transport, endpoint["url"], body, signed)
        took = round((self._clock() - begun) * 1000)
        with self._store.transaction():
            self._record(delivery.id, delivery.owner, Attempt(self._now(), status, took, text))

    def _record(self, delivery_id: str, owner: str, attempt: Attempt) -> None:
        delivery = delivery_of(self._store, owner, delivery_id)  # as it is now: it may have been sent again meanwhile
        if delivery is None:
            return
        delivery.attempts.append(attempt)
        taken = attempt.status is not None and 200 <= attempt.status < 300
        if taken and delivery.status != "delivered":
            delivery.status = "delivered"
            if not delivery.repeated:
                delivered(self._state, delivery.account, delivery.event)
        elif not taken and delivery.status == "pending":
            age = self._now() - delivery.created
            if age >= GIVE_UP:
                delivery.status = "failed"
            else:
                self._wait(delivery, age)
        save(self._store, delivery)

    def _wait(self, delivery: Delivery, age: int) -> None:
        real = next(chain(QUICK[len(delivery.attempts) - 1 :], [float("inf")]))
        at = self._now() + min(max(age, SOONEST), LATEST)
        self._waiting[delivery.id] = Waiting(delivery.owner, delivery.endpoint, self._clock() + real, at)
