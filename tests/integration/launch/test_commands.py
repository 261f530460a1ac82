"""The launch from the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path

from payflux.activation.onboarding import open_account
from payflux.frontdoor.accounts.registering import create_user
from payflux.settings import Settings
from payflux.world.bootstrap import build_world
from tests.conftest import SECRET
from tests.integration.commands import Outcome, said_by


def admin(*arguments: str, owner_url: str, tmp_path: Path) -> Outcome:
    return said_by("admin", *arguments, data_dir=tmp_path, DATABASE_URL=owner_url, PAYFLUX_SECRET_KEY=SECRET)


def test_the_switch_says_what_it_did(owner_url: str, tmp_path: Path) -> None:
    def self_serve(*arguments: str) -> Outcome:
        return admin("self-serve", *arguments, owner_url=owner_url, tmp_path=tmp_path)

    assert "Everybody may register (by SELF_SERVE_ENABLED)" in self_serve("status").said
    assert "Only invited people and listed addresses may register (switched by command line" in self_serve("off").said
    assert self_serve("allow", "Alice@shop.example").code == 0
    refused = self_serve("disallow", "charlie@shop.example")
    assert (refused.code, "not on the list" in refused.said) == (1, True)
    assert "alice@shop.example, listed by command line" in self_serve("status").said
    assert "Enter an e-mail address" in self_serve("allow", "nobody").said
    assert "Everybody may register (by SELF_SERVE_ENABLED)" in self_serve("as-configured").said


def test_the_backfill_is_tried_first_and_done_once(owner_url: str, settings: Settings, tmp_path: Path) -> None:
    async def register() -> None:
        world = build_world(settings, database_url=owner_url)
        now = world.clock.now()
        async with world.database.system() as session:
            alice = await create_user(
                session, name="Alice", email="alice@shop.example", password_hash=None, verified_at=now, now=now
            )
            await open_account(session, world.tokens, alice, now)
        await world.close()

    asyncio.run(register())
    told = [
        admin("complimentary", *options, owner_url=owner_url, tmp_path=tmp_path)
        for options in (["--dry-run"], ["--before", "2020-01-01", "--yes"], ["--yes"], ["--yes"])
    ]
    assert "Become complimentary: 1 Nothing was changed." in told[0].said
    assert told[1].said.endswith("Nothing was changed.")
    assert "Complimentary now: 1." in told[2].said
    assert "Stay as they are, complimentary already: 1 Nothing was changed." in told[3].said
