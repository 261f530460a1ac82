"""Pull 100,000 charges with workers that are killed at 20 random points, then 50 activations: `make soak`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

from payflux.world.bootstrap import build_world
from tests.bench.database import SECRET, bench_settings, migrated, postgresql
from tests.sandbox_server import running_sandbox
from tests.soak.activations import activations_under_fire, mail_server, sandboxed
from tests.soak.kills import pull_under_fire

CHARGES, KILLS, ACTIVATIONS = 100_000, 20, 50


async def soak(seed: int) -> bool:
    """Run it on a database of its own and say what came of it; whether both pulls left the same."""
    with postgresql() as server, TemporaryDirectory() as folder:
        settings = bench_settings(Path(folder))
        urls = await migrated(server, settings, "soak")
        world = build_world(settings, database_url=urls.owner)
        try:
            outcome = await pull_under_fire(world, urls.owner, SECRET, charges=CHARGES, kills=KILLS, seed=seed)
        finally:
            await world.close()
    same = outcome.killed == outcome.peaceful and outcome.killed["charges"] == CHARGES
    print(f"{CHARGES:,} charges, {KILLS} kills, seed {seed}, {outcome.seconds:.0f} s")
    print(f"objects stored at each death: {', '.join(f'{stored:,}' for stored in outcome.deaths)}")
    for name, peaceful in outcome.peaceful.items():
        print(f"  {name:<12} in peace {peaceful}, under fire {outcome.killed[name]}")
    print("nothing lost, nothing twice" if same else "THE TWO PULLS DIFFER")
    return same


async def soak_activations(seed: int) -> bool:
    """Kill a worker once in each of many activations, and say what came of it."""
    with postgresql() as server, TemporaryDirectory() as folder, running_sandbox() as base, mail_server() as mailbox:
        settings = bench_settings(Path(folder), **sandboxed(base), **mailbox.settings)
        urls = await migrated(server, settings, "activations")
        world = build_world(settings, database_url=urls.owner)
        try:
            deviations = await activations_under_fire(
                world, urls.owner, SECRET, mailbox, activations=ACTIVATIONS, seed=seed
            )
        finally:
            await world.close()
    print(f"{ACTIVATIONS} activations, each killed once, seed {seed}: {len(deviations)} deviations")
    print("\n".join(deviations))
    return not deviations


async def soak_all(seed: int) -> bool:
    return await soak(seed) and await soak_activations(seed)


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time_ns() % 10**6
    sys.exit(0 if asyncio.run(soak_all(seed)) else 1)
