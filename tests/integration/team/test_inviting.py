"""Who is invited, how often, and who can use an invite."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select

from payflux.activation.team_mails import DELIVERED, WRITERS
from payflux.frontdoor.accounts.models import User
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.team import inviting, queries, rules
from payflux.frontdoor.accounts.team.accepting import (
    AddressNotVerified,
    InviteEmailMismatch,
    InviteUnusable,
    Offer,
    accept_invite,
    open_invite,
)
from payflux.frontdoor.accounts.team.bulk import addresses_in, invite_many
from payflux.frontdoor.accounts.team.codes import invite_code
from payflux.kit.errors import InvalidInput, NotFound, UserError
from payflux.world.bootstrap import World
from tests.conftest import MovedClock
from tests.integration.team.conftest import ADDRESS, acting, add_member, add_owner, add_user, roles

DORA = ADDRESS.format("dora")


async def invited(
    world: World, who: SignedIn, email: str = DORA, role: str = "analyst", seats: int | None = 10
) -> UUID:
    async with world.database.tenant(who.account_id) as session:
        added = await inviting.invite(
            session,
            world.tokens,
            who,
            email=email,
            role=role,
            allowance=rules.SeatAllowance(seats),
            now=world.clock.now(),
        )
        return added.id


async def accepted(world: World, invite_id: UUID, user: User, seats: int | None = 10) -> Offer:
    async with world.database.system() as session:
        code = invite_code(world.tokens, invite_id)
        return await accept_invite(
            session, world.tokens, code=code, user=user, allowance=rules.SeatAllowance(seats), now=world.clock.now()
        )


async def resent(world: World, who: SignedIn, invite_id: UUID, seats: int | None = 10) -> None:
    async with world.database.tenant(who.account_id) as session:
        await inviting.resend_invite(
            session, world.tokens, who, invite_id=invite_id, allowance=rules.SeatAllowance(seats), now=world.clock.now()
        )


async def revoked(world: World, who: SignedIn, invite_id: UUID) -> None:
    async with world.database.tenant(who.account_id) as session:
        await inviting.revoke_invite(session, who, invite_id=invite_id, now=world.clock.now())


async def test_the_invited_verified_address_joins_in_the_role_it_was_invited_into(
    world: World, alice: SignedIn
) -> None:
    invite_id, dora = await invited(world, alice, role="viewer"), await add_user(world, "Dora")
    offer = await accepted(world, invite_id, dora)
    assert (offer.account_name, offer.invited_by, offer.email) == ("Alice's shop", "Alice", DORA)
    assert await roles(world, alice.account_id) == {"Alice": "owner", "Dora": "viewer"}
    assert (await accepted(world, invite_id, dora)).accepted_by == dora.id, "a second click is no error"


async def test_an_invite_is_for_its_own_address_alone(world: World, alice: SignedIn) -> None:
    invite_id, eve = await invited(world, alice), await add_user(world, "Eve")
    with pytest.raises(InviteEmailMismatch) as refusal:
        await accepted(world, invite_id, eve)
    assert (refusal.value.status, refusal.value.code) == (400, "invite_email_mismatch")
    assert await roles(world, alice.account_id) == {"Alice": "owner"}


async def test_an_unverified_user_neither_accepts_nor_invites(world: World, alice: SignedIn) -> None:
    invite_id, dora = await invited(world, alice), await add_user(world, "Dora", verified=False)
    with pytest.raises(AddressNotVerified):
        await accepted(world, invite_id, dora)
    frank = await add_owner(world, "Frank", verified=False)
    with pytest.raises(inviting.InviterNotVerified):
        await invited(world, frank)


async def test_revoked_expired_used_and_unknown_codes_say_which_they_are(
    world: World, clock: MovedClock, alice: SignedIn
) -> None:
    dora, eve = await add_user(world, "Dora"), await add_user(world, "Eve")
    taken_back = await invited(world, alice)
    await revoked(world, alice, taken_back)
    await revoked(world, alice, taken_back)
    used = await invited(world, alice)
    await accepted(world, used, dora)
    expired = await invited(world, alice, email=eve.email)
    clock.move(rules.INVITE_LIFETIME)
    for invite_id, user, code in (
        (taken_back, dora, "invite_revoked"),
        (used, eve, "invite_accepted"),
        (expired, eve, "invite_expired"),
    ):
        with pytest.raises(InviteUnusable) as refusal:
            await accepted(world, invite_id, user)
        assert refusal.value.code == code
    async with world.database.system() as session:
        for unknown in ("", "x", "Zm9v", invite_code(world.tokens, UUID(int=7))):
            with pytest.raises(InviteUnusable, match="not known"):
                await open_invite(session, world.tokens, code=unknown, now=clock.now())


async def test_an_expired_invite_can_be_sent_again_and_then_its_first_link_works(
    world: World, clock: MovedClock, alice: SignedIn
) -> None:
    invite_id, dora = await invited(world, alice), await add_user(world, "Dora")
    clock.move(rules.INVITE_LIFETIME + timedelta(days=1))
    await resent(world, alice, invite_id)
    await accepted(world, invite_id, dora)
    assert (await roles(world, alice.account_id))["Dora"] == "analyst"


async def test_inviting_anew_after_the_end_of_an_invite_takes_its_place(
    world: World, clock: MovedClock, alice: SignedIn
) -> None:
    first = await invited(world, alice)
    with pytest.raises(inviting.AlreadyInvited):
        await invited(world, alice, email=DORA.upper())
    clock.move(rules.INVITE_LIFETIME)
    second = await invited(world, alice)
    async with world.database.tenant(alice.account_id) as session:
        pending = await queries.pending_invites(session, account_id=alice.account_id, now=clock.now())
    assert [each.id for each in pending] == [second]
    assert first != second


@pytest.mark.parametrize(
    ("inviter", "role", "allowed"),
    [
        ("admin", "analyst", True),
        ("admin", "viewer", True),
        ("admin", "admin", False),
        ("analyst", "viewer", False),
        ("viewer", "viewer", False),
        ("admin", "owner", False),
    ],
)
async def test_a_member_invites_only_below_their_own_role(
    world: World, alice: SignedIn, inviter: str, role: str, allowed: bool
) -> None:
    grace = await add_member(world, alice, "Grace", inviter)
    if allowed:
        assert await invited(world, grace, role=role)
        return
    with pytest.raises(inviting.RoleNotAllowed):
        await invited(world, grace, role=role)


async def test_no_invite_of_another_account_can_be_touched_or_seen(
    world: World, alice: SignedIn, charlie: SignedIn
) -> None:
    invite_id = await invited(world, alice)
    for verb in (resent, revoked):
        with pytest.raises(NotFound):
            await verb(world, charlie, invite_id)
    async with world.database.tenant(charlie.account_id) as session:
        assert await queries.pending_invites(session, account_id=alice.account_id, now=world.clock.now()) == []
        assert await queries.members(session, account_id=alice.account_id) == []
        names = select(User.name)  # without any condition: the policy alone
        assert (await session.execute(names)).scalars().all() == ["Charlie"]


async def test_members_and_open_invites_take_seats_and_an_ended_invite_gives_its_back(
    world: World, clock: MovedClock, alice: SignedIn, bob: SignedIn
) -> None:
    first = await invited(world, alice, email=ADDRESS.format("one"), seats=3)
    with pytest.raises(inviting.SeatLimit) as refusal:
        await invited(world, alice, email=ADDRESS.format("two"), seats=3)
    assert refusal.value.status == 402
    await revoked(world, alice, first)
    assert await invited(world, alice, email=ADDRESS.format("two"), seats=3)
    clock.move(rules.INVITE_LIFETIME)
    assert await invited(world, alice, email=ADDRESS.format("three"), seats=3)
    assert await invited(world, alice, email=ADDRESS.format("four"), seats=None)


async def test_two_invites_for_the_last_seat_at_once_take_it_once(world: World, alice: SignedIn) -> None:
    outcomes = await asyncio.gather(
        *(invited(world, alice, email=ADDRESS.format(name), seats=2) for name in ("one", "two", "three")),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SeatLimit", "SeatLimit", "UUID"]


async def test_a_seat_that_was_lost_meanwhile_refuses_the_acceptance_and_keeps_the_invite(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    invite_id, dora = await invited(world, alice), await add_user(world, "Dora")
    with pytest.raises(inviting.SeatLimit):
        await accepted(world, invite_id, dora, seats=2)
    await accepted(world, invite_id, dora, seats=3)


async def test_caps_hold_for_one_invite_one_inviter_and_one_account_and_end_after_a_day(
    world: World, clock: MovedClock, alice: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    invite_id = await invited(world, alice)
    for _ in range(rules.INVITE_CAP.mails - 1):
        await resent(world, alice, invite_id)
    with pytest.raises(inviting.InviteCap, match="to this address"):
        await resent(world, alice, invite_id)
    monkeypatch.setattr(rules, "INVITER_CAP", rules.Cap(4, "you have sent"))
    await invited(world, alice, email=ADDRESS.format("four"))
    with pytest.raises(inviting.InviteCap, match="you have sent"):
        await invited(world, alice, email=ADDRESS.format("five"))
    grace = await add_member(world, alice, "Grace", "admin")
    monkeypatch.setattr(rules, "ACCOUNT_CAP", rules.Cap(5, "your account has sent"))
    await invited(world, grace, email=ADDRESS.format("six"))
    with pytest.raises(inviting.InviteCap, match="your account"):
        await invited(world, grace, email=ADDRESS.format("seven"))
    clock.move(rules.CAP_WINDOW + timedelta(seconds=1))
    await resent(world, alice, invite_id)


async def mail_of(world: World, stored: asyncpg.Connection, invite_id: UUID) -> str | None:
    """The last mail of an invite as it would be sent, or None where it is held back."""
    row = await stored.fetchrow(
        "SELECT account_id, id FROM invite_mails WHERE invite_id = $1 ORDER BY id DESC LIMIT 1", invite_id
    )
    payload = {"row_id": str(invite_id), "account_id": str(row["account_id"]), "invite_mail_id": str(row["id"])}
    mail = await WRITERS["account_invite"](world, payload, Addressee("", DORA, "Alice's shop"))
    return None if mail is None else mail.subject + mail.text


async def test_an_address_gets_only_so_many_invites_from_all_accounts_together(
    world: World, stored: asyncpg.Connection
) -> None:
    invites = []
    for number in range(rules.RECIPIENT_CAP.mails + 1):
        owner = await add_owner(world, f"Owner{number}")
        invites.append(await invited(world, owner))
    held = [await mail_of(world, stored, invite_id) is None for invite_id in invites]
    assert held == [False] * rules.RECIPIENT_CAP.mails + [True]


async def test_the_mail_carries_the_link_and_no_advertisement_and_is_not_sent_once_the_invite_is_revoked(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await stored.execute("UPDATE users SET name = 'Win at evil.com now' WHERE id = $1", alice.user_id)
    invite_id = await invited(world, alice)
    text = await mail_of(world, stored, invite_id)
    assert text is not None
    assert f"/accept-invite?code={invite_code(world.tokens, invite_id)}" in text
    assert "evil.com" not in text
    assert "Win at now invites you" in text
    queued = b"".join(row["payload"] for row in await stored.fetch("SELECT payload FROM pgqueuer"))
    assert DORA.encode() not in queued
    assert invite_code(world.tokens, invite_id).encode() not in queued
    await DELIVERED["account_invite"](world, {"row_id": str(invite_id)})
    assert await stored.fetchval("SELECT email_sent_at FROM account_invites") == world.clock.now()
    await revoked(world, alice, invite_id)
    assert await mail_of(world, stored, invite_id) is None


async def test_a_list_is_invited_as_far_as_seats_last_and_each_address_has_its_outcome(
    world: World, alice: SignedIn, bob: SignedIn
) -> None:
    emails = addresses_in(
        f'"Dora, D." <{DORA}>, {bob.email};nonsense\n{DORA.upper()} {ADDRESS.format("erin")} {ADDRESS.format("late")}'
    )
    assert len(emails) == 5
    async with world.database.tenant(alice.account_id) as session:
        outcomes = await invite_many(
            session,
            world.tokens,
            alice,
            emails=emails,
            role="viewer",
            allowance=rules.SeatAllowance(4),
            now=world.clock.now(),
        )
    assert [outcome.code for outcome in outcomes] == [
        "invited",
        "already_member",
        "invalid_input",
        "invited",
        "seat_limit",
    ]
    async with world.database.tenant(alice.account_id) as session:
        pending = await queries.pending_invites(session, account_id=alice.account_id, now=world.clock.now())
    assert {each.email for each in pending} == {DORA, ADDRESS.format("erin")}


@pytest.mark.parametrize("count", [0, rules.BULK_MAX + 1])
async def test_a_list_that_is_empty_or_too_long_is_refused_whole(world: World, alice: SignedIn, count: int) -> None:
    async with world.database.tenant(alice.account_id) as session:
        with pytest.raises(InvalidInput):
            await invite_many(
                session,
                world.tokens,
                alice,
                emails=[ADDRESS.format(number) for number in range(count)],
                role="viewer",
                allowance=rules.SeatAllowance(None),
                now=world.clock.now(),
            )


async def test_what_was_invited_and_accepted_stands_in_the_audit_log(
    world: World, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    invite_id, dora = await invited(world, alice), await add_user(world, "Dora")
    await resent(world, alice, invite_id)
    await accepted(world, invite_id, dora)
    rows = await stored.fetch("SELECT action, actor_id FROM audit_entries WHERE action ~ 'invite|joined' ORDER BY id")
    assert [(row["action"], row["actor_id"]) for row in rows] == [
        ("member.invited", alice.user_id),
        ("invite.resent", alice.user_id),
        ("member.joined", dora.id),
    ]
    assert (await acting(world, dora.id, alice.account_id)).role == "analyst"
    with pytest.raises(UserError):
        await revoked(world, alice, invite_id)
