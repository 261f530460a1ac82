"""`payflux serve`: the web server."""

from __future__ import annotations

import asyncio

import uvicorn

from payflux.app import create_app
from payflux.cli.configured import configured
from payflux.cli.databases import check_database, owner_database, urls_of
from payflux.cli.processes import end_with_supervisor
from payflux.world.bootstrap import build_world


def serve() -> None:
    """Start the web server alone."""
    end_with_supervisor()
    with configured("web") as settings, owner_database(settings) as owner_url:
        asyncio.run(check_database(urls_of(settings, owner_url)))
        uvicorn.run(
            create_app(build_world(settings, database_url=owner_url)),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
