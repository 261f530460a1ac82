"""A database that this version can work with."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from payflux.frontdoor.catalogue.publishing import seed_catalogue
from payflux.kit.clock import SystemClock
from payflux.kit.database import DatabaseUrls, create_engine
from payflux.kit.migrate import migrate


async def prepare_database(urls: DatabaseUrls) -> int:
    """Migrate, then write the catalogue; returns the number of plans."""
    await migrate(urls, script_location="payflux:migrations")
    engine = create_engine(urls.owner)
    try:
        async with AsyncSession(engine) as session, session.begin():
            return await seed_catalogue(session, now=SystemClock().now())
    finally:
        await engine.dispose()
