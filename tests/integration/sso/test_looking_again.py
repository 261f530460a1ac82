"""A proven domain is looked up again: one that is gone is told of, and given up after two weeks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg
from fastapi import FastAPI

from payflux.activation.domain_upkeep import look_domains_up
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso.connections import connection_for
from payflux.frontdoor.accounts.sso.rules import RECORD, record_value
from payflux.world.bootstrap import World
from payflux.world.dns import DnsUnavailable
from tests.conftest import MovedClock
from tests.integration.sso.conftest import DOMAIN, WrittenDns, browser_of, give_totp

DAY = timedelta(days=1)
HELD = {f"{RECORD}.{DOMAIN}": [record_value("c")]}


@dataclass
class SilentDns:
    asked: int = 0

    async def texts(self, name: str) -> list[str]:
        self.asked += 1
        raise DnsUnavailable(name)


async def test_a_domain_whose_record_is_gone_is_told_of_and_after_two_weeks_neither_enforces_nor_matches(
    set_up_world: World,
    app: FastAPI,
    dns: WrittenDns,
    clock: MovedClock,
    alice: SignedIn,
    bob: SignedIn,
    stored: asyncpg.Connection,
) -> None:
    world = set_up_world
    await stored.execute("UPDATE accounts SET sso_domains = ARRAY[$1]", DOMAIN)
    await stored.execute("UPDATE memberships SET role = 'admin' WHERE user_id = $1", bob.user_id)

    async def night(after: timedelta = DAY) -> None:
        clock.move(after)
        await look_domains_up(world)

    async def standing() -> tuple[int, datetime | None]:
        row = await stored.fetchrow("SELECT times_missing, checked_at FROM sso_domains")
        assert row is not None
        return row["times_missing"], row["checked_at"]

    async def mailed() -> list[str]:
        rows = await stored.fetch("SELECT mail FROM activation_mails ORDER BY enqueued_at, mail")
        return [row["mail"] for row in rows]

    dns.records |= HELD
    await night()
    assert await standing() == (0, None)  # not due for a week
    await night(6 * DAY)
    assert await standing() == (0, clock.now())
    silent = SilentDns()
    clock.move(7 * DAY)
    await look_domains_up(replace(world, dns=silent))
    assert (silent.asked, await standing()) == (1, (0, clock.now() - 7 * DAY))  # silence proves nothing

    dns.records.clear()
    await night()
    for _ in range(2):
        await night()
    assert (await standing(), await mailed()) == ((3, clock.now()), [])
    await night()
    assert await mailed() == ["domain_missing", "domain_missing"]  # the owner and an admin
    await night()
    assert len(await mailed()) == 2
    await give_totp(stored, alice)
    owner = await browser_of(world, app, alice, "password", "totp")
    assert "Its record was not found since" in (await owner.get("/account/sso")).text

    # back in time: nothing was lost
    dns.records |= HELD
    await night()
    assert await standing() == (0, clock.now())
    async with world.database.system() as session:
        assert await connection_for(session, email=f"dora@{DOMAIN}") is not None

    dns.records.clear()
    await night(8 * DAY)
    for _ in range(14):
        await night()
    assert (await mailed())[2:] == ["domain_missing", "domain_missing", "domain_lapsed", "domain_lapsed"]
    assert await stored.fetchval("SELECT sso_domains FROM accounts WHERE id = $1", alice.account_id) == []
    async with world.database.system() as session:
        assert await connection_for(session, email=f"dora@{DOMAIN}") is None
    actions = await stored.fetch("SELECT action FROM audit_entries WHERE action LIKE 'sso.domain%' ORDER BY sequence")
    assert [row["action"] for row in actions] == [
        "sso.domain_missing",
        "sso.domain_found_again",
        "sso.domain_missing",
        "sso.domain_lapsed",
    ]
    await night(8 * DAY)
    assert await stored.fetchval("SELECT count(*) FROM sso_domains WHERE checked_at = $1", clock.now()) == 0

    # proven anew, it is as before; what it enforced is for the owner to say again
    owner = await browser_of(world, app, alice, "password", "totp")
    assert "Its record was missing for 14 days" in (await owner.get("/account/sso")).text
    dns.records |= HELD
    assert (await owner.post("/account/sso/domains/prove", {"domain": DOMAIN})).status_code == 303
    async with world.database.system() as session:
        assert await connection_for(session, email=f"dora@{DOMAIN}") is not None
    assert await stored.fetchval("SELECT lapsed_at FROM sso_domains") is None
