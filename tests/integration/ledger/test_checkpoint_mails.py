"""The day's checkpoint by mail, which anybody checks offline; and the command that changes the key it is signed by."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path

import asyncpg

from payflux.activation.checkpoint_mails import MAIL, mail_checkpoint
from payflux.activation.mail_preferences import MailKind, Unsubscribing, set_unwanted, unsubscribe_code
from payflux.activation.mails import WRITERS
from payflux.app import create_app
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.keys import published_keys
from payflux.monitor.ledger.queries import latest_checkpoint
from payflux.settings import Settings
from payflux.world.bootstrap import World, build_world
from tests.conftest import SECRET, MovedClock
from tests.integration.commands import Outcome, said_by
from tests.integration.pages.browser import Browser
from tests.integration.team.conftest import alice, bob, stored

__all__ = ["alice", "bob", "stored"]

DAY = timedelta(days=1)


async def test_who_asked_for_checkpoints_gets_each_days_once_and_anybody_can_check_it(
    world: World, alice: SignedIn, bob: SignedIn, stored: asyncpg.Connection, clock: MovedClock, tmp_path: Path
) -> None:
    async def mailed() -> list[dict[str, str]]:
        await mail_checkpoint(world)
        rows = await stored.fetch(
            "DELETE FROM pgqueuer WHERE convert_from(payload, 'UTF8') LIKE $1 "
            "RETURNING convert_from(payload, 'UTF8') AS job",
            f"%{MAIL}%",
        )
        return [json.loads(row["job"]) for row in rows]

    await sign_tree(world)
    assert await mailed() == [], "nobody has asked"
    browser = Browser(create_app(world))
    mine = Unsubscribing(alice.account_id, alice.user_id, MailKind.CHECKPOINTS)
    for _ in range(2):
        async with world.database.tenant(alice.account_id) as session:
            await set_unwanted(session, mine, unwanted=False, now=clock.now())
    changed = "SELECT count(*) FROM audit_entries WHERE action = 'mail_preferences.changed'"
    assert await stored.fetchval(changed) == 1
    (job,) = await mailed()
    assert job["user_id"] == str(alice.user_id)
    assert await mailed() == [], "once a day"
    clock.move(DAY)
    assert await mailed() == [], "nothing was signed since"
    await sign_tree(world)
    (newer,) = await mailed()
    assert newer["signed_at"] == clock.now().isoformat()

    mail = await WRITERS[MAIL](world, job, Addressee("Alice", "alice@shop.example", "Alice's shop"))
    assert mail is not None
    async with world.database.system() as session:
        keys = await published_keys(session)
        newest = await latest_checkpoint(session)
    assert newest is not None
    (tmp_path / "keys.json").write_text(json.dumps(keys))

    def verified(text: str, *more: str) -> Outcome:
        (tmp_path / "mail.txt").write_text(text, encoding="utf-8")
        return said_by("verify", str(tmp_path / "mail.txt"), *more, data_dir=tmp_path)

    trusting = ("--keys", str(tmp_path / "keys.json"))
    quoted = "\r\n".join(f"> {line}" for line in mail.text.splitlines())
    for text in (mail.text, newest.note, quoted):
        holds = verified(text, *trusting)
        assert (holds.code, "This checkpoint holds" in holds.said) == (0, True), holds.said
    untrusted = verified(mail.text)
    assert (untrusted.code, "--keys" in untrusted.said) == (2, True)
    size = newest.note.splitlines()[1]
    forged = newest.note.replace(f"\n{size}\n", f"\n{int(size) + 1}\n", 1)
    assert "None of the keys has signed it" in verified(forged, *trusting).said
    assert verified(mail.text + newest.note, *trusting).code == 1, "which one is meant?"

    # one click ends it
    await browser.http.post(f"/mail/unsubscribe/{unsubscribe_code(world.tokens, mine)}")
    clock.move(DAY)
    await sign_tree(world)
    assert await mailed() == []


def test_a_new_key_is_put_into_force_by_the_command_and_the_old_one_stays_published(
    owner_url: str, settings: Settings, tmp_path: Path
) -> None:
    def rotate() -> str:
        done = said_by(
            "admin", "rotate-ledger-key", data_dir=tmp_path, DATABASE_URL=owner_url, PAYFLUX_SECRET_KEY=SECRET
        )
        told = re.search(r"The ledger is signed by key (\S+) from now on\.$", done.said)
        assert done.code == 0, done.said
        assert told, done.said
        return told[1]

    async def keys() -> list[dict[str, object]]:
        world = build_world(settings, database_url=owner_url)
        await sign_tree(world)
        async with world.database.system() as session:
            found = await published_keys(session)
        await world.close()
        assert isinstance(found["keys"], list)
        return found["keys"]

    first = rotate()
    (one,) = asyncio.run(keys())
    assert (one["kid"], "exp" in one) == (first, False)
    second = rotate()
    both = asyncio.run(keys())
    assert [(key["kid"], "exp" in key) for key in both] == [(first, True), (second, False)]
