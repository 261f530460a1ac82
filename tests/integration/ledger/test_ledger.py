"""The ledger in the database: one chain for each workspace, one tree over all, and nobody can change either unseen."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import asyncpg
import httpx
import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from payflux.activation.retention.dropping import drop_what_is_over
from payflux.app import create_app
from payflux.frontdoor.billing.trials import start_trial
from payflux.kit.crypto import SecretBox
from payflux.kit.errors import InvalidInput, NotFound
from payflux.monitor.ledger.artifacts import Draft, Kind, sha256
from payflux.monitor.ledger.checkpointing import sign_tree
from payflux.monitor.ledger.checkpoints import SignedNote, read_consistency, read_note
from payflux.monitor.ledger.keys import published_keys, replace_key
from payflux.monitor.ledger.merkle import leaf_hash, proves_consistency, root_of_inclusion
from payflux.monitor.ledger.models import LedgerArtifact
from payflux.monitor.ledger.queries import (
    consistency_proof,
    count_artifacts,
    get_artifact,
    inclusion_proof,
    latest_checkpoint,
    list_artifacts,
)
from payflux.monitor.ledger.recording import record_artifacts
from payflux.monitor.ledger.verifying import read_keys, verify_export
from payflux.world.bootstrap import World
from payflux.world.signer import SealingSigner
from tests.conftest import MovedClock
from tests.integration.ledger.conftest import Shop
from tests.unit.ledger import second


async def signed_checkpoint(world: World) -> SignedNote:
    await sign_tree(world)
    async with world.database.system() as session:
        newest = await latest_checkpoint(session)
    assert newest is not None
    return read_note(newest.note)


async def keys_of(world: World) -> list[dict[str, object]]:
    async with world.database.system() as session:
        return msgspec.convert((await published_keys(session))["keys"], list[dict[str, object]])


async def test_writers_at_once_are_numbered_without_a_gap_and_what_is_undone_leaves_none(
    world: World, alices: Shop, charlies: Shop
) -> None:
    await asyncio.gather(*((alices, charlies)[n % 2].record(n, n) for n in range(12)))
    with suppress(ZeroDivisionError):
        async with world.database.tenant(alices.account_id) as session:
            draft = Draft(kind=Kind.ALERT, body={"never": True})
            await record_artifacts(world, session, **alices.place, drafts=[draft])
            raise ZeroDivisionError
    [after] = await alices.record(99)
    assert after.sequence == 13
    assert len(await keys_of(world)) == 1, "the first key was made once, whoever asked"
    for shop, count in ((alices, 13), (charlies, 12)):
        lines = await shop.exported()
        found = verify_export(lines, keys=read_keys(await keys_of(world)))
        assert (found.artifacts, found.proven_sequence) == (count, 0)
        async with world.database.tenant(shop.account_id) as session:
            assert await count_artifacts(session, **shop.place) == count


async def test_nobody_but_the_account_sees_its_artifacts_and_nobody_changes_one(
    world: World, alices: Shop, charlies: Shop, superuser: asyncpg.Connection
) -> None:
    await alices.record(1, 2)
    async with world.database.tenant(charlies.account_id) as session:
        assert (await session.execute(select(LedgerArtifact))).all() == []
        with pytest.raises(NotFound):
            await get_artifact(session, **alices.place, sequence=1)
    for statement in (
        "UPDATE ledger_artifacts SET kind = 'alert'",
        "DELETE FROM ledger_artifacts",
        "UPDATE ledger_heads SET sequence = 0",
        "DELETE FROM ledger_heads",
        "UPDATE ledger_keys SET retired_at = now()",
        "INSERT INTO ledger_keys SELECT 'x', public_key, sealed, now(), now() FROM ledger_keys",
        "UPDATE ledger_tiles SET hashes = ''",
    ):
        with pytest.raises(DBAPIError):
            async with world.database.tenant(alices.account_id) as session:
                await session.execute(text(statement))
    for statement in (
        "UPDATE ledger_artifacts SET body_expired_at = now()",
        "UPDATE ledger_artifacts SET body = '{}'",
        "DELETE FROM ledger_artifacts",
        "TRUNCATE ledger_artifacts",
        "UPDATE ledger_artifacts SET body = NULL, body_expired_at = now(), hash = previous_hash",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await superuser.execute(statement)
    assert verify_export(await alices.exported()).artifacts == 2
    await superuser.execute("DELETE FROM accounts WHERE id = $1", alices.account_id)
    assert await superuser.fetchval("SELECT count(*) FROM ledger_artifacts") == 0


async def test_each_night_what_is_new_goes_into_the_tree_and_every_earlier_checkpoint_is_its_beginning(
    world: World, alices: Shop, charlies: Shop, clock: MovedClock, superuser: asyncpg.Connection
) -> None:
    await signed_checkpoint(world)  # of nothing
    await alices.record(1, 2, 3)
    await charlies.record(*range(300))
    notes = [await signed_checkpoint(world)]
    for day in range(3):
        clock.move(timedelta(days=1))
        await alices.record(day)
        await charlies.record(day, day)
        notes.append(await signed_checkpoint(world))
    assert [note.checkpoint.tree_size for note in notes] == [303, 306, 309, 312]
    clock.move(timedelta(hours=1))
    await alices.record(100)
    newest = notes[-1].checkpoint
    async with world.database.tenant(alices.account_id) as session:
        for sequence in range(1, 7):
            artifact = await get_artifact(session, **alices.place, sequence=sequence)
            proof = await inclusion_proof(session, **alices.place, sequence=sequence)
            assert proof is not None
            root = root_of_inclusion(leaf_hash(artifact.hash), proof.leaf, newest.tree_size, proof.hashes)
            assert root == newest.root_hash
        assert await inclusion_proof(session, **alices.place, sequence=7) is None
        assert await inclusion_proof(session, **charlies.place, sequence=1) is None
        for old in notes:
            size = old.checkpoint.tree_size
            said = msgspec.convert(await consistency_proof(session, tree_size=size), dict[str, object])
            hashes = [bytes.fromhex(each) for each in msgspec.convert(said["hashes"], list[str])]
            assert proves_consistency(size, old.checkpoint.root_hash, newest.tree_size, newest.root_hash, hashes)
        published = await consistency_proof(session, tree_size=303)
        between = await consistency_proof(session, tree_size=303, later_size=309)
        lead = read_consistency(msgspec.json.encode(between))
        assert (lead.tree_size, lead.later_size) == (303, 309)
        for unsigned in (0, 308, 313, 2**70):
            with pytest.raises(InvalidInput):
                await consistency_proof(session, tree_size=303, later_size=unsigned)
        with pytest.raises(InvalidInput):
            await consistency_proof(session, tree_size=313)
    keys = read_keys(await keys_of(world))
    lines = await alices.exported(since_tree_size=303)
    found = verify_export(lines, keys=keys, kept=notes[0])
    assert (found.artifacts, found.proven_sequence) == (7, 6)
    proof = read_consistency(msgspec.json.encode(published))
    assert verify_export(await alices.exported(), keys=keys, kept=notes[0], consistency=proof).artifacts == 7
    assert second.holds(b"".join(lines))
    part = await charlies.exported(first=250, last=304)
    assert verify_export(part, keys=keys).proven_sequence == 304
    assert second.holds(b"".join(part))
    with pytest.raises(InvalidInput):
        await alices.exported(first=3, last=9)
    # an account that goes takes its artifacts along, and the tree stays
    await superuser.execute("DELETE FROM accounts WHERE id = $1", alices.account_id)
    after = await signed_checkpoint(world)
    assert after.checkpoint == newest
    assert verify_export(await charlies.exported(), keys=keys).proven_sequence == 306


async def test_an_account_that_goes_while_the_tree_is_signed_does_not_keep_the_others_out(
    world: World, alices: Shop, charlies: Shop, superuser: asyncpg.Connection
) -> None:
    await alices.record(1)
    await charlies.record(1, 2)
    going = superuser.transaction()
    await going.start()
    await superuser.execute("DELETE FROM accounts WHERE id = $1", alices.account_id)
    signing = asyncio.create_task(signed_checkpoint(world))
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not signing.done() and not await superuser.fetchval(waits):
        continue
    await going.commit()
    assert (await signing).checkpoint.tree_size == 2


async def test_keys_are_replaced_and_what_the_old_ones_signed_still_holds(
    world: World, alices: Shop, clock: MovedClock
) -> None:
    await alices.record(1)
    clock.move(timedelta(days=1))
    async with world.database.system() as session:
        second_key = await replace_key(world, session)
    await alices.record(2)
    clock.move(timedelta(days=1))
    # another secret key of the installation cannot open the stored one, and makes its own
    elsewhere = replace(world, signer=SealingSigner(SecretBox("another secret, of 32 characters or more")))
    shop = alices._replace(world=elsewhere)
    await asyncio.gather(shop.record(3), shop.record(4))
    keys = await keys_of(world)
    assert [key["kid"] for key in keys][1] == second_key.key_id
    assert ["exp" in key for key in keys] == [True, True, False]
    await sign_tree(elsewhere)
    lines = await shop.exported()
    assert verify_export(lines, keys=read_keys(keys)).artifacts == 4
    assert second.holds(b"".join(lines))
    # an export may be the first that a new key signs
    clock.move(timedelta(days=1))
    third = replace(world, signer=SealingSigner(SecretBox("a third secret, of 32 characters or more")))
    assert verify_export(await alices._replace(world=third).exported()).artifacts == 4


async def test_a_body_is_kept_for_as_long_as_the_plan_says_and_the_chain_holds_without_it(
    world: World, alices: Shop, charlies: Shop, clock: MovedClock
) -> None:
    await alices.record(1, 2)
    await charlies.record(1)
    clock.move(timedelta(days=800))
    async with world.database.tenant(alices.account_id) as session:
        await start_trial(session, account_id=alices.account_id, now=clock.now())
    await alices.record(3)
    await drop_what_is_over(world)
    found = verify_export(await alices.exported())
    assert (found.artifacts, found.without_body) == (3, 2)
    assert second.holds(b"".join(await alices.exported()))
    assert verify_export(await charlies.exported()).without_body == 0, "no plan is in force, and nothing is dropped"
    async with world.database.tenant(alices.account_id) as session:
        old = await get_artifact(session, **alices.place, sequence=1)
        assert old.body is None
        assert old.body_expired_at == clock.now()
        assert old.hash == sha256(old.statement.encoded())


async def test_artifacts_are_listed_by_kind_and_time_page_by_page(
    world: World, alices: Shop, clock: MovedClock
) -> None:
    for n in range(5):
        await alices.record(n, kind=Kind.SCORE if n % 2 else Kind.PROJECTION)
        clock.move(timedelta(hours=1))
    now = clock.now()

    a, w = alices.account_id, alices.id

    async def listed(kinds: tuple[Kind, ...] = (), hours: tuple[int, int] = (9, 0)) -> list[int]:
        since, until = (now - timedelta(hours=each) for each in hours)
        async with world.database.tenant(a) as session:
            page = await list_artifacts(session, account_id=a, workspace_id=w, kinds=kinds, since=since, until=until)
        return [each.sequence for each in page.artifacts]

    assert await listed() == [5, 4, 3, 2, 1]
    assert await listed((Kind.SCORE,)) == [4, 2]
    assert await listed(hours=(3, 1)) == [4, 3]
    async with world.database.tenant(alices.account_id) as session:
        page = await list_artifacts(session, account_id=a, workspace_id=w, limit=2)
        assert page.next_before == 4
        page = await list_artifacts(session, account_id=a, workspace_id=w, limit=3, before=4)
        assert ([each.sequence for each in page.artifacts], page.next_before) == ([3, 2, 1], None)


async def test_keys_and_checkpoints_are_published_to_everybody_and_nothing_of_an_account_with_them(
    world: World, alices: Shop
) -> None:
    transport = httpx.ASGITransport(app=create_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://payflux.example") as anybody:
        assert (await anybody.get("/.well-known/payflux-checkpoint")).status_code == 404
        await alices.record(1, 2)
        await signed_checkpoint(world)
        published = (await anybody.get("/.well-known/payflux-keys.json")).json()
        note = (await anybody.get("/.well-known/payflux-checkpoint")).text
        proof = (await anybody.get("/.well-known/payflux-consistency", params={"tree_size": 1})).json()
        assert (await anybody.get("/.well-known/payflux-consistency", params={"tree_size": 3})).status_code == 422
    assert read_note(note).checkpoint.tree_size == 2
    assert (proof["tree_size"], len(proof["hashes"]), proof["checkpoint"]) == (1, 1, note)
    assert set(read_keys(published["keys"])) == {key["kid"] for key in published["keys"]}
    assert set(published["keys"][0]) == {"alg", "crv", "kid", "kty", "nbf", "use", "x"}
    for private in (str(alices.account_id), str(alices.id)):
        assert private not in note + str(published) + str(proof)
    assert verify_export(await alices.exported(), keys=read_keys(published["keys"])).proven_sequence == 2
