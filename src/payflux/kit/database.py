"""Sessions on PostgreSQL: one unit of work is one transaction, and a tenant sees its own rows alone.

Two roles besides the owner: the app's role, bound by row-level security to the account of the transaction, and the
system role, for the few places that start without an account (sign-in, webhooks, sweeps), with its own policies.
Neither owns a table, is a superuser or bypasses row-level security; :func:`refuse_powerful_role` checks it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from payflux.kit.crypto import derive_key
from payflux.kit.errors import OperatorError

APP_ROLE = "payflux_app"
SYSTEM_ROLE = "payflux_system"

_OWN_ROLE = """
    SELECT rolname, rolsuper OR rolbypassrls, EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relowner = r.oid AND n.nspname = 'public'
    )
    FROM pg_roles r WHERE rolname = current_user
"""

_BECOME = text("SELECT set_config('app.current_account_id', :account_id, true)")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class DatabaseError(OperatorError):
    """The database cannot be used as configured; the message says why and what to do."""


@dataclass(frozen=True)
class DatabaseUrls:
    """One database as its three roles."""

    owner: str
    app: str
    system: str


def database_urls(owner: str, *, app: str, system: str, secret: str) -> DatabaseUrls:
    """The addresses of the three roles. Where the app's and the system role's are not given they are the owner's
    address with a password derived from `secret`; `payflux migrate` creates the roles with those passwords."""
    return DatabaseUrls(
        owner=owner,
        app=app or _as_role(owner, APP_ROLE, secret),
        system=system or _as_role(owner, SYSTEM_ROLE, secret),
    )


def role_password(secret: str, role: str) -> str:
    return derive_key(secret, f"database role {role}").hex()


def _as_role(url: str, role: str, secret: str) -> str:
    return make_url(url).set(username=role, password=role_password(secret, role)).render_as_string(hide_password=False)


def asyncpg_address(url: str) -> str:
    """`url` as asyncpg itself takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# a plan that was made while a table was empty reads it row by row when it no longer is
_PLANNED_ANEW = {"plan_cache_mode": "force_custom_plan"}


def create_engine(url: str, *, pool_size: int = 5) -> AsyncEngine:
    # asyncpg reads the address itself, so that sslmode and the like mean here what they mean everywhere
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(asyncpg_address(url), server_settings=_PLANNED_ANEW),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
    )


class Database:
    """The connections of the app's two roles. This is the only place that commits."""

    def __init__(self, urls: DatabaseUrls, *, pool_size: int = 5) -> None:
        self.urls = urls
        self._app = create_engine(urls.app, pool_size=pool_size)
        self._system = create_engine(urls.system, pool_size=pool_size)
        self._streams = create_engine(urls.app, pool_size=pool_size)
        self._askers = _Askers(urls.system, size=pool_size)

    @asynccontextmanager
    async def tenant(self, account_id: UUID) -> AsyncGenerator[AsyncSession, None]:
        """One transaction that sees and writes the rows of `account_id` alone; committed unless an error leaves it."""
        async with self._become(self._app, account_id) as session:
            yield session

    @asynccontextmanager
    async def stream(self, account_id: UUID) -> AsyncGenerator[AsyncSession, None]:
        """The same for as long as somebody reads what is sent meanwhile: on connections of its own, so that readers who
        dawdle keep nobody else waiting."""
        async with self._become(self._streams, account_id) as session:
            yield session

    @asynccontextmanager
    async def _become(self, engine: AsyncEngine, account_id: UUID) -> AsyncGenerator[AsyncSession, None]:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            await session.execute(_BECOME, {"account_id": str(account_id)})
            yield session

    @asynccontextmanager
    async def system(self) -> AsyncGenerator[AsyncSession, None]:
        """One transaction without an account, for sign-in, webhooks and sweeps."""
        async with AsyncSession(self._system, expire_on_commit=False) as session, session.begin():
            await session.execute(text("SELECT 1"))
            yield session

    async def ask(self, statement: str, *values: object) -> asyncpg.Record | None:
        """The first row of one statement of the system role's that is its own transaction: what every call of a program
        waits for, without what a unit of work costs."""
        return await self._askers.ask(statement, *values)

    async def check(self) -> None:
        """Raises DatabaseError unless both roles connect and neither has more power than it should."""
        for engine in (self._app, self._system):
            try:
                async with engine.connect() as connection:
                    role, powerful, owner = (await connection.execute(text(_OWN_ROLE))).one()
            except (OSError, asyncpg.PostgresError, SQLAlchemyError) as error:
                raise DatabaseError(
                    f"DATABASE_URL: the database does not answer ({type(error).__name__}). "
                    "Check the address, then run `payflux migrate`."
                ) from None
            refuse_powerful_role(role, powerful=powerful, owner=owner)

    async def close(self) -> None:
        await self._app.dispose()
        await self._system.dispose()
        await self._streams.dispose()
        await self._askers.close()


def refuse_powerful_role(role: str, *, powerful: bool, owner: bool) -> None:
    """Raises DatabaseError when `role` could step around row-level security."""
    if powerful or owner:
        raise DatabaseError(
            f"The database role {role} is a superuser, bypasses row-level security or owns tables, so nothing would "
            "keep accounts apart. Unset PAYFLUX_APP_DATABASE_URL and PAYFLUX_SYSTEM_DATABASE_URL to let "
            "`payflux migrate` create the right roles, or point them at roles without these powers."
        )


class _Askers:
    """Up to `size` connections to `url` for single statements, which leave nothing behind that would have to be reset:
    the driver's own pool takes as long as the statement."""

    def __init__(self, url: str, *, size: int) -> None:
        self._url = url
        self._free = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []

    async def ask(self, statement: str, *values: object) -> asyncpg.Record | None:
        async with self._free:
            asker = await self._take()
            try:
                found = await asker.fetchrow(statement, *values)
            except asyncpg.PostgresError:  # the statement failed, and not the connection
                self._idle.append(asker)
                raise
            except BaseException:  # cut off on the way: what it would answer next is unknown
                asker.terminate()
                raise
            self._idle.append(asker)
            return found

    async def _take(self) -> asyncpg.Connection:
        while self._idle:
            asker = self._idle.pop()
            if not asker.is_closed():
                return asker
        return await asyncpg.connect(asyncpg_address(self._url))

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


_AWAY = (
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
)


def is_away(error: Exception) -> bool:
    """Whether `error` says that the database cannot be reached now, or was lost on the way: nothing was written."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(getattr(error.orig, "__cause__", None), _AWAY)
    return isinstance(error, _AWAY)


@asynccontextmanager
async def in_account(session: AsyncSession, account_id: UUID) -> AsyncGenerator[None, None]:
    """What is done inside is done on the rows of `account_id`, in the same transaction: of two accounts that belong
    together, one after the other. What the database checks at the end of a transaction it checks before the account
    changes back, while it still sees those rows."""
    await session.flush()
    current = (await session.execute(text("SELECT current_setting('app.current_account_id', true)"))).scalar_one()
    await session.execute(_BECOME, {"account_id": str(account_id)})
    try:
        yield
        await session.flush()
        await session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        await session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    finally:
        with suppress(DBAPIError):  # a transaction that failed is over, and with it the account
            await session.execute(_BECOME, {"account_id": current or ""})


async def driver_connection(session: AsyncSession) -> asyncpg.Connection:
    """The asyncpg connection of `session`'s transaction, for COPY and for jobs enqueued in it."""
    raw = await (await session.connection()).get_raw_connection()
    connection = raw.driver_connection
    assert isinstance(connection, asyncpg.Connection)
    return connection
