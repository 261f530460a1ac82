"""`payflux work`: a worker."""

from __future__ import annotations

import asyncio

from payflux.cli.configured import configured
from payflux.cli.databases import owner_database
from payflux.cli.processes import end_with_supervisor
from payflux.worker.main import work_until_stopped
from payflux.world.bootstrap import build_world


def work() -> None:
    """Start one worker alone. Start more for more work at once, on as many machines as you like."""
    end_with_supervisor()
    with configured("worker") as settings, owner_database(settings) as owner_url:
        asyncio.run(work_until_stopped(build_world(settings, database_url=owner_url)))
