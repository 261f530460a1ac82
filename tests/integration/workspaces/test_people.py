"""Who is in which workspace: opened, added, removed, handed over, and gone with the account."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from payflux.activation.allowances import seat_allowance, usage_of
from payflux.activation.deletion import delete_account, forget_member
from payflux.activation.removing import leave_for_good, remove_for_good
from payflux.activation.team_mails import WRITERS
from payflux.activation.workspaces import open_workspace
from payflux.frontdoor.accounts.family import workspaces_of
from payflux.frontdoor.accounts.keys.models import ApiKey
from payflux.frontdoor.accounts.keys.service import create_key
from payflux.frontdoor.accounts.queries import Addressee
from payflux.frontdoor.accounts.sessions import SignedIn
from payflux.frontdoor.accounts.sso import directory
from payflux.frontdoor.accounts.sso.models import DirectoryUser
from payflux.frontdoor.accounts.team import inviting, transfers
from payflux.frontdoor.accounts.team.members import NotYours
from payflux.frontdoor.accounts.team.queries import pending_invites
from payflux.frontdoor.accounts.team.rules import SeatAllowance
from payflux.frontdoor.accounts.workspaces.service import add_to_workspace
from payflux.frontdoor.entitlements.usage import LimitReached, use
from payflux.frontdoor.staff import acts
from payflux.frontdoor.staff.signing_in import Staff
from payflux.kit.audit import AuditEntry
from payflux.kit.audit_check import verify_every_log
from payflux.kit.errors import NotFound
from payflux.kit.ids import new_id
from payflux.world.bootstrap import World
from tests.integration.pages.browser import MACHINE
from tests.integration.team.conftest import add_member, add_user, as_tenant, roles
from tests.integration.workspaces.conftest import browser_of, in_workspace, places, put_on, switched


async def waiting_jobs(stored: asyncpg.Connection, name: str) -> list[dict[str, str]]:
    """The payloads of the jobs of that name, taken off the queue; what they wait for is taken to be done."""
    await stored.execute("DELETE FROM pgqueuer WHERE entrypoint = 'send_mail'")
    rows = await stored.fetch("DELETE FROM pgqueuer WHERE entrypoint = $1 RETURNING payload", name)
    return [json.loads(row["payload"]) for row in rows]


async def actions(world: World, who: SignedIn) -> list[str]:
    async with world.database.tenant(who.account_id) as session:
        log = select(AuditEntry.action).where(AuditEntry.account_id == who.account_id).order_by(AuditEntry.sequence)
        return list((await session.execute(log)).scalars())


async def test_a_manager_opens_a_workspace_names_it_and_puts_people_into_it_who_then_switch(
    world: World, app: FastAPI, alice: SignedIn, bob: SignedIn, charlie: SignedIn
) -> None:
    frank = await add_member(world, alice, "Frank", "analyst")
    manager = await browser_of(app, world, bob)
    empty = (await manager.get("/workspaces")).text
    assert "One workspace so far" in empty
    assert (await manager.post("/workspaces", {"name": " "})).status_code == 422
    opened = await manager.post("/workspaces", {"name": "  The  North "})
    page = opened.headers["Location"]
    assert opened.status_code == 303
    shown = (await manager.get(page)).text
    assert "The North" in shown
    assert "Frank" in shown.split('id="user_id"')[1].split("</select>")[0]
    assert (await manager.post(f"{page}/name", {"name": "North"})).headers["Location"] == page
    added = {"user_id": str(frank.user_id), "role": "viewer"}
    assert (await manager.post(f"{page}/members", added)).status_code == 303
    refusals = {
        "already_member": added,
        "role_not_allowed": {"user_id": str(frank.user_id), "role": "admin"},
        "not_found": {"user_id": str(charlie.user_id), "role": "viewer"},
        "invalid_input": {"user_id": str(frank.user_id), "role": "king"},
    }
    for code, fields in refusals.items():
        assert (await manager.post(f"{page}/members", fields, **MACHINE)).json()["code"] == code
    # the account's owner owns it, who opened it manages it, and each finds the way there
    for who, role in ((alice, "owner"), (bob, "admin"), (frank, "viewer")):
        assert (await places(world, who))["North"] == role
    workspace = page.rpartition("/")[2]
    reader = await browser_of(app, world, frank)
    menu = (await reader.get("/account/profile")).text
    assert menu.index("Switch to another workspace") < menu.index(workspace)
    assert (await reader.post("/account/switch", {"account_id": workspace})).headers["Location"] == "/start"
    assert (await reader.get("/start")).headers["Location"] == "/activate"
    assert (await reader.get("/workspaces/new", **MACHINE)).status_code == 403
    north = next(
        each for each in await as_tenant(world, alice, lambda s: workspaces_of(s, account_id=alice.account_id))
    )
    there = await in_workspace(world, bob, north.id)
    assert (await actions(world, alice))[-1:] == ["workspace.added"]
    assert [each for each in await actions(world, there) if not each.startswith("activation")] == [
        "workspace.added",
        "account.renamed",
        "member.added",
    ]


async def test_whoever_leaves_the_account_leaves_its_workspaces_and_who_leaves_a_workspace_leaves_it_alone(
    world: World, alice: SignedIn, bob: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    frank, greta, hans = [await add_member(world, alice, name, "analyst") for name in ("Frank", "Greta", "Hans")]
    now = world.clock.now()
    for who, role in ((bob, "admin"), (frank, "analyst"), (greta, "viewer"), (hans, "viewer")):
        await as_tenant(
            world,
            alice,
            lambda s, who=who, role=role: add_to_workspace(
                s, alice, workspace_id=north.account_id, user_id=who.user_id, role=role, now=now
            ),
        )
    keeper = await in_workspace(world, bob, north.account_id)
    key = await as_tenant(
        world,
        keeper,
        lambda s: create_key(
            s, world.tokens, keeper, name="k", scopes=["risk:read"], days=30, environment="test", now=now
        ),
    )
    # from a workspace: from there alone
    async with world.database.tenant(north.account_id) as session:
        await leave_for_good(session, world, await in_workspace(world, greta, north.account_id))
    assert list(await places(world, greta)) == ["Alice's shop"]
    # from the account, by removal and by one's own will: from everywhere, with what one held there
    async with world.database.tenant(alice.account_id) as session:
        await remove_for_good(session, world, alice, user_id=bob.user_id, invites="revoke", keys="revoke")
        await leave_for_good(session, world, frank)
    assert await places(world, bob) == await places(world, frank) == {}
    assert await roles(world, north.account_id) == {"Alice": "owner", "Dora": "analyst", "Hans": "viewer"}
    async with world.database.tenant(north.account_id) as session:
        kept = await session.get_one(ApiKey, (north.account_id, key.row.id))
        assert kept.revoked_for == "member_gone"
    assert (await actions(world, north))[-3:] == ["key.revoked", "member.removed", "member.removed"]
    # and so where the company's directory says it, as the system role; also of who is in a workspace alone
    for who in (hans, dora):
        assert who.name in await roles(world, north.account_id)
        row = DirectoryUser(
            account_id=alice.account_id,
            id=new_id(),
            user_id=who.user_id,
            user_name=who.email,
            active=True,
            created_at=now,
            changed_at=now,
        )
        async with world.database.system() as session:
            session.add(row)
            await session.flush()
            gone = directory.Person(who.email, active=False)
            room = directory.Room(None, takes_members=True)
            await directory.change_person(session, world.tokens, alice, gone, person_id=row.id, room=room, now=now)
    assert await roles(world, north.account_id) == {"Alice": "owner"}
    broken = await verify_every_log(world.database)
    assert not any(broken.values())


async def test_whoever_left_the_account_comes_back_by_no_invite_to_a_workspace(
    world: World, alice: SignedIn, bob: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    now, open_to_all = world.clock.now(), SeatAllowance(None)
    for email in (bob.email, "eve@elsewhere.example"):
        async with world.database.tenant(north.account_id) as session:
            await inviting.invite(
                session, world.tokens, north, email=email, role="viewer", allowance=open_to_all, now=now
            )
    async with world.database.tenant(alice.account_id) as session:
        await remove_for_good(session, world, alice, user_id=bob.user_id, invites="revoke", keys="revoke")
    async with world.database.tenant(north.account_id) as session:
        waiting = await pending_invites(session, account_id=north.account_id, now=now)
    assert [each.email for each in waiting] == ["eve@elsewhere.example"]


async def test_whoever_is_put_into_a_workspace_while_they_are_removed_is_in_neither(
    world: World, alice: SignedIn, bob: SignedIn, north: SignedIn
) -> None:
    frank, now = await add_member(world, alice, "Frank", "viewer"), world.clock.now()

    async def put(who: SignedIn) -> None:
        async with world.database.tenant(alice.account_id) as session:
            await add_to_workspace(
                session, alice, workspace_id=north.account_id, user_id=who.user_id, role="viewer", now=now
            )

    async with world.database.tenant(alice.account_id) as session:
        await remove_for_good(session, world, alice, user_id=frank.user_id, invites="revoke", keys="revoke")
        await remove_for_good(session, world, alice, user_id=bob.user_id, invites="revoke", keys="revoke")
        # both begin before the removal is there to see
        meanwhile = [asyncio.create_task(put(frank)), asyncio.create_task(open_workspace(world, bob, name="South"))]
        await asyncio.wait(meanwhile, timeout=0.5)
    with pytest.raises(NotFound):
        await meanwhile[0]
    with pytest.raises(NotYours):
        await meanwhile[1]
    assert await places(world, frank) == await places(world, bob) == {}
    assert await roles(world, north.account_id) == {"Alice": "owner"}


async def test_who_takes_over_the_account_takes_over_its_workspaces(
    world: World, alice: SignedIn, bob: SignedIn, north: SignedIn
) -> None:
    frank, now = await add_member(world, alice, "Frank", "viewer"), world.clock.now()
    await as_tenant(world, alice, lambda s: transfers.request_transfer(s, alice, user_id=frank.user_id, now=now))
    await as_tenant(world, frank, lambda s: transfers.accept_transfer(s, frank, now=now))
    assert await places(world, frank) == {"Alice's shop": "owner", "North": "owner"}
    assert await places(world, alice) == {"Alice's shop": "admin", "North": "admin"}
    # also where our staff does it for an owner who cannot
    sam = Staff(new_id(), new_id(), "Sam", "sam@payflux.example", now)
    reason = "the owner is not reachable any more"
    async with world.database.tenant(alice.account_id) as session:
        await acts.transfer_ownership(
            session, sam, account_id=alice.account_id, user_id=bob.user_id, reason=reason, now=now
        )
    assert (await places(world, bob))["North"] == "owner"
    with pytest.raises(acts.Conflict, match="owned by who owns its account"):
        async with world.database.tenant(north.account_id) as session:
            await acts.transfer_ownership(
                session, sam, account_id=north.account_id, user_id=alice.user_id, reason=reason, now=now
            )


async def test_a_person_takes_one_seat_of_the_account_and_limits_are_counted_over_all_workspaces(
    world: World, stored: asyncpg.Connection, alice: SignedIn, bob: SignedIn, north: SignedIn, dora: SignedIn
) -> None:
    for key, value in (("seats", 4), ("api_calls_per_day", 3)):
        await stored.execute(
            "INSERT INTO account_limit_overrides (account_id, id, limit_key, value, reason, author, starts_at) "
            "VALUES ($1, gen_random_uuid(), $2, $3, 'agreed', 'Sam', $4)",
            alice.account_id,
            key,
            value,
            world.clock.now(),
        )
    await stored.execute("UPDATE accounts SET entitlements_version = entitlements_version + 1")

    async def invite(who: SignedIn, email: str) -> None:
        async with world.database.tenant(who.account_id) as session:
            allowance = await seat_allowance(session, world, account_id=who.account_id)
            now = world.clock.now()
            await inviting.invite(session, world.tokens, who, email=email, role="viewer", allowance=allowance, now=now)

    async def seats_used(who: SignedIn) -> int:
        async with world.database.tenant(who.account_id) as session:
            return (await usage_of(session, world, account_id=who.account_id, key="seats")).used

    # Alice (in both), Bob and Dora take three; the fourth is held by an invite, from wherever it was sent
    assert await seats_used(alice) == await seats_used(north) == 3
    await invite(north, "eve@elsewhere.example")
    assert await seats_used(alice) == await seats_used(north) == 4
    with pytest.raises(inviting.SeatLimit, match=r"4 seats.*2 more are taken in other workspaces") as refused:
        await invite(alice, "frank@elsewhere.example")
    assert (refused.value.details["used"], refused.value.details["limit"]) == (4, 4)
    await invite(alice, "eve@elsewhere.example")  # who takes a seat already needs no second one
    await invite(alice, dora.email)
    assert await seats_used(alice) == 4
    # calls of any workspace count for the account
    for who, count in ((alice, 1), (north, 2), (north, 3)):
        async with world.database.tenant(who.account_id) as session:
            assert (await use(session, world, account_id=who.account_id, key="api_calls_per_day")).used == count
    for who in (alice, north):
        async with world.database.tenant(who.account_id) as session:
            with pytest.raises(LimitReached):
                await use(session, world, account_id=who.account_id, key="api_calls_per_day")


async def test_a_deleted_workspace_goes_alone_and_a_deleted_account_with_all_of_its_workspaces(
    world: World, app: FastAPI, stored: asyncpg.Connection, alice: SignedIn, charlie: SignedIn, north: SignedIn
) -> None:
    frank = await add_member(world, alice, "Frank", "viewer")
    page, elsewhere = await switched(app, world, north, north.account_id), await browser_of(app, world, alice)
    asked = (await page.get("/account/delete")).text
    assert "of this workspace. This cannot be undone" in asked
    assert "The subscription" not in asked
    gone = await page.post("/account/delete", {"name": "North"})
    assert "The workspace is deleted" in gone.text
    for job in await waiting_jobs(stored, "forget_member"):
        await forget_member(world, job)
    for signed_in in (page, elsewhere):
        assert "Alice&#39;s shop" in (await signed_in.get("/account/profile")).text, "still signed in, in the account"
    assert await stored.fetchval("SELECT count(*) FROM trial_grants") == 0, "no customer has left"
    assert (await actions(world, alice))[-1] == "workspace.deleted"
    assert await stored.fetchval("SELECT count(*) FROM workspaces WHERE account_id = $1", north.account_id) == 0

    south = (await page.post("/workspaces", {"name": "South"})).headers["Location"].rpartition("/")[2]
    exported = json.loads((await page.get("/account/export")).content)
    assert exported["workspaces"] == [{"account_id": south, "name": "South"}]
    loner = await add_user(world, "Loner")
    await stored.execute(
        "INSERT INTO memberships (account_id, user_id, role) VALUES ($1, $2, 'viewer')", south, loner.id
    )
    receipt = await delete_account(world, alice, typed_name="Alice's shop")
    assert (receipt.rows["accounts"], receipt.rows["memberships"]) == (2, 4)
    assert await stored.fetch("SELECT id FROM accounts") == await stored.fetch(
        "SELECT id FROM accounts WHERE id = $1", charlie.account_id
    )
    told = await stored.fetch(
        "SELECT convert_from(payload, 'UTF8')::jsonb ->> 'user_id' AS user_id FROM pgqueuer "
        "WHERE entrypoint = 'send_mail' AND convert_from(payload, 'UTF8') LIKE '%member_removed%'"
    )
    assert {row["user_id"] for row in told} == {str(frank.user_id), str(loner.id)}


async def test_pro_has_as_many_workspaces_as_processors_and_one_role_for_all_of_them(
    world: World, app: FastAPI, stored: asyncpg.Connection, alice: SignedIn
) -> None:
    await put_on(world, stored, alice, "pro")
    frank = await add_member(world, alice, "Frank", "analyst")
    owner = await browser_of(app, world, alice)
    pages = [(await owner.post("/workspaces", {"name": name})).headers["Location"] for name in ("Shop", "Market")]
    beyond = await owner.post("/workspaces", {"name": "One too many"})
    assert beyond.status_code == 402
    assert "Your plan allows 3" in beyond.text
    assert 'name="role"' not in (await owner.get(pages[0])).text
    await owner.post(f"{pages[0]}/members", {"user_id": str(frank.user_id), "role": "viewer"})
    assert (await places(world, frank))["Shop"] == "analyst"
    (job,) = [
        json.loads(row["payload"])
        for row in await stored.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_mail'")
        if b"added_to_workspace" in row["payload"]
    ]
    mail = await WRITERS["added_to_workspace"](world, job, Addressee("Frank", frank.email, "Shop"))
    assert mail is not None
    assert "Alice has added you to the workspace Shop on PayFlux. Your role there is analyst." in mail.text
    assert set(await places(world, alice)) == {"Alice's shop", "Shop", "Market"}
    # and so it stays, until the plan has roles of their own
    role = f"/account/team/members/{frank.user_id}/role"
    await owner.post(role, {"role": "viewer"})
    assert await places(world, frank) == {"Alice's shop": "viewer", "Shop": "viewer"}
    shop = await in_workspace(world, alice, UUID(pages[0].rpartition("/")[2]))
    assert (await actions(world, shop))[-1] == "member.role_changed"
    there = await switched(app, world, alice, shop.account_id)
    refused = await there.post(role, {"role": "admin"}, **MACHINE)
    assert (refused.status_code, refused.json()["code"]) == (409, "role_of_account")
    await put_on(world, stored, alice, "enterprise")
    await owner.post(role, {"role": "admin"})
    assert await places(world, frank) == {"Alice's shop": "admin", "Shop": "viewer"}
