"""Pull 100,000 charges with workers that are killed at 20 random points: `make soak`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time_ns

from payflux.world.bootstrap import build_world
from tests.bench.database import SECRET, bench_settings, migrated, postgresql
from tests.soak.kills import pull_under_fire

CHARGES, KILLS = 100_000, 20


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


if __name__ == "__main__":
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else time_ns() % 10**6
    sys.exit(0 if asyncio.run(soak(seed)) else 1)
