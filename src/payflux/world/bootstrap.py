"""Builds the world from settings. Tests call it with stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from ssl import SSLContext

import httpx

from payflux.kit.account_cache import AccountCache
from payflux.kit.clock import Clock, StoppedClock, SystemClock
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.database import Database, database_urls
from payflux.kit.limits import RateLimit
from payflux.settings import Settings
from payflux.world.oidc import ProviderDocuments

DELIVERIES_A_SECOND, DELIVERIES_AT_ONCE = 20.0, 200
"""Of one connection, each of up to hundreds of events."""


@dataclass(frozen=True)
class World:
    """What a verb may reach: configuration, time, the database, stored secrets and the network. `deliveries` limits
    how often each connection is posted to."""

    settings: Settings
    clock: Clock
    database: Database
    secrets: SecretBox
    tokens: TokenHasher
    http: httpx.AsyncClient
    provider_documents: ProviderDocuments = field(default_factory=ProviderDocuments)
    deliveries: RateLimit = field(default_factory=lambda: RateLimit(DELIVERIES_A_SECOND, DELIVERIES_AT_ONCE))
    account_cache: AccountCache = field(default_factory=AccountCache)

    def as_of(self, instant: datetime) -> World:
        """The same world, in which it is this instant. It keeps nothing that it finds out for the others."""
        return replace(self, clock=StoppedClock(instant), account_cache=AccountCache())

    async def close(self) -> None:
        await self.http.aclose()
        await self.database.close()


def build_world(
    settings: Settings, *, database_url: str, clock: Clock | None = None, http: httpx.AsyncClient | None = None
) -> World:
    """The real world, unless a stand-in is given. `database_url` is the owner's address."""
    secret = settings.secret_key.get_secret_value()
    urls = database_urls(
        database_url, app=settings.app_database_url, system=settings.system_database_url, secret=secret
    )
    return World(
        settings=settings,
        clock=clock or SystemClock(),
        database=Database(urls),
        secrets=SecretBox(secret),
        tokens=TokenHasher(secret),
        http=http or httpx.AsyncClient(timeout=httpx.Timeout(20.0, connect=5.0), verify=_trusted()),
    )


@cache
def _trusted() -> SSLContext:
    """The certificate authorities, which take 25 ms to read."""
    return httpx.create_ssl_context()
