"""A worker, in a process of its own, that kills itself (SIGKILL) at a given point of a step.

The point is `start` (before the step does anything), `inside` (in the middle of its transaction), `end` (its
transaction is committed, the job not yet marked as done), or a number N: at the N-th request to the processor.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime

import httpx

from payflux.activation import pipeline
from payflux.kit.clock import SystemClock
from payflux.kit.jobs import Payload
from payflux.settings import load_settings
from payflux.worker.main import JOBS, work
from payflux.world.bootstrap import World, build_world
from tests.forks import FORKS

running_step: ContextVar[str] = ContextVar("running_step", default="")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class KillingClock(SystemClock):
    """Every step asks for the time inside its transaction; this clock answers one of them with death."""

    def __init__(self, step: str) -> None:
        self._step = step

    def now(self) -> datetime:
        if running_step.get() == self._step:
            die()
        return super().now()


class KillingTransport(httpx.AsyncHTTPTransport):
    """Dies at the N-th request."""

    def __init__(self, requests: int) -> None:
        super().__init__()
        self._left = requests

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left <= 0:
            die()
        return await super().handle_async_request(request)


async def main(step: str, point: str) -> None:
    settings = load_settings()
    world = build_world(settings, database_url=settings.database_url)
    if point == "inside":
        world = replace(world, clock=KillingClock(step))
    elif point.isdigit():
        world = replace(world, http=httpx.AsyncClient(transport=KillingTransport(int(point))))

    def wrapped(name: str, original: pipeline.Step) -> pipeline.Step:
        async def run(world: World, payload: Payload) -> None:
            running_step.set(name)
            if name == step and point == "start":
                die()
            await original(world, payload)
            if name == step and point == "end":
                die()

        return run

    steps = {name: wrapped(name, original) for name, original in {**JOBS, **pipeline.STEPS}.items()}
    await work(world, steps=steps, drain=True)


def _begin(environment: dict[str, str], step: str, point: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    asyncio.run(main(step, point))


async def run_until_killed(environment: dict[str, str], step: str, point: str) -> None:
    """Run such a worker under `environment` until it has killed itself; another end, or none, is a failure."""
    worker = FORKS.Process(target=_begin, args=(environment, step, point))
    worker.start()
    await asyncio.to_thread(worker.join, 60)
    assert worker.exitcode == -signal.SIGKILL
