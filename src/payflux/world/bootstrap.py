"""Builds the world from settings. Tests call it with stand-ins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext

import httpx

from payflux.kit.account_cache import AccountCache
from payflux.kit.clock import Clock, StoppedClock, SystemClock
from payflux.kit.crypto import SecretBox, TokenHasher
from payflux.kit.database import Database, database_urls
from payflux.kit.limits import RateLimit
from payflux.kit.metrics import Metrics
from payflux.settings import Settings
from payflux.world.dns import Dns, DnsOverHttps
from payflux.world.oidc import ProviderDocuments
from payflux.world.signer import SealingSigner, Signer

DELIVERIES_A_SECOND, DELIVERIES_AT_ONCE = 20.0, 200
"""Of one connection, each of up to hundreds of events."""
SCANS_A_SECOND, SCANS_AT_ONCE = 1 / 600, 5
"""Of one stranger's network, and of one website."""
CALLS_A_SECOND, CALLS_AT_ONCE = 20.0, 200
"""Of one key or API client."""
REPORTS_A_SECOND, REPORTS_AT_ONCE = 0.2, 20
"""Of leaked keys, from one address."""


@dataclass(frozen=True)
class World:
    """What a verb may reach: configuration, time, the database, stored secrets and the network. `deliveries` limits
    how often each connection is posted to, `calls` how often each program calls, `leak_reports` how often an address
    tells of leaked keys."""

    settings: Settings
    clock: Clock
    database: Database
    secrets: SecretBox
    tokens: TokenHasher
    signer: Signer
    http: httpx.AsyncClient
    dns: Dns
    provider_documents: ProviderDocuments = field(default_factory=ProviderDocuments)
    deliveries: RateLimit = field(default_factory=lambda: RateLimit(DELIVERIES_A_SECOND, DELIVERIES_AT_ONCE))
    calls: RateLimit = field(default_factory=lambda: RateLimit(CALLS_A_SECOND, CALLS_AT_ONCE))
    leak_reports: RateLimit = field(default_factory=lambda: RateLimit(REPORTS_A_SECOND, REPORTS_AT_ONCE))
    scans: RateLimit = field(default_factory=lambda: RateLimit(SCANS_A_SECOND, SCANS_AT_ONCE))
    account_cache: AccountCache = field(default_factory=AccountCache)
    metrics: Metrics = field(default_factory=Metrics)

    def as_of(self, instant: datetime) -> World:
        """The same world, in which it is this instant. It keeps nothing that it finds out for the others."""
        return replace(self, clock=StoppedClock(instant), account_cache=AccountCache())

    async def close(self) -> None:
        await self.http.aclose()
        await self.database.close()


def build_world(
    settings: Settings,
    *,
    database_url: str,
    clock: Clock | None = None,
    http: httpx.AsyncClient | None = None,
    database: Database | None = None,
) -> World:
    """The real world, unless a stand-in is given. `database_url` is the owner's address; `database`, where somebody has
    opened it already, is that database."""
    secret = settings.secret_key.get_secret_value()
    secrets = SecretBox(secret)
    if database is None:
        roles = {"app": settings.app_database_url, "system": settings.system_database_url}
        database = Database(database_urls(database_url, **roles, secret=secret))
    if http is None:
        patience = httpx.Timeout(20.0, connect=5.0)
        http = httpx.AsyncClient(timeout=patience, verify=_trusted(), cookies=_no_cookies())
    return World(
        settings=settings,
        clock=clock or SystemClock(),
        database=database,
        secrets=secrets,
        tokens=TokenHasher(secret, settings.previous_secret_key.get_secret_value()),
        signer=SealingSigner(secrets),
        http=http,
        dns=DnsOverHttps(http, settings.dns_resolver),
    )


def _no_cookies() -> CookieJar:
    """Nobody that we ask has to know us again, and what strangers' sites would have us keep is not kept."""
    return CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))


@cache
def _trusted() -> SSLContext:
    """The certificate authorities, which take 25 ms to read."""
    return httpx.create_ssl_context()
