"""The ledger: artifacts recorded and signed on PostgreSQL, and an export of them verified, against the signatures
alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from payflux.activation.service import create_workspace
from payflux.frontdoor.accounts.registering import register
from payflux.kit.ids import new_id
from payflux.monitor.ledger.artifacts import Draft, Kind
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.exporting import export_ledger
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.ledger.verifying import verify_export
from payflux.world.bootstrap import World, build_world
from tests.bench.database import bench_settings, migrated, postgresql
from tests.bench.measuring import Row

BATCH = 500
MESSAGE = bytes(500)  # about as long as what is signed of an artifact


def recorded_and_verified(batches: int = 40, verified: int = 100_000) -> list[Row]:
    """`batches` recorded one after the other; then as many artifacts as `verified` says exported and checked, each with
    its signature, hashes, chain and proof."""
    with postgresql() as server, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder))

        async def measured() -> list[Row]:
            urls = await migrated(server, settings)
            world = build_world(settings, database_url=urls.owner)
            try:
                return await _measured(world, Path(folder) / "ledger.jsonl", batches, verified)
            finally:
                await world.close()

        return asyncio.run(measured())


async def _measured(world: World, file: Path, batches: int, verified: int) -> list[Row]:
    account_id, workspace_id = await _workspace(world)
    taken = []
    for number in range(max(batches, -(-verified // BATCH))):
        begun = time.perf_counter()
        async with world.database.tenant(account_id) as session:
            await record_artifacts(
                world, session, account_id=account_id, workspace_id=workspace_id, drafts=_drafts(number)
            )
        taken.append(time.perf_counter() - begun)
    await sign_tree(world)
    with file.open("wb") as out:
        async with world.database.tenant(account_id) as session:
            async for piece in export_ledger(
                world, session, account_id=account_id, workspace_id=workspace_id, last=verified
            ):
                out.write(piece)
    ours, theirs = _in_turn(file, verified)
    return [
        Row(f"{BATCH} artifacts recorded and signed", "5,000 a second", median(taken), BATCH / 5_000, 1.0),
        Row(f"export of {verified:,} artifacts verified", "their Ed25519 signatures alone", ours, theirs, 2.0),
    ]


def _in_turn(file: Path, count: int, parts: int = 10) -> tuple[float, float]:
    """Seconds of checking the file, and of as many bare signatures: a tenth of the one, then a tenth of the other, so
    that what else the machine does hits both."""
    private = Ed25519PrivateKey.generate()
    signature, verifier = private.sign(MESSAGE), private.public_key()
    theirs = 0.0

    def lines() -> Iterator[bytes]:
        nonlocal theirs
        with file.open("rb") as opened:
            for number, line in enumerate(opened):
                yield line
                if number and number % (count // parts) == 0:
                    begun = time.perf_counter()
                    for _ in range(count // parts):
                        verifier.verify(signature, MESSAGE)
                    theirs += time.perf_counter() - begun

    begun = time.perf_counter()
    found = verify_export(lines())
    ours = time.perf_counter() - begun - theirs
    if found.artifacts != count or found.proven_sequence != count:
        raise AssertionError(f"{found.artifacts} artifacts hold, {found.proven_sequence} of them proven")
    return ours, theirs


def _drafts(number: int) -> list[Draft]:
    """Artifacts of the size and shape of a projection's."""
    return [
        Draft(
            kind=Kind.PROJECTION,
            body={
                "as_of": "2026-03-01T06:00:00+00:00",
                "currency": "usd",
                "risk": {"tier": 3, "band": "elevated", "stability_score": 61, "trend": "STABLE"},
                "scenario": {"name": "rolling reserve", "rate": 0.1, "hold_days": 90, "kind": "rolling"},
                "windows": [
                    {
                        "horizon_days": days,
                        "trapped": days * 41_113 + number,
                        "low": days * 30_000,
                        "high": days * 52_000,
                    }
                    for days in (30, 60, 90)
                ],
                "reason": f"reading {number}.{each}",
            },
            model_version="7",
            inputs_hash="ab" * 32,
        )
        for each in range(BATCH)
    ]


async def _workspace(world: World) -> tuple[UUID, UUID]:
    now = world.clock.now()
    async with world.database.system() as session:
        _, account = await register(
            session, name="Bench", email=f"{new_id()}@bench.example", password="quiet harbour lantern", now=now
        )
        workspace = await create_workspace(session, account_id=account.id, name="Bench", now=now)
    return account.id, workspace.id
