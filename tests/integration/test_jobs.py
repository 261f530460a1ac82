"""Jobs live and die with the transaction that enqueues them, and with the worker that runs them."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from payflux.kit.database import asyncpg_address
from payflux.kit.jobs import MAX_ATTEMPTS, Payload, Permanent, enqueue, run_jobs
from payflux.world.bootstrap import World


class Recorder:
    """A handler that notes what it was given, and fails as often as it is told to."""

    def __init__(self, failures: int = 0, error: type[Exception] = RuntimeError) -> None:
        self.runs: list[Payload] = []
        self.given_up: list[tuple[str, Payload, Exception]] = []
        self._failures, self._error = failures, error

    async def __call__(self, payload: Payload) -> None:
        self.runs.append(payload)
        if len(self.runs) <= self._failures:
            raise self._error("broken on purpose")

    async def give_up(self, name: str, payload: Payload, error: Exception) -> None:
        self.given_up.append((name, payload, error))


async def drain(world: World, recorder: Recorder) -> None:
    connection = await asyncpg.connect(asyncpg_address(world.database.urls.system))
    try:
        async with asyncio.timeout(30):
            await run_jobs(connection, {"note": recorder}, timers={}, on_failure=recorder.give_up, drain=True)
    finally:
        await connection.close()


async def hurry_retries(world: World) -> None:
    """Bring the waiting retries forward, as if their time had come."""
    connection = await asyncpg.connect(asyncpg_address(world.database.urls.system))
    await connection.execute("UPDATE pgqueuer SET execute_after = now() - interval '1 second' WHERE status = 'queued'")
    await connection.close()


async def test_a_job_runs_once_with_its_payload(world: World) -> None:
    async with world.database.tenant(uuid4()) as session:
        await enqueue(session, "note", {"number": "1"})
    recorder = Recorder()
    await drain(world, recorder)
    await drain(world, recorder)
    assert recorder.runs == [{"number": "1"}]


async def test_a_job_of_a_transaction_that_fails_never_was(world: World) -> None:
    async def fail() -> None:
        async with world.database.tenant(uuid4()) as session:
            await enqueue(session, "note", {"number": "1"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    recorder = Recorder()
    await drain(world, recorder)
    assert recorder.runs == []


async def test_the_same_job_is_not_added_twice_while_it_waits(world: World) -> None:
    for _ in range(3):
        async with world.database.tenant(uuid4()) as session:
            await enqueue(session, "note", {"number": "1"}, dedupe_key="note:1")
    recorder = Recorder()
    await drain(world, recorder)
    assert recorder.runs == [{"number": "1"}]


async def test_a_job_that_fails_is_tried_again_and_then_given_up(world: World) -> None:
    async with world.database.tenant(uuid4()) as session:
        await enqueue(session, "note", {"number": "1"})
    recorder = Recorder(failures=99)
    for _ in range(MAX_ATTEMPTS + 1):
        task = asyncio.create_task(drain(world, recorder))
        while not task.done():
            await hurry_retries(world)
            await asyncio.sleep(0.02)
        await task
    assert len(recorder.runs) == MAX_ATTEMPTS + 1
    [(name, payload, error)] = recorder.given_up
    assert (name, payload, str(error)) == ("note", {"number": "1"}, "broken on purpose")


async def test_a_job_that_no_retry_mends_is_given_up_at_once(world: World) -> None:
    async with world.database.tenant(uuid4()) as session:
        await enqueue(session, "note", {"number": "1"})
    recorder = Recorder(failures=99, error=Permanent)
    await drain(world, recorder)
    assert len(recorder.runs) == len(recorder.given_up) == 1


async def test_a_timer_fires_by_itself(world: World) -> None:
    shutdown = asyncio.Event()

    async def tick() -> None:
        shutdown.set()

    connection = await asyncpg.connect(asyncpg_address(world.database.urls.system))
    try:
        async with asyncio.timeout(30):
            await run_jobs(
                connection,
                {},
                timers={"tick": ("* * * * * *", tick)},  # the sixth field is the second
                on_failure=Recorder().give_up,
                shutdown=shutdown,
            )
    finally:
        await connection.close()
    assert shutdown.is_set()
