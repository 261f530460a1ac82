"""Roles change, members go, accounts are switched, and ownership changes hands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from payflux.activation.deletion import enqueue_forgetting, forget_member
from payflux.activation.mails import send_mail
from payflux.activation.team_mails import WRITERS
from payflux.frontdoor.accounts.models import Membership
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sessions import Client, SignedIn, authenticate, start_session
from payflux.frontdoor.accounts.team import members, queries, rules, transfers
from payflux.frontdoor.accounts.team.capabilities import Role, may_change_role, may_remove
from payflux.kit.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn
from payflux.worker.main import work
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import acting, add_member, as_tenant, roles
from tests.integration.team.test_inviting import invited

Transfer = Callable[..., Awaitable[object]]


async def removed(world: World, who: SignedIn, user_id: UUID, invites: members.InvitesOfLeaver = "revoke") -> None:
    now = world.clock.now()

    async def verb(session: AsyncSession) -> None:
        await members.remove_member(session, who, user_id=user_id, invites=invites, now=now)

    await as_tenant(world, who, verb)
    await work(world, drain=True)
    await forget_member(world, {"account_id": str(who.account_id), "user_id": str(user_id)})


async def changed(world: World, who: SignedIn, user_id: UUID, role: str) -> None:
    async with world.database.tenant(who.account_id) as session:
        await members.change_role(session, who, user_id=user_id, role=role, now=world.clock.now())


async def transferred(world: World, who: SignedIn, verb: Transfer, **named: object) -> None:
    async with world.database.tenant(who.account_id) as session:
        await verb(session, who, now=world.clock.now(), **named)


async def signed_in(world: World, who: SignedIn) -> str:
    async with world.database.system() as session:
        return await start_session(
            session,
            world.tokens,
            user_id=who.user_id,
            client=Client("203.0.113.7", "a browser"),
            factors={"password"},
            now=world.clock.now(),
        )


async def who_holds(world: World, token: str) -> SignedIn:
    async with world.database.system() as session:
        return await authenticate(session, world.tokens, token=token, now=world.clock.now())


async def test_in_the_database_as_in_the_table_a_role_reaches_only_below_itself(world: World, alice: SignedIn) -> None:
    cast = {Role.OWNER: alice}
    for role in (Role.ADMIN, Role.ANALYST, Role.VIEWER):
        cast[role] = await add_member(world, alice, f"Actor-{role}", role)
    for actor_role, actor in cast.items():
        for role in (Role.ADMIN, Role.ANALYST, Role.VIEWER):
            target = await add_member(world, alice, f"Target-{actor_role}-{role}", role)
            for to in Role:
                before = await acting(world, target.user_id, alice.account_id)
                if may_change_role(actor_role, of=before.role, to=to):
                    await changed(world, actor, target.user_id, to)
                    await changed(world, alice, target.user_id, role)
                else:
                    with pytest.raises(Forbidden):
                        await changed(world, actor, target.user_id, to)
            if may_remove(actor_role, target=role):
                await removed(world, actor, target.user_id)
            else:
                with pytest.raises(Forbidden):
                    await removed(world, actor, target.user_id)
        if actor_role is not Role.OWNER:
            with pytest.raises(Forbidden):
                await removed(world, actor, alice.user_id)
            with pytest.raises(Forbidden):
                await changed(world, actor, alice.user_id, Role.VIEWER)
    assert (await roles(world, alice.account_id))["Alice"] == "owner"


async def test_nobody_changes_their_own_role_and_a_role_there_is_none_of_is_named(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    grace = await add_member(world, alice, "Grace", "admin")
    for who in (alice, grace):
        with pytest.raises(Forbidden):
            await changed(world, who, who.user_id, "viewer")
    with pytest.raises(InvalidInput, match="attention"):
        await changed(world, alice, bob.user_id, "emperor")


async def test_a_role_that_was_taken_away_a_moment_ago_acts_no_more(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    grace = await add_member(world, alice, "Grace", "admin")
    await changed(world, alice, grace.user_id, "viewer")
    with pytest.raises(Forbidden):  # Grace's request was authenticated before
        await removed(world, grace, bob.user_id)


async def test_a_stranger_finds_nobody_of_another_account(world: World, alice: SignedIn, charlie: SignedIn) -> None:
    for user_id in (alice.user_id, uuid4()):
        with pytest.raises(NotFound):
            await changed(world, charlie, user_id, "viewer")
        with pytest.raises(NotFound):
            await removed(world, charlie, user_id)
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_a_removed_member_is_out_at_once_and_forgotten_where_it_was_their_only_account(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn
) -> None:
    token = await signed_in(world, bob)
    assert (await who_holds(world, token)).account_id == alice.account_id
    await removed(world, alice, bob.user_id)
    with pytest.raises(NotSignedIn):
        await who_holds(world, token)
    assert await stored.fetchval("SELECT count(*) FROM users WHERE id = $1", bob.user_id) == 0
    assert await stored.fetchval("SELECT count(*) FROM sessions WHERE user_id = $1", bob.user_id) == 0


async def test_a_member_of_two_accounts_loses_one_and_acts_in_the_other(
    world: World, alice: SignedIn, charlie: SignedIn
) -> None:
    async with world.database.system() as session:
        session.add(Membership(account_id=alice.account_id, user_id=charlie.user_id, role="viewer"))
    elsewhere, here = await signed_in(world, charlie), await signed_in(world, charlie)
    for token, account_id in ((here, alice.account_id), (elsewhere, charlie.account_id)):
        session_id = (await who_holds(world, token)).session_id
        async with world.database.system() as session:
            await members.act_in(session, session_id=session_id, user_id=charlie.user_id, account_id=account_id)
        assert (await who_holds(world, token)).account_id == account_id
    await removed(world, alice, charlie.user_id)
    with pytest.raises(NotSignedIn):
        await who_holds(world, here)
    assert (await who_holds(world, elsewhere)).role == "owner"


async def test_nobody_acts_in_an_account_that_they_are_not_in(world: World, alice: SignedIn, charlie: SignedIn) -> None:
    token = await signed_in(world, charlie)
    session_id = (await who_holds(world, token)).session_id
    for account_id in (alice.account_id, uuid4()):
        async with world.database.system() as session:
            with pytest.raises(NotFound):
                await members.act_in(session, session_id=session_id, user_id=charlie.user_id, account_id=account_id)
    assert (await who_holds(world, token)).account_id == charlie.account_id


@pytest.mark.parametrize(("choice", "pending"), [("keep", 1), ("revoke", 0)])
async def test_what_becomes_of_a_removed_members_invites_is_chosen(
    world: World, alice: SignedIn, choice: members.InvitesOfLeaver, pending: int
) -> None:
    grace = await add_member(world, alice, "Grace", "admin")
    invite_id = await invited(world, grace)
    async with world.database.tenant(alice.account_id) as session:
        held = await members.holdings(
            session, account_id=alice.account_id, user_id=grace.user_id, now=world.clock.now()
        )
        assert [each.id for each in held.open_invites] == [invite_id]
    await removed(world, alice, grace.user_id, choice)
    async with world.database.tenant(alice.account_id) as session:
        left = await queries.pending_invites(session, account_id=alice.account_id, now=world.clock.now())
    assert [each.invited_by for each in left] == ["Alice"] * pending


async def test_everyone_but_the_owner_can_leave(world: World, alice: SignedIn, bob: SignedIn) -> None:
    async with world.database.tenant(bob.account_id) as session:
        await members.leave(session, bob, now=world.clock.now())
        await enqueue_forgetting(session, account_id=bob.account_id, user_id=bob.user_id)
    assert await roles(world, alice.account_id) == {"Alice": "owner"}
    async with world.database.tenant(alice.account_id) as session:
        with pytest.raises(members.OwnerStays):
            await members.leave(session, alice, now=world.clock.now())
        with pytest.raises(Conflict, match="yourself"):
            await members.remove_member(session, alice, user_id=alice.user_id, invites="keep", now=world.clock.now())


async def test_who_was_removed_is_told_before_their_address_is_forgotten(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn
) -> None:
    async with world.database.tenant(alice.account_id) as session:
        await members.remove_member(session, alice, user_id=bob.user_id, invites="revoke", now=world.clock.now())
    payload = {"account_id": str(alice.account_id), "user_id": str(bob.user_id)}
    await forget_member(world, payload)
    assert await stored.fetchval("SELECT count(*) FROM users WHERE name = 'Bob'") == 1
    jobs = await stored.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    assert [row["entrypoint"] for row in jobs] == ["send_mail", "forget_member"], "it comes back once the mail is out"
    mail = json.loads(jobs[0]["payload"])
    assert (mail["mail"], mail["user_id"]) == ("member_removed", str(bob.user_id))
    assert bob.email not in str([bytes(row["payload"]) for row in jobs])
    await send_mail(world, mail)
    await stored.execute("DELETE FROM pgqueuer")
    await forget_member(world, payload)
    assert await stored.fetchval("SELECT count(*) FROM users WHERE name = 'Bob'") == 0


async def test_the_mail_names_the_account_unless_it_is_gone(world: World, alice: SignedIn) -> None:
    dora = Addressee("Dora", "dora@shop.example", "")
    there = await WRITERS["member_removed"](world, {"left_account_id": str(alice.account_id)}, dora)
    gone = await WRITERS["member_removed"](world, {"left_account_id": str(uuid4())}, dora)
    assert there is not None
    assert gone is not None
    assert there.subject == "You are no longer a member of Alice's shop"
    assert gone.subject == "Your team's PayFlux account was deleted"
    assert "deleted by its owner" in gone.text


async def test_somebody_who_joins_again_before_they_are_forgotten_stays(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    token = await signed_in(world, bob)
    await forget_member(world, {"account_id": str(alice.account_id), "user_id": str(bob.user_id)})
    assert (await who_holds(world, token)).name == "Bob"


async def test_no_commit_leaves_an_account_without_its_one_owner(world: World, alice: SignedIn, bob: SignedIn) -> None:
    of_alice = Membership.account_id == alice.account_id, Membership.user_id == alice.user_id
    of_bob = Membership.account_id == alice.account_id, Membership.user_id == bob.user_id
    for statement in (
        delete(Membership).where(*of_alice),
        update(Membership).where(*of_alice).values(role="admin"),
        update(Membership).where(*of_bob).values(role="owner"),
    ):
        with pytest.raises(DBAPIError, match=r"no owner|uq_memberships_owner"):
            async with world.database.tenant(alice.account_id) as session:
                await session.execute(statement)
    assert await roles(world, alice.account_id) == {"Alice": "owner", "Bob": "analyst"}


async def test_ownership_is_offered_then_accepted_and_both_are_told(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn
) -> None:
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)
    assert await roles(world, alice.account_id) == {"Alice": "owner", "Bob": "analyst"}
    await transferred(world, bob, transfers.accept_transfer)
    assert await roles(world, alice.account_id) == {"Alice": "admin", "Bob": "owner"}
    rows = await stored.fetch("SELECT convert_from(payload, 'UTF8')::jsonb AS job FROM pgqueuer ORDER BY id")
    told = [row["job"] for row in rows if "ownership_transfer" in row["job"]]
    assert len(told) == 4
    assert sum("accepted" in job for job in told) == 2
    audited = await stored.fetch("SELECT action FROM audit_entries WHERE action ~ 'ownership' ORDER BY id")
    assert [row["action"] for row in audited] == ["ownership.offered", "ownership.accepted"]


async def test_only_the_owner_offers_only_the_chosen_member_answers_and_only_once(
    world: World, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    grace = await add_member(world, alice, "Grace", "admin")
    with pytest.raises(transfers.TransferRefused):
        await transferred(world, grace, transfers.request_transfer, user_id=bob.user_id)
    for nobody in (charlie.user_id, alice.user_id):
        with pytest.raises(NotFound):
            await transferred(world, alice, transfers.request_transfer, user_id=nobody)
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)
    with pytest.raises(transfers.TransferOpen):
        await transferred(world, alice, transfers.request_transfer, user_id=grace.user_id)
    for verb in (transfers.accept_transfer, transfers.decline_transfer):
        with pytest.raises(NotFound):
            await transferred(world, grace, verb)
    with pytest.raises(transfers.TransferRefused):
        await transferred(world, bob, transfers.cancel_transfer)
    await transferred(world, bob, transfers.decline_transfer)
    with pytest.raises(NotFound):
        await transferred(world, bob, transfers.accept_transfer)
    await transferred(world, alice, transfers.request_transfer, user_id=grace.user_id)
    await transferred(world, alice, transfers.cancel_transfer)
    assert (await roles(world, alice.account_id))["Alice"] == "owner"


async def test_nobody_owns_by_transfer_without_a_verified_address(world: World, alice: SignedIn) -> None:
    dora = await add_member(world, alice, "Dora", "admin", verified=False)
    with pytest.raises(transfers.RecipientNotVerified):
        await transferred(world, alice, transfers.request_transfer, user_id=dora.user_id)
    with pytest.raises(transfers.TransferRefused):
        await transferred(world, dora, transfers.accept_transfer)


async def test_an_expired_offer_cannot_be_accepted_and_makes_room_for_another(
    world: World, clock: MovedClock, alice: SignedIn, bob: SignedIn
) -> None:
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)
    clock.move(rules.TRANSFER_LIFETIME + timedelta(seconds=1))
    with pytest.raises(NotFound):
        await transferred(world, bob, transfers.accept_transfer)
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)


async def test_two_acceptances_at_once_and_a_cancellation_end_with_one_owner(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)
    await asyncio.gather(
        transferred(world, bob, transfers.accept_transfer),
        transferred(world, bob, transfers.accept_transfer),
        transferred(world, alice, transfers.cancel_transfer),
        return_exceptions=True,
    )
    assert sorted((await roles(world, alice.account_id)).values()).count("owner") == 1


async def test_removing_the_member_who_was_offered_the_account_ends_the_offer(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    await transferred(world, alice, transfers.request_transfer, user_id=bob.user_id)
    await removed(world, alice, bob.user_id)
    async with world.database.tenant(alice.account_id) as session:
        assert await queries.open_transfer(session, account_id=alice.account_id, now=world.clock.now()) is None


async def test_an_account_is_renamed_by_a_name_that_can_be_written(world: World, alice: SignedIn) -> None:
    async with world.database.tenant(alice.account_id) as session:
        await members.rename_account(session, alice, name="  Alice   & Co. ", now=world.clock.now())
        for wrong in ("", " ", "x" * 256, "a\x00b"):
            with pytest.raises(InvalidInput):
                await members.rename_account(session, alice, name=wrong, now=world.clock.now())
    assert (await acting(world, alice.user_id, alice.account_id)).account_name == "Alice & Co."


async def test_a_user_who_left_and_was_forgotten_can_be_invited_anew(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    await removed(world, alice, bob.user_id)
    again = await add_member(world, alice, "Bob", "viewer")
    await removed(world, alice, again.user_id)
    invite_id = await invited(world, alice, email=bob.email)
    with pytest.raises(InvalidInput):
        await invited(world, alice, email="not an address")
    with pytest.raises(NotFound):
        await removed(world, alice, bob.user_id)
    assert invite_id
